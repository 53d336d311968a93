//! The server: routes, whose request it is, and an end that finishes what was begun.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get,
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::{CatchPanic, PanicHandler},
};
use tracing::Instrument as _;

use crate::{
    app::App,
    graphql,
    observe::{Observe, trace, watch::Watch},
};

mod accept;
mod asked;
mod budget;
mod cache;
mod caller;
mod charge;
mod checking;
mod compress;
mod console;
mod cors;
mod deadline;
mod documents;
mod endpoint;
mod execution;
mod health;
mod metrics;
mod oidc;
mod operation;
mod outside;
mod parameters;
mod patience;
mod request_id;
mod serving;
mod settings;
mod shed;
mod socket;
mod sse;
mod tls;
mod unsubscribe;
mod viewer;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use asked::read_wishes;
pub use checking::Checker;
pub use console::{ConsoleAccount, examples};
pub use metrics::metrics;
pub use settings::{HttpSettings, HttpSettingsError};
pub use tls::TlsError;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything under one roof: `/graphql`, the query page at `/`, `/auth/oidc/…`, `/mail/unsubscribe`, `/healthz` and
/// `/readyz`.
/// `accounts` are offered on the page to whoever opens it: none but the demo's belong there.
pub fn routes(app: &App, accounts: &[ConsoleAccount]) -> impl Endpoint<Output = Response> + use<> {
    let observe = app.observe.clone();
    let schema = graphql::schema(app.clone());
    let outside = Arc::new(outside::Outside::new(&app.http));
    Route::new()
        .at(outside::GRAPHQL, endpoint::GraphQl::new(schema, app.clone()))
        .nest("/auth/oidc", oidc::routes(app))
        .at("/mail/unsubscribe", unsubscribe::route(app))
        .nest("/", console::routes(accounts))
        .at("/healthz", get(health::alive()))
        .at("/readyz", get(health::ready(app.clone())))
        .with(CatchPanic::new().with_handler(Panicked))
        .around(async |next, request| Ok(outside::told(next, request).await))
        .around(move |next, request| {
            let outside = Arc::clone(&outside);
            async move { Ok(outside.answer(next, request).await) }
        })
        .around(move |next, request| logged(observe.clone(), next, request))
        .map_to_response()
}

/// The answer where a request has panicked. The hook has written the panic to the log; the client learns that it was not to
/// blame.
#[derive(Clone)]
struct Panicked;

impl PanicHandler for Panicked {
    type Response = Response;

    fn get_response(&self, _cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
        endpoint::failed()
    }
}

/// Gives every request an id, in the log and in the answer, and writes a line when it is answered.
/// Neither the query's text nor its variables are logged: they may say things about people.
async fn logged<E: Endpoint>(observe: Observe, next: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let _in_flight = observe.begun();
    let id = request
        .header(&REQUEST_ID)
        .filter(|id| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
        .map_or_else(request_id, ToOwned::to_owned);
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = request.uri().path(),
    );
    // The access log names the request by the same id.
    if let Ok(id) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID.clone(), id);
    }
    let begun = Instant::now();
    let route = route(request.uri().path());
    // What the caller asks for has no end; what we call it has.
    let trace = trace::of_request(request.headers(), (method_name(request.method()), route), observe.settings());
    let watch = Watch::new(&observe, trace.is_some());
    let trace = trace.unwrap_or_else(tracing::Span::none);
    let traced = trace.clone();
    let id_here = id.clone();
    let answered = async move {
        let mut response = next.get_response(request).await;
        let status = response.status().as_u16();
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID.clone(), id);
        }
        let time = begun.elapsed();
        observe.answered(route, status, time);
        traced.record("http.response.status_code", status);
        if status >= 500 {
            traced.record("otel.status_code", "ERROR");
        }
        tracing::info!(status, micros = time.as_micros() as u64, "answered");
        response
    };
    let answered = request_id::REQUEST.scope(id_here, answered.instrument(trace));
    Ok(watch.over(answered).instrument(span).await)
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// One of our routes, for a figure's label: what was asked for may be anything.
fn route(path: &str) -> &'static str {
    match path {
        "/graphql" => "/graphql",
        "/" => "/",
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        "/mail/unsubscribe" => "/mail/unsubscribe",
        path if path.starts_with("/auth/oidc/") => "/auth/oidc",
        _ => "other",
    }
}

fn request_id() -> String {
    // Unique in this process and, with the start's random part, among processes.
    static START: std::sync::LazyLock<u64> =
        std::sync::LazyLock::new(|| u64::from_be_bytes(crate::accounts::secret::random_bytes()));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{}", *START, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An address that is listened on, before anything is promised about it.
pub struct Listener {
    socket: tokio::net::TcpListener,
    settings: HttpSettings,
    tls: Option<Arc<tls::Tls>>,
    /// The address, with the port that was found if 0 was asked for.
    pub address: SocketAddr,
}

impl Listener {
    /// Listens on `address`, such as `127.0.0.1:8000`.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let socket = tokio::net::TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, settings: HttpSettings::default(), tls: None, address })
    }

    /// The same with these settings: how long clients may take, how many there may be, and TLS if there is a certificate.
    pub fn with(mut self, settings: &HttpSettings) -> Result<Self, TlsError> {
        if let (Some(certificate), Some(key)) = (&settings.tls_certificate, &settings.tls_key) {
            self.tls = Some(Arc::new(tls::Tls::read(certificate, key)?));
        }
        self.settings = settings.clone();
        Ok(self)
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Answers requests until `end`, then finishes those that have begun.
    pub async fn serve(
        self,
        routes: impl Endpoint<Output = Response> + 'static,
        end: impl Future<Output = ()>,
    ) -> io::Result<()> {
        serving::serve(self.socket, self.tls, self.settings, routes, end).await;
        Ok(())
    }
}

/// Resolves when the process is asked to end: Ctrl-C, or SIGTERM.
pub async fn asked_to_end() {
    #[cfg(unix)]
    {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
    tracing::info!("ending: new requests are refused, those that have begun are finished");
}

/// A plain answer with a media type.
fn plain(status: StatusCode, media_type: &'static str, body: impl Into<poem::Body>) -> Response {
    Response::builder().status(status).content_type(media_type).body(body).into_response()
}
