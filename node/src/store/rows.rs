//! The rows of the state tables: sorted runs of writes, read as a whole when a node opens.
//!
//! A state has a dozen rows for each record that made it, most of them a few bytes long, and the
//! ledger keeps all of them in memory: nothing asks the store for one. As keys of their own they
//! were half of a block's cost, and four times their size in sled's cache. So each block leaves one
//! run of its writes (see [`super::runs`]). Merging keeps the newest write of each row.
//!
//! An entry: length of key `u16`, length of value `u32` ([`GONE`] for a removal), key, value; the
//! key begins with the number of the table.
//!
//! Absent on purpose: reading one row.

use std::collections::BTreeMap;

use rollbook_core::state::Row;
use rollbook_proof::number::Height;

use super::layout::{Change, Table, Tables};
use super::runs::damaged;
use super::{CHUNK, RowVisit, StoreError, VALUE_MAX, runs};

/// Bytes of the longest run that is made by merging.
const RUN_MAX: usize = 8 * 1024 * 1024;
/// Name of the list of runs among the named values of the store itself.
const RUNS: &[u8] = b"row-runs";
/// Length of a value that is not there.
const GONE: u32 = u32::MAX;
/// Bytes before the key.
const HEAD: usize = 2 + 4;

/// Key of an entry and all of its bytes.
type Entry<'a> = (&'a [u8], &'a [u8]);

fn split(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<2>()?;
    let (value, _) = rest.split_first_chunk::<4>()?;
    let (key, value) = (
        usize::from(u16::from_be_bytes(*key)),
        u32::from_be_bytes(*value),
    );
    let length = HEAD + key + if value == GONE { 0 } else { value as usize };
    let (entry, rest) = bytes.split_at_checked(length)?;
    Some(((entry.get(HEAD..HEAD + key)?, entry), rest))
}

/// The entries of a value, or none if it is not of the form.
fn entries(mut bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) = split(bytes)?;
        all.push(entry);
        bytes = rest;
    }
    Some(all)
}

fn is_gone(entry: &[u8]) -> bool {
    entry.get(2..HEAD) == Some(&GONE.to_be_bytes())
}

fn encoded(key: &[u8], value: Option<&[u8]>) -> Result<Vec<u8>, StoreError> {
    let too_long = |length: usize, max: usize| StoreError::TooLong {
        what: "a row",
        length,
        max,
    };
    let key_length =
        u16::try_from(key.len()).map_err(|_| too_long(key.len(), usize::from(u16::MAX)))?;
    let length = HEAD + key.len() + value.map_or(0, <[u8]>::len);
    if length > VALUE_MAX {
        return Err(too_long(length, VALUE_MAX));
    }
    let value_length = value.map_or(GONE, |value| value.len() as u32);
    Ok([
        &key_length.to_be_bytes(),
        &value_length.to_be_bytes()[..],
        key,
        value.unwrap_or_default(),
    ]
    .concat())
}

/// Adds a block's rows to the changes that its commit makes. Of two writes of one row the later
/// stands.
pub(super) fn add(
    tables: &impl Tables,
    height: Height,
    rows: &[Row],
    changes: &mut Vec<Change>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut newest: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for Row { table, key, value } in rows {
        let key = [std::slice::from_ref(table), key].concat();
        let entry = encoded(&key, value.as_deref())?;
        newest.insert(key, entry);
    }
    let mut all = runs::list(tables, RUNS)?;
    let size = newest.values().map(Vec::len).sum();
    let (level, peers) = runs::merged(&mut all, size, RUN_MAX);
    let mut values = Vec::new();
    for run in peers.iter().rev() {
        let prefix = run.prefix();
        tables.visit(Table::Rows, &prefix, &prefix, &mut |key, value| {
            values.push(value.to_vec());
            changes.push(Change::remove(Table::Rows, key.to_vec()));
            true
        })?;
    }
    // The newest first; the sort is stable and finds the runs that are there.
    let mut merged: Vec<Entry> = newest
        .iter()
        .map(|(key, entry)| (key.as_slice(), entry.as_slice()))
        .collect();
    for value in &values {
        merged.extend(entries(value).ok_or_else(damaged)?);
    }
    merged.sort_by_key(|(key, _)| *key);
    merged.dedup_by_key(|(key, _)| *key);
    if all.is_empty() {
        // Nothing is older: what is gone needs no entry.
        merged.retain(|(_, entry)| !is_gone(entry));
    }
    let mut run = runs::Run {
        level,
        number: height.0,
        size: 0,
    };
    let (mut chunk, mut number) = (Vec::with_capacity(CHUNK), 0u32);
    let mut put = |chunk: &mut Vec<u8>| {
        if !chunk.is_empty() {
            let key = [run.prefix().as_slice(), &number.to_be_bytes()].concat();
            run.size = run
                .size
                .saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
            changes.push(Change::put(Table::Rows, key, std::mem::take(chunk)));
            number += 1;
        }
    };
    for (_, entry) in merged {
        if chunk.len() + entry.len() > CHUNK {
            put(&mut chunk);
        }
        chunk.extend_from_slice(entry);
    }
    put(&mut chunk);
    all.push(run);
    changes.push(runs::listed(RUNS, &all));
    Ok(())
}

/// Visits the writes of all rows, the oldest first, until `visit` answers false.
pub(super) fn visit(tables: &impl Tables, visit: &mut RowVisit) -> Result<(), StoreError> {
    let (mut whole, mut go_on) = (true, true);
    for run in runs::list(tables, RUNS)? {
        let prefix = run.prefix();
        tables.visit(Table::Rows, &prefix, &prefix, &mut |_, value| {
            let mut rest = value;
            while !rest.is_empty() && go_on {
                let Some(((key, entry), after)) = split(rest) else {
                    whole = false;
                    break;
                };
                rest = after;
                let value = entry.get(HEAD + key.len()..).filter(|_| !is_gone(entry));
                match key.split_first() {
                    Some((table, key)) => go_on = visit(*table, key, value),
                    None => whole = false,
                }
            }
            whole && go_on
        })?;
        if !whole {
            return Err(damaged());
        }
        if !go_on {
            break;
        }
    }
    Ok(())
}
