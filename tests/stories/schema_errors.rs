//! Errors: their codes, the id that leads to the log, and what they never say.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use poem::{Request, http::Method};
use serde_json::{Value, json};
use stoa_api::graphql::errors::Code;
use stoa_testkit::{Answer, Client, Database, Said, School, Server, story};
use tracing::instrument::WithSubscriber as _;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The part of docs/ERRORS.md under a heading.
fn section(heading: &str) -> String {
    let text = fs::read_to_string(root().join("docs/ERRORS.md")).unwrap();
    let rest = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1.to_owned();
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The codes in the first column of the tables.
fn first_column(text: &str) -> BTreeSet<&str> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_code_is_in_the_catalogue_and_no_other() {
    let text = section("## Codes of `errors`");
    let told = first_column(&text);
    let there: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(there.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new(), "docs/ERRORS.md lacks these");
    assert_eq!(told.difference(&there).collect::<Vec<_>>(), Vec::<&&str>::new(), "graphql::errors::Code lacks these");
}

/// A code is one of the set, wherever it is written.
#[test]
fn no_code_is_made_up_on_the_way() {
    let mut files = vec![root().join("api/src/http"), root().join("api/src/graphql"), root().join("api/src/documents")];
    let mut unknown = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for (place, call) in ["Refused::new(", "problem(", "refusal(", "set(\"code\""]
                .iter()
                .flat_map(|call| code.match_indices(call).map(move |(place, _)| (place, *call)))
            {
                // The first text in the call, if there is one before it ends.
                let rest = &code[place + call.len()..];
                let call_ends = rest.find(';').unwrap_or(rest.len());
                let Some(literal) = rest[..call_ends].split('"').nth(1) else { continue };
                let is_code =
                    literal.len() > 3 && literal.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
                if is_code && !Code::ALL.iter().any(|code| code.as_str() == literal) {
                    unknown.push(format!("{}: {literal}", path.display()));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "add these to graphql::errors::Code and to docs/ERRORS.md: {unknown:#?}");
}

story! {
    async fn every_code_of_a_form_is_in_the_catalogue(school) {
        let data = school.anybody().data("{ __type(name: \"UserErrorCode\") { enumValues { name } } }").await;
        let text = section("## Codes of `userErrors`");
        let told: BTreeSet<_> = text.split('`').skip(1).step_by(2).collect();
        let values = data["__type"]["enumValues"].as_array().unwrap();
        let missing: Vec<_> = values.iter().map(|value| value["name"].as_str().unwrap()).filter(|name| !told.contains(name)).collect();
        assert!(values.len() > 40 && missing.is_empty(), "docs/ERRORS.md lacks {missing:?}");
    }
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Asks under an id, and answers with what was logged meanwhile, too.
async fn ask(client: &Client, id: &'static str, query: &str) -> (Answer, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
    let request = request.header("x-request-id", id).body(json!({ "query": query }).to_string());
    let answer = client.send(request).with_subscriber(subscriber).await;
    (answer, log.text())
}

const COURSES: &str = "{ courses(first: 2) { nodes { title } } }";

story! {
    async fn a_statement_that_fails_is_found_in_the_log_by_the_answers_id(school) {
        school.execute("ALTER TABLE courses RENAME TO former_courses").await;
        let (answer, log) = ask(school.anybody(), "order-66", COURSES).await;
        assert_eq!(answer.request_id, "order-66");
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"], json!({ "code": "INTERNAL", "requestId": "order-66" }), "{}", answer.text);
        let line = log.lines().find(|line| line.contains("database error")).unwrap_or_else(|| panic!("no cause in:\n{log}"));
        assert!(line.contains("ERROR") && line.contains("order-66") && line.contains("courses"), "{line}");
        assert!(!answer.text.contains("former_courses") && !answer.text.contains("no such table"), "{}", answer.text);
    }

    async fn a_request_that_is_not_carried_out_tells_its_id_and_a_slip_in_an_argument_does_not(school) {
        let anybody = school.anybody();
        for query in ["{", "{ unknown }", "query($n: Int!) { courses(first: $n) { nodes { id } } }"] {
            let (answer, _) = ask(anybody, "slip-1", query).await;
            assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], "slip-1", "{query}: {}", answer.text);
        }
        let (answer, _) = ask(&anybody.with_token("none"), "slip-2", COURSES).await;
        assert_eq!(answer.json()["errors"][0]["extensions"], json!({ "code": "UNAUTHENTICATED", "requestId": "slip-2" }));
        let (answer, _) = ask(anybody, "slip-3", "{ courses(first: -1) { nodes { id } } }").await;
        assert_eq!(answer.json()["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT" }));
    }

    async fn on_a_websocket_errors_carry_the_connections_id(school) {
        let server = Server::start(&school.app).await;
        let mut socket = server.socket_with(&[("sec-websocket-protocol", "graphql-transport-ws"), ("x-request-id", "line-7")]).await.unwrap();
        socket.say(&json!({ "type": "connection_init" })).await;
        let Said::Message(_) = socket.hear().await else { panic!("no ack") };
        socket.subscribe("slip", "{", json!({})).await;
        assert_eq!(socket.error("slip").await[0]["extensions"], json!({ "code": "GRAPHQL_PARSE_FAILED", "requestId": "line-7" }));
        school.execute("ALTER TABLE courses RENAME TO former_courses").await;
        socket.subscribe("broken", COURSES, json!({})).await;
        assert_eq!(socket.answer("broken").await["errors"][0]["extensions"], json!({ "code": "INTERNAL", "requestId": "line-7" }));
    }

    async fn an_error_below_a_list_names_the_place_in_the_list(school) {
        school.execute("ALTER TABLE lessons RENAME TO former_lessons").await;
        let answer = school.anybody().ask("{ topics { slug } course(slug: \"living-soil\") { title modules { title lessons { id } } } }").await;
        assert_eq!(answer["errors"][0]["path"], json!(["course", "modules", 0]), "{answer}");
        assert_eq!(answer["data"]["course"], Value::Null);
        assert!(answer["data"]["topics"].is_array(), "its neighbours live: {answer}");
    }

    async fn each_mutation_of_a_document_fails_by_itself(school) {
        let mei = school.person("mei").await;
        let thread = school.thread("soil", "t1");
        let answer = mei
            .ask_with(
                "mutation($thread: ID!) {
                    follow: followThread(threadId: $thread) { thread { viewerIsFollowing } }
                    grantRole(accountId: \"x\", role: ANALYST) { userErrors { code } }
                    unfollow: unfollowThread(threadId: $thread) { thread { viewerIsFollowing } }
                }",
                json!({ "thread": thread }),
            )
            .await;
        assert_eq!(answer["data"], json!({
            "follow": { "thread": { "viewerIsFollowing": true } },
            "grantRole": null,
            "unfollow": { "thread": { "viewerIsFollowing": false } },
        }), "{answer}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &errors[0]["path"], &errors[0]["extensions"]["code"]), (1, &json!(["grantRole"]), &json!("FORBIDDEN")));
    }
}

/// What no message to a client has in it, whatever has gone wrong.
const INTERNALS: [&str; 16] = [
    "sqlite",
    "sqlx",
    "postgres",
    "select ",
    "insert ",
    "update ",
    "table",
    "column",
    "constraint",
    "syntax",
    "/src/",
    ".rs",
    "/tmp",
    "tokio",
    "panick",
    "async_graphql",
];

fn assert_says_nothing(what: &str, answer: &Value) {
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{what}: no error in {answer}"));
    assert!(!errors.is_empty());
    for error in errors {
        let message = error["message"].as_str().unwrap().to_lowercase();
        let found = INTERNALS.iter().find(|word| message.contains(**word));
        assert_eq!(found, None, "{what}: {message}");
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        assert!(matches!(code, "INTERNAL" | "UNAVAILABLE"), "{what}: {error}");
        assert!(error["extensions"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{what}: {error}");
    }
}

/// Everything that the database may do to us, and the question that meets it.
async fn breaks(database: Database, what: &str) {
    let is_sqlite = database.is_sqlite();
    let school = School::open(database).await;
    let (mei, ana) = (school.person("mei").await, school.person("ana").await);
    let write =
        format!("mutation {{ followThread(threadId: \"{}\") {{ thread {{ id }} }} }}", school.thread("soil", "t2"));
    let query = match what {
        "a table is gone" => {
            school.execute("ALTER TABLE courses RENAME TO former_courses").await;
            COURSES.to_owned()
        }
        "a column is gone" => {
            school.execute("ALTER TABLE courses RENAME COLUMN title TO name").await;
            COURSES.to_owned()
        }
        "a trigger refuses the write" => {
            school.execute(if is_sqlite {
                "CREATE TRIGGER no BEFORE INSERT ON thread_follows BEGIN SELECT RAISE(ABORT, 'sqlx: constraint in /src/x.rs'); END"
            } else {
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''sqlx: constraint in /src/x.rs''; END';
                 CREATE TRIGGER no BEFORE INSERT ON thread_follows FOR EACH ROW EXECUTE FUNCTION no()"
            }).await;
            write
        }
        "the access log is gone" => {
            school.execute("ALTER TABLE access_log RENAME TO former_access_log").await;
            let query = format!("{{ node(id: \"{}\") {{ ... on Person {{ name }} }} }}", school.person_node("mei"));
            assert_says_nothing(what, &ana.ask(&query).await);
            return;
        }
        _ => {
            school.app.db.close().await;
            COURSES.to_owned()
        }
    };
    assert_says_nothing(what, &mei.ask(&query).await);
}

async fn breaks_in_every_way(database: impl AsyncFn() -> Option<Database>) {
    for what in [
        "a table is gone",
        "a column is gone",
        "a trigger refuses the write",
        "the access log is gone",
        "the database is away",
    ] {
        if let Some(database) = database().await {
            breaks(database, what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_the_message_has_no_internals_on_sqlite() {
    breaks_in_every_way(async || Some(Database::sqlite())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_the_message_has_no_internals_on_postgres() {
    breaks_in_every_way(Database::postgres).await;
}
