//! Money from award to acknowledgement on a real ledger, built by one and executed by another: the
//! story, and the invariants N4 to N12 over random sequences; and the same sequences, many more of
//! them, on bare tables.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rollbook_core::account::{AccountKind, Amount};
use rollbook_core::calendar::MS_PER_HOUR;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{
    AgreementId, ApplicationId, AwardId, CallId, MilestoneId, MotionId, PaymentId,
};
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::milestone::Paid;
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::record::{
    AwardAct, Body, Channel, Decision, DrawFor, Finding, GrantAward, LiftHold, MotionEffect,
    PaymentAct, PlaceApplication, Placing, PoolKind, RevokeAward, Tranche,
};
use rollbook_core::rules::effect::Effect;
use rollbook_core::rules::funding::{duties, payment};
use rollbook_core::tx::Due;
use rollbook_core::word::Word;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_proof::verify::PROVED_VALUE_MAX;
use rollbook_tests::grants::{Bench, CALL, GRANTEE, MILLION, REVIEWERS, Staff, YUAN, hash, text};

#[derive(Debug, Clone)]
enum Op {
    Submit(u32),
    Assess(u32, u32, u8),
    Request(u8),
    Certify(u32, bool),
    Approve(u32, bool, bool),
    Hold(u32, u32),
    Lift(u32),
    Release(u32, bool),
    Settle(u32, bool),
    Return(u32),
    Acknowledge(u32, bool),
    Account(u8),
    Confirm,
    Days(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let small = 0u32..6;
    let op = prop_oneof![
        4 => (0u32..4).prop_map(Op::Submit),
        8 => (0u32..4, 5u32..9, 0u8..6)
            .prop_map(|(milestone, who, finding)| Op::Assess(milestone, who, finding)),
        6 => (0u8..6).prop_map(Op::Request),
        6 => (small.clone(), prop::bool::weighted(0.9))
            .prop_map(|(nth, pass)| Op::Certify(nth, pass)),
        8 => (small.clone(), any::<bool>(), prop::bool::weighted(0.95))
            .prop_map(|(nth, who, pass)| Op::Approve(nth, who, pass)),
        2 => (small.clone(), 1u32..4).prop_map(|(nth, who)| Op::Hold(nth, who)),
        1 => small.clone().prop_map(Op::Lift),
        7 => (small.clone(), prop::bool::weighted(0.9))
            .prop_map(|(nth, fresh)| Op::Release(nth, fresh)),
        6 => (small.clone(), prop::bool::weighted(0.9))
            .prop_map(|(nth, fresh)| Op::Settle(nth, fresh)),
        2 => small.clone().prop_map(Op::Return),
        4 => (small, prop::bool::weighted(0.7)).prop_map(|(nth, yes)| Op::Acknowledge(nth, yes)),
        1 => any::<u8>().prop_map(Op::Account),
        1 => Just(Op::Confirm),
        5 => prop_oneof![4 => 0u64..4, 1 => 4u64..40].prop_map(Op::Days),
    ];
    proptest::collection::vec(op, 20..120)
}

/// What the random suite does with a bench.
trait Random {
    fn step(&mut self, agreement: u32, op: &Op);
    fn check_invariants(&mut self, agreement: u32, seen: &mut Seen) -> Result<(), TestCaseError>;
}

impl Random for Bench {
    /// Does one step; whether it is refused is the rules' business.
    fn step(&mut self, agreement: u32, op: &Op) {
        let first = self.first(agreement);
        let payment = |bench: &Bench, index: u32| {
            let count = bench.world.tables.payments.len() as u32;
            if count == 0 { 1 } else { 1 + index % count }
        };
        let known = |bench: &Bench, index: u32| {
            bench
                .world
                .tables
                .payments
                .contains(&PaymentId(payment(bench, index)))
        };
        let _ = match *op {
            Op::Submit(milestone) => {
                self.submit(first + milestone % 3, &format!("evidence {milestone}"))
            }
            Op::Assess(milestone, who, finding) => {
                let planned = self
                    .world
                    .tables
                    .milestones
                    .get(&MilestoneId(first + milestone % 3))
                    .unwrap()
                    .planned;
                let finding = match finding {
                    0..3 => Finding::Accept(planned),
                    3 => Finding::Accept(Amount(planned.0 / 3 + 1)),
                    4 => Finding::Rework,
                    _ => Finding::Reject,
                };
                self.assess(who, first + milestone % 3, finding)
            }
            Op::Request(which) => {
                let tranche = match which % 4 {
                    0 => Tranche::Advance,
                    1 => Tranche::Milestone(MilestoneId(first)),
                    2 => Tranche::Milestone(MilestoneId(first + 1)),
                    _ => Tranche::Holdback,
                };
                // Ask for anything; the refusal names what is due, and that is asked for.
                match self.request(agreement, tranche, 1) {
                    Err(refusal) if refusal.code == "F16.other-amount" => {
                        let due: u64 = refusal.facts[0].1.parse().unwrap();
                        self.request(agreement, tranche, due).map(|_| Hash::ZERO)
                    }
                    other => other.map(|_| Hash::ZERO),
                }
            }
            Op::Certify(nth, pass) => {
                let refuse = Decision::Refuse {
                    code: text("no"),
                    reason: Hash::ZERO,
                };
                let decision = if pass { Decision::Pass } else { refuse };
                self.staff(
                    Staff::Programme,
                    Body::Payment(PaymentAct::Certify {
                        payment: PaymentId(payment(self, nth)),
                        decision,
                    }),
                )
            }
            Op::Approve(nth, second, pass) if known(self, nth) => {
                let number = payment(self, nth);
                let who = if second {
                    Staff::Finance2
                } else {
                    Staff::Finance
                };
                if pass {
                    self.approve(who, number)
                } else {
                    let decision = Decision::Refuse {
                        code: text("no"),
                        reason: Hash::ZERO,
                    };
                    let act = PaymentAct::Approve {
                        payment: PaymentId(number),
                        certified: Hash::ZERO,
                        amount: Amount(1),
                        decision,
                    };
                    self.staff(who, Body::Payment(act))
                }
            }
            Op::Hold(nth, who) => self.hold(who, payment(self, nth)),
            // On a ledger the board lifts, in a week; the story has it.
            Op::Lift(nth) if self.ledger.is_none() => {
                let number = payment(self, nth);
                self.direct(|tx| {
                    LiftHold {
                        payment: PaymentId(number),
                        reason: Hash::ZERO,
                    }
                    .carry_out(tx, MotionId(0), Due::acting(LedgerTime(0)))
                })
                .map(|()| Hash::ZERO)
            }
            Op::Release(nth, fresh) if known(self, nth) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.release(payment(self, nth))
            }
            Op::Settle(nth, fresh) if known(self, nth) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.settle(payment(self, nth))
            }
            Op::Return(nth) if known(self, nth) => self.give_back(payment(self, nth)),
            Op::Acknowledge(nth, yes) if known(self, nth) => {
                let number = payment(self, nth);
                if yes {
                    self.acknowledge(number)
                } else {
                    self.grantee(Body::Payment(PaymentAct::Dispute {
                        payment: PaymentId(number),
                        ground: Hash::ZERO,
                    }))
                }
            }
            Op::Account(which) => {
                let account = hash(&format!("account {which}"));
                self.grantee(Body::Award(AwardAct::ChangeAccount {
                    agreement: AgreementId(agreement),
                    account,
                }))
            }
            Op::Confirm => match self
                .world
                .tables
                .agreements
                .get(&AgreementId(agreement))
                .unwrap()
                .change
                .clone()
            {
                Some(change) => {
                    let (record, account, channel) =
                        (change.record, change.account, Channel::InPerson);
                    let act = AwardAct::ConfirmAccount {
                        agreement: AgreementId(agreement),
                        change: record,
                        account,
                        channel,
                    };
                    self.staff(Staff::Officer, Body::Award(act))
                }
                None => Ok(Hash::ZERO),
            },
            Op::Days(days) => {
                self.days(days);
                Ok(Hash::ZERO)
            }
            _ => Ok(Hash::ZERO),
        };
    }

    /// N1, N3 to N12 over whatever has happened.
    fn check_invariants(&mut self, agreement: u32, seen: &mut Seen) -> Result<(), TestCaseError> {
        let totals = self.totals();
        let known = self
            .world
            .tables
            .agreements
            .get(&AgreementId(agreement))
            .unwrap()
            .clone();
        // N4: awards of the call and what it holds are its budget.
        let awarded: u64 = self
            .world
            .tables
            .awards
            .iter()
            .filter(|(_, award)| award.counts())
            .map(|(_, award)| award.amount.0)
            .sum();
        prop_assert_eq!(
            i128::from(awarded) + self.of(AccountKind::Call(CallId(CALL))),
            i128::from(20 * MILLION)
        );
        // N5.
        prop_assert_eq!(
            known
                .terms
                .milestones
                .iter()
                .map(|plan| plan.amount.0)
                .sum::<u64>(),
            known.terms.total.0
        );
        // N6: K + T + D = the signed total; there is no other agreement.
        prop_assert_eq!(
            totals.committed + totals.in_transit + totals.paid,
            i128::from(known.terms.total)
        );
        let mut tranches: BTreeMap<Tranche, u32> = BTreeMap::new();
        let mut paid = 0u64;
        let mut transit = 0u64;
        for (number, payment) in self.world.tables.payments.iter() {
            prop_assert!(encode(payment).len() < PROVED_VALUE_MAX);
            let before = seen.states.insert(number.0, payment.state);
            if payment.state == PaymentState::Refused {
                continue;
            }
            // N8: one live or made payment per tranche.
            *tranches.entry(payment.tranche).or_default() += 1;
            if matches!(payment.state, PaymentState::Released) {
                transit += payment.amount.0;
            }
            let gone = [
                PaymentState::Released,
                PaymentState::Settled,
                PaymentState::Acknowledged,
                PaymentState::Disputed,
                PaymentState::Unacknowledged,
            ];
            if gone.contains(&payment.state) {
                paid += payment.amount.0;
                // N7: what left has its agreement and its milestone.
                prop_assert!(matches!(
                    known.state,
                    AgreementState::InForce | AgreementState::Completed
                ));
                if let Tranche::Milestone(milestone) = payment.tranche {
                    prop_assert!(self.milestone(milestone.0).state.is_accepted());
                }
            }
            if payment.state == PaymentState::Released && before != Some(PaymentState::Released) {
                let instruction = payment.instruction.clone().unwrap();
                prop_assert!(
                    seen.ids.insert(instruction.reference.as_str().to_owned()),
                    "an EndToEndId twice"
                );
                prop_assert!(
                    seen.ids
                        .insert(instruction.uetr.unwrap().as_str().to_owned()),
                    "a UETR twice"
                );
                // N11: to the account in force, while none cools off.
                prop_assert_eq!(instruction.account, known.account);
                prop_assert!(known.change.is_none());
                prop_assert!(payment.approvals >= payment.approvals_needed);
                prop_assert!(self.world.now >= payment.approved_ms.unwrap().0 + 48 * MS_PER_HOUR);
            }
            if payment.state == PaymentState::Settled && before != Some(PaymentState::Settled) {
                let reference = payment.settlement.clone().unwrap();
                prop_assert!(
                    seen.ids.insert(reference.0.as_str().to_owned()),
                    "a bank reference twice"
                );
            }
        }
        prop_assert!(tranches.values().all(|count| *count == 1));
        prop_assert_eq!(totals.in_transit, i128::from(transit));
        // N9: the cap before final acceptance; never more than was accepted, but for the advance.
        if known.state != AgreementState::Completed {
            prop_assert!(paid <= Paid::cap(&known.terms).0);
        }
        prop_assert!(
            paid <= (known
                .accepted
                .max(known.terms.advance)
                .max(known.accepted.saturating_add(known.paid.outstanding())))
            .0
        );
        // N12, N13 over every chain.
        let numbers: Vec<PaymentId> = self
            .world
            .tables
            .payments
            .iter()
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            let chain = self
                .direct(|tx| payment::chain(tx, &tx.get::<Payment>(PaymentId(number.0))?))
                .unwrap();
            prop_assert_eq!(duties::judge_all(&self.world.tables, &chain), Ok(()));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Seen {
    states: BTreeMap<u32, PaymentState>,
    ids: BTreeSet<String>,
}

fn run(
    bench: &mut Bench,
    agreement: u32,
    ops: &[Op],
) -> Result<BTreeSet<&'static str>, TestCaseError> {
    let mut seen = Seen::default();
    let mut reached = BTreeSet::new();
    for op in ops {
        bench.step(agreement, op);
        bench.check_invariants(agreement, &mut seen)?;
        reached.extend(seen.states.values().map(Word::word));
    }
    Ok(reached)
}

/// What the sequences reach in every run, or they test nothing. The rarer states are in the rules'
/// own suite.
const STATES: [PaymentState; 7] = [
    PaymentState::Requested,
    PaymentState::Certified,
    PaymentState::Approved,
    PaymentState::Released,
    PaymentState::Returned,
    PaymentState::Settled,
    PaymentState::Refused,
];

#[test]
fn n4_to_n12_hold_over_random_sequences_on_tables() {
    let reached = std::cell::RefCell::new(BTreeSet::new());
    let test = |ops: Vec<Op>| {
        let mut bench = Bench::on_tables();
        let agreement = bench.agreement();
        reached
            .borrow_mut()
            .extend(run(&mut bench, agreement, &ops)?);
        Ok(())
    };
    // Sixty-four cases miss a state now and then; so batches are run until all were reached, and
    // ten of them must do.
    for _ in 0..10 {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        runner.run(&ops(), test).unwrap();
        if reached
            .borrow()
            .is_superset(&BTreeSet::from(STATES.map(|state| state.word())))
        {
            return;
        }
    }
    panic!("states not reached: {reached:?}");
}

#[test]
fn n4_to_n12_hold_over_random_sequences_on_a_ledger() {
    let mut bench = Bench::story();
    let agreement = bench.story_agreement();
    // Each case begins where the agreement stands; sequences of officers go on counting.
    let writer = bench.ledger.as_ref().unwrap();
    let (ledger, second, steps, frames) = (
        writer.ledger.clone(),
        writer.second.clone(),
        writer.steps.clone(),
        writer.frames.len(),
    );
    let bench = std::cell::RefCell::new(bench);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 6,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let test = |ops: Vec<Op>| {
        let bench = &mut *bench.borrow_mut();
        let writer = bench.ledger.as_mut().unwrap();
        (writer.ledger, writer.second) = (ledger.clone(), second.clone());
        writer.steps = steps.clone();
        writer.frames.truncate(frames);
        bench.mirror();
        run(bench, agreement, &ops).map(|_| ())
    };
    runner.run(&ops(), test).unwrap();
}

/// From the ranking to the last acknowledgement, by records and motions only.
#[test]
fn the_story_of_agreement_one() {
    let mut bench = Bench::story();
    // The committee may not decide 8 million; nobody votes on their own case, and no reviewer
    // votes.
    let grant = |application, amount, body| GrantAward {
        application: ApplicationId(application),
        amount: Amount(amount),
        body,
        out_of_rank: None,
    };
    let refusal = bench
        .propose(MotionEffect::GrantAward(grant(
            1,
            8 * MILLION,
            BodyKind::Committee,
        )))
        .unwrap_err();
    assert_eq!(refusal.code, "F11.body-too-low");
    let motion = bench
        .propose(MotionEffect::GrantAward(grant(
            1,
            8 * MILLION,
            BodyKind::Assembly,
        )))
        .unwrap();
    let (recused, refused) = bench.pass(motion);
    assert_eq!((recused, refused), (vec![GRANTEE], REVIEWERS.to_vec()));
    let award = bench.world.tables.awards.get(&AwardId(1)).unwrap().clone();
    assert_eq!(
        (award.body, award.amount, award.motion),
        (BodyKind::Assembly, Amount(8 * MILLION), MotionId(motion))
    );
    // A small one by the committee, the rest placed by it: the call is decided.
    bench.decide(MotionEffect::GrantAward(grant(
        2,
        400_000 * YUAN,
        BodyKind::Committee,
    )));
    assert_eq!(
        bench.world.tables.awards.get(&AwardId(2)).unwrap().body,
        BodyKind::Committee
    );
    let place = PlaceApplication {
        application: ApplicationId(3),
        placing: Placing::NotRecommended,
        reason: hash("reason"),
    };
    bench.decide(MotionEffect::PlaceApplication(place));
    assert_eq!(
        bench.world.tables.calls.get(&CallId(CALL)).unwrap().status,
        CallStatus::Decided
    );
    // The small one is revoked by the board.
    bench.decide(MotionEffect::RevokeAward(RevokeAward {
        award: AwardId(2),
        reason: hash("reason"),
    }));
    assert_eq!(
        bench.of(AccountKind::Call(CallId(CALL))),
        i128::from(12 * MILLION)
    );

    bench.days(1);
    bench
        .grantee(Body::Award(AwardAct::Accept { award: AwardId(1) }))
        .unwrap();
    let terms = bench.terms(1, &[4 * MILLION, 4 * MILLION], 24 * MILLION / 10);
    let agreement = bench.sign_all(&terms);
    bench.pool(PoolKind::Assessors, &rollbook_tests::grants::ASSESSORS);
    bench.draw_for(DrawFor::Agreement(AgreementId(agreement)));
    let (m1, m2, report) = (
        bench.first(agreement),
        bench.first(agreement) + 1,
        bench.first(agreement) + 2,
    );
    bench.pay(agreement, Tranche::Advance, 24 * MILLION / 10);
    bench.accept_milestone(m1, 4 * MILLION);
    assert!(
        bench
            .milestone(m1)
            .assessors
            .iter()
            .all(|assessor| assessor.voted_award),
        "recorded: they voted in the assembly"
    );

    // Held by two seat holders, lifted by the board, released, returned, released again.
    let payment = bench.approved(
        agreement,
        Tranche::Milestone(MilestoneId(m1)),
        24 * MILLION / 10,
    );
    bench.hold(1, payment).unwrap();
    bench.hold(2, payment).unwrap();
    bench.decide(MotionEffect::LiftHold(LiftHold {
        payment: PaymentId(payment),
        reason: hash("reason"),
    }));
    assert_eq!(bench.payment(payment).state, PaymentState::Approved);
    bench.release(payment).unwrap();
    bench.give_back(payment).unwrap();
    bench.release(payment).unwrap();
    bench.settle(payment).unwrap();
    bench.acknowledge(payment).unwrap();

    bench.accept_milestone(m2, 4 * MILLION);
    bench.pay(
        agreement,
        Tranche::Milestone(MilestoneId(m2)),
        24 * MILLION / 10,
    );
    bench.accept_milestone(report, 0);
    bench.pay(agreement, Tranche::Holdback, 8 * MILLION / 10);
    assert_eq!(
        (
            bench.of(AccountKind::Paid(AgreementId(agreement))),
            bench.of(AccountKind::Committed(AgreementId(agreement)))
        ),
        (i128::from(8 * MILLION), 0)
    );
    bench.totals();
}
