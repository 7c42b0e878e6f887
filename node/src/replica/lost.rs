//! How a validator votes at the height at which its lost guard may have signed (RULINGS A41).
//!
//! * It begins in the first round that the lost guard cannot have reached. The rounds before are
//!   passed as if their time were over; nothing is signed in them.
//! * A block that may have been decided at the height is held fast as if the core were locked on it:
//!   for any other block the prevote is nil, until a quorum of prevotes of a later round has been
//!   seen, and then that block is held fast. So it is no matter that the core does not know the lock.
//! * A precommit needs nothing more: the core gives it only for a block with a quorum of prevotes in
//!   the same round, which is later than every lock.

use std::collections::{BTreeMap, BTreeSet};

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types::{NilOrVal, VoteType};
use rollbook_proof::chain::{VoteKind, quorum};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};

use super::context::{CoreVote, Ctx};
use crate::journal::LostGuard;

/// The block that is held fast at one height.
#[derive(Debug)]
pub(super) struct Pin {
    /// The block, and the round of its prevotes.
    lock: (Hash, u32),
    /// Who prevoted what in later rounds.
    prevotes: BTreeMap<(u32, Hash), BTreeSet<OrganisationId>>,
    /// Prevotes that move the lock.
    quorum: usize,
}

impl Pin {
    /// What is held fast at a height with so many validators.
    pub(super) fn at(lost: Option<&LostGuard>, height: Height, seats: usize) -> Option<Pin> {
        let lost = lost.filter(|lost| lost.height == height)?;
        Some(Pin {
            lock: lost.lock?,
            prevotes: BTreeMap::new(),
            quorum: quorum(seats),
        })
    }

    /// A verified input is on its way into the core.
    pub(super) fn heard(&mut self, input: &engine::Input<Ctx>) {
        match input {
            engine::Input::Vote(vote) => {
                let vote = vote.message.statement();
                let Some(block) = vote.block else { return };
                if vote.kind == VoteKind::Prevote && vote.round > self.lock.1 {
                    let voters = self.prevotes.entry((vote.round, block)).or_default();
                    voters.insert(vote.validator);
                    if voters.len() >= self.quorum {
                        self.moves(block, vote.round);
                    }
                }
            }
            engine::Input::PolkaCertificate(polka) => {
                if let Some(round) = polka.round.as_u32() {
                    self.moves(polka.value_id, round);
                }
            }
            _ => {}
        }
    }

    fn moves(&mut self, block: Hash, round: u32) {
        if round > self.lock.1 {
            self.lock = (block, round);
            self.prevotes.retain(|(later, _), _| *later > round);
        }
    }

    /// The vote that is given in place of the core's.
    pub(super) fn judge(&self, vote: CoreVote) -> CoreVote {
        match (vote.kind, vote.value) {
            (VoteType::Prevote, NilOrVal::Val(block)) if block != self.lock.0 => CoreVote {
                value: NilOrVal::Nil,
                ..vote
            },
            _ => vote,
        }
    }
}
