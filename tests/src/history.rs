//! What is written down beside a kept history: where it ended. See `tests/data/history/README.md`.

use rollbook_core::audit::Report;
use rollbook_proof::crypto::{Hash, sha256};
use serde::{Deserialize, Serialize};

/// Where a history ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub genesis: Hash,
    pub blocks: u64,
    pub leaves: u64,
    pub records: u64,
    pub epochs: u32,
    pub time_ms: u64,
    /// Root of the log.
    pub root: Hash,
    pub state_root: Hash,
    /// Of the file.
    pub sha256: Hash,
}

impl Head {
    pub fn of(export: &[u8], report: &Report) -> Head {
        Head {
            genesis: report.genesis.unwrap(),
            blocks: report.blocks,
            leaves: report.leaves,
            records: report.records,
            epochs: report.epochs,
            time_ms: report.time_ms.0,
            root: report.root.unwrap(),
            state_root: report.state_root.unwrap(),
            sha256: sha256(export),
        }
    }
}
