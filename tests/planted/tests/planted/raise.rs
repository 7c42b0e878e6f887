//! Version 2 comes into force on one writer: refused before its height, done from it on, and an
//! audit runs each block under its own rules. How an amendment is proposed, and where a build stops
//! that does not know the version, is in `tests/tests/rules/protocol.rs`.

use rollbook_core::id::OrderId;
use rollbook_core::identity::Role;
use rollbook_core::ledger::{BlockError, Ledger};
use rollbook_core::lookup;
use rollbook_core::record::{Body, MotionEffect, NodeAct, RaiseProtocol};
use rollbook_core::refusal::Outcome;
use rollbook_proof::number::{Height, ProtocolVersion};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::testnet::audit;
use rollbook_tests::writer::{Writer, text};

use super::{new_order, order};

const OLD: ProtocolVersion = ProtocolVersion(1);
const NEW: ProtocolVersion = ProtocolVersion(2);

fn writer(seed: &str, protocol: ProtocolVersion) -> Writer {
    let mut sample = sample(seed.as_bytes(), 8, 4);
    sample.protocol = protocol.0;
    Writer::founded(Alliance::of(&sample))
}

fn file(writer: &mut Writer, body: Body) -> Result<Outcome, &'static str> {
    writer
        .office(Role::Secretary, body)
        .map_err(|refusal| refusal.code)
}

/// The amendment passes; its number.
fn raise(writer: &mut Writer, from_height: Height) {
    for member in [1, 2, 4] {
        let signers = [(officers_of(member).0, Role::NodeOperator)];
        let act = NodeAct::Support { protocol: NEW };
        writer.act_as(member, &signers, Body::Node(act)).unwrap();
    }
    let effect = MotionEffect::RaiseProtocol(RaiseProtocol {
        protocol: NEW,
        from_height,
        release: text("0.2"),
    });
    let motion = writer.propose_as(1, effect, 10).unwrap();
    writer.support(2, motion).unwrap();
    writer.pass(motion);
}

#[test]
fn what_the_version_adds_is_refused_before_its_height_and_done_from_it_on() {
    let mut writer = writer("raise", OLD);
    let from_height = writer.ledger.height().plus(60);
    raise(&mut writer, from_height);
    while writer.ledger.height().next() < from_height {
        assert_eq!(
            file(&mut writer, new_order("1")),
            Err("A18.not-in-force"),
            "block {}",
            writer.ledger.height()
        );
        writer.submit(&[]);
        assert_eq!(writer.ledger.tip().seal.protocol, OLD);
    }
    let mut old = writer.ledger.clone().knowing(OLD);
    assert_eq!(file(&mut writer, new_order("1")), Ok(Outcome::Applied));
    let tip = writer.ledger.tip().seal.clone();
    assert_eq!((tip.height, tip.protocol), (from_height, NEW));
    let body = writer.frames.last().unwrap().body();
    assert!(matches!(
        old.execute(&body, &tip, &mut writer.verifier),
        Err(BlockError::Protocol(_))
    ));
    assert_eq!(
        lookup::protocol::at(writer.tables(), from_height.previous()),
        OLD,
        "history stays under its rules"
    );

    // What there was before goes on under the new version.
    let court = order("Sample district court", "1");
    assert_eq!(file(&mut writer, court.clone()), Ok(Outcome::Applied));
    assert_eq!(file(&mut writer, court), Err("R24.filed-already"));
    assert!(writer.tables().orders.get(&OrderId(2)).is_some());

    let report = audit(&writer.export(), writer.ledger.chain());
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.executed, writer.ledger.height().0);
}

#[test]
fn a_height_that_has_passed_is_the_next_block() {
    let mut writer = writer("late", OLD);
    raise(&mut writer, Height(1));
    writer.submit(&[]);
    assert_eq!(writer.ledger.tip().seal.protocol, NEW);
}

#[test]
fn a_chain_may_begin_with_the_newest_rules() {
    let mut writer = writer("newest", NEW);
    assert_eq!(writer.ledger.tip().seal.protocol, NEW);
    assert_eq!(file(&mut writer, new_order("1")), Ok(Outcome::Applied));
    let (old, _) = Ledger::from_genesis(&writer.alliance.genesis).unwrap();
    assert!(old.knowing(OLD).next_protocol().is_err());
}
