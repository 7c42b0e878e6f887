//! Everybody who signs has acted, and what was done is judged again when a tie is recorded (R30).

use rollbook_core::account::Amount;
use rollbook_core::calendar::MS_PER_HOUR;
use rollbook_core::event::EventBody;
use rollbook_core::id::{
    AgreementId, ApplicationId, CallId, MilestoneId, MotionId, PaymentId, PersonId, ReviewId,
};
use rollbook_core::identity::{ActClass, ApprovalPolicy, Role};
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::application::{Application, ApplicationStatus};
use rollbook_core::object::call::{Call, CallStatus};
use rollbook_core::object::deed::Step;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::object::review::ReviewStatus;
use rollbook_core::record::{
    AwardAct, Body, CallAct, Decision, Finding, LiftHold, PaymentAct, Tranche,
};
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::{DeadlineKind, Due};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, CALL, GRANTEE, MEMBERS, MILLION, Staff};

use super::refused;

const ADVANCE: u64 = 24 * MILLION / 10;

/// Gives the second officer of a member a post in the office, for the fund.
fn give_post(bench: &mut Bench, member: u32, role: Role) -> u32 {
    let person = officers_of(member).1;
    bench.give_post(person, role);
    person
}

fn certify(payment: u32) -> Body {
    Body::Payment(PaymentAct::Certify {
        payment: PaymentId(payment),
        decision: Decision::Pass,
    })
}

fn approve(bench: &Bench, payment: u32) -> Body {
    let known = bench.payment(payment);
    Body::Payment(PaymentAct::Approve {
        payment: PaymentId(payment),
        certified: known.certified.unwrap_or_default(),
        amount: known.amount,
        decision: Decision::Pass,
    })
}

/// An office whose policy asks for two signatures had one person sign several steps of one chain as
/// a co-signer. Now a step of the fund's side has one signature, whatever the policy says.
#[test]
fn r30_a_step_of_the_fund_has_exactly_one_signature_and_every_signer_of_the_grantee_has_acted() {
    let mut bench = Bench::on_tables();
    let office = secretariat(MEMBERS);
    let mut entry = bench
        .world
        .tables
        .organisations
        .get(&OrganisationId(office))
        .unwrap()
        .clone();
    entry.policy = ApprovalPolicy {
        thresholds: vec![(ActClass::Money, 2)],
    };
    let agreement = bench.agreement();
    bench.place(|tx| tx.put(entry));
    let payment = bench.request(agreement, Tranche::Advance, ADVANCE).unwrap();
    let (primary, finance) = officers_of(GRANTEE);
    let deeds: Vec<(Step, u32)> = bench
        .payment(payment)
        .deeds
        .iter()
        .map(|deed| (deed.step, deed.person.0))
        .collect();
    assert_eq!(deeds, [(Step::Request, primary), (Step::Request, finance)]);
    let two = [
        (Staff::Programme.person(), Role::ProgrammeOfficer),
        (Staff::Finance.person(), Role::FinanceApprover),
    ];
    refused(
        bench.act(office, &two, certify(payment)),
        "R30.one-signature",
    );
    bench.certify(payment).unwrap();
    let two = [
        (Staff::Programme.person(), Role::ProgrammeOfficer),
        (Staff::Finance.person(), Role::FinanceApprover),
    ];
    let body = approve(&bench, payment);
    refused(bench.act(office, &two, body), "R30.one-signature");
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    bench.advance(bench.world.now + 49 * MS_PER_HOUR);
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
}

/// The certifier's home becomes one group with the grantee. The next step used to apply; now the
/// payment stands before the certificate again, and its approvals fall.
#[test]
fn r30_a_tie_after_the_certificate_sends_the_payment_back_to_the_request() {
    let mut bench = Bench::on_tables();
    let office = secretariat(MEMBERS);
    let agreement = bench.agreement();
    let payment = bench.request(agreement, Tranche::Advance, ADVANCE).unwrap();
    let person = give_post(&mut bench, 4, Role::ProgrammeOfficer);
    bench
        .act(
            office,
            &[(person, Role::ProgrammeOfficer)],
            certify(payment),
        )
        .unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    bench.relate(4, GRANTEE);

    // In the block of the tie itself, before the clock: the step is refused.
    let mut same = bench.fork(0);
    same.place(|tx| tx.cancel(DeadlineKind::TieRecorded, OrganisationId(4)));
    std::mem::swap(&mut same.alliance, &mut bench.alliance);
    refused(same.approve(Staff::Finance2, payment), "R30.tainted-deed");
    std::mem::swap(&mut same.alliance, &mut bench.alliance);

    let events = bench.days(1);
    assert_eq!(
        events,
        [EventBody::ChainTainted {
            payment: PaymentId(payment),
            deeds: vec![(Step::Certify, PersonId(person))],
            state: PaymentState::Requested,
        }]
    );
    let known = bench.payment(payment);
    assert_eq!((known.state, known.approvals), (PaymentState::Requested, 0));
    refused(bench.approve(Staff::Finance2, payment), "F18.wrong-state");
    refused(
        bench.act(
            office,
            &[(person, Role::ProgrammeOfficer)],
            certify(payment),
        ),
        "N13.related-to-grantee",
    );
    // Somebody else certifies, the same two approve, and the delay begins anew.
    bench.certify(payment).unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    refused(bench.release(payment), "F20.delay-runs");
    bench.advance(bench.world.now + 49 * MS_PER_HOUR);
    bench.release(payment).unwrap();
    // What the bank has is the bank's: a tie does not stop its confirmation.
    bench.relate(secretariat(MEMBERS), 4);
    assert!(bench.days(1).is_empty());
}

/// One of two approvals is tainted after the delay has passed: it falls, the other stands, and the
/// money waits for a new approval and a new delay.
#[test]
fn r30_a_tainted_approval_falls_and_the_delay_starts_anew() {
    let mut bench = Bench::on_tables();
    let office = secretariat(MEMBERS);
    let agreement = bench.agreement();
    let payment = bench.request(agreement, Tranche::Advance, ADVANCE).unwrap();
    let person = give_post(&mut bench, 4, Role::FinanceApprover);
    bench.certify(payment).unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    let body = approve(&bench, payment);
    bench
        .act(office, &[(person, Role::FinanceApprover)], body)
        .unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Approved);
    bench.advance(bench.world.now + 49 * MS_PER_HOUR);
    bench.relate(4, GRANTEE);
    bench.advance(bench.world.now + 1_000);
    let known = bench.payment(payment);
    assert_eq!((known.state, known.approvals), (PaymentState::Certified, 1));
    refused(bench.release(payment), "F20.wrong-state");
    bench.approve(Staff::Finance2, payment).unwrap();
    refused(bench.release(payment), "F20.delay-runs");
    bench.advance(bench.world.now + 49 * MS_PER_HOUR);
    bench.release(payment).unwrap();
}

/// A reviewer of the application turns out to be of the grantee's group. The payments are held until
/// the board decides, however long that takes; what it let stand is not asked again.
#[test]
fn r30_a_tainted_review_holds_every_payment_until_the_board_lifts_the_hold() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench.request(agreement, Tranche::Advance, ADVANCE).unwrap();
    bench.certify(payment).unwrap();
    bench.relate(9, GRANTEE);
    let events = bench.days(60);
    assert_eq!(
        events,
        [EventBody::ChainTainted {
            payment: PaymentId(payment),
            deeds: vec![(Step::Review, PersonId(officers_of(9).1))],
            state: PaymentState::Held,
        }]
    );
    refused(bench.approve(Staff::Finance, payment), "F18.wrong-state");
    let lift = LiftHold {
        payment: PaymentId(payment),
        reason: Hash::ZERO,
    };
    bench
        .direct(|tx| lift.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0))))
        .unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Certified);
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    bench.advance(bench.world.now + 49 * MS_PER_HOUR);
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
    // The next payment under the application is not held for the same review.
    let m1 = bench.first(agreement);
    bench.accept_milestone(m1, 4 * MILLION);
    bench.pay(agreement, Tranche::Milestone(MilestoneId(m1)), ADVANCE);

    // A payment that is requested after the tie is held as well.
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    bench.relate(9, GRANTEE);
    let payment = bench.request(agreement, Tranche::Advance, ADVANCE).unwrap();
    bench.days(1);
    assert_eq!(bench.payment(payment).state, PaymentState::Held);
}

/// Two assessors become one group between their findings: the later appointed is replaced by the
/// next of the draw, and the first one's finding stands.
#[test]
fn r30_of_two_assessors_who_became_one_group_the_second_is_replaced() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let m1 = bench.first(agreement);
    bench.submit(m1, "evidence").unwrap();
    bench
        .assess(5, m1, Finding::Accept(Amount(4 * MILLION)))
        .unwrap();
    bench.relate(5, 6);
    let events = bench.days(1);
    assert_eq!(
        events,
        [EventBody::AssessorTainted {
            milestone: MilestoneId(m1),
            person: PersonId(officers_of(6).1),
            next: Some(PersonId(officers_of(7).1)),
        }]
    );
    refused(
        bench.assess(6, m1, Finding::Accept(Amount(4 * MILLION))),
        "F15.not-assessor",
    );
    bench
        .assess(7, m1, Finding::Accept(Amount(4 * MILLION)))
        .unwrap();
    assert!(bench.milestone(m1).state.is_accepted());
}

/// A final review is tainted before the ranking: the clock replaces it, and nobody is ranked on it.
#[test]
fn r30_a_final_review_that_a_tie_taints_is_not_ranked() {
    let mut bench = Bench::on_tables();
    let mut call = bench.world.tables.calls.get(&CallId(CALL)).unwrap().clone();
    call.status = CallStatus::Reviewing;
    let applications: Vec<Application> = (1..=3)
        .map(|number| {
            let applications = &bench.world.tables.applications;
            let mut entry = applications.get(&ApplicationId(number)).unwrap().clone();
            entry.status = match number {
                1 => ApplicationStatus::UnderReview,
                _ => ApplicationStatus::Withdrawn,
            };
            entry
        })
        .collect();
    bench.place(|tx| {
        tx.put::<Call>(call);
        applications.into_iter().for_each(|entry| tx.put(entry));
    });
    bench.days(2);
    bench.relate(10, GRANTEE);
    let rank = || Body::Call(CallAct::Rank { call: CallId(CALL) });
    let mut same = bench.fork(0);
    same.place(|tx| tx.cancel(DeadlineKind::TieRecorded, OrganisationId(10)));
    std::mem::swap(&mut same.alliance, &mut bench.alliance);
    refused(same.company(1, rank()), "R30.tainted-review");
    std::mem::swap(&mut same.alliance, &mut bench.alliance);
    let events = bench.days(1);
    assert_eq!(
        events,
        [EventBody::ReviewerReplaced {
            review: ReviewId(2),
            application: ApplicationId(1),
            person: PersonId(officers_of(10).1),
            next: None,
        }]
    );
    let review = bench.world.tables.reviews.get(&ReviewId(2)).unwrap();
    assert_eq!(review.status, ReviewStatus::Replaced);
    refused(bench.company(1, rank()), "F10.too-few-reviews");
}

/// The first officer who signed for the fund is tied to the grantee when the second signs: one
/// signature stands, and a third officer is needed.
#[test]
fn r30_a_countersignature_of_somebody_tied_to_the_grantee_falls() {
    let mut bench = Bench::on_tables();
    let office = secretariat(MEMBERS);
    let award = bench.accepted_award();
    let terms = bench.terms(award, &[8 * MILLION], 0);
    let (agreement, draft) = bench.draft(&terms).unwrap();
    let digest = terms.digest();
    let signed = bench
        .grantee(Body::Award(AwardAct::Sign {
            agreement: AgreementId(agreement),
            draft,
            terms: digest,
        }))
        .unwrap();
    let countersign = Body::Award(AwardAct::Countersign {
        agreement: AgreementId(agreement),
        signed,
        terms: digest,
    });
    let person = give_post(&mut bench, 4, Role::FinanceApprover);
    bench
        .act(
            office,
            &[(person, Role::FinanceApprover)],
            countersign.clone(),
        )
        .unwrap();
    bench.relate(4, GRANTEE);
    bench.staff(Staff::Treasurer, countersign.clone()).unwrap();
    let state = |bench: &Bench| {
        let agreements = &bench.world.tables.agreements;
        agreements.get(&AgreementId(agreement)).unwrap().state
    };
    assert_eq!(state(&bench), AgreementState::SignedByGrantee);
    bench.staff(Staff::Officer, countersign).unwrap();
    assert_eq!(state(&bench), AgreementState::InForce);
}
