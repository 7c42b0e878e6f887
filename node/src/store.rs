//! The derived database: everything a node serves, rebuilt from the journal whenever it is missing
//! (RULINGS A13).
//!
//! Rules:
//!
//! * One block is one commit, atomic over all tables, and heights have no gaps: the tip says what
//!   is in here.
//! * No path waits for this store to be durable. After a crash it may lag the journal, which is
//!   applied again from [`Store::tip`]; after a power cut it is suspect as a whole
//!   (`journal::Recovered::store_is_suspect`) and is wiped.
//! * Its folder may be deleted at any time while the node is down.
//! * Values stay under [`VALUE_MAX`], above which sled writes files that it never syncs. Keys are
//!   big-endian, so that their order is that of heights.
//!
//! [`SledStore`] is the product, [`MemoryStore`] the simulator's (RULINGS A23); both share one
//! layout and one set of reads.
//!
//! Absent on purpose: decisions about content (rows, nodes and entries come from `apply`), repair,
//! transactions for callers.

use std::path::PathBuf;

use rollbook_core::state::Row;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

mod index;
mod layout;
mod memory;
mod rows;
mod runs;
mod sled_store;
#[cfg(test)]
mod tests;
pub mod view;
pub mod writer;

pub use memory::MemoryStore;
pub use sled_store::{Opened, SledStore};

/// Longest value, in bytes: a quarter of sled's segment is the border to its unsynced files; pages
/// hold several values.
pub const VALUE_MAX: usize = 120 * 1024;
/// Size of a chunk made by [`split_body`]: about ten records, the cheapest layout measured.
pub const CHUNK: usize = 3_584;

/// Where a record is: height of its block and index among the block's records.
pub type RecordPlace = (Height, u32);

/// Takes table, key and new value (none: removed) of a row; answers whether to go on.
pub type RowVisit<'a> = dyn FnMut(u8, &[u8], Option<&[u8]>) -> bool + 'a;

/// Everything that one block changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockWrite {
    /// Height: 0 for the first, then tip + 1.
    pub height: Height,
    /// Seal bytes.
    pub seal: Vec<u8>,
    /// Certificate bytes; empty at height 0.
    pub certificate: Vec<u8>,
    /// Body bytes, cut anywhere; see [`split_body`].
    pub body: Vec<Vec<u8>>,
    /// Writes of rows of the state tables.
    pub rows: Vec<Row>,
    /// Nodes of the log tree by (level, index).
    pub log_nodes: Vec<((u8, u64), Hash)>,
    /// Leaves of the log up to and including this block.
    pub leaf_count: u64,
    /// Record index: first 16 bytes of the record id, place.
    pub records: Vec<([u8; 16], RecordPlace)>,
    /// Named values that go with the block.
    pub meta: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The newest block in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Leaves of the log up to and including it.
    pub leaf_count: u64,
}

/// What stands for a block without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSeal {
    /// Seal bytes.
    pub seal: Vec<u8>,
    /// Certificate bytes.
    pub certificate: Vec<u8>,
}

/// A block as served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlock {
    /// Seal bytes.
    pub seal: Vec<u8>,
    /// Certificate bytes.
    pub certificate: Vec<u8>,
    /// Body bytes, whole.
    pub body: Vec<u8>,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Heights have no gaps and are committed once.
    #[error("block {height} was to be stored while {due} is due")]
    OutOfOrder {
        /// Height of the block.
        height: Height,
        /// The next height.
        due: Height,
    },
    /// A value or key is longer than the store keeps.
    #[error("{what} of {length} bytes is too long for the store, at most {max} are kept")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The folder is of another chain or format.
    #[error("the store in {} {why}. Next: check the configured data folder, or delete this one: \
             it is rebuilt from the journal", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The machine keeps this program from using the database: a full disk, too many open files, a disk
    /// that fails, permissions. Nothing says that the store itself is bad.
    #[error(
        "the store cannot be used while {what}: {why}. Next: free space, raise the limit of open files, \
         or check disk and permissions, then start the node again"
    )]
    Machine {
        /// What was being done.
        what: &'static str,
        /// The system's words.
        why: String,
    },
    /// The database failed or contradicts itself.
    #[error(
        "the store failed while {what}: {why}. Next: stop the node and delete the store's folder; \
         it is rebuilt from the journal"
    )]
    Failed {
        /// What was being done.
        what: &'static str,
        /// The database's words.
        why: String,
    },
    /// A folder that was to be wiped holds something else.
    #[error("{} is not deleted: it holds {found}, which is no part of a store. Next: check the \
             configured data folder", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What was found.
        found: String,
    },
}

/// A derived database. Shared between threads; one thread commits, any thread reads.
pub trait Store: Send + Sync {
    /// Stores a block, all of it or nothing. Not durable before [`Store::flush`].
    fn commit(&self, block: &BlockWrite) -> Result<(), StoreError>;

    /// Keeps a named value beside the blocks. Not durable before [`Store::flush`].
    fn note(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// The newest block; `None` in an empty store.
    fn tip(&self) -> Result<Option<Tip>, StoreError>;

    /// A block by height.
    fn block(&self, height: Height) -> Result<Option<StoredBlock>, StoreError>;

    /// Seal and certificate of a block, without its body.
    fn seal(&self, height: Height) -> Result<Option<StoredSeal>, StoreError>;

    /// Where the record is whose id begins with `prefix`. An index: check the id on reading.
    fn record(&self, prefix: &[u8; 16]) -> Result<Option<RecordPlace>, StoreError>;

    /// Places of records whose id begins with `prefix`, in no certain order, at most `limit`.
    fn records_from(&self, prefix: &[u8], limit: usize) -> Result<Vec<RecordPlace>, StoreError>;

    /// Visits what was written to the rows of the state tables, the oldest first, until `visit`
    /// answers false. A later write of a row stands above an earlier one; writes that were
    /// superseded need not be there.
    fn rows(&self, visit: &mut RowVisit) -> Result<(), StoreError>;

    /// A node of the log tree.
    fn log_node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError>;

    /// A named value.
    fn meta(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Hands what was committed to the disk. Never on the path of a decision: the journal is the
    /// truth.
    fn flush(&self) -> Result<(), StoreError>;
}

/// Cuts a body into values of [`CHUNK`] bytes.
pub fn split_body(body: &[u8]) -> Vec<Vec<u8>> {
    body.chunks(CHUNK).map(<[u8]>::to_vec).collect()
}
