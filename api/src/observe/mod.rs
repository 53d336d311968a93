//! Seeing inside: figures, traces and the log of what was slow. It knows numbers and names, never what is said about people.

mod settings;

pub use settings::ObserveSettings;

/// Where figures are kept.
#[derive(Clone, Debug)]
pub struct Observe {
    settings: ObserveSettings,
}

impl Observe {
    pub(crate) const fn new(settings: ObserveSettings) -> Self {
        Self { settings }
    }

    /// An operation uses something deprecated, such as `Course.oldName`. Call it once for each in an operation.
    pub fn deprecated(&self, field: &str, caller: Option<&str>) {
        tracing::debug!(field, caller, "deprecated");
    }

    /// What the installation decides.
    pub fn settings(&self) -> &ObserveSettings {
        &self.settings
    }
}
