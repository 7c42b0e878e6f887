//! The authenticated tree of the proved tables: the hashes of jmt 0.12 with SHA-256, proofs in
//! ICS23.
//!
//! * The tree is binary over the bits of SHA-256(path), highest first. A subtree without an entry
//!   is [`EMPTY_SUBTREE`]; one with a single entry is that entry's leaf, however deep; any other is
//!   a fork. So the root depends on the entries alone, not on their order.
//! * In memory at its newest version only. Nodes are shared: a change holds the nodes that it makes
//!   and points at the rest, so a block hashes every fork on the way to its entries once, and
//!   adopting or dropping a change is a pointer.
//! * Values stay in the tables; a leaf names its row, from which a proof takes them.
//!
//! Why not jmt's own code: it keeps every value, path and 16-fold node beside the tables, and
//! hashes a node again for each entry. The tests hold roots and proofs equal to its, byte for byte.

use std::sync::Arc;

use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof, HashOp, InnerOp, NonExistenceProof};
use prost::Message as _;
use rollbook_proof::crypto::{Hash, sha256, sha256_parts};
use rollbook_proof::verify::{EMPTY_SUBTREE, FORK_PREFIX, LEAF_PREFIX, state_spec};

use crate::state::{Row, TableId};

/// What went wrong inside the tree: always a fault of this program or its memory, never of
/// somebody's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state tree: {0}")]
pub struct TreeError(String);

/// One proved entry as the tree holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLeaf {
    /// SHA-256 of the path.
    path: Hash,
    /// SHA-256 of the value.
    value: Hash,
    /// The row that the value stands in.
    table: TableId,
    key: Box<[u8]>,
}

impl TreeLeaf {
    /// The leaf of a proved row under its path.
    pub fn new(path: &[u8], row: &Row) -> TreeLeaf {
        let value = sha256(row.value.as_deref().unwrap_or_default());
        TreeLeaf {
            path: sha256(path),
            value,
            table: row.table,
            key: row.key.as_slice().into(),
        }
    }

    fn hash(&self) -> Hash {
        sha256_parts(&[LEAF_PREFIX, &self.path.0, &self.value.0])
    }
}

/// Path and value of a row by table and key.
type EntryOf<'a> = dyn Fn(TableId, &[u8]) -> Option<(Vec<u8>, Vec<u8>)> + 'a;

#[derive(Debug, Clone)]
enum Node {
    Leaf(Arc<TreeLeaf>),
    Fork(Arc<Fork>),
}

#[derive(Debug)]
struct Fork {
    hash: Hash,
    left: Option<Node>,
    right: Option<Node>,
}

fn hash_of(node: Option<&Node>) -> Hash {
    match node {
        None => EMPTY_SUBTREE,
        Some(Node::Leaf(leaf)) => leaf.hash(),
        Some(Node::Fork(fork)) => fork.hash,
    }
}

/// Whether a path goes right at a depth.
fn right(path: &Hash, depth: usize) -> bool {
    path.0
        .get(depth / 8)
        .is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

/// The subtree `node` at `depth` with `leaves` in it: at least one, ascending by path, no path
/// twice.
fn put(node: Option<&Node>, depth: usize, leaves: &[Arc<TreeLeaf>]) -> Option<Node> {
    if let [leaf] = leaves {
        match node {
            None => return Some(Node::Leaf(leaf.clone())),
            Some(Node::Leaf(old)) if old.path == leaf.path => {
                return Some(Node::Leaf(leaf.clone()));
            }
            _ => {}
        }
    }
    let (left, right_side) = match node {
        None => (None, None),
        Some(Node::Fork(fork)) => (fork.left.as_ref(), fork.right.as_ref()),
        Some(Node::Leaf(old)) if right(&old.path, depth) => (None, node),
        Some(Node::Leaf(_)) => (node, None),
    };
    let (to_left, to_right) =
        leaves.split_at(leaves.partition_point(|leaf| !right(&leaf.path, depth)));
    let side = |old: Option<&Node>, new: &[Arc<TreeLeaf>]| match new {
        [] => old.cloned(),
        new => put(old, depth + 1, new),
    };
    let (left, right) = (side(left, to_left), side(right_side, to_right));
    let hash = sha256_parts(&[
        FORK_PREFIX,
        &hash_of(left.as_ref()).0,
        &hash_of(right.as_ref()).0,
    ]);
    Some(Node::Fork(Arc::new(Fork { hash, left, right })))
}

/// The tree in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    top: Option<Node>,
}

/// One prepared change of the tree.
#[derive(Debug, Clone)]
pub struct TreeChange {
    top: Option<Node>,
}

impl TreeChange {
    /// Root after the change.
    pub fn root(&self) -> Hash {
        hash_of(self.top.as_ref())
    }
}

impl MemoryTree {
    /// The newest root.
    pub fn root(&self) -> Hash {
        hash_of(self.top.as_ref())
    }

    /// Computes the change that `leaves` make, in any order. Two of one path: the last wins.
    pub fn prepare(&self, leaves: Vec<TreeLeaf>) -> TreeChange {
        let mut leaves: Vec<Arc<TreeLeaf>> = leaves.into_iter().rev().map(Arc::new).collect();
        // Stable: of one path the last that came is the first, which stays.
        leaves.sort_by_key(|leaf| leaf.path);
        leaves.dedup_by_key(|leaf| leaf.path);
        let top = if leaves.is_empty() {
            self.top.clone()
        } else {
            put(self.top.as_ref(), 0, &leaves)
        };
        TreeChange { top }
    }

    /// Makes a prepared change the newest version.
    pub fn adopt(&mut self, change: &TreeChange) {
        self.top.clone_from(&change.top);
    }

    /// The value at `path` (none: it was never written) with its ICS23 commitment proof, protobuf
    /// bytes. `entry` gives path and value of a row.
    pub fn prove(
        &self,
        path: &[u8],
        entry: &EntryOf,
    ) -> Result<(Option<Vec<u8>>, Vec<u8>), TreeError> {
        let exists = |leaf: &TreeLeaf| {
            let (path, value) = entry(leaf.table, &leaf.key)
                .filter(|(path, value)| sha256(path) == leaf.path && sha256(value) == leaf.value)
                .ok_or_else(|| {
                    TreeError(format!(
                        "a row of table {} is not what the tree holds",
                        leaf.table
                    ))
                })?;
            Ok(ExistenceProof {
                key: path,
                value,
                leaf: state_spec().leaf_spec,
                path: self.steps(&leaf.path),
            })
        };
        let (value, proof) = match self.find(&sha256(path)) {
            Found::Here(leaf) => {
                let proof = exists(leaf)?;
                (Some(proof.value.clone()), Proof::Exist(proof))
            }
            Found::Between(None, None) => return Err(TreeError("nothing was ever written".into())),
            Found::Between(left, right) => {
                let (left, right) = (
                    left.map(exists).transpose()?,
                    right.map(exists).transpose()?,
                );
                (
                    None,
                    Proof::Nonexist(NonExistenceProof {
                        key: path.to_vec(),
                        left,
                        right,
                    }),
                )
            }
        };
        Ok((
            value,
            CommitmentProof { proof: Some(proof) }.encode_to_vec(),
        ))
    }

    /// The leaf of a path, or those on either side of where it would be.
    fn find(&self, path: &Hash) -> Found<'_> {
        let (mut node, mut depth) = (self.top.as_ref(), 0);
        let (mut before, mut after) = (None, None);
        while let Some(Node::Fork(fork)) = node {
            if right(path, depth) {
                before = fork.left.as_ref().or(before);
                node = fork.right.as_ref();
            } else {
                after = fork.right.as_ref().or(after);
                node = fork.left.as_ref();
            }
            depth += 1;
        }
        match node {
            Some(Node::Leaf(leaf)) if leaf.path == *path => return Found::Here(leaf),
            Some(Node::Leaf(leaf)) if leaf.path < *path => before = node,
            Some(_) => after = node,
            None => {}
        }
        Found::Between(
            before.and_then(|node| outermost(node, true)),
            after.and_then(|node| outermost(node, false)),
        )
    }

    /// The steps from the leaf of a path to the root.
    fn steps(&self, path: &Hash) -> Vec<InnerOp> {
        let (mut node, mut steps) = (self.top.as_ref(), Vec::new());
        while let Some(Node::Fork(fork)) = node {
            let to_right = right(path, steps.len());
            let (next, sibling) = if to_right {
                (&fork.right, &fork.left)
            } else {
                (&fork.left, &fork.right)
            };
            let sibling = hash_of(sibling.as_ref()).0;
            let (prefix, suffix) = if to_right {
                ([FORK_PREFIX, &sibling].concat(), Vec::new())
            } else {
                (FORK_PREFIX.to_vec(), sibling.to_vec())
            };
            steps.push(InnerOp {
                hash: HashOp::Sha256.into(),
                prefix,
                suffix,
            });
            node = next.as_ref();
        }
        steps.reverse();
        steps
    }
}

enum Found<'a> {
    Here(&'a TreeLeaf),
    Between(Option<&'a TreeLeaf>, Option<&'a TreeLeaf>),
}

/// The last leaf of a subtree, or the first.
fn outermost(mut node: &Node, last: bool) -> Option<&TreeLeaf> {
    loop {
        match node {
            Node::Leaf(leaf) => return Some(leaf),
            Node::Fork(fork) => {
                let (near, far) = if last {
                    (&fork.right, &fork.left)
                } else {
                    (&fork.left, &fork.right)
                };
                node = near.as_ref().or(far.as_ref())?;
            }
        }
    }
}
