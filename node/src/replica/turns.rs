//! Whose turn it is, and how soon a round that came to nothing is left (RULINGS A56).
//!
//! * The order of the seats at the height after the tip is the ledger's ([`Turns`]). Everybody asks
//!   [`Host::turn`]; the consensus core picks from [`Seats`](super::context::Seats), which has the
//!   same order.
//! * After a quorum of nil precommits a round decides nothing any more. It is left a moment later:
//!   the whole timeout is for precommits that could still decide.
//!
//! [`Turns`]: rollbook_core::object::turn::Turns

use arc_malachitebft_core_types as mc;
use rollbook_core::tx::Verify;
use rollbook_proof::number::OrganisationId;

use super::app::App;
use super::host::{Host, PRECOMMIT};
use super::storage::Storage;
use super::{Replica, Timer};

/// How long after a quorum of nil precommits round 0 is left, in milliseconds: as long as messages
/// take that are on their way.
const LEAVE_MS: u64 = 200;

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Whose turn it is to propose in a round of the height after the tip.
    pub(super) fn turn(&self, round: u32) -> Option<OrganisationId> {
        self.turns.of_round(round)
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Leaves the round under way soon if a quorum precommitted nil in it.
    pub(super) fn leave_soon(&mut self) {
        let Some(core) = &self.core else { return };
        let Some(round) = core.round().as_u32() else {
            return;
        };
        let timer = Timer::Core(PRECOMMIT, round);
        let votes = core.driver.votes();
        if self.host.timers.contains_key(&timer)
            && votes.is_threshold_met(&core.round(), mc::VoteType::Precommit, mc::Threshold::Nil)
        {
            let step = self.host.config.timeouts.precommit_delta.as_millis();
            let step = u64::try_from(step).unwrap_or(u64::MAX);
            let after = LEAVE_MS.saturating_add(step.saturating_mul(u64::from(round)));
            self.host.hasten_timer(timer, after);
        }
    }
}
