//! What an installation decides about figures and traces.

use serde::{Deserialize, Serialize};

/// What an installation decides about figures and traces: the table `[observe]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObserveSettings {}
