//! Random sequences of acts: a membership takes declared steps only.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollbook_core::id::{InvoiceId, MembershipId, MotionId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::rights;
use rollbook_core::object::membership::{ROWS, State};
use rollbook_core::record::{Choice, MembershipAct};
use rollbook_core::refusal::Outcome;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_tests::writer::{Writer, text};

use super::{act, application, office, receipt, secretary, writer};

#[derive(Debug, Clone, Copy)]
enum Step {
    Apply,
    Screen,
    Return,
    Resubmit,
    Reject,
    Complete,
    Sponsor(u32),
    OpenBallot,
    AskAgain,
    Withdraw,
    Invoice,
    Pay,
    Confirm,
    Agree,
    Activate,
    Vote(u32, Choice),
    Everybody(Choice),
    Days(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let choice =
        prop_oneof![3 => Just(Choice::Yes), 1 => Just(Choice::No), 1 => Just(Choice::Abstain)];
    let step = prop_oneof![
        2 => Just(Apply), 4 => Just(Screen), 1 => Just(Return), 2 => Just(Resubmit),
        1 => Just(Reject), 4 => Just(Complete), 6 => (10u32..16).prop_map(Sponsor),
        2 => Just(OpenBallot), 2 => Just(AskAgain), 1 => Just(Withdraw), 3 => Just(Invoice),
        3 => Just(Pay), 3 => Just(Confirm), 3 => Just(Agree), 3 => Just(Activate),
        2 => (1u32..10, choice.clone()).prop_map(|(member, choice)| Vote(member, choice)),
        3 => choice.prop_map(Everybody),
        5 => prop_oneof![Just(1u64), Just(8), Just(32)].prop_map(Days),
    ];
    // A part of the usual way first, so that sequences reach the later states.
    let usual = vec![
        Apply,
        Screen,
        Complete,
        Sponsor(10),
        Sponsor(14),
        Days(1),
        Everybody(Choice::Yes),
        Days(8),
        Agree,
        Invoice,
        Pay,
        Confirm,
        Activate,
    ];
    let way = (1..=usual.len()).prop_map(move |length| usual[..length].to_vec());
    (way, proptest::collection::vec(step, 1..25)).prop_map(|(way, rest)| [way, rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is tried in whatever order, a membership only ever takes declared steps, and each
    /// organisation has at most one open application or live membership.
    #[test]
    fn only_declared_transitions_happen(steps in steps()) {
        takes_declared_steps(steps)?;
    }
}

fn takes_declared_steps(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut writer = writer("random");
    let company = writer.register(11, "Random", &[]);
    let agreement = sha256(b"agreement");
    let mut seen: BTreeMap<u32, State> = BTreeMap::new();
    for (nth, step) in steps.into_iter().enumerate() {
        let newest = rights::of(writer.tables(), OrganisationId(company)).cloned();
        let membership = newest.as_ref().map_or(0, |membership| membership.number.0);
        let invoice = newest
            .as_ref()
            .and_then(|membership| rights::first_invoice(writer.tables(), membership.number))
            .map(|invoice| invoice.number)
            .unwrap_or(InvoiceId(0));
        let motion = newest
            .as_ref()
            .and_then(|membership| membership.motion)
            .unwrap_or(MotionId(0));
        let application = application(&writer);
        let _ = match step {
            Step::Apply => act(&mut writer, company, MembershipAct::Apply(application)),
            Step::Screen => secretary(
                &mut writer,
                MembershipAct::Screen {
                    membership: MembershipId(membership),
                },
            ),
            Step::Return => secretary(
                &mut writer,
                MembershipAct::Return {
                    membership: MembershipId(membership),
                    missing: vec![text("letter")],
                },
            ),
            Step::Resubmit => act(
                &mut writer,
                company,
                MembershipAct::Resubmit {
                    membership: MembershipId(membership),
                    additions: agreement,
                },
            ),
            Step::Reject => secretary(
                &mut writer,
                MembershipAct::Reject {
                    membership: MembershipId(membership),
                    criterion: text("solvency"),
                    reasons: agreement,
                },
            ),
            Step::Complete => secretary(
                &mut writer,
                MembershipAct::Complete {
                    membership: MembershipId(membership),
                },
            ),
            Step::Sponsor(sponsor) => act(
                &mut writer,
                sponsor,
                MembershipAct::Sponsor {
                    membership: MembershipId(membership),
                },
            ),
            Step::OpenBallot => secretary(
                &mut writer,
                MembershipAct::OpenBallot {
                    membership: MembershipId(membership),
                    ballot_days: 7,
                },
            ),
            Step::AskAgain => act(
                &mut writer,
                company,
                MembershipAct::AskAgain {
                    membership: MembershipId(membership),
                    reasons: agreement,
                },
            ),
            Step::Withdraw => act(
                &mut writer,
                company,
                MembershipAct::WithdrawApplication {
                    membership: MembershipId(membership),
                },
            ),
            Step::Invoice => office(
                &mut writer,
                Role::Treasurer,
                MembershipAct::Invoice {
                    membership: MembershipId(membership),
                },
            ),
            Step::Pay => office(
                &mut writer,
                Role::Treasurer,
                receipt(invoice.0, 5_000_000, &format!("DUES-{nth}")),
            ),
            Step::Confirm => {
                let receipt = writer
                    .tables()
                    .invoices
                    .get(&invoice)
                    .and_then(|invoice| invoice.pending.as_ref());
                let receipt = receipt.map_or(Hash::ZERO, |pending| pending.record);
                office(
                    &mut writer,
                    Role::SecondOfficer,
                    MembershipAct::ConfirmReceipt { invoice, receipt },
                )
            }
            Step::Agree => act(
                &mut writer,
                company,
                MembershipAct::Agree {
                    membership: MembershipId(membership),
                    agreement,
                },
            ),
            Step::Activate => secretary(
                &mut writer,
                MembershipAct::Activate {
                    membership: MembershipId(membership),
                    agreement,
                },
            ),
            Step::Vote(member, choice) if motion > MotionId(0) => {
                writer.vote(member, motion.0, choice)
            }
            Step::Everybody(choice) if motion > MotionId(0) => {
                (1..10).for_each(|member| {
                    let _ = writer.vote(member, motion.0, choice);
                });
                Ok(Outcome::Applied)
            }
            Step::Vote(..) | Step::Everybody(_) => Ok(Outcome::Applied),
            Step::Days(days) => {
                // A block at a time, so that two steps in one advance are seen as two.
                let to =
                    writer.ledger.tip().seal.time_ms.0 + days * rollbook_core::calendar::MS_PER_DAY;
                while writer.ledger.tip().seal.time_ms.0 < to {
                    let next = writer
                        .ledger
                        .next_deadline()
                        .map_or(to, |due| due.0 + 1)
                        .min(to);
                    writer.block(next, &[]);
                    check(&writer, company, &mut seen)?;
                }
                Ok(Outcome::Applied)
            }
        };
        check(&writer, company, &mut seen)?;
    }
    Ok(())
}

fn check(
    writer: &Writer,
    company: u32,
    seen: &mut BTreeMap<u32, State>,
) -> Result<(), TestCaseError> {
    let mut open = 0;
    for (number, membership) in writer
        .tables()
        .memberships
        .iter()
        .filter(|(_, membership)| membership.organisation == OrganisationId(company))
    {
        let now = membership.standing.state();
        open += u32::from(membership.standing.is_open_application() || now == State::Active);
        let before = seen.insert(number.0, now);
        if before == Some(now) {
            continue;
        }
        // A block may hold a record's step and, before it, one of the clock.
        let direct = ROWS.iter().any(|row| row.from == before && row.to == now);
        let through = ROWS.iter().any(|first| {
            first.from == before
                && ROWS
                    .iter()
                    .any(|second| second.from == Some(first.to) && second.to == now)
        });
        prop_assert!(direct || through, "{:?} to {:?}", before, now);
    }
    prop_assert!(open <= 1);
    Ok(())
}
