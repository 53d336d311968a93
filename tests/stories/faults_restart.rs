//! PostgreSQL goes away and comes back.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use poem::{Request, http::Method};
use serde_json::{Value, json};
use stoa_testkit::{Answer, Client, Database, OwnPostgres, Said, School, Server, Socket};
use tokio::{task::JoinSet, time::sleep};

use crate::faults::eventually;

const POST: &str =
    "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } } }";
const COURSE: &str = "{ course(slug: \"living-soil\") { title } }";

async fn asked(client: &Client, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::builder().method(Method::POST).content_type("application/json");
    client.send(request.uri_str("/graphql").body(body)).await
}

/// What a listener to new posts is told next.
async fn told(listener: &mut Socket) -> Value {
    let Said::Message(mut message) = listener.hear().await else { panic!("the connection is gone") };
    assert_eq!(message["type"], "next", "{message}");
    message["payload"]["data"]["postAdded"].take()
}

/// What came back while the database was away, by status and code.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<(u16, String), usize>>);

impl Seen {
    fn note(&self, answer: &Answer) {
        let code = answer.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned();
        *self.0.lock().unwrap().entry((answer.status.as_u16(), code)).or_default() += 1;
    }
}

/// Under load the server of the database crashes and starts again. Nobody hears anything but that it is away, what was
/// acknowledged is there, and all goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_crashes_under_load_and_nothing_acknowledged_is_lost() {
    let Some(mut postgres) = OwnPostgres::start() else { return };
    let school =
        School::open(Database::on(&postgres)).await.on_connections(4, stoa_api::app::Settings::default()).await;
    let server = Server::start(&school.app).await;
    let (mei, ana) = (school.person("mei").await, school.person("ana").await);
    let mut listener = server.socket_as(&school.person("omar").await).await;
    let quiet = json!({ "thread": school.thread("soil", "t2") });
    let listen = "subscription($thread: ID!) { postAdded(threadId: $thread) { missed post { body } } }";
    listener.subscribe("quiet", listen, quiet.clone()).await;
    server.has_subscriptions(1).await;

    let (seen, end) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let (written, read) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for writer in 0..3 {
        let (mei, thread, seen, end) = (mei.clone(), school.thread("soil", "t1"), Arc::clone(&seen), Arc::clone(&end));
        let (acknowledged, written) = (Arc::clone(&acknowledged), Arc::clone(&written));
        load.spawn(async move {
            for number in 0.. {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                let body = format!("post {writer}-{number}");
                let answer = asked(&mei, POST, json!({ "thread": thread, "body": body })).await;
                seen.note(&answer);
                if answer.json()["data"]["createPost"]["post"]["id"].is_string() {
                    acknowledged.lock().unwrap().push(body);
                    written.fetch_add(1, Ordering::Relaxed);
                } else {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    for _ in 0..3 {
        let (anybody, seen, end, read) =
            (school.anybody().clone(), Arc::clone(&seen), Arc::clone(&end), Arc::clone(&read));
        load.spawn(async move {
            while !end.load(Ordering::Relaxed) {
                let answer = asked(&anybody, COURSE, json!({})).await;
                seen.note(&answer);
                if answer.json()["data"]["course"]["title"] == "Living Soil" {
                    read.fetch_add(1, Ordering::Relaxed);
                    // An answer from memory waits for nothing, and others are to come to their turn.
                    tokio::task::yield_now().await;
                } else {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    let more = async |what: &str| {
        let (writes, reads) = (written.load(Ordering::Relaxed) + 20, read.load(Ordering::Relaxed) + 20);
        eventually(what, async || written.load(Ordering::Relaxed) >= writes && read.load(Ordering::Relaxed) >= reads)
            .await;
    };
    more("it is used").await;
    for _ in 0..2 {
        tokio::task::block_in_place(|| postgres.stop());
        let failed = |seen: &Seen| {
            seen.0.lock().unwrap().iter().filter(|((_, code), _)| code != "none").map(|(_, n)| n).sum::<usize>()
        };
        let before = failed(&seen);
        eventually("it is missed", async || failed(&seen) >= before + 6).await;
        let ready = Request::builder().uri_str("/readyz").finish();
        assert_eq!(school.anybody().send(ready).await.status.as_u16(), 503);
        tokio::task::block_in_place(|| postgres.start_again());
        more("it is used again").await;
        // Who listens hears that she may have missed something.
        while told(&mut listener).await["missed"] != true {}
    }
    end.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.unwrap();
    }
    let seen = seen.0.lock().unwrap().clone();
    eprintln!("while PostgreSQL crashed twice: {seen:?}");
    for (status, code) in seen.keys() {
        let clean = match code.as_str() {
            "none" => *status == 200,
            // A field of an answer, or a request that did not come so far.
            "UNAVAILABLE" => matches!(status, 200 | 503),
            "TIMEOUT" => *status == 504,
            _ => false,
        };
        assert!(clean, "{status} {code}");
    }

    let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
    let there: Vec<String> = sqlx::query_scalar("SELECT body FROM posts").fetch_all(&pool).await.unwrap();
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.iter().all(|body| there.contains(body)), "{acknowledged:?}");

    // She listens on.
    server.has_subscriptions(1).await;
    let answer = asked(&ana, POST, json!({ "thread": quiet["thread"], "body": "after the crash" })).await;
    assert!(answer.json()["data"]["createPost"]["post"]["id"].is_string(), "{answer:?}");
    while told(&mut listener).await["post"]["body"] != "after the crash" {}
}

/// When nobody asked while the server of the database was away, nobody notices: connections that rested are looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_quiet_restart_no_request_fails() {
    let Some(mut postgres) = OwnPostgres::start() else { return };
    let school = School::open(Database::on(&postgres)).await;
    let together = async || {
        let mut asking = JoinSet::new();
        for _ in 0..20 {
            let anybody = school.anybody().clone();
            asking.spawn(async move { asked(&anybody, COURSE, json!({})).await });
        }
        asking.join_all().await
    };
    together().await;
    tokio::task::block_in_place(|| {
        postgres.stop();
        postgres.start_again();
    });
    // Long enough that they are taken for rested.
    sleep(Duration::from_millis(1_500)).await;
    for answer in together().await {
        assert_eq!(answer.json()["data"]["course"]["title"], "Living Soil", "{answer:?}");
    }
}
