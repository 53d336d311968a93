//! The table of bookmarks. Its key starts with the person.

use uuid::Uuid;

use super::model::{Bookmark, BookmarkKind, Thing};
use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, BookmarkId, CourseId},
    time::Timestamp,
};

statements! {
    BOOKMARKS {
        "SELECT t.person_id, t.id, t.kind, t.course_id, t.thing_id, t.note, t.created_at
         FROM " [pairs 1] " k JOIN bookmarks t ON t.person_id = k.owner AND t.id = k.key"
    }
    BOOKMARKS_FORWARD {
        [page (uuids) "t.person_id, t.id, t.kind, t.course_id, t.thing_id, t.note, t.created_at"
         from "bookmarks" owned "t.person_id = k.key" where "i.person_id = k.key" by "created_at" "id" ("<" "DESC")]
    }
    BOOKMARKS_BACKWARD {
        [page (uuids) "t.person_id, t.id, t.kind, t.course_id, t.thing_id, t.note, t.created_at"
         from "bookmarks" owned "t.person_id = k.key" where "i.person_id = k.key" by "created_at" "id" (">" "ASC")]
    }
    FIND { "SELECT id FROM bookmarks WHERE person_id = $1 AND kind = $2 AND course_id = $3 AND thing_id = $4" }
    /// Nobody has more than `MAX_BOOKMARKS`, so counting them has an end.
    COUNT { "SELECT COUNT(*) AS bookmarks FROM bookmarks WHERE person_id = $1" }
    INSERT {
        "INSERT INTO bookmarks (person_id, id, kind, course_id, thing_id, note, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (person_id, kind, course_id, thing_id) DO NOTHING"
    }
    NOTE { "UPDATE bookmarks SET note = $3 WHERE person_id = $1 AND id = $2" }
    DELETE { "DELETE FROM bookmarks WHERE person_id = $1 AND id = $2" }
}

#[derive(sqlx::FromRow)]
struct BookmarkRow {
    person_id: AccountId,
    id: BookmarkId,
    kind: Text<BookmarkKind>,
    course_id: CourseId,
    thing_id: Uuid,
    note: Option<String>,
    created_at: Timestamp,
}

impl From<BookmarkRow> for Bookmark {
    fn from(row: BookmarkRow) -> Self {
        Self {
            id: row.id,
            person_id: row.person_id,
            thing: Thing { kind: row.kind.0, course_id: row.course_id, id: row.thing_id },
            note: row.note.into(),
            created_at: row.created_at,
        }
    }
}

pub(super) async fn bookmarks(db: &Db, keys: &[(AccountId, BookmarkId)]) -> Result<Vec<Bookmark>, DbError> {
    let (sql, keys) = (db.sql(&BOOKMARKS), Pairs::new(keys.iter().copied()));
    let rows: Vec<BookmarkRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Bookmark::from).collect())
}

/// For each person the rows of a page of her bookmarks, as they were read.
pub(super) async fn pages(
    db: &Db,
    people: &[AccountId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Bookmark>, DbError> {
    let sql = db.sql(if request.is_forward() { &BOOKMARKS_FORWARD } else { &BOOKMARKS_BACKWARD });
    let ((time, id), keys) = (request.start(false), Uuids::new(people.iter().copied()));
    let rows: Vec<BookmarkRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Bookmark::from).collect())
}

/// Her bookmark of a thing, if she has one.
pub(super) async fn find(tx: &mut Tx, person: AccountId, thing: Thing) -> Result<Option<BookmarkId>, DbError> {
    let sql = tx.sql(&FIND);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql)
        .bind(person).bind(Text(thing.kind)).bind(thing.course_id).bind(thing.id)
        .fetch_optional(c).await)?)
}

pub(super) async fn count(tx: &mut Tx, person: AccountId) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(person).fetch_one(c).await)?)
}

/// Whether it is new: somebody's other window may have been quicker.
pub(super) async fn insert(
    tx: &mut Tx,
    (person, id): (AccountId, BookmarkId),
    thing: Thing,
    note: Option<&str>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&INSERT);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(person).bind(id).bind(Text(thing.kind)).bind(thing.course_id).bind(thing.id).bind(note).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether there is such a bookmark.
pub(super) async fn note(db: &Db, key: (AccountId, BookmarkId), note: Option<&str>) -> Result<bool, DbError> {
    let sql = db.sql(&NOTE);
    Ok(on!(db.writer(), c => sqlx::query(sql).bind(key.0).bind(key.1).bind(note)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

pub(super) async fn delete(db: &Db, key: (AccountId, BookmarkId)) -> Result<(), DbError> {
    let sql = db.sql(&DELETE);
    on!(db.writer(), c => sqlx::query(sql).bind(key.0).bind(key.1).execute(c).await.map(|_| ()))?;
    Ok(())
}
