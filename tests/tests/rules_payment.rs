//! Awards, agreements, milestones and payments (F11 to F22, F42, F43): every guard, the clocks, and the invariants N4 to N11
//! over random sequences. Records go through `apply_record`; what comes before the award (fund, call, ranked applications,
//! pools) stands in the tables at the start.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollbook_core::account::{Account, AccountKind, Balances, Movement, Pot, Totals, Unit};
use rollbook_core::apply::{Event, EventBody, Outcome, Refusal, Tx, apply_record, next_deadline, run_due};
use rollbook_core::charter::{Class, DAY_MS, HOUR_MS};
use rollbook_core::codec::{Text, encode};
use rollbook_core::crypto::{Hash, VerifierCache, sha256_tagged};
use rollbook_core::funding::agreement::{self, AgreementState};
use rollbook_core::funding::award::{self, AwardState};
use rollbook_core::funding::call::{Call, CallStatus};
use rollbook_core::funding::duties::{self, Step};
use rollbook_core::funding::fund::{Fund, FundStatus};
use rollbook_core::funding::milestone::{self, MilestoneState, Paid};
use rollbook_core::funding::payment::{self, Awaited, PaymentState};
use rollbook_core::funding::{self, Application, ApplicationStatus, Draw, DrawStatus, Opened, Review, ReviewStatus};
use rollbook_core::identity::groups::{Edge, relate};
use rollbook_core::identity::{Name, Post, PostStatus, Role, Scope};
use rollbook_core::ledger::Ledger;
use rollbook_core::motion::rules::BodyKind;
use rollbook_core::record::*;
use rollbook_core::state::{PROVED_VALUE_MAX, StateTables};
use rollbook_tests::alliance::{Alliance, OPENED_MS, officers_of, secretariat};

const MEMBERS: u32 = 20;
const GRANTEE: u32 = 12;
const OTHER: u32 = 13;
const FUND: u32 = 1;
const CALL: u32 = 1;
/// Minor units of a yuan, and of a million.
const Y: u64 = 100;
const M: u64 = 1_000_000 * Y;

fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

fn hash(label: &str) -> Hash {
    sha256_tagged("test", &[label.as_bytes()])
}

/// Tables with a clock; records and deadlines go through the rules.
#[derive(Clone)]
struct World {
    tables: StateTables,
    chain: Hash,
    now: u64,
    height: u64,
    events: Vec<Event>,
}

struct Bench {
    alliance: Alliance,
    verifier: VerifierCache,
    w: World,
    ids: u32,
}

/// Posts of the secretariat, in the order of the sample alliance.
#[derive(Clone, Copy)]
enum Staff {
    Treasurer = 1,
    Officer = 2,
    Officer2 = 3,
    Programme = 4,
    Finance = 5,
    Finance2 = 6,
}

impl Staff {
    fn person(self) -> u32 {
        2 * MEMBERS + 3 + self as u32
    }

    fn role(self) -> Role {
        match self {
            Staff::Treasurer => Role::Treasurer,
            Staff::Officer | Staff::Officer2 => Role::SecondOfficer,
            Staff::Programme => Role::ProgrammeOfficer,
            Staff::Finance | Staff::Finance2 => Role::FinanceApprover,
        }
    }
}

impl Bench {
    /// A fund with 100 million received, a call of 20 million (call limit 70 %), three ranked applications: 12 (rank 1, ask 8
    /// million), 13 (rank 2, ask 6 million), 14 (rank 3, ask 2 million).
    fn new() -> Bench {
        Self::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut rollbook_core::charter::Charter)) -> Bench {
        let mut alliance = Alliance::with(b"payment", MEMBERS, 4, rollbook_core::log::Clock::Sample, adjust);
        let found = alliance.found(OPENED_MS);
        let (ledger, _) = Ledger::from_genesis(&alliance.genesis).unwrap();
        let chain = alliance.chain();
        let w = World { tables: ledger.tables().clone(), chain, now: OPENED_MS + 1, height: 1, events: Vec::new() };
        let mut bench = Bench { alliance, verifier: VerifierCache::default(), w, ids: 0 };
        for record in &found {
            let w = &mut bench.w;
            apply_record(&mut w.tables, chain, w.height, w.now, record, &mut bench.verifier).unwrap();
        }
        bench.seed();
        bench
    }

    fn seed(&mut self) {
        let charter = self.w.tables.chain.get(&0).unwrap().charter;
        let name = Name { native: text("基金"), latin: text("Fund") };
        let since_ms = self.w.now;
        let fund = Fund {
            number: FUND,
            name: name.clone(),
            holder: 1,
            unit: Unit::currency("CNY").unwrap(),
            bank_account: hash("bank"),
            office: secretariat(MEMBERS),
            officers: Vec::new(),
            accepted: Vec::new(),
            holder_accepted: true,
            status: FundStatus::Open,
            since_ms,
            motion: 0,
            charter,
        };
        let terms = CallTerms {
            fund: FUND,
            title: name,
            direction: None,
            budget: 20 * M,
            ask_max: 20 * M,
            criteria: Vec::new(),
            threshold: 0,
            reviewers: 3,
            concentration_bp: Some(7_000),
            tie_breaks: Vec::new(),
            eligibility: Eligibility { classes: vec![Class::Founding], outsiders: true, in_direction: false },
            codes: vec![text("late")],
            opens_day: 0,
            closes_day: 1,
            document: hash("call"),
        };
        let call = Call {
            number: CALL,
            terms_hash: terms.hash(),
            terms,
            concentration_bp: 7_000,
            status: CallStatus::Ranked,
            since_ms,
            closed_ms: Some(since_ms),
            applications: 3,
            motion: 0,
            charter,
        };
        self.w.tables.funds.put(FUND, fund);
        self.w.tables.calls.put(CALL, call);
        for (number, applicant, ask) in [(1, GRANTEE, 8 * M), (2, OTHER, 6 * M), (3, 14, 2 * M)] {
            let content = ApplicationContent { title: text("Project"), ask, document: hash("application") };
            let application = Application {
                number,
                call: CALL,
                applicant,
                project: hash(&format!("project/{number}")),
                commitment: Hash::ZERO,
                record: Hash::ZERO,
                submitted_ms: since_ms,
                status: ApplicationStatus::Ranked,
                since_ms,
                opened: Some(Opened { content, at_ms: since_ms, by: applicant }),
                verdict: Some(Verdict::Eligible),
                judged_by: None,
                appeal: None,
                score: None,
                rank: Some(number),
            };
            self.w.tables.applications.put(number, application);
            self.w.tables.call_applications.put((CALL, number), 0);
        }
        // Reviewers of the first application: the second officers of 9, 10, 11.
        for (number, member) in (1..).zip([9, 10, 11]) {
            let person = officers_of(member).1;
            let review = Review {
                number,
                application: 1,
                person,
                draw: 1,
                status: ReviewStatus::Final,
                since_ms,
                declaration: Some(ReviewDeclaration::Clear),
                seal: None,
                scores: None,
                comment: None,
                revision: None,
            };
            self.w.tables.reviews.put(number, review);
            self.w.tables.review_of.put((1, person), number);
        }
        self.post(Movement::ContributionReceived { member: 1, pot: Pot::Free, amount: 100 * M });
        self.post(Movement::CallFunded { call: CALL, direction: None, amount: 20 * M });
        self.w.tables.keep_record();
    }

    fn post(&mut self, movement: Movement) {
        self.direct(|tx| funding::post(tx, FUND, &movement).map(|_| ())).unwrap();
    }

    /// What a motion would do: a rule called without a record.
    fn direct<T>(&mut self, act: impl FnOnce(&mut Tx) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let w = &mut self.w;
        let mut tx =
            Tx { t: &mut w.tables, now: w.now, height: w.height, chain: w.chain, record: hash("motion"), events: Vec::new() };
        match act(&mut tx) {
            Ok(value) => {
                w.tables.keep_record();
                Ok(value)
            }
            Err(refusal) => {
                w.tables.drop_record();
                Err(refusal)
            }
        }
    }

    /// A record at the next second.
    fn act(&mut self, principal: u32, signers: &[(u32, Role)], body: Body) -> Result<Hash, Refusal> {
        self.advance(self.w.now + 1_000);
        let record = self.alliance.record(principal, signers, self.w.now, body);
        let w = &mut self.w;
        w.height += 1;
        let outcome = apply_record(&mut w.tables, w.chain, w.height, w.now, &record, &mut self.verifier)?;
        assert_eq!(outcome, Outcome::Applied);
        Ok(record.id())
    }

    fn grantee(&mut self, body: Body) -> Result<Hash, Refusal> {
        self.company(GRANTEE, body)
    }

    fn company(&mut self, member: u32, body: Body) -> Result<Hash, Refusal> {
        let (first, second) = officers_of(member);
        let role = match &body {
            Body::Payment(PaymentAct::Submit { .. } | PaymentAct::Assess { .. }) => Role::Technical,
            _ => Role::Finance,
        };
        self.act(member, &[(first, Role::Primary), (second, role)], body)
    }

    fn staff(&mut self, who: Staff, body: Body) -> Result<Hash, Refusal> {
        self.act(secretariat(MEMBERS), &[(who.person(), who.role())], body)
    }

    fn advance(&mut self, to: u64) -> Vec<EventBody> {
        let before = self.w.events.len();
        let w = &mut self.w;
        while let Some(due) = next_deadline(&w.tables).filter(|due| *due < to) {
            w.now = w.now.max(due + 1);
            let (events, more) = run_due(&mut w.tables, w.chain, w.height, w.now, 1_000);
            assert!(!more);
            w.events.extend(events);
        }
        w.now = w.now.max(to);
        w.events[before..].iter().map(|event| event.body.clone()).collect()
    }

    fn days(&mut self, days: u64) -> Vec<EventBody> {
        self.advance(self.w.now + days * DAY_MS)
    }

    fn of(&self, kind: AccountKind) -> i128 {
        self.w.tables.balance(Account { fund: FUND, kind })
    }

    fn totals(&self) -> Totals {
        Totals::of(FUND, self.w.tables.accounts.iter().map(|(account, balance)| (*account, *balance))).unwrap()
    }

    fn grant(&mut self, application: u32, amount: u64, body: BodyKind) -> Result<u32, Refusal> {
        let grant = GrantAward { application, amount, body, out_of_rank: None };
        self.direct(|tx| award::grant(tx, 1, &grant))
    }

    fn accepted_award(&mut self) -> u32 {
        let number = self.grant(1, 8 * M, BodyKind::Assembly).unwrap();
        self.days(14);
        self.grantee(Body::Award(AwardAct::Accept { award: number })).unwrap();
        number
    }

    fn terms(&self, award: u32, amounts: &[u64], advance: u64) -> AgreementTerms {
        let due_ms = self.w.now + 200 * DAY_MS;
        let plan = |amount: &u64| MilestonePlan { amount: *amount, due_ms, evidence: hash("evidence") };
        AgreementTerms {
            award,
            grantee: GRANTEE,
            parties: hash("parties"),
            document: hash("document"),
            total: amounts.iter().sum(),
            unit: Unit::currency("CNY").unwrap(),
            milestones: amounts.iter().map(plan).collect(),
            advance,
            holdback_bp: 1_000,
            account: hash("account"),
            charter: self.w.tables.chain.get(&0).unwrap().charter,
            call: self.w.tables.calls.get(&CALL).unwrap().terms_hash,
            clawback: hash("clawback"),
            survival: hash("survival"),
        }
    }

    fn draft(&mut self, terms: &AgreementTerms) -> Result<(u32, Hash), Refusal> {
        let id = self.staff(Staff::Programme, Body::Award(AwardAct::Draft(terms.clone())))?;
        Ok((*self.w.tables.agreements.last_key().unwrap(), id))
    }

    fn sign_all(&mut self, terms: &AgreementTerms) -> u32 {
        let (agreement, draft) = self.draft(terms).unwrap();
        let terms = terms.digest();
        let signed = self.grantee(Body::Award(AwardAct::Sign { agreement, draft, terms })).unwrap();
        for who in [Staff::Treasurer, Staff::Officer] {
            self.staff(who, Body::Award(AwardAct::Countersign { agreement, signed, terms })).unwrap();
        }
        agreement
    }

    /// AG1 of the story: 8 million, advance 2.4 million, two milestones of 4 million, assessors drawn.
    fn agreement(&mut self) -> u32 {
        let award = self.accepted_award();
        let terms = self.terms(award, &[4 * M, 4 * M], 24 * M / 10);
        let agreement = self.sign_all(&terms);
        self.draw(agreement, &[5, 6, 7, 8]);
        agreement
    }

    /// Finished draws of one person each: the second officers of these members, in this order.
    fn draw(&mut self, agreement: u32, members: &[u32]) {
        let subject = DrawFor::Agreement(agreement);
        for (round, member) in (1..).zip(members) {
            let number = 100 * agreement + round;
            let draw = Draw {
                number,
                subject,
                round,
                attempt: 1,
                pool: vec![officers_of(*member).1],
                pool_hash: Hash::ZERO,
                slots: Vec::new(),
                named: Vec::new(),
                seed: Some(Hash::ZERO),
                status: DrawStatus::Drawn,
                since_ms: self.w.now,
            };
            self.w.tables.draws.put(number, draw);
            self.w.tables.draw_of.put((subject, round), number);
        }
        self.w.tables.keep_record();
    }

    fn submit(&mut self, milestone: u32, label: &str) -> Result<Hash, Refusal> {
        let evidence = vec![Evidence { kind: EvidenceKind::Document, hash: hash(label), shared: false }];
        self.grantee(Body::Payment(PaymentAct::Submit { milestone, evidence }))
    }

    fn assess(&mut self, member: u32, milestone: u32, finding: Finding) -> Result<Hash, Refusal> {
        self.company(member, Body::Payment(PaymentAct::Assess { milestone, finding, report: hash("report") }))
    }

    /// Evidence and two findings alike, by whoever was drawn.
    fn accept_milestone(&mut self, milestone: u32, amount: u64) {
        self.submit(milestone, &format!("evidence of {milestone}")).unwrap();
        self.judge_milestone(milestone, Finding::Accept(amount));
    }

    fn judge_milestone(&mut self, milestone: u32, finding: Finding) {
        let homes: Vec<u32> = self.milestone(milestone).assessors.iter().map(|assessor| assessor.home).collect();
        assert_eq!(homes.len(), 2, "two assessors are appointed");
        for home in homes {
            self.assess(home, milestone, finding).unwrap();
        }
    }

    fn milestone(&self, number: u32) -> milestone::Milestone {
        self.w.tables.milestones.get(&number).unwrap().clone()
    }

    fn first(&self, agreement: u32) -> u32 {
        self.w.tables.agreements.get(&agreement).unwrap().first_milestone
    }

    fn request(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> Result<u32, Refusal> {
        self.grantee(Body::Payment(PaymentAct::Request { agreement, tranche, amount }))?;
        Ok(*self.w.tables.payments.last_key().unwrap())
    }

    fn certify(&mut self, payment: u32) -> Result<Hash, Refusal> {
        self.staff(Staff::Programme, Body::Payment(PaymentAct::Certify { payment, decision: Decision::Pass }))
    }

    fn approve(&mut self, who: Staff, payment: u32) -> Result<Hash, Refusal> {
        let known = self.payment(payment);
        let (certified, amount) = (known.certified.unwrap_or_default(), known.amount);
        self.staff(who, Body::Payment(PaymentAct::Approve { payment, certified, amount, decision: Decision::Pass }))
    }

    fn instruction(&mut self, payment: u32) -> Instruction {
        self.ids += 1;
        let known = self.payment(payment);
        let account = self.w.tables.agreements.get(&known.agreement).unwrap().account;
        Instruction {
            end_to_end: text(&format!("P{payment}-{}", self.ids)),
            uetr: text(&format!("7a1f0c3e-5b7d-4e2a-9c44-{:012x}", self.ids)),
            account,
            amount: known.amount,
        }
    }

    fn release(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let instruction = self.instruction(payment);
        self.staff(Staff::Treasurer, Body::Payment(PaymentAct::Release { payment, instruction }))
    }

    fn reference(&mut self) -> BankReference {
        self.ids += 1;
        BankReference(text(&format!("BANK-{}", self.ids)))
    }

    fn settle(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(Staff::Officer, Body::Payment(PaymentAct::Settle { payment, reference, amount }))
    }

    fn give_back(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(Staff::Officer, Body::Payment(PaymentAct::Return { payment, reference, amount, reason: text("AC04") }))
    }

    fn acknowledge(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let amount = self.payment(payment).amount;
        self.grantee(Body::Payment(PaymentAct::Acknowledge { payment, amount }))
    }

    fn hold(&mut self, member: u32, payment: u32) -> Result<Hash, Refusal> {
        self.company(member, Body::Payment(PaymentAct::Hold { payment, ground: hash("ground") }))
    }

    fn payment(&self, number: u32) -> payment::Payment {
        self.w.tables.payments.get(&number).unwrap().clone()
    }

    fn approved(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.request(agreement, tranche, amount).unwrap();
        self.certify(payment).unwrap();
        self.approve(Staff::Finance, payment).unwrap();
        if self.payment(payment).state == PaymentState::Certified {
            self.approve(Staff::Finance2, payment).unwrap();
        }
        payment
    }

    /// From request to acknowledgement.
    fn pay(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.approved(agreement, tranche, amount);
        self.advance(self.w.now + 48 * HOUR_MS + 1);
        self.release(payment).unwrap();
        self.settle(payment).unwrap();
        self.acknowledge(payment).unwrap();
        payment
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, code: &str) {
    match result {
        Err(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
        Ok(value) => panic!("not refused ({code}): {value:?}"),
    }
}

#[test]
fn agreement_one_is_paid_to_the_last_cent() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    assert_eq!(b.of(AccountKind::Committed(agreement)), i128::from(8 * M));
    let (m1, m2, report) = (b.first(agreement), b.first(agreement) + 1, b.first(agreement) + 2);
    b.pay(agreement, Tranche::Advance, 24 * M / 10);
    b.accept_milestone(m1, 4 * M);
    b.pay(agreement, Tranche::Milestone(m1), 24 * M / 10);
    b.accept_milestone(m2, 4 * M);
    let payment = b.approved(agreement, Tranche::Milestone(m2), 24 * M / 10);
    b.advance(b.w.now + 48 * HOUR_MS + 1);
    b.release(payment).unwrap();
    // The line of the story: D 4.8, T 2.4, K 0.8 million.
    let line = [AccountKind::Paid(agreement), AccountKind::InTransit(payment), AccountKind::Committed(agreement)];
    assert_eq!(line.map(|kind| b.of(kind)), [48, 24, 8].map(|tenths| i128::from(tenths * M / 10)));
    b.settle(payment).unwrap();
    b.acknowledge(payment).unwrap();
    refused(b.request(agreement, Tranche::Holdback, 8 * M / 10), "F43.not-finally-accepted");
    b.accept_milestone(report, 0);
    assert_eq!(b.w.tables.agreements.get(&agreement).unwrap().state, AgreementState::Completed);
    b.pay(agreement, Tranche::Holdback, 8 * M / 10);
    assert_eq!(b.of(AccountKind::Paid(agreement)), i128::from(8 * M));
    assert_eq!(b.of(AccountKind::Committed(agreement)), 0);
    b.totals();
    for (_, payment) in b.w.tables.payments.iter() {
        assert_eq!(payment.state, PaymentState::Acknowledged);
        assert!(encode(payment).len() < PROVED_VALUE_MAX);
    }
}

#[test]
fn f11_guards_of_an_award() {
    let mut b = Bench::new();
    // Body by size: 500,000 the committee, 5,000,000 the board, above the assembly.
    for (amount, body) in [(Y, BodyKind::Committee), (500_000 * Y, BodyKind::Committee), (500_000 * Y + 1, BodyKind::Board)]
        .into_iter()
        .chain([(5 * M, BodyKind::Board), (5 * M + 1, BodyKind::Assembly)])
    {
        let grant = GrantAward { application: 1, amount, body, out_of_rank: None };
        assert_eq!(b.direct(|tx| award::required_body(tx, &grant)), Ok(body), "{amount}");
    }
    refused(b.grant(1, 8 * M, BodyKind::Board), "F11.body-too-low");
    refused(b.grant(1, 8 * M + 1, BodyKind::Assembly), "F11.above-ask");
    refused(b.grant(9, Y, BodyKind::Assembly), "A4.unknown-application");
    // Rank order: 13 before 12 only with reasons, and then not in the committee.
    refused(b.grant(2, Y, BodyKind::Assembly), "F11.out-of-rank");
    let mut out = GrantAward { application: 2, amount: Y, body: BodyKind::Committee, out_of_rank: Some(hash("reasons")) };
    refused(b.direct(|tx| award::check(tx, &out)), "F11.body-too-low");
    out.body = BodyKind::Board;
    assert_eq!(b.direct(|tx| award::check(tx, &out)), Ok(()));
    out.application = 1;
    refused(b.direct(|tx| award::check(tx, &out)), "F11.in-rank");
    // What the call holds.
    let spent = 13 * M;
    b.post(Movement::CallReleased { call: CALL, amount: spent });
    refused(b.grant(1, 8 * M, BodyKind::Assembly), "N4.above-budget");
    b.post(Movement::CallFunded { call: CALL, direction: None, amount: spent });
    // Only of ranked applications of a ranked call.
    let mut call = b.w.tables.calls.get(&CALL).unwrap().clone();
    call.status = CallStatus::Reviewing;
    b.w.tables.calls.put(CALL, call.clone());
    refused(b.grant(1, 8 * M, BodyKind::Assembly), "F11.call-not-ranked");
    call.status = CallStatus::Ranked;
    b.w.tables.calls.put(CALL, call);
    let award = b.grant(1, 8 * M, BodyKind::Assembly).unwrap();
    assert_eq!(b.of(AccountKind::Award(award)), i128::from(8 * M));
    assert_eq!(b.of(AccountKind::Call(CALL)), i128::from(12 * M));
    assert_eq!(b.w.tables.applications.get(&1).unwrap().status, ApplicationStatus::Awarded);
    refused(b.grant(1, Y, BodyKind::Assembly), "F11.application-not-ranked");
}

/// The mini-call of RULINGS R4, in one fund: 300,000 to P by the committee; 250,000 to P's sister is not the committee's.
#[test]
fn f11_the_splitting_test_adds_up_the_group() {
    let mut b = Bench::new();
    let edge = Edge { evidence: Hash::ZERO, since_ms: 0, until_ms: None };
    relate(&mut b.w.tables, GRANTEE, OTHER, edge);
    b.w.tables.keep_record();
    b.grant(1, 300_000 * Y, BodyKind::Committee).unwrap();
    refused(b.grant(2, 250_000 * Y, BodyKind::Committee), "F11.body-too-low");
    let mut later =
        Bench { alliance: Alliance::new(b"payment", MEMBERS, 4), verifier: VerifierCache::default(), w: b.w.clone(), ids: 0 };
    let award = b.grant(2, 250_000 * Y, BodyKind::Board).unwrap();
    assert_eq!(b.w.tables.awards.get(&award).unwrap().tested, 550_000 * Y);
    // A year later the first does not count any more; a lapsed one counts no day longer.
    later.days(366);
    assert_eq!(later.w.tables.awards.get(&1).unwrap().state, AwardState::Lapsed);
    later.grant(2, 250_000 * Y, BodyKind::Committee).unwrap();
}

#[test]
fn r2_concentration_in_fund_and_call() {
    // 20 % of 100 million is 20 million; the call allows 70 % of 20 million.
    let mut b = Bench::new();
    let mut application = b.w.tables.applications.get(&1).unwrap().clone();
    application.opened.as_mut().unwrap().content.ask = 20 * M;
    b.w.tables.applications.put(1, application);
    b.w.tables.keep_record();
    refused(b.grant(1, 14 * M + 1, BodyKind::Assembly), "R2.call-concentration");
    b.grant(1, 14 * M, BodyKind::Assembly).unwrap();
    let mut b = Bench::new();
    b.post(Movement::Refunded { member: 1, pot: Pot::Free, amount: 65 * M });
    refused(b.grant(1, 7 * M + 1, BodyKind::Assembly), "R2.fund-concentration");
    b.grant(1, 7 * M, BodyKind::Assembly).unwrap();
}

#[test]
fn f12_standstill_offer_lapse_revocation_and_the_reserve() {
    let mut b = Bench::new();
    let award = b.grant(1, 8 * M, BodyKind::Assembly).unwrap();
    let accept = || Body::Award(AwardAct::Accept { award: 1 });
    refused(b.grantee(accept()), "F12.wrong-state");
    b.direct(|tx| award::place(tx, &PlaceApplication { application: 2, placing: Placing::Reserve, reason: Hash::ZERO })).unwrap();
    b.direct(|tx| award::place(tx, &PlaceApplication { application: 3, placing: Placing::NotRecommended, reason: Hash::ZERO }))
        .unwrap();
    refused(b.grant(2, 6 * M, BodyKind::Assembly), "F41.no-award-fell-away");
    let events = b.days(14);
    assert!(matches!(events[..], [EventBody::AwardOffered { award: 1, grantee: GRANTEE, .. }]), "{events:?}");
    refused(b.company(OTHER, accept()), "F12.not-the-grantee");
    let events = b.days(63);
    assert!(matches!(events[..], [EventBody::AwardLapsed { award: 1, .. }]), "{events:?}");
    assert_eq!((b.of(AccountKind::Award(award)), b.of(AccountKind::Call(CALL))), (0, i128::from(20 * M)));
    refused(b.grantee(accept()), "F12.wrong-state");
    // The reserve follows, is revoked by the board, and after the call is closed money goes to A.
    let second = b.grant(2, 6 * M, BodyKind::Assembly).unwrap();
    let mut call = b.w.tables.calls.get(&CALL).unwrap().clone();
    call.status = CallStatus::Closed;
    b.w.tables.calls.put(CALL, call);
    let free = b.of(AccountKind::Free);
    let revoke = RevokeAward { award: second, reason: Hash::ZERO };
    b.direct(|tx| award::revoke(tx, &revoke)).unwrap();
    assert_eq!((b.of(AccountKind::Award(second)), b.of(AccountKind::Free)), (0, free + i128::from(6 * M)));
    refused(b.direct(|tx| award::revoke(tx, &revoke)), "F12.wrong-state");
    assert!(b.days(200).is_empty(), "no clock of a dead award runs");
}

#[test]
fn f13_guards_of_the_terms() {
    let mut b = Bench::new();
    let award = b.grant(1, 8 * M, BodyKind::Assembly).unwrap();
    let good = b.terms(award, &[4 * M, 4 * M], 24 * M / 10);
    refused(b.draft(&good), "F13.award-not-accepted");
    b.days(14);
    b.grantee(Body::Award(AwardAct::Accept { award })).unwrap();
    type Change = fn(&mut AgreementTerms);
    let cases: [(&str, Change); 11] = [
        ("A4.unknown-award", |t| t.award = 9),
        ("F13.other-grantee", |t| t.grantee = OTHER),
        ("F13.other-amount", |t| t.total = 7 * M),
        ("N14.other-unit", |t| t.unit = Unit::currency("EUR").unwrap()),
        ("N5.milestones-do-not-sum", |t| t.milestones[0].amount -= 1),
        ("N9.advance-above-cap", |t| t.advance += 1),
        ("N9.holdback-too-small", |t| t.holdback_bp = 999),
        ("F13.milestone-too-small", |t| {
            t.milestones[0].amount = 3;
            t.milestones[1].amount = 8 * M - 3;
        }),
        ("F13.due-in-the-past", |t| t.milestones[1].due_ms = OPENED_MS),
        ("F13.other-charter", |t| t.charter += 1),
        ("F13.other-call-terms", |t| t.call = Hash::ZERO),
    ];
    for (code, change) in cases {
        let mut terms = good.clone();
        change(&mut terms);
        refused(b.draft(&terms), code);
    }
    refused(b.staff(Staff::Finance, Body::Award(AwardAct::Draft(good.clone()))), "A6.role-missing");
    let mut empty = good.clone();
    empty.milestones.clear();
    refused(b.draft(&empty), "A6.malformed");
    b.draft(&good).unwrap();
}

#[test]
fn f13_signatures_are_a_chain_over_one_hash() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let good = b.terms(award, &[4 * M, 4 * M], 24 * M / 10);
    let (first, old) = b.draft(&good).unwrap();
    let terms = good.digest();
    let sign = |agreement, draft, terms| Body::Award(AwardAct::Sign { agreement, draft, terms });
    // A second draft replaces the first, signed or not.
    b.grantee(sign(first, old, terms)).unwrap();
    let (agreement, draft) = b.draft(&good).unwrap();
    assert_eq!(b.w.tables.agreements.get(&first).unwrap().state, AgreementState::Replaced);
    refused(b.grantee(sign(first, old, terms)), "F13.wrong-state");
    refused(b.grantee(sign(agreement, old, terms)), "F13.other-draft");
    refused(b.grantee(sign(agreement, draft, Hash::ZERO)), "F13.other-terms");
    refused(b.company(OTHER, sign(agreement, draft, terms)), "F13.not-the-grantee");
    let countersign = |signed, terms| Body::Award(AwardAct::Countersign { agreement, signed, terms });
    refused(b.staff(Staff::Treasurer, countersign(draft, terms)), "F13.wrong-state");
    let signed = b.grantee(sign(agreement, draft, terms)).unwrap();
    refused(b.staff(Staff::Treasurer, countersign(draft, terms)), "F13.other-record");
    refused(b.staff(Staff::Treasurer, countersign(signed, Hash::ZERO)), "F13.other-terms");
    refused(b.staff(Staff::Programme, countersign(signed, terms)), "F13.no-new-officer");
    b.staff(Staff::Treasurer, countersign(signed, terms)).unwrap();
    refused(b.staff(Staff::Treasurer, countersign(signed, terms)), "F13.no-new-officer");
    assert_eq!(b.of(AccountKind::Award(award)), i128::from(8 * M), "one signature commits nothing");
    b.staff(Staff::Finance, countersign(signed, terms)).unwrap();
    assert_eq!((b.of(AccountKind::Award(award)), b.of(AccountKind::Committed(agreement))), (0, i128::from(8 * M)));
    refused(b.draft(&good), "F13.wrong-state");
    let revoke = RevokeAward { award, reason: Hash::ZERO };
    refused(b.direct(|tx| award::revoke(tx, &revoke)), "F12.agreement-in-force");
    assert!(encode(b.w.tables.agreements.get(&agreement).unwrap()).len() < PROVED_VALUE_MAX);
}

/// An agreement with as many milestones as there may be still is a proved value.
#[test]
fn the_largest_agreement_fits() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let mut terms = b.terms(award, &[8 * M / 32; MILESTONES_MAX], 0);
    terms.milestones[0].amount += 8 * M - 24 * (8 * M / 32);
    terms.total = 8 * M;
    let agreement = b.sign_all(&terms);
    assert!(encode(b.w.tables.agreements.get(&agreement).unwrap()).len() < PROVED_VALUE_MAX - 512);
    terms.milestones.push(terms.milestones[0].clone());
    refused(b.draft(&terms), "A6.malformed");
}

#[test]
fn f13_fund_side_signers_are_unrelated_and_an_appeal_waits() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let good = b.terms(award, &[8 * M], 0);
    let mut application = b.w.tables.applications.get(&3).unwrap().clone();
    application.status = ApplicationStatus::Ineligible;
    application.appeal = Some(funding::Appeal::Filed(Hash::ZERO));
    b.w.tables.applications.put(3, application.clone());
    b.w.tables.keep_record();
    refused(b.draft(&good), "F13.appeal-open");
    application.appeal = Some(funding::Appeal::Dismissed);
    b.w.tables.applications.put(3, application);
    // The treasurer's employer joins the grantee's group.
    let edge = Edge { evidence: Hash::ZERO, since_ms: 0, until_ms: None };
    let (agreement, draft) = b.draft(&good).unwrap();
    let terms = good.digest();
    let signed = b.grantee(Body::Award(AwardAct::Sign { agreement, draft, terms })).unwrap();
    relate(&mut b.w.tables, GRANTEE, secretariat(MEMBERS), edge);
    b.w.tables.keep_record();
    refused(b.staff(Staff::Treasurer, Body::Award(AwardAct::Countersign { agreement, signed, terms })), "N13.related");
    refused(b.draft(&good), "N13.related");
}

#[test]
fn f14_evidence_is_new_or_openly_shared() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let (m1, m2, report) = (b.first(agreement), b.first(agreement) + 1, b.first(agreement) + 2);
    let item = |kind, label: &str, shared| Evidence { kind, hash: hash(label), shared };
    let submit = |milestone, evidence| Body::Payment(PaymentAct::Submit { milestone, evidence });
    refused(b.company(OTHER, submit(m1, vec![item(EvidenceKind::Document, "x", false)])), "F14.not-the-grantee");
    refused(b.grantee(submit(m1, Vec::new())), "A6.malformed");
    refused(b.submit(report, "report"), "F43.milestones-open");
    b.grantee(submit(m1, vec![item(EvidenceKind::Document, "x", false), item(EvidenceKind::Patent, "y", false)])).unwrap();
    refused(b.submit(m1, "x"), "F14.wrong-state");
    refused(b.submit(m2, "x"), "N16.evidence-used");
    refused(b.grantee(submit(m2, vec![item(EvidenceKind::Patent, "y", false)])), "N16.evidence-used");
    // The same hash as another kind of thing is another thing.
    b.grantee(submit(m2, vec![item(EvidenceKind::Document, "x", true), item(EvidenceKind::Doi, "y", false)])).unwrap();
}

#[test]
fn f15_two_agree_or_the_third_joins_one() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let m1 = b.first(agreement);
    refused(b.assess(5, m1, Finding::Accept(1)), "F15.not-assessor");
    b.submit(m1, "x").unwrap();
    refused(b.assess(7, m1, Finding::Accept(1)), "F15.not-assessor");
    refused(b.assess(5, m1, Finding::Accept(4 * M + 1)), "F15.above-plan");
    refused(b.assess(5, m1, Finding::Accept(0)), "F15.nothing-accepted");
    b.assess(5, m1, Finding::Accept(4 * M)).unwrap();
    refused(b.assess(5, m1, Finding::Accept(4 * M)), "F15.assessed-before");
    b.assess(6, m1, Finding::Accept(3 * M)).unwrap();
    assert_eq!(b.milestone(m1).state, MilestoneState::Assessing);
    refused(b.assess(7, m1, Finding::Reject), "F15.third-joins-one");
    b.assess(7, m1, Finding::Accept(3 * M)).unwrap();
    let known = b.milestone(m1);
    assert_eq!((known.state, known.accepted), (MilestoneState::PartlyAccepted, 3 * M));
    refused(b.assess(8, m1, Finding::Accept(3 * M)), "F15.not-assessor");
    // Part of the amount pays in part: 3,000,000 less 10 % less the share of the advance.
    b.pay(agreement, Tranche::Advance, 24 * M / 10);
    b.pay(agreement, Tranche::Milestone(m1), 3 * M - 3 * M / 10 - 12 * M / 10);
}

#[test]
fn f15_rework_at_most_twice_then_rejected() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let (m1, m2, report) = (b.first(agreement), b.first(agreement) + 1, b.first(agreement) + 2);
    for round in 0..3 {
        b.submit(m1, "x").unwrap();
        b.judge_milestone(m1, Finding::Rework);
        let expected = if round < 2 { MilestoneState::Rework } else { MilestoneState::Rejected };
        assert_eq!(b.milestone(m1).state, expected);
    }
    refused(b.submit(m1, "x"), "F14.wrong-state");
    refused(b.request(agreement, Tranche::Milestone(m1), 1), "N7.milestone-not-accepted");
    b.submit(m2, "y").unwrap();
    b.judge_milestone(m2, Finding::Reject);
    assert_eq!(b.milestone(m2).state, MilestoneState::Rejected);
    b.submit(report, "report").unwrap();
    refused(b.assess(5, report, Finding::Reject), "F43.rework-instead");
    b.judge_milestone(report, Finding::Rework);
    b.accept_milestone(report, 0);
    assert_eq!(b.w.tables.agreements.get(&agreement).unwrap().state, AgreementState::Completed);
    refused(b.request(agreement, Tranche::Holdback, 1), "F16.nothing-payable");
    assert_eq!(b.of(AccountKind::Committed(agreement)), i128::from(8 * M), "what was not accepted stays committed until closing");
}

#[test]
fn f15_assessors_come_from_the_draw_in_order_without_conflicts() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let terms = b.terms(award, &[8 * M], 0);
    let agreement = b.sign_all(&terms);
    // 12 is the grantee, 9 has reviewed, 6 is of 5's group, a holder of a chain post assesses nothing.
    relate(&mut b.w.tables, 5, 6, Edge { evidence: Hash::ZERO, since_ms: 0, until_ms: None });
    let until_ms = b.w.now + 999 * DAY_MS;
    let post = Post {
        office: secretariat(MEMBERS),
        role: Role::FinanceApprover,
        scope: Scope::Fund(FUND),
        holder: officers_of(4).1,
        deputy: None,
        from_ms: 0,
        until_ms,
        status: PostStatus::Held,
    };
    b.w.tables.posts.put(99, post);
    let m1 = b.first(agreement);
    b.submit(m1, "x").unwrap();
    assert_eq!(b.milestone(m1).state, MilestoneState::Submitted, "nobody is drawn");
    b.draw(agreement, &[GRANTEE, 9, 4, 5, 6]);
    let events = b.days(18);
    assert_eq!(events, [EventBody::AssessorsMissing { milestone: m1 }]);
    b.draw(agreement, &[GRANTEE, 9, 4, 5, 6, 8]);
    b.days(18);
    let homes: Vec<u32> = b.milestone(m1).assessors.iter().map(|assessor| assessor.home).collect();
    assert_eq!(homes, [5, 8]);
}

#[test]
fn r13_a_late_assessor_is_replaced_by_the_next_of_the_draw() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let m1 = b.first(agreement);
    b.submit(m1, "x").unwrap();
    b.assess(5, m1, Finding::Accept(4 * M)).unwrap();
    let late = |member, next: Option<u32>| EventBody::AssessorLate {
        milestone: m1,
        person: officers_of(member).1,
        next: next.map(|member| officers_of(member).1),
    };
    assert_eq!(b.days(18), [late(6, Some(7))]);
    refused(b.assess(6, m1, Finding::Accept(4 * M)), "F15.not-assessor");
    assert_eq!(b.days(18), [late(7, Some(8))]);
    assert_eq!(b.days(18), [late(8, None)]);
    b.assess(8, m1, Finding::Accept(4 * M)).unwrap();
    assert_eq!(b.milestone(m1).state, MilestoneState::Accepted);
}

#[test]
fn f16_one_payment_per_tranche_of_an_agreement_in_force() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let terms = b.terms(award, &[4 * M, 4 * M], 24 * M / 10);
    let (draft, _) = b.draft(&terms).unwrap();
    refused(b.request(draft, Tranche::Advance, 24 * M / 10), "N7.no-agreement-in-force");
    let agreement = b.sign_all(&terms);
    b.draw(agreement, &[5, 6, 7, 8]);
    let m1 = b.first(agreement);
    let advance = Body::Payment(PaymentAct::Request { agreement, tranche: Tranche::Advance, amount: 24 * M / 10 });
    refused(b.company(OTHER, advance), "F16.not-the-grantee");
    refused(b.request(agreement, Tranche::Advance, 24 * M / 10 - 1), "F16.other-amount");
    refused(b.request(agreement, Tranche::Milestone(m1), 4 * M), "N7.milestone-not-accepted");
    refused(b.request(agreement, Tranche::Milestone(999), 4 * M), "A4.unknown-milestone");
    refused(b.request(agreement, Tranche::Milestone(m1 + 2), 1), "F16.other-agreement");
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    refused(b.request(agreement, Tranche::Advance, 24 * M / 10), "N8.tranche-taken");
    // A refused payment frees its tranche.
    let decision = Decision::Refuse { code: text("account-unclear"), reason: Hash::ZERO };
    b.staff(Staff::Programme, Body::Payment(PaymentAct::Certify { payment, decision })).unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Refused);
    refused(b.certify(payment), "F17.wrong-state");
    b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    // Without an advance a milestone clears none, and then it is too late for one.
    let mut without = Bench::new();
    let agreement = without.agreement();
    let m1 = without.first(agreement);
    without.accept_milestone(m1, 4 * M);
    without.pay(agreement, Tranche::Milestone(m1), 36 * M / 10);
    refused(without.request(agreement, Tranche::Advance, 24 * M / 10), "F16.advance-too-late");
}

#[test]
fn f17_f18_certificate_and_approvals() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    let approve = |certified, amount| Body::Payment(PaymentAct::Approve { payment, certified, amount, decision: Decision::Pass });
    refused(b.approve(Staff::Finance, payment), "F18.wrong-state");
    let certified = b.certify(payment).unwrap();
    refused(b.certify(payment), "F17.wrong-state");
    refused(b.staff(Staff::Finance, approve(Hash::ZERO, 24 * M / 10)), "F18.other-certificate");
    refused(b.staff(Staff::Finance, approve(certified, 1)), "F18.other-amount");
    refused(b.staff(Staff::Programme, approve(certified, 24 * M / 10)), "A6.role-missing");
    b.approve(Staff::Finance, payment).unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Certified, "above 200,000 two approve");
    refused(b.approve(Staff::Finance, payment), "N12.same-person");
    refused(b.release(payment), "F20.wrong-state");
    b.approve(Staff::Finance2, payment).unwrap();
    refused(b.approve(Staff::Finance2, payment), "F18.wrong-state");
    refused(b.release(payment), "F20.delay-runs");
    // An approver may still refuse; the tranche is free again.
    let decision = Decision::Refuse { code: text("budget"), reason: Hash::ZERO };
    b.staff(Staff::Finance, Body::Payment(PaymentAct::Approve { payment, certified, amount: 1, decision })).unwrap();
    assert!(b.days(30).is_empty(), "no clock of a refused payment runs");
    b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
}

#[test]
fn f18_small_payments_need_one_approver() {
    let mut b = Bench::new();
    let award = b.accepted_award();
    let terms = b.terms(award, &[8 * M], 200_000 * Y);
    let agreement = b.sign_all(&terms);
    let payment = b.request(agreement, Tranche::Advance, 200_000 * Y).unwrap();
    b.certify(payment).unwrap();
    b.approve(Staff::Finance, payment).unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Approved);
}

#[test]
fn f19_two_seat_holders_hold_within_the_delay() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    refused(b.hold(1, payment), "F19.wrong-state");
    b.certify(payment).unwrap();
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    // Seats are held by 1 to 9.
    refused(b.hold(10, payment), "F19.not-a-seat-holder");
    relate(&mut b.w.tables, 1, 2, Edge { evidence: Hash::ZERO, since_ms: 0, until_ms: None });
    relate(&mut b.w.tables, 9, GRANTEE, Edge { evidence: Hash::ZERO, since_ms: 0, until_ms: None });
    b.w.tables.keep_record();
    refused(b.hold(9, payment), "N13.related-to-grantee");
    b.hold(1, payment).unwrap();
    refused(b.hold(1, payment), "F19.same-group");
    refused(b.hold(2, payment), "F19.same-group");
    let mut single =
        Bench { alliance: Alliance::new(b"payment", MEMBERS, 4), verifier: VerifierCache::default(), w: b.w.clone(), ids: 50 };
    b.hold(3, payment).unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Held);
    refused(b.hold(4, payment), "F19.wrong-state");
    let events = b.days(3);
    assert_eq!(events, [EventBody::PayoutDelayOver { payment, held: true }]);
    refused(b.release(payment), "F19.held");
    let mut lifted =
        Bench { alliance: Alliance::new(b"lifted", MEMBERS, 4), verifier: VerifierCache::default(), w: b.w.clone(), ids: 70 };
    assert_eq!(b.days(30), [EventBody::HoldEnded { payment }]);
    lifted.direct(|tx| payment::lift_hold(tx, payment)).unwrap();
    refused(lifted.direct(|tx| payment::lift_hold(tx, payment)), "F19.not-held");
    assert_eq!(lifted.days(12), [EventBody::StepOverdue { payment, awaited: Awaited::Release }]);
    b.release(payment).unwrap();
    // One voice alone holds nothing, and is void with the delay.
    single.w.now += 3 * DAY_MS;
    assert_eq!(single.payment(payment).state, PaymentState::Approved);
    let body = Body::Payment(PaymentAct::Hold { payment, ground: Hash::ZERO });
    let (first, second) = officers_of(3);
    let signers = [(first, Role::Primary), (second, Role::Finance)];
    single.alliance = b.alliance;
    refused(single.act(3, &signers, body), "F19.delay-over");
    single.release(payment).unwrap();
}

#[test]
fn f20_the_instruction_is_new_and_goes_to_the_account_in_force() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
    let good = b.instruction(payment);
    let release = |instruction: &Instruction| Body::Payment(PaymentAct::Release { payment, instruction: instruction.clone() });
    refused(b.staff(Staff::Treasurer, release(&good)), "F20.delay-runs");
    assert_eq!(b.days(3), [EventBody::PayoutDelayOver { payment, held: false }]);
    refused(b.staff(Staff::Treasurer, release(&Instruction { account: hash("other"), ..good.clone() })), "N11.other-account");
    refused(b.staff(Staff::Treasurer, release(&Instruction { amount: 1, ..good.clone() })), "F20.other-amount");
    refused(b.staff(Staff::Treasurer, release(&Instruction { end_to_end: text("a b"), ..good.clone() })), "A6.malformed");
    refused(b.staff(Staff::Officer, release(&good)), "A6.role-missing");
    b.staff(Staff::Treasurer, release(&good)).unwrap();
    refused(b.staff(Staff::Treasurer, release(&good)), "F20.wrong-state");
    assert_eq!(b.of(AccountKind::InTransit(payment)), i128::from(24 * M / 10));
    // Returned by the bank: back to K, and released again only with new identifiers.
    let reference = b.reference();
    let amount = 24 * M / 10;
    let returned = Body::Payment(PaymentAct::Return { payment, reference: reference.clone(), amount, reason: text("AC04") });
    b.staff(Staff::Officer, returned).unwrap();
    assert_eq!((b.of(AccountKind::InTransit(payment)), b.of(AccountKind::Committed(agreement))), (0, i128::from(8 * M)));
    let fresh = b.instruction(payment);
    let old_id = Instruction { end_to_end: good.end_to_end.clone(), ..fresh.clone() };
    refused(b.staff(Staff::Treasurer, release(&old_id)), "N8.instruction-id-used");
    refused(b.staff(Staff::Treasurer, release(&Instruction { uetr: good.uetr, ..fresh.clone() })), "N8.instruction-id-used");
    b.staff(Staff::Treasurer, release(&fresh)).unwrap();
    let settle =
        |reference: &BankReference, amount| Body::Payment(PaymentAct::Settle { payment, reference: reference.clone(), amount });
    refused(b.staff(Staff::Officer, settle(&reference, amount)), "N8.bank-reference-used");
    let fresh = b.reference();
    refused(b.staff(Staff::Officer, settle(&fresh, 1)), "F21.other-amount");
    refused(b.staff(Staff::Treasurer, settle(&fresh, amount)), "A6.role-missing");
    b.staff(Staff::Officer2, settle(&fresh, amount)).unwrap();
    refused(b.settle(payment), "F21.wrong-state");
    assert_eq!(b.payment(payment).attempts, 2);
}

#[test]
fn f22_acknowledged_disputed_or_reported() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
    b.days(3);
    b.release(payment).unwrap();
    refused(b.acknowledge(payment), "F22.wrong-state");
    b.settle(payment).unwrap();
    let w = b.w.clone();
    refused(b.company(OTHER, Body::Payment(PaymentAct::Acknowledge { payment, amount: 1 })), "F22.not-the-grantee");
    refused(b.grantee(Body::Payment(PaymentAct::Acknowledge { payment, amount: 1 })), "F22.other-amount");
    b.grantee(Body::Payment(PaymentAct::Dispute { payment, ground: Hash::ZERO })).unwrap();
    refused(b.acknowledge(payment), "F22.wrong-state");
    assert!(b.days(30).is_empty());
    b.w = w;
    assert_eq!(b.days(17), [EventBody::Unacknowledged { payment, amount: 24 * M / 10 }]);
    refused(b.grantee(Body::Payment(PaymentAct::Dispute { payment, ground: Hash::ZERO })), "F22.wrong-state");
    b.acknowledge(payment).unwrap();
}

#[test]
fn f42_a_new_account_cools_off_and_is_confirmed_by_another() {
    for confirm_first in [true, false] {
        let mut b = Bench::new();
        let agreement = b.agreement();
        let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
        b.days(3);
        let account = hash("new account");
        let change = |account| Body::Award(AwardAct::ChangeAccount { agreement, account });
        refused(b.grantee(change(hash("account"))), "F42.same-account");
        refused(b.company(OTHER, change(account)), "F13.not-the-grantee");
        let (first, second) = officers_of(GRANTEE);
        refused(b.act(GRANTEE, &[(first, Role::Primary), (second, Role::Technical)], change(account)), "A6.role-missing");
        let record = b.grantee(change(account)).unwrap();
        refused(b.release(payment), "N11.account-changing");
        let confirm =
            |change, account| Body::Award(AwardAct::ConfirmAccount { agreement, change, account, channel: Channel::Telephone });
        refused(b.staff(Staff::Officer, confirm(Hash::ZERO, account)), "F42.other-change");
        refused(b.staff(Staff::Treasurer, confirm(record, account)), "A6.role-missing");
        if confirm_first {
            b.staff(Staff::Officer, confirm(record, account)).unwrap();
            refused(b.staff(Staff::Officer, confirm(record, account)), "F42.confirmed-before");
        }
        refused(b.release(payment), "N11.account-changing");
        let events = b.days(8);
        assert!(events.contains(&EventBody::AccountCooled { agreement, account, in_force: confirm_first }), "{events:?}");
        if !confirm_first {
            refused(b.release(payment), "N11.account-changing");
            b.staff(Staff::Officer, confirm(record, account)).unwrap();
        }
        refused(b.staff(Staff::Officer, confirm(record, account)), "F42.no-change");
        assert_eq!(b.w.tables.agreements.get(&agreement).unwrap().account, account);
        b.release(payment).unwrap();
    }
}

#[test]
fn r13_every_step_past_its_limit_is_shown_once() {
    let mut b = Bench::new();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    let overdue = |awaited| EventBody::StepOverdue { payment, awaited };
    assert_eq!(b.days(40), [overdue(Awaited::Certify)]);
    b.certify(payment).unwrap();
    assert_eq!(b.days(40), [overdue(Awaited::Approve)]);
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    assert_eq!(b.days(40), [EventBody::PayoutDelayOver { payment, held: false }, overdue(Awaited::Release)]);
    b.release(payment).unwrap();
    assert_eq!(b.days(40), [overdue(Awaited::Confirm)]);
    b.settle(payment).unwrap();
    b.acknowledge(payment).unwrap();
    assert!(b.days(400).is_empty());
}

/// One human with two posts, or a post and another step: the records themselves are refused, cell by cell.
#[test]
fn n12_no_person_acts_twice_in_one_chain() {
    let hats = |b: &mut Bench, person: u32, role: Role| {
        let number = b.w.tables.posts.last_key().unwrap() + 1;
        let until_ms = b.w.now + 999 * DAY_MS;
        let (office, scope) = (secretariat(MEMBERS), Scope::Fund(FUND));
        let post = Post { office, role, scope, holder: person, deputy: None, from_ms: 0, until_ms, status: PostStatus::Held };
        b.w.tables.posts.put(number, post);
        b.w.tables.keep_record();
    };
    let office = secretariat(MEMBERS);
    let mut b = Bench::new();
    let agreement = b.agreement();
    let m1 = b.first(agreement);
    b.accept_milestone(m1, 4 * M);
    let payment = b.request(agreement, Tranche::Milestone(m1), 36 * M / 10).unwrap();
    let certify = Body::Payment(PaymentAct::Certify { payment, decision: Decision::Pass });
    // An assessor, a reviewer, the grantee's officer as programme officer.
    for (person, code) in [
        (officers_of(5).1, "N12.same-person"),
        (officers_of(9).1, "N12.same-person"),
        (officers_of(GRANTEE).1, "N13.related-to-grantee"),
    ] {
        let mut one =
            Bench { alliance: Alliance::new(b"payment", MEMBERS, 4), verifier: VerifierCache::default(), w: b.w.clone(), ids: 0 };
        std::mem::swap(&mut one.alliance, &mut b.alliance);
        hats(&mut one, person, Role::ProgrammeOfficer);
        refused(one.act(office, &[(person, Role::ProgrammeOfficer)], certify.clone()), code);
        std::mem::swap(&mut one.alliance, &mut b.alliance);
    }
    // Each officer of the chain, one step later under the other hat.
    hats(&mut b, Staff::Programme.person(), Role::FinanceApprover);
    hats(&mut b, Staff::Finance2.person(), Role::Treasurer);
    hats(&mut b, Staff::Treasurer.person(), Role::SecondOfficer);
    hats(&mut b, Staff::Finance.person(), Role::SecondOfficer);
    let certified = b.certify(payment).unwrap();
    let amount = 36 * M / 10;
    let approve = Body::Payment(PaymentAct::Approve { payment, certified, amount, decision: Decision::Pass });
    refused(b.act(office, &[(Staff::Programme.person(), Role::FinanceApprover)], approve), "N12.same-person");
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    b.days(3);
    let release = Body::Payment(PaymentAct::Release { payment, instruction: b.instruction(payment) });
    refused(b.act(office, &[(Staff::Finance2.person(), Role::Treasurer)], release), "N12.same-person");
    b.release(payment).unwrap();
    for person in [Staff::Treasurer.person(), Staff::Finance.person()] {
        let settle = Body::Payment(PaymentAct::Settle { payment, reference: b.reference(), amount });
        refused(b.act(office, &[(person, Role::SecondOfficer)], settle), "N12.same-person");
    }
    b.settle(payment).unwrap();
    let chain = b.direct(|tx| payment::chain(tx, &payment::get(tx, payment)?)).unwrap();
    assert_eq!(duties::judge_all(&b.w.tables, &chain), Ok(()));
    let steps = duties::by_step(&chain.deeds);
    assert_eq!(steps[&Step::Approve], [Staff::Finance.person(), Staff::Finance2.person()]);
}

#[test]
fn r6_one_employer_unless_the_charter_forbids_it() {
    let mut b = Bench::with(|charter| charter.funding.chain_distinct_groups = true);
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    b.certify(payment).unwrap();
    refused(b.approve(Staff::Finance, payment), "R6.officers-of-one-group");
}

/// The tables that the code consults, against the states that a long story reaches.
#[test]
fn the_tables_print() {
    let all = [award::table(), agreement::table(), milestone::table(), payment::table()].concat();
    let text = funding::markdown(&all);
    assert_eq!(text.lines().count(), 2 + all.len());
    for code in ["F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F41", "F43", "R13", "R22"] {
        assert!(all.iter().any(|row| row.code == code), "{code} has a row");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Submit(u32),
    Assess(u32, u32, u8),
    Request(u8),
    Certify(u32, bool),
    Approve(u32, bool, bool),
    Hold(u32, u32),
    Lift(u32),
    Release(u32, bool),
    Settle(u32, bool),
    Return(u32),
    Acknowledge(u32, bool),
    Account(u8),
    Confirm,
    Days(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let small = 0u32..6;
    let op = prop_oneof![
        4 => (0u32..4).prop_map(Op::Submit),
        8 => (0u32..4, 5u32..9, 0u8..6).prop_map(|(m, who, f)| Op::Assess(m, who, f)),
        6 => (0u8..6).prop_map(Op::Request),
        6 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, pass)| Op::Certify(p, pass)),
        8 => (small.clone(), any::<bool>(), prop::bool::weighted(0.95)).prop_map(|(p, who, pass)| Op::Approve(p, who, pass)),
        2 => (small.clone(), 1u32..4).prop_map(|(p, who)| Op::Hold(p, who)),
        1 => small.clone().prop_map(Op::Lift),
        7 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, fresh)| Op::Release(p, fresh)),
        6 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, fresh)| Op::Settle(p, fresh)),
        2 => small.clone().prop_map(Op::Return),
        2 => (small, any::<bool>()).prop_map(|(p, yes)| Op::Acknowledge(p, yes)),
        1 => any::<u8>().prop_map(Op::Account),
        1 => Just(Op::Confirm),
        5 => prop_oneof![4 => 0u64..4, 1 => 4u64..40].prop_map(Op::Days),
    ];
    proptest::collection::vec(op, 20..120)
}

impl Bench {
    /// Does one step; whether it is refused is the rules' business.
    fn step(&mut self, agreement: u32, op: &Op) {
        let first = self.first(agreement);
        let payment = |b: &Bench, index: u32| {
            let count = b.w.tables.payments.len() as u32;
            if count == 0 { 1 } else { 1 + index % count }
        };
        let known = |b: &Bench, index: u32| b.w.tables.payments.contains(&payment(b, index));
        let _ = match *op {
            Op::Submit(m) => self.submit(first + m % 3, &format!("evidence {m}")),
            Op::Assess(m, who, finding) => {
                let planned = self.w.tables.milestones.get(&(first + m % 3)).unwrap().planned;
                let finding = match finding {
                    0..3 => Finding::Accept(planned),
                    3 => Finding::Accept(planned / 3 + 1),
                    4 => Finding::Rework,
                    _ => Finding::Reject,
                };
                self.assess(who, first + m % 3, finding)
            }
            Op::Request(which) => {
                let tranche = match which % 4 {
                    0 => Tranche::Advance,
                    1 => Tranche::Milestone(first),
                    2 => Tranche::Milestone(first + 1),
                    _ => Tranche::Holdback,
                };
                // Ask for anything; the refusal names what is due, and that is asked for.
                match self.request(agreement, tranche, 1) {
                    Err(refusal) if refusal.code == "F16.other-amount" => {
                        let due: u64 = refusal.facts[0].1.parse().unwrap();
                        self.request(agreement, tranche, due).map(|_| Hash::ZERO)
                    }
                    other => other.map(|_| Hash::ZERO),
                }
            }
            Op::Certify(p, pass) => {
                let refuse = Decision::Refuse { code: text("no"), reason: Hash::ZERO };
                let decision = if pass { Decision::Pass } else { refuse };
                self.staff(Staff::Programme, Body::Payment(PaymentAct::Certify { payment: payment(self, p), decision }))
            }
            Op::Approve(p, second, pass) if known(self, p) => {
                let number = payment(self, p);
                let who = if second { Staff::Finance2 } else { Staff::Finance };
                if pass {
                    self.approve(who, number)
                } else {
                    let decision = Decision::Refuse { code: text("no"), reason: Hash::ZERO };
                    let act = PaymentAct::Approve { payment: number, certified: Hash::ZERO, amount: 1, decision };
                    self.staff(who, Body::Payment(act))
                }
            }
            Op::Hold(p, who) => self.hold(who, payment(self, p)),
            Op::Lift(p) => {
                let number = payment(self, p);
                self.direct(|tx| payment::lift_hold(tx, number)).map(|()| Hash::ZERO)
            }
            Op::Release(p, fresh) if known(self, p) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.release(payment(self, p))
            }
            Op::Settle(p, fresh) if known(self, p) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.settle(payment(self, p))
            }
            Op::Return(p) if known(self, p) => self.give_back(payment(self, p)),
            Op::Acknowledge(p, yes) if known(self, p) => {
                let number = payment(self, p);
                if yes {
                    self.acknowledge(number)
                } else {
                    self.grantee(Body::Payment(PaymentAct::Dispute { payment: number, ground: Hash::ZERO }))
                }
            }
            Op::Account(which) => {
                let account = hash(&format!("account {which}"));
                self.grantee(Body::Award(AwardAct::ChangeAccount { agreement, account }))
            }
            Op::Confirm => match self.w.tables.agreements.get(&agreement).unwrap().change.clone() {
                Some(change) => {
                    let (record, account, channel) = (change.record, change.account, Channel::InPerson);
                    let act = AwardAct::ConfirmAccount { agreement, change: record, account, channel };
                    self.staff(Staff::Officer, Body::Award(act))
                }
                None => Ok(Hash::ZERO),
            },
            Op::Days(days) => {
                self.days(days);
                Ok(Hash::ZERO)
            }
            _ => Ok(Hash::ZERO),
        };
    }

    /// N1, N3 to N12 over whatever has happened.
    fn check_invariants(&mut self, agreement: u32, seen: &mut Seen) -> Result<(), TestCaseError> {
        let totals = self.totals();
        let known = self.w.tables.agreements.get(&agreement).unwrap().clone();
        // N4: awards of the call and what it holds are its budget.
        let awarded: u64 = self.w.tables.awards.iter().filter(|(_, award)| award.counts()).map(|(_, award)| award.amount).sum();
        prop_assert_eq!(i128::from(awarded) + self.of(AccountKind::Call(CALL)), i128::from(20 * M));
        // N5.
        prop_assert_eq!(known.terms.milestones.iter().map(|plan| plan.amount).sum::<u64>(), known.terms.total);
        // N6: K + T + D = the signed total; there is no other agreement.
        prop_assert_eq!(totals.committed + totals.in_transit + totals.paid, i128::from(known.terms.total));
        let mut tranches: BTreeMap<Tranche, u32> = BTreeMap::new();
        let mut paid = 0u64;
        let mut transit = 0u64;
        for (number, payment) in self.w.tables.payments.iter() {
            prop_assert!(encode(payment).len() < PROVED_VALUE_MAX);
            let before = seen.states.insert(*number, payment.state);
            if payment.state == PaymentState::Refused {
                continue;
            }
            // N8: one live or made payment per tranche.
            *tranches.entry(payment.tranche).or_default() += 1;
            if matches!(payment.state, PaymentState::Released) {
                transit += payment.amount;
            }
            let gone = [
                PaymentState::Released,
                PaymentState::Settled,
                PaymentState::Acknowledged,
                PaymentState::Disputed,
                PaymentState::Unacknowledged,
            ];
            if gone.contains(&payment.state) {
                paid += payment.amount;
                // N7: what left has its agreement and its milestone.
                prop_assert!(matches!(known.state, AgreementState::InForce | AgreementState::Completed));
                if let Tranche::Milestone(milestone) = payment.tranche {
                    prop_assert!(self.milestone(milestone).state.is_accepted());
                }
            }
            if payment.state == PaymentState::Released && before != Some(PaymentState::Released) {
                let instruction = payment.instruction.clone().unwrap();
                prop_assert!(seen.ids.insert(instruction.end_to_end.as_str().to_owned()), "an EndToEndId twice");
                prop_assert!(seen.ids.insert(instruction.uetr.as_str().to_owned()), "a UETR twice");
                // N11: to the account in force, while none cools off.
                prop_assert_eq!(instruction.account, known.account);
                prop_assert!(known.change.is_none());
                prop_assert!(payment.approvals >= payment.approvals_needed);
                prop_assert!(self.w.now >= payment.approved_ms.unwrap() + 48 * HOUR_MS);
            }
            if payment.state == PaymentState::Settled && before != Some(PaymentState::Settled) {
                let reference = payment.settlement.clone().unwrap();
                prop_assert!(seen.ids.insert(reference.0.as_str().to_owned()), "a bank reference twice");
            }
        }
        prop_assert!(tranches.values().all(|count| *count == 1));
        prop_assert_eq!(totals.in_transit, i128::from(transit));
        // N9: the cap before final acceptance; never more than was accepted, but for the advance.
        if known.state != AgreementState::Completed {
            prop_assert!(paid <= Paid::cap(&known.terms));
        }
        prop_assert!(paid <= known.accepted.max(known.terms.advance).max(known.accepted + known.paid.outstanding()));
        // N12, N13 over every chain.
        let numbers: Vec<u32> = self.w.tables.payments.iter().map(|(number, _)| *number).collect();
        for number in numbers {
            let chain = self.direct(|tx| payment::chain(tx, &payment::get(tx, number)?)).unwrap();
            prop_assert_eq!(duties::judge_all(&self.w.tables, &chain), Ok(()));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Seen {
    states: BTreeMap<u32, PaymentState>,
    ids: BTreeSet<String>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn n4_to_n12_hold_over_random_sequences(ops in ops()) {
        let mut b = Bench::new();
        let agreement = b.agreement();
        let mut seen = Seen::default();
        for op in &ops {
            b.step(agreement, op);
            b.check_invariants(agreement, &mut seen)?;
        }
    }
}
