//! Lists of sorted runs, for what would cost sled far more as one key an entry: the record index
//! and the rows of the state.
//!
//! A block's entries become one run of a few values. When [`FAN`] runs of a level are there, they
//! are merged into one of the next level, inside the commit that made the last; a run that would
//! grow above its owner's limit stays as it is. So each entry is written again a few times, in
//! large pieces, and a block's cost does not grow with the history behind it.

use super::StoreError;
use super::layout::{Change, Table, Tables};

/// Runs of one level that become one of the next.
pub(super) const FAN: usize = 8;
/// Bytes of a run in the list: level, number, size.
const LISTED: usize = 1 + 8 + 4;

/// A run: how often it was merged, the height of the newest block in it, and its size as its owner
/// counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub level: u8,
    pub number: u64,
    pub size: u32,
}

impl Run {
    /// What the keys of its values begin with.
    pub fn prefix(&self) -> Vec<u8> {
        let mut key = vec![self.level];
        key.extend_from_slice(&self.number.to_be_bytes());
        key
    }
}

/// All runs of the list with this name, the oldest first.
pub(super) fn list(tables: &impl Tables, name: &[u8]) -> Result<Vec<Run>, StoreError> {
    let bytes = tables.get(Table::Meta, name)?.unwrap_or_default();
    let run = |bytes: &[u8]| {
        let (level, rest) = bytes.split_first()?;
        let (number, size) = rest.split_first_chunk::<8>()?;
        Some(Run {
            level: *level,
            number: u64::from_be_bytes(*number),
            size: u32::from_be_bytes(size.try_into().ok()?),
        })
    };
    bytes
        .chunks(LISTED)
        .map(|bytes| run(bytes).ok_or_else(damaged))
        .collect()
}

/// The change that writes a list.
pub(super) fn listed(name: &[u8], runs: &[Run]) -> Change {
    let list = runs
        .iter()
        .flat_map(|run| [run.prefix(), run.size.to_be_bytes().to_vec()].concat());
    Change::put(Table::Meta, name.to_vec(), list.collect())
}

/// Takes the runs off the list that a new run of `size` is merged with, the oldest first; their
/// sizes with it stay within `max`. Also the level of the new run.
pub(super) fn merged(runs: &mut Vec<Run>, size: usize, max: usize) -> (u8, Vec<Run>) {
    let (mut level, mut size, mut kept) = (0u8, size, runs.len());
    loop {
        let peers = &runs[kept.saturating_sub(FAN - 1)..kept];
        size = peers
            .iter()
            .fold(size, |sum, run| sum.saturating_add(run.size as usize));
        if peers.len() < FAN - 1 || peers.iter().any(|run| run.level != level) || size > max {
            break;
        }
        kept -= FAN - 1;
        level = level.saturating_add(1);
    }
    (level, runs.split_off(kept))
}

pub(super) fn damaged() -> StoreError {
    StoreError::Failed {
        what: "reading a sorted run",
        why: "a value has not the form it was written in".into(),
    }
}
