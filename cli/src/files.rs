//! Files and random bytes of this machine, with failures in the reader's words.
//!
//! * Every file is written as a whole and durably (`rollbook_node::files`). What a command keeps for
//!   itself it replaces; under a name that a person gave it writes only what is not there yet, or
//!   what `--force` gives up ([`save`], RULINGS A64).
//! * Secrets are 0600 from their first byte on, folders 0700.
//! * What two commands change at once is changed under a lock: read again, merged, replaced
//!   ([`locked`] for a file that is there, [`lock`] for one that need not be).

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rollbook_node::files;
use rollbook_node::files::{Access, NoFile};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::output;

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| cannot_read(path, &error))
}

/// Makes a folder that only its owner may enter.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| cannot_write(path, &error))
}

/// Whether a file may be written under a name that a person gave, asked before the work whose result
/// it takes (RULINGS A64): nothing has the name, or it is a file and `force` says that it may go.
/// `None`: the command replaces no file and has no `--force`. `-` is standard output.
pub fn free(path: &Path, force: Option<bool>) -> Result<(), Failure> {
    if is_stdout(path) {
        return Ok(());
    }
    files::target_of(path).map_err(|error| cannot_write(path, &error))?;
    match std::fs::metadata(path) {
        Ok(_) if force == Some(true) => Ok(()),
        Ok(_) => Err(exists(path, force.is_some())),
        // A folder that is missing is better known now than later.
        Err(_) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => std::fs::metadata(folder)
                .map(|_| ())
                .map_err(|error| cannot_write(path, &error)),
            _ => Ok(()),
        },
    }
}

/// Writes a file under a name that a person gave, durably and as a whole; what is there already
/// stays if `force` is not `Some(true)`. `-` is standard output.
pub fn save(path: &Path, bytes: &[u8], force: Option<bool>) -> Result<(), Failure> {
    if is_stdout(path) {
        output::write(bytes);
        return Ok(());
    }
    free(path, force)?;
    let saved = match force {
        Some(true) => files::replace(path, bytes, Access::Everybody),
        _ => files::make(path, bytes, Access::Everybody),
    };
    saved.map_err(|error| cannot_write(path, error.reason()))
}

/// The same for what is for its owner's eyes: 0600 from its first byte on (RULINGS A51).
pub fn save_private(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if is_stdout(path) {
        output::write(bytes);
        return Ok(());
    }
    free(path, Some(force))?;
    if force {
        replace_secret(path, bytes)
    } else {
        write_new(path, bytes, true)
    }
}

/// Whether a name means standard output.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes a new file, 0600 if it is secret; refuses to overwrite, and leaves nothing half.
pub fn write_new(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    free(path, None)?;
    let access = if secret {
        Access::Owner
    } else {
        Access::Everybody
    };
    files::make(path, bytes, access).map_err(|error| cannot_write(path, error.reason()))
}

/// Replaces a file, or makes it: after a crash it is the old one or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::replace(path, bytes, Access::Everybody)
        .map_err(|error| cannot_write(path, error.reason()))
}

/// The same for what only its owner may read.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::replace(path, bytes, Access::Owner).map_err(|error| cannot_write(path, error.reason()))
}

/// A file under a lock until what is returned is dropped; others who ask for it wait. A file that was
/// replaced while the lock was waited for is locked anew, so whoever holds it reads what is there.
pub fn locked(path: &Path) -> Result<File, Failure> {
    hold(path, || File::open(path)).map_err(|error| cannot_read(path, &error))
}

/// The same for a lock that is a file of its own, made if it is not there.
pub fn lock_file(path: &Path) -> Result<File, Failure> {
    hold(path, || open_lock(path)).map_err(|error| cannot_write(path, &error))
}

/// The same for a file that need not be there: the lock stays in the same folder, named like it with `.`
/// before and `.lock` behind.
pub fn lock(path: &Path) -> Result<File, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    lock_file(&path.with_file_name(format!(".{name}.lock")))
}

/// A lock's file, made if it is not there; nothing is locked yet.
pub fn open_lock(path: &Path) -> std::io::Result<File> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn hold(path: &Path, open: impl Fn() -> std::io::Result<File>) -> std::io::Result<File> {
    loop {
        let file = open()?;
        file.lock()?;
        let here = file.metadata()?;
        // It may have been replaced, or taken away, while the lock was waited for.
        match std::fs::metadata(path) {
            Ok(now) if (here.dev(), here.ino()) == (now.dev(), now.ino()) => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a folder holds, by name, without what is hidden: a file manager of another system leaves
/// `._NAME` beside every file that it copies to a stick, and a writer that was killed `.NAME.new`.
pub fn listed(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let hidden = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with('.'))
    };
    let entries = std::fs::read_dir(folder)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| !hidden(path));
    paths.sort();
    Ok(paths)
}

/// Why a file could not be read.
pub fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::unusable(t(
        "file.cannot-read",
        &[("file", path.display().to_string())],
    ));
    match error.kind() {
        ErrorKind::NotFound => failure
            .because(t("file.not-found", &[]))
            .next(t("file.not-found-next", &[])),
        ErrorKind::IsADirectory => failure
            .because(t("file.is-folder", &[]))
            .next(t("file.is-folder-next", &[])),
        ErrorKind::PermissionDenied => failure.because(error).next(t("file.not-allowed-next", &[])),
        _ => failure.because(error),
    }
}

fn exists(path: &Path, force: bool) -> Failure {
    let file = [("file", path.display().to_string())];
    let next = if force {
        "file.exists-next-force"
    } else {
        "file.exists-next"
    };
    Failure::unusable(t("file.cannot-write", &file))
        .because(t("file.exists", &[]))
        .next(t(next, &[]))
}

/// Why a file could not be written, in the reader's language where the reason is a common one. A
/// name that cannot be used is unusable input (2); anything else is output not written (5).
pub fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let file = || t("file.cannot-write", &[("file", path.display().to_string())]);
    let no_file = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<NoFile>());
    let unusable = |why: &str, next: &str| {
        Failure::unusable(file())
            .because(t(why, &[]))
            .next(t(next, &[]))
    };
    match (no_file, error.kind()) {
        (Some(NoFile::Device), _) => unusable("file.device", "file.device-next"),
        (Some(NoFile::Link), _) => unusable("file.dangling", "file.dangling-next"),
        (None, ErrorKind::AlreadyExists) => exists(path, false),
        (None, ErrorKind::IsADirectory) => unusable("file.is-folder", "file.device-next"),
        (None, ErrorKind::NotFound) => unusable("file.no-folder", "file.no-folder-next"),
        // A share that is used up takes no more, either.
        (None, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
            Failure::unwritten(file())
                .because(t("file.full", &[]))
                .next(t("file.full-next", &[]))
        }
        (None, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            Failure::unwritten(file())
                .because(error)
                .next(t("file.not-allowed-next", &[]))
        }
        _ => Failure::unwritten(file()).because(error),
    }
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::unusable(t("keys.no-randomness", &[])).because(error))?;
    Ok(bytes)
}

/// 64 hexadecimal digits, or the SHA-256 of the file that `text` names (relative to `base`).
pub fn hash_or_file(text: &str, base: &Path) -> Result<Hash, std::io::Error> {
    match Hash::from_hex(text) {
        Some(hash) => Ok(hash),
        None => std::fs::read(base.join(text)).map(|bytes| rollbook_proof::crypto::sha256(&bytes)),
    }
}
