//! The index file beside a closed segment of `blocks`: derived, and written again whenever it does not fit.

use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};
use rollbook_proof::codec;
use rollbook_proof::codec::{DecodeError, Wire};
use rollbook_proof::crypto::{Hash, sha256, sha256_parts};

use super::blocks::IndexEntry;
use super::frame;
use super::frame::Header;
use crate::disk::{Disk, DiskError};

/// The index file of a closed segment.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct IndexFile {
    pub(super) version: u32,
    /// Check of the segment's header.
    pub(super) header: [u8; 16],
    pub(super) length: u64,
    pub(super) digest: Hash,
    pub(super) entries: Vec<IndexEntry>,
}

impl Wire for IndexFile {
    const MAX: usize = 32 * 1024 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        if self.version == frame::VERSION {
            Ok(())
        } else {
            Err(DecodeError::rule("unknown version"))
        }
    }
}

/// Where the index file of a segment lies.
pub(super) fn index_path(segment: &Path) -> PathBuf {
    segment.with_extension("idx")
}

/// Reads an index file; `None` for anything but a whole one that fits its segment.
pub(super) fn load_index(
    disk: &dyn Disk,
    segment: &Path,
    header: &Header,
    length: u64,
    digest: &Hash,
) -> Option<Vec<IndexEntry>> {
    let file = disk.open(&index_path(segment)).ok()?;
    let total = usize::try_from(file.len().ok()?)
        .ok()
        .filter(|total| *total >= 32 && *total <= IndexFile::MAX + 32)?;
    let mut bytes = vec![0; total];
    file.read_at(0, &mut bytes).ok()?;
    let (content, check) = bytes.split_at(total - 32);
    if sha256(content).0 != *check {
        return None;
    }
    let index: IndexFile = codec::decode(content).ok()?;
    let fits = index.header == header.check() && index.length == length && index.digest == *digest;
    fits.then_some(index.entries)
}

/// Writes an index file under a temporary name first, so that no half of one is ever seen.
pub(super) fn save_index(
    disk: &dyn Disk,
    dir: &Path,
    segment: &Path,
    index: &IndexFile,
) -> Result<(), DiskError> {
    let (path, temporary) = (index_path(segment), segment.with_extension("idx.tmp"));
    let content = codec::encode(index);
    let mut file = disk.create(&temporary)?;
    file.append(&content)?;
    file.append(&sha256_parts(&[&content]).0)?;
    file.sync()?;
    disk.rename(&temporary, &path)?;
    disk.sync_dir(dir)
}
