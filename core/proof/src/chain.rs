//! Words of the chain: what a block is called, who vouches for it, and what its leaves are.
//!
//! * [`Seal`]: a block's header, its identity and its last leaf.
//! * [`Certificate`]: a quorum of precommits for one block; [`Evidence`]: two statements that no
//!   honest validator makes both.
//! * [`Leaf`] and [`LeafTag`]: what stands in the log, in clear or as a commitment;
//!   [`Effects`]: which records had no effect. [`HandoverCheckpoint`]: the link between two epochs.
//!
//! Absent on purpose: what is in a block. Its records and their rules need no reader here; a proof
//! speaks of a record's bytes.

mod certificate;
mod effect;
mod handover;
mod leaf;
mod seal;

pub use certificate::{
    Certificate, CertificateError, Evidence, MAX_VALIDATORS, ProposalFacts, SignedProposal,
    SignedVote, Slot, ValidatorKey, Vote, VoteKind, quorum,
};
pub use effect::{EffectRefusal, Effects};
pub use handover::{CheckpointSignature, HandoverCheckpoint, LogSignature};
pub use leaf::{Leaf, LeafTag, RECORD_TAG, ReadClass, RecordLeaf, commitment, record_leaf};
pub use seal::Seal;
