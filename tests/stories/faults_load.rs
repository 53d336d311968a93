//! Many at once, for a while: what is dropped leaves nothing behind, and memory has a bound.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use stoa_api::{app::Settings, graphql::limits::LimitSettings};
use stoa_testkit::{Said, School, Server, Socket, story};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Handle,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::faults::eventually;

/// Something to ask.
#[derive(Clone)]
struct Question {
    token: Option<String>,
    body: String,
}

impl Question {
    fn new(token: Option<&str>, query: &str, variables: &Value) -> Self {
        let body = json!({ "query": query, "variables": variables }).to_string();
        Self { token: token.map(str::to_owned), body }
    }

    async fn send(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address).await?;
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: stoa\r\nConnection: close\r\nContent-Type: application/json\r\n{token}\
             Content-Length: {}\r\n\r\n",
            self.body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(self.body.as_bytes()).await?;
        Ok(stream)
    }

    /// Asks, and answers with the code of the first error, or `ok`.
    async fn ask(&self, address: SocketAddr) -> String {
        let answered = async {
            let mut text = String::new();
            self.send(address).await?.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        let text = match timeout(Duration::from_mins(1), answered).await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return format!("broken off: {error}"),
            Err(_) => return "no answer".to_owned(),
        };
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        match serde_json::from_str::<Value>(body) {
            Ok(answer) if answer.get("errors").is_none() => "ok".to_owned(),
            Ok(answer) => answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("no code").to_owned(),
            Err(_) => format!("no JSON: {text:.200}"),
        }
    }
}

const CATALOGUE: &str = "{ courses(first: 20) { nodes { title summary topics { name } staff { role person { name } }
    modules { title lessons { title } } } } topics { name } }";
const HERSELF: &str =
    "{ me { name email goals { slug } enrolments(first: 9) { nodes { course { title } progress } } } }";
const THREADS: &str =
    "{ course(slug: \"living-soil\") { forum { threads(first: 10) { nodes { title postCount author { name }
    posts(first: 3) { nodes { body } } } } } } }";
const LOOK: &str = "query($mei: ID!) { node(id: $mei) { ... on Person { name email } } }";
const BEGIN: &str = "mutation($c: ID!, $t: String!) { createThread(courseId: $c, input: { title: $t, body: \"b\" }) { thread { id } } }";
const POST: &str =
    "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } } }";

story! {
    /// Two hundred requests are sent and dropped, some at once, some half-way, some when they are answered.
    async fn requests_that_are_dropped_leave_nothing_behind(school) {
        // A machine that does other things, too, is slow with so many.
        let limits = LimitSettings { request_seconds: 600, ..LimitSettings::default() };
        let school = school.under(Settings { limits, ..Settings::default() }).await;
        let server = Server::start(&school.app).await;
        let address = server.address;
        let token = school.app.accounts.issue_token(school.id_of("mei"), "load", None).await.unwrap();
        let token = Some(token.secret_text());
        let begin = |title: String| Question::new(token, BEGIN, &json!({ "c": school.course("soil"), "t": title }));
        let steady = [Question::new(None, CATALOGUE, &json!({})), Question::new(token, HERSELF, &json!({})), Question::new(token, THREADS, &json!({}))];
        let before = Handle::current().metrics().num_alive_tasks();

        let (end, wrong) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let mut load = JoinSet::new();
        for question in steady.clone() {
            let (end, wrong) = (Arc::clone(&end), Arc::clone(&wrong));
            load.spawn(async move {
                while !end.load(Ordering::Relaxed) {
                    let said = question.ask(address).await;
                    if said != "ok" {
                        wrong.lock().unwrap().push(said);
                    }
                }
            });
        }
        let mut dropped = JoinSet::new();
        for number in 0..200_u64 {
            let question = match number % 4 {
                0 => begin(format!("dropped {number}")),
                other => steady[other as usize - 1].clone(),
            };
            while dropped.len() >= 20 {
                dropped.join_next().await;
            }
            dropped.spawn(async move {
                let stream = question.send(address).await.unwrap();
                // As good as random, and the same each time.
                sleep(Duration::from_micros(number * 7_919 % 60_000)).await;
                drop(stream);
            });
        }
        dropped.join_all().await;
        end.store(true, Ordering::Relaxed);
        load.join_all().await;
        assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new(), "whoever waited has her answer");

        eventually("every connection is back", async || school.app.db.lent() == 0).await;
        eventually("nobody is left", async || school.app.live.connections() == 0).await;
        // The server has one of its own by now, and the audit's.
        eventually("no task is left", async || Handle::current().metrics().num_alive_tasks() <= before + 4).await;
        // A mutation that was dropped was done as a whole, or not at all.
        let sql = "SELECT count(*) FROM threads t WHERE t.title LIKE 'dropped %' AND t.post_count <> 1
                   OR (SELECT count(*) FROM posts p WHERE p.course_id = t.course_id AND p.thread_id = t.id) <> t.post_count";
        let halves: i64 = if school.database.is_sqlite() {
            sqlx::query_scalar(sql).fetch_one(&sqlx::SqlitePool::connect(&school.database.url).await.unwrap()).await.unwrap()
        } else {
            sqlx::query_scalar(sql).fetch_one(&sqlx::PgPool::connect(&school.database.url).await.unwrap()).await.unwrap()
        };
        assert_eq!(halves, 0, "threads without their post");
        for question in &steady {
            assert_eq!(question.ask(address).await, "ok");
        }
        assert_eq!(begin("after".to_owned()).ask(address).await, "ok");
    }
}

/// Resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Loads a server of its own with a mixture, in rounds of so many seconds at so many connections. Says what came back and how
/// much memory it took.
#[cfg(target_os = "linux")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn load_in_rounds(rounds: usize, seconds: u64, connections: usize, arguments: &[&str]) {
    use crate::process::{Running, stoa_does, text};

    let folder = tempfile::tempdir().unwrap();
    let with =
        |more: &[&str]| -> Vec<String> { more.iter().chain(arguments).map(|&argument| argument.to_owned()).collect() };
    let does = |more: &[&str]| {
        let line = with(more);
        let output = stoa_does(folder.path(), &line.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let fixture = School::fixture();
    does(&["migrate"]);
    does(&["import", fixture.to_str().unwrap(), "--source", "school"]);
    let token = |email: &str| {
        let printed = does(&["token", "--email", email]);
        printed.lines().find(|line| line.starts_with("stoa_")).unwrap().to_owned()
    };
    let (mei, ana) = (token("mei@school.example"), token("ana@school.example"));
    let line = with(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Running::start(folder.path(), &line.iter().map(String::as_str).collect::<Vec<_>>());
    let address: SocketAddr = server.address.parse().unwrap();

    // The ids are those of the school's own keys, and the key of this installation: the graph tells them.
    let ids = Question::new(
        Some(&mei),
        "{ me { id } course(slug: \"living-soil\") { id forum { threads(first: 1) { nodes { id } } } } }",
        &json!({}),
    );
    let mut text = String::new();
    ids.send(address).await.unwrap().read_to_string(&mut text).await.unwrap();
    let ids: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
    let ids = &ids["data"];
    let thread = &ids["course"]["forum"]["threads"]["nodes"][0]["id"];
    let questions = [
        Question::new(None, CATALOGUE, &json!({})),
        Question::new(Some(&mei), HERSELF, &json!({})),
        Question::new(Some(&mei), THREADS, &json!({})),
        Question::new(Some(&ana), LOOK, &json!({ "mei": ids["me"]["id"] })),
        Question::new(Some(&mei), POST, &json!({ "thread": thread, "body": "Under load." })),
    ];
    // The whole mixture once, so that what is made once is there.
    for question in &questions {
        assert_eq!(question.ask(address).await, "ok");
    }
    let before = resident(server.child.id());
    let (mut after, mut most) = (Vec::new(), before);
    let codes: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    for _ in 0..rounds {
        let end = Arc::new(AtomicBool::new(false));
        let mut load = JoinSet::new();
        for _ in 0..5 {
            let mut socket = Socket::connect(address).await;
            let payload = json!({ "Authorization": format!("Bearer {mei}") });
            socket.say(&json!({ "type": "connection_init", "payload": payload })).await;
            assert_eq!(socket.hear().await, Said::Message(json!({ "type": "connection_ack" })));
            let listen = "subscription($thread: ID!) { postAdded(threadId: $thread) { post { id body } } }";
            socket.subscribe("1", listen, json!({ "thread": thread })).await;
            let (end, codes) = (Arc::clone(&end), Arc::clone(&codes));
            load.spawn(async move {
                while !end.load(Ordering::Relaxed) {
                    let Ok(said) = timeout(Duration::from_millis(200), socket.hear()).await else { continue };
                    let Said::Message(message) = said else { break };
                    *codes
                        .lock()
                        .unwrap()
                        .entry(format!("subscription: {}", message["type"].as_str().unwrap_or_default()))
                        .or_default() += 1;
                }
            });
        }
        for number in 0..connections {
            let (questions, end, codes) = (questions.clone(), Arc::clone(&end), Arc::clone(&codes));
            load.spawn(async move {
                for question in questions.iter().cycle().skip(number) {
                    if end.load(Ordering::Relaxed) {
                        break;
                    }
                    let said = question.ask(address).await;
                    *codes.lock().unwrap().entry(said).or_default() += 1;
                }
            });
        }
        for _ in 0..seconds * 4 {
            sleep(Duration::from_millis(250)).await;
            most = most.max(resident(server.child.id()));
        }
        end.store(true, Ordering::Relaxed);
        load.join_all().await;
        after.push(resident(server.child.id()));
    }
    let codes = codes.lock().unwrap().clone();
    eprintln!(
        "{rounds} rounds of {seconds} s at {connections} connections and 5 subscriptions: {codes:?}\n\
         KiB: {before} before, {most} at most, {after:?} after each round"
    );
    assert!(codes.get("ok").is_some_and(|count| *count >= connections), "{codes:?}");
    // A server under load may refuse, but says so.
    let clean = ["ok", "UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "OVERLOADED", "BUDGET_EXHAUSTED"];
    let wrong: Vec<_> =
        codes.keys().filter(|code| !clean.contains(&code.as_str()) && !code.starts_with("subscription: ")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(most < 400_000, "{most} KiB");
    let (first, last) = (after[0], after[after.len() - 1]);
    assert!(last < first + 40_000, "{first} KiB after the first round, {last} after the last");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_under_load_keeps_its_memory() {
    load_in_rounds(3, 3, 12, &[]).await;
}

/// `STOA_LOAD_SECONDS` seconds a round (default 60), on SQLite and on PostgreSQL.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes"]
async fn a_server_under_load_for_longer_keeps_its_memory() {
    let seconds = std::env::var("STOA_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    load_in_rounds(5, seconds, 32, &[]).await;
    if let Some(database) = stoa_testkit::Database::postgres().await {
        load_in_rounds(5, seconds, 32, &["--database-url", &database.url]).await;
    }
}
