//! M21: a company is none any more. The secretariat says so, with an extract of the register.
//!
//! * The membership ends for good, and with it every right that is derived from it: votes, places,
//!   what members read.
//! * What hangs on the membership ends in the same block: posts that its people hold or deputise in, and
//!   for which they stand in (RULINGS R7), its seats of the board and offers of one, the lead of
//!   directions, its places in committees, its node's place. A new membership brings none of it back.
//!   A validator seat is marked leaving and goes with the next handover that can let it go (RULINGS
//!   A17).
//! * What it owes, its agreements and its officers' keys stay: debts survive.
//!
//! Absent: a merger, whose successor would have to sign (M21, `merged_into`).

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use super::{arrears, discipline, expect};
use crate::id::{DirectionId, FundId, MembershipId, PersonId};
use crate::identity::{Role, Scope};
use crate::lookup::find;
use crate::object::membership::{Ceased, Membership, Standing};
use crate::object::node::NodeStatus;
use crate::record::Cessation;
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::{posts, seats};
use crate::tx::Tx;

/// The secretariat ends a membership.
pub(super) fn cease(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    cause: Cessation,
    evidence: &Hash,
) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let membership = find::<Membership>(&tx.t, number)?.clone();
    expect(&membership, "M21")?;
    require_unrelated(tx, actor, membership.organisation)?;
    let organisation = membership.organisation;
    let ceased = Ceased {
        cause,
        evidence: *evidence,
    };
    tx.advance(membership, "M21", Standing::Ceased(ceased))?;
    ended(tx, organisation)
}

/// What ends with a membership, whatever ended it.
pub(super) fn ended(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    let holders: BTreeSet<PersonId> =
        tx.t.posts
            .iter()
            .map(|(_, post)| post.holder)
            .filter(|holder| {
                let person = tx.t.persons.get(holder);
                person.is_some_and(|person| person.home == organisation)
            })
            .collect();
    for holder in holders {
        posts::end_all_of(tx, holder, "M21", None)?;
    }
    if let Some(membership) = tx.organisation(organisation)?.membership {
        arrears::membership_ended(tx, membership)?;
        discipline::membership_ended(tx, membership)?;
    }
    posts::end_standing_in(tx, organisation);
    end_leads_of(tx, organisation);
    end_committee_seats_of(tx, organisation);
    seats::end_all_of(tx, organisation)?;
    node_goes(tx, organisation)
}

/// It leads no direction any more.
fn end_leads_of(tx: &mut Tx, organisation: OrganisationId) {
    let led: Vec<DirectionId> =
        tx.t.leads
            .iter()
            .filter(|(_, lead)| lead.organisation == organisation)
            .map(|(direction, _)| *direction)
            .collect();
    for direction in led {
        tx.t.leads().remove(direction);
    }
}

/// Its places in committees end.
fn end_committee_seats_of(tx: &mut Tx, organisation: OrganisationId) {
    let held: Vec<(FundId, OrganisationId)> =
        tx.t.committee_seats
            .iter()
            .map(|(key, _)| *key)
            .filter(|(_, member)| *member == organisation)
            .collect();
    for key in held {
        tx.t.committee_seats().remove(key);
    }
}

/// Without a seat the place of a company's node ends at once.
fn node_goes(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    let Some(mut node) = tx.t.nodes.get(&organisation).cloned() else {
        return Ok(());
    };
    let to = match node.status {
        NodeStatus::Registered | NodeStatus::Candidate => NodeStatus::Gone,
        NodeStatus::Validator => NodeStatus::Leaving,
        NodeStatus::Leaving | NodeStatus::Gone => return Ok(()),
    };
    tx.go(&mut node, "A17", to)?;
    tx.t.nodes().put(organisation, node);
    Ok(())
}
