//! From the words of the command line to an act: arguments read, documents hashed, seals made,
//! openings read, what the ledger knows filled in.
//!
//! First everything but amounts is read, then the ledger is asked for what it knows and for the
//! unit, then amounts are read in it; last come usual values and fields that rest on others.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use rollbook_core::record::Body;
use rollbook_words::catalogue::t;
use serde_json::{Map, Value, json};

use super::hints::{accepted, flag, hint, shown};
use super::known::Told;
use super::opening::Reading;
use super::{Field, Kind, Verb, from, known, money, opening};
use crate::failure::{Failure, UNREACHABLE};
use crate::objects;

/// Digits of a shortened hash at least.
const SHORT_MIN: usize = 4;

/// What is wrong with an act's arguments: which, and why it cannot be used.
pub type Faults = Vec<(&'static str, Failure)>;

/// What was given on the command line of a verb.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Texts by argument.
    pub texts: Vec<(&'static str, String)>,
    /// `--attach`.
    pub attached: Vec<String>,
    /// `--from`: a file of fields, or a table of many acts.
    pub from: Option<String>,
    /// `--opening`.
    pub opening: Option<PathBuf>,
}

impl Given {
    /// The text of an argument.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str())
    }
}

impl Verb {
    /// Noun and verb as they are typed.
    pub fn name(&self) -> String {
        format!("{} {}", self.path.0, self.path.1)
    }

    /// Whether it proposes a motion.
    pub fn is_motion(&self) -> bool {
        self.act.1 == "Propose"
    }

    /// The clap command of this verb.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.path.1);
        for field in self.fields {
            let mut argument = Arg::new(field.name).allow_hyphen_values(matches!(
                field.kind,
                Kind::Number | Kind::Id(_) | Kind::Money | Kind::Points
            ));
            if field.positional {
                // Checked by `body`, because a table (`--from FILE.csv`) names it in each line.
                argument = argument.value_name(field.name.to_uppercase());
            } else {
                argument = argument.long(flag(field.name)).value_name(hint(field.kind));
            }
            if let Kind::Choice(words) = field.kind {
                argument = argument.value_parser(words.to_vec());
            }
            command = command.arg(argument);
        }
        if self.is_motion() {
            command = command
                .arg(
                    Arg::new("ballot-days")
                        .long("ballot-days")
                        .value_name("DAYS"),
                )
                .arg(Arg::new("text").long("text").value_name("@FILE"));
        }
        if !self.documents().is_empty() {
            command = command.arg(
                Arg::new("attach")
                    .long("attach")
                    .value_name("[ARGUMENT=]FILE")
                    .action(ArgAction::Append),
            );
        }
        command
            .arg(
                Arg::new("opening")
                    .long("opening")
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(std::path::PathBuf)),
            )
            .arg(
                Arg::new("from")
                    .long("from")
                    .value_name("FILE")
                    .action(ArgAction::Set),
            )
            .arg(
                Arg::new("template")
                    .long("template")
                    .action(ArgAction::SetTrue),
            )
    }

    /// The arguments that hold the hash of a document, the text of a motion included.
    fn documents(&self) -> Vec<&'static str> {
        let fields = self
            .fields
            .iter()
            .filter(|field| field.kind == Kind::Hash)
            .map(|field| field.name);
        fields.chain(self.is_motion().then_some("text")).collect()
    }

    /// What was given on the command line of this verb.
    pub fn given(&self, matches: &ArgMatches) -> Given {
        let texts = self.fields.iter().map(|field| field.name);
        let texts = texts
            .chain(
                self.is_motion()
                    .then_some(["ballot-days", "text"])
                    .into_iter()
                    .flatten(),
            )
            .filter_map(|name| Some((name, matches.get_one::<String>(name)?.clone())))
            .collect();
        let attached = if self.documents().is_empty() {
            Vec::new()
        } else {
            let attached = matches.get_many::<String>("attach");
            attached.into_iter().flatten().cloned().collect()
        };
        Given {
            texts,
            attached,
            from: matches.get_one::<String>("from").cloned(),
            opening: matches.get_one::<PathBuf>("opening").cloned(),
        }
    }

    /// The act that the arguments spell; `reading` says who acts and takes what was hashed and
    /// sealed. Of a file every problem is told with its line.
    pub fn body(&self, given: &Given, reading: &mut Reading) -> Result<Body, Failure> {
        let mut texts = given.texts.clone();
        for text in &given.attached {
            texts.push(self.attach(text, &texts)?);
        }
        let file = match &given.from {
            Some(file) if !is_table(file) => file,
            _ => return self.spell(&texts, reading),
        };
        let mut read = from::read(self, file)?;
        // Flags override the file.
        read.entries
            .retain(|entry| !texts.iter().any(|(name, _)| *name == entry.name));
        let folder = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
        let entries: Vec<(&'static str, String)> = read
            .entries
            .iter()
            .map(|entry| (entry.name, entry.text.clone()))
            .collect();
        match self.spelt(&texts, &entries, folder, reading) {
            Ok(body) if read.problems.is_empty() => Ok(body),
            Ok(_) => Err(from::failure(file, read, Vec::new())),
            Err(faults) => Err(from::failure(file, read, faults)),
        }
    }

    /// `--attach FILE` fills the one document that is missing, `--attach ARGUMENT=FILE` the one
    /// named.
    fn attach(
        &self,
        text: &str,
        given: &[(&str, String)],
    ) -> Result<(&'static str, String), Failure> {
        let documents = self.documents();
        if let Some((name, file)) = text.split_once('=')
            && let Some(name) = documents.iter().find(|known| flag(known) == name)
        {
            return Ok((*name, format!("@{file}")));
        }
        let open: Vec<&str> = documents
            .iter()
            .filter(|name| !given.iter().any(|(known, _)| known == *name))
            .copied()
            .collect();
        match open.as_slice() {
            [only] => documents
                .iter()
                .find(|name| *name == only)
                .map(|name| (*name, format!("@{text}")))
                .ok_or_else(|| bad_attach(text, &documents)),
            _ => Err(bad_attach(text, &documents)),
        }
    }

    /// The act from texts by argument.
    pub fn spell(
        &self,
        given: &[(&'static str, String)],
        reading: &mut Reading,
    ) -> Result<Body, Failure> {
        self.spelt(given, &[], Path::new(""), reading)
            .map_err(|faults| {
                let first = faults.into_iter().next();
                first.map_or_else(
                    || Failure::unusable(t("verb.unreadable", &[])),
                    |(_, why)| why,
                )
            })
    }

    /// The act from texts by argument: of the command line, and of a file in a folder. Everything
    /// that is wrong.
    fn spelt(
        &self,
        given: &[(&'static str, String)],
        filed: &[(&'static str, String)],
        folder: &Path,
        reading: &mut Reading,
    ) -> Result<Body, Faults> {
        let text_of = |name: &str| {
            let found = |all: &[(&'static str, String)]| {
                let text = all.iter().find(|(known, _)| *known == name);
                text.map(|(_, text)| text.clone())
            };
            found(given)
                .map(|text| (text, Path::new("")))
                .or_else(|| found(filed).map(|text| (text, folder)))
        };
        let mut faults: Faults = Vec::new();
        let mut fields = Map::new();
        let take = |money: bool, fields: &mut Map<String, Value>, reading: &mut Reading| {
            let mut faults: Faults = Vec::new();
            for field in self.fields.iter().filter(|field| is_money(field) == money) {
                let Some((text, base)) = text_of(field.name) else {
                    continue;
                };
                reading.base = base.to_path_buf();
                match read(field, &text, reading) {
                    Ok(value) => {
                        fields.insert(field.name.to_owned(), value);
                    }
                    Err(failure) => faults.push((field.name, failure)),
                }
            }
            faults
        };
        faults.extend(take(false, &mut fields, reading));
        let told = self.asked(&fields, reading).map_err(|why| {
            let mut all = std::mem::take(&mut faults);
            all.push((self.path.1, why));
            all
        })?;
        faults.extend(take(true, &mut fields, reading));
        faults.extend(self.agree(&mut fields, told, reading));
        let motion = if self.is_motion() {
            let (days, text) = (text_of("ballot-days"), text_of("text"));
            self.motion(days.map(|(days, _)| days), text, reading, &mut faults)
        } else {
            None
        };
        for field in self.fields {
            if fields.contains_key(field.name) || faults.iter().any(|(name, _)| *name == field.name)
            {
                continue;
            }
            let usual = field
                .usual
                .and_then(|usual| serde_json::from_str(usual).ok());
            match usual {
                Some(usual) => {
                    fields.insert(field.name.to_owned(), usual);
                }
                None if field.known => faults.push((field.name, unknown(field, reading))),
                None if field.optional => {}
                None => faults.push((field.name, missing(field))),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        self.made(fields, motion, reading)
            .map_err(|why| vec![(self.path.1, why)])
    }

    /// What the ledger knows of the fields, and the unit of amounts. Where nobody answers and
    /// nothing is missing, the act can be spelt without.
    fn asked(&self, fields: &Map<String, Value>, reading: &mut Reading) -> Result<Told, Failure> {
        let whole = || {
            let mut known = self.fields.iter().filter(|field| field.known);
            known.all(|field| is_money(field) || fields.contains_key(field.name))
        };
        let told = match (self.known)(fields, reading) {
            Err(failure) if failure.exit == UNREACHABLE && whole() => Vec::new(),
            told => told?,
        };
        if self.fields.iter().any(is_money) {
            // The ledger is asked for each act anew: the unit of the act before says nothing of this
            // one.
            if reading.ledger.is_some() {
                reading.unit = None;
            }
            let mut leading = fields.clone();
            leading.extend(
                told.iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone())),
            );
            match known::unit(&leading, reading) {
                Ok(Some(unit)) => reading.unit = Some(unit),
                Ok(None) => {}
                // An amount that names its unit is read without the ledger.
                Err(failure) if failure.exit == UNREACHABLE => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(told)
    }

    /// Fills in what the ledger told; what was given has to agree.
    fn agree(&self, fields: &mut Map<String, Value>, told: Told, reading: &mut Reading) -> Faults {
        let mut faults = Vec::new();
        for (name, value) in told {
            match fields.get(name) {
                Some(given) if !is_same(given, &value) => {
                    faults.push((name, differs(name, given, &value, reading)));
                }
                _ => {
                    fields.insert(name.to_owned(), value);
                }
            }
        }
        for field in self
            .fields
            .iter()
            .filter(|field| field.kind == Kind::Record)
        {
            if let Some(Value::String(text)) = fields.get(field.name)
                && text.len() < 64
                && !faults.iter().any(|(name, _)| *name == field.name)
            {
                let text = text.clone();
                faults.push((field.name, bad(field, &text)));
            }
        }
        faults
    }

    /// Days of the ballot and the text of a motion.
    fn motion(
        &self,
        days: Option<String>,
        text: Option<(String, &Path)>,
        reading: &mut Reading,
        faults: &mut Faults,
    ) -> Option<(u32, String)> {
        let days = match days {
            Some(text) => text.trim().parse::<u32>().map_err(|_| {
                let why = t("form.number", &[]);
                faults.push(("ballot-days", money::bad("--ballot-days", &text, why)));
            }),
            None => Ok(self.ballot_days),
        };
        let Some((text, base)) = text else {
            let facts = [("argument", "--text".into())];
            let failure = Failure::unusable(t("verb.missing", &facts));
            faults.push(("text", failure.next(t("verb.text-next", &[]))));
            return None;
        };
        reading.base = base.to_path_buf();
        match reading.document("text", &text) {
            Ok(Some(hash)) => days.ok().map(|days| (days, hash)),
            Ok(None) => {
                let why = t("form.hash", &[]);
                faults.push(("text", money::bad("--text", &text, why)));
                None
            }
            Err(failure) => {
                faults.push(("text", failure));
                None
            }
        }
    }

    /// The act of fields that are all read.
    fn made(
        &self,
        mut fields: Map<String, Value>,
        motion: Option<(u32, String)>,
        reading: &mut Reading,
    ) -> Result<Body, Failure> {
        reading.base = PathBuf::new();
        (self.fill)(&mut fields, reading)?;
        let mut value = if fields.is_empty() && self.inside.is_empty() {
            Value::Null
        } else {
            Value::Object(fields)
        };
        for variant in self.inside.iter().rev() {
            value = json!({ *variant: value });
        }
        if let Some((days, text)) = motion {
            value = json!({ "effect": value, "ballot_days": days, "text": text });
        }
        let act = if value.is_null() {
            json!(self.act.1)
        } else {
            json!({ self.act.1: value })
        };
        let body: Body = serde_json::from_value(json!({ self.act.0: act })).map_err(|error| {
            Failure::unusable(t("verb.unreadable", &[]))
                .because(error)
                .next(t("verb.unreadable-next", &[]))
        })?;
        body.check().map_err(|error| {
            Failure::unusable(t("verb.malformed", &[("rule", body.code().to_owned())]))
                .because(error)
                .next(t("verb.malformed-next", &[]))
        })?;
        Ok(body)
    }
}

/// Whether a field holds amounts, which are read once their unit is known.
fn is_money(field: &Field) -> bool {
    match field.kind {
        Kind::Money => true,
        Kind::Form(form) => form.money,
        _ => false,
    }
}

/// Whether what was given is what the ledger has: the same, or the beginning of the same hash.
fn is_same(given: &Value, known: &Value) -> bool {
    match (given, known) {
        (Value::String(given), Value::String(known)) => {
            given.len() >= SHORT_MIN && known.starts_with(given.as_str()) || given == known
        }
        _ => given == known,
    }
}

/// The ledger has another value than was given.
fn differs(name: &str, given: &Value, known: &Value, reading: &Reading) -> Failure {
    let said = |value: &Value| match (value, &reading.unit) {
        (Value::Number(minor), Some(unit)) if matches!(name, "amount" | "total") => minor
            .as_u64()
            .map_or_else(String::new, |minor| unit.money(minor).to_string()),
        (Value::String(text), _) => text.clone(),
        (value, _) => value.to_string(),
    };
    let facts = [
        ("argument", format!("--{}", flag(name))),
        ("given", said(given)),
        ("known", said(known)),
    ];
    Failure::refused(t("known.differs", &facts))
        .because(t("known.differs-why", &facts))
        .next(t("known.differs-next", &facts))
}

/// What the ledger would have told, and nobody could be asked or it has none.
fn unknown(field: &Field, reading: &Reading) -> Failure {
    let why = if reading.ledger.is_some() {
        "known.none"
    } else {
        "known.nobody-asked"
    };
    Failure::unusable(t("verb.missing", &[("argument", shown(field))]))
        .because(t(why, &[]))
        .next(t(&format!("{why}-next"), &[("argument", shown(field))]))
}

/// Whether `--from` names a table of many acts and not the fields of one.
pub fn is_table(file: &str) -> bool {
    file.to_ascii_lowercase().ends_with(".csv")
}

/// What was given, why it cannot be read, what is accepted.
fn bad(field: &Field, text: &str) -> Failure {
    money::bad(&shown(field), text, accepted(field.kind))
}

fn bad_attach(text: &str, documents: &[&str]) -> Failure {
    let names: Vec<String> = documents.iter().map(|name| flag(name)).collect();
    let facts = [("value", text.to_owned()), ("known", names.join(", "))];
    Failure::unusable(t("verb.attach", &facts)).next(t("verb.attach-next", &facts))
}

pub(super) fn missing_named(argument: &str) -> Failure {
    Failure::unusable(t("verb.missing", &[("argument", argument.to_owned())]))
        .next(t("verb.missing-next", &[]))
}

fn missing(field: &Field) -> Failure {
    missing_named(&shown(field)).because(accepted(field.kind))
}

/// The number of an object: plain, or with the letter or the word of its kind. One of another kind
/// is refused, with what it is.
fn id(field: &Field, of: &str, text: &str) -> Result<u32, Failure> {
    objects::number_of(of, text).map_err(|other| {
        let Some(kind) = other else {
            return bad(field, text);
        };
        objects::no_number(&shown(field), of, text, Some(kind)).because(accepted(field.kind))
    })
}

/// 64 hexadecimal digits; where the ledger knows the rest, the first of them are enough.
fn record(field: &Field, text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let short = field.known
        && (SHORT_MIN..64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if short {
        return Some(text);
    }
    opening::hex_hash(&text)
}

/// Reads one argument.
fn read(field: &Field, text: &str, reading: &mut Reading) -> Result<Value, Failure> {
    let wrong = || bad(field, text);
    Ok(match field.kind {
        Kind::Number => {
            let digits = text.trim();
            let number = digits.parse::<u32>().ok();
            json!(
                number
                    .filter(|_| !digits.starts_with('+'))
                    .ok_or_else(wrong)?
            )
        }
        Kind::Id(of) => json!(id(field, of, text)?),
        Kind::Money => {
            json!(money::read(text, reading).map_err(|why| money::bad(&shown(field), text, why))?)
        }
        Kind::Points => json!(
            text.trim()
                .replace([',', '_'], "")
                .parse::<u64>()
                .map_err(|_| wrong())?
        ),
        Kind::Height => json!(
            text.replace([',', '_'], "")
                .parse::<u64>()
                .map_err(|_| wrong())?
        ),
        Kind::Instant => json!(rollbook_core::calendar::parse_instant(text).map_err(|_| wrong())?),
        Kind::Text => json!(text),
        Kind::Choice(words) => {
            if !words.contains(&text) {
                let near = crate::input::problem::suggestion(text, words.iter().copied());
                let known = words.join(", ");
                let facts = [
                    ("argument", shown(field)),
                    ("value", text.to_owned()),
                    ("known", known),
                    ("near", near),
                ];
                return Err(Failure::unusable(t("verb.bad", &facts))
                    .because(t("form.choice-of", &facts))
                    .next(t("verb.bad-next", &facts)));
            }
            json!(text)
        }
        Kind::Hash => json!(reading.document(field.name, text)?.ok_or_else(wrong)?),
        Kind::Record => json!(record(field, text).ok_or_else(wrong)?),
        Kind::Sealed => json!(reading.sealed(field.name, text)?.ok_or_else(wrong)?),
        Kind::Day => {
            json!(
                rollbook_core::calendar::CivilDate::parse(text)
                    .map_err(|_| wrong())?
                    .day_number()
                    .0
            )
        }
        Kind::List => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
        Kind::Numbers => {
            let numbers: Result<Vec<u32>, _> =
                text.split(',').map(|part| part.trim().parse()).collect();
            json!(numbers.map_err(|_| wrong())?)
        }
        Kind::Bytes => json!(
            hex::decode(text)
                .ok()
                .filter(|bytes| bytes.len() == 32)
                .ok_or_else(wrong)?
        ),
        Kind::Json => serde_json::from_str(text).map_err(|_| wrong())?,
        Kind::Form(_) if text.starts_with(['{', '[', '"']) => {
            serde_json::from_str(text).map_err(|_| wrong())?
        }
        Kind::Form(form) => (form.read)(field.name, text, reading)?.ok_or_else(wrong)?,
    })
}
