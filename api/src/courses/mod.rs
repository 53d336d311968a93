//! The catalogue: what there is to learn.
//!
//! Invariant: a course that is a draft is known to nobody but its staff, from any path; and so is a module or lesson that is a
//! draft. What is retired is in no list.

pub mod authoring;
pub(crate) mod graphql;
pub(crate) mod kept;
pub(crate) mod loaders;
pub mod model;
mod settings;
pub(crate) mod store;

pub use settings::CatalogueSettings;
