//! The stories: what people do with Stoa, told on SQLite and on PostgreSQL.

mod access;
mod audit;
mod batching;
mod cases;
mod catalogue;
mod engines;
mod forum;
mod intake;
mod learning;
mod mail;
mod matrix;
mod models;
mod non_interference;
mod oidc;
mod policy;
mod process;
mod profile;
mod recommendations;
mod recovery;
mod roles;
mod schema;
mod sign_in;
mod specification;
mod storage;
mod tidy;
mod two_factor;
