//! As much of an HTTP client as the harness needs: one connection that is kept, requests that are ready bytes, answers with a
//! length or in chunks. It does little for a request, so that the servers have the processors.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection to a server.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// The body of the last answer.
    pub(crate) body: Vec<u8>,
}

/// Where a body ends.
enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no server at {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(1 << 18), body: Vec::with_capacity(1 << 18) })
    }

    /// Sends a request, and answers with the status when the body has come as a whole.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.read.clear();
        self.body.clear();
        let head = loop {
            self.more().await?;
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
        };
        let (status, framing) = parsed(&self.read[..head])?;
        match framing {
            Framing::Length(length) => {
                while self.read.len() < head + length {
                    self.more().await?;
                }
                self.body.extend_from_slice(&self.read[head..head + length]);
            }
            Framing::Chunked => self.chunks(head).await?,
        }
        Ok(status)
    }

    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<()> {
        loop {
            let line = loop {
                match find(&self.read[at..], b"\r\n") {
                    Some(length) => break at + length,
                    None => self.more().await?,
                }
            };
            let size = std::str::from_utf8(&self.read[at..line])?.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("{size:?} is no size of a chunk"))?;
            let begin = line + 2;
            while self.read.len() < begin + size + 2 {
                self.more().await?;
            }
            if size == 0 {
                return Ok(());
            }
            self.body.extend_from_slice(&self.read[begin..begin + size]);
            at = begin + size + 2;
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the server hung up");
        }
        Ok(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The status of an answer's head, and where its body ends.
fn parsed(head: &[u8]) -> anyhow::Result<(u16, Framing)> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("{text:?} is no answer"))?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, Framing::Length(value.trim().parse()?)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked") {
            return Ok((status, Framing::Chunked));
        }
    }
    bail!("an answer neither has a length nor comes in chunks: {text:?}")
}

/// A GraphQL request as it goes over the wire.
pub(crate) fn request(address: SocketAddr, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         Authorization: Bearer {token}\r\nStoa-Cost: omit\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
