//! The golden vectors under tests/vectors/log: what is there is what this code makes and accepts,
//! and its must-reject twins are refused for the reason written beside them. A changed vector is a
//! changed format.

use rollbook_proof::chain::LogSignature;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::tree::{
    MemoryNodes, consistency_proof, inclusion_proof, root_at, verify_consistency, verify_inclusion,
};
use rollbook_proof::log::{
    Checkpoint, EpochPolicy, NoteLine, SignedNote, TlogProof, VerifierKey, leaf_hash,
};
use rollbook_proof::number::OrganisationId;
use rollbook_proof::verify::*;
use serde_json::{Value, json};

use crate::epochs::Story;
use crate::kept::hold_json;
use crate::samples::{cosign, key, policy, witness_key};

const TREE: &str = include_str!("../../../tests/vectors/log/tree.json");
const CHECKPOINT: &str = include_str!("../../../tests/vectors/log/checkpoint.json");
const POLICY: &str = include_str!("../../../tests/vectors/log/policy.json");
const RECEIPT: &str = include_str!("../../../tests/vectors/log/receipt.json");
const STATE: &str = include_str!("../../../tests/vectors/log/state.json");

fn hexes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|h| h.to_hex()).collect()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|h| Hash::from_hex(h.as_str().unwrap()).unwrap())
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Seven leaves; leaf i is i bytes of value i.
fn seven() -> (Vec<Vec<u8>>, MemoryNodes) {
    let leaves: Vec<Vec<u8>> = (0..7u8).map(|i| vec![i; usize::from(i)]).collect();
    let mut nodes = MemoryNodes::new();
    for leaf in &leaves {
        nodes.push(leaf);
    }
    (leaves, nodes)
}

fn tree() -> Value {
    let (leaves, nodes) = seven();
    let roots: Vec<Hash> = (0..=7).map(|size| root_at(&nodes, size).unwrap()).collect();
    let inclusion = (1..=7u64).flat_map(|size| (0..size).map(move |index| (index, size)));
    let inclusion: Vec<Value> = inclusion
        .map(|(index, size)| json!({"index": index, "size": size, "path": hexes(&inclusion_proof(&nodes, index, size).unwrap())}))
        .collect();
    let consistency = (0..=7u64).flat_map(|new| (0..=new).map(move |old| (old, new)));
    let consistency: Vec<Value> = consistency
        .map(|(old, new)| json!({"old": old, "new": new, "path": hexes(&consistency_proof(&nodes, old, new).unwrap())}))
        .collect();
    json!({
        "leaves": leaves.iter().map(hex::encode).collect::<Vec<_>>(),
        "leaf_hashes": hexes(&leaves.iter().map(|l| leaf_hash(l)).collect::<Vec<_>>()),
        "roots": hexes(&roots), "inclusion": inclusion, "consistency": consistency,
    })
}

fn checkpoint() -> Value {
    let policy = policy(&[1, 2, 3, 4]);
    let checkpoint = Checkpoint {
        origin: policy.origin.clone(),
        size: 7,
        root: seven().1.root(),
    };
    let log = LogSignature {
        validator: OrganisationId(1),
        signature: checkpoint.sign_log(&key("log", 1, 0)),
    };
    let witness = NoteLine::cosignature(
        &policy.witnesses[0].vkey,
        1_800_000_100,
        &checkpoint.cosign(&witness_key(), 1_800_000_100),
    );
    let note = policy.checkpoint_note(
        &checkpoint,
        &log,
        &cosign(&policy, &checkpoint, &[1, 2, 3]),
        &[witness.unwrap()],
    );
    let seeds: Vec<String> = ["log", "cosigner"]
        .iter()
        .map(|kind| hex::encode(key(kind, OrganisationId(1).0, 0).seed()))
        .collect();
    json!({
        "origin": checkpoint.origin, "size": 7, "root": checkpoint.root.to_hex(), "text": checkpoint.text(),
        "log_vkey": policy.validators[0].log_key(&policy.origin).unwrap().to_string(), "log_seed": seeds[0],
        "cosigner_vkey": policy.validators[0].cosigner_key(&policy.origin).unwrap().to_string(), "cosigner_seed": seeds[1],
        "cosigner_time_s": 1_800_000_001, "note": note.unwrap().render().unwrap(),
    })
}

fn policies() -> Value {
    let story = Story::tell();
    let one = |policy: &EpochPolicy| json!({"epoch": policy.epoch, "text": policy.render(), "sha256": policy.digest().to_hex(), "quorum": policy.quorum()});
    let zero = story.policies[0].render();
    let twins = [
        (
            "the quorum is too low",
            zero.replace("group validators 3", "group validators 2"),
        ),
        (
            "a validator is missing in the group",
            zero.replace(" V3 V4\n", " V3\n"),
        ),
        (
            "the quorum is a witness",
            zero.replace("quorum validators", "quorum W1"),
        ),
        (
            "a leading zero",
            zero.replace("valid-from-size 0", "valid-from-size 00"),
        ),
        (
            "epoch 0 with a previous policy",
            zero.replace(
                "previous-policy none",
                &format!("previous-policy sha256:{}", Hash::ZERO),
            ),
        ),
        ("a comment more", zero.replace("\nlog ", "\n# x\nlog ")),
        ("carriage returns", zero.replace('\n', "\r\n")),
        ("no final line feed", zero.trim_end().to_owned()),
        ("a line after the end", format!("{zero}\n")),
        (
            "validators out of order",
            zero.replace("V1 org 1 ", "V1 org 9 "),
        ),
    ];
    let twins: Vec<Value> = twins
        .iter()
        .map(|(why, text)| json!({"why": why, "text": text}))
        .collect();
    json!({"accept": story.policies.iter().map(one).collect::<Vec<_>>(), "reject": twins})
}

/// A receipt with everything a stranger needs, and every way of spoiling it.
fn receipt() -> Value {
    let story = Story::tell();
    let size = story.leaves.len() as u64;
    let (index, boundary) = (7u64, story.policies[1].valid_from_size);
    let leaf = story.leaves[7].clone();
    let good = story.proof(index, 2, size);
    let proof = TlogProof::parse(good.as_bytes()).unwrap();
    let texts: Vec<String> = story.policies.iter().map(EpochPolicy::render).collect();
    let handovers: Vec<String> = (1..3).map(|epoch| story.handover_proof(epoch)).collect();

    let mut twins: Vec<Value> = Vec::new();
    let mut twin = |why: &str, leaf: &[u8], proof: &str| {
        let got = verdict(&story.genesis(), &texts, &handovers, leaf, proof).unwrap_err();
        twins.push(json!({"why": why, "leaf": hex::encode(leaf), "proof": proof, "code": got}));
    };
    let mut leaf_bit = leaf.clone();
    leaf_bit[4] ^= 1;
    twin("one bit of the leaf", &leaf_bit, &good);
    let render = |change: &dyn Fn(&mut TlogProof)| {
        let mut changed = proof.clone();
        change(&mut changed);
        changed.render().unwrap()
    };
    let checkpoint = Checkpoint::parse(&proof.note.text).unwrap();
    twin("one bit of the index", &leaf, &render(&|p| p.index ^= 1));
    for at in 0..proof.path.len() {
        twin(
            &format!("one bit of path hash {at}"),
            &leaf,
            &render(&|p| p.path[at].0[31] ^= 1),
        );
    }
    twin(
        "one path hash less",
        &leaf,
        &render(&|p| p.path.truncate(4)),
    );
    twin(
        "one path hash more",
        &leaf,
        &render(&|p| p.path.push(Hash::ZERO)),
    );
    let other = |change: &dyn Fn(&mut Checkpoint)| {
        let mut changed = checkpoint.clone();
        change(&mut changed);
        render(&|p| p.note.text = changed.text())
    };
    twin("one bit of the size", &leaf, &other(&|c| c.size ^= 1));
    twin("one bit of the root", &leaf, &other(&|c| c.root.0[0] ^= 1));
    twin("another origin", &leaf, &other(&|c| c.origin.push('0')));
    for (at, line) in proof.note.lines.iter().enumerate() {
        let line = line.to_string();
        for (part, byte) in [("key id", 3usize), ("signature", 40)] {
            let (head, body) = line.rsplit_once(' ').unwrap();
            let mut bytes = base64_decode(body);
            bytes[byte] ^= 1;
            let changed = NoteLine::parse(&format!("{head} {}", base64_encode(&bytes))).unwrap();
            twin(
                &format!("one bit of the {part} in line {at}"),
                &leaf,
                &render(&|p| p.note.lines[at] = changed.clone()),
            );
        }
    }
    twin(
        "quorum less one",
        &leaf,
        &render(&|p| drop(p.note.lines.pop())),
    );
    twin(
        "quorum less one, one cosignature twice",
        &leaf,
        &render(&|p| *p.note.lines.last_mut().unwrap() = p.note.lines[1].clone()),
    );
    twin(
        "one cosignature twice beside a quorum",
        &leaf,
        &render(&|p| p.note.lines.push(p.note.lines[1].clone())),
    );
    twin(
        "log signature only",
        &leaf,
        &render(&|p| p.note.lines.truncate(1)),
    );
    twin(
        "no log signature",
        &leaf,
        &render(&|p| drop(p.note.lines.remove(0))),
    );
    twin(
        "log signature twice",
        &leaf,
        &render(&|p| p.note.lines.push(p.note.lines[0].clone())),
    );
    let all_logs = |p: &mut TlogProof| {
        let sign = |v: &rollbook_proof::log::PolicyValidator| {
            let vkey: VerifierKey = v.log_key(&checkpoint.origin).unwrap();
            NoteLine::log(&vkey, &checkpoint.sign_log(&key("log", v.org.0, 2))).unwrap()
        };
        p.note.lines = story.policies[2].validators.iter().map(sign).collect();
    };
    twin(
        "every log signature, no cosignature",
        &leaf,
        &render(&all_logs),
    );
    twin(
        "checkpoint of the previous epoch",
        &leaf,
        &story.proof(index, 1, size),
    );
    let before = TlogProof::parse(story.proof(index, 1, size).as_bytes())
        .unwrap()
        .note
        .lines;
    let previous = |p: &mut TlogProof| {
        p.note.lines.truncate(1);
        p.note.lines.extend_from_slice(&before[1..]);
    };
    twin(
        "quorum of the previous epoch under a log signature of this one",
        &leaf,
        &render(&previous),
    );
    twin(
        "checkpoint of the next epoch",
        &leaf,
        &story.proof(index, 1, boundary),
    );
    twin(
        "an extension line",
        &leaf,
        &render(&|p| p.note.text.push_str("x\n")),
    );

    let mut chains: Vec<Value> = Vec::new();
    let mut chain = |why: &str, texts: &[&String], handovers: &[&String]| {
        let (texts, handovers): (Vec<String>, Vec<String>) = (
            texts.iter().map(|t| (*t).clone()).collect(),
            handovers.iter().map(|t| (*t).clone()).collect(),
        );
        let got = verdict(&story.genesis(), &texts, &handovers, &leaf, &good).unwrap_err();
        chains.push(json!({"why": why, "policies": texts, "handovers": handovers, "code": got}));
    };
    chain(
        "epochs in the wrong order",
        &[&texts[0], &texts[2], &texts[1]],
        &[&handovers[1], &handovers[0]],
    );
    chain(
        "an epoch left out",
        &[&texts[0], &texts[2]],
        &[&handovers[1]],
    );
    chain(
        "not from the genesis",
        &[&texts[1], &texts[2]],
        &[&handovers[1]],
    );
    chain(
        "handover proofs exchanged",
        &[&texts[0], &texts[1], &texts[2]],
        &[&handovers[1], &handovers[0]],
    );
    let changed = texts[1].replace(&story.policies[0].digest().to_hex(), &Hash::ZERO.to_hex());
    chain(
        "another previous policy",
        &[&texts[0], &changed, &texts[2]],
        &[&handovers[0], &handovers[1]],
    );
    let changed = texts[1].replace("n1.example", "n9.example");
    chain(
        "a changed policy",
        &[&texts[0], &changed, &texts[2]],
        &[&handovers[0], &handovers[1]],
    );
    let later = story.proof(boundary - 2, 0, boundary + 2);
    chain(
        "a handover proved at a later size",
        &[&texts[0], &texts[1], &texts[2]],
        &[&later, &handovers[1]],
    );
    let own = story.proof(boundary - 2, 1, boundary);
    chain(
        "a handover signed by the new validators",
        &[&texts[0], &texts[1], &texts[2]],
        &[&own, &handovers[1]],
    );
    chain(
        "the last policy is missing",
        &[&texts[0], &texts[1]],
        &[&handovers[0]],
    );

    json!({
        "genesis": story.genesis().to_hex(), "policies": texts, "handovers": handovers,
        "leaf": hex::encode(&leaf), "proof": good, "epoch": 2, "index": index, "size": size,
        "reject_receipts": twins, "reject_chains": chains,
    })
}

/// State proofs of a present and an absent key, and their twins.
fn state() -> Value {
    let state = Story::tell().state;
    let (present, absent) = (4u32.to_le_bytes(), *b"none");
    let case = |root: Hash, key: &[u8], value: Option<&[u8]>, proof: &[u8]| {
        let code = verify_state(&root, key, value, proof)
            .err()
            .map(|refusal| refusal.code());
        json!({
            "root": root.to_hex(), "key": hex::encode(key), "value": value.map(hex::encode),
            "proof": hex::encode(proof), "code": code,
        })
    };
    let (yes, no) = (state.proof(&present), state.proof(&absent));
    json!([
        case(state.root(), &present, Some(&[5; 4]), &yes),
        case(state.root(), &absent, None, &no),
        case(state.root(), &present, Some(&[6; 4]), &yes),
        case(state.root(), &present, None, &yes),
        case(state.root(), &present, None, &no),
        case(Hash::ZERO, &present, Some(&[5; 4]), &yes),
        case(Hash::ZERO, &absent, None, &no),
        case(
            state.root(),
            &present,
            Some(&[5; 4]),
            &[yes.as_slice(), &[0]].concat()
        ),
        case(state.root(), &present, Some(&[5; 4]), &yes[..yes.len() - 1]),
    ])
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

fn base64_encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The whole way of a stranger: policies, handovers, receipt. The code of the first refusal.
fn verdict(
    genesis: &Hash,
    texts: &[String],
    handovers: &[String],
    leaf: &[u8],
    proof: &str,
) -> Result<Receipt, &'static str> {
    let mut chain = EpochChain::new(*genesis);
    for (at, policy) in texts.iter().enumerate() {
        let handover = at
            .checked_sub(1)
            .and_then(|at| handovers.get(at))
            .map(String::as_bytes);
        chain
            .push(policy.as_bytes(), handover)
            .map_err(|error| error.code())?;
    }
    chain
        .verify_receipt(leaf, proof.as_bytes())
        .map_err(|error| error.code())
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| text(v).to_owned())
        .collect()
}

#[test]
fn kept_log_vectors() {
    for (name, made) in [
        ("tree", tree()),
        ("checkpoint", checkpoint()),
        ("policy", policies()),
        ("receipt", receipt()),
        ("state", state()),
    ] {
        hold_json(&format!("tests/vectors/log/{name}.json"), &made);
    }
}

#[test]
fn tree_vectors_verify() {
    let golden: Value = serde_json::from_str(TREE).unwrap();
    let (leaf_hashes, roots) = (hashes(&golden["leaf_hashes"]), hashes(&golden["roots"]));
    for case in golden["inclusion"].as_array().unwrap() {
        let (index, size, path) = (
            case["index"].as_u64().unwrap(),
            case["size"].as_u64().unwrap(),
            hashes(&case["path"]),
        );
        let root = roots[size as usize];
        verify_inclusion(&leaf_hashes[index as usize], index, size, &path, &root).unwrap();
        assert!(
            verify_inclusion(&leaf_hashes[index as usize], index ^ 1, size, &path, &root).is_err()
        );
    }
    for case in golden["consistency"].as_array().unwrap() {
        let (old, new, path) = (
            case["old"].as_u64().unwrap(),
            case["new"].as_u64().unwrap(),
            hashes(&case["path"]),
        );
        verify_consistency(old, &roots[old as usize], new, &roots[new as usize], &path).unwrap();
    }
}

#[test]
fn checkpoint_vector_verifies_from_its_text() {
    let golden: Value = serde_json::from_str(CHECKPOINT).unwrap();
    let note = SignedNote::parse(text(&golden["note"]).as_bytes()).unwrap();
    assert_eq!(note.text, text(&golden["text"]));
    let log = VerifierKey::parse(text(&golden["log_vkey"])).unwrap();
    let cosigner = VerifierKey::parse(text(&golden["cosigner_vkey"])).unwrap();
    assert_eq!(log.verify(&note.text, &note.lines[0]), Ok(0));
    assert_eq!(
        cosigner.verify(&note.text, &note.lines[1]),
        Ok(golden["cosigner_time_s"].as_u64().unwrap())
    );
    assert!(cosigner.verify(&note.text, &note.lines[2]).is_err());
}

#[test]
fn policy_vectors_are_accepted_and_refused() {
    let golden: Value = serde_json::from_str(POLICY).unwrap();
    for case in golden["accept"].as_array().unwrap() {
        let policy = EpochPolicy::parse(text(&case["text"]).as_bytes()).unwrap();
        assert_eq!(policy.digest().to_hex(), text(&case["sha256"]));
    }
    for case in golden["reject"].as_array().unwrap() {
        assert!(
            EpochPolicy::parse(text(&case["text"]).as_bytes()).is_err(),
            "{}",
            case["why"]
        );
        assert_ne!(case["text"], golden["accept"][0]["text"], "{}", case["why"]);
    }
}

#[test]
fn receipt_vector_is_accepted_and_its_twins_are_refused() {
    let golden: Value = serde_json::from_str(RECEIPT).unwrap();
    let genesis = Hash::from_hex(text(&golden["genesis"])).unwrap();
    let (texts, handovers) = (strings(&golden["policies"]), strings(&golden["handovers"]));
    let leaf = hex::decode(text(&golden["leaf"])).unwrap();
    let receipt = verdict(&genesis, &texts, &handovers, &leaf, text(&golden["proof"])).unwrap();
    assert_eq!(
        (
            u64::from(receipt.epoch.0),
            receipt.verified.index,
            receipt.verified.size
        ),
        (
            golden["epoch"].as_u64().unwrap(),
            golden["index"].as_u64().unwrap(),
            golden["size"].as_u64().unwrap()
        )
    );
    for case in golden["reject_receipts"].as_array().unwrap() {
        let leaf = hex::decode(text(&case["leaf"])).unwrap();
        let got = verdict(&genesis, &texts, &handovers, &leaf, text(&case["proof"])).unwrap_err();
        assert_eq!(got, text(&case["code"]), "{}", case["why"]);
    }
    for case in golden["reject_chains"].as_array().unwrap() {
        let (texts, handovers) = (strings(&case["policies"]), strings(&case["handovers"]));
        let got = verdict(&genesis, &texts, &handovers, &leaf, text(&golden["proof"])).unwrap_err();
        assert_eq!(got, text(&case["code"]), "{}", case["why"]);
    }
}

#[test]
fn state_vectors_are_accepted_and_refused() {
    let golden: Value = serde_json::from_str(STATE).unwrap();
    let bytes = |value: &Value| hex::decode(text(value)).unwrap();
    let mut accepted = 0;
    for case in golden.as_array().unwrap() {
        let value = case["value"].as_str().map(|v| hex::decode(v).unwrap());
        let root = Hash::from_hex(text(&case["root"])).unwrap();
        let got = verify_state(
            &root,
            &bytes(&case["key"]),
            value.as_deref(),
            &bytes(&case["proof"]),
        );
        assert_eq!(
            got.err().map(|refusal| refusal.code()),
            case["code"].as_str()
        );
        accepted += u32::from(got.is_ok());
    }
    assert_eq!(accepted, 2);
}
