//! The bank of a fund, from released payments to a book that agrees: the story's ledger on one side, on
//! the other statements that this test writes as the bank of the story would.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use rollbook::drafting::sample;
use rollbook_core::record::{Body, PaymentAct, Record};
use rollbook_core::refusal::Outcome;
use rollbook_core::state::StateTables;
use rollbook_proof::crypto::{Hash, Keypair};
use rollbook_sandbox::keys::officer_key;
use rollbook_sandbox::story;
use rollbook_sandbox::story::{
    Chapter, FUND_ACCOUNT, PAYEE_ACCOUNT, Rejected, Settled, Stage, Step, account_salt,
    sealed_account,
};
use rollbook_tests::alliance::Alliance;
use rollbook_tests::judges::judged;
use rollbook_tests::writer::Writer;
use serde_json::{Value, json};

mod desk;
use desk::{Desk, all};

const SEED: &str = "story";

/// The story on one writer, with the history as it stood when the first payment was with the bank.
struct Scene {
    writer: Writer,
    released: Option<Vec<u8>>,
}

impl Stage for Scene {
    fn chain(&self) -> Hash {
        self.writer.ledger.chain()
    }

    fn key(&self, person: u32) -> Keypair {
        officer_key(SEED.as_bytes(), person)
    }

    fn now(&self) -> u64 {
        self.writer.now()
    }

    fn tables(&self) -> &StateTables {
        self.writer.tables()
    }

    fn submit(&mut self, records: Vec<Record>) -> Result<Vec<Result<Settled, Rejected>>, String> {
        let settles = |record: &Record| {
            matches!(
                record.payload.body,
                Body::Payment(PaymentAct::Settle { .. })
            )
        };
        if self.released.is_none() && records.iter().any(settles) {
            self.released = Some(self.writer.export());
        }
        let block = self.writer.submit(&records);
        let height = self.writer.ledger.height().0;
        let settled = |outcome: Outcome| Ok(Settled { outcome, height });
        let refused = block.refused.into_iter().map(|refusal| {
            let facts = refusal.facts.into_iter();
            Err(Rejected {
                code: refusal.code.to_owned(),
                facts: facts
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            })
        });
        Ok(block
            .outcomes
            .into_iter()
            .map(settled)
            .chain(refused)
            .collect())
    }

    fn advance(&mut self, to: u64) -> Result<(), String> {
        self.writer.advance(to);
        Ok(())
    }

    fn chapter(&mut self, _: Chapter) -> Result<(), String> {
        Ok(())
    }

    fn tell(&mut self, _: &Step<'_>) {}
}

/// Plays the story; puts both histories at a desk; returns the genesis hash.
fn play(desk: &Desk) -> String {
    let inputs = sample::shipped().unwrap();
    let sample = sample::found(&inputs, SEED).unwrap();
    let alliance = Alliance::adopt(SEED.as_bytes(), sample.file.genesis.clone());
    let mut writer = Writer::new(alliance);
    assert!(writer.submit(&sample.file.found).refused.is_empty());
    let mut scene = Scene {
        writer,
        released: None,
    };
    story::play(&mut scene).unwrap();
    desk.write("released.export", scene.released.unwrap());
    desk.write("end.export", scene.writer.export());
    scene.writer.ledger.chain().to_hex()
}

fn opening(account: &str) -> String {
    json!({
        "kind": "rollbook-opening", "version": 1, "note": "made up",
        "parts": [{
            "scheme": "content", "field": "account", "commitment": sealed_account(account),
            "salt": account_salt(account), "text": account,
        }],
    })
    .to_string()
}

const MAP: &str = "[statement]\nday = 'D'\namount = 'A'\nbalance = 'B'\nreference = 'R'\n\
                   end-to-end = 'E'\n[instruction]\nreference = 'Ref'\nname = 'Name'\n\
                   account = 'Account'\namount = 'Amount'\n";

/// A line of the bank: day, minor units, its reference, the payer's, text.
type Line = (String, i64, String, String, String);

/// A statement in camt.053 from an opening balance.
fn camt(account: &str, opening: i64, lines: &[Line]) -> String {
    let yuan = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    let closing = opening + lines.iter().map(|line| line.1).sum::<i64>();
    let (first, last) = (&lines[0].0, &lines[lines.len() - 1].0);
    let mut text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt>\
         <Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
    );
    for (kind, minor, day) in [("OPBD", opening, first), ("CLBD", closing, last)] {
        write!(
            text,
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>",
            yuan(minor)
        )
        .unwrap();
    }
    for (day, minor, reference, end_to_end, about) in lines {
        let way = if *minor < 0 { "DBIT" } else { "CRDT" };
        write!(
            text,
            "<Ntry><Amt Ccy=\"CNY\">{}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls>\
             <Refs><EndToEndId>{end_to_end}</EndToEndId></Refs><RmtInf><Ustrd>{about}</Ustrd></RmtInf>\
             </TxDtls></NtryDtls></Ntry>",
            yuan(minor.abs())
        )
        .unwrap();
    }
    text + "</Stmt></BkToCstmrStmt></Document>"
}

/// The days on which the bank of the story paid.
const PAID: [&str; 2] = ["2023-10-08", "2023-10-10"];

/// What the bank of the story booked of the first instalments, written down from the story's own text:
/// 35,000,000 yuan from four members. Nothing here is asked of the ledger.
fn booked() -> Vec<Line> {
    let line = |minor: i64, reference: &str| {
        let day = "2023-07-18".to_owned();
        let reference = reference.to_owned();
        (day, minor, reference, "NOTPROVIDED".into(), String::new())
    };
    vec![
        line(1_000_000_000, "IN-0001"),
        line(500_000_000, "IN-0003"),
        line(1_000_000_000, "IN-0004"),
        line(1_000_000_000, "IN-0005"),
    ]
}

/// A payment as the bank of the story booked it.
fn paid(number: usize, reference: &str) -> Line {
    (
        PAID[number - 1].to_owned(),
        -180_000_000,
        reference.to_owned(),
        format!("AG1-2024-{number:04}"),
        String::new(),
    )
}

const PAIN001: &str = "
import os, sys, sepaxml, xmlschema
folder = os.path.join(os.path.dirname(sepaxml.__file__), 'schemas')
schema = xmlschema.XMLSchema(os.path.join(folder, 'pain.001.001.09.xsd'))
for path in sys.argv[1:]:
    schema.validate(path)
";

/// From the treasurer's release to a book that agrees with the bank to the fen.
#[test]
fn a_payment_goes_to_the_bank_and_comes_back_as_a_line() {
    let desk = Desk::new();
    let genesis = play(&desk);
    let released = format!("--from-export released.export --genesis {genesis}");
    let end = format!("--from-export end.export --genesis {genesis}");

    // Nothing is done with an account that nobody set.
    let output = desk.ends(2, &format!("bank match --fund F-1 {released}"));
    assert!(
        all(&output).contains("bank settings --fund F-0001"),
        "{}",
        all(&output)
    );
    desk.write("map.toml", MAP);
    desk.write("fund.opening.json", opening(FUND_ACCOUNT));
    desk.write("payee.opening.json", opening(PAYEE_ACCOUNT));
    let mut set: Vec<&str> = "bank settings --fund 1 --holder Holder --bank 102100099996"
        .split(' ')
        .collect();
    set.extend([
        "--account",
        "6222-0000-0001-0001",
        "--map",
        "map.toml",
        "--opening",
    ]);
    let wrong = [set.as_slice(), &["payee.opening.json"]].concat();
    desk.ends(2, wrong.as_slice());
    let right = [set.as_slice(), &["fund.opening.json"]].concat();
    let told = desk.good(right.as_slice());
    assert!(told.contains("the column 'A' is the amount"), "{told}");

    // The payment that the treasurer released, and no other.
    let export = format!("bank export --fund 1 {released} --pain001 pain.xml --table pay.csv");
    let output = desk.ends(1, &format!("{export} --opening fund.opening.json"));
    assert!(all(&output).contains("P-0001"), "{}", all(&output));
    let told = desk.json(0, &format!("{export} --opening payee.opening.json"));
    assert_eq!(told["items"][0]["reference"], "AG1-2024-0001");
    assert_eq!(told["sum"], "1800000.00");
    let table = std::fs::read_to_string(desk.path("pay.csv")).unwrap();
    assert!(
        table.contains("AG1-2024-0001") && table.contains("6217000000200020"),
        "{table}"
    );
    judged("sepaxml, xmlschema", PAIN001, &[&desk.path("pain.xml")]);
    // A file is not made twice by accident, and what is paid is not instructed again.
    desk.ends(2, &format!("{export} --opening payee.opening.json"));
    handed_once(&desk, &released, told["message"].as_str().unwrap());
    let again =
        format!("bank export --fund 1 {end} --pain001 again.xml --opening payee.opening.json");
    desk.ends(2, &again);
    let output = desk.ends(1, &format!("{again} --payment P-1"));
    assert!(all(&output).contains("acknowledged"), "{}", all(&output));
    assert!(!desk.path("again.xml").exists());

    // The bank's side, written without the ledger.
    let lines = booked();
    let first = camt(FUND_ACCOUNT, 0, &lines);
    desk.write("first.xml", &first);
    for (name, text, word) in [
        (
            "other.xml",
            first.replace("0001 0001", "0001 0002"),
            "another account",
        ),
        (
            "dollars.xml",
            first.replace("<Ccy>CNY", "<Ccy>USD"),
            "'USD'",
        ),
        (
            "bomb.xml",
            format!("<!DOCTYPE a [<!ENTITY b 'bb'>]>{first}"),
            "document type",
        ),
        ("half.xml", first[..first.len() / 2].to_owned(), "whole XML"),
    ] {
        desk.write(name, text);
        let output = desk.ends(2, &format!("bank import {name} --fund 1"));
        assert!(all(&output).contains(word), "{name}: {}", all(&output));
    }
    let told = desk.json(0, "bank import first.xml --fund 1");
    assert_eq!(told["items"][0]["new"], lines.len());
    let told = desk.json(0, "bank import first.xml --fund 1");
    assert_eq!(
        (&told["items"][0]["new"], &told["items"][0]["again"]),
        (&json!(0), &json!(lines.len()))
    );

    // The debit of the payment becomes a draft of the second officer's act.
    let out = paid(1, "OUT-0001");
    let balance: i64 = lines.iter().map(|line| line.1).sum();
    desk.write(
        "second.xml",
        camt(FUND_ACCOUNT, balance, std::slice::from_ref(&out)),
    );
    // Between them days are missing, and the treasurer must say that the file covers them.
    let output = desk.ends(2, "bank import second.xml --fund 1");
    assert!(all(&output).contains("missing"), "{}", all(&output));
    let span = format!("--since {} --until {}", next_day(&lines[3].0), PAID[1]);
    desk.good(&format!("bank import second.xml --fund 1 {span}"));
    taken_back(&desk, &span);
    let told = desk.json(0, &format!("bank match --fund 1 {released} --out drafts"));
    let rows = told.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{told}");
    assert_eq!(rows[0]["proposal"], "P-0001 was executed");
    let drafts = std::fs::read_to_string(desk.path("drafts/payment-confirm.csv")).unwrap();
    assert!(drafts.contains("1,OUT-0001,1800000.00"), "{drafts}");
    // What a statement shows as executed is never handed out again, whoever asks how.
    for more in ["", "--again"] {
        let words = format!(
            "bank export --fund 1 {released} --pain001 no.xml --opening payee.opening.json \
             --payment P-1 {more}"
        );
        let output = desk.ends(1, &words);
        assert!(all(&output).contains("executed"), "{}", all(&output));
    }
    assert!(!desk.path("no.xml").exists());

    // With the second payment the bank has what the book has.
    let second = paid(2, "OUT-0002");
    let paid = PAID[1];
    let open = desk.json(1, &reconcile(&genesis, paid, "--check"));
    assert_eq!(open["difference"], "0.00", "{open}");
    assert_eq!(open["items"][0]["kind"], "only-book", "{open}");
    desk.write(
        "third.xml",
        camt(
            FUND_ACCOUNT,
            balance - 180_000_000,
            std::slice::from_ref(&second),
        ),
    );
    desk.good("bank import third.xml --fund 1");
    let clean = desk.json(0, &reconcile(&genesis, paid, "--check"));
    assert_eq!(
        (&clean["difference"], &clean["clean"]),
        (&json!("0.00"), &json!(true)),
        "{clean}"
    );
    assert_eq!(clean["book"], clean["statement"]);
    desk.good(&format!(
        "{} --print page.html",
        reconcile(&genesis, paid, "")
    ));
    let page = std::fs::read_to_string(desk.path("page.html")).unwrap();
    assert!(page.contains("人民币") && page.contains("SAMPLE"), "{page}");

    // A line that the ledger does not know is a finding with its age; the difference stays zero.
    let fee = (
        paid.to_owned(),
        -1_250,
        "FEE-0001".to_owned(),
        "NOTPROVIDED".to_owned(),
        "fee".to_owned(),
    );
    desk.write("fee.xml", camt(FUND_ACCOUNT, balance - 360_000_000, &[fee]));
    desk.good("bank import fee.xml --fund 1");
    let found = desk.json(1, &reconcile(&genesis, paid, "--check"));
    assert_eq!(found["difference"], "0.00");
    assert_eq!(found["items"][0]["kind"], "only-bank");
    assert_eq!(found["items"][0]["amount"], "-12.50");
    // Without --check it is told and ends with 0; a day that no statement covers is refused.
    desk.json(0, &reconcile(&genesis, paid, ""));
    desk.ends(2, &reconcile(&genesis, "2030-01-01", ""));

    mid_life(&desk, &genesis);
    reading(&desk, &end);
    giving(&desk, &end);
}

/// What was handed to the bank is handed out again only as the same message, and only when somebody says
/// so.
fn handed_once(desk: &Desk, released: &str, message: &str) {
    let export = |file: &str, more: &str| {
        format!(
            "bank export --fund 1 {released} --pain001 {file} --opening payee.opening.json {more}"
        )
    };
    for more in ["", "--payment P-1"] {
        let output = desk.ends(1, &export("twice.xml", more));
        let told = all(&output);
        assert!(told.contains("P-0001") && told.contains(message), "{told}");
    }
    assert!(!desk.path("twice.xml").exists());
    desk.ends(2, &export("twice.xml", "--again"));
    let again = desk.json(0, &export("twice.xml", "--payment P-1 --again"));
    assert_eq!(
        again["message"], message,
        "the bank sees that it is the same"
    );
    // Another day of execution changes nothing of that: a file that was lost is the same message.
    let again = desk.json(
        0,
        &export("late.xml", "--payment P-1 --again --day 2023-10-20"),
    );
    assert_eq!(again["message"], message);
}

/// The newest statement can be taken back; the account of what was taken cannot be changed under it, and
/// nobody says what the bank will book.
fn taken_back(desk: &Desk, span: &str) {
    let import = |more: &str| format!("bank import second.xml --fund 1 {more}");
    let output = desk.ends(2, &import("--until 2999-12-31"));
    assert!(all(&output).contains("ahead"), "{}", all(&output));
    let two = format!("bank import first.xml second.xml --fund 1 {span}");
    desk.ends(2, &two);
    desk.ends(1, "bank settings --fund 1 --account 6222000000010009");
    let told = desk.json(0, "bank import --undo --fund 1");
    assert_eq!(told["dropped"], 1, "{told}");
    assert_eq!(told["closing"], "35000000.00");
    desk.ends(2, "bank import --undo second.xml --fund 1");
    let told = desk.json(0, &import(span));
    assert_eq!(told["items"][0]["new"], 1, "{told}");
}

/// A fund that begins to take statements in mid-life agrees with its bank: everything before is in the
/// opening balance.
fn mid_life(desk: &Desk, genesis: &str) {
    let late = Desk::new();
    late.write(
        "end.export",
        std::fs::read(desk.path("end.export")).unwrap(),
    );
    let mut set: Vec<&str> = "bank settings --fund 1 --holder Holder --account"
        .split(' ')
        .collect();
    set.push(FUND_ACCOUNT);
    late.good(set.as_slice());
    let second = paid(2, "OUT-0002");
    late.write(
        "late.xml",
        camt(FUND_ACCOUNT, 3_320_000_000, std::slice::from_ref(&second)),
    );
    late.good("bank import late.xml --fund 1");
    let found = late.json(0, &reconcile(genesis, PAID[1], "--check"));
    assert_eq!(found["difference"], "0.00", "{found}");
    // Other sums before it than the bank's are seen in the difference.
    late.good("bank import --undo --fund 1");
    late.write(
        "wrong.xml",
        camt(FUND_ACCOUNT, 3_320_000_100, std::slice::from_ref(&second)),
    );
    late.good("bank import wrong.xml --fund 1");
    let found = late.json(1, &reconcile(genesis, PAID[1], "--check"));
    assert_eq!(found["difference"], "1.00", "{found}");
}

fn reconcile(genesis: &str, on: &str, more: &str) -> String {
    format!("reconcile --fund F-1 --on {on} --from-export end.export --genesis {genesis} {more}")
}

fn next_day(day: &str) -> String {
    rollbook_words::dates::day(day).unwrap().plus(1).to_string()
}

/// Whole yuan and fen as minor units.
fn minor(text: &Value) -> i128 {
    text.as_str()
        .unwrap()
        .replace(['.', ','], "")
        .parse()
        .unwrap()
}

/// Statements, traces and postings agree with one another.
fn reading(desk: &Desk, past: &str) {
    let statement = desk.json(0, &format!("statement fund 1 {past}"));
    let items = statement["items"].as_array().unwrap();
    let sum: i128 = items.iter().map(|line| minor(&line["change"])).sum();
    assert_eq!(
        sum,
        minor(&statement["funds"][0]["closing"]),
        "from nothing to the closing balance"
    );

    // A span begins where the one before ended.
    let day = items[items.len() - 1]["day"].as_str().unwrap();
    let part = desk.json(0, &format!("statement fund 1 {past} --since {day}"));
    let before: i128 = items
        .iter()
        .filter(|line| line["day"].as_str().unwrap() < day)
        .map(|line| minor(&line["change"]))
        .sum();
    assert_eq!(minor(&part["funds"][0]["opening"]), before);
    assert_eq!(
        part["funds"][0]["closing"],
        statement["funds"][0]["closing"]
    );

    // Debit and credit of every posting make the accounts' balances.
    let postings = desk.json(0, &format!("statement fund 1 {past} --postings"));
    let mut balances: BTreeMap<String, i128> = BTreeMap::new();
    for row in postings.as_array().unwrap() {
        let text = |name: &str| format!("1/{}", row[name].as_str().unwrap());
        *balances.entry(text("debit")).or_default() += minor(&row["amount"]);
        *balances.entry(text("credit")).or_default() -= minor(&row["amount"]);
    }
    let accounts = desk.json(0, &format!("account list {past}"));
    for account in accounts["items"].as_array().unwrap() {
        let key = account["key"].as_str().unwrap();
        let value = account["value"]["balance"].as_str().unwrap();
        let value: i128 = value.parse().unwrap();
        assert_eq!(
            balances.get(key).copied().unwrap_or_default(),
            value,
            "{key}"
        );
    }

    // The two payments of the agreement went out of it; both come from contributions.
    let agreement = desk.json(0, &format!("statement agreement A-1 {past}"));
    let out: i128 = agreement["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| minor(&line["change"]).min(0))
        .sum();
    assert_eq!(out, -360_000_000);
    // The same two payments are what their grantee received, over all its agreements.
    let grantee = desk.json(0, &format!("statement grantee O-20 {past}"));
    assert_eq!(grantee["funds"][0]["closing"], "3600000.00", "{grantee}");
    assert_eq!(grantee["items"].as_array().unwrap().len(), 2);
    desk.ends(1, &format!("statement grantee 999 {past}"));
    let award = desk.json(0, &format!("trace award W-1 {past}"));
    let amount = |row: &Value| {
        let text = row["amount"].as_str().unwrap();
        minor(&json!(text.strip_suffix(" CNY").unwrap()))
    };
    let rows = award.as_array().unwrap();
    assert_eq!(rows.iter().map(amount).sum::<i128>(), 600_000_000);
    assert!(
        rows.iter()
            .all(|row| row["contribution"].as_str().unwrap().starts_with("PL-"))
    );
    assert!(
        rows.iter()
            .any(|row| row["tranche"].as_str().unwrap().contains("MS-")),
        "{award}"
    );
    let first = rows[0]["contribution"].as_str().unwrap();
    let back = desk.json(0, &format!("trace contribution {first} {past}"));
    let to_award: i128 = back
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["award"] == "W-0001")
        .map(amount)
        .sum();
    let from_first: i128 = rows
        .iter()
        .filter(|row| row["contribution"] == first)
        .map(amount)
        .sum();
    assert_eq!(to_award, from_first, "there and back");
    let member = desk.good(&format!("--lang zh statement member 20 {past}"));
    assert!(member.contains("出资人对账单"), "{member}");
    let stats = desk.json(0, &format!("stats --by year {past}"));
    let paid: i128 = stats
        .as_array()
        .unwrap()
        .iter()
        .map(|row| minor(&row["paid"]))
        .sum();
    assert_eq!(paid, 360_000_000);
    // Postings are a table, and go on no page.
    desk.ends(
        2,
        &format!("statement fund 1 {past} --postings --print x.html"),
    );
    assert!(!desk.path("x.html").exists());
    desk.ends(1, &format!("statement fund 9 {past}"));
    desk.ends(
        2,
        &format!("statement fund 1 {past} --since 2026-02-01 --until 2026-01-01"),
    );
}

const GIVING: &str = "
import datetime, json, sys
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
package, grant, data = (json.load(open(path, encoding='utf-8')) for path in sys.argv[1:4])
base = 'https://raw.githubusercontent.com/ThreeSixtyGiving/standard/'
resources = []
for release in ('1.4.2', '1.4.3'):
    resources.append((base + release + '/schema/360-giving-schema.json', DRAFT202012.create_resource(grant)))
    resources.append((base + release + '/schema/360-giving-package-schema.json', DRAFT202012.create_resource(package)))
# A date is either a day or an instant, never both: the judge has to know instants.
checker = FormatChecker(formats=())
@checker.checks('date-time', ValueError)
def is_instant(text):
    return 'T' in text and datetime.datetime.fromisoformat(text).tzinfo is not None
registry = Registry().with_resources(resources)
validator = Draft202012Validator(package, registry=registry, format_checker=checker)
faults = sorted(str(fault.json_path) + ': ' + fault.message[:200] for fault in validator.iter_errors(data))
if faults:
    sys.exit('\\n'.join(faults))
broken = json.loads(json.dumps(data))
broken['grants'][0]['currency'] = 'RMB'
del broken['grants'][0]['awardDate']
broken['grants'][0]['amountAwarded'] = '1'
if len(list(validator.iter_errors(broken))) < 3:
    sys.exit('the judge sees no faults')
";

/// All awards by the public schema, with ids that stay.
fn giving(desk: &Desk, past: &str) {
    desk.good(&format!(
        "publish 360giving {past} --out grants.json --prefix sample-alliance"
    ));
    let text = std::fs::read_to_string(desk.path("grants.json")).unwrap();
    assert!(text.contains("\"amountAwarded\": 6000000.00"), "{text}");
    let data: Value = serde_json::from_str(&text).unwrap();
    let grants = data["grants"].as_array().unwrap();
    assert_eq!(grants[0]["id"], "360G-sample-alliance-W-0001");
    assert_eq!(
        grants[0]["disbursementTransaction"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_ne!(grants[0]["title"], grants[0]["description"]);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/360giving");
    judged(
        "jsonschema, referencing",
        GIVING,
        &[
            &schema.join("360-giving-package-schema.json"),
            &schema.join("360-giving-schema.json"),
            &desk.path("grants.json"),
        ],
    );
    desk.ends(2, &format!("publish 360giving {past} --out grants.json"));
    desk.ends(2, &format!("publish 360giving {past} --prefix a/b"));
}

/// The instructions that are kept are what the schema of ISO 20022 wants.
#[test]
fn kept_instructions_hold_to_the_schema() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/bank/pain001.xml");
    judged("sepaxml, xmlschema", PAIN001, &[&kept]);
}

/// Every fault of a file has a sentence of its own in both languages, and every fact that a sentence
/// asks for is one that some fault gives.
#[test]
fn every_fault_has_its_sentence() {
    use rollbook_bank::fault::Code;
    use rollbook_words::catalogue::{Language, t_in};
    let given = [
        "at",
        "file",
        "amount",
        "before",
        "before-day",
        "closing",
        "column",
        "day",
        "digits",
        "expected",
        "fields",
        "first",
        "found",
        "from",
        "most",
        "opening",
        "reference",
        "sum",
        "text",
        "to",
        "unit",
        "wanted",
        "what",
        "why",
    ];
    let facts: Vec<(&str, String)> = given.iter().map(|name| (*name, "7".to_owned())).collect();
    let mut seen = std::collections::BTreeSet::new();
    for code in Code::ALL {
        let key = format!("bank.fault.{}", code.word());
        for language in [Language::English, Language::Chinese] {
            let told = t_in(language, &key, &facts);
            assert_ne!(told, key);
            assert!(!told.contains(['{', '}']), "{key}: {told}");
            assert!(seen.insert(told.clone()), "two faults say {told}");
        }
    }
    let rows = rollbook_core::account::table::ROWS;
    for row in rows {
        let key = format!("money.movement.{}", row.name);
        assert_ne!(t_in(Language::Chinese, &key, &[]), key);
    }
}
