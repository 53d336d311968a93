//! Threads.

use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::model::{Anonymity, Thread, ThreadKind},
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
    THREADS {
        "SELECT t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into
         FROM " [pairs 1] " k JOIN threads t ON t.course_id = k.owner AND t.id = k.key"
    }
    THREADS_FORWARD {
        [page (uuids) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.key" where "i.course_id = k.key AND i.merged_into IS NULL" by "created_at" "id" ("<" "DESC")]
    }
    THREADS_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.key" where "i.course_id = k.key AND i.merged_into IS NULL" by "created_at" "id" (">" "ASC")]
    }
    THREADS_OF_CATEGORY_FORWARD {
        [page (pairs) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.category_id = k.key AND i.merged_into IS NULL"
         by "created_at" "id" ("<" "DESC")]
    }
    THREADS_OF_CATEGORY_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.category_id = k.key AND i.merged_into IS NULL"
         by "created_at" "id" (">" "ASC")]
    }
    LOCK_THREAD {
        "SELECT t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into
         FROM threads t WHERE t.course_id = $1 AND t.id = $2" [for_update]
    }
    INSERT_THREAD {
        "INSERT INTO threads (course_id, id, category_id, author_id, kind, title, created_at, post_count, anonymity, last_post_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $7)"
    }
    SET_ANSWER { "UPDATE threads SET answer_id = $3, version = version + 1 WHERE course_id = $1 AND id = $2" }
    REVEAL_ASKER { "UPDATE threads SET anonymity = 'NONE', version = version + 1 WHERE course_id = $1 AND id = $2" }
}

#[derive(sqlx::FromRow)]
pub(in crate::forum) struct ThreadRow {
    course_id: CourseId,
    id: ThreadId,
    category_id: CategoryId,
    author_id: AccountId,
    kind: Text<ThreadKind>,
    title: String,
    created_at: Timestamp,
    post_count: i64,
    anonymity: Text<Anonymity>,
    version: i64,
    last_post_at: Timestamp,
    pinned_at: Option<Timestamp>,
    locked_at: Option<Timestamp>,
    lock_reason: Option<String>,
    answer_id: Option<PostId>,
    merged_into: Option<ThreadId>,
}

impl From<ThreadRow> for Thread {
    fn from(row: ThreadRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            category_id: row.category_id,
            author_id: row.author_id,
            kind: row.kind.0,
            title: row.title.into(),
            created_at: row.created_at,
            post_count: row.post_count,
            anonymity: row.anonymity.0,
            version: row.version,
            last_post_at: row.last_post_at,
            pinned_at: row.pinned_at,
            locked_at: row.locked_at,
            lock_reason: row.lock_reason,
            answer_id: row.answer_id,
            merged_into: row.merged_into,
        }
    }
}

pub(crate) async fn threads(db: &Db, keys: &[(CourseId, ThreadId)]) -> Result<Vec<Thread>, DbError> {
    let (sql, keys) = (db.sql(&THREADS), Pairs::new(keys.iter().copied()));
    let rows: Vec<ThreadRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Thread::from).collect())
}

/// For each course the rows of a page of its threads, latest first, as they were read.
pub(crate) async fn thread_pages(
    db: &Db,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Thread>, DbError> {
    let sql = db.sql(if request.is_forward() { &THREADS_FORWARD } else { &THREADS_BACKWARD });
    let (time, id) = request.start(false);
    let keys = Uuids::new(courses.iter().copied());
    let rows: Vec<ThreadRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Thread::from).collect())
}

/// As [`thread_pages`], for categories.
pub(crate) async fn category_thread_pages(
    db: &Db,
    categories: &[(CourseId, CategoryId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Thread>, DbError> {
    let sql = db.sql(if request.is_forward() { &THREADS_OF_CATEGORY_FORWARD } else { &THREADS_OF_CATEGORY_BACKWARD });
    let (time, id) = request.start(false);
    let keys = Pairs::new(categories.iter().copied());
    let rows: Vec<ThreadRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Thread::from).collect())
}

/// A thread, kept from being changed by others until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, course: CourseId, id: ThreadId) -> Result<Option<Thread>, DbError> {
    let sql = tx.sql(&LOCK_THREAD);
    let row: Option<ThreadRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Thread::from))
}

/// Which post answers it; `None` for none.
pub(crate) async fn set_answer(
    tx: &mut Tx,
    (course, id): (CourseId, ThreadId),
    answer: Option<PostId>,
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &SET_ANSWER);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(answer).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Shows who began it.
pub(crate) async fn reveal_asker(tx: &mut Tx, (course, id): (CourseId, ThreadId)) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &REVEAL_ASKER);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A row to be written.
pub(crate) struct NewThreadRow<'a> {
    pub(crate) course_id: CourseId,
    pub(crate) id: ThreadId,
    pub(crate) category_id: CategoryId,
    pub(crate) author_id: AccountId,
    pub(crate) kind: ThreadKind,
    pub(crate) title: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) anonymity: Anonymity,
}

pub(crate) async fn insert_thread(tx: &mut Tx, row: &NewThreadRow<'_>) -> Result<(), DbError> {
    let sql = tx.forum_sql(row.course_id, &INSERT_THREAD);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(row.course_id).bind(row.id).bind(row.category_id).bind(row.author_id)
        .bind(Text(row.kind)).bind(row.title).bind(row.created_at).bind(Text(row.anonymity))
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
