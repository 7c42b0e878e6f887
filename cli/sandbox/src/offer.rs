//! Handing records in and hearing of them again: keep-alive connections, batches, one event stream,
//! no hammering.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rollbook_proof::answer::SignedAnswer;
use rollbook_proof::crypto::Hash;
use rollbook_wire::event::{RecordLeaf, SealLeaf};
use rollbook_wire::record::{Submission, Told, seen_in};
use rollbook_wire::status::Status;
use serde::de::DeserializeOwned;

use crate::mix::Prepared;

/// Between two looks at a node's status.
const LOOK: Duration = Duration::from_millis(20);

/// Connections to one node.
#[derive(Debug, Clone)]
pub struct Node {
    url: String,
    agent: ureq::Agent,
    /// The header of somebody who may read what is for members: ballots are.
    pass: String,
}

impl Node {
    /// A node by its address, read with the header of a pass.
    pub fn new(api: std::net::SocketAddr, pass: String) -> Node {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .max_idle_age(Duration::from_secs(5));
        Node {
            url: format!("http://{api}"),
            agent: config.build().into(),
            pass,
        }
    }

    fn get(&self, path: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.url));
        request.header("authorization", &self.pass).call()
    }

    /// A JSON answer.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        read_json(self.get(path).map_err(|error| error.to_string())?)
    }

    /// What the node tells about itself.
    pub fn status(&self) -> Result<Status, String> {
        self.json("/v1/status")
    }

    /// A text answer; none unless it is one.
    pub fn text(&self, path: &str) -> Option<String> {
        let mut answer = self.get(path).ok()?;
        if answer.status() != 200 {
            return None;
        }
        answer.body_mut().read_to_string().ok()
    }

    /// Hands in one record, or several in one request. How many were taken, and the first refusal.
    pub fn hand_in(&self, records: &[Prepared]) -> Result<(u64, Option<String>), String> {
        let envelopes: Vec<&[u8]> = records.iter().map(|each| each.bytes.as_slice()).collect();
        let body = Submission::several(&envelopes)
            .body()
            .map_err(|error| error.to_string())?;
        let sent = self
            .agent
            .post(format!("{}/v1/records", self.url))
            .content_type("application/json")
            .send(&body);
        let mut answer = sent.map_err(|error| error.to_string())?;
        if answer.status() != 202 {
            return Err(answer.body_mut().read_to_string().unwrap_or_default());
        }
        let mut text = Vec::new();
        answer
            .body_mut()
            .as_reader()
            .read_to_end(&mut text)
            .map_err(|error| error.to_string())?;
        // Parsing half a kilobyte of JSON a record would cost this program as much as the nodes.
        let seen = seen_in(&text);
        if seen == records.len() as u64 {
            return Ok((seen, None));
        }
        let answers: Vec<Told<SignedAnswer>> =
            serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let refused = answers.into_iter().find_map(|answer| match answer {
            Told::Problem(problem) => Some(format!("{} {}", problem.code, problem.detail)),
            Told::Answer(_) => None,
        });
        Ok((seen, refused))
    }
}

fn read_json<T: DeserializeOwned>(answer: ureq::http::Response<ureq::Body>) -> Result<T, String> {
    let mut bytes = Vec::new();
    let mut body = answer.into_body();
    body.as_reader()
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Shared counts of one phase.
#[derive(Debug, Default)]
pub struct Counts {
    /// Handed in and taken.
    pub taken: AtomicU64,
    /// Refused.
    pub refused: AtomicU64,
    /// Decided at the node that is watched.
    pub decided: AtomicU64,
    /// The first refusal or failure.
    pub trouble: Mutex<Option<String>>,
}

impl Counts {
    fn fail(&self, why: String) {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(why);
    }

    fn load(&self, which: &AtomicU64) -> u64 {
        which.load(Ordering::Relaxed)
    }
}

/// Hands `records` in at `node` in batches, as fast as they are taken, while fewer than `window`
/// records of all nodes are under way, until `end`.
pub fn as_fast_as_taken(
    node: &Node,
    records: &[Prepared],
    batch: usize,
    window: u64,
    end: Instant,
    counts: &Counts,
) {
    for chunk in records.chunks(batch) {
        while counts.load(&counts.taken) + chunk.len() as u64
            > counts.load(&counts.decided) + window
        {
            if Instant::now() >= end {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if Instant::now() >= end {
            return;
        }
        match node.hand_in(chunk) {
            Ok((taken, refusal)) => {
                counts.taken.fetch_add(taken, Ordering::Relaxed);
                counts
                    .refused
                    .fetch_add(chunk.len() as u64 - taken, Ordering::Relaxed);
                if let Some(refusal) = refusal {
                    counts.fail(refusal);
                }
            }
            Err(why) => return counts.fail(why),
        }
    }
}

/// Follows how many records a node has decided, in all since its start less `before`, until `stop`.
pub fn watch(node: &Node, before: u64, counts: &Counts, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if let Ok(status) = node.status() {
            let decided = status.counts.records.saturating_sub(before);
            counts.decided.store(decided, Ordering::Relaxed);
        }
        std::thread::sleep(LOOK);
    }
}

/// When one record was handed in, decided, receipted.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Right before it was sent.
    pub sent: Instant,
    /// Its event arrived: final, and readable at the node.
    pub decided: Option<Instant>,
    /// A receipt that covers it can be had.
    pub receipted: Option<Instant>,
}

/// What became of records whose times are taken.
#[derive(Debug, Default)]
pub struct Ledger {
    times: Mutex<BTreeMap<Hash, Times>>,
    /// Decided and not receipted: (size of the checkpoint after its block, id).
    waiting: Mutex<Vec<(u64, Hash)>>,
}

impl Ledger {
    /// Notes that a record is handed in now.
    pub fn sent(&self, id: Hash) {
        let times = Times {
            sent: Instant::now(),
            decided: None,
            receipted: None,
        };
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, times);
    }

    /// Everything noted.
    pub fn times(&self) -> Vec<Times> {
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .copied()
            .collect()
    }

    fn decided(&self, ids: &[Hash], size: u64, at: Instant) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if let Some(times) = times.get_mut(id) {
                times.decided.get_or_insert(at);
                waiting.push((size, *id));
            }
        }
    }

    fn receipted(&self, size: u64, at: Instant) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(needed, id)| {
            if *needed <= size
                && let Some(times) = times.get_mut(id)
            {
                times.receipted.get_or_insert(at);
            }
            *needed > size
        });
    }

    /// Whether every record that was sent is receipted.
    pub fn is_settled(&self) -> bool {
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .all(|times| times.receipted.is_some())
    }

    fn newest_waiting(&self) -> Option<Hash> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .max_by_key(|(size, _)| *size)
            .map(|(_, id)| *id)
    }
}

/// Reads a node's event stream until `stop`: each record's event, then the seal of its block.
pub fn listen(node: &Node, ledger: &Arc<Ledger>, stop: &AtomicBool) -> Result<(), String> {
    let answer = node.get("/v1/events").map_err(|error| error.to_string())?;
    let reader = BufReader::new(answer.into_body().into_reader());
    let (mut kind, mut ids) = (String::new(), Vec::new());
    for line in reader.lines() {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let line = line.map_err(|error| error.to_string())?;
        if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut kind);
        } else if let Some(data) = line.strip_prefix("data:") {
            let at = Instant::now();
            let wrong = |error: serde_json::Error| error.to_string();
            match kind.as_str() {
                "record" => {
                    let leaf: RecordLeaf = serde_json::from_str(data).map_err(wrong)?;
                    ids.push(leaf.id);
                }
                "seal" => {
                    let leaf: SealLeaf = serde_json::from_str(data).map_err(wrong)?;
                    let size = leaf.seal.map_or(0, |seal| seal.0.checkpoint_size());
                    ledger.decided(&std::mem::take(&mut ids), size, at);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Asks for the proof of the newest decided record, which the node answers once a receipt covers
/// it, again and again.
pub fn collect_receipts(node: &Node, ledger: &Arc<Ledger>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let Some(id) = ledger.newest_waiting() else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        let proof = node.text(&format!("/v1/records/{id}/proof"));
        let at = Instant::now();
        if let Some(size) = proof.as_deref().and_then(checkpoint_size) {
            ledger.receipted(size, at);
        } else {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Size in the checkpoint at the end of a tlog-proof: the second line after the empty one.
fn checkpoint_size(proof: &str) -> Option<u64> {
    let (_, note) = proof.split_once("\n\n")?;
    note.lines().nth(1)?.parse().ok()
}
