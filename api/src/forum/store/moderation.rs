//! What moderators do to threads and posts, and the log of it.

use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::{
        model::RemovedAs,
        moderation::model::{Act, Entry, FormerTitle, Held, NewEntry, Warning},
    },
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
    HOLD {
        "SELECT course_id, id, category_id, author_id, title, created_at, post_count, version, pinned_at, locked_at, merged_into
         FROM threads WHERE course_id = $1 AND id = $2" [for_update]
    }
    PIN { "UPDATE threads SET pinned_at = $3, version = version + 1 WHERE course_id = $1 AND id = $2" }
    PINNED {
        [page (uuids) "t.course_id, t.id" from "threads" owned "t.course_id = k.key" where "i.course_id = k.key"
         by "pinned_at" "id" ("<" "DESC")]
    }
    COUNT_PINNED { "SELECT COUNT(*) FROM threads WHERE course_id = $1 AND pinned_at > 0" }
    LOCK { "UPDATE threads SET locked_at = $3, lock_reason = $4, version = version + 1 WHERE course_id = $1 AND id = $2" }
    RENAME { "UPDATE threads SET title = $3, version = version + 1 WHERE course_id = $1 AND id = $2" }
    KEEP_TITLE {
        "INSERT INTO thread_titles (course_id, thread_id, id, title, until, renamed_as) VALUES ($1, $2, $3, $4, $5, $6)"
    }
    TITLES {
        [page (pairs) "t.course_id, t.thread_id, t.title, t.until, t.renamed_as" from "thread_titles"
         owned "t.course_id = k.owner AND t.thread_id = k.key" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "until" "id" ("<" "DESC")]
    }
    MOVE { "UPDATE threads SET category_id = $3, version = version + 1 WHERE course_id = $1 AND id = $2" }
    MOVE_POSTS {
        "UPDATE posts SET thread_id = $3 WHERE course_id = $1 AND thread_id = $2"
    }
    /// The target takes the other's count, and its answer if it has none.
    TAKE_OVER {
        "UPDATE threads SET
           post_count = post_count + (SELECT s.post_count FROM threads s WHERE s.course_id = $1 AND s.id = $3),
           last_post_at = (SELECT MAX(t.last_post_at) FROM threads t WHERE t.course_id = $1 AND (t.id = $2 OR t.id = $3)),
           answer_id = CASE WHEN kind = 'QUESTION'
             THEN COALESCE(answer_id, (SELECT s.answer_id FROM threads s WHERE s.course_id = $1 AND s.id = $3)) ELSE answer_id END,
           version = version + 1
         WHERE course_id = $1 AND id = $2"
    }
    LEAD_TO {
        "UPDATE threads SET merged_into = $3, post_count = 0, answer_id = NULL, pinned_at = NULL, version = version + 1
         WHERE course_id = $1 AND id = $2"
    }
    /// What led to the one that is merged now leads where its posts are.
    LEAD_ON { "UPDATE threads SET merged_into = $3 WHERE course_id = $1 AND merged_into = $2" }
    RESTORE {
        "UPDATE posts SET removed_at = NULL, removed_as = NULL, removal_reason = NULL, version = version + 1
         WHERE course_id = $1 AND id = $2"
    }
    WARN { "UPDATE posts SET warned_at = $3, warning = $4 WHERE course_id = $1 AND id = $2" }
    WARNINGS {
        "SELECT p.course_id, p.id, p.warned_at, p.warning FROM " [pairs 1] " k JOIN posts p ON p.course_id = k.owner AND p.id = k.key
         WHERE p.warning IS NOT NULL"
    }
    NOTE {
        "INSERT INTO moderation_log (course_id, id, at, moderator_id, act, category_id, thread_id, post_id, about_id, reason, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    }
    /// That a report about a post of hers was dismissed is not for a moderator: others looked at it.
    LOG_FORWARD {
        "SELECT course_id, id, at, moderator_id, act, category_id, thread_id, post_id, reason, before, after FROM moderation_log
         WHERE course_id = $1 AND (at, id) < ($2, $3)
           AND (act <> 'DISMISS_REPORT' OR about_id <> $5 OR moderator_id = $5) ORDER BY at DESC, id DESC LIMIT $4"
    }
    LOG_BACKWARD {
        "SELECT course_id, id, at, moderator_id, act, category_id, thread_id, post_id, reason, before, after FROM moderation_log
         WHERE course_id = $1 AND (at, id) > ($2, $3)
           AND (act <> 'DISMISS_REPORT' OR about_id <> $5 OR moderator_id = $5) ORDER BY at, id LIMIT $4"
    }
}

#[derive(sqlx::FromRow)]
struct HeldRow {
    course_id: CourseId,
    id: ThreadId,
    category_id: CategoryId,
    author_id: AccountId,
    title: String,
    created_at: Timestamp,
    post_count: i64,
    version: i64,
    pinned_at: Option<Timestamp>,
    locked_at: Option<Timestamp>,
    merged_into: Option<ThreadId>,
}

impl From<HeldRow> for Held {
    fn from(row: HeldRow) -> Self {
        Self {
            course_id: row.course_id,
            id: row.id,
            category_id: row.category_id,
            author_id: row.author_id,
            title: row.title,
            created_at: row.created_at,
            post_count: row.post_count,
            version: row.version,
            is_pinned: row.pinned_at.is_some(),
            is_locked: row.locked_at.is_some(),
            merged_into: row.merged_into,
        }
    }
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    course_id: CourseId,
    id: uuid::Uuid,
    at: Timestamp,
    moderator_id: AccountId,
    act: Text<Act>,
    category_id: Option<CategoryId>,
    thread_id: Option<ThreadId>,
    post_id: Option<PostId>,
    reason: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            at: row.at,
            moderator_id: row.moderator_id,
            act: row.act.0,
            category_id: row.category_id,
            thread_id: row.thread_id,
            post_id: row.post_id,
            reason: row.reason,
            before: row.before,
            after: row.after,
        }
    }
}

/// A thread, which nobody else changes until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, course: CourseId, thread: ThreadId) -> Result<Option<Held>, DbError> {
    let sql = tx.sql(&HOLD);
    let row: Option<HeldRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(thread).fetch_optional(c).await)?;
    Ok(row.map(Held::from))
}

/// Since when a thread is pinned; `None` for not any more.
pub(crate) async fn pin(tx: &mut Tx, held: &Held, at: Option<Timestamp>) -> Result<(), DbError> {
    let sql = tx.forum_sql(held.course_id, &PIN);
    on!(tx.conn(), c => sqlx::query(sql).bind(held.course_id).bind(held.id).bind(at).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The pinned threads of courses, the one pinned last first; at most so many of each.
pub(crate) async fn pinned(db: &Db, courses: &[CourseId], most: i64) -> Result<Vec<(CourseId, ThreadId)>, DbError> {
    let (sql, keys) = (db.sql(&PINNED), Uuids::new(courses.iter().copied()));
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(i64::MAX).bind(uuid::Uuid::max()).bind(most).fetch_all(c).await)?,
    )
}

/// How many threads of a course are pinned.
pub(crate) async fn count_pinned(tx: &mut Tx, course: CourseId) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT_PINNED);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).fetch_one(c).await)?)
}

/// Since when a thread is locked, and why; `None` for not any more.
pub(crate) async fn lock(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    locked: Option<(Timestamp, &str)>,
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &LOCK);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread)
        .bind(locked.map(|(at, _)| at)).bind(locked.map(|(_, reason)| reason)).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Gives a thread another title and keeps the one that it had.
pub(crate) async fn rename(
    tx: &mut Tx,
    held: &Held,
    title: &str,
    (id, at, renamed_as): (uuid::Uuid, Timestamp, RemovedAs),
) -> Result<(), DbError> {
    let sql = tx.sql(&KEEP_TITLE);
    on!(tx.conn(), c => sqlx::query(sql).bind(held.course_id).bind(held.id).bind(id).bind(&held.title).bind(at)
        .bind(Text(renamed_as)).execute(c).await.map(|_| ()))?;
    let sql = tx.forum_sql(held.course_id, &RENAME);
    on!(tx.conn(), c => sqlx::query(sql).bind(held.course_id).bind(held.id).bind(title).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The titles that threads had, the latest first; at most so many of each.
pub(crate) async fn titles(
    db: &Db,
    threads: &[(CourseId, ThreadId)],
    most: i64,
) -> Result<Vec<((CourseId, ThreadId), FormerTitle)>, DbError> {
    let (sql, keys) = (db.sql(&TITLES), Pairs::new(threads.iter().copied()));
    let rows: Vec<(CourseId, ThreadId, String, Timestamp, Text<RemovedAs>)> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(i64::MAX).bind(uuid::Uuid::max()).bind(most).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(course, thread, title, until, by)| {
            ((course, thread), FormerTitle { title: title.into(), until, renamed_as: by.0 })
        })
        .collect())
}

/// Puts a thread into another category.
pub(crate) async fn move_to(tx: &mut Tx, held: &Held, category: CategoryId) -> Result<(), DbError> {
    let sql = tx.forum_sql(held.course_id, &MOVE);
    on!(tx.conn(), c => sqlx::query(sql).bind(held.course_id).bind(held.id).bind(category).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Moves the posts of a thread into another one. The old one stays, empty, and leads to the other.
pub(crate) async fn merge(tx: &mut Tx, from: &Held, into: &Held) -> Result<(), DbError> {
    let course = from.course_id;
    super::posts::keep_aliases_apart(tx, course, from.id, into.id).await?;
    for (statement, a, b) in [
        (&MOVE_POSTS, from.id, into.id),
        (&TAKE_OVER, into.id, from.id),
        (&LEAD_TO, from.id, into.id),
        (&LEAD_ON, from.id, into.id),
    ] {
        let sql = tx.forum_sql(course, statement);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(a).bind(b).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// Puts a removed post back.
pub(crate) async fn restore(tx: &mut Tx, course: CourseId, post: PostId) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &RESTORE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(post).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Keeps what a moderator tells the author of a post.
pub(crate) async fn warn(
    tx: &mut Tx,
    (course, post): (CourseId, PostId),
    at: Timestamp,
    warning: &str,
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &WARN);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(post).bind(at).bind(warning).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// What moderators told the authors of posts, and when.
pub(crate) async fn warnings(
    db: &Db,
    posts: &[(CourseId, PostId)],
) -> Result<Vec<((CourseId, PostId), Warning)>, DbError> {
    let (sql, keys) = (db.sql(&WARNINGS), Pairs::new(posts.iter().copied()));
    let rows: Vec<(CourseId, PostId, Timestamp, String)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, post, at, text)| ((course, post), Warning { at, text })).collect())
}

/// Adds a line to the log.
pub(crate) async fn note(
    tx: &mut Tx,
    course: CourseId,
    (id, at, moderator): (uuid::Uuid, Timestamp, AccountId),
    new: &NewEntry<'_>,
) -> Result<(), DbError> {
    let sql = tx.sql(&NOTE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(at).bind(moderator).bind(Text(new.act))
        .bind(new.category).bind(new.thread).bind(new.post).bind(new.about).bind(new.reason).bind(new.before).bind(new.after)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The rows of a page of a course's log as a moderator reads it, the latest first, as they were read.
pub(crate) async fn log(
    db: &Db,
    course: CourseId,
    reader: AccountId,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Entry>, DbError> {
    let sql = db.sql(if request.is_forward() { &LOG_FORWARD } else { &LOG_BACKWARD });
    let (time, id) = request.start(false);
    let rows: Vec<EntryRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(course).bind(time).bind(id).bind(request.fetch()).bind(reader).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Entry::from).collect())
}
