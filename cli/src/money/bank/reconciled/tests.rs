//! Movements of the book and lines of the bank, side by side.

use rollbook_bank::known::{Ended, Instructed, Used};
use rollbook_core::account::Amount;

use super::*;

/// The first day of the statements.
const FIRST: i64 = 100;

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

/// A payment of 500 that was released on a day, confirmed on another, with the bank's reference.
fn settled(payment: u32, released: i64, confirmed: i64) -> (Instructed, Movement) {
    let reference = format!("OUT-{payment:04}");
    let instructed = Instructed {
        payment,
        reference: format!("AG{payment}-ADV"),
        amount: Amount(500),
        day: LocalDay(released),
        standing: Standing::Settled,
        ended: Some(Ended {
            reference: reference.clone(),
            day: LocalDay(confirmed),
        }),
        names: Vec::new(),
    };
    let movement = Movement {
        day: LocalDay(confirmed),
        bank_day: None,
        amount: -500,
        reference: Some(plain(&reference)),
        payment: Some(PaymentId(payment)),
        about: format!("P-{payment}"),
    };
    (instructed, movement)
}

fn received(day: i64, bank_day: i64, reference: &str) -> Movement {
    Movement {
        day: LocalDay(day),
        bank_day: Some(LocalDay(bank_day)),
        amount: 300,
        reference: Some(plain(reference)),
        payment: None,
        about: reference.to_owned(),
    }
}

/// Items and what is in the opening balance, as text.
fn told(
    payments: &[(Instructed, Movement)],
    income: &[Movement],
    lines: &[Line],
    before: &[&str],
) -> Vec<String> {
    let known = Known {
        instructed: payments.iter().map(|(known, _)| known.clone()).collect(),
        ..Known::default()
    };
    let copy = |movement: &Movement| Movement {
        day: movement.day,
        bank_day: movement.bank_day,
        amount: movement.amount,
        reference: movement.reference.clone(),
        payment: movement.payment,
        about: movement.about.clone(),
    };
    let movements: Vec<Movement> = payments
        .iter()
        .map(|(_, movement)| movement)
        .chain(income)
        .map(copy)
        .collect();
    let before = before.iter().map(|text| plain(text)).collect();
    let found = side_by_side(&known, &movements, lines, &before, LocalDay(FIRST));
    let items = found.items.iter().map(|item| {
        let side = match item.side {
            Side::Bank => "bank",
            Side::Book => "book",
        };
        format!("{side} {} {}", item.about, item.amount)
    });
    let opening = found.in_opening.iter();
    let opening = opening.map(|one| format!("{} {}", one.kind, one.payment.short()));
    items.chain(opening).collect()
}

/// A fund begins to take statements in mid-life. What the bank booked before the first of them was
/// entered here some days later, and stood as an item for ever.
#[test]
fn what_is_in_the_opening_balance_is_no_item() {
    // The money came on the day before the first statement, and was confirmed three days later.
    assert!(told(&[], &[received(103, 99, "ICBC-0001")], &[], &[]).is_empty());
    // Valued the day before and booked on the first day: its line is there and is matched.
    let lines = [line(100, 300, "ICBC-0001", "")];
    assert!(told(&[], &[received(103, 99, "ICBC-0001")], &lines, &[]).is_empty());
    // Money of the first day that the bank does not have is an item.
    let missing = told(&[], &[received(103, 100, "ICBC-0002")], &[], &[]);
    assert_eq!(missing, ["book ICBC-0002 -300"]);
    // A payment that was confirmed before the first day, too.
    assert!(told(&[settled(1, 90, 99)], &[], &[], &[]).is_empty());

    // Of one that was released before and confirmed after it nobody knows, until a person says so.
    let open = settled(2, 98, 101);
    assert_eq!(told(&[open], &[], &[], &[]), ["book P-2 500"]);
    for reference in ["OUT-0002", "out0002", "AG2-ADV"] {
        let said = told(&[settled(2, 98, 101)], &[], &[], &[reference]);
        assert_eq!(said, ["in-opening P-0002"]);
    }
    // One that was released after the first day cannot be in its opening balance, whoever says so.
    let late = told(&[settled(3, 100, 101)], &[], &[], &["OUT-0003"]);
    assert_eq!(late, ["book P-3 500"]);
}

/// A debit that the bank booked after the confirmation is not what was confirmed: the first one is in
/// the opening balance, and this one is money that went out once more.
#[test]
fn a_second_debit_is_not_matched() {
    let lines = [line(104, -500, "OUT-0009", "AG1-ADV")];
    let found = told(&[settled(1, 90, 103)], &[], &lines, &["OUT-0001"]);
    assert_eq!(found, ["bank OUT-0009 -500", "in-opening P-0001"]);
    let both = [
        line(102, -500, "OUT-0001", "AG1-ADV"),
        line(102, -500, "OUT-0009", "AG1-ADV"),
    ];
    let (known, movement) = settled(1, 101, 103);
    let found = told(&[(known.clone(), movement)], &[], &both, &[]);
    assert_eq!(found, ["bank OUT-0009 -500"]);
    // The ledger has used the bank's reference of the first.
    let first = Used {
        reference: "OUT-0001".to_owned(),
        amount: Amount(500),
        credit: false,
        day: None,
    };
    let known = Known {
        instructed: vec![known],
        used: vec![first],
        ..Known::default()
    };
    let again: Vec<String> = paid_again(&both, &known)
        .iter()
        .map(|one| format!("{} {} {}", one.kind, one.payment.short(), one.amount))
        .collect();
    assert_eq!(again, ["paid-again P-0001 500"]);
}

/// Two references that differ in their hyphens: each line is its own payment's.
#[test]
fn references_with_the_same_letters() {
    let (mut one, first) = settled(1, 101, 103);
    let (mut two, second) = settled(2, 101, 103);
    one.reference = "AG1-M1-11".to_owned();
    two.reference = "AG1-M11-1".to_owned();
    // The bank's own references are others than in the records, so the payer's decide.
    let lines = [
        line(102, -500, "X-0001", "AG1-M11-1"),
        line(102, -500, "X-0002", "AG1-M11-1"),
    ];
    let found = told(&[(one, first), (two, second)], &[], &lines, &[]);
    assert_eq!(found, ["bank X-0002 -500", "book P-1 500"]);
}

/// It went out before the first statement and came back after: only the way back is a line.
#[test]
fn what_came_back_after_the_first_day() {
    let (mut known, _) = settled(1, 98, 102);
    known.standing = Standing::Returned;
    let known = Known {
        instructed: vec![known],
        ..Known::default()
    };
    let lines = [line(101, 500, "BACK-0001", "AG1-ADV")];
    let none = BTreeSet::new();
    let found = side_by_side(&known, &[], &lines, &none, LocalDay(FIRST));
    assert!(found.items.is_empty());
    let found = side_by_side(&known, &[], &lines, &none, LocalDay(97));
    assert_eq!(
        found.items.len(),
        1,
        "where the way out must be a line, too"
    );
}
