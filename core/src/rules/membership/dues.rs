//! Dues: invoices (M26), receipts by the treasurer, their confirmation by another officer (M27), what is
//! paid back (RULINGS R9, R41).
//!
//! * A memo ledger in the charter's currency; it is never fund money and touches no account.
//! * The amount is the charter's for the class, for the local days of the calendar year that are left,
//!   the first one included: floor(yearly dues x days left / days of the year). The first dues count
//!   from the day of their invoice, those of a year from its first day or from the day on which the
//!   member became one.
//! * A year is invoiced once. One act invoices all members that have no invoice for it.
//! * Parts may arrive one after the other; each is entered and confirmed by itself. What is received too
//!   much pays other open invoices, the oldest first, and then the next one. A change of class bills or
//!   credits the difference.
//! * A bank reference is used once for the account of dues (N8). Money came between the invoice and
//!   today.
//! * First dues of somebody who never became a member are paid back in whole.
//! * What is owed stays owed, however a membership ended.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use super::arrears;
use crate::account::Amount;
use crate::calendar::{CivilDate, LocalDay, Period, is_leap_year};
use crate::charter::Class;
use crate::id::{Id as _, InvoiceId, MembershipId};
use crate::identity::{Role, Scope};
use crate::object::invoice::{Charge, Invoice, InvoiceStatus, PendingReceipt};
use crate::object::membership::{Dues, DuesPart, Membership, Standing, State};
use crate::record::Receipt;
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::bank::{DUES, claim_reference, reference_key};
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

/// Most invoices that one record issues; the next record issues those that are left.
pub const INVOICES_MAX: usize = 1_000;

/// The dues part of a new membership.
pub(super) fn begin(
    tx: &mut Tx,
    membership: MembershipId,
    code: &'static str,
) -> Result<(), Refusal> {
    let part = DuesPart {
        membership,
        dues: tx.begin::<DuesPart>(membership, code, Dues::Good)?,
        since_ms: tx.now,
        invoice: None,
        credit: Amount::ZERO,
        arrears: None,
    };
    tx.t.dues().put(membership, part);
    Ok(())
}

/// The dues part of a membership, a copy.
pub(super) fn part(tx: &Tx, membership: MembershipId) -> Result<DuesPart, Refusal> {
    match tx.t.dues.get(&membership) {
        Some(part) => Ok(part.clone()),
        // Every membership has its dues part.
        None => refuse!("A4.unknown-membership", membership = membership),
    }
}

/// Dues from a day of a year to its end, in minor units; none if that is no day of the year.
pub fn pro_rata(yearly: Amount, year: u32, from: LocalDay) -> Option<Amount> {
    let year = i64::from(year);
    let first = CivilDate::new(year, 1, 1)?.day_number();
    let last = CivilDate::new(year, 12, 31)?.day_number();
    if !(first..=last).contains(&from) {
        return None;
    }
    let days: u128 = if is_leap_year(year) { 366 } else { 365 };
    let left = u128::try_from(last.0 - from.0 + 1).ok()?;
    let amount = u128::from(yearly.0).checked_mul(left)? / days;
    u64::try_from(amount).ok().map(Amount)
}

fn yearly(tx: &Tx, class: Class) -> Result<Amount, Refusal> {
    let rule = tx.charter()?.class(class);
    Ok(rule.map_or(Amount::ZERO, |rule| rule.dues))
}

fn year_of(day: LocalDay) -> u32 {
    u32::try_from(day.date().year).unwrap_or(u32::MAX)
}

/// What an invoice is for.
struct Billed {
    charge: Charge,
    year: u32,
    class: Class,
    from: LocalDay,
    amount: Amount,
}

/// Writes an invoice; what is to be credited pays it first.
fn issue(tx: &mut Tx, membership: MembershipId, billed: Billed) -> Result<InvoiceId, Refusal> {
    let number = tx.next_id::<InvoiceId>();
    let days = tx.charter()?.membership.invoice_days;
    let mut due_ms = tx.deadline(Period::Days(days));
    if billed.charge == Charge::Year {
        // The dues of a year are due in that year, however early they are billed.
        due_ms = due_ms.max(tx.calendar().end_of_day(billed.from));
    }
    let code = match billed.charge {
        Charge::First | Charge::Year => "M26",
        Charge::ClassChange => "R41",
    };
    // The clock carries a class change out. What events tell of its invoice must not be guessed, so it
    // stands under the record that issued the year's.
    let year = tx.t.invoiced.get(&(membership, billed.year)).copied();
    let record = match (billed.charge, year) {
        (Charge::ClassChange, Some(year)) => tx.get::<Invoice>(year)?.record,
        _ => tx.record,
    };
    let invoice = Invoice {
        number,
        membership,
        charge: billed.charge,
        year: billed.year,
        class: billed.class,
        from: billed.from,
        amount: billed.amount,
        credited: Amount::ZERO,
        received: Amount::ZERO,
        pending: None,
        record,
        issued_ms: tx.now,
        due_ms,
        status: tx.begin::<Invoice>(number, code, InvoiceStatus::Open)?,
        since_ms: tx.now,
    };
    // An applicant that does not pay its first dues is not activated.
    if billed.charge != Charge::First {
        tx.schedule(DeadlineKind::InvoiceDue, number, due_ms);
    }
    tx.put(invoice);
    tx.t.invoices_open().put((membership, number), 0);
    if billed.charge != Charge::ClassChange {
        tx.t.invoiced().put((membership, billed.year), number);
    }
    use_credit(tx, membership)?;
    Ok(number)
}

/// M26: one membership, admitted or live.
pub(super) fn invoice(tx: &mut Tx, actor: &Actor, membership: MembershipId) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let membership = tx.get::<Membership>(membership)?;
    let charge = match membership.standing {
        Standing::Admitted => Charge::First,
        Standing::Live(_) => Charge::Year,
        _ => refuse!("M26.not-admitted", membership = membership.number),
    };
    let today = tx.calendar().day_of(tx.now);
    let year = year_of(today);
    let invoiced = tx.t.invoiced.contains(&(membership.number, year));
    require!(
        !invoiced,
        "M26.already-invoiced",
        membership = membership.number
    );
    let dues = yearly(tx, membership.class)?;
    require!(
        dues > Amount::ZERO,
        "M26.class-without-dues",
        class = membership.class
    );
    let from = match charge {
        Charge::First => today,
        _ => first_day(tx, &membership, year),
    };
    let amount = pro_rata(dues, year, from).unwrap_or(dues);
    let billed = Billed {
        charge,
        year,
        class: membership.class,
        from,
        amount,
    };
    let number = issue(tx, membership.number, billed)?;
    if charge == Charge::First {
        let mut part = part(tx, membership.number)?;
        part.invoice = Some(number);
        tx.t.dues().put(membership.number, part);
    }
    Ok(())
}

/// The first day of a year that a member is billed.
fn first_day(tx: &Tx, membership: &Membership, year: u32) -> LocalDay {
    let begins = CivilDate::new(i64::from(year), 1, 1).map(CivilDate::day_number);
    let entered = membership.active_ms.map(|at| tx.calendar().day_of(at));
    begins.max(entered).unwrap_or(LocalDay(0))
}

/// M26: the dues of a year, to every member that has no invoice for it.
pub(super) fn invoice_year(tx: &mut Tx, actor: &Actor, year: u32) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let this = year_of(tx.calendar().day_of(tx.now));
    require!(
        year == this || year == this.saturating_add(1),
        "M26.other-year",
        year = year,
        this = this
    );
    let members: Vec<Membership> =
        tx.t.memberships
            .iter()
            .map(|(_, membership)| membership)
            .filter(|membership| matches!(membership.standing, Standing::Live(_)))
            .filter(|membership| !tx.t.invoiced.contains(&(membership.number, year)))
            .cloned()
            .collect();
    let mut issued = 0;
    for membership in members {
        if issued >= INVOICES_MAX {
            break;
        }
        let dues = yearly(tx, membership.class)?;
        let from = first_day(tx, &membership, year);
        let amount = pro_rata(dues, year, from).unwrap_or(Amount::ZERO);
        if amount == Amount::ZERO {
            continue;
        }
        let billed = Billed {
            charge: Charge::Year,
            year,
            class: membership.class,
            from,
            amount,
        };
        issue(tx, membership.number, billed)?;
        issued += 1;
    }
    require!(issued > 0, "M26.nobody-to-invoice", year = year);
    Ok(())
}

/// R41: a member has another class from today on: the difference for what is left of a year that is
/// invoiced is billed, or credited.
pub fn class_changed(tx: &mut Tx, before: &Membership, class: Class) -> Result<(), Refusal> {
    let today = tx.calendar().day_of(tx.now);
    let (old, new) = (yearly(tx, before.class)?, yearly(tx, class)?);
    let this = year_of(today);
    for year in [this, this.saturating_add(1)] {
        if !tx.t.invoiced.contains(&(before.number, year)) {
            continue;
        }
        let from = first_day(tx, before, year).max(if year == this {
            today
        } else {
            LocalDay(i64::MIN)
        });
        let part_of = |dues| pro_rata(dues, year, from).unwrap_or(Amount::ZERO);
        let (old, new) = (part_of(old), part_of(new));
        if new > old {
            let billed = Billed {
                charge: Charge::ClassChange,
                year,
                class,
                from,
                amount: new.saturating_sub(old),
            };
            issue(tx, before.number, billed)?;
        } else if new < old {
            let mut part = part(tx, before.number)?;
            part.credit = part.credit.saturating_add(old.saturating_sub(new));
            tx.t.dues().put(before.number, part);
            use_credit(tx, before.number)?;
        }
    }
    Ok(())
}

/// The invoices of a membership that wait for money, oldest first.
pub fn open_invoices(tx: &Tx, membership: MembershipId) -> Vec<Invoice> {
    let of = (membership, InvoiceId::MIN)..=(membership, InvoiceId::MAX);
    let numbers = tx.t.invoices_open.range(of);
    numbers
        .filter_map(|((_, number), _)| tx.t.invoices.get(number).cloned())
        .collect()
}

/// What is to be credited pays open invoices, oldest first.
fn use_credit(tx: &mut Tx, membership: MembershipId) -> Result<(), Refusal> {
    for mut invoice in open_invoices(tx, membership) {
        let mut part = part(tx, membership)?;
        let used = part.credit.min(invoice.open());
        if used == Amount::ZERO || invoice.pending.is_some() {
            continue;
        }
        part.credit = part.credit.saturating_sub(used);
        tx.t.dues().put(membership, part);
        invoice.credited = invoice.credited.saturating_add(used);
        if invoice.open() == Amount::ZERO {
            tx.go(&mut invoice, "R41", InvoiceStatus::Paid)?;
            closed(tx, &invoice);
        }
        tx.put(invoice);
    }
    arrears::paid(tx, membership)
}

/// An invoice waits for money no longer.
fn closed(tx: &mut Tx, invoice: &Invoice) {
    tx.cancel(DeadlineKind::InvoiceDue, invoice.number);
    tx.t.invoices_open()
        .remove((invoice.membership, invoice.number));
}

/// M26: cancelled.
pub(super) fn cancel(tx: &mut Tx, actor: &Actor, number: InvoiceId) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let mut invoice = tx.get::<Invoice>(number)?;
    require!(
        invoice.status == InvoiceStatus::Open,
        "M26.not-open",
        invoice = number
    );
    require!(
        invoice.received == Amount::ZERO && invoice.pending.is_none(),
        "M26.money-received",
        invoice = number
    );
    // R41: the difference was billed or credited by this invoice; without it both would count anew.
    let class = tx.get::<Membership>(invoice.membership)?.class;
    require!(
        invoice.charge == Charge::First || class == invoice.class,
        "M26.class-changed",
        invoice = number,
        class = class
    );
    tx.go(&mut invoice, "M26", InvoiceStatus::Cancelled)?;
    closed(tx, &invoice);
    let (membership, key) = (invoice.membership, (invoice.membership, invoice.year));
    if tx.t.invoiced.get(&key) == Some(&number) {
        tx.t.invoiced().remove(key);
    }
    // What had been credited is there for the next one.
    let mut part = part(tx, membership)?;
    part.credit = part.credit.saturating_add(invoice.credited);
    tx.t.dues().put(membership, part);
    invoice.credited = Amount::ZERO;
    tx.put(invoice);
    use_credit(tx, membership)
}

/// The invoice, if no entry waits on it, and the day on which money moved fits.
fn entered(tx: &Tx, receipt: &Receipt) -> Result<Invoice, Refusal> {
    let invoice = tx.get::<Invoice>(receipt.invoice)?;
    require!(
        invoice.pending.is_none(),
        "M27.unconfirmed-receipt",
        invoice = invoice.number
    );
    let (calendar, now) = (tx.calendar(), tx.now);
    let (today, issued) = (calendar.day_of(now), calendar.day_of(invoice.issued_ms));
    require!(
        receipt.value_date <= today,
        "M27.value-date-ahead",
        value_date = receipt.value_date,
        today = today
    );
    require!(
        receipt.value_date >= issued,
        "M27.value-date-before-invoice",
        value_date = receipt.value_date,
        issued = issued
    );
    Ok(invoice)
}

/// The entry waits for the second officer; the clock of the dues stands still meanwhile.
fn enter(
    tx: &mut Tx,
    actor: &Actor,
    mut invoice: Invoice,
    receipt: &Receipt,
    pays_back: bool,
) -> Result<(), Refusal> {
    let entered_by = must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?.person;
    claim_reference(tx, &DUES, &receipt.reference)?;
    let steps = tx.charter()?.funding.step_days;
    let until_ms = tx.deadline(Period::WorkingDays(steps));
    tx.schedule(DeadlineKind::ReceiptStands, invoice.number, until_ms);
    invoice.pending = Some(PendingReceipt {
        until_ms,
        record: tx.record,
        amount: receipt.amount,
        reference: receipt.reference.clone(),
        value_date: receipt.value_date,
        entered_by,
        pays_back,
    });
    let membership = invoice.membership;
    tx.put(invoice);
    arrears::set_clock(tx, membership)
}

/// M27: entered by the treasurer.
pub(super) fn receive(tx: &mut Tx, actor: &Actor, receipt: &Receipt) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let invoice = tx.get::<Invoice>(receipt.invoice)?;
    require!(
        invoice.status == InvoiceStatus::Open,
        "M27.not-open",
        invoice = invoice.number
    );
    let invoice = entered(tx, receipt)?;
    enter(tx, actor, invoice, receipt, false)
}

/// Whether what was received on an invoice goes back: its applicant never became a member, and will not
/// by this application.
pub fn goes_back(membership: &Membership, invoice: &Invoice, credit: Amount) -> Option<Amount> {
    let ended = match membership.standing.state() {
        State::Rejected | State::Lapsed | State::ApplicationWithdrawn => true,
        State::Founding
        | State::Applied
        | State::Screening
        | State::Returned
        | State::Sponsoring
        | State::Balloting
        | State::Admitted
        | State::Active
        | State::Ceased
        | State::TerminatedForArrears
        | State::Expelled
        | State::Withdrawn => false,
    };
    let received = invoice.received.saturating_add(credit);
    let open = matches!(invoice.status, InvoiceStatus::Open | InvoiceStatus::Paid);
    (ended && open && received > Amount::ZERO).then_some(received)
}

/// R41: entered by the treasurer that the first dues went back.
pub(super) fn pay_back(tx: &mut Tx, actor: &Actor, receipt: &Receipt) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let invoice = tx.get::<Invoice>(receipt.invoice)?;
    let membership = tx.get::<Membership>(invoice.membership)?;
    let credit = part(tx, membership.number)?.credit;
    let Some(received) = goes_back(&membership, &invoice, credit) else {
        refuse!("R41.nothing-to-pay-back", invoice = invoice.number)
    };
    let invoice = entered(tx, receipt)?;
    require!(
        receipt.amount == received,
        "R41.other-amount",
        amount = receipt.amount,
        paid = received
    );
    enter(tx, actor, invoice, receipt, true)
}

/// The second officer, another person than who entered the receipt, and the receipt meant.
fn judged(
    tx: &mut Tx,
    actor: &Actor,
    number: InvoiceId,
    record: &Hash,
) -> Result<(Invoice, PendingReceipt), Refusal> {
    let officer = must_hold(tx, actor, Role::SecondOfficer, Scope::Alliance)?.person;
    let mut invoice = tx.get::<Invoice>(number)?;
    let Some(pending) = invoice
        .pending
        .take()
        .filter(|pending| pending.record == *record)
    else {
        refuse!("M27.no-such-receipt", invoice = number, receipt = record)
    };
    let entered_by = pending.entered_by;
    let others = officer != entered_by
        && actor
            .signers
            .iter()
            .all(|signer| signer.person != entered_by);
    require!(others, "M27.same-person", person = entered_by);
    tx.cancel(DeadlineKind::ReceiptStands, number);
    Ok((invoice, pending))
}

/// M27: confirmed. What is above what is open is credited.
pub(super) fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    number: InvoiceId,
    record: &Hash,
) -> Result<(), Refusal> {
    let (mut invoice, pending) = judged(tx, actor, number, record)?;
    let membership = invoice.membership;
    let mut part = part(tx, membership)?;
    if pending.pays_back {
        // Another invoice of the same applicant may have been paid back meanwhile.
        let applicant = tx.get::<Membership>(membership)?;
        let back = goes_back(&applicant, &invoice, part.credit).unwrap_or(Amount::ZERO);
        require!(
            back == pending.amount,
            "R41.other-amount",
            amount = pending.amount,
            paid = back
        );
        part.credit = Amount::ZERO;
        tx.t.dues().put(membership, part);
        tx.go(&mut invoice, "R41", InvoiceStatus::PaidBack)?;
        closed(tx, &invoice);
        tx.put(invoice);
        return Ok(());
    }
    let (open, was) = (invoice.open(), invoice.received);
    let used = pending.amount.min(open);
    invoice.received = was.saturating_add(used);
    part.credit = part
        .credit
        .saturating_add(pending.amount.saturating_sub(used));
    tx.t.dues().put(membership, part);
    if invoice.open() == Amount::ZERO {
        tx.go(&mut invoice, "M27", InvoiceStatus::Paid)?;
        closed(tx, &invoice);
    }
    tx.put(invoice);
    use_credit(tx, membership)
}

/// M27: not confirmed; as if not entered.
pub(super) fn decline(
    tx: &mut Tx,
    actor: &Actor,
    number: InvoiceId,
    record: &Hash,
) -> Result<(), Refusal> {
    let (invoice, pending) = judged(tx, actor, number, record)?;
    tx.t.bank_references()
        .remove(reference_key(&DUES, &pending.reference));
    let membership = invoice.membership;
    tx.put(invoice);
    use_credit(tx, membership)
}

/// An invoice that an ended membership has left unpaid; none if it owes nothing. First dues are owed by
/// nobody: who does not pay them is not activated.
pub(super) fn owed(tx: &Tx, membership: MembershipId) -> Option<InvoiceId> {
    let open = open_invoices(tx, membership);
    let owed = open.iter().find(|invoice| invoice.charge != Charge::First);
    owed.map(|invoice| invoice.number)
}

/// What a membership owes that is past its due time. An outage lengthens the time, so the deadline says
/// when it is (R12).
pub(super) fn overdue(tx: &Tx, membership: MembershipId) -> Vec<Invoice> {
    let is_due = |invoice: &Invoice| {
        invoice.charge != Charge::First
            && tx.due(DeadlineKind::InvoiceDue, invoice.number).is_none()
    };
    let mut open = open_invoices(tx, membership);
    open.retain(is_due);
    open
}

/// The last ledger time at which an invoice is paid in time, if it has one.
pub fn due_ms(invoice: &Invoice) -> Option<LedgerTime> {
    (invoice.charge != Charge::First).then_some(invoice.due_ms)
}
