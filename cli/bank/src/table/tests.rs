//! Tables of banks, and what is wrong with them.

use proptest::prelude::*;
use rollbook_core::account::Unit;

use super::*;
use crate::map::ColumnMap;

const MAP: &str = "[statement]\nday='交易日期'\ndebit='借方'\ncredit='贷方'\nbalance='余额'\n\
                   reference='流水号'\nend-to-end='业务编号'\ncounterparty='对方户名'\n\
                   text='摘要'\naccount='账号'\nday-form='YYYYMMDD'\n";
const FILE: &str = "某银行 账户明细\n\n\
    交易日期,账号,借方,贷方,余额,流水号,业务编号,对方户名,摘要\n\
    20260302,6222-1,,\"1,000.00\",\"1,000.00\",ICBC0001,,甬江轴承,IN-0002\n\
    20260302,6222-1,300.00,,700.00,ICBC0002,AG1-ADV-1,虚构工作室,首付\n\
    20260303,6222-1,0.00,,700.00,,,,手续费\n\
    20260304,6222-1,200.00,-,500.00,'0003000000000000001,,,\n\
    合计,,500.00,\"1,000.00\",,,,,\n";

fn map(text: &str) -> StatementMap {
    ColumnMap::parse(text).unwrap().statement.unwrap()
}

fn read_as(text: &[u8], map: &StatementMap, said: Said) -> Result<Statement, Fault> {
    let unit = Unit::default();
    let wanted = Wanted {
        account: "62221",
        unit: &unit,
    };
    read(text, map, wanted, said)
}

#[test]
fn a_table_of_a_bank() {
    let text = FILE.replace(
        "合计,,500.00,\"1,000.00\",,,,,\n",
        ",,500.00,\"1,000.00\",,,,,\n",
    );
    let statement = read_as(text.as_bytes(), &map(MAP), Said::default()).unwrap();
    assert_eq!((statement.opening, statement.closing), (0, 50_000));
    assert_eq!(statement.from.to_string(), "2026-03-02");
    assert_eq!(statement.to.to_string(), "2026-03-04");
    let amounts: Vec<i128> = statement.lines.iter().map(Line::signed).collect();
    assert_eq!(amounts, [100_000, -30_000, -20_000]);
    assert_eq!(statement.lines[1].end_to_end.as_deref(), Some("AG1-ADV-1"));
    assert_eq!(statement.lines[0].counterparty.as_deref(), Some("甬江轴承"));
    assert_eq!(
        statement.lines[2].reference.as_deref(),
        Some("0003000000000000001")
    );

    // The same as banks in China save it, with semicolons, and newest first.
    let (gbk, _, _) = GB18030.encode(&text);
    assert_eq!(
        read_as(&gbk, &map(MAP), Said::default()).as_ref(),
        Ok(&statement)
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3..7].reverse();
    let turned = lines.join("\r\n");
    assert_eq!(
        read_as(turned.as_bytes(), &map(MAP), Said::default()).as_ref(),
        Ok(&statement)
    );
    let one_day = turned
        .replace("20260303", "20260302")
        .replace("20260304", "20260302");
    let one_day = read_as(one_day.as_bytes(), &map(MAP), Said::default()).unwrap();
    assert_eq!((one_day.opening, one_day.closing), (0, 50_000));
}

#[test]
fn other_forms() {
    let german = map(
        "[statement]\nday='Datum'\namount='Betrag'\ndirection='Art'\n\
                      credit-word='H'\ndebit-word='S'\nday-form='DD.MM.YYYY'\ndecimal=','\n",
    );
    let text = "Datum;Betrag;Art\n2.3.2026;1.000,50;H\n3.3.2026;0,50;S\n";
    let said = Said {
        opening: Some(100),
        closing: Some(100_100),
        from: CivilDate::parse("2026-03-01")
            .ok()
            .map(CivilDate::day_number),
        to: None,
    };
    let statement = read_as(text.as_bytes(), &german, said).unwrap();
    assert_eq!((statement.opening, statement.closing), (100, 100_100));
    assert_eq!(statement.from.to_string(), "2026-03-01");
    // A file that lacks a line does not lead to the balance that was told, and one of two balances
    // shows nothing.
    let other = Said {
        closing: Some(100_150),
        ..said
    };
    let fault = read_as(text.as_bytes(), &german, other).unwrap_err();
    assert_eq!(fault.code, Code::Sum);
    let half = Said {
        closing: None,
        ..said
    };
    let fault = read_as(text.as_bytes(), &german, half).unwrap_err();
    assert_eq!(fault.code, Code::Missing);
    // Without a column of balances and without being told, nobody knows what the account holds.
    let fault = read_as(text.as_bytes(), &german, Said::default()).unwrap_err();
    assert_eq!(fault.code, Code::Missing);
    let american = map(
        "[statement]\nday='Date'\namount='Amount'\nbalance='Balance'\n\
                        day-form='MM/DD/YYYY'\n",
    );
    let text = "Date\tAmount\tBalance\n11/30/2026 10:00\t-5\t-5.00\n";
    let statement = read_as(text.as_bytes(), &american, Said::default()).unwrap();
    assert_eq!((statement.opening, statement.closing), (0, -500));
}

#[test]
fn what_is_refused() {
    let good = FILE.replace("合计", "");
    for (from, to, code) in [
        ("6222-1,300.00", "6222-2,300.00", Code::OtherAccount),
        ("300.00", "300.001", Code::Decimals),
        ("300.00", "300.000", Code::Decimals),
        ("300.00", "3e2", Code::Amount),
        ("300.00", "9223372036854775808", Code::AmountTooLarge),
        ("300.00,,", "300.00,1.00,", Code::Direction),
        ("20260303", "20260332", Code::Day),
        ("20260303", "2026-03-03", Code::Day),
        (",,700.00,ICBC0002", ",,701.00,ICBC0002", Code::Sum),
        (",,700.00,ICBC0002", ",,,ICBC0002", Code::Missing),
        ("业务编号", "流水号", Code::TwoColumns),
        ("流水号", "流水", Code::NoColumn),
        ("交易日期", "日期", Code::NoColumn),
        ("首付", "\u{0}", Code::NotText),
    ] {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let found = read_as(text.as_bytes(), &map(MAP), Said::default());
        assert_eq!(
            found.map(|_| ()).map_err(|fault| fault.code),
            Err(code),
            "{from:?} -> {to:?}"
        );
    }
    let head = "交易日期,账号,借方,贷方,余额,流水号,业务编号,对方户名,摘要\n";
    let found = read_as(head.as_bytes(), &map(MAP), Said::default());
    assert_eq!(found.unwrap_err().code, Code::NoLines);
    let found = read_as(FILE.as_bytes(), &map(MAP), Said::default()).unwrap_err();
    assert_eq!(
        (found.code, found.at),
        (Code::Day, Some(8)),
        "a sum with a word in the day's column"
    );
    let endless = std::io::BufReader::new(std::io::repeat(b','));
    let unit = Unit::default();
    let wanted = Wanted {
        account: "1",
        unit: &unit,
    };
    let found = read(endless, &map(MAP), wanted, Said::default());
    assert_eq!(found.unwrap_err().code, Code::TooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever lines an account had, the table of them is read as they were, upwards and downwards.
    #[test]
    fn a_table_of_any_lines(
        opening in -1_000_000_000i64..1_000_000_000,
        lines in proptest::collection::vec(
            (0u32..5, 1u64..=99_999_999_999, any::<bool>(), "[A-Z0-9]{4,12}", "[ a-zA-Z甬江,\"';]{0,20}"),
            1..30,
        ),
        newest_first in any::<bool>(),
        commas in any::<bool>(),
    ) {
        let unit = Unit::default();
        let map = map("[statement]\nday='D'\ndebit='O'\ncredit='I'\nbalance='B'\nreference='R'\n\
                       text='T'\n");
        let (mut day, mut balance) = (LocalDay(20_000), i128::from(opening));
        let mut rows = Vec::new();
        let mut wanted_lines = Vec::new();
        for (days, amount, credit, reference, text) in lines {
            day = day.plus(days);
            let signed = if credit { i128::from(amount) } else { -i128::from(amount) };
            balance += signed;
            let shown = unit.grouped(i128::from(amount));
            let (out, income) = if credit { (String::new(), shown) } else { (shown, String::new()) };
            rows.push([
                day.to_string(), out, income, unit.grouped(balance), reference.clone(), text.clone(),
            ]);
            wanted_lines.push((day, signed, reference));
        }
        let closing = balance;
        let days: Vec<LocalDay> = wanted_lines.iter().map(|(day, ..)| *day).collect();
        // Of one day alone, turned, the balances must be able to say which line was first.
        prop_assume!(!newest_first || days.first() < days.last());
        if newest_first {
            rows.reverse();
        }
        let delimiter = if commas { b',' } else { b';' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["D", "O", "I", "B", "R", "T"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let statement = read_as(&bytes, &map, Said::default()).unwrap();
        prop_assert_eq!((statement.opening, statement.closing), (i128::from(opening), closing));
        let found: Vec<(LocalDay, i128, String)> = statement
            .lines
            .iter()
            .map(|line| (line.day, line.signed(), line.reference.clone().unwrap_or_default()))
            .collect();
        prop_assert_eq!(found, wanted_lines);
    }

    /// No bytes make the reader panic, and none make it take what does not add up.
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        let _ = read_as(&bytes, &map(MAP), Said::default());
        let head = "D;A;B\n";
        let map = map("[statement]\nday='D'\namount='A'\nbalance='B'\n");
        let _ = read_as(format!("{head}{text}").as_bytes(), &map, Said::default());
    }
}
