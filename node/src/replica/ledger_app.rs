//! [`App`] on the ledger: what the simulator and the node run alike.
//!
//! Adds what the ledger leaves to its host: a verifier, and an [`Outbox`] with what the host hands
//! on: the ids of admitted records, and the committed executions for the store.

use rollbook_core::apply::{self, Verify};
use rollbook_core::codec::decode;
use rollbook_core::crypto::{Hash, VerifierCache};
use rollbook_core::ledger::{self, BlockBody, Certificate, Ledger, Seal, SystemSection};
use rollbook_core::log::{self, EpochPolicy, KeyType, PolicyValidator, VerifierKey};
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;

use super::app::{
    Admitted, App, BlockError, Built, Checkpoint, Committed, Refusal, Tip, Validator,
};

/// A verifier that may look at all records of a body before they are judged one by one.
pub trait Ahead: Verify {
    /// What is found good here need not be verified again. Answers never depend on it.
    fn ahead(&mut self, _tables: &StateTables, _records: &[Record]) {}
}

impl Ahead for VerifierCache {}

/// What leaves the ledger for its host, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Ids of records that were found admissible.
    pub admitted: Vec<Hash>,
    /// Blocks that were committed, each with its certificate.
    pub committed: Vec<(ledger::Committed, Certificate)>,
}

/// The ledger behind a replica.
pub struct LedgerApp<V = VerifierCache> {
    ledger: Ledger,
    verifier: V,
    outbox: Outbox,
}

impl<V> std::fmt::Debug for LedgerApp<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerApp")
            .field("height", &self.ledger.height())
            .finish_non_exhaustive()
    }
}

impl LedgerApp {
    /// Around a ledger at its tip.
    pub fn new(ledger: Ledger) -> Self {
        Self::with_verifier(ledger, VerifierCache::default())
    }
}

impl<V: Ahead> LedgerApp<V> {
    /// The same with another verifier: the simulator's memo, the node's.
    pub fn with_verifier(ledger: Ledger, verifier: V) -> Self {
        LedgerApp {
            ledger,
            verifier,
            outbox: Outbox::default(),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Lets the verifier look at records before they are judged one by one.
    pub fn verify_ahead(&mut self, records: &[Record]) {
        self.verifier.ahead(self.ledger.tables(), records);
    }

    /// Judges a record on the tip and keeps nothing: what would come of it, or the rule it breaks.
    pub fn judge(&mut self, record: &[u8], now_ms: u64) -> Result<apply::Outcome, apply::Refusal> {
        self.ledger
            .admit(record, now_ms, &mut self.verifier)
            .map(|admitted| admitted.outcome)
    }

    /// What has left the ledger since the last call. Take it after every step: it grows until
    /// then.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    fn admitted(
        &mut self,
        admitted: Result<ledger::Admitted, apply::Refusal>,
        size: usize,
    ) -> Result<Admitted, Refusal> {
        let admitted = admitted.map_err(|error| refusal(&error, self.ledger.height()))?;
        self.outbox.admitted.push(admitted.id);
        Ok(Admitted {
            id: admitted.id,
            organisation: admitted.record.payload.principal,
            size,
            signatures: admitted.record.signatures.len(),
            record: admitted.record,
        })
    }
}

/// The replica's form of a policy's validators.
fn seats(policy: &EpochPolicy) -> Vec<Validator> {
    let of = |v: &PolicyValidator| Validator {
        organisation: v.org,
        consensus: v.consensus,
        cosigner: v.cosigner,
        log: v.log,
    };
    policy.validators.iter().map(of).collect()
}

/// The facts of a refusal travel as a JSON object: named, and language-free.
fn refusal(refusal: &apply::Refusal, height: u64) -> Refusal {
    let facts: serde_json::Map<String, serde_json::Value> = refusal
        .facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    Refusal {
        rule: refusal.code.to_owned(),
        detail: serde_json::Value::Object(facts).to_string(),
        height,
        // Shape, signature, replay and expiry do not get better with time; a rule of the domain
        // may.
        transient: !refusal.code.starts_with("A6."),
    }
}

/// What the ledger says of a block, and what it says of this program.
fn verdict(error: ledger::BlockError) -> BlockError {
    match error {
        ledger::BlockError::Protocol(_) | ledger::BlockError::Internal { .. } => {
            BlockError::Fault(error.to_string())
        }
        _ => BlockError::Invalid(error.to_string()),
    }
}

fn note(checkpoint: &Checkpoint) -> log::Checkpoint {
    log::Checkpoint {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root,
    }
}

impl<V: Ahead> App for LedgerApp<V> {
    fn tip(&self) -> Tip {
        let tip = self.ledger.tip();
        Tip {
            height: tip.seal.height,
            seal: tip.seal.clone(),
            block: tip.block,
        }
    }

    fn chain(&self) -> Hash {
        self.ledger.chain()
    }

    fn validators(&self) -> Vec<Validator> {
        seats(self.ledger.policy())
    }

    fn tip_validators(&self) -> Vec<Validator> {
        seats(self.ledger.tip_policy())
    }

    fn checkpoint(&self) -> Checkpoint {
        let log::Checkpoint { origin, size, root } = self.ledger.checkpoint();
        Checkpoint {
            height: self.ledger.height(),
            origin,
            size,
            root,
        }
    }

    fn policy_digest(&self) -> Hash {
        self.ledger.policy().digest()
    }

    fn beyond(&self) -> Option<String> {
        self.ledger
            .next_protocol()
            .err()
            .map(|error| error.to_string())
    }

    fn admit(&mut self, record: &[u8], now_ms: u64) -> Result<Admitted, Refusal> {
        let admitted = self.ledger.admit(record, now_ms, &mut self.verifier);
        self.admitted(admitted, record.len())
    }

    fn admit_decoded(
        &mut self,
        record: Record,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Admitted, Refusal> {
        let admitted = self
            .ledger
            .admit_decoded(record, now_ms, &mut self.verifier);
        self.admitted(admitted, bytes.len())
    }

    fn build(
        &mut self,
        time_ms: u64,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<Built, BlockError> {
        let height = self.ledger.height();
        let built = self
            .ledger
            .build(time_ms, system, candidates, &mut self.verifier)
            .map_err(verdict)?;
        Ok(Built {
            body: built.execution.body,
            seal: built.execution.seal,
            left_out: built
                .refused
                .iter()
                .map(|(id, error)| (*id, refusal(error, height)))
                .collect(),
        })
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockError> {
        // Asked again at the decision: what was executed needs no second look.
        if self.ledger.pending(&seal.id()).is_some() {
            return Ok(());
        }
        let decoded = decode::<BlockBody>(body);
        if let Ok(decoded) = &decoded {
            self.verify_ahead(&decoded.records);
        }
        self.ledger
            .execute_decoded(body, decoded, seal, &mut self.verifier)
            .map(drop)
            .map_err(verdict)
    }

    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<Committed, BlockError> {
        let committed = self.ledger.commit(block).map_err(verdict)?;
        let records = committed
            .execution
            .outcomes
            .iter()
            .map(|(id, _)| *id)
            .collect();
        let handover = committed.handover;
        self.outbox.committed.push((committed, certificate.clone()));
        Ok(Committed {
            records,
            handover,
            checkpoint: self.checkpoint(),
        })
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

    fn cosignature_message(
        &self,
        checkpoint: &Checkpoint,
        _organisation: u32,
        time_s: u64,
    ) -> Vec<u8> {
        VerifierKey::sign_bytes(KeyType::Cosigner, &note(checkpoint).text(), time_s)
    }

    fn log_message(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        VerifierKey::sign_bytes(KeyType::Log, &note(checkpoint).text(), 0)
    }
}
