//! `rollbook validators simulate`: the validator seats, and what the next handovers would make of them
//! if something changed (M40; RULINGS A17). Told by a node, by the function that the rules use.

use clap::{Args, Subcommand};
use comfy_table::Table;
use rollbook_core::id::Id as _;
use rollbook_core::view::validators::{
    Change, HandoverLine, SeatLine, ValidatorsView, WaitingLine,
};
use rollbook_core::word::Word as _;
use rollbook_proof::number::OrganisationId;
use rollbook_wire::next::Validators;
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use crate::asking;
use crate::failure::Failure;
use crate::flags::{Asking, Global};
use crate::output::{print, print_json, say};
use crate::profile::in_use;
use crate::shown::Shown;

/// `validators`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Looks ahead.
    Simulate(Simulate),
}

/// `validators simulate`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Simulate {
    #[command(flatten)]
    asking: Asking,
    /// What is thought of.
    #[arg(value_name = "CHANGE")]
    changes: Vec<String>,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    let Command::Simulate(flags) = command;
    for word in &flags.changes {
        if word.parse::<Change>().is_err() {
            let facts = [("value", word.clone())];
            return Err(Failure::unusable(t("validators.bad-change", &facts))
                .because(t("validators.bad-change-why", &[]))
                .next(t("validators.bad-change-next", &[])));
        }
    }
    let profile = in_use(global)?;
    let client = asking::client(&flags.asking, profile.as_ref(), "act.no-node-next")?;
    let path = format!("/v1/validators?changes={}", flags.changes.join(","));
    let Validators { validators, .. } = client.json(&path)?;
    if global.json {
        print_json(&Shown::of(&validators).json());
    } else {
        show(&validators, flags.changes.is_empty());
        say(t("next.as-told", &[]));
    }
    Ok(0)
}

fn list(organisations: &[OrganisationId]) -> String {
    let short: Vec<String> = organisations
        .iter()
        .map(|of| of.short().to_string())
        .collect();
    short.join(", ")
}

fn faults(seats: usize) -> String {
    (seats.saturating_sub(1) / 3).to_string()
}

fn show(view: &ValidatorsView, as_it_is: bool) {
    print(t(
        "validators.now",
        &[
            ("height", view.height.to_string()),
            ("seats", view.seats.len().to_string()),
            ("quorum", view.quorum.to_string()),
            ("alive", view.alive.to_string()),
            ("most", view.most.to_string()),
        ],
    ));
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(
        ["organisation", "status", "votes_from", "seen", "note"]
            .map(|column| t(&format!("validators.column.{column}"), &[])),
    );
    for seat in &view.seats {
        table.add_row(row(seat, view));
    }
    for line in table.to_string().lines() {
        print(line.trim_end());
    }
    if !view.candidates.is_empty() {
        print(t(
            "validators.candidates",
            &[("list", list(&view.candidates))],
        ));
    }
    print(t(
        "validators.pace",
        &[
            ("blocks", view.handover_blocks.to_string()),
            ("last", view.last_handover.to_string()),
            ("faults", faults(view.seats.len())),
        ],
    ));
    if view.handovers.is_empty() {
        print(t("validators.no-handover", &[]));
    }
    let mut before = view.seats.len();
    for line in &view.handovers {
        handover(line, before, view);
        before = line.seats.len();
    }
    for line in &view.stuck {
        print(format!(
            "{}{}",
            t("validators.stuck", &[]),
            waiting(line, before, view)
        ));
    }
    if !as_it_is || !view.handovers.is_empty() {
        say(t("validators.assumed", &[]));
    }
}

fn row(seat: &SeatLine, view: &ValidatorsView) -> [String; 5] {
    let seen = if seat.alive {
        t("validators.seat-alive", &[])
    } else {
        t(
            "validators.seat-silent",
            &[("blocks", view.alive_blocks.to_string())],
        )
    };
    let going = seat.going.map(|why| {
        let why = in_words("validator.going", why.word());
        t("validators.going", &[("why", why)])
    });
    let keys = seat
        .keys_wait_since
        .map(|since| t("validators.keys-wait", &[("since", time(since))]));
    let notes: Vec<String> = going.into_iter().chain(keys).collect();
    [
        seat.organisation.short().to_string(),
        in_words("state.node", seat.status.word()),
        seat.votes_from
            .map_or_else(String::new, |from| from.to_string()),
        seen,
        notes.join("; "),
    ]
}

fn handover(line: &HandoverLine, before: usize, view: &ValidatorsView) {
    print(t(
        "validators.handover",
        &[
            ("height", line.height.to_string()),
            ("seats", line.seats.len().to_string()),
            ("quorum", line.quorum.to_string()),
            ("alive", line.alive.to_string()),
        ],
    ));
    for (key, who) in [
        ("gone", &line.gone),
        ("renewed", &line.renewed),
        ("joined", &line.joined),
        ("after", &line.seats),
    ] {
        if !who.is_empty() {
            let sentence = t(&format!("validators.{key}"), &[("list", list(who))]);
            print(format!("  {sentence}"));
        }
    }
    for entry in &line.waiting {
        print(format!("  {}", waiting(entry, before, view)));
    }
}

fn waiting(line: &WaitingLine, seats: usize, view: &ValidatorsView) -> String {
    let why = t(
        &format!("validator.hindrance.{}", line.hindrance.word()),
        &[("faults", faults(seats)), ("most", view.most.to_string())],
    );
    let wanting = in_words("validator.wanting", line.wanting.word());
    t(
        "validators.waiting",
        &[
            ("organisation", line.organisation.short().to_string()),
            ("wanting", wanting),
            ("why", why),
        ],
    )
}
