//! The stories: what people do with Stoa, told on SQLite and on PostgreSQL.

mod access;
mod batching;
mod catalogue;
mod forum;
mod intake;
mod learning;
mod mail;
mod oidc;
mod process;
mod recommendations;
mod recovery;
mod schema;
mod specification;
mod storage;
mod tidy;
