//! Random sequences of records without a scripted beginning, over many seeds. See
//! `rollbook_tests::random`.

#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rollbook_tests::random::coverage::Coverage;
use rollbook_tests::random::run::{run, step};
use rollbook_tests::random::walk::walk;
use rollbook_tests::sim::random::Random;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

/// Seeds and steps of each.
const SEEDS: u64 = 50;
const STEPS: u32 = 1_600;
/// An act applies in as many seeds at least.
const LEAST: u32 = 5;
/// Something rare may need some seeds more; so many at most.
const MORE: u64 = 150;

#[test]
fn every_act_and_every_refusal_occurs() {
    let seeds = number("RANDOM_SEEDS").unwrap_or(SEEDS).max(SEEDS);
    let mut coverage = Coverage::default();
    let mut failed = run_all(1, seeds, &mut coverage);
    let mut last = seeds;
    let more = number("RANDOM_MORE").unwrap_or(MORE);
    while failed.is_empty() && last < seeds + more && coverage.is_short(LEAST, SEEDS as u32 * STEPS)
    {
        failed = run_all(last + 1, last + 10, &mut coverage);
        last += 10;
    }
    coverage.print();
    assert!(failed.is_empty(), "seeds {failed:?} failed");
    let faults = coverage.faults(LEAST);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Runs seeds on all processors; those that failed.
fn run_all(first: u64, last: u64, coverage: &mut Coverage) -> Vec<u64> {
    let steps = number("RANDOM_STEPS").map_or(STEPS, |steps| steps as u32);
    let (next, coverage) = (AtomicU64::new(first), Mutex::new(coverage));
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last {
                        return;
                    }
                    let again = seed.is_multiple_of(10);
                    let ran = catch_unwind(AssertUnwindSafe(|| run(seed, steps, again, false)));
                    match ran {
                        Ok(seen) => coverage.lock().unwrap().add(seed, seen),
                        Err(_) => {
                            println!(
                                "seed {seed} failed after step {}; alone, with its log: RANDOM_SEED={seed} \
                                 cargo test --release -p rollbook-tests --test random one_seed -- --nocapture",
                                step()
                            );
                            failed.lock().unwrap().push(seed);
                        }
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// One seed with its log: `RANDOM_SEED=n`.
#[test]
fn one_seed() {
    let Some(seed) = number("RANDOM_SEED") else {
        return;
    };
    let steps = number("RANDOM_STEPS").map_or(STEPS, |steps| steps as u32);
    let seen = run(seed, steps, true, true);
    println!("{} of {} steps applied", seen.applied, seen.steps);
}

/// States from which a board is seated, drawn inside the runs.
const STATES: u64 = 200;

/// R28: there is no state in which no organ can act. From states inside the runs, as they are and
/// after everybody has let every term end, a board is seated by records, with the keys that are in force
/// there, within 400 days of the ledger.
#[test]
fn a_board_is_seated_from_every_state() {
    let states = number("RANDOM_WALKS").unwrap_or(STATES);
    let mut random = Random::new(28);
    let drawn: Vec<(u64, u32, bool)> = (0..states)
        .map(|at| {
            let seed = 1 + random.below(SEEDS);
            (seed, random.between(100, 900) as u32, at % 4 != 0)
        })
        .collect();
    let next = AtomicU64::new(0);
    let (walks, failed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((seed, steps, abandoned)) =
                    drawn.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                {
                    match walk(*seed, *steps, *abandoned) {
                        Ok(walk) => walks.lock().unwrap().extend(walk),
                        Err(why) => failed.lock().unwrap().push(why),
                    }
                }
            });
        }
    });
    let (walks, failed) = (walks.into_inner().unwrap(), failed.into_inner().unwrap());
    let elected = walks.iter().filter(|walk| walk.acts > 0).count();
    let none = walks.iter().filter(|walk| walk.held == 0).count();
    let days = walks.iter().map(|walk| walk.days).max().unwrap_or(0);
    println!(
        "{} boards seated, {elected} by an election, {none} where no term was running; {days} days at most",
        walks.len()
    );
    assert!(
        failed.is_empty(),
        "{} without a way out:\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(
        walks.len() as u64 * 10 >= states * 9,
        "{} walks",
        walks.len()
    );
    assert!(
        elected * 2 >= walks.len(),
        "{elected} of {} walks had to elect anybody",
        walks.len()
    );
}
