//! The latest threads of forums, with who wrote when in them: so what is unread of a forum is told to each of its readers without a walk
//! for each.
//!
//! A forum is read into memory when it is asked for the second time at the same version: where somebody writes more often than others
//! read, nothing is kept.

use std::{collections::HashMap, mem::size_of, sync::Arc};

use super::{
    model::{Mark, ReadState, UnreadThread},
    store,
};
use crate::{
    db::{
        DbError,
        page::{PageRequest, TimeKey},
    },
    forum::{
        kept::{Asked, Kept, What},
        model::Thread,
    },
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

/// So many threads of a forum are kept.
pub(super) const THREADS: usize = 50;
/// And so many posts of each, the latest.
pub(super) const POSTS: usize = 100;
/// So many posts beyond a mark are looked at, as by the walk.
const BEYOND: usize = 200;
/// The threads of a forum that have the latest posts.
#[derive(Debug)]
pub(crate) struct Head {
    /// The one with the latest post first.
    pub(super) threads: Vec<Held>,
    /// Whether these are all of them.
    pub(super) is_whole: bool,
}

/// A thread, and who wrote when in it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) thread: Arc<Thread>,
    /// Those that were merged into it.
    pub(super) merged: Vec<ThreadId>,
    /// The first one first.
    pub(super) posts: Vec<Stamp>,
    /// Whether these are all of them.
    pub(super) has_all: bool,
}

/// A post, but for what it says.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Stamp {
    pub(super) created_at: Timestamp,
    pub(super) id: PostId,
    pub(super) author_id: AccountId,
    pub(super) is_removed: bool,
}

/// Those of the forums that are kept, as they are now.
pub(super) async fn heads(kept: &Kept, courses: &[CourseId]) -> Result<HashMap<CourseId, Arc<Head>>, DbError> {
    let of = |course: &CourseId| (*course, What::Head);
    let Asked { found, missing, reading } = kept.ask::<_, Option<Arc<Head>>>(courses, of).await?;
    for course in missing {
        reading.keep(of(&course), &None);
    }
    let (mut heads, mut wanted) = (HashMap::with_capacity(courses.len()), Vec::new());
    for (course, head) in found {
        match head {
            Some(head) => {
                heads.insert(course, head);
            }
            None => wanted.push(course),
        }
    }
    if !wanted.is_empty() {
        let mut read = store::heads::heads(kept.db(), &wanted).await?;
        for course in wanted {
            let head = Arc::new(read.remove(&course).unwrap_or(Head { threads: Vec::new(), is_whole: true }));
            reading.keep(of(&course), &Some(Arc::clone(&head)));
            heads.insert(course, head);
        }
    }
    Ok(heads)
}

impl Head {
    pub(in crate::forum) fn bytes(&self) -> usize {
        self.threads.iter().map(Held::bytes).sum()
    }

    /// The threads of a page, and one more, in which there is something that somebody has not read, given what she has read: of a
    /// thread, and since when all of the forum is read. `None` if that can't be told by what is kept.
    pub(super) fn unread(
        &self,
        reader: AccountId,
        since: Option<Timestamp>,
        mark_of: impl Fn(ThreadId) -> Option<Mark>,
        request: &PageRequest<TimeKey>,
    ) -> Option<Vec<UnreadThread>> {
        let (time, id) = request.start(false);
        let all = since.map(|at| Mark { at, post: PostId(uuid::Uuid::max()) });
        let mut found = Vec::new();
        for held in &self.threads {
            let thread = &held.thread;
            if since.is_some_and(|since| thread.last_post_at <= since) {
                return Some(found);
            }
            if (thread.last_post_at.0, thread.id.0) >= (time, id) {
                continue;
            }
            // Of a thread and those merged into it the least counts.
            let marks = held.merged.iter().chain([&thread.id]).map(|id| mark_of(*id).max(all));
            let mark = marks.min().flatten();
            let unread = held.beyond(mark, reader)?;
            if unread > 0 {
                let state = ReadState::new(mark.map(|mark| mark.at), unread);
                found.push(UnreadThread { thread: Arc::clone(thread), state });
                if found.len() > request.limit {
                    return Some(found);
                }
            }
        }
        self.is_whole.then_some(found)
    }
}

impl Held {
    fn bytes(&self) -> usize {
        self.thread.bytes() + size_of::<ThreadId>() * self.merged.len() + size_of::<Stamp>() * self.posts.len()
    }

    /// How many posts of others stand beyond a mark; `None` if more may than are kept.
    fn beyond(&self, mark: Option<Mark>, reader: AccountId) -> Option<i64> {
        let from = self.posts.partition_point(|post| mark >= Some(Mark { at: post.created_at, post: post.id }));
        if from == 0 && !self.has_all {
            return None;
        }
        let beyond = self.posts[from..].iter().take(BEYOND);
        Some(beyond.filter(|post| post.author_id != reader && !post.is_removed).count() as i64)
    }
}
