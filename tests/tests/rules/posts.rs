//! Posts: who may hold one, asked when it is proposed, when the motion takes effect and when the
//! person accepts; the auditor, who is the assembly's (R7, R28, R29).

use rollbook_core::account::Unit;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay};
use rollbook_core::charter::motions::DecidingBody;
use rollbook_core::event::EventBody;
use rollbook_core::id::{DirectionId, FundId, MotionId, PersonId, PostId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::lookup::rights;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::post::{Post, PostStatus};
use rollbook_core::record::{
    Appointment, Body, Cessation, CreateFund, FundAct, MembershipAct, MotionAct, MotionEffect,
    NameLead, OrganisationAct, RemoveAuditor, RemoveHolder,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::{secretariat, staff};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;
/// The auditor's post in the sample: the last of eight.
const AUDITOR: PostId = PostId(8);

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), MEMBERS, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn post(writer: &Writer, number: PostId) -> Post {
    writer.tables().posts.get(&number).unwrap().clone()
}

fn newest_post(writer: &Writer) -> PostId {
    *writer.tables().posts.last_key().unwrap()
}

fn appointment(role: Role, holder: u32, succeeds: Option<PostId>) -> MotionEffect {
    MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role,
        scope: Scope::Alliance,
        holder: PersonId(holder),
        deputy: None,
        succeeds,
    })
}

fn fund(writer: &Writer, treasurer: u32) -> CreateFund {
    let first = staff(writer.alliance.members);
    let mut officers = vec![
        (Role::Treasurer, PersonId(treasurer)),
        (Role::SecondOfficer, PersonId(first + 2)),
        (Role::SecondOfficer, PersonId(first + 3)),
        (Role::ProgrammeOfficer, PersonId(first + 4)),
        (Role::FinanceApprover, PersonId(first + 5)),
        (Role::FinanceApprover, PersonId(first + 6)),
    ];
    officers.sort();
    let office = OrganisationId(secretariat(MEMBERS));
    CreateFund {
        name: rollbook_core::identity::Name {
            native: text("基金"),
            latin: text("Fund"),
        },
        holder: office,
        unit: Unit::currency("CNY").unwrap(),
        bank_account: sha256(b"account"),
        office,
        officers,
    }
}

/// A company that is no member, with its primary officer's person number.
fn outsider(writer: &mut Writer, name: &str) -> (u32, u32) {
    let company = writer.register(11, name, &[]);
    let entry = writer.tables().organisations.get(&OrganisationId(company));
    (company, entry.unwrap().officers[0].0)
}

/// A person was named treasurer of a coming fund, then elected auditor: no post stood yet, so both
/// motions passed; then the person accepted both and was auditor of the own books. Whoever accepts is
/// judged again now, in either order.
#[test]
fn nobody_comes_to_be_auditor_and_chain_officer_by_two_offers() {
    for auditor_first in [true, false] {
        let mut writer = writer("two offers");
        let (company, person) = outsider(&mut writer, "Both");
        let plan = fund(&writer, person);
        let create = writer
            .propose(MotionEffect::CreateFund(plan.into()), 7)
            .unwrap();
        writer.pass(create);
        let elect = writer
            .before_the_assembly(appointment(Role::Auditor, person, None), 10)
            .unwrap();
        writer.pass(elect);
        let offer = newest_post(&writer);
        assert_eq!(post(&writer, offer).status, PostStatus::Offered);
        let as_auditor = Body::Motion(MotionAct::AcceptPost { post: offer });
        let as_treasurer = Body::Fund(FundAct::Accept { fund: FundId(1) });
        let signers = [(person, Role::Primary)];
        let (first, second) = if auditor_first {
            (as_auditor, as_treasurer)
        } else {
            (as_treasurer, as_auditor)
        };
        writer.act_as(company, &signers, first).unwrap();
        assert_eq!(
            code(writer.act_as(company, &signers, second)),
            "R7.auditor-holds-a-post",
            "auditor first: {auditor_first}"
        );
    }
}

/// The same with two chain posts of one fund: treasurer by the fund's own motion, second officer by
/// an appointment. An offer stands in nobody's way and may be declined.
#[test]
fn nobody_comes_to_hold_two_chain_posts_by_two_offers() {
    let mut writer = writer("two posts");
    let (company, person) = outsider(&mut writer, "Two posts");
    let scoped = |fund| {
        MotionEffect::Appoint(Appointment {
            office: OrganisationId(secretariat(MEMBERS)),
            role: Role::SecondOfficer,
            scope: Scope::Fund(FundId(fund)),
            holder: PersonId(person),
            deputy: None,
            succeeds: None,
        })
    };
    // A fund that does not exist yet has no posts.
    assert_eq!(
        writer.propose(scoped(1), 7).unwrap_err().code,
        "A4.unknown-fund"
    );
    let plan = fund(&writer, person);
    let create = writer
        .propose(MotionEffect::CreateFund(plan.into()), 7)
        .unwrap();
    writer.pass(create);
    let appoint = writer.propose(scoped(1), 7).unwrap();
    writer.pass(appoint);
    let offer = newest_post(&writer);
    let signers = [(person, Role::Primary)];
    let accept_fund = Body::Fund(FundAct::Accept { fund: FundId(1) });
    writer.act_as(company, &signers, accept_fund).unwrap();
    let accept = Body::Motion(MotionAct::AcceptPost { post: offer });
    assert_eq!(
        code(writer.act_as(company, &signers, accept.clone())),
        "R7.second-post"
    );
    let decline = Body::Motion(MotionAct::DeclinePost { post: offer });
    assert_eq!(
        code(writer.member(1, decline.clone())),
        "M35.holder-must-sign"
    );
    writer.act_as(company, &signers, decline).unwrap();
    assert_eq!(post(&writer, offer).status, PostStatus::Declined);
    assert_eq!(
        code(writer.act_as(company, &signers, accept)),
        "M35.not-offered"
    );
}

/// The board, five of nine voices, removed the auditor who audits it. Only the assembly does now.
#[test]
fn the_board_cannot_remove_the_auditor() {
    let mut writer = writer("auditor stays");
    let board = writer.propose(MotionEffect::Remove(RemoveHolder { post: AUDITOR }), 7);
    assert_eq!(board.unwrap_err().code, "R29.auditor-by-assembly");
    let removal = |post| MotionEffect::RemoveAuditor(RemoveAuditor { post });
    assert_eq!(
        writer.propose(removal(AUDITOR), 10).unwrap_err().code,
        "R10.may-not-propose"
    );
    assert_eq!(
        writer
            .before_the_assembly(removal(PostId(2)), 10)
            .unwrap_err()
            .code,
        "R29.not-the-auditor"
    );
    let motion = writer.before_the_assembly(removal(AUDITOR), 10).unwrap();
    let facts = writer.tables().motions.get(&MotionId(motion)).unwrap();
    assert_eq!(
        (facts.body, facts.status),
        (DecidingBody::Assembly, MotionStatus::Open)
    );
    writer.pass(motion);
    assert_eq!(post(&writer, AUDITOR).status, PostStatus::Ended);
}

/// A charter in which the board decides on the auditor is below the floor.
#[test]
fn no_charter_gives_the_auditor_to_the_board() {
    let mut sample = sample(b"floor", 9, 4);
    let rules = &mut sample.charter.rules.entries;
    let entry = rules
        .iter_mut()
        .find(|entry| entry.kind == rollbook_core::charter::motions::MotionKind::AppointAuditor)
        .unwrap();
    entry.rule.body = rollbook_core::charter::motions::BodyKind::Board;
    assert!(sample.genesis().is_err());
}

/// The board cannot be given the election of seats, and with it that of the chair.
#[test]
fn no_charter_gives_elections_to_the_board() {
    let mut sample = sample(b"floor", 9, 4);
    let rules = &mut sample.charter.rules.entries;
    let entry = rules
        .iter_mut()
        .find(|entry| entry.kind == rollbook_core::charter::motions::MotionKind::ElectSeat)
        .unwrap();
    entry.rule.body = rollbook_core::charter::motions::BodyKind::Board;
    assert!(sample.genesis().is_err());
}

/// An auditor's employer applied and became a member, and the auditor stayed. Its activation waits
/// now, also past its time, until the post has ended.
#[test]
fn an_auditors_employer_waits_to_become_a_member() {
    use rollbook_core::id::MembershipId;
    use rollbook_core::lookup::rights;
    use rollbook_core::object::membership::{Live, Standing};
    use rollbook_core::record::{Application, BankReference, MembershipAct, Receipt};

    let mut writer = writer("employer");
    let (company, person) = outsider(&mut writer, "Employer");
    let elect = writer
        .before_the_assembly(appointment(Role::Auditor, person, Some(AUDITOR)), 10)
        .unwrap();
    writer.pass(elect);
    let offer = newest_post(&writer);
    let accept = Body::Motion(MotionAct::AcceptPost { post: offer });
    writer
        .act_as(company, &[(person, Role::Primary)], accept)
        .unwrap();
    assert_eq!(
        post(&writer, AUDITOR).status,
        PostStatus::Ended,
        "the successor displaces the auditor before"
    );
    // The way of an application, up to the secretariat's signature.
    let membership = |writer: &Writer| {
        let membership = rights::of(writer.tables(), OrganisationId(company)).unwrap();
        (membership.number, membership.standing.clone())
    };
    let application = Application {
        class: rollbook_core::charter::Class::Ordinary,
        charter: writer.alliance.genesis.charter().unwrap().text,
        antitrust: sha256(b"antitrust undertaking"),
        conflicts: sha256(b"conflict undertaking"),
        relations: Vec::new(),
    };
    let act = |act| Body::Membership(act);
    writer
        .member(company, act(MembershipAct::Apply(application)))
        .unwrap();
    let number: MembershipId = membership(&writer).0;
    for step in [
        MembershipAct::Screen { membership: number },
        MembershipAct::Complete { membership: number },
    ] {
        writer.office(Role::Secretary, act(step)).unwrap();
    }
    for sponsor in [11, 14] {
        let sponsors = MembershipAct::Sponsor { membership: number };
        writer.member(sponsor, act(sponsors)).unwrap();
    }
    let now = writer.now();
    writer.advance(now);
    let motion = rights::of(writer.tables(), OrganisationId(company))
        .unwrap()
        .motion
        .unwrap();
    for member in 1..=9 {
        writer
            .vote(member, motion.0, rollbook_core::record::Choice::Yes)
            .unwrap();
    }
    writer.close(motion.0);
    assert_eq!(membership(&writer).1, Standing::Admitted);
    let invoice = MembershipAct::Invoice { membership: number };
    writer.office(Role::Treasurer, act(invoice)).unwrap();
    let (invoice, dues) = {
        let invoice = writer.tables().invoices.iter().last().unwrap().1;
        (invoice.number, invoice.amount)
    };
    let received = MembershipAct::Receive(Receipt {
        invoice,
        amount: dues,
        reference: BankReference(text("DUES-2023-1")),
        value_date: LocalDay::of(LedgerTime(writer.now()), DEFAULT_OFFSET_MINUTES),
    });
    writer.office(Role::Treasurer, act(received)).unwrap();
    let pending = writer.tables().invoices.get(&invoice).unwrap();
    let receipt = pending.pending.clone().unwrap().record;
    let confirmed = MembershipAct::ConfirmReceipt { invoice, receipt };
    writer.office(Role::SecondOfficer, act(confirmed)).unwrap();
    let agreement = sha256(b"participation agreement");
    let agree = MembershipAct::Agree {
        membership: number,
        agreement,
    };
    writer.member(company, act(agree)).unwrap();
    let activate = || {
        act(MembershipAct::Activate {
            membership: number,
            agreement,
        })
    };
    assert_eq!(
        code(writer.office(Role::Secretary, activate())),
        "R29.auditor-of-the-group"
    );
    let due = writer
        .due(DeadlineKind::MembershipActivate, number.0)
        .unwrap();
    let events = writer.advance(due + 1);
    let waits = EventBody::ActivationWaits {
        membership: number,
        post: offer,
    };
    assert!(events.iter().any(|event| event.body == waits));
    assert_eq!(membership(&writer).1, Standing::Admitted);
    // The auditor gives the post up: nothing stands in the way any more.
    let resign = Body::Motion(MotionAct::ResignPost { post: offer });
    writer
        .act_as(company, &[(person, Role::Primary)], resign)
        .unwrap();
    writer.office(Role::Secretary, activate()).unwrap();
    assert_eq!(membership(&writer).1, Standing::Live(Live::GOOD));
    // And nobody of a member is elected: asked at the proposal already.
    let again = writer.before_the_assembly(appointment(Role::Auditor, person, None), 10);
    assert_eq!(again.unwrap_err().code, "R7.auditor-of-a-member");
}

/// Who only held a post, with no role inside a company, could not accept one: there was no capacity
/// to sign in. The offered post gives it, for its acceptance and nothing else.
#[test]
fn who_has_no_role_accepts_a_post() {
    let mut writer = writer("no role");
    let (office, registrar) = (secretariat(MEMBERS), staff(MEMBERS) + 7);
    // The auditor of the sample is at home in the secretariat and has no role there.
    let resign = Body::Motion(MotionAct::ResignPost { post: AUDITOR });
    writer
        .act_as(office, &[(registrar, Role::Auditor)], resign)
        .unwrap();
    let motion = writer
        .propose(appointment(Role::Registrar, registrar, None), 7)
        .unwrap();
    writer.pass(motion);
    let offer = newest_post(&writer);
    let signers = [(registrar, Role::Registrar)];
    let other = Body::Motion(MotionAct::Withdraw {
        motion: MotionId(motion),
    });
    assert_eq!(
        code(writer.act_as(office, &signers, other)),
        "A6.role-not-held"
    );
    let accept = Body::Motion(MotionAct::AcceptPost { post: offer });
    writer.act_as(office, &signers, accept).unwrap();
    assert_eq!(post(&writer, offer).status, PostStatus::Held);
}

/// A motion of the board that fills a post anew, carried out; the offer.
fn offer(writer: &mut Writer, role: Role, holder: u32, succeeds: PostId) -> PostId {
    let motion = writer
        .propose(appointment(role, holder, Some(succeeds)), 7)
        .unwrap();
    writer.pass(motion);
    newest_post(writer)
}

fn treasurer_accepts(writer: &mut Writer, number: PostId) -> Result<Outcome, Refusal> {
    let accept = Body::Motion(MotionAct::AcceptPost { post: number });
    let treasurer = staff(MEMBERS) + 1;
    writer.act_as(
        secretariat(MEMBERS),
        &[(treasurer, Role::Treasurer)],
        accept,
    )
}

/// The treasurer's post in the sample.
const TREASURER: PostId = PostId(2);

/// The sitting treasurer could not be chosen again (a second post), so every money post of an alliance
/// ended for good after two years. A new term is offered for the post that it follows, begins when that
/// ends, and is no second post.
#[test]
fn a_sitting_holder_is_chosen_again_and_the_terms_follow_each_other() {
    let mut writer = writer("again");
    let treasurer = staff(MEMBERS) + 1;
    let unnamed = writer.propose(appointment(Role::Treasurer, treasurer, None), 7);
    assert_eq!(unnamed.unwrap_err().code, "R7.second-post");
    let other = appointment(Role::Treasurer, treasurer, Some(PostId(3)));
    assert_eq!(
        writer.propose(other, 7).unwrap_err().code,
        "R28.not-a-successor"
    );
    let next = offer(&mut writer, Role::Treasurer, treasurer, TREASURER);
    let twice = writer.propose(appointment(Role::Treasurer, treasurer, Some(TREASURER)), 7);
    assert_eq!(twice.unwrap_err().code, "R28.offer-open");
    treasurer_accepts(&mut writer, next).unwrap();
    let (old, new) = (post(&writer, TREASURER), post(&writer, next));
    assert_eq!(
        (old.status, new.status, new.from_ms),
        (PostStatus::Held, PostStatus::Accepted, old.until_ms)
    );
    let twice = writer.propose(appointment(Role::Treasurer, treasurer, Some(TREASURER)), 7);
    assert_eq!(twice.unwrap_err().code, "R28.already-filled");
    let events = writer.advance(old.until_ms.0 + 1);
    let began = EventBody::PostMoved {
        post: next,
        status: PostStatus::Held,
    };
    assert!(events.iter().any(|event| event.body == began));
    assert_eq!(
        (post(&writer, TREASURER).status, post(&writer, next).status),
        (PostStatus::Ended, PostStatus::Held)
    );
    assert_eq!(
        writer.due(DeadlineKind::PostTerm, next.0),
        Some(post(&writer, next).until_ms.0)
    );
}

/// Two years after its genesis an alliance had no posts and no seats: nobody might propose anything of
/// the board, and no draw or hold found a seat holder. Whose term ended goes on until a successor has
/// accepted; but a held-over board opens no fund, and after half a year it only fills posts.
#[test]
fn whose_term_ended_goes_on_until_a_successor_has_accepted() {
    let mut writer = writer("held over");
    let until = post(&writer, TREASURER).until_ms;
    let events = writer.advance(until.0 + 1);
    let seats = rollbook_core::lookup::seats::holders(writer.tables()).count();
    let over =
        |event: &&rollbook_core::event::Event| matches!(event.body, EventBody::SeatHeldOver { .. });
    assert_eq!((seats, events.iter().filter(over).count()), (9, 9));
    assert_eq!(post(&writer, TREASURER).status, PostStatus::HeldOver);
    assert!(rollbook_core::lookup::seats::holds(
        writer.tables(),
        OrganisationId(3)
    ));
    // No fund; but posts are filled, and the successor displaces who is held over.
    let plan = fund(&writer, staff(MEMBERS) + 1);
    let create = writer.propose(MotionEffect::CreateFund(plan.into()), 7);
    assert_eq!(create.unwrap_err().code, "R28.held-over-board");
    let (company, person) = outsider(&mut writer, "Successor");
    let next = offer(&mut writer, Role::Treasurer, person, TREASURER);
    assert_eq!(
        post(&writer, TREASURER).status,
        PostStatus::HeldOver,
        "an offer displaces nobody"
    );
    let accept = Body::Motion(MotionAct::AcceptPost { post: next });
    writer
        .act_as(company, &[(person, Role::Primary)], accept)
        .unwrap();
    assert_eq!(
        (post(&writer, TREASURER).status, post(&writer, next).status),
        (PostStatus::Ended, PostStatus::Held)
    );
    // Nobody is held over in a post from which they were removed.
    let removal = MotionEffect::Remove(RemoveHolder { post: PostId(3) });
    let motion = writer.propose(removal, 7).unwrap();
    writer.pass(motion);
    assert_eq!(post(&writer, PostId(3)).status, PostStatus::Ended);
    writer.advance_days(181);
    let pool = MotionEffect::ConfirmPool(rollbook_core::record::ConfirmPool {
        pool: rollbook_core::record::PoolKind::Reviewers,
        persons: vec![PersonId(2)],
    });
    assert_eq!(
        writer.propose(pool, 7).unwrap_err().code,
        "R28.hold-over-ended"
    );
    // The lead of a direction is appointed, too, and is no post.
    let direction = DirectionId(1);
    let join = Body::Organisation(OrganisationAct::JoinDirection { direction });
    writer.member(5, join).unwrap();
    let lead = MotionEffect::NameLead(NameLead {
        direction,
        organisation: OrganisationId(5),
    });
    assert_eq!(
        writer.propose(lead, 7).unwrap_err().code,
        "R28.hold-over-ended"
    );
    offer(&mut writer, Role::SecondOfficer, person + 1, PostId(3));
}

/// An offer stood for ever.
#[test]
fn an_offer_that_nobody_accepts_lapses() {
    let mut writer = writer("lapses");
    let (company, person) = outsider(&mut writer, "Slow");
    let offered = offer(&mut writer, Role::Treasurer, person, TREASURER);
    let due = writer.due(DeadlineKind::PostOffer, offered.0).unwrap();
    writer.advance(due + 1);
    assert_eq!(post(&writer, offered).status, PostStatus::Lapsed);
    assert_eq!(post(&writer, TREASURER).status, PostStatus::Held);
    let accept = Body::Motion(MotionAct::AcceptPost { post: offered });
    assert_eq!(
        code(writer.act_as(company, &[(person, Role::Primary)], accept)),
        "M35.not-offered"
    );
}

/// A genesis could give posts of a day, or of a century.
#[test]
fn a_genesis_gives_terms_that_can_be_followed() {
    use rollbook_core::calendar::MS_PER_DAY;
    use rollbook_core::genesis::{Genesis, GenesisItem};
    use rollbook_proof::number::LedgerTime;
    use rollbook_sandbox::alliance::OPENED_MS;

    let made = |seats: u64, posts: u64| {
        let good = sample(b"terms", 9, 4).genesis().unwrap();
        let mut items = good.items.clone();
        let after = |days: u64| LedgerTime(OPENED_MS + days * MS_PER_DAY);
        for item in &mut items {
            match item {
                GenesisItem::Board(board) => {
                    board
                        .iter_mut()
                        .for_each(|seat| seat.until_ms = after(seats));
                }
                GenesisItem::Office { posts: all, .. } => {
                    all.iter_mut().for_each(|post| post.until_ms = after(posts));
                }
                _ => {}
            }
        }
        Genesis::assemble("rollbook.example/terms", items, None)
    };
    assert!(made(730, 730).unwrap().ends_on_one_day().is_some());
    assert!(made(730, 700).unwrap().ends_on_one_day().is_none());
    for (seats, posts, code) in [
        (179, 730, "R28.term-too-short"),
        (730, 179, "R28.term-too-short"),
        (3_650, 730, "R28.term-too-long"),
        (730, 3_650, "R28.term-too-long"),
    ] {
        let refused = made(seats, posts).unwrap_err().to_string();
        assert!(refused.contains(code), "{refused}");
    }
}

/// The board could have chosen who presides over it. The genesis names one chair, who may be any
/// member's; no motion appoints one. Whose idea the alliance was is a company of the genesis.
#[test]
fn the_chair_is_named_in_the_genesis_and_never_appointed() {
    use rollbook_core::genesis::{Genesis, GenesisError, GenesisItem, PostEntry};

    let made = |chairs: usize, deputy: Option<PersonId>, convenor: u32| {
        let mut sample = sample(b"chair", MEMBERS, 4);
        sample.charter.convenor = Some(OrganisationId(convenor));
        let mut items = sample.genesis().unwrap().items;
        for item in &mut items {
            if let GenesisItem::Office { posts, .. } = item {
                let chair = PostEntry {
                    role: Role::Chair,
                    holder: PersonId(officers_of(3).0),
                    deputy,
                    ..posts[0].clone()
                };
                posts.extend(std::iter::repeat_n(chair, chairs));
            }
        }
        Genesis::assemble("rollbook.example/chair", items, None)
    };
    let code = |genesis: Result<Genesis, GenesisError>| genesis.unwrap_err().to_string();
    assert!(code(made(2, None, 1)).contains("R48.one-chair"));
    assert!(code(made(1, Some(PersonId(officers_of(4).0)), 1)).contains("R48.one-chair"));

    let genesis = made(1, None, 7).unwrap();
    let mut writer = Writer::founded(Alliance::adopt(b"chair", genesis));
    let chair = writer
        .tables()
        .posts
        .iter()
        .find(|(_, post)| post.role == Role::Chair);
    assert_eq!(chair.unwrap().1.holder, PersonId(officers_of(3).0));
    assert_eq!(
        writer.ledger.charter().unwrap().convenor,
        Some(OrganisationId(7))
    );
    let refused = writer.propose(appointment(Role::Chair, officers_of(5).0, None), 7);
    assert_eq!(refused.unwrap_err().code, "R48.chair-is-elected");
    // Nobody of this number is in the genesis.
    let mut sample = sample(b"chair", MEMBERS, 4);
    sample.charter.convenor = Some(OrganisationId(999));
    assert!(sample.genesis().is_err());
}

/// A next term given up before it began left the post pointing at it: the post could never be filled
/// anew, and the dead term's deputy acted beside the holder.
#[test]
fn a_next_term_that_ends_before_it_began_leaves_the_post_to_others() {
    let mut writer = writer("given up early");
    let treasurer = staff(MEMBERS) + 1;
    let next = offer(&mut writer, Role::Treasurer, treasurer, TREASURER);
    treasurer_accepts(&mut writer, next).unwrap();
    let resign = Body::Motion(MotionAct::ResignPost { post: next });
    writer
        .act_as(
            secretariat(MEMBERS),
            &[(treasurer, Role::Treasurer)],
            resign,
        )
        .unwrap();
    assert_eq!(post(&writer, next).status, PostStatus::Ended);
    assert_eq!(post(&writer, TREASURER).successor, None);
    let never = post(&writer, next);
    assert!(!rollbook_core::lookup::posts::is_vacant(
        writer.tables(),
        &never
    ));
    // Nobody follows a term that never began; the post itself is filled anew, also once held over.
    let dead = appointment(Role::Treasurer, treasurer, Some(next));
    assert_eq!(
        writer.propose(dead, 7).unwrap_err().code,
        "R28.not-a-successor"
    );
    let until = post(&writer, TREASURER).until_ms;
    writer.advance(until.0 + 1);
    assert_eq!(post(&writer, TREASURER).status, PostStatus::HeldOver);
    let again = offer(&mut writer, Role::Treasurer, treasurer, TREASURER);
    treasurer_accepts(&mut writer, again).unwrap();
    assert_eq!(post(&writer, again).status, PostStatus::Held);
}

/// An offer that the board took back was told as a post that had ended, and stood vacant: its deputy
/// could act.
#[test]
fn an_offer_that_is_taken_back_was_no_post() {
    let mut writer = writer("taken back");
    let (_, person) = outsider(&mut writer, "Unwanted");
    let offered = offer(&mut writer, Role::Treasurer, person, TREASURER);
    let motion = writer
        .propose(MotionEffect::Remove(RemoveHolder { post: offered }), 7)
        .unwrap();
    writer.pass(motion);
    let after = post(&writer, offered);
    assert_eq!(after.status, PostStatus::Lapsed);
    assert!(!rollbook_core::lookup::posts::is_vacant(
        writer.tables(),
        &after
    ));
}

/// A company ceased and its person went on as a deputy, who acts when the holder is away.
#[test]
fn who_deputises_from_a_company_that_ceased_does_so_no_more() {
    let mut writer = writer("a deputy's company ceases");
    let treasurer = staff(MEMBERS) + 1;
    let effect = MotionEffect::Appoint(Appointment {
        office: OrganisationId(secretariat(MEMBERS)),
        role: Role::Treasurer,
        scope: Scope::Alliance,
        holder: PersonId(treasurer),
        deputy: Some(PersonId(officers_of(7).0)),
        succeeds: Some(TREASURER),
    });
    let motion = writer.propose(effect, 7).unwrap();
    writer.pass(motion);
    let next = newest_post(&writer);
    treasurer_accepts(&mut writer, next).unwrap();
    assert!(post(&writer, next).deputy.is_some());
    let membership = rights::of(writer.tables(), OrganisationId(7)).unwrap();
    let cease = MembershipAct::Cease {
        membership: membership.number,
        cause: Cessation::Dissolved,
        evidence: sha256(b"extract"),
    };
    writer
        .office(Role::Secretary, Body::Membership(cease))
        .unwrap();
    assert_eq!(post(&writer, next).deputy, None);
    assert_eq!(post(&writer, next).status, PostStatus::Accepted);
}
