//! `/graphql`: GraphQL over HTTP on a handler of our own.
//!
//! The stock endpoint answers 200 to documents that don't parse, lets GET run mutations, and takes forms
//! and files from anybody's page. This one follows the specification of GraphQL over HTTP: GET and POST,
//! `application/graphql-response+json` with status codes of its own, and the older `application/json`.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use poem::{
    Endpoint, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde::Deserialize;

use super::{
    asked::{Asked, DENIED_FIELDS, Parameters, SEEN_AS, Unfit, Wishes},
    caller::Caller,
    execution::{Answer, Asker, Executor},
    socket, sse, viewer,
};
use crate::{
    access::Viewer,
    app::App,
    graphql::{StoaSchema, visit::Visit},
};

pub(super) struct GraphQl {
    executor: Executor,
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
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }
}

impl GraphQl {
    pub(super) fn new(schema: StoaSchema, app: App) -> Self {
        Self { executor: Executor::new(schema, app) }
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
        let (viewer, visit) = viewer::viewer(&self.executor.app, request).await?;
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
        let parameters = parameters(request, self.executor.app.http.body_bytes as usize).await?;
        let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
        let wishes = Wishes::read(header(DENIED_FIELDS), header(SEEN_AS))?;
        let asked = match Asked::read(parameters, wishes, &viewer) {
            Ok(asked) => asked,
            Err(Unfit::Refused(refused)) => return Err(refused),
            Err(Unfit::Errors(answer)) => return Ok(written(&answer, wanted)),
        };
        if by_get && asked.kind == Some(OperationType::Mutation) {
            return Err(Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "a mutation changes something: send it by POST",
            ));
        }
        if asked.kind == Some(OperationType::Subscription) {
            return Err(Refused::bad_request(
                "a subscription has many answers: send it on a WebSocket to this address, with the subprotocol \
                 graphql-transport-ws",
            ));
        }
        let caller = Caller::of_headers(request.headers());
        let request_id = request.headers().get(&super::REQUEST_ID);
        let who = Asker { viewer: &viewer, visit, request_id, caller: &caller };
        match self.executor.execute(asked, who, None).await? {
            Some(answer) => Ok(written(&answer, wanted)),
            None => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")),
        }
    }
}

impl Endpoint for GraphQl {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if socket::is_wanted(&request) {
            return Ok(socket::upgrade(&self.executor, &request).await);
        }
        if sse::is_wanted(&request) {
            return Ok(sse::answer(&self.executor, request).await);
        }
        let mut response = self.answer(request).await;
        // An answer is for whoever asked, now: kept somewhere, it would be shown to others, and unlogged.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// The parameters, of which a body has at most `most` bytes.
pub(super) async fn parameters(request: &mut Request, most: usize) -> Result<Parameters, Refused> {
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
            let body = request.take_body().into_bytes_limit(most).await.map_err(|error| match error {
                poem::error::ReadBodyError::PayloadTooLarge => Refused::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "PAYLOAD_TOO_LARGE",
                    format!("a request has at most {most} bytes"),
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
    pub(super) fn into_problem(self) -> Response {
        self.into_response(Wanted::Json)
    }

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

fn written(answer: &Answer, wanted: Wanted) -> Response {
    let failed = answer.not_executed && wanted == Wanted::GraphQl;
    let status = if failed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    match serde_json::to_vec(&answer.written()) {
        Ok(body) => super::plain(status, media_type(wanted), body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
        }
    }
}
