//! Connections: accepted, counted, spoken to in HTTP/1.1 or HTTP/2, with or without TLS, and ended.
//!
//! poem's own server waits for ever for a head that does not come, spins when there are no more file handles, and its TLS is built
//! on aws-lc. The endpoints are poem's all the same.

use std::{
    convert::Infallible,
    io::{self, Write as _},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{
    Version,
    body::{Body, Frame, Incoming, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use poem::{
    Addr, Endpoint, EndpointExt as _, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderValue, StatusCode, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use super::{
    patience::{Activity, Ongoing, Patient},
    settings::HttpSettings,
    tls::Tls,
};

/// So long a shutdown waits for requests that are being answered.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long nobody is accepted after it failed, such as when there are no more file handles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest head, in bytes: a query by GET stands in it.
const MAX_HEAD: usize = 64 << 10;
/// So many requests run at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 100;
/// How often a connection of HTTP/2 is asked whether anybody is there.
const PING_EVERY: Duration = Duration::from_secs(30);

const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n\
    retry-after: 5\r\nconnection: close\r\ncontent-length: 125\r\n\r\n\
    {\"errors\":[{\"message\":\"there are too many connections: try again in a moment\",\"extensions\":{\"code\":\"TOO_MANY_CONNECTIONS\"}}]}";

struct Shared {
    endpoint: BoxEndpoint<'static, Response>,
    settings: HttpSettings,
    builder: Builder<TokioExecutor>,
}

/// Answers requests until `end`, then finishes those that have begun.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    settings: HttpSettings,
    endpoint: impl Endpoint<Output = Response> + 'static,
    end: impl Future<Output = ()>,
) {
    let seats = Arc::new(Semaphore::new(settings.connections as usize));
    let shared = Arc::new(Shared { endpoint: endpoint.boxed(), builder: builder(&settings), settings });
    let (ending, ended) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut end = pin!(end);
    let mut is_full = false;
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
                    is_full = false;
                    open.spawn(connected(Arc::clone(&shared), stream, peer, tls.clone(), seat, ended.clone()));
                } else {
                    if !std::mem::replace(&mut is_full, true) {
                        tracing::warn!(connections = shared.settings.connections, "more are turned away");
                    }
                    turn_away(stream, tls.is_some());
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "nobody can be accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = ending.send(true);
    // What has not ended by then is dropped with the set.
    let _ = timeout(PATIENCE, async { while open.join_next().await.is_some() {} }).await;
}

fn builder(settings: &HttpSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Between requests it is hyper that waits; within a head `Patient` does.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(settings.idle_seconds.max(settings.header_seconds)))
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    builder
}

/// Whether the trouble is with whoever connected, and not with us.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Says so at once, without waiting: nobody may hold more than a seat. By TLS there is nothing that could be said so quickly.
fn turn_away(stream: TcpStream, has_tls: bool) {
    if !has_tls && let Ok(mut stream) = stream.into_std() {
        let _ = stream.write_all(TURNED_AWAY);
    }
}

async fn connected(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    seat: OwnedSemaphorePermit,
    ended: watch::Receiver<bool>,
) {
    let Ok(local) = stream.local_addr() else { return };
    // Answers are written whole: there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let ends = (local, peer);
    let Some(tls) = tls else { return speak(shared, stream, ends, Scheme::HTTP, seat, ended).await };
    match timeout(Duration::from_secs(shared.settings.header_seconds), tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => speak(shared, stream, ends, Scheme::HTTPS, seat, ended).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS came about"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    shared: Arc<Shared>,
    stream: S,
    (local, peer): (SocketAddr, SocketAddr),
    scheme: Scheme,
    seat: OwnedSemaphorePermit,
    mut ended: watch::Receiver<bool>,
) {
    let activity = Arc::new(Activity::default());
    let seconds = Duration::from_secs;
    let settings = &shared.settings;
    let (head, write) = (seconds(settings.header_seconds), seconds(settings.write_seconds));
    let stream = Patient::new(stream, Arc::clone(&activity), head, write, seat);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (shared, activity, scheme) = (Arc::clone(&shared), Arc::clone(&activity), scheme.clone());
        async move {
            let ongoing = activity.begin();
            if request.version() == Version::HTTP_2 {
                activity.set_free();
            }
            let addresses = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(peer)));
            let request = Request::from((with_host(request), addresses.0, addresses.1, scheme));
            let response = shared.endpoint.get_response(request).await;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                activity.set_free();
            }
            let response: hyper::Response<_> = response.into();
            Ok::<_, Infallible>(response.map(|body| Counted { body, _ongoing: ongoing }))
        }
    });
    let mut speaking = pin!(shared.builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut idle = interval(seconds(settings.idle_seconds));
    let mut before = None;
    loop {
        tokio::select! {
            _ = speaking.as_mut() => return,
            _ = ended.wait_for(|ended| *ended) => break,
            _ = idle.tick() => {
                let begun = Some(activity.begun());
                if !activity.is_busy() && before == begun {
                    break;
                }
                before = begun;
            }
        }
    }
    speaking.as_mut().graceful_shutdown();
    let _ = speaking.await;
}

/// HTTP/2 tells the host in another place; whoever asks for it finds it in the header.
fn with_host(mut request: hyper::Request<Incoming>) -> hyper::Request<Incoming> {
    if !request.headers().contains_key(header::HOST)
        && let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    request
}

/// The body of an answer. The request ends with it.
struct Counted<B> {
    body: B,
    _ongoing: Ongoing,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_turned_away_gets_a_whole_answer() {
        let text = std::str::from_utf8(TURNED_AWAY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len()) as &str)
                || head.ends_with(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
