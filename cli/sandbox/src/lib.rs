//! What is only a sample: alliances, testnets of them on one machine, the story that is played on
//! one, a load. The demo, the benchmark, `rollbook testnet` and the suites share it.
//!
//! * Every key is derived from a seed ([`keys`]), so an alliance is the same bytes on every machine
//!   and its people sign without key files ([`sign`]). Never for real money: whoever knows the seed
//!   holds every key.
//! * A testnet is real processes on loopback, each in its folder ([`testnet`]). It knows the node
//!   as an operator does: config, admin socket, HTTP.
//! * The story ([`story`]) tells keys and facts; whoever plays it has the sentences.
//! * A load is signed before any clock starts ([`mix`]) and handed in over keep-alive connections
//!   ([`offer`]).
//!
//! Absent on purpose: words of the command line and its printing, drafting from a secretary's
//! files, anything that a real alliance needs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alliance;
pub mod http;
pub mod keys;
pub mod mix;
pub mod offer;
pub mod sign;
pub mod story;
pub mod testnet;
