//! M31: name, address and identifiers change when the secretariat has compared them with an extract of
//! the register.

use rollbook_proof::crypto::{Hash, sha256};

use super::change::{begin, open_of, settle};
use crate::id::ChangeId;
use crate::identity::identifier::Identifier;
use crate::identity::{Organisation, OrganisationKind, Role, Scope};
use crate::object::change::{Change, ChangePlan, ChangeStatus};
use crate::record::Particulars;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::tx::Tx;
use crate::{refuse, require};

/// Whether the organisation may be told so now: identifiers are nobody else's, and those that its kind
/// must have are there.
fn possible(tx: &Tx, organisation: &Organisation, plan: &Particulars) -> Result<(), Refusal> {
    let Some(identifiers) = &plan.identifiers else {
        return Ok(());
    };
    for identifier in identifiers {
        let key = sha256(&identifier.key());
        let owner = tx.t.identifiers.get(&key);
        if let Some(owner) = owner.filter(|owner| **owner != organisation.number) {
            refuse!(
                "M01.identifier-in-use",
                identifier = identifier.org_id(),
                organisation = owner
            );
        }
    }
    let has_code = identifiers
        .iter()
        .any(|identifier| matches!(identifier, Identifier::Uscc(_)));
    let is_company = organisation.kind == OrganisationKind::Company;
    require!(
        !is_company || !identifiers.is_empty(),
        "M31.no-identifier",
        organisation = organisation.number
    );
    require!(
        !is_company || organisation.country.as_str() != "CN" || has_code,
        "M31.code-missing",
        organisation = organisation.number
    );
    Ok(())
}

pub(super) fn ask(tx: &mut Tx, actor: &Actor, plan: &Particulars) -> Result<Outcome, Refusal> {
    require!(
        actor.organisation.kind != OrganisationKind::Office,
        "M31.office",
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    possible(tx, &actor.organisation, plan)?;
    if let Some(open) = open_of(tx, actor.number(), ChangeStatus::Asked) {
        let before = tx.get::<Change>(open)?;
        settle(tx, before, "M31", ChangeStatus::Replaced)?;
    }
    let plan = ChangePlan::Particulars(plan.clone());
    begin(tx, actor, "M31", ChangeStatus::Asked, plan)?;
    Ok(Outcome::Applied)
}

/// The change, with what is asked, if an unrelated secretary signs.
fn asked(tx: &Tx, actor: &Actor, number: ChangeId) -> Result<(Change, Particulars), Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let change = tx.get::<Change>(number)?;
    require_unrelated(tx, actor, change.organisation)?;
    match &change.plan {
        ChangePlan::Particulars(plan) if change.status == ChangeStatus::Asked => {
            let plan = plan.clone();
            Ok((change, plan))
        }
        _ => refuse!("M31.nothing-asked", change = number, state = change.status),
    }
}

pub(super) fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    number: ChangeId,
    extract: Hash,
) -> Result<Outcome, Refusal> {
    let (change, plan) = asked(tx, actor, number)?;
    require!(
        plan.extract.0 == extract,
        "M31.other-extract",
        change = number,
        extract = plan.extract.0
    );
    let mut organisation = tx.organisation(change.organisation)?.clone();
    possible(tx, &organisation, &plan)?;
    if let Some(name) = plan.name {
        organisation.name = name;
    }
    if let Some(address) = plan.address {
        organisation.address = Some(address);
    }
    if let Some(identifiers) = plan.identifiers {
        for identifier in &identifiers {
            let key = sha256(&identifier.key());
            // What an organisation had once stays its own.
            tx.t.identifiers().put(key, organisation.number);
        }
        organisation.identifiers = identifiers;
    }
    organisation.extract = plan.extract;
    tx.put(organisation);
    settle(tx, change, "M31", ChangeStatus::InForce)?;
    Ok(Outcome::Applied)
}

pub(super) fn decline(
    tx: &mut Tx,
    actor: &Actor,
    number: ChangeId,
    reasons: Hash,
) -> Result<Outcome, Refusal> {
    let (mut change, _) = asked(tx, actor, number)?;
    change.against = Some((actor.officer, reasons));
    settle(tx, change, "M31", ChangeStatus::Declined)?;
    Ok(Outcome::Applied)
}
