//! What happened, against what there is: every act of the catalogue with its effects of motions, and
//! every refusal code of core. Both lists are read from the tables that are made from the sources, so
//! a new act or code fails here until a seed meets it.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::record::Body;
use serde_json::Value;

use crate::random::never;

/// What became of the records of an act.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub applied: u32,
    pub not_counted: u32,
    pub refused: u32,
}

/// What happened in one seed.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub acts: BTreeMap<String, Counts>,
    pub codes: BTreeMap<String, u32>,
    pub steps: u32,
    pub applied: u32,
    pub blocks: u32,
    pub days: u64,
    /// Blocks of members' records alone in which a stranger learnt nothing.
    pub watched: u32,
}

/// Blocks of members' records alone that a run of the suite has at least.
const WATCHED: u32 = 100;

impl Seen {
    pub fn code(&mut self, code: &str) {
        *self.codes.entry(code.to_owned()).or_default() += 1;
    }
}

/// The name of an act: `Membership/Apply`, and for a proposal its effect behind.
pub fn name(body: &Value) -> String {
    let step = |value: &Value| match value {
        Value::Object(fields) => fields.iter().next().map(|(k, v)| (k.clone(), v.clone())),
        Value::String(unit) => Some((unit.clone(), Value::Null)),
        _ => None,
    };
    let Some((family, act)) = step(body) else {
        return String::new();
    };
    let Some((act, fields)) = step(&act) else {
        return family;
    };
    match step(&fields["effect"]) {
        Some((effect, _)) => format!("{family}/{act}/{effect}"),
        None => format!("{family}/{act}"),
    }
}

/// [`name`] of an act.
pub fn name_of(body: &Body) -> String {
    name(&serde_json::to_value(body).unwrap())
}

fn tables() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats-tables.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Variants of an enum of the tables: name, and type inside where it has one.
fn variants(tables: &Value, of: &str) -> Vec<(String, String)> {
    let types = tables["types"].as_array().unwrap();
    let found = types.iter().find(|kind| kind["name"] == of);
    let shape = &found.unwrap_or_else(|| panic!("no type {of}"))["shape"]["enum"];
    let all = shape
        .as_array()
        .unwrap_or_else(|| panic!("{of} is no enum"));
    all.iter()
        .map(|variant| {
            let inner = &variant["fields"][0]["type"];
            let name = variant["name"].as_str().unwrap().to_owned();
            (name, inner.as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

/// Every act there is.
pub fn acts() -> BTreeSet<String> {
    let tables = tables();
    let mut acts = BTreeSet::new();
    for (family, inner) in variants(&tables, "Body") {
        for (act, _) in variants(&tables, &inner) {
            if act == "Propose" {
                let effects = variants(&tables, "MotionEffect");
                acts.extend(effects.iter().map(|(e, _)| format!("{family}/{act}/{e}")));
            } else {
                acts.insert(format!("{family}/{act}"));
            }
        }
    }
    acts
}

/// Every refusal code there is.
pub fn codes() -> BTreeSet<String> {
    let tables = tables();
    let codes = tables["codes"].as_object().unwrap();
    codes.keys().cloned().collect()
}

/// What all seeds came to.
#[derive(Default)]
pub struct Coverage {
    seeds: Vec<(u64, Seen)>,
}

impl Coverage {
    pub fn add(&mut self, seed: u64, seen: Seen) {
        self.seeds.push((seed, seen));
    }

    /// Acts: in how many seeds applied, how many records applied, were not counted, were refused.
    fn by_act(&self) -> BTreeMap<String, (u32, Counts)> {
        let mut all: BTreeMap<String, (u32, Counts)> = BTreeMap::new();
        for act in acts() {
            all.entry(act).or_default();
        }
        for (_, seen) in &self.seeds {
            for (act, counts) in &seen.acts {
                let entry = all.entry(act.clone()).or_default();
                entry.0 += u32::from(counts.applied > 0);
                entry.1.applied += counts.applied;
                entry.1.not_counted += counts.not_counted;
                entry.1.refused += counts.refused;
            }
        }
        all
    }

    /// Codes: in how many seeds, how often, and the first of those seeds.
    fn by_code(&self) -> BTreeMap<String, (u32, u32, u64)> {
        let mut all: BTreeMap<String, (u32, u32, u64)> = BTreeMap::new();
        for code in codes() {
            all.entry(code).or_default();
        }
        for (seed, seen) in &self.seeds {
            for (code, count) in &seen.codes {
                let entry = all.entry(code.clone()).or_default();
                entry.2 = if entry.0 == 0 {
                    *seed
                } else {
                    entry.2.min(*seed)
                };
                entry.0 += 1;
                entry.1 += count;
            }
        }
        all
    }

    pub fn steps(&self) -> (u32, u32) {
        let steps = self.seeds.iter().map(|(_, seen)| seen.steps).sum();
        let applied = self.seeds.iter().map(|(_, seen)| seen.applied).sum();
        (steps, applied)
    }

    fn watched(&self) -> u32 {
        self.seeds.iter().map(|(_, seen)| seen.watched).sum()
    }

    /// The table, for people.
    pub fn print(&self) {
        println!("act: applied in seeds | applied, not counted, refused");
        for (act, (seeds, counts)) in self.by_act() {
            let Counts {
                applied,
                not_counted,
                refused,
            } = counts;
            println!("  {act:40} {seeds:3} | {applied:5} {not_counted:4} {refused:5}");
        }
        println!("code: seeds | times | first in seed");
        for (code, (seeds, times, first)) in self.by_code() {
            if never::reason(&code).is_none() || seeds > 0 {
                println!("  {code:40} {seeds:3} | {times:5} | {first:3}");
            }
        }
        let (steps, applied) = self.steps();
        let blocks: u32 = self.seeds.iter().map(|(_, seen)| seen.blocks).sum();
        let days: u64 = self.seeds.iter().map(|(_, seen)| seen.days).sum();
        let count = self.seeds.len();
        println!("{count} seeds, {steps} steps, {applied} applied, {blocks} blocks, {days} days");
        let watched = self.watched();
        println!(
            "{watched} blocks of members' records alone, from which a stranger learnt nothing"
        );
    }

    /// Whether something has not happened yet, or not often enough.
    pub fn is_short(&self, least: u32, steps: u32) -> bool {
        let acts = self.by_act();
        let mut acts = acts.iter();
        let codes = self.by_code();
        let mut codes = codes.iter();
        self.steps().0 < steps
            || acts
                .any(|(act, (seeds, _))| never::applies(act) && *seeds < never::least(act, least))
            || codes.any(|(code, (seeds, ..))| {
                *seeds == 0 && never::reason(code).is_none() && !never::is_open(code)
            })
    }

    /// What is missing, and what happened that cannot, by the lists of [`mod@never`].
    pub fn faults(&self, least: u32) -> Vec<String> {
        let mut faults = Vec::new();
        let (steps, applied) = self.steps();
        if self.watched() < WATCHED {
            faults.push("too few blocks of members' records alone".to_owned());
        }
        if 3 * applied < steps {
            faults.push(format!("only {applied} of {steps} steps applied"));
        }
        for (act, (seeds, _)) in self.by_act() {
            match (never::applies(&act), seeds) {
                (true, seeds) if seeds < never::least(&act, least) => {
                    faults.push(format!("{act} applied in {seeds} seeds only"));
                }
                (false, 1..) => faults.push(format!("{act} applied, which cannot be")),
                _ => {}
            }
        }
        for (code, (seeds, _, first)) in self.by_code() {
            match (never::reason(&code), seeds) {
                (None, 0) if never::is_open(&code) => {}
                (None, 0) => faults.push(format!("{code} never occurred")),
                (Some(why), 1..) => {
                    faults.push(format!("{code} occurred in seed {first}, although {why}"));
                }
                _ => {}
            }
        }
        let known = codes();
        for (code, _) in never::CODES.iter().chain(never::OPEN) {
            if !known.contains(*code) {
                faults.push(format!("{code} is listed and no code of the sources"));
            }
        }
        faults
    }
}
