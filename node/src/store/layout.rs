//! Keys and values of the tables, and every read, once for both stores.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use super::{
    BlockWrite, RecordPlace, RowVisit, Store, StoreError, StoredBlock, StoredSeal, Tip, VALUE_MAX,
    index, rows,
};

/// The tables, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// height -> length of the seal, seal, certificate.
    Blocks,
    /// height, chunk -> part of the body.
    Bodies,
    /// level, number, value -> writes of rows of the state; see [`super::rows`].
    Rows,
    /// level, index / [`LOG_GROUP`] -> that many hashes, all zero where there is none yet.
    Log,
    /// level, number, first prefix -> entries of a run; see [`super::index`].
    Records,
    /// name -> value.
    Meta,
}

/// Names of the tables in the database; their order is that of [`Table`].
pub(super) const TABLES: [&str; 6] = ["blocks", "bodies", "rows", "log", "records", "meta"];

const TIP: &[u8] = b"tip";
/// Neighbours of the log tree kept in one value: they are written together and read together.
const LOG_GROUP: u64 = 32;
/// First byte of the callers' names in the table of named values.
const NAMED: u8 = b'/';

/// One change of a table.
#[derive(Debug)]
pub(super) struct Change {
    pub table: Table,
    pub key: Vec<u8>,
    /// None removes the entry.
    pub value: Option<Vec<u8>>,
}

impl Change {
    pub fn put(table: Table, key: Vec<u8>, value: Vec<u8>) -> Change {
        Change {
            table,
            key,
            value: Some(value),
        }
    }

    pub fn remove(table: Table, key: Vec<u8>) -> Change {
        Change {
            table,
            key,
            value: None,
        }
    }
}

/// An entry of a table.
#[derive(Debug)]
pub(super) struct KeyValue {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// The few calls in which the two stores differ. `&mut dyn FnMut` answers whether to go on.
pub(super) trait Tables: Send + Sync {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Visits keys that begin with `prefix`, from `from` on, ascending.
    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;
    /// The greatest key at most `key`.
    fn at_most(&self, table: Table, key: &[u8]) -> Result<Option<KeyValue>, StoreError>;
    /// Applies all changes or none.
    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError>;
    fn flush(&self) -> Result<(), StoreError>;
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn place_bytes(place: RecordPlace) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&place.0.0.to_be_bytes());
    bytes[8..].copy_from_slice(&place.1.to_be_bytes());
    bytes
}

pub(super) fn read_place(bytes: &[u8]) -> Option<RecordPlace> {
    let (height, index) = bytes.split_first_chunk::<8>()?;
    Some((
        Height(u64::from_be_bytes(*height)),
        u32::from_be_bytes(index.try_into().ok()?),
    ))
}

fn inconsistent(what: &'static str) -> StoreError {
    StoreError::Failed {
        what,
        why: "a value has not the form it was written in".into(),
    }
}

fn body_key(height: Height, at: u16) -> Vec<u8> {
    joined(&[&height.0.to_be_bytes(), &at.to_be_bytes()])
}

fn log_key(level: u8, index: u64) -> Vec<u8> {
    joined(&[&[level], &(index / LOG_GROUP).to_be_bytes()])
}

fn log_place(index: u64) -> std::ops::Range<usize> {
    let at = (index % LOG_GROUP) as usize * 32;
    at..at + 32
}

/// The groups of the log tree that a block adds to.
fn log_groups(
    tables: &impl Tables,
    nodes: &[((u8, u64), Hash)],
    all: &mut Vec<Change>,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for ((level, index), hash) in nodes {
        let group = match groups.entry(log_key(*level, *index)) {
            Entry::Occupied(group) => group.into_mut(),
            Entry::Vacant(vacant) => {
                let known = tables.get(Table::Log, vacant.key())?.unwrap_or_default();
                vacant.insert(known)
            }
        };
        let place = log_place(*index);
        if group.len() < place.end {
            group.resize(place.end, 0);
        }
        group[place].copy_from_slice(&hash.0);
    }
    all.extend(
        groups
            .into_iter()
            .map(|(key, group)| Change::put(Table::Log, key, group)),
    );
    Ok(())
}

/// A named value.
fn named(key: &[u8], value: &[u8]) -> Change {
    Change::put(Table::Meta, joined(&[&[NAMED], key]), value.to_vec())
}

/// All changes of a block, tip included.
fn changes(tables: &impl Tables, block: &BlockWrite) -> Result<Vec<Change>, StoreError> {
    let height = block.height.0.to_be_bytes();
    let seal_length = u32::try_from(block.seal.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let mut all = vec![Change::put(
        Table::Blocks,
        height.to_vec(),
        joined(&[&seal_length, &block.seal, &block.certificate]),
    )];
    for (at, chunk) in block.body.iter().enumerate() {
        let too_many = |_| StoreError::TooLong {
            what: "a body in chunks",
            length: block.body.len(),
            max: usize::from(u16::MAX),
        };
        let at = u16::try_from(at).map_err(too_many)?;
        all.push(Change::put(
            Table::Bodies,
            body_key(block.height, at),
            chunk.clone(),
        ));
    }
    rows::add(tables, block.height, &block.rows, &mut all)?;
    log_groups(tables, &block.log_nodes, &mut all)?;
    index::add(tables, block.height, &block.records, &mut all)?;
    all.extend(block.meta.iter().map(|(key, value)| named(key, value)));
    all.push(Change::put(
        Table::Meta,
        TIP.to_vec(),
        joined(&[&height, &block.leaf_count.to_be_bytes()]),
    ));
    for Change { key, value, .. } in &all {
        let length = key.len() + value.as_ref().map_or(0, Vec::len);
        if length > VALUE_MAX {
            return Err(StoreError::TooLong {
                what: "an entry",
                length,
                max: VALUE_MAX,
            });
        }
    }
    Ok(all)
}

impl<T: Tables> Store for T {
    fn commit(&self, block: &BlockWrite) -> Result<(), StoreError> {
        let due = self.tip()?.map_or(Height(0), |tip| tip.height.next());
        if block.height != due {
            return Err(StoreError::OutOfOrder {
                height: block.height,
                due,
            });
        }
        self.write(changes(self, block)?)
    }

    fn note(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write(vec![named(key, value)])
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let Some(bytes) = self.get(Table::Meta, TIP)? else {
            return Ok(None);
        };
        let parts = bytes
            .split_first_chunk::<8>()
            .and_then(|(height, leaves)| Some((*height, leaves.try_into().ok()?)));
        let (height, leaves) = parts.ok_or_else(|| inconsistent("reading the tip"))?;
        Ok(Some(Tip {
            height: Height(u64::from_be_bytes(height)),
            leaf_count: u64::from_be_bytes(leaves),
        }))
    }

    fn block(&self, height: Height) -> Result<Option<StoredBlock>, StoreError> {
        let Some(StoredSeal { seal, certificate }) = self.seal(height)? else {
            return Ok(None);
        };
        // One by one, not as a range: sled counts what is in its cache when a page was asked for
        // often enough, and a range asks for each page once; a whole history read so would stay in
        // memory.
        let mut body = Vec::new();
        for at in 0..=u16::MAX {
            let Some(chunk) = self.get(Table::Bodies, &body_key(height, at))? else {
                break;
            };
            body.extend_from_slice(&chunk);
        }
        Ok(Some(StoredBlock {
            seal,
            certificate,
            body,
        }))
    }

    fn seal(&self, height: Height) -> Result<Option<StoredSeal>, StoreError> {
        let Some(bytes) = self.get(Table::Blocks, &height.0.to_be_bytes())? else {
            return Ok(None);
        };
        let split = bytes
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.split_at_checked(u32::from_be_bytes(*length) as usize));
        let (seal, certificate) = split.ok_or_else(|| inconsistent("reading a seal"))?;
        Ok(Some(StoredSeal {
            seal: seal.to_vec(),
            certificate: certificate.to_vec(),
        }))
    }

    fn record(&self, prefix: &[u8; 16]) -> Result<Option<RecordPlace>, StoreError> {
        index::find(self, prefix)
    }

    fn records_from(&self, prefix: &[u8], limit: usize) -> Result<Vec<RecordPlace>, StoreError> {
        index::starting_with(self, prefix, limit)
    }

    fn rows(&self, visit: &mut RowVisit) -> Result<(), StoreError> {
        rows::visit(self, visit)
    }

    fn log_node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError> {
        let Some(group) = self.get(Table::Log, &log_key(level, index))? else {
            return Ok(None);
        };
        let hash = group
            .get(log_place(index))
            .and_then(|bytes| bytes.try_into().ok())
            .map(Hash);
        Ok(hash.filter(|hash| *hash != Hash::ZERO))
    }

    fn meta(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Meta, &joined(&[&[NAMED], key]))
    }

    fn flush(&self) -> Result<(), StoreError> {
        Tables::flush(self)
    }
}
