//! Four real nodes: blocks, proofs that a stranger checks, refusals that are signed, the stepped
//! clock.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rollbook_core::record::Record;
use rollbook_node::clock::Step;
use rollbook_proof::answer::{Verdict, verify_answer};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_proof::verify::EpochChain;
use rollbook_sandbox::http;
use rollbook_tests::testnet::{Net, PATIENCE};
use serde_json::Value;

fn get(net: &Net, node: u32, path: &str) -> http::Answer {
    http::get(net.testnet.api(node), path, Duration::from_secs(20)).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn four_nodes_decide_and_what_they_serve_can_be_proved() {
    let mut net = Net::up("basic");
    let nodes = net.nodes();
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(net.act(&nodes));
    }
    net.testnet.agree(&nodes, 1, PATIENCE).unwrap();

    // A receipt and a state proof, judged from the genesis hash alone.
    let policies = get(&net, 2, "/v1/policies").json();
    let mut chain = EpochChain::new(net.chain);
    chain
        .push(policies[0]["policy"].as_str().unwrap().as_bytes(), None)
        .unwrap();
    let record: Record = decode(&records[0]).unwrap();
    let proof = get(&net, 2, &format!("/v1/records/{}/proof", record.id()));
    assert_eq!(
        proof.status,
        200,
        "{}",
        String::from_utf8_lossy(&proof.body)
    );
    chain
        .verify_receipt(&record.leaf().clear, &proof.body)
        .unwrap();
    for path in ["organisation/1", "organisation/99999"] {
        let state = get(&net, 3, &format!("/v1/state/{path}")).json();
        let value = state["value"]
            .as_str()
            .map(|text| hex::decode(text).unwrap());
        assert_eq!(value.is_some(), path == "organisation/1", "{state}");
        let (leaf, seal_proof) = (
            unhex(&state["seal_leaf"]),
            state["seal_proof"].as_str().unwrap().as_bytes().to_vec(),
        );
        chain
            .verify_state(
                &leaf,
                &seal_proof,
                path.as_bytes(),
                value.as_deref(),
                &unhex(&state["proof"]),
            )
            .unwrap();
    }

    // A refusal is signed and names the rule.
    let mut replay: Record = decode(&records[1]).unwrap();
    replay.payload.sequence = 1;
    let refused = net
        .submit(1, &rollbook_proof::codec::encode(&replay))
        .unwrap();
    assert_eq!(
        refused.status,
        422,
        "{}",
        String::from_utf8_lossy(&refused.body)
    );
    let receipt = &refused.json()["receipt"];
    let raw = |text: &Value| {
        hex::decode(text.as_str().unwrap().strip_prefix("ed25519:").unwrap()).unwrap()
    };
    let key = PublicKey::Ed25519(raw(&receipt["key"]).try_into().unwrap());
    let signature =
        rollbook_proof::crypto::Signature::Ed25519(raw(&receipt["signature"]).try_into().unwrap());
    let answer = verify_answer(&unhex(&receipt["statement"]), &key, &signature).unwrap();
    assert!(
        matches!(answer.verdict, Verdict::Refused { ref rule, .. } if rule.starts_with("A6.")),
        "{answer:?}"
    );

    // Whatever is asked, never a 500 and always a problem document.
    for path in [
        "/",
        "/v1/records/zz",
        "/v1/blocks/-1",
        "/v1/blocks/99999999",
        "/v1/log/tile/9/000",
        "/v1/log/%ff",
        "/v1/export?x=1",
    ] {
        let answer = get(&net, 1, path);
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        assert!(
            answer.json()["code"].is_string() || path == "/v1/log/%ff",
            "{path}"
        );
    }
    let answer = http::post(
        net.testnet.api(1),
        "/v1/records",
        "application/json",
        b"{\"record\":7}",
        Duration::from_secs(5),
    )
    .unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(net.submit(1, &[0xff; 40]).unwrap().status, 422);
    assert_eq!(get(&net, 1, "/v1/log/tile/0/000.p/2").body.len(), 64);
    assert!(
        !get(&net, 1, "/v1/log/tile/entries/000.p/20")
            .body
            .is_empty()
    );
    assert!(
        get(&net, 1, "/v1/openapi.json").json()["paths"]
            .as_object()
            .unwrap()
            .len()
            > 10
    );
    assert!(
        String::from_utf8(get(&net, 1, "/v1/metrics").body)
            .unwrap()
            .contains("rollbook_height ")
    );
    assert!(
        String::from_utf8(get(&net, 1, "/v1/checkpoint").body)
            .unwrap()
            .starts_with("rollbook.example/sample-1\n")
    );

    let report = net.check(&nodes);
    assert!(
        report.records >= 9,
        "five founders and four registrations: {}",
        report.records
    );
    // Stopped in order and started again, nothing is replayed and all goes on.
    for node in net.nodes() {
        net.testnet.stop(node).unwrap();
    }
    net.testnet.start_all().unwrap();
    net.act(&nodes);
    net.check(&nodes);
}

#[test]
fn a_sample_chain_is_stepped_on_every_node_and_a_wall_chain_is_not() {
    let mut net = Net::plan("stepped", 5, 4, Clock::Sample);
    net.start();
    let nodes = net.nodes();
    net.act(&nodes);
    let before = net.status(1).unwrap()["now_ms"].as_u64().unwrap();
    net.testnet.advance(Step::ByMs(7 * 86_400_000)).unwrap();
    net.act(&nodes);
    let report = net.check(&nodes);
    assert!(report.sample && report.time_ms >= LedgerTime(before + 7 * 86_400_000));
    // A node that was down while the clock was stepped agrees when it is back.
    net.testnet.stop(4).unwrap();
    net.testnet.advance(Step::ByMs(86_400_000)).unwrap();
    net.act(&[1, 2, 3]);
    net.testnet.start(4).unwrap();
    net.act(&nodes);
    net.check(&nodes);
}
