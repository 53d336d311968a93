//! What an operator sees of a server that runs: its figures, and whether it is ready.

use std::collections::BTreeSet;

use poem::{Endpoint as _, Request, http::StatusCode};
use serde_json::json;
use stoa_api::{
    app::{App, Settings},
    http,
    observe::{Cache, ObserveSettings},
};
use stoa_testkit::{School, Server, Socket, story};

/// The figures as Prometheus gets them.
async fn scraped(app: &App) -> String {
    let request = Request::builder().uri_str("/metrics").finish();
    let answer = http::metrics(app).call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body().into_string().await.unwrap()
}

/// The value of a series, or 0 if there is none. `labels` is a part of what stands between the braces.
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let series = text.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' '])) && labels.iter().all(|label| line.contains(label))
    });
    series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

story! {
    async fn what_is_asked_is_counted_by_operation_and_caller(school) {
        let mei = school.person("mei").await.with_header("graphql-client-name", "class-dashboard");
        mei.data("query Shelf { courses(first: 3) { nodes { title modules { title } } } }").await;
        mei.data("query Shelf { courses(first: 3) { nodes { title } } }").await;
        school.anybody().data("{ __typename }").await;
        mei.ask("{ nonsense }").await;
        mei.ask("{ broken").await;
        let text = scraped(&school.app).await;
        let shelf = ["operation=\"Shelf\"", "kind=\"query\"", "transport=\"http\""];
        assert!((value(&text, "stoa_graphql_operations_total", &shelf) - 2.0).abs() < 0.1, "{text}");
        let time = value(&text, "stoa_graphql_operation_duration_seconds_count", &["operation=\"Shelf\""]);
        assert!((time - 2.0).abs() < 0.1, "{text}");
        let of_nobody = value(&text, "stoa_graphql_operations_by_caller_total", &["caller=\"none\""]);
        assert!((of_nobody - 1.0).abs() < 0.1, "{text}");
        assert!(value(&text, "stoa_graphql_operations_by_caller_total", &["caller=\"class-dashboard\""]) > 1.9);
        for code in ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"] {
            let label = format!("code=\"{code}\"");
            assert!((value(&text, "stoa_graphql_errors_total", &[&label]) - 1.0).abs() < 0.1, "{code}: {text}");
        }
        let answered = value(&text, "stoa_http_requests_total", &["route=\"/graphql\"", "status=\"2xx\""]);
        assert!((answered - 5.0).abs() < 0.1, "{text}");
        assert!(value(&text, "stoa_http_requests_in_flight", &[]).abs() < 0.1, "{text}");
    }

    async fn statements_are_counted_by_name_and_loaders_by_batch(school) {
        let mei = school.person("mei").await;
        let query = "{ courses(first: 3) { nodes { title modules { lessons { title } } } } }";
        mei.data(query).await;
        let before = (scraped(&school.app).await, school.app.db.statements());
        mei.data(query).await;
        let after = (school.app.db.statements(), scraped(&school.app).await);
        let count = |text: &str| value(text, "stoa_sql_statement_duration_seconds_count", &[]);
        // Each reading of the figures sends one itself, before the figures are written.
        assert!((count(&after.1) - count(&before.0) - (after.0 - before.1) as f64 - 1.0).abs() < 0.1, "{}", after.1);
        let database = format!("database=\"{}\"", school.app.db.kind());
        let lessons = value(&after.1, "stoa_sql_statement_duration_seconds_count", &["statement=\"courses.", &database]);
        assert!(lessons >= 2.0, "{}", after.1);
        assert!(value(&after.1, "stoa_loader_batch_size_count", &["loader=\"courses."]) >= 2.0, "{}", after.1);
        assert!(value(&after.1, "stoa_loader_batch_size_sum", &["loader=\"courses."]) >= 6.0, "{}", after.1);
        let waits = value(&after.1, "stoa_database_acquire_duration_seconds_count", &[]);
        assert!(waits > 0.9, "{}", after.1);
        let connections = value(&after.1, "stoa_database_connections", &["state=\"idle\""]);
        assert!(connections > 0.9, "{}", after.1);
    }

    async fn a_statement_that_fails_is_counted_as_one(school) {
        school.execute("DROP TABLE bookmarks").await;
        school.person("mei").await.ask("{ me { bookmarks(first: 1) { nodes { id } } } }").await;
        let text = scraped(&school.app).await;
        assert!(value(&text, "stoa_sql_statement_errors_total", &["statement=\"bookmarks."]) > 0.9, "{text}");
    }

    async fn names_that_clients_choose_do_not_grow_without_end(school) {
        let observe = ObserveSettings { operations: 2, callers: 2, ..ObserveSettings::default() };
        let school = school.under(Settings { observe, ..Settings::default() }).await;
        school.app.observe.know_operations(["Trusted"]);
        for name in ["A", "B", "C", "D", "Trusted"] {
            let asks = school.anybody().with_header("apollographql-client-name", &format!("program {name}"));
            asks.data(&format!("query {name} {{ __typename }}")).await;
        }
        let text = scraped(&school.app).await;
        let of = |operation: &str| value(&text, "stoa_graphql_operations_total", &[&format!("operation=\"{operation}\"")]);
        assert_eq!(["A", "B", "C", "D", "Trusted", "other"].map(|name| of(name) as i64), [1, 0, 0, 0, 1, 3], "{text}");
        let callers: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("stoa_graphql_operations_by_caller_total{"))
            .filter_map(|line| line.split('}').next())
            .collect();
        assert_eq!(callers, BTreeSet::from(["caller=\"other\"", "caller=\"program A\"", "caller=\"program B\""]));
    }

    async fn no_figure_says_anything_about_a_person(school) {
        let mei = school.person("mei").await;
        let id = school.person_node("mei");
        mei.ask_with("query Person($id: ID!) { node(id: $id) { ... on Person { name } } }", json!({ "id": id })).await;
        mei.ask("{ course(slug: \"a-secret-word\") { title } }").await;
        let text = scraped(&school.app).await;
        for word in [&*id, &school.id_of("mei").0.to_string(), "Mei", "mei@", "a-secret-word", "stoa_t"] {
            let found = text.lines().filter(|line| !line.starts_with('#')).any(|line| line.contains(word));
            assert!(!found, "{word}: {text}");
        }
    }

    async fn live_connections_and_subscriptions_are_told_as_they_are(school) {
        let server = Server::start(&school.app).await;
        let mei = school.person("mei").await;
        let mut socket: Socket = server.socket_as(&mei).await;
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription Next { nextCoursesChanged { id } }"}}"#;
        socket.send(tokio_tungstenite::tungstenite::Message::text(subscribe.to_owned())).await;
        let ask = r#"{"type":"subscribe","id":"2","payload":{"query":"query Hello { __typename }"}}"#;
        socket.send(tokio_tungstenite::tungstenite::Message::text(ask.to_owned())).await;
        socket.hear().await;
        let text = loop {
            let text = scraped(&school.app).await;
            if value(&text, "stoa_live_subscriptions", &[]) > 0.9 {
                break text;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!((value(&text, "stoa_live_connections", &[]) - 1.0).abs() < 0.1, "{text}");
        let hello = value(&text, "stoa_graphql_operations_total", &["operation=\"Hello\"", "transport=\"websocket\""]);
        assert!((hello - 1.0).abs() < 0.1, "{text}");
    }

    async fn what_other_parts_of_the_server_count_is_told(school) {
        let observe = &school.app.observe;
        observe.cost(42);
        observe.refused("QUERY_TOO_DEEP");
        observe.shed();
        observe.looked_up(Cache::Parsed, true);
        observe.looked_up(Cache::Persisted, false);
        observe.deprecated("Course.oldName", Some("class-dashboard"));
        let text = scraped(&school.app).await;
        for (name, labels) in [
            ("stoa_graphql_operation_cost_count", &[][..]),
            ("stoa_graphql_operations_refused_total", &["reason=\"QUERY_TOO_DEEP\""][..]),
            ("stoa_http_requests_shed_total", &[]),
            ("stoa_document_lookups_total", &["cache=\"parsed\"", "result=\"hit\""]),
            ("stoa_document_lookups_total", &["cache=\"persisted\"", "result=\"miss\""]),
            ("stoa_graphql_deprecated_uses_total", &["field=\"Course.oldName\"", "caller=\"class-dashboard\""]),
        ] {
            assert!((value(&text, name, labels) - 1.0).abs() < 0.1, "{name} {labels:?}: {text}");
        }
    }

    async fn what_memory_has_told_and_what_was_read_is_counted_for_each_kind(school) {
        let mei = school.person("mei").await;
        let query = "{ course(slug: \"living-soil\") { title myEnrolment { modules { progress } } forum { threads(first: 1) { nodes { title } } } } }";
        for _ in 0..3 {
            mei.data(query).await;
        }
        let text = scraped(&school.app).await;
        for of in ["catalogue", "forum", "record"] {
            for result in ["hit", "miss"] {
                let count = value(&text, &format!("stoa_{of}_lookups_total"), &[&format!("result=\"{result}\"")]);
                assert!(count > 0.9, "{of} {result}: {text}");
            }
        }
    }

    async fn mails_that_wait_and_commits_that_are_shared_are_told(school) {
        // A look at somebody else is logged.
        let ana = school.person("ana").await;
        let query = format!("{{ node(id: \"{}\") {{ ... on Person {{ email }} }} }}", school.person_node("mei"));
        ana.ask(&query).await;
        school.execute(
            "INSERT INTO outbox (account_id, id, kind, argument, created_at, not_before, attempts)
             VALUES ({person:mei}, {new:1}, 'PASSWORD_CHANGED', '', 1772442000000000, 1772442000000000, 0)",
        ).await;
        school.clock.advance(90);
        let text = scraped(&school.app).await;
        assert!((value(&text, "stoa_mail_outbox_depth", &[]) - 1.0).abs() < 0.1, "{text}");
        assert!((value(&text, "stoa_mail_outbox_oldest_seconds", &[]) - 90.0).abs() < 0.1, "{text}");
        assert!((value(&text, "stoa_database_up", &[]) - 1.0).abs() < 0.1, "{text}");
        assert!(value(&text, "process_resident_memory_bytes", &[]) > 1e6, "{text}");
        assert!(value(&text, "process_open_fds", &[]) > 2.0, "{text}");
        assert!((value(&text, "stoa_build_info", &["version=\""]) - 1.0).abs() < 0.1, "{text}");
    }

    async fn a_server_without_its_database_says_so(school) {
        let ready = || async {
            let request = Request::builder().uri_str("/readyz").finish();
            Box::pin(http::routes(&school.app, &[]).call(request)).await.unwrap().status()
        };
        assert_eq!(ready().await, StatusCode::OK);
        school.app.db.close().await;
        assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
        // Just then the figures are needed.
        let text = scraped(&school.app).await;
        assert!(text.lines().any(|line| line == "stoa_database_up 0"), "{text}");
    }

    async fn a_mutation_by_get_is_refused_whether_it_has_a_name_or_not(school) {
        let mei = school.person("mei").await;
        for query in ["mutation { __typename }", "mutation Named { __typename }"] {
            let request = Request::builder().uri_str(format!("/graphql?query={}", query.replace(' ', "%20")));
            let answer = mei.send(request.finish()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{query}: {}", answer.text);
        }
    }
}

/// The table in the documentation and the figures there are, each held against the other.
#[tokio::test]
async fn the_documentation_lists_every_figure() {
    let school = School::empty(stoa_testkit::Database::sqlite()).await;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OBSERVING.md");
    let document = std::fs::read_to_string(path).unwrap();
    let listed: BTreeSet<_> = document
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let name = cells.next()?.trim().trim_end_matches('`');
            let kind = cells.next()?.trim();
            matches!(kind, "counter" | "gauge" | "histogram").then(|| (name.to_owned(), kind.to_owned()))
        })
        .collect();
    let there: BTreeSet<_> =
        school.app.observe.described().iter().map(|figure| (figure.name.clone(), figure.kind.clone())).collect();
    assert_eq!(listed, there, "docs/OBSERVING.md lists other figures than there are");
    // And what is written is described.
    school.anybody().data("{ courses(first: 1) { nodes { title } } }").await;
    let text = scraped(&school.app).await;
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(there.iter().any(|(there, _)| there == name), "{name} is written, and nothing describes it");
    }
}
