//! The trace beside a kept export is enough to compute every state root and every work digest:
//! nothing of the rules and nothing of the state's code is used here, only the page on formats
//! (RULINGS A36).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use rollbook_core::export::BlockFrame;
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, sha256, sha256_parts};
use rollbook_tests::testnet::frames;
use rollbook_tests::trace::Line;

/// docs/formats.md, section 5: a subtree without an entry.
const EMPTY: &[u8; 32] = b"SPARSE_MERKLE_PLACEHOLDER_HASH__";
const FORK: &[u8] = b"JMT::IntrnalNode";
const LEAF: &[u8] = b"JMT::LeafNode";

/// Root of the entries (SHA-256 of path, SHA-256 of value) that share their first `depth` bits.
fn root(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => Hash(*EMPTY),
        [(path, value)] => sha256_parts(&[LEAF, &path.0, &value.0]),
        more => {
            let right = |entry: &(Hash, Hash)| entry.0.0[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let middle = more.partition_point(|entry| !right(entry));
            let (left, right) = more.split_at(middle);
            sha256_parts(&[FORK, &root(left, depth + 1).0, &root(right, depth + 1).0])
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/history")
}

fn lines(name: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.trace.jsonl"))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn seals(name: &str) -> Vec<Seal> {
    let export = std::fs::read(folder().join(format!("{name}.rollbook"))).unwrap();
    let seal = |frame: &&[u8]| decode(&BlockFrame::decode(frame).unwrap().seal).unwrap();
    frames(&export).iter().map(seal).collect()
}

/// The rows of a work digest's preimage: table, key, value, as the encoding says.
fn working(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>, Option<Vec<u8>>)> {
    let mut take = |n: usize| {
        let (head, rest) = bytes.split_at(n);
        bytes = rest;
        head.to_vec()
    };
    let number = |bytes: Vec<u8>| u64::from_le_bytes(bytes.try_into().unwrap()) as usize;
    take(32);
    let count = number(take(8));
    (0..count)
        .map(|_| {
            let table = take(1)[0];
            let length = number(take(8));
            let key = take(length);
            let value = match take(1)[0] {
                0 => None,
                _ => {
                    let length = number(take(8));
                    Some(take(length))
                }
            };
            (table, key, value)
        })
        .collect()
}

#[test]
fn the_trace_alone_gives_every_state_root_and_work_digest() {
    for name in ["protocol-1"] {
        let (lines, seals) = (lines(name), seals(name));
        assert_eq!(lines.len(), seals.len(), "{name}");
        let mut entries: BTreeMap<Hash, Hash> = BTreeMap::new();
        let mut digest = Hash::ZERO;
        for (line, seal) in lines.iter().zip(&seals) {
            assert_eq!(line.height, seal.height);
            let at = format!("{name}, block {}", seal.height);
            for row in &line.rows {
                if let Some(path) = &row.path {
                    let value = hex::decode(row.value.as_ref().unwrap()).unwrap();
                    entries.insert(sha256(path.as_bytes()), sha256(&value));
                }
            }
            let sorted: Vec<(Hash, Hash)> = entries
                .iter()
                .map(|(path, value)| (*path, *value))
                .collect();
            assert_eq!(root(&sorted, 0), seal.state_root, "{at}");

            let work = hex::decode(&line.work).unwrap();
            assert_eq!(sha256(&work), seal.work_digest, "{at}");
            assert_eq!(work[..32], digest.0, "{at}");
            digest = seal.work_digest;
            let told: Vec<_> = line
                .rows
                .iter()
                .filter(|row| row.path.is_none())
                .map(|row| {
                    let value = row.value.as_ref().map(|value| hex::decode(value).unwrap());
                    (row.table, hex::decode(&row.key).unwrap(), value)
                })
                .collect();
            assert_eq!(working(&work), told, "{at}");
        }
    }
}
