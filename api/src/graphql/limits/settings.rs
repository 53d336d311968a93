//! What an installation decides about how much may be asked for.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about how much may be asked for: the table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How deep a query may nest.
    pub depth: u64,
    /// How many fields a query may have, each counted once.
    pub fields: u64,
    /// How long a request may take, in seconds. Then it is stopped, and so is what it does in the database.
    pub request_seconds: u64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { depth: 24, fields: 2_000, request_seconds: 15 }
    }
}

impl LimitSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        bounds::check(
            "limits",
            &[
                ("depth", self.depth, 8..=100),
                ("fields", self.fields, 100..=100_000),
                ("request_seconds", self.request_seconds, 1..=600),
            ],
        )
    }
}
