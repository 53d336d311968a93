//! What any GraphQL client relies on.

use poem::{
    Request,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use stoa_api::{app::Settings, graphql::limits::LimitSettings};
use stoa_testkit::{Answer, School, story};

const RESPONSE: &str = "application/graphql-response+json";

async fn post(school: &School, accept: &str, body: &'static str) -> Answer {
    let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
    school.anybody().send(request.header("accept", accept).body(body)).await
}

async fn get(school: &School, query: &str) -> Answer {
    school.anybody().send(Request::builder().uri_str(format!("/graphql?{query}")).finish()).await
}

story! {
    async fn a_field_that_errs_is_null_its_neighbours_live_and_keys_keep_their_order(school) {
        let query = "{ z: topics { slug } courses(first: 1000) { nodes { id } } a: course(slug: \"living-soil\") { title wrong: forum { threads { nodes { id } } } slug } }";
        let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
        let body = json!({ "query": query }).to_string();
        let answer = school.person("mei").await.send(request.body(body)).await;
        assert_eq!(answer.status, StatusCode::OK);
        let json = answer.json();
        assert_eq!(json["data"]["courses"], Value::Null);
        assert_eq!(json["data"]["a"], json!({ "title": "Living Soil", "wrong": null, "slug": "living-soil" }));
        let paths: Vec<_> = json["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
        assert!(paths.contains(&json!(["courses"])) && paths.contains(&json!(["a", "wrong", "threads"])), "{paths:?}");
        let places: Vec<_> = ["\"z\"", "\"courses\":null", "\"a\"", "\"title\"", "\"wrong\":null", "\"slug\":\"living-soil\""]
            .into_iter()
            .map(|key| answer.text.rfind(key).unwrap_or_else(|| panic!("{key} is missing in {}", answer.text)))
            .collect();
        assert!(places.is_sorted(), "keys come in the order asked: {}", answer.text);
    }

    async fn the_status_tells_whether_the_request_was_carried_out(school) {
        for (body, carried_out) in [
            (r#"{"query":"{ __typename }"}"#, true),
            (r#"{"query":"{ courses(first: -1) { nodes { id } } }"}"#, true),
            (r#"{"query":"{"}"#, false),
            (r#"{"query":"{ unknown }"}"#, false),
            (r#"{"query":"query($n: Int!) { courses(first: $n) { nodes { id } } }","variables":{"n":"many"}}"#, false),
            (r#"{"query":"query($n: Int!) { courses(first: $n) { nodes { id } } }"}"#, false),
            (r#"{"query":"query a { __typename } query b { __typename }"}"#, false),
        ] {
            let answer = post(&school, RESPONSE, body).await;
            assert_eq!(answer.media_type, format!("{RESPONSE}; charset=utf-8"));
            assert_eq!(answer.status.as_u16(), if carried_out { 200 } else { 400 }, "{body}: {}", answer.text);
            assert_eq!(answer.json().get("data").is_some(), carried_out, "{body}: {}", answer.text);
            if !carried_out {
                assert!(answer.json()["errors"][0]["extensions"]["code"].is_string(), "{}", answer.text);
            }
            assert_eq!(post(&school, "application/json", body).await.status, StatusCode::OK, "{body}");
        }
    }

    async fn get_reads_and_never_writes(school) {
        assert_eq!(get(&school, "query=%7B%20__typename%20%7D").await.json(), json!({ "data": { "__typename": "Query" } }));
        // Also one with a name, whether or not it is called by it: the parser tells these apart.
        for query in ["mutation%20%7B__typename%7D", "mutation%20Out%20%7B__typename%7D", "mutation%20Out%20%7B__typename%7D&operationName=Out"] {
            let answer = get(&school, &format!("query={query}")).await;
            assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("METHOD_NOT_ALLOWED")), "{query}");
        }
        assert_eq!(get(&school, "variables=%7B%7D").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(get(&school, "query=%7B__typename%7D&variables=x").await.status, StatusCode::BAD_REQUEST);
    }

    async fn what_is_no_graphql_request_is_refused_by_name(school) {
        let send = async |method: Method, media_type: &str, body: Vec<u8>| {
            let request = Request::builder().method(method).uri_str("/graphql").header("content-type", media_type);
            school.anybody().send(request.body(body)).await
        };
        let query = br#"{"query":"{ __typename }"}"#.to_vec();
        assert_eq!(send(Method::POST, "application/json; charset=utf-8", query.clone()).await.status, 200);
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
            assert_eq!(send(Method::POST, media_type, query.clone()).await.status, 415, "{media_type}");
        }
        assert_eq!(send(Method::DELETE, "application/json", query.clone()).await.status, 405);
        for body in [&b"not json"[..], b"[]", b"{}", b"\xff\xfe", br#"{"query":1}"#, br#"{"query":"{__typename}","variables":[]}"#] {
            let answer = send(Method::POST, "application/json", body.to_vec()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["extensions"]["code"]), (400, &json!("BAD_REQUEST")), "{}", answer.text);
        }
        let answer = send(Method::POST, "application/json", vec![b' '; (1 << 20) + 1]).await;
        assert_eq!(answer.status, 413);
        let request = Request::builder().uri_str("/graphql?query=%7B__typename%7D").header("accept", "text/html");
        assert_eq!(school.anybody().send(request.finish()).await.status, 406);
    }

    async fn a_nul_in_a_text_is_refused_before_a_database_sees_it(school) {
        for body in [r#"{"query":"{ course(slug: \"a\\u0000\") { id } }"}"#, r#"{"query":"query($s: String!) { course(slug: $s) { id } }","variables":{"s":"a\u0000"}}"#] {
            let answer = post(&school, RESPONSE, body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["extensions"]["code"]), (400, &json!("BAD_REQUEST")), "{body}: {}", answer.text);
        }
    }

    async fn an_answer_carries_the_id_under_which_the_log_knows_it(school) {
        let ask = async |id: &'static str| {
            let request = Request::builder().uri_str("/graphql?query=%7B__typename%7D").header("x-request-id", id);
            school.anybody().send(request.finish()).await.request_id
        };
        assert_eq!(ask("order-66").await, "order-66");
        let made = [ask("has spaces").await, ask("").await];
        assert!(made.iter().all(|id| id.len() > 16 && !id.contains(' ')) && made[0] != made[1], "{made:?}");
    }

    async fn a_query_deeper_than_any_screen_is_refused(school) {
        let deep = |levels: usize| {
            let nested = "{ prerequisites ".repeat(levels) + "{ id }" + &"}".repeat(levels);
            format!("{{ course(slug: \"living-soil\") {nested} }}")
        };
        school.anybody().data(&deep(10)).await;
        let answer = school.anybody().ask(&deep(27)).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("too deep"), "{answer}");
        assert_eq!(answer.get("data"), None);
    }

    async fn a_short_query_that_goes_round_in_circles_is_stopped(school) {
        // Where the price does not stop it: see limits.rs.
        let limits = LimitSettings {
            cost: u64::MAX, anonymous_budget: u64::MAX, program_share: 100, ..LimitSettings::default()
        };
        let school = school.under(Settings { limits, ..Settings::default() }).await;
        let circles = "modules { lessons { id } course { ".repeat(8);
        let query = format!("{{ courses(first: 3) {{ nodes {{ {circles} id {} }} }} }}", "} }".repeat(8));
        let many: Vec<_> = (0..40).map(|n| format!("a{n}: {}", &query[1..query.len() - 1])).collect();
        let answer = school.anybody().ask(&format!("{{ {} }}", many.join(" "))).await;
        let codes: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|error| &error["extensions"]["code"]).collect();
        assert!(codes.contains(&&json!("ANSWER_TOO_LARGE")), "{codes:?}");
    }

    async fn the_query_page_needs_nothing_from_elsewhere(school) {
        let page = school.anybody().send(Request::builder().uri_str("/").finish()).await;
        assert_eq!((page.status.as_u16(), page.media_type.as_str()), (200, "text/html; charset=utf-8"));
        let mut files: Vec<_> = page.text.split('"').filter(|part| part.starts_with("console/")).map(str::to_owned).collect();
        assert!(files.len() >= 2, "{files:?}");
        let mut read = 0;
        while let Some(file) = files.get(read).cloned() {
            let answer = school.anybody().send(Request::builder().uri_str(format!("/{file}")).finish()).await;
            assert_eq!(answer.status, 200, "{file}");
            assert!(!answer.text.contains("https://cdn") && !answer.text.contains("unpkg"), "{file}");
            for line in answer.text.lines().filter(|line| line.contains("from \"./") || line.starts_with("import \"./")) {
                let name = line.split("\"./").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
                let name = format!("console/{name}");
                if !files.contains(&name) {
                    files.push(name);
                }
            }
            read += 1;
        }
    }

    async fn every_example_of_the_query_page_runs(school) {
        let examples: Value = serde_json::from_str(stoa_api::http::examples()).unwrap();
        let mei = school.person("mei").await;
        let mut ran = 0;
        for example in examples.as_array().unwrap() {
            let query = example["query"].as_str().unwrap();
            let names: Vec<_> = query
                .lines()
                .filter_map(|line| line.strip_prefix("query ").or_else(|| line.strip_prefix("mutation ")))
                .map(|rest| rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap())
                .collect();
            assert!(!names.is_empty(), "{query}");
            for name in names {
                let body = json!({ "query": query, "operationName": name, "variables": example["variables"] }).to_string();
                let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
                let answer = mei.send(request.header("accept", RESPONSE).body(body)).await;
                assert_eq!(answer.status, StatusCode::OK, "{}, {name}: {}", example["title"], answer.text);
                ran += 1;
            }
        }
        assert!(ran >= 6, "{ran} operations");
    }

    async fn operators_are_told_whether_the_server_lives_and_is_ready(school) {
        let alive = school.anybody().send(Request::builder().uri_str("/healthz").finish()).await;
        assert_eq!((alive.status.as_u16(), alive.text.as_str()), (200, "alive\n"));
        let ready = school.anybody().send(Request::builder().uri_str("/readyz").finish()).await;
        assert_eq!((ready.status.as_u16(), &ready.json()["ready"], &ready.json()["database"]), (200, &json!(true), &json!("ok")));
        school.app.db.close().await;
        let ready = school.anybody().send(Request::builder().uri_str("/readyz").finish()).await;
        assert_eq!((ready.status.as_u16(), &ready.json()["ready"]), (503, &json!(false)));
        let answer = school.anybody().ask("{ topics { slug } __typename }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
        assert_eq!(answer["data"], json!({ "topics": null, "__typename": "Query" }));
    }
}
