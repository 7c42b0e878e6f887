//! Statements as ISO 20022 writes them: camt.053.001, versions 2 to 13.
//!
//! * The account is `Acct/Id/IBAN` or `Acct/Id/Othr/Id`. The balances are those that were booked:
//!   `OPBD` (else `PRCD`) and `CLBD`; what is available or expected is another matter.
//! * The days of a statement are those of its balances; `FrToDt` is what a customer asked for. The
//!   first day is that of the opening balance, whether or not anything was booked on it; a previous
//!   closing balance (`PRCD`) is of the evening before.
//! * Only entries that are booked count (`BOOK`). An entry with several transactions becomes a line
//!   for each, if their amounts are the entry's; the bank's reference of such a line is its own
//!   (`AcctSvcrRef` of the transaction) if no other part has it, else that or the entry's with its
//!   place behind it. `NtryRef` is the number of a line in its statement and no reference.
//! * `CdtDbtInd` says which way the money went; `RvslInd` that it takes back what was booked before.

use std::collections::BTreeMap;
use std::io::BufRead;

use rollbook_core::account::Amount;

use crate::amount::{XML, amount};
use crate::fault::{Code, Fault};
use crate::statement::{LINES_MAX, Line, Statement, Wanted, bad_day, kept, plain, xml_day};
use crate::xml::{Part, Walk};

/// The name space without the version.
const SPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
/// Versions whose elements are read here.
const VERSIONS: std::ops::RangeInclusive<u32> = 2..=13;

/// An amount as it stands in the file, with its currency and way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Money {
    text: String,
    currency: String,
    credit: Option<bool>,
}

impl Money {
    fn read(&self, wanted: Wanted<'_>, what: &'static str) -> Result<(Amount, bool), Fault> {
        if self.text.is_empty() {
            return Err(missing(what));
        }
        wanted.same_currency(&self.currency)?;
        let credit = self.credit.ok_or_else(|| missing("CdtDbtInd"))?;
        Ok((amount(&self.text, wanted.unit, XML)?, credit))
    }

    fn signed(&self, wanted: Wanted<'_>, what: &'static str) -> Result<i128, Fault> {
        let (amount, credit) = self.read(wanted, what)?;
        let minor = i128::from(amount);
        Ok(if credit { minor } else { -minor })
    }
}

fn missing(what: &'static str) -> Fault {
    Fault::new(Code::Missing, [("what", what.to_owned())])
}

#[derive(Debug, Default)]
struct Balance {
    kind: String,
    money: Money,
    day: String,
}

/// One transaction of an entry.
#[derive(Debug, Default)]
struct Transaction {
    money: Money,
    reference: Option<String>,
    end_to_end: Option<String>,
    reason: Option<String>,
    debtor: Option<String>,
    creditor: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Default)]
struct Entry {
    money: Money,
    status: String,
    day: String,
    value_day: String,
    reversal: bool,
    reference: Option<String>,
    text: Option<String>,
    transactions: Vec<Transaction>,
}

#[derive(Debug, Default)]
struct Open {
    account: String,
    currency: String,
    balances: Vec<Balance>,
    lines: Vec<Line>,
    pending: usize,
}

/// Reads every statement of a document, each held to the account and currency that are wanted and to
/// its own sum, in the order of the file.
pub fn read(source: impl BufRead, wanted: Wanted<'_>) -> Result<Vec<Statement>, Fault> {
    let mut walk = Walk::new(source);
    let mut reading = Reading {
        wanted,
        path: Vec::new(),
        open: None,
        balance: Balance::default(),
        entry: Entry::default(),
        transaction: Transaction::default(),
        currency: String::new(),
        lines: 0,
        statements: Vec::new(),
    };
    while let Some(part) = walk.step()? {
        let taken = match part {
            Part::Start {
                name,
                currency,
                space,
            } => reading.start(name, currency, space),
            Part::End { name, text } => reading.end(&name, text),
        };
        taken.map_err(|fault| walk.fault(fault))?;
    }
    if reading.statements.is_empty() {
        return Err(Fault::plain(Code::NoStatement));
    }
    Ok(reading.statements)
}

struct Reading<'a> {
    wanted: Wanted<'a>,
    path: Vec<String>,
    open: Option<Open>,
    balance: Balance,
    entry: Entry,
    transaction: Transaction,
    /// `Ccy` of the amount that is open.
    currency: String,
    lines: usize,
    statements: Vec<Statement>,
}

impl Reading<'_> {
    fn start(
        &mut self,
        name: String,
        currency: Option<String>,
        space: Option<String>,
    ) -> Result<(), Fault> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match (self.path.len(), name.as_str()) {
            (0, "Document") => version(&text(&space))?,
            (0, _) => return Err(Fault::new(Code::NotCamt, [("found", cut(&name))])),
            (1, "BkToCstmrStmt") => {}
            (1, _) => return Err(Fault::new(Code::NotCamt, [("found", cut(&name))])),
            (2, "Stmt") => self.open = Some(Open::default()),
            (3, "Bal") => self.balance = Balance::default(),
            (3, "Ntry") => self.entry = Entry::default(),
            (5, "TxDtls") => self.transaction = Transaction::default(),
            _ => {}
        }
        // Without one an amount has no currency; it does not inherit that of the amount before.
        if name == "Amt" {
            self.currency = currency.unwrap_or_default();
        }
        self.path.push(name);
        Ok(())
    }

    fn end(&mut self, name: &str, text: String) -> Result<(), Fault> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let inner = path.get(3..).unwrap_or_default();
        let currency = self.currency.clone();
        let within = path.starts_with(&["Document", "BkToCstmrStmt", "Stmt"]);
        if let Some(open) = self.open.as_mut().filter(|_| within) {
            match inner {
                ["Acct", "Id", "IBAN"] | ["Acct", "Id", "Othr", "Id"] => open.account = text,
                ["Acct", "Ccy"] => open.currency = text,
                ["Bal", rest @ ..] => balance(&mut self.balance, rest, text, currency)?,
                ["Ntry", "NtryDtls", "TxDtls", rest @ ..] if !rest.is_empty() => {
                    transaction(&mut self.transaction, rest, text, currency)?;
                }
                ["Ntry", rest @ ..] if !rest.is_empty() => {
                    entry(&mut self.entry, rest, text, currency)?;
                }
                _ => {}
            }
        }
        match inner {
            ["Bal"] => {
                let balance = std::mem::take(&mut self.balance);
                if let Some(open) = &mut self.open {
                    // A bank has ten kinds of balances.
                    if open.balances.len() >= 64 {
                        return Err(Fault::plain(Code::TooLong));
                    }
                    open.balances.push(balance);
                }
            }
            ["Ntry", "NtryDtls", "TxDtls"] => {
                let one = std::mem::take(&mut self.transaction);
                self.lines += 1;
                self.many()?;
                self.entry.transactions.push(one);
            }
            ["Ntry"] => {
                let entry = std::mem::take(&mut self.entry);
                self.lines += 1;
                self.many()?;
                if let Some(open) = &mut self.open {
                    match entry.status.as_str() {
                        "BOOK" => entry.lines(self.wanted, &mut open.lines)?,
                        _ => open.pending += 1,
                    }
                }
            }
            [] if name == "Stmt" && path.len() == 3 => {
                if let Some(open) = self.open.take() {
                    self.statements.push(open.statement(self.wanted)?);
                }
            }
            _ => {}
        }
        self.path.pop();
        Ok(())
    }

    fn many(&self) -> Result<(), Fault> {
        // Each line is counted once as an entry and once as a transaction.
        if self.lines > 2 * LINES_MAX {
            return Err(Fault::new(
                Code::TooManyLines,
                [("most", LINES_MAX.to_string())],
            ));
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

fn version(space: &str) -> Result<(), Fault> {
    let Some(number) = space.strip_prefix(SPACE) else {
        return Err(Fault::new(Code::NotCamt, [("found", cut(space))]));
    };
    let known = number.len() == 2
        && number
            .parse()
            .is_ok_and(|number| VERSIONS.contains(&number));
    if !known {
        return Err(Fault::new(Code::Version, [("found", cut(number))]));
    }
    Ok(())
}

fn direction(text: &str) -> Result<Option<bool>, Fault> {
    match text {
        "CRDT" => Ok(Some(true)),
        "DBIT" => Ok(Some(false)),
        _ => Err(Fault::new(Code::Direction, [("text", cut(text))])),
    }
}

fn balance(
    balance: &mut Balance,
    path: &[&str],
    text: String,
    currency: String,
) -> Result<(), Fault> {
    match path {
        ["Tp", "CdOrPrtry", "Cd" | "Prtry"] => balance.kind = text,
        ["Amt"] => (balance.money.text, balance.money.currency) = (text, currency),
        ["CdtDbtInd"] => balance.money.credit = direction(&text)?,
        ["Dt", "Dt" | "DtTm"] => balance.day = text,
        _ => {}
    }
    Ok(())
}

fn entry(entry: &mut Entry, path: &[&str], text: String, currency: String) -> Result<(), Fault> {
    match path {
        ["Amt"] => (entry.money.text, entry.money.currency) = (text, currency),
        ["CdtDbtInd"] => entry.money.credit = direction(&text)?,
        ["Sts"] if !text.is_empty() => entry.status = text,
        ["Sts", "Cd"] => entry.status = text,
        ["BookgDt", "Dt" | "DtTm"] => entry.day = text,
        ["ValDt", "Dt" | "DtTm"] => entry.value_day = text,
        ["AcctSvcrRef"] => entry.reference = kept(&text),
        ["RvslInd"] => entry.reversal = matches!(text.as_str(), "true" | "1"),
        ["AddtlNtryInf"] => entry.text = kept(&text),
        _ => {}
    }
    Ok(())
}

fn transaction(
    one: &mut Transaction,
    path: &[&str],
    text: String,
    currency: String,
) -> Result<(), Fault> {
    match path {
        ["Refs", "AcctSvcrRef"] => one.reference = kept(&text),
        // Banks write this where the payer gave none.
        ["Refs", "EndToEndId"] if text != "NOTPROVIDED" => one.end_to_end = kept(&text),
        // Version 2 has the amount in the details alone, later ones also beside the references.
        ["Amt"] => (one.money.text, one.money.currency) = (text, currency),
        ["AmtDtls", "TxAmt", "Amt"] if one.money.text.is_empty() => {
            (one.money.text, one.money.currency) = (text, currency);
        }
        ["CdtDbtInd"] => one.money.credit = direction(&text)?,
        ["RltdPties", "Dbtr", "Nm"] | ["RltdPties", "Dbtr", "Pty", "Nm"] => {
            one.debtor = kept(&text)
        }
        ["RltdPties", "Cdtr", "Nm"] | ["RltdPties", "Cdtr", "Pty", "Nm"] => {
            one.creditor = kept(&text);
        }
        ["RmtInf", "Ustrd"] => {
            let before = one.text.take().unwrap_or_default();
            one.text = kept(&format!("{before} {text}"));
        }
        ["RtrInf", "Rsn", "Cd" | "Prtry"] => one.reason = kept(&text),
        _ => {}
    }
    Ok(())
}

impl Entry {
    fn lines(self, wanted: Wanted<'_>, into: &mut Vec<Line>) -> Result<(), Fault> {
        let (amount, credit) = self.money.read(wanted, "Amt")?;
        if amount == Amount::ZERO {
            return Ok(());
        }
        let day = if self.day.is_empty() {
            &self.value_day
        } else {
            &self.day
        };
        if day.is_empty() {
            return Err(missing("BookgDt"));
        }
        let day = xml_day(day)?;
        let value_day = match self.value_day.as_str() {
            "" => day,
            text => xml_day(text)?,
        };
        let (reference, reversal) = (self.reference, self.reversal);
        let line = |one: Transaction, amount, credit, reference| Line {
            day,
            value_day,
            credit,
            amount,
            reference,
            end_to_end: one.end_to_end,
            return_reason: one.reason,
            reversal,
            counterparty: if credit { one.debtor } else { one.creditor },
            text: one.text.or_else(|| self.text.clone()),
        };
        let mut transactions = self.transactions;
        if transactions.len() < 2 {
            let one = transactions.pop().unwrap_or_default();
            let own = one.reference.clone().or(reference);
            into.push(line(one, amount, credit, own));
            return Ok(());
        }
        // What is booked in one entry is several movements: each with its amount, or none is known.
        let mut sum: i128 = 0;
        let mut found = Vec::with_capacity(transactions.len());
        // A reference that several parts carry, or the entry, too, is that of the batch.
        let mut carried: BTreeMap<String, usize> = BTreeMap::new();
        let parts = transactions.iter().filter_map(|one| one.reference.as_ref());
        for text in parts.chain(&reference) {
            *carried.entry(plain(text)).or_default() += 1;
        }
        for (place, mut one) in (1..).zip(transactions) {
            one.money.credit = one.money.credit.or(Some(credit));
            let (part, way) = one.money.read(wanted, "TxDtls/Amt")?;
            let signed = i128::from(part);
            sum = sum.saturating_add(if way == credit { signed } else { -signed });
            let alone = |text: &&String| carried.get(&plain(text)) == Some(&1);
            let numbered = |text: &String| format!("{text}/{place}");
            let own = match one.reference.as_ref().filter(alone) {
                Some(own) => Some(own.clone()),
                None => one.reference.as_ref().or(reference.as_ref()).map(numbered),
            };
            found.push(line(one, part, way, own));
        }
        if sum != i128::from(amount) {
            let facts = [
                ("amount", wanted.unit.grouped(i128::from(amount))),
                ("sum", wanted.unit.grouped(sum)),
            ];
            return Err(Fault::new(Code::Parts, facts));
        }
        into.extend(found.into_iter().filter(|line| line.amount > Amount::ZERO));
        Ok(())
    }
}

impl Open {
    fn statement(self, wanted: Wanted<'_>) -> Result<Statement, Fault> {
        if self.account.is_empty() {
            return Err(missing("Acct/Id"));
        }
        wanted.same_account(&self.account)?;
        if !self.currency.is_empty() {
            wanted.same_currency(&self.currency)?;
        }
        let find = |kind: &str| self.balances.iter().find(|balance| balance.kind == kind);
        let before = find("PRCD");
        let opening = find("OPBD").or(before).ok_or_else(|| missing("OPBD"))?;
        let closing = find("CLBD").ok_or_else(|| missing("CLBD"))?;
        let day = |balance: &Balance| match balance.day.as_str() {
            "" => Err(missing("Bal/Dt")),
            text => xml_day(text),
        };
        let to = day(closing)?;
        // Where that is not before the closing balance: some banks give both the same day.
        let opened = day(opening)?;
        let evening = opening.kind == "PRCD" && opened < to;
        let from = if evening { opened.plus(1) } else { opened };
        let statement = Statement {
            from,
            to,
            opens_evening_before: !evening,
            opening: opening.money.signed(wanted, "OPBD")?,
            closing: closing.money.signed(wanted, "CLBD")?,
            lines: self.lines,
            pending: self.pending,
        };
        if statement.from > statement.to {
            return Err(bad_day(&statement.from.to_string()));
        }
        statement.check(wanted.unit)?;
        Ok(statement)
    }
}

#[cfg(test)]
mod tests;
