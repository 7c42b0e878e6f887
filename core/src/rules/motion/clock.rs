//! What the clock does to a motion: the close, the stay and the effect, the putting again and the
//! lapse (RULINGS R10, R12). Each leaves an event with its facts.

use rollbook_proof::codec::Text;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::charter::motions::{DecidingBody, MotionKind, MotionRule};
use crate::event::EventBody;
use crate::id::{Id, MotionId, PersonId};
use crate::lookup::find;
use crate::object::matter::Matter;
use crate::object::motion::{Failure, Motion, MotionStatus};
use crate::record::RescindMotion;
use crate::refusal::Refusal;
use crate::rules::effect::{Effect, Planned, matter_of};
use crate::rules::motion::election;
use crate::rules::motion::propose::{Age, begin, opened_event};
use crate::rules::motion::recount::recount;
use crate::rules::motion::sealed::begin_reveals;
use crate::rules::motion::{count, recused};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{require, tally};

/// Hours without a new ballot before an early close (RULINGS R10).
pub const EARLY_HOURS: u32 = 24;

/// Ends a motion whose object is gone (an applicant withdrew): no effect, no [`Effect::failed`].
pub(crate) fn drop_motion(tx: &mut Tx, number: MotionId) -> Result<(), Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    if motion.status.is_final() {
        return Ok(());
    }
    take_back(tx, motion)
}

/// Takes a motion back. Nobody is told: what a record can withdraw was proposed by somebody, and an
/// effect whose owner hears of a failure is opened by a rule.
pub(super) fn take_back(tx: &mut Tx, motion: Motion) -> Result<(), Refusal> {
    let (number, now) = (motion.number, tx.now);
    cancel_all(tx, number);
    tx.advance(motion, "R10", MotionStatus::Withdrawn)?;
    wake(tx, number, now);
    Ok(())
}

/// Motion `number` is decided: what waited for it takes effect at `due` (RULINGS R34).
fn wake(tx: &mut Tx, number: MotionId, due: LedgerTime) {
    let waiting: Vec<MotionId> =
        tx.t.motion_waits
            .range((number, Id::MIN)..=(number, Id::MAX))
            .map(|((_, waiting), _)| *waiting)
            .collect();
    for waiting in waiting {
        tx.t.motion_waits().remove((number, waiting));
        tx.schedule(DeadlineKind::MotionEffect, waiting, due);
        tx.schedule(DeadlineKind::MotionStuck, waiting, due);
    }
}

pub(super) fn cancel_all(tx: &mut Tx, number: MotionId) {
    use DeadlineKind::{
        MotionClose, MotionEarly, MotionEffect, MotionRetable, MotionReveal, MotionStuck,
        MotionSupport,
    };
    for kind in [
        MotionClose,
        MotionEarly,
        MotionEffect,
        MotionStuck,
        MotionRetable,
        MotionSupport,
        MotionReveal,
    ] {
        tx.cancel(kind, number);
    }
}

/// Writes a failure and tells the effect's owner.
pub(super) fn finish(
    tx: &mut Tx,
    motion: Motion,
    due: Due,
    failure: Failure,
) -> Result<(), Refusal> {
    let status = match failure {
        Failure::Rejected => MotionStatus::Rejected,
        Failure::Lapsed => MotionStatus::Lapsed,
        Failure::Void => MotionStatus::Void,
        Failure::Rescinded => MotionStatus::Rescinded,
    };
    cancel_all(tx, motion.number);
    let (number, effect) = (motion.number, motion.effect.clone());
    tx.advance(motion, "R10", status)?;
    wake(tx, number, due.at());
    effect.plan().failed(tx, number, due, failure)
}

/// Acts out a deadline of a motion.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: MotionId,
    due: Due,
) -> Result<(), Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    match kind {
        DeadlineKind::MotionClose => close(tx, motion, due),
        DeadlineKind::MotionEarly if count(tx, &motion).all_voted() => close(tx, motion, due),
        DeadlineKind::MotionReveal => decide(tx, motion, due),
        DeadlineKind::MotionEffect => take_effect(tx, motion, due),
        DeadlineKind::MotionStuck => {
            let code = Text::new("R10.effect-failed").unwrap_or_default();
            void(tx, motion, due, code)
        }
        DeadlineKind::MotionRetable => {
            let mut motion = motion;
            if let Err(refusal) = motion.effect.plan().possible(tx) {
                return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
            }
            // A run-off is no second try after a missed quorum.
            if !motion.poll.as_ref().is_some_and(|poll| poll.run_off) {
                motion.retabled += 1;
            }
            begin(tx, motion, Age::Known, None)?;
            if let Some(event) = opened_event(&tx.t, number) {
                tx.emit(due, event);
            }
            Ok(())
        }
        DeadlineKind::MotionRecount => recount(tx, number, due),
        DeadlineKind::MotionSupport => {
            tx.emit(due, EventBody::MotionUnsupported { motion: number });
            finish(tx, motion, due, Failure::Lapsed)
        }
        _ => Ok(()),
    }
}

pub(super) fn void(
    tx: &mut Tx,
    mut motion: Motion,
    due: Due,
    code: Text<64>,
) -> Result<(), Refusal> {
    tx.emit(
        due,
        EventBody::MotionVoid {
            motion: motion.number,
            code: code.clone(),
        },
    );
    motion.void = Some(code);
    finish(tx, motion, due, Failure::Void)
}

/// A passed motion waits for its stay. Without one the effect is due at once: by the clock this block still
/// acts it out, in an overlay of its own; after a record, the next block does.
pub(super) fn stay(
    tx: &mut Tx,
    motion: Motion,
    code: &'static str,
    at: LedgerTime,
) -> Result<(), Refusal> {
    let number = motion.number;
    let effect_due = motion.rule.stay.map_or(at, |stay| tx.delay(stay));
    tx.advance(motion, code, MotionStatus::Staying)?;
    tx.schedule(DeadlineKind::MotionEffect, number, effect_due);
    tx.schedule(DeadlineKind::MotionStuck, number, effect_due);
    Ok(())
}

/// The ballots are over: who is recused stands now. What was sealed is opened first.
pub(super) fn close(tx: &mut Tx, motion: Motion, due: Due) -> Result<(), Refusal> {
    let number = motion.number;
    tx.cancel(DeadlineKind::MotionClose, number);
    tx.cancel(DeadlineKind::MotionEarly, number);
    for group in recused(tx, &motion) {
        tx.t.recused_at_close()
            .put((number, motion.round, group), 0);
    }
    match begin_reveals(tx, motion, due)? {
        Some(motion) => decide(tx, motion, due),
        None => Ok(()),
    }
}

/// Everything that counts is known: the tally, and what follows.
fn decide(tx: &mut Tx, mut motion: Motion, due: Due) -> Result<(), Refusal> {
    let number = motion.number;
    let (min_elig, retable_limit, retable_wait) = {
        let parameters = &tx.charter_of(motion.charter)?.motions;
        (
            parameters.min_elig,
            parameters.retable_limit,
            parameters.retable_wait_days,
        )
    };
    let counts = count(tx, &motion);
    let rule = MotionRule {
        quorum: election::quorum(tx, &motion, counts.elig(), min_elig),
        ..motion.rule
    };
    let tally = tally::tally(counts, &rule, min_elig);
    motion.tally = Some(Box::new(tally.clone()));
    let outcome = tally.outcome;
    tx.emit(
        due,
        EventBody::MotionClosed {
            motion: number,
            body: motion.body,
            retabled: motion.retabled,
            tally: tally.clone(),
        },
    );
    if let Err(refusal) = motion.effect.plan().possible(tx) {
        return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
    }
    let runs_off = motion.poll.as_ref().is_some_and(|poll| poll.run_off);
    match outcome {
        tally::Outcome::Passed if motion.poll.is_some() => election::hold(tx, motion, &tally, due),
        tally::Outcome::NoQuorum if runs_off => election::hold(tx, motion, &tally, due),
        // It must come before the effect that it undoes, which is due at this same instant.
        tally::Outcome::Passed if motion.effect.plan().undoes().is_some() => {
            let effect = motion.effect.clone();
            tx.advance(motion, "R10", MotionStatus::CarriedOut)?;
            tx.emit(due, EventBody::MotionCarriedOut { motion: number });
            effect.plan().carry_out(tx, number, due)
        }
        tally::Outcome::Passed => stay(tx, motion, "R10", due.at()),
        tally::Outcome::Rejected => finish(tx, motion, due, Failure::Rejected),
        tally::Outcome::NoQuorum
            if motion.retabled < election::retable_limit(tx, &motion, retable_limit)
                && motion.effect.plan().undoes().is_none() =>
        {
            tx.advance(motion, "R10", MotionStatus::Waiting)?;
            let again = tx.deadline(Period::Days(retable_wait));
            tx.schedule(DeadlineKind::MotionRetable, number, again);
            Ok(())
        }
        tally::Outcome::NoQuorum => finish(tx, motion, due, Failure::Lapsed),
        // A rescission is for the same body only.
        tally::Outcome::Escalate { .. } if motion.effect.plan().undoes().is_some() => void(
            tx,
            motion,
            due,
            Text::new("R7.too-few-voices").unwrap_or_default(),
        ),
        tally::Outcome::Escalate { .. } => {
            begin(tx, motion, Age::Known, None)?;
            if let Some(event) = opened_event(&tx.t, number) {
                tx.emit(due, event);
            }
            Ok(())
        }
        tally::Outcome::Void(reason) => {
            let code = match reason {
                tally::VoidReason::ImpossibleCounts => "R1.impossible-counts",
                tally::VoidReason::TooFewVoices => "R7.too-few-voices",
            };
            void(tx, motion, due, Text::new(code).unwrap_or_default())
        }
    }
}

pub(super) fn take_effect(tx: &mut Tx, motion: Motion, due: Due) -> Result<(), Refusal> {
    let number = motion.number;
    match motion.effect.plan().waits_for(tx, number) {
        Ok(None) => {}
        Ok(Some(awaited)) => {
            tx.cancel(DeadlineKind::MotionStuck, number);
            tx.t.motion_waits().put((awaited, number), 0);
            tx.emit(
                due,
                EventBody::MotionWaits {
                    motion: number,
                    awaited,
                },
            );
            return Ok(());
        }
        Err(refusal) => {
            return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
        }
    }
    if let Err(refusal) = motion.effect.plan().possible(tx) {
        return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
    }
    // If carrying out fails, everything of this deadline is dropped and `MotionStuck`, due at the
    // same instant, voids the motion.
    tx.cancel(DeadlineKind::MotionStuck, number);
    let effect = motion.effect.clone();
    tx.advance(motion, "R10", MotionStatus::CarriedOut)?;
    tx.emit(due, EventBody::MotionCarriedOut { motion: number });
    wake(tx, number, due.at());
    effect.plan().carry_out(tx, number, due)
}

/// Undoes a motion that stays; its effect never comes.
pub(super) fn rescind(tx: &mut Tx, number: MotionId, due: Due) -> Result<(), Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Staying,
        "R10.not-staying",
        motion = number
    );
    finish(tx, motion, due, Failure::Rescinded)
}

impl Effect for RescindMotion {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        match find::<Motion>(&tx.t, self.motion) {
            Ok(target) if target.effect.plan().undoes().is_none() => matter_of(tx, target),
            _ => Matter::Motion(motion),
        }
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        match find::<Motion>(&tx.t, self.motion) {
            Ok(target) if target.effect.plan().undoes().is_none() => {
                target.effect.plan().check_voters(tx, persons)
            }
            _ => Ok(()),
        }
    }

    fn body(&self, tx: &Tx, _kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        Ok(find::<Motion>(&tx.t, self.motion)?.body)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        match find::<Motion>(&tx.t, self.motion) {
            // A rescission of a rescission does not exist, so this is one step deep.
            Ok(target) if target.effect.plan().undoes().is_none() => {
                target.effect.plan().interested(tx)
            }
            _ => Vec::new(),
        }
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let target = find::<Motion>(&tx.t, self.motion)?;
        require!(
            target.status == MotionStatus::Staying,
            "R10.not-staying",
            motion = self.motion
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, due: Due) -> Result<(), Refusal> {
        rescind(tx, self.motion, due)
    }

    fn undoes(&self) -> Option<MotionId> {
        Some(self.motion)
    }
}
