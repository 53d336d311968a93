//! What an installation decides about requests.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about requests: the table `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// The largest body that is taken, in bytes.
    pub body_bytes: u64,
    /// So long a body may take to come, in seconds.
    pub body_seconds: u64,
    /// So long a request's head may take to come, in seconds, and a TLS handshake.
    pub header_seconds: u64,
    /// So long a connection without a request stays open, in seconds.
    pub idle_seconds: u64,
    /// So long a client may take nothing of an answer, in seconds.
    pub write_seconds: u64,
    /// How many connections there may be at once, those of live data among them.
    pub connections: u64,
    /// So long anybody may keep a public answer, in seconds; 0 to ask each time whether it has changed.
    pub public_max_age_seconds: u64,
    /// Answers from this size on are compressed, in bytes; 0 for none.
    pub compress_bytes: u64,
    /// The origins whose pages may ask, such as `https://app.example`; `*` for all.
    pub cors_origins: Vec<String>,
    /// The certificate and those that lead from it to the authority, in PEM; with it Stoa speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    pub tls_key: Option<PathBuf>,
    /// So long browsers shall come by TLS only, in seconds; 0 to say nothing. Without TLS nothing is said.
    pub hsts_seconds: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            body_seconds: 30,
            header_seconds: 15,
            idle_seconds: 90,
            write_seconds: 60,
            connections: 20_000,
            public_max_age_seconds: 0,
            compress_bytes: 1_024,
            cors_origins: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            hsts_seconds: 31_536_000,
        }
    }
}

/// Why the table `[http]` can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSettingsError {
    /// A number is out of bounds.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// It is no origin.
    #[error(
        "http.cors_origins names {0:?}: an origin is a scheme, a host and, if needed, a port, such as https://app.example"
    )]
    Origin(String),
    /// One of the two is missing.
    #[error("http.tls_certificate and http.tls_key go together: give both, or none")]
    HalfOfTls,
}

impl HttpSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), HttpSettingsError> {
        bounds::check(
            "http",
            &[
                ("body_bytes", self.body_bytes, 1_024..=64 << 20),
                ("body_seconds", self.body_seconds, 1..=3_600),
                ("header_seconds", self.header_seconds, 1..=3_600),
                ("idle_seconds", self.idle_seconds, 1..=86_400),
                ("write_seconds", self.write_seconds, 1..=3_600),
                ("connections", self.connections, 1..=1_000_000),
                ("public_max_age_seconds", self.public_max_age_seconds, 0..=31_536_000),
                ("compress_bytes", self.compress_bytes, 0..=64 << 20),
                ("hsts_seconds", self.hsts_seconds, 0..=126_144_000),
            ],
        )?;
        if let Some(wrong) = self.cors_origins.iter().find(|text| *text != "*" && origin(text).is_none()) {
            return Err(HttpSettingsError::Origin(wrong.clone()));
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(HttpSettingsError::HalfOfTls);
        }
        Ok(())
    }

    pub(super) fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}

/// An origin as browsers write it: small letters, and no port where it is the scheme's own.
pub(super) fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (is_bare && url.password().is_none() && url.origin().is_tuple()).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        assert_eq!(origin("https://App.Example:443/").as_deref(), Some("https://app.example"));
        assert_eq!(origin("http://localhost:5173").as_deref(), Some("http://localhost:5173"));
        for wrong in ["app.example", "https://app.example/path", "null", "file:///x", "https://a@app.example", ""] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        let checked = |settings: HttpSettings| settings.check().map_err(|error| error.to_string());
        let default = HttpSettings::default;
        assert_eq!(checked(default()), Ok(()));
        let error = checked(HttpSettings { connections: 0, ..default() }).unwrap_err();
        assert!(error.contains("http.connections must be between 1 and"), "{error}");
        let error = checked(HttpSettings { cors_origins: vec!["app.example".to_owned()], ..default() }).unwrap_err();
        assert!(error.contains("names \"app.example\""), "{error}");
        let error = checked(HttpSettings { tls_key: Some("key.pem".into()), ..default() }).unwrap_err();
        assert!(error.contains("go together"), "{error}");
    }
}
