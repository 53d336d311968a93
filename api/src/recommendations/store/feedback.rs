//! What learners say of courses, and what they have agreed to. Every key starts with the learner.

use crate::{
    db::{
        Db, DbError, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, CourseId},
    recommendations::model::{Consent, Feedback, FeedbackKind, Purpose},
    time::Timestamp,
};

statements! {
    /// Makes the kept list stale, and holds the account: of two words at once, one comes first.
    TOUCH {
        "UPDATE accounts SET feedback_at = CASE WHEN feedback_at < $2 THEN $2 ELSE feedback_at + 1 END WHERE id = $1"
    }
    PUT_FEEDBACK {
        "INSERT INTO recommendation_feedback (learner_id, course_id, kind, said_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (learner_id, course_id) DO UPDATE SET kind = excluded.kind, said_at = excluded.said_at"
    }
    TAKE_BACK { "DELETE FROM recommendation_feedback WHERE learner_id = $1 AND course_id = $2" }
    FEEDBACK_ON { "SELECT course_id, kind, said_at FROM recommendation_feedback WHERE learner_id = $1 AND course_id = $2" }
    FEEDBACK { "SELECT course_id, kind, said_at FROM recommendation_feedback WHERE learner_id = $1 ORDER BY said_at, course_id" }
    FEEDBACK_FORWARD {
        "SELECT course_id, kind, said_at FROM recommendation_feedback
         WHERE learner_id = $1 AND (said_at, course_id) < ($2, $3) ORDER BY said_at DESC, course_id DESC LIMIT $4"
    }
    FEEDBACK_BACKWARD {
        "SELECT course_id, kind, said_at FROM recommendation_feedback
         WHERE learner_id = $1 AND (said_at, course_id) > ($2, $3) ORDER BY said_at, course_id LIMIT $4"
    }
    PUT_CONSENT {
        "INSERT INTO consents (learner_id, purpose, granted, decided_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (learner_id, purpose) DO UPDATE SET granted = excluded.granted, decided_at = excluded.decided_at
         WHERE consents.granted <> excluded.granted"
    }
    CONSENTS {
        "SELECT learner_id, purpose, granted, decided_at FROM consents WHERE learner_id " [any_uuid 1] " ORDER BY learner_id, purpose"
    }
    /// A decision that is being written is waited for, and one to come waits. A statement of its own, so that the next one
    /// reads what was decided.
    HOLD { "SELECT id FROM accounts WHERE id = $1" [pg " FOR SHARE"] }
    GRANTED {
        "SELECT NOT EXISTS (SELECT 1 FROM consents c WHERE c.learner_id = $1 AND c.purpose = $2 AND NOT c.granted) AS granted"
    }
    FORGET_LIST { "DELETE FROM recommendation_lists WHERE learner_id = $1" }
}

#[derive(sqlx::FromRow)]
struct FeedbackRow {
    course_id: CourseId,
    kind: Text<FeedbackKind>,
    said_at: Timestamp,
}

impl From<FeedbackRow> for Feedback {
    fn from(row: FeedbackRow) -> Self {
        Self { course: row.course_id, kind: row.kind.0, at: row.said_at }
    }
}

#[derive(sqlx::FromRow)]
struct ConsentRow {
    learner_id: AccountId,
    purpose: Text<Purpose>,
    granted: bool,
    decided_at: Timestamp,
}

/// Makes what was kept for a learner stale. To be the first write of a transaction.
pub(in crate::recommendations) async fn touch(tx: &mut Tx, learner: AccountId, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&TOUCH);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(now).execute(c).await.map(|_| ()))?)
}

pub(in crate::recommendations) async fn put(
    tx: &mut Tx,
    learner: AccountId,
    feedback: Feedback,
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_FEEDBACK);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(learner).bind(feedback.course).bind(Text(feedback.kind)).bind(feedback.at)
        .execute(c).await.map(|_| ()))?)
}

pub(in crate::recommendations) async fn take_back(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<(), DbError> {
    let sql = tx.sql(&TAKE_BACK);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).execute(c).await.map(|_| ()))?)
}

/// Her word on one course.
pub(in crate::recommendations) async fn on_course(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
) -> Result<Option<Feedback>, DbError> {
    let sql = tx.sql(&FEEDBACK_ON);
    let row: Option<FeedbackRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(learner).bind(course).fetch_optional(c).await)?;
    Ok(row.map(Feedback::from))
}

/// All that she said, the oldest first: at most a row for each course.
pub(in crate::recommendations) async fn all(db: &Db, learner: AccountId) -> Result<Vec<Feedback>, DbError> {
    let sql = db.sql(&FEEDBACK);
    let rows: Vec<FeedbackRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(learner).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Feedback::from).collect())
}

/// The rows of a page of what she said, the latest first, as they were read.
pub(in crate::recommendations) async fn page(
    db: &Db,
    learner: AccountId,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Feedback>, DbError> {
    let sql = db.sql(if request.is_forward() { &FEEDBACK_FORWARD } else { &FEEDBACK_BACKWARD });
    let (time, id) = request.start(false);
    let rows: Vec<FeedbackRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(learner).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Feedback::from).collect())
}

/// Writes a decision down; one like that before stays as it was made.
pub(in crate::recommendations) async fn put_consent(
    tx: &mut Tx,
    learner: AccountId,
    (purpose, granted): (Purpose, bool),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_CONSENT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(Text(purpose)).bind(granted).bind(now)
        .execute(c).await.map(|_| ()))?)
}

/// What was decided; a purpose about which somebody has not decided is not there.
pub(in crate::recommendations) async fn consents(
    db: &Db,
    learners: &[AccountId],
) -> Result<Vec<(AccountId, Consent)>, DbError> {
    let (sql, learners) = (db.sql(&CONSENTS), Uuids::new(learners.iter().copied()));
    let rows: Vec<ConsentRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(learners).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let consent = Consent { purpose: row.purpose.0, granted: row.granted, decided_at: Some(row.decided_at) };
            (row.learner_id, consent)
        })
        .collect())
}

/// Whether her data may be used for this. A decision to the contrary waits for the end of the transaction.
pub(in crate::recommendations) async fn hold_consent(
    tx: &mut Tx,
    learner: AccountId,
    purpose: Purpose,
) -> Result<bool, DbError> {
    let sql = tx.sql(&HOLD);
    on!(tx.conn(), c => sqlx::query(sql).bind(learner).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&GRANTED);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(learner).bind(Text(purpose)).fetch_one(c).await)?)
}

/// Deletes the list that is kept for a learner.
pub(in crate::recommendations) async fn forget_list(tx: &mut Tx, learner: AccountId) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_LIST);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(learner).execute(c).await.map(|_| ()))?)
}
