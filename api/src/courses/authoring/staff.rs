//! Who teaches a course.
//!
//! Somebody whom an instructor can see by name is added at once, and finds it in her access log. To an address there is only
//! an invitation, whether anybody has it or not: the answer, the rows and the mail that is due are the same, and she who has
//! shown that the address is hers accepts it or lets it be.

use super::{Authoring, Desk, Done, Refusal, checks::MAX_STAFF, settle};
use crate::{
    access::Viewer,
    accounts::looks_like_email,
    audit::model::{Event, EventKind},
    courses::{model::StaffRole, store::links},
    db::DbError,
    ids::{AccountId, CourseId},
    mail::model::Kind,
    time::Timestamp,
};

/// So long an invitation is good, in days.
pub const INVITED_FOR: i64 = 30;
/// So many invitations go to an address in so many seconds.
const INVITATIONS: (i64, i64) = (5, 86_400);

/// What somebody was asked to teach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaffInvitation {
    /// Which course.
    pub course: CourseId,
    /// As what.
    pub role: StaffRole,
    /// When the invitation is over.
    pub until: Timestamp,
}

impl Authoring {
    /// Adds somebody to the staff of a course. Whoever calls this has made sure that the viewer may know of her.
    pub async fn add_staff(
        &self,
        by: &Viewer,
        course: CourseId,
        (person, role): (AccountId, StaffRole),
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.add(by, course, person, role).await)
    }

    async fn add(&self, by: &Viewer, course: CourseId, person: AccountId, role: StaffRole) -> Done<()> {
        let desk = self.desk(id_of(by)?, course).await?.instructor()?;
        if !self.accounts.exists(person).await? {
            return Err(Refusal::NoSuchPerson.into());
        }
        self.join(desk, person, role, by).await
    }

    async fn join(&self, mut desk: Desk, person: AccountId, role: StaffRole, by: &Viewer) -> Done<()> {
        let course = desk.course.id;
        if links::staff(&mut desk.tx, course).await?.len() >= MAX_STAFF {
            return Err(Refusal::TooManyStaff.into());
        }
        if !links::add_staff(&mut desk.tx, course, person, role).await? {
            return Err(Refusal::StaffAlready.into());
        }
        self.note(desk, EventKind::StaffAdded, (person, role), by).await
    }

    /// Asks whoever has an address to join the staff of a course.
    pub async fn invite_staff(
        &self,
        by: &Viewer,
        course: CourseId,
        (email, role): (&str, StaffRole),
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.ask(by, course, email, role).await)
    }

    async fn ask(&self, by: &Viewer, course: CourseId, email: &str, role: StaffRole) -> Done<()> {
        let account = id_of(by)?;
        let Desk { mut tx, .. } = self.desk(account, course).await?.instructor()?;
        if !looks_like_email(email.trim()) {
            return Err(Refusal::Email.into());
        }
        if links::open_invitations(&mut tx, course, self.invited_since()).await? >= MAX_STAFF as i64 {
            return Err(Refusal::TooManyStaff.into());
        }
        let hash = self.accounts.email_hash(email);
        links::invite(&mut tx, &hash, course, (role, account), self.clock.now()).await?;
        if !self.outbox.add_for_address(&mut tx, &hash, Kind::StaffInvitation, INVITATIONS).await? {
            return Err(Refusal::TooManyInvitations.into());
        }
        tx.commit().await?;
        self.outbox.ring();
        Ok(())
    }

    /// What somebody was asked to teach; nothing, as long as she has not shown that her address is hers.
    pub async fn invitations(&self, account: AccountId) -> Result<Vec<StaffInvitation>, DbError> {
        let Some(hash) = links::verified_address(&self.db, account).await? else { return Ok(Vec::new()) };
        let found = links::invitations_of(&self.db, &hash, self.invited_since()).await?;
        let until = |at: Timestamp| Timestamp(at.0 + INVITED_FOR * 86_400_000_000);
        Ok(found.into_iter().map(|(course, role, at)| StaffInvitation { course, role, until: until(at) }).collect())
    }

    fn invited_since(&self) -> Timestamp {
        Timestamp(self.clock.now().0 - INVITED_FOR * 86_400_000_000)
    }

    /// Joins the staff of a course that somebody was invited to teach.
    pub async fn accept_invitation(&self, by: &Viewer, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        settle(self.accept(by, course).await)
    }

    async fn accept(&self, by: &Viewer, course: CourseId) -> Done<()> {
        let account = id_of(by)?;
        let hash = links::verified_address(&self.db, account).await?.ok_or(Refusal::EmailNotVerified)?;
        let (mut tx, held, _) = self.open(self.db.begin().await?, account, course).await?;
        let course = held.ok_or(Refusal::NotInvited)?;
        let taken = links::take_invitation(&mut tx, &hash, course.id, self.invited_since()).await?;
        let (role, inviter) = taken.ok_or(Refusal::NotInvited)?;
        let staff = links::staff(&mut tx, course.id).await?;
        // What somebody promised who is no longer an instructor does not count.
        if !staff.contains(&(inviter, StaffRole::Instructor)) {
            return Err(Refusal::NotInvited.into());
        }
        self.join(Desk { tx, course, role }, account, role, by).await
    }

    /// Takes somebody from the staff of a course: an instructor does, or she herself. There is always an instructor.
    pub async fn remove_staff(
        &self,
        by: &Viewer,
        course: CourseId,
        person: AccountId,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.remove(by, course, person).await)
    }

    async fn remove(&self, by: &Viewer, course: CourseId, person: AccountId) -> Done<()> {
        let mut desk = self.desk(id_of(by)?, course).await?;
        if !by.is(person) {
            desk = desk.instructor()?;
        }
        let role = self.role_of(&mut desk, person, None).await?;
        links::remove_staff(&mut desk.tx, course, person).await?;
        self.note(desk, EventKind::StaffRemoved, (person, role), by).await
    }

    /// Changes what somebody is in a course. There is always an instructor.
    pub async fn change_staff_role(
        &self,
        by: &Viewer,
        course: CourseId,
        (person, role): (AccountId, StaffRole),
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.change_role(by, course, person, role).await)
    }

    async fn change_role(&self, by: &Viewer, course: CourseId, person: AccountId, role: StaffRole) -> Done<()> {
        let mut desk = self.desk(id_of(by)?, course).await?.instructor()?;
        if self.role_of(&mut desk, person, Some(role)).await? == role {
            return Ok(());
        }
        links::set_staff_role(&mut desk.tx, course, person, role).await?;
        self.note(desk, EventKind::StaffRoleChanged, (person, role), by).await
    }

    /// What somebody is in the course, if an instructor is left when she becomes something else, or nothing.
    async fn role_of(&self, desk: &mut Desk, person: AccountId, next: Option<StaffRole>) -> Done<StaffRole> {
        let staff = links::staff(&mut desk.tx, desk.course.id).await?;
        let found = staff.iter().find(|(account, _)| *account == person).ok_or(Refusal::NoSuchPerson)?;
        let is_left = |(account, role): &(AccountId, StaffRole)| *account != person && *role == StaffRole::Instructor;
        if next != Some(StaffRole::Instructor) && !staff.iter().any(is_left) {
            return Err(Refusal::LastInstructor.into());
        }
        Ok(found.1)
    }

    /// Tells her, notes it in her access log, and makes it last.
    async fn note(
        &self,
        mut desk: Desk,
        kind: EventKind,
        (person, role): (AccountId, StaffRole),
        by: &Viewer,
    ) -> Done<()> {
        if !by.is(person) {
            self.outbox.add(&mut desk.tx, person, Kind::RoleChanged, role.as_str()).await?;
        }
        let event = Event::new(kind, person, by).in_course(desk.course.id).with(role.as_str());
        self.audit.append(&mut desk.tx, &[event]).await?;
        desk.tx.commit().await?;
        self.outbox.ring();
        Ok(())
    }
}

fn id_of(by: &Viewer) -> Done<AccountId> {
    Ok(by.id().ok_or(Refusal::NotStaff)?)
}
