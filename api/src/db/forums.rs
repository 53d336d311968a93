//! Whether what is kept in memory of a forum is still so.
//!
//! Each forum has a version, a row that each transaction raises which wrote to its threads or posts. It is the last lock that a
//! transaction takes, just before its commit. Whoever keeps something of a forum notes the [`Moment`] before she asked for the version
//! of which it is, and believes it as long as that moment [is fresh](Db::is_fresh):
//!
//! - **here**: until a transaction of this process has changed the forum. It says which ([`Tx::forum_sql`]), and between its `COMMIT`
//!   and its answer all moments before it pass, also if the commit failed: then nobody knows whether it did.
//! - **elsewhere**: for [`FORUM_BOUND`]. Then the version is asked for again.
//!
//! What was read is believed for [`LIFETIME`] at most, whatever the version: that heals what nobody is told of, a table that was changed
//! by hand, or by a server that raises no versions.
//!
//! Invariant: once a write to a forum is acknowledged, no read on the same server finds what was before it, and none on another
//! server that begins more than [`FORUM_BOUND`] later.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Db, DbError, Sql, Tx, Uuids, on, statements};
use crate::ids::CourseId;

/// The tables that what is kept is read from.
pub(super) const TABLES: [&str; 2] = ["threads", "posts"];
/// So long what is kept of a forum is believed without asking whether another server has changed it.
pub const FORUM_BOUND: Duration = Duration::from_millis(500);
/// So long after it was read, what is kept of a forum is believed at all.
pub(crate) const LIFETIME: Duration = Duration::from_mins(1);
/// Forums share this many counts of changes: two that share one are asked for somewhat more often.
const COUNTS: usize = 1_024;

statements! {
    FORUM_VERSIONS { "SELECT course_id, version FROM forum_versions WHERE course_id " [any_uuid 1] }
    RAISE_FORUMS {
        "INSERT INTO forum_versions (course_id, version) SELECT k.key, 1 FROM " [uuids 1] " k WHERE true
         ON CONFLICT (course_id) DO UPDATE SET version = forum_versions.version + 1"
    }
}

/// When something was known to be so of a forum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    epoch: u64,
    changes: u64,
    at: Instant,
}

/// How often this process has changed forums.
#[derive(Debug)]
pub(super) struct Forums {
    /// Grows where nobody knows which of them was changed.
    epoch: AtomicU64,
    counts: Box<[AtomicU64]>,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
}

impl Forums {
    pub(super) fn new() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            counts: (0..COUNTS).map(|_| AtomicU64::new(0)).collect(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    fn count(&self, course: CourseId) -> &AtomicU64 {
        // The end of an id is chance, in those that begin with a time as in those that are derived.
        &self.counts[course.0.as_u128() as usize % COUNTS]
    }

    /// Lets every moment pass, and nothing of it be believed again.
    pub(super) fn all_changed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

/// Forums that are being changed. Every moment before passes when this is dropped, however the commit ended.
pub(super) struct ForumChange {
    forums: Arc<Forums>,
    courses: BTreeSet<CourseId>,
}

impl ForumChange {
    /// `None` if nothing of forums was written.
    pub(super) fn new(forums: &Arc<Forums>, courses: BTreeSet<CourseId>, writes: bool) -> Option<Self> {
        debug_assert!(!writes || !courses.is_empty(), "say which forum is written to: Tx::forum_sql");
        (writes || !courses.is_empty()).then(|| Self { forums: Arc::clone(forums), courses })
    }

    /// Raises the versions, in an order that all transactions keep.
    pub(super) async fn raise(&self, tx: &mut Tx) -> Result<(), DbError> {
        let (sql, keys) = (tx.sql(&RAISE_FORUMS), Uuids::new(self.courses.iter().copied()));
        Ok(on!(tx.conn(), c => sqlx::query(sql).bind(keys).execute(c).await.map(|_| ()))?)
    }
}

impl Drop for ForumChange {
    fn drop(&mut self) {
        if self.courses.is_empty() {
            self.forums.all_changed();
        }
        for course in &self.courses {
            self.forums.count(*course).fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Tx {
    /// Threads or posts of this forum are written.
    pub(crate) fn changes_forum(&mut self, course: CourseId) {
        self.changed_forums.insert(course);
    }

    /// As [`Tx::sql`], of a statement that writes to threads or posts of this forum.
    pub(crate) fn forum_sql(&mut self, course: CourseId, statement: &Sql) -> &'static str {
        self.changes_forum(course);
        self.sql(statement)
    }
}

impl Db {
    /// Now: what is asked of a forum from here on is not older.
    pub(crate) fn forum_moment(&self, course: CourseId) -> Moment {
        Moment {
            epoch: self.forums.epoch.load(Ordering::Acquire),
            changes: self.forums.count(course).load(Ordering::Acquire),
            at: Instant::now(),
        }
    }

    /// Whether what was so of a forum at that moment is still believed, without asking for its version.
    pub(crate) fn is_fresh(&self, course: CourseId, moment: Moment) -> bool {
        let now = self.forum_moment(course);
        (now.epoch, now.changes) == (moment.epoch, moment.changes) && now.at.duration_since(moment.at) <= FORUM_BOUND
    }

    /// Whether what was read of a forum at that moment is believed if its version is the same.
    pub(crate) fn may_be_so(&self, moment: Moment) -> bool {
        self.forums.epoch.load(Ordering::Acquire) == moment.epoch && moment.at.elapsed() <= LIFETIME
    }

    /// Something unread was looked for in so many forums that told it from memory, and in so many that were walked through.
    pub(crate) fn forums_looked_up(&self, hits: usize, misses: usize) {
        self.forums.hits.fetch_add(hits as u64, Ordering::Relaxed);
        self.forums.misses.fetch_add(misses as u64, Ordering::Relaxed);
    }

    /// The versions of forums. What is read of them after this is not older.
    pub(crate) async fn forum_versions(&self, courses: &[CourseId]) -> Result<HashMap<CourseId, i64>, DbError> {
        let (sql, keys) = (self.sql(&FORUM_VERSIONS), Uuids::new(courses.iter().copied()));
        let rows: Vec<(CourseId, i64)> = on!(self.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
        let mut versions: HashMap<_, _> = courses.iter().map(|course| (*course, 0)).collect();
        versions.extend(rows);
        Ok(versions)
    }
}
