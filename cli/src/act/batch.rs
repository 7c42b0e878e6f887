//! Many acts of one verb: `--from FILE.csv`, one record a line (RULINGS R23), and several numbers
//! where one would stand (`motion vote V-1,V-2 yes`), one record each.
//!
//! The head names arguments of the verb, `value-date` or `value_date`; flags of the command line
//! hold for every line. All lines are read, signed and judged first; if one is bad, every bad line
//! is told with its number and nothing is handed in.

use std::collections::BTreeMap;
use std::time::Instant;

use rollbook_core::account::Unit;
use rollbook_core::record::{Payload, Record};
use rollbook_proof::number::Height;
use rollbook_wire::judgement::Judgement;
use rollbook_wire::next::Following;
use rollbook_wire::record::Stands;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use super::desk::Desk;
use super::submit::{Wait, Waited};
use super::{judge, next, submit};
use crate::failure::{Failure, NOT_YET, REFUSED, UNUSABLE};
use crate::input::problem::suggestion;
use crate::input::table::table;
use crate::output::{self, Form, Rows, print, print_json, result, say};
use crate::profile::{Left, Profiles};
use crate::shown::Shown;
use crate::verbs::opening::Reading;
use crate::verbs::{Given, Kind, Verb, shown};
use crate::{consent, objects, receipts};

/// Most lines of one file.
const LINES_MAX: usize = 2_000;

/// A line with the act it spells.
struct Line {
    number: usize,
    body: rollbook_core::record::Body,
}

/// Runs a verb for every line of a file.
pub fn run(verb: &Verb, desk: &Desk, given: &Given, file: &str) -> Result<u8, Failure> {
    let mut reading = desk.reading();
    reading.opening = given.opening.clone();
    let (lines, bad) = read(verb, given, file, &mut reading)?;
    let label = |line: usize| format!("{file}:{line}");
    many(verb, desk, &reading, (lines, bad), (file, &label))
}

/// The argument in which several numbers stand, with the numbers, if there is one.
pub fn several(verb: &Verb, given: &Given) -> Option<(&'static str, Vec<String>)> {
    let field = verb.fields.first()?;
    let text = given.text(field.name)?;
    let is_one = !field.positional || !matches!(field.kind, Kind::Id(_)) || !text.contains(',');
    let numbers = text.split(',').map(|number| number.trim().to_owned());
    (!is_one).then(|| (field.name, numbers.collect()))
}

/// Runs a verb for each of several numbers of one argument.
pub fn run_each(
    verb: &Verb,
    desk: &Desk,
    given: &Given,
    (name, numbers): (&'static str, Vec<String>),
) -> Result<u8, Failure> {
    let mut reading = desk.reading();
    reading.opening = given.opening.clone();
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for (at, number) in numbers.iter().enumerate() {
        let mut one = given.clone();
        one.texts.retain(|(known, _)| *known != name);
        one.texts.push((name, number.clone()));
        match verb.body(&one, &mut reading) {
            Ok(body) => lines.push(Line { number: at, body }),
            Err(failure) => bad.push((at, failure.to_string())),
        }
    }
    let label = |at: usize| numbers.get(at).cloned().unwrap_or_default();
    let all = numbers.join(", ");
    many(verb, desk, &reading, (lines, bad), (&all, &label))
}

/// Signs, judges and hands in; nothing if one act is bad.
fn many(
    verb: &Verb,
    desk: &Desk,
    reading: &Reading,
    (lines, bad): Sorted,
    (file, label): (&str, &dyn Fn(usize) -> String),
) -> Result<u8, Failure> {
    if !bad.is_empty() {
        return Ok(reject((file, label), bad, UNUSABLE));
    }
    for (document, hash) in &reading.documents {
        say(t(
            "act.document",
            &[("file", document.clone()), ("hash", hash.to_hex())],
        ));
    }
    let dry = desk.flags.dry_run;
    let client = desk.client()?;
    // All lines of a verb have one read class, so they number in one lane.
    let place = lines.first().map(|line| desk.place(&client, &line.body));
    let (first, now) = place.transpose()?.unwrap_or_default();
    let (mut run, mut bad) = (Run::default(), Vec::new());
    for (line, sequence) in lines.into_iter().zip(first..) {
        let payload = desk.payload(line.body, sequence, now)?;
        let (payload, judged) = super::judged(desk, &client, payload)?;
        let stands = desk
            .must_hold(&payload, judged.as_ref())
            .and_then(|()| judge::not_in_vain(judged.as_ref(), desk.flags.anyway));
        if let Err(failure) = stands {
            bad.push((line.number, failure.what));
        }
        let lacking = judged.as_ref().and_then(|judged| judged.presumed.as_ref());
        if let Some(presumed) = lacking.filter(|presumed| !presumed.with.is_empty()) {
            let who: Vec<String> = presumed
                .with
                .iter()
                .map(|person| person.0.to_string())
                .collect();
            let facts = [("who", who.join(&t("word.list", &[])))];
            bad.push((line.number, t("batch.lacking", &facts)));
        }
        run.add(line.number, payload, judged.as_ref());
    }
    if !bad.is_empty() {
        return Ok(reject((file, label), bad, REFUSED));
    }
    if dry {
        let facts = [
            ("file", file.to_owned()),
            ("lines", run.payloads.len().to_string()),
        ];
        result(
            t("batch.dry", &facts),
            json!({ "file": file, "lines": run.payloads.len() }),
        );
        return Ok(0);
    }
    run.show(desk);
    consent::ask(desk.global, "consent.run")?;
    let mut records = Vec::new();
    for (number, payload) in run.payloads {
        records.push((number, desk.sign(payload)?));
    }
    // Signed, the lines are judged once more: what is bad now is told before anything is handed in.
    for (number, record) in &records {
        let judged = judge::rehearse(&client, record)?;
        if let Some(sentence) = judged.as_ref().and_then(judge::refused) {
            bad.push((*number, sentence));
        }
    }
    if !bad.is_empty() {
        return Ok(reject((file, label), bad, REFUSED));
    }
    let openings = Left::Openings.place(desk.global)?;
    if let Some(kept) = reading.keep(&verb.name(), &openings)? {
        say(t("opening.kept", &[("file", kept.display().to_string())]));
    }
    hand_in(desk, &client, records, label)
}

/// The acts of a run before they are signed: one screen for all of them.
#[derive(Default)]
struct Run {
    payloads: Vec<(usize, Payload)>,
    /// Sums of the acts' own amounts, by unit; none where nobody told it.
    sums: BTreeMap<Option<Unit>, i128>,
    principal: Option<String>,
}

impl Run {
    fn add(&mut self, number: usize, payload: Payload, judged: Option<&Judgement>) {
        let shown = Shown::of(&payload.body);
        if let Some(amount) = amount_of(&shown) {
            // One unit for all would be a guess: each object has its own.
            *self.sums.entry(super::unit_of(judged)).or_default() += amount;
        }
        if self.principal.is_none() {
            self.principal = judged.map(judge::principal);
        }
        self.payloads.push((number, payload));
    }

    fn show(&self, desk: &Desk) {
        let Some((_, first)) = self.payloads.first() else {
            return;
        };
        let who: Vec<String> = desk
            .signers()
            .iter()
            .map(|(person, _)| person.to_string())
            .collect();
        let facts = [
            ("count", self.payloads.len().to_string()),
            ("act", next::deed_of(&first.body)),
            (
                "principal",
                self.principal
                    .clone()
                    .unwrap_or_else(|| desk.principal.to_string()),
            ),
            ("who", who.join(&t("word.list", &[]))),
        ];
        say(t("screen.run", &facts));
        for (unit, sum) in &self.sums {
            let sum = objects::amount(*sum, unit.as_ref());
            say(t("screen.run-sum", &[("sum", sum)]));
        }
    }
}

/// The act's own amount: the first field of this name.
fn amount_of(value: &Shown) -> Option<i128> {
    match value {
        Shown::Fields(fields) => fields.iter().find_map(|(name, inner)| match inner {
            Shown::Amount(amount) if name == "amount" => Some(*amount),
            inner => amount_of(inner),
        }),
        _ => None,
    }
}

/// Tells every bad line.
fn reject(
    (file, label): (&str, &dyn Fn(usize) -> String),
    bad: Vec<(usize, String)>,
    code: u8,
) -> u8 {
    if output::form() == Form::People {
        bad.iter()
            .for_each(|(line, why)| print(format!("{}: {why}", label(*line))));
    } else {
        let bad: Vec<Value> = bad
            .iter()
            .map(|(line, why)| json!({ "file": file, "line": line, "why": why }))
            .collect();
        print_json(&bad);
    }
    say(t(
        "batch.rejected",
        &[("file", file.to_owned()), ("bad", bad.len().to_string())],
    ));
    code
}

/// Lines that can be used, and what is wrong with the others by line number.
type Sorted = (Vec<Line>, Vec<(usize, String)>);

fn read(verb: &Verb, usual: &Given, file: &str, reading: &mut Reading) -> Result<Sorted, Failure> {
    let bytes = crate::files::read(std::path::Path::new(file))?;
    let unusable = |why: String| {
        Failure::unusable(t("batch.unreadable", &[("file", file.to_owned())]))
            .because(why)
            .next(t("batch.head-next", &[("known", known(verb))]))
    };
    let table = table(&bytes).map_err(|why| unusable(why.sentence()))?;
    let mut head = Vec::new();
    for column in &table.head {
        let name = column.replace('-', "_");
        let field = verb
            .fields
            .iter()
            .map(|field| field.name)
            .find(|known| *known == name);
        let text = verb
            .is_motion()
            .then(|| {
                ["ballot-days", "text"]
                    .into_iter()
                    .find(|known| known == column)
            })
            .flatten();
        let near = suggestion(&name, verb.fields.iter().map(|field| field.name));
        head.push(field.or(text).ok_or_else(|| {
            unusable(t(
                "batch.column",
                &[("column", column.clone()), ("near", near)],
            ))
        })?);
    }
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for row in &table.rows {
        let number = row.line;
        if row.cells.len() != head.len() {
            let facts = [
                ("found", row.cells.len().to_string()),
                ("expected", head.len().to_string()),
            ];
            bad.push((number, t("draft.csv-fields", &facts)));
            continue;
        }
        let cells = head
            .iter()
            .copied()
            .zip(&row.cells)
            .filter(|(_, cell)| !cell.is_empty());
        let given: Vec<(&'static str, String)> = cells
            .map(|(name, cell)| (name, cell.clone()))
            // Flags hold for every line.
            .chain(usual.texts.iter().cloned())
            .collect();
        reading.words.clear();
        match verb.spell(&given, reading) {
            Ok(body) => lines.push(Line { number, body }),
            Err(failure) => {
                let why = failure
                    .why
                    .map(|why| format!(" ({why})"))
                    .unwrap_or_default();
                bad.push((number, format!("{}{why}", failure.what)));
            }
        }
        if lines.len() > LINES_MAX {
            return Err(unusable(t("batch.long", &[("max", LINES_MAX.to_string())])));
        }
    }
    if lines.is_empty() && bad.is_empty() {
        return Err(unusable(t("batch.empty", &[])));
    }
    Ok((lines, bad))
}

fn known(verb: &Verb) -> String {
    verb.fields
        .iter()
        .map(|field| shown(field).trim_start_matches("--").to_lowercase())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Which act a row is of: the line of a file, or the number that was given.
fn cell(label: String) -> String {
    match label.rsplit_once(':') {
        Some((_, line)) => line.to_owned(),
        None => label,
    }
}

/// Hands every record in, then waits for all: one block takes many.
fn hand_in(
    desk: &Desk,
    client: &rollbook_client::client::Client,
    records: Vec<(usize, Record)>,
    label: &dyn Fn(usize) -> String,
) -> Result<u8, Failure> {
    let wait = Wait::of(&desk.flags.submitting);
    let Some((_, first)) = records.first() else {
        return Ok(0);
    };
    let mut trust = receipts::trust_for(desk.global, first, client)?;
    let mut refused: Vec<Option<String>> = Vec::new();
    for (_, record) in &records {
        let problem = rollbook_client::receipts::submit(&mut trust, record)?;
        refused.push(
            problem
                .as_ref()
                .map(|problem| submit::sentence_of(problem, None)),
        );
    }
    let begun = Instant::now();
    let mut rows = Rows::new(&["line", "record", "stands", "height", "leaf", "next"]);
    let mut code = 0;
    for ((line, record), refused) in records.iter().zip(refused) {
        let id = record.id();
        if let Some(sentence) = refused {
            code = REFUSED;
            rows.add([
                cell(label(*line)),
                id.to_hex(),
                "refused".into(),
                String::new(),
                String::new(),
                sentence,
            ]);
            continue;
        }
        let waited = match wait {
            Wait::None => Waited::default(),
            wait => submit::wait_for(client, &id, wait, begun),
        };
        let done = waited.met;
        let place = waited.place;
        let mut stands = place
            .as_ref()
            .map_or(Stands::Pool, |place| place.stands)
            .word();
        let (mut height, mut leaf) = place.map_or((None, None), |place| (place.height, place.leaf));
        if wait != Wait::None && !done {
            code = code.max(NOT_YET);
        }
        if wait == Wait::Receipt && done {
            // Kept with what the nodes signed, not one file a line in the working folder.
            let file = Profiles::of(desk.global)
                .verified(&first.payload.chain)
                .join("receipts")
                .join(format!("{id}.tlog-proof"));
            match receipts::receipt(&mut trust, record, &file) {
                Ok(receipt) => {
                    (height, leaf) = (Some(Height(receipt.height)), Some(receipt.leaf));
                }
                Err(failure) => {
                    code = code.max(failure.exit);
                    say(format!("{}: {}", label(*line), failure.what));
                    stands = "not verified";
                }
            }
        }
        let follows = client
            .json(&format!("/v1/records/{id}/next"))
            .ok()
            .and_then(|answer: Following| answer.next);
        let text = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let follows = follows.as_ref().map(next::sentence).unwrap_or_default();
        rows.add([
            cell(label(*line)),
            id.to_hex(),
            stands.to_owned(),
            text(height.map(|id| id.0)),
            text(leaf),
            follows,
        ]);
    }
    rows.print(desk.global);
    say(t("batch.done", &[("lines", records.len().to_string())]));
    Ok(code)
}
