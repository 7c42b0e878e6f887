//! `rollbook export --tiles DIR`: the public log as a folder that any web server serves and any tlog
//! client reads (C2SP tlog-tiles; RULINGS A57, A58). It holds no secret: what is for members stands in
//! the log as a commitment.
//!
//! * The checkpoint is one that verifies from the genesis hash. Bundles come from the nodes, hash tiles are
//!   made from them here, and nothing is called done unless they give the checkpoint's root. The
//!   checkpoint is written last: a folder that is being brought up to date serves the log before.
//! * A folder that is there is gone on with: what its own checkpoint covers was verified with it, so those
//!   bundles are read and not fetched again; nothing else in it is believed. It never goes back to a smaller
//!   log. What was written by a run that did not end well is taken away.
//! * The node that showed the checkpoint is asked for bundles first, then the others.
//! * One bundle is in memory at a time, and of hash tiles the last one of each level.

use std::path::{Path, PathBuf};

use rollbook_client::client::Client;
use rollbook_client::trust::{Trouble, Untrue};
use rollbook_node::files::{Access, replace};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::tiles::{TILE_WIDTH, Tile, TileKind, entry_bundles, read_entry_bundle};
use rollbook_proof::log::tree::{Frontier, leaf_hash, node_hash};
use rollbook_proof::log::{Checkpoint, SignedNote};
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
    let mut tiles = Tiles::into(folder);
    if grounds.size < tiles.known {
        let facts = [
            ("folder", folder.display().to_string()),
            ("known", tiles.known.to_string()),
            ("size", grounds.size.to_string()),
            ("node", grounds.node.clone()),
        ];
        return Err(
            Failure::not_yet(t("tiles.smaller", &facts)).next(t("tiles.smaller-next", &facts))
        );
    }
    let working = busy("busy.tiles");
    let nodes = in_turn(trust.client(), &grounds.node);
    for tile in entry_bundles(0, grounds.size) {
        let bytes = tiles.bundle(&nodes, &tile)?;
        for leaf in leaves(&tile, &bytes)? {
            tiles.push(leaf_hash(leaf))?;
        }
    }
    let root = tiles.finish()?;
    if root != grounds.root {
        let facts = [
            ("size", grounds.size.to_string()),
            ("node", grounds.node.clone()),
        ];
        return Err(Failure::refused(t("tiles.other-root", &facts))
            .next(t("tiles.other-root-next", &facts)));
    }
    tiles.put(CHECKPOINT, note.as_bytes())?;
    tiles.is_done = true;
    drop(working);
    let facts = [
        ("folder", folder.display().to_string()),
        ("size", grounds.size.to_string()),
        ("fetched", tiles.fetched.to_string()),
    ];
    result(
        t("tiles.done", &facts),
        json!({ "folder": folder, "size": grounds.size, "root": root, "fetched": tiles.fetched }),
    );
    Ok(trust::tell_age(&grounds))
}

/// Each node alone, the one of this name first.
fn in_turn(client: &Client, first: &str) -> Vec<Client> {
    let mut nodes: Vec<&String> = client.nodes().iter().collect();
    nodes.sort_by_key(|node| *node != first);
    nodes.into_iter().map(|node| client.only(node)).collect()
}

/// The size of the log that a folder's checkpoint covers; 0: there is none that can be read. It says what was
/// verified when it was written, and nothing about the alliance.
fn known(folder: &Path) -> u64 {
    let note = std::fs::read(folder.join(CHECKPOINT)).ok();
    let note = note.and_then(|bytes| SignedNote::parse(&bytes).ok());
    note.and_then(|note| Checkpoint::parse(&note.text).ok())
        .map_or(0, |checkpoint| checkpoint.size)
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
    /// Entries that the folder's checkpoint covers.
    known: u64,
    /// Bundles that came from a node.
    fetched: usize,
    /// What this run has put there: taken away again unless it ends well.
    written: Vec<PathBuf>,
    is_done: bool,
}

impl Drop for Tiles<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            for path in &self.written {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Tiles<'_> {
    fn into(folder: &Path) -> Tiles<'_> {
        Tiles {
            folder,
            levels: Vec::new(),
            frontier: Frontier::new(),
            known: known(folder),
            fetched: 0,
            written: Vec::new(),
            is_done: false,
        }
    }

    /// A bundle from the folder if its checkpoint covers it, else from the first node that has it, and into
    /// the folder.
    fn bundle(&mut self, nodes: &[Client], tile: &Tile) -> Result<Vec<u8>, Failure> {
        let path = tile.path();
        let first = tile.index.saturating_mul(TILE_WIDTH);
        if first.saturating_add(u64::from(tile.width)) <= self.known
            && let Ok(bytes) = std::fs::read(self.folder.join(&path))
            && leaves(tile, &bytes).is_ok()
        {
            return Ok(bytes);
        }
        let mut last = None;
        for node in nodes {
            let told = node.bytes(&format!("/v1/log/{path}"));
            let whole = told.map_err(Failure::from).and_then(|bytes| {
                leaves(tile, &bytes)?;
                Ok(bytes)
            });
            match whole {
                Ok(bytes) => {
                    self.put(&path, &bytes)?;
                    self.fetched += 1;
                    return Ok(bytes);
                }
                Err(failure) => last = last.or(Some(failure)),
            }
        }
        Err(last.unwrap_or_else(|| Failure::unreachable(t("tiles.no-bundle", &[("tile", path)]))))
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
        self.put(&tile.path(), &bytes)?;
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

    /// Everybody may read the folder: a web server does. What stands there so already stays as it is.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(name);
        if std::fs::read(&path).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        }
        replace(&path, bytes, Access::Everybody)
            .map_err(|error| cannot_write(&path, error.reason()))?;
        self.written.push(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rollbook_proof::log::tiles::EntryBundler;

    use super::*;

    /// A bundle that a run left behind which did not end well was believed for ever, and no later run came to
    /// the checkpoint's root.
    #[test]
    fn what_no_checkpoint_covers_is_not_believed_and_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let tile = entry_bundles(0, TILE_WIDTH).next().unwrap();
        let mut bundler = EntryBundler::at_bundle(0);
        let whole = (0..TILE_WIDTH).find_map(|_| bundler.push(b"leaf").unwrap());
        let (_, bytes) = whole.unwrap();
        let path = folder.path().join(tile.path());
        let mut tiles = Tiles::into(folder.path());
        assert_eq!(tiles.known, 0);
        tiles.put(&tile.path(), &bytes).unwrap();
        assert!(tiles.bundle(&[], &tile).is_err(), "of no checkpoint");
        drop(tiles);
        assert!(!path.exists(), "the run did not end well");

        let mut tiles = Tiles::into(folder.path());
        tiles.put(&tile.path(), &bytes).unwrap();
        tiles.is_done = true;
        drop(tiles);
        let mut tiles = Tiles::into(folder.path());
        tiles.known = TILE_WIDTH;
        assert_eq!(tiles.bundle(&[], &tile).unwrap(), bytes);
        // What stood there before stays whatever becomes of this run.
        tiles.put(&tile.path(), &bytes).unwrap();
        drop(tiles);
        assert!(path.exists());
    }
}
