//! What people want to hear, and how. By person.

use super::super::model::{Channels, MailFrequency, NotificationKind};
use crate::{
    db::{Db, DbError, Text, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, ThreadId},
    time::Timestamp,
};

statements! {
    OF_KIND { "SELECT person_id, in_graph, mail FROM notification_preferences WHERE person_id " [any_uuid 1] " AND kind = $2" }
    OF_PERSON { "SELECT kind, in_graph, mail FROM notification_preferences WHERE person_id = $1" }
    PUT {
        "INSERT INTO notification_preferences (person_id, kind, in_graph, mail) VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, kind) DO UPDATE SET in_graph = excluded.in_graph, mail = excluded.mail"
    }
    SETTINGS { "SELECT by_mail, follow_when_posting FROM notification_settings WHERE person_id = $1" }
    PUT_SETTINGS {
        "INSERT INTO notification_settings (person_id, by_mail, follow_when_posting) VALUES ($1, $2, $3)
         ON CONFLICT (person_id) DO UPDATE SET by_mail = excluded.by_mail, follow_when_posting = excluded.follow_when_posting"
    }
    /// No more mail to somebody, if there is somebody.
    UNSUBSCRIBE {
        "INSERT INTO notification_settings (person_id, by_mail, follow_when_posting)
         SELECT id, FALSE, TRUE FROM accounts WHERE id = $1
         ON CONFLICT (person_id) DO UPDATE SET by_mail = FALSE"
    }
    WITHOUT_MAIL { "SELECT person_id FROM notification_settings WHERE person_id " [any_uuid 1] " AND NOT by_mail" }
    /// Who can be written to, and where the sun stands there.
    ZONES {
        "SELECT id, time_zone FROM accounts
         WHERE id " [any_uuid 1] " AND email IS NOT NULL AND email_verified_at IS NOT NULL AND status = 'ACTIVE'"
    }
    MUTE {
        "INSERT INTO notification_mutes (person_id, course_id, muted_id, muted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, course_id, muted_id) DO NOTHING"
    }
    UNMUTE { "DELETE FROM notification_mutes WHERE person_id = $1 AND course_id = $2 AND muted_id = $3" }
    COUNT_MUTES { "SELECT COUNT(*) FROM notification_mutes WHERE person_id = $1" }
    MUTES { "SELECT course_id, muted_id FROM notification_mutes WHERE person_id = $1 ORDER BY muted_at, course_id, muted_id" }
    /// Who of the people (1) wants to hear nothing of the course (2), or of the thread (3).
    MUTED {
        "SELECT person_id FROM notification_mutes
         WHERE person_id " [any_uuid 1] " AND course_id = $2 AND (muted_id = $2 OR muted_id = $3)"
    }
}

type KindRow = (Text<NotificationKind>, bool, Text<MailFrequency>);

/// What these people said about a kind; who said nothing is not among them.
pub(in super::super) async fn of_kind(
    tx: &mut Tx,
    people: &[AccountId],
    kind: NotificationKind,
) -> Result<Vec<(AccountId, Channels)>, DbError> {
    let (sql, people) = (tx.sql(&OF_KIND), Uuids::new(people.iter().copied()));
    let rows: Vec<(AccountId, bool, Text<MailFrequency>)> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(people).bind(Text(kind)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(person, in_graph, mail)| (person, Channels { in_graph, mail: mail.0 })).collect())
}

/// What somebody said, kind by kind.
pub(in super::super) async fn of_person(
    db: &Db,
    person: AccountId,
) -> Result<Vec<(NotificationKind, Channels)>, DbError> {
    let sql = db.sql(&OF_PERSON);
    let rows: Vec<KindRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(person).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(kind, in_graph, mail)| (kind.0, Channels { in_graph, mail: mail.0 })).collect())
}

pub(in super::super) async fn put(
    tx: &mut Tx,
    person: AccountId,
    kind: NotificationKind,
    channels: Channels,
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(person).bind(Text(kind)).bind(channels.in_graph).bind(Text(channels.mail))
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether somebody wants mails, and follows where she writes; `None` if she never said.
pub(in super::super) async fn settings(db: &Db, person: AccountId) -> Result<Option<(bool, bool)>, DbError> {
    let sql = db.sql(&SETTINGS);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(person).fetch_optional(c).await)?)
}

/// As [`settings`], in a transaction.
pub(in super::super) async fn settings_in(tx: &mut Tx, person: AccountId) -> Result<Option<(bool, bool)>, DbError> {
    let sql = tx.sql(&SETTINGS);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(person).fetch_optional(c).await)?)
}

pub(in super::super) async fn put_settings(
    tx: &mut Tx,
    person: AccountId,
    (by_mail, follow_when_posting): (bool, bool),
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_SETTINGS);
    on!(tx.conn(), c => sqlx::query(sql).bind(person).bind(by_mail).bind(follow_when_posting).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in super::super) async fn unsubscribe(db: &Db, person: AccountId) -> Result<(), DbError> {
    let sql = db.sql(&UNSUBSCRIBE);
    on!(db.writer(), c => sqlx::query(sql).bind(person).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Who of these people wants no mail.
pub(in super::super) async fn without_mail(tx: &mut Tx, people: &[AccountId]) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&WITHOUT_MAIL), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(people).fetch_all(c).await)?)
}

/// Those of these people whose address is verified, and their time zones.
pub(in super::super) async fn zones(
    tx: &mut Tx,
    people: &[AccountId],
) -> Result<Vec<(AccountId, Option<String>)>, DbError> {
    let (sql, people) = (tx.sql(&ZONES), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(people).fetch_all(c).await)?)
}

/// Mutes a thread, or with `None` the whole course; since an instant, or with `None` not any more.
pub(in super::super) async fn mute(
    tx: &mut Tx,
    person: AccountId,
    (course, thread): (CourseId, Option<ThreadId>),
    now: Option<Timestamp>,
) -> Result<(), DbError> {
    let muted = thread.map_or(course.0, |thread| thread.0);
    if let Some(now) = now {
        let sql = tx.sql(&MUTE);
        on!(tx.conn(), c => sqlx::query(sql).bind(person).bind(course).bind(muted).bind(now).execute(c).await.map(|_| ()))?;
    } else {
        let sql = tx.sql(&UNMUTE);
        on!(tx.conn(), c => sqlx::query(sql).bind(person).bind(course).bind(muted).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

pub(in super::super) async fn count_mutes(tx: &mut Tx, person: AccountId) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT_MUTES);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(person).fetch_one(c).await)?)
}

/// What somebody has muted, the oldest first; `None` for a whole course.
pub(in super::super) async fn mutes(db: &Db, person: AccountId) -> Result<Vec<(CourseId, Option<ThreadId>)>, DbError> {
    let sql = db.sql(&MUTES);
    let rows: Vec<(CourseId, ThreadId)> = on!(db.reader(), c => sqlx::query_as(sql).bind(person).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, muted)| (course, (muted.0 != course.0).then_some(muted))).collect())
}

pub(in super::super) async fn muted(
    tx: &mut Tx,
    people: &[AccountId],
    (course, thread): (CourseId, Option<ThreadId>),
) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&MUTED), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(people).bind(course).bind(thread).fetch_all(c).await)?)
}
