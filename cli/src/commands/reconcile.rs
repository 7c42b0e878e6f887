//! `rollbook reconcile`: the book of a fund beside its bank at the end of a day, with everything that is
//! open.

use std::path::PathBuf;

use clap::Args;
use rollbook_core::account::Unit;
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::Id as _;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use crate::commands::bank::{fund_number, past};
use crate::failure::{Failure, REFUSED};
use crate::flags::{Connection, Global};
use crate::money::bank::{About, Item, Kept, Reconciled, Side, reconcile};
use crate::money::page::{Page, amount as page_amount, both};
use crate::money::{Book, day};
use crate::output::{Rows, print, print_json, say};
use crate::{files, objects};

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
pub fn run(global: &Global, flags: &Reconcile) -> Result<u8, Failure> {
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
    let found = reconcile(&book, fund, &kept.taken, &kept.settings.before, on)?;
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
    let about = |all: &[About]| -> Vec<Value> {
        let told = all.iter().map(|one| {
            json!({
                "kind": one.kind, "payment": one.payment.short().to_string(),
                "since": one.since.to_string(), "age_days": age(one.since, on),
                "amount": unit.plain(one.amount),
            })
        });
        told.collect()
    };
    json!({
        "on": on.to_string(), "unit": unit.code(), "book": unit.plain(found.sums.book),
        "statement": unit.plain(found.sums.statement),
        "difference": unit.plain(found.sums.difference()), "clean": found.is_clean(),
        "items": items, "exceptions": about(&found.exceptions),
        "in_opening": about(&found.in_opening), "from": book.from(), "sample": book.is_sample(),
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

fn about_cells(
    one: &About,
    unit: &Unit,
    on: LocalDay,
    word: impl Fn(&str) -> String,
) -> [String; 5] {
    [
        word(&format!("bank.item.{}", one.kind)),
        one.since.to_string(),
        age(one.since, on).to_string(),
        one.payment.short().to_string(),
        unit.grouped(one.amount),
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
    let about = found.exceptions.iter().chain(&found.in_opening);
    for one in about.clone() {
        rows.add(about_cells(one, unit, on, |key| t(key, &[])));
    }
    if found.items.is_empty() && found.exceptions.is_empty() {
        print(t("bank.nothing-open", &[]));
    }
    if !found.items.is_empty() || about.count() > 0 {
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
    let about = found.exceptions.iter().chain(&found.in_opening);
    lines.extend(about.map(|one| about_cells(one, unit, on, |key| both(key, &[])).to_vec()));
    page.table(&ITEMS, &lines);
    page
}
