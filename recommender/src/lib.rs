#![doc = include_str!("../README.md")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "counts, indices and times are far below 2^24 or rounded on purpose; catalogues fit u32"
)]

mod candidates;
mod catalogue;
mod content;
pub mod engine;
mod engines;
mod error;
pub mod evaluate;
mod features;
mod interactions;
mod model;
pub mod offpolicy;
mod ranker;
mod reasons;
mod recommend;
mod search;
mod settings;
mod stats;
mod training;

pub use catalogue::{Catalogue, CatalogueError, Course, MAX_LEVEL};
pub use content::{Content, Facts};
pub use engine::{Engine, Registry, Scorer};
pub use error::{FitError, ModelError};
pub use interactions::{Interaction, InteractionError, Interactions, InteractionsBuilder, MAX_SECONDS};
pub use model::{Model, ModelHeader};
pub use reasons::{Reason, ReasonKind};
pub use recommend::{
    Contribution, DataUsed, Feedback, FeedbackKind, Obstacle, Query, Recommendation, Recommender, WhyNot,
};
pub use settings::{EngineSettings, RankerKind, Settings, SettingsError};
pub use training::Progress;
