//! Lines and what they propose.

use rollbook_core::calendar::LocalDay;

use super::*;
use crate::known::{Ended, Used};

fn line(day: i64, minor: i64, reference: &str, end_to_end: &str) -> Line {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Line {
        day: LocalDay(day),
        value_day: LocalDay(day),
        credit: minor > 0,
        amount: Amount(minor.unsigned_abs()),
        reference: some(reference),
        end_to_end: some(end_to_end),
        return_reason: None,
        reversal: false,
        counterparty: None,
        text: None,
    }
}

fn instructed(payment: u32, reference: &str, minor: u64, standing: Standing) -> Instructed {
    Instructed {
        payment,
        reference: reference.to_owned(),
        amount: Amount(minor),
        day: LocalDay(100),
        standing,
        ended: None,
        names: vec!["虚构工作室".to_owned(), "Fictional Studio".to_owned()],
    }
}

/// An instruction whose end the ledger has, by a reference of the bank.
fn ended(payment: u32, reference: &str, minor: u64, standing: Standing, by: &str) -> Instructed {
    Instructed {
        ended: Some(Ended {
            reference: by.to_owned(),
            day: LocalDay(103),
        }),
        ..instructed(payment, reference, minor, standing)
    }
}

/// The same as the ledger has used it.
fn used(reference: &str, minor: u64, credit: bool) -> Used {
    Used {
        reference: reference.to_owned(),
        amount: Amount(minor),
        credit,
        day: None,
    }
}

fn awaited(instalment: u32, rest: u64, name: &str) -> Awaited {
    Awaited {
        debt: Debt::Instalment {
            instalment,
            contribution: instalment + 100,
        },
        rest: Amount(rest),
        due: LocalDay(110),
        names: vec![name.to_owned()],
    }
}

fn told(outcome: &Outcome) -> Vec<String> {
    let mut all: Vec<(usize, String)> = Vec::new();
    for proposal in &outcome.proposals {
        let act = match &proposal.act {
            Act::Settle { payment } => format!("settle {payment}"),
            Act::Return { payment, reason } => format!("return {payment} {reason}"),
            Act::Receive { instalment } => format!("receive {instalment}"),
            Act::Confirm { receipt, .. } => format!("confirm {receipt}"),
            Act::ReceiveRecovery { recovery } => format!("recover {recovery}"),
            Act::ConfirmRecovery { receipt, .. } => format!("confirm recovery {receipt}"),
        };
        let why: Vec<&str> = proposal
            .reasons
            .iter()
            .map(|reason| reason.word())
            .collect();
        let text = format!("{act} {} ({})", proposal.reference, why.join(" "));
        all.push((proposal.line, text));
    }
    all.extend(
        outcome
            .left
            .iter()
            .map(|(line, left)| (*line, left.word().to_owned())),
    );
    all.sort();
    all.into_iter()
        .map(|(line, text)| format!("{line}: {text}"))
        .collect()
}

#[test]
fn payments_by_their_reference() {
    let known = Known {
        instructed: vec![
            instructed(1, "AG1-ADV", 500, Standing::Released),
            instructed(2, "AG2-ADV", 600, Standing::Released),
            ended(3, "AG3-ADV", 700, Standing::Settled, "R-0003"),
            ended(4, "AG4-ADV", 800, Standing::Returned, "R-004B"),
            instructed(4, "AG4-ADV-2", 800, Standing::Released),
            instructed(5, "AG5-ADV", 900, Standing::Released),
        ],
        used: vec![used("R-0003", 700, false), used("R-004B", 800, true)],
        ..Known::default()
    };
    let mut back = line(102, 600, "R-2b", "AG2-ADV");
    back.return_reason = Some("AC04".to_owned());
    let lines = [
        line(101, -500, "r.0001", "ag1-adv"),
        line(101, -600, "R-2a", "AG2-ADV"),
        back,
        line(101, -700, "R-0003", "AG3-ADV"),
        line(103, 700, "R-003b", "AG3-ADV"),
        line(101, -800, "R-0004", "AG4-ADV"),
        line(102, 800, "R-004b", "AG4-ADV"),
        line(104, -800, "R-004c", "AG4-ADV-2"),
        line(101, -901, "R-0005", "AG5-ADV"),
        line(101, -500, "R-0006", "AG1-ADV"),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: settle 1 R.0001 (end-to-end amount days)",
            // R-2b has three letters and digits: a record cannot carry it.
            "1: no-reference",
            "2: no-reference",
            "3: there",
            "4: back-after-settlement",
            "5: came-back",
            "6: there",
            "7: settle 4 R-004C (end-to-end amount days)",
            "8: other-amount",
            "9: paid-again",
        ]
    );
    let mut lines = lines;
    lines[2].reference = Some("R-002b".to_owned());
    let outcome = propose(&lines, &known);
    assert!(
        told(&outcome).contains(&"2: return 2 AC04 R-002B (end-to-end amount days)".to_owned())
    );
    let back = outcome
        .proposals
        .iter()
        .find(|proposal| proposal.line == 2)
        .unwrap();
    assert_eq!(back.beside, Some(1), "it went out and came back: one act");
    assert!(!outcome.left.iter().any(|(line, _)| *line == 1));
}

#[test]
fn payments_without_a_reference() {
    let known = Known {
        instructed: vec![
            instructed(1, "A", 500, Standing::Released),
            instructed(2, "B", 600, Standing::Released),
            Instructed {
                names: vec!["Other".to_owned()],
                ..instructed(3, "C", 600, Standing::Released)
            },
        ],
        ..Known::default()
    };
    let mut named = line(105, -600, "R-0002", "");
    named.counterparty = Some("fictional STUDIO.".to_owned());
    let lines = [
        line(105, -500, "R-0001", ""),
        named.clone(),
        line(105, -777, "R-0003", ""),
        line(105, -500, "R-0004", ""),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: settle 1 R-0001 (amount days only)",
            "1: settle 2 R-0002 (amount days name)",
            "2: nothing",
            "3: nothing",
        ]
    );
    named.counterparty = None;
    assert_eq!(told(&propose(&[named], &known)), ["0: several"]);
    let late = [line(111, -500, "R-0001", "")];
    assert_eq!(told(&propose(&late, &known)), ["0: nothing"]);
    let early = [line(99, -500, "R-0001", "")];
    assert_eq!(told(&propose(&early, &known)), ["0: nothing"]);
}

#[test]
fn money_that_came_in() {
    let known = Known {
        awaited: vec![
            awaited(2, 1_000, "甬江轴承"),
            awaited(3, 2_000, "Yongjiang"),
            awaited(4, 2_000, "Other"),
            awaited(5, 3_000, "Third"),
        ],
        entered: vec![Entered {
            record: "abcd".to_owned(),
            debt: Debt::Instalment {
                instalment: 9,
                contribution: 109,
            },
            amount: Amount(50),
            value_day: LocalDay(100),
            reference: "ICBC-77".to_owned(),
        }],
        used: vec![Used {
            reference: "ICBC-88".to_owned(),
            amount: Amount(60),
            credit: true,
            day: Some(LocalDay(100)),
        }],
        ..Known::default()
    };
    let with = |mut line: Line, text: &str, name: &str| {
        line.text = Some(text.to_owned());
        line.counterparty = Some(name.to_owned());
        line
    };
    let lines = [
        with(line(100, 400, "R-0001", ""), "for in-0002, first part", ""),
        with(line(100, 2_000, "R-0002", ""), "", "YONG JIANG"),
        line(100, 50, "icbc77", ""),
        line(100, 60, "ICBC88", ""),
        line(101, 60, "ICBC/88", ""),
        line(100, 61, "ICBC.88", ""),
        with(line(100, 3_000, "R-0003", ""), "PL-0105", ""),
        with(line(100, 9_000, "R-0004", ""), "IN-0004 too much", ""),
        with(line(100, 1_000, "", ""), "XIN-2", "甬江轴承"),
        line(100, 50, "icbc77", ""),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: receive 2 R-0001 (number)",
            "1: receive 3 R-0002 (amount days name)",
            "2: confirm abcd ICBC77 (reference amount)",
            "3: there",
            "4: reference-used",
            "5: reference-used",
            "6: receive 5 R-0003 (number amount)",
            "7: nothing",
            // The instalment was taken by the line that names it.
            "8: nothing",
            "9: there",
        ]
    );
    let other = [line(100, 51, "ICBC-77", "")];
    assert_eq!(told(&propose(&other, &known)), ["0: reference-used"]);
}

/// The bank executed one instruction twice. The second debit has a reference of its own, and was shown
/// as "the ledger has it": nobody would have asked for the money.
#[test]
fn what_is_paid_again_is_never_the_ledgers() {
    let known = Known {
        instructed: vec![
            ended(1, "AG1-ADV", 500, Standing::Settled, "OUT-1"),
            ended(2, "AG2-ADV", 600, Standing::Returned, "BACK-2"),
            instructed(3, "AG3-ADV", 700, Standing::Released),
        ],
        used: vec![used("OUT-1", 500, false), used("BACK-2", 600, true)],
        ..Known::default()
    };
    let lines = [
        line(101, -500, "OUT-1", "AG1-ADV"),
        line(102, -500, "OUT-1B", "AG1-ADV"),
        line(101, -600, "OUT-2", "AG2-ADV"),
        line(102, 600, "BACK-2", "AG2-ADV"),
        line(102, -600, "OUT-2B", "AG2-ADV"),
        line(103, 600, "BACK-2B", "AG2-ADV"),
        line(101, -700, "OUT-3", "AG3-ADV"),
        line(101, -700, "OUT-3B", "AG3-ADV"),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: there",
            "1: paid-again",
            "2: came-back",
            "3: there",
            "4: paid-again",
            "5: back-again",
            "6: settle 3 OUT-3 (end-to-end amount days)",
            "7: paid-again",
        ]
    );
    // The bank gives the debit no reference of its own: one line is the payment, the next is not.
    let lines = [
        line(101, -500, "", "AG1-ADV"),
        line(101, -500, "", "AG1-ADV"),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        ["0: there", "1: paid-again"]
    );
    // What the bank booked after the record cannot be what the record confirmed: the first debit lies
    // before the statements.
    let later = [line(104, -500, "OUT-1B", "AG1-ADV")];
    assert_eq!(told(&propose(&later, &known)), ["0: paid-again"]);
    // Out twice and back once: nobody proposes that it came back.
    let lines = [
        line(101, -700, "OUT-3", "AG3-ADV"),
        line(101, -700, "OUT-3B", "AG3-ADV"),
        line(102, 700, "BACK-3", "AG3-ADV"),
    ];
    let outcome = propose(&lines, &known);
    assert!(outcome.proposals.is_empty());
    assert!(outcome.left.iter().all(|(_, left)| left.is_open()));
}

/// Out with 600.00, back with 595.00: the bank kept its charges. The debit alone looked like a payment
/// that was executed, and the grantee would have been asked to acknowledge money that it never got.
#[test]
fn what_came_back_less_charges_is_no_settlement() {
    let known = Known {
        instructed: vec![instructed(2, "AG2", 60_000, Standing::Released)],
        awaited: vec![awaited(5, 59_500, "Third")],
        ..Known::default()
    };
    let mut back = line(102, 59_500, "BACK-2", "AG2");
    back.return_reason = Some("AC04".to_owned());
    let lines = [line(101, -60_000, "OUT-2", "AG2"), back];
    for lines in [lines.to_vec(), lines.iter().rev().cloned().collect()] {
        let outcome = propose(&lines, &known);
        assert_eq!(told(&outcome), ["0: came-back-less", "1: came-back-less"]);
        let less = Left::CameBackLess {
            payment: 2,
            amount: Amount(59_500),
            expected: Amount(60_000),
        };
        assert!(
            outcome
                .left
                .iter()
                .all(|(_, left)| *left == less && left.is_open())
        );
    }
}

/// What stands on a line decides against a guess: another payer's reference, another name, a mark that
/// it takes something back, a number that nobody awaits.
#[test]
fn no_guess_against_what_stands_on_the_line() {
    let known = Known {
        instructed: vec![instructed(1, "AG1-ADV", 500, Standing::Released)],
        awaited: vec![awaited(3, 2_000, "Yongjiang"), awaited(4, 3_000, "Other")],
        ..Known::default()
    };
    let plain = |minor| line(101, minor, "R-0001", "");
    let with = |minor, change: fn(&mut Line)| {
        let mut line = plain(minor);
        change(&mut line);
        told(&propose(&[line], &known))
    };
    // Without anything on it the amount alone proposes, and that is a guess.
    let outcome = propose(&[plain(-500)], &known);
    assert_eq!(told(&outcome), ["0: settle 1 R-0001 (amount days only)"]);
    assert!(outcome.proposals.iter().all(|one| !one.is_certain()));
    let foreign = with(-500, |line| line.end_to_end = Some("RENT-12".into()));
    assert_eq!(foreign, ["0: nothing"]);
    let none = with(-500, |line| line.end_to_end = Some("NOTPROVIDED".into()));
    assert_eq!(none, ["0: settle 1 R-0001 (amount days only)"]);
    let landlord = with(-500, |line| line.counterparty = Some("Landlord".into()));
    assert_eq!(landlord, ["0: other-name"]);
    assert_eq!(with(-500, |line| line.reversal = true), ["0: nothing"]);
    assert_eq!(with(2_000, |line| line.reversal = true), ["0: nothing"]);
    let returned = with(2_000, |line| line.return_reason = Some("AC04".into()));
    assert_eq!(returned, ["0: nothing"]);

    // Three parts are no instalment 3; its number is, and the name that differs is told with it.
    let parts = with(100, |line| line.text = Some("PAID IN 3 PARTS".into()));
    assert_eq!(parts, ["0: nothing"]);
    let number = with(100, |line| line.text = Some("for IN-0003".into()));
    assert_eq!(number, ["0: receive 3 R-0001 (number)"]);
    let other = with(100, |line| {
        line.text = Some("IN-3".into());
        line.counterparty = Some("Somebody".into());
    });
    assert_eq!(other, ["0: receive 3 R-0001 (number other-name)"]);
    // It names an instalment that nobody awaits, or two: the amount of another decides nothing.
    let paid = with(2_000, |line| line.text = Some("IN-0009".into()));
    assert_eq!(paid, ["0: nothing"]);
    let both = with(2_000, |line| line.text = Some("IN-3, IN-4".into()));
    assert_eq!(both, ["0: several"]);
    let stranger = with(2_000, |line| line.counterparty = Some("Somebody".into()));
    assert_eq!(stranger, ["0: other-name"]);
    let mut named = plain(100);
    (named.text, named.counterparty) = (Some("IN-3".into()), Some("YONGJIANG".into()));
    let outcome = propose(&[named], &known);
    assert!(outcome.proposals.iter().all(Proposal::is_certain));
}

/// Money that was asked back comes in like any other, and was unknown here.
#[test]
fn recoveries_come_in() {
    let recovery = |recovery, rest, name: &str| Awaited {
        debt: Debt::Recovery { recovery },
        ..awaited(0, rest, name)
    };
    let known = Known {
        awaited: vec![
            recovery(1, 900, "Studio"),
            recovery(2, 400, "Works"),
            awaited(3, 400, "Member"),
        ],
        entered: vec![Entered {
            record: "ef01".to_owned(),
            debt: Debt::Recovery { recovery: 4 },
            amount: Amount(70),
            value_day: LocalDay(100),
            reference: "ICBC-99".to_owned(),
        }],
        used: vec![used("ICBC-55", 30, true)],
        ..Known::default()
    };
    let mut named = line(100, 100, "R-0001", "");
    named.text = Some("back, RC-0001".to_owned());
    let mut works = line(100, 400, "R-0002", "");
    works.counterparty = Some("works".to_owned());
    let lines = [
        named,
        works,
        line(100, 70, "ICBC-99", ""),
        line(100, 30, "ICBC-55", ""),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: recover 1 R-0001 (number)",
            "1: recover 2 R-0002 (amount days name)",
            "2: confirm recovery ef01 ICBC-99 (reference amount)",
            "3: there",
        ]
    );
    // An instalment and a recovery over one amount are two that fit.
    let both = [line(100, 400, "R-0003", "")];
    assert_eq!(told(&propose(&both, &known)), ["0: several"]);
}

/// A receipt that was entered with another day is not the one on this line.
#[test]
fn a_receipt_of_another_day() {
    let known = Known {
        entered: vec![Entered {
            record: "abcd".to_owned(),
            debt: Debt::Instalment {
                instalment: 9,
                contribution: 109,
            },
            amount: Amount(50),
            value_day: LocalDay(100),
            reference: "ICBC-77".to_owned(),
        }],
        // Half of it is still to come, and not in the run in which the first half is confirmed.
        awaited: vec![awaited(9, 50, "Member")],
        ..Known::default()
    };
    let entry = |day| line(day, 50, "ICBC-77", "");
    let mut valued = entry(101);
    valued.value_day = LocalDay(100);
    let confirmed = ["0: confirm abcd ICBC-77 (reference amount)", "1: nothing"];
    let again = line(101, 50, "ICBC-78", "");
    for first in [entry(100), valued] {
        assert_eq!(told(&propose(&[first, again.clone()], &known)), confirmed);
    }
    let outcome = propose(&[entry(101)], &known);
    let other = Left::ReferenceUsed {
        amount: Amount(50),
        day: Some(LocalDay(100)),
    };
    assert_eq!(outcome.left, [(0, other)]);
}

/// Two references that differ in their hyphens alone name two payments.
#[test]
fn references_with_the_same_letters_and_digits() {
    let known = Known {
        instructed: vec![
            instructed(1, "AG1-M1-11", 500, Standing::Released),
            instructed(2, "AG1-M11-1", 500, Standing::Released),
            instructed(3, "AG3-ADV", 600, Standing::Released),
        ],
        ..Known::default()
    };
    let lines = [
        line(101, -500, "R-0001", " ag1-m11-1 "),
        line(101, -500, "R-0002", "AG1-M1-11"),
        // Without its hyphens nobody knows which of the two it is.
        line(101, -500, "R-0003", "AG1M111"),
        line(101, -600, "R-0004", "ag3adv"),
    ];
    assert_eq!(
        told(&propose(&lines, &known)),
        [
            "0: settle 2 R-0001 (end-to-end amount days)",
            "1: settle 1 R-0002 (end-to-end amount days)",
            "2: nothing",
            "3: settle 3 R-0004 (end-to-end amount days)",
        ]
    );
}
