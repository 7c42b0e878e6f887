//! `rollbook export --tiles DIR`: the public log as a folder that any web server serves and any tlog
//! client reads (C2SP tlog-tiles; RULINGS A57, A58). It holds no secret: what is for members stands in
//! the log as a commitment.
//!
//! * The checkpoint is one that verifies from the genesis hash. Bundles come from the nodes, hash tiles are
//!   made from them here, and nothing is called done unless they give the checkpoint's root. The
//!   checkpoint is written last: a folder that is being brought up to date serves the log before.
//! * A folder that is there is gone on with: whole bundles in it are read and not fetched again.
//! * One bundle is in memory at a time, and of hash tiles the last one of each level.

use std::path::Path;

use rollbook_client::client::Client;
use rollbook_client::trust::{Trouble, Untrue};
use rollbook_node::files::{Access, replace};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::tiles::{TILE_WIDTH, Tile, TileKind, entry_bundles, read_entry_bundle};
use rollbook_proof::log::tree::{Frontier, leaf_hash, node_hash};
use rollbook_words::catalogue::t;
use serde_json::json;

use crate::failure::Failure;
use crate::files::cannot_write;
use crate::flags::{Connection, Global, MAX_AGE, Reading};
use crate::output::{busy, result};
use crate::trust;

/// Name of the checkpoint in the folder.
const CHECKPOINT: &str = "checkpoint";

/// Runs the command.
pub fn run(global: &Global, flags: &Connection, folder: &Path) -> Result<u8, Failure> {
    let reading = Reading {
        connection: flags.clone(),
        max_age: MAX_AGE.to_owned(),
    };
    let mut trust = trust::open(global, &reading)?;
    let (note, grounds) = trust.ask(|trust, node| {
        let note = node.bytes("/v1/checkpoint")?;
        let note = String::from_utf8(note).map_err(|_| Trouble::Untrue(no_text()))?;
        let grounds = trust.head(node, &note)?;
        Ok((note, grounds))
    })?;
    let working = busy("busy.tiles");
    let mut tiles = Tiles::into(folder);
    for tile in entry_bundles(0, grounds.size) {
        let bytes = tiles.bundle(trust.client(), &tile)?;
        for leaf in leaves(&tile, &bytes)? {
            tiles.push(leaf_hash(leaf))?;
        }
    }
    let root = tiles.finish()?;
    if root != grounds.root {
        // What a node told falsely is not gone on with.
        tiles.forget();
        let facts = [
            ("size", grounds.size.to_string()),
            ("node", grounds.node.clone()),
        ];
        return Err(Failure::refused(t("tiles.other-root", &facts))
            .next(t("tiles.other-root-next", &facts)));
    }
    tiles.write(CHECKPOINT, note.as_bytes())?;
    drop(working);
    let facts = [
        ("folder", folder.display().to_string()),
        ("size", grounds.size.to_string()),
        ("fetched", tiles.fetched.len().to_string()),
    ];
    result(
        t("tiles.done", &facts),
        json!({ "folder": folder, "size": grounds.size, "root": root, "fetched": tiles.fetched.len() }),
    );
    Ok(0)
}

fn no_text() -> Untrue {
    Untrue::Form("no text".to_owned())
}

/// The leaves of a bundle, as many as it must have.
fn leaves<'a>(tile: &Tile, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, Failure> {
    let leaves = read_entry_bundle(bytes);
    leaves
        .filter(|leaves| leaves.len() == usize::from(tile.width))
        .ok_or_else(|| {
            let facts = [("tile", tile.path())];
            Failure::refused(t("tiles.no-bundle", &facts)).next(t("tiles.other-root-next", &facts))
        })
}

/// A folder of tiles that is being written.
struct Tiles<'a> {
    folder: &'a Path,
    /// Of each level, the hashes of the tile under way, and its index.
    levels: Vec<(Vec<Hash>, u64)>,
    frontier: Frontier,
    /// Paths of the bundles that came from a node.
    fetched: Vec<String>,
}

impl Tiles<'_> {
    fn into(folder: &Path) -> Tiles<'_> {
        Tiles {
            folder,
            levels: Vec::new(),
            frontier: Frontier::new(),
            fetched: Vec::new(),
        }
    }

    /// A bundle from the folder if it is there as a whole, else from a node and into the folder.
    fn bundle(&mut self, client: &Client, tile: &Tile) -> Result<Vec<u8>, Failure> {
        let path = tile.path();
        if u64::from(tile.width) == TILE_WIDTH
            && let Ok(bytes) = std::fs::read(self.folder.join(&path))
        {
            return Ok(bytes);
        }
        let bytes = client.bytes(&format!("/v1/log/{path}"))?;
        leaves(tile, &bytes)?;
        self.write(&path, &bytes)?;
        self.fetched.push(path);
        Ok(bytes)
    }

    /// Removes the bundles that were fetched.
    fn forget(&mut self) {
        for path in std::mem::take(&mut self.fetched) {
            let _ = std::fs::remove_file(self.folder.join(path));
        }
    }

    fn push(&mut self, leaf: Hash) -> Result<(), Failure> {
        self.frontier.append(leaf);
        let (mut hash, mut level) = (leaf, 0);
        loop {
            if self.levels.len() == level {
                self.levels.push((Vec::new(), 0));
            }
            let Some((hashes, _)) = self.levels.get_mut(level) else {
                return Ok(());
            };
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                return Ok(());
            }
            hash = self.end(level)?;
            level += 1;
        }
    }

    /// Writes the tile of a level as far as it is; the hash of all of it.
    fn end(&mut self, level: usize) -> Result<Hash, Failure> {
        let Some((hashes, index)) = self.levels.get_mut(level) else {
            return Ok(Hash::ZERO);
        };
        let mut row = std::mem::take(hashes);
        let tile = Tile {
            kind: TileKind::Hashes(u8::try_from(level).unwrap_or(u8::MAX)),
            index: *index,
            width: u16::try_from(row.len()).unwrap_or(u16::MAX),
        };
        *index += 1;
        let bytes: Vec<u8> = row.iter().flat_map(|hash| hash.0).collect();
        self.write(&tile.path(), &bytes)?;
        while row.len() > 1 {
            let pairs = row.chunks(2);
            row = pairs
                .filter_map(|pair| match pair {
                    [left, right] => Some(node_hash(left, right)),
                    _ => None,
                })
                .collect();
        }
        Ok(row.first().copied().unwrap_or(Hash::ZERO))
    }

    /// Writes what is left of each level; the root of all.
    fn finish(&mut self) -> Result<Hash, Failure> {
        for level in 0..self.levels.len() {
            let is_open = self
                .levels
                .get(level)
                .is_some_and(|(hashes, _)| !hashes.is_empty());
            if is_open {
                self.end(level)?;
            }
        }
        Ok(self.frontier.root())
    }

    /// Everybody may read the folder: a web server does.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        }
        replace(&path, bytes, Access::Everybody)
            .map_err(|error| cannot_write(&path, error.reason()))
    }
}
