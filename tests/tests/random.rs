//! Random sequences of records without a scripted beginning, over many seeds. See
//! `rollbook_tests::random`.

#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rollbook_tests::random::coverage::Coverage;
use rollbook_tests::random::run::{run, step};

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
    while failed.is_empty() && last < seeds + MORE && coverage.is_short(LEAST, SEEDS as u32 * STEPS)
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
