//! The `votes` files: consensus log and sign guard in one.
//!
//! Each file begins with the guard's high-water mark, so that the files before it can go once it is
//! durable. A new file is begun only at a moment when no frame of an undecided height is in the old
//! one, and the log of the height in work is therefore always in the newest file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bincode::{Decode, Encode};
use rollbook_proof::codec;
use rollbook_proof::codec::Wire;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;

use super::frame::{FileKind, FrameKind, Header, Scanned, Tail};
use super::guard::{CheckpointRecord, Guard, HighWater, LostGuard, VoteRecord};
use super::{Cut, End, Stop, frame};
use crate::disk::{Disk, DiskError, DiskFile};

/// Payload of the first frame of a file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct FirstRecord {
    pub(super) mark: HighWater,
    /// Height of the last decision, durable before this file was made.
    pub(super) tip: Height,
    pub(super) blocks_end: End,
    /// Instance of the last segment of blocks when the guard was made: a guard of another node does
    /// not fit.
    pub(super) blocks_instance: [u8; 16],
    /// What may have been signed at the next heights before a disk was lost.
    pub(super) lost: Option<LostGuard>,
}

impl Wire for LostGuard {
    const MAX: usize = 64;
}

impl Wire for FirstRecord {
    const MAX: usize = 256;
}

/// Payload of a session frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct SessionRecord {
    pub(super) boot: [u8; 16],
    /// After a failed sync and a restart, bytes may be readable that no disk holds. What this
    /// session built on is named here, so that their loss shows at the next start as damage instead
    /// of passing for a torn end.
    pub(super) blocks_end: End,
}

impl Wire for SessionRecord {
    const MAX: usize = 32;
}

/// Payload of a clean-stop frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct CleanStopRecord {
    pub(super) blocks_end: End,
}

impl Wire for CleanStopRecord {
    const MAX: usize = 16;
}

/// Everything that the newest votes file says.
pub(super) struct VotesContent {
    pub(super) guard: Guard,
    /// Entries of the consensus log with their heights, in order.
    pub(super) wal: Vec<(Height, Vec<u8>)>,
    pub(super) first: Option<FirstRecord>,
    pub(super) last_boot: Option<[u8; 16]>,
    pub(super) clean_stop: bool,
    /// Highest end of blocks that was known to be durable, and where it says so.
    pub(super) blocks_end: (End, u64),
    /// Highest height of a log entry or vote, and where it is.
    pub(super) top: (u64, u64),
}

/// The votes file being written, and the guard.
pub(super) struct Votes {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    pub(super) tail: Tail,
    pub(super) guard: Guard,
    blocks_instance: [u8; 16],
    /// Boot of the machine that the file vouches for: see [`Votes::append_session`].
    boot: [u8; 16],
    /// Highest height of a log entry or vote in this file.
    top: Height,
    /// Frames appended in this session; numbers of guard records.
    pub(super) appended: u64,
    /// Frames of this session that are durable.
    pub(super) durable: u64,
    unsynced_guard: bool,
    unsynced_log: Height,
}

/// A judged votes file that has not been touched yet.
pub(super) struct PendingVotes {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    file: Box<dyn DiskFile>,
    pub(super) path: PathBuf,
    pub(super) header: Header,
    scanned: Scanned,
    pub(super) content: VotesContent,
}

impl Votes {
    /// Makes votes file `header.number` with the guard given, and goes on writing there.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        header: Header,
        guard: Guard,
        first: &FirstRecord,
    ) -> Result<Votes, DiskError> {
        let session = SessionRecord {
            boot: header.boot,
            blocks_end: first.blocks_end,
        };
        let frames = [
            (FrameKind::HighWater, codec::encode(first)),
            (FrameKind::Session, codec::encode(&session)),
        ];
        let tail = Tail::create(&*disk, dir, header, &frames)?;
        let (dir, blocks_instance, boot) = (dir.to_path_buf(), first.blocks_instance, session.boot);
        let (top, appended, durable, unsynced_guard, unsynced_log) = (0, 0, 0, false, 0);
        Ok(Votes {
            disk,
            dir,
            tail,
            guard,
            blocks_instance,
            boot,
            top: Height(top),
            appended,
            durable,
            unsynced_guard,
            unsynced_log: Height(unsynced_log),
        })
    }

    /// Reads votes file `number`.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: &Hash,
        number: u64,
    ) -> Result<PendingVotes, Stop> {
        let path = dir.join(FileKind::Votes.name(number));
        let file = disk
            .open(&path)
            .map_err(|error| Stop::disk("the votes file cannot be read", &error))?;
        let header = Header::read(&*file, &path, FileKind::Votes, number, genesis)?;
        let mut content = VotesContent {
            guard: Guard::default(),
            wal: Vec::new(),
            first: None,
            last_boot: None,
            clean_stop: false,
            blocks_end: (End::default(), 0),
            top: (0, 0),
        };
        let scanned = frame::scan(&*file, &path, &header, &mut |frame| {
            content
                .read(frame.kind, frame.offset, frame.payload)
                .map_err(|why| Stop::damage(&path, frame.offset, &why))
        })?;
        if content.first.is_none() {
            return Err(Stop::damage(
                &path,
                frame::HEADER,
                "the file does not begin with a high-water mark",
            ));
        }
        Ok(PendingVotes {
            disk,
            dir: dir.to_path_buf(),
            file,
            path,
            header,
            scanned,
            content,
        })
    }

    fn push(&mut self, kind: FrameKind, payload: &[&[u8]]) -> u64 {
        self.tail.push(kind, payload);
        self.appended += 1;
        self.appended
    }

    /// Buffers an entry of the consensus log.
    pub(super) fn append_wal(&mut self, height: Height, bytes: &[u8]) {
        self.push(FrameKind::Wal, &[&height.0.to_le_bytes(), bytes]);
        self.top = self.top.max(height);
        self.unsynced_log = self.unsynced_log.max(height);
    }

    /// Buffers a guard record; its number.
    pub(super) fn append_vote(&mut self, record: &VoteRecord) -> u64 {
        let number = self.push(FrameKind::Vote, &[&codec::encode(record)]);
        self.guard.record(record.slot, &record.bytes, number);
        self.top = self.top.max(record.slot.height);
        self.unsynced_guard = true;
        number
    }

    /// Buffers the guard record of a checkpoint; its number.
    pub(super) fn append_checkpoint(&mut self, record: &CheckpointRecord) -> u64 {
        let number = self.push(FrameKind::Checkpoint, &[&codec::encode(record)]);
        self.guard
            .record_checkpoint(record.size, record.root, number);
        self.unsynced_guard = true;
        number
    }

    /// Buffers a raise of the guard.
    pub(super) fn append_raise(&mut self, floor: u64) {
        self.push(FrameKind::Raise, &[&floor.to_le_bytes()]);
        self.guard.raise_to(&HighWater {
            floor: Height(floor),
            ..HighWater::default()
        });
        self.unsynced_guard = true;
    }

    /// Buffers what others know of a guard that was lost.
    pub(super) fn append_lost(&mut self, lost: &LostGuard) {
        self.push(FrameKind::Lost, &[&codec::encode(lost)]);
        self.guard.lost = Some(lost.clone());
        self.unsynced_guard = true;
    }

    /// Name of the file that is written.
    pub(super) fn name(&self) -> String {
        FileKind::Votes.name(self.tail.header.number)
    }

    /// The boot that the machine is in.
    pub(super) fn disk_boot(&self) -> [u8; 16] {
        self.disk.boot_id()
    }

    /// The boot that the file vouches for.
    pub(super) fn boot(&self) -> [u8; 16] {
        self.boot
    }

    /// Buffers the note that a process opened the journal, in a boot of the machine since which
    /// nothing derived has lost what it believed to be written.
    pub(super) fn append_session(&mut self, boot: [u8; 16], blocks_end: End) {
        self.boot = boot;
        self.push(
            FrameKind::Session,
            &[&codec::encode(&SessionRecord { boot, blocks_end })],
        );
        self.unsynced_guard = true;
    }

    pub(super) fn append_clean_stop(&mut self, blocks_end: End) {
        self.push(
            FrameKind::CleanStop,
            &[&codec::encode(&CleanStopRecord { blocks_end })],
        );
        self.unsynced_guard = true;
    }

    /// True if something waits that a restart needs. Log entries of decided heights are not waited
    /// for.
    pub(super) fn needs_sync(&self, durable_tip: Height) -> bool {
        self.unsynced_guard || self.unsynced_log > durable_tip
    }

    /// Makes everything durable.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        self.tail.sync()?;
        self.durable = self.appended;
        self.unsynced_guard = false;
        self.unsynced_log = Height(0);
        Ok(())
    }

    /// What is durable.
    pub(super) fn durable_end(&self) -> End {
        End {
            file: self.tail.header.number,
            length: self.tail.durable(),
        }
    }

    /// Begins a new file and removes the old one, if this one has reached `limit` bytes and nothing
    /// in it is of use any more. Everything but log entries of decided heights is synced.
    pub(super) fn rotate(
        &mut self,
        limit: u64,
        tip: Height,
        blocks_end: End,
    ) -> Result<(), DiskError> {
        if self.tail.end() < limit || self.top > tip || self.unsynced_guard {
            return Ok(());
        }
        let header = Header {
            number: self.tail.header.number + 1,
            boot: self.boot,
            first_height: tip.next(),
            ..self.tail.header.clone()
        };
        let first = FirstRecord {
            mark: self.guard.high(),
            tip,
            blocks_end,
            blocks_instance: self.blocks_instance,
            lost: self.guard.lost.clone(),
        };
        let frames = [
            (FrameKind::HighWater, codec::encode(&first)),
            (
                FrameKind::Session,
                codec::encode(&SessionRecord {
                    boot: header.boot,
                    blocks_end,
                }),
            ),
        ];
        let tail = Tail::create(&*self.disk, &self.dir, header, &frames)?;
        let old = std::mem::replace(&mut self.tail, tail);
        self.durable = self.appended;
        self.unsynced_log = Height(0);
        self.top = Height(0);
        self.disk.remove(&old.path)?;
        self.disk.sync_dir(&self.dir)
    }
}

impl VotesContent {
    /// Takes in one frame; the reason if it makes no sense.
    fn read(&mut self, kind: FrameKind, offset: u64, payload: &[u8]) -> Result<(), String> {
        fn decoded<T: Wire>(payload: &[u8]) -> Result<T, String> {
            codec::decode(payload).map_err(|error| {
                format!("the frame has a valid checksum and no valid content: {error}")
            })
        }
        if self.first.is_some() == (kind == FrameKind::HighWater) {
            return Err(
                "a high-water mark stands at the beginning of a file and nowhere else".into(),
            );
        }
        self.clean_stop = kind == FrameKind::CleanStop;
        match kind {
            FrameKind::HighWater => {
                let first: FirstRecord = decoded(payload)?;
                self.guard.raise_to(&first.mark);
                self.guard.lost.clone_from(&first.lost);
                self.saw_blocks(first.blocks_end, offset);
                self.first = Some(first);
            }
            FrameKind::Session => {
                let session: SessionRecord = decoded(payload)?;
                self.last_boot = Some(session.boot);
                self.saw_blocks(session.blocks_end, offset);
            }
            FrameKind::CleanStop => {
                self.saw_blocks(decoded::<CleanStopRecord>(payload)?.blocks_end, offset)
            }
            FrameKind::Wal => {
                let (height, bytes) = payload
                    .split_first_chunk::<8>()
                    .ok_or("the log entry is too short")?;
                let height = u64::from_le_bytes(*height);
                self.top = self.top.max((height, offset));
                // Only the highest height is of use after a restart.
                if self
                    .wal
                    .last()
                    .is_some_and(|(known, _)| *known < Height(height))
                {
                    self.wal.clear();
                }
                self.wal.push((Height(height), bytes.to_vec()));
            }
            FrameKind::Vote => {
                let record: VoteRecord = decoded(payload)?;
                self.top = self.top.max((record.slot.height.0, offset));
                self.saw_blocks(record.blocks_end, offset);
                self.guard.record(record.slot, &record.bytes, 0);
            }
            FrameKind::Checkpoint => {
                let record: CheckpointRecord = decoded(payload)?;
                self.guard.record_checkpoint(record.size, record.root, 0);
            }
            FrameKind::Raise => {
                let floor = payload
                    .try_into()
                    .map(u64::from_le_bytes)
                    .map_err(|_| "the raise is not a height")?;
                self.guard.raise_to(&HighWater {
                    floor: Height(floor),
                    ..HighWater::default()
                });
            }
            FrameKind::Lost => self.guard.lost = Some(decoded(payload)?),
            FrameKind::Body | FrameKind::Decision | FrameKind::Close => {
                return Err("the frame is of another file".into());
            }
        }
        Ok(())
    }

    fn saw_blocks(&mut self, end: End, offset: u64) {
        self.blocks_end = self.blocks_end.max((end, offset));
    }
}

impl PendingVotes {
    /// End of what is valid.
    pub(super) fn end(&self) -> End {
        End {
            file: self.header.number,
            length: self.scanned.end,
        }
    }

    /// The torn end, if there is one.
    pub(super) fn torn(&self) -> Option<Cut> {
        (self.scanned.torn > 0).then(|| Cut {
            file: self.path.clone(),
            offset: self.scanned.end,
            bytes: self.scanned.torn,
        })
    }

    /// Cuts the torn end, syncs, and goes on writing.
    pub(super) fn resume(self) -> Result<(Votes, VotesContent), DiskError> {
        let tail = Tail::resume(self.file, self.path, self.header, &self.scanned)?;
        let mut content = self.content;
        let blocks_instance = content
            .first
            .as_ref()
            .map_or([0; 16], |first| first.blocks_instance);
        let guard = std::mem::take(&mut content.guard);
        let votes = Votes {
            disk: self.disk,
            dir: self.dir,
            tail,
            guard,
            blocks_instance,
            boot: content.last_boot.unwrap_or_default(),
            top: Height(content.top.0),
            appended: 0,
            durable: 0,
            unsynced_guard: false,
            unsynced_log: Height(0),
        };
        Ok((votes, content))
    }
}
