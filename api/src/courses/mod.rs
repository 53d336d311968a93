//! The catalogue: what there is to learn.
//!
//! Invariant: a course that is a draft is known to nobody but its staff, from any path.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;
