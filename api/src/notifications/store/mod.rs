//! The table of notifications. Its key starts with whom it is for.

pub(crate) mod digests;
pub(crate) mod follows;
pub(crate) mod preferences;
pub(crate) mod rounds;

use uuid::Uuid;

use super::model::{Notice, Notification, NotificationKind};
use crate::{
    db::{
        Db, DbError, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, CourseId, NotificationId},
    time::Timestamp,
};

statements! {
    /// For each of the people (1) one more; where an unread one of the same group stands open, that one grows.
    PUT {
        "INSERT INTO notifications (person_id, id, kind, course_id, subject_id, group_id, created_at, updated_at, listed, mail_at)
         SELECT k.key, $2, $3, $4, $5, $6, $7, $7, $8, $9 FROM " [uuids 1] " k WHERE TRUE
         ON CONFLICT (person_id, kind, group_id) WHERE read_at IS NULL AND digest_id IS NULL AND group_id IS NOT NULL
         DO UPDATE SET times = notifications.times + 1, updated_at = excluded.updated_at, listed = excluded.listed,
           mail_at = COALESCE(notifications.mail_at, excluded.mail_at)
         RETURNING person_id, id"
    }
    TAKE_BACK { "DELETE FROM notifications WHERE person_id " [any_uuid 1] " AND id = $2" }
    FIND {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at
         FROM notifications WHERE person_id = $1 AND id = $2 AND listed"
    }
    FORWARD {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at FROM notifications
         WHERE person_id = $1 AND listed AND (updated_at, id) < ($2, $3) ORDER BY updated_at DESC, id DESC LIMIT $4"
    }
    BACKWARD {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at FROM notifications
         WHERE person_id = $1 AND listed AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4"
    }
    UNREAD_FORWARD {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at FROM notifications
         WHERE person_id = $1 AND listed AND read_at IS NULL AND (updated_at, id) < ($2, $3)
         ORDER BY updated_at DESC, id DESC LIMIT $4"
    }
    UNREAD_BACKWARD {
        "SELECT person_id, id, kind, course_id, subject_id, times, created_at, updated_at, read_at FROM notifications
         WHERE person_id = $1 AND listed AND read_at IS NULL AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4"
    }
    /// How many are unread, counted up to a bound (2).
    COUNT_UNREAD {
        "SELECT COUNT(*) FROM (SELECT 1 FROM notifications WHERE person_id = $1 AND listed AND read_at IS NULL LIMIT $2) u"
    }
    READ {
        "UPDATE notifications SET read_at = $3, mail_at = NULL WHERE person_id = $1 AND id " [any_uuid 2] " AND read_at IS NULL"
    }
    READ_UNTIL {
        "UPDATE notifications SET read_at = $3, mail_at = NULL
         WHERE person_id = $1 AND listed AND read_at IS NULL AND updated_at <= $2"
    }
    FORGET_READ {
        "DELETE FROM notifications WHERE (person_id, id) IN
           (SELECT person_id, id FROM notifications WHERE read_at < $1 ORDER BY read_at LIMIT 500)"
    }
    FORGET_OLD {
        "DELETE FROM notifications WHERE (person_id, id) IN
           (SELECT person_id, id FROM notifications WHERE updated_at < $1 ORDER BY updated_at LIMIT 500)"
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct NotificationRow {
    person_id: AccountId,
    id: NotificationId,
    kind: Text<NotificationKind>,
    course_id: Option<CourseId>,
    subject_id: Option<Uuid>,
    times: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    read_at: Option<Timestamp>,
}

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Self {
        Self {
            person: row.person_id,
            id: row.id,
            kind: row.kind.0,
            course: row.course_id,
            subject: row.subject_id,
            times: row.times,
            created_at: row.created_at,
            updated_at: row.updated_at,
            read_at: row.read_at,
        }
    }
}

/// Writes one for each of these people. Answers with whose they are, and their ids.
pub(super) async fn put(
    tx: &mut Tx,
    people: &[AccountId],
    (id, notice): (NotificationId, &Notice),
    (listed, mail_at): (bool, Option<Timestamp>),
    now: Timestamp,
) -> Result<Vec<(AccountId, NotificationId)>, DbError> {
    let (sql, people) = (tx.sql(&PUT), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql)
        .bind(people).bind(id).bind(Text(notice.kind)).bind(notice.course).bind(notice.subject).bind(notice.group)
        .bind(now).bind(listed).bind(mail_at)
        .fetch_all(c).await)?)
}

/// Takes one that many people have under the same id from these.
pub(super) async fn take_back(tx: &mut Tx, people: &[AccountId], id: NotificationId) -> Result<(), DbError> {
    let (sql, people) = (tx.sql(&TAKE_BACK), Uuids::new(people.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(people).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn find(db: &Db, person: AccountId, id: NotificationId) -> Result<Option<Notification>, DbError> {
    let sql = db.sql(&FIND);
    let row: Option<NotificationRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Notification::from))
}

/// The rows of a page, as they were read.
pub(super) async fn page(
    db: &Db,
    person: AccountId,
    unread: bool,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Notification>, DbError> {
    let sql = db.sql(match (unread, request.is_forward()) {
        (false, true) => &FORWARD,
        (false, false) => &BACKWARD,
        (true, true) => &UNREAD_FORWARD,
        (true, false) => &UNREAD_BACKWARD,
    });
    let (time, id) = request.start(false);
    let rows: Vec<NotificationRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(person).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Notification::from).collect())
}

pub(super) async fn count_unread(db: &Db, person: AccountId, most: i64) -> Result<i64, DbError> {
    let sql = db.sql(&COUNT_UNREAD);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(person).bind(most).fetch_one(c).await)?)
}

pub(super) async fn mark_read(
    tx: &mut Tx,
    person: AccountId,
    ids: &[NotificationId],
    now: Timestamp,
) -> Result<(), DbError> {
    let (sql, ids) = (tx.sql(&READ), Uuids::new(ids.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(person).bind(ids).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn mark_read_until(
    tx: &mut Tx,
    person: AccountId,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&READ_UNTIL);
    on!(tx.conn(), c => sqlx::query(sql).bind(person).bind(until).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Forgets some of what was read, or not touched, before an instant; how many that were.
pub(super) async fn forget(db: &Db, read: bool, before: Timestamp) -> Result<u64, DbError> {
    let sql = db.sql(if read { &FORGET_READ } else { &FORGET_OLD });
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected()))?)
}
