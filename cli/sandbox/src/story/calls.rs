//! A call from publication to ranking (F05 to F10, R22), and the awards by the right bodies (F11).

use rollbook_core::account::Amount;
use rollbook_core::calendar::LocalDay;
use rollbook_core::charter::Class;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{
    ApplicationId, CallId, DirectionId, DrawId, FundId, MotionId, PersonId, ReviewId,
};
use rollbook_core::identity::Role;
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::review::ReviewStatus;
use rollbook_core::record::{
    ApplicationContent, Body, CallAct, CallTerms, Choice, Criterion, DrawFor, Eligibility,
    GrantAward, Instrument, MotionEffect, PerGroup, PlaceApplication, Placing, ReviewDeclaration,
    Scores, Submission, TieBreak, Verdict, draw_commitment,
};
use rollbook_core::refusal::NotCounted;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::story::{Story, Told, YUAN, name, paper, text, yuan};

/// Applicants, what they ask for in yuan, what every reviewer gives.
const APPLICANTS: [(u32, u64, [u32; 3]); 3] = [
    (20, 6_000_000, [9, 8, 9]),
    (22, 300_000, [8, 8, 7]),
    (23, 2_000_000, [5, 6, 5]),
];
/// Who comes too late.
const LATE: u32 = 19;
/// The seat holder who takes part in draws.
const DRAWER: u32 = 12;

impl Story<'_> {
    pub(super) fn call(&mut self) -> Told {
        // The committee's motion is open since the last chapter.
        let committee = self.newest_motion();
        let terms = self.terms();
        let too_much = MotionEffect::PublishCall(
            CallTerms {
                budget: Amount(90_000_000 * YUAN),
                ..terms.clone()
            }
            .into(),
        );
        let body = self.proposal(too_much, BodyKind::Board, "call");
        let act = self.by_post(Role::ProgrammeOfficer, 0, body);
        self.refused(
            "budget-too-large",
            "F05.budget-above-available",
            &[("budget", yuan(90_000_000 * YUAN))],
            act,
        )?;
        let body = self.proposal(
            MotionEffect::PublishCall(terms.clone().into()),
            BodyKind::Board,
            "call",
        );
        let act = self.by_post(Role::ProgrammeOfficer, 0, body);
        self.one("call-proposed", act)?;
        let motion = self.newest_motion();
        let board = self.board();
        self.all_yes("call-proposed", &board, &[motion])?;
        self.carry("call-published", &[committee, motion])?;
        self.tell(
            "call-published",
            "F05",
            &[
                ("call", "1".into()),
                ("budget", yuan(terms.budget.0)),
                ("motion", motion.to_string()),
            ],
        );
        self.past(DeadlineKind::CallOpens, 1)?;
        self.applications()?;
        self.draw("reviewers-drawn", DrawFor::Call(CallId(1)))?;
        let reviews = self.tables().reviews.len();
        self.expect("reviewers-drawn", 11, reviews)?;
        self.tell(
            "reviewers-drawn",
            "F08",
            &[("reviews", reviews.to_string())],
        );
        self.reviews()?;
        self.ranking()
    }

    fn terms(&self) -> CallTerms {
        let today = self.today();
        let criterion = |code: &str, weight_bp: u32| Criterion {
            code: text(code),
            weight_bp,
            score_max: 10,
            threshold: 0,
        };
        CallTerms {
            fund: FundId(1),
            instrument: Instrument::Grant,
            title: name("示例征集：内容制作", "Sample call: content production"),
            direction: Some(DirectionId(1)),
            budget: Amount(12_000_000 * YUAN),
            ask_max: Amount(8_000_000 * YUAN),
            criteria: vec![
                criterion("quality", 5_000),
                criterion("feasibility", 3_000),
                criterion("benefit", 2_000),
            ],
            threshold: 40_000,
            reviewers: 3,
            concentration_bp: Some(7_000),
            tie_breaks: vec![
                TieBreak::Criterion(0),
                TieBreak::SmallerAsk,
                TieBreak::Earlier,
            ],
            eligibility: Eligibility {
                classes: vec![Class::Founding, Class::Council, Class::Ordinary],
                outsiders: false,
                in_direction: false,
            },
            per_group: PerGroup::default(),
            codes: vec![text("incomplete"), text("out-of-scope")],
            opens_day: LocalDay(today + 14),
            closes_day: LocalDay(today + 44),
            document: paper("call document"),
        }
    }

    fn submission(&mut self, applicant: u32, ask: u64) -> (Body, ApplicationContent, [u8; 32]) {
        let label = format!("project of {applicant}");
        let content = ApplicationContent {
            project: paper(&label),
            title: text(&format!("Fictional project {applicant}")),
            ask: Amount(ask * YUAN),
            partners: Vec::new(),
            document: paper(&label),
        };
        let salt = paper(&format!("salt of {applicant}")).0;
        let commitment = content.commitment(&salt, CallId(1), OrganisationId(applicant));
        let body = Body::Call(CallAct::Submit(Submission {
            call: CallId(1),
            commitment,
            seen: None,
        }));
        (body, content, salt)
    }

    /// Sealed applications, one of them too late, opened and judged.
    fn applications(&mut self) -> Told {
        let mut acts = Vec::new();
        let mut openings = Vec::new();
        for (application, (applicant, ask, _)) in (1..).zip(APPLICANTS) {
            let (body, content, salt) = self.submission(applicant, ask);
            acts.push(self.by_member(applicant, body));
            openings.push((
                applicant,
                CallAct::Open {
                    application: ApplicationId(application),
                    content,
                    salt,
                },
            ));
        }
        self.settle("applications", acts)?;
        self.tell(
            "applications",
            "F06",
            &[("applications", APPLICANTS.len().to_string())],
        );
        self.past(DeadlineKind::CallCloses, 1)?;
        let (body, ..) = self.submission(LATE, 1_000_000);
        let late = self.by_member(LATE, body);
        self.without_effect(
            "late",
            NotCounted::LateApplication,
            &[("member", LATE.to_string())],
            late,
        )?;
        let mut acts = Vec::new();
        for (applicant, act) in openings {
            acts.push(self.by_member(applicant, Body::Call(act)));
        }
        self.settle("opened", acts)?;
        let mut acts = Vec::new();
        for application in 1..=APPLICANTS.len() as u32 {
            let act = CallAct::Judge {
                application: ApplicationId(application),
                verdict: Verdict::Eligible,
            };
            acts.push(self.by_post(Role::ProgrammeOfficer, 0, Body::Call(act)));
        }
        self.settle("judged", acts)?;
        self.tell(
            "judged",
            "F07",
            &[("applications", APPLICANTS.len().to_string())],
        );
        Ok(())
    }

    /// R22: three of different duties commit to random bytes, then reveal; nobody alone chooses.
    pub(super) fn draw(&mut self, step: &str, subject: DrawFor) -> Told {
        let act = self.by_post(
            Role::ProgrammeOfficer,
            0,
            Body::Call(CallAct::FreezePool { subject }),
        );
        self.one(step, act)?;
        let draw = self.tables().draws.last_key().copied().unwrap_or(DrawId(0));
        let places: Vec<(u32, Vec<(u32, Role)>)> = [Role::ProgrammeOfficer, Role::SecondOfficer]
            .into_iter()
            .map(|role| {
                let (office, holder) = self.post(role, 0);
                (office, vec![(holder, role)])
            })
            .chain([(DRAWER, self.pair(DRAWER, Role::Alternate))])
            .collect();
        let person = |signers: &[(u32, Role)]| signers.first().map_or(0, |(person, _)| *person);
        let secret = |person: u32| paper(&format!("secret of {person} in draw {}", draw.0)).0;
        let mut acts = Vec::new();
        for (principal, signers) in &places {
            let person = person(signers);
            let commitment = draw_commitment(draw, 1, PersonId(person), &secret(person));
            acts.push(self.record(
                *principal,
                signers,
                Body::Call(CallAct::CommitDraw { draw, commitment }),
            ));
        }
        self.settle(step, acts)?;
        if let (DrawFor::Call(_), Some((principal, signers))) = (subject, places.last()) {
            let act = self.record(
                *principal,
                signers,
                Body::Call(CallAct::RevealDraw {
                    draw,
                    secret: Hash::ZERO.0,
                }),
            );
            self.refused(
                "other-bytes",
                "R22.other-bytes",
                &[("member", principal.to_string())],
                act,
            )?;
        }
        let mut acts = Vec::new();
        for (principal, signers) in &places {
            let secret = secret(person(signers));
            acts.push(self.record(
                *principal,
                signers,
                Body::Call(CallAct::RevealDraw { draw, secret }),
            ));
        }
        self.settle(step, acts).map(|_| ())
    }

    /// An act of a person drawn, in the technical role.
    pub(super) fn by_expert(&mut self, person: u32, body: Body) -> rollbook_core::record::Record {
        let home = self
            .tables()
            .persons
            .get(&PersonId(person))
            .map_or(0, |person| person.home.0);
        self.record(home, &[(person, Role::Technical)], body)
    }

    /// Declared, sealed, revealed, final: four rounds, each for all reviews together.
    fn reviews(&mut self) -> Told {
        let all: Vec<(u32, u32, Scores)> = self
            .tables()
            .reviews
            .iter()
            .map(|(number, review)| {
                let applicant = APPLICANTS.get(review.application.0.saturating_sub(1) as usize);
                (
                    number.0,
                    review.person.0,
                    Scores(
                        applicant
                            .map(|(_, _, scores)| scores.to_vec())
                            .unwrap_or_default(),
                    ),
                )
            })
            .collect();
        let salt = |review: u32| paper(&format!("salt of review {review}")).0;
        let comment = paper("comment");
        type Act<'a> = &'a dyn Fn(u32, &Scores) -> CallAct;
        let rounds: [(&str, Act<'_>); 4] = [
            ("declared", &|review, _| CallAct::Declare {
                review: ReviewId(review),
                declaration: ReviewDeclaration::Clear,
            }),
            ("sealed", &|review, scores| CallAct::Seal {
                review: ReviewId(review),
                seal: scores.seal(&salt(review), ReviewId(review), &comment),
            }),
            ("revealed", &|review, scores| CallAct::Reveal {
                review: ReviewId(review),
                scores: scores.clone(),
                comment,
                salt: salt(review),
            }),
            ("final", &|review, _| CallAct::Finalise {
                review: ReviewId(review),
                revision: None,
            }),
        ];
        for (step, act) in rounds {
            let mut acts = Vec::new();
            for (review, person, scores) in &all {
                acts.push(self.by_expert(*person, Body::Call(act(*review, scores))));
            }
            self.settle(step, acts)?;
        }
        let open = self
            .tables()
            .reviews
            .iter()
            .filter(|(_, review)| review.status != ReviewStatus::Final)
            .count();
        self.expect("reviewed", 0, open)?;
        self.tell("reviewed", "F09", &[("reviews", all.len().to_string())]);
        Ok(())
    }

    fn ranking(&mut self) -> Told {
        // Applications with seen receipts may still come in for a day after the close.
        self.wait_days(1)?;
        let act = self.by_member(16, Body::Call(CallAct::Rank { call: CallId(1) }));
        self.one("ranked", act)?;
        let status = self.tables().calls.get(&CallId(1)).map(|call| call.status);
        self.expect("ranked", Some(CallStatus::Ranked), status)?;
        let ranks: Vec<Option<u32>> = self
            .tables()
            .applications
            .iter()
            .map(|(_, application)| application.rank)
            .collect();
        self.expect("ranked", vec![Some(1), Some(2), Some(3)], ranks)?;
        self.tell(
            "ranked",
            "F10",
            &[("applications", APPLICANTS.len().to_string())],
        );
        Ok(())
    }

    fn grant(&self, application: u32, yuan: u64, body: BodyKind) -> Body {
        let effect = MotionEffect::GrantAward(GrantAward {
            application: ApplicationId(application),
            amount: Amount(yuan * YUAN),
            body,
            out_of_rank: None,
        });
        self.proposal(effect, body, "award")
    }

    pub(super) fn awards(&mut self) -> Told {
        let body = self.grant(1, 6_000_000, BodyKind::Committee);
        let act = self.by_post(Role::ProgrammeOfficer, 0, body);
        self.refused(
            "body-too-low",
            "F11.body-too-low",
            &[("amount", yuan(6_000_000 * YUAN))],
            act,
        )?;
        let body = self.grant(2, 300_000, BodyKind::Committee);
        let act = self.by_post(Role::ProgrammeOfficer, 0, body);
        self.refused(
            "out-of-rank",
            "R34.better-rank-open",
            &[("application", "2".into())],
            act,
        )?;
        self.large_award()?;

        // A small one is the committee's; the third gets none.
        let place = PlaceApplication {
            application: ApplicationId(3),
            placing: Placing::NotRecommended,
            reason: paper("reasons"),
        };
        let bodies = [
            self.grant(2, 300_000, BodyKind::Committee),
            self.proposal(
                MotionEffect::PlaceApplication(place),
                BodyKind::Committee,
                "placing",
            ),
        ];
        let first = self.newest_motion() + 1;
        let mut acts = Vec::new();
        for body in bodies {
            acts.push(self.by_post(Role::ProgrammeOfficer, 0, body));
        }
        self.settle("small-award", acts)?;
        let committee: Vec<u32> = self
            .tables()
            .committee_seats
            .iter()
            .map(|((_, organisation), _)| organisation.0)
            .collect();
        self.all_yes("small-award", &committee, &[first, first + 1])?;
        self.carry("small-award", &[first, first + 1])?;
        let status = self.tables().calls.get(&CallId(1)).map(|call| call.status);
        self.expect("small-award", Some(CallStatus::Decided), status)?;
        self.tell(
            "small-award",
            "F11",
            &[("award", "2".into()), ("amount", yuan(300_000 * YUAN))],
        );
        Ok(())
    }

    /// Above five million: the general assembly. The applicant is recused, related members have one
    /// voice, reviewers none.
    fn large_award(&mut self) -> Told {
        let body = self.grant(1, 6_000_000, BodyKind::Assembly);
        let act = self.by_post(Role::ProgrammeOfficer, 0, body);
        self.one("award-proposed", act)?;
        let motion = self.newest_motion();
        self.tell(
            "award-proposed",
            "F11",
            &[
                ("motion", motion.to_string()),
                ("amount", yuan(6_000_000 * YUAN)),
            ],
        );
        let review = self.ballot(1, motion, Choice::Yes, None);
        let reviewed: std::collections::BTreeSet<u32> = self
            .tables()
            .reviews
            .iter()
            .filter_map(|(_, review)| self.tables().persons.get(&review.person))
            .map(|person| person.home.0)
            .collect();
        if reviewed.contains(&1) {
            self.refused(
                "reviewer-votes",
                "N12.same-person",
                &[("member", "1".into())],
                review,
            )?;
        }
        let electorate: Vec<u32> =
            rollbook_core::rules::motion::electorate(self.tables(), MotionId(motion))
                .into_keys()
                .map(|organisation| organisation.0)
                .collect();
        let votes: Vec<u32> = electorate
            .into_iter()
            .filter(|m| ![13, 20].contains(m) && !reviewed.contains(m))
            .collect();
        self.all_yes("award-ballots", &votes, &[motion])?;
        let act = self.ballot(20, motion, Choice::Yes, None);
        let facts = [("member", "20".to_owned()), ("motion", motion.to_string())];
        self.without_effect("applicant-recused", NotCounted::Recused, &facts, act)?;
        let act = self.ballot(13, motion, Choice::Yes, None);
        let facts = [("member", "13".to_owned()), ("other", "12".to_owned())];
        self.without_effect("one-voice", NotCounted::DuplicateGroup, &facts, act)?;
        self.carry("awarded", &[motion])?;
        let counts = self.counts(motion);
        self.tell("awarded", "F11", &counts);
        Ok(())
    }
}
