//! What is kept in memory of things that are the same for everybody.
//!
//! A shelf holds values of one kind by their keys, decoded, up to a number of bytes; what is asked for least goes first. A loader
//! that has one ([`Fetch::shelf`](crate::batch::Fetch::shelf)) looks there before it reads, and puts there what it read.
//!
//! Invariant: a value is found only as long as it is of the present generation ([`crate::db::fresh`]), and it has the generation
//! that was the present one before it was read.

use std::hash::Hash;

use moka::sync::Cache;

use crate::db::{Db, fresh::Generation};

/// What a value takes besides itself, in bytes: its key, and the places where the shelf notes it. An estimate.
const OVERHEAD: usize = 250;

/// Values of one kind.
pub(crate) struct Shelf<K, V> {
    db: Db,
    /// None where nothing is to be kept.
    cache: Option<Cache<K, Kept<V>>>,
    weigh: fn(&V) -> Option<usize>,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    bytes: u32,
    generation: Generation,
}

impl<K, V> Shelf<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A shelf for so many bytes. `weigh` says how many a value takes, by an estimate, or that it is not to be kept.
    pub(crate) fn new(db: &Db, bytes: u64, weigh: fn(&V) -> Option<usize>) -> Self {
        let cache =
            (bytes > 0).then(|| Cache::builder().max_capacity(bytes).weigher(|_, kept: &Kept<V>| kept.bytes).build());
        Self { db: db.clone(), cache, weigh }
    }

    /// What is kept under a key, if that is so now. It waits for nothing.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let found = self.find(key)?;
        self.db.looked_up(1, 0);
        Some(found)
    }

    fn find(&self, key: &K) -> Option<V> {
        let (cache, present) = (self.cache.as_ref()?, self.db.generation()?);
        cache.get(key).filter(|kept| kept.generation == present).map(|kept| kept.value)
    }

    /// What is to be read of these keys, since it is not kept, and what is.
    pub(crate) async fn split(&self, keys: &[K]) -> (Reading<'_, K, V>, Vec<(K, V)>, Vec<K>)
    where
        K: Clone,
    {
        let generation = match self.cache {
            // Before anything is read: what is written meanwhile makes this one of the past.
            Some(_) => Some(self.db.begin_generation().await),
            None => None,
        };
        let (mut kept, mut missing) = (Vec::new(), Vec::new());
        for key in keys {
            match self.find(key) {
                Some(value) => kept.push((key.clone(), value)),
                None => missing.push(key.clone()),
            }
        }
        if generation.is_some() {
            self.db.looked_up(kept.len(), missing.len());
        }
        (Reading { shelf: self, generation }, kept, missing)
    }
}

/// Something is being read.
pub(crate) struct Reading<'a, K, V> {
    shelf: &'a Shelf<K, V>,
    generation: Option<Generation>,
}

impl<K, V> Reading<'_, K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps what was read.
    pub(crate) fn keep(&self, key: K, value: &V) {
        let (Some(cache), Some(generation)) = (&self.shelf.cache, self.generation) else { return };
        let Some(bytes) = (self.shelf.weigh)(value) else { return };
        let bytes = u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX);
        cache.insert(key, Kept { value: value.clone(), bytes, generation });
    }
}
