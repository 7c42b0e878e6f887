//! What is wrong with a secretary's files: every problem with file and line, in one go.

use std::collections::BTreeSet;
use std::rc::Rc;

use rollbook_words::catalogue::t;
use serde::Serialize;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the person named it.
    pub file: Rc<str>,
    /// Line, counted from 1.
    pub line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// One problem.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line.
    pub line: Option<usize>,
    /// Language-free code.
    pub code: &'static str,
    /// The sentence.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.text),
            None => write!(f, "{}: {}", self.file, self.text),
        }
    }
}

/// All problems. Errors forbid a draft, warnings ask for a look.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order found.
    pub errors: Vec<Problem>,
    /// In the order found.
    pub warnings: Vec<Problem>,
    lost: BTreeSet<u32>,
    lost_unknown: bool,
}

impl Report {
    /// Notes an error; the sentence is `draft.<code>` of the catalogue.
    pub fn error(&mut self, place: &Place, code: &'static str, facts: &[(&str, String)]) {
        self.errors.push(problem(place, code, facts));
    }

    /// Notes a warning.
    pub fn warn(&mut self, place: &Place, code: &'static str, facts: &[(&str, String)]) {
        self.warnings.push(problem(place, code, facts));
    }

    /// Notes that an organisation's entry could not be read, with its number if that much was: what
    /// names it elsewhere is no mistake of its own.
    pub fn lost(&mut self, number: Option<u32>) {
        match number {
            Some(number) => drop(self.lost.insert(number)),
            None => self.lost_unknown = true,
        }
    }

    /// Whether an organisation may be missing only because its entry could not be read: the cause is
    /// said once, where the entry stands.
    pub fn excuses(&self, number: u32) -> bool {
        self.lost_unknown || self.lost.contains(&number)
    }

    /// By file and line.
    pub fn sort(&mut self) {
        for list in [&mut self.errors, &mut self.warnings] {
            list.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        }
    }
}

fn problem(place: &Place, code: &'static str, facts: &[(&str, String)]) -> Problem {
    Problem {
        file: place.file.to_string(),
        line: place.line,
        code,
        text: t(&format!("draft.{code}"), facts),
    }
}

/// The known word nearest to `word`, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.chars().count() / 3))
        .map(|(_, candidate)| candidate)
}

/// `did you mean '..'?`, or nothing.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known)
        .map(|near| t("draft.did-you-mean", &[("near", near.to_owned())]))
        .unwrap_or_default()
}
