//! Debts set off against payments (F45): what is paid to the grantee without the bank.
//!
//! * A set-off pays, so it asks what a release asks: delay over, nobody tainted, agreement and grantee not
//!   stopped, fund open. Payments that are withheld for arrears alone are set off all the same.
//! * Who agrees to it takes the step of the release in the chain of the payment; who enters it does what an
//!   approver does, and may have approved the payment before (domain 2.9).

use rollbook_proof::crypto::Hash;

use super::{after, count, distinct_groups, require_open, watch};
use crate::account::Movement;
use crate::id::PersonId;
use crate::identity::{Role, Scope};
use crate::object::agreement::Agreement;
use crate::object::payment::{Payment, PaymentState};
use crate::object::recovery::{Recovery, SetOff};
use crate::record::SetOffEntry;
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::post;
use crate::rules::funding::{duties, payment};
use crate::tx::Tx;
use crate::{refuse, require};

/// The guards of F45, at both records.
fn check_set_off(
    tx: &Tx,
    entry: &SetOffEntry,
    entered_by: PersonId,
) -> Result<(Recovery, Payment), Refusal> {
    let recovery = tx.get::<Recovery>(entry.recovery)?;
    let payment = tx.get::<Payment>(entry.payment)?;
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    require_open(&recovery, entry.amount)?;
    require!(
        payment.fund == recovery.fund,
        "F45.other-fund",
        fund = recovery.fund
    );
    require!(
        agreement.grantee == recovery.grantee,
        "F45.other-grantee",
        grantee = recovery.grantee
    );
    require!(
        agreement.number != recovery.agreement(),
        "F45.same-agreement",
        agreement = agreement.number
    );
    require!(
        payment.state == PaymentState::Approved,
        "F45.payment-not-approved",
        payment = payment.number,
        state = payment.state
    );
    require!(
        entry.amount <= payment.amount,
        "F45.above-payment",
        amount = entry.amount,
        available = payment.amount
    );
    payment::require_may_set_off(tx, &payment, entered_by)?;
    Ok((recovery, payment))
}

/// F45, first record: a finance approver.
pub(super) fn set_off(tx: &mut Tx, actor: &Actor, entry: &SetOffEntry) -> Result<(), Refusal> {
    let mut recovery = tx.get::<Recovery>(entry.recovery)?;
    let scope = Scope::Fund(recovery.fund);
    let entered_by = must_hold(tx, actor, Role::FinanceApprover, scope)?.person;
    require_unrelated(tx, actor, recovery.grantee)?;
    check_set_off(tx, entry, entered_by)?;
    let record = tx.record;
    let plan = SetOff {
        entry: *entry,
        entered_by,
        agreed_by: None,
    };
    tx.t.set_offs().put(record, plan);
    recovery.handled(entered_by);
    tx.put(recovery);
    Ok(())
}

/// F45, second record: the treasurer. Posts K -> A and D -> D.
pub(super) fn agree_set_off(tx: &mut Tx, actor: &Actor, record: &Hash) -> Result<(), Refusal> {
    let Some(mut plan) = tx.t.set_offs.get(record).cloned() else {
        refuse!("F45.unknown-entry", record = record.short())
    };
    require!(
        plan.agreed_by.is_none(),
        "F45.agreed-before",
        record = record.short()
    );
    let (mut recovery, mut paid) = check_set_off(tx, &plan.entry, plan.entered_by)?;
    let scope = Scope::Fund(recovery.fund);
    let signer = must_hold(tx, actor, Role::Treasurer, scope)?.clone();
    let person = signer.person;
    require_unrelated(tx, actor, recovery.grantee)?;
    let distinct = distinct_groups(tx, &recovery)?;
    duties::require_second(&tx.t, plan.entered_by, person, distinct)?;
    payment::take_set_off(tx, &mut paid, &signer)?;
    let amount = plan.entry.amount;
    let movement = Movement::Offset {
        call: recovery.call,
        old: recovery.agreement(),
        new: paid.agreement,
        amount,
    };
    post(tx, recovery.fund, &movement)?;
    let to = after(&recovery, amount);
    tx.go(&mut recovery, "F45", to)?;
    recovery.set_off = recovery.set_off.saturating_add(amount);
    recovery.handled(person);
    count(tx, &recovery, amount)?;
    watch(tx, &recovery);
    tx.put(recovery);
    paid.set_off = paid.set_off.saturating_add(amount);
    paid.amount = paid.amount.saturating_sub(amount);
    payment::after_set_off(tx, paid)?;
    plan.agreed_by = Some(person);
    tx.t.set_offs().put(*record, plan);
    Ok(())
}
