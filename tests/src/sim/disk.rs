//! The journal of a simulated node, as frames: what was appended, what was synced, what a power cut leaves.
//!
//! Two files like the real one (RULINGS A13): blocks (bodies, decisions) and votes (consensus log, guard). A sync makes both
//! durable up to their ends. A power cut keeps any prefix of the unsynced frames of each file, independently; a kill keeps all
//! that was appended. A fuse blows after so many operations: from then on every call fails, like a machine that has gone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rollbook_core::crypto::Hash;
use rollbook_core::ledger::{Certificate, Seal};
use rollbook_node::replica::{Decided, Fault, GuardError, SignToken, Slot, Statement, Storage};

use super::random::Random;

#[derive(Debug, Clone)]
enum BlockFrame {
    Body(Hash, Seal, Rc<Vec<u8>>),
    Decision(Hash, Certificate),
}

#[derive(Debug, Clone)]
enum VoteFrame {
    Log(u64, Vec<u8>),
    Guard(Statement),
}

/// What a machine's disk holds.
#[derive(Debug, Default)]
pub struct DiskState {
    blocks: Vec<BlockFrame>,
    blocks_synced: usize,
    votes: Vec<VoteFrame>,
    votes_synced: usize,
    fuse: Option<u64>,
    /// False after the disk was replaced beside its old key.
    untrusted: bool,
    /// Group commits so far.
    pub syncs: u64,
    // Indexes over the frames.
    bodies: BTreeMap<Hash, (Seal, Rc<Vec<u8>>)>,
    decided: BTreeMap<u64, (Hash, Certificate)>,
    log: BTreeMap<u64, Vec<Vec<u8>>>,
    guard: BTreeMap<Slot, Statement>,
    /// Slots below this height are forgotten and refused.
    forgotten: u64,
    high_water: Option<Slot>,
    checkpoint: Option<(u64, Hash)>,
}

impl DiskState {
    fn spend(&mut self) -> Result<(), Fault> {
        match &mut self.fuse {
            Some(0) => Err(Fault("the machine is gone".into())),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn index(&mut self) {
        self.bodies.clear();
        self.decided.clear();
        self.log.clear();
        self.guard.clear();
        for frame in self.blocks.clone() {
            self.index_block(frame);
        }
        for frame in self.votes.clone() {
            self.index_vote(frame);
        }
    }

    fn index_block(&mut self, frame: BlockFrame) {
        match frame {
            BlockFrame::Body(id, seal, body) => {
                self.bodies.insert(id, (seal, body));
            }
            BlockFrame::Decision(id, certificate) => {
                self.decided.insert(certificate.height, (id, certificate));
            }
        }
    }

    fn index_vote(&mut self, frame: VoteFrame) {
        match frame {
            VoteFrame::Log(height, entry) => self.log.entry(height).or_default().push(entry),
            VoteFrame::Guard(statement) => match (&statement, statement.slot()) {
                (_, Some(slot)) => {
                    self.high_water = self.high_water.max(Some(slot));
                    self.guard.entry(slot).or_insert(statement);
                }
                (Statement::Checkpoint { size, root }, None) => self.checkpoint = Some((*size, *root)),
                _ => {}
            },
        }
    }

    /// Old heights of the vote file are dropped, as rolling to a new file does; the high-water mark stays.
    fn compact(&mut self) {
        let Some((tip, _)) = self.decided.last_key_value() else { return };
        let keep = tip.saturating_sub(4);
        self.votes.retain(|frame| match frame {
            VoteFrame::Log(height, _) => *height > keep,
            VoteFrame::Guard(statement) => statement.slot().is_none_or(|slot| slot.height > keep),
        });
        let last = self.votes.iter().rposition(|f| matches!(f, VoteFrame::Guard(s) if s.slot().is_none()));
        let mut at = 0;
        self.votes.retain(|frame| {
            at += 1;
            !matches!(frame, VoteFrame::Guard(s) if s.slot().is_none()) || Some(at - 1) == last
        });
        self.votes_synced = self.votes.len();
        self.log.retain(|height, _| *height > keep);
        self.guard.retain(|slot, _| slot.height > keep);
        self.forgotten = keep;
        let decided: Vec<Hash> = self.decided.values().map(|(id, _)| *id).collect();
        if self.bodies.len() > decided.len() + 64 {
            let undecided = |id: &Hash, seal: &Seal| seal.height <= keep && !decided.contains(id);
            self.bodies.retain(|id, (seal, _)| !undecided(id, seal));
            self.blocks.retain(|frame| !matches!(frame, BlockFrame::Body(id, seal, _) if undecided(id, seal)));
            self.blocks_synced = self.blocks.len();
        }
    }
}

/// A handle on a disk: the node's journal.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(pub Rc<RefCell<DiskState>>);

impl SimDisk {
    /// A power cut: unsynced frames survive as some prefix of each file.
    pub fn power_cut(&self, random: &mut Random) {
        let mut disk = self.0.borrow_mut();
        let blocks = disk.blocks_synced + random.between(0, (disk.blocks.len() - disk.blocks_synced) as u64) as usize;
        let votes = disk.votes_synced + random.between(0, (disk.votes.len() - disk.votes_synced) as u64) as usize;
        disk.blocks.truncate(blocks);
        disk.votes.truncate(votes);
        disk.high_water = disk.guard.iter().next_back().map(|(slot, _)| *slot).filter(|_| false).or(None);
        disk.checkpoint = None;
        disk.index();
        let forgotten = disk.forgotten;
        if disk.high_water.is_none() && forgotten > 0 {
            disk.high_water = Some(Slot { height: forgotten, round: u32::MAX, step: 2 });
        }
        disk.fuse = None;
    }

    /// A process death: what was appended stays.
    pub fn kill(&self) {
        self.0.borrow_mut().fuse = None;
    }

    /// The disk is replaced by an empty one.
    pub fn wipe(&self) {
        *self.0.borrow_mut() = DiskState { untrusted: true, ..DiskState::default() };
    }

    /// Fails every call after `operations` more.
    pub fn arm(&self, operations: u64) {
        self.0.borrow_mut().fuse = Some(operations);
    }

    /// Height of the newest decision.
    pub fn tip(&self) -> u64 {
        self.0.borrow().decided.last_key_value().map_or(0, |(height, _)| *height)
    }

    /// Block id decided at a height.
    pub fn decided_id(&self, height: u64) -> Option<Hash> {
        self.0.borrow().decided.get(&height).map(|(id, _)| *id)
    }

    /// Group commits so far.
    pub fn syncs(&self) -> u64 {
        self.0.borrow().syncs
    }
}

impl Storage for SimDisk {
    fn append_body(&mut self, seal: &Seal, body: &[u8]) -> Result<(), Fault> {
        let mut disk = self.0.borrow_mut();
        disk.spend()?;
        let id = seal.id();
        if disk.bodies.contains_key(&id) {
            // Held already, perhaps unsynced: the caller's sync covers it.
            return Ok(());
        }
        let frame = BlockFrame::Body(id, seal.clone(), Rc::new(body.to_vec()));
        disk.blocks.push(frame.clone());
        disk.index_block(frame);
        Ok(())
    }

    fn append_wal(&mut self, height: u64, entry: &[u8]) -> Result<(), Fault> {
        let mut disk = self.0.borrow_mut();
        disk.spend()?;
        let frame = VoteFrame::Log(height, entry.to_vec());
        disk.votes.push(frame.clone());
        disk.index_vote(frame);
        Ok(())
    }

    fn append_decision(&mut self, seal: &Seal, certificate: &Certificate) -> Result<(), Fault> {
        let mut disk = self.0.borrow_mut();
        disk.spend()?;
        assert!(disk.bodies.contains_key(&seal.id()), "a decision was appended before its body");
        let frame = BlockFrame::Decision(seal.id(), certificate.clone());
        disk.blocks.push(frame.clone());
        disk.index_block(frame);
        Ok(())
    }

    fn guard(&mut self, statement: &Statement) -> Result<(), GuardError> {
        let mut disk = self.0.borrow_mut();
        disk.spend()?;
        match (statement, statement.slot()) {
            (_, Some(slot)) => match disk.guard.get(&slot) {
                Some(known) if known == statement => return Ok(()),
                Some(_) => return Err(GuardError::Refused(format!("{slot:?} holds another statement"))),
                None if slot.height <= disk.forgotten => {
                    return Err(GuardError::Refused(format!("{slot:?} is forgotten")));
                }
                None => {}
            },
            (Statement::Checkpoint { size, root }, None) => match disk.checkpoint {
                Some((s, r)) if s == *size && r == *root => return Ok(()),
                Some((s, _)) if s >= *size => {
                    return Err(GuardError::Refused(format!("a checkpoint of size {s} was cosigned")));
                }
                _ => {}
            },
            _ => {}
        }
        let frame = VoteFrame::Guard(statement.clone());
        disk.votes.push(frame.clone());
        disk.index_vote(frame);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Fault> {
        let mut disk = self.0.borrow_mut();
        disk.spend()?;
        disk.syncs += 1;
        disk.blocks_synced = disk.blocks.len();
        disk.votes_synced = disk.votes.len();
        if disk.syncs.is_multiple_of(64) {
            disk.compact();
        }
        Ok(())
    }

    fn permit(&mut self, statement: &Statement) -> Result<SignToken, GuardError> {
        self.guard(statement)?;
        let unsynced = {
            let disk = self.0.borrow();
            disk.votes[disk.votes_synced..].iter().any(|f| matches!(f, VoteFrame::Guard(s) if s == statement))
        };
        if unsynced {
            self.sync()?;
        }
        Ok(SignToken::after_sync(statement))
    }

    fn high_water(&self) -> Option<Slot> {
        self.0.borrow().high_water
    }

    fn signed(&self, slot: Slot) -> Option<Statement> {
        self.0.borrow().guard.get(&slot).cloned()
    }

    fn trusted(&self) -> bool {
        !self.0.borrow().untrusted
    }

    fn wal(&self, height: u64) -> Vec<Vec<u8>> {
        self.0.borrow().log.get(&height).cloned().unwrap_or_default()
    }

    fn undecided(&self, height: u64) -> Vec<(Seal, Vec<u8>)> {
        let disk = self.0.borrow();
        let bodies = disk.bodies.values().filter(|(seal, _)| seal.height == height);
        bodies.map(|(seal, body)| (seal.clone(), body.to_vec())).collect()
    }

    fn decided(&self, height: u64) -> Option<Decided> {
        let disk = self.0.borrow();
        let (id, certificate) = disk.decided.get(&height)?;
        let (seal, body) = disk.bodies.get(id)?;
        Some(Decided { seal: seal.clone(), certificate: certificate.clone(), body: body.to_vec() })
    }
}
