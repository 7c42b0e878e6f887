//! R23: lost or departed officers. A letter that the secretariat has checked, a motion of the board,
//! hours in which any officer with a key may cancel, then the change.

use rollbook_proof::codec::Text;
use rollbook_proof::number::OrganisationId;

use super::plan::{By, carry_out, check_keys, possible};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{KeyRecoveryId, MotionId};
use crate::identity::{Role, Scope};
use crate::object::key_recovery::{KeyRecovery, RecoveryStatus};
use crate::object::motion::Failure;
use crate::record::{RecoverKeys, RecoveryPlan};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::effect::Effect;
use crate::tx::{DeadlineKind, Due, Tx, Verify};
use crate::{refuse, require};

/// Days in which the board has to decide a recovery that was filed.
pub const RECOVERY_LAPSE_DAYS: u32 = 60;

pub(super) fn file(
    tx: &mut Tx,
    actor: &Actor,
    plan: &RecoveryPlan,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    let checked_by = must_hold(tx, actor, Role::Secretary, Scope::Alliance)?.person;
    let organisation = tx.organisation(plan.organisation)?.clone();
    require_unrelated(tx, actor, plan.organisation)?;
    if let Some(open) = tx.t.recovery_of.get(&plan.organisation) {
        refuse!("R23.recovery-open", recovery = open);
    }
    possible(tx, &organisation, &plan.change)?;
    check_keys(tx, plan.organisation, &plan.change, verifier)?;
    let number = tx.next_id::<KeyRecoveryId>();
    let recovery = KeyRecovery {
        number,
        plan: plan.clone(),
        record: tx.record,
        checked_by,
        motion: None,
        cancelled_by: None,
        failure: None,
        status: tx.begin::<KeyRecovery>(number, "R23", RecoveryStatus::Filed)?,
        since_ms: tx.now,
    };
    tx.put(recovery);
    tx.t.recovery_of().put(plan.organisation, number);
    let due = tx.deadline(Period::Days(RECOVERY_LAPSE_DAYS));
    tx.schedule(DeadlineKind::RecoveryLapse, number, due);
    Ok(Outcome::Applied)
}

/// Moves a recovery to where nothing follows.
fn settle(tx: &mut Tx, recovery: KeyRecovery, to: RecoveryStatus) -> Result<(), Refusal> {
    tx.cancel(DeadlineKind::RecoveryLapse, recovery.number);
    tx.cancel(DeadlineKind::RecoveryEffect, recovery.number);
    tx.t.recovery_of().remove(recovery.plan.organisation);
    tx.advance(recovery, "R23", to)
}

fn tell(
    tx: &mut Tx,
    due: Due,
    recovery: KeyRecoveryId,
    organisation: OrganisationId,
    status: RecoveryStatus,
    failure: Option<Text<64>>,
) {
    tx.emit(
        due,
        EventBody::RecoveryMoved {
            recovery,
            organisation,
            status,
            failure,
        },
    );
}

pub(super) fn cancel(
    tx: &mut Tx,
    actor: &Actor,
    number: KeyRecoveryId,
) -> Result<Outcome, Refusal> {
    let mut recovery = tx.get::<KeyRecovery>(number)?;
    require!(
        recovery.plan.organisation == actor.number(),
        "R23.other-organisation",
        recovery = number,
        organisation = recovery.plan.organisation
    );
    require!(
        recovery.status.is_open(),
        "R23.nothing-to-cancel",
        recovery = number
    );
    recovery.cancelled_by = Some(actor.officer);
    settle(tx, recovery, RecoveryStatus::Cancelled)?;
    Ok(Outcome::Applied)
}

pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: KeyRecoveryId,
    due: Due,
) -> Result<(), Refusal> {
    let mut recovery = tx.get::<KeyRecovery>(number)?;
    let plan = recovery.plan.clone();
    let to = match (kind, recovery.status) {
        (DeadlineKind::RecoveryLapse, RecoveryStatus::Filed) => RecoveryStatus::Lapsed,
        (DeadlineKind::RecoveryEffect, RecoveryStatus::Waiting) => {
            let facts = tx.organisation(plan.organisation)?.clone();
            match possible(tx, &facts, &plan.change) {
                Ok(()) => {
                    carry_out(tx, plan.organisation, &plan.change, By::Recovery, due)?;
                    RecoveryStatus::Done
                }
                Err(refusal) => {
                    recovery.failure = Text::new(refusal.code).ok();
                    RecoveryStatus::Failed
                }
            }
        }
        _ => return Ok(()),
    };
    let failure = recovery.failure.clone();
    settle(tx, recovery, to)?;
    tell(tx, due, number, plan.organisation, to, failure);
    Ok(())
}

impl Effect for RecoverKeys {
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let recovery = tx.t.key_recoveries.get(&self.recovery);
        recovery
            .map(|recovery| recovery.plan.organisation)
            .into_iter()
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let recovery = tx.get::<KeyRecovery>(self.recovery)?;
        require!(
            recovery.status == RecoveryStatus::Filed,
            "R23.nothing-to-decide",
            recovery = self.recovery
        );
        let organisation = tx.organisation(recovery.plan.organisation)?;
        possible(tx, organisation, &recovery.plan.change)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        self.possible(tx)?;
        let mut recovery = tx.get::<KeyRecovery>(self.recovery)?;
        let organisation = recovery.plan.organisation;
        recovery.motion = Some(motion);
        tx.cancel(DeadlineKind::RecoveryLapse, self.recovery);
        let hours = tx.charter()?.people.recovery_hours;
        let effect = tx.delay(Period::Hours(hours));
        tx.schedule(DeadlineKind::RecoveryEffect, self.recovery, effect);
        let waiting = RecoveryStatus::Waiting;
        tx.advance(recovery, "R23", waiting)?;
        tell(tx, due, self.recovery, organisation, waiting, None);
        Ok(())
    }

    fn failed(
        &self,
        tx: &mut Tx,
        motion: MotionId,
        due: Due,
        _failure: Failure,
    ) -> Result<(), Refusal> {
        let mut recovery = tx.get::<KeyRecovery>(self.recovery)?;
        if recovery.status != RecoveryStatus::Filed {
            return Ok(());
        }
        let organisation = recovery.plan.organisation;
        recovery.motion = Some(motion);
        settle(tx, recovery, RecoveryStatus::Declined)?;
        let declined = RecoveryStatus::Declined;
        tell(tx, due, self.recovery, organisation, declined, None);
        Ok(())
    }
}
