//! The query page at `/`: GraphiQL's work in a page of our own, which needs nothing from the network.

use std::sync::Arc;

use poem::{Endpoint, Request, Response, Route, endpoint::make, get, http::StatusCode};
use serde::Serialize;

use super::plain;

/// An account that the page offers to sign in as.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleAccount {
    /// The name.
    pub name: String,
    /// What the person is here.
    pub role: String,
    /// What there is to see as this person.
    pub note: String,
    /// The bearer token.
    pub token: String,
}

macro_rules! files {
    ($($name:literal: $media_type:literal),+ $(,)?) => {
        const FILES: &[(&str, &str, &str)] = &[$(($name, $media_type, include_str!(concat!("console/", $name)))),+];
    };
}

files! {
    "app.js": "text/javascript; charset=utf-8",
    "check.js": "text/javascript; charset=utf-8",
    "client.js": "text/javascript; charset=utf-8",
    "complete.js": "text/javascript; charset=utf-8",
    "editor.js": "text/javascript; charset=utf-8",
    "examples.json": "application/json",
    "explorer.js": "text/javascript; charset=utf-8",
    "format.js": "text/javascript; charset=utf-8",
    "history.js": "text/javascript; charset=utf-8",
    "json.js": "text/javascript; charset=utf-8",
    "language.js": "text/javascript; charset=utf-8",
    "layer.js": "text/javascript; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "result.js": "text/javascript; charset=utf-8",
    "schema.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "ui.js": "text/javascript; charset=utf-8",
}

/// The page may run nothing but its own files, and talk to nobody but this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The example queries, for the test that runs them.
pub fn examples() -> &'static str {
    FILES.iter().find(|(name, ..)| *name == "examples.json").map_or("[]", |(_, _, text)| text)
}

pub(super) fn routes(accounts: &[ConsoleAccount]) -> Route {
    let accounts: Arc<str> = serde_json::to_string(accounts).unwrap_or_else(|_| "[]".to_owned()).into();
    Route::new()
        .at("/", get(make(async |_| page("text/html; charset=utf-8", include_str!("console/index.html")))))
        .at(
            "/console/accounts.json",
            get(make(move |_| {
                let accounts = Arc::clone(&accounts);
                async move { page("application/json", accounts.to_string()) }
            })),
        )
        .at("/console/:file", get(file()))
}

fn file() -> impl Endpoint<Output = Response> {
    make(async |request: Request| {
        let wanted = request.uri().path().rsplit('/').next().unwrap_or_default();
        match FILES.iter().find(|(name, ..)| *name == wanted) {
            Some((_, media_type, text)) => page(media_type, *text),
            None => plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is no such file\n"),
        }
    })
}

fn page(media_type: &'static str, body: impl Into<poem::Body>) -> Response {
    Response::builder()
        .content_type(media_type)
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-store")
        .body(body)
}
