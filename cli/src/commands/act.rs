//! The commands that sign and hand in: every business verb, `sign FILE`, `submit FILE`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use rollbook_core::record::Record;

use super::{node_register, org, status};
use crate::act::desk::{Desk, client, fits, keystore, signers, unknown};
use crate::act::keys::Keys;
use crate::act::{self, batch, judge, next, submit};
use crate::client::asking;
use crate::failure::Failure;
use crate::messages::t;
use crate::output::{print_json, say};
use crate::pending_file;
use crate::profile::{Profile, Profiles};
use crate::verbs::{VERBS, Verb};

/// Adds every verb to the tree under its noun.
pub fn add_verbs(mut tree: Command) -> Command {
    let mut nouns: Vec<&str> = Vec::new();
    for verb in VERBS {
        if !nouns.contains(&verb.path.0) {
            nouns.push(verb.path.0);
        }
    }
    for noun in nouns {
        let verbs = VERBS
            .iter()
            .filter(|verb| verb.path.0 == noun)
            .map(|verb| with_flow(verb.command(), true));
        let verbs = verbs.chain(status::command(noun));
        let known = tree.get_subcommands().any(|sub| sub.get_name() == noun);
        tree = if known {
            tree.mut_subcommand(noun, |sub| sub.subcommands(verbs))
        } else {
            tree.subcommand(
                Command::new(noun)
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .subcommands(verbs),
            )
        };
    }
    tree = tree
        .subcommand(org::command())
        .mut_subcommand("node", |node| node.subcommand(node_register::command()));
    let file = || {
        Arg::new("file")
            .required(true)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
    };
    tree.subcommand(signing(Command::new("sign").arg(file())))
        .subcommand(with_flow(Command::new("submit").arg(file()), false))
}

fn signing(command: Command) -> Command {
    command
        .arg(
            Arg::new("signer")
                .long("signer")
                .value_name("PERSON:ROLE")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("keystore")
                .long("keystore")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("passphrase-file")
                .long("passphrase-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
}

/// Adds what a command takes that hands records in; `acts` if it makes them too.
pub fn with_flow(command: Command, acts: bool) -> Command {
    let command = asking(command)
        .arg(
            Arg::new("wait")
                .long("wait")
                .value_parser(["none", "decided", "receipt"])
                .default_value("receipt"),
        )
        .arg(
            Arg::new("receipt-file")
                .long("receipt-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("print")
                .long("print")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        );
    if !acts {
        return command;
    }
    signing(command)
        .arg(
            Arg::new("as")
                .long("as")
                .value_name("N")
                .value_parser(value_parser!(u32)),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("pending")
                .long("pending")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
}

/// Runs a verb.
pub fn run(verb: &Verb, matches: &ArgMatches) -> Result<u8, Failure> {
    let desk = Desk::of(matches, None)?;
    if let Some(file) = matches
        .get_one::<String>("from")
        .filter(|file| crate::verbs::is_table(file))
    {
        return batch::run(verb, &desk, file);
    }
    let mut reading = desk.reading();
    if verb.path == ("review", "draw") {
        // A commitment names the attempt of its draw; the node knows it, and a wrong answer costs a
        // refusal.
        let draw = matches
            .get_one::<String>("draw")
            .and_then(|draw| draw.parse::<u32>().ok());
        let told = draw
            .zip(desk.client().ok())
            .and_then(|(draw, client)| next::of(&client, "draw", draw).ok());
        reading.attempt = told.and_then(|next| u32::try_from(next["attempt"].as_u64()?).ok());
    }
    let body = verb.body(matches, &mut reading)?;
    act::perform(&desk, &verb.name(), body, &reading)
}

/// `sign FILE`.
pub fn sign_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else {
        return Err(Failure::unusable("FILE"));
    };
    let mut record = pending_file::read(file)?;
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    of_this_chain(&record, profile.as_ref(), file)?;
    let keystore = keystore(matches, profile.as_ref());
    let signers = signers(matches, profile.as_ref(), &keystore)?;
    if signers.is_empty() {
        return Err(unknown("act.no-signer"));
    }
    print_json(&record.payload.body);
    let mut keys = Keys::default();
    for (person, role) in signers {
        keys.sign(&mut record, person, role, &keystore, matches)?;
        pending_file::write(file, &record)?;
        let count = record.signatures.len().to_string();
        say(t(
            "act.signed",
            &[
                ("person", person.to_string()),
                ("count", count),
                ("file", file.display().to_string()),
            ],
        ));
    }
    Ok(0)
}

/// `submit FILE`.
pub fn submit_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else {
        return Err(Failure::unusable("FILE"));
    };
    let record = pending_file::read(file)?;
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    of_this_chain(&record, profile.as_ref(), file)?;
    fits(&record)?;
    let client = client(matches, profile.as_ref())?;
    let judged = judge::rehearse(&client, &record)?;
    if judge::wants_signatures(&judged) {
        return submit::wait_for_others(
            &record,
            &judged,
            file,
            &keystore(matches, profile.as_ref()),
            matches,
        );
    }
    submit::hand_in(&client, &record, matches, file)
}

/// Refuses a record of another alliance than the profile's.
fn of_this_chain(record: &Record, profile: Option<&Profile>, file: &Path) -> Result<(), Failure> {
    match profile.and_then(Profile::genesis_hash) {
        Some(chain) if chain != record.payload.chain => {
            let chains = [
                ("chain", record.payload.chain.to_hex()),
                ("own", chain.to_hex()),
            ];
            let facts: Vec<_> = chains
                .into_iter()
                .chain([("file", file.display().to_string())])
                .collect();
            Err(Failure::refused(t("act.other-chain", &facts))
                .next(t("act.other-chain-next", &facts)))
        }
        _ => Ok(()),
    }
}
