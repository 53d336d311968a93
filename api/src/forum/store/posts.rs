//! Posts.

use crate::{
    db::{
        Db, DbError, Pairs, Sql, Text, Tx, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::model::{Anonymity, Post, Removal, RemovedAs},
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
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
    INSERT_POST {
        "INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    }
    COUNT_POST { "UPDATE threads SET post_count = post_count + 1, last_post_at = $3 WHERE course_id = $1 AND id = $2" }
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
    [forward, backward]: [&Sql; 2],
    keys: Pairs,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    let sql = db.sql(if request.is_forward() { forward } else { backward });
    let (time, id) = request.start(true);
    let rows: Vec<PostRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Post::from).collect())
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
