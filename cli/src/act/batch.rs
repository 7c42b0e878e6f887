//! `--from FILE.csv`: one record a line (RULINGS R23).
//!
//! The head names arguments of the verb, `value-date` or `value_date`; flags of the command line
//! hold for every line. All lines are read, signed and judged first; if one is bad, every bad line
//! is told with its number and nothing is handed in.

use std::time::Instant;

use rollbook_core::record::Record;
use rollbook_proof::number::Height;
use rollbook_wire::next::Following;
use rollbook_wire::record::Stands;
use rollbook_words::catalogue::t;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::submit::{Wait, Waited};
use super::{judge, next, submit};
use crate::failure::{Failure, NOT_YET, REFUSED, UNUSABLE};
use crate::input::problem::suggestion;
use crate::input::table::table;
use crate::output::{self, Form, Rows, print, print_json, result, say};
use crate::profile::Profiles;
use crate::receipts;
use crate::verbs::opening::Reading;
use crate::verbs::{Given, Verb, shown};

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
    if !bad.is_empty() {
        return Ok(reject(file, bad, UNUSABLE));
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
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    for (line, sequence) in lines.into_iter().zip(first..) {
        let record = desk.record(line.body, sequence, now)?;
        let judged = judge::rehearse(&client, &record)?;
        if let Some(sentence) = judged.as_ref().and_then(judge::refused) {
            bad.push((line.number, sentence));
        }
        records.push((line.number, record));
    }
    if !bad.is_empty() {
        return Ok(reject(file, bad, REFUSED));
    }
    if dry {
        let facts = [
            ("file", file.to_owned()),
            ("lines", records.len().to_string()),
        ];
        result(
            t("batch.dry", &facts),
            json!({ "file": file, "lines": records.len() }),
        );
        return Ok(0);
    }
    if let Some(kept) = reading.keep(&verb.name())? {
        say(t("opening.kept", &[("file", kept.display().to_string())]));
    }
    hand_in(desk, &client, records)
}

/// Tells every bad line.
fn reject(file: &str, bad: Vec<(usize, String)>, code: u8) -> u8 {
    if output::form() == Form::People {
        bad.iter()
            .for_each(|(line, why)| print(format!("{file}:{line}: {why}")));
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
        let given: Vec<(&str, String)> = cells
            .map(|(name, cell)| (name, cell.clone()))
            // Flags hold for every line.
            .chain(usual.texts.iter().cloned())
            .collect();
        match verb.spell(&given, Map::new(), reading) {
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

/// Hands every record in, then waits for all: one block takes many.
fn hand_in(
    desk: &Desk,
    client: &rollbook_client::client::Client,
    records: Vec<(usize, Record)>,
) -> Result<u8, Failure> {
    let wait = Wait::of(&desk.flags.submitting);
    let Some((_, first)) = records.first() else {
        return Ok(0);
    };
    let mut trust = receipts::trust_for(desk.global, first, client)?;
    let mut refused: Vec<Option<String>> = Vec::new();
    for (_, record) in &records {
        let problem = rollbook_client::receipts::submit(&mut trust, record)?;
        refused.push(problem.as_ref().map(submit::sentence_of));
    }
    let begun = Instant::now();
    let mut rows = Rows::new(&["line", "record", "stands", "height", "leaf", "next"]);
    let mut code = 0;
    for ((line, record), refused) in records.iter().zip(refused) {
        let id = record.id();
        if let Some(sentence) = refused {
            code = REFUSED;
            rows.add([
                line.to_string(),
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
                    say(format!("{line}: {}", failure.what));
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
            line.to_string(),
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
