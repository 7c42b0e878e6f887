//! The thread that owns the replica: a channel in, effects out.
//!
//! * Everything reaches the replica as a [`command::Command`] through one bounded channel; gossip
//!   is dropped when it is full, answers wait for room. Several commands are taken at once, so
//!   that all cores decode them (`arrival`) and verify their signatures (`memo`).
//! * Effects go straight to the network's queue; nothing here waits but the journal's fsyncs and a
//!   store far behind. The store's queue is bounded: a store that is 256 blocks behind holds the
//!   node back instead of filling its memory.
//! * Peers are organisation numbers ([`peers`]); keys come from the table of nodes.
//! * Questions about the ledger at its tip are answered here ([`questions`]), because nobody else
//!   holds it. Who asks, and in which words the answer is given, is unknown here.
//! * A stop of the replica and a panic in it are one thing: the process ends with the message.
//!
//! Absent on purpose: decisions of consensus (the replica), the API, opening and closing of files.

pub mod app;
mod arrival;
pub mod command;
pub mod keyring;
mod memo;
pub mod peers;
pub mod questions;
pub mod run;
pub mod snapshot;
mod told;
