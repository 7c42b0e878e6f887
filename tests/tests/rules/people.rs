//! People and keys that can end: officers and policy (M32), keys (M23), recovery (R23), delegation
//! (M33), name and identifiers (M31), absence and who stands in (M35, R7).

use rollbook_core::calendar::{LocalDay, MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::event::EventBody;
use rollbook_core::id::{
    ChangeId, DelegationId, KeyRecoveryId, MotionId, PersonId, PostId, RevocationId,
};
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, EndReason, KeyState, Name, OfficerEntry, Role,
};
use rollbook_core::object::change::ChangeStatus;
use rollbook_core::object::delegation::DelegationStatus;
use rollbook_core::object::key_recovery::RecoveryStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::object::revocation::RevocationStatus;
use rollbook_core::record::{
    Body, Capacity, Choice, DelegatedObject, DelegationGrant, KeyRotation, MotionAct, MotionEffect,
    NewKey, OfficersChange, OrganisationAct, Particulars, RatifyRevocation, Record, RecoverKeys,
    RecoveryPlan, RemoveHolder, further_key, joining,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::{officer, secretariat};
use rollbook_sandbox::keys::{officer_key, officers_of};
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

mod delegation;

const SEED: &[u8] = b"people";

fn writer() -> Writer {
    Writer::founded(Alliance::of(&sample(SEED, 9, 4)))
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn hash(label: &str) -> Hash {
    sha256(label.as_bytes())
}

fn act(act: OrganisationAct) -> Body {
    Body::Organisation(act)
}

fn nothing() -> OfficersChange {
    OfficersChange {
        added: Vec::new(),
        roles: Vec::new(),
        keys: Vec::new(),
        ended: Vec::new(),
        policy: None,
    }
}

/// Somebody who joins a company, with a key of this name.
fn joiner(writer: &Writer, company: u32, local: u32, label: &str, roles: &[Role]) -> OfficerEntry {
    let key = Keypair::derive(SEED, label);
    let mut entry = officer(&key, company, local, roles);
    let chain = writer.alliance.chain();
    let possession = joining(&entry, &chain, OrganisationId(company));
    entry.keys = vec![(key.public(), possession.prove(KeyKind::Officer, &key))];
    entry
}

fn new_key(writer: &Writer, company: u32, person: u32, label: &str) -> NewKey {
    let key = Keypair::derive(SEED, label);
    let chain = writer.alliance.chain();
    let possession = further_key(PersonId(person), &chain, OrganisationId(company));
    NewKey {
        person: PersonId(person),
        key: key.public(),
        proof: possession.prove(KeyKind::Officer, &key),
    }
}

type With<'a> = (u32, Capacity, u32, &'a Keypair);

/// A record signed by these persons, in these capacities, with these keys.
fn signed(writer: &mut Writer, principal: u32, with: &[With], body: Body) -> Record {
    let now = writer.now();
    let payload = writer
        .alliance
        .signer
        .payload(principal, with[0].0, now, body);
    let mut signatures: Vec<_> = with
        .iter()
        .map(|(person, capacity, number, key)| {
            payload.sign(PersonId(*person), *capacity, *number, key)
        })
        .collect();
    signatures.sort_by_key(|entry| entry.officer);
    Record {
        payload,
        signatures,
    }
}

fn with(
    writer: &mut Writer,
    principal: u32,
    signers: &[With],
    body: Body,
) -> Result<Outcome, Refusal> {
    let record = signed(writer, principal, signers, body);
    let mut block = writer.submit(&[record]);
    match block.refused.pop() {
        Some(refusal) => Err(refusal),
        None => Ok(block.outcomes[0]),
    }
}

fn primary(writer: &mut Writer, company: u32, body: Body) -> Result<Outcome, Refusal> {
    let (first, _) = officers_of(company);
    writer.act_as(company, &[(first, Role::Primary)], body)
}

fn second(writer: &mut Writer, company: u32, body: Body) -> Result<Outcome, Refusal> {
    let (_, second) = officers_of(company);
    writer.act_as(company, &[(second, Role::Alternate)], body)
}

fn change(writer: &Writer, number: u32) -> ChangeStatus {
    writer
        .tables()
        .changes
        .get(&ChangeId(number))
        .unwrap()
        .status
}

fn key_state(writer: &Writer, person: u32, key: usize) -> KeyState {
    let person = writer.tables().persons.get(&PersonId(person)).unwrap();
    person.keys[key].state
}

fn hours(writer: &mut Writer, hours: u64) -> Vec<EventBody> {
    let to = writer.ledger.tip().seal.time_ms.0 + hours * MS_PER_HOUR;
    writer
        .advance(to)
        .into_iter()
        .map(|event| event.body)
        .collect()
}

/// Somebody joins, somebody leaves, roles and policy change: all at once, after 48 hours.
#[test]
fn m32_officers_and_policy_change_after_their_hours() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let plan = OfficersChange {
        added: vec![joiner(
            &writer,
            3,
            1,
            "new",
            &[Role::Alternate, Role::Finance],
        )],
        roles: vec![(PersonId(first), vec![Role::Primary, Role::Technical])],
        ended: vec![PersonId(old)],
        policy: Some(ApprovalPolicy {
            thresholds: vec![(ActClass::Ballot, 2), (ActClass::Money, 2)],
        }),
        ..nothing()
    };
    let body = act(OrganisationAct::ChangeOfficers(plan));
    // The policy in force counts primaries and secretaries for people.
    assert_eq!(
        code(second(&mut writer, 3, body.clone())),
        "A6.too-few-officers"
    );
    primary(&mut writer, 3, body.clone()).unwrap();
    assert_eq!(change(&writer, 1), ChangeStatus::Waiting);
    assert_eq!(code(primary(&mut writer, 3, body)), "M32.change-waits");
    hours(&mut writer, 47);
    assert_eq!(change(&writer, 1), ChangeStatus::Waiting);
    let events = hours(&mut writer, 2);
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::ChangeMoved {
            status: ChangeStatus::InForce,
            ..
        }
    )));
    let company = writer
        .tables()
        .organisations
        .get(&OrganisationId(3))
        .unwrap();
    let new = *company.officers.last().unwrap();
    assert_eq!(company.officers, vec![PersonId(first), new]);
    assert_eq!(company.policy.needed(ActClass::Ballot), 2);
    assert_eq!(key_state(&writer, old, 0), KeyState::Ended);
    // Who left signs nothing; who came signs.
    let body = || {
        act(OrganisationAct::ObjectChange {
            change: ChangeId(1),
            reasons: hash("late"),
        })
    };
    assert_eq!(code(second(&mut writer, 3, body())), "A6.role-not-held");
    let key = Keypair::derive(SEED, "new");
    let own = Capacity::Own(Role::Alternate);
    let by_new = with(&mut writer, 3, &[(new.0, own, 0, &key)], body());
    assert_eq!(code(by_new), "M32.nothing-to-object-to");
}

/// An officer whom the others want to dismiss objects; the change has no effect.
#[test]
fn m32_a_dismissal_is_contested() {
    let mut writer = writer();
    let (_, old) = officers_of(3);
    let plan = OfficersChange {
        added: vec![joiner(
            &writer,
            3,
            1,
            "new",
            &[Role::Alternate, Role::Finance],
        )],
        ended: vec![PersonId(old)],
        ..nothing()
    };
    primary(&mut writer, 3, act(OrganisationAct::ChangeOfficers(plan))).unwrap();
    let object = |number| {
        act(OrganisationAct::ObjectChange {
            change: ChangeId(number),
            reasons: hash("why"),
        })
    };
    assert_eq!(code(second(&mut writer, 3, object(9))), "A4.unknown-change");
    assert_eq!(
        code(second(&mut writer, 4, object(1))),
        "M32.other-organisation"
    );
    second(&mut writer, 3, object(1)).unwrap();
    let entry = writer.tables().changes.get(&ChangeId(1)).unwrap();
    assert_eq!(entry.against, Some((PersonId(old), hash("why"))));
    hours(&mut writer, 60);
    assert_eq!(change(&writer, 1), ChangeStatus::Objected);
    assert_eq!(key_state(&writer, old, 0), KeyState::InForce);
}

/// What leaves a company unable to act is refused where it is set.
#[test]
fn m32_two_officers_stay_and_the_policy_can_be_reached() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let ask = |writer: &mut Writer, plan| {
        code(primary(
            writer,
            3,
            act(OrganisationAct::ChangeOfficers(plan)),
        ))
    };
    let leaves = OfficersChange {
        ended: vec![PersonId(old)],
        ..nothing()
    };
    assert_eq!(ask(&mut writer, leaves), "M32.too-few-officers");
    let policy = |class, needed| OfficersChange {
        policy: Some(ApprovalPolicy {
            thresholds: vec![(class, needed)],
        }),
        ..nothing()
    };
    for class in [ActClass::Ballot, ActClass::Money, ActClass::General] {
        let refused = ask(&mut writer, policy(class, 3));
        assert_eq!(refused, "R30.policy-out-of-reach", "{class:?}");
    }
    // There is one primary: nobody else counts for people.
    assert_eq!(
        ask(&mut writer, policy(ActClass::People, 2)),
        "R30.policy-out-of-reach"
    );
    let no_primary = OfficersChange {
        roles: vec![(PersonId(first), vec![Role::Technical])],
        ..nothing()
    };
    assert_eq!(ask(&mut writer, no_primary), "R30.policy-out-of-reach");
    let stranger = OfficersChange {
        roles: vec![(PersonId(1), vec![Role::Primary])],
        ..nothing()
    };
    assert_eq!(ask(&mut writer, stranger), "M32.not-an-officer");
    // Nobody is made an officer by a proof for something else.
    let mut entry = joiner(&writer, 4, 1, "new", &[Role::Finance]);
    let framed = OfficersChange {
        added: vec![entry.clone()],
        ..nothing()
    };
    assert_eq!(ask(&mut writer, framed), "A21.no-possession");
    entry = joiner(&writer, 3, 1, "new", &[Role::Finance]);
    let twice = OfficersChange {
        added: vec![entry],
        keys: vec![new_key(&writer, 3, first, "new")],
        ..nothing()
    };
    assert_eq!(ask(&mut writer, twice), "A21.key-twice");
}

/// A change that was possible when it was asked for and is not any more says by which rule.
#[test]
fn m32_what_is_not_possible_any_more_fails_with_its_rule() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let add = joiner(&writer, 3, 1, "new", &[Role::Finance]);
    let plan = OfficersChange {
        added: vec![add.clone()],
        ..nothing()
    };
    primary(&mut writer, 3, act(OrganisationAct::ChangeOfficers(plan))).unwrap();
    // Meanwhile the key becomes somebody's by another way.
    let key = Keypair::derive(SEED, "new");
    let mut rotation = KeyRotation {
        person: PersonId(first),
        replaces: 0,
        key: key.public(),
        proof: add.keys[0].1,
    };
    let body = |rotation: &KeyRotation| act(OrganisationAct::RotateKey(rotation.clone()));
    assert_eq!(
        code(primary(&mut writer, 3, body(&rotation))),
        "A21.no-possession"
    );
    let possession = rotation.possession(&writer.alliance.chain(), OrganisationId(3));
    rotation.proof = possession.prove(KeyKind::Officer, &key);
    primary(&mut writer, 3, body(&rotation)).unwrap();
    hours(&mut writer, 49);
    let entry = writer.tables().changes.get(&ChangeId(1)).unwrap();
    assert_eq!(entry.status, ChangeStatus::Failed);
    assert_eq!(entry.failure, Some(text("A21.key-in-use")));
    assert_eq!(key_state(&writer, old, 0), KeyState::InForce);
}

fn rotation(writer: &Writer, company: u32, person: u32, replaces: u32, label: &str) -> Body {
    let key = Keypair::derive(SEED, label);
    let mut rotation = KeyRotation {
        person: PersonId(person),
        replaces,
        key: key.public(),
        proof: rollbook_core::identity::possession::UNPROVED,
    };
    let chain = writer.alliance.chain();
    let possession = rotation.possession(&chain, OrganisationId(company));
    rotation.proof = possession.prove(KeyKind::Officer, &key);
    act(OrganisationAct::RotateKey(rotation))
}

/// The old key signs nothing from the record on, also later in the same block; what it signed before
/// stands; the number of the person counts on (N12).
#[test]
fn m23_a_rotated_key_signs_nothing_any_more() {
    let mut writer = writer();
    let (first, _) = officers_of(3);
    let body = rotation(&writer, 3, first, 0, "rotated");
    let update = |label: &str| {
        act(OrganisationAct::AskUpdate(Particulars {
            name: None,
            address: Some(text(label)),
            identifiers: None,
            extract: (hash("extract"), LocalDay(19_600)),
        }))
    };
    let roles = [(first, Role::Primary)];
    let before = writer.sign(3, &roles, update("before"));
    let rotate = writer.sign(3, &roles, body.clone());
    let after = writer.sign(3, &roles, update("after"));
    let block = writer.submit(&[before, rotate, after]);
    assert_eq!(block.outcomes.len(), 2);
    assert_eq!(block.refused[0].code, "N24.key-not-in-force");
    let person = writer.tables().persons.get(&PersonId(first)).unwrap();
    assert_eq!(person.keys[0].ended, Some(EndReason::Rotated));
    assert_eq!(person.keys[0].since_height, writer.ledger.height());
    assert_eq!(person.keys[1].from_height, writer.ledger.height());
    let new = Keypair::derive(SEED, "rotated");
    let own = Capacity::Own(Role::Primary);
    with(&mut writer, 3, &[(first, own, 1, &new)], update("again")).unwrap();
    // The history with both keys verifies as a whole.
    let report = rollbook_tests::testnet::audit(&writer.export(), writer.ledger.chain());
    assert!(report.is_sound(), "{report:?}");
    // Nobody rotates with another key than the one that goes, nor for another.
    let body = rotation(&writer, 3, first, 0, "other");
    let other = with(&mut writer, 3, &[(first, own, 1, &new)], body);
    assert_eq!(code(other), "M23.sign-with-the-old-key");
    let body = rotation(&writer, 3, first, 1, "other");
    assert_eq!(
        code(second(&mut writer, 3, body)),
        "M23.sign-with-the-old-key"
    );
}

/// A company revokes an officer's key, an officer the own one; two officers keep a key.
#[test]
fn m23_a_key_is_revoked_and_two_stay() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let revoke = |person, key| {
        act(OrganisationAct::RevokeKey {
            person: PersonId(person),
            key,
            reason: EndReason::Lost,
        })
    };
    assert_eq!(
        code(primary(&mut writer, 3, revoke(old, 0))),
        "M23.last-keys"
    );
    assert_eq!(
        code(primary(&mut writer, 3, revoke(1, 0))),
        "M32.not-an-officer"
    );
    assert_eq!(
        code(primary(&mut writer, 3, revoke(old, 7))),
        "A6.unknown-key"
    );
    let plan = OfficersChange {
        added: vec![joiner(&writer, 3, 1, "third", &[Role::Finance])],
        ..nothing()
    };
    primary(&mut writer, 3, act(OrganisationAct::ChangeOfficers(plan))).unwrap();
    hours(&mut writer, 49);
    primary(&mut writer, 3, revoke(old, 0)).unwrap();
    assert_eq!(key_state(&writer, old, 0), KeyState::Ended);
    assert_eq!(
        code(primary(&mut writer, 3, revoke(old, 0))),
        "M23.key-has-ended"
    );
    let own = act(OrganisationAct::RevokeOwnKey {
        key: 0,
        reason: EndReason::Compromised,
    });
    assert_eq!(code(primary(&mut writer, 3, own.clone())), "M23.last-keys");
    let _ = first;
}

/// A stolen key: two of distinct groups stop it at once; the board makes it last.
#[test]
fn m23_an_emergency_is_ratified() {
    let mut writer = writer();
    let (first, _) = officers_of(3);
    let ask = act(OrganisationAct::AskRevocation {
        person: PersonId(first),
        key: 0,
        evidence: hash("police report"),
    });
    let agree = |number| {
        act(OrganisationAct::AgreeRevocation {
            revocation: RevocationId(number),
        })
    };
    primary(&mut writer, 1, ask.clone()).unwrap();
    assert_eq!(code(primary(&mut writer, 1, ask)), "M23.revoked-before");
    assert_eq!(code(primary(&mut writer, 1, agree(1))), "M23.same-group");
    assert_eq!(key_state(&writer, first, 0), KeyState::InForce);
    writer.office(Role::Secretary, agree(1)).unwrap();
    assert_eq!(key_state(&writer, first, 0), KeyState::Suspended);
    assert_eq!(
        code(primary(&mut writer, 2, agree(1))),
        "M23.nothing-to-agree-to"
    );
    // The thief signs nothing.
    let all = act(OrganisationAct::RevokeDelegations);
    assert_eq!(code(primary(&mut writer, 3, all)), "N24.key-not-in-force");
    let ratify = RatifyRevocation {
        revocation: RevocationId(1),
    };
    hours(&mut writer, 5);
    let effect = MotionEffect::RatifyRevocation(ratify);
    let motion = writer.propose(effect.clone(), 0).unwrap();
    // The ballots end with the emergency, not later.
    assert_eq!(
        writer.due(rollbook_core::tx::DeadlineKind::MotionClose, motion),
        writer.due(rollbook_core::tx::DeadlineKind::RevocationEnd, 1)
    );
    let electorate = rollbook_core::rules::motion::electorate(writer.tables(), MotionId(motion));
    let groups = rollbook_core::rules::motion::electorate(writer.tables(), MotionId(motion));
    for member in electorate.into_keys().filter(|member| member.0 != 3) {
        let _ = writer.vote(member.0, motion, Choice::Yes);
    }
    assert!(groups.len() > 3);
    writer.close(motion);
    let entry = writer.tables().revocations.get(&RevocationId(1)).unwrap();
    assert_eq!(entry.status, RevocationStatus::Ratified);
    assert_eq!(entry.motion, Some(MotionId(motion)));
    assert_eq!(key_state(&writer, first, 0), KeyState::Ended);
    assert_eq!(code(writer.propose(effect, 0)), "M23.nothing-to-ratify");
    hours(&mut writer, 100);
    assert_eq!(key_state(&writer, first, 0), KeyState::Ended);
}

/// Without the board the key signs again after 72 hours, and no emergency stops it twice. Where nobody
/// agrees it never stopped.
#[test]
fn m23_an_emergency_ends_unratified() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let ask = |person| {
        act(OrganisationAct::AskRevocation {
            person: PersonId(person),
            key: 0,
            evidence: hash("a rumour"),
        })
    };
    let agree = act(OrganisationAct::AgreeRevocation {
        revocation: RevocationId(1),
    });
    writer.office(Role::Secretary, ask(first)).unwrap();
    primary(&mut writer, 1, ask(old)).unwrap();
    primary(&mut writer, 2, agree).unwrap();
    hours(&mut writer, 71);
    assert_eq!(key_state(&writer, first, 0), KeyState::Suspended);
    let events = hours(&mut writer, 2);
    let moved = |status| {
        events.iter().any(|event| {
            matches!(event, EventBody::RevocationMoved { status: found, .. } if *found == status)
        })
    };
    assert!(moved(RevocationStatus::Ended) && moved(RevocationStatus::Lapsed));
    assert_eq!(key_state(&writer, first, 0), KeyState::InForce);
    assert_eq!(key_state(&writer, old, 0), KeyState::InForce);
    assert_eq!(
        code(writer.office(Role::Secretary, ask(first))),
        "M23.revoked-before"
    );
    // What nobody agreed to may be asked again.
    writer.office(Role::Secretary, ask(old)).unwrap();
    // A member without a seat has no emergency.
    let plain = (1..=9).find(|member| {
        !rollbook_core::lookup::seats::holds(writer.tables(), OrganisationId(*member))
    });
    if let Some(member) = plain {
        let refused = primary(&mut writer, member, ask(first));
        assert_eq!(code(refused), "R7.no-seat");
    }
}

fn recovery(writer: &Writer, change: OfficersChange) -> Body {
    let _ = writer;
    act(OrganisationAct::FileRecovery(RecoveryPlan {
        organisation: OrganisationId(3),
        letter: hash("letter with the company's seal"),
        change,
    }))
}

/// A lost key comes back: letter, board, 72 hours.
#[test]
fn r23_lost_keys_are_recovered() {
    let mut writer = writer();
    let (first, old) = officers_of(3);
    let plan = OfficersChange {
        keys: vec![new_key(&writer, 3, first, "found again")],
        ended: vec![PersonId(old)],
        added: vec![joiner(
            &writer,
            3,
            1,
            "heir",
            &[Role::Alternate, Role::Finance],
        )],
        ..nothing()
    };
    let body = recovery(&writer, plan);
    assert_eq!(code(primary(&mut writer, 1, body.clone())), "R7.no-office");
    writer.office(Role::Secretary, body.clone()).unwrap();
    assert_eq!(
        code(writer.office(Role::Secretary, body)),
        "R23.recovery-open"
    );
    let effect = MotionEffect::RecoverKeys(RecoverKeys {
        recovery: KeyRecoveryId(1),
    });
    let motion = writer.propose(effect.clone(), 7).unwrap();
    let electorate = rollbook_core::rules::motion::electorate(writer.tables(), MotionId(motion));
    for member in electorate.into_keys() {
        let _ = writer.vote(member.0, motion, Choice::Yes);
    }
    writer.close(motion);
    let effect_due = writer.due(rollbook_core::tx::DeadlineKind::MotionEffect, motion);
    if let Some(due) = effect_due {
        writer.advance(due + 1);
    }
    let status = |writer: &Writer| {
        let all = &writer.tables().key_recoveries;
        all.get(&KeyRecoveryId(1)).unwrap().status
    };
    assert_eq!(status(&writer), RecoveryStatus::Waiting);
    assert_eq!(code(writer.propose(effect, 7)), "R23.nothing-to-decide");
    assert_eq!(key_state(&writer, first, 0), KeyState::InForce);
    hours(&mut writer, 73);
    assert_eq!(status(&writer), RecoveryStatus::Done);
    assert_eq!(key_state(&writer, first, 0), KeyState::Ended);
    assert_eq!(key_state(&writer, first, 1), KeyState::InForce);
    assert_eq!(key_state(&writer, old, 0), KeyState::Ended);
    let key = Keypair::derive(SEED, "found again");
    let own = Capacity::Own(Role::Primary);
    let body = act(OrganisationAct::RevokeDelegations);
    let refused = with(&mut writer, 3, &[(first, own, 1, &key)], body);
    assert_eq!(code(refused), "M33.nothing-delegated");
}

/// An old key cancels a recovery while it waits; another company's does not.
#[test]
fn r23_an_old_key_cancels() {
    let mut writer = writer();
    let (first, _) = officers_of(3);
    let plan = OfficersChange {
        keys: vec![new_key(&writer, 3, first, "thief")],
        ..nothing()
    };
    let body = recovery(&writer, plan);
    writer.office(Role::Secretary, body.clone()).unwrap();
    let cancel = || {
        act(OrganisationAct::CancelRecovery {
            recovery: KeyRecoveryId(1),
        })
    };
    assert_eq!(
        code(second(&mut writer, 4, cancel())),
        "R23.other-organisation"
    );
    second(&mut writer, 3, cancel()).unwrap();
    assert_eq!(
        code(second(&mut writer, 3, cancel())),
        "R23.nothing-to-cancel"
    );
    assert_eq!(key_state(&writer, first, 0), KeyState::InForce);
    // Filed again it lapses if nobody asks the board.
    writer.office(Role::Secretary, body).unwrap();
    writer.advance_days(64);
    let entry = writer
        .tables()
        .key_recoveries
        .get(&KeyRecoveryId(2))
        .unwrap();
    assert_eq!(entry.status, RecoveryStatus::Lapsed);
}
