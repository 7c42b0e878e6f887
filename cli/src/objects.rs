//! Short typed ids (RULINGS R23) and what stands behind them in the proved tables.
//!
//! `O-0017`, `M-0042`, `V-0007`: a letter and a number; the words `organisation:17`, `member:42`,
//! `motion:7` and the paths of the tables (`motion/7`) mean the same. `123` or `block:123` is a
//! block, 64 hexadecimal digits (16 or more of the first are enough) a record. One table, [`KINDS`],
//! for parsing, printing, help and lists.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_client::fetch::Target;
use rollbook_core::account::{Balance, Unit};
use rollbook_core::charter::Charter;
use rollbook_core::id::{FundId, Id};
use rollbook_core::identity::{Name, Organisation};
use rollbook_core::next::Object;
use rollbook_core::object::agreement::Agreement;
use rollbook_core::object::application::Application;
use rollbook_core::object::award::Award;
use rollbook_core::object::calendar::CalendarFiling;
use rollbook_core::object::call::Call;
use rollbook_core::object::chain::{CharterFacts, EpochFacts};
use rollbook_core::object::change::Change;
use rollbook_core::object::contribution::{Contribution, Instalment, Receipt};
use rollbook_core::object::correction::Correction;
use rollbook_core::object::delegation::Delegation;
use rollbook_core::object::direction::Direction;
use rollbook_core::object::draft::Draft;
use rollbook_core::object::draw::Draw;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::invoice::Invoice;
use rollbook_core::object::key_recovery::KeyRecovery;
use rollbook_core::object::measure::Measure;
use rollbook_core::object::membership::Membership;
use rollbook_core::object::milestone::Milestone;
use rollbook_core::object::motion::Motion;
use rollbook_core::object::node::NodeFacts;
use rollbook_core::object::notice::Notice;
use rollbook_core::object::observer::{Observer, Statement};
use rollbook_core::object::order::FiledOrder;
use rollbook_core::object::payment::Payment;
use rollbook_core::object::plan::Plan;
use rollbook_core::object::post::Post;
use rollbook_core::object::proceeding::Proceeding;
use rollbook_core::object::recovery::Recovery;
use rollbook_core::object::relation::Edge;
use rollbook_core::object::review::Review;
use rollbook_core::object::revocation::Revocation;
use rollbook_core::object::seat::Seat;
use rollbook_core::record::Record;
use rollbook_core::refusal::NotCounted;
use rollbook_core::state::decode_value;
use rollbook_core::word::Word as _;
use rollbook_proof::codec;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::shown::Shown;

mod kinds;
mod rows;

pub use kinds::{KINDS, Kind};
pub use rows::{amount, cell, plain, rows, word};

/// The kind with this noun, table, letter or word.
pub fn kind_of(word: &str) -> Option<&'static Kind> {
    let of_letters = |kind: &&Kind| !word.is_empty() && kind.letter.eq_ignore_ascii_case(word);
    let mut kinds = KINDS.iter();
    kinds
        .find(|kind| kind.table == word)
        .or_else(|| KINDS.iter().find(of_letters))
        .or_else(|| {
            KINDS
                .iter()
                .find(|kind| kind.noun == word && kind.word == "list")
        })
}

/// The number of an object as it is typed: plain, or with the letter or the word of its kind. Else
/// the kind that it is of, if it is another.
pub fn number_of(table: &str, text: &str) -> Result<u32, Option<&'static Kind>> {
    let plain = |digits: &str| {
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = all.then(|| digits.parse::<u32>().ok());
        number.flatten().ok_or(None)
    };
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain(text);
    }
    let letter = text.chars().next().unwrap_or_default();
    let (word, digits) = match text.split_once([':', '/', '-']) {
        Some(parts) => parts,
        None => text.split_at(letter.len_utf8()),
    };
    let number = plain(digits)?;
    match kind_of(word) {
        _ if word == table => Ok(number),
        Some(kind) if kind.table == table => Ok(number),
        other => Err(other),
    }
}

/// Why a number is not taken: it is that of another kind, which is named, or none at all.
pub fn no_number(argument: &str, of: &str, text: &str, other: Option<&Kind>) -> Failure {
    let mut facts = vec![
        ("argument", argument.to_owned()),
        ("value", text.trim().to_owned()),
    ];
    let failure = match other {
        Some(kind) => {
            facts.push(("found", t(&format!("object.{}", kind.table), &[])));
            facts.push(("object", t(&format!("object.{of}"), &[])));
            Failure::unusable(t("known.other-kind", &facts))
        }
        None => Failure::unusable(t("verb.bad", &facts)).because(t("form.number", &[])),
    };
    failure.next(t("verb.bad-next", &facts))
}

/// The kind that a text names beside its number, if it is another than this one: `M-25` for motions.
pub fn of_another_kind(kind: &Kind, text: &str) -> Option<&'static Kind> {
    match number_of(kind.table, text) {
        Err(other) => other,
        Ok(_) => None,
    }
}

/// Path of an object: its number, or for an account its own text.
pub fn path_of(kind: &Kind, key: &str) -> Option<String> {
    if kind.table == "account" {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/');
        return (!key.is_empty() && key.len() <= 64 && key.chars().all(plain))
            .then(|| format!("account/{key}"));
    }
    if kind.table == "entry" {
        return (key.len() == 64 && key.chars().all(|c| c.is_ascii_hexdigit()))
            .then(|| format!("entry/{}", key.to_lowercase()));
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
    if (16..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit()) {
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

/// Whether the state proves what stands at a path.
pub fn is_proved(path: &str) -> bool {
    let table = path.split_once('/').map_or(path, |(table, _)| table);
    KINDS
        .iter()
        .any(|kind| kind.table == table && kind.is_proved)
}

/// The object at a path, where core has a name for its kind.
pub fn numbered(path: &str) -> Option<(Object, u32)> {
    let (table, key) = path.split_once('/')?;
    Some((Object::parse(table)?, key.parse().ok()?))
}

/// A record whose leaf was proved.
pub fn record(bytes: &[u8]) -> Result<Record, Failure> {
    codec::decode(bytes)
        .map_err(|error| Failure::unusable(t("verify.no-such-record", &[])).because(error))
}

/// What a proved record did, for scripts: `applied`, or why it had no effect.
pub fn effect(without_effect: Option<u32>) -> &'static str {
    match without_effect.map(NotCounted::of_number) {
        None => "applied",
        Some(Some(reason)) => reason.word(),
        Some(None) => "unknown",
    }
}

/// The same as a sentence.
pub fn effect_text(without_effect: Option<u32>) -> String {
    let number = without_effect.map(|number| number.to_string());
    let facts = [("number", number.unwrap_or_default())];
    t(&format!("effect.{}", effect(without_effect)), &facts)
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
        // Sixteen digits find a record.
        (Some(kind), Err(_)) if kind.letter.is_empty() => key.chars().take(16).collect(),
        (Some(kind), Err(_)) => format!("{}-{key}", kind.letter),
        (None, _) => path.to_owned(),
    }
}

/// A value of a proved table: as JSON, and as a view shows it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// For scripts.
    pub json: Value,
    /// For people.
    pub shown: Shown,
}

impl Entry {
    fn of<V: serde::Serialize>(value: &V) -> Entry {
        let shown = Shown::of(value);
        Entry {
            json: shown.json(),
            shown,
        }
    }

    /// A balance. An i128 is no JSON number.
    fn balance(balance: Balance) -> Entry {
        Entry {
            json: json!({ "balance": balance.0.to_string() }),
            shown: Shown::Fields(vec![("balance".to_owned(), Shown::of(&balance))]),
        }
    }
}

/// Which type a table holds, for the two ways in: proved bytes, and JSON as a node lists it.
macro_rules! tables {
    ($($table:literal: $type:ty,)*) => {
        /// A proved value; `None` if the bytes are none of this table.
        pub fn decode(path: &str, bytes: &[u8]) -> Option<Entry> {
            match path.split_once('/')?.0 {
                $( $table => Some(Entry::of(&decode_value::<$type>(bytes).ok()?)), )*
                "charter" => Some(Entry::of(&decode_value::<CharterFacts>(bytes).ok()?)),
                "account" => Some(Entry::balance(decode_value(bytes).ok()?)),
                _ => None,
            }
        }

        /// A value as a node lists it; `None` if it is none of this table.
        pub fn listed(table: &str, value: &Value) -> Option<Entry> {
            match table {
                $( $table => {
                    Some(Entry::of(&<$type as serde::Deserialize>::deserialize(value).ok()?))
                } )*
                "charter" => {
                    Some(Entry::of(&<Charter as serde::Deserialize>::deserialize(value).ok()?))
                }
                "account" => value.as_str()?.parse().ok().map(Balance).map(Entry::balance),
                _ => None,
            }
        }
    };
}

tables! {
    "organisation": Organisation,
    "membership": Membership,
    "motion": Motion,
    "fund": Fund,
    "call": Call,
    "award": Award,
    "agreement": Agreement,
    "payment": Payment,
    "policy": EpochFacts,
    "post": Post,
    "invoice": Invoice,
    "pledge": Contribution,
    "instalment": Instalment,
    "entry": Receipt,
    "application": Application,
    "draw": Draw,
    "review": Review,
    "milestone": Milestone,
    "relation": Edge,
    "seat": Seat,
    "draft": Draft,
    "change": Change,
    "delegation": Delegation,
    "revocation": Revocation,
    "key-recovery": KeyRecovery,
    "direction": Direction,
    "observer": Observer,
    "statement": Statement,
    "calendar": CalendarFiling,
    "correction": Correction,
    "order": FiledOrder,
    "plan": Plan,
    "notice": Notice,
    "proceeding": Proceeding,
    "node": NodeFacts,
    "measure": Measure,
    "recovery": Recovery,
}

/// Other paths that make a value readable: the company of a membership, the fund whose unit an
/// amount has.
pub fn companions(path: &str, value: &Shown) -> Vec<String> {
    let fund = |value: Option<&Shown>| value.and_then(|value| find(value, FundId::LETTER));
    let found = match path.split_once('/') {
        Some(("membership", _)) => value
            .field("organisation")
            .and_then(Shown::id)
            .map(|number| format!("organisation/{number}")),
        Some(("award" | "agreement" | "payment", _)) => {
            fund(value.field("fund")).map(|number| format!("fund/{number}"))
        }
        Some(("call", _)) => fund(value.field("terms")).map(|number| format!("fund/{number}")),
        Some(("motion", _)) => fund(value.field("effect")).map(|number| format!("fund/{number}")),
        Some(("account", key)) => key.split_once('/').map(|(fund, _)| format!("fund/{fund}")),
        _ => None,
    };
    found.into_iter().collect()
}

/// The first id with a letter, at any depth.
pub fn find(value: &Shown, letter: Option<&'static str>) -> Option<u32> {
    match value {
        Shown::Id(found, number) => (*found == letter).then_some(*number),
        Shown::Fields(fields) => fields.iter().find_map(|(_, inner)| find(inner, letter)),
        Shown::List(items) => items.iter().find_map(|inner| find(inner, letter)),
        _ => None,
    }
}

/// The organisations that a value numbers, at any depth.
pub fn organisations(value: &Shown, found: &mut BTreeSet<u32>) {
    match value {
        Shown::Id(letter, number) if *letter == OrganisationId::LETTER => {
            found.insert(*number);
        }
        Shown::Fields(fields) => fields
            .iter()
            .for_each(|(_, inner)| organisations(inner, found)),
        Shown::List(items) => items.iter().for_each(|inner| organisations(inner, found)),
        _ => {}
    }
}

/// A value with the names of organisations beside their numbers.
pub fn with_names(value: Shown, names: &BTreeMap<u32, String>) -> Shown {
    match value {
        Shown::Id(letter, number) if letter == OrganisationId::LETTER => names
            .get(&number)
            .map_or(Shown::Id(letter, number), |name| Shown::Text(name.clone())),
        Shown::Fields(fields) => Shown::Fields(
            fields
                .into_iter()
                .map(|(name, inner)| (name, with_names(inner, names)))
                .collect(),
        ),
        Shown::List(items) => Shown::List(
            items
                .into_iter()
                .map(|inner| with_names(inner, names))
                .collect(),
        ),
        other => other,
    }
}

/// Both names, once if they are equal.
pub fn both_names(native: &str, latin: &str) -> String {
    if native == latin {
        native.to_owned()
    } else {
        format!("{native} / {latin}")
    }
}

/// An organisation by number and name: `O-0020 Example`.
pub fn named(number: u32, name: &Name) -> String {
    let names = both_names(&name.native.to_string(), &name.latin.to_string());
    format!("{}  {names}", OrganisationId(number))
}

/// A unit by its code, as a node tells it; its digits after the point are core's to say.
pub fn unit_coded(told: Option<&(String, u32)>) -> Option<Unit> {
    let (code, _) = told?;
    Unit::currency(code).or_else(|_| Unit::resource(code)).ok()
}

/// The unit of a fund's value.
pub fn unit_of(fund: &Value) -> Option<Unit> {
    serde_json::from_value(fund["unit"].clone()).ok()
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
            ("ap-3", state("application/3")),
            ("RE-2", state("relation/2")),
            ("B-1/A:free", state("account/1/A:free")),
            ("account/1/B:call:3", state("account/1/B:call:3")),
            ("12", Target::Block(12)),
            ("block:123456789", Target::Block(123_456_789)),
            (
                "DEADBEEFDEADBEEF",
                Target::Record("deadbeefdeadbeef".into()),
            ),
            (
                "1234567812345678",
                Target::Record("1234567812345678".into()),
            ),
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
        let numbered = |kind: &&Kind| !matches!(kind.table, "account" | "entry");
        for kind in KINDS.iter().filter(numbered) {
            let path = format!("{}/42", kind.table);
            assert_eq!(parse(&short(&path)).ok(), Some(Target::State(path)));
        }
        let mut letters: Vec<&str> = KINDS.iter().map(|kind| kind.letter).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), KINDS.len());
        let tables: Vec<&str> = KINDS.iter().map(|kind| kind.table).collect();
        // What a deposited charter says is listed under the number of the deposit.
        let listed = rollbook_node::replica_thread::questions::TABLES
            .iter()
            .copied();
        let listed: Vec<&str> = listed.filter(|table| *table != "draft-charter").collect();
        assert_eq!(tables, listed, "what the API lists is what has ids");
    }
}
