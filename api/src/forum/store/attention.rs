//! Which threads wait for staff: counted in the thread's row as posts come, and listed by index.
//!
//! A post is the asker's if everybody may know that it is (`Thread::is_by_asker`): under the same name, or under the number of who
//! began the thread. A post under her own name in a thread that she began in hiding counts as anybody's, so the lists tell
//! nobody who she is.

use crate::{
    db::{
        Db, DbError, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::{
        moderation::{
            attention::{STUCK_AFTER_REPLIES, TALKED_FOR, WAITED_FOR},
            model::Unanswered,
        },
        store::posts::NewPostRow,
    },
    ids::{CourseId, ThreadId},
    time::Timestamp,
};

statements! {
    POSTED {
        "UPDATE threads SET
           waiting_since = CASE WHEN author_id = $3 AND anonymity = $4 AND (anonymity = 'NONE' OR $6 = 1)
             THEN CASE WHEN other_replies > 0 THEN COALESCE(waiting_since, $5) END END,
           other_replies = other_replies + CASE WHEN author_id = $3 AND anonymity = $4 AND (anonymity = 'NONE' OR $6 = 1)
             THEN 0 ELSE 1 END
         WHERE course_id = $1 AND id = $2"
    }
    COUNT {
        "UPDATE threads SET
           other_replies = (SELECT COUNT(*) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL
             AND (p.author_id <> threads.author_id OR p.anonymity <> threads.anonymity
               OR p.anonymity <> 'NONE' AND COALESCE(p.alias, 0) <> 1)),
           endorsed_replies = (SELECT COUNT(*) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL AND p.endorsed_at IS NOT NULL),
           waiting_since = (SELECT MIN(p.created_at) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL AND p.author_id = threads.author_id AND p.anonymity = threads.anonymity
             AND (p.anonymity = 'NONE' OR p.alias = 1)
             AND p.created_at > (SELECT MAX(o.created_at) FROM posts o
               WHERE o.course_id = threads.course_id AND o.thread_id = threads.id AND o.removed_at IS NULL
               AND (o.author_id <> threads.author_id OR o.anonymity <> threads.anonymity
               OR o.anonymity <> 'NONE' AND COALESCE(o.alias, 0) <> 1)))
         WHERE course_id = $1 AND id = $2"
    }
    COUNT_ALL {
        "UPDATE threads SET
           other_replies = (SELECT COUNT(*) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL
             AND (p.author_id <> threads.author_id OR p.anonymity <> threads.anonymity
               OR p.anonymity <> 'NONE' AND COALESCE(p.alias, 0) <> 1)),
           endorsed_replies = (SELECT COUNT(*) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL AND p.endorsed_at IS NOT NULL),
           waiting_since = (SELECT MIN(p.created_at) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
             AND p.removed_at IS NULL AND p.author_id = threads.author_id AND p.anonymity = threads.anonymity
             AND (p.anonymity = 'NONE' OR p.alias = 1)
             AND p.created_at > (SELECT MAX(o.created_at) FROM posts o
               WHERE o.course_id = threads.course_id AND o.thread_id = threads.id AND o.removed_at IS NULL
               AND (o.author_id <> threads.author_id OR o.anonymity <> threads.anonymity
               OR o.anonymity <> 'NONE' AND COALESCE(o.alias, 0) <> 1)))
         WHERE course_id " [any_uuid 1]
    }
    LIST {
        "UPDATE threads SET
           unanswered_since = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 THEN created_at END,
           unreplied_since = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 AND other_replies = 0 THEN created_at END,
           stuck_at = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 THEN CASE
               WHEN other_replies >= $3 AND (waiting_since IS NULL OR created_at + $4 <= waiting_since + $5) THEN created_at + $4
               ELSE waiting_since + $5 END END
         WHERE course_id = $1 AND id = $2"
    }
    LIST_ALL {
        "UPDATE threads SET
           unanswered_since = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 THEN created_at END,
           unreplied_since = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 AND other_replies = 0 THEN created_at END,
           stuck_at = CASE WHEN kind = 'QUESTION' AND merged_into IS NULL AND locked_at IS NULL AND answer_id IS NULL
             AND endorsed_replies = 0 THEN CASE
               WHEN other_replies >= $2 AND (waiting_since IS NULL OR created_at + $3 <= waiting_since + $4) THEN created_at + $3
               ELSE waiting_since + $4 END END
         WHERE course_id " [any_uuid 1]
    }
    NO_REPLY_FORWARD {
        [page (uuids) "t.course_id, t.id, t.unreplied_since AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key" by "unreplied_since" "id" (">" "ASC")]
    }
    NO_REPLY_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.unreplied_since AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key" by "unreplied_since" "id" ("<" "DESC")]
    }
    NO_ANSWER_FORWARD {
        [page (uuids) "t.course_id, t.id, t.unanswered_since AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key" by "unanswered_since" "id" (">" "ASC")]
    }
    NO_ANSWER_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.unanswered_since AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key" by "unanswered_since" "id" ("<" "DESC")]
    }
    STUCK_FORWARD {
        [page (uuids) "t.course_id, t.id, t.stuck_at AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.stuck_at <= $5" by "stuck_at" "id" (">" "ASC")]
    }
    STUCK_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.stuck_at AS at" from "threads" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.stuck_at <= $5" by "stuck_at" "id" ("<" "DESC")]
    }
}

/// A thread on a list, and since when it is there.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(crate) struct Listed {
    pub(crate) course_id: CourseId,
    pub(crate) id: ThreadId,
    pub(crate) at: Timestamp,
}

/// Counts a new post.
pub(crate) async fn posted(tx: &mut Tx, post: &NewPostRow<'_>) -> Result<(), DbError> {
    let sql = tx.forum_sql(post.course_id, &POSTED);
    on!(tx.conn(), c => sqlx::query(sql).bind(post.course_id).bind(post.thread_id).bind(post.author_id)
        .bind(Text(post.anonymity)).bind(post.created_at).bind(post.alias).execute(c).await.map(|_| ()))?;
    list(tx, post.course_id, post.thread_id).await
}

/// Counts a thread's posts anew.
pub(crate) async fn count(tx: &mut Tx, course: CourseId, thread: ThreadId) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &COUNT);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread).execute(c).await.map(|_| ()))?;
    list(tx, course, thread).await
}

/// Puts a thread on the lists that it belongs to by what is counted, and takes it from the others.
pub(crate) async fn list(tx: &mut Tx, course: CourseId, thread: ThreadId) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &LIST);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread)
        .bind(STUCK_AFTER_REPLIES).bind(TALKED_FOR).bind(WAITED_FOR).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Counts all threads of courses anew; for the intake.
pub(crate) async fn count_all(tx: &mut Tx, courses: &[CourseId]) -> Result<(), DbError> {
    for course in courses {
        tx.changes_forum(*course);
    }
    let (sql, keys) = (tx.sql(&COUNT_ALL), Uuids::new(courses.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(keys).execute(c).await.map(|_| ()))?;
    let (sql, keys) = (tx.sql(&LIST_ALL), Uuids::new(courses.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(keys)
        .bind(STUCK_AFTER_REPLIES).bind(TALKED_FOR).bind(WAITED_FOR).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The rows of a page of a course's questions without reply or answer, the oldest first, as they were read.
pub(crate) async fn unanswered(
    db: &Db,
    course: CourseId,
    which: Unanswered,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Listed>, DbError> {
    let sql = db.sql(match (which, request.is_forward()) {
        (Unanswered::NoReply, true) => &NO_REPLY_FORWARD,
        (Unanswered::NoReply, false) => &NO_REPLY_BACKWARD,
        (Unanswered::NoAnswer, true) => &NO_ANSWER_FORWARD,
        (Unanswered::NoAnswer, false) => &NO_ANSWER_BACKWARD,
    });
    let (time, id) = request.start(true);
    let keys = Uuids::new([course]);
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?,
    )
}

/// The rows of a page of a course's threads that are stuck at this instant, the longest stuck first, as they were read.
pub(crate) async fn stuck(
    db: &Db,
    course: CourseId,
    now: Timestamp,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Listed>, DbError> {
    let sql = db.sql(if request.is_forward() { &STUCK_FORWARD } else { &STUCK_BACKWARD });
    let (time, id) = request.start(true);
    let keys = Uuids::new([course]);
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).bind(now).fetch_all(c).await)?,
    )
}
