//! `rollbook NOUN list`, `rollbook NOUN show N`: the proved tables, entry by entry.
//!
//! A list carries no completeness proof, so it is marked 'as told by node'; with `--from-export
//! FILE` the whole history is executed again and the list is what came out (RULINGS A20), with `--on
//! DATE` as it stood at the end of that day. `show` proves one entry, if the state holds it.

use std::collections::BTreeMap;

use clap::{ArgMatches, Args, Command};
use rollbook_client::fetch::Target;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use crate::commands::show;
use crate::commands::source::{Past, Source};
use crate::commands::units::Units;
use crate::failure::Failure;
use crate::flags::{Global, Reading};
use crate::objects::{KINDS, Kind};
use crate::output::{print, print_json, say};
use crate::shown::Shown;
use crate::{flags, objects};

/// Columns whose numbers of organisations stand with their names.
const NAMED: [&str; 7] = [
    "organisation",
    "grantee",
    "applicant",
    "member",
    "office",
    "claimed_by",
    "number",
];

/// `NOUN list`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct List {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    past: Past,
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
    #[command(flatten)]
    past: Past,
}

/// Adds `list` and `show` to every noun that has a proved table, if it is wanted.
pub fn add_nouns(mut tree: Command, wanted: impl Fn(&str) -> bool) -> Command {
    for kind in KINDS.iter().filter(|kind| wanted(kind.noun)) {
        let list = flags::command::<List>(kind.word);
        tree = flags::under(tree, kind.noun, [list]);
        // What has lists of several kinds shows one of them; the others by their letters.
        if kind.word == "list" {
            tree = flags::under(tree, kind.noun, [flags::command::<Show>("show")]);
        }
    }
    tree
}

/// Runs `NOUN list` or `NOUN show`, if it is one.
pub fn run(noun: &str, global: &Global, matches: &ArgMatches) -> Option<Result<u8, Failure>> {
    let (word, matches) = matches.subcommand()?;
    let listed = if word == "show" { "list" } else { word };
    let mut kinds = KINDS.iter();
    let kind = kinds.find(|kind| kind.noun == noun && kind.word == listed)?;
    Some(if word == "show" {
        flags::read(matches).and_then(|flags| one(kind, global, &flags))
    } else {
        flags::read(matches).and_then(|flags| list(kind, global, &flags))
    })
}

fn one(kind: &Kind, global: &Global, flags: &Show) -> Result<u8, Failure> {
    let text = &flags.number;
    // `O-17` and `17` both, as in acts.
    let prefix = format!("{}-", kind.letter);
    let key = text
        .strip_prefix(&prefix)
        .or_else(|| text.strip_prefix(&prefix.to_lowercase()))
        .unwrap_or(text);
    if let Some(other) = objects::of_another_kind(kind, text) {
        return Err(objects::no_number("N", kind.table, text, Some(other)));
    }
    let bad = || {
        Failure::unusable(t("show.bad-id", &[("id", text.clone())]))
            .next(t("show.bad-id-next", &[]))
    };
    show::show(
        &Target::State(objects::path_of(kind, key).ok_or_else(bad)?),
        global,
        &flags.reading,
        &flags.past,
    )
}

fn list(kind: &Kind, global: &Global, flags: &List) -> Result<u8, Failure> {
    let source = Source::open(global, &flags.reading.connection, &flags.past)?;
    let from = source.from();
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
            "table": kind.table, "items": items, "from": from, "sample": source.is_sample(),
        }));
        return Ok(source.code());
    }
    if source.is_sample() {
        say(t("audit.sample", &[]));
    }
    // Names of companies and units of funds make numbers readable.
    let names = names_for(kind, &source)?;
    let units = Units::of(kind, &source)?;
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
        let unit = units.unit(kind, key, &shown);
        let cell = |column: &&str| {
            let text = objects::cell(column, &shown, unit);
            match shown
                .field(column)
                .and_then(Shown::id)
                .and_then(|number| names.get(&number))
            {
                Some(name) if NAMED.contains(column) => format!("{text} {name}"),
                _ => text,
            }
        };
        table.add_row(std::iter::once(objects::short(&path)).chain(kind.columns.iter().map(cell)));
    }
    for line in table.to_string().lines() {
        print(line.trim_end());
    }
    say(from);
    Ok(source.code())
}

fn names_for(kind: &Kind, source: &Source) -> Result<BTreeMap<u32, String>, Failure> {
    if !kind.columns.iter().any(|column| NAMED.contains(column)) {
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
