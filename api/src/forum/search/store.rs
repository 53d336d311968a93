//! The index of forums' words. SQLite keeps it by triggers, PostgreSQL in generated columns; nobody writes to it.

use uuid::Uuid;

use super::{Hit, Search};
use crate::{
    db::{Backend, Db, DbError, Uuids, on, statements},
    ids::{CourseId, PostId, ThreadId},
    time::Timestamp,
};

// A page of what is found in the courses (1): one of each of them ($10 is 1), or one of all together. Of each course the 2,000 latest
// titles or posts that fit are looked at: on SQLite those that were written down last, and no others are touched; PostgreSQL finds all
// places in the course before it takes the latest. Measured with 100,000 posts with the word in one course, and as many in another: 14 ms
// on SQLite, 110 ms on PostgreSQL; a word in 100 posts 3 and 8 ms. The `+` keeps SQLite from looking into the index once for each title
// and post of the course (1,480 ms with 3,000 posts).
statements! {
    FOUND_FORWARD {
        "SELECT y.course_id, y.thread_id, y.post_id, y.at FROM (
           SELECT x.*, ROW_NUMBER() OVER (
             PARTITION BY CASE WHEN $10 = 1 THEN x.course_id END ORDER BY x.in_title DESC, x.at DESC, x.subject_id DESC) AS place
           FROM (
             SELECT h.course_id, th.id AS thread_id, h.post_id, h.in_title, COALESCE(h.at, th.created_at) AS at, h.subject_id
             FROM (SELECT "
        [lite "w.course_id, CASE WHEN w.is_title = 1 THEN w.subject_id ELSE p.thread_id END AS thread_id, p.id AS post_id,
               w.is_title AS in_title, p.created_at AS at, w.subject_id, p.author_id"]
        [pg "f.course_id, f.thread_id, f.post_id, f.in_title, f.at, f.subject_id, f.author_id"]
        " FROM " [uuids 1] " k "
        [lite "CROSS JOIN forum_words_keys w ON +w.course_id = k.key AND w.key IN (
                 SELECT i.rowid FROM forum_words i
                 WHERE i.forum_words MATCH 'course : \"' || hex(k.key) || '\" AND words : ' || $2 ORDER BY i.rowid DESC LIMIT 2000)
               LEFT JOIN posts p ON w.is_title = 0 AND p.course_id = w.course_id AND p.id = w.subject_id AND p.removed_at IS NULL
               WHERE w.is_title = 1 OR p.id IS NOT NULL"]
        [pg "CROSS JOIN LATERAL (
               SELECT to_tsquery('simple', '''' || forum_course_word(k.key) || ''' & ' || forum_letters($2)) AS words) q
             CROSS JOIN LATERAL (
               (SELECT t.course_id, t.id AS thread_id, NULL::uuid AS post_id, 1::bigint AS in_title, t.created_at AS at, t.id AS subject_id,
                  t.author_id
                FROM threads t WHERE t.course_id = k.key AND t.title_words @@ q.words ORDER BY t.created_at DESC, t.id DESC LIMIT 2000)
               UNION ALL
               (SELECT p.course_id, p.thread_id, p.id, 0, p.created_at, p.id, p.author_id
                FROM posts p WHERE p.course_id = k.key AND p.body_words @@ q.words AND p.removed_at IS NULL
                ORDER BY p.created_at DESC, p.id DESC LIMIT 2000)) f"]
        ") h JOIN threads th ON th.course_id = h.course_id AND th.id = h.thread_id
             WHERE th.merged_into IS NULL AND ($3 = '' OR th.kind = $3)
               AND ($4 < 0 OR CASE WHEN th.answer_id IS NULL THEN 0 ELSE 1 END = $4)
               AND ($11 = 0 OR COALESCE(h.author_id, th.author_id) = $5)
           ) x WHERE (x.in_title, x.at, x.subject_id) < ($6, $7, $8)
         ) y WHERE y.place <= $9 ORDER BY y.in_title DESC, y.at DESC, y.subject_id DESC"
    }
    FOUND_BACKWARD {
        "SELECT y.course_id, y.thread_id, y.post_id, y.at FROM (
           SELECT x.*, ROW_NUMBER() OVER (
             PARTITION BY CASE WHEN $10 = 1 THEN x.course_id END ORDER BY x.in_title ASC, x.at ASC, x.subject_id ASC) AS place
           FROM (
             SELECT h.course_id, th.id AS thread_id, h.post_id, h.in_title, COALESCE(h.at, th.created_at) AS at, h.subject_id
             FROM (SELECT "
        [lite "w.course_id, CASE WHEN w.is_title = 1 THEN w.subject_id ELSE p.thread_id END AS thread_id, p.id AS post_id,
               w.is_title AS in_title, p.created_at AS at, w.subject_id, p.author_id"]
        [pg "f.course_id, f.thread_id, f.post_id, f.in_title, f.at, f.subject_id, f.author_id"]
        " FROM " [uuids 1] " k "
        [lite "CROSS JOIN forum_words_keys w ON +w.course_id = k.key AND w.key IN (
                 SELECT i.rowid FROM forum_words i
                 WHERE i.forum_words MATCH 'course : \"' || hex(k.key) || '\" AND words : ' || $2 ORDER BY i.rowid DESC LIMIT 2000)
               LEFT JOIN posts p ON w.is_title = 0 AND p.course_id = w.course_id AND p.id = w.subject_id AND p.removed_at IS NULL
               WHERE w.is_title = 1 OR p.id IS NOT NULL"]
        [pg "CROSS JOIN LATERAL (
               SELECT to_tsquery('simple', '''' || forum_course_word(k.key) || ''' & ' || forum_letters($2)) AS words) q
             CROSS JOIN LATERAL (
               (SELECT t.course_id, t.id AS thread_id, NULL::uuid AS post_id, 1::bigint AS in_title, t.created_at AS at, t.id AS subject_id,
                  t.author_id
                FROM threads t WHERE t.course_id = k.key AND t.title_words @@ q.words ORDER BY t.created_at DESC, t.id DESC LIMIT 2000)
               UNION ALL
               (SELECT p.course_id, p.thread_id, p.id, 0, p.created_at, p.id, p.author_id
                FROM posts p WHERE p.course_id = k.key AND p.body_words @@ q.words AND p.removed_at IS NULL
                ORDER BY p.created_at DESC, p.id DESC LIMIT 2000)) f"]
        ") h JOIN threads th ON th.course_id = h.course_id AND th.id = h.thread_id
             WHERE th.merged_into IS NULL AND ($3 = '' OR th.kind = $3)
               AND ($4 < 0 OR CASE WHEN th.answer_id IS NULL THEN 0 ELSE 1 END = $4)
               AND ($11 = 0 OR COALESCE(h.author_id, th.author_id) = $5)
           ) x WHERE (x.in_title, x.at, x.subject_id) > ($6, $7, $8)
         ) y WHERE y.place <= $9 ORDER BY y.in_title ASC, y.at ASC, y.subject_id ASC"
    }
}

#[derive(sqlx::FromRow)]
struct HitRow {
    course_id: CourseId,
    thread_id: ThreadId,
    post_id: Option<PostId>,
    at: Timestamp,
}

impl From<HitRow> for Hit {
    fn from(HitRow { course_id, thread_id, post_id, at }: HitRow) -> Self {
        Self { course_id, thread_id, post_id, at }
    }
}

/// The rows of a page of what is found in the courses, as they were read: of each of them, or of all together.
pub(crate) async fn found(db: &Db, courses: &[CourseId], search: &Search, of_each: bool) -> Result<Vec<Hit>, DbError> {
    let page = &search.page;
    let sql = db.sql(if page.is_forward() { &FOUND_FORWARD } else { &FOUND_BACKWARD });
    // What comes first is the largest.
    let (title, time, id) = page.from.unwrap_or(if page.is_forward() {
        (i64::MAX, i64::MAX, Uuid::max())
    } else {
        (i64::MIN, i64::MIN, Uuid::nil())
    });
    let words = match db.reader() {
        Backend::Lite(_) => search.query.for_lite(),
        Backend::Pg(_) => search.query.for_pg(),
    };
    let filter = &search.filter;
    let kind = filter.kind.map_or("", super::ThreadKind::as_str);
    let author: Uuid = filter.author.map_or(Uuid::nil(), Into::into);
    let keys = Uuids::new(courses.iter().copied());
    let rows: Vec<HitRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(words).bind(kind).bind(filter.answered.map_or(-1, i64::from)).bind(author)
        .bind(title).bind(time).bind(id).bind(page.fetch()).bind(i64::from(of_each)).bind(i64::from(filter.author.is_some()))
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(Hit::from).collect())
}
