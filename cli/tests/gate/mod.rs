//! A line to a node that holds a command fast at a chosen place of an act, so that it can be
//! interrupted exactly there.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::line::Request;

/// Places of an act, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing is signed yet.
    Beginning,
    /// It is signed and kept; the node does not have it yet.
    Signed,
    /// The node has it; its answer has not come.
    HandedIn,
    /// The answer has come.
    Answered,
    /// A block has it; the command does not know it yet.
    Decided,
    /// Half of the receipt has come.
    Fetching,
    /// What the receipt is made of has come; it is written now.
    Writing,
    /// Half of an export has come.
    Exporting,
}

#[derive(Default)]
struct State {
    /// Where to hold, and at which record of a run, counted from 1.
    at: Option<(Place, usize)>,
    handed_in: usize,
    is_held: bool,
    is_let_go: bool,
    is_dead: bool,
}

/// The line.
pub struct Gate {
    pub url: String,
    node: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Gate {
    pub fn to(url: &str) -> Gate {
        let node = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let gate = Gate { url, node, shared };
        let (node, shared) = (gate.node.clone(), Arc::clone(&gate.shared));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let line = Gate {
                    url: String::new(),
                    node: node.clone(),
                    shared: Arc::clone(&shared),
                };
                std::thread::spawn(move || line.pass(stream));
            }
        });
        gate
    }

    /// Everything goes through until a command comes to this place with so many records handed in.
    pub fn hold_at(&self, place: Place, record: usize) {
        *self.shared.0.lock().unwrap() = State {
            at: Some((place, record)),
            ..State::default()
        };
    }

    /// Everything goes through.
    pub fn open(&self) {
        *self.shared.0.lock().unwrap() = State::default();
        self.shared.1.notify_all();
    }

    /// Waits until the command is held; `false` if it ends without having come to the place.
    pub fn holds(&self, child: &mut Child) -> bool {
        let begun = Instant::now();
        loop {
            if self.shared.0.lock().unwrap().is_held {
                return true;
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "never came there"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What is held goes on.
    pub fn let_go(&self) {
        self.shared.0.lock().unwrap().is_let_go = true;
        self.shared.1.notify_all();
    }

    /// The line is dead: what is held breaks off, and nothing goes through.
    pub fn dies(&self) {
        let mut state = self.shared.0.lock().unwrap();
        state.is_dead = true;
        state.is_let_go = true;
        self.shared.1.notify_all();
    }

    /// Whether a command is to be held at this place of that record.
    fn is_at(&self, place: Place, record: usize) -> bool {
        let state = self.shared.0.lock().unwrap();
        !state.is_held && state.at == Some((place, record))
    }

    /// Whether it is to be held at this place, and enough records were handed in.
    fn is_after(&self, place: Place) -> bool {
        let handed_in = self.shared.0.lock().unwrap().handed_in;
        (1..=handed_in).any(|record| self.is_at(place, record))
    }

    /// Holds the command until it may go on; `None` if the line died meanwhile.
    fn hold(&self) -> Option<()> {
        let mut state = self.shared.0.lock().unwrap();
        state.is_held = true;
        while !state.is_let_go {
            state = self.shared.1.wait(state).unwrap();
        }
        (!state.is_dead).then_some(())
    }

    fn pass(&self, mut stream: TcpStream) -> Option<()> {
        let passed = self.pass_one(&mut stream);
        let _ = stream.shutdown(Shutdown::Both);
        passed
    }

    fn pass_one(&self, stream: &mut TcpStream) -> Option<()> {
        if self.shared.0.lock().unwrap().is_dead {
            return None;
        }
        let request = Request::read(stream)?;
        if self.is_at(Place::Beginning, 1) {
            self.hold()?;
        }
        let asks = request.asks().to_owned();
        let id = asks.strip_prefix("GET /v1/records/");
        let of_record = id.is_some_and(|id| !id.contains('/'));
        if request.is_hand_in() {
            let record = {
                let mut state = self.shared.0.lock().unwrap();
                state.handed_in += 1;
                state.handed_in
            };
            if self.is_at(Place::Signed, record) {
                self.hold()?;
            }
            let answer = request.answer(&self.node)?;
            if self.is_at(Place::HandedIn, record) {
                self.hold()?;
            }
            return stream.write_all(&answer).ok();
        }
        if of_record && self.is_after(Place::Answered) {
            self.hold()?;
        }
        if of_record && self.is_after(Place::Decided) {
            self.decided(&request);
            self.hold()?;
        }
        let answer = request.answer(&self.node)?;
        let is_half = (asks.ends_with("/proof") && id.is_some() && self.is_after(Place::Fetching))
            || (asks == "GET /v1/export" && self.is_at(Place::Exporting, 1));
        if is_half {
            let (one, two) = answer.split_at(answer.len() / 2);
            stream.write_all(one).ok()?;
            self.hold()?;
            return stream.write_all(two).ok();
        }
        if asks.starts_with("GET /v1/blocks/") && self.is_after(Place::Writing) {
            self.hold()?;
        }
        stream.write_all(&answer).ok()
    }

    /// Waits until the node says in which block the record is.
    fn decided(&self, request: &Request) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            let answer = request.answer(&self.node).unwrap_or_default();
            let told = String::from_utf8_lossy(&answer);
            if told.contains("\"height\"") {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no block has the record");
    }
}
