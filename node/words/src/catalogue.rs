//! The one message catalogue (RULINGS R19): every sentence a person reads, in English and Chinese.
//!
//! Keys are dotted; values hold `{name}` for facts. Identifiers, JSON keys and rule codes are
//! language-free and not here. A test holds that both languages have the same keys and the same
//! facts, and that every rule code of core has a sentence.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use rollbook_core::rules::table;
use rollbook_proof::number::LedgerTime;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

static LANGUAGE: AtomicU8 = AtomicU8::new(0);
static CATALOGUES: OnceLock<[BTreeMap<String, String>; 2]> = OnceLock::new();

/// The catalogue of a language: the program itself, the benchmark, the demo and its story, rules,
/// business verbs, fixed words of core, what is said about acts, the founding and charters.
const ENGLISH: &[&str] = &[
    include_str!("../messages/en.toml"),
    include_str!("../messages/en-bench.toml"),
    include_str!("../messages/en-demo.toml"),
    include_str!("../messages/en-knowing.toml"),
    include_str!("../messages/en-next.toml"),
    include_str!("../messages/en-read.toml"),
    include_str!("../messages/en-rules.toml"),
    include_str!("../messages/en-seeing.toml"),
    include_str!("../messages/en-verbs.toml"),
    include_str!("../messages/en-words.toml"),
    include_str!("../messages/en-acts.toml"),
    include_str!("../messages/en-acting.toml"),
    include_str!("../messages/en-founding.toml"),
    include_str!("../messages/en-files.toml"),
    include_str!("../messages/en-motions.toml"),
    include_str!("../messages/en-hands.toml"),
    include_str!("../messages/en-people.toml"),
    include_str!("../messages/en-affairs.toml"),
    include_str!("../messages/en-standing.toml"),
    include_str!("../messages/en-money.toml"),
    include_str!("../messages/en-grants.toml"),
    include_str!("../messages/en-validators.toml"),
    include_str!("../messages/en-belonging.toml"),
];
const CHINESE: &[&str] = &[
    include_str!("../messages/zh.toml"),
    include_str!("../messages/zh-bench.toml"),
    include_str!("../messages/zh-demo.toml"),
    include_str!("../messages/zh-knowing.toml"),
    include_str!("../messages/zh-next.toml"),
    include_str!("../messages/zh-read.toml"),
    include_str!("../messages/zh-rules.toml"),
    include_str!("../messages/zh-seeing.toml"),
    include_str!("../messages/zh-verbs.toml"),
    include_str!("../messages/zh-words.toml"),
    include_str!("../messages/zh-acts.toml"),
    include_str!("../messages/zh-acting.toml"),
    include_str!("../messages/zh-founding.toml"),
    include_str!("../messages/zh-files.toml"),
    include_str!("../messages/zh-motions.toml"),
    include_str!("../messages/zh-hands.toml"),
    include_str!("../messages/zh-people.toml"),
    include_str!("../messages/zh-affairs.toml"),
    include_str!("../messages/zh-standing.toml"),
    include_str!("../messages/zh-money.toml"),
    include_str!("../messages/zh-grants.toml"),
    include_str!("../messages/zh-validators.toml"),
    include_str!("../messages/zh-belonging.toml"),
];

/// Sets the language of this process.
pub fn set_language(language: Language) {
    LANGUAGE.store(language as u8, Ordering::Relaxed);
}

/// The language of this process.
pub fn language() -> Language {
    if LANGUAGE.load(Ordering::Relaxed) == Language::Chinese as u8 {
        Language::Chinese
    } else {
        Language::English
    }
}

/// What is said in a language, for pages that carry both. Only one thread of a command speaks.
pub fn speaking<T>(wanted: Language, say: impl FnOnce() -> T) -> T {
    let usual = language();
    set_language(wanted);
    let said = say();
    set_language(usual);
    said
}

fn catalogue(language: Language) -> &'static BTreeMap<String, String> {
    let both = CATALOGUES.get_or_init(|| [ENGLISH, CHINESE].map(flatten));
    &both[language as usize]
}

fn flatten(texts: &[&str]) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &toml::Value, out: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let path = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&path, value, out);
                }
            }
            toml::Value::String(text) => {
                out.insert(prefix.to_owned(), text.clone());
            }
            _ => {}
        }
    }
    let mut out = BTreeMap::new();
    for text in texts {
        if let Ok(value) = text.parse::<toml::Table>() {
            walk("", &toml::Value::Table(value), &mut out);
        }
    }
    out
}

/// A template with its facts. Each `{name}` is replaced once: what stands in a fact is text, never a
/// template (RULINGS A32). A name without a fact stays.
fn filled(template: &str, facts: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let place = from[1..].split_once('}');
        let fact = place.and_then(|(name, after)| {
            let (_, value) = facts.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        match fact {
            Some((value, after)) => {
                text.push_str(value);
                rest = after;
            }
            None => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// Every key with its template in a language, ascending; for tests.
pub fn templates(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = catalogue(language).iter();
    all.map(|(key, text)| (key.as_str(), text.as_str()))
}

/// The sentence of `key` with its facts, or `None` if the catalogue has none.
pub fn find(key: &str, facts: &[(&str, String)]) -> Option<String> {
    let template = catalogue(language()).get(key)?;
    Some(filled(template, facts))
}

/// The sentence of `key` in a language, for pages that carry both.
pub fn t_in(language: Language, key: &str, facts: &[(&str, String)]) -> String {
    match catalogue(language).get(key) {
        Some(template) => filled(template, facts),
        None => key.to_owned(),
    }
}

/// The sentence of `key` with its facts. A missing key shows itself; a test keeps that from
/// happening.
pub fn t(key: &str, facts: &[(&str, String)]) -> String {
    let text = find(key, facts).unwrap_or_else(|| key.to_owned());
    LAST.with_borrow_mut(|last| *last = Some(Said::of(key, facts, &text)));
    text
}

/// A sentence with its key and its facts.
struct Said {
    key: String,
    facts: Vec<(String, String)>,
    text: String,
}

impl Said {
    fn of(key: &str, facts: &[(&str, String)], text: &str) -> Said {
        Said {
            key: key.to_owned(),
            facts: facts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            text: text.to_owned(),
        }
    }
}

thread_local! {
    /// The sentence that this thread made last.
    static LAST: RefCell<Option<Said>> = const { RefCell::new(None) };
}

/// Key and facts of the sentence that [`t`] made last on this thread, if it is `text`: a failure is
/// told to people by its sentence and to programs by its key (RULINGS A34).
pub fn said(text: &str) -> Option<(String, Vec<(String, String)>)> {
    LAST.with_borrow(|last| {
        let last = last.as_ref().filter(|last| last.text == text)?;
        Some((last.key.clone(), last.facts.clone()))
    })
}

/// A refusal as a sentence: the code, then the catalogue's words for it or for its guard, then the
/// facts that they do not name. Amounts are said to be in the smallest unit; [`refusal_in`] knows it.
pub fn refusal(code: &str, facts: &[(&str, String)]) -> String {
    refusal_in(code, facts, None)
}

/// The same where the unit of the act's amounts is known: its code, and digits after the point.
pub fn refusal_in(code: &str, facts: &[(&str, String)], unit: Option<&(String, u32)>) -> String {
    let facts: Vec<(&str, String)> = facts
        .iter()
        .enumerate()
        .map(|(place, (name, value))| {
            let minor = value.parse().ok().filter(|_| is_amount(code, name));
            let words = match minor {
                Some(minor) => amount_words(minor, unit),
                None => {
                    let earlier = facts.get(..place).unwrap_or_default();
                    fact_words(code, earlier, name, value)
                }
            };
            (*name, words)
        })
        .collect();
    let facts = facts.as_slice();
    let guard = code.split_once('.').map_or(code, |(_, guard)| guard);
    let keys = [format!("rule.{code}"), format!("guard.{guard}")];
    let key = keys
        .iter()
        .find(|key| catalogue(language()).contains_key(*key));
    let template = key
        .and_then(|key| catalogue(language()).get(key))
        .map_or("", String::as_str);
    let rest: Vec<String> = facts
        .iter()
        .filter(|(name, _)| !template.contains(&format!("{{{name}}}")))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    match (key, rest.is_empty()) {
        (Some(key), true) => format!("{code}: {}", t(key, facts)),
        (Some(key), false) => format!("{code}: {} ({})", t(key, facts), rest.join(", ")),
        (None, true) => code.to_owned(),
        (None, false) => format!("{code}: {}", rest.join(", ")),
    }
}

/// What to do about a refusal: the words for its rule, else those for its guard or the guard's
/// family, else the general ones.
pub fn refusal_next(code: &str) -> String {
    let guard = code.split_once('.').map_or(code, |(_, guard)| guard);
    let family = guard.split('-').next().unwrap_or_default();
    let found = find(&format!("next.{code}"), &[])
        .or_else(|| find(&format!("refused-next.{guard}"), &[]))
        .or_else(|| find(&format!("refused-next.{family}"), &[]));
    found.unwrap_or_else(|| t("refused-next.any", &[]))
}

/// A fixed word of core ([`rollbook_core::word`]) as people read it, by its table. A state is
/// looked for among those of its kind of object, `state.payment`, then among all, `state`. What is
/// no word of the table stays as it is.
pub fn in_words(table: &str, word: &str) -> String {
    let general = table.split_once('.').map_or(table, |(general, _)| general);
    find(&format!("{table}.{word}"), &[])
        .or_else(|| find(&format!("{general}.{word}"), &[]))
        .unwrap_or_else(|| word.to_owned())
}

/// Tables of fixed words whose name, with underscores for hyphens, is the name of a fact.
pub const FACT_TABLES: &[&str] = &[
    "appeal",
    "body",
    "class",
    "clerical",
    "floor",
    "grower",
    "growth",
    "instrument",
    "key-kind",
    "measure-kind",
    "motion-kind",
    "notice-about",
    "pledge-part",
    "pool",
    "reading",
    "role",
    "step",
    "tranche",
    "unfit",
];

/// A fact of a refusal as people read it: fixed words by their tables, instants as dates. `earlier`
/// are the facts before it.
fn fact_words(code: &str, earlier: &[(&str, String)], name: &str, value: &str) -> String {
    let is_object = |name: &str| find(&format!("object.{name}"), &[]).is_some();
    match name {
        // Whose state it is says the number before it.
        "status" | "state" => {
            let object = earlier.iter().rev().find(|(name, _)| is_object(name));
            in_words(
                &format!("state.{}", object.map_or("", |(object, _)| object)),
                value,
            )
        }
        "from" | "to" => in_words(&format!("state.{}", moved_by(code, value)), value),
        "earlier" => in_words("step", value),
        "why" => in_words("why", value),
        "needed_body" => in_words("body", value),
        // `12:control,15:family`
        "declared" | "recorded" => {
            let one = |relation: &str| match relation.split_once(':') {
                Some((other, kind)) => format!("{other} {}", in_words("relation-kind", kind)),
                None => in_words("relation-kind", relation),
            };
            let all: Vec<String> = value.split(',').map(one).collect();
            all.join(&t("word.list", &[]))
        }
        "valid_until" | "now" | "until" => match value.parse() {
            Ok(ms) => crate::dates::time(LedgerTime(ms)),
            Err(_) => value.to_owned(),
        },
        _ => match FACT_TABLES.iter().find(|table| is_same(table, name)) {
            Some(table) => in_words(table, value),
            None => value.to_owned(),
        },
    }
}

/// Facts that are amounts, whichever rule names them.
const AMOUNTS: [&str; 15] = [
    "advance",
    "amount",
    "ask",
    "available",
    "balance",
    "budget",
    "cap",
    "computed",
    "left",
    "open",
    "paid",
    "planned",
    "requested",
    "sum",
    "total",
];

/// Whether a fact of a refusal is an amount.
fn is_amount(code: &str, name: &str) -> bool {
    match name {
        "most" => code == "F07.ask-out-of-range" || code.starts_with("R2."),
        "group" | "receipts" => code.starts_with("R2."),
        name => AMOUNTS.contains(&name),
    }
}

/// An amount in a refusal: with its unit, or said to be in the smallest there is.
fn amount_words(minor: i128, unit: Option<&(String, u32)>) -> String {
    match unit {
        Some((code, exponent)) => format!("{} {code}", crate::amount::money(minor, *exponent)),
        None => t("money.smallest", &[("minor", minor.to_string())]),
    }
}

/// Whether a fact has the name of a table.
fn is_same(table: &str, name: &str) -> bool {
    table.replace('-', "_") == name
}

/// The kind of object that a refused step of `code` would have moved from or to a state; empty if no
/// table of transitions has such a step.
fn moved_by(code: &str, state: &str) -> &'static str {
    let rule = code.split_once('.').map_or(code, |(rule, _)| rule);
    let rows = table();
    let of_rule: Vec<&'static str> = rows
        .iter()
        .filter(|row| row.code == rule)
        .map(|row| row.object)
        .collect();
    rows.iter()
        .find(|row| of_rule.contains(&row.object) && (row.from == state || row.to == state))
        .map_or("", |row| row.object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<String> {
        let mut found: Vec<String> = text
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn both_languages_have_the_same_keys_and_facts() {
        for text in ENGLISH.iter().chain(CHINESE) {
            if let Err(error) = text.parse::<toml::Table>() {
                panic!("{error}");
            }
        }
        let (english, chinese) = (flatten(ENGLISH), flatten(CHINESE));
        // No file of the catalogue says again what another says.
        for (files, all) in [(ENGLISH, &english), (CHINESE, &chinese)] {
            assert_eq!(
                files
                    .iter()
                    .map(|file| flatten(&[file]).len())
                    .sum::<usize>(),
                all.len()
            );
        }
        assert!(english.len() > 20, "the English catalogue did not parse");
        for (key, text) in &english {
            let other = chinese
                .get(key)
                .unwrap_or_else(|| panic!("{key} has no Chinese"));
            assert_eq!(placeholders(text), placeholders(other), "facts of {key}");
        }
        for key in chinese.keys() {
            assert!(english.contains_key(key), "{key} has no English");
        }
    }

    #[test]
    fn what_stands_in_a_fact_is_no_template() {
        let facts = [("a", "{b}".to_owned()), ("b", "{a}".to_owned())];
        assert_eq!(filled("{a}, {b}, {c}, {", &facts), "{b}, {a}, {c}, {");
        assert_eq!(filled("{{a}}", &facts), "{{b}}");
        assert_eq!(filled("{}", &[("", "x".to_owned())]), "x");
    }

    /// A refusal once said 'computed 9000000' of 90,000 yuan.
    #[test]
    fn amounts_of_a_refusal_have_their_unit() {
        let facts = [
            ("computed", "9000000".to_owned()),
            ("requested", "1".to_owned()),
        ];
        let unit = ("CNY".to_owned(), 2);
        let told = refusal_in("F16.other-amount", &facts, Some(&unit));
        assert!(
            told.contains("90,000.00 CNY") && told.contains("0.01 CNY"),
            "{told}"
        );
        let told = refusal("F16.other-amount", &facts);
        assert!(told.contains("9000000 in the smallest unit"), "{told}");
        let score = [("score", "11".to_owned()), ("most", "10".to_owned())];
        let told = refusal_in("F09.score-out-of-range", &score, Some(&unit));
        assert!(!told.contains("CNY"), "points are no money: {told}");
    }

    #[test]
    fn a_state_is_that_of_the_object_named_before_it() {
        let facts = |all: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            all.iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect()
        };
        let held = facts(&[("post", "3"), ("payment", "7"), ("state", "held")]);
        assert!(refusal("F19.any", &held).ends_with("state on hold"));
        let held = facts(&[("post", "3"), ("state", "held")]);
        assert!(refusal("F19.any", &held).ends_with("state held"));
        // A step names no object; its rule is one of payments.
        let step = facts(&[("from", "held"), ("to", "returned")]);
        assert!(
            refusal("F19.wrong-state", &step).ends_with("(from on hold, to returned by the bank)"),
            "{}",
            refusal("F19.wrong-state", &step)
        );
        let relations = facts(&[("declared", "12:control,15:family"), ("recorded", "none")]);
        assert!(
            refusal("M01.any", &relations)
                .ends_with("declared 12 control, 15 family, recorded none"),
            "{}",
            refusal("M01.any", &relations)
        );
    }

    /// A refused step names the rule and no object; that is enough as long as a state that several
    /// objects of a rule have is called the same.
    #[test]
    fn the_rule_of_a_step_says_what_its_states_are_called() {
        let rows = table();
        let mut seen = 0;
        let mut differ = std::collections::BTreeSet::new();
        for rule in &rows {
            for row in rows.iter().filter(|row| row.object == rule.object) {
                for state in [&row.from, &row.to] {
                    let called = in_words(&format!("state.{}", row.object), state);
                    let found = moved_by(&format!("{}.wrong-state", rule.code), state);
                    let other = in_words(&format!("state.{found}"), state);
                    if other != called {
                        differ.insert(format!(
                            "{} and {found}: {state} is {called}, {other}",
                            rule.object
                        ));
                    }
                    seen += 1;
                }
            }
        }
        assert!(differ.is_empty(), "{differ:#?}");
        assert!(seen > 1_000);
    }
}
