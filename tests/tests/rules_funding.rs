//! Funds, contributions, calls, applications, draws and reviews on a one-writer ledger (F01 to F10,
//! F34, F35, F37 to F40, R22).

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollbook_core::account::{Account, AccountKind, Pot, Totals, Unit};
use rollbook_core::apply::{DeadlineKind, EventBody, NotCounted, Outcome, Refusal};
use rollbook_core::charter::{Class, DAY_MS};
use rollbook_core::funding::call::{Contestant, better, score};
use rollbook_core::funding::{
    Appeal, ApplicationStatus, CallStatus, DrawStatus, FundStatus, InstalmentStatus, ReviewStatus,
    Row, draw, table,
};
use rollbook_core::identity::{Name, Role};
use rollbook_core::motion::MotionStatus;
use rollbook_core::motion::rules::BodyKind;
use rollbook_core::record::{
    ApplicationContent, AppointCommittee, BankReference, Body, CallAct, CallTerms, CancelCall,
    Choice, ConfirmPool, ConflictKind, CreateFund, Criterion, DrawFor, Eligibility, FundAct,
    GrantAward, InstalmentEntry, MotionEffect, PledgeEntry, PoolKind, ReceiptEntry,
    ReviewDeclaration, Revision, Scores, SeenEarlier, SeenReceipt, Submission, TieBreak, Verdict,
    WriteOffInstalment, draw_commitment,
};
use rollbook_proof::answer;
use rollbook_proof::answer::{Answer, SignedAnswer};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, KeyKind, sha256};
use rollbook_tests::alliance::{Alliance, node_key, officers_of, secretariat};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;
/// Minor units of one yuan.
const Y: u64 = 100;

type Applied = Result<Outcome, Refusal>;

fn code(result: Applied) -> &'static str {
    result.unwrap_err().code
}

fn name(latin: &str) -> Name {
    Name {
        native: text(latin),
        latin: text(latin),
    }
}

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::related(
        seed.as_bytes(),
        MEMBERS,
        4,
        rollbook_proof::log::Clock::Sample,
        &[(12, 13)],
        |_| {},
    ))
}

fn day(writer: &Writer, ahead: i64) -> i64 {
    i64::try_from((writer.now() + 8 * 3_600_000) / DAY_MS).unwrap() + ahead
}

fn fund_act(writer: &mut Writer, member: u32, act: FundAct) -> Applied {
    writer.member(member, Body::Fund(act))
}

fn office(writer: &mut Writer, role: Role, act: FundAct) -> Applied {
    writer.office(role, Body::Fund(act))
}

fn plan(writer: &Writer) -> CreateFund {
    let mut officers: Vec<(Role, u32)> = [
        (Role::Treasurer, 0),
        (Role::SecondOfficer, 0),
        (Role::SecondOfficer, 1),
        (Role::ProgrammeOfficer, 0),
        (Role::FinanceApprover, 0),
        (Role::FinanceApprover, 1),
    ]
    .map(|(role, nth)| (role, writer.holder(role, nth)))
    .to_vec();
    officers.sort();
    CreateFund {
        name: name("Sample promotion fund"),
        holder: secretariat(MEMBERS),
        unit: Unit::default(),
        bank_account: sha256(b"salted account"),
        office: secretariat(MEMBERS),
        officers,
    }
}

/// An open fund, by motion and acceptances.
fn open_fund(writer: &mut Writer) -> u32 {
    let plan = plan(writer);
    let motion = writer
        .propose(MotionEffect::CreateFund(plan.clone().into()), 7)
        .unwrap();
    writer.pass(motion);
    let fund = *writer.tables().funds.last_key().unwrap();
    assert_eq!(
        writer.tables().funds.get(&fund).unwrap().status,
        FundStatus::Approved
    );
    let signers: Vec<(u32, Role)> = plan
        .officers
        .iter()
        .map(|(role, person)| (*person, *role))
        .collect();
    writer
        .act_as(plan.office, &signers, Body::Fund(FundAct::Accept { fund }))
        .unwrap();
    assert_eq!(
        writer.tables().funds.get(&fund).unwrap().status,
        FundStatus::Open
    );
    fund
}

fn pledge(writer: &mut Writer, member: u32, fund: u32, pot: Pot, parts: &[(i64, u64)]) -> Vec<u32> {
    let entry = pledge_entry(writer, fund, pot, parts);
    fund_act(writer, member, FundAct::Pledge(entry)).unwrap();
    let number = *writer.tables().contributions.last_key().unwrap();
    writer
        .tables()
        .contributions
        .get(&number)
        .unwrap()
        .instalments
        .clone()
}

fn pledge_entry(writer: &Writer, fund: u32, pot: Pot, parts: &[(i64, u64)]) -> PledgeEntry {
    let instalments = parts
        .iter()
        .map(|(ahead, amount)| InstalmentEntry {
            due_day: day(writer, *ahead),
            amount: *amount,
        })
        .collect();
    PledgeEntry {
        fund,
        pot,
        instalments,
    }
}

fn receipt(writer: &Writer, instalment: u32, amount: u64, reference: &str) -> ReceiptEntry {
    ReceiptEntry {
        instalment,
        amount,
        reference: BankReference(text(reference)),
        value_day: day(writer, 0),
    }
}

/// Records a receipt and returns its record id.
fn record_receipt(writer: &mut Writer, entry: ReceiptEntry) -> Result<Hash, Refusal> {
    let treasurer = writer.holder(Role::Treasurer, 0);
    let record = writer.sign(
        secretariat(MEMBERS),
        &[(treasurer, Role::Treasurer)],
        Body::Fund(FundAct::RecordReceipt(entry)),
    );
    let mut block = writer.submit(std::slice::from_ref(&record));
    block.refused.pop().map_or(Ok(record.id()), Err)
}

fn receive(writer: &mut Writer, instalment: u32, amount: u64, reference: &str) -> Applied {
    let entry = receipt(writer, instalment, amount, reference);
    let receipt = record_receipt(writer, entry)?;
    office(
        writer,
        Role::SecondOfficer,
        FundAct::ConfirmReceipt { receipt },
    )
}

fn called(writer: &mut Writer, instalment: u32) {
    office(
        writer,
        Role::Treasurer,
        FundAct::CallInstalment { instalment },
    )
    .unwrap();
}

fn balance(writer: &Writer, fund: u32, kind: AccountKind) -> i128 {
    writer
        .tables()
        .accounts
        .get(&Account { fund, kind })
        .copied()
        .unwrap_or(0)
}

fn totals(writer: &Writer, fund: u32) -> Totals {
    Totals::of(
        fund,
        writer
            .tables()
            .accounts
            .iter()
            .map(|(account, balance)| (*account, *balance)),
    )
    .unwrap()
}

fn status(writer: &Writer, instalment: u32) -> InstalmentStatus {
    writer.tables().instalments.get(&instalment).unwrap().status
}

#[test]
fn a_fund_needs_its_officers_and_their_acceptance() {
    let mut w = writer("fund");
    let good = plan(&w);
    let auditor = w.holder(Role::Auditor, 0);
    let with = |change: &dyn Fn(&mut CreateFund)| {
        let mut plan = good.clone();
        change(&mut plan);
        plan.officers.sort();
        MotionEffect::CreateFund(plan.into())
    };
    let cases: [(&str, MotionEffect); 9] = [
        ("A4.unknown-organisation", with(&|p| p.holder = 99)),
        ("F01.holder-is-observer", with(&|p| p.holder = MEMBERS + 1)),
        ("F01.no-office", with(&|p| p.office = 1)),
        (
            "F01.unit-not-allowed",
            with(&|p| p.unit = Unit::currency("USD").unwrap()),
        ),
        ("F01.unknown-person", with(&|p| p.officers[0].1 = 999)),
        (
            "F01.two-chain-roles",
            with(&|p| p.officers[0].1 = p.officers[1].1),
        ),
        ("F01.auditor", with(&|p| p.officers[0].1 = auditor)),
        (
            "F01.officers-missing",
            with(&|p| p.officers.retain(|(role, _)| *role != Role::Treasurer)),
        ),
        (
            "F01.two-chain-roles",
            with(&|p| p.officers[5].1 = p.officers[0].1),
        ),
    ];
    for (expected, effect) in cases {
        assert_eq!(w.propose(effect, 7).unwrap_err().code, expected);
    }
    let motion = w
        .propose(MotionEffect::CreateFund(good.clone().into()), 7)
        .unwrap();
    w.pass(motion);
    assert_eq!(
        w.tables().motions.get(&motion).unwrap().status,
        MotionStatus::CarriedOut
    );
    // Approved: no pledge yet; strangers have nothing to accept; a part of the officers does not
    // open it.
    let entry = pledge_entry(&w, 1, Pot::Free, &[(30, 10)]);
    assert_eq!(
        code(fund_act(&mut w, 11, FundAct::Pledge(entry))),
        "F01.fund-not-open"
    );
    assert_eq!(
        code(fund_act(&mut w, 11, FundAct::Accept { fund: 1 })),
        "F01.nothing-to-accept"
    );
    assert_eq!(
        code(fund_act(&mut w, 11, FundAct::Accept { fund: 2 })),
        "A4.unknown-fund"
    );
    let signers: Vec<(u32, Role)> = good
        .officers
        .iter()
        .map(|(role, person)| (*person, *role))
        .collect();
    w.act_as(
        good.office,
        &signers[..1],
        Body::Fund(FundAct::Accept { fund: 1 }),
    )
    .unwrap();
    assert_eq!(
        w.tables().funds.get(&1).unwrap().status,
        FundStatus::Approved
    );
    assert_eq!(
        code(w.act_as(
            good.office,
            &signers[..1],
            Body::Fund(FundAct::Accept { fund: 1 })
        )),
        "F01.nothing-to-accept"
    );
    w.act_as(
        good.office,
        &signers[1..],
        Body::Fund(FundAct::Accept { fund: 1 }),
    )
    .unwrap();
    let fund = w.tables().funds.get(&1).unwrap().clone();
    assert_eq!(
        (fund.status, fund.accepted.len(), fund.holder_accepted),
        (FundStatus::Open, 6, true)
    );
    assert_eq!(
        w.propose(with(&|_| ()), 7).unwrap_err().code,
        "F01.bank-account-used"
    );
    // The committee: five members of distinct groups.
    let committee = |members: &[u32]| {
        MotionEffect::AppointCommittee(AppointCommittee {
            fund: 1,
            members: members.to_vec(),
        })
    };
    assert_eq!(
        w.propose(committee(&[1, 2, 3, 12, 13]), 7)
            .unwrap_err()
            .code,
        "R7.group-has-seat"
    );
    assert_eq!(
        w.propose(committee(&[1, 2, 3, 4, MEMBERS + 1]), 7)
            .unwrap_err()
            .code,
        "R7.not-a-member"
    );
    assert_eq!(
        w.propose(committee(&[1, 2, 3, 4]), 7).unwrap_err().code,
        "A6.malformed"
    );
    let motion = w.propose(committee(&[1, 2, 3, 4, 12]), 7).unwrap();
    w.pass(motion);
    assert_eq!(
        w.tables()
            .committee_seats
            .iter()
            .map(|((_, member), _)| *member)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 12]
    );
}

#[test]
fn pledges_instalments_receipts_default_and_late_receipt() {
    let mut w = writer("pledge");
    let fund = open_fund(&mut w);
    // F02.
    let past = pledge_entry(&w, fund, Pot::Free, &[(-1, 10)]);
    assert_eq!(
        code(fund_act(&mut w, 11, FundAct::Pledge(past))),
        "F02.due-day-past"
    );
    let nowhere = pledge_entry(&w, fund, Pot::Direction(9), &[(1, 10)]);
    assert_eq!(
        code(fund_act(&mut w, 11, FundAct::Pledge(nowhere))),
        "F02.unknown-direction"
    );
    let entry = pledge_entry(&w, fund, Pot::Free, &[(30, 10)]);
    let (first, second) = officers_of(11);
    let signers = [(first, Role::Primary), (second, Role::Technical)];
    assert_eq!(
        code(w.act_as(11, &signers, Body::Fund(FundAct::Pledge(entry.clone())))),
        "A6.role-missing"
    );
    let outsider = w.register(1, "Outsider", &[]);
    assert_eq!(
        code(fund_act(&mut w, outsider, FundAct::Pledge(entry))),
        "F02.member-not-live"
    );
    let parts = pledge(
        &mut w,
        11,
        fund,
        Pot::Direction(1),
        &[(30, 600), (60, 400), (90, 200)],
    );
    assert_eq!(
        totals(&w, fund),
        Totals::default(),
        "a pledge funds nothing"
    );

    // F34, F03.
    let early = receipt(&w, parts[0], 600, "BANK-1");
    assert_eq!(
        record_receipt(&mut w, early.clone()).unwrap_err().code,
        "F03.not-called"
    );
    called(&mut w, parts[0]);
    assert_eq!(
        code(office(
            &mut w,
            Role::Treasurer,
            FundAct::CallInstalment {
                instalment: parts[0]
            }
        )),
        "F34.wrong-state"
    );
    let excess = receipt(&w, parts[0], 601, "BANK-1");
    assert_eq!(
        record_receipt(&mut w, excess).unwrap_err().code,
        "F03.excess-is-a-new-pledge"
    );
    let ahead = ReceiptEntry {
        value_day: day(&w, 1),
        ..early.clone()
    };
    assert_eq!(
        record_receipt(&mut w, ahead).unwrap_err().code,
        "F03.value-day-ahead"
    );
    assert_eq!(
        record_receipt(
            &mut w,
            ReceiptEntry {
                amount: 0,
                ..early.clone()
            }
        )
        .unwrap_err()
        .code,
        "N2.amount"
    );
    assert_eq!(
        code(office(
            &mut w,
            Role::SecondOfficer,
            FundAct::RecordReceipt(early.clone())
        )),
        "A6.role-missing"
    );
    let id = record_receipt(
        &mut w,
        ReceiptEntry {
            amount: 250,
            ..early
        },
    )
    .unwrap();
    assert_eq!(
        balance(&w, fund, AccountKind::Direction(1)),
        0,
        "recorded, not confirmed"
    );
    assert_eq!(
        code(office(
            &mut w,
            Role::Treasurer,
            FundAct::ConfirmReceipt { receipt: id }
        )),
        "A6.role-missing"
    );
    office(
        &mut w,
        Role::SecondOfficer,
        FundAct::ConfirmReceipt { receipt: id },
    )
    .unwrap();
    assert_eq!(
        code(office(
            &mut w,
            Role::SecondOfficer,
            FundAct::ConfirmReceipt { receipt: id }
        )),
        "F03.already-confirmed"
    );
    let unknown = FundAct::ConfirmReceipt {
        receipt: sha256(b"?"),
    };
    assert_eq!(
        code(office(&mut w, Role::SecondOfficer, unknown)),
        "F03.unknown-receipt"
    );
    assert_eq!(status(&w, parts[0]), InstalmentStatus::PartlyReceived);
    assert_eq!(balance(&w, fund, AccountKind::Direction(1)), 250);
    assert_eq!(
        receive(&mut w, parts[0], 100, "BANK-1").unwrap_err().code,
        "N8.bank-reference-used"
    );
    // Two receipts under one reference, both recorded before the first is confirmed: one counts.
    let twice = receipt(&w, parts[0], 100, "BANK-2");
    let ids = [
        record_receipt(&mut w, twice.clone()).unwrap(),
        record_receipt(&mut w, twice).unwrap(),
    ];
    office(
        &mut w,
        Role::SecondOfficer,
        FundAct::ConfirmReceipt { receipt: ids[0] },
    )
    .unwrap();
    assert_eq!(
        code(office(
            &mut w,
            Role::SecondOfficer,
            FundAct::ConfirmReceipt { receipt: ids[1] }
        )),
        "N8.bank-reference-used"
    );

    // F04 at the end of due day and grace, F35 afterwards.
    let due = w.due(DeadlineKind::InstalmentDefault, parts[0]).unwrap();
    w.advance(due);
    assert_eq!(
        status(&w, parts[0]),
        InstalmentStatus::PartlyReceived,
        "the last millisecond counts"
    );
    let events = w.advance(due + 1);
    let defaulted = EventBody::InstalmentDefaulted {
        fund,
        contribution: 1,
        instalment: parts[0],
        member: 11,
        amount: 250,
    };
    assert_eq!(
        events
            .into_iter()
            .map(|event| event.body)
            .collect::<Vec<_>>(),
        [defaulted]
    );
    assert_eq!(status(&w, parts[0]), InstalmentStatus::Defaulted);
    receive(&mut w, parts[0], 50, "BANK-3").unwrap();
    assert_eq!(status(&w, parts[0]), InstalmentStatus::Defaulted);

    // F35 write-off.
    let write_off = |instalment| {
        MotionEffect::WriteOffInstalment(WriteOffInstalment {
            instalment,
            attempts: sha256(b"letters"),
        })
    };
    assert_eq!(
        w.propose(write_off(parts[1]), 7).unwrap_err().code,
        "F35.wrong-state"
    );
    let motion = w.propose(write_off(parts[0]), 7).unwrap();
    w.pass(motion);
    assert_eq!(status(&w, parts[0]), InstalmentStatus::WrittenOff);
    assert_eq!(
        receive(&mut w, parts[0], 1, "BANK-4").unwrap_err().code,
        "F03.nothing-open"
    );

    // F34, cancelled by two chained records.
    let propose = |contribution, instalments: &[u32]| FundAct::ProposeCancel {
        contribution,
        instalments: instalments.to_vec(),
    };
    assert_eq!(
        code(fund_act(&mut w, 12, propose(1, &[parts[1]]))),
        "F34.not-the-member"
    );
    assert_eq!(
        code(fund_act(&mut w, 11, propose(1, &[99]))),
        "F34.not-of-this-contribution"
    );
    assert_eq!(
        code(fund_act(&mut w, 11, propose(1, &[parts[0]]))),
        "F34.already-called"
    );
    assert_eq!(code(fund_act(&mut w, 11, propose(1, &[]))), "A6.malformed");
    let record = w.sign(
        11,
        &[(first, Role::Primary), (second, Role::Finance)],
        Body::Fund(propose(1, &parts[1..])),
    );
    assert!(w.submit(std::slice::from_ref(&record)).refused.is_empty());
    called(&mut w, parts[1]);
    let agree = FundAct::AgreeCancel {
        proposal: record.id(),
    };
    assert_eq!(
        code(office(&mut w, Role::Treasurer, agree)),
        "F34.wrong-state",
        "one was called meanwhile"
    );
    let record = w.sign(
        11,
        &[(first, Role::Primary), (second, Role::Finance)],
        Body::Fund(propose(1, &parts[2..])),
    );
    assert!(w.submit(std::slice::from_ref(&record)).refused.is_empty());
    let agree = FundAct::AgreeCancel {
        proposal: record.id(),
    };
    office(&mut w, Role::Treasurer, agree.clone()).unwrap();
    assert_eq!(
        code(office(&mut w, Role::Treasurer, agree)),
        "F34.already-agreed"
    );
    receive(&mut w, parts[1], 400, "BANK-5").unwrap();
    assert_eq!(w.due(DeadlineKind::InstalmentDefault, parts[1]), None);
    let memo = w.tables().contributions.get(&1).unwrap().pledge;
    assert_eq!(
        (
            memo.received,
            memo.written_off,
            memo.cancelled,
            memo.pledged()
        ),
        (800, 200, 200, 1200)
    );
    assert_eq!(balance(&w, fund, AccountKind::Member(11)), -800);
}

fn criterion(code: &str, weight_bp: u32, threshold: u32) -> Criterion {
    Criterion {
        code: text(code),
        weight_bp,
        score_max: 10,
        threshold,
    }
}

fn terms(writer: &Writer, fund: u32) -> CallTerms {
    CallTerms {
        fund,
        title: name("CALL-XR"),
        direction: Some(2),
        budget: 25_000_000 * Y,
        ask_max: 12_000_000 * Y,
        criteria: vec![
            criterion("quality", 4_000, 4),
            criterion("impact", 3_500, 0),
            criterion("value", 2_500, 0),
        ],
        threshold: 50_000,
        reviewers: 3,
        concentration_bp: Some(7_000),
        tie_breaks: vec![
            TieBreak::Criterion(0),
            TieBreak::SmallerAsk,
            TieBreak::Earlier,
        ],
        eligibility: Eligibility {
            classes: vec![Class::Founding, Class::Council],
            outsiders: true,
            in_direction: false,
        },
        codes: vec![text("incomplete"), text("out-of-scope")],
        opens_day: day(writer, 15),
        closes_day: day(writer, 45),
        document: sha256(b"call document"),
    }
}

/// A call with money in its fund: 20 m free, 10 m earmarked to direction 2. Ledger time is in the
/// window.
fn open_call(w: &mut Writer) -> (u32, u32) {
    let fund = open_fund(w);
    for (member, pot, reference) in [(11, Pot::Free, "IN-11"), (14, Pot::Direction(2), "IN-14")] {
        let amount = if pot == Pot::Free {
            20_000_000 * Y
        } else {
            10_000_000 * Y
        };
        let parts = pledge(w, member, fund, pot, &[(30, amount)]);
        called(w, parts[0]);
        receive(w, parts[0], amount, reference).unwrap();
    }
    let terms = terms(w, fund);
    let motion = w
        .propose(MotionEffect::PublishCall(terms.into()), 7)
        .unwrap();
    w.pass(motion);
    let call = *w.tables().calls.last_key().unwrap();
    let opens = w.due(DeadlineKind::CallOpens, call).unwrap();
    w.advance(opens + 1);
    assert_eq!(
        w.tables().calls.get(&call).unwrap().status,
        CallStatus::Open
    );
    (fund, call)
}

fn content(project: &str, ask: u64) -> ApplicationContent {
    ApplicationContent {
        title: text(project),
        ask,
        document: sha256(project.as_bytes()),
    }
}

const SALT: [u8; 32] = [7; 32];

fn submission(call: u32, applicant: u32, project: &str, ask: u64) -> Submission {
    let commitment = content(project, ask).commitment(&SALT, call, applicant);
    Submission {
        call,
        project: sha256(project.as_bytes()),
        commitment,
        seen: None,
    }
}

fn act(w: &mut Writer, member: u32, act: CallAct) -> Applied {
    w.member(member, Body::Call(act))
}

fn officer(w: &mut Writer, act: CallAct) -> Applied {
    w.office(Role::ProgrammeOfficer, Body::Call(act))
}

fn apply_for(w: &mut Writer, call: u32, applicant: u32, project: &str, ask: u64) -> u32 {
    assert_eq!(
        act(
            w,
            applicant,
            CallAct::Submit(submission(call, applicant, project, ask))
        ),
        Ok(Outcome::Applied)
    );
    *w.tables().applications.last_key().unwrap()
}

fn open(w: &mut Writer, application: u32, project: &str, ask: u64) -> Applied {
    let applicant = w.tables().applications.get(&application).unwrap().applicant;
    act(
        w,
        applicant,
        CallAct::Open {
            application,
            content: content(project, ask),
            salt: SALT,
        },
    )
}

fn judge(w: &mut Writer, application: u32, code: Option<&str>) -> Applied {
    let verdict = match code {
        None => Verdict::Eligible,
        Some(code) => Verdict::Ineligible {
            code: text(code),
            reason: sha256(b"salted reason"),
        },
    };
    officer(
        w,
        CallAct::Judge {
            application,
            verdict,
        },
    )
}

fn of(w: &Writer, application: u32) -> rollbook_core::funding::Application {
    w.tables().applications.get(&application).unwrap().clone()
}

fn call_status(w: &Writer, call: u32) -> CallStatus {
    w.tables().calls.get(&call).unwrap().status
}

/// Puts the technical officers of these members into the pool of reviewers.
fn fill_pool(w: &mut Writer, members: &[u32]) {
    let persons: Vec<u32> = members
        .iter()
        .map(|member| officers_of(*member).1)
        .collect();
    officer(
        w,
        CallAct::EnterPool {
            pool: PoolKind::Reviewers,
            persons: persons.clone(),
        },
    )
    .unwrap();
    let motion = w
        .propose(
            MotionEffect::ConfirmPool(ConfirmPool {
                pool: PoolKind::Reviewers,
                persons,
            }),
            7,
        )
        .unwrap();
    w.pass(motion);
}

fn commit(w: &mut Writer, draw: u32, place: Place, byte: u8) -> Applied {
    let attempt = w.tables().draws.get(&draw).unwrap().attempt;
    let (principal, person, role) = signer(w, place);
    let commitment = draw_commitment(draw, attempt, person, &[byte; 32]);
    w.act_as(
        principal,
        &[(person, role)],
        Body::Call(CallAct::CommitDraw { draw, commitment }),
    )
}

fn reveal(w: &mut Writer, draw: u32, place: Place, byte: u8) -> Applied {
    let (principal, person, role) = signer(w, place);
    w.act_as(
        principal,
        &[(person, role)],
        Body::Call(CallAct::RevealDraw {
            draw,
            secret: [byte; 32],
        }),
    )
}

#[derive(Clone, Copy)]
enum Place {
    Po,
    Off,
    Seat(u32),
}

fn signer(w: &Writer, place: Place) -> (u32, u32, Role) {
    match place {
        Place::Po => (
            secretariat(MEMBERS),
            w.holder(Role::ProgrammeOfficer, 0),
            Role::ProgrammeOfficer,
        ),
        Place::Off => (
            secretariat(MEMBERS),
            w.holder(Role::SecondOfficer, 0),
            Role::SecondOfficer,
        ),
        Place::Seat(member) => (member, officers_of(member).0, Role::Primary),
    }
}

fn full_draw(w: &mut Writer, call: u32) -> u32 {
    officer(
        w,
        CallAct::FreezePool {
            subject: DrawFor::Call(call),
        },
    )
    .unwrap();
    let number = *w.tables().draws.last_key().unwrap();
    let places = [(Place::Po, 1), (Place::Off, 2), (Place::Seat(3), 3)];
    for (place, byte) in places {
        commit(w, number, place, byte).unwrap();
    }
    for (place, byte) in places {
        reveal(w, number, place, byte).unwrap();
    }
    number
}

fn reviews(w: &Writer, application: u32) -> Vec<rollbook_core::funding::Review> {
    w.tables()
        .reviews
        .iter()
        .map(|(_, review)| review.clone())
        .filter(|review| review.application == application)
        .collect()
}

fn standing(w: &Writer, application: u32) -> Vec<u32> {
    reviews(w, application)
        .iter()
        .filter(|review| review.status.stands())
        .map(|review| review.number)
        .collect()
}

fn review_act(w: &mut Writer, review: u32, act: CallAct) -> Applied {
    let person = w.tables().reviews.get(&review).unwrap().person;
    let home = w.tables().persons.get(&person).unwrap().home;
    w.act_as(home, &[(person, Role::Technical)], Body::Call(act))
}

fn declare(w: &mut Writer, review: u32, declaration: ReviewDeclaration) -> Applied {
    review_act(
        w,
        review,
        CallAct::Declare {
            review,
            declaration,
        },
    )
}

fn seal_scores(w: &mut Writer, review: u32, scores: &[u32]) -> Applied {
    let seal = Scores(scores.to_vec()).seal(&SALT, review, &sha256(b"comment"));
    review_act(w, review, CallAct::Seal { review, seal })
}

fn reveal_scores(w: &mut Writer, review: u32, scores: &[u32]) -> Applied {
    let act = CallAct::Reveal {
        review,
        scores: Scores(scores.to_vec()),
        comment: sha256(b"comment"),
        salt: SALT,
    };
    review_act(w, review, act)
}

fn review_all(w: &mut Writer, application: u32, scores: &[[u32; 3]]) {
    let numbers = standing(w, application);
    for (review, scores) in numbers.iter().zip(scores) {
        declare(w, *review, ReviewDeclaration::Clear).unwrap();
        seal_scores(w, *review, scores).unwrap();
    }
    for (review, scores) in numbers.iter().zip(scores) {
        reveal_scores(w, *review, scores).unwrap();
        review_act(
            w,
            *review,
            CallAct::Finalise {
                review: *review,
                revision: None,
            },
        )
        .unwrap();
    }
}

/// The call part of domain 5.4 in small: eight submissions, one late; two ineligible, one of them
/// on appeal eligible after all; one withdrawn, one never opened; three ranked, one of them below
/// the threshold.
#[test]
fn a_call_from_publication_to_ranking() {
    let mut w = writer("call");
    let (fund, call) = open_call(&mut w);
    // Earmark first: 10 m of direction 2, then 15 m free.
    assert_eq!(balance(&w, fund, AccountKind::Direction(2)), 0);
    assert_eq!(
        balance(&w, fund, AccountKind::Free),
        i128::from(5_000_000 * Y)
    );
    assert_eq!(
        balance(&w, fund, AccountKind::Call(call)),
        i128::from(25_000_000 * Y)
    );
    let frozen = w.tables().calls.get(&call).unwrap().clone();
    assert_eq!(
        (frozen.terms_hash, frozen.concentration_bp),
        (frozen.terms.hash(), 7_000)
    );

    fill_pool(&mut w, &[5, 6, 7, 8, 9, 10, 11, 12, 13, 24]);
    let optics = w.register(15, "Fictional Optics Co", &[]);
    let studio = w.register(16, "Fictional Studio Alpha", &[]);
    let gsxr = apply_for(&mut w, call, 24, "GSXR runtime", 12_000_000 * Y);
    let headset = apply_for(&mut w, call, optics, "headset optics line", 9_000_000 * Y);
    let scope = apply_for(&mut w, call, studio, "out of scope", 1_000_000 * Y);
    let upheld = apply_for(&mut w, call, 17, "wrongly refused", 1_000_000 * Y);
    let gone = apply_for(&mut w, call, 18, "withdrawn", 1_000_000 * Y);
    let forgotten = apply_for(&mut w, call, 19, "forgotten", 1_000_000 * Y);
    assert_eq!(
        code(act(
            &mut w,
            24,
            CallAct::Submit(submission(call, 24, "GSXR runtime", 1))
        )),
        "F06.project-twice"
    );
    assert_eq!(
        code(act(&mut w, 20, CallAct::Submit(submission(9, 20, "x", 1)))),
        "A4.unknown-call"
    );
    assert_eq!(
        code(open(&mut w, gsxr, "GSXR runtime", 12_000_000 * Y)),
        "F07.submissions-open"
    );
    assert_eq!(
        code(act(&mut w, 17, CallAct::Withdraw { application: gone })),
        "F39.not-the-applicant"
    );
    act(&mut w, 18, CallAct::Withdraw { application: gone }).unwrap();
    // The same project may be submitted again after a withdrawal.
    let again = apply_for(&mut w, call, 18, "withdrawn", 1_000_000 * Y);
    act(&mut w, 18, CallAct::Withdraw { application: again }).unwrap();

    let closes = w.due(DeadlineKind::CallCloses, call).unwrap();
    let events = w.advance(closes + 1);
    assert!(events.iter().any(|e| e.body
        == EventBody::CallClosedForSubmissions {
            call,
            applications: 7
        }));
    let late = act(&mut w, 20, CallAct::Submit(submission(call, 20, "late", 1)));
    assert_eq!(late, Ok(Outcome::NotCounted(NotCounted::LateApplication)));
    assert_eq!(w.tables().applications.len(), 7);
    assert_eq!(
        code(act(&mut w, 1, CallAct::Rank { call })),
        "F10.late-window-open"
    );

    // F07: opened by applicants and by the programme officer.
    assert_eq!(
        code(open(&mut w, gsxr, "GSXR runtime", 11_000_000 * Y)),
        "F07.other-content"
    );
    assert_eq!(
        code(judge(&mut w, gsxr, None)),
        "F07.wrong-state",
        "not opened"
    );
    open(&mut w, gsxr, "GSXR runtime", 12_000_000 * Y).unwrap();
    let by_officer = CallAct::Open {
        application: headset,
        content: content("headset optics line", 9_000_000 * Y),
        salt: SALT,
    };
    assert_eq!(code(act(&mut w, 20, by_officer.clone())), "R7.no-office");
    officer(&mut w, by_officer).unwrap();
    open(&mut w, scope, "out of scope", 1_000_000 * Y).unwrap();
    open(&mut w, upheld, "wrongly refused", 1_000_000 * Y).unwrap();
    judge(&mut w, gsxr, None).unwrap();
    judge(&mut w, headset, None).unwrap();
    assert_eq!(code(judge(&mut w, headset, None)), "F07.wrong-state");
    assert_eq!(
        code(judge(&mut w, scope, Some("ugly"))),
        "F07.code-not-published"
    );
    judge(&mut w, scope, Some("out-of-scope")).unwrap();
    judge(&mut w, upheld, Some("incomplete")).unwrap();
    assert_eq!(
        code(act(
            &mut w,
            24,
            CallAct::Appeal {
                application: gsxr,
                grounds: sha256(b"g")
            }
        )),
        "F40.wrong-state"
    );
    assert_eq!(
        code(act(
            &mut w,
            24,
            CallAct::Appeal {
                application: upheld,
                grounds: sha256(b"g")
            }
        )),
        "F40.not-the-applicant"
    );
    act(
        &mut w,
        17,
        CallAct::Appeal {
            application: upheld,
            grounds: sha256(b"grounds"),
        },
    )
    .unwrap();
    let appeal = w.newest_motion();
    assert_eq!(
        code(act(
            &mut w,
            17,
            CallAct::Appeal {
                application: upheld,
                grounds: sha256(b"g")
            }
        )),
        "F40.no-appeal"
    );

    // R22: the draw, and everybody recomputes it.
    let number = full_draw(&mut w, call);
    let drawn = w.tables().draws.get(&number).unwrap().clone();
    let reveals = [Hash([1; 32]), Hash([2; 32]), Hash([3; 32])];
    let subject = DrawFor::Call(call);
    assert_eq!(drawn.pool_hash, draw::pool_hash(subject, 1, &drawn.pool));
    assert_eq!(
        drawn.seed,
        Some(draw::seed(
            &w.alliance.chain(),
            subject,
            1,
            &drawn.pool_hash,
            &reveals
        ))
    );
    assert_eq!(call_status(&w, call), CallStatus::Reviewing);
    // A large ask needs five reviewers (charter), the other three.
    assert_eq!(
        (standing(&w, gsxr).len(), standing(&w, headset).len()),
        (5, 5)
    );
    for application in [gsxr, headset] {
        let order = draw::order(&drawn.seed.unwrap(), application, &drawn.pool);
        let mut homes = BTreeSet::new();
        let mut last = 0;
        for review in reviews(&w, application) {
            let home = w.tables().persons.get(&review.person).unwrap().home;
            assert!(
                homes.insert(if home == 13 { 12 } else { home }),
                "distinct groups"
            );
            assert!(application != gsxr || home != 24, "unrelated");
            let place = order
                .iter()
                .position(|person| *person == review.person)
                .unwrap()
                + 1;
            assert!(place > last, "in the order of the draw");
            last = place;
        }
    }

    w.advance(closes + DAY_MS + 1);
    assert_eq!(
        code(act(&mut w, 1, CallAct::Rank { call })),
        "F10.review-not-final"
    );

    // The appeal is granted; its application is assigned at once. What nobody opened is void
    // meanwhile.
    let events = w.pass(appeal);
    assert!(events.contains(&EventBody::ApplicationsVoid {
        call,
        applications: vec![forgotten]
    }));
    assert_eq!(
        code(open(&mut w, forgotten, "forgotten", 1_000_000 * Y)),
        "F07.too-late"
    );
    assert_eq!(of(&w, upheld).appeal, Some(Appeal::Granted));
    assert_eq!(
        (of(&w, upheld).status, standing(&w, upheld).len()),
        (ApplicationStatus::UnderReview, 3)
    );

    // F09 with every way a reviewer may drop out.
    let first = standing(&w, upheld);
    assert_eq!(
        code(seal_scores(&mut w, first[0], &[5, 5, 5])),
        "F09.wrong-state",
        "a declaration precedes the seal"
    );
    let thief = w.tables().reviews.get(&first[1]).unwrap().person;
    let home = w.tables().persons.get(&thief).unwrap().home;
    let body = Body::Call(CallAct::Declare {
        review: first[0],
        declaration: ReviewDeclaration::Clear,
    });
    assert_eq!(
        code(w.act_as(home, &[(thief, Role::Technical)], body)),
        "F09.not-the-reviewer"
    );
    declare(
        &mut w,
        first[0],
        ReviewDeclaration::Recused(ConflictKind::Investor),
    )
    .unwrap();
    declare(&mut w, first[1], ReviewDeclaration::Declined).unwrap();
    assert_eq!(
        standing(&w, upheld).len(),
        3,
        "replaced by the next of the draw"
    );
    let due = w.due(DeadlineKind::ReviewSeal, first[2]).unwrap();
    let events = w.advance(due + 1);
    assert_eq!(of(&w, scope).appeal, Some(Appeal::Expired));
    let replaced = events.iter().filter(
        |e| matches!(&e.body, EventBody::ReviewerReplaced { review, .. } if *review == first[2]),
    );
    assert_eq!(replaced.count(), 1);
    assert_eq!(
        w.tables().reviews.get(&first[2]).unwrap().status,
        ReviewStatus::Replaced
    );
    // Everybody was late on the two others as well; the pool of ten is used up for those who need
    // five.
    assert!(standing(&w, gsxr).len() < 5);
    fill_pool(&mut w, &[1, 2, 3, 4, 14, 15, 16, 20, 21, 22, 23]);
    let second = full_draw(&mut w, call);
    assert_eq!(w.tables().draws.get(&second).unwrap().round, 2);
    assert_eq!(
        (
            standing(&w, gsxr).len(),
            standing(&w, headset).len(),
            standing(&w, upheld).len()
        ),
        (5, 5, 3)
    );

    let five = |a: [u32; 3], b: [u32; 3]| [a, b, a, b, a];
    review_all(&mut w, gsxr, &five([9, 8, 7], [8, 8, 8]));
    let of_headset = standing(&w, headset);
    declare(&mut w, of_headset[0], ReviewDeclaration::Clear).unwrap();
    seal_scores(&mut w, of_headset[0], &[7, 7, 7]).unwrap();
    assert_eq!(
        code(reveal_scores(&mut w, of_headset[0], &[7, 7, 7])),
        "F09.others-not-sealed"
    );
    for review in &of_headset[1..] {
        declare(&mut w, *review, ReviewDeclaration::Clear).unwrap();
        seal_scores(&mut w, *review, &[7, 6, 9]).unwrap();
    }
    assert_eq!(
        code(reveal_scores(&mut w, of_headset[0], &[7, 7, 8])),
        "F09.other-scores"
    );
    assert_eq!(
        code(reveal_scores(&mut w, of_headset[0], &[7, 7])),
        "F09.score-per-criterion"
    );
    assert_eq!(
        code(reveal_scores(&mut w, of_headset[0], &[7, 7, 11])),
        "F09.score-out-of-range"
    );
    reveal_scores(&mut w, of_headset[0], &[7, 7, 7]).unwrap();
    for review in &of_headset[1..] {
        reveal_scores(&mut w, *review, &[7, 6, 9]).unwrap();
    }
    let change = Revision {
        scores: Scores(vec![8, 7, 7]),
        reason: sha256(b"panel"),
    };
    review_act(
        &mut w,
        of_headset[0],
        CallAct::Finalise {
            review: of_headset[0],
            revision: Some(change),
        },
    )
    .unwrap();
    assert_eq!(
        w.tables().reviews.get(&of_headset[0]).unwrap().scores,
        Some(Scores(vec![7, 7, 7])),
        "the old one stays visible"
    );
    let due = w.due(DeadlineKind::ReviewReveal, of_headset[1]).unwrap();
    review_all(&mut w, upheld, &[[3, 9, 9], [4, 9, 9], [4, 9, 9]]);
    w.advance(due + 1);
    assert_eq!(
        w.tables().reviews.get(&of_headset[1]).unwrap().status,
        ReviewStatus::Final,
        "by the clock"
    );

    // F10.
    assert_eq!(
        act(&mut w, 21, CallAct::Rank { call }),
        Ok(Outcome::Applied)
    );
    assert_eq!(
        code(act(&mut w, 21, CallAct::Rank { call })),
        "F10.wrong-state"
    );
    assert_eq!(call_status(&w, call), CallStatus::Ranked);
    assert_eq!(
        (of(&w, gsxr).rank, of(&w, headset).rank, of(&w, upheld).rank),
        (Some(1), Some(2), None)
    );
    let total = 3 * (9 * 4_000 + 8 * 3_500 + 7 * 2_500) + 2 * 8 * 10_000;
    assert_eq!(of(&w, gsxr).score.unwrap().total, total);
    assert_eq!(
        of(&w, headset).score.unwrap().sums,
        [8 + 4 * 7, 7 + 4 * 6, 7 + 4 * 9]
    );
    assert_eq!(
        of(&w, upheld).status,
        ApplicationStatus::NotRecommended,
        "mean quality 11/3 is below 4"
    );
    // Withdrawals after the ranking leave the other ranks alone and settle the call.
    act(&mut w, 24, CallAct::Withdraw { application: gsxr }).unwrap();
    assert_eq!(call_status(&w, call), CallStatus::Ranked);
    act(
        &mut w,
        optics,
        CallAct::Withdraw {
            application: headset,
        },
    )
    .unwrap();
    assert_eq!(call_status(&w, call), CallStatus::Decided);
    let cancel = MotionEffect::CancelCall(CancelCall {
        call,
        reason: sha256(b"r"),
    });
    assert_eq!(w.propose(cancel, 7).unwrap_err().code, "F38.wrong-state");
    totals(&w, fund);
}

#[test]
fn the_terms_of_a_call_are_guarded() {
    let mut w = writer("terms");
    let fund = open_fund(&mut w);
    let good = terms(&w, fund);
    assert_eq!(
        w.propose(MotionEffect::PublishCall(good.clone().into()), 7)
            .unwrap_err()
            .code,
        "F05.budget-above-available"
    );
    let with = |change: &dyn Fn(&mut CallTerms)| {
        let mut terms = good.clone();
        change(&mut terms);
        MotionEffect::PublishCall(terms.into())
    };
    let cases: [(&str, MotionEffect); 11] = [
        ("A4.unknown-fund", with(&|t| t.fund = 9)),
        ("F05.too-few-reviewers", with(&|t| t.reviewers = 2)),
        ("F05.unknown-direction", with(&|t| t.direction = Some(9))),
        (
            "F05.closes-in-the-past",
            with(&|t| (t.opens_day, t.closes_day) = (19_000, 19_001)),
        ),
        ("A6.malformed", with(&|t| t.criteria[0].weight_bp = 4_001)),
        ("A6.malformed", with(&|t| t.ask_max = t.budget + 1)),
        ("A6.malformed", with(&|t| t.criteria[0].threshold = 11)),
        (
            "A6.malformed",
            with(&|t| t.tie_breaks.push(TieBreak::Criterion(3))),
        ),
        ("A6.malformed", with(&|t| t.concentration_bp = Some(10_001))),
        ("A6.malformed", with(&|t| t.codes.reverse())),
        (
            "A6.malformed",
            with(&|t| t.criteria[1].code = t.criteria[0].code.clone()),
        ),
    ];
    for (expected, effect) in cases {
        assert_eq!(w.propose(effect, 7).unwrap_err().code, expected);
    }
}

#[test]
fn a_cancelled_call_gives_its_budget_back() {
    let mut w = writer("cancel");
    let (fund, call) = open_call(&mut w);
    let application = apply_for(&mut w, call, 20, "project", 1_000_000 * Y);
    let motion = w
        .propose(
            MotionEffect::CancelCall(CancelCall {
                call,
                reason: sha256(b"reason"),
            }),
            7,
        )
        .unwrap();
    w.pass(motion);
    assert_eq!(
        (call_status(&w, call), of(&w, application).status),
        (CallStatus::Cancelled, ApplicationStatus::Void)
    );
    assert_eq!(
        balance(&w, fund, AccountKind::Direction(2)),
        i128::from(10_000_000 * Y),
        "the earmark is restored"
    );
    assert_eq!(
        balance(&w, fund, AccountKind::Free),
        i128::from(20_000_000 * Y)
    );
    assert_eq!(w.due(DeadlineKind::CallCloses, call), None);
    assert_eq!(
        code(act(
            &mut w,
            20,
            CallAct::Submit(submission(call, 20, "other", 1))
        )),
        "F06.call-cancelled"
    );
    assert_eq!(
        code(act(&mut w, 20, CallAct::Withdraw { application })),
        "F39.decided"
    );
}

/// F29, F38 with an award: nothing is cancelled or closed over it, and what it gives back goes
/// where it came from.
#[test]
fn a_call_closes_when_no_award_waits() {
    let mut w = writer("close");
    let (fund, call) = open_call(&mut w);
    fill_pool(&mut w, &[2, 10, 11]);
    let applications = [(20, 1), (21, 2)].map(|(member, millions)| {
        (
            apply_for(
                &mut w,
                call,
                member,
                &format!("project {member}"),
                millions * 1_000_000 * Y,
            ),
            member,
            millions,
        )
    });
    let closes = w.due(DeadlineKind::CallCloses, call).unwrap();
    w.advance(closes + DAY_MS + 1);
    for (application, member, millions) in applications {
        open(
            &mut w,
            application,
            &format!("project {member}"),
            millions * 1_000_000 * Y,
        )
        .unwrap();
        judge(&mut w, application, None).unwrap();
    }
    full_draw(&mut w, call);
    let [(first, ..), (second, ..)] = applications;
    review_all(&mut w, first, &[[9, 9, 9]; 3]);
    review_all(&mut w, second, &[[8, 9, 9]; 3]);
    act(&mut w, 1, CallAct::Rank { call }).unwrap();
    let award = GrantAward {
        application: first,
        amount: 1_000_000 * Y,
        body: BodyKind::Board,
        out_of_rank: None,
    };
    let motion = w.propose(MotionEffect::GrantAward(award), 7).unwrap();
    // Who reviewed does not vote: of member 2 the reviewer signs, of member 5 (person 10) nobody
    // did.
    assert_eq!(code(w.vote(2, motion, Choice::Yes)), "N12.same-person");
    for member in [1, 3, 4, 5, 6, 7, 8, 9] {
        w.vote(member, motion, Choice::Yes).unwrap();
    }
    w.close(motion);
    if let Some(due) = w.due(DeadlineKind::MotionEffect, motion) {
        w.advance(due + 1);
    }
    assert_eq!(
        (of(&w, first).status, call_status(&w, call)),
        (ApplicationStatus::Awarded, CallStatus::Ranked)
    );
    let cancel = MotionEffect::CancelCall(CancelCall {
        call,
        reason: sha256(b"reason"),
    });
    assert_eq!(w.propose(cancel, 7).unwrap_err().code, "F38.granted");
    assert_eq!(
        code(officer(&mut w, CallAct::Close { call })),
        "F29.wrong-state"
    );
    act(
        &mut w,
        21,
        CallAct::Withdraw {
            application: second,
        },
    )
    .unwrap();
    assert_eq!(call_status(&w, call), CallStatus::Decided);
    assert_eq!(
        code(act(&mut w, 1, CallAct::Close { call })),
        "R7.no-office"
    );
    assert_eq!(
        code(officer(&mut w, CallAct::Close { call })),
        "F29.open-child"
    );
    // Nobody accepts: the offer lapses and its money goes back to the call.
    w.advance_days(80);
    officer(&mut w, CallAct::Close { call }).unwrap();
    assert_eq!(call_status(&w, call), CallStatus::Closed);
    assert_eq!(balance(&w, fund, AccountKind::Call(call)), 0);
    assert_eq!(
        balance(&w, fund, AccountKind::Direction(2)),
        i128::from(10_000_000 * Y)
    );
    assert_eq!(
        balance(&w, fund, AccountKind::Free),
        i128::from(20_000_000 * Y)
    );
    totals(&w, fund);
}

/// RULINGS A4: up to 24 hours late, with seen receipts of f+1 validators from before the close.
#[test]
fn a_late_application_with_seen_receipts_is_in_time() {
    let mut w = writer("late");
    let (_, call) = open_call(&mut w);
    let closes = w.due(DeadlineKind::CallCloses, call).unwrap();
    // Signed and given to validators before the close, sequenced by nobody.
    w.advance(closes - DAY_MS / 24);
    let plain = [20, 22].map(|member| submission(call, member, &format!("project of {member}"), 5));
    let earlier = [(20, &plain[0]), (22, &plain[1])].map(|(member, plain)| {
        w.sign(
            member,
            &[(officers_of(member).0, Role::Primary)],
            Body::Call(CallAct::Submit(plain.clone())),
        )
    });
    let chain = w.alliance.chain();
    let seed = w.alliance.seed.clone();
    let seen_by = |record: usize, validator: u32, signed_as: u32, time_ms: u64| {
        // What a node answers to whoever hands the record in: the same bytes that its API sends.
        let bytes = sha256(&encode(&earlier[record]));
        let verdict = answer::Verdict::Seen;
        let answer = Answer {
            chain,
            bytes,
            record: earlier[record].id(),
            height: 9,
            time_ms,
            node: validator,
            verdict,
        };
        let signed = SignedAnswer::sign(answer, &node_key(&seed, signed_as, KeyKind::Log));
        SeenReceipt::of(&signed.answer, signed.signature).unwrap()
    };
    let with = |record: usize, receipts: Vec<SeenReceipt>| {
        let payload = &earlier[record].payload;
        let (officer, sequence, valid_until_ms) =
            (payload.officer, payload.sequence, payload.valid_until_ms);
        Submission {
            seen: Some(SeenEarlier {
                officer,
                sequence,
                valid_until_ms,
                receipts,
            }),
            ..plain[record].clone()
        }
    };
    w.advance(closes + 1);
    let late = Ok(Outcome::NotCounted(NotCounted::LateApplication));
    let (before, after) = (closes - 60_000, closes + 1);
    for receipts in [
        vec![seen_by(0, 1, 1, before)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 2, 2, after)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 2, 1, before)],
        vec![seen_by(0, 1, 1, before), seen_by(0, 9, 9, before)],
        vec![seen_by(0, 1, 1, before), seen_by(1, 2, 2, before)],
    ] {
        assert_eq!(act(&mut w, 20, CallAct::Submit(with(0, receipts))), late);
    }
    let good = vec![
        seen_by(0, 1, 1, before - 7),
        seen_by(0, 2, 2, before),
        seen_by(0, 3, 3, closes),
    ];
    let other = Submission {
        project: sha256(b"other"),
        ..with(0, good.clone())
    };
    assert_eq!(
        act(&mut w, 20, CallAct::Submit(other)),
        late,
        "the receipts are for another submission"
    );
    assert_eq!(
        act(&mut w, 21, CallAct::Submit(with(0, good.clone()))),
        late,
        "of another applicant"
    );
    let backwards = with(0, good.iter().rev().copied().collect());
    assert_eq!(
        code(act(&mut w, 20, CallAct::Submit(backwards))),
        "A6.malformed"
    );
    assert_eq!(
        act(&mut w, 20, CallAct::Submit(with(0, good.clone()))),
        Ok(Outcome::Applied)
    );
    assert_eq!(
        of(&w, 1).submitted_ms,
        before,
        "the time of the (f+1)-th receipt"
    );
    assert_eq!(
        code(act(&mut w, 20, CallAct::Submit(with(0, good)))),
        "F06.project-twice"
    );
    w.advance(closes + DAY_MS + 1);
    let too_late = with(1, vec![seen_by(1, 1, 1, before), seen_by(1, 2, 2, before)]);
    assert_eq!(
        act(&mut w, 22, CallAct::Submit(too_late)),
        late,
        "more than 24 hours"
    );
}

#[test]
fn who_may_apply() {
    let mut w = writer("eligible");
    let fund = open_fund(&mut w);
    let parts = pledge(&mut w, 11, fund, Pot::Free, &[(30, 1_000)]);
    called(&mut w, parts[0]);
    receive(&mut w, parts[0], 1_000, "IN-1").unwrap();
    let base = CallTerms {
        budget: 100,
        ask_max: 10,
        ..terms(&w, fund)
    };
    let members_only = Eligibility {
        classes: vec![Class::Founding],
        outsiders: false,
        in_direction: true,
    };
    let council = Eligibility {
        classes: vec![Class::Council],
        outsiders: true,
        in_direction: false,
    };
    let plans = [members_only, council].map(|eligibility| CallTerms {
        eligibility,
        ..base.clone()
    });
    let motions = plans.map(|plan| {
        w.propose(MotionEffect::PublishCall(plan.into()), 7)
            .unwrap()
    });
    for motion in motions {
        for member in 1..=9 {
            w.vote(member, motion, Choice::Yes).unwrap();
        }
    }
    w.advance_days(8);
    assert_eq!(
        code(act(
            &mut w,
            20,
            CallAct::Submit(submission(1, 20, "early", 5))
        )),
        "A4.unknown-call",
        "still in its stay"
    );
    w.advance_days(4);
    assert_eq!(
        code(act(
            &mut w,
            20,
            CallAct::Submit(submission(1, 20, "early", 5))
        )),
        "F06.not-open-yet"
    );
    w.advance_days(5);
    let outsider = w.register(15, "Outsider", &[]);
    let why = |w: &mut Writer, call, applicant| {
        let refusal = act(
            w,
            applicant,
            CallAct::Submit(submission(call, applicant, "p", 5)),
        )
        .unwrap_err();
        (refusal.code, refusal.facts[1].1.clone())
    };
    assert_eq!(
        why(&mut w, 1, outsider),
        ("F06.not-eligible", "not a member".to_owned())
    );
    assert_eq!(
        why(&mut w, 1, 20),
        ("F06.not-eligible", "direction".to_owned())
    );
    assert_eq!(why(&mut w, 2, 20), ("F06.not-eligible", "class".to_owned()));
    apply_for(&mut w, 2, outsider, "p", 5);
}

#[test]
fn who_is_missing_in_a_draw_is_replaced_and_shown() {
    let mut w = writer("draw");
    let (_, call) = open_call(&mut w);
    let subject = DrawFor::Call(call);
    let freeze = CallAct::FreezePool { subject };
    assert_eq!(code(officer(&mut w, freeze.clone())), "R22.call-not-closed");
    let closes = w.due(DeadlineKind::CallCloses, call).unwrap();
    w.advance(closes + 1);
    assert_eq!(code(officer(&mut w, freeze.clone())), "R22.pool-empty");
    let enter = |persons: Vec<u32>| CallAct::EnterPool {
        pool: PoolKind::Reviewers,
        persons,
    };
    assert_eq!(
        code(officer(&mut w, enter(vec![officers_of(5).0]))),
        "R7.not-technical"
    );
    assert_eq!(
        code(officer(&mut w, enter(vec![9_999]))),
        "R7.unknown-person"
    );
    let confirm = MotionEffect::ConfirmPool(ConfirmPool {
        pool: PoolKind::Reviewers,
        persons: vec![officers_of(5).1],
    });
    assert_eq!(
        w.propose(confirm.clone(), 7).unwrap_err().code,
        "R7.not-entered"
    );
    fill_pool(&mut w, &[5, 6, 7, 8]);
    assert_eq!(
        w.propose(confirm, 7).unwrap_err().code,
        "R7.already-confirmed"
    );
    assert_eq!(
        code(officer(&mut w, enter(vec![officers_of(5).1]))),
        "R7.already-in-pool"
    );
    officer(&mut w, freeze.clone()).unwrap();
    assert_eq!(code(officer(&mut w, freeze.clone())), "R22.draw-running");

    assert_eq!(
        code(commit(&mut w, 1, Place::Seat(20), 9)),
        "R22.no-free-place",
        "no seat on the board"
    );
    commit(&mut w, 1, Place::Po, 1).unwrap();
    assert_eq!(code(commit(&mut w, 1, Place::Po, 1)), "R22.no-free-place");
    commit(&mut w, 1, Place::Seat(3), 3).unwrap();
    assert_eq!(code(reveal(&mut w, 1, Place::Po, 1)), "R22.wrong-state");
    let passed = |events: Vec<EventBody>| {
        events
            .into_iter()
            .find(|event| matches!(event, EventBody::DrawPassed { .. }))
            .unwrap()
    };
    // The second officer does not commit: the board's first holder takes the place, the other
    // commitments stand.
    let event = passed(w.advance_days(4));
    assert_eq!(
        event,
        EventBody::DrawPassed {
            draw: 1,
            attempt: 1,
            places: vec![(1, Some(1))]
        }
    );
    assert_eq!(code(commit(&mut w, 1, Place::Off, 2)), "R22.no-free-place");
    commit(&mut w, 1, Place::Seat(1), 2).unwrap();
    assert_eq!(code(reveal(&mut w, 1, Place::Po, 8)), "R22.other-bytes");
    reveal(&mut w, 1, Place::Po, 1).unwrap();
    assert_eq!(
        code(reveal(&mut w, 1, Place::Po, 1)),
        "R22.nothing-to-reveal"
    );
    reveal(&mut w, 1, Place::Seat(1), 2).unwrap();
    // Member 3 saw both and keeps silent: replaced by member 2, and all three commit again to fresh
    // bytes.
    let event = passed(w.advance_days(4));
    assert_eq!(
        event,
        EventBody::DrawPassed {
            draw: 1,
            attempt: 2,
            places: vec![(2, Some(2))]
        }
    );
    assert_eq!(
        code(commit(&mut w, 1, Place::Seat(3), 3)),
        "R22.no-free-place"
    );
    for (place, byte) in [(Place::Po, 11), (Place::Seat(1), 12), (Place::Seat(2), 13)] {
        commit(&mut w, 1, place, byte).unwrap();
    }
    for (place, byte) in [(Place::Seat(2), 13), (Place::Po, 11), (Place::Seat(1), 12)] {
        reveal(&mut w, 1, place, byte).unwrap();
    }
    let drawn = w.tables().draws.get(&1).unwrap().clone();
    assert_eq!(drawn.status, DrawStatus::Drawn);
    let reveals = [Hash([11; 32]), Hash([12; 32]), Hash([13; 32])];
    assert_eq!(
        drawn.seed,
        Some(draw::seed(
            &w.alliance.chain(),
            subject,
            1,
            &drawn.pool_hash,
            &reveals
        ))
    );
    assert_eq!(
        code(officer(&mut w, freeze)),
        "R22.pool-empty",
        "nobody was added since"
    );
}

#[test]
fn the_table_prints_and_nothing_leaves_a_terminal_state() {
    let rows = table();
    let objects: BTreeSet<_> = rows.iter().map(|row| row.object).collect();
    assert!(
        [
            "fund",
            "instalment",
            "call",
            "application",
            "draw",
            "review"
        ]
        .iter()
        .all(|object| objects.contains(object))
    );
    let text = rollbook_core::funding::markdown(&rows);
    assert!(
        text.contains("| call | F05 | – -> Published | BRD |"),
        "{text}"
    );
    for (object, terminal) in [
        ("instalment", "Cancelled"),
        ("instalment", "WrittenOff"),
        ("call", "Cancelled"),
        ("call", "Closed"),
        ("application", "Withdrawn"),
        ("application", "Void"),
        ("application", "NotRecommended"),
        ("review", "Final"),
        ("review", "Replaced"),
        ("review", "Dropped"),
        ("draw", "Drawn"),
    ] {
        assert!(
            !rows
                .iter()
                .any(|row| row.object == object && row.from == terminal),
            "{object} {terminal}"
        );
        assert!(
            rows.iter()
                .any(|row| row.object == object && row.to == terminal),
            "{object} {terminal}"
        );
    }
    let unique: BTreeSet<_> = rows
        .iter()
        .map(|row| (row.object, row.code, &row.from, &row.to))
        .collect();
    assert_eq!(unique.len(), rows.len(), "no row twice");
}

/// Whether one or more rows lead from one state to the other.
fn leads<S: Copy + PartialEq>(rows: &[Row<S>], from: S, to: S) -> bool {
    let mut found = vec![from];
    let mut next = 0;
    while let Some(state) = found.get(next).copied() {
        for row in rows.iter().filter(|row| row.from == Some(state)) {
            if !found.contains(&row.to) {
                found.push(row.to);
            }
        }
        next += 1;
    }
    found.contains(&to)
}

#[derive(Debug, Clone)]
enum Step {
    Pledge {
        member: u32,
        direction: Option<u32>,
        parts: Vec<u64>,
    },
    Call(u32),
    Cancel(u32),
    Agree(usize),
    Record {
        instalment: u32,
        amount: u64,
        reference: u32,
    },
    Confirm(usize),
    Days(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (10u32..15, proptest::option::of(1u32..5), proptest::collection::vec(1u64..50, 1..4))
            .prop_map(|(member, direction, parts)| Step::Pledge { member, direction, parts }),
        5 => (1u32..9).prop_map(Step::Call),
        2 => (1u32..9).prop_map(Step::Cancel),
        2 => (0usize..4).prop_map(Step::Agree),
        6 => (1u32..9, 1u64..60, 0u32..12)
            .prop_map(|(instalment, amount, reference)| Step::Record { instalment, amount, reference }),
        6 => (0usize..8).prop_map(Step::Confirm),
        2 => (1u64..40).prop_map(Step::Days),
    ];
    proptest::collection::vec(step, 10..45)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is tried, through the real ledger: what the accounts hold is what was received, the
    /// memo ledger sums to the pledges, instalments move only along their table, a reference counts
    /// once.
    #[test]
    fn money_is_conserved(steps in steps()) {
        let mut w = writer("conserved");
        let fund = open_fund(&mut w);
        let (mut receipts, mut proposals) = (Vec::new(), Vec::new());
        let mut before: BTreeMap<u32, InstalmentStatus> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Pledge { member, direction, parts } => {
                    let pot = direction.map_or(Pot::Free, Pot::Direction);
                    let parts: Vec<(i64, u64)> = (10..).step_by(20).zip(parts).collect();
                    pledge(&mut w, member, fund, pot, &parts);
                }
                Step::Call(instalment) => { let _ = office(&mut w, Role::Treasurer, FundAct::CallInstalment { instalment }); }
                Step::Cancel(instalment) => {
                    if let Some(entry) = w.tables().instalments.get(&instalment).copied() {
                        let member = w.tables().contributions.get(&entry.contribution).unwrap().member;
                        let act = FundAct::ProposeCancel { contribution: entry.contribution, instalments: vec![instalment] };
                        let body = Body::Fund(act);
                        let signers = w.officers(member, &body);
                        let record = w.sign(member, &signers, body);
                        if w.submit(std::slice::from_ref(&record)).refused.is_empty() {
                            proposals.push(record.id());
                        }
                    }
                }
                Step::Agree(which) => if let Some(proposal) = proposals.get(which).copied() {
                    let _ = office(&mut w, Role::Treasurer, FundAct::AgreeCancel { proposal });
                }
                Step::Record { instalment, amount, reference } => {
                    let entry = receipt(&w, instalment, amount, &format!("R-{reference}"));
                    receipts.extend(record_receipt(&mut w, entry));
                }
                Step::Confirm(which) => if let Some(receipt) = receipts.get(which).copied() {
                    let _ = office(&mut w, Role::SecondOfficer, FundAct::ConfirmReceipt { receipt });
                }
                Step::Days(days) => { w.advance_days(days); }
            }
            let t = totals(&w, fund);
            let tables = w.tables();
            let received: u64 = tables.contributions.iter().map(|(_, c)| c.pledge.received).sum();
            prop_assert_eq!(t.available, i128::from(received));
            prop_assert_eq!(t.received, -i128::from(received));
            for (_, contribution) in tables.contributions.iter() {
                let parts: Vec<_> = contribution.instalments.iter().map(|n| *tables.instalments.get(n).unwrap()).collect();
                prop_assert_eq!(contribution.pledge.pledged(), parts.iter().map(|i| u128::from(i.amount)).sum::<u128>());
                prop_assert_eq!(contribution.pledge.received, parts.iter().map(|i| i.received).sum::<u64>());
            }
            let confirmed: Vec<_> = tables.receipts.iter().filter(|(_, r)| r.confirmed_by.is_some()).collect();
            prop_assert_eq!(confirmed.iter().map(|(_, r)| r.amount).sum::<u64>(), received);
            prop_assert_eq!(confirmed.iter().map(|(_, r)| &r.reference).collect::<BTreeSet<_>>().len(), confirmed.len());
            for (number, instalment) in tables.instalments.iter() {
                if let Some(was) = before.insert(*number, instalment.status) {
                    prop_assert!(leads(&rollbook_core::funding::contribution::ROWS, was, instalment.status));
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Move {
    Submit(u32),
    Withdraw(u32),
    Open(u32),
    Judge(u32, bool),
    Appeal(u32),
    Declare(usize, bool),
    Seal(usize),
    Reveal(usize, bool),
    Finalise(usize),
    Freeze,
    Rank,
    Close,
    Hours(u64),
    /// Everybody does the same step of the call, as on a good day.
    Stage(u32),
}

/// The steps of a good call, with anything between them, and now and then a step left out.
fn moves() -> impl Strategy<Value = Vec<Move>> {
    let application = || 1u32..6;
    let review = || 0usize..16;
    let one = prop_oneof![
        3 => (17u32..23).prop_map(Move::Submit),
        1 => application().prop_map(Move::Withdraw),
        8 => application().prop_map(Move::Open),
        8 => (application(), proptest::bool::weighted(0.8)).prop_map(|(a, good)| Move::Judge(a, good)),
        2 => application().prop_map(Move::Appeal),
        9 => (review(), proptest::bool::weighted(0.9)).prop_map(|(r, clear)| Move::Declare(r, clear)),
        9 => review().prop_map(Move::Seal),
        9 => (review(), proptest::bool::weighted(0.9)).prop_map(|(r, good)| Move::Reveal(r, good)),
        5 => review().prop_map(Move::Finalise),
        1 => Just(Move::Freeze),
        2 => Just(Move::Rank),
        1 => Just(Move::Close),
        3 => prop_oneof![4 => 1u64..30, 1 => 30u64..400].prop_map(Move::Hours),
    ];
    let step = (
        proptest::collection::vec(one, 0..9),
        proptest::bool::weighted(0.9),
    );
    proptest::collection::vec(step, 8..11).prop_map(|steps| {
        let with_stage = |(stage, (noise, done)): (u32, (Vec<Move>, bool))| {
            noise.into_iter().chain(done.then_some(Move::Stage(stage)))
        };
        (0..).zip(steps).flat_map(with_stage).collect()
    })
}

fn stage(w: &mut Writer, call: u32, stage: u32) -> Applied {
    let applications: Vec<u32> = w
        .tables()
        .applications
        .iter()
        .map(|(number, _)| *number)
        .collect();
    let reviews: Vec<u32> = w
        .tables()
        .reviews
        .iter()
        .map(|(number, _)| *number)
        .collect();
    match stage {
        0 => applications
            .iter()
            .for_each(|n| drop(open(w, *n, &format!("early {}", n - 1), 1_000 * Y))),
        1 => applications.iter().for_each(|n| drop(judge(w, *n, None))),
        2 => reviews
            .iter()
            .for_each(|n| drop(declare(w, *n, ReviewDeclaration::Clear))),
        3 => reviews
            .iter()
            .for_each(|n| drop(seal_scores(w, *n, &[5, 6, 7]))),
        4 => reviews
            .iter()
            .for_each(|n| drop(reveal_scores(w, *n, &[5, 6, 7]))),
        5 => reviews.iter().for_each(|n| {
            drop(review_act(
                w,
                *n,
                CallAct::Finalise {
                    review: *n,
                    revision: None,
                },
            ))
        }),
        6 => drop(w.advance_days(12)),
        7 => return act(w, 1, CallAct::Rank { call }),
        8 => applications.iter().for_each(|n| {
            let applicant = of(w, *n).applicant;
            drop(act(w, applicant, CallAct::Withdraw { application: *n }));
        }),
        _ => return officer(w, CallAct::Close { call }),
    }
    Ok(Outcome::Applied)
}

/// The `nth` review that still runs.
fn running(w: &Writer, nth: usize) -> Option<u32> {
    w.tables()
        .reviews
        .iter()
        .filter(|(_, review)| review.status.is_running())
        .map(|(number, _)| *number)
        .nth(nth)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever applicants, officers, reviewers and the clock do in whatever order: applications
    /// and reviews move only along their tables, reviewers of one application are unrelated to it
    /// and of distinct groups, the money of the call stays where it is.
    #[test]
    fn a_call_moves_only_along_its_tables(early in proptest::collection::vec(17u32..23, 2..5), moves in moves()) {
        let mut w = writer("moves");
        let (fund, call) = open_call(&mut w);
        fill_pool(&mut w, &[5, 6, 7, 8, 9, 10, 12, 13, 18]);
        for (i, member) in early.into_iter().enumerate() {
            apply_for(&mut w, call, member, &format!("early {i}"), 1_000 * Y);
        }
        let closes = w.due(DeadlineKind::CallCloses, call).unwrap();
        w.advance(closes + 1);
        full_draw(&mut w, call);
        let mut applications: BTreeMap<u32, ApplicationStatus> = BTreeMap::new();
        let mut all_reviews: BTreeMap<u32, ReviewStatus> = BTreeMap::new();
        let mut calls = vec![call_status(&w, call)];
        for step in moves {
            let project = |n: u32| format!("early {}", n - 1);
            let _ = match step {
                Move::Submit(member) => act(&mut w, member, CallAct::Submit(submission(call, member, "late", 5))),
                Move::Withdraw(application) => match w.tables().applications.get(&application).map(|a| a.applicant) {
                    Some(applicant) => act(&mut w, applicant, CallAct::Withdraw { application }),
                    None => continue,
                },
                Move::Open(application) if w.tables().applications.contains(&application) => {
                    open(&mut w, application, &project(application), 1_000 * Y)
                }
                Move::Open(_) => continue,
                Move::Judge(application, good) => judge(&mut w, application, (!good).then_some("incomplete")),
                Move::Appeal(application) => match w.tables().applications.get(&application).map(|a| a.applicant) {
                    Some(applicant) => act(&mut w, applicant, CallAct::Appeal { application, grounds: Hash::ZERO }),
                    None => continue,
                },
                Move::Declare(nth, clear) => match running(&w, nth) {
                    Some(review) => {
                        declare(&mut w, review, if clear { ReviewDeclaration::Clear } else { ReviewDeclaration::Declined })
                    }
                    None => continue,
                },
                Move::Seal(nth) => match running(&w, nth) {
                    Some(review) => seal_scores(&mut w, review, &[5, 6, 7]),
                    None => continue,
                },
                Move::Reveal(nth, good) => match running(&w, nth) {
                    Some(review) => reveal_scores(&mut w, review, &[5, 6, if good { 7 } else { 8 }]),
                    None => continue,
                },
                Move::Finalise(nth) => match running(&w, nth) {
                    Some(review) => review_act(&mut w, review, CallAct::Finalise { review, revision: None }),
                    None => continue,
                },
                Move::Freeze => officer(&mut w, CallAct::FreezePool { subject: DrawFor::Call(call) }),
                Move::Rank => act(&mut w, 1, CallAct::Rank { call }),
                Move::Close => officer(&mut w, CallAct::Close { call }),
                Move::Stage(which) => stage(&mut w, call, which),
                Move::Hours(hours) => {
                    let to = w.now() + hours * 3_600_000;
                    w.advance(to);
                    Ok(Outcome::Applied)
                }
            };
            let now = call_status(&w, call);
            prop_assert!(leads(&rollbook_core::funding::call::ROWS, *calls.last().unwrap(), now));
            calls.push(now);
            let expected = if now == CallStatus::Closed { 0 } else { i128::from(25_000_000 * Y) };
            prop_assert_eq!(balance(&w, fund, AccountKind::Call(call)), expected);
            totals(&w, fund);
            let tables = w.tables();
            for (number, application) in tables.applications.iter() {
                if let Some(was) = applications.insert(*number, application.status) {
                    prop_assert!(leads(&rollbook_core::funding::application::ROWS, was, application.status));
                }
                let mut groups = BTreeSet::new();
                for review in reviews(&w, *number).iter().filter(|review| review.status.stands()) {
                    let home = tables.persons.get(&review.person).unwrap().home;
                    prop_assert!(home != application.applicant);
                    let group = if home == 13 { 12 } else { home };
                    prop_assert!(groups.insert(group), "two of one group");
                }
                if application.rank.is_some() {
                    let done = reviews(&w, *number).iter().filter(|review| review.status == ReviewStatus::Final).count();
                    prop_assert!(done >= 3);
                }
            }
            for (number, review) in tables.reviews.iter() {
                if let Some(was) = all_reviews.insert(*number, review.status) {
                    prop_assert!(leads(&rollbook_core::funding::review::ROWS, was, review.status));
                }
            }
        }
    }
}

fn scored(scores: &[[u32; 3]]) -> Vec<Scores> {
    scores
        .iter()
        .map(|scores| Scores(scores.to_vec()))
        .collect()
}

proptest! {
    /// The score does not depend on the order of reviews, the ranking not on the order of
    /// applications, and it is the order of the exact means.
    #[test]
    fn ranking_is_independent_of_order(
        entries in proptest::collection::vec(
            (proptest::collection::vec(proptest::array::uniform3(0u32..=10), 3..6), 1u64..4, 0u64..3), 1..9),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let terms = CallTerms { threshold: 0, ..sample_terms() };
        let contestants: Vec<Contestant> = (1..).zip(&entries).map(|(application, (reviews, ask, submitted_ms))| {
            let reviews = scored(reviews);
            let forward = score(&terms, &reviews).unwrap();
            let turned = shuffle.index(reviews.len());
            let other: Vec<&Scores> = reviews[turned..].iter().chain(&reviews[..turned]).rev().collect();
            assert_eq!(score(&terms, other).unwrap(), forward);
            Contestant { application, ask: *ask, submitted_ms: *submitted_ms, score: forward }
        }).collect();
        let mut ranked = contestants.clone();
        ranked.sort_by(|a, b| better(&terms, a, b));
        let mut turned = contestants;
        let by = shuffle.index(turned.len());
        turned.rotate_left(by);
        turned.reverse();
        turned.sort_by(|a, b| better(&terms, a, b));
        prop_assert_eq!(&ranked, &turned);
        for pair in ranked.windows(2) {
            let (a, b) = (&pair[0].score, &pair[1].score);
            let (left, right) = (a.total * u64::from(b.reviews), b.total * u64::from(a.reviews));
            prop_assert!(left >= right);
            if left == right {
                prop_assert!(a.sums[0] * u64::from(b.reviews) >= b.sums[0] * u64::from(a.reviews), "the first tie-break");
            }
        }
    }

    /// A draw orders the whole pool, nobody twice, whatever order the pool is given in; another
    /// object gives another order.
    #[test]
    fn a_draw_is_a_permutation(pool in proptest::collection::btree_set(1u32..10_000, 1..60), bytes: [u8; 32]) {
        let pool: Vec<u32> = pool.into_iter().collect();
        let order = draw::order(&Hash(bytes), 1, &pool);
        prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), pool.iter().copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(order.len(), pool.len());
        let reversed: Vec<u32> = pool.iter().rev().copied().collect();
        prop_assert_eq!(&draw::order(&Hash(bytes), 1, &reversed), &order);
        prop_assert!(pool.len() < 12 || draw::order(&Hash(bytes), 2, &pool) != order);
    }
}

fn sample_terms() -> CallTerms {
    CallTerms {
        fund: 1,
        title: name("sample"),
        direction: None,
        budget: 10,
        ask_max: 10,
        criteria: vec![
            criterion("quality", 4_000, 4),
            criterion("impact", 3_500, 0),
            criterion("value", 2_500, 0),
        ],
        threshold: 50_000,
        reviewers: 3,
        concentration_bp: None,
        tie_breaks: vec![
            TieBreak::Criterion(0),
            TieBreak::SmallerAsk,
            TieBreak::Earlier,
        ],
        eligibility: Eligibility {
            classes: vec![Class::Founding],
            outsiders: false,
            in_direction: false,
        },
        codes: vec![text("incomplete")],
        opens_day: 1,
        closes_day: 2,
        document: Hash::ZERO,
    }
}

/// Thresholds and totals at their exact edges, by hand.
#[test]
fn thresholds_are_exact() {
    let terms = sample_terms();
    // Means of 5 on every criterion: 5 * 10,000 reaches 50,000 exactly.
    let exact = score(&terms, &scored(&[[4, 6, 5], [6, 4, 5]])).unwrap();
    assert_eq!(
        (
            exact.total,
            exact.sums.clone(),
            exact.reviews,
            exact.reached
        ),
        (100_000, vec![10, 10, 10], 2, true)
    );
    let below = score(&terms, &scored(&[[4, 6, 5], [6, 4, 4]])).unwrap();
    assert_eq!((below.total, below.reached), (97_500, false));
    assert!(
        score(&terms, &scored(&[[4, 10, 10], [4, 10, 10], [4, 10, 10]]))
            .unwrap()
            .reached
    );
    let weak = score(&terms, &scored(&[[4, 10, 10], [4, 10, 10], [3, 10, 10]])).unwrap();
    assert!(!weak.reached, "11/3 is below 4, however good the rest");
    assert_eq!(score(&terms, &[]), None);
}
