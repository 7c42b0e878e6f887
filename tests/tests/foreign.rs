//! Foreign bytes, mutated: what strangers, nodes and files bring reads as what it is or is refused, in
//! bounded time and memory, and never ends the program.
//!
//! A normal run makes a seeded sample of mutations of every kind; `ROLLBOOK_MUTATIONS=10000` makes so many.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use rollbook_core::export::{BlockFrame, FRAME_MAX_BYTES, Header, frame_length};
use rollbook_core::genesis::file::GenesisFile;
use rollbook_core::id::PersonId;
use rollbook_core::pass::{Pass, SignedPass};
use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, Keypair};
use rollbook_proof::file::Bundle;
use rollbook_proof::log::tiles::{EntryBundler, read_entry_bundle};
use rollbook_proof::log::{EpochPolicy, SignedNote, TlogProof};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_tests::alliance::Alliance;
use rollbook_tests::liar::Draw;
use rollbook_tests::stranger::rss_mib;
use serde_json::Value;

fn mutations() -> usize {
    let told = std::env::var("ROLLBOOK_MUTATIONS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// How long one of them may take. Programs that are not optimised take their time.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 90 } else { 5 });

fn kept(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// One change: bits, a cut, a part twice, numbers as large as they go, noise.
fn mutate(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = draw.below(bytes.len());
    match draw.below(7) {
        0 => bytes[at] ^= 1 << draw.below(8),
        1 => bytes.truncate(at),
        2 => {
            let end = (at + draw.below(64)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        3 => {
            let end = (at + 8).min(bytes.len());
            bytes[at..end].fill(0xff);
        }
        4 => {
            let end = (at + draw.below(32)).min(bytes.len());
            bytes.drain(at..end);
        }
        5 => bytes.extend((0..draw.below(40)).map(|at| at as u8)),
        _ => {
            for _ in 0..4 {
                let at = draw.below(bytes.len());
                bytes[at] = draw.below(256) as u8;
            }
        }
    }
    bytes
}

/// A kind of bytes: an example, and whether a reader takes some; what it takes is written as it was.
struct Kind {
    name: &'static str,
    example: Vec<u8>,
    reads: fn(&[u8]) -> bool,
}

fn frames(export: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut frames) = (&export[Header::BYTES..], Vec::new());
    let height = Header::decode(&export[..Header::BYTES]).unwrap().height.0;
    for _ in 0..=height {
        let (head, body) = rest.split_first_chunk::<4>().unwrap();
        let (frame, after) = body.split_at(frame_length(*head, FRAME_MAX_BYTES).unwrap());
        frames.push(frame);
        rest = after;
    }
    frames
}

fn kinds() -> Vec<Kind> {
    let export = kept("data/history/protocol-1.rollbook");
    let all = frames(&export);
    let largest = all.iter().max_by_key(|frame| frame.len()).unwrap();
    let record = all.iter().find_map(|frame| {
        BlockFrame::decode(frame)
            .unwrap()
            .records
            .into_iter()
            .next()
    });
    let receipt: Value = serde_json::from_slice(&kept("vectors/log/receipt.json")).unwrap();
    let proof = receipt["handovers"][0]
        .as_str()
        .unwrap()
        .as_bytes()
        .to_vec();
    let note = TlogProof::parse(&proof).unwrap().note.render().unwrap();
    let mut alliance = Alliance::new(b"foreign", 5, 4);
    let genesis = alliance.genesis.clone();
    let found = alliance.found(rollbook_sandbox::alliance::OPENED_MS);
    let policy = genesis.policy_text.clone();
    let pass = Pass {
        chain: Hash([3; 32]),
        node: OrganisationId(1),
        person: PersonId(2),
        key: 0,
        until_ms: LedgerTime(7),
    };
    let mut bundler = EntryBundler::at_bundle(0);
    for leaf in [&b"one"[..], b"two and more", &[7; 300]] {
        bundler.push(leaf).unwrap();
    }
    vec![
        Kind {
            name: "export header",
            example: export[..Header::BYTES].to_vec(),
            reads: |bytes| {
                Header::decode(bytes)
                    .is_ok_and(|header| again(&header.encode(), &bytes[..Header::BYTES]))
            },
        },
        Kind {
            name: "block frame",
            example: largest.to_vec(),
            reads: |bytes| {
                BlockFrame::decode(bytes).is_ok_and(|frame| again(&frame.encode()[4..], bytes))
            },
        },
        Kind {
            name: "record",
            example: record.unwrap(),
            reads: |bytes| {
                decode::<Record>(bytes).is_ok_and(|record| again(&encode(&record), bytes))
            },
        },
        Kind {
            name: "pass",
            example: encode(&pass.sign(&Keypair::derive(b"foreign", "officer"))),
            reads: |bytes| {
                decode::<SignedPass>(bytes).is_ok_and(|pass| again(&encode(&pass), bytes))
            },
        },
        Kind {
            name: "genesis file",
            example: GenesisFile { genesis, found }.encode(),
            reads: |bytes| {
                GenesisFile::decode(bytes).is_ok_and(|file| again(&file.encode(), bytes))
            },
        },
        Kind {
            name: "tlog-proof",
            example: proof,
            reads: |bytes| {
                TlogProof::parse(bytes)
                    .is_ok_and(|proof| again(proof.render().unwrap().as_bytes(), bytes))
            },
        },
        Kind {
            name: "signed note",
            example: note.into_bytes(),
            reads: |bytes| {
                SignedNote::parse(bytes)
                    .is_ok_and(|note| again(note.render().unwrap().as_bytes(), bytes))
            },
        },
        Kind {
            name: "policy",
            example: policy.into_bytes(),
            reads: |bytes| {
                EpochPolicy::parse(bytes)
                    .is_ok_and(|policy| again(policy.render().as_bytes(), bytes))
            },
        },
        Kind {
            name: "entry bundle",
            example: bundler.finish().unwrap().1,
            reads: |bytes| read_entry_bundle(bytes).is_some(),
        },
    ]
}

/// What was read is written as it was: no two files say the same.
fn again(written: &[u8], bytes: &[u8]) -> bool {
    assert_eq!(written, bytes, "what is read is written as it was");
    true
}

#[test]
fn foreign_bytes_are_read_or_refused() {
    let before = rss_mib(std::process::id());
    for (at, kind) in (0u64..).zip(kinds()) {
        let Kind {
            name,
            example,
            reads,
        } = kind;
        assert!(reads(&example), "{name}: the example reads");
        let mut draw = Draw::new(at + 1);
        let (mut read, mut longest) = (0, Duration::ZERO);
        // A genesis that still reads is founded as a whole.
        let times = mutations() / if name == "genesis file" { 10 } else { 1 };
        for _ in 0..times {
            let bytes = mutate(&example, &mut draw);
            if bytes.is_empty() {
                continue;
            }
            let begun = Instant::now();
            read += usize::from(reads(&bytes));
            // A proof file of such bytes is none, whatever they are.
            assert!(Bundle::parse(&bytes).is_err(), "{name}");
            longest = longest.max(begun.elapsed());
        }
        println!(
            "{name}: {} bytes, {read} of {} read, at most {longest:?}",
            example.len(),
            times
        );
        assert!(longest < LONGEST, "{name}: {longest:?}");
    }
    let grown = rss_mib(std::process::id()).saturating_sub(before);
    assert!(grown < 200, "{grown} MiB more");
    empty_leaves_fill_nobodys_memory();
}

/// Sixty-one megabytes of empty leaves in one frame took four hundred and fifty of memory. Part of the one
/// test here, because memory is the process's.
fn empty_leaves_fill_nobodys_memory() {
    let export = kept("data/history/protocol-1.rollbook");
    let frame = BlockFrame::decode(frames(&export)[1]).unwrap();
    let with = |leaves: usize| BlockFrame {
        derived: vec![Vec::new(); leaves],
        ..frame.clone()
    };
    assert!(BlockFrame::decode(&with(65_536).encode()[4..]).is_ok());
    let many = with(8_000_000).encode();
    let before = rss_mib(std::process::id());
    assert!(BlockFrame::decode(&many[4..]).is_err());
    let grown = rss_mib(std::process::id()).saturating_sub(before);
    assert!(grown < 20, "{grown} MiB more");
}
