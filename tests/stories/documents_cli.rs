//! `stoa documents`: manifests as the clients' builds write them, from the command line.

use std::{fs, path::Path};

use serde_json::{Value, json};
use stoa_api::documents::model::TextHash;
use tempfile::TempDir;

use crate::process::{Running, stoa_does, text};

const TOPICS: &str = "query Topics { topics { slug } }";
const COURSES: &str = "query Courses { courses(first: 3) { nodes { title } } }";

fn write(folder: &TempDir, name: &str, manifest: &Value) {
    fs::write(folder.path().join(name), manifest.to_string()).unwrap();
}

fn does(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = stoa_does(folder, arguments);
    (output.status.code(), text(&output))
}

#[test]
fn manifests_of_relay_codegen_and_apollo_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = folder.path();
    assert_eq!(does(in_folder, &["migrate"]).0, Some(0));
    write(&folder, "relay.json", &json!({ "0b1c2d3e4f": TOPICS }));
    let prefixed = format!("sha256:{}", TextHash::of(COURSES));
    write(&folder, "persisted-documents.json", &json!({ &prefixed: COURSES }));
    write(
        &folder,
        "apollo.json",
        &json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": TextHash::of(TOPICS).to_string(), "name": "Topics", "type": "query", "body": TOPICS }] }),
    );
    let (code, said) = does(in_folder, &["documents", "add", "relay.json", "--dry-run"]);
    assert!(code == Some(0) && said.contains("1 document would be added from relay; 0 there already"), "{said}");
    for (file, source) in
        [("relay.json", "relay"), ("persisted-documents.json", "web-1.4.0"), ("apollo.json", "apollo")]
    {
        let (code, said) = does(in_folder, &["documents", "add", file, "--source", source]);
        assert!(code == Some(0) && said.contains(&format!("1 document added from {source}; 0 there")), "{said}");
    }
    let (_, said) = does(in_folder, &["documents", "add", "relay.json"]);
    assert!(said.contains("0 documents added from relay; 1 there already"), "{said}");
    let (code, said) = does(in_folder, &["documents", "list"]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("0b1c2d3e4f  Topics  32 bytes  added ") && said.contains("last used never  from relay"),
        "{said}"
    );
    assert!(said.contains(&prefixed) && said.contains("from web-1.4.0") && said.contains("3 documents"), "{said}");
    // They are newer than that.
    let (_, said) = does(in_folder, &["documents", "list", "--unused-since", "2020-01-01"]);
    assert!(said.contains("0 documents"), "{said}");
    let (code, said) = does(in_folder, &["documents", "remove", "0b1c2d3e4f", "unknown"]);
    assert!(code == Some(0) && said.contains("1 document removed"), "{said}");
    assert_eq!(does(in_folder, &["documents", "remove", "unknown"]).0, Some(1));
    assert_eq!(does(in_folder, &["documents", "remove"]).0, Some(2));
    let (code, said) = does(in_folder, &["documents", "remove", "--source", "apollo"]);
    assert!(code == Some(0) && said.contains("1 document removed"), "{said}");
    let (code, said) = does(in_folder, &["documents", "remove", "--source", "apollo"]);
    assert!(code == Some(1) && said.contains("no document comes from apollo"), "{said}");
}

#[test]
fn a_manifest_with_flaws_is_refused_as_a_whole_and_each_flaw_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = folder.path();
    assert_eq!(does(in_folder, &["migrate"]).0, Some(0));
    write(
        &folder,
        "manifest.json",
        &json!({ "good": TOPICS, "syntax": "query {\n  topics {", "unknown": "query A {\n  topics { slug }\n  nothing\n}",
            "several": "subscription S { nextCoursesChanged { id } progressChanged(courseId: 7) { progress } }" }),
    );
    let (code, said) = does(in_folder, &["documents", "add", "manifest.json"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("nothing taken, 3 things are wrong"), "{said}");
    assert!(said.contains("syntax, line 2, column ") && said.contains("can't be parsed"), "{said}");
    assert!(said.contains("unknown, line 3, column 3: Unknown field \"nothing\""), "{said}");
    assert!(said.contains("several, line 1, column ") && said.contains("exactly one field"), "{said}");
    assert!(does(in_folder, &["documents", "list"]).1.contains("0 documents"));
    let (code, said) = does(in_folder, &["documents", "add", "missing.json"]);
    assert!(code == Some(1) && said.contains("missing.json can't be read"), "{said}");
}

#[test]
fn a_frontends_build_checks_its_documents_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "good.json", &json!({ "a": TOPICS, "b": COURSES }));
    let (code, said) = does(folder.path(), &["documents", "check", "good.json"]);
    assert!(code == Some(0) && said.contains("2 documents can be carried out"), "{said}");
    write(&folder, "bad.json", &json!({ "a": "{ topics { slug, size } }" }));
    let (code, said) = does(folder.path(), &["documents", "check", "bad.json"]);
    assert!(code == Some(3) && said.contains("a, line 1, column 18: Unknown field \"size\""), "{said}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_server_that_could_answer_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(does(folder.path(), &["migrate"]).0, Some(0));
    fs::write(folder.path().join("stoa.toml"), "[documents]\nonly_trusted = true\n").unwrap();
    let running = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(running.log.lock().unwrap().contains("there are none: add some with `stoa documents add`"));
}
