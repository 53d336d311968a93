//! Taking courses, in the graph.

pub(crate) mod cohorts;
pub(crate) mod invitations;
pub(crate) mod settings;
pub(crate) mod waiting;

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{
    Refusal,
    model::{EnrollRequest, Entry},
};
use crate::{
    access::TokenScope,
    courses::graphql::Course,
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node,
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId},
    progress::graphql::Enrolment,
};
use waiting::PlaceInLine;

/// A course to be taken.
#[derive(Debug, InputObject)]
pub(crate) struct EnrollInput {
    /// The global id of the course.
    course_id: ID,
    /// The code of an invitation, as you were given it. A course that is for invited people needs one; in others it puts you
    /// into the cohort that the invitation names.
    invitation_code: Option<String>,
    /// Whether you want to wait where all seats are taken.
    #[graphql(default = true)]
    wait: bool,
}

/// What became of `enroll`.
#[derive(SimpleObject)]
pub(crate) struct EnrollPayload {
    /// The enrolment; null if there were errors, or no seat.
    enrolment: Option<Enrolment>,
    /// Your place in the line, where all seats are taken; null if you take the course.
    place_in_line: Option<PlaceInLine>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `leaveCourse`.
#[derive(SimpleObject)]
pub(crate) struct LeaveCoursePayload {
    /// The enrolment that was ended; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Whether somebody may change how a course takes learners: its instructors may.
async fn instructor(scope: &Scope, course: CourseId) -> Result<Result<AccountId, Refusal>, Fault> {
    let account = scope.account_for(TokenScope::Write)?;
    if Course::find(scope, course).await?.is_none() {
        return Ok(Err(Refusal::NoSuchCourse));
    }
    let load = scope.load();
    let known = load.viewpoint.known().await?;
    Ok(if known.moderates(course) { Ok(account) } else { Err(Refusal::NotInstructor) })
}

/// What a refusal says, under `input`.
fn user_error(refusal: Refusal) -> UserError {
    use UserErrorCode as Code;
    let (code, field) = match refusal {
        Refusal::NoSuchCourse | Refusal::NotWaiting => (Code::NotFound, "courseId"),
        Refusal::CourseClosed | Refusal::NotOpenYet(_) | Refusal::Over(_) => (Code::CourseClosed, "courseId"),
        Refusal::NotInCourse => (Code::NotEnrolled, "courseId"),
        Refusal::Full | Refusal::LineFull => (Code::CourseFull, "courseId"),
        Refusal::InvitationNeeded => (Code::InvitationNeeded, "invitationCode"),
        Refusal::NoSuchCode => (Code::NotFound, "invitationCode"),
        Refusal::InvitationSpent => (Code::InvitationSpent, "invitationCode"),
        Refusal::InvitationOver(_) => (Code::InvitationExpired, "invitationCode"),
        Refusal::InvitationRevoked => (Code::InvitationRevoked, "invitationCode"),
        Refusal::NotInstructor => (Code::NotAllowed, "courseId"),
        Refusal::Stale => (Code::StaleVersion, "version"),
        Refusal::Seats(_) => (Code::OutOfRange, "seats"),
        Refusal::Period => (Code::OutOfRange, "closesAt"),
        Refusal::NoSuchPerson => (Code::NotFound, "personId"),
        Refusal::TakesIt | Refusal::IsInvited => (Code::Conflict, "personId"),
        Refusal::NoSuchInvitation => (Code::NotFound, "invitationId"),
        Refusal::Uses(_) => (Code::OutOfRange, "uses"),
        Refusal::Days(_) => (Code::OutOfRange, "days"),
        Refusal::Label(_) => (Code::Length, "label"),
        Refusal::Name(_) => (Code::Length, "name"),
        Refusal::NoSuchCohort => (Code::NotFound, "cohortId"),
        Refusal::CohortClosed => (Code::CohortClosed, "cohortId"),
        Refusal::NoSuchLearner => (Code::NotFound, "enrolmentId"),
        Refusal::Key(crate::idempotency::KeyRefusal::Length(_)) => (Code::Length, "idempotencyKey"),
        Refusal::Key(crate::idempotency::KeyRefusal::Reused) => (Code::IdempotencyKeyReused, "idempotencyKey"),
    };
    UserError::new(code, &["input", field], &refusal)
}

/// The same where there is no input, but arguments.
fn outside_input(mut error: UserError) -> UserError {
    error.path.remove(0);
    error
}

/// Taking courses.
#[derive(Default)]
pub(crate) struct EnrollingMutation;

/// Taking courses.
#[async_graphql::Object]
impl EnrollingMutation {
    /// Takes a course; one that you left goes on where you were. Where all seats are taken you wait for one, and have it as soon
    /// as it is your turn. Doing it again changes nothing.
    async fn enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course. Either this or `input` is needed.")] course_id: Option<ID>,
        #[graphql(desc = "The course, and with what you come.")] input: Option<EnrollInput>,
    ) -> Result<EnrollPayload, Fault> {
        let scope = scope(ctx);
        let learner = scope.account_for(TokenScope::Write)?;
        let has_input = input.is_some();
        let (course, request) = match (course_id, input) {
            (Some(id), None) => (id, EnrollRequest::default()),
            (None, Some(input)) => (input.course_id, EnrollRequest { code: input.invitation_code, wait: input.wait }),
            _ => return Err(Fault::bad_input("give either `courseId` or `input`")),
        };
        let course = node::course_id(&course)?;
        let entry = match scope.app.enrolling.enroll_with(learner, course, &request).await? {
            Ok(entry) => entry,
            Err(refusal) => {
                let error = user_error(refusal);
                let error = if has_input { error } else { outside_input(error) };
                return Ok(EnrollPayload { enrolment: None, place_in_line: None, user_errors: vec![error] });
            }
        };
        scope.forget();
        let (enrolment, place_in_line) = match entry {
            Entry::Enrolled => (Enrolment::find(scope, learner, course).await?, None),
            Entry::Waiting => (None, PlaceInLine::find(scope, learner, course).await?),
        };
        Ok(EnrollPayload { enrolment, place_in_line, user_errors: Vec::new() })
    }

    /// Leaves a course. What you did there stays yours, and `enroll` brings you back to it, if there is a seat. The course's
    /// staff keep what grading needs for a time, and nothing else.
    async fn leave_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<LeaveCoursePayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        if let Err(refusal) = scope.app.enrolling.leave(learner, course).await? {
            let error = outside_input(user_error(refusal));
            return Ok(LeaveCoursePayload { enrolment: None, user_errors: vec![error] });
        }
        scope.forget();
        Ok(LeaveCoursePayload { enrolment: Enrolment::find(scope, learner, course).await?, user_errors: Vec::new() })
    }
}
