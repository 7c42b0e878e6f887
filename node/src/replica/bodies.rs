//! Bodies of undecided blocks: which are wanted, who holds them, which are here, what was told to
//! the core (RULINGS A19).
//!
//! * A body is fetched once its proposal is verified, or f+1 validators voted for its block: a
//!   single liar's invented ids are never asked for.
//! * Whoever voted for a block holds its body: nobody prevotes before the body is durable. They are
//!   asked in turn.
//! * At most [`MAX_BODIES`] bodies and as many wants a height; all of it is dropped at the
//!   decision.
//! * A body that is valid is durable before the core hears of it. The verdict is about bytes; what
//!   waits for this node's clock is the proposal, not the block (`fresh`).

use std::collections::{BTreeMap, BTreeSet};

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::{ProposalFacts, Seal, quorum};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;

use super::app::{App, BlockVerdict};
use super::catchup::Asked;
use super::context::{Address, Height, Sealed};
use super::host::Todo;
use super::message::Request;
use super::storage::Storage;
use super::{Replica, Timer};

/// Undecided bodies kept at a height (RULINGS A19).
pub(super) const MAX_BODIES: usize = 16;
/// Blocks talked about that are remembered at a height: two proposals of each round that the core
/// looks ahead to, and [`WANTS_EACH`] of each seat.
const MAX_WANTS: usize = 128;
/// Blocks without a proposal that are remembered for one validator that alone voted for them: who
/// invents ids drives out its own.
const WANTS_EACH: usize = 4;
/// Pause before bodies are asked for again.
const RETRY_MS: u64 = 400;

/// What is known about a block that is talked about.
#[derive(Debug, Default)]
struct Want {
    /// First round of a verified proposal, its valid round and proposer.
    proposal: Option<(u32, Option<u32>, OrganisationId)>,
    /// First round of a vote, for blocks whose proposal was lost.
    vote_round: Option<u32>,
    /// Validators that voted for it.
    voters: BTreeSet<OrganisationId>,
    /// Precommits by round.
    precommits: BTreeMap<u32, BTreeSet<OrganisationId>>,
    /// Asked so far in this turn.
    asked: BTreeSet<OrganisationId>,
    in_flight: bool,
}

/// A body that is here.
#[derive(Debug)]
struct Held {
    seal: Seal,
    bytes: Vec<u8>,
    durable: bool,
    /// The ledger's verdict, once asked.
    valid: Option<bool>,
    /// The core knows.
    told: bool,
}

/// Bodies of the height after the tip.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    wants: BTreeMap<Hash, Want>,
    held: BTreeMap<Hash, Held>,
    /// Verdicts read from the log before the body.
    replayed: BTreeMap<Hash, bool>,
    /// Validators of the height.
    seats: usize,
    /// Bodies of the height in the journal.
    pub(super) stored: usize,
    /// A planted fault: what is voted for is forgotten in the order of ids.
    any_forgotten: bool,
}

impl Bodies {
    /// Forgets everything: a new height with so many validators.
    pub(super) fn reset(&mut self, seats: usize, any_forgotten: bool) {
        *self = Bodies {
            seats,
            any_forgotten,
            ..Bodies::default()
        };
    }

    /// Bodies held and blocks remembered, each with the most there can be.
    pub(super) fn filled(&self) -> ((usize, usize), (usize, usize)) {
        ((self.held.len(), MAX_BODIES), (self.wants.len(), MAX_WANTS))
    }

    /// The seal of a held body.
    pub(super) fn seal(&self, block: &Hash) -> Option<&Seal> {
        self.held.get(block).map(|held| &held.seal)
    }

    /// Seal and bytes of a held body.
    pub(super) fn get(&self, block: &Hash) -> Option<(&Seal, &[u8])> {
        self.held
            .get(block)
            .map(|held| (&held.seal, held.bytes.as_slice()))
    }

    /// A proposal was verified.
    pub(super) fn proposed(&mut self, facts: &ProposalFacts, own: bool) {
        if let Some(want) = self.want(&facts.block, None) {
            want.proposal
                .get_or_insert((facts.round, facts.valid_round, facts.validator));
            if !own {
                want.voters.insert(facts.validator);
            }
        }
    }

    /// A vote was verified. True if its block has become worth asking for with it.
    pub(super) fn voted(
        &mut self,
        block: &Hash,
        round: u32,
        validator: OrganisationId,
        precommit: bool,
        own: bool,
    ) -> bool {
        let needed = Self::honest(self.seats);
        let Some(want) = self.want(block, Some(validator)) else {
            return false;
        };
        want.vote_round.get_or_insert(round);
        if precommit {
            want.precommits.entry(round).or_default().insert(validator);
        }
        !own && want.voters.insert(validator) && want.voters.len() == needed
    }

    /// A verdict was read from the log.
    pub(super) fn judged(&mut self, block: &Hash, valid: bool) {
        self.replayed.insert(*block, valid);
        if let Some(held) = self.held.get_mut(block) {
            held.valid = Some(valid);
            held.told = true;
        }
    }

    /// A block for which a quorum precommitted in one round while its body is not here.
    pub(super) fn missing(&self) -> Option<Hash> {
        self.certified()
            .map(|(block, _)| block)
            .find(|block| !self.held.contains_key(block))
    }

    /// Blocks with a quorum of precommits in one round.
    pub(super) fn certified(&self) -> impl Iterator<Item = (Hash, u32)> + '_ {
        let needed = quorum(self.seats);
        self.wants.iter().flat_map(move |(block, want)| {
            want.precommits
                .iter()
                .filter(move |(_, who)| who.len() >= needed)
                .map(|(round, _)| (*block, *round))
        })
    }

    /// Whether the body is here and valid.
    pub(super) fn is_valid(&self, block: &Hash) -> bool {
        self.held
            .get(block)
            .is_some_and(|held| held.valid == Some(true) && held.durable)
    }

    /// When no further body of this height may be stored: the newest valid one that is.
    pub(super) fn full(&self) -> Option<&Seal> {
        let full = self.stored + 1 >= MAX_BODIES;
        let valid = self
            .held
            .values()
            .filter(|held| held.durable && held.valid == Some(true));
        valid
            .filter(|_| full)
            .map(|held| &held.seal)
            .max_by_key(|seal| seal.time_ms)
    }

    /// Whether the body is here and durable.
    pub(super) fn is_held_durable(&self, block: &Hash) -> bool {
        self.held.get(block).is_some_and(|held| held.durable)
    }

    fn honest(seats: usize) -> usize {
        seats.saturating_sub(1) / 3 + 1
    }

    /// The want of a block that a validator voted for, or that was proposed.
    fn want(&mut self, block: &Hash, voter: Option<OrganisationId>) -> Option<&mut Want> {
        if !self.wants.contains_key(block) {
            let alone = |want: &Want, voter: OrganisationId| {
                want.proposal.is_none() && want.voters.len() == 1 && want.voters.contains(&voter)
            };
            // The oldest that it alone voted for goes.
            if let Some(voter) = voter
                && !self.any_forgotten
            {
                let own = self.wants.iter().filter(|(_, want)| alone(want, voter));
                let own: Vec<(Option<u32>, Hash)> =
                    own.map(|(id, want)| (want.vote_round, *id)).collect();
                if own.len() >= WANTS_EACH
                    && let Some((_, oldest)) = own.into_iter().min()
                {
                    self.wants.remove(&oldest);
                }
            }
            if self.wants.len() >= MAX_WANTS {
                // Without a proposal, with the fewest voters, of the oldest round: never the block of
                // an honest quorum, nor a proposal of the present round.
                let worth = |want: &Want| match want.proposal {
                    Some(_) if self.any_forgotten => (false, want.voters.len(), None),
                    Some((round, ..)) => (true, want.voters.len(), Some(round)),
                    None => (false, want.voters.len(), want.vote_round),
                };
                let weakest = self
                    .wants
                    .iter()
                    .min_by_key(|(_, want)| worth(want))
                    .map(|(id, _)| *id)?;
                self.wants.remove(&weakest);
            }
            self.wants.insert(*block, Want::default());
        }
        self.wants.get_mut(block)
    }

    fn worth_asking(&self, want: &Want) -> bool {
        want.proposal.is_some() || want.voters.len() >= Self::honest(self.seats)
    }

    /// Takes a body in; drops the least supported one if there are too many. Returns false if it is
    /// held already.
    pub(super) fn hold(&mut self, block: Hash, seal: Seal, bytes: Vec<u8>, durable: bool) -> bool {
        if let Some(held) = self.held.get_mut(&block) {
            held.durable |= durable;
            return false;
        }
        if self.held.len() >= MAX_BODIES {
            let support = |id: &Hash| self.wants.get(id).map_or(0, |want| want.voters.len());
            if let Some(weakest) = self.held.keys().min_by_key(|id| support(id)).copied() {
                self.held.remove(&weakest);
            }
        }
        let valid = self.replayed.get(&block).copied();
        self.stored += usize::from(durable);
        self.held.insert(
            block,
            Held {
                seal,
                bytes,
                durable,
                valid,
                told: valid.is_some(),
            },
        );
        true
    }

    /// An own block: executed, durable, and told to the core by `Propose`.
    pub(super) fn own(&mut self, block: Hash, seal: Seal, bytes: Vec<u8>) {
        self.hold(block, seal, bytes, true);
        if let Some(held) = self.held.get_mut(&block) {
            (held.valid, held.told, held.durable) = (Some(true), true, true);
        }
    }

    /// Bodies to ask for now: block and whom, each marked as asked.
    fn next_asks(&mut self, me: OrganisationId) -> Vec<(Hash, OrganisationId)> {
        let mut asks = Vec::new();
        let blocks: Vec<Hash> = self.wants.keys().copied().collect();
        for block in blocks {
            let Some(want) = self.wants.get(&block) else {
                continue;
            };
            if self.held.contains_key(&block) || want.in_flight || !self.worth_asking(want) {
                continue;
            }
            let Some(want) = self.wants.get_mut(&block) else {
                continue;
            };
            let proposer = want
                .proposal
                .map(|(_, _, proposer)| proposer)
                .filter(|p| *p != me && !want.asked.contains(p));
            let next = proposer.or_else(|| {
                want.voters
                    .iter()
                    .copied()
                    .find(|v| *v != me && !want.asked.contains(v))
            });
            match next {
                Some(peer) => {
                    want.asked.insert(peer);
                    want.in_flight = true;
                    asks.push((block, peer));
                }
                // Everyone was asked: begin again at the next turn.
                None => want.asked.clear(),
            }
        }
        asks
    }

    fn answered(&mut self, block: &Hash) {
        if let Some(want) = self.wants.get_mut(block) {
            want.in_flight = false;
        }
    }

    fn is_wanting(&self) -> bool {
        self.wants
            .iter()
            .any(|(block, want)| !self.held.contains_key(block) && self.worth_asking(want))
    }

    /// Every body that is here and of which the core has not heard.
    pub(super) fn untold(&self) -> Vec<Hash> {
        self.held
            .iter()
            .filter(|(_, held)| !held.told)
            .map(|(id, _)| *id)
            .collect()
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Asks for missing bodies.
    pub(super) fn fetch_bodies(&mut self) {
        if self.core.is_none() {
            return;
        }
        let height = self.host.height();
        for (block, peer) in self.host.bodies.next_asks(self.host.keys.organisation) {
            self.request(peer.0, Request::Body { block, height }, Asked::Body(block));
        }
        if self.host.bodies.is_wanting() {
            self.host.arm_timer(Timer::Bodies, RETRY_MS);
        }
    }

    /// A body arrived, or did not.
    pub(super) fn body_answer(&mut self, block: Hash, answer: Option<(Seal, Vec<u8>)>) {
        self.host.bodies.answered(&block);
        if self.core.is_none() {
            return;
        }
        if let Some((seal, bytes)) = answer
            && seal.id() == block
            && seal.height == self.host.height()
            && seal.body == sha256(&bytes)
            && self.host.bodies.wants.contains_key(&block)
        {
            self.host.bodies.hold(block, seal, bytes, false);
            self.deliver(block);
        } else {
            // Ask the next one at once; a liar costs one round trip.
            self.fetch_bodies();
        }
    }

    /// Judges a block whose body is here and tells the core; otherwise asks for the body.
    pub(super) fn deliver(&mut self, block: Hash) {
        if self.core.is_none() || self.host.replaying {
            return;
        }
        let host = &mut self.host;
        let Some(held) = host.bodies.held.get_mut(&block) else {
            return self.fetch_bodies();
        };
        if held.told {
            return;
        }
        let Some(want) = host.bodies.wants.get(&block) else {
            return;
        };
        let (round, valid_round, proposer) = match (want.proposal, want.vote_round) {
            (Some(proposal), _) => proposal,
            // The proposal was lost, the votes say that there was one.
            (None, Some(round)) => {
                let Some(proposer) = host.turns.of_round(round) else {
                    return;
                };
                (round, None, proposer)
            }
            (None, None) => return,
        };
        if held.valid.is_none() {
            held.valid = match host.app.execute(&held.bytes, &held.seal) {
                Ok(()) => Some(true),
                Err(BlockVerdict::Invalid(_)) => Some(false),
                Err(BlockVerdict::Fault(why)) => return host.stop(format!("ledger: {why}")),
            };
        }
        let valid = held.valid == Some(true);
        if valid && !held.durable {
            // The last place in the journal is for the block that is decided.
            if host.bodies.stored + 1 >= MAX_BODIES {
                return;
            }
            let result = host
                .storage
                .append_body(&held.seal, &held.bytes)
                .and_then(|()| host.storage.sync_bodies());
            if let Err(fault) = result {
                return host.stop(format!("journal: {fault}"));
            }
            held.durable = true;
            host.bodies.stored += 1;
        }
        held.told = true;
        let value = engine::ProposedValue {
            height: Height(held.seal.height.0),
            round: mc::Round::new(round),
            valid_round: mc::Round::from(valid_round),
            proposer: Address(proposer),
            value: Sealed {
                id: block,
                seal: held.seal.clone(),
            },
            validity: mc::Validity::from_bool(valid),
        };
        let input = engine::Input::ProposedValue(value, mc::ValueOrigin::Consensus);
        host.todo.push_back(Todo::Core(Box::new(input)));
    }

    /// After each input of the core: proposals whose wait is over, bodies to fetch, decisions the
    /// core cannot take because a proposal was lost.
    pub(super) fn after_core(&mut self) {
        let Some(core) = &self.core else { return };
        if self.host.replaying || core.driver.step_is_commit() {
            return;
        }
        self.release_fresh();
        self.leave_soon();
        if self.host.bodies.is_wanting() {
            self.fetch_bodies();
        }
        self.decide_by_votes();
    }

    /// A quorum precommitted a block that is here and valid, and the core has not decided: its
    /// proposal was lost. The votes are a certificate; the block is taken like one fetched from a
    /// peer.
    fn decide_by_votes(&mut self) {
        let Some(core) = &self.core else { return };
        // An input that is still queued may let the core decide by itself.
        if !self.host.todo.is_empty() {
            return;
        }
        let ready = self
            .host
            .bodies
            .certified()
            .find(|(block, _)| self.host.bodies.is_valid(block));
        let Some((block, round)) = ready else { return };
        let votes = core
            .driver
            .restore_precommits(mc::Round::new(round), &block);
        let mut signatures: Vec<_> = votes
            .iter()
            .map(|vote| (vote.message.validator.0, vote.signature))
            .collect();
        signatures.sort_by_key(|(validator, _)| *validator);
        let certificate = rollbook_proof::chain::Certificate {
            height: self.host.height(),
            round,
            block,
            signatures,
        };
        let Some((seal, body)) = self
            .host
            .bodies
            .get(&block)
            .map(|(seal, body)| (seal.clone(), body.to_vec()))
        else {
            return;
        };
        // Fails only if old rounds were pruned; the next poll brings the block then.
        let _ = self.adopt(super::storage::Decided {
            seal,
            certificate,
            body,
        });
    }
}
