//! Leaving: notice, revocation, end (M18 to M20), a company that is merged into another (M21), what goes
//! with a membership, and coming back (M01).

use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::Class;
use rollbook_core::charter::motions::MotionKind;
use rollbook_core::event::EventBody;
use rollbook_core::id::{DelegationId, DirectionId, MembershipId, MotionId, SeatId};
use rollbook_core::identity::{ActClass, Role};
use rollbook_core::lookup::{groups, rights, seats};
use rollbook_core::object::delegation::DelegationStatus;
use rollbook_core::object::membership::{ExitState, Membership, Standing, State};
use rollbook_core::object::node::NodeStatus;
use rollbook_core::object::seat::SeatStatus;
use rollbook_core::record::{
    Application, Body, Cessation, ChangeClass, Choice, DelegatedObject, DelegationGrant,
    MembershipAct, MotionAct, MotionEffect, NameLead, OrganisationAct,
};
use rollbook_core::refusal::{NotCounted, Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

const MEMBERS: u32 = 12;

/// Twelve founders, of which nine have seats; who left waits 60 days; ballots by proxy.
fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.charter.membership.readmission_wait_days = 60;
    sample.charter.motions.proxies_per_holder = 2;
    Writer::founded(Alliance::of(&sample))
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn of(writer: &Writer, member: u32) -> Membership {
    let found = rights::of(writer.tables(), OrganisationId(member));
    found.unwrap().clone()
}

fn today(writer: &Writer) -> LocalDay {
    LocalDay::of(LedgerTime(writer.now()), 480)
}

fn withdraw(writer: &mut Writer, member: u32, days: u32) -> Result<Outcome, Refusal> {
    let act = MembershipAct::GiveNotice {
        membership: of(writer, member).number,
        last_day: today(writer).plus(days),
        letter: sha256(b"letter"),
    };
    writer.member(member, Body::Membership(act))
}

fn stay(writer: &mut Writer, member: u32) -> Result<Outcome, Refusal> {
    let membership = of(writer, member).number;
    writer.member(
        member,
        Body::Membership(MembershipAct::RevokeNotice { membership }),
    )
}

fn cease(writer: &mut Writer, member: u32, cause: Cessation) -> Result<Outcome, Refusal> {
    let act = MembershipAct::Cease {
        membership: of(writer, member).number,
        cause,
        evidence: sha256(b"extract"),
    };
    writer.office(Role::Secretary, Body::Membership(act))
}

fn succeed(writer: &mut Writer, successor: u32, member: u32) -> Result<Outcome, Refusal> {
    let act = MembershipAct::Succeed {
        membership: of(writer, member).number,
        obligations: sha256(b"deed"),
    };
    writer.member(successor, Body::Membership(act))
}

#[test]
fn a_member_leaves_with_its_last_day_and_may_stay_until_then() {
    let mut writer = writer("notice");
    assert_eq!(code(stay(&mut writer, 12)), "M19.wrong-state");
    withdraw(&mut writer, 12, 30).unwrap();
    let leaving = of(&writer, 12);
    assert_eq!(leaving.exit.state(), ExitState::WithdrawalPending);
    assert_eq!(leaving.standing.state(), State::Active);
    assert_eq!(code(withdraw(&mut writer, 12, 40)), "M18.wrong-state");
    // It thinks better of it, and gives notice anew.
    stay(&mut writer, 12).unwrap();
    assert_eq!(of(&writer, 12).exit.state(), ExitState::None);
    assert_eq!(
        writer.due(DeadlineKind::MembershipEnd, leaving.number.0),
        None
    );
    withdraw(&mut writer, 12, 31).unwrap();
    let ends = writer
        .due(DeadlineKind::MembershipEnd, leaving.number.0)
        .unwrap();
    // At the end of its last day, in the charter's time zone.
    assert_eq!((ends + 1 + 8 * 3_600_000) % MS_PER_DAY, 0);
    writer.advance(ends);
    assert!(rights::is_live(writer.tables(), OrganisationId(12)));
    let events = writer.advance(ends + 1);
    assert_eq!(of(&writer, 12).standing.state(), State::Withdrawn);
    assert!(events.iter().any(|event| matches!(
        &event.body,
        EventBody::MembershipMoved { transition, standing: Standing::Withdrawn(notice), .. }
            if transition.as_str() == "M20" && notice.letter == sha256(b"letter")
    )));
    assert_eq!(code(stay(&mut writer, 12)), "M18.not-a-member");
    assert_eq!(code(withdraw(&mut writer, 12, 40)), "M18.not-a-member");
}

#[test]
fn a_notice_has_its_days_and_its_member() {
    let mut writer = writer("days");
    let give = |writer: &mut Writer, last_day, by| {
        let act = MembershipAct::GiveNotice {
            membership: of(writer, 12).number,
            last_day,
            letter: Hash::ZERO,
        };
        writer.member(by, Body::Membership(act))
    };
    let yesterday = LocalDay(today(&writer).0 - 1);
    assert_eq!(code(give(&mut writer, yesterday, 12)), "M18.too-early");
    let day = today(&writer).plus(29);
    assert_eq!(code(give(&mut writer, day, 12)), "M18.too-early");
    let day = today(&writer).plus(367);
    assert_eq!(code(give(&mut writer, day, 12)), "M18.too-late");
    let far = LocalDay::LAST;
    assert_eq!(code(give(&mut writer, far, 12)), "M18.too-late");
    let day = today(&writer).plus(30);
    assert_eq!(code(give(&mut writer, day, 11)), "M18.other-member");
    give(&mut writer, day, 12).unwrap();
    assert_eq!(
        code({
            let act = MembershipAct::RevokeNotice {
                membership: of(&writer, 12).number,
            };
            writer.member(11, Body::Membership(act))
        }),
        "M18.other-member"
    );
}

/// Domain 1.4: who is about to leave votes, but not on what binds those who stay; it stands for nothing
/// and vouches for nobody.
#[test]
fn who_leaves_has_the_rights_of_who_leaves() {
    let mut writer = writer("rights");
    withdraw(&mut writer, 3, 40).unwrap();
    let leaving = OrganisationId(3);
    let found = rights::rights(writer.tables(), leaving);
    assert!(found.member && found.votes && found.assembly_vote && found.board_vote);
    assert!(!found.may_sponsor && !found.may_apply_for_funds);
    let votes = |kind| rights::standing_votes_on(writer.tables(), leaving, kind);
    let not: Vec<MotionKind> = MotionKind::ALL
        .into_iter()
        .filter(|kind| !votes(*kind))
        .collect();
    assert_eq!(
        not,
        [
            MotionKind::Budget,
            MotionKind::CreateFund,
            MotionKind::AmendCharter,
            MotionKind::DissolveAlliance
        ]
    );
    // Its seat and its vote there are its own until the end.
    assert!(seats::holds(writer.tables(), leaving));
    let join = OrganisationAct::JoinDirection {
        direction: DirectionId(1),
    };
    writer.member(4, Body::Organisation(join)).unwrap();
    let lead = MotionEffect::NameLead(NameLead {
        direction: DirectionId(1),
        organisation: OrganisationId(4),
    });
    let motion = writer.propose(lead, 7).unwrap();
    writer.vote(3, motion, Choice::Yes).unwrap();
    let applicant = writer.register(1, "Applicant", &[]);
    let apply = apply(&writer, &[]);
    writer.member(applicant, apply).unwrap();
    let membership = of(&writer, applicant).number;
    for act in [
        MembershipAct::Screen { membership },
        MembershipAct::Complete { membership },
    ] {
        writer
            .office(Role::Secretary, Body::Membership(act))
            .unwrap();
    }
    let sponsor = Body::Membership(MembershipAct::Sponsor { membership });
    assert_eq!(
        code(writer.member(3, sponsor)),
        "M07.sponsor-not-in-good-standing"
    );
}

fn apply(writer: &Writer, relations: &[rollbook_core::identity::GroupDeclaration]) -> Body {
    let facts = writer.tables().chain.get(&0).unwrap().charter;
    let charter = writer.tables().parameters.get(&facts).unwrap();
    Body::Membership(MembershipAct::Apply(Application {
        class: Class::Ordinary,
        charter: charter.text,
        antitrust: sha256(b"antitrust"),
        conflicts: sha256(b"conflicts"),
        relations: relations.to_vec(),
    }))
}

/// Everything that hangs on a membership goes with it, by the clock, each with its leaf; what it voted
/// stands.
#[test]
fn with_a_member_that_leaves_goes_what_hangs_on_its_membership() {
    let mut writer = writer("all of it");
    let (primary, second) = (officers_of(2).0, officers_of(2).1);
    withdraw(&mut writer, 2, 30).unwrap();
    let ends = writer
        .due(DeadlineKind::MembershipEnd, of(&writer, 2).number.0)
        .unwrap();
    // Right before the last day is over: a delegation, support, a proxy each way.
    writer.advance(ends - 3 * MS_PER_DAY);
    let grant = DelegationGrant {
        giver: rollbook_core::id::PersonId(primary),
        role: Role::Primary,
        to: rollbook_core::id::PersonId(second),
        classes: vec![ActClass::General],
        object: DelegatedObject::Everything,
        until_ms: LedgerTime(ends + 10 * MS_PER_DAY),
    };
    let grant = Body::Organisation(OrganisationAct::Delegate(grant));
    writer.member(2, grant).unwrap();
    let join = OrganisationAct::JoinDirection {
        direction: DirectionId(1),
    };
    writer.member(2, Body::Organisation(join)).unwrap();
    let seat = seats::in_force(writer.tables())
        .find(|seat| seat.organisation == OrganisationId(2))
        .unwrap()
        .number;
    let events = writer.advance(ends + 1);
    assert_eq!(of(&writer, 2).standing.state(), State::Withdrawn);
    let seat_moved = |event: &EventBody| matches!(event, EventBody::SeatMoved { seat: moved, status: SeatStatus::Ended, .. } if *moved == seat);
    assert!(events.iter().any(|event| seat_moved(&event.body)));
    let delegated = |event: &EventBody| matches!(event, EventBody::DelegationEnded { .. });
    assert!(events.iter().any(|event| delegated(&event.body)));
    let delegation = writer.tables().delegations.get(&DelegationId(1)).unwrap();
    assert_eq!(delegation.status, DelegationStatus::Ended);
    assert_eq!(
        writer
            .tables()
            .nodes
            .get(&OrganisationId(2))
            .unwrap()
            .status,
        NodeStatus::Leaving
    );
    assert_eq!(
        writer.tables().seats.get(&SeatId(seat.0)).unwrap().status,
        SeatStatus::Ended
    );
    // Its officers' keys stay: it applies again with them.
    let early = apply(&writer, &[]);
    assert_eq!(code(writer.member(2, early)), "M01.readmission-wait");
}

/// Support and unused proxies were kept by who was no member any more, and came back to life with a new
/// membership.
#[test]
fn support_and_unused_proxies_end_and_ballots_stand() {
    let mut writer = writer("support");
    let chair = rollbook_core::record::ElectChair {
        office: OrganisationId(rollbook_sandbox::alliance::secretariat(MEMBERS)),
        succeeds: None,
    };
    let motion = writer
        .propose_as(1, MotionEffect::ElectChair(chair), 14)
        .unwrap();
    writer.support(10, motion).unwrap();
    let supports = |writer: &Writer| {
        let key = (MotionId(motion), OrganisationId(10));
        writer.tables().supports.contains(&key)
    };
    assert!(supports(&writer));
    cease(&mut writer, 10, Cessation::Dissolved).unwrap();
    assert!(!supports(&writer));
    // With its ballots open: one proxy is used, the other is not.
    writer.support(3, motion).unwrap();
    writer.support(4, motion).unwrap();
    let give = |writer: &mut Writer, giver: u32, holder: u32| {
        let act = MotionAct::GiveProxy {
            motion: MotionId(motion),
            holder: OrganisationId(holder),
        };
        writer.member(giver, Body::Motion(act)).unwrap();
    };
    give(&mut writer, 5, 11);
    give(&mut writer, 11, 6);
    cease(&mut writer, 11, Cessation::Insolvent).unwrap();
    let of = (MotionId(motion), OrganisationId(0))..=(MotionId(motion), OrganisationId(u32::MAX));
    assert_eq!(writer.tables().proxies.range(of).count(), 0);
}

#[test]
fn a_company_is_merged_into_a_successor_that_has_signed() {
    let mut writer = writer("merger");
    let into = |successor| Cessation::MergedInto {
        successor: OrganisationId(successor),
    };
    assert_eq!(code(succeed(&mut writer, 5, 5)), "M21.own-successor");
    assert_eq!(
        code(cease(&mut writer, 5, into(6))),
        "M21.successor-not-signed"
    );
    succeed(&mut writer, 6, 5).unwrap();
    // Only into the one that has signed.
    assert_eq!(
        code(cease(&mut writer, 5, into(7))),
        "M21.successor-not-signed"
    );
    let office = rollbook_sandbox::alliance::secretariat(MEMBERS);
    let act = MembershipAct::Succeed {
        membership: of(&writer, 5).number,
        obligations: sha256(b"deed"),
    };
    let secretary = writer.holder(Role::Secretary, 0);
    let by_office = writer.act_as(
        office,
        &[(secretary, Role::Secretary)],
        Body::Membership(act),
    );
    assert_eq!(code(by_office), "M21.not-a-company");
    cease(&mut writer, 5, into(6)).unwrap();
    assert_eq!(of(&writer, 5).standing.state(), State::Ceased);
    // The successor has the voice of both groups.
    let group = groups::members(writer.tables(), OrganisationId(6));
    assert!(group.contains(&OrganisationId(5)));
    assert_eq!(code(succeed(&mut writer, 7, 5)), "M21.wrong-state");
}

/// Coming back is a new membership, after the days of the charter; the old one stays as it ended.
#[test]
fn who_left_comes_back_with_a_new_membership() {
    let mut writer = writer("back");
    withdraw(&mut writer, 12, 30).unwrap();
    let before = of(&writer, 12).number;
    let ends = writer.due(DeadlineKind::MembershipEnd, before.0).unwrap();
    writer.advance(ends + 1);
    let again = apply(&writer, &[]);
    assert_eq!(
        code(writer.member(12, again.clone())),
        "M01.readmission-wait"
    );
    writer.advance(ends + 1 + 59 * MS_PER_DAY);
    assert_eq!(
        code(writer.member(12, again.clone())),
        "M01.readmission-wait"
    );
    writer.advance(ends + 1 + 61 * MS_PER_DAY);
    writer.member(12, again).unwrap();
    let after = of(&writer, 12);
    assert_ne!(after.number, before);
    assert_eq!(after.standing.state(), State::Applied);
    assert_eq!(after.exit.state(), ExitState::None);
    let old = writer.tables().memberships.get(&MembershipId(before.0));
    assert_eq!(old.unwrap().standing.state(), State::Withdrawn);
}

/// M22: the board decides about a class as about an admission; with a class without a vote the seat goes
/// (R32).
#[test]
fn a_member_asks_for_a_class_and_the_board_decides() {
    let mut writer = writer("class");
    let number = of(&writer, 3).number;
    let ask = |writer: &mut Writer, member: u32, class: Class| {
        let act = MembershipAct::AskClass {
            membership: number,
            class,
            reasons: sha256(b"reasons"),
        };
        writer.member(member, Body::Membership(act))
    };
    let other = ask(&mut writer, 4, Class::Associate);
    assert_eq!(code(other), "M22.other-member");
    let closed = ask(&mut writer, 3, Class::Founding);
    assert_eq!(code(closed), "M22.class-not-open");
    let proposed = MotionEffect::ChangeClass(ChangeClass {
        membership: number,
        class: Class::Associate,
    });
    assert_eq!(code(writer.propose(proposed, 7)), "R10.opened-by-rule");
    ask(&mut writer, 3, Class::Associate).unwrap();
    let motion = writer.newest_motion();
    let again = ask(&mut writer, 3, Class::Council);
    assert_eq!(code(again), "M22.asked-already");
    assert_eq!(
        writer.vote(3, motion, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    for member in [1, 2, 4, 5, 6, 7, 8, 9] {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    assert!(seats::holds(writer.tables(), OrganisationId(3)));
    writer.close(motion);
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    assert_eq!(of(&writer, 3).class, Class::Associate);
    assert!(!seats::holds(writer.tables(), OrganisationId(3)));
    assert!(!rights::rights(writer.tables(), OrganisationId(3)).assembly_vote);
    let same = ask(&mut writer, 3, Class::Associate);
    assert_eq!(code(same), "M22.same-class");
    // Who leaves asks for nothing.
    withdraw(&mut writer, 3, 40).unwrap();
    let leaving = ask(&mut writer, 3, Class::Council);
    assert_eq!(code(leaving), "M22.not-in-good-standing");
    cease(&mut writer, 3, Cessation::Dissolved).unwrap();
    let gone = ask(&mut writer, 3, Class::Council);
    assert_eq!(code(gone), "M22.not-a-member");
}
