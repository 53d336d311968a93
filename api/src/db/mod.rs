//! The two databases behind one handle.
//!
//! A store writes each statement once (see [`statements!`](crate::db::dialect)), asks the handle for its
//! text, and runs one body for both databases through [`on!`]:
//!
//! ```ignore
//! let sql = db.sql(&TOPICS);
//! let rows: Vec<TopicRow> = on!(db.reader(), c => query_as(sql).fetch_all(c).await)?;
//! ```
//!
//! Invariant: statement texts come only from [`Db::sql`] and [`Tx::sql`] (or are counted with
//! [`Db::counted`] where a filter is built at run time), so the number of statements that a request
//! cost is known.

use std::{
    collections::BTreeSet,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::broadcast;

use sqlx::{Executor as _, PgConnection, SqliteConnection};

use cancel::{PgLanes, PgLease};
use lanes::{Lanes, Lease};

pub(crate) mod cancel;
pub(crate) mod dialect;
mod error;
pub(crate) mod forums;
pub(crate) mod fresh;
mod health;
mod lanes;
mod lookups;
pub mod migrate;
pub(crate) mod notices;
mod observed;
mod opening;
pub mod page;
pub(crate) mod settings;
mod watched;

pub use dialect::Sql;
pub(crate) use dialect::{Listed, Pairs, Rows, Stored, Text, Texts, Uuids, on, statements, stored_enum};
pub use error::DbError;
pub use forums::FORUM_BOUND;
#[doc(hidden)]
pub use fresh::{BOUND, writes_catalogue, writes_forum};
pub(crate) use health::Health;
pub(crate) use observed::{Group, PoolState};
pub use opening::{Options, without_password};

use crate::{ids::CourseId, observe::Register};
use forums::{ForumChange, Forums};
use fresh::{Change, Fresh, Written};
use lookups::Lookups;
pub(crate) use lookups::Memory;
use observed::Figures;
use watched::Watched;

/// One of two things: what SQLite needs, or what PostgreSQL needs.
#[derive(Clone, Debug)]
pub enum Backend<L, P> {
    /// The embedded database.
    Lite(L),
    /// The server.
    Pg(P),
}

/// SQLite allows one writer at a time. Waiting for the one writing connection is fair and has no
/// time limit to tune; waiting for the file's lock is neither.
#[derive(Clone, Debug)]
pub struct Lite {
    read: Lanes,
    write: Lanes,
}

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Db(Arc<Shared>);

impl Deref for Db {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What all handles share: each request makes dozens of them.
#[derive(Debug)]
pub struct Shared {
    backend: Backend<Lite, PgLanes>,
    statements: Arc<AtomicU64>,
    figures: Arc<Figures>,
    told: broadcast::Sender<Arc<str>>,
    fresh: Arc<Fresh>,
    forums: Arc<Forums>,
    lookups: Arc<Lookups>,
}

/// A transaction. Dropped without [`Tx::commit`], it leaves no trace.
pub struct Tx {
    backend: Backend<Lease, PgLease>,
    statements: Arc<AtomicU64>,
    figures: Arc<Figures>,
    notices: Vec<String>,
    told: broadcast::Sender<Arc<str>>,
    fresh: Arc<Fresh>,
    forums: Arc<Forums>,
    changed_forums: BTreeSet<CourseId>,
    /// Found out by the connection: nobody has to say it.
    written: Written,
}

/// So many notices wait for a task of this process that is slow to read them; then it misses the oldest.
const MAX_UNREAD: usize = 4_096;

impl Db {
    /// Opens a database without changing what is in it.
    pub async fn open(options: &Options) -> Result<Self, DbError> {
        let (backend, figures) = if let Some(path) = options.url.strip_prefix("sqlite:") {
            let figures = Arc::new(Figures::new("sqlite", &["read", "write"]));
            let path = path.strip_prefix("//").unwrap_or(path);
            (Backend::Lite(opening::sqlite(path, options, &figures).await?), figures)
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            let figures = Arc::new(Figures::new("postgres", &["all"]));
            (Backend::Pg(opening::postgres(options, &figures).await?), figures)
        } else {
            return Err(DbError::Url(without_password(&options.url)));
        };
        let (told, _) = broadcast::channel(MAX_UNREAD);
        let (fresh, forums) = (Arc::new(Fresh::new()), Arc::new(Forums::new()));
        let lookups = Arc::new(Lookups::new(&fresh));
        Ok(Self(Arc::new(Shared { backend, statements: Arc::default(), figures, told, fresh, forums, lookups })))
    }

    /// The connections to read from.
    pub(crate) fn reader(&self) -> Backend<&Lanes, &PgLanes> {
        match &self.backend {
            Backend::Lite(lite) => Backend::Lite(&lite.read),
            Backend::Pg(lanes) => Backend::Pg(lanes),
        }
    }

    /// The connections to write to, for a write of one statement. More than one: [`Db::begin`].
    pub(crate) fn writer(&self) -> Backend<&Lanes, &PgLanes> {
        cancel::writes();
        match &self.backend {
            Backend::Lite(lite) => Backend::Lite(&lite.write),
            Backend::Pg(lanes) => Backend::Pg(lanes),
        }
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let backend = match &self.backend {
            Backend::Lite(lite) => Backend::Lite(lite.write.begin().await?),
            Backend::Pg(lanes) => Backend::Pg(lanes.begin().await?),
        };
        Ok(Tx {
            backend,
            statements: Arc::clone(&self.statements),
            figures: Arc::clone(&self.figures),
            notices: Vec::new(),
            told: self.told.clone(),
            fresh: Arc::clone(&self.fresh),
            forums: Arc::clone(&self.forums),
            changed_forums: BTreeSet::new(),
            written: Written::default(),
        })
    }

    /// The text of a statement in this database's dialect; counted as one statement sent.
    pub(crate) fn sql(&self, statement: &Sql) -> &'static str {
        self.counted();
        statement.text(&self.backend)
    }

    /// Counts a statement that is built at run time.
    pub(crate) fn counted(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// How many statements were sent through this handle and its clones.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Learns what statements are called in the figures, and from when on one is slow (0 for never).
    pub(crate) fn know_statements(&self, statements: &[(&'static str, &'static [Sql])], slow_millis: u64) {
        self.figures.know(statements, slow_millis);
    }

    /// Adds the database's figures to those of the process.
    pub(crate) fn describe_figures(&self, register: &mut Register) {
        Figures::describe(register);
        register.collector(Arc::clone(&self.figures));
        Lookups::describe(register);
        register.collector(Arc::clone(&self.lookups));
    }

    /// So many requests shared a commit.
    pub(crate) fn shared_a_commit(&self, group: Group, requests: usize) {
        self.figures.group(group, requests);
    }

    /// How the pools are now.
    pub(crate) fn pools(&self) -> Vec<PoolState> {
        match &self.backend {
            Backend::Lite(lite) => vec![lite.read.state(), lite.write.state()],
            Backend::Pg(lanes) => vec![lanes.state()],
        }
    }

    /// Closes every connection and waits for what runs. On SQLite the write-ahead log is folded in.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Lite(lite) => {
                lite.read.close().await;
                lite.write.close().await;
            }
            Backend::Pg(lanes) => lanes.close().await,
        }
    }

    /// The notices of committed transactions, from now on.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Arc<str>> {
        self.told.subscribe()
    }

    /// Lets a SQLite file grow no more, as on a full disk, or again; for tests of just that.
    #[doc(hidden)]
    pub async fn limit_size_for_tests(&self, full: bool) -> Result<(), DbError> {
        if let Backend::Lite(lite) = &self.backend {
            // SQLite raises the limit to the present size by itself.
            let pages = if full { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 1073741823" };
            sqlx::query(pages).execute(&lite.write).await?;
        }
        Ok(())
    }

    /// How many connections are lent now, to whatever; for tests and figures.
    #[doc(hidden)]
    pub fn lent(&self) -> usize {
        match &self.backend {
            Backend::Lite(lite) => lite.read.lent() + lite.write.lent(),
            Backend::Pg(lanes) => lanes.state().in_use,
        }
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match &self.backend {
            Backend::Lite(_) => "sqlite",
            Backend::Pg(_) => "postgres",
        }
    }

    /// Brings the planner's statistics up to date after a large change.
    pub async fn analyze(&self) -> Result<(), DbError> {
        on!(self.writer(), c => sqlx::query("ANALYZE").execute(c).await.map(|_| ()))?;
        Ok(())
    }
}

impl Tx {
    /// The connection, for [`on!`].
    pub(crate) fn conn(&mut self) -> Backend<Watched<'_, &mut SqliteConnection>, Watched<'_, &mut PgConnection>> {
        let written = &mut self.written;
        match &mut self.backend {
            Backend::Lite(lease) => Backend::Lite(Watched::new(lease.conn(), &self.figures, written)),
            Backend::Pg(lease) => Backend::Pg(Watched::new(lease.conn(), &self.figures, written)),
        }
    }

    /// As [`Db::sql`].
    pub(crate) fn sql(&self, statement: &Sql) -> &'static str {
        self.statements.fetch_add(1, Ordering::Relaxed);
        statement.text(&self.backend)
    }

    /// Tells the tasks that listen ([`Db::notices`]), once this is committed, and never if it is not. On PostgreSQL those of
    /// every replica hear it. A notice is short (under 8,000 bytes): ids, not contents.
    pub(crate) fn announce(&mut self, notice: String) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Makes the changes last. When this returns, they survive a crash.
    ///
    /// It runs to its end also when nobody waits for it any more: what is half-way to the disk can't be called back, and what
    /// has been committed is told to those who listen.
    pub async fn commit(self) -> Result<(), DbError> {
        cancel::writes();
        tokio::spawn(self.committed()).await.map_err(|error| DbError::Unavailable(error.to_string()))?
    }

    async fn committed(mut self) -> Result<(), DbError> {
        let mut change = self.written.catalogue.then(|| Change::new(&self.fresh));
        let changed = std::mem::take(&mut self.changed_forums);
        let forums = ForumChange::new(&self.forums, changed, self.written.forum);
        if let Some(forums) = &forums {
            forums.raise(&mut self).await?;
        }
        match self.backend {
            Backend::Lite(mut lease) => {
                if let Some(change) = &mut change {
                    change.raised_to(sqlx::query_scalar(Change::SQL).fetch_one(lease.conn()).await?);
                }
                lease.conn().execute("COMMIT").await.map_err(DbError::committing)?;
                lease.over(None);
                // Whoever is told reads what is new.
                drop(forums);
                if let Some(change) = change {
                    change.committed();
                }
                for notice in self.notices {
                    // Nobody may be listening.
                    let _ = self.told.send(notice.into());
                }
            }
            Backend::Pg(mut lease) => {
                if let Some(change) = &mut change {
                    let notice = change.raised_to(sqlx::query_scalar(Change::SQL).fetch_one(lease.conn()).await?);
                    // The first: whoever hears of the others reads what is new.
                    self.notices.insert(0, notice);
                }
                if let Some(forums) = &forums {
                    self.notices.insert(0, forums.notice());
                }
                if !self.notices.is_empty() {
                    let sql = "SELECT pg_notify($2, notice) FROM unnest($1::text[]) notice";
                    sqlx::query(sql).bind(self.notices).bind(notices::CHANNEL).execute(lease.conn()).await?;
                }
                lease.conn().execute("COMMIT").await.map_err(DbError::committing)?;
                lease.over(None);
                drop(forums);
                if let Some(change) = change {
                    change.committed();
                }
            }
        }
        Ok(())
    }
}
