//! What the board is asked, the board decides: no officer and no clock takes a measure or a recovery from it, and no
//! single motion that fails ends one.

use rollbook_core::charter::motions::DecidingBody;
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, GroupId, MotionId};
use rollbook_core::object::measure::MeasureStatus;
use rollbook_core::object::recovery::GrantRecoveryStatus;
use rollbook_core::record::{
    AwardAct, Body, InstalmentEntry, MeasureKind, MotionEffect, OrderRecovery, TerminateAgreement,
    Tranche,
};
use rollbook_core::rules::motion::{Opening, open};
use rollbook_proof::number::OrganisationId;
use rollbook_tests::grants::{Bench, MILLION, Staff, hash};

use super::life::{announce, entry, status};
use super::recoveries::{known, notify, propose, today};
use super::refused;

/// A seat holder asks the board.
fn ask(bench: &mut Bench, effect: MotionEffect) -> MotionId {
    let seat = OrganisationId(1);
    let opening = Opening {
        effect,
        proposer: Some((seat, GroupId(seat))),
        body: DecidingBody::Board,
        text: hash("text"),
        ballot_days: None,
    };
    bench.direct(|tx| open(tx, opening)).unwrap()
}

fn is_open(bench: &Bench, motions: &[MotionId]) -> bool {
    let motion = |number| bench.world.tables.motions.get(number).unwrap();
    motions
        .iter()
        .any(|number| !motion(number).status.is_final())
}

/// The programme officer dropped what the board was voting on or had passed; the clock dropped it on its day,
/// whatever the board was about to decide; and the first of several motions that failed dropped it.
#[test]
fn f24_a_measure_that_is_before_the_board_is_the_boards() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    let ground = hash("ground");
    let hold = Body::Award(AwardAct::HoldPayments { measure, ground });
    bench.staff(Staff::Finance, hold).unwrap();
    bench.days(34);
    let reason = hash("reason");
    let effect = MotionEffect::TerminateAgreement(TerminateAgreement { measure, reason });
    let drop = Body::Award(AwardAct::DropMeasure { measure, reason });
    // Nobody votes: each motion fails in the end for want of a quorum.
    let mut motions = vec![ask(&mut bench, effect.clone())];
    let (mut outlasted, mut failed) = (0, 0);
    for day in 34..200 {
        if day % 7 == 0 && day < 77 {
            motions.push(ask(&mut bench, effect.clone()));
        }
        let events = bench.days(1);
        if !is_open(&bench, &motions) {
            break;
        }
        assert_eq!(status(&bench, measure), MeasureStatus::Heard, "day {day}");
        refused(
            bench.staff(Staff::Programme, drop.clone()),
            "F24.board-asked",
        );
        failed = motions
            .iter()
            .filter(|motion| !is_open(&bench, &[**motion]))
            .count();
        let still = EventBody::MeasureMoved {
            measure,
            agreement: AgreementId(number),
            status: MeasureStatus::Heard,
        };
        outlasted += usize::from(events.contains(&still));
    }
    assert!(failed > 0, "one failed before the others");
    assert_eq!(outlasted, 1, "the hold ended once");
    assert!(!is_open(&bench, &motions));
    assert_eq!(status(&bench, measure), MeasureStatus::Dropped);
    assert_eq!(entry(&bench, number).measure, None);
    bench.certify(payment).unwrap();
}

/// The hold ends with its days although the board has not decided (R13), and the payments go on.
#[test]
fn r13_a_hold_ends_with_its_days_while_the_board_decides() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let measure = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    let ground = hash("ground");
    let hold = Body::Award(AwardAct::HoldPayments { measure, ground });
    bench.staff(Staff::Finance, hold).unwrap();
    bench.days(34);
    let reason = hash("reason");
    let plan = rollbook_core::record::SuspendAgreement { measure, reason };
    let effect = MotionEffect::SuspendAgreement(plan);
    ask(&mut bench, effect.clone());
    for _ in 0..5 {
        refused(bench.certify(payment), "N10.payments-held");
        bench.days(7);
        ask(&mut bench, effect.clone());
    }
    bench.days(8);
    assert_eq!(status(&bench, measure), MeasureStatus::Heard);
    bench.certify(payment).unwrap();
}

/// The same of a recovery: and a motion that fails ends none.
#[test]
fn f26_a_recovery_that_is_before_the_board_is_the_boards() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    let recovery = propose(&mut bench, number, MILLION).unwrap();
    notify(&mut bench, recovery).unwrap();
    bench.days(34);
    let part = InstalmentEntry {
        due_day: rollbook_core::calendar::LocalDay(today(&bench).0 + 300),
        amount: rollbook_core::account::Amount(MILLION),
    };
    let reason = hash("reason");
    let effect = MotionEffect::OrderRecovery(OrderRecovery {
        recovery,
        instalments: vec![part],
        reason,
    });
    let drop = Body::Award(AwardAct::DropRecovery { recovery, reason });
    let mut motions = vec![ask(&mut bench, effect.clone())];
    for day in 34..300 {
        if day % 14 == 0 && day < 100 {
            motions.push(ask(&mut bench, effect.clone()));
        }
        bench.days(1);
        if !is_open(&bench, &motions) {
            break;
        }
        let status = known(&bench, recovery).status;
        assert_eq!(status, GrantRecoveryStatus::Heard, "day {day}");
        refused(
            bench.staff(Staff::Programme, drop.clone()),
            "F26.board-asked",
        );
    }
    assert!(!is_open(&bench, &motions));
    // The last one has failed too: the recovery may be put to the board again, or lapses.
    let moved = EventBody::GrantRecoveryMoved {
        recovery,
        agreement: AgreementId(number),
        status: GrantRecoveryStatus::Dropped,
    };
    assert!(bench.days(14).contains(&moved));
}
