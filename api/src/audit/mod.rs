//! The access log: who looked at whom, and what else happened to accounts, in a chain that can't be mended.
//!
//! Rows are only added, a batch for each commit. Each row is hashed with the secret key, together with its place, and
//! each batch with its rows' hashes and the batch before it. So whoever can write to the database, but has not
//! the key, can't change, remove, add or reorder a row without [`Audit::verify`] naming the place. What she could
//! do is to put back a whole older database; a head that was noted elsewhere ([`Audit::head`]) shows that.

pub(crate) mod graphql;
pub mod model;
pub(crate) mod store;

mod chain;
mod verify;

use std::collections::{BTreeMap, HashMap};

use tokio::sync::{mpsc, oneshot};

use crate::{
    access::{CategorySet, Client, Look, Relation, Viewer},
    accounts::secret::SecretKey,
    batch::LoadError,
    db::{
        Db, DbError, Group, Tx,
        page::{Page, PageRequest},
    },
    ids::AccountId,
    time::{Clock, Timestamp},
};
use model::{Entry, EntryPlace, Event, Head, Report, Told};
use store::{Batch, BatchRow, Categories, EntryRow, LogRow};

/// So many requests may wait for their rows to be written; the next waits to be let in.
const MAX_WAITING: usize = 256;
/// With so many rows a commit takes no more requests along, so that none waits for a very long one.
const MAX_ROWS: usize = 10_000;

/// The access log's service.
#[derive(Clone, Debug)]
pub struct Audit {
    db: Db,
    clock: Clock,
    key: SecretKey,
    writer: mpsc::Sender<Waiting>,
}

/// A request that waits for its events to be written.
struct Waiting {
    events: Vec<Event>,
    done: oneshot::Sender<Result<(), LoadError>>,
}

/// The looks of a request as events.
pub fn reads(viewer: &Viewer, request_id: Option<&str>, looks: Vec<Look>) -> Vec<Event> {
    looks.into_iter().map(|look| Event::look(look, viewer).in_request(request_id)).collect()
}

impl Audit {
    /// The service, with a task that writes for all requests and ends with the last clone of it.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(db: Db, clock: Clock, key: SecretKey) -> Self {
        let (writer, waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write(db.clone(), clock.clone(), key.clone(), waiting));
        Self { db, clock, key, writer }
    }

    /// Adds events to the log in a transaction of the caller: they last if it commits. To be called last before
    /// the commit, since nobody else appends until then.
    pub async fn append(&self, tx: &mut Tx, events: &[Event]) -> Result<(), DbError> {
        append(tx, &self.clock, &self.key, events.iter()).await.map(|_| ())
    }

    /// Adds events to the log; they survive a crash when this returns. Requests that come together share a
    /// commit, and with it its failure.
    pub async fn record(&self, events: Vec<Event>) -> Result<(), LoadError> {
        if events.is_empty() {
            return Ok(());
        }
        let ending = || LoadError::from(DbError::Unavailable("the server is shutting down".to_owned()));
        let (done, written) = oneshot::channel();
        self.writer.send(Waiting { events, done }).await.map_err(|_| ending())?;
        written.await.map_err(|_| ending())?
    }

    /// A page of what happened to a person's data, the latest first.
    pub async fn page(&self, person: AccountId, request: &PageRequest<EntryPlace>) -> Result<Page<Entry>, DbError> {
        let rows = store::log(&self.db, person, request).await?;
        let names = store::names(&self.db, rows.iter().filter_map(|row| row.actor_id)).await?;
        let entries = rows.iter().flat_map(|row| entries(row, request.is_forward(), &names));
        let beyond = |entry: &Entry| {
            request.from.is_none_or(|from| if request.is_forward() { entry.place < from } else { entry.place > from })
        };
        Ok(Page::from_rows(entries.filter(beyond).collect(), request))
    }

    /// The last batch and its hash; `None` if somebody has removed it. Noted elsewhere, it fixes all that was
    /// written so far.
    pub async fn head(&self) -> Result<Option<Head>, DbError> {
        Ok(verify::head(&store::extent(&self.db).await?))
    }

    /// Looks whether the log is as it was written, from the first batch to the last, and tells each flaw. With
    /// `expect`, whether a batch that was noted earlier is still in it.
    pub async fn verify(&self, expect: Option<Head>, told: &mut (dyn FnMut(Told) + Send)) -> Result<Report, DbError> {
        verify::verify(&self.db, &self.key, expect, told).await
    }
}

impl Audit {
    /// As [`Audit::verify`], of the last batches alone, and when the last was written. What was before them is believed.
    pub(crate) async fn verify_end(
        &self,
        batches: i64,
        told: &mut (dyn FnMut(Told) + Send),
    ) -> Result<(Report, Option<Timestamp>), DbError> {
        let end = store::extent(&self.db).await?.last_batch.unwrap_or(0);
        let begin = verify::before(&self.db, (end - batches).max(0)).await?;
        let last = store::batches(&self.db, end - 1, end, 1).await?.pop().map(|batch| batch.at);
        Ok((verify::verify_after(&self.db, &self.key, begin, None, told).await?, last))
    }
}

/// The entries of a row: one for each category that was looked at, or one if it is no look.
fn entries(row: &EntryRow, latest_first: bool, names: &HashMap<AccountId, String>) -> Vec<Entry> {
    let mut categories: Vec<_> = row.category.0.iter().map(Some).collect();
    if categories.is_empty() {
        categories.push(None);
    }
    let entry = |(at, category)| Entry {
        place: EntryPlace(row.batch, row.position, at),
        at: row.at,
        kind: row.event.0,
        actor_name: row.actor_id.and_then(|actor| names.get(&actor).cloned()).into(),
        relation: row.relation.map(|relation| relation.0),
        category,
        course: row.course_id,
        case: row.case_id,
        client: row.client.map(|client| client.0),
        detail: row.detail.clone(),
    };
    let entries = categories.into_iter().enumerate().map(entry);
    if latest_first { entries.rev().collect() } else { entries.collect() }
}

/// Writes for all requests: all that wait share a commit, and whoever comes meanwhile is in the next.
/// A task, so that a request that is broken off takes nobody's rows with it.
async fn write(db: Db, clock: Clock, key: SecretKey, mut waiting: mpsc::Receiver<Waiting>) {
    let mut head = None;
    while let Some(first) = waiting.recv().await {
        let (mut rows, mut together) = (first.events.len(), vec![first]);
        while rows < MAX_ROWS
            && let Ok(next) = waiting.try_recv()
        {
            rows += next.events.len();
            together.push(next);
        }
        db.shared_a_commit(Group::AccessLog, together.len());
        let result = commit(&db, &clock, &key, &together, &mut head).await.map_err(LoadError::from);
        for request in together {
            // Whoever has gone does not want to know.
            let _ = request.done.send(result.clone());
        }
    }
}

/// The last batch and its hash.
type End = (i64, Vec<u8>);

/// Commits what waits. `head` is the end of the chain as it was left the last time: if nobody has appended since, one statement
/// is enough where the database can.
async fn commit(
    db: &Db,
    clock: &Clock,
    key: &SecretKey,
    together: &[Waiting],
    head: &mut Option<End>,
) -> Result<(), DbError> {
    let events = together.iter().flat_map(|request| &request.events);
    // What comes of a write that fails is not known, so it is taken.
    if let Some(last) = head.take() {
        let names = names(events.clone());
        let batch = chained(last, clock, key, events.clone(), &names);
        if store::append_at_once(db, &batch).await? {
            *head = Some(batch.end());
            return Ok(());
        }
    }
    let mut tx = db.begin().await?;
    let end = append(&mut tx, clock, key, events).await?;
    tx.commit().await?;
    *head = end.filter(|_| store::appends_at_once(db));
    Ok(())
}

/// Answers with the new end of the chain; `None` if there was nothing to add.
async fn append<'e>(
    tx: &mut Tx,
    clock: &Clock,
    key: &SecretKey,
    events: impl Iterator<Item = &'e Event> + Clone,
) -> Result<Option<End>, DbError> {
    if events.clone().next().is_none() {
        return Ok(None);
    }
    let missing = || DbError::Constraint("the head of the access log is missing".to_owned());
    let last = store::head(tx).await?.ok_or_else(missing)?;
    let names = names(events.clone());
    let batch = chained(last, clock, key, events, &names);
    store::append(tx, &batch).await?;
    Ok(Some(batch.end()))
}

/// What the categories of a look are called. Many look at the same: a class page at the same of each learner.
type Names = BTreeMap<CategorySet, Option<String>>;

fn names<'e>(events: impl Iterator<Item = &'e Event>) -> Names {
    let mut names = Names::new();
    for event in events {
        names.entry(event.categories).or_insert_with(|| Categories::written(event.categories));
    }
    names
}

/// The events as the batch that follows the last one.
fn chained<'e: 'n, 'n>(
    (last, previous_hash): End,
    clock: &Clock,
    key: &SecretKey,
    events: impl Iterator<Item = &'e Event>,
    names: &'n Names,
) -> Batch<'n> {
    let (number, at) = (last + 1, clock.now());
    let row = |(event, position): (&'e Event, _)| LogRow {
        person_id: event.person,
        batch: number,
        position,
        at,
        event: event.kind.as_str(),
        actor_id: event.actor,
        relation: event.relation.map(Relation::as_str),
        category: names.get(&event.categories).and_then(Option::as_deref),
        course_id: event.course,
        case_id: event.case,
        client: event.client.map(Client::as_str),
        credential_id: event.credential,
        network: event.network.as_deref(),
        request_id: event.request.as_deref(),
        detail: event.detail.as_deref(),
    };
    let rows: Vec<_> = events.zip(0..).map(row).collect();
    let mut maker = chain::RowHasher::new(key);
    let hashes: Vec<_> = rows.iter().map(|row| maker.hash(row)).collect();
    let mut batch = BatchRow { number, at, row_count: rows.len() as i64, previous_hash, hash: Vec::new() };
    batch.hash = chain::batch_hash(key, &batch, hashes.as_flattened()).to_vec();
    Batch { row: batch, rows, hashes }
}
