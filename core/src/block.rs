//! The body of a block (RULINGS A19): a system section and records, in their order of effect.
//!
//! Leaves of a block, in order: event leaves of due deadlines, evidence, records, the policy of a
//! handover, the seal. Events are derived by `apply` and are not in the body. A block with due
//! deadlines left over, and a handover block, hold no records.

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Certificate, Evidence, HandoverCheckpoint, ReadClass};
use rollbook_proof::codec::{DecodeError, Wire, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, sha256};

use crate::record::Record;

/// Longest body, in bytes.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Most records in a body.
pub const BODY_MAX_RECORDS: usize = 2_000;
/// Most record signatures in a body.
pub const BODY_MAX_SIGNATURES: usize = 4_000;
/// Most pieces of evidence in a body.
pub const BODY_MAX_EVIDENCE: usize = 16;

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
    /// The read classes that its records have: the block has an effect leaf for each, in this order
    /// (RULINGS A35, A58).
    pub fn read_classes(&self) -> Vec<ReadClass> {
        let has = |class: &ReadClass| {
            let of_class = |record: &Record| record.payload.body.read_class() == *class;
            self.records.iter().any(of_class)
        };
        ReadClass::ALL.into_iter().filter(has).collect()
    }

    /// SHA-256 of the body bytes, as the seal names it.
    pub fn digest(&self) -> Hash {
        sha256(&encode(self))
    }
}
