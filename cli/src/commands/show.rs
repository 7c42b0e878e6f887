//! `rollbook show ID`: a record, a block, an object of the state; only what was verified (RULINGS
//! A12, A20, R23).

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Command};
use rollbook_client::fetch::{Fetched, Target, fetch, records_of};
use rollbook_client::trust::{Error, Grounds, Trust};
use rollbook_core::account::Unit;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Organisation;
use rollbook_core::record::Capacity;
use rollbook_core::state::decode_value;
use rollbook_proof::file::{Content, Proved};
use rollbook_wire::known::Known;
use rollbook_wire::next::Following;
use rollbook_words::catalogue::{language, t};
use rollbook_words::dates::time;
use serde_json::{Value, json};

use crate::commands::source::{Past, Source, view_from};
use crate::commands::units::Units;
use crate::commands::{beside, history};
use crate::drafting::explained;
use crate::drafting::explained::Part;
use crate::failure::{Failure, REFUSED};
use crate::flags::{Global, Reading};
use crate::objects::{Entry, KINDS, companions, unit_of};
use crate::output::{print, print_json, say};
use crate::shown::Shown;
use crate::{flags, objects, trust};

/// `show`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Show {
    /// What to show.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    past: Past,
}

/// The command, with the spellings of ids in its help.
pub fn command() -> Command {
    let kinds: Vec<String> = KINDS
        .iter()
        .filter(|kind| !kind.letter.is_empty())
        .map(|kind| format!("  {}-N  {}/N", kind.letter, kind.table))
        .collect();
    let help = format!("{}\n{}", t("show.ids", &[]), kinds.join("\n"));
    flags::command::<Show>("show").after_help(help)
}

/// Runs `show`.
pub fn run(global: &Global, flags: &Show) -> Result<u8, Failure> {
    show(
        &objects::parse(&flags.id)?,
        global,
        &flags.reading,
        &flags.past,
    )
}

/// Shows what an id names.
pub fn show(target: &Target, global: &Global, flags: &Reading, past: &Past) -> Result<u8, Failure> {
    if let Target::State(path) = target
        && (past.from_export.is_some() || !objects::is_proved(path))
    {
        return reported(path, global, flags, past);
    }
    if past.from_export.is_some() {
        return history::one(target, global, flags, past);
    }
    let mut trust = trust::open(global, flags)?;
    let (fetched, grounds) = fetch(&mut trust, target)?;
    let json = global.json;
    let mut beside = None;
    let (mut body, mut code) = match &fetched.proved.content {
        Content::Record {
            bytes,
            without_effect,
            ..
        } => {
            let record = objects::record(bytes)?;
            let effect = objects::effect(*without_effect);
            let signed: Vec<Signed<'_>> = record
                .signatures
                .iter()
                .map(|entry| Signed {
                    officer: &entry.officer,
                    capacity: &entry.capacity,
                    key: entry.key,
                })
                .collect();
            let json = json!({
                "record": record.id(), "rule": record.payload.body.code(),
                "leaf": fetched.proved.receipt.verified.index,
                "payload": Shown::of(&record.payload).json(), "signed": signed,
                "effect": effect,
            });
            let parts = vec![
                ("payload", Shown::of(&record.payload)),
                ("signed", Shown::of(&signed)),
                ("effect", Shown::of(&objects::effect_text(*without_effect))),
            ];
            let mut body = Body::of(json, parts);
            // Which unit its amounts have, a node tells; how many digits that is, it cannot.
            let told: Result<Following, _> = trust
                .client()
                .json(&format!("/v1/records/{}/next", record.id()));
            body.unit = told
                .ok()
                .and_then(|told| objects::unit_coded(told.unit.as_ref()));
            (body, 0)
        }
        Content::Block => {
            let records = records_of(&mut trust, &fetched.proved)?;
            let seal = &fetched.proved.seal;
            let mut body = Body::of(
                json!({ "block": seal.id(), "seal": Shown::of(seal).json() }),
                vec![("seal", Shown::of(seal))],
            );
            match records {
                Some(records) => {
                    let records: Vec<String> = records
                        .iter()
                        .map(|(id, rule)| format!("{id} {rule}"))
                        .collect();
                    body.parts.push(("records", Shown::of(&records)));
                    body.json["records"] = json!(records);
                }
                None => say(t("show.block-for-members", &[])),
            }
            (body, 0)
        }
        Content::State { path, value } => {
            let (mut body, code) = state_body(&mut trust, path, value.as_deref())?;
            beside = objects::numbered(path)
                .filter(|_| value.is_some())
                .map(|(object, number)| view_from(trust.client(), object, number));
            if let Some(charter) = &fetched.charter {
                body.json["parameters"] = Shown::of(charter).json();
                body.charter = explained::charter(charter, language());
            }
            (body, code)
        }
    };
    // What belongs to it is a node's word: it is told apart from what was verified, and what is
    // verified does not wait for it.
    let beside = match beside {
        Some(Ok(view)) => view,
        Some(Err(failure)) => {
            say(t("beside.untold", &[("why", failure.what)]));
            None
        }
        None => None,
    };
    if json {
        if let Some(view) = &beside {
            body.json["reported"] = json!(view);
        }
        print_json(&with_grounds(body.json, &fetched.proved, &grounds, &trust));
    } else {
        if grounds.sample {
            say(t("audit.sample", &[]));
        }
        let names = names(&mut trust, &body)?;
        for (_, shown) in &mut body.parts {
            let plain = std::mem::replace(shown, Shown::Nothing);
            *shown = objects::with_names(plain, &names);
        }
        print_rows(&body);
        say(told(&fetched, &grounds, &trust));
        if let Some(view) = &beside {
            print(t("beside.reported", &[]));
            beside::show(view);
        }
    }
    let age = if json {
        if grounds.stale {
            crate::failure::NOT_YET
        } else {
            0
        }
    } else {
        trust::tell_age(&grounds)
    };
    if age != 0 {
        code = age;
    }
    Ok(code)
}

/// An object that the state does not prove, or one of an export.
fn reported(path: &str, global: &Global, flags: &Reading, past: &Past) -> Result<u8, Failure> {
    let mut source = Source::open(global, &flags.connection, past)?;
    let unknown = || {
        Failure::unusable(t("show.unreadable", &[("path", path.to_owned())]))
            .next(t("show.unreadable-next", &[]))
    };
    let (table, key) = path.split_once('/').ok_or_else(unknown)?;
    let kind = objects::kind_of(table).ok_or_else(unknown)?;
    let from = source.from();
    let Some(value) = source.entry(table, key)? else {
        let json = json!({ "id": objects::short(path), "path": path, "value": null, "from": from });
        if global.json {
            print_json(&json);
        } else {
            print(t("source.absent", &[("id", objects::short(path))]));
            print(from);
        }
        return Ok(REFUSED);
    };
    let entry = objects::listed(table, &value).ok_or_else(unknown)?;
    let view = match objects::numbered(path) {
        Some((object, number)) => source.view(object, number)?,
        None => None,
    };
    let sample = source.is_sample();
    let json = json!({
        "id": objects::short(path), "path": path, "value": entry.json, "reported": view,
        "from": from, "sample": sample,
    });
    if global.json {
        print_json(&json);
        return Ok(source.code());
    }
    if sample {
        say(t("audit.sample", &[]));
    }
    let unit = Units::of(kind, &source)?;
    let unit = unit.unit(kind, key, &entry.shown).cloned();
    print_body(&Body::of(json, vec![("value", entry.shown)]), unit.as_ref());
    if let Some(view) = &view {
        beside::show(view);
    }
    print(from);
    Ok(source.code())
}

/// A signature as `show` prints it.
#[derive(serde::Serialize)]
struct Signed<'a> {
    officer: &'a PersonId,
    capacity: &'a Capacity,
    key: u32,
}

/// What an id names: for scripts, and the parts that people see.
struct Body {
    json: Value,
    parts: Vec<(&'static str, Shown)>,
    /// Objects that make it readable: the company of a membership, the fund of an amount.
    beside: Vec<Entry>,
    /// The unit of its amounts, where no object beside it has it.
    unit: Option<Unit>,
    /// The rules of a charter, in words.
    charter: Vec<Part>,
}

impl Body {
    fn of(json: Value, parts: Vec<(&'static str, Shown)>) -> Body {
        Body {
            json,
            parts,
            beside: Vec::new(),
            unit: None,
            charter: Vec::new(),
        }
    }
}

/// An object with the objects that make it readable, each proved.
fn state_body(trust: &mut Trust, path: &str, value: Option<&[u8]>) -> Result<(Body, u8), Failure> {
    let Some(bytes) = value else {
        let json = json!({ "id": objects::short(path), "path": path, "value": null });
        return Ok((Body::of(json, Vec::new()), REFUSED));
    };
    let unknown = || {
        Failure::unusable(t("show.unreadable", &[("path", path.to_owned())]))
            .next(t("show.unreadable-next", &[]))
    };
    let entry = objects::decode(path, bytes).ok_or_else(unknown)?;
    let mut beside = Vec::new();
    let mut others = companions(path, &entry.shown);
    others.extend(fund_of_award(trust, &entry.json));
    for other in others {
        let (fetched, _) = fetch(trust, &Target::State(other.clone()))?;
        if let Content::State {
            value: Some(bytes), ..
        } = &fetched.proved.content
        {
            beside.extend(objects::decode(&other, bytes));
        }
    }
    let companions: Vec<&Value> = beside.iter().map(|entry| &entry.json).collect();
    let body = Body {
        json: json!({
            "id": objects::short(path), "path": path, "value": entry.json,
            "companions": companions,
        }),
        parts: vec![("value", entry.shown)],
        beside,
        unit: None,
        charter: Vec::new(),
    };
    Ok((body, 0))
}

/// Organisations whose names are fetched for one answer at most.
const NAMES_MAX: usize = 12;

/// The names of the organisations that an answer numbers, each proved; of those that cannot be
/// fetched the number has to do. A fork is never passed over.
fn names(trust: &mut Trust, body: &Body) -> Result<BTreeMap<u32, String>, Failure> {
    let mut numbers = BTreeSet::new();
    for (_, shown) in &body.parts {
        objects::organisations(shown, &mut numbers);
    }
    let mut names = BTreeMap::new();
    for number in numbers.into_iter().take(NAMES_MAX) {
        let fetched = match fetch(trust, &Target::State(format!("organisation/{number}"))) {
            Ok((fetched, _)) => fetched,
            Err(fork @ Error::Fork(_)) => return Err(fork.into()),
            Err(_) => continue,
        };
        if let Content::State {
            value: Some(bytes), ..
        } = &fetched.proved.content
            && let Ok(organisation) = decode_value::<Organisation>(bytes)
        {
            names.insert(number, objects::named(number, &organisation.name));
        }
    }
    Ok(names)
}

/// Path of the fund of the application to which a motion grants an award, as a node tells it.
fn fund_of_award(trust: &Trust, motion: &Value) -> Option<String> {
    let application = motion["effect"]["GrantAward"]["application"].as_u64()?;
    let path = format!("/v1/known/application/{application}");
    let told: Known = trust.client().json(&path).ok()?;
    told.fund.map(|fund| format!("fund/{}", fund.0))
}

fn print_rows(body: &Body) {
    let beside = body.beside.iter().find_map(|entry| unit_of(&entry.json));
    let unit = beside.or_else(|| body.unit.clone());
    print_body(body, unit.as_ref());
}

fn print_body(body: &Body, unit: Option<&Unit>) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    let mut row = |label: String, text: String| {
        table.add_row([label, text]);
    };
    let json = &body.json;
    if json.get("value").is_some_and(Value::is_null) {
        print(t(
            "show.absent",
            &[("id", json["id"].as_str().unwrap_or_default().to_owned())],
        ));
        return;
    }
    for name in ["id", "record", "rule", "leaf", "block"] {
        if let Some(text) = json
            .get(name)
            .and_then(|value| objects::word(name, &Shown::of(value), None))
        {
            row(t(&format!("show.{name}"), &[]), text);
        }
    }
    // The company of a membership, the fund of an amount: by name, beside their numbers.
    for beside in &body.beside {
        if let Some(name) = beside
            .shown
            .field("name")
            .and_then(|name| objects::word("name", name, None))
        {
            row(t("show.of", &[]), name);
        }
    }
    let path = json["path"].as_str().unwrap_or_default();
    for (part, shown) in &body.parts {
        for (label, text) in objects::rows(path, shown, unit) {
            let label = if matches!(*part, "signed" | "records") {
                format!("{} {label}", t(&format!("show.{part}"), &[]))
            } else {
                label
            };
            row(label.trim().to_owned(), text);
        }
    }
    for line in table.to_string().lines() {
        print(line.trim_end());
    }
    for part in &body.charter {
        print(format!("\n{}", part.title));
        for (label, value) in &part.rows {
            print(format!("  {label}: {value}"));
        }
    }
}

/// The line that says what verified it.
pub fn told(fetched: &Fetched, grounds: &Grounds, trust: &Trust) -> String {
    let seal = &fetched.proved.seal;
    let facts = [
        ("height", seal.height.to_string()),
        ("time", time(seal.time_ms)),
        ("grounds", trust::line(grounds)),
        ("genesis", trust.chain().genesis().short()),
    ];
    let key = match fetched.proved.content {
        Content::State { .. } => "show.verified-state",
        Content::Record { .. } => "show.verified-record",
        Content::Block => "show.verified-block",
    };
    t(key, &facts)
}

fn with_grounds(mut body: Value, proved: &Proved, grounds: &Grounds, trust: &Trust) -> Value {
    body["verified"] = json!({
        "genesis": trust.chain().genesis(), "height": proved.seal.height,
        "time": time(proved.seal.time_ms),
        "state_root": proved.seal.state_root, "by": grounds,
    });
    body["sample"] = json!(grounds.sample);
    body
}
