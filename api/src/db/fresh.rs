//! Whether what is kept in memory of the catalogue is still so.
//!
//! What is kept belongs to a generation, a number of this process. A lookup takes only what is of the present one, so raising
//! the number throws everything away. It is raised:
//!
//! - **here**, by each transaction that wrote to one of [`TABLES`], between the end of its `COMMIT` and its answer, also if the
//!   commit failed: then nobody knows whether it did. No store says so: the transaction's connection sees each text.
//! - **for what other processes write**, by the table `catalogue_version`, whose one row such a transaction raises too. A lookup
//!   believes what is kept as long as that row was read at most [`BOUND`] ago; from [`PAUSE`] on it has it read again, behind its
//!   own answer. So nothing is asked while nobody looks anything up, and two tiny statements a second at most otherwise. Where the
//!   row can't be read, nothing that is kept is believed.
//! - **sooner**, where this process hears PostgreSQL's notices anyway (see [`super::notices`]).
//!
//! Invariant: once a write to the catalogue is acknowledged, no read on the same server finds what was before it, and none on
//! another server that begins more than [`BOUND`] later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, time::timeout};

use super::{Backend, Db, DbError};

/// The tables that what is kept is read from. Whoever keeps something of another table names it here.
pub(crate) const TABLES: [&str; 7] =
    ["courses", "modules", "lessons", "topics", "course_topics", "course_prerequisites", "module_prerequisites"];

/// So long after it was last known to be so, what is kept is believed.
pub const BOUND: Duration = Duration::from_secs(2);
/// So long nobody looks again.
const PAUSE: Duration = Duration::from_millis(500);
/// So long somebody waits for a look before she reads past what is kept.
const PATIENCE: Duration = Duration::from_millis(200);
/// So long what is kept is believed at all. It heals what nobody is told of: a table that was changed by hand, or by a server of a
/// version that does not raise the row.
const LIFETIME: Duration = Duration::from_mins(1);

/// Just before a commit: the last lock that a transaction takes, and held until then, so versions follow each other as commits do.
const RAISE: &str = "UPDATE catalogue_version SET version = version + 1 WHERE id = 1 RETURNING version";
const LOOK: &str = "SELECT version FROM catalogue_version WHERE id = 1";
/// How a notice of a new version begins; the version follows.
const NOTICE: &str = "catalogue ";
/// No version is this one.
const UNKNOWN: i64 = -1;

/// Of which moment something is that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// What this process knows of it.
#[derive(Debug)]
pub(super) struct Fresh {
    begun: Instant,
    generation: AtomicU64,
    /// All up to this version is thrown away already.
    version: AtomicI64,
    /// When the last look began that succeeded, in microseconds since `begun`; 0 before the first.
    looked_at: AtomicU64,
    /// When the last look began, however it ended.
    tried_at: AtomicU64,
    raised_at: AtomicU64,
    /// Held by whoever looks.
    looking: Arc<Mutex<()>>,
}

/// To which of the tables that something is kept of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The catalogue's.
    pub(super) catalogue: bool,
    /// The forums'.
    pub(super) forum: bool,
}

impl Written {
    /// By a text.
    pub(super) fn by(sql: &str) -> Self {
        Self { catalogue: writes_catalogue(sql), forum: writes_forum(sql) }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.catalogue |= more.catalogue;
        self.forum |= more.forum;
    }

    pub(super) const fn any(self) -> bool {
        self.catalogue || self.forum
    }
}

/// Whether a text writes to one of [`TABLES`].
#[doc(hidden)]
pub fn writes_catalogue(sql: &str) -> bool {
    writes_to(&TABLES, sql)
}

/// Whether a text writes to one of [`super::forums::TABLES`].
#[doc(hidden)]
pub fn writes_forum(sql: &str) -> bool {
    writes_to(&super::forums::TABLES, sql)
}

fn writes_to(tables: &[&str], sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    // The others write to the table that they name first, and texts of bulk writes are long.
    let all = first.eq_ignore_ascii_case("WITH");
    if !all && !["INSERT", "UPDATE", "DELETE"].iter().any(|verb| first.eq_ignore_ascii_case(verb)) {
        return false;
    }
    let mut before = ["", first];
    for word in words {
        let [verb, link] = before;
        let is_target = link.eq_ignore_ascii_case("UPDATE")
            || (verb.eq_ignore_ascii_case("INSERT") && link.eq_ignore_ascii_case("INTO"))
            || (verb.eq_ignore_ascii_case("DELETE") && link.eq_ignore_ascii_case("FROM"));
        if is_target {
            let is_kept = tables.iter().any(|table| word.eq_ignore_ascii_case(table));
            if is_kept || !all {
                return is_kept;
            }
        }
        before = [link, word];
    }
    false
}

impl Fresh {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            generation: AtomicU64::new(0),
            version: AtomicI64::new(UNKNOWN),
            looked_at: AtomicU64::new(0),
            tried_at: AtomicU64::new(0),
            raised_at: AtomicU64::new(0),
            looking: Arc::default(),
        }
    }

    /// Never 0.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Whether an instant is further back than this, or never was.
    fn is_past(&self, at: &AtomicU64, age: Duration) -> bool {
        let (at, now) = (at.load(Ordering::Acquire), self.now());
        at == 0 || u128::from(now.saturating_sub(at)) > age.as_micros()
    }

    /// Throws everything away.
    fn raise(&self) {
        self.raised_at.store(self.now(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// A transaction that raised the row to this version has been committed.
    fn committed(&self, version: i64) {
        if self.version.load(Ordering::Acquire) < version {
            self.raise();
            self.follow(version);
        }
    }

    /// Everything was thrown away after this version was committed. Versions between are found by the next look.
    fn follow(&self, version: i64) {
        let _ = self.version.compare_exchange(version - 1, version, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The row has this version, by a look that began at `begun`.
    fn found(&self, version: i64, begun: u64) {
        let known = self.version.load(Ordering::Acquire);
        // Any other one: a database may have been put back. And first the generation, so that nobody takes what is old for new.
        if known != version || self.is_past(&self.raised_at, LIFETIME) {
            self.raise();
            // A transaction of this process may have come further meanwhile.
            let _ = self.version.compare_exchange(known, version, Ordering::AcqRel, Ordering::Relaxed);
        }
        self.looked_at.fetch_max(begun, Ordering::AcqRel);
    }

    /// Hears of a new version. Answers whether the notice was one of these.
    pub(super) fn heard(&self, notice: &str) -> bool {
        let version = notice.strip_prefix(NOTICE).and_then(|version| version.parse().ok());
        if let Some(version) = version {
            self.committed(version);
        }
        version.is_some()
    }

    /// How often all that is kept was thrown away.
    pub(super) fn times_thrown_away(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }
}

/// A change of the catalogue that is being committed. What is kept is thrown away when this is dropped, however the commit ended.
pub(super) struct Change {
    fresh: Arc<Fresh>,
    version: Option<i64>,
    is_committed: bool,
}

impl Change {
    pub(super) fn new(fresh: &Arc<Fresh>) -> Self {
        Self { fresh: Arc::clone(fresh), version: None, is_committed: false }
    }

    /// The statement that raises the row. It gives the new version.
    pub(super) const SQL: &'static str = RAISE;

    /// The row was raised to this version. What other servers are told.
    pub(super) fn raised_to(&mut self, version: i64) -> String {
        self.version = Some(version);
        format!("{NOTICE}{version}")
    }

    /// The commit went well, so the version is this transaction's: if it had failed, the next one would have the same.
    pub(super) fn committed(mut self) {
        self.is_committed = true;
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.fresh.raise();
        if let Some(version) = self.version.filter(|_| self.is_committed) {
            self.fresh.follow(version);
        }
    }
}

impl Db {
    /// Of which generation something must be to be shown now; `None` if nothing that is kept may be.
    pub(crate) fn generation(&self) -> Option<Generation> {
        if self.fresh.is_past(&self.fresh.looked_at, PAUSE) {
            self.begin_look();
            if self.fresh.is_past(&self.fresh.looked_at, BOUND) {
                return None;
            }
        }
        Some(Generation(self.fresh.generation.load(Ordering::Acquire)))
    }

    /// Of which generation it is what is read from now on. Before that it waits, for a moment, for a look that is due.
    pub(crate) async fn begin_generation(&self) -> Generation {
        if self.generation().is_none() {
            // Whoever looks holds it until she has seen.
            let _ = timeout(PATIENCE, self.fresh.looking.lock()).await;
        }
        Generation(self.fresh.generation.load(Ordering::Acquire))
    }

    /// Throws away what is kept in this process, after a test has changed the database past the services.
    #[doc(hidden)]
    pub fn changed_by_hand(&self) {
        self.fresh.raise();
        self.forums.all_changed();
    }

    /// Has the row read, by a task of its own: whoever asked may be dropped. One looks at a time.
    fn begin_look(&self) {
        if !self.fresh.is_past(&self.fresh.tried_at, PAUSE) {
            return;
        }
        let Ok(turn) = Arc::clone(&self.fresh.looking).try_lock_owned() else { return };
        let begun = self.fresh.now();
        self.fresh.tried_at.store(begun, Ordering::Release);
        let db = self.clone();
        tokio::spawn(async move {
            match db.look().await {
                Ok(version) => db.fresh.found(version, begun),
                Err(error) => tracing::debug!(%error, "nobody knows whether the catalogue has changed"),
            }
            drop(turn);
        });
    }

    /// As `BEGIN` and `COMMIT`, this is not counted: no request causes it, and each has the same share of it.
    async fn look(&self) -> Result<i64, DbError> {
        match &self.backend {
            Backend::Lite(lite) => {
                let mut lease = lite.read.lend().await?;
                let version = sqlx::query_scalar(LOOK).fetch_one(lease.conn()).await;
                lease.over(version.as_ref().err());
                Ok(version?)
            }
            Backend::Pg(lanes) => {
                let mut lease = lanes.lend().await?;
                let version = sqlx::query_scalar(LOOK).fetch_one(lease.conn()).await;
                lease.over(version.as_ref().err());
                Ok(version?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_the_table_it_writes_to() {
        for (sql, writes) in [
            ("INSERT INTO courses (id) VALUES ($1)", true),
            ("  insert into \"lessons\"(id) VALUES ($1)", true),
            ("UPDATE modules SET position = 1", true),
            ("DELETE FROM course_topics WHERE course_id = $1", true),
            ("WITH gone AS (DELETE FROM topics RETURNING id) SELECT * FROM gone", true),
            ("WITH c AS (SELECT id FROM courses) UPDATE threads SET title = ''", false),
            ("INSERT INTO enrolment_settings (course_id) SELECT id FROM courses", false),
            ("INSERT INTO course_rollups (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1", false),
            ("SELECT id FROM courses WHERE id = $1 FOR UPDATE", false),
            ("UPDATE threads SET title = (SELECT title FROM courses)", false),
            ("", false),
        ] {
            assert_eq!(writes_catalogue(sql), writes, "{sql}");
        }
    }

    #[test]
    fn each_version_throws_away_once_and_none_is_passed_over() {
        let fresh = Arc::new(Fresh::new());
        let generation = || fresh.generation.load(Ordering::Relaxed);
        fresh.found(4, 1);
        let first = generation();
        fresh.found(4, 2);
        assert_eq!(generation(), first, "nothing has changed");
        // A transaction of this process, and then its notice.
        let mut change = Change::new(&fresh);
        let notice = change.raised_to(5);
        change.committed();
        assert_eq!(generation(), first + 1);
        assert!(fresh.heard(&notice));
        fresh.found(5, 3);
        assert_eq!(generation(), first + 1, "it is known");
        // Two of another server, of which the second is heard of.
        assert!(fresh.heard("catalogue 7"));
        assert_eq!(generation(), first + 2);
        fresh.found(7, 4);
        assert_eq!(generation(), first + 3, "the one before may have come in between");
        fresh.found(3, 5);
        assert_eq!(generation(), first + 4, "a database that was put back");
        // A commit that failed, as far as is known: somebody else's has the same version then.
        let mut change = Change::new(&fresh);
        change.raised_to(4);
        drop(change);
        assert_eq!(generation(), first + 5);
        fresh.found(4, 6);
        assert_eq!(generation(), first + 6);
        assert!(!fresh.heard("{\"what\":\"model_changed\"}"));
    }
}
