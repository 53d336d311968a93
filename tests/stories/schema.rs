//! The schema as frontend teams read it.

use std::{env, fs, path::Path};

use serde_json::Value;
use stoa_api::{access, graphql};
use stoa_testkit::story;

/// The committed schema is the one that is served. `stoa schema` prints it.
#[test]
fn the_committed_schema_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let committed = fs::read_to_string(&file).unwrap_or_default();
    if committed != graphql::sdl() {
        let differs = committed.lines().zip(graphql::sdl().lines()).position(|(a, b)| a != b);
        panic!(
            "schema.graphql is stale (from line {}): mend it with\n\n    cargo run -- schema > schema.graphql\n",
            differs.map_or_else(|| committed.lines().count() + 1, |line| line + 1)
        );
    }
}

/// The committed document is the policy's. `stoa authorization` prints it.
#[test]
fn the_committed_policy_document_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/AUTHORIZATION.md");
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == access::document(),
        "docs/AUTHORIZATION.md is stale: mend it with\n\n    cargo run -- authorization > docs/AUTHORIZATION.md\n"
    );
}

story! {
    async fn everything_in_the_schema_is_described(school) {
        let query = "{ __schema { directives { name description args { name description } }
            types { name kind description fields(includeDeprecated: true) { name description args { name description } }
            inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";
        let data = school.anybody().data(query).await;
        let mut bare = Vec::new();
        let is_bare = |thing: &Value| thing["description"].as_str().is_none_or(|text| text.trim().is_empty());
        for directive in data["__schema"]["directives"].as_array().unwrap() {
            let name = directive["name"].as_str().unwrap();
            // Those of the specification describe themselves.
            if is_bare(directive) {
                bare.push(format!("@{name}"));
            }
            for argument in directive["args"].as_array().into_iter().flatten() {
                if name == "personal" && is_bare(argument) {
                    bare.push(format!("@{name}({})", argument["name"].as_str().unwrap()));
                }
            }
        }
        for ty in data["__schema"]["types"].as_array().unwrap() {
            let name = ty["name"].as_str().unwrap();
            if name.starts_with("__") || (ty["kind"] == "SCALAR" && name != "DateTime") {
                continue;
            }
            if is_bare(ty) {
                bare.push(name.to_owned());
            }
            for part in ["fields", "inputFields", "enumValues"] {
                for member in ty[part].as_array().into_iter().flatten() {
                    if is_bare(member) {
                        bare.push(format!("{name}.{}", member["name"].as_str().unwrap()));
                    }
                    for argument in member["args"].as_array().into_iter().flatten().filter(|argument| is_bare(argument)) {
                        bare.push(format!("{name}.{}({})", member["name"].as_str().unwrap(), argument["name"].as_str().unwrap()));
                    }
                }
            }
        }
        assert!(bare.is_empty(), "without a description: {bare:?}");
    }
}

story! {
    /// Its form is docs/SCHEMA.md's: what to use instead, and until when it is there.
    async fn whatever_is_deprecated_says_what_to_use_and_until_when_it_is_there(school) {
        let query = "{ __schema { types { name fields(includeDeprecated: true) { name deprecationReason isDeprecated }
            enumValues(includeDeprecated: true) { name deprecationReason isDeprecated } } } }";
        let data = school.anybody().data(query).await;
        let mut reasons = Vec::new();
        for ty in data["__schema"]["types"].as_array().unwrap() {
            for member in ["fields", "enumValues"].into_iter().flat_map(|part| ty[part].as_array().into_iter().flatten()) {
                if member["isDeprecated"] == true {
                    let name = format!("{}.{}", ty["name"].as_str().unwrap(), member["name"].as_str().unwrap());
                    reasons.push((name, member["deprecationReason"].as_str().unwrap_or_default().to_owned()));
                }
            }
        }
        // Arguments and fields of inputs are found in the text only.
        assert_eq!(graphql::sdl().matches(" @deprecated").count(), reasons.len(), "deprecate fields and enum values");
        assert!(!reasons.is_empty());
        for (name, reason) in reasons {
            let date = reason.rsplit_once(" Removal after ").and_then(|(_, date)| date.strip_suffix('.'));
            let date = date.unwrap_or_else(|| panic!("{name}: the reason must end with `Removal after 2027-06-30.`: {reason}"));
            let (year, rest) = date.split_once('-').unwrap_or_default();
            let (month, day) = rest.split_once('-').unwrap_or_default();
            let number = |text: &str, digits: usize| (text.len() == digits).then(|| text.parse::<u32>().ok()).flatten();
            let is_date = number(year, 4).is_some_and(|year| (2026..2100).contains(&year))
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day));
            assert!(is_date, "{name}: {date} is no date");
            assert!(reason.starts_with("Use `"), "{name}: begin with what to use instead, as in \"Use `nextCourses`\": {reason}");
            assert!(!reason.contains(['"', '\\']), "{name}: the printer does not escape quotes: {reason}");
        }
    }

    async fn whoever_asks_for_what_is_deprecated_is_told_in_the_answer(school) {
        let mei = school.person("mei").await;
        let used = |answer: &Value| answer["extensions"]["deprecations"].clone();
        let answer = mei.ask("{ me { name ...more } } fragment more on Person { recommendations(first: 1) { score } }").await;
        assert_eq!(answer["data"]["me"]["name"], "Mei Tanaka");
        let told = used(&answer);
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{answer}");
        assert_eq!(told[0]["path"], "Person.recommendations");
        assert_eq!(told[0]["removeAfter"], "2027-06-30");
        assert!(told[0]["reason"].as_str().unwrap().starts_with("Use `nextCourses"), "{told}");
        for query in ["{ me { nextCourses(first: 1) { items { score } } } }", "{ me { recommendations(first: 1) { unknown } } }"] {
            assert_eq!(used(&mei.ask(query).await), Value::Null, "{query}");
        }
        // Only what the operation does that is carried out.
        let body = serde_json::json!({ "operationName": "b", "query": "query a { me { recommendations { score } } } query b { me { name } }" });
        let request = poem::Request::builder().method(poem::http::Method::POST).uri_str("/graphql").content_type("application/json");
        assert_eq!(used(&mei.send(request.body(body.to_string())).await.json()), Value::Null);
    }
}

/// The fields that the schema marks as personal are the fields of the policy, with the same categories.
#[test]
fn the_schema_marks_exactly_the_fields_of_the_policy() {
    let sdl = graphql::sdl();
    let (mut marked, mut ty, mut field) = (Vec::new(), String::new(), String::new());
    for line in sdl.lines() {
        if let Some(rest) = line.strip_prefix("type ") {
            rest.split([' ', '{']).next().unwrap().clone_into(&mut ty);
        } else if line.starts_with("  ")
            && !line.starts_with("   ")
            && !line.trim_start().starts_with('"')
            && !line.starts_with("  )")
        {
            line.trim().split(['(', ':']).next().unwrap().clone_into(&mut field);
        }
        if let Some((_, rest)) = line.split_once("@personal(category: ")
            && line.starts_with("  ")
        {
            marked.push(format!("{ty}.{field} {}", rest.split(',').next().unwrap()));
        }
    }
    let mut policy: Vec<_> =
        access::FIELDS.iter().map(|(ty, name, category)| format!("{ty}.{name} {}", category.as_str())).collect();
    marked.sort();
    policy.sort();
    assert_eq!(marked, policy);
}

/// No query leads to a subscription, so the table of what each kind of viewer sees has no row for it: a story must tell it.
#[test]
fn every_subscription_is_told_in_a_story() {
    let sdl = graphql::sdl();
    let body = sdl.split("\ntype Subscription {").nth(1).unwrap().split("\n}").next().unwrap();
    // Every second part is a description.
    let names: Vec<_> = body
        .split("\"\"\"")
        .step_by(2)
        .flat_map(str::lines)
        .filter(|line| line.starts_with("  ") && !line.starts_with("   ") && !line.starts_with("  )"))
        .filter_map(|line| line.trim().split(['(', ':']).next())
        .filter(|name| name.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
    let stories: String =
        fs::read_dir(stories).unwrap().filter_map(|file| fs::read_to_string(file.unwrap().path()).ok()).collect();
    for name in names {
        // What comes of it is looked at, not only that it is asked for.
        assert!(stories.contains(&format!("[\"{name}\"]")), "no story tells {name}");
    }
}
