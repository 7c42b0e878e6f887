//! A set-off pays the grantee, so it asks what a release asks (F45): of the payment, of the agreement, of the
//! grantee, and of who acts.

use rollbook_core::account::Amount;
use rollbook_core::id::{PaymentId, PersonId, RecoveryId};
use rollbook_core::identity::Role;
use rollbook_core::object::deed::Step;
use rollbook_core::object::membership::{Discipline, Dues, Live, Standing};
use rollbook_core::object::payment::PaymentState;
use rollbook_core::record::{AwardAct, Body, MeasureKind, SetOffEntry, Tranche};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, GRANTEE, MEMBERS, MILLION, Staff, hash};

use super::life::{announce, suspend};
use super::recoveries::{
    agree_set_off, debt, enter_set_off, other_agreement, second_agreement, set_off,
};
use super::refused;

/// A debt of a million of the first agreement.
fn indebted() -> (Bench, RecoveryId) {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    bench.pay(number, Tranche::Advance, 24 * MILLION / 10);
    let recovery = debt(&mut bench, number, MILLION);
    (bench, recovery)
}

fn entry(recovery: RecoveryId, payment: u32) -> Body {
    Body::Award(AwardAct::SetOff(SetOffEntry {
        recovery,
        payment: PaymentId(payment),
        amount: Amount(1),
    }))
}

/// Within the 48 hours in which two seat holders may hold a payment nothing of it is paid. It was, by set-off.
#[test]
fn f45_nothing_is_set_off_while_the_delay_runs() {
    let (mut bench, recovery) = indebted();
    let second = other_agreement(&mut bench, &[2 * MILLION], 6 * MILLION / 10);
    let payment = bench.approved(second, Tranche::Advance, 6 * MILLION / 10);
    refused(
        enter_set_off(&mut bench, recovery, payment, 1),
        "F20.delay-runs",
    );
    bench.hold(1, payment).unwrap();
    bench.hold(3, payment).unwrap();
    bench.days(3);
    refused(
        enter_set_off(&mut bench, recovery, payment, 1),
        "F45.payment-not-approved",
    );
    bench.days(30);
    set_off(&mut bench, recovery, payment, 1);
}

/// A hold, a suspension of the agreement and a suspension of the grantee stop a set-off, also one that is
/// entered already; arrears, for which the release alone waits, do not.
#[test]
fn f45_nothing_is_set_off_while_payments_are_stopped() {
    let (mut bench, recovery) = indebted();
    let (second, payment) = second_agreement(&mut bench);
    let entered = enter_set_off(&mut bench, recovery, payment, 1).unwrap();
    let measure = announce(&mut bench, second, MeasureKind::Payment).unwrap();
    let ground = hash("ground");
    let hold = Body::Award(AwardAct::HoldPayments { measure, ground });
    bench.staff(Staff::Finance, hold).unwrap();
    for code in ["N10.payments-held", "N10.agreement-suspended"] {
        refused(enter_set_off(&mut bench, recovery, payment, 1), code);
        refused(agree_set_off(&mut bench, entered), code);
        if code == "N10.payments-held" {
            bench.days(34);
            suspend(&mut bench, measure).unwrap();
        }
    }

    let (mut bench, recovery) = indebted();
    let (_, payment) = second_agreement(&mut bench);
    let entered = enter_set_off(&mut bench, recovery, payment, 1).unwrap();
    let grantee = OrganisationId(GRANTEE);
    let tables = &bench.world.tables;
    let number = tables.organisations.get(&grantee).unwrap().membership;
    let mut membership = tables.memberships.get(&number.unwrap()).unwrap().clone();
    let before = membership.clone();
    let discipline = Discipline::Suspended;
    membership.standing = Standing::Live(Live { discipline });
    bench.place(|tx| tx.put(membership));
    refused(
        enter_set_off(&mut bench, recovery, payment, 1),
        "R5.payment-paused",
    );
    refused(agree_set_off(&mut bench, entered), "R5.payment-paused");
    bench.place(|tx| {
        let mut dues = tx.t.dues.get(&before.number).unwrap().clone();
        dues.dues = Dues::Arrears;
        tx.t.dues().put(before.number, dues);
        tx.put(before);
    });
    refused(bench.release(payment), "R5.payment-withheld");
    agree_set_off(&mut bench, entered).unwrap();
}

/// Nobody acts twice in the chain, and nobody of the grantee's group acts in it: who certified does not enter a
/// set-off, who approved does not agree to it, and who agreed is in the chain as who released.
#[test]
fn f45_who_sets_off_has_acted_in_the_chain() {
    let (mut bench, recovery) = indebted();
    let (_, payment) = second_agreement(&mut bench);
    let office = secretariat(MEMBERS);
    let programme = Staff::Programme.person();
    bench.give_post(programme, Role::FinanceApprover);
    let signed = [(programme, Role::FinanceApprover)];
    refused(
        bench.act(office, &signed, entry(recovery, payment)),
        "N12.same-person",
    );
    let entered = enter_set_off(&mut bench, recovery, payment, 1).unwrap();
    let approver = Staff::Finance2.person();
    bench.give_post(approver, Role::Treasurer);
    let agree = Body::Award(AwardAct::AgreeSetOff { entry: entered });
    let signed = [(approver, Role::Treasurer)];
    refused(bench.act(office, &signed, agree), "N12.same-person");
    agree_set_off(&mut bench, entered).unwrap();
    let released = |bench: &Bench| {
        let deeds = bench.payment(payment).deeds;
        let released = deeds.iter().filter(|deed| deed.step == Step::Release);
        released.map(|deed| deed.person).collect::<Vec<_>>()
    };
    let treasurer = PersonId(Staff::Treasurer.person());
    assert_eq!(released(&bench), [treasurer]);
    // The same treasurer releases what is left, and somebody else confirms it.
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    assert_eq!(released(&bench), [treasurer]);
}

/// A tie taints the approval of a payment: it is not set off in the block of the tie, and not after it.
#[test]
fn f45_a_tainted_chain_is_not_set_off() {
    let (mut bench, recovery) = indebted();
    let second = other_agreement(&mut bench, &[2 * MILLION], 6 * MILLION / 10);
    let person = officers_of(4).1;
    bench.give_post(person, Role::ProgrammeOfficer);
    let payment = bench
        .request(second, Tranche::Advance, 6 * MILLION / 10)
        .unwrap();
    let certify = Body::Payment(rollbook_core::record::PaymentAct::Certify {
        payment: PaymentId(payment),
        decision: rollbook_core::record::Decision::Pass,
    });
    let office = secretariat(MEMBERS);
    bench
        .act(office, &[(person, Role::ProgrammeOfficer)], certify)
        .unwrap();
    bench.approve(Staff::Finance, payment).unwrap();
    bench.approve(Staff::Finance2, payment).unwrap();
    bench.days(3);
    let entered = enter_set_off(&mut bench, recovery, payment, 1).unwrap();
    bench.relate(4, GRANTEE);
    bench.place(|tx| tx.cancel(DeadlineKind::TieRecorded, OrganisationId(4)));
    refused(
        enter_set_off(&mut bench, recovery, payment, 1),
        "R30.tainted-deed",
    );
    refused(agree_set_off(&mut bench, entered), "R30.tainted-deed");
}

/// A tie of who agreed to a set-off: what was set off stays, the deed falls, and the rest waits for another
/// release.
#[test]
fn r30_a_tainted_set_off_stays_set_off() {
    let (mut bench, recovery) = indebted();
    let (_, payment) = second_agreement(&mut bench);
    let entered = enter_set_off(&mut bench, recovery, payment, MILLION / 10).unwrap();
    let person = officers_of(4).1;
    bench.give_post(person, Role::Treasurer);
    let agree = Body::Award(AwardAct::AgreeSetOff { entry: entered });
    let office = secretariat(MEMBERS);
    bench
        .act(office, &[(person, Role::Treasurer)], agree)
        .unwrap();
    bench.relate(4, GRANTEE);
    bench.days(1);
    let known = bench.payment(payment);
    assert_eq!(known.state, PaymentState::Approved);
    assert_eq!(known.set_off, Amount(MILLION / 10));
    assert!(known.deeds.iter().all(|deed| deed.step != Step::Release));
    bench.release(payment).unwrap();
}
