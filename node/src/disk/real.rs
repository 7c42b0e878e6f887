//! The operating system's file system.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Disk, DiskError, DiskErrorKind, DiskFile, DiskLock, DiskOp};

/// Files of the operating system. Syncs are `fdatasync` for appended bytes and `fsync` for folders.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

fn translate(op: DiskOp, path: &Path, error: &io::Error) -> DiskError {
    let kind = match error.kind() {
        ErrorKind::NotFound => DiskErrorKind::NotFound,
        ErrorKind::AlreadyExists => DiskErrorKind::Exists,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            DiskErrorKind::Full
        }
        ErrorKind::UnexpectedEof => DiskErrorKind::Short,
        _ => DiskErrorKind::Io,
    };
    DiskError::new(op, path, kind, error.to_string())
}

/// Attaches operation and path to an error of the standard library.
fn named<T>(op: DiskOp, path: &Path, result: io::Result<T>) -> Result<T, DiskError> {
    result.map_err(|error| translate(op, path, &error))
}

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        // A folder is only durable when the folder above it is synced, so each level that is made
        // syncs its parent.
        let mut missing = Vec::new();
        let mut at = dir;
        while !at.as_os_str().is_empty() && !at.exists() {
            missing.push(at);
            match at.parent() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        for level in missing.into_iter().rev() {
            match DirBuilder::new().mode(0o700).create(level) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => named(DiskOp::CreateDir, level, other)?,
            }
            if let Some(parent) = level.parent() {
                self.sync_dir(if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                })?;
            }
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let mut names = Vec::new();
        for entry in named(DiskOp::List, dir, fs::read_dir(dir))? {
            let entry = named(DiskOp::List, dir, entry)?;
            if named(DiskOp::List, dir, entry.file_type())?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        let opened = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        Ok(Box::new(RealFile {
            file: named(DiskOp::Create, path, opened)?,
            path: path.to_path_buf(),
        }))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        let opened = OpenOptions::new().read(true).append(true).open(path);
        Ok(Box::new(RealFile {
            file: named(DiskOp::Open, path, opened)?,
            path: path.to_path_buf(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        named(DiskOp::Rename, from, fs::rename(from, to))
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        named(DiskOp::Remove, path, fs::remove_file(path))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        named(
            DiskOp::SyncDir,
            dir,
            File::open(dir).and_then(|folder| folder.sync_all()),
        )
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, DiskError> {
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = named(DiskOp::Lock, path, opened)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(DiskError::new(
                DiskOp::Lock,
                path,
                DiskErrorKind::Locked,
                "another process holds it",
            )),
            Err(TryLockError::Error(error)) => Err(translate(DiskOp::Lock, path, &error)),
        }
    }

    fn boot_id(&self) -> [u8; 16] {
        fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| hex::decode(text.trim().replace('-', "")).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or_else(|| self.fresh_id())
    }

    fn fresh_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        // Without randomness no key could be made either; an id of zeros only weakens a check
        // against operators' mistakes.
        let _ = getrandom::fill(&mut id);
        id
    }
}

struct RealFile {
    file: File,
    path: PathBuf,
}

impl DiskFile for RealFile {
    fn len(&self) -> Result<u64, DiskError> {
        Ok(named(DiskOp::Length, &self.path, self.file.metadata())?.len())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        named(DiskOp::Append, &self.path, self.file.write_all(bytes))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        named(
            DiskOp::Read,
            &self.path,
            self.file.read_exact_at(buffer, offset),
        )
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        named(DiskOp::Sync, &self.path, self.file.sync_data())
    }

    fn truncate(&mut self, len: u64) -> Result<(), DiskError> {
        named(DiskOp::Truncate, &self.path, self.file.set_len(len))
    }
}

struct RealLock {
    _file: File,
}

impl DiskLock for RealLock {}
