//! A failure as a person reads it: what happened, why, what to do next.

use rollbook_words::catalogue::{refusal_next, t};
use rollbook_words::node::words;

/// Exit code 1: refused, or a finding.
pub const REFUSED: u8 = 1;
/// Exit code 2: the input cannot be used.
pub const UNUSABLE: u8 = 2;
/// Exit code 3: not final yet, or stale.
pub const NOT_YET: u8 = 3;
/// Exit code 4: no node answered.
pub const UNREACHABLE: u8 = 4;

/// What a command returns when it cannot do its work.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: u8,
    /// What happened.
    pub what: String,
    /// Why, if there is more to say.
    pub why: Option<String>,
    /// What to do next.
    pub next: Option<String>,
}

impl Failure {
    /// Input that cannot be used.
    pub fn unusable(what: impl Into<String>) -> Failure {
        Failure {
            exit: UNUSABLE,
            what: what.into(),
            why: None,
            next: None,
        }
    }

    /// A refusal by the rules.
    pub fn refused(what: impl Into<String>) -> Failure {
        Failure {
            exit: REFUSED,
            what: what.into(),
            why: None,
            next: None,
        }
    }

    /// A refusal by the rule of `code`, with the next step if the catalogue has one.
    pub fn by_rule(code: &str, sentence: String) -> Failure {
        Failure::refused(sentence).next(refusal_next(code))
    }

    /// No node answered.
    pub fn unreachable(what: impl Into<String>) -> Failure {
        Failure {
            exit: UNREACHABLE,
            what: what.into(),
            why: None,
            next: None,
        }
    }

    /// Not final yet.
    pub fn not_yet(what: impl Into<String>) -> Failure {
        Failure {
            exit: NOT_YET,
            what: what.into(),
            why: None,
            next: None,
        }
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

    /// Writes it to stderr. What a node or the operating system said is translated here, wherever
    /// in a failure it stands.
    pub fn print(&self) {
        eprintln!("{}: {}", t("word.error", &[]), words(&self.what));
        if let Some(why) = &self.why {
            eprintln!("  {}: {}", t("word.why", &[]), words(why));
        }
        if let Some(next) = &self.next {
            eprintln!("\n{}: {}", t("word.next", &[]), words(next));
        }
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
            .because(failure.why)
            .next(failure.next)
    }
}
