//! Kept histories, one for every rule version (RULINGS A18): the export is sound today, and running
//! its rules again ends at exactly the head and the state that were written down with it.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use rollbook_core::export::{BlockFrame, Header};
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::ProtocolVersion;
use rollbook_tests::history::Head;
use rollbook_tests::testnet::{audit, frames};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/history")
}

fn kept(protocol: u32) -> (Vec<u8>, Head) {
    let read = |ending: &str| {
        std::fs::read(folder().join(format!("protocol-{protocol}.{ending}"))).unwrap()
    };
    (
        read("rollbook"),
        serde_json::from_slice(&read("json")).unwrap(),
    )
}

fn seal(frame: &[u8]) -> Seal {
    decode(&BlockFrame::decode(frame).unwrap().seal).unwrap()
}

#[test]
fn every_rule_version_has_a_history_that_ends_where_it_ended() {
    for protocol in 1..=rollbook_core::lookup::protocol::PROTOCOL.0 {
        let (export, head) = kept(protocol);
        assert_eq!(
            sha256(&export),
            head.sha256,
            "the file of protocol {protocol} is another"
        );
        let genesis = Header::decode(&export).unwrap().genesis;
        assert_eq!(genesis, head.genesis);
        let report = audit(&export, genesis);
        assert!(
            report.is_sound(),
            "protocol {protocol}: {:#?}",
            report.findings
        );
        assert_eq!(
            report.executed,
            report.blocks - 1,
            "every rule was run again"
        );
        assert_eq!(
            Head::of(&export, &report),
            head,
            "protocol {protocol} ends elsewhere"
        );
        // The version is in force at the end; every version before it began with the history.
        assert_eq!(
            seal(frames(&export).last().unwrap()).protocol,
            ProtocolVersion(protocol)
        );
        assert_eq!(seal(frames(&export)[0]).protocol, ProtocolVersion(1));
    }
}

#[test]
fn a_changed_history_is_found() {
    let (mut export, head) = kept(1);
    let middle = export.len() / 2;
    export[middle] ^= 1;
    assert!(!audit(&export, head.genesis).is_sound());
    assert!(!audit(&kept(1).0, Hash::ZERO).is_sound());
}
