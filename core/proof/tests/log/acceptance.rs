use std::collections::BTreeSet;

use proptest::prelude::*;
use rollbook_proof::crypto::{Keypair, sha256};
use rollbook_proof::log::NoteLine;
use rollbook_proof::log::acceptance::*;
use rollbook_proof::log::checkpoint::*;
use rollbook_proof::log::note::*;

use crate::samples::{ORIGIN, cosign, key, note, policy};

fn vkey(name: &str, kind: KeyType) -> VerifierKey {
    VerifierKey::new(name, kind, Keypair::derive(b"acceptance", name).public()).unwrap()
}

/// The example of the specification: two of X and any of Y.
fn example() -> String {
    let mut text = format!("log {}\n\n", vkey("log.example", KeyType::Log));
    for name in ["X1", "X2", "X3", "Y1", "Y2"] {
        text += &format!("witness {name} {}\n", vkey(name, KeyType::Cosigner));
    }
    text + "group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup X-and-Y all X Y\nquorum X-and-Y\n"
}

#[test]
fn example_of_the_specification() {
    let policy = AcceptancePolicy::parse(example().as_bytes()).unwrap();
    let satisfied = |names: &[&str]| policy.satisfied(&names.iter().copied().collect());
    assert!(satisfied(&["X1", "X3", "Y2"]));
    assert!(!satisfied(&["X1", "X2", "X3"]));
    assert!(!satisfied(&["X1", "Y1", "Y2"]));
    assert!(
        !satisfied(&["X", "Y", "X-and-Y", "none"]),
        "names of groups are nobody's signature"
    );
    assert_eq!(policy.groups().len(), 3);
    let relaxed = format!(
        "  # comment\n\t\n \twitness  A\t{} https://a.example/ \nquorum A\n",
        vkey("A", KeyType::Cosigner)
    );
    assert!(
        AcceptancePolicy::parse(relaxed.as_bytes())
            .unwrap()
            .satisfied(&BTreeSet::from(["A"]))
    );
    assert!(
        AcceptancePolicy::parse(b"quorum none\n")
            .unwrap()
            .satisfied(&BTreeSet::new())
    );
}

#[test]
fn refuses_policies_that_mean_nothing() {
    let text = example();
    let with =
        |line: &str| AcceptancePolicy::parse(format!("{text}{line}\n").as_bytes()).unwrap_err();
    let z = vkey("Z", KeyType::Cosigner);
    assert_eq!(with("quorum X"), AcceptanceError::Quorum(2));
    assert_eq!(
        with("group Q 1 Y1"),
        AcceptanceError::MemberTwice(12, "Y1".into())
    );
    assert_eq!(
        with("group Q 1 none"),
        AcceptanceError::Unknown(12, "none".into())
    );
    assert_eq!(
        with("group Q 1 Q"),
        AcceptanceError::Unknown(12, "Q".into()),
        "no circles"
    );
    assert_eq!(with("group Q 1"), AcceptanceError::Threshold(12));
    assert_eq!(with("group Q 0 X-and-Y"), AcceptanceError::Threshold(12));
    assert_eq!(with("group Q 2 X-and-Y"), AcceptanceError::Threshold(12));
    assert_eq!(with("group Q 01 X-and-Y"), AcceptanceError::Threshold(12));
    assert_eq!(
        with("group X1 any X-and-Y"),
        AcceptanceError::DuplicateName(12, "X1".into())
    );
    assert_eq!(
        with(&format!("witness none {z}")),
        AcceptanceError::DuplicateName(12, "none".into())
    );
    assert_eq!(
        with(&format!("witness X1 {z}")),
        AcceptanceError::DuplicateName(12, "X1".into())
    );
    assert_eq!(with(&format!("log {z}")), AcceptanceError::KeyType(12));
    assert_eq!(
        with(&format!("witness Z {}", vkey("Z", KeyType::Log))),
        AcceptanceError::KeyType(12)
    );
    assert_eq!(
        with(&format!("witness Z {}", vkey("X1", KeyType::Cosigner))),
        AcceptanceError::DuplicateKey(12)
    );
    let same = VerifierKey::new(
        "Z",
        KeyType::Cosigner,
        *vkey("log.example", KeyType::Log).key(),
    )
    .unwrap();
    assert_eq!(
        with(&format!("witness Z {same}")),
        AcceptanceError::DuplicateKey(12),
        "the same key under another name and type"
    );
    assert_eq!(
        with("witness Z nonsense"),
        AcceptanceError::Key(12, NoteError::VerifierKey("nonsense".into()))
    );
    assert_eq!(with("trust me"), AcceptanceError::Line(12));
    assert_eq!(with("quorum X # comment"), AcceptanceError::Line(12));
    assert_eq!(with("\r"), AcceptanceError::Text);
    assert_eq!(
        AcceptancePolicy::parse(b"quorum none"),
        Err(AcceptanceError::Text)
    );
    assert_eq!(
        AcceptancePolicy::parse(b"\n"),
        Err(AcceptanceError::Quorum(0))
    );
    assert_eq!(AcceptancePolicy::parse(b""), Err(AcceptanceError::Text));
    assert_eq!(
        AcceptancePolicy::parse(b"quorum a\n"),
        Err(AcceptanceError::Unknown(1, "a".into()))
    );
    let early = format!("group G any A\nwitness A {z}\nquorum G\n");
    assert_eq!(
        AcceptancePolicy::parse(early.as_bytes()),
        Err(AcceptanceError::Unknown(1, "A".into()))
    );
}

#[test]
fn judges_checkpoints() {
    let epoch = policy(&[1, 2, 3, 4]);
    let acceptance = epoch.acceptance().unwrap();
    let good = note(&epoch, 9, sha256(b"root"));
    let judged = acceptance.judge(&good).unwrap();
    assert_eq!((judged.checkpoint.size, judged.log.name()), (9, ORIGIN));
    assert_eq!(
        judged.signers[1],
        Signer {
            name: "V2".into(),
            time_s: 1_800_000_002
        }
    );

    let judge = |change: &dyn Fn(&mut SignedNote)| {
        let mut bad = good.clone();
        change(&mut bad);
        acceptance.judge(&bad).unwrap_err()
    };
    let checkpoint = judged.checkpoint.clone();
    let second_log = checkpoint.sign_log(&key("log", 2, 0));
    let second_log =
        NoteLine::log(&epoch.validators[1].log_key(ORIGIN).unwrap(), &second_log).unwrap();
    assert_eq!(
        judge(&|n| n.lines.push(second_log.clone())),
        CheckpointRefusal::LogSignatures(2)
    );
    assert_eq!(
        judge(&|n| n.lines.push(n.lines[0].clone())),
        CheckpointRefusal::LogSignatures(2)
    );
    assert_eq!(
        judge(&|n| drop(n.lines.remove(0))),
        CheckpointRefusal::LogSignatures(0)
    );
    assert_eq!(
        judge(&|n| n.lines.push(n.lines[1].clone())),
        CheckpointRefusal::Repeated("V1".into())
    );
    assert!(
        matches!(judge(&|n| drop(n.lines.pop())), CheckpointRefusal::NoQuorum(s) if s.len() == 2)
    );
    assert!(
        matches!(judge(&|n| n.lines.truncate(1)), CheckpointRefusal::NoQuorum(s) if s.is_empty()),
        "1 of n logs is nothing"
    );
    assert_eq!(
        judge(&|n| n.text = n.text.replace("\n9\n", "\n8\n")),
        CheckpointRefusal::BadSignature(ORIGIN.into())
    );
    assert_eq!(
        judge(&|n| n.text = n.text.replace("alliance-1", "alliance-2")),
        CheckpointRefusal::Origin("rollbook.example/alliance-2".into())
    );
    assert_eq!(
        judge(&|n| n.text.push_str("extension\n")),
        CheckpointRefusal::Checkpoint(CheckpointError::Shape)
    );

    let other = Checkpoint {
        size: 8,
        ..checkpoint
    };
    let foreign = epoch
        .cosignature_line(&cosign(&epoch, &other, &[4])[0])
        .unwrap();
    assert_eq!(
        judge(&|n| n.lines.push(foreign.clone())),
        CheckpointRefusal::BadSignature("V4".into()),
        "surplus but bad"
    );
    let mut with_unknown = good.clone();
    with_unknown
        .lines
        .push(NoteLine::parse("— stranger.example AAAAAAA=").unwrap());
    assert!(
        acceptance.judge(&with_unknown).is_ok(),
        "unknown keys are ignored"
    );
}

proptest! {
    #[test]
    fn arbitrary_policies_never_panic(text in "(log|witness|group|quorum|[ \ta-z0-9+\n]){0,60}\n") {
        let _ = AcceptancePolicy::parse(text.as_bytes());
    }
}
