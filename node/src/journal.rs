//! The truth on disk: what was decided, what was said, and what may still be said (RULINGS A13).
//!
//! Two kinds of append-only file lie in the journal's folder. `blocks` holds bodies when they are
//! received and then one decision for each height; `votes` holds the consensus log and the sign
//! guard, and a vote frame *is* the guard record. Everything else a node stores is derived from
//! `blocks` and may be deleted.
//!
//! Invariants:
//!
//! * Appending buffers; [`Journal::sync`] makes everything durable and returns [`Durable`]. Nothing
//!   may leave the node, and nothing can be signed, before the sync that covers it. `blocks` are
//!   synced before `votes`, so a vote on disk means that the blocks it rests on are on disk.
//! * A height costs four syncs: [`Journal::sync_blocks`] for the body, [`Journal::sync`] for
//!   prevote, precommit, decision. Log entries of a height that a sync decides are not waited for.
//! * A torn end is cut only where no promise covered it. Damage anywhere else, or an end that
//!   another file knows to have been durable, stops the node with file, offset and next action;
//!   nothing is ever skipped.
//! * The first failed write or sync stops the journal for good. A sync is never tried twice.
//! * One process at a time: the folder is locked.
//!
//! Absent on purpose: overwriting, deleting of blocks, repair. Repair is a new folder, filled from
//! peers (RULINGS A8).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use crate::disk::{Disk, DiskError, DiskErrorKind, DiskLock};

mod blocks;
mod frame;
mod guard;
mod index;
mod look;
mod stop;
mod votes;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

use blocks::{Blocks, Decision, PendingBlocks};
use frame::{FileKind, Header};
use guard::{CheckpointRecord, Judgement, VoteRecord};
pub use guard::{
    HighWater, LostGuard, MAX_STATEMENT, Prepared, Refused, SignToken, Slot, Step, Verdict,
    sign_with,
};
pub use look::Seen;
pub use stop::{Stop, StopKind};
use votes::{FirstRecord, PendingVotes, Votes};

/// Undecided bodies kept of one height (RULINGS A19).
pub const MAX_UNDECIDED: usize = 16;
/// Longest body, in bytes.
pub const MAX_BODY: usize = rollbook_core::block::BODY_MAX_BYTES;
/// Longest log entry, and longest seal with certificate, in bytes.
pub const MAX_ENTRY: usize = 64 * 1024;

/// End of what is durable: a file and a length in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
struct End {
    file: u64,
    length: u64,
}

/// Sizes at which new files are begun.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A segment of `blocks` is closed once it has this many bytes.
    pub segment_bytes: u64,
    /// A `votes` file is replaced once it has this many bytes.
    pub votes_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            segment_bytes: 64 * 1024 * 1024,
            votes_bytes: 8 * 1024 * 1024,
        }
    }
}

/// Proof that a sync was done: what was appended before it is durable. Redeems [`Prepared`]
/// statements of the same journal.
#[derive(Debug, Clone, Copy)]
pub struct Durable {
    session: [u8; 16],
    votes: u64,
}

/// A torn end that was cut: bytes that were never acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// Bytes cut off.
    pub bytes: u64,
}

/// A decided block as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedBlock {
    /// Height.
    pub height: Height,
    /// Seal bytes.
    pub seal: Vec<u8>,
    /// Certificate bytes.
    pub certificate: Vec<u8>,
    /// Body bytes; their digest was checked on reading.
    pub body: Vec<u8>,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyAnswer {
    /// Buffered. Its SHA-256.
    Stored(Hash),
    /// It was appended before. Its SHA-256.
    Known(Hash),
    /// Sixteen undecided bodies of this height are kept already; this one was not taken.
    Full,
}

/// What opening found. Decided blocks are read with [`Journal::read_block`].
#[derive(Debug, Clone)]
pub struct Recovered {
    /// Height of the last decided block; 0 if there is none.
    pub tip: Height,
    /// Undecided bodies of tip.next(), by digest.
    pub undecided: Vec<(Hash, Vec<u8>)>,
    /// Log entries of tip.next(), in the order in which they were appended.
    pub wal: Vec<Vec<u8>>,
    /// What the guard remembers.
    pub guard: HighWater,
    /// The guard is new: a new folder, or one whose votes were not restored. The rule of RULINGS A8
    /// applies.
    pub guard_is_new: bool,
    /// The last process ended in order ([`Journal::note_clean_stop`]).
    pub clean_stop: bool,
    /// The machine was started again since the last process.
    pub boot_id_changed: bool,
    /// Torn ends that were cut.
    pub cuts: Vec<Cut>,
    /// Index files that were written again.
    pub rebuilt: Vec<PathBuf>,
}

impl Recovered {
    /// True if derived stores may have lost what they believed to be written: the machine went down
    /// without a clean stop (RULINGS A13). They are wiped and rebuilt before the node votes or
    /// serves.
    pub fn store_is_suspect(&self) -> bool {
        self.boot_id_changed && !self.clean_stop
    }
}

/// The journal of one node.
pub struct Journal {
    genesis: Hash,
    limits: Limits,
    session: [u8; 16],
    instance: [u8; 16],
    blocks: Blocks,
    votes: Votes,
    stopped: Option<Stop>,
    _lock: Box<dyn DiskLock>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("tip", &self.blocks.tip())
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in `dir` for chain `genesis`, making it if there is none, and says what
    /// was found. Everything is judged before anything is changed.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: Hash,
    ) -> Result<(Journal, Recovered), Stop> {
        Self::open_with(disk, dir, genesis, Limits::default())
    }

    /// [`Journal::open`] with other file sizes.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: Hash,
        limits: Limits,
    ) -> Result<(Journal, Recovered), Stop> {
        let failed = |error: DiskError| Stop::disk("the journal cannot be opened", &error);
        disk.create_dir(dir).map_err(failed)?;
        let lock = lock(&*disk, dir)?;
        let names = disk.list(dir).map_err(failed)?;
        let Judged {
            blocks: pending_blocks,
            votes: pending_votes,
            votes_end,
            guards,
        } = judge(&disk, dir, &genesis, &names)?;

        // Change. First the names that were found: a process that died between a rename and its
        // sync leaves a name that a power cut could still take away. Then leftovers of files that
        // never got their name, torn ends, older votes files.
        disk.sync_dir(dir).map_err(failed)?;
        for name in names.iter().filter(|name| name.ends_with(".tmp")) {
            disk.remove(&dir.join(name)).map_err(failed)?;
        }
        let mut cuts: Vec<Cut> = pending_votes
            .iter()
            .filter_map(|votes| votes.torn())
            .collect();
        let fresh = pending_votes.is_none().then(|| disk.fresh_id());
        let instance = fresh
            .or(pending_votes.as_ref().map(|votes| votes.header.instance))
            .unwrap_or_default();
        let (blocks, opened) = match pending_blocks {
            Some(pending) => pending.resume(instance).map_err(failed)?,
            None => (
                Blocks::create(disk.clone(), dir, genesis, instance).map_err(failed)?,
                Default::default(),
            ),
        };
        cuts.extend(opened.cut);
        let boot = disk.boot_id();
        let guard_is_new = pending_votes.is_none();
        let (votes, content) = match pending_votes {
            Some(pending) => {
                let (mut votes, content) = pending.resume().map_err(failed)?;
                // As long as nobody has settled a suspect store, the next process finds it suspect,
                // too.
                let suspect = content.last_boot != Some(boot) && !content.clean_stop;
                let noted = if suspect {
                    content.last_boot.unwrap_or_default()
                } else {
                    boot
                };
                votes.append_session(noted, blocks.durable_end());
                votes.sync().map_err(failed)?;
                (votes, Some(content))
            }
            // Its number goes on from the one that the newest decision names, so that decisions and
            // guard still fit.
            None => (
                new_guard(&disk, dir, genesis, instance, votes_end.file + 1, &blocks)
                    .map_err(failed)?,
                None,
            ),
        };
        if let Some((_, older)) = guards.split_last() {
            for number in older {
                disk.remove(&dir.join(FileKind::Votes.name(*number)))
                    .map_err(failed)?;
            }
        }
        let session = disk.fresh_id();
        let mut journal = Journal {
            genesis,
            limits,
            session,
            instance,
            blocks,
            votes,
            stopped: None,
            _lock: lock,
        };
        let tip = journal.blocks.tip();
        journal.votes.guard.forget(tip);
        let (wal, clean_stop, last_boot) = match content {
            Some(content) => {
                let wal = content
                    .wal
                    .into_iter()
                    .filter(|(height, _)| *height == tip.next())
                    .map(|(_, bytes)| bytes)
                    .collect();
                (wal, content.clean_stop, content.last_boot)
            }
            None => (Vec::new(), false, None),
        };
        let recovered = Recovered {
            tip,
            undecided: journal.blocks.undecided()?,
            wal,
            guard: journal.votes.guard.high(),
            guard_is_new,
            clean_stop,
            boot_id_changed: last_boot != Some(boot),
            cuts,
            rebuilt: opened.rebuilt,
        };
        Ok((journal, recovered))
    }

    /// Notes, durably, that what is derived from this journal holds what it should: a store that was
    /// suspect ([`Recovered::store_is_suspect`]) has been made again. Until then every opening finds
    /// it suspect.
    pub fn note_store_settled(&mut self) -> Result<(), Stop> {
        self.alive()?;
        let boot = self.votes.disk_boot();
        if self.votes.boot() != boot {
            self.votes.append_session(boot, self.blocks.durable_end());
            self.votes.sync().map_err(|error| self.fail(&error))?;
        }
        Ok(())
    }

    /// The chain.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// Height of the last decision appended; 0 if there is none.
    pub fn tip(&self) -> Height {
        self.blocks.tip()
    }

    /// Height of the last decision that is durable.
    pub fn durable_tip(&self) -> Height {
        self.blocks.durable_tip()
    }

    /// What the guard remembers, unsynced records included.
    pub fn high_water(&self) -> HighWater {
        self.votes.guard.high()
    }

    /// Whether the guard has a record of exactly these bytes at this step. Records of heights above
    /// the tip are never forgotten.
    pub fn has_recorded(&self, slot: &Slot, bytes: &[u8]) -> bool {
        self.votes.guard.has_recorded(slot, bytes)
    }

    /// Identity of this guard, made with it. Two folders with one instance are copies of each
    /// other.
    pub fn instance(&self) -> [u8; 16] {
        self.instance
    }

    /// The reason, if the journal has stopped.
    pub fn stopped(&self) -> Option<&Stop> {
        self.stopped.as_ref()
    }

    /// Buffers a body of height tip.next(), at most [`MAX_BODY`] bytes; the same body only once.
    pub fn append_body(&mut self, height: Height, body: &[u8]) -> Result<BodyAnswer, Stop> {
        self.alive()?;
        self.at_next(height, "a body")?;
        within(body.len(), MAX_BODY, "a body")?;
        Ok(self.blocks.append_body(body))
    }

    /// True if this body of tip.next() was appended (not: synced).
    pub fn has_body(&self, digest: &Hash) -> bool {
        self.blocks.has_body(digest)
    }

    /// Buffers an entry of the consensus log of height tip.next(), at most [`MAX_ENTRY`] bytes. What
    /// it means is the replica's business.
    pub fn append_wal(&mut self, height: Height, entry: &[u8]) -> Result<(), Stop> {
        self.alive()?;
        self.at_next(height, "a log entry")?;
        within(entry.len(), MAX_ENTRY, "a log entry")?;
        self.votes.append_wal(height, entry);
        Ok(())
    }

    /// Buffers the decision of height tip.next(): seal and certificate bytes, and the digest of a body
    /// appended before. The other bodies of the height are forgotten.
    pub fn append_decision(
        &mut self,
        height: Height,
        seal: &[u8],
        certificate: &[u8],
        body: Hash,
    ) -> Result<(), Stop> {
        self.alive()?;
        self.at_next(height, "a decision")?;
        within(
            seal.len() + certificate.len(),
            MAX_ENTRY,
            "a seal with its certificate",
        )?;
        if !self.blocks.has_body(&body) {
            return Err(Stop::misuse(format!(
                "the body {body} of height {height} was decided before it was appended"
            )));
        }
        let votes_end = self.votes.durable_end();
        let (seal, certificate) = (seal.to_vec(), certificate.to_vec());
        self.blocks.append_decision(&Decision {
            height,
            body,
            votes_end,
            seal,
            certificate,
        });
        self.votes.guard.forget(height);
        Ok(())
    }

    /// Asks the guard for leave to sign `bytes` (with their domain tag) at a step of height tip +
    /// 1. A new statement is recorded in the buffer; after [`Journal::sync`] it can be signed.
    pub fn prepare(
        &mut self,
        chain: &Hash,
        height: Height,
        round: u32,
        step: Step,
        bytes: &[u8],
    ) -> Result<Verdict, Stop> {
        self.alive()?;
        if *chain != self.genesis {
            return Ok(Verdict::Refused(Refused::OtherChain {
                wanted: *chain,
                guarded: self.genesis,
            }));
        }
        let slot = Slot {
            height,
            round,
            step,
        };
        let judgement = self.votes.guard.judge(slot, bytes, self.blocks.tip());
        let record = VoteRecord {
            slot,
            blocks_end: self.blocks.durable_end(),
            bytes: bytes.to_vec(),
        };
        Ok(self.verdict(judgement, bytes, |votes| votes.append_vote(&record)))
    }

    /// Asks the guard for leave to cosign the checkpoint (size, root) with `bytes`, which may carry
    /// a time.
    pub fn prepare_checkpoint(
        &mut self,
        chain: &Hash,
        size: u64,
        root: Hash,
        bytes: &[u8],
    ) -> Result<Verdict, Stop> {
        self.alive()?;
        if *chain != self.genesis {
            return Ok(Verdict::Refused(Refused::OtherChain {
                wanted: *chain,
                guarded: self.genesis,
            }));
        }
        let judgement = self.votes.guard.judge_checkpoint(size, &root);
        Ok(self.verdict(judgement, bytes, |votes| {
            votes.append_checkpoint(&CheckpointRecord { size, root })
        }))
    }

    fn verdict(
        &mut self,
        judgement: Judgement,
        bytes: &[u8],
        record: impl FnOnce(&mut Votes) -> u64,
    ) -> Verdict {
        match judgement {
            Judgement::Refused(refused) => Verdict::Refused(refused),
            Judgement::Again(number) => {
                Verdict::AlreadySigned(self.votes.guard.prepared(self.session, number, bytes))
            }
            Judgement::New => {
                let number = record(&mut self.votes);
                Verdict::Prepared(self.votes.guard.prepared(self.session, number, bytes))
            }
        }
    }

    /// Buffers that nothing is signed below `height` any more: the answer of the peers to a node
    /// whose guard is new (RULINGS A8). Never lowers.
    pub fn raise_guard(&mut self, height: Height) -> Result<(), Stop> {
        self.alive()?;
        if height > self.votes.guard.high().floor {
            self.votes.append_raise(height.0);
        }
        Ok(())
    }

    /// Notes, durably, what is known of guards that were lost: nothing new is signed where one of them
    /// may have recorded something (RULINGS A41).
    pub fn note_lost_guard(&mut self, lost: &LostGuard) -> Result<(), Stop> {
        self.alive()?;
        self.at_next(lost.height, "what a lost guard may have signed")?;
        self.votes.append_lost(lost);
        self.raise_guard(lost.height)?;
        self.votes.sync().map_err(|error| self.fail(&error))
    }

    /// What may have been signed before a disk was lost.
    pub fn lost_guard(&self) -> Option<&LostGuard> {
        self.votes.guard.lost.as_ref()
    }

    /// Makes what was appended to `blocks` durable, and nothing else: for a body, before consensus
    /// hears of it.
    pub fn sync_blocks(&mut self) -> Result<Durable, Stop> {
        self.alive()?;
        self.blocks.sync().map_err(|error| self.fail(&error))?;
        Ok(self.durable())
    }

    /// Makes everything that was appended durable, `blocks` first. Log entries of heights that are
    /// thereby decided are left to the next sync: nobody needs them.
    pub fn sync(&mut self) -> Result<Durable, Stop> {
        self.alive()?;
        self.sync_all().map_err(|error| self.fail(&error))?;
        Ok(self.durable())
    }

    fn sync_all(&mut self) -> Result<(), DiskError> {
        self.blocks.sync()?;
        let tip = self.blocks.durable_tip();
        if self.votes.needs_sync(tip) {
            self.votes.sync()?;
        }
        self.blocks
            .rotate(self.limits.segment_bytes, self.instance)?;
        self.votes
            .rotate(self.limits.votes_bytes, tip, self.blocks.durable_end())
    }

    /// Proof of the syncs done so far, without a new one: redeems statements that were
    /// [`Verdict::AlreadySigned`].
    pub fn durable(&self) -> Durable {
        Durable {
            session: self.session,
            votes: self.votes.durable,
        }
    }

    /// A decided, durable block; `None` above [`Journal::durable_tip`] and at height 0, which has
    /// neither body nor certificate.
    pub fn read_block(&self, height: Height) -> Result<Option<DecidedBlock>, Stop> {
        self.blocks.block(height)
    }

    /// Decided, durable blocks from `height` on, in order, each judged on reading. Ends at the
    /// first damage.
    #[cfg(test)]
    pub fn iter_from(
        &self,
        height: Height,
    ) -> impl Iterator<Item = Result<DecidedBlock, Stop>> + '_ {
        let mut next = Some(height.max(Height(1)));
        std::iter::from_fn(move || {
            let height = next?;
            let block = self.blocks.block(height).transpose();
            next = match &block {
                Some(Ok(_)) => Some(height.next()),
                _ => None,
            };
            block
        })
    }

    /// Whether the files that are written still stand in the folder under their names. A folder that the
    /// machine keeps this program from reading says nothing: no file is missed for want of descriptors.
    pub fn is_in_place(&self) -> bool {
        let written = [self.blocks.name(), self.votes.name()];
        let names = self.blocks.names();
        names.map_or(true, |names| {
            written.iter().all(|name| names.contains(name))
        })
    }

    /// Reads every segment from end to end and checks frames and digests. Returns the bytes read.
    pub fn verify(&self) -> Result<u64, Stop> {
        self.blocks.verify()
    }

    /// Syncs everything and notes that the process ends in order. The journal takes nothing more.
    pub fn note_clean_stop(&mut self) -> Result<(), Stop> {
        self.sync()?;
        self.votes.append_clean_stop(self.blocks.durable_end());
        self.votes.sync().map_err(|error| self.fail(&error))?;
        let closed = Stop::new(
            StopKind::Closed,
            "the journal is closed",
            "the node was asked to stop",
            "start the node again",
        );
        self.stopped = Some(closed);
        Ok(())
    }

    fn alive(&self) -> Result<(), Stop> {
        match &self.stopped {
            Some(stop) => Err(stop.clone()),
            None => Ok(()),
        }
    }

    /// Stops the journal for good: after a failed write nobody knows what is on disk.
    fn fail(&mut self, error: &DiskError) -> Stop {
        let stop = Stop::disk("the journal cannot be written", error);
        self.stopped = Some(stop.clone());
        stop
    }

    fn at_next(&self, height: Height, what: &str) -> Result<(), Stop> {
        let next = self.blocks.tip().next();
        if height == next {
            Ok(())
        } else {
            Err(Stop::misuse(format!(
                "{what} of height {height} came while height {next} is due"
            )))
        }
    }
}

/// What a folder holds, judged and not touched.
struct Judged {
    blocks: Option<PendingBlocks>,
    /// The newest.
    votes: Option<PendingVotes>,
    /// What of the votes files the newest decision knows to be durable.
    votes_end: End,
    /// Numbers of all votes files.
    guards: Vec<u64>,
}

/// Numbers of the files of a kind.
fn numbers(kind: FileKind, names: &[String]) -> Vec<u64> {
    names.iter().filter_map(|name| kind.number(name)).collect()
}

/// Judges the files of a folder by themselves and by each other.
fn judge(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    genesis: &Hash,
    names: &[String],
) -> Result<Judged, Stop> {
    let (segments, guards) = (
        numbers(FileKind::Blocks, names),
        numbers(FileKind::Votes, names),
    );
    // A votes file never exists without blocks: they are made first.
    let blocks = match segments.is_empty() {
        true if !guards.is_empty() => {
            let why = "the segment is missing, but votes were recorded in this folder";
            return Err(Stop::damage(&dir.join(FileKind::Blocks.name(1)), 0, why));
        }
        true => None,
        false => Some(Blocks::open(disk.clone(), dir, genesis, &segments)?),
    };
    let votes = match guards.last() {
        Some(number) => Some(Votes::open(disk.clone(), dir, genesis, *number)?),
        None => None,
    };
    let votes_end = blocks.as_ref().map(|blocks| blocks.votes_end());
    let votes_end = votes_end.transpose()?.unwrap_or_default();
    if let (Some(blocks), Some(votes)) = (&blocks, &votes) {
        let path = dir.join(FileKind::Votes.name(votes_end.file));
        agree(blocks, votes, votes_end, &path)?;
    }
    Ok(Judged {
        blocks,
        votes,
        votes_end,
        guards,
    })
}

/// Takes the lock of a folder.
fn lock(disk: &dyn Disk, dir: &Path) -> Result<Box<dyn DiskLock>, Stop> {
    disk.lock(&dir.join("lock"))
        .map_err(|error| match error.kind {
            DiskErrorKind::Locked => Stop::disk(
                &format!("the data folder {} is in use", dir.display()),
                &error,
            ),
            _ => Stop::disk("the journal cannot be opened", &error),
        })
}

/// Makes votes file `number` with an empty guard.
fn new_guard(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    genesis: Hash,
    instance: [u8; 16],
    number: u64,
    blocks: &Blocks,
) -> Result<Votes, DiskError> {
    // Nothing vouches for a store beside a new guard: no boot.
    let (boot, tip) = (Default::default(), blocks.tip());
    let header = Header {
        kind: FileKind::Votes,
        number,
        genesis,
        instance,
        boot,
        first_height: tip.next(),
        previous: Hash::ZERO,
    };
    let first = FirstRecord {
        mark: HighWater::default(),
        tip,
        blocks_end: blocks.durable_end(),
        blocks_instance: blocks.instance(),
        lost: None,
    };
    Votes::create(disk.clone(), dir, header, Default::default(), &first)
}

fn within(length: usize, most: usize, what: &str) -> Result<(), Stop> {
    if length <= most {
        Ok(())
    } else {
        Err(Stop::misuse(format!(
            "{what} of {length} bytes came, at most {most} are kept"
        )))
    }
}

/// Judges the two kinds of file against each other: each says how far the other was durable, so an
/// end that was cut, rotten or taken from an older copy shows.
fn agree(
    blocks: &blocks::PendingBlocks,
    votes: &votes::PendingVotes,
    votes_end: End,
    votes_path: &Path,
) -> Result<(), Stop> {
    let content = &votes.content;
    let first = content.first.as_ref();
    if let Some(first) = first
        && blocks.instance() != first.blocks_instance
        && blocks.instance() != votes.header.instance
    {
        return Err(Stop::new(
            StopKind::Foreign,
            format!("{} is the sign guard of another node", votes.path.display()),
            "its instance is not that of the blocks beside it",
            "put back the node's own file, or restore the node without a guard (rollbook node \
             restore)",
        ));
    }
    let (known, offset) = content.blocks_end;
    let end = blocks.end();
    let lost_blocks = |why: String| Err(Stop::damage(blocks.path(), end.length, &why));
    if end < known {
        return lost_blocks(format!(
            "the blocks end there, and {} recorded at byte {offset} that byte {} of segment {} \
             was durable",
            votes.path.display(),
            known.length,
            known.file
        ));
    }
    let due = blocks.tip().next();
    if content.top.0 > due.0 || first.is_some_and(|first| first.tip >= due) {
        let height = content
            .top
            .0
            .max(first.map_or(0, |first| first.tip.next().0));
        return lost_blocks(format!(
            "height {due} is not decided, and {} has entries of height {height}",
            votes.path.display()
        ));
    }
    if votes.end() < votes_end {
        let why = "the newest decision recorded that votes were durable beyond this point";
        let at = if votes.end().file == votes_end.file {
            votes.end().length
        } else {
            0
        };
        return Err(Stop::damage(votes_path, at, why));
    }
    Ok(())
}
