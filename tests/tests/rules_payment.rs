//! Awards, agreements, milestones and payments (F11 to F22, F41 to F43): every guard and every
//! clock. Records go through `apply_record`; what comes before the award stands in the tables at
//! the start, so that each guard can be met alone. The same rules on a real ledger:
//! `random_payment.rs`.

#![allow(clippy::unwrap_used, missing_docs)]

use rollbook_core::account::{AccountKind, Movement, Pot, Unit};
use rollbook_core::apply::{EventBody, Refusal};
use rollbook_core::charter::{DAY_MS, HOUR_MS};
use rollbook_core::funding;
use rollbook_core::funding::agreement::AgreementState;
use rollbook_core::funding::award::AwardState;
use rollbook_core::funding::call::CallStatus;
use rollbook_core::funding::duties::Step;
use rollbook_core::funding::milestone::MilestoneState;
use rollbook_core::funding::payment::{Awaited, PaymentState};
use rollbook_core::funding::{ApplicationStatus, agreement, award, duties, milestone, payment};
use rollbook_core::identity::groups::{Edge, relate};
use rollbook_core::identity::{Post, PostStatus, Role, Scope};
use rollbook_core::motion::rules::BodyKind;
use rollbook_core::record::*;
use rollbook_core::state::PROVED_VALUE_MAX;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_tests::alliance::{OPENED_MS, officers_of, secretariat};
use rollbook_tests::grants::{Bench, CALL, FUND, GRANTEE, M, MEMBERS, OTHER, Staff, Y, hash, text};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, code: &str) {
    match result {
        Err(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
        Ok(value) => panic!("not refused ({code}): {value:?}"),
    }
}

#[test]
fn agreement_one_is_paid_to_the_last_cent() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    assert_eq!(b.of(AccountKind::Committed(agreement)), i128::from(8 * M));
    let (m1, m2, report) = (
        b.first(agreement),
        b.first(agreement) + 1,
        b.first(agreement) + 2,
    );
    b.pay(agreement, Tranche::Advance, 24 * M / 10);
    b.accept_milestone(m1, 4 * M);
    b.pay(agreement, Tranche::Milestone(m1), 24 * M / 10);
    b.accept_milestone(m2, 4 * M);
    let payment = b.approved(agreement, Tranche::Milestone(m2), 24 * M / 10);
    b.advance(b.w.now + 48 * HOUR_MS + 1);
    b.release(payment).unwrap();
    // The line of the story: D 4.8, T 2.4, K 0.8 million.
    let line = [
        AccountKind::Paid(agreement),
        AccountKind::InTransit(payment),
        AccountKind::Committed(agreement),
    ];
    assert_eq!(
        line.map(|kind| b.of(kind)),
        [48, 24, 8].map(|tenths| i128::from(tenths * M / 10))
    );
    b.settle(payment).unwrap();
    b.acknowledge(payment).unwrap();
    refused(
        b.request(agreement, Tranche::Holdback, 8 * M / 10),
        "F43.not-finally-accepted",
    );
    b.accept_milestone(report, 0);
    assert_eq!(
        b.w.tables.agreements.get(&agreement).unwrap().state,
        AgreementState::Completed
    );
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
    let mut b = Bench::on_tables();
    // Body by size: 500,000 the committee, 5,000,000 the board, above the assembly.
    for (amount, body) in [
        (Y, BodyKind::Committee),
        (500_000 * Y, BodyKind::Committee),
        (500_000 * Y + 1, BodyKind::Board),
    ]
    .into_iter()
    .chain([(5 * M, BodyKind::Board), (5 * M + 1, BodyKind::Assembly)])
    {
        let grant = GrantAward {
            application: 1,
            amount,
            body,
            out_of_rank: None,
        };
        assert_eq!(
            b.direct(|tx| award::required_body(tx, &grant)),
            Ok(body),
            "{amount}"
        );
    }
    refused(b.grant(1, 8 * M, BodyKind::Board), "F11.body-too-low");
    refused(b.grant(1, 8 * M + 1, BodyKind::Assembly), "F11.above-ask");
    refused(b.grant(9, Y, BodyKind::Assembly), "A4.unknown-application");
    // Rank order: 13 before 12 only with reasons, and then not in the committee.
    refused(b.grant(2, Y, BodyKind::Assembly), "F11.out-of-rank");
    let mut out = GrantAward {
        application: 2,
        amount: Y,
        body: BodyKind::Committee,
        out_of_rank: Some(hash("reasons")),
    };
    refused(b.direct(|tx| award::check(tx, &out)), "F11.body-too-low");
    out.body = BodyKind::Board;
    assert_eq!(b.direct(|tx| award::check(tx, &out)), Ok(()));
    out.application = 1;
    refused(b.direct(|tx| award::check(tx, &out)), "F11.in-rank");
    // What the call holds.
    let spent = 13 * M;
    b.post(Movement::CallReleased {
        call: CALL,
        amount: spent,
    });
    refused(b.grant(1, 8 * M, BodyKind::Assembly), "N4.above-budget");
    b.post(Movement::CallFunded {
        call: CALL,
        direction: None,
        amount: spent,
    });
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
    assert_eq!(
        b.w.tables.applications.get(&1).unwrap().status,
        ApplicationStatus::Awarded
    );
    refused(
        b.grant(1, Y, BodyKind::Assembly),
        "F11.application-not-ranked",
    );
}

/// The mini-call of RULINGS R4, in one fund: 300,000 to P by the committee; 250,000 to P's sister
/// is not the committee's.
#[test]
fn f11_the_splitting_test_adds_up_the_group() {
    let mut b = Bench::on_tables();
    let edge = Edge {
        evidence: Hash::ZERO,
        since_ms: 0,
        until_ms: None,
    };
    relate(&mut b.w.tables, GRANTEE, OTHER, edge);
    b.w.tables.keep_record();
    b.grant(1, 300_000 * Y, BodyKind::Committee).unwrap();
    refused(
        b.grant(2, 250_000 * Y, BodyKind::Committee),
        "F11.body-too-low",
    );
    let mut later = b.fork(0);
    let award = b.grant(2, 250_000 * Y, BodyKind::Board).unwrap();
    assert_eq!(b.w.tables.awards.get(&award).unwrap().tested, 550_000 * Y);
    // A year later the first does not count any more; a lapsed one counts no day longer.
    later.days(366);
    assert_eq!(
        later.w.tables.awards.get(&1).unwrap().state,
        AwardState::Lapsed
    );
    later.grant(2, 250_000 * Y, BodyKind::Committee).unwrap();
}

#[test]
fn r2_concentration_in_fund_and_call() {
    // 20 % of 100 million is 20 million; the call allows 70 % of 20 million.
    let mut b = Bench::on_tables();
    let mut application = b.w.tables.applications.get(&1).unwrap().clone();
    application.opened.as_mut().unwrap().content.ask = 20 * M;
    b.w.tables.applications.put(1, application);
    b.w.tables.keep_record();
    refused(
        b.grant(1, 14 * M + 1, BodyKind::Assembly),
        "R2.call-concentration",
    );
    b.grant(1, 14 * M, BodyKind::Assembly).unwrap();
    let mut b = Bench::on_tables();
    b.post(Movement::Refunded {
        member: 1,
        pot: Pot::Free,
        amount: 65 * M,
    });
    refused(
        b.grant(1, 7 * M + 1, BodyKind::Assembly),
        "R2.fund-concentration",
    );
    b.grant(1, 7 * M, BodyKind::Assembly).unwrap();
}

#[test]
fn f12_standstill_offer_lapse_revocation_and_the_reserve() {
    let mut b = Bench::on_tables();
    let award = b.grant(1, 8 * M, BodyKind::Assembly).unwrap();
    let accept = || Body::Award(AwardAct::Accept { award: 1 });
    refused(b.grantee(accept()), "F12.wrong-state");
    b.direct(|tx| {
        award::place(
            tx,
            &PlaceApplication {
                application: 2,
                placing: Placing::Reserve,
                reason: Hash::ZERO,
            },
        )
    })
    .unwrap();
    b.direct(|tx| {
        award::place(
            tx,
            &PlaceApplication {
                application: 3,
                placing: Placing::NotRecommended,
                reason: Hash::ZERO,
            },
        )
    })
    .unwrap();
    refused(
        b.grant(2, 6 * M, BodyKind::Assembly),
        "F41.no-award-fell-away",
    );
    let events = b.days(14);
    assert!(
        matches!(
            events[..],
            [EventBody::AwardOffered {
                award: 1,
                grantee: GRANTEE,
                ..
            }]
        ),
        "{events:?}"
    );
    refused(b.company(OTHER, accept()), "F12.not-the-grantee");
    let events = b.days(63);
    assert!(
        matches!(events[..], [EventBody::AwardLapsed { award: 1, .. }]),
        "{events:?}"
    );
    assert_eq!(
        (
            b.of(AccountKind::Award(award)),
            b.of(AccountKind::Call(CALL))
        ),
        (0, i128::from(20 * M))
    );
    refused(b.grantee(accept()), "F12.wrong-state");
    // The reserve follows, is revoked by the board, and after the call is closed money goes to A.
    let second = b.grant(2, 6 * M, BodyKind::Assembly).unwrap();
    let mut call = b.w.tables.calls.get(&CALL).unwrap().clone();
    call.status = CallStatus::Closed;
    b.w.tables.calls.put(CALL, call);
    let free = b.of(AccountKind::Free);
    let revoke = RevokeAward {
        award: second,
        reason: Hash::ZERO,
    };
    b.direct(|tx| award::revoke(tx, &revoke)).unwrap();
    assert_eq!(
        (b.of(AccountKind::Award(second)), b.of(AccountKind::Free)),
        (0, free + i128::from(6 * M))
    );
    refused(b.direct(|tx| award::revoke(tx, &revoke)), "F12.wrong-state");
    assert!(b.days(200).is_empty(), "no clock of a dead award runs");
}

#[test]
fn f13_guards_of_the_terms() {
    let mut b = Bench::on_tables();
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
        ("N14.other-unit", |t| {
            t.unit = Unit::currency("EUR").unwrap()
        }),
        ("N5.milestones-do-not-sum", |t| t.milestones[0].amount -= 1),
        ("N9.advance-above-cap", |t| t.advance += 1),
        ("N9.holdback-too-small", |t| t.holdback_bp = 999),
        ("F13.milestone-too-small", |t| {
            t.milestones[0].amount = 3;
            t.milestones[1].amount = 8 * M - 3;
        }),
        ("F13.due-in-the-past", |t| {
            t.milestones[1].due_ms = OPENED_MS
        }),
        ("F13.other-charter", |t| t.charter += 1),
        ("F13.other-call-terms", |t| t.call = Hash::ZERO),
    ];
    for (code, change) in cases {
        let mut terms = good.clone();
        change(&mut terms);
        refused(b.draft(&terms), code);
    }
    refused(
        b.staff(Staff::Finance, Body::Award(AwardAct::Draft(good.clone()))),
        "A6.role-missing",
    );
    let mut empty = good.clone();
    empty.milestones.clear();
    refused(b.draft(&empty), "A6.malformed");
    b.draft(&good).unwrap();
}

#[test]
fn f13_signatures_are_a_chain_over_one_hash() {
    let mut b = Bench::on_tables();
    let award = b.accepted_award();
    let good = b.terms(award, &[4 * M, 4 * M], 24 * M / 10);
    let (first, old) = b.draft(&good).unwrap();
    let terms = good.digest();
    let sign = |agreement, draft, terms| {
        Body::Award(AwardAct::Sign {
            agreement,
            draft,
            terms,
        })
    };
    // A second draft replaces the first, signed or not.
    b.grantee(sign(first, old, terms)).unwrap();
    let (agreement, draft) = b.draft(&good).unwrap();
    assert_eq!(
        b.w.tables.agreements.get(&first).unwrap().state,
        AgreementState::Replaced
    );
    refused(b.grantee(sign(first, old, terms)), "F13.wrong-state");
    refused(b.grantee(sign(agreement, old, terms)), "F13.other-draft");
    refused(
        b.grantee(sign(agreement, draft, Hash::ZERO)),
        "F13.other-terms",
    );
    refused(
        b.company(OTHER, sign(agreement, draft, terms)),
        "F13.not-the-grantee",
    );
    let countersign = |signed, terms| {
        Body::Award(AwardAct::Countersign {
            agreement,
            signed,
            terms,
        })
    };
    refused(
        b.staff(Staff::Treasurer, countersign(draft, terms)),
        "F13.wrong-state",
    );
    let signed = b.grantee(sign(agreement, draft, terms)).unwrap();
    refused(
        b.staff(Staff::Treasurer, countersign(draft, terms)),
        "F13.other-record",
    );
    refused(
        b.staff(Staff::Treasurer, countersign(signed, Hash::ZERO)),
        "F13.other-terms",
    );
    refused(
        b.staff(Staff::Programme, countersign(signed, terms)),
        "F13.no-new-officer",
    );
    b.staff(Staff::Treasurer, countersign(signed, terms))
        .unwrap();
    refused(
        b.staff(Staff::Treasurer, countersign(signed, terms)),
        "F13.no-new-officer",
    );
    assert_eq!(
        b.of(AccountKind::Award(award)),
        i128::from(8 * M),
        "one signature commits nothing"
    );
    b.staff(Staff::Finance, countersign(signed, terms)).unwrap();
    assert_eq!(
        (
            b.of(AccountKind::Award(award)),
            b.of(AccountKind::Committed(agreement))
        ),
        (0, i128::from(8 * M))
    );
    refused(b.draft(&good), "F13.wrong-state");
    let revoke = RevokeAward {
        award,
        reason: Hash::ZERO,
    };
    refused(
        b.direct(|tx| award::revoke(tx, &revoke)),
        "F12.agreement-in-force",
    );
    assert!(encode(b.w.tables.agreements.get(&agreement).unwrap()).len() < PROVED_VALUE_MAX);
}

/// An agreement with as many milestones as there may be still is a proved value.
#[test]
fn the_largest_agreement_fits() {
    let mut b = Bench::on_tables();
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
    let mut b = Bench::on_tables();
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
    let edge = Edge {
        evidence: Hash::ZERO,
        since_ms: 0,
        until_ms: None,
    };
    let (agreement, draft) = b.draft(&good).unwrap();
    let terms = good.digest();
    let signed = b
        .grantee(Body::Award(AwardAct::Sign {
            agreement,
            draft,
            terms,
        }))
        .unwrap();
    relate(&mut b.w.tables, GRANTEE, secretariat(MEMBERS), edge);
    b.w.tables.keep_record();
    refused(
        b.staff(
            Staff::Treasurer,
            Body::Award(AwardAct::Countersign {
                agreement,
                signed,
                terms,
            }),
        ),
        "N13.related",
    );
    refused(b.draft(&good), "N13.related");
}

#[test]
fn f14_evidence_is_new_or_openly_shared() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let (m1, m2, report) = (
        b.first(agreement),
        b.first(agreement) + 1,
        b.first(agreement) + 2,
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
        b.company(
            OTHER,
            submit(m1, vec![item(EvidenceKind::Document, "x", false)]),
        ),
        "F14.not-the-grantee",
    );
    refused(b.grantee(submit(m1, Vec::new())), "A6.malformed");
    refused(b.submit(report, "report"), "F43.milestones-open");
    b.grantee(submit(
        m1,
        vec![
            item(EvidenceKind::Document, "x", false),
            item(EvidenceKind::Patent, "y", false),
        ],
    ))
    .unwrap();
    refused(b.submit(m1, "x"), "F14.wrong-state");
    refused(b.submit(m2, "x"), "N16.evidence-used");
    refused(
        b.grantee(submit(m2, vec![item(EvidenceKind::Patent, "y", false)])),
        "N16.evidence-used",
    );
    // The same hash as another kind of thing is another thing.
    b.grantee(submit(
        m2,
        vec![
            item(EvidenceKind::Document, "x", true),
            item(EvidenceKind::Doi, "y", false),
        ],
    ))
    .unwrap();
}

#[test]
fn f15_two_agree_or_the_third_joins_one() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let m1 = b.first(agreement);
    refused(b.assess(5, m1, Finding::Accept(1)), "F15.not-assessor");
    b.submit(m1, "x").unwrap();
    refused(b.assess(7, m1, Finding::Accept(1)), "F15.not-assessor");
    refused(
        b.assess(5, m1, Finding::Accept(4 * M + 1)),
        "F15.above-plan",
    );
    refused(b.assess(5, m1, Finding::Accept(0)), "F15.nothing-accepted");
    b.assess(5, m1, Finding::Accept(4 * M)).unwrap();
    refused(
        b.assess(5, m1, Finding::Accept(4 * M)),
        "F15.assessed-before",
    );
    b.assess(6, m1, Finding::Accept(3 * M)).unwrap();
    assert_eq!(b.milestone(m1).state, MilestoneState::Assessing);
    refused(b.assess(7, m1, Finding::Reject), "F15.third-joins-one");
    b.assess(7, m1, Finding::Accept(3 * M)).unwrap();
    let known = b.milestone(m1);
    assert_eq!(
        (known.state, known.accepted),
        (MilestoneState::PartlyAccepted, 3 * M)
    );
    refused(b.assess(8, m1, Finding::Accept(3 * M)), "F15.not-assessor");
    // Part of the amount pays in part: 3,000,000 less 10 % less the share of the advance.
    b.pay(agreement, Tranche::Advance, 24 * M / 10);
    b.pay(
        agreement,
        Tranche::Milestone(m1),
        3 * M - 3 * M / 10 - 12 * M / 10,
    );
}

#[test]
fn f15_rework_at_most_twice_then_rejected() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let (m1, m2, report) = (
        b.first(agreement),
        b.first(agreement) + 1,
        b.first(agreement) + 2,
    );
    for round in 0..3 {
        b.submit(m1, "x").unwrap();
        b.judge_milestone(m1, Finding::Rework);
        let expected = if round < 2 {
            MilestoneState::Rework
        } else {
            MilestoneState::Rejected
        };
        assert_eq!(b.milestone(m1).state, expected);
    }
    refused(b.submit(m1, "x"), "F14.wrong-state");
    refused(
        b.request(agreement, Tranche::Milestone(m1), 1),
        "N7.milestone-not-accepted",
    );
    b.submit(m2, "y").unwrap();
    b.judge_milestone(m2, Finding::Reject);
    assert_eq!(b.milestone(m2).state, MilestoneState::Rejected);
    b.submit(report, "report").unwrap();
    refused(b.assess(5, report, Finding::Reject), "F43.rework-instead");
    b.judge_milestone(report, Finding::Rework);
    b.accept_milestone(report, 0);
    assert_eq!(
        b.w.tables.agreements.get(&agreement).unwrap().state,
        AgreementState::Completed
    );
    refused(
        b.request(agreement, Tranche::Holdback, 1),
        "F16.nothing-payable",
    );
    assert_eq!(
        b.of(AccountKind::Committed(agreement)),
        i128::from(8 * M),
        "what was not accepted stays committed until closing"
    );
}

#[test]
fn f15_assessors_come_from_the_draw_in_order_without_conflicts() {
    let mut b = Bench::on_tables();
    let award = b.accepted_award();
    let terms = b.terms(award, &[8 * M], 0);
    let agreement = b.sign_all(&terms);
    // 12 is the grantee, 9 has reviewed, 6 is of 5's group, a holder of a chain post assesses
    // nothing.
    relate(
        &mut b.w.tables,
        5,
        6,
        Edge {
            evidence: Hash::ZERO,
            since_ms: 0,
            until_ms: None,
        },
    );
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
    assert_eq!(
        b.milestone(m1).state,
        MilestoneState::Submitted,
        "nobody is drawn"
    );
    b.draw(agreement, &[GRANTEE, 9, 4, 5, 6]);
    let events = b.days(18);
    assert_eq!(events, [EventBody::AssessorsMissing { milestone: m1 }]);
    b.draw(agreement, &[GRANTEE, 9, 4, 5, 6, 8]);
    b.days(18);
    let homes: Vec<u32> = b
        .milestone(m1)
        .assessors
        .iter()
        .map(|assessor| assessor.home)
        .collect();
    assert_eq!(homes, [5, 8]);
}

#[test]
fn r13_a_late_assessor_is_replaced_by_the_next_of_the_draw() {
    let mut b = Bench::on_tables();
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
    let mut b = Bench::on_tables();
    let award = b.accepted_award();
    let terms = b.terms(award, &[4 * M, 4 * M], 24 * M / 10);
    let (draft, _) = b.draft(&terms).unwrap();
    refused(
        b.request(draft, Tranche::Advance, 24 * M / 10),
        "N7.no-agreement-in-force",
    );
    let agreement = b.sign_all(&terms);
    b.draw(agreement, &[5, 6, 7, 8]);
    let m1 = b.first(agreement);
    let advance = Body::Payment(PaymentAct::Request {
        agreement,
        tranche: Tranche::Advance,
        amount: 24 * M / 10,
    });
    refused(b.company(OTHER, advance), "F16.not-the-grantee");
    refused(
        b.request(agreement, Tranche::Advance, 24 * M / 10 - 1),
        "F16.other-amount",
    );
    refused(
        b.request(agreement, Tranche::Milestone(m1), 4 * M),
        "N7.milestone-not-accepted",
    );
    refused(
        b.request(agreement, Tranche::Milestone(999), 4 * M),
        "A4.unknown-milestone",
    );
    refused(
        b.request(agreement, Tranche::Milestone(m1 + 2), 1),
        "F16.other-agreement",
    );
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    refused(
        b.request(agreement, Tranche::Advance, 24 * M / 10),
        "N8.tranche-taken",
    );
    // A refused payment frees its tranche.
    let decision = Decision::Refuse {
        code: text("account-unclear"),
        reason: Hash::ZERO,
    };
    b.staff(
        Staff::Programme,
        Body::Payment(PaymentAct::Certify { payment, decision }),
    )
    .unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Refused);
    refused(b.certify(payment), "F17.wrong-state");
    b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    // Without an advance a milestone clears none, and then it is too late for one.
    let mut without = Bench::on_tables();
    let agreement = without.agreement();
    let m1 = without.first(agreement);
    without.accept_milestone(m1, 4 * M);
    without.pay(agreement, Tranche::Milestone(m1), 36 * M / 10);
    refused(
        without.request(agreement, Tranche::Advance, 24 * M / 10),
        "F16.advance-too-late",
    );
}

#[test]
fn f17_f18_certificate_and_approvals() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    let approve = |certified, amount| {
        Body::Payment(PaymentAct::Approve {
            payment,
            certified,
            amount,
            decision: Decision::Pass,
        })
    };
    refused(b.approve(Staff::Finance, payment), "F18.wrong-state");
    let certified = b.certify(payment).unwrap();
    refused(b.certify(payment), "F17.wrong-state");
    refused(
        b.staff(Staff::Finance, approve(Hash::ZERO, 24 * M / 10)),
        "F18.other-certificate",
    );
    refused(
        b.staff(Staff::Finance, approve(certified, 1)),
        "F18.other-amount",
    );
    refused(
        b.staff(Staff::Programme, approve(certified, 24 * M / 10)),
        "A6.role-missing",
    );
    b.approve(Staff::Finance, payment).unwrap();
    assert_eq!(
        b.payment(payment).state,
        PaymentState::Certified,
        "above 200,000 two approve"
    );
    refused(b.approve(Staff::Finance, payment), "N12.same-person");
    refused(b.release(payment), "F20.wrong-state");
    b.approve(Staff::Finance2, payment).unwrap();
    refused(b.approve(Staff::Finance2, payment), "F18.wrong-state");
    refused(b.release(payment), "F20.delay-runs");
    // An approver may still refuse; the tranche is free again.
    let decision = Decision::Refuse {
        code: text("budget"),
        reason: Hash::ZERO,
    };
    b.staff(
        Staff::Finance,
        Body::Payment(PaymentAct::Approve {
            payment,
            certified,
            amount: 1,
            decision,
        }),
    )
    .unwrap();
    assert!(b.days(30).is_empty(), "no clock of a refused payment runs");
    b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
}

#[test]
fn f18_small_payments_need_one_approver() {
    let mut b = Bench::on_tables();
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
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    refused(b.hold(1, payment), "F19.wrong-state");
    b.certify(payment).unwrap();
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    // Seats are held by 1 to 9.
    refused(b.hold(10, payment), "F19.not-a-seat-holder");
    relate(
        &mut b.w.tables,
        1,
        2,
        Edge {
            evidence: Hash::ZERO,
            since_ms: 0,
            until_ms: None,
        },
    );
    relate(
        &mut b.w.tables,
        9,
        GRANTEE,
        Edge {
            evidence: Hash::ZERO,
            since_ms: 0,
            until_ms: None,
        },
    );
    b.w.tables.keep_record();
    refused(b.hold(9, payment), "N13.related-to-grantee");
    b.hold(1, payment).unwrap();
    refused(b.hold(1, payment), "F19.same-group");
    refused(b.hold(2, payment), "F19.same-group");
    let mut single = b.fork(50);
    b.hold(3, payment).unwrap();
    assert_eq!(b.payment(payment).state, PaymentState::Held);
    refused(b.hold(4, payment), "F19.wrong-state");
    let events = b.days(3);
    assert_eq!(
        events,
        [EventBody::PayoutDelayOver {
            payment,
            held: true
        }]
    );
    refused(b.release(payment), "F19.held");
    let mut lifted = b.fork(70);
    assert_eq!(b.days(30), [EventBody::HoldEnded { payment }]);
    lifted.direct(|tx| payment::lift_hold(tx, payment)).unwrap();
    refused(
        lifted.direct(|tx| payment::lift_hold(tx, payment)),
        "F19.not-held",
    );
    assert_eq!(
        lifted.days(12),
        [EventBody::StepOverdue {
            payment,
            awaited: Awaited::Release
        }]
    );
    b.release(payment).unwrap();
    // One voice alone holds nothing, and is void with the delay.
    single.w.now += 3 * DAY_MS;
    assert_eq!(single.payment(payment).state, PaymentState::Approved);
    let body = Body::Payment(PaymentAct::Hold {
        payment,
        ground: Hash::ZERO,
    });
    let (first, second) = officers_of(3);
    let signers = [(first, Role::Primary), (second, Role::Finance)];
    single.alliance = b.alliance;
    refused(single.act(3, &signers, body), "F19.delay-over");
    single.release(payment).unwrap();
}

#[test]
fn f20_the_instruction_is_new_and_goes_to_the_account_in_force() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
    let good = b.instruction(payment);
    let release = |instruction: &Instruction| {
        Body::Payment(PaymentAct::Release {
            payment,
            instruction: instruction.clone(),
        })
    };
    refused(b.staff(Staff::Treasurer, release(&good)), "F20.delay-runs");
    assert_eq!(
        b.days(3),
        [EventBody::PayoutDelayOver {
            payment,
            held: false
        }]
    );
    refused(
        b.staff(
            Staff::Treasurer,
            release(&Instruction {
                account: hash("other"),
                ..good.clone()
            }),
        ),
        "N11.other-account",
    );
    refused(
        b.staff(
            Staff::Treasurer,
            release(&Instruction {
                amount: 1,
                ..good.clone()
            }),
        ),
        "F20.other-amount",
    );
    refused(
        b.staff(
            Staff::Treasurer,
            release(&Instruction {
                end_to_end: text("a b"),
                ..good.clone()
            }),
        ),
        "A6.malformed",
    );
    refused(b.staff(Staff::Officer, release(&good)), "A6.role-missing");
    b.staff(Staff::Treasurer, release(&good)).unwrap();
    refused(b.staff(Staff::Treasurer, release(&good)), "F20.wrong-state");
    assert_eq!(
        b.of(AccountKind::InTransit(payment)),
        i128::from(24 * M / 10)
    );
    // Returned by the bank: back to K, and released again only with new identifiers.
    let reference = b.reference();
    let amount = 24 * M / 10;
    let returned = Body::Payment(PaymentAct::Return {
        payment,
        reference: reference.clone(),
        amount,
        reason: text("AC04"),
    });
    b.staff(Staff::Officer, returned).unwrap();
    assert_eq!(
        (
            b.of(AccountKind::InTransit(payment)),
            b.of(AccountKind::Committed(agreement))
        ),
        (0, i128::from(8 * M))
    );
    let fresh = b.instruction(payment);
    let old_id = Instruction {
        end_to_end: good.end_to_end.clone(),
        ..fresh.clone()
    };
    refused(
        b.staff(Staff::Treasurer, release(&old_id)),
        "N8.instruction-id-used",
    );
    refused(
        b.staff(
            Staff::Treasurer,
            release(&Instruction {
                uetr: good.uetr,
                ..fresh.clone()
            }),
        ),
        "N8.instruction-id-used",
    );
    b.staff(Staff::Treasurer, release(&fresh)).unwrap();
    let settle = |reference: &BankReference, amount| {
        Body::Payment(PaymentAct::Settle {
            payment,
            reference: reference.clone(),
            amount,
        })
    };
    refused(
        b.staff(Staff::Officer, settle(&reference, amount)),
        "N8.bank-reference-used",
    );
    let fresh = b.reference();
    refused(
        b.staff(Staff::Officer, settle(&fresh, 1)),
        "F21.other-amount",
    );
    refused(
        b.staff(Staff::Treasurer, settle(&fresh, amount)),
        "A6.role-missing",
    );
    b.staff(Staff::Officer2, settle(&fresh, amount)).unwrap();
    refused(b.settle(payment), "F21.wrong-state");
    assert_eq!(b.payment(payment).attempts, 2);
}

#[test]
fn f22_acknowledged_disputed_or_reported() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
    b.days(3);
    b.release(payment).unwrap();
    refused(b.acknowledge(payment), "F22.wrong-state");
    b.settle(payment).unwrap();
    let w = b.w.clone();
    refused(
        b.company(
            OTHER,
            Body::Payment(PaymentAct::Acknowledge { payment, amount: 1 }),
        ),
        "F22.not-the-grantee",
    );
    refused(
        b.grantee(Body::Payment(PaymentAct::Acknowledge {
            payment,
            amount: 1,
        })),
        "F22.other-amount",
    );
    b.grantee(Body::Payment(PaymentAct::Dispute {
        payment,
        ground: Hash::ZERO,
    }))
    .unwrap();
    refused(b.acknowledge(payment), "F22.wrong-state");
    assert!(b.days(30).is_empty());
    b.w = w;
    assert_eq!(
        b.days(17),
        [EventBody::Unacknowledged {
            payment,
            amount: 24 * M / 10
        }]
    );
    refused(
        b.grantee(Body::Payment(PaymentAct::Dispute {
            payment,
            ground: Hash::ZERO,
        })),
        "F22.wrong-state",
    );
    b.acknowledge(payment).unwrap();
}

#[test]
fn f42_a_new_account_cools_off_and_is_confirmed_by_another() {
    for confirm_first in [true, false] {
        let mut b = Bench::on_tables();
        let agreement = b.agreement();
        let payment = b.approved(agreement, Tranche::Advance, 24 * M / 10);
        b.days(3);
        let account = hash("new account");
        let change = |account| Body::Award(AwardAct::ChangeAccount { agreement, account });
        refused(b.grantee(change(hash("account"))), "F42.same-account");
        refused(b.company(OTHER, change(account)), "F13.not-the-grantee");
        let (first, second) = officers_of(GRANTEE);
        refused(
            b.act(
                GRANTEE,
                &[(first, Role::Primary), (second, Role::Technical)],
                change(account),
            ),
            "A6.role-missing",
        );
        let record = b.grantee(change(account)).unwrap();
        refused(b.release(payment), "N11.account-changing");
        let confirm = |change, account| {
            Body::Award(AwardAct::ConfirmAccount {
                agreement,
                change,
                account,
                channel: Channel::Telephone,
            })
        };
        refused(
            b.staff(Staff::Officer, confirm(Hash::ZERO, account)),
            "F42.other-change",
        );
        refused(
            b.staff(Staff::Treasurer, confirm(record, account)),
            "A6.role-missing",
        );
        if confirm_first {
            b.staff(Staff::Officer, confirm(record, account)).unwrap();
            refused(
                b.staff(Staff::Officer, confirm(record, account)),
                "F42.confirmed-before",
            );
        }
        refused(b.release(payment), "N11.account-changing");
        let events = b.days(8);
        assert!(
            events.contains(&EventBody::AccountCooled {
                agreement,
                account,
                in_force: confirm_first
            }),
            "{events:?}"
        );
        if !confirm_first {
            refused(b.release(payment), "N11.account-changing");
            b.staff(Staff::Officer, confirm(record, account)).unwrap();
        }
        refused(
            b.staff(Staff::Officer, confirm(record, account)),
            "F42.no-change",
        );
        assert_eq!(
            b.w.tables.agreements.get(&agreement).unwrap().account,
            account
        );
        b.release(payment).unwrap();
    }
}

#[test]
fn r13_every_step_past_its_limit_is_shown_once() {
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    let overdue = |awaited| EventBody::StepOverdue { payment, awaited };
    assert_eq!(b.days(40), [overdue(Awaited::Certify)]);
    b.certify(payment).unwrap();
    assert_eq!(b.days(40), [overdue(Awaited::Approve)]);
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    assert_eq!(
        b.days(40),
        [
            EventBody::PayoutDelayOver {
                payment,
                held: false
            },
            overdue(Awaited::Release)
        ]
    );
    b.release(payment).unwrap();
    assert_eq!(b.days(40), [overdue(Awaited::Confirm)]);
    b.settle(payment).unwrap();
    b.acknowledge(payment).unwrap();
    assert!(b.days(400).is_empty());
}

/// One human with two posts, or a post and another step: the records themselves are refused, cell
/// by cell.
#[test]
fn n12_no_person_acts_twice_in_one_chain() {
    let hats = |b: &mut Bench, person: u32, role: Role| {
        let number = b.w.tables.posts.last_key().unwrap() + 1;
        let until_ms = b.w.now + 999 * DAY_MS;
        let (office, scope) = (secretariat(MEMBERS), Scope::Fund(FUND));
        let post = Post {
            office,
            role,
            scope,
            holder: person,
            deputy: None,
            from_ms: 0,
            until_ms,
            status: PostStatus::Held,
        };
        b.w.tables.posts.put(number, post);
        b.w.tables.keep_record();
    };
    let office = secretariat(MEMBERS);
    let mut b = Bench::on_tables();
    let agreement = b.agreement();
    let m1 = b.first(agreement);
    b.accept_milestone(m1, 4 * M);
    let payment = b
        .request(agreement, Tranche::Milestone(m1), 36 * M / 10)
        .unwrap();
    let certify = Body::Payment(PaymentAct::Certify {
        payment,
        decision: Decision::Pass,
    });
    // An assessor, a reviewer, the grantee's officer as programme officer.
    for (person, code) in [
        (officers_of(5).1, "N12.same-person"),
        (officers_of(9).1, "N12.same-person"),
        (officers_of(GRANTEE).1, "N13.related-to-grantee"),
    ] {
        let mut one = b.fork(0);
        std::mem::swap(&mut one.alliance, &mut b.alliance);
        hats(&mut one, person, Role::ProgrammeOfficer);
        refused(
            one.act(office, &[(person, Role::ProgrammeOfficer)], certify.clone()),
            code,
        );
        std::mem::swap(&mut one.alliance, &mut b.alliance);
    }
    // Each officer of the chain, one step later under the other hat.
    hats(&mut b, Staff::Programme.person(), Role::FinanceApprover);
    hats(&mut b, Staff::Finance2.person(), Role::Treasurer);
    hats(&mut b, Staff::Treasurer.person(), Role::SecondOfficer);
    hats(&mut b, Staff::Finance.person(), Role::SecondOfficer);
    let certified = b.certify(payment).unwrap();
    let amount = 36 * M / 10;
    let approve = Body::Payment(PaymentAct::Approve {
        payment,
        certified,
        amount,
        decision: Decision::Pass,
    });
    refused(
        b.act(
            office,
            &[(Staff::Programme.person(), Role::FinanceApprover)],
            approve,
        ),
        "N12.same-person",
    );
    b.approve(Staff::Finance, payment).unwrap();
    b.approve(Staff::Finance2, payment).unwrap();
    b.days(3);
    let release = Body::Payment(PaymentAct::Release {
        payment,
        instruction: b.instruction(payment),
    });
    refused(
        b.act(
            office,
            &[(Staff::Finance2.person(), Role::Treasurer)],
            release,
        ),
        "N12.same-person",
    );
    b.release(payment).unwrap();
    for person in [Staff::Treasurer.person(), Staff::Finance.person()] {
        let settle = Body::Payment(PaymentAct::Settle {
            payment,
            reference: b.reference(),
            amount,
        });
        refused(
            b.act(office, &[(person, Role::SecondOfficer)], settle),
            "N12.same-person",
        );
    }
    b.settle(payment).unwrap();
    let chain = b
        .direct(|tx| payment::chain(tx, &payment::get(tx, payment)?))
        .unwrap();
    assert_eq!(duties::judge_all(&b.w.tables, &chain), Ok(()));
    let steps = duties::by_step(&chain.deeds);
    assert_eq!(
        steps[&Step::Approve],
        [Staff::Finance.person(), Staff::Finance2.person()]
    );
}

#[test]
fn r6_one_employer_unless_the_charter_forbids_it() {
    let mut b = Bench::with(|charter| charter.funding.chain_distinct_groups = true);
    let agreement = b.agreement();
    let payment = b.request(agreement, Tranche::Advance, 24 * M / 10).unwrap();
    b.certify(payment).unwrap();
    refused(
        b.approve(Staff::Finance, payment),
        "R6.officers-of-one-group",
    );
}

/// The tables that the code consults, against the states that a long story reaches.
#[test]
fn the_tables_print() {
    let all = [
        award::table(),
        agreement::table(),
        milestone::table(),
        payment::table(),
    ]
    .concat();
    let text = funding::markdown(&all);
    assert_eq!(text.lines().count(), 2 + all.len());
    for code in [
        "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F41",
        "F43", "R13", "R22",
    ] {
        assert!(all.iter().any(|row| row.code == code), "{code} has a row");
    }
}
