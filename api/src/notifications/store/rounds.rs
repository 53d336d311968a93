//! What is left to do of telling many people. By course.

use uuid::Uuid;

use super::super::model::{Besides, Round, RoundKind};
use crate::{
    db::{Db, DbError, Text, Tx, on, statements},
    ids::{AccountId, CourseId, ThreadId},
    time::Timestamp,
};

statements! {
    PUT {
        "INSERT INTO notice_rounds (course_id, subject_id, kind, thread_id, besides, after_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (course_id, subject_id, kind) DO UPDATE SET after_id = excluded.after_id"
    }
    DONE { "DELETE FROM notice_rounds WHERE course_id = $1 AND subject_id = $2 AND kind = $3" }
    OLDEST { "SELECT course_id, subject_id, kind FROM notice_rounds ORDER BY created_at LIMIT 10" }
    /// The round, unless another server is at it.
    TAKE {
        "SELECT course_id, subject_id, kind, thread_id, besides, after_id FROM notice_rounds
         WHERE course_id = $1 AND subject_id = $2 AND kind = $3" [pg " FOR UPDATE SKIP LOCKED"]
    }
}

#[derive(sqlx::FromRow)]
struct RoundRow {
    course_id: CourseId,
    subject_id: Uuid,
    kind: Text<RoundKind>,
    thread_id: Option<ThreadId>,
    besides: String,
    after_id: AccountId,
}

impl From<RoundRow> for Round {
    fn from(row: RoundRow) -> Self {
        Self {
            kind: row.kind.0,
            course: row.course_id,
            subject: row.subject_id,
            thread: row.thread_id,
            besides: serde_json::from_str(&row.besides).unwrap_or_default(),
            after: row.after_id,
        }
    }
}

/// A round's key.
pub(in super::super) type Key = (CourseId, Uuid, RoundKind);

/// Keeps what is left of a round.
pub(in super::super) async fn put(tx: &mut Tx, round: &Round, now: Timestamp) -> Result<(), DbError> {
    let Besides(people) = &round.besides;
    let besides = serde_json::to_string(people).unwrap_or_else(|_| "[]".to_owned());
    let sql = tx.sql(&PUT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(round.course).bind(round.subject).bind(Text(round.kind)).bind(round.thread).bind(besides).bind(round.after).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in super::super) async fn done(tx: &mut Tx, (course, subject, kind): Key) -> Result<(), DbError> {
    let sql = tx.sql(&DONE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(subject).bind(Text(kind)).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in super::super) async fn oldest(db: &Db) -> Result<Vec<Key>, DbError> {
    let sql = db.sql(&OLDEST);
    let rows: Vec<(CourseId, Uuid, Text<RoundKind>)> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, subject, kind)| (course, subject, kind.0)).collect())
}

pub(in super::super) async fn take(tx: &mut Tx, (course, subject, kind): Key) -> Result<Option<Round>, DbError> {
    let sql = tx.sql(&TAKE);
    let row: Option<RoundRow> = on!(tx.conn(), c => sqlx::query_as(sql)
        .bind(course).bind(subject).bind(Text(kind)).fetch_optional(c).await)?;
    Ok(row.map(Round::from))
}
