//! The forums in which there is something unread, walked through in one statement. What the reader has read comes as a parameter,
//! since it lies in the other family of tables.

use std::{collections::HashMap, sync::Arc};

use uuid::fmt::Simple;

use super::{
    super::model::{ReadState, UnreadThread},
    Known, Mark,
};
use crate::{
    db::{
        Db, DbError, Rows, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::store::threads::ThreadRow,
    ids::{AccountId, CourseId},
    time::Timestamp,
};

/// Stands for "she has read nothing": earlier than any post, and a number that JSON and both databases can hold.
const NOTHING: i64 = i64::MIN / 2;

/// The same walk in both directions. Both databases go along the index of threads by their last posts, and stop when the page is
/// full: on PostgreSQL by `LATERAL`, on SQLite, which has none, by a list in JSON for each forum, which `jsonb_each` takes apart.
/// There the order of the threads that were looked at is not asked for again, since that would sort all of them: SQLite hands on
/// the rows of a part with `LIMIT` one by one, as they come.
///
/// Parameters: forums with the mark of all, and marks of threads by their ids (1); the reader (2); the key to start beyond (3, 4); how many
/// unread threads of each forum are wanted (5), and how many threads are looked at (6). Of the marks of a thread and of those merged
/// into it the least counts; of its posts 200 are looked at.
macro_rules! walks {
    ($($name:ident $op:literal $dir:literal)+) => { statements! { $($name {
        [lite "WITH f AS MATERIALIZED (SELECT unhex(value ->> 0) AS course_id, value ->> 1 AS since, jsonb_extract(value, '$[2]') AS marks
             FROM jsonb_each($1))
         SELECT "]
        [pg "WITH f AS MATERIALIZED (SELECT (value ->> 0)::uuid AS course_id, (value ->> 1)::bigint AS since, value -> 2 AS marks
             FROM jsonb_array_elements($1::jsonb))
         SELECT "]
        "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into, "
        [lite "e.value ->> 1 AS read_at, e.value ->> 2 AS unread
         FROM f CROSS JOIN jsonb_each((SELECT jsonb_group_array(jsonb_array(hex(n.id), n.mark ->> 0, n.unread)) FROM (
             SELECT i.id, i.mark, (SELECT COUNT(*) FROM (
                 SELECT p.author_id, p.removed_at FROM posts p
                 WHERE p.course_id = f.course_id AND p.thread_id = i.id AND (p.created_at, p.id) > (i.mark ->> 0, unhex(i.mark ->> 1))
                 ORDER BY p.created_at, p.id LIMIT 200) b
               WHERE b.author_id <> $2 AND b.removed_at IS NULL) AS unread
             FROM (
               SELECT t.id, t.last_post_at, (
                   SELECT COALESCE(f.marks -> lower(hex(s.id)), json_array(f.since, 'ffffffffffffffffffffffffffffffff')) AS mark
                   FROM (SELECT t.id UNION ALL SELECT m.id FROM threads m WHERE m.course_id = f.course_id AND m.merged_into = t.id) s
                   ORDER BY mark ->> 0, mark ->> 1 LIMIT 1) AS mark
               FROM threads t
               WHERE t.course_id = f.course_id AND t.last_post_at > f.since AND (t.last_post_at, t.id) "]
        [lite $op]
        [lite " ($3, $4)
               ORDER BY t.last_post_at "] [lite $dir] [lite ", t.id "] [lite $dir]
        [lite " LIMIT $6) i
             WHERE unread > 0 LIMIT $5) n)) e CROSS JOIN threads t ON t.course_id = f.course_id AND t.id = unhex(e.value ->> 0)"]
        [pg "t.read_at, t.unread
         FROM f CROSS JOIN LATERAL (
           SELECT i.*, m.read_at, c.unread
           FROM (SELECT t.* FROM threads t
                 WHERE t.course_id = f.course_id AND t.last_post_at > f.since AND (t.last_post_at, t.id) "]
        [pg $op]
        [pg " ($3, $4)
                 ORDER BY t.last_post_at "] [pg $dir] [pg ", t.id "] [pg $dir]
        [pg " LIMIT $6) i
           CROSS JOIN LATERAL (
             SELECT COALESCE((k.mark ->> 0)::bigint, f.since) AS read_at,
                    COALESCE((k.mark ->> 1)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS post_id
             FROM (SELECT f.marks -> replace(s.id::text, '-', '') AS mark FROM (
                     SELECT i.id UNION ALL SELECT m.id FROM threads m WHERE m.course_id = f.course_id AND m.merged_into = i.id) s) k
             ORDER BY read_at, post_id LIMIT 1) m
           CROSS JOIN LATERAL (
             SELECT COUNT(*) AS unread FROM (
               SELECT p.author_id, p.removed_at FROM posts p
               WHERE p.course_id = f.course_id AND p.thread_id = i.id AND (p.created_at, p.id) > (m.read_at, m.post_id)
               ORDER BY p.created_at, p.id LIMIT 200) b
             WHERE b.author_id <> $2 AND b.removed_at IS NULL) c
           WHERE c.unread > 0
           ORDER BY i.last_post_at "] [pg $dir] [pg ", i.id "] [pg $dir]
        [pg " LIMIT $5) t"]
        " ORDER BY t.last_post_at " $dir ", t.id " $dir
    })+ } };
}

walks! {
    LATEST_UNREAD "<" "DESC"
    EARLIEST_UNREAD ">" "ASC"
}

/// A thread with something unread.
#[derive(sqlx::FromRow)]
struct UnreadRow {
    #[sqlx(flatten)]
    thread: ThreadRow,
    read_at: i64,
    unread: i64,
}

impl From<UnreadRow> for UnreadThread {
    fn from(row: UnreadRow) -> Self {
        let read_up_to = (row.read_at != NOTHING).then_some(Timestamp(row.read_at));
        Self { thread: Arc::new(row.thread.into()), state: ReadState::new(read_up_to, row.unread) }
    }
}

/// Of each forum the threads of a page in which there is something unread, and one more. `known` must have all the marks that the reader
/// has there.
pub(in crate::forum::reading) async fn unread_threads(
    db: &Db,
    reader: AccountId,
    courses: &[CourseId],
    known: &Known,
    request: &PageRequest<TimeKey>,
    looked_at: usize,
) -> Result<Vec<UnreadThread>, DbError> {
    let mut marks: HashMap<CourseId, HashMap<Simple, (i64, Simple)>> = HashMap::new();
    for ((course, thread), Mark { at, post }) in &known.threads {
        // What the mark of all covers need not be said again.
        if known.forums.get(course).is_none_or(|all| at > all) {
            marks.entry(*course).or_default().insert(thread.0.simple(), (at.0, post.0.simple()));
        }
    }
    let forums: Vec<_> = courses
        .iter()
        .map(|course| {
            let since = known.forums.get(course).map_or(NOTHING, |all| all.0);
            (course.0.simple(), since, marks.remove(course).unwrap_or_default())
        })
        .collect();
    let (sql, forums) =
        (db.sql(if request.is_forward() { &LATEST_UNREAD } else { &EARLIEST_UNREAD }), Rows::new(&forums)?);
    let ((time, id), looked_at) = (request.start(false), looked_at as i64);
    let rows: Vec<UnreadRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(forums).bind(reader).bind(time).bind(id).bind(request.fetch()).bind(looked_at)
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(UnreadThread::from).collect())
}
