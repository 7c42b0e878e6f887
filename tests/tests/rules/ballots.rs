//! Ballots and rounds, who is entitled, and how motions of the assembly begin (R10, R31, R32, A47).

use rollbook_core::charter::Class;
use rollbook_core::id::{CharterVersion, FundId, MembershipId, MotionId, PersonId, PostId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::membership::{Live, Membership, Standing};
use rollbook_core::object::motion::{MotionStatus, Question};
use rollbook_core::record::{
    Appointment, Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, Record,
    RemoveHolder, RescindMotion,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::rules::motion;
use rollbook_core::state::StateTables;
use rollbook_core::tx::{BlockContext, DeadlineKind, Tx};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

const MEMBERS: u32 = 24;

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), MEMBERS, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn removal(post: u32) -> MotionEffect {
    MotionEffect::Remove(RemoveHolder { post: PostId(post) })
}

fn status(writer: &Writer, motion: u32) -> MotionStatus {
    let motion = writer.tables().motions.get(&MotionId(motion)).unwrap();
    motion.status
}

fn ballot(motion: u32, round: u32, choice: Choice, replaces: &[Hash]) -> Body {
    Body::Motion(MotionAct::Vote(Ballot {
        motion: MotionId(motion),
        round,
        replaces: replaces.to_vec(),
        vote: BallotVote::Choice(choice),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    }))
}

/// A ballot of a member, begun by its first or second officer, not handed in.
fn signed(writer: &mut Writer, member: u32, second: bool, body: Body) -> Record {
    let (primary, alternate) = officers_of(member);
    let mut signers = vec![(primary, Role::Primary), (alternate, Role::Alternate)];
    if second {
        signers.reverse();
    }
    writer.sign(member, &signers, body)
}

fn standing_choice(writer: &Writer, motion: u32, member: u32) -> Option<Choice> {
    let ballots = motion::ballots(writer.tables(), MotionId(motion));
    let cast = ballots
        .values()
        .find(|cast| cast.organisation == OrganisationId(member));
    cast.and_then(|cast| cast.choice())
}

/// A motion put again lost the ballots and the electorate of its first round, which a recount needs.
#[test]
fn a_motion_put_again_loses_nothing() {
    let mut writer = writer("rounds");
    let motion = writer.propose(removal(2), 7).unwrap();
    for member in 1..=4 {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    writer.close(motion);
    assert_eq!(status(&writer, motion), MotionStatus::Waiting);
    let again = writer.due(DeadlineKind::MotionRetable, motion).unwrap();
    writer.advance(again + 1);
    let facts = writer.tables().motions.get(&MotionId(motion)).unwrap();
    assert_eq!((facts.round, facts.retabled), (2, 1));
    assert!(motion::ballots(writer.tables(), MotionId(motion)).is_empty());
    let first = motion::ballots_of(writer.tables(), MotionId(motion), 1);
    assert_eq!(first.len(), 4);
    let electorate = motion::electorate_of(writer.tables(), MotionId(motion), 1);
    assert_eq!(electorate.len(), 9);
    // A ballot that was signed for the first round does not count in the second.
    let late = ballot(motion, 1, Choice::Yes, &[]);
    assert_eq!(code(writer.member(5, late)), "A47.other-round");
    writer
        .member(5, ballot(motion, 2, Choice::Yes, &[]))
        .unwrap();
}

/// Two ballots of a member that arrived in the other order left the older one standing. A later one
/// of the same officer replaces it; one of another officer names what it replaces.
#[test]
fn the_ballot_that_was_signed_last_stands() {
    let mut writer = writer("order");
    let motion = writer.propose(removal(2), 7).unwrap();
    let older = signed(&mut writer, 1, false, ballot(motion, 1, Choice::Yes, &[]));
    let newer = signed(&mut writer, 1, false, ballot(motion, 1, Choice::No, &[]));
    assert!(
        writer
            .submit(std::slice::from_ref(&newer))
            .refused
            .is_empty()
    );
    let refused = writer.submit(&[older]).refused;
    assert_eq!(refused[0].code, "A47.other-ballot-stands");
    assert_eq!(standing_choice(&writer, motion, 1), Some(Choice::No));
    // The other officer.
    let blind = signed(&mut writer, 1, true, ballot(motion, 1, Choice::Yes, &[]));
    let refused = writer.submit(&[blind]).refused;
    assert_eq!(refused[0].code, "A47.other-ballot-stands");
    let named = ballot(motion, 1, Choice::Yes, &[newer.id()]);
    let named = signed(&mut writer, 1, true, named);
    assert!(writer.submit(&[named]).refused.is_empty());
    assert_eq!(standing_choice(&writer, motion, 1), Some(Choice::Yes));
    // What is named may never have arrived.
    let absent = ballot(motion, 1, Choice::Yes, &[sha256(b"never arrived")]);
    writer.member(2, absent).unwrap();
}

/// A voice could fill blocks with ballots on one motion.
#[test]
fn a_voice_casts_at_most_sixteen_ballots_in_a_round() {
    let mut writer = writer("sixteen");
    let motion = writer.propose(removal(2), 7).unwrap();
    for _ in 0..16 {
        writer.vote(1, motion, Choice::Yes).unwrap();
    }
    assert_eq!(
        code(writer.vote(1, motion, Choice::No)),
        "A47.too-many-ballots"
    );
    writer.vote(2, motion, Choice::No).unwrap();
}

/// Names and sealed ballots have a place in the record and no act that reads them yet.
#[test]
fn names_and_sealed_ballots_are_refused_until_something_reads_them() {
    let mut writer = writer("contents");
    let motion = writer.propose(removal(2), 7).unwrap();
    let with = |vote| {
        Body::Motion(MotionAct::Vote(Ballot {
            motion: MotionId(motion),
            round: 1,
            replaces: Vec::new(),
            vote,
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        }))
    };
    let names = BallotVote::Names(vec![OrganisationId(3), OrganisationId(4)]);
    assert_eq!(code(writer.member(1, with(names))), "R31.no-names");
    let sealed = BallotVote::Sealed(sha256(b"sealed"));
    assert_eq!(code(writer.member(1, with(sealed))), "R31.not-sealed");
    let unordered = BallotVote::Names(vec![OrganisationId(4), OrganisationId(3)]);
    assert_eq!(code(writer.member(1, with(unordered))), "A6.malformed");
    let many: Vec<Hash> = {
        let mut many: Vec<Hash> = (0u8..5).map(|n| sha256(&[n])).collect();
        many.sort();
        many
    };
    let body = ballot(motion, 1, Choice::Yes, &many);
    assert_eq!(code(writer.member(1, body)), "A6.malformed");
}

/// Any officer of the secretariat, its bookkeeper for one, took the secretary's motion back.
#[test]
fn an_office_withdraws_a_motion_in_the_post_that_proposes_it() {
    let mut writer = writer("withdraw");
    let motion = writer.propose(removal(2), 7).unwrap();
    let withdraw = || {
        Body::Motion(MotionAct::Withdraw {
            motion: MotionId(motion),
        })
    };
    assert_eq!(
        code(writer.office(Role::SecondOfficer, withdraw())),
        "A6.too-few-officers"
    );
    writer.office(Role::Secretary, withdraw()).unwrap();
    assert_eq!(status(&writer, motion), MotionStatus::Withdrawn);
}

fn auditor() -> MotionEffect {
    MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role: Role::Auditor,
        scope: Scope::Alliance,
        holder: PersonId(2 * MEMBERS + 1),
        deputy: None,
        succeeds: None,
    })
}

/// One member alone put a rescission to the whole assembly. It finds the support of a fifth first, as
/// every motion of the assembly, before the stay ends.
#[test]
fn a_rescission_in_the_assembly_finds_support_first() {
    let mut writer = writer("rescind");
    let motion = writer.propose_as(1, auditor(), 10).unwrap();
    for member in 2..=5 {
        writer.support(member, motion).unwrap();
    }
    for member in 1..=MEMBERS {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    writer.close(motion);
    assert_eq!(status(&writer, motion), MotionStatus::Staying);
    let effect = || {
        MotionEffect::Rescind(RescindMotion {
            motion: MotionId(motion),
        })
    };
    let office = writer.propose(effect(), 0);
    assert!(office.is_err());
    let undo = writer.propose_as(20, effect(), 0).unwrap();
    assert_eq!(status(&writer, undo), MotionStatus::Gathering);
    assert_eq!(code(writer.vote(20, undo, Choice::Yes)), "R10.not-open");
    for member in 21..=24 {
        writer.support(member, undo).unwrap();
    }
    assert_eq!(status(&writer, undo), MotionStatus::Open);
    assert_eq!(
        writer.due(DeadlineKind::MotionClose, undo),
        writer.due(DeadlineKind::MotionEffect, motion)
    );
    // Another one that finds none ends with the stay.
    let second = writer.propose_as(19, effect(), 0).unwrap();
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    assert_eq!(status(&writer, second), MotionStatus::Lapsed);
    assert_eq!(status(&writer, motion), MotionStatus::CarriedOut);
}

/// A motion that gathers support for weeks opened with an effect that had become impossible, and ran
/// its ballot for nothing.
#[test]
fn a_motion_is_judged_again_when_it_has_found_its_support() {
    let mut writer = writer("again");
    let first = writer.propose_as(1, auditor(), 10).unwrap();
    let second = writer.propose_as(1, auditor(), 10).unwrap();
    for member in 2..=5 {
        writer.support(member, first).unwrap();
    }
    writer.pass(first);
    let offer = *writer.tables().posts.last_key().unwrap();
    let accept = Body::Motion(MotionAct::AcceptPost { post: offer });
    let holder = 2 * MEMBERS + 1;
    writer
        .act_as(MEMBERS + 1, &[(holder, Role::Primary)], accept)
        .unwrap();
    for member in 2..=4 {
        writer.support(member, second).unwrap();
    }
    assert_eq!(code(writer.support(5, second)), "R7.auditor-holds-a-post");
    assert_eq!(status(&writer, second), MotionStatus::Gathering);
}

/// Rights were read under the charter in force, whatever charter the motion had opened under: an
/// amendment changed who decides a ballot that runs. And a class without votes voted in committees.
#[test]
fn a_right_to_vote_hangs_on_the_motions_charter_and_the_class() {
    let mut tables: StateTables = writer("charters").tables().clone();
    let block = BlockContext {
        chain: Hash::ZERO,
        height: Height(9),
        now: LedgerTime(1_690_000_000_000),
    };
    let mut tx = Tx::of_block(&mut tables, block);
    let first = tx.t.parameters.get(&CharterVersion(1)).unwrap().clone();
    let mut second = first.clone();
    second.version = CharterVersion(2);
    for rule in &mut second.classes {
        rule.assembly_vote = rule.class == Class::Council;
    }
    tx.t.parameters().put(CharterVersion(2), second);
    let mut facts = tx.facts();
    facts.charter = CharterVersion(2);
    tx.put_facts(facts);
    // 24 is an associate and was named to a committee before.
    let mut associate = Membership {
        class: Class::Associate,
        ..tx.t.memberships.get(&MembershipId(24)).unwrap().clone()
    };
    associate.standing = Standing::Live(Live::GOOD);
    tx.put(associate);
    for member in [3, 24] {
        tx.t.committee_seats()
            .put((FundId(1), OrganisationId(member)), LedgerTime(u64::MAX));
    }
    tx.keep();
    let question = |body, charter| Question {
        body,
        kind: rollbook_core::charter::motions::MotionKind::Award,
        charter: CharterVersion(charter),
    };
    use rollbook_core::charter::motions::DecidingBody::{Assembly, Committee};
    let entitled = |body, charter, member| {
        motion::entitled(&tables, question(body, charter), OrganisationId(member))
    };
    assert!(entitled(Assembly, 1, 3) && !entitled(Assembly, 2, 3));
    assert!(entitled(Committee(FundId(1)), 1, 3));
    assert!(!entitled(Committee(FundId(1)), 1, 24));
}
