//! `rollbook history`: one line for each act, of a history that is run again: when, which block, who signed
//! for whom, what, how much, what it moved or why it had no effect. `--from-export FILE` reads a file;
//! without it the whole history comes from a node first.

use std::collections::VecDeque;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use clap::Args;
use rollbook_client::fetch::Target;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay};
use rollbook_core::id::Id as _;
use rollbook_core::known;
use rollbook_core::record::{Capacity, Record};
use rollbook_core::state::StateTables;
use rollbook_core::step::Subject;
use rollbook_core::view::history;
use rollbook_core::view::history::Line;
use rollbook_core::word::Word;
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use rollbook_words::dates::{day, time};
use serde_json::{Value, json};

use crate::act::next::{deed, state};
use crate::commands::export;
use crate::commands::source::{Past, Source};
use crate::failure::{Failure, REFUSED};
use crate::flags::{Connection, Global, Reading};
use crate::keystore::card::role_code;
use crate::objects::both_names;
use crate::output::{Rows, print, print_json, say};
use crate::profile::in_use;
use crate::shown::Shown;
use crate::{asking, files, objects};

/// Lines shown if nothing else is asked for.
const COUNT: &str = "100";
/// Moves told of one act; an act that moves more says so.
const MOVES: usize = 4;

/// `history`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct History {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// Acts of this company or office.
    #[arg(long, value_name = "ID")]
    of: Option<String>,
    /// Acts that this person signed.
    #[arg(long, value_name = "PERSON")]
    person: Option<u32>,
    /// What is about this object.
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Acts by this rule, such as F17.
    #[arg(long, value_name = "RULE")]
    kind: Option<String>,
    /// From this day on.
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// To the end of this day.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// How many lines: the newest.
    #[arg(long, value_name = "N", default_value = COUNT)]
    count: usize,
    /// Only lines before this one, as it begins: HEIGHT:PLACE.
    #[arg(long, value_name = "HEIGHT:PLACE")]
    before: Option<String>,
}

/// Which lines are wanted.
struct Wanted {
    of: Option<u32>,
    person: Option<u32>,
    object: Option<(String, String)>,
    kind: Option<String>,
    since: Option<LocalDay>,
    until: Option<LocalDay>,
    before: Option<(u64, u32)>,
}

impl Wanted {
    fn read(flags: &History) -> Result<Wanted, Failure> {
        let bad = |flag: &str, text: &str| {
            let facts = [
                ("argument", format!("--{flag}")),
                ("value", text.to_owned()),
            ];
            Failure::unusable(t("verb.bad", &facts)).next(t("verb.bad-next", &facts))
        };
        let date = |flag: &str, text: &Option<String>| match text {
            Some(text) => day(text).map(Some).ok_or_else(|| bad(flag, text)),
            None => Ok(None),
        };
        let of = match &flags.of {
            Some(text) => {
                let number = objects::number_of("organisation", text);
                Some(
                    number
                        .map_err(|other| objects::no_number("--of", "organisation", text, other))?,
                )
            }
            None => None,
        };
        let object = match &flags.object {
            Some(text) => match objects::parse(text)? {
                Target::State(path) => {
                    let (table, key) = path.split_once('/').unwrap_or((&path, ""));
                    Some((table.to_owned(), key.to_owned()))
                }
                _ => return Err(bad("object", text)),
            },
            None => None,
        };
        let before = match &flags.before {
            Some(text) => {
                let parts = text.split_once(':');
                let parsed = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                Some(parsed.ok_or_else(|| bad("before", text))?)
            }
            None => None,
        };
        Ok(Wanted {
            of,
            person: flags.person,
            object,
            kind: flags.kind.clone(),
            since: date("since", &flags.since)?,
            until: date("until", &flags.until)?,
            before,
        })
    }

    fn takes(&self, line: &Line) -> bool {
        let record = line.record.as_ref().map(|(_, record)| record);
        let payload = record.map(|record| &record.payload);
        let at = LocalDay::of(line.time, DEFAULT_OFFSET_MINUTES);
        let is_of = |of: u32| payload.is_some_and(|payload| payload.principal.0 == of);
        let signed = |person: u32| {
            record.is_some_and(|record| {
                record
                    .signatures
                    .iter()
                    .any(|entry| entry.officer.0 == person)
            })
        };
        let by_rule = |kind: &str| {
            payload.is_some_and(|payload| payload.body.code().eq_ignore_ascii_case(kind))
                || line
                    .steps
                    .iter()
                    .any(|step| step.code.eq_ignore_ascii_case(kind))
        };
        let about = |(table, key): &(String, String)| {
            line.touched
                .iter()
                .any(|(kind, subject)| table_of(kind) == table && subject.to_string() == *key)
                || (table == "organisation" && key.parse().is_ok_and(is_of))
        };
        self.of.is_none_or(is_of)
            && self.person.is_none_or(signed)
            && self.kind.as_deref().is_none_or(by_rule)
            && self.object.as_ref().is_none_or(about)
            && self.since.is_none_or(|since| since <= at)
            && self.until.is_none_or(|until| at <= until)
            && self
                .before
                .is_none_or(|before| (line.height.0, line.place) < before)
    }
}

/// The table of what a step moves.
fn table_of(kind: &str) -> &str {
    match kind {
        "dues" => "membership",
        kind => kind,
    }
}

/// Runs `history`.
pub fn run(global: &Global, flags: &History) -> Result<u8, Failure> {
    let wanted = Wanted::read(flags)?;
    let (past, _passing) = whole(global, &flags.connection, &flags.past)?;
    let (mut lines, mut found) = (VecDeque::new(), 0usize);
    let mut watch = |tables: &StateTables, execution: &rollbook_core::ledger::Execution| {
        for line in history::of(tables, execution) {
            if wanted.takes(&line) {
                found += 1;
                lines.push_back(line);
                if lines.len() > flags.count {
                    lines.pop_front();
                }
            }
        }
    };
    let source = Source::open_watched(global, &flags.connection, &past, &mut watch)?;
    let Source::Export(export) = &source else {
        return Ok(0);
    };
    let lines: Vec<Told> = lines
        .iter()
        .map(|line| Told::of(line, export.tables()))
        .collect();
    if global.csv {
        let mut rows = Rows::new(&[
            "place",
            "time",
            "block",
            "organisation",
            "name",
            "persons",
            "rule",
            "act",
            "objects",
            "amount",
            "effect",
            "record",
        ]);
        for line in &lines {
            rows.add([
                line.place.clone(),
                line.time.clone(),
                line.height.to_string(),
                line.principal.clone(),
                line.name.clone(),
                line.persons.clone(),
                line.rule.clone(),
                line.act.clone(),
                line.objects.clone(),
                line.amount.clone(),
                line.effect.clone(),
                line.record
                    .map(|record| record.to_hex())
                    .unwrap_or_default(),
            ]);
        }
        rows.print(global);
        return Ok(source.code());
    }
    if global.json {
        let lines: Vec<Value> = lines.iter().map(Told::json).collect();
        print_json(&json!({
            "lines": lines, "found": found, "from": source.from(), "sample": source.is_sample(),
        }));
        return Ok(source.code());
    }
    if source.is_sample() {
        say(t("audit.sample", &[]));
    }
    for line in &lines {
        print(line.text());
    }
    if found > lines.len() {
        let before = lines
            .first()
            .map(|line| line.place.clone())
            .unwrap_or_default();
        let facts = [
            ("shown", lines.len().to_string()),
            ("found", found.to_string()),
            ("before", before),
        ];
        say(t("history.more", &facts));
    }
    say(source.from());
    Ok(source.code())
}

/// Where a whole history is: the export that was given, else one fetched from a node, which goes with
/// what is returned. Nothing is proved of a list, so a node's history is fetched whole and run again.
pub fn whole(
    global: &Global,
    connection: &Connection,
    past: &Past,
) -> Result<(Past, Option<Passing>), Failure> {
    let fetched = match past.from_export {
        Some(_) => None,
        None => Some(fetch(global, connection)?),
    };
    let past = Past {
        from_export: fetched
            .as_ref()
            .map(Passing::file)
            .or_else(|| past.from_export.clone()),
        on: past.on.clone(),
        known: past.known.clone(),
    };
    Ok((past, fetched))
}

/// A folder of this command alone that goes with it.
#[derive(Debug)]
pub struct Passing(PathBuf);

impl Passing {
    /// Under a name that nobody can have guessed, closed to others (RULINGS A51, A64).
    fn new() -> Result<Passing, Failure> {
        let name = format!("rollbook-history-{}", hex::encode(files::random::<16>()?));
        let folder = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| files::cannot_write(&folder, &error))?;
        Ok(Passing(folder))
    }

    fn file(&self) -> PathBuf {
        self.0.join("history.export")
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Fetches the whole history from a node, for its owner's eyes.
fn fetch(global: &Global, flags: &Connection) -> Result<Passing, Failure> {
    let profile = in_use(global)?;
    let client = asking::reading(global, flags, profile.as_ref())?;
    say(t("history.fetched", &[]));
    let passing = Passing::new()?;
    export::to_file(&passing.file(), false, |mut file| {
        Ok(client.download("/v1/export", &mut file)?)
    })?;
    Ok(passing)
}

/// A line in words.
struct Told {
    place: String,
    height: u64,
    time: String,
    time_ms: u64,
    principal: String,
    name: String,
    persons: String,
    rule: String,
    act: String,
    objects: String,
    amount: String,
    effect: String,
    record: Option<Hash>,
    took_effect: bool,
    steps: Value,
    touched: Vec<(String, String)>,
}

fn short(kind: &str, subject: &Subject) -> String {
    let path = format!("{}/{subject}", table_of(kind));
    let short = objects::short(&path);
    if short == path {
        let facts = [("object", object(kind)), ("number", subject.to_string())];
        t("history.object", &facts)
    } else {
        short
    }
}

fn object(kind: &str) -> String {
    t(&format!("object.{}", table_of(kind)), &[])
}

impl Told {
    fn of(line: &Line, tables: &StateTables) -> Told {
        let record = line.record.as_ref();
        let principal = record.map(|(_, record)| record.payload.principal);
        let name = principal
            .and_then(|number| tables.organisations.get(&number))
            .map(|entry| both_names(entry.name.native.as_str(), entry.name.latin.as_str()));
        let touched: Vec<String> = line
            .touched
            .iter()
            .map(|(kind, subject)| short(kind, subject))
            .collect();
        let rule = match record {
            Some((_, record)) => record.payload.body.code(),
            None => line.steps.first().map_or("", |step| step.code),
        };
        Told {
            place: format!("{}:{}", line.height.0, line.place),
            height: line.height.0,
            time: time(line.time),
            time_ms: line.time.0,
            principal: principal
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            name: name.unwrap_or_default(),
            persons: record
                .map(|(_, record)| persons(record))
                .unwrap_or_default(),
            rule: rule.to_owned(),
            act: match record {
                Some((_, record)) => deed(record),
                None => t("history.clock", &[]),
            },
            objects: touched.join(" "),
            amount: amount(line, tables).unwrap_or_default(),
            effect: effect(line),
            record: record.map(|(id, _)| *id),
            took_effect: line.not_counted.is_none(),
            steps: json!(line.steps),
            touched: line
                .touched
                .iter()
                .map(|(kind, subject)| ((*kind).to_owned(), subject.to_string()))
                .collect(),
        }
    }

    fn text(&self) -> String {
        let facts = [
            ("place", self.place.clone()),
            ("time", self.time.clone()),
            (
                "principal",
                format!("{} {}", self.principal, self.name)
                    .trim()
                    .to_owned(),
            ),
            ("persons", self.persons.clone()),
            ("rule", self.rule.clone()),
            ("act", self.act.clone()),
            ("objects", self.objects.clone()),
            ("effect", self.effect.clone()),
            ("amount", self.amount.clone()),
        ];
        let key = match (self.record.is_some(), self.amount.is_empty()) {
            (true, true) => "history.line",
            (true, false) => "history.line-amount",
            (false, _) => "history.line-clock",
        };
        t(key, &facts)
    }

    fn json(&self) -> Value {
        json!({
            "place": self.place, "height": self.height, "time_ms": self.time_ms,
            "principal": self.principal, "name": self.name, "persons": self.persons,
            "rule": self.rule, "act": self.act, "objects": self.touched, "amount": self.amount,
            "effect": self.effect, "took_effect": self.took_effect, "record": self.record,
            "steps": self.steps,
        })
    }
}

/// Who signed, by number, each with the role.
fn persons(record: &Record) -> String {
    let signed = record.signatures.iter().map(|entry| match entry.capacity {
        Capacity::Own(role) => format!("{} ({})", entry.officer.0, role_code(role)),
        Capacity::Delegation(number) => format!("{} (delegation {number})", entry.officer.0),
    });
    signed.collect::<Vec<_>>().join(", ")
}

/// What it moved, or why it had no effect.
fn effect(line: &Line) -> String {
    if let Some(reason) = line.not_counted {
        return t(&format!("effect.{}", reason.word()), &[]);
    }
    let move_of = |step: &rollbook_core::step::Step| {
        let kind = step.kind;
        let facts = [
            ("object", short(step.kind, &step.subject)),
            (
                "from",
                step.from.map(|from| state(kind, from)).unwrap_or_default(),
            ),
            ("to", state(kind, step.to)),
        ];
        match step.from {
            None => t("history.new", &facts),
            Some(from) if from == step.to => t("history.stays", &facts),
            Some(_) => t("history.moved", &facts),
        }
    };
    if line.steps.is_empty() {
        return t("effect.applied", &[]);
    }
    let mut moves: Vec<String> = line.steps.iter().take(MOVES).map(move_of).collect();
    if line.steps.len() > MOVES {
        let rest = line.steps.len() - MOVES;
        moves.push(t("history.more-moves", &[("count", rest.to_string())]));
    }
    moves.join("; ")
}

/// The amount that an act names, in its unit.
fn amount(line: &Line, tables: &StateTables) -> Option<String> {
    let (_, record) = line.record.as_ref()?;
    let minor = named_amount(&Shown::of(&record.payload.body))?;
    let unit = known::unit(tables, &record.payload.body)?;
    Some(unit.money(minor).to_string())
}

/// The field that says how much, wherever it stands; the first amount if there is only one.
fn named_amount(value: &Shown) -> Option<i128> {
    fn all(name: &str, value: &Shown, found: &mut Vec<(String, i128)>) {
        match value {
            Shown::Amount(minor) => found.push((name.to_owned(), *minor)),
            Shown::Fields(fields) => {
                fields
                    .iter()
                    .for_each(|(name, inner)| all(name, inner, found));
            }
            Shown::List(items) => items.iter().for_each(|inner| all(name, inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    all("", value, &mut found);
    let by_name = |name: &str| found.iter().find(|(known, _)| known == name);
    let chosen = ["total", "budget", "ask", "amount"]
        .into_iter()
        .find_map(by_name);
    let only = || found.first().filter(|_| found.len() == 1);
    chosen.or_else(only).map(|(_, minor)| *minor)
}

/// `show RECORD --from-export FILE`: the record as it stands in a history that is run again.
pub fn one(target: &Target, global: &Global, flags: &Reading, past: &Past) -> Result<u8, Failure> {
    let Target::Record(prefix) = target else {
        return Err(
            Failure::unusable(t("history.no-blocks", &[])).next(t("history.no-blocks-next", &[]))
        );
    };
    let mut found: Vec<Line> = Vec::new();
    let mut watch = |tables: &StateTables, execution: &rollbook_core::ledger::Execution| {
        let is_there = |(id, _): &(Hash, _)| id.to_hex().starts_with(prefix.as_str());
        if execution.outcomes.iter().any(is_there) {
            let of = history::of(tables, execution).into_iter();
            found.extend(of.filter(|line| {
                line.record
                    .as_ref()
                    .is_some_and(|(id, _)| id.to_hex().starts_with(prefix.as_str()))
            }));
        }
    };
    let source = Source::open_watched(global, &flags.connection, past, &mut watch)?;
    let Source::Export(export) = &source else {
        return Ok(0);
    };
    let Some(line) = found.first() else {
        print(t("show.absent", &[("id", prefix.clone())]));
        print(source.from());
        return Ok(REFUSED);
    };
    let told = Told::of(line, export.tables());
    let record = line.record.as_ref().map(|(_, record)| record);
    if global.json {
        let mut json = told.json();
        json["payload"] = json!(record.map(|record| &record.payload));
        json["from"] = json!(source.from());
        print_json(&json);
        return Ok(source.code());
    }
    if source.is_sample() {
        say(t("audit.sample", &[]));
    }
    print(told.text());
    if let Some(record) = record {
        let unit = known::unit(export.tables(), &record.payload.body);
        for (label, text) in objects::rows("", &Shown::of(&record.payload.body), unit.as_ref()) {
            print(format!("  {label}: {text}"));
        }
    }
    print(source.from());
    Ok(source.code())
}
