//! The set of validators changes while records keep coming (RULINGS A3, A17): a member that had no
//! node at genesis gets a seat by a handover, another gives its seat up, and receipts from before,
//! between and after are judged from the genesis hash alone.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rollbook_core::record::{NodeAct, Record};
use rollbook_node::runtime::doctor;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_proof::number::EpochId;
use rollbook_proof::verify::EpochChain;
use rollbook_sandbox::alliance::{node_keys, secretariat, staff};
use rollbook_sandbox::http;
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::{Net, PATIENCE, command_line, program};

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

/// Somebody with the command line, a profile and keys of the sample.
struct Hand {
    home: tempfile::TempDir,
}

impl Hand {
    fn of(net: &Net, organisation: u32, person: u32, role: &str) -> Hand {
        let hand = Hand {
            home: tempfile::tempdir().unwrap(),
        };
        let seed = std::str::from_utf8(&net.alliance.seed).unwrap().to_owned();
        let letter = "ab".repeat(32);
        let role = match role {
            "" => String::new(),
            role => format!("--role {role}"),
        };
        hand.good(&format!(
            "keys new --organisation {organisation} --person {person} {role} --sample \
             --seed {seed} --name Sample --document none --letter {letter} --letter-date 2023-06-01 \
             --signatory Sample --card card.toml"
        ));
        let genesis = net.testnet.config(1).unwrap().genesis;
        hand.good(&format!(
            "setup --name own --genesis {} --node http://{} --organisation {organisation} \
             --person {person} --alliance Sample",
            genesis.display(),
            net.testnet.api(1)
        ));
        hand
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn run(&self, line: &str) -> (Option<i32>, String) {
        let output = Command::new(command_line())
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("LC_ALL", "C")
            .env("ROLLBOOK_PASSPHRASE", "a long enough passphrase")
            .stdin(Stdio::null())
            .arg("--yes")
            .args(line.split_whitespace())
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&told).into_owned(),
        )
    }

    #[track_caller]
    fn good(&self, line: &str) -> String {
        let (code, told) = self.run(line);
        assert_eq!(code, Some(0), "{line}\n{told}");
        told
    }
}

/// A node beside those of the testnet; it ends with the test.
struct Beside(Child, SocketAddr);

impl Beside {
    fn status(&self) -> Option<serde_json::Value> {
        let answer = http::get(self.1, "/v1/status", Duration::from_secs(5)).ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    fn until(&self, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let begun = Instant::now();
        loop {
            let status = self.status();
            if let Some(status) = status.as_ref().filter(|status| wanted(status)) {
                return status.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "waited for {what}: {status:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nobody is connected to a node, and what it knows of the chain does not grow.
fn is_cut_off(net: &Net, node: u32) {
    let alone = |status: &serde_json::Value| {
        let mut peers = status["peers"].as_array().unwrap().iter();
        peers.all(|peer| peer["connected"] == false)
    };
    let status = net.until("nobody is connected to it", node, alone);
    let (height, other) = (status["height"].as_u64().unwrap(), || {
        net.status(1).unwrap()["height"].as_u64().unwrap()
    });
    let begun = Instant::now();
    while other() < height + 20 {
        assert!(begun.elapsed() < PATIENCE, "the chain stands");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(net.status(node).unwrap()["height"].as_u64(), Some(height));
}

/// By the command line, while records flow: a node moves to another address with new keys and keeps
/// its seat (RULINGS A53), a company ceases, and nobody lets its node in any more (M21, A40).
#[test]
fn a_node_moves_and_a_company_ceases_under_load() {
    let mut plan = Plan::new("moves", 6, 6, Clock::Wall).unwrap();
    plan.validators = Some(5);
    plan.handover_blocks = Some(20);
    let (_, api) = plan.ports[5];
    let place = plan.place(6);
    let mut net = Net::of(plan);
    net.start_some(&[1, 2, 3, 4, 5]);
    let load = Load::start(&net, &[1, 5, 6], &[1, 4, 5]);
    let operator = Hand::of(&net, 2, 3, "primary,node-operator");

    // A new machine with keys of its own; the ledger learns where it is to be.
    let genesis = net.testnet.config(1).unwrap().genesis;
    operator.good(&format!(
        "node init --moves --organisation 2 --genesis {} --dir moved --listen {} --api 127.0.0.1:{api}",
        genesis.display(),
        place.address
    ));
    let ahead = operator.good("validators simulate move=2 --json");
    assert!(ahead.contains("\"renewed\""), "{ahead}");
    operator.good("node update moved/node.toml --signer 3:node-operator");
    let (code, again) = operator.run("node update moved/node.toml --signer 3:node-operator");
    assert_eq!(code, Some(1), "{again}");
    let new = Command::new(program())
        .arg(operator.path("moved/node.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let new = Beside(new, SocketAddr::from(([127, 0, 0, 1], api)));
    new.until("it has the seat and votes", |status| {
        status["validator"] == true && status["votes"] == true
    });
    let shown = operator.good("node show 2");
    assert!(shown.contains(&place.address), "{shown}");
    // The one that was left is cut off; its keys are over.
    is_cut_off(&net, 2);
    let told = format!("{:?}", doctor::examine(&net.testnet.config_path(2)));
    assert!(told.contains("the ledger knows other keys"), "{told}");
    net.testnet.stop(2).unwrap();
    load.goes_on(20, &net);

    // A company ceases: its seat is marked leaving and goes with the next handover.
    let office = secretariat(6);
    let secretary = Hand::of(&net, office, staff(6), "");
    secretary.good(&format!(
        "member cease 3 --cause dissolved --evidence {} --signer {}:secretary",
        "cd".repeat(32),
        staff(6)
    ));
    let ahead = secretary.good("validators simulate");
    assert!(
        ahead.contains("no member any more") || !ahead.contains("O-0003"),
        "{ahead}"
    );
    let status = net.until("node 3 has no seat", 1, |status| {
        status["validators"] == serde_json::json!([1, 2, 4, 5])
    });
    assert_eq!(status["quorum"], 3);
    is_cut_off(&net, 3);
    net.testnet.stop(3).unwrap();
    load.goes_on(20, &net);
    let acknowledged = load.finish(&net);
    assert!(acknowledged.len() > 60, "{}", acknowledged.len());
    let report = net.check(&[1, 4, 5]);
    assert_eq!(report.epochs, 2, "two handovers");
    // What moved is where the others are.
    let height = net.status(1).unwrap()["height"].as_u64().unwrap();
    new.until("it is where the others are", |status| {
        status["height"].as_u64().unwrap() >= height
    });
}
