//! Enrolments as they begin and end, and the row of a course that whoever takes or leaves it holds.

pub(crate) mod cohorts;
pub(crate) mod invitations;
pub(crate) mod waiting;

use std::collections::HashMap;

use super::model::{self, Attendance, EnrolmentMode, EnrolmentSettings, NewSettings};
use crate::{
    db::{Db, DbError, Pairs, Text, Tx, Uuids, on, statements},
    ids::{AccountId, CohortId, CourseId},
    time::Timestamp,
};

statements! {
    SETTINGS {
        "SELECT course_id, mode, seats, opens_at, closes_at, version, taken, waiting, next_ticket
         FROM enrolment_settings WHERE course_id " [any_uuid 1]
    }
    HOLD {
        "SELECT course_id, mode, seats, opens_at, closes_at, version, taken, waiting, next_ticket
         FROM enrolment_settings WHERE course_id = $1" [for_update]
    }
    BEGIN { "INSERT INTO enrolment_settings (course_id) SELECT id FROM courses WHERE id = $1 ON CONFLICT (course_id) DO NOTHING" }
    COUNT {
        "UPDATE enrolment_settings SET taken = $2, waiting = $3, next_ticket = $4 WHERE course_id = $1"
    }
    /// Whoever changes them has the row.
    CHANGE {
        "UPDATE enrolment_settings SET mode = $3, seats = $4, opens_at = $5, closes_at = $6, version = version + 1
         WHERE course_id = $1 AND version = $2"
    }
    ENROL {
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum, cohort_id)
         VALUES ($1, $2, $3, $3, 0, 0, $4) ON CONFLICT (learner_id, course_id) DO NOTHING"
    }
    REJOIN {
        "UPDATE enrolments SET left_at = NULL, cohort_id = COALESCE($3, cohort_id)
         WHERE learner_id = $1 AND course_id = $2 AND left_at IS NOT NULL"
    }
    LEAVE { "UPDATE enrolments SET left_at = $3 WHERE learner_id = $1 AND course_id = $2 AND left_at IS NULL" }
    LEFT_AT { "SELECT left_at FROM enrolments WHERE learner_id = $1 AND course_id = $2" [for_update] }
    KEEP_BREAK {
        "INSERT INTO enrolment_breaks (learner_id, course_id, id, left_at, came_back_at) VALUES ($1, $2, $3, $4, $5)"
    }
    COUNT_LEARNER {
        "INSERT INTO course_rollups (course_id, learner_count, completed_count, rating_count, rating_sum)
         VALUES ($1, 1, 0, 0, 0)
         ON CONFLICT (course_id) DO UPDATE SET learner_count = course_rollups.learner_count + 1"
    }
    ATTENDANCES {
        "SELECT e.learner_id, e.course_id, e.enrolled_at, e.left_at, e.completed_at, e.cohort_id
         FROM " [pairs 1] " k JOIN enrolments e ON e.learner_id = k.owner AND e.course_id = k.key"
    }
    /// The latest breaks (2) of each.
    BREAKS {
        "SELECT b.learner_id, b.course_id, b.left_at, b.came_back_at FROM " [pairs 1] " k
         JOIN enrolment_breaks b ON b.learner_id = k.owner AND b.course_id = k.key
         WHERE b.id IN (SELECT l.id FROM enrolment_breaks l WHERE l.learner_id = b.learner_id AND l.course_id = b.course_id
           ORDER BY l.id DESC LIMIT $2)
         ORDER BY b.learner_id, b.course_id, b.id"
    }
}

/// How a course takes learners, with what is counted of it. Held, nobody else takes or leaves the course.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Gate {
    pub(super) course_id: CourseId,
    mode: Text<EnrolmentMode>,
    pub(super) seats: Option<i64>,
    pub(super) opens_at: Option<Timestamp>,
    pub(super) closes_at: Option<Timestamp>,
    pub(super) version: i64,
    pub(super) taken: i64,
    pub(super) waiting: i64,
    pub(super) next_ticket: i64,
}

impl Gate {
    /// Who may take the course.
    pub(super) fn mode(&self) -> EnrolmentMode {
        self.mode.0
    }
}

impl From<Gate> for EnrolmentSettings {
    fn from(gate: Gate) -> Self {
        Self {
            mode: gate.mode.0,
            seats: gate.seats,
            opens_at: gate.opens_at,
            closes_at: gate.closes_at,
            version: gate.version,
            taken: gate.taken,
            waiting: gate.waiting.into(),
        }
    }
}

pub(super) async fn settings(db: &Db, courses: &[CourseId]) -> Result<Vec<(CourseId, EnrolmentSettings)>, DbError> {
    let (sql, courses) = (db.sql(&SETTINGS), Uuids::new(courses.iter().copied()));
    let rows: Vec<Gate> = on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.course_id, row.into())).collect())
}

/// Holds a course's row until the transaction ends; made if it is not there yet. `None` if there is no such course.
pub(super) async fn hold(tx: &mut Tx, course: CourseId) -> Result<Option<Gate>, DbError> {
    let sql = tx.sql(&HOLD);
    let found: Option<Gate> = on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_optional(c).await)?;
    if found.is_some() {
        return Ok(found);
    }
    let sql = tx.sql(&BEGIN);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&HOLD);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_optional(c).await)?)
}

/// Writes down what was counted while the row was held.
pub(super) async fn count(tx: &mut Tx, gate: &Gate) -> Result<(), DbError> {
    let sql = tx.sql(&COUNT);
    on!(tx.conn(), c => sqlx::query(sql).bind(gate.course_id).bind(gate.taken).bind(gate.waiting).bind(gate.next_ticket)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether the version was the present one.
pub(super) async fn change(tx: &mut Tx, course: CourseId, version: i64, new: NewSettings) -> Result<bool, DbError> {
    let sql = tx.sql(&CHANGE);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(version).bind(Text(new.mode)).bind(new.seats).bind(new.opens_at).bind(new.closes_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether somebody takes a course: `None` if she never did, the inner `None` while she does.
pub(super) async fn left_at(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<Option<Option<Timestamp>>, DbError> {
    let sql = tx.sql(&LEFT_AT);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(learner).bind(course).fetch_optional(c).await)?)
}

/// Whether the enrolment is new.
pub(super) async fn enrol(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    cohort: Option<CohortId>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&ENROL);
    let added = on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(now).bind(cohort)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if added == 0 {
        return Ok(false);
    }
    let sql = tx.sql(&COUNT_LEARNER);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).execute(c).await.map(|_| ()))?;
    Ok(true)
}

/// Takes an enrolment up again that was ended at this instant.
pub(super) async fn rejoin(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    cohort: Option<CohortId>,
    (id, left_at, now): (uuid::Uuid, Timestamp, Timestamp),
) -> Result<(), DbError> {
    let sql = tx.sql(&KEEP_BREAK);
    on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(id).bind(left_at).bind(now)
        .execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&REJOIN);
    on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(cohort).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Ends an enrolment. Whether there was one to end.
pub(super) async fn leave(tx: &mut Tx, learner: AccountId, course: CourseId, now: Timestamp) -> Result<bool, DbError> {
    let sql = tx.sql(&LEAVE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

#[derive(sqlx::FromRow)]
struct AttendanceRow {
    learner_id: AccountId,
    course_id: CourseId,
    enrolled_at: Timestamp,
    left_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    cohort_id: Option<CohortId>,
}

/// Cohort and history of enrolments.
pub(super) async fn attendances(
    db: &Db,
    keys: &[(AccountId, CourseId)],
) -> Result<Vec<((AccountId, CourseId), Attendance)>, DbError> {
    let sql = db.sql(&BREAKS);
    let pairs = Pairs::new(keys.iter().copied());
    let rows: Vec<(AccountId, CourseId, Timestamp, Timestamp)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(pairs).bind(model::MAX_BREAKS).fetch_all(c).await)?;
    let mut breaks: HashMap<_, Vec<_>> = HashMap::new();
    for (learner, course, left, back) in rows {
        breaks.entry((learner, course)).or_default().push((left, back));
    }
    let (sql, pairs) = (db.sql(&ATTENDANCES), Pairs::new(keys.iter().copied()));
    let rows: Vec<AttendanceRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(pairs).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let key = (row.learner_id, row.course_id);
            let breaks = breaks.get(&key).map_or(&[][..], Vec::as_slice);
            let history = model::history(row.enrolled_at, row.left_at, row.completed_at, breaks);
            (key, Attendance { cohort_id: row.cohort_id.into(), history: history.into() })
        })
        .collect())
}
