//! Relations of others: claims and answers, what the board finds, an earlier day with its recounts, the
//! appeal, the end, and the cure of two seats (M24; RULINGS R1, R20, R27, R31).

use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::BallotVisibility;
use rollbook_core::event::EventBody;
use rollbook_core::id::{DirectionId, GroupId, Id as _, MotionId, RelationId};
use rollbook_core::identity::{GroupDeclaration, RelationKind, Role};
use rollbook_core::lookup::{groups, seats};
use rollbook_core::object::motion::{Motion, MotionStatus};
use rollbook_core::object::relation::{Edge, RelationStatus};
use rollbook_core::record::{
    AnnulRelation, Body, Choice, JoinRelation, MotionAct, MotionEffect, NameLead, OrganisationAct,
    RelationClaim,
};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::secretariat;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

/// Nine of them have seats.
const MEMBERS: u32 = 12;

fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.charter.motions.ballot_visibility = BallotVisibility::Open;
    Writer::founded(Alliance::of(&sample))
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn claim(one: u32, other: u32, kind: RelationKind) -> Body {
    Body::Organisation(OrganisationAct::ClaimRelation(RelationClaim {
        one: OrganisationId(one),
        other: OrganisationId(other),
        kind,
        evidence: sha256(b"share register"),
    }))
}

fn newest(writer: &Writer) -> RelationId {
    *writer.tables().relation_ids.last_key().unwrap()
}

fn edge(writer: &Writer, relation: RelationId) -> Edge {
    let key = writer.tables().relation_ids.get(&relation).unwrap();
    writer.tables().edges.get(key).unwrap().clone()
}

fn act(writer: &mut Writer, member: u32, act: OrganisationAct) -> Result<Outcome, Refusal> {
    writer.member(member, Body::Organisation(act))
}

fn by_secretary(writer: &mut Writer, act: OrganisationAct) -> Result<Outcome, Refusal> {
    writer.office(Role::Secretary, Body::Organisation(act))
}

fn find(relation: RelationId, since: Option<LocalDay>) -> MotionEffect {
    MotionEffect::JoinRelation(JoinRelation { relation, since })
}

fn related(writer: &Writer, one: u32, other: u32) -> bool {
    groups::related(writer.tables(), OrganisationId(one), OrganisationId(other))
}

fn today(writer: &Writer) -> LocalDay {
    LocalDay::of(LedgerTime(writer.now()), 480)
}

fn motion(writer: &Writer, number: u32) -> Motion {
    writer
        .tables()
        .motions
        .get(&MotionId(number))
        .unwrap()
        .clone()
}

/// A motion of the board about member 12, which is in direction 1.
fn ordinary(writer: &mut Writer) -> u32 {
    let direction = DirectionId(1);
    let _ = act(writer, 12, OrganisationAct::JoinDirection { direction });
    let lead = MotionEffect::NameLead(NameLead {
        direction,
        organisation: OrganisationId(12),
    });
    writer.propose(lead, 7).unwrap()
}

/// Voices join by the board's motion once all of its electorate has voted yes and the stay is over.
fn found(writer: &mut Writer, relation: RelationId, since: Option<LocalDay>) -> Vec<EventBody> {
    let motion = writer.propose(find(relation, since), 7).unwrap();
    for member in 1..=9 {
        let _ = writer.vote(member, motion, Choice::Yes);
    }
    let mut events = writer.close(motion);
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    events.extend(writer.advance(due + 1).into_iter().map(|event| event.body));
    events
}

/// The word of others did nothing, and there was no way for the alliance to find what two members kept
/// silent about. A claim is a notice now; after 15 days the board may find that it is so.
#[test]
fn what_others_claim_does_nothing_until_the_board_finds_it() {
    let mut writer = writer("claims");
    by_secretary(
        &mut writer,
        match claim(2, 3, RelationKind::Control) {
            Body::Organisation(act) => act,
            _ => unreachable!(),
        },
    )
    .unwrap();
    let relation = newest(&writer);
    assert_eq!(edge(&writer, relation).status, RelationStatus::Claimed);
    let conflict = |writer: &Writer, one, other| {
        groups::has_conflict(writer.tables(), OrganisationId(one), OrganisationId(other))
    };
    assert!(!related(&writer, 2, 3) && !conflict(&writer, 2, 3) && !conflict(&writer, 3, 2));
    // Who is an end declares; nobody is related to itself, an office or nobody; not twice.
    assert_eq!(
        code(writer.member(2, claim(2, 4, RelationKind::Control))),
        "R27.declare-instead"
    );
    assert_eq!(
        code(writer.member(5, claim(4, 4, RelationKind::Control))),
        "R27.same-organisation"
    );
    assert_eq!(
        code(writer.member(5, claim(4, secretariat(MEMBERS), RelationKind::Control))),
        "R27.office"
    );
    assert_eq!(
        code(writer.member(5, claim(4, 99, RelationKind::Control))),
        "M24.unknown-organisation"
    );
    assert_eq!(
        code(writer.member(5, claim(3, 2, RelationKind::Control))),
        "R27.known-already"
    );
    let outsider = writer.register(1, "Outsider", &[]);
    assert_eq!(
        code(writer.member(outsider, claim(4, 5, RelationKind::Control))),
        "R27.not-a-member"
    );
    // Both may answer for 15 days; before that the board does not decide.
    let reply = sha256(b"it is not so");
    assert_eq!(
        code(act(
            &mut writer,
            4,
            OrganisationAct::ReplyRelation { relation, reply }
        )),
        "R27.not-an-end"
    );
    act(
        &mut writer,
        3,
        OrganisationAct::ReplyRelation { relation, reply },
    )
    .unwrap();
    assert_eq!(edge(&writer, relation).replies[0].document, reply);
    assert_eq!(
        code(writer.propose(find(relation, None), 7)),
        "R27.time-to-reply"
    );
    writer.advance_days(16);
    assert_eq!(
        code(writer.propose_as(2, find(relation, None), 7)),
        "R31.own-case"
    );
    let early = LocalDay(today(&writer).0 - 366);
    assert_eq!(
        code(writer.propose(find(relation, Some(early)), 7)),
        "R27.too-far-back"
    );
    let motion = writer.propose(find(relation, None), 7).unwrap();
    // Both groups are recused.
    assert_eq!(
        writer.vote(2, motion, Choice::No),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    assert_eq!(
        writer.vote(3, motion, Choice::No),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    for member in [1, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    writer.close(motion);
    // A stay of ten days.
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    assert!(due - writer.ledger.tip().seal.time_ms.0 > 9 * MS_PER_DAY);
    assert!(!related(&writer, 2, 3));
    let events = writer.advance(due + 1);
    assert!(related(&writer, 2, 3));
    let joined = edge(&writer, relation);
    assert_eq!(joined.decided.unwrap().0, MotionId(motion));
    assert!(events.iter().any(|event| matches!(
        event.body,
        EventBody::RelationMoved {
            status: RelationStatus::Joined,
            ..
        }
    )));
    assert_eq!(
        code(writer.propose(find(relation, None), 7)),
        "R27.nothing-to-decide"
    );
}

/// One voice was counted twice in motions of the months before it came out, and nothing counted them again.
#[test]
fn an_earlier_day_counts_again_what_opened_since() {
    let mut writer = writer("earlier day");
    let before = ordinary(&mut writer);
    writer.close(before);
    writer.advance_days(2);
    let day = today(&writer);
    writer.advance_days(1);
    writer
        .member(5, claim(2, 3, RelationKind::Control))
        .unwrap();
    let relation = newest(&writer);
    writer.advance_days(16);
    // With two voices of one group it passes by one, without it does not: five of nine, four of eight.
    let tight = ordinary(&mut writer);
    for member in [2, 3, 4, 5, 6] {
        writer.vote(member, tight, Choice::Yes).unwrap();
    }
    writer.close(tight);
    let due = writer.due(DeadlineKind::MotionEffect, tight).unwrap();
    writer.advance(due + 1);
    assert_eq!(motion(&writer, tight).status, MotionStatus::CarriedOut);
    let asked = writer.propose(find(relation, Some(day)), 7).unwrap();
    for member in [1, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, asked, Choice::Yes).unwrap();
    }
    writer.close(asked);
    let due = writer.due(DeadlineKind::MotionEffect, asked).unwrap();
    // One that stays and one whose ballots are open when the two become one group.
    writer.advance(due - 3 * MS_PER_DAY);
    let open = {
        let leave = OrganisationAct::GiveUpLead {
            direction: DirectionId(1),
        };
        act(&mut writer, 12, leave).unwrap();
        let lead = ordinary(&mut writer);
        for member in [2, 3] {
            writer.vote(member, lead, Choice::Yes).unwrap();
        }
        lead
    };
    writer.advance(due - 60_000);
    assert_eq!(motion(&writer, open).status, MotionStatus::Open);
    let events = writer.advance(due + 60_000);
    assert!(related(&writer, 2, 3));
    assert!(edge(&writer, relation).effective_ms.unwrap() < motion(&writer, tight).opened_ms);
    let recounted = |number: u32| {
        events.iter().find_map(|event| match &event.body {
            EventBody::MotionRecounted {
                motion,
                voices,
                differs,
                ..
            } if *motion == MotionId(number) => Some((*voices, *differs)),
            _ => None,
        })
    };
    assert_eq!(recounted(before), None, "it had opened before that day");
    assert_eq!(recounted(tight), Some((8, true)));
    assert_eq!(motion(&writer, tight).voices, 8);
    assert_eq!(recounted(open), Some((8, false)));
    let round = (MotionId(open), 1, GroupId::MIN)..=(MotionId(open), 1, GroupId::MAX);
    assert_eq!(writer.tables().ballots.range(round).count(), 1);
    assert_eq!(recounted(asked).map(|(voices, _)| voices), Some(8));
    assert_eq!(
        motion(&writer, asked).status,
        MotionStatus::CarriedOut,
        "both were recused in it anyhow"
    );
}

/// What would have ended otherwise and has not had its effect is void.
#[test]
fn a_motion_that_stays_and_would_have_failed_is_void() {
    let mut writer = writer("void");
    let day = today(&writer);
    writer
        .member(5, claim(2, 3, RelationKind::Control))
        .unwrap();
    let relation = newest(&writer);
    writer.advance_days(16);
    let asked = writer.propose(find(relation, Some(day)), 7).unwrap();
    for member in [1, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, asked, Choice::Yes).unwrap();
    }
    writer.close(asked);
    let due = writer.due(DeadlineKind::MotionEffect, asked).unwrap();
    // Its ballots end two days before, so that it stays for 72 hours.
    let start = due - 9 * MS_PER_DAY - 12 * 3_600_000;
    writer.advance(start);
    let tight = ordinary(&mut writer);
    for member in [2, 3, 4, 5, 6] {
        writer.vote(member, tight, Choice::Yes).unwrap();
    }
    writer.close(tight);
    assert_eq!(motion(&writer, tight).status, MotionStatus::Staying);
    assert!(writer.due(DeadlineKind::MotionEffect, tight).unwrap() > due);
    writer.advance(due + 60_000);
    let voided = motion(&writer, tight);
    assert_eq!(voided.status, MotionStatus::Void);
    assert_eq!(voided.void.unwrap().as_str(), "R20.recounted");
}

/// An edge could not end at all. It ends with evidence that the secretariat has checked; a conflict in what
/// was open before stays, so nobody ends a tie the day before a ballot.
#[test]
fn a_relation_ends_and_its_conflict_stays_where_a_matter_was_open() {
    let mut writer = writer("ends");
    let declare = |other: u32, kind| {
        OrganisationAct::Relate(GroupDeclaration {
            other: OrganisationId(other),
            kind,
            evidence: sha256(b"contract"),
        })
    };
    act(&mut writer, 4, declare(12, RelationKind::Investor)).unwrap();
    let investor = newest(&writer);
    act(&mut writer, 2, declare(3, RelationKind::Control)).unwrap();
    let control = newest(&writer);
    let confirm = OrganisationAct::ConfirmRelation {
        other: OrganisationId(2),
        relation: 1,
    };
    act(&mut writer, 3, confirm).unwrap();
    assert!(related(&writer, 2, 3));
    let open = ordinary(&mut writer);
    let ask = |relation| OrganisationAct::AskRelationEnd {
        relation,
        evidence: sha256(b"sold"),
    };
    let extract = sha256(b"extract");
    let end = |relation| OrganisationAct::ConfirmRelationEnd { relation, extract };
    assert_eq!(code(act(&mut writer, 5, ask(investor))), "R27.not-an-end");
    assert_eq!(
        code(by_secretary(&mut writer, end(investor))),
        "R27.no-end-asked"
    );
    act(&mut writer, 4, ask(investor)).unwrap();
    assert_eq!(code(act(&mut writer, 4, ask(investor))), "R27.end-asked");
    let reasons = sha256(b"reasons");
    by_secretary(
        &mut writer,
        OrganisationAct::DeclineRelationEnd {
            relation: investor,
            reasons,
        },
    )
    .unwrap();
    act(&mut writer, 4, ask(investor)).unwrap();
    by_secretary(&mut writer, end(investor)).unwrap();
    assert_eq!(edge(&writer, investor).status, RelationStatus::Ended);
    // The motion about 12 was open before; one that opens now is not touched.
    assert_eq!(
        writer.vote(4, open, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    let withdraw = Body::Motion(MotionAct::Withdraw {
        motion: MotionId(open),
    });
    writer.office(Role::Secretary, withdraw).unwrap();
    let after = ordinary(&mut writer);
    assert_eq!(writer.vote(4, after, Choice::Yes), Ok(Outcome::Applied));
    // Voices stay one for the charter's days.
    act(&mut writer, 3, ask(control)).unwrap();
    by_secretary(&mut writer, end(control)).unwrap();
    assert_eq!(edge(&writer, control).status, RelationStatus::Ending);
    assert!(related(&writer, 2, 3));
    assert_eq!(code(act(&mut writer, 3, ask(control))), "R27.not-in-force");
    let due = writer.due(DeadlineKind::RelationEnd, control.0).unwrap();
    writer.advance(due + 1);
    assert_eq!(edge(&writer, control).status, RelationStatus::Ended);
    assert!(!related(&writer, 2, 3));
    // The two can be related again, as another relation.
    act(&mut writer, 2, declare(3, RelationKind::Control)).unwrap();
    assert_eq!(edge(&writer, newest(&writer)).number, 2);
}

#[test]
fn what_never_was_binds_nobody_and_a_claim_that_nobody_takes_up_is_dropped() {
    let mut writer = writer("never was");
    writer
        .member(5, claim(2, 3, RelationKind::Control))
        .unwrap();
    let relation = newest(&writer);
    let take_back = OrganisationAct::WithdrawClaim { relation };
    assert_eq!(
        code(act(&mut writer, 6, take_back.clone())),
        "R27.not-the-claimant"
    );
    act(&mut writer, 5, take_back.clone()).unwrap();
    assert_eq!(code(act(&mut writer, 5, take_back)), "R27.wrong-state");
    writer
        .member(5, claim(2, 3, RelationKind::Investor))
        .unwrap();
    let relation = newest(&writer);
    let due = writer.due(DeadlineKind::RelationLapse, relation.0).unwrap();
    writer.advance(due + 1);
    assert_eq!(edge(&writer, relation).status, RelationStatus::Dropped);
    // One end says it, too, and is bound; the board finds that it never was.
    writer
        .member(5, claim(2, 3, RelationKind::Investor))
        .unwrap();
    let relation = newest(&writer);
    let confirm = OrganisationAct::ConfirmRelation {
        other: OrganisationId(2),
        relation: 3,
    };
    act(&mut writer, 3, confirm).unwrap();
    assert_eq!(edge(&writer, relation).status, RelationStatus::Declared);
    let bound = |writer: &Writer| {
        groups::has_conflict(writer.tables(), OrganisationId(3), OrganisationId(2))
    };
    assert!(bound(&writer));
    let annul = MotionEffect::AnnulRelation(AnnulRelation { relation });
    let motion = writer.propose(annul, 7).unwrap();
    for member in [1, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    writer.close(motion);
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    assert_eq!(edge(&writer, relation).status, RelationStatus::Annulled);
    assert!(!bound(&writer));
}

/// R27: the assembly has the last word while the board's decision stays.
#[test]
fn an_appeal_to_the_assembly_holds_the_boards_decision_and_may_undo_it() {
    let mut writer = writer("appeal");
    writer
        .member(5, claim(2, 3, RelationKind::Control))
        .unwrap();
    let relation = newest(&writer);
    writer.advance_days(16);
    let reasons = sha256(b"reasons");
    let appeal = OrganisationAct::AppealRelation { relation, reasons };
    assert_eq!(
        code(act(&mut writer, 2, appeal.clone())),
        "R27.no-decision-stays"
    );
    let motion_number = writer.propose(find(relation, None), 7).unwrap();
    for member in [1, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, motion_number, Choice::Yes).unwrap();
    }
    writer.close(motion_number);
    assert_eq!(code(act(&mut writer, 6, appeal.clone())), "R27.not-an-end");
    act(&mut writer, 2, appeal.clone()).unwrap();
    let appealed = writer.newest_motion();
    assert_eq!(code(act(&mut writer, 3, appeal)), "R27.appealed-already");
    for member in [1, 4, 5, 6, 7, 8, 9, 10, 11, 12] {
        writer.vote(member, appealed, Choice::Yes).unwrap();
    }
    let stay = writer
        .due(DeadlineKind::MotionEffect, motion_number)
        .unwrap();
    writer.advance(stay + 1);
    assert!(!related(&writer, 2, 3), "it waits for the appeal");
    if motion(&writer, appealed).status == MotionStatus::Open {
        writer.close(appealed);
    }
    let due = writer.due(DeadlineKind::MotionEffect, appealed).unwrap();
    writer.advance(due + 60_000);
    assert_eq!(motion(&writer, motion_number).status, MotionStatus::Void);
    assert_eq!(edge(&writer, relation).status, RelationStatus::Dropped);
    assert!(!related(&writer, 2, 3));
}

/// Two seats of one group both stayed on the board.
#[test]
fn of_two_seats_in_one_group_the_later_is_given_up_or_ends() {
    let mut writer = writer("cure");
    let both = |writer: &Writer| {
        [2, 3].map(|member| seats::holds(writer.tables(), OrganisationId(member)))
    };
    assert_eq!(both(&writer), [true, true]);
    writer
        .member(5, claim(2, 3, RelationKind::Control))
        .unwrap();
    let relation = newest(&writer);
    writer.advance_days(16);
    found(&mut writer, relation, None);
    assert!(related(&writer, 2, 3));
    let seat = seats::in_force(writer.tables())
        .find(|seat| seat.organisation == OrganisationId(3))
        .unwrap()
        .number;
    let due = writer.due(DeadlineKind::SeatCure, seat.0).unwrap();
    assert_eq!(both(&writer), [true, true]);
    let events = writer.advance(due + 1);
    assert_eq!(both(&writer), [true, false]);
    assert!(
        events
            .iter()
            .any(|event| matches!(event.body, EventBody::SeatMoved { .. }))
    );
}
