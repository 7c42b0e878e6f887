//! What comes from the node crate, in Chinese (RULINGS R19). A node speaks English: its log is read
//! by whoever runs it, and the slim server binary has no catalogue. The command line translates at
//! its border, with the sentence table `messages/zh-node.toml`: an English sentence with `{}` for
//! what varies, and the Chinese with `{0}`, `{1}`, .. in that order.
//!
//! * A sentence is found as a whole; of several that fit, the one with the most fixed text. What
//!   varies is translated in turn.
//! * Otherwise a text is taken apart as the node puts texts together: lines, a list with `; `, a
//!   reason after `: `.
//! * What no sentence fits stays as it is. Nothing here decides anything: codes, numbers and paths
//!   pass unchanged.
//!
//! A test (`tests/node_words.rs`) holds the table against the sources of the node.

use std::sync::OnceLock;

use crate::catalogue::{Language, language};

/// The table: `[sentence]` holds what the sources of node and core say, `[system]` what the
/// operating system and libraries do.
const TABLE: &str = include_str!("../messages/zh-node.toml");
/// How deep sentences stand in sentences at most.
const DEPTH: usize = 8;

static SENTENCES: OnceLock<Vec<Sentence>> = OnceLock::new();

struct Sentence {
    /// The fixed text around what varies.
    fixed: Vec<String>,
    chinese: String,
}

impl Sentence {
    /// What varies in `text`, if it is this sentence.
    fn facts<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.fixed.split_first()?;
        let text = text.strip_prefix(first.as_str())?;
        let Some((last, middle)) = rest.split_last() else {
            return text.is_empty().then(Vec::new);
        };
        let mut text = text.strip_suffix(last.as_str())?;
        let mut facts = Vec::new();
        for fixed in middle {
            let (fact, after) = text.split_once(fixed.as_str())?;
            facts.push(fact);
            text = after;
        }
        facts.push(text);
        Some(facts)
    }

    fn weight(&self) -> usize {
        self.fixed.iter().map(String::len).sum()
    }
}

fn sentences() -> &'static [Sentence] {
    SENTENCES.get_or_init(|| {
        let sentence = |(english, chinese): (&str, &str)| Sentence {
            fixed: english.split("{}").map(str::to_owned).collect(),
            chinese: chinese.to_owned(),
        };
        let tables: toml::Table = TABLE.parse().unwrap_or_default();
        let pairs = tables.values().filter_map(toml::Value::as_table).flatten();
        pairs
            .filter_map(|(english, chinese)| Some(sentence((english, chinese.as_str()?))))
            .collect()
    })
}

/// A text of the node in the language of this process.
pub fn words(text: &str) -> String {
    if language() == Language::Chinese {
        in_chinese(text)
    } else {
        text.to_owned()
    }
}

/// A text of the node in Chinese, as far as the table goes.
pub fn in_chinese(text: &str) -> String {
    translate(text, DEPTH).unwrap_or_else(|| text.to_owned())
}

/// `None` if no part of the text is known.
fn translate(text: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let or_same = |part: &str| translate(part, depth).unwrap_or_else(|| part.to_owned());
    if text.contains('\n') {
        return Some(text.split('\n').map(or_same).collect::<Vec<_>>().join("\n"));
    }
    // What happened and why, both known: only so is it clear where a path ends.
    let colons = || {
        text.match_indices(": ")
            .filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 2..)?)))
    };
    let both = colons()
        .find_map(|(what, why)| Some(format!("{}：{}", whole(what, depth)?, whole(why, depth)?)));
    let list = || {
        text.split("; ")
            .map(|part| whole(part, depth))
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.join("；"))
    };
    if let Some(known) = both.or_else(list).or_else(|| whole(text, depth)) {
        return Some(known);
    }
    let what =
        colons().find_map(|(what, why)| Some(format!("{}：{}", whole(what, depth)?, or_same(why))));
    if what.is_some() {
        return what;
    }
    if text.contains("; ") {
        return Some(text.split("; ").map(or_same).collect::<Vec<_>>().join("; "));
    }
    colons().find_map(|(what, why)| Some(format!("{what}: {}", whole(why, depth)?)))
}

/// A text that is one sentence.
fn whole(text: &str, depth: usize) -> Option<String> {
    let fits = sentences()
        .iter()
        .filter_map(|sentence| Some((sentence, sentence.facts(text)?)));
    let (sentence, facts) = fits.max_by_key(|(sentence, _)| sentence.weight())?;
    // Put in at once, so that a fact that looks like a place is left alone.
    let mut chinese = String::new();
    let mut rest = sentence.chinese.as_str();
    while let Some((before, (number, after))) = rest
        .split_once('{')
        .and_then(|(before, at)| Some((before, at.split_once('}')?)))
    {
        chinese.push_str(before);
        match number
            .parse::<usize>()
            .ok()
            .and_then(|number| facts.get(number))
        {
            Some(fact) => {
                chinese.push_str(&translate(fact, depth).unwrap_or_else(|| (*fact).to_owned()))
            }
            None => chinese.push_str(&format!("{{{number}}}")),
        }
        rest = after;
    }
    chinese.push_str(rest);
    Some(chinese)
}
