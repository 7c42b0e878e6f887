//! A node that is away costs a moment, not a quarter of every hour (RULINGS A56): one of four real nodes
//! is killed under load, and what it cost is counted from the certificates in the chain.
//!
//! The normal run sees the first hundred blocks and a few more; `ROLLBOOK_AWAY=1` sees four hundred.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Instant;

use rollbook_core::block::BlockBody;
use rollbook_core::export::BlockFrame;
use rollbook_node::runtime::doctor;
use rollbook_proof::codec::decode;
use rollbook_proof::number::OrganisationId;
use rollbook_tests::load::Load;
use rollbook_tests::sim::chain;
use rollbook_tests::testnet::{Net, frames};

const AWAY: u32 = 4;

/// In which round each block was decided, from block 1 on, by the certificate that the next one carries.
fn rounds(export: &[u8]) -> Vec<u32> {
    let round = |frame: &&[u8]| {
        let frame = BlockFrame::decode(frame).unwrap();
        let body: BlockBody = decode(&frame.body()).unwrap();
        body.system.parent_certificate.unwrap().round
    };
    frames(export)[2..].iter().map(round).collect()
}

/// Whose proposal each of them was, and who was passed over before, counted a second time.
fn proposers(rounds: &[u32]) -> Vec<(OrganisationId, Vec<OrganisationId>)> {
    let seats: Vec<OrganisationId> = (1..=4).map(OrganisationId).collect();
    let mut missed = BTreeMap::new();
    let mut turns = chain::turns(&seats, 1, &missed);
    let mut all = Vec::new();
    for (height, round) in (1..).zip(rounds) {
        let round = *round as usize;
        let passed = turns.iter().cycle().take(round).copied().collect();
        all.push((turns[round % turns.len()], passed));
        // The block after it carries the certificate; the order of that block is older.
        let next = chain::turns(&seats, height + 1, &missed);
        chain::count(&mut missed, &turns, round, height + 1);
        turns = next;
    }
    all
}

fn height(net: &Net) -> u64 {
    net.status(1).unwrap()["height"].as_u64().unwrap()
}

fn until_height(net: &Net, wanted: u64) {
    net.until("the chain has grown", 1, |status| {
        status["height"].as_u64() >= Some(wanted)
    });
}

#[test]
fn one_of_four_killed_under_load_costs_a_moment() {
    let long = std::env::var("ROLLBOOK_AWAY").is_ok();
    let mut net = Net::up("away");
    let load = Load::start(&net, &[1, 2, 3, 5], &[1, 2, 3]);
    load.goes_on(10, &net);
    net.testnet.kill(AWAY).unwrap();
    let (left, begun, before) = (height(&net), Instant::now(), load.acknowledged());
    until_height(&net, left + 102);

    // Who stands behind is told, by the status and by the doctor.
    let status = net.until("somebody stands behind", 1, |status| {
        status["behind"][0]["organisation"] == AWAY
    });
    let behind = &status["behind"][0];
    assert!(behind["missed"].as_u64() >= Some(1), "{status}");
    assert!(
        behind["until"].as_u64() > behind["since"].as_u64(),
        "{status}"
    );
    let findings = doctor::examine(&net.testnet.config_path(1));
    let told = "organisation O-0004 proposes after the others";
    let finding = findings.iter().find(|finding| finding.what.contains(told));
    assert_eq!(
        finding.map(|finding| finding.weight),
        Some("note"),
        "{findings:#?}"
    );

    until_height(&net, left + if long { 402 } else { 142 });
    let seconds = begun.elapsed().as_secs_f64();
    let rate = (load.acknowledged() - before) as f64 / seconds;
    net.testnet.start(AWAY).unwrap();
    let back = height(&net);
    until_height(&net, back + if long { 302 } else { 202 });
    drop(load.finish(&net));
    net.check(&net.nodes());

    let export = net.export(1, height(&net));
    let rounds = rounds(&export);
    let proposers = proposers(&rounds);
    // Block n is at n - 1. A round that others lost has another cause: a busy machine.
    let late = |from: u64, to: u64, counts: &dyn Fn(&[OrganisationId]) -> bool| {
        let blocks = &proposers[from as usize..to as usize];
        blocks.iter().filter(|(_, passed)| counts(passed)).count()
    };
    let by_away = |passed: &[OrganisationId]| passed.iter().any(|who| who.0 == AWAY);
    let by_others =
        |passed: &[OrganisationId]| !passed.is_empty() && passed.iter().all(|who| who.0 != AWAY);
    let first = late(left, left + 100, &by_away);
    let others = late(left, back, &by_others);
    let most = (left + 100..back.saturating_sub(200).max(left + 101))
        .map(|from| late(from, (from + 200).min(back), &by_away))
        .max()
        .unwrap_or(0);
    let again = proposers
        .iter()
        .skip(back as usize + 1)
        .position(|(who, _)| who.0 == AWAY);
    println!(
        "{} blocks without node {AWAY} in {seconds:.0} s, {rate:.0} records a second; {first} of the first \
         100 needed a second round, at most {most} of 200 later; {others} in all that others lost; it \
         proposes again after {again:?} blocks",
        back - left
    );
    assert!(
        others * 10 <= (back - left) as usize,
        "{others} blocks late without node {AWAY}: {rounds:?}"
    );
    assert!(first <= 5, "{first} of the first 100 blocks: {rounds:?}");
    assert!(most <= 3, "{most} of 200 blocks: {rounds:?}");
    assert!(again.is_some_and(|blocks| blocks < 300), "{again:?}");
}
