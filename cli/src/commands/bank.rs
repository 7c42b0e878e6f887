//! `rollbook bank`: payments to the bank, statements from it, what belongs together.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_bank::amount::signed;
use rollbook_bank::camt053;
use rollbook_bank::fault::{Code, Fault};
use rollbook_bank::instruction::{Instruction, Order, Party};
use rollbook_bank::map::{ColumnMap, Point};
use rollbook_bank::statement::{Statement, Wanted, account as bare};
use rollbook_bank::table;
use rollbook_core::account::Unit;
use rollbook_core::calendar::{LocalDay, format_instant};
use rollbook_core::id::{FundId, Id as _, PaymentId};
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_proof::crypto::Hash;
use rollbook_words::amount::in_full;
use rollbook_words::catalogue::{find, t};
use serde_json::{Value, json};

use crate::commands::source::Past;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Connection, Global};
use crate::input::table::table as rows_of;
use crate::input::text::text;
use crate::money::bank::{Kept, Settings, not_released, set, settings};
use crate::money::{Book, absent, day, number, tranche};
use crate::output::{result, say};
use crate::verbs::opening;
use crate::verbs::opening::Part;

mod proposals;

pub use proposals::Match;

/// `bank`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Which account, which bank, which columns.
    Settings(Set),
    /// Payments to the bank.
    Export(Export),
    /// Statements from the bank.
    Import(Import),
    /// Which line is which act.
    Match(Match),
}

/// Runs `bank`.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Settings(flags) => run_settings(global, flags),
        Command::Export(flags) => run_export(global, flags),
        Command::Import(flags) => run_import(global, flags),
        Command::Match(flags) => proposals::run(global, flags),
    }
}

/// `bank settings`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Set {
    /// The fund.
    #[arg(long, value_name = "N")]
    fund: String,
    /// Number of the account.
    #[arg(long, value_name = "NUMBER")]
    account: Option<String>,
    /// Its holder, as the bank knows it.
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// BIC, or twelve digits of CNAPS.
    #[arg(long, value_name = "BANK")]
    bank: Option<String>,
    /// The currency.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// The opening of the account that the fund was made with.
    #[arg(long, value_name = "FILE")]
    opening: Option<PathBuf>,
    /// The columns of the bank's files.
    #[arg(long, value_name = "FILE.toml")]
    map: Option<PathBuf>,
}

pub(super) fn fund_number(text: &str) -> Result<FundId, Failure> {
    Ok(FundId(number("fund", text)?))
}

/// A fault of a file in words.
pub fn told(fault: &Fault, file: &Path) -> Failure {
    let mut facts: Vec<(&str, String)> = fault.facts.clone();
    facts.push(("file", file.display().to_string()));
    let word = fault.code.word();
    let failure = Failure::unusable(t(&format!("bank.fault.{word}"), &facts))
        .coded(&format!("bank.{word}"))
        .next(
            find(&format!("bank.fault.{word}-next"), &facts)
                .unwrap_or_else(|| t("bank.fault.next", &facts)),
        );
    match fault.at {
        Some(at) => failure.because(t("bank.fault.at", &[("at", at.to_string())])),
        None => failure,
    }
}

fn run_settings(global: &Global, flags: &Set) -> Result<u8, Failure> {
    let fund = fund_number(&flags.fund)?;
    let before = settings(global, fund)?;
    let changes = [&flags.account, &flags.holder, &flags.bank, &flags.currency];
    let changes = changes.iter().any(|given| given.is_some())
        || flags.opening.is_some()
        || flags.map.is_some();
    let missing = |what: &str| {
        let facts = [
            ("what", what.to_owned()),
            ("fund", fund.short().to_string()),
        ];
        Failure::unusable(t("bank.settings-missing", &facts)).next(t("bank.not-set-next", &facts))
    };
    let Some(kept) = (if changes {
        let mut kept = match before {
            Some(before) => before,
            None => Settings {
                account: flags.account.clone().ok_or_else(|| missing("--account"))?,
                holder: flags.holder.clone().ok_or_else(|| missing("--holder"))?,
                currency: "CNY".to_owned(),
                bank: None,
                commitment: None,
                map: ColumnMap::default(),
            },
        };
        change(&mut kept, flags)?;
        let _lock = Kept::lock(global, fund)?;
        set(global, fund, &kept)?;
        Some(kept)
    } else {
        before
    }) else {
        return Err(missing("--account, --holder"));
    };
    tell_settings(fund, &kept);
    Ok(0)
}

fn change(kept: &mut Settings, flags: &Set) -> Result<(), Failure> {
    if let Some(account) = &flags.account {
        if bare(account) != bare(&kept.account) {
            kept.commitment = None;
        }
        kept.account.clone_from(account);
    }
    if let Some(holder) = &flags.holder {
        kept.holder.clone_from(holder);
    }
    if let Some(bank) = &flags.bank {
        kept.bank = Some(bank.clone());
    }
    if let Some(currency) = &flags.currency {
        Unit::currency(currency).map_err(|error| Failure::unusable(error.to_string()))?;
        kept.currency.clone_from(currency);
    }
    if let Some(file) = &flags.map {
        let bytes = files::read(file)?;
        let text = text(&bytes).map_err(|why| Failure::unusable(why.sentence()))?;
        kept.map = ColumnMap::parse(&text).map_err(|fault| told(&fault, file))?;
    }
    if let Some(file) = &flags.opening {
        let facts = [("file", file.display().to_string())];
        let parts = opening::read(file)?;
        let opened = parts
            .iter()
            .find_map(|part| opened_account(part, &kept.account));
        let commitment = opened.ok_or_else(|| {
            Failure::unusable(t("bank.opening-of-another", &facts))
                .next(t("bank.opening-of-another-next", &facts))
        })?;
        kept.commitment = Some(commitment);
    }
    // As the bank takes it: told now, not when the payments are due.
    let order = Order {
        from: Party {
            name: kept.holder.clone(),
            account: kept.account.clone(),
            bank: kept.bank.clone(),
        },
        unit: &Unit::default(),
        day: LocalDay::default(),
        made: "",
        payments: Vec::new(),
    };
    match order.check() {
        Err(fault) if fault.code != Code::NoPayments => Err(told(&fault, Path::new(&kept.account))),
        _ => Ok(()),
    }
}

/// The commitment of an opened account, if the account is this one.
fn opened_account(part: &Part, account: &str) -> Option<Hash> {
    let Part::Content {
        text: Some(text), ..
    } = part
    else {
        return None;
    };
    (bare(text) == bare(account)).then(|| part.commitment())
}

fn tell_settings(fund: FundId, kept: &Settings) {
    let columns = |columns: Vec<(&'static str, &str)>| -> Value {
        let pairs = columns
            .into_iter()
            .map(|(field, column)| (field.to_owned(), json!(column)));
        Value::Object(pairs.collect())
    };
    let statement = kept.map.statement.as_ref();
    let instruction = kept.map.instruction.as_ref();
    let object = json!({
        "fund": fund.short().to_string(), "account": kept.account, "holder": kept.holder,
        "currency": kept.currency, "bank": kept.bank, "compared": kept.commitment.is_some(),
        "statement": statement.map(|map| columns(map.columns())),
        "instruction": instruction.map(|map| columns(map.columns())),
    });
    let mut lines = Vec::new();
    let facts = [
        ("fund", fund.short().to_string()),
        ("account", kept.account.clone()),
        ("holder", kept.holder.clone()),
        ("currency", kept.currency.clone()),
        ("bank", kept.bank.clone().unwrap_or_else(|| "–".to_owned())),
    ];
    lines.push(t("bank.set", &facts));
    lines.push(t(
        if kept.commitment.is_some() {
            "bank.compared"
        } else {
            "bank.not-compared"
        },
        &facts,
    ));
    let mut tell = |which: &str, columns: Vec<(&'static str, &str)>| {
        lines.push(t(&format!("bank.map.{which}"), &[]));
        for (field, column) in columns {
            let facts = [
                ("column", column.to_owned()),
                ("field", t(&format!("bank.field.{field}"), &[])),
            ];
            lines.push(t("bank.map.line", &facts));
        }
    };
    if let Some(map) = statement {
        tell("statement", map.columns());
    }
    if let Some(map) = instruction {
        tell("instruction", map.columns());
    }
    result(lines.join("\n"), object);
}

/// `bank export`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Export {
    /// The fund.
    #[arg(long, value_name = "N")]
    fund: String,
    /// Only these payments.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    payment: Vec<String>,
    /// Openings of payees' accounts: files, or folders of them.
    #[arg(long, value_name = "FILE|DIR", required = true)]
    opening: Vec<PathBuf>,
    /// A table of payees' names and banks.
    #[arg(long, value_name = "FILE.csv")]
    payees: Option<PathBuf>,
    /// The day on which the bank is to execute them.
    #[arg(long, value_name = "DATE")]
    day: Option<String>,
    /// Where the payments go as pain.001.
    #[arg(long, value_name = "FILE")]
    pain001: Option<PathBuf>,
    /// Where they go as a table.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Whether files of those names may be replaced.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
    #[arg(id = "from-export", long = "from-export", value_name = "FILE")]
    from_export: Option<PathBuf>,
}

pub(super) fn past(from_export: Option<&PathBuf>, on: Option<LocalDay>) -> Past {
    Past {
        from_export: from_export.cloned(),
        on: on.map(|day| day.to_string()),
        known: None,
    }
}

fn run_export(global: &Global, flags: &Export) -> Result<u8, Failure> {
    let fund = fund_number(&flags.fund)?;
    let kept = Kept::open(global, fund)?;
    for file in [&flags.pain001, &flags.table].into_iter().flatten() {
        files::free(file, Some(flags.force))?;
    }
    if flags.pain001.is_none() && flags.table.is_none() {
        return Err(Failure::unusable(t("bank.no-target", &[])).next(t("bank.no-target-next", &[])));
    }
    let map = kept.settings.map.instruction.as_ref();
    if flags.table.is_some() && map.is_none() {
        return Err(Failure::unusable(t("bank.no-map", &[])).next(t("bank.no-map-next", &[])));
    }
    let payees = flags
        .payees
        .as_deref()
        .map(read_payees)
        .transpose()?
        .unwrap_or_default();
    let openings = read_openings(&flags.opening)?;
    let book = Book::open(
        global,
        &flags.connection,
        &past(flags.from_export.as_ref(), None),
    )?;
    let the_fund = book.fund(&flags.fund)?;
    kept.is_of(the_fund)?;
    let payments = chosen(&book, fund, &flags.payment)?;
    let tables = book.tables()?;
    let mut instructions = Vec::new();
    for payment in &payments {
        let Some(instruction) = &payment.instruction else {
            continue;
        };
        let account = openings
            .iter()
            .find(|part| part.commitment() == instruction.account)
            .and_then(|part| match part {
                Part::Content { text, .. } => text.clone(),
                _ => None,
            })
            .ok_or_else(|| {
                let facts = [("payment", payment.number.short().to_string())];
                Failure::refused(t("bank.no-opening", &facts))
                    .next(t("bank.no-opening-next", &facts))
            })?;
        let agreement = tables.agreements.get(&payment.agreement);
        let grantee = agreement.map(|agreement| agreement.grantee);
        let organisation = grantee.and_then(|grantee| tables.organisations.get(&grantee));
        let own = organisation
            .map(|found| found.name.native.to_string())
            .unwrap_or_default();
        let payee = payees
            .iter()
            .find(|payee| payee.agreement == payment.agreement.0);
        instructions.push(Instruction {
            reference: instruction.reference.to_string(),
            uetr: instruction.uetr.as_ref().map(ToString::to_string),
            amount: instruction.amount,
            to: Party {
                name: payee.and_then(|payee| payee.name.clone()).unwrap_or(own),
                account: account.trim().to_owned(),
                bank: payee.and_then(|payee| payee.bank.clone()),
            },
            text: format!("{} {}", payment.agreement.short(), payment.number.short()),
        });
    }
    let calendar = book.calendar()?;
    let now = book.now()?;
    let today = calendar.day_of(now);
    let made = format_instant(now, calendar.offset_minutes);
    let order = Order {
        from: Party {
            name: kept.settings.holder.clone(),
            account: kept.settings.account.clone(),
            bank: kept.settings.bank.clone(),
        },
        unit: &the_fund.unit,
        day: flags
            .day
            .as_deref()
            .map(|text| day("--day", text))
            .transpose()?
            .unwrap_or(today),
        made: &made,
        payments: instructions,
    };
    let refused = |fault: Fault| told(&fault, Path::new(&flags.fund));
    if let Some(file) = &flags.pain001 {
        let xml = order.pain001().map_err(refused)?;
        files::save_private(file, xml.as_bytes(), flags.force)?;
    }
    if let (Some(file), Some(map)) = (&flags.table, map) {
        let bytes = order.csv(map).map_err(refused)?;
        files::save_private(file, &bytes, flags.force)?;
    }
    tell_order(&book, &order, &payments)?;
    Ok(book.code())
}

fn tell_order(book: &Book, order: &Order<'_>, payments: &[&Payment]) -> Result<(), Failure> {
    let sum = u64::try_from(order.sum()).unwrap_or(u64::MAX);
    let facts = [
        ("count", order.payments.len().to_string()),
        (
            "sum",
            in_full(sum, order.unit.code(), order.unit.exponent()),
        ),
        ("message", order.number()),
        ("day", order.day.to_string()),
    ];
    let items: Vec<Value> = order
        .payments
        .iter()
        .zip(payments)
        .map(|(instruction, payment)| {
            json!({
                "payment": payment.number.short().to_string(), "reference": instruction.reference,
                "amount": order.unit.plain(i128::from(instruction.amount)),
                "name": instruction.to.name, "tranche": tranche(payment),
            })
        })
        .collect();
    let object = json!({
        "message": order.number(), "day": order.day.to_string(), "sum": order.unit.plain(order.sum()),
        "unit": order.unit.code(), "items": items, "from": book.from(),
    });
    result(t("bank.exported", &facts), object);
    say(t("bank.exported-next", &facts));
    say(book.from());
    Ok(())
}

/// The payments that were asked for, else all that are with the bank.
fn chosen<'a>(book: &'a Book, fund: FundId, asked: &[String]) -> Result<Vec<&'a Payment>, Failure> {
    let tables = book.tables()?;
    if asked.is_empty() {
        let all = tables.payments.iter().map(|(_, payment)| payment);
        return Ok(all
            .filter(|payment| payment.fund == fund && payment.state == PaymentState::Released)
            .collect());
    }
    let mut found = Vec::new();
    for text in asked {
        let number = number("payment", text)?;
        let payment = tables.payments.get(&PaymentId(number));
        let payment = payment.filter(|payment| payment.fund == fund);
        let payment = payment.ok_or_else(|| absent("payment", number))?;
        if let Some(failure) = not_released(payment) {
            return Err(failure);
        }
        found.push(payment);
    }
    Ok(found)
}

/// What a table says of a payee.
#[derive(Debug)]
struct Payee {
    agreement: u32,
    name: Option<String>,
    bank: Option<String>,
}

/// A table with the columns `agreement`, `name`, `bank`.
fn read_payees(file: &Path) -> Result<Vec<Payee>, Failure> {
    let bytes = files::read(file)?;
    let table = rows_of(&bytes).map_err(|why| Failure::unusable(why.sentence()))?;
    let place = |name: &str| table.head.iter().position(|column| column == name);
    let facts = [("file", file.display().to_string())];
    let agreement = place("agreement").ok_or_else(|| {
        Failure::unusable(t("bank.payees", &facts)).next(t("bank.payees-next", &facts))
    })?;
    let (name, bank) = (place("name"), place("bank"));
    let mut payees = Vec::new();
    for row in &table.rows {
        let cell = |place: Option<usize>| {
            let text = place.and_then(|place| row.cells.get(place));
            text.filter(|text| !text.is_empty()).cloned()
        };
        let text = cell(Some(agreement)).unwrap_or_default();
        payees.push(Payee {
            agreement: number("agreement", &text)?,
            name: cell(name),
            bank: cell(bank),
        });
    }
    Ok(payees)
}

fn read_openings(paths: &[PathBuf]) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in opening::kept(path) {
                // A folder may hold openings of other things, and files that are none.
                parts.extend(opening::read(&file).unwrap_or_default());
            }
        } else {
            parts.extend(opening::read(path)?);
        }
    }
    Ok(parts)
}

/// `bank import`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Import {
    /// Statements, in their order.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The fund.
    #[arg(long, value_name = "N")]
    fund: String,
    /// Balance before the first line, where a table has none.
    #[arg(
        id = "opening-balance",
        long = "opening-balance",
        value_name = "AMOUNT",
        allow_hyphen_values = true
    )]
    opening_balance: Option<String>,
    /// The first day that the file covers.
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// The last day that the file covers.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
}

fn run_import(global: &Global, flags: &Import) -> Result<u8, Failure> {
    let fund = fund_number(&flags.fund)?;
    let _lock = Kept::lock(global, fund)?;
    let mut kept = Kept::open(global, fund)?;
    let unit = kept.unit()?;
    let form = kept
        .settings
        .map
        .statement
        .as_ref()
        .map_or(Point::Point, |map| map.decimal);
    let opening = flags.opening_balance.as_deref().map(|text| {
        signed(text, &unit, form.form()).map_err(|fault| told(&fault, Path::new(text)))
    });
    let said = table::Said {
        opening: opening.transpose()?,
        from: flags
            .since
            .as_deref()
            .map(|text| day("--since", text))
            .transpose()?,
        to: flags
            .until
            .as_deref()
            .map(|text| day("--until", text))
            .transpose()?,
    };
    let mut items = Vec::new();
    let mut lines = Vec::new();
    for file in &flags.files {
        let statements = read_file(file, &kept, &unit, said)?;
        for statement in &statements {
            // Without the ledger's calendar at hand banks work from Monday to Friday; on a holiday
            // the file says until when it goes.
            let works = |day: LocalDay| !day.is_weekend();
            let brought = kept
                .taken
                .take(statement, &unit, works)
                .map_err(|fault| told(&fault, file))?;
            let facts = [
                ("file", file.display().to_string()),
                ("from", statement.from.to_string()),
                ("to", statement.to.to_string()),
                ("new", brought.new.to_string()),
                ("again", brought.again.to_string()),
                ("pending", statement.pending.to_string()),
                ("closing", unit.money(kept.taken.closing).to_string()),
            ];
            items.push(json!({
                "file": file, "from": statement.from.to_string(), "to": statement.to.to_string(),
                "new": brought.new, "again": brought.again, "pending": statement.pending,
                "opening": unit.plain(statement.opening), "closing": unit.plain(statement.closing),
            }));
            lines.push(t("bank.imported", &facts));
        }
    }
    // Nothing is taken of files of which one cannot be.
    kept.keep()?;
    result(
        lines.join("\n"),
        json!({ "fund": fund.short().to_string(), "items": items }),
    );
    say(t(
        "bank.imported-next",
        &[("fund", fund.short().to_string())],
    ));
    Ok(0)
}

/// XML begins with `<`, behind spaces and a mark; everything else is a table.
fn is_xml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'<')
}

fn read_file(
    file: &Path,
    kept: &Kept,
    unit: &Unit,
    said: table::Said,
) -> Result<Vec<Statement>, Failure> {
    use std::io::BufRead as _;
    let opened = File::open(file).map_err(|error| files::cannot_read(file, &error))?;
    let mut source = BufReader::new(opened);
    let head = source
        .fill_buf()
        .map_err(|error| files::cannot_read(file, &error))?;
    let xml = is_xml(head);
    let wanted = Wanted {
        account: &kept.settings.account,
        unit,
    };
    let read = if xml {
        camt053::read(source, wanted).map(|mut statements| {
            // What somebody says of the days is said of the whole file.
            if let (Some(first), Some(from)) = (statements.first_mut(), said.from) {
                first.from = first.from.min(from);
            }
            if let (Some(last), Some(to)) = (statements.last_mut(), said.to) {
                last.to = last.to.max(to);
            }
            statements
        })
    } else {
        let map = kept.settings.map.statement.as_ref().ok_or_else(|| {
            Failure::unusable(t("bank.no-map", &[])).next(t("bank.no-map-next", &[]))
        })?;
        table::read(source, map, wanted, said).map(|statement| vec![statement])
    };
    read.map_err(|fault| told(&fault, file))
}
