//! The business verbs: each makes an act, signs it and hands it in.

use clap::{ArgMatches, Args, Command};

use super::{node_register, status};
use crate::act;
use crate::act::batch;
use crate::act::desk::Desk;
use crate::failure::Failure;
use crate::flags::{Acting, Global, command, read, under};
use crate::output::print;
use crate::verbs::{self, VERBS, Verb, is_table};

/// Adds every verb to the tree under its noun, if that is wanted.
pub fn add_verbs(mut tree: Command, wanted: impl Fn(&str) -> bool) -> Command {
    let mut nouns: Vec<&str> = Vec::new();
    for verb in VERBS {
        if !nouns.contains(&verb.path.0) && wanted(verb.path.0) {
            nouns.push(verb.path.0);
        }
    }
    for noun in nouns {
        let verbs = VERBS
            .iter()
            .filter(|verb| verb.path.0 == noun)
            .map(|verb| Acting::augment_args(verb.command()));
        tree = under(tree, noun, verbs.chain(status::command(noun)));
    }
    if wanted("node") {
        let update = command::<node_register::Update>("update");
        let register = command::<node_register::Register>("register");
        tree = under(tree, "node", [register, update]);
    }
    tree
}

/// `correct ID`: the verb `correction file` by its short name.
const CORRECT: (&str, &str) = ("correction", "file");

/// The command `correct`.
pub fn correct() -> Command {
    let verb = verbs::find(CORRECT.0, CORRECT.1).map_or_else(Command::default, Verb::command);
    Acting::augment_args(verb.name("correct"))
}

/// Runs `correct`.
pub fn run_correct(global: &Global, matches: &ArgMatches) -> Result<u8, Failure> {
    match verbs::find(CORRECT.0, CORRECT.1) {
        Some(verb) => run(verb, global, matches),
        None => Err(Failure::unusable("no command")),
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, global: &Global, matches: &ArgMatches) -> Result<u8, Failure> {
    if matches.get_flag("template") {
        print(verbs::from::template(verb).trim_end());
        return Ok(0);
    }
    let flags: Acting = read(matches)?;
    let given = verb.given(matches);
    let desk = Desk::of(global, &flags, None)?;
    if let Some(file) = given.from.as_deref().filter(|file| is_table(file)) {
        return batch::run(verb, &desk, &given, file);
    }
    if let Some(numbers) = batch::several(verb, &given) {
        return batch::run_each(verb, &desk, &given, numbers);
    }
    let mut reading = desk.reading();
    reading.opening = given.opening.clone();
    let body = verb.body(&given, &mut reading)?;
    act::perform(&desk, &verb.name(), body, &reading)
}
