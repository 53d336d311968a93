//! What an installation decides about requests.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about requests: the table `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// The largest body that is taken, in bytes.
    pub body_bytes: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { body_bytes: 1 << 20 }
    }
}

impl HttpSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        bounds::check("http", &[("body_bytes", self.body_bytes, 1_024..=64 << 20)])
    }
}
