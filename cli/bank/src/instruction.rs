//! Payments to the bank: pain.001.001.09, and CSV by the bank's own columns.
//!
//! * The number of the message is made of what is in it, so a bank that was given the same file twice
//!   sees that it is the same.
//! * A bank is named by its BIC, or by its number of twelve digits in CNAPS; the account by an IBAN or
//!   the bank's own number.
//! * No cell of a table may run as a formula; a name that would is refused, because an apostrophe
//!   before it would be part of the name to the bank.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quick_xml::escape::escape;
use rollbook_core::account::{Amount, Unit};
use rollbook_core::calendar::{CivilDate, LocalDay};
use sha2::{Digest, Sha256};

use crate::fault::{Code, Fault};
use crate::map::{DayForm, InstructionMap, Point};
use crate::statement::account;

/// Name space of the message.
const SPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// Longest name and text.
const NAME_MAX: usize = 140;
/// Longest account.
const ACCOUNT_MAX: usize = 34;

/// One side of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its name, as its bank knows it.
    pub name: String,
    /// Number of its account.
    pub account: String,
    /// Its bank: BIC, or twelve digits of CNAPS; none where the bank finds it by the account.
    pub bank: Option<String>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The payer's reference, EndToEndId.
    pub reference: String,
    /// UETR, where the way has one.
    pub uetr: Option<String>,
    /// Minor units.
    pub amount: Amount,
    /// Who is paid.
    pub to: Party,
    /// What it is for.
    pub text: String,
}

/// A file of payments from one account on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order<'a> {
    /// Who pays.
    pub from: Party,
    /// The currency.
    pub unit: &'a Unit,
    /// The day on which the bank is to execute them.
    pub day: LocalDay,
    /// When the file is made: `2026-11-30T10:00:00+08:00`.
    pub made: &'a str,
    /// The payments.
    pub payments: Vec<Instruction>,
}

impl Order<'_> {
    /// There are payments, none twice, and everything can be written in both forms.
    pub fn check(&self) -> Result<(), Fault> {
        if self.payments.is_empty() {
            return Err(Fault::plain(Code::NoPayments));
        }
        party(&self.from)?;
        let mut seen = BTreeSet::new();
        for payment in &self.payments {
            let facts = [("reference", payment.reference.clone())];
            if !seen.insert(payment.reference.as_str()) {
                return Err(Fault::new(Code::EndToEndTwice, facts));
            }
            written(&payment.reference, 35)?;
            party(&payment.to)?;
            if !payment.text.is_empty() {
                written(&payment.text, NAME_MAX)?;
            }
        }
        Ok(())
    }

    /// The sum of the payments, in minor units.
    pub fn sum(&self) -> i128 {
        let amounts = self
            .payments
            .iter()
            .map(|payment| i128::from(payment.amount));
        amounts.fold(0, i128::saturating_add)
    }

    /// Number of the message: 32 characters.
    pub fn number(&self) -> String {
        let mut hasher = Sha256::new();
        let mut part = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(&account(&self.from.account));
        for payment in &self.payments {
            part(&payment.reference);
            part(&account(&payment.to.account));
            part(&self.unit.plain(i128::from(payment.amount)));
        }
        let digest: [u8; 32] = hasher.finalize().into();
        digest
            .iter()
            .take(16)
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02X}");
                text
            })
    }

    /// The message as XML.
    pub fn pain001(&self) -> Result<String, Fault> {
        self.check()?;
        let number = self.number();
        let (count, sum) = (self.payments.len(), self.unit.plain(self.sum()));
        let mut xml = Xml::default();
        xml.text += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        xml.open(&format!("Document xmlns=\"{SPACE}\""));
        xml.open("CstmrCdtTrfInitn");
        xml.open("GrpHdr");
        xml.leaf("MsgId", &number);
        xml.leaf("CreDtTm", self.made);
        xml.leaf("NbOfTxs", &count.to_string());
        xml.leaf("CtrlSum", &sum);
        xml.within("InitgPty", |xml| xml.leaf("Nm", &self.from.name));
        xml.close("GrpHdr");
        xml.open("PmtInf");
        xml.leaf("PmtInfId", &number);
        xml.leaf("PmtMtd", "TRF");
        xml.leaf("NbOfTxs", &count.to_string());
        xml.leaf("CtrlSum", &sum);
        xml.within("ReqdExctnDt", |xml| xml.leaf("Dt", &self.day.to_string()));
        xml.within("Dbtr", |xml| xml.leaf("Nm", &self.from.name));
        xml.within("DbtrAcct", |xml| {
            xml.account(&self.from.account);
            xml.leaf("Ccy", self.unit.code());
        });
        xml.bank("DbtrAgt", self.from.bank.as_deref(), true);
        for payment in &self.payments {
            xml.within("CdtTrfTxInf", |xml| {
                xml.within("PmtId", |xml| {
                    xml.leaf("EndToEndId", &payment.reference);
                    if let Some(uetr) = &payment.uetr {
                        xml.leaf("UETR", uetr);
                    }
                });
                xml.within("Amt", |xml| {
                    let amount = self.unit.plain(i128::from(payment.amount));
                    let tag = format!("InstdAmt Ccy=\"{}\"", escape(self.unit.code()));
                    xml.line(&format!("<{tag}>{amount}</InstdAmt>"));
                });
                xml.bank("CdtrAgt", payment.to.bank.as_deref(), false);
                xml.within("Cdtr", |xml| xml.leaf("Nm", &payment.to.name));
                xml.within("CdtrAcct", |xml| xml.account(&payment.to.account));
                if !payment.text.is_empty() {
                    xml.within("RmtInf", |xml| xml.leaf("Ustrd", &payment.text));
                }
            });
        }
        for name in ["PmtInf", "CstmrCdtTrfInitn", "Document"] {
            xml.close(name);
        }
        Ok(xml.text)
    }

    /// The same as CSV, with the columns of the bank in the order of the map, UTF-8 with a mark.
    pub fn csv(&self, map: &InstructionMap) -> Result<Vec<u8>, Fault> {
        self.check()?;
        let columns = map.columns();
        let unwritable = || Fault::plain(Code::Character);
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer("\u{feff}".as_bytes().to_vec());
        let head = columns.iter().map(|(_, column)| *column);
        writer.write_record(head).map_err(|_| unwritable())?;
        let day = day(self.day, map.day_form);
        for payment in &self.payments {
            let amount = self.unit.plain(i128::from(payment.amount));
            let amount = match map.decimal {
                Point::Point => amount,
                Point::Comma => amount.replace('.', ","),
            };
            let account = account(&payment.to.account);
            let cell = |field: &str| match field {
                "reference" => payment.reference.as_str(),
                "name" => payment.to.name.as_str(),
                "account" => account.as_str(),
                "bank" => payment.to.bank.as_deref().unwrap_or_default(),
                "amount" => amount.as_str(),
                "currency" => self.unit.code(),
                "text" => payment.text.as_str(),
                "day" => day.as_str(),
                _ => "",
            };
            let row = columns.iter().map(|(field, _)| cell(field));
            writer.write_record(row).map_err(|_| unwritable())?;
        }
        writer.into_inner().map_err(|_| unwritable())
    }
}

fn day(day: LocalDay, form: DayForm) -> String {
    let CivilDate { year, month, day } = day.date();
    match form {
        DayForm::YearFirst => format!("{year:04}-{month:02}-{day:02}"),
        DayForm::Digits => format!("{year:04}{month:02}{day:02}"),
        DayForm::DayFirst => format!("{day:02}.{month:02}.{year:04}"),
        DayForm::MonthFirst => format!("{month:02}/{day:02}/{year:04}"),
    }
}

fn character(text: &str, most: usize) -> Fault {
    let facts = [
        ("text", text.chars().take(60).collect()),
        ("most", most.to_string()),
    ];
    Fault::new(Code::Character, facts)
}

/// Text on one line, not empty, not too long, and no formula.
fn written(text: &str, most: usize) -> Result<(), Fault> {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
    };
    let bad = text.trim().is_empty()
        || text.chars().count() > most
        || text.contains(hides)
        || text.starts_with(['=', '+', '-', '@']);
    if bad {
        return Err(character(text, most));
    }
    Ok(())
}

fn party(party: &Party) -> Result<(), Fault> {
    written(&party.name, NAME_MAX)?;
    let number = account(&party.account);
    let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if number.is_empty() || number.len() > ACCOUNT_MAX || !plain {
        return Err(character(&party.account, ACCOUNT_MAX));
    }
    match &party.bank {
        Some(bank) if !is_bic(bank) && !is_cnaps(bank) => Err(character(bank, 12)),
        _ => Ok(()),
    }
}

/// `BKCHCNBJ`, `BKCHCNBJ110`.
pub fn is_bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    let letters = |part: &[u8]| part.iter().all(u8::is_ascii_uppercase);
    let plain = |part: &[u8]| {
        part.iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    matches!(bytes.len(), 8 | 11)
        && plain(&bytes[..4])
        && letters(&bytes[4..6])
        && plain(&bytes[6..])
}

/// Twelve digits.
pub fn is_cnaps(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two letters of a country, two check digits, and a remainder of 1 by 97.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = (15..=34).contains(&bytes.len())
        && bytes.iter().take(2).all(u8::is_ascii_uppercase)
        && bytes.iter().skip(2).take(2).all(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    let turned = bytes.iter().skip(4).chain(bytes.iter().take(4));
    let rest = turned.fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        byte => (rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    shaped && rest == 1
}

/// Elements on lines of their own.
#[derive(Default)]
struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:width$}{line}", "", width = 2 * self.depth);
    }

    fn open(&mut self, tag: &str) {
        self.line(&format!("<{tag}>"));
        self.depth += 1;
    }

    fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(&format!("</{name}>"));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.line(&format!("<{name}>{}</{name}>", escape(text)));
    }

    fn within(&mut self, name: &str, inner: impl FnOnce(&mut Xml)) {
        self.open(name);
        inner(self);
        self.close(name);
    }

    fn account(&mut self, text: &str) {
        let number = account(text);
        self.within("Id", |xml| {
            if is_iban(&number) {
                xml.leaf("IBAN", &number);
            } else {
                xml.within("Othr", |xml| xml.leaf("Id", &number));
            }
        });
    }

    /// The bank of a party. The payer's must stand there, whoever it is.
    fn bank(&mut self, name: &str, bank: Option<&str>, needed: bool) {
        if bank.is_none() && !needed {
            return;
        }
        self.within(name, |xml| {
            xml.within("FinInstnId", |xml| match bank {
                Some(bic) if is_bic(bic) => xml.leaf("BICFI", bic),
                Some(number) => xml.within("ClrSysMmbId", |xml| {
                    xml.within("ClrSysId", |xml| xml.leaf("Cd", "CNAPS"));
                    xml.leaf("MmbId", number);
                }),
                None => xml.within("Othr", |xml| xml.leaf("Id", "NOTPROVIDED")),
            });
        });
    }
}

#[cfg(test)]
mod tests;
