//! The fields of an organisation, as both files write them, with exact reasons for what is wrong.

use rollbook_core::calendar::LocalDay;
use rollbook_core::id::DirectionId;
use rollbook_core::identity::identifier::{Identifier, IdentifierError};
use rollbook_core::identity::{ActClass, ApprovalPolicy, Name, OrganisationKind};
use rollbook_core::object::direction::Direction;
use rollbook_proof::codec::{Text, TextError};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_words::catalogue::t;
use rollbook_words::dates::day;
use unicode_normalization::UnicodeNormalization;

use super::ReadFile;
use crate::input::problem::{Place, Report, suggestion};

/// An organisation as a file states it, before its officers' cards are joined.
#[derive(Debug, Clone)]
pub struct OrganisationInput {
    /// Where it stands.
    pub place: Place,
    /// Its number.
    pub number: u32,
    /// What it is.
    pub kind: OrganisationKind,
    /// Its names.
    pub name: Name,
    /// Its identifiers, ascending.
    pub identifiers: Vec<Identifier>,
    /// Country of registration.
    pub country: Text<2>,
    /// Registry extract and its date.
    pub extract: (Hash, LocalDay),
    /// Related organisations with the evidence's hash.
    pub relations: Vec<(u32, Hash)>,
    /// Directions, ascending.
    pub directions: Vec<DirectionId>,
    /// How many officers sign what.
    pub policy: ApprovalPolicy,
}

/// Text in NFC, trimmed, within its limit and without invisible characters.
pub fn text<const MAX: usize>(
    place: &Place,
    column: &str,
    given: &str,
    report: &mut Report,
) -> Option<Text<MAX>> {
    let normal: String = given.trim().nfc().collect();
    let column = ("column", column.to_owned());
    match Text::new(normal) {
        Ok(text) => Some(text),
        Err(TextError::TooLong { length, max }) => {
            report.error(
                place,
                "text-long",
                &[
                    column,
                    ("length", length.to_string()),
                    ("max", max.to_string()),
                ],
            );
            None
        }
        Err(TextError::Forbidden(code)) => {
            report.error(
                place,
                "text-forbidden",
                &[column, ("code", format!("U+{code:04X}"))],
            );
            None
        }
    }
}

/// How a name or a text begins that `genesis new` wrote as an example: it stands for nothing and is
/// refused until it is replaced.
pub const EXAMPLE: &str = "EXAMPLE:";

/// Both names.
pub fn name(place: &Place, native: &str, latin: &str, report: &mut Report) -> Option<Name> {
    for (column, given) in [("native", native), ("latin", latin)] {
        if given.trim().is_empty() {
            report.error(place, "empty", &[("column", column.to_owned())]);
        }
    }
    if latin.trim().starts_with(EXAMPLE) {
        report.error(place, "example", &[("found", latin.trim().to_owned())]);
    }
    if let Some(c) = latin.nfc().find(|c| c.is_alphabetic() && !is_latin(*c)) {
        report.error(place, "latin-name", &[("found", c.to_string())]);
    }
    Some(Name {
        native: text(place, "native", native, report)?,
        latin: text(place, "latin", latin, report)?,
    })
}

/// Letters of the Latin blocks; the ledger's second name is in them.
fn is_latin(c: char) -> bool {
    let basic = matches!(u32::from(c), 0x41..=0x5A | 0x61..=0x7A | 0xAA | 0xBA | 0xC0..=0x24F);
    basic || matches!(u32::from(c), 0x1E00..=0x1EFF | 0xFB00..=0xFB06)
}

/// An identifier in a column of its kind.
pub fn identifier(
    place: &Place,
    column: &str,
    given: &str,
    report: &mut Report,
) -> Option<Identifier> {
    let given = given.trim();
    if given.is_empty() {
        return None;
    }
    let parsed = match column {
        "uscc" => Identifier::uscc(given),
        "lei" => Identifier::lei(given),
        _ => Identifier::parse(given),
    };
    match parsed {
        Ok(identifier) => Some(identifier),
        Err(error) => {
            let facts = [
                ("column", column.to_owned()),
                ("found", given.to_owned()),
                ("why", identifier_reason(&error)),
            ];
            report.error(place, "identifier", &facts);
            None
        }
    }
}

/// Why something is no identifier, in the reader's language.
pub fn identifier_reason(error: &IdentifierError) -> String {
    match error {
        IdentifierError::Length {
            length, expected, ..
        } => t(
            "identifier.length",
            &[
                ("length", length.to_string()),
                ("expected", expected.to_string()),
            ],
        ),
        IdentifierError::Character {
            position,
            found,
            expected,
            ..
        } => {
            let allowed = match *expected {
                "positions 3 to 8 are digits" => t("identifier.allowed.digits-3-8", &[]),
                "0-9 and A-Z without I, O, S, V, Z" => t("identifier.allowed.uscc", &[]),
                "the check pair is two digits" => t("identifier.allowed.pair", &[]),
                "0-9 and A-Z" => t("identifier.allowed.lei", &[]),
                "two capital letters A-Z" => t("identifier.allowed.country", &[]),
                "0-9, A-Z, '.', '/' and '-'" => t("identifier.allowed.national", &[]),
                other => other.to_owned(),
            };
            t(
                "identifier.character",
                &[
                    ("position", position.to_string()),
                    ("found", found.to_string()),
                    ("allowed", allowed),
                ],
            )
        }
        IdentifierError::Check {
            found, expected, ..
        } => t(
            "identifier.check",
            &[("found", found.clone()), ("expected", expected.clone())],
        ),
        IdentifierError::Register => t("identifier.register", &[]),
        IdentifierError::Alias(kind) => t("identifier.alias", &[("kind", (*kind).to_owned())]),
        IdentifierError::UnknownForm => t("identifier.unknown-form", &[]),
    }
}

/// Two capital letters.
pub fn country(place: &Place, given: &str, report: &mut Report) -> Option<Text<2>> {
    let given = given.trim();
    if given.len() == 2 && given.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Text::new(given).ok();
    }
    report.error(place, "country", &[("found", given.to_owned())]);
    None
}

/// 64 hexadecimal digits or the name of a file, which is hashed.
pub fn hash(
    place: &Place,
    column: &str,
    given: &str,
    read: ReadFile,
    report: &mut Report,
) -> Option<Hash> {
    let given = given.trim();
    if let Some(hash) = Hash::from_hex(given) {
        return Some(hash);
    }
    let looks_like_digits = given.len() > 40 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if given.is_empty() || looks_like_digits {
        report.error(
            place,
            "no-hash",
            &[("column", column.to_owned()), ("found", given.to_owned())],
        );
        return None;
    }
    match read(given) {
        Ok(bytes) => Some(sha256(&bytes)),
        Err(_) => {
            report.error(
                place,
                "no-hash-or-file",
                &[("column", column.to_owned()), ("found", given.to_owned())],
            );
            None
        }
    }
}

/// A date.
pub fn date(place: &Place, column: &str, given: &str, report: &mut Report) -> Option<LocalDay> {
    let day = day(given.trim());
    if day.is_none() {
        report.error(
            place,
            "no-date",
            &[
                ("column", column.to_owned()),
                ("found", given.trim().to_owned()),
            ],
        );
    }
    day
}

/// Parts of a list: separated by `;`, `、`, or spaces.
pub fn parts(given: &str) -> impl Iterator<Item = &str> {
    given
        .split([';', '；', '、', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Directions by code or number, ascending.
pub fn directions(
    place: &Place,
    given: &str,
    known: Option<&[Direction]>,
    report: &mut Report,
) -> Vec<DirectionId> {
    let Some(known) = known else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for part in parts(given) {
        let direction = known.iter().find(|direction| {
            direction.code.as_str() == part || direction.number.0.to_string() == part
        });
        match direction {
            Some(direction) if found.contains(&direction.number) => {
                report.error(place, "direction-twice", &[("found", part.to_owned())]);
            }
            Some(direction) => found.push(direction.number),
            None => {
                let near = suggestion(part, known.iter().map(|direction| direction.code.as_str()));
                report.error(
                    place,
                    "direction-unknown",
                    &[("found", part.to_owned()), ("near", near)],
                );
            }
        }
    }
    found.sort_unstable();
    found
}

/// The classes of act by their words.
pub const CLASSES: [(&str, ActClass); 5] = [
    ("general", ActClass::General),
    ("ballot", ActClass::Ballot),
    ("money", ActClass::Money),
    ("people", ActClass::People),
    ("node", ActClass::Node),
];

/// `ballot=2 money=2`: how many officers sign what.
pub fn approval(place: &Place, given: &str, report: &mut Report) -> Option<ApprovalPolicy> {
    let mut thresholds = Vec::new();
    let mut good = true;
    for part in parts(given) {
        let read = part.split_once('=').and_then(|(class, n)| {
            let class = CLASSES.iter().find(|(word, _)| *word == class.trim())?.1;
            Some((
                class,
                n.trim()
                    .parse::<u32>()
                    .ok()
                    .filter(|n| (1..=16).contains(n))?,
            ))
        });
        match read {
            Some((class, _)) if thresholds.iter().any(|(other, _)| *other == class) => {
                report.error(place, "approval-twice", &[("found", part.to_owned())]);
                good = false;
            }
            Some(threshold) => thresholds.push(threshold),
            None => {
                report.error(place, "approval", &[("found", part.to_owned())]);
                good = false;
            }
        }
    }
    thresholds.sort_unstable();
    good.then_some(ApprovalPolicy { thresholds })
}

/// `13` or `13;14` with as many pieces of evidence (a hash or a file each).
pub fn relations(
    place: &Place,
    related: &str,
    evidence: &str,
    read: ReadFile,
    report: &mut Report,
) -> Vec<(u32, Hash)> {
    let (related, evidence): (Vec<&str>, Vec<&str>) =
        (parts(related).collect(), parts(evidence).collect());
    if related.len() != evidence.len() {
        let facts = [
            ("related", related.len().to_string()),
            ("evidence", evidence.len().to_string()),
        ];
        report.error(place, "evidence-count", &facts);
        return Vec::new();
    }
    let mut relations = Vec::new();
    for (other, evidence) in related.iter().zip(evidence) {
        let hash = hash(place, "evidence", evidence, read, report);
        match (other.parse::<u32>(), hash) {
            (Ok(other), Some(hash)) => relations.push((other, hash)),
            (Err(_), _) => report.error(place, "related-number", &[("found", (*other).to_owned())]),
            (_, None) => {}
        }
    }
    relations
}
