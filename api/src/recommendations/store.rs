//! What the recommender reads, and the tables of models and lists.

use futures_util::TryStreamExt as _;
use sqlx::types::Json;

use super::model::Recommended;
use crate::{
    courses::model::Level,
    db::{Db, DbError, Text, on, statements},
    ids::{AccountId, CourseId, ModelId, TopicId},
    time::Timestamp,
};

statements! {
    COURSES {
        "SELECT id, position, slug, title, level, status = 'PUBLISHED' AS open, seconds, lesson_count, published_at FROM courses
         WHERE status <> 'DRAFT' ORDER BY position, id"
    }
    COURSE_TOPICS { "SELECT course_id, topic_id FROM course_topics ORDER BY course_id, position, topic_id" }
    TOPIC_NAMES { "SELECT id, name, slug FROM topics ORDER BY id" }
    PREREQUISITES { "SELECT course_id, required_course_id FROM course_prerequisites ORDER BY course_id, required_course_id" }
    CATALOGUE_STAMP { "SELECT COUNT(*) AS courses, COALESCE(MAX(updated_at), 0) AS updated_at FROM courses" }
    INTERACTIONS {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments ORDER BY learner_id"
    }
    HISTORY {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments
         WHERE learner_id = $1 ORDER BY enrolled_at, course_id"
    }
    /// When the learner last did something, or changed her goals.
    HISTORY_STAMP {
        "SELECT MAX(at) FROM (SELECT goals_at AS at FROM accounts WHERE id = $1
           UNION ALL SELECT last_active_at FROM enrolments WHERE learner_id = $1) stamps"
    }
    /// A list is good for as long as neither the model nor the learner's history has changed, and no longer
    /// than a sitting: what fits after a pause is something else.
    LIST {
        "SELECT items FROM recommendation_lists WHERE learner_id = $1 AND model_id = $2 AND computed_at > $3 AND served_by = $4
         AND history_at = (SELECT MAX(at) FROM (SELECT goals_at AS at FROM accounts WHERE id = $1
           UNION ALL SELECT last_active_at FROM enrolments WHERE learner_id = $1) stamps)"
    }
    PUT_LIST {
        "INSERT INTO recommendation_lists (learner_id, model_id, history_at, computed_at, items, served_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (learner_id) DO UPDATE SET model_id = excluded.model_id, history_at = excluded.history_at,
           computed_at = excluded.computed_at, items = excluded.items, served_by = excluded.served_by"
    }
}

/// A course as the recommender needs it.
#[derive(sqlx::FromRow)]
pub(super) struct CourseRow {
    pub(super) id: CourseId,
    pub(super) position: i64,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) level: Option<Text<Level>>,
    pub(super) open: bool,
    pub(super) seconds: i64,
    pub(super) lesson_count: i64,
    pub(super) published_at: Timestamp,
}

/// A learner's enrolment as the recommender needs it.
#[derive(sqlx::FromRow)]
pub(super) struct InteractionRow {
    pub(super) learner_id: AccountId,
    pub(super) course_id: CourseId,
    pub(super) enrolled_at: Timestamp,
    pub(super) seconds: i64,
    pub(super) progress_sum: i64,
    pub(super) rating: Option<i64>,
}

/// Changes whenever the catalogue does.
pub(super) type CatalogueStamp = (i64, i64);

/// The catalogue, in a fixed order.
pub(super) struct CatalogueRows {
    pub(super) courses: Vec<CourseRow>,
    /// Id, name, slug.
    pub(super) topics: Vec<(TopicId, String, String)>,
    pub(super) course_topics: Vec<(CourseId, TopicId)>,
    pub(super) prerequisites: Vec<(CourseId, CourseId)>,
}

pub(super) async fn catalogue(db: &Db) -> Result<CatalogueRows, DbError> {
    let sql = db.sql(&COURSES);
    let courses = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    let sql = db.sql(&TOPIC_NAMES);
    let topics = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    let sql = db.sql(&COURSE_TOPICS);
    let course_topics = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    let sql = db.sql(&PREREQUISITES);
    let prerequisites = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(CatalogueRows { courses, topics, course_topics, prerequisites })
}

pub(super) async fn catalogue_stamp(db: &Db) -> Result<CatalogueStamp, DbError> {
    let sql = db.sql(&CATALOGUE_STAMP);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).fetch_one(c).await)?)
}

/// Gives every learner's enrolments to `take`, learner by learner, without holding them all.
pub(super) async fn each_interaction(db: &Db, mut take: impl FnMut(InteractionRow)) -> Result<(), DbError> {
    let sql = db.sql(&INTERACTIONS);
    on!(db.reader(), c => {
        let mut rows = sqlx::query_as::<_, InteractionRow>(sql).fetch(c);
        while let Some(row) = rows.try_next().await? {
            take(row);
        }
    });
    Ok(())
}

pub(super) async fn history(db: &Db, learner: AccountId) -> Result<Vec<InteractionRow>, DbError> {
    let sql = db.sql(&HISTORY);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(learner).fetch_all(c).await)?)
}

pub(super) async fn history_stamp(db: &Db, learner: AccountId) -> Result<i64, DbError> {
    let sql = db.sql(&HISTORY_STAMP);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(learner).fetch_one(c).await)?)
}

/// The list that was last made for a learner with this model by this engine, if it was made after `oldest` and she
/// has done nothing since.
pub(super) async fn list(
    db: &Db,
    learner: AccountId,
    (model, served_by): (ModelId, &str),
    oldest: Timestamp,
) -> Result<Option<Vec<Recommended>>, DbError> {
    let sql = db.sql(&LIST);
    let items: Option<Json<Vec<Recommended>>> = on!(db.reader(), c => sqlx::query_scalar(sql).bind(learner).bind(model).bind(oldest).bind(served_by)
            .fetch_optional(c).await)?;
    Ok(items.map(|items| items.0))
}

pub(super) async fn put_list(
    db: &Db,
    (learner, model, served_by): (AccountId, ModelId, &str),
    history_at: i64,
    now: Timestamp,
    items: &[Recommended],
) -> Result<(), DbError> {
    let sql = db.sql(&PUT_LIST);
    on!(db.writer(), c => sqlx::query(sql)
        .bind(learner).bind(model).bind(history_at).bind(now).bind(Json(items)).bind(served_by)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
