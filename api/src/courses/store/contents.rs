//! What lessons say: the versions that were published, and the drafts.

use crate::{
    courses::model::{Completion, Content, LessonDraft, LessonVersion, Rule},
    db::{Db, DbError, Text, Tx, Uuids, on, statements},
    ids::{AccountId, LessonId},
    time::Timestamp,
};

statements! {
    CURRENT {
        "SELECT v.lesson_id, v.version, v.title, v.seconds, v.body, v.url, v.transcript, v.completion, v.completion_share, v.published_at
         FROM lessons l JOIN lesson_versions v ON v.lesson_id = l.id AND v.version = l.content_version WHERE l.id " [any_uuid 1]
    }
    IN_VERSION {
        "SELECT lesson_id, version, title, seconds, body, url, transcript, completion, completion_share, published_at
         FROM lesson_versions WHERE version = $2 AND lesson_id " [any_uuid 1]
    }
    VERSIONS {
        "SELECT lesson_id, version, title, seconds, body, url, transcript, completion, completion_share, published_at
         FROM lesson_versions WHERE lesson_id " [any_uuid 1] " ORDER BY lesson_id, version DESC"
    }
    /// The first version that a learner can have seen of each lesson that she has been in: the one it had when she came.
    FIRST_SEEN {
        "SELECT p.lesson_id, COALESCE(MAX(CASE WHEN v.published_at <= p.started_at THEN v.version END), MIN(v.version)) AS version
         FROM lessons l JOIN lesson_progress p ON p.learner_id = $2 AND p.course_id = l.course_id AND p.lesson_id = l.id
           JOIN lesson_versions v ON v.lesson_id = l.id
         WHERE l.id " [any_uuid 1] " GROUP BY p.lesson_id"
    }
    DRAFTS {
        "SELECT lesson_id, title, seconds, body, url, transcript, completion, completion_share, is_preview, updated_at
         FROM lesson_drafts WHERE lesson_id " [any_uuid 1]
    }
    PUT_DRAFT {
        "INSERT INTO lesson_drafts (lesson_id, title, seconds, body, url, transcript, completion, completion_share, is_preview, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (lesson_id) DO UPDATE SET title = excluded.title, seconds = excluded.seconds, body = excluded.body,
           url = excluded.url, transcript = excluded.transcript, completion = excluded.completion,
           completion_share = excluded.completion_share, is_preview = excluded.is_preview, updated_at = excluded.updated_at"
    }
    DROP_DRAFT { "DELETE FROM lesson_drafts WHERE lesson_id = $1" }
    PUT_VERSION {
        "INSERT INTO lesson_versions (lesson_id, version, title, seconds, body, url, transcript, completion, completion_share, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    }
    /// What came by an import has no versions yet: before it changes, it is kept as it was.
    KEEP_IMPORTED {
        "INSERT INTO lesson_versions (lesson_id, version, title, seconds, completion, completion_share, published_at)
         SELECT l.id, l.content_version, l.title, l.seconds, l.completion, l.completion_share, c.published_at
         FROM lessons l JOIN courses c ON c.id = l.course_id WHERE l.id = $1 AND l.content_version > 0
         ON CONFLICT (lesson_id, version) DO NOTHING"
    }
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    lesson_id: LessonId,
    version: i64,
    title: String,
    seconds: Option<i64>,
    body: Option<String>,
    url: Option<String>,
    transcript: Option<String>,
    completion: Text<Completion>,
    completion_share: Option<i64>,
    published_at: Timestamp,
}

impl From<VersionRow> for LessonVersion {
    fn from(row: VersionRow) -> Self {
        Self {
            lesson_id: row.lesson_id,
            version: row.version,
            title: row.title,
            seconds: row.seconds,
            content: Content { body: row.body, url: row.url, transcript: row.transcript },
            rule: Rule { completion: row.completion.0, share: row.completion_share },
            published_at: row.published_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct DraftRow {
    lesson_id: LessonId,
    title: String,
    seconds: Option<i64>,
    body: Option<String>,
    url: Option<String>,
    transcript: Option<String>,
    completion: Text<Completion>,
    completion_share: Option<i64>,
    is_preview: bool,
    updated_at: Timestamp,
}

impl From<DraftRow> for LessonDraft {
    fn from(row: DraftRow) -> Self {
        Self {
            lesson_id: row.lesson_id,
            title: row.title,
            seconds: row.seconds,
            content: Content { body: row.body, url: row.url, transcript: row.transcript },
            rule: Rule { completion: row.completion.0, share: row.completion_share },
            is_preview: row.is_preview,
            updated_at: row.updated_at,
        }
    }
}

/// What lessons say now.
pub(crate) async fn current(db: &Db, lessons: &[LessonId]) -> Result<Vec<LessonVersion>, DbError> {
    let (sql, lessons) = (db.sql(&CURRENT), Uuids::new(lessons.iter().copied()));
    let rows: Vec<VersionRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(lessons).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LessonVersion::from).collect())
}

/// What lessons said in a version.
pub(crate) async fn in_version(db: &Db, lessons: &[LessonId], version: i64) -> Result<Vec<LessonVersion>, DbError> {
    let (sql, lessons) = (db.sql(&IN_VERSION), Uuids::new(lessons.iter().copied()));
    let rows: Vec<VersionRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(lessons).bind(version).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LessonVersion::from).collect())
}

/// Every version of lessons, the latest first.
pub(crate) async fn versions(db: &Db, lessons: &[LessonId]) -> Result<Vec<LessonVersion>, DbError> {
    let (sql, lessons) = (db.sql(&VERSIONS), Uuids::new(lessons.iter().copied()));
    let rows: Vec<VersionRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(lessons).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LessonVersion::from).collect())
}

/// The first version that a learner can have seen of lessons that she has been in.
pub(crate) async fn first_seen(
    db: &Db,
    learner: AccountId,
    lessons: &[LessonId],
) -> Result<Vec<(LessonId, i64)>, DbError> {
    let (sql, lessons) = (db.sql(&FIRST_SEEN), Uuids::new(lessons.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(lessons).bind(learner).fetch_all(c).await)?)
}

/// What lessons are about to say.
pub(crate) async fn drafts(db: &Db, lessons: &[LessonId]) -> Result<Vec<LessonDraft>, DbError> {
    let (sql, lessons) = (db.sql(&DRAFTS), Uuids::new(lessons.iter().copied()));
    let rows: Vec<DraftRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(lessons).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LessonDraft::from).collect())
}

/// As [`drafts`], in a transaction, of many lessons.
pub(crate) async fn drafts_in(tx: &mut Tx, lessons: &[LessonId]) -> Result<Vec<LessonDraft>, DbError> {
    let (sql, lessons) = (tx.sql(&DRAFTS), Uuids::new(lessons.iter().copied()));
    let rows: Vec<DraftRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(lessons).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LessonDraft::from).collect())
}

/// What a lesson says now, in a transaction.
pub(crate) async fn current_in(tx: &mut Tx, lesson: LessonId) -> Result<Option<LessonVersion>, DbError> {
    let (sql, lessons) = (tx.sql(&CURRENT), Uuids::new([lesson]));
    let row: Option<VersionRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(lessons).fetch_optional(c).await)?;
    Ok(row.map(LessonVersion::from))
}

pub(crate) async fn put_draft(tx: &mut Tx, draft: &LessonDraft) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_DRAFT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(draft.lesson_id).bind(&draft.title).bind(draft.seconds)
        .bind(draft.content.body.as_deref()).bind(draft.content.url.as_deref()).bind(draft.content.transcript.as_deref())
        .bind(Text(draft.rule.completion)).bind(draft.rule.share).bind(draft.is_preview).bind(draft.updated_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether there was a draft.
pub(crate) async fn drop_draft(tx: &mut Tx, lesson: LessonId) -> Result<bool, DbError> {
    let sql = tx.sql(&DROP_DRAFT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(lesson).execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Keeps a draft as a version of its lesson.
pub(crate) async fn put_version(tx: &mut Tx, draft: &LessonDraft, version: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&KEEP_IMPORTED);
    on!(tx.conn(), c => sqlx::query(sql).bind(draft.lesson_id).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&PUT_VERSION);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(draft.lesson_id).bind(version).bind(&draft.title).bind(draft.seconds)
        .bind(draft.content.body.as_deref()).bind(draft.content.url.as_deref()).bind(draft.content.transcript.as_deref())
        .bind(Text(draft.rule.completion)).bind(draft.rule.share).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
