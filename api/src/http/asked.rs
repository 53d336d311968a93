//! What is asked, before anything is carried out: read from a request's parameters, and refused where it can't be carried out.

use std::sync::Arc;

use async_graphql::{
    Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, VariableDefinition,
    },
};
use serde::Deserialize;

use super::{
    documents::{Document, Library},
    endpoint::Refused,
    execution::Answer,
};
use crate::{
    access::{Relation, Viewer},
    accounts::loaders::Lens,
    graphql::{limits, node::course_id},
};

/// Says how denied fields are told: `list` or `errors`.
pub(super) const DENIED_FIELDS: &str = "stoa-denied-fields";
/// Says whether the answer is to tell what it cost: `include` or `omit`.
pub(super) const COST: &str = "stoa-cost";
/// Says with whose eyes a learner looks at herself.
pub(super) const SEEN_AS: &str = "stoa-seen-as";

/// The parameters of a request, as a body or as a query string has them, or a message on a WebSocket.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    /// The document's text.
    pub(super) query: Option<String>,
    /// The id of a document that is known here. Relay's examples call it `doc_id`.
    #[serde(alias = "doc_id")]
    pub(super) document_id: Option<String>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Option<serde_json::Map<String, serde_json::Value>>,
    /// What clients add; `persistedQuery` is read.
    pub(super) extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// How somebody wants to be answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// Whether denied fields are to be errors at their places, and not one list in `extensions`.
    pub(super) denied_as_errors: bool,
    pub(super) lens: Option<Lens>,
    /// Whether the answer is to tell what it cost; if it was not said, those who have signed in are told.
    pub(super) cost: Option<bool>,
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
        Ok(Self { denied_as_errors, lens: seen_as.map(lens).transpose()?, cost: None })
    }

    /// And whether it is to be told what the answer cost.
    pub(super) fn with_cost(self, cost: Option<&[u8]>) -> Result<Self, Refused> {
        let cost = match cost {
            None => None,
            Some(b"include") => Some(true),
            Some(b"omit") => Some(false),
            Some(_) => return Err(Refused::bad_request(format!("the header {COST} is `include` or `omit`"))),
        };
        Ok(Self { cost, ..self })
    }
}

/// Reads the two headers, for fuzzers.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_wishes(bytes: &[u8]) {
    if let Ok(wishes) = Wishes::read(None, Some(bytes)) {
        assert!(wishes.lens.is_some());
    }
    if let Ok(wishes) = Wishes::read(Some(bytes), None) {
        assert_eq!(wishes.denied_as_errors, bytes == b"errors");
    }
}

/// Something that can be carried out, as often as is needed.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) document: Arc<Document>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) wishes: Wishes,
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

/// The refusal of what is beyond a limit.
#[expect(clippy::boxed_local, reason = "it comes boxed")]
pub(super) fn beyond(error: Box<async_graphql::ServerError>) -> Unfit {
    Unfit::Errors(Box::new(Answer::failed(*error)))
}

impl Asked {
    /// What the parameters ask for, if it can be carried out.
    pub(super) async fn read(
        parameters: Parameters,
        wishes: Wishes,
        viewer: &Viewer,
        library: &Library,
    ) -> Result<Self, Unfit> {
        if let Some(variables) = &parameters.variables {
            limits::check_variables(variables, library.limits()).map_err(beyond)?;
        }
        let document = library.find(&parameters).await?;
        let operation = operation(&document.parsed, parameters.operation_name.as_deref());
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
        if has_nul(&variables) {
            return Err(Refused::bad_request("texts may not contain the character U+0000").into());
        }
        let variables = Variables::from_json(variables);
        Ok(Self { document, operation_name: parameters.operation_name, variables, wishes, kind })
    }
}

impl Asked {
    /// The name of the operation that would run, if it is clear which, and if it has one.
    pub(super) fn name(&self) -> Option<&str> {
        match (&self.document.parsed.operations, &self.operation_name) {
            (DocumentOperations::Single(_), _) => None,
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get_key_value(name.as_str()).map(|(name, _)| name.as_str())
            }
            (DocumentOperations::Multiple(operations), None) => {
                operations.keys().next().filter(|_| operations.len() == 1).map(async_graphql::Name::as_str)
            }
        }
    }
}

/// The operation that would run, if it is clear which. `Single` is what has no name; one with a name is of several, and
/// runs without being called by it, too.
pub(super) fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

/// A subscription has one field, so that each of its answers is about one event. The executor would take several, and
/// none out of a fragment.
pub(super) fn one_event(operation: &OperationDefinition) -> Result<(), Unfit> {
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
