//! The shell around the replica: files, threads, timers, signals. Everything that decides is
//! elsewhere.
//!
//! * One thread owns the replica and waits for its fsyncs ([`node`]); one thread writes the store,
//!   behind a bounded queue ([`writer`]); network and API run on tokio. Nothing on the path of a
//!   decision waits for the store.
//! * Opening ([`open`]) puts the ledger together from the store and the journal. The journal is the
//!   truth: a store that is suspect, damaged, foreign to the journal or deleted is made again from
//!   it.
//! * A fault ends the process with what happened, why, and the next safe action ([`Failure`]).
//!   Nothing is retried in place.
//! * What an operator may do to a node goes through a local socket with file permissions
//!   ([`admin`]), never the public port.
//!
//! Absent on purpose: repair in place, remote control, reading secrets from the environment.

use std::path::Path;

pub mod admin;
pub mod backup;
pub mod chain;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod http;
pub mod node;
pub mod open;
pub mod process;
pub mod sample;
pub mod storage;
pub mod testnet;
pub mod writer;

/// Why a node does not start or has stopped, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}. Next: {next}")]
pub struct Failure {
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What can safely be done.
    pub next: String,
}

impl Failure {
    /// All three parts.
    pub fn new(
        what: impl Into<String>,
        why: impl std::fmt::Display,
        next: impl Into<String>,
    ) -> Failure {
        Failure {
            what: what.into(),
            why: why.to_string(),
            next: next.into(),
        }
    }

    /// A file that could not be read or written.
    pub fn file(
        what: &str,
        path: &Path,
        error: impl std::fmt::Display,
        next: impl Into<String>,
    ) -> Failure {
        Failure::new(format!("{what} {}", path.display()), error, next)
    }
}

impl From<crate::journal::Stop> for Failure {
    fn from(stop: crate::journal::Stop) -> Failure {
        Failure {
            what: stop.what,
            why: stop.why,
            next: stop.next,
        }
    }
}
