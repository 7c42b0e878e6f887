//! What a validator asks before its first vote (RULINGS A8, A41).
//!
//! * It asks the others for the newest signature of its own that they hold and for the height they
//!   work on, each height m proved by the certificate of m-1. It needs answers from 2f of the
//!   validators of the height that it would vote at; where f is 0, from all of them. Until its own
//!   tip has reached every height that was answered, it goes on asking and follows without signing.
//! * A node is in doubt if its guard, key or disk is new or restored, or if an answer shows a
//!   signature above the guard. Then it votes only from M+2, M being the highest height answered:
//!   had it ever voted at h, a quorum precommitted h-1, so one of 2f answers shows M >= h-1.
//! * That argument needs the validators of h-1. So answers are thrown away at each handover that is
//!   passed before the node has signed anything; the doubt is not.
//! * At height 0 nobody can be further. The node votes at once when every other validator of policy
//!   0 has said, signed, that it is at height 0 and holds no signature of this node.
//! * What no answer ends, the word of those who kept their disks does ([`super::kept`]).
//! * While it waits for M+2 it asks the others for blocks, for on a quiet chain none come.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Certificate, ValidatorKey};
use rollbook_proof::crypto::Signature;
use rollbook_proof::number::{Height, OrganisationId};

use crate::planted::planted;

use super::app::App;
use super::catchup::Asked;
use super::host::{Host, Todo, slot_of};
use super::message::{Request, SignedStatement, newest_bytes};
use super::storage::Storage;
use super::{Replica, Timer};

/// Pause between rounds of questions.
const ASK_MS: u64 = 700;
/// Pause between two requests for a block.
const WAKE_MS: u64 = 2_500;
/// Least time between the tip and a height begun for a validator in doubt.
const WAKE_PAUSE_MS: u64 = 2_000;
/// Heights begun for one validator in an hour.
const WAKES: u32 = 3;
/// That hour.
const WAKES_MS: u64 = 3_600_000;

/// An answer to the question.
pub(super) struct Newest {
    /// Height it works on.
    pub(super) height: Height,
    /// Certificate of the height before.
    pub(super) proof: Option<Certificate>,
    /// Newest statement of this node that it holds.
    pub(super) statement: Option<SignedStatement>,
    /// By its log key.
    pub(super) signature: Option<Signature>,
}

/// What counts of an answer.
#[derive(Debug, Clone, Copy)]
struct Counted {
    height: Height,
    /// It says, signed, that it works on height 1 and holds no statement of this node.
    clean: bool,
}

/// State of the question.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Of the guard at the start; 0 if it is new.
    floor: Height,
    asking: bool,
    /// `Some` once answered: the first height it votes at.
    from: Option<Height>,
    answers: BTreeMap<OrganisationId, Counted>,
    waiting: BTreeSet<OrganisationId>,
    /// An answer showed a signature above the guard.
    above: bool,
    /// It has signed a statement of consensus in this life.
    signed: bool,
}

impl Recovery {
    pub(super) fn new(floor: Height) -> Self {
        Recovery {
            floor,
            asking: false,
            from: None,
            answers: BTreeMap::new(),
            waiting: BTreeSet::new(),
            above: false,
            signed: false,
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

    /// Whether what this node may have signed is unknown.
    fn is_in_doubt(&self) -> bool {
        self.floor == Height(0) || self.above
    }

    /// A statement of consensus was signed.
    pub(super) fn has_signed(&mut self) {
        self.signed = true;
    }

    /// A handover was passed: the validators who answered are not those of the heights that follow.
    pub(super) fn passed_handover(&mut self) {
        self.answers.clear();
        if self.is_in_doubt() && !self.signed {
            self.from = None;
        }
    }

    /// A statement of `height` under the own key was made elsewhere. The height from which this node
    /// votes now, if it is another.
    pub(super) fn distrust(&mut self, height: Height) -> Option<Height> {
        let from = height.plus(2);
        let later = self.from.is_some_and(|known| known < from);
        later.then(|| {
            self.from = Some(from);
            from
        })
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// Begins to ask, if this node has a seat and has not been answered yet.
    pub(super) fn begin_recovery(&mut self) {
        let host = &mut self.host;
        if host.seat().is_none() {
            host.recovery.asking = false;
            return;
        }
        if let Some(from) = host.recovery.from {
            host.recovery.asking = false;
            if host.height() < from {
                return host.arm_timer(Timer::Ask, 0);
            }
            // The doubt is over. Written down before the first vote: a next life finds a guard that
            // is no longer new.
            if host.storage.floor() == Height(0) {
                let result = host.storage.raise(from.max(Height(1)));
                host.ok(result);
            }
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
        host.judge_answers();
        if self.host.recovery.asking {
            self.host.arm_timer(Timer::Ask, 0);
        }
    }

    /// Asks every other validator that has not answered; one that is answered and waits for its
    /// height asks for blocks.
    pub(super) fn ask(&mut self) {
        let me = self.host.keys.organisation;
        let seats = self.host.validators.iter().map(|v| v.organisation);
        let others: Vec<OrganisationId> = seats.filter(|v| *v != me).collect();
        if !self.host.recovery.asking {
            let waits = self
                .host
                .recovery
                .from
                .filter(|from| self.host.seat().is_some() && self.host.height() < *from);
            if let Some(votes_from) = waits {
                for other in others {
                    self.request(other.0, Request::Wake { votes_from }, Asked::Wake);
                }
                self.host.set_timer(Timer::Ask, WAKE_MS);
            }
            return;
        }
        for other in others {
            let recovery = &self.host.recovery;
            let known = recovery.answers.contains_key(&other) || recovery.waiting.contains(&other);
            if !known && self.request(other.0, Request::Newest { validator: me }, Asked::Newest) {
                self.host.recovery.waiting.insert(other);
            }
        }
        self.host.set_timer(Timer::Ask, ASK_MS);
    }

    /// One answer, or none.
    pub(super) fn newest_answer(&mut self, from: u32, answer: Option<Newest>) {
        let host = &mut self.host;
        let from = OrganisationId(from);
        host.recovery.waiting.remove(&from);
        let seat = host.validators.iter().find(|v| v.organisation == from);
        let (Some(answer), Some(seat), true) = (answer, seat, host.recovery.asking) else {
            return;
        };
        let log = seat.log;
        let height = answer.height;
        // A height up to the own one needs no proof; a higher one does.
        if height > host.height() {
            let keys: Vec<ValidatorKey> = host.validators.iter().map(|v| v.key()).collect();
            let proved = answer.proof.is_some_and(|c| {
                height == c.height.next()
                    && c.verify(&host.chain, c.height, &c.block, &keys).is_ok()
            });
            if !proved {
                return;
            }
        }
        let me = host.keys.organisation;
        let message = newest_bytes(&host.chain, me, height, &answer.statement);
        let clean = height == Height(1)
            && (answer.statement.is_none() || planted!(host.config, StatementIgnored))
            && answer
                .signature
                .is_some_and(|signature| host.verify.verify(&log, &message, &signature));
        if let Some(statement) = answer.statement
            && host.is_own(&statement)
            && slot_of(&statement) > host.storage.high_water()
            && !host.may_be_lost(slot_of(&statement))
        {
            host.recovery.above = true;
        }
        host.recovery
            .answers
            .insert(from, Counted { height, clean });
        host.judge_answers();
        if !host.recovery.asking {
            self.begin_recovery();
        }
    }

    /// A validator in doubt asks for the height after the tip, so that it may vote again. Heights
    /// are begun for it seldom (RULINGS A43).
    pub(super) fn woken(&mut self, who: OrganisationId, votes_from: Height) {
        let host = &mut self.host;
        let (now, height) = (host.now.elapsed_ms, host.height());
        let seated = host.validators.iter().any(|v| v.organisation == who);
        if !seated || votes_from <= height || votes_from > height.plus(2) {
            return;
        }
        host.restored.insert(who, votes_from);
        let early = now < host.committed_at.saturating_add(WAKE_PAUSE_MS);
        let busy = early || host.woken || self.core.is_some();
        if busy || planted!(host.config, NeverWoken) {
            return;
        }
        let (since, count) = host.wakes.get(&who).copied().unwrap_or((now, 0));
        let (since, count) = if now.saturating_sub(since) >= WAKES_MS {
            (now, 0)
        } else {
            (since, count)
        };
        if count < WAKES {
            host.wakes.insert(who, (since, count + 1));
            host.woken = true;
            host.todo.push_back(Todo::Look);
        }
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Whether this node's consensus key signed it.
    fn is_own(&self, statement: &SignedStatement) -> bool {
        let key = self.keys.consensus();
        let (owner, bytes, signature) = match statement {
            SignedStatement::Vote(s) => (
                s.vote.validator,
                s.vote.sign_bytes(&self.chain),
                &s.signature,
            ),
            SignedStatement::Proposal(s) => (
                s.facts.validator,
                s.facts.sign_bytes(&self.chain),
                &s.signature,
            ),
        };
        owner == self.keys.organisation && key.verify(&bytes, signature).is_ok()
    }

    /// Whether enough has been answered, and what follows.
    fn judge_answers(&mut self) {
        let me = self.keys.organisation;
        let others: Vec<OrganisationId> = self
            .validators
            .iter()
            .map(|v| v.organisation)
            .filter(|v| *v != me)
            .collect();
        // 2f of 3f+1; where one lost memory is more than f, everybody.
        let needed = match others.len() {
            n @ 0..=2 if !planted!(self.config, NobodyAsked) => n,
            n => 2 * (n / 3),
        };
        let counted: Vec<Counted> = self
            .recovery
            .answers
            .iter()
            .filter(|(who, _)| others.contains(who) || planted!(self.config, AnswersKept))
            .map(|(_, counted)| *counted)
            .collect();
        if counted.len() < needed {
            return;
        }
        let height = self.height();
        let highest = counted.iter().map(|c| c.height).fold(height, Height::max);
        if highest > height && !planted!(self.config, AnswersKept) {
            // First this node catches up: who answers then may be somebody else.
            return;
        }
        let from = if !self.recovery.is_in_doubt() {
            self.recovery.floor
        } else if height == Height(1) && counted.iter().all(|c| c.clean) {
            if counted.len() < others.len() {
                return;
            }
            Height(1)
        } else {
            highest.plus(2)
        };
        // A guard that is not new remembers from now on what this life has learnt.
        if self.recovery.floor > Height(0) {
            let result = self.storage.raise(from);
            if self.ok(result).is_none() {
                return;
            }
        }
        self.recovery.from = Some(from);
        self.recovery.asking = false;
        self.timers.remove(&Timer::Ask);
        self.todo.push_back(Todo::Look);
    }
}
