//! Agreements: their terms, and the chain of signatures over one hash (F13).

use rollbook_core::account::{AccountKind, Amount, Unit};
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{AgreementId, ApplicationId, AwardId, MotionId};
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::application::{Appeal, ApplicationStatus};
use rollbook_core::record::{AgreementTerms, AwardAct, Body, MILESTONES_MAX, RevokeAward};
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::Due;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_proof::verify::PROVED_VALUE_MAX;
use rollbook_sandbox::alliance::{OPENED_MS, secretariat};
use rollbook_tests::grants::{Bench, GRANTEE, MEMBERS, MILLION, OTHER, Staff};

use super::refused;

#[test]
fn f13_guards_of_the_terms() {
    let mut bench = Bench::on_tables();
    let award = bench.grant(1, 8 * MILLION, BodyKind::Assembly).unwrap();
    let good = bench.terms(award, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
    refused(bench.draft(&good), "F13.award-not-accepted");
    bench.days(14);
    bench
        .grantee(Body::Award(AwardAct::Accept {
            award: AwardId(award),
        }))
        .unwrap();
    type Change = fn(&mut AgreementTerms);
    let cases: [(&str, Change); 11] = [
        ("A4.unknown-award", |terms| terms.award = AwardId(9)),
        ("F13.other-grantee", |terms| {
            terms.grantee = OrganisationId(OTHER)
        }),
        ("F13.other-amount", |terms| {
            terms.total = Amount(7 * MILLION)
        }),
        ("N14.other-unit", |terms| {
            terms.unit = Unit::currency("EUR").unwrap()
        }),
        ("N5.milestones-do-not-sum", |terms| {
            terms.milestones[0].amount.0 -= 1
        }),
        ("N9.advance-above-cap", |terms| terms.advance.0 += 1),
        ("N9.holdback-too-small", |terms| terms.holdback_bp = 999),
        ("F13.milestone-too-small", |terms| {
            terms.milestones[0].amount = Amount(3);
            terms.milestones[1].amount = Amount(8 * MILLION - 3);
        }),
        ("F13.due-in-the-past", |terms| {
            terms.milestones[1].due_ms = LedgerTime(OPENED_MS)
        }),
        ("F13.other-charter", |terms| terms.charter.0 += 1),
        ("F13.other-call-terms", |terms| terms.call = Hash::ZERO),
    ];
    for (code, change) in cases {
        let mut terms = good.clone();
        change(&mut terms);
        refused(bench.draft(&terms), code);
    }
    refused(
        bench.staff(Staff::Finance, Body::Award(AwardAct::Draft(good.clone()))),
        "A6.role-missing",
    );
    let mut empty = good.clone();
    empty.milestones.clear();
    refused(bench.draft(&empty), "A6.malformed");
    bench.draft(&good).unwrap();
}

#[test]
fn f13_signatures_are_a_chain_over_one_hash() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let good = bench.terms(award, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
    let (first, old) = bench.draft(&good).unwrap();
    let terms = good.digest();
    let sign = |agreement, draft, terms| {
        Body::Award(AwardAct::Sign {
            agreement,
            draft,
            terms,
        })
    };
    // A second draft replaces the first, signed or not.
    bench.grantee(sign(AgreementId(first), old, terms)).unwrap();
    let (agreement, draft) = bench.draft(&good).unwrap();
    assert_eq!(
        bench
            .world
            .tables
            .agreements
            .get(&AgreementId(first))
            .unwrap()
            .state,
        AgreementState::Replaced
    );
    refused(
        bench.grantee(sign(AgreementId(first), old, terms)),
        "F13.wrong-state",
    );
    refused(
        bench.grantee(sign(AgreementId(agreement), old, terms)),
        "F13.other-draft",
    );
    refused(
        bench.grantee(sign(AgreementId(agreement), draft, Hash::ZERO)),
        "F13.other-terms",
    );
    refused(
        bench.company(OTHER, sign(AgreementId(agreement), draft, terms)),
        "F13.not-the-grantee",
    );
    let countersign = |signed, terms| {
        Body::Award(AwardAct::Countersign {
            agreement: AgreementId(agreement),
            signed,
            terms,
        })
    };
    refused(
        bench.staff(Staff::Treasurer, countersign(draft, terms)),
        "F13.wrong-state",
    );
    let signed = bench
        .grantee(sign(AgreementId(agreement), draft, terms))
        .unwrap();
    refused(
        bench.staff(Staff::Treasurer, countersign(draft, terms)),
        "F13.other-record",
    );
    refused(
        bench.staff(Staff::Treasurer, countersign(signed, Hash::ZERO)),
        "F13.other-terms",
    );
    refused(
        bench.staff(Staff::Programme, countersign(signed, terms)),
        "F13.no-new-officer",
    );
    bench
        .staff(Staff::Treasurer, countersign(signed, terms))
        .unwrap();
    refused(
        bench.staff(Staff::Treasurer, countersign(signed, terms)),
        "F13.no-new-officer",
    );
    assert_eq!(
        bench.of(AccountKind::Award(AwardId(award))),
        i128::from(8 * MILLION),
        "one signature commits nothing"
    );
    bench
        .staff(Staff::Finance, countersign(signed, terms))
        .unwrap();
    assert_eq!(
        (
            bench.of(AccountKind::Award(AwardId(award))),
            bench.of(AccountKind::Committed(AgreementId(agreement)))
        ),
        (0, i128::from(8 * MILLION))
    );
    refused(bench.draft(&good), "F13.wrong-state");
    let revoke = RevokeAward {
        award: AwardId(award),
        reason: Hash::ZERO,
    };
    refused(
        bench.direct(|tx| revoke.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))),
        "F12.agreement-in-force",
    );
    assert!(
        encode(
            bench
                .world
                .tables
                .agreements
                .get(&AgreementId(agreement))
                .unwrap()
        )
        .len()
            < PROVED_VALUE_MAX
    );
}

/// An agreement with as many milestones as there may be still is a proved value.
#[test]
fn the_largest_agreement_fits() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let mut terms = bench.terms(award, &[8 * MILLION / 32; MILESTONES_MAX], 0);
    terms.milestones[0].amount.0 += 8 * MILLION - 24 * (8 * MILLION / 32);
    terms.total = Amount(8 * MILLION);
    let agreement = bench.sign_all(&terms);
    assert!(
        encode(
            bench
                .world
                .tables
                .agreements
                .get(&AgreementId(agreement))
                .unwrap()
        )
        .len()
            < PROVED_VALUE_MAX - 512
    );
    terms.milestones.push(terms.milestones[0].clone());
    refused(bench.draft(&terms), "A6.malformed");
}

#[test]
fn f13_fund_side_signers_are_unrelated_and_an_appeal_waits() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let good = bench.terms(award, &[8 * MILLION], 0);
    let mut application = bench
        .world
        .tables
        .applications
        .get(&ApplicationId(3))
        .unwrap()
        .clone();
    application.status = ApplicationStatus::Ineligible;
    application.appeal = Some(Appeal::Filed(Hash::ZERO));
    bench.place(|tx| tx.put(application.clone()));
    refused(bench.draft(&good), "F13.appeal-open");
    application.appeal = Some(Appeal::Dismissed);
    bench.place(|tx| tx.put(application));
    // The treasurer's employer joins the grantee's group.
    let (agreement, draft) = bench.draft(&good).unwrap();
    let terms = good.digest();
    let signed = bench
        .grantee(Body::Award(AwardAct::Sign {
            agreement: AgreementId(agreement),
            draft,
            terms,
        }))
        .unwrap();
    bench.relate(GRANTEE, secretariat(MEMBERS));
    refused(
        bench.staff(
            Staff::Treasurer,
            Body::Award(AwardAct::Countersign {
                agreement: AgreementId(agreement),
                signed,
                terms,
            }),
        ),
        "N13.related",
    );
    refused(bench.draft(&good), "N13.related");
}
