//! Relations between organisations: who declares one, whom it binds, when voices join (M24, R27, R29).

use rollbook_core::id::{GroupId, MotionId, PersonId, PostId};
use rollbook_core::identity::{GroupDeclaration, RelationKind, Role, Scope};
use rollbook_core::lookup::groups;
use rollbook_core::object::post::PostStatus;
use rollbook_core::object::relation::{Edge, RelationStatus};
use rollbook_core::record::{
    Application, Appointment, Body, Choice, MembershipAct, MotionAct, MotionEffect, OrganisationAct,
};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

const MEMBERS: u32 = 24;
/// The auditor's post in the sample.
const AUDITOR: PostId = PostId(8);

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), MEMBERS, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn relation(other: u32, kind: RelationKind) -> GroupDeclaration {
    GroupDeclaration {
        other: OrganisationId(other),
        kind,
        evidence: sha256(b"share register"),
    }
}

fn declare(
    writer: &mut Writer,
    one: u32,
    other: u32,
    kind: RelationKind,
) -> Result<Outcome, Refusal> {
    let act = OrganisationAct::Relate(relation(other, kind));
    writer.member(one, Body::Organisation(act))
}

fn confirm(writer: &mut Writer, one: u32, other: u32, number: u32) -> Result<Outcome, Refusal> {
    let act = OrganisationAct::ConfirmRelation {
        other: OrganisationId(other),
        relation: number,
    };
    writer.member(one, Body::Organisation(act))
}

fn group(writer: &Writer, organisation: u32) -> GroupId {
    groups::group_of(writer.tables(), OrganisationId(organisation))
}

fn conflict(writer: &Writer, organisation: u32, party: u32) -> bool {
    let tables = writer.tables();
    groups::has_conflict(tables, OrganisationId(organisation), OrganisationId(party))
}

fn edge(writer: &Writer, a: u32, b: u32, number: u32) -> Edge {
    let key = (OrganisationId(a), OrganisationId(b), number);
    writer.tables().edges.get(&key).unwrap().clone()
}

/// The secretary alone registered a shell with relations to two members, and from that block the two
/// had one voice and one conflict, for ever and without their word. What a registration declares now
/// binds the company that signed it, whoever introduces it.
#[test]
fn one_secretary_cannot_tie_two_members_together() {
    let mut writer = writer("tie");
    let register = writer.registration("Shell", &[5, 6]);
    writer.office(Role::Secretary, register).unwrap();
    let shell = writer.tables().organisations.last_key().unwrap().0;
    assert_ne!(group(&writer, 5), group(&writer, 6));
    assert!(!conflict(&writer, 5, 6) && !conflict(&writer, 6, 5));
    assert!(!conflict(&writer, 5, shell), "5 has said nothing");
    assert!(conflict(&writer, shell, 5) && conflict(&writer, shell, 6));
    // Nor an office with anybody: its officers would lose every matter of a grantee.
    let register = writer.registration("Shell of the office", &[secretariat(MEMBERS)]);
    assert_eq!(code(writer.office(Role::Secretary, register)), "R27.office");
    let office = OrganisationAct::Relate(relation(5, RelationKind::Control));
    assert_eq!(
        code(writer.office(Role::Secretary, Body::Organisation(office))),
        "R27.office"
    );
}

/// The same by a member as introducer: it is no other end, so nothing joins.
#[test]
fn an_outsider_cannot_tie_two_members_together() {
    let mut writer = writer("ties");
    let bridge = writer.register(11, "Bridge", &[5, 6, 11]);
    assert_ne!(group(&writer, 5), group(&writer, 6));
    assert_ne!(group(&writer, 11), group(&writer, bridge));
    confirm(&mut writer, 11, bridge, 1).unwrap();
    assert_eq!(group(&writer, 11), group(&writer, bridge));
    assert_ne!(group(&writer, 5), group(&writer, bridge));
}

/// A company that was bought after its registration could only sign the false "none": a relation
/// between two entered organisations had no record, and its application had to equal what stood
/// there. It declares the relation now, and its application says the same.
#[test]
fn a_relation_that_comes_up_later_is_declared_and_the_application_says_it() {
    let mut writer = writer("bought");
    let company = writer.register(11, "Bought", &[]);
    declare(&mut writer, company, 7, RelationKind::Control).unwrap();
    // Somebody else's word need not be repeated.
    declare(&mut writer, 9, company, RelationKind::Contract).unwrap();
    let apply = |writer: &Writer, relations| {
        Body::Membership(MembershipAct::Apply(Application {
            class: rollbook_core::charter::Class::Ordinary,
            charter: writer.alliance.genesis.charter().unwrap().text,
            antitrust: sha256(b"antitrust undertaking"),
            conflicts: sha256(b"conflict undertaking"),
            relations,
        }))
    };
    for wrong in [
        Vec::new(),
        vec![relation(7, RelationKind::Investor)],
        vec![
            relation(7, RelationKind::Control),
            relation(9, RelationKind::Contract),
        ],
    ] {
        let act = apply(&writer, wrong);
        assert_eq!(code(writer.member(company, act)), "M01.group-declaration");
    }
    let act = apply(&writer, vec![relation(7, RelationKind::Control)]);
    writer.member(company, act).unwrap();
}

/// Who declares is recused at once, the other is not; voices join when both have said it, for motions
/// that open from then on.
#[test]
fn a_relation_binds_who_declares_it_and_joins_when_both_have() {
    let mut writer = writer("both ends");
    let member = |writer: &Writer, n: u32| {
        let officers = &writer
            .tables()
            .organisations
            .get(&OrganisationId(n))
            .unwrap()
            .officers;
        officers[0]
    };
    let appoint = |holder| {
        MotionEffect::Appoint(Appointment {
            office: OrganisationId(secretariat(MEMBERS)),
            role: Role::Registrar,
            scope: Scope::Alliance,
            holder,
            deputy: None,
            succeeds: None,
        })
    };
    let about_4 = appoint(member(&writer, 4));
    let running = writer.propose(about_4, 7).unwrap();
    assert_eq!(
        declare(&mut writer, 3, 3, RelationKind::Control)
            .unwrap_err()
            .code,
        "R27.same-organisation"
    );
    assert_eq!(
        declare(&mut writer, 3, 99, RelationKind::Control)
            .unwrap_err()
            .code,
        "M24.unknown-organisation"
    );
    writer.vote(3, running, Choice::Yes).unwrap();
    declare(&mut writer, 3, 4, RelationKind::Control).unwrap();
    assert_eq!(
        declare(&mut writer, 3, 4, RelationKind::Control)
            .unwrap_err()
            .code,
        "R27.declared-already"
    );
    assert_eq!(
        declare(&mut writer, 4, 3, RelationKind::Control)
            .unwrap_err()
            .code,
        "R27.confirm-instead"
    );
    // 3 has no voice in 4's matter from this block on; 4 keeps its voice in 3's.
    assert_eq!(
        writer.vote(3, running, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    let about_3 = appoint(member(&writer, 3));
    let other = writer.propose(about_3, 7).unwrap();
    assert_eq!(writer.vote(4, other, Choice::No), Ok(Outcome::Applied));
    assert_ne!(group(&writer, 3), group(&writer, 4));
    // Nobody confirms for another, and nobody twice.
    assert_eq!(
        confirm(&mut writer, 3, 4, 1).unwrap_err().code,
        "R27.nothing-to-confirm"
    );
    assert_eq!(
        confirm(&mut writer, 5, 4, 1).unwrap_err().code,
        "R27.unknown-relation"
    );
    confirm(&mut writer, 4, 3, 1).unwrap();
    let joined_ms = writer.ledger.tip().seal.time_ms;
    assert_eq!(
        confirm(&mut writer, 4, 3, 1).unwrap_err().code,
        "R27.nothing-to-confirm"
    );
    let stands = edge(&writer, 3, 4, 1);
    assert_eq!(
        (stands.status, stands.effective_ms),
        (RelationStatus::Joined, Some(joined_ms))
    );
    assert_eq!(group(&writer, 3), group(&writer, 4));
    assert_eq!(
        writer.vote(4, other, Choice::No),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    let facts = |writer: &Writer, motion| {
        writer
            .tables()
            .motions
            .get(&MotionId(motion))
            .unwrap()
            .voices
    };
    assert_eq!(facts(&writer, running), 9, "a frozen electorate stays");
    let next = writer.propose(appoint(member(&writer, 20)), 7).unwrap();
    assert_eq!(facts(&writer, next), 8);
    // A second relation of the pair has the next number; an investor is a conflict and no group.
    declare(&mut writer, 4, 3, RelationKind::Investor).unwrap();
    assert_eq!(edge(&writer, 3, 4, 2).kind, RelationKind::Investor);
    declare(&mut writer, 15, 16, RelationKind::Investor).unwrap();
    confirm(&mut writer, 16, 15, 1).unwrap();
    assert_eq!(edge(&writer, 15, 16, 1).status, RelationStatus::Confirmed);
    assert_ne!(group(&writer, 15), group(&writer, 16));
    assert!(conflict(&writer, 15, 16) && conflict(&writer, 16, 15));
    // It reaches the groups of both ends and no further.
    declare(&mut writer, 17, 16, RelationKind::Investor).unwrap();
    assert!(!conflict(&writer, 17, 15) && !conflict(&writer, 15, 17));
}

/// An auditor whose employer came into a member's group by a relation stayed. The joining waits until
/// the post has ended; the conflict does not.
#[test]
fn a_joining_relation_waits_for_the_auditors_post() {
    let mut writer = writer("auditor's group");
    let company = writer.register(11, "Employer", &[]);
    let person = {
        let entry = writer.tables().organisations.get(&OrganisationId(company));
        entry.unwrap().officers[0].0
    };
    let appointment = MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role: Role::Auditor,
        scope: Scope::Alliance,
        holder: PersonId(person),
        deputy: None,
        succeeds: Some(AUDITOR),
    });
    let motion = writer.before_the_assembly(appointment, 10).unwrap();
    writer.pass(motion);
    let offer = *writer.tables().posts.last_key().unwrap();
    let signers = [(person, Role::Primary)];
    let accept = Body::Motion(MotionAct::AcceptPost { post: offer });
    writer.act_as(company, &signers, accept).unwrap();
    declare(&mut writer, 7, company, RelationKind::CommonControl).unwrap();
    confirm(&mut writer, company, 7, 1).unwrap();
    assert_eq!(edge(&writer, 7, company, 1).status, RelationStatus::Waiting);
    assert_ne!(group(&writer, 7), group(&writer, company));
    assert!(conflict(&writer, 7, company) && conflict(&writer, company, 7));
    let resign = Body::Motion(MotionAct::ResignPost { post: offer });
    writer.act_as(company, &signers, resign).unwrap();
    let post = writer.tables().posts.get(&offer).unwrap();
    assert_eq!(post.status, PostStatus::Ended);
    let joined = edge(&writer, 7, company, 1);
    assert_eq!(
        (joined.status, joined.effective_ms),
        (
            RelationStatus::Joined,
            Some(writer.ledger.tip().seal.time_ms)
        )
    );
    assert_eq!(group(&writer, 7), group(&writer, company));
}
