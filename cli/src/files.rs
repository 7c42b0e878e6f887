//! Files and random bytes of this machine, with failures in the reader's words.
//!
//! * What may be there already is replaced as a whole and durably (`rollbook_node::files`);
//!   [`write_new`] refuses to overwrite.
//! * Secrets are 0600 from their first byte on, folders 0700.

use std::io::Write;
use std::path::Path;

use rollbook_node::files;
use rollbook_node::files::Access;
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;

use crate::failure::Failure;

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

/// Writes a new file, 0600 if it is secret; refuses to overwrite.
pub fn write_new(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options
        .open(path)
        .map_err(|error| cannot_write(path, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| cannot_write(path, &error))
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

/// Why a file could not be read.
pub fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::unusable(t(
        "file.cannot-read",
        &[("file", path.display().to_string())],
    ));
    match error.kind() {
        std::io::ErrorKind::NotFound => failure
            .because(t("file.not-found", &[]))
            .next(t("file.not-found-next", &[])),
        _ => failure.because(error),
    }
}

/// Why a file could not be written, in the reader's language where the reason is a common one.
pub fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::unusable(t(
        "file.cannot-write",
        &[("file", path.display().to_string())],
    ));
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => failure
            .because(t("file.exists", &[]))
            .next(t("file.exists-next", &[])),
        _ => failure.because(error),
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
