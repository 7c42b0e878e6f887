//! [`Bench::story`]: everything by records and motions, on a real ledger.

use rollbook_core::account::{Amount, Pot, Unit};
use rollbook_core::calendar::{LocalDay, MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::charter::Class;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{
    AgreementId, ApplicationId, CallId, FundId, InstalmentId, MotionId, PersonId, ReviewId,
};
use rollbook_core::identity::{Name, Role};
use rollbook_core::record::{
    ApplicationContent, AppointCommittee, AwardAct, BankReference, Body, CallAct, CallTerms,
    Choice, ConfirmPool, CreateFund, Criterion, DrawFor, Eligibility, FundAct, GrantAward,
    InstalmentEntry, Instrument, MotionAct, MotionEffect, PerGroup, PledgeEntry, PoolKind,
    Proposal, ReceiptEntry, ReviewDeclaration, Scores, Submission, TieBreak, Verdict,
    draw_commitment,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::VerifierCache;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;

use super::{Bench, CALL, FUND, GRANTEE, MEMBERS, MILLION, OTHER, Staff, World, hash, text};
use crate::alliance::Alliance;
use crate::writer::Writer;

const SALT: [u8; 32] = [7; 32];

/// Members whose second officers review in the story, and those whose second officers assess.
pub const REVIEWERS: [u32; 5] = [15, 16, 17, 18, 19];
pub const ASSESSORS: [u32; 4] = [5, 6, 7, 8];

impl Bench {
    /// As [`Bench::on_tables`], from the founding to the ranking: fund by motion, pledge and
    /// receipt, call by motion, sealed applications, a draw, five reviews each, the ranking.
    pub fn story() -> Bench {
        let writer = Writer::founded(Alliance::new(b"payment story", MEMBERS, 4));
        let world = World {
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
            world,
            ids: 0,
            ledger,
        };
        bench.mirror();
        bench.open_fund();
        bench.receive(100 * MILLION);
        bench.open_call();
        bench.applications();
        bench.pool(PoolKind::Reviewers, &REVIEWERS);
        bench.draw_for(DrawFor::Call(CallId(CALL)));
        bench.reviews();
        bench
            .company(1, Body::Call(CallAct::Rank { call: CallId(CALL) }))
            .unwrap();
        bench
    }

    fn writer(&mut self) -> &mut Writer {
        self.ledger.as_mut().unwrap()
    }

    fn local_day(&self, ahead: i64) -> i64 {
        i64::try_from((self.world.now + 8 * MS_PER_HOUR) / MS_PER_DAY).unwrap() + ahead
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
        for member in
            rollbook_core::rules::motion::electorate(writer.tables(), MotionId(motion)).into_keys()
        {
            match writer.vote(member.0, motion, Choice::Yes) {
                Ok(Outcome::Applied) => {}
                Ok(Outcome::NotCounted(_)) => recused.push(member.0),
                Err(refusal) => {
                    assert_eq!(refusal.code, "N12.same-person", "{refusal}");
                    refused.push(member.0);
                }
            }
        }
        writer.close(motion);
        if let Some(due) = writer.due(DeadlineKind::MotionEffect, motion) {
            writer.advance(due + 1);
        }
        self.mirror();
        let status = self
            .world
            .tables
            .motions
            .get(&MotionId(motion))
            .unwrap()
            .status;
        assert_eq!(
            status,
            rollbook_core::object::motion::MotionStatus::CarriedOut
        );
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
        let mut officers: Vec<(Role, PersonId)> =
            all.map(|who| (who.role(), PersonId(who.person()))).to_vec();
        officers.sort();
        let signers: Vec<(u32, Role)> = officers
            .iter()
            .map(|(role, person)| (person.0, *role))
            .collect();
        let office = secretariat(MEMBERS);
        let plan = CreateFund {
            name: Name {
                native: text("基金"),
                latin: text("Fund"),
            },
            holder: OrganisationId(office),
            unit: Unit::currency("CNY").unwrap(),
            bank_account: hash("bank"),
            office: OrganisationId(office),
            officers,
        };
        self.decide(MotionEffect::CreateFund(plan.into()));
        self.act(
            office,
            &signers,
            Body::Fund(FundAct::Accept { fund: FundId(FUND) }),
        )
        .unwrap();
        let members = [1, 2, 3, 4, 5].map(OrganisationId).to_vec();
        self.decide(MotionEffect::AppointCommittee(AppointCommittee {
            fund: FundId(FUND),
            members,
        }));
    }

    fn receive(&mut self, amount: u64) {
        let instalments = vec![InstalmentEntry {
            due_day: LocalDay(self.local_day(30)),
            amount: Amount(amount),
        }];
        self.company(
            1,
            Body::Fund(FundAct::Pledge(PledgeEntry {
                fund: FundId(FUND),
                pot: Pot::Free,
                instalments,
            })),
        )
        .unwrap();
        self.staff(
            Staff::Treasurer,
            Body::Fund(FundAct::CallInstalment {
                instalment: InstalmentId(1),
            }),
        )
        .unwrap();
        let entry = ReceiptEntry {
            instalment: InstalmentId(1),
            amount: Amount(amount),
            reference: BankReference(text("IN-0001")),
            value_day: LocalDay(self.local_day(0)),
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
            fund: FundId(FUND),
            instrument: Instrument::Grant,
            title: Name {
                native: text("征集"),
                latin: text("Call"),
            },
            direction: None,
            budget: Amount(20 * MILLION),
            ask_max: Amount(20 * MILLION),
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
            per_group: PerGroup::default(),
            codes: vec![text("out-of-scope")],
            opens_day: LocalDay(self.local_day(15)),
            closes_day: LocalDay(self.local_day(45)),
            document: hash("call"),
        };
        self.decide(MotionEffect::PublishCall(terms.into()));
        let opens = self.writer().due(DeadlineKind::CallOpens, CALL).unwrap();
        self.advance(opens + 1);
    }

    fn applications(&mut self) {
        let asks = [
            (1, GRANTEE, 8 * MILLION),
            (2, OTHER, 6 * MILLION),
            (3, 14, 2 * MILLION),
        ];
        let content = |number: u32, ask| ApplicationContent {
            project: hash(&format!("project/{number}")),
            title: text(&format!("Project {number}")),
            ask,
            partners: Vec::new(),
            document: hash(&format!("application/{number}")),
        };
        for (number, applicant, ask) in asks {
            let commitment = content(number, Amount(ask)).commitment(
                &SALT,
                CallId(CALL),
                OrganisationId(applicant),
            );
            let submission = Submission {
                call: CallId(CALL),
                commitment,
                seen: None,
            };
            self.company(applicant, Body::Call(CallAct::Submit(submission)))
                .unwrap();
        }
        let closes = self.writer().due(DeadlineKind::CallCloses, CALL).unwrap();
        self.advance(closes + 1);
        for (application, applicant, ask) in asks {
            let content = content(application, Amount(ask));
            self.company(
                applicant,
                Body::Call(CallAct::Open {
                    application: ApplicationId(application),
                    content,
                    salt: SALT,
                }),
            )
            .unwrap();
            let verdict = Verdict::Eligible;
            self.staff(
                Staff::Programme,
                Body::Call(CallAct::Judge {
                    application: ApplicationId(application),
                    verdict,
                }),
            )
            .unwrap();
        }
    }

    /// The second officers of these members, entered and confirmed by motion.
    pub fn pool(&mut self, pool: PoolKind, members: &[u32]) {
        let persons: Vec<PersonId> = members
            .iter()
            .map(|member| PersonId(officers_of(*member).1))
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
        let draw = *self.world.tables.draws.last_key().unwrap();
        let office = secretariat(MEMBERS);
        let places = [
            (office, Staff::Programme.person(), Role::ProgrammeOfficer, 1),
            (office, Staff::Officer.person(), Role::SecondOfficer, 2),
            (3, officers_of(3).0, Role::Primary, 3),
        ];
        for (principal, person, role, byte) in places {
            let commitment = draw_commitment(draw, 1, PersonId(person), &[byte; 32]);
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
        let person = self
            .world
            .tables
            .reviews
            .get(&ReviewId(review))
            .unwrap()
            .person;
        let home = self.world.tables.persons.get(&person).unwrap().home;
        self.act(home.0, &[(person.0, Role::Technical)], Body::Call(act))
            .unwrap();
    }

    fn reviews(&mut self) {
        let comment = hash("comment");
        let all: Vec<(u32, Scores)> = self
            .world
            .tables
            .reviews
            .iter()
            .map(|(number, review)| (number.0, Scores(vec![10 - review.application.0])))
            .collect();
        for (review, scores) in &all {
            let review = *review;
            self.review(
                review,
                CallAct::Declare {
                    review: ReviewId(review),
                    declaration: ReviewDeclaration::Clear,
                },
            );
            let seal = scores.seal(&SALT, ReviewId(review), &comment);
            self.review(
                review,
                CallAct::Seal {
                    review: ReviewId(review),
                    seal,
                },
            );
        }
        for (review, scores) in all {
            self.review(
                review,
                CallAct::Reveal {
                    review: ReviewId(review),
                    scores,
                    comment,
                    salt: SALT,
                },
            );
            self.review(
                review,
                CallAct::Finalise {
                    review: ReviewId(review),
                    revision: None,
                },
            );
        }
    }

    /// The award of the story: 8 million to 12, by the assembly, then the agreement with its draw
    /// of assessors.
    pub fn story_agreement(&mut self) -> u32 {
        let grant = GrantAward {
            application: ApplicationId(1),
            amount: Amount(8 * MILLION),
            body: BodyKind::Assembly,
            out_of_rank: None,
        };
        self.decide(MotionEffect::GrantAward(grant));
        self.days(14);
        let award = *self.world.tables.awards.last_key().unwrap();
        self.grantee(Body::Award(AwardAct::Accept { award }))
            .unwrap();
        let terms = self.terms(award.0, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
        let agreement = self.sign_all(&terms);
        self.pool(PoolKind::Assessors, &ASSESSORS);
        self.draw_for(DrawFor::Agreement(AgreementId(agreement)));
        agreement
    }
}
