//! The stories: what people do with Stoa, told on SQLite and on PostgreSQL.

mod access;
mod audit;
mod batching;
mod cases;
mod catalogue;
mod forum;
mod intake;
mod learning;
mod matrix;
mod policy;
mod process;
mod recommendations;
mod schema;
mod specification;
mod storage;
mod tidy;
