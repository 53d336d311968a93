//! Courses: begun, described, published, archived, restored.

use super::{Authoring, Desk, Done, Refusal, checks, claim, keep, settle};
use crate::{
    courses::{
        model::{CourseChange, CourseStatus, NewCourse, StaffRole},
        store::{
            desk::{self, Held},
            links,
        },
    },
    db::{DbError, Tx},
    idempotency::Key,
    ids::{AccountId, CourseId},
    intake::slug_of,
};

impl Authoring {
    /// Begins a course: a draft, with its author as the first instructor. Administrators may, and whoever is an instructor of
    /// a course in the catalogue; so a school's first courses are begun by who runs the system, and she can hand them over.
    pub(crate) async fn create_course(
        &self,
        by: AccountId,
        is_administrator: bool,
        new: NewCourse,
        key: Option<&Key>,
    ) -> Result<Result<CourseId, Refusal>, DbError> {
        settle(self.begin_course(by, is_administrator, new, key).await)
    }

    async fn begin_course(
        &self,
        by: AccountId,
        is_administrator: bool,
        new: NewCourse,
        key: Option<&Key>,
    ) -> Done<CourseId> {
        let mut tx = self.db.begin().await?;
        if !is_administrator && !desk::teaches_in_catalogue(&mut tx, by).await? {
            return Err(Refusal::NotAnAuthor.into());
        }
        if let Some(made) = claim(&mut tx, key, &self.clock).await? {
            return Ok(made.into());
        }
        let (now, id) = (self.clock.now(), self.clock.id());
        let title = checks::title(&new.title)?;
        let slug = match new.slug {
            Some(slug) => free(&mut tx, checks::slug(&slug)?, id).await?,
            None => of_title(&mut tx, &title, id).await?,
        };
        let topics = checks::topics(&new.topics)?;
        let course = Held {
            id,
            slug,
            title,
            summary: checks::summary(&new.summary)?,
            language: checks::language(&new.language)?,
            level: new.level,
            status: CourseStatus::Draft,
            lesson_count: 0,
            version: 1,
        };
        desk::insert(&mut tx, &course, now).await.map_err(taken)?;
        put_topics(&mut tx, id, &topics).await?;
        links::add_staff(&mut tx, id, by, StaffRole::Instructor).await?;
        keep(&mut tx, key, id.0).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes what is said of a course. Learners see it at once.
    pub async fn update_course(
        &self,
        by: AccountId,
        (course, version): (CourseId, i64),
        change: CourseChange,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.change_course(by, course, version, change).await)
    }

    async fn change_course(&self, by: AccountId, course: CourseId, version: i64, change: CourseChange) -> Done<()> {
        let mut desk = self.desk(by, course).await?.in_version(version)?;
        let held = &mut desk.course;
        if let Some(title) = change.title {
            held.title = checks::title(&title)?;
        }
        if let Some(summary) = change.summary {
            held.summary = checks::summary(&summary)?;
            if held.summary.is_empty() && held.status != CourseStatus::Draft {
                return Err(Refusal::NoSummary.into());
            }
        }
        if let Some(language) = change.language {
            held.language = checks::language(&language)?;
        }
        if change.level.is_made() {
            held.level = change.level.value();
        }
        if let Some(slug) = change.slug {
            held.slug = free(&mut desk.tx, checks::slug(&slug)?, course).await?;
        }
        if let Some(topics) = change.topics {
            put_topics(&mut desk.tx, course, &checks::topics(&topics)?).await?;
        }
        desk::update(&mut desk.tx, &desk.course, self.clock.now()).await.map_err(taken)?;
        desk.tx.commit().await?;
        Ok(())
    }

    /// Puts a course into the catalogue.
    pub async fn publish_course(
        &self,
        by: AccountId,
        course: CourseId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.enter(by, course, version, (CourseStatus::Draft, "only a draft is published")).await)
    }

    /// Puts an archived course into the catalogue again.
    pub async fn restore_course(
        &self,
        by: AccountId,
        course: CourseId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.enter(by, course, version, (CourseStatus::Archived, "only an archived course is restored")).await)
    }

    async fn enter(
        &self,
        by: AccountId,
        course: CourseId,
        version: i64,
        (from, otherwise): (CourseStatus, &'static str),
    ) -> Done<()> {
        let Desk { mut tx, course, .. } = self.desk(by, course).await?.instructor()?.in_version(version)?;
        if course.status != from {
            return Err(Refusal::CourseState(course.status, otherwise).into());
        }
        if course.lesson_count == 0 {
            return Err(Refusal::NoLesson.into());
        }
        if course.summary.is_empty() {
            return Err(Refusal::NoSummary.into());
        }
        let now = self.clock.now();
        let since = (from == CourseStatus::Draft).then_some(now);
        desk::set_status(&mut tx, course.id, CourseStatus::Published, since, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a course out of the catalogue, and keeps it for those who took it. A draft can't be: what is archived is known.
    pub async fn archive_course(
        &self,
        by: AccountId,
        course: CourseId,
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.leave_catalogue(by, course, version).await)
    }

    async fn leave_catalogue(&self, by: AccountId, course: CourseId, version: i64) -> Done<()> {
        let Desk { mut tx, course, .. } = self.desk(by, course).await?.instructor()?.in_version(version)?;
        if course.status != CourseStatus::Published {
            return Err(Refusal::CourseState(course.status, "only a published course is archived").into());
        }
        desk::set_status(&mut tx, course.id, CourseStatus::Archived, None, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Two authors may want one slug at once: the database decides.
fn taken(error: DbError) -> super::Stop {
    match error {
        DbError::Constraint(_) => Refusal::SlugTaken.into(),
        error => error.into(),
    }
}

async fn free(tx: &mut Tx, slug: String, course: CourseId) -> Done<String> {
    if desk::slug_taken(tx, &slug, course).await? { Err(Refusal::SlugTaken.into()) } else { Ok(slug) }
}

/// A slug from the title; with some of the course's id where another course has that.
async fn of_title(tx: &mut Tx, title: &str, course: CourseId) -> Done<String> {
    let plain = slug_of(title);
    if !plain.is_empty() && !desk::slug_taken(tx, &plain, course).await? {
        return Ok(plain);
    }
    // The end of an id: its beginning is the time, which two courses may share.
    let id = course.0.simple().to_string();
    let parts = [plain.as_str(), &id[20..]];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"))
}

async fn put_topics(tx: &mut Tx, course: CourseId, topics: &[(String, String)]) -> Result<(), DbError> {
    let mut ids = Vec::with_capacity(topics.len());
    for (name, slug) in topics {
        ids.push(desk::topic(tx, name, slug).await?);
    }
    desk::put_topics(tx, course, &ids).await
}
