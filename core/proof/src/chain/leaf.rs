//! Leaf tags: what a leaf of the log is, told by its first four bytes; and who may read a leaf.

use bincode::{Decode, Encode};

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
