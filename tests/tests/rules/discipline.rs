//! Proceedings, suspension, expulsion, appeal, and the table of rights (M14 to M17, M30; R5, R18, R39).

use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::BallotVisibility;
use rollbook_core::charter::motions::{DecidingBody, MotionKind};
use rollbook_core::event::EventBody;
use rollbook_core::id::{CharterVersion, MembershipId, MotionId, NoticeId, ProceedingId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::rights;
use rollbook_core::lookup::rights::{Allows, Flow, Votes, allows};
use rollbook_core::next;
use rollbook_core::next::Object;
use rollbook_core::object::membership::{
    Ceased, Discipline, Dues, DuesPart, Exit, ExitState, Live, Membership, Notice, Standing,
};
use rollbook_core::object::motion::{MotionStatus, Question};
use rollbook_core::object::proceeding::ProceedingStatus;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Cessation, Choice, Declaration, ExpelMember, HearingEntry,
    LiftSuspension, MembershipAct, MotionAct, MotionEffect, NoticeAbout, NoticeChannel,
    NoticeEntry, ProceedingEntry, RevealBallot, SuspendMember, UpholdAppeal,
};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_core::rules::motion;
use rollbook_core::tx::{BlockContext, DeadlineKind, Tx};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

/// 24 members whose ballots are open, so that a vote is one record; of 23 tells the story.
fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), 24, 4);
    sample.charter.motions.ballot_visibility = BallotVisibility::Open;
    sample.pairs = vec![(22, 23)];
    Writer::founded(Alliance::of(&sample))
}

const ACCUSED: u32 = 23;

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn secretary(writer: &mut Writer, act: MembershipAct) -> Result<Outcome, Refusal> {
    writer.office(Role::Secretary, Body::Membership(act))
}

fn member(writer: &mut Writer, number: u32, act: MembershipAct) -> Result<Outcome, Refusal> {
    writer.member(number, Body::Membership(act))
}

fn opening() -> MembershipAct {
    MembershipAct::OpenProceeding(ProceedingEntry {
        membership: MembershipId(ACCUSED),
        ground: text("conduct"),
        reasons: sha256(b"reasons"),
    })
}

fn notice(writer: &Writer, subject: NoticeAbout) -> MembershipAct {
    MembershipAct::ServeNotice(NoticeEntry {
        subject,
        text: sha256(b"text of the notice"),
        channel: NoticeChannel::Hand,
        dispatched: today(writer),
        proof: sha256(b"proof of dispatch"),
    })
}

fn today(writer: &Writer) -> LocalDay {
    LocalDay::of(LedgerTime(writer.now()), 480)
}

fn hearing(writer: &Writer, proceeding: u32) -> MembershipAct {
    MembershipAct::Hear(HearingEntry {
        proceeding: ProceedingId(proceeding),
        day: today(writer),
        attended: true,
        minutes: sha256(b"minutes"),
    })
}

fn suspend(proceeding: u32, days: u32) -> MotionEffect {
    MotionEffect::SuspendMember(SuspendMember {
        proceeding: ProceedingId(proceeding),
        days,
    })
}

fn expel(proceeding: u32) -> MotionEffect {
    MotionEffect::ExpelMember(ExpelMember {
        proceeding: ProceedingId(proceeding),
    })
}

fn discipline(writer: &Writer) -> Discipline {
    match rights::of(writer.tables(), OrganisationId(ACCUSED))
        .unwrap()
        .standing
    {
        Standing::Live(live) => live.discipline,
        _ => panic!("no member any more"),
    }
}

fn stands(writer: &Writer, proceeding: u32) -> ProceedingStatus {
    let entry = writer.tables().proceedings.get(&ProceedingId(proceeding));
    entry.unwrap().status
}

fn refused(writer: &mut Writer, effect: MotionEffect) -> &'static str {
    writer.propose(effect, 7).unwrap_err().code
}

/// A proceeding with notice and hearing, ripe for a motion.
fn ripe(writer: &mut Writer) -> u32 {
    secretary(writer, opening()).unwrap();
    let number = writer.tables().proceedings.last_key().unwrap().0;
    let served = notice(writer, NoticeAbout::Proceeding(ProceedingId(number)));
    secretary(writer, served).unwrap();
    let held = hearing(writer, number);
    secretary(writer, held).unwrap();
    writer.advance_days(17);
    number
}

/// Member 23 is suspended: notice with reasons, reply, hearing, the board's decision, its end.
#[test]
fn a_member_is_suspended_after_notice_and_hearing_and_only_then() {
    let mut writer = writer("suspended");
    let unknown = MembershipAct::WaiveHearing {
        proceeding: ProceedingId(1),
    };
    assert_eq!(
        code(member(&mut writer, ACCUSED, unknown)),
        "A4.unknown-proceeding"
    );
    secretary(&mut writer, opening()).unwrap();
    assert_eq!(code(secretary(&mut writer, opening())), "M30.another-open");
    assert_eq!(
        next::of(writer.tables(), Object::Proceeding, 1, ReadClass::Public),
        None,
        "before the decision the public learns nothing"
    );
    assert!(next::of(writer.tables(), Object::Proceeding, 1, ReadClass::Members).is_some());
    assert_eq!(refused(&mut writer, suspend(1, 90)), "M30.no-notice");
    let early = hearing(&writer, 1);
    assert_eq!(code(secretary(&mut writer, early)), "M30.no-notice");
    let served = notice(&writer, NoticeAbout::Proceeding(ProceedingId(1)));
    secretary(&mut writer, served).unwrap();
    assert_eq!(
        refused(&mut writer, suspend(1, 90)),
        "M14.too-soon-after-notice"
    );
    let reply = |proceeding| MembershipAct::Reply {
        proceeding: ProceedingId(proceeding),
        document: sha256(b"reply"),
    };
    assert_eq!(code(member(&mut writer, 22, reply(1))), "M30.not-yours");
    member(&mut writer, ACCUSED, reply(1)).unwrap();
    writer.advance_days(16);
    assert_eq!(refused(&mut writer, suspend(1, 90)), "M14.no-hearing");
    let mut ahead = hearing(&writer, 1);
    if let MembershipAct::Hear(entry) = &mut ahead {
        entry.day = entry.day.plus(1);
    }
    assert_eq!(code(secretary(&mut writer, ahead)), "M30.hearing-day");
    let held = hearing(&writer, 1);
    secretary(&mut writer, held).unwrap();
    let waive = MembershipAct::WaiveHearing {
        proceeding: ProceedingId(1),
    };
    assert_eq!(
        code(member(&mut writer, ACCUSED, waive)),
        "M30.heard-already"
    );
    writer.advance_days(4);
    assert_eq!(
        refused(&mut writer, suspend(1, 90)),
        "M14.too-soon-after-hearing"
    );
    writer.advance_days(2);
    assert_eq!(refused(&mut writer, suspend(1, 181)), "M14.days");
    assert_eq!(
        writer.propose_as(22, suspend(1, 90), 7).unwrap_err().code,
        "R10.may-not-propose",
        "22 owns 23, and sits on no board here"
    );
    let motion = writer.propose(suspend(1, 90), 7).unwrap();
    assert_eq!(refused(&mut writer, suspend(1, 90)), "M30.motion-open");
    let close = MembershipAct::CloseProceeding {
        proceeding: ProceedingId(1),
        reasons: sha256(b"nothing in it"),
    };
    assert_eq!(code(secretary(&mut writer, close)), "M30.motion-open");
    // A proceeding changes no right but in the own case.
    assert_eq!(discipline(&writer), Discipline::None);
    writer.pass(motion);
    assert_eq!(discipline(&writer), Discipline::Suspended);
    assert_eq!(stands(&writer, 1), ProceedingStatus::Suspended);
    let held = rights::rights(writer.tables(), OrganisationId(ACCUSED));
    assert!(held.member && !held.votes && !held.may_sponsor && !held.may_apply_for_funds);
    let end = writer.due(DeadlineKind::SuspensionEnd, ACCUSED).unwrap();
    let days = (end - writer.ledger.tip().seal.time_ms.0) / MS_PER_DAY;
    assert!((89..=91).contains(&days), "{days}");
    // M15: the days are over.
    let events = writer.advance(end + 1);
    assert!(events.iter().any(|event| matches!(&event.body,
        EventBody::MembershipMoved { transition, .. } if transition.as_str() == "M15")));
    assert_eq!(discipline(&writer), Discipline::None);
}

/// Who is accused has no voice, nor has its group; ballots of discipline are sealed until the close.
#[test]
fn the_assembly_decides_by_sealed_ballots_without_the_member() {
    let mut sample = sample(b"sealed", 24, 4);
    sample.pairs = vec![(22, 23)];
    let mut writer = Writer::founded(Alliance::of(&sample));
    let warning = notice(&writer, NoticeAbout::Warning(MembershipId(ACCUSED)));
    secretary(&mut writer, warning).unwrap();
    let proceeding = ripe(&mut writer);
    let motion = writer.before_the_assembly(expel(proceeding), 10).unwrap();
    assert!(
        motion::is_sealed(
            &Tx::of_block(&mut writer.tables().clone(), block(&writer)),
            writer.tables().motions.get(&MotionId(motion)).unwrap()
        )
        .unwrap()
    );
    let ballot = |member: u32, salt: [u8; 32]| {
        let vote = BallotVote::Choice(Choice::Yes);
        let sealed = vote.commitment(&salt, MotionId(motion), 1, OrganisationId(member));
        MotionAct::Vote(Ballot {
            motion: MotionId(motion),
            round: 1,
            replaces: Vec::new(),
            vote: BallotVote::Sealed(sealed),
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        })
    };
    let salt = |member: u32| sha256(&member.to_be_bytes()).0;
    for member in [ACCUSED, 22] {
        let act = Body::Motion(ballot(member, salt(member)));
        assert_eq!(
            writer.member(member, act),
            Ok(Outcome::NotCounted(NotCounted::Recused)),
            "{member} has no voice in the case of 23"
        );
    }
    for member in (1..=21).chain([24]) {
        writer
            .member(member, Body::Motion(ballot(member, salt(member))))
            .unwrap();
    }
    writer.close(motion);
    for member in (1..=21).chain([24]) {
        let opened = MotionAct::Reveal(RevealBallot {
            motion: MotionId(motion),
            round: 1,
            proxy_for: None,
            vote: BallotVote::Choice(Choice::Yes),
            salt: salt(member),
            criterion: None,
        });
        writer.member(member, Body::Motion(opened)).unwrap();
    }
    writer.advance_days(14);
    assert_eq!(discipline(&writer), Discipline::ExpulsionPending);
}

fn block(writer: &Writer) -> BlockContext {
    BlockContext {
        chain: Hash::ZERO,
        height: Height(9),
        now: LedgerTime(writer.now()),
    }
}

#[test]
fn a_suspension_is_lifted_by_the_board() {
    let mut writer = writer("lifted");
    let lift = || {
        MotionEffect::LiftSuspension(LiftSuspension {
            membership: MembershipId(ACCUSED),
        })
    };
    assert_eq!(refused(&mut writer, lift()), "M15.not-suspended");
    let proceeding = ripe(&mut writer);
    let motion = writer.propose(suspend(proceeding, 180), 7).unwrap();
    writer.pass(motion);
    let again = ripe(&mut writer);
    assert_eq!(
        refused(&mut writer, suspend(again, 5)),
        "M14.suspended-already"
    );
    let motion = writer.propose(lift(), 7).unwrap();
    writer.pass(motion);
    assert_eq!(discipline(&writer), Discipline::None);
    assert_eq!(writer.due(DeadlineKind::SuspensionEnd, ACCUSED), None);
}

#[test]
fn two_seat_holders_of_two_groups_open_a_proceeding_and_it_lapses() {
    let mut writer = writer("filed");
    assert_eq!(code(member(&mut writer, 20, opening())), "R7.no-seat");
    member(&mut writer, 1, opening()).unwrap();
    assert_eq!(stands(&writer, 1), ProceedingStatus::Filed);
    let agree = MembershipAct::AgreeProceeding {
        proceeding: ProceedingId(1),
    };
    assert_eq!(
        code(member(&mut writer, 1, agree.clone())),
        "M30.same-group"
    );
    member(&mut writer, 2, agree.clone()).unwrap();
    assert_eq!(stands(&writer, 1), ProceedingStatus::Open);
    assert_eq!(code(member(&mut writer, 3, agree)), "M30.not-filed");
    // The secretary is silent about it: two others serve the notice.
    let about = NoticeAbout::Proceeding(ProceedingId(1));
    let act = notice(&writer, about);
    assert_eq!(code(member(&mut writer, 3, act)), "M29.secretary-first");
    writer.advance_days(8);
    let act = notice(&writer, about);
    member(&mut writer, 3, act).unwrap();
    member(
        &mut writer,
        4,
        MembershipAct::AgreeNotice {
            notice: NoticeId(1),
        },
    )
    .unwrap();
    let waive = MembershipAct::WaiveHearing {
        proceeding: ProceedingId(1),
    };
    member(&mut writer, ACCUSED, waive).unwrap();
    let due = writer.due(DeadlineKind::ProceedingLapse, 1).unwrap();
    let events = writer.advance(due + 1);
    assert!(
        events
            .iter()
            .any(|event| matches!(event.body, EventBody::ProceedingLapsed { .. }))
    );
    assert_eq!(stands(&writer, 1), ProceedingStatus::Lapsed);
    assert_eq!(refused(&mut writer, suspend(1, 5)), "M30.not-open");
    // Another one may be opened, and closed without a measure.
    secretary(&mut writer, opening()).unwrap();
    let close = MembershipAct::CloseProceeding {
        proceeding: ProceedingId(2),
        reasons: sha256(b"nothing in it"),
    };
    secretary(&mut writer, close).unwrap();
    assert_eq!(stands(&writer, 2), ProceedingStatus::Closed);
}

fn expelled(writer: &mut Writer) -> u32 {
    let warning = notice(writer, NoticeAbout::Warning(MembershipId(ACCUSED)));
    secretary(writer, warning).unwrap();
    let proceeding = ripe(writer);
    let motion = writer.before_the_assembly(expel(proceeding), 10).unwrap();
    writer.close_after(motion);
    proceeding
}

trait Decides {
    fn close_after(&mut self, motion: u32);
}

impl Decides for Writer {
    /// Everybody but 22 and 23 votes yes; the stay is over.
    fn close_after(&mut self, motion: u32) {
        for member in (1..=21).chain([24]) {
            self.vote(member, motion, Choice::Yes).unwrap();
        }
        self.close(motion);
        if let Some(due) = self.due(DeadlineKind::MotionEffect, motion) {
            self.advance(due + 1);
        }
    }
}

#[test]
fn nobody_is_expelled_without_a_warning_before() {
    let mut writer = writer("no warning");
    let proceeding = ripe(&mut writer);
    let propose = |writer: &mut Writer| writer.propose_as(1, expel(proceeding), 10);
    assert_eq!(propose(&mut writer).unwrap_err().code, "M16.no-warning");
    // One that comes after the proceeding was opened is none for it.
    let warning = notice(&writer, NoticeAbout::Warning(MembershipId(ACCUSED)));
    secretary(&mut writer, warning).unwrap();
    assert_eq!(propose(&mut writer).unwrap_err().code, "M16.no-warning");
    let appeal = MembershipAct::AppealExpulsion {
        proceeding: ProceedingId(proceeding),
        grounds: sha256(b"grounds"),
    };
    assert_eq!(
        code(member(&mut writer, ACCUSED, appeal)),
        "M17.not-expelled"
    );
    let by_hand = MotionEffect::UpholdAppeal(UpholdAppeal {
        proceeding: ProceedingId(proceeding),
    });
    assert_eq!(
        writer.propose_as(1, by_hand, 10).unwrap_err().code,
        "R10.opened-by-rule"
    );
}

#[test]
fn an_expulsion_without_an_appeal_becomes_final() {
    let mut writer = writer("final");
    let proceeding = expelled(&mut writer);
    assert_eq!(discipline(&writer), Discipline::ExpulsionPending);
    assert_eq!(stands(&writer, proceeding), ProceedingStatus::Expelled);
    assert!(
        rights::is_live(writer.tables(), OrganisationId(ACCUSED)),
        "not final yet"
    );
    let due = writer.due(DeadlineKind::ExpulsionFinal, ACCUSED).unwrap();
    writer.advance(due + 1);
    let ended = rights::of(writer.tables(), OrganisationId(ACCUSED)).unwrap();
    assert_eq!(ended.standing, Standing::Expelled);
    assert_eq!(stands(&writer, proceeding), ProceedingStatus::Final);
    assert_eq!(
        rights::flow(writer.tables(), OrganisationId(ACCUSED)),
        Flow::Paused,
        "R5, B12"
    );
    assert_eq!(code(secretary(&mut writer, opening())), "M30.not-a-member");
    let warning = notice(&writer, NoticeAbout::Warning(MembershipId(ACCUSED)));
    assert_eq!(code(secretary(&mut writer, warning)), "M29.not-a-member");
}

fn appeal(writer: &mut Writer, proceeding: u32) -> u32 {
    let act = MembershipAct::AppealExpulsion {
        proceeding: ProceedingId(proceeding),
        grounds: sha256(b"grounds"),
    };
    member(writer, ACCUSED, act).unwrap();
    let entry = writer
        .tables()
        .proceedings
        .get(&ProceedingId(proceeding))
        .unwrap();
    entry.appeal.unwrap().0
}

#[test]
fn an_appeal_that_is_upheld_restores_what_was_left_of_a_suspension() {
    let mut writer = writer("upheld");
    let first = ripe(&mut writer);
    let motion = writer.propose(suspend(first, 180), 7).unwrap();
    writer.pass(motion);
    let end = writer.due(DeadlineKind::SuspensionEnd, ACCUSED).unwrap();
    let proceeding = expelled(&mut writer);
    assert_eq!(writer.due(DeadlineKind::SuspensionEnd, ACCUSED), None);
    let rest = writer
        .tables()
        .proceedings
        .get(&ProceedingId(proceeding))
        .unwrap()
        .suspension_rest_ms
        .unwrap();
    assert!(rest < end);
    let motion = appeal(&mut writer, proceeding);
    assert_eq!(
        writer.due(DeadlineKind::ExpulsionFinal, ACCUSED),
        None,
        "the appeal decides"
    );
    writer.close_after(motion);
    assert_eq!(stands(&writer, proceeding), ProceedingStatus::Upheld);
    assert_eq!(discipline(&writer), Discipline::Suspended);
    let now = writer.ledger.tip().seal.time_ms.0;
    let runs = writer.due(DeadlineKind::SuspensionEnd, ACCUSED).unwrap();
    assert!(
        runs - now <= rest && rest - (runs - now) < 1000 * 60,
        "{rest}"
    );
}

#[test]
fn an_appeal_that_fails_ends_the_membership() {
    let mut writer = writer("failed appeal");
    let proceeding = expelled(&mut writer);
    let motion = appeal(&mut writer, proceeding);
    for member in (1..=21).chain([24]) {
        writer.vote(member, motion, Choice::No).unwrap();
    }
    writer.close(motion);
    let status = writer
        .tables()
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .status;
    assert_eq!(status, MotionStatus::Rejected);
    let ended = rights::of(writer.tables(), OrganisationId(ACCUSED)).unwrap();
    assert_eq!(ended.standing, Standing::Expelled);
    assert_eq!(stands(&writer, proceeding), ProceedingStatus::Final);
}

#[test]
fn a_company_that_ceases_takes_its_proceeding_and_its_motion_with_it() {
    let mut writer = writer("ceases");
    let proceeding = ripe(&mut writer);
    let motion = writer.propose(suspend(proceeding, 30), 7).unwrap();
    let cease = MembershipAct::Cease {
        membership: MembershipId(ACCUSED),
        cause: Cessation::Dissolved,
        evidence: sha256(b"extract"),
    };
    secretary(&mut writer, cease).unwrap();
    assert_eq!(stands(&writer, proceeding), ProceedingStatus::Ended);
    let status = writer
        .tables()
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .status;
    assert_eq!(status, MotionStatus::Withdrawn);
    assert_eq!(writer.due(DeadlineKind::ProceedingLapse, proceeding), None);
}

/// The table of rights, written down once more: what stands in domain 1.4, row by row. (counts as a
/// member, votes, votes on charter and new funds, stands and sponsors, applies, how money flows)
type Line = (bool, bool, bool, bool, bool, Flow);

const GOOD: Line = (true, true, true, true, true, Flow::Flows);
const ARREARS: Line = (true, true, true, false, true, Flow::Withheld);
const VOTING_SUSPENDED: Line = (true, false, false, false, false, Flow::Withheld);
const SUSPENDED: Line = (true, false, false, false, false, Flow::Paused);

fn both(a: Line, b: Line) -> Line {
    let worse = |a: Flow, b: Flow| match (a, b) {
        (Flow::Paused, _) | (_, Flow::Paused) => Flow::Paused,
        (Flow::Withheld, _) | (_, Flow::Withheld) => Flow::Withheld,
        (Flow::Flows, Flow::Flows) => Flow::Flows,
    };
    (
        a.0 && b.0,
        a.1 && b.1,
        a.2 && b.2,
        a.3 && b.3,
        a.4 && b.4,
        worse(a.5, b.5),
    )
}

fn line(allows: Allows) -> Line {
    (
        allows.member,
        allows.votes.on(MotionKind::Appoint),
        allows.votes.on(MotionKind::AmendCharter) && allows.votes.on(MotionKind::CreateFund),
        allows.stands,
        allows.applies,
        allows.flow,
    )
}

const DUES: [(Dues, Line); 3] = [
    (Dues::Good, GOOD),
    (Dues::Arrears, ARREARS),
    (Dues::VotingSuspended, VOTING_SUSPENDED),
];
const DISCIPLINE: [(Discipline, Line); 3] = [
    (Discipline::None, GOOD),
    (Discipline::Suspended, SUSPENDED),
    // R5: the rights of somebody who is suspended.
    (Discipline::ExpulsionPending, SUSPENDED),
];
const LEAVING: Line = (true, true, false, false, false, Flow::Flows);
const EXIT: [(Exit, Line); 2] = [
    (Exit::None, GOOD),
    (
        Exit::WithdrawalPending(Notice {
            letter: Hash::ZERO,
            given_ms: LedgerTime(0),
            last_day: LocalDay(0),
        }),
        LEAVING,
    ),
];

#[test]
fn rights_are_the_intersection_of_the_three_parts() {
    for (dues, of_dues) in DUES {
        for (discipline, of_discipline) in DISCIPLINE {
            for (exit, of_exit) in EXIT {
                let standing = Standing::Live(Live { discipline });
                let expected = both(both(of_dues, of_discipline), of_exit);
                assert_eq!(
                    line(allows(&standing, dues, exit.state())),
                    expected,
                    "{dues:?} {discipline:?} {exit:?}"
                );
            }
        }
    }
    let ended = |flow| (false, false, false, false, false, flow);
    let ceased = Standing::Ceased(Ceased {
        cause: Cessation::Insolvent,
        evidence: Hash::ZERO,
    });
    for (standing, flow) in [
        (Standing::TerminatedForArrears, Flow::Paused),
        (Standing::Expelled, Flow::Paused),
        (ceased, Flow::Flows),
        (Standing::Applied, Flow::Flows),
        (Standing::Admitted, Flow::Flows),
    ] {
        for (dues, _) in DUES {
            assert_eq!(
                line(allows(&standing, dues, ExitState::None)),
                ended(flow),
                "{standing:?} {dues:?}"
            );
        }
    }
    assert!(Votes::None < Votes::NotOnWhatStays && Votes::NotOnWhatStays < Votes::All);
}

/// Every combination, and what the rules then say to the acts: voting in each body, sponsoring,
/// standing for a seat, applying for funds, being paid.
#[test]
fn every_rule_asks_the_same_table() {
    let writer = writer("table");
    for (dues, of_dues) in DUES {
        for ((discipline, of_discipline), (exit, of_exit)) in DISCIPLINE
            .into_iter()
            .flat_map(|part| EXIT.map(|exit| (part, exit)))
        {
            let expected = both(both(of_dues, of_discipline), of_exit);
            let mut tables = writer.tables().clone();
            let mut tx = Tx::of_block(&mut tables, block(&writer));
            // 3 sits on the board.
            let membership = tx.t.memberships.get(&MembershipId(3)).unwrap().clone();
            let part = tx.t.dues.get(&MembershipId(3)).unwrap().clone();
            tx.put(Membership {
                standing: Standing::Live(Live { discipline }),
                exit,
                ..membership
            });
            tx.t.dues().put(MembershipId(3), DuesPart { dues, ..part });
            tx.keep();
            let at = |body, kind| {
                let question = Question {
                    body,
                    kind,
                    charter: CharterVersion(1),
                };
                motion::entitled(&tables, question, OrganisationId(3))
            };
            let told = format!("{dues:?} {discipline:?} {exit:?}");
            for body in [DecidingBody::Assembly, DecidingBody::Board] {
                assert_eq!(at(body, MotionKind::Appoint), expected.1, "{told}");
                assert_eq!(at(body, MotionKind::AmendCharter), expected.2, "{told}");
            }
            let held = rights::rights(&tables, OrganisationId(3));
            assert_eq!(held.member, expected.0, "{told}");
            assert_eq!(held.votes, expected.1, "{told}");
            assert_eq!(held.may_sponsor, expected.3, "{told}");
            assert_eq!(held.may_apply_for_funds, expected.4, "{told}");
            assert_eq!(
                rights::flow(&tables, OrganisationId(3)),
                expected.5,
                "{told}"
            );
            // It still is a member, whose records have a turn and whose node is let in.
            assert!(rights::is_live(&tables, OrganisationId(3)), "{told}");
        }
    }
}

/// R5: who gives notice does not escape a proceeding. The end of the membership waits for it, for 90 days
/// at the most, and leaving one behind counts as an expulsion before a new application.
#[test]
fn the_end_of_a_membership_waits_for_an_open_proceeding() {
    for closes in [true, false] {
        let mut writer = writer(if closes { "waits" } else { "escapes" });
        secretary(&mut writer, opening()).unwrap();
        let proceeding = writer.tables().proceedings.last_key().unwrap().0;
        let last_day = today(&writer).plus(31);
        let leave = MembershipAct::GiveNotice {
            membership: MembershipId(ACCUSED),
            last_day,
            letter: sha256(b"letter"),
        };
        member(&mut writer, ACCUSED, leave).unwrap();
        writer.advance_days(40);
        let of = |writer: &Writer| {
            let found = rights::of(writer.tables(), OrganisationId(ACCUSED));
            found.unwrap().standing.clone()
        };
        assert!(matches!(of(&writer), Standing::Live(_)), "it waits");
        if closes {
            let close = MembershipAct::CloseProceeding {
                proceeding: ProceedingId(proceeding),
                reasons: sha256(b"nothing in it"),
            };
            secretary(&mut writer, close).unwrap();
            writer.advance(writer.now() + 1_000);
        } else {
            writer.advance_days(50);
            assert!(matches!(of(&writer), Standing::Live(_)), "on day 90 still");
            writer.advance_days(33);
            assert_eq!(stands(&writer, proceeding), ProceedingStatus::Ended);
        }
        assert!(matches!(of(&writer), Standing::Withdrawn(_)));
        let waits = writer.tables().proceeding_of.get(&MembershipId(ACCUSED));
        assert_eq!(waits.is_some(), !closes);
    }
}
