//! What is asked, from the text to the answer: the same for a request, and for an operation on a WebSocket, each of whose
//! events is an answer of its own.
//!
//! Invariant: an answer leaves only when what it looked at is in the access log.

use std::{sync::Arc, time::Instant};

use async_graphql::{Request as GraphQlRequest, Response, parser::types::OperationType};
use futures_util::StreamExt as _;
use poem::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::{
    asked::{Asked, operation},
    budget::Budgets,
    caller::Caller,
    deadline::Deadline,
    documents::{Document, Library},
    endpoint::Refused,
    request_id,
    shed::Shed,
};
use crate::{
    access::{Ledger, Redactions},
    accounts::model::Identified,
    app::App,
    audit::reads,
    graphql::{Scope, StoaSchema, deprecations, errors::Code, index::index, json, unmerged::Unmerged, visit::Visit},
    live::graphql::Occasion,
    observe::{self, Transport, watch::Watch},
};

/// What comes of something that was carried out, or of what could not be.
pub(super) struct Answer {
    pub(super) response: Response,
    /// Whether it failed before anything was carried out. Then there is no `data`.
    pub(super) not_executed: bool,
    /// Whether anybody would get this answer, and it looks at nobody: the answer to a query of nobody's, whole, with nothing
    /// that is hidden from her and no row in the access log.
    pub(super) is_public: bool,
    /// In how many seconds it may be tried again, if the budget is used up.
    pub(super) retry_after: Option<u64>,
}

/// Who asks, for one answer.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) by: &'a Identified,
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
    pub(super) library: Library,
    pub(super) budgets: Arc<Budgets>,
    pub(super) shed: Shed,
}

impl Executor {
    pub(super) fn new(schema: StoaSchema, app: App) -> Self {
        let library = Library::new(&app);
        let (budgets, shed) = (Arc::new(Budgets::new(&app.limits)), Shed::new(&app.limits));
        Self { schema, app, library, budgets, shed }
    }

    /// Carries it out once. With an occasion it is a subscription, and there is no answer where there is nothing to tell.
    pub(super) async fn execute(
        &self,
        asked: Asked,
        who: Asker<'_>,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        let trusted = asked.document.trusted;
        tracing::debug!(program = who.caller.name, version = who.caller.version, trusted, "asked");
        let (name, kind, text) = (asked.name().map(ToOwned::to_owned), asked.kind, Arc::clone(&asked.document.text));
        let operation = observe::Operation {
            name: name.as_deref(),
            kind: kind_name(kind),
            transport: who.transport,
            caller: who.caller.name.as_deref(),
        };
        let begun = Instant::now();
        // What carries out a query is large: it is made on the heap, and what is around it stays small.
        let work = Box::pin(self.carry_out(asked, who, occasion));
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
                self.note(code);
            }
        }
    }

    /// Counts an error that is a whole answer; for whoever tells the client.
    pub(super) fn note_refusal(&self, refused: &Refused) {
        self.note(refused.code);
    }

    fn note(&self, code: &str) {
        let observe = &self.app.observe;
        observe.error(code);
        if [Code::LimitExceeded, Code::QueryTooExpensive, Code::BudgetExhausted]
            .iter()
            .any(|held| held.as_str() == code)
        {
            observe.refused(code);
        } else if code == Code::Overloaded.as_str() {
            observe.shed();
        }
    }

    async fn carry_out(
        &self,
        asked: Asked,
        who: Asker<'_>,
        occasion: Option<Arc<Occasion>>,
    ) -> Result<Option<Answer>, Refused> {
        let charge = match self.charge(&asked, who) {
            Ok(charge) => charge,
            Err(answer) => return Ok(Some(*answer)),
        };
        let place = match &occasion {
            None => self.shed.place(charge.holder.clone()).await,
            Some(_) => self.shed.place_for_event(charge.holder.clone()).await,
        };
        let place = place.inspect_err(|_| {
            self.budgets.give_back(&charge.holder, who.caller.name.as_deref(), charge.cost);
        })?;
        let changes = asked.kind == Some(OperationType::Mutation);
        let redactions = Arc::new(Redactions::new(asked.wishes.denied_as_errors));
        let (ledger, lens) = (Ledger::default(), asked.wishes.lens);
        // Once for an operation, not for each event of a subscription.
        let is_first = occasion.as_ref().is_none_or(|occasion| !occasion.has_happened());
        let advised_against = match operation(&asked.document.parsed, asked.operation_name.as_deref()) {
            Some(operation) if is_first => deprecations::used(index(), &asked.document.parsed, operation),
            _ => Vec::new(),
        };
        // The document is parsed already.
        let mut query = GraphQlRequest::new(String::new())
            .variables(asked.variables)
            .data(Scope::new(self.app.clone(), who.by, lens, ledger.clone()))
            .data(Arc::clone(who.visit))
            .data(Arc::clone(&redactions));
        if let Some(name) = asked.operation_name {
            query = query.operation_name(name);
        }
        // Events of live operations are put into messages, which take values.
        if asked.document.unmerged && who.transport == Transport::Http {
            query = query.data(Unmerged);
        }
        // The executor takes it apart, so one that is kept is copied.
        let (parsed, document) = Document::to_execute(asked.document);
        query.set_parsed_query(parsed);
        let deadline = Deadline::new(&self.app.limits, changes);
        let execution = Box::pin(async {
            match occasion {
                None => Some(Box::pin(self.schema.execute(query)).await),
                Some(occasion) => self.schema.execute_stream(query.data(occasion)).next().await,
            }
        });
        let response = deadline.within(execution).await?;
        drop(place);
        // What was looked at is in the log before the answer leaves, or the answer does not leave.
        let looks = reads(&who.by.viewer, who.request_id.and_then(|id| id.to_str().ok()), ledger.take());
        let mut is_public = who.by.viewer.id().is_none()
            && asked.kind == Some(OperationType::Query)
            && looks.is_empty()
            && lens.is_none();
        if let Err(error) = deadline.within(self.app.audit.record(looks)).await? {
            tracing::error!(%error, "the access log could not be written");
            let message = if changes {
                "it was done, but the access log can't be written, and without it nothing is shown"
            } else {
                "the access log can't be written, and without it nothing is shown: try again in a moment"
            };
            return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message));
        }
        let not_executed = response.as_ref().is_some_and(was_not_executed);
        if !not_executed {
            self.library.keep(document);
            for advice in &advised_against {
                self.app.observe.deprecated(&advice.path, who.caller.name.as_deref());
            }
        }
        let Some(mut response) = response else { return Ok(None) };
        for error in response.errors.iter_mut().filter(|error| error.extensions.is_none()) {
            let code = if error.path.is_empty() { Code::GraphqlValidationFailed } else { Code::BadUserInput };
            error.extensions.get_or_insert_default().set("code", code.as_str());
        }
        request_id::tell(response.errors.iter_mut().filter(|error| not_executed || is_ours(error)), who.request_id);
        if !advised_against.is_empty() && !not_executed {
            let advice = advised_against.iter().map(|advice| advice.to_value()).collect();
            response.extensions.insert("deprecations".to_owned(), async_graphql::Value::List(advice));
        }
        if let Some(lens) = lens {
            response.extensions.insert("seenAs".to_owned(), lens.relation.as_str().into());
        }
        if let Some(redactions) = redactions.to_value() {
            response.extensions.insert("redactions".to_owned(), redactions);
            is_public = false;
        }
        if asked.wishes.cost.unwrap_or(who.by.viewer.id().is_some()) {
            let told = self.told(charge.cost, charge.level);
            response.extensions.insert("cost".to_owned(), told);
            is_public = false;
        }
        is_public &= response.errors.is_empty();
        Ok(Some(Answer { response, not_executed, is_public, retry_after: None }))
    }
}

/// Before execution there is no path: what fails there fails as a whole, and has no `data`.
fn was_not_executed(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether the cause is on the server's side, and so in the log.
fn is_ours(error: &async_graphql::ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    [Code::Internal, Code::Unavailable].iter().any(|ours| code == Some(&ours.as_str().into()))
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
    pub(super) fn failed(mut error: async_graphql::ServerError) -> Self {
        request_id::tell(std::iter::once(&mut error), None);
        Self { response: Response::from_errors(vec![error]), not_executed: true, is_public: false, retry_after: None }
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

    /// The same as JSON, with what was written straight into it.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4_096);
        out.push(b'{');
        let key = |out: &mut Vec<u8>, key: &[u8]| {
            out.extend_from_slice(if out.len() > 1 { b",\"" } else { b"\"" });
            out.extend_from_slice(key);
            out.extend_from_slice(b"\":");
        };
        if !self.response.errors.is_empty() {
            key(&mut out, b"errors");
            json::serialize(&mut out, &self.response.errors);
        }
        if !self.not_executed {
            key(&mut out, b"data");
            json::write(&mut out, &self.response.data);
        }
        if !self.response.extensions.is_empty() {
            key(&mut out, b"extensions");
            json::serialize(&mut out, &self.response.extensions);
        }
        out.push(b'}');
        out
    }

    /// Its errors alone.
    pub(super) fn errors(&self) -> &[async_graphql::ServerError] {
        &self.response.errors
    }
}
