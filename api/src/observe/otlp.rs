//! Sends traces to an OpenTelemetry collector: OTLP over HTTP, with the client that we have.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::{ObserveSettings, watch::TRACE};

/// So long the collector may take for a batch of spans, and so long the end of the program waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer of a collector is longer, in bytes.
const LONGEST: usize = 64 << 10;
/// So often it is logged, at most, that the collector can't be reached.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Traces that are sent, until they are ended.
pub(crate) struct Traces(SdkTracerProvider);

/// Why traces can't be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TracesError {
    /// The system's certificates can't be read.
    #[error("the certificates of this system can't be read, which https:// in observe.otlp_endpoint needs: {0}")]
    Certificates(std::io::Error),
    /// The exporter refuses its settings.
    #[error("observe.otlp_endpoint can't be used: {0}")]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Begins to send traces, in the background of the runtime that this is called in. What it gives takes the spans.
    pub(crate) fn begin<S>(settings: &ObserveSettings) -> Result<(Self, impl Layer<S> + use<S>), TracesError>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let base = settings.otlp_endpoint.trim_end_matches('/');
        let endpoint = if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(&endpoint)?)
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.otlp_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("stoa"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Spans only: a line of the log may say more than belongs into a trace.
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TRACE));
        Ok((Self(provider), layer))
    }

    /// Sends what is left, and ends.
    pub(crate) async fn end(self) {
        // It waits for a thread of its own.
        let _ = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE)).await;
    }
}

/// The collector, as the exporter's thread reaches it: through the runtime.
struct Collector {
    client: Transport,
    runtime: Handle,
    begun: Instant,
    /// When a failure was told last, in seconds since it began.
    told: AtomicU64,
}

/// Certificates are read only where they are needed.
#[derive(Clone)]
enum Transport {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Collector {
    fn new(endpoint: &str) -> Result<Self, TracesError> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(PATIENCE));
        let client = if endpoint.starts_with("https:") {
            connector.enforce_http(false);
            let connector = HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(TracesError::Certificates)?
                .https_only()
                .enable_http1()
                .wrap_connector(connector);
            Transport::Tls(Client::builder(TokioExecutor::new()).build(connector))
        } else {
            Transport::Plain(Client::builder(TokioExecutor::new()).build(connector))
        };
        Ok(Self { client, runtime: Handle::current(), begun: Instant::now(), told: AtomicU64::new(u64::MAX) })
    }

    /// Tells of a failure, unless one was told just now.
    fn tell(&self, error: &dyn fmt::Display) {
        let now = self.begun.elapsed().as_secs();
        let told = self.told.load(Ordering::Relaxed);
        if told == u64::MAX || now.saturating_sub(told) >= TELL_EVERY.as_secs() {
            self.told.store(now, Ordering::Relaxed);
            tracing::warn!(%error, "traces were not taken by the collector, and are lost");
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.client.clone();
        let exchange = async move {
            let request = request.map(Full::new);
            let answer = match client {
                Transport::Plain(client) => client.request(request).await?,
                Transport::Tls(client) => client.request(request).await?,
            };
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        // The timer is made where there is a runtime: this is called on a thread without one.
        let exchange = self.runtime.spawn(async move { tokio::time::timeout(PATIENCE, exchange).await });
        Box::pin(async move {
            let answer = match exchange.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err("it does not answer in time".into()),
                Err(error) => Err(error.into()),
            };
            match &answer {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => self.tell(&format!("it answered {}", answer.status())),
                Err(error) => self.tell(error),
            }
            answer
        })
    }
}
