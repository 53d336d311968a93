//! Loading by key in batches, so that a query costs as many statements as it is deep.

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use dataloader::{BatchFn, cached::Loader};

use tracing::Instrument as _;

use crate::{
    db::{
        DbError,
        page::{Page, PageRequest},
    },
    observe::watch,
    shelf::Shelf,
};

/// How many keys one statement takes at most.
const MAX_BATCH: usize = 1_000;
/// So often a resolver lets the others go on before it reads for all. Those of one list come to a loader together, and those that
/// come by another way have a step or two more to go.
const YIELDS: usize = 3;

/// Reads the values of many keys at once. A key that has no value gets the type's default.
pub(crate) trait Fetch: Send + Sync + 'static {
    type Key: Clone + Debug + Eq + Hash + Send + Sync + 'static;
    type Value: Clone + Default + Send + Sync + 'static;

    /// Where values of this kind are kept beyond a request, if they are the same for everybody: what is there is answered without
    /// waiting for a batch, and what is read is put there.
    fn shelf(&self) -> Option<&Shelf<Self::Key, Self::Value>> {
        None
    }

    /// What is answered without waiting for a batch.
    fn at_hand(&self, key: &Self::Key) -> Option<Self::Value> {
        self.shelf()?.get(key)
    }

    fn fetch(
        &self,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>, DbError>> + Send;
}

/// A failure that many resolvers share.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct LoadError(Arc<DbError>);

impl LoadError {
    /// What the database said.
    pub fn cause(&self) -> &DbError {
        &self.0
    }
}

impl From<DbError> for LoadError {
    fn from(error: DbError) -> Self {
        Self(Arc::new(error))
    }
}

/// A loader for one request: what was read once in a request is not read again in it.
pub(crate) struct Load<F: Fetch> {
    fetch: Arc<F>,
    // Of the dozens that a request has, it uses a few.
    batches: OnceLock<Batches<F>>,
}

type Batches<F> = Loader<<F as Fetch>::Key, Result<<F as Fetch>::Value, LoadError>, Batched<F>>;

impl<F: Fetch> Load<F> {
    pub(crate) fn new(fetch: F) -> Self {
        Self { fetch: Arc::new(fetch), batches: OnceLock::new() }
    }

    fn batches(&self) -> &Batches<F> {
        self.batches.get_or_init(|| {
            Loader::new(Batched(Arc::clone(&self.fetch))).with_max_batch_size(MAX_BATCH).with_yield_count(YIELDS)
        })
    }

    pub(crate) async fn get(&self, key: F::Key) -> Result<F::Value, LoadError> {
        if let Some(value) = self.fetch.at_hand(&key) {
            return Ok(value);
        }
        loop {
            // The crate answers `NotFound` only if the resolver that was reading for everybody was dropped, as it is when
            // a neighbour of it errs: then another one reads.
            if let Ok(value) = self.batches().try_load(key.clone()).await {
                return value;
            }
        }
    }

    pub(crate) async fn get_many(&self, mut keys: Vec<F::Key>) -> Result<HashMap<F::Key, F::Value>, LoadError> {
        let mut kept = HashMap::new();
        keys.retain(|key| {
            let Some(value) = self.fetch.at_hand(key) else { return true };
            kept.insert(key.clone(), value);
            false
        });
        if keys.is_empty() {
            return Ok(kept);
        }
        loop {
            if let Ok(found) = self.batches().try_load_many(keys.clone()).await {
                for (key, value) in found {
                    kept.insert(key, value?);
                }
                return Ok(kept);
            }
        }
    }

    /// Keeps what was found with other things, so that it is not read again.
    pub(crate) async fn prime(&self, found: Vec<(F::Key, F::Value)>) {
        self.batches().prime_many(found.into_iter().map(|(key, value)| (key, Ok(value)))).await;
    }
}

struct Batched<F>(Arc<F>);

impl<F: Fetch> Batched<F> {
    /// Reads the values, but for those that are kept.
    async fn values(&self, keys: &[F::Key]) -> Result<HashMap<F::Key, F::Value>, DbError> {
        let Some(place) = self.0.shelf() else { return self.read(keys).await };
        let (reading, kept, missing) = place.split(keys).await;
        let mut values: HashMap<_, _> = kept.into_iter().collect();
        if missing.is_empty() {
            return Ok(values);
        }
        let mut found = self.read(&missing).await?;
        for key in missing {
            let value = found.remove(&key).unwrap_or_default();
            reading.keep(key.clone(), &value);
            values.insert(key, value);
        }
        Ok(values)
    }

    async fn read(&self, keys: &[F::Key]) -> Result<HashMap<F::Key, F::Value>, DbError> {
        let fetching = self.0.fetch(keys);
        match watch::batch(std::any::type_name::<F>(), keys.len()) {
            Some(span) => fetching.instrument(span).await,
            None => fetching.await,
        }
    }
}

impl<F: Fetch> BatchFn<F::Key, Result<F::Value, LoadError>> for Batched<F> {
    async fn load(&mut self, keys: &[F::Key]) -> HashMap<F::Key, Result<F::Value, LoadError>> {
        match self.values(keys).await {
            // Every key is answered: the crate takes a missing one for an error.
            Ok(mut found) => keys.iter().map(|key| (key.clone(), Ok(found.remove(key).unwrap_or_default()))).collect(),
            Err(error) => {
                let error = LoadError::from(error);
                keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect()
            }
        }
    }
}

/// Rows by what they belong to, each group in the order of the rows.
pub(crate) fn grouped<K: Eq + Hash, T>(rows: impl IntoIterator<Item = (K, T)>) -> HashMap<K, Arc<Vec<T>>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect()
}

/// The lists of the same page request together: each request costs one statement, however many lists.
pub(crate) fn by_request<L: Copy, K: Clone + Eq + Hash>(
    keys: &[(L, PageRequest<K>)],
) -> HashMap<PageRequest<K>, Vec<L>> {
    let mut lists: HashMap<_, Vec<L>> = HashMap::new();
    for (list, request) in keys {
        lists.entry(request.clone()).or_default().push(*list);
    }
    lists
}

/// The pages of `lists`, from the rows as they were read, each with the list it belongs to.
pub(crate) fn pages<L: Copy + Eq + Hash, K: Clone + Eq + Hash, T>(
    request: &PageRequest<K>,
    lists: Vec<L>,
    rows: impl IntoIterator<Item = (L, T)>,
) -> HashMap<(L, PageRequest<K>), Arc<Page<T>>> {
    let mut rows_of: HashMap<L, Vec<T>> = HashMap::with_capacity(lists.len());
    for (list, row) in rows {
        rows_of.entry(list).or_default().push(row);
    }
    lists
        .into_iter()
        .map(|list| {
            let page = Page::from_rows(rows_of.remove(&list).unwrap_or_default(), request);
            ((list, request.clone()), Arc::new(page))
        })
        .collect()
}
