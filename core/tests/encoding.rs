//! The encoding has a way out: wincode writes the same bytes as bincode does under our profile. If
//! bincode must go one day, its successor is a line in the workspace table. Held for one struct
//! with every allowed type and for the shapes that stand in history: a seal, a certificate.

#![allow(clippy::unwrap_used, missing_docs)]

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Certificate, Seal};
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::{Hash, Signature, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};
use wincode::{SchemaRead, SchemaWrite};

#[derive(Debug, Clone, PartialEq, Encode, Decode, SchemaWrite, SchemaRead)]
enum Kind {
    First,
    Second(u32),
    Third { a: u64, b: Option<bool> },
}

#[derive(Debug, Clone, PartialEq, Encode, Decode, SchemaWrite, SchemaRead)]
struct Everything {
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    e: u128,
    f: i64,
    g: bool,
    h: [u8; 32],
    i: Vec<u8>,
    j: Vec<Kind>,
    k: Option<u64>,
    l: Option<Vec<u32>>,
    m: String,
}

impl Wire for Everything {
    const MAX: usize = 10_000;
}

fn everything(seed: u64) -> Everything {
    let byte = seed as u8;
    Everything {
        a: byte,
        b: seed as u16,
        c: seed as u32,
        d: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        e: u128::from(seed) << 64,
        f: -(seed as i64),
        g: seed.is_multiple_of(2),
        h: sha256(&seed.to_le_bytes()).0,
        i: vec![byte; (seed % 40) as usize],
        j: vec![
            Kind::First,
            Kind::Second(7),
            Kind::Third {
                a: seed,
                b: seed.is_multiple_of(3).then_some(true),
            },
        ],
        k: (seed % 2 == 1).then_some(seed),
        l: seed.is_multiple_of(5).then(|| vec![1, 2, 3]),
        m: "元宇宙 roll".repeat((seed % 4) as usize),
    }
}

#[test]
fn wincode_writes_the_same_bytes() {
    for seed in 0..200 {
        let value = everything(seed);
        let bytes = encode(&value);
        assert_eq!(wincode::serialize(&value).unwrap(), bytes, "seed {seed}");
        assert_eq!(wincode::deserialize::<Everything>(&bytes).unwrap(), value);
        assert_eq!(decode::<Everything>(&bytes).unwrap(), value);
    }
}

#[derive(SchemaWrite)]
struct SealAsStranger {
    protocol: u32,
    height: u64,
    time_ms: u64,
    parent: [u8; 32],
    first_leaf: u64,
    leaf_count: u32,
    body: [u8; 32],
    log_root: [u8; 32],
    state_root: [u8; 32],
    work_digest: [u8; 32],
    policy: [u8; 32],
    parent_certificate: [u8; 32],
}

#[test]
fn a_seal_is_its_fields_in_order_and_244_bytes() {
    let hash = |n: u8| sha256(&[n]);
    let seal = Seal {
        protocol: ProtocolVersion(1),
        height: Height(2),
        time_ms: LedgerTime(3),
        parent: hash(1),
        first_leaf: 4,
        leaf_count: 5,
        body: hash(2),
        log_root: hash(3),
        state_root: hash(4),
        work_digest: hash(5),
        policy: hash(6),
        parent_certificate: hash(7),
    };
    let stranger = SealAsStranger {
        protocol: 1,
        height: 2,
        time_ms: 3,
        parent: hash(1).0,
        first_leaf: 4,
        leaf_count: 5,
        body: hash(2).0,
        log_root: hash(3).0,
        state_root: hash(4).0,
        work_digest: hash(5).0,
        policy: hash(6).0,
        parent_certificate: hash(7).0,
    };
    let bytes = encode(&seal);
    assert_eq!(bytes, wincode::serialize(&stranger).unwrap());
    assert_eq!(bytes.len(), Seal::BYTES);
    assert_eq!(seal.leaf()[..4], [2, 0, 0, 0]);
    assert_eq!(
        seal.id().to_hex(),
        "3f34ab98a1460f5f9e308b813deba1abfa50611157bdbb643eef36f6b8d83e6c"
    );
    assert_eq!(decode::<Seal>(&bytes).unwrap(), seal);
}

#[test]
fn certificates_refuse_repeated_and_unsorted_signers() {
    let signature = Signature::Ed25519([9; 64]);
    let certificate = |signers: &[u32]| Certificate {
        height: Height(1),
        round: 0,
        block: Hash::ZERO,
        signatures: signers
            .iter()
            .map(|signer| (OrganisationId(*signer), signature))
            .collect(),
    };
    assert!(decode::<Certificate>(&encode(&certificate(&[1, 2, 7]))).is_ok());
    for bad in [&[1, 1][..], &[2, 1], &[1, 2, 2, 3]] {
        assert!(
            decode::<Certificate>(&encode(&certificate(bad))).is_err(),
            "{bad:?}"
        );
    }
}
