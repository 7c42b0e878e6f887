//! What the replica asks of the ledger. `rollbook_core::ledger::Ledger` answers through one thin
//! adapter.
//!
//! The ledger is at its tip, the newest committed block; every question is about the block after
//! it. Answers depend on the tip and the arguments alone: no clock, no randomness.

use rollbook_core::block::SystemSection;
use rollbook_core::ledger::Tip;
use rollbook_core::object::turn::Turns;
use rollbook_core::record::Record;
use rollbook_core::refusal::Refusal;
use rollbook_proof::chain::{Certificate, Seal, ValidatorKey};
use rollbook_proof::codec::DecodeError;
use rollbook_proof::crypto::{Hash, PublicKey};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

/// A validator of the next height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    /// Organisation number.
    pub organisation: OrganisationId,
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

/// Why a record was not taken: the rule it breaks and the height it was judged at (RULINGS A4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal} (judged at height {height})")]
pub struct Refused {
    /// The rule, such as `M08.sponsors-related`, with the facts of the case.
    pub refusal: Refusal,
    /// Height of the tip it was judged on.
    pub height: Height,
}

impl Refused {
    /// Of bytes that are no record.
    pub fn malformed(error: &DecodeError, height: Height) -> Refused {
        Refused {
            refusal: Refusal::new("A6.malformed", vec![("why", error.to_string())]),
            height,
        }
    }

    /// A key that the ledger knows did not make a signature of it. No later tip changes that, and no
    /// earlier one: who has judged the record does not pass it on.
    pub fn is_forged(&self) -> bool {
        self.refusal.code == "A6.bad-signature"
    }

    /// A later tip may answer otherwise: worth keeping if it was admitted once. Shape, signature,
    /// replay and expiry do not get better with time; a rule of the domain may.
    pub fn is_transient(&self) -> bool {
        !self.refusal.code.starts_with("A6.")
    }
}

/// A block built from the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltBlock {
    /// Canonical bytes of the body; `seal.body` is their SHA-256.
    pub body: Vec<u8>,
    /// The header.
    pub seal: Seal,
    /// Candidates that did not apply, with the reason. Those that merely did not fit are in neither
    /// list.
    pub left_out: Vec<(Hash, Refused)>,
}

/// What a ledger says of a block that it does not execute, build or commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockVerdict {
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
pub struct BlockCheckpoint {
    /// Height of the block.
    pub height: Height,
    /// First line of the checkpoint note.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// What the replica needs to know of the block that became the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTip {
    /// Ids of the block's records.
    pub records: Vec<Hash>,
    /// The block was a handover: other validators certify the next one (RULINGS A3).
    pub handover: bool,
    /// The block's checkpoint.
    pub checkpoint: BlockCheckpoint,
}

/// The ledger behind the replica.
pub trait App {
    /// The newest committed block.
    fn tip(&self) -> Tip;

    /// Genesis hash: under every signature.
    fn chain(&self) -> Hash;

    /// Validators of the height after the tip, ascending by organisation number.
    fn validators(&self) -> Vec<Validator>;

    /// The same validators in the order in which they propose the height after the tip: round r is
    /// the (r mod n)-th's (RULINGS A56).
    fn turns(&self) -> Turns;

    /// Validators that certified the tip: other than [`App::validators`] right after a handover.
    /// They cosign its checkpoint.
    fn tip_validators(&self) -> Vec<Validator>;

    /// The checkpoint of the tip.
    fn checkpoint(&self) -> BlockCheckpoint;

    /// SHA-256 of the policy that certifies the height after the tip.
    fn policy_digest(&self) -> Hash;

    /// Why this build cannot take part in the height after the tip: its rules are newer (RULINGS
    /// A18). The node stops before it.
    fn beyond(&self) -> Option<String> {
        None
    }

    /// Whether records of this organisation have a turn of their own in the pool: those of live members
    /// and of offices do (RULINGS A39).
    fn has_turn(&self, organisation: OrganisationId) -> bool;

    /// Checks a record's signatures and authority, and tries it on the tip at ledger time `now_ms`.
    /// Nothing is kept.
    fn admit(&mut self, record: &Record, now_ms: u64) -> Result<(), Refused>;

    /// Builds the next block at `time_ms` (strictly after the tip's). Deterministic in its
    /// arguments. Due clock events and the rule that a block with more of them due holds no records
    /// are its business; so is a due handover. An error means that the system section does not
    /// hold: evidence that is no news, say.
    fn build(
        &mut self,
        time_ms: LedgerTime,
        system: SystemSection,
        candidates: &[Record],
    ) -> Result<BuiltBlock, BlockVerdict>;

    /// Executes a body on the tip and compares every root with the seal's. Keeps the result under
    /// the block id until the next commit. `seal.body` was compared by the caller.
    fn execute(&mut self, body: &[u8], seal: &Seal) -> Result<(), BlockVerdict>;

    /// Makes an executed block the tip and forgets all other executions. The certificate was
    /// verified by the caller. An unknown block id is a fault of the caller and answered with an
    /// error, never a panic.
    fn commit(&mut self, block: &Hash, certificate: &Certificate) -> Result<NewTip, BlockVerdict>;

    /// Ledger time of the earliest clock event still to come; a block is wanted once the clock has
    /// passed it.
    fn next_deadline(&self) -> Option<LedgerTime>;

    /// The next block will be a handover: it is wanted at once.
    fn handover_due(&self) -> bool;

    /// The next block must carry the cosigned checkpoint of the tip (the tip was a handover).
    fn needs_handover_checkpoint(&self) -> bool;

    /// The bytes validator `organisation` signs for a checkpoint at `time_s` (seconds since 1970);
    /// `None` if the rules accept no cosignature of this time (RULINGS A38).
    fn cosignature_message(
        &self,
        checkpoint: &BlockCheckpoint,
        organisation: OrganisationId,
        time_s: u64,
    ) -> Option<Vec<u8>>;

    /// The bytes a validator's log key signs for a checkpoint.
    fn log_message(&self, checkpoint: &BlockCheckpoint) -> Vec<u8>;
}
