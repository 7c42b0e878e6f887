//! `rollbook org register|introduce`: a company that is no member enters the register (RULINGS
//! R16).
//!
//! The company writes a file: what it tells of itself, its officers' cards, signed with the first
//! officer's key. An officer of a live member, or the secretariat, countersigns it and hands it in:
//! an introduction, no sponsorship, no conflict. The ledger gives the numbers; with them the
//! officers number their keys (`rollbook keys assign`).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_core::id::DirectionId;
use rollbook_core::identity::{
    GroupDeclaration, OrganisationEntry, OrganisationKind, RelationKind,
};
use rollbook_core::record::{Body, OrganisationAct, Registration};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use super::keys::keystore_of;
use crate::act::desk::{Desk, unknown};
use crate::act::perform;
use crate::drafting::fields;
use crate::failure::Failure;
use crate::flags::{Acting, Global, KeyFlags};
use crate::input::problem::{Place, Report};
use crate::keystore::card::OfficerCard;
use crate::keystore::passphrase;
use crate::output::{print, print_json, say};
use crate::profile::{genesis, in_use};
use crate::{files, keystore};

const KIND: &str = "rollbook-registration";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    version: u32,
    /// Genesis hash of the alliance that it is for.
    chain: Hash,
    registration: Registration,
}

/// `org`.
#[derive(Debug, Subcommand)]
pub enum Org {
    /// A company writes its registration.
    Register(Register),
    /// Somebody introduces it.
    Introduce(Introduce),
}

/// `org register`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Register {
    #[arg(long, value_name = "NAME")]
    native: String,
    #[arg(long, value_name = "NAME")]
    latin: String,
    #[arg(long, value_name = "CC", default_value = "CN")]
    country: String,
    #[arg(long, value_name = "CODE")]
    uscc: Option<String>,
    #[arg(long, value_name = "CODE")]
    lei: Option<String>,
    #[arg(
        id = "other-identifier",
        long = "other-identifier",
        value_name = "SCHEME:CODE"
    )]
    other_identifier: Option<String>,
    #[arg(long, value_name = "HASH|@FILE")]
    extract: String,
    #[arg(id = "extract-date", long = "extract-date", value_name = "YYYY-MM-DD")]
    extract_date: String,
    #[arg(long, value_name = "N;N", default_value = "")]
    directions: String,
    #[arg(long, value_name = "N;N", default_value = "")]
    related: String,
    #[arg(long, value_name = "FILE;FILE", default_value = "")]
    evidence: String,
    #[arg(long, value_name = "CLASS=N;..", default_value = "")]
    approval: String,
    #[arg(long, value_name = "FILE", required = true)]
    card: Vec<PathBuf>,
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    #[arg(long, value_name = "FILE", default_value = "registration.json")]
    out: PathBuf,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `org introduce`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Introduce {
    /// The registration.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    acting: Acting,
}

/// Runs the command.
pub fn run(global: &Global, command: &Org) -> Result<u8, Failure> {
    match command {
        Org::Register(flags) => register(global, flags),
        Org::Introduce(flags) => introduce(global, flags),
    }
}

/// Runs `org register`.
fn register(global: &Global, flags: &Register) -> Result<u8, Failure> {
    let profile = in_use(global)?;
    let chain = genesis(flags.genesis.as_deref(), profile.as_ref())?
        .ok_or_else(|| unknown("act.no-genesis"))?;
    let entry = entry(flags)?;
    let first = entry.officers.first().map_or(0, |officer| officer.person.0);
    let store = keystore_of(global, &flags.keys)?;
    store.card(first)?;
    let secret = store.open(
        first,
        &passphrase::existing(flags.keys.passphrase_file.as_deref(), &first.to_string())?,
    )?;
    let wrong = || keystore::mismatch(&store.secret_path(first), "keys.differs.key");
    let key = secret.key().ok_or_else(wrong)?;
    if entry
        .officers
        .first()
        .and_then(|officer| officer.keys.first())
        .map(|(public, _)| *public)
        != Some(key.public())
    {
        return Err(wrong());
    }
    let registration = Registration::sign(&chain, entry, &key);
    let out = &flags.out;
    let file = File {
        kind: KIND.to_owned(),
        version: 1,
        chain,
        registration,
    };
    let bytes = serde_json::to_vec_pretty(&file)
        .map_err(|error| Failure::unusable("org register").because(error))?;
    files::write_new(out, &bytes, false)?;
    let shown = [
        ("file", out.display().to_string()),
        ("chain", chain.to_hex()),
    ];
    if global.json {
        print_json(
            &serde_json::json!({ "file": out, "chain": chain, "entry": file.registration.entry }),
        );
    } else {
        print(t("org.registered", &shown));
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("org.registered-next", &shown)
        ));
    }
    Ok(0)
}

fn entry(flags: &Register) -> Result<OrganisationEntry, Failure> {
    let read = |name: &str| std::fs::read(name);
    let mut report = Report::default();
    let place = Place {
        file: "org register".into(),
        line: None,
    };
    let name = fields::name(&place, &flags.native, &flags.latin, &mut report);
    let mut identifiers = Vec::new();
    for (column, given) in [
        ("uscc", &flags.uscc),
        ("lei", &flags.lei),
        ("other_identifiers", &flags.other_identifier),
    ] {
        let given = given.as_deref().unwrap_or_default();
        identifiers.extend(fields::identifier(&place, column, given, &mut report));
    }
    if identifiers.is_empty() && report.errors.is_empty() {
        report.error(&place, "identifier-missing", &[]);
    }
    identifiers.sort();
    let country = fields::country(&place, &flags.country, &mut report);
    let extract = flags.extract.as_str();
    let extract = fields::hash(
        &place,
        "extract",
        extract.strip_prefix('@').unwrap_or(extract),
        &read,
        &mut report,
    );
    let date = fields::date(&place, "extract_date", &flags.extract_date, &mut report);
    let mut directions = Vec::new();
    for part in fields::parts(&flags.directions) {
        match part.parse::<u32>() {
            Ok(number) => directions.push(DirectionId(number)),
            Err(_) => report.error(
                &place,
                "direction-unknown",
                &[("found", part.to_owned()), ("near", String::new())],
            ),
        }
    }
    directions.sort_unstable();
    directions.dedup();
    let relations = fields::relations(&place, &flags.related, &flags.evidence, &read, &mut report);
    let policy = fields::approval(&place, &flags.approval, &mut report);
    let (Some(name), Some(country), Some(extract), Some(date), Some(policy), true) = (
        name,
        country,
        extract,
        date,
        policy,
        report.errors.is_empty(),
    ) else {
        let why: Vec<String> = report
            .errors
            .iter()
            .map(|problem| problem.text.clone())
            .collect();
        return Err(Failure::unusable(t("org.wrong", &[]))
            .because(why.join("; "))
            .next(t("org.wrong-next", &[])));
    };
    let mut cards = Vec::new();
    for path in &flags.card {
        cards.push(OfficerCard::read(path)?);
    }
    cards.sort_by_key(|card| card.person);
    let numbered = cards
        .iter()
        .map(|card| card.person)
        .eq(1..=cards.len() as u32);
    if cards.len() < 2 || !numbered || cards.iter().any(|card| card.organisation != 0) {
        let found: Vec<String> = cards
            .iter()
            .map(|card| format!("{}/{}", card.organisation, card.person))
            .collect();
        return Err(
            Failure::unusable(t("org.cards", &[("found", found.join(", "))]))
                .next(t("org.cards-next", &[])),
        );
    }
    let mut relations: Vec<_> = relations
        .into_iter()
        .map(|(other, evidence)| GroupDeclaration {
            other: OrganisationId(other),
            kind: RelationKind::Control,
            evidence,
        })
        .collect();
    relations.sort();
    let entry = OrganisationEntry {
        number: OrganisationId(0),
        kind: OrganisationKind::Company,
        name,
        identifiers,
        country,
        extract: (extract, date),
        relations,
        directions,
        officers: cards.iter().map(OfficerCard::entry).collect(),
        policy,
    };
    entry.check().map_err(|error| {
        Failure::unusable(t("org.wrong", &[]))
            .because(error)
            .next(t("org.wrong-next", &[]))
    })?;
    Ok(entry)
}

fn read(path: &Path) -> Result<File, Failure> {
    let none = |why: String| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("org.no-registration", &facts))
            .because(why)
            .next(t("org.no-registration-next", &facts))
    };
    let file: File =
        serde_json::from_slice(&files::read(path)?).map_err(|error| none(error.to_string()))?;
    if file.kind != KIND || file.version != 1 {
        return Err(none(format!("{} {}", file.kind, file.version)));
    }
    file.registration
        .entry
        .check()
        .map_err(|error| none(error.to_string()))?;
    let entry = &file.registration.entry;
    let first = entry
        .officers
        .first()
        .and_then(|officer| officer.keys.first());
    let message = Registration::sign_bytes(&file.chain, entry);
    if first.is_none_or(|(key, _)| key.verify(&message, &file.registration.signature).is_err()) {
        return Err(none(t("org.not-self-signed", &[])));
    }
    Ok(file)
}

/// Runs `org introduce FILE`.
fn introduce(global: &Global, flags: &Introduce) -> Result<u8, Failure> {
    let path = &flags.file;
    let file = read(path)?;
    let desk = Desk::of(global, &flags.acting, None)?;
    let chain = desk.chain()?;
    if chain != file.chain {
        let facts = [
            ("file", path.display().to_string()),
            ("chain", file.chain.to_hex()),
            ("own", chain.to_hex()),
        ];
        return Err(
            Failure::refused(t("act.other-chain", &facts)).next(t("act.other-chain-next", &facts))
        );
    }
    let entry = &file.registration.entry;
    let identifiers: Vec<String> = entry
        .identifiers
        .iter()
        .map(|identifier| identifier.org_id())
        .collect();
    let facts = [
        ("native", entry.name.native.to_string()),
        ("latin", entry.name.latin.to_string()),
        ("identifiers", identifiers.join(", ")),
        ("officers", entry.officers.len().to_string()),
    ];
    say(t("org.introduces", &facts));
    let reading = desk.reading();
    perform(
        &desk,
        "org introduce",
        Body::Organisation(OrganisationAct::Register(file.registration)),
        &reading,
    )
}
