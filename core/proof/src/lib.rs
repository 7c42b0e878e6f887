//! What an auditor, a member's program or a stranger depends on to check what an
//! alliance says, trusting nothing but its genesis hash.
//!
//! Architecture invariant: no I/O, no clock, no async, no randomness, no floats, no hash-map
//! iteration. Bytes in, verdicts out.
//!
//! From bottom to top: [`mod@number`], [`codec`] and [`crypto`]; [`chain`], the words of blocks; [`log`], the RFC
//! 6962 log and the C2SP formats; [`verify`], receipts and state proofs from one hash; [`mod@file`],
//! proof files; [`answer`], what a node signed to a submission.
//!
//! Absent on purpose: records and rules (the crate `rollbook-core` re-executes them), networking
//! and files (the reader brings the bytes).

#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod answer;
pub mod chain;
pub mod codec;
pub mod crypto;
pub mod file;
pub mod log;
pub mod number;
pub mod verify;
