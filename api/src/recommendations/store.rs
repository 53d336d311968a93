//! What the recommender reads, and the tables of models and lists.

pub(crate) mod feedback;
pub(crate) mod log;
pub(crate) mod outcome;

use futures_util::TryStreamExt as _;
use sqlx::types::Json;

use super::model::{About, List, Recommended};
use crate::{
    courses::model::Level,
    db::{Db, DbError, Text, Tx, on, statements},
    ids::{AccountId, CourseId, ListId, ModelId, TopicId},
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
    /// Of everybody who lets her data be used.
    INTERACTIONS {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments e
         WHERE NOT EXISTS (SELECT 1 FROM consents c
           WHERE c.learner_id = e.learner_id AND c.purpose = 'PERSONAL_RECOMMENDATIONS' AND NOT c.granted)
         ORDER BY learner_id"
    }
    HISTORY {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments
         WHERE learner_id = $1 ORDER BY enrolled_at, course_id"
    }
    /// Grows whenever the learner does something, changes her goals, says something of a course or decides on a consent:
    /// a sum, since each part only grows, and two of them may fall on one instant.
    STATE {
        "SELECT a.goals_at + a.feedback_at
             + COALESCE((SELECT MAX(e.last_active_at) + COUNT(*) FROM enrolments e WHERE e.learner_id = $1), 0) AS stamp,
           a.feedback_at,
           NOT EXISTS (SELECT 1 FROM consents c
             WHERE c.learner_id = $1 AND c.purpose = 'PERSONAL_RECOMMENDATIONS' AND NOT c.granted) AS granted
         FROM accounts a WHERE a.id = $1"
    }
    /// A list is good for as long as neither the model nor the learner's state has changed, and no longer
    /// than a sitting: what fits after a pause is something else.
    LIST {
        "SELECT l.list_id, CASE WHEN l.list_id = $4 THEN NULL ELSE l.about END AS about,
           CASE WHEN l.list_id = $4 THEN NULL ELSE l.items END AS items
         FROM recommendation_lists l JOIN accounts a ON a.id = l.learner_id
         WHERE l.learner_id = $1 AND l.model_id = $2 AND l.computed_at > $3 AND l.list_id IS NOT NULL AND l.about IS NOT NULL
           AND l.history_at = a.goals_at + a.feedback_at
             + COALESCE((SELECT MAX(e.last_active_at) + COUNT(*) FROM enrolments e WHERE e.learner_id = $1), 0)"
    }
    /// Not if she has decided otherwise meanwhile: the lock makes it wait for a decision that is being written.
    PUT_LIST {
        "INSERT INTO recommendation_lists (learner_id, model_id, history_at, computed_at, items, list_id, about)
         SELECT a.id, $2, $3, $4, $5, $6, $7 FROM accounts a WHERE a.id = $1 AND a.feedback_at = $8" [pg " FOR SHARE"] "
         ON CONFLICT (learner_id) DO UPDATE SET model_id = excluded.model_id, history_at = excluded.history_at,
           computed_at = excluded.computed_at, items = excluded.items, list_id = excluded.list_id, about = excluded.about"
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

/// What decides whether a learner's list is good still, and whether there may be one.
#[derive(Clone, Copy, sqlx::FromRow)]
pub(super) struct State {
    /// Grows with whatever she does.
    pub(super) stamp: i64,
    /// Grows with what she says and decides.
    pub(super) feedback_at: i64,
    /// Whether her data may be used.
    pub(super) granted: bool,
}

/// Of somebody whose account is there.
pub(super) async fn state(db: &Db, learner: AccountId) -> Result<Option<State>, DbError> {
    let sql = db.sql(&STATE);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(learner).fetch_optional(c).await)?)
}

#[derive(sqlx::FromRow)]
struct ListRow {
    list_id: ListId,
    about: Option<Json<About>>,
    items: Option<Json<Vec<Recommended>>>,
}

/// The list that was last made for a learner with this model, if it was made after `oldest` and she has
/// done nothing since. If that is the one that is `known` already, it is not read again.
pub(super) async fn list(
    db: &Db,
    learner: AccountId,
    model: ModelId,
    oldest: Timestamp,
    known: Option<&List>,
) -> Result<Option<List>, DbError> {
    let (sql, known_id) = (db.sql(&LIST), known.and_then(|list| list.id));
    let row: Option<ListRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(learner).bind(model).bind(oldest).bind(known_id).fetch_optional(c).await)?;
    Ok(row.and_then(|row| match (row.about, row.items) {
        (Some(about), Some(items)) => {
            Some(List { id: Some(row.list_id), model, about: about.0, items: items.0.into() })
        }
        _ => known.filter(|list| list.model == model).cloned(),
    }))
}

/// Keeps a list that was made of this state. Whether it still may be kept.
pub(super) async fn put_list(
    tx: &mut Tx,
    learner: AccountId,
    list: &List,
    state: State,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&PUT_LIST);
    let put = on!(tx.conn(), c => sqlx::query(sql)
        .bind(learner).bind(list.model).bind(state.stamp).bind(now).bind(Json(&*list.items))
        .bind(list.id).bind(Json(&list.about)).bind(state.feedback_at)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(put > 0)
}
