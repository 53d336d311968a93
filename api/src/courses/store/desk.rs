//! Writing courses: what the authors' desk does to the catalogue's own rows.

use crate::{
    courses::model::{CourseStatus, Level, StaffRole},
    db::{DbError, Text, Tx, on, statements},
    ids::{AccountId, CourseId, LessonId, TopicId},
    time::Timestamp,
};

statements! {
    /// Nobody else works on it meanwhile; but somebody may enrol, who refers to it.
    LOCK_COURSE {
        "SELECT id, slug, title, summary, language, level, status, lesson_count, version FROM courses WHERE id = $1" [pg " FOR NO KEY UPDATE"]
    }
    ROLE { "SELECT role FROM course_staff WHERE course_id = $1 AND account_id = $2" }
    TEACHES_IN_CATALOGUE {
        "SELECT EXISTS (SELECT 1 FROM course_staff s JOIN courses c ON c.id = s.course_id
         WHERE s.account_id = $1 AND s.role = 'INSTRUCTOR' AND c.status = 'PUBLISHED')"
    }
    INSERT_COURSE {
        "INSERT INTO courses (id, slug, title, title_key, summary, search_text, language, level, status, open_forum, lesson_count, seconds,
           position, published_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'DRAFT', FALSE, 0, 0, $9, $10, $10)"
    }
    SLUG_TAKEN { "SELECT EXISTS (SELECT 1 FROM courses WHERE slug = $1 AND id <> $2)" }
    /// Whoever looks whether the catalogue has changed looks at the latest of these: it grows, also where the clock of one
    /// server is behind that of another.
    UPDATE_COURSE {
        "UPDATE courses SET slug = $2, title = $3, title_key = $4, summary = $5, search_text = $6, language = $7, level = $8,
           version = version + 1, updated_at = (SELECT CASE WHEN MAX(u.updated_at) >= $9 THEN MAX(u.updated_at) + 1 ELSE $9 END FROM courses u)
         WHERE id = $1"
    }
    SET_STATUS {
        "UPDATE courses SET status = $2, published_at = COALESCE($3, published_at), version = version + 1,
           updated_at = (SELECT CASE WHEN MAX(u.updated_at) >= $4 THEN MAX(u.updated_at) + 1 ELSE $4 END FROM courses u)
         WHERE id = $1"
    }
    NEW_VERSION {
        "UPDATE courses SET version = version + 1,
           updated_at = (SELECT CASE WHEN MAX(u.updated_at) >= $2 THEN MAX(u.updated_at) + 1 ELSE $2 END FROM courses u)
         WHERE id = $1"
    }
    /// Counts what learners find; with 1 in the third place it is a new version of the content.
    RECOUNT {
        "UPDATE courses SET content_version = content_version + $3,
           lesson_count = (SELECT COUNT(*) FROM lessons l WHERE l.course_id = courses.id AND l.status = 'PUBLISHED'),
           seconds = (SELECT CAST(COALESCE(SUM(l.seconds), 0) AS BIGINT) FROM lessons l WHERE l.course_id = courses.id AND l.status = 'PUBLISHED'),
           updated_at = (SELECT CASE WHEN MAX(u.updated_at) >= $2 THEN MAX(u.updated_at) + 1 ELSE $2 END FROM courses u)
         WHERE id = $1 RETURNING content_version, lesson_count"
    }
    PUT_CONTENTS {
        "INSERT INTO course_contents (course_id, version, published_at, lesson_count, added, removed) VALUES ($1, $2, $3, $4, $5, $6)"
    }
    FORGET_TOPICS { "DELETE FROM course_topics WHERE course_id = $1" }
    PUT_TOPIC { "INSERT INTO topics (id, slug, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING" }
    TOPIC_BY_SLUG { "SELECT id FROM topics WHERE slug = $1" }
    ADD_TOPIC {
        "INSERT INTO course_topics (course_id, topic_id, position) VALUES ($1, $2, $3) ON CONFLICT (course_id, topic_id) DO NOTHING"
    }
}

/// A course that is being worked on: nobody else changes it until the transaction ends.
#[derive(sqlx::FromRow)]
struct HeldRow {
    id: CourseId,
    slug: String,
    title: String,
    summary: String,
    language: String,
    level: Option<Text<Level>>,
    status: Text<CourseStatus>,
    lesson_count: i64,
    version: i64,
}

/// A course that is being worked on.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: CourseId,
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) language: String,
    pub(crate) level: Option<Level>,
    pub(crate) status: CourseStatus,
    pub(crate) lesson_count: i64,
    pub(crate) version: i64,
}

/// The course, held until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, course: CourseId) -> Result<Option<Held>, DbError> {
    let sql = tx.sql(&LOCK_COURSE);
    let row: Option<HeldRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_optional(c).await)?;
    Ok(row.map(|row| Held {
        id: row.id,
        slug: row.slug,
        title: row.title,
        summary: row.summary,
        language: row.language,
        level: row.level.map(|level| level.0),
        status: row.status.0,
        lesson_count: row.lesson_count,
        version: row.version,
    }))
}

/// What somebody is in a course; `None` if she is not of its staff.
pub(crate) async fn role(tx: &mut Tx, course: CourseId, account: AccountId) -> Result<Option<StaffRole>, DbError> {
    let sql = tx.sql(&ROLE);
    let row: Option<Text<StaffRole>> =
        on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(account).fetch_optional(c).await)?;
    Ok(row.map(|row| row.0))
}

/// Whether she is an instructor of a course in the catalogue.
pub(crate) async fn teaches_in_catalogue(tx: &mut Tx, account: AccountId) -> Result<bool, DbError> {
    let sql = tx.sql(&TEACHES_IN_CATALOGUE);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(account).fetch_one(c).await)?)
}

/// Whether another course has the slug.
pub(crate) async fn slug_taken(tx: &mut Tx, slug: &str, course: CourseId) -> Result<bool, DbError> {
    let sql = tx.sql(&SLUG_TAKEN);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(slug).bind(course).fetch_one(c).await)?)
}

fn search_text(course: &Held) -> String {
    format!("{} {}", course.title, course.summary).to_lowercase()
}

/// A new course, a draft. It stands behind all others in the catalogue.
pub(crate) async fn insert(tx: &mut Tx, course: &Held, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_COURSE);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course.id).bind(&course.slug).bind(&course.title).bind(course.title.to_lowercase())
        .bind(&course.summary).bind(search_text(course)).bind(&course.language).bind(course.level.map(Text))
        .bind(now.seconds()).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Writes what is said of a course.
pub(crate) async fn update(tx: &mut Tx, course: &Held, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&UPDATE_COURSE);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course.id).bind(&course.slug).bind(&course.title).bind(course.title.to_lowercase())
        .bind(&course.summary).bind(search_text(course)).bind(&course.language).bind(course.level.map(Text)).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Writes where a course is in its life, and, if it is new in the catalogue, since when.
pub(crate) async fn set_status(
    tx: &mut Tx,
    course: CourseId,
    status: CourseStatus,
    published_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&SET_STATUS);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(Text(status)).bind(published_at).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Notes that something of the course itself has changed.
pub(crate) async fn new_version(tx: &mut Tx, course: CourseId, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&NEW_VERSION);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Counts what learners find in a course. Answers with the version of the content, a new one if it is one, and the
/// number of lessons.
pub(crate) async fn recount(
    tx: &mut Tx,
    course: CourseId,
    is_new_version: bool,
    now: Timestamp,
) -> Result<(i64, i64), DbError> {
    let sql = tx.sql(&RECOUNT);
    Ok(
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(now).bind(i64::from(is_new_version)).fetch_one(c).await)?,
    )
}

/// Keeps which lessons came to a course and which went.
pub(crate) async fn put_contents(
    tx: &mut Tx,
    course: CourseId,
    (version, lesson_count): (i64, i64),
    (added, removed): (&[LessonId], &[LessonId]),
    now: Timestamp,
) -> Result<(), DbError> {
    let json = |ids| serde_json::to_string(ids).unwrap_or_default();
    let sql = tx.sql(&PUT_CONTENTS);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(version).bind(now).bind(lesson_count).bind(json(added)).bind(json(removed))
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The topic of a name or slug; one that is not there is made.
pub(crate) async fn topic(tx: &mut Tx, name: &str, slug: &str) -> Result<TopicId, DbError> {
    let sql = tx.sql(&TOPIC_BY_SLUG);
    let known: Option<TopicId> = on!(tx.conn(), c => sqlx::query_scalar(sql).bind(slug).fetch_optional(c).await)?;
    if let Some(id) = known {
        return Ok(id);
    }
    // As the intake names it, so that a topic is the same whoever came first.
    let id = TopicId::imported("", &name.to_lowercase());
    let sql = tx.sql(&PUT_TOPIC);
    on!(tx.conn(), c => sqlx::query(sql).bind(id).bind(slug).bind(name).execute(c).await.map(|_| ()))?;
    Ok(id)
}

/// Says what a course is about, the most important first.
pub(crate) async fn put_topics(tx: &mut Tx, course: CourseId, topics: &[TopicId]) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_TOPICS);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).execute(c).await.map(|_| ()))?;
    for (topic, position) in topics.iter().zip(0_i64..) {
        let sql = tx.sql(&ADD_TOPIC);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(*topic).bind(position).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}
