//! Leaves: what one is, told by its first four bytes; who may read it; how it stands in the log.
//!
//! * What everybody may read stands in the log in clear, what is for members as a commitment: tag 7
//!   and SHA-256 of the leaf in clear (RULINGS A58). So every byte of the log is public, and whoever
//!   may read a members' leaf proves it with the same receipt.
//! * The leaf of a record has the length of its payload in front, so that a reader who knows no
//!   record finds the signed bytes and the record's id (RULINGS A57).

use std::borrow::Cow;

use bincode::{Decode, Encode};

use crate::crypto::{Hash, sha256, sha256_tagged};

/// Domain tag of record signatures and ids.
pub const RECORD_TAG: &str = "rollbook/record/v1";

/// Who may read a record, an event or an effect beside the nodes (RULINGS A15, A44).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReadClass {
    /// Everybody.
    Public,
    /// Member nodes and officers who log in.
    Members,
}

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
    /// Which records of a block had no effect ([`crate::chain::Effects`]).
    Effect = 6,
    /// SHA-256 of a leaf that members alone may read.
    Commitment = 7,
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
            6 => LeafTag::Effect,
            7 => LeafTag::Commitment,
            _ => return None,
        };
        Some((tag, rest))
    }
}

impl ReadClass {
    /// Every class, in the order in which a block has their effect leaves.
    pub const ALL: [ReadClass; 2] = [ReadClass::Public, ReadClass::Members];
}

/// A leaf in clear, and who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The bytes, beginning with a tag other than [`LeafTag::Commitment`], or a policy's text.
    pub clear: Vec<u8>,
    /// Who may read them.
    pub class: ReadClass,
}

impl Leaf {
    /// A leaf that everybody may read.
    pub fn public(clear: Vec<u8>) -> Leaf {
        Leaf {
            clear,
            class: ReadClass::Public,
        }
    }

    /// The bytes that stand in the log.
    pub fn logged(&self) -> Cow<'_, [u8]> {
        match self.class {
            ReadClass::Public => Cow::Borrowed(&self.clear),
            ReadClass::Members => Cow::Owned(commitment(&self.clear)),
        }
    }
}

/// How a leaf that members alone may read stands in the log.
pub fn commitment(clear: &[u8]) -> Vec<u8> {
    LeafTag::Commitment.prefix(&sha256(clear).0)
}

/// The leaf of a record in clear: tag 1, length of the payload as `u32`, payload, signatures.
pub fn record_leaf(payload: &[u8], signatures: &[u8]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(4 + payload.len() + signatures.len());
    // A record has at most 32 KiB.
    rest.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    rest.extend_from_slice(payload);
    rest.extend_from_slice(signatures);
    LeafTag::Record.prefix(&rest)
}

/// The parts of a record's leaf in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLeaf<'a> {
    /// What is signed, after the tag.
    pub payload: &'a [u8],
    /// The encoded signatures.
    pub signatures: &'a [u8],
    /// Payload and signatures, as a record is encoded.
    pub record: &'a [u8],
}

impl<'a> RecordLeaf<'a> {
    /// Bytes of a leaf before its payload: tag and length.
    pub const HEAD: usize = LeafTag::BYTES + 4;

    /// Splits a leaf; `None` if it is no record's.
    pub fn split(leaf: &'a [u8]) -> Option<RecordLeaf<'a>> {
        let (LeafTag::Record, rest) = LeafTag::split(leaf)? else {
            return None;
        };
        let (length, record) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (payload, signatures) = record.split_at_checked(length)?;
        Some(RecordLeaf {
            payload,
            signatures,
            record,
        })
    }

    /// The record's id.
    pub fn id(&self) -> Hash {
        sha256_tagged(RECORD_TAG, &[self.payload])
    }
}
