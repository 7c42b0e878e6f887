//! One writer, no network: genesis, founding, blocks, a handover. The ledger alone must hold every
//! rule of a block.

#![allow(clippy::unwrap_used)]

use rollbook_core::block::SystemSection;
use rollbook_core::identity::Role;
use rollbook_core::ledger::{BlockError, Ledger};
use rollbook_core::record::{Body, NodeAct};
use rollbook_proof::number::{EpochId, Height, LedgerTime};
use rollbook_sandbox::alliance::{OPENED_MS, node_keys};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::writer::Writer;

#[test]
fn founding_then_anything() {
    let mut alliance = Alliance::new(b"founding", 5, 4);
    let operator = officers_of(5).0;
    let chain = alliance.chain();
    let keys = node_keys(Some(&chain), b"founding", 5, &place(5));
    let register = alliance.signer.record(
        5,
        &[(operator, Role::NodeOperator)],
        OPENED_MS,
        Body::Node(NodeAct::Register(keys)),
    );
    let found = alliance.found(OPENED_MS);
    let mut writer = Writer::new(alliance);
    let refused = writer
        .block(OPENED_MS + 10, std::slice::from_ref(&register))
        .refused;
    assert_eq!(refused[0].code, "A2.not-founded");
    assert!(writer.block(OPENED_MS + 20, &found).refused.is_empty());
    assert!(
        writer
            .block(OPENED_MS + 30, std::slice::from_ref(&register))
            .refused
            .is_empty()
    );
    // The same record again is a replay.
    let refused = writer.block(OPENED_MS + 40, &[register]).refused;
    assert_eq!(refused[0].code, "A6.replayed");
}

#[test]
fn a_handover_seats_the_fifth_validator_and_the_sixth_block_needs_its_checkpoint() {
    let seed = b"handover";
    let mut sample = sample(seed, 5, 4);
    sample.charter.chain.handover_blocks = 5;
    let mut alliance = Alliance::of(&sample);
    let operator = officers_of(5).0;
    let chain = alliance.chain();
    let keys = node_keys(Some(&chain), seed, 5, &place(5));
    let mut records = alliance.found(OPENED_MS);
    records.push(alliance.signer.record(
        5,
        &[(operator, Role::NodeOperator)],
        OPENED_MS,
        Body::Node(NodeAct::Register(keys)),
    ));
    records.push(alliance.signer.record(
        5,
        &[(operator, Role::NodeOperator)],
        OPENED_MS,
        Body::Node(NodeAct::Ready),
    ));
    let mut writer = Writer::new(alliance);
    assert!(writer.block(OPENED_MS + 1, &records).refused.is_empty());
    for height in 2..=5 {
        assert!(!writer.ledger.needs_handover_checkpoint());
        assert_eq!(
            writer.ledger.handover_due(),
            height == 5,
            "at height {height}"
        );
        writer.block(OPENED_MS + height, &[]);
    }
    assert_eq!(writer.ledger.policy().epoch, EpochId(1));
    assert_eq!(writer.ledger.validators().len(), 5);
    assert_eq!(
        writer.ledger.policy().valid_from_size,
        writer.ledger.tip().seal.checkpoint_size()
    );
    let mut without = writer.system();
    without.handover = None;
    let error = writer
        .ledger
        .build(
            LedgerTime(OPENED_MS + 6),
            without,
            &[],
            &mut writer.verifier,
        )
        .unwrap_err();
    assert!(matches!(error, BlockError::System { .. }), "{error}");
    let mut short = writer.system();
    short.handover.as_mut().unwrap().cosignatures.truncate(2);
    assert!(
        writer
            .ledger
            .build(LedgerTime(OPENED_MS + 6), short, &[], &mut writer.verifier)
            .is_err()
    );
    writer.block(OPENED_MS + 6, &[]);
    writer.block(OPENED_MS + 7, &[]);
    assert_eq!(
        writer.ledger.tip().seal.policy,
        writer.ledger.policy().digest()
    );
}

#[test]
fn a_changed_seal_is_refused_and_leaves_nothing() {
    let mut alliance = Alliance::new(b"seal", 4, 4);
    let found = alliance.found(OPENED_MS);
    let mut writer = Writer::new(alliance);
    let built = writer
        .ledger
        .build(
            LedgerTime(OPENED_MS + 5),
            SystemSection::default(),
            &found,
            &mut writer.verifier,
        )
        .unwrap();
    let good = built.execution.seal.clone();
    let body = built.execution.body.clone();
    let before = (
        writer.second.state().root(),
        writer.second.state().dump().len(),
    );
    for field in 0..10 {
        let mut seal = good.clone();
        match field {
            0 => seal.protocol = seal.protocol.next(),
            1 => seal.height = Height(2),
            2 => seal.time_ms = LedgerTime(OPENED_MS),
            3 => seal.parent.0[0] ^= 1,
            4 => seal.first_leaf += 1,
            5 => seal.leaf_count += 1,
            6 => seal.log_root.0[5] ^= 1,
            7 => seal.state_root.0[5] ^= 1,
            8 => seal.work_digest.0[5] ^= 1,
            _ => seal.policy.0[5] ^= 1,
        }
        assert!(
            writer
                .second
                .execute(&body, &seal, &mut writer.verifier)
                .is_err(),
            "field {field}"
        );
        assert_eq!(
            (
                writer.second.state().root(),
                writer.second.state().dump().len()
            ),
            before
        );
    }
    let mut flipped = body.clone();
    flipped[100] ^= 1;
    assert!(
        writer
            .second
            .execute(&flipped, &good, &mut writer.verifier)
            .is_err()
    );
    assert!(
        writer
            .second
            .execute(&body, &good, &mut writer.verifier)
            .is_ok()
    );
}

#[test]
fn a_ledger_from_its_parts_is_the_same_ledger() {
    let mut alliance = Alliance::new(b"parts", 4, 4);
    let found = alliance.found(OPENED_MS);
    let mut writer = Writer::new(alliance);
    writer.block(OPENED_MS + 1, &found);
    let rows = writer.ledger.state().dump();
    let (chain, frontier) = (writer.ledger.chain(), writer.ledger.frontier().clone());
    let seal = writer.ledger.tip().seal.clone();
    let parts = |rows: Vec<_>| Ledger::from_parts(chain, rows, frontier.clone(), seal.clone());
    let mut again = parts(rows.clone()).unwrap();
    let section = writer.system();
    let here = writer
        .ledger
        .build(
            LedgerTime(OPENED_MS + 9),
            section.clone(),
            &[],
            &mut writer.verifier,
        )
        .unwrap();
    let there = again
        .build(
            LedgerTime(OPENED_MS + 9),
            section,
            &[],
            &mut writer.verifier,
        )
        .unwrap();
    assert_eq!(here.execution.seal, there.execution.seal);
    // A store that lost a proved row is found out.
    let mut lost = rows;
    let at = lost.iter().position(|row| row.table == 3).unwrap();
    lost.remove(at);
    assert!(parts(lost).is_err());
}
