//! Funds, contributions, calls, applications, draws and reviews on a one-writer ledger (F01 to F10,
//! F34, F35, F37 to F40, R22).
//!
//! Here: short words for what everybody does, from the fund to the last review. The suites are
//! below.

mod applications;
mod calls;
mod draws;
mod funds;
mod random;
mod ranking;
mod tables;
mod terms_and_ends;

use rollbook_core::account::{Account, AccountKind, Amount, Pot, Totals, Unit};
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::Class;
use rollbook_core::id::{
    ApplicationId, CallId, DirectionId, DrawId, FundId, InstalmentId, PersonId, ReviewId,
};
use rollbook_core::identity::{Name, Role};
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::fund::FundStatus;
use rollbook_core::record::{
    ApplicationContent, BankReference, Body, CallAct, CallTerms, ConfirmPool, CreateFund,
    Criterion, DrawFor, Eligibility, FundAct, InstalmentEntry, Instrument, MotionEffect, PerGroup,
    PledgeEntry, PoolKind, ReceiptEntry, ReviewDeclaration, Scores, Submission, TieBreak, Verdict,
    draw_commitment,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;
/// Minor units of one yuan.
const YUAN: u64 = 100;

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
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.pairs = vec![(12, 13)];
    Writer::founded(Alliance::of(&sample))
}

fn day(writer: &Writer, ahead: i64) -> i64 {
    i64::try_from((writer.now() + 8 * 3_600_000) / MS_PER_DAY).unwrap() + ahead
}

fn fund_act(writer: &mut Writer, member: u32, act: FundAct) -> Applied {
    writer.member(member, Body::Fund(act))
}

fn office(writer: &mut Writer, role: Role, act: FundAct) -> Applied {
    writer.office(role, Body::Fund(act))
}

fn plan(writer: &Writer) -> CreateFund {
    let mut officers: Vec<(Role, PersonId)> = [
        (Role::Treasurer, 0),
        (Role::SecondOfficer, 0),
        (Role::SecondOfficer, 1),
        (Role::ProgrammeOfficer, 0),
        (Role::FinanceApprover, 0),
        (Role::FinanceApprover, 1),
    ]
    .map(|(role, nth)| (role, PersonId(writer.holder(role, nth))))
    .to_vec();
    officers.sort();
    CreateFund {
        name: name("Sample promotion fund"),
        holder: OrganisationId(secretariat(MEMBERS)),
        unit: Unit::default(),
        bank_account: sha256(b"salted account"),
        office: OrganisationId(secretariat(MEMBERS)),
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
        .map(|(role, person)| (person.0, *role))
        .collect();
    writer
        .act_as(
            plan.office.0,
            &signers,
            Body::Fund(FundAct::Accept { fund }),
        )
        .unwrap();
    assert_eq!(
        writer.tables().funds.get(&fund).unwrap().status,
        FundStatus::Open
    );
    fund.0
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
        .iter()
        .map(|instalment| instalment.0)
        .collect()
}

fn pledge_entry(writer: &Writer, fund: u32, pot: Pot, parts: &[(i64, u64)]) -> PledgeEntry {
    let instalments = parts
        .iter()
        .map(|(ahead, amount)| InstalmentEntry {
            due_day: LocalDay(day(writer, *ahead)),
            amount: Amount(*amount),
        })
        .collect();
    PledgeEntry {
        fund: FundId(fund),
        pot,
        instalments,
    }
}

fn receipt(writer: &Writer, instalment: u32, amount: u64, reference: &str) -> ReceiptEntry {
    ReceiptEntry {
        instalment: InstalmentId(instalment),
        amount: Amount(amount),
        reference: BankReference(text(reference)),
        value_day: LocalDay(day(writer, 0)),
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
        FundAct::CallInstalment {
            instalment: InstalmentId(instalment),
        },
    )
    .unwrap();
}

fn balance(writer: &Writer, fund: u32, kind: AccountKind) -> i128 {
    writer
        .tables()
        .accounts
        .get(&Account {
            fund: FundId(fund),
            kind,
        })
        .map_or(0, |balance| balance.0)
}

fn totals(writer: &Writer, fund: u32) -> Totals {
    Totals::of(
        FundId(fund),
        writer
            .tables()
            .accounts
            .iter()
            .map(|(account, balance)| (*account, balance.0)),
    )
    .unwrap()
}

fn status(writer: &Writer, instalment: u32) -> InstalmentStatus {
    writer
        .tables()
        .instalments
        .get(&InstalmentId(instalment))
        .unwrap()
        .status
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
        fund: FundId(fund),
        instrument: Instrument::Grant,
        title: name("CALL-XR"),
        direction: Some(DirectionId(2)),
        budget: Amount(25_000_000 * YUAN),
        ask_max: Amount(12_000_000 * YUAN),
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
        per_group: PerGroup::default(),
        codes: vec![text("incomplete"), text("out-of-scope")],
        opens_day: LocalDay(day(writer, 15)),
        closes_day: LocalDay(day(writer, 45)),
        document: sha256(b"call document"),
    }
}

/// A call with money in its fund: 20 m free, 10 m earmarked to direction 2. Ledger time is in the
/// window.
fn open_call(writer: &mut Writer) -> (u32, u32) {
    let fund = open_fund(writer);
    for (member, pot, reference) in [
        (11, Pot::Free, "IN-11"),
        (14, Pot::Direction(DirectionId(2)), "IN-14"),
    ] {
        let amount = if pot == Pot::Free {
            20_000_000 * YUAN
        } else {
            10_000_000 * YUAN
        };
        let parts = pledge(writer, member, fund, pot, &[(30, amount)]);
        called(writer, parts[0]);
        receive(writer, parts[0], amount, reference).unwrap();
    }
    let terms = terms(writer, fund);
    let motion = writer
        .propose(MotionEffect::PublishCall(terms.into()), 7)
        .unwrap();
    writer.pass(motion);
    let call = *writer.tables().calls.last_key().unwrap();
    let opens = writer.due(DeadlineKind::CallOpens, call.0).unwrap();
    writer.advance(opens + 1);
    assert_eq!(
        writer.tables().calls.get(&call).unwrap().status,
        CallStatus::Open
    );
    (fund, call.0)
}

fn content(project: &str, ask: u64) -> ApplicationContent {
    ApplicationContent {
        project: sha256(project.as_bytes()),
        title: text(project),
        ask: Amount(ask),
        partners: Vec::new(),
        document: sha256(project.as_bytes()),
    }
}

const SALT: [u8; 32] = [7; 32];

fn submission(call: u32, applicant: u32, project: &str, ask: u64) -> Submission {
    let commitment =
        content(project, ask).commitment(&SALT, CallId(call), OrganisationId(applicant));
    Submission {
        call: CallId(call),
        commitment,
        seen: None,
    }
}

fn act(writer: &mut Writer, member: u32, act: CallAct) -> Applied {
    writer.member(member, Body::Call(act))
}

fn officer(writer: &mut Writer, act: CallAct) -> Applied {
    writer.office(Role::ProgrammeOfficer, Body::Call(act))
}

fn apply_for(writer: &mut Writer, call: u32, applicant: u32, project: &str, ask: u64) -> u32 {
    assert_eq!(
        act(
            writer,
            applicant,
            CallAct::Submit(submission(call, applicant, project, ask))
        ),
        Ok(Outcome::Applied)
    );
    writer.tables().applications.last_key().unwrap().0
}

fn open(writer: &mut Writer, application: u32, project: &str, ask: u64) -> Applied {
    let applicant = writer
        .tables()
        .applications
        .get(&ApplicationId(application))
        .unwrap()
        .applicant;
    act(
        writer,
        applicant.0,
        CallAct::Open {
            application: ApplicationId(application),
            content: content(project, ask),
            salt: SALT,
        },
    )
}

fn judge(writer: &mut Writer, application: u32, code: Option<&str>) -> Applied {
    let verdict = match code {
        None => Verdict::Eligible,
        Some(code) => Verdict::Ineligible {
            code: text(code),
            reason: sha256(b"salted reason"),
        },
    };
    officer(
        writer,
        CallAct::Judge {
            application: ApplicationId(application),
            verdict,
        },
    )
}

fn of(writer: &Writer, application: u32) -> rollbook_core::object::application::Application {
    writer
        .tables()
        .applications
        .get(&ApplicationId(application))
        .unwrap()
        .clone()
}

fn call_status(writer: &Writer, call: u32) -> CallStatus {
    writer.tables().calls.get(&CallId(call)).unwrap().status
}

/// Puts the technical officers of these members into the pool of reviewers.
fn fill_pool(writer: &mut Writer, members: &[u32]) {
    let persons: Vec<PersonId> = members
        .iter()
        .map(|member| PersonId(officers_of(*member).1))
        .collect();
    officer(
        writer,
        CallAct::EnterPool {
            pool: PoolKind::Reviewers,
            persons: persons.clone(),
        },
    )
    .unwrap();
    let motion = writer
        .propose(
            MotionEffect::ConfirmPool(ConfirmPool {
                pool: PoolKind::Reviewers,
                persons,
            }),
            7,
        )
        .unwrap();
    writer.pass(motion);
}

fn commit(writer: &mut Writer, draw: u32, place: Place, byte: u8) -> Applied {
    let attempt = writer.tables().draws.get(&DrawId(draw)).unwrap().attempt;
    let (principal, person, role) = signer(writer, place);
    let commitment = draw_commitment(DrawId(draw), attempt, PersonId(person), &[byte; 32]);
    writer.act_as(
        principal,
        &[(person, role)],
        Body::Call(CallAct::CommitDraw {
            draw: DrawId(draw),
            commitment,
        }),
    )
}

fn reveal(writer: &mut Writer, draw: u32, place: Place, byte: u8) -> Applied {
    let (principal, person, role) = signer(writer, place);
    writer.act_as(
        principal,
        &[(person, role)],
        Body::Call(CallAct::RevealDraw {
            draw: DrawId(draw),
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

fn signer(writer: &Writer, place: Place) -> (u32, u32, Role) {
    match place {
        Place::Po => (
            secretariat(MEMBERS),
            writer.holder(Role::ProgrammeOfficer, 0),
            Role::ProgrammeOfficer,
        ),
        Place::Off => (
            secretariat(MEMBERS),
            writer.holder(Role::SecondOfficer, 0),
            Role::SecondOfficer,
        ),
        Place::Seat(member) => (member, officers_of(member).0, Role::Primary),
    }
}

fn full_draw(writer: &mut Writer, call: u32) -> u32 {
    officer(
        writer,
        CallAct::FreezePool {
            subject: DrawFor::Call(CallId(call)),
        },
    )
    .unwrap();
    let number = *writer.tables().draws.last_key().unwrap();
    let places = [(Place::Po, 1), (Place::Off, 2), (Place::Seat(3), 3)];
    for (place, byte) in places {
        commit(writer, number.0, place, byte).unwrap();
    }
    for (place, byte) in places {
        reveal(writer, number.0, place, byte).unwrap();
    }
    number.0
}

fn reviews(writer: &Writer, application: u32) -> Vec<rollbook_core::object::review::Review> {
    writer
        .tables()
        .reviews
        .iter()
        .map(|(_, review)| review.clone())
        .filter(|review| review.application == ApplicationId(application))
        .collect()
}

fn standing(writer: &Writer, application: u32) -> Vec<u32> {
    reviews(writer, application)
        .iter()
        .filter(|review| review.status.stands())
        .map(|review| review.number.0)
        .collect()
}

fn review_act(writer: &mut Writer, review: u32, act: CallAct) -> Applied {
    let person = writer
        .tables()
        .reviews
        .get(&ReviewId(review))
        .unwrap()
        .person;
    let home = writer.tables().persons.get(&person).unwrap().home;
    writer.act_as(home.0, &[(person.0, Role::Technical)], Body::Call(act))
}

fn declare(writer: &mut Writer, review: u32, declaration: ReviewDeclaration) -> Applied {
    review_act(
        writer,
        review,
        CallAct::Declare {
            review: ReviewId(review),
            declaration,
        },
    )
}

fn seal_scores(writer: &mut Writer, review: u32, scores: &[u32]) -> Applied {
    let seal = Scores(scores.to_vec()).seal(&SALT, ReviewId(review), &sha256(b"comment"));
    review_act(
        writer,
        review,
        CallAct::Seal {
            review: ReviewId(review),
            seal,
        },
    )
}

fn reveal_scores(writer: &mut Writer, review: u32, scores: &[u32]) -> Applied {
    let act = CallAct::Reveal {
        review: ReviewId(review),
        scores: Scores(scores.to_vec()),
        comment: sha256(b"comment"),
        salt: SALT,
    };
    review_act(writer, review, act)
}

fn review_all(writer: &mut Writer, application: u32, scores: &[[u32; 3]]) {
    let numbers = standing(writer, application);
    for (review, scores) in numbers.iter().zip(scores) {
        declare(writer, *review, ReviewDeclaration::Clear).unwrap();
        seal_scores(writer, *review, scores).unwrap();
    }
    for (review, scores) in numbers.iter().zip(scores) {
        reveal_scores(writer, *review, scores).unwrap();
        review_act(
            writer,
            *review,
            CallAct::Finalise {
                review: ReviewId(*review),
                revision: None,
            },
        )
        .unwrap();
    }
}
