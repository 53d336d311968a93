//! What statements cost: how often each is sent, how long it takes, and how long a connection is waited for.
//!
//! The stores say nothing of this. Connections count for themselves ([`Meter`], and of a transaction [`Watched`](super::watched::Watched)); each statement is known by its text:
//! the text's place in memory leads to its counters, without a lock and without memory of its own.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter},
};
use sqlx::{Either, Error};

use super::{Sql, fresh::Written};
use crate::observe::{Histogram, Register, SIZES, STATEMENTS, watch};

const STATEMENT_TIME: &str = "stoa_sql_statement_duration_seconds";
const STATEMENT_ERRORS: &str = "stoa_sql_statement_errors";
const ACQUIRE_TIME: &str = "stoa_database_acquire_duration_seconds";
const GROUP_SIZE: &str = "stoa_write_group_size";

/// Texts that the stores build as they run: the page of the catalogue, and what commands write in bulk.
const BUILT: &str = "built";
/// A power of two, several times the number of statements.
const PLACES: usize = 4_096;

/// The figures of one database.
#[derive(Debug)]
pub(crate) struct Figures {
    database: &'static str,
    known: OnceLock<Known>,
    built: Counters,
    /// Where a text lies in memory, and which statement it is: found by asking `known` once.
    places: Box<[AtomicU64]>,
    /// From so many microseconds on, a statement is slow.
    slow: AtomicU64,
    /// Of SQLite those that read and the one that writes; of PostgreSQL one for all.
    pools: Vec<PoolFigures>,
    groups: [(&'static str, Histogram); 2],
}

#[derive(Debug)]
struct Known {
    by_text: HashMap<&'static str, u16>,
    statements: Box<[(usize, Counters)]>,
}

/// What is counted of a statement.
#[derive(Debug)]
struct Counters {
    name: String,
    time: Histogram,
    errors: AtomicU64,
    /// Of a text that is built as it runs this is found out each time.
    writes: Written,
}

/// What is counted of a pool.
#[derive(Debug)]
pub(super) struct PoolFigures {
    name: &'static str,
    waiting: AtomicUsize,
    time: Histogram,
}

/// How a pool is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolState {
    pub(crate) name: &'static str,
    pub(crate) most: u32,
    pub(crate) idle: usize,
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
}

/// Who writes for many at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Group {
    /// The access log: requests in one commit.
    AccessLog,
    /// What learners do: requests in one commit.
    Activity,
}

impl Counters {
    fn new(name: String, writes: Written) -> Self {
        Self { name, time: Histogram::new(STATEMENTS), errors: AtomicU64::new(0), writes }
    }
}

impl PoolFigures {
    fn new(name: &'static str) -> Self {
        Self { name, waiting: AtomicUsize::new(0), time: Histogram::new(STATEMENTS) }
    }

    /// Waits for something of this pool, and notes how long.
    async fn wait<T>(&self, wanted: impl Future<Output = T>) -> T {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Whoever waits may be dropped.
        let waiting = Waiting(&self.waiting);
        let begun = Instant::now();
        let result = wanted.await;
        drop(waiting);
        self.time.note_time(begun.elapsed());
        result
    }
}

/// Counts for the connections of one pool.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    figures: Arc<Figures>,
    pool: usize,
}

impl Meter {
    /// For the pool at this place among those of the figures.
    pub(super) fn new(figures: &Arc<Figures>, pool: usize) -> Self {
        Self { figures: Arc::clone(figures), pool }
    }

    /// Waits for a connection, and notes how long.
    pub(super) async fn wait<T>(&self, wanted: impl Future<Output = T>) -> T {
        self.figures.pools[self.pool].wait(wanted).await
    }

    /// A statement begins, outside of a transaction.
    pub(super) fn begin(&self, sql: &str) -> Timing<'_> {
        let timing = self.figures.begin(sql);
        debug_assert!(
            !timing.writes(sql).any(),
            "write to the catalogue and to forums in a transaction: its commit tells of it: {sql}"
        );
        timing
    }

    /// How the pool is now.
    pub(super) fn state(&self, most: u32, idle: usize, in_use: usize) -> PoolState {
        let pool = &self.figures.pools[self.pool];
        PoolState { name: pool.name, most, idle, in_use, waiting: pool.waiting.load(Ordering::Relaxed) }
    }
}

impl Figures {
    pub(super) fn new(database: &'static str, pools: &[&'static str]) -> Self {
        Self {
            database,
            known: OnceLock::new(),
            built: Counters::new(BUILT.to_owned(), Written::default()),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            slow: AtomicU64::new(u64::MAX),
            pools: pools.iter().map(|name| PoolFigures::new(name)).collect(),
            groups: ["access_log", "activity"].map(|name| (name, Histogram::new(SIZES))),
        }
    }

    /// Learns the names of statements, by area. A name is the area's, a point, and the constant's.
    pub(super) fn know(&self, statements: &[(&'static str, &'static [Sql])], slow_millis: u64) {
        let slow = if slow_millis == 0 { u64::MAX } else { slow_millis * 1_000 };
        self.slow.store(slow, Ordering::Relaxed);
        self.known.get_or_init(|| {
            let (mut by_text, mut counters) = (HashMap::new(), Vec::new());
            for (area, sql) in statements.iter().flat_map(|(area, list)| list.iter().map(move |sql| (area, sql))) {
                let text = if self.database == "sqlite" { sql.lite } else { sql.pg };
                let number = u16::try_from(counters.len()).unwrap_or(u16::MAX);
                // Two areas may send the same text; then it has the name of the first.
                by_text.entry(text).or_insert(number);
                let name = format!("{}.{}", area.replace(", ", "."), sql.name);
                counters.push((text.len(), Counters::new(name, Written::by(text))));
            }
            Known { by_text, statements: counters.into() }
        });
    }

    /// Which statement this is.
    fn of(&self, sql: &str) -> &Counters {
        let Some(known) = self.known.get() else { return &self.built };
        // Only texts of the program itself are noted below, so a place that is noted stays what it is.
        let address = sql.as_ptr() as u64 & 0xffff_ffff_ffff;
        let place = &self.places[((address >> 4) ^ (address >> 16)) as usize % PLACES];
        let noted = place.load(Ordering::Relaxed);
        if noted >> 16 == address
            && let Some((length, counters)) = known.statements.get(usize::from(noted as u16))
            && *length == sql.len()
        {
            return counters;
        }
        let Some(number) = known.by_text.get(sql) else { return &self.built };
        place.store(address << 16 | u64::from(*number), Ordering::Relaxed);
        known.statements.get(usize::from(*number)).map_or(&self.built, |(_, counters)| counters)
    }

    /// So many were written together.
    pub(super) fn group(&self, group: Group, size: usize) {
        let at = match group {
            Group::AccessLog => 0,
            Group::Activity => 1,
        };
        self.groups[at].1.note(size as u64);
    }

    pub(super) fn describe(register: &mut Register) {
        register.describe(STATEMENT_TIME, "Time of a statement, until its last row was read", "histogram");
        register.describe(STATEMENT_ERRORS, "Statements that failed", "counter");
        register.describe(ACQUIRE_TIME, "Time until a connection, or a transaction, was there", "histogram");
        register.describe(GROUP_SIZE, "How many requests shared a commit", "histogram");
    }

    pub(super) fn begin(&self, sql: &str) -> Timing<'_> {
        let counters = self.of(sql);
        let span = watch::statement_span(&counters.name, self.database);
        Timing { figures: self, counters, begun: Instant::now(), rows: 0, failed: false, span }
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let known = self.known.get().map_or(&[][..], |known| &known.statements);
        let statements =
            || known.iter().map(|(_, counters)| counters).chain([&self.built]).filter(|one| one.time.count() > 0);
        let mut times = encoder.encode_descriptor(
            STATEMENT_TIME,
            "Time of a statement, until its last row was read.",
            None,
            MetricType::Histogram,
        )?;
        for one in statements() {
            one.time.encode(times.encode_family(&self.labels(one))?)?;
        }
        let mut errors =
            encoder.encode_descriptor(STATEMENT_ERRORS, "Statements that failed.", None, MetricType::Counter)?;
        for one in statements() {
            let count = ConstCounter::new(one.errors.load(Ordering::Relaxed));
            count.encode(errors.encode_family(&self.labels(one))?)?;
        }
        let mut waits = encoder.encode_descriptor(
            ACQUIRE_TIME,
            "Time until a connection, or a transaction, was there.",
            None,
            MetricType::Histogram,
        )?;
        for pool in &self.pools {
            pool.time.encode(waits.encode_family(&[("pool", pool.name)])?)?;
        }
        let mut groups =
            encoder.encode_descriptor(GROUP_SIZE, "How many requests shared a commit.", None, MetricType::Histogram)?;
        for (name, sizes) in &self.groups {
            sizes.encode(groups.encode_family(&[("writer", *name)])?)?;
        }
        Ok(())
    }
}

impl Figures {
    fn labels<'a>(&self, one: &'a Counters) -> [(&'static str, &'a str); 2] {
        [("statement", &one.name), ("database", self.database)]
    }
}

/// A statement that runs.
pub(super) struct Timing<'a> {
    figures: &'a Figures,
    counters: &'a Counters,
    begun: Instant,
    rows: u64,
    failed: bool,
    span: Option<tracing::Span>,
}

impl Timing<'_> {
    /// To what the statement, of this text, writes.
    pub(super) fn writes(&self, sql: &str) -> Written {
        if std::ptr::eq(self.counters, &raw const self.figures.built) { Written::by(sql) } else { self.counters.writes }
    }

    pub(super) fn step<A, B>(&mut self, step: &Result<Either<A, B>, Error>) {
        match step {
            Ok(Either::Left(_)) => {}
            Ok(Either::Right(_)) => self.rows += 1,
            Err(_) => self.failed = true,
        }
    }

    pub(super) fn found<R>(&mut self, found: &Result<Option<R>, Error>) {
        match found {
            Ok(row) => self.rows += u64::from(row.is_some()),
            Err(_) => self.failed = true,
        }
    }
}

impl Drop for Timing<'_> {
    /// Also where whoever waited has gone.
    fn drop(&mut self) {
        let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.time.note(micros);
        if self.failed {
            self.counters.errors.fetch_add(1, Ordering::Relaxed);
        }
        watch::statement(&self.counters.name, micros);
        if let Some(span) = &self.span {
            span.record("db.response.returned_rows", self.rows);
            if self.failed {
                span.record("otel.status_code", "ERROR");
            }
        }
        if micros >= self.figures.slow.load(Ordering::Relaxed) {
            tracing::warn!(statement = self.counters.name, micros, rows = self.rows, "slow statement");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &[Sql] = &[
        Sql { name: "FIRST", lite: "SELECT 1", pg: "SELECT 1 AS one" },
        Sql { name: "SECOND", lite: "SELECT 1, 2", pg: "SELECT 2" },
    ];

    #[test]
    fn a_statement_is_known_by_its_text_wherever_the_text_lies() {
        let figures = Figures::new("sqlite", &["read", "write"]);
        assert_eq!(figures.of("SELECT 1").name, "built");
        figures.know(&[("area, part", LISTED)], 500);
        // Twice: found by the text, then by its place.
        for _ in 0..2 {
            assert_eq!(figures.of(LISTED[0].lite).name, "area.part.FIRST");
            assert_eq!(figures.of(LISTED[1].lite).name, "area.part.SECOND");
            assert_eq!(figures.of(&String::from(LISTED[1].lite)).name, "area.part.SECOND");
            // It begins where another does.
            assert_eq!(figures.of(&LISTED[1].lite[.."SELECT 1".len()]).name, "area.part.FIRST");
            assert_eq!(figures.of("SELECT 3").name, "built");
        }
    }

    #[test]
    fn what_ends_is_counted_whether_it_went_well_or_not() {
        let figures = Figures::new("sqlite", &["read", "write"]);
        figures.know(&[("area", LISTED)], 0);
        let mut timing = figures.begin("SELECT 1");
        timing.found::<()>(&Err(Error::RowNotFound));
        drop(timing);
        // Whoever waited has gone.
        drop(figures.begin("SELECT 1"));
        let counters = figures.of("SELECT 1");
        assert_eq!((counters.time.count(), counters.errors.load(Ordering::Relaxed)), (2, 1));
    }
}
