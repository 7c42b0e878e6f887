//! M32: officers, roles, keys and policy change after the charter's hours, unless an officer objects.

use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;

use super::plan::{By, carry_out, check_keys, possible};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{ChangeId, Id as _};
use crate::object::change::{Change, ChangePlan, ChangeStatus};
use crate::record::OfficersChange;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::tx::{DeadlineKind, Due, Tx, Verify};
use crate::{refuse, require};

/// A change of this kind that is open, if there is one.
pub(super) fn open_of(
    tx: &Tx,
    organisation: rollbook_proof::number::OrganisationId,
    status: ChangeStatus,
) -> Option<ChangeId> {
    let of = (organisation, ChangeId::MIN)..=(organisation, ChangeId::MAX);
    let mut open = tx.t.changes_open.range(of).map(|((_, number), _)| *number);
    open.find(|number| {
        let change = tx.t.changes.get(number);
        change.is_some_and(|change| change.status == status)
    })
}

/// Writes a new change.
pub(super) fn begin(
    tx: &mut Tx,
    actor: &Actor,
    code: &'static str,
    status: ChangeStatus,
    plan: ChangePlan,
) -> Result<ChangeId, Refusal> {
    let number = tx.next_id::<ChangeId>();
    let change = Change {
        number,
        organisation: actor.number(),
        plan,
        record: tx.record,
        signed_by: actor.signers.iter().map(|signer| signer.person).collect(),
        against: None,
        failure: None,
        status: tx.begin::<Change>(number, code, status)?,
        since_ms: tx.now,
    };
    tx.put(change);
    tx.t.changes_open().put((actor.number(), number), 0);
    Ok(number)
}

/// Moves a change to where nothing follows.
pub(super) fn settle(
    tx: &mut Tx,
    change: Change,
    code: &'static str,
    to: ChangeStatus,
) -> Result<(), Refusal> {
    tx.t.changes_open()
        .remove((change.organisation, change.number));
    tx.advance(change, code, to)
}

pub(super) fn ask(
    tx: &mut Tx,
    actor: &Actor,
    plan: &OfficersChange,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    let organisation = &actor.organisation;
    if let Some(open) = open_of(tx, organisation.number, ChangeStatus::Waiting) {
        refuse!("M32.change-waits", change = open);
    }
    possible(tx, organisation, plan)?;
    check_keys(tx, organisation.number, plan, verifier)?;
    let waiting = ChangeStatus::Waiting;
    let plan = ChangePlan::Officers(Box::new(plan.clone()));
    let number = begin(tx, actor, "M32", waiting, plan)?;
    let hours = tx.charter()?.people.change_hours;
    let due = tx.delay(Period::Hours(hours));
    tx.schedule(DeadlineKind::ChangeEffect, number, due);
    Ok(Outcome::Applied)
}

pub(super) fn object(
    tx: &mut Tx,
    actor: &Actor,
    number: ChangeId,
    reasons: Hash,
) -> Result<Outcome, Refusal> {
    let mut change = tx.get::<Change>(number)?;
    require!(
        change.organisation == actor.number(),
        "M32.other-organisation",
        change = number,
        organisation = change.organisation
    );
    require!(
        change.status == ChangeStatus::Waiting,
        "M32.nothing-to-object-to",
        change = number,
        state = change.status
    );
    change.against = Some((actor.officer, reasons));
    tx.cancel(DeadlineKind::ChangeEffect, number);
    settle(tx, change, "M32", ChangeStatus::Objected)?;
    Ok(Outcome::Applied)
}

/// The hours are over: the change takes effect, or is told why it cannot.
pub(super) fn on_deadline(tx: &mut Tx, number: ChangeId, due: Due) -> Result<(), Refusal> {
    let mut change = tx.get::<Change>(number)?;
    let ChangePlan::Officers(plan) = change.plan.clone() else {
        return Ok(());
    };
    if change.status != ChangeStatus::Waiting {
        return Ok(());
    }
    let organisation = change.organisation;
    let facts = tx.organisation(organisation)?.clone();
    let to = match possible(tx, &facts, &plan) {
        Ok(()) => {
            carry_out(tx, organisation, &plan, By::Change, due)?;
            ChangeStatus::InForce
        }
        Err(refusal) => {
            change.failure = Text::new(refusal.code).ok();
            ChangeStatus::Failed
        }
    };
    let failure = change.failure.clone();
    settle(tx, change, "M32", to)?;
    tx.emit(
        due,
        EventBody::ChangeMoved {
            change: number,
            organisation,
            status: to,
            failure,
        },
    );
    Ok(())
}
