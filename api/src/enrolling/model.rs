//! Who may take a course, who waits for it, and with whom she takes it.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, CohortId, CourseId, InvitationId},
    time::Timestamp,
};

stored_enum! {
    /// Who may take a course.
    pub enum EnrolmentMode {
        /// Everybody.
        Open = "OPEN",
        /// Those who were invited, and those who took it before.
        Invitation = "INVITATION",
    }
}

/// How a course takes learners.
#[derive(Clone, Debug)]
pub struct EnrolmentSettings {
    /// Who may take it.
    pub mode: EnrolmentMode,
    /// How many may take it at a time; `None` for as many as want.
    pub seats: Option<i64>,
    /// From when on it can be taken; `None` for always.
    pub opens_at: Option<Timestamp>,
    /// Until when it can be taken; `None` for ever.
    pub closes_at: Option<Timestamp>,
    /// Grows with each change: whoever changes them gives the one that she read.
    pub version: i64,
    /// How many seats are taken: by those who have not left.
    pub taken: i64,
    /// How many wait for a seat.
    pub waiting: Personal<tags::Class, i64>,
}

impl Default for EnrolmentSettings {
    /// Those of a course of which nobody has said anything, and which nobody takes.
    fn default() -> Self {
        Self {
            mode: EnrolmentMode::Open,
            seats: None,
            opens_at: None,
            closes_at: None,
            version: 1,
            taken: 0,
            waiting: 0.into(),
        }
    }
}

impl EnrolmentSettings {
    /// How many seats are left; `None` where there is no limit.
    pub fn seats_left(&self) -> Option<i64> {
        self.seats.map(|seats| (seats - self.taken).max(0))
    }
}

/// How a course is to take learners.
#[derive(Clone, Copy, Debug)]
pub struct NewSettings {
    /// Who may take it.
    pub mode: EnrolmentMode,
    /// How many may take it at a time.
    pub seats: Option<i64>,
    /// From when on.
    pub opens_at: Option<Timestamp>,
    /// Until when.
    pub closes_at: Option<Timestamp>,
}

/// With what somebody comes to take a course.
#[derive(Clone, Debug)]
pub struct EnrollRequest {
    /// The code of an invitation.
    pub code: Option<String>,
    /// Whether she wants to wait where there is no seat.
    pub wait: bool,
}

impl Default for EnrollRequest {
    fn default() -> Self {
        Self { code: None, wait: true }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// She takes the course.
    Enrolled,
    /// She waits for a seat.
    Waiting,
}

/// A place in the line for a course.
#[derive(Clone, Copy, Debug)]
pub struct WaitingPlace {
    /// Who waits.
    pub learner_id: AccountId,
    /// For which course.
    pub course_id: CourseId,
    /// Her place, from 1.
    pub place: i64,
    /// Since when.
    pub since: Timestamp,
}

/// Learners who take a course together.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// The cohort's id, together with the course's.
    pub id: CohortId,
    /// The course.
    pub course_id: CourseId,
    /// Its name.
    pub name: String,
    /// When it begins; `None` where nobody said.
    pub starts_at: Option<Timestamp>,
    /// When it ends; `None` where nobody said.
    pub ends_at: Option<Timestamp>,
    /// Since when nobody is put into it any more; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a cohort is to be.
#[derive(Clone, Debug)]
pub struct NewCohort {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
}

/// An invitation to a course. Of its code only a hash is kept.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The invitation's id, together with the course's.
    pub id: InvitationId,
    /// The course.
    pub course_id: CourseId,
    /// Whom it is for; `None` for whoever has the code.
    pub person_id: Option<AccountId>,
    /// What it is for, to know it again.
    pub label: String,
    /// The cohort of those who come by it.
    pub cohort_id: Option<CohortId>,
    /// How many may come by it.
    pub max_uses: i64,
    /// How many have.
    pub used: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Invitation {
    /// Whether somebody can come by it now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.used < self.max_uses && now < self.expires_at
    }
}

/// What is needed to invite.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Whom; `None` for whoever has the code.
    pub person: Option<AccountId>,
    /// What it is for.
    pub label: String,
    /// The cohort of those who come by it.
    pub cohort: Option<CohortId>,
    /// How many may come by it.
    pub uses: i64,
    /// For how long, in days.
    pub days: i64,
}

/// The code of an invitation, as it is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationCode(pub(super) String);

impl InvitationCode {
    /// The text to give to those who are invited.
    pub fn secret_text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<invitation code>")
    }
}

stored_enum! {
    /// What happened to somebody's time in a course.
    pub enum EnrolmentEventKind {
        /// She took it for the first time.
        Enrolled = "ENROLLED",
        /// She left it.
        Left = "LEFT",
        /// She came back.
        CameBack = "CAME_BACK",
        /// She completed it.
        Completed = "COMPLETED",
    }
}

/// Something that happened to somebody's time in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolmentEvent {
    /// What.
    pub kind: EnrolmentEventKind,
    /// When.
    pub at: Timestamp,
}

/// Of somebody's time in a course, what the graph shows beside her progress.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// Her cohort.
    pub cohort_id: Personal<tags::LearningRecord, Option<CohortId>>,
    /// What happened, the oldest first: with the latest [`MAX_BREAKS`] breaks.
    pub history: Personal<tags::LearningRecord, Vec<EnrolmentEvent>>,
}

/// So many breaks of one enrolment are shown, each of which is two events.
pub const MAX_BREAKS: i64 = 50;

/// What happened, in order, from what is kept.
pub(super) fn history(
    enrolled_at: Timestamp,
    left_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    breaks: &[(Timestamp, Timestamp)],
) -> Vec<EnrolmentEvent> {
    use EnrolmentEventKind as Kind;
    let mut events = vec![EnrolmentEvent { kind: Kind::Enrolled, at: enrolled_at }];
    for (left, back) in breaks {
        events.push(EnrolmentEvent { kind: Kind::Left, at: *left });
        events.push(EnrolmentEvent { kind: Kind::CameBack, at: *back });
    }
    events.extend(left_at.map(|at| EnrolmentEvent { kind: Kind::Left, at }));
    if let Some(at) = completed_at {
        let place = events.iter().position(|event| event.at > at).unwrap_or_else(|| {
            // Who leaves in the instant in which she completes leaves afterwards.
            let leaves_then = events.last().is_some_and(|last| last.kind == Kind::Left && last.at == at);
            events.len() - usize::from(leaves_then)
        });
        events.insert(place, EnrolmentEvent { kind: Kind::Completed, at });
    }
    events
}

#[cfg(test)]
mod tests {
    use super::{EnrolmentEventKind as Kind, *};

    #[test]
    fn what_happened_is_told_in_order() {
        let at = Timestamp;
        let kinds = |events: Vec<EnrolmentEvent>| events.iter().map(|event| event.kind).collect::<Vec<_>>();
        assert_eq!(kinds(history(at(1), None, None, &[])), [Kind::Enrolled]);
        assert_eq!(
            kinds(history(at(1), Some(at(9)), Some(at(4)), &[(at(2), at(3)), (at(5), at(6))])),
            [Kind::Enrolled, Kind::Left, Kind::CameBack, Kind::Completed, Kind::Left, Kind::CameBack, Kind::Left]
        );
        assert_eq!(kinds(history(at(1), Some(at(9)), Some(at(9)), &[])), [Kind::Enrolled, Kind::Completed, Kind::Left]);
    }
}
