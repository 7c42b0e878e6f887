//! Which columns a bank's CSV has, and how days, numbers and directions are written there.
//!
//! A map is a TOML file, because every bank names its columns otherwise:
//!
//! ```toml
//! [statement]
//! day = "交易日期"
//! debit = "借方金额"
//! credit = "贷方金额"
//! balance = "余额"
//! reference = "流水号"
//! end-to-end = "客户业务编号"
//! counterparty = "对方户名"
//! text = "摘要"
//! day-form = "YYYYMMDD"
//!
//! [instruction]
//! reference = "客户业务编号"
//! name = "收款人名称"
//! account = "收款人账号"
//! bank = "收款行行号"
//! amount = "金额"
//! text = "用途"
//! ```
//!
//! A map is checked as it is read: no field names the column of another, and every field that is
//! needed is there.

use serde::{Deserialize, Serialize};

use crate::amount::Decimal;
use crate::fault::{Code, Fault};

/// How days are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayForm {
    /// `2026-11-30`, also with `/` or `.`.
    #[serde(rename = "YYYY-MM-DD")]
    YearFirst,
    /// `20261130`.
    #[serde(rename = "YYYYMMDD")]
    Digits,
    /// `30.11.2026`, also with `/` or `-`.
    #[serde(rename = "DD.MM.YYYY")]
    DayFirst,
    /// `11/30/2026`.
    #[serde(rename = "MM/DD/YYYY")]
    MonthFirst,
}

/// Which character stands before decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    /// `1,250.00`.
    #[serde(rename = ".")]
    Point,
    /// `1.250,00`.
    #[serde(rename = ",")]
    Comma,
}

/// Columns of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StatementMap {
    /// The day of booking.
    pub day: String,
    /// The day of value; the day of booking if there is none.
    pub value_day: Option<String>,
    /// The amount with its sign, or with `direction` beside it.
    pub amount: Option<String>,
    /// What went out.
    pub debit: Option<String>,
    /// What came in.
    pub credit: Option<String>,
    /// Which way `amount` went.
    pub direction: Option<String>,
    /// What stands in `direction` for credits.
    pub credit_word: Option<String>,
    /// What stands in `direction` for debits.
    pub debit_word: Option<String>,
    /// The balance after the line.
    pub balance: Option<String>,
    /// The bank's reference.
    pub reference: Option<String>,
    /// The payer's reference.
    pub end_to_end: Option<String>,
    /// The code of a return.
    pub return_reason: Option<String>,
    /// Name of the other side.
    pub counterparty: Option<String>,
    /// What it is said to be for.
    pub text: Option<String>,
    /// The account of the line.
    pub account: Option<String>,
    /// The currency of the line.
    pub currency: Option<String>,
    /// How days are written.
    #[serde(default = "year_first")]
    pub day_form: DayForm,
    /// What stands before decimals.
    #[serde(default = "point")]
    pub decimal: Point,
}

/// Columns of a file of instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InstructionMap {
    /// The payer's reference.
    pub reference: String,
    /// Name of who is paid.
    pub name: String,
    /// Account of who is paid.
    pub account: String,
    /// The bank of who is paid.
    pub bank: Option<String>,
    /// The amount.
    pub amount: String,
    /// The currency.
    pub currency: Option<String>,
    /// What it is for.
    pub text: Option<String>,
    /// The day on which the bank is to execute it.
    pub day: Option<String>,
    /// How days are written.
    #[serde(default = "year_first")]
    pub day_form: DayForm,
    /// What stands before decimals.
    #[serde(default = "point")]
    pub decimal: Point,
}

/// The map of one bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// Of its statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementMap>,
    /// Of the instructions that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<InstructionMap>,
}

fn year_first() -> DayForm {
    DayForm::YearFirst
}

fn point() -> Point {
    Point::Point
}

impl Point {
    /// How numbers of such a file are read.
    pub fn form(self) -> Decimal {
        let (point, group) = match self {
            Point::Point => ('.', ','),
            Point::Comma => (',', '.'),
        };
        Decimal {
            point,
            group: Some(group),
            trailing_zeros: false,
        }
    }
}

fn wrong(why: String) -> Fault {
    Fault::new(Code::Map, [("why", why)])
}

impl ColumnMap {
    /// Reads a map and checks it.
    pub fn parse(text: &str) -> Result<ColumnMap, Fault> {
        let map: ColumnMap =
            toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        map.check()?;
        Ok(map)
    }

    /// No field names the column of another, and what is needed is there.
    pub fn check(&self) -> Result<(), Fault> {
        if let Some(map) = &self.statement {
            distinct(&map.columns())?;
            let two = map.debit.is_some() && map.credit.is_some();
            let both = map.debit.is_some() || map.credit.is_some();
            if map.amount.is_some() == both || two != both {
                return Err(wrong("amount | debit + credit".to_owned()));
            }
            let words = [&map.credit_word, &map.debit_word];
            let words = words.iter().filter(|word| word.is_some()).count();
            if words != if map.direction.is_some() { 2 } else { 0 } {
                return Err(wrong("direction + credit-word + debit-word".to_owned()));
            }
            if map.direction.is_some() && (two || map.credit_word == map.debit_word) {
                return Err(wrong("credit-word, debit-word".to_owned()));
            }
        }
        if let Some(map) = &self.instruction {
            distinct(&map.columns())?;
        }
        Ok(())
    }
}

fn distinct(columns: &[(&'static str, &str)]) -> Result<(), Fault> {
    for (at, (field, column)) in columns.iter().enumerate() {
        if column.trim().is_empty() {
            return Err(wrong(format!("{field} = \"\"")));
        }
        let others = columns.iter().skip(at + 1);
        if let Some((other, _)) = others.clone().find(|(_, other)| other == column) {
            let facts = [
                ("column", (*column).to_owned()),
                ("fields", format!("{field}, {other}")),
            ];
            return Err(Fault::new(Code::TwoColumns, facts));
        }
    }
    Ok(())
}

fn named<'a>(
    always: &[(&'static str, &'a String)],
    maybe: &[(&'static str, &'a Option<String>)],
) -> Vec<(&'static str, &'a str)> {
    let always = always
        .iter()
        .map(|(field, column)| (*field, column.as_str()));
    let maybe = maybe
        .iter()
        .filter_map(|(field, column)| Some((*field, column.as_deref()?)));
    always.chain(maybe).collect()
}

impl StatementMap {
    /// Fields with the columns that they name.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        named(
            &[("day", &self.day)],
            &[
                ("value-day", &self.value_day),
                ("amount", &self.amount),
                ("debit", &self.debit),
                ("credit", &self.credit),
                ("direction", &self.direction),
                ("balance", &self.balance),
                ("reference", &self.reference),
                ("end-to-end", &self.end_to_end),
                ("return-reason", &self.return_reason),
                ("counterparty", &self.counterparty),
                ("text", &self.text),
                ("account", &self.account),
                ("currency", &self.currency),
            ],
        )
    }
}

impl InstructionMap {
    /// Fields with the columns that they name.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        named(
            &[
                ("reference", &self.reference),
                ("name", &self.name),
                ("account", &self.account),
                ("amount", &self.amount),
            ],
            &[
                ("bank", &self.bank),
                ("currency", &self.currency),
                ("text", &self.text),
                ("day", &self.day),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<Code> {
        ColumnMap::parse(text).err().map(|fault| fault.code)
    }

    #[test]
    fn a_map_is_checked() {
        let good = "[statement]\nday = 'D'\namount = 'A'\n";
        assert_eq!(code(good), None);
        assert_eq!(code(&format!("{good}text = 'A'\n")), Some(Code::TwoColumns));
        for bad in [
            "[statement]\nday = 'D'\n",
            "[statement]\nday = 'D'\ndebit = 'A'\n",
            "[statement]\nday = 'D'\namount = 'A'\ndebit = 'B'\ncredit = 'C'\n",
            "[statement]\nday = 'D'\namount = 'A'\ndirection = 'B'\n",
            "[statement]\nday = 'D'\namount = 'A'\ncredit-word = 'B'\n",
            "[statement]\nday = 'D'\namount = 'A'\ndirection='B'\ncredit-word='x'\ndebit-word='x'\n",
            "[statement]\nday = ' '\namount = 'A'\n",
            "[statement]\nday = 'D'\namount = 'A'\nunknown = 'X'\n",
            "[statement]\nday = 'D'\namount = 'A'\nday-form = 'YY'\n",
            "[instruction]\nreference = 'R'\n",
            "x",
        ] {
            assert_eq!(code(bad), Some(Code::Map), "{bad}");
        }
        let map = ColumnMap::parse(good).unwrap();
        let again = toml::to_string(&map).unwrap();
        assert_eq!(ColumnMap::parse(&again), Ok(map));
    }
}
