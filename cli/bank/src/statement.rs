//! Lines and statements, and what a statement must be on its own.

use rollbook_core::account::{Amount, Unit};
use rollbook_core::calendar::{CivilDate, LocalDay};
use serde::{Deserialize, Serialize};

use crate::fault::{Code, Fault};

/// Most lines of one file.
pub const LINES_MAX: usize = 100_000;
/// Longest text of a line, in characters; ISO 20022 has 140 for most.
pub const TEXT_MAX: usize = 500;

/// One booked movement of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The day on which the bank booked it.
    pub day: LocalDay,
    /// The day from which it bears interest.
    pub value_day: LocalDay,
    /// Whether it came in.
    pub credit: bool,
    /// Minor units, not zero.
    pub amount: Amount,
    /// The bank's own reference, as the bank writes it; some banks give none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The payer's reference, EndToEndId of ISO 20022.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end: Option<String>,
    /// Why it came back: four capital letters or digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_reason: Option<String>,
    /// Whether it takes back what was booked before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reversal: bool,
    /// Name of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    /// What it is said to be for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Line {
    /// What it adds to the balance.
    pub fn signed(&self) -> i128 {
        let minor = i128::from(self.amount);
        if self.credit { minor } else { -minor }
    }

    /// Whether it is the same movement: what a bank says beside it may differ from file to file.
    pub fn is_same(&self, other: &Line) -> bool {
        let key = |line: &Line| (line.day, line.credit, line.amount, line.plain_reference());
        key(self) == key(other)
    }

    /// Letters and digits of the bank's reference in upper case, by which the ledger tells one from
    /// another (RULINGS R35); none with fewer than four.
    pub fn plain_reference(&self) -> Option<String> {
        let plain = plain(self.reference.as_deref()?);
        (plain.len() >= 4).then_some(plain)
    }
}

/// Letters and digits in upper case.
pub fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// The number of an account without what people write between its digits.
pub fn account(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.'));
    kept.flat_map(char::to_uppercase).collect()
}

/// Some days of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// First day.
    pub from: LocalDay,
    /// Last day.
    pub to: LocalDay,
    /// Whether the first day is that of an opening balance, which some banks date the evening before.
    pub opens_evening_before: bool,
    /// Booked balance before the first line, in minor units.
    pub opening: i128,
    /// Booked balance after the last line.
    pub closing: i128,
    /// The lines, in the order of the bank.
    pub lines: Vec<Line>,
    /// Entries that the bank has not booked yet, which are passed over.
    pub pending: usize,
}

/// Whose statement is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Number of the account.
    pub account: &'a str,
    /// Its currency.
    pub unit: &'a Unit,
}

impl Wanted<'_> {
    /// Refuses another account.
    pub fn same_account(&self, found: &str) -> Result<(), Fault> {
        if account(found) == account(self.account) {
            return Ok(());
        }
        let facts = [("found", short(found)), ("wanted", short(self.account))];
        Err(Fault::new(Code::OtherAccount, facts))
    }

    /// Refuses another currency.
    pub fn same_currency(&self, found: &str) -> Result<(), Fault> {
        if found.trim() == self.unit.code() {
            return Ok(());
        }
        let facts = [
            ("found", found.chars().take(20).collect()),
            ("wanted", self.unit.code().to_owned()),
        ];
        Err(Fault::new(Code::OtherCurrency, facts))
    }
}

/// The last four characters of an account: enough to tell two apart, too little to pay to.
fn short(text: &str) -> String {
    let text = account(text);
    let from = text.chars().count().saturating_sub(4);
    format!("…{}", text.chars().skip(from).collect::<String>())
}

impl Statement {
    /// The lines lead from the opening to the closing balance, and every day is one of its days.
    pub fn check(&self, unit: &Unit) -> Result<(), Fault> {
        let sum = self
            .lines
            .iter()
            .try_fold(self.opening, |sum, line| sum.checked_add(line.signed()));
        if sum != Some(self.closing) {
            let facts = [
                ("opening", unit.grouped(self.opening)),
                (
                    "sum",
                    sum.map_or_else(|| "–".to_owned(), |sum| unit.grouped(sum)),
                ),
                ("closing", unit.grouped(self.closing)),
            ];
            return Err(Fault::new(Code::Sum, facts));
        }
        let within = |line: &&Line| line.day < self.from || line.day > self.to;
        match self.lines.iter().find(within) {
            Some(line) => Err(bad_day(&line.day.to_string())),
            None => Ok(()),
        }
    }
}

/// Text that is no day, or none of the statement's.
pub fn bad_day(text: &str) -> Fault {
    Fault::new(Code::Day, [("text", text.chars().take(40).collect())])
}

/// The day at the beginning of a date or an instant as XML writes it, with or without an offset: the
/// bank's own day.
pub fn xml_day(text: &str) -> Result<LocalDay, Fault> {
    let bad = || bad_day(text);
    let (date, rest) = text.split_at_checked(10).ok_or_else(bad)?;
    let offset = |rest: &str| {
        rest == "Z"
            || (rest.len() == 6
                && rest.starts_with(['+', '-'])
                && rest[1..]
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b':'))
    };
    if !(rest.is_empty() || rest.starts_with('T') || offset(rest)) {
        return Err(bad());
    }
    let date = CivilDate::parse(date).map_err(|_| bad())?;
    Ok(date.day_number())
}

/// A text of the bank on one line, as long as it may be; none if it is empty.
pub fn kept(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_MAX)
        .collect();
    (!shown.is_empty()).then_some(shown)
}
