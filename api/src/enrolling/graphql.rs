//! Taking courses, in the graph.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::Refusal;
use crate::{
    access::TokenScope,
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node,
        scope::scope,
    },
    progress::graphql::Enrolment,
};

/// What became of `enroll`.
#[derive(SimpleObject)]
pub(crate) struct EnrollPayload {
    /// The enrolment; null if there were errors.
    enrolment: Option<Enrolment>,
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

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchCourse => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::CourseClosed => (UserErrorCode::CourseClosed, &["courseId"]),
        Refusal::NotInCourse => (UserErrorCode::NotEnrolled, &["courseId"]),
    };
    UserError::new(code, path, &refusal)
}

/// Taking courses.
#[derive(Default)]
pub(crate) struct EnrollingMutation;

/// Taking courses.
#[Object]
impl EnrollingMutation {
    /// Takes a course; one that you left goes on where you were. Doing it again changes nothing.
    async fn enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<EnrollPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        if let Err(refusal) = scope.app.enrolling.enroll(learner, course).await? {
            return Ok(EnrollPayload { enrolment: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(EnrollPayload { enrolment: Enrolment::find(scope, learner, course).await?, user_errors: Vec::new() })
    }

    /// Leaves a course. What you did there stays yours, and `enroll` brings you back to it. The course's staff keep what
    /// grading needs for a time, and nothing else.
    async fn leave_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<LeaveCoursePayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        if let Err(refusal) = scope.app.enrolling.leave(learner, course).await? {
            return Ok(LeaveCoursePayload { enrolment: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(LeaveCoursePayload { enrolment: Enrolment::find(scope, learner, course).await?, user_errors: Vec::new() })
    }
}
