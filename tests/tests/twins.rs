//! Twins: validators that run twice with one key, each copy an honest node. Up to f of them never
//! fork the rest; f+1 must, or the harness proves nothing.

use rollbook_tests::sim::ledger::RealLedger;
use rollbook_tests::sim::plan::Plan;
use rollbook_tests::sim::world::World;

fn plan(seed: u64, validators: u32, twins: Vec<u32>) -> Plan {
    Plan {
        validators,
        nodes: validators,
        twins,
        partitions: true,
        one_way: seed.is_multiple_of(3),
        loss: seed % 4 * 10,
        tail: seed % 5 * 10,
        records_every: 400,
        gst: 30_000,
        end: 75_000,
        ..Plan::quiet(seed)
    }
}

#[test]
fn f_twins_never_fork() {
    let mut accusations = 0;
    for seed in 1..=36 {
        let (validators, twins) = match seed % 3 {
            0 => (7, vec![2, 5]),
            1 => (4, vec![1]),
            _ => (4, vec![3]),
        };
        let outcome = World::new(plan(seed, validators, twins))
            .run(false)
            .unwrap_or_else(|failure| panic!("{failure}"));
        accusations += outcome.marks.get("accusation").copied().unwrap_or(0);
    }
    println!("{accusations} accusations in the ledgers");
    assert!(accusations > 0, "no twin was ever caught");
}

/// The same on the real ledger: what a twin has signed twice ends in the log, and nobody else is ever
/// accused.
#[test]
fn the_real_ledger_takes_their_evidence() {
    let mut accusations = 0;
    for seed in 1..=8 {
        let world: World<RealLedger> =
            World::with_ledger(plan(seed, 4, vec![1])).adjusted(|config| {
                config.heartbeat_ms = 1_500;
                config.idle_grace_ms = 500;
            });
        let outcome = world
            .run(false)
            .unwrap_or_else(|failure| panic!("{failure}"));
        accusations += outcome.marks.get("accusation").copied().unwrap_or(0);
    }
    println!("{accusations} accusations in the real ledgers");
    assert!(accusations > 0, "no twin was ever caught");
}

#[test]
fn f_plus_one_twins_fork() {
    let fork = (1..=60).find_map(|seed| {
        let failure = World::new(plan(seed, 4, vec![1, 2])).run(false).err()?;
        failure.contains("FORK").then_some((seed, failure))
    });
    let (seed, failure) = fork.expect("two twins of four fork within 60 seeds");
    println!("seed {seed}: {failure}");
}
