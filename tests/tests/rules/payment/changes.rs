//! Changes of an agreement (F23, N17): every guard, what is minor, every balance.

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, CallId, MotionId, VariationId};
use rollbook_core::object::variation::VariationStatus;
use rollbook_core::record::{
    AwardAct, Body, ChangeAgreement, ChangeRequest, Decision, MilestonePlan,
};
use rollbook_core::refusal::Refusal;
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::Due;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_tests::grants::{Bench, CALL, MILLION, OTHER, Staff, hash, text};

use super::life::entry;
use super::refused;

fn body(agreement: u32, milestones: Vec<MilestonePlan>) -> Body {
    Body::Award(AwardAct::RequestChange(ChangeRequest {
        agreement: AgreementId(agreement),
        milestones,
        document: hash("document"),
        reason: hash("reason"),
    }))
}

/// Asks for the milestones of the agreement, changed.
fn ask(
    bench: &mut Bench,
    agreement: u32,
    change: impl FnOnce(&mut Vec<MilestonePlan>),
) -> Result<VariationId, Refusal> {
    let mut milestones = entry(bench, agreement).terms.milestones;
    change(&mut milestones);
    bench.grantee(body(agreement, milestones))?;
    Ok(*bench.world.tables.variations.last_key().unwrap())
}

fn judge(bench: &mut Bench, variation: VariationId, decision: Decision) -> Result<Hash, Refusal> {
    let act = AwardAct::JudgeChange {
        variation,
        decision,
    };
    bench.staff(Staff::Programme, Body::Award(act))
}

fn decide(bench: &mut Bench, variation: VariationId, body: BodyKind) -> Result<(), Refusal> {
    let reason = hash("reason");
    let plan = ChangeAgreement {
        variation,
        body,
        reason,
    };
    bench.direct(|tx| {
        plan.possible(tx)?;
        plan.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
    })
}

fn status(bench: &Bench, variation: VariationId) -> VariationStatus {
    bench
        .world
        .tables
        .variations
        .get(&variation)
        .unwrap()
        .status
}

/// A fifth may move with the programme officer's word, all changes together (N17).
#[test]
fn n17_minor_changes_are_judged_together() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let move_some = |amount: u64| {
        move |milestones: &mut Vec<MilestonePlan>| {
            milestones[0].amount.0 -= amount;
            milestones[1].amount.0 += amount;
        }
    };
    let first = ask(&mut bench, number, move_some(MILLION)).unwrap();
    refused(
        ask(&mut bench, number, move_some(MILLION)),
        "F23.change-waits",
    );
    judge(&mut bench, first, Decision::Pass).unwrap();
    refused(judge(&mut bench, first, Decision::Pass), "F23.wrong-state");
    let m1 = bench.first(number);
    assert_eq!(bench.milestone(m1).planned, Amount(3 * MILLION));
    assert_eq!(bench.milestone(m1 + 1).planned, Amount(5 * MILLION));
    assert_eq!(entry(&bench, number).moved, Amount(MILLION));
    // 1.6 million are a fifth of 8: the second half is too much, though alone it would be minor.
    let second = ask(&mut bench, number, move_some(7 * MILLION / 10)).unwrap();
    refused(judge(&mut bench, second, Decision::Pass), "N17.not-minor");
    refused(
        decide(&mut bench, second, BodyKind::Board),
        "F23.body-too-low",
    );
    decide(&mut bench, second, BodyKind::Assembly).unwrap();
    assert_eq!(bench.milestone(m1).planned, Amount(23 * MILLION / 10));
    let third = ask(&mut bench, number, move_some(6 * MILLION / 10)).unwrap();
    judge(&mut bench, third, Decision::Pass).unwrap();
    // The same of days: six months in all.
    let later = |days: u64| {
        move |milestones: &mut Vec<MilestonePlan>| {
            milestones[1].due_ms = milestones[1].due_ms.plus_ms(days * MS_PER_DAY);
        }
    };
    let fourth = ask(&mut bench, number, later(120)).unwrap();
    judge(&mut bench, fourth, Decision::Pass).unwrap();
    let fifth = ask(&mut bench, number, later(64)).unwrap();
    refused(judge(&mut bench, fifth, Decision::Pass), "N17.not-minor");
    let refuse = Decision::Refuse {
        code: text("too-late"),
        reason: Hash::ZERO,
    };
    judge(&mut bench, fifth, refuse).unwrap();
    assert_eq!(status(&bench, fifth), VariationStatus::Refused);
    let other = ask(&mut bench, number, |milestones| {
        milestones[1].evidence = hash("something else");
    })
    .unwrap();
    refused(judge(&mut bench, other, Decision::Pass), "N17.not-minor");
    bench.totals();
}

/// An increase comes out of the call, a decrease goes back there while it is not decided (R3).
#[test]
fn f23_value_moves_with_the_total() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let accounts = [
        AccountKind::Committed(AgreementId(number)),
        AccountKind::Call(CallId(CALL)),
    ];
    let millions = |bench: &Bench| accounts.map(|kind| bench.of(kind) / i128::from(MILLION));
    assert_eq!(millions(&bench), [8, 12]);
    let more = ask(&mut bench, number, |milestones| {
        milestones[1].amount.0 += 2 * MILLION;
    })
    .unwrap();
    refused(judge(&mut bench, more, Decision::Pass), "N17.not-minor");
    decide(&mut bench, more, BodyKind::Assembly).unwrap();
    assert_eq!(millions(&bench), [10, 10]);
    let less = ask(&mut bench, number, |milestones| {
        milestones[1].amount.0 -= 3 * MILLION;
    })
    .unwrap();
    decide(&mut bench, less, BodyKind::Assembly).unwrap();
    assert_eq!(millions(&bench), [7, 13]);
    let known = entry(&bench, number);
    assert_eq!(
        (known.terms.total, known.freed),
        (Amount(7 * MILLION), Amount(0))
    );
    let all = ask(&mut bench, number, |milestones| {
        milestones[1].amount.0 += 13 * MILLION + 1;
    })
    .unwrap();
    refused(
        decide(&mut bench, all, BodyKind::Assembly),
        "N4.above-budget",
    );
    bench.totals();
}

#[test]
fn f23_guards_of_a_change() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let m1 = bench.first(number);
    let same = entry(&bench, number).terms.milestones;
    refused(
        bench.company(OTHER, body(number, same.clone())),
        "F23.not-the-grantee",
    );
    refused(
        bench.grantee(body(number, same.clone())),
        "F23.nothing-changes",
    );
    refused(
        bench.grantee(body(number, same[..1].to_vec())),
        "F23.other-count",
    );
    refused(bench.grantee(body(number, Vec::new())), "A6.malformed");
    refused(
        ask(&mut bench, number, |milestones| {
            milestones[0].due_ms = LedgerTime(1);
        }),
        "F23.due-in-the-past",
    );
    refused(
        ask(&mut bench, number, |milestones| {
            milestones[0].amount = Amount(1);
        }),
        "F23.milestone-too-small",
    );
    bench.accept_milestone(m1, 4 * MILLION);
    refused(
        ask(&mut bench, number, |milestones| {
            milestones[0].amount.0 -= MILLION;
        }),
        "F23.milestone-decided",
    );
    let later = |milestones: &mut Vec<MilestonePlan>| {
        milestones[1].due_ms = milestones[1].due_ms.plus_ms(MS_PER_DAY);
    };
    let variation = ask(&mut bench, number, later).unwrap();
    let withdraw = Body::Award(AwardAct::WithdrawChange { variation });
    refused(
        bench.company(OTHER, withdraw.clone()),
        "F23.not-the-grantee",
    );
    bench.grantee(withdraw).unwrap();
    assert_eq!(status(&bench, variation), VariationStatus::Withdrawn);
    let variation = ask(&mut bench, number, later).unwrap();
    assert_eq!(
        bench.days(78),
        [EventBody::ChangeLapsed {
            variation,
            agreement: AgreementId(number)
        }]
    );
    let variation = ask(&mut bench, number, later).unwrap();
    bench.accept_milestone(m1 + 1, 4 * MILLION);
    bench.accept_milestone(m1 + 2, 0);
    assert_eq!(status(&bench, variation), VariationStatus::Lapsed);
    refused(ask(&mut bench, number, later), "F23.not-in-force");
}
