//! What is kept in memory of things that are the same for everybody.
//!
//! A shelf holds values of one kind by their keys, decoded, up to a number of bytes; what is asked for least goes first. A loader
//! that has one ([`Fetch::shelf`](crate::batch::Fetch::shelf)) looks there before it reads, and puts there what it read.
//!
//! Invariant: a value is found only as long as it is of the present generation ([`crate::db::fresh`]), and it has the generation
//! that was the present one before it was read.

use std::hash::Hash;

use moka::sync::Cache;

use crate::db::{Db, Memory, fresh::Generation};

/// What a value takes besides itself, in bytes: its key, and the places where the shelf notes it. An estimate.
const OVERHEAD: usize = 250;

/// Values of one kind.
pub(crate) struct Shelf<K, V> {
    db: Db,
    /// None where nothing is to be kept. Every loader could have a shelf, and few do: the cache is named where one is made only, since
    /// its code is large.
    places: Option<Box<dyn Places<K, V>>>,
    weigh: fn(&V) -> Option<usize>,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    bytes: u32,
    generation: Generation,
}

/// Where values lie.
trait Places<K, V>: Send + Sync {
    fn get(&self, key: &K) -> Option<Kept<V>>;
    fn insert(&self, key: K, kept: Kept<V>);
    /// How many bytes there are in all.
    fn most(&self) -> u64;
}

impl<K, V> Places<K, V> for Cache<K, Kept<V>>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn get(&self, key: &K) -> Option<Kept<V>> {
        self.get(key)
    }

    fn insert(&self, key: K, kept: Kept<V>) {
        self.insert(key, kept);
    }

    fn most(&self) -> u64 {
        self.policy().max_capacity().unwrap_or(u64::MAX)
    }
}

impl<K, V> Shelf<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A shelf for so many bytes. `weigh` says how many a value takes, by an estimate, or that it is not to be kept.
    pub(crate) fn new(db: &Db, bytes: u64, weigh: fn(&V) -> Option<usize>) -> Self {
        let places = (bytes > 0).then(|| -> Box<dyn Places<K, V>> {
            Box::new(Cache::builder().max_capacity(bytes).weigher(|_, kept: &Kept<V>| kept.bytes).build())
        });
        Self { db: db.clone(), places, weigh }
    }

    /// What is kept under a key, if that is so now. It waits for nothing.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let found = self.find(key)?;
        self.db.looked_up(Memory::Catalogue, 1, 0);
        Some(found)
    }

    fn find(&self, key: &K) -> Option<V> {
        let (places, present) = (self.places.as_ref()?, self.db.generation()?);
        places.get(key).filter(|kept| kept.generation == present).map(|kept| kept.value)
    }

    /// What is to be read of these keys, since it is not kept, and what is.
    pub(crate) async fn split(&self, keys: &[K]) -> (Reading<'_, K, V>, Vec<(K, V)>, Vec<K>)
    where
        K: Clone,
    {
        let generation = match self.places {
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
            self.db.looked_up(Memory::Catalogue, kept.len(), missing.len());
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
        let (Some(places), Some(generation)) = (&self.shelf.places, self.generation) else { return };
        let Some(bytes) = (self.shelf.weigh)(value) else { return };
        let bytes = u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX);
        // The cache would take it, and throw it out somewhat later.
        if u64::from(bytes) > places.most() {
            return;
        }
        places.insert(key, Kept { value: value.clone(), bytes, generation });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Options, on};

    async fn write(db: &Db, sql: &'static str, is_committed: bool) {
        let mut tx = db.begin().await.unwrap();
        on!(tx.conn(), c => sqlx::query(sql).execute(c).await.map(|_| ())).unwrap();
        if is_committed {
            tx.commit().await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_found_after_it_whenever_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Options::create(&format!("sqlite://{}/stoa.db", folder.path().display()))).await.unwrap();
        db.migrate().await.unwrap();
        let shelf = Shelf::new(&db, 100_000, |value: &Option<i32>| value.map(|_| 4));
        let read = async |key: i32, value: Option<i32>| {
            let (reading, _, missing) = shelf.split(&[key]).await;
            assert_eq!(missing, [key]);
            reading.keep(key, &value);
        };
        read(1, Some(10)).await;
        read(2, None).await;
        assert_eq!((shelf.get(&1), shelf.get(&2)), (Some(Some(10)), None));

        let topic = "INSERT INTO topics (id, slug, name) VALUES (randomblob(16), hex(randomblob(4)), 'T')";
        write(&db, topic, false).await;
        write(&db, "UPDATE settings SET value = value", true).await;
        assert_eq!(shelf.get(&1), Some(Some(10)), "the catalogue has not changed");

        // Somebody is reading while the change is made.
        let (reading, _, _) = shelf.split(&[3]).await;
        write(&db, topic, true).await;
        reading.keep(3, &Some(30));
        assert_eq!((shelf.get(&1), shelf.get(&3)), (None, None));
        read(1, Some(11)).await;
        assert_eq!(shelf.get(&1), Some(Some(11)));

        // A commit that fails may have been one.
        let mut tx = db.begin().await.unwrap();
        on!(tx.conn(), c => sqlx::query(topic).execute(c).await.map(|_| ())).unwrap();
        on!(tx.conn(), c => sqlx::query("ROLLBACK").execute(c).await.map(|_| ())).unwrap();
        assert!(tx.commit().await.is_err());
        assert_eq!(shelf.get(&1), None);
    }
}
