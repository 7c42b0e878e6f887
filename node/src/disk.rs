//! The disk as the journal sees it (RULINGS A23).
//!
//! Rules:
//!
//! * A file is appended to, read at an offset, truncated and synced; nothing is ever overwritten in
//!   place.
//! * Bytes are durable after [`DiskFile::sync`]; a name (create, rename, remove) is durable after
//!   [`Disk::sync_dir`] of its folder. Nothing else promises anything.
//! * Every error carries the operation and the path. A failed sync is final: the kernel may already
//!   have dropped the pages, so a second sync that succeeds proves nothing.
//! * The two random values a journal needs (the id of this boot, a fresh id) come from here too, so
//!   that a simulation has one source of them.
//!
//! Absent on purpose: memory maps, overwrites, asynchronous writes, permissions.

use std::fmt;
use std::path::{Path, PathBuf};

mod real;
mod sim;
#[cfg(test)]
mod tests;

pub use real::RealDisk;
pub use sim::{Fault, FaultKind, SimDisk, SplitMix};

/// What was being done when a disk failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskOp {
    /// Make a folder.
    CreateDir,
    /// List a folder.
    List,
    /// Make a new file.
    Create,
    /// Open an existing file.
    Open,
    /// Add bytes to the end of a file.
    Append,
    /// Read bytes.
    Read,
    /// Ask for the length of a file.
    Length,
    /// Make the bytes of a file durable.
    Sync,
    /// Make the names in a folder durable.
    SyncDir,
    /// Rename a file.
    Rename,
    /// Remove a file.
    Remove,
    /// Shorten a file.
    Truncate,
    /// Take the lock of a folder.
    Lock,
}

impl fmt::Display for DiskOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskOp::CreateDir => "making the folder",
            DiskOp::List => "listing",
            DiskOp::Create => "creating",
            DiskOp::Open => "opening",
            DiskOp::Append => "writing to",
            DiskOp::Read => "reading",
            DiskOp::Length => "asking for the length of",
            DiskOp::Sync => "syncing",
            DiskOp::SyncDir => "syncing the folder",
            DiskOp::Rename => "renaming",
            DiskOp::Remove => "removing",
            DiskOp::Truncate => "truncating",
            DiskOp::Lock => "locking",
        })
    }
}

/// The kinds of disk error that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskErrorKind {
    /// No such file or folder.
    NotFound,
    /// The file exists already.
    Exists,
    /// The disk, or the quota, is full.
    Full,
    /// Another process holds the lock.
    Locked,
    /// A read past the end of the file.
    Short,
    /// Anything else the operating system reports.
    Io,
    /// Simulation only: the power is off, or the handle is of a process that is dead.
    Gone,
}

/// A disk operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{op} {}: {cause}", path.display())]
pub struct DiskError {
    /// The operation.
    pub op: DiskOp,
    /// The file or folder.
    pub path: PathBuf,
    /// What callers tell apart.
    pub kind: DiskErrorKind,
    /// The operating system's words.
    pub cause: String,
}

impl DiskError {
    /// An error of operation `op` on `path`.
    pub fn new(op: DiskOp, path: &Path, kind: DiskErrorKind, cause: impl Into<String>) -> Self {
        DiskError {
            op,
            path: path.to_path_buf(),
            kind,
            cause: cause.into(),
        }
    }
}

/// A disk. Shared by reference between threads; files are handles of their own.
pub trait Disk: Send + Sync {
    /// Makes a folder and the folders above it; existing ones are fine.
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Names of the files in a folder, sorted. Folders in it are not listed.
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError>;

    /// Makes a new, empty file; [`DiskErrorKind::Exists`] if there is one.
    fn create(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError>;

    /// Opens an existing file for reading and appending.
    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError>;

    /// Renames a file, replacing the target; both in one folder. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Removes a file. Durable after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> Result<(), DiskError>;

    /// Makes names created, renamed and removed in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Takes an exclusive lock on a lock file, making it if needed; [`DiskErrorKind::Locked`] if
    /// somebody else has it. It is held until the value is dropped or the process ends.
    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, DiskError>;

    /// Identifies this boot of the machine: equal ids mean that what was written, synced or not, is
    /// still in memory or on disk. Where a system cannot say, a new id every time, which is the
    /// safe answer.
    fn boot_id(&self) -> [u8; 16];

    /// Sixteen fresh random bytes.
    fn fresh_id(&self) -> [u8; 16];
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Length in bytes, unsynced bytes included.
    fn len(&self) -> Result<u64, DiskError>;

    /// True if there is no byte in it.
    fn is_empty(&self) -> Result<bool, DiskError> {
        Ok(self.len()? == 0)
    }

    /// Adds bytes to the end. On error any prefix of them may have been written.
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError>;

    /// Fills `buffer` from `offset`; [`DiskErrorKind::Short`] if the file ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), DiskError>;

    /// Makes every byte and the length durable. After an error the file must not be trusted again
    /// by this process.
    fn sync(&mut self) -> Result<(), DiskError>;

    /// Cuts the file to `len` bytes. Durable after [`DiskFile::sync`].
    fn truncate(&mut self, len: u64) -> Result<(), DiskError>;
}

/// A held lock; dropping it gives it up.
pub trait DiskLock: Send + Sync {}
