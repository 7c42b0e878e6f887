//! Directions and who leads them (M37), observers, their statements and what they read (M38, R49), the
//! chair (R48), working days (M39), corrections of clerical fields (M41, R20).

use rollbook_core::calendar::{CivilDate, LocalDay, end_of_local_day};
use rollbook_core::charter::BallotVisibility;
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::id::{
    CalendarId, CorrectionId, DirectionId, FundId, MotionId, OrderId, PersonId, PostId,
    RevocationId, StatementId,
};
use rollbook_core::identity::{Name, OrganisationKind, Role, Scope};
use rollbook_core::lookup::{calendar, directions};
use rollbook_core::object::calendar::CalendarStatus;
use rollbook_core::object::correction::CorrectionStatus;
use rollbook_core::object::direction::Direction;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::observer::ObserverStatus;
use rollbook_core::object::post::PostStatus;
use rollbook_core::pass::{Denied, Pass, Reach, admit};
use rollbook_core::record::{
    AdmitObserver, Appointment, Ballot, BallotVote, Body, CalendarYear, CharterAct, ClericalField,
    Corrected, CorrectionEntry, Declaration, ElectChair, EndObserver, MotionAct, MotionEffect,
    NameLead, ObserverReading, OfficialOrder, OrganisationAct, Proposal, RemoveHolder,
    StatementEntry,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::{officer_key, officers_of};
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 12;
const OBSERVER: u32 = MEMBERS + 1;

/// Twelve founders, of which nine have seats; an observer; ballots are open.
fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.charter.motions.ballot_visibility = BallotVisibility::Open;
    Writer::founded(Alliance::of(&sample))
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn day(text: &str) -> LocalDay {
    CivilDate::parse(text).unwrap().day_number()
}

fn office() -> OrganisationId {
    OrganisationId(secretariat(MEMBERS))
}

fn observe(writer: &mut Writer, body: Body) -> Result<Outcome, Refusal> {
    writer.act_as(OBSERVER, &[(2 * MEMBERS + 1, Role::Primary)], body)
}

fn by_chair(writer: &mut Writer, chair: u32, body: Body) -> Result<Outcome, Refusal> {
    writer.act_as(office().0, &[(chair, Role::Chair)], body)
}

fn join(direction: u32) -> Body {
    let direction = DirectionId(direction);
    Body::Organisation(OrganisationAct::JoinDirection { direction })
}

fn leave(direction: u32) -> Body {
    let direction = DirectionId(direction);
    Body::Organisation(OrganisationAct::LeaveDirection { direction })
}

fn give_up(direction: u32) -> Body {
    let direction = DirectionId(direction);
    Body::Organisation(OrganisationAct::GiveUpLead { direction })
}

fn named(direction: u32, organisation: u32) -> MotionEffect {
    MotionEffect::NameLead(NameLead {
        direction: DirectionId(direction),
        organisation: OrganisationId(organisation),
    })
}

fn lead(writer: &Writer, direction: u32) -> Option<u32> {
    let lead = directions::lead(writer.tables(), DirectionId(direction));
    lead.map(|lead| lead.organisation.0)
}

/// Directions could be named in a registration and never again: nobody joined, left or led one.
#[test]
fn members_join_leave_and_lead_directions() {
    let mut writer = writer("directions");
    writer.member(3, join(1)).unwrap();
    writer.member(11, join(1)).unwrap();
    assert_eq!(code(writer.member(3, join(1))), "M37.joined-already");
    assert_eq!(code(writer.member(3, join(9))), "M37.unknown-direction");
    assert_eq!(code(writer.member(4, leave(1))), "M37.not-joined");
    let outsider = writer.register(1, "Outsider", &[]);
    assert_eq!(code(writer.member(outsider, join(1))), "M37.not-a-member");

    // Nobody leads before the board says so, and only who works there.
    assert_eq!(code(writer.propose(named(1, 4), 7)), "M37.not-joined");
    assert_eq!(
        code(writer.propose(named(1, outsider), 7)),
        "M37.not-a-member"
    );
    assert_eq!(code(writer.propose_as(3, named(1, 3), 7)), "R31.own-case");
    let motion = writer.propose(named(1, 3), 7).unwrap();
    writer.pass(motion);
    assert_eq!(lead(&writer, 1), Some(3));
    assert_eq!(code(writer.propose(named(1, 3), 7)), "M37.leads-already");
    // Another takes its place; who gives up stays in the direction; who leaves leads no longer.
    let motion = writer.propose(named(1, 11), 7).unwrap();
    writer.pass(motion);
    assert_eq!(lead(&writer, 1), Some(11));
    assert_eq!(code(writer.member(3, give_up(1))), "M37.not-the-lead");
    writer.member(11, give_up(1)).unwrap();
    assert_eq!(lead(&writer, 1), None);
    assert!(directions::works_in(
        writer.tables(),
        OrganisationId(11),
        DirectionId(1)
    ));
    let motion = writer.propose(named(1, 3), 7).unwrap();
    writer.pass(motion);
    writer.member(3, leave(1)).unwrap();
    assert_eq!(lead(&writer, 1), None);
    let works: Vec<u32> = directions::members(writer.tables(), DirectionId(1))
        .map(|member| member.0)
        .collect();
    assert_eq!(works, [11]);
}

#[test]
fn a_member_works_in_sixteen_directions_at_most() {
    let sample = sample(b"many directions", MEMBERS, 4);
    let mut items = sample.genesis().unwrap().items;
    let at = items
        .iter()
        .rposition(|item| matches!(item, GenesisItem::Direction(_)))
        .unwrap();
    items.splice(
        at + 1..at + 1,
        (5..=17).map(|number| {
            GenesisItem::Direction(Direction {
                number: DirectionId(number),
                code: text(&format!("direction-{number}")),
                name: Name {
                    native: text("方向"),
                    latin: text("Direction"),
                },
            })
        }),
    );
    let genesis = Genesis::assemble("rollbook.example/directions", items, None).unwrap();
    let mut writer = Writer::founded(Alliance::adopt(b"many directions", genesis));
    for direction in 1..=16 {
        writer.member(3, join(direction)).unwrap();
    }
    assert_eq!(code(writer.member(3, join(17))), "M37.too-many");
    writer.member(3, leave(5)).unwrap();
    writer.member(3, join(17)).unwrap();
}

fn statement(motion: Option<u32>) -> Body {
    Body::Organisation(OrganisationAct::FileStatement(StatementEntry {
        title: text("On the interoperability standard"),
        document: sha256(b"statement"),
        motion: motion.map(MotionId),
    }))
}

fn admitted(organisation: u32, reading: ObserverReading) -> MotionEffect {
    MotionEffect::AdmitObserver(AdmitObserver {
        organisation: OrganisationId(organisation),
        reading,
    })
}

fn reach(writer: &Writer, person: u32) -> Result<Reach, Denied> {
    let chain = writer.alliance.chain();
    let node = OrganisationId(1);
    let pass = Pass {
        chain,
        node,
        person: PersonId(person),
        key: 0,
        until_ms: LedgerTime(1_000),
    };
    let signed = pass.sign(&officer_key(&writer.alliance.signer.seed, person));
    let now = LedgerTime(writer.now());
    admit(writer.tables(), (chain, node), &signed, now, LedgerTime(1))
}

#[test]
fn observers_state_and_read_as_the_board_says() {
    let mut writer = writer("observers");
    let person = 2 * MEMBERS + 1;
    // One of the genesis reads as the public does, and speaks.
    assert_eq!(reach(&writer, person), Err(Denied::NoMember));
    assert_eq!(reach(&writer, officers_of(4).0), Ok(Reach::Members));
    observe(&mut writer, statement(None)).unwrap();
    assert_eq!(
        code(observe(&mut writer, statement(Some(77)))),
        "A4.unknown-motion"
    );
    assert_eq!(
        code(writer.member(4, statement(None))),
        "M38.not-an-observer"
    );

    let members = ObserverReading::Members;
    assert_eq!(
        code(writer.propose(admitted(4, members), 7)),
        "M38.does-not-observe"
    );
    assert_eq!(
        code(writer.propose(admitted(OBSERVER, ObserverReading::Public), 7)),
        "M38.reads-so-already"
    );
    let motion = writer.propose(admitted(OBSERVER, members), 7).unwrap();
    writer.pass(motion);
    assert_eq!(reach(&writer, person), Ok(Reach::Observer));
    observe(&mut writer, statement(Some(motion))).unwrap();
    let stated = writer.tables().statements.get(&StatementId(2)).unwrap();
    assert_eq!(stated.organisation, OrganisationId(OBSERVER));
    assert_eq!(stated.entry.motion, Some(MotionId(motion)));

    let end = |organisation| {
        MotionEffect::EndObserver(EndObserver {
            organisation: OrganisationId(organisation),
        })
    };
    assert_eq!(code(writer.propose(end(4), 7)), "M38.not-an-observer");
    let motion = writer.propose(end(OBSERVER), 7).unwrap();
    writer.pass(motion);
    assert_eq!(reach(&writer, person), Err(Denied::NoMember));
    assert_eq!(
        code(observe(&mut writer, statement(None))),
        "M38.not-an-observer"
    );
    // The board takes it back.
    let motion = writer.propose(admitted(OBSERVER, members), 7).unwrap();
    writer.pass(motion);
    let observer = writer
        .tables()
        .observers
        .get(&OrganisationId(OBSERVER))
        .unwrap();
    assert_eq!(observer.status, ObserverStatus::Admitted);
    assert_eq!(observer.motion, Some(MotionId(motion)));
}

/// A body that observes had to be in the genesis.
#[test]
fn a_body_that_observes_registers_and_is_admitted() {
    let mut writer = writer("another observer");
    let Body::Organisation(OrganisationAct::Register(mut plan)) =
        writer.registration("Regulator", &[])
    else {
        panic!("a registration");
    };
    plan.entry.kind = OrganisationKind::Office;
    let office = writer.sign_registration(&plan.entry);
    assert_eq!(code(writer.member(1, office)), "R16.companies-only");
    plan.entry.kind = OrganisationKind::Observer;
    let observer = writer.sign_registration(&plan.entry);
    writer.member(1, observer).unwrap();
    let number = writer.tables().organisations.last_key().unwrap().0;
    assert_eq!(
        code(writer.member(number, statement(None))),
        "M38.not-an-observer"
    );
    let motion = writer
        .propose(admitted(number, ObserverReading::Public), 7)
        .unwrap();
    writer.pass(motion);
    writer.member(number, statement(None)).unwrap();
}

fn year(year: u32, holidays: &[&str], working_weekends: &[&str]) -> Body {
    let days = |texts: &[&str]| texts.iter().map(|text| day(text)).collect();
    Body::Charter(CharterAct::SetCalendar(CalendarYear {
        year,
        holidays: days(holidays),
        working_weekends: days(working_weekends),
    }))
}

fn agree(number: u32) -> Body {
    let calendar = CalendarId(number);
    Body::Charter(CharterAct::ConfirmCalendar { calendar })
}

fn filing(writer: &Writer, number: u32) -> CalendarStatus {
    let filing = writer.tables().calendars.get(&CalendarId(number));
    filing.unwrap().status
}

/// The ledger knew Monday to Friday alone: ballots ended in the middle of the national holiday.
#[test]
fn deadlines_count_the_working_days_that_two_agreed_to() {
    const HOLIDAYS: [&str; 5] = [
        "2023-10-02",
        "2023-10-03",
        "2023-10-04",
        "2023-10-05",
        "2023-10-06",
    ];
    let mut writer = writer("working days");
    let offset = writer.ledger.charter().unwrap().offset_minutes;
    let plan = || year(2023, &HOLIDAYS, &["2023-10-07"]);
    assert_eq!(code(writer.member(1, plan())), "R7.no-office");
    assert_eq!(
        code(writer.office(Role::Secretary, year(2025, &[], &[]))),
        "M39.other-year"
    );
    writer.office(Role::Secretary, plan()).unwrap();
    // One alone sets nothing.
    let holiday = day("2023-10-02");
    assert!(calendar::now(writer.tables()).is_working_day(holiday));
    assert_eq!(code(writer.member(11, agree(1))), "R7.no-seat");
    assert_eq!(code(writer.member(1, agree(7))), "A4.unknown-calendar");
    writer.member(1, agree(1)).unwrap();
    assert_eq!(code(writer.member(2, agree(1))), "M39.not-waiting");
    assert!(!calendar::now(writer.tables()).is_working_day(holiday));
    assert!(calendar::now(writer.tables()).is_working_day(day("2023-10-07")));

    // A ballot of seven days from Monday 25 September ends on the Saturday that is worked.
    let to = end_of_local_day(day("2023-09-24"), offset).0 + 3_600_000;
    writer.advance(to);
    let reading = admitted(OBSERVER, ObserverReading::Members);
    let motion = writer.propose(reading, 7).unwrap();
    let closes = writer.due(DeadlineKind::MotionClose, motion).unwrap();
    assert_eq!(closes, end_of_local_day(day("2023-10-07"), offset).0);

    // Another filing changes what is to come, not what is over and not what runs.
    let to = end_of_local_day(day("2023-10-03"), offset).0 + 3_600_000;
    writer.advance(to);
    writer
        .office(Role::Secretary, year(2023, &["2023-12-25"], &[]))
        .unwrap();
    writer
        .office(Role::Secretary, year(2023, &["2023-12-26"], &[]))
        .unwrap();
    assert_eq!(filing(&writer, 2), CalendarStatus::Replaced);
    assert_eq!(code(writer.member(2, agree(2))), "M39.not-waiting");
    writer.member(2, agree(3)).unwrap();
    assert_eq!(filing(&writer, 1), CalendarStatus::Replaced);
    assert_eq!(filing(&writer, 3), CalendarStatus::InForce);
    let now = calendar::now(writer.tables());
    assert!(!now.is_working_day(holiday), "it is over");
    assert!(now.is_working_day(day("2023-10-05")), "it was to come");
    assert!(now.is_working_day(day("2023-12-25")) && !now.is_working_day(day("2023-12-26")));
    assert_eq!(writer.due(DeadlineKind::MotionClose, motion), Some(closes));
    // The next year's stand beside this year's.
    writer
        .office(Role::Secretary, year(2024, &["2024-01-01"], &[]))
        .unwrap();
    writer.member(2, agree(4)).unwrap();
    let now = calendar::now(writer.tables());
    assert!(!now.is_working_day(day("2023-12-26")) && !now.is_working_day(day("2024-01-01")));
}

/// The secretary who is a seat holder's primary, too, agreed with nobody but themselves.
#[test]
fn another_person_agrees() {
    let mut writer = writer("one person");
    let primary = officers_of(2).0;
    let motion = writer
        .propose(
            MotionEffect::Appoint(Appointment {
                office: office(),
                role: Role::Secretary,
                scope: Scope::Alliance,
                holder: PersonId(primary),
                deputy: None,
                succeeds: None,
            }),
            7,
        )
        .unwrap();
    writer.pass(motion);
    let post = *writer.tables().posts.last_key().unwrap();
    let accept = Body::Motion(MotionAct::AcceptPost { post });
    writer
        .act_as(2, &[(primary, Role::Primary)], accept)
        .unwrap();
    let secretary = [(primary, Role::Secretary)];
    writer
        .act_as(office().0, &secretary, year(2023, &[], &[]))
        .unwrap();
    assert_eq!(code(writer.member(2, agree(1))), "M39.same-person");
    writer.member(3, agree(1)).unwrap();

    writer.act_as(office().0, &secretary, order()).unwrap();
    let fix = correct(Corrected::Order(OrderId(1)), ClericalField::Reference, "12");
    writer.act_as(office().0, &secretary, fix).unwrap();
    assert_eq!(code(writer.member(2, confirm(1))), "M41.same-person");
    writer.member(3, confirm(1)).unwrap();
}

fn order() -> Body {
    Body::Charter(CharterAct::FileOrder(OfficialOrder {
        authority: text("A distrct court"),
        reference: text("12"),
        document: sha256(b"order"),
        issued_ms: LedgerTime(1_687_900_000_000),
        about: None,
    }))
}

fn correct(subject: Corrected, field: ClericalField, reads: &str) -> Body {
    Body::Charter(CharterAct::Correct(CorrectionEntry {
        subject,
        field,
        reads: text(reads),
        should_read: text("A district court"),
        evidence: sha256(b"evidence"),
    }))
}

fn confirm(number: u32) -> Body {
    let correction = CorrectionId(number);
    Body::Charter(CharterAct::ConfirmCorrection { correction })
}

fn decline(number: u32) -> Body {
    Body::Charter(CharterAct::DeclineCorrection {
        correction: CorrectionId(number),
        reasons: sha256(b"reasons"),
    })
}

/// A typing error stood for ever, and nobody could say so on the ledger.
#[test]
fn a_clerical_field_is_corrected_by_two_and_stays_as_it_was_signed() {
    let mut writer = writer("corrections");
    writer.office(Role::Secretary, order()).unwrap();
    let subject = Corrected::Order(OrderId(1));
    let (authority, wrong) = (ClericalField::Authority, "A distrct court");
    let fix = || correct(subject, authority, wrong);
    assert_eq!(code(writer.member(1, fix())), "R7.no-office");
    assert_eq!(
        code(writer.office(
            Role::Secretary,
            correct(subject, ClericalField::Title, wrong)
        )),
        "M41.no-clerical-field"
    );
    assert_eq!(
        code(writer.office(Role::Secretary, correct(subject, authority, "A court"))),
        "M41.reads-otherwise"
    );
    let unknown = correct(Corrected::Order(OrderId(9)), authority, wrong);
    assert_eq!(
        code(writer.office(Role::Secretary, unknown)),
        "A4.unknown-order"
    );
    writer.office(Role::Secretary, fix()).unwrap();
    assert_eq!(
        code(writer.office(Role::Secretary, fix())),
        "M41.correction-open"
    );
    assert_eq!(code(writer.member(11, confirm(1))), "R7.no-seat");
    assert_eq!(code(writer.member(1, confirm(9))), "A4.unknown-correction");
    writer.member(1, confirm(1)).unwrap();
    assert_eq!(code(writer.member(2, decline(1))), "M41.not-waiting");
    let filed = writer.tables().orders.get(&OrderId(1)).unwrap();
    assert_eq!(filed.order.authority.as_str(), wrong, "nothing is edited");
    let stands = writer.tables().corrections.get(&CorrectionId(1)).unwrap();
    assert_eq!(stands.status, CorrectionStatus::Confirmed);
    assert_eq!(stands.judged_by.unwrap().1, OrganisationId(1));
    // The day of issue reads as a day.
    let issued = |reads| {
        Body::Charter(CharterAct::Correct(CorrectionEntry {
            subject,
            field: ClericalField::Issued,
            reads: text(reads),
            should_read: text("2023-06-27"),
            evidence: sha256(b"evidence"),
        }))
    };
    writer
        .office(Role::Secretary, issued("2023-06-28"))
        .unwrap();
    writer.member(2, decline(2)).unwrap();
    let stands = writer.tables().corrections.get(&CorrectionId(2)).unwrap();
    assert_eq!(stands.status, CorrectionStatus::Declined);
    assert_eq!(stands.reasons, Some(sha256(b"reasons")));

    // An observer's statement is the observer's to correct, and the secretary's to confirm.
    observe(&mut writer, statement(None)).unwrap();
    let title = correct(
        Corrected::Statement(StatementId(1)),
        ClericalField::Title,
        "On the interoperability standard",
    );
    assert_eq!(code(writer.member(1, title.clone())), "M41.not-yours");
    observe(&mut writer, title).unwrap();
    writer.office(Role::Secretary, confirm(3)).unwrap();
    let nowhere = correct(
        Corrected::Statement(StatementId(9)),
        ClericalField::Title,
        "x",
    );
    assert_eq!(code(observe(&mut writer, nowhere)), "A4.unknown-statement");
    let fund = correct(Corrected::Fund(FundId(9)), ClericalField::Name, "x");
    assert_eq!(
        code(writer.office(Role::Secretary, fund)),
        "A4.unknown-fund"
    );
    let entry = CorrectionEntry {
        subject: Corrected::Entry(sha256(b"none")),
        field: ClericalField::ValueDay,
        reads: text("x"),
        should_read: text("2023-06-27"),
        evidence: sha256(b"evidence"),
    };
    let soon = CorrectionEntry {
        should_read: text("soon"),
        ..entry.clone()
    };
    assert!(soon.check().is_err() && entry.check().is_ok());
    let entry = Body::Charter(CharterAct::Correct(entry));
    assert_eq!(
        code(writer.office(Role::Treasurer, entry)),
        "F03.unknown-receipt"
    );
}

fn election(succeeds: Option<PostId>) -> MotionEffect {
    MotionEffect::ElectChair(ElectChair {
        office: office(),
        succeeds,
    })
}

fn name(writer: &mut Writer, member: u32, motion: u32, of: u32) -> Result<Outcome, Refusal> {
    let motion = MotionId(motion);
    let round = writer.tables().motions.get(&motion).unwrap().round;
    writer.member(
        member,
        Body::Motion(MotionAct::Vote(Ballot {
            motion,
            round,
            replaces: Vec::new(),
            vote: BallotVote::Names(vec![OrganisationId(of)]),
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        })),
    )
}

/// The assembly elects this member to the chair; the post that is offered.
fn elect(writer: &mut Writer, succeeds: Option<PostId>, member: u32) -> PostId {
    let motion = writer.before_the_assembly(election(succeeds), 10).unwrap();
    for voter in 1..=MEMBERS {
        name(writer, voter, motion, member).unwrap();
    }
    writer.close(motion);
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    let ended = writer.tables().motions.get(&MotionId(motion)).unwrap();
    assert_eq!(ended.status, MotionStatus::CarriedOut);
    *writer.tables().posts.last_key().unwrap()
}

#[test]
fn the_assembly_elects_the_chair_who_may_do_what_one_seat_holder_may() {
    let mut writer = writer("chair");
    let outsider = writer.register(1, "Outsider", &[]);
    let motion = writer.before_the_assembly(election(None), 10).unwrap();
    assert_eq!(
        code(name(&mut writer, 1, motion, outsider)),
        "R48.may-not-stand"
    );
    let withdraw = MotionAct::Withdraw {
        motion: MotionId(motion),
    };
    writer.member(1, Body::Motion(withdraw)).unwrap();

    let post = elect(&mut writer, None, 11);
    let chair = officers_of(11).0;
    let offered = writer.tables().posts.get(&post).unwrap();
    assert_eq!(
        (offered.role, offered.holder),
        (Role::Chair, PersonId(chair))
    );
    assert_eq!(offered.status, PostStatus::Offered);
    assert_eq!(
        code(writer.propose_as(1, election(Some(post)), 10)),
        "R28.not-a-successor"
    );
    let accept = Body::Motion(MotionAct::AcceptPost { post });
    writer
        .act_as(11, &[(chair, Role::Primary)], accept)
        .unwrap();
    assert_eq!(
        code(writer.propose_as(1, self::election(None), 10)),
        "R48.one-chair"
    );

    // The chair proposes what the board decides, and agrees as one seat holder does; member 11 has no
    // seat. The chair has no vote.
    writer
        .office(Role::Secretary, year(2023, &[], &[]))
        .unwrap();
    by_chair(&mut writer, chair, agree(1)).unwrap();
    let proposal = |effect, ballot_days| {
        Body::Motion(MotionAct::Propose(Proposal {
            effect,
            ballot_days,
            text: sha256(b"text"),
        }))
    };
    let reading = admitted(OBSERVER, ObserverReading::Members);
    by_chair(&mut writer, chair, proposal(reading, 7)).unwrap();
    let motion = writer.newest_motion();
    // What one post of the office proposed no other takes back.
    let withdraw = |motion| {
        Body::Motion(MotionAct::Withdraw {
            motion: MotionId(motion),
        })
    };
    assert!(writer.office(Role::Secretary, withdraw(motion)).is_err());
    writer
        .office(
            Role::Secretary,
            proposal(admitted(OBSERVER, ObserverReading::Members), 7),
        )
        .unwrap();
    let of_secretary = writer.newest_motion();
    assert!(by_chair(&mut writer, chair, withdraw(of_secretary)).is_err());
    writer
        .office(Role::Secretary, withdraw(of_secretary))
        .unwrap();
    let ballot = Body::Motion(MotionAct::Vote(Ballot {
        motion: MotionId(motion),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(rollbook_core::record::Choice::Yes),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    }));
    assert!(by_chair(&mut writer, chair, ballot).is_err());
    let election = proposal(election(Some(post)), 10);
    assert_eq!(
        code(by_chair(&mut writer, chair, election)),
        "R10.may-not-propose"
    );
    let secretary = writer
        .tables()
        .posts
        .iter()
        .find(|(_, post)| post.role == Role::Secretary)
        .map(|(number, _)| *number)
        .unwrap();
    let absence = |post| Body::Organisation(OrganisationAct::RecordAbsence { post });
    by_chair(&mut writer, chair, absence(secretary)).unwrap();
    let back = Body::Organisation(OrganisationAct::EndAbsence { post: secretary });
    by_chair(&mut writer, chair, back).unwrap();

    // Nobody but the assembly takes the post away: a successor displaces the chair.
    let removal = MotionEffect::Remove(RemoveHolder { post });
    assert_eq!(code(writer.propose(removal, 7)), "R48.chair-is-elected");
    let next = elect(&mut writer, Some(post), 5);
    let accept = Body::Motion(MotionAct::AcceptPost { post: next });
    writer
        .act_as(5, &[(officers_of(5).0, Role::Primary)], accept)
        .unwrap();
    let before = writer.tables().posts.get(&post).unwrap();
    assert_eq!(before.status, PostStatus::Ended);
    let due = writer.due(DeadlineKind::PostTerm, next.0).unwrap();
    writer.advance(due + 1);
    let over = writer.tables().posts.get(&next).unwrap();
    assert_eq!(
        over.status,
        PostStatus::HeldOver,
        "until a successor has accepted"
    );
    // Then any member proposes the election, without support.
    let motion = writer
        .propose_as(12, self::election(Some(next)), 10)
        .unwrap();
    let opened = writer.tables().motions.get(&MotionId(motion)).unwrap();
    assert_eq!(opened.status, MotionStatus::Open);
}

#[test]
fn a_member_without_a_primary_cannot_give_the_chair() {
    let mut writer = writer("no primary");
    let motion = writer.before_the_assembly(election(None), 10).unwrap();
    // Its only primary's key was stolen, and is stopped.
    let organisation = |act| Body::Organisation(act);
    let ask = organisation(OrganisationAct::AskRevocation {
        person: PersonId(officers_of(11).0),
        key: 0,
        evidence: sha256(b"police report"),
    });
    writer.member(1, ask).unwrap();
    let revocation = RevocationId(1);
    let agree = organisation(OrganisationAct::AgreeRevocation { revocation });
    writer.office(Role::Secretary, agree).unwrap();
    assert_eq!(code(name(&mut writer, 1, motion, 11)), "R48.no-primary");
}

fn order_of(reference: &str) -> Body {
    Body::Charter(CharterAct::FileOrder(OfficialOrder {
        authority: text("A district court"),
        reference: text(reference),
        document: sha256(reference.as_bytes()),
        issued_ms: LedgerTime(1_687_900_000_000),
        about: None,
    }))
}

/// An order filed under a wrong reference kept the right holder of that reference out for ever, and
/// could be filed a second time under its own.
#[test]
fn an_order_is_known_by_what_was_corrected() {
    let mut writer = writer("known by");
    writer.office(Role::Secretary, order_of("A-12")).unwrap();
    let fix = |reads: &str, right: &str, order| {
        Body::Charter(CharterAct::Correct(CorrectionEntry {
            subject: Corrected::Order(OrderId(order)),
            field: ClericalField::Reference,
            reads: text(reads),
            should_read: text(right),
            evidence: sha256(b"evidence"),
        }))
    };
    writer
        .office(Role::Secretary, fix("A-12", "A-21", 1))
        .unwrap();
    writer.member(1, confirm(1)).unwrap();
    assert_eq!(
        code(writer.office(Role::Secretary, order_of("A-21"))),
        "R24.filed-already"
    );
    writer.office(Role::Secretary, order_of("A-12")).unwrap();
    assert_eq!(
        code(writer.office(Role::Secretary, fix("A-12", "A-21", 2))),
        "R24.filed-already"
    );
}

/// A lead came back to life with a new membership of the same company.
#[test]
fn with_a_membership_its_leads_end_for_good() {
    use rollbook_core::record::{Cessation, MembershipAct};
    let mut writer = writer("lead ends");
    writer.member(3, join(1)).unwrap();
    let motion = writer.propose(named(1, 3), 7).unwrap();
    writer.pass(motion);
    let of = rollbook_core::lookup::rights::of(writer.tables(), OrganisationId(3));
    let cease = MembershipAct::Cease {
        membership: of.unwrap().number,
        cause: Cessation::Dissolved,
        evidence: sha256(b"extract"),
    };
    writer
        .office(Role::Secretary, Body::Membership(cease))
        .unwrap();
    assert!(writer.tables().leads.get(&DirectionId(1)).is_none());
}

/// Re-elected and accepted in the first week, a chair could be followed by nobody for two years; an offer
/// to the wrong person kept every election out.
#[test]
fn another_election_displaces_an_offer_and_a_coming_term() {
    let mut writer = writer("elected anew");
    let accept = |writer: &mut Writer, member: u32, post| {
        let accept = Body::Motion(MotionAct::AcceptPost { post });
        let primary = (officers_of(member).0, Role::Primary);
        writer.act_as(member, &[primary], accept).unwrap();
    };
    let status = |writer: &Writer, post| writer.tables().posts.get(&post).unwrap().status;
    let wrong = elect(&mut writer, None, 10);
    let first = elect(&mut writer, None, 11);
    assert_eq!(status(&writer, wrong), PostStatus::Lapsed);
    accept(&mut writer, 11, first);
    let again = elect(&mut writer, Some(first), 11);
    accept(&mut writer, 11, again);
    assert_eq!(status(&writer, again), PostStatus::Accepted);
    let other = elect(&mut writer, Some(first), 5);
    accept(&mut writer, 5, other);
    assert_eq!(status(&writer, first), PostStatus::Ended);
    assert_eq!(status(&writer, again), PostStatus::Ended);
    assert_eq!(status(&writer, other), PostStatus::Held);
}
