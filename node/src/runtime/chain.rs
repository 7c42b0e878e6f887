//! The ledger as the replica sees it, and what leaves it for the store.
//!
//! * Signatures are verified once per node: at admission, by all cores ([`Ahead`]); a block's
//!   execution finds them in the memo. The memo only ever holds results of the one verification
//!   rule, so an answer never depends on it.
//! * Every commit goes to the store's queue. The queue is bounded: a store that is 256 blocks
//!   behind holds the node back instead of filling its memory.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rollbook_core::apply::Verify;
use rollbook_core::audit::all_signatures_of;
use rollbook_core::ledger;
use rollbook_core::ledger::{Ledger, SystemSection};
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;
use rollbook_proof::chain::{Certificate, Seal};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, KeyError, PublicKey, Signature, VerifierCache, sha256_parts};

use super::writer::{CommittedBlock, Job};
use crate::replica::{
    Admitted, Ahead, App, BlockError, Built, Checkpoint, Committed, LedgerApp, Refusal, Tip,
    Validator,
};

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
    /// The first bytes of each signature: whether it is worth asking for the entry. Whoever forges
    /// one loses the help of the other cores for the forged record.
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
        // Shorter than any entry of a signature, which holds a key and a signature before its
        // message.
        let entry = sha256_parts(&[key.bytes()]).0;
        if self.memo.holds(&entry) {
            return Ok(());
        }
        key.check_registrable()?;
        self.memo.add(entry);
        Ok(())
    }
}

impl Ahead for MemoVerifier {
    /// Verifies the signatures of those records that are new with all cores and remembers the good
    /// ones.
    fn ahead(&mut self, tables: &StateTables, records: &[Record]) {
        if records.len() < 2 {
            return;
        }
        let MemoVerifier { memo, cache } = self;
        let new = records.iter().filter(|record| !memo.knows(record));
        let all = new.flat_map(|record| all_signatures_of(tables, record));
        let open: Vec<_> = all
            .map(|(key, message, signature)| {
                (
                    memo_key(&key, &message, &signature),
                    key,
                    message,
                    signature,
                )
            })
            .filter(|(entry, ..)| !memo.holds(entry))
            .collect();
        for (_, key, ..) in &open {
            cache.learn(key);
        }
        let cache = &*cache;
        let verify = |(_, key, message, signature): &&(_, _, Vec<u8>, _)| {
            cache.verify_shared(key, message, signature).is_ok()
        };
        let good: Vec<_> = open
            .par_iter()
            .filter(verify)
            .map(|(entry, _, _, signature)| (*entry, *signature))
            .collect();
        for (entry, signature) in good {
            memo.add_signature(entry, &signature);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids of records that were admitted here and are not decided: what "held in memory" means to a
/// client.
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

/// The ledger behind the replica of a node: [`LedgerApp`], which the simulator runs too, with the
/// memo, the records that wait, and the store's queue.
pub struct NodeApp {
    inner: LedgerApp<MemoVerifier>,
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
            inner: LedgerApp::with_verifier(ledger, MemoVerifier::default()),
            jobs,
            waiting: Arc::default(),
            nodes_changed: Arc::new(Mutex::new(true)),
        };
        let handles = AppHandles {
            waiting: app.waiting.clone(),
            nodes_changed: app.nodes_changed.clone(),
        };
        (app, handles)
    }

    /// The ledger at its tip.
    pub fn ledger(&self) -> &Ledger {
        self.inner.ledger()
    }

    /// Verifies the signatures of those records that are new with all cores and remembers the good
    /// ones.
    pub fn preverify(&mut self, records: &[Record]) {
        let (ledger, verifier) = self.inner.parts();
        verifier.ahead(ledger.tables(), records);
    }

    /// Judges a record on the tip as if it were handed in, and keeps nothing.
    pub fn judge(&mut self, bytes: &[u8], now_ms: u64) -> Judged {
        let judged = self.inner.judge(bytes, now_ms);
        let height = self.ledger().height();
        match judged {
            Ok(outcome) => Judged {
                height,
                refused: None,
                outcome: Some(outcome),
            },
            Err(refusal) => {
                let facts = refusal
                    .facts
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                Judged {
                    height,
                    refused: Some((refusal.code.to_owned(), facts)),
                    outcome: None,
                }
            }
        }
    }

    fn waits(&self, admitted: &Result<Admitted, Refusal>) {
        if let Ok(admitted) = admitted {
            lock(&self.waiting).add(admitted.id);
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

impl App for NodeApp {
    fn tip(&self) -> Tip {
        self.inner.tip()
    }

    fn chain(&self) -> Hash {
        self.inner.chain()
    }

    fn validators(&self) -> Vec<Validator> {
        self.inner.validators()
    }

    fn tip_validators(&self) -> Vec<Validator> {
        self.inner.tip_validators()
    }

    fn checkpoint(&self) -> Checkpoint {
        self.inner.checkpoint()
    }

    fn policy_digest(&self) -> Hash {
        self.inner.policy_digest()
    }

    fn beyond(&self) -> Option<String> {
        self.inner.beyond()
    }

    fn admit(&mut self, record: &[u8], now_ms: u64) -> Result<Admitted, Refusal> {
        let admitted = self.inner.admit(record, now_ms);
        self.waits(&admitted);
        admitted
    }

    fn admit_decoded(
        &mut self,
        record: Record,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Admitted, Refusal> {
        let admitted = self.inner.admit_decoded(record, bytes, now_ms);
        self.waits(&admitted);
        admitted
    }

    fn build(
        &mut self,
        time_ms: u64,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<Built, BlockError> {
        self.inner.build(time_ms, system, candidates)
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockError> {
        self.inner.execute(body, seal)
    }

    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<Committed, BlockError> {
        let follows_handover = self.inner.needs_handover_checkpoint();
        let committed = self.inner.commit(block, certificate)?;
        {
            let mut waiting = lock(&self.waiting);
            for id in &committed.records {
                waiting.ids.remove(id);
            }
        }
        for (ledger::Committed { execution, .. }, certificate) in self.inner.take_committed() {
            // A handover changes seats without touching a node's row when nothing else of it
            // changes: look then, too; and after the block that follows it, with which those who
            // left are let go.
            if committed.handover
                || follows_handover
                || execution
                    .changes
                    .rows
                    .iter()
                    .any(|row| row.table == NODES_TABLE)
            {
                *lock(&self.nodes_changed) = true;
            }
            let job = Job::Block(Box::new(CommittedBlock {
                execution,
                certificate: encode(&certificate),
            }));
            if self.jobs.send(job).is_err() {
                return Err(BlockError::Fault("the store's thread has ended".into()));
            }
        }
        Ok(committed)
    }

    fn next_deadline(&self) -> Option<u64> {
        self.inner.next_deadline()
    }

    fn handover_due(&self) -> bool {
        self.inner.handover_due()
    }

    fn needs_handover_checkpoint(&self) -> bool {
        self.inner.needs_handover_checkpoint()
    }

    fn cosignature_message(
        &self,
        checkpoint: &Checkpoint,
        organisation: u32,
        time_s: u64,
    ) -> Vec<u8> {
        self.inner
            .cosignature_message(checkpoint, organisation, time_s)
    }

    fn log_message(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        self.inner.log_message(checkpoint)
    }
}
