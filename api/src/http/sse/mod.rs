//! Live data as server-sent events: GraphQL over SSE, each operation on a connection of its own ("distinct connections mode"
//! of the protocol of `graphql-sse`).
//!
//! A request that is none, or that comes from somebody who is not let in, is answered by a status, as any other. What is wrong with
//! its document is told in the stream, as the protocol has it: a browser's `EventSource` shows nothing of a status.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{
    asked::{COST, DENIED_FIELDS, SEEN_AS, Wishes},
    caller::Caller,
    endpoint::Refused,
    execution::Executor,
    operation::{self, Operation},
    parameters::{ALLOWED, parameters},
    request_id, viewer,
};
use crate::{graphql::errors::Code, observe::Transport};

mod connection;
mod stream;

const EVENT_STREAM: &str = "text/event-stream";
/// With it a client of the protocol's other mode names the one stream that she reserved.
const TOKEN: &str = "x-graphql-event-stream-token";
/// So many events wait to be sent; then the operation waits.
const WAITING: usize = 4;

/// Whether a request wants its answers as events, or speaks the other mode of the protocol.
pub(super) fn is_wanted(request: &Request) -> bool {
    match *request.method() {
        Method::GET | Method::POST => prefers_events(request.headers()),
        Method::PUT | Method::DELETE => true,
        _ => false,
    }
}

/// Whether `Accept` names events, and JSON neither before them nor with more weight. Some clients name both with each query, and
/// want JSON then.
fn prefers_events(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let (mut events, mut json) = (0.0, 0.0);
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        let weight = weight.unwrap_or_default();
        match name.as_str() {
            EVENT_STREAM if weight > json => events = weight,
            "application/json" | "application/graphql-response+json" if weight > events => {
                (json, events) = (weight, 0.0);
            }
            _ => {}
        }
    }
    events > 0.0
}

/// Answers a request by a stream of events, or says why not.
pub(super) async fn answer(executor: &Executor, request: Request) -> Response {
    let mut response = match open(executor, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_problem(),
    };
    // No proxy keeps it, or holds it back to compress it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    response
}

async fn open(executor: &Executor, mut request: Request) -> Result<Response, Refused> {
    let app = &executor.app;
    if !matches!(*request.method(), Method::GET | Method::POST) || request.headers().contains_key(TOKEN) {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::MethodNotAllowed,
            "send queries by GET or POST. The single connection mode of graphql-sse is not served: leave \
             `singleConnection` out, or use a WebSocket",
        );
        return Err(refused.with(header::ALLOW, HeaderValue::from_static(ALLOWED)));
    }
    let mut seat = operation::seat(app, &request)?;
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let wishes = Wishes::read(header(DENIED_FIELDS), header(SEEN_AS))?.with_cost(header(COST))?;
    let operation = Operation {
        executor: executor.clone(),
        pass: viewer::pass(&request)?,
        origin: viewer::origin(app, &request),
        request_id: request.headers().get(&super::REQUEST_ID).cloned(),
        wishes,
        caller: Caller::of_headers(request.headers()).into(),
        may_change: request.method() == Method::POST,
        transport: Transport::Sse,
    };
    let by = viewer::identify(app, &operation.pass, operation.origin.network.as_deref()).await?.ok_or_else(|| {
        Refused::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, "the session is over: sign in again")
    })?;
    if let Some(account) = by.viewer.id() {
        seat.give_to(account).map_err(operation::no_seat)?;
    }
    let parameters = parameters(&mut request, &app.http).await?;
    let (out, queue) = mpsc::channel(WAITING);
    let id = request_id::current().unwrap_or_default();
    let span = tracing::info_span!(parent: None, "events", %id);
    tokio::spawn(request_id::REQUEST.scope(id, connection::run(operation, parameters, by, out)).instrument(span));
    // Some proxies hold answers back until there is more of them.
    Ok(Response::builder().content_type(EVENT_STREAM).header("x-accel-buffering", "no").body(stream::body(queue, seat)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sent_to_whoever_prefers_them() {
        let wanted = |accept: &'static str| {
            prefers_events(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        for accept in [
            "text/event-stream",
            "Text/Event-Stream; q=0.5",
            "text/event-stream, multipart/mixed",
            "text/event-stream, */*",
            "text/event-stream, application/json;q=0.9",
            "text/event-stream, application/json",
            "application/json;q=0.1, text/event-stream",
        ] {
            assert!(wanted(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/*",
            "application/json",
            "text/event-stream;q=0",
            "text/event-stream;q=nonsense",
            "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
            "text/event-stream;q=0.1, application/json",
        ] {
            assert!(!wanted(accept), "{accept}");
        }
    }
}
