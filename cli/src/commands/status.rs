//! `NOUN status N`: where an object stands, as told by a node (R16).

use clap::{Args, Command};
use rollbook_words::catalogue::t;

use crate::act::next::{of, sentence};
use crate::asking;
use crate::commands::tasks::command_for;
use crate::failure::Failure;
use crate::flags;
use crate::flags::{Asking, Global};
use crate::objects;
use crate::output::{print, print_json, say};
use crate::profile::in_use;
use crate::shown::Shown;

/// Nouns of the command tree whose objects can be asked about, and what core calls them.
pub const OBJECTS: [(&str, &str); 13] = [
    ("member", "membership"),
    ("dues", "invoice"),
    ("motion", "motion"),
    ("office", "post"),
    ("fund", "fund"),
    ("contribution", "instalment"),
    ("call", "call"),
    ("application", "application"),
    ("review", "review"),
    ("award", "award"),
    ("agreement", "agreement"),
    ("milestone", "milestone"),
    ("payment", "payment"),
];

/// `NOUN status`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Status {
    #[command(flatten)]
    asking: Asking,
    /// Number of the object; it may carry its letter.
    #[arg(value_name = "N")]
    number: String,
}

/// The `status` command of a noun, if it has one.
pub fn command(noun: &str) -> Option<Command> {
    OBJECTS.iter().find(|(known, _)| *known == noun)?;
    Some(flags::command::<Status>("status"))
}

/// Runs `NOUN status N`.
pub fn run(noun: &str, global: &Global, flags: &Status) -> Result<u8, Failure> {
    let text = &flags.number;
    let object = OBJECTS
        .iter()
        .find(|(known, _)| *known == noun)
        .map_or(noun, |(_, object)| object);
    let number = objects::number_of(object, text)
        .map_err(|other| objects::no_number("N", object, text, other))?;
    let profile = in_use(global)?;
    let client = asking::client(&flags.asking, profile.as_ref(), "act.no-node-next")?;
    let next = of(&client, object, number)?;
    if global.json {
        print_json(&Shown::of(&next).json());
    } else {
        print(sentence(&next));
        if let Some(command) = command_for(&next) {
            say(t("status.command", &[("command", command)]));
        }
        say(t("next.as-told", &[]));
    }
    Ok(0)
}
