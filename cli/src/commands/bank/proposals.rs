//! `rollbook bank match`: which line of the bank is which act, with its reasons; the drafts of the acts
//! as tables that the acts read.

use std::path::PathBuf;

use clap::Args;
use rollbook_bank::matching::{Act, Left as LeftOver, Outcome, Proposal, Reason, propose};
use rollbook_core::account::Unit;
use rollbook_core::id::{Id as _, InstalmentId, PaymentId};
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
                ("command", format!("rollbook {command}")),
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
