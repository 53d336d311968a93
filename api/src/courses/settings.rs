//! What an installation decides about what is kept in memory.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// How much of the catalogue, and of what belongs to its courses, is kept in memory: the table `[catalogue]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueSettings {
    /// How much memory the catalogue may take that is kept decoded, in bytes; 0 to keep none.
    pub memory_bytes: u64,
    /// How much memory the latest threads of forums may take besides, in bytes; 0 to keep none.
    pub forum_memory_bytes: u64,
    /// How much memory what learners did in lessons may take besides, in bytes; 0 to keep none.
    pub record_memory_bytes: u64,
}

impl Default for CatalogueSettings {
    fn default() -> Self {
        Self { memory_bytes: 64 << 20, forum_memory_bytes: 16 << 20, record_memory_bytes: 16 << 20 }
    }
}

impl CatalogueSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        bounds::check(
            "catalogue",
            &[
                ("memory_bytes", self.memory_bytes, 0..=16 << 30),
                ("forum_memory_bytes", self.forum_memory_bytes, 0..=16 << 30),
                ("record_memory_bytes", self.record_memory_bytes, 0..=16 << 30),
            ],
        )
    }
}
