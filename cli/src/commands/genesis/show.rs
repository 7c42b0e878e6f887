//! `rollbook genesis show`: a genesis as people read it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay, format_instant};
use rollbook_core::charter::Charter;
use rollbook_core::genesis::file::{DRAFT_MAGIC, GenesisFile, decode_draft};
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::id::DirectionId;
use rollbook_core::identity::OrganisationEntry;
use rollbook_core::record::Record;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::{Language, language, t, t_in};

use crate::drafting::sample::REPORTED_NAMES;
use crate::drafting::{explained, fields, parameters, warnings};
use crate::failure::Failure;
use crate::flags::Global;
use crate::keystore::card::role_code;
use crate::objects::both_names;
use crate::output::{print, print_json, say, table, word};
use crate::{files, input};

/// `genesis show`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Show {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Writes a page as well.
    #[arg(long, value_name = "PAGE")]
    print: Option<PathBuf>,
    /// Whether a page of that name may be replaced.
    #[arg(long)]
    force: bool,
    /// Without a file: what ships with the sample.
    #[arg(id = "real-names", long = "real-names", value_name = "FILE", num_args = 0..=1)]
    real_names: Option<Option<PathBuf>>,
}

/// Runs it.
pub fn run(global: &Global, flags: &Show) -> Result<u8, Failure> {
    let path = &flags.file;
    let bytes = files::read(path)?;
    let (genesis, found) = if bytes.starts_with(DRAFT_MAGIC) {
        let (genesis, _) = decode_draft(&bytes)
            .map_err(|error| super::bad_file(path, &error, "genesis.no-genesis"))?;
        (genesis, None)
    } else {
        let file = GenesisFile::decode(&bytes)
            .map_err(|error| super::bad_file(path, &error, "genesis.no-genesis"))?;
        (file.genesis, Some(file.found))
    };
    let reported = match &flags.real_names {
        Some(Some(path)) => Some(reported_names(
            &path.display().to_string(),
            &files::read(path)?,
        )?),
        Some(None) => Some(reported_names("reported-names.csv", REPORTED_NAMES)?),
        None => None,
    };
    if let Some(page) = &flags.print {
        let html = super::page::render(&genesis, found.as_deref());
        files::save(page, html.as_bytes(), Some(flags.force))?;
        let facts = [("file", page.display().to_string())];
        say(t("genesis.printed", &facts));
    }
    if global.json {
        print_json(&serde_json::json!({
            "genesis": genesis.hash(),
            "founded": found.is_some(),
            "policy": genesis.policy,
            "items": genesis.items,
            "found": found,
        }));
        return Ok(0);
    }
    people(&genesis, found.as_deref(), reported.as_ref());
    Ok(0)
}

/// Name of the alliance in the reader's language.
pub fn alliance_name(genesis: &Genesis) -> String {
    genesis
        .items
        .iter()
        .find_map(|item| {
            if let GenesisItem::Charter { name, .. } = item {
                Some(crate::drafting::build::shown(name))
            } else {
                None
            }
        })
        .unwrap_or_default()
}

/// The offset of its local days.
pub fn offset(genesis: &Genesis) -> i32 {
    genesis
        .charter()
        .map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes)
}

/// The lines that every view of a genesis begins with.
pub fn head(genesis: &Genesis) {
    if genesis.clock() == Clock::Sample {
        say(t("audit.sample", &[]));
    }
    for item in &genesis.items {
        if let GenesisItem::Charter { name, .. } = item {
            let both = both_names(name.native.as_str(), name.latin.as_str());
            print(t("genesis.head.alliance", &[("name", both)]));
        }
    }
    print(t("genesis.head.hash", &[("hash", genesis.hash().to_hex())]));
    let clock = if genesis.clock() == Clock::Sample {
        "genesis.clock-sample"
    } else {
        "genesis.clock-wall"
    };
    let opened = format_instant(genesis.opened_ms(), offset(genesis));
    print(t(
        "genesis.head.opened",
        &[("time", opened), ("clock", t(clock, &[]))],
    ));
    let count = |test: fn(&GenesisItem) -> bool| {
        genesis
            .items
            .iter()
            .filter(|item| test(item))
            .count()
            .to_string()
    };
    let facts = [
        (
            "founders",
            count(|item| matches!(item, GenesisItem::Organisation(_))),
        ),
        (
            "directions",
            count(|item| matches!(item, GenesisItem::Direction(_))),
        ),
        (
            "offices",
            count(|item| matches!(item, GenesisItem::Office { .. })),
        ),
        (
            "observers",
            count(|item| matches!(item, GenesisItem::Observer(_))),
        ),
        (
            "validators",
            count(|item| matches!(item, GenesisItem::Validator { .. })),
        ),
    ];
    print(t("genesis.head.counts", &facts));
}

fn people(
    genesis: &Genesis,
    found: Option<&[Record]>,
    reported: Option<&BTreeMap<u32, (String, String)>>,
) {
    head(genesis);
    let signed = match found {
        Some(found) => t("genesis.founded", &[("count", found.len().to_string())]),
        None => t("genesis.is-draft", &[]),
    };
    print(t("genesis.head.founded", &[("state", signed)]));
    if let Some(charter) = genesis.charter() {
        print(t(
            "genesis.head.charter",
            &[
                ("preset", word(charter.preset)),
                ("hash", charter.text.to_hex()),
            ],
        ));
        let preset = Charter::preset(charter.preset, charter.clock, charter.text);
        for (name, value, usual) in parameters::differences(charter, &preset) {
            let facts = [
                ("name", name),
                ("value", plain(&value)),
                ("usual", plain(&usual)),
            ];
            print(t("genesis.differs", &facts));
        }
    }
    let day = |ms: LedgerTime| LocalDay::of(ms, offset(genesis)).date().to_string();
    let names = super::names(genesis);
    let title = |key: &str| print(format!("\n{}", t(key, &[])));
    let warnings = warnings::of(genesis, super::now(genesis));
    if !warnings.is_empty() {
        title("genesis.title.warnings");
        for warning in warnings {
            print(format!("  {}", warning.text(language())));
        }
    }
    if let Some(charter) = genesis.charter() {
        for part in explained::charter(charter, language()) {
            print(format!("\n{}", part.title));
            for (label, value) in part.rows {
                print(format!("  {label}: {value}"));
            }
        }
    }
    title("genesis.title.directions");
    for item in &genesis.items {
        if let GenesisItem::Direction(direction) = item {
            let both = both_names(
                direction.name.native.as_str(),
                direction.name.latin.as_str(),
            );
            print(format!(
                "  {}  {both}  ({})",
                direction.number.0, direction.code
            ));
        }
    }
    title("genesis.title.offices");
    for item in &genesis.items {
        if let GenesisItem::Office { entry, posts } = item {
            print(format!(
                "  {}  {}",
                entry.number.0,
                both_names(entry.name.native.as_str(), entry.name.latin.as_str())
            ));
            for post in posts {
                let deputy = post
                    .deputy
                    .map(|deputy| t("genesis.deputy", &[("person", deputy.0.to_string())]))
                    .unwrap_or_default();
                let facts = [
                    ("role", t(&format!("role.{}", role_code(post.role)), &[])),
                    ("person", post.holder.0.to_string()),
                    ("deputy", deputy),
                    ("until", day(post.until_ms)),
                ];
                print(t("genesis.post", &facts));
            }
        }
    }
    title("genesis.title.board");
    for item in &genesis.items {
        if let GenesisItem::Board(seats) = item {
            for seat in seats {
                let facts = [
                    ("number", seat.organisation.0.to_string()),
                    (
                        "name",
                        names.get(&seat.organisation).cloned().unwrap_or_default(),
                    ),
                    ("until", day(seat.until_ms)),
                ];
                print(t("genesis.seat", &facts));
            }
        }
    }
    title("genesis.title.founders");
    founders(genesis, reported);
    title("genesis.title.observers");
    for item in &genesis.items {
        if let GenesisItem::Observer(entry) = item {
            print(format!(
                "  {}  {}",
                entry.number.0,
                both_names(entry.name.native.as_str(), entry.name.latin.as_str())
            ));
        }
    }
    title("genesis.title.validators");
    for validator in &genesis.policy.validators {
        let name = names.get(&validator.org).cloned().unwrap_or_default();
        print(format!(
            "  {}  {} {name}  {}",
            validator.name, validator.org.0, validator.url
        ));
    }
}

fn founders(genesis: &Genesis, reported: Option<&BTreeMap<u32, (String, String)>>) {
    let mut columns = vec![
        "genesis.column.number",
        "genesis.column.name",
        "genesis.column.identifiers",
        "genesis.column.directions",
        "genesis.column.officers",
        "genesis.column.approval",
        "genesis.column.related",
    ];
    if reported.is_some() {
        columns.push("genesis.column.reported");
    }
    let mut rows = table(&columns);
    let codes: BTreeMap<DirectionId, String> = genesis
        .items
        .iter()
        .filter_map(|item| {
            if let GenesisItem::Direction(direction) = item {
                Some((
                    direction.number,
                    crate::drafting::build::shown(&direction.name),
                ))
            } else {
                None
            }
        })
        .collect();
    let mut related: BTreeMap<OrganisationId, Vec<OrganisationId>> = BTreeMap::new();
    let entries: Vec<&OrganisationEntry> = genesis.founders().collect();
    for entry in &entries {
        for relation in &entry.relations {
            related
                .entry(entry.number)
                .or_default()
                .push(relation.other);
            related
                .entry(relation.other)
                .or_default()
                .push(entry.number);
        }
    }
    let separator = t("word.list", &[]);
    let join = |parts: Vec<String>| parts.join(&separator);
    let mut notes: Vec<&str> = Vec::new();
    for entry in entries {
        let directions = entry
            .directions
            .iter()
            .filter_map(|number| codes.get(number).cloned())
            .collect();
        let officers = entry
            .officers
            .iter()
            .map(|officer| officer.person.0.to_string())
            .collect();
        let identifiers = entry
            .identifiers
            .iter()
            .map(|identifier| identifier.org_id())
            .collect::<Vec<_>>()
            .join("\n");
        let groups = related
            .get(&entry.number)
            .into_iter()
            .flatten()
            .map(|other| other.0.to_string())
            .collect();
        let mut row = vec![
            entry.number.0.to_string(),
            crate::drafting::build::shown(&entry.name),
            identifiers,
            join(directions),
            join(officers),
            approval(entry, language()),
            join(groups),
        ];
        if let Some(reported) = reported {
            let cell = reported.get(&entry.number.0).map(|(name, note)| {
                let at = notes
                    .iter()
                    .position(|known| known == note)
                    .unwrap_or_else(|| {
                        notes.push(note);
                        notes.len() - 1
                    });
                format!("{name} [{}]", at + 1)
            });
            row.push(cell.unwrap_or_default());
        }
        rows.add_row(row);
    }
    print(rows.trim_fmt());
    for (i, note) in notes.iter().enumerate() {
        print(format!("[{}] {note}", i + 1));
    }
    if reported.is_some() {
        print(t("genesis.reported-note", &[]));
    }
}

/// How many officers of a company sign what, in words.
pub fn approval(entry: &OrganisationEntry, language: Language) -> String {
    let classes = fields::CLASSES.iter().filter_map(|(word, class)| {
        let needed = entry.policy.needed(*class);
        (needed > 1).then(|| {
            let class = t_in(language, &format!("class.{word}"), &[]);
            let facts = [("class", class), ("needed", needed.to_string())];
            t_in(language, "genesis.approval", &facts)
        })
    });
    let parts: Vec<String> = classes.collect();
    if parts.is_empty() {
        return t_in(language, "genesis.approval-one", &[]);
    }
    parts.join(&t_in(language, "word.list", &[]))
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "off".to_owned(),
        other => other.to_string(),
    }
}

/// `reported-names.csv`: number, name and source note in the reader's language (RULINGS R24). A
/// view only: nothing of it enters a record.
pub fn reported_names(
    file: &str,
    bytes: &[u8],
) -> Result<BTreeMap<u32, (String, String)>, Failure> {
    let bad = |why: String| {
        Failure::unusable(t("genesis.bad-names", &[("file", file.to_owned())])).because(why)
    };
    let table = input::table::table(bytes).map_err(|why| bad(why.sentence()))?;
    let column = |name: &str| {
        let mut head = table.head.iter();
        head.position(|header| header == name)
            .ok_or_else(|| bad(name.to_owned()))
    };
    let (name, note) = match language() {
        Language::Chinese => ("reported_native", "source_native"),
        Language::English => ("reported_latin", "source_latin"),
    };
    let (number, name, note) = (column("number")?, column(name)?, column(note)?);
    let mut names = BTreeMap::new();
    for row in &table.rows {
        let cell = |i: usize| row.cells.get(i).cloned().unwrap_or_default();
        let number = cell(number).parse().map_err(|_| bad(cell(number)))?;
        names.insert(number, (cell(name), cell(note)));
    }
    Ok(names)
}
