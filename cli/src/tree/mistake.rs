//! A mistake on the command line in this program's own words.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::input::problem::nearest;

/// A mistake on the command line in this program's words: what was typed, why it is not known, what
/// to type. None for help, for the version, and for a command without its verb, which clap answers
/// with help.
pub fn mistake(error: &clap::Error) -> Option<Failure> {
    let texts = |kind: ContextKind| -> Vec<String> {
        match error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    };
    let first = |kind| texts(kind).first().cloned().unwrap_or_default();
    let or = |texts: &[String]| texts.join(&t("word.or", &[]));
    let help = || t("mistake.help", &[]);
    // Of several words that clap finds near, the nearest, if it is near enough to be meant.
    let suggested = |typed: &str, kind| {
        let near = texts(kind);
        let nearest = nearest(typed, near.iter().map(String::as_str));
        match nearest {
            Some(near) => t("mistake.near", &[("near", near.to_owned())]),
            None => help(),
        }
    };
    // `--amount <MINOR-UNITS>` is the argument and its hint.
    let argument = first(ContextKind::InvalidArg);
    let argument = (
        "argument",
        argument
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches(['<', '>', '[', ']'])
            .to_owned(),
    );
    let value = ("value", first(ContextKind::InvalidValue));
    let failure = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = first(ContextKind::InvalidSubcommand);
            let next = suggested(&typed, ContextKind::SuggestedSubcommand);
            Failure::unusable(t("mistake.command", &[("command", typed)])).next(next)
        }
        ErrorKind::UnknownArgument => {
            let next = suggested(&argument.1, ContextKind::SuggestedArg);
            Failure::unusable(t("mistake.argument", &[argument])).next(next)
        }
        ErrorKind::InvalidValue if value.1.is_empty() => {
            Failure::unusable(t("mistake.no-value", &[argument])).next(help())
        }
        ErrorKind::InvalidValue => {
            let known = texts(ContextKind::ValidValue).join(", ");
            let next = suggested(&value.1, ContextKind::SuggestedValue);
            let failure = Failure::unusable(t("mistake.value", &[argument, value]));
            failure
                .because(t("mistake.known", &[("known", known)]))
                .next(next)
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            Failure::unusable(t("mistake.value", &[argument, value]))
                .because(why)
                .next(help())
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(ContextKind::InvalidArg).join(", ");
            Failure::unusable(t("mistake.missing", &[("arguments", missing)])).next(help())
        }
        ErrorKind::ArgumentConflict => {
            let other = or(&texts(ContextKind::PriorArg));
            Failure::unusable(t("mistake.conflict", &[argument, ("other", other)])).next(help())
        }
        ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::NoEquals => Failure::unusable(t("mistake.no-value", &[argument])).next(help()),
        ErrorKind::InvalidUtf8 => Failure::unusable(t("mistake.utf8", &[])).next(help()),
        _ => return None,
    };
    Some(failure)
}
