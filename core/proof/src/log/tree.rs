//! The RFC 6962 SHA-256 Merkle tree: appending, proving, checking.
//!
//! * Leaf hash = SHA-256(0x00 || leaf), node hash = SHA-256(0x01 || left || right), empty root =
//!   SHA-256 of nothing.
//! * Node `(level, index)` is the root of the complete subtree over leaves `[index * 2^level,
//!   (index + 1) * 2^level)`. Only complete subtrees are ever stored, so a stored node never
//!   changes; the ragged right edge is computed.
//! * A proof authenticates a leaf or an older root against a root. It does not authenticate the
//!   size: sizes come from a signed checkpoint, never from the carrier of the proof.
//! * Proof lengths are exact: one hash too few or too many is a refusal.
//!
//! Absent on purpose: storage. A store implements [`NodeReader`] and keeps what
//! [`Frontier::append`] returns.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};

use crate::codec::{DecodeError, Wire, at_most};
use crate::crypto::{Hash, sha256_parts};

/// Longest inclusion proof of any log (sizes stay below 2^63).
pub const PATH_MAX: usize = 63;
/// Longest log: sizes are below this, so index arithmetic cannot overflow.
pub const SIZE_MAX: u64 = 1 << 63;

/// Hash of a leaf: SHA-256(0x00 || bytes).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256_parts(&[&[0], leaf])
}

/// Hash of an inner node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[1], &left.0, &right.0])
}

/// Root of the log without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256_parts(&[])
}

/// Read access to the complete subtrees of a log.
pub trait NodeReader {
    /// Root of the complete subtree at `level` (0 = leaf hashes) and `index`; `None` if the store
    /// does not hold it.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

impl<T: NodeReader + ?Sized> NodeReader for &T {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        (**self).node(level, index)
    }
}

/// A subtree that has become complete: level, index, hash.
pub type NewNode = (u8, u64, Hash);

/// The right edge of a log: enough to append and to know the root, O(log n) hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees the size decomposes into, largest (leftmost) first.
    peaks: Vec<Hash>,
}

impl Wire for Frontier {
    const MAX: usize = 8 + 8 + 32 * PATH_MAX;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.peaks, PATH_MAX, "peaks of a log")?;
        if self.size >= SIZE_MAX {
            return Err(DecodeError::rule(format!(
                "a log of {} leaves is too long",
                self.size
            )));
        }
        if self.peaks.len() != self.size.count_ones() as usize {
            return Err(DecodeError::rule(format!(
                "{} peaks do not fit a log of {} leaves",
                self.peaks.len(),
                self.size
            )));
        }
        Ok(())
    }
}

impl Frontier {
    /// The empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// The right edge of a stored log of `size` leaves.
    pub fn from_reader(reader: &impl NodeReader, size: u64) -> Result<Self, TreeError> {
        Ok(Frontier {
            size,
            peaks: peaks(reader, 0, size)?,
        })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The RFC 6962 root.
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }

    /// Appends a leaf by its hash. Returns the subtrees that became complete with it, the leaf
    /// itself first, so that a store can keep them.
    pub fn append(&mut self, leaf: Hash) -> Vec<NewNode> {
        let mut index = self.size;
        let mut hash = leaf;
        let mut level = 0u8;
        let mut new = vec![(0, index, hash)];
        while index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            index >>= 1;
            level += 1;
            new.push((level, index, hash));
        }
        self.peaks.push(hash);
        self.size += 1;
        new
    }
}

/// A log kept in memory: for tests, tools and audits of small logs.
#[derive(Debug, Clone, Default)]
pub struct MemoryNodes {
    nodes: BTreeMap<(u8, u64), Hash>,
    frontier: Frontier,
}

impl MemoryNodes {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends leaf bytes and returns the index of the leaf.
    pub fn push(&mut self, leaf: &[u8]) -> u64 {
        self.push_hash(leaf_hash(leaf))
    }

    /// Appends a leaf hash and returns the index of the leaf.
    pub fn push_hash(&mut self, leaf: Hash) -> u64 {
        let index = self.frontier.size();
        for (level, at, hash) in self.frontier.append(leaf) {
            self.nodes.insert((level, at), hash);
        }
        index
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl NodeReader for MemoryNodes {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }
}

/// Why a root or a proof could not be made from a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The store lacks a node that a log of this size has.
    #[error("the log store lacks node {index} of level {level}")]
    MissingNode {
        /// Level of the node.
        level: u8,
        /// Index in the level.
        index: u64,
    },
    /// The leaf is not in a log of that size.
    #[error("leaf {index} is not in a log of {size} leaves")]
    NoSuchLeaf {
        /// Leaf asked for.
        index: u64,
        /// Size asked for.
        size: u64,
    },
    /// The old size is above the new one.
    #[error("a log of {old} leaves is no beginning of one of {new}")]
    Shrinks {
        /// Old size.
        old: u64,
        /// New size.
        new: u64,
    },
    /// 2^63 leaves or more.
    #[error("a log of {0} leaves is too long")]
    TooLong(u64),
}

/// Why a proof proves nothing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum TreeRefusal {
    /// Index or sizes out of range.
    #[error("the index or the sizes are out of range")]
    Range,
    /// Not exactly as many hashes as index and sizes demand.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
    /// The hashes do not lead to the older root.
    #[error("the proof does not lead to the older root")]
    OldRoot,
}

/// Joins complete subtrees, largest first, to the root of the tree they make.
fn fold(peaks: &[Hash]) -> Hash {
    let mut rest = peaks.iter().rev();
    match rest.next() {
        None => empty_root(),
        Some(last) => rest.fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// The complete subtrees of leaves `[start, start + length)`, largest first; `start` is a multiple
/// of the largest.
fn peaks(reader: &impl NodeReader, start: u64, length: u64) -> Result<Vec<Hash>, TreeError> {
    if length >= SIZE_MAX {
        return Err(TreeError::TooLong(length));
    }
    let mut result = Vec::with_capacity(length.count_ones() as usize);
    let (mut at, mut left) = (start, length);
    while left > 0 {
        let level = left.ilog2() as u8;
        let index = at >> level;
        result.push(
            reader
                .node(level, index)
                .ok_or(TreeError::MissingNode { level, index })?,
        );
        at += 1 << level;
        left -= 1 << level;
    }
    Ok(result)
}

/// Root over leaves `[start, start + length)` of a subtree as RFC 6962 splits them.
fn range_root(reader: &impl NodeReader, start: u64, length: u64) -> Result<Hash, TreeError> {
    Ok(fold(&peaks(reader, start, length)?))
}

/// The root a stored log had at `size` leaves.
pub fn root_at(reader: &impl NodeReader, size: u64) -> Result<Hash, TreeError> {
    range_root(reader, 0, size)
}

/// The largest power of two below `length` (`length` at least 2): where RFC 6962 splits.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The inclusion proof of leaf `index` in the log of `size` leaves: siblings from the leaf up.
pub fn inclusion_proof(
    reader: &impl NodeReader,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError> {
    if size >= SIZE_MAX {
        return Err(TreeError::TooLong(size));
    }
    if index >= size {
        return Err(TreeError::NoSuchLeaf { index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut length) = (0, size);
    while length > 1 {
        let half = split(length);
        if index - start < half {
            path.push(range_root(reader, start + half, length - half)?);
            length = half;
        } else {
            path.push(range_root(reader, start, half)?);
            start += half;
            length -= half;
        }
    }
    path.reverse();
    Ok(path)
}

/// The consistency proof from the log of `old` leaves to that of `new`. Empty if `old` is 0 or
/// equals `new`.
pub fn consistency_proof(
    reader: &impl NodeReader,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, TreeError> {
    if new >= SIZE_MAX {
        return Err(TreeError::TooLong(new));
    }
    if old > new {
        return Err(TreeError::Shrinks { old, new });
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    // SUBPROOF of RFC 6962 2.1.2, from the root down; `whole` says that the old root is known to
    // the verifier already.
    let (mut start, mut length, mut keep, mut whole) = (0, new, old, true);
    while keep != length {
        let half = split(length);
        if keep <= half {
            path.push(range_root(reader, start + half, length - half)?);
            length = half;
        } else {
            path.push(range_root(reader, start, half)?);
            start += half;
            length -= half;
            keep -= half;
            whole = false;
        }
    }
    if !whole {
        path.push(range_root(reader, start, length)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that the leaf with `leaf` as its hash is at `index` in the log of `size` leaves with
/// `root` (RFC 9162 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), TreeRefusal> {
    if index >= size || size >= SIZE_MAX {
        return Err(TreeRefusal::Range);
    }
    let (mut first, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(TreeRefusal::Length);
        }
        if first & 1 == 1 || first == last {
            hash = node_hash(sibling, &hash);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        first >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(TreeRefusal::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(TreeRefusal::Root)
    }
}

/// Checks that the log of `new_size` leaves with `new_root` begins with that of `old_size` and
/// `old_root` (RFC 9162 2.1.4.2). Every log begins with the empty log; its root and an empty proof
/// are still demanded.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), TreeRefusal> {
    if old_size > new_size || new_size >= SIZE_MAX {
        return Err(TreeRefusal::Range);
    }
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(TreeRefusal::Length);
        }
        if old_size == 0 && *old_root != empty_root() {
            return Err(TreeRefusal::OldRoot);
        }
        return if old_size == 0 || old_root == new_root {
            Ok(())
        } else {
            Err(TreeRefusal::Root)
        };
    }
    // An old tree that is one complete subtree is its own first hash; a proof does not repeat it.
    let (seed, rest) = if old_size.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (seed, rest) = proof.split_first().ok_or(TreeRefusal::Length)?;
        (*seed, rest)
    };
    let (mut first, mut last) = (old_size - 1, new_size - 1);
    while first & 1 == 1 {
        first >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (seed, seed);
    for hash in rest {
        if last == 0 {
            return Err(TreeRefusal::Length);
        }
        if first & 1 == 1 || first == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        first >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(TreeRefusal::Length);
    }
    if old != *old_root {
        return Err(TreeRefusal::OldRoot);
    }
    if new == *new_root {
        Ok(())
    } else {
        Err(TreeRefusal::Root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    /// The other half of `frontier_round_trips_and_refuses_foreign_shapes` in the crate's tests: a
    /// frontier whose peaks do not fit its size.
    #[test]
    fn a_frontier_of_foreign_shape_is_refused() {
        for size in [3, SIZE_MAX] {
            let peaks = vec![Hash::ZERO];
            assert!(decode::<Frontier>(&encode(&Frontier { size, peaks })).is_err());
        }
    }
}
