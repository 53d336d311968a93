//! The tables of second factors.

use uuid::Uuid;

use super::model::State;
use crate::{
    db::{Db, DbError, Tx, Uuids, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    STATES {
        "SELECT f.account_id, f.enabled_at, (SELECT COUNT(*) FROM recovery_codes r WHERE r.account_id = f.account_id) AS codes
         FROM second_factors f WHERE f.enabled_at IS NOT NULL AND f.account_id " [any_uuid 1]
    }
    /// The name under which an authenticator lists the account: the address, or for want of one the name.
    LABEL { "SELECT COALESCE(email, name) FROM accounts WHERE id = $1" }
    /// Keeps the count of wrong codes, so that beginning again gives no further tries.
    PUT {
        "INSERT INTO second_factors (account_id, sealed_secret, last_step, failures, failing_since) VALUES ($1, $2, 0, 0, 0)
         ON CONFLICT (account_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, last_step = 0
         WHERE second_factors.enabled_at IS NULL"
    }
    LOCK {
        "SELECT sealed_secret, enabled_at, last_step, failures, failing_since FROM second_factors WHERE account_id = $1"
        [for_update]
    }
    ENABLE { "UPDATE second_factors SET enabled_at = $2 WHERE account_id = $1" }
    SPEND_STEP { "UPDATE second_factors SET last_step = $2 WHERE account_id = $1" }
    PUT_FAILURES { "UPDATE second_factors SET failures = $2, failing_since = $3 WHERE account_id = $1" }
    REMOVE { "DELETE FROM second_factors WHERE account_id = $1" }
    MARK_SESSION { "UPDATE sessions SET two_factor = $3 WHERE account_id = $1 AND id = $2" }
    UNMARK_SESSIONS { "UPDATE sessions SET two_factor = $2 WHERE account_id = $1" }
    UNMARK_TOKENS { "UPDATE access_tokens SET two_factor = $2 WHERE account_id = $1" }
    PUT_RECOVERY_CODE { "INSERT INTO recovery_codes (account_id, code_hash) VALUES ($1, $2)" }
    SPEND_RECOVERY_CODE { "DELETE FROM recovery_codes WHERE account_id = $1 AND code_hash = $2" }
    REMOVE_RECOVERY_CODES { "DELETE FROM recovery_codes WHERE account_id = $1" }
}

#[derive(sqlx::FromRow)]
struct StateRow {
    account_id: AccountId,
    enabled_at: Option<Timestamp>,
    codes: i64,
}

/// A second factor as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct Factor {
    pub(super) sealed_secret: Vec<u8>,
    pub(super) enabled_at: Option<Timestamp>,
    pub(super) last_step: i64,
    pub(super) failures: i64,
    pub(super) failing_since: Timestamp,
}

/// The state of those who have a second factor.
pub(super) async fn states(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, State)>, DbError> {
    let (sql, accounts) = (db.sql(&STATES), Uuids::new(accounts.iter().copied()));
    let rows: Vec<StateRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.account_id, State { since: row.enabled_at, recovery_codes_left: row.codes }))
        .collect())
}

pub(super) async fn label(db: &Db, account: AccountId) -> Result<Option<String>, DbError> {
    let sql = db.sql(&LABEL);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_optional(c).await)?)
}

/// Whether it was taken: not over one that is on.
pub(super) async fn put(db: &Db, account: AccountId, sealed_secret: Vec<u8>) -> Result<bool, DbError> {
    let sql = db.sql(&PUT);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(account).bind(sealed_secret)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// The second factor, held until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, account: AccountId) -> Result<Option<Factor>, DbError> {
    let sql = tx.sql(&LOCK);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(account).fetch_optional(c).await)?)
}

pub(super) async fn enable(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&ENABLE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(now).execute(c).await.map(|_| ()))?)
}

pub(super) async fn spend_step(tx: &mut Tx, account: AccountId, step: i64) -> Result<(), DbError> {
    let sql = tx.sql(&SPEND_STEP);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(step).execute(c).await.map(|_| ()))?)
}

pub(super) async fn put_failures(
    tx: &mut Tx,
    account: AccountId,
    failures: i64,
    since: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_FAILURES);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(failures).bind(since).execute(c).await.map(|_| ()))?)
}

pub(crate) async fn remove(tx: &mut Tx, account: AccountId) -> Result<(), DbError> {
    remove_recovery_codes(tx, account).await?;
    let sql = tx.sql(&REMOVE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).execute(c).await.map(|_| ()))?)
}

/// The second factor was shown in this session.
pub(super) async fn mark_session(tx: &mut Tx, account: AccountId, session: Uuid) -> Result<(), DbError> {
    let sql = tx.sql(&MARK_SESSION);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(session).bind(true).execute(c).await.map(|_| ()))?)
}

/// No session and no token has shown a second factor.
pub(super) async fn unmark(tx: &mut Tx, account: AccountId) -> Result<(), DbError> {
    for statement in [&UNMARK_SESSIONS, &UNMARK_TOKENS] {
        let sql = tx.sql(statement);
        on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(false).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

pub(super) async fn put_recovery_codes(tx: &mut Tx, account: AccountId, hashes: &[[u8; 32]]) -> Result<(), DbError> {
    for hash in hashes {
        let sql = tx.sql(&PUT_RECOVERY_CODE);
        on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(hash.to_vec()).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// Whether there was such a code.
pub(super) async fn spend_recovery_code(tx: &mut Tx, account: AccountId, hash: &[u8; 32]) -> Result<bool, DbError> {
    let sql = tx.sql(&SPEND_RECOVERY_CODE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(hash.to_vec())
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

pub(super) async fn remove_recovery_codes(tx: &mut Tx, account: AccountId) -> Result<(), DbError> {
    let sql = tx.sql(&REMOVE_RECOVERY_CODES);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).execute(c).await.map(|_| ()))?)
}
