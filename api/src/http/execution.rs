//! What is asked, from the text to the answer: the same for a request, and for an operation on a WebSocket, each of whose
//! events is an answer of its own.
//!
//! Invariant: an answer leaves only when what it looked at is in the access log.

use std::sync::Arc;

use async_graphql::{
    Request as GraphQlRequest, Response, Variables,
    parser::{
        parse_query,
        types::{
            DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, VariableDefinition,
        },
    },
};
use futures_util::StreamExt as _;
use poem::http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::endpoint::Refused;
use crate::{
    access::{Ledger, Redactions, Relation, Viewer},
    accounts::loaders::Lens,
    app::App,
    audit::reads,
    graphql::{Scope, StoaSchema, node::course_id, visit::Visit},
    live::graphql::Occasion,
};

/// Says how denied fields are told: `list` or `errors`.
pub(super) const DENIED_FIELDS: &str = "stoa-denied-fields";
/// Says with whose eyes a learner looks at herself.
pub(super) const SEEN_AS: &str = "stoa-seen-as";

/// The parameters of a request, as a body or as a query string has them, or a message on a WebSocket.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Option<serde_json::Map<String, serde_json::Value>>,
    // Accepted, so that a client which sends it is served; nothing here uses it.
    #[serde(rename = "extensions")]
    pub(super) _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// How somebody wants to be answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// Whether denied fields are to be errors at their places, and not one list in `extensions`.
    pub(super) denied_as_errors: bool,
    lens: Option<Lens>,
}

impl Wishes {
    /// As two headers say it, or the same names beside a token on a WebSocket.
    pub(super) fn read(denied_fields: Option<&[u8]>, seen_as: Option<&[u8]>) -> Result<Self, Refused> {
        let denied_as_errors = match denied_fields {
            None | Some(b"list") => false,
            Some(b"errors") => true,
            Some(_) => {
                return Err(Refused::bad_request(format!("the header {DENIED_FIELDS} is `list` or `errors`")));
            }
        };
        Ok(Self { denied_as_errors, lens: seen_as.map(lens).transpose()? })
    }
}

/// Something that can be carried out, as often as is needed.
#[derive(Clone)]
pub(super) struct Asked {
    document: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
    wishes: Wishes,
    /// What it does; `None` if it is not clear which operation is meant.
    pub(super) kind: Option<OperationType>,
}

/// Why something can't be carried out.
pub(super) enum Unfit {
    /// It is no GraphQL request.
    Refused(Refused),
    /// It is one that can't be carried out.
    Errors(Box<Answer>),
}

impl From<Refused> for Unfit {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

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

impl Asked {
    /// What the parameters ask for, if it can be carried out.
    pub(super) fn read(parameters: Parameters, wishes: Wishes, viewer: &Viewer) -> Result<Self, Unfit> {
        let document = parse_query(&parameters.query).map_err(|error| Unfit::Errors(Box::new(unparsable(error))))?;
        let operation = operation(&document, parameters.operation_name.as_deref());
        let kind = operation.map(|operation| operation.ty);
        if let Some(variable) =
            operation.and_then(|operation| missing_variable(operation, parameters.variables.as_ref()))
        {
            let message = format!("the variable ${} of type {} is missing", variable.name.node, variable.var_type.node);
            let mut error = async_graphql::ServerError::new(message, Some(variable.name.pos));
            error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
            return Err(Unfit::Errors(Box::new(Answer::failed(error))));
        }
        if let Some(operation) = operation.filter(|operation| operation.ty == OperationType::Subscription) {
            one_event(operation)?;
        }
        if wishes.lens.is_some() {
            if viewer.id().is_none() {
                return Err(Refused::bad_request(format!("with {SEEN_AS} you look at yourself: sign in first")).into());
            }
            if kind.is_some_and(|kind| kind != OperationType::Query) {
                let message = format!("{SEEN_AS} is for looking: send no mutation or subscription with it");
                return Err(Refused::bad_request(message).into());
            }
        }
        let variables = serde_json::Value::Object(parameters.variables.unwrap_or_default());
        if has_nul(&variables) || parameters.query.contains('\0') || parameters.query.contains("\\u0000") {
            return Err(Refused::bad_request("texts may not contain the character U+0000").into());
        }
        let variables = Variables::from_json(variables);
        Ok(Self { document, operation_name: parameters.operation_name, variables, wishes, kind })
    }
}

impl Answer {
    /// One that is an error, found before anything was carried out.
    fn failed(error: async_graphql::ServerError) -> Self {
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

/// The answer to a document that is not GraphQL. The parser draws the place; the locations tell it too.
fn unparsable(error: async_graphql::parser::Error) -> Answer {
    let mut error = async_graphql::ServerError::from(error);
    if let Some((_, expectation)) = error.message.rsplit_once("= ") {
        error.message = format!("the document can't be parsed: {}", expectation.trim());
    }
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_PARSE_FAILED");
    Answer::failed(error)
}

/// The operation that would run, if it is clear which.
fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(operation) => Some(&operation.node),
        DocumentOperations::Multiple(operations) => operations.get(name?).map(|operation| &operation.node),
    }
}

/// A subscription has one field, so that each of its answers is about one event. The executor would take several, and
/// none out of a fragment.
fn one_event(operation: &OperationDefinition) -> Result<(), Unfit> {
    let selections = &operation.selection_set.node.items;
    let fields = selections.iter().filter(|selection| match &selection.node {
        Selection::Field(field) => !field.node.name.node.starts_with("__") && field.node.directives.is_empty(),
        _ => false,
    });
    if selections.len() == 1 && fields.count() == 1 {
        return Ok(());
    }
    let message =
        "a subscription selects exactly one field: no other beside it, no fragment around it, no @skip or @include";
    let mut error = async_graphql::ServerError::new(message, Some(operation.selection_set.pos));
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_VALIDATION_FAILED");
    Err(Unfit::Errors(Box::new(Answer::failed(error))))
}

/// With whose eyes a learner wants to look at herself: `STAFF` or `CLASSMATE`, and the global id of a course.
fn lens(value: &[u8]) -> Result<Lens, Refused> {
    let wrong = || {
        Refused::bad_request(format!(
            "the header {SEEN_AS} is `STAFF` or `CLASSMATE`, a space, and the global id of a course"
        ))
    };
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
    let (relation, course) = text.and_then(|value| value.split_once(' ')).ok_or_else(wrong)?;
    let Ok(relation @ (Relation::Staff | Relation::Classmate)) = relation.parse() else { return Err(wrong()) };
    let course = course_id(&course.trim().into()).map_err(|_| wrong())?;
    Ok(Lens { relation, course })
}

/// A variable that the operation needs and the request lacks. The executor would find it out field by
/// field, when half of the answer is there.
fn missing_variable<'a>(
    operation: &'a OperationDefinition,
    variables: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Option<&'a VariableDefinition> {
    let given = |name: &str| variables.and_then(|variables| variables.get(name)).is_some_and(|value| !value.is_null());
    operation.variable_definitions.iter().map(|definition| &definition.node).find(|variable| {
        !variable.var_type.node.nullable && variable.default_value.is_none() && !given(&variable.name.node)
    })
}

/// Whether there is a NUL in a text: PostgreSQL can't store one, and nobody types one.
fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(has_nul),
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
