//! Enrolments, and what learners do in their courses.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use crate::{
    courses::{
        model::{Course, CourseStatus, Lesson, PartStatus},
        store as catalogue,
    },
    db::{Db, DbError, Tx},
    ids::{AccountId, CourseId, LessonId},
    recommendations::{self, Feed},
    time::Clock,
};
use model::{Activity, Progress};
use store::{Added, LessonSoFar};

/// More than a day in one report is a slip of the client's clock or units.
pub const MAX_SECONDS: i64 = 86_400;

/// The service of enrolments and progress.
#[derive(Clone)]
pub struct Learning {
    db: Db,
    clock: Clock,
    feed: Feed,
}

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such course.
    #[error("there is no such course")]
    NoSuchCourse,
    /// There is no such lesson.
    #[error("there is no such lesson")]
    NoSuchLesson,
    /// Archived.
    #[error("this course is archived and takes no new learners")]
    CourseClosed,
    /// Not a learner there.
    #[error("you are not enrolled in this lesson's course: call enroll first")]
    NotEnrolled,
    /// Not a learner there.
    #[error("you don't take this course")]
    NotInCourse,
    /// Negative, or more than [`MAX_SECONDS`].
    #[error("seconds must be between 0 and {MAX_SECONDS}; this was {0}")]
    Seconds(i64),
    /// Negative.
    #[error("position must be 0 or more seconds from the lesson's start; this was {0}")]
    Position(i64),
}

impl Learning {
    /// The service.
    pub fn new(db: Db, clock: Clock, feed: Feed) -> Self {
        Self { db, clock, feed }
    }

    /// Enrols a learner; one who left comes back to what she had. Doing it again changes nothing.
    pub async fn enroll(&self, learner: AccountId, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        let Some(course) = self.course(course).await? else { return Ok(Err(Refusal::NoSuchCourse)) };
        if course.status != CourseStatus::Published {
            return Ok(Err(Refusal::CourseClosed));
        }
        let mut tx = self.db.begin().await?;
        let now = self.clock.now();
        let is_new = store::enrol(&mut tx, learner, course.id, now).await?;
        if is_new {
            recommendations::enrolled(&mut tx, learner, course.id, now).await?;
        }
        tx.commit().await?;
        if is_new {
            self.feed.enrolled(learner, course.id, now);
        }
        Ok(Ok(()))
    }

    /// Leaves a course. What was achieved there stays hers, and enrolling again goes on from it.
    pub async fn leave(&self, learner: AccountId, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        let left = store::leave(&self.db, learner, course, self.clock.now()).await?;
        Ok(if left { Ok(()) } else { Err(Refusal::NotInCourse) })
    }

    /// Adds what a learner did in a lesson to her record. Answers with the lesson's course.
    pub async fn record(&self, learner: AccountId, activity: Activity) -> Result<Result<Lesson, Refusal>, DbError> {
        if !(0..=MAX_SECONDS).contains(&activity.seconds) {
            return Ok(Err(Refusal::Seconds(activity.seconds)));
        }
        if let Some(position) = activity.position.filter(|position| *position < 0) {
            return Ok(Err(Refusal::Position(position)));
        }
        let Some(lesson) = self.lesson(activity.lesson_id).await? else { return Ok(Err(Refusal::NoSuchLesson)) };
        let Some(course) = self.course(lesson.course_id).await? else { return Ok(Err(Refusal::NoSuchLesson)) };

        let now = self.clock.now();
        let key = (learner, lesson.course_id, lesson.id);
        let mut tx = self.db.begin().await?;
        let Some(enrolment) = store::lock(&mut tx, learner, lesson.course_id).await? else {
            return Ok(Err(Refusal::NotEnrolled));
        };
        let before = store::lesson_so_far(&mut tx, key).await?;
        let after = after(before, &lesson, activity, now);
        let gained = after.progress - before.map_or(0, |before| before.progress);
        let whole = Progress::mean(enrolment.progress_sum + gained, course.lesson_count) == Progress::WHOLE;
        let added = Added {
            seconds: activity.seconds,
            progress: gained,
            completed_at: enrolment.completed_at.or(whole.then_some(now)),
            newly_completed: whole && enrolment.completed_at.is_none(),
        };
        store::put_lesson(&mut tx, key, after, now).await?;
        store::add_to_enrolment(&mut tx, (learner, lesson.course_id), &added, now).await?;
        if added.newly_completed {
            recommendations::completed(&mut tx, learner, lesson.course_id, now).await?;
        }
        tx.commit().await?;
        Ok(Ok(lesson))
    }

    async fn course(&self, id: CourseId) -> Result<Option<Course>, DbError> {
        Ok(catalogue::by_ids(&self.db, &[id]).await?.pop().filter(Course::is_public))
    }

    async fn lesson(&self, id: LessonId) -> Result<Option<Lesson>, DbError> {
        Ok(catalogue::lessons_by_ids(&self.db, &[id])
            .await?
            .pop()
            .filter(|lesson| lesson.status == PartStatus::Published))
    }
}

/// What learners find in a course has changed: lessons came or went, in the transaction of the caller, which has kept the new
/// number of lessons with the course and the change with `course_contents`. The sums of those who take it are made anew.
#[expect(clippy::unused_async, reason = "sums are of all lessons that there are, for now")]
pub(crate) async fn content_changed(_tx: &mut Tx, _course: CourseId, _removed: &[LessonId]) -> Result<(), DbError> {
    Ok(())
}

/// A learner's state in a lesson after an activity. Nothing that was reached is lost: going back in a
/// video moves the position, not the progress.
fn after(before: Option<LessonSoFar>, lesson: &Lesson, activity: Activity, now: crate::time::Timestamp) -> LessonSoFar {
    let before = before.unwrap_or(LessonSoFar {
        seconds: 0,
        position: 0,
        furthest: 0,
        progress: 0,
        started_at: now,
        completed_at: None,
    });
    let position = activity
        .position
        .map_or(before.position, |position| lesson.seconds.map_or(position, |length| position.min(length)));
    let furthest = before.furthest.max(position);
    let at_end = lesson.seconds.is_some_and(|length| furthest >= length);
    let completed_at = before.completed_at.or((activity.completed || at_end).then_some(now));
    let progress = Progress::of_lesson(completed_at.is_some(), furthest, lesson.seconds).millionths();
    LessonSoFar {
        seconds: before.seconds.saturating_add(activity.seconds),
        position,
        furthest,
        progress: progress.max(before.progress),
        started_at: before.started_at,
        completed_at,
    }
}
