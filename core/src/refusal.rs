//! What becomes of a record, in words that every rule shares.
//!
//! Two refusals (RULINGS A4): *inadmissible* ([`Refusal`]) is never in a block; *recorded without
//! effect* ([`Outcome::NotCounted`]) is in the log and changes nothing but what its rule says.

use bincode::{Decode, Encode};

/// Why a record is inadmissible: a language-free code, such as `M01.live-membership`, and the facts
/// of the case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// Transition or ruling, a dot, and the guard.
    pub code: &'static str,
    /// Named facts, for the message in the reader's language.
    pub facts: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with its facts.
    pub fn new(code: &'static str, facts: Vec<(&'static str, String)>) -> Self {
        Refusal { code, facts }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        for (i, (name, value)) in self.facts.iter().enumerate() {
            write!(f, "{}{name} {value}", if i == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Returns a [`Refusal`] from the current function.
#[macro_export]
macro_rules! refuse {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        return Err($crate::refusal::Refusal::new($code, vec![$((stringify!($name), ($value).to_string())),*]))
    };
}

/// Refuses unless the condition holds.
#[macro_export]
macro_rules! require {
    ($condition:expr, $code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        if !($condition) {
            $crate::refuse!($code $(, $name = $value)*)
        }
    };
}

/// What came of a record that is in the log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum Outcome {
    /// It took effect.
    Applied,
    /// It is recorded and was not counted.
    NotCounted(NotCounted),
}

/// The few reasons for which a record is in the log without effect (RULINGS A4).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum NotCounted {
    /// An application after its deadline.
    LateApplication,
    /// A second member of a group voted; the first ballot of the group stands.
    DuplicateGroup,
    /// The member is recused from the motion.
    Recused,
}
