//! How a course takes learners, in the graph, and what else of taking it belongs to a course.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{
    cohorts::Cohort,
    instructor,
    invitations::{Invitation, MyInvitation},
    user_error,
    waiting::PlaceInLine,
};
use crate::{
    access::{self, COURSE_COHORTS, COURSE_INVITATIONS, ENROLMENT_SETTINGS_WAITING, Shown, graphql::About, permit},
    courses::{graphql::Course, model::Course as Row},
    enrolling::model::{self, NewSettings},
    graphql::{
        connection::{Pages, Paging},
        errors::{Fault, UserError},
        node,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::CourseId,
};

/// Who may take a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::EnrolmentMode")]
pub(crate) enum EnrolmentMode {
    /// Everybody.
    Open,
    /// Those who were invited, and those who took it before.
    Invitation,
}

/// How a course takes learners.
pub(crate) struct EnrolmentSettings {
    course: CourseId,
    settings: model::EnrolmentSettings,
}

impl EnrolmentSettings {
    async fn load(scope: &Scope, course: CourseId) -> Result<Self, Fault> {
        Ok(Self { course, settings: scope.load().enrolment_settings.get(course).await? })
    }

    async fn read_waiting(&self, scope: &Scope) -> Shown<i32> {
        match scope.load().viewpoint.to_class(self.course).await {
            Err(error) => Shown::Failed(error.into()),
            Ok(class) => access::show(&ENROLMENT_SETTINGS_WAITING, &class, &self.settings.waiting).map(int),
        }
    }
}

/// How a course takes learners.
#[Object]
impl EnrolmentSettings {
    /// Who may take it.
    async fn mode(&self) -> EnrolmentMode {
        self.settings.mode.into()
    }

    /// How many may take it at a time; null for as many as want.
    async fn seats(&self) -> Option<i32> {
        self.settings.seats.map(int)
    }

    /// How many seats are left; null where there is no limit.
    async fn seats_left(&self) -> Option<i32> {
        self.settings.seats_left().map(int)
    }

    /// From when on it can be taken; null for always.
    async fn opens_at(&self) -> Option<DateTime> {
        self.settings.opens_at.map(DateTime)
    }

    /// Until when it can be taken; null for ever.
    async fn closes_at(&self) -> Option<DateTime> {
        self.settings.closes_at.map(DateTime)
    }

    /// Grows with each change: give it to `updateEnrolmentSettings`.
    async fn version(&self) -> i32 {
        int(self.settings.version)
    }

    /// How many wait for a seat.
    #[graphql(directive = About::apply(&ENROLMENT_SETTINGS_WAITING))]
    async fn waiting(&self, ctx: &Context<'_>) -> Shown<i32> {
        self.read_waiting(scope(ctx)).await
    }
}

/// What of taking it belongs to a course.
pub(crate) struct CourseEnrolling(pub(crate) Arc<Row>);

/// What of taking it belongs to a course.
#[Object]
impl CourseEnrolling {
    /// How it takes learners.
    async fn enrolment(&self, ctx: &Context<'_>) -> Result<EnrolmentSettings, Fault> {
        EnrolmentSettings::load(scope(ctx), self.0.id).await
    }

    /// Your place in the line for it; null if you don't wait for a seat.
    async fn my_place_in_line(&self, ctx: &Context<'_>) -> Option<Result<PlaceInLine, Fault>> {
        let scope = scope(ctx);
        PlaceInLine::find(scope, scope.viewer.id()?, self.0.id).await.transpose()
    }

    /// That you are invited to it; null if you are not, or not any more.
    async fn my_invitation(&self, ctx: &Context<'_>) -> Option<Result<MyInvitation, Fault>> {
        let scope = scope(ctx);
        MyInvitation::find(scope, scope.viewer.id()?, self.0.id).await.transpose()
    }

    /// Its cohorts, the latest first: for those who teach it.
    #[graphql(directive = About::apply(&COURSE_COHORTS))]
    async fn cohorts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Cohort>> {
        let (scope, paging) = (scope(ctx), Paging { first, after, last, before });
        match scope.load().viewpoint.to_class(self.0.id).await {
            Err(error) => Shown::Failed(error.into()),
            Ok(class) => match permit(&COURSE_COHORTS, &class) {
                Err(denied) => Shown::Denied(denied),
                Ok(permit) => Cohort::list(scope, self.0.id, &paging, permit).await.into(),
            },
        }
    }

    /// The invitations to it, the latest first: for those who teach it.
    #[graphql(directive = About::apply(&COURSE_INVITATIONS))]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Invitation>> {
        let (scope, paging) = (scope(ctx), Paging { first, after, last, before });
        match scope.load().viewpoint.to_class(self.0.id).await {
            Err(error) => Shown::Failed(error.into()),
            Ok(class) => match permit(&COURSE_INVITATIONS, &class) {
                Err(denied) => Shown::Denied(denied),
                Ok(permit) => Invitation::list(scope, self.0.id, &paging, permit).await.into(),
            },
        }
    }
}

/// How a course is to take learners.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateEnrolmentSettingsInput {
    /// The global id of the course.
    course_id: ID,
    /// The version that you have read.
    version: i32,
    /// Who may take it.
    mode: EnrolmentMode,
    /// How many may take it at a time, 1 to 1,000,000; left out, as many as want. Whoever takes it keeps her seat.
    seats: Option<i32>,
    /// From when on it can be taken; left out, always.
    opens_at: Option<DateTime>,
    /// Until when it can be taken; left out, for ever.
    closes_at: Option<DateTime>,
}

/// What became of `updateEnrolmentSettings`.
#[derive(SimpleObject)]
pub(crate) struct UpdateEnrolmentSettingsPayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Deciding who may take a course.
#[derive(Default)]
pub(crate) struct SettingsMutation;

/// Deciding who may take a course.
#[async_graphql::Object]
impl SettingsMutation {
    /// Changes how a course that you instruct takes learners, as a whole. Where there are more seats, those who wait move up.
    async fn update_enrolment_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The settings.")] input: UpdateEnrolmentSettingsInput,
    ) -> Result<UpdateEnrolmentSettingsPayload, Fault> {
        let scope = scope(ctx);
        let course = node::course_id(&input.course_id)?;
        let refused = |refusal| UpdateEnrolmentSettingsPayload { course: None, user_errors: vec![user_error(refusal)] };
        if let Err(refusal) = instructor(scope, course).await? {
            return Ok(refused(refusal));
        }
        let new = NewSettings {
            mode: input.mode.into(),
            seats: input.seats.map(i64::from),
            opens_at: input.opens_at.map(|at| at.0),
            closes_at: input.closes_at.map(|at| at.0),
        };
        if let Err(refusal) = scope.app.enrolling.update_settings(course, input.version.into(), new).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        Ok(UpdateEnrolmentSettingsPayload { course: Course::find(scope, course).await?, user_errors: Vec::new() })
    }
}
