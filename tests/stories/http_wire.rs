//! Connections that are slow, broken, too many or too large: what happens on the wire.

use std::time::Duration;

use serde_json::json;
use stoa_api::{app::Settings, http::HttpSettings};
use stoa_testkit::{Database, Http2, School, Server, Wire};
use tokio::time::sleep;

const ASK: &str = "{ __typename }";

/// A server with these settings. No database is asked, so one is enough.
pub(crate) async fn server(http: HttpSettings) -> (School, Server) {
    let school = School::open(Database::sqlite()).await.under(Settings { http, ..Settings::default() }).await;
    let server = Server::start(&school.app).await;
    (school, server)
}

async fn answers(wire: &mut Wire) {
    wire.post(ASK).await;
    assert_eq!(wire.reply().await.expect("an answer").json(), json!({ "data": { "__typename": "Query" } }));
}

fn head(rest: &str) -> String {
    format!("POST /graphql HTTP/1.1\r\nhost: stoa\r\ncontent-type: application/json\r\n{rest}\r\n")
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_comes() {
    let (_school, server) = server(HttpSettings::default()).await;
    let mut wire = Wire::connect(server.address).await;
    // None of the ten megabytes is sent, and yet there is an answer.
    wire.send(head("content-length: 10485760\r\n")).await;
    let reply = wire.reply().await.expect("an answer");
    assert_eq!((reply.status, &reply.json()["errors"][0]["extensions"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    assert!(wire.reply().await.is_none(), "the connection ends: what would come is no request");
}

#[tokio::test]
async fn who_sends_ten_megabytes_all_the_same_learns_why_they_are_refused() {
    let (_school, server) = server(HttpSettings::default()).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(head("content-length: 10485760\r\n")).await;
    wire.send(vec![b' '; 10 << 20]).await;
    assert_eq!(wire.reply().await.map(|reply| reply.status), Some(413));
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_as_far_as_it_may_go() {
    let (_school, server) = server(HttpSettings { body_bytes: 2_048, ..HttpSettings::default() }).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(head("transfer-encoding: chunked\r\n")).await;
    for _ in 0..4 {
        wire.send(format!("400\r\n{}\r\n", " ".repeat(1_024))).await;
    }
    assert_eq!(wire.reply().await.map(|reply| reply.status), Some(413));
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let (_school, server) = server(HttpSettings { header_seconds: 1, ..HttpSettings::default() }).await;
    let mut silent = Wire::connect(server.address).await;
    let mut slow = Wire::connect(server.address).await;
    slow.send("POST /graphql HTTP/1.1\r\nhost: sto").await;
    let mut like_http2 = Wire::connect(server.address).await;
    like_http2.send("PRI * HTTP/2.0\r\n").await;
    // One that was quick at first.
    let mut later = Wire::connect(server.address).await;
    answers(&mut later).await;
    later.send("GET /gra").await;
    for wire in [&mut silent, &mut slow, &mut like_http2, &mut later] {
        let reply = wire.reply().await;
        assert!(reply.is_none_or(|reply| reply.status == 408), "the connection ends");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (_school, server) = server(HttpSettings { body_seconds: 1, ..HttpSettings::default() }).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(head("content-length: 100\r\n") + "{\"query\":").await;
    let reply = wire.reply().await.expect("an answer");
    assert_eq!((reply.status, &reply.json()["errors"][0]["extensions"]["code"]), (408, &json!("REQUEST_TIMEOUT")));
    assert!(wire.reply().await.is_none());
}

#[tokio::test]
async fn a_connection_lasts_over_many_requests_and_ends_when_nobody_asks_any_more() {
    let settings = HttpSettings { idle_seconds: 2, header_seconds: 1, ..HttpSettings::default() };
    let (_school, server) = server(settings).await;
    let mut wire = Wire::connect(server.address).await;
    answers(&mut wire).await;
    // Longer than a head may take, and shorter than a connection may rest.
    sleep(Duration::from_millis(1_300)).await;
    answers(&mut wire).await;
    assert!(wire.reply().await.is_none());
}

#[tokio::test]
async fn a_socket_outlives_the_patience_with_requests() {
    let settings = HttpSettings { idle_seconds: 1, header_seconds: 1, write_seconds: 1, ..HttpSettings::default() };
    let (school, server) = server(settings).await;
    let mut socket = server.socket_as(school.anybody()).await;
    sleep(Duration::from_millis(2_500)).await;
    socket.subscribe("1", ASK, json!({})).await;
    assert_eq!(socket.answer("1").await, json!({ "data": { "__typename": "Query" } }));
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_there_is_room_again_when_another_ends() {
    let (_school, server) = server(HttpSettings { connections: 1, ..HttpSettings::default() }).await;
    let mut first = Wire::connect(server.address).await;
    answers(&mut first).await;
    let mut second = Wire::connect(server.address).await;
    let reply = second.reply().await.expect("an answer");
    assert_eq!((reply.status, &reply.json()["errors"][0]["extensions"]["code"]), (503, &json!("TOO_MANY_CONNECTIONS")));
    assert_eq!(reply.header("retry-after"), "5");
    answers(&mut first).await;
    drop(first);
    loop {
        let mut third = Wire::connect(server.address).await;
        third.post(ASK).await;
        if third.reply().await.is_some_and(|reply| reply.status == 200) {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_hangs_up_is_not_answered_and_nobody_else_is_disturbed() {
    let (_school, server) = server(HttpSettings::default()).await;
    for bytes in
        ["", "POST /gra", "POST /graphql HTTP/1.1\r\nhost: stoa\r\ncontent-length: 9\r\n\r\n{", "\0\0\0\0\r\n\r\n"]
    {
        let mut wire = Wire::connect(server.address).await;
        wire.send(bytes).await;
        wire.close_half().await;
        let reply = wire.reply().await;
        assert!(reply.as_ref().is_none_or(|reply| reply.status >= 400), "{bytes:?}: {reply:?}");
    }
    answers(&mut Wire::connect(server.address).await).await;
}

#[tokio::test]
async fn http2_is_spoken_without_tls_to_who_knows_it() {
    let (school, server) = server(HttpSettings::default()).await;
    let client = Http2::connect(server.address).await;
    let (status, answer) = client.post(ASK, &[]).await;
    assert_eq!((status.as_u16(), answer), (200, json!({ "data": { "__typename": "Query" } })));
    // There is no `Host` in HTTP/2, and pages of this site are known all the same.
    let cookie = [("cookie", "__Host-stoa-session=none"), ("origin", "https://localhost")];
    assert_eq!(client.post(ASK, &cookie).await.0, 200);
    let cookie = [("cookie", "__Host-stoa-session=none"), ("origin", "https://elsewhere.example")];
    assert_eq!(client.post(ASK, &cookie).await.0, 403);
    drop(school);
}
