//! What a payment pays: the tranche it claims, once, and the share of each (F16; RULINGS R4).

use crate::account::Amount;
use crate::id::{MilestoneId, PaymentId};
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::milestone::{Milestone, Share};
use crate::object::payment::Payment;
use crate::record::Tranche;
use crate::refusal::Refusal;
use crate::tx::Tx;
use crate::{refuse, require};

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
        Tranche::Milestone(_) => matches!(
            agreement.state,
            AgreementState::InForce | AgreementState::Completed
        ),
        Tranche::Holdback => agreement.state == AgreementState::Completed,
    };
    if tranche == Tranche::Holdback {
        require!(
            stands,
            "F43.not-finally-accepted",
            state = format!("{:?}", agreement.state)
        );
    }
    require!(
        stands,
        "N7.no-agreement-in-force",
        state = format!("{:?}", agreement.state)
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
                state = format!("{:?}", milestone.state)
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
            for milestone in milestones_of(tx, agreement) {
                let owes = milestone.state.is_accepted()
                    && milestone.payment.is_none()
                    && !milestone.is_final;
                // One that the advance cleared wholly has no payment of its own.
                let pays = agreement
                    .paid
                    .share(
                        &agreement.terms,
                        milestone.planned,
                        milestone.accepted,
                        false,
                    )
                    .net
                    > Amount::ZERO;
                require!(
                    !(owes && pays),
                    "F16.milestone-not-requested",
                    milestone = milestone.number
                );
            }
            let due = agreement.paid.holdback_due(agreement.accepted);
            agreement.paid.holdback = due;
            agreement.holdback_payment = Some(payment);
            Ok(Share {
                net: due,
                ..Share::default()
            })
        }
    }
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
    milestones_of(tx, agreement)
        .iter()
        .filter(|other| other.number != number && !other.is_final)
        .all(|other| {
            other.state.is_terminal() && (!other.state.is_accepted() || other.payment.is_some())
        })
}

/// Frees the tranche of a refused payment.
pub(super) fn release_tranche(tx: &mut Tx, payment: &Payment) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(payment.agreement)?;
    match payment.tranche {
        Tranche::Advance => {
            agreement.advance_payment = None;
            agreement.paid.advance = Amount::ZERO;
        }
        Tranche::Milestone(number) => {
            let mut milestone = tx.get::<Milestone>(number)?;
            milestone.payment = None;
            tx.put(milestone);
            agreement.paid.take_back(&payment.share);
        }
        Tranche::Holdback => {
            agreement.holdback_payment = None;
            agreement.paid.holdback = Amount::ZERO;
        }
    }
    tx.put(agreement);
    Ok(())
}
