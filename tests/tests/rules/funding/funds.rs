//! A fund needs its officers; pledges, instalments and receipts (F01 to F04, F34, F35).

use rollbook_core::account::{AccountKind, Amount, Pot, Totals, Unit};
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::event::EventBody;
use rollbook_core::id::{ContributionId, DirectionId, FundId, InstalmentId, MotionId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::fund::FundStatus;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    AppointCommittee, Appointment, Body, CreateFund, FundAct, MotionEffect, ReceiptEntry,
    WriteOffInstalment,
};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::writer::Writer;

use super::{
    MEMBERS, balance, called, code, day, fund_act, office, open_fund, plan, pledge, pledge_entry,
    receipt, receive, record_receipt, status, totals, writer,
};

#[test]
fn a_fund_needs_its_officers_and_their_acceptance() {
    let mut writer = writer("fund");
    let good = plan(&writer);
    let auditor = writer.holder(Role::Auditor, 0);
    let with = |change: &dyn Fn(&mut CreateFund)| {
        let mut plan = good.clone();
        change(&mut plan);
        plan.officers.sort();
        MotionEffect::CreateFund(plan.into())
    };
    let cases: [(&str, MotionEffect); 9] = [
        (
            "A4.unknown-organisation",
            with(&|plan| plan.holder = OrganisationId(99)),
        ),
        (
            "F01.holder-is-observer",
            with(&|plan| plan.holder = OrganisationId(MEMBERS + 1)),
        ),
        (
            "F01.no-office",
            with(&|plan| plan.office = OrganisationId(1)),
        ),
        (
            "F01.unit-not-allowed",
            with(&|plan| plan.unit = Unit::currency("USD").unwrap()),
        ),
        (
            "R7.unknown-person",
            with(&|plan| plan.officers[0].1 = PersonId(999)),
        ),
        (
            "R7.second-post",
            with(&|plan| plan.officers[0].1 = plan.officers[1].1),
        ),
        (
            "R7.auditor-holds-a-post",
            with(&|plan| plan.officers[0].1 = PersonId(auditor)),
        ),
        (
            "F01.officers-missing",
            with(&|plan| plan.officers.retain(|(role, _)| *role != Role::Treasurer)),
        ),
        (
            "F01.two-chain-roles",
            with(&|plan| plan.officers[5].1 = plan.officers[0].1),
        ),
    ];
    for (expected, effect) in cases {
        assert_eq!(writer.propose(effect, 7).unwrap_err().code, expected);
    }
    let motion = writer
        .propose(MotionEffect::CreateFund(good.clone().into()), 7)
        .unwrap();
    writer.pass(motion);
    assert_eq!(
        writer
            .tables()
            .motions
            .get(&MotionId(motion))
            .unwrap()
            .status,
        MotionStatus::CarriedOut
    );
    // Approved: no pledge yet; strangers have nothing to accept; a part of the officers does not
    // open it.
    let entry = pledge_entry(&writer, 1, Pot::Free, &[(30, 10)]);
    assert_eq!(
        code(fund_act(&mut writer, 11, FundAct::Pledge(entry))),
        "F01.fund-not-open"
    );
    assert_eq!(
        code(fund_act(
            &mut writer,
            11,
            FundAct::Accept { fund: FundId(1) }
        )),
        "F01.nothing-to-accept"
    );
    assert_eq!(
        code(fund_act(
            &mut writer,
            11,
            FundAct::Accept { fund: FundId(2) }
        )),
        "A4.unknown-fund"
    );
    let signers: Vec<(u32, Role)> = good
        .officers
        .iter()
        .map(|(role, person)| (person.0, *role))
        .collect();
    writer
        .act_as(
            good.office.0,
            &signers[..1],
            Body::Fund(FundAct::Accept { fund: FundId(1) }),
        )
        .unwrap();
    assert_eq!(
        writer.tables().funds.get(&FundId(1)).unwrap().status,
        FundStatus::Approved
    );
    assert_eq!(
        code(writer.act_as(
            good.office.0,
            &signers[..1],
            Body::Fund(FundAct::Accept { fund: FundId(1) })
        )),
        "F01.nothing-to-accept"
    );
    writer
        .act_as(
            good.office.0,
            &signers[1..],
            Body::Fund(FundAct::Accept { fund: FundId(1) }),
        )
        .unwrap();
    let fund = writer.tables().funds.get(&FundId(1)).unwrap().clone();
    assert_eq!(
        (fund.status, fund.accepted.len(), fund.holder_accepted),
        (FundStatus::Open, 6, true)
    );
    assert_eq!(
        writer.propose(with(&|_| ()), 7).unwrap_err().code,
        "F01.bank-account-used"
    );
    // The committee: five members of distinct groups.
    let committee = |members: &[u32]| {
        MotionEffect::AppointCommittee(AppointCommittee {
            fund: FundId(1),
            members: members.iter().copied().map(OrganisationId).collect(),
        })
    };
    assert_eq!(
        writer
            .propose(committee(&[1, 2, 3, 12, 13]), 7)
            .unwrap_err()
            .code,
        "R7.group-has-seat"
    );
    assert_eq!(
        writer
            .propose(committee(&[1, 2, 3, 4, MEMBERS + 1]), 7)
            .unwrap_err()
            .code,
        "R7.not-a-member"
    );
    assert_eq!(
        writer
            .propose(committee(&[1, 2, 3, 4]), 7)
            .unwrap_err()
            .code,
        "A6.malformed"
    );
    let motion = writer.propose(committee(&[1, 2, 3, 4, 12]), 7).unwrap();
    writer.pass(motion);
    assert_eq!(
        writer
            .tables()
            .committee_seats
            .iter()
            .map(|((_, member), _)| member.0)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 12]
    );
}

#[test]
fn pledges_instalments_receipts_default_and_late_receipt() {
    let mut writer = writer("pledge");
    let fund = open_fund(&mut writer);
    let parts = pledged(&mut writer, fund);
    receive_in_parts(&mut writer, fund, &parts);
    default_and_receive_late(&mut writer, fund, &parts);
    write_off(&mut writer, &parts);
    cancel_the_rest(&mut writer, fund, &parts);
}

/// F02: what a pledge must be; a good one funds nothing yet.
fn pledged(writer: &mut Writer, fund: u32) -> Vec<u32> {
    let past = pledge_entry(writer, fund, Pot::Free, &[(-1, 10)]);
    assert_eq!(
        code(fund_act(writer, 11, FundAct::Pledge(past))),
        "F02.due-day-past"
    );
    let nowhere = pledge_entry(writer, fund, Pot::Direction(DirectionId(9)), &[(1, 10)]);
    assert_eq!(
        code(fund_act(writer, 11, FundAct::Pledge(nowhere))),
        "F02.unknown-direction"
    );
    let entry = pledge_entry(writer, fund, Pot::Free, &[(30, 10)]);
    let (first, second) = officers_of(11);
    let signers = [(first, Role::Primary), (second, Role::Technical)];
    assert_eq!(
        code(writer.act_as(11, &signers, Body::Fund(FundAct::Pledge(entry.clone())))),
        "A6.too-few-officers"
    );
    let outsider = writer.register(1, "Outsider", &[]);
    assert_eq!(
        code(fund_act(writer, outsider, FundAct::Pledge(entry))),
        "F02.member-not-live"
    );
    let parts = pledge(
        writer,
        11,
        fund,
        Pot::Direction(DirectionId(1)),
        &[(30, 600), (60, 400), (90, 200)],
    );
    assert_eq!(
        totals(writer, fund),
        Totals::default(),
        "a pledge funds nothing"
    );
    parts
}

/// F34, F03, N8: called, recorded by one, confirmed by another, each reference once.
fn receive_in_parts(writer: &mut Writer, fund: u32, parts: &[u32]) {
    let early = receipt(writer, parts[0], 600, "BANK-1");
    assert_eq!(
        record_receipt(writer, early.clone()).unwrap_err().code,
        "F03.not-called"
    );
    called(writer, parts[0]);
    assert_eq!(
        code(office(
            writer,
            Role::Treasurer,
            FundAct::CallInstalment {
                instalment: InstalmentId(parts[0])
            }
        )),
        "F34.wrong-state"
    );
    let excess = receipt(writer, parts[0], 601, "BANK-1");
    assert_eq!(
        record_receipt(writer, excess).unwrap_err().code,
        "F03.excess-is-a-new-pledge"
    );
    let ahead = ReceiptEntry {
        value_day: LocalDay(day(writer, 1)),
        ..early.clone()
    };
    assert_eq!(
        record_receipt(writer, ahead).unwrap_err().code,
        "F03.value-day-ahead"
    );
    assert_eq!(
        record_receipt(
            writer,
            ReceiptEntry {
                amount: Amount(0),
                ..early.clone()
            }
        )
        .unwrap_err()
        .code,
        "N2.amount"
    );
    assert_eq!(
        code(office(
            writer,
            Role::SecondOfficer,
            FundAct::RecordReceipt(early.clone())
        )),
        "A6.role-missing"
    );
    let id = record_receipt(
        writer,
        ReceiptEntry {
            amount: Amount(250),
            ..early
        },
    )
    .unwrap();
    assert_eq!(
        balance(writer, fund, AccountKind::Direction(DirectionId(1))),
        0,
        "recorded, not confirmed"
    );
    assert_eq!(
        code(office(
            writer,
            Role::Treasurer,
            FundAct::ConfirmReceipt { receipt: id }
        )),
        "A6.role-missing"
    );
    office(
        writer,
        Role::SecondOfficer,
        FundAct::ConfirmReceipt { receipt: id },
    )
    .unwrap();
    assert_eq!(
        code(office(
            writer,
            Role::SecondOfficer,
            FundAct::ConfirmReceipt { receipt: id }
        )),
        "F03.already-confirmed"
    );
    let unknown = FundAct::ConfirmReceipt {
        receipt: sha256(b"?"),
    };
    assert_eq!(
        code(office(writer, Role::SecondOfficer, unknown)),
        "F03.unknown-receipt"
    );
    assert_eq!(status(writer, parts[0]), InstalmentStatus::PartlyReceived);
    assert_eq!(
        balance(writer, fund, AccountKind::Direction(DirectionId(1))),
        250
    );
    assert_eq!(
        receive(writer, parts[0], 100, "BANK-1").unwrap_err().code,
        "N8.bank-reference-used"
    );
    // Two receipts under one reference, both recorded before the first is confirmed: one counts.
    let twice = receipt(writer, parts[0], 100, "BANK-2");
    let ids = [
        record_receipt(writer, twice.clone()).unwrap(),
        record_receipt(writer, twice).unwrap(),
    ];
    office(
        writer,
        Role::SecondOfficer,
        FundAct::ConfirmReceipt { receipt: ids[0] },
    )
    .unwrap();
    assert_eq!(
        code(office(
            writer,
            Role::SecondOfficer,
            FundAct::ConfirmReceipt { receipt: ids[1] }
        )),
        "N8.bank-reference-used"
    );
}

/// F04 at the end of due day and grace, F35 afterwards.
fn default_and_receive_late(writer: &mut Writer, fund: u32, parts: &[u32]) {
    let due = writer
        .due(DeadlineKind::InstalmentDefault, parts[0])
        .unwrap();
    writer.advance(due);
    assert_eq!(
        status(writer, parts[0]),
        InstalmentStatus::PartlyReceived,
        "the last millisecond counts"
    );
    let events = writer.advance(due + 1);
    let defaulted = EventBody::InstalmentDefaulted {
        fund: FundId(fund),
        contribution: ContributionId(1),
        instalment: InstalmentId(parts[0]),
        member: OrganisationId(11),
        amount: Amount(250),
    };
    assert_eq!(
        events
            .into_iter()
            .map(|event| event.body)
            .collect::<Vec<_>>(),
        [defaulted]
    );
    assert_eq!(status(writer, parts[0]), InstalmentStatus::Defaulted);
    receive(writer, parts[0], 50, "BANK-3").unwrap();
    assert_eq!(status(writer, parts[0]), InstalmentStatus::Defaulted);
}

/// F35: written off by motion.
fn write_off(writer: &mut Writer, parts: &[u32]) {
    let by_motion = |instalment| {
        MotionEffect::WriteOffInstalment(WriteOffInstalment {
            instalment,
            attempts: sha256(b"letters"),
        })
    };
    assert_eq!(
        writer
            .propose(by_motion(InstalmentId(parts[1])), 7)
            .unwrap_err()
            .code,
        "F35.wrong-state"
    );
    let motion = writer
        .propose(by_motion(InstalmentId(parts[0])), 7)
        .unwrap();
    writer.pass(motion);
    assert_eq!(status(writer, parts[0]), InstalmentStatus::WrittenOff);
    assert_eq!(
        receive(writer, parts[0], 1, "BANK-4").unwrap_err().code,
        "F03.nothing-open"
    );
}

/// F34: cancelled by two chained records; what was called meanwhile stays.
fn cancel_the_rest(writer: &mut Writer, fund: u32, parts: &[u32]) {
    let (first, second) = officers_of(11);
    let propose = |contribution, instalments: &[u32]| FundAct::ProposeCancel {
        contribution,
        instalments: instalments.iter().copied().map(InstalmentId).collect(),
    };
    assert_eq!(
        code(fund_act(
            writer,
            12,
            propose(ContributionId(1), &[parts[1]])
        )),
        "F34.not-the-member"
    );
    assert_eq!(
        code(fund_act(writer, 11, propose(ContributionId(1), &[99]))),
        "F34.not-of-this-contribution"
    );
    assert_eq!(
        code(fund_act(
            writer,
            11,
            propose(ContributionId(1), &[parts[0]])
        )),
        "F34.already-called"
    );
    assert_eq!(
        code(fund_act(writer, 11, propose(ContributionId(1), &[]))),
        "A6.malformed"
    );
    let record = writer.sign(
        11,
        &[(first, Role::Primary), (second, Role::Finance)],
        Body::Fund(propose(ContributionId(1), &parts[1..])),
    );
    assert!(
        writer
            .submit(std::slice::from_ref(&record))
            .refused
            .is_empty()
    );
    called(writer, parts[1]);
    let agree = FundAct::AgreeCancel {
        proposal: record.id(),
    };
    assert_eq!(
        code(office(writer, Role::Treasurer, agree)),
        "F34.wrong-state",
        "one was called meanwhile"
    );
    let record = writer.sign(
        11,
        &[(first, Role::Primary), (second, Role::Finance)],
        Body::Fund(propose(ContributionId(1), &parts[2..])),
    );
    assert!(
        writer
            .submit(std::slice::from_ref(&record))
            .refused
            .is_empty()
    );
    let agree = FundAct::AgreeCancel {
        proposal: record.id(),
    };
    office(writer, Role::Treasurer, agree.clone()).unwrap();
    assert_eq!(
        code(office(writer, Role::Treasurer, agree)),
        "F34.already-agreed"
    );
    receive(writer, parts[1], 400, "BANK-5").unwrap();
    assert_eq!(writer.due(DeadlineKind::InstalmentDefault, parts[1]), None);
    let memo = writer
        .tables()
        .contributions
        .get(&ContributionId(1))
        .unwrap()
        .pledge;
    assert_eq!(
        (
            memo.received,
            memo.written_off,
            memo.cancelled,
            memo.pledged()
        ),
        (Amount(800), Amount(200), Amount(200), 1200)
    );
    assert_eq!(
        balance(writer, fund, AccountKind::Member(OrganisationId(11))),
        -800
    );
}

/// A receipt is entered before the default is due and confirmed after it. It used to be a public
/// default of money that had come in time; now the default of its amount waits for the days of a
/// confirmation, once.
#[test]
fn r35_money_that_came_in_time_and_is_confirmed_late_is_no_default() {
    let mut writer = writer("in-time");
    let fund = open_fund(&mut writer);
    let parts = pledge(
        &mut writer,
        11,
        fund,
        Pot::Free,
        &[(5, 600), (6, 400), (7, 200)],
    );
    for part in &parts {
        called(&mut writer, *part);
    }
    let due = |writer: &Writer, part| writer.due(DeadlineKind::InstalmentDefault, part);
    let defaults = |events: &[EventBody]| -> Vec<u64> {
        events
            .iter()
            .filter_map(|event| match event {
                EventBody::InstalmentDefaulted { amount, .. } => Some(amount.0),
                _ => None,
            })
            .collect()
    };
    let confirm = |writer: &mut Writer, receipt| {
        office(
            writer,
            Role::SecondOfficer,
            FundAct::ConfirmReceipt { receipt },
        )
    };
    // The whole of the first, a part of the second, nothing of the third.
    let first_due = due(&writer, parts[0]).unwrap();
    writer.advance(first_due - 3_600_000);
    let entry = receipt(&writer, parts[0], 600, "IN-TIME-1");
    let first = record_receipt(&mut writer, entry).unwrap();
    let entry = receipt(&writer, parts[1], 150, "IN-TIME-2");
    let second = record_receipt(&mut writer, entry).unwrap();
    let last = due(&writer, parts[2]).unwrap();
    let events: Vec<EventBody> = writer
        .advance(last + 1)
        .into_iter()
        .map(|event| event.body)
        .collect();
    assert_eq!(defaults(&events), [250, 200], "{events:?}");
    assert_eq!(status(&writer, parts[0]), InstalmentStatus::Called);
    assert_eq!(status(&writer, parts[1]), InstalmentStatus::Defaulted);
    let write_off = WriteOffInstalment {
        instalment: InstalmentId(parts[1]),
        attempts: Hash::ZERO,
    };
    assert_eq!(
        writer
            .propose(MotionEffect::WriteOffInstalment(write_off), 7)
            .unwrap_err()
            .code,
        "F35.default-delayed"
    );
    // A late receipt of more than has defaulted was confirmed, or tried to be: the memo ledger then
    // had less in default than the receipt took from it.
    assert_eq!(
        receive(&mut writer, parts[1], 300, "LATE-0")
            .unwrap_err()
            .code,
        "F35.default-delayed"
    );
    confirm(&mut writer, first).unwrap();
    assert_eq!(status(&writer, parts[0]), InstalmentStatus::Received);
    assert_eq!(due(&writer, parts[0]), None);
    confirm(&mut writer, second).unwrap();
    // 150 came in time, 250 is defaulted and comes late.
    receive(&mut writer, parts[1], 250, "LATE-1").unwrap();
    assert_eq!(status(&writer, parts[1]), InstalmentStatus::Received);
    let pledge = |writer: &Writer| {
        let number = *writer.tables().contributions.last_key().unwrap();
        writer.tables().contributions.get(&number).unwrap().pledge
    };
    let memo = pledge(&writer);
    assert_eq!(
        (memo.received.0, memo.defaulted.0, memo.called_open.0),
        (1_000, 200, 0)
    );

    // What nobody confirms in those days is defaulted after all, and no second receipt delays it.
    let parts = super::pledge(&mut writer, 11, fund, Pot::Free, &[(5, 600)]);
    called(&mut writer, parts[0]);
    let at = due(&writer, parts[0]).unwrap();
    writer.advance(at - 3_600_000);
    let entry = receipt(&writer, parts[0], 600, "NEVER-1");
    record_receipt(&mut writer, entry).unwrap();
    writer.advance(at + 1);
    assert_eq!(status(&writer, parts[0]), InstalmentStatus::Called);
    let later = due(&writer, parts[0]).unwrap();
    assert!(later >= at + 5 * MS_PER_DAY);
    let entry = receipt(&writer, parts[0], 600, "NEVER-2");
    record_receipt(&mut writer, entry).unwrap();
    let events: Vec<EventBody> = writer
        .advance(later + 1)
        .into_iter()
        .map(|event| event.body)
        .collect();
    assert_eq!(defaults(&events), [600]);
    assert_eq!(status(&writer, parts[0]), InstalmentStatus::Defaulted);
}

/// `A-1`, `A.1` and `A/1` were three references, so one movement of the bank could count three
/// times; a value date could lie years back.
#[test]
fn r35_one_movement_of_the_bank_has_one_reference_and_a_value_date_since_the_pledge() {
    let mut writer = writer("reference");
    let fund = open_fund(&mut writer);
    let parts = pledge(&mut writer, 11, fund, Pot::Free, &[(30, 600)]);
    called(&mut writer, parts[0]);
    receive(&mut writer, parts[0], 100, "ICBC-2023/777").unwrap();
    for spelling in [
        "ICBC-2023/777",
        "ICBC-2023-777",
        "ICBC.2023.777",
        "ICBC2023777",
    ] {
        let refused = receive(&mut writer, parts[0], 100, spelling).unwrap_err();
        assert_eq!(refused.code, "N8.bank-reference-used", "{spelling}");
    }
    let short = receipt(&writer, parts[0], 100, "A-1");
    assert_eq!(
        record_receipt(&mut writer, short).unwrap_err().code,
        "A6.malformed"
    );
    let mut early = receipt(&writer, parts[0], 100, "EARLY-1");
    early.value_day = LocalDay(early.value_day.0 - 1);
    assert_eq!(
        record_receipt(&mut writer, early).unwrap_err().code,
        "F03.value-day-before-pledge"
    );
}

/// Whoever held any post in an office accepted a fund for it, alone; and posts were filled for
/// funds that did not exist, which the fund's own founding then did not see.
#[test]
fn r7_an_office_is_bound_by_two_of_its_officers_and_posts_are_for_funds_that_exist() {
    let mut writer = writer("holder");
    let plan = plan(&writer);
    let motion = writer
        .propose(MotionEffect::CreateFund(plan.clone().into()), 7)
        .unwrap();
    writer.pass(motion);
    let number = *writer.tables().funds.last_key().unwrap();
    let accepted = |writer: &Writer| writer.tables().funds.get(&number).unwrap().holder_accepted;
    let accept = Body::Fund(FundAct::Accept { fund: number });
    let registrar = writer.holder(Role::Secretary, 0);
    let programme = writer.holder(Role::ProgrammeOfficer, 0);
    let treasurer = writer.holder(Role::Treasurer, 0);
    let alone = [(treasurer, Role::Treasurer)];
    writer
        .act_as(plan.office.0, &alone, accept.clone())
        .unwrap();
    assert!(!accepted(&writer), "one signature");
    let mut pair = [
        (registrar, Role::Secretary),
        (programme, Role::ProgrammeOfficer),
    ];
    pair.sort_by_key(|(person, _)| *person);
    writer.act_as(plan.office.0, &pair, accept.clone()).unwrap();
    assert!(!accepted(&writer), "a programme officer does not bind it");
    let mut pair = [(registrar, Role::Secretary), (treasurer, Role::Treasurer)];
    pair.sort_by_key(|(person, _)| *person);
    writer.act_as(plan.office.0, &pair, accept).unwrap();
    assert!(accepted(&writer));
    let appointment = Appointment {
        office: plan.office,
        role: Role::Treasurer,
        scope: Scope::Fund(FundId(99)),
        holder: PersonId(officers_of(20).0),
        deputy: None,
        succeeds: None,
    };
    assert_eq!(
        writer
            .propose(MotionEffect::Appoint(appointment), 7)
            .unwrap_err()
            .code,
        "A4.unknown-fund"
    );
}
