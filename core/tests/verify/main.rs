//! Receipts, epochs and state proofs from one hash: `rollbook-proof` judged with the state trees of
//! this crate and of jmt.

#![allow(clippy::unwrap_used, missing_docs)]

mod epochs;
#[path = "../../../tests/src/kept.rs"]
mod kept;
#[path = "../../proof/tests/log/samples.rs"]
mod samples;
mod state;
mod tree;
mod vectors;
