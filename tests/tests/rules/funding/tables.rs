//! The transition tables of funding.

use std::collections::BTreeSet;

use rollbook_core::rules::funding::table;

#[test]
fn the_table_prints_and_nothing_leaves_a_terminal_state() {
    let rows = table();
    let objects: BTreeSet<_> = rows.iter().map(|row| row.object).collect();
    assert!(
        [
            "fund",
            "instalment",
            "call",
            "application",
            "draw",
            "review"
        ]
        .iter()
        .all(|object| objects.contains(object))
    );
    let text = rollbook_core::machine::markdown(&rows);
    assert!(
        text.contains("| call | F05 | – -> published | BRD |"),
        "{text}"
    );
    for (object, terminal) in [
        ("instalment", "cancelled"),
        ("instalment", "written-off"),
        ("call", "cancelled"),
        ("call", "closed"),
        ("application", "withdrawn"),
        ("application", "void"),
        ("application", "not-recommended"),
        ("review", "replaced"),
        ("review", "dropped"),
        ("draw", "drawn"),
    ] {
        assert!(
            !rows
                .iter()
                .any(|row| row.object == object && row.from == terminal),
            "{object} {terminal}"
        );
        assert!(
            rows.iter()
                .any(|row| row.object == object && row.to == terminal),
            "{object} {terminal}"
        );
    }
    let unique: BTreeSet<_> = rows
        .iter()
        .map(|row| (row.object, row.code, &row.from, &row.to))
        .collect();
    assert_eq!(unique.len(), rows.len(), "no row twice");
}
