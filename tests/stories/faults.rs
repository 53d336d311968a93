//! Work that nobody waits for, work that takes too long, and databases that have no more to give.

use std::time::Duration;

use poem::{Request, http::Method};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use stoa_api::{app::Settings, graphql::limits::LimitSettings};
use stoa_testkit::{Answer, Client, Database, School, Server, story};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// What takes longer never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that will be so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// On so many connections, with so many seconds for a request.
async fn limited(school: School, connections: u32, request_seconds: u64) -> School {
    let limits = LimitSettings { request_seconds, ..LimitSettings::default() };
    school.on_connections(connections, Settings { limits, ..Settings::default() }).await
}

/// From now on, whoever reads topics waits as good as forever.
async fn topics_never_come(school: &School) {
    let forever = if school.database.is_sqlite() {
        "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS c FROM n) forever"
    } else {
        "pg_sleep(3600) forever"
    };
    school
        .execute(&format!(
            "ALTER TABLE topics RENAME TO topics_at_rest;
             CREATE VIEW topics AS SELECT t.* FROM {forever} CROSS JOIN topics_at_rest t;"
        ))
        .await;
}

/// From now on, whoever begins a thread waits as good as forever.
async fn threads_are_never_begun(school: &School) {
    school
        .execute(if school.database.is_sqlite() {
            "CREATE VIEW forever AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS c FROM n;
             CREATE TRIGGER never BEFORE INSERT ON threads BEGIN SELECT c FROM forever; END;"
        } else {
            "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
             CREATE TRIGGER never BEFORE INSERT ON threads FOR EACH ROW EXECUTE FUNCTION never();"
        })
        .await;
}

/// How many statements about topics or threads the server is in the middle of. SQLite has no such list.
async fn running(school: &School) -> i64 {
    if school.database.is_sqlite() {
        return 0;
    }
    let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stoa'
               AND state <> 'idle' AND (query LIKE '%topics%' OR query LIKE '%threads%')";
    let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

/// With one connection this is answered only when nothing else is done on it.
async fn is_answered(school: &School) -> bool {
    school.anybody().ask("{ course(slug: \"living-soil\") { title } }").await["data"]["course"]["title"]
        == "Living Soil"
}

fn post(query: &str, variables: &Value) -> Request {
    let body = json!({ "query": query, "variables": variables }).to_string();
    Request::builder().method(Method::POST).content_type("application/json").uri_str("/graphql").body(body)
}

async fn begin_thread(school: &School, client: &Client, title: &str) -> Answer {
    let query = "mutation($c: ID!, $t: String!) { createThread(courseId: $c, input: { title: $t, body: \"b\" }) {
        thread { id } userErrors { code } } }";
    client.send(post(query, &json!({ "c": school.course("soil"), "t": title }))).await
}

async fn titles(client: &Client) -> Vec<String> {
    let query = "{ course(slug: \"living-soil\") { forum { threads(first: 100) { nodes { title } } } } }";
    let data = client.data(query).await;
    let nodes = data["course"]["forum"]["threads"]["nodes"].as_array().unwrap();
    nodes.iter().map(|thread| thread["title"].as_str().unwrap().to_owned()).collect()
}

/// Sends a request as a program does, and keeps the connection.
async fn sent(mut stream: TcpStream, token: Option<&str>, query: &str) -> TcpStream {
    let body = json!({ "query": query }).to_string();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: stoa\r\nContent-Type: application/json\r\n{token}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

const TOPICS: &str = "{ topics { name } }";

story! {
    async fn what_takes_too_long_is_stopped_with_its_statement(school) {
        let school = limited(school, 1, 2).await;
        topics_never_come(&school).await;
        let answer = school.anybody().send(post(&format!("{{ a: course(slug: \"living-soil\") {{ title }} {} }}", &TOPICS[2..TOPICS.len() - 2]), &json!({}))).await;
        assert_eq!(answer.status.as_u16(), 504, "{answer:?}");
        let said = answer.json();
        assert_eq!(said["errors"][0]["extensions"]["code"], "TIMEOUT");
        assert_eq!(said.get("data"), None, "half an answer is none");
        eventually("the statement has ended", async || running(&school).await == 0).await;
        eventually("the connection is free", async || is_answered(&school).await).await;
    }

    async fn an_operation_that_is_ended_on_a_websocket_takes_its_statement_with_it(school) {
        let school = limited(school, 1, 600).await;
        let server = Server::start(&school.app).await;
        let mut socket = server.socket_as(school.anybody()).await;
        topics_never_come(&school).await;
        socket.subscribe("1", TOPICS, json!({})).await;
        eventually("the statement runs", async || {
            school.app.db.lent() == 1 && (school.database.is_sqlite() || running(&school).await == 1)
        }).await;
        socket.say(&json!({ "type": "complete", "id": "1" })).await;
        eventually("the statement has ended", async || running(&school).await == 0).await;
        eventually("the connection is free", async || is_answered(&school).await).await;
    }

    async fn a_mutation_that_takes_too_long_changes_nothing_and_holds_no_lock(school) {
        let school = limited(school, 2, 2).await;
        let mei = school.person("mei").await;
        threads_are_never_begun(&school).await;
        let answer = begin_thread(&school, &mei, "stopped").await;
        assert_eq!(answer.status.as_u16(), 504, "{answer:?}");
        let error = answer.json()["errors"][0].clone();
        assert_eq!(error["extensions"]["code"], "TIMEOUT");
        assert!(error["message"].as_str().unwrap().contains("nothing was changed"), "{error}");
        // This waits for the lock of whoever writes there.
        school.execute(if school.database.is_sqlite() { "DROP TRIGGER never" } else { "DROP TRIGGER never ON threads" }).await;
        eventually("a thread is begun", async || {
            begin_thread(&school, &mei, "begun").await.json()["data"]["createThread"]["thread"]["id"].is_string()
        }).await;
        let titles = titles(&mei).await;
        assert!(titles.iter().any(|title| title == "begun") && !titles.iter().any(|title| title == "stopped"), "{titles:?}");
    }

    async fn a_transaction_that_is_dropped_leaves_no_trace_and_no_lock(school) {
        let school = limited(school, 2, 600).await;
        for _ in 0..20 {
            drop(school.app.db.begin().await.unwrap());
        }
        let mei = school.person("mei").await;
        assert!(begin_thread(&school, &mei, "after").await.json()["data"]["createThread"]["thread"]["id"].is_string());
        eventually("every connection is back", async || school.app.db.lent() == 0).await;
    }

    async fn a_client_that_reads_slowly_holds_no_connection(school) {
        let mei = school.person("mei").await;
        let long = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } } }";
        let variables = json!({ "thread": school.thread("soil", "t1"), "body": "x".repeat(49_000) });
        for _ in 0..40 {
            mei.data_with(long, variables.clone()).await;
        }
        let school = limited(school, 1, 600).await;
        let server = Server::start(&school.app).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let stream = socket.connect(server.address).await.unwrap();
        let token = school.app.accounts.issue_token(school.id_of("mei"), "slow", None).await.unwrap();
        let large = "{ course(slug: \"living-soil\") { forum { threads(first: 9) { nodes { posts(first: 50) { nodes { body } } } } } } }";
        let mut stream = sent(stream, Some(token.secret_text()), large).await;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200", "the answer has begun");
        eventually("every connection is back", async || school.app.db.lent() == 0).await;
        assert!(is_answered(&school).await);
    }

    async fn without_a_free_connection_the_answer_says_so(school) {
        let school = limited(school, 1, 30).await;
        let server = Server::start(&school.app).await;
        topics_never_come(&school).await;
        let stream = sent(TcpStream::connect(server.address).await.unwrap(), None, TOPICS).await;
        eventually("it is taken", async || school.app.db.lent() == 1).await;
        let answer = school.anybody().send(post("{ course(slug: \"living-soil\") { title } }", &json!({}))).await;
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:?}");
        let ready = |path: &str| Request::builder().uri_str(path).finish();
        assert_eq!(school.anybody().send(ready("/readyz")).await.status.as_u16(), 503);
        assert_eq!(school.anybody().send(ready("/healthz")).await.status.as_u16(), 200, "the process is not to be killed for it");
        // By itself, once there is one again.
        drop(stream);
        eventually("it is answered", async || is_answered(&school).await).await;
        eventually("it is ready", async || school.anybody().send(ready("/readyz")).await.status.as_u16() == 200).await;
    }
}

/// A client who hangs up takes what is done for her along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_goes_takes_its_statement_with_it() {
    let mut databases = vec![Database::sqlite()];
    databases.extend(Database::postgres().await);
    for database in databases {
        let school = School::open(database).await;
        let school = limited(school, 1, 600).await;
        let server = Server::start(&school.app).await;
        topics_never_come(&school).await;
        let stream = sent(TcpStream::connect(server.address).await.unwrap(), None, TOPICS).await;
        eventually("the statement runs", async || {
            school.app.db.lent() == 1 && (school.database.is_sqlite() || running(&school).await == 1)
        })
        .await;
        drop(stream);
        eventually("the statement has ended", async || running(&school).await == 0).await;
        eventually("the connection is free", async || is_answered(&school).await).await;
    }
}

/// A commit is not broken off: whoever asked is told that it may have been done, and it has been.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_whose_time_ends_while_it_is_committed_may_have_been_done() {
    let Some(database) = Database::postgres().await else { return };
    let school = limited(School::open(database).await, 2, 4).await;
    let mei = school.person("mei").await;
    school
        .execute(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON threads DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION slowly();",
        )
        .await;
    let answer = begin_thread(&school, &mei, "in doubt").await;
    assert_eq!(answer.status.as_u16(), 504, "{answer:?}");
    let error = answer.json()["errors"][0].clone();
    assert_eq!(error["extensions"]["code"], "TIMEOUT");
    assert!(error["message"].as_str().unwrap().contains("may have been done"), "{error}");
    eventually("it is done", async || titles(&mei).await.iter().any(|title| title == "in doubt")).await;
}

/// A disk that is full: writing is refused, one's own data can be read, that of others can't, since looks are written down.
/// With room again all goes on, without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_writing_and_no_more_than_that() {
    let school = School::open(Database::sqlite()).await;
    let (mei, ana) = (school.person("mei").await, school.person("ana").await);
    let look = "query($mei: ID!) { node(id: $mei) { ... on Person { name email } } }";
    let variables = json!({ "mei": school.person_node("mei") });
    assert_eq!(ana.data_with(look, variables.clone()).await["node"]["name"], "Mei Tanaka");
    school.app.db.limit_size_for_tests(true).await.unwrap();

    // What room is left inside the file is filled first.
    let mut acknowledged = Vec::new();
    eventually("the disk is full for threads", async || {
        let title = format!("thread {}", acknowledged.len());
        let answer = begin_thread(&school, &mei, &title).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        let said = answer.json();
        if said["data"]["createThread"]["thread"]["id"].is_string() {
            acknowledged.push(title);
            return false;
        }
        assert_eq!(said["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{said}");
        true
    })
    .await;
    eventually("the disk is full for the access log", async || {
        let answer = ana.send(post(look, &variables)).await;
        if answer.status.as_u16() == 200 {
            return false;
        }
        assert_eq!(answer.status.as_u16(), 503, "{answer:?}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
        assert_eq!(answer.json().get("data"), None);
        true
    })
    .await;
    let own = mei.data("{ me { name email enrolments(first: 9) { nodes { progress } } } }").await;
    assert_eq!(own["me"]["email"], "mei@school.example");
    assert!(is_answered(&school).await);

    school.app.db.limit_size_for_tests(false).await.unwrap();
    assert_eq!(ana.data_with(look, variables).await["node"]["name"], "Mei Tanaka");
    assert!(begin_thread(&school, &mei, "room again").await.json()["data"]["createThread"]["thread"]["id"].is_string());
    // The newest hundred, whichever way round they are listed.
    let titles = titles(&mei).await;
    let there = acknowledged.iter().filter(|title| titles.contains(title)).count();
    assert!(there == acknowledged.len() || titles.len() == 100, "{acknowledged:?} are there: {titles:?}");
}
