//! Clients of server-sent events: GraphQL over SSE, read off the wire.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{Client, Server};

/// What takes longer is taken for something that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer that may have no end.
pub struct Events {
    stream: BufReader<TcpStream>,
    /// The status.
    pub status: u16,
    /// The lines of the head.
    pub head: Vec<String>,
    /// How many comments have come so far.
    pub comments: usize,
    /// What has come and was not looked at yet.
    text: String,
    waiting: VecDeque<Event>,
}

/// What comes in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An answer.
    Next(Value),
    /// The operation has ended.
    Complete,
    /// After so many milliseconds a client may come again.
    Retry(u64),
    /// The stream has ended as the server wanted it.
    End,
    /// The connection has broken off.
    BrokenOff,
}

impl Server {
    /// Sends an operation as somebody, and hears what comes of it.
    ///
    /// # Panics
    /// If it is not answered with a stream.
    pub async fn events(&self, client: &Client, query: &str, variables: Value) -> Events {
        let headers = client.token.iter().map(|token| ("authorization", format!("Bearer {token}"))).collect::<Vec<_>>();
        let body = json!({ "query": query, "variables": variables }).to_string();
        let events = self.events_with("POST", "/graphql", &headers, &body).await;
        assert_eq!(events.status, 200, "{:?}", events.head);
        events
    }

    /// Sends any request that accepts events.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn events_with(&self, method: &str, target: &str, headers: &[(&str, String)], body: &str) -> Events {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        Events::ask(stream, method, target, headers, body).await
    }

    /// As [`Server::events`], as somebody whose machine takes little at once.
    ///
    /// # Panics
    /// If it is not answered with a stream.
    pub async fn narrow_events(&self, client: &Client, query: &str, variables: Value) -> Events {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
        let stream = socket.connect(self.address).await.expect("a connection");
        let token = client.token.as_ref().expect("a token");
        let body = json!({ "query": query, "variables": variables }).to_string();
        let events =
            Events::ask(stream, "POST", "/graphql", &[("authorization", format!("Bearer {token}"))], &body).await;
        assert_eq!(events.status, 200, "{:?}", events.head);
        events
    }
}

impl Events {
    /// Sends a request on a connection, and reads the head of the answer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn ask(
        mut stream: TcpStream,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Self {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: stoa\r\nAccept: text/event-stream\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        request += &format!("\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("a connection");
        let mut stream = BufReader::with_capacity(1 << 10, stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            timeout(PATIENCE, stream.read_line(&mut line)).await.expect("an answer").expect("an answer");
            if line.trim_end().is_empty() {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let status = head[0].split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { stream, status, head, comments: 0, text: String::new(), waiting: VecDeque::new() }
    }

    /// What a header says, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head[1..].iter().filter_map(|line| line.split_once(": "));
        lines.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The body of an answer that is none of events, as JSON.
    ///
    /// # Panics
    /// If it is not.
    pub async fn json(&mut self) -> Value {
        let length = self.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("a whole answer");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// What comes next; comments are counted on the way.
    ///
    /// # Panics
    /// If nothing comes.
    pub async fn hear(&mut self) -> Event {
        timeout(PATIENCE, async {
            loop {
                if let Some(event) = self.waiting.pop_front() {
                    return event;
                }
                self.read().await;
            }
        })
        .await
        .expect("the server says something")
    }

    /// Waits for one more comment.
    ///
    /// # Panics
    /// If none comes, or something else.
    pub async fn hear_comment(&mut self) {
        let before = self.comments;
        let came = async {
            while self.comments == before {
                assert_eq!(self.waiting.front(), None, "nothing else is said");
                self.read().await;
            }
        };
        timeout(PATIENCE, came).await.expect("a comment");
    }

    /// The next answer.
    ///
    /// # Panics
    /// If something else comes.
    pub async fn answer(&mut self) -> Value {
        match self.hear().await {
            Event::Next(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// The last answer, which has this code, and the end.
    ///
    /// # Panics
    /// If something else comes.
    pub async fn fails_with(&mut self, code: &str) {
        let answer = self.answer().await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer:#}");
        assert_eq!(answer.get("data"), None);
        self.completes().await;
    }

    /// Hears that all is said.
    ///
    /// # Panics
    /// If something else comes.
    pub async fn completes(&mut self) {
        assert_eq!(self.hear().await, Event::Complete);
        assert_eq!(self.hear().await, Event::End);
    }

    /// Reads one chunk, and takes the events out of what there is.
    async fn read(&mut self) {
        let mut line = String::new();
        let length = match self.stream.read_line(&mut line).await {
            Ok(1..) => usize::from_str_radix(line.trim(), 16).expect("a chunk's length"),
            Ok(0) | Err(_) => return self.waiting.push_back(Event::BrokenOff),
        };
        let mut chunk = vec![0; length + 2];
        if self.stream.read_exact(&mut chunk).await.is_err() {
            return self.waiting.push_back(Event::BrokenOff);
        }
        if length == 0 {
            return self.waiting.push_back(Event::End);
        }
        self.text += std::str::from_utf8(&chunk[..length]).expect("UTF-8");
        while let Some(end) = self.text.find("\n\n") {
            let event: String = self.text.drain(..end + 2).collect();
            self.take(event.trim_end());
        }
    }

    fn take(&mut self, event: &str) {
        let field =
            |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_start);
        match (field("event"), field("data"), field("retry")) {
            (Some("next"), Some(data), None) => {
                self.waiting.push_back(Event::Next(serde_json::from_str(data).expect("JSON")));
            }
            // With the empty data, without which a browser passes it over.
            (Some("complete"), Some(""), None) => self.waiting.push_back(Event::Complete),
            (None, None, Some(retry)) => self.waiting.push_back(Event::Retry(retry.parse().expect("milliseconds"))),
            (None, None, None) if event == ":" => self.comments += 1,
            _ => panic!("this is no event: {event:?}"),
        }
    }
}
