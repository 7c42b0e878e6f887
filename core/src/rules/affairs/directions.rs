//! Working directions (M37): members join and leave them, and one member leads each.
//!
//! * A member works in sixteen directions at most. What a company said of itself in its registration
//!   stands, too, and becomes that of a member with the membership.
//! * The lead is named by the board, which decides as about a post; the member works in the direction.
//!   Another lead takes its place. It ends when the member gives it up, leaves the direction, or is a
//!   member no longer (M21); a new membership does not bring it back.
//! * Leading gives no right on the ledger: it says who convenes the direction.
//!
//! Absent: directions and working groups that come and go; they come with working groups' own decisions.

use rollbook_proof::number::OrganisationId;

use crate::id::{DirectionId, MotionId};
use crate::identity::{DIRECTIONS_MAX, Organisation, Role};
use crate::lookup::{directions, rights};
use crate::object::direction::Lead;
use crate::record::NameLead;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::Actor;
use crate::rules::effect::Effect;
use crate::tx::{Due, Tx};

fn known(tx: &Tx, direction: DirectionId) -> Result<(), Refusal> {
    require!(
        tx.t.directions.contains(&direction),
        "M37.unknown-direction",
        direction = direction
    );
    Ok(())
}

/// The organisation, if it is a member whose primary signs.
fn member(tx: &Tx, actor: &Actor) -> Result<Organisation, Refusal> {
    actor.must_sign(Role::Primary)?;
    require!(
        rights::is_live(&tx.t, actor.number()),
        "M37.not-a-member",
        organisation = actor.number()
    );
    Ok(tx.organisation(actor.number())?.clone())
}

/// A member works in the direction from now on.
pub(crate) fn join(tx: &mut Tx, actor: &Actor, direction: DirectionId) -> Result<Outcome, Refusal> {
    known(tx, direction)?;
    let mut own = member(tx, actor)?;
    require!(
        !own.directions.contains(&direction),
        "M37.joined-already",
        direction = direction
    );
    require!(
        own.directions.len() < DIRECTIONS_MAX,
        "M37.too-many",
        limit = DIRECTIONS_MAX
    );
    own.directions.push(direction);
    own.directions.sort_unstable();
    tx.put(own);
    Ok(Outcome::Applied)
}

/// A member works in the direction no longer, and leads it no longer.
pub(crate) fn leave(
    tx: &mut Tx,
    actor: &Actor,
    direction: DirectionId,
) -> Result<Outcome, Refusal> {
    known(tx, direction)?;
    let mut own = member(tx, actor)?;
    must_work_in(tx, actor.number(), direction)?;
    own.directions.retain(|other| *other != direction);
    if leads(tx, actor.number(), direction) {
        tx.t.leads().remove(direction);
    }
    tx.put(own);
    Ok(Outcome::Applied)
}

/// The member that leads the direction leads it no longer.
pub(crate) fn give_up(
    tx: &mut Tx,
    actor: &Actor,
    direction: DirectionId,
) -> Result<Outcome, Refusal> {
    known(tx, direction)?;
    member(tx, actor)?;
    require!(
        leads(tx, actor.number(), direction),
        "M37.not-the-lead",
        direction = direction,
        organisation = actor.number()
    );
    tx.t.leads().remove(direction);
    Ok(Outcome::Applied)
}

fn leads(tx: &Tx, organisation: OrganisationId, direction: DirectionId) -> bool {
    directions::lead(&tx.t, direction).is_some_and(|lead| lead.organisation == organisation)
}

fn must_work_in(
    tx: &Tx,
    organisation: OrganisationId,
    direction: DirectionId,
) -> Result<(), Refusal> {
    require!(
        directions::works_in(&tx.t, organisation, direction),
        "M37.not-joined",
        direction = direction,
        organisation = organisation
    );
    Ok(())
}

impl Effect for NameLead {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        vec![self.organisation]
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        known(tx, self.direction)?;
        tx.organisation(self.organisation)?;
        require!(
            rights::is_live(&tx.t, self.organisation),
            "M37.not-a-member",
            organisation = self.organisation
        );
        must_work_in(tx, self.organisation, self.direction)?;
        require!(
            !leads(tx, self.organisation, self.direction),
            "M37.leads-already",
            direction = self.direction,
            organisation = self.organisation
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        let lead = Lead {
            organisation: self.organisation,
            motion,
            since_ms: tx.now,
        };
        tx.t.leads().put(self.direction, lead);
        Ok(())
    }
}
