//! Statements as CSV, by the map of the bank.
//!
//! * The head is the first row that has the day's column: banks write their name and the account
//!   above it. Rows below it in which the day and the amount are empty are passed over; they are
//!   sums and remarks.
//! * With a column of balances the lines must lead from one to the next, upwards or downwards in the
//!   file. Without one the opening and the closing balance come from the caller.
//! * Text is UTF-8, UTF-16 with a mark, GBK or GB18030; cells stand between commas, semicolons or
//!   tabs, whichever the head has most of.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use rollbook_core::account::Amount;
use rollbook_core::calendar::{CivilDate, LocalDay};

use crate::amount::{Decimal, amount, signed};
use crate::fault::{Code, Fault};
use crate::map::{DayForm, StatementMap};
use crate::statement::{LINES_MAX, Line, Statement, Wanted, bad_day, kept};

/// Most bytes of a table: [`LINES_MAX`] lines of 600.
pub const TABLE_MAX: u64 = 64 * 1024 * 1024;
/// Rows in which the head is looked for.
const HEAD_ROWS: usize = 50;

/// What the file does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Balance before the first line, where there is no column of balances.
    pub opening: Option<i128>,
    /// Balance after the last line, where there is no column of balances: without it nobody would see
    /// that the file lacks a line.
    pub closing: Option<i128>,
    /// The first day that the file covers, if that is before its first line.
    pub from: Option<LocalDay>,
    /// The last one, if that is after its last line.
    pub to: Option<LocalDay>,
}

/// Reads a table of a bank.
pub fn read(
    source: impl BufRead,
    map: &StatementMap,
    wanted: Wanted<'_>,
    said: Said,
) -> Result<Statement, Fault> {
    let mut bytes = Vec::new();
    let read = source.take(TABLE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Fault::new(Code::Unreadable, [("why", error.to_string())]))?;
    if bytes.len() as u64 > TABLE_MAX {
        return Err(Fault::plain(Code::TooLarge));
    }
    let text = text(&bytes).ok_or_else(|| Fault::plain(Code::NotText))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text, &map.day))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns: Option<Columns> = None;
    let mut rows: Vec<(Line, Option<i128>, u64)> = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|_| Fault::plain(Code::NotText))?;
        let line = record.position().map_or(0, csv::Position::line);
        let Some(columns) = &columns else {
            if record.iter().any(|cell| cell == map.day) {
                columns = Some(Columns::of(map, &record).map_err(|fault| fault.at(line))?);
            } else if at >= HEAD_ROWS {
                break;
            }
            continue;
        };
        let row = columns
            .line(&record, map, wanted)
            .map_err(|fault| fault.at(line))?;
        if let Some((found, balance)) = row {
            if rows.len() >= LINES_MAX {
                return Err(Fault::new(
                    Code::TooManyLines,
                    [("most", LINES_MAX.to_string())],
                ));
            }
            rows.push((found, balance, line));
        }
    }
    if columns.is_none() {
        return Err(no_column(&map.day));
    }
    statement(rows, wanted, said)
}

fn no_column(column: &str) -> Fault {
    Fault::new(Code::NoColumn, [("column", column.to_owned())])
}

/// Text in any of the encodings in which banks write.
fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        [0xFF, 0xFE, rest @ ..] => {
            UTF_16LE.decode_without_bom_handling_and_without_replacement(rest)
        }
        [0xFE, 0xFF, rest @ ..] => {
            UTF_16BE.decode_without_bom_handling_and_without_replacement(rest)
        }
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => Some(Cow::Borrowed(text)),
            Err(_) => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        },
    };
    decoded
        .filter(|text| !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
}

/// What the row with the day's column has most of.
fn delimiter(text: &str, day: &str) -> u8 {
    let head = text.lines().take(HEAD_ROWS).find(|line| line.contains(day));
    let count = |c: char| head.map_or(0, |line| line.matches(c).count());
    [(b';', ';'), (b'\t', '\t')]
        .into_iter()
        .filter(|(_, c)| count(*c) > count(','))
        .max_by_key(|(_, c)| count(*c))
        .map_or(b',', |(byte, _)| byte)
}

/// Places of the columns.
struct Columns {
    day: usize,
    value_day: Option<usize>,
    amount: Option<usize>,
    debit: Option<usize>,
    credit: Option<usize>,
    direction: Option<usize>,
    balance: Option<usize>,
    reference: Option<usize>,
    end_to_end: Option<usize>,
    return_reason: Option<usize>,
    counterparty: Option<usize>,
    text: Option<usize>,
    account: Option<usize>,
    currency: Option<usize>,
}

impl Columns {
    fn of(map: &StatementMap, head: &csv::StringRecord) -> Result<Columns, Fault> {
        let place = |column: &str| {
            let mut found = head.iter().enumerate().filter(|(_, cell)| *cell == column);
            let first = found.next().ok_or_else(|| no_column(column))?;
            match found.next() {
                None => Ok(first.0),
                Some(_) => Err(Fault::new(
                    Code::TwoColumns,
                    [("column", column.to_owned()), ("fields", String::new())],
                )),
            }
        };
        let maybe = |column: &Option<String>| column.as_deref().map(place).transpose();
        Ok(Columns {
            day: place(&map.day)?,
            value_day: maybe(&map.value_day)?,
            amount: maybe(&map.amount)?,
            debit: maybe(&map.debit)?,
            credit: maybe(&map.credit)?,
            direction: maybe(&map.direction)?,
            balance: maybe(&map.balance)?,
            reference: maybe(&map.reference)?,
            end_to_end: maybe(&map.end_to_end)?,
            return_reason: maybe(&map.return_reason)?,
            counterparty: maybe(&map.counterparty)?,
            text: maybe(&map.text)?,
            account: maybe(&map.account)?,
            currency: maybe(&map.currency)?,
        })
    }

    /// A line with the balance after it; none where the row is no line.
    fn line(
        &self,
        record: &csv::StringRecord,
        map: &StatementMap,
        wanted: Wanted<'_>,
    ) -> Result<Option<(Line, Option<i128>)>, Fault> {
        let cell = |place: Option<usize>| {
            let text = place
                .and_then(|place| record.get(place))
                .unwrap_or_default();
            // So that a spreadsheet shows all its digits or runs no formula.
            let text = text.strip_prefix('\'').unwrap_or(text);
            text.trim().trim_start_matches('\t')
        };
        let form = map.decimal.form();
        let day_text = cell(Some(self.day));
        let empty = [self.amount, self.debit, self.credit];
        if day_text.is_empty() || empty.iter().all(|place| cell(*place).is_empty()) {
            return Ok(None);
        }
        let day = day(day_text, map.day_form)?;
        if self.account.is_some() {
            wanted.same_account(cell(self.account))?;
        }
        if self.currency.is_some() {
            wanted.same_currency(cell(self.currency))?;
        }
        let signed_amount = match self.amount {
            None => {
                let part = |place| part(cell(place), wanted, form);
                let (debit, credit) = (part(self.debit)?, part(self.credit)?);
                if debit != 0 && credit != 0 {
                    return Err(direction(cell(self.debit)));
                }
                credit - debit
            }
            Some(_) => {
                let text = cell(self.amount);
                match self.direction {
                    None => signed(text, wanted.unit, form)?,
                    Some(_) => {
                        let way = cell(self.direction);
                        let minor = i128::from(amount(text, wanted.unit, form)?);
                        if map.credit_word.as_deref() == Some(way) {
                            minor
                        } else if map.debit_word.as_deref() == Some(way) {
                            -minor
                        } else {
                            return Err(direction(way));
                        }
                    }
                }
            }
        };
        let balance = match self.balance {
            None => None,
            Some(_) if cell(self.balance).is_empty() => {
                return Err(Fault::new(Code::Missing, [("what", "balance".to_owned())]));
            }
            Some(_) => Some(signed(cell(self.balance), wanted.unit, form)?),
        };
        if signed_amount == 0 {
            return Ok(None);
        }
        // At most 18 digits, as every amount that was read.
        let minor = u64::try_from(signed_amount.unsigned_abs()).unwrap_or(u64::MAX);
        let value_day = match cell(self.value_day) {
            "" => day,
            text => self::day(text, map.day_form)?,
        };
        let line = Line {
            day,
            value_day,
            credit: signed_amount > 0,
            amount: Amount(minor),
            reference: kept(cell(self.reference)),
            end_to_end: kept(cell(self.end_to_end)),
            return_reason: kept(cell(self.return_reason)),
            reversal: false,
            counterparty: kept(cell(self.counterparty)),
            text: kept(cell(self.text)),
        };
        Ok(Some((line, balance)))
    }
}

fn direction(text: &str) -> Fault {
    Fault::new(Code::Direction, [("text", text.chars().take(40).collect())])
}

/// What stands in one of two columns; nothing is nothing.
fn part(text: &str, wanted: Wanted<'_>, form: Decimal) -> Result<i128, Fault> {
    if text.is_empty() || text == "-" {
        return Ok(0);
    }
    Ok(i128::from(amount(text, wanted.unit, form)?))
}

/// A day as the map says it is written; what follows it, a time, is passed over.
fn day(text: &str, form: DayForm) -> Result<LocalDay, Fault> {
    let bad = || bad_day(text);
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = match form {
        DayForm::Digits if date.len() == 8 && date.is_ascii() => {
            vec![&date[..4], &date[4..6], &date[6..]]
        }
        DayForm::Digits => return Err(bad()),
        _ => date.split(['-', '/', '.']).collect(),
    };
    let [a, b, c] = parts.as_slice() else {
        return Err(bad());
    };
    let (year, month, day) = match form {
        DayForm::YearFirst | DayForm::Digits => (a, b, c),
        DayForm::DayFirst => (c, b, a),
        DayForm::MonthFirst => (c, a, b),
    };
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if year.len() != 4 || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return Err(bad());
    }
    let date = CivilDate::parse(&format!("{year}-{month:0>2}-{day:0>2}")).map_err(|_| bad())?;
    Ok(date.day_number())
}

type Rows = Vec<(Line, Option<i128>, u64)>;

/// Puts the rows in the order of time and holds every balance to the one before.
fn statement(mut rows: Rows, wanted: Wanted<'_>, said: Said) -> Result<Statement, Fault> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err(Fault::plain(Code::NoLines));
    };
    let upwards = broken(&rows);
    let turned = match (first.0.day, last.0.day) {
        (first, last) if first < last => false,
        (first, last) if first > last => true,
        // Of one day alone only the balances show which line was first.
        _ => upwards.is_some(),
    };
    if turned {
        rows.reverse();
    }
    let found = if turned { broken(&rows) } else { upwards };
    if let Some((line, balance, expected)) = found {
        let facts = [
            ("opening", "–".to_owned()),
            ("sum", wanted.unit.grouped(expected)),
            ("closing", wanted.unit.grouped(balance)),
        ];
        return Err(Fault::new(Code::Sum, facts).at(line));
    }
    let ends = match (rows.first(), rows.last()) {
        (Some((line, Some(balance), _)), Some((_, Some(last), _))) => {
            Some((balance - line.signed(), *last))
        }
        _ => said.opening.zip(said.closing),
    };
    let (opening, closing) =
        ends.ok_or_else(|| Fault::new(Code::Missing, [("what", "balance".to_owned())]))?;
    let lines: Vec<Line> = rows.into_iter().map(|(line, ..)| line).collect();
    let days = || lines.iter().map(|line| line.day);
    let (from, to) = (days().min(), days().max());
    let statement = Statement {
        from: said.from.into_iter().chain(from).min().unwrap_or_default(),
        to: said.to.into_iter().chain(to).max().unwrap_or_default(),
        opens_evening_before: false,
        opening,
        closing,
        lines,
        pending: 0,
    };
    statement.check(wanted.unit)?;
    Ok(statement)
}

/// The first row whose balance does not follow from the one before: its line, what it says, what it
/// should be.
fn broken(rows: &Rows) -> Option<(u64, i128, i128)> {
    rows.windows(2).find_map(|pair| {
        let [(_, before, _), (line, after, at)] = pair else {
            return None;
        };
        let (before, after) = ((*before)?, (*after)?);
        let expected = before.saturating_add(line.signed());
        (expected != after).then_some((*at, after, expected))
    })
}

#[cfg(test)]
mod tests;
