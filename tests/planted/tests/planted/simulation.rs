//! The simulator finds every planted fault: an oracle that never speaks would prove nothing.

use rollbook_node::planted::Planted;
use rollbook_node::replica::message::Frame;
use rollbook_node::replica::{App as _, Effect};
use rollbook_proof::chain::{SignedVote, Vote, VoteKind};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::KeyKind;
use rollbook_tests::sim::chain::ChainApp;
use rollbook_tests::sim::plan::Plan;
use rollbook_tests::sim::world::World;

/// Searches for a seed at which these faults show in the way `kind` says. The same plan without them
/// passes: it is the faults that show.
fn caught(planted: &[Planted], kind: &str, adjust: impl Fn(Plan) -> Plan) {
    let found = (1..=200).find_map(|seed| {
        let plan = adjust(Plan {
            planted: planted.to_vec(),
            ..Plan::of(seed)
        });
        let failure = World::new(plan).run(false).err()?;
        failure.contains(kind).then_some((seed, failure))
    });
    let Some((seed, failure)) = found else {
        panic!("{planted:?} was not caught");
    };
    println!("{planted:?} caught: {failure}");
    let control = World::new(adjust(Plan::of(seed))).run(false);
    control.unwrap_or_else(|failure| panic!("without {planted:?}: {failure}"));
}

/// Every node dies now and then, its power with it.
fn deadly(plan: Plan) -> Plan {
    Plan {
        crashes: true,
        power_cuts: true,
        losses: 0,
        loss: plan.loss.max(20),
        ..plan
    }
}

#[test]
fn sign_before_sync() {
    // The question at the start (RULINGS A8) notices the lost guard: nobody double-signs, the chain
    // stands. Without it the lost guard shows.
    caught(&[Planted::SignBeforeSync], "is not decided", deadly);
    caught(
        &[
            Planted::SignBeforeSync,
            Planted::AskSkipped,
            Planted::CloneUnnoticed,
        ],
        "DOUBLE SIGNATURE",
        deadly,
    );
}

#[test]
fn guard_skipped() {
    caught(
        &[
            Planted::GuardSkipped,
            Planted::AskSkipped,
            Planted::CloneUnnoticed,
        ],
        "DOUBLE SIGNATURE",
        deadly,
    );
}

#[test]
fn quorum_2f() {
    caught(&[Planted::Quorum2f], "FORK", |plan| Plan {
        validators: 4,
        partitions: true,
        ..plan
    });
}

#[test]
fn sync_unchecked() {
    caught(&[Planted::SyncUnchecked], "FORK", |plan| Plan {
        liar: true,
        losses: 0,
        wrong_clock: false,
        ..deadly(plan)
    });
}

#[test]
fn ask_skipped() {
    caught(
        &[Planted::AskSkipped, Planted::CloneUnnoticed],
        "DOUBLE SIGNATURE",
        |plan| Plan {
            liar: false,
            losses: 1,
            ..deadly(plan)
        },
    );
}

/// The simulator sees in which order a node works, not only what its ledger says of it.
#[test]
fn nobody_behind_is_seen() {
    let run = |planted: &[Planted]| {
        let plan = Plan {
            away: 1,
            away_between: (5_000, 20_000),
            end: 60_000,
            planted: planted.to_vec(),
            ..Plan::quiet(1)
        };
        World::new(plan).run(false)
    };
    run(&[]).unwrap_or_else(|failure| panic!("{failure}"));
    let failure = run(&[Planted::NobodyBehind]).expect_err("caught");
    assert!(failure.contains("TURNS of height"), "{failure}");
}

/// A fresh proposal of any time is taken: a clock that is an hour ahead makes ledger time.
#[test]
fn any_time() {
    caught(&[Planted::AnyTime], "TIME of", |plan| Plan {
        wrong_clock: true,
        losses: 0,
        liar: false,
        ..plan
    });
}

#[test]
fn receipt_short() {
    caught(&[Planted::ReceiptShort], "RECEIPT of", |plan| plan);
}

#[test]
fn tip_ahead() {
    caught(&[Planted::TipAhead], "ANSWER of", |plan| plan);
}

/// One validator signs far more for the next height than anybody has to say.
#[test]
fn frames_unbounded() {
    let run = |planted: &[Planted]| {
        let plan = Plan {
            planted: planted.to_vec(),
            ..Plan::quiet(1)
        };
        let world: World<ChainApp> = World::new(plan);
        let world = world.with_liar(0, |keypair, app: &ChainApp, effect| {
            let Effect::Broadcast(bytes) = &effect else {
                return vec![effect];
            };
            let Ok(Frame::Vote(signed)) = decode::<Frame>(bytes) else {
                return vec![effect];
            };
            if !signed.vote.height.0.is_multiple_of(2) || signed.vote.kind != VoteKind::Prevote {
                return vec![effect];
            }
            let mut said = vec![effect];
            for round in 0..200 {
                let vote = Vote {
                    height: signed.vote.height.next(),
                    round,
                    block: None,
                    ..signed.vote.clone()
                };
                let signature = vote.sign(&app.chain(), &keypair(KeyKind::Consensus));
                said.push(Effect::Broadcast(encode(&Frame::Vote(SignedVote {
                    vote,
                    signature,
                }))));
            }
            said
        });
        world.run(false)
    };
    run(&[]).unwrap_or_else(|failure| panic!("{failure}"));
    let failure = run(&[Planted::FramesUnbounded]).expect_err("caught");
    assert!(failure.contains("BUFFER of"), "{failure}");
}

/// Nobody stands behind: who is away costs every n-th block a second round, for ever.
#[test]
fn nobody_behind() {
    let late = |planted: &[Planted]| {
        let plan = Plan {
            records_every: 150,
            away: 1,
            away_between: (5_000, 60_000),
            end: 80_000,
            planted: planted.to_vec(),
            ..Plan::quiet(1)
        };
        let outcome = World::new(plan).with_any_turns().run(false);
        let turns = outcome.unwrap_or_else(|failure| panic!("{failure}")).turns;
        let while_away = turns
            .iter()
            .filter(|(.., at)| (20_000..60_000).contains(at));
        let (mut blocks, mut late) = (0, 0);
        for (round, ..) in while_away {
            blocks += 1;
            late += u32::from(*round > 0);
        }
        assert!(blocks > 60, "{blocks} blocks");
        late * 100 / blocks
    };
    let (with, without) = (late(&[]), late(&[Planted::NobodyBehind]));
    println!("of 100 blocks {with} need a second round, and {without} where nobody stands behind");
    assert!(with <= 5 && without >= 20, "{with} and {without}");
}
