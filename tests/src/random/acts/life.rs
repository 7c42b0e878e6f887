//! What becomes of agreements in force: measures, recoveries, closing.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{AgreementId, MeasureId, PersonId, RecoveryId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::agreement::{Agreement, AgreementState};
use rollbook_core::object::measure::{Measure, MeasureStatus};
use rollbook_core::object::payment::PaymentState;
use rollbook_core::object::recovery::{GrantRecoveryStatus, Recovery};
use rollbook_core::record::{
    AwardAct, Body, InstalmentEntry, MeasureKind, MeasureNotice, MotionEffect, OrderRecovery,
    RecoveryClaim, RecoveryEntry, SetOffEntry, SuspendAgreement, TerminateAgreement,
    WriteOffRecovery,
};

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Lives);
    for (number, agreement) in hand.t.agreements.iter() {
        of_agreement(hand, deck, *number, agreement);
    }
    for (number, measure) in hand.t.measures.iter() {
        of_measure(hand, deck, *number, measure);
    }
    for (number, recovery) in hand.t.recoveries.iter() {
        of_recovery(hand, deck, *number, recovery);
    }
    deck.aside(1, |hand| {
        let number = hand.id(&hand.t.measures)?;
        match hand.random.below(6) {
            0 => observe(hand, number),
            1 => hold(hand, number),
            2 => drop_measure(hand, number),
            3 => suspend(hand, number),
            4 => terminate(hand, number),
            _ => {
                let agreement = hand.id(&hand.t.agreements)?;
                resume(hand, agreement)
            }
        }
    });
    deck.aside(1, |hand| {
        let number = hand.id(&hand.t.recoveries)?;
        match hand.random.below(8) {
            0 => notify(hand, number),
            1 => observe_recovery(hand, number),
            2 => drop_recovery(hand, number),
            3 => order(hand, number),
            4 => receive(hand, number),
            5 => confirm(hand, number),
            6 => set_off(hand, number),
            _ => write_off(hand, number),
        }
    });
}

fn of_agreement(hand: &Hand, deck: &mut Deck, number: AgreementId, agreement: &Agreement) {
    let state = agreement.state;
    let works = matches!(state, AgreementState::InForce | AgreementState::Suspended);
    let measures = if hand.mood.aftermath { 70 } else { 45 };
    if works && agreement.measure.is_none() && hand.fate("measure", number.0) < measures {
        deck.goal(1, move |hand| announce(hand, number));
    } else if hand.fate("announced", number.0) < 15 {
        deck.aside(1, move |hand| announce(hand, number));
    }
    if state == AgreementState::Suspended {
        deck.goal(3, move |hand| resume(hand, number));
    }
    let paid = hand.balance(agreement.fund, AccountKind::Paid(number));
    let asked = hand
        .t
        .recoveries
        .iter()
        .filter(|(_, recovery)| recovery.agreement() == number)
        .count();
    if paid > 0 && asked < 2 && hand.fate("asked back", number.0) < 80 {
        deck.goal(3, move |hand| ask_back(hand, number));
    } else if hand.fate("asked anyhow", number.0) < 20 {
        deck.aside(1, move |hand| ask_back(hand, number));
    }
    match state {
        AgreementState::Completed | AgreementState::Terminated => {
            deck.goal(4, move |hand| close(hand, number));
        }
        _ if hand.fate("closed", number.0) < 15 => {
            deck.aside(1, move |hand| close(hand, number));
        }
        _ => {}
    }
}

/// A step of the fund's side about an agreement.
fn by_fund(
    hand: &mut Hand,
    agreement: AgreementId,
    role: Role,
    not: &[PersonId],
    act: AwardAct,
) -> Option<Draft> {
    let entry = hand.t.agreements.get(&agreement)?;
    let (scope, grantee) = (Scope::Fund(entry.fund), entry.grantee);
    hand.office_but(role, scope, Some(grantee), not, Body::Award(act))
}

/// A step of the grantee of an agreement, or of somebody else.
fn by_grantee(hand: &mut Hand, agreement: AgreementId, act: AwardAct) -> Option<Draft> {
    let grantee = hand.t.agreements.get(&agreement)?.grantee;
    let company = if hand.random.percent(85) {
        grantee
    } else {
        hand.company()?
    };
    hand.by(company, &[Role::Primary], Body::Award(act))
}

fn announce(hand: &mut Hand, agreement: AgreementId) -> Option<Draft> {
    let kinds = [
        MeasureKind::Deadline,
        MeasureKind::Payment,
        MeasureKind::Whole,
        MeasureKind::Termination,
        MeasureKind::Termination,
    ];
    let suspended = hand.t.agreements.get(&agreement)?.suspension.is_some();
    let kind = if suspended && hand.random.percent(80) {
        MeasureKind::Termination
    } else {
        *hand.random.pick(&kinds)?
    };
    let act = AwardAct::Announce(MeasureNotice {
        agreement,
        kind,
        letter: hand.hash(),
        dispatch: hand.hash(),
    });
    by_fund(hand, agreement, Role::ProgrammeOfficer, &[], act)
}

fn of_measure(hand: &Hand, deck: &mut Deck, number: MeasureId, measure: &Measure) {
    let termination = measure.notice.kind == MeasureKind::Termination;
    match measure.status {
        MeasureStatus::Announced => {
            deck.aside(3, move |hand| observe(hand, number));
            if hand.fate("payments held", number.0) < 50 {
                deck.goal(3, move |hand| hold(hand, number));
            }
            if hand.fate("measure dropped", number.0) < 15 {
                deck.aside(2, move |hand| drop_measure(hand, number));
            }
        }
        MeasureStatus::Heard if hand.fate("measure given up", number.0) < 15 => {
            deck.goal(3, move |hand| drop_measure(hand, number));
        }
        MeasureStatus::Heard => {
            let asked = pending(hand, |effect| match effect {
                MotionEffect::SuspendAgreement(plan) => plan.measure == number,
                MotionEffect::TerminateAgreement(plan) => plan.measure == number,
                _ => false,
            });
            if !asked && !hand.idles("measure", number.0) {
                deck.urgent(move |hand| {
                    if termination {
                        terminate(hand, number)
                    } else {
                        suspend(hand, number)
                    }
                });
            }
        }
        MeasureStatus::InForce | MeasureStatus::Ended | MeasureStatus::Dropped => {}
    }
    if hand.fate("decided otherwise", number.0) < 20 {
        deck.aside(1, move |hand| {
            if termination {
                suspend(hand, number)
            } else {
                terminate(hand, number)
            }
        });
    }
}

fn agreement_of(hand: &Hand, measure: MeasureId) -> Option<AgreementId> {
    Some(hand.t.measures.get(&measure)?.agreement())
}

fn observe(hand: &mut Hand, measure: MeasureId) -> Option<Draft> {
    let act = AwardAct::ObserveMeasure {
        measure,
        observations: hand.hash(),
    };
    let agreement = agreement_of(hand, measure)?;
    by_grantee(hand, agreement, act)
}

fn hold(hand: &mut Hand, measure: MeasureId) -> Option<Draft> {
    let act = AwardAct::HoldPayments {
        measure,
        ground: hand.hash(),
    };
    let agreement = agreement_of(hand, measure)?;
    by_fund(hand, agreement, Role::FinanceApprover, &[], act)
}

fn drop_measure(hand: &mut Hand, measure: MeasureId) -> Option<Draft> {
    let act = AwardAct::DropMeasure {
        measure,
        reason: hand.hash(),
    };
    let agreement = agreement_of(hand, measure)?;
    by_fund(hand, agreement, Role::ProgrammeOfficer, &[], act)
}

fn suspend(hand: &mut Hand, measure: MeasureId) -> Option<Draft> {
    let reason = hand.hash();
    let effect = MotionEffect::SuspendAgreement(SuspendAgreement { measure, reason });
    propose(hand, effect)
}

fn terminate(hand: &mut Hand, measure: MeasureId) -> Option<Draft> {
    let reason = hand.hash();
    let effect = MotionEffect::TerminateAgreement(TerminateAgreement { measure, reason });
    propose(hand, effect)
}

/// Who of the two signs: mostly the one who has not.
fn one_of_two(hand: &mut Hand, first: Option<(Role, PersonId)>) -> Role {
    let other = match first {
        Some((Role::ProgrammeOfficer, _)) => Role::FinanceApprover,
        _ => Role::ProgrammeOfficer,
    };
    match (hand.random.below(8), first) {
        (0, _) => Role::FinanceApprover,
        (1, _) => Role::ProgrammeOfficer,
        (2, Some((role, _))) => role,
        _ => other,
    }
}

fn resume(hand: &mut Hand, agreement: AgreementId) -> Option<Draft> {
    let suspension = hand.t.agreements.get(&agreement)?.suspension;
    let measure = suspension.and_then(|measure| hand.t.measures.get(&measure));
    let first = measure.and_then(|measure| measure.resumed_by);
    let role = one_of_two(hand, first);
    by_fund(hand, agreement, role, &[], AwardAct::Resume { agreement })
}

fn close(hand: &mut Hand, agreement: AgreementId) -> Option<Draft> {
    let first = hand.t.agreements.get(&agreement)?.closing;
    let role = one_of_two(hand, first);
    by_fund(hand, agreement, role, &[], AwardAct::Close { agreement })
}

fn ask_back(hand: &mut Hand, agreement: AgreementId) -> Option<Draft> {
    let fund = hand.t.agreements.get(&agreement)?.fund;
    let paid = hand.balance(fund, AccountKind::Paid(agreement));
    let paid = u64::try_from(paid).ok()?.max(1);
    let amount = match hand.random.below(8) {
        0 => paid + 1,
        1 => paid,
        _ => hand.random.between(1, paid),
    };
    let act = AwardAct::ProposeRecovery(RecoveryClaim {
        agreement,
        amount: Amount(amount),
        code: text("not-delivered"),
        reason: hand.hash(),
    });
    by_fund(hand, agreement, Role::ProgrammeOfficer, &[], act)
}

fn of_recovery(hand: &Hand, deck: &mut Deck, number: RecoveryId, recovery: &Recovery) {
    use GrantRecoveryStatus as S;
    if hand.idles("recovery", number.0) {
        return;
    }
    match recovery.status {
        S::Proposed => deck.goal(5, move |hand| notify(hand, number)),
        S::Notified => deck.aside(3, move |hand| observe_recovery(hand, number)),
        S::Heard if hand.fate("recovery given up", number.0) < 12 => {
            deck.goal(3, move |hand| drop_recovery(hand, number));
        }
        S::Heard => {
            let asked = pending(
                hand,
                |effect| matches!(effect, MotionEffect::OrderRecovery(plan) if plan.recovery == number),
            );
            if !asked {
                deck.urgent(move |hand| order(hand, number));
            }
        }
        S::Ordered | S::PartlyRecovered => {
            let waits = is_to_be_set_off(hand, number);
            if !waits {
                deck.goal(4, move |hand| receive(hand, number));
            }
            deck.goal(6, move |hand| confirm(hand, number));
            deck.goal(6, move |hand| set_off(hand, number));
            deck.goal(6, move |hand| agree_set_off(hand, number));
            let given_up = pending(
                hand,
                |effect| matches!(effect, MotionEffect::WriteOffRecovery(plan) if plan.recovery == number),
            );
            if hand.fate("never comes", number.0) < 50 && !given_up && !waits {
                deck.goal(2, move |hand| write_off(hand, number));
            }
        }
        S::Recovered | S::WrittenOff | S::Dropped => {}
    }
    if hand.fate("recovery dropped", number.0) < 15 {
        deck.aside(1, move |hand| drop_recovery(hand, number));
    }
}

/// Whether a recovery waits for a payment from which it is taken.
pub fn is_to_be_set_off(hand: &Hand, recovery: RecoveryId) -> bool {
    hand.mood.aftermath && hand.fate("set off", recovery.0) < 60
}

fn entry_of(hand: &Hand, recovery: RecoveryId) -> Option<Recovery> {
    hand.t.recoveries.get(&recovery).cloned()
}

fn notify(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let agreement = entry_of(hand, recovery)?.agreement();
    let act = AwardAct::NotifyRecovery {
        recovery,
        letter: hand.hash(),
        dispatch: hand.hash(),
    };
    by_fund(hand, agreement, Role::ProgrammeOfficer, &[], act)
}

fn observe_recovery(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let agreement = entry_of(hand, recovery)?.agreement();
    let act = AwardAct::ObserveRecovery {
        recovery,
        observations: hand.hash(),
    };
    by_grantee(hand, agreement, act)
}

fn drop_recovery(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let agreement = entry_of(hand, recovery)?.agreement();
    let act = AwardAct::DropRecovery {
        recovery,
        reason: hand.hash(),
    };
    by_fund(hand, agreement, Role::ProgrammeOfficer, &[], act)
}

fn order(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let asked = entry_of(hand, recovery)?.claim.amount.0;
    let sum = match hand.random.below(8) {
        0 => asked + 1,
        1..5 => asked,
        _ => hand.random.between(1, asked),
    };
    let first = hand.random.between(1, sum);
    let today = hand.today();
    let in_days = |days: u64| LocalDay(today.0 + days as i64);
    let part = |due_day, amount| InstalmentEntry {
        due_day,
        amount: Amount(amount),
    };
    let soon = hand.random.between(5, 30);
    let mut instalments = vec![part(in_days(soon), first)];
    if sum > first {
        instalments.push(part(in_days(soon + 10), sum - first));
    }
    let plan = OrderRecovery {
        recovery,
        instalments,
        reason: hand.hash(),
    };
    propose(hand, MotionEffect::OrderRecovery(plan))
}

fn receive(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let entry = entry_of(hand, recovery)?;
    let rest = entry.rest().0.max(1);
    let amount = match hand.random.below(10) {
        0 => rest + 1,
        1..4 => rest,
        _ => hand.random.between(1, rest),
    };
    let ahead = i64::from(hand.random.percent(6));
    let act = AwardAct::ReceiveRecovery(RecoveryEntry {
        recovery,
        amount: Amount(amount),
        reference: hand.reference(),
        value_day: LocalDay(hand.today().0 + 3 * ahead),
    });
    by_fund(hand, entry.agreement(), Role::Treasurer, &[], act)
}

fn confirm(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let again = hand.random.percent(10);
    let mut entered = hand.t.recovery_receipts.iter();
    let found = entered.find(|(_, receipt)| {
        receipt.entry.recovery == recovery && receipt.confirmed_by.is_some() == again
    });
    let found = found.map(|(record, receipt)| (*record, receipt.recorded_by));
    let (receipt, by) = match found {
        Some((receipt, by)) => (receipt, vec![by]),
        None if hand.random.percent(10) => (hand.hash(), Vec::new()),
        None => return None,
    };
    let agreement = entry_of(hand, recovery)?.agreement();
    let act = AwardAct::ConfirmRecovery { receipt };
    by_fund(hand, agreement, Role::SecondOfficer, &by, act)
}

fn set_off(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let entry = entry_of(hand, recovery)?;
    let approved = hand.t.payments.iter().find(|(_, payment)| {
        let agreement = hand.t.agreements.get(&payment.agreement);
        payment.state == PaymentState::Approved
            && payment.agreement != entry.agreement()
            && agreement.is_some_and(|agreement| agreement.grantee == entry.grantee)
    });
    let fitting = approved.map(|(number, payment)| (*number, payment.amount.0));
    let (payment, payable) = match fitting {
        Some(fitting) if !hand.random.percent(15) => fitting,
        // Another payment of the same company: not approved yet, or of the same agreement.
        _ if hand.random.percent(25) => {
            let grantee = entry.grantee;
            let mut own = hand.t.payments.iter().filter(|(_, payment)| {
                let agreement = hand.t.agreements.get(&payment.agreement);
                agreement.is_some_and(|agreement| agreement.grantee == grantee)
            });
            let nth = hand.random.below(6) as usize;
            let (number, payment) = own.nth(nth)?;
            (*number, payment.amount.0)
        }
        _ if hand.random.percent(15) => {
            let payment = hand.id(&hand.t.payments)?;
            let amount = hand.t.payments.get(&payment).map(|entry| entry.amount.0);
            (payment, amount.unwrap_or(1))
        }
        _ => return None,
    };
    let most = entry.rest().0.min(payable).max(1);
    let amount = match hand.random.below(8) {
        // Above the payment, if the recovery is not the smaller of the two.
        0 => most + 1,
        1..4 => most,
        _ => hand.random.between(1, most),
    };
    let act = AwardAct::SetOff(SetOffEntry {
        recovery,
        payment,
        amount: Amount(amount),
    });
    by_fund(hand, entry.agreement(), Role::FinanceApprover, &[], act)
}

fn agree_set_off(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let again = hand.random.percent(10);
    let mut entered = hand.t.set_offs.iter();
    let found = entered
        .find(|(_, plan)| plan.entry.recovery == recovery && plan.agreed_by.is_some() == again);
    let found = found.map(|(record, plan)| (*record, plan.entered_by));
    let (entry, by) = match found {
        Some((entry, by)) => (entry, vec![by]),
        None if hand.random.percent(10) => (hand.hash(), Vec::new()),
        None => return None,
    };
    let agreement = entry_of(hand, recovery)?.agreement();
    let act = AwardAct::AgreeSetOff { entry };
    by_fund(hand, agreement, Role::Treasurer, &by, act)
}

fn write_off(hand: &mut Hand, recovery: RecoveryId) -> Option<Draft> {
    let attempts = hand.hash();
    let effect = MotionEffect::WriteOffRecovery(WriteOffRecovery { recovery, attempts });
    propose(hand, effect)
}
