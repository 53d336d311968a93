//! The stories: what people do with Stoa, told on SQLite and on PostgreSQL.

mod access;
mod batching;
mod catalogue;
mod forum;
mod intake;
mod learning;
mod non_interference;
mod process;
mod recommendations;
mod schema;
mod specification;
mod storage;
mod tidy;
