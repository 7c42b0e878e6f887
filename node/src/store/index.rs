//! The record index: sorted runs, merged as they pile up, instead of one key a record.
//!
//! Record ids are random, and a random key costs sled ten times as much as the record itself
//! (reference/perf-limits.md, section 4). A block's records therefore become one run (see
//! [`super::runs`]); runs above [`RUN_MAX`] entries stay as they are, and a look-up asks a few
//! dozen runs, the newest first.
//!
//! Absent on purpose: removal (history is never shortened), filters.

use rollbook_proof::number::Height;

use super::layout::{Change, Table, Tables};
use super::runs::damaged;
use super::{RecordPlace, StoreError, runs};

/// Bytes of an entry: first bytes of the id, height, index.
const ENTRY: usize = 16 + 12;
/// Entries in one value.
const PER_VALUE: usize = super::CHUNK / ENTRY;
/// Entries of the longest run that is made by merging.
const RUN_MAX: usize = 1 << 18;
/// Name of the list of runs among the named values of the store itself.
const RUNS: &[u8] = b"runs";
type Entry = [u8; ENTRY];

/// Adds a block's records to the changes that its commit makes.
pub(super) fn add(
    tables: &impl Tables,
    height: Height,
    records: &[([u8; 16], RecordPlace)],
    changes: &mut Vec<Change>,
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut all = runs::list(tables, RUNS)?;
    let mut entries: Vec<Entry> = records
        .iter()
        .map(|(prefix, place)| entry(prefix, *place))
        .collect();
    let (level, peers) = runs::merged(&mut all, entries.len(), RUN_MAX);
    for run in peers {
        let prefix = run.prefix();
        tables.visit(Table::Records, &prefix, &prefix, &mut |key, value| {
            entries.extend(
                value
                    .chunks_exact(ENTRY)
                    .filter_map(|bytes| Entry::try_from(bytes).ok()),
            );
            changes.push(Change::remove(Table::Records, key.to_vec()));
            true
        })?;
    }
    entries.sort_unstable();
    let run = runs::Run {
        level,
        number: height.0,
        size: u32::try_from(entries.len()).unwrap_or(u32::MAX),
    };
    for values in entries.chunks(PER_VALUE) {
        let mut key = run.prefix();
        key.extend_from_slice(&values[0][..16]);
        changes.push(Change::put(Table::Records, key, values.concat()));
    }
    all.push(run);
    changes.push(runs::listed(RUNS, &all));
    Ok(())
}

/// Where the newest record is whose id begins with `prefix`.
pub(super) fn find(
    tables: &impl Tables,
    prefix: &[u8; 16],
) -> Result<Option<RecordPlace>, StoreError> {
    for run in runs::list(tables, RUNS)?.into_iter().rev() {
        let of_run = run.prefix();
        let key = [of_run.as_slice(), prefix].concat();
        let Some(found) = tables.at_most(Table::Records, &key)? else {
            continue;
        };
        if !found.key.starts_with(&of_run) {
            continue;
        }
        let (values, rest) = found.value.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        let end = values.partition_point(|entry| entry[..16] <= prefix[..]);
        if let Some(entry) = end
            .checked_sub(1)
            .and_then(|at| values.get(at))
            .filter(|entry| entry[..16] == prefix[..])
        {
            return super::layout::read_place(&entry[16..])
                .map(Some)
                .ok_or_else(damaged);
        }
    }
    Ok(None)
}

/// Places of records whose id begins with `start`, at most `limit`.
pub(super) fn starting_with(
    tables: &impl Tables,
    start: &[u8],
    limit: usize,
) -> Result<Vec<RecordPlace>, StoreError> {
    let start = start.get(..16).unwrap_or(start);
    let mut places = Vec::new();
    for run in runs::list(tables, RUNS)?.into_iter().rev() {
        let of_run = run.prefix();
        let key = [of_run.as_slice(), start].concat();
        // The value that the range begins in may have its first entry before it.
        let from = match tables.at_most(Table::Records, &key)? {
            Some(found) if found.key.starts_with(&of_run) => found.key,
            _ => key,
        };
        tables.visit(Table::Records, &of_run, &from, &mut |_, value| {
            let mut past = false;
            for entry in value.chunks_exact(ENTRY) {
                match entry.get(..start.len()) {
                    Some(id) if id == start => {
                        places.extend(entry.get(16..).and_then(super::layout::read_place))
                    }
                    Some(id) if id > start => past = true,
                    _ => {}
                }
            }
            !past && places.len() < limit
        })?;
    }
    places.truncate(limit);
    Ok(places)
}

fn entry(prefix: &[u8; 16], place: RecordPlace) -> Entry {
    let mut entry = [0; ENTRY];
    entry[..16].copy_from_slice(prefix);
    entry[16..].copy_from_slice(&super::layout::place_bytes(place));
    entry
}

#[cfg(test)]
mod tests {
    use rollbook_proof::crypto::sha256;

    use super::super::{BlockWrite, MemoryStore, Store as _};
    use super::*;

    fn prefix(height: u64, index: u32) -> [u8; 16] {
        let mut prefix = [0; 16];
        prefix.copy_from_slice(&sha256(format!("{height}/{index}").as_bytes()).0[..16]);
        prefix
    }

    #[test]
    fn every_record_is_found_and_runs_stay_few() {
        let store = MemoryStore::new();
        // Blocks of all sizes, some empty.
        let size = |height: u64| (height * 37 % 211 * u64::from(!height.is_multiple_of(5))) as u32;
        for height in 0..700 {
            let records = (0..size(height))
                .map(|index| (prefix(height, index), (Height(height), index)))
                .collect();
            store
                .commit(&BlockWrite {
                    height: Height(height),
                    records,
                    ..BlockWrite::default()
                })
                .unwrap();
        }
        for height in 0..700 {
            for index in (0..size(height)).step_by(7) {
                assert_eq!(
                    store.record(&prefix(height, index)).unwrap(),
                    Some((Height(height), index))
                );
                // Twelve digits are enough among so few.
                assert_eq!(
                    store.records_from(&prefix(height, index)[..6], 3).unwrap(),
                    vec![(Height(height), index)]
                );
            }
            assert_eq!(store.record(&prefix(height, size(height))).unwrap(), None);
        }
        let all = runs::list(&store, RUNS).unwrap();
        assert!(all.len() <= 7 * 4, "{all:?}");
        let entries: u32 = all.iter().map(|run| run.size).sum();
        assert_eq!(entries, (0..700).map(size).sum::<u32>());
        let mut stored = 0;
        store
            .visit(Table::Records, &[], &[], &mut |_, value| {
                stored += value.len() / ENTRY;
                true
            })
            .unwrap();
        assert_eq!(stored, entries as usize, "merged runs are gone");
    }

    #[test]
    fn the_newest_of_two_records_with_one_prefix_is_found() {
        let store = MemoryStore::new();
        for height in 0..40 {
            let records = vec![
                ([7; 16], (Height(height), 3)),
                (prefix(height, 0), (Height(height), 4)),
            ];
            store
                .commit(&BlockWrite {
                    height: Height(height),
                    records,
                    ..BlockWrite::default()
                })
                .unwrap();
            assert_eq!(store.record(&[7; 16]).unwrap(), Some((Height(height), 3)));
        }
    }
}
