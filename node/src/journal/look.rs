//! A look at the journal of a stopped node, or at a copy of its blocks: it changes nothing (RULINGS
//! A43).

use std::path::Path;
use std::sync::Arc;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use super::frame::FileKind;
use super::{Blocks, Cut, DecidedBlock, Journal, PendingBlocks, Stop, judge, lock, numbers};
use crate::disk::{Disk, DiskError, DiskErrorKind, DiskLock};

/// A journal as it lies on the disk. Nobody else opens it as long as this lives.
pub struct Seen {
    blocks: PendingBlocks,
    /// Unfinished ends, which the next start cuts.
    pub torn: Vec<Cut>,
    /// As [`Recovered::store_is_suspect`](super::Recovered::store_is_suspect) at the next start.
    pub store_is_suspect: bool,
    _lock: Option<Box<dyn DiskLock>>,
}

impl Seen {
    /// Height of the last decision.
    pub fn tip(&self) -> Height {
        self.blocks.tip()
    }

    /// A decided block; `None` above the tip and at height 0.
    pub fn read_block(&self, height: Height) -> Result<Option<DecidedBlock>, Stop> {
        self.blocks.block(height)
    }
}

impl Journal {
    /// Reads the blocks in a folder from end to end and checks frames and digests; nothing is changed,
    /// and another process may use the folder. The newest height: an unfinished end does not count.
    pub fn check(disk: Arc<dyn Disk>, dir: &Path, genesis: Hash) -> Result<Height, Stop> {
        let failed = |error: DiskError| Stop::disk("the journal cannot be read", &error);
        let names = disk.list(dir).map_err(failed)?;
        let segments = numbers(FileKind::Blocks, &names);
        let pending = Blocks::open(disk, dir, &genesis, &segments)?;
        pending.verify()?;
        Ok(pending.tip())
    }

    /// Reads the journal in `dir` from end to end, as [`Journal::open`] would find it, and changes
    /// nothing. `None` if none of its files is there.
    pub fn look(disk: Arc<dyn Disk>, dir: &Path, genesis: Hash) -> Result<Option<Seen>, Stop> {
        let failed = |error: DiskError| Stop::disk("the journal cannot be read", &error);
        let names = match disk.list(dir) {
            Err(error) if error.kind == DiskErrorKind::NotFound => return Ok(None),
            listed => listed.map_err(failed)?,
        };
        // Its file is made with the first opening: where there is none, nobody holds it.
        let held = names.iter().any(|name| name == "lock");
        let held = held.then(|| lock(&*disk, dir)).transpose()?;
        let judged = judge(&disk, dir, &genesis, &names)?;
        let Some(blocks) = judged.blocks else {
            return Ok(None);
        };
        blocks.verify()?;
        let votes = judged.votes.as_ref();
        let vouched = votes.is_some_and(|votes| {
            votes.content.clean_stop || votes.content.last_boot == Some(disk.boot_id())
        });
        let torn = votes.and_then(|votes| votes.torn()).into_iter();
        Ok(Some(Seen {
            torn: torn.chain(blocks.torn()).collect(),
            store_is_suspect: !vouched,
            blocks,
            _lock: held,
        }))
    }
}
