//! What an installation decides about figures and traces.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about figures and traces: the table `[observe]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObserveSettings {
    /// The address where Prometheus gets the figures; none if it is empty. Never the public one.
    pub metrics_listen: String,
    /// How many names of operations have figures of their own; the rest is `other`.
    pub operations: usize,
    /// How many names of clients have figures of their own; the rest is `other`.
    pub callers: usize,
    /// From so many milliseconds on, a request or a statement is slow, and is logged; 0 for never.
    pub slow_millis: u64,
    /// Whether the log of what was slow has the document in it, without texts and numbers.
    pub slow_documents: bool,
    /// The OpenTelemetry collector that traces are sent to, such as `http://127.0.0.1:4318`; none if it is empty.
    pub otlp_endpoint: String,
    /// Of how many requests a trace is sent: 1 for all, 0.01 for one in a hundred.
    pub otlp_ratio: f64,
    /// Whether whoever sends `traceparent` decides whether a trace is sent. Only behind a gateway that sets it.
    pub trust_traceparent: bool,
    /// What this server is called in traces.
    pub service_name: String,
}

impl Default for ObserveSettings {
    fn default() -> Self {
        Self {
            metrics_listen: String::new(),
            operations: 200,
            callers: 50,
            slow_millis: 500,
            slow_documents: true,
            otlp_endpoint: String::new(),
            otlp_ratio: 0.01,
            trust_traceparent: false,
            service_name: "stoa".to_owned(),
        }
    }
}

/// A setting about figures or traces that can't be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ObserveSettingsError {
    /// A number is out of its bounds.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
    /// A part of a whole is between 0 and 1.
    #[error("observe.otlp_ratio must be between 0 and 1; this was {0}")]
    Ratio(f64),
    /// Not an address of a collector.
    #[error("observe.otlp_endpoint must be an address such as http://127.0.0.1:4318; this was {0:?}")]
    Endpoint(String),
    /// The program can't send traces.
    #[error("observe.otlp_endpoint is set, but this program was built without the feature `otlp`")]
    NoTraces,
    /// Not an address to listen on.
    #[error("observe.metrics_listen must be an address and a port such as 127.0.0.1:9464; this was {0:?}")]
    Listen(String),
    /// Nothing to call the server in traces.
    #[error("observe.service_name must not be empty: it is what this server is called in traces")]
    Name,
}

impl ObserveSettings {
    /// Whether each can be used.
    pub fn check(&self) -> Result<(), ObserveSettingsError> {
        bounds::check(
            "observe",
            &[
                ("operations", self.operations as u64, 0..=2_000),
                ("callers", self.callers as u64, 0..=500),
                ("slow_millis", self.slow_millis, 0..=3_600_000),
            ],
        )?;
        if !(0.0..=1.0).contains(&self.otlp_ratio) {
            return Err(ObserveSettingsError::Ratio(self.otlp_ratio));
        }
        let is_address = |url: url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !self.otlp_endpoint.is_empty() && !self.otlp_endpoint.parse().is_ok_and(is_address) {
            return Err(ObserveSettingsError::Endpoint(self.otlp_endpoint.clone()));
        }
        if !self.otlp_endpoint.is_empty() && cfg!(not(feature = "otlp")) {
            return Err(ObserveSettingsError::NoTraces);
        }
        if !self.metrics_listen.is_empty() && !self.metrics_listen.contains(':') {
            return Err(ObserveSettingsError::Listen(self.metrics_listen.clone()));
        }
        if self.service_name.trim().is_empty() {
            return Err(ObserveSettingsError::Name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_can_not_be_used_are_refused_by_name() {
        let settings = ObserveSettings::default;
        assert_eq!(settings().check(), Ok(()));
        for (settings, said) in [
            (ObserveSettings { otlp_ratio: 1.5, ..settings() }, "observe.otlp_ratio must be between 0 and 1"),
            (ObserveSettings { otlp_ratio: f64::NAN, ..settings() }, "observe.otlp_ratio must be between 0 and 1"),
            (ObserveSettings { otlp_endpoint: "collector:4317".to_owned(), ..settings() }, "observe.otlp_endpoint"),
            (ObserveSettings { metrics_listen: "9464".to_owned(), ..settings() }, "observe.metrics_listen"),
            (ObserveSettings { operations: 2_001, ..settings() }, "observe.operations must be between 0 and 2000"),
            (ObserveSettings { service_name: " ".to_owned(), ..settings() }, "observe.service_name"),
        ] {
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
