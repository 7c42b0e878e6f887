//! Deeds of a payment's chain that a tie taints (RULINGS R30).
//!
//! * A tainted certificate or approval sends the payment back to before it; later approvals fall,
//!   and the delay starts anew.
//! * A tainted review, vote or assessment holds it until the board lifts the hold; what the board
//!   let stand is not asked again, for any payment under the application.
//! * The clock does both at the block after the tie was recorded; a step of the same block is
//!   refused. What was released is the bank's: its confirmation is recorded whatever is found.

use super::tranche::assessed;
use super::{open_release, rules};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::PaymentId;
use crate::object::agreement::Agreement;
use crate::object::deed::{Deed, Step};
use crate::object::payment::{Payment, PaymentState as S};
use crate::refusal::Refusal;
use crate::refuse;
use crate::rules::funding::duties::Chain;
use crate::rules::funding::{award, duties};
use crate::tx::{DeadlineKind, Due, Tx};

/// The deeds that ties taint, less those that the board let stand.
pub(super) fn tainted(tx: &Tx, payment: &Payment) -> Result<Vec<Deed>, Refusal> {
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    let application = agreement.application;
    let mut chain = Chain {
        grantee: agreement.grantee,
        deeds: Vec::new(),
        distinct_groups: rules(tx, &agreement)?.chain_distinct_groups,
    };
    let award = award::deeds(tx, application);
    let mut found = duties::tainted(&tx.t, chain.clone(), award.iter().copied());
    chain.deeds = award;
    // Assessors of one milestone come from distinct groups; one may assess several milestones.
    let before = chain.clone();
    for milestone in assessed(tx, &agreement, payment.tranche) {
        found.extend(duties::tainted(&tx.t, before.clone(), milestone.deeds()));
        chain.deeds.extend(milestone.deeds());
    }
    let own = payment.deeds.iter().copied();
    found.extend(duties::tainted(&tx.t, chain, own));
    let mut deeds: Vec<Deed> = found.into_iter().map(|(deed, _)| deed).collect();
    deeds.retain(|deed| {
        !tx.t
            .let_stand
            .contains(&(application, deed.step, deed.person))
    });
    Ok(deeds)
}

/// Refuses a step while an earlier deed is tainted.
pub(super) fn require_untainted(tx: &Tx, payment: &Payment) -> Result<(), Refusal> {
    if let Some(deed) = tainted(tx, payment)?.first() {
        refuse!(
            "R30.tainted-deed",
            payment = payment.number,
            step = deed.step,
            person = deed.person
        );
    }
    Ok(())
}

/// Whether the fund still has the money in its hands.
fn is_before_the_bank(state: S) -> bool {
    matches!(
        state,
        S::Requested | S::Certified | S::Approved | S::Held | S::Returned
    )
}

/// Every payment on its way with a tainted deed.
pub(in crate::rules::funding) fn all_tainted(tx: &Tx) -> Vec<PaymentId> {
    tx.t.payments
        .iter()
        .filter(|(_, payment)| is_before_the_bank(payment.state))
        .filter(|(_, payment)| tainted(tx, payment).is_ok_and(|deeds| !deeds.is_empty()))
        .map(|(number, _)| *number)
        .collect()
}

/// R30, by the clock: the payment stands before its first tainted step, or is held.
pub(in crate::rules::funding) fn on_tie(
    tx: &mut Tx,
    number: PaymentId,
    due: Due,
) -> Result<(), Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let deeds = tainted(tx, &payment)?;
    if deeds.is_empty() || !is_before_the_bank(payment.state) {
        return Ok(());
    }
    let from = match payment.state {
        S::Held => payment.held_in.unwrap_or(S::Approved),
        state => state,
    };
    let own = before_tainted(&mut payment, &deeds, from);
    let waits = deeds.iter().any(|deed| deed.step.is_before_request());
    let to = if waits { S::Held } else { own };
    let ends = tx.due(DeadlineKind::HoldEnd, number).is_some();
    if waits && payment.state == S::Held && own == from && !ends {
        return Ok(());
    }
    tx.go(&mut payment, "R30", to)?;
    payment.held_in = waits.then_some(own);
    for kind in [
        DeadlineKind::CertifyDue,
        DeadlineKind::ApproveDue,
        DeadlineKind::ReleaseDue,
        DeadlineKind::HoldEnd,
    ] {
        tx.cancel(kind, number);
    }
    if own != S::Approved {
        payment.hold_called_by = None;
        tx.cancel(DeadlineKind::PayoutDelay, number);
    }
    if !waits {
        await_next(tx, &payment)?;
    }
    tx.emit(
        due,
        EventBody::ChainTainted {
            payment: number,
            deeds: deeds.iter().map(|deed| (deed.step, deed.person)).collect(),
            state: payment.state,
        },
    );
    tx.put(payment);
    Ok(())
}

/// Takes the tainted steps of the payment itself back, with what followed them. Returns where the
/// payment stands then.
fn before_tainted(payment: &mut Payment, tainted: &[Deed], from: S) -> S {
    let is = |deed: &Deed, step| {
        deed.step == step
            && tainted
                .iter()
                .any(|other| other.step == step && other.person == deed.person)
    };
    if payment.deeds.iter().any(|deed| is(deed, Step::Certify)) {
        payment
            .deeds
            .retain(|deed| !matches!(deed.step, Step::Certify | Step::Approve | Step::Release));
        payment.certified = None;
        payment.approvals = 0;
        payment.approved_ms = None;
        return S::Requested;
    }
    let mut fallen = false;
    payment.deeds.retain(|deed| {
        fallen |= is(deed, Step::Approve);
        !(is(deed, Step::Release) || fallen && deed.step == Step::Approve)
    });
    if !fallen {
        return from;
    }
    payment.deeds.retain(|deed| deed.step != Step::Release);
    let approvals = payment.deeds.iter();
    let approvals = approvals.filter(|deed| deed.step == Step::Approve).count();
    payment.approvals = u32::try_from(approvals).unwrap_or(u32::MAX);
    payment.approved_ms = None;
    S::Certified
}

/// Starts the limit for the step that is awaited where the payment stands.
pub(super) fn await_next(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    let rules = rules(tx, &tx.get::<Agreement>(payment.agreement)?)?;
    let (kind, days) = match payment.state {
        S::Requested => (DeadlineKind::CertifyDue, rules.certify_days),
        S::Certified => (DeadlineKind::ApproveDue, rules.step_days),
        S::Approved => return open_release(tx, payment),
        S::Returned => (DeadlineKind::ReleaseDue, rules.step_days),
        _ => return Ok(()),
    };
    let due = tx.deadline(Period::Days(days));
    tx.schedule(kind, payment.number, due);
    Ok(())
}

/// The board lifts a hold: what was tainted before the request stands.
pub(super) fn let_stand(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    let application = tx.get::<Agreement>(payment.agreement)?.application;
    for deed in tainted(tx, payment)? {
        if deed.step.is_before_request() {
            tx.t.let_stand()
                .put((application, deed.step, deed.person), payment.number);
        }
    }
    Ok(())
}
