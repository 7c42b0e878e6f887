//! First dues: invoice (M26), receipt by the treasurer, confirmation by another officer (M27;
//! RULINGS R9).
//!
//! * A memo ledger in the charter's currency; it is never fund money and touches no account.
//! * The amount is the charter's for the class. Parts may arrive one after the other; each is
//!   entered and confirmed by itself.
//! * A bank reference is used once for the account of dues (N8). Money came between the invoice and
//!   today.
//!
//! Absent: yearly invoices and their due dates (M10), plans (M28), refunds.

use rollbook_proof::crypto::Hash;

use crate::account::Amount;
use crate::id::{InvoiceId, MembershipId};
use crate::identity::{Role, Scope};
use crate::lookup::rights;
use crate::object::invoice::{Invoice, InvoiceStatus, PendingReceipt};
use crate::object::membership::{Dues, DuesPart, Membership, Standing};
use crate::record::Receipt;
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::bank::{DUES, claim_reference, reference_key};
use crate::tx::Tx;
use crate::{refuse, require};

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
    };
    tx.t.dues().put(membership, part);
    Ok(())
}

/// M26.
pub(super) fn invoice(tx: &mut Tx, actor: &Actor, membership: MembershipId) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let membership = tx.get::<Membership>(membership)?;
    require!(
        membership.standing == Standing::Admitted,
        "M26.not-admitted",
        membership = membership.number
    );
    let invoiced = rights::first_invoice(&tx.t, membership.number)
        .is_some_and(|invoice| invoice.status != InvoiceStatus::Cancelled);
    require!(
        !invoiced,
        "M26.already-invoiced",
        membership = membership.number
    );
    let amount = tx
        .charter()?
        .class(membership.class)
        .map_or(Amount::ZERO, |class| class.dues);
    require!(
        amount > Amount::ZERO,
        "M26.class-without-dues",
        class = membership.class
    );
    let number = tx.next_id::<InvoiceId>();
    let invoice = Invoice {
        number,
        membership: membership.number,
        amount,
        received: Amount::ZERO,
        pending: None,
        issued_ms: tx.now,
        status: tx.begin::<Invoice>(number, "M26", InvoiceStatus::Open)?,
        since_ms: tx.now,
    };
    tx.put(invoice);
    if let Some(mut part) = tx.t.dues.get(&membership.number).cloned() {
        part.invoice = Some(number);
        tx.t.dues().put(membership.number, part);
    }
    Ok(())
}

/// M26: cancelled.
pub(super) fn cancel(tx: &mut Tx, actor: &Actor, number: InvoiceId) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?;
    let invoice = tx.get::<Invoice>(number)?;
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
    tx.advance(invoice, "M26", InvoiceStatus::Cancelled)
}

/// M27: entered by the treasurer.
pub(super) fn receive(tx: &mut Tx, actor: &Actor, receipt: &Receipt) -> Result<(), Refusal> {
    let entered_by = must_hold(tx, actor, Role::Treasurer, Scope::Alliance)?.person;
    let mut invoice = tx.get::<Invoice>(receipt.invoice)?;
    require!(
        invoice.status == InvoiceStatus::Open,
        "M27.not-open",
        invoice = invoice.number
    );
    require!(
        invoice.pending.is_none(),
        "M27.unconfirmed-receipt",
        invoice = invoice.number
    );
    let open = invoice.amount.saturating_sub(invoice.received);
    require!(
        receipt.amount <= open,
        "M27.more-than-open",
        amount = receipt.amount,
        open = open
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
    claim_reference(tx, &DUES, &receipt.reference)?;
    invoice.pending = Some(PendingReceipt {
        record: tx.record,
        amount: receipt.amount,
        reference: receipt.reference.clone(),
        value_date: receipt.value_date,
        entered_by,
    });
    tx.put(invoice);
    Ok(())
}

/// The second officer, another person than who entered the receipt, and the receipt meant.
fn judged(
    tx: &Tx,
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
    Ok((invoice, pending))
}

/// M27: confirmed.
pub(super) fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    number: InvoiceId,
    record: &Hash,
) -> Result<(), Refusal> {
    let (mut invoice, pending) = judged(tx, actor, number, record)?;
    invoice.received = invoice.received.saturating_add(pending.amount);
    if invoice.received >= invoice.amount {
        tx.go(&mut invoice, "M27", InvoiceStatus::Paid)?;
    }
    tx.put(invoice);
    Ok(())
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
    tx.put(invoice);
    Ok(())
}
