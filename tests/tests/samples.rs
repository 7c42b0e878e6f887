//! The sample alliances are the same bytes on every machine and in every build: kept vectors, kept
//! histories and the genesis hash that people compare rest on them.

#![allow(clippy::unwrap_used)]

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_sandbox::alliance::{OPENED_MS, Sample};
use rollbook_tests::alliance::{Alliance, place, sample};

/// Of testnets: social credit codes in digits.
#[test]
fn a_testnets_alliance_is_what_it_was() {
    let mut alliance = Sample {
        places: (1..=4).map(place).collect(),
        protocol: 2,
        ..Sample::new(b"pinned", 5, Clock::Wall)
    };
    alliance.charter.chain.handover_blocks = 10;
    let file = alliance.founded().unwrap();
    assert_eq!(
        file.genesis.hash().to_hex(),
        "96261742f4c28cc19d47ecfe2e8fe791a2aec9adfe913e802b4003b458fe5a55"
    );
    assert_eq!(
        sha256(&file.encode()).to_hex(),
        "d81b6dfae4c9922696315fc1f41d7bea48f986bd3ba602b18c5931875d8e5ab4"
    );
    let record = alliance.registration(file.genesis.hash(), 5, 2, 1, OPENED_MS);
    assert_eq!(
        sha256(&encode(&record)).to_hex(),
        "d4147ade3bb62198f9a1d6f3a4436adfdf0870b1a61bbe7f49da89f3165079f1"
    );
}

/// Of suites with one writer: social credit codes with letters, founders in groups.
#[test]
fn a_suites_alliance_is_what_it_was() {
    let mut sample = sample(b"pinned", 12, 4);
    sample.protocol = 2;
    sample.pairs = vec![(6, 7), (8, 11)];
    sample.charter.chain.handover_blocks = 10;
    let mut alliance = Alliance::of(&sample);
    assert_eq!(
        alliance.chain().to_hex(),
        "e714dba0416429ab42c0675b2fb49aeeb3bc6051ea55ad2c1f8fae3850931d3a"
    );
    let found = alliance.found(OPENED_MS);
    assert_eq!(
        sha256(&encode(&found)).to_hex(),
        "6bc1dcba64bdb492722f198f249c03e7163f733b34b6938184c0a237de2a0c89"
    );
}
