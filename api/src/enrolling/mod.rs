//! Taking courses and leaving them: who may, with an invitation or without, how many at a time, and who waits.
//!
//! Whoever takes or leaves a course holds the course's row (`store::hold`) until the transaction ends, before any row of a learner:
//! so seats are never given twice, and two who do it at once can't wait for each other.
//!
//! A seat that becomes free goes to who has waited the longest, in the same transaction: she takes the course from then on, and
//! is notified. (An offer that runs out would leave the seat empty while it is open; whoever does not want it any more leaves, and
//! the next one has it.) After the course's last day of enrolment nobody moves up.
//!
//! Invariant: a course has never more learners at a time than seats, but for those who were in it when seats were taken away.

mod cohorts;
pub(crate) mod graphql;
mod inviting;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;
mod taking;

use crate::{
    accounts::Accounts,
    courses::{
        model::{Course, CourseStatus},
        store as catalogue,
    },
    db::{Db, DbError},
    idempotency::KeyRefusal,
    ids::{AccountId, CohortId, CourseId},
    recommendations::Feed,
    time::{Clock, Timestamp},
};
use model::NewSettings;

/// The most seats.
pub const MAX_SEATS: i64 = 1_000_000;
/// The longest line: a place in it is counted.
pub const MAX_WAITING: i64 = 5_000;
/// So many move up in one transaction; the rest in the next one.
const MOVE_UP: usize = 100;
/// The longest name of a cohort, and the longest label of an invitation, in characters.
pub const MAX_NAME: usize = 200;
/// So many may come by one invitation.
pub const MAX_USES: i64 = 100_000;
/// The longest that an invitation lasts, in days.
pub const MAX_DAYS: i64 = 366;

/// The service of taking courses.
#[derive(Clone)]
pub struct Enrolling {
    db: Db,
    clock: Clock,
    accounts: Accounts,
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
    /// Not in the line.
    #[error("you don't wait for a seat in this course")]
    NotWaiting,
    /// Before its time.
    #[error("this course can be taken from {0} on")]
    NotOpenYet(Timestamp),
    /// After its time.
    #[error("this course could be taken until {0}")]
    Over(Timestamp),
    /// No seat, and she did not want to wait.
    #[error("all seats of this course are taken: leave out `wait`, or give true, to wait for one")]
    Full,
    /// Nor a place in the line.
    #[error("all seats of this course are taken, and {MAX_WAITING} wait for one already: try again later")]
    LineFull,
    /// It is for those who were invited.
    #[error("this course is for those who were invited: give the code of an invitation as `invitationCode`")]
    InvitationNeeded,
    /// No such code in that course.
    #[error("there is no invitation to this course with this code: see that it is typed as you were given it")]
    NoSuchCode,
    /// Used up.
    #[error("as many have come by this invitation as may: ask for another one")]
    InvitationSpent,
    /// Its time is over.
    #[error("this invitation ended at {0}: ask for another one")]
    InvitationOver(Timestamp),
    /// Revoked.
    #[error("this invitation was revoked: ask for another one")]
    InvitationRevoked,
    /// Not an instructor there.
    #[error("this is for the course's instructors")]
    NotInstructor,
    /// Somebody was quicker.
    #[error("somebody has changed it since you read it: read it again, and give its present version")]
    Stale,
    /// Too few or too many.
    #[error("a course has 1 to {MAX_SEATS} seats, or no limit; these were {0}")]
    Seats(i64),
    /// The end is not after the beginning.
    #[error("it must end after it begins")]
    Period,
    /// No such person, or not for the viewer.
    #[error("there is no such person, or you may not see her: give the code of an invitation to her instead")]
    NoSuchPerson,
    /// She takes it already.
    #[error("she takes this course already")]
    TakesIt,
    /// She can come already.
    #[error("she is invited already: revoke that invitation to make another one")]
    IsInvited,
    /// No such invitation in that course.
    #[error("there is no such invitation, or it was revoked already")]
    NoSuchInvitation,
    /// Too few or too many.
    #[error("1 to {MAX_USES} may come by an invitation, and one by that to a person; these were {0}")]
    Uses(i64),
    /// Too short or too long.
    #[error("an invitation lasts 1 to {MAX_DAYS} days; this were {0}")]
    Days(i64),
    /// Too long.
    #[error("a label has at most {MAX_NAME} characters; this one has {0}")]
    Label(usize),
    /// Empty or too long.
    #[error("a cohort's name has 1 to {MAX_NAME} characters; this one has {0}")]
    Name(usize),
    /// No such cohort in that course.
    #[error("there is no such cohort in this course")]
    NoSuchCohort,
    /// Nobody is put into it any more.
    #[error("this cohort is closed: nobody is put into it any more")]
    CohortClosed,
    /// No such enrolment, or not for the viewer.
    #[error("there is no such learner in this course")]
    NoSuchLearner,
    /// About the key that came with it.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

impl Enrolling {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts, feed: Feed) -> Self {
        Self { db, clock, accounts, feed }
    }

    /// Changes how a course takes learners. Where there are more seats than before, those who wait move up.
    pub async fn update_settings(
        &self,
        course: CourseId,
        version: i64,
        new: NewSettings,
    ) -> Result<Result<(), Refusal>, DbError> {
        if let Some(seats) = new.seats.filter(|seats| !(1..=MAX_SEATS).contains(seats)) {
            return Ok(Err(Refusal::Seats(seats)));
        }
        if !is_period(new.opens_at, new.closes_at) {
            return Ok(Err(Refusal::Period));
        }
        let Some(course) = catalogue::by_ids(&self.db, &[course]).await?.pop() else {
            return Ok(Err(Refusal::NoSuchCourse));
        };
        let mut tx = self.db.begin().await?;
        if store::hold(&mut tx, course.id).await?.is_none() {
            return Ok(Err(Refusal::NoSuchCourse));
        }
        if !store::change(&mut tx, course.id, version, new).await? {
            return Ok(Err(Refusal::Stale));
        }
        tx.commit().await?;
        while self.move_up_more(&course).await? {}
        Ok(Ok(()))
    }

    async fn course(&self, id: CourseId) -> Result<Option<Course>, DbError> {
        Ok(catalogue::by_ids(&self.db, &[id]).await?.pop().filter(Course::is_public))
    }
}

/// Whether a course takes anybody at all.
fn takes_learners(course: &Course) -> bool {
    course.status == CourseStatus::Published
}

/// Whether the end, where there is one, comes after the beginning.
fn is_period(from: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    from.zip(until).is_none_or(|(from, until)| from < until)
}

/// What a learner gets with her seat.
#[derive(Clone, Copy, Debug)]
struct Seat {
    learner: AccountId,
    cohort: Option<CohortId>,
}
