//! The seal: the block's header, its identity, and its last leaf (RULINGS A1). There is no other
//! header.

use bincode::{Decode, Encode};

use crate::codec::{DecodeError, Wire, encode};
use crate::crypto::{Hash, sha256_parts};
use crate::number::{Height, LedgerTime, ProtocolVersion};

/// Seal v1. Validators vote on nothing else; the consensus value is the seal and its identity is
/// [`Seal::id`]. It names neither round nor proposer, so a value proposed again in a later round is
/// the same value.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Seal {
    /// Selects the rules.
    pub protocol: ProtocolVersion,
    /// 0 for the derived genesis seal.
    pub height: Height,
    /// Ledger time in milliseconds since 1970-01-01T00:00Z, strictly after the parent's.
    pub time_ms: LedgerTime,
    /// Leaf hash of the previous seal; zero at height 0.
    pub parent: Hash,
    /// Index of the block's first leaf in the log.
    pub first_leaf: u64,
    /// Number of leaves, the seal itself not counted.
    pub leaf_count: u32,
    /// SHA-256 of the body bytes; checked before anything is executed.
    pub body: Hash,
    /// RFC 6962 root over every leaf before this seal.
    pub log_root: Hash,
    /// Root of the proved tables after this block.
    pub state_root: Hash,
    /// SHA-256(previous work digest || sorted changes of the working tables and outcomes of the
    /// records).
    pub work_digest: Hash,
    /// SHA-256 of the policy whose validators certify this block.
    pub policy: Hash,
    /// SHA-256 of the parent's commit certificate in canonical bytes; zero at heights 0 and 1.
    pub parent_certificate: Hash,
}

impl Wire for Seal {
    // 4-byte leaf tag included where a seal stands as a leaf; the value itself has a fixed size.
    const MAX: usize = Seal::BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        if self.protocol == ProtocolVersion(0) {
            return Err(DecodeError::rule("protocol 0 does not exist"));
        }
        if self.time_ms > LedgerTime::LAST {
            return Err(DecodeError::rule("the seal is later than the year 9999"));
        }
        Ok(())
    }
}

impl Seal {
    /// Encoded length: fixed.
    pub const BYTES: usize = 4 + 8 + 8 + 32 + 8 + 4 + 32 * 6;

    /// The seal's leaf bytes: tag 2 and the seal.
    pub fn leaf(&self) -> Vec<u8> {
        crate::chain::LeafTag::Seal.prefix(&encode(self))
    }

    /// The block id: the seal's own leaf hash, SHA-256(0x00 || leaf bytes).
    pub fn id(&self) -> Hash {
        sha256_parts(&[&[0], &self.leaf()])
    }

    /// Index of the seal's leaf.
    pub fn leaf_index(&self) -> u64 {
        self.first_leaf.saturating_add(u64::from(self.leaf_count))
    }

    /// Log size of this height's checkpoint: the log up to and including the seal.
    pub fn checkpoint_size(&self) -> u64 {
        self.leaf_index().saturating_add(1)
    }
}
