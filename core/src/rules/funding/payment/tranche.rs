//! What a payment pays: the tranche it claims, once, and the share of each (F16; RULINGS R4).

use rollbook_proof::codec::Text;

use super::ending::refuse_payment;
use crate::account::Amount;
use crate::event::EventBody;
use crate::id::{MilestoneId, PaymentId};
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::milestone;
use crate::object::milestone::{Milestone, Share, basis_points};
use crate::object::payment::{Payment, PaymentState};
use crate::record::Tranche;
use crate::refusal::Refusal;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Why the clock refuses an advance.
const NOT_COVERED: &str = "advance-not-covered";

/// Milestones whose assessors belong to the chain of a tranche: its own; for the holdback every
/// one, the final report too.
pub(super) fn assessed(tx: &Tx, agreement: &Agreement, tranche: Tranche) -> Vec<Milestone> {
    let numbers: Vec<MilestoneId> = match tranche {
        Tranche::Advance => Vec::new(),
        Tranche::Milestone(number) => vec![number],
        Tranche::Holdback => agreement.milestones().collect(),
    };
    numbers
        .iter()
        .filter_map(|number| tx.t.milestones.get(number).cloned())
        .collect()
}

/// Takes a tranche for payment `payment` and fixes its share (N7, N8).
pub(super) fn claim_tranche(
    tx: &mut Tx,
    agreement: &mut Agreement,
    tranche: Tranche,
    payment: PaymentId,
) -> Result<Share, Refusal> {
    let stands = match tranche {
        Tranche::Advance => agreement.state == AgreementState::InForce,
        Tranche::Milestone(_) => agreement.state.is_payable(),
        // Of a terminated agreement no final report comes: what is owed for what was accepted is due.
        Tranche::Holdback => matches!(
            agreement.state,
            AgreementState::Completed | AgreementState::Terminated
        ),
    };
    if tranche == Tranche::Holdback {
        require!(
            stands,
            "F43.not-finally-accepted",
            agreement = agreement.number,
            state = agreement.state
        );
    }
    require!(
        stands,
        "N7.no-agreement-in-force",
        agreement = agreement.number,
        state = agreement.state
    );
    match tranche {
        Tranche::Advance => {
            if let Some(live) = agreement.advance_payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            // After a milestone is requested there is nothing left to pay in advance: its share was
            // computed without one.
            require!(agreement.paid.gross == Amount::ZERO, "F16.advance-too-late");
            agreement.advance_payment = Some(payment);
            agreement.paid.advance = agreement.terms.advance;
            Ok(Share {
                net: agreement.terms.advance,
                ..Share::default()
            })
        }
        Tranche::Milestone(number) => {
            let mut milestone = tx.get::<Milestone>(number)?;
            require!(
                milestone.agreement == agreement.number && !milestone.is_final,
                "F16.other-agreement",
                milestone = number
            );
            require!(
                milestone.state.is_accepted(),
                "N7.milestone-not-accepted",
                milestone = number,
                state = milestone.state
            );
            if let Some(live) = milestone.payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            let last = others_settled(tx, agreement, number);
            let share = agreement.paid.share(
                &agreement.terms,
                milestone.planned,
                milestone.accepted,
                last,
            );
            agreement.paid.add(&share);
            milestone.payment = Some(payment);
            tx.put(milestone);
            Ok(share)
        }
        Tranche::Holdback => {
            if let Some(live) = agreement.holdback_payment {
                refuse!("N8.tranche-taken", payment = live);
            }
            agreement.holdback_payment = Some(payment);
            Ok(Share {
                net: hold_back_now(tx, agreement)?,
                ..Share::default()
            })
        }
    }
}

/// Fixes the holdback tranche: what is still owed of all that was accepted (RULINGS R35). At the
/// request it says what the grantee may expect; at the certificate it counts. Every accepted
/// milestone has its payment, or what it is owed would be paid twice.
pub(super) fn hold_back_now(tx: &Tx, agreement: &mut Agreement) -> Result<Amount, Refusal> {
    for milestone in milestones_of(tx, agreement) {
        let owes =
            milestone.state.is_accepted() && milestone.payment.is_none() && !milestone.is_final;
        let (planned, accepted) = (milestone.planned, milestone.accepted);
        let share = agreement
            .paid
            .share(&agreement.terms, planned, accepted, false);
        // One that the advance cleared wholly has no payment of its own.
        require!(
            !(owes && share.net > Amount::ZERO),
            "F16.milestone-not-requested",
            milestone = milestone.number
        );
    }
    agreement.paid.holdback = Amount::ZERO;
    let due = agreement.paid.holdback_due(agreement.accepted);
    require!(
        due > Amount::ZERO,
        "F16.nothing-payable",
        tranche = Tranche::Holdback
    );
    agreement.paid.holdback = due;
    Ok(due)
}

/// What the milestones that are not requested yet may still clear of an advance.
fn coverage(tx: &Tx, agreement: &Agreement) -> Amount {
    let terms = &agreement.terms;
    milestones_of(tx, agreement)
        .iter()
        .filter(|milestone| !milestone.is_final && milestone.payment.is_none())
        .map(|milestone| match milestone.state {
            state if state.is_accepted() => milestone.accepted,
            state if state.is_terminal() => Amount::ZERO,
            _ => milestone.planned,
        })
        .map(|gross| gross.saturating_sub(basis_points(gross, terms.holdback_bp)))
        .fold(Amount::ZERO, Amount::saturating_add)
}

/// The advance that was never released, if the milestones left no longer cover what is not set off of it
/// (RULINGS R35).
fn uncovered_advance(tx: &Tx, agreement: &Agreement) -> Option<Payment> {
    let advance = tx.t.payments.get(&agreement.advance_payment?)?;
    let waits = matches!(
        advance.state,
        PaymentState::Requested
            | PaymentState::Certified
            | PaymentState::Approved
            | PaymentState::Held
    );
    let uncovered = coverage(tx, agreement) < advance.amount;
    (waits && advance.attempts == 0 && uncovered).then(|| advance.clone())
}

/// After a milestone was requested or decided: has the clock refuse an advance that can no longer be
/// cleared.
pub(in crate::rules::funding) fn watch_advance(tx: &mut Tx, agreement: &Agreement) {
    if let Some(advance) = uncovered_advance(tx, agreement) {
        let now = tx.now;
        tx.schedule(DeadlineKind::AdvanceUncovered, advance.number, now);
    }
}

/// R35, by the clock: the advance is refused, its tranche is free.
pub(super) fn on_uncovered(tx: &mut Tx, payment: Payment, due: Due) -> Result<(), Refusal> {
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    let Some(advance) = uncovered_advance(tx, &agreement) else {
        return Ok(());
    };
    if advance.number != payment.number {
        return Ok(());
    }
    let code = Text::new(NOT_COVERED).unwrap_or_default();
    tx.emit(
        due,
        EventBody::AdvanceRefused {
            payment: payment.number,
            amount: payment.amount,
            code: code.clone(),
        },
    );
    refuse_payment(tx, payment, "R35", &code).map(|_| ())
}

pub(super) fn milestones_of(tx: &Tx, agreement: &Agreement) -> Vec<Milestone> {
    agreement
        .milestones()
        .filter_map(|number| tx.t.milestones.get(&number).cloned())
        .collect()
}

/// Whether every milestone but `number` is terminal, and requested if it was accepted: `number` is
/// the last (N15).
pub(super) fn others_settled(tx: &Tx, agreement: &Agreement, number: MilestoneId) -> bool {
    milestone::others_settled(&milestones_of(tx, agreement), number)
}

/// Frees the tranche of a refused payment.
pub(super) fn release_tranche(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(payment.agreement)?;
    match payment.tranche {
        Tranche::Advance => {
            agreement.advance_payment = None;
            agreement.paid.advance = Amount::ZERO;
            agreement.paid.released = Amount::ZERO;
        }
        Tranche::Milestone(number) => {
            let mut milestone = tx.get::<Milestone>(number)?;
            milestone.payment = None;
            tx.put(milestone);
            agreement.paid.take_back(&payment.share);
        }
        Tranche::Holdback if agreement.holdback_payment == Some(payment.number) => {
            agreement.holdback_payment = None;
            agreement.paid.holdback = Amount::ZERO;
        }
        // Another holdback followed it.
        Tranche::Holdback => {
            agreement.paid.net = agreement.paid.net.saturating_sub(payment.amount);
        }
    }
    tx.put(agreement);
    Ok(())
}
