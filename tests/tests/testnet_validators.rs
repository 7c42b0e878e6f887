//! The set of validators changes while records keep coming (RULINGS A3, A17): a member that had no
//! node at genesis gets a seat by a handover, another gives its seat up, and receipts from before,
//! between and after are judged from the genesis hash alone.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rollbook_core::record::{NodeAct, Record};
use rollbook_node::runtime::doctor;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_proof::number::EpochId;
use rollbook_proof::verify::EpochChain;
use rollbook_sandbox::alliance::node_keys;
use rollbook_sandbox::http;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::Net;

/// The `.tlog-proof` of a record as a node serves it now.
fn proof(net: &Net, node: u32, record: &[u8]) -> Vec<u8> {
    let id = decode::<Record>(record).unwrap().id();
    let answer = http::get(
        net.testnet.api(node),
        &format!("/v1/records/{id}/proof"),
        Duration::from_secs(20),
    )
    .unwrap();
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    answer.body
}

/// The chain of policies as a node serves it.
fn epochs(net: &Net, node: u32) -> EpochChain {
    let answer = http::get(
        net.testnet.api(node),
        "/v1/policies",
        Duration::from_secs(20),
    )
    .unwrap()
    .json();
    let mut chain = EpochChain::new(net.chain);
    for policy in answer.as_array().unwrap_or_else(|| panic!("{answer}")) {
        let handover = policy["proof"].as_str().map(str::as_bytes);
        chain
            .push(policy["policy"].as_str().unwrap().as_bytes(), handover)
            .unwrap();
    }
    chain
}

#[test]
fn a_validator_comes_and_another_goes_under_load() {
    let mut plan = Plan::new("seats", 6, 5, Clock::Wall).unwrap();
    plan.validators = Some(4);
    plan.handover_blocks = Some(20);
    let place = plan.place(5);
    let mut net = Net::of(plan);
    net.start_some(&[1, 2, 3, 4]);
    let load = Load::start(&net, &[1, 2, 3, 6], &[1, 2, 3]);
    let before = net.act(&[1, 2, 3, 4]);
    let kept = proof(&net, 2, &before);

    // Whoever has no node cannot be ready.
    let refused = net.node_act(5, NodeAct::Ready);
    assert_eq!(net.refused(1, &refused), "M40.no-node");

    // The member registers its node, starts it, and it follows; it has no seat yet.
    let register = net.node_act(
        5,
        NodeAct::Register(node_keys(Some(&net.chain), &net.alliance.seed, 5, &place)),
    );
    net.carried(&[1, 2, 3, 4], &register);
    net.testnet.start(5).unwrap();
    net.receipted(&[5], &register);
    assert_eq!(net.status(5).unwrap()["node"], "registered");
    let ready = net.node_act(5, NodeAct::Ready);
    assert!(
        net.submit_somewhere(&[5], &ready),
        "a node without a seat takes records, too"
    );
    let status = net.until("node 5 has a seat and votes", 5, |status| {
        status["validator"] == true && status["votes"] == true
    });
    assert_eq!(status["validators"], serde_json::json!([1, 2, 3, 4, 5]));
    load.goes_on(20, &net);
    let between = net.act(&[1, 2, 3, 4, 5]);

    // Node 4 gives its seat up while node 1 is down: every quorum of the old set now needs the
    // leaving one, up to the cosignatures of the handover itself.
    net.testnet.kill(1).unwrap();
    let leave = net.node_act(4, NodeAct::Leave);
    assert!(net.submit_somewhere(&[4, 2], &leave));
    let status = net.until("node 4 has no seat", 2, |status| {
        status["validators"] == serde_json::json!([1, 2, 3, 5])
    });
    assert_eq!(status["quorum"], 3);
    load.goes_on(20, &net);
    net.testnet.start(1).unwrap();
    load.goes_on(20, &net);
    // It served to the end, and its doctor says how it stands.
    net.until("node 4 knows that it has gone", 4, |status| {
        status["node"] == "gone"
    });
    let told = format!("{:?}", doctor::examine(&net.testnet.config_path(4)));
    assert!(
        told.contains("given its seat up") && !told.contains("call their operators"),
        "{told}"
    );
    net.testnet.stop(4).unwrap();
    let nodes = [1, 2, 3, 5];
    let after = net.act(&nodes);

    let acknowledged = load.finish(&net);
    assert!(
        acknowledged.len() > 80,
        "a load of {} records is none",
        acknowledged.len()
    );
    let report = net.check(&nodes);
    assert_eq!(report.epochs, 2, "two handovers");
    must_be_in(&acknowledged, &net.export(5, report.blocks - 1));

    // A stranger with the genesis hash judges receipts of every epoch, and the one that was kept
    // since the first. Every node serves the policies, the one that got its seat after the first of
    // them, too (RULINGS A21).
    let chain = epochs(&net, 5);
    assert_eq!(chain.policies().count(), 3);
    let leaf = |record: &[u8]| decode::<Record>(record).unwrap().leaf().clear;
    assert_eq!(
        chain.verify_receipt(&leaf(&before), &kept).unwrap().epoch,
        EpochId(0)
    );
    for (record, node) in [(&before, 1), (&between, 2), (&after, 5)] {
        assert_eq!(
            chain
                .verify_receipt(&leaf(record), &proof(&net, node, record))
                .unwrap()
                .epoch,
            EpochId(2)
        );
    }
}
