//! [`App`] on the ledger: the thin adapter.
//!
//! Adds what the ledger leaves to its host: a verifier with decoded keys kept, and the committed executions for the store,
//! which the shell takes after each step ([`LedgerApp::take_committed`]).

use rollbook_core::apply::Verify;
use rollbook_core::crypto::{Hash, VerifierCache};
use rollbook_core::ledger::{self, Certificate, Ledger, Seal, SystemSection};
use rollbook_core::log::{EpochPolicy, KeyType, VerifierKey};
use rollbook_core::record::Record;

use super::app::{Admitted, App, BlockError, Built, Checkpoint, Committed, Refusal, Tip, Validator};

/// The ledger behind a replica.
pub struct LedgerApp {
    ledger: Ledger,
    verifier: Box<dyn Verify + Send>,
    committed: Vec<(ledger::Committed, Certificate)>,
}

impl std::fmt::Debug for LedgerApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerApp").field("height", &self.ledger.height()).finish_non_exhaustive()
    }
}

impl LedgerApp {
    /// Around a ledger at its tip.
    pub fn new(ledger: Ledger) -> Self {
        Self::with_verifier(ledger, Box::new(VerifierCache::default()))
    }

    /// The same with another verifier: the simulator's memo, or one that checks in parallel.
    pub fn with_verifier(ledger: Ledger, verifier: Box<dyn Verify + Send>) -> Self {
        LedgerApp { ledger, verifier, committed: Vec::new() }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Blocks committed since the last call, in order, for the store. Empty it after every step: it grows until then.
    pub fn take_committed(&mut self) -> Vec<(ledger::Committed, Certificate)> {
        std::mem::take(&mut self.committed)
    }

    fn checkpoint_of(&self, checkpoint: rollbook_core::log::Checkpoint) -> Checkpoint {
        let rollbook_core::log::Checkpoint { origin, size, root } = checkpoint;
        Checkpoint { height: self.ledger.height(), origin, size, root }
    }
}

fn seats(policy: &EpochPolicy) -> Vec<Validator> {
    let validators = policy.validators.iter();
    validators.map(|v| Validator { organisation: v.org, consensus: v.consensus, cosigner: v.cosigner, log: v.log }).collect()
}

fn refusal(refusal: &rollbook_core::apply::Refusal, height: u64) -> Refusal {
    Refusal { rule: refusal.code.to_owned(), detail: refusal.to_string(), height, transient: false }
}

fn verdict(error: ledger::BlockError) -> BlockError {
    match error {
        ledger::BlockError::Protocol(_) | ledger::BlockError::Internal { .. } => BlockError::Fault(error.to_string()),
        _ => BlockError::Invalid(error.to_string()),
    }
}

impl App for LedgerApp {
    fn tip(&self) -> Tip {
        let tip = self.ledger.tip();
        Tip { height: tip.seal.height, seal: tip.seal.clone(), block: tip.block }
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
        self.checkpoint_of(self.ledger.checkpoint())
    }

    fn policy_digest(&self) -> Hash {
        self.ledger.policy().digest()
    }

    fn beyond(&self) -> Option<String> {
        self.ledger.next_protocol().err().map(|error| error.to_string())
    }

    fn admit(&mut self, record: &[u8], now_ms: u64) -> Result<Admitted, Refusal> {
        let height = self.ledger.height();
        let admitted = self.ledger.admit(record, now_ms, &mut *self.verifier).map_err(|error| refusal(&error, height))?;
        Ok(Admitted {
            id: admitted.id,
            organisation: admitted.record.payload.principal,
            size: record.len(),
            signatures: admitted.record.signatures.len(),
            record: admitted.record,
        })
    }

    fn build(&mut self, time_ms: u64, system: SystemSection, candidates: &[Record]) -> Result<Built, BlockError> {
        let height = self.ledger.height();
        let built = self.ledger.build(time_ms, system, candidates, &mut *self.verifier).map_err(verdict)?;
        Ok(Built {
            body: built.execution.body,
            seal: built.execution.seal,
            left_out: built.refused.iter().map(|(id, error)| (*id, refusal(error, height))).collect(),
        })
    }

    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockError> {
        self.ledger.execute(body, seal, &mut *self.verifier).map(drop).map_err(verdict)
    }

    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<Committed, BlockError> {
        let committed = self.ledger.commit(block).map_err(verdict)?;
        let records = committed.execution.outcomes.iter().map(|(id, _)| *id).collect();
        let (handover, checkpoint) = (committed.handover, self.checkpoint_of(committed.checkpoint.clone()));
        self.committed.push((committed, certificate.clone()));
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
        let Checkpoint { origin, size, root, .. } = checkpoint.clone();
        VerifierKey::sign_bytes(KeyType::Cosigner, &rollbook_core::log::Checkpoint { origin, size, root }.text(), time_s)
    }

    fn log_message(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let Checkpoint { origin, size, root, .. } = checkpoint.clone();
        VerifierKey::sign_bytes(KeyType::Log, &rollbook_core::log::Checkpoint { origin, size, root }.text(), 0)
    }
}
