//! Taking a course, waiting for it, leaving it.

use super::{
    Enrolling, MAX_WAITING, MOVE_UP, Refusal, Seat,
    model::{EnrollRequest, EnrolmentMode, Entry, Invitation, WaitingPlace},
    store::{self, Gate, waiting::Waiter},
    takes_learners,
};
use crate::{
    access::{Personal, tags},
    courses::{model::Course, store as catalogue},
    db::{
        DbError, Tx,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId},
    live::{self, model::Event},
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
    recommendations,
    time::Timestamp,
};

impl Enrolling {
    /// Enrols a learner without an invitation; see [`Enrolling::enroll_with`].
    pub async fn enroll(&self, learner: AccountId, course: CourseId) -> Result<Result<Entry, Refusal>, DbError> {
        self.enroll_with(learner, course, &EnrollRequest::default()).await
    }

    /// Enrols a learner; one who left comes back to what she had. Where there is no seat she waits for one. Doing it again
    /// changes nothing.
    pub async fn enroll_with(
        &self,
        learner: AccountId,
        course: CourseId,
        request: &EnrollRequest,
    ) -> Result<Result<Entry, Refusal>, DbError> {
        let Some(course) = self.course(course).await? else { return Ok(Err(Refusal::NoSuchCourse)) };
        if !takes_learners(&course) {
            return Ok(Err(Refusal::CourseClosed));
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(mut gate) = store::hold(&mut tx, course.id).await? else { return Ok(Err(Refusal::NoSuchCourse)) };
        let before = store::left_at(&mut tx, learner, course.id).await?;
        if before == Some(None) {
            return Ok(Ok(Entry::Enrolled));
        }
        if store::waiting::is_waiting(&mut tx, learner, course.id).await? {
            return Ok(Ok(Entry::Waiting));
        }
        if let Err(refusal) = in_time(&gate, now) {
            return Ok(Err(refusal));
        }
        let invitation = match self.invitation(&mut tx, (course.id, learner), request, now).await? {
            Ok(invitation) => invitation,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // Who was let in once may come back: what she did there is hers.
        if gate.mode() == EnrolmentMode::Invitation && invitation.is_none() && before.is_none() {
            return Ok(Err(Refusal::InvitationNeeded));
        }
        let has_seat = gate.waiting == 0 && gate.seats.is_none_or(|seats| gate.taken < seats);
        if !has_seat && !request.wait {
            return Ok(Err(Refusal::Full));
        }
        if !has_seat && gate.waiting >= MAX_WAITING {
            return Ok(Err(Refusal::LineFull));
        }
        if let Some(invitation) = &invitation
            && !store::invitations::take(&mut tx, course.id, invitation.id).await?
        {
            return Ok(Err(Refusal::InvitationSpent));
        }
        let cohort = invitation.as_ref().and_then(|invitation| invitation.cohort_id);
        let (entry, new) = if has_seat {
            let is_new = self.admit(&mut tx, &mut gate, Seat { learner, cohort }, now).await?;
            (Entry::Enrolled, if is_new { vec![learner] } else { Vec::new() })
        } else {
            let waiter = Waiter { learner, cohort, invitation: invitation.map(|found| found.id) };
            store::waiting::insert(&mut tx, course.id, waiter, (gate.next_ticket, now)).await?;
            gate.next_ticket += 1;
            gate.waiting += 1;
            // There may be seats for all who wait, if she comes while many move up.
            let moved = self.move_up(&mut tx, &mut gate, Some(learner), now).await?;
            let entry = if moved.seats.contains(&learner) { Entry::Enrolled } else { Entry::Waiting };
            (entry, moved.new)
        };
        store::count(&mut tx, &gate).await?;
        tx.commit().await?;
        self.tell_feed(&new, course.id, now);
        Ok(Ok(entry))
    }

    /// Leaves a course. What was achieved there stays hers, and enrolling again goes on from it. The seat goes to who has waited
    /// the longest.
    pub async fn leave(&self, learner: AccountId, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        let Some(course) = catalogue::by_ids(&self.db, &[course]).await?.pop() else {
            return Ok(Err(Refusal::NotInCourse));
        };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(mut gate) = store::hold(&mut tx, course.id).await? else { return Ok(Err(Refusal::NotInCourse)) };
        if !store::leave(&mut tx, learner, course.id, now).await? {
            return Ok(Err(Refusal::NotInCourse));
        }
        gate.taken = (gate.taken - 1).max(0);
        live::announce(&mut tx, &Event::RecommendationsChanged { learner });
        let moved =
            if takes_learners(&course) { self.move_up(&mut tx, &mut gate, None, now).await? } else { Moved::default() };
        store::count(&mut tx, &gate).await?;
        tx.commit().await?;
        self.tell_feed(&moved.new, course.id, now);
        Ok(Ok(()))
    }

    /// Waits no longer. A use of the invitation that she came by is given back.
    pub async fn leave_line(&self, learner: AccountId, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let Some(mut gate) = store::hold(&mut tx, course).await? else { return Ok(Err(Refusal::NotWaiting)) };
        let Some(waiter) = store::waiting::delete(&mut tx, learner, course).await? else {
            return Ok(Err(Refusal::NotWaiting));
        };
        if let Some(invitation) = waiter.invitation {
            store::invitations::give_back(&mut tx, course, invitation).await?;
        }
        gate.waiting = (gate.waiting - 1).max(0);
        store::count(&mut tx, &gate).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// A page of what a learner waits for, the latest first.
    pub(crate) async fn places(
        &self,
        learner: AccountId,
        request: &PageRequest<TimeKey>,
    ) -> Result<Personal<tags::LearningHistory, Page<WaitingPlace>>, DbError> {
        Ok(Page::from_rows(store::waiting::pages(&self.db, &[learner], request).await?, request).into())
    }

    /// Lets the next of those who wait move up; whether there may be more of them.
    pub(super) async fn move_up_more(&self, course: &Course) -> Result<bool, DbError> {
        if !takes_learners(course) {
            return Ok(false);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(mut gate) = store::hold(&mut tx, course.id).await? else { return Ok(false) };
        let moved = self.move_up(&mut tx, &mut gate, None, now).await?;
        if moved.seats.is_empty() {
            return Ok(false);
        }
        store::count(&mut tx, &gate).await?;
        tx.commit().await?;
        self.tell_feed(&moved.new, course.id, now);
        Ok(moved.seats.len() == MOVE_UP)
    }

    /// Gives the seats that are free to those who wait, in order. They are notified, but for who came just now (`doer`).
    async fn move_up(
        &self,
        tx: &mut Tx,
        gate: &mut Gate,
        doer: Option<AccountId>,
        now: Timestamp,
    ) -> Result<Moved, DbError> {
        let mut moved = Moved::default();
        while moved.seats.len() < MOVE_UP
            && gate.waiting > 0
            && gate.seats.is_none_or(|seats| gate.taken < seats)
            && in_time(gate, now).is_ok()
        {
            let Some(waiter) = store::waiting::first(tx, gate.course_id).await? else {
                // Somebody's account is gone, and with it her place.
                gate.waiting = 0;
                break;
            };
            let learner = waiter.learner;
            store::waiting::delete(tx, learner, gate.course_id).await?;
            gate.waiting -= 1;
            if self.admit(tx, gate, Seat { learner, cohort: waiter.cohort }, now).await? {
                moved.new.push(learner);
            }
            moved.seats.push(learner);
            if doer != Some(learner) {
                let (kind, course) = (NotificationKind::SeatOffered, Some(gate.course_id));
                let notification = NewNotification { person: learner, kind, course, subject: None };
                notifications::notify(tx, &self.clock, &[notification]).await?;
            }
        }
        Ok(moved)
    }

    /// Gives somebody a seat. Whether she never had one before.
    async fn admit(&self, tx: &mut Tx, gate: &mut Gate, seat: Seat, now: Timestamp) -> Result<bool, DbError> {
        let (learner, course) = (seat.learner, gate.course_id);
        let is_new = store::enrol(tx, (learner, course), seat.cohort, now).await?;
        if is_new {
            recommendations::enrolled(tx, learner, course, now).await?;
        } else if let Some(Some(left_at)) = store::left_at(tx, learner, course).await? {
            store::rejoin(tx, (learner, course), seat.cohort, (self.clock.id(), left_at, now)).await?;
        } else {
            return Ok(false);
        }
        gate.taken += 1;
        live::announce(tx, &Event::RecommendationsChanged { learner });
        Ok(is_new)
    }

    /// The invitation by which she comes: that of the code, or one that is hers.
    async fn invitation(
        &self,
        tx: &mut Tx,
        (course, learner): (CourseId, AccountId),
        request: &EnrollRequest,
        now: Timestamp,
    ) -> Result<Result<Option<Invitation>, Refusal>, DbError> {
        let invitation = match &request.code {
            None => store::invitations::of_person(tx, (course, learner), now).await?,
            Some(code) => match store::invitations::by_code(tx, course, &self.code_hash(course, code)).await? {
                None => return Ok(Err(Refusal::NoSuchCode)),
                Some(found) if found.revoked_at.is_some() => return Ok(Err(Refusal::InvitationRevoked)),
                Some(found) if found.expires_at <= now => return Ok(Err(Refusal::InvitationOver(found.expires_at))),
                Some(found) if found.used >= found.max_uses => return Ok(Err(Refusal::InvitationSpent)),
                found => found,
            },
        };
        if let Some(cohort) = invitation.as_ref().and_then(|invitation| invitation.cohort_id)
            && store::cohorts::is_open(tx, (course, cohort)).await? != Some(true)
        {
            return Ok(Err(Refusal::CohortClosed));
        }
        Ok(Ok(invitation))
    }

    fn tell_feed(&self, learners: &[AccountId], course: CourseId, now: Timestamp) {
        for learner in learners {
            self.feed.enrolled(*learner, course, now);
        }
    }
}

/// Who moved up.
#[derive(Debug, Default)]
struct Moved {
    seats: Vec<AccountId>,
    /// Of them, those who never had a seat before.
    new: Vec<AccountId>,
}

fn in_time(gate: &Gate, now: Timestamp) -> Result<(), Refusal> {
    if let Some(opens_at) = gate.opens_at.filter(|at| now < *at) {
        return Err(Refusal::NotOpenYet(opens_at));
    }
    match gate.closes_at.filter(|at| *at <= now) {
        Some(closes_at) => Err(Refusal::Over(closes_at)),
        None => Ok(()),
    }
}
