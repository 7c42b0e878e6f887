//! What is next of dues, plans, notices and proceedings, for members.

use super::{Found, Object, currency};
use crate::id::{NoticeId, PlanId, ProceedingId};
use crate::object::invoice::{Charge, Invoice, InvoiceStatus};
use crate::object::membership::{Dues, Membership, State};
use crate::object::proceeding::{Proceeding, ProceedingStatus};
use crate::object::{notice, plan};
use crate::rules::membership::{arrears, dues};
use crate::state::StateTables;
use crate::tx::DeadlineKind as D;
use crate::word::Word as _;

/// A live membership: the secretariat owes it a notice, or nobody has to do anything.
pub(super) fn of_member(
    tables: &StateTables,
    entry: &Membership,
    found: Found,
    is_member: bool,
) -> Found {
    let mut found = found.who("");
    found.next.otherwise.clear();
    let part = tables.dues.get(&entry.number).filter(|_| is_member);
    let due = part.is_some_and(|part| {
        arrears::notice_due(part, false).is_some() || arrears::notice_due(part, true).is_some()
    });
    if due {
        found = found.who("SEC");
        let invoice = part.and_then(|part| part.arrears.as_deref());
        found = found.see(Object::Invoice, invoice.map(|arrears| arrears.invoice.0));
    }
    found
}

/// An invoice: what the member owes, until when, and what follows.
pub(super) fn of_invoice(tables: &StateTables, entry: &Invoice) -> Found {
    let membership = tables.memberships.get(&entry.membership);
    let part = tables.dues.get(&entry.membership);
    let credit = part.map(|part| part.credit).unwrap_or_default();
    let back = membership.is_some_and(|of| dues::goes_back(of, entry, credit).is_some());
    let (who, then) = match (entry.status, entry.pending.is_some()) {
        (InvoiceStatus::Open | InvoiceStatus::Paid, true) => ("OFF", None),
        _ if back => ("TRE", Some("OFF")),
        (InvoiceStatus::Open, false) => ("MEM, TRE", Some("OFF")),
        _ => ("", None),
    };
    let of = entry.membership.0;
    let mut found = Found::new(Object::Invoice, entry.number.0, entry.status.word())
        .who(who)
        .due(
            tables,
            &[
                (D::MembershipActivate, of),
                (D::InvoiceDue, entry.number.0),
                (D::DuesSuspend, of),
                (D::DuesEnd, of),
            ],
        )
        .of(membership.map(|membership| membership.organisation))
        .unit(currency(tables));
    found.next.then = then;
    let live = membership.is_some_and(|of| of.standing.state() == State::Active);
    let waits = entry.status == InvoiceStatus::Open && live && entry.charge != Charge::First;
    if let Some(part) = part.filter(|_| waits) {
        let follows = match part.dues {
            Dues::Good => Dues::Arrears.word(),
            Dues::Arrears => Dues::VotingSuspended.word(),
            Dues::VotingSuspended => State::TerminatedForArrears.word(),
        };
        found.next.otherwise = vec![follows];
    }
    found
}

pub(super) fn of(tables: &StateTables, object: Object, number: u32) -> Option<Found> {
    Some(match object {
        Object::Plan => {
            let entry = tables.plans.get(&PlanId(number))?;
            let membership = tables.memberships.get(&entry.membership);
            let out = [plan::PlanStatus::Dropped];
            let found = Found::table(object, number, entry.status, &plan::ROWS, &out)
                .due(tables, &[(D::PlanInstalment, number)])
                .of(membership.map(|membership| membership.organisation))
                .unit(currency(tables));
            match entry.status {
                plan::PlanStatus::Running => found.who("MEM"),
                _ => found,
            }
        }
        Object::Notice => {
            let entry = tables.notices.get(&NoticeId(number))?;
            let out = [notice::NoticeStatus::Dropped];
            Found::table(object, number, entry.status, &notice::ROWS, &out)
                .of(Some(entry.organisation))
        }
        Object::Proceeding => {
            let entry = tables.proceedings.get(&ProceedingId(number))?;
            let found = Found::new(object, number, entry.status.word())
                .who(waits_for(entry))
                .due(
                    tables,
                    &[
                        (D::ProceedingLapse, number),
                        (D::ExpulsionFinal, entry.membership.0),
                    ],
                )
                .of(Some(entry.organisation))
                .see(Object::Motion, entry.appeal.map(|motion| motion.0));
            let mut found = found;
            found.next.otherwise = match entry.status {
                ProceedingStatus::Filed | ProceedingStatus::Open => {
                    vec![ProceedingStatus::Lapsed.word()]
                }
                ProceedingStatus::Expelled => vec![ProceedingStatus::Final.word()],
                _ => Vec::new(),
            };
            found
        }
        _ => return None,
    })
}

/// Who acts next in a proceeding.
fn waits_for(entry: &Proceeding) -> &'static str {
    match entry.status {
        ProceedingStatus::Filed => "seat holder",
        ProceedingStatus::Open if entry.notice.is_none() => "SEC",
        ProceedingStatus::Open if entry.heard.is_none() => "MEM, SEC",
        ProceedingStatus::Open => "BRD",
        ProceedingStatus::Expelled => "MEM",
        ProceedingStatus::Appealed
        | ProceedingStatus::Closed
        | ProceedingStatus::Lapsed
        | ProceedingStatus::Ended
        | ProceedingStatus::Suspended
        | ProceedingStatus::Upheld
        | ProceedingStatus::Final => "",
    }
}
