//! The campaign over seeds and an idle week. See `rollbook_tests::sim`; that it finds planted faults
//! is held in `tests/planted`.

use std::collections::BTreeMap;

use rollbook_node::replica::ReplicaConfig;
use rollbook_tests::sim::attacks;
use rollbook_tests::sim::ledger::RealLedger;
use rollbook_tests::sim::plan::Plan;
use rollbook_tests::sim::world::{Failure, Outcome, World};

fn seeds() -> u64 {
    std::env::var("SIM_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(300)
}

/// One seed: two of three on the real ledger, with newcomers that get their seats by handovers, the
/// others on the small one, whose seats change all the time.
fn run_seed(seed: u64, log: bool, collect: bool) -> Result<Outcome, Failure> {
    let plan = Plan {
        log,
        ..Plan::of(seed)
    };
    if log {
        println!("{plan:?}");
    }
    if seed.is_multiple_of(3) {
        return World::new(plan).run(collect);
    }
    let plan = Plan {
        nodes: plan.validators + 1 + u32::from(plan.handovers),
        handovers: false,
        records_every: plan.records_every.min(400),
        deadline_every: None,
        ..plan
    };
    let world: World<RealLedger> = World::with_ledger(plan).adjusted(|config| {
        config.heartbeat_ms = 1_500;
        config.idle_grace_ms = 500;
    });
    world.run(collect)
}

/// Every seed keeps every promise, and together they reach what they are meant to reach.
#[test]
fn campaign() {
    let mut marks: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut heights, mut failures) = (0, Vec::new());
    for seed in 1..=seeds() {
        let twice = seed.is_multiple_of(50);
        let outcome = match run_seed(seed, false, twice) {
            Ok(outcome) => outcome,
            Err(failure) => {
                println!("{failure}");
                failures.push(failure);
                continue;
            }
        };
        if twice {
            let again = run_seed(seed, false, true).expect("the first run passed");
            let differs = outcome
                .steps
                .iter()
                .zip(&again.steps)
                .position(|(a, b)| a != b);
            assert_eq!(differs, None, "seed {seed}: two runs differ at this event");
            assert_eq!(outcome, again, "seed {seed}: two runs differ");
        }
        heights += outcome.height;
        for (mark, count) in outcome.marks {
            *marks.entry(mark).or_default() += count;
        }
    }
    println!("{heights} heights, marks {marks:?}");
    // A campaign that never reaches what it is meant to reach proves nothing.
    const REACHED: [&str; 17] = [
        "another disk lost",
        "block fetched",
        "clock stepped",
        "decided above round 0",
        "disk lost",
        "handover",
        "kill",
        "killed inside a step",
        "lie told",
        "message corrupted",
        "partition",
        "power cut",
        "restart with a log to replay",
        "somebody stands behind",
        "step with a proposal withheld",
        "stopped by its disk",
        "votes from a later height",
    ];
    for mark in REACHED {
        assert!(
            seeds() < 100 || marks.contains_key(mark),
            "'{mark}' was never reached: {marks:?}"
        );
    }
    assert!(
        failures.is_empty(),
        "{} of {} seeds failed, first: {}",
        failures.len(),
        seeds(),
        failures[0]
    );
}

/// One seed with its log: `SIM_SEED=n`.
#[test]
fn one_seed() {
    let Some(seed) = std::env::var("SIM_SEED").ok().and_then(|n| n.parse().ok()) else {
        return;
    };
    let outcome = run_seed(seed, true, false).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{} heights, {:?}", outcome.height, outcome.marks);
}

/// Four nodes, a quiet network.
#[test]
fn quiet() {
    let log = std::env::var("SIM_LOG").is_ok();
    let outcome = World::new(Plan {
        log,
        end: 60_000,
        ..Plan::quiet(1)
    })
    .run(false)
    .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(outcome.height >= 20, "{outcome:?}");
    // Four file syncs a height (body, prevote, precommit, decision), one more for the cosignature,
    // and one more at the proposer, whose body and guard record lie in two files.
    let syncs = outcome.marks["file sync"];
    let (heights, nodes) = (outcome.height, 4);
    println!("{syncs} file syncs for {heights} heights on {nodes} nodes");
    assert!(
        syncs <= heights * (5 * nodes + 1) + 20 * nodes,
        "{outcome:?}"
    );
}

/// An idle alliance of four for a week, with clocks that differ by seconds: at most 24 blocks a
/// day, no round above 0.
#[test]
fn idle_week() {
    const DAY: u64 = 24 * 3_600_000;
    let plan = Plan {
        records_every: 0,
        skew: 5_000,
        end: 7 * DAY,
        ..Plan::quiet(7)
    };
    let outcome = World::new(plan)
        .with_config(ReplicaConfig::default())
        .run(false)
        .unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(outcome.round, 0, "{outcome:?}");
    assert!(outcome.height >= 7 * 20, "the heartbeat beats: {outcome:?}");
    for (first, time) in outcome.times.iter().enumerate() {
        let in_a_day = outcome.times[first..]
            .iter()
            .take_while(|t| **t < time + DAY)
            .count();
        assert!(in_a_day <= 24, "{in_a_day} blocks in the day from {time}");
    }
}

/// One proposer takes the latest time there is, over and over, and its clock counts for nobody's: the lead
/// of ledger time never grows beyond what one proposal may have. The simulator looks at every block.
#[test]
fn a_lead_never_grows() {
    attacks::a_lead_never_grows(&|_| {}).unwrap_or_else(|failure| panic!("{failure}"));
}

/// Every guard is new, and one machine loses its disk before the first block or after it: who has
/// voted does not vote again, and the chain begins.
#[test]
fn new_guards() {
    let mut lost = 0;
    for seed in 1..=24 {
        let plan = Plan {
            new_guards: true,
            crashes: true,
            losses: 1,
            loss: 350,
            delay: (1, 5),
            records_every: 200,
            gst: 15_000,
            end: 60_000,
            ..Plan::quiet(seed)
        };
        let outcome = World::new(plan)
            .run(false)
            .unwrap_or_else(|failure| panic!("{failure}"));
        let before = "disk lost before the first block";
        lost += outcome.marks.get(before).copied().unwrap_or(0);
    }
    println!("{lost} disks lost before the first block");
    assert!(lost > 0, "no disk was lost before the first block");
}

/// More disks are lost at once than the chain bears, in weather that leaves locks behind: the nodes
/// that lost theirs vote again by what the others kept, nobody signs twice, and what only the lost
/// disks knew to be decided is decided again (RULINGS A41).
#[test]
fn too_many_disks_lost() {
    let mut marks = BTreeMap::new();
    for seed in 1..=disasters() {
        let (mut plan, lost, at) = Plan::disaster(seed);
        plan.log = std::env::var("SIM_LOG").is_ok();
        if plan.log {
            println!("{plan:?} {lost:?} {at}");
        }
        let outcome = World::new(plan).with_disaster(lost, at).run(false);
        let outcome = outcome.unwrap_or_else(|failure| panic!("{failure}"));
        for (mark, count) in outcome.marks {
            *marks.entry(mark).or_insert(0) += count;
        }
    }
    println!("{marks:?}");
    for mark in [
        "recovered",
        "recovered with a lock",
        "recovered above round 2",
    ] {
        assert!(marks.contains_key(mark), "nothing was '{mark}': {marks:?}");
    }
}

fn disasters() -> u64 {
    let asked = std::env::var("SIM_DISASTERS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(60)
}

fn real_seeds() -> u64 {
    std::env::var("SIM_REAL_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(24)
}

/// The seats of two validators move to other machines with new keys, under the same faults, while a
/// fifth gets a seat: a handover each. The keys before sign until then and never again, the new ones
/// never before (RULINGS A53).
#[test]
fn seats_move() {
    let mut marks = BTreeMap::new();
    for seed in 1..=real_seeds() {
        let plan = Plan {
            validators: 4,
            nodes: 5,
            moves: vec![2, 3],
            handovers: false,
            records_every: 300,
            deadline_every: None,
            log: std::env::var("SIM_LOG").is_ok(),
            ..Plan::of(seed)
        };
        let world: World<RealLedger> = World::with_ledger(plan).adjusted(|config| {
            config.heartbeat_ms = 1_000;
            config.idle_grace_ms = 500;
        });
        let outcome = world
            .run(false)
            .unwrap_or_else(|failure| panic!("{failure}"));
        for (mark, count) in outcome.marks {
            *marks.entry(mark).or_insert(0) += count;
        }
    }
    println!("{marks:?}");
    let count = |mark| marks.get(mark).copied().unwrap_or(0);
    let seeds = real_seeds();
    assert!(count("seat moved") >= seeds, "{marks:?}");
    assert!(count("new keys vote") >= seeds, "{marks:?}");
}

/// Of a run with `away` of `validators` away: whose proposals were decided while they were away and
/// after they had come back, and in which rounds while they were away.
fn with_some_away(validators: u32, away: u32, seed: u64) -> (Vec<u32>, Vec<u32>) {
    const LEAVE: u64 = 5_000;
    // Long enough for some hundred blocks without them; then for those who stand behind longest.
    const BACK: u64 = 130_000;
    let plan = Plan {
        validators,
        nodes: validators,
        records_every: 150,
        away,
        away_between: (LEAVE, BACK),
        end: BACK + 60_000,
        ..Plan::quiet(seed)
    };
    let outcome = World::new(plan)
        .run(false)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let between = |from: u64, to: u64| {
        let of = move |(_, _, at): &&(u32, u32, u64)| (from..to).contains(at);
        outcome.turns.iter().filter(of)
    };
    let rounds = between(LEAVE, BACK).map(|(round, ..)| *round).collect();
    let after = between(BACK, u64::MAX);
    (rounds, after.map(|(_, proposer, _)| *proposer).collect())
}

fn late(rounds: &[u32]) -> usize {
    rounds.iter().filter(|round| **round > 0).count()
}

/// RULINGS A56: who is away costs a few rounds at first and hardly any later, and proposes again
/// when it is back.
fn away_costs_a_moment(validators: u32, away: u32, first: usize, later: usize) {
    for seed in 1..=3 {
        let (rounds, proposers) = with_some_away(validators, away, seed);
        assert!(rounds.len() >= 400, "{} blocks", rounds.len());
        let at_first = late(&rounds[..100]);
        let windows = rounds[100..].windows(200).map(late);
        let most = windows.max().unwrap_or(0);
        println!(
            "{away} of {validators} away, seed {seed}: {at_first} of the first 100 blocks, at most {most} of 200 later"
        );
        assert!(at_first <= first, "{at_first} of the first 100 blocks");
        assert!(most <= later, "{most} of 200 blocks later");
        for seat in validators - away + 1..=validators {
            let again = proposers.iter().position(|who| *who == seat);
            assert!(
                again.is_some_and(|at| at < 300),
                "{seat}: {again:?} of {}",
                proposers.len()
            );
        }
    }
}

#[test]
fn one_of_four_away_costs_a_moment() {
    away_costs_a_moment(4, 1, 5, 3);
}

#[test]
fn four_of_thirteen_away_cost_a_moment() {
    away_costs_a_moment(13, 4, 16, 10);
}

/// RULINGS A56: a seat whose proposals come too late every time costs as little as one that is away, one
/// whose every other proposal does costs a moment for each, and neither stops anything, while seats come
/// and go. That everybody's turn comes within n rounds and at most f stand behind is looked at at every
/// block.
#[test]
fn late_proposers_cost_a_moment() {
    for (every, most) in [(1, 40), (2, 160)] {
        for seed in 1..=3 {
            let plan = Plan {
                validators: 7,
                nodes: 8,
                late: vec![(2, every), (5, every)],
                handovers: true,
                records_every: 150,
                end: 150_000,
                ..Plan::quiet(seed)
            };
            let outcome = World::new(plan)
                .run(false)
                .unwrap_or_else(|failure| panic!("{failure}"));
            let rounds: Vec<u32> = outcome.turns.iter().map(|(round, ..)| *round).collect();
            let (blocks, late) = (rounds.len(), late(&rounds));
            println!(
                "2 of 7 late, every {every}, seed {seed}: {late} of {blocks} blocks, {:?}",
                outcome.marks
            );
            assert!(blocks >= 400, "{blocks} blocks");
            assert!(late * 1_000 <= most * blocks, "{late} of {blocks} blocks");
            assert!(outcome.marks.contains_key("handover"), "no handover");
        }
    }
}

/// RULINGS A56: f proposers that put into their blocks the certificate by which all others missed a turn
/// delay the turns of honest seats and nothing else.
#[test]
fn chosen_certificates_delay_turns_and_nothing_else() {
    for seed in 1..=3 {
        let plan = Plan {
            validators: 7,
            nodes: 8,
            choosers: vec![3, 6],
            handovers: true,
            records_every: 150,
            end: 150_000,
            ..Plan::quiet(seed)
        };
        let outcome = World::new(plan)
            .run(false)
            .unwrap_or_else(|failure| panic!("{failure}"));
        let blocks = outcome.turns.len();
        let behind = outcome.marks["somebody stands behind"];
        let rounds: Vec<u32> = outcome.turns.iter().map(|(round, ..)| *round).collect();
        let late = late(&rounds);
        println!("seed {seed}: {blocks} blocks, behind at {behind}, {late} needed a second round");
        // Nobody is away, but nodes do not start in the same moment.
        assert!(late <= 2, "{late} of {blocks}");
        assert!(behind > 100, "they put nobody behind: {behind} of {blocks}");
        for seat in 1..=7 {
            let own = outcome.turns.iter().filter(|(_, who, _)| *who == seat);
            assert!(own.count() > 0, "{seat} never proposed");
        }
    }
}

/// A clock that is off by seconds, within what proposals may differ, is told at its own node and at no
/// other (RULINGS A43). One that is ahead by less than the others allow leads ledger time, and they follow:
/// nobody can tell.
#[test]
fn clocks_beyond_five_seconds_are_told() {
    for (offset_ms, told) in [(12_000, true), (-8_000, true), (3_000, false)] {
        let outcome = World::new(Plan {
            records_every: 200,
            end: 40_000,
            ..Plan::quiet(5)
        })
        .with_offset(2, offset_ms)
        .run(false)
        .unwrap_or_else(|failure| panic!("{failure}"));
        let of = |mark: &str| outcome.marks.get(mark).copied().unwrap_or(0);
        assert_eq!(of("own clock told") > 0, told, "{offset_ms} ms off");
        assert_eq!(of("right clock told"), 0, "{offset_ms} ms off");
    }
}

/// A clock that comes right is told no more from that moment on: what the others' were off was measured on
/// the wrong one (RULINGS A43).
#[test]
fn a_clock_that_comes_right_is_told_no_more() {
    for offset_ms in [12_000, -8_000] {
        let outcome = World::new(Plan {
            records_every: 200,
            end: 40_000,
            ..Plan::quiet(5)
        })
        .with_offset(2, offset_ms)
        .with_set_clock(2, 6_000, 0)
        .run(false)
        .unwrap_or_else(|failure| panic!("{failure}"));
        let of = |mark: &str| outcome.marks.get(mark).copied().unwrap_or(0);
        assert!(of("own clock told") > 0, "{offset_ms} ms off");
        assert_eq!(of("right clock told"), 0, "{offset_ms} ms off");
    }
}
