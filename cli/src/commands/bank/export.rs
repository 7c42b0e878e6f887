//! `rollbook bank export`: payments to the bank, each handed out once.
//!
//! * What was handed out is kept in the profile before any file is written, under the payer's
//!   reference: a later run leaves it out. A file that was lost is made again with `--again`, as the
//!   same message, by whose number the bank sees that it is the same.
//! * What a statement shows as executed is never handed out again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_bank::fault::Fault;
use rollbook_bank::instruction::{Instruction, Order, Party};
use rollbook_bank::known::References;
use rollbook_core::calendar::{LocalDay, format_instant};
use rollbook_core::id::{FundId, Id as _, PaymentId};
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_words::amount::in_full;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use super::{fund_number, past, told};
use crate::failure::Failure;
use crate::files;
use crate::flags::{Connection, Global};
use crate::input::table::table as rows_of;
use crate::money::bank::{Handed, Kept, known, not_released};
use crate::money::{Book, absent, day, number, tranche};
use crate::output::{result, say};
use crate::verbs::opening;
use crate::verbs::opening::Part;

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
    /// The same message once more.
    #[arg(long, requires = "payment")]
    again: bool,
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

/// Runs `bank export`.
pub fn run(global: &Global, flags: &Export) -> Result<u8, Failure> {
    let fund = fund_number(&flags.fund)?;
    let set = Kept::open(global, fund)?;
    for file in [&flags.pain001, &flags.table].into_iter().flatten() {
        files::free(file, Some(flags.force))?;
    }
    if flags.pain001.is_none() && flags.table.is_none() {
        return Err(Failure::unusable(t("bank.no-target", &[])).next(t("bank.no-target-next", &[])));
    }
    if flags.table.is_some() && set.settings.map.instruction.is_none() {
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
    // Until the files are there nobody else at this profile hands anything out.
    let _lock = Kept::lock(global, fund)?;
    let mut kept = Kept::open(global, fund)?;
    kept.is_of(the_fund)?;
    let payments = chosen(&book, fund, &flags.payment)?;
    let payments = once(&book, &kept, payments, flags)?;
    let instructions = instructions(&book, &payments, &openings, &payees)?;
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
    if flags.again {
        same_message(&kept, &order)?;
    }
    let refused = |fault: Fault| told(&fault, Path::new(&flags.fund));
    let mut written: Vec<(&PathBuf, Vec<u8>)> = Vec::new();
    if let Some(file) = &flags.pain001 {
        written.push((file, order.pain001().map_err(refused)?.into_bytes()));
    }
    if let (Some(file), Some(map)) = (&flags.table, &kept.settings.map.instruction) {
        written.push((file, order.csv(map).map_err(refused)?));
    }
    // Whatever breaks from here on: what may have left is kept.
    for payment in &order.payments {
        let handed = Handed {
            message: order.number(),
            day: today,
        };
        let before = kept.handed.entry(payment.reference.clone());
        before.or_insert(handed);
    }
    kept.keep_handed()?;
    for (file, bytes) in written {
        let saved = files::save_private(file, &bytes, flags.force);
        saved.map_err(|failure| failure.next(t("bank.handed-next", &again(&payments))))?;
    }
    tell_order(&book, &order, &payments)?;
    Ok(book.code())
}

/// The facts of the command that makes a message again.
fn again(payments: &[&Payment]) -> [(&'static str, String); 1] {
    let numbers = payments
        .iter()
        .map(|payment| payment.number.short().to_string());
    [("payments", numbers.collect::<Vec<_>>().join(","))]
}

/// Instructions for payments, to the accounts that the openings open.
fn instructions(
    book: &Book,
    payments: &[&Payment],
    openings: &[Part],
    payees: &[Payee],
) -> Result<Vec<Instruction>, Failure> {
    let tables = book.tables()?;
    let mut instructions = Vec::new();
    for payment in payments {
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
    Ok(instructions)
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

/// The payments that were asked for, else all that are with the bank; in the order of their numbers, so
/// that the same ones make the same message.
fn chosen<'a>(book: &'a Book, fund: FundId, asked: &[String]) -> Result<Vec<&'a Payment>, Failure> {
    let tables = book.tables()?;
    if asked.is_empty() {
        let all = tables.payments.iter().map(|(_, payment)| payment);
        return Ok(all
            .filter(|payment| payment.fund == fund && payment.state == PaymentState::Released)
            .collect());
    }
    let mut found: BTreeMap<PaymentId, &Payment> = BTreeMap::new();
    for text in asked {
        let number = number("payment", text)?;
        let payment = tables.payments.get(&PaymentId(number));
        let payment = payment.filter(|payment| payment.fund == fund);
        let payment = payment.ok_or_else(|| absent("payment", number))?;
        if let Some(failure) = not_released(payment) {
            return Err(failure);
        }
        found.insert(payment.number, payment);
    }
    Ok(found.into_values().collect())
}

/// The days on which the bank executed instructions, by the payer's reference, as far as the statements
/// that were taken go.
fn executed(book: &Book, fund: FundId, kept: &Kept) -> Result<BTreeMap<String, LocalDay>, Failure> {
    let instructed = known(book, fund)?.instructed;
    let references = References::of(&instructed);
    let debits = kept.taken.lines.iter().filter(|line| !line.credit);
    let found = debits.filter_map(|line| {
        let instruction = instructed.get(references.find(line)?)?;
        Some((instruction.reference.clone(), line.day))
    });
    Ok(found.collect())
}

/// Where a payment is that the ledger sees as released.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Nobody handed it out.
    Here,
    /// In a message to the bank.
    Handed(Handed),
    /// A statement has its debit, of this day.
    Executed(LocalDay),
}

/// Where the payment of a reference is. What is to be made again counts as here once more; what was
/// executed never does.
fn place(
    reference: &str,
    executed: &BTreeMap<String, LocalDay>,
    handed: &BTreeMap<String, Handed>,
    again: bool,
) -> Place {
    if let Some(day) = executed.get(reference) {
        return Place::Executed(*day);
    }
    match handed.get(reference) {
        Some(handed) if !again => Place::Handed(handed.clone()),
        _ => Place::Here,
    }
}

/// Of payments those that the bank has not got yet. What was asked for by name and is with the bank is
/// refused; what was not is left out, and told.
fn once<'a>(
    book: &Book,
    kept: &Kept,
    payments: Vec<&'a Payment>,
    flags: &Export,
) -> Result<Vec<&'a Payment>, Failure> {
    let executed = executed(book, fund_number(&flags.fund)?, kept)?;
    let mut fresh = Vec::new();
    let mut out = Vec::new();
    for payment in payments {
        let Some(instruction) = &payment.instruction else {
            continue;
        };
        let mut facts = vec![
            ("payment", payment.number.short().to_string()),
            ("fund", payment.fund.short().to_string()),
        ];
        let reference = instruction.reference.to_string();
        let code = match place(&reference, &executed, &kept.handed, flags.again) {
            Place::Here => {
                fresh.push(payment);
                continue;
            }
            Place::Executed(day) => {
                facts.push(("day", day.to_string()));
                "bank.executed-already"
            }
            Place::Handed(handed) => {
                facts.push(("day", handed.day.to_string()));
                facts.push(("message", handed.message));
                "bank.handed-already"
            }
        };
        if !flags.payment.is_empty() {
            return Err(Failure::refused(t(code, &facts))
                .coded(code)
                .next(t(&format!("{code}-next"), &facts)));
        }
        out.push(t(code, &facts));
    }
    let nothing = fresh.is_empty() && !out.is_empty();
    let count = [("count", out.len().to_string())];
    out.into_iter().for_each(say);
    if nothing {
        return Err(Failure::refused(t("bank.nothing-new", &count))
            .coded("bank.nothing-new")
            .next(t("bank.nothing-new-next", &count)));
    }
    Ok(fresh)
}

/// What is made again is one message, whole and unchanged.
fn same_message(kept: &Kept, order: &Order<'_>) -> Result<(), Failure> {
    let message = order.number();
    for payment in &order.payments {
        let handed = kept.handed.get(&payment.reference);
        if handed.is_some_and(|handed| handed.message == message) {
            continue;
        }
        let mut facts = vec![("reference", payment.reference.clone())];
        let Some(handed) = handed else {
            return Err(Failure::refused(t("bank.again-new", &facts))
                .coded("bank.again-new")
                .next(t("bank.again-new-next", &facts)));
        };
        let all = kept.handed.iter();
        let with = all.filter(|(_, other)| other.message == handed.message);
        let with: Vec<&str> = with.map(|(reference, _)| reference.as_str()).collect();
        facts.push(("message", handed.message.clone()));
        facts.push(("all", with.join(", ")));
        return Err(Failure::refused(t("bank.again-other", &facts))
            .coded("bank.again-other")
            .next(t("bank.again-other-next", &facts)));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// On Monday P-1 goes to the bank. On Tuesday the treasurer releases P-2 and makes a file of what is
    /// released: both are, and with P-1 in a message of another number the bank paid it twice.
    #[test]
    fn what_was_handed_out_is_not_handed_out_again() {
        let here = |references: &[&str], handed: &BTreeMap<String, Handed>, again| -> Vec<Place> {
            let executed = BTreeMap::new();
            let found = references
                .iter()
                .map(|reference| place(reference, &executed, handed, again));
            found.collect()
        };
        let mut handed = BTreeMap::new();
        assert_eq!(here(&["E-1"], &handed, false), [Place::Here]);
        let monday = Handed {
            message: "M-1".to_owned(),
            day: LocalDay(100),
        };
        handed.insert("E-1".to_owned(), monday.clone());
        assert_eq!(
            here(&["E-1", "E-2"], &handed, false),
            [Place::Handed(monday), Place::Here],
            "Tuesday's file holds P-2 only"
        );
        // The message is made again only because somebody says so.
        assert_eq!(here(&["E-1"], &handed, true), [Place::Here]);
        // What a statement shows as executed is never handed out, whatever anybody says.
        let executed = BTreeMap::from([("E-1".to_owned(), LocalDay(101))]);
        for again in [false, true] {
            let found = place("E-1", &executed, &handed, again);
            assert_eq!(found, Place::Executed(LocalDay(101)));
            assert_eq!(place("E-1", &executed, &BTreeMap::new(), again), found);
        }
    }
}
