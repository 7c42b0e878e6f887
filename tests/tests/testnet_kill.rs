//! Kills under load. After each story: equal state roots, equal exports, a clean audit, and every record that was receipted is there.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rollbook_tests::testnet::Net;

/// A small generator, so that a story can be told again from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn random_kills_under_load_lose_nothing() {
    let kills: u64 = std::env::var("ROLLBOOK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut net = Net::up("kills");
    let nodes = net.nodes();
    let mut random = Random(7);
    let mut receipted = vec![net.act(&nodes)];
    let mut waiting = Vec::new();
    for kill in 0..kills {
        for _ in 0..=random.below(5) {
            let record = net.record(1 + random.below(5) as u32);
            // A record that was held in memory by a killed node alone is gone: that was never promised. It is handed in again.
            net.submit_somewhere(&nodes, &record);
            waiting.push(record);
        }
        std::thread::sleep(Duration::from_millis(random.below(400)));
        let victim = 1 + random.below(4) as u32;
        net.testnet.kill(victim).unwrap();
        std::thread::sleep(Duration::from_millis(random.below(300)));
        net.testnet.start(victim).unwrap_or_else(|failure| panic!("kill {kill} of node {victim}: {failure}"));
    }
    for record in &waiting {
        assert!(net.submit_somewhere(&nodes, record), "{}", net.told());
    }
    for record in &waiting {
        net.receipted(&nodes, record);
    }
    receipted.extend(waiting);
    net.check(&nodes);

    // All at once.
    for node in &nodes {
        net.testnet.kill(*node).unwrap();
    }
    net.testnet.start_all().unwrap();
    net.act(&nodes);
    for record in &receipted {
        assert_ne!(net.stands(1, record), "", "a receipted record is gone");
    }
    net.check(&nodes);

    // The derived store may be deleted at any time.
    net.testnet.kill(2).unwrap();
    std::fs::remove_dir_all(net.testnet.config(2).unwrap().store()).unwrap();
    net.testnet.start(2).unwrap();
    net.act(&nodes);
    net.check(&nodes);
    assert!(net.testnet.log(2).contains("filled from the journal"), "{}", net.testnet.log(2));
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
