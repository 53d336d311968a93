//! The profile's columns and tables.

use super::model::{Change, Preferences};
use crate::{
    db::{Db, DbError, Tx, Uuids, on, statements},
    ids::{AccountId, TopicId},
    time::Timestamp,
};

statements! {
    /// For each column but the name: whether it changes, and to what.
    UPDATE_ACCOUNT {
        "UPDATE accounts SET name = COALESCE($2, name),
           picture_url = CASE WHEN $3 THEN $4 ELSE picture_url END, education = CASE WHEN $5 THEN $6 ELSE education END,
           time_zone = CASE WHEN $7 THEN $8 ELSE time_zone END, language = CASE WHEN $9 THEN $10 ELSE language END
         WHERE id = $1"
    }
    UPDATE_PREFERENCES {
        "INSERT INTO preferences (account_id, interface_language, playback_speed) VALUES ($1, $3, $5)
         ON CONFLICT (account_id) DO UPDATE SET
           interface_language = CASE WHEN $2 THEN excluded.interface_language ELSE preferences.interface_language END,
           playback_speed = CASE WHEN $4 THEN excluded.playback_speed ELSE preferences.playback_speed END"
    }
    FORGET_GOALS { "DELETE FROM learning_goals WHERE learner_id = $1" }
    PUT_GOALS { "INSERT INTO learning_goals (learner_id, topic_id) SELECT $1, id FROM topics WHERE id " [any_uuid 2] }
    STAMP_GOALS { "UPDATE accounts SET goals_at = $2 WHERE id = $1" }
    PREFERENCES { "SELECT account_id, interface_language, playback_speed FROM preferences WHERE account_id " [any_uuid 1] }
}

/// What becomes of a person's own columns; every value is one that may stand there.
pub(super) struct Columns {
    pub(super) name: Change<String>,
    pub(super) picture: Change<String>,
    pub(super) education: Change<String>,
    pub(super) time_zone: Change<String>,
    pub(super) language: Change<String>,
}

#[derive(sqlx::FromRow)]
struct PreferencesRow {
    account_id: AccountId,
    interface_language: Option<String>,
    playback_speed: Option<i64>,
}

pub(super) async fn update_account(tx: &mut Tx, account: AccountId, to: Columns) -> Result<(), DbError> {
    let sql = tx.sql(&UPDATE_ACCOUNT);
    let Columns { name, picture, education, time_zone, language } = to;
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(account).bind(name.value())
        .bind(picture.is_made()).bind(picture.value())
        .bind(education.is_made()).bind(education.value())
        .bind(time_zone.is_made()).bind(time_zone.value())
        .bind(language.is_made()).bind(language.value())
        .execute(c).await.map(|_| ()))?)
}

pub(super) async fn update_preferences(
    tx: &mut Tx,
    account: AccountId,
    language: Change<String>,
    playback_speed: Change<i64>,
) -> Result<(), DbError> {
    let sql = tx.sql(&UPDATE_PREFERENCES);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(account).bind(language.is_made()).bind(language.value())
        .bind(playback_speed.is_made()).bind(playback_speed.value())
        .execute(c).await.map(|_| ()))?)
}

/// Puts these goals in place of those before, and notes when, so that what was recommended for the old ones is stale.
pub(super) async fn replace_goals(
    tx: &mut Tx,
    account: AccountId,
    goals: &[TopicId],
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_GOALS);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).execute(c).await.map(|_| ()))?;
    let (sql, goals) = (tx.sql(&PUT_GOALS), Uuids::new(goals.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(goals).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&STAMP_GOALS);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(now).execute(c).await.map(|_| ()))?)
}

pub(super) async fn preferences(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, Preferences)>, DbError> {
    let (sql, accounts) = (db.sql(&PREFERENCES), Uuids::new(accounts.iter().copied()));
    let rows: Vec<PreferencesRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let preferences = Preferences { language: row.interface_language, playback_speed: row.playback_speed };
            (row.account_id, preferences)
        })
        .collect())
}
