//! What a validator asks before its first vote (RULINGS A8).
//!
//! It asks the others for the newest signature of its own that they hold and for the height they
//! work on, each height m proved by the certificate of m-1, and needs answers from 2f of them. If
//! any answer shows a signature above the guard, or guard, key or disk is new or restored, it votes
//! only from M+2, M being the highest proved height: had it ever voted at h, a quorum precommitted
//! h-1, so one of 2f answers shows M >= h-1. Until then it follows without signing.
//!
//! While it waits it catches up; a proof it cannot judge yet (validators have changed since its
//! tip) is asked for again later.

use std::collections::BTreeMap;

use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Certificate, ValidatorKey};
use rollbook_proof::number::{Height, OrganisationId};

use crate::planted::planted;

use super::app::App;
use super::catchup::Asked;
use super::host::{Todo, slot_of};
use super::message::{Request, SignedStatement};
use super::storage::Storage;
use super::{Replica, Timer};

/// Pause between rounds of questions.
const ASK_MS: u64 = 700;

/// State of the question.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Of the guard at the start; 0 if it is new.
    floor: Height,
    asking: bool,
    /// `Some` once answered: the first height it votes at.
    from: Option<Height>,
    /// Proved heights by validator.
    answers: BTreeMap<OrganisationId, Height>,
    waiting: BTreeMap<OrganisationId, ()>,
    /// An answer showed a signature above the guard.
    above: bool,
}

impl Recovery {
    pub(super) fn new(floor: Height) -> Self {
        Recovery {
            floor,
            asking: false,
            from: None,
            answers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            above: false,
        }
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asking
    }

    pub(super) fn votes_from(&self) -> Height {
        self.from.unwrap_or(Height(u64::MAX))
    }

    pub(super) fn may_vote(&self, height: Height) -> bool {
        self.from.is_some_and(|from| height >= from)
    }

    pub(super) fn is_cleared(&self) -> bool {
        self.from.is_some()
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Begins to ask, if this node has a seat and has not been answered yet.
    pub(super) fn begin_recovery(&mut self) {
        let host = &mut self.host;
        if host.recovery.is_cleared() || host.seat().is_none() {
            host.recovery.asking = false;
            return;
        }
        if planted!(host.config, AskSkipped) {
            host.recovery.from = Some(Height(0));
            if host.recovery.floor == Height(0) {
                let result = host.storage.raise(Height(1));
                host.ok(result);
            }
            return;
        }
        host.recovery.asking = true;
        self.judge_answers();
        if self.host.recovery.asking {
            self.host.arm_timer(Timer::Ask, 0);
        }
    }

    /// Asks every other validator that has not answered.
    pub(super) fn ask(&mut self) {
        if !self.host.recovery.asking {
            return;
        }
        let me = self.host.keys.organisation;
        let others: Vec<OrganisationId> = self
            .host
            .validators
            .iter()
            .map(|v| v.organisation)
            .filter(|v| *v != me)
            .collect();
        for other in others {
            let known = self.host.recovery.answers.contains_key(&other)
                || self.host.recovery.waiting.contains_key(&other);
            if !known && self.request(other.0, Request::Newest { validator: me }, Asked::Newest) {
                self.host.recovery.waiting.insert(other, ());
            }
        }
        self.host.set_timer(Timer::Ask, ASK_MS);
    }

    /// One answer, or none.
    pub(super) fn newest_answer(
        &mut self,
        from: u32,
        answer: Option<(Height, Option<Certificate>, Option<SignedStatement>)>,
    ) {
        let host = &mut self.host;
        host.recovery.waiting.remove(&OrganisationId(from));
        let Some((height, proof, statement)) = answer else {
            return;
        };
        if !host.recovery.asking
            || !host
                .validators
                .iter()
                .any(|v| v.organisation == OrganisationId(from))
        {
            return;
        }
        // A height up to the own one needs no proof; a higher one does.
        if height > host.height() {
            let keys: Vec<ValidatorKey> = host.validators.iter().map(|v| v.key()).collect();
            let proved = proof.is_some_and(|c| {
                height == c.height.next()
                    && c.verify(&host.chain, c.height, &c.block, &keys).is_ok()
            });
            if !proved {
                return;
            }
        }
        if let Some(statement) = statement {
            let key = host.keys.consensus();
            let (owner, genuine) = match &statement {
                SignedStatement::Vote(s) => (
                    s.vote.validator,
                    key.verify(&s.vote.sign_bytes(&host.chain), &s.signature)
                        .is_ok(),
                ),
                SignedStatement::Proposal(s) => (
                    s.facts.validator,
                    key.verify(&s.facts.sign_bytes(&host.chain), &s.signature)
                        .is_ok(),
                ),
            };
            if genuine
                && owner == host.keys.organisation
                && slot_of(&statement) > host.storage.high_water()
            {
                host.recovery.above = true;
            }
        }
        host.recovery.answers.insert(OrganisationId(from), height);
        self.judge_answers();
    }

    fn judge_answers(&mut self) {
        let host = &mut self.host;
        let seats: Vec<OrganisationId> = host.validators.iter().map(|v| v.organisation).collect();
        let needed = 2 * (seats.len().saturating_sub(1) / 3);
        let proved: Vec<Height> = host
            .recovery
            .answers
            .iter()
            .filter(|(v, _)| seats.contains(v))
            .map(|(_, h)| *h)
            .collect();
        if proved.len() < needed {
            return;
        }
        let highest = proved
            .into_iter()
            .max()
            .unwrap_or(Height(0))
            .max(host.height());
        let doubt = host.recovery.floor == Height(0) || host.recovery.above;
        let from = if doubt {
            highest.plus(2)
        } else {
            host.recovery.floor
        };
        // Written down before it is acted on: a next life finds a guard that is no longer new.
        let result = host.storage.raise(from.max(Height(1)));
        if host.ok(result).is_none() {
            return;
        }
        host.recovery.from = Some(from);
        host.recovery.asking = false;
        host.timers.remove(&Timer::Ask);
        host.todo.push_back(Todo::Look);
    }
}
