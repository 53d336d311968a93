//! Which notifications are due by mail, and which belong to a digest.

use uuid::Uuid;

use super::{super::model::Notification, NotificationRow};
use crate::{
    db::{Db, DbError, Tx, Uuids, on, statements},
    ids::AccountId,
    time::Timestamp,
};

statements! {
    DUE { "SELECT DISTINCT person_id FROM (SELECT person_id FROM notifications WHERE mail_at <= $1 ORDER BY mail_at, person_id LIMIT 500) d" }
    /// What is due of these people (1) belongs to a digest (2) from now on. Whoever comes second finds nothing.
    CLAIM {
        "UPDATE notifications SET digest_id = $2, mail_at = NULL
         WHERE person_id " [any_uuid 1] " AND mail_at <= $3 AND read_at IS NULL RETURNING person_id"
    }
    OF_DIGEST {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at FROM notifications
         WHERE person_id = $1 AND digest_id = $2 AND read_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT 200"
    }
    /// To whom a digest is written, if she can be written to.
    READER {
        "SELECT a.language, p.interface_language FROM accounts a LEFT JOIN preferences p ON p.account_id = a.id
         WHERE a.id = $1 AND a.email IS NOT NULL AND a.email_verified_at IS NOT NULL AND a.status = 'ACTIVE'"
    }
}

/// Some of those to whom something is due.
pub(in super::super) async fn due(db: &Db, now: Timestamp) -> Result<Vec<AccountId>, DbError> {
    let sql = db.sql(&DUE);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(now).fetch_all(c).await)?)
}

/// Puts what is due of these people into a digest. Answers with whose it is; somebody may be named more than once.
pub(in super::super) async fn claim(
    tx: &mut Tx,
    people: &[AccountId],
    digest: Uuid,
    now: Timestamp,
) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&CLAIM), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(people).bind(digest).bind(now).fetch_all(c).await)?)
}

/// What belongs to a digest and was not read meanwhile.
pub(in super::super) async fn of_digest(
    db: &Db,
    person: AccountId,
    digest: Uuid,
) -> Result<Vec<Notification>, DbError> {
    let sql = db.sql(&OF_DIGEST);
    let rows: Vec<NotificationRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(digest).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Notification::from).collect())
}

/// The languages of somebody who can be written to: hers, and that of her interface.
pub(in super::super) async fn reader(
    db: &Db,
    person: AccountId,
) -> Result<Option<(Option<String>, Option<String>)>, DbError> {
    let sql = db.sql(&READER);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(person).fetch_optional(c).await)?)
}
