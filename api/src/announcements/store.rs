//! The table of announcements. Its key starts with the course.

use super::model::Announcement;
use crate::{
    db::{
        Db, DbError, Pairs, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, AnnouncementId, CourseId},
    time::Timestamp,
};

statements! {
    BY_IDS {
        "SELECT a.course_id, a.id, a.author_id, a.title, a.body, a.created_at, a.publish_at, a.edited_at, a.retracted_at, a.version
         FROM " [pairs 1] " k JOIN announcements a ON a.course_id = k.owner AND a.id = k.key"
    }
    /// To be changed: nobody else changes it meanwhile.
    FIND {
        "SELECT course_id, id, author_id, title, body, created_at, publish_at, edited_at, retracted_at, version
         FROM announcements WHERE course_id = $1 AND id = $2" [for_update]
    }
    PUBLISHED_FORWARD {
        [page (uuids) "t.course_id, t.id, t.author_id, t.title, t.body, t.created_at, t.publish_at, t.edited_at, t.retracted_at, t.version"
         from "announcements" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.publish_at <= $5 AND i.retracted_at IS NULL" by "publish_at" "id" ("<" "DESC")]
    }
    PUBLISHED_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.author_id, t.title, t.body, t.created_at, t.publish_at, t.edited_at, t.retracted_at, t.version"
         from "announcements" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.publish_at <= $5 AND i.retracted_at IS NULL" by "publish_at" "id" (">" "ASC")]
    }
    /// Drafts, and those whose time has not come.
    PLANNED {
        "SELECT course_id, id, author_id, title, body, created_at, publish_at, edited_at, retracted_at, version
         FROM announcements WHERE course_id " [any_uuid 1] " AND told_at IS NULL AND retracted_at IS NULL
           AND (publish_at IS NULL OR publish_at > $2)
         ORDER BY course_id, created_at DESC, id DESC"
    }
    COUNT_PLANNED {
        "SELECT COUNT(*) FROM announcements WHERE course_id = $1 AND told_at IS NULL AND retracted_at IS NULL"
    }
    INSERT {
        "INSERT INTO announcements (course_id, id, author_id, title, body, created_at, publish_at, told_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)"
    }
    UPDATE {
        "UPDATE announcements SET title = $4, body = $5, publish_at = $6, told_at = COALESCE(told_at, $7), edited_at = $8,
           version = version + 1
         WHERE course_id = $1 AND id = $2 AND version = $3 AND retracted_at IS NULL"
    }
    RETRACT {
        "UPDATE announcements SET retracted_at = $4, version = version + 1
         WHERE course_id = $1 AND id = $2 AND version = $3 AND retracted_at IS NULL"
    }
    DUE {
        "SELECT course_id, id FROM announcements WHERE publish_at <= $1 AND told_at IS NULL AND retracted_at IS NULL
         ORDER BY publish_at LIMIT 20"
    }
    /// Whoever comes second finds it told.
    TELL {
        "UPDATE announcements SET told_at = $3
         WHERE course_id = $1 AND id = $2 AND publish_at <= $3 AND told_at IS NULL AND retracted_at IS NULL RETURNING author_id"
    }
}

#[derive(sqlx::FromRow)]
struct AnnouncementRow {
    course_id: CourseId,
    id: AnnouncementId,
    author_id: AccountId,
    title: String,
    body: String,
    created_at: Timestamp,
    publish_at: Option<Timestamp>,
    edited_at: Option<Timestamp>,
    retracted_at: Option<Timestamp>,
    version: i64,
}

impl From<AnnouncementRow> for Announcement {
    fn from(row: AnnouncementRow) -> Self {
        Self {
            course_id: row.course_id,
            id: row.id,
            author_id: row.author_id,
            title: row.title.into(),
            body: row.body.into(),
            created_at: row.created_at,
            publish_at: row.publish_at,
            edited_at: row.edited_at,
            retracted_at: row.retracted_at,
            version: row.version,
        }
    }
}

pub(crate) async fn by_ids(db: &Db, keys: &[(CourseId, AnnouncementId)]) -> Result<Vec<Announcement>, DbError> {
    let (sql, keys) = (db.sql(&BY_IDS), Pairs::new(keys.iter().copied()));
    let rows: Vec<AnnouncementRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Announcement::from).collect())
}

/// One with the text that it has, to be changed in this transaction.
pub(super) async fn find(
    tx: &mut Tx,
    (course, id): (CourseId, AnnouncementId),
) -> Result<Option<(Announcement, Text)>, DbError> {
    let sql = tx.sql(&FIND);
    let row: Option<AnnouncementRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(id).fetch_optional(c).await)?;
    Ok(row.map(|row| {
        let text = Text { title: row.title.clone(), body: row.body.clone() };
        (row.into(), text)
    }))
}

/// For each course the rows of a page of what is published, the latest first, as they were read.
pub(super) async fn published_pages(
    db: &Db,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
    now: Timestamp,
) -> Result<Vec<Announcement>, DbError> {
    let sql = db.sql(if request.is_forward() { &PUBLISHED_FORWARD } else { &PUBLISHED_BACKWARD });
    let (time, id) = request.start(false);
    let keys = Uuids::new(courses.iter().copied());
    let rows: Vec<AnnouncementRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).bind(now).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Announcement::from).collect())
}

pub(super) async fn planned(db: &Db, courses: &[CourseId], now: Timestamp) -> Result<Vec<Announcement>, DbError> {
    let (sql, courses) = (db.sql(&PLANNED), Uuids::new(courses.iter().copied()));
    let rows: Vec<AnnouncementRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(courses).bind(now).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Announcement::from).collect())
}

pub(super) async fn count_planned(tx: &mut Tx, course: CourseId) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT_PLANNED);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).fetch_one(c).await)?)
}

/// What an announcement says.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) body: String,
}

pub(super) async fn insert(
    tx: &mut Tx,
    (course, id): (CourseId, AnnouncementId),
    author: AccountId,
    text: &Text,
    (publish_at, told_at): (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(id).bind(author).bind(&text.title).bind(&text.body).bind(now).bind(publish_at).bind(told_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// What becomes of an announcement.
pub(super) struct Change {
    pub(super) text: Text,
    pub(super) publish_at: Option<Timestamp>,
    /// Since when its learners are being told.
    pub(super) told_at: Option<Timestamp>,
    pub(super) edited_at: Option<Timestamp>,
}

/// Whether it was of that version.
pub(super) async fn update(
    tx: &mut Tx,
    (course, id): (CourseId, AnnouncementId),
    version: i64,
    to: &Change,
) -> Result<bool, DbError> {
    let sql = tx.sql(&UPDATE);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(id).bind(version).bind(&to.text.title).bind(&to.text.body).bind(to.publish_at).bind(to.told_at)
        .bind(to.edited_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether it was of that version.
pub(super) async fn retract(
    tx: &mut Tx,
    (course, id): (CourseId, AnnouncementId),
    version: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&RETRACT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(version).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Some of those whose time has come, and of which nobody was told.
pub(super) async fn due(db: &Db, now: Timestamp) -> Result<Vec<(CourseId, AnnouncementId)>, DbError> {
    let sql = db.sql(&DUE);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(now).fetch_all(c).await)?)
}

/// Notes that its learners are being told. Answers with who wrote it, unless they were told before.
pub(super) async fn tell(
    tx: &mut Tx,
    (course, id): (CourseId, AnnouncementId),
    now: Timestamp,
) -> Result<Option<AccountId>, DbError> {
    let sql = tx.sql(&TELL);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(id).bind(now).fetch_optional(c).await)?)
}
