//! Statements one after the other, twice, and with what is missing between them.

use super::*;

/// 2026-03-02, a Monday.
const MONDAY: i64 = 20_514;

fn line(day: i64, minor: i64, reference: &str) -> Line {
    Line {
        day: LocalDay(MONDAY + day),
        value_day: LocalDay(MONDAY + day),
        credit: minor > 0,
        amount: Amount(minor.unsigned_abs()),
        reference: (!reference.is_empty()).then(|| reference.to_owned()),
        end_to_end: None,
        return_reason: None,
        reversal: false,
        counterparty: None,
        text: Some("told otherwise in every file".to_owned()).filter(|_| day % 2 == 0),
    }
}

fn statement(days: (i64, i64), opening: i128, lines: &[Line]) -> Statement {
    let sum = lines.iter().map(Line::signed).sum::<i128>();
    Statement {
        from: LocalDay(MONDAY + days.0),
        to: LocalDay(MONDAY + days.1),
        opens_evening_before: false,
        opening,
        closing: opening + sum,
        lines: lines.to_vec(),
        pending: 0,
    }
}

fn take(taken: &mut Taken, statement: &Statement) -> Result<(usize, usize), Code> {
    let before = taken.clone();
    let works = |day: LocalDay| !day.is_weekend();
    match taken.take(statement, &Unit::default(), works) {
        Ok(brought) => Ok((brought.new, brought.again)),
        Err(fault) => {
            assert_eq!(*taken, before, "a refused statement leaves nothing");
            Err(fault.code)
        }
    }
}

#[test]
fn statements_follow_on_one_another() {
    assert!(LocalDay(MONDAY).to_string() == "2026-03-02");
    let mut taken = Taken::default();
    let week = [
        line(0, 1_000, "R001"),
        line(1, -300, "R002"),
        line(4, -50, "R003"),
    ];
    assert_eq!(take(&mut taken, &statement((0, 4), 0, &week)), Ok((3, 0)));
    // The same file again.
    assert_eq!(take(&mut taken, &statement((0, 4), 0, &week)), Ok((0, 3)));
    // Monday after a weekend.
    let next = [line(7, 20, "R004")];
    assert_eq!(take(&mut taken, &statement((7, 7), 650, &next)), Ok((1, 0)));
    assert_eq!(taken.closing, 670);
    // Files that overlap: Friday and Monday were there, Tuesday is new.
    let both = [
        line(4, -50, "R003"),
        line(7, 20, "r-004"),
        line(8, 1, "R005"),
    ];
    assert_eq!(take(&mut taken, &statement((4, 8), 700, &both)), Ok((1, 2)));
    assert_eq!(taken.closing, 671);
    // The last day went on.
    let more = [line(8, 1, "R005"), line(8, 2, "R006")];
    assert_eq!(take(&mut taken, &statement((8, 8), 670, &more)), Ok((1, 1)));
    // Another statement of the same day.
    let second = [line(8, 3, "R007")];
    assert_eq!(
        take(&mut taken, &statement((8, 8), 673, &second)),
        Ok((1, 0))
    );
    assert_eq!((taken.closing, taken.lines.len()), (676, 7));
    assert_eq!(taken.balance_on(LocalDay(MONDAY + 4)), 650);
    assert_eq!(taken.balance_on(LocalDay(MONDAY + 100)), 676);
    // A day without movements, which closes the days.
    assert_eq!(take(&mut taken, &statement((9, 10), 676, &[])), Ok((0, 0)));
    assert_eq!(taken.days, Some((LocalDay(MONDAY), LocalDay(MONDAY + 10))));
}

#[test]
fn what_does_not_join() {
    let mut taken = Taken::default();
    let week = [
        line(0, 1_000, "R001"),
        line(1, -300, "R002"),
        line(4, -50, "R003"),
    ];
    take(&mut taken, &statement((0, 4), 0, &week)).unwrap();
    for (code, found) in [
        // Monday is missing.
        (Code::Gap, statement((8, 8), 650, &[line(8, 1, "R010")])),
        (
            Code::Gap,
            statement((4_000, 4_000), 650, &[line(4_000, 1, "R010")]),
        ),
        (Code::Opening, statement((7, 7), 651, &[line(7, 1, "R010")])),
        (Code::Earlier, statement((-3, 7), 0, &[line(7, 1, "R010")])),
        // Tuesday had another amount, one line more, one line fewer.
        (
            Code::Overlap,
            statement(
                (1, 7),
                1_000,
                &[line(1, -301, "R002"), line(4, -50, "R003")],
            ),
        ),
        (
            Code::Overlap,
            statement(
                (1, 7),
                1_000,
                &[
                    line(1, -300, "R002"),
                    line(1, 9, "R011"),
                    line(4, -50, "R003"),
                ],
            ),
        ),
        (
            Code::Overlap,
            statement((1, 7), 1_000, &[line(4, -50, "R003"), line(7, 1, "R012")]),
        ),
        (
            Code::Overlap,
            statement((1, 4), 1_000, &[line(1, -300, "R002")]),
        ),
        // The reference of Monday with another amount, and on another day.
        (
            Code::Reference,
            statement((7, 7), 650, &[line(7, 5, "R-001")]),
        ),
        (
            Code::Reference,
            statement((7, 7), 650, &[line(7, 1_000, "R001")]),
        ),
        (
            Code::Reference,
            statement((7, 7), 650, &[line(7, 5, "R020"), line(7, 6, "R020")]),
        ),
    ] {
        assert_eq!(take(&mut taken, &found), Err(code), "{found:?}");
    }
    // The same lines that end with another balance.
    let mut other = statement((4, 4), 700, &[line(4, -50, "R003")]);
    other.closing = 651;
    assert_eq!(take(&mut taken, &other), Err(Code::Opening));
}

/// A batch that the bank booked under one reference was read once as one line and a repetition: a line
/// was lost, and the sum of everything after it was wrong.
#[test]
fn a_reference_twice_in_one_statement_is_refused_and_loses_no_line() {
    let mut taken = Taken::default();
    let batch = [line(0, -500, "B001"), line(0, -500, "B001")];
    let first = statement((0, 0), 2_000, &batch);
    assert_eq!(take(&mut taken, &first), Err(Code::Reference));
    // The reader tells the parts apart, and then all of them are there.
    let parts = [line(0, -500, "B001/1"), line(0, -500, "B001/2")];
    let first = statement((0, 0), 2_000, &parts);
    assert_eq!(take(&mut taken, &first), Ok((2, 0)));
    assert_eq!(taken.balance_on(LocalDay(MONDAY)), 1_000);
    let next = statement((1, 1), 1_000, &[line(1, 7, "R002")]);
    assert_eq!(take(&mut taken, &next), Ok((1, 0)));
    // A first statement whose lines do not lead to its end is no beginning.
    let mut wrong = statement((0, 0), 2_000, &parts);
    wrong.closing += 1;
    assert_eq!(take(&mut Taken::default(), &wrong), Err(Code::Sum));
}

/// What was taken by mistake can be dropped, statement by statement, and taken anew.
#[test]
fn the_newest_statement_can_be_dropped() {
    let mut taken = Taken::default();
    assert_eq!(taken.undo(), None);
    let first = statement((0, 4), 0, &[line(0, 1_000, "R001"), line(4, -50, "R003")]);
    take(&mut taken, &first).unwrap();
    let one = taken.clone();
    // It overlaps, and goes on to a day that has not come.
    let wrong = statement((4, 400), 1_000, &[line(4, -50, "R003"), line(4, 1, "R004")]);
    assert_eq!(take(&mut taken, &wrong), Ok((1, 1)));
    // The same again brings nothing, and there is nothing of it to drop.
    assert_eq!(take(&mut taken, &wrong), Ok((0, 2)));
    let dropped = taken.undo().unwrap();
    assert_eq!(dropped, [line(4, 1, "R004")]);
    assert_eq!(taken, one);
    assert_eq!(taken.undo().unwrap().len(), 2);
    assert_eq!(taken, Taken::default());
}

/// Some banks date the balance before a day the evening before. The first statement begins where its
/// lines do; a later one has no gap because of it.
#[test]
fn an_opening_balance_of_the_evening_before() {
    let dated = |days, opening, lines: &[Line]| Statement {
        opens_evening_before: true,
        ..statement(days, opening, lines)
    };
    let mut taken = Taken::default();
    take(&mut taken, &dated((0, 2), 0, &[line(1, 9, "R001")])).unwrap();
    assert_eq!(
        taken.days,
        Some((LocalDay(MONDAY + 1), LocalDay(MONDAY + 2)))
    );
    // Opened on Wednesday evening, nothing on Thursday, one line on Friday.
    let next = dated((2, 4), 9, &[line(4, 1, "R002")]);
    assert_eq!(take(&mut taken, &next), Ok((1, 0)));
    // Where something was booked on the day of the balance, that is the first day.
    let mut taken = Taken::default();
    take(&mut taken, &dated((0, 2), 0, &[line(0, 9, "R001")])).unwrap();
    assert_eq!(taken.days, Some((LocalDay(MONDAY), LocalDay(MONDAY + 2))));
}
