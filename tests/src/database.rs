//! Throw-away databases.

use tempfile::TempDir;

use crate::postgres;

/// A database of one test. Gone when it is dropped.
#[derive(Debug)]
pub struct Database {
    /// Where it is.
    pub url: String,
    // Kept for its end.
    _folder: Option<TempDir>,
}

impl Database {
    /// A SQLite file in a folder of its own; nothing is in it yet.
    ///
    /// # Panics
    /// If no folder can be made.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { url: format!("sqlite://{}/stoa.db", folder.path().display()), _folder: Some(folder) }
    }

    /// An empty database on the test server; `None` where there is no server and there need not be one
    /// (see [`postgres`]).
    pub async fn postgres() -> Option<Self> {
        Some(Self { url: postgres::new_database().await?, _folder: None })
    }

    /// The one database of a server of its own.
    pub fn on(server: &postgres::OwnPostgres) -> Self {
        Self { url: server.url(), _folder: None }
    }

    /// Another empty database of the same kind.
    pub async fn another(&self) -> Option<Self> {
        if self.is_sqlite() { Some(Self::sqlite()) } else { Self::postgres().await }
    }

    /// Whether it is a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }
}
