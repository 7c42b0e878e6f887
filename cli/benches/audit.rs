//! How fast an auditor re-executes a history, as a ratio to the limit measured in the same run: verifying the same signatures with
//! the strict rule on all cores and doing nothing else.
//!
//! `cargo bench -p rollbook --bench audit [-- RECORDS]`. Mix: ballots on twelve open motions, two officers a record (the
//! alliance's own policy), 500 records a block, four validators. Not covered: records that touch many proved keys, disks.

#![allow(clippy::unwrap_used, clippy::disallowed_macros, missing_docs)]

use std::process::Command;
use std::time::Instant;

use rayon::prelude::*;
use rollbook_core::codec::decode;
use rollbook_core::crypto::{PublicKey, Signature, sha256};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::record::{Appointment, Ballot, Body, Choice, Declaration, MotionAct, MotionEffect, Proposal, Record};
use rollbook_tests::alliance::{Alliance, officers_of, secretariat};
use rollbook_tests::writer::Writer;

const MEMBERS: u32 = 24;
const MOTIONS: u32 = 12;
const BLOCK: usize = 500;

fn open_motions(writer: &mut Writer) -> Vec<u32> {
    (1..=MOTIONS)
        .map(|i| {
            let effect = MotionEffect::Appoint(Appointment {
                office: secretariat(MEMBERS),
                role: Role::Registrar,
                scope: Scope::Alliance,
                holder: officers_of(i + 9).0,
                deputy: None,
            });
            let proposal = Proposal { effect, ballot_days: 21, text: sha256(&i.to_le_bytes()) };
            writer.office(Role::Secretary, Body::Motion(MotionAct::Propose(proposal))).unwrap();
            *writer.tables().motions.last_key().unwrap()
        })
        .collect()
}

fn main() {
    let records: usize = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(20_000);
    let mut writer = Writer::founded(Alliance::new(b"bench", MEMBERS, 4));
    let motions = open_motions(&mut writer);
    let seats: Vec<u32> = writer.tables().seats.iter().map(|(organisation, _)| *organisation).collect();
    eprintln!("building {records} ballots of {} seats on {} motions", seats.len(), motions.len());
    let mut made = 0;
    while made < records {
        let block: Vec<Record> = (made..records.min(made + BLOCK))
            .map(|i| {
                let member = seats[i % seats.len()];
                let motion = motions[(i / seats.len()) % motions.len()];
                let choice = if i % 3 == 0 { Choice::Abstain } else { Choice::Yes };
                let ballot = Ballot { motion, choice, criterion: None, declaration: Declaration::None };
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

    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let started = Instant::now();
        let good = signatures.par_iter().filter(|(key, message, signature)| key.verify(message, signature).is_ok()).count();
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
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
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
    println!("full audit           {:.0} signatures/s, {:.0} records/s", count / best.1, made as f64 / best.1);
    println!("ratio                {:.0} % of the limit", 100.0 * best.0 / best.1);
}
