//! Business verbs: one table from the words of the command tree to the acts of core.
//!
//! * A verb names an act (`Membership.Screen`) and its arguments; the arguments become the act's
//!   fields. Long acts are read from a TOML file with `--from` ([`from`]), whose names are those of
//!   the flags; flags override the file. What a verb does is core's business; this table only
//!   spells it.
//! * What the ledger knows is read from it and not typed ([`known`]); where it is typed, it has to
//!   agree.
//! * A test walks every enum of core and fails when a kind of record has no verb ([`ELSEWHERE`]
//!   lists those that have a command of their own or are never proposed).
//! * What cannot be read is told with the argument as it stands on the command line, what was
//!   found, what is accepted, an example.

pub mod affairs;
mod assembly;
mod belonging;
mod fill;
pub mod forms;
pub mod from;
pub mod grants;
mod hints;
pub mod known;
mod money;
pub mod opening;
pub mod people;
mod spell;
pub mod standing;
mod table;

use serde_json::{Map, Value};

use crate::failure::Failure;
use forms::Form;
pub use hints::shown;
use known::Told;
use opening::Reading;
pub use spell::{Given, is_table};
pub use table::ELSEWHERE;

/// Verbs of two tables as one.
#[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const fn joined<const N: usize>(first: &[Verb], second: &[Verb]) -> [Verb; N] {
    let mut all = [first[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() {
            first[at]
        } else {
            second[at - first.len()]
        };
        at += 1;
    }
    all
}

/// Every verb.
pub const VERBS: &[Verb] =
    &joined::<{ CONCERNS.len() + standing::VERBS.len() }>(CONCERNS, standing::VERBS);
const CONCERNS: &[Verb] =
    &joined::<{ OTHERS.len() + belonging::VERBS.len() }>(OTHERS, belonging::VERBS);
const OTHERS: &[Verb] =
    &joined::<{ BEFORE_GRANTS.len() + grants::VERBS.len() }>(BEFORE_GRANTS, grants::VERBS);
const BEFORE_GRANTS: &[Verb] =
    &joined::<{ BUSINESS.len() + affairs::VERBS.len() }>(BUSINESS, affairs::VERBS);
const BUSINESS: &[Verb] =
    &joined::<{ table::VERBS.len() + people::VERBS.len() }>(table::VERBS, people::VERBS);

/// How an argument is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Number,
    /// The number of an object, by the word of its kind; it may carry its letter (`V-42`). One that
    /// names another kind of object is refused.
    Id(&'static str),
    /// An amount as people write it, `90,000.00`, in the unit of the act's fund, or of the charter
    /// for dues; with at most the unit's digits after the point.
    Money,
    /// A score: a whole number of points, no money.
    Points,
    /// A block height.
    Height,
    /// An instant, `2026-11-24T10:00:00+08:00`.
    Instant,
    /// A text.
    Text,
    /// A document: 64 hexadecimal digits, or `@FILE` for the SHA-256 of a file.
    Hash,
    /// A record id or a digest that the ledger told: 64 hexadecimal digits, or the first of them
    /// where the ledger knows the rest.
    Record,
    /// A commitment to what stays off the ledger: 64 hexadecimal digits, `@FILE` for a content that
    /// is sealed now, or `@FILE` of an opening made before.
    Sealed,
    /// A shape with a spelling of its own.
    Form(Form),
    /// A day, `2026-11-24`.
    Day,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several texts, comma between.
    List,
    /// Several whole numbers, comma between.
    Numbers,
    /// 32 bytes, as 64 hexadecimal digits.
    Bytes,
    /// A JSON value, for what has no better spelling.
    Json,
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Field of the act; `-` instead of `_` on the command line.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// A word of its own place, not a flag.
    pub positional: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// What stands if it is left out, as JSON; nothing for fields that may be absent.
    pub usual: Option<&'static str>,
    /// Whether it is read from the ledger if it is left out.
    pub known: bool,
}

/// One verb.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// Noun and verb.
    pub path: (&'static str, &'static str),
    /// Family and variant.
    pub act: (&'static str, &'static str),
    /// Inside which field of the act the arguments stand, for acts that wrap one more enum.
    pub inside: &'static [&'static str],
    /// Arguments.
    pub fields: &'static [Field],
    /// Fills the fields that rest on others, after the arguments were read.
    pub fill: fn(&mut Map<String, Value>, &mut Reading) -> Result<(), Failure>,
    /// What the ledger knows of the fields.
    pub known: fn(&Map<String, Value>, &mut Reading) -> Result<Told, Failure>,
    /// Days of a motion's ballot, if nothing else is asked for.
    pub ballot_days: u32,
}

const PLAIN: Field = Field {
    name: "",
    kind: Kind::Text,
    positional: false,
    optional: false,
    usual: None,
    known: false,
};

/// The number of an object whose kind has the name of the field.
const fn id(name: &'static str) -> Field {
    id_of(name, name)
}

/// The number of an object of a kind.
const fn id_of(name: &'static str, kind: &'static str) -> Field {
    place(name, Kind::Id(kind))
}

/// A word of its own place.
const fn place(name: &'static str, kind: Kind) -> Field {
    Field {
        positional: true,
        ..flag(name, kind)
    }
}

/// The number of an object that leads to what the act names, and is no field of it.
const fn about(name: &'static str) -> Field {
    Field {
        optional: true,
        ..id(name)
    }
}

const fn flag(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        ..PLAIN
    }
}

const fn maybe(name: &'static str, kind: Kind) -> Field {
    Field {
        optional: true,
        ..flag(name, kind)
    }
}

const fn usually(name: &'static str, kind: Kind, usual: &'static str) -> Field {
    Field {
        usual: Some(usual),
        ..maybe(name, kind)
    }
}

/// What is read from the ledger if it is left out.
const fn told(name: &'static str, kind: Kind) -> Field {
    Field {
        known: true,
        ..maybe(name, kind)
    }
}

const fn verb(
    noun: &'static str,
    word: &'static str,
    family: &'static str,
    variant: &'static str,
    fields: &'static [Field],
) -> Verb {
    Verb {
        path: (noun, word),
        act: (family, variant),
        inside: &[],
        fields,
        fill: fill::nothing,
        known: known::nothing,
        ballot_days: 7,
    }
}

impl Verb {
    /// The verb, some of whose fields rest on others.
    const fn fills(
        self,
        fill: fn(&mut Map<String, Value>, &mut Reading) -> Result<(), Failure>,
    ) -> Verb {
        Verb { fill, ..self }
    }

    /// The verb, some of whose fields the ledger knows.
    const fn knows(
        self,
        known: fn(&Map<String, Value>, &mut Reading) -> Result<Told, Failure>,
    ) -> Verb {
        Verb { known, ..self }
    }
}

const fn motion(
    noun: &'static str,
    word: &'static str,
    effect: &'static [&'static str],
    fields: &'static [Field],
) -> Verb {
    Verb {
        path: (noun, word),
        act: ("Motion", "Propose"),
        inside: effect,
        fields,
        fill: fill::nothing,
        known: known::nothing,
        ballot_days: 7,
    }
}

/// Finds a verb.
pub fn find(noun: &str, word: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.path == (noun, word))
}

#[cfg(test)]
mod tests {
    use rollbook_proof::crypto::sha256;

    use super::opening::Reading;
    use super::*;

    fn sample(kind: Kind) -> String {
        match kind {
            Kind::Number | Kind::Id(_) | Kind::Points => "7".into(),
            Kind::Money => "1,000.00".into(),
            Kind::Height => "1,000".into(),
            Kind::Instant => "2026-11-24T10:00:00+08:00".into(),
            Kind::Text => "AC04".into(),
            Kind::Hash | Kind::Record | Kind::Sealed | Kind::Bytes => sha256(b"x").to_hex(),
            Kind::Day => "2026-11-24".into(),
            Kind::Choice(words) => words[0].into(),
            Kind::List => "a,b".into(),
            Kind::Numbers => "1,2,3,4,5".into(),
            Kind::Json => "null".into(),
            Kind::Form(form) => form.sample.into(),
        }
    }

    fn line(verb: &Verb, every: bool) -> Vec<String> {
        let mut line = vec![verb.path.1.to_owned()];
        for field in verb.fields {
            // What is made elsewhere stands for what this act would make or open.
            let usual = ![
                "deputy",
                "seen",
                "commitment",
                "seal",
                "salt",
                "content",
                "secret",
                "uetr",
                // Lists of their own shape, which have a usual value.
                "partners",
                "per_group",
                "replaces",
                // A ballot says one thing.
                "names",
                "sealed",
                "proxy_for",
                // Made by others, in files.
                "added",
                "keys",
            ]
            .contains(&field.name);
            let left = field.optional && !field.known && !(every && usual);
            if left && field.name != "choice" {
                continue;
            }
            if !field.positional {
                line.push(format!("--{}", field.name.replace('_', "-")));
            }
            // Nobody delegates to themselves.
            let other = field.name == "to";
            line.push(if other {
                "8".into()
            } else {
                sample(field.kind)
            });
        }
        if verb.is_motion() {
            line.extend(["--text".into(), sample(Kind::Hash)]);
        }
        line
    }

    /// A word without its quotation marks was no JSON, so that 'call publish' always wanted its
    /// --instrument and 'payment release' its --scheme.
    #[test]
    fn what_stands_if_a_field_is_left_out_is_json() {
        for verb in VERBS {
            for usual in verb.fields.iter().filter_map(|field| field.usual) {
                assert!(
                    serde_json::from_str::<Value>(usual).is_ok(),
                    "{}: {usual}",
                    verb.name()
                );
            }
        }
    }

    /// Every verb with plain arguments spells an act that core knows and that survives its own
    /// rules of shape.
    #[test]
    fn every_verb_spells_an_act() {
        for verb in VERBS {
            // These read an opening, as the suite of the binary does.
            if [
                ("application", "open"),
                ("review", "reveal"),
                ("review", "reveal-draw"),
                ("motion", "reveal"),
                // It changes the charter in force.
                ("charter", "deposit"),
            ]
            .contains(&verb.path)
            {
                continue;
            }
            let line = line(verb, true);
            let matches = verb
                .command()
                .try_get_matches_from(&line)
                .unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let mut reading = Reading::of(3, 5);
            // Nobody tells a unit here.
            reading.unit = Some(rollbook_core::account::Unit::default());
            let result = verb.body(&verb.given(&matches), &mut reading);
            // A list of milestones does not sum to a sample total, and the like: core says so by
            // its own rule.
            let shape = [
                ("call", "publish"),
                ("seat", "elect"),
                ("calendar", "set"),
                ("correction", "file"),
            ];
            match result {
                Ok(body) => {
                    assert_eq!(
                        serde_json::to_value(&body)
                            .unwrap()
                            .as_object()
                            .unwrap()
                            .keys()
                            .next()
                            .unwrap(),
                        verb.act.0
                    )
                }
                Err(failure) if shape.contains(&verb.path) => {
                    assert!(failure.what.contains("F05") || failure.why.is_some());
                }
                Err(failure) => panic!("{line:?}: {} {:?}", failure.what, failure.why),
            }
        }
    }
}
