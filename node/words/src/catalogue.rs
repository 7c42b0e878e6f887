//! The one message catalogue (RULINGS R19): every sentence a person reads, in English and Chinese.
//!
//! Keys are dotted; values hold `{name}` for facts. Identifiers, JSON keys and rule codes are
//! language-free and not here. A test holds that both languages have the same keys and the same
//! facts, and that every rule code of core has a sentence.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

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
/// business verbs, what is said about acts.
const ENGLISH: &[&str] = &[
    include_str!("../messages/en.toml"),
    include_str!("../messages/en-bench.toml"),
    include_str!("../messages/en-demo.toml"),
    include_str!("../messages/en-next.toml"),
    include_str!("../messages/en-read.toml"),
    include_str!("../messages/en-rules.toml"),
    include_str!("../messages/en-verbs.toml"),
    include_str!("../messages/en-acts.toml"),
];
const CHINESE: &[&str] = &[
    include_str!("../messages/zh.toml"),
    include_str!("../messages/zh-bench.toml"),
    include_str!("../messages/zh-demo.toml"),
    include_str!("../messages/zh-next.toml"),
    include_str!("../messages/zh-read.toml"),
    include_str!("../messages/zh-rules.toml"),
    include_str!("../messages/zh-verbs.toml"),
    include_str!("../messages/zh-acts.toml"),
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

/// The sentence of `key` with its facts, or `None` if the catalogue has none.
pub fn find(key: &str, facts: &[(&str, String)]) -> Option<String> {
    let template = catalogue(language()).get(key)?;
    let mut text = template.clone();
    for (name, value) in facts {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    Some(text)
}

/// The sentence of `key` in a language, for pages that carry both.
pub fn t_in(language: Language, key: &str, facts: &[(&str, String)]) -> String {
    let Some(template) = catalogue(language).get(key) else {
        return key.to_owned();
    };
    facts.iter().fold(template.clone(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// The sentence of `key` with its facts. A missing key shows itself; a test keeps that from
/// happening.
pub fn t(key: &str, facts: &[(&str, String)]) -> String {
    find(key, facts).unwrap_or_else(|| key.to_owned())
}

/// A refusal as a sentence: the code, then the catalogue's words for it or for its guard, then the
/// facts that they do not name.
pub fn refusal(code: &str, facts: &[(&str, String)]) -> String {
    let facts: Vec<(&str, String)> = facts
        .iter()
        .map(|(name, value)| (*name, fact_words(name, value)))
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

/// A fact of a refusal as people read it: roles and classes of act by their words, instants as
/// dates.
fn fact_words(name: &str, value: &str) -> String {
    let words = match name {
        "role" | "class" => {
            let mut kebab = String::new();
            for c in value.chars() {
                if c.is_ascii_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.push(c.to_ascii_lowercase());
            }
            find(&format!("{name}.{kebab}"), &[])
        }
        "valid_until" | "now" => value
            .parse()
            .ok()
            .map(|ms| crate::dates::time(LedgerTime(ms))),
        _ => None,
    };
    words.unwrap_or_else(|| value.to_owned())
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
}
