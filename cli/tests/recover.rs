//! Two of four validators lose their disks: the operators bring the chain back by the manual
//! (RULINGS A41, docs/operating.md), with real nodes and the real binary.

#![allow(clippy::unwrap_used)]

use rollbook_proof::log::Clock;
use rollbook_tests::testnet::Net;

mod desk;
use desk::{Desk, all};

#[test]
fn two_of_four_disks_are_lost() {
    let mut net = Net::plan("recover", 5, 4, Clock::Wall);
    net.start();
    let nodes = net.nodes();
    for _ in 0..3 {
        net.act(&nodes);
    }
    let height = net.status(1).unwrap()["height"].as_u64().unwrap();
    for node in [2, 3] {
        net.testnet.kill(node).unwrap();
        std::fs::remove_dir_all(net.testnet.config(node).unwrap().data).unwrap();
    }
    // They follow, and nobody can end their doubt: no block comes.
    for node in [2, 3] {
        net.testnet.start(node).unwrap();
        let status = net.until("it has followed", node, |status| {
            status["height"].as_u64() >= Some(height)
        });
        assert_eq!(status["votes"], false, "{status}");
    }
    let desk = Desk::new();
    let config = |node: u32| net.testnet.config_path(node).display().to_string();
    // A running node is left alone.
    let told = all(&desk.ends(
        2,
        &format!("node recover {} --lost 2,3 --to kept-1", config(1)),
    ));
    assert!(told.contains("in use"), "{told}");

    for node in nodes.iter().copied() {
        net.testnet.stop(node).unwrap();
    }
    let config = |node: u32| net.testnet.config_path(node).display().to_string();
    // Who lost the disk has nothing to say.
    let told = all(&desk.ends(
        2,
        &format!("node recover {} --lost 2,3 --to kept-2", config(2)),
    ));
    assert!(told.contains("named among those that lost"), "{told}");
    let told = all(&desk.ends(
        2,
        &format!("node recover {} --lost 3 --to kept-2", config(2)),
    ));
    assert!(told.contains("sign guard is new"), "{told}");
    let told = all(&desk.ends(
        2,
        &format!("node recover {} --lost 5 --to kept-1", config(1)),
    ));
    assert!(told.contains("no validator seat"), "{told}");
    desk.good(&format!("node recover {} --lost 2 --to other-1", config(1)));
    for node in [1, 4] {
        let line = format!("node recover {} --lost 2,3 --to kept-{node}", config(node));
        desk.good(&line);
        // A file is not replaced.
        desk.ends(2, &line);
    }

    let with = |node: u32, files: &str| {
        let from: Vec<String> = files.split(' ').map(|f| format!("--from {f}")).collect();
        format!("node recover {} {}", config(node), from.join(" "))
    };
    for (files, word) in [
        ("kept-1", "there is no file of organisation O-0004"),
        ("kept-1 kept-1 kept-4", "two files of organisation O-0001"),
        ("other-1 kept-4", "names other validators"),
    ] {
        let told = all(&desk.ends(2, &with(2, files)));
        assert!(told.contains(word) && told.contains("next: "), "{told}");
    }
    // A file in which somebody changed a digit.
    let kept = std::fs::read_to_string(desk.path("kept-1")).unwrap();
    let at = kept.rfind("\"\n}").unwrap() - 3;
    let digit = if kept.as_bytes()[at] == b'0' {
        "1"
    } else {
        "0"
    };
    desk.write(
        "changed",
        format!("{}{digit}{}", &kept[..at], &kept[at + 1..]),
    );
    desk.ends(2, &with(2, "changed kept-4"));
    desk.write("none", "{}");
    desk.ends(2, &with(2, "none kept-4"));

    let plan = desk.json(0, &format!("{} --dry-run", with(2, "kept-1 kept-4")));
    assert_eq!(plan["written"], false, "{plan}");
    for node in nodes.iter().copied() {
        let told = desk.good(&with(node, "kept-1 kept-4"));
        assert!(told.contains("votes again at height"), "{told}");
    }
    for node in nodes.iter().copied() {
        net.testnet.launch(node).unwrap();
    }
    for node in nodes.iter().copied() {
        net.testnet.start(node).unwrap();
    }
    for _ in 0..3 {
        net.act(&nodes);
    }
    net.check(&nodes);
}
