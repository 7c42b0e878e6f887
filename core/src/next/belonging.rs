//! What is next of a membership: its application, and whether it leaves.

use super::{Found, Object, currency};
use crate::id::MembershipId;
use crate::lookup::rights;
use crate::object::invoice::InvoiceStatus;
use crate::object::membership;
use crate::state::StateTables;
use crate::tx::DeadlineKind;
use crate::word::Word as _;

/// Where a membership stands, for readers who are members or are not.
pub(super) fn membership(tables: &StateTables, number: u32, is_member: bool) -> Option<Found> {
    use DeadlineKind as D;
    let entry = tables.memberships.get(&MembershipId(number))?;
    let state = entry.standing.state();
    let mut kinds: Vec<(DeadlineKind, u32)> = [
        D::MembershipScreen,
        D::MembershipResubmit,
        D::MembershipBallot,
        D::MembershipSponsors,
        D::MembershipActivate,
        D::MembershipAskAgain,
        D::MembershipEnd,
    ]
    .map(|kind| (kind, number))
    .to_vec();
    kinds.extend(entry.motion.map(|motion| (D::MotionClose, motion.0)));
    let found = Found::table(Object::Membership, number, state, &membership::ROWS, &[])
        .due(tables, &kinds)
        .of(Some(entry.organisation))
        .unit(currency(tables));
    let invoice = rights::first_invoice(tables, entry.number);
    let found = match state {
        membership::State::Sponsoring => found.who("sponsors").then("BRD"),
        membership::State::Admitted if entry.agreement.is_none() => found.who("applicant"),
        membership::State::Admitted if is_member && invoice.is_none() => {
            found.who("TRE").then("OFF")
        }
        membership::State::Admitted
            if is_member && invoice.is_some_and(|i| i.status == InvoiceStatus::Open) =>
        {
            match invoice.is_some_and(|invoice| invoice.pending.is_some()) {
                true => found.who("OFF").then("SEC"),
                false => found.who("TRE").then("OFF"),
            }
        }
        membership::State::Rejected if found.next.due.is_none() => found.who(""),
        membership::State::Active => live(tables, entry, found),
        membership::State::Balloting => {
            found.see(Object::Motion, entry.motion.map(|motion| motion.0))
        }
        _ => found,
    };
    Some(found)
}

/// A live membership: whether it leaves, and whether a successor has signed so that the secretariat can
/// end it.
fn live(tables: &StateTables, entry: &membership::Membership, found: Found) -> Found {
    let mut found = found.who("");
    found.next.otherwise.clear();
    if entry.exit.state() == membership::ExitState::WithdrawalPending {
        found.next.state = entry.exit.state().word();
        found.next.who = "CLK";
        found.next.otherwise = vec![membership::State::Withdrawn.word()];
    }
    // M22: its request for another class, while the board decides.
    let asked = entry.motion.filter(|motion| {
        let motion = tables.motions.get(motion);
        motion.is_some_and(|motion| !motion.status.is_final())
    });
    found = found.see(Object::Motion, asked.map(|motion| motion.0));
    if rights::has_successor(tables, entry.number) {
        found.next.who = "SEC";
    }
    found
}
