//! Whose turn it is, and how soon a round that came to nothing is left (RULINGS A56).
//!
//! * The order of the seats at the height after the tip is the ledger's. Everybody asks
//!   [`Host::turn`]; the consensus core picks from [`Seats`](super::context::Seats), which has the
//!   same order.
//! * After a quorum of nil precommits a round decides nothing any more. It is left a moment later:
//!   the whole timeout is for precommits that could still decide.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Vote, VoteKind, quorum};
use rollbook_proof::number::OrganisationId;

use super::Timer;
use super::app::App;
use super::context::turn_of;
use super::host::{Host, PRECOMMIT};
use super::storage::Storage;

/// How long after a quorum of nil precommits round 0 is left, in milliseconds: as long as messages
/// take that are on their way.
const LEAVE_MS: u64 = 200;
/// Rounds ahead of the own one whose votes the core takes.
const AHEAD: u32 = 10;

/// Nil precommits of the height under way.
#[derive(Debug, Default)]
pub(super) struct NilVotes {
    round: u32,
    by: BTreeMap<u32, BTreeSet<OrganisationId>>,
}

impl NilVotes {
    /// The height has entered a round.
    pub(super) fn enter(&mut self, round: u32) {
        self.round = round;
        self.by = self.by.split_off(&round);
    }

    /// Counts a verified vote. Returns whether it is a nil precommit of a round that is not over.
    fn count(&mut self, vote: &Vote) -> bool {
        let counts = vote.block.is_none() && vote.kind == VoteKind::Precommit;
        let near = (self.round..=self.round.saturating_add(AHEAD)).contains(&vote.round);
        if counts && near {
            self.by
                .entry(vote.round)
                .or_default()
                .insert(vote.validator);
        }
        counts && near
    }

    fn of(&self, round: u32) -> usize {
        self.by.get(&round).map_or(0, BTreeSet::len)
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Whose turn it is to propose in a round of the height after the tip.
    pub(super) fn turn(&self, round: u32) -> Option<OrganisationId> {
        turn_of(&self.turns, round)
    }

    /// A verified vote is counted; the round is left soon where it completes a quorum of nil
    /// precommits.
    pub(super) fn nil_precommit(&mut self, vote: &Vote) {
        let timer = Timer::Core(PRECOMMIT, vote.round);
        if self.nil_votes.count(vote)
            && self.timers.contains_key(&timer)
            && let Some(after) = self.leaves_after(vote.round)
        {
            self.hasten_timer(timer, after);
        }
    }

    /// How soon to leave a round of which a quorum precommitted nil; `None` where it did not.
    pub(super) fn leaves_after(&self, round: u32) -> Option<u64> {
        let enough = self.nil_votes.of(round) >= quorum(self.validators.len());
        let step = self.config.timeouts.precommit_delta.as_millis();
        let step = u64::try_from(step).unwrap_or(u64::MAX);
        enough.then(|| LEAVE_MS.saturating_add(step.saturating_mul(u64::from(round))))
    }
}
