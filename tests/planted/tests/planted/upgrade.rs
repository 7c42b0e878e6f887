//! Version 2 comes into force at its height on real processes (RULINGS A18): validators announce
//! that they know it, the assembly amends the charter, and what only version 2 knows is refused
//! before and done after, everywhere alike. One validator still runs the program of this workspace,
//! which knows one version: it stops before the height and names the release, and comes over with
//! its data once the release is installed.

use std::time::Instant;

use rollbook_core::export::BlockFrame;
use rollbook_core::id::MotionId;
use rollbook_core::identity::Role;
use rollbook_core::planted::MARK;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, NodeAct, Proposal,
    RaiseProtocol,
};
use rollbook_node::clock::Step;
use rollbook_node::runtime::doctor;
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::{Text, decode};
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, ProtocolVersion};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::testnet;
use rollbook_tests::testnet::{Net, PATIENCE, frames};

use super::{new_order, program};

const MEMBERS: u32 = 8;
const MS_PER_DAY: u64 = 86_400_000;
const RELEASE: &str = "0.2-planted";

/// The secretary files an order that version 2 adds.
fn order(net: &Net, reference: &str) -> Vec<u8> {
    let secretary = 2 * MEMBERS + 3;
    net.signed(
        secretariat(MEMBERS),
        &[(secretary, Role::Secretary)],
        new_order(reference),
    )
}

fn propose(net: &Net, from_height: u64) -> Vec<u8> {
    let effect = MotionEffect::RaiseProtocol(RaiseProtocol {
        protocol: ProtocolVersion(2),
        from_height: Height(from_height),
        release: Text::new(RELEASE).unwrap(),
    });
    net.member_act(
        1,
        Body::Motion(MotionAct::Propose(Proposal {
            effect,
            ballot_days: 10,
            text: sha256(b"why"),
        })),
    )
}

fn height(net: &Net) -> u64 {
    net.status(1).unwrap()["height"].as_u64().unwrap()
}

/// Whether a program was built with what is planted.
fn is_marked(program: &std::path::Path) -> bool {
    let bytes = std::fs::read(program).unwrap();
    bytes
        .windows(MARK.len())
        .any(|part| part == MARK.as_bytes())
}

#[test]
fn a_version_is_activated_at_its_height() {
    let mut plan = Plan::new("upgrade", MEMBERS, 4, Clock::Sample).unwrap();
    plan.protocol = 1;
    let mut net = Net::run_by(plan, program());
    let released = testnet::program();
    assert!(is_marked(program()) && !is_marked(&released));
    net.testnet.programs.insert(4, released);
    net.start();
    let nodes = net.nodes();
    let from_height = height(&net) + 80;

    // Nobody has announced it; three of four are a quorum.
    assert_eq!(net.refused(1, &order(&net, "1")), "A18.not-in-force");
    assert_eq!(
        net.refused(2, &propose(&net, from_height)),
        "A18.too-little-support"
    );
    for (node, known) in [(1, 2), (2, 2), (3, 2), (4, 1)] {
        assert_eq!(net.status(node).unwrap()["protocol"]["known"], known);
    }
    for node in [1, 2, 3] {
        net.carried(
            &nodes,
            &net.node_act(
                node,
                NodeAct::Support {
                    protocol: ProtocolVersion(2),
                },
            ),
        );
    }
    assert_eq!(net.status(4).unwrap()["protocol"]["support"]["2"], 3);

    // The amendment: proposed, supported, voted by everybody; ballot and stay pass.
    net.carried(&nodes, &propose(&net, from_height));
    net.carried(
        &nodes,
        &net.member_act(
            2,
            Body::Motion(MotionAct::Support {
                motion: MotionId(1),
            }),
        ),
    );
    let ballot = Ballot {
        motion: MotionId(1),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::Yes),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    };
    for member in 1..=MEMBERS {
        net.carried(
            &nodes,
            &net.member_act(member, Body::Motion(MotionAct::Vote(ballot.clone()))),
        );
    }
    for _ in 0..40 {
        net.testnet.advance(Step::ByMs(MS_PER_DAY)).unwrap();
        net.act(&nodes);
        if net.status(1).unwrap()["protocol"]["coming"].is_array() {
            break;
        }
    }
    let status = net.status(1).unwrap();
    assert_eq!(status["protocol"]["coming"][0], 2, "{status}");
    assert_eq!(status["protocol"]["coming"][1], from_height, "{status}");
    assert_eq!(status["protocol"]["in_force"], 1);

    // Who does not know it is told what to install; who knows it is not.
    let findings = |node: u32| doctor::examine(&net.testnet.config_path(node));
    let told = |node: u32| {
        let next: Vec<String> = findings(node).into_iter().filter_map(|f| f.next).collect();
        next.join("\n").contains(RELEASE)
    };
    assert!(told(4) && !told(1), "{:?}", findings(4));

    // Up to the block before it the old rules hold. The old program stops as soon as it has that
    // block, before it is receipted everywhere.
    assert_eq!(net.refused(1, &order(&net, "1")), "A18.not-in-force");
    while height(&net) + 1 < from_height {
        net.act(&[1, 2, 3]);
    }
    let filed = order(&net, "1");
    net.carried(&[1, 2, 3], &filed);
    assert_eq!(net.status(1).unwrap()["protocol"]["in_force"], 2);
    assert_eq!(net.refused(2, &order(&net, "1")), "R24.filed-already");

    // The old program has stopped before it, in order, and says what to install.
    stopped(&mut net);
    let log = net.testnet.log(4);
    assert!(
        log.contains(&format!("install release {RELEASE} of rollbook")),
        "{log}"
    );
    // Starting it again changes nothing, though it may answer before it has looked at its tip.
    let _ = net.testnet.start(4);
    stopped(&mut net);

    // With the release it comes over the step by itself, and a restart replays over it.
    net.testnet.programs.clear();
    net.testnet.start(4).unwrap();
    net.receipted(&nodes, &filed);
    net.testnet.kill(2).unwrap();
    net.testnet.start(2).unwrap();
    net.carried(&nodes, &order(&net, "2"));
    let report = net.check(&nodes);
    let export = net.export(4, report.blocks - 1);
    for frame in frames(&export) {
        let seal: Seal = decode(&BlockFrame::decode(frame).unwrap().seal).unwrap();
        assert_eq!(
            seal.protocol,
            ProtocolVersion(if seal.height < Height(from_height) {
                1
            } else {
                2
            }),
            "block {}",
            seal.height
        );
    }
}

/// Waits until node 4 has ended.
fn stopped(net: &mut Net) {
    let begun = Instant::now();
    while net.testnet.pid(4).is_some() {
        assert!(begun.elapsed() < PATIENCE, "node 4 runs\n{}", net.told());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
