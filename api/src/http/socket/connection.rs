//! One connection, from the first message to the last.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use poem::{
    http::StatusCode,
    web::websocket::{CloseCode, Message, WebSocketStream},
};
use serde_json::{Map, Value};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::{JoinError, JoinSet},
    time::{Instant, interval_at, sleep_until, timeout},
};
use tracing::Instrument as _;

use super::{
    Visitor,
    protocol::{
        BAD_MESSAGE, BAD_WISH, ClientMessage, End, FAILED, FORBIDDEN, GOING_AWAY, IDLE, INIT_AGAIN, MAX_ID, NO_INIT,
        NO_PROTOCOL, OVER, ServerMessage, TOO_LONG, TOO_MANY, TRY_AGAIN, UNAUTHORIZED, taken,
    },
    voice::{Running, Voice},
};
use crate::{
    accounts::model::Identified,
    http::{
        asked::{COST, DENIED_FIELDS, Parameters, SEEN_AS, Wishes},
        caller::Caller,
        endpoint::{Refused, refusal},
        operation::{Operation, Outcome, refuse},
        request_id,
        viewer::{self, Pass},
    },
    live::LiveSettings,
    observe::Transport,
};

/// So many messages wait to be sent; then operations wait.
const WAITING: usize = 4;
/// So long a client may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// So long an ending server waits for queries and mutations that have begun.
const DRAIN: Duration = Duration::from_secs(3);

/// Speaks with a client until one of the two has had enough. `speaks` tells whether she speaks the protocol at all.
pub(super) async fn run(visitor: Visitor, stream: WebSocketStream, speaks: bool) {
    let begun = Instant::now();
    let (sink, mut frames) = stream.split();
    let (out, queue) = mpsc::channel(WAITING);
    let writing = tokio::spawn(write(sink, queue, visitor.executor.app.live.settings().write()));
    let mut connection = Connection {
        visitor,
        known: None,
        out,
        tasks: JoinSet::new(),
        running: Running::default(),
        is_alive: true,
        idle_since: begun,
        operations: 0,
    };
    let end = if speaks { connection.speak(&mut frames).await } else { NO_PROTOCOL };
    // What still runs has nobody to answer to.
    connection.tasks.shutdown().await;
    let code = match end {
        End::Gone => None,
        End::Close(code, reason) => {
            let close = Message::close_with(CloseCode::from(code), reason.into_owned());
            let _ = timeout(GOODBYE, connection.out.send(close)).await;
            Some(code)
        }
    };
    tracing::info!(code, operations = connection.operations, seconds = begun.elapsed().as_secs(), "closed");
    drop(connection);
    // The answer to a goodbye is read, or whoever sent it would take the connection for broken.
    let _ = timeout(GOODBYE, async { while let Some(Ok(_)) = frames.next().await {} }).await;
    let abort = writing.abort_handle();
    if timeout(GOODBYE, writing).await.is_err() {
        abort.abort();
    }
}

/// Sends what is to be sent. A client who does not take a message in time has lost the connection.
async fn write(mut sink: SplitSink<WebSocketStream, Message>, mut queue: Receiver<Message>, patience: Duration) {
    while let Some(message) = queue.recv().await {
        let is_last = message.is_close();
        if !matches!(timeout(patience, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
        if is_last {
            break;
        }
    }
    let _ = timeout(GOODBYE, sink.close()).await;
}

struct Connection {
    visitor: Visitor,
    /// What the client has shown, once that was found good, how she wants to be answered, and by which program.
    known: Option<(Pass, Wishes, Arc<Caller>)>,
    out: Sender<Message>,
    tasks: JoinSet<Outcome>,
    running: Running,
    /// Whether anything has come from the client since the last ping.
    is_alive: bool,
    idle_since: Instant,
    operations: u64,
}

impl Connection {
    async fn speak(&mut self, frames: &mut SplitStream<WebSocketStream>) -> End {
        let live = self.visitor.executor.app.live.clone();
        let settings = live.settings();
        let begun = Instant::now();
        let mut ping = interval_at(begun + settings.ping(), settings.ping());
        let mut recheck = interval_at(begun + settings.recheck(), settings.recheck());
        let mut ended = pin!(live.ended());
        let out = self.out.clone();
        loop {
            let (waits, until) = (self.waits(), self.patience(begun, settings));
            let end = tokio::select! {
                () = &mut ended => {
                    self.drain().await;
                    Some(GOING_AWAY)
                }
                frame = frames.next() => match frame {
                    Some(Ok(frame)) => self.hear(frame).await,
                    // The crate below tells it by its words only.
                    Some(Err(error)) if error.to_string().contains("too long") => Some(TOO_LONG),
                    Some(Err(_)) | None => Some(End::Gone),
                },
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.finished(ended).await,
                _ = ping.tick() => self.ping().await,
                _ = recheck.tick() => self.recheck().await,
                () = out.closed() => Some(End::Gone),
                () = sleep_until(until), if waits => {
                    Some(if self.known.is_some() { IDLE } else { NO_INIT })
                }
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Whether nothing is going on.
    fn waits(&self) -> bool {
        self.known.is_none() || self.running.lock().is_empty()
    }

    /// Until when nothing may go on.
    fn patience(&self, begun: Instant, settings: &LiveSettings) -> Instant {
        if self.known.is_none() { begun + settings.init() } else { self.idle_since + settings.idle() }
    }

    async fn hear(&mut self, frame: Message) -> Option<End> {
        self.is_alive = true;
        match frame {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.heed(message).await,
                Err(_) => Some(BAD_MESSAGE),
            },
            Message::Binary(_) => Some(BAD_MESSAGE),
            Message::Ping(_) | Message::Pong(_) => None,
            Message::Close(_) => Some(End::Gone),
        }
    }

    async fn heed(&mut self, message: ClientMessage) -> Option<End> {
        match message {
            ClientMessage::ConnectionInit { payload } => self.init(&payload.unwrap_or_default()).await.err(),
            ClientMessage::Ping { payload } => self.send(ServerMessage::Pong { payload }.written()).await,
            ClientMessage::Pong { .. } => None,
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, payload).await,
            ClientMessage::Complete { id } => {
                let task = self.running.lock().remove(&id);
                if let Some(task) = task {
                    task.abort();
                    self.idle_since = Instant::now();
                }
                None
            }
        }
    }

    /// Learns who the client is.
    async fn init(&mut self, payload: &Map<String, Value>) -> Result<(), End> {
        if self.known.is_some() {
            return Err(INIT_AGAIN);
        }
        let said = |name: &str| {
            let found = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value).filter(|value| !value.is_null())
        };
        let wish = |name| said(name).map(|value| value.as_str().unwrap_or_default().as_bytes());
        let wishes = Wishes::read(wish(DENIED_FIELDS), wish(SEEN_AS));
        let wishes = wishes.and_then(|wishes| wishes.with_cost(wish(COST))).map_err(|_| BAD_WISH)?;
        let pass = match said("authorization") {
            Some(value) => viewer::bearer(value.as_str().unwrap_or_default()).map_err(|_| FORBIDDEN)?,
            None => self.visitor.pass.as_ref().map_err(|_| FORBIDDEN)?.clone(),
        };
        let by = self.identify(&pass).await?.ok_or(FORBIDDEN)?;
        if let Some(account) = by.viewer.id() {
            self.visitor.seat.give_to(account).map_err(|_| TOO_MANY)?;
        }
        let caller = Caller::of_payload(payload).or(&self.visitor.caller);
        self.known = Some((pass, wishes, Arc::new(caller)));
        self.idle_since = Instant::now();
        self.send(ServerMessage::<()>::ConnectionAck.written()).await.map_or(Ok(()), Err)
    }

    /// Who that is now; `None` if it is not good, or not any more.
    async fn identify(&self, pass: &Pass) -> Result<Option<Identified>, End> {
        let Visitor { executor, origin, .. } = &self.visitor;
        match viewer::identify(&executor.app, pass, origin.network.as_deref()).await {
            Ok(by) => Ok(by),
            Err(refused) if refused.status == StatusCode::UNAUTHORIZED => Ok(None),
            Err(refused) if refused.status == StatusCode::SERVICE_UNAVAILABLE => Err(TRY_AGAIN),
            Err(_) => Err(FAILED),
        }
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Option<End> {
        let Some((pass, wishes, caller)) = self.known.clone() else { return Some(UNAUTHORIZED) };
        if id.is_empty() || id.len() > MAX_ID {
            return Some(BAD_MESSAGE);
        }
        let Visitor { executor, origin, request_id, .. } = &self.visitor;
        let most = executor.app.live.settings().operations_per_connection;
        let operation = Operation {
            executor: executor.clone(),
            pass,
            origin: origin.clone(),
            request_id: request_id.clone(),
            wishes,
            caller,
            may_change: true,
            transport: Transport::WebSocket,
        };
        let voice = Voice { id: id.clone(), running: self.running.clone(), out: self.out.clone() };
        let count = {
            let running = self.running.lock();
            if running.contains_key(&id) {
                return Some(taken(&id));
            }
            running.len()
        };
        if count >= most {
            let message = format!("at most {most} operations run on one connection at once: end some");
            refuse(executor, &voice, &Refused::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_OPERATIONS", message))
                .await;
            return None;
        }
        self.operations += 1;
        // Held until it is among them, however soon it ends.
        let mut running = self.running.lock();
        let request = request_id::current().unwrap_or_default();
        let running_operation = async move { operation.run(parameters, &voice).await };
        let task = self.tasks.spawn(request_id::REQUEST.scope(request, running_operation).in_current_span());
        running.insert(id, task);
        None
    }

    /// An operation has ended.
    async fn finished(&mut self, ended: Result<(tokio::task::Id, Outcome), JoinError>) -> Option<End> {
        let (task, outcome) = match ended {
            Ok((task, outcome)) => (task, Some(outcome)),
            Err(error) => (error.id(), (!error.is_panic()).then_some(Outcome::Done)),
        };
        self.idle_since = Instant::now();
        // One that has said its last is not there any more, and another may have its id by now.
        let id = {
            let mut running = self.running.lock();
            let id = running.iter().find(|(_, running)| running.id() == task).map(|(id, _)| id.clone());
            id.inspect(|id| drop(running.remove(id)))
        };
        match (outcome, id) {
            (Some(Outcome::Done | Outcome::ServerEnds), _) | (None, None) => None,
            (Some(Outcome::PassIsOver), _) => Some(OVER),
            // The hook has written the panic to the log.
            (None, Some(id)) => {
                let errors = [refusal("INTERNAL", "something went wrong here")];
                self.send(ServerMessage::Error { id: &id, payload: errors }.written()).await
            }
        }
    }

    async fn ping(&mut self) -> Option<End> {
        if !std::mem::take(&mut self.is_alive) {
            return Some(End::Gone);
        }
        self.send(Message::ping(Vec::new())).await
    }

    async fn recheck(&self) -> Option<End> {
        let (pass, ..) = self.known.as_ref()?;
        match self.identify(pass).await {
            Ok(None) => Some(OVER),
            // A database that is away for a moment says nothing of her.
            Ok(Some(_)) | Err(_) => None,
        }
    }

    /// Lets queries and mutations end that have begun. Subscriptions end by themselves when the server does.
    async fn drain(&mut self) {
        let _ = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
    }

    async fn send(&self, message: Message) -> Option<End> {
        self.out.send(message).await.is_err().then_some(End::Gone)
    }
}
