//! Writing modules and lessons.

use crate::{
    courses::model::{Completion, Lesson, LessonDraft, LessonKind, Module, PartStatus},
    db::{Db, DbError, Text, Tx, Uuids, on, statements},
    ids::{CourseId, LessonId, ModuleId},
};

statements! {
    COURSE_OF_MODULE { "SELECT course_id FROM modules WHERE id = $1" }
    COURSE_OF_LESSON { "SELECT course_id FROM lessons WHERE id = $1" }
    /// With their own positions, all of them: the desk sees everything.
    MODULES_OF_COURSE {
        "SELECT id, course_id, position, title, status, version FROM modules WHERE course_id = $1 ORDER BY position, id"
    }
    LESSONS_OF_MODULE {
        "SELECT id, course_id, module_id, position, title, kind, seconds, status, version, content_version, completion, completion_share, is_preview
         FROM lessons WHERE module_id = $1 ORDER BY position, id"
    }
    LESSON {
        "SELECT id, course_id, module_id, position, title, kind, seconds, status, version, content_version, completion, completion_share, is_preview
         FROM lessons WHERE id = $1"
    }
    INSERT_MODULE { "INSERT INTO modules (id, course_id, position, title, status) VALUES ($1, $2, $3, $4, 'DRAFT')" }
    UPDATE_MODULE { "UPDATE modules SET title = $2, status = $3, version = version + 1 WHERE id = $1" }
    PLACE_MODULE { "UPDATE modules SET position = $2 WHERE id = $1" }
    NEW_MODULE_VERSIONS { "UPDATE modules SET version = version + 1 WHERE id " [any_uuid 1] }
    INSERT_LESSON {
        "INSERT INTO lessons (id, course_id, module_id, position, title, kind, seconds, status, content_version, completion, completion_share, is_preview)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'DRAFT', 0, $8, $9, $10)"
    }
    /// As its draft says: what learners see.
    SHOW_DRAFT {
        "UPDATE lessons SET title = $2, seconds = $3, completion = $4, completion_share = $5, is_preview = $6, status = $7,
           content_version = $8, version = version + 1 WHERE id = $1"
    }
    NEW_LESSON_VERSION { "UPDATE lessons SET version = version + 1 WHERE id = $1" }
    SET_LESSON_STATUS { "UPDATE lessons SET status = $2, version = version + 1 WHERE id = $1" }
    PLACE_LESSON { "UPDATE lessons SET module_id = $2, position = $3 WHERE id = $1" }
}

#[derive(sqlx::FromRow)]
struct ModuleRow {
    id: ModuleId,
    course_id: CourseId,
    position: i64,
    title: String,
    status: Text<PartStatus>,
    version: i64,
}

#[derive(sqlx::FromRow)]
struct LessonRow {
    id: LessonId,
    course_id: CourseId,
    module_id: ModuleId,
    position: i64,
    title: String,
    kind: Text<LessonKind>,
    seconds: Option<i64>,
    status: Text<PartStatus>,
    version: i64,
    content_version: i64,
    completion: Text<Completion>,
    completion_share: Option<i64>,
    is_preview: bool,
}

impl From<LessonRow> for Lesson {
    fn from(row: LessonRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            module_id: row.module_id,
            position: row.position,
            title: row.title,
            kind: row.kind.0,
            seconds: row.seconds,
            status: row.status.0,
            version: row.version,
            content_version: row.content_version,
            completion: row.completion.0,
            completion_share: row.completion_share,
            is_preview: row.is_preview,
        }
    }
}

pub(crate) async fn course_of_module(db: &Db, module: ModuleId) -> Result<Option<CourseId>, DbError> {
    let sql = db.sql(&COURSE_OF_MODULE);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(module).fetch_optional(c).await)?)
}

pub(crate) async fn course_of_lesson(db: &Db, lesson: LessonId) -> Result<Option<CourseId>, DbError> {
    let sql = db.sql(&COURSE_OF_LESSON);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(lesson).fetch_optional(c).await)?)
}

/// Every module of a course, whatever has become of it, in order.
pub(crate) async fn modules(tx: &mut Tx, course: CourseId) -> Result<Vec<Module>, DbError> {
    let sql = tx.sql(&MODULES_OF_COURSE);
    let rows: Vec<ModuleRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| Module {
            id: row.id,
            course_id: row.course_id,
            position: row.position,
            title: row.title,
            status: row.status.0,
            version: row.version,
        })
        .collect())
}

/// Every lesson of a module, whatever has become of it, in order.
pub(crate) async fn lessons(tx: &mut Tx, module: ModuleId) -> Result<Vec<Lesson>, DbError> {
    let sql = tx.sql(&LESSONS_OF_MODULE);
    let rows: Vec<LessonRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(module).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Lesson::from).collect())
}

pub(crate) async fn lesson(tx: &mut Tx, lesson: LessonId) -> Result<Option<Lesson>, DbError> {
    let sql = tx.sql(&LESSON);
    let row: Option<LessonRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(lesson).fetch_optional(c).await)?;
    Ok(row.map(Lesson::from))
}

pub(crate) async fn insert_module(
    tx: &mut Tx,
    (id, course): (ModuleId, CourseId),
    position: i64,
    title: &str,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_MODULE);
    on!(tx.conn(), c => sqlx::query(sql).bind(id).bind(course).bind(position).bind(title).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn update_module(
    tx: &mut Tx,
    module: ModuleId,
    title: &str,
    status: PartStatus,
) -> Result<(), DbError> {
    let sql = tx.sql(&UPDATE_MODULE);
    on!(tx.conn(), c => sqlx::query(sql).bind(module).bind(title).bind(Text(status)).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn place_module(tx: &mut Tx, module: ModuleId, position: i64) -> Result<(), DbError> {
    let sql = tx.sql(&PLACE_MODULE);
    on!(tx.conn(), c => sqlx::query(sql).bind(module).bind(position).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn new_module_versions(tx: &mut Tx, modules: &[ModuleId]) -> Result<(), DbError> {
    let (sql, modules) = (tx.sql(&NEW_MODULE_VERSIONS), Uuids::new(modules.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(modules).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A new lesson, a draft.
pub(crate) async fn insert_lesson(tx: &mut Tx, lesson: &Lesson) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_LESSON);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(lesson.id).bind(lesson.course_id).bind(lesson.module_id).bind(lesson.position).bind(&lesson.title)
        .bind(Text(lesson.kind)).bind(lesson.seconds).bind(Text(lesson.completion)).bind(lesson.completion_share)
        .bind(lesson.is_preview)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Lets the lesson's own row say what its draft says.
pub(crate) async fn show_draft(
    tx: &mut Tx,
    draft: &LessonDraft,
    status: PartStatus,
    content_version: i64,
) -> Result<(), DbError> {
    let sql = tx.sql(&SHOW_DRAFT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(draft.lesson_id).bind(&draft.title).bind(draft.seconds).bind(Text(draft.rule.completion))
        .bind(draft.rule.share).bind(draft.is_preview).bind(Text(status)).bind(content_version)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn new_lesson_version(tx: &mut Tx, lesson: LessonId) -> Result<(), DbError> {
    let sql = tx.sql(&NEW_LESSON_VERSION);
    on!(tx.conn(), c => sqlx::query(sql).bind(lesson).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn set_lesson_status(tx: &mut Tx, lesson: LessonId, status: PartStatus) -> Result<(), DbError> {
    let sql = tx.sql(&SET_LESSON_STATUS);
    on!(tx.conn(), c => sqlx::query(sql).bind(lesson).bind(Text(status)).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn place_lesson(
    tx: &mut Tx,
    lesson: LessonId,
    module: ModuleId,
    position: i64,
) -> Result<(), DbError> {
    let sql = tx.sql(&PLACE_LESSON);
    on!(tx.conn(), c => sqlx::query(sql).bind(lesson).bind(module).bind(position).execute(c).await.map(|_| ()))?;
    Ok(())
}
