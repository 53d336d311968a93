//! What learners did in the lessons of their courses, kept in memory for a minute after it was read.
//!
//! An enrolment has a number, `record_version`, which each transaction raises that writes to its lessons. Whoever shows what she did
//! in them has read the enrolment in the same request, and so knows the number. What was read after an enrolment with the same number
//! is what it had then, or came later. So nobody has to be told of anything, on whichever server it was written.
//!
//! The values stay [`Personal`](crate::access::Personal): the policy is asked as for what was just read. Nothing is used for longer than
//! [`LIFETIME`] after it was read, however often it is asked for, and what is past that is thrown out when others are asked for.
//!
//! Invariant: an enrolment that was read after a write was acknowledged shows that write in its lessons.

use std::{collections::HashMap, mem::size_of, sync::Arc};

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

    /// Keeps what was read after the enrolments with these keys, and answers with the record of each: an empty one where nothing was
    /// read. `epoch` is what it was before.
    pub(super) fn keep(
        &self,
        keys: &[RecordKey],
        read: impl Iterator<Item = ((AccountId, CourseId), LessonRecord)>,
        epoch: u64,
    ) -> HashMap<RecordKey, Arc<LessonRecord>> {
        let read: HashMap<_, _> = read.map(|(of, record)| (of, Arc::new(record))).collect();
        let record_of = |key: &RecordKey| (*key, read.get(&key.of).cloned().unwrap_or_default());
        let records: HashMap<_, _> = keys.iter().map(record_of).collect();
        if let Some(cache) = &self.cache {
            for (key, record) in &records {
                cache.insert(key.of, Entry { record: Arc::clone(record), version: key.version, epoch });
            }
            self.db.looked_up(Memory::Records, 0, records.len());
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::db::Options;

    #[tokio::test]
    async fn an_enrolment_that_was_read_before_a_beat_and_after_it_has_the_same_lessons_both_times() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Options::create(&format!("sqlite://{}/stoa.db", folder.path().display()))).await.unwrap();
        let id = Uuid::from_u128;
        let (mei, zoe) = ((AccountId(id(1)), CourseId(id(9))), (AccountId(id(2)), CourseId(id(9))));
        let key = |of, version| RecordKey { of, version };
        let keys = [key(mei, 4), key(mei, 5), key(zoe, 0)];
        let lessons = || LessonRecord::new([7, 3].map(|lesson| LessonProgress::none(LessonId(id(lesson)))).into());
        let there = |record: &LessonRecord| record.lessons().map(|lesson| lesson.0.as_u128()).collect::<Vec<_>>();
        for bytes in [0, 10_000] {
            let records = Records::new(&db, bytes);
            let found = records.keep(&keys, [(mei, lessons())].into_iter(), db.epoch());
            assert_eq!(keys.map(|key| there(&found[&key])), [vec![3, 7], vec![3, 7], vec![]]);
            assert!(found[&keys[0]].get(LessonId(id(7))).is_some() && found[&keys[2]].get(LessonId(id(7))).is_none());
            assert_eq!(records.at_hand(&keys[2]).is_some(), bytes > 0);
            assert!(records.at_hand(&key(mei, 6)).is_none(), "another beat came");
        }
    }
}
