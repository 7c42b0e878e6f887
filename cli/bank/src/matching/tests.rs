//! Lines and what they propose.

use super::*;

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
        names: vec!["虚构工作室".to_owned(), "Fictional Studio".to_owned()],
    }
}

fn awaited(instalment: u32, rest: u64, name: &str) -> Awaited {
    Awaited {
        instalment,
        contribution: instalment + 100,
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
            instructed(3, "AG3-ADV", 700, Standing::Settled),
            instructed(4, "AG4-ADV", 800, Standing::Returned),
            instructed(4, "AG4-ADV-2", 800, Standing::Released),
            instructed(5, "AG5-ADV", 900, Standing::Released),
        ],
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
            "6: came-back",
            "7: settle 4 R-004C (end-to-end amount days)",
            "8: other-amount",
            "9: several",
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
            instalment: 9,
            amount: Amount(50),
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
