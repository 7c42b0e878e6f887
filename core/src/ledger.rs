//! Blocks, seals, certificates, and `apply`: the single entry point from a state and a block to a
//! state or a reason.

mod block;
mod certificate;
pub mod chain;
mod engine;
mod seal;

pub use block::{
    BODY_MAX_BYTES, BODY_MAX_RECORDS, BODY_MAX_SIGNATURES, BlockBody, CheckpointSignature,
    HandoverCheckpoint, LeafTag, SystemSection,
};
pub use certificate::{
    Certificate, CertificateError, Evidence, MAX_VALIDATORS, ProposalFacts, SignedProposal,
    SignedVote, ValidatorKey, Vote, VoteKind, quorum,
};
pub use engine::{Admitted, BlockError, Built, Committed, Execution, Ledger, Tip, UnknownProtocol};
pub use seal::Seal;
