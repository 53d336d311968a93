//! One operation of a live connection, from the parameters to its last answer: a query, a mutation or a subscription.
//!
//! How its answers travel, on a WebSocket or as server-sent events, is the business of its [`Hearer`].

use std::{sync::Arc, time::Duration};

use async_graphql::parser::types::OperationType;
use poem::{
    Request,
    http::{HeaderValue, StatusCode},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    asked::{Asked, Parameters, Unfit, Wishes},
    caller::Caller,
    endpoint::{Refused, refusal},
    execution::{Answer, Asker, Executor},
    viewer::{self, Pass},
};
use crate::{
    accounts::model::Identified,
    app::App,
    graphql::{errors::Code, visit::Visit},
    live::{NoSeat, Seat, graphql::Occasion, model::Happening},
    observe::Transport,
    sign_in::model::Origin,
};

/// So long is waited for a database that is away, again and again, before a subscription ends: about fifteen seconds in all.
const WAITS: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Whoever hears what an operation says. Each of these waits until there is room; if nobody listens any more, the connection
/// is about to end.
pub(super) trait Hearer: Sync {
    /// An answer.
    fn next(&self, answer: &Answer) -> impl Future<Output = ()> + Send;
    /// Errors that it ends with: it could not be carried out, or not any more.
    fn fail(&self, errors: Value) -> impl Future<Output = ()> + Send;
    /// It ends, and all is said.
    fn complete(&self) -> impl Future<Output = ()> + Send;
}

/// What an operation needs of its connection.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) executor: Executor,
    pub(super) pass: Pass,
    pub(super) origin: Origin,
    pub(super) request_id: Option<HeaderValue>,
    pub(super) wishes: Wishes,
    pub(super) caller: Arc<Caller>,
    /// Whether it may be a mutation.
    pub(super) may_change: bool,
    /// How its answers travel.
    pub(super) transport: Transport,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done, and the client knows.
    Done,
    /// The viewer's token or session is not good any more.
    PassIsOver,
    /// The server ends, and the subscription with it.
    ServerEnds,
}

/// What there is to say of an event.
enum Told {
    /// Nothing to her.
    Nothing,
    Answer(Answer),
    /// It is not for her any more.
    Failed(Answer),
    Refused(Refused),
    Ended(Outcome),
}

impl Operation {
    /// Carries it out to its end, for whoever shows the pass.
    pub(super) async fn run(&self, parameters: Parameters, hearer: &impl Hearer) -> Outcome {
        match self.viewer().await {
            Ok(Some(by)) => self.carry_out(parameters, by, hearer).await,
            Ok(None) => Outcome::PassIsOver,
            Err(refused) => refuse(&self.executor, hearer, &refused).await,
        }
    }

    /// As [`Operation::run`], where it is known already who that is.
    pub(super) async fn carry_out(&self, parameters: Parameters, by: Identified, hearer: &impl Hearer) -> Outcome {
        let asked = match Asked::read(parameters, self.wishes.clone(), &by.viewer, &self.executor.library).await {
            Ok(asked) => asked,
            Err(Unfit::Refused(refused)) => return refuse(&self.executor, hearer, &refused).await,
            Err(Unfit::Errors(answer)) => {
                self.executor.note_errors(&answer);
                return fail(hearer, &answer).await;
            }
        };
        match asked.kind {
            Some(OperationType::Subscription) => self.listen(asked, by, hearer).await,
            Some(OperationType::Mutation) if !self.may_change => {
                let message = "a mutation changes something: send it by POST";
                refuse(
                    &self.executor,
                    hearer,
                    &Refused::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, message),
                )
                .await
            }
            _ => self.answer(asked, &by, hearer).await,
        }
    }

    /// Answers once.
    async fn answer(&self, asked: Asked, by: &Identified, hearer: &impl Hearer) -> Outcome {
        match Box::pin(self.execute(asked, by, None)).await {
            Err(refused) => refuse(&self.executor, hearer, &refused).await,
            Ok(Some(answer)) if answer.not_executed => fail(hearer, &answer).await,
            Ok(answer) => {
                if let Some(answer) = answer {
                    hearer.next(&answer).await;
                }
                hearer.complete().await;
                Outcome::Done
            }
        }
    }

    /// Answers for each event, as long as the viewer may know of it.
    async fn listen(&self, asked: Asked, by: Identified, hearer: &impl Hearer) -> Outcome {
        let occasion = Occasion::subscribing();
        // What carries out a query is large while it runs. Most who listen wait most of the time, and hold no room for it.
        match Box::pin(self.execute(asked.clone(), &by, Some(Arc::clone(&occasion)))).await {
            Err(refused) => return refuse(&self.executor, hearer, &refused).await,
            Ok(Some(answer)) => return fail(hearer, &answer).await,
            Ok(None) => {}
        }
        drop(by);
        let live = &self.executor.app.live;
        let subscription = live.subscribe(occasion.topics()).await;
        loop {
            let happening = tokio::select! {
                next = subscription.next() => next,
                () = live.ended() => return Outcome::ServerEnds,
            };
            let Ok(happening) = happening else {
                let message = "more happened than you took: subscribe again, and read anew what you may have missed";
                return refuse(
                    &self.executor,
                    hearer,
                    &Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::SlowConsumer, message),
                )
                .await;
            };
            match Box::pin(self.tell(&asked, happening)).await {
                Told::Nothing => {}
                Told::Answer(answer) => hearer.next(&answer).await,
                Told::Failed(answer) => return fail(hearer, &answer).await,
                Told::Refused(refused) => return refuse(&self.executor, hearer, &refused).await,
                Told::Ended(outcome) => return outcome,
            }
        }
    }

    /// What there is to say of an event. A database that is away for a moment is waited for: an event would be lost otherwise,
    /// and everybody would subscribe again at once.
    async fn tell(&self, asked: &Asked, happening: Happening) -> Told {
        let mut waits = WAITS.into_iter();
        loop {
            let told = self.tell_now(asked, happening).await;
            let Some(wait) = waits.next().filter(|_| told.is_passing()) else { return told };
            tracing::warn!(?wait, "an event can't be told, since the database is away: trying again");
            tokio::select! {
                () = sleep(wait) => {}
                () = self.executor.app.live.ended() => return Told::Ended(Outcome::ServerEnds),
            }
        }
    }

    async fn tell_now(&self, asked: &Asked, happening: Happening) -> Told {
        let by = match self.viewer().await {
            Ok(Some(by)) => by,
            Ok(None) => return Told::Ended(Outcome::PassIsOver),
            Err(refused) => return Told::Refused(refused),
        };
        let occasion = Occasion::happened(happening);
        match self.execute(asked.clone(), &by, Some(Arc::clone(&occasion))).await {
            Err(refused) => Told::Refused(refused),
            Ok(None) => Told::Nothing,
            Ok(Some(answer)) if answer.retry_after.is_some() || !occasion.is_allowed() => Told::Failed(answer),
            Ok(Some(answer)) => Told::Answer(answer),
        }
    }

    /// Who the viewer is now; `None` if she has lost what she came with.
    pub(super) async fn viewer(&self) -> Result<Option<Identified>, Refused> {
        match viewer::identify(&self.executor.app, &self.pass, self.origin.network.as_deref()).await {
            Err(refused) if refused.status == StatusCode::UNAUTHORIZED => Ok(None),
            found => found,
        }
    }

    async fn execute(
        &self,
        asked: Asked,
        by: &Identified,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        let visit = Arc::new(Visit::without_cookies(self.origin.clone()));
        let request_id = self.request_id.as_ref();
        let who = Asker { by, visit: &visit, request_id, caller: &self.caller, transport: self.transport };
        self.executor.execute(asked, who, occasion).await
    }
}

impl Told {
    /// Whether trying again in a moment may help.
    fn is_passing(&self) -> bool {
        match self {
            Self::Answer(answer) | Self::Failed(answer) => answer.errors().iter().any(|error| {
                let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
                matches!(code, Some(async_graphql::Value::String(code)) if code == Code::Unavailable.as_str())
            }),
            Self::Refused(refused) => refused.status == StatusCode::SERVICE_UNAVAILABLE,
            Self::Nothing | Self::Ended(_) => false,
        }
    }
}

/// Ends an operation with the errors of an answer.
async fn fail(hearer: &impl Hearer, answer: &Answer) -> Outcome {
    hearer.fail(json!(answer.errors())).await;
    Outcome::Done
}

/// Ends an operation with one error.
pub(super) async fn refuse(executor: &Executor, hearer: &impl Hearer, refused: &Refused) -> Outcome {
    executor.note_refusal(refused);
    hearer.fail(json!([refusal(refused.code, &refused.message)])).await;
    Outcome::Done
}

/// A place for a live connection, if there is one.
pub(super) fn seat(app: &App, request: &Request) -> Result<Seat, Refused> {
    if app.live.is_ending() {
        return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "the server is shutting down"));
    }
    app.live.seat(viewer::address(app, request)).map_err(no_seat)
}

/// Tells why there is no place.
pub(super) fn no_seat(error: NoSeat) -> Refused {
    let status = match error {
        NoSeat::Full => StatusCode::SERVICE_UNAVAILABLE,
        NoSeat::Address | NoSeat::Viewer => StatusCode::TOO_MANY_REQUESTS,
    };
    Refused::new(status, Code::TooManyConnections, error.to_string())
}
