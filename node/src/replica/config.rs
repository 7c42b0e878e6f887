//! Settings of a replica. None of them decides validity: two nodes may differ in all and still
//! agree on every block.

use std::time::Duration;

use arc_malachitebft_core_types::LinearTimeouts;

use super::mempool::PoolLimits;

/// Settings.
#[derive(Debug, Clone)]
pub struct ReplicaConfig {
    /// Propose, prevote, precommit and rebroadcast timeouts.
    pub timeouts: LinearTimeouts,
    /// Longest time without a block, in milliseconds of ledger time (RULINGS A10).
    pub heartbeat_ms: u64,
    /// How much longer than the round-0 proposer the others wait before they start a height for a
    /// deadline or a heartbeat, so that a small difference of clocks costs no round. Larger than
    /// the sum of the clock bounds.
    pub idle_grace_ms: u64,
    /// How far ahead of the own clock a fresh proposal's time may lie (RULINGS A9).
    pub ahead_ms: u64,
    /// How far behind.
    pub behind_ms: u64,
    /// Pause between questions for a tip while a height is under way.
    pub poll_ms: u64,
    /// The same while idle.
    pub poll_idle_ms: u64,
    /// Least time between two checkpoint cosignatures (RULINGS A11).
    pub cosign_ms: u64,
    /// Pause before an own cosignature is sent again while a quorum is missing.
    pub cosign_again_ms: u64,
    /// Pause between cosignatures of an unchanged checkpoint.
    pub cosign_idle_ms: u64,
    /// How long records are collected before they are gossiped.
    pub gossip_ms: u64,
    /// Pool bounds.
    pub pool: PoolLimits,
    /// Faults that are put in on purpose.
    #[cfg(feature = "planted")]
    pub planted: Vec<crate::planted::Planted>,
}

impl Default for ReplicaConfig {
    fn default() -> Self {
        ReplicaConfig {
            timeouts: LinearTimeouts {
                propose: Duration::from_millis(3_000),
                propose_delta: Duration::from_millis(500),
                prevote: Duration::from_millis(1_000),
                prevote_delta: Duration::from_millis(500),
                precommit: Duration::from_millis(1_000),
                precommit_delta: Duration::from_millis(500),
                rebroadcast: Duration::from_millis(5_000),
                max_timeout: Duration::from_secs(60),
            },
            heartbeat_ms: 60 * 60 * 1_000,
            idle_grace_ms: 60_000,
            ahead_ms: 10_000,
            behind_ms: 30_000,
            poll_ms: 2_000,
            poll_idle_ms: 30_000,
            cosign_ms: 100,
            cosign_again_ms: 1_000,
            cosign_idle_ms: 60 * 60 * 1_000,
            gossip_ms: 10,
            pool: PoolLimits::default(),
            #[cfg(feature = "planted")]
            planted: Vec::new(),
        }
    }
}
