//! What the stories and the benches share: throw-away databases, a small school, and clients that ask as
//! somebody.

mod client;
mod database;
mod events;
mod generator;
mod post;
mod postgres;
mod query;
mod schema;
mod school;
mod socket;
mod wire;

pub use client::{Answer, Client};
pub use database::Database;
pub use events::{Event, Events};
pub use generator::{Pool, Queries, Shrinking};
pub use post::Postbox;
pub use postgres::OwnPostgres;
pub use query::{Argument, Query, Selection, Value, What};
pub use schema::{Field, Input, Schema, Type, TypeRef};
pub use school::{SCHOOL, School, unmetered};
pub use socket::{Said, Server, Socket};
pub use wire::{Http2, Reply, Wire, tls_fixture};

/// Declares a story that is told on both databases:
///
/// ```text
/// story! {
///     async fn mei_enrols_twice(school) { … }
/// }
/// ```
#[macro_export]
macro_rules! story {
    ($($(#[$meta:meta])* async fn $name:ident($school:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a story may need nothing of its module")]
            use super::*;

            async fn story($school: $crate::School) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($crate::School::open($crate::Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::Database::postgres().await {
                    story($crate::School::open(database).await).await;
                }
            }
        }
    )+};
}
