//! The bytes of a journal file.
//!
//! ```text
//! file   = header frame*
//! header = magic[8] version:u32 number:u64 genesis[32] instance[16] boot[16] first_height:u64
//!          previous[32] check[16]
//! frame  = length:u32 kind:u8 durable:u64 head_check[8] payload[length] check[16]
//! ```
//!
//! Integers are little-endian. `check` of the header is SHA-256 of what stands before it, cut to 16
//! bytes; `check` of a frame is SHA-256(check of the frame or header before || head || payload),
//! cut to 16 bytes, so that a frame that is misdirected, repeated or out of order does not verify.
//! `head_check` binds length, kind and `durable` to the file and the offset, so that a corrupted
//! length is never believed.
//!
//! `durable` is the length of the file that was known to be synced when the frame was written. It
//! settles the one hard question after a crash: a bad frame at X is a torn write that nobody was
//! promised, and may be cut, unless a later frame says that X was already durable when it was
//! written. Then the disk has lost acknowledged bytes, and that is damage.

use std::path::{Path, PathBuf};

use rollbook_proof::crypto::{Hash, sha256_parts};
use rollbook_proof::number::Height;
use sha2::{Digest as _, Sha256};

use super::stop::{Stop, StopKind};
use crate::disk::{Disk, DiskError, DiskErrorKind, DiskFile};

/// Format version of the files.
pub(super) const VERSION: u32 = 1;
/// Bytes of a header.
pub(super) const HEADER: u64 = 8 + 4 + 8 + 32 + 16 + 16 + 8 + 32 + 16;
/// Bytes before a payload.
pub(super) const HEAD: u64 = 4 + 1 + 8 + 8;
/// Bytes after a payload.
pub(super) const CHECK: u64 = 16;
/// Longest payload: a body of 1 MiB with room for its fields.
pub(super) const MAX_PAYLOAD: u64 = 1024 * 1024 + 64 * 1024;
/// Bytes read at once while scanning.
const WINDOW: u64 = 256 * 1024;

/// A truncated SHA-256.
pub(super) type Check = [u8; 16];

/// The two kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Bodies and decisions.
    Blocks,
    /// Consensus log and sign guard.
    Votes,
}

impl FileKind {
    fn magic(self) -> [u8; 8] {
        match self {
            FileKind::Blocks => *b"rollblok",
            FileKind::Votes => *b"rollvote",
        }
    }

    /// The name of file `number`; sorts by number.
    pub(super) fn name(self, number: u64) -> String {
        match self {
            FileKind::Blocks => format!("blocks-{number:010}.seg"),
            FileKind::Votes => format!("votes-{number:010}.log"),
        }
    }

    /// The number in a name of this kind.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        let (prefix, suffix) = match self {
            FileKind::Blocks => ("blocks-", ".seg"),
            FileKind::Votes => ("votes-", ".log"),
        };
        let number = name
            .strip_prefix(prefix)?
            .strip_suffix(suffix)?
            .parse()
            .ok()?;
        (self.name(number) == name).then_some(number)
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// A block body, when received.
    Body = 1,
    /// A decided block: seal and certificate.
    Decision = 2,
    /// End of a segment: SHA-256 of everything before this frame.
    Close = 3,
    /// First frame of a votes file: the guard's high-water mark.
    HighWater = 16,
    /// A process opened the journal.
    Session = 17,
    /// The process ended in order.
    CleanStop = 18,
    /// An entry of the consensus log.
    Wal = 19,
    /// A proposal, prevote or precommit about to be signed.
    Vote = 20,
    /// A checkpoint about to be cosigned.
    Checkpoint = 21,
    /// The guard was raised without a signature.
    Raise = 22,
    /// What others know of a guard that was lost.
    Lost = 23,
}

impl FrameKind {
    fn of(file: FileKind, byte: u8) -> Option<FrameKind> {
        use FrameKind::*;
        let kinds: &[FrameKind] = match file {
            FileKind::Blocks => &[Body, Decision, Close],
            FileKind::Votes => &[
                HighWater, Session, CleanStop, Wal, Vote, Checkpoint, Raise, Lost,
            ],
        };
        kinds.iter().copied().find(|kind| *kind as u8 == byte)
    }
}

fn cut16(hash: Hash) -> Check {
    let mut check = [0; 16];
    check.copy_from_slice(&hash.0[..16]);
    check
}

/// The header of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: FileKind,
    pub(super) number: u64,
    pub(super) genesis: Hash,
    pub(super) instance: [u8; 16],
    pub(super) boot: [u8; 16],
    pub(super) first_height: Height,
    pub(super) previous: Hash,
}

impl Header {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER as usize);
        bytes.extend_from_slice(&self.kind.magic());
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.genesis.0);
        bytes.extend_from_slice(&self.instance);
        bytes.extend_from_slice(&self.boot);
        bytes.extend_from_slice(&self.first_height.0.to_le_bytes());
        bytes.extend_from_slice(&self.previous.0);
        let check = cut16(sha256_parts(&[&bytes]));
        bytes.extend_from_slice(&check);
        bytes
    }

    /// The check at the end of the header, with which the chain of frames begins.
    pub(super) fn check(&self) -> Check {
        let bytes = self.bytes();
        let mut check = [0; 16];
        check.copy_from_slice(&bytes[bytes.len() - 16..]);
        check
    }

    /// Reads and judges the header of `path`, which must be file `number` of `kind` and of chain
    /// `genesis`.
    pub(super) fn read(
        file: &dyn DiskFile,
        path: &Path,
        kind: FileKind,
        number: u64,
        genesis: &Hash,
    ) -> Result<Header, Stop> {
        let mut bytes = [0; HEADER as usize];
        file.read_at(0, &mut bytes)
            .map_err(|error| match error.kind {
                DiskErrorKind::Short => {
                    Stop::damage(path, 0, "the file is shorter than its header")
                }
                _ => Stop::disk("the journal cannot be read", &error),
            })?;
        let mut rest = &bytes[..];
        let magic: [u8; 8] = take(&mut rest);
        let version = u32::from_le_bytes(take(&mut rest));
        let header = Header {
            kind,
            number: u64::from_le_bytes(take(&mut rest)),
            genesis: Hash(take(&mut rest)),
            instance: take(&mut rest),
            boot: take(&mut rest),
            first_height: Height(u64::from_le_bytes(take(&mut rest))),
            previous: Hash(take(&mut rest)),
        };
        let check: Check = take(&mut rest);
        if check != cut16(sha256_parts(&[&bytes[..bytes.len() - 16]])) {
            return Err(Stop::damage(path, 0, "the checksum of the header is wrong"));
        }
        if magic != kind.magic() || header.number != number {
            return Err(Stop::damage(path, 0, "the header is that of another file"));
        }
        if version != VERSION {
            return Err(Stop::new(
                StopKind::Foreign,
                format!("{} has format version {version}", path.display()),
                format!("this program reads version {VERSION}"),
                "start the program version that wrote this folder",
            ));
        }
        if header.genesis != *genesis {
            return Err(Stop::new(
                StopKind::Foreign,
                format!("{} belongs to another chain", path.display()),
                format!(
                    "its genesis is {}, this node is configured for {genesis}",
                    header.genesis
                ),
                "point the node to its own data folder, or correct the genesis in its \
                 configuration",
            ));
        }
        Ok(header)
    }
}

/// Splits `N` bytes off the front; callers pass slices that are long enough by construction.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    match rest.split_first_chunk::<N>() {
        Some((chunk, after)) => {
            *rest = after;
            *chunk
        }
        None => [0; N],
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy)]
struct Head {
    length: u64,
    kind: FrameKind,
    durable: u64,
}

fn head_check(header: &Header, offset: u64, start: &[u8]) -> [u8; 8] {
    let hash = sha256_parts(&[
        b"rollbook/journal-head/v1\0",
        &header.instance,
        &header.kind.magic(),
        &header.number.to_le_bytes(),
        &offset.to_le_bytes(),
        start,
    ]);
    let mut check = [0; 8];
    check.copy_from_slice(&hash.0[..8]);
    check
}

/// Judges the 21 bytes at `offset` as a head; cheap checks first, since damaged files are searched
/// byte by byte.
fn parse_head(header: &Header, offset: u64, end: u64, bytes: &[u8]) -> Option<Head> {
    let mut rest = bytes;
    let length = u64::from(u32::from_le_bytes(take(&mut rest)));
    let [kind] = take(&mut rest);
    let kind = FrameKind::of(header.kind, kind)?;
    let durable = u64::from_le_bytes(take(&mut rest));
    let check: [u8; 8] = take(&mut rest);
    let fits = length <= MAX_PAYLOAD
        && durable <= offset
        && offset.checked_add(HEAD + length + CHECK)? <= end;
    (fits && check == head_check(header, offset, &bytes[..13])).then_some(Head {
        length,
        kind,
        durable,
    })
}

fn frame_check(previous: &Check, head: &[u8], payload: &[&[u8]]) -> Check {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(head);
    for part in payload {
        hasher.update(part);
    }
    cut16(Hash(hasher.finalize().into()))
}

/// A file read through a window, so that scanning costs few reads and little memory.
struct Window<'a> {
    file: &'a dyn DiskFile,
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    fn get(&mut self, offset: u64, length: u64) -> Result<&[u8], DiskError> {
        let held = self.start..self.start + self.bytes.len() as u64;
        if offset < held.start || offset + length > held.end {
            let take = length.max(WINDOW).min(self.end.saturating_sub(offset));
            self.bytes.resize(take as usize, 0);
            self.start = offset;
            if let Err(error) = self.file.read_at(offset, &mut self.bytes) {
                self.bytes.clear();
                return Err(error);
            }
        }
        let from = (offset - self.start) as usize;
        Ok(&self.bytes[from..from + length as usize])
    }
}

/// One frame met by a scan.
pub(super) struct Frame<'a> {
    pub(super) kind: FrameKind,
    pub(super) offset: u64,
    pub(super) payload: &'a [u8],
}

/// Result of a scan.
pub(super) struct Scanned {
    /// End of the last whole frame.
    pub(super) end: u64,
    /// Check of the last whole frame.
    pub(super) chain: Check,
    /// Bytes after `end` that no promise covers.
    pub(super) torn: u64,
    /// SHA-256 of everything up to `end`, still open.
    pub(super) content: Sha256,
    /// The same, before the last frame.
    pub(super) content_before_last: Sha256,
}

/// Reads a file frame by frame. A bad frame ends it: as a torn tail, if nothing after it proves
/// that it was durable, else as damage. `visit` sees each whole frame in order.
pub(super) fn scan(
    file: &dyn DiskFile,
    path: &Path,
    header: &Header,
    visit: &mut dyn FnMut(Frame<'_>) -> Result<(), Stop>,
) -> Result<Scanned, Stop> {
    let unreadable = |error: DiskError| Stop::disk("the journal cannot be read", &error);
    let end = file.len().map_err(unreadable)?;
    let mut window = Window {
        file,
        end,
        start: 0,
        bytes: Vec::new(),
    };
    let mut content = Sha256::new();
    content.update(header.bytes());
    let mut content_before_last = content.clone();
    let (mut offset, mut chain) = (HEADER, header.check());
    loop {
        if offset + HEAD + CHECK > end {
            break;
        }
        let Some(head) = parse_head(
            header,
            offset,
            end,
            window.get(offset, HEAD).map_err(unreadable)?,
        ) else {
            break;
        };
        let whole = window
            .get(offset, HEAD + head.length + CHECK)
            .map_err(unreadable)?;
        let (front, check) = whole.split_at((HEAD + head.length) as usize);
        let expected = frame_check(&chain, front, &[]);
        if check != expected {
            break;
        }
        content_before_last = content.clone();
        content.update(whole);
        visit(Frame {
            kind: head.kind,
            offset,
            payload: &front[HEAD as usize..],
        })?;
        chain = expected;
        offset += HEAD + head.length + CHECK;
    }
    if offset < end {
        forbid_later_frames(&mut window, path, header, offset)?;
    }
    Ok(Scanned {
        end: offset,
        chain,
        torn: end - offset,
        content,
        content_before_last,
    })
}

/// Searches behind a bad frame at `bad` for a head that was written after `bad` had been synced.
fn forbid_later_frames(
    window: &mut Window<'_>,
    path: &Path,
    header: &Header,
    bad: u64,
) -> Result<(), Stop> {
    let end = window.end;
    let mut at = bad;
    while at + HEAD + CHECK <= end {
        let bytes = window
            .get(at, HEAD)
            .map_err(|error| Stop::disk("the journal cannot be read", &error))?;
        if let Some(head) = parse_head(header, at, end, bytes)
            && head.durable > bad
        {
            return Err(Stop::damage(
                path,
                bad,
                &format!("the frame there is bad, and a frame at byte {at} was written after it"),
            ));
        }
        at += 1;
    }
    Ok(())
}

/// Where a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub(super) struct Place {
    /// File number.
    pub(super) file: u64,
    /// Offset of the frame.
    pub(super) offset: u64,
    /// Length of the payload.
    pub(super) length: u32,
}

/// Reads one frame again and judges it as the scan did: against its head, its place and the check
/// before it.
pub(super) fn read_frame(
    file: &dyn DiskFile,
    path: &Path,
    header: &Header,
    place: Place,
    kind: FrameKind,
) -> Result<Vec<u8>, Stop> {
    let length = u64::from(place.length);
    let damage = |why: &str| Stop::damage(path, place.offset, why);
    let start = place
        .offset
        .checked_sub(CHECK)
        .ok_or_else(|| damage("no frame can stand there"))?;
    let mut bytes = vec![0; (CHECK + HEAD + length + CHECK) as usize];
    file.read_at(start, &mut bytes)
        .map_err(|error| match error.kind {
            DiskErrorKind::Short => damage("the file ends inside the frame"),
            _ => Stop::disk("the journal cannot be read", &error),
        })?;
    let (before, frame) = bytes.split_at(CHECK as usize);
    let (front, check) = frame.split_at((HEAD + length) as usize);
    let head = parse_head(header, place.offset, u64::MAX, &front[..HEAD as usize])
        .ok_or_else(|| damage("the frame has no valid head"))?;
    let mut chain = [0; 16];
    chain.copy_from_slice(before);
    if head.length != length || head.kind != kind || check != frame_check(&chain, front, &[]) {
        return Err(damage("the checksum of the frame is wrong"));
    }
    Ok(front[HEAD as usize..].to_vec())
}

/// The file that is being written.
pub(super) struct Tail {
    pub(super) file: Box<dyn DiskFile>,
    pub(super) path: PathBuf,
    pub(super) header: Header,
    chain: Check,
    written: u64,
    durable: u64,
    buffer: Vec<u8>,
    content: Sha256,
}

impl Tail {
    /// Makes a new file that appears under its name only when it is whole: `first` frames, sync,
    /// rename, sync of the folder.
    pub(super) fn create(
        disk: &dyn Disk,
        dir: &Path,
        header: Header,
        first: &[(FrameKind, Vec<u8>)],
    ) -> Result<Tail, DiskError> {
        let path = dir.join(header.kind.name(header.number));
        let temporary = path.with_extension("tmp");
        let file = disk.create(&temporary)?;
        let bytes = header.bytes();
        let mut content = Sha256::new();
        content.update(&bytes);
        let chain = header.check();
        let mut tail = Tail {
            file,
            path,
            header,
            chain,
            written: 0,
            durable: 0,
            buffer: bytes,
            content,
        };
        for (kind, payload) in first {
            tail.push(*kind, &[payload]);
        }
        tail.sync()?;
        disk.rename(&temporary, &tail.path)?;
        disk.sync_dir(dir)?;
        Ok(tail)
    }

    /// Goes on with a scanned file: cuts what is torn, and syncs, since after a mere process death
    /// bytes may be readable that no sync has covered.
    pub(super) fn resume(
        mut file: Box<dyn DiskFile>,
        path: PathBuf,
        header: Header,
        scanned: &Scanned,
    ) -> Result<Tail, DiskError> {
        if scanned.torn > 0 {
            file.truncate(scanned.end)?;
        }
        file.sync()?;
        let (chain, end, content) = (scanned.chain, scanned.end, scanned.content.clone());
        Ok(Tail {
            file,
            path,
            header,
            chain,
            written: end,
            durable: end,
            buffer: Vec::new(),
            content,
        })
    }

    /// Length of the file with what is buffered.
    pub(super) fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Bytes that a sync has covered.
    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    /// True if a sync would add something.
    pub(super) fn dirty(&self) -> bool {
        self.durable < self.end()
    }

    /// SHA-256 of everything appended so far.
    pub(super) fn content(&self) -> Hash {
        Hash(self.content.clone().finalize().into())
    }

    /// Buffers a frame. The caller keeps `payload` within [`MAX_PAYLOAD`].
    pub(super) fn push(&mut self, kind: FrameKind, payload: &[&[u8]]) -> Place {
        let length: u32 = payload.iter().map(|part| part.len() as u32).sum();
        let offset = self.end();
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.push(kind as u8);
        self.buffer.extend_from_slice(&self.durable.to_le_bytes());
        let check = head_check(&self.header, offset, &self.buffer[start..]);
        self.buffer.extend_from_slice(&check);
        self.chain = frame_check(&self.chain, &self.buffer[start..], payload);
        for part in payload {
            self.buffer.extend_from_slice(part);
        }
        self.buffer.extend_from_slice(&self.chain);
        self.content.update(&self.buffer[start..]);
        Place {
            file: self.header.number,
            offset,
            length,
        }
    }

    /// Writes what is buffered and makes everything durable. After an error the tail must not be
    /// used again.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        if !self.buffer.is_empty() {
            self.file.append(&self.buffer)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
            // A body of 1 MiB must not leave its buffer behind for ever.
            self.buffer.shrink_to(WINDOW as usize);
        }
        self.file.sync()?;
        self.durable = self.written;
        Ok(())
    }
}
