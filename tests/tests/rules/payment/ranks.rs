//! Awards of one call side by side (R34), and awards out of rank in the assembly (R32). On a real
//! ledger.

use rollbook_core::account::Amount;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::event::EventBody;
use rollbook_core::id::{ApplicationId, MotionId};
use rollbook_core::object::application::ApplicationStatus;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{Body, Choice, GrantAward, MotionAct, MotionEffect};
use rollbook_core::rules::motion::electorate;
use rollbook_core::tx::DeadlineKind;
use rollbook_tests::grants::{Bench, MILLION, Staff, hash};

use super::refused;

fn grant(application: u32, amount: u64, body: BodyKind) -> MotionEffect {
    MotionEffect::GrantAward(GrantAward {
        application: ApplicationId(application),
        amount: Amount(amount),
        body,
        out_of_rank: None,
    })
}

/// Everybody who may votes; recused voices and reviewers are passed by.
fn vote(bench: &mut Bench, motion: u32, choice: Choice) {
    let writer = bench.ledger.as_mut().unwrap();
    for member in electorate(writer.tables(), MotionId(motion)).into_keys() {
        if let Err(refusal) = writer.vote(member.0, motion, choice) {
            assert_eq!(refusal.code, "N12.same-person", "{refusal}");
        }
    }
    bench.mirror();
}

fn due(bench: &Bench, kind: DeadlineKind, motion: u32) -> Option<u64> {
    bench.ledger.as_ref().unwrap().due(kind, motion)
}

fn status(bench: &Bench, motion: u32) -> MotionStatus {
    let motions = &bench.world.tables.motions;
    motions.get(&MotionId(motion)).unwrap().status
}

fn application(bench: &Bench, number: u32) -> ApplicationStatus {
    let applications = &bench.world.tables.applications;
    applications.get(&ApplicationId(number)).unwrap().status
}

/// Three ranks, three motions at once, each in its own body. The worst rank passes first and waits;
/// when the two before it are decided, it takes effect in the same block, and nobody does anything.
#[test]
fn r34_awards_of_a_call_are_voted_side_by_side_and_take_effect_in_rank_order() {
    let mut bench = Bench::story();
    refused(
        bench.propose(grant(2, 6 * MILLION, BodyKind::Assembly)),
        "R34.better-rank-open",
    );
    // The board's comes last and is through first: seven days and three, against ten and ten.
    let first = bench
        .propose(grant(1, 8 * MILLION, BodyKind::Assembly))
        .unwrap();
    let second = bench
        .propose(grant(2, 6 * MILLION, BodyKind::Assembly))
        .unwrap();
    let third = bench
        .propose(grant(3, 2 * MILLION, BodyKind::Board))
        .unwrap();
    for motion in [first, second, third] {
        vote(&mut bench, motion, Choice::Yes);
    }
    let close = due(&bench, DeadlineKind::MotionClose, third).unwrap();
    bench.advance(close + 1);
    let effect = due(&bench, DeadlineKind::MotionEffect, third).unwrap();
    let events = bench.advance(effect + 1);
    assert!(
        events.contains(&EventBody::MotionWaits {
            motion: MotionId(third),
            awaited: MotionId(first)
        }),
        "{events:?}"
    );
    assert_eq!(status(&bench, third), MotionStatus::Staying);
    assert_eq!(application(&bench, 3), ApplicationStatus::Ranked);
    let events = bench.days(40);
    for motion in [first, second, third] {
        assert_eq!(status(&bench, motion), MotionStatus::CarriedOut, "{motion}");
    }
    let carried: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            EventBody::MotionCarriedOut { motion } => Some(motion.0),
            _ => None,
        })
        .collect();
    assert_eq!(carried, [first, second, third]);
    for number in 1..=3 {
        assert_eq!(application(&bench, number), ApplicationStatus::Awarded);
    }
}

/// A better rank that its body rejects is passed over, and stands in the way of nobody later. One
/// whose motion was taken back before a ballot was not decided: the worse rank's motion is void.
#[test]
fn r34_a_better_rank_whose_motion_failed_is_passed_over() {
    let mut bench = Bench::story();
    let first = bench
        .propose(grant(1, 8 * MILLION, BodyKind::Assembly))
        .unwrap();
    let second = bench
        .propose(grant(2, 4 * MILLION, BodyKind::Board))
        .unwrap();
    vote(&mut bench, first, Choice::No);
    vote(&mut bench, second, Choice::Yes);
    bench.days(40);
    assert_eq!(status(&bench, first), MotionStatus::Rejected);
    assert_eq!(status(&bench, second), MotionStatus::CarriedOut);
    assert_eq!(application(&bench, 1), ApplicationStatus::Ranked);
    assert_eq!(application(&bench, 2), ApplicationStatus::Awarded);
    // The third rank needs no reasons either, and the first may be put again.
    bench
        .propose(grant(3, 2 * MILLION, BodyKind::Board))
        .unwrap();
    bench
        .propose(grant(1, 8 * MILLION, BodyKind::Assembly))
        .unwrap();

    let mut bench = Bench::story();
    let first = bench
        .propose(grant(1, 8 * MILLION, BodyKind::Assembly))
        .unwrap();
    let second = bench
        .propose(grant(2, 4 * MILLION, BodyKind::Board))
        .unwrap();
    let withdraw = MotionAct::Withdraw {
        motion: MotionId(first),
    };
    bench
        .staff(Staff::Programme, Body::Motion(withdraw))
        .unwrap();
    vote(&mut bench, second, Choice::Yes);
    bench.days(20);
    assert_eq!(status(&bench, second), MotionStatus::Void);
    let motions = &bench.world.tables.motions;
    let void = motions.get(&MotionId(second)).unwrap().void.clone();
    assert_eq!(void.unwrap().as_str(), "F11.out-of-rank");
}

/// Rank 2 asks for more than the board may grant. Out of rank it is the assembly's, by two thirds.
#[test]
fn r32_an_award_out_of_rank_above_the_boards_limit_is_the_assemblys() {
    let mut bench = Bench::story();
    let out_of_rank = |body| {
        MotionEffect::GrantAward(GrantAward {
            application: ApplicationId(2),
            amount: Amount(6 * MILLION),
            body,
            out_of_rank: Some(hash("reasons")),
        })
    };
    refused(
        bench.propose(out_of_rank(BodyKind::Board)),
        "F11.body-too-low",
    );
    let motion = bench.propose(out_of_rank(BodyKind::Assembly)).unwrap();
    bench.pass(motion);
    assert_eq!(application(&bench, 2), ApplicationStatus::Awarded);
    assert_eq!(application(&bench, 1), ApplicationStatus::Ranked);
}
