//! From one height to the next: booting, holding back, starting, proposing, committing (RULINGS A8,
//! A9, A10).
//!
//! * After a commit the next height is held back until a record applies, a deadline is due, an hour
//!   has passed, a handover wants following, or a verified message of it has come. For deadlines
//!   and the hour the proposer of round 0 goes first and the others wait a grace longer, so that
//!   clocks which differ a little cost no round. The hour runs on the elapsed clock: a wrong wall
//!   clock makes no blocks.
//! * On a restart the consensus log of the height is fed back before anything else: same inputs,
//!   same votes, same locks.
//! * An own proposal is durable, and its guard record with it, before the core hears of it: one
//!   group commit.

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use rollbook_core::block::{BODY_MAX_BYTES, BlockBody, SystemSection};
use rollbook_core::object::turn::Turns;
use rollbook_core::refusal::Refusal;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::{
    Certificate, CheckpointSignature, Evidence, HandoverCheckpoint, LogSignature, ProposalFacts,
};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number;

use crate::planted::planted;

use super::app::{App, BlockVerdict, BuiltBlock, Refused};
use super::context::{Address, Ctx, Height, Sealed};
use super::cosign::Receipt;
use super::host::{Host, Todo};
use super::lost::Pin;
use super::message::SignedStatement;
use super::serve::core_input;
use super::storage::{GuardError, Statement, Storage};
use super::wal::{Entry, input_of};
use super::{Effect, Replica, Timer};

/// Longest time between two looks at the wall clock while idle: it may be stepped.
const LOOK_MS: u64 = 30_000;
/// Records judged again at once, to see whether any still applies.
const RECHECK: usize = 32;
/// A record that does not apply is judged again after this time at the latest (RULINGS A39).
const PARKED_MS: u64 = 60_000;
/// Least time between two looks at parked records that no block has caused.
const PARKED_PAUSE_MS: u64 = 1_000;
/// Pause before the rest of a long queue is looked at.
const MORE_MS: u64 = 20;
/// Evidence in one proposal.
const EVIDENCE: usize = 16;

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// The first step of a life.
    pub(super) fn boot(&mut self) {
        let host = &mut self.host;
        // What was read back may have been in memory only when the last life ended.
        let result = host.storage.sync();
        if host.ok(result).is_none() {
            return;
        }
        let age = host.now.wall_ms.saturating_sub(host.tip.seal.time_ms.0);
        host.committed_at = host.now.elapsed_ms.saturating_sub(age);
        if let Some(certificate) = &host.tip_certificate {
            let precommits = certificate.signatures.iter().map(|(validator, signature)| {
                let vote = rollbook_proof::chain::Vote {
                    kind: rollbook_proof::chain::VoteKind::Precommit,
                    height: certificate.height,
                    round: certificate.round,
                    block: Some(certificate.block),
                    validator: *validator,
                };
                (
                    *validator,
                    SignedStatement::Vote(rollbook_proof::chain::SignedVote {
                        vote,
                        signature: *signature,
                    }),
                )
            });
            host.newest.extend(precommits);
        }
        for entry in host.storage.wal(host.tip.seal.height.next()) {
            let (validator, statement) = match decode::<Entry>(entry) {
                Ok(Entry::Vote(signed)) => (signed.vote.validator, SignedStatement::Vote(signed)),
                Ok(Entry::Proposal { proposal, .. }) => (
                    proposal.facts.validator,
                    SignedStatement::Proposal(proposal),
                ),
                _ => continue,
            };
            host.newest.insert(validator, statement);
        }
        host.set_timer(Timer::Poll, 0);
        let (checkpoint, validators) = (host.app.checkpoint(), host.app.tip_validators());
        if host.tip.seal.height > number::Height(0) {
            self.new_checkpoint(checkpoint, validators, false, false);
        }
        self.enter();
    }

    /// A new height lies ahead.
    fn enter(&mut self) {
        self.core = None;
        let host = &mut self.host;
        if let Some(why) = host.app.beyond() {
            return host.stop(why);
        }
        host.muted = false;
        host.pin = None;
        host.woken = false;
        host.begun_at = None;
        host.wanted_value = None;
        host.own_proposal = None;
        host.own_votes.clear();
        let any_forgotten = planted!(host.config, AnyWantForgotten);
        host.bodies.reset(host.validators.len(), any_forgotten);
        host.fresh.reset();
        host.timers
            .retain(|timer, _| !matches!(timer, Timer::Core(..) | Timer::Bodies));
        let height = host.height();
        host.future.retain(|h, _| *h >= height);
        let seats = &host.validators;
        host.restored
            .retain(|who, from| *from > height && seats.iter().any(|v| v.organisation == *who));
        self.begin_recovery();
        self.host.todo.push_back(Todo::Look);
        self.host.set_timer(Timer::Idle, LOOK_MS);
    }

    /// Starts the next height if it is wanted; otherwise looks again when it may be.
    pub(super) fn look(&mut self) {
        if self.core.is_some() || self.host.recovery.is_asking() || self.host.validators.is_empty()
        {
            return;
        }
        let height = self.host.height();
        let logged = !self.host.storage.wal(height).is_empty();
        let messages = self
            .host
            .future
            .get(&height)
            .is_some_and(|frames| !frames.is_empty());
        if logged || messages || self.wanted() {
            self.start();
        }
    }

    /// Whether this node wants the next height by itself. Sets the idle timer for when it may.
    fn wanted(&mut self) -> bool {
        let host = &mut self.host;
        if !host.may_vote() {
            host.set_timer(Timer::Idle, LOOK_MS);
            return false;
        }
        let follows = host.app.handover_due() || host.app.needs_handover_checkpoint();
        if follows || host.pool_ready || host.woken {
            return true;
        }
        let first = host.turn(0) == Some(host.keys.organisation);
        let grace = if first { 0 } else { host.config.idle_grace_ms };
        let idle_for = host
            .now
            .elapsed_ms
            .saturating_sub(host.committed_at)
            .saturating_add(host.stepped_ms);
        let mut wait = (host.config.heartbeat_ms + grace).saturating_sub(idle_for);
        if let Some(deadline) = host.app.next_deadline() {
            let due = deadline
                .0
                .saturating_add(grace)
                .saturating_sub(host.now.wall_ms);
            // A deadline that was tried for and is still there waits for the others' clocks.
            let tried = host
                .deadline_started
                .filter(|(which, _)| *which == deadline);
            let again = tried.map_or(0, |(_, at)| {
                at.saturating_add(host.config.idle_grace_ms)
                    .saturating_sub(host.now.elapsed_ms)
            });
            let due = due.max(again);
            if due == 0 {
                host.deadline_started = Some((deadline, host.now.elapsed_ms));
            }
            wait = wait.min(due);
        }
        host.set_timer(Timer::Idle, wait.clamp(1, LOOK_MS));
        wait == 0
    }

    /// Starts the height after the tip, feeding back its log if there is one.
    fn start(&mut self) {
        let height = self.host.height();
        self.begin_recovery();
        if self.host.recovery.is_asking() {
            return;
        }
        let host = &mut self.host;
        let seats = host.seats();
        let params = engine::Params::<Ctx> {
            address: Address(host.keys.organisation),
            threshold_params: host.thresholds(),
            value_payload: mc::ValuePayload::ProposalAndParts,
            enabled: host.may_vote(),
        };
        // The host buffers messages of later heights itself, after checking them: the core's own
        // queue stays small.
        self.core = Some(engine::State::new(
            Ctx,
            Height(height.0),
            seats.clone(),
            params,
            1,
            64,
        ));
        host.timers.remove(&Timer::Idle);
        host.begun_at = Some(host.now.elapsed_ms);
        let mut log = Vec::new();
        if !planted!(host.config, GuardSkipped) {
            let entries: Result<Vec<_>, _> = host
                .storage
                .wal(height)
                .iter()
                .map(|entry| input_of(height, entry))
                .collect();
            match entries {
                Ok(entries) => log = entries,
                Err(error) => return host.stop(error),
            }
            for (seal, body) in host.storage.undecided(height) {
                host.bodies.hold(seal.id(), seal, body, true);
            }
            host.bodies.stored = host.storage.stored(height);
        }
        host.replaying = true;
        let lost = host.storage.lost_guard();
        host.pin = Pin::at(lost, height, host.validators.len());
        let first_round = lost.map_or(0, |lost| lost.first_round(height));
        let (pinned, me) = (host.pin.is_some(), host.keys.organisation);
        let start = engine::Input::StartHeight(
            Height(height.0),
            seats,
            false,
            None,
            mc::VoteExtensionPolicy::Disabled,
        );
        self.run_core(start);
        if let Some(core) = &mut self.core {
            core.record_recovered_own_precommit_extensions(log.iter());
            // The votes that are held fast differ from those that the core derives: they are derived
            // and judged again.
            let own = |input: &engine::Input<Ctx>| matches!(input, engine::Input::Vote(vote) if vote.message.validator == Address(me));
            core.index_wal_entries(log.iter().filter(|input| !(pinned && own(input))));
        }
        for input in log {
            if self.host.stop.is_some() {
                return;
            }
            self.run_core(input);
        }
        if let Some(core) = &mut self.core {
            core.reset_entries_index();
        }
        self.host.replaying = false;
        self.pass_rounds(first_round);
        let host = &mut self.host;
        if let Some((height, round)) = host.wanted_value {
            host.todo.push_back(Todo::Propose { height, round });
        }
        for block in host.bodies.untold() {
            host.todo.push_back(Todo::Deliver(block));
        }
        for (_, frame) in host.future.remove(&height).unwrap_or_default() {
            if let Some(input) = core_input(&frame) {
                host.todo.push_back(Todo::Core(Box::new(input)));
            }
        }
        host.hasten_timer(Timer::Poll, host.config.poll_ms);
        self.after_core();
    }

    /// Rounds in which a lost guard may have signed are over before anything new is said. They are
    /// logged like rounds whose time was over.
    fn pass_rounds(&mut self, first: u32) {
        while let Some(round) = self.core.as_ref().and_then(|core| core.round().as_u32()) {
            if round >= first || self.host.stop.is_some() {
                return;
            }
            let over = mc::Timeout::precommit(mc::Round::new(round));
            self.run_core(engine::Input::TimeoutElapsed(over));
            let passed = self.core.as_ref().and_then(|core| core.round().as_u32());
            if passed == Some(round) {
                // Decided in the log already.
                return;
            }
        }
    }

    /// Answers `GetValue`: the block proposed in this round before, or a new one.
    pub(super) fn propose(&mut self, height: number::Height, round: u32) {
        let Some(core) = &self.core else { return };
        let current = core.round().as_u32() == Some(round) && core.driver.step_is_propose();
        if height != self.host.height()
            || !current
            || self.host.wanted_value != Some((height, round))
        {
            return;
        }
        let host = &mut self.host;
        let before = host
            .storage
            .proposed(height, round)
            .filter(|_| !planted!(host.config, GuardSkipped));
        let seal = if let Some(facts) = before {
            // Signed in a former life: that block or none.
            if facts.valid_round.is_some() || !host.bodies.is_held_durable(&facts.block) {
                host.wanted_value = None;
                return;
            }
            let Some(seal) = host.bodies.seal(&facts.block).cloned() else {
                return;
            };
            if !host.execute_held(&facts.block) {
                return;
            }
            seal
        } else if let Some(seal) = host.bodies.full().cloned() {
            // No place for another body at this height: offer one that is here.
            seal
        } else {
            let Some(system) = host.system_section() else {
                return;
            };
            let built = match host.build(system) {
                Ok(Some(built)) => built,
                // It waits for better cosignatures, as for a quorum of them.
                Ok(None) => return,
                Err(error) => return host.stop(format!("ledger: no block can be built: {error}")),
            };
            if host.app.execute(&built.body, &built.seal).is_err() {
                // Not a verdict about anybody else: this build makes blocks it does not accept
                // itself.
                return host.stop("the ledger refuses the block it has just built".into());
            }
            let block = built.seal.id();
            let facts = ProposalFacts {
                height,
                round,
                block,
                valid_round: None,
                validator: host.keys.organisation,
            };
            let result = host.storage.append_body(&built.seal, &built.body);
            if host.ok(result).is_none() {
                return;
            }
            match host.storage.guard(&Statement::Proposal(facts)) {
                Ok(()) => {}
                Err(GuardError::Refused(_)) => {
                    host.guard_refusals += 1;
                    host.wanted_value = None;
                    return;
                }
                Err(GuardError::Fault(fault)) => return host.stop(format!("journal: {fault}")),
            }
            let result = host.storage.sync();
            if host.ok(result).is_none() {
                return;
            }
            host.bodies.own(block, built.seal.clone(), built.body);
            built.seal
        };
        host.wanted_value = None;
        let value = engine::LocallyProposedValue::new(
            Height(height.0),
            mc::Round::new(round),
            Sealed::from(seal),
        );
        self.host
            .todo
            .push_front(Todo::Core(Box::new(engine::Input::Propose(value))));
    }

    /// The core's decision is durable: commit it.
    pub(super) fn commit_decided(&mut self, certificate: Certificate) {
        if !self.host.execute_held(&certificate.block) {
            return self.host.stop(format!(
                "block {} was decided and does not execute here",
                certificate.block
            ));
        }
        self.commit_block(certificate, false);
    }

    /// Makes a durable, executed block the tip, tells, and turns to the next height.
    pub(super) fn commit_block(&mut self, certificate: Certificate, fetched: bool) {
        let host = &mut self.host;
        let block = certificate.block;
        let certifiers = std::mem::take(&mut host.validators);
        let committed = match host.app.commit(&block, &certificate) {
            Ok(committed) => committed,
            Err(error) => {
                return host.stop(format!(
                    "block {block} was decided and cannot be committed: {error}"
                ));
            }
        };
        if let Some((_, body)) = host.bodies.get(&block)
            && let Ok(body) = decode::<BlockBody>(body)
        {
            for evidence in &body.system.evidence {
                host.evidence
                    .remove(&(evidence.height(), evidence.culprit()));
            }
        }
        host.tip = host.app.tip();
        host.tip_certificate = Some(certificate);
        host.validators = host.app.validators();
        host.turns = if planted!(host.config, NobodyBehind) {
            let seats: Vec<_> = host.validators.iter().map(|v| v.organisation).collect();
            Turns::of(&seats, host.tip.seal.height.next(), |_| None)
        } else {
            host.app.turns()
        };
        host.committed_at = host.now.elapsed_ms;
        host.stepped_ms = 0;
        if committed.handover && !planted!(host.config, AnswersKept) {
            host.recovery.passed_handover();
        }
        host.pool.decide(&committed.records);
        host.recheck_pool();
        host.out.push(Effect::Decided {
            height: host.tip.seal.height,
            block,
            records: committed.records,
        });
        self.new_checkpoint(
            committed.checkpoint,
            certifiers,
            committed.handover,
            !fetched,
        );
        self.enter();
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Executes a held body; true if it is valid.
    fn execute_held(&mut self, block: &Hash) -> bool {
        match self.bodies.get(block) {
            Some((seal, body)) => self.app.execute(body, seal).is_ok(),
            None => false,
        }
    }

    /// Builds the next block. What others gave and the ledger does not take is dropped, and the
    /// block is built without it; `None` if nothing can be built until others have sent better
    /// (RULINGS A38). An error is a fault of this program.
    fn build(&mut self, system: SystemSection) -> Result<Option<BuiltBlock>, BlockVerdict> {
        let time_ms = self.ledger_now();
        let (app, alike) = (&self.app, planted!(self.config, TurnsForgotten));
        let has_turn = |organisation| !alike && app.has_turn(organisation);
        // As the ledger counts: the system section comes first, and is the longer the more seats signed.
        let empty = BlockBody {
            system: system.clone(),
            records: Vec::new(),
        };
        let room = BODY_MAX_BYTES.saturating_sub(encode(&empty).len());
        let candidates = self.pool.candidates(room, has_turn);
        let plain = SystemSection {
            evidence: Vec::new(),
            ..system.clone()
        };
        let mut built = self.app.build(time_ms, system.clone(), &candidates);
        if matches!(built, Err(BlockVerdict::Invalid(_)))
            && !system.evidence.is_empty()
            && self.app.build(time_ms, plain.clone(), &[]).is_ok()
        {
            // Some of the evidence is no news to the ledger, or none to it at all.
            let mut good = Vec::new();
            for piece in system.evidence {
                let one = SystemSection {
                    evidence: vec![piece.clone()],
                    ..plain.clone()
                };
                if self.app.build(time_ms, one, &[]).is_ok() {
                    good.push(piece);
                } else {
                    self.evidence.remove(&(piece.height(), piece.culprit()));
                }
            }
            let better = SystemSection {
                evidence: good,
                ..plain.clone()
            };
            built = self.app.build(time_ms, better, &candidates);
            if built.is_err() {
                self.evidence.clear();
                built = self.app.build(time_ms, plain.clone(), &candidates);
            }
        }
        if matches!(built, Err(BlockVerdict::Invalid(_)))
            && plain.handover.is_some()
            && !planted!(self.config, CosignatureUnjudged)
        {
            self.forget_tip_cosignatures();
            return Ok(None);
        }
        let built = built?;
        for (id, refused) in &built.left_out {
            self.refused(id, refused);
        }
        Ok(Some(built))
    }

    /// A record of the pool does not apply to the tip.
    fn refused(&mut self, id: &Hash, refused: &Refused) {
        let Some(record) = self.pool.record(id) else {
            return;
        };
        let (number, left) = (record.payload.number(), !refused.is_transient());
        if left {
            self.pool.remove(id);
        } else if !planted!(self.config, NothingParked) {
            self.pool
                .park(id, self.now.elapsed_ms.saturating_add(PARKED_MS));
        }
        self.out.push(Effect::Aside {
            record: *id,
            number,
            reason: Some(refused.clone()),
            left,
        });
    }

    /// A parked record applies again.
    fn unpark(&mut self, id: &Hash) {
        let Some(record) = self.pool.record(id) else {
            return;
        };
        let number = record.payload.number();
        self.pool.unpark(id);
        self.out.push(Effect::Aside {
            record: *id,
            number,
            reason: None,
            left: false,
        });
    }

    /// Drops what is over by ledger time.
    fn expire(&mut self) {
        let now = self.ledger_now();
        for (record, payload) in self.pool.expire(now) {
            let facts = vec![
                ("valid_until", payload.valid_until_ms.0.to_string()),
                ("now", now.0.to_string()),
            ];
            self.out.push(Effect::Aside {
                record,
                number: payload.number(),
                reason: Some(Refused {
                    refusal: Refusal::new("A6.expired", facts),
                    height: self.tip.seal.height,
                }),
                left: true,
            });
        }
    }

    /// What a proposer adds beside records; `None` while a needed handover checkpoint lacks its
    /// quorum.
    fn system_section(&self) -> Option<SystemSection> {
        let handover = if self.app.needs_handover_checkpoint() {
            let Receipt {
                checkpoint,
                cosignatures,
                log: (validator, signature),
            } = self.tip_quorum()?;
            let cosignatures = cosignatures
                .into_iter()
                .map(|(validator, time_s, signature)| CheckpointSignature {
                    validator,
                    time_s,
                    signature,
                })
                .collect();
            Some(HandoverCheckpoint {
                size: checkpoint.size,
                root: checkpoint.root,
                log: LogSignature {
                    validator,
                    signature,
                },
                cosignatures,
            })
        } else {
            None
        };
        // A handover block holds no evidence.
        let room = if self.app.handover_due() { 0 } else { EVIDENCE };
        let mut evidence: Vec<Evidence> = self.evidence.values().take(room).cloned().collect();
        evidence.sort_by_cached_key(encode);
        Some(SystemSection {
            parent_certificate: self.tip_certificate.clone(),
            evidence,
            handover,
        })
    }

    /// After a commit: drops expired records, judges some of the parked ones again, for the block
    /// may have changed what they are about, and finds out whether anything applies.
    fn recheck_pool(&mut self) {
        self.expire();
        self.judge_parked(u64::MAX);
        self.judge_queue();
    }

    /// Timer: parked records whose time has come, and the rest of the queue.
    pub(super) fn pool_due(&mut self) {
        self.judge_parked(self.now.elapsed_ms);
        self.judge_queue();
        self.todo.push_back(Todo::Look);
    }

    /// Judges parked records again, those first that have waited longest. One that applies goes
    /// back to its place.
    fn judge_parked(&mut self, due_ms: u64) {
        let now = self.ledger_now();
        for id in self.pool.parked_until(due_ms, RECHECK) {
            let Some(record) = self.pool.record(&id) else {
                continue;
            };
            match self.app.admit(record, now.0) {
                Ok(()) => self.unpark(&id),
                Err(refused) => self.refused(&id, &refused),
            }
        }
    }

    /// Finds out whether one of the oldest records of the queue applies. Those that do not are
    /// parked: only a record that applies makes this node want a block (RULINGS A39).
    fn judge_queue(&mut self) {
        let now = self.ledger_now();
        self.pool_ready = false;
        let oldest = self.pool.oldest(RECHECK);
        for id in &oldest {
            let Some(record) = self.pool.record(id) else {
                continue;
            };
            match self.app.admit(record, now.0) {
                Ok(()) => {
                    self.pool_ready = true;
                    break;
                }
                Err(refused) => self.refused(id, &refused),
            }
        }
        if planted!(self.config, NothingParked) {
            self.pool_ready |= self.pool.len() > RECHECK;
            return;
        }
        // What lies behind the oldest is looked at a moment later, so that no step is long.
        if !self.pool_ready && oldest.len() == RECHECK {
            self.set_timer(Timer::Pool, MORE_MS);
        } else if let Some(at) = self.pool.next_parked() {
            let wait = at.saturating_sub(self.now.elapsed_ms).max(PARKED_PAUSE_MS);
            self.set_timer(Timer::Pool, wait);
        } else {
            self.timers.remove(&Timer::Pool);
        }
    }
}
