//! `/graphql`: GraphQL over HTTP on a handler of our own.
//!
//! The stock endpoint answers 200 to documents that don't parse, lets GET run mutations, and takes forms
//! and files from anybody's page. This one follows the specification of GraphQL over HTTP: GET and POST,
//! `application/graphql-response+json` with status codes of its own, and the older `application/json`.

use std::sync::Arc;

use async_graphql::{
    Request as GraphQlRequest, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, VariableDefinition},
    },
};
use poem::{
    Endpoint, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde::Deserialize;

use super::viewer;
use crate::{
    access::{Ledger, Redactions, Relation, Viewer},
    accounts::loaders::Lens,
    app::App,
    audit::reads,
    graphql::{Scope, StoaSchema, node::course_id, visit::Visit},
};

/// Says how denied fields are told: `list` or `errors`.
const DENIED_FIELDS: &str = "stoa-denied-fields";
/// Says with whose eyes a learner looks at herself.
const SEEN_AS: &str = "stoa-seen-as";
/// The largest request body, in bytes.
const MAX_BODY: usize = 1 << 20;

pub(super) struct GraphQl {
    schema: StoaSchema,
    app: App,
}

/// The parameters of a request, as a body or as a query string has them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    // Accepted, so that a client which sends it is served; nothing here uses it.
    #[serde(rename = "extensions")]
    _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// In which media type the answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// `application/graphql-response+json`: the status tells whether the request was carried out.
    GraphQl,
    /// `application/json`: the status tells only whether it was a GraphQL request.
    Json,
}

/// A request that is not carried out.
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }
}

impl GraphQl {
    pub(super) fn new(schema: StoaSchema, app: App) -> Self {
        Self { schema, app }
    }

    async fn answer(&self, mut request: Request) -> Response {
        let wanted = match wanted(&request) {
            Ok(wanted) => wanted,
            Err(refused) => return refused.into_response(Wanted::Json),
        };
        match self.carry_out(&mut request, wanted).await {
            Ok(response) => response,
            Err(refused) => refused.into_response(wanted),
        }
    }

    async fn carry_out(&self, request: &mut Request, wanted: Wanted) -> Result<Response, Refused> {
        let (viewer, visit) = viewer::viewer(&self.app, request).await?;
        let mut response = match self.execute(request, wanted, viewer, &visit).await {
            Ok(response) => response,
            Err(refused) => refused.into_response(wanted),
        };
        for cookie in visit.cookies() {
            if let Ok(value) = header::HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        Ok(response)
    }

    async fn execute(
        &self,
        request: &mut Request,
        wanted: Wanted,
        viewer: Viewer,
        visit: &Arc<Visit>,
    ) -> Result<Response, Refused> {
        let by_get = request.method() == Method::GET;
        let parameters = parameters(request).await?;
        let document = match parse_query(&parameters.query) {
            Ok(document) => document,
            Err(error) => return Ok(written(&unparsable(error), wanted, true)),
        };
        let operation = operation(&document, parameters.operation_name.as_deref());
        let changes = operation.is_some_and(|operation| operation.ty == OperationType::Mutation);
        if by_get && changes {
            return Err(Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "a mutation changes something: send it by POST",
            ));
        }

        if let Some(variable) =
            operation.and_then(|operation| missing_variable(operation, parameters.variables.as_ref()))
        {
            let message = format!("the variable ${} of type {} is missing", variable.name.node, variable.var_type.node);
            let mut error = async_graphql::ServerError::new(message, Some(variable.name.pos));
            error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
            return Ok(written(&async_graphql::Response::from_errors(vec![error]), wanted, true));
        }

        let redactions = Arc::new(Redactions::new(wants_errors(request)?));
        let lens = lens(request, &viewer, operation)?;
        let ledger = Ledger::default();
        let variables = serde_json::Value::Object(parameters.variables.unwrap_or_default());
        if has_nul(&variables) || parameters.query.contains('\0') || parameters.query.contains("\\u0000") {
            return Err(Refused::bad_request("texts may not contain the character U+0000"));
        }
        let mut query = GraphQlRequest::new(parameters.query)
            .variables(Variables::from_json(variables))
            .data(Scope::new(self.app.clone(), viewer.clone(), lens, ledger.clone()))
            .data(Arc::clone(visit))
            .data(Arc::clone(&redactions));
        if let Some(name) = parameters.operation_name {
            query = query.operation_name(name);
        }
        query.set_parsed_query(document);
        let mut response = self.schema.execute(query).await;
        // What was looked at is in the log before the answer leaves, or the answer does not leave.
        let looks = reads(&viewer, request.header(&super::REQUEST_ID), ledger.take());
        if let Err(error) = self.app.audit.record(looks).await {
            tracing::error!(%error, "the access log could not be written");
            let message = if changes {
                "it was done, but the access log can't be written, and without it nothing is shown"
            } else {
                "the access log can't be written, and without it nothing is shown: try again in a moment"
            };
            return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message));
        }
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
        Ok(written(&response, wanted, not_executed))
    }
}

impl Endpoint for GraphQl {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = self.answer(request).await;
        // An answer is for whoever asked, now: kept somewhere, it would be shown to others, and unlogged.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

async fn parameters(request: &mut Request) -> Result<Parameters, Refused> {
    match *request.method() {
        Method::GET => parameters_of_query(request.uri().query().unwrap_or_default()),
        Method::POST => {
            let media_type = request.content_type().unwrap_or_default();
            let mut parts = media_type.split(';').map(str::trim);
            // A page of somebody else's can send forms and plain text without asking; JSON it can't.
            if !parts.next().unwrap_or_default().eq_ignore_ascii_case("application/json") {
                return Err(Refused::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "UNSUPPORTED_MEDIA_TYPE",
                    "send the query as JSON, with `Content-Type: application/json`",
                ));
            }
            let utf8 =
                |charset: &str| matches!(charset.trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8");
            if parts.filter_map(|part| part.strip_prefix("charset=")).any(|charset| !utf8(charset)) {
                return Err(Refused::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "UNSUPPORTED_MEDIA_TYPE",
                    "send the JSON in UTF-8",
                ));
            }
            let body = request.take_body().into_bytes_limit(MAX_BODY).await.map_err(|error| match error {
                poem::error::ReadBodyError::PayloadTooLarge => Refused::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "PAYLOAD_TOO_LARGE",
                    format!("a request has at most {MAX_BODY} bytes"),
                ),
                _ => Refused::bad_request("the body broke off"),
            })?;
            serde_json::from_slice(&body).map_err(|error| {
                Refused::bad_request(format!(
                    "the body must be a JSON object with `query` and, if needed, `variables` and `operationName`: {error}"
                ))
            })
        }
        _ => Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "send queries by GET or POST")),
    }
}

fn parameters_of_query(query: &str) -> Result<Parameters, Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Texts {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let object = |name: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty())
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Refused::bad_request(format!("`{name}` must be a JSON object: {error}")))
    };
    let texts: Texts = serde_urlencoded::from_str(query)
        .map_err(|error| Refused::bad_request(format!("the address's parameters can't be read: {error}")))?;
    Ok(Parameters {
        query: texts.query.ok_or_else(|| Refused::bad_request("the parameter `query` is missing"))?,
        operation_name: texts.operation_name.filter(|name| !name.is_empty()),
        variables: object("variables", texts.variables)?.flatten(),
        _extensions: object("extensions", texts.extensions)?.flatten(),
    })
}

/// The answer to a document that is not GraphQL. The parser draws the place; the locations tell it too.
fn unparsable(error: async_graphql::parser::Error) -> async_graphql::Response {
    let mut error = async_graphql::ServerError::from(error);
    if let Some((_, expectation)) = error.message.rsplit_once("= ") {
        error.message = format!("the document can't be parsed: {}", expectation.trim());
    }
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_PARSE_FAILED");
    async_graphql::Response::from_errors(vec![error])
}

/// The operation that would run, if it is clear which.
fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(operation) => Some(&operation.node),
        DocumentOperations::Multiple(operations) => operations.get(name?).map(|operation| &operation.node),
    }
}

/// Whether denied fields are to be errors at their places, and not one list in `extensions`.
fn wants_errors(request: &Request) -> Result<bool, Refused> {
    match request.headers().get(DENIED_FIELDS).map(HeaderValue::as_bytes) {
        None | Some(b"list") => Ok(false),
        Some(b"errors") => Ok(true),
        Some(_) => Err(Refused::bad_request(format!("the header {DENIED_FIELDS} is `list` or `errors`"))),
    }
}

/// With whose eyes a learner wants to look at herself: `STAFF` or `CLASSMATE`, and the global id of a course.
fn lens(request: &Request, viewer: &Viewer, operation: Option<&OperationDefinition>) -> Result<Option<Lens>, Refused> {
    let Some(value) = request.headers().get(SEEN_AS) else { return Ok(None) };
    let wrong = || {
        Refused::bad_request(format!(
            "the header {SEEN_AS} is `STAFF` or `CLASSMATE`, a space, and the global id of a course"
        ))
    };
    let (relation, course) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(wrong)?;
    let Ok(relation @ (Relation::Staff | Relation::Classmate)) = relation.parse() else { return Err(wrong()) };
    let course = course_id(&course.trim().into()).map_err(|_| wrong())?;
    if viewer.id().is_none() {
        return Err(Refused::bad_request(format!("with {SEEN_AS} you look at yourself: sign in first")));
    }
    if operation.is_some_and(|operation| operation.ty != OperationType::Query) {
        return Err(Refused::bad_request(format!("{SEEN_AS} is for looking: send no mutation with it")));
    }
    Ok(Some(Lens { relation, course }))
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

fn wanted(request: &Request) -> Result<Wanted, Refused> {
    let Some(accept) = request.headers().get(header::ACCEPT) else { return Ok(Wanted::Json) };
    let accept = accept.to_str().unwrap_or_default().to_ascii_lowercase();
    let ranges: Vec<_> = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim()).collect();
    let has = |range| ranges.contains(&range);
    if has("application/graphql-response+json") {
        Ok(Wanted::GraphQl)
    } else if accept.trim().is_empty() || has("application/json") || has("application/*") || has("*/*") {
        Ok(Wanted::Json)
    } else {
        Err(Refused::new(
            StatusCode::NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "answers come as application/graphql-response+json or application/json",
        ))
    }
}

impl Refused {
    fn into_response(self, wanted: Wanted) -> Response {
        let mut response = problem(self.status, self.code, &self.message);
        if wanted == Wanted::GraphQl {
            let value = header::HeaderValue::from_static(media_type(wanted));
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// An answer that is one error.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    super::plain(status, "application/json; charset=utf-8", body.to_string())
}

fn media_type(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::GraphQl => "application/graphql-response+json; charset=utf-8",
        Wanted::Json => "application/json; charset=utf-8",
    }
}

fn written(response: &async_graphql::Response, wanted: Wanted, not_executed: bool) -> Response {
    /// The answer in the order in which people read it.
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'a [async_graphql::ServerError],
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a async_graphql::Value>,
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
    }
    let answer = Answer {
        errors: &response.errors,
        data: (!not_executed).then_some(&response.data),
        extensions: &response.extensions,
    };
    let status = if not_executed && wanted == Wanted::GraphQl { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    match serde_json::to_vec(&answer) {
        Ok(body) => super::plain(status, media_type(wanted), body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
        }
    }
}
