//! What learners find: lessons that are published and retired, and what follows from it.

use super::{Authoring, Desk, Done, Refusal, checks, fresh, settle};
use crate::{
    courses::{
        model::{CourseStatus, Lesson, LessonDraft, PartStatus},
        store::{contents, desk, parts},
    },
    db::{DbError, Tx},
    ids::{AccountId, LessonId},
    progress,
    time::Timestamp,
};

impl Authoring {
    /// Lets learners see a lesson as its draft says: a new version of it. One that was retired comes back.
    pub async fn publish_lesson(
        &self,
        by: AccountId,
        lesson: LessonId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.show_lesson(by, lesson, version).await)
    }

    async fn show_lesson(&self, by: AccountId, lesson: LessonId, version: i64) -> Done<()> {
        let (desk, found) = self.desk_of_lesson(by, lesson).await?;
        let mut desk = desk.instructor()?;
        fresh(found.version, version)?;
        let modules = parts::modules(&mut desk.tx, found.course_id).await?;
        let is_shown = |status| status == PartStatus::Published;
        if !modules.iter().any(|module| module.id == found.module_id && is_shown(module.status)) {
            return Err(Refusal::ModuleNotPublished.into());
        }
        let draft = contents::drafts_in(&mut desk.tx, &[lesson]).await?.pop();
        if draft.is_none() && is_shown(found.status) {
            return Err(Refusal::NothingChanged.into());
        }
        show(&mut desk.tx, &found, draft.as_ref(), self.clock.now()).await?;
        let came: &[LessonId] = if is_shown(found.status) { &[] } else { &[lesson] };
        self.settle_contents(&mut desk, came, &[]).await?;
        desk.tx.commit().await?;
        Ok(())
    }

    /// Takes a lesson out of its course. The records of those who saw it stay.
    pub async fn retire_lesson(
        &self,
        by: AccountId,
        lesson: LessonId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.hide_lesson(by, lesson, version).await)
    }

    async fn hide_lesson(&self, by: AccountId, lesson: LessonId, version: i64) -> Done<()> {
        let (mut desk, found) = self.desk_of_lesson(by, lesson).await?;
        // What learners never saw may go by whoever may write it.
        if found.status == PartStatus::Published {
            desk = desk.instructor()?;
        }
        fresh(found.version, version)?;
        if found.status == PartStatus::Retired {
            return Err(Refusal::Retired.into());
        }
        parts::set_lesson_status(&mut desk.tx, lesson, PartStatus::Retired).await?;
        let went: &[LessonId] = if found.status == PartStatus::Published { &[lesson] } else { &[] };
        self.settle_contents(&mut desk, &[], went).await?;
        desk.tx.commit().await?;
        Ok(())
    }

    /// Brings the course up to date with what learners find in it now: its sums, and, where lessons came or went in a course
    /// that they know, the version of its content, and their own sums.
    pub(super) async fn settle_contents(&self, desk: &mut Desk, added: &[LessonId], removed: &[LessonId]) -> Done<()> {
        let (course, status, now) = (desk.course.id, desk.course.status, self.clock.now());
        let is_new = status != CourseStatus::Draft && !(added.is_empty() && removed.is_empty());
        let counted = desk::recount(&mut desk.tx, course, is_new, now).await?;
        if status == CourseStatus::Published && counted.1 == 0 && !removed.is_empty() {
            return Err(Refusal::LastLesson.into());
        }
        if is_new {
            desk::put_contents(&mut desk.tx, course, counted, (added, removed), now).await?;
            progress::content_changed(&mut desk.tx, course, removed).await?;
        }
        Ok(())
    }
}

/// Lets a lesson say what its draft says, as a new version; one without a draft comes back as it was.
pub(super) async fn show(tx: &mut Tx, lesson: &Lesson, draft: Option<&LessonDraft>, now: Timestamp) -> Done<()> {
    let Some(draft) = draft else {
        parts::set_lesson_status(tx, lesson.id, PartStatus::Published).await?;
        return Ok(());
    };
    checks::complete(draft, lesson.kind)?;
    let version = lesson.content_version + 1;
    contents::put_version(tx, draft, version, now).await?;
    parts::show_draft(tx, draft, PartStatus::Published, version).await?;
    contents::drop_draft(tx, lesson.id).await?;
    Ok(())
}
