use std::collections::BTreeSet;

use proptest::prelude::*;
use rollbook_proof::chain::{CheckpointSignature, HandoverCheckpoint, LogSignature};
use rollbook_proof::crypto::{Hash, PublicKey, sha256};
use rollbook_proof::log::note::*;
use rollbook_proof::log::policy::*;
use rollbook_proof::log::{leaf_hash, *};
use rollbook_proof::number::{EpochId, OrganisationId};

use crate::samples::{ORIGIN, cosign, key, next_policy, note, policy, witness_key};

fn refused(text: &str) -> PolicyError {
    EpochPolicy::parse(text.as_bytes()).unwrap_err()
}

#[test]
fn text_is_exact_and_reads_back() {
    let policy = policy(&[4, 17, 2, 9]);
    policy.check().unwrap();
    let text = policy.render();
    let heads: Vec<&str> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(text.lines().next(), Some("# rollbook-epoch 0"));
    assert_eq!(
        text.lines().nth(1),
        Some("# chain rollbook.example/alliance-1")
    );
    assert_eq!(text.lines().nth(2), Some("# previous-policy none"));
    assert_eq!(text.lines().nth(3), Some("# valid-from-size 0"));
    assert_eq!(text.lines().nth(5), Some("# clock sample"));
    assert_eq!(text.lines().nth(6), Some("# continues none"));
    assert!(
        text.lines()
            .nth(7)
            .unwrap()
            .starts_with("# validator V1 org 2 consensus ")
    );
    assert_eq!(
        heads[11..],
        [
            "log", "log", "log", "log", "witness", "witness", "witness", "witness", "group",
            "witness", "quorum"
        ]
    );
    assert!(text.contains("\ngroup validators 3 V1 V2 V3 V4\n"));
    assert!(text.ends_with("\nquorum validators\n"));
    assert_eq!(EpochPolicy::parse(text.as_bytes()), Ok(policy.clone()));
    assert_eq!(policy.digest(), sha256(text.as_bytes()));
    assert!(is_policy_leaf(text.as_bytes()));
    assert_eq!(
        rollbook_proof::chain::LeafTag::split(text.as_bytes()),
        None,
        "no leaf tag reads a policy"
    );
    let orgs: Vec<u32> = policy.validators().iter().map(|v| v.validator.0).collect();
    assert_eq!(orgs, [2, 4, 9, 17]);

    let second = next_policy(&policy, 40, &[2, 4, 9, 17, 20]);
    second.check().unwrap();
    let text = second.render();
    assert!(text.contains(&format!(
        "# previous-policy sha256:{}\n# valid-from-size 42\n# validator V1 org 2",
        policy.digest()
    )));
    assert_eq!(EpochPolicy::parse(text.as_bytes()), Ok(second));
}

#[test]
fn continues_reads_back() {
    let mut policy = policy(&[1, 2, 3, 4]);
    let facts = policy.genesis.as_mut().unwrap();
    facts.clock = Clock::Wall;
    facts.continues = Some(Continues {
        genesis: sha256(b"g"),
        size: 77,
        root: sha256(b"r"),
    });
    assert_eq!(EpochPolicy::parse(policy.render().as_bytes()), Ok(policy));
}

#[test]
fn refuses_texts_that_differ_in_anything() {
    let text = policy(&[1, 2, 3, 4]).render();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for bad in [
        change("# rollbook-epoch 0", "# rollbook-epoch 00"),
        change("# rollbook-epoch 0", "# rollbook-epoch 1"),
        change("# rollbook-epoch 0", "#  rollbook-epoch 0"),
        change("# chain rollbook", "# chain other"),
        change("none", "sha256:00"),
        change("valid-from-size 0", "valid-from-size 1"),
        change("genesis-leaves 3", "genesis-leaves 03"),
        change("clock sample", "clock Sample"),
        change("# validator V1 org 1", "# validator V1 org 2"),
        change("# validator V1", "# validator V2"),
        change("org 1 consensus", "org 1 cosigner"),
        change("https://n1.example/v1/log/", "https://n9.example/v1/log/"),
        change("https://n1.example/v1/log/", "https://n1.example"),
        change("group validators 3", "group validators 03"),
        change("V1 V2 V3 V4", "V1 V2 V3"),
        change("V1 V2 V3 V4", "V2 V1 V3 V4"),
        change("quorum validators", "quorum W1"),
        change("quorum validators", "quorum none"),
        change("quorum validators\n", "quorum validators"),
        change("quorum validators\n", "quorum validators\n\n"),
        change("quorum validators\n", "quorum validators\n# more\n"),
        change(
            "quorum validators\n",
            "group more any W1\nquorum validators\n",
        ),
        change("witness W1", "witness  W1"),
        change("witness W1", "witness V1"),
        change("\nlog ", "\n# comment\nlog "),
        change("\n", "\r\n"),
        String::new(),
        "#\n".into(),
    ] {
        assert!(EpochPolicy::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert_eq!(
        refused(&change("group validators 3", "group validators 2")),
        PolicyError::Quorum {
            found: 2,
            needed: 3
        },
        "the quorum is recomputed, not copied"
    );
    let upper = text.lines().nth(4).unwrap().to_owned();
    assert_eq!(
        refused(&change(
            &upper,
            &upper
                .to_uppercase()
                .replace("GENESIS-LEAVES", "genesis-leaves")
        )),
        PolicyError::NotCanonical
    );
}

#[test]
fn refuses_keys_that_stand_twice_or_could_not_be_registered() {
    let good = policy(&[1, 2, 3, 4]);
    let expect = |change: &dyn Fn(&mut EpochPolicy), why: &dyn Fn(&PolicyError) -> bool| {
        let mut bad = good.clone();
        change(&mut bad);
        let error = bad.check().unwrap_err();
        assert!(why(&error), "{error}");
        assert!(EpochPolicy::parse(bad.render().as_bytes()).is_err());
    };
    let twice = |error: &PolicyError| matches!(error, PolicyError::DuplicateKey(_));
    expect(&|p| p.validators[0].log = p.validators[1].log, &twice);
    expect(&|p| p.validators[0].log = p.validators[0].cosigner, &twice);
    expect(
        &|p| p.validators[0].consensus = p.validators[3].cosigner,
        &twice,
    );
    expect(
        &|p| {
            p.witnesses[0].vkey =
                VerifierKey::new("w.example", KeyType::Cosigner, p.validators[0].consensus).unwrap()
        },
        &twice,
    );
    let weak = PublicKey::Ed25519([0; 32]);
    expect(&|p| p.validators[2].cosigner = weak, &|error| {
        matches!(error, PolicyError::Key(_, _))
    });
    expect(&|p| p.validators.clear(), &|error| {
        *error == PolicyError::Validators
    });
    expect(&|p| p.validators.swap(0, 1), &|error| {
        *error == PolicyError::Validators
    });
    expect(&|p| p.origin = "a+b".into(), &|error| {
        matches!(error, PolicyError::Origin(_))
    });
    expect(&|p| p.validators[0].url = "ftp://x".into(), &|error| {
        matches!(error, PolicyError::Url(_))
    });
    expect(&|p| p.validators[0].url = "https://x/#a".into(), &|error| {
        matches!(error, PolicyError::Url(_))
    });
    expect(&|p| p.witnesses[0].name = "validators".into(), &|error| {
        matches!(error, PolicyError::Name(_))
    });
    expect(&|p| p.genesis = None, &|error| {
        *error == PolicyError::Epoch(EpochId(0))
    });
    expect(&|p| p.previous = Some(Hash::ZERO), &|error| {
        *error == PolicyError::Epoch(EpochId(0))
    });
}

#[test]
fn the_largest_policy_fits_every_verifier() {
    let orgs: Vec<u32> = (1..=22).collect();
    let largest = policy(&orgs);
    largest.check().unwrap();
    assert_eq!(
        note(&largest, 9, sha256(b"root")).lines.len(),
        LINES_WRITTEN
    );
    assert!(largest.render().len() < EPOCH_POLICY_MAX_BYTES);
    assert_eq!(
        policy(&(1..=23).collect::<Vec<_>>()).check(),
        Err(PolicyError::Validators)
    );
}

#[test]
fn converts_to_the_general_form_with_the_same_quorum() {
    let policy = policy(&[1, 2, 3, 4]);
    let acceptance = policy.acceptance().unwrap();
    assert_eq!(acceptance.logs().len(), 4);
    assert_eq!(acceptance.witnesses().len(), 5);
    assert!(acceptance.satisfied(&BTreeSet::from(["V1", "V2", "V4"])));
    assert!(
        !acceptance.satisfied(&BTreeSet::from(["V1", "V2", "W1"])),
        "a witness is no validator"
    );
}

#[test]
fn cosignatures_need_a_quorum_in_order() {
    let policy = policy(&[1, 2, 3, 4]);
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: 5,
        root: leaf_hash(b"x"),
    };
    let good = cosign(&policy, &checkpoint, &[1, 2, 4]);
    policy.verify_cosignatures(&checkpoint, &good).unwrap();
    let log = |org: u32| LogSignature {
        validator: OrganisationId(org),
        signature: checkpoint.sign_log(&key("log", org, 0)),
    };
    let handover = |log: LogSignature| HandoverCheckpoint {
        size: 5,
        root: checkpoint.root,
        log,
        cosignatures: good.clone(),
    };
    policy.verify_handover(&handover(log(3))).unwrap();
    // The log line is judged like the cosignatures: by a key of this policy, over this checkpoint.
    let mut other_key = log(3);
    other_key.validator = OrganisationId(2);
    for (line, refusal) in [
        (log(5), CosignatureError::Foreign(OrganisationId(5))),
        (other_key, CosignatureError::BadSignature(OrganisationId(2))),
    ] {
        assert_eq!(policy.verify_handover(&handover(line)), Err(refusal));
    }
    let verify =
        |signatures: &[CheckpointSignature]| policy.verify_cosignatures(&checkpoint, signatures);
    assert_eq!(
        verify(&good[..2]),
        Err(CosignatureError::NoQuorum {
            signers: 2,
            needed: 3
        })
    );
    assert_eq!(
        verify(&[good[0].clone(), good[0].clone(), good[1].clone()]),
        Err(CosignatureError::Order)
    );
    assert_eq!(
        verify(&cosign(&policy, &checkpoint, &[1, 2, 3, 5])),
        Err(CosignatureError::Foreign(OrganisationId(5)))
    );
    let mut late = good.clone();
    late[1].time_s += 1;
    assert_eq!(
        verify(&late),
        Err(CosignatureError::BadSignature(OrganisationId(2)))
    );
    let other = HandoverCheckpoint {
        size: 6,
        ..handover(log(3))
    };
    assert_eq!(
        policy.verify_handover(&other),
        Err(CosignatureError::BadSignature(OrganisationId(3)))
    );
}

#[test]
fn note_holds_exactly_a_quorum_in_policy_order() {
    let policy = policy(&[1, 2, 3, 4]);
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: 5,
        root: leaf_hash(b"x"),
    };
    let mut given = cosign(&policy, &checkpoint, &[4, 3, 2, 1]);
    given[2].time_s += 1;
    let log = LogSignature {
        validator: OrganisationId(3),
        signature: checkpoint.sign_log(&key("log", 3, 0)),
    };
    let witness = NoteLine::cosignature(
        &policy.witnesses[0].vkey,
        7,
        &checkpoint.cosign(&witness_key(), 7),
    )
    .unwrap();
    let note = policy
        .checkpoint_note(&checkpoint, &log, &given, std::slice::from_ref(&witness))
        .unwrap();
    let signers: Vec<Option<u32>> = note
        .lines
        .iter()
        .map(|l| policy.cosignature_of(l).map(|s| s.validator.0))
        .collect();
    assert_eq!(signers, [None, Some(1), Some(3), Some(4), None]);
    assert_eq!(note.lines[4], witness);
    assert_eq!(
        policy.cosignature_of(&note.lines[1]),
        Some(given[3].clone()),
        "line and ledger form convert both ways"
    );
    let judged = policy.acceptance().unwrap().judge(&note).unwrap();
    assert_eq!(
        judged
            .signers
            .iter()
            .map(|s| s.name.as_str())
            .collect::<Vec<_>>(),
        ["V1", "V3", "V4", "W1"]
    );
    assert_eq!(
        policy
            .checkpoint_note(&checkpoint, &log, &given[1..], &[])
            .unwrap_err(),
        CosignatureError::NoQuorum {
            signers: 2,
            needed: 3
        }
    );
    let borrowed = LogSignature {
        validator: OrganisationId(2),
        ..log
    };
    assert_eq!(
        policy
            .checkpoint_note(&checkpoint, &borrowed, &given, &[])
            .unwrap_err(),
        CosignatureError::BadSignature(OrganisationId(2))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn policies_read_back(orgs in prop::collection::btree_set(1u32..200, 1..23), index in 5u64..1_000_000) {
        let orgs: Vec<u32> = orgs.into_iter().collect();
        let first = policy(&orgs);
        prop_assert_eq!(EpochPolicy::parse(first.render().as_bytes()).unwrap(), first.clone());
        let second = next_policy(&first, index, &orgs);
        prop_assert_eq!(EpochPolicy::parse(second.render().as_bytes()).unwrap(), second);
    }

    #[test]
    fn one_changed_bit_changes_the_policy_or_is_refused(at: usize, bit in 0u8..8) {
        let policy = policy(&[1, 2, 3, 4]);
        let mut bytes = policy.render().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(other) = EpochPolicy::parse(&bytes) {
            prop_assert_ne!(other, policy);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[ -~\n]{0,300}") {
        let _ = EpochPolicy::parse(format!("# rollbook-epoch 0\n{text}").as_bytes());
    }
}
