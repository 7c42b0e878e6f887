//! One typed table with an overlay for the block being built, and what undoes the record being
//! applied.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::iter::Peekable;
use std::ops::{Bound, RangeBounds};

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire, encode};

use crate::state::Row;

/// What a table can hold.
pub trait TableValue: Encode + Decode<()> + Clone + PartialEq + std::fmt::Debug {}
impl<T: Encode + Decode<()> + Clone + PartialEq + std::fmt::Debug> TableValue for T {}

/// A table of `K` to `V`. Reads see the block over the base.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    /// Values at the tip.
    base: BTreeMap<K, V>,
    /// Values that the block wrote, the current record's among them. The same type of map as the
    /// base, because every table's maps are compiled for it alone.
    block: BTreeMap<K, V>,
    /// Keys that the block removed, ascending: few, and none of them in `block`.
    gone: Vec<K>,
    /// What the record's writes replaced, oldest first.
    undo: Vec<(K, Held<V>)>,
}

/// What a block holds at a key.
#[derive(Debug, Clone)]
enum Held<V> {
    Nothing,
    Removed,
    Value(V),
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table {
            base: BTreeMap::new(),
            block: BTreeMap::new(),
            gone: Vec::new(),
            undo: Vec::new(),
        }
    }
}

/// Carrier that lets single keys and values go through the one decode function.
#[derive(Encode, Decode)]
struct Cell<T>(T);
impl<T: Encode + Decode<()>> Wire for Cell<T> {
    const MAX: usize = 1024 * 1024;
}

/// Reads the bytes of one value of a table, as a state proof carries them.
pub fn decode_value<V: TableValue>(bytes: &[u8]) -> Result<V, DecodeError> {
    rollbook_proof::codec::decode::<Cell<V>>(bytes).map(|Cell(value)| value)
}

impl<K: TableValue + Ord, V: TableValue> Table<K, V> {
    /// The value at `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.block
            .get(key)
            .or_else(|| self.base.get(key).filter(|_| !self.is_gone(key)))
    }

    fn is_gone(&self, key: &K) -> bool {
        self.gone.binary_search(key).is_ok()
    }

    /// Whether there is a value at `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Writes an entry for the record.
    pub(super) fn put(&mut self, key: K, value: V) {
        let before = self.set(&key, Held::Value(value));
        self.undo.push((key, before));
    }

    /// Removes an entry (working tables only; proved entries carry statuses).
    pub(super) fn remove(&mut self, key: K) {
        let before = self.set(&key, Held::Removed);
        self.undo.push((key, before));
    }

    /// Puts what the block holds at a key and returns what it held.
    fn set(&mut self, key: &K, now: Held<V>) -> Held<V> {
        let place = self.gone.binary_search(key);
        let removed = matches!(now, Held::Removed);
        let value = match now {
            Held::Value(value) => self.block.insert(key.clone(), value),
            Held::Nothing | Held::Removed => self.block.remove(key),
        };
        match (place, removed) {
            (Ok(place), false) => drop(self.gone.remove(place)),
            (Err(place), true) => self.gone.insert(place, key.clone()),
            (Ok(_), true) | (Err(_), false) => {}
        }
        match value {
            Some(value) => Held::Value(value),
            None if place.is_ok() => Held::Removed,
            None => Held::Nothing,
        }
    }

    /// Entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.range(..)
    }

    /// Entries of a key range, in key order.
    pub fn range<R: RangeBounds<K> + Clone>(&self, range: R) -> impl Iterator<Item = (&K, &V)> {
        // A reversed or empty range would panic in the standard library.
        let empty = match (range.start_bound(), range.end_bound()) {
            (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
                a > b
            }
            _ => false,
        };
        let merged = (!empty).then(|| Merged {
            base: self.base.range(range.clone()).peekable(),
            block: self.block.range(range).peekable(),
            gone: &self.gone,
        });
        merged.into_iter().flatten()
    }

    /// The first entry.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The last key in the table, overlays included.
    pub fn last_key(&self) -> Option<&K> {
        // A key of the base that the block removed counts; tables with numbers as keys have none.
        self.block
            .keys()
            .next_back()
            .max(self.base.keys().next_back())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// The record applied: its writes join the block's.
    pub(super) fn keep_record(&mut self) {
        self.undo.clear();
    }

    /// The record was refused: its writes vanish.
    pub(super) fn drop_record(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            self.set(&key, before);
        }
    }

    /// The block was not wanted: its writes vanish.
    pub(super) fn drop_block(&mut self) {
        self.undo.clear();
        self.gone.clear();
        self.block.clear();
    }

    /// Moves the block overlay out as rows. Writes that change nothing are no changes.
    pub(super) fn take_rows(&mut self, table: u8, rows: &mut Vec<Row>) {
        debug_assert!(self.undo.is_empty(), "rows taken in the middle of a record");
        for (key, value) in std::mem::take(&mut self.block) {
            if self.base.get(&key) != Some(&value) {
                rows.push(Row {
                    table,
                    key: encode(&key),
                    value: Some(encode(&value)),
                });
            }
        }
        for key in std::mem::take(&mut self.gone) {
            if self.base.contains_key(&key) {
                rows.push(Row {
                    table,
                    key: encode(&key),
                    value: None,
                });
            }
        }
    }

    /// Writes a stored row into the base.
    pub(super) fn load(&mut self, row: &Row) -> Result<(), DecodeError> {
        let Cell(key) = rollbook_proof::codec::decode::<Cell<K>>(&row.key)?;
        match &row.value {
            Some(bytes) => {
                let Cell(value) = rollbook_proof::codec::decode::<Cell<V>>(bytes)?;
                self.base.insert(key, value);
            }
            None => {
                self.base.remove(&key);
            }
        }
        Ok(())
    }

    /// A key and the bytes of its value in the base.
    pub(super) fn stored(&self, key: &[u8]) -> Option<(K, Vec<u8>)> {
        let key = Self::decode_key(key)?;
        let value = encode(self.base.get(&key)?);
        Some((key, value))
    }

    pub(super) fn decode_key(bytes: &[u8]) -> Option<K> {
        rollbook_proof::codec::decode::<Cell<K>>(bytes)
            .ok()
            .map(|Cell(key)| key)
    }

    /// All base entries as rows.
    pub(super) fn all_rows(&self, table: u8, rows: &mut Vec<Row>) {
        rows.extend(self.base.iter().map(|(key, value)| Row {
            table,
            key: encode(key),
            value: Some(encode(value)),
        }));
    }
}

struct Merged<'a, K, V> {
    base: Peekable<Range<'a, K, V>>,
    block: Peekable<Range<'a, K, V>>,
    gone: &'a [K],
}

impl<'a, K: Ord, V> Iterator for Merged<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = match (self.block.peek(), self.base.peek()) {
                (Some(block), Some(base)) => block.0.cmp(base.0),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            if order != Ordering::Greater {
                if order == Ordering::Equal {
                    self.base.next();
                }
                return self.block.next();
            }
            let entry = self.base.next()?;
            if self.gone.binary_search(entry.0).is_err() {
                return Some(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Put(u32, u64),
        Remove(u32),
        Keep,
        Drop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u32..12, 0u64..4).prop_map(|(k, v)| Step::Put(k, v)),
            2 => (0u32..12).prop_map(Step::Remove),
            1 => Just(Step::Keep),
            1 => Just(Step::Drop),
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        /// The overlays together read like one map, and a base loaded with the block's rows equals
        /// that map.
        #[test]
        fn overlays_read_like_one_map(base in proptest::collection::btree_map(0u32..12, 0u64..4, 0..8), steps in steps()) {
            let mut table = Table::<u32, u64>::default();
            for (k, v) in &base {
                table.load(&Row { table: 0, key: encode(k), value: Some(encode(v)) }).unwrap();
            }
            let (mut kept, mut now) = (base.clone(), base);
            for step in steps {
                match step {
                    Step::Put(k, v) => { table.put(k, v); now.insert(k, v); }
                    Step::Remove(k) => { table.remove(k); now.remove(&k); }
                    Step::Keep => { table.keep_record(); kept = now.clone(); }
                    Step::Drop => { table.drop_record(); now = kept.clone(); }
                }
                prop_assert_eq!(table.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), now.clone().into_iter().collect::<Vec<_>>());
                prop_assert_eq!(table.range(3..9).count(), now.range(3..9).count());
            }
            table.keep_record();
            let mut rows = Vec::new();
            table.take_rows(0, &mut rows);
            prop_assert!(rows.windows(2).all(|w| w[0].key != w[1].key));
            for row in &rows { table.load(row).unwrap(); }
            prop_assert_eq!(table.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), now.into_iter().collect::<Vec<_>>());
        }
    }
}
