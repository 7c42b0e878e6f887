//! Wrong records handed in at a real node, over HTTP and with `rollbook submit`, in both languages:
//! each answer has the rule's code, a signed refusal, and the next step. (Wrong files, configs,
//! ports and folders: `audit.rs` and `tests/tests/testnet_operator.rs`; wrong clocks:
//! `tests/planted`.)

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use rollbook::encoding::base64_text;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Capacity, Choice, Declaration, MotionAct, NodeAct, Payload, Record,
};
use rollbook_node::clock::real_ms;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::keys::{officer_key, officers_of};
use rollbook_sandbox::sign::sample_nonce;
use rollbook_tests::testnet::Net;

struct Desk {
    net: Net,
    folder: tempfile::TempDir,
}

impl Desk {
    fn submit(&self, language: &str, record: &Record) -> Output {
        let file = self.folder.path().join("pending.json");
        let pending = serde_json::json!({
            "kind": "rollbook-pending-record",
            "version": 1,
            "chain": record.payload.chain,
            "id": record.id(),
            "rule": record.payload.body.code(),
            "act": record.payload.body,
            "record": base64_text(encode(record)),
        });
        std::fs::write(&file, serde_json::to_vec(&pending).unwrap()).unwrap();
        let node = format!("http://{}", self.net.testnet.api(1));
        Command::new(env!("CARGO_BIN_EXE_rollbook"))
            .args(["--lang", language, "submit", "--node", &node])
            .arg(&file)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path())
            .output()
            .unwrap()
    }

    /// The node's answer, and what a person reads.
    fn refused(&self, what: &str, record: &Record, code: &str, exit: i32) {
        self.refused_as(what, record, code, code, exit);
    }

    /// The same where a person reads another word: what the command line finds out before the
    /// node's refusal counts.
    fn refused_as(&self, what: &str, record: &Record, code: &str, told_code: &str, exit: i32) {
        let answer = self.net.submit(1, &encode(record)).unwrap();
        let problem = answer.json();
        assert_eq!(
            (answer.status, problem["code"].as_str()),
            (422, Some(code)),
            "{what}: {problem}"
        );
        assert!(
            problem["next"].is_string(),
            "{what}: no next step: {problem}"
        );
        assert!(
            problem["receipt"]["signature"].is_string(),
            "{what}: no signed refusal: {problem}"
        );
        for (language, next) in [("en", "next: "), ("zh", "下一步")] {
            let output = self.submit(language, record);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(exit), "{what}: {told}");
            assert!(
                told.contains(told_code) && told.contains(next),
                "{what}: {told}"
            );
            assert!(output.stdout.is_empty(), "{what}: a refusal is no result");
        }
        assert_eq!(
            self.net.stands(1, &encode(record)),
            "",
            "{what}: it is not in the log"
        );
    }
}

#[test]
fn every_wrong_record_is_answered_with_its_rule_and_a_next_step() {
    // One validator is enough: refusals are each node's own.
    let mut net = Net::plan("refusals", 5, 1, Clock::Wall);
    net.start();
    let good = net.act(&[1]);
    let desk = Desk {
        net,
        folder: tempfile::tempdir().unwrap(),
    };
    let chain = desk.net.chain;
    let (officer, second) = officers_of(3);
    let seed = desk.net.alliance.seed.clone();
    let payload = |sequence: u64, body: Body| Payload {
        chain,
        principal: OrganisationId(3),
        officer: PersonId(officer),
        sequence,
        valid_until_ms: LedgerTime(real_ms() + MS_PER_DAY),
        nonce: sample_nonce(officer, sequence),
        body,
    };
    let ready = || Body::Node(NodeAct::Ready);
    let signed = |payload: Payload, by: u32, role: Role, key: u32, secret: u32| {
        let signature = payload.sign(
            PersonId(by),
            Capacity::Own(role),
            key,
            &officer_key(&seed, secret),
        );
        Record {
            payload,
            signatures: vec![signature],
        }
    };
    let own = |payload: Payload| signed(payload, officer, Role::NodeOperator, 0, officer);

    // The same bytes again are harmless; another act under a used number is a replay.
    assert_eq!(desk.net.submit(1, &good).unwrap().status, 202);
    let used: Record = decode(&good).unwrap();
    let mut replay = desk
        .net
        .alliance
        .registration(chain, 1, used.payload.sequence, 99, real_ms());
    replay.payload.valid_until_ms = replay.payload.valid_until_ms.plus_ms(1);
    let replay = signed(
        replay.payload,
        officers_of(1).0,
        Role::Primary,
        0,
        officers_of(1).0,
    );
    desk.refused("a replayed record", &replay, "A6.number-taken", 1);

    let unknown = Payload {
        principal: OrganisationId(999),
        ..payload(7, ready())
    };
    desk.refused(
        "an unknown member",
        &own(unknown),
        "A4.unknown-organisation",
        1,
    );
    let foreign = Payload {
        chain: sha256(b"another alliance"),
        ..payload(7, ready())
    };
    // The node's policies do not begin with the genesis that the record names: no word of it is
    // believed.
    desk.refused_as(
        "a record of another chain",
        &own(foreign),
        "A6.other-chain",
        "A6.other-chain",
        1,
    );
    let expired = Payload {
        valid_until_ms: LedgerTime(real_ms() - 60_000),
        ..payload(7, ready())
    };
    desk.refused("an expired record", &own(expired), "A6.expired", 1);
    let long = Payload {
        valid_until_ms: LedgerTime(real_ms() + 40 * MS_PER_DAY),
        ..payload(7, ready())
    };
    desk.refused(
        "a record that is good for too long",
        &own(long),
        "A6.valid-too-long",
        1,
    );

    // One signature where the member's policy asks for two: the file waits for the second.
    let ballot = Ballot {
        motion: MotionId(1),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::Yes),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    };
    let ballot = payload(7, Body::Motion(MotionAct::Vote(ballot)));
    // The node wants another signature; a person is told that it would be in vain.
    desk.refused_as(
        "too few officers",
        &signed(ballot, officer, Role::Primary, 0, officer),
        "A6.too-few-officers",
        "A4.unknown-motion",
        1,
    );
    desk.refused(
        "a key that is not registered",
        &signed(payload(7, ready()), officer, Role::NodeOperator, 3, officer),
        "A6.unknown-key",
        1,
    );
    desk.refused(
        "a person who is not registered",
        &signed(
            Payload {
                officer: PersonId(9_999),
                ..payload(7, ready())
            },
            9_999,
            Role::NodeOperator,
            0,
            officer,
        ),
        "A6.unknown-officer",
        1,
    );
    desk.refused(
        "somebody else's key",
        &signed(payload(7, ready()), officer, Role::NodeOperator, 0, second),
        "A6.bad-signature",
        1,
    );
    desk.refused(
        "a role that is not held",
        &signed(payload(7, ready()), officer, Role::Treasurer, 0, officer),
        "A6.role-not-held",
        1,
    );

    // Bytes that are no record.
    let short = &good[..good.len() - 1];
    let long = [good.as_slice(), &[0]].concat();
    let oversized = [good.as_slice(), &vec![0; 40_000]].concat();
    for (what, bytes) in [
        ("cut short", short),
        ("one byte more", &long),
        ("oversized", &oversized),
        ("empty", &[]),
    ] {
        let answer = desk.net.submit(1, bytes).unwrap();
        let problem = answer.json();
        assert_eq!(
            (answer.status, problem["code"].as_str()),
            (422, Some("A6.malformed")),
            "{what}: {problem}"
        );
        assert!(
            problem["next"].as_str().unwrap().contains("32 KiB"),
            "{what}: {problem}"
        );
    }
    let answer = desk.net.submit(1, &vec![0; 2 * 1024 * 1024]).unwrap();
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("api.too-large")),
        "{:?}",
        answer.json()
    );
    assert!(answer.json()["next"].is_string());

    // A file that is no pending record is named, and nothing is handed in.
    let file = desk.folder.path().join("letter.json");
    std::fs::write(&file, b"{}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rollbook"))
        .args([
            "--lang",
            "en",
            "submit",
            "--node",
            &format!("http://{}", desk.net.testnet.api(1)),
        ])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("letter.json"));
}
