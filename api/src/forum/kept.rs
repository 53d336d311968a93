//! What is kept of forums in memory, as it was read: pages of threads, of posts and of replies, and the latest threads of whole forums
//! ([`super::reading::heads`]).
//!
//! What is kept is the same for all readers: no marks, no votes of hers, and nobody's name. What posts say stays sealed. Whoever shows
//! it asks the policy as for what was just read. How it stays true is in [`crate::db::forums`].

use std::{collections::HashMap, hash::Hash, mem::size_of, sync::Arc};

use moka::sync::Cache;

use super::{
    MAX_REASON,
    model::{Post, Thread},
    reading::heads::Head,
};
use crate::{
    db::{
        Db, DbError, Memory,
        forums::{Known, LIFETIME},
        page::{Page, PageRequest, TimeKey},
    },
    ids::{CategoryId, CourseId, PostId, ThreadId},
};

/// What something takes besides itself, in bytes: its key, and the places where the cache notes it. An estimate.
const OVERHEAD: usize = 250;

/// What of a forum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// Its latest threads, with who wrote when in them.
    Head,
    Threads(PageRequest<TimeKey>),
    ThreadsOfCategory(CategoryId, PageRequest<TimeKey>),
    Posts(ThreadId, PageRequest<TimeKey>),
    PostsByVotes(ThreadId, PageRequest<TimeKey>),
    Replies(PostId, PageRequest<TimeKey>),
}

/// Of which forum what.
pub(crate) type Key = (CourseId, What);

/// The forums of one server.
#[derive(Debug)]
pub(crate) struct Kept {
    db: Db,
    /// `None` where nothing is to be kept.
    cache: Option<Cache<Key, Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    /// Of which version of the forum it is, or of a later one.
    of: Known,
}

/// One of what is kept. One cache holds them all, so that they share its bytes.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// `None` where it was asked for once.
    Head(Option<Arc<Head>>),
    Threads(Arc<Page<Arc<Thread>>>),
    Posts(Arc<Page<Arc<Post>>>),
}

/// What is kept in a [`Value`].
pub(crate) trait Keep: Clone {
    fn into_value(self) -> Value;
    /// `None` if it is something else, which no key has.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! keep {
    ($($kind:ident: $kept:ty;)+) => {$(
        impl Keep for $kept {
            fn into_value(self) -> Value {
                Value::$kind(self)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$kind(kept) => Some(kept),
                    _ => None,
                }
            }
        }
    )+};
}

keep! {
    Head: Option<Arc<Head>>;
    Threads: Arc<Page<Arc<Thread>>>;
    Posts: Arc<Page<Arc<Post>>>;
}

/// What was asked for: what there is of it, and what is to be read.
pub(crate) struct Asked<'a, K, V> {
    pub(crate) found: HashMap<K, V>,
    pub(crate) missing: Vec<K>,
    pub(crate) reading: Reading<'a>,
}

/// Something is being read, by whoever knows the versions from before.
pub(crate) struct Reading<'a> {
    kept: &'a Kept,
    versions: HashMap<CourseId, Known>,
}

impl Kept {
    /// For at most so many bytes; 0 to keep nothing.
    pub(crate) fn new(db: &Db, bytes: u64) -> Self {
        let weigh = |_: &Key, entry: &Entry| u32::try_from(entry.value.bytes() + OVERHEAD).unwrap_or(u32::MAX);
        // It is what people wrote, and when: nothing of that stays here for long after it was looked at.
        let cache = || Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(LIFETIME).build();
        Self { db: db.clone(), cache: (bytes > 0).then(cache) }
    }

    /// The database that they are read from.
    pub(crate) const fn db(&self) -> &Db {
        &self.db
    }

    /// What is kept, if that can be told without asking for the forum's version.
    pub(crate) fn at_hand<V: Keep>(&self, key: &Key) -> Option<V> {
        let now = self.db.known_forum_version(key.0)?;
        let found = self.find(key, now)?;
        self.db.looked_up(Memory::Forums, 1, 0);
        Some(found)
    }

    /// What is kept of this version.
    fn find<V: Keep>(&self, key: &Key, now: Known) -> Option<V> {
        let entry = self.cache.as_ref()?.get(key)?;
        let is_so = now.is_still(entry.of) && self.db.may_be_so(entry.of);
        V::from_value(entry.value).filter(|_| is_so)
    }

    /// Those that are kept and are so now, and those that are to be read.
    pub(crate) async fn ask<K: Clone + Eq + Hash, V: Keep>(
        &self,
        keys: &[K],
        of: impl Fn(&K) -> Key,
    ) -> Result<Asked<'_, K, V>, DbError> {
        let asked: Vec<_> = keys.iter().map(|key| (key, of(key))).collect();
        let versions = match self.cache {
            Some(_) => self.db.forum_versions(asked.iter().map(|(_, (course, _))| *course)).await?,
            None => HashMap::new(),
        };
        let (mut found, mut missing) = (HashMap::with_capacity(keys.len()), Vec::new());
        for (key, at) in asked {
            match versions.get(&at.0).and_then(|now| self.find(&at, *now)) {
                Some(value) => {
                    found.insert(key.clone(), value);
                }
                None => missing.push(key.clone()),
            }
        }
        Ok(Asked { found, missing, reading: Reading { kept: self, versions } })
    }
}

impl Reading<'_> {
    /// Keeps what was read.
    pub(crate) fn keep<V: Keep>(&self, key: Key, value: &V) {
        if let (Some(cache), Some(of)) = (&self.kept.cache, self.versions.get(&key.0)) {
            cache.insert(key, Entry { value: value.clone().into_value(), of: *of });
        }
    }
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Self::Head(head) => head.as_ref().map_or(0, |head| head.bytes()),
            Self::Threads(page) => page.items.iter().map(|thread| thread.bytes()).sum(),
            Self::Posts(page) => page.items.iter().map(|post| post.bytes()).sum(),
        }
    }
}

impl Thread {
    /// So many bytes it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.title.bytes() + self.lock_reason.as_ref().map_or(0, String::len)
    }
}

impl Post {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.body.bytes() + self.removal.as_ref().map_or(0, |_| MAX_REASON)
    }
}
