//! How payments end that are set off in part, or that an ended agreement does not owe: nothing of an agreement
//! stays open for ever, and nobody is paid more than was accepted.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, MilestoneId, PaymentId};
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{Body, Decision, MeasureKind, PaymentAct, Tranche};
use rollbook_core::refusal::Refusal;
use rollbook_proof::crypto::Hash;
use rollbook_tests::grants::{Bench, MILLION, Staff, text};

use super::life::{announce, close, entry, terminate};
use super::recoveries::{debt, other_agreement, second_agreement, set_off};
use super::refused;

/// A tenth of a million.
const TENTH: u64 = MILLION / 10;

fn tranche(milestone: u32) -> Tranche {
    Tranche::Milestone(MilestoneId(milestone))
}

fn refuse(bench: &mut Bench, payment: u32) -> Result<Hash, Refusal> {
    let decision = Decision::Refuse {
        code: text("budget"),
        reason: Hash::ZERO,
    };
    let act = PaymentAct::Approve {
        payment: PaymentId(payment),
        certified: Hash::ZERO,
        amount: Amount(1),
        decision,
    };
    bench.staff(Staff::Finance, Body::Payment(act))
}

/// The board ends the agreement, and what it frees is checked with the accounts.
fn end(bench: &mut Bench, agreement: u32) {
    let measure = announce(bench, agreement, MeasureKind::Termination).unwrap();
    bench.days(34);
    terminate(bench, measure).unwrap();
    bench.totals();
}

/// Both close it, and so much was paid and accepted under it.
#[track_caller]
fn close_with(bench: &mut Bench, agreement: u32, accepted: u64) {
    close(bench, Staff::Programme, agreement).unwrap();
    close(bench, Staff::Finance, agreement).unwrap();
    let number = AgreementId(agreement);
    assert_eq!(entry(bench, agreement).state, AgreementState::Closed);
    let kinds = [
        AccountKind::Accepted(number),
        AccountKind::Committed(number),
        AccountKind::Paid(number),
    ];
    assert_eq!(kinds.map(|kind| bench.of(kind)), [accepted.into(), 0, 0]);
    bench.totals();
}

/// An ordered debt of the first agreement, to be set off.
fn indebted(amount: u64) -> (Bench, rollbook_core::id::RecoveryId) {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * TENTH);
    let recovery = debt(&mut bench, number, amount);
    (bench, recovery)
}

/// 0.4 of an advance of 0.6 million are set off, then the agreement ends. The rest, 0.2, could be neither
/// released nor refused, for all that was committed went back: no agreement of that kind was ever closed.
#[test]
fn f45_the_rest_of_a_partly_set_off_advance_ends_with_its_agreement() {
    let (mut bench, recovery) = indebted(MILLION);
    let (second, payment) = second_agreement(&mut bench);
    set_off(&mut bench, recovery, payment, 4 * TENTH);
    end(&mut bench, second);
    let known = bench.payment(payment);
    assert_eq!(
        (known.state, known.amount, known.share.net),
        (PaymentState::SetOff, Amount::ZERO, Amount(4 * TENTH))
    );
    assert_eq!(known.refused.unwrap().as_str(), "agreement-terminated");
    let committed = AccountKind::Committed(AgreementId(second));
    assert_eq!(bench.of(committed), 0);
    refused(bench.certify(payment), "F17.wrong-state");
    assert!(!bench.days(60).iter().any(
        |event| matches!(event, EventBody::StepOverdue { payment: of, .. } if of.0 == payment)
    ));
    close_with(&mut bench, second, 4 * TENTH);
}

/// A tenth of an advance is set off, the rest waits, and both milestones are requested meanwhile: with the
/// advance more than the cap was asked for. The clock did not refuse such an advance, so every payment met
/// the cap until the final report, and what was held back was owed to nobody then.
#[test]
fn r35_the_rest_of_an_advance_that_is_not_covered_is_given_up() {
    let (mut bench, recovery) = indebted(MILLION);
    let second = other_agreement(&mut bench, &[MILLION, MILLION], 6 * TENTH);
    let advance = bench.approved(second, Tranche::Advance, 6 * TENTH);
    bench.days(3);
    set_off(&mut bench, recovery, advance, TENTH);
    let m1 = bench.first(second);
    bench.accept_milestone(m1, MILLION);
    let first = bench.request(second, tranche(m1), 8 * TENTH).unwrap();
    bench.accept_milestone(m1 + 1, MILLION);
    let last = bench.request(second, tranche(m1 + 1), 9 * TENTH).unwrap();
    let told = EventBody::AdvanceRefused {
        payment: PaymentId(advance),
        amount: Amount(5 * TENTH),
        code: text("advance-not-covered"),
    };
    assert!(bench.days(1).contains(&told));
    assert_eq!(bench.payment(advance).state, PaymentState::SetOff);
    assert_eq!(entry(&bench, second).paid.total(), Amount(18 * TENTH));
    for payment in [first, last] {
        bench.certify(payment).unwrap();
        bench.approve(Staff::Finance, payment).unwrap();
        bench.approve(Staff::Finance2, payment).unwrap();
        bench.days(3);
        bench.release(payment).unwrap();
        bench.settle(payment).unwrap();
        bench.acknowledge(payment).unwrap();
    }
    bench.accept_milestone(m1 + 2, 0);
    bench.pay(second, Tranche::Holdback, 2 * TENTH);
    close_with(&mut bench, second, 2 * MILLION);
}

/// An approver refuses what is left of a milestone's payment: the holdback pays it, as far as the tranche goes
/// that is set off. A holdback of which a part is set off is asked for anew. No officer could refuse either.
#[test]
fn f45_what_an_approver_refuses_of_a_partly_set_off_payment_is_paid_with_the_holdback() {
    let (mut bench, recovery) = indebted(MILLION);
    let second = other_agreement(&mut bench, &[2 * MILLION], 0);
    let m1 = bench.first(second);
    bench.accept_milestone(m1, 2 * MILLION);
    let payment = bench.approved(second, tranche(m1), 18 * TENTH);
    bench.days(3);
    set_off(&mut bench, recovery, payment, 5 * TENTH);
    refuse(&mut bench, payment).unwrap();
    let known = bench.payment(payment);
    assert_eq!(
        (known.state, known.amount),
        (PaymentState::SetOff, Amount::ZERO)
    );
    refused(
        bench.request(second, tranche(m1), 13 * TENTH),
        "N8.tranche-taken",
    );
    bench.accept_milestone(m1 + 1, 0);
    let holdback = bench.approved(second, Tranche::Holdback, 15 * TENTH);
    bench.days(3);
    set_off(&mut bench, recovery, holdback, 5 * TENTH);
    refuse(&mut bench, holdback).unwrap();
    bench.pay(second, Tranche::Holdback, MILLION);
    close_with(&mut bench, second, 2 * MILLION);
}

/// While a holdback is certified that does not pay it, the rest of a milestone's payment stays where it is; once
/// that holdback is paid, another may follow it.
#[test]
fn f45_a_holdback_that_is_certified_or_paid_is_followed_by_another() {
    let (mut bench, recovery) = indebted(MILLION);
    let second = other_agreement(&mut bench, &[2 * MILLION], 0);
    let m1 = bench.first(second);
    bench.accept_milestone(m1, 2 * MILLION);
    bench.accept_milestone(m1 + 1, 0);
    let payment = bench.approved(second, tranche(m1), 18 * TENTH);
    bench.days(3);
    set_off(&mut bench, recovery, payment, 5 * TENTH);
    let holdback = bench.approved(second, Tranche::Holdback, 2 * TENTH);
    refused(refuse(&mut bench, payment), "F45.partly-set-off");
    bench.days(3);
    bench.release(holdback).unwrap();
    bench.settle(holdback).unwrap();
    bench.acknowledge(holdback).unwrap();
    refuse(&mut bench, payment).unwrap();
    bench.pay(second, Tranche::Holdback, 13 * TENTH);
    close_with(&mut bench, second, 2 * MILLION);
}

/// A milestone's payment was fixed while another milestone was to come: 2.4 of 4 million, for the other one
/// would clear the other half of the advance. The agreement ends. 1.6 are owed, and 2.4 could be neither
/// released nor refused. Now the grantee asks anew, and the advance is cleared wholly.
#[test]
fn f25_a_share_that_was_fixed_before_the_end_is_computed_anew() {
    for back in [false, true] {
        let mut bench = Bench::on_tables();
        let number = bench.agreement();
        let m1 = bench.first(number);
        bench.pay(number, Tranche::Advance, 24 * TENTH);
        bench.accept_milestone(m1, 4 * MILLION);
        let payment = bench.approved(number, tranche(m1), 24 * TENTH);
        if back {
            bench.days(3);
            bench.release(payment).unwrap();
            bench.give_back(payment).unwrap();
        }
        end(&mut bench, number);
        assert_eq!(bench.payment(payment).state, PaymentState::Refused);
        let committed = AccountKind::Committed(AgreementId(number));
        assert_eq!(bench.of(committed), i128::from(16 * TENTH));
        bench.pay(number, tranche(m1), 12 * TENTH);
        bench.pay(number, Tranche::Holdback, 4 * TENTH);
        close_with(&mut bench, number, 4 * MILLION);
    }
}

/// The bank had such a payment when the agreement ended, and gave it back. It was released again: 4.8 million
/// were paid for 4 that were accepted.
#[test]
fn f25_a_payment_that_comes_back_after_the_end_is_not_released_again_above_what_is_owed() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let m1 = bench.first(number);
    bench.pay(number, Tranche::Advance, 24 * TENTH);
    bench.accept_milestone(m1, 4 * MILLION);
    let payment = bench.approved(number, tranche(m1), 24 * TENTH);
    bench.days(3);
    bench.release(payment).unwrap();
    end(&mut bench, number);
    let committed = AccountKind::Committed(AgreementId(number));
    assert_eq!(bench.of(committed), 0);
    bench.give_back(payment).unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Refused);
    refused(bench.release(payment), "F20.wrong-state");
    bench.pay(number, tranche(m1), 12 * TENTH);
    bench.pay(number, Tranche::Holdback, 4 * TENTH);
    close_with(&mut bench, number, 4 * MILLION);
}

/// The same with a part that is set off: it stays paid, and the holdback pays what is owed beside it.
#[test]
fn f25_what_is_set_off_of_such_a_payment_stays_paid() {
    let (mut bench, recovery) = indebted(MILLION);
    let second = other_agreement(&mut bench, &[MILLION, MILLION], 6 * TENTH);
    bench.pay(second, Tranche::Advance, 6 * TENTH);
    let m1 = bench.first(second);
    bench.accept_milestone(m1, MILLION);
    let payment = bench.approved(second, tranche(m1), 6 * TENTH);
    bench.days(3);
    set_off(&mut bench, recovery, payment, TENTH);
    end(&mut bench, second);
    assert_eq!(bench.payment(payment).state, PaymentState::SetOff);
    let committed = AccountKind::Committed(AgreementId(second));
    assert_eq!(bench.of(committed), i128::from(3 * TENTH));
    bench.pay(second, Tranche::Holdback, 3 * TENTH);
    close_with(&mut bench, second, MILLION);
}
