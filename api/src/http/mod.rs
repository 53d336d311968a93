//! The server: routes, whose request it is, and an end that finishes what was begun.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, Server, get,
    http::{HeaderName, HeaderValue, StatusCode},
    listener::TcpAcceptor,
    middleware::CatchPanic,
};
use tracing::Instrument as _;

use crate::{app::App, graphql};

mod asked;
mod caller;
mod console;
mod endpoint;
mod execution;
mod health;
mod oidc;
mod operation;
mod settings;
mod socket;
mod sse;
mod unsubscribe;
mod viewer;

pub use console::{ConsoleAccount, examples};
pub use settings::HttpSettings;

/// So long a shutdown waits for requests that are being answered.
const PATIENCE: Duration = Duration::from_secs(20);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything under one roof: `/graphql`, the query page at `/`, `/auth/oidc/…`, `/mail/unsubscribe`, `/healthz` and
/// `/readyz`.
/// `accounts` are offered on the page to whoever opens it: none but the demo's belong there.
pub fn routes(app: &App, accounts: &[ConsoleAccount]) -> impl Endpoint<Output = Response> + use<> {
    let schema = graphql::schema(app.clone());
    Route::new()
        .at("/graphql", endpoint::GraphQl::new(schema, app.clone()))
        .nest("/auth/oidc", oidc::routes(app))
        .at("/mail/unsubscribe", unsubscribe::route(app))
        .nest("/", console::routes(accounts))
        .at("/healthz", get(health::alive()))
        .at("/readyz", get(health::ready(app.clone())))
        .with(CatchPanic::new().with_handler(|_cause: Box<dyn std::any::Any + Send>| {
            // The hook has written the panic to the log; the client learns that it was not to blame.
            endpoint::problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
        }))
        .around(logged)
        .map_to_response()
}

/// Gives every request an id, in the log and in the answer, and writes a line when it is answered.
/// Neither the query's text nor its variables are logged: they may say things about people.
async fn logged<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let id = request
        .header(&REQUEST_ID)
        .filter(|id| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
        .map_or_else(request_id, ToOwned::to_owned);
    let span = tracing::info_span!("request", id = %id, method = %request.method(), path = request.uri().path());
    // The access log names the request by the same id.
    if let Ok(id) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID.clone(), id);
    }
    let begun = Instant::now();
    let response = async move {
        let mut response = next.get_response(request).await;
        let status = response.status().as_u16();
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID.clone(), id);
        }
        tracing::info!(status, micros = begun.elapsed().as_micros() as u64, "answered");
        response
    }
    .instrument(span)
    .await;
    Ok(response)
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
    acceptor: TcpAcceptor,
    /// The address, with the port that was found if 0 was asked for.
    pub address: SocketAddr,
}

impl Listener {
    /// Listens on `address`, such as `127.0.0.1:8000`.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let acceptor = TcpAcceptor::from_tokio(listener).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { acceptor, address })
    }

    /// Answers requests until `end`, then finishes those that have begun.
    pub async fn serve(
        self,
        routes: impl Endpoint<Output = Response> + 'static,
        end: impl Future<Output = ()>,
    ) -> io::Result<()> {
        Server::new_with_acceptor(self.acceptor).run_with_graceful_shutdown(routes, end, Some(PATIENCE)).await
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
