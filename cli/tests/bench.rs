//! The benchmark of a history runs to its end: of a short one, whose figures say nothing.

#![allow(clippy::unwrap_used)]

mod desk;
use desk::Desk;

/// Its own audit named no genesis; such an audit ends with a code of its own, which was taken for an
/// unsound history. And a node that stands alone after its start could not be read: the receipt of its
/// newest block had not been kept.
#[test]
fn the_benchmark_of_a_history_runs_to_its_end() {
    let desk = Desk::new();
    let report = desk.json(0, "bench --history 600 --dir bench");
    assert_eq!(report["records"], 600, "{report}");
    assert!(report["audit_seconds"].as_f64().unwrap() > 0.0, "{report}");
    let reads = report["reads"].as_array().unwrap();
    assert_eq!(reads.len(), 2, "{report}");
    for reads in reads {
        assert_eq!(reads["commands"].as_array().unwrap().len(), 3, "{reads}");
    }
}
