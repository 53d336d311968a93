//! Documents by id and by hash: what clients send instead of a query's text.

use poem::{
    Request,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use stoa_api::{
    app::Settings,
    documents::{
        DocumentSettings,
        model::{Added, Checked, TextHash},
    },
    time::Timestamp,
};
use stoa_testkit::{Answer, Client, School, Server, story};

const TOPICS: &str = "query Topics { topics { slug } }";
const NEVER_SEEN: &str = "query NeverSeen { topics { name } }";
const SCHEMA: &str = "query Schema { __schema { queryType { name } } }";

fn hash(text: &str) -> String {
    TextHash::of(text).to_string()
}

/// What Apollo's clients add to a request.
fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn post(client: &Client, body: &Value) -> Answer {
    let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
    client.send(request.body(body.to_string())).await
}

async fn by_get(client: &Client, parameters: &[(&str, String)]) -> Answer {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    client.send(Request::builder().uri_str(format!("/graphql?{}", query.join("&"))).finish()).await
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or("no error").to_owned()
}

fn message(answer: &Answer) -> String {
    answer.json()["errors"][0]["message"].as_str().unwrap_or("no error").to_owned()
}

/// The installation decides so.
fn settings(documents: DocumentSettings) -> Settings {
    Settings { documents, ..Settings::default() }
}

fn checked(id: &str, text: &str) -> Checked {
    Checked { id: id.to_owned(), text: text.to_owned(), operations: Vec::new() }
}

async fn trust(school: &School, documents: &[(&str, &str)]) {
    let documents: Vec<_> = documents.iter().map(|(id, text)| checked(id, text)).collect();
    school.app.documents.add("story", &documents, false).await.unwrap().unwrap();
}

story! {
    async fn a_client_sends_the_hash_alone_once_the_server_has_seen_the_text(school) {
        let anybody = school.anybody();
        let hash = hash(TOPICS);
        let alone = json!({ "extensions": persisted(&hash) });
        let answer = post(anybody, &alone).await;
        // Clients look at the code or the message, and older ones take another status for a broken server.
        assert_eq!((answer.status, code(&answer), message(&answer)),
            (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND".to_owned(), "PersistedQueryNotFound".to_owned()));
        let answer = post(anybody, &json!({ "query": TOPICS, "extensions": persisted(&hash) })).await;
        assert_eq!(answer.json()["data"], anybody.data(TOPICS).await);
        assert_eq!(post(anybody, &alone).await.json(), answer.json());
        // By GET, as with `useGETForHashedQueries`.
        let got = by_get(anybody, &[("extensions", persisted(&hash).to_string()), ("operationName", "Topics".to_owned())]).await;
        assert_eq!(got.json(), answer.json());
    }

    async fn a_hash_is_kept_from_a_get_as_well(school) {
        let (anybody, hash) = (school.anybody(), hash(TOPICS));
        let both = [("query", TOPICS.to_owned()), ("extensions", persisted(&hash).to_string())];
        assert_eq!(by_get(anybody, &both).await.status, StatusCode::OK);
        assert!(post(anybody, &json!({ "extensions": persisted(&hash) })).await.json()["data"]["topics"].is_array());
    }

    async fn a_text_under_a_false_hash_is_refused_and_not_kept(school) {
        let (anybody, false_hash) = (school.anybody(), hash("query Other { topics { slug } }"));
        let answer = post(anybody, &json!({ "query": TOPICS, "extensions": persisted(&false_hash) })).await;
        assert_eq!((answer.status, code(&answer)), (StatusCode::BAD_REQUEST, "BAD_REQUEST".to_owned()));
        for hash in [false_hash, hash(TOPICS)] {
            assert_eq!(code(&post(anybody, &json!({ "extensions": persisted(&hash) })).await), "PERSISTED_QUERY_NOT_FOUND");
        }
    }

    async fn what_is_not_valid_or_too_long_is_not_kept(school) {
        let anybody = school.anybody();
        let long = format!("query Long {{ topics {{ slug }} }} # {}", "x".repeat(64 << 10));
        for text in ["query Bad { nothing }", "query {", &long] {
            post(anybody, &json!({ "query": text, "extensions": persisted(&hash(text)) })).await;
            let answer = post(anybody, &json!({ "extensions": persisted(&hash(text)) })).await;
            assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND", "{}", &text[..12]);
        }
    }

    async fn a_mutation_by_its_hash_is_no_more_for_get_than_by_its_text(school) {
        let mei = school.person("mei").await;
        let text = "mutation Out { signOut { signedOut } }";
        post(&mei, &json!({ "query": text, "extensions": persisted(&hash(text)) })).await;
        let answer = by_get(&mei, &[("extensions", persisted(&hash(text)).to_string())]).await;
        assert_eq!((answer.status, code(&answer)), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED".to_owned()));
        trust(&school, &[("out", text)]).await;
        assert_eq!(by_get(&mei, &[("documentId", "out".to_owned())]).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }

    async fn a_mutation_with_a_name_is_not_for_get_either(school) {
        let mutation = ("query", "mutation Out { signOut { signedOut } }".to_owned());
        for parameters in [vec![mutation.clone()], vec![mutation, ("operationName", "Out".to_owned())]] {
            let answer = by_get(school.anybody(), &parameters).await;
            assert_eq!((answer.status, code(&answer)), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED".to_owned()));
        }
    }

    async fn hashes_work_on_a_websocket_too(school) {
        let server = Server::start(&school.app).await;
        let mut socket = server.socket_as(school.anybody()).await;
        let alone = json!({ "type": "subscribe", "id": "1", "payload": { "extensions": persisted(&hash(TOPICS)) } });
        socket.say(&alone).await;
        assert_eq!(socket.error("1").await[0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
        let both = json!({ "type": "subscribe", "id": "2",
            "payload": { "query": TOPICS, "extensions": persisted(&hash(TOPICS)) } });
        socket.say(&both).await;
        let answer = socket.answer("2").await;
        socket.hear().await;
        socket.say(&alone).await;
        assert_eq!(socket.answer("1").await, answer);
        socket.hear().await;
        trust(&school, &[("topics", TOPICS)]).await;
        socket.say(&json!({ "type": "subscribe", "id": "3", "payload": { "documentId": "topics" } })).await;
        assert_eq!(socket.answer("3").await, answer);
    }

    async fn where_keeping_is_off_clients_are_told_and_go_on_with_texts(school) {
        let school = school.under(settings(DocumentSettings { automatic: false, ..DocumentSettings::default() })).await;
        let anybody = school.anybody();
        let alone = json!({ "extensions": persisted(&hash(TOPICS)) });
        let answer = post(anybody, &alone).await;
        assert_eq!((answer.status, code(&answer), message(&answer)),
            (StatusCode::OK, "PERSISTED_QUERY_NOT_SUPPORTED".to_owned(), "PersistedQueryNotSupported".to_owned()));
        let answer = post(anybody, &json!({ "query": TOPICS, "extensions": persisted(&hash(TOPICS)) })).await;
        assert!(answer.json()["data"]["topics"].is_array());
        assert_eq!(code(&post(anybody, &alone).await), "PERSISTED_QUERY_NOT_SUPPORTED");
        // Trusted documents are found by their hash all the same.
        trust(&school, &[("topics", TOPICS)]).await;
        assert_eq!(post(anybody, &alone).await.json(), answer.json());
    }

    async fn a_request_that_contradicts_itself_is_refused(school) {
        let anybody = school.anybody();
        let hash = hash(TOPICS);
        for (body, says) in [
            (json!({ "query": TOPICS, "documentId": "a" }), "not both"),
            (json!({ "documentId": "a", "extensions": persisted(&hash) }), "two documents"),
            (json!({ "documentId": "a b" }), "`documentId` is 1 to 128"),
            (json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": hash } } }), "version"),
            (json!({ "extensions": { "persistedQuery": { "version": 1 } } }), "sha256Hash"),
            (json!({ "extensions": { "persistedQuery": 7 } }), "version"),
            (json!({ "extensions": { "other": 7 } }), "there is no document"),
            (json!({}), "there is no document"),
        ] {
            let answer = post(anybody, &body).await;
            assert_eq!((answer.status, code(&answer)), (StatusCode::BAD_REQUEST, "BAD_REQUEST".to_owned()), "{body}");
            assert!(message(&answer).contains(says), "{body}: {}", message(&answer));
        }
        assert!(message(&by_get(anybody, &[]).await).contains("there is no document"));
    }

    async fn a_trusted_document_is_asked_for_by_its_id(school) {
        let mei = school.person("mei").await;
        let text = "query Course($slug: String!) { course(slug: $slug) { title } me { name } }";
        let prefixed = format!("sha256:{}", hash(text));
        trust(&school, &[("0123456789abcdef0123456789abcdef", text), (&prefixed, text)]).await;
        let variables = json!({ "slug": "compost" });
        let expected = mei.data_with(text, variables.clone()).await;
        for body in [
            json!({ "documentId": "0123456789abcdef0123456789abcdef", "variables": variables }),
            json!({ "documentId": prefixed, "variables": variables }),
            // One that was listed under another name is found by its hash as well.
            json!({ "documentId": hash(text), "variables": variables }),
            json!({ "documentId": prefixed, "query": "", "extensions": persisted(&hash(text)), "variables": variables }),
            json!({ "doc_id": "0123456789abcdef0123456789abcdef", "variables": variables }),
            json!({ "extensions": persisted("0123456789abcdef0123456789abcdef"), "variables": variables }),
        ] {
            assert_eq!(post(&mei, &body).await.json()["data"], expected, "{body}");
        }
        let got = by_get(&mei, &[("documentId", prefixed), ("variables", variables.to_string())]).await;
        assert_eq!(got.json()["data"], expected);
        let answer = post(&mei, &json!({ "documentId": "unknown" })).await;
        assert_eq!((answer.status, code(&answer)), (StatusCode::OK, "DOCUMENT_NOT_FOUND".to_owned()));
        let strict = mei.with_header("accept", "application/graphql-response+json");
        assert_eq!(post(&strict, &json!({ "documentId": "unknown" })).await.status, StatusCode::BAD_REQUEST);
    }

    async fn what_nobody_trusts_is_refused_where_only_trusted_documents_are_answered(school) {
        let only = DocumentSettings { only_trusted: true, ..DocumentSettings::default() };
        let school = school.under(settings(only)).await;
        trust(&school, &[("topics", TOPICS)]).await;
        let anybody = school.anybody();
        for body in [
            json!({ "query": NEVER_SEEN }),
            json!({ "query": NEVER_SEEN, "extensions": persisted(&hash(NEVER_SEEN)) }),
            json!({ "extensions": persisted(&hash(NEVER_SEEN)) }),
            json!({ "documentId": "unknown" }),
            json!({ "query": "{" }),
            json!({ "query": "{ __typename }" }),
        ] {
            let answer = post(anybody, &body).await;
            assert_eq!(code(&answer), "DOCUMENT_NOT_TRUSTED", "{body}");
            assert!(message(&answer).contains("stoa documents add"));
        }
        // One that is trusted is answered, however it is named.
        for body in [
            json!({ "documentId": "topics" }),
            json!({ "query": TOPICS }),
            json!({ "query": TOPICS, "extensions": persisted(&hash(TOPICS)) }),
            json!({ "extensions": persisted(&hash(TOPICS)) }),
        ] {
            assert!(post(anybody, &body).await.json()["data"]["topics"].is_array(), "{body}");
        }
        let server = Server::start(&school.app).await;
        let mut socket = server.socket_as(anybody).await;
        socket.subscribe("1", "subscription { nextCoursesChanged { id } }", json!({})).await;
        assert_eq!(socket.error("1").await[0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED");
    }

    async fn a_replica_takes_up_what_another_server_was_told(school) {
        let replica = school.replica().await;
        let elsewhere = Server::start(&replica).await;
        let mut socket = elsewhere.socket_as(school.anybody()).await;
        let by_id = json!({ "type": "subscribe", "id": "1", "payload": { "documentId": "topics" } });
        socket.say(&by_id).await;
        assert_eq!(socket.error("1").await[0]["extensions"]["code"], "DOCUMENT_NOT_FOUND");
        trust(&school, &[("topics", TOPICS)]).await;
        // What is not known is looked for again after a moment.
        school.clock.advance(1);
        socket.say(&by_id).await;
        assert!(socket.answer("1").await["data"]["topics"].is_array());
        socket.hear().await;
        // What is known is believed for two seconds.
        assert_eq!(school.app.documents.remove(vec!["topics".to_owned()]).await.unwrap(), 1);
        school.clock.advance(3);
        socket.say(&by_id).await;
        assert_eq!(socket.error("1").await[0]["extensions"]["code"], "DOCUMENT_NOT_FOUND");
    }

    async fn asking_for_unknown_documents_costs_the_database_nothing(school) {
        let anybody = school.anybody();
        post(anybody, &json!({ "documentId": "unknown" })).await;
        let before = school.app.db.statements();
        for number in 0..50 {
            post(anybody, &json!({ "documentId": format!("unknown-{number}") })).await;
            post(anybody, &json!({ "extensions": persisted(&hash(&number.to_string())) })).await;
        }
        assert_eq!(school.app.db.statements(), before);
    }

    async fn a_known_document_is_read_from_the_database_once(school) {
        let anybody = school.anybody();
        trust(&school, &[("nothing", "{ __typename }")]).await;
        post(anybody, &json!({ "documentId": "nothing" })).await;
        // That it was used today is noted behind the answer.
        while school.app.documents.list().await.unwrap()[0].used_on.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let before = school.app.db.statements();
        post(anybody, &json!({ "documentId": "nothing" })).await;
        assert_eq!(school.app.db.statements(), before);
    }

    async fn clients_cannot_push_trusted_documents_out_of_memory(school) {
        let least = DocumentSettings { memory_bytes: 1 << 20, ..DocumentSettings::default() };
        let school = school.under(settings(least)).await;
        let anybody = school.anybody();
        trust(&school, &[("nothing", "{ __typename }")]).await;
        post(anybody, &json!({ "documentId": "nothing" })).await;
        while school.app.documents.list().await.unwrap()[0].used_on.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        // Several times what there is room for.
        for number in 0..60 {
            let text = format!("{{ __typename }} # {number} {}", "x".repeat(4_000));
            post(anybody, &json!({ "query": text, "extensions": persisted(&hash(&text)) })).await;
        }
        let before = school.app.db.statements();
        assert_eq!(post(anybody, &json!({ "documentId": "nothing" })).await.json()["data"]["__typename"], "Query");
        assert_eq!(school.app.db.statements(), before);
    }

    async fn the_day_of_the_last_use_tells_what_can_go(school) {
        trust(&school, &[("old", NEVER_SEEN), ("used", TOPICS)]).await;
        school.clock.advance(3 * 86_400);
        post(school.anybody(), &json!({ "documentId": "used" })).await;
        let documents = &school.app.documents;
        let today = Timestamp::parse("2026-03-05").unwrap();
        while documents.list().await.unwrap()[1].used_on != Some(today) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let unused = documents.unused_since(today).await.unwrap();
        assert_eq!(unused.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), ["old"]);
        // What is newer than the day may not have had its chance.
        assert_eq!(documents.unused_since(Timestamp::parse("2026-03-01").unwrap()).await.unwrap(), []);
    }

    async fn adding_again_changes_nothing_and_another_text_is_refused(school) {
        let documents = &school.app.documents;
        let first = [checked("a", TOPICS), checked("b", NEVER_SEEN)];
        let added = documents.add("web-1", &first, false).await.unwrap();
        assert_eq!(added, Ok(Added { new: 2, known: 0 }));
        let list = documents.list().await.unwrap();
        assert_eq!(documents.add("web-1", &first, false).await.unwrap(), Ok(Added { new: 0, known: 2 }));
        assert_eq!(documents.list().await.unwrap(), list);
        let flaws = documents.add("web-2", &[checked("c", TOPICS), checked("b", TOPICS)], false).await.unwrap().unwrap_err();
        assert_eq!(flaws.len(), 1);
        assert!(flaws[0].to_string().starts_with("b: another text is trusted under this id"), "{}", flaws[0]);
        // All of them or none.
        assert_eq!(documents.list().await.unwrap(), list);
        assert_eq!(documents.add("web-2", &[checked("c", TOPICS)], true).await.unwrap(), Ok(Added { new: 1, known: 0 }));
        assert_eq!(documents.list().await.unwrap(), list);
        assert!(documents.add("", &first, false).await.unwrap().is_err());
    }

    async fn a_document_stays_as_long_as_one_release_has_it(school) {
        let documents = &school.app.documents;
        documents.add("web-1", &[checked("a", TOPICS), checked("b", NEVER_SEEN)], false).await.unwrap().unwrap();
        documents.add("web-2", &[checked("a", TOPICS)], false).await.unwrap().unwrap();
        assert_eq!(documents.list().await.unwrap()[0].sources, ["web-1", "web-2"]);
        assert_eq!(documents.remove_source("web-1").await.unwrap(), (2, 1));
        let left = documents.list().await.unwrap();
        assert_eq!(left.iter().map(|document| (document.id.as_str(), document.sources.clone())).collect::<Vec<_>>(),
            [("a", vec!["web-2".to_owned()])]);
        assert_eq!(documents.remove_source("web-1").await.unwrap(), (0, 0));
        assert_eq!(documents.remove_source("web-2").await.unwrap(), (1, 1));
    }

    async fn the_schema_is_not_told_where_introspection_is_off(school) {
        let off = DocumentSettings { introspection: false, ..DocumentSettings::default() };
        let school = school.under(settings(off)).await;
        let anybody = school.anybody();
        trust(&school, &[("schema", SCHEMA)]).await;
        for body in [
            json!({ "query": SCHEMA }),
            json!({ "query": "{ __type(name: \"Course\") { name } }" }),
            json!({ "query": "query A { ...F } query B { __typename } fragment F on Query { ... { s: __schema { __typename } } }",
                "operationName": "B" }),
            json!({ "documentId": "schema" }),
        ] {
            let answer = post(anybody, &body).await;
            assert_eq!(code(&answer), "INTROSPECTION_OFF", "{body}");
            assert!(answer.json()["errors"][0]["locations"].is_array());
        }
        let data = anybody.data("{ __typename topics { __typename } }").await;
        assert_eq!(data["__typename"], "Query");
    }

    async fn names_are_not_suggested_where_that_is_off(school) {
        let typo = "{ topicz { slug } }";
        let suggests = |answer: &Value| answer["errors"][0]["message"].as_str().unwrap().contains("topics");
        assert!(suggests(&school.anybody().ask(typo).await));
        let off = DocumentSettings { suggestions: false, ..DocumentSettings::default() };
        let school = school.under(settings(off)).await;
        assert!(!suggests(&school.anybody().ask(typo).await));
    }
}
