//! The forum's tables. Every key starts with the course.

use super::model::{Anonymity, ForumCategory, Post, Removal, RemovedAs, Thread, ThreadKind};
use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
    CATEGORIES_OF_COURSES {
        "SELECT course_id, id, name FROM forum_categories WHERE course_id " [any_uuid 1] " ORDER BY course_id, position, id"
    }
    CATEGORIES { "SELECT c.course_id, c.id, c.name FROM " [pairs 1] " k JOIN forum_categories c ON c.course_id = k.owner AND c.id = k.key" }
    THREADS {
        "SELECT t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into
         FROM " [pairs 1] " k JOIN threads t ON t.course_id = k.owner AND t.id = k.key"
    }
    THREADS_FORWARD {
        [page (uuids) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" ("<" "DESC")]
    }
    THREADS_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" (">" "ASC")]
    }
    THREADS_OF_CATEGORY_FORWARD {
        [page (pairs) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.category_id = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
    THREADS_OF_CATEGORY_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.category_id = k.key"
         by "created_at" "id" (">" "ASC")]
    }
    POSTS {
        "SELECT p.course_id, p.id, p.thread_id, p.author_id, p.reply_to, p.body, p.created_at,
           p.anonymity, p.version, p.depth, p.votes, p.endorsed_at, p.edited_at, p.removed_at, p.removed_as, p.removal_reason
         FROM " [pairs 1] " k JOIN posts p ON p.course_id = k.owner AND p.id = k.key"
    }
    POSTS_FORWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "created_at" "id" (">" "ASC")]
    }
    POSTS_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
    REPLIES_FORWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.reply_to = k.key"
         by "created_at" "id" (">" "ASC")]
    }
    REPLIES_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.reply_to = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
    INSERT_CATEGORY {
        "INSERT INTO forum_categories (course_id, id, position, name) VALUES ($1, $2, $3, $4) ON CONFLICT (course_id, id) DO NOTHING"
    }
    INSERT_THREAD {
        "INSERT INTO threads (course_id, id, category_id, author_id, kind, title, created_at, post_count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)"
    }
    INSERT_POST {
        "INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    }
    COUNT_POST { "UPDATE threads SET post_count = post_count + 1, last_post_at = $3 WHERE course_id = $1 AND id = $2" }
}

#[derive(sqlx::FromRow)]
struct CategoryRow {
    course_id: CourseId,
    id: CategoryId,
    name: String,
}

impl From<CategoryRow> for ForumCategory {
    fn from(CategoryRow { course_id, id, name }: CategoryRow) -> Self {
        Self { id, course_id, name }
    }
}

#[derive(sqlx::FromRow)]
struct ThreadRow {
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

#[derive(sqlx::FromRow)]
struct PostRow {
    course_id: CourseId,
    id: PostId,
    thread_id: ThreadId,
    author_id: AccountId,
    reply_to: Option<PostId>,
    body: String,
    created_at: Timestamp,
    anonymity: Text<Anonymity>,
    version: i64,
    depth: i64,
    votes: i64,
    endorsed_at: Option<Timestamp>,
    edited_at: Option<Timestamp>,
    removed_at: Option<Timestamp>,
    removed_as: Option<Text<RemovedAs>>,
    removal_reason: Option<String>,
}

impl From<PostRow> for Post {
    fn from(row: PostRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            thread_id: row.thread_id,
            author_id: row.author_id,
            reply_to: row.reply_to,
            body: row.body.into(),
            created_at: row.created_at,
            anonymity: row.anonymity.0,
            version: row.version,
            depth: row.depth,
            votes: row.votes,
            endorsed_at: row.endorsed_at,
            edited_at: row.edited_at,
            removal: row.removed_at.zip(row.removed_as).map(|(at, by)| Removal {
                at,
                by: by.0,
                reason: row.removal_reason,
            }),
        }
    }
}

pub(crate) async fn categories_of_courses(db: &Db, courses: &[CourseId]) -> Result<Vec<ForumCategory>, DbError> {
    let (sql, keys) = (db.sql(&CATEGORIES_OF_COURSES), Uuids::new(courses.iter().copied()));
    let rows: Vec<CategoryRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ForumCategory::from).collect())
}

pub(crate) async fn categories(db: &Db, keys: &[(CourseId, CategoryId)]) -> Result<Vec<ForumCategory>, DbError> {
    let (sql, keys) = (db.sql(&CATEGORIES), Pairs::new(keys.iter().copied()));
    let rows: Vec<CategoryRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ForumCategory::from).collect())
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

pub(crate) async fn posts(db: &Db, keys: &[(CourseId, PostId)]) -> Result<Vec<Post>, DbError> {
    let (sql, keys) = (db.sql(&POSTS), Pairs::new(keys.iter().copied()));
    let rows: Vec<PostRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Post::from).collect())
}

/// For each thread the rows of a page of its posts, oldest first, as they were read.
pub(crate) async fn post_pages(
    db: &Db,
    threads: &[(CourseId, ThreadId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    pages_of_posts(db, [&POSTS_FORWARD, &POSTS_BACKWARD], Pairs::new(threads.iter().copied()), request).await
}

/// For each post the rows of a page of its replies, oldest first, as they were read.
pub(crate) async fn reply_pages(
    db: &Db,
    posts: &[(CourseId, PostId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    pages_of_posts(db, [&REPLIES_FORWARD, &REPLIES_BACKWARD], Pairs::new(posts.iter().copied()), request).await
}

async fn pages_of_posts(
    db: &Db,
    [forward, backward]: [&crate::db::Sql; 2],
    keys: Pairs,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    let sql = db.sql(if request.is_forward() { forward } else { backward });
    let (time, id) = request.start(true);
    let rows: Vec<PostRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Post::from).collect())
}

pub(crate) async fn insert_category(
    tx: &mut Tx,
    course: CourseId,
    id: CategoryId,
    position: i64,
    name: &str,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_CATEGORY);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(position).bind(name).execute(c).await.map(|_| ()))?;
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
}

pub(crate) async fn insert_thread(tx: &mut Tx, row: &NewThreadRow<'_>) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_THREAD);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(row.course_id).bind(row.id).bind(row.category_id).bind(row.author_id)
        .bind(Text(row.kind)).bind(row.title).bind(row.created_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A row to be written.
pub(crate) struct NewPostRow<'a> {
    pub(crate) course_id: CourseId,
    pub(crate) id: PostId,
    pub(crate) thread_id: ThreadId,
    pub(crate) author_id: AccountId,
    pub(crate) reply_to: Option<PostId>,
    pub(crate) body: &'a str,
    pub(crate) created_at: Timestamp,
}

/// Writes a post and counts it in its thread.
pub(crate) async fn insert_post(tx: &mut Tx, row: &NewPostRow<'_>) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_POST);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(row.course_id).bind(row.id).bind(row.thread_id).bind(row.author_id)
        .bind(row.reply_to).bind(row.body).bind(row.created_at)
        .execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&COUNT_POST);
    on!(tx.conn(), c => sqlx::query(sql).bind(row.course_id).bind(row.thread_id).bind(row.created_at).execute(c).await.map(|_| ()))?;
    Ok(())
}
