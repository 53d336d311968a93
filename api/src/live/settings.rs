//! The limits of live connections.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about live connections: the table `[live]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveSettings {
    /// How many connections there may be to one server.
    pub connections: usize,
    /// How many of them from one address. A school may be behind one.
    pub connections_per_address: usize,
    /// How many of them of one viewer.
    pub connections_per_viewer: usize,
    /// How many operations may run on one WebSocket at once, subscriptions included. A stream of events has one.
    pub operations_per_connection: usize,
    /// How many events may wait for one subscription; with one more it is dropped.
    pub queue: usize,
    /// The longest message that is taken from a client, in bytes.
    pub message_bytes: usize,
    /// How long a client may take to say who she is, in seconds.
    pub init_seconds: u64,
    /// How often a connection is pinged, or told a comment, in seconds. From a client of a WebSocket of whom nothing comes for
    /// two of these, nothing is expected any more.
    pub ping_seconds: u64,
    /// How often it is looked whether token or session are still good, in seconds. They are looked at with each event,
    /// too.
    pub recheck_seconds: u64,
    /// After so long without any operation a WebSocket is closed, in seconds.
    pub idle_seconds: u64,
    /// How long a client may take to take one message, in seconds.
    pub write_seconds: u64,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            connections_per_viewer: 20,
            operations_per_connection: 50,
            queue: 64,
            message_bytes: 256 << 10,
            init_seconds: 10,
            ping_seconds: 20,
            recheck_seconds: 60,
            idle_seconds: 300,
            write_seconds: 30,
        }
    }
}

impl LiveSettings {
    /// Whether each is within its bounds.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        let all = [
            ("connections", self.connections as u64, 0..=1_000_000),
            ("connections_per_address", self.connections_per_address as u64, 1..=1_000_000),
            ("connections_per_viewer", self.connections_per_viewer as u64, 1..=10_000),
            ("operations_per_connection", self.operations_per_connection as u64, 1..=1_000),
            ("queue", self.queue as u64, 1..=10_000),
            ("message_bytes", self.message_bytes as u64, 1_024..=1 << 20),
            ("init_seconds", self.init_seconds, 1..=300),
            ("ping_seconds", self.ping_seconds, 1..=3_600),
            ("recheck_seconds", self.recheck_seconds, 1..=3_600),
            ("idle_seconds", self.idle_seconds, 1..=86_400),
            ("write_seconds", self.write_seconds, 1..=300),
        ];
        bounds::check("live", &all)
    }

    pub(crate) const fn init(&self) -> Duration {
        Duration::from_secs(self.init_seconds)
    }

    pub(crate) const fn ping(&self) -> Duration {
        Duration::from_secs(self.ping_seconds)
    }

    pub(crate) const fn recheck(&self) -> Duration {
        Duration::from_secs(self.recheck_seconds)
    }

    pub(crate) const fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    pub(crate) const fn write(&self) -> Duration {
        Duration::from_secs(self.write_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_makes_no_sense_is_named() {
        assert_eq!(LiveSettings::default().check(), Ok(()));
        let error = LiveSettings { queue: 0, ..LiveSettings::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "live.queue must be between 1 and 10000; this was 0");
    }
}
