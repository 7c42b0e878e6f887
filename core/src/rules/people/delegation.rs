//! M33: an officer lets another officer of the same organisation sign in a role, in a scope, to an end.
//! What a delegate may sign is judged with every signature ([`crate::rules::authority`]).
//!
//! * Given in the role itself, never by a delegate; never for officers, keys, policies and
//!   delegations.
//! * It ends with its day, when giver or delegate takes it back, and when either is no officer, lost
//!   the role, or has no key that has not ended.

use rollbook_proof::number::OrganisationId;

use super::officer;
use crate::calendar::MS_PER_DAY;
use crate::id::DelegationId;
use crate::identity::{KeyState, Role};
use crate::object::delegation::{Delegation, DelegationStatus};
use crate::record::DelegationGrant;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::{Actor, Right};
use crate::rules::delegations::{end, open_of, settle};
use crate::tx::{DeadlineKind, Due, Tx};

/// Most delegations of an organisation that hold at a time.
pub const DELEGATIONS_MAX: usize = 64;

pub(super) fn grant(
    tx: &mut Tx,
    actor: &Actor,
    grant: &DelegationGrant,
) -> Result<Outcome, Refusal> {
    let giver = actor
        .signers
        .iter()
        .find(|signer| signer.person == grant.giver);
    require!(
        giver.is_some_and(|signer| signer.right == Right::Own),
        "M33.giver-must-sign",
        person = grant.giver
    );
    let holder = officer(tx, actor.number(), grant.giver)?;
    require!(
        holder.roles.contains(&grant.role),
        "M33.role-not-held",
        person = grant.giver,
        role = grant.role
    );
    officer(tx, actor.number(), grant.to)?;
    let days = tx.charter()?.people.delegation_days;
    let last = tx.now.plus_ms(u64::from(days).saturating_mul(MS_PER_DAY));
    require!(
        tx.now < grant.until_ms && grant.until_ms <= last,
        "M33.too-long",
        until = grant.until_ms,
        days = days
    );
    require!(
        open_of(tx, actor.number()).len() < DELEGATIONS_MAX,
        "M33.too-many",
        limit = DELEGATIONS_MAX
    );
    let number = tx.next_id::<DelegationId>();
    let delegation = Delegation {
        number,
        organisation: actor.number(),
        grant: grant.clone(),
        from_ms: tx.now,
        status: tx.begin::<Delegation>(number, "M33", DelegationStatus::Granted)?,
        since_ms: tx.now,
    };
    tx.put(delegation);
    tx.t.delegations_open().put((actor.number(), number), 0);
    tx.schedule(DeadlineKind::DelegationEnd, number, grant.until_ms);
    Ok(Outcome::Applied)
}

/// The giver, the delegate or a primary takes it back.
pub(super) fn revoke(tx: &mut Tx, actor: &Actor, number: DelegationId) -> Result<Outcome, Refusal> {
    let delegation = tx.get::<Delegation>(number)?;
    require!(
        delegation.organisation == actor.number(),
        "M33.other-organisation",
        delegation = number,
        organisation = delegation.organisation
    );
    require!(
        delegation.is_of(actor.officer) || actor.signer(Role::Primary).is_some(),
        "M33.not-yours",
        delegation = number,
        officer = actor.officer
    );
    settle(tx, delegation, "M33", DelegationStatus::Revoked)?;
    Ok(Outcome::Applied)
}

/// A primary takes back all that the organisation's officers have given.
pub(super) fn revoke_all(tx: &mut Tx, actor: &Actor) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let open = open_of(tx, actor.number());
    require!(
        !open.is_empty(),
        "M33.nothing-delegated",
        organisation = actor.number()
    );
    for number in open {
        let delegation = tx.get::<Delegation>(number)?;
        settle(tx, delegation, "M33", DelegationStatus::Revoked)?;
    }
    Ok(Outcome::Applied)
}

/// Ends the delegations of an organisation whose giver or delegate cannot be one any more. Where the
/// clock does it, an event tells of each.
pub(super) fn end_without_ground(
    tx: &mut Tx,
    organisation: OrganisationId,
    due: Option<Due>,
) -> Result<(), Refusal> {
    for number in open_of(tx, organisation) {
        let delegation = tx.get::<Delegation>(number)?;
        let keyed = |person| {
            let person = officer(tx, organisation, person).ok()?;
            let alive = person.keys.iter().any(|key| key.state != KeyState::Ended);
            alive.then_some(person)
        };
        let giver = keyed(delegation.grant.giver);
        let stands = giver.is_some_and(|giver| giver.roles.contains(&delegation.grant.role))
            && keyed(delegation.grant.to).is_some();
        if !stands {
            end(tx, delegation, "M32", due)?;
        }
    }
    Ok(())
}

pub(super) fn on_deadline(tx: &mut Tx, number: DelegationId, due: Due) -> Result<(), Refusal> {
    let delegation = tx.get::<Delegation>(number)?;
    if delegation.status != DelegationStatus::Granted {
        return Ok(());
    }
    end(tx, delegation, "M33", Some(due))
}
