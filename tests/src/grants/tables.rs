//! [`Bench::on_tables`]: fund, call and ranked applications stand in the tables at the start, and
//! what a motion would do is called directly.

use rollbook_core::account::{Amount, Movement, Pot, Unit};
use rollbook_core::apply::apply_record;
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::Class;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{
    AgreementId, ApplicationId, CallId, DrawId, FundId, MotionId, PersonId, PostId, ReviewId,
};
use rollbook_core::identity::{Name, RelationKind, Role, Scope};
use rollbook_core::ledger::Ledger;
use rollbook_core::object::application::{Application, ApplicationStatus, Opened};
use rollbook_core::object::call::{Call, CallStatus};
use rollbook_core::object::draw::{Draw, DrawStatus};
use rollbook_core::object::fund::{Fund, FundStatus};
use rollbook_core::object::post::{Post, PostStatus};
use rollbook_core::object::relation::{Edge, RelationStatus};
use rollbook_core::object::review::{Review, ReviewStatus};
use rollbook_core::record::{
    ApplicationContent, CallTerms, DrawFor, Eligibility, GrantAward, Instrument, PerGroup,
    ReviewDeclaration, Verdict,
};
use rollbook_core::refusal::Refusal;
use rollbook_core::rules::bank;
use rollbook_core::rules::funding::award;
use rollbook_core::rules::relations;
use rollbook_core::tx::Tx;
use rollbook_proof::crypto::{Hash, VerifierCache};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::{OPENED_MS, secretariat};
use rollbook_sandbox::keys::officers_of;

use super::{Bench, CALL, FUND, GRANTEE, MEMBERS, MILLION, OTHER, World, hash, text};
use crate::alliance::{Alliance, sample};

impl Bench {
    /// A fund with 100 million received, a call of 20 million (call limit 70 %), three ranked
    /// applications: 12 (rank 1, ask 8 million), 13 (rank 2, ask 6 million), 14 (rank 3, ask 2
    /// million).
    pub fn on_tables() -> Bench {
        Self::with(|_| {})
    }

    pub fn with(adjust: impl FnOnce(&mut rollbook_core::charter::Charter)) -> Bench {
        let mut sample = sample(b"payment", MEMBERS, 4);
        adjust(&mut sample.charter);
        let mut alliance = Alliance::of(&sample);
        let found = alliance.found(OPENED_MS);
        let (ledger, _) = Ledger::from_genesis(&alliance.genesis).unwrap();
        let chain = alliance.chain();
        let world = World {
            tables: ledger.tables().clone(),
            chain,
            now: OPENED_MS + 1,
            height: 1,
            events: Vec::new(),
        };
        let mut bench = Bench {
            alliance,
            verifier: VerifierCache::default(),
            world,
            ids: 0,
            ledger: None,
        };
        for record in &found {
            let block = bench.world.block();
            apply_record(&mut bench.world.tables, block, record, &mut bench.verifier).unwrap();
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
            world: self.world.clone(),
            ids,
            ledger: None,
        }
    }

    /// What stands at the start: the fund, the ranked call, its applications and reviewers, and the
    /// money.
    fn seed(&mut self) {
        self.seed_fund_and_call();
        for (number, applicant, ask) in [
            (1, GRANTEE, 8 * MILLION),
            (2, OTHER, 6 * MILLION),
            (3, 14, 2 * MILLION),
        ] {
            self.seed_application(number, applicant, ask);
        }
        // Reviewers of the first application: the second officers of 9, 10, 11.
        for (number, member) in (1..).zip([9, 10, 11]) {
            self.seed_review(number, officers_of(member).1);
        }
        self.post(Movement::ContributionReceived {
            member: OrganisationId(1),
            pot: Pot::Free,
            amount: Amount(100 * MILLION),
        });
        self.post(Movement::CallFunded {
            call: CallId(CALL),
            direction: None,
            amount: Amount(20 * MILLION),
        });
    }

    fn seed_fund_and_call(&mut self) {
        let charter = self.world.tables.chain.get(&0).unwrap().charter;
        let name = Name {
            native: text("基金"),
            latin: text("Fund"),
        };
        let since_ms = self.world.now;
        let fund = Fund {
            number: FundId(FUND),
            name: name.clone(),
            holder: OrganisationId(1),
            unit: Unit::currency("CNY").unwrap(),
            bank_account: hash("bank"),
            office: OrganisationId(secretariat(MEMBERS)),
            officers: Vec::new(),
            accepted: Vec::new(),
            holder_accepted: true,
            status: FundStatus::Open,
            since_ms: LedgerTime(since_ms),
            motion: MotionId(0),
            charter,
        };
        let terms = CallTerms {
            fund: FundId(FUND),
            instrument: Instrument::Grant,
            title: name,
            direction: None,
            budget: Amount(20 * MILLION),
            ask_max: Amount(20 * MILLION),
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
            per_group: PerGroup::default(),
            codes: vec![text("late")],
            opens_day: LocalDay(0),
            closes_day: LocalDay(1),
            document: hash("call"),
        };
        let call = Call {
            number: CallId(CALL),
            terms_hash: terms.hash(),
            terms,
            concentration_bp: 7_000,
            status: CallStatus::Ranked,
            since_ms: LedgerTime(since_ms),
            closed_ms: Some(LedgerTime(since_ms)),
            applications: 3,
            motion: MotionId(0),
            charter,
        };
        self.place(|tx| {
            tx.put(fund);
            tx.put(call);
        });
    }

    fn seed_application(&mut self, number: u32, applicant: u32, ask: u64) {
        let since_ms = self.world.now;
        let content = ApplicationContent {
            project: hash(&format!("project/{number}")),
            title: text("Project"),
            ask: Amount(ask),
            partners: Vec::new(),
            document: hash("application"),
        };
        let application = Application {
            number: ApplicationId(number),
            call: CallId(CALL),
            applicant: OrganisationId(applicant),
            commitment: Hash::ZERO,
            record: Hash::ZERO,
            submitted_ms: LedgerTime(since_ms),
            status: ApplicationStatus::Ranked,
            since_ms: LedgerTime(since_ms),
            opened: Some(Opened {
                content,
                at_ms: LedgerTime(since_ms),
                by: OrganisationId(applicant),
            }),
            verdict: Some(Verdict::Eligible),
            judged_by: None,
            appeal: None,
            score: None,
            rank: Some(number),
            same_project: false,
            void: None,
        };
        self.place(|tx| {
            tx.put(application);
            tx.t.call_applications()
                .put((CallId(CALL), ApplicationId(number)), 0);
        });
    }

    /// A final review of the first application.
    fn seed_review(&mut self, number: u32, person: u32) {
        let review = Review {
            number: ReviewId(number),
            application: ApplicationId(1),
            person: PersonId(person),
            draw: DrawId(1),
            status: ReviewStatus::Final,
            since_ms: LedgerTime(self.world.now),
            declaration: Some(ReviewDeclaration::Clear),
            seal: None,
            scores: None,
            comment: None,
            revision: None,
        };
        self.place(|tx| {
            tx.put(review);
            tx.t.review_of()
                .put((ApplicationId(1), PersonId(person)), ReviewId(number));
        });
    }

    /// Writes into the tables past every rule. All suites that do so do it here.
    pub fn place(&mut self, write: impl FnOnce(&mut Tx)) {
        let block = self.world.block();
        let mut tx = Tx::of_block(&mut self.world.tables, block);
        write(&mut tx);
        tx.keep();
    }

    /// Gives a person a post in the office for the fund, past every rule.
    pub fn give_post(&mut self, person: u32, role: Role) {
        let number = PostId(self.world.tables.posts.last_key().unwrap().0 + 1);
        let until_ms = self.world.now + 999 * MS_PER_DAY;
        let post = Post {
            number,
            office: OrganisationId(secretariat(MEMBERS)),
            role,
            scope: Scope::Fund(FundId(FUND)),
            holder: PersonId(person),
            deputy: None,
            from_ms: LedgerTime(0),
            until_ms: LedgerTime(until_ms),
            absent: false,
            succeeds: None,
            successor: None,
            status: PostStatus::Held,
            since_ms: LedgerTime(0),
        };
        self.place(|tx| tx.t.posts().put(number, post));
    }

    /// Makes two organisations related, as declarations on both sides would.
    pub fn relate(&mut self, one: u32, other: u32) {
        let edge = Edge::begun(
            (
                OrganisationId(one.min(other)),
                OrganisationId(one.max(other)),
            ),
            RelationKind::Control,
            Hash::ZERO,
            OrganisationId(one),
            LedgerTime(0),
            RelationStatus::Joined,
        );
        self.place(|tx| relations::write(tx, edge));
    }

    pub fn post(&mut self, movement: Movement) {
        self.direct(|tx| bank::post(tx, FundId(FUND), &movement).map(|_| ()))
            .unwrap();
    }

    /// What a motion would do: a rule called without a record.
    pub fn direct<T>(
        &mut self,
        act: impl FnOnce(&mut Tx) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let block = self.world.block();
        let mut tx = Tx::of_record(&mut self.world.tables, block, hash("motion"));
        let result = act(&mut tx);
        match &result {
            Ok(_) => tx.keep(),
            Err(_) => tx.drop_writes(),
        }
        result
    }

    pub fn grant(&mut self, application: u32, amount: u64, body: BodyKind) -> Result<u32, Refusal> {
        let grant = GrantAward {
            application: ApplicationId(application),
            amount: Amount(amount),
            body,
            out_of_rank: None,
        };
        self.direct(|tx| award::grant(tx, MotionId(1), &grant))
            .map(|award| award.0)
    }

    /// Finished draws of one person each: the second officers of these members, in this order.
    pub fn draw(&mut self, agreement: u32, members: &[u32]) {
        let subject = DrawFor::Agreement(AgreementId(agreement));
        for (round, member) in (1..).zip(members) {
            let number = 100 * agreement + round;
            let draw = Draw {
                number: DrawId(number),
                subject,
                round,
                attempt: 1,
                pool: vec![PersonId(officers_of(*member).1)],
                pool_hash: Hash::ZERO,
                names: Vec::new(),
                slots: Vec::new(),
                named: Vec::new(),
                seed: Some(Hash::ZERO),
                status: DrawStatus::Drawn,
                since_ms: LedgerTime(self.world.now),
            };
            self.place(|tx| {
                tx.put(draw);
                tx.t.draw_of().put((subject, round), DrawId(number));
            });
        }
    }
}
