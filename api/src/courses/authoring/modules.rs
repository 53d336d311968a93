//! Modules: begun, named, published, retired.

use super::{Authoring, Done, Refusal, checks, claim, fresh, keep, publishing, settle};
use crate::{
    courses::{
        model::PartStatus,
        store::{contents, parts},
    },
    db::DbError,
    idempotency::Key,
    ids::{AccountId, CourseId, LessonId, ModuleId},
};

impl Authoring {
    /// Begins a module: a draft, behind the others.
    pub(crate) async fn create_module(
        &self,
        by: AccountId,
        course: CourseId,
        title: &str,
        key: Option<&Key>,
    ) -> Result<Result<ModuleId, Refusal>, DbError> {
        settle(self.begin_module(by, course, title, key).await)
    }

    async fn begin_module(&self, by: AccountId, course: CourseId, title: &str, key: Option<&Key>) -> Done<ModuleId> {
        let mut desk = self.desk(by, course).await?;
        if let Some(made) = claim(&mut desk.tx, key, &self.clock).await? {
            return Ok(made.into());
        }
        let title = checks::title(title)?;
        let others = parts::modules(&mut desk.tx, course).await?;
        if others.len() >= checks::MAX_MODULES {
            return Err(Refusal::TooManyModules.into());
        }
        let (id, position) = (self.clock.id::<ModuleId>(), others.last().map_or(0, |last| last.position + 1));
        parts::insert_module(&mut desk.tx, (id, course), position, &title).await?;
        keep(&mut desk.tx, key, id.0).await?;
        desk.tx.commit().await?;
        Ok(id)
    }

    /// Names a module. Learners see it at once, if the module is published.
    pub async fn update_module(
        &self,
        by: AccountId,
        (module, version): (ModuleId, i64),
        title: Option<&str>,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.name_module(by, module, version, title).await)
    }

    async fn name_module(&self, by: AccountId, module: ModuleId, version: i64, title: Option<&str>) -> Done<()> {
        let (mut desk, _, found) = self.desk_of_module(by, module).await?;
        fresh(found.version, version)?;
        let title = title.map(checks::title).transpose()?.unwrap_or(found.title);
        parts::update_module(&mut desk.tx, module, &title, found.status).await?;
        desk.tx.commit().await?;
        Ok(())
    }

    /// Makes a module a part of its course; with its drafts that learners have never seen, if the author wants so.
    pub async fn publish_module(
        &self,
        by: AccountId,
        (module, version): (ModuleId, i64),
        with_lessons: bool,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.show_module(by, module, version, with_lessons).await)
    }

    async fn show_module(&self, by: AccountId, module: ModuleId, version: i64, with_lessons: bool) -> Done<()> {
        let (desk, _, found) = self.desk_of_module(by, module).await?;
        let mut desk = desk.instructor()?;
        fresh(found.version, version)?;
        let lessons = parts::lessons(&mut desk.tx, module).await?;
        let new: Vec<_> =
            lessons.into_iter().filter(|lesson| with_lessons && lesson.status == PartStatus::Draft).collect();
        if found.status == PartStatus::Published && new.is_empty() {
            return Err(Refusal::NothingChanged.into());
        }
        parts::update_module(&mut desk.tx, module, &found.title, PartStatus::Published).await?;
        let ids: Vec<LessonId> = new.iter().map(|lesson| lesson.id).collect();
        let drafts = contents::drafts_in(&mut desk.tx, &ids).await?;
        for lesson in &new {
            let draft = drafts.iter().find(|draft| draft.lesson_id == lesson.id);
            publishing::show(&mut desk.tx, lesson, draft, self.clock.now()).await?;
        }
        self.settle_contents(&mut desk, &ids, &[]).await?;
        desk.tx.commit().await?;
        Ok(())
    }

    /// Takes a module out of its course, with its lessons. The records of those who saw them stay.
    pub async fn retire_module(
        &self,
        by: AccountId,
        module: ModuleId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.hide_module(by, module, version).await)
    }

    async fn hide_module(&self, by: AccountId, module: ModuleId, version: i64) -> Done<()> {
        let (desk, _, found) = self.desk_of_module(by, module).await?;
        let mut desk = desk.instructor()?;
        fresh(found.version, version)?;
        if found.status == PartStatus::Retired {
            return Err(Refusal::Retired.into());
        }
        let lessons = parts::lessons(&mut desk.tx, module).await?;
        let shown = lessons.iter().filter(|lesson| lesson.status == PartStatus::Published);
        let shown: Vec<LessonId> = shown.map(|lesson| lesson.id).collect();
        for lesson in &shown {
            parts::set_lesson_status(&mut desk.tx, *lesson, PartStatus::Retired).await?;
        }
        parts::update_module(&mut desk.tx, module, &found.title, PartStatus::Retired).await?;
        self.settle_contents(&mut desk, &[], &shown).await?;
        desk.tx.commit().await?;
        Ok(())
    }
}
