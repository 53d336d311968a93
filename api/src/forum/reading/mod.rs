//! What somebody has read of a forum.
//!
//! There is one row for a thread that she looked into, with the last post she has read, and one for a forum of which she said that
//! all of it is read. Nothing is kept for a post, and nothing before she looks. What she wrote herself counts as read.
//!
//! A thread that others were merged into counts as read up to where she had read all of them: posts that came with them are not
//! lost, although a few may count as unread again.

pub(crate) mod heads;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;
mod unread;

use std::collections::HashMap;

use super::Forum;
use crate::{
    db::{
        DbError,
        page::{PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId, PostId, ThreadId},
};
use model::{Mark, UnreadThread};

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

    /// Of each of these forums the threads of a page in which there is something that somebody has not read, and one more.
    pub(crate) async fn unread_threads(
        &self,
        reader: AccountId,
        courses: &[CourseId],
        request: &PageRequest<TimeKey>,
    ) -> Result<Vec<(CourseId, UnreadThread)>, DbError> {
        unread::unread_threads(&self.kept, reader, courses, request).await
    }

    /// Notes that somebody has read all there is in a forum.
    pub async fn mark_forum_read(&self, reader: AccountId, course: CourseId) -> Result<(), DbError> {
        store::put_forum_mark(&self.db, reader, course, self.clock.now()).await
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
    let store::Known { threads: marks, forums } = store::marks(db, reader, &all, &courses).await?;
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
