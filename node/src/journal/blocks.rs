//! The `blocks` files: bodies and decisions in segments, and the index over them.
//!
//! A segment is closed by a frame with the SHA-256 of everything before it; the header of the next
//! segment repeats the digest, so the segments are one chain. Beside each closed segment lies an
//! index file: derived, checked against the segment's length and digest, written again from the
//! segment whenever it does not fit. Opening reads headers, index files and the last segment;
//! bodies of closed segments are read, and judged, when asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bincode::{Decode, Encode};
use rollbook_proof::codec;
use rollbook_proof::codec::Wire;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;

use super::frame::{FileKind, Frame, FrameKind, HEADER, Header, MAX_PAYLOAD, Place, Scanned, Tail};
use super::index::{IndexFile, index_path, load_index, save_index};
use super::{BodyAnswer, Cut, DecidedBlock, End, MAX_UNDECIDED, Stop, frame};
use crate::disk::{Disk, DiskError, DiskErrorKind, DiskFile};

/// Payload of a decision frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Decision {
    pub(super) height: Height,
    pub(super) body: Hash,
    /// What of the votes files was durable before: shows a guard that lost its end.
    pub(super) votes_end: End,
    pub(super) seal: Vec<u8>,
    pub(super) certificate: Vec<u8>,
}

impl Wire for Decision {
    const MAX: usize = MAX_PAYLOAD as usize;
}

/// What one frame adds to the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct IndexEntry {
    decision: bool,
    height: Height,
    body: Hash,
    pub(super) place: Place,
}

/// Where a decided block is: body frame and decision frame.
#[derive(Debug, Clone, Copy)]
struct BlockPlace {
    body: Place,
    decision: Place,
}

/// What opening found out.
#[derive(Default)]
pub(super) struct OpenedBlocks {
    pub(super) cut: Option<Cut>,
    pub(super) rebuilt: Vec<PathBuf>,
}

/// The index as it grows, from frames or from index files alike.
#[derive(Default)]
struct Index {
    decided: Vec<BlockPlace>,
    /// Undecided bodies of the next height.
    pending: BTreeMap<Hash, Place>,
}

impl Index {
    fn tip(&self) -> Height {
        Height(self.decided.len() as u64)
    }

    /// Applies one entry; the reason if it cannot follow what came before.
    fn apply(&mut self, entry: &IndexEntry) -> Result<(), String> {
        let next = self.tip().next();
        if entry.height != next {
            return Err(format!(
                "a frame of height {} stands where height {next} is due",
                entry.height
            ));
        }
        if entry.decision {
            let Some(body) = self.pending.get(&entry.body).copied() else {
                return Err(format!(
                    "the decision of height {next} names a body that is not there"
                ));
            };
            self.decided.push(BlockPlace {
                body,
                decision: entry.place,
            });
            self.pending.clear();
        } else {
            self.pending.insert(entry.body, entry.place);
        }
        Ok(())
    }
}

/// All segments.
pub(super) struct Blocks {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Headers of the closed segments, by number - 1.
    closed: Vec<Header>,
    pub(super) tail: Tail,
    /// Entries of the last segment, for its index file.
    entries: Vec<IndexEntry>,
    index: Index,
    durable_tip: Height,
}

/// Splits the payload of a body frame; `None` if it is too short.
fn split_body(payload: &[u8]) -> Option<(u64, Hash, &[u8])> {
    let (height, rest) = payload.split_first_chunk::<8>()?;
    let (digest, body) = rest.split_first_chunk::<32>()?;
    Some((u64::from_le_bytes(*height), Hash(*digest), body))
}

/// The body in the payload of a frame, which a decision of this height names.
fn body_in(
    mut payload: Vec<u8>,
    dir: &Path,
    place: Place,
    height: Height,
    digest: &Hash,
) -> Result<Vec<u8>, Stop> {
    match split_body(&payload) {
        Some((found, named, body))
            if Height(found) == height && named == *digest && sha256(body) == *digest => {}
        _ => {
            let path = dir.join(FileKind::Blocks.name(place.file));
            return Err(Stop::damage(
                &path,
                place.offset,
                "the body is not the one that its decision names",
            ));
        }
    }
    payload.drain(..40);
    Ok(payload)
}

/// The decision of this height in the payload of a frame.
fn decision_in(payload: &[u8], dir: &Path, place: Place, height: Height) -> Result<Decision, Stop> {
    match codec::decode::<Decision>(payload) {
        Ok(decision) if decision.height == height => Ok(decision),
        _ => {
            let path = dir.join(FileKind::Blocks.name(place.file));
            Err(Stop::damage(
                &path,
                place.offset,
                &format!("the frame is not the decision of height {height}"),
            ))
        }
    }
}

/// The index entry of a frame.
fn entry_of(path: &Path, number: u64, frame: &Frame<'_>) -> Result<Option<IndexEntry>, Stop> {
    let place = Place {
        file: number,
        offset: frame.offset,
        length: frame.payload.len() as u32,
    };
    let unreadable = || {
        Stop::damage(
            path,
            frame.offset,
            "the frame has a valid checksum and no valid content",
        )
    };
    Ok(match frame.kind {
        FrameKind::Body => {
            let (height, body, _) = split_body(frame.payload).ok_or_else(unreadable)?;
            Some(IndexEntry {
                decision: false,
                height: Height(height),
                body,
                place,
            })
        }
        FrameKind::Decision => {
            let decision: Decision = codec::decode(frame.payload).map_err(|_| unreadable())?;
            Some(IndexEntry {
                decision: true,
                height: decision.height,
                body: decision.body,
                place,
            })
        }
        _ => None,
    })
}

/// A segment read from end to end.
struct Segment {
    entries: Vec<IndexEntry>,
    scanned: Scanned,
    /// Content of the close frame, with which the segment must end.
    closed: Option<Hash>,
}

fn scan_segment(file: &dyn DiskFile, path: &Path, header: &Header) -> Result<Segment, Stop> {
    let mut entries = Vec::new();
    let mut closed: Option<(u64, Hash)> = None;
    let scanned = frame::scan(file, path, header, &mut |frame| {
        if let Some((offset, _)) = closed {
            return Err(Stop::damage(
                path,
                offset,
                "frames follow the end of the segment",
            ));
        }
        if frame.kind == FrameKind::Close {
            let digest = frame.payload.try_into().map(Hash);
            let bad = |_| Stop::damage(path, frame.offset, "the closing frame holds no digest");
            closed = Some((frame.offset, digest.map_err(bad)?));
        }
        entries.extend(entry_of(path, header.number, &frame)?);
        Ok(())
    })?;
    if let Some((offset, digest)) = closed {
        use sha2::Digest as _;
        if Hash(scanned.content_before_last.clone().finalize().into()) != digest {
            return Err(Stop::damage(
                path,
                offset,
                "the digest of the segment is wrong",
            ));
        }
    }
    Ok(Segment {
        entries,
        scanned,
        closed: closed.map(|(_, digest)| digest),
    })
}

/// Reads closed segments from end to end, whatever their index files say; bytes read. `last` is the
/// header of the segment after them.
fn verify_closed(
    disk: &dyn Disk,
    dir: &Path,
    closed: &[Header],
    last: &Header,
) -> Result<u64, Stop> {
    let unreadable = |error: DiskError| Stop::disk("the journal cannot be read", &error);
    let mut total = 0;
    for (at, header) in closed.iter().enumerate() {
        let path = dir.join(FileKind::Blocks.name(header.number));
        let file = disk.open(&path).map_err(unreadable)?;
        let (kind, number) = (FileKind::Blocks, header.number);
        let stored = Header::read(&*file, &path, kind, number, &header.genesis)?;
        let segment = scan_segment(&*file, &path, header)?;
        let next = closed.get(at + 1).unwrap_or(last);
        if stored != *header || segment.scanned.torn > 0 || segment.closed != Some(next.previous) {
            return Err(Stop::damage(
                &path,
                segment.scanned.end,
                "the segment is not what the next one says",
            ));
        }
        total += segment.scanned.end;
    }
    Ok(total)
}

impl Blocks {
    /// Makes the first segment.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: Hash,
        instance: [u8; 16],
    ) -> Result<Blocks, DiskError> {
        let boot = disk.boot_id();
        let header = Header {
            kind: FileKind::Blocks,
            number: 1,
            genesis,
            instance,
            boot,
            first_height: Height(1),
            previous: Hash::ZERO,
        };
        let tail = Tail::create(&*disk, dir, header, &[])?;
        let dir = dir.to_path_buf();
        Ok(Blocks {
            disk,
            dir,
            closed: Vec::new(),
            tail,
            entries: Vec::new(),
            index: Index::default(),
            durable_tip: Height(0),
        })
    }

    /// Judges the segments `numbers` (ascending, not empty). Changes nothing: that is
    /// [`PendingBlocks::resume`].
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        genesis: &Hash,
        numbers: &[u64],
    ) -> Result<PendingBlocks, Stop> {
        let unreadable = |error: DiskError| Stop::disk("the journal cannot be read", &error);
        let mut headers: Vec<(PathBuf, Header, Box<dyn DiskFile>)> = Vec::new();
        for (due, number) in (1..).zip(numbers) {
            let path = dir.join(FileKind::Blocks.name(due));
            if *number != due {
                return Err(Stop::damage(
                    &path,
                    0,
                    "the segment is missing, later ones are there",
                ));
            }
            let file = disk.open(&path).map_err(unreadable)?;
            let header = Header::read(&*file, &path, FileKind::Blocks, due, genesis)?;
            headers.push((path, header, file));
        }
        let Some((last_path, last_header, last_file)) = headers.pop() else {
            return Err(Stop::damage(
                &dir.join(FileKind::Blocks.name(1)),
                0,
                "the segment is missing",
            ));
        };
        let mut opened = OpenedBlocks::default();
        let mut index = Index::default();
        let mut rebuilt = Vec::new();
        let follows = |index: &mut Index, path: &Path, header: &Header, entries: &[IndexEntry]| {
            if header.first_height != index.tip().next() {
                return Err(Stop::damage(
                    path,
                    0,
                    "the segment does not begin where the one before it ends",
                ));
            }
            entries.iter().try_for_each(|entry| {
                index
                    .apply(entry)
                    .map_err(|why| Stop::damage(path, entry.place.offset, &why))
            })
        };
        for at in 0..headers.len() {
            let (path, header, file) = &headers[at];
            let next = headers
                .get(at + 1)
                .map_or(&last_header, |(_, next, _)| next);
            let length = file.len().map_err(unreadable)?;
            let entries = match load_index(&*disk, path, header, length, &next.previous) {
                Some(entries) => entries,
                None => {
                    let segment = scan_segment(&**file, path, header)?;
                    if segment.scanned.torn > 0 || segment.closed != Some(next.previous) {
                        let why = "the segment is closed and its content is not what the next \
                                   segment says";
                        return Err(Stop::damage(path, segment.scanned.end, why));
                    }
                    let digest = next.previous;
                    let file = IndexFile {
                        version: frame::VERSION,
                        header: header.check(),
                        length,
                        digest,
                        entries: segment.entries,
                    };
                    rebuilt.push((path.clone(), file));
                    rebuilt
                        .last()
                        .map(|(_, file)| file.entries.clone())
                        .unwrap_or_default()
                }
            };
            follows(&mut index, path, header, &entries)?;
        }
        let last = scan_segment(&*last_file, &last_path, &last_header)?;
        follows(&mut index, &last_path, &last_header, &last.entries)?;
        if last.scanned.torn > 0 {
            opened.cut = Some(Cut {
                file: last_path.clone(),
                offset: last.scanned.end,
                bytes: last.scanned.torn,
            });
        }
        let closed = headers.into_iter().map(|(_, header, _)| header).collect();
        let dir = dir.to_path_buf();
        Ok(PendingBlocks {
            disk,
            dir,
            closed,
            index,
            opened,
            rebuilt,
            last,
            last_path,
            last_header,
            last_file,
        })
    }

    /// Height of the last decision, synced or not.
    pub(super) fn tip(&self) -> Height {
        self.index.tip()
    }

    /// Height of the last synced decision.
    pub(super) fn durable_tip(&self) -> Height {
        self.durable_tip
    }

    /// What is durable.
    pub(super) fn durable_end(&self) -> End {
        End {
            file: self.tail.header.number,
            length: self.tail.durable(),
        }
    }

    /// Instance that wrote the last segment.
    pub(super) fn instance(&self) -> [u8; 16] {
        self.tail.header.instance
    }

    /// Buffers a body of the next height.
    pub(super) fn append_body(&mut self, body: &[u8]) -> BodyAnswer {
        let (height, digest) = (self.tip().next(), sha256(body));
        if self.index.pending.contains_key(&digest) {
            return BodyAnswer::Known(digest);
        }
        if self.index.pending.len() >= MAX_UNDECIDED {
            return BodyAnswer::Full;
        }
        let place = self
            .tail
            .push(FrameKind::Body, &[&height.0.to_le_bytes(), &digest.0, body]);
        self.enter(IndexEntry {
            decision: false,
            height,
            body: digest,
            place,
        });
        BodyAnswer::Stored(digest)
    }

    /// True if this body of the next height was appended.
    pub(super) fn has_body(&self, digest: &Hash) -> bool {
        self.index.pending.contains_key(digest)
    }

    /// Buffers a decision of the next height; its body is known to be there.
    pub(super) fn append_decision(&mut self, decision: &Decision) {
        let place = self
            .tail
            .push(FrameKind::Decision, &[&codec::encode(decision)]);
        self.enter(IndexEntry {
            decision: true,
            height: decision.height,
            body: decision.body,
            place,
        });
    }

    fn enter(&mut self, entry: IndexEntry) {
        let applied = self.index.apply(&entry);
        debug_assert!(applied.is_ok(), "{applied:?}");
        self.entries.push(entry);
    }

    /// Makes everything durable.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        if self.tail.dirty() {
            self.tail.sync()?;
        }
        self.durable_tip = self.index.tip();
        Ok(())
    }

    /// Closes the segment and begins the next one, if it has reached `limit` bytes. Everything is
    /// synced.
    pub(super) fn rotate(&mut self, limit: u64, instance: [u8; 16]) -> Result<(), DiskError> {
        if self.tail.end() < limit {
            return Ok(());
        }
        let digest = self.tail.content();
        self.tail.push(FrameKind::Close, &[&digest.0]);
        self.tail.sync()?;
        self.next_segment(digest, instance)
    }

    fn next_segment(&mut self, digest: Hash, instance: [u8; 16]) -> Result<(), DiskError> {
        let header = Header {
            number: self.tail.header.number + 1,
            instance,
            boot: self.disk.boot_id(),
            first_height: self.tip().next(),
            previous: digest,
            ..self.tail.header.clone()
        };
        let tail = Tail::create(&*self.disk, &self.dir, header, &[])?;
        let finished = std::mem::replace(&mut self.tail, tail);
        let index = IndexFile {
            version: frame::VERSION,
            header: finished.header.check(),
            length: finished.end(),
            digest,
            entries: std::mem::take(&mut self.entries),
        };
        save_index(&*self.disk, &self.dir, &finished.path, &index)?;
        self.closed.push(finished.header);
        Ok(())
    }

    fn read(&self, place: Place, kind: FrameKind) -> Result<Vec<u8>, Stop> {
        if place.file == self.tail.header.number {
            return frame::read_frame(
                &*self.tail.file,
                &self.tail.path,
                &self.tail.header,
                place,
                kind,
            );
        }
        let path = self.dir.join(FileKind::Blocks.name(place.file));
        let known = usize::try_from(place.file)
            .ok()
            .and_then(|number| self.closed.get(number.checked_sub(1)?));
        let header = known.ok_or_else(|| {
            Stop::damage(
                &path,
                place.offset,
                "the index names a segment that does not exist",
            )
        })?;
        let file = self
            .disk
            .open(&path)
            .map_err(|error| Stop::disk("the journal cannot be read", &error))?;
        frame::read_frame(&*file, &path, header, place, kind)
    }

    fn read_body(&self, place: Place, height: Height, digest: &Hash) -> Result<Vec<u8>, Stop> {
        let payload = self.read(place, FrameKind::Body)?;
        body_in(payload, &self.dir, place, height, digest)
    }

    /// The decision frame of a height that is durable.
    pub(super) fn decision(&self, height: Height) -> Result<Option<(Decision, Place)>, Stop> {
        if height == Height(0) || height > self.durable_tip {
            return Ok(None);
        }
        let Some(place) = self.index.decided.get(height.previous().0 as usize) else {
            return Ok(None);
        };
        let payload = self.read(place.decision, FrameKind::Decision)?;
        let decision = decision_in(&payload, &self.dir, place.decision, height)?;
        Ok(Some((decision, place.body)))
    }

    /// A decided block, judged on reading; `None` above the durable tip and at height 0.
    pub(super) fn block(&self, height: Height) -> Result<Option<DecidedBlock>, Stop> {
        let Some((decision, place)) = self.decision(height)? else {
            return Ok(None);
        };
        let body = self.read_body(place, height, &decision.body)?;
        Ok(Some(DecidedBlock {
            height,
            seal: decision.seal,
            certificate: decision.certificate,
            body,
        }))
    }

    /// The undecided bodies of the next height, by digest.
    pub(super) fn undecided(&self) -> Result<Vec<(Hash, Vec<u8>)>, Stop> {
        let height = self.tip().next();
        let read = |(digest, place): (&Hash, &Place)| {
            Ok((*digest, self.read_body(*place, height, digest)?))
        };
        self.index.pending.iter().map(read).collect()
    }

    /// Name of the segment that is written.
    pub(super) fn name(&self) -> String {
        FileKind::Blocks.name(self.tail.header.number)
    }

    /// Names in the folder; none if there is no folder.
    pub(super) fn names(&self) -> Result<Vec<String>, DiskError> {
        match self.disk.list(&self.dir) {
            Err(error) if error.kind == DiskErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// Reads every segment from end to end; bytes read.
    pub(super) fn verify(&self) -> Result<u64, Stop> {
        let total = verify_closed(&*self.disk, &self.dir, &self.closed, &self.tail.header)?;
        let (tail, path) = (&self.tail, &self.tail.path);
        Header::read(
            &*tail.file,
            path,
            FileKind::Blocks,
            tail.header.number,
            &tail.header.genesis,
        )?;
        let last = scan_segment(&*tail.file, path, &tail.header)?;
        if last.scanned.end < tail.durable() {
            return Err(Stop::damage(
                path,
                last.scanned.end,
                "a frame that was durable is bad",
            ));
        }
        Ok(total + last.scanned.end)
    }
}

/// Judged segments whose last file has not been touched yet.
pub(super) struct PendingBlocks {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    closed: Vec<Header>,
    index: Index,
    opened: OpenedBlocks,
    /// Index files to be written again.
    rebuilt: Vec<(PathBuf, IndexFile)>,
    last: Segment,
    last_path: PathBuf,
    last_header: Header,
    last_file: Box<dyn DiskFile>,
}

impl PendingBlocks {
    /// Reads every closed segment from end to end; the last one was read when it was opened.
    pub(super) fn verify(&self) -> Result<(), Stop> {
        verify_closed(&*self.disk, &self.dir, &self.closed, &self.last_header).map(drop)
    }

    /// Height of the last decision.
    pub(super) fn tip(&self) -> Height {
        self.index.tip()
    }

    /// End of what is valid.
    pub(super) fn end(&self) -> End {
        End {
            file: self.last_header.number,
            length: self.last.scanned.end,
        }
    }

    /// Instance that wrote the last segment.
    pub(super) fn instance(&self) -> [u8; 16] {
        self.last_header.instance
    }

    /// Path of the last segment.
    pub(super) fn path(&self) -> &Path {
        &self.last_path
    }

    /// `votes_end` of the newest decision.
    pub(super) fn votes_end(&self) -> Result<End, Stop> {
        let Some(place) = self.index.decided.last().map(|place| place.decision) else {
            return Ok(End::default());
        };
        let payload = self.read(place, FrameKind::Decision)?;
        Ok(decision_in(&payload, &self.dir, place, self.tip())?.votes_end)
    }

    fn read(&self, place: Place, kind: FrameKind) -> Result<Vec<u8>, Stop> {
        let (path, header) = match usize::try_from(place.file)
            .ok()
            .and_then(|number| self.closed.get(number.checked_sub(1)?))
        {
            Some(header) => (self.dir.join(FileKind::Blocks.name(place.file)), header),
            None => (self.last_path.clone(), &self.last_header),
        };
        let file = self
            .disk
            .open(&path)
            .map_err(|error| Stop::disk("the journal cannot be read", &error))?;
        frame::read_frame(&*file, &path, header, place, kind)
    }

    /// A decided block, judged on reading; `None` above the tip and at height 0.
    pub(super) fn block(&self, height: Height) -> Result<Option<DecidedBlock>, Stop> {
        let index = usize::try_from(height.0).ok();
        let place = index.and_then(|height| self.index.decided.get(height.checked_sub(1)?));
        let Some(place) = place else {
            return Ok(None);
        };
        let payload = self.read(place.decision, FrameKind::Decision)?;
        let decision = decision_in(&payload, &self.dir, place.decision, height)?;
        let payload = self.read(place.body, FrameKind::Body)?;
        let body = body_in(payload, &self.dir, place.body, height, &decision.body)?;
        Ok(Some(DecidedBlock {
            height,
            seal: decision.seal,
            certificate: decision.certificate,
            body,
        }))
    }

    /// The unfinished end, if there is one.
    pub(super) fn torn(&self) -> Option<Cut> {
        self.opened.cut.clone()
    }

    /// Cuts the torn end, syncs, and goes on writing as `instance`.
    pub(super) fn resume(
        mut self,
        instance: [u8; 16],
    ) -> Result<(Blocks, OpenedBlocks), DiskError> {
        for (path, file) in &self.rebuilt {
            save_index(&*self.disk, &self.dir, path, file)?;
            self.opened.rebuilt.push(index_path(path));
        }
        let tail = Tail::resume(
            self.last_file,
            self.last_path,
            self.last_header,
            &self.last.scanned,
        )?;
        let durable_tip = self.index.tip();
        let mut blocks = Blocks {
            disk: self.disk,
            dir: self.dir,
            closed: self.closed,
            tail,
            entries: self.last.entries,
            index: self.index,
            durable_tip,
        };
        if let Some(digest) = self.last.closed {
            blocks.next_segment(digest, instance)?;
        }
        Ok((blocks, self.opened))
    }
}

const _: () = assert!(HEADER == 140, "the header is part of the format");
