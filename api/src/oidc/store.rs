//! Who is who at another provider.

use crate::{
    db::{Db, DbError, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    ACCOUNT { "SELECT account_id FROM external_identities WHERE identity_hash = $1" }
    LINK {
        "INSERT INTO external_identities (identity_hash, account_id, linked_at) VALUES ($1, $2, $3)
         ON CONFLICT (identity_hash) DO NOTHING"
    }
}

pub(crate) async fn account(db: &Db, identity_hash: &[u8; 32]) -> Result<Option<AccountId>, DbError> {
    let sql = db.sql(&ACCOUNT);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(identity_hash.to_vec()).fetch_optional(c).await)?)
}

pub(crate) async fn link(db: &Db, identity_hash: &[u8; 32], account: AccountId, now: Timestamp) -> Result<(), DbError> {
    let sql = db.sql(&LINK);
    on!(db.writer(), c => sqlx::query(sql)
        .bind(identity_hash.to_vec()).bind(account).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
