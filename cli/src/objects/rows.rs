//! Values as people read them in tables: labels, fixed words, amounts with their unit, one cell each.

use rollbook_core::account::Unit;
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::Short;
use rollbook_words::catalogue::{FACT_TABLES, find as find_words, in_words, t};
use rollbook_words::dates::instant;

use super::{KINDS, both_names};
use crate::shown::Shown;

/// An amount: in its unit, or said to be in the smallest there is where nobody knows the unit.
pub fn amount(minor: i128, unit: Option<&Unit>) -> String {
    match unit {
        Some(unit) => unit.money(minor).to_string(),
        None => t("money.smallest", &[("minor", minor.to_string())]),
    }
}

/// A value as rows of label and text, for a table: the columns of its kind first, what is empty
/// left out.
pub fn rows(path: &str, value: &Shown, unit: Option<&Unit>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let kind = KINDS.iter().find(|kind| {
        path.split_once('/')
            .is_some_and(|(table, _)| table == kind.table)
    });
    let first: Vec<&str> = kind
        .into_iter()
        .flat_map(|kind| kind.columns)
        .filter_map(|column| column.split('.').next())
        .collect();
    match value {
        Shown::Fields(fields) => {
            let mut fields: Vec<&(String, Shown)> =
                fields.iter().filter(|(name, _)| name != "number").collect();
            fields.sort_by_key(|(name, _)| {
                first
                    .iter()
                    .position(|known| known == name)
                    .unwrap_or(first.len())
            });
            fields
                .into_iter()
                .for_each(|(name, value)| walk(&label(name), name, value, unit, &mut rows));
        }
        other => walk("", "", other, unit, &mut rows),
    }
    rows
}

fn label(key: &str) -> String {
    find_words(&format!("field.{key}"), &[]).unwrap_or_else(|| {
        let words = plain(key);
        // What a motion does is named as its kind is, where both have one name.
        in_words("motion-kind", &words.replace(' ', "-")).replace('-', " ")
    })
}

/// A name of the sources as words: `GrantAward` is `grant award`, `due_ms` is `due`.
pub fn plain(name: &str) -> String {
    let name = name.strip_suffix("_ms").unwrap_or(name);
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words.replace(['_', '-'], " ")
}

/// A fixed word of core in the reader's language, by the field that holds it. Other texts stay.
fn fixed(key: &str, text: &str) -> String {
    let table = match key {
        "state" | "status" | "standing" => "state".to_owned(),
        "kind" => "motion-kind".to_owned(),
        key => key.replace('_', "-"),
    };
    if table == "state" || FACT_TABLES.contains(&table.as_str()) {
        in_words(&table, text)
    } else {
        text.to_owned()
    }
}

fn walk(
    prefix: &str,
    key: &str,
    value: &Shown,
    unit: Option<&Unit>,
    rows: &mut Vec<(String, String)>,
) {
    if value.is_empty() {
        return;
    }
    if let Some(text) = word(key, value, unit) {
        rows.push((prefix.to_owned(), text));
        return;
    }
    let mut inner = |name: &str, value: &Shown| {
        let label = label(name);
        let prefix = if prefix.is_empty() {
            label
        } else {
            format!("{prefix} / {label}")
        };
        walk(&prefix, name, value, unit, rows);
    };
    match value {
        Shown::Fields(fields) => fields.iter().for_each(|(name, value)| inner(name, value)),
        Shown::List(items) => (1..)
            .zip(items)
            .for_each(|(number, value)| inner(&number.to_string(), value)),
        _ => {}
    }
}

/// A value that fits one cell. The key picks the layout of what has several parts, never the
/// meaning of a number.
pub fn word(key: &str, value: &Shown, unit: Option<&Unit>) -> Option<String> {
    match value {
        Shown::Nothing => Some("-".to_owned()),
        Shown::Bool(yes) => Some(t(if *yes { "word.yes" } else { "word.no" }, &[])),
        Shown::Text(text) => Some(fixed(key, text)),
        Shown::Number(number) => Some(number.to_string()),
        Shown::Id(letter, number) => Some(Short(*letter, *number).to_string()),
        Shown::Time(ms) => Some(instant(ms / 1_000)),
        // Beyond the years that a date has, the number of the day.
        Shown::Day(day) if (-1_000_000..4_000_000).contains(day) => {
            Some(LocalDay(*day).to_string())
        }
        Shown::Day(day) => Some(day.to_string()),
        Shown::Amount(minor) => Some(amount(*minor, unit)),
        Shown::List(items) => words(items, unit),
        Shown::Fields(fields) => compound(key, value, fields, unit),
    }
}

/// Short lists: bytes as hexadecimal, others by commas.
fn words(items: &[Shown], unit: Option<&Unit>) -> Option<String> {
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| match item {
            Shown::Number(number) => u8::try_from(*number).ok(),
            _ => None,
        })
        .collect();
    if let Some(bytes) = bytes.filter(|bytes| bytes.len() >= 16) {
        return Some(hex::encode(bytes));
    }
    let plain = |item: &Shown| match item {
        Shown::List(pair)
            if pair
                .iter()
                .all(|part| !matches!(part, Shown::List(_) | Shown::Fields(_))) =>
        {
            let parts: Vec<String> = pair
                .iter()
                .filter_map(|part| word("", part, unit))
                .collect();
            Some(parts.join(" "))
        }
        Shown::List(_) => None,
        Shown::Fields(fields) if fields.len() != 1 => None,
        item => word("", item, unit),
    };
    items
        .iter()
        .map(plain)
        .collect::<Option<Vec<String>>>()
        .map(|words| words.join(", "))
}

/// Small objects that read better in one cell.
fn compound(
    key: &str,
    value: &Shown,
    fields: &[(String, Shown)],
    unit: Option<&Unit>,
) -> Option<String> {
    let has = |names: &[&str]| {
        fields.len() == names.len() && names.iter().all(|name| value.field(name).is_some())
    };
    let text = |value: Option<&Shown>| {
        value
            .and_then(|value| word("", value, unit))
            .unwrap_or_default()
    };
    let part = |name: &str| text(value.field(name));
    if has(&["native", "latin"]) {
        return Some(both_names(&part("native"), &part("latin")));
    }
    if has(&["n", "d"]) {
        return Some(format!("{}/{}", part("n"), part("d")));
    }
    for (name, short) in [("days", "d"), ("hours", "h")] {
        if has(&[name]) {
            return Some(format!("{} {short}", part(name)));
        }
    }
    if key == "tally"
        && let Some(counts) = value.field("counts")
    {
        let count = |name: &str| format!("{} {}", label(name), text(counts.field(name)));
        let counts = ["yes", "no", "abstain", "recused", "electorate"]
            .map(count)
            .join(", ");
        return Some(format!("{}: {counts}", part("outcome")));
    }
    if key == "rule"
        && let Some(threshold) = value.field("pass").and_then(|pass| pass.field("threshold"))
    {
        let sign = if threshold.field("strict") == Some(&Shown::Bool(true)) {
            ">"
        } else {
            ">="
        };
        let share = format!(
            "{sign} {} {}",
            text(threshold.field("fraction")),
            text(threshold.field("base"))
        );
        let days = format!("{} - {}", part("ballot_min"), part("ballot_max"));
        return Some(format!(
            "{}; {} {}; {share}; {days}; {} {}",
            part("body"),
            label("quorum"),
            part("quorum"),
            label("stay"),
            part("stay")
        ));
    }
    // A variant with a plain content: `uscc 9199...`, `advance`.
    match fields {
        [(name, inner)]
            if !matches!(
                inner,
                Shown::List(_) | Shown::Fields(_) | Shown::Nothing | Shown::Bool(_)
            ) =>
        {
            let inner = text(Some(inner));
            Some(if matches!(name.as_str(), "currency" | "resource") {
                inner
            } else {
                format!("{} {inner}", fixed(key, name))
            })
        }
        _ => None,
    }
}

/// A field of a value by a dotted path, in one cell: a variant with content is its name.
pub fn cell(field: &str, value: &Shown, unit: Option<&Unit>) -> String {
    let found = field
        .split('.')
        .try_fold(value, |value, part| value.field(part))
        .unwrap_or(&Shown::Nothing);
    let key = field.rsplit('.').next().unwrap_or(field);
    word(key, found, unit).unwrap_or_else(|| match found {
        Shown::Fields(fields) => fields
            .iter()
            .map(|(name, inner)| {
                word("", inner, unit)
                    .map_or_else(|| name.clone(), |inner| format!("{name} {inner}"))
            })
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    })
}
