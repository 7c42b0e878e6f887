//! [`Storage`] on the journal.
//!
//! The journal keys bodies by their SHA-256 and knows neither seals nor rounds; so two kinds of
//! entries of its log are written here: the seal of each body, and the facts of each own proposal
//! beside its guard record. The rest of the log is the replica's. One byte in front of each entry
//! tells them apart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Certificate, ProposalFacts, Seal};
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use super::storage::{Decided, Fault, GuardError, Statement, Storage};
use crate::disk::Disk;
use crate::journal::{BodyAnswer, Journal, LostGuard, Prepared, Recovered, SignToken, Slot, Stop};

const REPLICA: u8 = 0;
const SEAL: u8 = 1;
const OWN: u8 = 2;

/// An own proposal in the log.
#[derive(Debug, Clone, Encode, Decode)]
struct Own(ProposalFacts);

impl Wire for Own {
    const MAX: usize = 128;
}

/// The journal of a node as its replica uses it.
#[derive(Debug)]
pub struct JournalStorage {
    journal: Journal,
    chain: Hash,
    /// What the last life left of tip + 1.
    left_height: Height,
    left_log: Vec<Vec<u8>>,
    left_bodies: Vec<(Seal, Vec<u8>)>,
    left_stored: usize,
    own: BTreeMap<(Height, u32), ProposalFacts>,
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Fault {
        Fault(stop.to_string())
    }
}

impl JournalStorage {
    /// Opens the journal in `dir` for chain `genesis`.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: Hash,
    ) -> Result<(JournalStorage, Recovered), Stop> {
        let (journal, recovered) = Journal::open(disk, dir, genesis)?;
        Ok((Self::new(journal, &recovered), recovered))
    }

    /// On an open journal. Entries that do not decode are left for the replica to stumble over: it
    /// stops on them.
    pub fn new(journal: Journal, recovered: &Recovered) -> JournalStorage {
        let (mut left_log, mut left_bodies, mut own) = (Vec::new(), Vec::new(), BTreeMap::new());
        for entry in &recovered.wal {
            match entry.split_first() {
                Some((&SEAL, bytes)) => {
                    let Ok(seal) = decode::<Seal>(bytes) else {
                        continue;
                    };
                    let body = recovered
                        .undecided
                        .iter()
                        .find(|(digest, _)| *digest == seal.body);
                    // A body that was not synced is not there; it is asked for again.
                    if let Some((_, body)) = body {
                        left_bodies.push((seal, body.clone()));
                    }
                }
                Some((&OWN, bytes)) => {
                    if let Ok(Own(facts)) = decode::<Own>(bytes) {
                        own.insert((facts.height, facts.round), facts);
                    }
                }
                Some((&REPLICA, bytes)) => left_log.push(bytes.to_vec()),
                _ => left_log.push(entry.clone()),
            }
        }
        JournalStorage {
            chain: journal.genesis(),
            left_height: recovered.tip.next(),
            left_log,
            left_bodies,
            left_stored: recovered.undecided.len(),
            own,
            journal,
        }
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The journal, to close it in order.
    pub fn journal_mut(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn append_log(&mut self, height: Height, kind: u8, bytes: &[u8]) -> Result<(), Fault> {
        let mut entry = Vec::with_capacity(bytes.len() + 1);
        entry.push(kind);
        entry.extend_from_slice(bytes);
        Ok(self.journal.append_wal(height, &entry)?)
    }

    fn prepare(&mut self, statement: &Statement) -> Result<Prepared, GuardError> {
        let bytes = statement.bytes(&self.chain);
        let verdict = match (statement, statement.slot()) {
            (Statement::Checkpoint { size, root, .. }, _) => {
                self.journal
                    .prepare_checkpoint(&self.chain, *size, *root, &bytes)
            }
            (_, Some(slot)) => {
                self.journal
                    .prepare(&self.chain, slot.height, slot.round, slot.step, &bytes)
            }
            (_, None) => return Err(GuardError::Refused("a statement without a slot".into())),
        };
        let prepared = verdict
            .map_err(Fault::from)?
            .prepared()
            .map_err(|refused| GuardError::Refused(refused.to_string()))?;
        if let Statement::Proposal(facts) = statement
            && !self.own.contains_key(&(facts.height, facts.round))
        {
            self.append_log(facts.height, OWN, &encode(&Own(facts.clone())))?;
            self.own.insert((facts.height, facts.round), facts.clone());
        }
        Ok(prepared)
    }
}

impl Storage for JournalStorage {
    fn append_body(&mut self, seal: &Seal, body: &[u8]) -> Result<(), Fault> {
        match self.journal.append_body(seal.height, body)? {
            BodyAnswer::Stored(_) | BodyAnswer::Known(_) => {
                self.append_log(seal.height, SEAL, &encode(seal))
            }
            // The replica keeps one place free for the block that is decided.
            BodyAnswer::Full => Err(Fault("too many undecided bodies of one height".into())),
        }
    }

    fn append_wal(&mut self, height: Height, entry: &[u8]) -> Result<(), Fault> {
        self.append_log(height, REPLICA, entry)
    }

    fn append_decision(&mut self, seal: &Seal, certificate: &Certificate) -> Result<(), Fault> {
        self.journal.append_decision(
            seal.height,
            &encode(seal),
            &encode(certificate),
            seal.body,
        )?;
        self.own.retain(|(height, _), _| *height > seal.height);
        if self.left_height <= seal.height {
            self.left_log.clear();
            self.left_bodies.clear();
        }
        Ok(())
    }

    fn guard(&mut self, statement: &Statement) -> Result<(), GuardError> {
        // The token is taken later, by `permit`, from the same record.
        self.prepare(statement).map(drop)
    }

    fn sync_bodies(&mut self) -> Result<(), Fault> {
        self.journal.sync_blocks()?;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Fault> {
        self.journal.sync()?;
        Ok(())
    }

    fn permit(&mut self, statement: &Statement) -> Result<SignToken, GuardError> {
        let prepared = self.prepare(statement)?;
        match prepared.token(&self.journal.durable()) {
            Ok(token) => Ok(token),
            Err(prepared) => {
                let durable = self.journal.sync().map_err(Fault::from)?;
                prepared
                    .token(&durable)
                    .map_err(|_| Fault("a sync did not cover the guard record".into()).into())
            }
        }
    }

    fn has_recorded(&self, statement: &Statement) -> bool {
        let bytes = statement.bytes(&self.chain);
        statement
            .slot()
            .is_some_and(|slot| self.journal.has_recorded(&slot, &bytes))
    }

    fn high_water(&self) -> Option<Slot> {
        self.journal.high_water().slot
    }

    fn proposed(&self, height: Height, round: u32) -> Option<ProposalFacts> {
        self.own.get(&(height, round)).cloned()
    }

    fn floor(&self) -> Height {
        self.journal.high_water().floor
    }

    fn lost_guard(&self) -> Option<&LostGuard> {
        self.journal.lost_guard()
    }

    fn raise(&mut self, height: Height) -> Result<(), Fault> {
        self.journal.raise_guard(height)?;
        self.journal.sync()?;
        Ok(())
    }

    fn wal(&self, height: Height) -> &[Vec<u8>] {
        if height == self.left_height {
            &self.left_log
        } else {
            &[]
        }
    }

    fn undecided(&self, height: Height) -> Vec<(Seal, Vec<u8>)> {
        if height == self.left_height {
            self.left_bodies.clone()
        } else {
            Vec::new()
        }
    }

    fn stored(&self, height: Height) -> usize {
        if height == self.left_height {
            self.left_stored
        } else {
            0
        }
    }

    fn decided(&self, height: Height) -> Option<Decided> {
        // A block that cannot be read is not served; the journal's own check reports the damage.
        let block = self.journal.read_block(height).ok()??;
        let (seal, certificate) = (decode(&block.seal).ok()?, decode(&block.certificate).ok()?);
        Some(Decided {
            seal,
            certificate,
            body: block.body,
        })
    }
}
