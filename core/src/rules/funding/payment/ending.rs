//! How a payment ends before the bank has it: refused, set off, or given up after a part of it was set off.
//!
//! * A refused payment frees its tranche, and no clock of it runs.
//! * What is set off has reached the grantee: such a payment is not refused, its rest is given up, whoever
//!   refuses it. Of an advance so much counts as released as was set off; what a milestone loses is paid with
//!   the holdback, and a holdback is asked for anew.
//! * After a termination no payment stands for more than what is still owed (F25): shares that were fixed
//!   while other milestones were to come are computed anew at the next request.

use rollbook_proof::codec::Text;

use super::tranche::release_tranche;
use crate::account::{AccountKind, Amount};
use crate::id::AgreementId;
use crate::lookup::payments::of_agreement;
use crate::object::agreement::Agreement;
use crate::object::payment::{Payment, PaymentState as S};
use crate::record::Tranche;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::bank::held;
use crate::tx::{DeadlineKind, Tx};

/// Why a payment of a terminated agreement is refused.
const TERMINATED: &str = "agreement-terminated";

/// F25: what is at hand of a terminated agreement's payments and owed to nobody is not paid. An advance that
/// the bank has not got, or gave back, is never paid after the end; of the others, oldest first, those that
/// together are more than what is still owed.
pub(in crate::rules::funding) fn end_what_is_not_owed(
    tx: &mut Tx,
    number: AgreementId,
) -> Result<(), Refusal> {
    let mut at_hand: Vec<Payment> = of_agreement(&tx.t, number)
        .filter(|payment| is_at_hand(payment.state))
        .cloned()
        .collect();
    // What the advance frees is not owed the less.
    at_hand.sort_by_key(|payment| payment.tranche != Tranche::Advance);
    let agreement = tx.get::<Agreement>(number)?;
    let committed = held(tx, agreement.fund, AccountKind::Committed(number));
    let mut owed = agreement.owed(committed);
    for payment in at_hand {
        if payment.tranche != Tranche::Advance && payment.amount <= owed {
            owed = owed.saturating_sub(payment.amount);
            continue;
        }
        // What the bank did is recorded whatever is found; an officer refuses one of the two.
        if waits_for_holdback(tx, &payment)? {
            continue;
        }
        let code = Text::new(TERMINATED).unwrap_or_default();
        refuse_payment(tx, payment, "F25", &code)?;
    }
    Ok(())
}

/// Whether the fund has the money in its hands, and has begun to pay it.
fn is_at_hand(state: S) -> bool {
    state.is_under_way() && state != S::Released
}

/// F45: a part of the payment is set off; what is left is paid by the bank, or nothing is.
pub(in crate::rules::funding) fn after_set_off(
    tx: &mut Tx,
    mut payment: Payment,
) -> Result<(), Refusal> {
    let to = if payment.amount == Amount::ZERO {
        S::SetOff
    } else {
        S::Approved
    };
    tx.go(&mut payment, "F45", to)?;
    if payment.tranche == Tranche::Advance {
        let mut agreement = tx.get::<Agreement>(payment.agreement)?;
        agreement.paid.released = payment.set_off;
        tx.put(agreement);
    }
    if to == S::SetOff {
        stop_clocks(tx, &payment);
    }
    tx.put(payment);
    Ok(())
}

/// No clock of a payment that is over before the bank has it runs any more.
fn stop_clocks(tx: &mut Tx, payment: &Payment) {
    for kind in [
        DeadlineKind::CertifyDue,
        DeadlineKind::ApproveDue,
        DeadlineKind::PayoutDelay,
        DeadlineKind::HoldEnd,
        DeadlineKind::ReleaseDue,
    ] {
        tx.cancel(kind, payment.number);
    }
}

/// Refused: the tranche is free, no clock runs. Of one of which a part is set off the rest is given up.
pub(super) fn refuse_payment(
    tx: &mut Tx,
    mut payment: Payment,
    code: &'static str,
    why: &Text<40>,
) -> Result<Outcome, Refusal> {
    payment.refused = Some(why.clone());
    if payment.set_off > Amount::ZERO {
        return give_up_rest(tx, payment, code).map(|()| Outcome::Applied);
    }
    tx.go(&mut payment, code, S::Refused)?;
    release_tranche(tx, &payment)?;
    stop_clocks(tx, &payment);
    tx.put(payment);
    Ok(Outcome::Applied)
}

/// The live or made payment of the holdback.
fn holdback_of<'a>(tx: &'a Tx<'_>, agreement: &Agreement) -> Option<&'a Payment> {
    tx.t.payments.get(&agreement.holdback_payment?)
}

/// Whether the rest of a payment cannot be given up now: the holdback has to pay it, and the amount of the one
/// under way is certified.
fn waits_for_holdback(tx: &Tx, payment: &Payment) -> Result<bool, Refusal> {
    let partly = payment.set_off > Amount::ZERO;
    if !partly || !matches!(payment.tranche, Tranche::Milestone(_)) {
        return Ok(false);
    }
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    let holdback = holdback_of(tx, &agreement);
    Ok(holdback.is_some_and(|it| it.state.is_under_way() && it.state != S::Requested))
}

/// What is set off of a payment stays paid, what is left of it is not paid by it any more.
fn give_up_rest(tx: &mut Tx, mut payment: Payment, code: &'static str) -> Result<(), Refusal> {
    tx.go(&mut payment, code, S::SetOff)?;
    let mut agreement = tx.get::<Agreement>(payment.agreement)?;
    let rest = payment.amount;
    match payment.tranche {
        Tranche::Advance => {
            agreement.paid.advance = payment.set_off;
            agreement.paid.released = payment.set_off;
        }
        Tranche::Milestone(_) => {
            require!(
                !waits_for_holdback(tx, &payment)?,
                "F45.partly-set-off",
                payment = payment.number,
                amount = payment.set_off
            );
            agreement.paid.net = agreement.paid.net.saturating_sub(rest);
            // One that is paid does not grow any more: another may follow it.
            if let Some(holdback) = holdback_of(tx, &agreement)
                && !holdback.state.is_under_way()
            {
                agreement.paid.net = agreement.paid.net.saturating_add(agreement.paid.holdback);
                agreement.paid.holdback = Amount::ZERO;
                agreement.holdback_payment = None;
            }
        }
        Tranche::Holdback => {
            agreement.paid.net = agreement.paid.net.saturating_add(payment.set_off);
            agreement.paid.holdback = Amount::ZERO;
            agreement.holdback_payment = None;
        }
    }
    payment.share.net = payment.set_off;
    payment.amount = Amount::ZERO;
    stop_clocks(tx, &payment);
    tx.put(agreement);
    tx.put(payment);
    Ok(())
}
