//! Rule versions (RULINGS A18) and the orders of courts (R24), on one writer. The build of this
//! workspace knows one version; what begins with another is played in `tests/planted`.

use std::path::Path;
use std::sync::Arc;

use rollbook_core::event::EventBody;
use rollbook_core::id::{MotionId, OrderId};
use rollbook_core::identity::Role;
use rollbook_core::ledger::{BlockError, Ledger};
use rollbook_core::lookup;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    Body, CharterAct, MotionEffect, NodeAct, OfficialOrder, RaiseProtocol,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::rules::network::protocol;
use rollbook_node::disk::SimDisk;
use rollbook_node::replica;
use rollbook_node::replica::journal_storage::JournalStorage;
use rollbook_node::replica::{Effect, Input, Keys, LedgerApp, Phase, Replica, ReplicaConfig};
use rollbook_proof::crypto::{KeyKind, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_sandbox::keys::node_key;
use rollbook_tests::alliance::Alliance;
use rollbook_tests::sim::memo::SimVerify;
use rollbook_tests::writer::{Writer, text};

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::new(seed.as_bytes(), 8, 4))
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn order(reference: &str) -> OfficialOrder {
    OfficialOrder {
        authority: text("Sample district court"),
        reference: text(reference),
        document: sha256(reference.as_bytes()),
        issued_ms: LedgerTime(1_687_900_000_000),
        about: Some(OrganisationId(3)),
    }
}

fn file(writer: &mut Writer, order: OfficialOrder) -> Result<Outcome, Refusal> {
    writer.office(Role::Secretary, Body::Charter(CharterAct::FileOrder(order)))
}

fn support(writer: &mut Writer, member: u32, protocol: u32) -> Result<Outcome, Refusal> {
    let operator = rollbook_sandbox::keys::officers_of(member).0;
    writer.act_as(
        member,
        &[(operator, Role::NodeOperator)],
        Body::Node(NodeAct::Support {
            protocol: ProtocolVersion(protocol),
        }),
    )
}

fn propose(writer: &mut Writer, protocol: u32, from_height: u64) -> Result<u32, Refusal> {
    let effect = MotionEffect::RaiseProtocol(RaiseProtocol {
        protocol: ProtocolVersion(protocol),
        from_height: Height(from_height),
        release: text("0.2"),
    });
    let motion = writer.propose_as(1, effect, 10)?;
    writer.support(2, motion).unwrap();
    Ok(motion)
}

/// R24 on its own: what is filed, and what is not.
#[test]
fn an_order_is_filed_once_by_the_secretary() {
    let mut writer = writer("orders");
    assert_eq!(file(&mut writer, order("1")), Ok(Outcome::Applied));
    assert_eq!(code(file(&mut writer, order("1"))), "R24.filed-already");
    assert_eq!(
        code(file(
            &mut writer,
            OfficialOrder {
                issued_ms: LedgerTime(u64::MAX),
                ..order("2")
            }
        )),
        "R24.issued-in-future"
    );
    assert_eq!(
        code(file(
            &mut writer,
            OfficialOrder {
                about: Some(OrganisationId(99)),
                ..order("2")
            }
        )),
        "A4.unknown-organisation"
    );
    let holder = writer.holder(Role::Treasurer, 0);
    let other = rollbook_sandbox::alliance::secretariat(8);
    let wrong = writer.act_as(
        other,
        &[(holder, Role::Treasurer)],
        Body::Charter(CharterAct::FileOrder(order("2"))),
    );
    assert_eq!(code(wrong), "A6.role-missing");
    assert_eq!(
        code(writer.member(1, Body::Charter(CharterAct::FileOrder(order("2"))))),
        "R7.no-office"
    );
    file(&mut writer, order("2")).unwrap();
    assert_eq!(
        writer.tables().orders.get(&OrderId(2)).unwrap().order,
        order("2")
    );
}

/// A version that no build of this workspace knows is decided all the same; the ledger goes on up to
/// the block before it, and there says which release to install. What comes after it is told in
/// `tests/planted`, whose build knows one version more.
#[test]
fn a_version_is_raised_by_amendment_at_its_height() {
    let mut writer = writer("raise");
    let from_height = writer.ledger.height().plus(60);
    assert_eq!(
        code(propose(&mut writer, 2, from_height.0)),
        "A18.too-little-support"
    );
    assert_eq!(code(support(&mut writer, 1, 0)), "A18.in-force-already");
    assert_eq!(
        code(support(&mut writer, 5, 2)),
        "M40.no-node",
        "a member without a node"
    );
    for validator in [1, 2] {
        support(&mut writer, validator, 2).unwrap();
    }
    assert_eq!(
        code(propose(&mut writer, 2, from_height.0)),
        "A18.too-little-support",
        "two of four"
    );
    support(&mut writer, 4, 2).unwrap();
    assert_eq!(code(support(&mut writer, 4, 2)), "A18.announced-already");
    assert_eq!(code(propose(&mut writer, 3, from_height.0)), "A18.not-next");
    let motion = propose(&mut writer, 2, from_height.0).unwrap();
    let events = writer.pass(motion);
    let raised = EventBody::ProtocolRaised {
        protocol: ProtocolVersion(2),
        from_height,
        motion: MotionId(motion),
        release: text("0.2"),
    };
    assert!(events.contains(&raised), "{events:?}");
    assert_eq!(
        code(propose(&mut writer, 3, from_height.0)),
        "A18.raise-waiting"
    );
    assert_eq!(
        writer
            .tables()
            .protocols
            .get(&ProtocolVersion(2))
            .unwrap()
            .motion,
        MotionId(motion)
    );

    while writer.ledger.height().next() < from_height {
        assert_eq!(writer.submit(&[]).events, []);
        assert_eq!(writer.ledger.tip().seal.protocol, ProtocolVersion(1));
    }
    let system = writer.system();
    let time = LedgerTime(writer.now());
    let refused = writer
        .ledger
        .build(time, system, &[], &mut writer.verifier)
        .unwrap_err();
    let BlockError::Protocol(unknown) = refused else {
        panic!("{refused}")
    };
    assert_eq!(
        (
            unknown.height,
            unknown.protocol,
            unknown.known,
            unknown.release.as_str()
        ),
        (from_height, ProtocolVersion(2), ProtocolVersion(1), "0.2")
    );

    // What is there stays sound: the end of what this build can judge is no finding.
    let report = rollbook_tests::testnet::audit(&writer.export(), writer.ledger.chain());
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.executed, writer.ledger.height().0);
}

#[test]
fn support_that_is_taken_back_voids_the_amendment() {
    let mut writer = writer("withdrawn");
    for validator in [1, 2, 3] {
        support(&mut writer, validator, 2).unwrap();
    }
    let from_height = writer.ledger.height().plus(1000);
    let motion = propose(&mut writer, 2, from_height.0).unwrap();
    for member in 1..=8 {
        writer
            .vote(member, motion, rollbook_core::record::Choice::Yes)
            .unwrap();
    }
    writer.close(motion);
    assert_eq!(
        writer
            .tables()
            .motions
            .get(&MotionId(motion))
            .unwrap()
            .status,
        MotionStatus::Staying
    );
    support(&mut writer, 2, 1).unwrap();
    writer.advance_days(11);
    let stands = writer.tables().motions.get(&MotionId(motion)).unwrap();
    assert_eq!(stands.status, MotionStatus::Void);
    assert_eq!(stands.void, Some(text("A18.too-little-support")));
    assert!(protocol::coming(writer.tables(), writer.ledger.height()).is_none());
}

#[test]
fn a_height_that_has_passed_is_the_next_block() {
    let mut writer = writer("late");
    for validator in [1, 2, 3] {
        support(&mut writer, validator, 2).unwrap();
    }
    let motion = propose(&mut writer, 2, 1).unwrap();
    writer.pass(motion);
    let facts = writer
        .tables()
        .protocols
        .get(&ProtocolVersion(2))
        .unwrap()
        .clone();
    assert_eq!(facts.motion, MotionId(motion));
    assert!(
        facts.from_height > Height(1) && facts.from_height <= writer.ledger.height().next(),
        "{facts:?}"
    );
    let unknown = writer.ledger.next_protocol().unwrap_err();
    assert_eq!(unknown.height, writer.ledger.height().next());
}

/// A proposer that invents a rule version makes an invalid block. It must not stop the nodes that
/// judge it: only the state says which version a block is under.
#[test]
fn an_invented_version_is_an_invalid_block() {
    let mut writer = writer("invented");
    let section = writer.system();
    let built = writer
        .ledger
        .build(LedgerTime(writer.now()), section, &[], &mut writer.verifier)
        .unwrap();
    for protocol in [2, 3, u32::MAX] {
        let mut seal = built.execution.seal.clone();
        seal.protocol = ProtocolVersion(protocol);
        let error = writer
            .second
            .execute(&built.execution.body, &seal, &mut writer.verifier)
            .unwrap_err();
        assert!(
            matches!(
                &error,
                BlockError::Field {
                    field: "protocol",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn one_version_is_known() {
    assert_eq!(lookup::protocol::PROTOCOL, ProtocolVersion(1));
    for protocol in [0, 2, u32::MAX] {
        let mut sample = rollbook_tests::alliance::sample(b"none", 8, 4);
        sample.protocol = protocol;
        assert!(sample.genesis().is_err(), "protocol {protocol}");
    }
}

/// A node whose build does not know the rules of the next block stops before it and says which
/// release to install. It judges nothing, signs nothing and sends nothing.
#[test]
fn a_node_without_the_version_stops_before_it() {
    let alliance = Alliance::new(b"old node", 5, 4);
    let (ledger, _) = Ledger::from_genesis(&alliance.genesis).unwrap();
    let storage = |disk| {
        JournalStorage::open(Arc::new(disk), Path::new("journal"), alliance.chain())
            .unwrap()
            .0
    };
    let key = |kind| node_key(&alliance.signer.seed, 1, kind);
    let keys = || {
        Keys::new(
            OrganisationId(1),
            key(KeyKind::Consensus),
            key(KeyKind::Cosigner),
            key(KeyKind::Log),
        )
    };
    let clock = replica::Clock {
        elapsed_ms: 0,
        wall_ms: ledger.tip().seal.time_ms.0 + 1,
    };
    let start = |ledger: Ledger| {
        let storage = storage(SimDisk::new());
        let mut replica = Replica::new(
            ReplicaConfig::default(),
            keys(),
            LedgerApp::new(ledger),
            storage,
            SimVerify { memo: true },
        );
        let effects = replica.step(clock, Input::Tick);
        (effects, replica.status().phase)
    };
    let (effects, phase) = start(ledger.clone().knowing(ProtocolVersion(0)));
    assert_eq!(phase, Phase::Stopped);
    let [Effect::Stop(reason)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        reason,
        &ledger
            .clone()
            .knowing(ProtocolVersion(0))
            .next_protocol()
            .unwrap_err()
            .to_string()
    );
    assert_ne!(
        start(ledger).1,
        Phase::Stopped,
        "the same node with a build that knows them"
    );
}
