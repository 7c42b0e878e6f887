//! Payments from request to acknowledgement (F16 to F20, F22, F42, F43).

use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::{MS_PER_DAY, MS_PER_HOUR};
use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, MilestoneId, MotionId, PaymentId};
use rollbook_core::identity::Role;
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::payment::{Awaited, PaymentState};
use rollbook_core::record::{
    AwardAct, BankReference, Body, Channel, Decision, Instruction, LiftHold, PaymentAct, Tranche,
};
use rollbook_core::rules::effect::Effect;
use rollbook_core::tx::Due;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_proof::verify::PROVED_VALUE_MAX;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, GRANTEE, MILLION, OTHER, Staff, YUAN, hash, text};

use super::refused;

#[test]
fn agreement_one_is_paid_to_the_last_cent() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    assert_eq!(
        bench.of(AccountKind::Committed(AgreementId(agreement))),
        i128::from(8 * MILLION)
    );
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    bench.pay(agreement, Tranche::Advance, 24 * MILLION / 10);
    bench.accept_milestone(m1, 4 * MILLION);
    bench.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        24 * MILLION / 10,
    );
    bench.accept_milestone(m2, 4 * MILLION);
    let payment = bench.approved(
        agreement,
        Tranche::Milestone(MilestoneId(m2)),
        24 * MILLION / 10,
    );
    bench.advance(bench.world.now + 48 * MS_PER_HOUR + 1);
    bench.release(payment).unwrap();
    // The line of the story: D 4.8, T 2.4, K 0.8 million.
    let line = [
        AccountKind::Paid(AgreementId(agreement)),
        AccountKind::InTransit(PaymentId(payment)),
        AccountKind::Committed(AgreementId(agreement)),
    ];
    assert_eq!(
        line.map(|kind| bench.of(kind)),
        [48, 24, 8].map(|tenths| i128::from(tenths * MILLION / 10))
    );
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
    refused(
        bench.request(agreement, Tranche::Holdback, 8 * MILLION / 10),
        "F43.not-finally-accepted",
    );
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
    bench.pay(agreement, Tranche::Holdback, 8 * MILLION / 10);
    assert_eq!(
        bench.of(AccountKind::Paid(AgreementId(agreement))),
        i128::from(8 * MILLION)
    );
    assert_eq!(bench.of(AccountKind::Committed(AgreementId(agreement))), 0);
    bench.totals();
    for (_, payment) in bench.world.tables.payments.iter() {
        assert_eq!(payment.state, PaymentState::Acknowledged);
        assert!(encode(payment).len() < PROVED_VALUE_MAX);
    }
}

#[test]
fn f16_one_payment_per_tranche_of_an_agreement_in_force() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let terms = bench.terms(award, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
    let (draft, _) = bench.draft(&terms).unwrap();
    refused(
        bench.request(draft, Tranche::Advance, 24 * MILLION / 10),
        "N7.no-agreement-in-force",
    );
    let agreement = bench.sign_all(&terms);
    bench.draw(agreement, &[5, 6, 7, 8]);
    let m1 = bench.first(agreement);
    let advance = Body::Payment(PaymentAct::Request {
        agreement: AgreementId(agreement),
        tranche: Tranche::Advance,
        amount: Amount(24 * MILLION / 10),
    });
    refused(bench.company(OTHER, advance), "F16.not-the-grantee");
    refused(
        bench.request(agreement, Tranche::Advance, 24 * MILLION / 10 - 1),
        "F16.other-amount",
    );
    refused(
        bench.request(agreement, Tranche::Milestone(MilestoneId(m1)), 4 * MILLION),
        "N7.milestone-not-accepted",
    );
    refused(
        bench.request(agreement, Tranche::Milestone(MilestoneId(999)), 4 * MILLION),
        "A4.unknown-milestone",
    );
    refused(
        bench.request(agreement, Tranche::Milestone(MilestoneId(m1 + 2)), 1),
        "F16.other-agreement",
    );
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    refused(
        bench.request(agreement, Tranche::Advance, 24 * MILLION / 10),
        "N8.tranche-taken",
    );
    // A refused payment frees its tranche.
    let decision = Decision::Refuse {
        code: text("account-unclear"),
        reason: Hash::ZERO,
    };
    bench
        .staff(
            Staff::Programme,
            Body::Payment(PaymentAct::Certify {
                payment: PaymentId(payment),
                decision,
            }),
        )
        .unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Refused);
    refused(bench.certify(payment), "F17.wrong-state");
    bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    // Without an advance a milestone clears none, and then it is too late for one.
    let mut without = Bench::on_tables();
    let agreement = without.agreement();
    let m1 = without.first(agreement);
    without.accept_milestone(m1, 4 * MILLION);
    without.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        36 * MILLION / 10,
    );
    refused(
        without.request(agreement, Tranche::Advance, 24 * MILLION / 10),
        "F16.advance-too-late",
    );
}

#[test]
fn f17_f18_certificate_and_approvals() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let approve = |certified, amount| {
        Body::Payment(PaymentAct::Approve {
            payment: PaymentId(payment),
            certified,
            amount,
            decision: Decision::Pass,
        })
    };
    refused(bench.approve(Staff::Finance, payment), "F18.wrong-state");
    let certified = bench.certify(payment).unwrap();
    refused(bench.certify(payment), "F17.wrong-state");
    refused(
        bench.staff(
            Staff::Finance,
            approve(Hash::ZERO, Amount(24 * MILLION / 10)),
        ),
        "F18.other-certificate",
    );
    refused(
        bench.staff(Staff::Finance, approve(certified, Amount(1))),
        "F18.other-amount",
    );
    refused(
        bench.staff(
            Staff::Programme,
            approve(certified, Amount(24 * MILLION / 10)),
        ),
        "A6.role-missing",
    );
    bench.approve(Staff::Finance, payment).unwrap();
    assert_eq!(
        bench.payment(payment).state,
        PaymentState::Certified,
        "above 200,000 two approve"
    );
    refused(bench.approve(Staff::Finance, payment), "N12.same-person");
    refused(bench.release(payment), "F20.wrong-state");
    bench.approve(Staff::Finance2, payment).unwrap();
    refused(bench.approve(Staff::Finance2, payment), "F18.wrong-state");
    refused(bench.release(payment), "F20.delay-runs");
    // An approver may still refuse; the tranche is free again.
    let decision = Decision::Refuse {
        code: text("budget"),
        reason: Hash::ZERO,
    };
    bench
        .staff(
            Staff::Finance,
            Body::Payment(PaymentAct::Approve {
                payment: PaymentId(payment),
                certified,
                amount: Amount(1),
                decision,
            }),
        )
        .unwrap();
    assert!(
        bench.days(30).is_empty(),
        "no clock of a refused payment runs"
    );
    bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
}

#[test]
fn f18_small_payments_need_one_approver() {
    let mut bench = Bench::on_tables();
    let award = bench.accepted_award();
    let terms = bench.terms(award, &[8 * MILLION], 200_000 * YUAN);
    let agreement = bench.sign_all(&terms);
    let payment = bench
        .request(agreement, Tranche::Advance, 200_000 * YUAN)
        .unwrap();
    bench.certify(payment).unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Approved);
}

#[test]
fn f19_two_seat_holders_hold_within_the_delay() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    refused(bench.hold(1, payment), "F19.wrong-state");
    bench.certify(payment).unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    // Seats are held by 1 to 9.
    refused(bench.hold(10, payment), "F19.not-a-seat-holder");
    bench.relate(1, 2);
    bench.relate(4, GRANTEE);
    refused(bench.hold(4, payment), "N13.related-to-grantee");
    bench.hold(1, payment).unwrap();
    refused(bench.hold(1, payment), "F19.same-group");
    refused(bench.hold(2, payment), "F19.same-group");
    let mut single = bench.fork(50);
    bench.hold(3, payment).unwrap();
    assert_eq!(bench.payment(payment).state, PaymentState::Held);
    refused(bench.hold(5, payment), "F19.wrong-state");
    let events = bench.days(3);
    assert_eq!(
        events,
        [EventBody::PayoutDelayOver {
            payment: PaymentId(payment),
            held: true
        }]
    );
    refused(bench.release(payment), "F19.held");
    let mut lifted = bench.fork(70);
    assert_eq!(
        bench.days(30),
        [EventBody::HoldEnded {
            payment: PaymentId(payment)
        }]
    );
    lifted
        .direct(|tx| {
            LiftHold {
                payment: PaymentId(payment),
                reason: Hash::ZERO,
            }
            .carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
        })
        .unwrap();
    refused(
        lifted.direct(|tx| {
            LiftHold {
                payment: PaymentId(payment),
                reason: Hash::ZERO,
            }
            .carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
        }),
        "F19.not-held",
    );
    assert_eq!(
        lifted.days(12),
        [EventBody::StepOverdue {
            payment: PaymentId(payment),
            awaited: Awaited::Release
        }]
    );
    bench.release(payment).unwrap();
    // One voice alone holds nothing, and is void with the delay.
    single.world.now += 3 * MS_PER_DAY;
    assert_eq!(single.payment(payment).state, PaymentState::Approved);
    let body = Body::Payment(PaymentAct::Hold {
        payment: PaymentId(payment),
        ground: Hash::ZERO,
    });
    let (first, second) = officers_of(3);
    let signers = [(first, Role::Primary), (second, Role::Finance)];
    single.alliance = bench.alliance;
    refused(single.act(3, &signers, body), "F19.delay-over");
    single.release(payment).unwrap();
}

#[test]
fn f20_the_instruction_is_new_and_goes_to_the_account_in_force() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench.approved(agreement, Tranche::Advance, 24 * MILLION / 10);
    let good = bench.instruction(payment);
    let release = |instruction: &Instruction| {
        Body::Payment(PaymentAct::Release {
            payment: PaymentId(payment),
            instruction: instruction.clone(),
        })
    };
    refused(
        bench.staff(Staff::Treasurer, release(&good)),
        "F20.delay-runs",
    );
    assert_eq!(
        bench.days(3),
        [EventBody::PayoutDelayOver {
            payment: PaymentId(payment),
            held: false
        }]
    );
    refused(
        bench.staff(
            Staff::Treasurer,
            release(&Instruction {
                account: hash("other"),
                ..good.clone()
            }),
        ),
        "N11.other-account",
    );
    refused(
        bench.staff(
            Staff::Treasurer,
            release(&Instruction {
                amount: Amount(1),
                ..good.clone()
            }),
        ),
        "F20.other-amount",
    );
    refused(
        bench.staff(
            Staff::Treasurer,
            release(&Instruction {
                reference: text("a b"),
                ..good.clone()
            }),
        ),
        "A6.malformed",
    );
    refused(
        bench.staff(Staff::Officer, release(&good)),
        "A6.role-missing",
    );
    bench.staff(Staff::Treasurer, release(&good)).unwrap();
    refused(
        bench.staff(Staff::Treasurer, release(&good)),
        "F20.wrong-state",
    );
    assert_eq!(
        bench.of(AccountKind::InTransit(PaymentId(payment))),
        i128::from(24 * MILLION / 10)
    );
    // Returned by the bank: back to K, and released again only with new identifiers.
    let reference = bench.reference();
    let amount = 24 * MILLION / 10;
    let returned = Body::Payment(PaymentAct::Return {
        payment: PaymentId(payment),
        reference: reference.clone(),
        amount: Amount(amount),
        reason: text("AC04"),
    });
    bench.staff(Staff::Officer, returned).unwrap();
    assert_eq!(
        (
            bench.of(AccountKind::InTransit(PaymentId(payment))),
            bench.of(AccountKind::Committed(AgreementId(agreement)))
        ),
        (0, i128::from(8 * MILLION))
    );
    let fresh = bench.instruction(payment);
    let old_id = Instruction {
        reference: good.reference.clone(),
        ..fresh.clone()
    };
    refused(
        bench.staff(Staff::Treasurer, release(&old_id)),
        "N8.instruction-id-used",
    );
    refused(
        bench.staff(
            Staff::Treasurer,
            release(&Instruction {
                uetr: good.uetr,
                ..fresh.clone()
            }),
        ),
        "N8.instruction-id-used",
    );
    bench.staff(Staff::Treasurer, release(&fresh)).unwrap();
    let settle = |reference: &BankReference, amount| {
        Body::Payment(PaymentAct::Settle {
            payment: PaymentId(payment),
            reference: reference.clone(),
            amount,
        })
    };
    refused(
        bench.staff(Staff::Officer, settle(&reference, Amount(amount))),
        "N8.bank-reference-used",
    );
    let fresh = bench.reference();
    refused(
        bench.staff(Staff::Officer, settle(&fresh, Amount(1))),
        "F21.other-amount",
    );
    refused(
        bench.staff(Staff::Treasurer, settle(&fresh, Amount(amount))),
        "A6.role-missing",
    );
    bench
        .staff(Staff::Officer2, settle(&fresh, Amount(amount)))
        .unwrap();
    refused(bench.settle(payment), "F21.wrong-state");
    assert_eq!(bench.payment(payment).attempts, 2);
}

#[test]
fn f22_acknowledged_disputed_or_reported() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench.approved(agreement, Tranche::Advance, 24 * MILLION / 10);
    bench.days(3);
    bench.release(payment).unwrap();
    refused(bench.acknowledge(payment), "F22.wrong-state");
    bench.settle(payment).unwrap();
    let world = bench.world.clone();
    refused(
        bench.company(
            OTHER,
            Body::Payment(PaymentAct::Acknowledge {
                payment: PaymentId(payment),
                amount: Amount(1),
            }),
        ),
        "F22.not-the-grantee",
    );
    refused(
        bench.grantee(Body::Payment(PaymentAct::Acknowledge {
            payment: PaymentId(payment),
            amount: Amount(1),
        })),
        "F22.other-amount",
    );
    bench
        .grantee(Body::Payment(PaymentAct::Dispute {
            payment: PaymentId(payment),
            ground: Hash::ZERO,
        }))
        .unwrap();
    refused(bench.acknowledge(payment), "F22.wrong-state");
    assert!(bench.days(30).is_empty());
    bench.world = world;
    assert_eq!(
        bench.days(17),
        [EventBody::Unacknowledged {
            payment: PaymentId(payment),
            amount: Amount(24 * MILLION / 10)
        }]
    );
    refused(
        bench.grantee(Body::Payment(PaymentAct::Dispute {
            payment: PaymentId(payment),
            ground: Hash::ZERO,
        })),
        "F22.wrong-state",
    );
    bench.acknowledge(payment).unwrap();
}

#[test]
fn f42_a_new_account_cools_off_and_is_confirmed_by_another() {
    for confirm_first in [true, false] {
        let mut bench = Bench::on_tables();
        let agreement = bench.agreement();
        let payment = bench.approved(agreement, Tranche::Advance, 24 * MILLION / 10);
        bench.days(3);
        let account = hash("new account");
        let change = |account| {
            Body::Award(AwardAct::ChangeAccount {
                agreement: AgreementId(agreement),
                account,
            })
        };
        refused(bench.grantee(change(hash("account"))), "F42.same-account");
        refused(bench.company(OTHER, change(account)), "F13.not-the-grantee");
        let (first, second) = officers_of(GRANTEE);
        refused(
            bench.act(
                GRANTEE,
                &[(first, Role::Primary), (second, Role::Technical)],
                change(account),
            ),
            "A6.too-few-officers",
        );
        let record = bench.grantee(change(account)).unwrap();
        refused(bench.release(payment), "N11.account-changing");
        let confirm = |change, account| {
            Body::Award(AwardAct::ConfirmAccount {
                agreement: AgreementId(agreement),
                change,
                account,
                channel: Channel::Telephone,
            })
        };
        refused(
            bench.staff(Staff::Officer, confirm(Hash::ZERO, account)),
            "F42.other-change",
        );
        refused(
            bench.staff(Staff::Treasurer, confirm(record, account)),
            "A6.role-missing",
        );
        if confirm_first {
            bench
                .staff(Staff::Officer, confirm(record, account))
                .unwrap();
            refused(
                bench.staff(Staff::Officer, confirm(record, account)),
                "F42.confirmed-before",
            );
        }
        refused(bench.release(payment), "N11.account-changing");
        let events = bench.days(8);
        assert!(
            events.contains(&EventBody::AccountCooled {
                agreement: AgreementId(agreement),
                account,
                in_force: confirm_first
            }),
            "{events:?}"
        );
        if !confirm_first {
            refused(bench.release(payment), "N11.account-changing");
            bench
                .staff(Staff::Officer, confirm(record, account))
                .unwrap();
        }
        refused(
            bench.staff(Staff::Officer, confirm(record, account)),
            "F42.no-change",
        );
        assert_eq!(
            bench
                .world
                .tables
                .agreements
                .get(&AgreementId(agreement))
                .unwrap()
                .account,
            account
        );
        bench.release(payment).unwrap();
    }
}
