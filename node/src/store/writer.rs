//! The store's thread: what a committed block leaves behind for readers.
//!
//! Beside the rows of the state it keeps what is in no body (derived leaves), the log's nodes, the
//! record index, the newest receipted checkpoint, and the cosigned checkpoint of every handover.
//! Readers are told of a block once it can be read; how they read it is in [`super::view`].

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rollbook_core::block::BlockBody;
use rollbook_core::export::BlockFrame;
use rollbook_core::genesis::Genesis;
use rollbook_core::ledger::Execution;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::number::{EpochId, Height};

use super::view::{
    Leaves, RECEIPT, StoredReceipt, View, derived_key, handover_key, number_prefix, prefix_of,
};
use super::{BlockWrite, RecordPlace, StoreError, split_body};
use crate::failure::Failure;

/// Bytes of derived leaves in one value.
const DERIVED_CHUNK: usize = 60 * 1024;
/// A flush at least so often while blocks come.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

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
        height: Height(0),
        seal: encode(&opened.seal),
        rows: opened.changes.rows,
        log_nodes: nodes
            .into_iter()
            .map(|(level, index, hash)| ((level, index), hash))
            .collect(),
        leaf_count: opened.seal.checkpoint_size(),
        ..BlockWrite::default()
    })
}

/// The records of a block as they are found again: by their ids, and by their numbers (RULINGS A59).
fn indexed(execution: &Execution, height: Height) -> Vec<([u8; 16], RecordPlace)> {
    let ids = execution.outcomes.iter().map(|(id, _)| prefix_of(id));
    let body = decode::<BlockBody>(&execution.body);
    let records = body.map(|body| body.records).unwrap_or_default();
    let numbers = records
        .iter()
        .map(|record| number_prefix(&record.payload.number()));
    let place = |(index, prefix)| (prefix, (height, index));
    (0u32..)
        .zip(ids)
        .map(place)
        .chain((0u32..).zip(numbers).map(place))
        .collect()
}

/// What one executed block changes in the store.
pub fn block_write(execution: &Execution, certificate: Vec<u8>, epoch: EpochId) -> BlockWrite {
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
                height: height.previous(),
                checkpoint,
            }),
        ));
    }
    BlockWrite {
        height,
        seal: encode(&execution.seal),
        certificate,
        body: split_body(&execution.body),
        rows: execution.changes.rows.clone(),
        log_nodes: execution
            .nodes
            .iter()
            .map(|(level, index, hash)| ((*level, *index), *hash))
            .collect(),
        leaf_count: execution.seal.checkpoint_size(),
        records: indexed(execution, height),
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
            Err(nothing) => {
                if let Some(receipt) = receipt.take() {
                    let value = encode(&receipt);
                    view.store.note(RECEIPT, &value).map_err(failed)?;
                    dirty = true;
                }
                if nothing == RecvTimeoutError::Disconnected {
                    return view.store.flush().map_err(failed);
                }
                continue;
            }
        };
        match job {
            Job::Block(block) => {
                let CommittedBlock {
                    execution,
                    certificate,
                } = *block;
                let epoch = view
                    .policies()
                    .last()
                    .map_or(EpochId(0), |policy| policy.epoch);
                let mut write = block_write(&execution, certificate, epoch);
                if let Some(receipt) = receipt.take() {
                    write.meta.push((RECEIPT.to_vec(), encode(&receipt)));
                }
                view.store.commit(&write).map_err(failed)?;
                dirty = true;
                view.add(write.height, execution.next_policy);
            }
            Job::Receipt(new) => {
                if view.add_receipt(&new) {
                    receipt = Some(new);
                }
            }
        }
    }
}
