//! `/graphql`: GraphQL over HTTP on a handler of our own.
//!
//! The stock endpoint answers 200 to documents that don't parse, lets GET run mutations, and takes forms
//! and files from anybody's page. This one follows the specification of GraphQL over HTTP: GET and POST,
//! `application/graphql-response+json` with status codes of its own, and the older `application/json`.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use poem::{
    Endpoint, Request, Response,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{
    accept::Wanted,
    asked::{Asked, COST, DENIED_FIELDS, SEEN_AS, Unfit, Wishes},
    cache,
    caller::Caller,
    compress,
    execution::{Answer, Asker, Executor},
    parameters::{ALLOWED, parameters},
    socket, sse, viewer,
};
use crate::{
    accounts::model::Identified,
    app::App,
    graphql::{StoaSchema, visit::Visit},
    observe::Transport,
};

pub(super) struct GraphQl {
    executor: Executor,
}

/// A request that is not carried out.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// What the answer says beside it.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refused {
    /// `code` is one of [`Code`](crate::graphql::errors::Code).
    pub(super) fn new(status: StatusCode, code: impl Into<&'static str>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), headers: Vec::new() }
    }

    /// The same with a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same, with a word about in how many seconds to try again.
    pub(super) fn after(self, seconds: u64) -> Self {
        self.with(header::RETRY_AFTER, seconds.into())
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
        if *request.method() == Method::OPTIONS {
            return Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, ALLOWED).finish();
        }
        let wanted = match Wanted::read(request.headers()) {
            Ok(wanted) => wanted,
            Err(refused) => return refused.into_response(Wanted::Json),
        };
        match self.carry_out(&mut request, wanted).await {
            Ok(response) => response,
            Err(refused) => {
                self.executor.note_refusal(&refused);
                refused.into_response(wanted)
            }
        }
    }

    async fn carry_out(&self, request: &mut Request, wanted: Wanted) -> Result<Response, Refused> {
        self.executor.shed.door()?;
        let (by, visit) = viewer::viewer(&self.executor.app, request).await?;
        let mut response = match self.execute(request, wanted, &by, &visit).await {
            Ok(response) => response,
            Err(refused) => {
                self.executor.note_refusal(&refused);
                refused.into_response(wanted)
            }
        };
        for cookie in visit.cookies() {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        Ok(response)
    }

    async fn execute(
        &self,
        request: &mut Request,
        wanted: Wanted,
        by: &Identified,
        visit: &Arc<Visit>,
    ) -> Result<Response, Refused> {
        let settings = &self.executor.app.http;
        let by_get = matches!(*request.method(), Method::GET | Method::HEAD);
        let parameters = parameters(request, settings).await?;
        let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
        let wishes = Wishes::read(header(DENIED_FIELDS), header(SEEN_AS))?.with_cost(header(COST))?;
        let asked = match Asked::read(parameters, wishes, &by.viewer, &self.executor.library).await {
            Ok(asked) => asked,
            Err(Unfit::Refused(refused)) => return Err(refused),
            Err(Unfit::Errors(answer)) => {
                self.executor.note_errors(&answer);
                return Ok(written(&answer, wanted));
            }
        };
        if by_get && asked.kind == Some(OperationType::Mutation) {
            return Err(Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "a mutation changes something: send it by POST",
            )
            .with(header::ALLOW, HeaderValue::from_static("POST")));
        }
        if asked.kind == Some(OperationType::Subscription) {
            return Err(Refused::bad_request(
                "a subscription has many answers: ask for them with `Accept: text/event-stream`, or send it on a WebSocket to \
                 this address, with the subprotocol graphql-transport-ws",
            ));
        }
        let caller = Caller::of_headers(request.headers());
        let request_id = request.headers().get(&super::REQUEST_ID);
        let who = Asker { by, visit, request_id, caller: &caller, transport: Transport::Http };
        let changes = asked.kind == Some(OperationType::Mutation);
        match Box::pin(self.executor.execute(asked, who, None)).await? {
            Some(answer) if answer.is_public && cache::is_open(request) => {
                Ok(cache::public(request, settings, wanted, answer.to_json()))
            }
            Some(answer) => {
                let mut response = written(&answer, wanted);
                if changes {
                    // Tokens and the like come out of mutations only.
                    response.extensions_mut().insert(compress::Secret);
                }
                Ok(response)
            }
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
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

impl Refused {
    pub(super) fn into_problem(self) -> Response {
        self.into_response(Wanted::Json)
    }

    fn into_response(self, wanted: Wanted) -> Response {
        let mut response = problem(self.status, self.code, &self.message);
        if wanted == Wanted::GraphQl {
            let value = HeaderValue::from_static(wanted.media_type());
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.headers_mut().extend(self.headers);
        response
    }
}

/// An error that is all there is to say.
pub(super) fn refusal(code: &str, message: &str) -> serde_json::Value {
    let mut extensions = serde_json::json!({ "code": code });
    if let Some(id) = super::request_id::current() {
        extensions["requestId"] = id.into();
    }
    serde_json::json!({ "message": message, "extensions": extensions })
}

/// An answer that is one error.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "errors": [refusal(code, message)] });
    super::plain(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer to what went wrong here.
pub(super) fn failed() -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
}

fn written(answer: &Answer, wanted: Wanted) -> Response {
    let failed_before = answer.not_executed && wanted == Wanted::GraphQl;
    let status = match answer.retry_after {
        Some(_) => StatusCode::TOO_MANY_REQUESTS,
        None if failed_before => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let mut response = super::plain(status, wanted.media_type(), answer.to_json());
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
