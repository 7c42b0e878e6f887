//! From the words of the command line to an act: arguments read, documents hashed, seals made,
//! openings read.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use rollbook_core::record::Body;
use rollbook_words::catalogue::t;
use serde_json::{Map, Value, json};

use super::opening::Reading;
use super::{Field, Kind, Verb, forms, opening};
use crate::failure::Failure;
use crate::files;
use crate::input::text::text;

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
            let mut argument = Arg::new(field.name)
                .allow_hyphen_values(matches!(field.kind, Kind::Number | Kind::Minor));
            if field.positional {
                // Checked by `body`, because a table (`--from FILE.csv`) names it in each line.
                argument = argument.value_name(field.name.to_uppercase());
            } else {
                argument = argument
                    .long(field.name.replace('_', "-"))
                    .value_name(hint(field.kind));
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
                .arg(Arg::new("text").long("text").value_name("HASH|@FILE"));
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
    /// sealed.
    pub fn body(&self, given: &Given, reading: &mut Reading) -> Result<Body, Failure> {
        let mut texts = given.texts.clone();
        for text in &given.attached {
            texts.push(self.attach(text, &texts)?);
        }
        let fields = match &given.from {
            Some(file) if !is_table(file) => from_file(file)?,
            _ => Map::new(),
        };
        self.spell(&texts, fields, reading)
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
            && let Some(name) = documents
                .iter()
                .find(|known| known.replace('_', "-") == name)
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

    /// The act from texts by argument and values by field. Texts come first.
    pub fn spell(
        &self,
        given: &[(&str, String)],
        mut fields: Map<String, Value>,
        reading: &mut Reading,
    ) -> Result<Body, Failure> {
        let text_of = |name: &str| {
            given
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| text.as_str())
        };
        for field in self.fields {
            match text_of(field.name) {
                Some(text) => {
                    fields.insert(field.name.to_owned(), read(field, text, reading)?);
                }
                None if fields.contains_key(field.name) => {}
                None if field.optional => {
                    if let Some(usual) = field
                        .usual
                        .and_then(|usual| serde_json::from_str(usual).ok())
                    {
                        fields.insert(field.name.to_owned(), usual);
                    }
                }
                None => return Err(missing(field)),
            }
        }
        (self.fill)(&mut fields, reading)?;
        let mut value = if fields.is_empty() && self.inside.is_empty() {
            Value::Null
        } else {
            Value::Object(fields)
        };
        for variant in self.inside.iter().rev() {
            value = json!({ *variant: value });
        }
        if self.is_motion() {
            let days: u32 = match text_of("ballot-days") {
                Some(text) => text
                    .parse()
                    .map_err(|_| bad("--ballot-days", text, "number"))?,
                None => self.ballot_days,
            };
            let text = match text_of("text") {
                Some(text) => reading
                    .document("text", text)?
                    .ok_or_else(|| bad("--text", text, "hash"))?,
                None => {
                    return Err(Failure::unusable(t(
                        "verb.missing",
                        &[("argument", "--text".into())],
                    ))
                    .next(t("verb.text-next", &[])));
                }
            };
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

/// Whether `--from` names a table of many acts and not the fields of one.
pub fn is_table(file: &str) -> bool {
    file.to_ascii_lowercase().ends_with(".csv")
}

fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "N",
        Kind::Minor => "MINOR-UNITS",
        Kind::Height => "HEIGHT",
        Kind::Instant => "INSTANT",
        Kind::Text => "TEXT",
        Kind::Hash => "HASH|@FILE",
        Kind::Record => "HASH",
        Kind::Sealed => "@FILE|HASH",
        Kind::Day => "YYYY-MM-DD",
        Kind::Choice(_) => "WORD",
        Kind::List => "A,B,..",
        Kind::Numbers => "N,N,..",
        Kind::Bytes => "HEX",
        Kind::Json => "JSON",
        Kind::Form(form) => form.hint,
    }
}

/// Key of the words that say what a kind accepts.
fn accepted(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::Minor => "minor",
        Kind::Height => "height",
        Kind::Instant => "instant",
        Kind::Text => "text",
        Kind::Hash => "hash",
        Kind::Record => "record",
        Kind::Sealed => "sealed",
        Kind::Day => "day",
        Kind::Choice(_) => "choice",
        Kind::List => "list",
        Kind::Numbers => "numbers",
        Kind::Bytes => "bytes",
        Kind::Json => "json",
        Kind::Form(form) => form.name,
    }
}

/// An argument as it stands on the command line: `MOTION`, `--ballot-days`.
pub fn shown(field: &Field) -> String {
    if field.positional {
        field.name.to_uppercase()
    } else {
        format!("--{}", field.name.replace('_', "-"))
    }
}

/// What was given, why it cannot be read, what is accepted.
fn bad(argument: &str, text: &str, form: &str) -> Failure {
    let facts = [
        ("argument", argument.to_owned()),
        ("value", text.to_owned()),
    ];
    Failure::unusable(t("verb.bad", &facts))
        .because(t(&format!("form.{form}"), &[]))
        .next(t("verb.bad-next", &facts))
}

fn bad_attach(text: &str, documents: &[&str]) -> Failure {
    let names: Vec<String> = documents
        .iter()
        .map(|name| name.replace('_', "-"))
        .collect();
    let facts = [("value", text.to_owned()), ("known", names.join(", "))];
    Failure::unusable(t("verb.attach", &facts)).next(t("verb.attach-next", &facts))
}

pub(super) fn missing_named(argument: &str) -> Failure {
    Failure::unusable(t("verb.missing", &[("argument", argument.to_owned())]))
        .next(t("verb.missing-next", &[]))
}

fn missing(field: &Field) -> Failure {
    missing_named(&shown(field)).because(t(&format!("form.{}", accepted(field.kind)), &[]))
}

fn from_file(file: &str) -> Result<Map<String, Value>, Failure> {
    let unreadable = || {
        Failure::unusable(t("verb.file", &[("file", file.to_owned())]))
            .next(t("verb.file-next", &[]))
    };
    let bytes = files::read(std::path::Path::new(file))?;
    let text = text(&bytes).map_err(|why| unreadable().because(why.sentence()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| unreadable().because(error.message()))?;
    match serde_json::to_value(table) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(unreadable()),
    }
}

/// Reads one argument.
fn read(field: &Field, text: &str, reading: &mut Reading) -> Result<Value, Failure> {
    let wrong = || bad(&shown(field), text, accepted(field.kind));
    Ok(match field.kind {
        Kind::Number => {
            let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let digits = if digits.len() < text.len() {
                digits.trim_start_matches('-')
            } else {
                digits
            };
            json!(
                digits
                    .parse::<u32>()
                    .ok()
                    .filter(|_| !digits.starts_with('+'))
                    .ok_or_else(wrong)?
            )
        }
        Kind::Minor => json!(forms::minor(text).ok_or_else(wrong)?),
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
        Kind::Record => json!(opening::hex_hash(text).ok_or_else(wrong)?),
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
