//! Writing courses.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, SimpleObject};

use super::{author, ids, key, settled, user_error};
use crate::{
    accounts::model::SystemRole,
    courses::{
        authoring::Refusal,
        graphql::{Course, Level},
        model,
    },
    graphql::{
        errors::{Fault, UserError},
        node::{course_id, module_id},
        scope::{Scope, scope},
    },
    ids::CourseId,
};

/// A course that is begun.
#[derive(Debug, InputObject)]
pub(crate) struct CreateCourseInput {
    /// The title, 1 to 300 characters.
    title: String,
    /// A readable name for addresses, unique: small letters, digits and single hyphens. One from the title if left out.
    slug: Option<String>,
    /// What it is about, in a few sentences, at most 5,000 characters. It is needed to publish the course.
    #[graphql(default)]
    summary: String,
    /// Its language, as a BCP 47 tag.
    language: String,
    /// How much it expects.
    level: Option<Level>,
    /// What it is about, by name, the most important first, at most 10. A topic that is not there is made.
    #[graphql(default)]
    topics: Vec<String>,
    /// A key of your own making, to send this again without beginning a second course.
    idempotency_key: Option<String>,
}

/// What is to change of a course; what is left out stays as it is.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateCourseInput {
    /// The global id of the course.
    course_id: ID,
    /// The version of the course that you read.
    version: i32,
    /// The title, 1 to 300 characters.
    title: Option<String>,
    /// The name for addresses. Addresses with the old one lead nowhere then.
    slug: Option<String>,
    /// What it is about.
    summary: Option<String>,
    /// Its language, as a BCP 47 tag.
    language: Option<String>,
    /// How much it expects; null takes it out.
    level: MaybeUndefined<Level>,
    /// What it is about, by name: all of it.
    topics: Option<Vec<String>>,
}

/// A course in a version.
#[derive(Debug, InputObject)]
pub(crate) struct CourseVersionInput {
    /// The global id of the course.
    course_id: ID,
    /// The version of the course that you read.
    version: i32,
}

/// The courses that come before a course.
#[derive(Debug, InputObject)]
pub(crate) struct SetCoursePrerequisitesInput {
    /// The global id of the course.
    course_id: ID,
    /// The version of the course that you read.
    version: i32,
    /// The global ids of the courses that come before it, all of them, at most 20.
    prerequisites: Vec<ID>,
}

/// The order of a course's modules.
#[derive(Debug, InputObject)]
pub(crate) struct ReorderModulesInput {
    /// The global id of the course.
    course_id: ID,
    /// The version of the course that you read.
    version: i32,
    /// The global ids of its modules in the order that you want: each once, drafts too.
    order: Vec<ID>,
}

/// What became of a change of a course.
#[derive(SimpleObject)]
pub(crate) struct CoursePayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl CoursePayload {
    pub(super) async fn of(scope: &Scope, outcome: Result<CourseId, Refusal>) -> Result<Self, Fault> {
        Ok(match settled(scope, outcome) {
            Ok(course) => Self { course: Course::find(scope, course).await?, user_errors: Vec::new() },
            Err(user_errors) => Self { course: None, user_errors },
        })
    }
}

/// Writing courses.
#[derive(Default)]
pub(crate) struct CourseMutation;

/// Writing courses.
#[async_graphql::Object(name = "CourseAuthoringMutation")]
impl CourseMutation {
    /// Begins a course, as a draft with you as its instructor: for administrators, and for instructors of a published course.
    async fn create_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: CreateCourseInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let by = author(scope).await?;
        let is_administrator = scope.load().viewpoint.known().await?.has_role(SystemRole::Administrator);
        let key = match key(by, input.idempotency_key.as_deref(), "createCourse", &input) {
            Ok(key) => key,
            Err(refusal) => return Ok(CoursePayload { course: None, user_errors: vec![user_error(&refusal)] }),
        };
        let new = model::NewCourse {
            title: input.title,
            slug: input.slug,
            summary: input.summary,
            language: input.language,
            level: input.level.map(Into::into),
            topics: input.topics,
        };
        let outcome = scope.app.authoring.create_course(by, is_administrator, new, key.as_ref()).await?;
        CoursePayload::of(scope, outcome).await
    }

    /// Changes what is said of a course: for its staff. Learners see it at once.
    async fn update_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateCourseInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let change = model::CourseChange {
            title: input.title,
            slug: input.slug,
            summary: input.summary,
            language: input.language,
            level: input.level.map_value(Into::into).into(),
            topics: input.topics,
        };
        let outcome = scope.app.authoring.update_course(by, (course, input.version.into()), change).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Puts a draft into the catalogue: for its instructors. It needs a summary and a published lesson.
    async fn publish_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: CourseVersionInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let outcome = scope.app.authoring.publish_course(by, course, input.version.into()).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Takes a course out of the catalogue, and keeps it for those who took it: for its instructors.
    async fn archive_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: CourseVersionInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let outcome = scope.app.authoring.archive_course(by, course, input.version.into()).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Puts an archived course into the catalogue again: for its instructors.
    async fn restore_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course.")] input: CourseVersionInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let outcome = scope.app.authoring.restore_course(by, course, input.version.into()).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Says which courses come before a course: for its staff. None may come before itself, also by way of others.
    async fn set_course_prerequisites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The courses.")] input: SetCoursePrerequisitesInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let required = ids(&input.prerequisites, course_id)?;
        let at = (course, input.version.into());
        let outcome = scope.app.authoring.set_course_prerequisites(by, at, &required).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Puts the modules of a course into an order: for its staff.
    async fn reorder_modules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: ReorderModulesInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let order = ids(&input.order, module_id)?;
        let outcome = scope.app.authoring.reorder_modules(by, (course, input.version.into()), &order).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }
}
