//! The protocol of live connections to the letter, and their limits.

use std::time::Duration;

use serde_json::{Value, json};
use stoa_api::{app::Settings, live::LiveSettings};
use stoa_testkit::{Said, School, Server, Socket, story};
use tokio_tungstenite::tungstenite::Message;

pub(crate) async fn limited(school: School, live: LiveSettings) -> (School, Server) {
    let school = school.under(Settings { live, ..Settings::default() }).await;
    let server = Server::start(&school.app).await;
    (school, server)
}

fn text(text: &str) -> Message {
    Message::text(text.to_owned())
}

story! {
    async fn whoever_does_not_keep_to_the_protocol_is_told_by_a_code(school) {
        let server = Server::start(&school.app).await;
        let init = text(r#"{"type":"connection_init"}"#);
        let subscribe = text(r#"{"type":"subscribe","id":"1","payload":{"query":"{ __typename }"}}"#);
        let long = text(&json!({ "type": "ping", "payload": { "x": "x".repeat(256 << 10) } }).to_string());
        let forever = text(r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { nextCoursesChanged { id } }"}}"#);
        let token = school.person("mei").await;
        for (messages, code) in [
            (vec![text("not JSON")], 4400),
            (vec![text(r#"{"type":"start"}"#)], 4400),
            (vec![text(r#"{"id":"1"}"#)], 4400),
            (vec![text("[]")], 4400),
            (vec![Message::binary(vec![1, 2])], 4400),
            (vec![text(r#"{"type":"ping","payload":"text"}"#)], 4400),
            (vec![text(r#"{"type":"ping","payload":[1]}"#)], 4400),
            (vec![text(r#"{"type":"pong","payload":1}"#)], 4400),
            (vec![text(r#"{"type":"connection_init","payload":[]}"#)], 4400),
            (vec![text(r#"{"type":"connection_ack"}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"next","id":"1","payload":{}}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"complete"}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"complete","id":1}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"subscribe","id":1,"payload":{"query":"{ __typename }"}}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"subscribe","id":"1"}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"subscribe","id":"","payload":{"query":"{ __typename }"}}"#)], 4400),
            (vec![init.clone(), text(r#"{"type":"subscribe","payload":{"query":"{ __typename }"}}"#)], 4400),
            (vec![text(r#"{"type":"connection_init","payload":{"Stoa-Denied-Fields":"maybe"}}"#)], 4400),
            (vec![subscribe.clone()], 4401),
            (vec![text(r#"{"type":"connection_init","payload":{"Authorization":"Bearer stoa_nonsense"}}"#)], 4403),
            (vec![text(r#"{"type":"connection_init","payload":{"authorization":"nonsense"}}"#)], 4403),
            (vec![text(r#"{"type":"connection_init","payload":{"Authorization":1}}"#)], 4403),
            (vec![init.clone(), init.clone()], 4429),
            (vec![long], 1009),
        ] {
            let mut socket = server.socket().await;
            for message in &messages {
                socket.send(message.clone()).await;
            }
            let mut said = socket.hear().await;
            if matches!(&said, Said::Message(message) if message["type"] == "connection_ack") {
                said = socket.hear().await;
            }
            assert_eq!(said, Said::Closed(code), "{messages:.200?}");
        }
        // An id that is in use, and one that is free again.
        let mut socket = server.socket_as(&token).await;
        socket.send(forever.clone()).await;
        socket.send(forever).await;
        assert_eq!(socket.hear().await, Said::Closed(4409));
        // The subprotocol is needed.
        let mut socket = server.socket_with(&[]).await.unwrap();
        assert_eq!(socket.hear().await, Said::Closed(4406));
        // A request that is none for a WebSocket.
        assert_eq!(server.socket_with(&[("sec-websocket-version", "12")]).await.err().map(|status| status.as_u16()), Some(400));
    }

    async fn a_ping_is_answered_before_and_after_the_beginning(school) {
        let server = Server::start(&school.app).await;
        let mut socket = server.socket().await;
        socket.say(&json!({ "type": "ping" })).await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "pong" })));
        socket.say(&json!({ "type": "ping", "payload": null })).await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "pong" })));
        socket.init(school.anybody()).await;
        socket.hears_nothing().await;
        socket.say(&json!({ "type": "pong", "payload": { "any": 1 } })).await;
        socket.say(&json!({ "type": "pong" })).await;
        socket.say(&json!({ "type": "complete", "id": "there is none" })).await;
        socket.hears_nothing().await;
    }

    async fn denied_fields_are_told_as_the_client_wishes(school) {
        let server = Server::start(&school.app).await;
        let mut socket = server.socket().await;
        socket.say(&json!({ "type": "connection_init", "payload": { "Stoa-Denied-Fields": "errors" } })).await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "connection_ack" })));
        socket.subscribe("1", "{ course(slug: \"living-soil\") { forum { categories { name } } } }", json!({})).await;
        let answer = socket.answer("1").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FIELD_FORBIDDEN");
        assert_eq!(answer.get("extensions"), None);
    }

    async fn who_says_nothing_or_asks_nothing_is_let_go(school) {
        let limits = LiveSettings { init_seconds: 1, idle_seconds: 1, ..LiveSettings::default() };
        let (school, server) = limited(school, limits).await;
        let mut silent = server.socket().await;
        assert_eq!(silent.hear().await, Said::Closed(4408));
        let mut idle = server.socket_as(school.anybody()).await;
        let mut busy = server.socket_as(&school.person("mei").await).await;
        busy.subscribe("1", "subscription { nextCoursesChanged { id } }", json!({})).await;
        assert_eq!(idle.hear().await, Said::Closed(1000));
        busy.hears_nothing().await;
    }

    async fn a_token_that_runs_out_ends_a_silent_connection_too(school) {
        let (school, server) = limited(school, LiveSettings { recheck_seconds: 1, ..LiveSettings::default() }).await;
        let ends = stoa_api::time::Timestamp(school.clock.now().0 + 60_000_000);
        let token = school.app.accounts.issue_token(school.id_of("omar"), "short", Some(ends)).await.unwrap();
        let mut omar = server.socket_as(&school.anybody().with_token(token.secret_text())).await;
        omar.subscribe("1", "subscription { nextCoursesChanged { id } }", json!({})).await;
        let mut mei = server.socket_as(&school.person("mei").await).await;
        server.has_subscriptions(1).await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        omar.hears_nothing().await;
        school.clock.advance(61);
        assert_eq!(omar.hear().await, Said::Closed(4403));
        mei.hears_nothing().await;
    }

    async fn there_is_room_for_so_many_and_no_more(school) {
        let limits = LiveSettings {
            connections_per_address: 4, connections_per_viewer: 2, operations_per_connection: 3, ..LiveSettings::default()
        };
        let (school, server) = limited(school, limits).await;
        let mei = school.person("mei").await;
        let (mut first, second) = (server.socket_as(&mei).await, server.socket_as(&mei).await);
        let mut third = server.socket().await;
        let token = school.app.accounts.issue_token(school.id_of("mei"), "another", None).await.unwrap();
        third.say(&json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {}", token.secret_text()) } })).await;
        assert_eq!(third.hear().await, Said::Closed(1013), "it is she who is counted, not her token");
        drop(third);
        let others = (server.socket_as(school.anybody()).await, server.socket_as(school.anybody()).await);
        let headers = [("sec-websocket-protocol", "graphql-transport-ws")];
        let refused = server.socket_with(&headers).await.err();
        assert_eq!(refused.map(|status| status.as_u16()), Some(429));
        for n in 0..3 {
            first.subscribe(&n.to_string(), "subscription { nextCoursesChanged { id } }", json!({})).await;
        }
        server.has_subscriptions(3).await;
        first.subscribe("4", "{ __typename }", json!({})).await;
        assert_eq!(first.error("4").await[0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
        // What ends makes room.
        first.say(&json!({ "type": "complete", "id": "0" })).await;
        first.subscribe("4", "{ __typename }", json!({})).await;
        assert_eq!(first.answer("4").await["data"]["__typename"], "Query");
        drop((first, second, others));
        server.has_subscriptions(0).await;
        let gone = async {
            while school.app.live.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.expect("nothing is kept of those who are gone");
    }

    async fn a_slow_listener_is_dropped_and_the_others_go_on(school) {
        let (school, server) = limited(school, LiveSettings { queue: 3, ..LiveSettings::default() }).await;
        let omar = school.person("omar").await;
        let thread = json!({ "thread": school.thread("soil", "t1") });
        let copies: String = (0..20).fold(String::new(), |copies, n| copies + &format!(" b{n}: body"));
        let large = format!("subscription($thread: ID!) {{ postAdded(threadId: $thread) {{ post {{ id {copies} }} }} }}");
        let mut slow = server.narrow_socket().await;
        slow.init(&omar).await;
        slow.subscribe("1", &large, thread.clone()).await;
        let mut quick = server.socket_as(&omar).await;
        quick.subscribe("1", "subscription($thread: ID!) { postAdded(threadId: $thread) { post { id } } }", thread.clone()).await;
        server.has_subscriptions(2).await;

        // The slow one takes nothing: its answers of a megabyte each pile up where the operating system keeps them, then here.
        let ana = school.person("ana").await;
        let write = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } } }";
        let variables = json!({ "thread": thread["thread"], "body": "x".repeat(49_000) });
        let mut posts = 0;
        while school.app.live.dropped() == 0 {
            let written = ana.data_with(write, variables.clone()).await;
            assert_eq!(quick.answer("1").await["data"]["postAdded"]["post"], written["createPost"]["post"]);
            posts += 1;
            assert!(posts < 80, "nobody is too slow");
        }
        let mut taken = 0;
        let error = loop {
            match slow.hear().await {
                Said::Message(message) if message["type"] == "next" => taken += 1,
                Said::Message(message) => break message,
                other => panic!("after {taken} of {posts}: {other:?}"),
            }
        };
        assert!(taken < posts, "{taken} of {posts}");
        assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("SLOW_CONSUMER")));
        server.has_subscriptions(1).await;
        // She may begin again on the same connection.
        slow.subscribe("1", &large, thread).await;
        server.has_subscriptions(2).await;
        ana.data_with(write, variables).await;
        assert!(slow.answer("1").await["data"]["postAdded"]["post"]["b7"].is_string());
    }

    async fn a_server_that_ends_says_so(school) {
        let mut server = Server::start(&school.app).await;
        let mut sockets = vec![server.socket().await, server.socket_as(school.anybody()).await];
        let mut mei = server.socket_as(&school.person("mei").await).await;
        mei.subscribe("1", "subscription { nextCoursesChanged { id } }", json!({})).await;
        sockets.push(mei);
        server.has_subscriptions(1).await;
        server.end();
        for socket in &mut sockets {
            assert_eq!(socket.hear().await, Said::Closed(1001));
        }
        server.has_subscriptions(0).await;
    }
}

/// The result of a query that the client has completed meanwhile is not sent, and its id is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_has_completed_is_not_answered() {
    use sqlx::Connection as _;

    let Some(database) = stoa_testkit::Database::postgres().await else { return };
    let school = School::open(database).await;
    let server = Server::start(&school.app).await;
    let mut mei = server.socket_as(&school.person("mei").await).await;
    let mut other = sqlx::PgConnection::connect(&school.database.url).await.unwrap();
    let mut lock = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE topics IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    mei.subscribe("1", "{ topics { slug } }", json!({})).await;
    mei.hears_nothing().await;
    mei.say(&json!({ "type": "complete", "id": "1" })).await;
    mei.hears_nothing().await;
    mei.subscribe("1", "{ __typename }", json!({})).await;
    lock.rollback().await.unwrap();
    assert_eq!(mei.answer("1").await["data"]["__typename"], "Query");
    assert_eq!(mei.hear().await, Said::Message(json!({ "type": "complete", "id": "1" })));
    mei.hears_nothing().await;
}

/// Resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Five hundred who listen, and to whom nothing happens, cost little, and nothing more when they are gone and come again.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_subscriptions_cost_little() {
    use crate::process::{Running, imported, token};

    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    std::fs::write(folder.path().join("stoa.toml"), "[live]\nconnections_per_viewer = 200\n").unwrap();
    let token = token(folder.path(), "mei@school.example");
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let address = server.address.parse().unwrap();
    let listen = async || {
        let mut sockets: Vec<Socket> = Vec::new();
        for _ in 0..100 {
            let mut socket = Socket::connect(address).await;
            let payload: Value = json!({ "Authorization": format!("Bearer {token}") });
            socket.say(&json!({ "type": "connection_init", "payload": payload })).await;
            assert_eq!(socket.hear().await, Said::Message(json!({ "type": "connection_ack" })));
            for n in 0..5 {
                socket
                    .subscribe(
                        &n.to_string(),
                        "subscription { nextCoursesChanged { id nextCourses { id } } }",
                        json!({}),
                    )
                    .await;
            }
            sockets.push(socket);
        }
        // Whatever was said before the ping is read before it is answered.
        for socket in &mut sockets {
            socket.say(&json!({ "type": "ping" })).await;
            assert_eq!(socket.hear().await, Said::Message(json!({ "type": "pong" })));
        }
        sockets
    };
    let before = resident(server.child.id());
    let sockets = listen().await;
    let with = resident(server.child.id());
    drop(sockets);
    for _ in 0..2 {
        drop(listen().await);
    }
    let after = resident(server.child.id());
    eprintln!("KiB: {before} before, {with} with 500 subscriptions on 100 connections, {after} after three times");
    assert!(with < before + 40_000, "{before} KiB before, {with} with 500 subscriptions");
    assert!(after < with + 10_000, "{with} KiB with 500 subscriptions, {after} after they came three times");
}
