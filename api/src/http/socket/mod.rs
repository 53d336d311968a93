//! Live data: `/graphql` as a WebSocket with the subprotocol `graphql-transport-ws`.
//!
//! The stock handler closes with 1002 where clients expect to read why, keeps one viewer for as long as the connection
//! lives, and resolves every event with the loaders of the first one. This one asks anew for each event who the viewer is and
//! what she may see.

use poem::{
    FromRequest as _, IntoResponse as _, Request, Response,
    http::{HeaderValue, header},
    web::websocket::{WebSocket, WebSocketConfig},
};
use tracing::Instrument as _;

use super::{
    caller::Caller,
    endpoint::Refused,
    execution::Executor,
    operation, request_id,
    viewer::{self, Pass},
};
use crate::{live::Seat, sign_in::model::Origin};

mod connection;
mod protocol;
mod voice;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// The buffers of a connection, in bytes. Most connections are silent most of the time.
const BUFFER: usize = 4 << 10;

/// Somebody who has connected, and has not said yet who she is.
struct Visitor {
    executor: Executor,
    seat: Seat,
    /// What the request came with; a token in the first message counts before it.
    pass: Result<Pass, Refused>,
    origin: Origin,
    request_id: Option<HeaderValue>,
    /// As the request says it; what the first message says counts before it.
    caller: Caller,
}

/// Whether a request wants a WebSocket.
pub(super) fn is_wanted(request: &Request) -> bool {
    request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers a request for a WebSocket.
pub(super) async fn upgrade(executor: &Executor, request: &Request) -> Response {
    match open(executor, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_problem(),
    }
}

async fn open(executor: &Executor, request: &Request) -> Result<Response, Refused> {
    let app = &executor.app;
    let seat = operation::seat(app, request)?;
    let socket = WebSocket::from_request_without_body(request)
        .await
        .map_err(|error| Refused::bad_request(format!("this is no request for a WebSocket: {error}")))?;
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks = offered
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|protocol| protocol.trim() == PROTOCOL);
    let most = app.live.settings().message_bytes;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let visitor = Visitor {
        executor: executor.clone(),
        seat,
        pass: viewer::pass(request),
        origin: viewer::origin(app, request),
        request_id: request.headers().get(&super::REQUEST_ID).cloned(),
        caller: Caller::of_headers(request.headers()),
    };
    let id = visitor.request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let span = tracing::info_span!(parent: None, "socket", %id);
    let socket = socket.protocols([PROTOCOL]).config(config);
    Ok(socket
        .on_upgrade(move |stream| {
            request_id::REQUEST.scope(id, connection::run(visitor, stream, speaks)).instrument(span)
        })
        .into_response())
}
