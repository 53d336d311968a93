//! Documents that are known by an id: those that an installation trusts. What clients send by hash is kept in memory only, by
//! the endpoint.
//!
//! Each server has the ids and hashes of all trusted documents in memory, so what is not among them costs no statement. It looks
//! every two seconds whether they have changed, and sooner when somebody asks for one that it does not know.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

pub mod manifest;
pub mod model;
mod settings;
pub(crate) mod store;

pub use settings::DocumentSettings;

use crate::{
    db::{Db, DbError, settings as facts},
    time::{Clock, Timestamp},
};
use model::{Added, Checked, Flaw, MAX_DOCUMENTS, MAX_SOURCE, TextHash, Trusted};

/// The setting that is another one after each change of the documents.
const VERSION: &str = "documents_version";
/// So long a server believes what it has in memory, in microseconds.
const PATIENCE: i64 = 2_000_000;
/// As [`PATIENCE`], where somebody asks for what is not there: it may just have been added. Whoever asks for much that is not
/// there causes four small statements a second.
const PATIENCE_FOR_UNKNOWN: i64 = 250_000;
const DAY: i64 = 86_400_000_000;

/// The beginning of a day that is counted from 1970.
fn beginning(day: i64) -> Timestamp {
    Timestamp(day.saturating_mul(DAY))
}

/// The documents that are trusted.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    settings: DocumentSettings,
    index: ArcSwapOption<Index>,
    /// When it was last looked whether they have changed.
    looked_at: AtomicI64,
    /// Held by whoever looks.
    looking: Mutex<()>,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// What a server has in memory of all documents.
struct Index {
    version: String,
    by_id: HashMap<Arc<str>, Arc<Known>>,
    by_hash: HashMap<TextHash, Arc<Known>>,
}

/// What a server has in memory of a document.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: Arc<str>,
    pub(crate) hash: TextHash,
    /// The last day of its use that this server knows of.
    used_on: AtomicI64,
}

impl Index {
    fn find(&self, id: &str) -> Option<&Arc<Known>> {
        self.by_id.get(id).or_else(|| self.by_hash.get(&TextHash::of_id(id)?))
    }
}

impl Documents {
    pub(crate) fn new(db: Db, clock: Clock, settings: DocumentSettings) -> Self {
        Self(Arc::new(Inner {
            db,
            clock,
            settings,
            index: ArcSwapOption::empty(),
            looked_at: AtomicI64::new(i64::MIN),
            looking: Mutex::new(()),
        }))
    }

    /// What the installation decides.
    pub fn settings(&self) -> &DocumentSettings {
        &self.0.settings
    }

    /// The trusted document with this id. One is also found by the SHA-256 of its text, whatever its id is.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<Known>>, DbError> {
        self.look_up(|index| index.find(id).cloned()).await
    }

    /// The trusted document with this text.
    pub(crate) async fn find_text(&self, hash: TextHash) -> Result<Option<Arc<Known>>, DbError> {
        self.look_up(|index| index.by_hash.get(&hash).cloned()).await
    }

    /// The text of a document; `None` if it was removed just now.
    pub(crate) async fn text(&self, known: &Known) -> Result<Option<String>, DbError> {
        store::text(&self.0.db, &known.id).await
    }

    /// Trusts the documents of a manifest, which is called `source`: all of them, or none if there is a flaw. What is there
    /// already stays as it is. A dry run changes nothing.
    pub async fn add(
        &self,
        source: &str,
        documents: &[Checked],
        dry_run: bool,
    ) -> Result<Result<Added, Vec<Flaw>>, DbError> {
        if source.is_empty() || source.chars().count() > MAX_SOURCE || source.chars().any(char::is_control) {
            let reason = format!("the name of a source has 1 to {MAX_SOURCE} characters");
            return Ok(Err(vec![Flaw::new("", reason)]));
        }
        let mut tx = self.0.db.begin().await?;
        let there: HashMap<_, _> =
            store::hashes(&mut tx, documents.iter().map(|document| document.id.clone()).collect())
                .await?
                .into_iter()
                .collect();
        let mut flaws = Vec::new();
        let mut new = Vec::new();
        for document in documents {
            let hash = TextHash::of(&document.text);
            match there.get(&document.id) {
                None => new.push((document, hash)),
                Some(other) if *other == hash => {}
                Some(_) => flaws.push(Flaw::new(
                    &document.id,
                    "another text is trusted under this id: remove that one first, or give this one another id",
                )),
            }
        }
        let count = usize::try_from(store::count(&mut tx).await?).unwrap_or(usize::MAX);
        if count.saturating_add(new.len()) > MAX_DOCUMENTS {
            let reason = format!(
                "at most {MAX_DOCUMENTS} documents are trusted, and {count} are: `stoa documents list --unused-since DATE` \
                 shows what can go"
            );
            flaws.push(Flaw::new("", reason));
        }
        if !flaws.is_empty() {
            return Ok(Err(flaws));
        }
        let added = Added { new: new.len(), known: documents.len() - new.len() };
        if dry_run {
            return Ok(Ok(added));
        }
        let now = self.0.clock.now();
        for (document, hash) in new {
            store::insert(&mut tx, document, hash, now).await?;
        }
        for document in documents {
            store::name_source(&mut tx, source, &document.id, now).await?;
        }
        self.changed(tx).await?;
        Ok(Ok(added))
    }

    /// Every document, in the order of the ids.
    pub async fn list(&self) -> Result<Vec<Trusted>, DbError> {
        store::list(&self.0.db).await
    }

    /// Those that nobody has asked for since, and that were there already.
    pub async fn unused_since(&self, since: Timestamp) -> Result<Vec<Trusted>, DbError> {
        let mut all = self.list().await?;
        all.retain(|document| document.added_at < since && document.used_on.is_none_or(|used| used < since));
        Ok(all)
    }

    /// Trusts these no more. Answers with how many there were.
    pub async fn remove(&self, ids: Vec<String>) -> Result<u64, DbError> {
        let mut tx = self.0.db.begin().await?;
        let removed = store::remove(&mut tx, ids).await?;
        self.changed(tx).await?;
        Ok(removed)
    }

    /// Trusts those no more that are in no other manifest than this. Answers with how many the manifest had, and how many of
    /// them are gone.
    pub async fn remove_source(&self, source: &str) -> Result<(u64, u64), DbError> {
        let mut tx = self.0.db.begin().await?;
        let named = store::remove_source(&mut tx, source).await?;
        let removed = if named > 0 { store::remove_orphans(&mut tx).await? } else { 0 };
        self.changed(tx).await?;
        Ok((named, removed))
    }

    async fn changed(&self, mut tx: crate::db::Tx) -> Result<(), DbError> {
        let version: uuid::Uuid = self.0.clock.id();
        facts::set(&mut tx, VERSION, &version.to_string()).await?;
        tx.commit().await?;
        // This server knows it at once.
        self.0.looked_at.store(i64::MIN, Ordering::Relaxed);
        Ok(())
    }

    async fn look_up(&self, find: impl Fn(&Index) -> Option<Arc<Known>>) -> Result<Option<Arc<Known>>, DbError> {
        let mut found = find(&*self.index(PATIENCE).await?);
        if found.is_none() {
            found = find(&*self.index(PATIENCE_FOR_UNKNOWN).await?);
        }
        if let Some(known) = &found {
            self.note_use(known);
        }
        Ok(found)
    }

    /// Notes the day, once a day for each document, and behind the answer.
    fn note_use(&self, known: &Arc<Known>) {
        let today = self.0.clock.now().0.div_euclid(DAY);
        if known.used_on.fetch_max(today, Ordering::Relaxed) >= today {
            return;
        }
        let (documents, known) = (self.clone(), Arc::clone(known));
        tokio::spawn(async move {
            if let Err(error) = store::used(&documents.0.db, &known.id, today).await {
                tracing::warn!(%error, "the day on which a document was used could not be noted");
            }
        });
    }

    /// What is in memory, if it was looked within `patience` whether it is still so.
    async fn index(&self, patience: i64) -> Result<Arc<Index>, DbError> {
        let inner = &*self.0;
        let present = || inner.index.load_full().filter(|_| self.is_fresh(patience));
        if let Some(index) = present() {
            return Ok(index);
        }
        // While somebody looks, what is known is good enough for the others.
        let _looking = match (inner.looking.try_lock(), inner.index.load_full()) {
            (Ok(looking), _) => looking,
            (Err(_), Some(index)) if patience == PATIENCE => return Ok(index),
            (Err(_), _) => inner.looking.lock().await,
        };
        if let Some(index) = present() {
            return Ok(index);
        }
        let now = inner.clock.now();
        let before = inner.index.load_full();
        // Read before the documents: if these change meanwhile, the next look finds another version.
        let version = facts::get(&inner.db, VERSION).await?.unwrap_or_default();
        let index = match before {
            Some(index) if index.version == version => index,
            _ => {
                let index = Arc::new(Index::new(version, store::all(&inner.db).await?));
                inner.index.store(Some(Arc::clone(&index)));
                index
            }
        };
        inner.looked_at.store(now.0, Ordering::Relaxed);
        Ok(index)
    }

    fn is_fresh(&self, patience: i64) -> bool {
        let age = self.0.clock.now().0.checked_sub(self.0.looked_at.load(Ordering::Relaxed));
        // A clock may be put back.
        age.is_some_and(|age| (0..patience).contains(&age))
    }
}

impl Index {
    fn new(version: String, rows: Vec<(String, TextHash, Option<i64>)>) -> Self {
        let mut index =
            Self { version, by_id: HashMap::with_capacity(rows.len()), by_hash: HashMap::with_capacity(rows.len()) };
        for (id, hash, used_on) in rows {
            let used_on = AtomicI64::new(used_on.unwrap_or(i64::MIN));
            let known = Arc::new(Known { id: id.into(), hash, used_on });
            index.by_hash.insert(hash, Arc::clone(&known));
            index.by_id.insert(Arc::clone(&known.id), known);
        }
        index
    }
}
