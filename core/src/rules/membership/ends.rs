//! What ends with a membership, whatever ended it.
//!
//! * Every right that is derived from it is gone at once: votes, what members read, the gate of nodes.
//! * What hangs on it ends in the same block: posts that its people hold or deputise in, and for which they
//!   stand in (RULINGS R7), what its officers have delegated (M33), its seats of the board and offers of
//!   one, the lead of directions, its places in committees, its node's place; its sponsorship of
//!   applicants, its support for motions that gather it, and proxies that nobody has used (R38). A new
//!   membership brings none of it back. A validator seat is marked leaving and goes with the next
//!   handover that can let it go (RULINGS A17). The clock of its dues and a proceeding end, too.
//! * What it owes, its agreements and its officers' keys stay: debts survive. Ballots that it cast while it
//!   might stand, too (RULINGS R1).

use std::collections::BTreeSet;

use rollbook_proof::number::OrganisationId;

use super::{arrears, discipline};
use crate::id::{DirectionId, FundId, Id as _, MembershipId, MotionId, PersonId};
use crate::object::membership::Membership;
use crate::object::node::NodeStatus;
use crate::refusal::Refusal;
use crate::rules::{delegations, motion, posts, seats};
use crate::tx::{DeadlineKind, Due, Tx};

/// Ends what hangs on a membership that has ended by `code`. Where the clock did it, events tell of it.
pub(super) fn end_what_hangs_on(
    tx: &mut Tx,
    membership: &Membership,
    code: &'static str,
    due: Option<Due>,
) -> Result<(), Refusal> {
    let organisation = membership.organisation;
    tx.cancel(DeadlineKind::MembershipEnd, membership.number);
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
        posts::end_all_of(tx, holder, code, due)?;
    }
    arrears::membership_ended(tx, membership.number)?;
    discipline::membership_ended(tx, membership.number)?;
    posts::end_standing_in(tx, organisation);
    delegations::end_all_of(tx, organisation, code, due)?;
    end_leads_of(tx, organisation);
    end_committee_seats_of(tx, organisation);
    end_sponsorships_of(tx, organisation);
    end_support_of(tx, organisation);
    motion::end_unused_proxies_of(tx, organisation);
    seats::end_all_of(tx, organisation, code, due)?;
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
pub(super) fn end_committee_seats_of(tx: &mut Tx, organisation: OrganisationId) {
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

/// Numbers of the objects for which a deadline of this kind runs.
fn running(tx: &Tx, kind: DeadlineKind) -> Vec<u32> {
    let of = (kind as u16, 0)..=(kind as u16, u32::MAX);
    let running = tx.t.deadline_of.range(of);
    running.map(|((_, number), _)| *number).collect()
}

/// It vouches for nobody who still looks for sponsors.
fn end_sponsorships_of(tx: &mut Tx, organisation: OrganisationId) {
    for number in running(tx, DeadlineKind::MembershipSponsors) {
        tx.t.sponsors()
            .remove((MembershipId::of(number), organisation));
    }
}

/// It supports no motion that still looks for support.
fn end_support_of(tx: &mut Tx, organisation: OrganisationId) {
    for number in running(tx, DeadlineKind::MotionSupport) {
        tx.t.supports().remove((MotionId::of(number), organisation));
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
