//! The messages of `graphql-transport-ws`, and the codes that its connections are closed with.

use std::borrow::Cow;

use poem::web::websocket::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::http::asked::Parameters;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    /// Who she is.
    ConnectionInit {
        /// `Authorization`, and what else a request would say in headers.
        payload: Option<Map<String, Value>>,
    },
    /// Are you there?
    Ping {
        /// To be sent back.
        payload: Option<Map<String, Value>>,
    },
    /// I am here.
    Pong {
        /// Means nothing here, but is an object.
        #[serde(rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    /// An operation begins.
    Subscribe {
        /// What the client calls it.
        id: String,
        /// The operation.
        payload: Parameters,
    },
    /// An operation is to end.
    Complete {
        /// What the client calls it.
        id: String,
    },
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a, P> {
    /// The client is known, and may begin.
    ConnectionAck,
    /// I am here.
    Pong {
        /// As it came.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<P>,
    },
    /// An answer.
    Next {
        /// Of which operation.
        id: &'a str,
        /// The answer.
        payload: P,
    },
    /// An operation ends with errors.
    Error {
        /// Which.
        id: &'a str,
        /// The errors.
        payload: P,
    },
    /// An operation has ended.
    Complete {
        /// Which.
        id: &'a str,
    },
}

impl<P: Serialize> ServerMessage<'_, P> {
    /// As it is sent.
    pub(super) fn written(&self) -> Message {
        Message::text(serde_json::to_string(self).unwrap_or_else(|error| {
            tracing::error!(%error, "a message could not be written");
            "{}".to_owned()
        }))
    }
}

/// The longest id of an operation, in bytes.
pub(super) const MAX_ID: usize = 200;

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is closed with a code, and a reason for people.
    Close(u16, Cow<'static, str>),
    /// The client is gone.
    Gone,
}

const fn close(code: u16, reason: &'static str) -> End {
    End::Close(code, Cow::Borrowed(reason))
}

/// An operation is to begin under an id that another one has. The protocol wants the id in the reason, which has room for 123
/// bytes.
pub(super) fn taken(id: &str) -> End {
    let end = id.floor_char_boundary(80);
    End::Close(4409, Cow::Owned(format!("Subscriber for {} already exists", &id[..end])))
}

pub(super) const IDLE: End = close(1000, "nothing was asked for a long time");
pub(super) const GOING_AWAY: End = close(1001, "the server is shutting down: connect again");
pub(super) const TOO_LONG: End = close(1009, "the message is too long");
pub(super) const TRY_AGAIN: End = close(1013, "the database is busy or away: try again in a moment");
pub(super) const TOO_MANY: End = close(1013, "you have too many connections: close some");
pub(super) const BAD_MESSAGE: End = close(4400, "this is no message of graphql-transport-ws");
pub(super) const BAD_WISH: End = close(4400, "Stoa-Denied-Fields, Stoa-Seen-As or Stoa-Cost can't be used");
pub(super) const UNAUTHORIZED: End =
    close(4401, "Unauthorized: send connection_init first, and wait for connection_ack");
pub(super) const FORBIDDEN: End = close(4403, "Forbidden: the token or session is not valid");
pub(super) const OVER: End = close(4403, "Forbidden: the token or session is not valid any more");
pub(super) const NO_PROTOCOL: End = close(4406, "Subprotocol not acceptable: use graphql-transport-ws");
pub(super) const NO_INIT: End = close(4408, "Connection initialisation timeout");
pub(super) const INIT_AGAIN: End = close(4429, "Too many initialisation requests");
pub(super) const FAILED: End = close(4500, "Internal server error");
