//! The authenticated tree of the proved tables: jmt 0.12 with SHA-256, proofs in ICS23.
//!
//! The tree is kept in memory at its newest version only; superseded nodes are dropped as soon as a block is adopted.
//! Versions inside the tree count change-sets, not heights: a block that changes no proved entry leaves the root alone.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Error as AnyError;
use jmt::storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{KeyHash, OwnedValue, Sha256Jmt, Version};

use prost::Message as _;

use crate::crypto::{Hash, sha256};

/// What went wrong inside the tree: always a fault of this program or its memory, never of somebody's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state tree: {0}")]
pub struct TreeError(String);

/// The tree in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<KeyHash, OwnedValue>,
    paths: BTreeMap<KeyHash, Vec<u8>>,
    /// Number of change-sets; version `changes - 1` is the newest.
    changes: u64,
    root: Hash,
}

/// One prepared change of the tree.
#[derive(Debug, Clone)]
pub struct TreeChange {
    batch: Option<TreeUpdateBatch>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    root: Hash,
}

impl TreeChange {
    /// Root after the change.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The changed proved entries: path and value.
    pub fn entries(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.entries
    }
}

/// The ICS23 proof specification of this tree; serialise it beside a proof for stock verifiers.
pub fn state_spec() -> ics23::ProofSpec {
    jmt::ics23_spec()
}

fn key_hash(path: &[u8]) -> KeyHash {
    KeyHash(sha256(path).0)
}

impl MemoryTree {
    /// The newest root.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// Computes the change that `entries` (path, value) make. Duplicate paths: the last wins, order never decides the root.
    pub fn prepare(&self, entries: Vec<(Vec<u8>, Vec<u8>)>) -> Result<TreeChange, TreeError> {
        let entries: BTreeMap<Vec<u8>, Vec<u8>> = entries.into_iter().collect();
        let entries: Vec<(Vec<u8>, Vec<u8>)> = entries.into_iter().collect();
        if entries.is_empty() {
            return Ok(TreeChange { batch: None, entries, root: self.root });
        }
        let reader = Reader { tree: self };
        let set: BTreeMap<KeyHash, Option<OwnedValue>> =
            entries.iter().map(|(path, value)| (key_hash(path), Some(value.clone()))).collect();
        let (root, batch) =
            Sha256Jmt::new(&reader).put_value_set(set, self.changes).map_err(|error| TreeError(error.to_string()))?;
        Ok(TreeChange { batch: Some(batch), entries, root: Hash(root.0) })
    }

    /// Makes a prepared change the newest version.
    pub fn adopt(&mut self, change: &TreeChange) {
        let Some(batch) = &change.batch else { return };
        for (path, value) in &change.entries {
            let hash = key_hash(path);
            self.values.insert(hash, value.clone());
            self.paths.insert(hash, path.clone());
        }
        self.nodes.extend(batch.node_batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())));
        let stale: BTreeSet<&NodeKey> = batch.stale_node_index_batch.iter().map(|stale| &stale.node_key).collect();
        for key in stale {
            self.nodes.remove(key);
        }
        self.changes += 1;
        self.root = change.root;
    }

    /// The value at `path` (none: it was never written) with its ICS23 commitment proof, protobuf bytes.
    pub fn prove(&self, path: &[u8]) -> Result<(Option<Vec<u8>>, Vec<u8>), TreeError> {
        let version = self.changes.checked_sub(1).ok_or_else(|| TreeError("nothing was ever written".into()))?;
        let reader = Reader { tree: self };
        let (value, proof) =
            Sha256Jmt::new(&reader).get_with_ics23_proof(path.to_vec(), version).map_err(|error| TreeError(error.to_string()))?;
        Ok((value, proof.encode_to_vec()))
    }
}

struct Reader<'a> {
    tree: &'a MemoryTree,
}

impl TreeReader for Reader<'_> {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>, AnyError> {
        Ok(self.tree.nodes.get(key).cloned())
    }

    fn get_value_option(&self, _max_version: Version, key: KeyHash) -> Result<Option<OwnedValue>, AnyError> {
        Ok(self.tree.values.get(&key).cloned())
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>, AnyError> {
        // Only used while restoring a snapshot, which this tree never does.
        Ok(None)
    }
}

impl HasPreimage for Reader<'_> {
    fn preimage(&self, key: KeyHash) -> Result<Option<Vec<u8>>, AnyError> {
        Ok(self.tree.paths.get(&key).cloned())
    }
}
