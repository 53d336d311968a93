//! Cohorts, in the graph, and what else of her enrolment goes beside a learner's progress.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{instructor, user_error};
use crate::{
    access::{
        COURSE_COHORTS, Category, ENROLMENT_COHORT, ENROLMENT_HISTORY, InCourse, Permit, Shown, Standing, TokenScope,
        graphql::About, permit, tags,
    },
    courses::graphql::Course,
    db::page::TimeKey,
    enrolling::{
        Refusal,
        model::{self, NewCohort},
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CohortId, CourseId},
    progress::graphql::Enrolment,
};

/// The name of the list for cursors.
const COHORTS: &str = "cohorts";

/// Learners who take a course together.
#[derive(Clone)]
pub(crate) struct Cohort(Arc<model::Cohort>);

impl Cohort {
    /// The cohort, if the viewer may see those of the course, or is in it.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: CohortId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let class = load.viewpoint.to_class(course).await?;
        if permit(&COURSE_COHORTS, &class).is_err() {
            let Some(viewer) = scope.viewer.id() else { return Ok(None) };
            let known = load.viewpoint.known().await?;
            let tenure = load.enrolments.get((viewer, course)).await?.map(|row| row.tenure);
            let standing = load.viewpoint.in_course(known, viewer, course, tenure);
            let Ok(permit) = permit(&ENROLMENT_COHORT, &standing) else { return Ok(None) };
            let attendance = load.attendances.get((viewer, course)).await?;
            if *attendance.cohort_id.open(permit) != Some(id) {
                return Ok(None);
            }
        }
        Ok(load.cohorts.get((course, id)).await?.map(Self))
    }

    /// A page of a course's cohorts, for whoever has asked the policy (see the field's resolver).
    pub(crate) async fn list(
        scope: &Scope,
        course: CourseId,
        paging: &Paging,
        permit: Permit<tags::Class>,
    ) -> Result<Pages<Self>, Fault> {
        let request = paging.request(scope, COHORTS)?;
        let page = scope.load().cohort_pages.get((course, request)).await?;
        let key = |row: &Arc<model::Cohort>| -> TimeKey { (row.created_at.0, row.id.0) };
        connection(scope, COHORTS, page.open(permit), key, |row| Self(Arc::clone(row)))
    }
}

/// Learners who take a course together.
#[Object]
impl Cohort {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Cohort(self.0.course_id, self.0.id).encode()
    }

    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it begins; null where nobody said.
    async fn starts_at(&self) -> Option<DateTime> {
        self.0.starts_at.map(DateTime)
    }

    /// When it ends; null where nobody said. Nobody has to leave the course then.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.ends_at.map(DateTime)
    }

    /// Since when nobody is put into it any more; null while it is open.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(DateTime)
    }

    /// Grows with each change: give it to `updateCohort` and `closeCohort`.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// What happened to somebody's time in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::EnrolmentEventKind")]
pub(crate) enum EnrolmentEventKind {
    /// She took it for the first time.
    Enrolled,
    /// She left it.
    Left,
    /// She came back to what she had.
    CameBack,
    /// She completed it.
    Completed,
}

/// Something that happened to somebody's time in a course.
#[derive(SimpleObject)]
pub(crate) struct EnrolmentEvent {
    /// What.
    kind: EnrolmentEventKind,
    /// When.
    at: DateTime,
}

impl From<&model::EnrolmentEvent> for EnrolmentEvent {
    fn from(event: &model::EnrolmentEvent) -> Self {
        Self { kind: event.kind.into(), at: event.at.into() }
    }
}

/// How a learner takes a course: what goes beside her progress.
pub(crate) struct Attendance {
    pub(crate) key: (AccountId, CourseId),
    pub(crate) standing: Standing<InCourse>,
}

impl Attendance {
    async fn read_cohort(&self, scope: &Scope, permit: Permit<tags::LearningRecord>) -> Result<Option<Cohort>, Fault> {
        let load = scope.load();
        let attendance = load.attendances.get(self.key).await?;
        let Some(id) = *attendance.cohort_id.open(permit) else { return Ok(None) };
        Ok(load.cohorts.get((self.key.1, id)).await?.map(Cohort))
    }

    async fn read_history(
        &self,
        scope: &Scope,
        permit: Permit<tags::LearningRecord>,
    ) -> Result<Vec<EnrolmentEvent>, Fault> {
        let attendance = scope.load().attendances.get(self.key).await?;
        let history = attendance.history.open(permit);
        scope.make_room(history.len())?;
        Ok(history.iter().map(EnrolmentEvent::from).collect())
    }
}

/// How a learner takes a course: what goes beside her progress.
#[Object]
impl Attendance {
    /// The cohort that she takes the course with; null for none.
    #[graphql(directive = About::apply(&ENROLMENT_COHORT))]
    async fn cohort(&self, ctx: &Context<'_>) -> Shown<Option<Cohort>> {
        match permit(&ENROLMENT_COHORT, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_cohort(scope(ctx), permit).await.into(),
        }
    }

    /// When she took the course, left it, came back and completed it, the oldest first. Of who came back more than 50 times, the
    /// last 50.
    #[graphql(directive = About::apply(&ENROLMENT_HISTORY))]
    async fn history(&self, ctx: &Context<'_>) -> Shown<Vec<EnrolmentEvent>> {
        match permit(&ENROLMENT_HISTORY, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_history(scope(ctx), permit).await.into(),
        }
    }
}

/// A cohort to be made.
#[derive(Debug, InputObject)]
pub(crate) struct CreateCohortInput {
    /// The global id of the course.
    course_id: ID,
    /// Its name, 1 to 200 characters.
    name: String,
    /// When it begins.
    starts_at: Option<DateTime>,
    /// When it ends.
    ends_at: Option<DateTime>,
    /// A key of your own making: sent again with it, no second one is made.
    idempotency_key: Option<String>,
}

/// What a cohort is to be.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateCohortInput {
    /// The global id of the cohort.
    cohort_id: ID,
    /// The version that you have read.
    version: i32,
    /// Its name, 1 to 200 characters.
    name: String,
    /// When it begins; left out, nobody said.
    starts_at: Option<DateTime>,
    /// When it ends; left out, nobody said.
    ends_at: Option<DateTime>,
}

/// A cohort to be closed.
#[derive(Debug, InputObject)]
pub(crate) struct CloseCohortInput {
    /// The global id of the cohort.
    cohort_id: ID,
    /// The version that you have read.
    version: i32,
}

/// Who is to be in which cohort.
#[derive(Debug, InputObject)]
pub(crate) struct AssignCohortInput {
    /// The global id of the learner's enrolment.
    enrolment_id: ID,
    /// The global id of the cohort; left out, she is in none.
    cohort_id: Option<ID>,
}

/// What became of `createCohort`, `updateCohort` or `closeCohort`.
#[derive(SimpleObject)]
pub(crate) struct CohortPayload {
    /// The cohort; null if there were errors.
    cohort: Option<Cohort>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `assignCohort`.
#[derive(SimpleObject)]
pub(crate) struct AssignCohortPayload {
    /// The enrolment; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl CohortPayload {
    fn refused(refusal: Refusal) -> Self {
        Self { cohort: None, user_errors: vec![user_error(refusal)] }
    }

    async fn changed(scope: &Scope, course: CourseId, id: CohortId) -> Result<Self, Fault> {
        scope.forget();
        Ok(Self { cohort: Cohort::find(scope, course, id).await?, user_errors: Vec::new() })
    }
}

/// Keeping cohorts.
#[derive(Default)]
pub(crate) struct CohortMutation;

/// Keeping cohorts.
#[async_graphql::Object]
impl CohortMutation {
    /// Makes a cohort in a course that you instruct.
    async fn create_cohort(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cohort.")] input: CreateCohortInput,
    ) -> Result<CohortPayload, Fault> {
        let scope = scope(ctx);
        let course = node::course_id(&input.course_id)?;
        let instructor = match instructor(scope, course).await? {
            Ok(instructor) => instructor,
            Err(refusal) => return Ok(CohortPayload::refused(refusal)),
        };
        let (starts_at, ends_at) = (input.starts_at.map(|at| at.0), input.ends_at.map(|at| at.0));
        let new = NewCohort { name: input.name, starts_at, ends_at };
        let key = input.idempotency_key.as_deref();
        match scope.app.enrolling.create_cohort(instructor, course, new, key).await? {
            Err(refusal) => Ok(CohortPayload::refused(refusal)),
            Ok(id) => CohortPayload::changed(scope, course, id).await,
        }
    }

    /// Gives a cohort of a course that you instruct another name and other dates.
    async fn update_cohort(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: UpdateCohortInput,
    ) -> Result<CohortPayload, Fault> {
        let scope = scope(ctx);
        let (course, id) = node::cohort_id(&input.cohort_id)?;
        if instructor(scope, course).await?.is_err() {
            return Ok(CohortPayload::refused(Refusal::NoSuchCohort));
        }
        let (starts_at, ends_at) = (input.starts_at.map(|at| at.0), input.ends_at.map(|at| at.0));
        let new = NewCohort { name: input.name, starts_at, ends_at };
        match scope.app.enrolling.update_cohort((course, id), input.version.into(), new).await? {
            Err(refusal) => Ok(CohortPayload::refused(refusal)),
            Ok(()) => CohortPayload::changed(scope, course, id).await,
        }
    }

    /// Closes a cohort of a course that you instruct: nobody is put into it any more, and those in it stay.
    async fn close_cohort(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CloseCohortInput,
    ) -> Result<CohortPayload, Fault> {
        let scope = scope(ctx);
        let (course, id) = node::cohort_id(&input.cohort_id)?;
        if instructor(scope, course).await?.is_err() {
            return Ok(CohortPayload::refused(Refusal::NoSuchCohort));
        }
        match scope.app.enrolling.close_cohort((course, id), input.version.into()).await? {
            Err(refusal) => Ok(CohortPayload::refused(refusal)),
            Ok(()) => CohortPayload::changed(scope, course, id).await,
        }
    }

    /// Puts a learner of a course that you teach into a cohort, or into none.
    async fn assign_cohort(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, into which.")] input: AssignCohortInput,
    ) -> Result<AssignCohortPayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Write)?;
        let (learner, course) = node::enrolment_id(&input.enrolment_id)?;
        let refused = |refusal| AssignCohortPayload { enrolment: None, user_errors: vec![user_error(refusal)] };
        let cohort = match input.cohort_id.as_ref().map(node::cohort_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(Refusal::NoSuchCohort)),
            cohort => cohort.map(|(_, cohort)| cohort),
        };
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let tenure = load.enrolments.get((learner, course)).await?.map(|row| row.tenure);
        let standing = load.viewpoint.in_course(known, learner, course, tenure);
        // Whose record is not kept for the staff any more is not there for them.
        if !known.teaches(course) || !standing.looks_at(Category::LearningRecord) {
            return Ok(refused(Refusal::NoSuchLearner));
        }
        if let Err(refusal) = scope.app.enrolling.assign_cohort(learner, course, cohort).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        let enrolment = Enrolment::find(scope, learner, course).await?;
        Ok(AssignCohortPayload { enrolment, user_errors: Vec::new() })
    }
}
