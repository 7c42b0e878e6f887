//! Many acts of one verb: `--from FILE.csv`, one record a line (RULINGS R23), and several numbers
//! where one would stand (`motion vote V-1,V-2 yes`), one record each.
//!
//! The head names arguments of the verb, `value-date` or `value_date`; flags of the command line
//! hold for every line. All lines are read, signed and judged first; if one is bad, every bad line
//! is told with its number and nothing is handed in. Many acts are one [`Run`]: the same file again
//! goes on where the last command ended (RULINGS A60).

use std::collections::BTreeMap;
use std::time::Instant;

use rollbook_client::client::Client;
use rollbook_client::receipts::NoAnswer;
use rollbook_client::trust::Trust;
use rollbook_core::account::Unit;
use rollbook_core::record::{Payload, Record};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::Height;
use rollbook_wire::judgement::Judgement;
use rollbook_wire::next::Following;
use rollbook_wire::record::Stands;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use super::desk::Desk;
use super::outbox::{Fate, fate, is_over};
use super::run::{Made, Run, Whose};
use super::submit::{Wait, Waited};
use super::{judge, next, run, submit};
use crate::failure::{Failure, NOT_YET, REFUSED, UNREACHABLE, UNUSABLE, UNWRITTEN};
use crate::input::problem::suggestion;
use crate::input::table::table;
use crate::interrupt::watch;
use crate::output::{self, Form, Rows, print, print_json, result, say};
use crate::profile::{Left, Profiles};
use crate::shown::Shown;
use crate::verbs::opening::Reading;
use crate::verbs::{Given, Kind, Verb, shown};
use crate::{consent, objects, receipts};

/// Most lines of one file.
const LINES_MAX: usize = 2_000;

/// Records of a run that are handed in before one is waited for: their numbers are used in any order,
/// and none may fall out of the window below the highest ([`rollbook_core::object::lane::Lane`]).
const PIECE: usize = 128;

/// A line with the act it spells.
struct Line {
    number: usize,
    body: rollbook_core::record::Body,
}

/// Runs a verb for every line of a file.
pub fn run(verb: &Verb, desk: &Desk, given: &Given, file: &str) -> Result<u8, Failure> {
    let mut reading = desk.reading();
    reading.opening = given.opening.clone();
    let bytes = crate::files::read(std::path::Path::new(file))?;
    let sorted = read(verb, given, (file, &bytes), &mut reading)?;
    let label = |line: usize| format!("{file}:{line}");
    let name = (file, bytes.as_slice(), given);
    many(verb, desk, &reading, sorted, (name, &label))
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
    let name = (all.as_str(), all.as_bytes(), given);
    many(verb, desk, &reading, (lines, bad), (name, &label))
}

/// How the acts are named: the file or the numbers, what they are made of, the flags for all.
type Named<'a> = (&'a str, &'a [u8], &'a Given);

/// Signs, judges and hands in; nothing if one act is bad.
fn many(
    verb: &Verb,
    desk: &Desk,
    reading: &Reading,
    (lines, bad): Sorted,
    ((file, bytes, given), label): (Named, &dyn Fn(usize) -> String),
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
    let client = desk.client()?;
    if desk.flags.dry_run {
        let (acts, bad) = judged(desk, &client, lines)?;
        if !bad.is_empty() {
            return Ok(reject((file, label), bad, REFUSED));
        }
        let facts = [
            ("file", file.to_owned()),
            ("lines", acts.payloads.len().to_string()),
        ];
        result(
            t("batch.dry", &facts),
            json!({ "file": file, "lines": acts.payloads.len() }),
        );
        return Ok(0);
    }
    let acts: BTreeMap<usize, _> = lines
        .iter()
        .map(|line| (line.number, run::act_of(&line.body)))
        .collect();
    let pairs = given.texts.iter();
    let usual: String = pairs
        .map(|(name, text)| format!("{name}\u{0}{text}\u{0}"))
        .collect();
    let name = verb.name();
    let whose = Whose {
        file,
        usual: &usual,
        verb: &name,
        principal: desk.principal,
        chain: desk.chain()?,
    };
    let mut run = Run::of(desk.global, whose, bytes, &acts, desk.flags.again)?;
    look_up(&mut run, &client, &lines)?;
    let is_new = |line: &Line| run.line(line.number).record.is_none();
    let (new, made): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(is_new);
    let numbers = |lines: &[Line]| lines.iter().map(|line| line.number).collect::<Vec<_>>();
    let (new_numbers, mut all) = (numbers(&new), numbers(&made));
    let is_in = |run: &Run, all: &[usize]| all.iter().all(|line| run.line(*line).height.is_some());
    if new.is_empty() && is_in(&run, &all) {
        told_before(&run, &all, label).print(desk.global);
        let facts = [("file", file.to_owned()), ("lines", all.len().to_string())];
        if !run.is_finished() {
            run.finish();
            say(t("batch.done", &facts));
            return Ok(0);
        }
        consent::again(&t("run.all-in", &facts))?;
        drop(run);
        let mut again = desk.flags.clone();
        again.again = true;
        // Everything is made anew, with what the ledger knows now.
        let desk = Desk::of(desk.global, &again, Some(desk.principal))?;
        return match several(verb, given) {
            Some(numbers) => run_each(verb, &desk, given, numbers),
            None => self::run(verb, &desk, given, file),
        };
    }
    if !new.is_empty() {
        let records = match signed(desk, &client, new)? {
            Ok(records) => records,
            Err(bad) => return Ok(reject((file, label), bad, REFUSED)),
        };
        let openings = Left::Openings.place(desk.global)?;
        if let Some(kept) = reading.keep(&verb.name(), &openings)? {
            say(t("opening.kept", &[("file", kept.display().to_string())]));
        }
        run.signed(&records)?;
    }
    all.extend(new_numbers);
    all.sort_unstable();
    hand_in(desk, &client, (&mut run, &all), (file, label))
}

/// Asks for the fate of what an earlier command signed: what was refused or is over is made anew.
fn look_up(run: &mut Run, client: &Client, lines: &[Line]) -> Result<(), Failure> {
    for line in lines {
        let made = run.line(line.number);
        let Some(record) = made.record.filter(|_| made.height.is_none()) else {
            continue;
        };
        let id = record.id();
        match fate(client, &id) {
            Fate::Recorded(place) => {
                let height = place.height.map_or(0, |height| height.0);
                run.recorded(line.number, id, height);
            }
            Fate::Left(_) => run.refused(line.number, id),
            Fate::Nowhere if is_over(client, &record).is_some() => run.refused(line.number, id),
            Fate::Waits(_) | Fate::Nowhere => {}
            Fate::Unknown => {
                return Err(Failure::unreachable(t("client.unreachable", &[]))
                    .next(t("client.unreachable-next", &[])));
            }
        }
    }
    Ok(())
}

/// The acts of lines as a node judges them, and the bad lines.
fn judged(
    desk: &Desk,
    client: &Client,
    lines: Vec<Line>,
) -> Result<(Acts, Vec<(usize, String)>), Failure> {
    let now = match lines.first() {
        Some(_) => desk.now(client)?,
        None => 0,
    };
    let (mut acts, mut bad) = (Acts::default(), Vec::new());
    for line in lines {
        // No number is taken for what is only judged.
        let payload = desk.payload(line.body, 0, now)?;
        let (payload, judged) = super::judged(desk, client, payload)?;
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
        acts.add(line.number, payload, judged.as_ref());
    }
    Ok((acts, bad))
}

/// Records signed, or the bad lines.
type Signed = Result<Vec<(usize, Record)>, Vec<(usize, String)>>;

/// Shows the acts of new lines, asks, numbers and signs them; or the bad lines.
fn signed(desk: &Desk, client: &Client, lines: Vec<Line>) -> Result<Signed, Failure> {
    let (acts, mut bad) = judged(desk, client, lines)?;
    if !bad.is_empty() {
        return Ok(Err(bad));
    }
    acts.show(desk);
    consent::ask(desk.global, "consent.run")?;
    let Some((_, first)) = acts.payloads.first() else {
        return Ok(Ok(Vec::new()));
    };
    // All lines of a verb have one read class, so they number in one lane.
    let count = acts.payloads.len() as u64;
    let numbers = desk.numbers(client, &first.body, count)?;
    let mut records = Vec::new();
    for ((line, mut payload), number) in acts.payloads.into_iter().zip(numbers..) {
        payload.sequence = number;
        records.push((line, desk.sign(payload)?));
    }
    // Signed, the lines are judged once more: what is bad now is told before anything is handed in.
    for (number, record) in &records {
        let judged = judge::rehearse(client, record)?;
        let refused = judged.as_ref().filter(|judged| {
            // A number that somebody else took meanwhile is taken anew at the handing in.
            let rule = judged.rule.as_deref().unwrap_or_default();
            !submit::SPENT.contains(&rule)
        });
        if let Some(sentence) = refused.and_then(judge::refused) {
            bad.push((*number, sentence));
        }
    }
    Ok(if bad.is_empty() {
        Ok(records)
    } else {
        Err(bad)
    })
}

/// The acts of a run before they are signed: one screen for all of them.
#[derive(Default)]
struct Acts {
    payloads: Vec<(usize, Payload)>,
    /// Sums of the acts' own amounts, by unit; none where nobody told it.
    sums: BTreeMap<Option<Unit>, i128>,
    principal: Option<String>,
}

impl Acts {
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

fn read(
    verb: &Verb,
    usual: &Given,
    (file, bytes): (&str, &[u8]),
    reading: &mut Reading,
) -> Result<Sorted, Failure> {
    let unusable = |why: String| {
        Failure::unusable(t("batch.unreadable", &[("file", file.to_owned())]))
            .because(why)
            .next(t("batch.head-next", &[("known", known(verb))]))
    };
    let table = table(bytes).map_err(|why| unusable(why.sentence()))?;
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

/// Rows of a run: what became of each line.
fn rows() -> Rows {
    Rows::new(&["line", "record", "stands", "height", "leaf", "next"])
}

/// What an earlier command brought in. What follows has changed since; `status` tells it.
fn told_before(run: &Run, all: &[usize], label: &dyn Fn(usize) -> String) -> Rows {
    let mut told = rows();
    for line in all {
        told.add(row_of_known(label(*line), &run.line(*line)));
    }
    told
}

fn row_of_known(label: String, made: &Made) -> [String; 6] {
    let id = made.record.as_ref().map(|record| record.id().to_hex());
    [
        cell(label),
        id.unwrap_or_default(),
        Stands::Decided.word().to_owned(),
        made.height
            .map(|height| height.to_string())
            .unwrap_or_default(),
        String::new(),
        t("run.in-before", &[]),
    ]
}

/// Hands in what is not in yet, piece by piece, and waits: one block takes many, and no number falls
/// too far below the highest one.
fn hand_in(
    desk: &Desk,
    client: &Client,
    (run, all): (&mut Run, &[usize]),
    (file, label): (&str, &dyn Fn(usize) -> String),
) -> Result<u8, Failure> {
    let open = |run: &Run, line: usize| {
        let made = run.line(line);
        made.record.filter(|_| made.height.is_none())
    };
    let Some(first) = all.iter().find_map(|line| open(run, *line)) else {
        return Ok(0);
    };
    let mut trust = receipts::trust_for(desk.global, &first, client)?;
    let facts = [("file", file.to_owned())];
    let not_known =
        || Failure::not_yet(t("run.not-known", &facts)).next(t("run.not-known-next", &facts));
    let _watching = watch(not_known());
    let wait = Wait::of(&desk.flags.submitting);
    let (mut told, mut code) = (rows(), 0);
    let (mut stopped, mut sent): (Option<Failure>, bool) = (None, false);
    for (at, piece) in all.chunks(PIECE).enumerate() {
        let is_last = (at + 1) * PIECE >= all.len();
        let mut answers = Vec::new();
        for line in piece {
            let answer = match open(run, *line) {
                None => Answer::Known,
                Some(_) if stopped.is_some() => Answer::Open,
                Some(record) => match give(desk, client, &mut trust, run, (*line, record)) {
                    Ok(answer) => {
                        sent = true;
                        answer
                    }
                    Err(no_answer) => {
                        if !sent && !no_answer.may_have_arrived {
                            return Err(
                                Failure::from(no_answer.error).next(t("run.nothing-sent", &facts))
                            );
                        }
                        stopped = Some(no_answer.error.into());
                        Answer::Open
                    }
                },
            };
            answers.push((*line, answer));
        }
        let wait = match wait {
            // The numbers of the next piece must not be too far above these.
            Wait::None if !is_last => Wait::Decided,
            wait => wait,
        };
        let begun = Instant::now();
        for (line, answer) in answers {
            let (row, of_line) = settle(
                desk,
                (client, &mut trust),
                run,
                (line, answer),
                (wait, begun, &mut stopped),
                label,
            );
            told.add(row);
            code = code.max(of_line);
        }
    }
    told.print(desk.global);
    if let Some(failure) = stopped {
        return Err(not_known().because(failure));
    }
    if all.iter().all(|line| run.line(*line).height.is_some()) {
        run.finish();
    }
    say(t("batch.done", &[("lines", all.len().to_string())]));
    Ok(code)
}

/// What a node answered to a line's record.
enum Answer {
    /// It was in before.
    Known,
    /// It was taken, or it is not known whether.
    Open,
    /// It was refused.
    Refused(Hash, String),
}

/// Hands a line's record in; with the next number, if another record has its own.
fn give(
    desk: &Desk,
    client: &Client,
    trust: &mut Trust,
    run: &mut Run,
    (line, mut record): (usize, Record),
) -> Result<Answer, NoAnswer> {
    for _ in 0..super::NUMBERS {
        let handed = rollbook_client::receipts::submit(trust, &record)?;
        let Some(problem) = handed.refused else {
            return Ok(Answer::Open);
        };
        let id = record.id();
        let sentence = submit::sentence_of(&problem, None);
        if !submit::SPENT.contains(&problem.code.as_str()) {
            run.refused(line, id);
            return Ok(Answer::Refused(id, sentence));
        }
        let body = record.payload.body.clone();
        let again = desk.numbers(client, &body, 1).and_then(|number| {
            let mut payload = record.payload.clone();
            payload.sequence = number;
            let signed = desk.sign(payload)?;
            run.refused(line, id);
            run.signed(&[(line, signed.clone())])?;
            Ok(signed)
        });
        match again {
            Ok(signed) => record = signed,
            Err(failure) => return Ok(Answer::Refused(id, format!("{sentence}; {failure}"))),
        }
    }
    let id = record.id();
    run.refused(line, id);
    Ok(Answer::Refused(id, t("run.numbers", &[])))
}

/// Waits for a line, notes what became of it, and tells it: its row and its exit code.
fn settle(
    desk: &Desk,
    (client, trust): (&Client, &mut Trust),
    run: &mut Run,
    (line, answer): (usize, Answer),
    (wait, begun, stopped): (Wait, Instant, &mut Option<Failure>),
    label: &dyn Fn(usize) -> String,
) -> ([String; 6], u8) {
    let made = run.line(line);
    let refused = |id: &Hash, sentence: String| {
        let row = [
            cell(label(line)),
            id.to_hex(),
            "refused".to_owned(),
            String::new(),
            String::new(),
            sentence,
        ];
        (row, REFUSED)
    };
    let record = match (answer, &made.record) {
        (Answer::Refused(id, sentence), _) => return refused(&id, sentence),
        (Answer::Known, _) | (_, None) => return (row_of_known(label(line), &made), 0),
        (Answer::Open, Some(record)) => record,
    };
    let id = record.id();
    let mut row = [
        cell(label(line)),
        id.to_hex(),
        Stands::Pool.word().to_owned(),
        String::new(),
        String::new(),
        String::new(),
    ];
    if stopped.is_some() {
        row[2] = t("run.word-not-known", &[]);
        return (row, NOT_YET);
    }
    if wait == Wait::None {
        return (row, 0);
    }
    let place = match submit::wait_for(client, record, wait, begun) {
        Waited::Met(place) => place,
        Waited::Decided(place) => {
            row[2] = place.stands.word().to_owned();
            row[3] = place
                .height
                .map(|height| height.0.to_string())
                .unwrap_or_default();
            run.recorded(line, id, place.height.map_or(0, |height| height.0));
            return (row, NOT_YET);
        }
        Waited::Refused(sentence) => {
            run.refused(line, id);
            return refused(&id, sentence);
        }
        Waited::Unknown(why) => {
            let silent = Failure::unreachable(t("client.unreachable", &[]));
            if why.is_none() {
                *stopped = Some(silent);
            }
            row[2] = t("run.word-not-known", &[]);
            row[5] = why.unwrap_or_default();
            return (row, NOT_YET);
        }
    };
    run.recorded(line, id, place.height.map_or(0, |height| height.0));
    let (mut height, mut leaf, mut code) = (place.height, place.leaf, 0);
    row[2] = place.stands.word().to_owned();
    if wait == Wait::Receipt {
        // Kept with what the nodes signed, not one file a line in the working folder.
        let file = Profiles::of(desk.global)
            .verified(&record.payload.chain)
            .join("receipts")
            .join(format!("{id}.tlog-proof"));
        match receipts::receipt(trust, record, &file) {
            Ok(receipt) => (height, leaf) = (Some(Height(receipt.height)), Some(receipt.leaf)),
            Err(failure) => {
                // It is recorded all the same.
                code = match failure.exit {
                    REFUSED => REFUSED,
                    UNREACHABLE | NOT_YET => NOT_YET,
                    _ => UNWRITTEN,
                };
                say(format!("{}: {}", label(line), failure.what));
                row[2] = "not verified".to_owned();
            }
        }
    }
    let follows = client
        .json(&format!("/v1/records/{id}/next"))
        .ok()
        .and_then(|answer: Following| answer.next);
    row[3] = height
        .map(|height| height.0.to_string())
        .unwrap_or_default();
    row[4] = leaf.map(|leaf| leaf.to_string()).unwrap_or_default();
    row[5] = follows.as_ref().map(next::sentence).unwrap_or_default();
    (row, code)
}
