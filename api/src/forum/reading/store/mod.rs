//! The tables of what was read. Their keys start with the learner; what is read of the forum's own tables is read by itself, so
//! that no statement needs both families.

pub(crate) mod heads;
pub(crate) mod unread;

use std::collections::HashMap;

use super::model::Mark;
use crate::{
    db::{Db, DbError, Pairs, Texts, Tx, Uuids, on, page::TimeKey, statements},
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
    /// What somebody has read of some threads (2), and of all of some forums (3).
    MARKS {
        "SELECT r.course_id, r.thread_id, r.read_at, r.post_id FROM " [pairs 2] " k
         JOIN thread_reads r ON r.learner_id = $1 AND r.course_id = k.owner AND r.thread_id = k.key
         UNION ALL SELECT course_id, NULL, read_at, NULL FROM forum_reads WHERE learner_id = $1 AND course_id " [any_uuid 3]
    }
    /// What somebody has read of the threads of some forums (2), of so many in each (3), and of all of them.
    MARKS_OF_FORUMS {
        "SELECT r.course_id, r.thread_id, r.read_at, r.post_id FROM " [uuids 2] " k "
        [lite "JOIN thread_reads r ON r.learner_id = $1 AND r.course_id = k.key AND r.thread_id IN (
             SELECT i.thread_id FROM thread_reads i WHERE i.learner_id = $1 AND i.course_id = k.key LIMIT $3)"]
        [pg "CROSS JOIN LATERAL (SELECT * FROM thread_reads i WHERE i.learner_id = $1 AND i.course_id = k.key LIMIT $3) r"]
        " UNION ALL SELECT course_id, NULL, read_at, NULL FROM forum_reads WHERE learner_id = $1 AND course_id " [any_uuid 2]
    }
    PUT_MARK {
        "INSERT INTO thread_reads (learner_id, course_id, thread_id, read_at, post_id) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (learner_id, course_id, thread_id) DO UPDATE SET read_at = excluded.read_at, post_id = excluded.post_id
         WHERE (excluded.read_at, excluded.post_id) > (thread_reads.read_at, thread_reads.post_id)"
    }
    PUT_FORUM_MARK {
        "INSERT INTO forum_reads (learner_id, course_id, read_at) VALUES ($1, $2, $3)
         ON CONFLICT (learner_id, course_id) DO UPDATE SET read_at = excluded.read_at WHERE excluded.read_at > forum_reads.read_at"
    }
    MERGED_INTO {
        "SELECT t.course_id, t.merged_into, t.id FROM " [pairs 1] " k " [lite "CROSS "] "JOIN threads t ON t.course_id = k.owner AND t.merged_into = k.key"
    }
    LAST_POST {
        "SELECT created_at, id FROM posts WHERE course_id = $1 AND thread_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
    }
    /// How many posts of others stand in threads beyond a mark: course, thread, post and time of each in one text (1). Of each thread
    /// 200 posts are looked at.
    COUNT_BEYOND {
        "SELECT m.course_id, m.thread_id, (SELECT COUNT(*) FROM (
             SELECT p.author_id, p.removed_at FROM posts p
             WHERE p.course_id = m.course_id AND p.thread_id = m.thread_id AND (p.created_at, p.id) > (m.at, m.post_id)
             ORDER BY p.created_at, p.id LIMIT 200) n
           WHERE n.author_id <> $2 AND n.removed_at IS NULL) AS unread
         FROM ("
        [lite "SELECT unhex(substr(value, 1, 32)) AS course_id, unhex(substr(value, 33, 32)) AS thread_id,
             unhex(substr(value, 65, 32)) AS post_id, CAST(substr(value, 97) AS INTEGER) AS at FROM json_each($1)"]
        [pg "SELECT substr(value, 1, 32)::uuid AS course_id, substr(value, 33, 32)::uuid AS thread_id,
             substr(value, 65, 32)::uuid AS post_id, substr(value, 97)::bigint AS at FROM unnest($1::text[]) value"]
        ") m"
    }
    LATEST_THREADS {
        "SELECT id, last_post_at FROM threads WHERE course_id = $1 AND last_post_at > $2 AND (last_post_at, id) < ($3, $4)
         ORDER BY last_post_at DESC, id DESC LIMIT $5"
    }
    EARLIEST_THREADS {
        "SELECT id, last_post_at FROM threads WHERE course_id = $1 AND last_post_at > $2 AND (last_post_at, id) > ($3, $4)
         ORDER BY last_post_at, id LIMIT $5"
    }
}

/// What somebody has read: of threads, and of all of a forum.
#[derive(Default)]
pub(super) struct Known {
    pub(super) threads: HashMap<(CourseId, ThreadId), Mark>,
    pub(super) forums: HashMap<CourseId, Timestamp>,
}

#[derive(sqlx::FromRow)]
struct MarkRow {
    course_id: CourseId,
    /// `None` in the mark of a whole forum.
    thread_id: Option<ThreadId>,
    read_at: Timestamp,
    post_id: Option<PostId>,
}

impl FromIterator<MarkRow> for Known {
    fn from_iter<I: IntoIterator<Item = MarkRow>>(rows: I) -> Self {
        let mut known = Self::default();
        for row in rows {
            match row.thread_id.zip(row.post_id) {
                Some((thread, post)) => {
                    known.threads.insert((row.course_id, thread), Mark { at: row.read_at, post });
                }
                None => {
                    known.forums.insert(row.course_id, row.read_at);
                }
            }
        }
        known
    }
}

/// What somebody has read of these threads, and of all of their forums.
pub(super) async fn marks(
    db: &Db,
    reader: AccountId,
    threads: &[(CourseId, ThreadId)],
    courses: &[CourseId],
) -> Result<Known, DbError> {
    let (sql, keys) = (db.sql(&MARKS), Pairs::new(threads.iter().copied()));
    let courses = Uuids::new(courses.iter().copied());
    let rows: Vec<MarkRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(reader).bind(keys).bind(courses).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

/// What somebody has read of these forums, and of at most so many threads in each.
pub(super) async fn marks_of_forums(
    db: &Db,
    reader: AccountId,
    courses: &[CourseId],
    most: usize,
) -> Result<Known, DbError> {
    let (sql, courses) = (db.sql(&MARKS_OF_FORUMS), Uuids::new(courses.iter().copied()));
    let rows: Vec<MarkRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(reader).bind(courses).bind(most as i64).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn put_mark(
    tx: &mut Tx,
    reader: AccountId,
    (course, thread): (CourseId, ThreadId),
    mark: Mark,
) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_MARK);
    on!(tx.conn(), c => sqlx::query(sql).bind(reader).bind(course).bind(thread).bind(mark.at).bind(mark.post)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn put_forum_mark(
    db: &Db,
    reader: AccountId,
    course: CourseId,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = db.sql(&PUT_FORUM_MARK);
    on!(db.writer(), c => sqlx::query(sql).bind(reader).bind(course).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Of threads those that were merged into them: course, thread, and the one that was merged into it.
pub(super) async fn merged_into(
    db: &Db,
    threads: &[(CourseId, ThreadId)],
) -> Result<Vec<(CourseId, ThreadId, ThreadId)>, DbError> {
    let (sql, keys) = (db.sql(&MERGED_INTO), Pairs::new(threads.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?)
}

pub(super) async fn last_post(db: &Db, course: CourseId, thread: ThreadId) -> Result<Option<Mark>, DbError> {
    let sql = db.sql(&LAST_POST);
    let row: Option<(Timestamp, PostId)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(course).bind(thread).fetch_optional(c).await)?;
    Ok(row.map(|(at, post)| Mark { at, post }))
}

#[derive(sqlx::FromRow)]
struct CountRow {
    course_id: CourseId,
    thread_id: ThreadId,
    unread: i64,
}

/// How many posts of others stand in each of the threads beyond its mark.
pub(super) async fn count_beyond(
    db: &Db,
    reader: AccountId,
    marks: &HashMap<(CourseId, ThreadId), Option<Mark>>,
) -> Result<Vec<((CourseId, ThreadId), i64)>, DbError> {
    let texts = marks.iter().map(|((course, thread), mark)| {
        let (at, post) = mark.map_or((i64::MIN, uuid::Uuid::nil()), |mark| (mark.at.0, mark.post.0));
        format!("{}{}{}{at}", course.0.simple(), thread.0.simple(), post.simple())
    });
    let (sql, texts) = (db.sql(&COUNT_BEYOND), Texts(texts.collect()));
    let rows: Vec<CountRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(texts).bind(reader).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| ((row.course_id, row.thread_id), row.unread)).collect())
}

/// Threads in the order of their last posts, beyond a key, with a post after `since`.
pub(super) async fn latest_threads(
    db: &Db,
    course: CourseId,
    since: i64,
    (time, id): TimeKey,
    is_forward: bool,
    most: i64,
) -> Result<Vec<(ThreadId, Timestamp)>, DbError> {
    let sql = db.sql(if is_forward { &LATEST_THREADS } else { &EARLIEST_THREADS });
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(course).bind(since).bind(time).bind(id).bind(most).fetch_all(c).await)?,
    )
}
