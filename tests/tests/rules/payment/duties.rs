//! Separation of duties and the limits of steps (N12, R6, R13), and the tables that print.

use rollbook_core::account::Amount;
use rollbook_core::event::EventBody;
use rollbook_core::id::{MilestoneId, PaymentId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::machine::markdown;
use rollbook_core::object::agreement::Agreement;
use rollbook_core::object::award::Award;
use rollbook_core::object::deed::Step;
use rollbook_core::object::milestone::Milestone;
use rollbook_core::object::payment::{Awaited, Payment};
use rollbook_core::object::transitions;
use rollbook_core::record::{Body, Decision, PaymentAct, Tranche};
use rollbook_core::rules::funding::{duties, payment};
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, GRANTEE, MEMBERS, MILLION, Staff};

use super::refused;

#[test]
fn r13_every_step_past_its_limit_is_shown_once() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let overdue = |awaited| EventBody::StepOverdue {
        payment: PaymentId(payment),
        awaited,
    };
    assert_eq!(bench.days(40), [overdue(Awaited::Certify)]);
    bench.certify(payment).unwrap();
    assert_eq!(bench.days(40), [overdue(Awaited::Approve)]);
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    assert_eq!(
        bench.days(40),
        [
            EventBody::PayoutDelayOver {
                payment: PaymentId(payment),
                held: false
            },
            overdue(Awaited::Release)
        ]
    );
    bench.release(payment).unwrap();
    assert_eq!(bench.days(40), [overdue(Awaited::Confirm)]);
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();
    assert!(bench.days(400).is_empty());
}

/// One human with two posts, or a post and another step: the records themselves are refused, cell
/// by cell.
#[test]
fn n12_no_person_acts_twice_in_one_chain() {
    let office = secretariat(MEMBERS);
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let m1 = bench.first(agreement);
    bench.accept_milestone(m1, 4 * MILLION);
    let payment = bench
        .request(
            agreement,
            Tranche::Milestone(MilestoneId(m1)),
            36 * MILLION / 10,
        )
        .unwrap();
    let certify = Body::Payment(PaymentAct::Certify {
        payment: PaymentId(payment),
        decision: Decision::Pass,
    });
    // An assessor, a reviewer, the grantee's officer as programme officer.
    for (person, code) in [
        (officers_of(5).1, "N12.same-person"),
        (officers_of(9).1, "N12.same-person"),
        (officers_of(GRANTEE).1, "N13.related-to-grantee"),
    ] {
        let mut one = bench.fork(0);
        std::mem::swap(&mut one.alliance, &mut bench.alliance);
        one.give_post(person, Role::ProgrammeOfficer);
        refused(
            one.act(office, &[(person, Role::ProgrammeOfficer)], certify.clone()),
            code,
        );
        std::mem::swap(&mut one.alliance, &mut bench.alliance);
    }
    // Each officer of the chain, one step later under the other hat.
    bench.give_post(Staff::Programme.person(), Role::FinanceApprover);
    bench.give_post(Staff::Finance2.person(), Role::Treasurer);
    bench.give_post(Staff::Treasurer.person(), Role::SecondOfficer);
    bench.give_post(Staff::Finance.person(), Role::SecondOfficer);
    let certified = bench.certify(payment).unwrap();
    let amount = 36 * MILLION / 10;
    let approve = Body::Payment(PaymentAct::Approve {
        payment: PaymentId(payment),
        certified,
        amount: Amount(amount),
        decision: Decision::Pass,
    });
    refused(
        bench.act(
            office,
            &[(Staff::Programme.person(), Role::FinanceApprover)],
            approve,
        ),
        "N12.same-person",
    );
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    bench.days(3);
    let release = Body::Payment(PaymentAct::Release {
        payment: PaymentId(payment),
        instruction: bench.instruction(payment),
    });
    refused(
        bench.act(
            office,
            &[(Staff::Finance2.person(), Role::Treasurer)],
            release,
        ),
        "N12.same-person",
    );
    bench.release(payment).unwrap();
    for person in [Staff::Treasurer.person(), Staff::Finance.person()] {
        let settle = Body::Payment(PaymentAct::Settle {
            payment: PaymentId(payment),
            reference: bench.reference(),
            amount: Amount(amount),
        });
        refused(
            bench.act(office, &[(person, Role::SecondOfficer)], settle),
            "N12.same-person",
        );
    }
    bench.settle(payment).unwrap();
    let chain = bench
        .direct(|tx| payment::chain(tx, &tx.get::<Payment>(PaymentId(payment))?))
        .unwrap();
    assert_eq!(duties::judge_all(&bench.world.tables, &chain), Ok(()));
    let steps = duties::by_step(&chain.deeds);
    assert_eq!(
        steps[&Step::Approve],
        [Staff::Finance, Staff::Finance2].map(|staff| PersonId(staff.person()))
    );
}

#[test]
fn r6_one_employer_unless_the_charter_forbids_it() {
    let mut bench = Bench::with(|charter| charter.funding.chain_distinct_groups = true);
    let agreement = bench.agreement();
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    bench.certify(payment).unwrap();
    refused(
        bench.approve(Staff::Finance, payment),
        "R6.officers-of-one-group",
    );
}

/// The tables that the code consults, against the states that a long story reaches.
#[test]
fn the_tables_print() {
    let all = [
        transitions::<Award>(),
        transitions::<Agreement>(),
        transitions::<Milestone>(),
        transitions::<Payment>(),
    ]
    .concat();
    let text = markdown(&all);
    assert_eq!(text.lines().count(), 2 + all.len());
    for code in [
        "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F41",
        "F43", "R13", "R22",
    ] {
        assert!(all.iter().any(|row| row.code == code), "{code} has a row");
    }
}
