//! Seeing inside: figures, traces and the log of what was slow. It knows numbers and names, never what is said about people.
//!
//! Invariant: no label holds what somebody may choose without end. Names that clients choose go through [`Names`]; the rest
//! comes from the program itself. No label says anything about a person.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use prometheus_client::encoding::{prometheus_text, text};

mod figures;
mod histogram;
mod names;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
mod process;
mod redact;
mod settings;
mod slow;
pub(crate) mod trace;
pub(crate) mod watch;

pub use figures::Described;
pub(crate) use figures::Register;
pub(crate) use histogram::{Histogram, SIZES, STATEMENTS};
pub use settings::{ObserveSettings, ObserveSettingsError};

use crate::{db::Db, time::Timestamp};
use figures::Figures;
use names::Names;

/// Where figures are kept; cheap to clone. They are always counted; whether anybody may read them is a setting.
#[derive(Clone)]
pub struct Observe(Arc<Inner>);

struct Inner {
    settings: ObserveSettings,
    registry: prometheus_client::registry::Registry,
    described: Vec<Described>,
    figures: Figures,
    operations: Names,
    callers: Names,
    codes: Names,
    fields: Names,
    /// By the type that reads.
    loaders: RwLock<HashMap<&'static str, (Arc<str>, Histogram)>>,
}

/// By which way an operation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A request and its answer.
    Http,
    /// A WebSocket.
    WebSocket,
    /// Events that the server sends.
    Sse,
}

/// Where a document was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Those that were parsed not long ago.
    Parsed,
    /// Those that clients sent once, and then name by hash.
    Persisted,
    /// Those that the installation trusts.
    Trusted,
}

/// An operation that was carried out.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Its name in the document, if it has one.
    pub name: Option<&'a str>,
    /// `query`, `mutation`, `subscription`, or `unknown`.
    pub kind: &'static str,
    /// How it came.
    pub transport: Transport,
    /// The program that asks, as it says.
    pub caller: Option<&'a str>,
}

/// What is true at the moment when figures are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Now {
    pub(crate) connections: usize,
    pub(crate) subscriptions: usize,
    pub(crate) dropped: u64,
    pub(crate) database_up: bool,
    /// How many mails wait, and for how many seconds the oldest does.
    pub(crate) outbox: Option<(i64, f64)>,
    /// The model that serves, and how many seconds ago it was trained.
    pub(crate) model: Option<(String, f64)>,
}

/// How many codes of errors there are at most, and how many deprecated things of the schema.
const MAX_CODES: usize = 200;

impl Observe {
    pub(crate) fn new(settings: ObserveSettings, db: &Db, now: Timestamp) -> Self {
        let mut register = Register::new();
        let figures = Figures::new(&mut register);
        db.describe_figures(&mut register);
        figures.started.set(now.0 as f64 / 1e6);
        let build = figures::Build { version: env!("CARGO_PKG_VERSION"), database: db.kind() };
        figures.build.get_or_create(&build).set(1);
        let (registry, described) = register.finish();
        let (operations, callers) = (Names::new(settings.operations), Names::new(settings.callers));
        let (codes, fields) = (Names::new(MAX_CODES), Names::new(MAX_CODES));
        let loaders = RwLock::default();
        Self(Arc::new(Inner { settings, registry, described, figures, operations, callers, codes, fields, loaders }))
    }

    /// What the installation decides.
    pub fn settings(&self) -> &ObserveSettings {
        &self.0.settings
    }

    /// Every figure there is, whether it was counted already or not.
    pub fn described(&self) -> &[Described] {
        &self.0.described
    }

    /// A request has come; it is counted until what this gives is dropped.
    pub(crate) fn begun(&self) -> InFlight {
        self.0.figures.in_flight.inc();
        InFlight(self.clone())
    }

    /// A request was answered. `route` is one of the program's, not the path that was asked for.
    pub(crate) fn answered(&self, route: &'static str, status: u16, time: Duration) {
        let status = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.0.figures.requests.get_or_create(&figures::Requests { route, status }).inc();
        self.0.figures.request_time.get_or_create(&figures::Route { route }).note_time(time);
    }

    /// A request was turned away since there were too many.
    pub fn shed(&self) {
        self.0.figures.shed.inc();
    }

    /// An operation was carried out, in this time.
    pub fn operation(&self, operation: &Operation<'_>, time: Duration) {
        let figures = &self.0.figures;
        let (name, caller) = (self.0.operations.label(operation.name), self.0.callers.label(operation.caller));
        let (kind, transport) = (operation.kind, operation.transport.as_str());
        let labels = figures::Operations { operation: Arc::clone(&name), kind, transport };
        figures.operations.get_or_create(&labels).inc();
        figures.operation_time.get_or_create(&figures::Operation { operation: name, kind }).note_time(time);
        figures.callers.get_or_create(&figures::Caller { caller }).inc();
    }

    fn slow(&self) {
        self.0.figures.slow.inc();
    }

    /// Names of operations that have figures of their own, however many others there are: those of trusted documents.
    pub fn know_operations<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        names.into_iter().for_each(|name| self.0.operations.reserve(name));
    }

    /// An answer has an error in it.
    pub fn error(&self, code: &str) {
        let code = self.0.codes.label(Some(code));
        self.0.figures.errors.get_or_create(&figures::Code { code }).inc();
    }

    /// What an operation costs, whether it is carried out or not.
    pub fn cost(&self, cost: u64) {
        self.0.figures.cost.note(cost);
    }

    /// An operation was refused before it ran: by a limit or by a budget. `code` is that of the error.
    pub fn refused(&self, code: &str) {
        let reason = self.0.codes.label(Some(code));
        self.0.figures.refused.get_or_create(&figures::Reason { reason }).inc();
    }

    /// A document was looked for, and found or not.
    pub fn looked_up(&self, cache: Cache, found: bool) {
        let result = if found { "hit" } else { "miss" };
        self.0.figures.lookups.get_or_create(&figures::Lookup { cache: cache.as_str(), result }).inc();
    }

    /// An operation uses something deprecated, such as `Course.oldName`. Call it once for each in an operation.
    pub fn deprecated(&self, field: &str, caller: Option<&str>) {
        let (field, caller) = (self.0.fields.label(Some(field)), self.0.callers.label(caller));
        self.0.figures.deprecated.get_or_create(&figures::Deprecated { field, caller }).inc();
    }

    /// A loader reads so many keys at once. What it is called, by the name of its type.
    fn batch(&self, loader: &'static str, keys: usize) -> Arc<str> {
        let known = self.0.loaders.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, sizes)) = known.get(loader) {
            sizes.note(keys as u64);
            return Arc::clone(name);
        }
        drop(known);
        // `stoa_api::courses::loaders::Modules` is `courses.Modules`.
        let parts = loader.split("::").skip(1).filter(|part| *part != "loaders");
        let name: Arc<str> = parts.collect::<Vec<_>>().join(".").into();
        let sizes = self.0.figures.batches.get_or_create_owned(&figures::Loader { loader: Arc::clone(&name) });
        sizes.note(keys as u64);
        let mut known = self.0.loaders.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(loader, (Arc::clone(&name), sizes));
        name
    }

    /// The figures as text, and the text's media type: that of `OpenMetrics`, or Prometheus' own older format.
    pub(crate) fn written(&self, now: &Now, db: &Db, open_metrics: bool) -> (String, &'static str) {
        self.take(now, db);
        let mut written = String::new();
        // Writing to a text does not fail.
        let (result, media_type) = if open_metrics {
            let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (text::encode(&mut written, &self.0.registry), media_type)
        } else {
            (prometheus_text::encode(&mut written, &self.0.registry), prometheus_text::CONTENT_TYPE)
        };
        if result.is_err() {
            tracing::error!("the figures could not be written");
        }
        (written, media_type)
    }

    fn take(&self, now: &Now, db: &Db) {
        let figures = &self.0.figures;
        figures.connections.set(now.connections as i64);
        figures.subscriptions.set(now.subscriptions as i64);
        figures.dropped.inner().store(now.dropped, Ordering::Relaxed);
        figures.database_up.set(now.database_up.into());
        if let Some((depth, oldest)) = now.outbox {
            figures.outbox.set(depth);
            figures.outbox_age.set(oldest);
        }
        figures.model.clear();
        if let Some((model, age)) = &now.model {
            figures.model.get_or_create(&figures::Model { model: model.clone() }).set(1);
            figures.model_trained.set(*age);
        }
        for pool in db.pools() {
            for (state, count) in [("idle", pool.idle), ("in_use", pool.in_use), ("waiting", pool.waiting)] {
                let labels = figures::Connections { pool: pool.name, state };
                figures.pool.get_or_create(&labels).set(count as i64);
            }
            figures.pool_limit.get_or_create(&figures::Pool { pool: pool.name }).set(i64::from(pool.most));
        }
        let process = process::Process::now();
        for (figure, value) in [
            (&figures.resident, process.resident),
            (&figures.open_files, process.open_files),
            (&figures.max_files, process.max_files),
        ] {
            if let Some(value) = value {
                figure.set(value);
            }
        }
        if let Some(seconds) = process.processor {
            figures.processor.inner().store(seconds.to_bits(), Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Observe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// How many files this process may have open, where the system says so.
pub(crate) fn most_files() -> Option<i64> {
    process::Process::now().max_files
}

/// A request that is being answered.
pub(crate) struct InFlight(Observe);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.figures.in_flight.dec();
    }
}

impl Transport {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
        }
    }
}

impl Cache {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Parsed => "parsed",
            Self::Persisted => "persisted",
            Self::Trusted => "trusted",
        }
    }
}
