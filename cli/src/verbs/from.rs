//! `--from FILE.toml`: one act as a file, and `--template`, the file to fill in.
//!
//! * A file names the arguments as the command line does (`value-date`; `value_date` is read too),
//!   and every value is written as on the command line: amounts as amounts, dates as dates, `@FILE`
//!   from the folder of the file. Numbers and dates may stand without quotation marks; a list may be
//!   a TOML array.
//! * Everything that is wrong is told with its line: unknown names with the nearest known one,
//!   values that cannot be read, what is missing.

use std::fmt::Write as _;
use std::rc::Rc;

use rollbook_words::catalogue::{find, t};
use toml::de::DeValue;

use super::hints::{accepted, flag, sample};
use super::spell::Faults;
use super::{Kind, Verb};
use crate::failure::Failure;
use crate::files;
use crate::input::problem::{Place, Problem, Report, suggestion};
use crate::input::text::text;
use crate::input::toml_file::TomlFile;

/// An argument that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The argument.
    pub name: &'static str,
    /// Its value as the command line would have it.
    pub text: String,
    /// Its line.
    pub line: Option<usize>,
}

/// What a file says, and what is wrong with it before any value is read.
#[derive(Debug, Default)]
pub struct Read {
    /// The arguments.
    pub entries: Vec<Entry>,
    /// Names that no argument has, values that are neither text, number, date nor list.
    pub problems: Vec<Problem>,
}

/// The arguments that a file of a verb may name.
pub fn names(verb: &Verb) -> Vec<&'static str> {
    let fields = verb.fields.iter().map(|field| field.name);
    let motion = verb.is_motion().then_some(["ballot-days", "text"]);
    fields.chain(motion.into_iter().flatten()).collect()
}

/// Reads a file of one act. Fails where it is no TOML at all.
pub fn read(verb: &Verb, file: &str) -> Result<Read, Failure> {
    let unreadable = || {
        Failure::unusable(t("verb.file", &[("file", file.to_owned())]))
            .next(t("verb.file-next", &[]))
    };
    let bytes = files::read(std::path::Path::new(file))?;
    let text = text(&bytes).map_err(|why| unreadable().because(why.sentence()))?;
    let mut report = Report::default();
    let place: Rc<str> = file.into();
    let Some(parsed) = TomlFile::parse(place.clone(), &text, &mut report) else {
        let why: Vec<String> = report.errors.iter().map(Problem::to_string).collect();
        return Err(unreadable().because(why.join("; ")));
    };
    let known = names(verb);
    let mut read = Read::default();
    for entry in parsed.root().entries() {
        let found = known
            .iter()
            .find(|name| flag(name) == entry.key || **name == entry.key);
        let Some(name) = found.copied() else {
            let flags: Vec<String> = known.iter().map(|name| flag(name)).collect();
            let near = suggestion(&entry.key, flags.iter().map(String::as_str));
            let facts = [("column", entry.key.clone()), ("near", near)];
            read.problems
                .push(problem(&entry.place, t("batch.column", &facts)));
            continue;
        };
        match text_of(entry.value, is_json(verb, name)) {
            Some(text) => read.entries.push(Entry {
                name,
                text,
                line: entry.place.line,
            }),
            None => {
                let facts = [("argument", entry.key.clone())];
                read.problems
                    .push(problem(&entry.place, t("from.no-text", &facts)));
            }
        }
    }
    Ok(read)
}

fn is_json(verb: &Verb, name: &str) -> bool {
    let mut fields = verb.fields.iter();
    fields.any(|field| field.name == name && field.kind == Kind::Json)
}

fn problem(place: &Place, text: String) -> Problem {
    Problem {
        file: place.file.to_string(),
        line: place.line,
        code: "from",
        text: text.trim_end().to_owned(),
    }
}

/// A value as the command line would have it; none if it has no such form.
fn text_of(value: &DeValue, json: bool) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        // As it was written: 90000.50 is an amount, never a fraction of the machine.
        DeValue::Float(number) => Some(number.as_str().replace('_', "")),
        DeValue::Datetime(date) => Some(date.to_string()),
        DeValue::Array(items) if !json => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::Array(_) | DeValue::Table(_) => None,
                    item => text_of(item, false),
                })
                .collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

/// Everything that is wrong with a file, by line.
pub fn failure(file: &str, read: Read, faults: Faults) -> Failure {
    let mut problems = read.problems;
    let mut exit = crate::failure::UNUSABLE;
    for (name, failure) in faults {
        let line = read
            .entries
            .iter()
            .find(|entry| entry.name == name)
            .and_then(|entry| entry.line);
        if problems.is_empty() {
            exit = failure.exit;
        }
        let why = failure.why.map(|why| format!(" ({why})"));
        problems.push(Problem {
            file: file.to_owned(),
            line,
            code: "from",
            text: format!("{}{}", failure.what, why.unwrap_or_default()),
        });
    }
    problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    let count = problems.len().to_string();
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    let facts = [("file", file.to_owned()), ("count", count)];
    let mut failure = Failure::unusable(t("from.bad", &facts))
        .because(lines.join("\n  "))
        .next(t("from.bad-next", &facts));
    failure.exit = exit;
    failure
}

/// A file to fill in: every argument with what it wants, in words, and an example. What may be left
/// out stands behind `#`.
pub fn template(verb: &Verb) -> String {
    let mut text = String::new();
    let path = format!("help.rollbook.{}.{}", verb.path.0, verb.path.1);
    let name = verb.name();
    let about = t(&format!("{path}.about"), &[]);
    comment(&mut text, &about);
    let file = format!("{}.toml", name.replace(' ', "-"));
    comment(
        &mut text,
        &t("from.head", &[("command", name), ("file", file)]),
    );
    let mut entry = |name: &str, wants: String, note: Option<&str>, example: String| {
        let help = find(&format!("{path}.{name}"), &[])
            .or_else(|| find(&format!("help.field.{name}"), &[]))
            .unwrap_or_default();
        text.push('\n');
        comment(&mut text, &help);
        comment(&mut text, &wants);
        if let Some(note) = note {
            comment(&mut text, &t(note, &[]));
        }
        let mark = if note.is_some() { "#" } else { "" };
        let _ = writeln!(text, "{mark}{} = {}", flag(name), quoted(&example));
    };
    for field in verb.fields {
        let note = match (field.known, field.optional) {
            (true, _) => Some("from.known"),
            (_, true) => Some("from.optional"),
            _ => None,
        };
        entry(field.name, accepted(field.kind), note, sample(field));
    }
    if verb.is_motion() {
        entry(
            "text",
            accepted(Kind::Hash),
            None,
            "@explanation.txt".into(),
        );
        entry(
            "ballot-days",
            accepted(Kind::Number),
            Some("from.optional"),
            verb.ballot_days.to_string(),
        );
    }
    text
}

fn comment(text: &mut String, words: &str) {
    for line in words.lines() {
        let _ = writeln!(text, "# {line}");
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
