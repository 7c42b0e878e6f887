//! What an argument wants: its hint in help, the words that say what is accepted, a text that is of
//! its kind.

use rollbook_words::catalogue::t;

use super::{Field, Kind};
use crate::objects::KINDS;

/// An argument as it stands on the command line: `MOTION`, `--ballot-days`.
pub fn shown(field: &Field) -> String {
    if field.positional {
        field.name.to_uppercase()
    } else {
        format!("--{}", flag(field.name))
    }
}

/// The name of an argument in files, and after `--`: `value-date`.
pub(super) fn flag(name: &str) -> String {
    name.replace('_', "-")
}

/// Hint of the command line.
pub(super) fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Number | Kind::Id(_) => "N",
        Kind::Money => "AMOUNT",
        Kind::Points => "POINTS",
        Kind::Height => "HEIGHT",
        Kind::Instant => "INSTANT",
        Kind::Text => "TEXT",
        Kind::Hash => "@FILE",
        Kind::Record => "ID",
        Kind::Sealed => "@FILE",
        Kind::Day => "YYYY-MM-DD",
        Kind::Choice(_) => "WORD",
        Kind::List => "A,B,..",
        Kind::Numbers => "N,N,..",
        Kind::Bytes => "HEX",
        Kind::Json => "JSON",
        Kind::Form(form) => form.hint,
    }
}

/// Key of the words that say what a kind accepts, under `form`.
fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::Id(of) if letter(of).is_some() => "id",
        Kind::Id(_) => "id-plain",
        Kind::Money => "money",
        Kind::Points => "points",
        Kind::Height => "height",
        Kind::Instant => "instant",
        Kind::Text => "text",
        Kind::Hash => "hash",
        Kind::Record => "record",
        Kind::Sealed => "sealed",
        Kind::Day => "day",
        Kind::Choice(_) => "choice-of",
        Kind::List => "list",
        Kind::Numbers => "numbers",
        Kind::Bytes => "bytes",
        Kind::Json => "json",
        Kind::Form(form) => form.name,
    }
}

/// What a kind accepts, in words.
pub(super) fn accepted(kind: Kind) -> String {
    let mut facts = Vec::new();
    if let Kind::Id(of) = kind {
        facts.push(("object", t(&format!("object.{of}"), &[])));
        facts.extend(letter(of).map(|letter| ("letter", letter.to_string())));
    }
    if let Kind::Choice(words) = kind {
        facts.push(("known", words.join(", ")));
        facts.push(("near", String::new()));
    }
    t(&format!("form.{}", key(kind)), &facts)
}

/// The letter of the short ids of a kind of object, if it has one.
pub(super) fn letter(of: &str) -> Option<&'static str> {
    let kind = KINDS.iter().find(|kind| kind.table == of)?;
    Some(kind.letter)
}

/// A text of this kind, as a template shows it.
pub(super) fn sample(field: &Field) -> String {
    match (field.name, field.kind) {
        ("deputy" | "to", _) => return "8".into(),
        ("reference", _) => return "BOC-20261124-01".into(),
        ("end_to_end", _) => return "PAY-2026-0001".into(),
        // The one scheme of the list that has a UETR.
        ("scheme", _) => return "swift".into(),
        ("uetr", _) => return "7a1f0c3e-5b7d-4e2a-9c44-000000000001".into(),
        ("release", _) => return "0.2.0".into(),
        ("year", _) => return "2027".into(),
        // A correction says something else than what it corrects.
        ("should_read", _) => return "AC05".into(),
        ("replaces", Kind::List) => return "ab".repeat(32),
        ("closes_day", _) => return "2026-12-24".into(),
        _ => {}
    }
    match field.kind {
        Kind::Number => "7".into(),
        Kind::Id(of) => letter(of).map_or_else(|| "7".to_owned(), |letter| format!("{letter}-7")),
        Kind::Money => "90,000.00".into(),
        Kind::Points => "12".into(),
        Kind::Height => "1,000".into(),
        Kind::Instant => "2026-11-24T10:00:00+08:00".into(),
        Kind::Text => "AC04".into(),
        Kind::Hash => format!("@{}.pdf", flag(field.name)),
        Kind::Sealed => format!("@{}.txt", flag(field.name)),
        Kind::Record | Kind::Bytes => "ab".repeat(32),
        Kind::Day => "2026-11-24".into(),
        Kind::Choice(words) => words.first().copied().unwrap_or_default().to_owned(),
        Kind::List => "first-code,second-code".into(),
        Kind::Numbers => "3,9,18,29,31".into(),
        Kind::Json => field.usual.unwrap_or("null").into(),
        Kind::Form(form) => form.sample.into(),
    }
}
