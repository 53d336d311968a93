//! Those who wait for a seat. The key starts with the learner; a course's line goes by the tickets.

use crate::{
    db::{
        Db, DbError, Pairs, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    enrolling::model::WaitingPlace,
    ids::{AccountId, CohortId, CourseId, InvitationId},
    time::Timestamp,
};

statements! {
    INSERT {
        "INSERT INTO waiting_places (learner_id, course_id, ticket, since, cohort_id, invitation_id) VALUES ($1, $2, $3, $4, $5, $6)"
    }
    IS_WAITING { "SELECT EXISTS (SELECT 1 FROM waiting_places WHERE learner_id = $1 AND course_id = $2) AS waits" }
    FIRST {
        "SELECT learner_id, cohort_id, invitation_id FROM waiting_places WHERE course_id = $1 ORDER BY ticket LIMIT 1"
    }
    DELETE { "DELETE FROM waiting_places WHERE learner_id = $1 AND course_id = $2 RETURNING learner_id, cohort_id, invitation_id" }
    /// A line has an end (`MAX_WAITING`), so that counting in it has one.
    PLACES {
        "SELECT t.learner_id, t.course_id, t.since,
           (SELECT COUNT(*) FROM waiting_places w WHERE w.course_id = t.course_id AND w.ticket <= t.ticket) AS place
         FROM " [pairs 1] " k JOIN waiting_places t ON t.learner_id = k.owner AND t.course_id = k.key"
    }
    PLACES_FORWARD {
        [page (uuids) "t.learner_id, t.course_id, t.since,
           (SELECT COUNT(*) FROM waiting_places w WHERE w.course_id = t.course_id AND w.ticket <= t.ticket) AS place"
         from "waiting_places" owned "t.learner_id = k.key" where "i.learner_id = k.key" by "since" "course_id" ("<" "DESC")]
    }
    PLACES_BACKWARD {
        [page (uuids) "t.learner_id, t.course_id, t.since,
           (SELECT COUNT(*) FROM waiting_places w WHERE w.course_id = t.course_id AND w.ticket <= t.ticket) AS place"
         from "waiting_places" owned "t.learner_id = k.key" where "i.learner_id = k.key" by "since" "course_id" (">" "ASC")]
    }
}

/// Somebody in a line.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::enrolling) struct Waiter {
    #[sqlx(rename = "learner_id")]
    pub(in crate::enrolling) learner: AccountId,
    #[sqlx(rename = "cohort_id")]
    pub(in crate::enrolling) cohort: Option<CohortId>,
    #[sqlx(rename = "invitation_id")]
    pub(in crate::enrolling) invitation: Option<InvitationId>,
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    learner_id: AccountId,
    course_id: CourseId,
    since: Timestamp,
    place: i64,
}

impl From<PlaceRow> for WaitingPlace {
    fn from(PlaceRow { learner_id, course_id, since, place }: PlaceRow) -> Self {
        Self { learner_id, course_id, place, since }
    }
}

pub(in crate::enrolling) async fn insert(
    tx: &mut Tx,
    course: CourseId,
    waiter: Waiter,
    (ticket, since): (i64, Timestamp),
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(waiter.learner).bind(course).bind(ticket).bind(since).bind(waiter.cohort).bind(waiter.invitation)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in crate::enrolling) async fn is_waiting(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<bool, DbError> {
    let sql = tx.sql(&IS_WAITING);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(learner).bind(course).fetch_one(c).await)?)
}

/// Who has waited the longest.
pub(in crate::enrolling) async fn first(tx: &mut Tx, course: CourseId) -> Result<Option<Waiter>, DbError> {
    let sql = tx.sql(&FIRST);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_optional(c).await)?)
}

/// Takes somebody out of the line; `None` if she was not in it.
pub(in crate::enrolling) async fn delete(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<Option<Waiter>, DbError> {
    let sql = tx.sql(&DELETE);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(learner).bind(course).fetch_optional(c).await)?)
}

pub(in crate::enrolling) async fn places(
    db: &Db,
    keys: &[(AccountId, CourseId)],
) -> Result<Vec<WaitingPlace>, DbError> {
    let (sql, keys) = (db.sql(&PLACES), Pairs::new(keys.iter().copied()));
    let rows: Vec<PlaceRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(WaitingPlace::from).collect())
}

/// For each learner the rows of a page of what she waits for, as they were read.
pub(in crate::enrolling) async fn pages(
    db: &Db,
    learners: &[AccountId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<WaitingPlace>, DbError> {
    let sql = db.sql(if request.is_forward() { &PLACES_FORWARD } else { &PLACES_BACKWARD });
    let ((time, id), keys) = (request.start(false), Uuids::new(learners.iter().copied()));
    let rows: Vec<PlaceRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(WaitingPlace::from).collect())
}
