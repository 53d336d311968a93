//! What can go wrong with a database, in terms that an operator can act on.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::cancel::is_broken;

/// A failure of the database. "Not found" is never one: stores answer `Ok(None)`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The URL names no database that Stoa knows.
    #[error(
        "{0:?} is not a database URL: use sqlite://PATH (a file, without parameters) or postgres://USER:PASSWORD@HOST/NAME"
    )]
    Url(String),
    /// The SQLite file is not there.
    #[error("there is no database at {}: `stoa demo` makes one with a campus in it, `stoa migrate` an empty one", .0.display())]
    Missing(PathBuf),
    /// The SQLite file or its folder can't be made.
    #[error("{} can't be made: {}", .0.display(), .1)]
    Folder(PathBuf, #[source] io::Error),
    /// The SQLite file can't be opened or is no database.
    #[error("{} can't be opened as a SQLite database: {}", .0.display(), .1)]
    Open(PathBuf, #[source] sqlx::Error),
    /// Nothing has been migrated yet, or not everything.
    #[error("the database is at version {found}, this program wants {wanted}: run `stoa migrate`")]
    Outdated {
        /// The newest migration that was applied; 0 for none.
        found: i64,
        /// The newest migration that this program knows.
        wanted: i64,
    },
    /// A newer program has migrated it.
    #[error(
        "the database was migrated to version {found} by a newer program, this one knows {wanted}: use the newer program"
    )]
    Newer {
        /// The newest migration that was applied.
        found: i64,
        /// The newest migration that this program knows.
        wanted: i64,
    },
    /// A migration failed or was changed after it had been applied.
    #[error("the database can't be migrated: {0}")]
    Migration(String),
    /// The keyed hashes in the database were made with another key.
    #[error(
        "this database was set up with another secret key: give the same `secret_key` (or `secret_key_file`) as the first time"
    )]
    SecretKey,
    /// What was sealed does not open.
    #[error("a sealed value in the database does not open: it was changed, or sealed with another secret key")]
    Sealed,
    /// Somebody else holds the lock for too long.
    #[error("the database is locked by another program: try again when it is done")]
    Locked,
    /// No space, or a quota.
    #[error("the database can't grow: its disk is full")]
    Full,
    /// The file may not be written.
    #[error("the database may not be written: {0}")]
    ReadOnly(String),
    /// No connection became free in time.
    #[error("the database is busy: no connection became free in time")]
    Busy,
    /// The server can't be reached or broke off.
    #[error("the database can't be reached: {0}")]
    Unavailable(String),
    /// A statement took longer than the database's own limit, or somebody there stopped it.
    #[error("the database stopped a statement: {0}")]
    Stopped(String),
    /// The connection broke during a commit, so nobody knows whether it was done.
    #[error("the connection to the database broke during a commit, which may have been done: {0}")]
    Uncertain(String),
    /// A constraint of the schema refused the row.
    #[error("the database refused a row: {0}")]
    Constraint(String),
    /// Anything else; a fault of ours.
    #[error("unexpected database error: {0}")]
    Other(#[source] sqlx::Error),
}

impl DbError {
    pub(crate) fn opening(file: &Path, error: sqlx::Error) -> Self {
        match Self::from(error) {
            Self::Other(error) => Self::Open(file.to_owned(), error),
            other => other,
        }
    }

    /// Whether trying again later may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Locked | Self::Full | Self::Busy | Self::Unavailable(_) | Self::Stopped(_) | Self::Uncertain(_)
        )
    }

    /// Of an error of a `COMMIT`: without an answer it is not known whether it was done.
    pub(super) fn committing(error: sqlx::Error) -> Self {
        if is_broken(&error) { Self::Uncertain(error.to_string()) } else { Self::from(error) }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::PoolClosed => Self::Unavailable("the server is shutting down".to_owned()),
            sqlx::Error::Io(cause) => Self::Unavailable(cause.to_string()),
            sqlx::Error::Tls(cause) => Self::Unavailable(cause.to_string()),
            // What a server says that is about to end, or a thread that has ended.
            sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::Database(cause) => {
                let code = cause.code().unwrap_or_default();
                // SQLite gives numbers (the low byte is the primary code), PostgreSQL five characters.
                match (code.len() == 5, code.as_ref()) {
                    (true, "53100") => Self::Full,
                    (true, "25006" | "42501") => Self::ReadOnly(cause.message().to_owned()),
                    (true, "55P03" | "40P01" | "40001") => Self::Locked,
                    (true, "57014") => Self::Stopped(cause.message().to_owned()),
                    (true, code)
                        if code.starts_with("08")
                            || code.starts_with("57P")
                            || code.starts_with("25P")
                            || code == "53300"
                            || code == "3D000"
                            || code.starts_with("28") =>
                    {
                        Self::Unavailable(cause.message().to_owned())
                    }
                    (true, code) if code.starts_with("23") => Self::Constraint(cause.message().to_owned()),
                    (false, code) => match code.parse::<u32>().map(|code| code & 0xff) {
                        Ok(5 | 6) => Self::Locked,
                        Ok(9) => Self::Stopped(cause.message().to_owned()),
                        Ok(8) => Self::ReadOnly(cause.message().to_owned()),
                        Ok(13) => Self::Full,
                        Ok(19) => Self::Constraint(cause.message().to_owned()),
                        _ => Self::Other(error),
                    },
                    _ => Self::Other(error),
                }
            }
            _ => Self::Other(error),
        }
    }
}
