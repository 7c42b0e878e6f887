//! No sentence and no document names a command that does not exist.
//!
//! `rollbook keys revoke` was promised by an error text before there was such a command: whoever read
//! it looked for it in vain. Every command that a message or a document names is looked up in the
//! tree, with its flags.

use clap::Command;
use rollbook_words::catalogue::{Language, templates};

use super::tree;

/// What ends a command inside a sentence.
const ENDS: &[char] = &[
    '\n', '\'', '`', '"', '”', '；', '，', '。', '（', '）', '(', ')', ';', '#', ':',
];

/// The words of every command that a text names. In documents only what stands as code counts.
fn named(text: &str, document: bool) -> Vec<Vec<&str>> {
    let starts = text.match_indices("rollbook ").filter(|(at, _)| {
        let before = &text[..*at];
        let last = before.chars().last();
        if document {
            return before.is_empty() || before.ends_with(['`', '\n']) || before.ends_with("\n$ ");
        }
        !last.is_some_and(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
    });
    starts
        .map(|(at, found)| {
            let rest = &text[at + found.len()..];
            let end = rest.find(ENDS).unwrap_or(rest.len());
            rest[..end].split_whitespace().collect()
        })
        .collect()
}

/// Words of the command line as they stand, not placeholders such as `NOUN` or `{file}`.
fn is_word(word: &str) -> bool {
    // `360giving` is a word, too.
    word.contains(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '|')
}

/// Why the tree has no such command, if it has none.
fn missing(root: &Command, words: &[&str]) -> Option<String> {
    let mut command = root;
    // `rollbook --lang zh audit ..`: the flags of the root take a value each.
    let mut words = words;
    while let [flag, _, rest @ ..] = words
        && flag.starts_with("--")
    {
        words = rest;
    }
    let mut words = words.iter().peekable();
    while command.has_subcommands()
        && let Some(word) = words
            .peek()
            .filter(|word| is_word(word) && !word.starts_with("--"))
    {
        let all: Vec<Option<&Command>> = word
            .split('|')
            .map(|word| command.find_subcommand(word))
            .collect();
        match all.first() {
            Some(Some(found)) if all.iter().all(Option::is_some) => command = found,
            _ => return Some(format!("'{}' has no '{word}'", command.get_name())),
        }
        words.next();
    }
    for word in words {
        let Some(flag) = word.strip_prefix("--") else {
            continue;
        };
        let flag: String = flag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let known = |of: &Command| {
            of.get_arguments()
                .any(|known| known.get_long() == Some(&flag))
        };
        let usual = ["help", "version"].contains(&flag.as_str());
        if !flag.is_empty() && !usual && !known(command) && !known(root) {
            return Some(format!("'{}' has no '--{flag}'", command.get_name()));
        }
    }
    None
}

#[test]
fn every_command_that_a_message_names_exists() {
    let root = tree(None);
    let mut wrong = Vec::new();
    let mut count = 0;
    for language in [Language::English, Language::Chinese] {
        for (key, text) in templates(language) {
            for words in named(text, false) {
                count += 1;
                wrong.extend(missing(&root, &words).map(|why| format!("{key}: {why}: {text}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "{count}");
}

#[test]
fn every_command_that_a_document_names_exists() {
    let root = tree(None);
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![top.join("README.md"), top.join("README.zh.md")];
    for folder in [
        "docs",
        "docs/guides",
        "cli/templates/en",
        "cli/templates/zh",
    ] {
        let entries = std::fs::read_dir(top.join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        for words in named(&text, true) {
            count += 1;
            let why = missing(&root, &words);
            wrong.extend(why.map(|why| format!("{}: {why}: {}", file.display(), words.join(" "))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "{count}");
}

/// Every line of the guides is typed: the whole of it is read as the program reads it, with its flags
/// and what they take.
#[test]
fn every_line_of_the_guides_is_a_command() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.starts_with("rollbook ")) {
            count += 1;
            // A title in quotes is one word.
            let words = line.split('"').enumerate().flat_map(|(at, part)| {
                let quoted = at % 2 == 1;
                let plain = part.split_whitespace().filter(move |_| !quoted);
                plain.chain(quoted.then_some(part))
            });
            use clap::error::ErrorKind::DisplayHelp;
            match tree(None).try_get_matches_from(words) {
                Err(error) if error.kind() != DisplayHelp => {
                    wrong.push(format!("{}: {line}: {error}", file.display()));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 60, "{count}");
}

/// The test sees what it is for.
#[test]
fn an_invented_command_is_found() {
    let root = tree(None);
    let told = |text| {
        named(text, false)
            .iter()
            .find_map(|words| missing(&root, words))
    };
    assert!(told("first 'rollbook keys melt 11', then").is_some());
    assert!(told("rollbook genesis draft --forced").is_some());
    assert!(told("rollbook testnet status|jump --dir rb").is_some());
    assert_eq!(
        told("rollbook genesis draft DIR --force; then rollbook NOUN show"),
        None
    );
}
