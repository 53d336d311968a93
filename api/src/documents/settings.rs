//! What an installation decides about documents.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about documents: the table `[documents]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct DocumentSettings {
    /// Whether nothing but trusted documents is answered.
    pub only_trusted: bool,
    /// Whether clients may have a document kept by sending it once with its hash.
    pub automatic: bool,
    /// How much memory parsed documents may take, in bytes: half of it those that are trusted, the rest what clients send.
    pub memory_bytes: u64,
    /// Whether the schema can be asked for.
    pub introspection: bool,
    /// Whether a message about a name that is not in the schema says which are like it.
    pub suggestions: bool,
}

impl Default for DocumentSettings {
    fn default() -> Self {
        Self { only_trusted: false, automatic: true, memory_bytes: 16 << 20, introspection: true, suggestions: true }
    }
}

impl DocumentSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        bounds::check("documents", &[("memory_bytes", self.memory_bytes, 1 << 20..=4 << 30)])
    }
}
