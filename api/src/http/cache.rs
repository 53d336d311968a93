//! Answers that may be kept: those that nobody in particular asked for, and that are about nobody.
//!
//! All others are `no-store`: kept somewhere, they would be shown to others, and unlogged.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use sha2::{Digest as _, Sha256};

use super::{accept::Wanted, compress, plain, settings::HttpSettings};

/// By what an answer differs. With a cookie or a token it is another one, and not kept.
const VARY: &str = "accept, accept-encoding, authorization, cookie";

/// Whether a request is one whose answer may be kept, if it turns out to be public. A cookie of any name is a sign that
/// somebody in particular asks.
pub(super) fn is_open(request: &Request) -> bool {
    let headers = request.headers();
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::COOKIE)
}

/// A public answer, or that the client has it already.
pub(super) fn public(request: &Request, settings: &HttpSettings, wanted: Wanted, body: Vec<u8>) -> Response {
    let media_type = wanted.media_type();
    let coding =
        compress::coding(request.headers(), media_type, body.len(), settings).map_or("", |coding| coding.name());
    let tag = tag(&[media_type.as_bytes(), coding.as_bytes(), &body]);
    let mut response = if is_known(request.headers(), &tag) {
        Response::builder().status(StatusCode::NOT_MODIFIED).finish()
    } else {
        plain(StatusCode::OK, media_type, body)
    };
    let control = match settings.public_max_age_seconds {
        // It may be kept, and be shown when the tag is still the same.
        0 => "public, no-cache".to_owned(),
        seconds => format!("public, max-age={seconds}"),
    };
    let headers = response.headers_mut();
    set(headers, header::CACHE_CONTROL, &control);
    set(headers, header::ETAG, &tag);
    set(headers, header::VARY, VARY);
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A strong tag: bytes that differ, be it by compression alone, have another one.
fn tag(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]))
}

/// Whether the client has the answer with this tag. The comparison is the weak one (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
