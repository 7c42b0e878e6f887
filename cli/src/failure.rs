//! A failure as a person reads it: what happened, why, what to do next.

use rollbook_words::catalogue::{refusal_next, said};

/// Exit code 1: refused, or a finding.
pub const REFUSED: u8 = 1;
/// Exit code 2: the input cannot be used.
pub const UNUSABLE: u8 = 2;
/// Exit code 3: not final yet, or stale.
pub const NOT_YET: u8 = 3;
/// Exit code 4: no node answered.
pub const UNREACHABLE: u8 = 4;
/// Exit code 5: what was done could not be written where it was to be read (RULINGS A34, A64).
pub const UNWRITTEN: u8 = 5;

/// What a command returns when it cannot do its work.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: u8,
    /// What a script knows it by: the code of a rule, else the key of the sentence in the catalogue.
    pub code: String,
    /// What happened.
    pub what: String,
    /// Why, if there is more to say.
    pub why: Option<String>,
    /// What to do next.
    pub next: Option<String>,
    /// What the sentence names, for scripts: `("file", "members.csv")`.
    pub facts: Vec<(String, String)>,
}

impl Failure {
    /// A failure with an exit code. If the catalogue has just made its sentence, its key and its
    /// facts go with it.
    pub fn of(exit: u8, what: impl Into<String>) -> Failure {
        let what = what.into();
        let (code, facts) = said(&what).unwrap_or_else(|| (word(exit).to_owned(), Vec::new()));
        Failure {
            exit,
            code,
            what,
            why: None,
            next: None,
            facts,
        }
    }

    /// Input that cannot be used.
    pub fn unusable(what: impl Into<String>) -> Failure {
        Failure::of(UNUSABLE, what)
    }

    /// A refusal by the rules.
    pub fn refused(what: impl Into<String>) -> Failure {
        Failure::of(REFUSED, what)
    }

    /// A refusal by the rule of `code`, with the next step if the catalogue has one.
    pub fn by_rule(code: &str, sentence: String) -> Failure {
        Failure::refused(sentence)
            .coded(code)
            .next(refusal_next(code))
    }

    /// No node answered.
    pub fn unreachable(what: impl Into<String>) -> Failure {
        Failure::of(UNREACHABLE, what)
    }

    /// Not final yet.
    pub fn not_yet(what: impl Into<String>) -> Failure {
        Failure::of(NOT_YET, what)
    }

    /// Output that could not be written.
    pub fn unwritten(what: impl Into<String>) -> Failure {
        Failure::of(UNWRITTEN, what)
    }

    /// Gives the code that scripts know it by.
    pub fn coded(mut self, code: &str) -> Failure {
        self.code = code.to_owned();
        self
    }

    /// Adds the reason.
    pub fn because(mut self, why: impl std::fmt::Display) -> Failure {
        self.why = Some(why.to_string());
        self
    }

    /// Adds the next step.
    pub fn next(mut self, next: impl Into<String>) -> Failure {
        self.next = Some(next.into());
        self
    }
}

/// The word for a failure whose sentence has no key.
const fn word(exit: u8) -> &'static str {
    match exit {
        REFUSED => "refused",
        NOT_YET => "not-yet",
        UNREACHABLE => "unreachable",
        UNWRITTEN => "unwritten",
        _ => "unusable",
    }
}

/// The sentence and its reason, in one line: for errors that carry a failure as their cause.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<rollbook_node::failure::Failure> for Failure {
    /// What keeps a node from running is input that cannot be used.
    fn from(failure: rollbook_node::failure::Failure) -> Failure {
        Failure::unusable(failure.what)
            .coded("node")
            .because(failure.why)
            .next(failure.next)
    }
}
