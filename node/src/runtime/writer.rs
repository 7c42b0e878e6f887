//! The store's thread: what a committed block leaves behind for readers, and the way back.
//!
//! Beside the rows of the state it keeps what is in no body (derived leaves), the log's nodes, the
//! record index, the newest receipted checkpoint, and the cosigned checkpoint of every handover.
//! Readers are told of a block once it can be read.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use bincode::{Decode, Encode};
use rollbook_core::export::BlockFrame;
use rollbook_core::genesis::Genesis;
use rollbook_core::ledger::{BlockBody, Execution};
use rollbook_core::state::Row;
use rollbook_proof::chain::{HandoverCheckpoint, LeafTag, Seal};
use rollbook_proof::codec::{DecodeError, Wire, decode, encode};
use rollbook_proof::crypto::{Hash, Signature};
use rollbook_proof::log::{EpochPolicy, NodeReader};
use tokio::sync::watch;

use super::Failure;
use crate::store::{BlockWrite, RowWrite, Store, StoreError, split_body};

/// Bytes of derived leaves in one value.
const DERIVED_CHUNK: usize = 60 * 1024;
/// A flush at least so often while blocks come.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Name of the newest receipt.
const RECEIPT: &[u8] = b"receipt";

/// A block on its way into the store.
#[derive(Debug)]
pub struct CommittedBlock {
    /// What it did.
    pub execution: Execution,
    /// Encoded certificate.
    pub certificate: Vec<u8>,
}

/// Work for the store's thread.
#[derive(Debug)]
pub enum Job {
    /// A block became final.
    Block(Box<CommittedBlock>),
    /// A checkpoint is receipted.
    Receipt(StoredReceipt),
}

/// A checkpoint with a quorum of cosignatures and the height it ends at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StoredReceipt {
    /// Height of the block.
    pub height: u64,
    /// Size, root, cosignatures ascending by validator.
    pub checkpoint: HandoverCheckpoint,
    /// The log line of a validator on the same checkpoint; none for a handover's, which rests on
    /// the cosignatures alone.
    pub log: Option<(u32, Signature)>,
}

impl Wire for StoredReceipt {
    const MAX: usize = 16 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[derive(Encode, Decode)]
struct Leaves(Vec<Vec<u8>>);

impl Wire for Leaves {
    const MAX: usize = 128 * 1024;
}

/// What readers can see, shared by API, writer and shell.
#[derive(Clone)]
pub struct View {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The genesis.
    pub genesis: Arc<Genesis>,
    /// Every policy, epoch 0 first.
    policies: Arc<RwLock<Vec<EpochPolicy>>>,
    /// Height of the newest block that can be read.
    height: Arc<watch::Sender<u64>>,
    /// Newest receipt in the store.
    receipt: Arc<watch::Sender<Option<StoredReceipt>>>,
}

impl View {
    /// A view on an opened store.
    pub fn new(
        store: Arc<dyn Store>,
        genesis: Arc<Genesis>,
        policies: Vec<EpochPolicy>,
    ) -> Result<View, StoreError> {
        let height = store.tip()?.map_or(0, |tip| tip.height);
        let receipt = store.meta(RECEIPT)?.and_then(|bytes| decode(&bytes).ok());
        Ok(View {
            store,
            genesis,
            policies: Arc::new(RwLock::new(policies)),
            height: Arc::new(watch::Sender::new(height)),
            receipt: Arc::new(watch::Sender::new(receipt)),
        })
    }

    /// Height of the newest block that can be read.
    pub fn height(&self) -> u64 {
        *self.height.borrow()
    }

    /// Tells of new heights.
    pub fn heights(&self) -> watch::Receiver<u64> {
        self.height.subscribe()
    }

    /// The newest receipted checkpoint whose block can be read.
    pub fn receipt(&self) -> Option<StoredReceipt> {
        self.receipt.borrow().clone()
    }

    /// Tells of new receipts.
    pub fn receipts(&self) -> watch::Receiver<Option<StoredReceipt>> {
        self.receipt.subscribe()
    }

    /// Every policy, epoch 0 first.
    pub fn policies(&self) -> Vec<EpochPolicy> {
        self.policies
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// The policy under which a checkpoint of this size is cosigned.
    pub fn policy_at(&self, size: u64) -> Option<EpochPolicy> {
        self.policies()
            .into_iter()
            .rev()
            .find(|policy| policy.valid_from_size < size)
    }

    /// The cosigned checkpoint that ended the epoch before `epoch`.
    pub fn handover(&self, epoch: u32) -> Result<Option<HandoverCheckpoint>, StoreError> {
        let bytes = self.store.meta(&handover_key(epoch))?;
        Ok(bytes
            .and_then(|bytes| decode::<StoredReceipt>(&bytes).ok())
            .map(|stored| stored.checkpoint))
    }

    /// Seal of a block.
    pub fn seal(&self, height: u64) -> Result<Option<Seal>, StoreError> {
        Ok(self
            .store
            .seal(height)?
            .and_then(|(seal, _)| decode(&seal).ok()))
    }

    /// The derived leaves of a block: events, and the policy of a handover; of block 0 every
    /// genesis leaf.
    pub fn derived(&self, height: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        if height == 0 {
            let mut leaves = vec![self.genesis.policy_text.clone().into_bytes()];
            leaves.extend(self.genesis.items.iter().map(|item| item.leaf()));
            return Ok(leaves);
        }
        let mut leaves = Vec::new();
        for chunk in 0u32.. {
            let Some(bytes) = self.store.meta(&derived_key(height, chunk))? else {
                break;
            };
            if let Ok(Leaves(some)) = decode(&bytes) {
                leaves.extend(some);
            }
        }
        Ok(leaves)
    }

    /// Every leaf of a block, the seal's last; `None` if it is not in the store.
    pub fn leaves(&self, height: u64) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let Some(block) = self.store.block(height)? else {
            return Ok(None);
        };
        let mut leaves = self.derived(height)?;
        let policy = leaves.pop_if(|leaf| height > 0 && LeafTag::split(leaf).is_none());
        if height > 0 {
            let Ok(body) = decode::<BlockBody>(&block.body) else {
                return Ok(None);
            };
            leaves.extend(body.system.evidence.iter().map(|evidence| evidence.leaf()));
            leaves.extend(body.records.iter().map(|record| record.leaf()));
        }
        leaves.extend(policy);
        leaves.push(LeafTag::Seal.prefix(&block.seal));
        Ok(Some(leaves))
    }

    /// Height of the block that holds a leaf.
    pub fn height_of_leaf(&self, index: u64) -> Result<Option<u64>, StoreError> {
        let (mut low, mut high) = (0, self.height());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(seal) = self.seal(middle)? else {
                return Ok(None);
            };
            if index < seal.checkpoint_size() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(self
            .seal(low)?
            .filter(|seal| index < seal.checkpoint_size())
            .map(|_| low))
    }
}

impl NodeReader for View {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.store.log_node(level, index).ok().flatten()
    }
}

fn derived_key(height: u64, chunk: u32) -> Vec<u8> {
    let mut key = b"derived".to_vec();
    key.extend_from_slice(&height.to_be_bytes());
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

fn handover_key(epoch: u32) -> Vec<u8> {
    let mut key = b"handover".to_vec();
    key.extend_from_slice(&epoch.to_be_bytes());
    key
}

/// First bytes of a record id, as the index keeps them.
pub fn prefix_of(id: &Hash) -> [u8; 16] {
    let mut prefix = [0; 16];
    prefix.copy_from_slice(&id.0[..16]);
    prefix
}

fn rows_of(rows: &[Row]) -> Vec<RowWrite> {
    rows.iter()
        .map(|row| (row.table, row.key.clone(), row.value.clone()))
        .collect()
}

/// Block 0 for an empty store.
pub fn genesis_write(
    genesis: &Genesis,
) -> Result<BlockWrite, rollbook_core::genesis::GenesisError> {
    let opened = genesis.open()?;
    let mut frontier = rollbook_proof::log::Frontier::new();
    let mut nodes = Vec::new();
    for leaf in &opened.leaves {
        nodes.extend(frontier.append(rollbook_proof::log::leaf_hash(leaf)));
    }
    Ok(BlockWrite {
        height: 0,
        seal: encode(&opened.seal),
        rows: rows_of(&opened.rows),
        log_nodes: nodes
            .into_iter()
            .map(|(level, index, hash)| ((level, index), hash))
            .collect(),
        leaf_count: opened.seal.checkpoint_size(),
        ..BlockWrite::default()
    })
}

/// What one executed block changes in the store.
pub fn block_write(execution: &Execution, certificate: Vec<u8>, epoch: u32) -> BlockWrite {
    let height = execution.seal.height;
    let mut meta = Vec::new();
    let (mut chunk, mut size) = (Vec::new(), 0);
    let mut chunks = Vec::new();
    for leaf in BlockFrame::derived_of(&execution.leaves) {
        if size + leaf.len() > DERIVED_CHUNK && !chunk.is_empty() {
            chunks.push(std::mem::take(&mut chunk));
            size = 0;
        }
        size += leaf.len();
        chunk.push(leaf);
    }
    chunks.extend((!chunk.is_empty()).then_some(chunk));
    for (number, leaves) in (0u32..).zip(chunks) {
        meta.push((derived_key(height, number), encode(&Leaves(leaves))));
    }
    if let Some(checkpoint) = execution.handover.clone() {
        meta.push((
            handover_key(epoch),
            encode(&StoredReceipt {
                height: height - 1,
                checkpoint,
                log: None,
            }),
        ));
    }
    BlockWrite {
        height,
        seal: encode(&execution.seal),
        certificate,
        body: split_body(&execution.body),
        rows: rows_of(&execution.changes.rows),
        tree_nodes: Vec::new(),
        log_nodes: execution
            .nodes
            .iter()
            .map(|(level, index, hash)| ((*level, *index), *hash))
            .collect(),
        leaf_count: execution.seal.checkpoint_size(),
        records: (0u32..)
            .zip(&execution.outcomes)
            .map(|(i, (id, _))| (prefix_of(id), (height, i)))
            .collect(),
        objects: Vec::new(),
        meta,
    }
}

/// The store's thread. Ends when every sender is gone, after a last flush.
pub fn run(view: &View, jobs: &Receiver<Job>) -> Result<(), Failure> {
    let failed = |error: StoreError| {
        Failure::new(
            "the store cannot be written",
            error,
            "check the disk; 'rollbook node rebuild' makes the store again",
        )
    };
    let (mut dirty, mut flushed) = (false, Instant::now());
    // A receipt comes without the block's rows; it is kept with the next block, or when nothing
    // else comes.
    let mut receipt: Option<StoredReceipt> = None;
    loop {
        if dirty && flushed.elapsed() >= FLUSH_EVERY {
            view.store.flush().map_err(failed)?;
            (dirty, flushed) = (false, Instant::now());
        }
        let job = match jobs.recv_timeout(FLUSH_EVERY) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return view.store.flush().map_err(failed),
        };
        match job {
            Job::Block(block) => {
                let CommittedBlock {
                    execution,
                    certificate,
                } = *block;
                let epoch = view.policies().last().map_or(0, |policy| policy.epoch);
                let mut write = block_write(&execution, certificate, epoch);
                if let Some(receipt) = receipt.take() {
                    write.meta.push((RECEIPT.to_vec(), encode(&receipt)));
                }
                view.store.commit(&write).map_err(failed)?;
                dirty = true;
                if let Some(policy) = execution.next_policy {
                    view.policies
                        .write()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push(policy);
                }
                view.height.send_replace(write.height);
            }
            Job::Receipt(new) => {
                let newer = view
                    .receipt
                    .borrow()
                    .as_ref()
                    .is_none_or(|known| known.height < new.height);
                if newer && new.height <= view.height() {
                    receipt = Some(new.clone());
                    view.receipt.send_replace(Some(new));
                }
            }
        }
    }
}
