//! A node's API behind a proxy that lies, and the desk of somebody who reads through it.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use rollbook::encoding::base64_text;
use rollbook_core::record::Record;
use rollbook_proof::chain::{CheckpointSignature, LogSignature};
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, KeyKind};
use rollbook_proof::log::{Checkpoint, EpochPolicy, MemoryNodes, TlogProof};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::http;
use rollbook_sandbox::keys::node_key;
use rollbook_tests::liar::Proxy;
use rollbook_tests::testnet::Net;
use serde_json::{Value, json};

pub fn with_json(mut answer: http::Answer, change: impl Fn(&mut Value)) -> http::Answer {
    let mut value = answer.json();
    change(&mut value);
    answer.body = serde_json::to_vec(&value).unwrap();
    answer
}

/// The hexadecimal digit at `at` from the end, changed.
pub fn spoil(text: &mut Value, at: usize) {
    let mut bytes = text.as_str().unwrap().as_bytes().to_vec();
    let at = bytes.len() - at;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    *text = String::from_utf8(bytes).unwrap().into();
}

/// Node 1 with another history of `size` leaves, the record and its seal at the same places, under
/// the keys of three of four validators; and the root of that history.
pub fn another_history(net: &Net, record: &Record, size: u64) -> (Proxy, Hash) {
    let place = http::get(
        net.testnet.api(1),
        &format!("/v1/records/{}", record.id()),
        Duration::from_secs(20),
    )
    .unwrap()
    .json();
    let (leaf, height) = (
        place["leaf"].as_u64().unwrap(),
        place["height"].as_u64().unwrap(),
    );
    let path = format!("/v1/blocks/{height}/proof");
    let sealed = http::get(net.testnet.api(1), &path, Duration::from_secs(20))
        .unwrap()
        .json();
    let seal_leaf = hex::decode(sealed["leaf"].as_str().unwrap()).unwrap();
    let seal_at = TlogProof::parse(sealed["proof"].as_str().unwrap().as_bytes())
        .unwrap()
        .index;
    let policy =
        EpochPolicy::parse(net.alliance.genesis().unwrap().policy_text.as_bytes()).unwrap();
    let mut nodes = MemoryNodes::new();
    for at in 0..size {
        match at {
            at if at == leaf => nodes.push(&record.leaf().logged()),
            at if at == seal_at => nodes.push(&seal_leaf),
            _ => nodes.push(b"another history"),
        };
    }
    let checkpoint = Checkpoint {
        origin: policy.origin.clone(),
        size,
        root: nodes.root(),
    };
    let seed = &net.alliance.seed;
    let time_s = net.status(1).unwrap()["now_ms"].as_u64().unwrap() / 1_000;
    let cosignatures: Vec<CheckpointSignature> = (1..=3)
        .map(|validator| {
            let signature =
                checkpoint.cosign(&node_key(seed, validator, KeyKind::Cosigner), time_s);
            CheckpointSignature {
                validator: OrganisationId(validator),
                time_s,
                signature,
            }
        })
        .collect();
    let log = LogSignature {
        validator: OrganisationId(1),
        signature: checkpoint.sign_log(&node_key(seed, 1, KeyKind::Log)),
    };
    let note = policy
        .checkpoint_note(&checkpoint, &log, &cosignatures, &[])
        .unwrap();
    let proof = |at: u64| {
        TlogProof::make(&nodes, at, note.clone())
            .unwrap()
            .render()
            .unwrap()
    };
    let (record_proof, seal_proof, height_path) = (proof(leaf), proof(seal_at), path.clone());
    let proxy = Proxy::start(net.testnet.api(1), move |path, mut answer| {
        if path.starts_with("/v1/records/") && path.ends_with("/proof") {
            answer.body = record_proof.clone().into_bytes();
        } else if path == height_path {
            return with_json(answer, |value| value["proof"] = seal_proof.clone().into());
        } else if path.starts_with("/v1/consistency") {
            let body = serde_json::to_vec(&json!({ "old": 1, "new": 2, "path": [Hash([1; 32])] }))
                .unwrap();
            return http::Answer { status: 200, body };
        }
        answer
    });
    (proxy, nodes.root())
}

pub struct Desk {
    pub folder: tempfile::TempDir,
    pub chain: Hash,
}

impl Desk {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program with a configuration of its own.
    pub fn run(&self, config: &str, nodes: &[&str], arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command
            .current_dir(self.folder.path())
            .args(["--lang", "en", "--config"])
            .arg(self.path(config))
            .args(arguments);
        for node in nodes {
            command.args(["--node", node]);
        }
        command.output().unwrap()
    }

    pub fn read(&self, config: &str, nodes: &[&str], arguments: &[&str]) -> Output {
        let genesis = self.chain.to_hex();
        self.run(
            config,
            nodes,
            &[arguments, &["--genesis", &genesis]].concat(),
        )
    }

    pub fn verified(&self, config: &str, name: &str) -> PathBuf {
        self.path(config)
            .join("verified")
            .join(self.chain.to_hex())
            .join(name)
    }

    pub fn files(&self, config: &str, name: &str) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.verified(config, name))
            .unwrap()
            .flatten()
            .map(|f| f.path())
            .collect();
        files.sort();
        files
    }

    /// A record as the file that waits for signatures.
    pub fn pending(&self, bytes: &[u8]) -> (PathBuf, Record) {
        let record: Record = decode(bytes).unwrap();
        let path = self.path(&format!("{}.pending.json", record.id().short()));
        let file = json!({
            "kind": "rollbook-pending-record", "version": 1, "chain": record.payload.chain,
            "id": record.id(),
            "rule": record.payload.body.code(), "act": record.payload.body,
            "record": base64_text(bytes),
        });
        std::fs::write(&path, serde_json::to_vec_pretty(&file).unwrap()).unwrap();
        (path, record)
    }
}
