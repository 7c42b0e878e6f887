//! Statements that follow on one another: what was taken of an account so far, and whether the next
//! one may join it.
//!
//! * What overlaps is taken once. The lines of days that both have must be the same, but for the last
//!   day before, which may have got more lines since.
//! * What follows begins with the balance that the one before ended with, and no day on which banks
//!   work lies between them.
//! * A bank's reference is one line: again in a later statement with the same amount and day it is a
//!   repetition, with another it is refused; twice in one statement it is refused.
//! * A statement joins wholly or not at all, and the newest one can be dropped again.
//! * What was taken is bound to the account and the currency of its first statement.

use std::collections::BTreeMap;

use rollbook_core::account::{Amount, Unit};
use rollbook_core::calendar::LocalDay;
use serde::{Deserialize, Serialize};

use crate::fault::{Code, Fault};
use crate::statement::{Line, Statement, account};

/// What was taken of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// The first and the last day; none before the first statement.
    pub days: Option<(LocalDay, LocalDay)>,
    /// Balance before the first line.
    pub opening: i128,
    /// Balance after the last line.
    pub closing: i128,
    /// The lines, in the order of time.
    pub lines: Vec<Line>,
    /// Whose statements they are; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
    /// What stood before each statement that brought anything, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Before>,
}

/// An account and its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// Number of the account.
    pub account: String,
    /// Code of the currency.
    pub currency: String,
}

impl Of {
    /// Whether it is the same account in the same currency, however it is written.
    pub fn is(&self, number: &str, currency: &str) -> bool {
        account(&self.account) == account(number) && self.currency == currency
    }
}

/// What stood before a statement was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// The days.
    pub days: Option<(LocalDay, LocalDay)>,
    /// The closing balance.
    pub closing: i128,
    /// How many lines.
    pub lines: usize,
}

/// What a statement brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// New lines.
    pub new: usize,
    /// Lines that were there already.
    pub again: usize,
}

impl Taken {
    /// The balance at the end of a day: of lines that were booked until then.
    pub fn balance_on(&self, day: LocalDay) -> i128 {
        let until = self.lines.iter().filter(|line| line.day <= day);
        until.fold(self.opening, |sum, line| sum.saturating_add(line.signed()))
    }

    /// Drops the newest statement that brought anything: the lines that went with it, in their order.
    /// None: there is none to drop.
    pub fn undo(&mut self) -> Option<Vec<Line>> {
        let before = self.before.pop()?;
        self.days = before.days;
        self.closing = before.closing;
        if before.days.is_none() {
            self.opening = 0;
            self.of = None;
        }
        Some(self.lines.split_off(before.lines.min(self.lines.len())))
    }

    /// Takes a statement. `works` says on which days banks work.
    pub fn take(
        &mut self,
        statement: &Statement,
        unit: &Unit,
        works: impl Fn(LocalDay) -> bool,
    ) -> Result<Brought, Fault> {
        let before = Before {
            days: self.days,
            closing: self.closing,
            lines: self.lines.len(),
        };
        let Some((first, last)) = self.days else {
            statement.check(unit)?;
            let mut lines = Vec::new();
            let again = self.join(&statement.lines, &mut lines, unit)?;
            // The balance of an evening is that of the next morning: nothing was booked between.
            let booked = |line: &Line| line.day == statement.from;
            let later = statement.opens_evening_before
                && statement.from < statement.to
                && !lines.iter().any(booked);
            let from = statement.from.plus(u32::from(later));
            self.before.push(before);
            self.days = Some((from, statement.to));
            self.opening = statement.opening;
            self.closing = statement.closing;
            self.lines = lines;
            return Ok(Brought {
                new: self.lines.len(),
                again,
            });
        };
        if statement.from < first {
            let facts = [
                ("from", statement.from.to_string()),
                ("first", first.to_string()),
            ];
            return Err(Fault::new(Code::Earlier, facts));
        }
        self.follows(statement, last, &works)?;
        let fresh = self.overlap(statement, last, unit)?;
        let mut lines = self.lines.clone();
        let again = self.join(fresh, &mut lines, unit)?;
        // A repetition moves nothing: the balance it ends with must be the one that the lines make.
        let sum = lines
            .iter()
            .fold(self.opening, |sum, line| sum.saturating_add(line.signed()));
        if statement.to >= last && sum != statement.closing {
            return Err(opening(unit, sum, statement.closing));
        }
        let new = lines.len() - self.lines.len();
        let repeated = statement.lines.len() - fresh.len();
        let days = Some((first, last.max(statement.to)));
        if new > 0 || days != self.days {
            self.before.push(before);
        }
        self.days = days;
        self.closing = sum;
        self.lines = lines;
        Ok(Brought {
            new,
            again: repeated + again,
        })
    }

    /// No day of the bank lies between.
    fn follows(
        &self,
        statement: &Statement,
        last: LocalDay,
        works: &impl Fn(LocalDay) -> bool,
    ) -> Result<(), Fault> {
        let mut day = last.plus(1);
        // A gap of more than a year is one, whatever the calendar says.
        let far = statement.from.0.saturating_sub(last.0) > 366;
        while day < statement.from {
            if far || works(day) {
                let facts = [
                    ("from", last.plus(1).to_string()),
                    (
                        "to",
                        LocalDay(statement.from.0.saturating_sub(1)).to_string(),
                    ),
                ];
                return Err(Fault::new(Code::Gap, facts));
            }
            day = day.plus(1);
        }
        Ok(())
    }

    /// The lines that are not here yet, after those of days that both have were compared.
    fn overlap<'a>(
        &self,
        statement: &'a Statement,
        last: LocalDay,
        unit: &Unit,
    ) -> Result<&'a [Line], Fault> {
        if statement.from > last {
            return self.continues(statement, unit);
        }
        let ours = |line: &&Line| line.day >= statement.from && line.day <= statement.to;
        let known: Vec<&Line> = self.lines.iter().filter(ours).collect();
        let both = known.iter().zip(&statement.lines);
        let same = both.take_while(|(a, b)| a.is_same(b)).count();
        if same == known.len() {
            let fresh = &statement.lines[same..];
            let Some(early) = fresh.iter().find(|line| line.day < last) else {
                return Ok(fresh);
            };
            return Err(differs(early, unit));
        }
        // Another statement of the day on which the one before ended.
        if statement.from == last && statement.opening == self.closing && same == 0 {
            return Ok(&statement.lines);
        }
        let other = statement.lines.get(same).or(known.get(same).copied());
        match other {
            Some(line) => Err(differs(line, unit)),
            None => Ok(&[]),
        }
    }

    fn continues<'a>(&self, statement: &'a Statement, unit: &Unit) -> Result<&'a [Line], Fault> {
        if statement.opening != self.closing {
            return Err(opening(unit, self.closing, statement.opening));
        }
        Ok(&statement.lines)
    }

    /// Adds lines, each of a reference of its own; the number of those that an earlier statement
    /// brought.
    fn join(&self, fresh: &[Line], into: &mut Vec<Line>, unit: &Unit) -> Result<usize, Fault> {
        type Known = BTreeMap<String, (Amount, bool, LocalDay)>;
        let found = |line: &Line| (line.amount, line.credit, line.day);
        let earlier: Known = into
            .iter()
            .filter_map(|line| Some((line.plain_reference()?, found(line))))
            .collect();
        let mut here = Known::new();
        let mut again = 0;
        for line in fresh {
            if let Some(reference) = line.plain_reference() {
                let before = earlier.get(&reference);
                if before == Some(&found(line)) {
                    again += 1;
                    continue;
                }
                if let Some(before) = before.or_else(|| here.get(&reference)) {
                    return Err(referenced(line, *before, unit));
                }
                here.insert(reference, found(line));
            }
            into.push(line.clone());
        }
        Ok(again)
    }
}

/// A reference of the bank that another line has.
fn referenced(line: &Line, before: (Amount, bool, LocalDay), unit: &Unit) -> Fault {
    let told = |(amount, credit): (Amount, bool)| {
        let sign = if credit { "" } else { "-" };
        format!("{sign}{}", unit.grouped(i128::from(amount)))
    };
    let (amount, credit, day) = before;
    let facts = [
        ("reference", line.reference.clone().unwrap_or_default()),
        ("amount", told((line.amount, line.credit))),
        ("day", line.day.to_string()),
        ("before", told((amount, credit))),
        ("before-day", day.to_string()),
    ];
    Fault::new(Code::Reference, facts)
}

fn opening(unit: &Unit, expected: i128, found: i128) -> Fault {
    let facts = [
        ("expected", unit.grouped(expected)),
        ("found", unit.grouped(found)),
    ];
    Fault::new(Code::Opening, facts)
}

fn differs(line: &Line, unit: &Unit) -> Fault {
    let facts = [
        ("day", line.day.to_string()),
        ("amount", unit.grouped(line.signed())),
        (
            "reference",
            line.reference.clone().unwrap_or_else(|| "–".to_owned()),
        ),
    ];
    Fault::new(Code::Overlap, facts)
}

#[cfg(test)]
mod tests;
