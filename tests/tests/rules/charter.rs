//! The charter as data: limits by unit, terms, growth, and the version it was made under (A28, A50,
//! R28, R35); persons and keys that have ended (M23).

use rollbook_core::account::{Amount, Unit};
use rollbook_core::charter::motions::{FloorError, MotionKind};
use rollbook_core::charter::{DayLimits, GROWTH, UnitLimits};
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::{EndReason, GroupDeclaration, Name, ReaderKey, RelationKind, Role};
use rollbook_core::record::{
    Body, ConflictKind, CreateFund, MotionAct, MotionEffect, OrganisationAct,
};
use rollbook_core::refusal::Refusal;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{OrganisationId, ProtocolVersion};
use rollbook_sandbox::alliance::{Sample, secretariat, staff};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::grants::Bench;
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;

fn fund_in(unit: Unit) -> MotionEffect {
    let first = staff(MEMBERS);
    let mut officers = vec![
        (Role::Treasurer, PersonId(first + 1)),
        (Role::SecondOfficer, PersonId(first + 2)),
        (Role::SecondOfficer, PersonId(first + 3)),
        (Role::ProgrammeOfficer, PersonId(first + 4)),
        (Role::FinanceApprover, PersonId(first + 5)),
        (Role::FinanceApprover, PersonId(first + 6)),
    ];
    officers.sort();
    let office = OrganisationId(secretariat(MEMBERS));
    MotionEffect::CreateFund(Box::new(CreateFund {
        name: Name {
            native: text("算力"),
            latin: text("Hours"),
        },
        holder: office,
        unit,
        bank_account: sha256(b"delivery point"),
        office,
        officers,
    }))
}

/// A fund of hours was judged by limits in fen: an award of 500,000 hours was the committee's, since
/// that is less than 500,000.00 yuan. A fund in a unit for which the charter has no limits is refused.
#[test]
fn a_fund_is_judged_by_the_limits_of_its_unit() {
    let hours = Unit::resource("GPU-HOUR").unwrap();
    let mut writer = Writer::founded(Alliance::new(b"units", MEMBERS, 4));
    let refused = writer.propose(fund_in(hours.clone()), 7).unwrap_err();
    assert_eq!(refused.code, "F01.no-limits");
    let dollars = Unit::currency("USD").unwrap();
    let refused = writer.propose(fund_in(dollars.clone()), 7).unwrap_err();
    assert_eq!(refused.code, "F01.unit-not-allowed");
    let mut sample = sample(b"units", MEMBERS, 4);
    let limits = |unit: &Unit| UnitLimits {
        unit: unit.clone(),
        committee_limit: Amount(1_000),
        board_limit: Amount(10_000),
        two_approvers_above: Amount(500),
        large_ask: Amount(10_000),
    };
    sample.charter.currencies.push(text("USD"));
    sample
        .charter
        .limits
        .extend([limits(&dollars), limits(&hours)]);
    sample
        .charter
        .limits
        .sort_by_key(|limits| limits.unit.clone());
    let mut writer = Writer::founded(Alliance::of(&sample));
    for unit in [hours, dollars] {
        let motion = writer.propose(fund_in(unit), 7).unwrap();
        let withdraw = rollbook_core::record::MotionAct::Withdraw {
            motion: rollbook_core::id::MotionId(motion),
        };
        writer
            .office(Role::Secretary, Body::Motion(withdraw))
            .unwrap();
    }
}

/// Every charter had to have a rule for every kind of motion that the program knows, so one more kind
/// made every older genesis undecodable. It has those of the version that it was made under.
#[test]
fn a_kind_that_came_later_is_no_gap_in_an_older_charter() {
    let mut charter = sample(b"kinds", 9, 4).charter;
    charter
        .rules
        .entries
        .retain(|entry| entry.kind != MotionKind::PaymentPlan);
    let now = charter.rules.check_floors(ProtocolVersion(1));
    assert!(matches!(
        now,
        Err(FloorError::Missing {
            kind: MotionKind::PaymentPlan,
            ..
        })
    ));
    // As the charter of a version before the first that knows the kind would be judged.
    let before = ProtocolVersion(MotionKind::PaymentPlan.since().0 - 1);
    assert_eq!(charter.rules.check_floors(before), Ok(()));
    // A charter is not made under a version that its chain does not begin with.
    let mut sample = sample(b"kinds", 9, 4);
    sample.charter.made_under = ProtocolVersion(9);
    assert!(sample.genesis().is_err());
}

/// An alliance of real time with nodes.
fn wall() -> Sample {
    Sample {
        places: sample(b"wall", 9, 4).places,
        ..Sample::new(b"wall", 9, Clock::Wall)
    }
}

/// A secretary could register without end, and a company with a thousand keys. What enters in a day
/// and in a registration has a bound; on a wall chain the charter does not make it tiny.
#[test]
fn the_register_grows_by_so_much_a_day() {
    let mut alliance = sample(b"growth", 9, 4);
    alliance.charter.growth.introductions_by_member = 1;
    let mut writer = Writer::founded(Alliance::of(&alliance));
    writer.register(1, "First", &[]);
    let second = writer.registration("Second", &[]);
    let refused = writer.member(1, second.clone()).unwrap_err();
    assert_eq!(refused.code, "A50.too-many-introductions");
    writer.member(2, second).unwrap();
    writer.advance_days(1);
    writer.register(1, "Third", &[]);

    alliance.charter.growth.registration_officers = 1;
    let mut writer = Writer::founded(Alliance::of(&alliance));
    let large = writer.registration("Large", &[]);
    let refused = writer.member(1, large).unwrap_err();
    assert_eq!(refused.code, "A50.registration-too-large");

    let mut wall = wall();
    assert!(wall.genesis().is_ok());
    wall.charter.growth.introductions_by_member = 1;
    assert!(wall.genesis().is_err());
    let mut short = sample(b"short", 9, 4);
    short.charter.terms.seat_days = 100;
    assert!(short.genesis().is_err());
}

fn fact<'a>(refusal: &'a Refusal, name: &str) -> &'a str {
    let found = refusal.facts.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

/// One member's script could fill the disks of all. A day has a limit for an organisation and half of
/// it for a person; what nobody may be kept from has the same once more, so a colleague's import
/// holds up no ballot; on the next day it goes on.
#[test]
fn a_day_has_a_limit_for_a_member_and_half_of_it_for_a_person() {
    let relate = |other: u32| {
        Body::Organisation(OrganisationAct::Relate(GroupDeclaration {
            other: OrganisationId(other),
            kind: RelationKind::Contract,
            evidence: sha256(b"contract"),
        }))
    };
    let mut alliance = sample(b"day", MEMBERS, 4);
    alliance.charter.growth.member = DayLimits {
        records: 6,
        bytes: 1024 * 1024,
        keys: 64,
    };
    let mut writer = Writer::founded(Alliance::of(&alliance));
    writer.advance_days(1);
    let (primary, alternate) = officers_of(5);
    let by = |writer: &mut Writer, person, other| {
        writer.act_as(5, &[(person, Role::Primary)], relate(other))
    };
    for other in [6, 7, 8] {
        by(&mut writer, primary, other).unwrap();
    }
    let refused = by(&mut writer, primary, 9).unwrap_err();
    assert_eq!(refused.code, "A50.day-full");
    assert_eq!(fact(&refused, "grower"), "person");
    assert_eq!(fact(&refused, "limit"), "3");
    // Another company does not feel it, and what is reserved goes in.
    let (other, _) = officers_of(6);
    writer
        .act_as(6, &[(other, Role::Primary)], relate(9))
        .unwrap();
    let recuse = Body::Motion(MotionAct::DeclareConflict {
        motion: MotionId(1),
        kind: ConflictKind::Other,
    });
    let refused = writer
        .act_as(
            5,
            &[(primary, Role::Primary), (alternate, Role::Alternate)],
            recuse,
        )
        .unwrap_err();
    assert_eq!(refused.code, "A4.unknown-motion");
    writer.advance_days(1);
    by(&mut writer, primary, 9).unwrap();

    alliance.charter.growth.member.records = 1_000;
    alliance.charter.growth.member.bytes = 300;
    let mut writer = Writer::founded(Alliance::of(&alliance));
    writer.advance_days(1);
    let refused = by(&mut writer, primary, 6).unwrap_err();
    assert_eq!(fact(&refused, "growth"), "bytes");

    alliance.charter.growth.member = DayLimits {
        records: 1_000,
        bytes: 1024 * 1024,
        keys: 3,
    };
    let mut writer = Writer::founded(Alliance::of(&alliance));
    writer.advance_days(1);
    let two_officers = writer.registration("Keys", &[]);
    let refused = writer.member(3, two_officers).unwrap_err();
    assert_eq!(fact(&refused, "growth"), "keys");

    let mut wall = wall();
    wall.charter.growth = GROWTH;
    assert!(wall.genesis().is_ok());
    wall.charter.growth.office.records = 4_999;
    assert!(wall.genesis().is_err());
}

/// Somebody who has left signs nothing, takes no post, and a reader key is one person's.
#[test]
fn a_person_who_has_ended_has_no_authority() {
    let mut bench = Bench::on_tables();
    let (person, _) = officers_of(15);
    let relate = |other| {
        Body::Organisation(OrganisationAct::Relate(GroupDeclaration {
            other: OrganisationId(other),
            kind: RelationKind::Contract,
            evidence: sha256(b"contract"),
        }))
    };
    let signers = [(person, Role::Primary)];
    bench.act(15, &signers, relate(16)).unwrap();
    bench.place(|tx| {
        let mut left = tx.t.persons.get(&PersonId(person)).unwrap().clone();
        left.ended = Some((tx.now, EndReason::Left));
        tx.t.persons().put(PersonId(person), left);
    });
    let refused = bench.act(15, &signers, relate(17)).unwrap_err();
    assert_eq!(refused.code, "N24.person-not-in-force");

    let mut writer = Writer::founded(Alliance::new(b"reader", 9, 4));
    let with_reader = |writer: &Writer, key: Hash| {
        let Body::Organisation(OrganisationAct::Register(made)) =
            writer.registration("Reader", &[])
        else {
            unreachable!("a registration");
        };
        let mut entry = made.entry;
        entry.officers[0].reader = Some(ReaderKey(key));
        writer.sign_registration(&entry)
    };
    let zeros = with_reader(&writer, Hash::ZERO);
    assert_eq!(writer.member(1, zeros).unwrap_err().code, "A6.malformed");
    let first = with_reader(&writer, sha256(b"x25519"));
    writer.member(1, first).unwrap();
    let again = with_reader(&writer, sha256(b"x25519"));
    assert_eq!(writer.member(1, again).unwrap_err().code, "A21.key-in-use");
}
