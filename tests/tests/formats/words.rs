//! Fixed words (RULINGS A32): no fact, answer, page or document is made from Debug output, and every
//! word of core has its text in both languages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rollbook_words::catalogue::{FACT_TABLES, Language, t_in};

use crate::source::{Sources, files, root};

/// What makes texts that people or programs read.
const SAYS: [&str; 9] = [
    "core/src",
    "core/proof/src",
    "node/wire/src",
    "node/words/src",
    "node/src",
    "cli/src",
    "cli/audit/src",
    "cli/client/src",
    "cli/sandbox/src",
];

/// Debug output that nobody reads as a fact: where, the line, why it may be.
const ALLOWED: [(&str, &str, &str); 3] = [
    (
        "cli/sandbox/src/keys.rs",
        r#"Keypair::derive(seed, &format!("node/{organisation}/{kind:?}"))"#,
        "the seed of a made-up key",
    ),
    (
        "cli/sandbox/src/story.rs",
        r#"let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));"#,
        "a fault of the demo's own script, for who mends it",
    ),
    (
        "node/src/journal/blocks.rs",
        r#"debug_assert!(applied.is_ok(), "{applied:?}");"#,
        "not in the binary",
    ),
];

/// The lines of a file that are in the program: neither comments nor tests.
fn program(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// Whether a line has a place for Debug output in a text: `{:?}`, `{state:?}`, `{0:#?}`.
fn says_debug(line: &str) -> bool {
    line.split('{').skip(1).any(|place| {
        place
            .split_once('}')
            .is_some_and(|(inside, _)| inside.ends_with('?') && inside.contains(':'))
    })
}

#[test]
fn nothing_that_is_read_is_made_from_debug_output() {
    assert!(says_debug(r#"format!("{:?}", x)"#) && says_debug(r#"("{0}: {state:#?}")"#));
    assert!(!says_debug(r#"format!("{state}?")"#) && !says_debug("if let Some(x) = y()? {}"));
    let mut allowed: BTreeSet<(&str, &str)> = ALLOWED
        .iter()
        .map(|(file, line, _)| (*file, *line))
        .collect();
    let (mut found, mut read) = (Vec::new(), 0);
    for folder in SAYS {
        let mut paths = Vec::new();
        files(&root().join(folder), &mut paths);
        for path in paths {
            let file = path.strip_prefix(root()).unwrap().to_string_lossy();
            let file = file.replace('\\', "/");
            if file.ends_with("tests.rs") || file.contains("/tests/") {
                continue;
            }
            read += 1;
            for line in program(&path).iter().filter(|line| says_debug(line)) {
                let known = ALLOWED
                    .iter()
                    .find(|(place, text, _)| *place == file && text == line);
                match known {
                    Some((place, text, _)) => drop(allowed.remove(&(*place, *text))),
                    None => found.push(format!("{file}: {line}")),
                }
            }
        }
    }
    assert!(read > 150, "the sources were not read");
    assert!(
        found.is_empty(),
        "give the enum a fixed word (core/src/word.rs):\n{}",
        found.join("\n")
    );
    assert!(allowed.is_empty(), "not there any more: {allowed:?}");
}

/// The words of one enum.
struct Words {
    of: String,
    table: String,
    words: Vec<(String, String)>,
}

/// Every `words!(Type, "table", { Variant = "word", .. });` of core.
fn all_words(sources: &Sources) -> Vec<Words> {
    let mut all = Vec::new();
    for (_, text) in sources.texts() {
        for part in text.split("crate::words!(").skip(1) {
            let (head, rest) = part.split_once('{').unwrap();
            let (body, _) = rest.split_once('}').unwrap();
            let (of, table) = head.split_once(',').unwrap();
            let pairs = body.lines().filter_map(|line| {
                let (variant, word) = line.trim().strip_suffix(',')?.split_once(" = ")?;
                Some((variant.to_owned(), word.trim_matches('"').to_owned()))
            });
            all.push(Words {
                of: of.trim().to_owned(),
                table: table
                    .trim()
                    .trim_end_matches(',')
                    .trim_matches('"')
                    .to_owned(),
                words: pairs.collect(),
            });
        }
    }
    assert!(all.len() > 30, "the words of core have another form");
    all
}

/// No rule compares states with `<` (RULINGS A28): they have no order.
#[test]
fn no_state_has_an_order() {
    let sources = Sources::read();
    let mut seen = 0;
    for Words { of, table, .. } in all_words(&sources) {
        if !table.starts_with("state.") {
            continue;
        }
        let module = format!("object/{}", table.trim_start_matches("state."));
        // Keys of officers stand in their persons' rows.
        let module = match table.as_str() {
            "state.key" => "identity".to_owned(),
            _ => module.replace('-', "_"),
        };
        let module = module.replace("instalment", "contribution");
        let module = module.replace("dues", "membership");
        let module = module.replace("discipline", "membership");
        let module = module.replace("exit", "membership");
        let (_, text) = sources.texts().find(|(name, _)| *name == module).unwrap();
        let (before, _) = text.split_once(&format!("pub enum {of} {{")).unwrap();
        let (_, derives) = before.rsplit_once("#[derive(").unwrap();
        assert!(!derives.contains("Ord"), "{of}");
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

/// `UnderReview` as `under-review`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[test]
fn every_word_has_its_text_in_both_languages() {
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Words { of, table, words } in all_words(&Sources::read()) {
        assert!(!words.is_empty(), "{of}");
        for (variant, word) in words {
            // JSON calls the same value the same.
            assert_eq!(word, kebab(&variant), "{of}");
            let keys: Vec<String> = match table.split_once('.') {
                Some((general, _)) => vec![format!("{table}.{word}"), format!("{general}.{word}")],
                None => vec![format!("{table}.{word}")],
            };
            for language in [Language::English, Language::Chinese] {
                assert!(
                    keys.iter().any(|key| t_in(language, key, &[]) != *key),
                    "no words for {keys:?} of {of} in {language:?}"
                );
            }
            assert!(
                tables.entry(table.clone()).or_default().insert(word),
                "{table} has {variant} of {of} twice"
            );
        }
    }
    // What no fact names: who asks shows these by themselves.
    let shown = [
        "ballot-visibility",
        "cessation",
        "charge",
        "deadline",
        "dues-mark",
        "effect",
        "notice-channel",
        "relation-kind",
        "validator.going",
        "validator.hindrance",
        "validator.wanting",
    ];
    let named: BTreeSet<&str> = tables
        .keys()
        .map(String::as_str)
        .filter(|table| {
            !["state.", "why."]
                .iter()
                .any(|kind| table.starts_with(kind))
        })
        .filter(|table| !shown.contains(table))
        .collect();
    assert_eq!(named, FACT_TABLES.iter().copied().collect());
}

/// The facts of each `require!` and `refuse!`, by name, and a part of the source.
fn facts(text: &str) -> Vec<(Vec<String>, String)> {
    let text = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    let mut all = Vec::new();
    for opening in ["require!(", "refuse!("] {
        for part in text.split(opening).skip(1) {
            let mut depth = 1;
            let end = part.find(|c| {
                depth += match c {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let inside = &part[..end.unwrap_or(part.len())];
            // The code, then `name = value`.
            let after = inside.rsplit('"').next().unwrap_or_default();
            let names = after.split(',').filter_map(|fact| {
                let (name, _) = fact.split_once(" = ")?;
                Some(name.trim().to_owned())
            });
            all.push((names.collect(), inside.to_owned()));
        }
    }
    all
}

/// The catalogue has other words for the state of a payment than for that of a post: a fact that is a
/// state follows the number of what it is a state of.
#[test]
fn a_fact_that_is_a_state_follows_the_number_of_its_object() {
    let kinds: BTreeSet<&str> = rollbook_core::rules::table()
        .iter()
        .map(|row| row.object)
        .collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (module, text) in Sources::read().texts() {
        for (names, inside) in facts(text) {
            let state = names
                .iter()
                .position(|name| name == "status" || name == "state");
            let Some(place) = state else { continue };
            seen += 1;
            if !names[..place]
                .iter()
                .any(|name| kinds.contains(name.as_str()))
            {
                wrong.push(format!("{module}: {inside}"));
            }
        }
    }
    assert!(seen > 20, "the facts of refusals have another form");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
