//! The golden vectors of records under tests/vectors/records: one record of every act as bytes, and
//! bytes that are no record. What is there is what this code makes and accepts. A changed vector is
//! a changed format: shipped bytes never change (RULINGS A18), so the writer, `cargo test --release
//! --workspace --test records -- --ignored`, is for acts that are new.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rollbook_core::account::Amount;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::identity::possession::{Possession, UNPROVED};
use rollbook_core::record::*;
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::{KeyKind, Keypair, PublicKey, Signature, sha256, sha256_tagged};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::sign::sample_nonce;
use rollbook_tests::acts;
use rollbook_tests::acts::SEED;
use rollbook_tests::kept::hold_json;
use serde_json::{Value, json};

/// Bytes before the family's tag: chain, principal, officer, sequence, validity, nonce.
const HEAD: usize = 32 + 4 + 4 + 8 + 8 + 16;
/// Families, in the order of their tags.
const FAMILIES: [&str; 9] = [
    "Organisation",
    "Membership",
    "Motion",
    "Fund",
    "Call",
    "Award",
    "Payment",
    "Node",
    "Charter",
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors/records")
        .join(name)
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(file(name)).unwrap()).unwrap()
}

fn officer(person: u32) -> Keypair {
    Keypair::derive(SEED, &format!("officer/{person}"))
}

/// The act's place among the enums: `Payment.Certify`, `Motion.Propose.Admit`.
fn name(body: &Body) -> String {
    fn outer(value: &Value) -> (String, Value) {
        match value {
            Value::String(name) => (name.clone(), Value::Null),
            Value::Object(map) => map
                .iter()
                .next()
                .map(|(name, inner)| (name.clone(), inner.clone()))
                .unwrap(),
            _ => unreachable!("enums are strings or objects"),
        }
    }
    let (family, act) = outer(&serde_json::to_value(body).unwrap());
    let (act, inner) = outer(&act);
    match &inner["effect"] {
        Value::Null => format!("{family}.{act}"),
        effect => format!("{family}.{act}.{}", outer(effect).0),
    }
}

/// The record of an act: signed by two officers, one of them by a delegation.
fn record(number: u64, body: Body) -> Record {
    let payload = Payload {
        chain: acts::chain(),
        principal: OrganisationId(1),
        officer: PersonId(1),
        sequence: number,
        valid_until_ms: LedgerTime(1_690_000_000_000),
        nonce: sample_nonce(1, number),
        body,
    };
    let signatures = vec![
        payload.sign(PersonId(1), Capacity::Own(Role::Primary), 0, &officer(1)),
        payload.sign(PersonId(2), Capacity::Delegation(7), 1, &officer(2)),
    ];
    Record {
        payload,
        signatures,
    }
}

fn made() -> Value {
    let records: Vec<Value> = (1..)
        .zip(acts::all())
        .map(|(number, body)| {
            let name = name(&body);
            let record = record(number, body);
            json!({
                "name": name,
                "rule": record.payload.body.code(),
                "since": record.payload.body.since(),
                "class": record.payload.body.class(),
                "payload": hex::encode(encode(&record.payload)),
                "id": record.id().to_hex(),
                "record": hex::encode(encode(&record)),
                "act": record.payload.body,
            })
        })
        .collect();
    json!({
        "chain": acts::chain().to_hex(),
        "officers": { "1": officer(1).public(), "2": officer(2).public() },
        "records": records,
    })
}

/// Bytes that are no record, each by one change, with the words of the refusal.
fn refused() -> Value {
    let of = |wanted: &str| {
        let body = acts::all()
            .into_iter()
            .find(|body| name(body) == wanted)
            .unwrap();
        record(1, body)
    };
    let leave = encode(&of("Node.Leave"));
    let tag = |bytes: &[u8], at: usize, tag: u32| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + 4].copy_from_slice(&tag.to_le_bytes());
        bytes
    };
    let byte = |bytes: &[u8], at: usize, value: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] = value;
        bytes
    };
    let changed = |wanted: &str, change: fn(&mut Record)| {
        let mut record = of(wanted);
        change(&mut record);
        encode(&record)
    };
    // The list of signatures follows the payload.
    let list = encode(&of("Node.Leave").payload).len();
    let submit = encode(&of("Payment.Submit"));
    let shared = HEAD + 4 + 4 + 4 + 8 + 4 + 32;
    let criterion = encode(&of("Motion.Vote"));
    let option = HEAD + 4 + 4 + 4 + 4;
    let reject = encode(&of("Membership.Reject"));
    let letters = HEAD + 4 + 4 + 4 + 8;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        (
            "the last byte is missing",
            leave[..leave.len() - 1].to_vec(),
        ),
        ("the signatures are missing", leave[..list].to_vec()),
        ("a byte follows", [leave.as_slice(), &[0]].concat()),
        ("a second record follows", leave.repeat(2)),
        (
            "a family that does not exist",
            tag(&leave, HEAD, FAMILIES.len() as u32),
        ),
        ("an act that does not exist", tag(&leave, HEAD + 4, 99)),
        (
            "an effect that does not exist",
            tag(&encode(&of("Motion.Propose.Admit")), HEAD + 8, 99),
        ),
        ("a flag that is neither 0 nor 1", byte(&submit, shared, 2)),
        (
            "an option that is neither 0 nor 1",
            byte(&criterion, option, 2),
        ),
        (
            "an algorithm of keys that does not exist",
            tag(&leave, leave.len() - 68, 1),
        ),
        ("more signatures than bytes", {
            let mut bytes = leave.clone();
            bytes[list..list + 8].copy_from_slice(&u64::MAX.to_le_bytes());
            bytes
        }),
        ("a text that is not UTF-8", byte(&reject, letters, 0xff)),
        (
            "a control character in a text",
            byte(&reject, letters, 0x07),
        ),
        (
            "no signature",
            changed("Node.Leave", |record| record.signatures.clear()),
        ),
        (
            "signatures in descending order",
            changed("Node.Leave", |record| record.signatures.reverse()),
        ),
        (
            "one officer twice",
            changed("Node.Leave", |record| {
                record.signatures[1] = record.signatures[0].clone()
            }),
        ),
        (
            "the initiating officer has not signed",
            changed("Node.Leave", |record| record.payload.officer = PersonId(3)),
        ),
        ("seventeen signatures", {
            let mut record = of("Node.Leave");
            let payload = record.payload.clone();
            let sign = |person| payload.sign(person, Capacity::Own(Role::Primary), 0, &officer(1));
            record.signatures = (1..=17).map(PersonId).map(sign).collect();
            encode(&record)
        }),
        ("longer than a record may be", {
            let mut record = of("Payment.Submit");
            if let Body::Payment(PaymentAct::Submit { evidence, .. }) = &mut record.payload.body {
                let item = evidence[0].clone();
                *evidence = vec![item; 1_000];
            }
            encode(&record)
        }),
        (
            "a list out of order",
            changed("Call.EnterPool", |record| {
                if let Body::Call(CallAct::EnterPool { persons, .. }) = &mut record.payload.body {
                    persons.reverse();
                }
            }),
        ),
        (
            "a list with one entry twice",
            changed("Fund.ProposeCancel", |record| {
                if let Body::Fund(FundAct::ProposeCancel { instalments, .. }) =
                    &mut record.payload.body
                {
                    instalments[1] = instalments[0];
                }
            }),
        ),
        (
            "an empty list where one must be",
            changed("Membership.Return", |record| {
                if let Body::Membership(MembershipAct::Return { missing, .. }) =
                    &mut record.payload.body
                {
                    missing.clear();
                }
            }),
        ),
        (
            "an amount of zero",
            changed("Payment.Acknowledge", |record| {
                if let Body::Payment(PaymentAct::Acknowledge { amount, .. }) =
                    &mut record.payload.body
                {
                    *amount = Amount(0);
                }
            }),
        ),
        (
            "an amount of nineteen digits",
            changed("Payment.Acknowledge", |record| {
                if let Body::Payment(PaymentAct::Acknowledge { amount, .. }) =
                    &mut record.payload.body
                {
                    *amount = Amount(1_000_000_000_000_000_000);
                }
            }),
        ),
        (
            "weights that do not sum to the whole",
            changed("Motion.Propose.PublishCall", |record| {
                if let Body::Motion(MotionAct::Propose(proposal)) = &mut record.payload.body
                    && let MotionEffect::PublishCall(terms) = &mut proposal.effect
                {
                    terms.criteria[0].weight_bp += 1;
                }
            }),
        ),
        (
            "a UETR in capital letters",
            changed("Payment.Release", |record| {
                if let Body::Payment(PaymentAct::Release { instruction, .. }) =
                    &mut record.payload.body
                {
                    let uetr = instruction.uetr.clone().unwrap();
                    let capital = uetr.as_str().to_uppercase();
                    instruction.uetr = Some(rollbook_proof::codec::Text::new(capital).unwrap());
                }
            }),
        ),
    ];
    let case = |(what, bytes): (&str, Vec<u8>)| {
        let why = decode::<Record>(&bytes)
            .map(|_| ())
            .expect_err(what)
            .to_string();
        json!({ "what": what, "why": why, "record": hex::encode(bytes) })
    };
    cases.into_iter().map(case).collect()
}

/// Whether these tags name an act: what follows is nonsense, but another error comes first only if
/// they do not.
fn exists(tags: &[u32]) -> bool {
    let mut bytes = encode(&record(1, Body::Node(NodeAct::Ready)))[..HEAD].to_vec();
    bytes.extend(tags.iter().flat_map(|tag| tag.to_le_bytes()));
    bytes.resize(Record::MAX, 0);
    decode::<Record>(&bytes).map_or_else(
        |error| !error.to_string().contains("UnexpectedVariant"),
        |_| true,
    )
}

#[test]
fn kept_record_vectors() {
    hold_json("tests/vectors/records/records.json", &made());
    hold_json("tests/vectors/records/refused.json", &refused());
    hold_json("tests/vectors/records/possession.json", &possession());
}

/// The kinds of keys, by their numbers.
const KINDS: [KeyKind; 7] = [
    KeyKind::Officer,
    KeyKind::Registrar,
    KeyKind::Consensus,
    KeyKind::Cosigner,
    KeyKind::Log,
    KeyKind::Transport,
    KeyKind::Witness,
];

/// Proofs of possession: of a registration's officers, a node's keys, and a founder's card; and
/// signatures that are no proof for what they stand beside.
fn possession() -> Value {
    let chain = acts::chain();
    let (mut registration, mut node) = (None, None);
    for body in acts::all() {
        match body {
            Body::Organisation(OrganisationAct::Register(made)) => registration = Some(made),
            Body::Node(NodeAct::Register(keys)) => node = Some(keys),
            _ => {}
        }
    }
    let (registration, node) = (registration.unwrap(), node.unwrap());
    let case = |what: &str, about: &Possession, kind: KeyKind, key: PublicKey, proof: Signature| {
        let kind = KINDS.iter().position(|known| *known == kind).unwrap();
        json!({
            "what": what, "chain": about.chain, "owner": about.owner, "kind": kind, "key": key,
            "thing": about.thing, "proof": proof,
        })
    };
    let entry = &registration.entry;
    let of_entry = entry.possession(&chain);
    let (first, first_proof) = entry.officers[0].keys[0];
    let (second, second_proof) = entry.officers[1].keys[0];
    let of_node = node.possession(Some(&chain), OrganisationId(5));
    let founder = officer(1);
    let founding = Possession::founding(1);
    let of_founder = founding.prove(KeyKind::Officer, &founder);
    let officer_kind = KeyKind::Officer;
    let mut proofs = vec![
        case(
            "the first officer",
            &of_entry,
            officer_kind,
            first,
            first_proof,
        ),
        case(
            "the second officer",
            &of_entry,
            officer_kind,
            second,
            second_proof,
        ),
        case(
            "a founder's card",
            &founding,
            officer_kind,
            founder.public(),
            of_founder,
        ),
    ];
    for (key, proof, kind) in node.kinds() {
        proofs.push(case("a node's key", &of_node, kind, *key, *proof));
    }
    let elsewhere = Possession {
        chain: sha256(b"another chain"),
        ..of_entry
    };
    let other_entry = Possession {
        thing: sha256(b"another entry"),
        ..of_entry
    };
    let other_owner = Possession {
        owner: 1,
        ..of_entry
    };
    let in_a_genesis = Possession::founding(0);
    let refused = [
        ("another chain", elsewhere, officer_kind, first, first_proof),
        (
            "another entry",
            other_entry,
            officer_kind,
            first,
            first_proof,
        ),
        (
            "another owner",
            other_owner,
            officer_kind,
            first,
            first_proof,
        ),
        (
            "another kind",
            of_entry,
            KeyKind::Registrar,
            first,
            first_proof,
        ),
        ("another key", of_entry, officer_kind, second, first_proof),
        (
            "a proof for a chain, in a genesis",
            in_a_genesis,
            officer_kind,
            first,
            first_proof,
        ),
        (
            "the registration's own signature",
            of_entry,
            officer_kind,
            first,
            registration.signature,
        ),
        ("zeros", of_entry, officer_kind, first, UNPROVED),
    ]
    .map(|(what, about, kind, key, proof)| case(what, &about, kind, key, proof));
    let mut bare = node.clone();
    for proof in [
        &mut bare.consensus.1,
        &mut bare.cosigner.1,
        &mut bare.log.1,
        &mut bare.transport.1,
    ] {
        *proof = UNPROVED;
    }
    json!({
        "entry": {
            "bytes": hex::encode(encode(entry)),
            "unproved": hex::encode(encode(&entry.unproved())),
            "hash": of_entry.thing,
        },
        "node": {
            "bytes": hex::encode(encode(&node)),
            "unproved": hex::encode(encode(&bare)),
            "hash": of_node.thing,
        },
        "registration": { "chain": chain, "key": first, "signature": registration.signature },
        "proofs": proofs,
        "refused": refused,
    })
}

/// From the file alone, as a reader in another language has it.
#[test]
fn the_vectors_of_possession_hold_by_themselves() {
    let vectors = read("possession.json");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let bytes = |value: &Value| hex::decode(text(value)).unwrap();
    let tagged = |tag: &str, parts: &[&[u8]]| [&[tag.as_bytes(), &[0]], parts].concat().concat();
    let message = |case: &Value| {
        let number = |name: &str| (case[name].as_u64().unwrap() as u32).to_le_bytes();
        let key = hex::decode(text(&case["key"]).replace("ed25519:", "")).unwrap();
        tagged(
            "rollbook/possession/v1",
            &[
                &bytes(&case["chain"]),
                &number("owner"),
                &number("kind"),
                &[0; 4],
                &key,
                &bytes(&case["thing"]),
            ],
        )
    };
    let holds = |case: &Value| {
        let key: PublicKey = serde_json::from_value(case["key"].clone()).unwrap();
        let proof: Signature = serde_json::from_value(case["proof"].clone()).unwrap();
        key.verify(&message(case), &proof).is_ok()
    };
    let proofs = vectors["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 7);
    assert!(proofs.iter().all(holds));
    let refused = vectors["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 8);
    assert!(!refused.iter().any(holds));
    // The hash of what brings the keys: its bytes with zeros for each proof.
    for (name, tag) in [("entry", "rollbook/entry/v1"), ("node", "rollbook/node/v1")] {
        let thing = &vectors[name];
        let mut unproved = bytes(&thing["bytes"]);
        for proof in proofs.iter().filter(|case| case["thing"] == thing["hash"]) {
            let proof = hex::decode(text(&proof["proof"]).replace("ed25519:", "")).unwrap();
            let at = unproved.windows(64).position(|part| part == proof).unwrap();
            unproved[at..at + 64].fill(0);
        }
        assert_eq!(hex::encode(&unproved), text(&thing["unproved"]));
        let hash = sha256(&tagged(tag, &[&unproved]));
        assert_eq!(hash.to_hex(), text(&thing["hash"]));
    }
    let registration = &vectors["registration"];
    let parts = [
        bytes(&registration["chain"]),
        bytes(&vectors["entry"]["hash"]),
    ];
    let message = tagged("rollbook/registration/v1", &[&parts[0], &parts[1]]);
    let key: PublicKey = serde_json::from_value(registration["key"].clone()).unwrap();
    let own: Signature = serde_json::from_value(registration["signature"].clone()).unwrap();
    assert!(key.verify(&message, &own).is_ok());
}

/// From the files alone, as a reader in another language has it.
#[test]
fn the_vectors_hold_by_themselves() {
    let vectors = read("records.json");
    let key = |person: &str| {
        serde_json::from_value::<PublicKey>(vectors["officers"][person].clone()).unwrap()
    };
    let mut ids = BTreeSet::new();
    for vector in vectors["records"].as_array().unwrap() {
        let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
        let record: Record =
            decode(&bytes("record")).unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
        assert_eq!(encode(&record), bytes("record"));
        assert_eq!(
            sha256_tagged("rollbook/record/v1", &[&bytes("payload")]).to_hex(),
            vector["id"].as_str().unwrap()
        );
        let act: Body = serde_json::from_value(vector["act"].clone()).unwrap();
        assert_eq!(act, record.payload.body, "the words are the bytes");
        for entry in &record.signatures {
            let tagged = [b"rollbook/record/v1\0".as_slice(), &bytes("payload")].concat();
            key(&entry.officer.0.to_string())
                .verify(&tagged, &entry.signature)
                .unwrap();
        }
        assert!(ids.insert(record.id()), "two records have one id");
        // No prefix is a record, nor anything longer.
        let whole = bytes("record");
        for cut in (0..whole.len()).step_by(7) {
            assert!(
                decode::<Record>(&whole[..cut]).is_err(),
                "{} cut at {cut}",
                vector["name"]
            );
        }
        assert!(decode::<Record>(&[whole.as_slice(), &[0]].concat()).is_err());
    }
    for case in read("refused.json").as_array().unwrap() {
        let bytes = hex::decode(case["record"].as_str().unwrap()).unwrap();
        let error = decode::<Record>(&bytes)
            .map(|_| ())
            .expect_err(case["what"].as_str().unwrap());
        assert_eq!(
            error.to_string(),
            case["why"].as_str().unwrap(),
            "{}",
            case["what"]
        );
    }
}

/// The enums are walked by their tags: a family, an act or an effect without a vector fails.
#[test]
fn every_act_has_a_vector() {
    let mut found: BTreeMap<Vec<u32>, String> = BTreeMap::new();
    for vector in read("records.json")["records"].as_array().unwrap() {
        let payload = hex::decode(vector["payload"].as_str().unwrap()).unwrap();
        let at = |index: usize| {
            u32::from_le_bytes(
                payload[HEAD + 4 * index..HEAD + 4 * index + 4]
                    .try_into()
                    .unwrap(),
            )
        };
        let name = vector["name"].as_str().unwrap();
        let tags = (0..name.split('.').count()).map(at).collect::<Vec<_>>();
        assert_eq!(name.split('.').next().unwrap(), FAMILIES[tags[0] as usize]);
        found.insert(tags, name.to_owned());
    }
    let tags_of = |tags: &[u32]| -> Vec<Vec<u32>> {
        (0..)
            .map(|tag| [tags, &[tag]].concat())
            .take_while(|tags| exists(tags))
            .collect()
    };
    let families = tags_of(&[]);
    assert_eq!(
        families.len(),
        FAMILIES.len(),
        "a family is not known to the vectors"
    );
    let mut missing = Vec::new();
    for family in families {
        for act in tags_of(&family) {
            // Proposals count by their effects.
            let leaves = if act == [2, 0] {
                tags_of(&act)
            } else {
                vec![act]
            };
            missing.extend(
                leaves
                    .into_iter()
                    .filter(|tags| found.remove(tags).is_none()),
            );
        }
    }
    assert!(
        missing.is_empty(),
        "acts without a vector, by tags: {missing:?}"
    );
    assert!(
        found.is_empty(),
        "vectors of acts that do not exist: {found:?}"
    );
}
