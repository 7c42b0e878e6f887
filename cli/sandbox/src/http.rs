//! A very small HTTP client over loopback, for testnets and doctors. One request a connection,
//! bounded answer, no redirects. An answer that broke off is an error.

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
        &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{more}\r\n"),
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
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: \
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
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let line = lines.find(|(key, _)| *key == name);
        line.map(|(_, value)| value.trim().to_owned())
    };
    let cut = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the answer broke off");
    let body = if header("transfer-encoding").is_some_and(|kind| kind == "chunked") {
        joined(&body).ok_or_else(cut)?
    } else {
        let length = header("content-length").and_then(|length| length.parse().ok());
        if length.is_some_and(|length: usize| length != body.len()) {
            return Err(cut());
        }
        body
    };
    Ok(Answer { status, body })
}

/// The content of a body in chunks; none if it broke off.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_body_in_chunks_is_whole_or_none() {
        let whole = b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n";
        assert_eq!(joined(whole), Some(b"Wikipedia".to_vec()));
        let last = whole.len() - 4;
        for cut in 0..last {
            assert_eq!(joined(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
