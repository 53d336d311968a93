//! `/mail/unsubscribe`: ends the digests of whoever has the link, without signing in.
//!
//! A GET shows a page with a button, since programs that look at mails follow links. The button, and a mail reader by itself
//! (RFC 8058), send a POST. It is from whoever holds the link, so it needs no cookie, and a page elsewhere can't send it without.

use poem::{
    Endpoint, Request, Response, RouteMethod,
    endpoint::make,
    http::{Method, StatusCode, header},
};
use serde::Deserialize;

use super::plain;
use crate::app::App;

const HTML: &str = "text/html; charset=utf-8";
/// The page runs nothing, loads nothing, and sends its form here only.
const POLICY: &str =
    "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(Deserialize)]
struct Link {
    token: String,
}

pub(super) fn route(app: &App) -> impl Endpoint<Output = Response> + use<> {
    let (shown, done) = (app.clone(), app.clone());
    let shown = make(move |request| {
        let app = shown.clone();
        async move { answer(&app, &request).await }
    });
    let done = make(move |request| {
        let app = done.clone();
        async move { answer(&app, &request).await }
    });
    poem::EndpointExt::map_to_response(RouteMethod::new().get(shown).post(done))
}

async fn answer(app: &App, request: &Request) -> Response {
    let link = serde_urlencoded::from_str::<Link>(request.uri().query().unwrap_or_default());
    let Some(token) = link.ok().map(|link| link.token).filter(|token| app.notifications.is_subscriber(token)) else {
        return page(StatusCode::NOT_FOUND, "This link is not whole", "<p>Copy all of it from the mail.</p>");
    };
    if request.method() != Method::POST {
        // The form goes to this page's own address, with the token in it.
        return page(
            StatusCode::OK,
            "No more mails?",
            "<p>You will get no more mails about what is new in your courses. You still find it when you sign in, and you can \
             turn the mails on again in your preferences.</p>\n<form method=\"post\"><button>No more mails</button></form>",
        );
    }
    match app.notifications.unsubscribe(&token).await {
        Ok(_) => page(StatusCode::OK, "No more mails", "<p>You can turn them on again in your preferences.</p>"),
        Err(error) => {
            tracing::warn!(%error, "somebody could not be unsubscribed");
            page(StatusCode::SERVICE_UNAVAILABLE, "Not now", "<p>It did not work. Try it again in a moment.</p>")
        }
    }
}

fn page(status: StatusCode, title: &str, said: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{said}\n</main>\n</body>\n</html>\n"
    );
    let mut response = plain(status, HTML, html);
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // The address holds the token.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, poem::http::HeaderValue::from_static(value));
    }
    response
}
