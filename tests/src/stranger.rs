//! Strangers at a node's API: questions with their headers, and floods. Whoever has no pass and no key
//! can do all of this.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// An answer with its headers.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Where floods come from: an address of this machine that is not the one of everybody else in a test.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// A connection from the address of this machine that floods come from.
pub fn from_elsewhere(at: SocketAddr) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((FROM, 0)))?;
        socket.connect(at).await?.into_std()
    })?;
    connected.set_nonblocking(false)?;
    Ok(connected)
}

/// Sends bytes as they are and reads until the node hangs up; none if it hangs up without an answer.
pub fn raw(at: SocketAddr, request: &[u8], wait: Duration) -> Option<Answer> {
    let stream = TcpStream::connect_timeout(&at, wait).ok()?;
    answered(stream, request, wait)
}

/// The same one after the other on one connection, without waiting for answers: how many were answered
/// before the first that was too much; none if none was.
pub fn until_too_many(at: SocketAddr, request: &[u8], times: usize) -> Option<usize> {
    let mut stream = TcpStream::connect(at).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut writer = stream.try_clone().unwrap();
    let all = request.repeat(times);
    let writing = std::thread::spawn(move || drop(writer.write_all(&all)));
    let (mut seen, mut part) = (String::new(), [0; 16 * 1024]);
    let found = loop {
        let Ok(read @ 1..) = stream.read(&mut part) else {
            break None;
        };
        seen.push_str(&String::from_utf8_lossy(&part[..read]));
        if let Some(end) = seen.find("HTTP/1.1 429") {
            break Some(seen[..end].matches("HTTP/1.1 200").count());
        }
        if seen.matches("HTTP/1.1 200").count() == times {
            break None;
        }
    };
    let _ = stream.shutdown(std::net::Shutdown::Both);
    writing.join().unwrap();
    found
}

/// Sends bytes on a connection and reads until the node hangs up.
pub fn answered(mut stream: TcpStream, request: &[u8], wait: Duration) -> Option<Answer> {
    stream.set_read_timeout(Some(wait)).ok()?;
    stream.set_write_timeout(Some(wait)).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = Vec::new();
    let _ = stream.take(64 << 20).read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Some(Answer {
        status,
        headers: lines.filter_map(header).collect(),
        body: bytes[end + 4..].to_vec(),
    })
}

/// One question with headers, on a connection of its own.
pub fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{more}\r\n");
    raw(at, request.as_bytes(), Duration::from_secs(30)).unwrap()
}

pub fn get(at: SocketAddr, path: &str) -> Answer {
    ask(at, "GET", path, &[])
}

/// A body that is handed in.
pub fn post(at: SocketAddr, path: &str, kind: &str, body: &[u8]) -> Answer {
    raw(at, &posted(at, path, kind, body), Duration::from_secs(30)).unwrap()
}

/// The bytes of a request with a body.
pub fn posted(at: SocketAddr, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Five hundred records that are none, in one request of a few kilobytes.
pub fn garbage(at: SocketAddr) -> Vec<u8> {
    let records = vec!["\"AA==\""; 500].join(",");
    let body = format!("{{\"records\":[{records}]}}");
    posted(at, "/v1/records", "application/json", body.as_bytes())
}

/// Requests without end at several nodes, from several connections each.
pub struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    /// The same requests over and over, one after the other on each of `connections` at each node.
    pub fn of(
        nodes: &[SocketAddr],
        connections: usize,
        request: fn(SocketAddr) -> Vec<u8>,
    ) -> Flood {
        let flood = Flood::none();
        let (stop, sent, answered) = flood.counts();
        let mut threads = Vec::new();
        for node in nodes.iter().copied() {
            for _ in 0..connections {
                let (stop, sent, answered) = (stop.clone(), sent.clone(), answered.clone());
                threads.push(std::thread::spawn(move || {
                    let request = request(node);
                    while !stop.load(Ordering::Relaxed) {
                        sent.fetch_add(1, Ordering::Relaxed);
                        let stream = from_elsewhere(node).ok();
                        let wait = Duration::from_secs(10);
                        if stream
                            .and_then(|stream| self::answered(stream, &request, wait))
                            .is_some()
                        {
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }));
            }
        }
        Flood { threads, ..flood }
    }

    /// Connections that send a header byte by byte, as many as there is room for, and again whenever one
    /// is closed.
    pub fn slowly(nodes: &[SocketAddr], connections: usize) -> Flood {
        let flood = Flood::none();
        let (stop, sent, answered) = flood.counts();
        let mut threads = Vec::new();
        for node in nodes.iter().copied() {
            let (stop, sent, answered) = (stop.clone(), sent.clone(), answered.clone());
            threads.push(std::thread::spawn(move || {
                let mut open: Vec<TcpStream> = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    while open.len() < connections {
                        let Ok(mut stream) = from_elsewhere(node) else {
                            break;
                        };
                        let _ = stream.write_all(b"GET /v1/status HTTP/1.1\r\nX: ");
                        sent.fetch_add(1, Ordering::Relaxed);
                        open.push(stream);
                    }
                    std::thread::sleep(Duration::from_millis(200));
                    let before = open.len();
                    open.retain_mut(|stream| stream.write_all(b"x").is_ok());
                    answered.fetch_add((before - open.len()) as u64, Ordering::Relaxed);
                }
            }));
        }
        Flood { threads, ..flood }
    }

    fn none() -> Flood {
        Flood {
            stop: Arc::default(),
            sent: Arc::default(),
            answered: Arc::default(),
            threads: Vec::new(),
        }
    }

    fn counts(&self) -> (Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>) {
        (self.stop.clone(), self.sent.clone(), self.answered.clone())
    }

    /// Ends it: how many requests were sent, and how many of them were answered.
    pub fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.sent), read(&self.answered))
    }
}

/// Processor time that a process has used, in milliseconds.
pub fn cpu_ms(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in brackets may hold anything.
    let rest = text.rsplit_once(')').unwrap().1;
    let field = |at: usize| -> u64 { rest.split_whitespace().nth(at).unwrap().parse().unwrap() };
    // A hundred ticks a second, on every Linux that runs this.
    (field(11) + field(12)) * 10
}

/// Memory that a process holds, in MiB.
pub fn rss_mib(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}

/// Processor milliseconds of a process for each of so many requests, one after the other.
pub fn cost(pid: u32, at: SocketAddr, times: u32, request: &[u8]) -> f64 {
    let before = cpu_ms(pid);
    for _ in 0..times {
        raw(at, request, Duration::from_secs(30)).unwrap();
    }
    (cpu_ms(pid) - before) as f64 / f64::from(times)
}

/// The longest time in which `height` does not grow, looked at until `over` says so.
pub fn longest_pause(mut height: impl FnMut() -> u64, mut over: impl FnMut() -> bool) -> Duration {
    let (mut last, mut since, mut longest) = (height(), Instant::now(), Duration::ZERO);
    while !over() {
        std::thread::sleep(Duration::from_millis(200));
        let now = height();
        longest = longest.max(since.elapsed());
        if now > last {
            (last, since) = (now, Instant::now());
        }
    }
    longest
}
