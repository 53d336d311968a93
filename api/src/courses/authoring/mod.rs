//! The authors' desk: what the staff of a course changes in the catalogue.
//!
//! A course is a draft, then published, then archived, and may come back from there. Its modules and lessons are drafts,
//! then published, then retired. What is said in a lesson is edited in a draft that learners don't see; publishing it makes a
//! version that never changes again, since somebody's record refers to it.
//!
//! Instructors may do all of it; assistants change the content, and neither publish nor archive nor change the staff.
//!
//! Invariant: each change holds the course until it is committed, so two authors change it one after the other, and the second
//! one is told if what she read is not so any more.

mod checks;
mod courses;
mod lessons;
mod modules;
mod order;
mod prerequisites;
mod publishing;
mod refusal;
mod staff;

use refusal::{Done, Stop, settle};
pub use refusal::{Part, Refusal};
pub use staff::{INVITED_FOR, StaffInvitation};

use super::{
    model::{CourseStatus, Lesson, Module, PartStatus, StaffRole},
    store::{desk, desk::Held, parts},
};
use crate::{
    accounts::Accounts,
    audit::Audit,
    db::{Db, DbError, Tx},
    idempotency::{Claim, Key},
    ids::{AccountId, CourseId, LessonId, ModuleId},
    mail::Outbox,
    time::Clock,
};

/// The service of those who write courses.
#[derive(Clone)]
pub struct Authoring {
    db: Db,
    clock: Clock,
    accounts: Accounts,
    audit: Audit,
    outbox: Outbox,
}

/// A course on somebody's desk: held until the transaction ends.
struct Desk {
    tx: Tx,
    course: Held,
    role: StaffRole,
}

impl Desk {
    /// That she is an instructor, and not an assistant.
    fn instructor(self) -> Done<Self> {
        if self.role == StaffRole::Instructor { Ok(self) } else { Err(Refusal::NotInstructor.into()) }
    }

    /// That nobody has changed the course since the author read it.
    fn in_version(self, version: i64) -> Done<Self> {
        fresh(self.course.version, version)?;
        Ok(self)
    }
}

/// That nobody has changed a thing since the author read it.
fn fresh(present: i64, read: i64) -> Done<()> {
    if present == read { Ok(()) } else { Err(Refusal::Stale(present).into()) }
}

impl Authoring {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts, audit: Audit, outbox: Outbox) -> Self {
        Self { db, clock, accounts, audit, outbox }
    }

    /// Puts a course on the desk of one of its staff.
    async fn desk(&self, by: AccountId, course: CourseId) -> Done<Desk> {
        let tx = self.db.begin().await?;
        self.desk_in(tx, by, course).await
    }

    /// As [`Authoring::desk`], in a transaction that was begun.
    async fn desk_in(&self, tx: Tx, by: AccountId, course: CourseId) -> Done<Desk> {
        match self.open(tx, by, course).await? {
            (tx, Some(course), Some(role)) => Ok(Desk { tx, course, role }),
            // A draft is known to its staff only.
            (_, Some(course), None) if course.status != CourseStatus::Draft => Err(Refusal::NotStaff.into()),
            _ => Err(Refusal::NoSuchCourse.into()),
        }
    }

    async fn open(
        &self,
        mut tx: Tx,
        by: AccountId,
        course: CourseId,
    ) -> Result<(Tx, Option<Held>, Option<StaffRole>), DbError> {
        let held = desk::lock(&mut tx, course).await?;
        let role = desk::role(&mut tx, course, by).await?;
        Ok((tx, held, role))
    }

    /// Puts a module's course on the desk; with all its modules, in order.
    async fn desk_of_module(&self, by: AccountId, module: ModuleId) -> Done<(Desk, Vec<Module>, Module)> {
        let course = parts::course_of_module(&self.db, module).await?.ok_or(Refusal::NoSuchModule)?;
        let (mut tx, held, role) = self.open(self.db.begin().await?, by, course).await?;
        let modules = parts::modules(&mut tx, course).await?;
        let found = modules.iter().find(|other| other.id == module).cloned().ok_or(Refusal::NoSuchModule)?;
        let course = held.ok_or(Refusal::NoSuchModule)?;
        match role {
            Some(role) => Ok((Desk { tx, course, role }, modules, found)),
            None => Err(stranger(&course, found.status, Refusal::NoSuchModule).into()),
        }
    }

    /// Puts a lesson's course on the desk.
    async fn desk_of_lesson(&self, by: AccountId, lesson: LessonId) -> Done<(Desk, Lesson)> {
        let course = parts::course_of_lesson(&self.db, lesson).await?.ok_or(Refusal::NoSuchLesson)?;
        let (mut tx, held, role) = self.open(self.db.begin().await?, by, course).await?;
        let found = parts::lesson(&mut tx, lesson).await?.ok_or(Refusal::NoSuchLesson)?;
        let course = held.ok_or(Refusal::NoSuchLesson)?;
        match role {
            Some(role) => Ok((Desk { tx, course, role }, found)),
            None => Err(stranger(&course, found.status, Refusal::NoSuchLesson).into()),
        }
    }
}

/// What somebody is told who wants to change a part and is not of the staff: as much as she may know.
fn stranger(course: &Held, part: PartStatus, unknown: Refusal) -> Refusal {
    if course.status != CourseStatus::Draft && part == PartStatus::Published { Refusal::NotStaff } else { unknown }
}

/// Claims a key, if there is one; what came of it the first time, if this is not that.
async fn claim(tx: &mut Tx, key: Option<&Key>, clock: &Clock) -> Done<Option<uuid::Uuid>> {
    let Some(key) = key else { return Ok(None) };
    match key.claim(tx, clock.now()).await? {
        Claim::First => Ok(None),
        Claim::Again(result) => Ok(uuid::Uuid::try_parse(&result).ok()),
        Claim::Other => Err(crate::idempotency::KeyRefusal::Reused.into()),
    }
}

async fn keep(tx: &mut Tx, key: Option<&Key>, made: uuid::Uuid) -> Result<(), DbError> {
    match key {
        Some(key) => key.keep(tx, &made.to_string()).await,
        None => Ok(()),
    }
}
