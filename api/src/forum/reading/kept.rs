//! The latest threads of forums, kept in memory with who wrote when in them: so what is unread of a forum is told to each of its readers
//! without a walk for each.
//!
//! What is kept is the same for all readers: no marks, and nothing of what posts say. Whoever shows it asks the policy as for what was
//! just read. How it stays true is in [`crate::db::forums`]. A forum is read into memory when it is asked for the second time at the
//! same version: where somebody writes more often than others read, nothing is kept.

use std::{collections::HashMap, mem::size_of, sync::Arc};

use moka::sync::Cache;

use super::{
    model::{Mark, ReadState, UnreadThread},
    store,
};
use crate::{
    db::{
        Db, DbError,
        forums::{LIFETIME, Moment},
        page::{PageRequest, TimeKey},
    },
    forum::{MAX_TITLE, model::Thread},
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

/// So many threads of a forum are kept.
pub(super) const THREADS: usize = 50;
/// And so many posts of each, the latest.
pub(super) const POSTS: usize = 100;
/// So many posts beyond a mark are looked at, as by the walk.
const BEYOND: usize = 200;
/// What a forum takes besides its threads, in bytes: its key, and the places where the cache notes it. An estimate.
const OVERHEAD: usize = 250;

/// The forums of one server.
#[derive(Debug)]
pub(crate) struct Kept {
    db: Db,
    /// `None` where nothing is to be kept.
    cache: Option<Cache<CourseId, Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// From when it is.
    begun: Moment,
    /// When it was last known to be so.
    known: Moment,
    version: i64,
    /// `None` where it was asked for once.
    head: Option<Arc<Head>>,
}

/// The threads of a forum that have the latest posts.
#[derive(Debug)]
pub(super) struct Head {
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

impl Kept {
    /// For at most so many bytes; 0 to keep nothing.
    pub(crate) fn new(db: &Db, bytes: u64) -> Self {
        let weigh = |_: &CourseId, entry: &Entry| {
            let head = entry.head.as_ref().map_or(0, |head| head.bytes());
            u32::try_from(head + OVERHEAD).unwrap_or(u32::MAX)
        };
        // It says who wrote when: nothing of that stays here for long after it was looked at.
        let cache = || Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(LIFETIME).build();
        Self { db: db.clone(), cache: (bytes > 0).then(cache) }
    }

    /// Those of the forums that are kept, as they are now.
    pub(super) async fn heads(&self, courses: &[CourseId]) -> Result<HashMap<CourseId, Arc<Head>>, DbError> {
        let Some(cache) = &self.cache else { return Ok(HashMap::new()) };
        let mut heads = HashMap::with_capacity(courses.len());
        let (mut doubtful, mut wanted) = (Vec::new(), Vec::new());
        for course in courses {
            match cache.get(course) {
                Some(entry) if self.db.is_fresh(*course, entry.known) => match entry.head {
                    Some(head) => {
                        heads.insert(*course, head);
                    }
                    None => wanted.push((*course, entry)),
                },
                entry => doubtful.push((*course, self.db.forum_moment(*course), entry)),
            }
        }
        if !doubtful.is_empty() {
            let courses: Vec<_> = doubtful.iter().map(|(course, ..)| *course).collect();
            let versions = self.db.forum_versions(&courses).await?;
            for (course, known, former) in doubtful {
                let version = versions.get(&course).copied().unwrap_or_default();
                let former = former.filter(|former| former.version == version && self.db.may_be_so(former.begun));
                let is_asked_again = former.is_some();
                let now = Entry { begun: known, known, version, head: None };
                let entry = former.map_or(now, |former| Entry { known, ..former });
                match &entry.head {
                    Some(head) => {
                        heads.insert(course, Arc::clone(head));
                        cache.insert(course, entry);
                    }
                    None if is_asked_again => wanted.push((course, entry)),
                    None => cache.insert(course, entry),
                }
            }
        }
        if !wanted.is_empty() {
            let courses: Vec<_> = wanted.iter().map(|(course, _)| *course).collect();
            let mut read = store::heads::heads(&self.db, &courses).await?;
            for (course, entry) in wanted {
                let head = Arc::new(read.remove(&course).unwrap_or(Head { threads: Vec::new(), is_whole: true }));
                heads.insert(course, Arc::clone(&head));
                cache.insert(course, Entry { begun: entry.known, head: Some(head), ..entry });
            }
        }
        Ok(heads)
    }
}

impl Head {
    fn bytes(&self) -> usize {
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
        // A title is sealed, and has no length here.
        let texts = MAX_TITLE + self.thread.lock_reason.as_ref().map_or(0, String::len);
        size_of::<Thread>() + texts + size_of::<ThreadId>() * self.merged.len() + size_of::<Stamp>() * self.posts.len()
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
