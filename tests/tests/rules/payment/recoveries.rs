//! Recovery of paid money (F26, F27, F44, F45): every guard, every clock, every balance.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::LocalDay;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, ApplicationId, AwardId, MotionId, PaymentId, RecoveryId};
use rollbook_core::object::application::Application;
use rollbook_core::object::motion::Failure;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::object::recovery::{GrantRecoveryStatus, Recovery};
use rollbook_core::record::{
    AwardAct, BankReference, Body, InstalmentEntry, OrderRecovery, RecoveryClaim, RecoveryEntry,
    SetOffEntry, Tranche, WriteOffRecovery,
};
use rollbook_core::refusal::Refusal;
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::Due;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_tests::grants::{Bench, GRANTEE, MILLION, OTHER, Staff, hash, text};

use super::life::{close, entry};
use super::refused;

fn now() -> Due {
    Due::acting(LedgerTime(0))
}

pub fn propose(bench: &mut Bench, agreement: u32, amount: u64) -> Result<RecoveryId, Refusal> {
    let act = AwardAct::ProposeRecovery(RecoveryClaim {
        agreement: AgreementId(agreement),
        amount: Amount(amount),
        code: text("not-delivered"),
        reason: hash("reason"),
    });
    bench.staff(Staff::Programme, Body::Award(act))?;
    Ok(*bench.world.tables.recoveries.last_key().unwrap())
}

pub fn notify(bench: &mut Bench, recovery: RecoveryId) -> Result<Hash, Refusal> {
    let act = AwardAct::NotifyRecovery {
        recovery,
        letter: hash("letter"),
        dispatch: hash("dispatch"),
    };
    bench.staff(Staff::Programme, Body::Award(act))
}

pub fn today(bench: &Bench) -> LocalDay {
    LocalDay::of(LedgerTime(bench.world.now), 480)
}

/// Instalments due in so many days.
pub fn order(bench: &mut Bench, recovery: RecoveryId, parts: &[(i64, u64)]) -> Result<(), Refusal> {
    let today = today(bench).0;
    let part = |(days, amount): &(i64, u64)| InstalmentEntry {
        due_day: LocalDay(today + days),
        amount: Amount(*amount),
    };
    let plan = OrderRecovery {
        recovery,
        instalments: parts.iter().map(part).collect(),
        reason: hash("reason"),
    };
    bench.direct(|tx| {
        plan.possible(tx)?;
        plan.carry_out(tx, MotionId(0), now())
    })
}

/// A debt of so much, ordered.
pub fn debt(bench: &mut Bench, agreement: u32, amount: u64) -> RecoveryId {
    let recovery = propose(bench, agreement, amount).unwrap();
    notify(bench, recovery).unwrap();
    bench.days(34);
    order(bench, recovery, &[(30, amount)]).unwrap();
    recovery
}

pub fn receive(
    bench: &mut Bench,
    recovery: RecoveryId,
    amount: u64,
    reference: &BankReference,
) -> Result<Hash, Refusal> {
    let act = AwardAct::ReceiveRecovery(RecoveryEntry {
        recovery,
        amount: Amount(amount),
        reference: reference.clone(),
        value_day: today(bench),
    });
    bench.staff(Staff::Treasurer, Body::Award(act))
}

pub fn confirm(bench: &mut Bench, receipt: Hash) -> Result<Hash, Refusal> {
    let act = AwardAct::ConfirmRecovery { receipt };
    bench.staff(Staff::Officer, Body::Award(act))
}

pub fn known(bench: &Bench, recovery: RecoveryId) -> Recovery {
    bench
        .world
        .tables
        .recoveries
        .get(&recovery)
        .unwrap()
        .clone()
}

pub fn write_off(bench: &mut Bench, recovery: RecoveryId) -> Result<(), Refusal> {
    let attempts = hash("attempts");
    let plan = WriteOffRecovery { recovery, attempts };
    bench.direct(|tx| {
        plan.possible(tx)?;
        plan.carry_out(tx, MotionId(0), now())
    })
}

/// The line of the story: 1.2 million are asked back, 0.7 come, 0.5 never.
#[test]
fn f26_f27_a_recovery_is_heard_ordered_received_and_written_off() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    refused(propose(&mut bench, number, 1), "N21.above-disbursed");
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    refused(
        propose(&mut bench, number, 24 * MILLION / 10 + 1),
        "N21.above-disbursed",
    );
    let recovery = propose(&mut bench, number, 12 * MILLION / 10).unwrap();
    refused(order(&mut bench, recovery, &[(30, 1)]), "F26.not-heard");
    let observe = |recovery| {
        Body::Award(AwardAct::ObserveRecovery {
            recovery,
            observations: hash("observations"),
        })
    };
    refused(bench.grantee(observe(recovery)), "F44.observations-over");
    let reference = bench.reference();
    refused(
        receive(&mut bench, recovery, MILLION, &reference),
        "F26.not-ordered",
    );
    notify(&mut bench, recovery).unwrap();
    refused(notify(&mut bench, recovery), "F44.notified-before");
    refused(
        bench.company(OTHER, observe(recovery)),
        "F44.not-the-grantee",
    );
    bench.grantee(observe(recovery)).unwrap();
    assert_eq!(
        bench.days(34),
        [EventBody::GrantRecoveryMoved {
            recovery,
            agreement,
            status: GrantRecoveryStatus::Heard
        }]
    );
    refused(
        order(&mut bench, recovery, &[(30, 12 * MILLION / 10 + 1)]),
        "F26.above-proposed",
    );
    order(
        &mut bench,
        recovery,
        &[(20, 6 * MILLION / 10), (50, 6 * MILLION / 10)],
    )
    .unwrap();
    // What is ordered is not asked back twice.
    refused(
        propose(&mut bench, number, 12 * MILLION / 10 + 1),
        "N21.above-disbursed",
    );
    let free = bench.of(AccountKind::Free);
    let reference = bench.reference();
    refused(
        receive(&mut bench, recovery, 12 * MILLION / 10 + 1, &reference),
        "F26.above-open",
    );
    let ahead = AwardAct::ReceiveRecovery(RecoveryEntry {
        recovery,
        amount: Amount(1),
        reference: reference.clone(),
        value_day: LocalDay(today(&bench).0 + 1),
    });
    refused(
        bench.staff(Staff::Treasurer, Body::Award(ahead)),
        "F26.value-day-ahead",
    );
    let receipt = receive(&mut bench, recovery, 7 * MILLION / 10, &reference).unwrap();
    assert_eq!(
        bench.of(AccountKind::Free),
        free,
        "one person books nothing"
    );
    refused(
        bench.staff(
            Staff::Treasurer,
            Body::Award(AwardAct::ConfirmRecovery { receipt }),
        ),
        "A6.role-missing",
    );
    refused(confirm(&mut bench, Hash::ZERO), "F26.unknown-receipt");
    confirm(&mut bench, receipt).unwrap();
    refused(confirm(&mut bench, receipt), "F26.already-confirmed");
    refused(
        receive(&mut bench, recovery, 1, &reference),
        "N8.bank-reference-used",
    );
    let paid = AccountKind::Paid(agreement);
    assert_eq!(
        (bench.of(AccountKind::Free) - free, bench.of(paid)),
        (i128::from(7 * MILLION / 10), i128::from(17 * MILLION / 10))
    );
    assert_eq!(
        known(&bench, recovery).status,
        GrantRecoveryStatus::PartlyRecovered
    );
    // The first instalment has come; of the second 0.5 million are late.
    assert!(bench.days(40).is_empty());
    assert_eq!(
        bench.days(15),
        [EventBody::GrantRecoveryLate {
            recovery,
            grantee: OrganisationId(GRANTEE),
            amount: Amount(5 * MILLION / 10)
        }]
    );
    write_off(&mut bench, recovery).unwrap();
    refused(write_off(&mut bench, recovery), "F27.wrong-state");
    assert_eq!(
        (bench.of(AccountKind::Lost(agreement)), bench.of(paid)),
        (i128::from(5 * MILLION / 10), i128::from(12 * MILLION / 10))
    );
    let entry = entry(&bench, number);
    assert_eq!(
        (entry.recovered, entry.written_off),
        (Amount(7 * MILLION / 10), Amount(5 * MILLION / 10))
    );
    bench.totals();
}

/// Nobody is left with a recovery that nobody leads on (R36), however often the board said no.
#[test]
fn r36_a_recovery_that_nobody_decides_lapses() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let agreement = AgreementId(number);
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    let moved = |recovery, status| EventBody::GrantRecoveryMoved {
        recovery,
        agreement,
        status,
    };
    let first = propose(&mut bench, number, MILLION).unwrap();
    assert_eq!(
        bench.days(34),
        [moved(first, GrantRecoveryStatus::Dropped)],
        "the grantee was never told"
    );
    let second = propose(&mut bench, number, MILLION).unwrap();
    notify(&mut bench, second).unwrap();
    assert_eq!(
        bench.days(78),
        [
            moved(second, GrantRecoveryStatus::Heard),
            moved(second, GrantRecoveryStatus::Dropped)
        ]
    );
    refused(order(&mut bench, second, &[(30, MILLION)]), "F26.not-heard");
    let third = propose(&mut bench, number, MILLION).unwrap();
    let drop = |recovery| {
        Body::Award(AwardAct::DropRecovery {
            recovery,
            reason: hash("reason"),
        })
    };
    bench.staff(Staff::Programme, drop(third)).unwrap();
    refused(
        bench.staff(Staff::Programme, drop(third)),
        "F44.wrong-state",
    );
    let fourth = propose(&mut bench, number, MILLION).unwrap();
    notify(&mut bench, fourth).unwrap();
    bench.days(34);
    let plan = OrderRecovery {
        recovery: fourth,
        instalments: Vec::new(),
        reason: Hash::ZERO,
    };
    bench
        .direct(|tx| plan.failed(tx, MotionId(0), now(), Failure::Rejected))
        .unwrap();
    // One motion that failed ends nothing: the board may be asked again until the days are over.
    assert_eq!(known(&bench, fourth).status, GrantRecoveryStatus::Heard);
    assert_eq!(
        bench.days(200),
        [moved(fourth, GrantRecoveryStatus::Dropped)]
    );
}

/// A second agreement of the grantee, in these parts.
pub fn other_agreement(bench: &mut Bench, amounts: &[u64], advance: u64) -> u32 {
    let third = ApplicationId(3);
    bench.place(|tx| {
        let mut application = tx.get::<Application>(third).unwrap();
        application.applicant = OrganisationId(GRANTEE);
        tx.put(application);
    });
    let award = bench.grant(3, 2 * MILLION, BodyKind::Assembly).unwrap();
    bench.days(14);
    bench
        .grantee(Body::Award(AwardAct::Accept {
            award: AwardId(award),
        }))
        .unwrap();
    let terms = bench.terms(award, amounts, advance);
    let agreement = bench.sign_all(&terms);
    bench.draw(agreement, &[5, 6, 7, 8]);
    agreement
}

/// One of 2 million, whose advance of 0.6 million is approved and ripe.
pub fn second_agreement(bench: &mut Bench) -> (u32, u32) {
    let agreement = other_agreement(bench, &[2 * MILLION], 6 * MILLION / 10);
    let payment = bench.approved(agreement, Tranche::Advance, 6 * MILLION / 10);
    bench.days(3);
    (agreement, payment)
}

pub fn enter_set_off(
    bench: &mut Bench,
    recovery: RecoveryId,
    payment: u32,
    amount: u64,
) -> Result<Hash, Refusal> {
    let act = AwardAct::SetOff(SetOffEntry {
        recovery,
        payment: PaymentId(payment),
        amount: Amount(amount),
    });
    bench.staff(Staff::Finance, Body::Award(act))
}

pub fn agree_set_off(bench: &mut Bench, entry: Hash) -> Result<Hash, Refusal> {
    bench.staff(
        Staff::Treasurer,
        Body::Award(AwardAct::AgreeSetOff { entry }),
    )
}

/// Both records of a set-off.
pub fn set_off(bench: &mut Bench, recovery: RecoveryId, payment: u32, amount: u64) {
    let entry = enter_set_off(bench, recovery, payment, amount).unwrap();
    agree_set_off(bench, entry).unwrap();
}

/// A debt of the first agreement is set off against a payment of the second: exactly two transfers, and
/// the bank pays what is left.
#[test]
fn f45_a_debt_is_set_off_against_a_payment() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    let recovery = debt(&mut bench, number, MILLION);
    let (second, payment) = second_agreement(&mut bench);
    let entry_of = |payment, amount| {
        Body::Award(AwardAct::SetOff(SetOffEntry {
            recovery,
            payment: PaymentId(payment),
            amount: Amount(amount),
        }))
    };
    refused(
        bench.staff(Staff::Finance, entry_of(payment, 6 * MILLION / 10 + 1)),
        "F45.above-payment",
    );
    refused(
        bench.staff(Staff::Finance, entry_of(payment, MILLION + 1)),
        "F26.above-open",
    );
    refused(
        bench.staff(Staff::Finance, entry_of(1, 1)),
        "F45.same-agreement",
    );
    refused(
        bench.staff(Staff::Treasurer, entry_of(payment, 1)),
        "A6.role-missing",
    );
    let plan = bench
        .staff(Staff::Finance, entry_of(payment, 4 * MILLION / 10))
        .unwrap();
    let agree = |entry| Body::Award(AwardAct::AgreeSetOff { entry });
    refused(
        bench.staff(Staff::Treasurer, agree(Hash::ZERO)),
        "F45.unknown-entry",
    );
    let accounts = [
        AccountKind::Free,
        AccountKind::Committed(AgreementId(second)),
        AccountKind::Paid(AgreementId(number)),
        AccountKind::Paid(AgreementId(second)),
    ];
    let before = accounts.map(|kind| bench.of(kind));
    bench.staff(Staff::Treasurer, agree(plan)).unwrap();
    refused(
        bench.staff(Staff::Treasurer, agree(plan)),
        "F45.agreed-before",
    );
    let x = i128::from(4 * MILLION / 10);
    let after = accounts.map(|kind| bench.of(kind));
    let moved: Vec<i128> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    assert_eq!(moved, [x, -x, -x, x]);
    assert_eq!(
        (
            known(&bench, recovery).set_off,
            known(&bench, recovery).rest()
        ),
        (Amount(4 * MILLION / 10), Amount(6 * MILLION / 10))
    );
    let left = bench.payment(payment);
    assert_eq!(
        (left.state, left.amount, left.set_off),
        (
            PaymentState::Approved,
            Amount(2 * MILLION / 10),
            Amount(4 * MILLION / 10)
        )
    );
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
    assert_eq!(
        bench.of(AccountKind::Paid(AgreementId(second))),
        i128::from(6 * MILLION / 10)
    );
    refused(
        bench.staff(Staff::Finance, entry_of(payment, 1)),
        "F45.payment-not-approved",
    );
    refused(
        close(&mut bench, Staff::Programme, number),
        "F28.wrong-state",
    );
    bench.totals();
}

/// A payment that is wholly set off is over: nothing is left for the bank.
#[test]
fn f45_a_payment_that_is_wholly_set_off_is_over() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    let recovery = debt(&mut bench, number, 6 * MILLION / 10);
    let (second, payment) = second_agreement(&mut bench);
    let plan = bench
        .staff(
            Staff::Finance2,
            Body::Award(AwardAct::SetOff(SetOffEntry {
                recovery,
                payment: PaymentId(payment),
                amount: Amount(6 * MILLION / 10),
            })),
        )
        .unwrap();
    bench
        .staff(
            Staff::Treasurer,
            Body::Award(AwardAct::AgreeSetOff { entry: plan }),
        )
        .unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::SetOff);
    assert_eq!(
        known(&bench, recovery).status,
        GrantRecoveryStatus::Recovered
    );
    let mine = |event: &EventBody| match event {
        EventBody::PayoutDelayOver { payment: of, .. }
        | EventBody::StepOverdue { payment: of, .. } => of.0 == payment,
        EventBody::GrantRecoveryLate { .. } => true,
        _ => false,
    };
    assert!(!bench.days(60).iter().any(mine), "no clock runs any more");
    refused(bench.certify(payment), "F17.wrong-state");
    assert_eq!(
        bench.of(AccountKind::Paid(AgreementId(second))),
        i128::from(6 * MILLION / 10)
    );
    bench.totals();
}
