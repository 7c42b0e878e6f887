//! Money from award to acknowledgement on a real ledger, built by one and executed by another: the
//! story, and the invariants N4 to N12 over random sequences; and the same sequences, many more of
//! them, on bare tables.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rollbook_core::account::AccountKind;
use rollbook_core::charter::HOUR_MS;
use rollbook_core::funding::agreement::AgreementState;
use rollbook_core::funding::call::CallStatus;
use rollbook_core::funding::milestone::Paid;
use rollbook_core::funding::payment::PaymentState;
use rollbook_core::funding::{duties, payment};
use rollbook_core::motion::rules::BodyKind;
use rollbook_core::record::*;
use rollbook_core::state::PROVED_VALUE_MAX;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_tests::grants::{Bench, CALL, GRANTEE, M, REVIEWERS, Staff, Y, hash, text};

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
        8 => (0u32..4, 5u32..9, 0u8..6).prop_map(|(m, who, f)| Op::Assess(m, who, f)),
        6 => (0u8..6).prop_map(Op::Request),
        6 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, pass)| Op::Certify(p, pass)),
        8 => (small.clone(), any::<bool>(), prop::bool::weighted(0.95)).prop_map(|(p, who, pass)| Op::Approve(p, who, pass)),
        2 => (small.clone(), 1u32..4).prop_map(|(p, who)| Op::Hold(p, who)),
        1 => small.clone().prop_map(Op::Lift),
        7 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, fresh)| Op::Release(p, fresh)),
        6 => (small.clone(), prop::bool::weighted(0.9)).prop_map(|(p, fresh)| Op::Settle(p, fresh)),
        2 => small.clone().prop_map(Op::Return),
        4 => (small, prop::bool::weighted(0.7)).prop_map(|(p, yes)| Op::Acknowledge(p, yes)),
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
        let payment = |b: &Bench, index: u32| {
            let count = b.w.tables.payments.len() as u32;
            if count == 0 { 1 } else { 1 + index % count }
        };
        let known = |b: &Bench, index: u32| b.w.tables.payments.contains(&payment(b, index));
        let _ = match *op {
            Op::Submit(m) => self.submit(first + m % 3, &format!("evidence {m}")),
            Op::Assess(m, who, finding) => {
                let planned = self
                    .w
                    .tables
                    .milestones
                    .get(&(first + m % 3))
                    .unwrap()
                    .planned;
                let finding = match finding {
                    0..3 => Finding::Accept(planned),
                    3 => Finding::Accept(planned / 3 + 1),
                    4 => Finding::Rework,
                    _ => Finding::Reject,
                };
                self.assess(who, first + m % 3, finding)
            }
            Op::Request(which) => {
                let tranche = match which % 4 {
                    0 => Tranche::Advance,
                    1 => Tranche::Milestone(first),
                    2 => Tranche::Milestone(first + 1),
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
            Op::Certify(p, pass) => {
                let refuse = Decision::Refuse {
                    code: text("no"),
                    reason: Hash::ZERO,
                };
                let decision = if pass { Decision::Pass } else { refuse };
                self.staff(
                    Staff::Programme,
                    Body::Payment(PaymentAct::Certify {
                        payment: payment(self, p),
                        decision,
                    }),
                )
            }
            Op::Approve(p, second, pass) if known(self, p) => {
                let number = payment(self, p);
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
                        payment: number,
                        certified: Hash::ZERO,
                        amount: 1,
                        decision,
                    };
                    self.staff(who, Body::Payment(act))
                }
            }
            Op::Hold(p, who) => self.hold(who, payment(self, p)),
            // On a ledger the board lifts, in a week; the story has it.
            Op::Lift(p) if self.ledger.is_none() => {
                let number = payment(self, p);
                self.direct(|tx| payment::lift_hold(tx, number))
                    .map(|()| Hash::ZERO)
            }
            Op::Release(p, fresh) if known(self, p) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.release(payment(self, p))
            }
            Op::Settle(p, fresh) if known(self, p) => {
                if !fresh {
                    self.ids = self.ids.saturating_sub(1);
                }
                self.settle(payment(self, p))
            }
            Op::Return(p) if known(self, p) => self.give_back(payment(self, p)),
            Op::Acknowledge(p, yes) if known(self, p) => {
                let number = payment(self, p);
                if yes {
                    self.acknowledge(number)
                } else {
                    self.grantee(Body::Payment(PaymentAct::Dispute {
                        payment: number,
                        ground: Hash::ZERO,
                    }))
                }
            }
            Op::Account(which) => {
                let account = hash(&format!("account {which}"));
                self.grantee(Body::Award(AwardAct::ChangeAccount { agreement, account }))
            }
            Op::Confirm => match self
                .w
                .tables
                .agreements
                .get(&agreement)
                .unwrap()
                .change
                .clone()
            {
                Some(change) => {
                    let (record, account, channel) =
                        (change.record, change.account, Channel::InPerson);
                    let act = AwardAct::ConfirmAccount {
                        agreement,
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
        let known = self.w.tables.agreements.get(&agreement).unwrap().clone();
        // N4: awards of the call and what it holds are its budget.
        let awarded: u64 = self
            .w
            .tables
            .awards
            .iter()
            .filter(|(_, award)| award.counts())
            .map(|(_, award)| award.amount)
            .sum();
        prop_assert_eq!(
            i128::from(awarded) + self.of(AccountKind::Call(CALL)),
            i128::from(20 * M)
        );
        // N5.
        prop_assert_eq!(
            known
                .terms
                .milestones
                .iter()
                .map(|plan| plan.amount)
                .sum::<u64>(),
            known.terms.total
        );
        // N6: K + T + D = the signed total; there is no other agreement.
        prop_assert_eq!(
            totals.committed + totals.in_transit + totals.paid,
            i128::from(known.terms.total)
        );
        let mut tranches: BTreeMap<Tranche, u32> = BTreeMap::new();
        let mut paid = 0u64;
        let mut transit = 0u64;
        for (number, payment) in self.w.tables.payments.iter() {
            prop_assert!(encode(payment).len() < PROVED_VALUE_MAX);
            let before = seen.states.insert(*number, payment.state);
            if payment.state == PaymentState::Refused {
                continue;
            }
            // N8: one live or made payment per tranche.
            *tranches.entry(payment.tranche).or_default() += 1;
            if matches!(payment.state, PaymentState::Released) {
                transit += payment.amount;
            }
            let gone = [
                PaymentState::Released,
                PaymentState::Settled,
                PaymentState::Acknowledged,
                PaymentState::Disputed,
                PaymentState::Unacknowledged,
            ];
            if gone.contains(&payment.state) {
                paid += payment.amount;
                // N7: what left has its agreement and its milestone.
                prop_assert!(matches!(
                    known.state,
                    AgreementState::InForce | AgreementState::Completed
                ));
                if let Tranche::Milestone(milestone) = payment.tranche {
                    prop_assert!(self.milestone(milestone).state.is_accepted());
                }
            }
            if payment.state == PaymentState::Released && before != Some(PaymentState::Released) {
                let instruction = payment.instruction.clone().unwrap();
                prop_assert!(
                    seen.ids.insert(instruction.end_to_end.as_str().to_owned()),
                    "an EndToEndId twice"
                );
                prop_assert!(
                    seen.ids.insert(instruction.uetr.as_str().to_owned()),
                    "a UETR twice"
                );
                // N11: to the account in force, while none cools off.
                prop_assert_eq!(instruction.account, known.account);
                prop_assert!(known.change.is_none());
                prop_assert!(payment.approvals >= payment.approvals_needed);
                prop_assert!(self.w.now >= payment.approved_ms.unwrap() + 48 * HOUR_MS);
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
            prop_assert!(paid <= Paid::cap(&known.terms));
        }
        prop_assert!(
            paid <= known
                .accepted
                .max(known.terms.advance)
                .max(known.accepted + known.paid.outstanding())
        );
        // N12, N13 over every chain.
        let numbers: Vec<u32> = self
            .w
            .tables
            .payments
            .iter()
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            let chain = self
                .direct(|tx| payment::chain(tx, &payment::get(tx, number)?))
                .unwrap();
            prop_assert_eq!(duties::judge_all(&self.w.tables, &chain), Ok(()));
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
) -> Result<BTreeSet<PaymentState>, TestCaseError> {
    let mut seen = Seen::default();
    let mut reached = BTreeSet::new();
    for op in ops {
        bench.step(agreement, op);
        bench.check_invariants(agreement, &mut seen)?;
        reached.extend(seen.states.values().copied());
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
        if reached.borrow().is_superset(&BTreeSet::from(STATES)) {
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
    let (ledger, second, frames) = (
        writer.ledger.clone(),
        writer.second.clone(),
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
        writer.frames.truncate(frames);
        bench.mirror();
        run(bench, agreement, &ops).map(|_| ())
    };
    runner.run(&ops(), test).unwrap();
}

/// From the ranking to the last acknowledgement, by records and motions only.
#[test]
fn the_story_of_agreement_one() {
    let mut b = Bench::story();
    // The committee may not decide 8 million; nobody votes on their own case, and no reviewer
    // votes.
    let grant = |application, amount, body| GrantAward {
        application,
        amount,
        body,
        out_of_rank: None,
    };
    let refusal = b
        .propose(MotionEffect::GrantAward(grant(
            1,
            8 * M,
            BodyKind::Committee,
        )))
        .unwrap_err();
    assert_eq!(refusal.code, "F11.body-too-low");
    let motion = b
        .propose(MotionEffect::GrantAward(grant(
            1,
            8 * M,
            BodyKind::Assembly,
        )))
        .unwrap();
    let (recused, refused) = b.pass(motion);
    assert_eq!((recused, refused), (vec![GRANTEE], REVIEWERS.to_vec()));
    let award = b.w.tables.awards.get(&1).unwrap().clone();
    assert_eq!(
        (award.body, award.amount, award.motion),
        (BodyKind::Assembly, 8 * M, motion)
    );
    // A small one by the committee, the rest placed by it: the call is decided.
    b.decide(MotionEffect::GrantAward(grant(
        2,
        400_000 * Y,
        BodyKind::Committee,
    )));
    assert_eq!(b.w.tables.awards.get(&2).unwrap().body, BodyKind::Committee);
    let place = PlaceApplication {
        application: 3,
        placing: Placing::NotRecommended,
        reason: hash("reason"),
    };
    b.decide(MotionEffect::PlaceApplication(place));
    assert_eq!(
        b.w.tables.calls.get(&CALL).unwrap().status,
        CallStatus::Decided
    );
    // The small one is revoked by the board.
    b.decide(MotionEffect::RevokeAward(RevokeAward {
        award: 2,
        reason: hash("reason"),
    }));
    assert_eq!(b.of(AccountKind::Call(CALL)), i128::from(12 * M));

    b.days(1);
    b.grantee(Body::Award(AwardAct::Accept { award: 1 }))
        .unwrap();
    let terms = b.terms(1, &[4 * M, 4 * M], 24 * M / 10);
    let agreement = b.sign_all(&terms);
    b.pool(PoolKind::Assessors, &rollbook_tests::grants::ASSESSORS);
    b.draw_for(DrawFor::Agreement(agreement));
    let (m1, m2, report) = (
        b.first(agreement),
        b.first(agreement) + 1,
        b.first(agreement) + 2,
    );
    b.pay(agreement, Tranche::Advance, 24 * M / 10);
    b.accept_milestone(m1, 4 * M);
    assert!(
        b.milestone(m1)
            .assessors
            .iter()
            .all(|assessor| assessor.voted_award),
        "recorded: they voted in the assembly"
    );

    // Held by two seat holders, lifted by the board, released, returned, released again.
    let payment = b.approved(agreement, Tranche::Milestone(m1), 24 * M / 10);
    b.hold(1, payment).unwrap();
    b.hold(2, payment).unwrap();
    b.decide(MotionEffect::LiftHold(LiftHold {
        payment,
        reason: hash("reason"),
    }));
    assert_eq!(b.payment(payment).state, PaymentState::Approved);
    b.release(payment).unwrap();
    b.give_back(payment).unwrap();
    b.release(payment).unwrap();
    b.settle(payment).unwrap();
    b.acknowledge(payment).unwrap();

    b.accept_milestone(m2, 4 * M);
    b.pay(agreement, Tranche::Milestone(m2), 24 * M / 10);
    b.accept_milestone(report, 0);
    b.pay(agreement, Tranche::Holdback, 8 * M / 10);
    assert_eq!(
        (
            b.of(AccountKind::Paid(agreement)),
            b.of(AccountKind::Committed(agreement))
        ),
        (i128::from(8 * M), 0)
    );
    b.totals();
}
