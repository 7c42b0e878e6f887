//! The store on sled 0.34.7.
//!
//! What this file knows about sled, each point measured or read (reference/perf-limits.md, section
//! 4): a block is one transaction of batches that were built before, since the closure may run more
//! than once; `flush` stays outside of it; a process killed while it opens leaves
//! `snap.*.generating`, which makes every later open fail, and which nothing needs, so it is set
//! aside before every open; the cache is always bounded; `flush` does not reach the platter, so the
//! file is synced behind it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rollbook_proof::crypto::Hash;
use sled::transaction::{
    ConflictableTransactionError, TransactionError, Transactional as _, TransactionalTree,
};
use sled::{Batch, Db, Tree};

use super::layout::{Change, KeyValue, TABLES, Table, Tables};
use super::{Store as _, StoreError, Tip};

/// Bytes of cache (RULINGS A25).
const CACHE: u64 = 48 * 1024 * 1024;
/// Layout of keys and values; one of another is made again from the journal.
const FORMAT: &[u8] = b"rollbook store 4";
const FORMAT_KEY: &[u8] = b"format";
const GENESIS_KEY: &[u8] = b"genesis";
/// Prefix of files that were set aside; sled looks for `snap.` at the beginning of a name.
const ASIDE: &str = "set-aside-";

/// A store in a folder of its own.
#[derive(Debug, Clone)]
pub struct SledStore {
    db: Db,
    trees: Vec<Tree>,
    path: PathBuf,
    /// What [`super::Store::flush`] syncs: held open, so that no want of files stops a node.
    file: Arc<File>,
}

/// What opening did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The store was empty and has been made.
    pub created: bool,
    /// Half-written snapshots of an interrupted start that were renamed, new names.
    pub set_aside: Vec<PathBuf>,
    /// Newest block.
    pub tip: Option<Tip>,
}

fn failed(what: &'static str) -> impl Fn(sled::Error) -> StoreError {
    move |error| match &error {
        sled::Error::Io(io) if is_of_machine(io) => StoreError::Machine {
            what,
            why: io.to_string(),
        },
        _ => StoreError::Failed {
            what,
            why: error.to_string(),
        },
    }
}

/// Whether the machine is to blame and not what lies in the file.
fn is_of_machine(error: &io::Error) -> bool {
    // EIO, ENFILE, EMFILE: the last two have no kind of their own.
    const NUMBERS: [i32; 3] = [5, 23, 24];
    let kinds = [
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    kinds.contains(&error.kind())
        || error
            .raw_os_error()
            .is_some_and(|number| NUMBERS.contains(&number))
}

/// Why a block was not stored.
fn not_stored(error: TransactionError<()>) -> StoreError {
    const WHAT: &str = "storing a block";
    match error {
        TransactionError::Storage(error) => failed(WHAT)(error),
        TransactionError::Abort(()) => StoreError::Failed {
            what: WHAT,
            why: "the transaction was given up".into(),
        },
    }
}

fn io_failed(what: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| failed(what)(sled::Error::Io(error))
}

/// File names in a folder; none if there is no folder.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Renames half-written snapshots, so that sled does not take them for whole ones.
fn set_aside(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut moved = Vec::new();
    for name in names(dir)?
        .iter()
        .filter(|name| name.starts_with("snap.") && name.ends_with(".generating"))
    {
        let target = dir.join(format!("{ASIDE}{name}"));
        fs::rename(dir.join(name), &target)?;
        moved.push(target);
    }
    Ok(moved)
}

impl SledStore {
    /// Opens the store of chain `genesis` in `dir`, making it if there is none. The caller wipes a
    /// suspect store first.
    pub fn open(dir: &Path, genesis: &Hash) -> Result<(SledStore, Opened), StoreError> {
        let set_aside =
            set_aside(dir).map_err(io_failed("setting aside half-written snapshots"))?;
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE)
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace);
        let db = config.open().map_err(failed("opening"))?;
        let trees = TABLES
            .iter()
            .map(|name| db.open_tree(name))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed("opening"))?;
        let file = File::open(dir.join("db")).map_err(io_failed("opening"))?;
        let store = SledStore {
            db,
            trees,
            path: dir.to_path_buf(),
            file: Arc::new(file),
        };
        let created = store.claim(genesis)?;
        let tip = store.tip()?;
        Ok((
            store,
            Opened {
                created,
                set_aside,
                tip,
            },
        ))
    }

    /// Checks format and chain, or writes them into an empty store. True if it was empty.
    fn claim(&self, genesis: &Hash) -> Result<bool, StoreError> {
        let foreign = |why: String| StoreError::Foreign {
            path: self.path.clone(),
            why,
        };
        match (
            self.get(Table::Meta, FORMAT_KEY)?,
            self.get(Table::Meta, GENESIS_KEY)?,
        ) {
            (_, Some(found)) if found != genesis.0 => Err(foreign(format!(
                "is of chain {}, not {genesis}",
                hex::encode(found)
            ))),
            (Some(format), _) if format != FORMAT => Err(StoreError::Failed {
                what: "opening",
                why: "another release wrote it in another layout".into(),
            }),
            (Some(_), Some(_)) => Ok(false),
            _ => {
                self.write(vec![
                    Change::put(Table::Meta, FORMAT_KEY.to_vec(), FORMAT.to_vec()),
                    Change::put(Table::Meta, GENESIS_KEY.to_vec(), genesis.0.to_vec()),
                ])?;
                Ok(true)
            }
        }
    }

    /// Deletes the store in `dir`, which must not be open. A folder that holds anything else is
    /// left alone.
    pub fn wipe(dir: &Path) -> Result<(), StoreError> {
        for name in names(dir).map_err(io_failed("deleting the folder"))? {
            let known = ["db", "conf", "blobs"].contains(&name.as_str())
                || name.starts_with("snap.")
                || name.starts_with(ASIDE);
            if !known {
                return Err(StoreError::NotAStore {
                    path: dir.to_path_buf(),
                    found: name,
                });
            }
        }
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_failed("deleting the folder")(error))
            }
            _ => Ok(()),
        }
    }

    /// Bytes on disk.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.db
            .size_on_disk()
            .map_err(failed("asking for its size"))
    }
}

impl Tables for SledStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.trees[table as usize]
            .get(key)
            .map_err(failed("reading"))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        for entry in self.trees[table as usize].range(from..) {
            let (key, value) = entry.map_err(failed("reading"))?;
            if !key.starts_with(prefix) || !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn at_most(&self, table: Table, key: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        let entry = self.trees[table as usize]
            .range(..=key)
            .next_back()
            .transpose()
            .map_err(failed("reading"))?;
        Ok(entry.map(|(key, value)| KeyValue {
            key: key.to_vec(),
            value: value.to_vec(),
        }))
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut batches: Vec<Option<Batch>> = vec![None; TABLES.len()];
        for Change { table, key, value } in changes {
            let batch = batches[table as usize].get_or_insert_default();
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let used: Vec<(&Tree, Batch)> = self
            .trees
            .iter()
            .zip(batches)
            .filter_map(|(tree, batch)| Some((tree, batch?)))
            .collect();
        let trees: Vec<&Tree> = used.iter().map(|(tree, _)| *tree).collect();
        let outcome = trees
            .as_slice()
            .transaction(|views: &Vec<TransactionalTree>| {
                for (view, (_, batch)) in views.iter().zip(&used) {
                    view.apply_batch(batch)?;
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            });
        outcome.map_err(not_stored)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed("flushing"))?;
        self.file.sync_data().map_err(io_failed("syncing its file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the machine is to blame for is told from what lies in the file, also while a block is stored:
    /// only the second is mended by making the store again.
    #[test]
    fn the_machine_is_told_from_the_file() {
        let of_kind = |kind| io::Error::new(kind, "told");
        let machine = [
            of_kind(io::ErrorKind::StorageFull),
            of_kind(io::ErrorKind::QuotaExceeded),
            of_kind(io::ErrorKind::PermissionDenied),
            of_kind(io::ErrorKind::ReadOnlyFilesystem),
            io::Error::from_raw_os_error(5),
            io::Error::from_raw_os_error(23),
            io::Error::from_raw_os_error(24),
            io::Error::from_raw_os_error(28),
            io::Error::from_raw_os_error(13),
        ];
        for error in machine {
            assert!(is_of_machine(&error), "{error}");
            let told = not_stored(TransactionError::Storage(sled::Error::Io(error)));
            assert!(matches!(told, StoreError::Machine { .. }), "{told}");
        }
        let file = [
            of_kind(io::ErrorKind::UnexpectedEof),
            of_kind(io::ErrorKind::InvalidData),
            of_kind(io::ErrorKind::Other),
        ];
        for error in file {
            assert!(!is_of_machine(&error), "{error}");
            let told = not_stored(TransactionError::Storage(sled::Error::Io(error)));
            assert!(matches!(told, StoreError::Failed { .. }), "{told}");
        }
        let told = not_stored(TransactionError::Abort(()));
        assert!(matches!(told, StoreError::Failed { .. }), "{told}");
    }
}
