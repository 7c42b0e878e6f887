//! Backup and restore of a data folder (RULINGS A8, R21).
//!
//! A backup holds the blocks, the clock of a sample chain, and a list with the digest of each file.
//! Never the sign guard, never keys. It may be taken while the node runs: files of the journal only
//! grow, and an end cut in the middle of a block was never acknowledged by the copy. A restored
//! node asks its peers what it may have signed before it votes.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rollbook_proof::crypto::Hash;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::storage::FRESH;
use crate::clock::real_ms;
use crate::config::Config;
use crate::disk::RealDisk;
use crate::failure::Failure;
use crate::files;
use crate::files::Access;
use crate::journal::Journal;

/// Name of the list.
pub const LIST: &str = "backup.toml";

/// Name of the journal's folder while it is restored.
const PART: &str = "journal.part";

/// The list of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Genesis hash.
    pub genesis: String,
    /// When it was taken, milliseconds since 1970 by the machine's clock.
    pub taken_ms: u64,
    /// The files.
    pub files: Vec<BackupFile>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Path in the data folder.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// Copies a file and returns length and digest of the copy, which is durable.
fn copy(from: &Path, to: &Path) -> std::io::Result<(u64, String)> {
    let mut source = std::fs::File::open(from)?;
    let mut target = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let (mut hasher, mut length, mut buffer) = (Sha256::new(), 0u64, vec![0; 1 << 20]);
    loop {
        let read = source.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        target.write_all(part)?;
        hasher.update(part);
        length += read as u64;
    }
    target.sync_all()?;
    Ok((length, hex::encode(hasher.finalize())))
}

/// Takes a backup of `data` into a new folder `to`.
pub fn backup(data: &Path, genesis: Hash, to: &Path) -> Result<Backup, Failure> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error: std::io::Error| {
            Failure::file(
                "the backup was not made:",
                &path,
                error,
                "check space and permissions there",
            )
        }
    };
    if to.exists() {
        return Err(Failure::file(
            "the backup was not made:",
            to,
            "it exists",
            "name a new folder",
        ));
    }
    // What is rotten here would push good copies out.
    let journal = data.join("journal");
    Journal::check(Arc::new(RealDisk), &journal, genesis)?;
    // Blocks hold members' ballots and dues.
    files::make_private(to).map_err(failed(to))?;
    files::make_private(&to.join("journal")).map_err(failed(to))?;
    let mut names: Vec<String> = std::fs::read_dir(&journal)
        .map_err(failed(&journal))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("blocks"))
        .collect();
    names.sort();
    let mut paths: Vec<String> = names
        .into_iter()
        .map(|name| format!("journal/{name}"))
        .collect();
    if data.join("clock").exists() {
        paths.push("clock".into());
    }
    let mut files = Vec::new();
    for path in paths {
        let source = data.join(&path);
        let (bytes, sha256) = copy(&source, &to.join(&path)).map_err(failed(&source))?;
        files.push(BackupFile {
            path,
            bytes,
            sha256,
        });
    }
    let list = Backup {
        genesis: genesis.to_hex(),
        taken_ms: real_ms(),
        files,
    };
    let text = toml::to_string_pretty(&list).unwrap_or_default();
    std::fs::File::open(to.join("journal"))
        .and_then(|folder| folder.sync_all())
        .map_err(failed(to))?;
    files::replace(&to.join(LIST), text.as_bytes(), Access::Everybody)
        .map_err(|error| failed(to)(error.into()))?;
    Ok(list)
}

/// Checks a backup from end to end, and unless `dry_run` copies it into the node's data folder, which
/// must hold no journal.
pub fn restore(from: &Path, config: &Config, dry_run: bool) -> Result<Backup, Failure> {
    let path = from.join(LIST);
    let next = "name a folder made by 'rollbook node backup'";
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::file("no backup is there:", &path, error, next))?;
    let list: Backup = toml::from_str(&text)
        .map_err(|error| Failure::file("the backup's list is damaged:", &path, error, next))?;
    let genesis = config.read_genesis()?.genesis.hash();
    if list.genesis != genesis.to_hex() {
        let why = format!(
            "it is of chain {}, the config is of {genesis}",
            list.genesis
        );
        return Err(Failure::file(
            "the backup is of another alliance:",
            from,
            why,
            "choose the backup of this alliance",
        ));
    }
    let known = |path: &str| {
        path == "clock"
            || path
                .strip_prefix("journal/")
                .is_some_and(|name| name.starts_with("blocks") && !name.contains('/'))
    };
    for file in &list.files {
        if !known(&file.path) {
            let why = format!("it lists {}, which no backup holds", file.path);
            return Err(Failure::file(
                "the backup is not restored:",
                from,
                why,
                next,
            ));
        }
        let path = from.join(&file.path);
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::file(
                "a file of the backup is missing:",
                &path,
                error,
                "use another backup",
            )
        })?;
        if bytes.len() as u64 != file.bytes || hex::encode(Sha256::digest(&bytes)) != file.sha256 {
            return Err(Failure::file(
                "a file of the backup is damaged:",
                &path,
                "its digest does not fit the list",
                "use another backup",
            ));
        }
    }
    // The digests say that it is what was copied; whether that was whole says the journal itself.
    Journal::check(Arc::new(RealDisk), &from.join("journal"), genesis).map_err(|stop| {
        let why = format!("{}: {}", stop.what, stop.why);
        Failure::file("the backup is damaged:", from, why, "use another backup")
    })?;
    if dry_run {
        return Ok(list);
    }
    let journal = config.journal();
    let used = std::fs::read_dir(&journal).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        let next =
            "move the data folder away first; its sign guard must not be mixed with an older copy";
        return Err(Failure::file(
            "nothing was restored:",
            &journal,
            "there is a journal already",
            next,
        ));
    }
    let failed = |error: std::io::Error| {
        Failure::file(
            "the restore failed in",
            &config.data,
            error,
            "empty the folder and try again",
        )
    };
    files::make_private(&config.data).map_err(failed)?;
    // Under another name until all of it is there: a restore that was cut off leaves no journal behind.
    let part = config.data.join(PART);
    match std::fs::remove_dir_all(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => files::make_private(&part).map_err(failed)?,
    }
    for file in &list.files {
        let target = match file.path.strip_prefix("journal/") {
            Some(name) => part.join(name),
            None => {
                let target = config.data.join(&file.path);
                let _ = std::fs::remove_file(&target);
                target
            }
        };
        copy(&from.join(&file.path), &target).map_err(failed)?;
    }
    let _ = std::fs::remove_file(config.data.join(FRESH));
    std::fs::File::open(&part)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    // An empty folder may be in the way.
    let _ = std::fs::remove_dir(&journal);
    std::fs::rename(&part, &journal).map_err(failed)?;
    std::fs::File::open(&config.data)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(list)
}
