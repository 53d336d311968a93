//! Stoa: an open-source server for online learning.
//!
//! The rooms, and which may lead to which, are described in `ARCHITECTURE.md`; a test keeps them so.
//! Each area of the product (`accounts`, `courses`, `progress`, `forum`, `recommendations`) is one
//! folder with the same few files:
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the area's rules: the service that others call, with the viewer as an argument |
//! | `model.rs` | plain types |
//! | `store.rs` | all SQL of the area |
//! | `loaders.rs` | batching by key |
//! | `graphql.rs` | objects, inputs, payloads, and this area's part of Query and Mutation |

// The future of a request holds those of all merged parts of the graph, one in the other.
#![recursion_limit = "256"]

pub mod access;
pub mod accounts;
pub mod announcements;
pub mod app;
pub mod audit;
pub mod bookmarks;
pub mod bounds;
pub mod cases;
pub mod cli;
pub mod courses;
pub mod db;
pub mod documents;
pub mod enrolling;
pub mod forum;
pub mod graphql;
pub mod http;
pub mod idempotency;
pub mod ids;
pub mod intake;
pub mod live;
pub mod mail;
pub mod markdown;
pub mod messages;
pub mod notifications;
pub mod observe;
pub mod oidc;
pub mod profile;
pub mod progress;
pub mod recommendations;
pub mod recovery;
pub mod reviews;
pub mod sign_in;
pub mod time;
pub mod two_factor;

mod batch;
mod shelf;

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;

/// Runs `stoa`, whose models may be made of the engines of `registry`: a crate outside this repository registers its own,
/// and has a program with all commands (`examples/own_engine.rs`).
pub fn main_with(registry: stoa_recommender::Registry) -> std::process::ExitCode {
    cli::run(registry)
}
