//! How a delegation ends (M33), whoever ends it: its giver, its day, or the end of what it rests on.
//!
//! What may be delegated, and by whom it is taken back, is in the rules of people.

use rollbook_proof::number::OrganisationId;

use crate::event::EventBody;
use crate::id::{DelegationId, Id as _};
use crate::object::delegation::{Delegation, DelegationStatus};
use crate::refusal::Refusal;
use crate::tx::{DeadlineKind, Due, Tx};

/// Delegations of an organisation that hold.
pub(crate) fn open_of(tx: &Tx, organisation: OrganisationId) -> Vec<DelegationId> {
    let of = (organisation, DelegationId::MIN)..=(organisation, DelegationId::MAX);
    let open = tx.t.delegations_open.range(of);
    open.map(|((_, number), _)| *number).collect()
}

/// Moves a delegation that holds to where it holds no longer.
pub(crate) fn settle(
    tx: &mut Tx,
    delegation: Delegation,
    code: &'static str,
    to: DelegationStatus,
) -> Result<(), Refusal> {
    tx.cancel(DeadlineKind::DelegationEnd, delegation.number);
    tx.t.delegations_open()
        .remove((delegation.organisation, delegation.number));
    tx.advance(delegation, code, to)
}

/// A delegation ends by a rule. Where the clock does it, an event tells of it.
pub(crate) fn end(
    tx: &mut Tx,
    delegation: Delegation,
    code: &'static str,
    due: Option<Due>,
) -> Result<(), Refusal> {
    let (number, organisation) = (delegation.number, delegation.organisation);
    settle(tx, delegation, code, DelegationStatus::Ended)?;
    if let Some(due) = due {
        tx.emit(
            due,
            EventBody::DelegationEnded {
                delegation: number,
                organisation,
            },
        );
    }
    Ok(())
}

/// With the end of a membership (`M20`, `M21`) whatever its officers have delegated ends.
pub(crate) fn end_all_of(
    tx: &mut Tx,
    organisation: OrganisationId,
    code: &'static str,
    due: Option<Due>,
) -> Result<(), Refusal> {
    for number in open_of(tx, organisation) {
        let delegation = tx.get::<Delegation>(number)?;
        end(tx, delegation, code, due)?;
    }
    Ok(())
}
