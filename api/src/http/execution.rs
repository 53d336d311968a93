//! What is asked, from the text to the answer: the same for a request, and for an operation on a WebSocket, each of whose
//! events is an answer of its own.
//!
//! Invariant: an answer leaves only when what it looked at is in the access log.

use std::{sync::Arc, time::Instant};

use async_graphql::{Request as GraphQlRequest, Response, parser::types::OperationType};
use futures_util::StreamExt as _;
use poem::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::{asked::Asked, caller::Caller, endpoint::Refused};
use crate::{
    access::{Ledger, Redactions, Viewer},
    app::App,
    audit::reads,
    graphql::{Scope, StoaSchema, visit::Visit},
    live::graphql::Occasion,
    observe::{self, Transport, watch::Watch},
};

/// What comes of something that was carried out, or of what could not be.
pub(super) struct Answer {
    response: Response,
    /// Whether it failed before anything was carried out. Then there is no `data`.
    pub(super) not_executed: bool,
}

/// Who asks, for one answer.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) viewer: &'a Viewer,
    pub(super) visit: &'a Arc<Visit>,
    pub(super) request_id: Option<&'a HeaderValue>,
    /// Which program asks, as it says.
    pub(super) caller: &'a Caller,
    /// How it came.
    pub(super) transport: Transport,
}

/// Carries out what is asked.
#[derive(Clone)]
pub(super) struct Executor {
    schema: StoaSchema,
    pub(super) app: App,
}

impl Executor {
    pub(super) fn new(schema: StoaSchema, app: App) -> Self {
        Self { schema, app }
    }

    /// Carries it out once. With an occasion it is a subscription, and there is no answer where there is nothing to tell.
    pub(super) async fn execute(
        &self,
        asked: Asked,
        who: Asker<'_>,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        tracing::debug!(program = who.caller.name, version = who.caller.version, "asked");
        let (name, kind, text) = (asked.name().map(ToOwned::to_owned), asked.kind, Arc::clone(&asked.text));
        let operation = observe::Operation {
            name: name.as_deref(),
            kind: kind_name(kind),
            transport: who.transport,
            caller: who.caller.name.as_deref(),
        };
        let begun = Instant::now();
        let work = self.carry_out(asked, who, occasion);
        let (answer, watch) = Watch::operation(&self.app.observe, &operation, work).await;
        let time = begun.elapsed();
        if let Ok(Some(answer)) = &answer {
            self.app.observe.operation(&operation, time);
            self.note_errors(answer);
        }
        watch.log_if_slow(&operation, &text, time);
        answer
    }

    /// Counts the errors of an answer.
    pub(super) fn note_errors(&self, answer: &Answer) {
        for error in answer.errors() {
            if let Some(async_graphql::Value::String(code)) =
                error.extensions.as_ref().and_then(|extensions| extensions.get("code"))
            {
                self.app.observe.error(code);
            }
        }
    }

    /// Counts an error that is a whole answer; for whoever tells the client.
    pub(super) fn note_refusal(&self, refused: &Refused) {
        self.app.observe.error(refused.code);
    }

    async fn carry_out(
        &self,
        asked: Asked,
        who: Asker<'_>,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        let changes = asked.kind == Some(OperationType::Mutation);
        let redactions = Arc::new(Redactions::new(asked.wishes.denied_as_errors));
        let (ledger, lens) = (Ledger::default(), asked.wishes.lens);
        // The document is parsed already.
        let mut query = GraphQlRequest::new(String::new())
            .variables(asked.variables)
            .data(Scope::new(self.app.clone(), who.viewer.clone(), lens, ledger.clone()))
            .data(Arc::clone(who.visit))
            .data(Arc::clone(&redactions));
        if let Some(name) = asked.operation_name {
            query = query.operation_name(name);
        }
        query.set_parsed_query(asked.document);
        let response = match occasion {
            None => Some(self.schema.execute(query).await),
            Some(occasion) => self.schema.execute_stream(query.data(occasion)).next().await,
        };
        // What was looked at is in the log before the answer leaves, or the answer does not leave.
        let looks = reads(who.viewer, who.request_id.and_then(|id| id.to_str().ok()), ledger.take());
        if let Err(error) = self.app.audit.record(looks).await {
            tracing::error!(%error, "the access log could not be written");
            let message = if changes {
                "it was done, but the access log can't be written, and without it nothing is shown"
            } else {
                "the access log can't be written, and without it nothing is shown: try again in a moment"
            };
            return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message));
        }
        let Some(mut response) = response else { return Ok(None) };
        // Before execution there is no path: what fails there fails as a whole, and has no `data`.
        let not_executed = response.data == async_graphql::Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        for error in response.errors.iter_mut().filter(|error| error.extensions.is_none()) {
            let code = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
            error.extensions.get_or_insert_default().set("code", code);
        }
        if let Some(lens) = lens {
            response.extensions.insert("seenAs".to_owned(), lens.relation.as_str().into());
        }
        if let Some(redactions) = redactions.to_value() {
            response.extensions.insert("redactions".to_owned(), redactions);
        }
        Ok(Some(Answer { response, not_executed }))
    }
}

/// What an operation does, as figures and logs say it.
fn kind_name(kind: Option<OperationType>) -> &'static str {
    match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => "subscription",
        None => "unknown",
    }
}

impl Answer {
    /// One that is an error, found before anything was carried out.
    pub(super) fn failed(error: async_graphql::ServerError) -> Self {
        Self { response: Response::from_errors(vec![error]), not_executed: true }
    }

    /// The answer in the order in which people read it.
    pub(super) fn written(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Written<'a> {
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [async_graphql::ServerError],
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a async_graphql::Value>,
            #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
            extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
        }
        Written {
            errors: &self.response.errors,
            data: (!self.not_executed).then_some(&self.response.data),
            extensions: &self.response.extensions,
        }
    }

    /// Its errors alone.
    pub(super) fn errors(&self) -> &[async_graphql::ServerError] {
        &self.response.errors
    }
}
