//! The sample alliances are the same bytes on every machine and in every build: kept vectors, kept
//! histories and the genesis hash that people compare rest on them.

#![allow(clippy::unwrap_used)]

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_sandbox::alliance::{OPENED_MS, Sample};
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::kept::hold_json;
use serde_json::{Value, json};

/// Of testnets: social credit codes in digits.
fn testnet() -> Value {
    let mut alliance = Sample {
        places: (1..=4).map(place).collect(),
        ..Sample::new(b"pinned", 5, Clock::Wall)
    };
    alliance.charter.chain.handover_blocks = 10;
    let file = alliance.founded().unwrap();
    let record = alliance.registration(file.genesis.hash(), 5, 2, 1, OPENED_MS);
    json!({
        "genesis": file.genesis.hash(),
        "file": sha256(&file.encode()),
        "registration": sha256(&encode(&record)),
    })
}

/// Of suites with one writer: social credit codes with letters, founders in groups.
fn suite() -> Value {
    let mut sample = sample(b"pinned", 12, 4);
    sample.pairs = vec![(6, 7), (8, 11)];
    sample.charter.chain.handover_blocks = 10;
    let mut alliance = Alliance::of(&sample);
    let found = alliance.found(OPENED_MS);
    json!({ "genesis": alliance.chain(), "found": sha256(&encode(&found)) })
}

#[test]
fn kept_samples() {
    hold_json(
        "tests/data/samples.json",
        &json!({ "testnet": testnet(), "suite": suite() }),
    );
}
