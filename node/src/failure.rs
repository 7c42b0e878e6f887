//! What a part of a node says when it cannot go on: what happened, why, and the next safe action.
//!
//! The words are for the operator, in one language; the command line translates them. Absent on
//! purpose: codes for programs, and any retry: a failure ends what was being done.

use std::path::Path;

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
