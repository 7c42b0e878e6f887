//! Milestones: evidence, assessors and their findings (F14, F15, R13).

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, MilestoneId, PaymentId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::milestone::MilestoneState;
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{Body, Decision, Evidence, EvidenceKind, Finding, PaymentAct, Tranche};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, GRANTEE, MILLION, OTHER, Staff, hash, text};

use super::refused;

#[test]
fn f14_evidence_is_new_or_openly_shared() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    let item = |kind, label: &str, shared| Evidence {
        kind,
        hash: hash(label),
        shared,
    };
    let submit = |milestone, evidence| {
        Body::Payment(PaymentAct::Submit {
            milestone,
            evidence,
        })
    };
    refused(
        bench.company(
            OTHER,
            submit(
                MilestoneId(m1),
                vec![item(EvidenceKind::Document, "x", false)],
            ),
        ),
        "F14.not-the-grantee",
    );
    refused(
        bench.grantee(submit(MilestoneId(m1), Vec::new())),
        "A6.malformed",
    );
    refused(bench.submit(report, "report"), "F43.milestones-open");
    bench
        .grantee(submit(
            MilestoneId(m1),
            vec![
                item(EvidenceKind::Document, "x", false),
                item(EvidenceKind::Patent, "y", false),
            ],
        ))
        .unwrap();
    refused(bench.submit(m1, "x"), "F14.wrong-state");
    refused(bench.submit(m2, "x"), "N16.evidence-used");
    refused(
        bench.grantee(submit(
            MilestoneId(m2),
            vec![item(EvidenceKind::Patent, "y", false)],
        )),
        "N16.evidence-used",
    );
    // The same hash as another kind of thing is another thing.
    bench
        .grantee(submit(
            MilestoneId(m2),
            vec![
                item(EvidenceKind::Document, "x", true),
                item(EvidenceKind::Doi, "y", false),
            ],
        ))
        .unwrap();
}

#[test]
fn f15_two_agree_or_the_third_joins_one() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let m1 = bench.first(agreement);
    refused(
        bench.assess(5, m1, Finding::Accept(Amount(1))),
        "F15.not-assessor",
    );
    bench.submit(m1, "x").unwrap();
    refused(
        bench.assess(7, m1, Finding::Accept(Amount(1))),
        "F15.not-assessor",
    );
    refused(
        bench.assess(5, m1, Finding::Accept(Amount(4 * MILLION + 1))),
        "F15.above-plan",
    );
    refused(
        bench.assess(5, m1, Finding::Accept(Amount(0))),
        "F15.nothing-accepted",
    );
    bench
        .assess(5, m1, Finding::Accept(Amount(4 * MILLION)))
        .unwrap();
    refused(
        bench.assess(5, m1, Finding::Accept(Amount(4 * MILLION))),
        "F15.assessed-before",
    );
    bench
        .assess(6, m1, Finding::Accept(Amount(3 * MILLION)))
        .unwrap();
    assert_eq!(bench.milestone(m1).state, MilestoneState::Assessing);
    refused(bench.assess(7, m1, Finding::Reject), "F15.third-joins-one");
    bench
        .assess(7, m1, Finding::Accept(Amount(3 * MILLION)))
        .unwrap();
    let known = bench.milestone(m1);
    assert_eq!(
        (known.state, known.accepted),
        (MilestoneState::PartlyAccepted, Amount(3 * MILLION))
    );
    refused(
        bench.assess(8, m1, Finding::Accept(Amount(3 * MILLION))),
        "F15.not-assessor",
    );
    // Part of the amount pays in part: 3,000,000 less 10 % less the share of the advance.
    bench.pay(agreement, Tranche::Advance, 24 * MILLION / 10);
    bench.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        3 * MILLION - 3 * MILLION / 10 - 12 * MILLION / 10,
    );
}

#[test]
fn f15_rework_at_most_twice_then_rejected() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    for round in 0..3 {
        bench.submit(m1, "x").unwrap();
        bench.judge_milestone(m1, Finding::Rework);
        let expected = if round < 2 {
            MilestoneState::Rework
        } else {
            MilestoneState::Rejected
        };
        assert_eq!(bench.milestone(m1).state, expected);
    }
    refused(bench.submit(m1, "x"), "F14.wrong-state");
    refused(
        bench.request(agreement, Tranche::Milestone(MilestoneId(m1)), 1),
        "N7.milestone-not-accepted",
    );
    bench.submit(m2, "y").unwrap();
    bench.judge_milestone(m2, Finding::Reject);
    assert_eq!(bench.milestone(m2).state, MilestoneState::Rejected);
    bench.submit(report, "report").unwrap();
    refused(
        bench.assess(5, report, Finding::Reject),
        "F43.rework-instead",
    );
    bench.judge_milestone(report, Finding::Rework);
    bench.accept_milestone(report, 0);
    assert_eq!(
        bench
            .world
            .tables
            .agreements
            .get(&AgreementId(agreement))
            .unwrap()
            .state,
        AgreementState::Completed
    );
    refused(
        bench.request(agreement, Tranche::Holdback, 1),
        "F16.nothing-payable",
    );
    assert_eq!(
        bench.of(AccountKind::Committed(AgreementId(agreement))),
        i128::from(8 * MILLION),
        "what was not accepted stays committed until closing"
    );
}

#[test]
fn f15_assessors_come_from_the_draw_in_order_without_conflicts() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let terms = bench.terms(award, &[8 * MILLION], 0);
    let agreement = bench.sign_all(&terms);
    // 12 is the grantee, 9 has reviewed, 6 is of 5's group, a holder of a chain post assesses
    // nothing.
    bench.relate(5, 6);
    bench.give_post(officers_of(4).1, Role::FinanceApprover);
    let m1 = bench.first(agreement);
    bench.submit(m1, "x").unwrap();
    assert_eq!(
        bench.milestone(m1).state,
        MilestoneState::Submitted,
        "nobody is drawn"
    );
    bench.draw(agreement, &[GRANTEE, 9, 4, 5, 6]);
    let events = bench.days(18);
    assert_eq!(
        events,
        [EventBody::AssessorsMissing {
            milestone: MilestoneId(m1)
        }]
    );
    bench.draw(agreement, &[GRANTEE, 9, 4, 5, 6, 8]);
    bench.days(18);
    let homes: Vec<u32> = bench
        .milestone(m1)
        .assessors
        .iter()
        .map(|assessor| assessor.home.0)
        .collect();
    assert_eq!(homes, [5, 8]);
}

#[test]
fn r13_a_late_assessor_is_replaced_by_the_next_of_the_draw() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let m1 = bench.first(agreement);
    bench.submit(m1, "x").unwrap();
    bench
        .assess(5, m1, Finding::Accept(Amount(4 * MILLION)))
        .unwrap();
    let late = |member, next: Option<u32>| EventBody::AssessorLate {
        milestone: MilestoneId(m1),
        person: PersonId(officers_of(member).1),
        next: next.map(|member| officers_of(member).1).map(PersonId),
    };
    assert_eq!(bench.days(18), [late(6, Some(7))]);
    refused(
        bench.assess(6, m1, Finding::Accept(Amount(4 * MILLION))),
        "F15.not-assessor",
    );
    assert_eq!(bench.days(18), [late(7, Some(8))]);
    assert_eq!(bench.days(18), [late(8, None)]);
    bench
        .assess(8, m1, Finding::Accept(Amount(4 * MILLION)))
        .unwrap();
    assert_eq!(bench.milestone(m1).state, MilestoneState::Accepted);
}

/// The programme officer leaves the advance lying while both milestones are paid. What they cleared
/// of it used to be lost: the advance could not be paid any more, nor asked for again. Now they
/// clear nothing of what was not released, and the clock refuses the advance once the milestones
/// left no longer cover it.
#[test]
fn r35_an_advance_that_was_never_released_costs_the_grantee_nothing() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let advance = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    bench.accept_milestone(m1, 4 * MILLION);
    bench.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        36 * MILLION / 10,
    );
    assert_eq!(bench.payment(advance).state, PaymentState::Requested);
    bench.accept_milestone(m2, 4 * MILLION);
    let last = bench
        .request(
            agreement,
            Tranche::Milestone(MilestoneId(m2)),
            36 * MILLION / 10,
        )
        .unwrap();
    let events = bench.days(1);
    assert!(
        matches!(&events[..], [EventBody::AdvanceRefused { payment, .. }] if payment.0 == advance),
        "{events:?}"
    );
    let refused_advance = bench.payment(advance);
    assert_eq!(refused_advance.state, PaymentState::Refused);
    assert_eq!(
        refused_advance.refused.unwrap().as_str(),
        "advance-not-covered"
    );
    bench.certify(last).unwrap();
    bench.approve(Staff::Finance, last).unwrap();
    bench.approve(Staff::Finance2, last).unwrap();
    bench.days(3);
    bench.release(last).unwrap();
    bench.settle(last).unwrap();
    bench.accept_milestone(report, 0);
    bench.pay(agreement, Tranche::Holdback, 8 * MILLION / 10);
    assert_eq!(
        (
            bench.of(AccountKind::Paid(AgreementId(agreement))),
            bench.of(AccountKind::Committed(AgreementId(agreement)))
        ),
        (i128::from(8 * MILLION), 0)
    );
}

/// The holdback is what is still owed when it is certified, and not before every accepted milestone
/// has its payment: one that was refused in between would be paid twice.
#[test]
fn r35_the_holdback_is_computed_when_it_is_certified() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    bench.accept_milestone(m1, 4 * MILLION);
    bench.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        36 * MILLION / 10,
    );
    bench.accept_milestone(m2, 4 * MILLION);
    let tranche = Tranche::Milestone(MilestoneId(m2));
    let second = bench
        .request(agreement, tranche, 36 * MILLION / 10)
        .unwrap();
    bench.accept_milestone(report, 0);
    let holdback = bench
        .request(agreement, Tranche::Holdback, 8 * MILLION / 10)
        .unwrap();
    bench
        .staff(
            Staff::Programme,
            Body::Payment(PaymentAct::Certify {
                payment: PaymentId(second),
                decision: Decision::Refuse {
                    code: text("evidence-incomplete"),
                    reason: hash("reason"),
                },
            }),
        )
        .unwrap();
    refused(bench.certify(holdback), "F16.milestone-not-requested");
    bench.pay(agreement, tranche, 36 * MILLION / 10);
    bench.certify(holdback).unwrap();
    assert_eq!(bench.payment(holdback).amount, Amount(8 * MILLION / 10));
}
