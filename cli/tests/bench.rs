//! The benchmark of a history runs to its end: of a short one, whose figures say nothing.

#![allow(clippy::unwrap_used)]

mod desk;
use desk::Desk;

/// Its own audit named no genesis; such an audit ends with a code of its own, which was taken for an
/// unsound history.
#[test]
fn the_benchmark_of_a_history_runs_to_its_end() {
    let desk = Desk::new();
    let report = desk.json(0, "bench --history 600 --dir bench");
    assert_eq!(report["records"], 600, "{report}");
    assert!(report["audit_seconds"].as_f64().unwrap() > 0.0, "{report}");
}
