//! The trace of a kept history (RULINGS A36): for each height what every record came to, every row
//! that changed, and the preimage of the work digest. With it somebody who writes a verifier of
//! their own finds the block at which their rules differ, and the row.

use rollbook_core::ledger::Execution;
use rollbook_core::state::{Changes, Row, StateTables};
use rollbook_core::step::Step;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;
use serde::{Deserialize, Serialize};

/// One height. A line of the file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub height: Height,
    /// Record ids in order, with the number of the reason for which one had no effect.
    pub outcomes: Vec<(Hash, Option<u32>)>,
    /// Sorted by table and key.
    pub rows: Vec<Changed>,
    /// Preimage of the work digest, in hexadecimal.
    pub work: String,
    /// What moved, in order.
    pub steps: Vec<Moved>,
}

/// A step of an object (RULINGS R26): output of the rules, in no digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The kind of object.
    pub kind: String,
    /// Its number; of a relation the two organisations and its number, with strokes between.
    pub subject: String,
    /// The transition.
    pub code: String,
    /// The state that it left; none for a new object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The state that it came to.
    pub to: String,
}

impl From<&Step> for Moved {
    fn from(step: &Step) -> Moved {
        Moved {
            kind: step.kind.to_owned(),
            subject: step.subject.to_string(),
            code: step.code.to_owned(),
            from: step.from.map(str::to_owned),
            to: step.to.to_owned(),
        }
    }
}

/// A row that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Number of the table.
    pub table: u8,
    /// Path in the state tree; none for a working table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Encoded key, in hexadecimal.
    pub key: String,
    /// Encoded value, in hexadecimal; none: the row is gone.
    pub value: Option<String>,
}

/// The genesis: no records.
pub fn of_genesis(changes: &Changes, tables: &StateTables) -> Line {
    line(Height(0), Hash::ZERO, changes, tables, &[], Vec::new(), &[])
}

/// A block on a state whose work digest was `previous`.
pub fn of_block(previous: Hash, execution: &Execution, tables: &StateTables) -> Line {
    let hidden: Vec<Hash> = execution
        .leaves
        .iter()
        .filter(|leaf| leaf.class == ReadClass::Members)
        .map(|leaf| sha256(&leaf.clear))
        .collect();
    let outcomes = execution
        .outcomes
        .iter()
        .map(|(id, outcome)| (*id, outcome.not_counted()))
        .collect();
    let encoded: Vec<Vec<u8>> = execution.outcomes.iter().map(encode).collect();
    line(
        execution.seal.height,
        previous,
        &execution.changes,
        tables,
        &encoded,
        outcomes,
        &hidden,
    )
}

fn line(
    height: Height,
    previous: Hash,
    changes: &Changes,
    tables: &StateTables,
    encoded: &[Vec<u8>],
    outcomes: Vec<(Hash, Option<u32>)>,
    hidden: &[Hash],
) -> Line {
    let path = |row: &Row| {
        tables
            .proved_path(row)
            .map(|path| String::from_utf8_lossy(&path).into_owned())
    };
    let rows = &changes.rows;
    let working: Vec<&Row> = rows.iter().filter(|row| path(row).is_none()).collect();
    let mut work = previous.0.to_vec();
    work.extend_from_slice(&(working.len() as u64).to_le_bytes());
    working.iter().for_each(|row| work.extend(encode(*row)));
    encoded.iter().for_each(|outcome| work.extend(outcome));
    hidden
        .iter()
        .for_each(|hash| work.extend_from_slice(&hash.0));
    let changed = |row: &Row| Changed {
        table: row.table,
        path: path(row),
        key: hex::encode(&row.key),
        value: row.value.as_ref().map(hex::encode),
    };
    Line {
        height,
        outcomes,
        rows: rows.iter().map(changed).collect(),
        work: hex::encode(work),
        steps: changes.steps.iter().map(Moved::from).collect(),
    }
}

/// The file.
pub fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        text += &serde_json::to_string(line).unwrap_or_default();
        text.push('\n');
    }
    text
}
