//! Manifests: the files of documents that a client's build writes.
//!
//! Two layouts are known. Relay's compiler and graphql-codegen's client preset write one object of ids and texts; Apollo's
//! `generate-persisted-query-manifest` writes a list of operations.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::model::{Flaw, Listed, MAX_DOCUMENTS, MAX_ID, MAX_TEXT, TextHash, is_id};

const APOLLO: &str = "apollo-persisted-query-manifest";

/// The documents of a manifest, or all that is wrong with it.
pub fn read(text: &str) -> Result<Vec<Listed>, Vec<Flaw>> {
    let flaw = |reason: String| vec![Flaw::new("", reason)];
    // Files that were made on Windows may begin with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let entries: Entries = serde_json::from_str(text).map_err(|error| flaw(format!("this is no manifest: {error}")))?;
    let mut flaws = Vec::new();
    let found = if entries.are_a_list() {
        match entries.get("format") {
            Some(serde_json::Value::String(format)) if format == APOLLO => apollo(&entries, &mut flaws),
            other => {
                let format = other.map_or_else(|| "missing".to_owned(), ToString::to_string);
                return Err(flaw(format!("the format is {format}; known is {APOLLO:?}")));
            }
        }
    } else {
        plain(entries, &mut flaws)
    };
    let mut documents: Vec<Listed> = Vec::with_capacity(found.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(found.len());
    for document in found {
        if let Some(flaw) = flaw_of(&document) {
            flaws.push(flaw);
        }
        match places.get(&document.id) {
            None => {
                places.insert(document.id.clone(), documents.len());
                documents.push(document);
            }
            // Said twice is no contradiction.
            Some(place) if documents[*place].text == document.text => {}
            Some(_) => flaws.push(Flaw::new(document.id, "the id is there twice, with two texts")),
        }
    }
    if documents.len() > MAX_DOCUMENTS {
        flaws.push(Flaw::new("", format!("a manifest has at most {MAX_DOCUMENTS} documents")));
    } else if documents.is_empty() && flaws.is_empty() {
        flaws.push(Flaw::new("", "there is no document in it"));
    }
    if flaws.is_empty() { Ok(documents) } else { Err(flaws) }
}

/// What can be said of a document without reading it.
fn flaw_of(Listed { id, text }: &Listed) -> Option<Flaw> {
    if !is_id(id) {
        let shown: String = id.chars().take(MAX_ID).collect();
        let reason = format!("an id is 1 to {MAX_ID} letters, digits and `:` `_` `.` `~` `-`");
        return Some(Flaw::new(format!("{shown:?}"), reason));
    }
    if text.len() > MAX_TEXT {
        return Some(Flaw::new(id, format!("a document has at most {MAX_TEXT} bytes; this has {}", text.len())));
    }
    // Clients and caches between may rely on what such an id says.
    let claimed = id.strip_prefix("sha256:")?;
    let hash = TextHash::of(text);
    let reason = format!("the id is not the text's hash, which is sha256:{hash}: was the text changed?");
    (TextHash::parse(claimed) != Some(hash)).then(|| Flaw::new(id, reason))
}

fn plain(entries: Entries, flaws: &mut Vec<Flaw>) -> Vec<Listed> {
    let mut found = Vec::with_capacity(entries.0.len());
    for (id, value) in entries.0 {
        match value {
            serde_json::Value::String(text) => found.push(Listed { id, text }),
            _ => flaws.push(Flaw::new(id, "the document must be a text")),
        }
    }
    found
}

fn apollo(entries: &Entries, flaws: &mut Vec<Flaw>) -> Vec<Listed> {
    if entries.get("version").and_then(serde_json::Value::as_u64) != Some(1) {
        flaws.push(Flaw::new("", "the version of the manifest must be 1"));
        return Vec::new();
    }
    let Some(operations) = entries.get("operations").and_then(serde_json::Value::as_array) else {
        flaws.push(Flaw::new("", "`operations` must be a list"));
        return Vec::new();
    };
    let mut found = Vec::with_capacity(operations.len());
    for (at, operation) in operations.iter().enumerate() {
        let text = |name: &str| operation.get(name).and_then(serde_json::Value::as_str);
        match (text("id"), text("body")) {
            (Some(id), Some(body)) => found.push(Listed { id: id.to_owned(), text: body.to_owned() }),
            _ => flaws.push(Flaw::new(format!("operation {}", at + 1), "`id` and `body` must be texts")),
        }
    }
    found
}

/// The entries of an object in their order, with what is there twice.
struct Entries(Vec<(String, serde_json::Value)>);

impl Entries {
    fn get(&self, name: &str) -> Option<&serde_json::Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Whether they describe a list of operations. An object of ids and texts has texts only, and may have any ids.
    fn are_a_list(&self) -> bool {
        let is_text = |name| self.get(name).is_none_or(serde_json::Value::is_string);
        self.get("operations").is_some_and(serde_json::Value::is_array)
            || (self.get("format").is_some_and(|format| format == APOLLO)
                && !(is_text("version") && is_text("operations")))
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of ids and documents")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    // As many as there may be, and what else stands beside a list.
                    if entries.len() > MAX_DOCUMENTS + 16 {
                        return Err(A::Error::custom(format_args!("there are more than {MAX_DOCUMENTS} documents")));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, text: &str) -> Listed {
        Listed { id: id.to_owned(), text: text.to_owned() }
    }

    fn flaws(text: &str) -> Vec<String> {
        read(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn manifests_are_read_as_relay_codegen_and_apollo_write_them() {
        let relay = r#"{ "f2a6": "query A { me { id } }", "0b1c": "query B { me { name } }" }"#;
        assert_eq!(
            read(relay),
            Ok(vec![listed("f2a6", "query A { me { id } }"), listed("0b1c", "query B { me { name } }")])
        );
        let codegen = r#"{"sha256:ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38":"{__typename}"}"#;
        assert_eq!(read(codegen).unwrap()[0].text, "{__typename}");
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": "a1", "name": "A", "type": "query", "body": "query A { me { id } }" }] }"#;
        assert_eq!(read(apollo), Ok(vec![listed("a1", "query A { me { id } }")]));
        // A document may be called as a key of the other layout is.
        let odd = r#"{ "format": "apollo-persisted-query-manifest", "operations": "{__typename}" }"#;
        assert_eq!(read(odd).unwrap()[1], listed("operations", "{__typename}"));
    }

    #[test]
    fn whatever_is_wrong_with_a_manifest_is_told_at_once() {
        assert_eq!(
            flaws(r#"{ "a b": "{a}", "c": 7, "sha256:00": "{a}", "d": "{a}", "d": "{b}" }"#),
            [
                "c: the document must be a text",
                "\"a b\": an id is 1 to 128 letters, digits and `:` `_` `.` `~` `-`",
                "sha256:00: the id is not the text's hash, which is \
                 sha256:460c3a93211614ac783c0f1d1bbbcb45a6da87d6421b5c0771772588f1015ff8: was the text changed?",
                "d: the id is there twice, with two texts",
            ]
        );
        assert_eq!(
            flaws("[]"),
            [
                "the manifest: this is no manifest: invalid type: sequence, expected an object of ids and documents at line 1 column 0"
            ]
        );
        assert_eq!(flaws("{}"), ["the manifest: there is no document in it"]);
        assert_eq!(
            flaws(r#"{ "format": "apollo-persisted-query-manifest", "version": 2, "operations": [] }"#),
            ["the manifest: the version of the manifest must be 1"]
        );
        assert_eq!(
            flaws(r#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [{ "id": "a" }, 3] }"#),
            ["operation 1: `id` and `body` must be texts", "operation 2: `id` and `body` must be texts"]
        );
        assert_eq!(
            flaws(r#"{ "format": "other", "operations": [] }"#),
            ["the manifest: the format is \"other\"; known is \"apollo-persisted-query-manifest\""]
        );
    }
}
