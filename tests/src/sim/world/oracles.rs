//! What must hold: no honest key signs twice, and after the faults everything arrives.

use rollbook_node::replica::message::Frame;
use rollbook_proof::chain::VoteKind;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, OrganisationId};

use super::World;
use crate::sim::ledger::SimLedger;

impl<L: SimLedger> World<L> {
    /// Every signature that leaves an honest node.
    pub(super) fn inspect(&mut self, node: usize, bytes: &[u8]) {
        let own = self.machines[node].organisation;
        if self.plan.twins.contains(&own) || self.liars.contains_key(&node) {
            return;
        }
        let Ok(frame) = decode::<Frame>(bytes) else {
            return self.fail("a frame that does not decode".into());
        };
        let said = match &frame {
            Frame::Vote(signed) => Some((signed.vote.validator, signed.vote.height)),
            Frame::Proposal { proposal, .. } => {
                Some((proposal.facts.validator, proposal.facts.height))
            }
            _ => None,
        };
        if let Some((_, height)) = said.filter(|(who, _)| who.0 == own) {
            let moved = self.machines[node].moved;
            let (least, most) = self.voted.entry((own, moved)).or_insert((height, height));
            (*least, *most) = (height.min(*least), height.max(*most));
        }
        let (slot, value) = match frame {
            Frame::Vote(signed) if signed.vote.validator == OrganisationId(own) => {
                let step = if signed.vote.kind == VoteKind::Prevote {
                    1
                } else {
                    2
                };
                (
                    (own, signed.vote.height, signed.vote.round, step),
                    signed.vote.block,
                )
            }
            Frame::Proposal { proposal, .. } if proposal.facts.validator == OrganisationId(own) => {
                let facts = sha256(&encode(&proposal.facts));
                (
                    (own, proposal.facts.height, proposal.facts.round, 0),
                    Some(facts),
                )
            }
            Frame::Cosign(cosignature) => {
                let known = self
                    .cosigned
                    .entry((own, cosignature.size))
                    .or_insert(cosignature.root);
                if *known != cosignature.root {
                    self.fail(format!(
                        "DOUBLE COSIGNATURE by {own} at size {}",
                        cosignature.size
                    ));
                }
                return;
            }
            _ => return,
        };
        let known = self.signed.entry(slot).or_insert(value);
        if *known != value {
            let known = *known;
            self.fail(format!(
                "DOUBLE SIGNATURE at {slot:?}: {known:?} and {value:?}"
            ));
        }
    }

    /// The latest time that an honest clock has shown by now, an hour off being no honest clock.
    pub(super) fn latest_wall(&mut self) -> u64 {
        const WRONG_MS: u64 = 600_000;
        let clocks = self.machines.iter().enumerate();
        let fastest = clocks
            .filter(|(node, _)| self.greedy != Some(*node))
            .map(|(_, machine)| machine.offset_ms)
            .filter(|offset| offset.unsigned_abs() < WRONG_MS)
            .max();
        let wall = (self.opened_ms + self.now).saturating_add_signed(fastest.unwrap_or(0));
        self.latest_wall = self.latest_wall.max(wall);
        self.latest_wall
    }

    /// Nobody adds to a lead of ledger time that an honest clock does not have, and no block is before
    /// its parent.
    pub(super) fn judge_time(&mut self, height: Height, time_ms: u64) {
        let wall = self.latest_wall();
        if time_ms > wall + self.config.ahead_ms {
            let by = time_ms - wall;
            self.fail(format!(
                "TIME of block {height} is {by} ms ahead of every honest clock"
            ));
        }
        let before = self.times.range(..height).next_back();
        if before.is_some_and(|(_, before)| *before >= time_ms) {
            self.fail(format!(
                "TIME of block {height} is not after the one before"
            ));
        }
        self.times.insert(height, time_ms);
    }

    /// Whether an organisation does what no honest node would.
    fn is_bad(&self, organisation: u32) -> bool {
        let index = self
            .machines
            .iter()
            .position(|m| m.organisation == organisation);
        self.plan.twins.contains(&organisation)
            || index.is_some_and(|index| self.liars.contains_key(&index))
    }

    /// Keys that a seat had sign until the handover and never after it, those that it gets never
    /// before (RULINGS A53).
    fn judge_moves(&mut self) {
        for organisation in self.plan.moves.clone() {
            let replicas = self.machines.iter().filter_map(|m| m.replica.as_ref());
            let newest = replicas.max_by_key(|replica| replica.app().tip().seal.height);
            let since = newest.and_then(|replica| replica.app().votes_from(organisation));
            let voted = |moved| self.voted.get(&(organisation, moved)).copied();
            let (before, after) = (voted(false), voted(true));
            let Some(since) = since.filter(|since| *since > Height(1)) else {
                if let Some((least, _)) = after {
                    return self.fail(format!(
                        "NEW KEYS of {organisation} signed at {least} without a handover"
                    ));
                }
                continue;
            };
            self.mark("seat moved");
            if let Some((_, most)) = before.filter(|(_, most)| *most >= since) {
                return self.fail(format!(
                    "OLD KEYS of {organisation} signed at {most}; those that vote from {since} \
                     are others"
                ));
            }
            match after {
                Some((least, _)) if least < since => {
                    return self.fail(format!(
                        "NEW KEYS of {organisation} signed at {least}, before {since}"
                    ));
                }
                Some(_) => self.mark("new keys vote"),
                None => {}
            }
        }
    }

    /// After the run: everybody is up, agrees, and nothing handed in after the faults is missing.
    pub(super) fn finish(&mut self) {
        self.judge_moves();
        for node in 0..self.machines.len() {
            if self.plan.twins.contains(&self.machines[node].organisation) {
                continue;
            }
            let Some(replica) = &self.machines[node].replica else {
                return self.fail(format!("node {node} is down at the end"));
            };
            let (tip, status) = (replica.app().tip(), replica.status());
            let taken = replica.blocks_taken();
            if let Some(known) = self.decided.get(&tip.seal.height)
                && *known != tip.block
            {
                return self.fail(format!(
                    "FORK: node {node} stands at another block of height {}",
                    tip.seal.height
                ));
            }
            if tip.seal.height.next() < Height(self.outcome.height) {
                let height = self.outcome.height;
                return self.fail(format!(
                    "node {node} is stuck at {} of {height}: {status:?}",
                    tip.seal.height
                ));
            }
            if status.body_missing.is_some() {
                return self.fail(format!("node {node}: {status:?}"));
            }
            let undecided = |id: &Hash, at: u64| {
                !self.decided_records.contains(id)
                    && at + 20_000 < self.plan.end
                    && !L::may_wait(&self.genesis, id)
            };
            let missing = self.handed_in.iter().find(|(id, at)| undecided(id, **at));
            if let Some((id, at)) = missing {
                return self.fail(format!(
                    "record {} of {at} ms is not decided at node {node}: {status:?}",
                    id.short()
                ));
            }
            if self.machines[node].receipted + 2 < tip.seal.height.0 {
                let receipted = self.machines[node].receipted;
                return self.fail(format!(
                    "node {node}: receipted {receipted} of {}: {status:?}",
                    tip.seal.height
                ));
            }
            let accused = replica.app().accused();
            let accusations = accused.len() as u64;
            if let Some((height, who)) = accused.iter().find(|(_, who)| !self.is_bad(who.0)) {
                return self.fail(format!(
                    "honest validator {} was accused at height {height}",
                    who.0
                ));
            }
            *self.outcome.marks.entry("accusation").or_default() += accusations;
            *self.outcome.marks.entry("block fetched").or_default() += taken;
            *self.outcome.marks.entry("file sync").or_default() += self.machines[node].disk.syncs();
            if status.votes_from > Height(1) && status.votes_from < Height(u64::MAX) {
                self.mark("votes from a later height");
            }
        }
    }
}
