//! The table of what is to be sent.

use uuid::Uuid;

use super::model::{Addressee, Due, Kind};
use crate::{
    db::{Db, DbError, Text, Tx, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    ADD {
        "INSERT INTO outbox (account_id, id, kind, argument, created_at, not_before, attempts)
         VALUES ($1, $2, $3, $4, $5, $5, 0)"
    }
    COUNT_SINCE { "SELECT COUNT(*) FROM outbox WHERE account_id = $1 AND kind = $2 AND created_at > $3" }
    /// Takes what is due (1) for as long as a lease lasts (2). Another server passes over what this one holds.
    CLAIM {
        "UPDATE outbox SET attempts = attempts + 1, not_before = $2
         WHERE (account_id, id) IN (
             SELECT account_id, id FROM outbox
             WHERE sent_at IS NULL AND failed_at IS NULL AND not_before <= $1
             ORDER BY not_before, account_id, id LIMIT 20" [pg " FOR UPDATE SKIP LOCKED"] ")
         RETURNING account_id, id, kind, argument, attempts"
    }
    SENT { "UPDATE outbox SET sent_at = $3 WHERE account_id = $1 AND id = $2" }
    FAILED { "UPDATE outbox SET failed_at = $3 WHERE account_id = $1 AND id = $2" }
    LATER { "UPDATE outbox SET not_before = $3 WHERE account_id = $1 AND id = $2" }
    ADDRESSEE { "SELECT name, email FROM accounts WHERE id = $1 AND email IS NOT NULL" }
    DEPTH { "SELECT COUNT(*), MIN(created_at) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL" }
    /// Forgets what was dealt with before (1).
    CLEAR { "DELETE FROM outbox WHERE created_at < $1 AND (sent_at IS NOT NULL OR failed_at IS NOT NULL)" }
}

#[derive(sqlx::FromRow)]
struct DueRow {
    account_id: AccountId,
    id: Uuid,
    kind: Text<Kind>,
    argument: String,
    attempts: i64,
}

impl From<DueRow> for Due {
    fn from(row: DueRow) -> Self {
        Self { account: row.account_id, id: row.id, kind: row.kind.0, argument: row.argument, attempts: row.attempts }
    }
}

/// What becomes of something that was to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// It was sent.
    Sent,
    /// It is given up.
    Failed,
    /// It is tried again.
    Later,
}

pub(crate) async fn add(
    tx: &mut Tx,
    account: AccountId,
    id: Uuid,
    (kind, argument): (Kind, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&ADD);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(account).bind(id).bind(Text(kind)).bind(argument).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn count_since(tx: &mut Tx, account: AccountId, kind: Kind, since: Timestamp) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT_SINCE);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(account).bind(Text(kind)).bind(since).fetch_one(c).await)?)
}

pub(crate) async fn claim(db: &Db, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Due>, DbError> {
    let sql = db.sql(&CLAIM);
    let rows: Vec<DueRow> = on!(db.writer(), c => sqlx::query_as(sql).bind(now).bind(lease_until).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Due::from).collect())
}

pub(crate) async fn settle(db: &Db, due: &Due, outcome: Outcome, at: Timestamp) -> Result<(), DbError> {
    let sql = db.sql(match outcome {
        Outcome::Sent => &SENT,
        Outcome::Failed => &FAILED,
        Outcome::Later => &LATER,
    });
    on!(db.writer(), c => sqlx::query(sql).bind(due.account).bind(due.id).bind(at).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn addressee(db: &Db, account: AccountId) -> Result<Option<Addressee>, DbError> {
    let sql = db.sql(&ADDRESSEE);
    let row: Option<(String, String)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(account).fetch_optional(c).await)?;
    Ok(row.map(|(name, address)| Addressee { account, name, address }))
}

pub(crate) async fn clear(db: &Db, before: Timestamp) -> Result<(), DbError> {
    let sql = db.sql(&CLEAR);
    on!(db.writer(), c => sqlx::query(sql).bind(before).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// How many mails are to be sent, and since when the oldest of them waits.
pub(crate) async fn depth(db: &Db) -> Result<(i64, Option<Timestamp>), DbError> {
    let sql = db.sql(&DEPTH);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).fetch_one(c).await)?)
}
