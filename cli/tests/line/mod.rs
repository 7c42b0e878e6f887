//! What is cut: a line to a node that breaks when it is told to, and commands that are not waited for.

#![allow(clippy::unwrap_used, dead_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::desk::Desk;

/// What a line does to what goes over it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Everything goes through.
    Nothing,
    /// A record handed in arrives, and the answer is lost; nothing goes through after that.
    AfterHandIn,
    /// A record handed in arrives, and its answer is lost; all else goes through.
    OnlyAnswer,
    /// Records handed in are answered with 'no room'.
    Full,
}

/// A line to a node that breaks when it is told to.
pub struct Line {
    pub url: String,
    cut: Arc<Mutex<Cut>>,
    is_dead: Arc<AtomicBool>,
}

impl Line {
    pub fn to(url: &str) -> Line {
        let node = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cut = Arc::new(Mutex::new(Cut::Nothing));
        let is_dead = Arc::new(AtomicBool::new(false));
        let (cuts, dead) = (Arc::clone(&cut), Arc::clone(&is_dead));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (node, cuts, dead) = (node.clone(), Arc::clone(&cuts), Arc::clone(&dead));
                std::thread::spawn(move || {
                    if !dead.load(Ordering::SeqCst) {
                        pass(stream, &node, &cuts, &dead);
                    }
                });
            }
        });
        Line { url, cut, is_dead }
    }

    pub fn is(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
        self.is_dead.store(false, Ordering::SeqCst);
    }
}

/// One request; every connection carries one.
pub struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` if the connection ends before it does.
    pub fn read(stream: &mut TcpStream) -> Option<Request> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let length = head
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().ok())?
            })
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        Some(Request { head, body })
    }

    /// What is asked for, such as `GET /v1/status`.
    pub fn asks(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.rsplit_once(' ').map_or(line, |(asks, _)| asks)
    }

    /// Whether it hands in a record.
    pub fn is_hand_in(&self) -> bool {
        self.asks().split('?').next() == Some("POST /v1/records")
    }

    /// Passes it on; the whole answer.
    pub fn answer(&self, node: &str) -> Option<Vec<u8>> {
        let mut upstream = TcpStream::connect(node).ok()?;
        let lines: Vec<&str> = self
            .head
            .trim_end()
            .lines()
            .filter(|line| !line.to_lowercase().starts_with("connection:"))
            .collect();
        let asked = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
        upstream.write_all(asked.as_bytes()).ok()?;
        upstream.write_all(&self.body).ok()?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

/// Passes one request on.
fn pass(mut stream: TcpStream, node: &str, cut: &Mutex<Cut>, is_dead: &AtomicBool) -> Option<()> {
    let request = Request::read(&mut stream)?;
    let now = *cut.lock().unwrap();
    if request.is_hand_in() && now == Cut::Full {
        let problem = r#"{"type":"about:blank","title":"","status":503,"code":"api.pool","detail":"the pool is full; try again later"}"#;
        let answer = format!(
            "HTTP/1.1 503 X\r\nContent-Type: application/problem+json\r\nContent-Length: \
             {}\r\nConnection: close\r\n\r\n{problem}",
            problem.len()
        );
        return stream.write_all(answer.as_bytes()).ok();
    }
    let answer = request.answer(node)?;
    if request.is_hand_in() && matches!(now, Cut::AfterHandIn | Cut::OnlyAnswer) {
        is_dead.store(now == Cut::AfterHandIn, Ordering::SeqCst);
        let _ = stream.shutdown(Shutdown::Both);
        return None;
    }
    stream.write_all(&answer).ok()
}

/// The command of a desk, begun and not waited for.
pub fn begin(desk: &Desk, line: &str) -> Child {
    desk.command()
        .arg("--yes")
        .args(line.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub fn signal(child: &Child, name: &str) {
    let done = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}
