//! Waiting for a seat, in the graph.

use async_graphql::{Context, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::user_error;
use crate::{
    access::{self, Anywhere, Category, PERSON_WAITING_FOR, Permit, Shown, Standing, TokenScope, graphql::About, tags},
    courses::graphql::Course,
    db::page::TimeKey,
    enrolling::model::WaitingPlace,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId},
};

/// The name of the list for cursors.
const PLACES: &str = "places in lines";

/// A place in the line for a course whose seats are all taken.
#[derive(Clone)]
pub(crate) struct PlaceInLine(WaitingPlace);

impl PlaceInLine {
    /// Somebody's place in a course's line, for herself, when she looks with her own eyes.
    pub(crate) async fn find(scope: &Scope, learner: AccountId, course: CourseId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        // No tenure: who waits is not in the course, whatever she was before.
        let standing = load.viewpoint.in_course(known, learner, course, None);
        if !standing.looks_at(Category::LearningRecord) {
            return Ok(None);
        }
        Ok(load.places.get((learner, course)).await?.map(Self))
    }

    async fn list(
        scope: &Scope,
        learner: AccountId,
        paging: &Paging,
        permit: Permit<tags::LearningHistory>,
    ) -> Result<Pages<Self>, Fault> {
        let page = scope.app.enrolling.places(learner, &paging.request(scope, PLACES)?).await?;
        let key = |place: &WaitingPlace| -> TimeKey { (place.since.0, place.course_id.0) };
        connection(scope, PLACES, page.open(permit), key, |place| Self(*place))
    }
}

/// A place in the line for a course whose seats are all taken.
#[Object]
impl PlaceInLine {
    /// The course; null while it is a draft again.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }

    /// The place: 1 for who is next.
    async fn place(&self) -> i32 {
        int(self.0.place)
    }

    /// Since when she waits.
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }
}

/// Somebody who may be waiting.
pub(crate) struct Waiter {
    pub(crate) person: AccountId,
    pub(crate) standing: Standing<Anywhere>,
}

/// Somebody who may be waiting.
#[Object]
impl Waiter {
    /// The courses for which she waits for a seat, the latest first.
    #[graphql(directive = About::apply(&PERSON_WAITING_FOR))]
    async fn waiting_for(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<PlaceInLine>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_WAITING_FOR, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => PlaceInLine::list(scope(ctx), self.person, &paging, permit).await.into(),
        }
    }
}

/// A line to be left.
#[derive(Debug, InputObject)]
pub(crate) struct LeaveWaitingListInput {
    /// The global id of the course.
    course_id: ID,
}

/// What became of `leaveWaitingList`.
#[derive(SimpleObject)]
pub(crate) struct LeaveWaitingListPayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Waiting for a seat.
#[derive(Default)]
pub(crate) struct WaitingMutation;

/// Waiting for a seat.
#[async_graphql::Object]
impl WaitingMutation {
    /// Waits no longer for a seat in a course.
    async fn leave_waiting_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line.")] input: LeaveWaitingListInput,
    ) -> Result<LeaveWaitingListPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&input.course_id)?);
        if let Err(refusal) = scope.app.enrolling.leave_line(learner, course).await? {
            return Ok(LeaveWaitingListPayload { course: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(LeaveWaitingListPayload { course: Course::find(scope, course).await?, user_errors: Vec::new() })
    }
}
