//! Blocks, seals, certificates, and `apply`: the single entry point from a state and a block to a
//! state or a reason.

mod block;
pub mod chain;
mod engine;

pub use block::{BODY_MAX_BYTES, BODY_MAX_RECORDS, BODY_MAX_SIGNATURES, BlockBody, SystemSection};
pub use engine::{Admitted, BlockError, Built, Committed, Execution, Ledger, Tip, UnknownProtocol};
