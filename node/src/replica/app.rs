//! What the replica asks of the ledger. `rollbook_core::ledger::Ledger` answers through one thin
//! adapter.
//!
//! The ledger is at its tip, the newest committed block; every question is about the block after
//! it. Answers depend on the tip and the arguments alone: no clock, no randomness.

use rollbook_core::ledger::SystemSection;
use rollbook_core::record::Record;
use rollbook_proof::chain::{Certificate, Seal, ValidatorKey};
use rollbook_proof::crypto::{Hash, PublicKey};

/// The newest committed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// 0 for the genesis seal.
    pub height: u64,
    /// Its header.
    pub seal: Seal,
    /// [`Seal::id`] of `seal`.
    pub block: Hash,
}

/// A validator of the next height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    /// Organisation number.
    pub organisation: u32,
    /// Signs proposals and votes.
    pub consensus: PublicKey,
    /// Signs checkpoints, C2SP type 0x04.
    pub cosigner: PublicKey,
    /// Signs the log lines of checkpoints, C2SP type 0x01.
    pub log: PublicKey,
}

impl Validator {
    /// The form certificates are judged with.
    pub fn key(&self) -> ValidatorKey {
        ValidatorKey {
            validator: self.organisation,
            key: self.consensus,
        }
    }
}

/// A record that would apply on the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Record id.
    pub id: Hash,
    /// Principal: whose quota in the pool it counts against.
    pub organisation: u32,
    /// Encoded length in bytes.
    pub size: usize,
    /// Number of signatures.
    pub signatures: usize,
    /// The decoded record.
    pub record: Record,
}

/// Why a record was not taken. Language-free code and the height it was judged at (RULINGS A4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule} (judged at height {height}): {detail}")]
pub struct Refusal {
    /// Rule code, such as `M08.sponsors-related` or `envelope.signature`.
    pub rule: String,
    /// What exactly did not hold.
    pub detail: String,
    /// Height of the tip it was judged on.
    pub height: u64,
    /// A later tip may answer otherwise: worth keeping if it was admitted once.
    pub transient: bool,
}

/// A block built from the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Canonical bytes of the body; `seal.body` is their SHA-256.
    pub body: Vec<u8>,
    /// The header.
    pub seal: Seal,
    /// Candidates that did not apply, with the reason. Those that merely did not fit are in neither
    /// list.
    pub left_out: Vec<(Hash, Refusal)>,
}

/// Why a block was not executed, built or committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A verdict on its bytes, the same on every node.
    #[error("{0}")]
    Invalid(String),
    /// Not a verdict: this program cannot judge it (rules it does not have, a fault of its own).
    /// The node stops.
    #[error("{0}")]
    Fault(String),
}

/// A checkpoint to cosign: the log up to and including the seal of `height`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Height of the block.
    pub height: u64,
    /// First line of the checkpoint note.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// What a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Ids of the block's records.
    pub records: Vec<Hash>,
    /// The block was a handover: other validators certify the next one (RULINGS A3).
    pub handover: bool,
    /// The block's checkpoint.
    pub checkpoint: Checkpoint,
}

/// The ledger behind the replica.
pub trait App {
    /// The newest committed block.
    fn tip(&self) -> Tip;

    /// Genesis hash: under every signature.
    fn chain(&self) -> Hash;

    /// Validators of the height after the tip, ascending by organisation number.
    fn validators(&self) -> Vec<Validator>;

    /// Validators that certified the tip: other than [`App::validators`] right after a handover.
    /// They cosign its checkpoint.
    fn tip_validators(&self) -> Vec<Validator>;

    /// The checkpoint of the tip.
    fn checkpoint(&self) -> Checkpoint;

    /// SHA-256 of the policy that certifies the height after the tip.
    fn policy_digest(&self) -> Hash;

    /// Why this build cannot take part in the height after the tip: its rules are newer (RULINGS
    /// A18). The node stops before it.
    fn beyond(&self) -> Option<String> {
        None
    }

    /// Decodes a record, checks its signatures and authority, and tries it on the tip at ledger
    /// time `now_ms`.
    fn admit(&mut self, record: &[u8], now_ms: u64) -> Result<Admitted, Refusal>;

    /// The same for a record that the caller has decoded from these bytes.
    fn admit_decoded(
        &mut self,
        _record: Record,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Admitted, Refusal> {
        self.admit(bytes, now_ms)
    }

    /// Builds the next block at `time_ms` (strictly after the tip's). Deterministic in its
    /// arguments. Due clock events and the rule that a block with more of them due holds no records
    /// are its business; so is a due handover. An error means that the system section does not
    /// hold: evidence that is no news, say.
    fn build(
        &mut self,
        time_ms: u64,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<Built, BlockError>;

    /// Executes a body on the tip and compares every root with the seal's. Keeps the result under
    /// the block id until the next commit. `seal.body` was compared by the caller.
    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockError>;

    /// Makes an executed block the tip and forgets all other executions. The certificate was
    /// verified by the caller. An unknown block id is a fault of the caller and answered with an
    /// error, never a panic.
    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<Committed, BlockError>;

    /// Ledger time of the earliest clock event still to come; a block is wanted once the clock has
    /// passed it.
    fn next_deadline(&self) -> Option<u64>;

    /// The next block will be a handover: it is wanted at once.
    fn handover_due(&self) -> bool;

    /// The next block must carry the cosigned checkpoint of the tip (the tip was a handover).
    fn needs_handover_checkpoint(&self) -> bool;

    /// The bytes validator `organisation` signs for a checkpoint at `time_s` (seconds since 1970).
    fn cosignature_message(
        &self,
        checkpoint: &Checkpoint,
        organisation: u32,
        time_s: u64,
    ) -> Vec<u8>;

    /// The bytes a validator's log key signs for a checkpoint.
    fn log_message(&self, checkpoint: &Checkpoint) -> Vec<u8>;
}
