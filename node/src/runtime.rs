//! A node as a process, and what its operator does with it: open, run, stop, ask, back up, examine,
//! and testnets of several on one machine.
//!
//! * One thread owns the replica and waits for its fsyncs ([`crate::replica_thread`]); one thread
//!   writes the store, behind a bounded queue ([`crate::store::writer`]); network and API run on
//!   tokio. Nothing on the path of a decision waits for the store.
//! * Opening ([`open`]) puts the ledger together from the store and the journal. The journal is the
//!   truth: a store that is suspect, damaged, foreign to the journal or deleted is made again from
//!   it.
//! * A fault ends the process with what happened, why, and the next safe action
//!   ([`crate::failure::Failure`]). Nothing is retried in place.
//! * What an operator may do to a node goes through a local socket with file permissions
//!   ([`admin`]), never the public port.
//!
//! Absent on purpose: repair in place, remote control, reading secrets from the environment.

use std::path::Path;

pub mod admin;
pub mod backup;
pub mod doctor;
pub mod http;
pub mod open;
pub mod process;
pub mod sample;
pub mod storage;
pub mod testnet;

/// Writes a file so that after a crash it is the old one or the new one, and durable when this
/// returns. `private` files are readable by their owner only from the first byte on.
pub fn write_durably(path: &Path, bytes: &[u8], private: bool) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(if private { 0o600 } else { 0o644 });
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(folder)?.sync_all()
}
