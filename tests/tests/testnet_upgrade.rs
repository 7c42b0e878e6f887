//! Rule version 2 comes into force at its height on real processes (RULINGS A18): validators
//! announce that they know it, the assembly amends the charter, and what only version 2 knows is
//! refused before and done after, everywhere alike.

#![allow(clippy::unwrap_used)]

use rollbook_core::export::BlockFrame;
use rollbook_core::id::MotionId;
use rollbook_core::identity::Role;
use rollbook_core::record::{
    Ballot, BallotVote, Body, CharterAct, Choice, Declaration, MotionAct, MotionEffect, NodeAct,
    OfficialOrder, Proposal, RaiseProtocol,
};
use rollbook_node::clock::Step;
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::{Text, decode};
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::testnet::{Net, frames};

const MEMBERS: u32 = 8;
const MS_PER_DAY: u64 = 86_400_000;

/// The secretary files a court's order: an act of version 2.
fn order(net: &Net, reference: &str) -> Vec<u8> {
    let order = OfficialOrder {
        authority: Text::new("Sample district court").unwrap(),
        reference: Text::new(reference).unwrap(),
        document: sha256(reference.as_bytes()),
        issued_ms: LedgerTime(net.alliance.opened_ms),
        about: Some(OrganisationId(3)),
    };
    let secretary = 2 * MEMBERS + 3;
    net.signed(
        secretariat(MEMBERS),
        &[(secretary, Role::Secretary)],
        Body::Charter(CharterAct::FileOrder(order)),
    )
}

fn propose(net: &Net, from_height: u64) -> Vec<u8> {
    let release = Text::new(env!("CARGO_PKG_VERSION")).unwrap();
    let effect = MotionEffect::RaiseProtocol(RaiseProtocol {
        protocol: ProtocolVersion(2),
        from_height: Height(from_height),
        release,
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

#[test]
fn version_2_is_activated_at_its_height() {
    let mut plan = Plan::new("upgrade", MEMBERS, 4, Clock::Sample).unwrap();
    plan.protocol = 1;
    let mut net = Net::of(plan);
    net.start();
    let nodes = net.nodes();
    let from_height = height(&net) + 80;

    // Nobody has announced it; three of four are a quorum.
    assert_eq!(net.refused(1, &order(&net, "1")), "A18.not-in-force");
    assert_eq!(
        net.refused(2, &propose(&net, from_height)),
        "A18.too-little-support"
    );
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

    // Up to the block before it the old rules hold; one node is down when the version comes.
    assert_eq!(net.refused(1, &order(&net, "1")), "A18.not-in-force");
    net.testnet.kill(4).unwrap();
    while height(&net) + 1 < from_height {
        net.act(&[1, 2, 3]);
    }
    let filed = order(&net, "1");
    net.carried(&[1, 2, 3], &filed);
    assert_eq!(net.status(1).unwrap()["protocol"]["in_force"], 2);
    assert_eq!(net.refused(2, &order(&net, "1")), "R24.filed-already");

    // The one that was down comes over the same step by itself, and a restart replays over it.
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
