use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;

use super::*;

const CHAIN: Hash = Hash([3; 32]);

/// A block whose every entry follows from its height, so that it can be judged whole.
fn block(height: u64) -> BlockWrite {
    let of = |what: &str, at: u64| sha256(format!("{what}/{height}/{at}").as_bytes());
    let mut body = Vec::new();
    (0..400).for_each(|at| body.extend_from_slice(&of("body", at).0));
    BlockWrite {
        height: Height(height),
        seal: of("seal", 0).0.repeat(7),
        certificate: if height == 0 {
            Vec::new()
        } else {
            of("certificate", 0).0.repeat(20)
        },
        body: split_body(&body),
        rows: (0..30)
            .map(|at| Row {
                table: at as u8 % 3,
                key: of("row", at).0.to_vec(),
                value: Some(height.to_be_bytes().to_vec()),
            })
            .collect(),
        log_nodes: (0..20)
            .map(|at| ((at as u8 % 2, height * 10 + at / 2), of("log", at)))
            .collect(),
        leaf_count: (height + 1) * 10,
        records: (0..20)
            .map(|at| {
                (
                    of("record", at).0[..16].try_into().unwrap(),
                    (Height(height), at as u32),
                )
            })
            .collect(),
        meta: vec![(b"newest".to_vec(), height.to_be_bytes().to_vec())],
    }
}

/// The rows as a node has them once it is open.
fn rows_of(store: &dyn Store) -> BTreeMap<(u8, Vec<u8>), Vec<u8>> {
    let mut rows = BTreeMap::new();
    let visit = &mut |table, key: &[u8], value: Option<&[u8]>| {
        match value {
            Some(value) => rows.insert((table, key.to_vec()), value.to_vec()),
            None => rows.remove(&(table, key.to_vec())),
        };
        true
    };
    store.rows(visit).unwrap();
    rows
}

/// Everything up to the tip is there, entry for entry, and nothing else is.
fn assert_whole(store: &dyn Store) -> u64 {
    let Some(tip) = store.tip().unwrap() else {
        return 0;
    };
    assert_eq!(tip.leaf_count, (tip.height.0 + 1) * 10);
    let rows = rows_of(store);
    for height in 0..=tip.height.0 {
        let expected = block(height);
        let stored = store.block(Height(height)).unwrap().unwrap();
        assert_eq!(
            stored,
            StoredBlock {
                seal: expected.seal,
                certificate: expected.certificate,
                body: expected.body.concat()
            }
        );
        for Row { table, key, value } in expected.rows {
            assert_eq!(rows.get(&(table, key)), value.as_ref());
        }
        for ((level, index), hash) in expected.log_nodes {
            assert_eq!(store.log_node(level, index).unwrap(), Some(hash));
        }
        for (prefix, place) in expected.records {
            assert_eq!(store.record(&prefix).unwrap(), Some(place));
        }
    }
    let next = block(tip.height.0 + 1);
    assert_eq!(store.block(tip.height.next()).unwrap(), None);
    assert!(
        next.log_nodes
            .iter()
            .all(|((level, index), _)| store.log_node(*level, *index).unwrap().is_none())
    );
    assert!(
        next.records
            .iter()
            .all(|(prefix, _)| store.record(prefix).unwrap().is_none())
    );
    assert_eq!(rows.len() as u64, (tip.height.0 + 1) * 30);
    assert_eq!(
        store.meta(b"newest").unwrap(),
        Some(tip.height.0.to_be_bytes().to_vec())
    );
    tip.height.0
}

fn contract(store: &dyn Store) {
    assert_eq!(store.tip().unwrap(), None);
    assert_eq!(
        store.commit(&block(1)),
        Err(StoreError::OutOfOrder {
            height: Height(1),
            due: Height(0)
        })
    );
    (0..5).for_each(|height| store.commit(&block(height)).unwrap());
    store.note(b"beside", b"a receipt").unwrap();
    assert_eq!(
        store.meta(b"beside").unwrap().as_deref(),
        Some(b"a receipt".as_slice())
    );
    assert_eq!(
        store.commit(&block(4)),
        Err(StoreError::OutOfOrder {
            height: Height(4),
            due: Height(5)
        })
    );
    assert_eq!(
        store.commit(&block(6)),
        Err(StoreError::OutOfOrder {
            height: Height(6),
            due: Height(5)
        })
    );
    assert_eq!(assert_whole(store), 4);
    store.flush().unwrap();

    let long = |what| matches!(what, Err(StoreError::TooLong { .. }));
    assert!(long(store.commit(&BlockWrite {
        body: vec![vec![0; VALUE_MAX + 1]],
        ..block(5)
    })));
    assert_eq!(assert_whole(store), 4, "a refused block leaves nothing");

    // Removal.
    let gone = block(2).rows[0].clone();
    let changed = BlockWrite {
        rows: vec![Row {
            value: None,
            ..gone.clone()
        }],
        ..BlockWrite {
            height: Height(5),
            ..BlockWrite::default()
        }
    };
    store.commit(&changed).unwrap();
    assert_eq!(rows_of(store).get(&(gone.table, gone.key)), None);
    assert_eq!(
        store.block(Height(5)).unwrap().unwrap().body,
        Vec::<u8>::new()
    );
    let mut seen = 0;
    let visit = &mut |_, _: &[u8], _: Option<&[u8]>| {
        seen += 1;
        seen < 3
    };
    store.rows(visit).unwrap();
    assert_eq!(seen, 3, "the visitor ends the visit");
}

#[test]
fn both_stores_keep_the_contract() {
    let memory = MemoryStore::new();
    contract(&memory);
    let copy = memory.fork();
    memory.wipe();
    assert_eq!(memory.tip().unwrap(), None);
    assert_eq!(copy.tip().unwrap().map(|tip| tip.height), Some(Height(5)));

    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (store, opened) = SledStore::open(&dir, &CHAIN).unwrap();
    assert_eq!(
        opened,
        Opened {
            created: true,
            set_aside: vec![],
            tip: None
        }
    );
    contract(&store);
    assert!(store.size_on_disk().unwrap() > 0);
}

#[test]
fn a_folder_is_claimed_reopened_and_wiped() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (store, _) = SledStore::open(&dir, &CHAIN).unwrap();
    (0..20).for_each(|height| store.commit(&block(height)).unwrap());
    drop(store);
    let error = SledStore::open(&dir, &Hash([4; 32])).unwrap_err();
    assert!(
        matches!(error, StoreError::Foreign { .. })
            && error.to_string().contains("rebuilt from the journal"),
        "{error}"
    );

    // What a process leaves that is killed while it opens: a half-written snapshot.
    let half = dir.join("snap.00000000FFFFFFFF.generating");
    std::fs::write(&half, [1; 40]).unwrap();
    let (store, opened) = SledStore::open(&dir, &CHAIN).unwrap();
    assert_eq!(
        opened.set_aside,
        [dir.join("set-aside-snap.00000000FFFFFFFF.generating")]
    );
    assert!(!half.exists() && !opened.created);
    assert_eq!(assert_whole(&store), 19);
    let blobs = std::fs::read_dir(dir.join("blobs")).map_or(0, |entries| entries.count());
    assert_eq!(blobs, 0, "no value goes to sled's unsynced files");
    drop(store);

    // One that another release wrote is not of another chain: it may be made again. A process that
    // another test begins at this moment holds the folder's lock until it has become its program.
    let open = |_| {
        let database = sled::Config::new().path(&dir).open();
        database
            .inspect_err(|_| std::thread::sleep(std::time::Duration::from_millis(50)))
            .ok()
    };
    let meta = (0..100).find_map(open).unwrap().open_tree("meta").unwrap();
    meta.insert("format", "rollbook store 0").unwrap();
    drop(meta);
    let refused = SledStore::open(&dir, &CHAIN).map(drop);
    assert!(
        matches!(refused, Err(StoreError::Failed { why, .. }) if why.contains("another release"))
    );

    std::fs::write(dir.join("thesis.odt"), b"x").unwrap();
    let refused = SledStore::wipe(&dir);
    assert!(matches!(refused, Err(StoreError::NotAStore { found, .. }) if found == "thesis.odt"));
    std::fs::remove_file(dir.join("thesis.odt")).unwrap();
    SledStore::wipe(&dir).unwrap();
    assert!(!dir.exists());
    SledStore::wipe(&dir).unwrap();
    let (store, opened) = SledStore::open(&dir, &CHAIN).unwrap();
    assert!(opened.created);
    assert_eq!(store.tip().unwrap(), None);
}

/// Not a test of its own: the process that [`killed_processes_leave_whole_blocks`] kills.
#[test]
fn writer_process() {
    let Ok(dir) = std::env::var("ROLLBOOK_TEST_STORE") else {
        return;
    };
    let (store, _) = SledStore::open(Path::new(&dir), &CHAIN).unwrap();
    let mut next = store.tip().unwrap().map_or(0, |tip| tip.height.0 + 1);
    loop {
        store.commit(&block(next)).unwrap();
        if next % 7 == 0 {
            store.flush().unwrap();
        }
        println!("stored {next}");
        next += 1;
    }
}

#[test]
fn killed_processes_leave_whole_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (mut tip, mut grew) = (0, 0);
    for trial in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::tests::writer_process",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("ROLLBOOK_TEST_STORE", &dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The pipe stays open to the end: a writer that cannot print would end by itself, and in
        // order.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Every fourth is killed early, perhaps while it opens; the others somewhere in a commit.
        if trial % 4 != 3 {
            let wanted = 10 + trial as usize * 3;
            let stored = lines
                .by_ref()
                .map_while(Result::ok)
                .filter(|line| line.contains("stored"))
                .take(wanted);
            assert_eq!(stored.count(), wanted, "the writer writes");
        }
        std::thread::sleep(Duration::from_micros(trial * 617 % 5_000));
        child.kill().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()),
            Some(9)
        );
        let (store, _) = SledStore::open(&dir, &CHAIN).unwrap();
        let now = assert_whole(&store);
        assert!(
            now >= tip,
            "sled may lag, but not behind what an earlier process opened"
        );
        grew += u64::from(now > tip);
        tip = now;
    }
    assert!(grew >= 8, "{grew} of 12 processes got something stored");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Any blocks: both stores answer every question alike.
    #[test]
    fn the_stores_agree(blocks in prop::collection::vec(arbitrary_block(), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let (sled, _) = SledStore::open(&folder.path().join("store"), &CHAIN).unwrap();
        let memory = MemoryStore::new();
        for (height, mut block) in (0..).zip(blocks.clone()) {
            block.height = Height(height);
            prop_assert_eq!(sled.commit(&block), memory.commit(&block));
        }
        prop_assert_eq!(sled.tip(), memory.tip());
        for height in 0..=blocks.len() as u64 {
            prop_assert_eq!(sled.block(Height(height)), memory.block(Height(height)));
        }
        let mut expected = BTreeMap::new();
        for Row { table, key, value } in blocks.iter().flat_map(|block| block.rows.clone()) {
            match value {
                Some(value) => expected.insert((table, key), value),
                None => expected.remove(&(table, key)),
            };
        }
        prop_assert_eq!(&rows_of(&sled), &expected);
        prop_assert_eq!(rows_of(&memory), expected);
    }
}

fn arbitrary_block() -> impl Strategy<Value = BlockWrite> {
    let key = || prop::collection::vec(0..3_u8, 1..4);
    let value = || prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    let row = (0..4_u8, key(), value()).prop_map(|(table, key, value)| Row { table, key, value });
    (
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..4),
        prop::collection::vec(row, 0..10),
        any::<u32>(),
    )
        .prop_map(|(body, rows, leaves)| BlockWrite {
            seal: vec![1, 2, 3],
            body,
            rows,
            leaf_count: u64::from(leaves),
            ..BlockWrite::default()
        })
}
