//! Time limits of an agreement that is suspended, goes on or ends: nobody is late for what stood still, for what
//! was done meanwhile, or for ever in time for what is still owed.

use rollbook_core::event::EventBody;
use rollbook_core::id::{AgreementId, MilestoneId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::payment::Awaited;
use rollbook_core::record::{AwardAct, Body, Decision, MeasureKind, PaymentAct, Tranche};
use rollbook_core::tx::DeadlineKind;
use rollbook_sandbox::alliance::secretariat;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{Bench, GRANTEE, MEMBERS, MILLION, Staff};

use super::life::{announce, close, entry, suspend, terminate};
use super::refused;

fn resume(bench: &mut Bench, agreement: u32) {
    let agreement = AgreementId(agreement);
    let act = Body::Award(AwardAct::Resume { agreement });
    bench.staff(Staff::Finance, act.clone()).unwrap();
    bench.staff(Staff::Programme, act).unwrap();
}

fn runs(bench: &Bench, kind: DeadlineKind, object: u32) -> bool {
    let key = (kind as u16, object);
    bench.world.tables.deadline_of.contains(&key)
}

/// Who was told to be late with a payment.
fn late(events: &[EventBody], of: u32) -> Vec<Awaited> {
    let late = events.iter().filter_map(|event| match event {
        EventBody::StepOverdue { payment, awaited } => (payment.0 == of).then_some(*awaited),
        _ => None,
    });
    late.collect()
}

/// A limit that stands still was taken for one that is over: the deputy of the programme officer certified.
#[test]
fn f24_a_limit_that_stands_still_is_not_over() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let measure = announce(&mut bench, number, MeasureKind::Deadline).unwrap();
    bench.days(34);
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    let deputy = officers_of(4).1;
    let posts = bench.world.tables.posts.iter();
    let mut post = posts
        .map(|(_, post)| post.clone())
        .find(|post| post.holder == PersonId(Staff::Programme.person()))
        .unwrap();
    post.deputy = Some(PersonId(deputy));
    bench.place(|tx| tx.put(post));
    suspend(&mut bench, measure).unwrap();
    let certify = Body::Payment(PaymentAct::Certify {
        payment: rollbook_core::id::PaymentId(payment),
        decision: Decision::Pass,
    });
    let signed = [(deputy, Role::ProgrammeOfficer)];
    let office = secretariat(MEMBERS);
    refused(
        bench.act(office, &signed, certify.clone()),
        "A6.role-not-held",
    );
    resume(&mut bench, number);
    assert_eq!(late(&bench.days(30), payment), [Awaited::Certify]);
    bench.act(office, &signed, certify).unwrap();
}

/// A payment is certified while the limits stand still. The limit of the certificate ran again with the
/// agreement, and the officer was told to be late with what was done.
#[test]
fn f24_what_was_done_meanwhile_is_not_late() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let measure = announce(&mut bench, number, MeasureKind::Deadline).unwrap();
    bench.days(34);
    let payment = bench
        .request(number, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    suspend(&mut bench, measure).unwrap();
    bench.certify(payment).unwrap();
    resume(&mut bench, number);
    assert!(!runs(&bench, DeadlineKind::CertifyDue, payment));
    assert_eq!(late(&bench.days(60), payment), [Awaited::Approve]);
}

/// A suspended agreement is terminated: what is owed waited for officers who were never late.
#[test]
fn f25_what_is_still_owed_is_paid_in_time() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let m1 = bench.first(number);
    bench.accept_milestone(m1, 4 * MILLION);
    let measure = announce(&mut bench, number, MeasureKind::Payment).unwrap();
    bench.days(34);
    let tranche = Tranche::Milestone(MilestoneId(m1));
    let payment = bench.request(number, tranche, 36 * MILLION / 10).unwrap();
    suspend(&mut bench, measure).unwrap();
    let end = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    assert!(late(&bench.days(34), payment).is_empty());
    assert!(!runs(&bench, DeadlineKind::CertifyDue, payment));
    terminate(&mut bench, end).unwrap();
    assert!(runs(&bench, DeadlineKind::CertifyDue, payment));
    assert_eq!(late(&bench.days(60), payment), [Awaited::Certify]);
    assert_eq!(bench.world.tables.paused.iter().count(), 0);
}

/// What is settled may be disputed for some days. The agreement was closed meanwhile, and a dispute of its
/// payment had nobody to end it.
#[test]
fn f28_nothing_is_closed_while_a_payment_may_be_disputed() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let advance = bench.approved(number, Tranche::Advance, 24 * MILLION / 10);
    bench.days(3);
    bench.release(advance).unwrap();
    let measure = announce(&mut bench, number, MeasureKind::Termination).unwrap();
    bench.days(34);
    terminate(&mut bench, measure).unwrap();
    bench.settle(advance).unwrap();
    refused(
        close(&mut bench, Staff::Programme, number),
        "F28.payment-open",
    );
    bench.days(16);
    close(&mut bench, Staff::Programme, number).unwrap();
    close(&mut bench, Staff::Finance, number).unwrap();
    assert_eq!(entry(&bench, number).state, AgreementState::Closed);
}

/// Wholly suspended, nobody may assess; a tie takes an assessor meanwhile, and the next one had days that ran, and
/// was replaced as late.
#[test]
fn f24_nobody_is_late_to_assess_while_nobody_may() {
    let mut bench = Bench::on_tables();
    let number = bench.agreement();
    let m1 = bench.first(number);
    let measure = announce(&mut bench, number, MeasureKind::Whole).unwrap();
    bench.days(34);
    bench.submit(m1, "x").unwrap();
    suspend(&mut bench, measure).unwrap();
    let tied = bench.milestone(m1).assessors[0].home.0;
    bench.relate(tied, GRANTEE);
    let late = |event: &EventBody| matches!(event, EventBody::AssessorLate { .. });
    let events = bench.days(60);
    assert!(!events.iter().any(late), "{events:?}");
    let of = |bench: &Bench| {
        let assessors = bench.milestone(m1).assessors;
        assessors.iter().map(|one| one.person).collect::<Vec<_>>()
    };
    let assessors = of(&bench);
    assert_eq!(assessors.len(), 2, "the next of the draw took the place");
    resume(&mut bench, number);
    assert!(runs(&bench, DeadlineKind::AssessDue, m1));
    bench.days(10);
    assert_eq!(of(&bench), assessors);
    assert!(bench.days(20).iter().any(late));
}
