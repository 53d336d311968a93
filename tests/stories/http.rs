//! GraphQL over HTTP: what is asked, and how. `docs/HTTP.md` has the table that these stories hold.

use poem::{
    Request,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use stoa_testkit::{Answer, Client, story};

pub(crate) async fn post(client: &Client, body: impl Into<poem::Body>) -> Answer {
    let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
    client.send(request.body(body)).await
}

pub(crate) async fn get(client: &Client, parameters: &str, headers: &[(&str, &str)]) -> Answer {
    send(client, Method::GET, parameters, headers).await
}

pub(crate) async fn send(client: &Client, method: Method, parameters: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri_str(format!("/graphql?{parameters}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    client.send(request.finish()).await
}

/// Status, code and message of a refusal.
fn refusal(answer: &Answer) -> (u16, String, String) {
    let error = &answer.json()["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text(&error["extensions"]["code"]), text(&error["message"]))
}

fn says(answer: &Answer, status: u16, code: &str, words: &str) {
    let (found, named, message) = refusal(answer);
    assert_eq!((found, named.as_str()), (status, code), "{}", answer.text);
    assert!(message.contains(words), "{words:?} is not in {message:?}");
}

fn typename() -> Value {
    json!({ "data": { "__typename": "Query" } })
}

story! {
    async fn a_parameter_is_of_its_type_or_null(school) {
        let anybody = school.anybody();
        for (body, words) in [
            (r#"{"query":1}"#, "`query` must be a string; this is a number"),
            (r#"{"query":{}}"#, "`query` must be a string; this is an object"),
            (r#"{"query":null}"#, "there is no document"),
            (r#"{"qeury":"{__typename}"}"#, "there is no document"),
            (r#"{"query":"{__typename}","operationName":[]}"#, "`operationName` must be a string; this is a list"),
            (r#"{"query":"{__typename}","variables":"x"}"#, "`variables` must be an object; this is a string"),
            (r#"{"query":"{__typename}","variables":[1]}"#, "`variables` must be an object; this is a list"),
            (r#"{"query":"{__typename}","extensions":true}"#, "`extensions` must be an object; this is a boolean"),
            ("7", "must be a JSON object"),
            ("", "must be a JSON object"),
        ] {
            says(&post(anybody, body).await, 400, "BAD_REQUEST", words);
        }
        let nulls = r#"{"query":"{__typename}","operationName":null,"variables":null,"extensions":null,"unknown":[1]}"#;
        assert_eq!(post(anybody, nulls).await.json(), typename());
        says(&get(anybody, "query=%7B__typename%7D&variables=%5B1%5D", &[]).await, 400, "BAD_REQUEST", "`variables` must be an object");
        says(&get(anybody, "query=%7B__typename%7D&extensions=%22x%22", &[]).await, 400, "BAD_REQUEST", "`extensions` must be an object");
        let all = "query=query%20q%7B__typename%7D&operationName=q&variables=%7B%7D&extensions=%7B%7D&unknown=1&unknown=2";
        assert_eq!(get(anybody, all, &[]).await.json(), typename());
    }

    async fn what_stands_twice_is_refused_rather_than_guessed(school) {
        let anybody = school.anybody();
        for body in [
            r#"{"query":"{__typename}","query":"{ topics { slug } }"}"#,
            r#"{"query":"{__typename}","variables":{"a":{"b":1,"b":2}}}"#,
        ] {
            says(&post(anybody, body).await, 400, "BAD_REQUEST", "stands twice");
        }
        says(&get(anybody, "query=%7Ba%7D&query=%7Bb%7D", &[]).await, 400, "BAD_REQUEST", "`query` is there twice");
    }

    async fn json_that_nobody_means_is_refused(school) {
        let anybody = school.anybody();
        let deep = format!(r#"{{"query":"{{__typename}}","variables":{{"a":{}1{}}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        says(&post(anybody, deep).await, 400, "BAD_REQUEST", "recursion limit");
        says(&post(anybody, b"{\"query\":\"\xff\"}".to_vec()).await, 400, "BAD_REQUEST", "UTF-8");
        says(&get(anybody, "query=%ff", &[]).await, 400, "BAD_REQUEST", "not UTF-8");
        assert_eq!(post(anybody, b"\xef\xbb\xbf{\"query\":\"{__typename}\"}".to_vec()).await.json(), typename());
    }

    async fn a_list_of_queries_is_refused_and_told_what_to_do(school) {
        says(&post(school.anybody(), r#"[{"query":"{__typename}"},{"query":"{__typename}"}]"#).await, 400, "BAD_REQUEST", "a request of its own");
    }

    async fn a_page_of_somebody_else_can_send_no_form(school) {
        for (media_type, words) in [
            ("multipart/form-data; boundary=x", "no field takes an upload"),
            ("application/x-www-form-urlencoded", "Content-Type: application/json"),
            ("text/plain", "Content-Type: application/json"),
            ("text/plain; application/json", "Content-Type: application/json"),
            ("application/graphql", "Content-Type: application/json"),
            ("application/json; charset=utf-16", "UTF-8"),
        ] {
            let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type(media_type);
            let answer = school.anybody().send(request.body(r#"{"query":"{__typename}"}"#)).await;
            says(&answer, 415, "UNSUPPORTED_MEDIA_TYPE", words);
        }
        let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("Application/JSON; Charset=\"UTF-8\"");
        assert_eq!(school.anybody().send(request.body(r#"{"query":"{__typename}"}"#)).await.json(), typename());
    }

    async fn a_body_that_would_become_larger_is_refused(school) {
        for coding in ["gzip", "br", "zstd", "identity, gzip"] {
            let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
            let answer = school.anybody().send(request.header("content-encoding", coding).body(vec![0x1f, 0x8b])).await;
            says(&answer, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding");
            assert_eq!(answer.headers["accept-encoding"], "identity");
        }
    }

    async fn the_answer_comes_in_the_type_that_is_liked_best(school) {
        for (accept, media_type) in [
            ("application/graphql-response+json;q=0.8, application/json;q=0.9", "application/json; charset=utf-8"),
            ("application/graphql-response+json;q=0.9, application/json;q=0.8", "application/graphql-response+json; charset=utf-8"),
            ("*/*", "application/json; charset=utf-8"),
            ("application/json;q=0, */*;q=0.1", "application/graphql-response+json; charset=utf-8"),
        ] {
            let answer = get(school.anybody(), "query=%7B__typename%7D", &[("accept", accept)]).await;
            assert_eq!((answer.status, answer.media_type.as_str()), (StatusCode::OK, media_type), "{accept}");
        }
        let answer = get(school.anybody(), "query=%7B__typename%7D", &[("accept", "application/json;q=0")]).await;
        says(&answer, 406, "NOT_ACCEPTABLE", "application/graphql-response+json");
    }

    async fn each_method_does_what_it_is_for(school) {
        let anybody = school.anybody();
        let query = "query=%7B__typename%7D";
        let got = get(anybody, query, &[]).await;
        let head = send(anybody, Method::HEAD, query, &[]).await;
        assert_eq!((head.status, head.text.as_str(), &head.media_type), (StatusCode::OK, "", &got.media_type));
        assert_eq!(head.headers["content-length"], got.text.len().to_string());
        let options = send(anybody, Method::OPTIONS, "", &[]).await;
        assert_eq!((options.status.as_u16(), &options.headers["allow"]), (204, &"GET, HEAD, POST, OPTIONS".parse().unwrap()));
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = send(anybody, method, query, &[]).await;
            says(&answer, 405, "METHOD_NOT_ALLOWED", "GET or POST");
            assert_eq!(answer.headers["allow"], "GET, HEAD, POST, OPTIONS");
        }
        for method in [Method::GET, Method::HEAD] {
            let answer = send(anybody, method, "query=mutation%20%7B__typename%7D", &[]).await;
            assert_eq!((answer.status.as_u16(), &answer.headers["allow"]), (405, &"POST".parse().unwrap()));
        }
    }

    async fn a_subscription_is_told_where_its_events_come(school) {
        let query = r#"{"query":"subscription { postAdded(threadId: \"x\") { __typename } }"}"#;
        let answer = post(school.anybody(), query).await;
        says(&answer, 400, "BAD_REQUEST", "text/event-stream");
        says(&answer, 400, "BAD_REQUEST", "graphql-transport-ws");
    }

    async fn an_address_that_is_not_there_is_told_in_json(school) {
        let at = async |method: Method, path: &'static str| {
            school.anybody().send(Request::builder().method(method).uri_str(path).finish()).await
        };
        says(&at(Method::GET, "/nowhere/at/all").await, 404, "NOT_FOUND", "/graphql");
        for (path, allowed) in [("/healthz", "GET, HEAD"), ("/mail/unsubscribe", "GET, HEAD, POST")] {
            let answer = at(Method::DELETE, path).await;
            says(&answer, 405, "METHOD_NOT_ALLOWED", allowed);
            assert_eq!(answer.headers["allow"], allowed);
        }
    }

    async fn no_answer_can_be_taken_for_a_page_or_a_script(school) {
        for path in ["/graphql?query=%7B__typename%7D", "/readyz", "/nowhere/at/all", "/"] {
            let answer = school.anybody().send(Request::builder().uri_str(path).finish()).await;
            let header = |name| answer.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(header("referrer-policy"), Some("no-referrer"), "{path}");
            assert_eq!(header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
            assert!(header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")), "{path}");
            assert_eq!(header("strict-transport-security"), None, "{path}: only TLS can promise TLS");
        }
    }
}
