//! `rollbook keys new|list|show|check|backup|restore|assign|offer|rotate|sample`: officers' and nodes' keys
//! on one's own machine (RULINGS A21, R23, R24).

mod copies;
mod kept;
mod new;
mod renew;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, value_parser};
use rollbook_core::calendar::LocalDay;
use rollbook_core::identity::Role;
use rollbook_core::identity::identifier::did_key;
use rollbook_words::catalogue::t;

use crate::drafting::{Inputs, read_inputs, sample};
use crate::failure::Failure;
use crate::flags::{Global, KeyFlags};
use crate::input::problem::Report;
use crate::input::prompt::{Person, Terminal};
use crate::keystore::card::{OfficerCard, key_text, role_code};
use crate::keystore::{Keystore, passphrase};
use crate::output::{print, print_json, say};
use crate::profile::in_use;
use crate::{files, keystore};

/// `keys`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// New keys of an officer or a node.
    New(new::New),
    /// Everybody in the keystore.
    List(List),
    /// One person's card.
    Show(Show),
    /// Opens a kept secret.
    Check(copies::Check),
    /// Copies a secret.
    Backup(copies::Backup),
    /// Puts a kept secret, and its card, into the keystore.
    Restore(copies::Restore),
    /// Puts openings of a backup back.
    Openings(kept::Openings),
    /// Numbers a key after the registration.
    Assign(Assign),
    /// Offers a key to a company.
    Offer(renew::Hand),
    /// A new key in place of the one that is here.
    Rotate(renew::Rotate),
    /// Keys of a sample alliance.
    Sample(Sample),
}

/// `keys list`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct List {
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys show`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Show {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys assign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Assign {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    to: u32,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys sample`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sample {
    #[arg(long, value_name = "SEED")]
    seed: String,
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    alliance: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::New(flags) => new::run(global, flags),
        Command::List(flags) => list(global, flags),
        Command::Show(flags) => show(global, flags),
        Command::Check(flags) => copies::check(global, flags),
        Command::Backup(flags) => copies::backup(global, flags),
        Command::Restore(flags) => copies::restore(global, flags),
        Command::Openings(flags) => kept::restore(global, flags),
        Command::Assign(flags) => assign(global, flags),
        Command::Offer(flags) => renew::offer(global, flags),
        Command::Rotate(flags) => renew::rotate(global, flags),
        Command::Sample(flags) => samples(global, flags),
    }
}

/// Asks on a terminal; nothing if there is none.
pub fn ask(prompt: &str) -> Result<Option<String>, Failure> {
    Terminal.line(prompt)
}

/// The keystore that applies here.
pub fn keystore_of(global: &Global, flags: &KeyFlags) -> Result<Keystore, Failure> {
    let given = flags.keystore.as_ref();
    let profile = match given {
        Some(_) => None,
        None => in_use(global)?.and_then(|profile| profile.keystore),
    };
    Ok(Keystore::at(given, profile.as_deref()))
}

fn card_json(card: &OfficerCard, store: &Keystore) -> serde_json::Value {
    serde_json::json!({
        "organisation": card.organisation,
        "person": card.person,
        "roles": card.roles,
        "public_key": card.public_key,
        "did": did_key(&card.public_key),
        "commitment": card.commitment,
        "letter": card.authorisation.letter,
        "letter_date": LocalDay(card.authorisation.date.0).date().to_string(),
        "sample": card.sample,
        "secret": store.secret_path(card.person).exists().then(|| store.secret_path(card.person)),
        "card": store.card_path(card.person),
    })
}

/// Roles as people read them.
pub fn role_words(roles: &[Role]) -> String {
    if roles.is_empty() {
        return t("role.none", &[]);
    }
    let separator = t("word.list", &[]);
    roles
        .iter()
        .map(|role| t(&format!("role.{}", role_code(*role)), &[]))
        .collect::<Vec<_>>()
        .join(&separator)
}

fn list(global: &Global, flags: &List) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let entries = store.list()?;
    // A secret without its card is no entry, and must not look as if it were not there.
    for person in store.half_made() {
        let failure = keystore::half_made(person, &store.secret_path(person));
        say(crate::input::prompt::told(&failure));
    }
    if global.json {
        print_json(
            &entries
                .iter()
                .map(|entry| card_json(&entry.card, &store))
                .collect::<Vec<_>>(),
        );
        return Ok(0);
    }
    if entries.is_empty() && !store.half_made().is_empty() {
        return Ok(0);
    }
    if entries.is_empty() {
        say(t(
            "keys.none",
            &[("folder", store.folder().display().to_string())],
        ));
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("keys.none-next", &[])
        ));
        return Ok(0);
    }
    let mut table = crate::output::table(&[
        "keys.column.person",
        "keys.column.organisation",
        "keys.column.roles",
        "keys.column.key",
        "keys.column.secret",
    ]);
    for entry in &entries {
        let mut key = key_text(&entry.card.public_key);
        key.truncate(24);
        let state = if entry.has_secret {
            "keys.secret-here"
        } else {
            "keys.secret-away"
        };
        table.add_row([
            entry.card.person.to_string(),
            entry.card.organisation.to_string(),
            role_words(&entry.card.roles),
            key,
            t(state, &[]),
        ]);
    }
    print(table.trim_fmt());
    Ok(0)
}

fn show(global: &Global, flags: &Show) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let person = flags.person;
    let card = store.card(person)?;
    if global.json {
        print_json(&card_json(&card, &store));
        return Ok(0);
    }
    if card.sample {
        print(t("keys.sample-warning", &[]));
    }
    print(t(
        "keys.show.person",
        &[
            ("person", person.to_string()),
            ("organisation", card.organisation.to_string()),
        ],
    ));
    print(t("keys.show.roles", &[("roles", role_words(&card.roles))]));
    print(t("keys.show.key", &[("key", key_text(&card.public_key))]));
    print(t("keys.show.did", &[("did", did_key(&card.public_key))]));
    print(t(
        "keys.show.commitment",
        &[("hash", card.commitment.to_hex())],
    ));
    let date = LocalDay(card.authorisation.date.0).date().to_string();
    print(t(
        "keys.show.letter",
        &[("hash", card.authorisation.letter.to_hex()), ("date", date)],
    ));
    let state = if store.secret_path(person).exists() {
        "keys.secret-here"
    } else {
        "keys.secret-away"
    };
    print(t(
        "keys.show.secret",
        &[
            ("state", t(state, &[])),
            ("folder", store.folder().display().to_string()),
        ],
    ));
    Ok(0)
}

/// Gives a key made before the registration the numbers that the ledger gave: the same key, a new
/// pair of files (RULINGS R16).
fn assign(global: &Global, flags: &Assign) -> Result<u8, Failure> {
    let Assign {
        person,
        organisation,
        to,
        ..
    } = *flags;
    let store = keystore_of(global, &flags.keys)?;
    let card = store.card(person)?;
    if card.organisation != 0 {
        return Err(has_number(&card));
    }
    kept::is_of(global, organisation, to)?;
    let whose = t("keys.whose-number", &[("person", person.to_string())]);
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &whose)?;
    let mut secret = store.open(person, &passphrase)?;
    let unreadable = || keystore::mismatch(&store.secret_path(person), "keys.differs.key");
    (secret.organisation, secret.person) = (organisation, to);
    let numbered = OfficerCard {
        organisation,
        person: to,
        ..card
    };
    // The same key, with the proof that goes with the new number.
    let card = OfficerCard {
        possession: secret.card().ok_or_else(unreadable)?.possession,
        ..numbered
    };
    store.add(&secret, &card, &passphrase)?;
    store.open(to, &passphrase)?;
    if global.json {
        print_json(&serde_json::json!({
            "person": to, "organisation": organisation, "secret": store.secret_path(to),
        }));
        return Ok(0);
    }
    let facts = [
        ("person", to.to_string()),
        ("organisation", organisation.to_string()),
    ];
    print(t(
        "keys.assigned",
        &[
            ("file", store.secret_path(to).display().to_string()),
            facts[0].clone(),
            facts[1].clone(),
        ],
    ));
    say(format!(
        "{}: {}",
        t("word.next", &[]),
        t("keys.assigned-next", &facts)
    ));
    Ok(0)
}

/// A key that has its numbers gets no others.
fn has_number(card: &OfficerCard) -> Failure {
    let facts = [
        ("person", card.person.to_string()),
        ("organisation", card.organisation.to_string()),
    ];
    Failure::unusable(t("keys.assigned-already", &facts)).next(t("keys.assigned-next", &facts))
}

/// Cards, keystore, node keys and the founded genesis of a whole sample alliance: the shipped one,
/// or that of given files.
fn samples(global: &Global, flags: &Sample) -> Result<u8, Failure> {
    let (seed, out) = (&flags.seed, &flags.out);
    let alliance = match &flags.members {
        None => sample::metaverse(seed)?,
        Some(members) => sample::found(&inputs(&flags.alliance, members)?, seed)?,
    };
    let keys = &alliance.keys;
    let (cards, store) = (
        out.join("cards"),
        Keystore::at(Some(&out.join("keystore")), None),
    );
    files::make_folder(&cards)?;
    for officer in keys.officers.values() {
        store.add(&officer.secret, &officer.card, sample::PASSPHRASE)?;
        let path = cards.join(format!("{:04}.card.toml", officer.card.person));
        files::write_new(&path, officer.card.render().as_bytes(), false)?;
    }
    for (number, (card, secrets)) in &keys.nodes {
        secrets.write(&out.join("nodes").join(format!("{number:04}")))?;
        files::write_new(
            &cards.join(format!("node-{number:04}.card.toml")),
            card.render().as_bytes(),
            false,
        )?;
    }
    let genesis = out.join("genesis.rollbook");
    files::write_new(&genesis, &alliance.file.encode(), false)?;
    if global.json {
        let persons: Vec<u32> = keys.officers.keys().copied().collect();
        let nodes: Vec<u32> = keys.nodes.keys().copied().collect();
        print_json(&serde_json::json!({
            "out": out, "persons": persons, "nodes": nodes, "passphrase": sample::PASSPHRASE,
            "genesis": alliance.file.genesis.hash(), "file": genesis,
        }));
        return Ok(0);
    }
    let facts = [
        ("officers", keys.officers.len().to_string()),
        ("nodes", keys.nodes.len().to_string()),
        ("out", out.display().to_string()),
        ("passphrase", sample::PASSPHRASE.to_owned()),
    ];
    print(t("keys.samples-made", &facts));
    print(t(
        "genesis.head.hash",
        &[("hash", alliance.file.genesis.hash().to_hex())],
    ));
    say(t("keys.sample-warning", &[]));
    Ok(0)
}

fn inputs(alliance: &Option<PathBuf>, members: &Path) -> Result<Inputs, Failure> {
    let alliance = alliance
        .clone()
        .unwrap_or_else(|| members.with_file_name("alliance.toml"));
    let base = alliance.parent().map(Path::to_path_buf).unwrap_or_default();
    let read = |name: &str| std::fs::read(base.join(name));
    let mut report = Report::default();
    let (alliance_name, members_name) = (
        alliance.display().to_string(),
        members.display().to_string(),
    );
    let inputs = read_inputs(
        (&alliance_name, &files::read(&alliance)?),
        (&members_name, &files::read(members)?),
        &read,
        &mut report,
    );
    inputs
        .filter(|_| report.errors.is_empty())
        .ok_or_else(|| sample::unusable(&report))
}
