//! The smallest HTTP/1.1 client that can load a server: one connection kept open, one request at a time, no more parsing
//! than is needed to find the end of an answer. Whatever it spent would be taken from the server beside it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where the FHIR server is.
#[derive(Clone)]
pub(crate) struct Target {
    /// `host:port`.
    pub(crate) address: String,
    /// The base path, such as `/fhir`.
    pub(crate) base: String,
    /// The bearer token.
    pub(crate) token: Option<String>,
}

impl Target {
    /// From `http://host:port/base`.
    pub(crate) fn of(url: &str, token: Option<String>) -> Self {
        let rest = url.strip_prefix("http://").expect("the target is an http:// address");
        let (address, base) = rest
            .split_once('/')
            .map_or((rest, String::new()), |(host, path)| (host, format!("/{}", path.trim_end_matches('/'))));
        let address = if address.contains(':') { address.to_owned() } else { format!("{address}:80") };
        Self { address, base, token }
    }

    /// A request's bytes.
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let token = self.token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let slash = if path.is_empty() { "" } else { "/" };
        let mut out = format!(
            "{method} {}{slash}{path} HTTP/1.1\r\nHost: {}\r\n{token}Accept: application/fhir+json\r\n\
             Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\nContent-Length: {}\r\n\r\n",
            self.base,
            self.address,
            body.len()
        )
        .into_bytes();
        out.extend_from_slice(body);
        out
    }
}

/// An answer.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, as sent, or put together from its chunks.
    pub(crate) body: Vec<u8>,
}

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Self {
        let stream = TcpStream::connect(&target.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, buffer: Vec::with_capacity(256 << 10) }
    }

    /// Sends a request and reads its answer whole.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.expect("the server takes the request");
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|text| text.parse().ok()).expect("a status line");
        self.buffer.drain(..head_end);
        let body = match header(&head, "content-length").and_then(|text| text.parse::<usize>().ok()) {
            Some(length) => self.take(length).await,
            None if header(&head, "transfer-encoding").is_some() => self.chunks().await,
            None => Vec::new(),
        };
        Answer { status, body }
    }

    async fn more(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
        assert!(read > 0, "the server closed the connection in mid-answer");
    }

    async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            self.more().await;
        }
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                self.more().await;
            };
            let size = usize::from_str_radix(String::from_utf8_lossy(&self.buffer[..end]).trim(), 16).expect("a size");
            self.buffer.drain(..end + 2);
            body.extend(self.take(size).await);
            self.take(2).await;
            if size == 0 {
                return body;
            }
        }
    }
}

/// A header's value.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (other, value) = line.split_once(':')?;
        other.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
