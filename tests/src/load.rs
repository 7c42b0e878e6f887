//! Load in the background: records keep being handed in at whichever node takes them, and every
//! word a node says about one is kept. What a node once called decided or receipted must be in the
//! log at the end, whatever was killed meanwhile (RULINGS A11).
//!
//! A record that was only held in memory was never promised: it is handed in again, at another
//! node, until it is receipted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rollbook_core::export::BlockFrame;
use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_sandbox::alliance::Sample;
use rollbook_sandbox::http;
use rollbook_sandbox::keys::officers_of;
use rollbook_sandbox::sign::Signer;

use crate::testnet::{Net, PATIENCE, frames};

/// Records under way at once: fewer than a replay window holds, so that one that was lost still
/// applies when it is handed in again.
const UNDER_WAY: usize = 24;
/// Pause after each record: the machine has other things to do.
const PAUSE: Duration = Duration::from_millis(25);
/// After this long without a word a record is handed in again.
const AGAIN: Duration = Duration::from_millis(1_500);

/// Makes records that apply: members introduce made-up companies, sequences count up per member.
pub struct Source {
    pub alliance: Sample,
    pub signer: Signer,
    companies: u32,
}

impl Source {
    pub fn new(alliance: Sample, chain: Hash) -> Source {
        Source {
            signer: Signer::founded(chain, &alliance.seed),
            alliance,
            companies: 0,
        }
    }

    pub fn record(&mut self, member: u32, now_ms: u64) -> Record {
        let sequence = self.signer.sequence(officers_of(member).0);
        self.companies += 1;
        self.alliance
            .registration(self.signer.chain, member, sequence, self.companies, now_ms)
    }
}

/// What was said about the records of a load.
#[derive(Default)]
struct Book {
    /// Handed in, not receipted yet.
    waiting: Vec<Waiting>,
    /// Called decided or receipted by some node at some time.
    acknowledged: BTreeSet<Hash>,
}

struct Waiting {
    id: Hash,
    bytes: Vec<u8>,
    since: Instant,
}

/// A load that runs until it is finished.
pub struct Load {
    stop: Arc<AtomicBool>,
    book: Arc<Mutex<Book>>,
    thread: Option<JoinHandle<()>>,
    nodes: Vec<SocketAddr>,
}

impl Load {
    /// Starts it: `members` act in turn, `nodes` are tried in turn.
    pub fn start(net: &Net, members: &[u32], nodes: &[u32]) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let book = Arc::new(Mutex::new(Book::default()));
        let nodes: Vec<SocketAddr> = nodes.iter().map(|node| net.testnet.api(*node)).collect();
        let (ended, shared, source) = (stop.clone(), book.clone(), net.source.clone());
        let (members, places) = (members.to_vec(), nodes.clone());
        let thread = std::thread::spawn(move || {
            for turn in 0.. {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                if shared.lock().unwrap().waiting.len() < UNDER_WAY {
                    let now = rollbook_node::clock::real_ms();
                    let record = source
                        .lock()
                        .unwrap()
                        .record(members[turn % members.len()], now);
                    let waiting = Waiting {
                        id: record.id(),
                        bytes: encode(&record),
                        since: Instant::now(),
                    };
                    hand_in(&places, turn, &waiting.bytes);
                    shared.lock().unwrap().waiting.push(waiting);
                }
                ask(&shared, &places, turn);
                std::thread::sleep(PAUSE);
            }
        });
        Load {
            stop,
            book,
            thread: Some(thread),
            nodes,
        }
    }

    /// How many records a node has called decided or receipted so far.
    pub fn acknowledged(&self) -> usize {
        self.book.lock().unwrap().acknowledged.len()
    }

    /// Waits until so many more records are acknowledged: the chain goes on.
    pub fn goes_on(&self, more: usize, net: &Net) {
        let (begun, from) = (Instant::now(), self.acknowledged());
        while self.acknowledged() < from + more {
            assert!(
                begun.elapsed() < PATIENCE,
                "the load stands still\n{}",
                net.told()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it: everything sent must be receipted. Returns the ids of all that was acknowledged,
    /// for [`must_be_in`].
    pub fn finish(mut self, net: &Net) -> BTreeSet<Hash> {
        self.stop.store(true, Ordering::Release);
        self.thread.take().unwrap().join().unwrap();
        let begun = Instant::now();
        for turn in 0.. {
            if self.book.lock().unwrap().waiting.is_empty() {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "records are not receipted\n{}",
                net.told()
            );
            ask(&self.book, &self.nodes, turn);
            std::thread::sleep(Duration::from_millis(5));
        }
        std::mem::take(&mut self.book.lock().unwrap().acknowledged)
    }
}

/// Every record that was acknowledged is in the export, and no record twice.
pub fn must_be_in(acknowledged: &BTreeSet<Hash>, export: &[u8]) {
    let mut times: BTreeMap<Hash, u32> = BTreeMap::new();
    for frame in frames(export) {
        for record in &BlockFrame::decode(frame).unwrap().records {
            *times
                .entry(decode::<Record>(record).unwrap().id())
                .or_default() += 1;
        }
    }
    for id in acknowledged {
        assert_eq!(times.get(id), Some(&1), "record {id} was acknowledged");
    }
    assert!(
        times.values().all(|times| *times == 1),
        "a record is in the log twice"
    );
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Hands bytes in at the first node from `turn` on that takes them. Nobody may be there: it is
/// tried again later.
fn hand_in(nodes: &[SocketAddr], turn: usize, bytes: &[u8]) {
    for at in 0..nodes.len() {
        let node = nodes[(turn + at) % nodes.len()];
        let answer = http::post(
            node,
            "/v1/records",
            "application/octet-stream",
            bytes,
            Duration::from_secs(10),
        );
        if answer.is_ok_and(|answer| answer.status == 202) {
            return;
        }
    }
}

/// Asks a node about every record under way, keeps its word, and hands in again what nobody knows.
fn ask(book: &Mutex<Book>, nodes: &[SocketAddr], turn: usize) {
    let node = nodes[turn % nodes.len()];
    let ids: Vec<Hash> = book
        .lock()
        .unwrap()
        .waiting
        .iter()
        .map(|waiting| waiting.id)
        .collect();
    for id in ids {
        let Ok(answer) = http::get(node, &format!("/v1/records/{id}"), Duration::from_secs(5))
        else {
            return;
        };
        let stands = answer.json()["stands"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut book = book.lock().unwrap();
        if matches!(stands.as_str(), "decided" | "receipted") {
            book.acknowledged.insert(id);
        }
        if stands == "receipted" {
            book.waiting.retain(|waiting| waiting.id != id);
        } else if stands.is_empty()
            && let Some(waiting) = book.waiting.iter_mut().find(|waiting| waiting.id == id)
            && waiting.since.elapsed() > AGAIN
        {
            waiting.since = Instant::now();
            let bytes = waiting.bytes.clone();
            drop(book);
            hand_in(nodes, turn + 1, &bytes);
        }
    }
}
