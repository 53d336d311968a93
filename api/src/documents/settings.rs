//! What an installation decides about documents.

use serde::{Deserialize, Serialize};

/// What an installation decides about documents: the table `[documents]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentSettings {}
