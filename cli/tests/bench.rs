//! The benchmark of a history runs to its end: a short one, whose figures say nothing.

#![allow(clippy::unwrap_used)]

mod desk;
use desk::Desk;

/// It failed unseen: its own audit named no genesis, and such an audit ends with a code of its own.
#[test]
fn the_benchmark_of_a_history_runs_to_its_end() {
    let desk = Desk::new();
    let report = desk.json(0, "bench --history 600 --dir bench");
    let reads = report["reads"].as_array().unwrap();
    assert_eq!(reads.len(), 2);
    for reads in reads {
        assert_eq!(reads["commands"].as_array().unwrap().len(), 4, "{reads}");
    }
    assert!(report["audit_seconds"].as_f64().unwrap() > 0.0);
}
