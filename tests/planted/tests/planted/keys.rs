//! A revoked key that still signs is found by random sequences of records: they read who may sign a
//! second time, from the steps alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rollbook_core::planted::let_revoked_keys_sign;
use rollbook_tests::random::blocks::REVOKED_SIGNED;
use rollbook_tests::random::run::run;

/// Seeds in which the fault has to be found.
const SEEDS: u64 = 12;
const STEPS: u32 = 500;

#[test]
fn a_revoked_key_that_signs_is_found() {
    let_revoked_keys_sign(true);
    let found = (1..=SEEDS).find(|seed| {
        let run = AssertUnwindSafe(|| run(*seed, STEPS, false, false));
        let Err(panic) = catch_unwind(run) else {
            return false;
        };
        let said = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(
            said.contains(REVOKED_SIGNED),
            "seed {seed} failed otherwise: {said}"
        );
        true
    });
    let_revoked_keys_sign(false);
    assert!(found.is_some(), "no seed has met the fault");
}
