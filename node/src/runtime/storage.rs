//! The journal as the replica sees it.
//!
//! * What the guard records of a statement is the encoded [`Statement`], so that it can be read back and compared.
//! * Entries of the consensus log begin with a kind byte: the replica's own, or the seal of a body that is not decided. A seal
//!   is durable with the first vote that may rest on it; a body whose seal was lost was promised to nobody.
//! * A sync after nothing but bodies waits for the blocks file alone (RULINGS A13: four syncs a height).
//! * A guard that is not proved (RULINGS A8) stays so over restarts, by a marker beside the journal, until the guard was raised.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rollbook_core::codec::{decode, encode};
use rollbook_core::crypto::{Hash, sha256};
use rollbook_core::ledger::{Certificate, Seal};

use super::{Failure, write_durably};
use crate::journal::{self, BodyAnswer, Journal, Recovered, Step, Stop, StopKind, Verdict};
use crate::replica::{Decided, Fault, GuardError, SignToken, Slot, Statement, Storage};

/// Kind byte of the replica's entries.
const ENTRY: u8 = 1;
/// Kind byte of seals.
const SEAL: u8 = 2;

/// Marker: the keys of this folder were made together with it, so its first guard is trusted.
pub const FRESH: &str = "fresh";
/// Marker: the guard is new beside keys that are not (RULINGS A8).
pub const UNPROVEN: &str = "guard-unproven";

/// The journal, shared with backup and status.
pub type SharedJournal = Arc<Mutex<Journal>>;

/// Locks a shared journal.
pub fn lock(journal: &SharedJournal) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Implements [`Storage`].
pub struct JournalStorage {
    journal: SharedJournal,
    chain: Hash,
    trusted: bool,
    /// Height and entries of the consensus log that the replica may read back.
    wal: (u64, Vec<Vec<u8>>),
    undecided: (u64, Vec<(Seal, Vec<u8>)>),
    /// Something other than a body waits for a sync.
    votes_wait: bool,
}

fn fault(stop: Stop) -> Fault {
    Fault(stop.to_string())
}

fn slot_of(slot: Slot) -> Option<journal::Slot> {
    let step = match slot.step {
        0 => Step::Proposal,
        1 => Step::Prevote,
        2 => Step::Precommit,
        _ => return None,
    };
    Some(journal::Slot { height: slot.height, round: slot.round, step })
}

/// Before the journal is opened, because opening makes a guard where there is none: a guard that will be new beside keys that are
/// not gets its marker first, so that no crash can make it look old.
pub fn before_open(data: &Path, journal: &Path) -> Result<(), Failure> {
    let has_guard = std::fs::read_dir(journal)
        .map(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("votes")))
        .unwrap_or(false);
    let unproven = data.join(UNPROVEN);
    if !has_guard && !data.join(FRESH).exists() && !unproven.exists() {
        std::fs::create_dir_all(data)
            .and_then(|()| write_durably(&unproven, b"RULINGS A8\n", false))
            .map_err(|error| Failure::file("cannot write the marker", &unproven, error, "check the disk"))?;
    }
    Ok(())
}

/// After the journal is open: whether its guard is trusted. The guard exists now, so the folder is fresh no more.
pub fn after_open(data: &Path) -> Result<bool, Failure> {
    let fresh = data.join(FRESH);
    remove(&fresh).map_err(|error| Failure::file("cannot remove the marker", &fresh, error, "check the disk"))?;
    Ok(!data.join(UNPROVEN).exists())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Err(_) => Ok(()),
        Ok(()) => match path.parent() {
            Some(folder) => std::fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        },
    }
}

/// The answer of RULINGS A8 has come: below `height` nothing is signed any more. Durable when this returns; only then the
/// guard counts as proved.
pub fn raise_guard(journal: &SharedJournal, data: &Path, height: u64) -> Result<(), Failure> {
    let mut journal = lock(journal);
    journal.raise_guard(height)?;
    journal.sync()?;
    let path: PathBuf = data.join(UNPROVEN);
    remove(&path).map_err(|error| Failure::file("cannot remove the marker", &path, error, "check the disk, start the node again"))
}

impl JournalStorage {
    /// The storage of an opened journal.
    pub fn new(journal: SharedJournal, recovered: &Recovered, trusted: bool) -> JournalStorage {
        let height = recovered.tip + 1;
        let (mut entries, mut undecided) = (Vec::new(), Vec::new());
        for entry in &recovered.wal {
            match entry.split_first() {
                Some((&ENTRY, rest)) => entries.push(rest.to_vec()),
                Some((&SEAL, rest)) => {
                    let Ok(seal) = decode::<Seal>(rest) else { continue };
                    if let Some((_, body)) = recovered.undecided.iter().find(|(digest, _)| *digest == seal.body) {
                        undecided.push((seal, body.clone()));
                    }
                }
                _ => {}
            }
        }
        let chain = lock(&journal).genesis();
        JournalStorage { journal, chain, trusted, wal: (height, entries), undecided: (height, undecided), votes_wait: true }
    }

    fn prepare(&mut self, statement: &Statement) -> Result<Verdict, GuardError> {
        let bytes = encode(statement);
        let chain = self.chain;
        let mut journal = lock(&self.journal);
        let verdict = match statement {
            Statement::Checkpoint { size, root } => journal.prepare_checkpoint(&chain, *size, *root, &bytes),
            _ => {
                let Some(slot) = statement.slot().and_then(slot_of) else {
                    return Err(GuardError::Refused("the statement has no slot".into()));
                };
                journal.prepare(&chain, slot.height, slot.round, slot.step, &bytes)
            }
        };
        verdict.map_err(|stop| match stop.kind {
            StopKind::Misuse => GuardError::Refused(stop.to_string()),
            _ => GuardError::Fault(fault(stop)),
        })
    }
}

impl Storage for JournalStorage {
    fn append_body(&mut self, seal: &Seal, body: &[u8]) -> Result<(), Fault> {
        let mut journal = lock(&self.journal);
        match journal.append_body(seal.height, body).map_err(fault)? {
            BodyAnswer::Full => return Err(Fault(format!("more than 16 undecided bodies of height {}", seal.height))),
            BodyAnswer::Stored(_) | BodyAnswer::Known(_) => {}
        }
        let mut entry = vec![SEAL];
        entry.extend_from_slice(&encode(seal));
        journal.append_wal(seal.height, &entry).map_err(fault)
    }

    fn append_wal(&mut self, height: u64, entry: &[u8]) -> Result<(), Fault> {
        let mut bytes = vec![ENTRY];
        bytes.extend_from_slice(entry);
        lock(&self.journal).append_wal(height, &bytes).map_err(fault)?;
        if self.wal.0 != height {
            self.wal = (height, Vec::new());
        }
        self.wal.1.push(entry.to_vec());
        self.votes_wait = true;
        Ok(())
    }

    fn append_decision(&mut self, seal: &Seal, certificate: &Certificate) -> Result<(), Fault> {
        self.votes_wait = true;
        lock(&self.journal).append_decision(seal.height, &encode(seal), &encode(certificate), seal.body).map_err(fault)
    }

    fn guard(&mut self, statement: &Statement) -> Result<(), GuardError> {
        match self.prepare(statement)? {
            Verdict::Refused(refused) => Err(GuardError::Refused(refused.to_string())),
            Verdict::Prepared(_) | Verdict::AlreadySigned(_) => {
                self.votes_wait = true;
                Ok(())
            }
        }
    }

    fn sync(&mut self) -> Result<(), Fault> {
        let mut journal = lock(&self.journal);
        if self.votes_wait {
            journal.sync().map_err(fault)?;
            self.votes_wait = false;
        } else {
            journal.sync_blocks().map_err(fault)?;
        }
        Ok(())
    }

    fn permit(&mut self, statement: &Statement) -> Result<SignToken, GuardError> {
        let prepared = self.prepare(statement)?.prepared().map_err(|refused| GuardError::Refused(refused.to_string()))?;
        let durable = lock(&self.journal).durable();
        let prepared = match prepared.token(&durable) {
            Ok(_) => return Ok(SignToken::after_sync(statement)),
            Err(prepared) => prepared,
        };
        self.votes_wait = true;
        self.sync()?;
        let durable = lock(&self.journal).durable();
        match prepared.token(&durable) {
            Ok(_) => Ok(SignToken::after_sync(statement)),
            Err(_) => Err(GuardError::Fault(Fault("a sync did not cover the guard record before it".into()))),
        }
    }

    fn high_water(&self) -> Option<Slot> {
        let slot = lock(&self.journal).high_water().slot?;
        let step = match slot.step {
            Step::Proposal => 0,
            Step::Prevote => 1,
            Step::Precommit => 2,
        };
        Some(Slot { height: slot.height, round: slot.round, step })
    }

    fn signed(&self, slot: Slot) -> Option<Statement> {
        decode(lock(&self.journal).recorded(slot_of(slot)?)?).ok()
    }

    fn trusted(&self) -> bool {
        self.trusted
    }

    fn wal(&self, height: u64) -> Vec<Vec<u8>> {
        if self.wal.0 == height { self.wal.1.clone() } else { Vec::new() }
    }

    fn undecided(&self, height: u64) -> Vec<(Seal, Vec<u8>)> {
        if self.undecided.0 == height { self.undecided.1.clone() } else { Vec::new() }
    }

    fn decided(&self, height: u64) -> Option<Decided> {
        let block = lock(&self.journal).read_block(height).ok()??;
        let seal: Seal = decode(&block.seal).ok()?;
        // The journal checks its frames; the seal is checked against the body once more before it is served.
        if seal.height != height || seal.body != sha256(&block.body) {
            return None;
        }
        Some(Decided { seal, certificate: decode(&block.certificate).ok()?, body: block.body })
    }
}
