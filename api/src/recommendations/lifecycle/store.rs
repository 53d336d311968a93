//! The tables of models, the lease of training, and what came after a training.

use sqlx::types::Json;

use super::super::{
    model::{Judgement, ModelInfo},
    store::InteractionRow,
};
use crate::{
    db::{Db, DbError, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, ModelId},
    time::Timestamp,
};

statements! {
    INSERT_MODEL {
        "INSERT INTO models (id, engine, trained_at, learners, interactions, courses, payload, name, report, promoted_at, settings, enrolments)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    }
    MODEL { "SELECT payload, trained_at FROM models WHERE id = $1" }
    MODELS {
        "SELECT id, name, engine, trained_at, learners, interactions, courses, enrolments, settings, report, promoted_at
         FROM models ORDER BY trained_at DESC, id DESC"
    }
    NAMES_OF_DAY { "SELECT name FROM models WHERE trained_at >= $1 AND trained_at < $2" }
    PROMOTED { "UPDATE models SET promoted_at = $2 WHERE id = $1" }
    /// The model in use stays, however old it is.
    PRUNE {
        "DELETE FROM models WHERE id <> $2 AND id NOT IN (SELECT id FROM models ORDER BY trained_at DESC, id DESC LIMIT $1)"
    }
    /// Begins with when it ends, in digits of one length, so that texts compare as times do.
    TAKE_LEASE {
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE settings.value" [pg " COLLATE \"C\""] " < $3"
    }
    CHANGE_LEASE { "UPDATE settings SET value = $3 WHERE name = $1 AND value = $2" }
    /// Of everybody who lets her data be used, as training reads them.
    ENROLMENTS_STAMP {
        "SELECT COUNT(*) AS enrolments, COALESCE(MAX(last_active_at), 0) AS active_at FROM enrolments e
         WHERE NOT EXISTS (SELECT 1 FROM consents c
           WHERE c.learner_id = e.learner_id AND c.purpose = 'PERSONAL_RECOMMENDATIONS' AND NOT c.granted)"
    }
    /// Who of these does not let her data be used.
    REFUSED {
        "SELECT learner_id FROM consents
         WHERE learner_id " [any_uuid 1] " AND purpose = 'PERSONAL_RECOMMENDATIONS' AND NOT granted"
    }
    ARRIVALS {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments
         WHERE (enrolled_at, learner_id, course_id) > ($1, $2, $3) AND enrolled_at <= $4
         ORDER BY enrolled_at, learner_id, course_id LIMIT $5"
    }
    HISTORIES {
        "SELECT learner_id, course_id, enrolled_at, seconds, progress_sum, rating FROM enrolments
         WHERE learner_id " [any_uuid 1] " ORDER BY learner_id, enrolled_at, course_id"
    }
}

pub(super) async fn insert_model(tx: &mut Tx, info: &ModelInfo, payload: &[u8]) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_MODEL);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(info.id).bind(&info.engine).bind(info.trained_at)
        .bind(info.learners).bind(info.interactions).bind(info.courses).bind(payload)
        .bind(&info.name).bind(info.judgement.as_ref().map(Json)).bind(info.promoted_at)
        .bind(&info.settings).bind(info.enrolments)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A model's bytes, and when it was trained.
pub(in super::super) async fn model(db: &Db, id: ModelId) -> Result<Option<(Vec<u8>, Timestamp)>, DbError> {
    let sql = db.sql(&MODEL);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

#[derive(sqlx::FromRow)]
struct ModelRow {
    id: ModelId,
    name: String,
    engine: String,
    trained_at: Timestamp,
    learners: i64,
    interactions: i64,
    courses: i64,
    enrolments: i64,
    settings: String,
    report: Option<Json<serde_json::Value>>,
    promoted_at: Option<Timestamp>,
}

impl From<ModelRow> for ModelInfo {
    fn from(row: ModelRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            engine: row.engine,
            trained_at: row.trained_at,
            learners: row.learners,
            interactions: row.interactions,
            courses: row.courses,
            enrolments: row.enrolments,
            settings: row.settings,
            // A report of another version is no reason not to list the model.
            judgement: row.report.and_then(|report| serde_json::from_value::<Judgement>(report.0).ok()),
            promoted_at: row.promoted_at,
        }
    }
}

/// Every model, the latest first.
pub(super) async fn models(db: &Db) -> Result<Vec<ModelInfo>, DbError> {
    let sql = db.sql(&MODELS);
    let rows: Vec<ModelRow> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ModelInfo::from).collect())
}

/// The names of the models that were trained in a span of time.
pub(super) async fn names(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<Vec<String>, DbError> {
    let sql = tx.sql(&NAMES_OF_DAY);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(from).bind(until).fetch_all(c).await)?)
}

pub(super) async fn promoted(tx: &mut Tx, model: ModelId, at: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&PROMOTED);
    on!(tx.conn(), c => sqlx::query(sql).bind(model).bind(at).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Deletes all models but the latest and the current one. Answers how many.
pub(super) async fn prune(db: &Db, keep: i64, current: ModelId) -> Result<u64, DbError> {
    let sql = db.sql(&PRUNE);
    Ok(
        on!(db.writer(), c => sqlx::query(sql).bind(keep).bind(current).execute(c).await.map(|done| done.rows_affected()))?,
    )
}

/// Writes a lease where there is none that lasts beyond `now`. Whether it was written.
pub(super) async fn take_lease(db: &Db, name: &str, lease: &str, now: &str) -> Result<bool, DbError> {
    let sql = db.sql(&TAKE_LEASE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(name).bind(lease).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Writes another lease in place of one's own. Whether it was still there.
pub(super) async fn change_lease(db: &Db, name: &str, own: &str, lease: &str) -> Result<bool, DbError> {
    let sql = db.sql(&CHANGE_LEASE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(name).bind(own).bind(lease)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// How many enrolments there are, and when somebody last did something.
pub(super) async fn enrolments_stamp(db: &Db) -> Result<(i64, Timestamp), DbError> {
    let sql = db.sql(&ENROLMENTS_STAMP);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).fetch_one(c).await)?)
}

/// The place of an enrolment in the order of arrival.
pub(in super::super) type ArrivalKey = (Timestamp, AccountId, CourseId);

/// The enrolments that came after one, up to `now`, in their order, at most `limit`.
pub(in super::super) async fn arrivals(
    db: &Db,
    (at, learner, course): ArrivalKey,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<InteractionRow>, DbError> {
    let sql = db.sql(&ARRIVALS);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(at).bind(learner).bind(course).bind(now).bind(limit)
        .fetch_all(c).await)?)
}

/// Everything that these learners take, learner by learner, the oldest first.
pub(in super::super) async fn histories(db: &Db, learners: &[AccountId]) -> Result<Vec<InteractionRow>, DbError> {
    let (sql, learners) = (db.sql(&HISTORIES), Uuids::new(learners.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(learners).fetch_all(c).await)?)
}

/// Those of the learners who do not let their data be used.
pub(in super::super) async fn refused(db: &Db, learners: &[AccountId]) -> Result<Vec<AccountId>, DbError> {
    let (sql, learners) = (db.sql(&REFUSED), Uuids::new(learners.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(learners).fetch_all(c).await)?)
}
