//! Statements of others and of our own.

use std::io::{BufReader, Read};
use std::path::Path;

use rollbook_core::account::Unit;

use super::*;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/bank");
    std::fs::read(folder.join(name)).unwrap()
}

fn taken(name: &str, account: &str, currency: &str) -> Result<Vec<Statement>, Fault> {
    let unit = Unit::currency(currency).unwrap();
    let wanted = Wanted {
        account,
        unit: &unit,
    };
    read(file(name).as_slice(), wanted)
}

fn fact(fault: &Fault, name: &str) -> String {
    let found = fault.facts.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Seven statements that another project wrote, each with what it deserves.
#[test]
fn the_seven_files_of_another_project() {
    let dutch = "NL26 VAYB 8060 476890";
    let of = |name: &str, account| taken(&format!("camt053/{name}"), account, "EUR");

    // Two statements of one account that follow on one another, and both add up.
    let read = of("camt053.v2.multi.statement.xml", dutch).unwrap();
    let sums: Vec<(i128, i128, usize)> = read
        .iter()
        .map(|statement| (statement.opening, statement.closing, statement.lines.len()))
        .collect();
    assert_eq!(sums, [(1_815, 2_700, 1), (2_700, 2_000, 1)]);
    let line = &read[0].lines[0];
    assert_eq!(line.end_to_end.as_deref(), Some("000000001"));
    assert_eq!(line.text.as_deref(), Some("Transaction Description 1"));
    assert_eq!(line.day.to_string(), "2014-12-31");
    assert_eq!(line.value_day.to_string(), "2015-01-02");
    assert_eq!(line.reference, None, "this bank gives no reference");

    // Ten kinds of balances; the booked ones are 1.01 before and 4.04 after an entry of 8.85.
    let fault = of("camt053.v2.all-balance-types.xml", "CH2801234000123456789").unwrap_err();
    assert_eq!(fault.code, Code::Sum);
    assert_eq!(
        (fact(&fault, "sum"), fact(&fault, "closing")),
        ("9.86".into(), "4.04".into())
    );

    // `8.850` is 8.85, since XML writes a number in one way; but 18.15 and 8.85 are not 27.05.
    let fault = of("camt053.v2.five.decimals.xml", dutch).unwrap_err();
    assert_eq!(fault.code, Code::Sum);
    assert_eq!(
        (fact(&fault, "sum"), fact(&fault, "closing")),
        ("27.00".into(), "27.05".into())
    );

    // The closing balance of an account in euros is in Swedish crowns: nobody can say what it holds.
    for name in [
        "camt053.v2.minimal.ultimate.xml",
        "camt053.v4.xml",
        "camt053.v8.xml",
    ] {
        let fault = of(name, dutch).unwrap_err();
        assert_eq!(fault.code, Code::OtherCurrency, "{name}");
        assert_eq!(fact(&fault, "found"), "SEK", "{name}");
        assert!(fault.at.is_some(), "{name}");
    }

    // A document without any statement.
    let fault = of("camt053.v2.wrong.xml", dutch).unwrap_err();
    assert_eq!(fault.code, Code::NoStatement);

    // With the balance in euros, and dated not before the entry, versions 4 and 8 add up and are read.
    for name in ["camt053.v4.xml", "camt053.v8.xml"] {
        let text = String::from_utf8(file(&format!("camt053/{name}"))).unwrap();
        let text = text.replace("\"SEK\">27.00<", "\"EUR\">27.00<").replacen(
            "<CdtDbtInd>DBIT</CdtDbtInd>",
            "<CdtDbtInd>CRDT</CdtDbtInd>",
            1,
        );
        let text = text.replace("2014-12-30", "2014-12-31");
        let unit = Unit::currency("EUR").unwrap();
        let wanted = Wanted {
            account: dutch,
            unit: &unit,
        };
        let read = super::read(text.as_bytes(), wanted).unwrap();
        let line = &read[0].lines[0];
        assert_eq!(
            line.reference.as_deref(),
            Some("AAAASESS-FP-CN_98765/01"),
            "{name}"
        );
        assert_eq!(line.counterparty.as_deref(), Some("NAME NAME"), "{name}");
        assert_eq!((line.amount, line.credit), (Amount(885), true), "{name}");
    }
}

const ACCOUNT: &str = "6222000011112222";

#[test]
fn every_kind_of_entry() {
    let read = taken("every-entry.camt053.xml", ACCOUNT, "CNY").unwrap();
    let [statement] = read.as_slice() else {
        panic!("{read:?}");
    };
    // A previous closing balance is that of the evening before.
    assert_eq!(statement.from.to_string(), "2026-03-02");
    assert_eq!(statement.to.to_string(), "2026-03-02");
    assert_eq!(statement.pending, 1);
    let told: Vec<String> = statement
        .lines
        .iter()
        .map(|line| {
            format!(
                "{} {} {} {}",
                line.signed(),
                line.reference.as_deref().unwrap_or("-"),
                line.end_to_end.as_deref().unwrap_or("-"),
                line.return_reason.as_deref().unwrap_or("-"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "100000 ICBC-0001 - -",
            "-30000 ICBC-0002 AG1-ADV-1 -",
            "5000 ICBC-0003 AG2-ADV-1 AC01",
            "-1500 ICBC-0004/1 AG3-M1-1 -",
            "-2500 ICBC-0004-B AG3-M2-1 -",
        ]
    );
    let first = &statement.lines[0];
    assert_eq!(first.counterparty.as_deref(), Some("Yongjiang & Sons"));
    assert_eq!(first.text.as_deref(), Some("pledge PL-0001, IN-0002 甬江"));
}

/// The file of every entry with one change.
fn changed(from: &str, to: &str) -> Result<Vec<Statement>, Fault> {
    let text = String::from_utf8(file("every-entry.camt053.xml")).unwrap();
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let unit = Unit::default();
    let wanted = Wanted {
        account: ACCOUNT,
        unit: &unit,
    };
    read(text.as_bytes(), wanted)
}

#[test]
fn what_is_refused() {
    for (from, to, code) in [
        (
            "6222 0000 1111 2222",
            "6222 0000 1111 2223",
            Code::OtherAccount,
        ),
        ("6222 0000 1111 2222", "", Code::Missing),
        ("<Ccy>CNY</Ccy>", "<Ccy>USD</Ccy>", Code::OtherCurrency),
        ("\"CNY\">300.00", "\"USD\">300.00", Code::OtherCurrency),
        (
            " Ccy=\"CNY\">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>",
            ">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>",
            Code::OtherCurrency,
        ),
        ("300.00", "300.001", Code::Decimals),
        ("300.00", "300,00", Code::Amount),
        ("300.00", "-300.00", Code::Amount),
        ("300.00", "3e2", Code::Amount),
        ("300.00", "9223372036854775808.00", Code::AmountTooLarge),
        ("300.00", "301.00", Code::Sum),
        ("15.00", "16.00", Code::Parts),
        ("<Amt Ccy=\"CNY\">15.00</Amt>", "", Code::Missing),
        ("DBIT", "DEBIT", Code::Direction),
        ("<Cd>CLBD</Cd>", "<Cd>CLXX</Cd>", Code::Missing),
        ("<Cd>PRCD</Cd>", "<Cd>XXXX</Cd>", Code::Missing),
        ("2026-03-02T09:30", "2026-02-30T09:30", Code::Day),
        ("2026-03-02T09:30", "2026-03-05T09:30", Code::Day),
        ("camt.053.001.08", "camt.053.001.14", Code::Version),
        ("camt.053.001.08", "camt.053.001.1", Code::Version),
        ("camt.053.001.08", "camt.052.001.08", Code::NotCamt),
        ("<Document xmlns", "<Dokument xmlns", Code::NotCamt),
        ("<GrpHdr>", "<GrpHdr>&lol;", Code::Entity),
        (
            "<!-- Every",
            "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><!-- Every",
            Code::DocType,
        ),
        ("</Document>", "", Code::NotXml),
    ] {
        let found = changed(from, to)
            .map(|read| read.len())
            .map_err(|fault| fault.code);
        assert_eq!(found, Err(code), "{from:?} -> {to:?}");
    }
    // An account is told by its last digits only: a refusal may stand in a log.
    let fault = changed("1111 2222", "1111 9999").unwrap_err();
    assert_eq!(fact(&fault, "found"), "…9999");
}

/// A source that never ends, to see that a reader does.
struct Endless {
    head: Vec<u8>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for byte in into.iter_mut() {
            let head = self.head.get(self.at).copied();
            let place = self.at.saturating_sub(self.head.len()) % self.piece.len();
            *byte = head.unwrap_or(self.piece[place]);
            self.at += 1;
        }
        Ok(into.len())
    }
}

/// A file without an end is refused at its limits, and what was read of it is bounded.
#[test]
fn a_file_of_any_size_ends() {
    let text = String::from_utf8(file("every-entry.camt053.xml")).unwrap();
    let at = text.find("<Ntry>").unwrap();
    let unit = Unit::default();
    let wanted = Wanted {
        account: ACCOUNT,
        unit: &unit,
    };
    let endless = |piece: &str| {
        let source = Endless {
            head: text.as_bytes()[..at].to_vec(),
            piece: piece.as_bytes().to_vec(),
            at: 0,
        };
        read(BufReader::new(source), wanted).unwrap_err().code
    };
    let entry = "<Ntry><Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>\
                 <BookgDt><Dt>2026-03-02</Dt></BookgDt></Ntry>";
    assert_eq!(endless(entry), Code::TooManyLines);
    assert_eq!(endless("x"), Code::TooLong);
    assert_eq!(endless("<a>"), Code::TooDeep);
    assert_eq!(endless("<Bal></Bal>"), Code::TooLong);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Wherever a file is cut or changed, it is read or refused.
    #[test]
    fn damaged_files_do_not_panic(at in 0usize..5_000, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = file("every-entry.camt053.xml");
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        let unit = Unit::default();
        let wanted = Wanted { account: ACCOUNT, unit: &unit };
        let _ = read(bytes.as_slice(), wanted);
        let _ = read(&bytes[..at], wanted);
    }
}

/// A batch whose parts carry one reference, or that of the entry, could not be read. Each part gets its
/// place behind it; the number of an entry in its statement is no reference.
#[test]
fn parts_under_one_reference() {
    let references = |read: Vec<Statement>| -> Vec<String> {
        let lines = read[0].lines.iter().map(|line| line.reference.clone());
        lines
            .map(|reference| reference.unwrap_or_default())
            .collect()
    };
    let last = |from: &str, to: &str| references(changed(from, to).unwrap()).split_off(3);
    let own = "<AcctSvcrRef>ICBC-0004-B</AcctSvcrRef>";
    assert_eq!(last(own, own), ["ICBC-0004/1", "ICBC-0004-B"]);
    let entry = last(own, "<AcctSvcrRef>ICBC-0004</AcctSvcrRef>");
    assert_eq!(entry, ["ICBC-0004/1", "ICBC-0004/2"]);
    let number = "<AcctSvcrRef>ICBC-0001</AcctSvcrRef>";
    let read = changed(number, "<NtryRef>17</NtryRef>").unwrap();
    assert_eq!(references(read)[0], "");
}

/// What a bank takes back is marked; an amount without its currency has none, even behind one that has.
#[test]
fn reversals_and_currencies() {
    let marked = |read: &[Statement]| -> Vec<bool> {
        let lines = read[0].lines.iter();
        lines.map(|line| line.reversal).collect()
    };
    let read = taken("every-entry.camt053.xml", ACCOUNT, "CNY").unwrap();
    assert_eq!(marked(&read), [false, false, true, false, false]);
    let read = changed(">true</RvslInd>", ">false</RvslInd>").unwrap();
    assert!(!marked(&read).contains(&true));
    for amount in ["1000.00", "300.00", "15.00"] {
        let with = format!("<Amt Ccy=\"CNY\">{amount}");
        let fault = changed(&with, &format!("<Amt>{amount}")).unwrap_err();
        assert_eq!(fault.code, Code::OtherCurrency, "{amount}");
    }
}

/// An opening balance of a day without entries is that day's: the days before the first entry are not
/// missing.
#[test]
fn a_statement_that_begins_with_a_quiet_day() {
    let read = changed("<Cd>PRCD</Cd>", "<Cd>OPBD</Cd>").unwrap();
    assert_eq!(read[0].from.to_string(), "2026-03-01");
    assert!(read[0].opens_evening_before);
}
