//! Keys, policies and checkpoints from fixed seeds, for the tests of `log` and `verify`.

use rollbook_proof::chain::{CheckpointSignature, LogSignature};
use rollbook_proof::crypto::{Hash, Keypair, sha256};
use rollbook_proof::log::*;
use rollbook_proof::number::{EpochId, OrganisationId};

pub const ORIGIN: &str = "rollbook.example/alliance-1";

/// A sample key: `kind` is consensus, cosigner or log; `generation` counts key rotations.
pub fn key(kind: &str, org: u32, generation: u32) -> Keypair {
    Keypair::derive(b"log samples", &format!("{kind} {org} {generation}"))
}

pub fn witness_key() -> Keypair {
    Keypair::derive(b"log samples", "witness")
}

pub fn validators(orgs: &[u32], generation: u32) -> Vec<PolicyValidator> {
    let seat = |org: &u32| PolicyValidator {
        name: String::new(),
        org: OrganisationId(*org),
        consensus: key("consensus", *org, generation).public(),
        cosigner: key("cosigner", *org, generation).public(),
        log: key("log", *org, generation).public(),
        url: format!("https://n{org}.example"),
    };
    orgs.iter().map(seat).collect()
}

/// Policy 0 of the given organisations.
pub fn policy(orgs: &[u32]) -> EpochPolicy {
    let vkey = VerifierKey::new(
        "witness.example/w1",
        KeyType::Cosigner,
        witness_key().public(),
    )
    .unwrap();
    let mut policy = EpochPolicy {
        epoch: EpochId(0),
        origin: ORIGIN.into(),
        previous: None,
        valid_from_size: 0,
        genesis: Some(GenesisFacts {
            leaves: 3,
            root: sha256(b"genesis leaves"),
            clock: Clock::Sample,
            continues: None,
        }),
        validators: validators(orgs, 0),
        witnesses: vec![PolicyWitness {
            name: "W1".into(),
            vkey,
            url: "https://witness.example/".into(),
        }],
    };
    policy.name_validators();
    policy
}

/// The policy after `before`, as leaf `index`.
pub fn next_policy(before: &EpochPolicy, index: u64, orgs: &[u32]) -> EpochPolicy {
    let mut policy = EpochPolicy {
        epoch: before.epoch.next(),
        previous: Some(before.digest()),
        valid_from_size: index + 2,
        genesis: None,
        validators: validators(orgs, before.epoch.next().0),
        ..before.clone()
    };
    policy.name_validators();
    policy
}

/// Cosignatures of these organisations with the keys of the policy's epoch.
pub fn cosign(
    policy: &EpochPolicy,
    checkpoint: &Checkpoint,
    orgs: &[u32],
) -> Vec<CheckpointSignature> {
    let one = |org: &u32| {
        let time_s = 1_800_000_000 + u64::from(*org);
        let signature = checkpoint.cosign(&key("cosigner", *org, policy.epoch.0), time_s);
        CheckpointSignature {
            validator: OrganisationId(*org),
            time_s,
            signature,
        }
    };
    orgs.iter().map(one).collect()
}

/// A checkpoint note, served by the policy's first validator and cosigned by exactly the first
/// quorum.
pub fn note(policy: &EpochPolicy, size: u64, root: Hash) -> SignedNote {
    let checkpoint = Checkpoint {
        origin: policy.origin.clone(),
        size,
        root,
    };
    let orgs: Vec<u32> = policy
        .validators
        .iter()
        .map(|v| v.org.0)
        .take(policy.quorum())
        .collect();
    let log = LogSignature {
        validator: OrganisationId(orgs[0]),
        signature: checkpoint.sign_log(&key("log", orgs[0], policy.epoch.0)),
    };
    policy
        .checkpoint_note(&checkpoint, &log, &cosign(policy, &checkpoint, &orgs), &[])
        .unwrap()
}
