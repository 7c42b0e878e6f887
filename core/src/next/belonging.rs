//! What is next of a membership and of a relation: applications, who leaves, who answers to a claim.

use super::{Found, Object, currency, standing};
use crate::id::{MembershipId, RelationId, SeatId};
use crate::lookup::rights;
use crate::object::invoice::InvoiceStatus;
use crate::object::membership;
use crate::object::relation::RelationStatus;
use crate::object::seat::SeatStatus;
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
        membership::State::Active => live(tables, entry, found, is_member),
        membership::State::Balloting => {
            found.see(Object::Motion, entry.motion.map(|motion| motion.0))
        }
        _ => found,
    };
    Some(found)
}

/// Where a relation stands: who has not said it, who looks at its end.
pub(super) fn relation(tables: &StateTables, number: u32) -> Option<Found> {
    use RelationStatus as R;
    let key = tables.relation_ids.get(&RelationId(number))?;
    let edge = tables.edges.get(key)?;
    let object = Object::Relation;
    let kinds = [DeadlineKind::RelationLapse, DeadlineKind::RelationEnd];
    let found = Found::new(object, number, edge.status.word())
        .due(tables, &kinds.map(|kind| (kind, number)))
        .of(Some(edge.ends.0));
    let silent = [(edge.ends.0, edge.said_ms.0), (edge.ends.1, edge.said_ms.1)]
        .into_iter()
        .filter(|(_, said)| said.is_none())
        .map(|(end, _)| end);
    let mut found = match edge.status {
        _ if edge.end_asked.is_some() => found.who("SEC"),
        R::Claimed | R::Declared => {
            let mut found = found.who(match edge.status {
                R::Claimed => "one end",
                _ => "other end",
            });
            found.next.named = silent.collect();
            found
        }
        R::Ending => found.who("CLK"),
        R::Confirmed | R::Waiting | R::Joined | R::Dropped | R::Ended | R::Annulled => found,
    };
    match edge.status {
        R::Claimed => found.next.otherwise = vec![R::Dropped.word()],
        R::Ending => found.next.otherwise = vec![R::Ended.word()],
        _ => {}
    }
    Some(found)
}

/// Whether the days run in which a group gives up this seat or an earlier one (M24).
pub(crate) fn is_cured(tables: &StateTables, seat: SeatId) -> bool {
    let key = (DeadlineKind::SeatCure as u16, seat.0);
    tables.deadline_of.contains(&key)
}

/// A seat of a group that has an earlier one: the member gives one up.
pub(super) fn cured(found: Found) -> Found {
    let mut found = found.who("MEM");
    found.next.otherwise = vec![SeatStatus::Ended.word()];
    found
}

/// A live membership: whether it leaves, and whether a successor has signed so that the secretariat can
/// end it.
fn live(
    tables: &StateTables,
    entry: &membership::Membership,
    found: Found,
    is_member: bool,
) -> Found {
    let mut found = standing::of_member(tables, entry, found, is_member);
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
