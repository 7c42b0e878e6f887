//! M21: a company is none any more. The secretariat says so, with an extract of the register.
//!
//! * The membership ends for good, and with it what hangs on it ([`ends`]).
//! * A company that is merged into another is succeeded by it only once that one has signed for what
//!   the member owes. The two are one group from then on, and so are the companies of both groups: a
//!   successor that is a member has the one voice of all.
//! * What it owes, its agreements and its officers' keys stay: debts survive.
//!
//! Absent: agreements that go over to the successor by name. It has signed for them; they are paid and
//! owed as they stand.

use rollbook_proof::crypto::Hash;

use super::{ends, expect};
use crate::id::MembershipId;
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::find;
use crate::object::membership::{Ceased, Membership, Standing, Succession};
use crate::record::Cessation;
use crate::refusal::Refusal;
use crate::require;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::relations;
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
    if let Cessation::MergedInto { successor } = cause {
        require_unrelated(tx, actor, successor)?;
        require!(
            tx.t.successions.contains(&(number, successor)),
            "M21.successor-not-signed",
            membership = number,
            successor = successor
        );
    }
    let ceased = Ceased {
        cause,
        evidence: *evidence,
    };
    let membership = super::admission::step(tx, membership, "M21", Standing::Ceased(ceased))?;
    ends::end_what_hangs_on(tx, &membership, "M21", None)?;
    match cause {
        Cessation::MergedInto { successor } => {
            relations::merge(tx, membership.organisation, successor, *evidence)
        }
        Cessation::Dissolved | Cessation::Insolvent => Ok(()),
    }
}

/// A company signs for what a member owes that is merged into it. What it signed last counts.
pub(super) fn succeed(
    tx: &mut Tx,
    actor: &Actor,
    number: MembershipId,
    obligations: &Hash,
) -> Result<(), Refusal> {
    require!(
        actor.organisation.kind == OrganisationKind::Company,
        "M21.not-a-company",
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    let membership = find::<Membership>(&tx.t, number)?;
    expect(membership, "M21")?;
    require!(
        membership.organisation != actor.number(),
        "M21.own-successor",
        organisation = actor.number()
    );
    let succession = Succession {
        obligations: *obligations,
        record: tx.record,
        signed_ms: tx.now,
    };
    tx.t.successions().put((number, actor.number()), succession);
    Ok(())
}
