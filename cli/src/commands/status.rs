//! `NOUN status N`: where an object stands, as told by a node (R16).

use clap::{Arg, ArgMatches, Command};

use crate::act::desk::client;
use crate::act::next::{of, sentence};
use crate::client::asking;
use crate::failure::Failure;
use crate::messages::t;
use crate::output::{print, print_json, say};
use crate::profile::Profiles;

/// Nouns of the command tree whose objects can be asked about, and what core calls them.
pub const OBJECTS: [(&str, &str); 12] = [
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
    ("payment", "payment"),
];

/// The `status` command of a noun, if it has one.
pub fn command(noun: &str) -> Option<Command> {
    OBJECTS.iter().find(|(known, _)| *known == noun)?;
    Some(asking(Command::new("status")).arg(Arg::new("number").required(true).value_name("N")))
}

/// Runs `NOUN status N`.
pub fn run(noun: &str, matches: &ArgMatches) -> Result<u8, Failure> {
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    let client = client(matches, profile.as_ref())?;
    let text = matches
        .get_one::<String>("number")
        .cloned()
        .unwrap_or_default();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
    let object = OBJECTS
        .iter()
        .find(|(known, _)| *known == noun)
        .map_or(noun, |(_, object)| object);
    let number: u32 = digits.parse().map_err(|_| {
        let facts = [("argument", "N".to_owned()), ("value", text.clone())];
        Failure::unusable(t("verb.bad", &facts))
            .because(t("form.number", &[]))
            .next(t("verb.bad-next", &facts))
    })?;
    let next = of(&client, object, number)?;
    if matches.get_flag("json") {
        print_json(&next);
    } else {
        print(sentence(&next));
        say(t("next.as-told", &[]));
    }
    Ok(0)
}
