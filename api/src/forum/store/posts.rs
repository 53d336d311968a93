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
           p.anonymity, p.version, p.depth, p.alias, p.votes, p.endorsed_at, p.edited_at, p.removed_at, p.removed_as, p.removal_reason
         FROM " [pairs 1] " k JOIN posts p ON p.course_id = k.owner AND p.id = k.key"
    }
    POSTS_FORWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "created_at" "id" (">" "ASC")]
    }
    POSTS_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
    BY_VOTES_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "votes" "id" (">" "ASC")]
    }
    BY_VOTES_FORWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "votes" "id" ("<" "DESC")]
    }
    REPLIES_FORWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.reply_to = k.key"
         by "created_at" "id" (">" "ASC")]
    }
    REPLIES_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.thread_id, t.author_id, t.reply_to, t.body, t.created_at,
           t.anonymity, t.version, t.depth, t.alias, t.votes, t.endorsed_at, t.edited_at, t.removed_at, t.removed_as, t.removal_reason"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.reply_to = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
    LOCK_POST {
        "SELECT p.course_id, p.id, p.thread_id, p.author_id, p.reply_to, p.body, p.created_at,
           p.anonymity, p.version, p.depth, p.alias, p.votes, p.endorsed_at, p.edited_at, p.removed_at, p.removed_as, p.removal_reason
         FROM posts p WHERE p.course_id = $1 AND p.id = $2" [for_update]
    }
    INSERT_POST {
        "INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, depth, body, created_at, anonymity, alias)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    }
    COUNT_POST { "UPDATE threads SET post_count = post_count + 1, last_post_at = $3 WHERE course_id = $1 AND id = $2" }
    ALIAS_OF {
        "SELECT MIN(alias) FROM posts
         WHERE course_id = $1 AND thread_id = $2 AND author_id = $3 AND anonymity = $4 AND alias IS NOT NULL"
    }
    LAST_ALIAS { "SELECT MAX(alias) FROM posts WHERE course_id = $1 AND thread_id = $2 AND alias IS NOT NULL" }
    SHIFT_ALIASES {
        "UPDATE posts SET alias = alias + $3 WHERE course_id = $1 AND thread_id = $2 AND alias IS NOT NULL"
    }
    THREAD_OF { "SELECT thread_id FROM posts WHERE course_id = $1 AND id = $2" }
    FIRST_OF_THREAD { "SELECT id FROM posts WHERE course_id = $1 AND thread_id = $2 ORDER BY created_at, id LIMIT 1" }
    EDIT {
        "UPDATE posts SET body = $4, edited_at = $5, version = version + 1
         WHERE course_id = $1 AND id = $2 AND version = $3 AND removed_at IS NULL"
    }
    REMOVE {
        "UPDATE posts SET removed_at = $3, removed_as = $4, removal_reason = $5, endorsed_at = NULL, version = version + 1
         WHERE course_id = $1 AND id = $2 AND removed_at IS NULL"
    }
    REVEAL {
        "UPDATE posts SET anonymity = 'NONE', version = version + 1
         WHERE course_id = $1 AND thread_id = $2 AND alias = $3 AND author_id = $4 AND anonymity <> 'NONE'"
    }
    ADD_VOTES { "UPDATE posts SET votes = votes + $3 WHERE course_id = $1 AND id = $2" }
    ENDORSE { "UPDATE posts SET endorsed_at = $3 WHERE course_id = $1 AND id = $2" }
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
    alias: Option<i64>,
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
            alias: row.alias,
            votes: row.votes,
            endorsed_at: row.endorsed_at,
            edited_at: row.edited_at,
            removal: row.removed_at.zip(row.removed_as).map(|(at, by)| Removal { at, by: by.0 }),
            removal_reason: row.removal_reason.into(),
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
    pages_of_posts(
        db,
        [&POSTS_FORWARD, &POSTS_BACKWARD],
        Pairs::new(threads.iter().copied()),
        request.start(true),
        request,
    )
    .await
}

/// As [`post_pages`], those with the most votes first. The sum of votes stands where the instant does otherwise.
pub(crate) async fn post_pages_by_votes(
    db: &Db,
    threads: &[(CourseId, ThreadId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    let keys = Pairs::new(threads.iter().copied());
    pages_of_posts(db, [&BY_VOTES_FORWARD, &BY_VOTES_BACKWARD], keys, request.start(false), request).await
}

/// For each post the rows of a page of its replies, oldest first, as they were read.
pub(crate) async fn reply_pages(
    db: &Db,
    posts: &[(CourseId, PostId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    pages_of_posts(
        db,
        [&REPLIES_FORWARD, &REPLIES_BACKWARD],
        Pairs::new(posts.iter().copied()),
        request.start(true),
        request,
    )
    .await
}

async fn pages_of_posts(
    db: &Db,
    [forward, backward]: [&Sql; 2],
    keys: Pairs,
    (time, id): TimeKey,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Post>, DbError> {
    let sql = db.sql(if request.is_forward() { forward } else { backward });
    let rows: Vec<PostRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Post::from).collect())
}

/// A post, kept from being changed by others until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, course: CourseId, id: PostId) -> Result<Option<Post>, DbError> {
    let sql = tx.sql(&LOCK_POST);
    let row: Option<PostRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Post::from))
}

/// A row to be written.
pub(crate) struct NewPostRow<'a> {
    pub(crate) course_id: CourseId,
    pub(crate) id: PostId,
    pub(crate) thread_id: ThreadId,
    pub(crate) author_id: AccountId,
    pub(crate) reply_to: Option<PostId>,
    pub(crate) depth: i64,
    pub(crate) body: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) anonymity: Anonymity,
    pub(crate) alias: Option<i64>,
}

/// Writes a post and counts it in its thread.
pub(crate) async fn insert_post(tx: &mut Tx, row: &NewPostRow<'_>) -> Result<(), DbError> {
    let sql = tx.forum_sql(row.course_id, &INSERT_POST);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(row.course_id).bind(row.id).bind(row.thread_id).bind(row.author_id)
        .bind(row.reply_to).bind(row.depth).bind(row.body).bind(row.created_at)
        .bind(Text(row.anonymity)).bind(row.alias)
        .execute(c).await.map(|_| ()))?;
    let sql = tx.forum_sql(row.course_id, &COUNT_POST);
    on!(tx.conn(), c => sqlx::query(sql).bind(row.course_id).bind(row.thread_id).bind(row.created_at).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The number under which somebody is known in a thread who hides in this way there, or the next free one. The thread is locked, so
/// that no two people get the same.
pub(crate) async fn alias(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    author: AccountId,
    anonymity: Anonymity,
) -> Result<i64, DbError> {
    let sql = tx.sql(&ALIAS_OF);
    let (own,): (Option<i64>,) = on!(tx.conn(), c => sqlx::query_as(sql)
        .bind(course).bind(thread).bind(author).bind(Text(anonymity)).fetch_one(c).await)?;
    match own {
        Some(own) => Ok(own),
        None => Ok(last_alias(tx, (course, thread)).await? + 1),
    }
}

async fn last_alias(tx: &mut Tx, (course, thread): (CourseId, ThreadId)) -> Result<i64, DbError> {
    let sql = tx.sql(&LAST_ALIAS);
    let (last,): (Option<i64>,) =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(thread).fetch_one(c).await)?;
    Ok(last.unwrap_or(0))
}

/// Gives those who hide in a thread other numbers than those of another thread, before their posts are moved there: two people
/// would be taken for one otherwise. Both threads are locked. The asker of the first is not that of the other, so number 1 goes too.
pub(crate) async fn keep_aliases_apart(
    tx: &mut Tx,
    course: CourseId,
    from: ThreadId,
    into: ThreadId,
) -> Result<(), DbError> {
    // One at least: whoever asked in the thread that goes has not asked in the other.
    let more = last_alias(tx, (course, into)).await?.max(1);
    let sql = tx.forum_sql(course, &SHIFT_ALIASES);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(from).bind(more).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The thread that a post is in.
pub(crate) async fn thread_of(tx: &mut Tx, (course, id): (CourseId, PostId)) -> Result<Option<ThreadId>, DbError> {
    let sql = tx.sql(&THREAD_OF);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(id).fetch_optional(c).await)?)
}

/// The post that opens a thread.
pub(crate) async fn first_of_thread(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
) -> Result<Option<PostId>, DbError> {
    let sql = tx.sql(&FIRST_OF_THREAD);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(thread).fetch_optional(c).await)?)
}

/// Whether the post was there, at this version.
pub(crate) async fn edit(
    tx: &mut Tx,
    (course, id): (CourseId, PostId),
    version: i64,
    body: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.forum_sql(course, &EDIT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(version).bind(body).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether the post was there.
pub(crate) async fn remove(
    tx: &mut Tx,
    (course, id): (CourseId, PostId),
    by: RemovedAs,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.forum_sql(course, &REMOVE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(now).bind(Text(by)).bind(reason)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Shows who wrote all that was written in a thread under this number.
pub(crate) async fn reveal(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    alias: i64,
    author: AccountId,
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &REVEAL);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread).bind(alias).bind(author).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Adds to the sum of votes.
pub(crate) async fn add_votes(tx: &mut Tx, (course, id): (CourseId, PostId), votes: i64) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &ADD_VOTES);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(votes).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Since when staff stands behind it; `None` for not.
pub(crate) async fn endorse(
    tx: &mut Tx,
    (course, id): (CourseId, PostId),
    since: Option<Timestamp>,
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &ENDORSE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(since).execute(c).await.map(|_| ()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::db::Options;

    /// The aliases of a thread, in the order of the posts.
    async fn aliases(tx: &mut Tx, thread: u128) -> Vec<i64> {
        let thread = ThreadId(Uuid::from_u128(thread));
        on!(tx.conn(), c => sqlx::query_scalar("SELECT alias FROM posts WHERE thread_id = $1 ORDER BY id").bind(thread).fetch_all(c).await).unwrap()
    }

    #[tokio::test]
    async fn whoever_hides_in_two_threads_that_become_one_is_not_taken_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("stoa.db").display());
        let db = Db::open(&Options::create(&url)).await.unwrap();
        db.migrate().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let course = CourseId(Uuid::from_u128(1));
        let (from, into) = (ThreadId(Uuid::from_u128(3)), ThreadId(Uuid::from_u128(4)));
        on!(tx.conn(), c => sqlx::query("PRAGMA defer_foreign_keys = ON").execute(c).await.map(|_| ())).unwrap();
        let (mei, omar) = (AccountId(Uuid::from_u128(7)), AccountId(Uuid::from_u128(8)));
        for (number, (thread, author)) in [(from, mei), (from, omar), (into, omar), (into, mei)].into_iter().enumerate()
        {
            let new = NewPostRow {
                course_id: course,
                id: PostId(Uuid::from_u128(10 + number as u128)),
                thread_id: thread,
                author_id: author,
                reply_to: None,
                depth: 0,
                body: "?",
                created_at: Timestamp(5),
                anonymity: Anonymity::Classmates,
                alias: Some(alias(&mut tx, (course, thread), author, Anonymity::Classmates).await.unwrap()),
            };
            insert_post(&mut tx, &new).await.unwrap();
        }
        assert_eq!((aliases(&mut tx, 3).await, aliases(&mut tx, 4).await), (vec![1, 2], vec![1, 2]));
        assert_eq!(alias(&mut tx, (course, from), mei, Anonymity::AllButModerators).await.unwrap(), 3);
        keep_aliases_apart(&mut tx, course, from, into).await.unwrap();
        assert_eq!((aliases(&mut tx, 3).await, aliases(&mut tx, 4).await), (vec![3, 4], vec![1, 2]));
        assert_eq!(alias(&mut tx, (course, from), omar, Anonymity::Classmates).await.unwrap(), 4);
    }
}
