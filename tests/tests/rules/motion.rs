//! Motions on a one-writer ledger: electorate, voices, recusal, quorum, stay, rescission,
//! escalation (domain 1.6, R1, R7, R10).

use proptest::prelude::*;
use rollbook_core::calendar::{MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::charter::motions::DecidingBody;
use rollbook_core::event::EventBody;
use rollbook_core::id::{GroupId, MembershipId, MotionId, PersonId, PostId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::record::{
    AdmitMember, Appointment, Ballot, BallotVote, Body, Choice, ConflictKind, Declaration,
    EFFECT_MAX_BYTES, MotionAct, MotionEffect, RemoveHolder, RescindMotion,
};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_core::rules::motion;
use rollbook_core::tally;
use rollbook_core::tally::Tally;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::codec::encode;
use rollbook_proof::number::OrganisationId;
use rollbook_proof::verify::PROVED_VALUE_MAX;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;

/// 24 founders; 12 owns 13.
fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.pairs = vec![(12, 13)];
    Writer::founded(Alliance::of(&sample))
}

fn ballot(motion: MotionId, choice: Choice) -> Ballot {
    Ballot {
        motion,
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(choice),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    }
}

fn status(writer: &Writer, motion: u32) -> MotionStatus {
    writer
        .tables()
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .status
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn tally_of(events: &[EventBody], number: u32) -> Tally {
    let closed = events.iter().find_map(|event| match event {
        EventBody::MotionClosed { motion, tally, .. } if *motion == MotionId(number) => {
            Some(tally.clone())
        }
        _ => None,
    });
    closed.unwrap()
}

fn votes(writer: &mut Writer, motion: u32, members: std::ops::RangeInclusive<u32>, choice: Choice) {
    for member in members {
        assert_eq!(
            writer.vote(member, motion, choice),
            Ok(Outcome::Applied),
            "member {member}"
        );
    }
}

#[test]
fn a_removal_passes_stays_and_takes_effect() {
    let mut writer = writer("removal");
    assert_eq!(
        writer
            .propose(MotionEffect::Remove(RemoveHolder { post: PostId(99) }), 7)
            .unwrap_err()
            .code,
        "R7.unknown-post"
    );
    assert_eq!(
        writer
            .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 6)
            .unwrap_err()
            .code,
        "R10.ballot-length"
    );
    assert_eq!(
        writer
            .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 22)
            .unwrap_err()
            .code,
        "R10.ballot-length"
    );
    assert_eq!(
        writer
            .propose_as(
                10,
                MotionEffect::Remove(RemoveHolder { post: PostId(2) }),
                7
            )
            .unwrap_err()
            .code,
        "R10.may-not-propose"
    );
    assert_eq!(
        writer
            .propose(
                MotionEffect::Admit(AdmitMember {
                    membership: MembershipId(1)
                }),
                7
            )
            .unwrap_err()
            .code,
        "R10.opened-by-rule"
    );
    let motion = writer
        .propose_as(9, MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    let facts = writer
        .tables()
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .clone();
    assert_eq!(
        (facts.members, facts.voices, facts.body),
        (9, 9, DecidingBody::Board)
    );
    assert_eq!(
        facts.proposer,
        Some((OrganisationId(9), GroupId(OrganisationId(9))))
    );
    assert_eq!(
        code(writer.vote(10, motion, Choice::Yes)),
        "R1.not-in-electorate"
    );
    let early = ballot(MotionId(77), Choice::Yes);
    assert_eq!(
        code(writer.member(1, Body::Motion(MotionAct::Vote(early)))),
        "A4.unknown-motion"
    );
    let cites = Ballot {
        criterion: Some(text("solvency")),
        ..ballot(MotionId(motion), Choice::No)
    };
    assert_eq!(
        code(writer.member(1, Body::Motion(MotionAct::Vote(cites)))),
        "M08.criterion-unexpected"
    );
    // One officer where the company's policy asks for two; the alternate without the primary.
    let yes = Body::Motion(MotionAct::Vote(ballot(MotionId(motion), Choice::Yes)));
    let (first, second) = officers_of(1);
    assert_eq!(
        code(writer.act_as(1, &[(first, Role::Primary)], yes.clone())),
        "A6.too-few-officers"
    );
    assert_eq!(
        code(writer.act_as(
            1,
            &[(first, Role::NodeOperator), (second, Role::Alternate)],
            yes
        )),
        "A6.too-few-officers"
    );
    votes(&mut writer, motion, 1..=5, Choice::Yes);
    votes(&mut writer, motion, 6..=9, Choice::No);
    let events = writer.close(motion);
    let tally = tally_of(&events, motion);
    assert_eq!(
        (tally.counts.yes, tally.counts.no, tally.outcome),
        (5, 4, tally::Outcome::Passed)
    );
    assert_eq!(status(&writer, motion), MotionStatus::Staying);
    assert_eq!(
        writer.tables().posts.get(&PostId(2)).unwrap().status,
        PostStatus::Held
    );
    // Closed, with the largest effect and a reason for being void, it is still a proved value.
    let facts = writer.tables().motions.get(&MotionId(motion)).unwrap();
    let (whole, effect) = (encode(facts).len(), encode(&facts.effect).len());
    assert!(
        whole - effect + EFFECT_MAX_BYTES + 64 + 8 <= PROVED_VALUE_MAX,
        "{whole} bytes, {effect} of them effect"
    );
    let closed = writer.ledger.tip().seal.time_ms;
    assert_eq!(code(writer.vote(1, motion, Choice::No)), "R10.not-open");
    assert_eq!(
        writer.due(DeadlineKind::MotionEffect, motion),
        Some(closed.plus_ms(72 * MS_PER_HOUR)).map(|id| id.0)
    );
    writer.advance(closed.0 + 72 * MS_PER_HOUR);
    assert_eq!(
        status(&writer, motion),
        MotionStatus::Staying,
        "the last instant of the stay still counts"
    );
    let events = writer.advance(closed.0 + 72 * MS_PER_HOUR + 1);
    assert!(events.iter().any(|event| event.body
        == EventBody::MotionCarriedOut {
            motion: MotionId(motion)
        }));
    assert_eq!(
        writer.tables().posts.get(&PostId(2)).unwrap().status,
        PostStatus::Ended
    );
    assert_eq!(writer.due(DeadlineKind::MotionStuck, motion), None);
}

#[test]
fn the_body_rescinds_during_the_stay_and_only_then() {
    let mut writer = writer("rescind");
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    assert_eq!(
        writer
            .propose(
                MotionEffect::Rescind(RescindMotion {
                    motion: MotionId(motion)
                }),
                0
            )
            .unwrap_err()
            .code,
        "R10.not-staying"
    );
    votes(&mut writer, motion, 1..=9, Choice::Yes);
    writer.close(motion);
    assert_eq!(
        writer
            .propose(
                MotionEffect::Rescind(RescindMotion {
                    motion: MotionId(motion)
                }),
                1
            )
            .unwrap_err()
            .code,
        "R10.ballot-ends-with-stay"
    );
    assert_eq!(
        writer
            .propose_as(
                20,
                MotionEffect::Rescind(RescindMotion {
                    motion: MotionId(motion)
                }),
                0
            )
            .unwrap_err()
            .code,
        "R10.may-not-propose"
    );
    let undo = writer
        .propose_as(
            4,
            MotionEffect::Rescind(RescindMotion {
                motion: MotionId(motion),
            }),
            0,
        )
        .unwrap();
    assert_eq!(
        writer.due(DeadlineKind::MotionClose, undo),
        writer.due(DeadlineKind::MotionEffect, motion)
    );
    votes(&mut writer, undo, 1..=5, Choice::Yes);
    let events = writer.close(undo);
    assert!(events.contains(&EventBody::MotionCarriedOut {
        motion: MotionId(undo)
    }));
    assert!(!events.contains(&EventBody::MotionCarriedOut {
        motion: MotionId(motion)
    }));
    assert_eq!(
        (status(&writer, motion), status(&writer, undo)),
        (MotionStatus::Rescinded, MotionStatus::CarriedOut)
    );
    writer.advance_days(10);
    assert_eq!(
        writer.tables().posts.get(&PostId(2)).unwrap().status,
        PostStatus::Held
    );
    // A rescission that misses the majority changes nothing: the effect comes at the end of the
    // stay.
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    votes(&mut writer, motion, 1..=9, Choice::Yes);
    writer.close(motion);
    let undo = writer
        .propose(
            MotionEffect::Rescind(RescindMotion {
                motion: MotionId(motion),
            }),
            0,
        )
        .unwrap();
    votes(&mut writer, undo, 1..=4, Choice::Yes);
    writer.close(undo);
    assert_eq!(
        (status(&writer, motion), status(&writer, undo)),
        (MotionStatus::CarriedOut, MotionStatus::Lapsed)
    );
    assert_eq!(
        writer.tables().posts.get(&PostId(2)).unwrap().status,
        PostStatus::Ended
    );
}

fn auditor(holder: u32) -> MotionEffect {
    let role = Role::Auditor;
    MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role,
        scope: Scope::Alliance,
        holder: PersonId(holder),
        deputy: None,
        succeeds: None,
    })
}

#[test]
fn a_motion_of_the_assembly_gathers_support_and_counts_one_voice_for_12_and_13() {
    let mut writer = writer("assembly");
    let observer_officer = 2 * MEMBERS + 1;
    assert_eq!(
        writer
            .propose(auditor(observer_officer), 10)
            .unwrap_err()
            .code,
        "R10.may-not-propose"
    );
    assert_eq!(
        writer.propose_as(20, auditor(1), 10).unwrap_err().code,
        "R7.auditor-of-a-member"
    );
    let motion = writer
        .propose_as(20, auditor(observer_officer), 10)
        .unwrap();
    assert_eq!(status(&writer, motion), MotionStatus::Gathering);
    assert_eq!(code(writer.vote(20, motion, Choice::Yes)), "R10.not-open");
    let support = |writer: &mut Writer, member| writer.support(member, motion);
    assert_eq!(code(support(&mut writer, 20)), "R10.already-supports");
    // 23 voices: a fifth is 4.6. 12 and 13 are one of the five.
    for member in [12, 13, 21, 22] {
        support(&mut writer, member).unwrap();
        assert_eq!(
            status(&writer, motion),
            MotionStatus::Gathering,
            "after {member}"
        );
    }
    support(&mut writer, 23).unwrap();
    assert_eq!(status(&writer, motion), MotionStatus::Open);
    let facts = writer
        .tables()
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .clone();
    assert_eq!(
        (facts.members, facts.voices, facts.body),
        (24, 23, DecidingBody::Assembly)
    );
    // 13 comes first and holds the voice; 12 is recorded and not counted; 13 may vote again.
    assert_eq!(writer.vote(13, motion, Choice::No), Ok(Outcome::Applied));
    assert_eq!(
        writer.vote(12, motion, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::DuplicateGroup))
    );
    assert_eq!(
        writer.vote(13, motion, Choice::Abstain),
        Ok(Outcome::Applied)
    );
    votes(&mut writer, motion, 1..=11, Choice::Yes);
    votes(&mut writer, motion, 14..=16, Choice::Yes);
    votes(&mut writer, motion, 17..=17, Choice::No);
    let tally = tally_of(&writer.close(motion), motion);
    let counts = tally.counts;
    assert_eq!(
        (
            counts.electorate,
            counts.recused,
            counts.yes,
            counts.no,
            counts.abstain
        ),
        (23, 0, 14, 1, 1)
    );
    assert_eq!(tally.outcome, tally::Outcome::Passed);
    writer.advance_days(11);
    assert_eq!(status(&writer, motion), MotionStatus::CarriedOut);
    let (number, post) = writer
        .tables()
        .posts
        .iter()
        .last()
        .map(|(number, post)| (*number, post.clone()))
        .unwrap();
    assert_eq!(
        (post.holder, post.status),
        (PersonId(observer_officer), PostStatus::Offered)
    );
    let accept = Body::Motion(MotionAct::AcceptPost { post: number });
    assert_eq!(
        code(writer.member(1, accept.clone())),
        "M35.holder-must-sign"
    );
    writer
        .act_as(
            MEMBERS + 1,
            &[(observer_officer, Role::Primary)],
            accept.clone(),
        )
        .unwrap();
    assert_eq!(
        writer.tables().posts.get(&number).unwrap().status,
        PostStatus::Held
    );
    assert_eq!(
        code(writer.act_as(MEMBERS + 1, &[(observer_officer, Role::Primary)], accept)),
        "M35.not-offered"
    );
}

#[test]
fn too_little_support_lapses_and_the_boards_majority_is_enough() {
    let mut writer = writer("support");
    let observer_officer = 2 * MEMBERS + 1;
    let motion = writer
        .propose_as(20, auditor(observer_officer), 10)
        .unwrap();
    let events = writer.advance_days(40);
    assert!(events.contains(&EventBody::MotionUnsupported {
        motion: MotionId(motion)
    }));
    assert_eq!(status(&writer, motion), MotionStatus::Lapsed);
    let motion = writer.propose_as(1, auditor(observer_officer), 10).unwrap();
    for member in 2..=4 {
        writer
            .member(
                member,
                Body::Motion(MotionAct::Support {
                    motion: MotionId(motion),
                }),
            )
            .unwrap();
    }
    assert_eq!(
        status(&writer, motion),
        MotionStatus::Gathering,
        "four of nine seats, four of 23 voices"
    );
    writer
        .member(
            5,
            Body::Motion(MotionAct::Support {
                motion: MotionId(motion),
            }),
        )
        .unwrap();
    assert_eq!(status(&writer, motion), MotionStatus::Open);
}

#[test]
fn parties_and_declared_conflicts_have_no_voice() {
    let mut writer = writer("recusal");
    // Officer 6 is of member 3, which sits on the board.
    let appointment = |holder, role| {
        MotionEffect::Appoint(Appointment {
            office: OrganisationId(secretariat(MEMBERS)),
            role,
            scope: Scope::Alliance,
            holder,
            deputy: None,
            succeeds: None,
        })
    };
    let motion = writer
        .propose(appointment(PersonId(6), Role::Treasurer), 7)
        .unwrap();
    assert_eq!(
        writer.vote(3, motion, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    writer.vote(4, motion, Choice::No).unwrap();
    // 4 declares after voting: its ballot stays in the log and is not counted. 5 declares in its
    // ballot.
    let kind = ConflictKind::Competitor;
    writer
        .member(
            4,
            Body::Motion(MotionAct::DeclareConflict {
                motion: MotionId(motion),
                kind,
            }),
        )
        .unwrap();
    let declares = Ballot {
        declaration: Declaration::Conflict(kind),
        ..ballot(MotionId(motion), Choice::Yes)
    };
    let outcome = writer.member(5, Body::Motion(MotionAct::Vote(declares)));
    assert_eq!(outcome, Ok(Outcome::NotCounted(NotCounted::Recused)));
    assert_eq!(
        writer.vote(5, motion, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused)),
        "not taken back"
    );
    assert_eq!(
        code(writer.member(
            10,
            Body::Motion(MotionAct::DeclareConflict {
                motion: MotionId(motion),
                kind
            })
        )),
        "R1.not-in-electorate"
    );
    votes(&mut writer, motion, 6..=9, Choice::Yes);
    let tally = tally_of(&writer.close(motion), motion);
    let counts = tally.counts;
    assert_eq!(
        (counts.electorate, counts.recused, counts.yes, counts.no),
        (9, 3, 4, 0)
    );
    assert_eq!(tally.outcome, tally::Outcome::Passed, "4 of 6 eligible");
}

#[test]
fn a_board_with_too_many_conflicts_passes_the_motion_up() {
    let mut writer = writer("escalate");
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    for member in 1..=5 {
        let kind = ConflictKind::Other;
        writer
            .member(
                member,
                Body::Motion(MotionAct::DeclareConflict {
                    motion: MotionId(motion),
                    kind,
                }),
            )
            .unwrap();
    }
    votes(&mut writer, motion, 6..=9, Choice::Yes);
    let events = writer.close(motion);
    assert!(matches!(
        tally_of(&events, motion).outcome,
        tally::Outcome::Escalate { .. }
    ));
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::MotionOpened {
            body: DecidingBody::Assembly,
            voices: 23,
            ..
        }
    )));
    assert_eq!(status(&writer, motion), MotionStatus::Open);
    assert!(motion::ballots(writer.tables(), MotionId(motion)).is_empty());
    // Conflicts stay declared: 18 unrelated voices.
    assert_eq!(
        writer.vote(1, motion, Choice::No),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    votes(&mut writer, motion, 6..=12, Choice::Yes);
    votes(&mut writer, motion, 14..=16, Choice::Yes);
    let tally = tally_of(&writer.close(motion), motion);
    assert_eq!(
        (tally.counts.electorate, tally.counts.recused, tally.outcome),
        (23, 5, tally::Outcome::Passed)
    );
    // The stay of the assembly is ten days.
    writer.advance_days(5);
    assert_eq!(status(&writer, motion), MotionStatus::Staying);
    writer.advance_days(6);
    assert_eq!(status(&writer, motion), MotionStatus::CarriedOut);
}

#[test]
fn no_quorum_is_put_again_once_and_then_lapses() {
    let mut writer = writer("quorum");
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    votes(&mut writer, motion, 1..=4, Choice::Yes);
    let events = writer.close(motion);
    assert_eq!(tally_of(&events, motion).outcome, tally::Outcome::NoQuorum);
    assert_eq!(status(&writer, motion), MotionStatus::Waiting);
    let again = writer.due(DeadlineKind::MotionRetable, motion).unwrap();
    assert!(again > writer.now() + 29 * MS_PER_DAY);
    let events = writer.advance(again + 1);
    assert!(
        events
            .iter()
            .any(|event| matches!(event.body, EventBody::MotionOpened { retabled: 1, .. }))
    );
    assert!(
        motion::ballots(writer.tables(), MotionId(motion)).is_empty(),
        "ballots are cast anew"
    );
    votes(&mut writer, motion, 1..=2, Choice::Abstain);
    writer.close(motion);
    assert_eq!(status(&writer, motion), MotionStatus::Lapsed);
}

#[test]
fn a_tie_fails_and_a_motion_is_withdrawn_only_before_its_first_ballot() {
    let mut writer = writer("tie");
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    votes(&mut writer, motion, 1..=4, Choice::Yes);
    votes(&mut writer, motion, 5..=8, Choice::No);
    writer.vote(9, motion, Choice::Abstain).unwrap();
    let withdraw = |motion| Body::Motion(MotionAct::Withdraw { motion });
    assert_eq!(
        code(writer.office(Role::Secretary, withdraw(MotionId(motion)))),
        "R10.ballots-cast"
    );
    assert_eq!(
        tally_of(&writer.close(motion), motion).outcome,
        tally::Outcome::Rejected
    );
    assert_eq!(status(&writer, motion), MotionStatus::Rejected);
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    assert_eq!(
        code(writer.member(1, withdraw(MotionId(motion)))),
        "R10.not-the-proposer"
    );
    writer
        .office(Role::Secretary, withdraw(MotionId(motion)))
        .unwrap();
    assert_eq!(status(&writer, motion), MotionStatus::Withdrawn);
    assert!(writer.advance_days(30).is_empty());
}

#[test]
fn an_effect_that_became_impossible_voids_the_motion() {
    let mut writer = writer("void");
    let first = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 7)
        .unwrap();
    let second = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 14)
        .unwrap();
    votes(&mut writer, second, 1..=9, Choice::Yes);
    writer.pass(first);
    let events = writer.close(second);
    assert!(events.contains(&EventBody::MotionVoid {
        motion: MotionId(second),
        code: text("R7.post-ended")
    }));
    assert_eq!(status(&writer, second), MotionStatus::Void);
}

/// A motion that may close early, for which eight of nine have voted.
fn early_but_for_one_voice(seed: &[u8]) -> (Writer, u32) {
    let mut sample = sample(seed, 9, 4);
    sample.charter.motions.early_close = true;
    let mut writer = Writer::founded(Alliance::of(&sample));
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: PostId(2) }), 21)
        .unwrap();
    votes(&mut writer, motion, 1..=8, Choice::Yes);
    (writer, motion)
}

#[test]
fn early_close_needs_every_voice_a_quiet_day_and_the_shortest_ballot() {
    let (mut writer, motion) = early_but_for_one_voice(b"early");
    assert_eq!(writer.due(DeadlineKind::MotionEarly, motion), None);
    votes(&mut writer, motion, 9..=9, Choice::Yes);
    let (early, close) = (
        writer.due(DeadlineKind::MotionEarly, motion),
        writer.due(DeadlineKind::MotionClose, motion),
    );
    assert!(early.unwrap() + 10 * MS_PER_DAY < close.unwrap());
    // A new ballot on the last day begins the quiet day again.
    writer.advance(early.unwrap() - MS_PER_HOUR);
    votes(&mut writer, motion, 1..=1, Choice::No);
    assert_eq!(
        writer.due(DeadlineKind::MotionEarly, motion),
        Some(writer.ledger.tip().seal.time_ms.plus_ms(24 * MS_PER_HOUR)).map(|id| id.0)
    );
    writer.advance_days(2);
    assert_eq!(status(&writer, motion), MotionStatus::Staying);
}

/// All voted a day and a half before the close, so an early close ran; a voice that changed its ballot
/// an hour before it was closed on an hour later, without the quiet day (RULINGS R34).
#[test]
fn a_late_ballot_cancels_an_early_close_for_which_no_day_is_left() {
    let (mut writer, motion) = early_but_for_one_voice(b"late");
    let close = writer.due(DeadlineKind::MotionClose, motion).unwrap();
    writer.advance(close - 36 * MS_PER_HOUR);
    votes(&mut writer, motion, 9..=9, Choice::Yes);
    let early = writer.due(DeadlineKind::MotionEarly, motion).unwrap();
    assert!(early < close);
    writer.advance(early - MS_PER_HOUR);
    votes(&mut writer, motion, 1..=1, Choice::No);
    assert_eq!(writer.due(DeadlineKind::MotionEarly, motion), None);
    writer.advance(early + MS_PER_HOUR);
    assert_eq!(status(&writer, motion), MotionStatus::Open);
    writer.advance(close + MS_PER_HOUR);
    assert_eq!(status(&writer, motion), MotionStatus::Staying);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever ballots and declarations come: a voice has at most one counted ballot, part never
    /// exceeds the eligible voices, the electorate never changes, and the closing tally is that of
    /// the counts.
    #[test]
    fn counts_never_exceed_voices(steps in proptest::collection::vec((1u32..=24, 0u8..4), 1..40)) {
        let pairs = [(2, 5), (5, 6), (12, 13)];
        let mut sample = sample(b"property", MEMBERS, 4);
        sample.pairs = pairs.to_vec();
        sample.charter.motions.min_elig = 3;
        sample.charter.board_seats = 9;
        // 2, 5 and 6 are one group, so only one of them may sit: the assembly decides here.
        let mut writer = Writer::founded(Alliance::of(&sample));
        let motion = writer.propose_as(7, auditor(2 * MEMBERS + 1), 10).unwrap();
        for member in [8, 9, 10, 11, 14] {
            let _ = writer.support(member, motion);
        }
        let frozen = writer.tables().motions.get(&MotionId(motion)).unwrap().clone();
        prop_assert_eq!((frozen.status, frozen.voices), (MotionStatus::Open, 21));
        for (member, what) in steps {
            let result = match what {
                0 => writer.vote(member, motion, Choice::Yes),
                1 => writer.vote(member, motion, Choice::No),
                2 => writer.vote(member, motion, Choice::Abstain),
                _ => writer.member(member, Body::Motion(MotionAct::DeclareConflict { motion: MotionId(motion), kind: ConflictKind::Other })),
            };
            prop_assert!(result.is_ok());
            let ballots = motion::ballots(writer.tables(), MotionId(motion));
            let electorate = motion::electorate(writer.tables(), MotionId(motion));
            for (group, cast) in &ballots {
                prop_assert_eq!(electorate.get(&cast.organisation), Some(group));
            }
            let now = writer.tables().motions.get(&MotionId(motion)).unwrap();
            prop_assert_eq!((now.electorate, now.voices, now.members), (frozen.electorate, 21, 24));
        }
        let tally = tally_of(&writer.close(motion), motion);
        prop_assert_eq!(tally.counts.electorate, 21);
        prop_assert!(tally.counts.part() <= u64::from(tally.counts.elig()));
        prop_assert!(!matches!(tally.outcome, tally::Outcome::Void(tally::VoidReason::ImpossibleCounts)));
        prop_assert_eq!(&tally, &tally::tally(tally.counts, &frozen.rule, 3));
    }
}
