//! Charter parameters as people read them: what each decides, its value in words, the least and the
//! greatest value that a charter may have.
//!
//! * The parameters themselves are [`parameters::all`]'s, so none is without an explanation: a test
//!   asks for every one in both languages.
//! * Least and greatest are not written down anywhere: they are found by asking the charter's own
//!   check, so that they cannot differ from it.

use rollbook_core::account::Unit;
use rollbook_core::calendar::Period;
use rollbook_core::charter::Charter;
use rollbook_core::charter::motions::{MotionRule, Pass, Preset, Threshold};
use rollbook_proof::log::Clock;
use rollbook_words::amount::money;
use rollbook_words::catalogue::{Language, t_in};
use serde_json::Value;

use super::parameters;
use crate::output::word;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Days, to the end of the last.
    Days,
    /// Working days.
    WorkingDays,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
    /// Thousandths of a second.
    Milliseconds,
    /// Hundredths of a per cent.
    BasisPoints,
    /// Hundredths of a currency's unit, or units of what has none smaller.
    Money,
    /// Bytes.
    Bytes,
    /// Blocks.
    Blocks,
    /// A number of things that the sentence names.
    Count,
    /// Yes or no.
    Flag,
    /// A text or a list of texts.
    Text,
    /// Part of a whole, such as `2/3`.
    Fraction,
    /// A majority, such as `> 1/2 cast`.
    Majority,
    /// Hours, days or working days: `24h`, `7d`, `5wd`.
    Period,
}

impl Measure {
    /// What the value of a parameter counts.
    pub fn of(name: &str) -> Measure {
        let last = name.rsplit('.').next().unwrap_or(name);
        match last {
            "quorum" => Measure::Fraction,
            "pass" => Measure::Majority,
            "ballot_min" | "ballot_max" | "stay" => Measure::Period,
            "dues" | "committee_limit" | "board_limit" | "two_approvers_above" | "large_ask" => {
                Measure::Money
            }
            "assembly_vote" | "seat_eligible" | "early_close" | "chain_distinct_groups" => {
                Measure::Flag
            }
            "currency" | "currencies" | "criteria" | "ballot_visibility" => Measure::Text,
            "bytes" => Measure::Bytes,
            "offset_minutes" => Measure::Minutes,
            other if other.ends_with("working_days") => Measure::WorkingDays,
            other if other.ends_with("_days") => Measure::Days,
            other if other.ends_with("_hours") => Measure::Hours,
            other if other.ends_with("_ms") => Measure::Milliseconds,
            other if other.ends_with("_bp") => Measure::BasisPoints,
            other if other.ends_with("_blocks") => Measure::Blocks,
            _ => Measure::Count,
        }
    }

    /// The unit's name, as `charter parameters` says it.
    pub fn name(self, language: Language) -> String {
        let key = match self {
            Measure::Days => "days",
            Measure::WorkingDays => "working-days",
            Measure::Hours => "hours",
            Measure::Minutes => "minutes",
            Measure::Milliseconds => "milliseconds",
            Measure::BasisPoints => "basis-points",
            Measure::Money => "money",
            Measure::Bytes => "bytes",
            Measure::Blocks => "blocks",
            Measure::Count => "count",
            Measure::Flag => "flag",
            Measure::Text => "text",
            Measure::Fraction => "fraction",
            Measure::Majority => "majority",
            Measure::Period => "period",
        };
        t_in(language, &format!("measure.{key}"), &[])
    }
}

/// The key of a parameter's sentence, and the facts in it: what stands once for every class, unit,
/// body or kind of motion has one sentence.
fn sentence_of(name: &str, language: Language) -> (String, Vec<(&'static str, String)>) {
    let words = |room: &str, word: &str| t_in(language, &format!("{room}.{word}"), &[]);
    let path: Vec<&str> = name.split('.').collect();
    match path.as_slice() {
        ["limits", unit, field] => {
            let unit = vec![("unit", (*unit).to_owned())];
            (format!("parameter.limits.{field}"), unit)
        }
        ["classes", class, field] => {
            let class = vec![("class", words("class", class))];
            (format!("parameter.classes.{field}"), class)
        }
        ["growth", who, field] => {
            let who = vec![("who", words("parameter.grower", who))];
            (format!("parameter.growth.{field}"), who)
        }
        ["rules", kind, body, field] => {
            let facts = vec![
                ("kind", words("motion-kind", kind)),
                ("body", words("body", body)),
            ];
            (format!("parameter.rules.{field}"), facts)
        }
        [single] => (format!("parameter.alliance.{single}"), Vec::new()),
        _ => (format!("parameter.{name}"), Vec::new()),
    }
}

/// What a parameter decides.
pub fn sentence(name: &str, language: Language) -> String {
    let (key, facts) = sentence_of(name, language);
    t_in(language, &key, &facts)
}

/// A parameter's value as people read it.
pub fn value(charter: &Charter, name: &str, value: &Value, language: Language) -> String {
    let count = |key: &str, n: String| length(key, n, language);
    let number = || value.as_i64().map(|n| n.to_string()).unwrap_or_default();
    match (Measure::of(name), value) {
        (_, Value::Null) => t_in(language, "parameter.off", &[]),
        (Measure::Days, _) => count("days", number()),
        (Measure::WorkingDays, _) => count("working-days", number()),
        (Measure::Hours, _) => count("hours", number()),
        (Measure::Minutes, _) => count("minutes", number()),
        (Measure::Milliseconds, _) => milliseconds(value.as_u64().unwrap_or_default(), language),
        (Measure::BasisPoints, _) => per_cent(value.as_u64().unwrap_or_default()),
        (Measure::Bytes, _) => count("bytes", grouped(value)),
        (Measure::Blocks, _) => count("blocks", grouped(value)),
        (Measure::Money, _) => amount(charter, name, value),
        (Measure::Flag, _) => {
            let key = if value.as_bool() == Some(true) {
                "yes"
            } else {
                "no"
            };
            t_in(language, &format!("parameter.{key}"), &[])
        }
        (_, Value::Array(items)) => {
            let separator = t_in(language, "word.list", &[]);
            let items = items.iter().filter_map(Value::as_str);
            items.collect::<Vec<_>>().join(&separator)
        }
        (_, Value::String(text)) => text.clone(),
        _ => grouped(value),
    }
}

/// So many of a unit.
fn length(unit: &str, n: String, language: Language) -> String {
    let one = if n == "1" { "-one" } else { "" };
    t_in(language, &format!("length.{unit}{one}"), &[("n", n)])
}

fn grouped(value: &Value) -> String {
    money(value.as_i64().unwrap_or_default().into(), 0)
}

/// `12.5 %` of 1250 basis points.
fn per_cent(basis_points: u64) -> String {
    let text = money(basis_points.into(), 2);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// Dues are in the charter's currency, limits in their own unit.
fn amount(charter: &Charter, name: &str, value: &Value) -> String {
    let minor = i128::from(value.as_u64().unwrap_or_default());
    let currency = Unit::Currency(charter.currency.clone());
    let unit = charter
        .limits
        .iter()
        .map(|limits| &limits.unit)
        .find(|unit| name.starts_with(&format!("limits.{}.", unit.code())))
        .unwrap_or(&currency);
    format!("{} {}", money(minor, unit.exponent()), unit.code())
}

/// A length of time in the largest unit that it is a whole number of.
fn milliseconds(ms: u64, language: Language) -> String {
    let (key, n) = match ms {
        _ if ms.is_multiple_of(86_400_000) && ms > 0 => ("days", ms / 86_400_000),
        _ if ms.is_multiple_of(3_600_000) && ms > 0 => ("hours", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) && ms > 0 => ("minutes", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => ("seconds", ms / 1_000),
        _ => ("milliseconds", ms),
    };
    length(key, n.to_string(), language)
}

/// A period of the rules of motions.
fn period(period: Period, language: Language) -> String {
    let (key, n) = match period {
        Period::Hours(n) => ("hours", n),
        Period::Days(n) => ("days", n),
        Period::WorkingDays(n) => ("working-days", n),
    };
    length(key, n.to_string(), language)
}

fn majority(threshold: Threshold, language: Language) -> String {
    let key = if threshold.strict { "more" } else { "least" };
    let facts = [
        ("fraction", threshold.fraction.to_string()),
        (
            "base",
            t_in(language, &format!("base.{}", threshold.base.name()), &[]),
        ),
    ];
    t_in(language, &format!("majority.{key}"), &facts)
}

/// How a kind of motion is decided by a body, in one sentence.
pub fn rule(rule: &MotionRule, language: Language) -> String {
    let pass = match rule.pass {
        Pass::Threshold(threshold) => majority(threshold, language),
        Pass::Plurality(None) => t_in(language, "majority.plurality", &[]),
        Pass::Plurality(Some(threshold)) => t_in(
            language,
            "majority.plurality-and",
            &[("majority", majority(threshold, language))],
        ),
    };
    let stay = match rule.stay {
        None => t_in(language, "majority.at-once", &[]),
        Some(stay) => t_in(
            language,
            "majority.stay",
            &[("stay", period(stay, language))],
        ),
    };
    let ballot = match rule.ballot_min == rule.ballot_max {
        true => period(rule.ballot_min, language),
        false => t_in(
            language,
            "length.from-to",
            &[
                ("from", period(rule.ballot_min, language)),
                ("to", period(rule.ballot_max, language)),
            ],
        ),
    };
    let facts = [
        ("quorum", rule.quorum.to_string()),
        ("pass", pass),
        ("ballot", ballot),
        ("stay", stay),
    ];
    t_in(language, "majority.rule", &facts)
}

/// A part of a charter: its head, and what stands under it.
pub struct Part {
    /// What the part is about.
    pub title: String,
    /// Label and value.
    pub rows: Vec<(String, String)>,
}

/// The heads under which parameters stand, by the beginnings of their names, in the order of the
/// page.
const PARTS: [(&str, &[&str]); 9] = [
    ("votes", &["board_seats", "motions.", "rules."]),
    ("classes", &["classes."]),
    ("membership", &["membership.", "criteria"]),
    ("terms", &["terms."]),
    ("people", &["people."]),
    ("limits", &["limits.", "currency", "currencies"]),
    ("funding", &["funding."]),
    ("growth", &["growth."]),
    ("chain", &["chain.", "offset_minutes"]),
];

/// Under which head a parameter stands.
fn part_of(name: &str) -> &'static str {
    let under = |beginnings: &&[&str]| {
        beginnings
            .iter()
            .any(|beginning| match beginning.strip_suffix('.') {
                Some(_) => name.starts_with(beginning),
                None => name == *beginning,
            })
    };
    let found = PARTS.iter().find(|(_, beginnings)| under(beginnings));
    found.map_or("chain", |(title, _)| title)
}

/// The whole charter in words; motions one by one, each with the rule that decides it.
pub fn charter(charter: &Charter, language: Language) -> Vec<Part> {
    let all = parameters::all(charter);
    PARTS
        .iter()
        .map(|(title, _)| {
            let mut rows: Vec<(String, String)> = all
                .iter()
                .filter(|(name, _)| part_of(name) == *title && !name.starts_with("rules."))
                .map(|(name, value)| {
                    let value = self::value(charter, name, value, language);
                    (sentence(name, language), value)
                })
                .collect();
            if *title == "votes" {
                rows.extend(charter.rules.entries.iter().map(|entry| {
                    let facts = [
                        (
                            "kind",
                            t_in(language, &format!("motion-kind.{}", word(entry.kind)), &[]),
                        ),
                        (
                            "body",
                            t_in(language, &format!("body.{}", word(entry.rule.body)), &[]),
                        ),
                    ];
                    let label = t_in(language, "parameter.rule-of", &facts);
                    (label, rule(&entry.rule, language))
                }));
            }
            Part {
                title: t_in(language, &format!("parameter.part.{title}"), &[]),
                rows,
            }
        })
        .collect()
}

/// A preset's charter, as a wall chain has it.
pub fn of_preset(preset: Preset) -> Charter {
    Charter::preset(preset, Clock::Wall, rollbook_proof::crypto::Hash::ZERO)
}

/// Least and greatest value of a number, everything else as it is; the greatest is none if nothing
/// but the size of the number bounds it.
pub fn bounds(charter: &Charter, name: &str) -> Option<(i64, Option<i64>)> {
    let now = parameters::all(charter).get(name)?.as_i64()?;
    // Most fields hold no more than this; one that does has no bound worth telling.
    const WIDEST: i64 = u32::MAX as i64;
    if now > WIDEST {
        return None;
    }
    let stands = |value: i64| parameters::stands_with(charter, name, value);
    let search = |mut good: i64, mut bad: i64| {
        if stands(bad) {
            return bad;
        }
        while good.abs_diff(bad) > 1 {
            let middle = good + (bad - good) / 2;
            if stands(middle) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        good
    };
    let least = search(now, if name == "offset_minutes" { -WIDEST } else { 0 });
    let greatest = search(now, WIDEST);
    Some((least, (greatest < WIDEST).then_some(greatest)))
}
