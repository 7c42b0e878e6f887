//! The ledger as the replica sees it, and what leaves it for the store.
//!
//! * Signatures are verified once per node: at admission, by all cores ([`NodeApp::preverify`]); a block's execution finds
//!   them in the memo. The memo only ever holds results of the one verification rule, so an answer never depends on it.
//! * Every commit goes to the store's queue. The queue is bounded: a store that is 256 blocks behind holds the node back
//!   instead of filling its memory.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rollbook_core::apply::Verify;
use rollbook_core::audit::all_signatures_of;
use rollbook_core::codec::{decode, encode};
use rollbook_core::crypto::{Hash, KeyError, PublicKey, Signature, VerifierCache, sha256_parts};
use rollbook_core::ledger::{self, BlockBody, Certificate, Ledger, Seal, SystemSection};
use rollbook_core::log::{self, EpochPolicy, KeyType, VerifierKey};
use rollbook_core::record::Record;

use super::writer::{CommittedBlock, Job};
use crate::replica::{Admitted, App, BlockError, Built, Checkpoint, Committed, Refusal, Tip, Validator};

/// Results kept in one generation of the memo: a full pool of records with three officers each.
const MEMO: usize = 60_000;
/// Bytes of a signature by which it is known again.
const MARK: usize = 16;
/// Record ids remembered as waiting.
const WAITING: usize = 50_000;
/// Number of the table of nodes: who may connect.
const NODES_TABLE: u8 = 45;

/// Verified signatures of some time.
#[derive(Debug, Default)]
struct Generation {
    /// Key, signature and message of each, hashed: the only thing an answer rests on.
    entries: HashSet<[u8; 32]>,
    /// The first bytes of each signature: whether it is worth asking for the entry. Whoever forges one loses the help of the other
    /// cores for the forged record.
    marks: HashSet<[u8; MARK]>,
}

/// Verified signatures, two generations.
#[derive(Debug, Default)]
struct Memo {
    young: Generation,
    old: Generation,
}

impl Memo {
    fn holds(&self, entry: &[u8; 32]) -> bool {
        self.young.entries.contains(entry) || self.old.entries.contains(entry)
    }

    /// Whether all signatures of a record look as if they had been verified.
    fn knows(&self, record: &Record) -> bool {
        record.signatures.iter().all(|entry| {
            let mark = mark(&entry.signature);
            self.young.marks.contains(&mark) || self.old.marks.contains(&mark)
        })
    }

    fn add(&mut self, entry: [u8; 32]) {
        if self.young.entries.len() >= MEMO {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entries.insert(entry);
    }

    fn add_signature(&mut self, entry: [u8; 32], signature: &Signature) {
        self.add(entry);
        self.young.marks.insert(mark(signature));
    }
}

fn mark(signature: &Signature) -> [u8; MARK] {
    let Signature::Ed25519(bytes) = signature;
    let mut mark = [0; MARK];
    mark.copy_from_slice(&bytes[..MARK]);
    mark
}

fn memo_key(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let Signature::Ed25519(bytes) = signature;
    sha256_parts(&[key.bytes(), bytes, message]).0
}

/// The verifier of a node: the memo, else the one rule.
#[derive(Debug, Default)]
struct MemoVerifier {
    memo: Memo,
    cache: VerifierCache,
}

impl Verify for MemoVerifier {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let entry = memo_key(key, message, signature);
        if self.memo.holds(&entry) {
            return true;
        }
        let good = self.cache.verify(key, message, signature).is_ok();
        if good {
            self.memo.add_signature(entry, signature);
        }
        good
    }

    fn check_registrable(&mut self, key: &PublicKey) -> Result<(), KeyError> {
        // Shorter than any entry of a signature, which holds a key and a signature before its message.
        let entry = sha256_parts(&[key.bytes()]).0;
        if self.memo.holds(&entry) {
            return Ok(());
        }
        key.check_registrable()?;
        self.memo.add(entry);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids of records that were admitted here and are not decided: what "held in memory" means to a client.
#[derive(Debug, Default)]
pub struct Waiting {
    ids: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Waiting {
    fn add(&mut self, id: Hash) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > WAITING {
            if let Some(oldest) = self.order.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }

    /// Whether a record waits.
    pub fn holds(&self, id: &Hash) -> bool {
        self.ids.contains(id)
    }
}

/// The ledger behind the replica of a node: [`crate::replica::ledger_app`] with the memo, the facts of refusals and the store's
/// queue.
pub struct NodeApp {
    ledger: Ledger,
    verifier: MemoVerifier,
    jobs: SyncSender<Job>,
    waiting: Arc<Mutex<Waiting>>,
    nodes_changed: Arc<Mutex<bool>>,
}

/// Handles that stay with the shell when the app has gone into the replica.
#[derive(Debug, Clone)]
pub struct AppHandles {
    /// Records that wait.
    pub waiting: Arc<Mutex<Waiting>>,
    nodes_changed: Arc<Mutex<bool>>,
}

impl AppHandles {
    /// Whether the table of nodes has changed since the last call.
    pub fn take_nodes_changed(&self) -> bool {
        std::mem::take(&mut *lock(&self.nodes_changed))
    }
}

impl NodeApp {
    /// The app of an opened ledger; commits go to `jobs`.
    pub fn new(ledger: Ledger, jobs: SyncSender<Job>) -> (NodeApp, AppHandles) {
        let app = NodeApp {
            ledger,
            verifier: MemoVerifier::default(),
            jobs,
            waiting: Arc::default(),
            nodes_changed: Arc::new(Mutex::new(true)),
        };
        let handles = AppHandles { waiting: app.waiting.clone(), nodes_changed: app.nodes_changed.clone() };
        (app, handles)
    }

    /// The ledger at its tip.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Verifies the signatures of those records that are new with all cores and remembers the good ones.
    pub fn preverify(&mut self, records: &[Record]) {
        if records.len() < 2 {
            return;
        }
        let MemoVerifier { memo, cache } = &mut self.verifier;
        let new = records.iter().filter(|record| !memo.knows(record));
        let all = new.flat_map(|record| all_signatures_of(self.ledger.tables(), record));
        let open: Vec<_> = all
            .map(|(key, message, signature)| (memo_key(&key, &message, &signature), key, message, signature))
            .filter(|(entry, ..)| !memo.holds(entry))
            .collect();
        for (_, key, ..) in &open {
            cache.learn(key);
        }
        let cache = &*cache;
        let verify = |(_, key, message, signature): &&(_, _, Vec<u8>, _)| cache.verify_shared(key, message, signature).is_ok();
        let good: Vec<_> = open.par_iter().filter(verify).map(|(entry, _, _, signature)| (*entry, *signature)).collect();
        for (entry, signature) in good {
            memo.add_signature(entry, &signature);
        }
    }

    /// Judges a record on the tip as if it were handed in, and keeps nothing.
    pub fn judge(&mut self, bytes: &[u8], now_ms: u64) -> Judged {
        let (rule, facts) = match self.ledger.admit(bytes, now_ms, &mut self.verifier) {
            Ok(admitted) => {
                return Judged { height: self.ledger.height(), refused: None, outcome: Some(admitted.outcome) };
            }
            Err(refusal) => (refusal.code.to_owned(), refusal.facts),
        };
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Judged { height: self.ledger.height(), refused: Some((rule, facts)), outcome: None }
    }

    fn admitted(
        &self,
        admitted: Result<ledger::Admitted, rollbook_core::apply::Refusal>,
        size: usize,
    ) -> Result<Admitted, Refusal> {
        let admitted = admitted.map_err(|refusal| self.refusal(refusal))?;
        lock(&self.waiting).add(admitted.id);
        Ok(Admitted {
            id: admitted.id,
            organisation: admitted.record.payload.principal,
            size,
            signatures: admitted.record.signatures.len(),
            record: admitted.record,
        })
    }

    fn refusal(&self, refusal: rollbook_core::apply::Refusal) -> Refusal {
        let facts: serde_json::Map<String, serde_json::Value> =
            refusal.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        Refusal {
            rule: refusal.code.to_owned(),
            detail: serde_json::Value::Object(facts).to_string(),
            height: self.ledger.height(),
            // Shape, signature, replay and expiry do not get better with time; a rule of the domain may.
            transient: !refusal.code.starts_with("A6."),
        }
    }
}

/// What a record would meet.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Height it was judged on.
    pub height: u64,
    /// The rule it breaks, with the facts of the case.
    pub refused: Option<(String, Vec<(String, String)>)>,
    /// What would come of it.
    pub outcome: Option<rollbook_core::apply::Outcome>,
}

/// What the ledger says of a block, and what it says of this program.
fn verdict(error: ledger::BlockError) -> BlockError {
    match error {
        ledger::BlockError::Protocol(_) | ledger::BlockError::Internal { .. } => BlockError::Fault(error.to_string()),
        _ => BlockError::Invalid(error.to_string()),
    }
}

/// The replica's form of a policy's validators.
fn validators_of(policy: &EpochPolicy) -> Vec<Validator> {
    let of =
        |v: &log::PolicyValidator| Validator { organisation: v.org, consensus: v.consensus, cosigner: v.cosigner, log: v.log };
    policy.validators.iter().map(of).collect()
}

impl App for NodeApp {
    fn tip(&self) -> Tip {
        let tip = self.ledger.tip();
        Tip { height: tip.seal.height, seal: tip.seal.clone(), block: tip.block }
    }

    fn chain(&self) -> Hash {
        self.ledger.chain()
    }

    fn validators(&self) -> Vec<Validator> {
        validators_of(self.ledger.policy())
    }

    fn tip_validators(&self) -> Vec<Validator> {
        validators_of(self.ledger.tip_policy())
    }

    fn checkpoint(&self) -> Checkpoint {
        let checkpoint = self.ledger.checkpoint();
        Checkpoint { height: self.ledger.height(), origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root }
    }

    fn policy_digest(&self) -> Hash {
        self.ledger.policy().digest()
    }

    fn beyond(&self) -> Option<String> {
        self.ledger.next_protocol().err().map(|error| error.to_string())
    }

    fn admit(&mut self, record: &[u8], now_ms: u64) -> Result<Admitted, Refusal> {
        let admitted = self.ledger.admit(record, now_ms, &mut self.verifier);
        self.admitted(admitted, record.len())
    }

    fn admit_decoded(&mut self, record: Record, bytes: &[u8], now_ms: u64) -> Result<Admitted, Refusal> {
        let admitted = self.ledger.admit_decoded(record, now_ms, &mut self.verifier);
        self.admitted(admitted, bytes.len())
    }

    fn build(&mut self, time_ms: u64, system: SystemSection, candidates: &[Record]) -> Result<Built, BlockError> {
        let built = self.ledger.build(time_ms, system, candidates, &mut self.verifier).map_err(verdict)?;
        Ok(Built {
            body: built.execution.body,
            seal: built.execution.seal,
            left_out: built.refused.into_iter().map(|(id, refusal)| (id, self.refusal(refusal))).collect(),
        })
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockError> {
        // Asked again at the decision: what was executed needs no second look.
        if self.ledger.pending(&seal.id()).is_some() {
            return Ok(());
        }
        let decoded = decode::<BlockBody>(body);
        if let Ok(decoded) = &decoded {
            self.preverify(&decoded.records);
        }
        self.ledger.execute_decoded(body, decoded, seal, &mut self.verifier).map(drop).map_err(verdict)
    }

    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<Committed, BlockError> {
        let follows_handover = self.ledger.needs_handover_checkpoint();
        let committed = self.ledger.commit(block).map_err(verdict)?;
        let records: Vec<Hash> = committed.execution.outcomes.iter().map(|(id, _)| *id).collect();
        {
            let mut waiting = lock(&self.waiting);
            for id in &records {
                waiting.ids.remove(id);
            }
        }
        // A handover changes seats without touching a node's row when nothing else of it changes: look then, too; and after the
        // block that follows it, with which those who left are let go.
        if committed.handover || follows_handover || committed.execution.changes.rows.iter().any(|row| row.table == NODES_TABLE) {
            *lock(&self.nodes_changed) = true;
        }
        let checkpoint = self.checkpoint();
        let handover = committed.handover;
        let job = Job::Block(Box::new(CommittedBlock { execution: committed.execution, certificate: encode(certificate) }));
        if self.jobs.send(job).is_err() {
            return Err(BlockError::Fault("the store's thread has ended".into()));
        }
        Ok(Committed { records, handover, checkpoint })
    }

    fn next_deadline(&self) -> Option<u64> {
        self.ledger.next_deadline()
    }

    fn handover_due(&self) -> bool {
        self.ledger.handover_due()
    }

    fn needs_handover_checkpoint(&self) -> bool {
        self.ledger.needs_handover_checkpoint()
    }

    fn cosignature_message(&self, checkpoint: &Checkpoint, _organisation: u32, time_s: u64) -> Vec<u8> {
        let text = log::Checkpoint { origin: checkpoint.origin.clone(), size: checkpoint.size, root: checkpoint.root }.text();
        VerifierKey::sign_bytes(KeyType::Cosigner, &text, time_s)
    }

    fn log_message(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let text = log::Checkpoint { origin: checkpoint.origin.clone(), size: checkpoint.size, root: checkpoint.root }.text();
        VerifierKey::sign_bytes(KeyType::Log, &text, 0)
    }
}
