//! What stands behind the core: answers its effects, holds everything that is not the core.
//!
//! The handler is infallible. `process!` turns a handler's error into "continue", so a failed write
//! would be voted on; here a fault sets `stop` and from then on nothing is signed and nothing
//! leaves.

use std::collections::BTreeMap;

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use engine::{Effect as CoreEffect, LivenessMsg, Resumable, Resume, SignedConsensusMsg};
use mc::{NilOrVal, RoundCertificateType, SignedMessage, TimeoutKind, VoteType};
use rollbook_core::ledger::Tip;
use rollbook_core::object::turn::Turns;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Certificate, Evidence, VoteKind};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::planted::planted;

use super::app::{App, Validator};
use super::bodies::Bodies;
use super::catchup::Catchup;
use super::config::ReplicaConfig;
use super::context::{CoreProposal, CoreVote, Ctx, Seats};
use super::cosign::Cosigning;
use super::fresh::Fresh;
use super::lost::Pin;
use super::mempool::Mempool;
use super::message::{Frame, RoundVote, SignedStatement};
use super::recovery::Recovery;
use super::storage::{Fault, GuardError, Keys, Statement, Storage};
use super::wal::{entry_of, signed_proposal, signed_vote};
use super::{Clock, Effect, Queue, Timer, Timers};
use crate::journal::Slot;

/// Stands in a message that must not leave because its signature was not given.
const UNSIGNED: Signature = Signature::Ed25519([0; 64]);

/// Work that may not be done inside an effect.
pub(super) enum Todo {
    /// Feed the core.
    Core(Box<engine::Input<Ctx>>),
    /// Answer `GetValue`.
    Propose { height: Height, round: u32 },
    /// The core decided and the decision is durable.
    Commit { certificate: Certificate },
    /// Judge a body and tell the core.
    Deliver(Hash),
    /// Look whether the next height is wanted.
    Look,
}

pub(super) struct Host<A, S, V> {
    pub(super) config: ReplicaConfig,
    pub(super) keys: Keys,
    pub(super) app: A,
    pub(super) storage: S,
    pub(super) verify: V,
    pub(super) chain: Hash,

    pub(super) now: Clock,
    pub(super) started: bool,
    pub(super) stop: Option<String>,
    pub(super) out: Vec<Effect>,
    pub(super) todo: Queue<Todo>,
    pub(super) timers: Timers,

    pub(super) tip: Tip,
    pub(super) tip_certificate: Option<Certificate>,
    /// Validators of the height after the tip.
    pub(super) validators: Vec<Validator>,
    /// In which order they propose.
    pub(super) turns: Turns,
    /// When the tip was committed, on the elapsed clock; earlier than the start if the block's time
    /// says so.
    pub(super) committed_at: u64,
    /// How far the wall clock was stepped since then: ledger time that passed without a block.
    pub(super) stepped_ms: u64,
    /// When work on the height after the tip began, if it has.
    pub(super) begun_at: Option<u64>,
    /// Deadline for which a height was last started without a record, and when.
    pub(super) deadline_started: Option<(LedgerTime, u64)>,

    /// Height whose decision is in the journal.
    pub(super) decided_height: Height,
    /// True while the consensus log is fed back.
    pub(super) replaying: bool,
    /// A statement of this height was refused by the guard: no more signatures at it.
    pub(super) muted: bool,
    /// What is held fast at the height, because a lost guard may have signed there.
    pub(super) pin: Option<Pin>,
    /// `GetValue` to answer once the log is replayed or the handover checkpoint is there.
    pub(super) wanted_value: Option<(Height, u32)>,
    /// The own proposal of the round, to send again.
    pub(super) own_proposal: Option<Frame>,
    /// The own newest prevote and precommit of the height, to send again.
    pub(super) own_votes: BTreeMap<VoteKind, Frame>,
    /// Verified frames of the next heights, at most [`Host::FUTURE`] per validator, by height.
    pub(super) future: BTreeMap<Height, Vec<(OrganisationId, Frame)>>,
    /// Newest statement seen of each validator.
    pub(super) newest: BTreeMap<OrganisationId, SignedStatement>,
    pub(super) evidence: BTreeMap<(Height, OrganisationId), Evidence>,
    pub(super) out_of_bounds: u32,
    /// Own clock minus the time of the last block that was out of bounds, in milliseconds.
    pub(super) clock_off_ms: i64,
    /// How far the own clock was ahead of that of each other proposer, as its newest proposal showed
    /// it, in milliseconds; negative: behind.
    pub(super) clocks: BTreeMap<OrganisationId, i64>,
    pub(super) guard_refusals: u64,
    /// Height of a statement under the own key that the own guard does not know.
    pub(super) foreign_statement: Option<Height>,
    /// Something in the pool applied when it was last looked at.
    pub(super) pool_ready: bool,

    pub(super) bodies: Bodies,
    pub(super) fresh: Fresh,
    pub(super) catchup: Catchup,
    pub(super) recovery: Recovery,
    /// Validators that vote again only from a height on, by their own word.
    pub(super) restored: BTreeMap<OrganisationId, Height>,
    /// A validator that is in doubt about its past asked for the height after the tip.
    pub(super) woken: bool,
    /// Heights begun for such a validator: since when they are counted, and how many.
    pub(super) wakes: BTreeMap<OrganisationId, (u64, u32)>,
    pub(super) cosigning: Cosigning,
    pub(super) pool: Mempool,
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Frames of one future height kept per validator.
    pub(super) const FUTURE: usize = 8;

    pub(super) fn new(config: ReplicaConfig, keys: Keys, app: A, storage: S, verify: V) -> Self {
        let tip = app.tip();
        let tip_certificate = storage
            .decided(tip.seal.height)
            .map(|decided| decided.certificate);
        Host {
            chain: app.chain(),
            validators: app.validators(),
            turns: app.turns(),
            recovery: Recovery::new(storage.floor()),
            pool: Mempool::new(config.pool),
            config,
            keys,
            app,
            storage,
            verify,
            now: Clock {
                elapsed_ms: 0,
                wall_ms: 0,
            },
            started: false,
            stop: None,
            out: Vec::new(),
            todo: Queue::new(),
            timers: Timers::new(),
            decided_height: tip.seal.height,
            tip,
            tip_certificate,
            committed_at: 0,
            stepped_ms: 0,
            begun_at: None,
            deadline_started: None,
            replaying: false,
            muted: false,
            pin: None,
            wanted_value: None,
            own_proposal: None,
            own_votes: BTreeMap::new(),
            future: BTreeMap::new(),
            newest: BTreeMap::new(),
            evidence: BTreeMap::new(),
            out_of_bounds: 0,
            clock_off_ms: 0,
            clocks: BTreeMap::new(),
            guard_refusals: 0,
            foreign_statement: None,
            pool_ready: false,
            bodies: Bodies::default(),
            fresh: Fresh::default(),
            restored: BTreeMap::new(),
            woken: false,
            wakes: BTreeMap::new(),
            catchup: Catchup::default(),
            cosigning: Cosigning::default(),
        }
    }

    /// The height after the tip.
    pub(super) fn height(&self) -> Height {
        self.tip.seal.height.next()
    }

    /// Ledger time a record handed in now would be judged at.
    pub(super) fn ledger_now(&self) -> LedgerTime {
        LedgerTime(self.now.wall_ms).max(self.tip.seal.time_ms.plus_ms(1))
    }

    /// This node's seat at the height after the tip.
    pub(super) fn seat(&self) -> Option<&Validator> {
        self.validators.iter().find(|v| {
            v.organisation == self.keys.organisation && v.consensus == self.keys.consensus()
        })
    }

    /// The consensus key of a validator of the height after the tip.
    pub(super) fn key_of(&self, validator: OrganisationId) -> Option<PublicKey> {
        let mut validators = self.validators.iter();
        let found = validators.find(|v| v.organisation == validator)?;
        Some(found.consensus)
    }

    /// The validators of the height after the tip, as the consensus core works with them.
    pub(super) fn seats(&self) -> Seats {
        let keys: Vec<_> = self.validators.iter().map(|v| v.key()).collect();
        Seats::new(&keys, &self.turns)
    }

    /// Whether this node signs at the height after the tip.
    pub(super) fn may_vote(&self) -> bool {
        let height = self.height();
        let waits = self
            .storage
            .lost_guard()
            .is_some_and(|lost| lost.waits(height));
        self.seat().is_some() && self.recovery.may_vote(height) && !self.muted && !waits
    }

    /// The thresholds of the core; a planted fault decides with 2f.
    pub(super) fn thresholds(&self) -> mc::ThresholdParams {
        if planted!(self.config, Quorum2f) {
            mc::ThresholdParams {
                quorum: mc::ThresholdParam::new(1, 3),
                honest: mc::ThresholdParam::new(1, 6),
            }
        } else {
            mc::ThresholdParams::default()
        }
    }

    /// Whether a guard that was lost may have recorded a statement there.
    pub(super) fn may_be_lost(&self, slot: Option<Slot>) -> bool {
        let lost = self.storage.lost_guard();
        slot.is_some_and(|slot| lost.is_some_and(|lost| lost.bars(&slot)))
    }

    pub(super) fn stop(&mut self, reason: String) {
        self.stop.get_or_insert(reason);
    }

    /// Stops on a disk fault.
    pub(super) fn ok<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.stop(format!("journal: {fault}"));
                None
            }
        }
    }

    pub(super) fn set_timer(&mut self, timer: Timer, after_ms: u64) {
        self.timers
            .insert(timer, self.now.elapsed_ms.saturating_add(after_ms));
    }

    /// Sets a timer unless it is set already.
    pub(super) fn arm_timer(&mut self, timer: Timer, after_ms: u64) {
        let due = self.now.elapsed_ms.saturating_add(after_ms);
        self.timers.entry(timer).or_insert(due);
    }

    /// Sets a timer no later than `after_ms` from now.
    pub(super) fn hasten_timer(&mut self, timer: Timer, after_ms: u64) {
        let due = self.now.elapsed_ms.saturating_add(after_ms);
        self.timers
            .entry(timer)
            .and_modify(|at| *at = due.min(*at))
            .or_insert(due);
    }

    pub(super) fn due_timer(&mut self) -> Option<Timer> {
        if self.stop.is_some() {
            return None;
        }
        let (due, timer) = self
            .timers
            .iter()
            .map(|(timer, due)| (*due, *timer))
            .min()?;
        (due <= self.now.elapsed_ms).then(|| {
            self.timers.remove(&timer);
            timer
        })
    }

    pub(super) fn broadcast(&mut self, frame: &Frame) {
        self.out.push(Effect::Broadcast(encode(frame)));
    }

    /// Signs a statement of consensus, if the guard lets it.
    fn sign(&mut self, statement: &Statement) -> Option<Signature> {
        if self.stop.is_some() || self.muted {
            return None;
        }
        #[cfg(feature = "planted")]
        if planted!(self.config, GuardSkipped)
            || (planted!(self.config, SignBeforeSync) && self.storage.guard(statement).is_ok())
        {
            return Some(self.keys.sign_unguarded(statement, &self.chain));
        }
        match self.storage.permit(statement) {
            Ok(token) => {
                self.recovery.has_signed();
                self.keys.sign(token, statement, &self.chain)
            }
            // It may have been filled before the disk was lost; the rounds that follow are free.
            Err(GuardError::Refused(_)) if self.may_be_lost(statement.slot()) => None,
            Err(GuardError::Refused(_)) => {
                // The slot is taken by another statement: this node has signed in a life it does
                // not remember well enough. It stays silent for the height instead of stopping:
                // silence is always safe.
                self.muted = true;
                self.guard_refusals += 1;
                None
            }
            Err(GuardError::Fault(fault)) => {
                self.stop(format!("journal: {fault}"));
                None
            }
        }
    }

    fn sign_vote(&mut self, vote: CoreVote) -> mc::SignedVote<Ctx> {
        let vote = match &self.pin {
            Some(pin) => pin.judge(vote),
            None => vote,
        };
        let statement = vote.statement();
        let signature = self.sign(&Statement::Vote(statement)).unwrap_or(UNSIGNED);
        SignedMessage::new(vote, signature)
    }

    fn sign_proposal(&mut self, proposal: CoreProposal) -> mc::SignedProposal<Ctx> {
        let facts = proposal.statement();
        let signature = self.sign(&Statement::Proposal(facts)).unwrap_or(UNSIGNED);
        SignedMessage::new(proposal, signature)
    }

    /// Answers one effect of the core.
    pub(super) fn effect(&mut self, effect: CoreEffect<Ctx>) -> Resume<Ctx> {
        match effect {
            CoreEffect::CancelAllTimeouts(r) => {
                self.timers
                    .retain(|timer, _| !matches!(timer, Timer::Core(..)));
                r.resume_with(())
            }
            CoreEffect::CancelTimeout(timeout, r) => {
                if let Some(timer) = timer_of(timeout) {
                    self.timers.remove(&timer);
                }
                r.resume_with(())
            }
            CoreEffect::ScheduleTimeout(timeout, r) => {
                if let Some(timer) = timer_of(timeout) {
                    let after = self.config.timeouts.duration_for(timeout).as_millis();
                    let after = u64::try_from(after).unwrap_or(u64::MAX);
                    self.set_timer(timer, after);
                }
                r.resume_with(())
            }
            CoreEffect::StartRound(_, _, _, _, r) => {
                self.own_proposal = None;
                r.resume_with(())
            }
            CoreEffect::PublishConsensusMsg(message, r) => {
                self.publish(message);
                r.resume_with(())
            }
            CoreEffect::PublishLivenessMsg(message, r) => {
                match message {
                    LivenessMsg::Vote(vote) => self.publish(SignedConsensusMsg::Vote(vote)),
                    LivenessMsg::PolkaCertificate(polka) => self.publish_polka(&polka),
                    LivenessMsg::SkipRoundCertificate(certificate) => {
                        self.publish_round(&certificate)
                    }
                }
                r.resume_with(())
            }
            CoreEffect::RepublishVote(vote, r) => {
                // A proposal that was lost is lost to everyone who then prevotes nil: send it
                // beside the vote.
                if let Some(frame) = self.own_proposal.clone() {
                    self.broadcast(&frame);
                }
                self.publish(SignedConsensusMsg::Vote(vote));
                r.resume_with(())
            }
            CoreEffect::RepublishRoundCertificate(certificate, r) => {
                self.publish_round(&certificate);
                r.resume_with(())
            }
            CoreEffect::GetValue(height, round, _, r) => {
                if let Some(round) = round.as_u32() {
                    self.wanted_value = Some((Height(height.0), round));
                    if !self.replaying {
                        self.todo.push_back(Todo::Propose {
                            height: Height(height.0),
                            round,
                        });
                    }
                }
                r.resume_with(())
            }
            // Bodies are pulled, never pushed; the proposal itself follows in PublishConsensusMsg.
            CoreEffect::RestreamProposal(_, _, _, _, _, r) => r.resume_with(()),
            CoreEffect::CertVerifiedSyncValue(_, _, r) => r.resume_with(()),
            CoreEffect::CertRejectedSyncValue(_, _, _, r) => r.resume_with(()),
            CoreEffect::SignVote(vote, r) => {
                let signed = self.sign_vote(vote);
                r.resume_with(signed)
            }
            CoreEffect::SignProposal(proposal, r) => {
                let signed = self.sign_proposal(proposal);
                r.resume_with(signed)
            }
            CoreEffect::VerifySignature(message, key, r) => {
                let (valid, statement) = match &message.message {
                    engine::ConsensusMsg::Vote(vote) => {
                        let vote = vote.statement();
                        let valid = self.verify_vote(&vote, &key, &message.signature);
                        (valid, Statement::Vote(vote))
                    }
                    engine::ConsensusMsg::Proposal(proposal) => {
                        let facts = proposal.statement();
                        let valid = self.verify_proposal(&facts, &key, &message.signature);
                        (valid, Statement::Proposal(facts))
                    }
                };
                if valid {
                    self.heard(&statement, &key);
                }
                r.resume_with(valid)
            }
            CoreEffect::VerifyCommitCertificate(certificate, set, thresholds, r) => {
                let result = self.check_commit(&certificate, &set, thresholds);
                r.resume_with(result)
            }
            // The core's sync input is not used (module head of `replica`); an answer is due all
            // the same.
            CoreEffect::VerifyExtendedCommitCertificate(certificate, set, thresholds, _, r) => {
                let result =
                    self.check_commit(&certificate.trim_vote_extensions(), &set, thresholds);
                r.resume_with(result)
            }
            CoreEffect::VerifyPolkaCertificate(certificate, set, thresholds, r) => {
                let result = self.check_polka(&certificate, &set, thresholds);
                r.resume_with(result)
            }
            CoreEffect::VerifyRoundCertificate(certificate, set, thresholds, r) => {
                let result = self.check_round(&certificate, &set, thresholds);
                r.resume_with(result)
            }
            CoreEffect::WalAppend(height, input, r) => {
                // Once its height is decided an entry is of no use, and the journal is past it.
                let over = height.0 <= self.decided_height.0;
                if !over {
                    self.logged(&input);
                }
                if !self.replaying
                    && !over
                    && self.stop.is_none()
                    && let Some(entry) = entry_of(&input)
                {
                    let result = self.storage.append_wal(Height(height.0), &entry);
                    self.ok(result);
                }
                r.resume_with(())
            }
            CoreEffect::ExtendVote(_, _, _, _, r) => r.resume_with(None),
            CoreEffect::VerifyVoteExtension(_, _, _, _, _, _, r) => {
                r.resume_with(Err(engine::VoteExtensionError::InvalidVoteExtension))
            }
            CoreEffect::Decide(certificate, _, r) => {
                self.decide(&certificate);
                r.resume_with(())
            }
            CoreEffect::Finalize(_, _, evidence, r) => {
                self.collect(evidence);
                r.resume_with(())
            }
        }
    }

    /// A verified input is on its way into the log: learn which blocks are talked about and who
    /// holds their bodies.
    fn logged(&mut self, input: &engine::Input<Ctx>) {
        if let Some(pin) = &mut self.pin {
            pin.heard(input);
        }
        match input {
            engine::Input::Proposal(proposal) => {
                let facts = proposal.message.statement();
                let own = facts.validator == self.keys.organisation;
                if !own && !self.replaying && !self.fresh.is_misfit(&facts.block) {
                    self.out_of_bounds = 0;
                }
                if !own && !self.replaying && facts.valid_round.is_none() {
                    let time = proposal.message.value.seal.time_ms;
                    self.saw_clock(facts.validator, time);
                }
                self.bodies.proposed(&facts, own);
                self.todo.push_back(Todo::Deliver(facts.block));
            }
            engine::Input::Vote(vote) => {
                let vote = vote.message.statement();
                let Some(block) = vote.block else { return };
                let precommit = vote.kind == VoteKind::Precommit;
                let own = vote.validator == self.keys.organisation;
                if self
                    .bodies
                    .voted(&block, vote.round, vote.validator, precommit, own)
                {
                    self.todo.push_back(Todo::Deliver(block));
                }
            }
            engine::Input::ProposedValue(value, _) if self.replaying => {
                self.bodies
                    .judged(&value.value.id, value.validity.is_valid());
            }
            _ => {}
        }
    }

    /// The core has decided: make it durable before anything follows from it.
    fn decide(&mut self, certificate: &mc::CommitCertificate<Ctx>) {
        if self.stop.is_some() {
            return;
        }
        let mut signatures: Vec<(OrganisationId, Signature)> = certificate
            .commit_signatures
            .iter()
            .map(|s| (s.address.0, s.signature))
            .collect();
        signatures.sort_by_key(|(validator, _)| *validator);
        let certificate = Certificate {
            height: Height(certificate.height.0),
            round: certificate.round.as_u32().unwrap_or(0),
            block: certificate.value_id,
            signatures,
        };
        let Some(seal) = self.bodies.seal(&certificate.block).cloned() else {
            return self.stop(format!(
                "block {} was decided here and its body is not here",
                certificate.block
            ));
        };
        let result = self
            .storage
            .append_decision(&seal, &certificate)
            .and_then(|()| self.storage.sync());
        if self.ok(result).is_some() {
            self.decided_height = certificate.height;
            self.todo.push_front(Todo::Commit { certificate });
        }
    }

    fn publish(&mut self, message: SignedConsensusMsg<Ctx>) {
        if *message.signature() == UNSIGNED {
            return;
        }
        match message {
            SignedConsensusMsg::Vote(vote) => {
                let signed = signed_vote(&vote);
                let (kind, author) = (signed.vote.kind, signed.vote.validator);
                let frame = Frame::Vote(signed);
                self.broadcast(&frame);
                if author == self.keys.organisation {
                    self.own_votes.insert(kind, frame);
                }
            }
            SignedConsensusMsg::Proposal(proposal) => {
                let frame = Frame::Proposal {
                    proposal: signed_proposal(&proposal),
                    seal: proposal.message.value.seal.clone(),
                };
                self.broadcast(&frame);
                if proposal.message.validator.0 == self.keys.organisation {
                    self.own_proposal = Some(frame);
                }
            }
        }
    }

    /// Sends what this node said last at the height: who has just come would wait for the next
    /// repetition.
    pub(super) fn say_again(&mut self) {
        let newest: Vec<Frame> = self.own_proposal.iter().cloned().collect();
        for frame in newest
            .into_iter()
            .chain(self.own_votes.clone().into_values())
        {
            self.broadcast(&frame);
        }
    }

    fn publish_polka(&mut self, polka: &mc::PolkaCertificate<Ctx>) {
        let frame = Frame::Polka {
            height: Height(polka.height.0),
            round: polka.round.as_u32().unwrap_or(0),
            block: polka.value_id,
            signatures: polka
                .polka_signatures
                .iter()
                .map(|s| (s.address.0, s.signature))
                .collect(),
        };
        self.broadcast(&frame);
    }

    fn publish_round(&mut self, certificate: &mc::RoundCertificate<Ctx>) {
        let votes = certificate
            .round_signatures
            .iter()
            .map(|s| RoundVote {
                kind: if s.vote_type == VoteType::Precommit {
                    VoteKind::Precommit
                } else {
                    VoteKind::Prevote
                },
                block: match s.value_id {
                    NilOrVal::Nil => None,
                    NilOrVal::Val(id) => Some(id),
                },
                validator: s.address.0,
                signature: s.signature,
            })
            .collect();
        let frame = Frame::Round {
            height: Height(certificate.height.0),
            round: certificate.round.as_u32().unwrap_or(0),
            precommits: certificate.cert_type == RoundCertificateType::Precommit,
            votes,
        };
        self.broadcast(&frame);
    }
}

/// Where a signed statement stands.
pub(super) fn slot_of(statement: &SignedStatement) -> Option<Slot> {
    Statement::of(statement).slot()
}

/// Step of the timer of precommits.
pub(super) const PRECOMMIT: u8 = 2;

fn timer_of(timeout: mc::Timeout) -> Option<Timer> {
    let step = match timeout.kind {
        TimeoutKind::Propose => 0,
        TimeoutKind::Prevote => 1,
        TimeoutKind::Precommit => PRECOMMIT,
        TimeoutKind::Rebroadcast => 3,
        // Only with a target time, which is never given.
        TimeoutKind::FinalizeHeight(_) => return None,
    };
    Some(Timer::Core(step, timeout.round.as_u32()?))
}
