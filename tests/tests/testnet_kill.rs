//! Kills under load. After each story: equal state roots, equal exports, a clean audit, and every
//! record that a node once called decided or receipted is in it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::Net;

/// A small generator, so that a story can be told again from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Kills of one run; `ROLLBOOK_KILLS` asks for another number.
const KILLS: u64 = 50;

#[test]
fn random_kills_under_load_lose_nothing() {
    let kills: u64 = std::env::var("ROLLBOOK_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS);
    let mut net = Net::up("kills");
    let nodes = net.nodes();
    let mut random = Random(7);
    let load = Load::start(&net, &[1, 2, 3, 4, 5], &nodes);
    load.goes_on(5, &net);
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(random.below(300)));
        let victim = 1 + random.below(4) as u32;
        net.testnet.kill(victim).unwrap();
        std::thread::sleep(Duration::from_millis(random.below(200)));
        net.testnet
            .start(victim)
            .unwrap_or_else(|failure| panic!("kill {kill} of node {victim}: {failure}"));
        // Whatever fell together, the chain goes on before there is a lull.
        if kill % 10 == 9 {
            load.goes_on(5, &net);
        }
    }

    // All at once, in the middle of the load.
    for node in &nodes {
        net.testnet.kill(*node).unwrap();
    }
    net.testnet.start_all().unwrap();
    load.goes_on(5, &net);
    let acknowledged = load.finish(&net);
    assert!(
        acknowledged.len() as u64 >= 2 * kills,
        "a load of {} records is none",
        acknowledged.len()
    );
    let report = net.check(&nodes);
    must_be_in(&acknowledged, &net.export(1, report.blocks - 1));

    // The derived store may be deleted at any time.
    net.testnet.kill(2).unwrap();
    std::fs::remove_dir_all(net.testnet.config(2).unwrap().store()).unwrap();
    net.testnet.start(2).unwrap();
    net.act(&nodes);
    let report = net.check(&nodes);
    must_be_in(&acknowledged, &net.export(2, report.blocks - 1));
    assert!(
        net.testnet.log(2).contains("filled from the journal"),
        "{}",
        net.testnet.log(2)
    );
}

#[test]
fn one_of_four_down_goes_on_and_two_down_halts_until_one_is_back() {
    let mut net = Net::up("halt");
    net.act(&[1, 2, 3, 4]);
    net.testnet.stop(4).unwrap();
    net.act(&[1, 2, 3]);
    net.check(&[1, 2, 3]);
    net.testnet.kill(3).unwrap();
    let record = net.record(1);
    assert!(net.submit_somewhere(&[1, 2], &record));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(net.stands(1, &record), "pool", "two of four decide nothing");
    net.testnet.start(3).unwrap();
    net.receipted(&[1, 2, 3], &record);
    net.testnet.start(4).unwrap();
    net.act(&[1, 2, 3, 4]);
    net.check(&[1, 2, 3, 4]);
}
