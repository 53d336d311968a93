//! Enrolments as they begin and end. Every key of a learner's table starts with the learner.

use crate::{
    db::{Db, DbError, Tx, on, statements},
    ids::{AccountId, CourseId},
    time::Timestamp,
};

statements! {
    ENROL {
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum)
         VALUES ($1, $2, $3, $3, 0, 0) ON CONFLICT (learner_id, course_id) DO NOTHING"
    }
    REJOIN { "UPDATE enrolments SET left_at = NULL WHERE learner_id = $1 AND course_id = $2 AND left_at IS NOT NULL" }
    LEAVE { "UPDATE enrolments SET left_at = $3 WHERE learner_id = $1 AND course_id = $2 AND left_at IS NULL" }
    COUNT_LEARNER {
        "INSERT INTO course_rollups (course_id, learner_count, completed_count, rating_count, rating_sum)
         VALUES ($1, 1, 0, 0, 0)
         ON CONFLICT (course_id) DO UPDATE SET learner_count = course_rollups.learner_count + 1"
    }
}

/// Whether the enrolment is new.
pub(super) async fn enrol(tx: &mut Tx, learner: AccountId, course: CourseId, now: Timestamp) -> Result<bool, DbError> {
    let sql = tx.sql(&ENROL);
    let added = on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if added == 0 {
        let sql = tx.sql(&REJOIN);
        on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).execute(c).await.map(|_| ()))?;
        return Ok(false);
    }
    let sql = tx.sql(&COUNT_LEARNER);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).execute(c).await.map(|_| ()))?;
    Ok(true)
}

/// Ends an enrolment. Whether there was one to end.
pub(super) async fn leave(db: &Db, learner: AccountId, course: CourseId, now: Timestamp) -> Result<bool, DbError> {
    let sql = db.sql(&LEAVE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(learner).bind(course).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}
