//! C2SP `tlog-tiles`: the log as plain files that any web server can serve and any tlog client can
//! read.
//!
//! * A hash tile of level L holds up to 256 hashes of nodes of tree level 8L; an entry bundle holds
//!   up to 256 leaves, each after its length as a big-endian u16. So a leaf has at most 65,535
//!   bytes.
//! * Full tiles never change. For a published size the partial tiles of that size exist too; width
//!   0 does not.
//! * Pure functions: from readers and leaves to `(path, bytes)`, one tile in memory at a time, and
//!   back.
//!
//! Absent on purpose: pruning, compression, HTTP.

use crate::crypto::Hash;
use crate::log::checkpoint::decimal;
use crate::log::tree::{NodeReader, SIZE_MAX, TreeError, node_hash};

/// Hashes in a full tile, leaves in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Longest leaf, in bytes.
pub const LEAF_MAX_BYTES: usize = u16::MAX as usize;
/// Highest tile level of a log shorter than 2^63.
pub const TILE_LEVEL_MAX: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of nodes of tree level 8 times this.
    Hashes(u8),
    /// Leaves.
    Entries,
}

/// One file of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Hashes of a level, or leaves.
    pub kind: TileKind,
    /// Index in the level.
    pub index: u64,
    /// 1 to 256; 256 is a full tile.
    pub width: u16,
}

/// A leaf is longer than [`LEAF_MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a leaf of {0} bytes is too long, at most 65535 are allowed")]
pub struct LeafTooLong(pub usize);

impl Tile {
    /// The path below the log's address, such as `tile/0/x001/x234/067.p/12` or `tile/entries/000`.
    pub fn path(&self) -> String {
        let mut path = match self.kind {
            TileKind::Hashes(level) => format!("tile/{level}/"),
            TileKind::Entries => "tile/entries/".to_owned(),
        };
        let digits = self.index.to_string();
        let digits = format!("{}{digits}", "0".repeat((3 - digits.len() % 3) % 3));
        let groups = digits.len() / 3;
        for group in 0..groups {
            let last = group + 1 == groups;
            path += if last { "" } else { "x" };
            path += &digits[3 * group..3 * group + 3];
            path += if last { "" } else { "/" };
        }
        if u64::from(self.width) < TILE_WIDTH {
            path += &format!(".p/{}", self.width);
        }
        path
    }

    /// Reads a path; `None` if it is not exactly what [`Tile::path`] writes for some tile of a log
    /// shorter than 2^63.
    pub fn parse(path: &str) -> Option<Tile> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(
                decimal(level)?
                    .try_into()
                    .ok()
                    .filter(|level| *level <= TILE_LEVEL_MAX)?,
            ),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, u16::try_from(decimal(width)?).ok()?),
            None => (rest, TILE_WIDTH as u16),
        };
        // At most seven groups of three digits: 2^63 has nineteen digits.
        if index.len() > 7 * 5 || width == 0 || u64::from(width) > TILE_WIDTH {
            return None;
        }
        let digits: String = index.chars().filter(|c| *c != 'x' && *c != '/').collect();
        let index = digits.parse().ok().filter(|index| *index < SIZE_MAX)?;
        let tile = Tile { kind, index, width };
        (tile.path() == path).then_some(tile)
    }

    /// The full tile at the same place.
    pub fn full(self) -> Tile {
        Tile {
            width: TILE_WIDTH as u16,
            ..self
        }
    }
}

/// Tiles of one kind that a log has at `new` and had not at `old` leaves; `unit_bits` is log2 of
/// leaves in one item.
fn grown(kind: TileKind, unit_bits: u32, old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let (old, new) = (old >> unit_bits, new >> unit_bits);
    let full = (old / TILE_WIDTH..new / TILE_WIDTH).map(move |index| Tile {
        kind,
        index,
        width: TILE_WIDTH as u16,
    });
    let width = (new % TILE_WIDTH) as u16;
    let partial = (width != 0 && new != old).then_some(Tile {
        kind,
        index: new / TILE_WIDTH,
        width,
    });
    full.chain(partial)
}

/// The hash tiles that a log of `new` leaves has and one of `old` had not, level by level; all of
/// them from `old` = 0.
pub fn hash_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..=TILE_LEVEL_MAX)
        .flat_map(move |level| grown(TileKind::Hashes(level), 8 * u32::from(level), old, new))
}

/// The entry bundles that a log of `new` leaves has and one of `old` had not; all of them from
/// `old` = 0.
pub fn entry_bundles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    grown(TileKind::Entries, 0, old, new)
}

/// The bytes of a hash tile from a store. An entry bundle is none: use [`EntryBundler`].
pub fn hash_tile_bytes(reader: &impl NodeReader, tile: &Tile) -> Result<Vec<u8>, TreeError> {
    let TileKind::Hashes(level) = tile.kind else {
        return Err(TreeError::MissingNode {
            level: 0,
            index: tile.index,
        });
    };
    let level = level.saturating_mul(8);
    let mut bytes = Vec::with_capacity(32 * usize::from(tile.width));
    for at in 0..u64::from(tile.width) {
        let index = tile.index.saturating_mul(TILE_WIDTH).saturating_add(at);
        bytes.extend_from_slice(
            &reader
                .node(level, index)
                .ok_or(TreeError::MissingNode { level, index })?
                .0,
        );
    }
    Ok(bytes)
}

/// The hashes of a tile file; `None` if the length is not 32 bytes each for 1 to 256 hashes.
pub fn read_hash_tile(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && !hashes.is_empty() && hashes.len() as u64 <= TILE_WIDTH)
        .then(|| hashes.iter().copied().map(Hash).collect())
}

/// Packs leaves into bundles, one at a time.
#[derive(Debug, Clone, Default)]
pub struct EntryBundler {
    index: u64,
    width: u16,
    bytes: Vec<u8>,
}

impl EntryBundler {
    /// Starts at the first leaf of bundle `index`, which is leaf 256 * `index`.
    pub fn at_bundle(index: u64) -> Self {
        EntryBundler {
            index,
            ..Self::default()
        }
    }

    /// Adds the next leaf; returns the bundle that became full with it.
    pub fn push(&mut self, leaf: &[u8]) -> Result<Option<(Tile, Vec<u8>)>, LeafTooLong> {
        let length = u16::try_from(leaf.len()).map_err(|_| LeafTooLong(leaf.len()))?;
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(leaf);
        self.width += 1;
        Ok(if u64::from(self.width) == TILE_WIDTH {
            self.finish()
        } else {
            None
        })
    }

    /// The bundle so far, if it has leaves; the next leaf begins the next bundle.
    pub fn finish(&mut self) -> Option<(Tile, Vec<u8>)> {
        if self.width == 0 {
            return None;
        }
        let tile = Tile {
            kind: TileKind::Entries,
            index: self.index,
            width: self.width,
        };
        let bytes = std::mem::take(&mut self.bytes);
        (self.index, self.width) = (self.index.saturating_add(1), 0);
        Some((tile, bytes))
    }
}

/// The leaves of a bundle file; `None` if it is cut short or holds not 1 to 256 leaves.
pub fn read_entry_bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while !bytes.is_empty() && leaves.len() as u64 <= TILE_WIDTH {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(leaf);
        bytes = rest;
    }
    (1..=TILE_WIDTH)
        .contains(&(leaves.len() as u64))
        .then_some(leaves)
}

/// Nodes of a log of known size from its tile files, for making proofs as a client. `fetch` gets
/// the tile as it is at that size and may return the full tile instead. Nothing is trusted: what is
/// built from it is verified like any proof.
pub struct TileNodes<F> {
    size: u64,
    fetch: F,
}

impl<F: Fn(&Tile) -> Option<Vec<u8>>> TileNodes<F> {
    /// Reads the log of `size` leaves through `fetch`.
    pub fn new(size: u64, fetch: F) -> Self {
        TileNodes { size, fetch }
    }
}

impl<F: Fn(&Tile) -> Option<Vec<u8>>> NodeReader for TileNodes<F> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let (tile_level, shift) = (level / 8, level % 8);
        let items = self.size.checked_shr(8 * u32::from(tile_level))?;
        let (first, count) = (index.checked_mul(1 << shift)?, 1u64 << shift);
        if tile_level > TILE_LEVEL_MAX || first.checked_add(count)? > items {
            return None;
        }
        let tile = first / TILE_WIDTH;
        let width = (items - tile * TILE_WIDTH).min(TILE_WIDTH) as u16;
        let hashes = read_hash_tile(&(self.fetch)(&Tile {
            kind: TileKind::Hashes(tile_level),
            index: tile,
            width,
        })?)?;
        let start = (first % TILE_WIDTH) as usize;
        let mut row = hashes.get(start..start + count as usize)?.to_vec();
        while row.len() > 1 {
            row = row
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
        }
        row.first().copied()
    }
}
