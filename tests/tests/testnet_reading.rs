//! Who reads what at a real node (RULINGS A15, R18), and that a full node serves what a validator
//! serves (A21).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::pass::Pass;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, ConflictKind, Declaration, MotionAct, NodeAct, Record,
};
use rollbook_node::api::reader::header_of;
use rollbook_node::clock::real_ms;
use rollbook_node::replica_thread::questions::{TABLES, class_of};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::log::{Clock, TlogProof};
use rollbook_proof::number::{EpochId, LedgerTime, OrganisationId};
use rollbook_proof::verify::EpochChain;
use rollbook_sandbox::alliance::node_keys;
use rollbook_sandbox::http;
use rollbook_sandbox::keys::{officer_key, officers_of};
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::testnet::Net;

const WAIT: Duration = Duration::from_secs(20);
const MEMBERS: u32 = 6;

fn read(net: &Net, node: u32, path: &str, pass: Option<&str>) -> http::Answer {
    let header: Vec<(&str, &str)> = pass
        .map(|pass| ("Authorization", pass))
        .into_iter()
        .collect();
    http::get_with(net.testnet.api(node), path, &header, WAIT).unwrap()
}

fn code(answer: &http::Answer) -> (u16, String) {
    (
        answer.status,
        answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// A pass of `person` signed by the key of `signer`.
fn pass(net: &Net, node: u32, person: u32, signer: u32, until_ms: u64) -> String {
    let pass = Pass {
        chain: net.chain,
        node: OrganisationId(node),
        person: PersonId(person),
        key: 0,
        until_ms: LedgerTime(until_ms),
    };
    header_of(&pass.sign(&officer_key(&net.alliance.seed, signer)))
}

/// What a node answers to somebody without a pass, at every reading path up to a height.
fn everything_public(net: &Net, node: u32, height: u64) -> Vec<(String, Vec<u8>)> {
    let status = read(net, node, "/v1/status", None).json();
    let size = read(net, node, &format!("/v1/blocks/{height}"), None).json();
    let size = size["seal"]["first_leaf"].as_u64().unwrap()
        + size["seal"]["leaf_count"].as_u64().unwrap()
        + 1;
    let mut paths: Vec<String> = [
        "/v1/status",
        "/v1/health",
        "/v1/metrics",
        "/v1/genesis",
        "/v1/policies",
        "/v1/checkpoint",
        "/v1/blocks?from=0&limit=100",
        "/v1/next/motion/1",
        "/v1/state/motion/1",
    ]
    .map(str::to_owned)
    .to_vec();
    assert!(status.is_object() && size < 256, "{size} leaves");
    for level in ["0", "entries"] {
        paths.push(format!("/v1/log/tile/{level}/000.p/{size}"));
    }
    // Dues, notices and proceedings are for members (R39).
    let public = |table: &&&str| class_of(table) == ReadClass::Public;
    for table in TABLES.iter().filter(public) {
        paths.push(format!("/v1/lists/{table}"));
    }
    for height in 0..=height {
        paths.push(format!("/v1/blocks/{height}"));
        paths.push(format!("/v1/blocks/{height}/proof"));
    }
    for person in 1..=officers_of(MEMBERS).1 {
        paths.push(format!("/v1/persons/{person}/sequence"));
    }
    let answer = |path: String| {
        let answer = read(net, node, &path, None);
        assert_eq!(answer.status, 200, "{path}");
        (path, answer.body)
    };
    paths.into_iter().map(answer).collect()
}

/// No id, nonce, signature or act of a members' record stands in what was got, in any of the forms
/// that bytes take: as they are, in hexadecimal, or in base64 of whatever alignment.
fn learns_nothing(got: &[(String, Vec<u8>)], record: &Record) {
    let body = encode(&record.payload.body);
    let signature = encode(&record.signatures[0].signature);
    let secrets = [
        ("id", record.id().0.to_vec()),
        ("nonce", record.payload.nonce.0.to_vec()),
        ("act", body),
        ("signature", signature),
    ];
    for (what, bytes) in secrets {
        let mut forms = vec![bytes.clone(), hex::encode(&bytes).into_bytes()];
        for skip in 0..3 {
            let rest = &bytes[skip..];
            let whole = &rest[..rest.len() / 3 * 3];
            forms.push(BASE64.encode(whole).into_bytes());
        }
        for (path, answer) in got {
            let found = forms
                .iter()
                .any(|form| answer.windows(form.len()).any(|window| window == form));
            assert!(!found, "{path} holds the {what} of a record for members");
        }
    }
    let names = [&b"\"Vote\""[..], b"\"Ballot\""];
    for (path, answer) in got {
        let found = names
            .iter()
            .any(|name| answer.windows(name.len()).any(|window| window == *name));
        assert!(!found, "{path} tells of a ballot");
    }
}

/// What a stranger who polls is told of objects, people and the node, at every path whose answer is
/// no byte of the log itself. The height that was read and the node's clock are left out: a block came.
fn polled(net: &Net, node: u32) -> BTreeMap<String, serde_json::Value> {
    let of = |table: &&str| format!("/v1/lists/{table}");
    let mut paths: Vec<String> = TABLES.iter().map(of).collect();
    for kind in [
        "organisation",
        "membership",
        "invoice",
        "motion",
        "post",
        "fund",
        "node",
    ] {
        paths.extend((1..=3).map(|number| format!("/v1/next/{kind}/{number}")));
    }
    paths.extend((1..=3).map(|number| format!("/v1/views/motion/{number}")));
    paths.push("/v1/tasks".to_owned());
    paths.extend((1..=MEMBERS).map(|member| format!("/v1/tasks?of={member}")));
    for person in 1..=officers_of(MEMBERS).1 {
        for lane in ["public", "members"] {
            paths.push(format!("/v1/persons/{person}/sequence?lane={lane}"));
        }
    }
    let answer = |path: String| {
        let mut told = read(net, node, &path, None).json();
        if let Some(fields) = told.as_object_mut() {
            fields.remove("height");
            fields.remove("now_ms");
            fields.remove("time_ms");
        }
        (path, told)
    };
    paths.into_iter().map(answer).collect()
}

/// A stranger who asks for everything before and after a block learns from the answers of members'
/// records only what the log shows: that there were some. What follows for a motion once told when
/// its newest ballot had come, and for a membership whether its dues were paid.
#[test]
fn a_stranger_who_polls_sees_nothing_move_with_members_records() {
    let plan = Plan::new("polling", MEMBERS, 4, Clock::Wall).unwrap();
    let mut net = Net::of(plan);
    let validators = [1, 2, 3, 4];
    net.start_some(&validators);
    net.ballot(&validators);
    let before = polled(&net, 1);
    let invoice = read(&net, 1, "/v1/next/invoice/1", None);
    assert_eq!(code(&invoice), (401, "A15.members-only".to_owned()));
    let invoice = read(&net, 1, "/v1/known/invoice/1", None);
    assert_eq!(code(&invoice), (401, "A15.members-only".to_owned()));
    let ballot = Ballot {
        motion: MotionId(1),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::No),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    };
    let conflict = MotionAct::DeclareConflict {
        motion: MotionId(1),
        kind: ConflictKind::Other,
    };
    for (member, act) in [(3, MotionAct::Vote(ballot)), (4, conflict)] {
        net.carried(&validators, &net.member_act(member, Body::Motion(act)));
    }
    assert_eq!(polled(&net, 1), before);
    // The comparison sees what is public.
    net.act(&validators);
    assert_ne!(polled(&net, 1), before);
}

#[test]
fn ballots_are_for_members_and_receipts_for_everybody() {
    let mut plan = Plan::new("reading", MEMBERS, 5, Clock::Wall).unwrap();
    plan.validators = Some(4);
    let place = plan.place(5);
    let mut net = Net::of(plan);
    let fifth = net.testnet.config_path(5);
    let closed = std::fs::read_to_string(&fifth).unwrap().replace(
        "organisation = 5",
        "organisation = 5\npublic_reading = false",
    );
    std::fs::write(&fifth, closed).unwrap();
    let validators = [1, 2, 3, 4];
    net.start_some(&validators);
    // A member's node without a seat: it follows, and its own people do not let the public in.
    net.carried(
        &validators,
        &net.node_act(
            5,
            NodeAct::Register(node_keys(Some(&net.chain), &net.alliance.seed, 5, &place)),
        ),
    );
    net.testnet.start(5).unwrap();

    let public = net.act(&validators);
    let secret = net.ballot(&validators);
    net.receipted(&[5], &secret);

    let id = decode::<Record>(&secret).unwrap().id();
    let place = read(&net, 1, &format!("/v1/records/{id}"), None).json();
    assert_eq!(
        (place["stands"].as_str(), place["read_class"].as_str()),
        (Some("receipted"), Some("members")),
        "{place}"
    );
    assert!(
        place["record"].is_null() && place["content"].is_null(),
        "{place}"
    );
    let (height, leaf) = (
        place["height"].as_u64().unwrap(),
        place["leaf"].as_u64().unwrap(),
    );
    let frame = format!("/v1/blocks/{height}/frame");
    let bundle = format!("/v1/log/tile/entries/000.p/{}", leaf + 1);
    let members = (401, "A15.members-only".to_owned());
    let effect = format!("/v1/records/{id}/effect");
    for path in [&frame, &effect, "/v1/export"] {
        assert_eq!(code(&read(&net, 1, path, None)), members, "{path}");
    }
    let events = |pass: Option<&str>| {
        // The stream has no end; what came within two seconds is judged.
        let mut stream = std::net::TcpStream::connect(net.testnet.api(1)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let header = pass
            .map(|pass| format!("Authorization: {pass}\r\n"))
            .unwrap_or_default();
        stream
            .write_all(format!("GET /v1/events?from={height} HTTP/1.0\r\n{header}\r\n").as_bytes())
            .unwrap();
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = stream.read(&mut part) {
            bytes.extend_from_slice(&part[..read]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let told = events(None);
    assert!(told.contains("event: members"), "{told}");
    let secret_record = decode::<Record>(&secret).unwrap();
    let mut got = everything_public(&net, 1, height);
    got.push(("/v1/events".to_owned(), told.into_bytes()));
    learns_nothing(&got, &secret_record);

    // The next number of members' records counts acts that only members see: it is told to the
    // voter and to colleagues, and the public one has not moved.
    let voter = secret_record.payload.officer.0;
    let lane = |person: u32, lane: &str, pass: Option<&str>| {
        let path = format!("/v1/persons/{person}/sequence?lane={lane}");
        let answer = read(&net, 1, &path, pass);
        (answer.status, answer.json()["next"].as_u64())
    };
    let hour = real_ms() + 3_600_000;
    let of = |person: u32| pass(&net, 1, person, person, hour);
    assert_eq!(lane(voter, "public", None), (200, Some(2)));
    assert_eq!(lane(voter, "members", None).0, 401);
    assert_eq!(lane(voter, "members", Some(&of(officers_of(3).0))).0, 401);
    let next = secret_record.payload.sequence + 1;
    for reader in [voter, officers_of(2).1] {
        let told = lane(voter, "members", Some(&of(reader)));
        assert_eq!(told, (200, Some(next)), "{reader}");
    }

    // What is public is read without a pass: records, every entry bundle, hash tiles, states.
    let known = decode::<Record>(&public).unwrap().id();
    assert!(read(&net, 1, &format!("/v1/records/{known}"), None).json()["record"].is_string());
    for path in [
        &bundle,
        "/v1/log/tile/0/000.p/9",
        "/v1/state/motion/1",
        "/v1/lists/motion",
    ] {
        assert_eq!(read(&net, 1, path, None).status, 200, "{path}");
    }

    // Passes that open nothing, each with its reason.
    let (person, hour) = (officers_of(3).0, real_ms() + 3_600_000);
    let observer = 2 * MEMBERS + 1;
    for (header, why) in [
        (
            pass(&net, 2, person, person, hour),
            (401, "A15.pass-elsewhere"),
        ),
        (
            pass(&net, 1, person, person, real_ms() - 1),
            (401, "A15.pass-ended"),
        ),
        (
            pass(&net, 1, person, person, real_ms() + 2 * 86_400_000),
            (401, "A15.pass-ended"),
        ),
        (
            pass(&net, 1, person, person + 1, hour),
            (401, "A15.pass-bad-signature"),
        ),
        (
            pass(&net, 1, 999, person, hour),
            (401, "A15.pass-unknown-key"),
        ),
        (
            pass(&net, 1, observer, observer, hour),
            (403, "A15.no-member"),
        ),
        ("Bearer !".to_owned(), (401, "A15.bad-pass")),
        ("Rollbook x".to_owned(), (401, "A15.bad-pass")),
    ] {
        assert_eq!(
            code(&read(&net, 1, &frame, Some(&header))),
            (why.0, why.1.to_owned())
        );
    }

    // An officer of a member reads everything, and so does the auditor, who holds a post and
    // belongs to no member.
    let auditor = 2 * MEMBERS + 3 + 7;
    for person in [person, auditor] {
        let header = pass(&net, 1, person, person, hour);
        for path in [&frame, &effect, "/v1/export"] {
            assert_eq!(read(&net, 1, path, Some(&header)).status, 200, "{path}");
        }
        let place = read(&net, 1, &format!("/v1/records/{id}"), Some(&header)).json();
        assert!(place["record"].is_string(), "{place}");
        assert!(events(Some(&header)).contains("\"Vote\""));
    }

    // The full node: nothing for the public but what handing in and judging needs; the same receipt
    // as a validator's.
    assert_eq!(
        code(&read(&net, 5, "/v1/blocks/1", None)),
        (401, "R18.log-in".to_owned())
    );
    assert_eq!(
        read(
            &net,
            5,
            "/v1/blocks/1",
            Some(&pass(&net, 5, person, person, hour))
        )
        .status,
        200
    );
    assert_eq!(read(&net, 5, "/v1/status", None).json()["validator"], false);
    let policies = read(&net, 5, "/v1/policies", None).json();
    let mut chain = EpochChain::new(net.chain);
    chain
        .push(policies[0]["policy"].as_str().unwrap().as_bytes(), None)
        .unwrap();
    let proof = read(&net, 5, &format!("/v1/records/{id}/proof"), None);
    assert_eq!(
        proof.status,
        200,
        "{}",
        String::from_utf8_lossy(&proof.body)
    );
    let verified = chain
        .verify_receipt(
            &decode::<Record>(&secret).unwrap().leaf().clear,
            &proof.body,
        )
        .unwrap();
    assert_eq!(verified.epoch, EpochId(0));
    let lines = TlogProof::parse(&proof.body).unwrap().note.lines.len();
    assert_eq!(lines, 4, "a log line and three cosignatures");
    let state = read(
        &net,
        5,
        "/v1/state/motion/1",
        Some(&pass(&net, 5, person, person, hour)),
    );
    assert_eq!(
        state.status,
        200,
        "{}",
        String::from_utf8_lossy(&state.body)
    );
    net.check(&[1, 2, 3, 4, 5]);
}
