//! What learners did in the lessons of their courses, kept in memory for a minute after it was read.
//!
//! An enrolment has a number, `record_version`, which each transaction raises that writes to its lessons. Whoever shows what she did
//! in them has read the enrolment in the same request, and so knows the number; what was read after the same number was is what the
//! database would say, or came later. So nobody has to be told of anything, on whichever server it was written.
//!
//! The values stay [`Personal`](crate::access::Personal): the policy is asked as for what was just read. Nothing stays for longer than
//! [`LIFETIME`] after it was read, whether or not it is asked for again: what is erased or restored is gone from here too.
//!
//! Invariant: an enrolment that was read after a write was acknowledged shows that write in its lessons.

use std::{mem::size_of, sync::Arc};

use moka::sync::Cache;

use super::model::{LessonProgress, RecordKey};
use crate::{
    db::{Db, Memory, forums::LIFETIME},
    ids::{AccountId, CourseId, LessonId},
};

/// What a record takes besides its lessons, in bytes: its key, and the places where the cache notes it. An estimate.
const OVERHEAD: usize = 250;

/// The record of one learner in one course: the lessons that she was in.
#[derive(Debug, Default)]
pub(crate) struct LessonRecord(Box<[LessonProgress]>);

impl LessonRecord {
    pub(super) fn new(mut lessons: Vec<LessonProgress>) -> Self {
        lessons.sort_unstable_by_key(|progress| progress.lesson_id);
        Self(lessons.into())
    }

    /// What she did in a lesson, if she was there.
    pub(crate) fn get(&self, lesson: LessonId) -> Option<&LessonProgress> {
        let at = self.0.binary_search_by_key(&lesson, |progress| progress.lesson_id).ok()?;
        self.0.get(at)
    }

    /// The lessons that she was in.
    pub(crate) fn lessons(&self) -> impl Iterator<Item = LessonId> {
        self.0.iter().map(|progress| progress.lesson_id)
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<LessonProgress>()
    }
}

/// The records of one server.
#[derive(Debug)]
pub(crate) struct Records {
    pub(super) db: Db,
    /// `None` where nothing is to be kept.
    cache: Option<Cache<(AccountId, CourseId), Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    record: Arc<LessonRecord>,
    version: i64,
    epoch: u64,
}

impl Records {
    /// For at most so many bytes; 0 to keep nothing.
    pub(crate) fn new(db: &Db, bytes: u64) -> Self {
        let weigh = |_: &_, entry: &Entry| u32::try_from(entry.record.bytes() + OVERHEAD).unwrap_or(u32::MAX);
        let cache = || Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(LIFETIME).build();
        Self { db: db.clone(), cache: (bytes > 0).then(cache) }
    }

    /// The record that an enrolment had when it was read, or a later one, if it is kept.
    pub(super) fn at_hand(&self, key: &RecordKey) -> Option<Arc<LessonRecord>> {
        let entry = self.cache.as_ref()?.get(&key.of)?;
        let is_so = entry.version == key.version && entry.epoch == self.db.epoch();
        is_so.then(|| {
            self.db.looked_up(Memory::Records, 1, 0);
            entry.record
        })
    }

    /// Keeps what was read after these enrolments. `epoch` is what it was before.
    pub(super) fn keep(&self, read: impl Iterator<Item = (RecordKey, Arc<LessonRecord>)>, epoch: u64) {
        let Some(cache) = &self.cache else { return };
        let mut count = 0;
        for (key, record) in read {
            cache.insert(key.of, Entry { record, version: key.version, epoch });
            count += 1;
        }
        self.db.looked_up(Memory::Records, 0, count);
    }
}
