//! The store in memory, for the simulator and for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::layout::{Change, KeyValue, TABLES, Table, Tables};

type Maps = [BTreeMap<Vec<u8>, Vec<u8>>; TABLES.len()];

/// A store in memory. Clones are handles on the same store, so that it can outlive a simulated
/// process.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    maps: Arc<Mutex<Maps>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy with its own future: what a crash may fall back to.
    pub fn fork(&self) -> Self {
        MemoryStore {
            maps: Arc::new(Mutex::new(self.maps().clone())),
        }
    }

    /// Deletes everything.
    pub fn wipe(&self) {
        *self.maps() = Maps::default();
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.maps()[table as usize].get(key).cloned())
    }

    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let maps = self.maps();
        let range =
            maps[table as usize].range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
        for (key, value) in range.take_while(|(key, _)| key.starts_with(prefix)) {
            if !visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn at_most(&self, table: Table, key: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        let maps = self.maps();
        let mut range =
            maps[table as usize].range::<[u8], _>((Bound::Unbounded, Bound::Included(key)));
        Ok(range.next_back().map(|(key, value)| KeyValue {
            key: key.clone(),
            value: value.clone(),
        }))
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut maps = self.maps();
        for Change { table, key, value } in changes {
            match value {
                Some(value) => maps[table as usize].insert(key, value),
                None => maps[table as usize].remove(&key),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
