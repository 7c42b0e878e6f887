//! Tiles, by the numbers and paths of the specification.

use std::collections::BTreeMap;

use proptest::prelude::*;

use rollbook_proof::log::tiles::*;
use rollbook_proof::log::tree::{
    MemoryNodes, NodeReader as _, SIZE_MAX, inclusion_proof, leaf_hash, root_at,
};

fn tile(kind: TileKind, index: u64, width: u16) -> Tile {
    Tile { kind, index, width }
}

#[test]
fn paths_of_the_specification() {
    assert_eq!(
        tile(TileKind::Hashes(0), 1234067, 256).path(),
        "tile/0/x001/x234/067"
    );
    assert_eq!(tile(TileKind::Hashes(3), 0, 17).path(), "tile/3/000.p/17");
    assert_eq!(
        tile(TileKind::Entries, 1000, 1).path(),
        "tile/entries/x001/000.p/1"
    );
    assert_eq!(tile(TileKind::Entries, 999, 256).path(), "tile/entries/999");
    for bad in [
        "tile/0/1234067",
        "tile/00/000",
        "tile/8/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/",
        "/tile/0/000",
        "tile/0/0é0",
        "tile/entries/00x",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(Tile::parse(bad), None, "{bad}");
    }
}

#[test]
fn seventy_thousand_leaves_as_in_the_specification() {
    let mut count = BTreeMap::new();
    for tile in hash_tiles(0, 70_000) {
        let TileKind::Hashes(level) = tile.kind else {
            unreachable!()
        };
        *count.entry((level, tile.width)).or_insert(0) += 1;
    }
    assert_eq!(
        count,
        BTreeMap::from([
            ((0, 256), 273),
            ((0, 112), 1),
            ((1, 256), 1),
            ((1, 17), 1),
            ((2, 1), 1)
        ])
    );
    let of_256: Vec<String> = hash_tiles(0, 256).map(|t| t.path()).collect();
    assert_eq!(of_256, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(
        hash_tiles(0, 0).count() + hash_tiles(300, 300).count() + entry_bundles(0, 0).count(),
        0
    );
    let grown: Vec<String> = hash_tiles(300, 520).map(|t| t.path()).collect();
    assert_eq!(grown, ["tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2"]);
}

#[test]
fn a_log_from_its_files_is_the_same_log() {
    let size = 1_000u64;
    let leaves: Vec<Vec<u8>> = (0..size).map(|i| vec![i as u8; (i % 7) as usize]).collect();
    let mut nodes = MemoryNodes::new();
    let mut bundler = EntryBundler::at_bundle(0);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for leaf in &leaves {
        nodes.push(leaf);
        files.extend(
            bundler
                .push(leaf)
                .unwrap()
                .map(|(tile, bytes)| (tile.path(), bytes)),
        );
    }
    files.extend(bundler.finish().map(|(tile, bytes)| (tile.path(), bytes)));
    assert_eq!(bundler.finish(), None);
    assert_eq!(
        files.keys().cloned().collect::<Vec<_>>(),
        entry_bundles(0, size).map(|t| t.path()).collect::<Vec<_>>()
    );
    let read: Vec<Vec<u8>> = entry_bundles(0, size)
        .flat_map(|t| {
            read_entry_bundle(&files[&t.path()])
                .unwrap()
                .into_iter()
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(read, leaves);

    files.extend(hash_tiles(0, size).map(|t| (t.path(), hash_tile_bytes(&nodes, &t).unwrap())));
    let client = TileNodes::new(size, |tile: &Tile| files.get(&tile.path()).cloned());
    assert_eq!(root_at(&client, size).unwrap(), nodes.root());
    for index in [0, 1, 255, 256, 511, 768, 999] {
        assert_eq!(
            inclusion_proof(&client, index, size),
            inclusion_proof(&nodes, index, size)
        );
    }
    assert_eq!(client.node(0, size), None);
    assert_eq!(client.node(255, 0), None);
    assert_eq!(client.node(63, u64::MAX), None);
}

#[test]
fn refuses_broken_files() {
    assert_eq!(read_hash_tile(&[]), None);
    assert_eq!(read_hash_tile(&[0; 33]), None);
    assert_eq!(read_hash_tile(&[0; 32 * 257]), None);
    assert_eq!(read_hash_tile(&[0; 64]).unwrap().len(), 2);
    assert_eq!(read_entry_bundle(&[]), None);
    assert_eq!(read_entry_bundle(&[0]), None);
    assert_eq!(read_entry_bundle(&[0, 2, 1]), None);
    assert_eq!(
        read_entry_bundle(&[0, 0, 0, 1, 9]).unwrap(),
        [&[] as &[u8], &[9]]
    );
    assert_eq!(read_entry_bundle(&[0; 2 * 257]), None);
    assert_eq!(read_entry_bundle(&[0; 2 * 256]).unwrap().len(), 256);
    let mut bundler = EntryBundler::default();
    assert_eq!(bundler.push(&[0; 65_536]), Err(LeafTooLong(65_536)));
    assert_eq!(
        bundler.finish(),
        None,
        "a refused leaf leaves nothing behind"
    );
    assert!(bundler.push(&[0; 65_535]).unwrap().is_none());
    assert!(hash_tile_bytes(&MemoryNodes::new(), &tile(TileKind::Entries, 0, 1)).is_err());
    assert_ne!(leaf_hash(&[0]), leaf_hash(&[]));
}

proptest! {
    #[test]
    fn paths_read_back(level in 0u8..=7, index in 0u64..SIZE_MAX, width in 1u16..=256, entries: bool) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        let tile = tile(kind, index, width);
        prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
    }

    #[test]
    fn arbitrary_input_never_panics(text in "(tile/)?[0-9a-z./é]{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Tile::parse(&text);
        let _ = read_entry_bundle(&bytes);
        let _ = read_hash_tile(&bytes);
    }
}
