//! Holds of a payment and what the clock does to it (F19, R13).

use rollbook_proof::number::OrganisationId;

use super::{open_release, rules, taint, tranche};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{MotionId, PaymentId, PersonId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{groups, seats};
use crate::object::Machine;
use crate::object::agreement::Agreement;
use crate::object::matter::Matter;
use crate::object::payment::{Awaited, Payment, PaymentState as S};
use crate::record::LiftHold;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::Actor;
use crate::rules::effect::{Effect, scope_of};
use crate::rules::funding::{award, standing};
use crate::tx::{DeadlineKind, Due, Tx};

pub(super) fn hold(tx: &mut Tx, actor: &Actor, number: PaymentId) -> Result<Outcome, Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    require!(
        actor.organisation.kind == OrganisationKind::Company,
        "F19.not-a-seat-holder",
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary)?;
    require!(
        seats::holds(&tx.t, actor.number()),
        "F19.not-a-seat-holder",
        organisation = actor.number()
    );
    require!(
        !groups::has_conflict(&tx.t, actor.number(), agreement.grantee),
        "N13.related-to-grantee",
        organisation = actor.number()
    );
    payment.may("F19", S::Held)?;
    require!(
        tx.due(DeadlineKind::PayoutDelay, number).is_some(),
        "F19.delay-over",
        payment = number
    );
    let to = if payment.hold_called_by.is_some() {
        S::Held
    } else {
        S::Approved
    };
    tx.go(&mut payment, "F19", to)?;
    match payment.hold_called_by.take() {
        None => payment.hold_called_by = Some(actor.number()),
        Some(first) => {
            require!(
                !groups::related(&tx.t, first, actor.number()),
                "F19.same-group",
                first = first,
                second = actor.number()
            );
            payment.held_in = Some(S::Approved);
            let days = rules(tx, &agreement)?.hold_days;
            tx.schedule(DeadlineKind::HoldEnd, number, tx.delay(Period::Days(days)));
            tx.cancel(DeadlineKind::ReleaseDue, number);
        }
    }
    tx.put(payment);
    Ok(Outcome::Applied)
}

/// F19: whether there is a hold to lift.
pub(super) fn check_lift(tx: &Tx, number: PaymentId) -> Result<(), Refusal> {
    let state = tx.get::<Payment>(number)?.state;
    require!(
        state == S::Held,
        "F19.not-held",
        payment = number,
        state = state
    );
    Ok(())
}

/// The organisation with an interest in a hold: the grantee.
pub(super) fn interested(tx: &Tx, number: PaymentId) -> Vec<OrganisationId> {
    let agreement =
        tx.t.payments
            .get(&number)
            .and_then(|payment| tx.t.agreements.get(&payment.agreement));
    agreement
        .map(|agreement| agreement.grantee)
        .into_iter()
        .collect()
}

/// F19: the board's motion lifts a hold.
pub(super) fn lift_hold(tx: &mut Tx, number: PaymentId) -> Result<(), Refusal> {
    check_lift(tx, number)?;
    let mut payment = tx.get::<Payment>(number)?;
    taint::let_stand(tx, &payment)?;
    let to = payment.held_in.take().unwrap_or(S::Approved);
    tx.go(&mut payment, "F19", to)?;
    tx.cancel(DeadlineKind::HoldEnd, number);
    taint::await_next(tx, &payment)?;
    tx.put(payment);
    Ok(())
}

/// Acts out a deadline of a payment.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: PaymentId,
    due: Due,
) -> Result<(), Refusal> {
    let mut payment = tx.get::<Payment>(number)?;
    let agreement = tx.get::<Agreement>(payment.agreement)?;
    match kind {
        DeadlineKind::CertifyDue => overdue(tx, kind, &payment, &agreement, Awaited::Certify, due),
        DeadlineKind::ApproveDue => overdue(tx, kind, &payment, &agreement, Awaited::Approve, due),
        DeadlineKind::ReleaseDue => overdue(tx, kind, &payment, &agreement, Awaited::Release, due),
        DeadlineKind::ConfirmDue => overdue(tx, kind, &payment, &agreement, Awaited::Confirm, due),
        DeadlineKind::AdvanceUncovered => tranche::on_uncovered(tx, payment, due),
        DeadlineKind::PayoutDelay => {
            tx.emit(
                due,
                EventBody::PayoutDelayOver {
                    payment: number,
                    held: payment.state == S::Held,
                },
            );
            // A single voice for a hold is void with the delay.
            payment.hold_called_by = None;
            if payment.state == S::Approved {
                open_release(tx, &payment)?;
            }
            tx.put(payment);
            Ok(())
        }
        DeadlineKind::HoldEnd => {
            tx.go(&mut payment, "R13", S::Approved)?;
            payment.held_in = None;
            tx.emit(due, EventBody::HoldEnded { payment: number });
            open_release(tx, &payment)?;
            tx.put(payment);
            Ok(())
        }
        DeadlineKind::AcknowledgeEnd => {
            tx.go(&mut payment, "F22", S::Unacknowledged)?;
            tx.emit(
                due,
                EventBody::Unacknowledged {
                    payment: number,
                    amount: payment.amount,
                },
            );
            tx.put(payment);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// R13: the step is shown as overdue, once. While the grantee is in arrears (R5) or the agreement is
/// suspended (F24) the clock starts anew instead.
pub(super) fn overdue(
    tx: &mut Tx,
    kind: DeadlineKind,
    payment: &Payment,
    agreement: &Agreement,
    awaited: Awaited,
    due: Due,
) -> Result<(), Refusal> {
    let confirms = kind == DeadlineKind::ConfirmDue;
    let stopped = !confirms && standing::suspension(tx, agreement).is_some();
    if stopped || standing::require_no_arrears(tx, agreement).is_err() {
        let days = rules(tx, agreement)?.step_days;
        tx.schedule(kind, payment.number, tx.deadline(Period::Days(days)));
        return Ok(());
    }
    tx.stay(payment, "R13")?;
    tx.emit(
        due,
        EventBody::StepOverdue {
            payment: payment.number,
            awaited,
        },
    );
    Ok(())
}

impl Effect for LiftHold {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        let payment = tx.t.payments.get(&self.payment);
        payment
            .and_then(|payment| tx.t.agreements.get(&payment.agreement))
            .map_or(Matter::Motion(motion), |agreement| {
                Matter::Application(agreement.application)
            })
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(tx.t.payments.get(&self.payment).map(|payment| payment.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.payment)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_lift(tx, self.payment)
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        let agreement = tx.get::<Payment>(self.payment)?.agreement;
        award::check_voters(tx, tx.get::<Agreement>(agreement)?.application, persons)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        lift_hold(tx, self.payment)
    }
}
