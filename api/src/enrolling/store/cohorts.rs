//! The table of cohorts. Its key starts with the course. Who is in which stands with the enrolment.

use crate::{
    db::{
        Db, DbError, Pairs, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    enrolling::model::{Cohort, NewCohort},
    ids::{AccountId, CohortId, CourseId},
    time::Timestamp,
};

statements! {
    COHORTS {
        "SELECT t.course_id, t.id, t.name, t.starts_at, t.ends_at, t.closed_at, t.version, t.created_at
         FROM " [pairs 1] " k JOIN cohorts t ON t.course_id = k.owner AND t.id = k.key"
    }
    COHORTS_FORWARD {
        [page (uuids) "t.course_id, t.id, t.name, t.starts_at, t.ends_at, t.closed_at, t.version, t.created_at"
         from "cohorts" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" ("<" "DESC")]
    }
    COHORTS_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.name, t.starts_at, t.ends_at, t.closed_at, t.version, t.created_at"
         from "cohorts" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" (">" "ASC")]
    }
    INSERT { "INSERT INTO cohorts (course_id, id, name, starts_at, ends_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)" }
    CHANGE {
        "UPDATE cohorts SET name = $4, starts_at = $5, ends_at = $6, version = version + 1
         WHERE course_id = $1 AND id = $2 AND version = $3"
    }
    CLOSE {
        "UPDATE cohorts SET closed_at = $4, version = version + 1
         WHERE course_id = $1 AND id = $2 AND version = $3 AND closed_at IS NULL"
    }
    /// Its row is locked, so that nobody is put into one that is being closed.
    IS_OPEN { "SELECT closed_at IS NULL AS open FROM cohorts WHERE course_id = $1 AND id = $2" [for_update] }
    ASSIGN { "UPDATE enrolments SET cohort_id = $3 WHERE learner_id = $1 AND course_id = $2" }
}

#[derive(sqlx::FromRow)]
struct CohortRow {
    course_id: CourseId,
    id: CohortId,
    name: String,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
}

impl From<CohortRow> for Cohort {
    fn from(row: CohortRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            name: row.name,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            closed_at: row.closed_at,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

pub(in crate::enrolling) async fn cohorts(db: &Db, keys: &[(CourseId, CohortId)]) -> Result<Vec<Cohort>, DbError> {
    let (sql, keys) = (db.sql(&COHORTS), Pairs::new(keys.iter().copied()));
    let rows: Vec<CohortRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Cohort::from).collect())
}

/// For each course the rows of a page of its cohorts, as they were read.
pub(in crate::enrolling) async fn pages(
    db: &Db,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Cohort>, DbError> {
    let sql = db.sql(if request.is_forward() { &COHORTS_FORWARD } else { &COHORTS_BACKWARD });
    let ((time, id), keys) = (request.start(false), Uuids::new(courses.iter().copied()));
    let rows: Vec<CohortRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Cohort::from).collect())
}

pub(in crate::enrolling) async fn insert(
    tx: &mut Tx,
    (course, id): (CourseId, CohortId),
    new: &NewCohort,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(id).bind(&new.name).bind(new.starts_at).bind(new.ends_at).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether the version was the present one.
pub(in crate::enrolling) async fn change(
    db: &Db,
    (course, id): (CourseId, CohortId),
    version: i64,
    new: &NewCohort,
) -> Result<bool, DbError> {
    let sql = db.sql(&CHANGE);
    Ok(on!(db.writer(), c => sqlx::query(sql)
        .bind(course).bind(id).bind(version).bind(&new.name).bind(new.starts_at).bind(new.ends_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether the version was the present one, and the cohort open.
pub(in crate::enrolling) async fn close(
    db: &Db,
    (course, id): (CourseId, CohortId),
    version: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = db.sql(&CLOSE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(course).bind(id).bind(version).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether somebody can be put into it; `None` if there is no such cohort.
pub(in crate::enrolling) async fn is_open(
    tx: &mut Tx,
    (course, id): (CourseId, CohortId),
) -> Result<Option<bool>, DbError> {
    let sql = tx.sql(&IS_OPEN);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(id).fetch_optional(c).await)?)
}

/// Puts a learner into a cohort, or into none.
pub(in crate::enrolling) async fn assign(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    cohort: Option<CohortId>,
) -> Result<(), DbError> {
    let sql = tx.sql(&ASSIGN);
    on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(cohort).execute(c).await.map(|_| ()))?;
    Ok(())
}
