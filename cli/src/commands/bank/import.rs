//! `rollbook bank import`: statements from the bank, and dropping the newest one.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_bank::amount::signed;
use rollbook_bank::camt053;
use rollbook_bank::map::Point;
use rollbook_bank::statement::{Statement, Wanted};
use rollbook_bank::table;
use rollbook_bank::taken::{Of, Taken};
use rollbook_core::account::Unit;
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{FundId, Id as _};
use rollbook_words::catalogue::t;
use serde_json::json;

use super::{fund_number, told};
use crate::failure::Failure;
use crate::files;
use crate::flags::Global;
use crate::money::bank::Kept;
use crate::money::day;
use crate::output::{result, say};

/// `bank import`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Import {
    /// Statements, in their order.
    #[arg(value_name = "FILE", required_unless_present = "undo")]
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
    /// Balance after the last line, where a table has none.
    #[arg(
        id = "closing-balance",
        long = "closing-balance",
        value_name = "AMOUNT",
        allow_hyphen_values = true
    )]
    closing_balance: Option<String>,
    /// The first day that the file covers.
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// The last day that the file covers.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// The newest statement is dropped.
    #[arg(long, conflicts_with_all = ["files", "since", "until"])]
    undo: bool,
}

/// Runs `bank import`.
pub fn run(global: &Global, flags: &Import) -> Result<u8, Failure> {
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
    if flags.undo {
        return undo(fund, kept, &unit);
    }
    let said = said(flags, &unit, form)?;
    let bound = Of {
        account: kept.settings.account.clone(),
        currency: kept.settings.currency.clone(),
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
    kept.taken.of.get_or_insert(bound);
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

/// What somebody says of one file. What is said cannot be true of several.
fn said(flags: &Import, unit: &Unit, form: Point) -> Result<table::Said, Failure> {
    let balance = |given: &Option<String>| {
        let balance = given.as_deref().map(|text| {
            signed(text, unit, form.form()).map_err(|fault| told(&fault, Path::new(text)))
        });
        balance.transpose()
    };
    let days = |name: &str, given: &Option<String>| {
        let found = given.as_deref().map(|text| day(name, text));
        found.transpose()
    };
    let said = table::Said {
        opening: balance(&flags.opening_balance)?,
        closing: balance(&flags.closing_balance)?,
        from: days("--since", &flags.since)?,
        to: days("--until", &flags.until)?,
    };
    if said != table::Said::default() && flags.files.len() > 1 {
        return Err(
            Failure::unusable(t("bank.said-of-one", &[])).next(t("bank.said-of-one-next", &[]))
        );
    }
    // Nobody knows what the bank books tomorrow. Wherever the bank is, its day has begun by then.
    let today = last_day_on_earth();
    if let Some(until) = said.to.filter(|until| *until > today) {
        let facts = [("until", until.to_string()), ("today", today.to_string())];
        return Err(Failure::unusable(t("bank.until-ahead", &facts))
            .next(t("bank.until-ahead-next", &facts)));
    }
    Ok(said)
}

/// The latest day that has begun anywhere: fourteen hours before UTC.
fn last_day_on_earth() -> LocalDay {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let hours = now.unwrap_or_default().as_secs() / 3_600 + 14;
    LocalDay(i64::try_from(hours / 24).unwrap_or(i64::MAX))
}

/// Drops the newest statement.
fn undo(fund: FundId, mut kept: Kept, unit: &Unit) -> Result<u8, Failure> {
    let id = fund.short().to_string();
    let days = |taken: &Taken| match taken.days {
        Some((first, last)) => (first.to_string(), last.to_string()),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let dropped = kept.taken.undo().ok_or_else(|| {
        let facts = [("fund", id.clone())];
        Failure::refused(t("bank.nothing-to-undo", &facts))
            .next(t("bank.nothing-to-undo-next", &facts))
    })?;
    kept.keep()?;
    let (first, last) = days(&kept.taken);
    let facts = [
        ("count", dropped.len().to_string()),
        ("from", first.clone()),
        ("to", last.clone()),
        ("closing", unit.money(kept.taken.closing).to_string()),
    ];
    let object = json!({
        "fund": id, "dropped": dropped.len(), "from": first, "to": last,
        "closing": unit.plain(kept.taken.closing),
    });
    result(t("bank.undone", &facts), object);
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
                first.opens_evening_before = false;
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
