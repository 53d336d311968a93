//! How much may be asked for at once.

mod settings;

pub use settings::LimitSettings;
