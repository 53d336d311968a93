//! The table of one-time tokens.

use super::model::TokenKind;
use crate::{
    db::{Db, DbError, Text, Tx, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    ISSUE {
        "INSERT INTO one_time_tokens (account_id, secret_hash, kind, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)"
    }
    /// Uses a token (1, 2) of a kind (3) at a time (4): once, whoever else tries at the same moment.
    USE {
        "UPDATE one_time_tokens SET used_at = $4
         WHERE account_id = $1 AND secret_hash = $2 AND kind = $3 AND used_at IS NULL AND expires_at > $4"
    }
    /// Whether a token (1, 2) of a kind (3) can be used at a time (4).
    IS_GOOD {
        "SELECT EXISTS (SELECT 1 FROM one_time_tokens
         WHERE account_id = $1 AND secret_hash = $2 AND kind = $3 AND used_at IS NULL AND expires_at > $4) AS good"
    }
    /// Forgets a person's (1) tokens of a kind (2): those that were not used are no longer good.
    FORGET { "DELETE FROM one_time_tokens WHERE account_id = $1 AND kind = $2" }
}

pub(crate) async fn issue(
    db: &Db,
    (account, secret_hash): (AccountId, &[u8; 32]),
    kind: TokenKind,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let sql = db.sql(&ISSUE);
    on!(db.writer(), c => sqlx::query(sql)
        .bind(account).bind(secret_hash.to_vec()).bind(Text(kind)).bind(now).bind(expires_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether it can be used.
pub(crate) async fn is_good(
    db: &Db,
    (account, secret_hash): (AccountId, &[u8; 32]),
    kind: TokenKind,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = db.sql(&IS_GOOD);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql)
        .bind(account).bind(secret_hash.to_vec()).bind(Text(kind)).bind(now)
        .fetch_one(c).await)?)
}

/// Whether it could be used.
pub(crate) async fn take(
    tx: &mut Tx,
    (account, secret_hash): (AccountId, &[u8; 32]),
    kind: TokenKind,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&USE);
    let rows = on!(tx.conn(), c => sqlx::query(sql)
        .bind(account).bind(secret_hash.to_vec()).bind(Text(kind)).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

pub(crate) async fn forget(tx: &mut Tx, account: AccountId, kind: TokenKind) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(Text(kind)).execute(c).await.map(|_| ()))?;
    Ok(())
}
