//! A client that speaks HTTP by hand, so that it can do what no library does.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Bytes,
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use poem::http::{Request, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

/// What takes longer is taken for something that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of any kind.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection on which anything may be sent.
pub struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The names, in small letters, and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A file in `tests/fixtures/tls`.
pub fn tls_fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

async fn tls(address: SocketAddr, certificate: &str, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_file(tls_fixture(certificate)).expect("a certificate");
    roots.add(trusted).expect("a certificate that can be trusted");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    assert_eq!(agreed.as_deref(), Some(protocol.as_bytes()), "the protocol that was agreed on");
    Ok(stream)
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    /// If it can't.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        Self { stream: Box::new(stream), unread: Vec::new() }
    }

    /// Connects by TLS, if the server shows this certificate of the fixtures.
    pub async fn connect_by_tls(address: SocketAddr, certificate: &str) -> std::io::Result<Self> {
        Ok(Self { stream: Box::new(tls(address, certificate, "http/1.1").await?), unread: Vec::new() })
    }

    /// Sends these bytes, as far as they are taken.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Who has heard enough may have closed.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Says that nothing more will come, and goes on listening.
    pub async fn close_half(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Sends a query by POST.
    pub async fn post(&mut self, query: &str) {
        let body = serde_json::json!({ "query": query }).to_string();
        let length = body.len();
        self.send(format!(
            "POST /graphql HTTP/1.1\r\nhost: stoa\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    /// The next answer; `None` if the connection ends without one.
    ///
    /// # Panics
    /// If it does neither come nor end.
    pub async fn reply(&mut self) -> Option<Reply> {
        timeout(PATIENCE, self.read_reply()).await.expect("an answer, or an end")
    }

    async fn read_reply(&mut self) -> Option<Reply> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            self.read().await?;
        };
        let head: Vec<_> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        let length = reply.header("content-length").parse().unwrap_or(0);
        while self.unread.len() < length {
            self.read().await?;
        }
        reply.body = self.unread.drain(..length).collect();
        Some(reply)
    }

    async fn read(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.unread).await.ok()?;
        (read > 0).then_some(())
    }

    /// The stream itself.
    pub fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }
}

/// A connection of HTTP/2.
pub struct Http2 {
    requests: SendRequest<Full<Bytes>>,
}

impl Http2 {
    /// Connects to a server that is known to speak it.
    ///
    /// # Panics
    /// If it does not.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a connection")).await
    }

    /// Connects by TLS, and agrees on HTTP/2.
    ///
    /// # Panics
    /// If the server does not.
    pub async fn connect_by_tls(address: SocketAddr, certificate: &str) -> Self {
        Self::over(tls(address, certificate, "h2").await.expect("a connection by TLS")).await
    }

    async fn over(stream: impl Stream + 'static) -> Self {
        let (requests, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a handshake of HTTP/2");
        tokio::spawn(connection);
        Self { requests }
    }

    /// Sends a query by POST, with these headers, and answers with status and JSON.
    ///
    /// # Panics
    /// If the connection breaks off.
    pub async fn post(&self, query: &str, headers: &[(&str, &str)]) -> (StatusCode, serde_json::Value) {
        let body = serde_json::json!({ "query": query }).to_string();
        let request = Request::post("https://localhost/graphql").header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let sent = self.requests.clone().send_request(request.body(Full::from(body)).expect("a request"));
        let response = timeout(PATIENCE, sent).await.expect("an answer").expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole answer").to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}
