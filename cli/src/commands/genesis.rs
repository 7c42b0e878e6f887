//! `rollbook genesis new|draft|sign|check|assemble|show`: from a secretary's files to the one file
//! that nodes start from (RULINGS A2).
//!
//! No network: the draft goes out, one signature file per founding organisation comes back.

mod draft;
mod gather;
mod new;
mod page;
mod show;
mod sign;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, format_instant};
use rollbook_core::genesis::file::{FounderProblem, GenesisFileError, decode_draft};
use rollbook_core::genesis::{Genesis, GenesisItem, Opened};
use rollbook_core::id::PersonId;
use rollbook_core::identity::{OrganisationEntry, Role};
use rollbook_core::record::{Record, VALIDITY_MAX_MS};
use rollbook_node::clock::real_ms;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::{language, refusal, t};

use crate::drafting::build::shown;
use crate::drafting::warnings;
use crate::failure::Failure;
use crate::files;
use crate::flags::Global;
use crate::output::say;

/// How a founding record's file is named.
const SIGNATURE_SUFFIX: &str = ".record";
/// The folder of the signature files, beside the draft.
const SIGNATURES: &str = "signatures";
/// The folder of the cards, beside the secretary's files.
const CARDS: &str = "cards";

/// `genesis`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Files to begin with.
    New(new::New),
    /// From the secretary's files to a draft.
    Draft(draft::Draft),
    /// An organisation signs it.
    Sign(sign::Sign),
    /// What is missing.
    Check(gather::Check),
    /// Draft and signatures in one file.
    Assemble(gather::Assemble),
    /// A genesis as people read it.
    Show(show::Show),
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::New(flags) => new::run(global, flags),
        Command::Draft(flags) => draft::run(global, flags),
        Command::Sign(flags) => sign::run(global, flags),
        Command::Check(flags) => gather::check(global, flags),
        Command::Assemble(flags) => gather::assemble(global, flags),
        Command::Show(flags) => show::run(global, flags),
    }
}

fn deadline(genesis: &Genesis) -> String {
    let offset = genesis
        .charter()
        .map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes);
    format_instant(genesis.opened_ms().plus_ms(VALIDITY_MAX_MS), offset)
}

fn needed(entry: &OrganisationEntry) -> usize {
    entry
        .policy
        .needed(rollbook_core::identity::ActClass::General)
        .max(1) as usize
}

fn primaries(entry: &OrganisationEntry) -> Vec<PersonId> {
    entry
        .officers
        .iter()
        .filter(|officer| officer.roles.contains(&Role::Primary))
        .map(|officer| officer.person)
        .collect()
}

fn founder_json(entry: &OrganisationEntry) -> serde_json::Value {
    serde_json::json!({
        "organisation": entry.number,
        "name": entry.name,
        "primary": primaries(entry),
        "officers": entry.officers.iter().map(|officer| officer.person).collect::<Vec<_>>(),
        "needed": needed(entry),
    })
}

fn words(persons: &[PersonId]) -> String {
    persons
        .iter()
        .map(|person| person.0.to_string())
        .collect::<Vec<_>>()
        .join(&t("word.or", &[]))
}

/// A draft, or a failure that says what the file is instead.
fn read_draft(path: &Path) -> Result<(Genesis, Opened), Failure> {
    decode_draft(&files::read(path)?).map_err(|error| bad_file(path, &error, "genesis.no-draft"))
}

/// A file that is not what was asked for.
fn bad_file(path: &Path, error: &GenesisFileError, what: &str) -> Failure {
    let failure = Failure::unusable(t(what, &[("file", path.display().to_string())]));
    match error {
        GenesisFileError::Kind { .. } => failure.because(t("genesis.other-kind", &[])),
        GenesisFileError::Digest => failure
            .because(t("genesis.damaged", &[]))
            .next(t("genesis.damaged-next", &[])),
        GenesisFileError::Truncated(_) => failure
            .because(t("genesis.truncated", &[]))
            .next(t("genesis.damaged-next", &[])),
        other => failure.because(other),
    }
}

/// The organisation's entry among the founders.
fn founder(genesis: &Genesis, number: u32) -> Result<&OrganisationEntry, Failure> {
    genesis
        .founders()
        .find(|entry| entry.number == OrganisationId(number))
        .ok_or_else(|| {
            Failure::unusable(t("genesis.no-founder", &[("number", number.to_string())]))
                .next(t("genesis.no-founder-next", &[]))
        })
}
/// Organisations of every kind by number, with their names.
fn names(genesis: &Genesis) -> BTreeMap<OrganisationId, String> {
    let mut names = BTreeMap::new();
    for item in &genesis.items {
        if let GenesisItem::Organisation(entry)
        | GenesisItem::Observer(entry)
        | GenesisItem::Office { entry, .. } = item
        {
            names.insert(entry.number, shown(&entry.name));
        }
    }
    names
}

/// What will hurt in this genesis, as lines on stderr.
fn warn(genesis: &Genesis) {
    for warning in warnings::of(genesis, now(genesis)) {
        say(format!(
            "{}: {}",
            t("word.warning", &[]),
            warning.text(language())
        ));
    }
}

/// The time by which a genesis is judged: this machine's, and a sample's own beginning.
fn now(genesis: &Genesis) -> LedgerTime {
    match genesis.clock() {
        Clock::Wall => LedgerTime(real_ms()),
        Clock::Sample => genesis.opened_ms(),
    }
}

fn problem_reason(problem: &FounderProblem) -> String {
    match &problem.refusal {
        None => t("genesis.no-signature", &[]),
        Some(refused) => refusal(refused.code, &refused.facts),
    }
}

/// The signature files of a folder, with what cannot be read.
struct Signatures {
    records: Vec<(PathBuf, Record)>,
    unreadable: Vec<(PathBuf, String)>,
}

fn read_signatures(folder: &Path) -> Result<Signatures, Failure> {
    let mut paths = files::listed(folder).map_err(|error| files::cannot_read(folder, &error))?;
    paths.retain(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.ends_with(SIGNATURE_SUFFIX))
    });
    let mut signatures = Signatures {
        records: Vec::new(),
        unreadable: Vec::new(),
    };
    for path in paths {
        let bytes = files::read(&path)?;
        match decode::<Record>(&bytes) {
            Ok(record) => signatures.records.push((path, record)),
            Err(error) => signatures.unreadable.push((path, error.to_string())),
        }
    }
    Ok(signatures)
}

/// A path as a command line takes it: in quotation marks if it holds more than plain characters.
fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,=".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
