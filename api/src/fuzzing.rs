//! What is parsed here of what others write, in reach of `tests/fuzz`. Each function takes anything, and panics only where there is
//! a fault; the tests below give them what proptest thinks of.

use crate::{accounts::secret::SecretKey, documents::manifest, graphql, http, intake};

/// A global id.
pub fn global_id(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        graphql::node::read_id(text);
    }
}

/// What a cursor holds, and a cursor as somebody may make it up.
pub fn cursor(bytes: &[u8]) {
    graphql::connection::read_place(bytes);
    let key = SecretKey::from_text("a secret key for nothing but tests").expect("a key");
    assert_eq!(key.unseal_alike("cursor", bytes), None, "nobody makes up what was sealed");
    let sealed = key.seal_alike("cursor", bytes);
    assert_eq!(key.unseal_alike("cursor", &sealed).as_deref(), Some(bytes));
    assert_eq!(key.unseal_alike("another purpose", &sealed), None);
}

/// A manifest of documents: what is read is written so that it is read again.
pub fn documents_manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match manifest::read(text) {
        Ok(documents) => {
            let written: serde_json::Map<_, _> =
                documents.iter().map(|document| (document.id.clone(), document.text.clone().into())).collect();
            let mut again = manifest::read(&serde_json::Value::Object(written).to_string()).expect("a manifest");
            let mut documents = documents;
            documents.sort_by(|a, b| a.id.cmp(&b.id));
            again.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(documents, again);
        }
        Err(flaws) => assert!(!flaws.is_empty() && flaws.iter().all(|flaw| !flaw.to_string().is_empty())),
    }
}

/// A CSV file of our layout: each row is told with its line.
pub fn csv(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
    for rows in intake::csv::rows_of(bytes).into_iter().flatten() {
        assert!(rows <= lines, "{rows} rows in {lines} lines");
    }
}

/// The headers that say how somebody wants to be answered.
pub fn wishes(bytes: &[u8]) {
    http::read_wishes(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Bytes that look a little like what is read, so that more than the first look at them is tested.
    fn like(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            4 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..4),
            1 => "[a-z0-9A-Z_-]{0,24}".prop_map(String::into_bytes),
        ];
        vec(word, 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_global_id_is_read_or_refused(bytes in like(&["Q", "AAAAAAAAAAAAAAAAAAAAAAA", "-", "_", "=", "CHs"])) {
            global_id(&bytes);
        }

        #[test]
        fn every_course_has_an_id_that_is_read_again(id in any::<u128>()) {
            let id = crate::ids::CourseId::from(uuid::Uuid::from_u128(id));
            let text = graphql::global_id::course(id);
            global_id(text.as_bytes());
            prop_assert_eq!(graphql::node::course_id(&text.into()).ok(), Some(id));
        }

        #[test]
        fn a_cursor_is_read_or_refused(
            bytes in like(&["[\"list\",", "[", "]", "1", ",", "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"", "-", "\""]),
        ) {
            cursor(&bytes);
        }

        #[test]
        fn a_manifest_is_read_or_refused(
            bytes in like(&["{", "}", ":", ",", "\"a\"", "\"format\"", "\"apollo-persisted-query-manifest\"", "\"operations\"",
                "\"version\"", "1", "[", "]", "\"id\"", "\"body\"", "\"sha256:00\"", "\u{feff}"]),
        ) {
            documents_manifest(&bytes);
        }

        #[test]
        fn a_file_is_read_or_refused_row_by_row(
            bytes in like(&["key,name\n", "learner,lesson,started_at\n", "key,title\n", ",", "\n", "\r\n", "\"", "\"\"", "1",
                "2026-01-01", "\u{feff}"]),
        ) {
            csv(&bytes);
        }

        #[test]
        fn wishes_are_read_or_refused(bytes in like(&["STAFF", "CLASSMATE", " ", "errors", "list", "Q0AAAAAAAAAAAAAAAAAAAAAA"])) {
            wishes(&bytes);
        }
    }
}
