//! A server that is reached by the network, and clients of `graphql-transport-ws`.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use poem::http::StatusCode;
use serde_json::{Value, json};
use stoa_api::{app::App, http};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::Client;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// What takes longer is taken for something that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own, until it is dropped or ended.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    app: App,
    end: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Serves these services. What happens is heard, as when `stoa serve` runs.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(app: &App) -> Self {
        let listener = http::Listener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = listener.with(&app.http).expect("a certificate");
        let (address, app) = (listener.address, app.clone());
        let (end, ended) = oneshot::channel();
        let live = app.live.clone();
        let listening = tokio::spawn({
            let live = live.clone();
            async move { live.keep_listening().await }
        });
        let routes = http::routes(&app, &[]);
        tokio::spawn(async move {
            let asked_to_end = async {
                // Dropped without a word is as good.
                let _ = ended.await;
                live.end().await;
            };
            listener.serve(routes, asked_to_end).await.expect("a server");
            listening.abort();
        });
        Self { address, app, end: Some(end) }
    }

    /// Asks it to end, as SIGTERM does.
    pub fn end(&mut self) {
        drop(self.end.take());
    }

    /// Waits until so many subscriptions are there.
    ///
    /// # Panics
    /// If there never are.
    pub async fn has_subscriptions(&self, count: usize) {
        let there = async {
            while self.app.live.subscriptions() != count || (count > 0 && !self.app.live.hears()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let found = timeout(PATIENCE, there).await;
        assert!(found.is_ok(), "there are {} subscriptions", self.app.live.subscriptions());
    }

    /// Connects, and says nothing yet.
    ///
    /// # Panics
    /// If it can't.
    pub async fn socket(&self) -> Socket {
        self.socket_with(&[("sec-websocket-protocol", PROTOCOL)]).await.expect("a WebSocket")
    }

    /// Connects with these headers, or answers with the status of the refusal.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, StatusCode> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        self.handshake(stream, headers).await
    }

    /// Connects as somebody whose machine takes little at once.
    ///
    /// # Panics
    /// If it can't.
    pub async fn narrow_socket(&self) -> Socket {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
        let stream = socket.connect(self.address).await.expect("a connection");
        self.handshake(stream, &[("sec-websocket-protocol", PROTOCOL)]).await.expect("a WebSocket")
    }

    async fn handshake(&self, stream: TcpStream, headers: &[(&'static str, &str)]) -> Result<Socket, StatusCode> {
        Socket::handshake(self.address, stream, headers).await
    }

    /// Connects as somebody, and is acknowledged.
    ///
    /// # Panics
    /// If it is not.
    pub async fn socket_as(&self, client: &Client) -> Socket {
        let mut socket = self.socket().await;
        socket.init(client).await;
        socket
    }
}

/// A connection to a server.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A message.
    Message(Value),
    /// It has closed the connection, with this code.
    Closed(u16),
    /// The connection has broken off.
    BrokenOff,
}

impl Socket {
    /// Connects to any server.
    ///
    /// # Panics
    /// If it can't.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        Self::handshake(address, stream, &[("sec-websocket-protocol", PROTOCOL)]).await.expect("a WebSocket")
    }

    async fn handshake(
        address: SocketAddr,
        stream: TcpStream,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header's value"));
        }
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    /// Says who it is, and is acknowledged.
    ///
    /// # Panics
    /// If it is not.
    pub async fn init(&mut self, client: &Client) {
        let payload = client.token.as_ref().map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        self.say(&json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.hear().await, Said::Message(json!({ "type": "connection_ack" })));
    }

    /// Says something.
    ///
    /// # Panics
    /// If the connection has broken off.
    pub async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends any message.
    ///
    /// # Panics
    /// If the connection has broken off.
    pub async fn send(&mut self, message: Message) {
        self.stream.send(message).await.expect("a connection");
    }

    /// What is said next; pings are answered on the way.
    ///
    /// # Panics
    /// If nothing is said.
    pub async fn hear(&mut self) -> Said {
        timeout(PATIENCE, self.heard()).await.expect("the server says something")
    }

    async fn heard(&mut self) -> Said {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Said::Message(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => {
                    return frame.map_or(Said::BrokenOff, |frame| Said::Closed(frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Said::BrokenOff,
            }
        }
    }

    /// Begins an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next answer of an operation.
    ///
    /// # Panics
    /// If something else is said.
    pub async fn answer(&mut self, id: &str) -> Value {
        match self.hear().await {
            Said::Message(mut message) if message["type"] == "next" && message["id"] == id => message["payload"].take(),
            other => panic!("{other:?}"),
        }
    }

    /// The errors that an operation ends with.
    ///
    /// # Panics
    /// If something else is said.
    pub async fn error(&mut self, id: &str) -> Value {
        match self.hear().await {
            Said::Message(mut message) if message["type"] == "error" && message["id"] == id => {
                message["payload"].take()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Hears nothing that was not asked for: whatever was to be said before a ping's answer would come first.
    ///
    /// # Panics
    /// If something is said.
    pub async fn hears_nothing(&mut self) {
        sleep(Duration::from_millis(150)).await;
        self.say(&json!({ "type": "ping", "payload": { "anything": "else" } })).await;
        assert_eq!(self.hear().await, Said::Message(json!({ "type": "pong", "payload": { "anything": "else" } })));
    }
}
