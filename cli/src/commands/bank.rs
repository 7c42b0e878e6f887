//! `rollbook bank`: payments to the bank, statements from it, what belongs together.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_bank::fault::{Code, Fault};
use rollbook_bank::instruction::{Order, Party};
use rollbook_bank::map::ColumnMap;
use rollbook_bank::statement::account as bare;
use rollbook_core::account::Unit;
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{FundId, Id as _};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::{find, t};
use serde_json::{Value, json};

use crate::commands::source::Past;
use crate::failure::Failure;
use crate::files;
use crate::flags::Global;
use crate::input::text::text;
use crate::money::bank::{Kept, Settings, set, settings, taken};
use crate::money::number;
use crate::output::result;
use crate::verbs::opening;
use crate::verbs::opening::Part;

mod export;
mod import;
mod proposals;

pub use export::Export;
pub use import::Import;
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
        Command::Export(flags) => export::run(global, flags),
        Command::Import(flags) => import::run(global, flags),
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
    /// References of payments that are in the opening balance of the first statement.
    #[arg(long, value_name = "REF", value_delimiter = ',')]
    before: Vec<String>,
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
    let changes = [&flags.account, &flags.holder, &flags.bank, &flags.currency];
    let changes = changes.iter().any(|given| given.is_some())
        || flags.opening.is_some()
        || flags.map.is_some()
        || !flags.before.is_empty();
    let _lock = changes.then(|| Kept::lock(global, fund)).transpose()?;
    let before = settings(global, fund)?;
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
                before: Vec::new(),
                map: ColumnMap::default(),
            },
        };
        change(&mut kept, flags)?;
        let lines = taken(global, fund)?;
        let same = lines
            .of
            .as_ref()
            .is_none_or(|of| of.is(&kept.account, &kept.currency));
        if lines.days.is_some() && !same {
            let facts = [("fund", fund.short().to_string())];
            return Err(Failure::refused(t("bank.lines-there", &facts))
                .coded("bank.lines-there")
                .next(t("bank.lines-there-next", &facts)));
        }
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
    for reference in &flags.before {
        let reference = reference.trim().to_ascii_uppercase();
        if !reference.is_empty() && !kept.before.contains(&reference) {
            kept.before.push(reference);
        }
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
        "before": kept.before,
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
    if !kept.before.is_empty() {
        let facts = [("references", kept.before.join(", "))];
        lines.push(t("bank.before", &facts));
    }
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

pub(super) fn past(from_export: Option<&PathBuf>, on: Option<LocalDay>) -> Past {
    Past {
        from_export: from_export.cloned(),
        on: on.map(|day| day.to_string()),
        known: None,
    }
}
