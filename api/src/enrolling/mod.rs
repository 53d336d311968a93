//! Taking courses, and leaving them.

pub(crate) mod graphql;
pub(crate) mod store;

use crate::{
    courses::{
        model::{Course, CourseStatus},
        store as catalogue,
    },
    db::{Db, DbError},
    ids::{AccountId, CourseId},
    recommendations::{self, Feed},
    time::Clock,
};

/// The service of taking courses.
#[derive(Clone)]
pub struct Enrolling {
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
    /// Archived.
    #[error("this course is archived and takes no new learners")]
    CourseClosed,
    /// Not a learner there.
    #[error("you don't take this course")]
    NotInCourse,
}

impl Enrolling {
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

    async fn course(&self, id: CourseId) -> Result<Option<Course>, DbError> {
        Ok(catalogue::by_ids(&self.db, &[id]).await?.pop().filter(Course::is_public))
    }
}
