//! What became of the lists that learners were given. Every key starts with the learner.

use sqlx::types::Json;

use crate::{
    db::{Db, DbError, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, ListId, ModelId},
    recommendations::model::{List, Offered},
    time::Timestamp,
};

statements! {
    OFFER {
        "INSERT INTO offered_lists (learner_id, list_id, model_id, engine, experiment, arm, offered_at, items)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (learner_id, list_id) DO NOTHING"
    }
    OFFERED { "SELECT items FROM offered_lists WHERE learner_id = $1 AND list_id = $2 AND offered_at > $3" }
    /// Courses (3) of a list as shown at an instant (4): place and probability come from the list as it was given.
    SHOW {
        [lite "INSERT INTO recommendation_impressions
             (learner_id, list_id, course_id, position, model_id, engine, experiment, arm, propensity, explored, shown_at)
           SELECT o.learner_id, o.list_id, unhex(replace(i.value ->> 'course', '-', '')), i.key + 1, o.model_id, o.engine,
             o.experiment, o.arm, i.value ->> 'propensity', i.value ->> 'explored', $4
           FROM offered_lists o JOIN jsonb_each(o.items) i
           WHERE o.learner_id = $1 AND o.list_id = $2 AND unhex(replace(i.value ->> 'course', '-', '')) "]
        [pg "INSERT INTO recommendation_impressions
             (learner_id, list_id, course_id, position, model_id, engine, experiment, arm, propensity, explored, shown_at)
           SELECT o.learner_id, o.list_id, (i.value ->> 'course')::uuid, i.place, o.model_id, o.engine,
             o.experiment, o.arm, (i.value ->> 'propensity')::bigint, (i.value ->> 'explored')::boolean, $4
           FROM offered_lists o CROSS JOIN LATERAL jsonb_array_elements(o.items) WITH ORDINALITY AS i (value, place)
           WHERE o.learner_id = $1 AND o.list_id = $2 AND (i.value ->> 'course')::uuid "]
        [any_uuid 3] " ON CONFLICT (learner_id, list_id, course_id) DO NOTHING"
    }
    /// What happened (4) to courses (3) of a list, which were shown.
    HAPPEN {
        "INSERT INTO recommendation_events (learner_id, list_id, course_id, kind, model_id, engine, experiment, arm, at)
         SELECT learner_id, list_id, course_id, $4, model_id, engine, experiment, arm, $5 FROM recommendation_impressions
         WHERE learner_id = $1 AND list_id = $2 AND course_id " [any_uuid 3] "
         ON CONFLICT (learner_id, list_id, course_id, kind) DO NOTHING"
    }
    /// The same for the list in which the course was shown last, after an instant (5).
    HAPPEN_SINCE {
        "INSERT INTO recommendation_events (learner_id, list_id, course_id, kind, model_id, engine, experiment, arm, at)
         SELECT learner_id, list_id, course_id, $3, model_id, engine, experiment, arm, $4 FROM recommendation_impressions
         WHERE learner_id = $1 AND course_id = $2 AND shown_at > $5 ORDER BY shown_at DESC, list_id DESC LIMIT 1
         ON CONFLICT (learner_id, list_id, course_id, kind) DO NOTHING"
    }
    /// A course that she takes because of a list is completed because of it. What she shows up with otherwise is not of any list.
    COMPLETE {
        "INSERT INTO recommendation_events (learner_id, list_id, course_id, kind, model_id, engine, experiment, arm, at)
         SELECT learner_id, list_id, course_id, 'COMPLETION', model_id, engine, experiment, arm, $3 FROM recommendation_events
         WHERE learner_id = $1 AND course_id = $2 AND kind = 'ENROLMENT' ORDER BY at DESC, list_id DESC LIMIT 1
         ON CONFLICT (learner_id, list_id, course_id, kind) DO NOTHING"
    }
    FORGET_WORDS {
        "DELETE FROM recommendation_events WHERE learner_id = $1 AND course_id = $2
         AND kind IN ('LIKE', 'DISMISS', 'LESS_LIKE_THIS', 'ALREADY_KNOW')"
    }
    FORGET_OFFERS { "DELETE FROM offered_lists WHERE learner_id = $1" }
    FORGET_IMPRESSIONS { "DELETE FROM recommendation_impressions WHERE learner_id = $1" }
    FORGET_EVENTS { "DELETE FROM recommendation_events WHERE learner_id = $1" }
    PRUNE_OFFERS { "DELETE FROM offered_lists WHERE offered_at <= $1" }
    PRUNE_IMPRESSIONS { "DELETE FROM recommendation_impressions WHERE shown_at <= $1" }
    PRUNE_EVENTS { "DELETE FROM recommendation_events WHERE at <= $1" }
}

type Key = (AccountId, ListId);

/// Keeps a list as it was given; one that is kept already stays as it is.
pub(in crate::recommendations) async fn offer(
    tx: &mut Tx,
    (learner, id): Key,
    list: &List,
    now: Timestamp,
) -> Result<(), DbError> {
    let items: Vec<Offered> = list.items.iter().map(Offered::from).collect();
    let arm = list.about.experiment.as_ref();
    let model: ModelId = list.model;
    let sql = tx.sql(&OFFER);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(learner).bind(id).bind(model).bind(&list.about.engine)
        .bind(arm.map(|arm| &arm.experiment)).bind(arm.map(|arm| &arm.arm)).bind(now).bind(Json(&items))
        .execute(c).await.map(|_| ()))?)
}

/// The courses of a list that a learner was given after `oldest`; `None` if she was given no such list.
pub(in crate::recommendations) async fn offered(
    tx: &mut Tx,
    (learner, id): Key,
    oldest: Timestamp,
) -> Result<Option<Vec<CourseId>>, DbError> {
    let sql = tx.sql(&OFFERED);
    let items: Option<Json<Vec<Offered>>> =
        on!(tx.conn(), c => sqlx::query_scalar(sql).bind(learner).bind(id).bind(oldest).fetch_optional(c).await)?;
    Ok(items.map(|items| items.0.into_iter().map(|item| item.course).collect()))
}

/// Notes that courses of a list were shown. How many of these are new.
pub(in crate::recommendations) async fn show(
    tx: &mut Tx,
    (learner, id): Key,
    courses: &[CourseId],
    now: Timestamp,
) -> Result<u64, DbError> {
    let (sql, courses) = (tx.sql(&SHOW), Uuids::new(courses.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(id).bind(courses).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Notes what happened to courses of a list that were shown. How many of these are new.
pub(in crate::recommendations) async fn happen(
    tx: &mut Tx,
    (learner, id): Key,
    courses: &[CourseId],
    kind: &str,
    now: Timestamp,
) -> Result<u64, DbError> {
    let (sql, courses) = (tx.sql(&HAPPEN), Uuids::new(courses.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(id).bind(courses).bind(kind).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?)
}

/// Notes what happened to a course, if it was shown to her after `since`.
pub(in crate::recommendations) async fn happen_since(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    kind: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&HAPPEN_SINCE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(kind).bind(now).bind(since)
        .execute(c).await.map(|_| ()))?)
}

/// Notes that a course was completed, if she took it because of a list.
pub(in crate::recommendations) async fn complete(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&COMPLETE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(now).execute(c).await.map(|_| ()))?)
}

/// Deletes what she said of a course from the events: another word takes its place, or none.
pub(in crate::recommendations) async fn forget_words(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_WORDS);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).execute(c).await.map(|_| ()))?)
}

/// Deletes all that was logged of a learner.
pub(in crate::recommendations) async fn forget(tx: &mut Tx, learner: AccountId) -> Result<(), DbError> {
    for statement in [&FORGET_OFFERS, &FORGET_IMPRESSIONS, &FORGET_EVENTS] {
        let sql = tx.sql(statement);
        on!(tx.conn(), c => sqlx::query(sql).bind(learner).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// Deletes lists from before one instant, and what became of them from before another. How many rows.
pub(in crate::recommendations) async fn prune(db: &Db, lists: Timestamp, events: Timestamp) -> Result<u64, DbError> {
    let mut rows = 0;
    for (statement, before) in [(&PRUNE_OFFERS, lists), (&PRUNE_IMPRESSIONS, events), (&PRUNE_EVENTS, events)] {
        let sql = db.sql(statement);
        rows += on!(db.writer(), c => sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected()))?;
    }
    Ok(rows)
}
