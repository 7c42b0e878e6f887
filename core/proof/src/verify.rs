//! What an auditor depends on: receipts judged from one hash, and statements about the state.
//!
//! * [`EpochChain`]: from the genesis hash to every later validator set, and from there to any leaf
//!   (RULINGS A2, A3).
//! * [`verify_state`]: a key has a value, or has none, under a state root; the root stands in a
//!   seal, the seal is a leaf.
//!
//! Everything here works offline on bytes and trusts nothing but the genesis hash. What it cannot
//! show: WHEN something was signed beyond the signers' own clocks, and that keys of past epochs
//! were not gathered later; for that, witnesses, external timestamps and kept checkpoints exist.

mod epochs;
mod state;

pub use epochs::{
    EpochChain, EpochError, Head, Receipt, ReceiptRefusal, SealReceipt, StateReceipt,
};
pub use state::{
    EMPTY_SUBTREE, FORK_PREFIX, LEAF_PREFIX, PROVED_VALUE_MAX, STATE_PROOF_MAX_BYTES, StateRefusal,
    encode_state_proof, state_spec, verify_state,
};
