//! What somebody has read of a forum.
//!
//! There is one row for a thread that she looked into, with the last post she has read, and one for a forum of which she said that
//! all of it is read. Nothing is kept for a post, and nothing before she looks. What she wrote herself counts as read.
//!
//! A thread that others were merged into counts as read up to where she had read all of them: posts that came with them are not
//! lost, although a few may count as unread again.

pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use std::collections::HashMap;

use super::Forum;
use crate::{
    db::{
        DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId, PostId, ThreadId},
};
use model::Mark;

/// So many threads of a forum are looked at, the latest first, for those that are not read.
const LOOKED_AT: usize = 1_500;
/// And so many at once.
const AT_ONCE: i64 = 300;

/// Why something was not marked as read: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefusal {
    /// No such thread, or its forum is not for the viewer.
    #[error("there is no such thread")]
    NoSuchThread,
    /// No such post in that thread.
    #[error("there is no such post in this thread")]
    NoSuchPost,
    /// No such course, or its forum is not for the viewer.
    #[error("there is no such course, or you don't take part in it: enroll first")]
    NoSuchForum,
}

impl Forum {
    /// Notes that somebody has read a thread up to a post; without one, up to its last. What she had read beyond it stays read.
    pub async fn mark_thread_read(
        &self,
        reader: AccountId,
        (course, thread): (CourseId, ThreadId),
        up_to: Option<PostId>,
    ) -> Result<Result<(), ReadRefusal>, DbError> {
        let mark = match up_to {
            None => store::last_post(&self.db, course, thread).await?,
            Some(post) => match super::store::posts::posts(&self.db, &[(course, post)]).await?.pop() {
                Some(post) if post.thread_id == thread => Some(Mark { at: post.created_at, post: post.id }),
                _ => return Ok(Err(ReadRefusal::NoSuchPost)),
            },
        };
        // A thread without posts was merged into another.
        let Some(mark) = mark else { return Ok(Ok(())) };
        let merged = store::merged_into(&self.db, &[(course, thread)]).await?;
        let mut tx = self.db.begin().await?;
        for thread in merged.into_iter().map(|(.., from)| from).chain([thread]) {
            store::put_mark(&mut tx, reader, (course, thread), mark).await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Notes that somebody has read all there is in a forum.
    pub async fn mark_forum_read(&self, reader: AccountId, course: CourseId) -> Result<(), DbError> {
        store::put_forum_mark(&self.db, reader, course, self.clock.now()).await
    }

    /// A page of the threads of a forum in which there is something that somebody has not read, the one with the latest post first.
    pub(crate) async fn unread_threads(
        &self,
        reader: AccountId,
        course: CourseId,
        request: &PageRequest<TimeKey>,
    ) -> Result<Page<(ThreadId, TimeKey)>, DbError> {
        let since = store::forum_marks(&self.db, reader, &[course]).await?.pop().map_or(i64::MIN, |(_, at)| at.0);
        let mut found = Vec::new();
        let mut from = request.start(false);
        let mut looked_at = 0;
        while looked_at < LOOKED_AT && found.len() <= request.limit {
            let threads = store::latest_threads(&self.db, course, since, from, request.is_forward(), AT_ONCE).await?;
            let Some((last, at)) = threads.last().copied() else { break };
            from = (at.0, last.0);
            looked_at += threads.len();
            let keys: Vec<_> = threads.iter().map(|(thread, _)| (course, *thread)).collect();
            let unread: HashMap<_, _> = states(&self.db, reader, &keys).await?;
            found.extend(
                threads
                    .iter()
                    .filter(|(thread, _)| unread.get(&(course, *thread)).is_some_and(|(_, count)| *count > 0))
                    .map(|(thread, at)| (*thread, (at.0, thread.0))),
            );
            if threads.len() < AT_ONCE as usize {
                break;
            }
        }
        found.truncate(request.limit + 1);
        Ok(Page::from_rows(found, request))
    }
}

/// Up to where somebody has read threads, and how much there is beyond it.
async fn states(
    db: &crate::db::Db,
    reader: AccountId,
    threads: &[(CourseId, ThreadId)],
) -> Result<HashMap<(CourseId, ThreadId), (Option<Mark>, i64)>, DbError> {
    let merged = store::merged_into(db, threads).await?;
    let all: Vec<_> = threads.iter().copied().chain(merged.iter().map(|(course, _, from)| (*course, *from))).collect();
    let mut courses: Vec<_> = threads.iter().map(|(course, _)| *course).collect();
    courses.sort_unstable();
    courses.dedup();
    let marks: HashMap<_, _> = store::marks(db, reader, &all).await?.into_iter().collect();
    let forums: HashMap<_, _> = store::forum_marks(db, reader, &courses).await?.into_iter().collect();
    let mut read: HashMap<_, _> = threads.iter().map(|key| (*key, marks.get(key).copied())).collect();
    for (course, thread, from) in merged {
        let of = read.entry((course, thread)).or_default();
        *of = (*of).min(marks.get(&(course, from)).copied());
    }
    for ((course, _), mark) in &mut read {
        *mark = (*mark).max(forums.get(course).map(|at| Mark { at: *at, post: PostId(uuid::Uuid::max()) }));
    }
    let counts: HashMap<_, _> = store::count_beyond(db, reader, &read).await?.into_iter().collect();
    Ok(read.into_iter().map(|(key, mark)| (key, (mark, counts.get(&key).copied().unwrap_or(0)))).collect())
}
