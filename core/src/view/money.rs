//! Money as it moved: what each act and the clock posted, in order. Statements, traces and what is
//! published are made of it.
//!
//! Absent on purpose: sums. Whoever reads adds up; a balance is the sum of its postings.

use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime};

use crate::block::BlockBody;
use crate::ledger::Execution;
use crate::record::Record;
use crate::step::{Posted, Step};

/// What one cause posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Height of the block.
    pub height: Height,
    /// Its ledger time.
    pub time: LedgerTime,
    /// The act; none: the clock acted.
    pub record: Option<(Hash, Record)>,
    /// The postings, in order.
    pub postings: Vec<Posted>,
    /// What moved with them.
    pub steps: Vec<Step>,
}

/// What a block posted: the clock first, then each act that posted anything.
pub fn of(execution: &Execution) -> Vec<Entry> {
    if execution.changes.postings.is_empty() {
        return Vec::new();
    }
    let entry = |record, postings: &[Posted], steps: &[Step]| Entry {
        height: execution.seal.height,
        time: execution.seal.time_ms,
        record,
        postings: postings.to_vec(),
        steps: steps.to_vec(),
    };
    let clock = execution.postings_of_clock();
    let mut entries = Vec::new();
    if !clock.is_empty() {
        entries.push(entry(None, clock, execution.steps_of_clock()));
    }
    let body: Option<BlockBody> = decode(&execution.body).ok();
    let records = body.into_iter().flat_map(|body| body.records);
    for (at, (record, (id, _))) in records.zip(&execution.outcomes).enumerate() {
        let postings = execution.postings_of(at);
        if !postings.is_empty() {
            entries.push(entry(Some((*id, record)), postings, execution.steps_of(at)));
        }
    }
    entries
}
