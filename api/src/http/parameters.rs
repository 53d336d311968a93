//! The parameters of a request, out of a body or an address: each of its type, and none twice.

use std::{fmt, str::FromStr};

use poem::{
    Request,
    error::ReadBodyError,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{accept::is_utf8, asked::Parameters, endpoint::Refused, settings::HttpSettings};

/// What may be sent to an address.
pub(super) const ALLOWED: &str = "GET, HEAD, POST, OPTIONS";
/// The parameters that mean something.
const KNOWN: [&str; 6] = ["query", "operationName", "variables", "extensions", "documentId", "doc_id"];
/// What marks the beginning of a text in UTF-8 that a certain editor has written. RFC 8259 lets it be passed over.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a request asks for.
pub(super) async fn parameters(request: &mut Request, settings: &HttpSettings) -> Result<Parameters, Refused> {
    let given = match *request.method() {
        Method::GET | Method::HEAD => of_address(request.uri().query().unwrap_or_default())?,
        Method::POST => of_body(request, settings).await?,
        _ => {
            let refused = Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "send queries by GET or POST, and mutations by POST",
            );
            return Err(refused.with(header::ALLOW, HeaderValue::from_static(ALLOWED)));
        }
    };
    typed(given)
}

/// Each parameter is of its type, or null. What else there is means nothing.
fn typed(given: Map<String, Value>) -> Result<Parameters, Refused> {
    for (name, value) in &given {
        let (fits, kind) = match name.as_str() {
            "query" | "operationName" | "documentId" | "doc_id" => (value.is_string(), "a string"),
            "variables" | "extensions" => (value.is_object(), "an object"),
            _ => continue,
        };
        if !fits && !value.is_null() {
            let found = kind_of(value);
            return Err(Refused::bad_request(format!("the parameter `{name}` must be {kind}; this is {found}")));
        }
    }
    // A null is as nothing.
    let given: Map<_, _> = given.into_iter().filter(|(_, value)| !value.is_null()).collect();
    serde_json::from_value(Value::Object(given))
        .map_err(|error| Refused::bad_request(format!("the parameters can't be used: {error}")))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The parameters that an address has: `variables` and `extensions` are JSON.
fn of_address(query: &str) -> Result<Map<String, Value>, Refused> {
    let mut given = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let read = |text| decoded(text).ok_or_else(|| Refused::bad_request("the address's parameters are not UTF-8"));
        let (name, value) = (read(name)?, read(value)?);
        let is_json = matches!(name.as_str(), "variables" | "extensions");
        let value = match name.as_str() {
            _ if value.is_empty() && name != "query" => Value::Null,
            _ if is_json => json(value.as_bytes()).map_err(|error| {
                Refused::bad_request(format!("the parameter `{name}` must be a JSON object: {error}"))
            })?,
            _ => Value::String(value),
        };
        if given.insert(name.clone(), value).is_some() && KNOWN.contains(&name.as_str()) {
            return Err(Refused::bad_request(format!("the parameter `{name}` is there twice: send it once")));
        }
    }
    Ok(given)
}

/// What stands in an address, as forms write it; `None` if it is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, after @ ..]) = (first, rest)
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            bytes.push((high * 16 + low) as u8);
            rest = after;
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
        }
    }
    String::from_utf8(bytes).ok()
}

/// The parameters that a body has. What it is declared as, and how long it is, is looked at before it is read.
async fn of_body(request: &mut Request, settings: &HttpSettings) -> Result<Map<String, Value>, Refused> {
    declared(request)?;
    let most = settings.body_bytes;
    let too_large = || {
        let message = format!("a request has at most {most} bytes: send less, or in several requests");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    };
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.is_some_and(|length| u64::from_str(length).map_or(true, |length| length > most)) {
        return Err(too_large());
    }
    let reading = request.take_body().into_bytes_limit(most as usize);
    let Ok(read) = timeout(settings.body_time(), reading).await else {
        let message = format!("the body did not come within {} seconds", settings.body_seconds);
        let refused = Refused::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message);
        // The rest of it may come, and would be taken for the next request.
        return Err(refused.with(header::CONNECTION, HeaderValue::from_static("close")));
    };
    let body = read.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => too_large(),
        _ => Refused::bad_request("the body broke off"),
    })?;
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    if std::str::from_utf8(body).is_err() {
        return Err(Refused::bad_request("the body must be JSON in UTF-8: it has bytes that are no UTF-8"));
    }
    let expected = "the body must be a JSON object with `query` and, if needed, `variables` and `operationName`";
    match json(body) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(Value::Array(_)) => Err(Refused::bad_request(
            "this is a list: send each query in a request of its own, or all as one query with several fields",
        )),
        Ok(other) => Err(Refused::bad_request(format!("{expected}; this is {}", kind_of(&other)))),
        Err(error) => Err(Refused::bad_request(format!("{expected}: {error}"))),
    }
}

/// Whether a body is declared as what is taken. A page of somebody else's can send forms and plain text without asking; JSON
/// it can't.
fn declared(request: &Request) -> Result<(), Refused> {
    let refused = |message: &str| Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    let codings = request.headers().get_all(header::CONTENT_ENCODING);
    if codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        // A small body may become an immense one.
        let refused = refused("send the body as it is: one with a `Content-Encoding` is not taken");
        return Err(refused.with(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let media_type = request.content_type().unwrap_or_default();
    let mut parts = media_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    if kind.eq_ignore_ascii_case("multipart/form-data") {
        return Err(refused(
            "no field takes an upload, so `multipart/form-data` is not taken: send JSON, with `Content-Type: application/json`",
        ));
    }
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(refused("send the query as JSON, with `Content-Type: application/json`"));
    }
    let mut charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if charsets.any(|(_, charset)| !is_utf8(charset.trim())) {
        return Err(refused("send the JSON in UTF-8, with `Content-Type: application/json; charset=utf-8`"));
    }
    Ok(())
}

/// A JSON value without a name that stands twice in one object: a proxy and Stoa would take different ones for it.
fn json(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Unique>(text).map(|value| value.0)
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the name `{name}` stands twice in an object")));
            }
            let Unique(value) = entries.next_value()?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_however_deep() {
        assert_eq!(json(br#"{"a":[1,-2,0.5,"x",null,true,{}]}"#).unwrap()["a"][2], 0.5);
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":[{"c":1,"c":2}]}}"#, "{\"a\":1,\"\\u0061\":2}"] {
            let error = json(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("stands twice"), "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(json(deep.as_bytes()).unwrap_err().to_string().contains("recursion limit"));
    }

    #[test]
    fn an_address_is_read_as_a_form_writes_it() {
        assert_eq!(decoded("a+b%20c%C3%A9%"), Some("a b cé%".to_owned()));
        assert_eq!(decoded("%zz%4"), Some("%zz%4".to_owned()));
        assert_eq!(decoded("%ff"), None);
        let given = of_address("query=%7Ba%7D&operationName=&variables=%7B%22n%22%3A1%7D&unknown").ok().unwrap();
        assert_eq!(
            Value::Object(given),
            serde_json::json!({ "query": "{a}", "operationName": null, "variables": { "n": 1 }, "unknown": null })
        );
        assert!(of_address("query=a&query=a").is_err());
        assert!(of_address("query=a&variables=%5B%5D%5D").is_err());
    }
}
