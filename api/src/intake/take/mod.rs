//! Taking records in: each kind in one transaction, checked against what is there.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    known::{self, Known},
    records::{BadRow, Kind, LearnerRecord, Row, Rows, Source, SourceError},
    report::{FileReport, Report},
    store::{self, AccountRow},
};
use crate::{
    accounts::Accounts,
    db::{Db, DbError, Tx, settings},
    ids::AccountId,
    time::Clock,
};
use catalogue::Topics;

mod activity;
mod catalogue;

/// So many rows are written with one statement.
const BATCH: usize = 500;

/// What the setting of a source says while it is taken, and afterwards.
const BEGUN: &str = "begun";
const ENDED: &str = "ended";

/// The setting that says how far taking a source has come.
fn state_of(source: &dyn Source) -> String {
    format!("intake {}", source.name())
}

/// Takes records in.
pub struct Intake {
    db: Db,
    clock: Clock,
    accounts: Accounts,
}

/// Why nothing more could be taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// A file can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database does not take it.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Told after each batch: the kind, how many rows were read of it, and about how many there are.
pub type OnProgress<'a> = &'a mut (dyn FnMut(Kind, u64, Option<u64>) + Send);

/// What one run knows and tells.
struct Run<'a> {
    source: &'a dyn Source,
    name: String,
    known: Known,
    on_progress: OnProgress<'a>,
}

impl Intake {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts) -> Self {
        Self { db, clock, accounts }
    }

    /// Whether there is nobody and nothing to learn yet.
    pub async fn is_empty(&self) -> Result<bool, DbError> {
        known::is_empty(&self.db).await
    }

    /// Whether taking this source was begun and never came to its end.
    pub async fn was_begun(&self, source: &dyn Source) -> Result<bool, DbError> {
        Ok(settings::get(&self.db, &state_of(source)).await?.as_deref() == Some(BEGUN))
    }

    async fn mark(&self, source: &dyn Source, state: &str) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        settings::set(&mut tx, &state_of(source), state).await?;
        tx.commit().await
    }

    /// Takes everything that a source has, kind by kind. A kind with a bad row is not taken, and none after it.
    pub async fn take(&self, source: &dyn Source, on_progress: OnProgress<'_>) -> Result<Report, IntakeError> {
        self.mark(source, BEGUN).await?;
        let known = known::known(&self.db).await?;
        let mut run = Run { source, name: source.name(), known, on_progress };
        let mut report = Report::default();
        for kind in [Kind::Learners, Kind::Courses, Kind::Lessons, Kind::Activity, Kind::Posts] {
            if !present(source, kind)? {
                continue;
            }
            let file = source.file(kind);
            if !report.complete() {
                report.left.push(file);
                continue;
            }
            let mut told = FileReport::new(file);
            let mut tx = self.db.begin().await?;
            match kind {
                Kind::Learners => {
                    if let Some(rows) = source.learners()? {
                        self.learners(&mut run, &mut tx, rows, &mut told).await?;
                    }
                }
                Kind::Courses => {
                    if let Some(rows) = source.courses()? {
                        self.courses(&mut run, &mut tx, rows, &mut told).await?;
                    }
                }
                Kind::Lessons => {
                    if let Some(rows) = source.lessons()? {
                        self.lessons(&mut run, &mut tx, rows, &mut told).await?;
                    }
                }
                Kind::Activity => {
                    if let Some(rows) = source.activity()? {
                        self.activity(&mut run, &mut tx, rows, &mut told).await?;
                    }
                }
                Kind::Posts => {
                    if let Some(rows) = source.posts()? {
                        self.posts(&mut run, &mut tx, rows, &mut told).await?;
                    }
                }
            }
            if told.taken() {
                tx.commit().await?;
            }
            report.files.push(told);
        }
        self.mark(source, ENDED).await?;
        Ok(report)
    }

    async fn learners(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, LearnerRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut topics = Topics::new(&run.known);
        let mut lines: HashMap<AccountId, u64> = HashMap::new();
        let mut batches = Batches::new(rows, Kind::Learners);
        while let Some(batch) = batches.next(run, told) {
            let mut accounts = Vec::with_capacity(batch.len());
            for Row { line, record } in batch {
                let id = self.accounts.imported(&run.name, &record.key);
                if !is_new(&mut lines, id, line, told) {
                    continue;
                }
                run.known.accounts.insert(id);
                let goals = record.goals.iter().map(|name| topics.get(name)).collect();
                let email = record.email.map(|email| {
                    let hash = self.accounts.email_hash(&email);
                    (email.trim().to_lowercase(), hash)
                });
                accounts.push(AccountRow { id, name: record.name, email, goals });
            }
            store::put_topics(tx, &topics.take_new()).await?;
            for taken in store::put_accounts(tx, &accounts, self.clock.now()).await? {
                told.refuse(BadRow::new(lines[&taken], "email", "this address belongs to somebody else"));
            }
        }
        run.known.topics.extend(topics.known());
        Ok(())
    }
}

/// Whether the key is new in this file; a second row with the same key is bad.
fn is_new<T: Copy + Eq + std::hash::Hash>(
    lines: &mut HashMap<T, u64>,
    id: T,
    line: u64,
    told: &mut FileReport,
) -> bool {
    match lines.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(line);
            true
        }
        Entry::Occupied(first) => {
            told.refuse(BadRow::new(line, "key", format!("this key stands in line {} already", first.get())));
            false
        }
    }
}

/// Reads rows in batches, sorts out the bad ones, and tells how far it is.
struct Batches<'a, T> {
    rows: Rows<'a, T>,
    kind: Kind,
}

impl<'a, T> Batches<'a, T> {
    fn new(rows: Rows<'a, T>, kind: Kind) -> Self {
        Self { rows, kind }
    }

    fn next(&mut self, run: &mut Run<'_>, told: &mut FileReport) -> Option<Vec<Row<T>>> {
        let before = told.read;
        let mut batch = Vec::with_capacity(BATCH);
        for row in self.rows.by_ref().take(BATCH) {
            told.read += 1;
            match row {
                Ok(row) => batch.push(row),
                Err(bad) => told.refuse(bad),
            }
        }
        (run.on_progress)(self.kind, told.read, run.source.expected(self.kind));
        (told.read > before).then_some(batch)
    }
}

fn present(source: &dyn Source, kind: Kind) -> Result<bool, SourceError> {
    Ok(match kind {
        Kind::Learners => source.learners()?.is_some(),
        Kind::Courses => source.courses()?.is_some(),
        Kind::Lessons => source.lessons()?.is_some(),
        Kind::Activity => source.activity()?.is_some(),
        Kind::Posts => source.posts()?.is_some(),
    })
}
