//! How fast an auditor re-executes a history, as a ratio to the limit measured in the same run:
//! verifying the same signatures with the strict rule on all cores with keys decoded before, and
//! doing nothing else.
//!
//! `cargo bench --workspace --bench audit [-- RECORDS]`. Mix: 90 % ballots on twelve open motions
//! with two officers (the alliance's own policy), 10 % motions proposed with one; 500 records a
//! block write 50 proved keys; four validators. The share of the state tree is measured by itself,
//! so the rate is given with and without state roots. Not covered: disks.

#![allow(clippy::unwrap_used, clippy::disallowed_macros, missing_docs)]

use std::process::Command;
use std::time::Instant;

use rayon::prelude::*;
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::record::{
    Appointment, Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, Proposal,
    Record,
};
use rollbook_core::state::{MemoryTree, TreeLeaf};
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{PublicKey, Signature, VerifierCache, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::Alliance;
use rollbook_tests::writer::Writer;

const MEMBERS: u32 = 24;
const MOTIONS: u32 = 12;
const BLOCK: usize = 500;

fn proposal(i: u32) -> Body {
    let effect = MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role: Role::Registrar,
        scope: Scope::Alliance,
        holder: PersonId(officers_of(10 + i % MOTIONS).0),
        deputy: None,
        succeeds: None,
    });
    Body::Motion(MotionAct::Propose(Proposal {
        effect,
        ballot_days: 21,
        text: sha256(&i.to_le_bytes()),
    }))
}

fn open_motions(writer: &mut Writer) -> Vec<u32> {
    (0..MOTIONS)
        .map(|i| {
            writer.office(Role::Secretary, proposal(i)).unwrap();
            writer.tables().motions.last_key().unwrap().0
        })
        .collect()
}

/// Seconds that the state tree alone takes for every block's proved entries.
fn tree_seconds(writer: &Writer) -> f64 {
    let mut ledger = Writer::new(Alliance::new(b"bench", MEMBERS, 4)).ledger;
    let mut verifier = VerifierCache::default();
    let mut leaves = Vec::new();
    for frame in &writer.frames[1..] {
        let block = ledger
            .execute(
                &frame.body(),
                &decode::<Seal>(&frame.seal).unwrap(),
                &mut verifier,
            )
            .unwrap();
        let rows = ledger.commit(&block).unwrap().execution.changes.rows;
        leaves.push(
            rows.into_iter()
                .filter_map(|row| Some((ledger.tables().proved_path(&row)?, row)))
                .collect::<Vec<_>>(),
        );
    }
    let mut tree = MemoryTree::default();
    let started = Instant::now();
    for block in leaves {
        let change = tree.prepare(
            block
                .iter()
                .map(|(path, row)| TreeLeaf::new(path, row))
                .collect(),
        );
        tree.adopt(&change);
    }
    started.elapsed().as_secs_f64()
}

fn main() {
    let records: usize = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(20_000);
    let mut writer = Writer::founded(Alliance::new(b"bench", MEMBERS, 4));
    let motions = open_motions(&mut writer);
    let seats: Vec<u32> = writer
        .tables()
        .seats
        .iter()
        .map(|(_, seat)| seat.organisation.0)
        .collect();
    eprintln!(
        "building {records} ballots of {} seats on {} motions",
        seats.len(),
        motions.len()
    );
    let mut made = 0;
    while made < records {
        let block: Vec<Record> = (made..records.min(made + BLOCK))
            .map(|i| {
                if i % 10 == 9 {
                    let secretary = writer.holder(Role::Secretary, 0);
                    return writer.sign(
                        secretariat(MEMBERS),
                        &[(secretary, Role::Secretary)],
                        proposal(i as u32),
                    );
                }
                let member = seats[i % seats.len()];
                let motion = motions[(i / seats.len()) % motions.len()];
                let choice = if i % 3 == 0 {
                    Choice::Abstain
                } else {
                    Choice::Yes
                };
                let ballot = Ballot {
                    motion: MotionId(motion),
                    round: 1,
                    replaces: Vec::new(),
                    vote: BallotVote::Choice(choice),
                    criterion: None,
                    declaration: Declaration::None,
                    proxy_for: None,
                };
                let body = Body::Motion(MotionAct::Vote(ballot));
                let signers = writer.officers(member, &body);
                writer.sign(member, &signers, body)
            })
            .collect();
        let result = writer.submit(&block);
        assert!(result.refused.is_empty(), "{:?}", result.refused.first());
        made += block.len();
    }
    let signatures: Vec<(PublicKey, Vec<u8>, Signature)> = writer
        .frames
        .iter()
        .flat_map(|frame| &frame.records)
        .map(|bytes| decode::<Record>(bytes).unwrap())
        .flat_map(|record| rollbook_core::audit::signatures_of(writer.tables(), &record))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.rollbook");
    let export = writer.export();
    std::fs::write(&file, &export).unwrap();

    let mut keys = VerifierCache::default();
    signatures.iter().for_each(|(key, ..)| keys.learn(key));
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let started = Instant::now();
        let good = signatures.par_iter().filter(|(key, message, signature)| {
            keys.verify_shared(key, message, signature).is_ok()
        });
        let good = good.count();
        best.0 = best.0.min(started.elapsed().as_secs_f64());
        assert_eq!(good, signatures.len());
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_rollbook"))
            .args(["audit", "--genesis"])
            .arg(writer.alliance.chain().to_hex())
            .arg(&file)
            .output()
            .unwrap();
        best.1 = best.1.min(started.elapsed().as_secs_f64());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    let count = signatures.len() as f64;
    println!("threads              {}", rayon::current_num_threads());
    println!(
        "records              {made} ({:.2} signatures each), {} blocks, {} bytes",
        count / made as f64,
        writer.ledger.height(),
        export.len()
    );
    println!("strict verify alone  {:.0} signatures/s", count / best.0);
    let tree = tree_seconds(&writer);
    for (what, seconds) in [
        ("full audit          ", best.1),
        ("without state roots ", best.1 - tree),
    ] {
        let (signatures, records) = (count / seconds, made as f64 / seconds);
        println!(
            "{what} {signatures:.0} signatures/s, {records:.0} records/s, {:.0} % of the limit",
            100.0 * best.0 / seconds
        );
    }
}
