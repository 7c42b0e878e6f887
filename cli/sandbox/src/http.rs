//! A very small HTTP client over loopback, for testnets and doctors. One request a connection,
//! bounded answer, no redirects.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;

/// Longest answer read, in bytes.
const ANSWER_MAX: u64 = 256 * 1024 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as an answer of the API.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.body)
    }

    /// The body as JSON, for whoever looks at it from outside; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// GET of a path.
pub fn get(at: SocketAddr, path: &str, timeout: Duration) -> std::io::Result<Answer> {
    get_with(at, path, &[], timeout)
}

/// GET of a path with more headers.
pub fn get_with(
    at: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    timeout: Duration,
) -> std::io::Result<Answer> {
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    request(
        at,
        &format!("GET {path} HTTP/1.0\r\nHost: {at}\r\n{more}\r\n"),
        &[],
        timeout,
    )
}

/// POST of bytes.
pub fn post(
    at: SocketAddr,
    path: &str,
    kind: &str,
    body: &[u8],
    timeout: Duration,
) -> std::io::Result<Answer> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {at}\r\nContent-Type: {kind}\r\nContent-Length: \
         {length}\r\n\r\n"
    );
    request(at, &head, body, timeout)
}

fn request(at: SocketAddr, head: &str, body: &[u8], timeout: Duration) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&at, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.set_nodelay(true)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut bytes)?;
    let bad = || std::io::Error::new(std::io::ErrorKind::InvalidData, "no HTTP answer");
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(bad)?;
    let status = std::str::from_utf8(&bytes[..end])
        .ok()
        .and_then(|head| head.split(' ').nth(1)?.parse().ok())
        .ok_or_else(bad)?;
    Ok(Answer {
        status,
        body: bytes.split_off(end + 4),
    })
}
