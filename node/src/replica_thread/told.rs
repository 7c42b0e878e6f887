//! What the log says of a running node: each block on a quiet chain, one line a minute on a busy one;
//! each peer that comes or goes, once; the clock, when it begins and ceases to be wrong.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rollbook_proof::number::Height;

use crate::network::PeerKey;
use crate::replica::Status;

/// Blocks told one by one in a minute at most; the others of the minute are summed up.
const EACH: u32 = 6;
const MINUTE: Duration = Duration::from_secs(60);
/// Peers remembered; beyond them all are told.
const PEERS: usize = 1_024;

/// What was told, and what is still to be summed up.
#[derive(Debug)]
pub(super) struct Told {
    minute: Instant,
    told: u32,
    /// Blocks and records of this minute that were not told one by one.
    summed: (u64, u64),
    /// When a peer's coming or going was told last, and how often it went untold since.
    peers: BTreeMap<PeerKey, (Instant, u32)>,
    clock_is_wrong: bool,
}

impl Told {
    pub(super) fn new() -> Told {
        Told {
            minute: Instant::now(),
            told: 0,
            summed: (0, 0),
            peers: BTreeMap::new(),
            clock_is_wrong: false,
        }
    }

    /// A block was decided.
    pub(super) fn decided(&mut self, height: Height, records: usize) {
        self.end_minute(height);
        if self.told < EACH {
            self.told += 1;
            tracing::info!("block {}: {records} records", height.0);
        } else {
            self.summed.0 += 1;
            self.summed.1 += records as u64;
        }
    }

    /// Sums up a minute that has passed; `tip` is the newest block.
    pub(super) fn end_minute(&mut self, tip: Height) {
        if self.minute.elapsed() < MINUTE {
            return;
        }
        if let (blocks @ 1.., records) = self.summed {
            let seconds = self.minute.elapsed().as_secs();
            tracing::info!(
                "{blocks} more blocks with {records} records in {seconds} s, the newest is {}",
                tip.0
            );
        }
        (self.minute, self.told, self.summed) = (Instant::now(), 0, (0, 0));
    }

    /// Whether a peer's coming or going is told: once a minute each, so that one that comes and goes
    /// all the time does not fill the log. With how often it was not.
    pub(super) fn peer(&mut self, peer: PeerKey) -> Option<u32> {
        let now = Instant::now();
        if self.peers.len() >= PEERS {
            self.peers.retain(|_, (at, _)| now - *at < MINUTE);
        }
        match self.peers.get_mut(&peer) {
            Some((at, untold)) if now.duration_since(*at) < MINUTE => {
                *untold += 1;
                None
            }
            Some(known) => {
                let untold = known.1;
                *known = (now, 0);
                Some(untold)
            }
            None => {
                if self.peers.len() < PEERS {
                    self.peers.insert(peer, (now, 0));
                }
                Some(0)
            }
        }
    }

    /// The clock, when it begins and ceases to be wrong.
    pub(super) fn clock(&mut self, status: &Status) {
        match (status.clock_warning(), self.clock_is_wrong) {
            (Some(warning), false) => {
                tracing::warn!("{warning}: set the machine's time right (NTP)");
                self.clock_is_wrong = true;
            }
            (None, true) => {
                tracing::info!("this machine's clock fits the times of the blocks again");
                self.clock_is_wrong = false;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that connected and was cut off in a loop filled the log.
    #[test]
    fn a_peer_that_comes_and_goes_is_told_once_a_minute() {
        let (mut told, peer) = (Told::new(), PeerKey([7; 32]));
        assert_eq!(told.peer(peer), Some(0));
        assert_eq!(told.peer(peer), None);
        assert_eq!(told.peer(peer), None);
        if let Some((at, _)) = told.peers.get_mut(&peer) {
            *at -= MINUTE;
        }
        assert_eq!(told.peer(peer), Some(2));
    }

    #[test]
    fn a_busy_minute_is_summed_up() {
        let mut told = Told::new();
        for height in 1..=10 {
            told.decided(Height(height), 5);
        }
        assert_eq!((told.told, told.summed), (EACH, (4, 20)));
        told.minute -= MINUTE;
        told.end_minute(Height(10));
        assert_eq!((told.told, told.summed), (0, (0, 0)));
    }
}
