//! The latest threads of forums, as they are kept in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::super::heads::{Head, Held, POSTS, Stamp, THREADS};
use crate::{
    db::{Db, DbError, Pairs, Uuids, on, statements},
    forum::{model::Thread, store::threads::ThreadRow},
    ids::{CourseId, ThreadId},
};

statements! {
    LATEST_OF_FORUMS {
        [page (uuids) "t.course_id, t.id, t.category_id, t.author_id, t.kind, t.title, t.created_at, t.post_count,
           t.anonymity, t.version, t.last_post_at, t.pinned_at, t.locked_at, t.lock_reason, t.answer_id, t.merged_into"
         from "threads" owned "t.course_id = k.key" where "i.course_id = k.key" by "last_post_at" "id" ("<" "DESC")]
    }
    LATEST_OF_THREADS {
        [page (pairs) "t.course_id, t.thread_id, t.id, t.author_id, t.created_at, t.removed_at IS NOT NULL AS is_removed"
         from "posts" owned "t.course_id = k.owner" where "i.course_id = k.owner AND i.thread_id = k.key"
         by "created_at" "id" ("<" "DESC")]
    }
}

#[derive(sqlx::FromRow)]
struct StampRow {
    course_id: CourseId,
    thread_id: ThreadId,
    #[sqlx(flatten)]
    stamp: Stamp,
}

/// Of each forum the threads with the latest posts; nothing of a forum without threads.
pub(in crate::forum::reading) async fn heads(
    db: &Db,
    courses: &[CourseId],
) -> Result<HashMap<CourseId, Head>, DbError> {
    let start = (i64::MAX, uuid::Uuid::max());
    let (sql, keys) = (db.sql(&LATEST_OF_FORUMS), Uuids::new(courses.iter().copied()));
    // One more than are kept, here and of posts, tells whether there are more.
    let rows: Vec<ThreadRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(start.0).bind(start.1).bind(THREADS as i64 + 1).fetch_all(c).await)?;
    let mut threads: HashMap<CourseId, Vec<Thread>> = HashMap::with_capacity(courses.len());
    for thread in rows.into_iter().map(Thread::from) {
        threads.entry(thread.course_id).or_default().push(thread);
    }
    let kept = threads.values().flat_map(|threads| threads.iter().take(THREADS));
    let ids: Vec<_> = kept.map(|thread| (thread.course_id, thread.id)).collect();
    let mut merged: HashMap<_, Vec<ThreadId>> = HashMap::new();
    for (course, thread, from) in super::merged_into(db, &ids).await? {
        merged.entry((course, thread)).or_default().push(from);
    }
    let (sql, keys) = (db.sql(&LATEST_OF_THREADS), Pairs::new(ids.iter().copied()));
    let rows: Vec<StampRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(start.0).bind(start.1).bind(POSTS as i64 + 1).fetch_all(c).await)?;
    let mut stamps: HashMap<_, VecDeque<Stamp>> = HashMap::with_capacity(ids.len());
    for row in rows {
        stamps.entry((row.course_id, row.thread_id)).or_default().push_front(row.stamp);
    }
    let mut hold = |thread: Thread| {
        let key = (thread.course_id, thread.id);
        let mut posts = Vec::from(stamps.remove(&key).unwrap_or_default());
        let has_all = posts.len() <= POSTS;
        if !has_all {
            posts.remove(0);
        }
        posts.shrink_to_fit();
        Held { thread: Arc::new(thread), merged: merged.remove(&key).unwrap_or_default(), posts, has_all }
    };
    Ok(threads
        .into_iter()
        .map(|(course, threads)| {
            let is_whole = threads.len() <= THREADS;
            (course, Head { threads: threads.into_iter().take(THREADS).map(&mut hold).collect(), is_whole })
        })
        .collect())
}
