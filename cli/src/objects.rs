//! Short typed ids (RULINGS R23) and what stands behind them in the proved tables.
//!
//! `O-0017`, `M-0042`, `V-0007`: a letter and a number; the words `organisation:17`, `member:42`,
//! `motion:7` and the paths of the tables (`motion/7`) mean the same. `123` or `block:123` is a
//! block, 64 hexadecimal digits (8 or more of the first are enough) a record. One table, [`KINDS`],
//! for parsing, printing, help and lists.

use rollbook_core::account::Unit;
use rollbook_core::charter::Charter;
use rollbook_core::identity::Organisation;
use rollbook_core::object::agreement::Agreement;
use rollbook_core::object::award::Award;
use rollbook_core::object::call::Call;
use rollbook_core::object::chain::EpochFacts;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::membership::Membership;
use rollbook_core::object::motion::Motion;
use rollbook_core::object::payment::Payment;
use rollbook_core::state::{TableValue, decode_value};
use rollbook_words::catalogue::t;
use rollbook_words::dates::instant;
use serde_json::{Value, json};

use crate::failure::Failure;

/// A kind of object in the proved tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Letter of the short id.
    pub letter: char,
    /// First part of the path.
    pub table: &'static str,
    /// The noun of the command tree.
    pub noun: &'static str,
    /// Columns of a list: fields of the value, besides the id.
    pub columns: &'static [&'static str],
}

const fn kind(
    letter: char,
    table: &'static str,
    noun: &'static str,
    columns: &'static [&'static str],
) -> Kind {
    Kind {
        letter,
        table,
        noun,
        columns,
    }
}

/// Every kind.
pub const KINDS: [Kind; 11] = [
    kind(
        'O',
        "organisation",
        "org",
        &["name", "kind", "country", "officers", "membership"],
    ),
    kind(
        'M',
        "membership",
        "member",
        &["organisation", "class", "standing", "since_ms"],
    ),
    kind(
        'V',
        "motion",
        "motion",
        &["kind", "body", "status", "opened_ms", "voices"],
    ),
    kind('F', "fund", "fund", &["name", "status", "unit"]),
    kind(
        'C',
        "call",
        "call",
        &["status", "terms.fund", "applications", "since_ms"],
    ),
    kind(
        'W',
        "award",
        "award",
        &["call", "grantee", "amount", "state"],
    ),
    kind(
        'A',
        "agreement",
        "agreement",
        &["award", "grantee", "terms.total", "state"],
    ),
    kind(
        'P',
        "payment",
        "payment",
        &["agreement", "tranche", "amount", "state"],
    ),
    kind('B', "account", "account", &["balance"]),
    kind('K', "charter", "charter", &["preset", "clock", "text"]),
    kind(
        'E',
        "policy",
        "policy",
        &["first_height", "valid_from_size", "policy"],
    ),
];

/// What an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A record, by its id or the beginning of it, lower case.
    Record(String),
    /// A block.
    Block(u64),
    /// A path in the proved tables.
    State(String),
}

/// The kind with this noun, table, letter or word.
pub fn kind_of(word: &str) -> Option<&'static Kind> {
    let mut letters = word.chars();
    let single = letters
        .next()
        .filter(|_| letters.next().is_none())
        .map(|letter| letter.to_ascii_uppercase());
    KINDS
        .iter()
        .find(|kind| kind.noun == word || kind.table == word || Some(kind.letter) == single)
}

/// Path of an object: its number, or for an account its own text.
pub fn path_of(kind: &Kind, key: &str) -> Option<String> {
    if kind.table == "account" {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/');
        return (!key.is_empty() && key.len() <= 64 && key.chars().all(plain))
            .then(|| format!("account/{key}"));
    }
    let number: u32 = key.parse().ok()?;
    Some(format!("{}/{number}", kind.table))
}

/// Reads an id.
pub fn parse(text: &str) -> Result<Target, Failure> {
    let bad = || {
        Failure::unusable(t("show.bad-id", &[("id", text.to_owned())]))
            .next(t("show.bad-id-next", &[]))
    };
    let digits = text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty();
    if digits && text.len() < 8 {
        return text.parse().map(Target::Block).map_err(|_| bad());
    }
    if (8..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(Target::Record(text.to_lowercase()));
    }
    let (word, key) = text.split_once([':', '/', '-']).ok_or_else(bad)?;
    match word {
        "block" => key.parse().map(Target::Block).map_err(|_| bad()),
        "record" => parse(key)
            .ok()
            .filter(|target| matches!(target, Target::Record(_)))
            .ok_or_else(bad),
        word => kind_of(word)
            .and_then(|kind| path_of(kind, key))
            .map(Target::State)
            .ok_or_else(bad),
    }
}

/// The short id of a path: `M-0042`, `B-1/A:free`.
pub fn short(path: &str) -> String {
    let Some((table, key)) = path.split_once('/') else {
        return path.to_owned();
    };
    match (
        KINDS.iter().find(|kind| kind.table == table),
        key.parse::<u32>(),
    ) {
        (Some(kind), Ok(number)) => format!("{}-{number:04}", kind.letter),
        (Some(kind), Err(_)) => format!("{}-{key}", kind.letter),
        (None, _) => path.to_owned(),
    }
}

/// A proved value in words; `None` if the bytes are none of this table.
pub fn decode(path: &str, bytes: &[u8]) -> Option<Value> {
    fn value<V: TableValue + serde::Serialize>(bytes: &[u8]) -> Option<Value> {
        serde_json::to_value(decode_value::<V>(bytes).ok()?).ok()
    }
    match path.split_once('/')?.0 {
        "organisation" => value::<Organisation>(bytes),
        "membership" => value::<Membership>(bytes),
        "motion" => value::<Motion>(bytes),
        "fund" => value::<Fund>(bytes),
        "call" => value::<Call>(bytes),
        "award" => value::<Award>(bytes),
        "agreement" => value::<Agreement>(bytes),
        "payment" => value::<Payment>(bytes),
        "charter" => value::<Charter>(bytes),
        "policy" => value::<EpochFacts>(bytes),
        // An i128 is no JSON number.
        "account" => Some(json!({ "balance": decode_value::<i128>(bytes).ok()?.to_string() })),
        _ => None,
    }
}

/// Other paths that make a value readable: the company of a membership, the fund whose unit an
/// amount has.
pub fn companions(path: &str, value: &Value) -> Vec<String> {
    let number = |value: &Value| value.as_u64();
    let mut paths = Vec::new();
    match path.split_once('/') {
        Some(("membership", _)) => {
            paths.extend(number(&value["organisation"]).map(|n| format!("organisation/{n}")))
        }
        Some(("award" | "agreement" | "payment", _)) => {
            paths.extend(number(&value["fund"]).map(|n| format!("fund/{n}")))
        }
        Some(("call", _)) => {
            paths.extend(number(&value["terms"]["fund"]).map(|n| format!("fund/{n}")))
        }
        Some(("motion", _)) => {
            paths.extend(find_number(&value["effect"], "fund").map(|n| format!("fund/{n}")))
        }
        Some(("account", key)) => {
            paths.extend(key.split_once('/').map(|(fund, _)| format!("fund/{fund}")))
        }
        _ => {}
    }
    paths
}

/// Both names, once if they are equal.
pub fn both_names(native: &str, latin: &str) -> String {
    if native == latin {
        native.to_owned()
    } else {
        format!("{native} / {latin}")
    }
}

/// The first number under a name, at any depth.
fn find_number(value: &Value, name: &str) -> Option<u64> {
    match value {
        Value::Object(map) => map
            .get(name)
            .and_then(Value::as_u64)
            .or_else(|| map.values().find_map(|inner| find_number(inner, name))),
        _ => None,
    }
}

/// The unit of a fund's value.
pub fn unit_of(fund: &Value) -> Option<Unit> {
    serde_json::from_value(fund["unit"].clone()).ok()
}

/// Fields that hold minor units of the fund.
const AMOUNTS: [&str; 16] = [
    "accepted",
    "advance",
    "amount",
    "ask",
    "ask_max",
    "balance",
    "budget",
    "cleared",
    "gross",
    "held_back",
    "holdback",
    "maximum",
    "minimum",
    "net",
    "tested",
    "total",
];

/// A value as rows of label and text, for a table: the columns of its kind first, what is empty
/// left out.
pub fn rows(path: &str, value: &Value, unit: Option<&Unit>) -> Vec<(String, String)> {
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
        Value::Object(map) => {
            let mut fields: Vec<(&String, &Value)> =
                map.iter().filter(|(name, _)| *name != "number").collect();
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
    rollbook_words::catalogue::find(&format!("field.{key}"), &[])
        .unwrap_or_else(|| key.replace('_', " "))
}

fn walk(
    prefix: &str,
    key: &str,
    value: &Value,
    unit: Option<&Unit>,
    rows: &mut Vec<(String, String)>,
) {
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return;
    }
    if let Some(text) = word(key, value, unit) {
        rows.push((prefix.to_owned(), text));
        return;
    }
    let mut inner = |name: &str, value: &Value| {
        let label = label(name);
        let prefix = if prefix.is_empty() {
            label
        } else {
            format!("{prefix} / {label}")
        };
        walk(&prefix, name, value, unit, rows);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| inner(name, value)),
        Value::Array(items) => (1..)
            .zip(items)
            .for_each(|(number, value)| inner(&number.to_string(), value)),
        _ => {}
    }
}

/// A value that fits one cell.
pub fn word(key: &str, value: &Value, unit: Option<&Unit>) -> Option<String> {
    let money = |text: &str| {
        let minor = AMOUNTS
            .contains(&key)
            .then(|| text.parse::<i128>().ok())
            .flatten()?;
        unit.map(|unit| format!("{} {}", unit.grouped(minor), unit.code()))
    };
    match value {
        Value::Null => Some("-".to_owned()),
        Value::Bool(yes) => Some(t(if *yes { "word.yes" } else { "word.no" }, &[])),
        Value::String(text) => Some(money(text).unwrap_or_else(|| text.clone())),
        Value::Number(number) if key.ends_with("_ms") => {
            number.as_u64().map(|ms| instant(ms / 1_000))
        }
        Value::Number(number) if key.ends_with("_day") => {
            let day = number
                .as_i64()
                .filter(|day| (-1_000_000..4_000_000).contains(day))?;
            Some(rollbook_core::calendar::LocalDay(day).to_string())
        }
        Value::Number(number) => {
            Some(money(&number.to_string()).unwrap_or_else(|| number.to_string()))
        }
        Value::Array(items) => words(items),
        Value::Object(map) => compound(key, value, map),
    }
}

/// Short lists: bytes as hexadecimal, others by commas.
fn words(items: &[Value]) -> Option<String> {
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| u8::try_from(item.as_u64()?).ok())
        .collect();
    if let Some(bytes) = bytes.filter(|bytes| bytes.len() >= 16) {
        return Some(hex::encode(bytes));
    }
    let plain = |item: &Value| match item {
        Value::Array(pair) if pair.iter().all(|part| part.is_number() || part.is_string()) => {
            let parts: Vec<String> = pair
                .iter()
                .filter_map(|part| word("", part, None))
                .collect();
            Some(parts.join(" "))
        }
        Value::Array(_) => None,
        Value::Object(map) if map.len() != 1 => None,
        item => word("", item, None),
    };
    items
        .iter()
        .map(plain)
        .collect::<Option<Vec<String>>>()
        .map(|words| words.join(", "))
}

/// Small objects that read better in one cell.
fn compound(key: &str, value: &Value, map: &serde_json::Map<String, Value>) -> Option<String> {
    let has = |names: &[&str]| {
        map.len() == names.len() && names.iter().all(|name| map.contains_key(*name))
    };
    let text = |value: &Value| word("", value, None).unwrap_or_default();
    if has(&["native", "latin"]) {
        let part = |name: &str| value[name].as_str().unwrap_or_default();
        return Some(both_names(part("native"), part("latin")));
    }
    if has(&["n", "d"]) {
        return Some(format!("{}/{}", value["n"], value["d"]));
    }
    for (name, short) in [("days", "d"), ("hours", "h")] {
        if has(&[name]) {
            return Some(format!("{} {short}", value[name]));
        }
    }
    if key == "tally" && value["counts"].is_object() {
        let counts = &value["counts"];
        let count = |name: &str| format!("{} {}", label(name), text(&counts[name]));
        let counts = ["yes", "no", "abstain", "recused", "electorate"]
            .map(count)
            .join(", ");
        return Some(format!("{}: {counts}", text(&value["outcome"])));
    }
    if key == "rule" && value["pass"]["threshold"].is_object() {
        let threshold = &value["pass"]["threshold"];
        let sign = if threshold["strict"] == true {
            ">"
        } else {
            ">="
        };
        let share = format!(
            "{sign} {} {}",
            text(&threshold["fraction"]),
            text(&threshold["base"])
        );
        let days = format!(
            "{} - {}",
            text(&value["ballot_min"]),
            text(&value["ballot_max"])
        );
        return Some(format!(
            "{}; {} {}; {share}; {days}; {} {}",
            text(&value["body"]),
            label("quorum"),
            text(&value["quorum"]),
            label("stay"),
            text(&value["stay"])
        ));
    }
    // A variant with a plain content: `uscc 9199...`, `advance`.
    match map.iter().next() {
        Some((name, inner)) if map.len() == 1 && (inner.is_number() || inner.is_string()) => {
            Some(if matches!(name.as_str(), "currency" | "resource") {
                text(inner)
            } else {
                format!("{name} {}", text(inner))
            })
        }
        _ => None,
    }
}

/// A field of a value by a dotted path, in one cell: a variant with content is its name.
pub fn cell(field: &str, value: &Value, unit: Option<&Unit>) -> String {
    let mut found = value;
    for part in field.split('.') {
        found = &found[part];
    }
    let key = field.rsplit('.').next().unwrap_or(field);
    if field == "balance" && !value.is_object() {
        return word(key, value, unit).unwrap_or_default();
    }
    word(key, found, unit).unwrap_or_else(|| match found {
        Value::Object(map) => map
            .iter()
            .map(|(name, inner)| {
                word("", inner, None)
                    .map_or_else(|| name.clone(), |inner| format!("{name} {inner}"))
            })
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written() {
        let state = |path: &str| Target::State(path.to_owned());
        for (text, target) in [
            ("M-0042", state("membership/42")),
            ("m-42", state("membership/42")),
            ("member:42", state("membership/42")),
            ("membership/42", state("membership/42")),
            ("motion:7", state("motion/7")),
            ("V-7", state("motion/7")),
            ("O-17", state("organisation/17")),
            ("B-1/A:free", state("account/1/A:free")),
            ("account/1/B:call:3", state("account/1/B:call:3")),
            ("12", Target::Block(12)),
            ("block:123456789", Target::Block(123_456_789)),
            ("DEADBEEF", Target::Record("deadbeef".into())),
            ("12345678", Target::Record("12345678".into())),
        ] {
            assert_eq!(parse(text).ok(), Some(target), "{text}");
        }
        for bad in [
            "",
            "M-",
            "M-x",
            "Q-1",
            "deadbee",
            "block:x",
            "M-4294967296",
            "B-1/A free",
            "zzzzzzzz",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for kind in KINDS.iter().filter(|kind| kind.table != "account") {
            let path = format!("{}/42", kind.table);
            assert_eq!(parse(&short(&path)).ok(), Some(Target::State(path)));
        }
        let mut letters: Vec<char> = KINDS.iter().map(|kind| kind.letter).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), KINDS.len());
        let tables: Vec<&str> = KINDS.iter().map(|kind| kind.table).collect();
        assert_eq!(
            tables,
            rollbook_node::replica_thread::questions::TABLES,
            "what the API lists is what has ids"
        );
    }
}
