//! Measures about an agreement (F24, F25), and its closing (F28): every guard, every clock, every balance.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, CallId, MeasureId, MilestoneId, MotionId, PaymentId};
use rollbook_core::object::agreement::{Agreement, AgreementState};
use rollbook_core::object::measure::MeasureStatus;
use rollbook_core::object::milestone::MilestoneState;
use rollbook_core::object::motion::Failure;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{
    AwardAct, Body, Finding, MeasureKind, MeasureNotice, SuspendAgreement, TerminateAgreement,
    Tranche,
};
use rollbook_core::refusal::Refusal;
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::{DeadlineKind, Due};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_tests::grants::{Bench, CALL, MILLION, OTHER, Staff, hash};

use super::refused;

fn now() -> Due {
    Due::acting(LedgerTime(0))
}

pub fn announce(
    bench: &mut Bench,
    agreement: u32,
    kind: MeasureKind,
) -> Result<MeasureId, Refusal> {
    let act = AwardAct::Announce(MeasureNotice {
        agreement: AgreementId(agreement),
        kind,
        letter: hash("letter"),
        dispatch: hash("dispatch"),
    });
    bench.staff(Staff::Programme, Body::Award(act))?;
    Ok(*bench.world.tables.measures.last_key().unwrap())
}

pub fn terminate(bench: &mut Bench, measure: MeasureId) -> Result<(), Refusal> {
    let reason = hash("reason");
    let plan = TerminateAgreement { measure, reason };
    bench.direct(|tx| {
        plan.possible(tx)?;
        plan.carry_out(tx, MotionId(0), now())
    })
}

pub fn suspend(bench: &mut Bench, measure: MeasureId) -> Result<(), Refusal> {
    let reason = hash("reason");
    let plan = SuspendAgreement { measure, reason };
    bench.direct(|tx| {
        plan.possible(tx)?;
        plan.carry_out(tx, MotionId(0), now())
    })
}

pub fn entry(bench: &Bench, agreement: u32) -> Agreement {
    let found = bench.world.tables.agreements.get(&AgreementId(agreement));
    found.unwrap().clone()
}

pub fn close(bench: &mut Bench, who: Staff, agreement: u32) -> Result<Hash, Refusal> {
    let agreement = AgreementId(agreement);
    bench.staff(who, Body::Award(AwardAct::Close { agreement }))
}

pub fn status(bench: &Bench, measure: MeasureId) -> MeasureStatus {
    bench.world.tables.measures.get(&measure).unwrap().status
}

fn balances<const N: usize>(bench: &Bench, kinds: [AccountKind; N]) -> [i128; N] {
    kinds.map(|kind| bench.of(kind))
}

/// The line of the story: an advance is paid, the milestone is rejected, the agreement ends. What is
/// owed to nobody goes back to the call that is not decided (R3).
#[test]
fn f25_what_is_owed_to_nobody_returns() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    let m1 = bench.first(number);
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    bench.submit(m1, "x").unwrap();
    bench.judge_milestone(m1, Finding::Reject);
    let accounts = [
        AccountKind::Committed(agreement),
        AccountKind::Paid(agreement),
        AccountKind::Call(CallId(CALL)),
    ];
    let tenths = |of: [u64; 3]| of.map(|tenths| i128::from(tenths * MILLION / 10));
    assert_eq!(balances(&bench, accounts), tenths([56, 24, 120]));
    refused(
        bench.staff(
            Staff::Finance,
            Body::Award(AwardAct::Announce(MeasureNotice {
                agreement,
                kind: MeasureKind::Termination,
                letter: Hash::ZERO,
                dispatch: Hash::ZERO,
            })),
        ),
        "A6.role-missing",
    );
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    refused(
        announce(&mut bench, number, MeasureKind::Payment),
        "F24.measure-waits",
    );
    // The grantee is heard first.
    refused(terminate(&mut bench, measure), "F24.not-heard");
    let observe = |measure| {
        Body::Award(AwardAct::ObserveMeasure {
            measure,
            observations: hash("observations"),
        })
    };
    refused(
        bench.company(OTHER, observe(measure)),
        "F24.not-the-grantee",
    );
    bench.grantee(observe(measure)).unwrap();
    let events = bench.days(34);
    assert_eq!(
        events,
        [EventBody::MeasureMoved {
            measure,
            agreement,
            status: MeasureStatus::Heard
        }]
    );
    refused(bench.grantee(observe(measure)), "F24.observations-over");
    refused(suspend(&mut bench, measure), "F24.other-measure");
    terminate(&mut bench, measure).unwrap();
    assert_eq!(balances(&bench, accounts), tenths([0, 24, 176]));
    bench.totals();
    let known = entry(&bench, number);
    assert_eq!(
        (known.state, known.freed, known.measure),
        (AgreementState::Terminated, Amount(56 * MILLION / 10), None)
    );
    assert_eq!(bench.milestone(m1).state, MilestoneState::Rejected);
    for open in [m1 + 1, m1 + 2] {
        assert_eq!(bench.milestone(open).state, MilestoneState::Cancelled);
    }
    refused(terminate(&mut bench, measure), "F24.not-heard");
    refused(
        announce(&mut bench, number, MeasureKind::Termination),
        "F25.wrong-state",
    );
    refused(bench.submit(m1 + 1, "y"), "F14.not-in-force");
    assert!(bench.days(100).is_empty(), "no clock runs any more");
    // Nothing is open: two persons close it, and what was paid is accepted.
    close(&mut bench, Staff::Programme, number).unwrap();
    refused(close(&mut bench, Staff::Programme, number), "F24.same-role");
    close(&mut bench, Staff::Finance, number).unwrap();
    let accepted = AccountKind::Accepted(agreement);
    assert_eq!(bench.of(accepted), i128::from(24 * MILLION / 10));
    assert_eq!(balances(&bench, accounts), tenths([0, 0, 176]));
    assert_eq!(entry(&bench, number).state, AgreementState::Closed);
    refused(close(&mut bench, Staff::Finance, number), "F28.wrong-state");
    bench.totals();
}

/// What was accepted is paid although the agreement ended, holdback and all; an advance that was still
/// asked for is refused.
#[test]
fn f25_what_was_accepted_stays_owed() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    let m1 = bench.first(number);
    let advance = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    bench.accept_milestone(m1, 4 * MILLION);
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.days(34);
    terminate(&mut bench, measure).unwrap();
    let refused_advance = bench.payment(advance);
    assert_eq!(
        (
            refused_advance.state,
            refused_advance.refused.unwrap().as_str()
        ),
        (PaymentState::Refused, "agreement-terminated")
    );
    let committed = AccountKind::Committed(agreement);
    assert_eq!(bench.of(committed), i128::from(4 * MILLION));
    refused(
        bench.request(number, Tranche::Advance, 24 * MILLION / 10),
        "N7.no-agreement-in-force",
    );
    refused(close(&mut bench, Staff::Programme, number), "F28.owed");
    let tranche = Tranche::Milestone(MilestoneId(m1));
    let payment = bench.approved(number, tranche, 36 * MILLION / 10);
    refused(
        close(&mut bench, Staff::Programme, number),
        "F28.payment-open",
    );
    bench.days(3);
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
    bench.pay(number, Tranche::Holdback, 4 * MILLION / 10);
    assert_eq!(bench.of(committed), 0);
    close(&mut bench, Staff::Finance2, number).unwrap();
    close(&mut bench, Staff::Programme, number).unwrap();
    let accepted = AccountKind::Accepted(agreement);
    assert_eq!(bench.of(accepted), i128::from(4 * MILLION));
    bench.totals();
}

/// The bank gives an advance back after the end: it is not paid again, and its money returns with the closing.
/// It used to wait for a new release.
#[test]
fn f25_an_advance_that_comes_back_after_the_end_is_not_paid_again() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    let advance = bench.approved(number, Tranche::Advance, 24 * MILLION / 10);
    bench.days(3);
    bench.release(advance).unwrap();
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.days(34);
    terminate(&mut bench, measure).unwrap();
    assert_eq!(bench.payment(advance).state, PaymentState::Released);
    bench.give_back(advance).unwrap();
    assert_eq!(bench.payment(advance).state, PaymentState::Refused);
    let committed = AccountKind::Committed(agreement);
    assert_eq!(bench.of(committed), i128::from(24 * MILLION / 10));
    close(&mut bench, Staff::Programme, number).unwrap();
    close(&mut bench, Staff::Finance, number).unwrap();
    assert_eq!(
        balances(&bench, [committed, AccountKind::Call(CallId(CALL))]),
        [0, i128::from(20 * MILLION)]
    );
    bench.totals();
}

/// What the grantee never asks for holds the closing up for a year, and returns with it.
#[test]
fn f28_what_is_never_asked_for_returns_in_the_end() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let (m1, report) = (bench.first(number), bench.first(number) + 2);
    bench.accept_milestone(m1, 3 * MILLION);
    bench.submit(m1 + 1, "y").unwrap();
    bench.judge_milestone(m1 + 1, Finding::Reject);
    bench.accept_milestone(report, 0);
    refused(close(&mut bench, Staff::Programme, number), "F28.owed");
    bench.days(364);
    refused(close(&mut bench, Staff::Programme, number), "F28.owed");
    bench.days(3);
    close(&mut bench, Staff::Programme, number).unwrap();
    close(&mut bench, Staff::Finance, number).unwrap();
    let agreement = AgreementId(number);
    assert_eq!(
        balances(
            &bench,
            [
                AccountKind::Committed(agreement),
                AccountKind::Accepted(agreement),
                AccountKind::Call(CallId(CALL))
            ]
        ),
        [0, 0, i128::from(20 * MILLION)]
    );
    assert_eq!(entry(&bench, number).freed, Amount(8 * MILLION));
    bench.totals();
}

/// A finance approver holds the payments at once; the hold goes with the measure when nobody asks the
/// board in five working days (R13).
#[test]
fn r13_a_hold_lasts_until_the_measure_is_decided_or_nobody_asks() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let measure = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    let hold = |measure| {
        Body::Award(AwardAct::HoldPayments {
            measure,
            ground: hash("ground"),
        })
    };
    refused(
        bench.staff(Staff::Treasurer, hold(measure)),
        "A6.role-missing",
    );
    bench.staff(Staff::Finance, hold(measure)).unwrap();
    refused(
        bench.staff(Staff::Finance2, hold(measure)),
        "F24.held-already",
    );
    refused(bench.certify(payment), "N10.payments-held");
    let asked = bench.days(34);
    assert!(
        asked.contains(&EventBody::MeasureMoved {
            measure,
            agreement,
            status: MeasureStatus::Heard
        }),
        "{asked:?}"
    );
    refused(bench.certify(payment), "N10.payments-held");
    let events = bench.days(9);
    assert!(
        events.contains(&EventBody::MeasureMoved {
            measure,
            agreement,
            status: MeasureStatus::Dropped
        }),
        "{events:?}"
    );
    bench.certify(payment).unwrap();
    refused(
        bench.staff(Staff::Finance, hold(measure)),
        "F24.not-pending",
    );
    // Dropped by the officer, or by the board's no.
    let second = announce(&mut bench, number, MeasureKind::Whole).unwrap();
    let drop = |measure| {
        Body::Award(AwardAct::DropMeasure {
            measure,
            reason: hash("reason"),
        })
    };
    bench.staff(Staff::Programme, drop(second)).unwrap();
    refused(
        bench.staff(Staff::Programme, drop(second)),
        "F24.wrong-state",
    );
    let third = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.days(34);
    let plan = TerminateAgreement {
        measure: third,
        reason: Hash::ZERO,
    };
    bench
        .direct(|tx| plan.failed(tx, MotionId(0), now(), Failure::Rejected))
        .unwrap();
    assert_eq!(status(&bench, third), MeasureStatus::Dropped);
    assert_eq!(entry(&bench, number).measure, None);
}

/// Time limits stand still while an agreement is suspended, and go on with the time that they had left.
#[test]
fn f24_time_limits_pause_and_go_on_with_the_time_they_had_left() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let m1 = bench.first(number);
    let measure = announce(&mut bench, number, MeasureKind::Whole).unwrap();
    bench.days(34);
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    bench.submit(m1, "x").unwrap();
    let due = |bench: &Bench, kind: DeadlineKind, object: u32| {
        let due = bench.world.tables.deadline_of.get(&(kind as u16, object));
        due.map(|due| due.0 - bench.world.now)
    };
    let certify = due(&bench, DeadlineKind::CertifyDue, payment).unwrap();
    let assess = due(&bench, DeadlineKind::AssessDue, m1).unwrap();
    suspend(&mut bench, measure).unwrap();
    let suspended = bench.world.now;
    assert_eq!(entry(&bench, number).state, AgreementState::Suspended);
    assert_eq!(due(&bench, DeadlineKind::CertifyDue, payment), None);
    assert_eq!(due(&bench, DeadlineKind::AssessDue, m1), None);
    refused(bench.certify(payment), "N10.agreement-suspended");
    refused(bench.submit(m1 + 1, "y"), "F24.suspended");
    refused(bench.assess(5, m1, Finding::Rework), "F24.suspended");
    refused(
        announce(&mut bench, number, MeasureKind::Payment),
        "F24.wrong-state",
    );
    assert!(bench.days(40).is_empty(), "nothing is overdue meanwhile");
    let resume = Body::Award(AwardAct::Resume {
        agreement: AgreementId(number),
    });
    bench.staff(Staff::Finance, resume.clone()).unwrap();
    refused(
        bench.staff(Staff::Finance2, resume.clone()),
        "F24.same-role",
    );
    refused(bench.certify(payment), "N10.agreement-suspended");
    bench.staff(Staff::Programme, resume.clone()).unwrap();
    assert_eq!(
        due(&bench, DeadlineKind::CertifyDue, payment),
        Some(certify)
    );
    assert_eq!(due(&bench, DeadlineKind::AssessDue, m1), Some(assess));
    assert_eq!(status(&bench, measure), MeasureStatus::Ended);
    // The days move beside the terms, which stay what everybody signed.
    let stood = bench.world.now - suspended;
    assert_eq!(bench.milestone(m1).moved_ms, stood);
    let known = entry(&bench, number);
    assert_eq!(known.terms.digest(), known.digest);
    assert!(stood > 40 * MS_PER_DAY);
    refused(bench.staff(Staff::Programme, resume), "F24.wrong-state");
    bench.certify(payment).unwrap();
    bench.assess(5, m1, Finding::Rework).unwrap();
}

/// A suspension of payments alone lets the grantee deliver, but not end; a suspension of the time limits
/// alone lets the fund pay. Either ends with the agreement.
#[test]
fn f24_what_each_kind_of_suspension_stops() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let (m1, report) = (bench.first(number), bench.first(number) + 2);
    let measure = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    bench.days(34);
    suspend(&mut bench, measure).unwrap();
    bench.accept_milestone(m1, 4 * MILLION);
    bench.accept_milestone(m1 + 1, 4 * MILLION);
    refused(bench.submit(report, "report"), "F24.suspended");
    let tranche = Tranche::Milestone(MilestoneId(m1));
    let payment = bench.request(number, tranche, 36 * MILLION / 10).unwrap();
    refused(bench.certify(payment), "N10.agreement-suspended");
    let end = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.days(34);
    terminate(&mut bench, end).unwrap();
    assert_eq!(status(&bench, measure), MeasureStatus::Ended);
    assert_eq!(entry(&bench, number).suspension, None);
    bench.certify(payment).unwrap();
    assert_eq!(
        bench.of(AccountKind::Committed(AgreementId(number))),
        i128::from(8 * MILLION),
        "all of it was accepted"
    );

    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let measure = announce(&mut bench, number, MeasureKind::Deadline).unwrap();
    bench.days(34);
    suspend(&mut bench, measure).unwrap();
    let m1 = bench.first(number);
    bench.accept_milestone(m1, 4 * MILLION);
    let tranche = Tranche::Milestone(MilestoneId(m1));
    let payment = bench.request(number, tranche, 36 * MILLION / 10).unwrap();
    let events = bench.days(60);
    let late = |event: &EventBody| matches!(event, EventBody::StepOverdue { .. });
    assert!(!events.iter().any(late), "{events:?}");
    bench.certify(payment).unwrap();
    assert_eq!(bench.payment(payment).number, PaymentId(payment));
}

/// An agreement that is completed needs no measure any more.
#[test]
fn f43_a_completed_agreement_drops_what_was_announced() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let (m1, report) = (bench.first(number), bench.first(number) + 2);
    bench.accept_milestone(m1, 4 * MILLION);
    bench.accept_milestone(m1 + 1, 4 * MILLION);
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.accept_milestone(report, 0);
    assert_eq!(status(&bench, measure), MeasureStatus::Dropped);
    assert_eq!(entry(&bench, number).state, AgreementState::Completed);
    refused(
        announce(&mut bench, number, MeasureKind::Whole),
        "F24.wrong-state",
    );
}
