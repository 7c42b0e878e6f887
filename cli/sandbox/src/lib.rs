//! Alliances that are only samples, and testnets of them on one machine: what the demo, the
//! benchmark, `rollbook testnet` and the suites share.
//!
//! * Every key is derived from a seed ([`keys`]), so an alliance is the same bytes on every machine
//!   and its people sign without key files ([`sign`]). Never for real money: whoever knows the seed holds
//!   every key.
//! * A testnet is real processes on loopback, each in its folder ([`testnet`]); it knows the node
//!   as an operator does: config, admin socket, HTTP.
//!
//! Absent on purpose: words of the command line and its printing, drafting from a secretary's
//! files, anything that a real alliance needs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alliance;
pub mod http;
pub mod keys;
pub mod sign;
pub mod testnet;
