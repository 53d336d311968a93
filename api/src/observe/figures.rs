//! Every figure that is kept, with its name, its labels and what it means. Those of the database are in `db/observed.rs`.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Metric, Registry},
};

use super::histogram::{COSTS, Histogram, REQUESTS, SIZES};

/// A gauge of parts, such as seconds with what is behind the point.
type Fraction = Gauge<f64, AtomicU64>;
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

macro_rules! labels {
    ($($name:ident { $($label:ident: $type:ty),+ })+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $name { $(pub(super) $label: $type),+ }
    )+};
}

labels! {
    Requests { route: &'static str, status: &'static str }
    Route { route: &'static str }
    Operations { operation: Arc<str>, kind: &'static str, transport: &'static str }
    Operation { operation: Arc<str>, kind: &'static str }
    Caller { caller: Arc<str> }
    Code { code: Arc<str> }
    Deprecated { field: Arc<str>, caller: Arc<str> }
    Reason { reason: Arc<str> }
    Lookup { cache: &'static str, result: &'static str }
    Loader { loader: Arc<str> }
    Connections { pool: &'static str, state: &'static str }
    Pool { pool: &'static str }
    Model { model: String }
    Build { version: &'static str, database: &'static str }
}

/// A figure as the documentation lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name, as Prometheus shows it.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it means.
    pub help: &'static str,
}

/// Registers figures, and keeps what each is.
pub(crate) struct Register {
    registry: Registry,
    described: Vec<Described>,
}

impl Register {
    pub(super) fn new() -> Self {
        Self { registry: Registry::default(), described: Vec::new() }
    }

    pub(super) fn finish(self) -> (Registry, Vec<Described>) {
        (self.registry, self.described)
    }

    fn add<M: Metric + Clone>(&mut self, name: &str, help: &'static str, metric: M) -> M {
        self.describe(name, help, metric.metric_type().as_str());
        self.registry.register(name, help, metric.clone());
        metric
    }

    pub(crate) fn describe(&mut self, name: &str, help: &'static str, kind: &str) {
        let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        self.described.push(Described { name, kind: kind.to_owned(), help });
    }

    /// Figures that write themselves, under names that were described.
    pub(crate) fn collector(&mut self, collector: impl prometheus_client::collector::Collector) {
        self.registry.register_collector(Box::new(collector));
    }
}

/// Declares the figures: where each is kept, its name and what it means.
macro_rules! figures {
    ($($field:ident: $type:ty = $make:expr, $name:literal, $help:literal;)+) => {
        /// The figures.
        #[derive(Debug)]
        pub(super) struct Figures { $(pub(super) $field: $type),+ }

        impl Figures {
            pub(super) fn new(register: &mut Register) -> Self {
                Self { $($field: register.add($name, $help, $make)),+ }
            }
        }
    };
}

figures! {
    requests: Family<Requests, Counter> = Family::default(),
        "stoa_http_requests", "Requests that were answered, by route and class of status";
    request_time: Histograms<Route> = histograms(|| Histogram::new(REQUESTS)),
        "stoa_http_request_duration_seconds", "Time from a request to its answer";
    in_flight: Gauge = Gauge::default(),
        "stoa_http_requests_in_flight", "Requests that are being answered";
    shed: Counter = Counter::default(),
        "stoa_http_requests_shed", "Requests that were turned away since there were too many";
    operations: Family<Operations, Counter> = Family::default(),
        "stoa_graphql_operations", "GraphQL operations that were carried out; of a subscription, each event";
    operation_time: Histograms<Operation> = histograms(|| Histogram::new(REQUESTS)),
        "stoa_graphql_operation_duration_seconds", "Time to carry out an operation, until its looks are logged";
    callers: Family<Caller, Counter> = Family::default(),
        "stoa_graphql_operations_by_caller", "GraphQL operations by the program that asks, as it says";
    errors: Family<Code, Counter> = Family::default(),
        "stoa_graphql_errors", "Errors in answers, by code";
    cost: Histogram = Histogram::new(COSTS),
        "stoa_graphql_operation_cost", "What operations cost, by the price list";
    refused: Family<Reason, Counter> = Family::default(),
        "stoa_graphql_operations_refused", "Operations that were refused before they ran, by the code of the limit";
    slow: Counter = Counter::default(),
        "stoa_graphql_operations_slow", "Operations that took longer than observe.slow_millis";
    deprecated: Family<Deprecated, Counter> = Family::default(),
        "stoa_graphql_deprecated_uses", "Operations that use a deprecated field, argument or value, by caller";
    lookups: Family<Lookup, Counter> = Family::default(),
        "stoa_document_lookups", "Documents that were looked up, by cache, and whether they were there";
    batches: Histograms<Loader> = histograms(|| Histogram::new(SIZES)),
        "stoa_loader_batch_size", "How many keys a loader read at once";
    connections: Gauge = Gauge::default(),
        "stoa_live_connections", "Live connections that are open";
    subscriptions: Gauge = Gauge::default(),
        "stoa_live_subscriptions", "Subscriptions that are listening";
    dropped: Counter = Counter::default(),
        "stoa_live_subscriptions_dropped", "Subscriptions that ended since their client did not keep up";
    pool: Family<Connections, Gauge> = Family::default(),
        "stoa_database_connections", "Connections to the database, by pool and state";
    pool_limit: Family<Pool, Gauge> = Family::default(),
        "stoa_database_connections_max", "How many connections a pool may have";
    database_up: Gauge = Gauge::default(),
        "stoa_database_up", "Whether the database answered when these figures were read";
    outbox: Gauge = Gauge::default(),
        "stoa_mail_outbox_depth", "Mails that are to be sent";
    outbox_age: Fraction = Gauge::default(),
        "stoa_mail_outbox_oldest_seconds", "Since when the oldest of them waits";
    model: Family<Model, Gauge> = Family::default(),
        "stoa_model_info", "The model that serves; 1, or no line if there is none";
    model_trained: Fraction = Gauge::default(),
        "stoa_model_age_seconds", "How long ago the model that serves was trained";
    started: Fraction = Gauge::default(),
        "process_start_time_seconds", "When this process began, in seconds since 1970";
    resident: Gauge = Gauge::default(),
        "process_resident_memory_bytes", "Memory that this process holds";
    open_files: Gauge = Gauge::default(),
        "process_open_fds", "Files and connections that this process has open";
    max_files: Gauge = Gauge::default(),
        "process_max_fds", "How many it may have open";
    processor: Counter<f64, AtomicU64> = Counter::default(),
        "process_cpu_seconds", "Time that processors spent on this process";
    build: Family<Build, Gauge> = Family::default(),
        "stoa_build_info", "The program's version and kind of database; always 1";
}

fn histograms<L: Clone + std::hash::Hash + Eq>(make: fn() -> Histogram) -> Histograms<L> {
    Family::new_with_constructor(make)
}
