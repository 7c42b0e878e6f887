//! Papers that wait: records of this node's company and of offices that need more signatures, left
//! here so that the next officer finds them (RULINGS A65).
//!
//! * One file for each record, its canonical bytes, the same as in the file that officers pass on by
//!   hand. It is on disk before the node says that it is kept.
//! * Copies of one record are merged: each officer's signature once, the first one stays.
//! * A paper goes when its record is valid no more. Nothing of it is in the ledger and nothing of it
//!   leaves this node but to those who may sign.
//! * Bounded: [`OF_ONE`] papers of a principal, [`OF_ALL`] in all; a record has at most 32 KiB.
//!
//! Absent on purpose: who may leave, read or sign one; the API asks the ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rollbook_core::id::PersonId;
use rollbook_core::record::{RECORD_MAX_BYTES, Record};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::files;
use crate::files::Access;

/// Papers of one principal at most.
pub const OF_ONE: usize = 64;
/// Papers at most.
pub const OF_ALL: usize = 1_024;
/// Ending of a paper's file.
const ENDING: &str = "paper";

/// Why a paper was not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The principal has as many as it may have, or all together.
    #[error("{0} papers wait already")]
    Full(usize),
    /// With this paper's signatures the record would be too long.
    #[error("the record with its signatures has more than {RECORD_MAX_BYTES} bytes")]
    TooLong,
    /// The disk.
    #[error("the paper could not be written: {0}")]
    Disk(#[from] std::io::Error),
}

/// The papers of a node, by record id.
#[derive(Debug)]
pub struct Papers {
    folder: PathBuf,
    kept: Mutex<BTreeMap<Hash, Record>>,
}

impl Papers {
    /// Opens the folder, made if it is not there. A file that holds no record is left alone and told
    /// in the log.
    pub fn open(folder: &Path) -> std::io::Result<Papers> {
        if !folder.is_dir() {
            crate::files::make_private(folder)?;
            // The folder's own name, too.
            if let Some(parent) = folder.parent() {
                std::fs::File::open(parent)?.sync_all()?;
            }
        }
        let mut kept = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            // No more than a record and what shows that it is longer is read of any file.
            let read = std::fs::File::open(&path).and_then(|file| {
                let mut bytes = Vec::new();
                let limit = RECORD_MAX_BYTES as u64 + 1;
                std::io::Read::read_to_end(&mut std::io::Read::take(file, limit), &mut bytes)?;
                Ok(bytes)
            });
            match read.map(|bytes| decode::<Record>(&bytes)) {
                Ok(Ok(record)) if kept.len() < OF_ALL => {
                    kept.insert(record.id(), record);
                }
                _ => tracing::warn!(
                    file = %path.display(),
                    "this is no paper that waits, or one too many; it is left alone"
                ),
            }
        }
        Ok(Papers {
            folder: folder.to_path_buf(),
            kept: Mutex::new(kept),
        })
    }

    /// Keeps a record with the signatures of its copy here, if there is one. What is returned is on
    /// disk.
    pub fn keep(&self, record: Record, now: LedgerTime) -> Result<Record, NotKept> {
        let mut kept = self.kept();
        self.drop_expired(&mut kept, now);
        let id = record.id();
        let merged = match kept.get(&id) {
            Some(here) => merge(here.clone(), record),
            None => {
                let of_one = record.payload.principal;
                let same = |other: &&Record| other.payload.principal == of_one;
                let count = kept.values().filter(same).count();
                if count >= OF_ONE {
                    return Err(NotKept::Full(count));
                }
                if kept.len() >= OF_ALL {
                    return Err(NotKept::Full(kept.len()));
                }
                record
            }
        };
        self.write(&mut kept, merged)
    }

    /// Takes an officer's signature out of a paper. Without that of the officer who began it, it is no
    /// record any more and goes. None: there is no such paper or signature.
    pub fn take_back(&self, id: &Hash, officer: PersonId) -> Result<Option<Record>, NotKept> {
        let mut kept = self.kept();
        let Some(mut record) = kept.get(id).cloned() else {
            return Ok(None);
        };
        let before = record.signatures.len();
        record.signatures.retain(|entry| entry.officer != officer);
        if record.signatures.len() == before {
            return Ok(None);
        }
        if officer == record.payload.officer {
            std::fs::remove_file(self.file(id))?;
            kept.remove(id);
            return Ok(Some(record));
        }
        self.write(&mut kept, record).map(Some)
    }

    /// The papers that `wanted` names by their principal, by record id.
    pub fn of(&self, wanted: impl Fn(OrganisationId) -> bool, now: LedgerTime) -> Vec<Record> {
        let mut kept = self.kept();
        self.drop_expired(&mut kept, now);
        let of_it = kept
            .values()
            .filter(|record| wanted(record.payload.principal));
        of_it.cloned().collect()
    }

    /// The highest number that a person's papers hold in a lane; 0 if there is none.
    pub fn highest(&self, person: PersonId, lane: ReadClass) -> u64 {
        let kept = self.kept();
        let numbers = kept.values().map(|record| record.payload.number());
        let of_it = numbers.filter(|(officer, class, _)| (*officer, *class) == (person, lane));
        of_it.map(|(_, _, number)| number).max().unwrap_or(0)
    }

    /// Principals that have papers here, ascending.
    pub fn principals(&self) -> Vec<OrganisationId> {
        let mut principals: Vec<OrganisationId> = self
            .kept()
            .values()
            .map(|record| record.payload.principal)
            .collect();
        principals.sort_unstable();
        principals.dedup();
        principals
    }

    /// A paper is in the log, or is wanted no more.
    pub fn forget(&self, id: &Hash) {
        let mut kept = self.kept();
        if kept.remove(id).is_some()
            && let Err(error) = std::fs::remove_file(self.file(id))
        {
            // It comes back with the next start and goes again then.
            tracing::warn!(paper = %id, %error, "a paper that waits no more could not be removed");
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Hash, Record>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, id: &Hash) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    fn write(&self, kept: &mut BTreeMap<Hash, Record>, record: Record) -> Result<Record, NotKept> {
        let (id, bytes) = (record.id(), encode(&record));
        if bytes.len() > RECORD_MAX_BYTES {
            return Err(NotKept::TooLong);
        }
        files::replace(&self.file(&id), &bytes, Access::Owner)
            .map_err(|error| NotKept::Disk(error.into()))?;
        kept.insert(id, record.clone());
        Ok(record)
    }

    fn drop_expired(&self, kept: &mut BTreeMap<Hash, Record>, now: LedgerTime) {
        let over: Vec<Hash> = kept
            .iter()
            .filter(|(_, record)| record.payload.valid_until_ms < now)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            kept.remove(&id);
            if let Err(error) = std::fs::remove_file(self.file(&id)) {
                tracing::warn!(paper = %id, %error, "an expired paper could not be removed");
            }
        }
    }
}

/// One record with the signatures of two copies: those of the first stay.
pub fn merge(mut here: Record, other: Record) -> Record {
    for entry in other.signatures {
        if here
            .signatures
            .iter()
            .all(|known| known.officer != entry.officer)
        {
            here.signatures.push(entry);
        }
    }
    here.signatures.sort_by_key(|entry| entry.officer);
    here
}

#[cfg(test)]
mod tests {
    use rollbook_core::identity::Role;
    use rollbook_core::record::{Body, Capacity, MotionAct, Nonce, Payload};
    use rollbook_proof::crypto::Keypair;

    use super::*;

    fn record(number: u32, officers: &[u32], until: u64) -> Record {
        let payload = Payload {
            chain: Hash::ZERO,
            principal: OrganisationId(7),
            officer: PersonId(1),
            sequence: 1,
            valid_until_ms: LedgerTime(until),
            nonce: Nonce([9; 16]),
            body: Body::Motion(MotionAct::Withdraw {
                motion: rollbook_core::id::MotionId(number),
            }),
        };
        let sign = |officer: &u32| {
            let key = Keypair::derive(b"papers", &officer.to_string());
            payload.sign(PersonId(*officer), Capacity::Own(Role::Primary), 0, &key)
        };
        Record {
            signatures: officers.iter().map(sign).collect(),
            payload: payload.clone(),
        }
    }

    fn signed(record: &Record) -> Vec<u32> {
        record
            .signatures
            .iter()
            .map(|entry| entry.officer.0)
            .collect()
    }

    #[test]
    fn copies_are_merged_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let papers = Papers::open(folder.path()).unwrap();
        let now = LedgerTime(5);
        papers.keep(record(1, &[2], 10), now).unwrap();
        let both = papers.keep(record(1, &[1], 10), now).unwrap();
        assert_eq!(signed(&both), [1, 2]);
        std::fs::write(folder.path().join("x.paper"), "junk").unwrap();
        let papers = Papers::open(folder.path()).unwrap();
        let all = papers.of(|principal| principal == OrganisationId(7), now);
        assert_eq!(all, std::slice::from_ref(&both));
        assert!(papers.of(|principal| principal.0 == 8, now).is_empty());
        // One signature is taken back, then the last.
        let left = papers.take_back(&both.id(), PersonId(2)).unwrap().unwrap();
        assert_eq!(signed(&left), [1]);
        assert!(papers.take_back(&both.id(), PersonId(2)).unwrap().is_none());
        assert!(papers.take_back(&both.id(), PersonId(1)).unwrap().is_some());
        assert!(papers.principals().is_empty());
        assert!(Papers::open(folder.path()).unwrap().principals().is_empty());
    }

    #[test]
    fn papers_are_bounded_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let papers = Papers::open(folder.path()).unwrap();
        for number in 0..OF_ONE as u32 {
            papers
                .keep(record(number, &[1], 10), LedgerTime(5))
                .unwrap();
        }
        let more = record(1_000, &[1], 20);
        assert!(matches!(
            papers.keep(more.clone(), LedgerTime(5)),
            Err(NotKept::Full(OF_ONE))
        ));
        // Another signature of one that is there finds room.
        papers.keep(record(3, &[2], 10), LedgerTime(5)).unwrap();
        // What is over makes room, on the disk too.
        papers.keep(more.clone(), LedgerTime(11)).unwrap();
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1);
        papers.forget(&more.id());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
