//! Live data as server-sent events: GraphQL over SSE, on connections of their own.

use std::time::Duration;

use serde_json::{Value, json};
use stoa_api::{ids::CourseId, live::LiveSettings, time::Timestamp};
use stoa_testkit::{Client, Database, Event, SCHOOL, School, Server, story};

use crate::{
    live::{POSTS, post, said},
    live_limits::limited,
};

const NEXT_COURSES: &str = "subscription { nextCoursesChanged { id } }";

/// The address that asks this by GET.
fn target(query: &str) -> String {
    let encoded = query.bytes().map(|byte| format!("%{byte:02X}"));
    format!("/graphql?query={}", encoded.collect::<String>())
}

fn bearer(client: &Client) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", client.token().expect("a token")))
}

/// Somebody with a token for a minute.
async fn shortly(school: &School, person: &str) -> Client {
    let ends = Timestamp(school.clock.now().0 + 60_000_000);
    let token = school.app.accounts.issue_token(school.id_of(person), "short", Some(ends)).await.unwrap();
    school.anybody().with_token(token.secret_text())
}

/// Waits until nobody has a connection any more.
async fn all_are_gone(school: &School) {
    let gone = async {
        while school.app.live.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("nothing is kept of those who are gone");
}

story! {
    async fn a_new_post_arrives_as_an_event_and_whoever_goes_leaves_nothing_behind(school) {
        let server = Server::start(&school.app).await;
        let thread = json!({ "thread": school.thread("soil", "t1") });
        let (omar, ana) = (school.person("omar").await, school.person("ana").await);
        let (mut omars, mut anas) = (server.events(&omar, POSTS, thread.clone()).await, server.events(&ana, POSTS, thread.clone()).await);
        let mut elsewhere = server.events(&omar, POSTS, json!({ "thread": school.thread("soil", "t2") })).await;
        assert_eq!(omars.header("content-type"), Some("text/event-stream"));
        assert_eq!(omars.header("cache-control"), Some("no-store, no-transform"));
        assert_eq!(omars.header("x-accel-buffering"), Some("no"));
        assert_eq!(omars.header("content-encoding"), None);
        assert!(omars.header("x-request-id").is_some());
        server.has_subscriptions(3).await;
        post(&school, &school.person("mei").await, "t1", "Three today!").await;

        // The same that a WebSocket brings: each sees what is for them, and looks are logged.
        let answer = omars.answer().await;
        assert_eq!(answer["data"], json!({ "postAdded": { "missed": false, "thread": { "postCount": 4 },
            "post": { "body": "Three today!", "author": { "name": "Mei Tanaka", "email": null } } } }));
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Person.email");
        assert_eq!(said(&anas.answer().await), "Three today!");
        let log = school.person("mei").await.data("{ me { accessLog(first: 9) { nodes { actorName category } } } }").await;
        assert_eq!(log["me"]["accessLog"]["nodes"], json!([{ "actorName": "Ana Pereira", "category": "IDENTITY" }]));

        // Whoever hangs up is gone at once, without anything being said to her.
        drop(anas);
        server.has_subscriptions(2).await;
        drop(omars);
        server.has_subscriptions(1).await;
        assert_eq!(school.app.live.connections(), 1);
        post(&school, &school.person("mei").await, "t2", "And here").await;
        assert_eq!(said(&elsewhere.answer().await), "And here");
        drop(elsewhere);
        server.has_subscriptions(0).await;
        all_are_gone(&school).await;
    }

    async fn a_stream_ends_with_the_reason_when_there_is_nothing_more_to_hear(school) {
        let server = Server::start(&school.app).await;
        let omar = school.person("omar").await;
        let mut omars = server.events(&omar, POSTS, json!({ "thread": school.thread("soil", "t1") })).await;
        server.has_subscriptions(1).await;
        school.app.enrolling.leave(school.id_of("omar"), CourseId::imported(SCHOOL, "soil")).await.unwrap().unwrap();
        post(&school, &school.person("ana").await, "t1", "For those who are here").await;
        omars.fails_with("NOT_FOUND").await;
        all_are_gone(&school).await;
    }

    async fn queries_and_mutations_are_answered_once_and_what_is_wrong_with_them_in_the_stream(school) {
        let server = Server::start(&school.app).await;
        let mei = school.person("mei").await;
        let query = "{ me { name } topics { slug } }";
        let mut events = server.events(&mei, query, json!({})).await;
        assert_eq!(events.answer().await, mei.ask(query).await, "the same as by POST");
        events.completes().await;
        let token = [bearer(&mei)];
        let mut events = server.events_with("GET", &target(query), &token, "").await;
        assert_eq!(events.answer().await, mei.ask(query).await, "the same as by GET");
        events.completes().await;
        let write = "mutation($t: ID!) { createPost(threadId: $t, input: { body: \"From here, too\" }) { post { body } } }";
        let mut events = server.events(&mei, write, json!({ "t": school.thread("soil", "t1") })).await;
        assert_eq!(events.answer().await["data"]["createPost"]["post"]["body"], "From here, too");
        events.completes().await;
        let sign_in = "mutation { signIn(input: { email: \"mei@school.example\", password: \"?\" }) { userErrors { code } } }";
        let mut events = server.events(&mei, sign_in, json!({})).await;
        assert_eq!(events.answer().await["errors"][0]["extensions"]["code"], "REQUEST_NEEDED", "its cookie would be lost");
        events.completes().await;
        for (query, code) in [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("query($n: Int!) { courses(first: $n) { nodes { id } } }", "BAD_USER_INPUT"),
            ("subscription { postAdded(threadId: \"x\") { missed } }", "BAD_USER_INPUT"),
            ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ course(slug: \"\\u0000\") { id } }", "BAD_REQUEST"),
        ] {
            server.events(&mei, query, json!({})).await.fails_with(code).await;
        }
        server.events(school.anybody(), NEXT_COURSES, json!({})).await.fails_with("UNAUTHENTICATED").await;
        let by_get = target("mutation { markAllNotificationsRead { userErrors { code } } }");
        server.events_with("GET", &by_get, &token, "").await.fails_with("METHOD_NOT_ALLOWED").await;
        all_are_gone(&school).await;
    }

    async fn whoever_sends_no_request_or_is_not_let_in_gets_a_status(school) {
        let limits = LiveSettings { connections_per_address: 3, connections_per_viewer: 2, ..LiveSettings::default() };
        let (school, server) = limited(school, limits).await;
        let mei = school.person("mei").await;
        let browser = school.in_browser("mei").await;
        let session = browser.cookie("__Host-stoa-session").unwrap();
        let cookie = ("cookie", format!("__Host-stoa-session={session}"));
        let text = |text: &str| text.to_owned();
        let good = r#"{ "query": "{ __typename }" }"#;
        for (method, headers, body, status, code) in [
            ("POST", vec![("authorization", text("Bearer stoa_nonsense"))], good, 401, "UNAUTHENTICATED"),
            ("POST", vec![("authorization", text("nonsense"))], good, 401, "UNAUTHENTICATED"),
            ("POST", vec![cookie.clone(), ("sec-fetch-site", text("cross-site"))], good, 403, "CROSS_SITE"),
            ("POST", vec![("stoa-denied-fields", text("maybe"))], good, 400, "BAD_REQUEST"),
            ("POST", vec![], "{", 400, "BAD_REQUEST"),
            ("POST", vec![], "", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("PUT", vec![], "", 405, "METHOD_NOT_ALLOWED"),
            ("DELETE", vec![], "", 405, "METHOD_NOT_ALLOWED"),
            ("GET", vec![("x-graphql-event-stream-token", text("1"))], "", 405, "METHOD_NOT_ALLOWED"),
        ] {
            let mut refused = server.events_with(method, "/graphql", &headers, body).await;
            assert_eq!(refused.status, status, "{method} {headers:?} {body}");
            assert_eq!(refused.header("content-type"), Some("application/json; charset=utf-8"));
            assert_eq!(refused.json().await["errors"][0]["extensions"]["code"], code, "{method} {headers:?} {body}");
        }
        all_are_gone(&school).await;

        // From a page of this site a session is good; when it is over it is not.
        let own = [cookie, ("sec-fetch-site", text("same-origin"))];
        let address = target(NEXT_COURSES);
        let first = server.events_with("GET", &address, &own, "").await;
        assert_eq!(first.status, 200);
        // With sockets, streams share the places of a viewer and of an address.
        let second = server.socket_as(&mei).await;
        let mut third = server.events_with("POST", "/graphql", &[bearer(&mei)], good).await;
        assert_eq!((third.status, &third.json().await["errors"][0]["extensions"]["code"]), (429, &json!("TOO_MANY_CONNECTIONS")));
        let others = server.socket_as(school.anybody()).await;
        assert_eq!(server.events_with("POST", "/graphql", &[], good).await.status, 429, "from one address");
        drop((first, second, others));
        all_are_gone(&school).await;
        assert_eq!(browser.data("mutation { signOut { signedOut } }").await["signOut"]["signedOut"], true);
        assert_eq!(server.events_with("GET", &address, &own, "").await.status, 401);

        // Who can read both gets JSON, unless she prefers events.
        let both = mei.with_header("accept", "application/json, text/event-stream");
        assert_eq!(both.data("{ me { name } }").await["me"]["name"], "Mei Tanaka");
    }

    async fn whoever_has_lost_her_token_or_session_hears_so_and_nothing_more(school) {
        let (school, server) = limited(school, LiveSettings { recheck_seconds: 1, ..LiveSettings::default() }).await;
        let omar = shortly(&school, "omar").await;
        // A silent one is looked at now and then.
        let mut silent = server.events(&omar, NEXT_COURSES, json!({})).await;
        server.has_subscriptions(1).await;
        school.clock.advance(61);
        silent.fails_with("UNAUTHENTICATED").await;
        // Before an event everybody is, so that it is not told to who may not hear it.
        let (school, server) = limited(school, LiveSettings::default()).await;
        let thread = json!({ "thread": school.thread("soil", "t1") });
        let mut omars = server.events(&shortly(&school, "omar").await, POSTS, thread.clone()).await;
        let mut meis = server.events(&school.person("mei").await, POSTS, thread).await;
        server.has_subscriptions(2).await;
        let ana = school.person("ana").await;
        post(&school, &ana, "t1", "Both hear this").await;
        assert_eq!(said(&omars.answer().await), "Both hear this");
        assert_eq!(said(&meis.answer().await), "Both hear this");
        school.clock.advance(61);
        post(&school, &ana, "t1", "One hears this").await;
        omars.fails_with("UNAUTHENTICATED").await;
        assert_eq!(said(&meis.answer().await), "One hears this");
    }

    async fn comments_keep_a_silent_stream_alive(school) {
        let (school, server) = limited(school, LiveSettings { ping_seconds: 1, ..LiveSettings::default() }).await;
        let mut events = server.events(&school.person("mei").await, NEXT_COURSES, json!({})).await;
        for _ in 0..3 {
            events.hear_comment().await;
        }
        server.has_subscriptions(1).await;
    }

    async fn a_slow_reader_is_told_so_and_the_others_go_on(school) {
        let (school, server) = limited(school, LiveSettings { queue: 3, ..LiveSettings::default() }).await;
        let omar = school.person("omar").await;
        let thread = json!({ "thread": school.thread("soil", "t1") });
        let copies: String = (0..20).fold(String::new(), |copies, n| copies + &format!(" b{n}: body"));
        let large = format!("subscription($thread: ID!) {{ postAdded(threadId: $thread) {{ post {{ id {copies} }} }} }}");
        let mut slow = server.narrow_events(&omar, &large, thread.clone()).await;
        let mut quick = server.events(&omar, "subscription($thread: ID!) { postAdded(threadId: $thread) { post { id } } }", thread.clone()).await;
        server.has_subscriptions(2).await;
        let ana = school.person("ana").await;
        let write = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } } }";
        let variables = json!({ "thread": thread["thread"], "body": "x".repeat(49_000) });
        let mut posts = 0;
        while school.app.live.dropped() == 0 {
            let written = ana.data_with(write, variables.clone()).await;
            assert_eq!(quick.answer().await["data"]["postAdded"]["post"], written["createPost"]["post"]);
            posts += 1;
            assert!(posts < 80, "nobody is too slow");
        }
        let mut taken = 0;
        let last = loop {
            let answer = slow.answer().await;
            if answer.get("data").is_none() {
                break answer;
            }
            taken += 1;
        };
        assert!(taken < posts, "{taken} of {posts}");
        assert_eq!(last["errors"][0]["extensions"]["code"], "SLOW_CONSUMER");
        slow.completes().await;
        server.has_subscriptions(1).await;
    }

    async fn a_reader_who_takes_nothing_at_all_is_let_go(school) {
        let limits = LiveSettings { ping_seconds: 1, write_seconds: 1, ..LiveSettings::default() };
        let (school, server) = limited(school, limits).await;
        let thread = json!({ "thread": school.thread("soil", "t1") });
        let copies: String = (0..20).fold(String::new(), |copies, n| copies + &format!(" b{n}: body"));
        let large = format!("subscription($thread: ID!) {{ postAdded(threadId: $thread) {{ post {{ {copies} }} }} }}");
        let _stuck = server.narrow_events(&school.person("omar").await, &large, thread.clone()).await;
        server.has_subscriptions(1).await;
        let ana = school.person("ana").await;
        let body = "x".repeat(49_000);
        for _ in 0..14 {
            post(&school, &ana, "t1", &body).await;
        }
        server.has_subscriptions(0).await;
    }

    async fn a_server_that_ends_breaks_streams_off_so_that_clients_come_again(school) {
        let mut server = Server::start(&school.app).await;
        let mei = school.person("mei").await;
        let mut events = server.events(&mei, NEXT_COURSES, json!({})).await;
        server.has_subscriptions(1).await;
        server.end();
        assert_eq!(events.hear().await, Event::Retry(1_000));
        // Not complete: there would have been more.
        assert_eq!(events.hear().await, Event::End);
        server.has_subscriptions(0).await;
        all_are_gone(&school).await;
    }
}

/// All connections to the database are cut, and something happens before anybody has noticed: the event waits, and comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_a_moment_costs_no_event() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::open(database).await;
    let server = Server::start(&school.app).await;
    let (omar, ana) = (school.person("omar").await, school.person("ana").await);
    let thread = json!({ "thread": school.thread("soil", "t1") });
    let mut events = server.events(&omar, POSTS, thread.clone()).await;
    let mut socket = server.socket_as(&omar).await;
    socket.subscribe("posts", POSTS, thread).await;
    server.has_subscriptions(2).await;
    for n in 0..3 {
        school.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stoa' AND datname = current_database()").await;
        // Written at another replica, whose connections are new.
        let other = school.replica().await;
        let at_the_other = school.anybody_at(&other).with_token(ana.token().expect("a token"));
        let body = format!("After cut {n}");
        post(&school, &at_the_other, "t1", &body).await;
        assert_eq!(said(&events.answer().await), &body);
        assert_eq!(said(&socket.answer("posts").await), &body);
    }
}

/// Five thousand who listen, and to whom nothing happens: what they cost is bounded, and whoever waits for something gets it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_idle_subscriptions_cost_little_and_an_event_still_arrives() {
    use stoa_testkit::{Events, Said, Socket};
    use tokio::net::TcpStream;

    use crate::{
        live_limits::resident,
        process::{Running, imported, token},
    };

    const SOCKETS: usize = 245;
    const EACH: usize = 20;
    const STREAMS: usize = 100;

    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    std::fs::write(folder.path().join("stoa.toml"), "[live]\nconnections_per_viewer = 1000\n").unwrap();
    let mei = token(folder.path(), "mei@school.example");
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let address = server.address.parse().unwrap();
    let authorization = format!("Bearer {mei}");
    let before = resident(server.child.id());

    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let mut socket = Socket::connect(address).await;
        socket.say(&json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "connection_ack" })));
        for n in 0..EACH {
            socket.subscribe(&n.to_string(), NEXT_COURSES, json!({})).await;
        }
        // Nothing is said of any of them: they listen.
        socket.say(&json!({ "type": "ping" })).await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "pong" })));
        sockets.push(socket);
    }
    let mut streams = Vec::new();
    let headers = [("authorization", authorization)];
    for _ in 0..STREAMS {
        let stream = TcpStream::connect(address).await.unwrap();
        let events = Events::ask(stream, "GET", &target(NEXT_COURSES), &headers, "").await;
        assert_eq!(events.status, 200);
        streams.push(events);
    }
    // One more listens to a thread, and writes into it.
    let post = |body: Value| {
        let answer = server.post(&mei, &body.to_string()).unwrap();
        serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let threads = "{ course(slug: \"living-soil\") { forum { threads(first: 1) { nodes { id } } } } }";
    let thread = &post(json!({ "query": threads }))["data"]["course"]["forum"]["threads"]["nodes"][0]["id"];
    let stream = TcpStream::connect(address).await.unwrap();
    let body = json!({ "query": POSTS, "variables": { "thread": thread } }).to_string();
    let mut listener = Events::ask(stream, "POST", "/graphql", &headers, &body).await;
    assert_eq!(listener.status, 200);
    listener.hear_comment().await;
    let with = resident(server.child.id());
    let write =
        "mutation($thread: ID!) { createPost(threadId: $thread, input: { body: \"Still there?\" }) { post { id } } }";
    // Nothing tells that she listens, so she writes until she hears it.
    let heard = async { listener.answer().await };
    let written = async {
        loop {
            post(json!({ "query": write, "variables": { "thread": thread } }));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let answer = tokio::select! { answer = heard => answer, () = written => unreachable!() };
    assert_eq!(said(&answer), "Still there?", "{answer:#}");

    let subscriptions = SOCKETS * EACH + STREAMS;
    let grown = with.saturating_sub(before);
    eprintln!(
        "KiB: {before} before, {with} with {subscriptions} subscriptions on {} connections, {:.1} for each",
        SOCKETS + STREAMS,
        grown as f64 / subscriptions as f64
    );
    assert!(grown < 100_000, "{before} KiB before, {with} with {subscriptions} subscriptions");
    drop((sockets, streams, listener));
}
