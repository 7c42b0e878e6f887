//! `rollbook NOUN list`, `rollbook NOUN show N`: the proved tables, entry by entry.
//!
//! A list carries no completeness proof, so it is marked 'as told by node'; with `--from-export
//! FILE` the whole history is executed again and the list is what came out (RULINGS A20). `show`
//! proves one entry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command};
use rollbook_client::client::Client;
use rollbook_client::fetch::Target;
use rollbook_core::account::Unit;
use rollbook_core::audit::Audited;
use rollbook_node::replica_thread::questions;
use rollbook_proof::log::Clock;
use rollbook_wire::ledger::List as Page;
use rollbook_wire::status::{Health, Status};
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use crate::commands::{audit, show};
use crate::failure::Failure;
use crate::flags::{Global, Reading};
use crate::objects::{KINDS, Kind};
use crate::output::{print, print_json, say};
use crate::profile::{genesis, in_use};
use crate::shown::Shown;
use crate::{asking, flags, objects};

/// Pages read at most: a million entries.
const PAGES: usize = 10_000;

/// `NOUN list`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct List {
    #[command(flatten)]
    reading: Reading,
    /// An export that is executed again instead of asking a node.
    #[arg(id = "from-export", long = "from-export", value_name = "FILE")]
    from_export: Option<PathBuf>,
}

/// `NOUN show`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Show {
    /// Number of the object; it may carry its letter.
    #[arg(value_name = "N")]
    number: String,
    #[command(flatten)]
    reading: Reading,
}

/// Adds `list` and `show` to every noun that has a proved table, if it is wanted.
pub fn add_nouns(mut tree: Command, wanted: impl Fn(&str) -> bool) -> Command {
    for kind in KINDS.iter().filter(|kind| wanted(kind.noun)) {
        let list = flags::command::<List>("list");
        let show = flags::command::<Show>("show");
        tree = flags::under(tree, kind.noun, [list, show]);
    }
    tree
}

/// Runs `NOUN list` or `NOUN show`, if it is one.
pub fn run(noun: &str, global: &Global, matches: &ArgMatches) -> Option<Result<u8, Failure>> {
    let kind = KINDS.iter().find(|kind| kind.noun == noun)?;
    match matches.subcommand()? {
        ("list", matches) => {
            Some(flags::read(matches).and_then(|flags| list(kind, global, &flags)))
        }
        ("show", matches) => Some(flags::read(matches).and_then(|flags| one(kind, global, &flags))),
        _ => None,
    }
}

fn one(kind: &Kind, global: &Global, flags: &Show) -> Result<u8, Failure> {
    let text = &flags.number;
    // `O-17` and `17` both, as in acts.
    let prefix = format!("{}-", kind.letter);
    let key = text
        .strip_prefix(&prefix)
        .or_else(|| text.strip_prefix(&prefix.to_lowercase()))
        .unwrap_or(text);
    let bad = || {
        Failure::unusable(t("show.bad-id", &[("id", text.clone())]))
            .next(t("show.bad-id-next", &[]))
    };
    show::show(
        &Target::State(objects::path_of(kind, key).ok_or_else(bad)?),
        global,
        &flags.reading,
    )
}

/// Where entries come from.
enum Source {
    Node(Client),
    Export(Box<rollbook_core::state::StateTables>),
}

impl Source {
    /// Whether the chain is a sample.
    fn is_sample(&self) -> Result<bool, Failure> {
        match self {
            Source::Export(tables) => Ok(tables
                .parameters
                .first()
                .is_some_and(|(_, charter)| charter.clock == Clock::Sample)),
            Source::Node(client) => Ok(client.json::<Status>("/v1/status")?.sample),
        }
    }

    /// Every entry of a table: key, value.
    fn entries(&self, table: &str) -> Result<Vec<(String, Value)>, Failure> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        let key = |path: &str| path.split_once('/').map_or(path, |(_, key)| key).to_owned();
        match self {
            Source::Export(tables) => {
                let items = questions::page(tables, table, None, usize::MAX).unwrap_or_default();
                entries.extend(items.into_iter().map(|item| (key(&item.path), item.value)));
            }
            Source::Node(client) => {
                let mut after = String::new();
                for _ in 0..PAGES {
                    let page: Page = client.json(&format!("/v1/lists/{table}{after}"))?;
                    entries.extend(
                        page.items
                            .into_iter()
                            .map(|item| (key(&item.path), item.value)),
                    );
                    match page.next {
                        Some(next) => after = format!("?after={next}"),
                        None => break,
                    }
                }
            }
        }
        Ok(entries)
    }
}

fn list(kind: &Kind, global: &Global, flags: &List) -> Result<u8, Failure> {
    let profile = in_use(global)?;
    let (source, from) = match &flags.from_export {
        Some(file) => {
            let genesis = genesis(
                flags.reading.connection.genesis.as_deref(),
                profile.as_ref(),
            )?;
            let Audited { report, tables } = audit::audit(file, genesis)?;
            let facts = [
                ("file", file.display().to_string()),
                ("height", (report.executed).to_string()),
            ];
            let Some(tables) = tables.filter(|_| report.is_sound()) else {
                return Err(Failure::refused(t("list.unsound", &facts))
                    .next(t("list.unsound-next", &facts)));
            };
            let mark = if genesis.is_some() {
                "list.from-export"
            } else {
                "list.from-export-unpinned"
            };
            (Source::Export(Box::new(tables)), t(mark, &facts))
        }
        None => {
            let client = asking::reading(global, &flags.reading.connection, profile.as_ref())?;
            let node = answering(&client)?;
            (
                Source::Node(client.only(&node)),
                t("list.as-told", &[("node", node)]),
            )
        }
    };
    let entries = source.entries(kind.table)?;
    if global.json {
        let items: Vec<Value> = entries
            .iter()
            .map(|(key, value)| {
                // What a newer release writes is shown as it is.
                let value = objects::listed(kind.table, value)
                    .map_or_else(|| value.clone(), |entry| entry.json);
                json!({
                    "id": objects::short(&format!("{}/{key}", kind.table)), "key": key,
                    "value": value,
                })
            })
            .collect();
        print_json(&json!({
            "table": kind.table, "items": items, "from": from, "sample": source.is_sample()?,
        }));
        return Ok(0);
    }
    if source.is_sample()? {
        say(t("audit.sample", &[]));
    }
    // Names of companies and units of funds make numbers readable.
    let names = names_for(kind, &source)?;
    let units = units_for(kind, &source)?;
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    let head = |column: &&str| {
        let name = column.rsplit('.').next().unwrap_or(column);
        rollbook_words::catalogue::find(&format!("field.{name}"), &[])
            .unwrap_or_else(|| name.replace('_', " "))
    };
    table.set_header(std::iter::once(t("show.id", &[])).chain(kind.columns.iter().map(head)));
    for (key, value) in &entries {
        let path = format!("{}/{key}", kind.table);
        // What a newer release writes is shown as it is.
        let shown = objects::listed(kind.table, value)
            .map_or_else(|| Shown::of(value), |entry| entry.shown);
        let fund = fund_of(kind, key, &shown);
        let unit = fund.and_then(|fund| units.get(&fund));
        let cell = |column: &&str| {
            let text = objects::cell(column, &shown, unit);
            match shown
                .field(column)
                .and_then(Shown::id)
                .and_then(|number| names.get(&number))
            {
                Some(name) if matches!(*column, "organisation" | "grantee") => {
                    format!("{text} {name}")
                }
                _ => text,
            }
        };
        table.add_row(std::iter::once(objects::short(&path)).chain(kind.columns.iter().map(cell)));
    }
    for line in table.to_string().lines() {
        print(line.trim_end());
    }
    say(from);
    Ok(0)
}

/// The first node that answers: one list comes from one node.
fn answering(client: &Client) -> Result<String, Failure> {
    let mut last = None;
    for node in client.nodes() {
        match client.only(node).json::<Health>("/v1/health") {
            Ok(_) => return Ok(node.clone()),
            Err(error) => last = Some(Failure::from(error)),
        }
    }
    Err(last.unwrap_or_else(|| Failure::unreachable(t("client.unreachable", &[]))))
}

fn names_for(kind: &Kind, source: &Source) -> Result<BTreeMap<u32, String>, Failure> {
    if !kind
        .columns
        .iter()
        .any(|column| matches!(*column, "organisation" | "grantee"))
    {
        return Ok(BTreeMap::new());
    }
    let name = |(key, value): (String, Value)| {
        Some((
            key.parse().ok()?,
            objects::cell("name", &Shown::of(&value), None),
        ))
    };
    Ok(source
        .entries("organisation")?
        .into_iter()
        .filter_map(name)
        .collect())
}

fn units_for(kind: &Kind, source: &Source) -> Result<BTreeMap<u32, Unit>, Failure> {
    if !matches!(kind.table, "award" | "agreement" | "payment" | "account") {
        return Ok(BTreeMap::new());
    }
    let unit = |(key, value): (String, Value)| Some((key.parse().ok()?, objects::unit_of(&value)?));
    Ok(source
        .entries("fund")?
        .into_iter()
        .filter_map(unit)
        .collect())
}

fn fund_of(kind: &Kind, key: &str, value: &Shown) -> Option<u32> {
    if kind.table == "account" {
        key.split_once('/')?.0.parse().ok()
    } else {
        value.field("fund").and_then(Shown::id)
    }
}
