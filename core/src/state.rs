//! The state: typed tables, written only by `apply` (RULINGS A7).
//!
//! * *Proved* tables live in an authenticated tree, one key per entity, each value under 4 KB: what
//!   a stranger needs proved.
//! * *Working* tables hold everything else that the rules read. Their changes and the outcomes of
//!   records enter the seal's work digest, sorted, so that a difference shows at the block where it
//!   arose.
//! * Writes go to an overlay: a refused record leaves nothing, a block that is not decided leaves
//!   nothing. A block's changes leave as [`Row`]s: the same rows are digested, stored by a node,
//!   loaded at open, and dumped at an epoch's end.
//! * Proved entries are never removed; they carry statuses.
//!
//! Absent on purpose: history (the log has it), indexes that no rule reads (the node has them).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire, encode};
use rollbook_proof::crypto::{Hash, sha256_parts};

use crate::step::{Posted, Step};

mod balances;
mod table;
mod tables;
mod tree;

pub use table::{Table, TableValue, decode_value};
pub use tables::{StateTables, Stored, TableId, Tables, Writer, number};
pub use tree::{MemoryTree, TreeChange, TreeError, TreeLeaf};

/// One changed entry of one table, as bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Row {
    /// Table number (see [`TableId`]).
    pub table: u8,
    /// Encoded key.
    pub key: Vec<u8>,
    /// Encoded value; none removes the entry (working tables only).
    pub value: Option<Vec<u8>>,
}

impl Wire for Row {
    const MAX: usize = 1024 * 1024;
}

/// The whole state at a height: tables, their tree, and the running digest.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The typed tables.
    pub tables: StateTables,
    tree: MemoryTree,
    work_digest: Hash,
}

/// What one block did to the state, ready to be adopted or thrown away.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Sorted rows of all tables.
    pub rows: Vec<Row>,
    /// The tree's change.
    pub tree: TreeChange,
    /// State root after the block.
    pub state_root: Hash,
    /// Work digest after the block.
    pub work_digest: Hash,
    /// What moved, in order (RULINGS R26): output beside the state, in no digest.
    pub steps: Vec<Step>,
    /// What was posted, in order: output beside the state, in no digest.
    pub postings: Vec<Posted>,
}

impl State {
    /// Root of the proved tables. The tree is never empty: genesis writes the charter.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Work digest of the newest adopted block.
    pub fn work_digest(&self) -> Hash {
        self.work_digest
    }

    /// The proved value at `path` (none: it was never written) with its ICS23 commitment proof,
    /// protobuf bytes.
    pub fn prove(&self, path: &[u8]) -> Result<(Option<Vec<u8>>, Vec<u8>), TreeError> {
        self.tree
            .prove(path, &|table, key| self.tables.proved_entry(table, key))
    }

    /// Takes the block overlay out of the tables, leaving them at the tip, and computes both roots.
    /// `outcomes` are the encoded outcomes of the block's records, in order; `hidden` are the hashes
    /// of the leaves in clear that stand in the log as commitments, in their order.
    pub fn take_changes(&mut self, outcomes: &[u8], hidden: &[Hash]) -> Changes {
        let (rows, steps) = (self.tables.take_rows(), self.tables.take_steps());
        let postings = self.tables.take_postings();
        let mut proved = Vec::new();
        let mut hashed: Vec<Vec<u8>> = Vec::new();
        for row in &rows {
            match self.tables.proved_path(row) {
                Some(path) => proved.push(TreeLeaf::new(&path, row)),
                None => hashed.push(encode(row)),
            }
        }
        let tree = self.tree.prepare(proved);
        let state_root = tree.root();
        let digest = self.work_digest;
        // The count keeps rows and outcomes apart.
        let count = (hashed.len() as u64).to_le_bytes();
        let mut parts: Vec<&[u8]> = vec![&digest.0, &count];
        parts.extend(hashed.iter().map(Vec::as_slice));
        parts.push(outcomes);
        parts.extend(hidden.iter().map(|hash| hash.0.as_slice()));
        let work_digest = sha256_parts(&parts);
        Changes {
            rows,
            tree,
            state_root,
            work_digest,
            steps,
            postings,
        }
    }

    /// Makes a block's changes the tip.
    pub fn adopt(&mut self, changes: &Changes) -> Result<(), DecodeError> {
        for row in &changes.rows {
            self.tables.load(row)?;
        }
        self.tree.adopt(&changes.tree);
        self.work_digest = changes.work_digest;
        Ok(())
    }

    /// Every entry of every table as sorted rows: the dump whose RFC 6962 root is an event leaf at
    /// each epoch's end.
    pub fn dump(&self) -> Vec<Row> {
        self.tables.all_rows()
    }
}

/// Rebuilds a state from stored rows, one by one, as a node does at open. The tree is recomputed
/// from the proved rows, so a store that lost or changed one shows at once: compare [`State::root`]
/// with the tip's seal.
#[derive(Debug, Default)]
pub struct StateLoader {
    tables: StateTables,
    proved: Vec<TreeLeaf>,
}

impl StateLoader {
    /// Takes a row.
    pub fn row(&mut self, row: &Row) -> Result<(), DecodeError> {
        if let Some(path) = self.tables.proved_path(row) {
            self.proved.push(TreeLeaf::new(&path, row));
        }
        self.tables.load(row)
    }

    /// The state of all rows, with the work digest of the tip's seal.
    pub fn finish(self, work_digest: Hash) -> State {
        let mut tree = MemoryTree::default();
        tree.adopt(&tree.prepare(self.proved));
        State {
            tables: self.tables,
            tree,
            work_digest,
        }
    }
}
