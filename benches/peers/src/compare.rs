//! Whether all servers give the same answers.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use serde_json::value::RawValue;

use crate::{
    http::Connection,
    operations::{Asked, Operation},
    postgres::Postgres,
    servers::{Kind, Server},
};

/// How many looks were written, by Stoa and by the peers.
const LOOKS: &str =
    "SELECT (SELECT COUNT(*) FROM access_log WHERE event = 'READ') + (SELECT COUNT(*) FROM peers.looks)";

/// A request as it goes to one server, and the length of what came back.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// The bytes.
    pub(crate) request: Vec<u8>,
    /// How long the body was.
    pub(crate) length: usize,
}

/// Asks every server every request, and answers with what to send to each; refuses if an answer is another than Stoa's, or the
/// first server's where Stoa is left out, or if another number of looks was written for it.
pub(crate) async fn compare(
    servers: &[Server],
    operation: Operation,
    asked: &[Asked],
    postgres: &Postgres,
) -> anyhow::Result<HashMap<Kind, Vec<Prepared>>> {
    let mut prepared: HashMap<Kind, Vec<Prepared>> = HashMap::new();
    let mut wanted: Option<(Kind, Vec<String>, i64)> = None;
    for server in servers.iter().filter(|server| server.kind.answers(operation)) {
        let mut connection = Connection::open(server.address).await?;
        let before = postgres.number(LOOKS)?;
        let mut answers = Vec::with_capacity(asked.len());
        for (at, asked) in asked.iter().enumerate() {
            let place = || format!("{} for viewer {at} ({:?}) of {}", server.kind.name(), asked.slug, operation.name());
            let request = asked.wire(server.address);
            let status = connection.ask(&request).await.with_context(place)?;
            let data = data(status, &connection.body).with_context(place)?;
            answers.push(canonical(&data));
            let prepared = prepared.entry(server.kind).or_default();
            prepared.push(Prepared { request, length: connection.body.len() });
        }
        let looks = postgres.number(LOOKS)? - before;
        let Some((first, expected, expected_looks)) = &wanted else {
            wanted = Some((server.kind, answers, looks));
            continue;
        };
        for (at, (expected, answer)) in expected.iter().zip(&answers).enumerate() {
            if let Some(difference) = difference(expected, answer) {
                let (operation, first, name) = (operation.name(), first.name(), server.kind.name());
                bail!("{operation}, viewer {at} ({:?}): {first} and {name} differ {difference}", asked[at].slug);
            }
        }
        if looks != *expected_looks {
            bail!(
                "{}: {} wrote {expected_looks} looks and {} {looks}",
                operation.name(),
                first.name(),
                server.kind.name()
            );
        }
    }
    Ok(prepared)
}

/// The bytes of `data` in an answer without errors.
fn data(status: u16, body: &[u8]) -> anyhow::Result<String> {
    let text = || String::from_utf8_lossy(&body[..body.len().min(600)]).into_owned();
    let answer: HashMap<String, Box<RawValue>> =
        serde_json::from_slice(body).with_context(|| format!("status {status}, no JSON object: {}", text()))?;
    match answer.get("data") {
        Some(data) if status == 200 && !answer.contains_key("errors") && data.get() != "null" => {
            Ok(data.get().to_owned())
        }
        _ => bail!("status {status}: {}", text()),
    }
}

/// The same bytes, but each number outside of texts as one program writes it: a whole `Float` is `1.0` to some and `1` to others,
/// and both are right.
fn canonical(data: &str) -> String {
    let mut written = String::with_capacity(data.len());
    let mut rest = data;
    while let Some(at) = rest.find(|letter: char| letter == '"' || letter == '-' || letter.is_ascii_digit()) {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('"') {
            text_length(rest)
        } else {
            rest.find(|letter: char| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length);
        match token.parse::<f64>() {
            Ok(number) if !token.starts_with('"') => written.push_str(&number.to_string()),
            _ => written.push_str(token),
        }
        rest = after;
    }
    written + rest
}

/// The length of the text at the beginning, with its quotes.
fn text_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Where two texts part, with what is around it.
fn difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(90)..text.len().min(at + 60)]).into_owned()
    };
    Some(format!("at byte {at}:\n  {}\n  {}", around(one), around(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers_and_texts_as_bytes() {
        assert_eq!(
            canonical(r#"{"a":1.0,"b":"1.0 \" 2.0","c":[-0.50,3e0]}"#),
            r#"{"a":1,"b":"1.0 \" 2.0","c":[-0.5,3]}"#
        );
        assert!(difference(&canonical("[0.1]"), &canonical("[0.10000000000000001]")).is_none());
        assert!(difference(&canonical("[0.1]"), &canonical("[0.2]")).unwrap().starts_with("at byte 3"));
    }
}
