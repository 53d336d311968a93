//! Enrolments, and what learners do in their courses.

pub mod activity;
pub(crate) mod content;
pub mod definition;
pub(crate) mod graphql;
pub(crate) mod kept;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

mod apply;
mod lesson;
mod spans;

use std::sync::Arc;

use crate::{
    batch::LoadError,
    courses::{model::Course, store as catalogue},
    db::{Db, DbError, Tx},
    ids::{AccountId, CourseId, LessonId},
    time::Clock,
};
use activity::{BeatRefusal, Entry, What, Writer};
use kept::Records;
use model::{Activity, Progress, Recorded};

/// The service of enrolments and progress.
#[derive(Clone)]
pub struct Learning {
    db: Db,
    pub(crate) records: Arc<Records>,
    writer: Writer,
}

impl Learning {
    /// The service, with a task that writes beats for all requests and ends with the last clone of it, and with so many bytes of memory
    /// for records.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(db: Db, clock: Clock, memory_bytes: u64) -> Self {
        let writer = Writer::new(db.clone(), clock);
        let records = Arc::new(Records::new(&db, memory_bytes));
        Self { db, records, writer }
    }

    /// The same with a commit for each request that records something; for the bench that measures what sharing them brings.
    #[doc(hidden)]
    #[must_use]
    pub fn one_by_one(&self) -> Self {
        Self { writer: self.writer.one_by_one(), ..self.clone() }
    }

    /// Adds what a learner did in a lesson to her record.
    pub async fn record(
        &self,
        learner: AccountId,
        activity: &Activity,
    ) -> Result<Result<Recorded, BeatRefusal>, LoadError> {
        let answers = self.record_all(learner, std::slice::from_ref(activity)).await?;
        Ok(answers.into_iter().next().unwrap_or(Err(BeatRefusal::NoSuchLesson)))
    }

    /// Adds what a learner did in lessons, at most [`activity::MAX_BEATS`] reports, to her record; what became of each, in order.
    /// What is refused is no matter to the others.
    pub async fn record_all(
        &self,
        learner: AccountId,
        activities: &[Activity],
    ) -> Result<Vec<Result<Recorded, BeatRefusal>>, LoadError> {
        let checked: Vec<_> = activities.iter().map(|activity| Entry::beat(learner, activity)).collect();
        let entries = checked.iter().filter_map(|entry| entry.as_ref().ok()).cloned().collect();
        let mut recorded = self.writer.record(entries).await?.into_iter();
        let answer = |entry: Result<Entry, BeatRefusal>| {
            entry.and_then(|_| recorded.next().unwrap_or(Err(BeatRefusal::NoSuchLesson)))
        };
        Ok(checked.into_iter().map(answer).collect())
    }

    /// Records what a learner scored in a lesson, between 0 and 1. Whoever calls this knows that the viewer may do so.
    pub async fn record_score(
        &self,
        learner: AccountId,
        lesson: LessonId,
        score: f64,
    ) -> Result<Result<Recorded, BeatRefusal>, LoadError> {
        if !(0.0..=1.0).contains(&score) {
            return Ok(Err(BeatRefusal::Score));
        }
        let what = What::Score(Progress::nearest(score).millionths());
        let answers = self.writer.record(vec![Entry { learner, lesson, what }]).await?;
        Ok(answers.into_iter().next().unwrap_or(Err(BeatRefusal::NoSuchLesson)))
    }

    /// Deletes beats that nothing can bear upon any more; how many.
    pub async fn prune(&self) -> Result<u64, DbError> {
        self.writer.prune().await
    }

    /// Deletes them now and then, until the future is dropped.
    pub async fn keep_pruned(&self) {
        self.writer.keep_pruned().await;
    }

    async fn course(&self, id: CourseId) -> Result<Option<Course>, DbError> {
        Ok(catalogue::by_ids(&self.db, &[id]).await?.pop().filter(Course::is_public))
    }
}

/// What learners find in a course has changed: lessons came or went, in the transaction of the caller, which has kept the new
/// number of lessons with the course and the change with `course_contents`. The sums of those who take it are made anew.
pub(crate) async fn content_changed(tx: &mut Tx, course: CourseId, removed: &[LessonId]) -> Result<(), DbError> {
    content::changed(tx, course, removed).await
}
