//! What one request costs while it is answered: known to its task, so that nobody has to hand it on.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tracing::{Instrument as _, Span};

use super::{Observe, Operation, names::is_plain, trace};

/// Spans that are for traces only; the log does not show them.
pub(crate) const TRACE: &str = "stoa::trace";

/// A statement that takes less than this part of what is slow is not named in the log of a slow request.
const WORTH_NAMING: u64 = 100;
/// So many statements are named.
const NAMED: usize = 5;

tokio::task_local! {
    static WATCH: Arc<Watch>;
}

/// What is counted while an operation is carried out.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(super) observe: Observe,
    /// Whether there is a trace of it.
    traced: bool,
    statements: AtomicU64,
    micros: AtomicU64,
    batches: AtomicU64,
    /// The slowest statements, each with its time.
    slowest: Mutex<Vec<(String, u64)>>,
}

impl Watch {
    pub(crate) fn new(observe: &Observe, traced: bool) -> Arc<Self> {
        Arc::new(Self {
            observe: observe.clone(),
            traced,
            statements: AtomicU64::new(0),
            micros: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            slowest: Mutex::default(),
        })
    }

    /// Does something that is watched.
    pub(crate) async fn over<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        WATCH.scope(Arc::clone(self), work).await
    }

    /// Carries an operation out, with a span of its own if there is a trace of it. An operation on a live connection
    /// begins a trace.
    pub(crate) async fn operation<T>(
        observe: &Observe,
        operation: &Operation<'_>,
        work: impl Future<Output = T>,
    ) -> (T, Arc<Self>) {
        let within = WATCH.try_with(|watch| watch.traced).ok();
        if !within.unwrap_or_else(|| trace::is_on(observe.settings())) {
            let watch = Self::new(observe, false);
            return (watch.over(work).await, watch);
        }
        let name = operation.name.filter(|name| is_plain(name)).unwrap_or_default();
        let span = tracing::debug_span!(
            target: TRACE,
            "operation",
            otel.name = format!("{} {name}", operation.kind).trim_end(),
            graphql.operation.name = name,
            graphql.operation.r#type = operation.kind,
            caller = operation.caller.filter(|name| is_plain(name)),
        );
        let watch = Self::new(observe, within.is_some() || trace::is_sampled(&span));
        (watch.over(work).instrument(span).await, watch)
    }

    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(super) fn time_of_statements(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    pub(super) fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// The slowest statements, as `name 1234 µs`.
    pub(super) fn slowest(&self) -> String {
        let slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        slowest.iter().map(|(name, micros)| format!("{name} {micros} µs")).collect::<Vec<_>>().join(", ")
    }

    fn statement(&self, name: &str, micros: u64) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        let slow = self.observe.settings().slow_millis * 1_000;
        if slow > 0 && micros >= slow / WORTH_NAMING {
            let mut slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
            let at = slowest.partition_point(|(_, other)| *other >= micros);
            if at < NAMED {
                slowest.insert(at, (name.to_owned(), micros));
                slowest.truncate(NAMED);
            }
        }
    }
}

/// A statement was sent, and has ended.
pub(crate) fn statement(name: &str, micros: u64) {
    // What no request asks for is watched by nobody.
    let _ = WATCH.try_with(|watch| watch.statement(name, micros));
}

/// The span of a statement, if there is a trace of who sends it. Its values are not in it.
pub(crate) fn statement_span(name: &str, database: &'static str) -> Option<Span> {
    is_traced().then(|| {
        let system = if database == "postgres" { "postgresql" } else { database };
        tracing::debug_span!(
            target: TRACE,
            "statement",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            db.system.name = system,
            db.query.summary = name,
            db.response.returned_rows = tracing::field::Empty,
        )
    })
}

/// A loader is about to read so many keys.
pub(crate) fn batch(loader: &'static str, keys: usize) -> Option<Span> {
    WATCH
        .try_with(|watch| {
            watch.batches.fetch_add(1, Ordering::Relaxed);
            let name = watch.observe.batch(loader, keys);
            watch.traced.then(|| tracing::debug_span!(target: TRACE, "batch", otel.name = &*name, keys))
        })
        .ok()
        .flatten()
}

/// Whether there is a trace of what this task does.
pub(crate) fn is_traced() -> bool {
    WATCH.try_with(|watch| watch.traced).unwrap_or(false)
}
