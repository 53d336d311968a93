//! Whether what is kept in memory of a forum is still so.
//!
//! Each forum has a version, a row that each transaction raises which wrote to its threads or posts. It is the last lock that a
//! transaction takes, just before its commit. Whoever keeps something of a forum asks for the version first ([`Db::forum_versions`]), and
//! believes what she has as long as the version is the same. A version that was [`Known`] at a [`Moment`] is believed without asking:
//!
//! - **here**: until a transaction of this process has changed the forum. It says which ([`Tx::forum_sql`]), and between its `COMMIT`
//!   and its answer all moments before it pass, also if the commit failed: then nobody knows whether it did.
//! - **elsewhere**: for [`FORUM_BOUND`], and where this process hears PostgreSQL's notices anyway (see [`super::notices`]), until it
//!   hears of the change: before it hears of anything else that the transaction tells.
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

use moka::sync::Cache;
use uuid::Uuid;

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
/// Of so many forums the version is known at a time.
const VERSIONS: u64 = 10_000;
/// How a notice of changed forums begins; their courses follow.
const NOTICE: &str = "forums ";
/// A notice of more courses names none, since it has to be short.
const NAMED: usize = 100;

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

/// The version that a forum had at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    version: i64,
    at: Moment,
}

impl Known {
    /// Whether both are of the same version.
    pub(crate) const fn is_still(self, other: Self) -> bool {
        self.version == other.version
    }
}

/// How often forums were changed, by this process or by those whose notices it hears.
#[derive(Debug)]
pub(super) struct Forums {
    /// Grows where nobody knows which of them was changed.
    epoch: AtomicU64,
    counts: Box<[AtomicU64]>,
    versions: Cache<CourseId, Known>,
}

impl Forums {
    pub(super) fn new() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            counts: (0..COUNTS).map(|_| AtomicU64::new(0)).collect(),
            versions: Cache::builder().max_capacity(VERSIONS).time_to_live(LIFETIME).build(),
        }
    }

    fn count(&self, course: CourseId) -> &AtomicU64 {
        // The end of an id is chance, in those that begin with a time as in those that are derived.
        &self.counts[course.0.as_u128() as usize % COUNTS]
    }

    /// Now: what is asked of a forum from here on is not older.
    fn moment(&self, course: CourseId) -> Moment {
        Moment {
            epoch: self.epoch.load(Ordering::Acquire),
            changes: self.count(course).load(Ordering::Acquire),
            at: Instant::now(),
        }
    }

    /// Whether what was so of a forum at that moment is still believed, without asking for its version.
    fn is_fresh(&self, course: CourseId, moment: Moment) -> bool {
        let now = self.moment(course);
        (now.epoch, now.changes) == (moment.epoch, moment.changes) && now.at.duration_since(moment.at) <= FORUM_BOUND
    }

    /// Lets every moment of all forums pass, and nothing of them be believed again.
    pub(super) fn all_changed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Lets every moment of these forums pass; where none is named, nobody knows which.
    fn changed(&self, courses: impl IntoIterator<Item = CourseId>) {
        let mut courses = courses.into_iter().peekable();
        if courses.peek().is_none() {
            self.all_changed();
        }
        for course in courses {
            self.count(course).fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Hears of changed forums. Answers whether the notice was of such.
    pub(super) fn heard(&self, notice: &str) -> bool {
        let Some(courses) = notice.strip_prefix(NOTICE) else { return false };
        self.changed(courses.split(' ').filter_map(|course| Uuid::parse_str(course).ok()).map(CourseId));
        true
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

    /// What other servers are told.
    pub(super) fn notice(&self) -> String {
        let courses = if self.courses.len() > NAMED { &BTreeSet::new() } else { &self.courses };
        let courses: Vec<_> = courses.iter().map(|course| course.0.simple().to_string()).collect();
        format!("{NOTICE}{}", courses.join(" "))
    }
}

impl Drop for ForumChange {
    fn drop(&mut self) {
        self.forums.changed(self.courses.iter().copied());
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
    /// A number that grows where nobody knows what was changed: then no version tells.
    pub(crate) fn epoch(&self) -> u64 {
        self.forums.epoch.load(Ordering::Acquire)
    }

    /// Whether what was read when a forum's version became known is believed if its version is the same.
    pub(crate) fn may_be_so(&self, known: Known) -> bool {
        self.epoch() == known.at.epoch && known.at.at.elapsed() <= LIFETIME
    }

    /// The version of a forum, if it is known and believed without asking.
    pub(crate) fn known_forum_version(&self, course: CourseId) -> Option<Known> {
        self.forums.versions.get(&course).filter(|known| self.forums.is_fresh(course, known.at))
    }

    /// The versions of forums. What is read of them after this is not older.
    pub(crate) async fn forum_versions(
        &self,
        courses: impl IntoIterator<Item = CourseId>,
    ) -> Result<HashMap<CourseId, Known>, DbError> {
        let courses: BTreeSet<_> = courses.into_iter().collect();
        let (mut versions, mut doubtful) = (HashMap::with_capacity(courses.len()), Vec::new());
        for course in courses {
            match self.known_forum_version(course) {
                Some(known) => {
                    versions.insert(course, known);
                }
                None => doubtful.push((course, self.forums.moment(course))),
            }
        }
        if doubtful.is_empty() {
            return Ok(versions);
        }
        let (sql, keys) = (self.sql(&FORUM_VERSIONS), Uuids::new(doubtful.iter().map(|(course, _)| *course)));
        let rows: Vec<(CourseId, i64)> = on!(self.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
        let rows: HashMap<_, _> = rows.into_iter().collect();
        for (course, at) in doubtful {
            // One that nobody has written to has no row.
            let known = Known { version: rows.get(&course).copied().unwrap_or_default(), at };
            self.forums.versions.insert(course, known);
            versions.insert(course, known);
        }
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_the_forums_that_were_changed_or_all_of_them() {
        let (here, there) = (Arc::new(Forums::new()), Forums::new());
        // Two that share no count.
        let [one, other] = [1_u128, 2].map(|id| CourseId(Uuid::from_u128(id)));
        let moments = || [one, other].map(|course| (course, there.moment(course)));
        let are_fresh = |moments: [(CourseId, Moment); 2]| moments.map(|(course, at)| there.is_fresh(course, at));
        let before = moments();
        assert!(!there.heard("catalogue 1") && are_fresh(before) == [true, true]);
        let change = ForumChange::new(&here, BTreeSet::from([one]), true).unwrap();
        assert!(there.heard(&change.notice()) && are_fresh(before) == [false, true]);

        let many = (0..5_000_u128).map(|id| CourseId(Uuid::from_u128(id))).collect();
        let change = ForumChange::new(&here, many, true).unwrap();
        let (before, notice) = (moments(), change.notice());
        assert!(notice.len() < 8_000 && there.heard(&notice) && are_fresh(before) == [false, false]);
    }
}
