//! Re-executes an export offline, with all threads: what `rollbook audit` runs, for other programs
//! too. No network code is involved: a file and core.
//!
//! * Blocks are applied in order; while one batch is applied, the other threads verify the
//!   signatures of the next.
//! * Absent: flags, output, settings.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rayon::prelude::*;
use rollbook_core::audit::{Audited, Auditor};
use rollbook_core::export::{BlockFrame, ExportError, FRAME_MAX_BYTES, Header, Tail, frame_length};
use rollbook_core::ledger::Execution;
use rollbook_core::state::StateTables;
use rollbook_core::tx::Verify;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, PublicKey, Signature, VerifierCache, sha256_parts};
use rollbook_proof::number::Height;
use rollbook_words::catalogue::t;
use sha2::{Digest, Sha256};

/// Blocks are taken in batches of at least so many records, so that the threads have work.
const BATCH_RECORDS: usize = 2_048;

/// And end with the block that fills so many bytes, so that what is held does not grow with the file.
const BATCH_BYTES: usize = 32 * 1024 * 1024;
/// Bytes that an item of a list takes beside its own.
const LIST_ITEM: usize = 32;

/// Why a file cannot be audited at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("the file cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// It is a folder.
    #[error("the file is a folder")]
    Folder,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It ends before its first block.
    #[error("the file ends before its first block")]
    TooShort,
    /// It does not begin as an export does.
    #[error("the file is no export: {0}")]
    NoExport(String),
}

/// Reads through a file or a pipe and keeps the digest of what was read.
struct Source {
    reader: BufReader<File>,
    hasher: Sha256,
}

enum ReadFailure {
    End,
    Io(std::io::Error),
}

/// What a failure means before the first block was read.
impl From<ReadFailure> for Error {
    fn from(failure: ReadFailure) -> Error {
        match failure {
            ReadFailure::End => Error::TooShort,
            ReadFailure::Io(error) => Error::Unreadable(error),
        }
    }
}

impl Source {
    fn open(path: &Path) -> Result<Source, Error> {
        let file = File::open(path).map_err(Error::Unreadable)?;
        if file.metadata().map_err(Error::Unreadable)?.is_dir() {
            return Err(Error::Folder);
        }
        let mut reader = BufReader::with_capacity(1 << 20, file);
        if reader.fill_buf().map_err(Error::Unreadable)?.is_empty() {
            return Err(Error::Empty);
        }
        Ok(Source {
            reader,
            hasher: Sha256::new(),
        })
    }

    fn take(&mut self, n: usize) -> Result<Vec<u8>, ReadFailure> {
        // A pipe does not know its length, and a damaged frame may promise more than there is: what is
        // there is what is held.
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(n as u64).read_to_end(&mut bytes);
        if read.map_err(ReadFailure::Io)? < n {
            return Err(ReadFailure::End);
        }
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// How many bytes are left unread.
    fn rest(&mut self) -> std::io::Result<u64> {
        std::io::copy(&mut self.reader, &mut std::io::sink())
    }

    fn framed(&mut self, max: usize) -> Result<Vec<u8>, ReadFailure> {
        let head = self.take(4)?;
        let length = frame_length([head[0], head[1], head[2], head[3]], max)
            .map_err(|_| ReadFailure::End)?;
        self.take(length)
    }
}

/// Signatures that the threads found good.
#[derive(Default)]
struct Verified {
    good: BTreeSet<[u8; 32]>,
    fallback: VerifierCache,
}

/// Blocks to apply, or why there is none, and the signatures in them that are good.
type Batch = (Vec<Result<BlockFrame, String>>, BTreeSet<[u8; 32]>);

fn memo(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let Signature::Ed25519(bytes) = signature;
    sha256_parts(&[key.bytes(), bytes, message]).0
}

impl Verify for Verified {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        self.good.contains(&memo(key, message, signature))
            || self.fallback.verify(key, message, signature).is_ok()
    }
}

/// Audits one export: re-executes it from genesis and checks every signature, quorum and rule.
/// `expected` is the genesis hash that the caller knows; without it the file's own is believed.
/// `progress` hears the height that was read and the last one, from time to time.
///
/// An error means that the file cannot be used at all; everything else is in the report.
pub fn audit(
    path: &Path,
    expected: Option<Hash>,
    progress: &mut dyn FnMut(Height, Height),
) -> Result<Audited, Error> {
    audit_watched(path, expected, &mut |_, _| {}, progress)
}

/// What sees every block that was executed: the tables before it, and what it does.
pub type Watch<'a> = dyn FnMut(&StateTables, &Execution) + Send + 'a;

/// The same; `watch` sees every block that was executed.
pub fn audit_watched(
    path: &Path,
    expected: Option<Hash>,
    watch: &mut Watch<'_>,
    progress: &mut dyn FnMut(Height, Height),
) -> Result<Audited, Error> {
    let mut source = Source::open(path)?;
    let no_export = |error: ExportError| Error::NoExport(error.to_string());
    let header = Header::decode(&source.take(Header::BYTES)?).map_err(no_export)?;
    let first = BlockFrame::decode(&source.framed(FRAME_MAX_BYTES)?).map_err(no_export)?;
    let mut auditor = Auditor::new(&header, &first, expected);
    let mut verified = Verified::default();
    let mut keys = VerifierCache::default();
    let mut ready: Option<Batch> = None;
    let mut height = Height(0);
    let mut broken = false;
    loop {
        // Read ahead; while one batch is applied in order, the other threads verify the next.
        let (mut batch, mut records, mut held) = (Vec::new(), 0, 0);
        while height < header.height
            && !broken
            && records < BATCH_RECORDS
            && held < BATCH_BYTES
            && batch.len() < 1_024
        {
            let frame = match source.framed(FRAME_MAX_BYTES) {
                Ok(bytes) => {
                    held += bytes.len();
                    BlockFrame::decode(&bytes).map_err(|error| error.to_string())
                }
                Err(ReadFailure::End) => Err(t(
                    "audit.ends-early",
                    &[("height", height.next().to_string())],
                )),
                Err(ReadFailure::Io(error)) => return Err(Error::Unreadable(error)),
            };
            match &frame {
                Ok(frame) => {
                    height = height.next();
                    records += frame.records.len();
                    held += LIST_ITEM * (frame.records.len() + frame.derived.len());
                }
                Err(_) => broken = true,
            }
            batch.push(frame);
        }
        let known = &auditor;
        let signatures: Vec<_> = batch
            .par_iter()
            .flatten()
            .flat_map_iter(|frame| known.signatures_ahead(frame))
            .collect();
        for (key, ..) in &signatures {
            keys.learn(key);
        }
        let (frames, good) = ready.take().unwrap_or_default();
        verified.good = good;
        let (keys, auditor, verified) = (&keys, &mut auditor, &mut verified);
        let watch = &mut *watch;
        let apply = || {
            for frame in frames {
                match frame {
                    Ok(frame) => auditor.block_watched(&frame, verified, watch),
                    Err(why) => auditor.find_in_file("A14.framing", why),
                }
            }
        };
        let verify = || {
            let good = |(key, message, signature): &&(PublicKey, Vec<u8>, Signature)| {
                keys.verify_shared(key, message, signature).is_ok()
            };
            signatures
                .par_iter()
                .filter(good)
                .map(|(key, message, signature)| memo(key, message, signature))
                .collect()
        };
        let ((), good) = rayon::join(apply, verify);
        progress(height, header.height);
        if batch.is_empty() {
            break;
        }
        ready = Some((batch, good));
    }
    if broken {
        return Ok(auditor.finish(&header, &Tail::default(), false));
    }
    let tail = match source.framed(64 * 1024) {
        Ok(bytes) => decode::<Tail>(&bytes).map_err(|error| error.to_string()),
        Err(_) => Err(t("audit.no-tail", &[])),
    };
    let tail = tail.unwrap_or_else(|why| {
        auditor.find_in_file("A14.tail", why);
        Tail::default()
    });
    let computed: [u8; 32] = source.hasher.clone().finalize().into();
    let digest = source.take(32).ok();
    let surplus = source.rest().map_err(Error::Unreadable)?;
    if surplus > 0 {
        auditor.find_in_file(
            "A14.surplus",
            t("audit.surplus", &[("bytes", surplus.to_string())]),
        );
    }
    let digest_fits = digest.as_deref() == Some(computed.as_slice());
    Ok(auditor.finish(&header, &tail, digest_fits))
}
