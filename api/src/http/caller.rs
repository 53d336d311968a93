//! Which program asks, as it says itself: for budgets, figures and the use of deprecated fields. Nothing is allowed or
//! refused by it, since anybody can say anything.

use poem::http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

/// A program's name and version, as far as it says them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    /// Such as `class-dashboard`.
    pub(super) name: Option<String>,
    /// Such as `1.4.0`.
    pub(super) version: Option<String>,
}

/// The longest name that is taken. A longer one would be no name.
const MAX_NAME: usize = 64;
const NAMES: [&str; 2] = ["apollographql-client-name", "graphql-client-name"];
const VERSIONS: [&str; 2] = ["apollographql-client-version", "graphql-client-version"];

impl Caller {
    /// As a request's headers say it.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        Self::read(|name| headers.get(name).map(HeaderValue::as_bytes))
    }

    /// As the first message on a WebSocket says it, under the same names.
    pub(super) fn of_payload(payload: &Map<String, Value>) -> Self {
        Self::read(|name| {
            let found = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.as_str()).map(str::as_bytes)
        })
    }

    /// This, or where it says nothing the other.
    pub(super) fn or(self, other: &Self) -> Self {
        Self { name: self.name.or_else(|| other.name.clone()), version: self.version.or_else(|| other.version.clone()) }
    }

    fn read<'a>(said: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| word(said(name)?));
        Self { name: first(NAMES), version: first(VERSIONS) }
    }
}

/// What may stand in a log and beside a figure.
fn word(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let fits = (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@+ ".contains(&byte));
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_what_it_calls_itself() {
        let mut headers = HeaderMap::new();
        assert_eq!(Caller::of_headers(&headers), Caller::default());
        headers.insert("graphql-client-name", HeaderValue::from_static("class-dashboard"));
        headers.insert("apollographql-client-version", HeaderValue::from_static("1.4.0"));
        let caller = Caller::of_headers(&headers);
        assert_eq!((caller.name.as_deref(), caller.version.as_deref()), (Some("class-dashboard"), Some("1.4.0")));
        headers.insert("graphql-client-name", HeaderValue::from_static("{}\"'"));
        assert_eq!(Caller::of_headers(&headers).name, None);
    }
}
