//! The table of keys.

use crate::{
    db::{Db, DbError, Tx, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    INSERT {
        "INSERT INTO idempotency_keys (account_id, key, request_hash, result, used_at) VALUES ($1, $2, $3, '', $4)
         ON CONFLICT (account_id, key) DO NOTHING"
    }
    FIND { "SELECT request_hash, result FROM idempotency_keys WHERE account_id = $1 AND key = $2" }
    KEEP { "UPDATE idempotency_keys SET result = $3 WHERE account_id = $1 AND key = $2" }
    PRUNE { "DELETE FROM idempotency_keys WHERE used_at < $1" }
}

/// Whether the key is new.
pub(super) async fn insert(
    tx: &mut Tx,
    account: AccountId,
    key: &str,
    hash: &[u8],
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&INSERT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(key).bind(hash).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// What the key was used for, and what came of it.
pub(super) async fn find(tx: &mut Tx, account: AccountId, key: &str) -> Result<Option<(Vec<u8>, String)>, DbError> {
    let sql = tx.sql(&FIND);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(account).bind(key).fetch_optional(c).await)?)
}

pub(super) async fn keep(tx: &mut Tx, account: AccountId, key: &str, result: &str) -> Result<(), DbError> {
    let sql = tx.sql(&KEEP);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(key).bind(result).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// How many were forgotten.
pub(super) async fn prune(db: &Db, before: Timestamp) -> Result<u64, DbError> {
    let sql = db.sql(&PRUNE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected()))?)
}
