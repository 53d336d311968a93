//! Pages of other origins: none may ask, but those that the configuration names (cross-origin resource sharing).
//!
//! They ask with a token, never with a session's cookie: `viewer.rs` refuses that from another origin, so credentials are never
//! allowed here.

use std::collections::BTreeSet;

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{
    compress::vary,
    endpoint::Refused,
    settings::{HttpSettings, origin},
};

/// What such a page may send.
const METHODS: &str = "GET, POST";
/// The headers that we read.
const HEADERS: &str = "authorization, content-type, stoa-denied-fields, stoa-seen-as, apollographql-client-name, \
                       apollographql-client-version, graphql-client-name, graphql-client-version, \
                       apollo-require-preflight, x-request-id";
/// The headers that it may read.
const EXPOSED: &str = "x-request-id, etag, retry-after";
/// So long a browser need not ask again whether it may ask, in seconds. Chromium keeps it no longer.
const MAX_AGE: &str = "7200";

/// Whose pages may ask.
pub(super) struct Cors {
    all: bool,
    origins: BTreeSet<String>,
}

impl Cors {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        Self {
            all: settings.cors_origins.iter().any(|text| text == "*"),
            origins: settings.cors_origins.iter().filter_map(|text| origin(text)).collect(),
        }
    }

    /// The answer to a browser that asks whether it may ask. `None` if the request is not that.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = *request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = request.headers().get(header::ORIGIN).filter(|_| asks)?;
        let mut response = if self.allows(origin) {
            let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
            let headers = response.headers_mut();
            set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            set(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            response
        } else {
            Refused::new(
                StatusCode::FORBIDDEN,
                "CROSS_ORIGIN",
                "pages of this origin may not ask: whoever runs Stoa names them in `[http] cors_origins`",
            )
            .into_problem()
        };
        self.allow(Some(origin), &mut response);
        Some(response)
    }

    /// Lets a page read an answer, if it may.
    pub(super) fn allow(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        if !self.all && self.origins.is_empty() {
            return;
        }
        if !self.all {
            vary(response, "origin");
        }
        let Some(origin) = origin.filter(|origin| self.allows(origin)) else { return };
        let allowed = if self.all { HeaderValue::from_static("*") } else { origin.clone() };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        // Without it a page without an origin in common could not read what it is allowed to.
        set(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.all || origin.to_str().is_ok_and(|origin| self.origins.contains(origin))
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
