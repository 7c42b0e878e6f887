//! One line for each act: who signed for whom, which objects it touched, what it moved, or why it had no
//! effect; and one for each object that the clock moved.

use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime};

use crate::block::BlockBody;
use crate::ledger::Execution;
use crate::next;
use crate::object::Machine as _;
use crate::object::key::HeldKey;
use crate::record::Record;
use crate::refusal::{NotCounted, Outcome};
use crate::state::StateTables;
use crate::step::{Step, Subject};

/// One act, or one thing that the clock did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Height of the block.
    pub height: Height,
    /// Its ledger time.
    pub time: LedgerTime,
    /// Place among the lines of the block, from 0: the clock's first.
    pub place: u32,
    /// The act; none: the clock acted.
    pub record: Option<(Hash, Record)>,
    /// Why it had no effect.
    pub not_counted: Option<NotCounted>,
    /// What moved, in order.
    pub steps: Vec<Step>,
    /// The objects that it is about, by the kind's word: those that moved, else the one it names.
    pub touched: Vec<(&'static str, Subject)>,
}

/// The lines of a block; `tables` are those before it, or after it.
pub fn of(tables: &StateTables, execution: &Execution) -> Vec<Line> {
    let (height, time) = (execution.seal.height, execution.seal.time_ms);
    let mut lines: Vec<Line> = Vec::new();
    // The clock moves several objects by one cause; each is a line of its own.
    for step in execution.steps_of_clock() {
        lines.push(Line {
            height,
            time,
            place: 0,
            record: None,
            not_counted: None,
            steps: vec![step.clone()],
            touched: vec![(step.kind, step.subject)],
        });
    }
    let body: Option<BlockBody> = decode(&execution.body).ok();
    let records = body.into_iter().flat_map(|body| body.records);
    for (at, (record, (id, outcome))) in records.zip(&execution.outcomes).enumerate() {
        let steps = execution.steps_of(at).to_vec();
        let mut touched: Vec<(&'static str, Subject)> = Vec::new();
        for step in &steps {
            if !touched.contains(&(step.kind, step.subject)) {
                touched.push((step.kind, step.subject));
            }
        }
        // Keys come and go with what an act is about.
        let key = |(kind, _): &(&str, Subject)| *kind == HeldKey::KIND;
        if touched.iter().any(|object| !key(object)) {
            touched.retain(|object| !key(object));
        }
        if touched.iter().all(key) {
            touched.clear();
            let payload = &record.payload;
            let named = next::subject(tables, payload.principal, id, &payload.body);
            touched.extend(named.map(|(object, number)| (object.word(), Subject::Number(number))));
        }
        lines.push(Line {
            height,
            time,
            place: 0,
            record: Some((*id, record)),
            not_counted: match outcome {
                Outcome::Applied => None,
                Outcome::NotCounted(reason) => Some(*reason),
            },
            steps,
            touched,
        });
    }
    for (place, line) in (0..).zip(&mut lines) {
        line.place = place;
    }
    lines
}
