//! What must never happen (domain 2.8), checked on the state after every block, over the entries that the block changed.

use crate::state::{Changes, StateTables};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// N-number and name.
    pub code: &'static str,
    /// The numbers.
    pub text: String,
}

/// Every invariant that the block's changes could have broken.
pub fn check(tables: &StateTables, changes: &Changes) -> Vec<Fault> {
    let mut faults = Vec::new();
    for row in &changes.rows {
        if tables.proved_path(row).is_some() && row.value.is_none() {
            faults.push(Fault { code: "N20.proved-entry-removed", text: format!("table {} lost an entry", row.table) });
        }
    }
    faults
}
