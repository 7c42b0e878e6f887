//! Random sequences: money is conserved, and everything moves only along its table.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollbook_core::account::{AccountKind, Pot};
use rollbook_core::id::{ApplicationId, CallId, DirectionId, InstalmentId, ReviewId};
use rollbook_core::identity::Role;
use rollbook_core::machine::Row;
use rollbook_core::object::application::ApplicationStatus;
use rollbook_core::object::call::CallStatus;
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::object::review::ReviewStatus;
use rollbook_core::record::{Body, CallAct, DrawFor, FundAct, ReviewDeclaration};
use rollbook_core::refusal::Outcome;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_tests::writer::Writer;

use super::{
    Applied, YUAN, act, balance, call_status, declare, fill_pool, full_draw, judge, of, office,
    officer, open, open_call, open_fund, pledge, receipt, record_receipt, reveal_scores,
    review_act, reviews, seal_scores, submission, totals, writer,
};

/// Whether one or more rows lead from one state to the other.
fn leads<S: Copy + PartialEq>(rows: &[Row<S>], from: S, to: S) -> bool {
    let mut found = vec![from];
    let mut next = 0;
    while let Some(state) = found.get(next).copied() {
        for row in rows.iter().filter(|row| row.from == Some(state)) {
            if !found.contains(&row.to) {
                found.push(row.to);
            }
        }
        next += 1;
    }
    found.contains(&to)
}

#[derive(Debug, Clone)]
enum Step {
    Pledge {
        member: u32,
        direction: Option<u32>,
        parts: Vec<u64>,
    },
    Call(u32),
    Cancel(u32),
    Agree(usize),
    Record {
        instalment: u32,
        amount: u64,
        reference: u32,
    },
    Confirm(usize),
    Days(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (10u32..15, proptest::option::of(1u32..5), proptest::collection::vec(1u64..50, 1..4))
            .prop_map(|(member, direction, parts)| Step::Pledge { member, direction, parts }),
        5 => (1u32..9).prop_map(Step::Call),
        2 => (1u32..9).prop_map(Step::Cancel),
        2 => (0usize..4).prop_map(Step::Agree),
        6 => (1u32..9, 1u64..60, 0u32..12)
            .prop_map(|(instalment, amount, reference)| Step::Record {
                instalment,
                amount,
                reference,
            }),
        6 => (0usize..8).prop_map(Step::Confirm),
        2 => (1u64..40).prop_map(Step::Days),
    ];
    proptest::collection::vec(step, 10..45)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is tried, through the real ledger: what the accounts hold is what was received, the
    /// memo ledger sums to the pledges, instalments move only along their table, a reference counts
    /// once.
    #[test]
    fn money_is_conserved(steps in steps()) {
        conserves_money(steps)?;
    }
}

fn conserves_money(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut writer = writer("conserved");
    let fund = open_fund(&mut writer);
    let (mut receipts, mut proposals) = (Vec::new(), Vec::new());
    let mut before: BTreeMap<u32, InstalmentStatus> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Pledge {
                member,
                direction,
                parts,
            } => {
                let pot = direction.map_or(Pot::Free, |direction| {
                    Pot::Direction(DirectionId(direction))
                });
                let parts: Vec<(i64, u64)> = (10..).step_by(20).zip(parts).collect();
                pledge(&mut writer, member, fund, pot, &parts);
            }
            Step::Call(instalment) => {
                let _ = office(
                    &mut writer,
                    Role::Treasurer,
                    FundAct::CallInstalment {
                        instalment: InstalmentId(instalment),
                    },
                );
            }
            Step::Cancel(instalment) => {
                if let Some(entry) = writer
                    .tables()
                    .instalments
                    .get(&InstalmentId(instalment))
                    .copied()
                {
                    let member = writer
                        .tables()
                        .contributions
                        .get(&entry.contribution)
                        .unwrap()
                        .member;
                    let act = FundAct::ProposeCancel {
                        contribution: entry.contribution,
                        instalments: vec![InstalmentId(instalment)],
                    };
                    let body = Body::Fund(act);
                    let signers = writer.officers(member.0, &body);
                    let record = writer.sign(member.0, &signers, body);
                    if writer
                        .submit(std::slice::from_ref(&record))
                        .refused
                        .is_empty()
                    {
                        proposals.push(record.id());
                    }
                }
            }
            Step::Agree(which) => {
                if let Some(proposal) = proposals.get(which).copied() {
                    let _ = office(
                        &mut writer,
                        Role::Treasurer,
                        FundAct::AgreeCancel { proposal },
                    );
                }
            }
            Step::Record {
                instalment,
                amount,
                reference,
            } => {
                let entry = receipt(&writer, instalment, amount, &format!("R-{reference}"));
                receipts.extend(record_receipt(&mut writer, entry));
            }
            Step::Confirm(which) => {
                if let Some(receipt) = receipts.get(which).copied() {
                    let _ = office(
                        &mut writer,
                        Role::SecondOfficer,
                        FundAct::ConfirmReceipt { receipt },
                    );
                }
            }
            Step::Days(days) => {
                writer.advance_days(days);
            }
        }
        let totals = totals(&writer, fund);
        let tables = writer.tables();
        let received: u64 = tables
            .contributions
            .iter()
            .map(|(_, contribution)| contribution.pledge.received.0)
            .sum();
        prop_assert_eq!(totals.available, i128::from(received));
        prop_assert_eq!(totals.received, -i128::from(received));
        for (_, contribution) in tables.contributions.iter() {
            let parts: Vec<_> = contribution
                .instalments
                .iter()
                .map(|number| *tables.instalments.get(number).unwrap())
                .collect();
            prop_assert_eq!(
                contribution.pledge.pledged(),
                parts
                    .iter()
                    .map(|part| u128::from(part.amount))
                    .sum::<u128>()
            );
            prop_assert_eq!(
                contribution.pledge.received.0,
                parts.iter().map(|part| part.received.0).sum::<u64>()
            );
        }
        let confirmed: Vec<_> = tables
            .receipts
            .iter()
            .filter(|(_, receipt)| receipt.confirmed_by.is_some())
            .collect();
        prop_assert_eq!(
            confirmed
                .iter()
                .map(|(_, receipt)| receipt.amount.0)
                .sum::<u64>(),
            received
        );
        prop_assert_eq!(
            confirmed
                .iter()
                .map(|(_, receipt)| &receipt.reference)
                .collect::<BTreeSet<_>>()
                .len(),
            confirmed.len()
        );
        for (number, instalment) in tables.instalments.iter() {
            if let Some(was) = before.insert(number.0, instalment.status) {
                prop_assert!(leads(
                    &rollbook_core::object::contribution::ROWS,
                    was,
                    instalment.status
                ));
            }
        }
    }
    Ok(())
}

#[derive(Debug, Clone)]
enum Move {
    Submit(u32),
    Withdraw(u32),
    Open(u32),
    Judge(u32, bool),
    Appeal(u32),
    Declare(usize, bool),
    Seal(usize),
    Reveal(usize, bool),
    Finalise(usize),
    Freeze,
    Rank,
    Close,
    Hours(u64),
    /// Everybody does the same step of the call, as on a good day.
    Stage(u32),
}

/// The steps of a good call, with anything between them, and now and then a step left out.
fn moves() -> impl Strategy<Value = Vec<Move>> {
    let application = || 1u32..6;
    let review = || 0usize..16;
    let one = prop_oneof![
        3 => (17u32..23).prop_map(Move::Submit),
        1 => application().prop_map(Move::Withdraw),
        8 => application().prop_map(Move::Open),
        8 => (application(), proptest::bool::weighted(0.8))
            .prop_map(|(application, good)| Move::Judge(application, good)),
        2 => application().prop_map(Move::Appeal),
        9 => (review(), proptest::bool::weighted(0.9))
            .prop_map(|(review, clear)| Move::Declare(review, clear)),
        9 => review().prop_map(Move::Seal),
        9 => (review(), proptest::bool::weighted(0.9))
            .prop_map(|(review, good)| Move::Reveal(review, good)),
        5 => review().prop_map(Move::Finalise),
        1 => Just(Move::Freeze),
        2 => Just(Move::Rank),
        1 => Just(Move::Close),
        3 => prop_oneof![4 => 1u64..30, 1 => 30u64..400].prop_map(Move::Hours),
    ];
    let step = (
        proptest::collection::vec(one, 0..9),
        proptest::bool::weighted(0.9),
    );
    proptest::collection::vec(step, 8..11).prop_map(|steps| {
        let with_stage = |(stage, (noise, done)): (u32, (Vec<Move>, bool))| {
            noise.into_iter().chain(done.then_some(Move::Stage(stage)))
        };
        (0..).zip(steps).flat_map(with_stage).collect()
    })
}

fn stage(writer: &mut Writer, call: u32, stage: u32) -> Applied {
    let applications: Vec<u32> = writer
        .tables()
        .applications
        .iter()
        .map(|(number, _)| number.0)
        .collect();
    let reviews: Vec<u32> = writer
        .tables()
        .reviews
        .iter()
        .map(|(number, _)| number.0)
        .collect();
    match stage {
        0 => applications.iter().for_each(|number| {
            drop(open(
                writer,
                *number,
                &format!("early {}", number - 1),
                1_000 * YUAN,
            ))
        }),
        1 => applications
            .iter()
            .for_each(|number| drop(judge(writer, *number, None))),
        2 => reviews
            .iter()
            .for_each(|number| drop(declare(writer, *number, ReviewDeclaration::Clear))),
        3 => reviews
            .iter()
            .for_each(|number| drop(seal_scores(writer, *number, &[5, 6, 7]))),
        4 => reviews
            .iter()
            .for_each(|number| drop(reveal_scores(writer, *number, &[5, 6, 7]))),
        5 => reviews.iter().for_each(|number| {
            drop(review_act(
                writer,
                *number,
                CallAct::Finalise {
                    review: ReviewId(*number),
                    revision: None,
                },
            ))
        }),
        6 => drop(writer.advance_days(12)),
        7 => return act(writer, 1, CallAct::Rank { call: CallId(call) }),
        8 => applications.iter().for_each(|number| {
            let applicant = of(writer, *number).applicant;
            drop(act(
                writer,
                applicant.0,
                CallAct::Withdraw {
                    application: ApplicationId(*number),
                },
            ));
        }),
        _ => return officer(writer, CallAct::Close { call: CallId(call) }),
    }
    Ok(Outcome::Applied)
}

/// The `nth` review that still runs.
fn running(writer: &Writer, nth: usize) -> Option<u32> {
    writer
        .tables()
        .reviews
        .iter()
        .filter(|(_, review)| review.status.is_running())
        .map(|(number, _)| number.0)
        .nth(nth)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever applicants, officers, reviewers and the clock do in whatever order: applications
    /// and reviews move only along their tables, reviewers of one application are unrelated to it
    /// and of distinct groups, the money of the call stays where it is.
    #[test]
    fn a_call_moves_only_along_its_tables(
        early in proptest::collection::vec(17u32..23, 2..5),
        moves in moves(),
    ) {
        moves_along_its_tables(early, moves)?;
    }
}

fn moves_along_its_tables(early: Vec<u32>, moves: Vec<Move>) -> Result<(), TestCaseError> {
    let mut writer = writer("moves");
    let (fund, call) = open_call(&mut writer);
    fill_pool(&mut writer, &[5, 6, 7, 8, 9, 10, 12, 13, 18]);
    let mut nth = 0;
    for member in early {
        let project = format!("early {nth}");
        let submission = submission(call, member, &project, 1_000 * YUAN);
        match act(&mut writer, member, CallAct::Submit(submission)) {
            Ok(outcome) => {
                assert_eq!(outcome, Outcome::Applied);
                nth += 1;
            }
            Err(refusal) => assert_eq!(refusal.code, "R33.waiting-applications"),
        }
    }
    let closes = writer.due(DeadlineKind::CallCloses, call).unwrap();
    writer.advance(closes + 1);
    full_draw(&mut writer, call);
    let mut applications: BTreeMap<u32, ApplicationStatus> = BTreeMap::new();
    let mut all_reviews: BTreeMap<u32, ReviewStatus> = BTreeMap::new();
    let mut calls = vec![call_status(&writer, call)];
    for step in moves {
        let project = |number: u32| format!("early {}", number - 1);
        let _ = match step {
            Move::Submit(member) => act(
                &mut writer,
                member,
                CallAct::Submit(submission(call, member, "late", 5)),
            ),
            Move::Withdraw(application) => match writer
                .tables()
                .applications
                .get(&ApplicationId(application))
                .map(|found| found.applicant)
            {
                Some(applicant) => act(
                    &mut writer,
                    applicant.0,
                    CallAct::Withdraw {
                        application: ApplicationId(application),
                    },
                ),
                None => continue,
            },
            Move::Open(application)
                if writer
                    .tables()
                    .applications
                    .contains(&ApplicationId(application)) =>
            {
                open(
                    &mut writer,
                    application,
                    &project(application),
                    1_000 * YUAN,
                )
            }
            Move::Open(_) => continue,
            Move::Judge(application, good) => {
                judge(&mut writer, application, (!good).then_some("incomplete"))
            }
            Move::Appeal(application) => match writer
                .tables()
                .applications
                .get(&ApplicationId(application))
                .map(|found| found.applicant)
            {
                Some(applicant) => act(
                    &mut writer,
                    applicant.0,
                    CallAct::Appeal {
                        application: ApplicationId(application),
                        grounds: Hash::ZERO,
                    },
                ),
                None => continue,
            },
            Move::Declare(nth, clear) => match running(&writer, nth) {
                Some(review) => declare(
                    &mut writer,
                    review,
                    if clear {
                        ReviewDeclaration::Clear
                    } else {
                        ReviewDeclaration::Declined
                    },
                ),
                None => continue,
            },
            Move::Seal(nth) => match running(&writer, nth) {
                Some(review) => seal_scores(&mut writer, review, &[5, 6, 7]),
                None => continue,
            },
            Move::Reveal(nth, good) => match running(&writer, nth) {
                Some(review) => {
                    reveal_scores(&mut writer, review, &[5, 6, if good { 7 } else { 8 }])
                }
                None => continue,
            },
            Move::Finalise(nth) => match running(&writer, nth) {
                Some(review) => review_act(
                    &mut writer,
                    review,
                    CallAct::Finalise {
                        review: ReviewId(review),
                        revision: None,
                    },
                ),
                None => continue,
            },
            Move::Freeze => officer(
                &mut writer,
                CallAct::FreezePool {
                    subject: DrawFor::Call(CallId(call)),
                },
            ),
            Move::Rank => act(&mut writer, 1, CallAct::Rank { call: CallId(call) }),
            Move::Close => officer(&mut writer, CallAct::Close { call: CallId(call) }),
            Move::Stage(which) => stage(&mut writer, call, which),
            Move::Hours(hours) => {
                let to = writer.now() + hours * 3_600_000;
                writer.advance(to);
                Ok(Outcome::Applied)
            }
        };
        let now = call_status(&writer, call);
        prop_assert!(leads(
            &rollbook_core::object::call::ROWS,
            *calls.last().unwrap(),
            now
        ));
        calls.push(now);
        let expected = if now == CallStatus::Closed {
            0
        } else {
            i128::from(25_000_000 * YUAN)
        };
        prop_assert_eq!(
            balance(&writer, fund, AccountKind::Call(CallId(call))),
            expected
        );
        totals(&writer, fund);
        let tables = writer.tables();
        for (number, application) in tables.applications.iter() {
            if let Some(was) = applications.insert(number.0, application.status) {
                prop_assert!(leads(
                    &rollbook_core::object::application::ROWS,
                    was,
                    application.status
                ));
            }
            let mut groups = BTreeSet::new();
            for review in reviews(&writer, number.0)
                .iter()
                .filter(|review| review.status.stands())
            {
                let home = tables.persons.get(&review.person).unwrap().home;
                prop_assert!(home != application.applicant);
                let group = if home == OrganisationId(13) {
                    OrganisationId(12)
                } else {
                    home
                };
                prop_assert!(groups.insert(group), "two of one group");
            }
            if application.rank.is_some() {
                let done = reviews(&writer, number.0)
                    .iter()
                    .filter(|review| review.status == ReviewStatus::Final)
                    .count();
                prop_assert!(done >= 3);
            }
        }
        for (number, review) in tables.reviews.iter() {
            if let Some(was) = all_reviews.insert(number.0, review.status) {
                prop_assert!(leads(
                    &rollbook_core::object::review::ROWS,
                    was,
                    review.status
                ));
            }
        }
    }
    Ok(())
}
