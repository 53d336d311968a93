//! Events as they are sent. poem's own leave `data` out where it is empty, and then a browser's `EventSource` passes the
//! event over.

use std::io;

use futures_util::stream;
use poem::Body;
use tokio::sync::mpsc::Receiver;

use crate::live::Seat;

/// A comment. It shows that the connection is alive, and lets proxies and browsers pass the head on.
pub(super) const COMMENT: &str = ":\n\n";
/// The operation has ended.
pub(super) const COMPLETE: &str = "event: complete\ndata:\n\n";
/// After so many milliseconds a browser's `EventSource` shall connect again.
pub(super) const RETRY: &str = "retry: 1000\n\n";

/// An event with an answer. JSON as we write it has no line breaks.
pub(super) fn next(answer: &impl serde::Serialize) -> String {
    let data = serde_json::to_string(answer).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        "{}".to_owned()
    });
    format!("event: next\ndata: {data}\n\n")
}

/// The body of the answer. As long as it is there, the connection has its seat; when the client goes away, it is dropped, and the
/// queue with it.
pub(super) fn body(queue: Receiver<String>, seat: Seat) -> Body {
    Body::from_bytes_stream(stream::unfold((queue, seat), async |(mut queue, seat)| {
        let event = queue.recv().await?;
        Some((Ok::<_, io::Error>(event), (queue, seat)))
    }))
}
