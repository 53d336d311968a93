//! Whether the log is as it was written. It is read in order, a part at a time, so that its length does not matter.

use std::collections::VecDeque;

use super::{
    chain,
    model::{Flaw, Head, Place, Report, Told},
    store::{self, BatchRow, Extent, StoredRow},
};
use crate::{
    accounts::secret::SecretKey,
    db::{Db, DbError},
    ids::AccountId,
};

/// So many batches, and so many rows, are in memory.
const PART: i64 = 2_000;

/// What the database says is the last batch.
pub(super) fn head(extent: &Extent) -> Option<Head> {
    Some(Head { number: extent.number?, hash: extent.hash.as_deref()?.try_into().ok()? })
}

/// Before the first batch.
const BEGINNING: Head = Head { number: 0, hash: [0; 32] };

pub(super) async fn verify(
    db: &Db,
    key: &SecretKey,
    expect: Option<Head>,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Report, DbError> {
    verify_after(db, key, BEGINNING, expect, told).await
}

/// A batch as it stands in the log, to begin after it.
pub(super) async fn before(db: &Db, number: i64) -> Result<Head, DbError> {
    let batch = store::batches(db, number - 1, number, 1).await?.pop();
    Ok(batch.map_or(BEGINNING, |batch| Head { number: batch.number, hash: batch.hash.try_into().unwrap_or_default() }))
}

/// Verifies what comes after a batch, which is believed.
pub(super) async fn verify_after(
    db: &Db,
    key: &SecretKey,
    begin: Head,
    expect: Option<Head>,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Report, DbError> {
    // What is appended from now on is not looked at, so a log that is being written to can be verified.
    let extent = store::extent(db).await?;
    let last = [extent.number, extent.last_batch, extent.last_row].into_iter().flatten().max().unwrap_or(0);
    let report = Report { head: head(&extent), ..Report::default() };
    let mut log = Log { report, hasher: chain::RowHasher::new(key), told };
    let first = if begin == BEGINNING { (i64::MIN, i64::MIN) } else { (begin.number, i64::MAX) };
    let mut rows = Rows { db, last, read: VecDeque::new(), after: Some((first, AccountId(uuid::Uuid::nil()))) };
    let mut before = begin;
    let mut expected = expect.is_none_or(|expect| expect == before);
    loop {
        let batches = store::batches(db, before.number, last, PART).await?;
        if batches.is_empty() {
            break;
        }
        for batch in batches {
            if batch.number != before.number + 1 {
                log.flaw(Flaw::BatchesMissing(before.number + 1, batch.number - 1));
            } else if batch.previous_hash != before.hash {
                log.flaw(Flaw::Unchained(batch.number));
            }
            log.rows_without_batch(&mut rows, Some(batch.number)).await?;
            log.batch(key, &batch, &mut rows).await?;
            // The table holds hashes of this length only.
            before = Head { number: batch.number, hash: batch.hash.try_into().unwrap_or_default() };
            expected |= expect == Some(before);
            log.report.batches += 1;
        }
        (log.told)(Told::Batches(before.number, last));
    }
    match log.report.head {
        None => log.flaw(Flaw::HeadMissing),
        Some(head) if head.number > before.number => log.flaw(Flaw::BatchesMissing(before.number + 1, head.number)),
        Some(head) if head.number < before.number => {
            log.flaw(Flaw::Behind { head: head.number, last: before.number });
        }
        Some(head) if head.hash != before.hash => log.flaw(Flaw::HeadChanged(head.number)),
        Some(_) => {}
    }
    log.rows_without_batch(&mut rows, None).await?;
    if let Some(expect) = expect.filter(|_| !expected) {
        log.flaw(Flaw::NotAsExpected(expect.number));
    }
    Ok(log.report)
}

/// What was found so far.
struct Log<'a> {
    report: Report,
    hasher: chain::RowHasher,
    told: &'a mut (dyn FnMut(Told) + Send),
}

impl Log<'_> {
    fn flaw(&mut self, flaw: Flaw) {
        self.report.flaws += 1;
        (self.told)(Told::Flaw(flaw));
    }

    /// Rows before a batch that belong to none; without one, all that are left.
    async fn rows_without_batch(&mut self, rows: &mut Rows<'_>, before: Option<i64>) -> Result<(), DbError> {
        while let Some(row) = rows.next_if(|batch| before.is_none_or(|before| batch < before)).await? {
            self.report.rows += 1;
            self.flaw(Flaw::Added(row.place()));
        }
        Ok(())
    }

    async fn batch(&mut self, key: &SecretKey, batch: &BatchRow, rows: &mut Rows<'_>) -> Result<(), DbError> {
        let (mut expected, mut all_there, mut hashes) = (0, true, Vec::new());
        while let Some(StoredRow { row, row_hash }) = rows.next_if(|of| of == batch.number).await? {
            self.report.rows += 1;
            let place: Place = (row.batch, row.position);
            if row.position < expected || row.position >= batch.row_count {
                all_there = false;
                self.flaw(Flaw::Added(place));
                continue;
            }
            all_there &= self.none_missing(batch.number, expected, row.position);
            expected = row.position + 1;
            if self.hasher.hash(&row).as_slice() != row_hash {
                self.flaw(Flaw::Changed(place));
            }
            hashes.extend_from_slice(&row_hash);
        }
        all_there &= self.none_missing(batch.number, expected, batch.row_count);
        // Of a batch that lacks rows no more can be said.
        if all_there && chain::batch_hash(key, batch, &hashes).as_slice() != batch.hash {
            self.flaw(Flaw::BatchChanged(batch.number));
        }
        Ok(())
    }

    fn none_missing(&mut self, batch: i64, expected: i64, found: i64) -> bool {
        if expected < found {
            self.flaw(Flaw::Missing { batch, first: expected, last: found - 1 });
        }
        expected >= found
    }
}

/// The rows in order.
struct Rows<'a> {
    db: &'a Db,
    last: i64,
    read: VecDeque<StoredRow>,
    /// The last row that was read; `None` when there are no more.
    after: Option<(Place, AccountId)>,
}

impl Rows<'_> {
    /// The next row, if it is of a batch that is wanted.
    async fn next_if(&mut self, wanted: impl FnOnce(i64) -> bool) -> Result<Option<StoredRow>, DbError> {
        if self.read.is_empty()
            && let Some(after) = self.after
        {
            self.read = store::rows(self.db, after, self.last, PART).await?.into();
            self.after = self.read.back().map(|row| (row.place(), row.row.person_id));
        }
        Ok(if self.read.front().is_some_and(|row| wanted(row.row.batch)) { self.read.pop_front() } else { None })
    }
}
