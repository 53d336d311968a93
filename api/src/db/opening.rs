//! How a database is opened.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    DbError, Lite,
    cancel::PgLanes,
    lanes::Lanes,
    observed::{Figures, Meter},
};

/// So long those who write to SQLite wait for their turn; requests have a limit of their own.
const TURN: Duration = Duration::from_secs(30);

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// Make the SQLite file, and its folder, where there is none.
    pub create: bool,
    /// Connections for reading on SQLite, connections in all on PostgreSQL.
    pub connections: u32,
    /// So long a statement that reads waits for a connection, and on PostgreSQL one that writes. It is less than a request's own
    /// limit, so that its answer says that the database is busy. On SQLite those who write wait in turn.
    pub patience: Duration,
}

impl Options {
    /// The database at `url`, which must be there.
    pub fn existing(url: &str) -> Self {
        Self { url: url.to_owned(), create: false, connections: 4, patience: Duration::from_secs(10) }
    }

    /// The database at `url`, made if missing.
    pub fn create(url: &str) -> Self {
        Self { create: true, ..Self::existing(url) }
    }
}

/// The SQLite file at `path`: as many connections to read as are wanted, and one to write.
pub(super) async fn sqlite(path: &str, options: &Options, figures: &Arc<Figures>) -> Result<Lite, DbError> {
    let file = PathBuf::from(path);
    if path.is_empty() || path.contains(":memory:") || path.contains('?') {
        return Err(DbError::Url(options.url.clone()));
    }
    if options.create {
        make_file(&file)?;
    } else if !file.exists() {
        return Err(DbError::Missing(file));
    }
    let connect = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(options.create)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged write survives even a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        // Rows cross from SQLite's thread in large steps; measured at nearly twice the reads.
        .row_buffer_size(2_000)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-32000")
        // What is slow is told by its name (`observed`), and not by its whole text once more.
        .disable_statement_logging();
    let (reading, writing) = (Meter::new(figures, 0), Meter::new(figures, 1));
    let write = Lanes::open(connect.clone(), 1, TURN, writing).await.map_err(|error| DbError::opening(&file, error))?;
    let connect = connect.create_if_missing(false).pragma("query_only", "on");
    let read = Lanes::open(connect, options.connections.max(1), options.patience, reading).await;
    Ok(Lite { read: read.map_err(|error| DbError::opening(&file, error))?, write })
}

/// PostgreSQL, if it can be reached now.
pub(super) async fn postgres(options: &Options, figures: &Arc<Figures>) -> Result<PgLanes, DbError> {
    let connect = PgConnectOptions::from_str(&options.url)
        .map_err(|_| DbError::Url(without_password(&options.url)))?
        .application_name("stoa")
        .disable_statement_logging();
    // A pool would try again until its time is up; whoever starts a server wants to know why at once.
    PgConnection::connect_with(&connect).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.patience)
        .test_before_acquire(false);
    Ok(PgLanes::open(pool, connect, Meter::new(figures, 0)).await?)
}

/// Makes the file and its folder if they are missing. What learners struggle with is for the server's own
/// user to read.
fn make_file(file: &Path) -> Result<(), DbError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| DbError::Folder(folder.to_owned(), error))?;
    }
    if !file.exists() {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).map_err(|error| DbError::Folder(file.to_owned(), error))?;
    }
    Ok(())
}

/// The URL as it may be shown: a password between `:` and `@` becomes `***`.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let name = user.split(':').next().unwrap_or_default();
    let secret = if user.contains(':') { ":***" } else { "" };
    format!("{scheme}://{name}{secret}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(without_password("postgres://ada:s3cret@db/stoa"), "postgres://ada:***@db/stoa");
        assert_eq!(without_password("postgres://ada@db/stoa"), "postgres://ada@db/stoa");
        assert_eq!(without_password("sqlite://data/stoa.db"), "sqlite://data/stoa.db");
    }
}
