//! Writing lessons.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, SimpleObject};

use super::{author, key, settled, user_error};
use crate::{
    courses::{
        authoring::Refusal,
        graphql::{
            Lesson,
            parts::{LessonCompletion, LessonKind},
        },
        model,
    },
    graphql::{
        errors::{Fault, UserError},
        node::{lesson_id, module_id},
        scope::{Scope, scope},
    },
    ids::LessonId,
    profile::model::Change,
};

/// A lesson that is begun.
#[derive(Debug, InputObject)]
pub(crate) struct CreateLessonInput {
    /// The global id of the module.
    module_id: ID,
    /// The title, 1 to 300 characters.
    title: String,
    /// What it is. It stays so.
    kind: LessonKind,
    /// Its usual length in seconds. A video needs it to be published.
    seconds: Option<i32>,
    /// What there is to read or to do, in Markdown, at most 100,000 characters. A reading and an exercise need it to be published.
    text: Option<String>,
    /// Where the video or the thing elsewhere is, with https. A video and a link need it to be published.
    url: Option<String>,
    /// What is said in the video, in Markdown, at most 100,000 characters.
    transcript: Option<String>,
    /// By what it is completed.
    #[graphql(default_with = "LessonCompletion::View")]
    completion: LessonCompletion,
    /// With completion by `TIME` or `SCORE`: the share that completes it, more than 0 and at most 1; all of it if left out.
    completion_share: Option<f64>,
    /// Whether anybody may read it, to see what the course is like.
    #[graphql(default)]
    is_preview: bool,
    /// A key of your own making, to send this again without beginning a second lesson.
    idempotency_key: Option<String>,
}

/// What is to change of what a lesson is about to say; what is left out stays as it is, and null takes it out.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateLessonInput {
    /// The global id of the lesson.
    lesson_id: ID,
    /// The version of the lesson that you read.
    version: i32,
    /// The title, 1 to 300 characters.
    title: Option<String>,
    /// Its usual length in seconds.
    seconds: MaybeUndefined<i32>,
    /// What there is to read or to do, in Markdown.
    text: MaybeUndefined<String>,
    /// Where the video or the thing elsewhere is, with https.
    url: MaybeUndefined<String>,
    /// What is said in the video, in Markdown.
    transcript: MaybeUndefined<String>,
    /// By what it is completed.
    completion: Option<LessonCompletion>,
    /// The share that completes it, more than 0 and at most 1.
    completion_share: MaybeUndefined<f64>,
    /// Whether anybody may read it.
    is_preview: Option<bool>,
}

/// A lesson in a version.
#[derive(Debug, InputObject)]
pub(crate) struct LessonVersionInput {
    /// The global id of the lesson.
    lesson_id: ID,
    /// The version of the lesson that you read.
    version: i32,
}

/// Where a lesson goes.
#[derive(Debug, InputObject)]
pub(crate) struct MoveLessonInput {
    /// The global id of the lesson.
    lesson_id: ID,
    /// The version of the lesson that you read.
    version: i32,
    /// The global id of the module of the same course that it goes to, or stays in.
    module_id: ID,
    /// Its place there, from 0, drafts counted.
    position: i32,
}

/// What became of a change of a lesson.
#[derive(SimpleObject)]
pub(crate) struct LessonPayload {
    /// The lesson; null if there were errors.
    lesson: Option<Lesson>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl LessonPayload {
    async fn of(scope: &Scope, outcome: Result<LessonId, Refusal>) -> Result<Self, Fault> {
        Ok(match settled(scope, outcome) {
            Ok(lesson) => Self { lesson: Lesson::find(scope, lesson).await?, user_errors: Vec::new() },
            Err(user_errors) => Self { lesson: None, user_errors },
        })
    }
}

/// What a new lesson begins with, if it is given.
fn set<T>(value: Option<T>) -> Change<T> {
    value.map_or(Change::Keep, Change::Set)
}

/// Writing lessons.
#[derive(Default)]
pub(crate) struct LessonMutation;

/// Writing lessons.
#[async_graphql::Object]
impl LessonMutation {
    /// Begins a lesson, as a draft behind the others of its module: for the course's staff.
    async fn create_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: CreateLessonInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let key = match key(by, input.idempotency_key.as_deref(), "createLesson", &input) {
            Ok(key) => key,
            Err(refusal) => return Ok(LessonPayload { lesson: None, user_errors: vec![user_error(&refusal)] }),
        };
        let new = model::NewLesson {
            title: input.title,
            kind: input.kind.into(),
            change: model::LessonChange {
                title: None,
                seconds: set(input.seconds.map(i64::from)),
                body: set(input.text),
                url: set(input.url),
                transcript: set(input.transcript),
                completion: Some(input.completion.into()),
                share: set(input.completion_share),
                is_preview: Some(input.is_preview),
            },
        };
        let outcome = scope.app.authoring.create_lesson(by, module, new, key.as_ref()).await?;
        LessonPayload::of(scope, outcome).await
    }

    /// Changes what a lesson is about to say: for the course's staff. Learners see it when it is published.
    async fn update_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateLessonInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, lesson) = (author(scope).await?, lesson_id(&input.lesson_id)?);
        let change = model::LessonChange {
            title: input.title,
            seconds: input.seconds.map_value(i64::from).into(),
            body: input.text.into(),
            url: input.url.into(),
            transcript: input.transcript.into(),
            completion: input.completion.map(Into::into),
            share: input.completion_share.into(),
            is_preview: input.is_preview,
        };
        let outcome = scope.app.authoring.update_lesson(by, (lesson, input.version.into()), change).await?;
        LessonPayload::of(scope, outcome.map(|()| lesson)).await
    }

    /// Forgets what a lesson was about to say, so that it stays as learners see it: for the course's staff.
    async fn discard_lesson_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: LessonVersionInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, lesson) = (author(scope).await?, lesson_id(&input.lesson_id)?);
        let outcome = scope.app.authoring.discard_draft(by, lesson, input.version.into()).await?;
        LessonPayload::of(scope, outcome.map(|()| lesson)).await
    }

    /// Lets learners see a lesson as its draft says, as a new version that never changes: for the course's instructors. One that
    /// was retired comes back.
    async fn publish_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: LessonVersionInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, lesson) = (author(scope).await?, lesson_id(&input.lesson_id)?);
        let outcome = scope.app.authoring.publish_lesson(by, lesson, input.version.into()).await?;
        LessonPayload::of(scope, outcome.map(|()| lesson)).await
    }

    /// Takes a lesson out of its course: for the course's instructors; a draft that learners never saw, for all of its staff. The
    /// records of those who saw it stay.
    async fn retire_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson.")] input: LessonVersionInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, lesson) = (author(scope).await?, lesson_id(&input.lesson_id)?);
        let outcome = scope.app.authoring.retire_lesson(by, lesson, input.version.into()).await?;
        LessonPayload::of(scope, outcome.map(|()| lesson)).await
    }

    /// Moves a lesson to a place in a module of the same course: for the course's staff.
    async fn move_lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The place.")] input: MoveLessonInput,
    ) -> Result<LessonPayload, Fault> {
        let scope = scope(ctx);
        let (by, lesson) = (author(scope).await?, lesson_id(&input.lesson_id)?);
        let to = (module_id(&input.module_id)?, input.position.into());
        let outcome = scope.app.authoring.move_lesson(by, (lesson, input.version.into()), to).await?;
        LessonPayload::of(scope, outcome.map(|()| lesson)).await
    }
}
