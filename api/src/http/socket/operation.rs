//! One operation on a connection: a query, a mutation or a subscription.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::parser::types::OperationType;
use poem::{
    http::{HeaderValue, StatusCode},
    web::websocket::Message,
};
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::mpsc::Sender, task::AbortHandle};

use super::protocol::ServerMessage;
use crate::{
    access::Viewer,
    graphql::visit::Visit,
    http::{
        asked::{Asked, Parameters, Unfit, Wishes},
        caller::Caller,
        endpoint::{Refused, refusal},
        execution::{Answer, Asker, Executor},
        viewer::{self, Pass},
    },
    live::graphql::Occasion,
    observe::Transport,
    sign_in::model::Origin,
};

/// What an operation needs of its connection.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) executor: Executor,
    pub(super) pass: Pass,
    pub(super) origin: Origin,
    pub(super) request_id: Option<HeaderValue>,
    pub(super) wishes: Wishes,
    pub(super) caller: Arc<Caller>,
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

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done, and the client knows.
    Done,
    /// The viewer's token or session is not good any more.
    PassIsOver,
}

impl Operation {
    /// Carries it out to its end.
    pub(super) async fn run(self, parameters: Parameters) -> Outcome {
        let viewer = match self.viewer().await {
            Ok(Some(viewer)) => viewer,
            Ok(None) => return Outcome::PassIsOver,
            Err(refused) => return self.refuse(&refused).await,
        };
        let asked = match Asked::read(parameters, self.wishes.clone(), &viewer, &self.executor.library).await {
            Ok(asked) => asked,
            Err(Unfit::Refused(refused)) => return self.refuse(&refused).await,
            Err(Unfit::Errors(answer)) => {
                self.executor.note_errors(&answer);
                return self.fail(&answer).await;
            }
        };
        if asked.kind == Some(OperationType::Subscription) {
            self.listen(asked, viewer).await
        } else {
            self.answer(asked, &viewer).await
        }
    }

    /// Answers once.
    async fn answer(&self, asked: Asked, viewer: &Viewer) -> Outcome {
        match self.execute(asked, viewer, None).await {
            Err(refused) => self.refuse(&refused).await,
            Ok(Some(answer)) if answer.not_executed => self.fail(&answer).await,
            Ok(answer) => {
                if let Some(answer) = answer {
                    self.say(&ServerMessage::Next { id: &self.id, payload: answer.written() }).await;
                }
                let complete: ServerMessage<'_, ()> = ServerMessage::Complete { id: &self.id };
                self.say_last(&complete).await;
                Outcome::Done
            }
        }
    }

    /// Answers for each event, as long as the viewer may know of it.
    async fn listen(&self, asked: Asked, viewer: Viewer) -> Outcome {
        let occasion = Occasion::subscribing();
        match self.execute(asked.clone(), &viewer, Some(Arc::clone(&occasion))).await {
            Err(refused) => return self.refuse(&refused).await,
            Ok(Some(answer)) => return self.fail(&answer).await,
            Ok(None) => {}
        }
        let live = &self.executor.app.live;
        let subscription = live.subscribe(occasion.topics()).await;
        loop {
            let happening = tokio::select! {
                next = subscription.next() => next,
                () = live.ended() => return Outcome::Done,
            };
            let Ok(happening) = happening else {
                let message = "more happened than you took: subscribe again, and read anew what you may have missed";
                return self.refuse(&Refused::new(StatusCode::TOO_MANY_REQUESTS, "SLOW_CONSUMER", message)).await;
            };
            let viewer = match self.viewer().await {
                Ok(Some(viewer)) => viewer,
                Ok(None) => return Outcome::PassIsOver,
                Err(refused) => return self.refuse(&refused).await,
            };
            let occasion = Occasion::happened(happening);
            match self.execute(asked.clone(), &viewer, Some(Arc::clone(&occasion))).await {
                Err(refused) => return self.refuse(&refused).await,
                Ok(None) => {}
                // It is not for her any more.
                Ok(Some(answer)) if answer.retry_after.is_some() || !occasion.is_allowed() => {
                    return self.fail(&answer).await;
                }
                Ok(Some(answer)) => {
                    self.say(&ServerMessage::Next { id: &self.id, payload: answer.written() }).await;
                }
            }
        }
    }

    /// Who the viewer is now; `None` if she has lost what she came with.
    async fn viewer(&self) -> Result<Option<Viewer>, Refused> {
        match viewer::identify(&self.executor.app, &self.pass, self.origin.network.as_deref()).await {
            Err(refused) if refused.status == StatusCode::UNAUTHORIZED => Ok(None),
            found => found,
        }
    }

    async fn execute(
        &self,
        asked: Asked,
        viewer: &Viewer,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        let visit = Arc::new(Visit::without_cookies(self.origin.clone()));
        let request_id = self.request_id.as_ref();
        let who = Asker { viewer, visit: &visit, request_id, caller: &self.caller, transport: Transport::WebSocket };
        self.executor.execute(asked, who, occasion).await
    }

    /// Ends it with the errors of an answer.
    async fn fail(&self, answer: &Answer) -> Outcome {
        self.say_last(&ServerMessage::Error { id: &self.id, payload: answer.errors() }).await;
        Outcome::Done
    }

    /// Ends it with one error.
    pub(super) async fn refuse(&self, refused: &Refused) -> Outcome {
        self.executor.note_refusal(refused);
        let errors: [Value; 1] = [refusal(refused.code, &refused.message)];
        self.say_last(&ServerMessage::Error { id: &self.id, payload: errors }).await;
        Outcome::Done
    }

    /// As [`Operation::say`]. A client who hears it may use the id again, so it is free by then.
    async fn say_last<P: Serialize>(&self, message: &ServerMessage<'_, P>) {
        self.running.lock().remove(&self.id);
        self.say(message).await;
    }

    /// Waits until there is room. If nobody sends any more, the connection is about to end.
    async fn say<P: Serialize>(&self, message: &ServerMessage<'_, P>) {
        let _ = self.out.send(message.written()).await;
    }
}
