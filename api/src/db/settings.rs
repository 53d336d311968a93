//! Small facts about this installation: the fingerprint of its key, the model in use.

use super::{Db, DbError, Tx, on, statements};

statements! {
    SETTING { "SELECT value FROM settings WHERE name = $1" }
    SET_ONCE { "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING" }
    SET { "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value" }
}

/// The value of a setting.
pub(crate) async fn get(db: &Db, name: &str) -> Result<Option<String>, DbError> {
    let sql = db.sql(&SETTING);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(name).fetch_optional(c).await)?)
}

/// Keeps the value if there is none yet, and answers with the one that is kept.
pub(crate) async fn get_or_set(db: &Db, name: &str, value: &str) -> Result<String, DbError> {
    // Read first: a look needs no lock.
    if let Some(kept) = get(db, name).await? {
        return Ok(kept);
    }
    let sql = db.sql(&SET_ONCE);
    on!(db.writer(), c => sqlx::query(sql).bind(name).bind(value).execute(c).await.map(|_| ()))?;
    Ok(get(db, name).await?.unwrap_or_else(|| value.to_owned()))
}

/// Keeps a value in place of the one before.
pub(crate) async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), DbError> {
    let sql = tx.sql(&SET);
    on!(tx.conn(), c => sqlx::query(sql).bind(name).bind(value).execute(c).await.map(|_| ()))?;
    Ok(())
}
