//! What can go wrong when a model is trained, read or bound.

use crate::SettingsError;

/// Training that can't be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The settings can't be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The interactions name a course the catalogue doesn't have: they belong to another one.
    #[error("an interaction names course {course}, but the catalogue has {courses}")]
    OtherCatalogue {
        /// The course named.
        course: u32,
        /// How many courses there are.
        courses: usize,
    },
    /// An engine gave up.
    #[error("the engine {engine:?} can't be fitted: {reason}")]
    Engine {
        /// The engine.
        engine: String,
        /// Why, for people.
        reason: String,
    },
    /// The ranker's optimiser gave up.
    #[error("the ranker can't be fitted: {0}")]
    Ranker(String),
}

/// A saved model that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The bytes don't begin as a model's do.
    #[error("this is not a saved model")]
    Foreign,
    /// A later version of this crate wrote it.
    #[error("the model has format {found}; this version reads {known}: update, or train again")]
    Newer {
        /// The format found.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// An earlier version of this crate wrote it, in a format that is no longer read.
    #[error("the model has format {found}; this version reads {known}: train again")]
    Older {
        /// The format found.
        found: u32,
        /// The format known here.
        known: u32,
    },
    /// The checksum or the length is not what the header says, or the body makes no sense.
    #[error("the saved model is damaged: {0}")]
    Damaged(String),
    /// The model uses an engine that is not registered here.
    #[error("the model uses the engine {0:?}, which is not registered")]
    UnknownEngine(String),
    /// No course of the model is in the catalogue.
    #[error("none of the model's {courses} courses is in the catalogue: it belongs to another one")]
    OtherCatalogue {
        /// How many courses the model knows.
        courses: usize,
    },
}
