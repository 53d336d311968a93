//! The two addresses of sign-in with another provider: where it begins, and where the provider sends people back to.

use std::borrow::Cow;

use poem::{
    Endpoint, IntoResponse as _, Request, Response, Route,
    endpoint::make,
    get,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use serde::Deserialize;

use super::{plain, viewer::origin};
use crate::{
    app::App,
    graphql::visit::Visit,
    oidc::{
        Oidc, TIME_TO_SIGN_IN,
        model::{OidcError, Refusal},
    },
};

/// The browser's note. The prefix lets no other host, nor anything without TLS, set it.
const COOKIE: &str = "__Host-stoa-oidc";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
/// The page that leads on runs nothing and loads nothing.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Deserialize)]
struct Start {
    #[serde(default = "home")]
    return_to: String,
}

fn home() -> String {
    "/".to_owned()
}

#[derive(Deserialize)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
}

/// `/start` and `/callback`; without a provider there is nothing here.
pub(super) fn routes(app: &App) -> impl Endpoint<Output = Response> + use<> {
    let (begin, end) = (app.oidc.clone(), app.clone());
    let begin = make(move |request| {
        let oidc = begin.clone();
        async move { start(oidc.as_ref(), &request).await }
    });
    let end = make(move |request| {
        let app = end.clone();
        async move { callback(&app, &request).await }
    });
    poem::EndpointExt::map_to_response(Route::new().at("/start", get(begin)).at("/callback", get(end)))
}

async fn start(oidc: Option<&Oidc>, request: &Request) -> Response {
    let Some(oidc) = oidc else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(parameters) = serde_urlencoded::from_str::<Start>(request.uri().query().unwrap_or_default()) else {
        return refused(&Refusal::ReturnTo);
    };
    match oidc.begin(&parameters.return_to).await {
        Ok(Ok(begun)) => private(
            Response::builder()
                .status(StatusCode::SEE_OTHER)
                .header(header::LOCATION, begun.location)
                .header(header::SET_COOKIE, cookie(&begun.note, TIME_TO_SIGN_IN))
                .finish(),
        ),
        Ok(Err(refusal)) => refused(&refusal),
        Err(error) => failed(&error),
    }
}

async fn callback(app: &App, request: &Request) -> Response {
    let Some(oidc) = &app.oidc else { return StatusCode::NOT_FOUND.into_response() };
    let parameters = serde_urlencoded::from_str::<Callback>(request.uri().query().unwrap_or_default());
    let (Ok(Callback { code, state: Some(state) }), Some(note)) = (parameters, note(request.headers())) else {
        return refused(&Refusal::Stale);
    };
    // Without a code there is an error instead, such as that she did not want to.
    let Some(code) = code else { return refused(&Refusal::NotSignedIn) };
    let visit = Visit::new(origin(app, request));
    match oidc.end(&code, &state, note, &visit.origin).await {
        Ok(Ok(ended)) => {
            visit.give_session(&ended.session, app.sign_in.settings().session_days, None);
            lead_on(&ended.return_to, visit.cookies())
        }
        Ok(Err(refusal)) => refused(&refusal),
        Err(error) => failed(&error),
    }
}

/// A page that leads on, and no redirect: on a redirect that another site began, a browser does not send the
/// session's cookie, which is for our own pages only, and she would seem not to be signed in.
fn lead_on(return_to: &str, cookies: Vec<String>) -> Response {
    let path = escaped(return_to);
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signed in</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={path}\"><p>You are signed in. <a href=\"{path}\">Go on</a></p></html>"
    );
    let mut response = private(plain(StatusCode::OK, "text/html; charset=utf-8", page));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    for cookie in cookies.into_iter().chain([cookie("", 0)]) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::ReturnTo | Refusal::Stale | Refusal::NotSignedIn | Refusal::Token(_) => StatusCode::BAD_REQUEST,
        Refusal::AddressNotVerified | Refusal::NoName | Refusal::AddressTaken | Refusal::SignIn(_) => {
            StatusCode::FORBIDDEN
        }
    };
    forget(plain(status, PLAIN_TEXT, refusal.to_string()))
}

fn failed(error: &OidcError) -> Response {
    tracing::error!(%error, "a sign-in with the other provider failed");
    let message = match error {
        OidcError::Database(_) => "something went wrong here: try again in a moment".to_owned(),
        OidcError::Away => error.to_string(),
        // Which, the log says.
        OidcError::Answer(_) => "the sign-in provider's answer can't be used: try again in a moment".to_owned(),
    };
    let status = match error {
        OidcError::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        OidcError::Away | OidcError::Answer(_) => StatusCode::BAD_GATEWAY,
    };
    forget(plain(status, PLAIN_TEXT, message))
}

/// An answer after which the browser's note is of no more use.
fn forget(mut response: Response) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&cookie("", 0)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    private(response)
}

/// An answer that nobody keeps, and whose address no other page learns: a code stands in it.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn cookie(note: &str, seconds: i64) -> String {
    format!("{COOKIE}={note}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

fn note(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '"', '\'', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;");
    Cow::Owned(text.replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_not_break_out_of_the_page() {
        assert_eq!(escaped("/a\"><script>&'"), "/a&quot;&gt;&lt;script&gt;&amp;&#39;");
    }
}
