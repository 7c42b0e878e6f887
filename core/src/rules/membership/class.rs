//! M22: a member changes its class, up or down.
//!
//! * The member asks; its request opens a motion of the board, which decides as about an admission. The
//!   member is recused in it, and takes it back before the first ballot like any motion of its own.
//! * Who asks is in good standing: it neither leaves nor owes nor is suspended. The class of the first batch
//!   is closed.
//! * With the class its rights change at once, for motions that open afterwards and for those under way. A
//!   class without seats or without a vote has none on the board and in committees (RULINGS R32): what the
//!   member holds there ends.
//!
//! Absent: what the change bills or credits (RULINGS R41), with the yearly invoices.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use super::{dues, ends};
use crate::charter::Class;
use crate::id::{MembershipId, MotionId};
use crate::identity::Role;
use crate::lookup::{find, groups, rights};
use crate::object::matter::Matter;
use crate::object::membership::{Membership, Standing};
use crate::object::motion::Motion;
use crate::record::{ChangeClass, MotionEffect};
use crate::refusal::Refusal;
use crate::require;
use crate::rules::authority::Actor;
use crate::rules::effect::{Effect, Planned as _};
use crate::rules::motion::{self, Opening};
use crate::rules::seats;
use crate::tx::{Due, Tx};

/// The member asks for another class.
pub(super) fn ask(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    class: Class,
    reasons: &Hash,
) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    require!(
        membership.organisation == actor.number(),
        "M22.other-member",
        membership = number,
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    let plan = ChangeClass {
        membership: number,
        class,
    };
    check(tx, &plan)?;
    require!(
        rights::rights(&tx.t, actor.number()).may_sponsor,
        "M22.not-in-good-standing",
        organisation = actor.number()
    );
    let open = membership
        .motion
        .and_then(|motion| find::<Motion>(&tx.t, motion).ok())
        .filter(|motion| !motion.status.is_final());
    if let Some(open) = open {
        crate::refuse!(
            "M22.asked-already",
            membership = number,
            motion = open.number
        );
    }
    let effect = MotionEffect::ChangeClass(plan);
    let body = effect.plan().body(tx, effect.kind())?;
    let group = groups::group_of(&tx.t, actor.number());
    let motion = motion::open(
        tx,
        Opening {
            effect,
            proposer: Some((actor.number(), group)),
            body,
            text: *reasons,
            ballot_days: None,
        },
    )?;
    let mut membership = membership;
    membership.motion = Some(motion);
    tx.put(membership);
    Ok(())
}

/// Whether the membership may have the class: it is live, the class is open, and it is another.
fn check(tx: &Tx, plan: &ChangeClass) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, plan.membership)?;
    require!(
        matches!(membership.standing, Standing::Live(_)),
        "M22.not-a-member",
        membership = plan.membership,
        state = membership.standing.state()
    );
    let known = tx.charter()?.class(plan.class).is_some();
    require!(
        known && plan.class != Class::Founding,
        "M22.class-not-open",
        class = plan.class
    );
    require!(
        membership.class != plan.class,
        "M22.same-class",
        class = plan.class
    );
    Ok(())
}

impl Effect for ChangeClass {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Membership(self.membership)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let membership = find::<Membership>(&tx.t, self.membership).ok();
        membership
            .map(|entry| entry.organisation)
            .into_iter()
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, due: Due) -> Result<(), Refusal> {
        check(tx, self)?;
        let mut membership = find::<Membership>(&tx.t, self.membership)?.clone();
        // R41: what is left of a year that is invoiced is billed or credited.
        dues::class_changed(tx, &membership, self.class)?;
        membership.class = self.class;
        let organisation = membership.organisation;
        tx.put(membership);
        let votes = tx
            .charter()?
            .class(self.class)
            .is_some_and(|rule| rule.assembly_vote);
        if !votes {
            ends::end_committee_seats_of(tx, organisation);
        }
        seats::vacate(tx, due)
    }
}
