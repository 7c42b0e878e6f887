//! The clock of unpaid dues (M10 to M13; RULINGS R9, R17). It is the same for everybody.
//!
//! * It begins when an invoice is unpaid after its due day, and runs until nothing due is unpaid: on
//!   day 60 the first notice is due, on day 75 the vote is suspended, on day 90 the second notice is
//!   due, on day 105 the membership ends (parameters of the charter).
//! * No step without its notice: each waits until its notice has been served for so many days.
//! * It stands still while a receipt waits for its confirmation, and while a plan is kept (M28); then it
//!   goes on with what was left of each of its times.
//! * Who pays everything that is due, or has a plan accepted, is in good standing again. A vote comes
//!   back by the clock, with the next block, since it is public while the payment is not.
//! * A membership that ends takes its clock with it, never what it owes.
//!
//! Absent: deemed withdrawal for inactivity (RULINGS R41).

use rollbook_proof::number::LedgerTime;

use super::{dues, ends, notice, plan};
use crate::calendar::Period;
use crate::charter::StandingParameters;
use crate::event::{DuesMark, EventBody};
use crate::id::{Id as _, InvoiceId, MembershipId, NoticeId};
use crate::lookup::find;
use crate::object::invoice::Invoice;
use crate::object::membership::{Arrears, Dues, DuesPart, Membership, Standing};
use crate::refusal::Refusal;
use crate::rules::membership::admission::{moved, step};
use crate::tx::{DeadlineKind, Due, Tx};

/// The times of the clock.
const TIMES: [DeadlineKind; 4] = [
    DeadlineKind::DuesNotice,
    DeadlineKind::DuesSuspend,
    DeadlineKind::DuesNoticeAgain,
    DeadlineKind::DuesEnd,
];

fn parameters(tx: &Tx) -> Result<StandingParameters, Refusal> {
    Ok(tx.charter()?.standing)
}

fn is_live(tx: &Tx, membership: MembershipId) -> bool {
    let entry = tx.t.memberships.get(&membership);
    entry.is_some_and(|entry| matches!(entry.standing, Standing::Live(_)))
}

/// M10: an invoice is unpaid after its due day.
pub(super) fn on_invoice_due(tx: &mut Tx, number: InvoiceId, due: Due) -> Result<(), Refusal> {
    let membership = find::<Invoice>(&tx.t, number)?.membership;
    begin(tx, membership, due)
}

/// The clock begins, unless it runs, nothing is due, or the membership is over.
fn begin(tx: &mut Tx, membership: MembershipId, due: Due) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    let first = dues::overdue(tx, membership).into_iter().next();
    let Some(invoice) = first.filter(|_| part.arrears.is_none() && is_live(tx, membership)) else {
        return Ok(());
    };
    tx.go(&mut part, "M10", Dues::Arrears)?;
    part.arrears = Some(Box::new(Arrears {
        invoice: invoice.number,
        record: invoice.record,
        first_due_ms: None,
        first: None,
        suspend_waits: false,
        second_due_ms: None,
        second: None,
        end_waits: false,
        stopped: None,
        before_plan: None,
    }));
    let days = parameters(tx)?;
    for (kind, days) in TIMES.into_iter().zip([
        days.dues_notice_days,
        days.dues_suspend_days,
        days.dues_notice_again_days,
        days.dues_end_days,
    ]) {
        // They count from the due day, whatever the block was that saw it pass.
        let at = tx.calendar().deadline(due.at(), Period::Days(days));
        tx.schedule(kind, membership, at);
    }
    tell(tx, due, &part, DuesMark::Unpaid);
    tx.t.dues().put(membership, part);
    set_clock(tx, membership)
}

/// For members: what happened to the dues.
fn tell(tx: &mut Tx, due: Due, part: &DuesPart, what: DuesMark) {
    if let Some(arrears) = &part.arrears {
        let body = EventBody::DuesMoved {
            membership: part.membership,
            record: arrears.record,
            what,
            dues: part.dues,
        };
        tx.emit(due, body);
    }
}

/// For everybody: whether the member may vote.
fn tell_vote(tx: &mut Tx, due: Due, number: MembershipId, suspended: bool) -> Result<(), Refusal> {
    let organisation = find::<Membership>(&tx.t, number)?.organisation;
    let body = EventBody::VoteMoved {
        membership: number,
        organisation,
        suspended,
    };
    tx.emit(due, body);
    Ok(())
}

/// Whether the clock has to stand still: a receipt waits, or a plan runs.
fn must_stand(tx: &Tx, membership: MembershipId) -> bool {
    let waits = |invoice: &Invoice| {
        let pending = invoice.pending.as_ref();
        pending.is_some_and(|pending| tx.now <= pending.until_ms)
    };
    dues::overdue(tx, membership).iter().any(waits) || plan::running(tx, membership)
}

/// Nobody has judged a receipt in its days: the clock goes on.
pub(super) fn on_receipt_stands(tx: &mut Tx, number: InvoiceId) -> Result<(), Refusal> {
    let membership = tx.get::<Invoice>(number)?.membership;
    set_clock(tx, membership)
}

/// Stops the clock, or has it go on where it stopped.
pub(super) fn set_clock(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    let Some(mut arrears) = part.arrears.take() else {
        return Ok(());
    };
    let now = tx.now;
    match (must_stand(tx, membership), arrears.stopped.take()) {
        (true, None) => {
            let mut left = Vec::new();
            for kind in TIMES {
                if let Some(at) = tx.due(kind, membership) {
                    left.push((kind as u16, at.0.saturating_sub(now.0)));
                    tx.cancel(kind, membership);
                }
            }
            arrears.stopped = Some(left);
        }
        (false, Some(left)) => {
            for (kind, rest) in left {
                if let Some(kind) = DeadlineKind::from_number(kind) {
                    tx.schedule(kind, membership, now.plus_ms(rest));
                }
            }
        }
        (_, stopped) => arrears.stopped = stopped,
    }
    part.arrears = Some(arrears);
    tx.t.dues().put(membership, part);
    Ok(())
}

/// A time of the clock comes no sooner than this; it begins if it does not run.
fn no_sooner(
    tx: &mut Tx,
    membership: MembershipId,
    arrears: &mut Arrears,
    kind: DeadlineKind,
    least: LedgerTime,
) {
    let Some(left) = arrears.stopped.as_mut() else {
        let at = tx.due(kind, membership).map_or(least, |at| at.max(least));
        tx.schedule(kind, membership, at);
        return;
    };
    let rest = least.0.saturating_sub(tx.now.0);
    match left.iter_mut().find(|(known, _)| *known == kind as u16) {
        Some((_, known)) => *known = rest.max(*known),
        None => left.push((kind as u16, rest)),
    }
}

/// M29: since when the notice that this stage needs is due; none: it is not, or was served.
pub fn notice_due(part: &DuesPart, again: bool) -> Option<LedgerTime> {
    let arrears = part.arrears.as_deref()?;
    if again {
        let suspended = part.dues == Dues::VotingSuspended;
        arrears
            .second_due_ms
            .filter(|_| suspended && arrears.second.is_none())
    } else {
        arrears.first_due_ms.filter(|_| arrears.first.is_none())
    }
}

/// M29: a notice about unpaid dues is served.
pub(super) fn noticed(
    tx: &mut Tx,
    membership: MembershipId,
    again: bool,
    number: NoticeId,
) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    let days = parameters(tx)?.dues_warned_days;
    let least = tx.deadline(Period::Days(days));
    if let Some(arrears) = part.arrears.as_deref_mut() {
        let kind = if again {
            arrears.second = Some(number);
            arrears.end_waits = false;
            DeadlineKind::DuesEnd
        } else {
            arrears.first = Some(number);
            arrears.suspend_waits = false;
            DeadlineKind::DuesSuspend
        };
        no_sooner(tx, membership, arrears, kind, least);
    }
    tx.t.dues().put(membership, part);
    Ok(())
}

/// Acts out a time of the clock.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    membership: MembershipId,
    due: Due,
) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    let Some(arrears) = part.arrears.as_deref_mut() else {
        return Ok(());
    };
    let suspended = part.dues == Dues::VotingSuspended;
    let what = match kind {
        DeadlineKind::DuesNotice => {
            arrears.first_due_ms = Some(due.at());
            DuesMark::NoticeDue
        }
        DeadlineKind::DuesNoticeAgain => {
            arrears.second_due_ms = Some(due.at());
            DuesMark::NoticeAgainDue
        }
        DeadlineKind::DuesSuspend if arrears.first.is_none() => {
            arrears.suspend_waits = true;
            DuesMark::WaitsForNotice
        }
        DeadlineKind::DuesSuspend => return suspend(tx, part, due),
        DeadlineKind::DuesEnd if !suspended || arrears.second.is_none() => {
            arrears.end_waits = true;
            DuesMark::WaitsForNoticeAgain
        }
        DeadlineKind::DuesEnd => return end(tx, membership, due),
        DeadlineKind::DuesRestored => return restore(tx, membership, due),
        _ => return Ok(()),
    };
    tell(tx, due, &part, what);
    tx.t.dues().put(membership, part);
    Ok(())
}

/// M11.
fn suspend(tx: &mut Tx, mut part: DuesPart, due: Due) -> Result<(), Refusal> {
    let membership = part.membership;
    tx.go(&mut part, "M11", Dues::VotingSuspended)?;
    tx.t.dues().put(membership, part);
    tell_vote(tx, due, membership, true)
}

/// M13.
fn end(tx: &mut Tx, number: MembershipId, due: Due) -> Result<(), Refusal> {
    let membership = find::<Membership>(&tx.t, number)?.clone();
    let membership = step(tx, membership, "M13", Standing::TerminatedForArrears)?;
    moved(tx, due, &membership, "M13", None);
    ends::end_what_hangs_on(tx, &membership, "M13", Some(due))
}

/// The clock is gone, with everything that belongs to it.
fn clear(tx: &mut Tx, part: &mut DuesPart) -> Result<(), Refusal> {
    part.arrears = None;
    for kind in TIMES {
        tx.cancel(kind, part.membership);
    }
    tx.cancel(DeadlineKind::DuesRestored, part.membership);
    notice::drop_filed(tx, part.membership, |about| !about.is_of_discipline())
}

/// M12: after money, a credit or a cancelled invoice: is everything paid that is due?
pub(super) fn paid(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    plan::kept(tx, membership)?;
    let mut part = dues::part(tx, membership)?;
    if part.arrears.is_none() {
        return Ok(());
    }
    if !dues::overdue(tx, membership).is_empty() {
        return set_clock(tx, membership);
    }
    match part.dues {
        // A plan held the dues good; it is kept.
        Dues::Good => clear(tx, &mut part)?,
        Dues::Arrears => {
            tx.go(&mut part, "M12", Dues::Good)?;
            clear(tx, &mut part)?;
        }
        Dues::VotingSuspended => return restores(tx, membership),
    }
    tx.t.dues().put(membership, part);
    plan::drop_waiting(tx, membership)
}

/// The vote comes back with the next block.
fn restores(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    for kind in TIMES {
        // What was left of them stands in the part where a plan stopped the clock.
        tx.cancel(kind, membership);
    }
    let now = tx.now;
    tx.schedule(DeadlineKind::DuesRestored, membership, now);
    Ok(())
}

/// M12, by the clock.
fn restore(tx: &mut Tx, membership: MembershipId, due: Due) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    if part.dues != Dues::VotingSuspended {
        return Ok(());
    }
    tx.go(&mut part, "M12", Dues::Good)?;
    tell(tx, due, &part, DuesMark::Restored);
    tell_vote(tx, due, membership, false)?;
    if plan::running(tx, membership) {
        tx.t.dues().put(membership, part);
        return Ok(());
    }
    clear(tx, &mut part)?;
    tx.t.dues().put(membership, part);
    plan::drop_waiting(tx, membership)?;
    // Another invoice may have fallen due in between.
    begin(tx, membership, due)
}

/// M28: a plan is accepted. The clock stops, and the member is in good standing.
pub(super) fn planned(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    set_clock(tx, membership)?;
    let mut part = dues::part(tx, membership)?;
    let before = part.dues;
    if let Some(arrears) = part.arrears.as_deref_mut() {
        arrears.before_plan = Some(before);
    }
    if before == Dues::Arrears {
        tx.go(&mut part, "M12", Dues::Good)?;
    }
    tx.t.dues().put(membership, part);
    match before {
        Dues::VotingSuspended => restores(tx, membership),
        Dues::Good | Dues::Arrears => Ok(()),
    }
}

/// M28: an instalment was missed. The member stands where it stood, and the clock goes on where it
/// stopped.
pub(super) fn plan_missed(tx: &mut Tx, membership: MembershipId, due: Due) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    tx.cancel(DeadlineKind::DuesRestored, membership);
    let before = part
        .arrears
        .as_deref_mut()
        .and_then(|arrears| arrears.before_plan.take());
    if let Some(before) = before.filter(|before| *before != part.dues) {
        tx.go(&mut part, "M28", before)?;
        if before == Dues::VotingSuspended {
            tell_vote(tx, due, membership, true)?;
        }
    }
    tell(tx, due, &part, DuesMark::PlanMissed);
    tx.t.dues().put(membership, part);
    set_clock(tx, membership)
}

/// M28: a plan is kept. What else fell due meanwhile begins the clock anew.
pub(super) fn plan_kept(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    if part.dues == Dues::Good && part.arrears.is_some() {
        clear(tx, &mut part)?;
        tx.t.dues().put(membership, part);
    }
    // Their due times have passed: each is looked at again with the next block.
    let now = tx.now;
    for invoice in dues::overdue(tx, membership) {
        tx.schedule(DeadlineKind::InvoiceDue, invoice.number, now);
    }
    Ok(())
}

/// The membership ended: its clock ends, what it owes does not.
pub(super) fn membership_ended(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    let mut part = dues::part(tx, membership)?;
    clear(tx, &mut part)?;
    tx.t.dues().put(membership, part);
    let of = (membership, InvoiceId::MIN)..=(membership, InvoiceId::MAX);
    let open: Vec<InvoiceId> =
        tx.t.invoices_open
            .range(of)
            .map(|((_, number), _)| *number)
            .collect();
    for number in open {
        tx.cancel(DeadlineKind::InvoiceDue, number);
    }
    plan::membership_ended(tx, membership)
}
