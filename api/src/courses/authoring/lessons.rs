//! Lessons: begun, and written in drafts.

use super::{Authoring, Desk, Done, Refusal, checks, claim, fresh, keep, settle};
use crate::{
    courses::{
        model::{Completion, Content, Lesson, LessonChange, LessonDraft, NewLesson, PartStatus, Rule},
        store::{contents, parts},
    },
    db::{DbError, Tx},
    idempotency::Key,
    ids::{AccountId, LessonId, ModuleId},
    time::Timestamp,
};

impl Authoring {
    /// Begins a lesson: a draft, behind the others of its module.
    pub(crate) async fn create_lesson(
        &self,
        by: AccountId,
        module: ModuleId,
        new: NewLesson,
        key: Option<&Key>,
    ) -> Result<Result<LessonId, Refusal>, DbError> {
        settle(self.begin_lesson(by, module, new, key).await)
    }

    async fn begin_lesson(&self, by: AccountId, module: ModuleId, new: NewLesson, key: Option<&Key>) -> Done<LessonId> {
        let (mut desk, _, module) = self.desk_of_module(by, module).await?;
        if let Some(made) = claim(&mut desk.tx, key, &self.clock).await? {
            return Ok(made.into());
        }
        if module.status == PartStatus::Retired {
            return Err(Refusal::Retired.into());
        }
        let others = parts::lessons(&mut desk.tx, module.id).await?;
        if others.len() >= checks::MAX_LESSONS {
            return Err(Refusal::TooManyLessons.into());
        }
        let id = self.clock.id();
        let mut draft = LessonDraft {
            lesson_id: id,
            title: checks::title(&new.title)?,
            seconds: None,
            content: Content::default(),
            rule: Rule { completion: Completion::View, share: None },
            is_preview: false,
            updated_at: self.clock.now(),
        };
        checks::change(&mut draft, new.kind, new.change)?;
        let lesson = Lesson {
            id,
            course_id: module.course_id,
            module_id: module.id,
            position: others.last().map_or(0, |last| last.position + 1),
            title: draft.title.clone(),
            kind: new.kind,
            seconds: draft.seconds,
            status: PartStatus::Draft,
            version: 1,
            content_version: 0,
            completion: draft.rule.completion,
            completion_share: draft.rule.share,
            is_preview: draft.is_preview,
        };
        parts::insert_lesson(&mut desk.tx, &lesson).await?;
        contents::put_draft(&mut desk.tx, &draft).await?;
        keep(&mut desk.tx, key, id.0).await?;
        desk.tx.commit().await?;
        Ok(id)
    }

    /// Changes what a lesson is about to say. Learners see it when it is published.
    pub async fn update_lesson(
        &self,
        by: AccountId,
        (lesson, version): (LessonId, i64),
        change: LessonChange,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.write_draft(by, lesson, version, change).await)
    }

    async fn write_draft(&self, by: AccountId, lesson: LessonId, version: i64, change: LessonChange) -> Done<()> {
        let (Desk { mut tx, .. }, found) = self.desk_of_lesson(by, lesson).await?;
        fresh(found.version, version)?;
        let mut draft = draft_of(&mut tx, &found, self.clock.now()).await?;
        checks::change(&mut draft, found.kind, change)?;
        contents::put_draft(&mut tx, &draft).await?;
        if found.content_version == 0 {
            // Nobody has seen it: what is listed is what the draft says.
            parts::show_draft(&mut tx, &draft, found.status, 0).await?;
        } else {
            parts::new_lesson_version(&mut tx, lesson).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Forgets the draft of a lesson that learners see an earlier version of.
    pub async fn discard_draft(
        &self,
        by: AccountId,
        lesson: LessonId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.forget_draft(by, lesson, version).await)
    }

    async fn forget_draft(&self, by: AccountId, lesson: LessonId, version: i64) -> Done<()> {
        let (Desk { mut tx, .. }, found) = self.desk_of_lesson(by, lesson).await?;
        fresh(found.version, version)?;
        if found.content_version == 0 || !contents::drop_draft(&mut tx, lesson).await? {
            return Err(Refusal::NoDraft.into());
        }
        parts::new_lesson_version(&mut tx, lesson).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The draft of a lesson; a new one says what learners see.
async fn draft_of(tx: &mut Tx, lesson: &Lesson, now: Timestamp) -> Result<LessonDraft, DbError> {
    if let Some(draft) = contents::drafts_in(tx, &[lesson.id]).await?.pop() {
        return Ok(LessonDraft { updated_at: now, ..draft });
    }
    let said = contents::current_in(tx, lesson.id).await?;
    Ok(LessonDraft {
        lesson_id: lesson.id,
        title: lesson.title.clone(),
        seconds: lesson.seconds,
        content: said.map(|version| version.content).unwrap_or_default(),
        rule: Rule { completion: lesson.completion, share: lesson.completion_share },
        is_preview: lesson.is_preview,
        updated_at: now,
    })
}
