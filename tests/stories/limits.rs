//! Documents that would do harm: each is refused by name, before anything is carried out, and the server lives.

use poem::{Request, http::Method};
use serde_json::{Value, json};
use stoa_api::graphql::limits::price_table;
use stoa_testkit::{Answer, School, story};

const RESPONSE: &str = "application/graphql-response+json";

async fn post(school: &School, body: String) -> Answer {
    let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
    school.anybody().send(request.header("accept", RESPONSE).body(body)).await
}

async fn ask(school: &School, query: &str, variables: Value) -> Answer {
    post(school, json!({ "query": query, "variables": variables }).to_string()).await
}

/// The code of the one error, with the name of the limit if it is about one.
fn refusal(answer: &Answer) -> String {
    let json = answer.json();
    let errors = json["errors"].as_array().unwrap_or_else(|| panic!("no errors: {}", answer.text));
    assert_eq!(errors.len(), 1, "{}", answer.text);
    let extensions = &errors[0]["extensions"];
    let text = |name: &str| extensions[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("code"), text("limit")).trim().to_owned()
}

fn nested(open: &str, levels: usize, close: &str) -> String {
    open.repeat(levels) + &close.repeat(levels)
}

/// Each fragment uses the next one twice.
fn doubling(fragments: usize) -> String {
    let mut document = "{ ...F0 }".to_owned();
    for number in 0..fragments {
        let next = number + 1;
        document += &format!(" fragment F{number} on Query {{ ...F{next} ...F{next} }}");
    }
    document + &format!(" fragment F{fragments} on Query {{ __typename }}")
}

/// Each fragment uses the next one.
fn row(fragments: usize) -> String {
    let uses = numbered(fragments, |number| format!("fragment F{number} on Query {{ ...F{} }}", number + 1));
    format!("{{ ...F0 }} {uses} fragment F{fragments} on Query {{ __typename }}")
}

fn numbered(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(" ")
}

story! {
    async fn a_bomb_is_refused_by_name_and_the_server_lives(school) {
        let circle = "{ courses(first: 1) { nodes { ...A } } } fragment A on Course { prerequisites { ...B ...B } } fragment B on Course { prerequisites { ...A ...A } }";
        let ids = |count| numbered(count, |_| "\"x\"".to_owned());
        let bombs = [
            ("deep", format!("{{ course(slug: \"x\") {} }}", nested("{ prerequisites ", 40, "}").replacen('}', "{ id } }", 1)), "LIMIT_EXCEEDED depth"),
            ("ten thousand braces", nested("{ a ", 10_000, "}"), "LIMIT_EXCEEDED tokens"),
            ("a thousand braces", nested("{ a ", 1_000, "}"), "LIMIT_EXCEEDED brackets"),
            ("braces without end", "{a".repeat(4_000), "LIMIT_EXCEEDED brackets"),
            ("lists in lists", format!("{{ nodes(ids: {}) {{ id }} }}", nested("[", 3_000, "]")), "LIMIT_EXCEEDED brackets"),
            ("objects in objects", format!("{{ courses(first: 1, filter: {}) {{ nodes {{ id }} }} }}", nested("{ a: ", 1_500, "}")), "LIMIT_EXCEEDED brackets"),
            ("brackets behind a text without end", format!("{{ course(slug: [\"\"\"\" {}", "[".repeat(50_000)), "GRAPHQL_PARSE_FAILED"),
            ("texts without end, again and again", format!("{{ course(slug: \"\"\" {}", "\\\"\"\"\"\"x\"".repeat(20_000)), "GRAPHQL_PARSE_FAILED"),
            ("a hundred thousand tokens", format!("{{ {} }}", "a ".repeat(100_000)), "LIMIT_EXCEEDED tokens"),
            ("a long comment", format!("{{ __typename }} #{}", "x".repeat(300_000)), "LIMIT_EXCEEDED document_bytes"),
            ("aliases", format!("{{ {} }}", numbered(600, |n| format!("a{n}: __typename"))), "LIMIT_EXCEEDED aliases"),
            ("fields of Query", format!("{{ {} }}", "__typename ".repeat(101)), "LIMIT_EXCEEDED root_fields"),
            ("fields", format!("{{ me {{ {} }} }}", "id ".repeat(2_000)), "LIMIT_EXCEEDED fields"),
            ("directives on one field", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(6)), "LIMIT_EXCEEDED field_directives"),
            ("directives everywhere", format!("{{ me {{ {} }} }}", "id @skip(if: false) ".repeat(101)), "LIMIT_EXCEEDED directives"),
            ("fragments that double", doubling(40), "LIMIT_EXCEEDED fields"),
            ("fragments in fragments", row(150), "LIMIT_EXCEEDED levels"),
            ("fragments", format!("{{ __typename }} {}", numbered(201, |n| format!("fragment F{n} on Query {{ __typename }}"))), "LIMIT_EXCEEDED fragments"),
            ("a fragment that uses itself twice", "{ ...A } fragment A on Query { ...A ...A }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
            ("fragments that use each other twice", circle.to_owned(), "GRAPHQL_VALIDATION_FAILED"),
            ("variables", format!("query({}) {{ __typename }}", numbered(201, |n| format!("$v{n}: Int"))), "LIMIT_EXCEEDED variables"),
            ("ids", format!("{{ nodes(ids: [{}]) {{ id }} }}", ids(1_001)), "LIMIT_EXCEEDED list_items"),
            ("a default list", format!("query($ids: [ID!]! = [{}]) {{ nodes(ids: $ids) {{ id }} }}", ids(1_001)), "LIMIT_EXCEEDED list_items"),
            ("the schema of the schema", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned(), "LIMIT_EXCEEDED introspection"),
            ("a price", format!("{{ courses(first: 100) {{ nodes {{ {} id {} }} }} }}", "modules { lessons { course { ".repeat(3), "} } }".repeat(3)), "QUERY_TOO_EXPENSIVE"),
        ];
        for (name, query, refused) in bombs {
            let answer = ask(&school, &query, json!({})).await;
            assert_eq!(answer.status.as_u16(), 400, "{name}: {}", answer.text);
            assert_eq!(answer.json().get("data"), None, "{name}");
            assert_eq!(refusal(&answer), refused, "{name}: {}", answer.text);
            assert!(answer.text.len() < 2_000, "{name}: the answer is not a bomb itself");
        }
        assert_eq!(ask(&school, "{ __typename }", json!({})).await.json()["data"]["__typename"], "Query");
    }

    async fn variables_have_limits_too(school) {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let list = |count: usize| json!({ "ids": vec!["x"; count] });
        assert_eq!(refusal(&ask(&school, query, list(1_001)).await), "LIMIT_EXCEEDED list_items");
        let wide: serde_json::Map<_, _> = (0..10_001).map(|n| (format!("v{n}"), json!(n))).collect();
        assert_eq!(refusal(&ask(&school, query, Value::Object(wide)).await), "LIMIT_EXCEEDED variable_values");
        let deep = |levels: usize| format!("{{\"query\": \"{{ __typename }}\", \"variables\": {{\"a\": {}}}}}", nested("[", levels, "]"));
        assert_eq!(refusal(&post(&school, deep(30)).await), "LIMIT_EXCEEDED variable_depth");
        assert_eq!(refusal(&post(&school, deep(100_000)).await), "BAD_REQUEST");
        let answer = ask(&school, query, list(1_001)).await.json();
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!((&extensions["most"], &extensions["found"]), (&json!(1_000), &json!(1_001)));
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("the variable $ids has 1001 values"), "{answer}");
    }

    async fn numbers_at_the_borders_of_int_and_broken_texts_are_clean_errors(school) {
        let mut bodies = Vec::new();
        for number in ["2147483647", "2147483648", "-2147483648", "-2147483649", "1e400", "-1e400", "1e-400", "0x10", "00", "1.5", "9".repeat(400).as_str()] {
            bodies.push(format!("{{\"query\": \"{{ courses(first: {number}) {{ nodes {{ id }} }} }}\"}}"));
            bodies.push(format!("{{\"query\": \"query($n: Int) {{ courses(first: $n) {{ nodes {{ id }} }} }}\", \"variables\": {{\"n\": {number}}}}}"));
        }
        for text in [r"\ud800", r"\udc00\ud800", r"\\ud800", r"\\ud83d\\ude00", r"\\u12", r"\\q"] {
            bodies.push(format!("{{\"query\": \"{{ course(slug: \\\"{text}\\\") {{ id }} }}\"}}"));
            bodies.push(format!("{{\"query\": \"query($s: String!) {{ course(slug: $s) {{ id }} }}\", \"variables\": {{\"s\": \"{text}\"}}}}"));
        }
        let clean = ["BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"];
        for body in bodies {
            let answer = post(&school, body.clone()).await;
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{body}: {}", answer.text);
            for error in answer.json()["errors"].as_array().into_iter().flatten() {
                let code = error["extensions"]["code"].as_str().unwrap_or_default();
                assert!(clean.contains(&code), "{body}: {}", answer.text);
            }
        }
    }

    async fn a_query_that_is_too_dear_is_told_what_it_costs_and_what_of_it_most(school) {
        let query = "{ courses(first: 100) { nodes { modules { lessons { versions { version title } } } } } }";
        let answer = ask(&school, query, json!({})).await.json();
        let error = &answer["errors"][0];
        // 100 courses × 10 modules × 10 lessons × (1 + 5 versions × 3), and what leads there.
        assert_eq!(error, &Value::Null, "this costs less than 250,000");
        let query = query.replace("version title", "version title seconds text url");
        let answer = ask(&school, &query, json!({})).await.json();
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions["code"], "QUERY_TOO_EXPENSIVE");
        assert_eq!(extensions["cost"], 5 + 100 * (1 + 1 + 10 * (1 + 1 + 10 * (1 + 1 + 5 * 6))));
        assert_eq!((&extensions["most"], &extensions["field"]), (&json!(250_000), &json!("courses.nodes.modules.lessons.versions")));
        assert_eq!(extensions["fieldCost"], 100 * 10 * 10 * (1 + 5));
    }

    async fn what_a_document_costs_can_be_asked_without_running_it(school) {
        let explain = "query($d: String!, $v: JSON, $o: String) { explainCost(document: $d, variables: $v, operationName: $o) { total limit fields { path cost withSelection times share } limitsHit { limit most found message } } }";
        let document = "query A { topics { slug } } query B($n: Int!) { courses(first: $n) { nodes { title } } }";
        let answer = school.anybody().data_with(explain, json!({ "d": document, "v": { "n": 10 }, "o": "B" })).await;
        assert_eq!(answer["explainCost"]["total"], 25);
        assert_eq!(answer["explainCost"]["limit"], 250_000);
        assert_eq!(answer["explainCost"]["limitsHit"], json!([]));
        assert_eq!(answer["explainCost"]["fields"], json!([
            { "path": "courses.nodes", "cost": 10, "withSelection": 20, "times": 10, "share": 0.4 },
            { "path": "courses.nodes.title", "cost": 10, "withSelection": 10, "times": 10, "share": 0.4 },
            { "path": "courses", "cost": 5, "withSelection": 25, "times": 1, "share": 0.2 },
        ]));
        let answer = school.anybody().data_with(explain, json!({ "d": doubling(40) })).await;
        assert_eq!((&answer["explainCost"]["total"], &answer["explainCost"]["limitsHit"][0]["limit"]), (&Value::Null, &json!("fields")));
        for (document, variables) in [("{", json!(null)), (document, json!(null)), ("{ me { id } }", json!([1]))] {
            let answer = school.anybody().ask_with(explain, json!({ "d": document, "v": variables })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
        // A mutation is not carried out by asking what it costs.
        let answer = school.anybody().data_with(explain, json!({ "d": "mutation { revokeOtherSessions { userErrors { code } } }" })).await;
        assert_eq!(answer["explainCost"]["total"], 15);
    }
}

/// The committed document has the price list as the code has it.
#[test]
fn the_document_has_the_price_list() {
    let document = include_str!("../../docs/LIMITS.md");
    let table = price_table();
    assert!(document.contains(&table), "docs/LIMITS.md has another price list; it should have\n\n{table}");
}
