//! What an operation says on a WebSocket.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use poem::web::websocket::Message;
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::mpsc::Sender, task::AbortHandle};

use super::protocol::ServerMessage;
use crate::http::{execution::Answer, operation::Hearer};

/// The voice of one operation, among those of its connection.
pub(super) struct Voice {
    pub(super) id: String,
    pub(super) running: Running,
    pub(super) out: Sender<Message>,
}

/// The operations that run on a connection, by what the client calls them.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<String, AbortHandle>>>);

impl Running {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hearer for Voice {
    async fn next(&self, answer: &Answer) {
        self.say(ServerMessage::Next { id: &self.id, payload: answer.written() }.written()).await;
    }

    async fn fail(&self, errors: Value) {
        self.say_last(&ServerMessage::Error { id: &self.id, payload: errors }).await;
    }

    async fn complete(&self) {
        let complete: ServerMessage<'_, ()> = ServerMessage::Complete { id: &self.id };
        self.say_last(&complete).await;
    }
}

impl Voice {
    /// A client who hears it may use the id again, so it is free by then.
    async fn say_last<P: Serialize + Sync>(&self, message: &ServerMessage<'_, P>) {
        self.running.lock().remove(&self.id);
        self.say(message.written()).await;
    }

    async fn say(&self, message: Message) {
        let _ = self.out.send(message).await;
    }
}
