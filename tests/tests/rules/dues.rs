//! Dues of years, their clock, plans and notices (M10 to M13, M26 to M29; R9, R17, R35, R41).

use rollbook_core::account::Amount;
use rollbook_core::calendar::{CivilDate, LocalDay, MS_PER_DAY};
use rollbook_core::charter::Class;
use rollbook_core::event::{DuesMark, EventBody};
use rollbook_core::id::{InvoiceId, MembershipId, NoticeId, PlanId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::rights;
use rollbook_core::next;
use rollbook_core::next::Object;
use rollbook_core::object::invoice::{Charge, Invoice, InvoiceStatus};
use rollbook_core::object::membership::{Dues, DuesPart, Standing};
use rollbook_core::object::notice::NoticeStatus;
use rollbook_core::object::plan::PlanStatus;
use rollbook_core::record::{
    BankReference, Body, Choice, MembershipAct, MotionEffect, NoticeAbout, NoticeChannel,
    NoticeEntry, PlanEntry, PlanPart, Receipt, RemoveHolder,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::rules::membership::dues::{class_changed, pro_rata};
use rollbook_core::tx::{BlockContext, DeadlineKind, Tx};
use rollbook_core::view::open::Open;
use rollbook_core::view::tasks::{Whose, tasks};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), 24, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn office(writer: &mut Writer, role: Role, act: MembershipAct) -> Result<Outcome, Refusal> {
    writer.office(role, Body::Membership(act))
}

fn member(writer: &mut Writer, number: u32, act: MembershipAct) -> Result<Outcome, Refusal> {
    writer.member(number, Body::Membership(act))
}

fn today(writer: &Writer) -> LocalDay {
    LocalDay::of(LedgerTime(writer.now()), 480)
}

fn invoice(writer: &mut Writer, membership: u32) -> InvoiceId {
    let membership = MembershipId(membership);
    office(
        writer,
        Role::Treasurer,
        MembershipAct::Invoice { membership },
    )
    .unwrap();
    *writer.tables().invoices.last_key().unwrap()
}

fn of(writer: &Writer, number: InvoiceId) -> Invoice {
    writer.tables().invoices.get(&number).unwrap().clone()
}

fn dues(writer: &Writer, membership: u32) -> DuesPart {
    writer
        .tables()
        .dues
        .get(&MembershipId(membership))
        .unwrap()
        .clone()
}

fn receive(writer: &mut Writer, invoice: InvoiceId, amount: u64) -> Hash {
    let reference = format!("DUES-{}", writer.ledger.height().0);
    let act = MembershipAct::Receive(Receipt {
        invoice,
        amount: Amount(amount),
        reference: BankReference(text(&reference)),
        value_date: today(writer),
    });
    office(writer, Role::Treasurer, act).unwrap();
    of(writer, invoice).pending.unwrap().record
}

fn pay(writer: &mut Writer, invoice: InvoiceId, amount: u64) {
    let receipt = receive(writer, invoice, amount);
    let confirm = MembershipAct::ConfirmReceipt { invoice, receipt };
    office(writer, Role::SecondOfficer, confirm).unwrap();
}

fn notice(writer: &Writer, subject: NoticeAbout) -> MembershipAct {
    MembershipAct::ServeNotice(NoticeEntry {
        subject,
        text: sha256(b"text of the notice"),
        channel: NoticeChannel::RegisteredLetter,
        dispatched: today(writer),
        proof: sha256(b"proof of dispatch"),
    })
}

/// Moves time right past a deadline of the member and returns what happened.
fn past(writer: &mut Writer, kind: DeadlineKind, object: u32) -> Vec<EventBody> {
    let due = writer
        .due(kind, object)
        .unwrap_or_else(|| panic!("{kind:?} does not run"));
    let events = writer.advance(due + 1);
    events.into_iter().map(|event| event.body).collect()
}

fn may_vote(writer: &Writer, organisation: u32) -> bool {
    rights::rights(writer.tables(), OrganisationId(organisation)).votes
}

fn marks(events: &[EventBody]) -> Vec<DuesMark> {
    let mark = |event: &EventBody| match event {
        EventBody::DuesMoved { what, .. } => Some(*what),
        _ => None,
    };
    events.iter().filter_map(mark).collect()
}

fn day(year: i64, month: u8, day: u8) -> LocalDay {
    CivilDate::new(year, month, day).unwrap().day_number()
}

#[test]
fn dues_count_the_days_that_are_left_of_a_year() {
    let year = Amount(36_500);
    assert_eq!(pro_rata(year, 2023, day(2023, 1, 1)), Some(year));
    assert_eq!(pro_rata(year, 2023, day(2023, 12, 31)), Some(Amount(100)));
    assert_eq!(pro_rata(year, 2023, day(2023, 12, 30)), Some(Amount(200)));
    // A leap year has a day more: 36,600 would be 100 a day.
    assert_eq!(
        pro_rata(Amount(36_600), 2024, day(2024, 2, 29)),
        Some(Amount(30_700))
    );
    assert_eq!(
        pro_rata(Amount(36_600), 2024, day(2024, 3, 1)),
        Some(Amount(30_600))
    );
    // Down to the whole unit, and nothing outside the year.
    assert_eq!(
        pro_rata(Amount(1_000), 2023, day(2023, 12, 31)),
        Some(Amount(2))
    );
    assert_eq!(pro_rata(year, 2023, day(2024, 1, 1)), None);
    assert_eq!(
        pro_rata(Amount(u64::MAX), 2023, day(2023, 1, 1)),
        Some(Amount(u64::MAX))
    );
}

#[test]
fn one_act_bills_a_year_to_everybody_and_nobody_twice() {
    let mut writer = writer("year");
    let year = |year| MembershipAct::InvoiceYear { year };
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, year(2025))),
        "M26.other-year"
    );
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, year(2022))),
        "M26.other-year"
    );
    let single = invoice(&mut writer, 7);
    office(&mut writer, Role::Treasurer, year(2023)).unwrap();
    let invoices: Vec<Invoice> = writer
        .tables()
        .invoices
        .iter()
        .map(|(_, it)| it.clone())
        .collect();
    assert_eq!(
        invoices.len(),
        24,
        "the one that had its invoice is not billed again"
    );
    // 187 days are left of 2023, the 28th of June included.
    for invoice in &invoices {
        assert_eq!(invoice.amount, Amount(20_000_000 * 187 / 365));
        assert_eq!((invoice.charge, invoice.year), (Charge::Year, 2023));
    }
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, year(2023))),
        "M26.nobody-to-invoice"
    );
    let again = MembershipAct::Invoice {
        membership: MembershipId(7),
    };
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, again)),
        "M26.already-invoiced"
    );
    // Cancelled, it may be billed anew.
    let cancel = MembershipAct::CancelInvoice { invoice: single };
    office(&mut writer, Role::Treasurer, cancel).unwrap();
    office(&mut writer, Role::Treasurer, year(2023)).unwrap();
    // The next year in whole.
    office(&mut writer, Role::Treasurer, year(2024)).unwrap();
    let next = *writer.tables().invoices.last_key().unwrap();
    assert_eq!(of(&writer, next).amount, Amount(20_000_000));
}

#[test]
fn too_much_pays_what_else_is_open_and_then_the_next_invoice() {
    let mut writer = writer("credit");
    let first = invoice(&mut writer, 5);
    let Amount(amount) = of(&writer, first).amount;
    pay(&mut writer, first, amount - 10);
    assert_eq!(of(&writer, first).status, InvoiceStatus::Open);
    pay(&mut writer, first, 1_010);
    assert_eq!(of(&writer, first).status, InvoiceStatus::Paid);
    assert_eq!(of(&writer, first).received, Amount(amount));
    assert_eq!(dues(&writer, 5).credit, Amount(1_000));
    office(
        &mut writer,
        Role::Treasurer,
        MembershipAct::InvoiceYear { year: 2024 },
    )
    .unwrap();
    let next = *writer
        .tables()
        .invoiced
        .get(&(MembershipId(5), 2024))
        .unwrap();
    assert_eq!(of(&writer, next).open(), Amount(20_000_000 - 1_000));
    assert_eq!(dues(&writer, 5).credit, Amount::ZERO);
}

/// The class of a member changes in a year that is invoiced: the difference of what is left of it is
/// billed, or credited.
#[test]
fn a_change_of_class_bills_or_credits_the_difference() {
    let mut writer = writer("class");
    let invoiced = invoice(&mut writer, 5);
    let Amount(whole) = of(&writer, invoiced).amount;
    let mut tables = writer.tables().clone();
    let block = BlockContext {
        chain: Hash::ZERO,
        height: Height(9),
        now: LedgerTime(writer.now()),
    };
    let mut tx = Tx::of_block(&mut tables, block);
    let membership = tx.t.memberships.get(&MembershipId(5)).unwrap().clone();
    class_changed(&mut tx, &membership, Class::Ordinary).unwrap();
    tx.keep();
    // 200,000.00 a year before, 50,000.00 now, 187 days left: the invoice is open, so the credit pays it.
    let less = Amount(20_000_000 * 187 / 365 - 5_000_000 * 187 / 365);
    let after = tables.invoices.get(&invoiced).unwrap();
    assert_eq!(
        (after.credited, after.open()),
        (less, Amount(whole - less.0))
    );
    let ordinary = rollbook_core::object::membership::Membership {
        class: Class::Ordinary,
        ..membership
    };
    let mut tx = Tx::of_block(&mut tables, block);
    class_changed(&mut tx, &ordinary, Class::Council).unwrap();
    tx.keep();
    let (_, last) = tables.invoices.iter().last().unwrap();
    assert_eq!((last.charge, last.amount), (Charge::ClassChange, less));
}

/// The way of member 19: unpaid, noticed late, suspended late, paid, and in good standing again.
#[test]
fn no_step_comes_before_its_notice() {
    let mut writer = writer("late notice");
    let number = invoice(&mut writer, 19);
    let Amount(amount) = of(&writer, number).amount;
    let early = notice(&writer, NoticeAbout::Dues(MembershipId(19)));
    assert_eq!(
        code(office(&mut writer, Role::Secretary, early)),
        "M29.not-due"
    );
    let events = past(&mut writer, DeadlineKind::InvoiceDue, number.0);
    assert_eq!(marks(&events), [DuesMark::Unpaid]);
    assert_eq!(dues(&writer, 19).dues, Dues::Arrears);
    let held = rights::rights(writer.tables(), OrganisationId(19));
    assert!(held.votes && !held.may_sponsor && held.may_apply_for_funds);
    // The public is not told.
    assert_eq!(
        next::of(
            writer.tables(),
            Object::Invoice,
            number.0,
            ReadClass::Public
        ),
        None
    );

    let begun = of(&writer, number).due_ms.0;
    let days = |due: u64| (due - begun) / MS_PER_DAY;
    assert_eq!(days(writer.due(DeadlineKind::DuesNotice, 19).unwrap()), 60);
    assert!((75..=78).contains(&days(writer.due(DeadlineKind::DuesSuspend, 19).unwrap())));
    let events = past(&mut writer, DeadlineKind::DuesNotice, 19);
    assert_eq!(marks(&events), [DuesMark::NoticeDue]);
    let events = past(&mut writer, DeadlineKind::DuesSuspend, 19);
    assert_eq!(marks(&events), [DuesMark::WaitsForNotice]);
    assert!(may_vote(&writer, 19), "no notice, no suspension");
    writer.advance_days(40);
    assert!(may_vote(&writer, 19));

    let mut bad = notice(&writer, NoticeAbout::Dues(MembershipId(19)));
    let entry = |act: &mut MembershipAct, change: fn(&mut NoticeEntry)| {
        if let MembershipAct::ServeNotice(entry) = act {
            change(entry);
        }
    };
    entry(&mut bad, |entry| entry.proof = Hash::ZERO);
    assert_eq!(
        code(office(&mut writer, Role::Secretary, bad.clone())),
        "M29.no-dispatch"
    );
    entry(&mut bad, |entry| {
        entry.proof = sha256(b"proof");
        entry.dispatched = entry.dispatched.plus(1);
    });
    assert_eq!(
        code(office(&mut writer, Role::Secretary, bad.clone())),
        "M29.dispatch-ahead"
    );
    entry(&mut bad, |entry| {
        entry.dispatched = LocalDay(entry.dispatched.0 - 90)
    });
    assert_eq!(
        code(office(&mut writer, Role::Secretary, bad)),
        "M29.dispatched-before-due"
    );
    let good = notice(&writer, NoticeAbout::Dues(MembershipId(19)));
    office(&mut writer, Role::Secretary, good.clone()).unwrap();
    assert_eq!(
        code(office(&mut writer, Role::Secretary, good)),
        "M29.not-due"
    );
    let served = NoticeId(1);
    let acknowledge = MembershipAct::AcknowledgeNotice { notice: served };
    assert_eq!(
        code(member(&mut writer, 18, acknowledge.clone())),
        "M29.not-yours"
    );
    member(&mut writer, 19, acknowledge.clone()).unwrap();
    assert_eq!(code(member(&mut writer, 19, acknowledge)), "M29.not-served");

    writer.advance_days(14);
    assert!(may_vote(&writer, 19), "fifteen days from the notice");
    let events = past(&mut writer, DeadlineKind::DuesSuspend, 19);
    let told = EventBody::VoteMoved {
        membership: MembershipId(19),
        organisation: OrganisationId(19),
        suspended: true,
    };
    assert!(events.contains(&told));
    assert!(!may_vote(&writer, 19));
    // The second notice was due on day 90; the membership does not end without it.
    writer.advance_days(200);
    assert!(rights::is_live(writer.tables(), OrganisationId(19)));

    // Paid, by two persons. The vote is back with the next block, which says so to everybody.
    pay(&mut writer, number, amount);
    assert!(!may_vote(&writer, 19));
    let now = writer.now();
    let events: Vec<EventBody> = writer.advance(now).into_iter().map(|it| it.body).collect();
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::VoteMoved {
            suspended: false,
            ..
        }
    )));
    assert!(may_vote(&writer, 19));
    assert_eq!(
        (dues(&writer, 19).dues, dues(&writer, 19).arrears),
        (Dues::Good, None)
    );
    for kind in [
        DeadlineKind::DuesSuspend,
        DeadlineKind::DuesNoticeAgain,
        DeadlineKind::DuesEnd,
    ] {
        assert_eq!(writer.due(kind, 19), None, "{kind:?}");
    }
}

/// Brings member 22 to the suspension of its vote, every notice on its day.
fn suspended(writer: &mut Writer) -> InvoiceId {
    let number = invoice(writer, 22);
    past(writer, DeadlineKind::InvoiceDue, number.0);
    past(writer, DeadlineKind::DuesNotice, 22);
    let first = notice(writer, NoticeAbout::Dues(MembershipId(22)));
    office(writer, Role::Secretary, first).unwrap();
    past(writer, DeadlineKind::DuesSuspend, 22);
    assert_eq!(dues(writer, 22).dues, Dues::VotingSuspended);
    number
}

#[test]
fn a_membership_ends_for_arrears_and_what_it_owes_stays() {
    let mut writer = writer("terminated");
    let motion = {
        let number = suspended(&mut writer);
        let effect = MotionEffect::Remove(RemoveHolder {
            post: rollbook_core::id::PostId(2),
        });
        let motion = writer.propose(effect, 21).unwrap();
        assert_eq!(of(&writer, number).status, InvoiceStatus::Open);
        motion
    };
    // Its ballot is refused, whatever electorate was frozen.
    assert!(matches!(
        code(writer.vote(22, motion, Choice::Yes)),
        "R1.no-longer-entitled" | "R1.not-in-electorate"
    ));
    let events = past(&mut writer, DeadlineKind::DuesNoticeAgain, 22);
    assert_eq!(marks(&events), [DuesMark::NoticeAgainDue]);
    let events = past(&mut writer, DeadlineKind::DuesEnd, 22);
    assert_eq!(marks(&events), [DuesMark::WaitsForNoticeAgain]);
    let second = notice(&writer, NoticeAbout::DuesAgain(MembershipId(22)));
    office(&mut writer, Role::Secretary, second).unwrap();
    assert!(rights::is_live(writer.tables(), OrganisationId(22)));
    let events = past(&mut writer, DeadlineKind::DuesEnd, 22);
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::MembershipMoved {
            standing: Standing::TerminatedForArrears,
            ..
        }
    )));
    let ended = rights::of(writer.tables(), OrganisationId(22)).unwrap();
    assert_eq!(ended.standing, Standing::TerminatedForArrears);
    assert_eq!(
        rights::rights(writer.tables(), OrganisationId(22)),
        rights::Rights::default()
    );
    // The debt is still there, and can still be paid.
    let number = *writer
        .tables()
        .invoiced
        .get(&(MembershipId(22), 2023))
        .unwrap();
    let Amount(amount) = of(&writer, number).open();
    pay(&mut writer, number, amount);
    assert_eq!(of(&writer, number).status, InvoiceStatus::Paid);
    assert_eq!(
        rights::of(writer.tables(), OrganisationId(22))
            .unwrap()
            .standing,
        Standing::TerminatedForArrears,
        "what has ended stays ended"
    );
    let again = MembershipAct::Invoice {
        membership: MembershipId(22),
    };
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, again)),
        "M26.not-admitted"
    );
}

/// The clock stands still while a receipt waits, and goes on with what was left. It waits for the second
/// officer for a few working days only: a receipt of one cent that nobody judged kept a vote for ever.
#[test]
fn a_receipt_that_waits_stops_the_clock() {
    let mut writer = writer("stopped");
    let number = invoice(&mut writer, 22);
    past(&mut writer, DeadlineKind::InvoiceDue, number.0);
    past(&mut writer, DeadlineKind::DuesNotice, 22);
    let first = notice(&writer, NoticeAbout::Dues(MembershipId(22)));
    office(&mut writer, Role::Secretary, first).unwrap();
    writer.advance_days(5);
    let before = writer.due(DeadlineKind::DuesSuspend, 22).unwrap();
    let receipt = receive(&mut writer, number, 100);
    let stopped = writer.ledger.tip().seal.time_ms.0;
    assert_eq!(writer.due(DeadlineKind::DuesSuspend, 22), None);
    writer.advance_days(3);
    assert_eq!(writer.due(DeadlineKind::DuesSuspend, 22), None);
    let decline = MembershipAct::DeclineReceipt {
        invoice: number,
        receipt,
    };
    office(&mut writer, Role::SecondOfficer, decline).unwrap();
    let now = writer.ledger.tip().seal.time_ms.0;
    assert_eq!(
        writer.due(DeadlineKind::DuesSuspend, 22),
        Some(before + (now - stopped)),
        "what was left is left"
    );
    let before = writer.due(DeadlineKind::DuesSuspend, 22).unwrap();
    receive(&mut writer, number, 100);
    assert_eq!(writer.due(DeadlineKind::DuesSuspend, 22), None);
    past(&mut writer, DeadlineKind::ReceiptStands, number.0);
    let after = writer.due(DeadlineKind::DuesSuspend, 22).unwrap();
    assert!(
        after > before && after < before + 12 * MS_PER_DAY,
        "{after}"
    );
    let receipt = dues_receipt(&writer, number);
    let decline = MembershipAct::DeclineReceipt {
        invoice: number,
        receipt,
    };
    office(&mut writer, Role::SecondOfficer, decline).unwrap();
    // A part that is confirmed lets it go on too.
    pay(&mut writer, number, 100);
    assert!(writer.due(DeadlineKind::DuesSuspend, 22).is_some());
    past(&mut writer, DeadlineKind::DuesSuspend, 22);
    assert!(!may_vote(&writer, 22));
}

/// The receipt that waits on an invoice.
fn dues_receipt(writer: &Writer, number: InvoiceId) -> Hash {
    of(writer, number).pending.unwrap().record
}

fn offer(writer: &Writer, membership: u32, parts: &[(u32, u64)]) -> MembershipAct {
    let today = today(writer);
    let part = |(days, amount): &(u32, u64)| PlanPart {
        due_day: today.plus(*days),
        amount: Amount(*amount),
    };
    MembershipAct::ProposePlan(PlanEntry {
        membership: MembershipId(membership),
        parts: parts.iter().map(part).collect(),
    })
}

#[test]
fn a_plan_holds_the_standing_until_an_instalment_is_missed() {
    let mut writer = writer("plan");
    let number = suspended(&mut writer);
    let Amount(open) = of(&writer, number).open();
    let whole = offer(&writer, 22, &[(30, open / 2), (60, open - open / 2)]);
    assert_eq!(
        code(member(&mut writer, 21, whole.clone())),
        "M28.not-yours"
    );
    for (parts, expected) in [
        (vec![(30, open - 1)], "M28.other-sum"),
        (vec![(0, open)], "M28.day-passed"),
    ] {
        let act = offer(&writer, 22, &parts);
        assert_eq!(code(member(&mut writer, 22, act)), expected);
    }
    let nothing = offer(&writer, 21, &[(30, 5)]);
    assert_eq!(code(member(&mut writer, 21, nothing)), "M28.nothing-due");
    // Too long for treasurer and secretary.
    let long = offer(&writer, 22, &[(30, open / 2), (300, open - open / 2)]);
    member(&mut writer, 22, long).unwrap();
    let agree = |plan| MembershipAct::AgreePlan { plan: PlanId(plan) };
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, agree(1))),
        "M28.board-decides"
    );
    member(&mut writer, 22, whole).unwrap();
    assert_eq!(
        writer.tables().plans.get(&PlanId(1)).unwrap().status,
        PlanStatus::Dropped
    );
    assert_eq!(
        code(office(&mut writer, Role::Treasurer, agree(1))),
        "M28.not-waiting"
    );
    office(&mut writer, Role::Treasurer, agree(2)).unwrap();
    let left = writer.due(DeadlineKind::DuesEnd, 22).unwrap();
    office(&mut writer, Role::Secretary, agree(2)).unwrap();
    let accepted = writer.ledger.tip().seal.time_ms.0;
    assert_eq!(writer.due(DeadlineKind::DuesEnd, 22), None);
    let now = writer.now();
    writer.advance(now);
    assert!(may_vote(&writer, 22), "a plan is as good as payment");
    assert_eq!(dues(&writer, 22).dues, Dues::Good);
    // The first instalment comes in time, the second does not.
    pay(&mut writer, number, open / 2);
    past(&mut writer, DeadlineKind::PlanInstalment, 2);
    assert!(may_vote(&writer, 22));
    let due = writer.due(DeadlineKind::PlanInstalment, 2).unwrap();
    let events: Vec<EventBody> = writer
        .advance(due + 1)
        .into_iter()
        .map(|it| it.body)
        .collect();
    assert_eq!(marks(&events), [DuesMark::PlanMissed]);
    assert!(events.iter().any(|event| matches!(
        event,
        EventBody::VoteMoved {
            suspended: true,
            ..
        }
    )));
    assert_eq!(dues(&writer, 22).dues, Dues::VotingSuspended);
    assert_eq!(
        writer.tables().plans.get(&PlanId(2)).unwrap().status,
        PlanStatus::Missed
    );
    let now = writer.ledger.tip().seal.time_ms.0;
    assert_eq!(
        writer.due(DeadlineKind::DuesEnd, 22),
        Some(left - accepted + now)
    );
}

#[test]
fn the_board_accepts_a_long_plan_and_payment_keeps_it() {
    let mut writer = writer("long plan");
    let number = suspended(&mut writer);
    let Amount(open) = of(&writer, number).open();
    let long = offer(&writer, 22, &[(40, 1), (300, open - 1)]);
    member(&mut writer, 22, long).unwrap();
    let effect = MotionEffect::AcceptPlan(rollbook_core::record::AcceptPlan { plan: PlanId(1) });
    let motion = writer.propose(effect, 7).unwrap();
    writer.pass(motion);
    let now = writer.now();
    writer.advance(now);
    assert_eq!(
        writer.tables().plans.get(&PlanId(1)).unwrap().status,
        PlanStatus::Running
    );
    assert!(may_vote(&writer, 22));
    let another = offer(&writer, 22, &[(30, open)]);
    assert_eq!(code(member(&mut writer, 22, another)), "M28.plan-runs");
    pay(&mut writer, number, open);
    assert_eq!(
        writer.tables().plans.get(&PlanId(1)).unwrap().status,
        PlanStatus::Kept
    );
    assert_eq!(
        (dues(&writer, 22).dues, dues(&writer, 22).arrears),
        (Dues::Good, None)
    );
    assert_eq!(writer.due(DeadlineKind::PlanInstalment, 1), None);
}

#[test]
fn two_seat_holders_serve_a_notice_that_the_secretary_forgets() {
    let mut writer = writer("silent");
    let number = invoice(&mut writer, 22);
    past(&mut writer, DeadlineKind::InvoiceDue, number.0);
    past(&mut writer, DeadlineKind::DuesNotice, 22);
    let about = NoticeAbout::Dues(MembershipId(22));
    let act = notice(&writer, about);
    assert_eq!(
        code(member(&mut writer, 1, act.clone())),
        "M29.secretary-first"
    );
    assert_eq!(code(member(&mut writer, 20, act)), "R7.no-seat");
    writer.advance_days(9);
    let act = notice(&writer, about);
    member(&mut writer, 1, act).unwrap();
    let status = |writer: &Writer| writer.tables().notices.get(&NoticeId(1)).unwrap().status;
    assert_eq!(status(&writer), NoticeStatus::Filed);
    let agree = MembershipAct::AgreeNotice {
        notice: NoticeId(1),
    };
    assert_eq!(
        code(member(&mut writer, 1, agree.clone())),
        "M29.same-group"
    );
    member(&mut writer, 2, agree.clone()).unwrap();
    assert_eq!(status(&writer), NoticeStatus::Served);
    assert_eq!(code(member(&mut writer, 3, agree)), "M29.not-filed");
    past(&mut writer, DeadlineKind::DuesSuspend, 22);
    assert!(!may_vote(&writer, 22));
}

/// A member sees what it owes, until when, and what follows; the secretary, which notice is due.
#[test]
fn tasks_say_what_is_owed_until_when_and_what_follows() {
    let mut writer = writer("tasks");
    let number = invoice(&mut writer, 22);
    let of_member = |writer: &Writer, whose, class| {
        let mut tables = writer.tables().clone();
        let open = Open::of(&tables);
        let block = BlockContext {
            chain: Hash::ZERO,
            height: Height(9),
            now: LedgerTime(writer.now()),
        };
        let tx = Tx::of_block(&mut tables, block);
        tasks(&tx, &open, whose, class)
    };
    let whose = Whose::Organisation(OrganisationId(22));
    let owes = |writer: &Writer| {
        let all = of_member(writer, whose, ReadClass::Members);
        let task = all
            .into_iter()
            .find(|task| task.next.object == Object::Invoice)
            .unwrap();
        (task.next.due.unwrap(), task.next.otherwise)
    };
    let due_ms = of(&writer, number).due_ms;
    assert_eq!(owes(&writer), (("invoice-due", due_ms), vec!["arrears"]));
    assert!(
        of_member(&writer, whose, ReadClass::Public).is_empty(),
        "dues are for members"
    );
    past(&mut writer, DeadlineKind::InvoiceDue, number.0);
    let (due, then) = owes(&writer);
    assert_eq!((due.0, then), ("dues-suspend", vec!["voting-suspended"]));
    past(&mut writer, DeadlineKind::DuesNotice, 22);
    let office = Whose::Organisation(OrganisationId(rollbook_sandbox::alliance::secretariat(24)));
    let notices = |writer: &Writer| {
        let all = of_member(writer, office, ReadClass::Members);
        let wanted = all
            .iter()
            .filter(|task| (task.next.object, task.next.who) == (Object::Membership, "SEC"));
        wanted.count()
    };
    assert_eq!(notices(&writer), 1);
    let first = notice(&writer, NoticeAbout::Dues(MembershipId(22)));
    super::dues::office(&mut writer, Role::Secretary, first).unwrap();
    assert_eq!(notices(&writer), 0);
    past(&mut writer, DeadlineKind::DuesSuspend, 22);
    let (due, then) = owes(&writer);
    assert_eq!((due.0, then), ("dues-end", vec!["terminated-for-arrears"]));
}
