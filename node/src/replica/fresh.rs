//! Fresh proposals and the own clock (RULINGS A9, A37).
//!
//! * A proposal is fresh if it names no valid round. What is withheld for its time is this message,
//!   not the block: a block may have been proposed before, in whatever round, and the core pairs
//!   blocks and proposals across rounds. So each fresh proposal waits until its own round has begun,
//!   and one whose time is out of bounds until that round's propose timeout. This node prevotes nil
//!   then; it never calls the block invalid, and never blocks one that others locked.
//! * Out of bounds is later than the own clock allows, unless it is the least time after the
//!   parent's; or earlier than the own clock allows. So one block never adds to a lead that another
//!   made.
//! * A message is held only after its signature was checked, two a round as in the core, and no
//!   further ahead than the core takes them.

use std::collections::{BTreeMap, BTreeSet};

use arc_malachitebft_core_consensus as engine;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::ProposalFacts;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::planted::planted;

use super::Replica;
use super::app::App;
use super::context::{CoreProposal, Ctx};
use super::host::{Host, Todo};
use super::storage::Storage;

type Signed = arc_malachitebft_core_types::SignedProposal<Ctx>;

/// Proposals held of one round.
const PER_ROUND: usize = 2;
/// Rounds ahead of the present one of which proposals are held: what the core looks ahead.
pub(super) const ROUNDS: u32 = engine::MAX_FUTURE_ROUND_LOOKAHEAD;

/// Fresh proposals that wait.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    held: BTreeMap<u32, Vec<Signed>>,
    /// Blocks of the height whose time did not fit when their round was there.
    misfits: BTreeSet<Hash>,
}

impl Fresh {
    /// A new height.
    pub(super) fn reset(&mut self) {
        *self = Fresh::default();
    }

    /// Proposals held, and the most there can be.
    pub(super) fn filled(&self) -> (usize, usize) {
        let held = self.held.values().map(Vec::len).sum();
        (held, PER_ROUND * (ROUNDS as usize + 1))
    }

    /// Whether the time of this block did not fit the own clock.
    pub(super) fn is_misfit(&self, block: &Hash) -> bool {
        self.misfits.contains(block)
    }

    /// Holds a proposal; false if its round has as many as are kept, or it is held already.
    fn hold(&mut self, round: u32, signed: Signed) -> bool {
        let held = self.held.entry(round).or_default();
        let room = held.len() < PER_ROUND && !held.contains(&signed);
        if room {
            held.push(signed);
        }
        room
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Round under way, and whether its propose step is.
    fn propose_step(&self) -> Option<(u32, bool)> {
        let core = self.core.as_ref()?;
        Some((core.round().as_u32()?, core.driver.step_is_propose()))
    }

    /// Whether this input is a fresh proposal that waits, or has no place among those that do. It
    /// is kept, and given to the core by [`Replica::release_fresh`].
    pub(super) fn holds_back(&mut self, input: &engine::Input<Ctx>) -> bool {
        let engine::Input::Proposal(signed) = input else {
            return false;
        };
        let Some((now, proposing)) = self.propose_step() else {
            return false;
        };
        let host = &mut self.host;
        let facts = signed.message.statement();
        let over = facts.round < now || (facts.round == now && !proposing);
        if facts.valid_round.is_some()
            || facts.height != host.height()
            || over
            || facts.round > now.saturating_add(ROUNDS)
            || planted!(host.config, AnyTime)
        {
            return false;
        }
        let time = signed.message.value.seal.time_ms;
        if facts.round == now && host.fits(time) {
            return false;
        }
        if host.is_genuine(signed, &facts) && host.fresh.hold(facts.round, signed.clone()) {
            if facts.round == now {
                host.misfit(facts.block, time);
            }
            // The body may come meanwhile: the others may decide.
            host.bodies.proposed(&facts, false);
            host.todo.push_back(Todo::Deliver(facts.block));
        }
        true
    }

    /// Gives the core what need not wait any more.
    pub(super) fn release_fresh(&mut self) {
        let Some((now, proposing)) = self.propose_step() else {
            return;
        };
        let host = &mut self.host;
        let later = host.fresh.held.split_off(&now.saturating_add(1));
        let mut due = std::mem::replace(&mut host.fresh.held, later);
        if proposing && let Some(present) = due.remove(&now) {
            let (fit, wait): (Vec<Signed>, Vec<Signed>) = present
                .into_iter()
                .partition(|signed| host.fits(signed.message.value.seal.time_ms));
            for signed in &wait {
                host.misfit(signed.message.value.id, signed.message.value.seal.time_ms);
            }
            if !wait.is_empty() {
                host.fresh.held.insert(now, wait);
            }
            due.insert(now, fit);
        }
        for signed in due.into_values().flatten() {
            let input = engine::Input::Proposal(signed);
            host.todo.push_back(Todo::Core(Box::new(input)));
        }
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Whether a block of this time lies within the bounds of the own clock.
    pub(super) fn fits(&self, time: LedgerTime) -> bool {
        let wall = self.now.wall_ms;
        let latest = wall.saturating_add(self.config.ahead_ms);
        let least = self.tip.seal.time_ms.plus_ms(1);
        time <= LedgerTime(latest).max(least)
            && time.0 >= wall.saturating_sub(self.config.behind_ms)
    }

    fn misfit(&mut self, block: Hash, time: LedgerTime) {
        if self.fresh.misfits.insert(block) {
            self.out_of_bounds = self.out_of_bounds.saturating_add(1);
            let off = i128::from(self.now.wall_ms) - i128::from(time.0);
            self.clock_off_ms = off.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        }
    }

    /// A proposal came whose time was just made by its proposer's clock.
    pub(super) fn saw_clock(&mut self, proposer: OrganisationId, time: LedgerTime) {
        // The least time after the parent's says nothing of a clock.
        if time > self.tip.seal.time_ms.plus_ms(1) {
            let off = i128::from(self.now.wall_ms) - i128::from(time.0);
            let off = off.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            self.clocks.insert(proposer, off);
        }
        let seats = &self.validators;
        self.clocks
            .retain(|who, _| seats.iter().any(|v| v.organisation == *who));
    }

    /// How far the own clock is off all others, in milliseconds; above zero it is ahead. More than f
    /// others must be known, and all of them differ to the same side: the least difference counts.
    pub(super) fn clock_seen_ms(&self) -> i64 {
        let faulty = self.validators.len().saturating_sub(1) / 3;
        let offs = self.clocks.values().copied();
        if self.clocks.len() <= faulty {
            return 0;
        }
        let (least, most) = (offs.clone().min(), offs.max());
        match (least, most) {
            (Some(least @ 1..), _) => least,
            (_, Some(most @ ..=-1)) => most,
            _ => 0,
        }
    }

    /// Whether the proposer of its round signed it.
    fn is_genuine(&mut self, signed: &Signed, facts: &ProposalFacts) -> bool {
        let Some(key) = self.key_of(facts.validator) else {
            return false;
        };
        CoreProposal::of(facts, signed.message.value.seal.clone()).is_some()
            && self.turn(facts.round) == Some(facts.validator)
            && self.verify_proposal(facts, &key, &signed.signature)
    }
}
