//! What is around every answer: whose pages may read it, how it is compressed, what browsers must not do with it, and errors
//! of addresses as JSON.

use std::sync::Arc;

use poem::{
    Body, Endpoint, Request, Response,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{
    compress,
    cors::Cors,
    endpoint::{self, Refused},
    settings::HttpSettings,
};

/// Where GraphQL is: the one address that pages of other origins may ask.
pub(super) const GRAPHQL: &str = "/graphql";
/// What else takes a POST than GraphQL.
const UNSUBSCRIBE: &str = "/mail/unsubscribe";
/// An answer in JSON is no page: it loads nothing, and stands in no frame.
const JSON_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// What is decided once for all answers.
pub(super) struct Outside {
    settings: HttpSettings,
    cors: Cors,
    hsts: Option<HeaderValue>,
}

impl Outside {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        let hsts = (settings.tls_certificate.is_some() && settings.hsts_seconds > 0)
            .then(|| HeaderValue::from_str(&format!("max-age={}", settings.hsts_seconds)).ok());
        Self { settings: settings.clone(), cors: Cors::new(settings), hsts: hsts.flatten() }
    }

    pub(super) async fn answer<E: Endpoint>(self: Arc<Self>, next: Arc<E>, request: Request) -> Response {
        let is_graphql = request.uri().path() == GRAPHQL;
        if is_graphql && let Some(mut response) = self.cors.preflight(&request) {
            self.harden(&mut response);
            return response;
        }
        let origin = request.headers().get(header::ORIGIN).filter(|_| is_graphql).cloned();
        let is_head = *request.method() == Method::HEAD;
        let mut response = compress::compressed(next, request, &self.settings).await;
        if is_graphql {
            self.cors.allow(origin.as_ref(), &mut response);
        }
        self.harden(&mut response);
        if is_head { without_body(response).await } else { response }
    }

    /// Says what browsers must not do, where nothing else is said of it.
    fn harden(&self, response: &mut Response) {
        let is_json = response.content_type().is_some_and(|kind| kind.contains("json"));
        let headers = response.headers_mut();
        let mut say = |name: HeaderName, value: &'static str| {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        };
        say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        say(header::REFERRER_POLICY, "no-referrer");
        say(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        if is_json {
            say(header::CONTENT_SECURITY_POLICY, JSON_POLICY);
        }
        if let Some(hsts) = &self.hsts {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
    }
}

/// The answer to HEAD: that to GET, and no body.
async fn without_body(mut response: Response) -> Response {
    let is_whole = response.content_type().is_none_or(|kind| !kind.starts_with("text/event-stream"));
    let body = std::mem::take(&mut response);
    let (mut parts, body) = body.into_parts();
    if is_whole
        && !body.is_empty()
        && let Ok(body) = body.into_bytes().await
        && let Ok(length) = HeaderValue::from_str(&body.len().to_string())
    {
        parts.headers.insert(header::CONTENT_LENGTH, length);
    }
    Response::from_parts(parts, Body::empty())
}

/// Answers of routes as they are, and errors of addresses as JSON with a code.
pub(super) async fn told<E: Endpoint<Output = Response>>(next: Arc<E>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let error = match next.call(request).await {
        Ok(response) => return response,
        Err(error) => error,
    };
    let refused = match error.status() {
        StatusCode::NOT_FOUND => {
            Refused::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this address; GraphQL is at /graphql")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = if path == UNSUBSCRIBE { "GET, HEAD, POST" } else { "GET, HEAD" };
            let message = format!("this address takes {allowed}");
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
                .with(header::ALLOW, HeaderValue::from_static(allowed))
        }
        status if status.is_client_error() => {
            Refused::new(status, "BAD_REQUEST", status.canonical_reason().unwrap_or("the request can't be read"))
        }
        _ => {
            tracing::error!(%error, "a route failed");
            return endpoint::failed();
        }
    };
    refused.into_problem()
}
