//! What one bad validator, one bad member or a bad day must not be able to do to a chain
//! (RULINGS A37 to A41, A43). `docs/results/kernel.md` has the table of attacks; `tests/planted` takes
//! each mend back and sees the attack succeed.

use rollbook_tests::sim::attacks;

fn fails(attack: Result<(), String>) {
    attack.unwrap_or_else(|what| panic!("{what}"));
}

#[test]
fn time_is_judged_by_the_message() {
    fails(attacks::time_is_judged_by_the_message(&|_| {}));
}

#[test]
fn a_lead_is_followed_and_never_added_to() {
    fails(attacks::a_lead_is_followed_and_never_added_to(&|_| {}));
}

#[test]
fn a_poisoned_cosignature() {
    fails(attacks::a_poisoned_cosignature(&|_| {}));
}

#[test]
fn records_that_do_not_apply() {
    fails(attacks::records_that_do_not_apply(&|_| {}));
}

#[test]
fn lying_and_slow_peers() {
    fails(attacks::lying_and_slow_peers(&|_| {}));
}

#[test]
fn answers_across_handovers() {
    fails(attacks::answers_across_handovers(&|_| {}));
}

#[test]
fn few_validators_ask_all() {
    fails(attacks::few_validators_ask_all(&|_| {}));
}

#[test]
fn height_zero() {
    fails(attacks::height_zero(&|_| {}));
}

#[test]
fn a_clone() {
    fails(attacks::a_clone(&|_| {}));
}

#[test]
fn invented_ids() {
    fails(attacks::invented_ids(&|_| {}));
}

#[test]
fn unsigned_frames_wake_nobody() {
    fails(attacks::unsigned_frames_wake_nobody(&|_| {}));
}
