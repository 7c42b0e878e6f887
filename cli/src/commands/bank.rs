//! `rollbook bank` and `rollbook reconcile`: payments to the bank, statements from it, what belongs
//! together, and whether the two agree.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_bank::amount::signed;
use rollbook_bank::camt053;
use rollbook_bank::fault::{Code, Fault};
use rollbook_bank::instruction::{Instruction, Order, Party};
use rollbook_bank::map::{ColumnMap, Point};
use rollbook_bank::matching::{Act, Left as LeftOver, Outcome, Proposal, Reason, propose};
use rollbook_bank::statement::{Statement, Wanted, account as bare};
use rollbook_bank::table;
use rollbook_core::account::Unit;
use rollbook_core::calendar::{LocalDay, format_instant};
use rollbook_core::id::{FundId, Id as _, InstalmentId, PaymentId};
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_proof::crypto::Hash;
use rollbook_words::amount::in_full;
use rollbook_words::catalogue::{find, t};
use serde_json::{Value, json};

use crate::commands::source::Past;
use crate::failure::{Failure, REFUSED};
use crate::flags::{Connection, Global};
use crate::input::table::table as rows_of;
use crate::input::text::text;
use crate::money::bank::{
    Item, Kept, Reconciled, Settings, Side, known, not_released, reconcile, set, settings,
};
use crate::money::page::{Page, amount as page_amount, both};
use crate::money::{Book, absent, day, number, tranche};
use crate::output::{Rows, csv, print, print_json, result, say};
use crate::verbs::opening;
use crate::verbs::opening::Part;
use crate::{files, objects};

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
        Command::Match(flags) => run_match(global, flags),
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

fn fund_number(text: &str) -> Result<FundId, Failure> {
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

fn past(from_export: Option<&PathBuf>, on: Option<LocalDay>) -> Past {
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

/// `bank match`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Match {
    /// The fund.
    #[arg(long, value_name = "N")]
    fund: String,
    /// Folder where a table for each kind of act goes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Whether files of those names may be replaced.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
    #[arg(id = "from-export", long = "from-export", value_name = "FILE")]
    from_export: Option<PathBuf>,
}

/// The acts that proposals become: command, name of the file, columns.
const ACTS: [(&str, &str, &[&str]); 4] = [
    (
        "payment confirm",
        "payment-confirm.csv",
        &["payment", "reference", "amount"],
    ),
    (
        "payment return",
        "payment-return.csv",
        &["payment", "reference", "amount", "reason"],
    ),
    (
        "contribution receive",
        "contribution-receive.csv",
        &["instalment", "amount", "reference", "value_day"],
    ),
    (
        "contribution confirm",
        "contribution-confirm.csv",
        &["instalment", "receipt"],
    ),
];

fn run_match(global: &Global, flags: &Match) -> Result<u8, Failure> {
    let fund = fund_number(&flags.fund)?;
    let kept = Kept::open(global, fund)?;
    let book = Book::open(
        global,
        &flags.connection,
        &past(flags.from_export.as_ref(), None),
    )?;
    let the_fund = book.fund(&flags.fund)?;
    kept.is_of(the_fund)?;
    let unit = &the_fund.unit;
    let outcome = propose(&kept.taken.lines, &known(&book, fund)?);
    tell_matches(global, &kept, &outcome, unit);
    if let Some(folder) = &flags.out {
        files::make_folder(folder)?;
        for (at, (command, name, columns)) in ACTS.iter().enumerate() {
            let rows: Vec<Vec<String>> = outcome
                .proposals
                .iter()
                .filter(|proposal| place(&proposal.act) == at)
                .map(|proposal| cells(proposal, &kept, unit))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let file = folder.join(name);
            files::save_private(&file, csv::ordered(columns, &rows).as_bytes(), flags.force)?;
            let facts = [
                ("count", rows.len().to_string()),
                ("command", (*command).to_owned()),
                ("file", file.display().to_string()),
            ];
            say(t("bank.drafts", &facts));
        }
    }
    say(book.from());
    Ok(book.code())
}

fn place(act: &Act) -> usize {
    match act {
        Act::Settle { .. } => 0,
        Act::Return { .. } => 1,
        Act::Receive { .. } => 2,
        Act::Confirm { .. } => 3,
    }
}

fn cells(proposal: &Proposal, kept: &Kept, unit: &Unit) -> Vec<String> {
    let amount = unit.plain(i128::from(proposal.amount));
    let reference = proposal.reference.clone();
    let value_day = kept
        .taken
        .lines
        .get(proposal.line)
        .map(|line| line.value_day);
    match &proposal.act {
        Act::Settle { payment } => vec![payment.to_string(), reference, amount],
        Act::Return { payment, reason } => {
            vec![payment.to_string(), reference, amount, reason.clone()]
        }
        Act::Receive { instalment } => vec![
            instalment.to_string(),
            amount,
            reference,
            value_day.map(|day| day.to_string()).unwrap_or_default(),
        ],
        Act::Confirm {
            instalment,
            receipt,
        } => vec![instalment.to_string(), receipt.clone()],
    }
}

fn reasons(proposal: &Proposal) -> String {
    let words = proposal.reasons.iter().map(|reason| {
        let days = match reason {
            Reason::Days(days) => days.to_string(),
            _ => String::new(),
        };
        t(&format!("bank.reason.{}", reason.word()), &[("days", days)])
    });
    words.collect::<Vec<_>>().join(", ")
}

fn act_in_words(act: &Act) -> String {
    let payment = |number: &u32| PaymentId(*number).short().to_string();
    let instalment = |number: &u32| InstalmentId(*number).short().to_string();
    match act {
        Act::Settle { payment: number } => t("bank.act.settle", &[("id", payment(number))]),
        Act::Return {
            payment: number,
            reason,
        } => {
            let facts = [("id", payment(number)), ("reason", reason.clone())];
            t("bank.act.return", &facts)
        }
        Act::Receive { instalment: number } => t("bank.act.receive", &[("id", instalment(number))]),
        Act::Confirm {
            instalment: number, ..
        } => t("bank.act.confirm", &[("id", instalment(number))]),
    }
}

fn left_in_words(left: &LeftOver, unit: &Unit) -> String {
    let grouped = |amount| unit.grouped(i128::from(amount));
    let facts = match left {
        LeftOver::CameBack { payment } | LeftOver::BackAfterSettlement { payment } => {
            vec![("id", PaymentId(*payment).short().to_string())]
        }
        LeftOver::OtherAmount { payment, expected } => vec![
            ("id", PaymentId(*payment).short().to_string()),
            ("amount", grouped(*expected)),
        ],
        LeftOver::ReferenceUsed { amount, day } => vec![
            ("amount", grouped(*amount)),
            (
                "day",
                day.map_or_else(|| "–".to_owned(), |day| day.to_string()),
            ),
        ],
        LeftOver::Several { count } => vec![("count", count.to_string())],
        LeftOver::There | LeftOver::NoReference | LeftOver::Nothing => Vec::new(),
    };
    t(&format!("bank.left.{}", left.word()), &facts)
}

fn tell_matches(global: &Global, kept: &Kept, outcome: &Outcome, unit: &Unit) {
    let mut rows = Rows::new(&[
        "day",
        "amount",
        "reference",
        "counterparty",
        "proposal",
        "why",
    ]);
    let mut all: Vec<(usize, [String; 6])> = Vec::new();
    let mut add = |at: usize, proposal: String, why: String| {
        if let Some(line) = kept.taken.lines.get(at) {
            let cells = [
                line.day.to_string(),
                unit.grouped(line.signed()),
                line.reference.clone().unwrap_or_default(),
                line.counterparty.clone().unwrap_or_default(),
                proposal,
                why,
            ];
            all.push((at, cells));
        }
    };
    for proposal in &outcome.proposals {
        add(
            proposal.line,
            act_in_words(&proposal.act),
            reasons(proposal),
        );
    }
    for (at, left) in outcome.left.iter().filter(|(_, left)| left.is_open()) {
        add(*at, String::new(), left_in_words(left, unit));
    }
    all.sort();
    all.into_iter().for_each(|(_, cells)| rows.add(cells));
    rows.print(global);
    let open = outcome
        .left
        .iter()
        .filter(|(_, left)| left.is_open())
        .count();
    let facts = [
        ("proposals", outcome.proposals.len().to_string()),
        ("there", (outcome.left.len() - open).to_string()),
        ("open", open.to_string()),
    ];
    say(t("bank.matched", &facts));
}

/// `reconcile`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Reconcile {
    /// The fund.
    #[arg(long, value_name = "N")]
    fund: String,
    /// The day at whose end book and bank are compared.
    #[arg(long, value_name = "DATE")]
    on: String,
    /// Whether anything open is a finding.
    #[arg(long)]
    check: bool,
    /// Where a page goes.
    #[arg(long, value_name = "FILE")]
    print: Option<PathBuf>,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
    #[arg(id = "from-export", long = "from-export", value_name = "FILE")]
    from_export: Option<PathBuf>,
}

/// Runs `reconcile`.
pub fn run_reconcile(global: &Global, flags: &Reconcile) -> Result<u8, Failure> {
    let number = fund_number(&flags.fund)?;
    let on = day("--on", &flags.on)?;
    let kept = Kept::open(global, number)?;
    let days = kept.taken.days;
    let covered = days.is_some_and(|(first, last)| first <= on && on <= last);
    if !covered {
        let (first, last) = days.map_or_else(
            || ("–".to_owned(), "–".to_owned()),
            |(first, last)| (first.to_string(), last.to_string()),
        );
        let facts = [("on", on.to_string()), ("first", first), ("last", last)];
        return Err(Failure::unusable(t("bank.not-covered", &facts))
            .next(t("bank.not-covered-next", &facts)));
    }
    if let Some(file) = &flags.print {
        files::free(file, Some(flags.force))?;
    }
    let past = past(flags.from_export.as_ref(), Some(on));
    let book = Book::open(global, &flags.connection, &past)?;
    let fund = book.fund(&flags.fund)?;
    kept.is_of(fund)?;
    let found = reconcile(&book, fund, &kept.taken, on)?;
    let unit = &fund.unit;
    if global.json {
        print_json(&reconciled_json(&found, unit, on, &book));
    } else {
        tell_reconciled(global, &found, unit, on, &book);
    }
    if let Some(file) = &flags.print {
        let names = objects::both_names(fund.name.native.as_str(), fund.name.latin.as_str());
        let page = page(&found, unit, on, &format!("{} {names}", number.short()));
        files::save_private(file, page.html(&book).as_bytes(), flags.force)?;
        say(t("money.printed", &[("file", file.display().to_string())]));
    }
    if flags.check && !found.is_clean() {
        return Ok(REFUSED);
    }
    Ok(book.code())
}

fn age(since: LocalDay, on: LocalDay) -> i64 {
    on.0.saturating_sub(since.0).max(0)
}

fn side(item: &Item) -> &'static str {
    match item.side {
        Side::Bank => "bank",
        Side::Book => "book",
    }
}

fn reconciled_json(found: &Reconciled, unit: &Unit, on: LocalDay, book: &Book) -> Value {
    let items: Vec<Value> = found
        .items
        .iter()
        .map(|item| {
            json!({
                "kind": format!("only-{}", side(item)), "since": item.day.to_string(),
                "age_days": age(item.day, on), "amount": unit.plain(item.amount),
                "about": item.about,
            })
        })
        .collect();
    let exceptions: Vec<Value> = found
        .exceptions
        .iter()
        .map(|one| {
            json!({
                "kind": one.kind, "payment": one.payment.short().to_string(),
                "since": one.since.to_string(), "age_days": age(one.since, on),
                "amount": unit.plain(one.amount),
            })
        })
        .collect();
    json!({
        "on": on.to_string(), "unit": unit.code(), "book": unit.plain(found.sums.book),
        "statement": unit.plain(found.sums.statement),
        "difference": unit.plain(found.sums.difference()), "clean": found.is_clean(),
        "items": items, "exceptions": exceptions, "from": book.from(), "sample": book.is_sample(),
    })
}

/// Labels and amounts in the order of the sum.
fn sums(found: &Reconciled) -> [(&'static str, i128); 4] {
    let listed = found
        .items
        .iter()
        .fold(0i128, |sum, item| sum.saturating_add(item.amount));
    [
        ("book", found.sums.book),
        ("items", listed),
        ("statement", found.sums.statement),
        ("difference", found.sums.difference()),
    ]
}

const ITEMS: [&str; 5] = ["item", "since", "age", "about", "amount"];

fn item_cells(
    item: &Item,
    unit: &Unit,
    on: LocalDay,
    word: impl Fn(&str) -> String,
) -> [String; 5] {
    [
        word(&format!("bank.item.only-{}", side(item))),
        item.day.to_string(),
        age(item.day, on).to_string(),
        item.about.clone(),
        unit.grouped(item.amount),
    ]
}

fn tell_reconciled(global: &Global, found: &Reconciled, unit: &Unit, on: LocalDay, book: &Book) {
    if book.is_sample() {
        say(t("audit.sample", &[]));
    }
    for (key, minor) in sums(found) {
        let facts = [
            ("amount", unit.money(minor).to_string()),
            ("on", on.to_string()),
        ];
        print(t(&format!("bank.sum.{key}"), &facts));
    }
    let mut rows = Rows::new(&ITEMS);
    for item in &found.items {
        rows.add(item_cells(item, unit, on, |key| t(key, &[])));
    }
    for one in &found.exceptions {
        rows.add([
            t(&format!("bank.item.{}", one.kind), &[]),
            one.since.to_string(),
            age(one.since, on).to_string(),
            one.payment.short().to_string(),
            unit.grouped(one.amount),
        ]);
    }
    if found.items.is_empty() && found.exceptions.is_empty() {
        print(t("bank.nothing-open", &[]));
    } else {
        rows.print(global);
    }
    say(book.from());
}

fn page(found: &Reconciled, unit: &Unit, on: LocalDay, fund: &str) -> Page {
    let mut page = Page::new(both("bank.page", &[("on", on.to_string())]));
    page.heading(fund);
    let rows: Vec<(String, String)> = sums(found)
        .into_iter()
        .map(|(key, minor)| {
            (
                both(&format!("bank.label.{key}"), &[]),
                page_amount(unit, minor),
            )
        })
        .collect();
    page.facts(&rows);
    let mut lines: Vec<Vec<String>> = found
        .items
        .iter()
        .map(|item| item_cells(item, unit, on, |key| both(key, &[])).to_vec())
        .collect();
    lines.extend(found.exceptions.iter().map(|one| {
        vec![
            both(&format!("bank.item.{}", one.kind), &[]),
            one.since.to_string(),
            age(one.since, on).to_string(),
            one.payment.short().to_string(),
            unit.grouped(one.amount),
        ]
    }));
    page.table(&ITEMS, &lines);
    page
}
