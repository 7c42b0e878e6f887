//! The simulator finds every planted fault: an oracle that never speaks would prove nothing.

use rollbook_node::planted::Planted;
use rollbook_tests::sim::plan::Plan;
use rollbook_tests::sim::world::World;

/// Searches for a seed at which these faults show in the way `kind` says.
fn caught(planted: &[Planted], kind: &str, adjust: impl Fn(Plan) -> Plan) {
    let found = (1..=200).find_map(|seed| {
        let plan = adjust(Plan {
            planted: planted.to_vec(),
            ..Plan::of(seed)
        });
        let failure = World::new(plan).run(false).err()?;
        failure.contains(kind).then_some(failure)
    });
    match found {
        Some(failure) => println!("{planted:?} caught: {failure}"),
        None => panic!("{planted:?} was not caught"),
    }
}

/// Every node dies now and then, its power with it.
fn deadly(plan: Plan) -> Plan {
    Plan {
        crashes: true,
        power_cuts: true,
        wipe: false,
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
        wipe: false,
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
            wipe: true,
            ..deadly(plan)
        },
    );
}
