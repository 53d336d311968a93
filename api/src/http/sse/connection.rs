//! One stream, from the first event to the last.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, interval_at, sleep, timeout},
};

use super::stream::{COMMENT, COMPLETE, RETRY, next};
use crate::{
    accounts::model::Identified,
    graphql::errors::Code,
    http::{
        asked::Parameters,
        endpoint::refusal,
        execution::Answer,
        operation::{Hearer, Operation, Outcome},
    },
};

/// So long an ending server waits for a query or mutation that has begun.
const DRAIN: Duration = Duration::from_secs(3);
/// So long it waits for a client to take the last event.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All is said.
    Done,
    /// The viewer's token or session is not good any more.
    PassIsOver,
    /// The server ends.
    ServerEnds,
    /// A fault of ours.
    Panicked,
    /// The client is gone, or takes nothing.
    Gone,
}

/// Carries an operation out until it or the client has had enough.
pub(super) async fn run(operation: Operation, parameters: Parameters, by: Identified, out: Sender<String>) {
    let begun = Instant::now();
    let events = Events { out };
    events.say(COMMENT.to_owned()).await;
    let end = {
        let operating = AssertUnwindSafe(operation.carry_out(parameters, by, &events)).catch_unwind();
        tokio::select! {
            ended = operating => match ended {
                Ok(Outcome::Done) => End::Done,
                Ok(Outcome::PassIsOver) => End::PassIsOver,
                Ok(Outcome::ServerEnds) => End::ServerEnds,
                // The hook has written the panic to the log.
                Err(_) => End::Panicked,
            },
            end = keep(&operation, &events) => end,
            () = events.out.closed() => End::Gone,
        }
    };
    let goodbye = async {
        match end {
            End::Done | End::Gone => {}
            End::PassIsOver => events.end(Code::Unauthenticated, "the token or session is not valid any more").await,
            End::Panicked => events.end(Code::Internal, "something went wrong here").await,
            // It has not come to its end, so it is not complete: clients who are told nothing more begin again by themselves.
            End::ServerEnds => events.say(RETRY.to_owned()).await,
        }
    };
    let live = &operation.executor.app.live;
    let patience = if live.is_ending() { GOODBYE } else { live.settings().write() };
    let _ = timeout(patience, goodbye).await;
    tracing::info!(?end, seconds = begun.elapsed().as_secs(), "closed");
}

/// Looks after the connection until it is to end.
async fn keep(operation: &Operation, events: &Events) -> End {
    let live = &operation.executor.app.live;
    let settings = live.settings();
    let begun = Instant::now();
    let mut ping = interval_at(begun + settings.ping(), settings.ping());
    let mut recheck = interval_at(begun + settings.recheck(), settings.recheck());
    let mut ended = pin!(live.ended());
    loop {
        tokio::select! {
            // What waits before it must be taken first, so this finds out who takes nothing.
            _ = ping.tick() => if timeout(settings.write(), events.say(COMMENT.to_owned())).await.is_err() {
                return End::Gone;
            },
            // A database that is away for a moment says nothing of her.
            _ = recheck.tick() => if matches!(operation.viewer().await, Ok(None)) {
                return End::PassIsOver;
            },
            // A subscription ends by itself.
            () = &mut ended => {
                sleep(DRAIN).await;
                return End::ServerEnds;
            }
        }
    }
}

/// The way to the client.
struct Events {
    out: Sender<String>,
}

impl Hearer for Events {
    async fn next(&self, answer: &Answer) {
        self.say(next(&answer.written())).await;
    }

    async fn fail(&self, errors: Value) {
        self.say(next(&json!({ "errors": errors }))).await;
        self.complete().await;
    }

    async fn complete(&self) {
        self.say(COMPLETE.to_owned()).await;
    }
}

impl Events {
    /// Waits until there is room. If nobody takes it any more, the stream is about to end.
    async fn say(&self, event: String) {
        let _ = self.out.send(event).await;
    }

    async fn end(&self, code: Code, message: &str) {
        self.fail(json!([refusal(code.as_str(), message)])).await;
    }
}
