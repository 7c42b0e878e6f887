//! The export: a whole history in one canonical file (RULINGS A14).
//!
//! Layout, all integers little-endian:
//!
//! ```text
//! magic "rollbook-export\n" (16) | version u32 = 1 | genesis hash (32) | height u64
//! height + 1 block frames:       length u32 of what follows
//!                                | system section: length u32, bytes
//!                                | records:        count u32, each length u32, bytes
//!                                | derived leaves: count u32, each length u32, bytes
//!                                | seal (256)
//! tail:                          length u32 | certificate of the last block | checkpoint with exactly a quorum of cosignatures
//! SHA-256 of everything before (32)
//! ```
//!
//! Frame 0 has an empty system section, no records, and leaves 0..N of the genesis as derived
//! leaves; its certificate is absent because seal 0 is derived. In every other frame the derived
//! leaves, in clear, are the events and either the effect leaves or, in a handover, the policy: what
//! is in no body. Up to the tail the
//! exports of two honest nodes are byte-identical. The record lengths let an auditor find its way
//! after damage; they are checked like everything else.
//!
//! Absent on purpose: compression, documents, openings (they travel in a bundle of their own).

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Certificate, HandoverCheckpoint, Leaf, LeafTag, Seal};
use rollbook_proof::codec::{DecodeError, Wire, decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use crate::block::{BODY_MAX_BYTES, BlockBody};

/// First bytes of every export.
pub const MAGIC: &[u8; 16] = b"rollbook-export\n";
/// Version of the layout.
pub const VERSION: u32 = 1;
/// Longest block frame: a full body, 1,000 events of a full leaf's size, a policy, and lengths.
pub const FRAME_MAX_BYTES: usize = BODY_MAX_BYTES + 64 * 1024 * 1024;
/// Items of one list of a frame at most: far more than any block has, and few enough that empty ones,
/// which cost a reader eight times what they cost the writer, fill nobody's memory.
const LIST_MAX: usize = 65_536;

/// The file's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Genesis hash.
    pub genesis: Hash,
    /// Height of the last block.
    pub height: Height,
}

/// Why bytes are no export, or no part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Not an export at all.
    #[error("the file does not begin with the export magic; it is no Rollbook export")]
    NotAnExport,
    /// A layout of another version.
    #[error("export version {0}; this program reads version 1")]
    Version(u32),
    /// The file ends too early.
    #[error("the file ends inside {0}")]
    Truncated(&'static str),
    /// A length that cannot be.
    #[error("{what}: length {length} cannot be")]
    Length {
        /// Where.
        what: &'static str,
        /// The number found.
        length: u64,
    },
}

impl Header {
    /// Encoded length.
    pub const BYTES: usize = 16 + 4 + 32 + 8;

    /// The head's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.genesis.0);
        bytes.extend_from_slice(&self.height.0.to_le_bytes());
        bytes
    }

    /// Reads a head.
    pub fn decode(bytes: &[u8]) -> Result<Header, ExportError> {
        let mut cursor = Cursor(bytes);
        if cursor
            .take(16, "the magic")
            .map_err(|_| ExportError::NotAnExport)?
            != MAGIC
        {
            return Err(ExportError::NotAnExport);
        }
        let version = cursor.u32("the version")?;
        if version != VERSION {
            return Err(ExportError::Version(version));
        }
        let genesis = Hash(array(cursor.take(32, "the genesis hash")?));
        let height = u64::from_le_bytes(array(cursor.take(8, "the height")?));
        Ok(Header {
            genesis,
            height: Height(height),
        })
    }
}

/// One block as it stands in an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockFrame {
    /// Encoded system section; empty in frame 0.
    pub system: Vec<u8>,
    /// Encoded records.
    pub records: Vec<Vec<u8>>,
    /// Leaves that are in no body, in log order.
    pub derived: Vec<Vec<u8>>,
    /// Encoded seal.
    pub seal: Vec<u8>,
}

impl BlockFrame {
    /// The frame of a block: its body bytes, its derived leaves, its seal.
    pub fn of_block(
        body: &[u8],
        derived: Vec<Vec<u8>>,
        seal: &Seal,
    ) -> Result<BlockFrame, DecodeError> {
        let body: BlockBody = decode(body)?;
        Ok(BlockFrame {
            system: encode(&body.system),
            records: body.records.iter().map(encode).collect(),
            derived,
            seal: encode(seal),
        })
    }

    /// The frame of the genesis: all its leaves but seal 0.
    pub fn of_genesis(leaves: &[Vec<u8>], seal: &Seal) -> BlockFrame {
        BlockFrame {
            derived: leaves.to_vec(),
            seal: encode(seal),
            ..BlockFrame::default()
        }
    }

    /// The derived leaves among all leaves of a block (the seal's last), in clear.
    pub fn derived_of(leaves: &[Leaf]) -> Vec<Vec<u8>> {
        let in_no_body = |leaf: &&Leaf| match LeafTag::split(&leaf.clear) {
            Some((tag, _)) => matches!(tag, LeafTag::Event | LeafTag::Effect),
            None => true,
        };
        let derived = leaves.iter().filter(in_no_body);
        derived.map(|leaf| leaf.clear.clone()).collect()
    }

    /// How many of a block's derived leaves stand before its evidence and records: the events. The
    /// rest, effect leaves or a policy, stand after them.
    pub fn events_of<'a>(derived: impl IntoIterator<Item = &'a [u8]>) -> usize {
        let is_event = |leaf: &&[u8]| matches!(LeafTag::split(leaf), Some((LeafTag::Event, _)));
        derived.into_iter().take_while(is_event).count()
    }

    /// The body bytes that the seal commits to.
    pub fn body(&self) -> Vec<u8> {
        let mut body = self.system.clone();
        body.extend_from_slice(&(self.records.len() as u64).to_le_bytes());
        for record in &self.records {
            body.extend_from_slice(record);
        }
        body
    }

    /// The frame with its length in front.
    pub fn encode(&self) -> Vec<u8> {
        let mut inner = Vec::new();
        put(&mut inner, &self.system);
        for list in [&self.records, &self.derived] {
            inner.extend_from_slice(&(list.len() as u32).to_le_bytes());
            for item in list {
                put(&mut inner, item);
            }
        }
        inner.extend_from_slice(&self.seal);
        let mut bytes = Vec::with_capacity(4 + inner.len());
        put(&mut bytes, &inner);
        bytes
    }

    /// Reads a frame without its length.
    pub fn decode(bytes: &[u8]) -> Result<BlockFrame, ExportError> {
        let mut cursor = Cursor(bytes);
        let system = cursor.item("the system section")?.to_vec();
        let records = cursor.list("the records")?;
        let derived = cursor.list("the derived leaves")?;
        let seal = cursor.take(Seal::BYTES, "the seal")?.to_vec();
        if !cursor.0.is_empty() {
            return Err(ExportError::Length {
                what: "a block frame's surplus",
                length: cursor.0.len() as u64,
            });
        }
        Ok(BlockFrame {
            system,
            records,
            derived,
            seal,
        })
    }
}

/// The end of an export: what makes its last block final and receipted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tail {
    /// Commit certificate of the last block; absent if the last block is the genesis.
    pub certificate: Option<Certificate>,
    /// Its checkpoint with exactly a quorum of cosignatures, in policy order; absent if not yet
    /// receipted or at genesis.
    pub checkpoint: Option<HandoverCheckpoint>,
}

impl Wire for Tail {
    const MAX: usize = 32 * 1024;
}

fn put(bytes: &mut Vec<u8>, item: &[u8]) {
    bytes.extend_from_slice(&(item.len() as u32).to_le_bytes());
    bytes.extend_from_slice(item);
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], ExportError> {
        let (head, rest) = self
            .0
            .split_at_checked(n)
            .ok_or(ExportError::Truncated(what))?;
        self.0 = rest;
        Ok(head)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, ExportError> {
        Ok(u32::from_le_bytes(array(self.take(4, what)?)))
    }

    fn item(&mut self, what: &'static str) -> Result<&'a [u8], ExportError> {
        let length = self.u32(what)? as usize;
        self.take(length, what)
    }

    fn list(&mut self, what: &'static str) -> Result<Vec<Vec<u8>>, ExportError> {
        let count = self.u32(what)? as usize;
        if count > self.0.len() / 4 || count > LIST_MAX {
            return Err(ExportError::Length {
                what,
                length: count as u64,
            });
        }
        (0..count).map(|_| Ok(self.item(what)?.to_vec())).collect()
    }
}

/// Length of the next frame or tail from its first four bytes; more than `max` cannot be.
pub fn frame_length(bytes: [u8; 4], max: usize) -> Result<usize, ExportError> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > max {
        return Err(ExportError::Length {
            what: "a block frame",
            length: length as u64,
        });
    }
    Ok(length)
}

/// The tail with its length in front.
pub fn encode_tail(tail: &Tail) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, &encode(tail));
    bytes
}
