//! Why the journal stops, in words for the operator.

use std::path::Path;

use crate::disk::{DiskError, DiskErrorKind, DiskOp};
use crate::failure::Failure;

/// Why the journal, and with it the node, stops. Fatal by construction: there is nothing to retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}. Next: {next}")]
pub struct Stop {
    /// What callers tell apart.
    pub kind: StopKind,
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What the operator can safely do.
    pub next: String,
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure {
            what: stop.what,
            why: stop.why,
            next: stop.next,
        }
    }
}

/// The kinds of [`Stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// The disk is full.
    Full,
    /// The disk failed.
    Disk,
    /// Acknowledged bytes are not what they were.
    Damage,
    /// Another process uses the folder.
    Locked,
    /// The folder is of another chain, node or version.
    Foreign,
    /// The caller broke the order of calls. The journal goes on.
    Misuse,
    /// The journal was stopped in order.
    Closed,
}

impl Stop {
    pub(super) fn new(
        kind: StopKind,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Stop {
        Stop {
            kind,
            what: what.into(),
            why: why.into(),
            next: next.into(),
        }
    }

    pub(super) fn damage(path: &Path, offset: u64, why: &str) -> Stop {
        Stop::new(
            StopKind::Damage,
            format!("{} is damaged at byte {offset}", path.display()),
            why,
            "keep a copy of the folder, check the disk, and let this node start again from its \
             peers (rollbook node restore)",
        )
    }

    pub(super) fn disk(what: &str, error: &DiskError) -> Stop {
        let kind = match error.kind {
            DiskErrorKind::Full => StopKind::Full,
            DiskErrorKind::Locked => StopKind::Locked,
            _ => StopKind::Disk,
        };
        let next = match (kind, error.op) {
            (StopKind::Locked, _) => {
                "stop the other process, or give this node a folder of its own"
            }
            // The kernel may show bytes that it failed to write; only a restart of the machine
            // shows what the disk holds.
            (StopKind::Full, DiskOp::Sync) => {
                "free space on that disk, restart the machine (not only the node), then start the \
                 node"
            }
            (_, DiskOp::Sync | DiskOp::SyncDir) => {
                "check the disk, restart the machine (not only the node), then start the node"
            }
            (StopKind::Full, _) => {
                "free space on that disk, then start the node again; nothing acknowledged is lost"
            }
            _ => "check the disk and the permissions of the folder, then start the node again",
        };
        Stop::new(kind, what, error.to_string(), next)
    }

    pub(super) fn misuse(what: impl Into<String>) -> Stop {
        Stop::new(
            StopKind::Misuse,
            what,
            "the calls came in the wrong order",
            "report this as an error of the program",
        )
    }
}
