//! The body of a block (RULINGS A19): a system section and records, in their order of effect.
//!
//! Leaves of a block, in order: event leaves of due deadlines, evidence, records, the policy of a
//! handover, the seal. Events are derived by `apply` and are not in the body. A block with due
//! deadlines left over, and a handover block, hold no records.

use bincode::{Decode, Encode};

use super::certificate::{Certificate, Evidence};
use crate::codec::{DecodeError, Wire, at_most, encode, strictly_ascending};
use crate::crypto::{Hash, Signature, sha256};
use crate::record::Record;

/// Longest body, in bytes.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Most records in a body.
pub const BODY_MAX_RECORDS: usize = 2_000;
/// Most record signatures in a body.
pub const BODY_MAX_SIGNATURES: usize = 4_000;
/// Most pieces of evidence in a body.
pub const BODY_MAX_EVIDENCE: usize = 16;

/// First four bytes of a leaf, little-endian. Policy leaves are text that begins with `#` (0x23),
/// so no tag may have 0x23 as its low byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LeafTag {
    /// A signed record.
    Record = 1,
    /// A block seal.
    Seal = 2,
    /// A consequence derived by `apply`: deadlines, closings, handover dumps. Unsigned, checked
    /// byte for byte.
    Event = 3,
    /// Signed proof that a validator broke the protocol.
    Evidence = 4,
    /// One item of the genesis.
    Genesis = 5,
}

impl LeafTag {
    /// Length of a tag in bytes.
    pub const BYTES: usize = 4;

    /// Tag followed by `bytes`.
    pub fn prefix(self, bytes: &[u8]) -> Vec<u8> {
        let mut leaf = Vec::with_capacity(4 + bytes.len());
        leaf.extend_from_slice(&(self as u32).to_le_bytes());
        leaf.extend_from_slice(bytes);
        leaf
    }

    /// Splits a leaf into its tag and the rest; `None` for a policy leaf or an unknown tag.
    pub fn split(leaf: &[u8]) -> Option<(LeafTag, &[u8])> {
        let (tag, rest) = leaf.split_first_chunk::<4>()?;
        let tag = match u32::from_le_bytes(*tag) {
            1 => LeafTag::Record,
            2 => LeafTag::Seal,
            3 => LeafTag::Event,
            4 => LeafTag::Evidence,
            5 => LeafTag::Genesis,
            _ => return None,
        };
        Some((tag, rest))
    }
}

/// One validator's cosignature of a checkpoint, as it travels outside a note.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CheckpointSignature {
    /// Organisation number of the validator.
    pub validator: u32,
    /// Seconds since 1970 in the cosignature.
    pub time_s: u64,
    /// Type 0x04 signature.
    pub signature: Signature,
}

/// The checkpoint that links two epochs (RULINGS A3): carried by the first block of the new epoch,
/// which is invalid without it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HandoverCheckpoint {
    /// Size of the log up to and including the handover block's seal.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// At least a quorum under the outgoing policy, ascending by validator, all valid.
    pub cosignatures: Vec<CheckpointSignature>,
}

/// What a proposer adds beside records. Each part proves itself; no officer signs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct SystemSection {
    /// Commit certificate of the parent; absent at height 1 only.
    pub parent_certificate: Option<Certificate>,
    /// Evidence not yet in the log, ascending by its bytes.
    pub evidence: Vec<Evidence>,
    /// Present exactly in the first block of an epoch after the first.
    pub handover: Option<HandoverCheckpoint>,
}

/// The body of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct BlockBody {
    /// Parent certificate, evidence, handover.
    pub system: SystemSection,
    /// Records in order of effect.
    pub records: Vec<Record>,
}

impl Wire for BlockBody {
    const MAX: usize = BODY_MAX_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.records, BODY_MAX_RECORDS, "records in a block")?;
        at_most(
            &self.system.evidence,
            BODY_MAX_EVIDENCE,
            "pieces of evidence in a block",
        )?;
        let signatures: usize = self
            .records
            .iter()
            .map(|record| record.signatures.len())
            .sum();
        if signatures > BODY_MAX_SIGNATURES {
            return Err(DecodeError::rule(format!(
                "{signatures} signatures in a block, at most {BODY_MAX_SIGNATURES} are allowed"
            )));
        }
        if let Some(certificate) = &self.system.parent_certificate {
            certificate.check()?;
        }
        for evidence in &self.system.evidence {
            evidence.check()?;
        }
        strictly_ascending(&self.system.evidence, "pieces of evidence", encode)?;
        if let Some(handover) = &self.system.handover {
            strictly_ascending(&handover.cosignatures, "handover cosignatures", |s| {
                s.validator
            })?;
        }
        self.records.iter().try_for_each(Wire::check)
    }
}

impl BlockBody {
    /// SHA-256 of the body bytes, as the seal names it.
    pub fn digest(&self) -> Hash {
        sha256(&encode(self))
    }
}
