//! A node as a process, and what its operator does with it: open, run, stop, ask, back up, examine.
//!
//! * One thread owns the replica and waits for its fsyncs ([`crate::replica_thread`]); one thread
//!   writes the store, behind a bounded queue ([`crate::store::writer`]); network and API run on
//!   tokio. Nothing on the path of a decision waits for the store.
//! * Opening ([`open`]) puts the ledger together from the store and the journal. The journal is the
//!   truth: a store that is suspect, damaged, foreign to the journal or deleted is made again from
//!   it.
//! * A fault ends the process with what happened, why, and the next safe action
//!   ([`crate::failure::Failure`]). Nothing is retried in place.
//! * What an operator may do to a node goes through a local socket with file permissions
//!   ([`admin`]), never the public port.
//!
//! Absent on purpose: repair in place, remote control, reading secrets from the environment.

pub mod admin;
pub mod backup;
pub mod doctor;
mod log;
mod machine;
pub mod open;
pub mod process;
pub mod recover;
pub mod storage;
