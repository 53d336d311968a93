//! TLS: by a certificate in files, renewed without a restart.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use stoa_api::http::{HttpSettings, Listener};
use stoa_testkit::{Http2, Wire, tls_fixture};
use tokio::time::sleep;
use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest as _};

use super::http_wire::server;

const ASK: &str = "{ __typename }";

fn settings(folder: &Path) -> HttpSettings {
    HttpSettings {
        tls_certificate: Some(folder.join("cert.pem")),
        tls_key: Some(folder.join("key.pem")),
        ..HttpSettings::default()
    }
}

fn put(folder: &Path, certificate: &str, key: &str) {
    fs::copy(tls_fixture(certificate), folder.join("cert.pem")).unwrap();
    fs::copy(tls_fixture(key), folder.join("key.pem")).unwrap();
}

#[tokio::test]
async fn requests_come_by_tls_in_both_versions_of_http_and_browsers_are_told_to_keep_to_it() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first.pem", "first.key.pem");
    let (_school, server) = server(settings(folder.path())).await;
    let mut wire = Wire::connect_by_tls(server.address, "first.pem").await.unwrap();
    wire.post(ASK).await;
    let reply = wire.reply().await.unwrap();
    assert_eq!((reply.status, reply.json()), (200, json!({ "data": { "__typename": "Query" } })));
    assert_eq!(reply.header("strict-transport-security"), "max-age=31536000");
    let client = Http2::connect_by_tls(server.address, "first.pem").await;
    assert_eq!(client.post(ASK, &[]).await.0, 200);
    assert!(Wire::connect_by_tls(server.address, "second.pem").await.is_err(), "it shows the first certificate");
}

#[tokio::test]
async fn who_speaks_no_tls_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first.pem", "first.key.pem");
    let (_school, server) = server(settings(folder.path())).await;
    let mut wire = Wire::connect(server.address).await;
    wire.post(ASK).await;
    assert!(wire.reply().await.is_none());
}

#[tokio::test]
async fn a_socket_is_opened_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first.pem", "first.key.pem");
    let (_school, server) = server(settings(folder.path())).await;
    let stream = Wire::connect_by_tls(server.address, "first.pem").await.unwrap().into_stream();
    let mut request = "wss://localhost/graphql".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (_socket, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), 101);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart_and_half_of_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first.pem", "first.key.pem");
    let (_school, server) = server(settings(folder.path())).await;
    // A certificate whose key is not there yet.
    put(folder.path(), "second.pem", "first.key.pem");
    sleep(Duration::from_millis(1_100)).await;
    assert!(Wire::connect_by_tls(server.address, "first.pem").await.is_ok());
    put(folder.path(), "second.pem", "second.key.pem");
    while Wire::connect_by_tls(server.address, "second.pem").await.is_err() {
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let said = async || {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        listener.with(&settings(folder.path())).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let error = said().await;
    assert!(error.contains("http.tls_certificate") && error.contains("cert.pem can't be read"), "{error}");
    put(folder.path(), "first.pem", "second.key.pem");
    assert!(said().await.contains("is not the key of"), "{}", said().await);
    put(folder.path(), "first.pem", "first.pem");
    assert!(said().await.contains("no private key"), "{}", said().await);
    put(folder.path(), "first.key.pem", "first.key.pem");
    assert!(said().await.contains("no certificate"), "{}", said().await);
}
