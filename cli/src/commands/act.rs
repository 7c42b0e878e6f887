//! The commands that sign and hand in: every business verb, `sign FILE`, `submit FILE`.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command};
use rollbook_core::record::Record;
use rollbook_words::catalogue::t;

use super::{node_register, org, status};
use crate::act::desk::{Desk, client, fits, keystore, outputs_free, same_chain, signers, unknown};
use crate::act::{batch, judge, next, submit};
use crate::failure::Failure;
use crate::flags::{Acting, Global, KeyFlags, Signing, Submitting, command, read, under};
use crate::keystore::opened::Keys;
use crate::output::{self, Form, print_json, say};
use crate::profile::{Profile, in_use};
use crate::shown::Shown;
use crate::verbs::{VERBS, Verb, is_table};
use crate::{act, pending_file, registration_file};

/// `sign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sign {
    /// The record that waits for signatures.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// `submit`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Submit {
    /// The record that was signed.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    submitting: Submitting,
}

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
        let register = command::<node_register::Register>("register");
        tree = under(tree, "node", [register]);
    }
    tree
}

/// Runs a verb.
pub fn run(verb: &Verb, global: &Global, matches: &ArgMatches) -> Result<u8, Failure> {
    let flags: Acting = read(matches)?;
    let given = verb.given(matches);
    let desk = Desk::of(global, &flags, None)?;
    if let Some(file) = given.from.as_deref().filter(|file| is_table(file)) {
        return batch::run(verb, &desk, &given, file);
    }
    let mut reading = desk.reading();
    reading.opening = given.opening.clone();
    if verb.path == ("review", "draw") {
        // A commitment names the attempt of its draw; the node knows it, and a wrong answer costs a
        // refusal.
        let draw = given.text("draw").and_then(|draw| draw.parse::<u32>().ok());
        let told = draw
            .zip(desk.client().ok())
            .and_then(|(draw, client)| next::of(&client, "draw", draw).ok());
        reading.attempt = told.and_then(|next| next.attempt);
    }
    let body = verb.body(&given, &mut reading)?;
    act::perform(&desk, &verb.name(), body, &reading)
}

/// `sign FILE`: a pending record, or a registration.
pub fn sign_file(global: &Global, flags: &Sign) -> Result<u8, Failure> {
    let file = &flags.file;
    if registration_file::is_one(file)? {
        return org::sign(global, file, &flags.signing);
    }
    let mut record = pending_file::read(file)?;
    let profile = in_use(global)?;
    of_this_chain(&record, profile.as_ref(), file)?;
    let signing = &flags.signing;
    let keystore = keystore(&signing.keys, profile.as_ref());
    let signers = signers(signing, profile.as_ref(), &keystore)?;
    if signers.is_empty() {
        return Err(unknown("act.no-signer"));
    }
    let keys = Keys::default();
    for (person, role) in signers {
        keys.sign(
            &mut record,
            person,
            role,
            &keystore,
            signing.keys.passphrase_file.as_deref(),
        )?;
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
    // What was signed is on disk before it is shown: a reader that closed the pipe loses nothing.
    let officers: Vec<u32> = record
        .signatures
        .iter()
        .map(|entry| entry.officer.0)
        .collect();
    match output::form() {
        Form::People => print_json(&record.payload.body),
        Form::Json | Form::Csv => print_json(&serde_json::json!({
            "file": file, "record": record.id(), "rule": record.payload.body.code(),
            "act": Shown::of(&record.payload.body).json(), "signed_by": officers,
        })),
    }
    Ok(0)
}

/// `submit FILE`: a pending record. A registration is handed in by whoever introduces the company.
pub fn submit_file(global: &Global, flags: &Submit) -> Result<u8, Failure> {
    let file = &flags.file;
    if registration_file::is_one(file)? {
        return org::submit(file);
    }
    outputs_free(&flags.submitting, None)?;
    let record = pending_file::read(file)?;
    let profile = in_use(global)?;
    of_this_chain(&record, profile.as_ref(), file)?;
    fits(&record)?;
    let client = client(&flags.submitting.asking, profile.as_ref())?;
    let judged = judge::rehearse(&client, &record)?;
    if let Some(judged) = judged.filter(judge::wants_signatures) {
        return submit::wait_for_others(
            &record,
            &judged,
            file,
            &keystore(&KeyFlags::default(), profile.as_ref()),
            global,
        );
    }
    submit::hand_in(&client, &record, global, &flags.submitting, file)
}

/// Refuses a record of another alliance than the profile's.
fn of_this_chain(record: &Record, profile: Option<&Profile>, file: &Path) -> Result<(), Failure> {
    match profile.and_then(Profile::genesis_hash) {
        Some(own) => same_chain(record.payload.chain, own, file),
        None => Ok(()),
    }
}
