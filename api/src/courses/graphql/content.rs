//! What lessons say, and to whom.

use std::sync::Arc;

use async_graphql::Enum;
use stoa_macros::Object;

use super::{
    Module,
    parts::{LessonCompletion, is_staff, own_permit, own_record},
};
use crate::{
    courses::model::{self, PartStatus},
    graphql::{
        errors::Fault,
        scalars::{DateTime, int},
        scope::Scope,
    },
    markdown,
};

/// Whether the viewer can read what a lesson says, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ContentState {
    /// You can read it.
    Readable,
    /// Nothing was written yet, or it was not published yet.
    Empty,
    /// It is for those who take the course: sign in.
    SignInNeeded,
    /// It is for those who take the course: enroll.
    EnrolmentNeeded,
    /// Complete the modules before its module first.
    ModuleClosed,
}

/// Whether the viewer may read what a lesson says, be there something or not.
pub(super) async fn may_read(scope: &Scope, lesson: &model::Lesson) -> Result<ContentState, Fault> {
    let course = lesson.course_id;
    if is_staff(scope, course).await? || (lesson.is_preview && lesson.status == PartStatus::Published) {
        return Ok(ContentState::Readable);
    }
    if scope.viewer.id().is_none() {
        return Ok(ContentState::SignInNeeded);
    }
    if !scope.load().viewpoint.known().await?.membership(course).learner {
        return Ok(ContentState::EnrolmentNeeded);
    }
    let module = scope.load().modules.get(lesson.module_id).await?;
    let is_closed = match module {
        Some(module) => Module(module).open_to_viewer(scope).await? != Some(true),
        None => false,
    };
    // Where she was before it was closed, she stays.
    if is_closed && own_record(scope, course).await?.is_none_or(|record| record.get(lesson.id).is_none()) {
        return Ok(ContentState::ModuleClosed);
    }
    Ok(ContentState::Readable)
}

/// The same, and whether there is something.
pub(super) async fn state(scope: &Scope, lesson: &model::Lesson, may: ContentState) -> Result<ContentState, Fault> {
    if may == ContentState::Readable && scope.load().lesson_contents.get(lesson.id).await?.is_none() {
        return Ok(ContentState::Empty);
    }
    Ok(may)
}

/// Texts are long: a thousand letters count as one more thing in the answer.
fn make_room(scope: &Scope, content: &model::Content) -> Result<(), Fault> {
    let letters = [&content.body, &content.transcript].into_iter().flatten().map(String::len).sum::<usize>();
    scope.make_room(1 + letters / 1_000)
}

/// What a lesson says, or said in one of its versions.
pub(crate) struct LessonContent(Arc<model::LessonVersion>);

impl LessonContent {
    /// What a lesson says, or said in a version, if the viewer may read it.
    pub(super) async fn read(
        scope: &Scope,
        lesson: &model::Lesson,
        version: Option<i64>,
    ) -> Result<Option<Self>, Fault> {
        if may_read(scope, lesson).await? != ContentState::Readable {
            return Ok(None);
        }
        let load = scope.load();
        let found = match version.filter(|version| *version != lesson.content_version) {
            None => load.lesson_contents.get(lesson.id).await?,
            Some(version) if Self::was_hers(scope, lesson, version).await? => {
                load.old_contents.get((lesson.id, version)).await?
            }
            Some(_) => None,
        };
        let Some(found) = found else { return Ok(None) };
        make_room(scope, &found.content)?;
        Ok(Some(Self(found)))
    }

    /// Whether the viewer may read an earlier version: the staff may, and who was in the lesson while it had that version or
    /// since. What was taken back before she came is not hers.
    async fn was_hers(scope: &Scope, lesson: &model::Lesson, version: i64) -> Result<bool, Fault> {
        if is_staff(scope, lesson.course_id).await? {
            return Ok(true);
        }
        let Some((enrolment, permit)) = own_permit(scope, lesson.course_id).await? else { return Ok(false) };
        let first = scope.load().first_versions.get((enrolment.learner_id, lesson.id)).await?;
        Ok(first.open(permit).is_some_and(|first| version >= first))
    }

    /// Every version of a lesson, for the staff of its course.
    pub(super) async fn versions(scope: &Scope, lesson: &model::Lesson) -> Result<Option<Vec<Self>>, Fault> {
        if !is_staff(scope, lesson.course_id).await? {
            return Ok(None);
        }
        let versions = scope.load().lesson_versions.get(lesson.id).await?;
        versions.iter().try_for_each(|version| make_room(scope, &version.content))?;
        Ok(Some(versions.iter().cloned().map(Self).collect()))
    }
}

/// What a lesson says, or said in one of its versions. It never changes.
#[Object]
impl LessonContent {
    /// Which version, from 1.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Since when.
    async fn published_at(&self) -> DateTime {
        self.0.published_at.into()
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The usual length in seconds; null where it has none.
    async fn seconds(&self) -> Option<i32> {
        self.0.seconds.map(int)
    }

    /// What there is to read or to do, as it was written, in Markdown; null if nothing.
    async fn text(&self) -> Option<&str> {
        self.0.content.body.as_deref()
    }

    /// The text as HTML that does no harm; null if there is none.
    async fn html(&self) -> Option<String> {
        self.0.content.body.as_deref().map(markdown::to_html)
    }

    /// Where the video, or the thing elsewhere, is: an address with https; null if nowhere.
    async fn url(&self) -> Option<&str> {
        self.0.content.url.as_deref()
    }

    /// What is said in the video, in Markdown; null if nobody wrote it down.
    async fn transcript(&self) -> Option<&str> {
        self.0.content.transcript.as_deref()
    }

    /// The transcript as HTML that does no harm; null if there is none.
    async fn transcript_html(&self) -> Option<String> {
        self.0.content.transcript.as_deref().map(markdown::to_html)
    }

    /// By what the lesson was completed.
    async fn completion(&self) -> LessonCompletion {
        self.0.rule.completion.into()
    }

    /// The share that completed it, more than 0 and at most 1; null for all of it.
    async fn completion_share(&self) -> Option<f64> {
        self.0.rule.share.map(|millionths| millionths as f64 / 1_000_000.0)
    }
}

/// What a lesson is about to say: for the staff of its course.
pub(crate) struct LessonDraft(Arc<model::LessonDraft>);

impl LessonDraft {
    /// The draft of a lesson, for the staff of its course.
    pub(super) async fn read(scope: &Scope, lesson: &model::Lesson) -> Result<Option<Self>, Fault> {
        if !is_staff(scope, lesson.course_id).await? {
            return Ok(None);
        }
        let Some(draft) = scope.load().lesson_drafts.get(lesson.id).await? else { return Ok(None) };
        make_room(scope, &draft.content)?;
        Ok(Some(Self(draft)))
    }
}

/// What a lesson is about to say: for the staff of its course.
#[Object]
impl LessonDraft {
    /// Since when it is so.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The usual length in seconds; null where it has none.
    async fn seconds(&self) -> Option<i32> {
        self.0.seconds.map(int)
    }

    /// What there is to read or to do, in Markdown; null if nothing.
    async fn text(&self) -> Option<&str> {
        self.0.content.body.as_deref()
    }

    /// The text as HTML that does no harm, as learners will see it; null if there is none.
    async fn html(&self) -> Option<String> {
        self.0.content.body.as_deref().map(markdown::to_html)
    }

    /// Where the video, or the thing elsewhere, is; null if nowhere.
    async fn url(&self) -> Option<&str> {
        self.0.content.url.as_deref()
    }

    /// What is said in the video, in Markdown; null if nobody wrote it down.
    async fn transcript(&self) -> Option<&str> {
        self.0.content.transcript.as_deref()
    }

    /// By what the lesson is to be completed.
    async fn completion(&self) -> LessonCompletion {
        self.0.rule.completion.into()
    }

    /// The share that is to complete it, more than 0 and at most 1; null for all of it.
    async fn completion_share(&self) -> Option<f64> {
        self.0.rule.share.map(|millionths| millionths as f64 / 1_000_000.0)
    }

    /// Whether anybody is to read it, to see what the course is like.
    async fn is_preview(&self) -> bool {
        self.0.is_preview
    }
}
