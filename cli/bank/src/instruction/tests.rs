//! Files of instructions, as they are kept, and what cannot be instructed.

use std::path::{Path, PathBuf};

use super::*;
use crate::map::ColumnMap;

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/bank")
        .join(name)
}

/// Compares with the kept file, or makes it anew.
fn hold(name: &str, bytes: &[u8]) {
    if std::env::var_os("KEPT").is_some_and(|value| value == "anew") {
        std::fs::write(kept(name), bytes).unwrap();
    }
    let same = std::fs::read(kept(name)).is_ok_and(|kept| kept == bytes);
    assert!(
        same,
        "{name} is stale: KEPT=anew cargo test --release --workspace kept_"
    );
}

fn order(unit: &Unit) -> Order<'_> {
    let party = |name: &str, account: &str, bank: Option<&str>| Party {
        name: name.to_owned(),
        account: account.to_owned(),
        bank: bank.map(str::to_owned),
    };
    let pay = |reference: &str, minor, to, uetr: Option<&str>| Instruction {
        reference: reference.to_owned(),
        uetr: uetr.map(str::to_owned),
        amount: Amount(minor),
        to,
        text: format!("{reference} <拨款>"),
    };
    Order {
        from: party(
            "虚构基金管理有限公司",
            "6222 0000 1111 2222",
            Some("102100099996"),
        ),
        unit,
        day: CivilDate::parse("2026-11-30").unwrap().day_number(),
        made: "2026-11-30T10:00:00+08:00",
        payments: vec![
            pay(
                "AG1-M1-1",
                180_000_000,
                party("虚构工作室 & Co", "62-33", Some("BKCHCNBJ")),
                None,
            ),
            pay(
                "AG2-ADV-1",
                1,
                party("Fictional Lab", "NL91 ABNA 0417 1643 00", None),
                Some("7a1f0c3e-5b7d-4e2a-9c44-0123456789ab"),
            ),
        ],
    }
}

const MAP: &str = "[instruction]\nreference='客户业务编号'\nname='收款人名称'\naccount='收款人账号'\n\
                   amount='金额'\nbank='收款行'\ntext='用途'\nday='日期'\nday-form='YYYYMMDD'\n";

#[test]
fn kept_instructions() {
    let unit = Unit::default();
    let order = order(&unit);
    let xml = order.pain001().unwrap();
    hold("pain001.xml", xml.as_bytes());
    let map = ColumnMap::parse(MAP).unwrap().instruction.unwrap();
    hold("instructions.csv", &order.csv(&map).unwrap());
    // The same payments are the same message, whenever the file is made.
    let mut later = order.clone();
    later.made = "2026-12-01T10:00:00+08:00";
    assert_eq!(later.number(), order.number());
    later.payments[0].amount = Amount(180_000_001);
    assert_ne!(later.number(), order.number());
}

/// What is written is read as it was meant: by the reader of statements' own XML.
#[test]
fn what_is_written_is_well_formed() {
    use crate::xml::{Part, Walk};
    let unit = Unit::default();
    let xml = order(&unit).pain001().unwrap();
    let mut walk = Walk::new(xml.as_bytes());
    let mut names = Vec::new();
    while let Some(part) = walk.step().unwrap() {
        match part {
            Part::End { name, text } if name == "Nm" || name == "IBAN" => names.push(text),
            _ => {}
        }
    }
    let payer = "虚构基金管理有限公司";
    assert_eq!(
        names,
        [
            payer,
            payer,
            "虚构工作室 & Co",
            "Fictional Lab",
            "NL91ABNA0417164300"
        ]
    );
}

#[test]
fn what_cannot_be_instructed() {
    let unit = Unit::default();
    let code = |change: &dyn Fn(&mut Order<'_>)| {
        let mut order = order(&unit);
        change(&mut order);
        order.pain001().unwrap_err().code
    };
    assert_eq!(code(&|order| order.payments.clear()), Code::NoPayments);
    assert_eq!(
        code(&|order| order.payments[1].reference = "AG1-M1-1".to_owned()),
        Code::EndToEndTwice
    );
    for name in [
        "",
        " ",
        "=1+1",
        "@x",
        "a\nb",
        "a\u{202e}b",
        &"长".repeat(141),
    ] {
        let change = |order: &mut Order<'_>| order.payments[0].to.name = name.to_owned();
        assert_eq!(code(&change), Code::Character, "{name:?}");
    }
    for account in ["", "62<33", "长", &"1".repeat(35)] {
        let change = |order: &mut Order<'_>| order.payments[0].to.account = account.to_owned();
        assert_eq!(code(&change), Code::Character, "{account:?}");
    }
    for bank in ["", "BKCH", "bkchcnbj", "10210009999"] {
        let change = |order: &mut Order<'_>| order.from.bank = Some(bank.to_owned());
        assert_eq!(code(&change), Code::Character, "{bank:?}");
    }
    let long = "A".repeat(36);
    assert_eq!(
        code(&|order| order.payments[0].reference = long.clone()),
        Code::Character
    );
    // A number that looks like an IBAN and is none is the bank's own number.
    assert!(is_iban("NL91ABNA0417164300"));
    assert!(!is_iban("NL91ABNA0417164301"));
}
