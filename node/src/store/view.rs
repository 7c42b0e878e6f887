//! What readers see of the store: blocks, seals, leaves, policies, receipts, always up to a height
//! that is whole.
//!
//! The names under which the writer keeps what belongs to no table are here, too, so that reading
//! and writing cannot differ.

use std::sync::{Arc, PoisonError, RwLock};

use bincode::{Decode, Encode};
use rollbook_core::block::BlockBody;
use rollbook_core::event::Event;
use rollbook_core::export::BlockFrame;
use rollbook_core::genesis::Genesis;
use rollbook_core::record::Number;
use rollbook_proof::chain::{Effects, HandoverCheckpoint, Leaf, LeafTag, ReadClass, Seal};
use rollbook_proof::codec::{DecodeError, Wire, decode};
use rollbook_proof::crypto::{Hash, sha256_parts};
use rollbook_proof::log::{EpochPolicy, NodeReader};
use rollbook_proof::number::{EpochId, Height};
use tokio::sync::watch;

use super::{Store, StoreError};

/// Name of the newest receipt.
pub(super) const RECEIPT: &[u8] = b"receipt";

/// A checkpoint with a quorum of cosignatures and the height it ends at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StoredReceipt {
    /// Height of the block.
    pub height: Height,
    /// Size, root, the log line of a validator, cosignatures ascending by validator.
    pub checkpoint: HandoverCheckpoint,
}

impl Wire for StoredReceipt {
    const MAX: usize = 16 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[derive(Encode, Decode)]
pub(super) struct Leaves(pub(super) Vec<Vec<u8>>);

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
    height: Arc<watch::Sender<Height>>,
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
        let height = store.tip()?.map_or(Height(0), |tip| tip.height);
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
    pub fn height(&self) -> Height {
        *self.height.borrow()
    }

    /// Tells of new heights.
    pub fn heights(&self) -> watch::Receiver<Height> {
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
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A block can be read; its policy, if it begins an epoch, stands before anybody is told.
    pub(super) fn add(&self, height: Height, policy: Option<EpochPolicy>) {
        self.policies
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(policy);
        self.height.send_replace(height);
    }

    /// Takes a receipt that is newer than the one known, of a block that can be read; true if it
    /// was taken.
    pub(super) fn add_receipt(&self, receipt: &StoredReceipt) -> bool {
        let known = self.receipt.borrow().as_ref().map(|known| known.height);
        let newer = known.is_none_or(|known| known < receipt.height);
        let taken = newer && receipt.height <= self.height();
        if taken {
            self.receipt.send_replace(Some(receipt.clone()));
        }
        taken
    }

    /// The policy under which a checkpoint of this size is cosigned.
    pub fn policy_at(&self, size: u64) -> Option<EpochPolicy> {
        self.policies()
            .into_iter()
            .rev()
            .find(|policy| policy.valid_from_size < size)
    }

    /// The cosigned checkpoint that ended the epoch before `epoch`.
    pub fn handover(&self, epoch: EpochId) -> Result<Option<HandoverCheckpoint>, StoreError> {
        let bytes = self.store.meta(&handover_key(epoch))?;
        Ok(bytes
            .and_then(|bytes| decode::<StoredReceipt>(&bytes).ok())
            .map(|stored| stored.checkpoint))
    }

    /// Seal of a block.
    pub fn seal(&self, height: Height) -> Result<Option<Seal>, StoreError> {
        Ok(self
            .store
            .seal(height)?
            .and_then(|stored| decode(&stored.seal).ok()))
    }

    /// The derived leaves of a block: events, and the policy of a handover; of block 0 every
    /// genesis leaf.
    pub fn derived(&self, height: Height) -> Result<Vec<Vec<u8>>, StoreError> {
        if height == Height(0) {
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

    /// The same with who may read them.
    pub fn derived_leaves(&self, height: Height) -> Result<Vec<Leaf>, StoreError> {
        Ok(self
            .derived(height)?
            .into_iter()
            .map(derived_leaf)
            .collect())
    }

    /// Every leaf of a block, in clear, the seal's last; `None` if it is not in the store.
    pub fn leaves(&self, height: Height) -> Result<Option<Vec<Leaf>>, StoreError> {
        let Some(block) = self.store.block(height)? else {
            return Ok(None);
        };
        let mut leaves = self.derived_leaves(height)?;
        let events = BlockFrame::events_of(leaves.iter().map(|leaf| leaf.clear.as_slice()));
        if height > Height(0) {
            let Ok(body) = decode::<BlockBody>(&block.body) else {
                return Ok(None);
            };
            let after = leaves.split_off(events);
            let evidence = body.system.evidence.iter();
            leaves.extend(evidence.map(|evidence| Leaf::public(evidence.leaf())));
            leaves.extend(body.records.iter().map(|record| record.leaf()));
            leaves.extend(after);
        }
        leaves.push(Leaf::public(LeafTag::Seal.prefix(&block.seal)));
        Ok(Some(leaves))
    }

    /// Height of the block that holds a leaf.
    pub fn height_of_leaf(&self, index: u64) -> Result<Option<Height>, StoreError> {
        let (mut low, mut high) = (0, self.height().0);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(seal) = self.seal(Height(middle))? else {
                return Ok(None);
            };
            if index < seal.checkpoint_size() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(self
            .seal(Height(low))?
            .filter(|seal| index < seal.checkpoint_size())
            .map(|_| Height(low)))
    }
}

impl NodeReader for View {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.store.log_node(level, index).ok().flatten()
    }
}

/// A derived leaf with who may read it; what a node stored itself reads back.
fn derived_leaf(clear: Vec<u8>) -> Leaf {
    // What cannot be read is shown to nobody else.
    let class = match LeafTag::split(&clear) {
        Some((LeafTag::Event, bytes)) => {
            decode::<Event>(bytes).map_or(ReadClass::Members, |event| event.body.read_class())
        }
        Some((LeafTag::Effect, _)) => {
            Effects::read(&clear).map_or(ReadClass::Members, |effects| effects.class)
        }
        _ => ReadClass::Public,
    };
    Leaf { clear, class }
}

pub(super) fn derived_key(height: Height, chunk: u32) -> Vec<u8> {
    let mut key = b"derived".to_vec();
    key.extend_from_slice(&height.0.to_be_bytes());
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

pub(super) fn handover_key(epoch: EpochId) -> Vec<u8> {
    let mut key = b"handover".to_vec();
    key.extend_from_slice(&epoch.0.to_be_bytes());
    key
}

/// What the index keeps for a number of a person in a lane, beside the beginnings of ids.
pub fn number_prefix((person, lane, number): &Number) -> [u8; 16] {
    let lane = [match lane {
        ReadClass::Public => 0,
        ReadClass::Members => 1,
    }];
    let parts: [&[u8]; 4] = [
        b"number",
        &person.0.to_le_bytes(),
        &lane,
        &number.to_le_bytes(),
    ];
    prefix_of(&sha256_parts(&parts))
}

/// First bytes of a record id, as the index keeps them.
pub fn prefix_of(id: &Hash) -> [u8; 16] {
    let mut prefix = [0; 16];
    prefix.copy_from_slice(&id.0[..16]);
    prefix
}
