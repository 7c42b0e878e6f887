//! `rollbook bank match`: which line of the bank is which act, with its reasons; the drafts of the acts
//! as tables that the acts read.

use std::path::PathBuf;

use clap::Args;
use rollbook_bank::matching::propose;
use rollbook_bank::proposal::{Act, Left as LeftOver, Outcome, Proposal, Reason};
use rollbook_core::account::Unit;
use rollbook_core::id::{Id as _, InstalmentId, PaymentId, RecoveryId};
use rollbook_words::catalogue::t;

use super::{fund_number, past};
use crate::failure::Failure;
use crate::files;
use crate::flags::{Connection, Global};
use crate::money::Book;
use crate::money::bank::{Kept, known};
use crate::output::{Rows, csv, say};

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

/// The acts that proposals become: command, name of the file, columns. What is guessed goes into a file
/// of its own, `NAME.guess.csv`: signing all of the first in one run signs nothing that was guessed.
const ACTS: [(&str, &str, &[&str]); 6] = [
    (
        "payment confirm",
        "payment-confirm",
        &["payment", "reference", "amount"],
    ),
    (
        "payment return",
        "payment-return",
        &["payment", "reference", "amount", "reason"],
    ),
    (
        "contribution receive",
        "contribution-receive",
        &["instalment", "amount", "reference", "value_day"],
    ),
    (
        "contribution confirm",
        "contribution-confirm",
        &["instalment", "receipt"],
    ),
    (
        "recovery receive",
        "recovery-receive",
        &["recovery", "amount", "reference", "value_day"],
    ),
    (
        "recovery confirm",
        "recovery-confirm",
        &["recovery", "receipt"],
    ),
];

/// Runs `bank match`.
pub fn run(global: &Global, flags: &Match) -> Result<u8, Failure> {
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
            for (certain, ending, key) in [
                (true, "csv", "bank.drafts"),
                (false, "guess.csv", "bank.guesses"),
            ] {
                let rows: Vec<Vec<String>> = outcome
                    .proposals
                    .iter()
                    .filter(|one| place(&one.act) == at && one.is_certain() == certain)
                    .map(|proposal| cells(proposal, &kept, unit))
                    .collect();
                if rows.is_empty() {
                    continue;
                }
                let file = folder.join(format!("{name}.{ending}"));
                let table = csv::ordered(columns, &rows);
                files::save_private(&file, table.as_bytes(), flags.force)?;
                let facts = [
                    ("count", rows.len().to_string()),
                    ("command", format!("rollbook {command}")),
                    ("file", file.display().to_string()),
                ];
                say(t(key, &facts));
            }
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
        Act::ReceiveRecovery { .. } => 4,
        Act::ConfirmRecovery { .. } => 5,
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
        Act::Receive { instalment: number } | Act::ReceiveRecovery { recovery: number } => vec![
            number.to_string(),
            amount,
            reference,
            value_day.map(|day| day.to_string()).unwrap_or_default(),
        ],
        Act::Confirm {
            instalment: number,
            receipt,
        }
        | Act::ConfirmRecovery {
            recovery: number,
            receipt,
        } => vec![number.to_string(), receipt.clone()],
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
    let recovery = |number: &u32| RecoveryId(*number).short().to_string();
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
        Act::ReceiveRecovery { recovery: number } => {
            t("bank.act.receive", &[("id", recovery(number))])
        }
        Act::ConfirmRecovery {
            recovery: number, ..
        } => t("bank.act.confirm", &[("id", recovery(number))]),
    }
}

fn left_in_words(left: &LeftOver, unit: &Unit) -> String {
    let grouped = |amount| unit.grouped(i128::from(amount));
    let facts = match left {
        LeftOver::CameBack { payment }
        | LeftOver::BackAfterSettlement { payment }
        | LeftOver::PaidAgain { payment }
        | LeftOver::BackAgain { payment } => {
            vec![("id", PaymentId(*payment).short().to_string())]
        }
        LeftOver::CameBackLess {
            payment,
            amount,
            expected,
        } => vec![
            ("id", PaymentId(*payment).short().to_string()),
            ("amount", grouped(*amount)),
            ("expected", grouped(*expected)),
        ],
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
        LeftOver::There | LeftOver::NoReference | LeftOver::OtherName | LeftOver::Nothing => {
            Vec::new()
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs;

    /// Every draft is a table that its act reads: the command exists, and has every column.
    #[test]
    fn every_draft_is_one_that_its_act_reads() {
        for (command, name, columns) in ACTS {
            let (noun, word) = command.split_once(' ').unwrap();
            let verb = verbs::find(noun, word).unwrap();
            assert_eq!(name, format!("{noun}-{word}"));
            let fields = verbs::from::names(verb);
            for column in columns {
                assert!(fields.contains(column), "{command}: {column} of {fields:?}");
            }
        }
        assert!(
            !verbs::from::names(verbs::find("payment", "confirm").unwrap()).contains(&"recovery")
        );
    }
}
