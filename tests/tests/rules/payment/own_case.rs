//! Who votes on a case that is the voter's own, how often payments are held past the board, and money that comes
//! back before it is ordered or while it is given up.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::id::{AgreementId, MeasureId, MotionId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::object::motion::Failure;
use rollbook_core::object::recovery::GrantRecoveryStatus;
use rollbook_core::record::{
    AwardAct, Body, MeasureKind, RecoveryClaim, RecoveryEntry, TerminateAgreement, Tranche,
    WriteOffRecovery,
};
use rollbook_core::refusal::Refusal;
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::Due;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, MEMBERS, MILLION, Staff, hash, text};

use super::life::announce;
use super::recoveries::{confirm, debt, known, notify, order, propose, receive, today, write_off};
use super::refused;

const TENTH: u64 = MILLION / 10;

fn hold(bench: &mut Bench, measure: MeasureId) -> Result<Hash, Refusal> {
    let ground = hash("ground");
    let act = AwardAct::HoldPayments { measure, ground };
    bench.staff(Staff::Finance, Body::Award(act))
}

/// Whether this person may vote on the effect.
fn votes(bench: &mut Bench, effect: &dyn Effect, person: u32) -> Result<(), Refusal> {
    bench.direct(|tx| effect.check_voters(tx, &[PersonId(person)]))
}

/// Who announced a measure or held payments for it may be of a company on the board: they voted on it.
#[test]
fn n12_who_announced_or_held_does_not_vote_on_the_measure() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    hold(&mut bench, measure).unwrap();
    let reason = hash("reason");
    let effect = TerminateAgreement { measure, reason };
    for own in [Staff::Programme, Staff::Finance] {
        refused(votes(&mut bench, &effect, own.person()), "N12.same-person");
    }
    votes(&mut bench, &effect, Staff::Treasurer.person()).unwrap();
}

/// The same of who proposed a recovery and of who handled its money.
#[test]
fn n12_who_proposed_or_booked_does_not_vote_on_the_recovery() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * TENTH);
    let office = secretariat(MEMBERS);
    let (proposer, treasurer) = (officers_of(3).1, officers_of(4).1);
    bench.give_post(proposer, Role::ProgrammeOfficer);
    bench.give_post(treasurer, Role::Treasurer);
    let claim = AwardAct::ProposeRecovery(RecoveryClaim {
        agreement: AgreementId(number),
        amount: Amount(MILLION),
        code: text("not-delivered"),
        reason: hash("reason"),
    });
    let signed = [(proposer, Role::ProgrammeOfficer)];
    bench.act(office, &signed, Body::Award(claim)).unwrap();
    let recovery = *bench.world.tables.recoveries.last_key().unwrap();
    notify(&mut bench, recovery).unwrap();
    let receipt = AwardAct::ReceiveRecovery(RecoveryEntry {
        recovery,
        amount: Amount(TENTH),
        reference: bench.reference(),
        value_day: today(&bench),
    });
    let signed = [(treasurer, Role::Treasurer)];
    bench.act(office, &signed, Body::Award(receipt)).unwrap();
    let attempts = hash("attempts");
    let effect = WriteOffRecovery { recovery, attempts };
    for own in [proposer, treasurer] {
        refused(votes(&mut bench, &effect, own), "N12.same-person");
    }
    votes(&mut bench, &effect, officers_of(5).1).unwrap();
}

/// Programme and finance officer announced, held, dropped and announced again, and nothing was ever paid: the
/// board was never asked.
#[test]
fn r13_payments_are_not_held_again_past_the_board() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let first = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    hold(&mut bench, first).unwrap();
    let reason = hash("reason");
    let measure = first;
    let drop = Body::Award(AwardAct::DropMeasure { measure, reason });
    bench.staff(Staff::Programme, drop).unwrap();
    let second = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    refused(hold(&mut bench, second), "F24.held-before");
    bench.days(60);
    bench.days(306);
    let third = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    hold(&mut bench, third).unwrap();
    bench.days(34);
    // The board has voted: a new case is a new case.
    let measure = third;
    let effect = TerminateAgreement { measure, reason };
    let due = Due::acting(LedgerTime(0));
    let no = Failure::Rejected;
    bench
        .direct(|tx| effect.failed(tx, MotionId(0), due, no))
        .unwrap();
    let fourth = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    hold(&mut bench, fourth).unwrap();
}

/// A grantee pays before the board has ordered it. The money could not be booked, and the book was not the bank's.
#[test]
fn f26_money_that_comes_before_the_order_is_booked() {
    for all in [false, true] {
        let mut bench = Bench::on_tables();
        let number = bench.agreement();
        bench.pay(number, Tranche::Advance, 24 * TENTH);
        let recovery = propose(&mut bench, number, MILLION).unwrap();
        notify(&mut bench, recovery).unwrap();
        let free = bench.of(AccountKind::Free);
        let reference = bench.reference();
        refused(
            receive(&mut bench, recovery, MILLION + 1, &reference),
            "F26.above-open",
        );
        let came = if all { MILLION } else { 3 * TENTH };
        let receipt = receive(&mut bench, recovery, came, &reference).unwrap();
        confirm(&mut bench, receipt).unwrap();
        assert_eq!(bench.of(AccountKind::Free) - free, i128::from(came));
        assert_eq!(
            known(&bench, recovery).status,
            GrantRecoveryStatus::Notified
        );
        bench.totals();
        bench.days(34);
        refused(
            order(&mut bench, recovery, &[(30, came - 1)]),
            "F26.below-received",
        );
        order(&mut bench, recovery, &[(30, MILLION)]).unwrap();
        let entry = known(&bench, recovery);
        let status = if all {
            GrantRecoveryStatus::Recovered
        } else {
            GrantRecoveryStatus::PartlyRecovered
        };
        assert_eq!(entry.status, status);
        assert_eq!(entry.rest(), Amount(MILLION - came));
        bench.totals();
    }
}

/// Money is entered and waits for its second officer while the board gives it up: what was written off had come.
/// An entry that nobody confirms in time holds nothing up.
#[test]
fn f27_nothing_is_given_up_that_waits_to_be_confirmed() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * TENTH);
    let recovery = debt(&mut bench, number, MILLION);
    let reference = bench.reference();
    let receipt = receive(&mut bench, recovery, TENTH, &reference).unwrap();
    refused(write_off(&mut bench, recovery), "F27.receipt-waits");
    confirm(&mut bench, receipt).unwrap();
    let reference = bench.reference();
    receive(&mut bench, recovery, TENTH, &reference).unwrap();
    refused(write_off(&mut bench, recovery), "F27.receipt-waits");
    bench.days(14);
    write_off(&mut bench, recovery).unwrap();
    let lost = AccountKind::Lost(AgreementId(number));
    assert_eq!(bench.of(lost), i128::from(9 * TENTH));
    bench.totals();
}
