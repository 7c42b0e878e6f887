//! What the suites of awards and payments share: a fund, a call of 20 million with three ranked
//! applications, and short words for every act from the award to the acknowledgement. Two ways to
//! begin: [`Bench::on_tables`] puts fund and call into the tables and applies records one by one;
//! [`Bench::story`] makes everything by records and motions on a real ledger.

use rollbook_core::account::{Account, AccountKind, Balances, Movement, Pot, Totals, Unit};
use rollbook_core::apply::{
    DeadlineKind, Event, EventBody, Outcome, Refusal, Tx, apply_record, next_deadline, run_due,
};
use rollbook_core::charter::{Class, DAY_MS, HOUR_MS};
use rollbook_core::funding;
use rollbook_core::funding::call::{Call, CallStatus};
use rollbook_core::funding::fund::{Fund, FundStatus};
use rollbook_core::funding::payment::PaymentState;
use rollbook_core::funding::{
    Application, ApplicationStatus, Draw, DrawStatus, Opened, Review, ReviewStatus, award,
    milestone, payment,
};
use rollbook_core::identity::{Name, Role};
use rollbook_core::ledger::Ledger;
use rollbook_core::motion::rules::BodyKind;
use rollbook_core::record::*;
use rollbook_core::state::StateTables;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, VerifierCache, sha256_tagged};

use crate::alliance::{Alliance, OPENED_MS, officers_of, secretariat};
use crate::writer::Writer;

pub const MEMBERS: u32 = 20;
pub const GRANTEE: u32 = 12;
pub const OTHER: u32 = 13;
pub const FUND: u32 = 1;
pub const CALL: u32 = 1;
/// Minor units of a yuan, and of a million.
pub const Y: u64 = 100;
pub const M: u64 = 1_000_000 * Y;

pub fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

pub fn hash(label: &str) -> Hash {
    sha256_tagged("test", &[label.as_bytes()])
}

/// Tables with a clock; records and deadlines go through the rules.
#[derive(Clone)]
pub struct World {
    pub tables: StateTables,
    pub chain: Hash,
    pub now: u64,
    pub height: u64,
    pub events: Vec<Event>,
}

pub struct Bench {
    pub alliance: Alliance,
    pub verifier: VerifierCache,
    pub w: World,
    pub ids: u32,
    /// The real ledger; `w` is then a copy of its tables, to read from.
    pub ledger: Option<Box<Writer>>,
}

/// Posts of the secretariat, in the order of the sample alliance.
#[derive(Clone, Copy)]
pub enum Staff {
    Treasurer = 1,
    Officer = 2,
    Officer2 = 3,
    Programme = 4,
    Finance = 5,
    Finance2 = 6,
}

impl Staff {
    pub fn person(self) -> u32 {
        2 * MEMBERS + 3 + self as u32
    }

    pub fn role(self) -> Role {
        match self {
            Staff::Treasurer => Role::Treasurer,
            Staff::Officer | Staff::Officer2 => Role::SecondOfficer,
            Staff::Programme => Role::ProgrammeOfficer,
            Staff::Finance | Staff::Finance2 => Role::FinanceApprover,
        }
    }
}

impl Bench {
    /// A fund with 100 million received, a call of 20 million (call limit 70 %), three ranked
    /// applications: 12 (rank 1, ask 8 million), 13 (rank 2, ask 6 million), 14 (rank 3, ask 2
    /// million).
    pub fn on_tables() -> Bench {
        Self::with(|_| {})
    }

    pub fn with(adjust: impl FnOnce(&mut rollbook_core::charter::Charter)) -> Bench {
        let mut alliance = Alliance::with(
            b"payment",
            MEMBERS,
            4,
            rollbook_proof::log::Clock::Sample,
            adjust,
        );
        let found = alliance.found(OPENED_MS);
        let (ledger, _) = Ledger::from_genesis(&alliance.genesis).unwrap();
        let chain = alliance.chain();
        let w = World {
            tables: ledger.tables().clone(),
            chain,
            now: OPENED_MS + 1,
            height: 1,
            events: Vec::new(),
        };
        let mut bench = Bench {
            alliance,
            verifier: VerifierCache::default(),
            w,
            ids: 0,
            ledger: None,
        };
        for record in &found {
            let w = &mut bench.w;
            apply_record(
                &mut w.tables,
                chain,
                w.height,
                w.now,
                record,
                &mut bench.verifier,
            )
            .unwrap();
        }
        bench.seed();
        bench
    }

    /// The same world once more, for another ending.
    pub fn fork(&self, ids: u32) -> Bench {
        let alliance = Alliance::new(b"payment", MEMBERS, 4);
        Bench {
            alliance,
            verifier: VerifierCache::default(),
            w: self.w.clone(),
            ids,
            ledger: None,
        }
    }

    fn seed(&mut self) {
        let charter = self.w.tables.chain.get(&0).unwrap().charter;
        let name = Name {
            native: text("基金"),
            latin: text("Fund"),
        };
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
            eligibility: Eligibility {
                classes: vec![Class::Founding],
                outsiders: true,
                in_direction: false,
            },
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
            let content = ApplicationContent {
                title: text("Project"),
                ask,
                document: hash("application"),
            };
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
                opened: Some(Opened {
                    content,
                    at_ms: since_ms,
                    by: applicant,
                }),
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
        self.post(Movement::ContributionReceived {
            member: 1,
            pot: Pot::Free,
            amount: 100 * M,
        });
        self.post(Movement::CallFunded {
            call: CALL,
            direction: None,
            amount: 20 * M,
        });
        self.w.tables.keep_record();
    }

    pub fn post(&mut self, movement: Movement) {
        self.direct(|tx| funding::post(tx, FUND, &movement).map(|_| ()))
            .unwrap();
    }

    /// What a motion would do: a rule called without a record.
    pub fn direct<T>(
        &mut self,
        act: impl FnOnce(&mut Tx) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let w = &mut self.w;
        let mut tx = Tx {
            t: &mut w.tables,
            now: w.now,
            height: w.height,
            chain: w.chain,
            record: hash("motion"),
            events: Vec::new(),
        };
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
    pub fn act(
        &mut self,
        principal: u32,
        signers: &[(u32, Role)],
        body: Body,
    ) -> Result<Hash, Refusal> {
        if let Some(writer) = &mut self.ledger {
            let record = writer.sign(principal, signers, body);
            let block = writer.submit(std::slice::from_ref(&record));
            self.w.events.extend(block.events);
            self.mirror();
            return match block.refused.into_iter().next() {
                Some(refusal) => Err(refusal),
                None => {
                    assert_eq!(block.outcomes, [Outcome::Applied]);
                    Ok(record.id())
                }
            };
        }
        self.advance(self.w.now + 1_000);
        let record = self.alliance.record(principal, signers, self.w.now, body);
        let w = &mut self.w;
        w.height += 1;
        let outcome = apply_record(
            &mut w.tables,
            w.chain,
            w.height,
            w.now,
            &record,
            &mut self.verifier,
        )?;
        assert_eq!(outcome, Outcome::Applied);
        Ok(record.id())
    }

    /// Copies what the ledger holds.
    pub fn mirror(&mut self) {
        if let Some(writer) = &self.ledger {
            self.w.tables = writer.tables().clone();
            self.w.now = writer.ledger.tip().seal.time_ms;
        }
    }

    pub fn grantee(&mut self, body: Body) -> Result<Hash, Refusal> {
        self.company(GRANTEE, body)
    }

    pub fn company(&mut self, member: u32, body: Body) -> Result<Hash, Refusal> {
        let (first, second) = officers_of(member);
        let role = match &body {
            Body::Payment(PaymentAct::Submit { .. } | PaymentAct::Assess { .. }) => Role::Technical,
            Body::Call(_) => Role::Alternate,
            _ => Role::Finance,
        };
        self.act(member, &[(first, Role::Primary), (second, role)], body)
    }

    pub fn staff(&mut self, who: Staff, body: Body) -> Result<Hash, Refusal> {
        self.act(secretariat(MEMBERS), &[(who.person(), who.role())], body)
    }

    pub fn advance(&mut self, to: u64) -> Vec<EventBody> {
        let before = self.w.events.len();
        if let Some(writer) = &mut self.ledger {
            let events = writer.advance(to);
            self.w.events.extend(events);
            self.mirror();
            return self.w.events[before..]
                .iter()
                .map(|event| event.body.clone())
                .collect();
        }
        let w = &mut self.w;
        while let Some(due) = next_deadline(&w.tables).filter(|due| *due < to) {
            w.now = w.now.max(due + 1);
            let (events, more) = run_due(&mut w.tables, w.chain, w.height, w.now, 1_000);
            assert!(!more);
            w.events.extend(events);
        }
        w.now = w.now.max(to);
        w.events[before..]
            .iter()
            .map(|event| event.body.clone())
            .collect()
    }

    pub fn days(&mut self, days: u64) -> Vec<EventBody> {
        self.advance(self.w.now + days * DAY_MS)
    }

    pub fn of(&self, kind: AccountKind) -> i128 {
        self.w.tables.balance(Account { fund: FUND, kind })
    }

    pub fn totals(&self) -> Totals {
        Totals::of(
            FUND,
            self.w
                .tables
                .accounts
                .iter()
                .map(|(account, balance)| (*account, *balance)),
        )
        .unwrap()
    }

    pub fn grant(&mut self, application: u32, amount: u64, body: BodyKind) -> Result<u32, Refusal> {
        let grant = GrantAward {
            application,
            amount,
            body,
            out_of_rank: None,
        };
        self.direct(|tx| award::grant(tx, 1, &grant))
    }

    pub fn accepted_award(&mut self) -> u32 {
        let number = self.grant(1, 8 * M, BodyKind::Assembly).unwrap();
        self.days(14);
        self.grantee(Body::Award(AwardAct::Accept { award: number }))
            .unwrap();
        number
    }

    pub fn terms(&self, award: u32, amounts: &[u64], advance: u64) -> AgreementTerms {
        let due_ms = self.w.now + 200 * DAY_MS;
        let plan = |amount: &u64| MilestonePlan {
            amount: *amount,
            due_ms,
            evidence: hash("evidence"),
        };
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

    pub fn draft(&mut self, terms: &AgreementTerms) -> Result<(u32, Hash), Refusal> {
        let id = self.staff(
            Staff::Programme,
            Body::Award(AwardAct::Draft(terms.clone())),
        )?;
        Ok((*self.w.tables.agreements.last_key().unwrap(), id))
    }

    pub fn sign_all(&mut self, terms: &AgreementTerms) -> u32 {
        let (agreement, draft) = self.draft(terms).unwrap();
        let terms = terms.digest();
        let signed = self
            .grantee(Body::Award(AwardAct::Sign {
                agreement,
                draft,
                terms,
            }))
            .unwrap();
        for who in [Staff::Treasurer, Staff::Officer] {
            self.staff(
                who,
                Body::Award(AwardAct::Countersign {
                    agreement,
                    signed,
                    terms,
                }),
            )
            .unwrap();
        }
        agreement
    }

    /// AG1 of the story: 8 million, advance 2.4 million, two milestones of 4 million, assessors
    /// drawn.
    pub fn agreement(&mut self) -> u32 {
        let award = self.accepted_award();
        let terms = self.terms(award, &[4 * M, 4 * M], 24 * M / 10);
        let agreement = self.sign_all(&terms);
        self.draw(agreement, &[5, 6, 7, 8]);
        agreement
    }

    /// Finished draws of one person each: the second officers of these members, in this order.
    pub fn draw(&mut self, agreement: u32, members: &[u32]) {
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

    pub fn submit(&mut self, milestone: u32, label: &str) -> Result<Hash, Refusal> {
        let evidence = vec![Evidence {
            kind: EvidenceKind::Document,
            hash: hash(label),
            shared: false,
        }];
        self.grantee(Body::Payment(PaymentAct::Submit {
            milestone,
            evidence,
        }))
    }

    pub fn assess(
        &mut self,
        member: u32,
        milestone: u32,
        finding: Finding,
    ) -> Result<Hash, Refusal> {
        self.company(
            member,
            Body::Payment(PaymentAct::Assess {
                milestone,
                finding,
                report: hash("report"),
            }),
        )
    }

    /// Evidence and two findings alike, by whoever was drawn.
    pub fn accept_milestone(&mut self, milestone: u32, amount: u64) {
        self.submit(milestone, &format!("evidence of {milestone}"))
            .unwrap();
        self.judge_milestone(milestone, Finding::Accept(amount));
    }

    pub fn judge_milestone(&mut self, milestone: u32, finding: Finding) {
        let homes: Vec<u32> = self
            .milestone(milestone)
            .assessors
            .iter()
            .map(|assessor| assessor.home)
            .collect();
        assert_eq!(homes.len(), 2, "two assessors are appointed");
        for home in homes {
            self.assess(home, milestone, finding).unwrap();
        }
    }

    pub fn milestone(&self, number: u32) -> milestone::Milestone {
        self.w.tables.milestones.get(&number).unwrap().clone()
    }

    pub fn first(&self, agreement: u32) -> u32 {
        self.w
            .tables
            .agreements
            .get(&agreement)
            .unwrap()
            .first_milestone
    }

    pub fn request(
        &mut self,
        agreement: u32,
        tranche: Tranche,
        amount: u64,
    ) -> Result<u32, Refusal> {
        self.grantee(Body::Payment(PaymentAct::Request {
            agreement,
            tranche,
            amount,
        }))?;
        Ok(*self.w.tables.payments.last_key().unwrap())
    }

    pub fn certify(&mut self, payment: u32) -> Result<Hash, Refusal> {
        self.staff(
            Staff::Programme,
            Body::Payment(PaymentAct::Certify {
                payment,
                decision: Decision::Pass,
            }),
        )
    }

    pub fn approve(&mut self, who: Staff, payment: u32) -> Result<Hash, Refusal> {
        let known = self.payment(payment);
        let (certified, amount) = (known.certified.unwrap_or_default(), known.amount);
        self.staff(
            who,
            Body::Payment(PaymentAct::Approve {
                payment,
                certified,
                amount,
                decision: Decision::Pass,
            }),
        )
    }

    pub fn instruction(&mut self, payment: u32) -> Instruction {
        self.ids += 1;
        let known = self.payment(payment);
        let account = self
            .w
            .tables
            .agreements
            .get(&known.agreement)
            .unwrap()
            .account;
        Instruction {
            end_to_end: text(&format!("P{payment}-{}", self.ids)),
            uetr: text(&format!("7a1f0c3e-5b7d-4e2a-9c44-{:012x}", self.ids)),
            account,
            amount: known.amount,
        }
    }

    pub fn release(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let instruction = self.instruction(payment);
        self.staff(
            Staff::Treasurer,
            Body::Payment(PaymentAct::Release {
                payment,
                instruction,
            }),
        )
    }

    pub fn reference(&mut self) -> BankReference {
        self.ids += 1;
        BankReference(text(&format!("BANK-{}", self.ids)))
    }

    pub fn settle(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(
            Staff::Officer,
            Body::Payment(PaymentAct::Settle {
                payment,
                reference,
                amount,
            }),
        )
    }

    pub fn give_back(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let (reference, amount) = (self.reference(), self.payment(payment).amount);
        self.staff(
            Staff::Officer,
            Body::Payment(PaymentAct::Return {
                payment,
                reference,
                amount,
                reason: text("AC04"),
            }),
        )
    }

    pub fn acknowledge(&mut self, payment: u32) -> Result<Hash, Refusal> {
        let amount = self.payment(payment).amount;
        self.grantee(Body::Payment(PaymentAct::Acknowledge { payment, amount }))
    }

    pub fn hold(&mut self, member: u32, payment: u32) -> Result<Hash, Refusal> {
        self.company(
            member,
            Body::Payment(PaymentAct::Hold {
                payment,
                ground: hash("ground"),
            }),
        )
    }

    pub fn payment(&self, number: u32) -> payment::Payment {
        self.w.tables.payments.get(&number).unwrap().clone()
    }

    pub fn approved(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.request(agreement, tranche, amount).unwrap();
        self.certify(payment).unwrap();
        self.approve(Staff::Finance, payment).unwrap();
        if self.payment(payment).state == PaymentState::Certified {
            self.approve(Staff::Finance2, payment).unwrap();
        }
        payment
    }

    /// From request to acknowledgement.
    pub fn pay(&mut self, agreement: u32, tranche: Tranche, amount: u64) -> u32 {
        let payment = self.approved(agreement, tranche, amount);
        self.advance(self.w.now + 48 * HOUR_MS + 1);
        self.release(payment).unwrap();
        self.settle(payment).unwrap();
        self.acknowledge(payment).unwrap();
        payment
    }
}

const SALT: [u8; 32] = [7; 32];
/// Members whose second officers review in the story, and those whose second officers assess.
pub const REVIEWERS: [u32; 5] = [15, 16, 17, 18, 19];
pub const ASSESSORS: [u32; 4] = [5, 6, 7, 8];

/// By records and motions, on a real ledger.
impl Bench {
    /// As [`Bench::on_tables`], from the founding to the ranking: fund by motion, pledge and
    /// receipt, call by motion, sealed applications, a draw, five reviews each, the ranking.
    pub fn story() -> Bench {
        let writer = Writer::founded(Alliance::new(b"payment story", MEMBERS, 4));
        let w = World {
            tables: writer.tables().clone(),
            chain: writer.alliance.chain(),
            now: 0,
            height: 0,
            events: Vec::new(),
        };
        let alliance = Alliance::new(b"payment story", MEMBERS, 4);
        let ledger = Some(Box::new(writer));
        let mut bench = Bench {
            alliance,
            verifier: VerifierCache::default(),
            w,
            ids: 0,
            ledger,
        };
        bench.mirror();
        bench.open_fund();
        bench.receive(100 * M);
        bench.open_call();
        bench.applications();
        bench.pool(PoolKind::Reviewers, &REVIEWERS);
        bench.draw_for(DrawFor::Call(CALL));
        bench.reviews();
        bench
            .company(1, Body::Call(CallAct::Rank { call: CALL }))
            .unwrap();
        bench
    }

    fn writer(&mut self) -> &mut Writer {
        self.ledger.as_mut().unwrap()
    }

    fn local_day(&self, ahead: i64) -> i64 {
        i64::try_from((self.w.now + 8 * HOUR_MS) / DAY_MS).unwrap() + ahead
    }

    pub fn propose(&mut self, effect: MotionEffect) -> Result<u32, Refusal> {
        let days = match &effect {
            MotionEffect::GrantAward(grant) if grant.body == BodyKind::Assembly => 10,
            _ => 7,
        };
        let ours = matches!(
            effect,
            MotionEffect::GrantAward(_) | MotionEffect::PlaceApplication(_)
        );
        if !ours {
            let motion = self.writer().propose(effect, days);
            self.mirror();
            return motion;
        }
        let proposal = Proposal {
            effect,
            ballot_days: days,
            text: hash("text"),
        };
        self.staff(Staff::Programme, Body::Motion(MotionAct::Propose(proposal)))?;
        Ok(self.writer().newest_motion())
    }

    /// Everybody who may votes yes; close and stay pass. Returns who was recused and who was
    /// refused.
    pub fn pass(&mut self, motion: u32) -> (Vec<u32>, Vec<u32>) {
        let writer = self.writer();
        let (mut recused, mut refused) = (Vec::new(), Vec::new());
        for member in rollbook_core::motion::electorate(writer.tables(), motion).into_keys() {
            match writer.vote(member, motion, Choice::Yes) {
                Ok(Outcome::Applied) => {}
                Ok(Outcome::NotCounted(_)) => recused.push(member),
                Err(refusal) => {
                    assert_eq!(refusal.code, "N12.same-person", "{refusal}");
                    refused.push(member);
                }
            }
        }
        writer.close(motion);
        if let Some(due) = writer.due(DeadlineKind::MotionEffect, motion) {
            writer.advance(due + 1);
        }
        self.mirror();
        let status = self.w.tables.motions.get(&motion).unwrap().status;
        assert_eq!(status, rollbook_core::motion::MotionStatus::CarriedOut);
        (recused, refused)
    }

    pub fn decide(&mut self, effect: MotionEffect) -> (Vec<u32>, Vec<u32>) {
        let motion = self.propose(effect).unwrap();
        self.pass(motion)
    }

    fn open_fund(&mut self) {
        let all = [
            Staff::Treasurer,
            Staff::Officer,
            Staff::Officer2,
            Staff::Programme,
            Staff::Finance,
            Staff::Finance2,
        ];
        let mut officers: Vec<(Role, u32)> = all.map(|who| (who.role(), who.person())).to_vec();
        officers.sort();
        let signers: Vec<(u32, Role)> = officers
            .iter()
            .map(|(role, person)| (*person, *role))
            .collect();
        let office = secretariat(MEMBERS);
        let plan = CreateFund {
            name: Name {
                native: text("基金"),
                latin: text("Fund"),
            },
            holder: office,
            unit: Unit::currency("CNY").unwrap(),
            bank_account: hash("bank"),
            office,
            officers,
        };
        self.decide(MotionEffect::CreateFund(plan.into()));
        self.act(office, &signers, Body::Fund(FundAct::Accept { fund: FUND }))
            .unwrap();
        let members = vec![1, 2, 3, 4, 5];
        self.decide(MotionEffect::AppointCommittee(AppointCommittee {
            fund: FUND,
            members,
        }));
    }

    fn receive(&mut self, amount: u64) {
        let instalments = vec![InstalmentEntry {
            due_day: self.local_day(30),
            amount,
        }];
        self.company(
            1,
            Body::Fund(FundAct::Pledge(PledgeEntry {
                fund: FUND,
                pot: Pot::Free,
                instalments,
            })),
        )
        .unwrap();
        self.staff(
            Staff::Treasurer,
            Body::Fund(FundAct::CallInstalment { instalment: 1 }),
        )
        .unwrap();
        let entry = ReceiptEntry {
            instalment: 1,
            amount,
            reference: BankReference(text("IN-1")),
            value_day: self.local_day(0),
        };
        let receipt = self
            .staff(Staff::Treasurer, Body::Fund(FundAct::RecordReceipt(entry)))
            .unwrap();
        self.staff(
            Staff::Officer,
            Body::Fund(FundAct::ConfirmReceipt { receipt }),
        )
        .unwrap();
    }

    fn open_call(&mut self) {
        let terms = CallTerms {
            fund: FUND,
            title: Name {
                native: text("征集"),
                latin: text("Call"),
            },
            direction: None,
            budget: 20 * M,
            ask_max: 20 * M,
            criteria: vec![Criterion {
                code: text("quality"),
                weight_bp: 10_000,
                score_max: 10,
                threshold: 0,
            }],
            threshold: 0,
            reviewers: 3,
            concentration_bp: Some(7_000),
            tie_breaks: vec![TieBreak::Earlier],
            eligibility: Eligibility {
                classes: vec![Class::Founding],
                outsiders: true,
                in_direction: false,
            },
            codes: vec![text("out-of-scope")],
            opens_day: self.local_day(15),
            closes_day: self.local_day(45),
            document: hash("call"),
        };
        self.decide(MotionEffect::PublishCall(terms.into()));
        let opens = self.writer().due(DeadlineKind::CallOpens, CALL).unwrap();
        self.advance(opens + 1);
    }

    fn applications(&mut self) {
        let asks = [(1, GRANTEE, 8 * M), (2, OTHER, 6 * M), (3, 14, 2 * M)];
        let content = |number: u32, ask| ApplicationContent {
            title: text(&format!("Project {number}")),
            ask,
            document: hash(&format!("application/{number}")),
        };
        for (number, applicant, ask) in asks {
            let commitment = content(number, ask).commitment(&SALT, CALL, applicant);
            let project = hash(&format!("project/{number}"));
            let submission = Submission {
                call: CALL,
                project,
                commitment,
                seen: None,
            };
            self.company(applicant, Body::Call(CallAct::Submit(submission)))
                .unwrap();
        }
        let closes = self.writer().due(DeadlineKind::CallCloses, CALL).unwrap();
        self.advance(closes + 1);
        for (application, applicant, ask) in asks {
            let content = content(application, ask);
            self.company(
                applicant,
                Body::Call(CallAct::Open {
                    application,
                    content,
                    salt: SALT,
                }),
            )
            .unwrap();
            let verdict = Verdict::Eligible;
            self.staff(
                Staff::Programme,
                Body::Call(CallAct::Judge {
                    application,
                    verdict,
                }),
            )
            .unwrap();
        }
    }

    /// The second officers of these members, entered and confirmed by motion.
    pub fn pool(&mut self, pool: PoolKind, members: &[u32]) {
        let persons: Vec<u32> = members
            .iter()
            .map(|member| officers_of(*member).1)
            .collect();
        self.staff(
            Staff::Programme,
            Body::Call(CallAct::EnterPool {
                pool,
                persons: persons.clone(),
            }),
        )
        .unwrap();
        self.decide(MotionEffect::ConfirmPool(ConfirmPool { pool, persons }));
    }

    /// RULINGS R22: PO, OFF and the seat holder 3 commit and reveal.
    pub fn draw_for(&mut self, subject: DrawFor) {
        self.staff(
            Staff::Programme,
            Body::Call(CallAct::FreezePool { subject }),
        )
        .unwrap();
        let draw = *self.w.tables.draws.last_key().unwrap();
        let office = secretariat(MEMBERS);
        let places = [
            (office, Staff::Programme.person(), Role::ProgrammeOfficer, 1),
            (office, Staff::Officer.person(), Role::SecondOfficer, 2),
            (3, officers_of(3).0, Role::Primary, 3),
        ];
        for (principal, person, role, byte) in places {
            let commitment = draw_commitment(draw, 1, person, &[byte; 32]);
            self.act(
                principal,
                &[(person, role)],
                Body::Call(CallAct::CommitDraw { draw, commitment }),
            )
            .unwrap();
        }
        for (principal, person, role, byte) in places {
            let secret = [byte; 32];
            self.act(
                principal,
                &[(person, role)],
                Body::Call(CallAct::RevealDraw { draw, secret }),
            )
            .unwrap();
        }
    }

    fn review(&mut self, review: u32, act: CallAct) {
        let person = self.w.tables.reviews.get(&review).unwrap().person;
        let home = self.w.tables.persons.get(&person).unwrap().home;
        self.act(home, &[(person, Role::Technical)], Body::Call(act))
            .unwrap();
    }

    fn reviews(&mut self) {
        let comment = hash("comment");
        let all: Vec<(u32, Scores)> = self
            .w
            .tables
            .reviews
            .iter()
            .map(|(number, review)| (*number, Scores(vec![10 - review.application])))
            .collect();
        for (review, scores) in &all {
            let review = *review;
            self.review(
                review,
                CallAct::Declare {
                    review,
                    declaration: ReviewDeclaration::Clear,
                },
            );
            let seal = scores.seal(&SALT, review, &comment);
            self.review(review, CallAct::Seal { review, seal });
        }
        for (review, scores) in all {
            self.review(
                review,
                CallAct::Reveal {
                    review,
                    scores,
                    comment,
                    salt: SALT,
                },
            );
            self.review(
                review,
                CallAct::Finalise {
                    review,
                    revision: None,
                },
            );
        }
    }

    /// The award of the story: 8 million to 12, by the assembly, then the agreement with its draw
    /// of assessors.
    pub fn story_agreement(&mut self) -> u32 {
        let grant = GrantAward {
            application: 1,
            amount: 8 * M,
            body: BodyKind::Assembly,
            out_of_rank: None,
        };
        self.decide(MotionEffect::GrantAward(grant));
        self.days(14);
        let award = *self.w.tables.awards.last_key().unwrap();
        self.grantee(Body::Award(AwardAct::Accept { award }))
            .unwrap();
        let terms = self.terms(award, &[4 * M, 4 * M], 24 * M / 10);
        let agreement = self.sign_all(&terms);
        self.pool(PoolKind::Assessors, &ASSESSORS);
        self.draw_for(DrawFor::Agreement(agreement));
        agreement
    }
}
