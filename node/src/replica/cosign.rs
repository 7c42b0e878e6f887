//! Checkpoint cosignatures: giving the own one, collecting the others' (RULINGS A11).
//!
//! * Only the newest decided checkpoint is cosigned, after (size, root) is durable in the guard.
//! * "At most every 100 ms" is counted in ledger time: a block is cosigned at its commit if it is
//!   the first of its 100 ms, and the last block before a pause when the pause is that long. So all
//!   validators choose the same checkpoints and quorums meet.
//! * A handover is cosigned always, by the validators that certified it; the newest again hourly
//!   when idle.
//! * An own cosignature is sent again until a quorum is there; somebody who still lacks one makes
//!   the others send theirs again.
//! * With each cosignature goes the validator's log line on the same checkpoint; both must hold. A
//!   full node, which signs no checkpoint, serves receipts with it (RULINGS A21).
//! * A cosignature is judged on arrival by the function that the rules use (RULINGS A38): whatever is
//!   collected can go into a handover or a receipt. One that is an hour newer replaces the one that
//!   is kept; one far ahead of the own clock is not taken yet: it is sent again.
//! * A genuine cosignature of another root for the size of a checkpoint held here is a fork alarm.

use std::collections::BTreeMap;

use rollbook_core::tx::Verify;
use rollbook_proof::chain::quorum;
use rollbook_proof::crypto::Signature;
use rollbook_proof::number::{Height, OrganisationId};

use crate::planted::planted;

use super::app::{App, BlockCheckpoint, Validator};
use super::host::{Host, Todo};
use super::message::{Cosignature, Frame};
use super::serve::Author;
use super::storage::{GuardError, Statement, Storage};
use super::{Effect, Replica, Timer};

/// Checkpoints whose cosignatures are still collected.
const TARGETS: usize = 16;
/// How far ahead of the own clock the time of a cosignature may lie.
const AHEAD_S: u64 = 24 * 3_600;
/// A cosignature newer by this replaces the one that is kept.
const NEWER_S: u64 = 3_600;

/// A checkpoint with a quorum of cosignatures: validator, seconds under the signature, signature,
/// ascending by validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was cosigned.
    pub checkpoint: BlockCheckpoint,
    /// The cosignatures.
    pub cosignatures: Vec<(OrganisationId, u64, Signature)>,
    /// The log line of the first of them: validator, signature.
    pub log: (OrganisationId, Signature),
}

/// What one validator signed of a checkpoint.
#[derive(Debug, Clone, Copy)]
struct Collected {
    time_s: u64,
    signature: Signature,
    log: Signature,
}

#[derive(Debug)]
struct Target {
    checkpoint: BlockCheckpoint,
    validators: Vec<Validator>,
    collected: BTreeMap<OrganisationId, Collected>,
    own: Option<Cosignature>,
    sent_at: u64,
    receipted: bool,
}

impl Target {
    fn is_full(&self) -> bool {
        self.collected.len() >= quorum(self.validators.len())
    }

    /// With the first `most` cosignatures; none if there is none yet.
    fn receipt(&self, most: usize) -> Option<Receipt> {
        let (first, with) = self.collected.first_key_value()?;
        let chosen = self
            .collected
            .iter()
            .take(most)
            .map(|(who, of)| (*who, of.time_s, of.signature));
        Some(Receipt {
            checkpoint: self.checkpoint.clone(),
            cosignatures: chosen.collect(),
            log: (*first, with.log),
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct Cosigning {
    targets: BTreeMap<Height, Target>,
    /// Unverified, of heights not reached: the newest of each validator.
    early: BTreeMap<OrganisationId, Cosignature>,
    /// 100 ms of ledger time in which a block was cosigned last.
    bucket: Option<u64>,
    pub(super) receipted: Height,
    pub(super) fork_alarm: Option<(OrganisationId, Height)>,
}

impl Cosigning {
    /// Checkpoints that are collected for, and the most there can be.
    pub(super) fn filled(&self) -> (usize, usize) {
        (self.targets.len(), TARGETS)
    }
}

impl<A: App, S: Storage, V: Verify> Host<A, S, V> {
    /// Cosignatures of heights not reached, and the most there can be: one of each seat.
    pub(super) fn early_cosignatures(&self) -> (usize, usize) {
        (self.cosigning.early.len(), self.validators.len())
    }

    /// A quorum of cosignatures of the tip's checkpoint, ascending by validator, exactly as many as
    /// needed.
    pub(super) fn tip_quorum(&self) -> Option<Receipt> {
        let target = self
            .cosigning
            .targets
            .get(&self.tip.seal.height)
            .filter(|target| target.is_full())?;
        target.receipt(quorum(target.validators.len()))
    }

    /// Forgets what others signed of the tip's checkpoint: they send it again.
    pub(super) fn forget_tip_cosignatures(&mut self) {
        let me = self.keys.organisation;
        if let Some(target) = self.cosigning.targets.get_mut(&self.tip.seal.height) {
            target.collected.retain(|who, _| *who == me);
            target.receipted = false;
        }
    }

    /// Whether cosignatures of a checkpoint of this size are collected.
    pub(super) fn collects(&self, size: u64) -> bool {
        let mut targets = self.cosigning.targets.values();
        targets.any(|target| target.checkpoint.size == size)
    }

    /// Whether a checkpoint of this size is older than all that are collected for.
    pub(super) fn has_passed(&self, size: u64) -> bool {
        let targets = self.cosigning.targets.values();
        let oldest = targets.map(|target| target.checkpoint.size).min();
        oldest.is_some_and(|oldest| size < oldest)
    }

    /// Who signed a cosignature: one of the validators of this height, of the tip, or of a checkpoint
    /// that is still collected for.
    pub(super) fn cosigner_of(&mut self, cosignature: &Cosignature) -> Author {
        let who = cosignature.validator;
        let targets = self.cosigning.targets.values();
        let seats = targets
            .flat_map(|target| &target.validators)
            .chain(&self.validators);
        let mut keys: Vec<_> = seats
            .filter(|v| v.organisation == who)
            .map(|v| v.cosigner)
            .collect();
        keys.dedup();
        if keys.is_empty() {
            // Whoever is behind may still know it as a seat.
            return Author::Unknown;
        }
        let claimed = BlockCheckpoint {
            height: cosignature.height,
            size: cosignature.size,
            root: cosignature.root,
            ..self.app.checkpoint()
        };
        let message = self
            .app
            .cosignature_message(&claimed, who, cosignature.time_s);
        let verify = &mut self.verify;
        let mut made = |message: Vec<u8>| {
            let mut keys = keys.iter();
            keys.any(|key| verify.verify(key, &message, &cosignature.signature))
        };
        if message.is_some_and(&mut made) {
            Author::Is(who)
        } else {
            Author::Nobody
        }
    }

    /// Whether the tip's checkpoint has its quorum.
    pub(super) fn tip_is_receipted(&self) -> bool {
        self.cosigning
            .targets
            .get(&self.tip.seal.height)
            .is_none_or(|target| target.receipted)
    }

    /// What is held of the tip's checkpoint, for whoever asks for the tip.
    pub(super) fn tip_cosignatures(&self) -> Vec<Cosignature> {
        let Some(target) = self.cosigning.targets.get(&self.tip.seal.height) else {
            return Vec::new();
        };
        let BlockCheckpoint {
            height, size, root, ..
        } = target.checkpoint;
        let of = |(validator, of): (&OrganisationId, &Collected)| {
            let Collected {
                time_s,
                signature,
                log,
            } = *of;
            Cosignature {
                height,
                size,
                root,
                validator: *validator,
                time_s,
                signature,
                log,
            }
        };
        target.collected.iter().map(of).collect()
    }
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// A block was committed, or the node has started on its tip: collect for it, and cosign it if
    /// it is one to cosign.
    pub(super) fn new_checkpoint(
        &mut self,
        checkpoint: BlockCheckpoint,
        validators: Vec<Validator>,
        handover: bool,
        live: bool,
    ) {
        let host = &mut self.host;
        let height = checkpoint.height;
        let target = Target {
            checkpoint,
            validators,
            collected: BTreeMap::new(),
            own: None,
            sent_at: 0,
            receipted: false,
        };
        host.cosigning.targets.insert(height, target);
        while host.cosigning.targets.len() > TARGETS {
            host.cosigning.targets.pop_first();
        }
        let early: Vec<Cosignature> = host
            .cosigning
            .early
            .values()
            .filter(|c| c.height <= height)
            .cloned()
            .collect();
        // Nor of who has no seat any more.
        let seats = &host.validators;
        host.cosigning.early.retain(|who, cosignature| {
            cosignature.height > height && seats.iter().any(|v| v.organisation == *who)
        });
        early
            .into_iter()
            .for_each(|cosignature| self.cosigned(cosignature));
        // Cosignatures may have gone by before the block was here; a peer's tip brings them.
        self.host
            .hasten_timer(Timer::Poll, self.host.config.poll_ms);
        let bucket = self.host.tip.seal.time_ms.0 / self.host.config.cosign_ms.max(1);
        let first = self.host.cosigning.bucket != Some(bucket);
        // Blocks taken from peers come one after the other: the newest is cosigned once in a while.
        // Nobody's word for being further keeps a node from it (RULINGS A40).
        if handover || (live && first) {
            self.cosign_newest();
        } else {
            self.host
                .arm_timer(Timer::Cosign, self.host.config.cosign_ms);
        }
    }

    /// Cosigns the tip's checkpoint, if this node had a seat there and is not behind.
    pub(super) fn cosign_newest(&mut self) {
        let host = &mut self.host;
        let me = host.keys.organisation;
        let Some(target) = host.cosigning.targets.get(&host.tip.seal.height) else {
            return;
        };
        if !target
            .validators
            .iter()
            .any(|v| v.organisation == me && v.cosigner == host.keys.cosigner())
        {
            return;
        }
        let (size, root, height) = (
            target.checkpoint.size,
            target.checkpoint.root,
            target.checkpoint.height,
        );
        let time_s = host.now.wall_ms / 1_000;
        let message = host.app.cosignature_message(&target.checkpoint, me, time_s);
        let Some(message) = message else {
            return;
        };
        let statement = Statement::Checkpoint {
            size,
            root,
            message,
        };
        let token = match host.storage.permit(&statement) {
            Ok(token) => token,
            Err(GuardError::Refused(_)) => {
                host.guard_refusals += 1;
                return;
            }
            Err(GuardError::Fault(fault)) => return host.stop(format!("journal: {fault}")),
        };
        let log_message = host.app.log_message(&target.checkpoint);
        let signed = host
            .keys
            .sign_checkpoint(token, &statement, &host.chain, &log_message);
        let Some((signature, log)) = signed else {
            return;
        };
        let cosignature = Cosignature {
            height,
            size,
            root,
            validator: me,
            time_s,
            signature,
            log,
        };
        host.cosigning.bucket = Some(host.tip.seal.time_ms.0 / host.config.cosign_ms.max(1));
        host.timers.remove(&Timer::Cosign);
        let (now, again) = (host.now.elapsed_ms, host.config.cosign_again_ms);
        if let Some(target) = host.cosigning.targets.get_mut(&height) {
            target.collected.insert(
                me,
                Collected {
                    time_s,
                    signature,
                    log,
                },
            );
            target.own = Some(cosignature.clone());
            target.sent_at = now;
        }
        host.broadcast(&Frame::Cosign(cosignature));
        host.set_timer(Timer::CosignAgain, again);
        self.count(height);
    }

    /// A cosignature arrived.
    pub(super) fn cosigned(&mut self, cosignature: Cosignature) {
        let host = &mut self.host;
        let (height, who) = (cosignature.height, cosignature.validator);
        if height > host.tip.seal.height {
            // Kept unverified, the last of each seat: whether it holds shows at its height.
            if host.validators.iter().any(|v| v.organisation == who) {
                host.cosigning.early.insert(who, cosignature);
            }
            return;
        }
        // The height is not under the signature: a checkpoint is known by its size.
        let of_size = |(_, target): &(&Height, &Target)| target.checkpoint.size == cosignature.size;
        let Some((height, target)) = host
            .cosigning
            .targets
            .iter()
            .find(of_size)
            .map(|(h, t)| (*h, t))
        else {
            return;
        };
        let Some(seat) = target.validators.iter().find(|v| v.organisation == who) else {
            return;
        };
        let (cosigner, log) = (seat.cosigner, seat.log);
        let kept = target.collected.get(&who).map(|kept| kept.time_s);
        let repeated = kept.is_some();
        let newer = kept.is_some_and(|at| cosignature.time_s >= at.saturating_add(NEWER_S));
        let same = target.checkpoint.root == cosignature.root;
        let bound = (host.now.wall_ms / 1_000).saturating_add(AHEAD_S);
        if same && cosignature.time_s > bound && !planted!(host.config, CosignatureUnjudged) {
            return;
        }
        if !repeated || newer || !same {
            let claimed = BlockCheckpoint {
                root: cosignature.root,
                ..target.checkpoint.clone()
            };
            let message = host
                .app
                .cosignature_message(&claimed, who, cosignature.time_s);
            let holds = match message {
                Some(message) => host
                    .verify
                    .verify(&cosigner, &message, &cosignature.signature),
                None => planted!(host.config, CosignatureUnjudged),
            };
            if !holds {
                return;
            }
            // Of another root the cosignature alone is proof enough.
            if same
                && !host
                    .verify
                    .verify(&log, &host.app.log_message(&claimed), &cosignature.log)
            {
                return;
            }
        }
        if !same {
            host.cosigning.fork_alarm = Some((who, height));
            return;
        }
        let (now, again) = (host.now.elapsed_ms, host.config.cosign_again_ms);
        let Some(target) = host.cosigning.targets.get_mut(&height) else {
            return;
        };
        let Cosignature {
            time_s,
            signature,
            log,
            ..
        } = cosignature;
        if !repeated || newer {
            let collected = Collected {
                time_s,
                signature,
                log,
            };
            target.collected.insert(who, collected);
        }
        // The sender has not seen a quorum yet: help it, at most once a pause.
        let help = repeated
            && who != host.keys.organisation
            && now >= target.sent_at.saturating_add(again);
        if help && let Some(own) = target.own.clone() {
            target.sent_at = now;
            host.broadcast(&Frame::Cosign(own));
        }
        self.count(height);
    }

    /// Cosignatures that came with a peer's tip, where they are still lacking here.
    pub(super) fn cosigned_of_tip(&mut self, cosignatures: Vec<Cosignature>) {
        for cosignature in cosignatures {
            let tip = self.host.tip.seal.height;
            let lacks = self.host.cosigning.targets.get(&tip).is_some_and(|target| {
                !target.receipted && !target.collected.contains_key(&cosignature.validator)
            });
            if lacks && cosignature.height == tip {
                self.cosigned(cosignature);
            }
        }
    }

    fn count(&mut self, height: Height) {
        let host = &mut self.host;
        let Some(target) = host.cosigning.targets.get_mut(&height) else {
            return;
        };
        let short = planted!(host.config, ReceiptShort)
            && target.collected.len() + 1 >= quorum(target.validators.len());
        if target.receipted || !(target.is_full() || short) {
            return;
        }
        let Some(receipt) = target.receipt(usize::MAX) else {
            return;
        };
        target.receipted = true;
        if height > host.cosigning.receipted {
            host.cosigning.receipted = height;
            host.out.push(Effect::Receipted(receipt));
        }
        if height == host.tip.seal.height && host.wanted_value.is_some() {
            // A proposal may have waited for the handover checkpoint.
            if let Some((height, round)) = host.wanted_value {
                host.todo.push_back(Todo::Propose { height, round });
            }
        }
        host.todo.push_back(Todo::Look);
    }

    /// Sends the own cosignature again while a quorum is missing; hourly a new one when idle.
    pub(super) fn cosign_again(&mut self) {
        let host = &mut self.host;
        let (now, again, idle) = (
            host.now.elapsed_ms,
            host.config.cosign_again_ms,
            host.config.cosign_idle_ms,
        );
        let Some(target) = host.cosigning.targets.get_mut(&host.tip.seal.height) else {
            return;
        };
        if target.receipted {
            if now >= target.sent_at.saturating_add(idle) {
                return self.cosign_newest();
            }
            let wait = target.sent_at.saturating_add(idle) - now;
            return host.set_timer(Timer::CosignAgain, wait);
        }
        if let Some(own) = target.own.clone() {
            target.sent_at = now;
            host.broadcast(&Frame::Cosign(own));
        }
        host.set_timer(Timer::CosignAgain, again);
    }
}
