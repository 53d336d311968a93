//! Documents that are known by their hash: those that an installation trusts, and those that a client sends by hash.

mod settings;

pub use settings::DocumentSettings;

/// The documents that are known.
#[derive(Clone, Debug)]
pub struct Documents {
    settings: DocumentSettings,
}

impl Documents {
    pub(crate) const fn new(settings: DocumentSettings) -> Self {
        Self { settings }
    }

    /// What the installation decides.
    pub fn settings(&self) -> &DocumentSettings {
        &self.settings
    }
}
