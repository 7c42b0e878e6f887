//! `rollbook org register|introduce`: a company that is no member enters the register (RULINGS
//! R16).
//!
//! The company writes a file: what it tells of itself, its officers' cards, signed with the first
//! officer's key. An officer of a live member, or the secretariat, countersigns it and hands it in:
//! an introduction, no sponsorship, no conflict. The ledger gives the numbers; with them the
//! officers number their keys (`rollbook keys assign`).

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use rollbook_core::crypto::Hash;
use rollbook_core::identity::{GroupDeclaration, OrganisationEntry, OrganisationKind};
use rollbook_core::record::{Body, OrganisationAct, Registration};
use serde::{Deserialize, Serialize};

use super::act::with_flow;
use super::keys::{key_arguments, keystore_of};
use crate::act::desk::{Desk, unknown};
use crate::act::perform;
use crate::drafting::fields;
use crate::failure::Failure;
use crate::files;
use crate::input::problem::{Place, Report};
use crate::keystore::card::OfficerCard;
use crate::keystore::{self, passphrase};
use crate::messages::t;
use crate::output::{print, print_json, say};
use crate::profile::{Profile, Profiles};

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

/// The commands under `org`.
pub fn command() -> Command {
    let text =
        |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let path = |name: &'static str| {
        Arg::new(name)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
    };
    let register = Command::new("register")
        .arg(text("native", "NAME").required(true))
        .arg(text("latin", "NAME").required(true))
        .arg(text("country", "CC").default_value("CN"))
        .arg(text("uscc", "CODE"))
        .arg(text("lei", "CODE"))
        .arg(text("other-identifier", "SCHEME:CODE"))
        .arg(text("extract", "HASH|@FILE").required(true))
        .arg(text("extract-date", "YYYY-MM-DD").required(true))
        .arg(text("directions", "N;N").default_value(""))
        .arg(text("related", "N;N").default_value(""))
        .arg(text("evidence", "FILE;FILE").default_value(""))
        .arg(text("approval", "CLASS=N;..").default_value(""))
        .arg(
            path("card")
                .long("card")
                .required(true)
                .action(ArgAction::Append),
        )
        .arg(text("genesis", "HASH"))
        .arg(path("out").long("out").default_value("registration.json"));
    let introduce = with_flow(
        Command::new("introduce").arg(path("file").required(true)),
        true,
    );
    Command::new("org")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(key_arguments(register))
        .subcommand(introduce)
}

/// Runs `org register`.
pub fn register(matches: &ArgMatches) -> Result<u8, Failure> {
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    let chain = match matches.get_one::<String>("genesis") {
        Some(text) => Hash::from_hex(text).ok_or_else(|| {
            Failure::unusable(t("audit.bad-hash", &[("hash", text.clone())]))
                .next(t("audit.bad-hash-next", &[]))
        })?,
        None => profile
            .as_ref()
            .and_then(Profile::genesis_hash)
            .ok_or_else(|| unknown("act.no-genesis"))?,
    };
    let entry = entry(matches)?;
    let first = entry.officers.first().map_or(0, |officer| officer.person);
    let store = keystore_of(matches)?;
    store.card(first)?;
    let secret = store.open(first, &passphrase::existing(matches, &first.to_string())?)?;
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
    let out = matches
        .get_one::<PathBuf>("out")
        .cloned()
        .unwrap_or_default();
    let file = File {
        kind: KIND.to_owned(),
        version: 1,
        chain,
        registration,
    };
    let bytes = serde_json::to_vec_pretty(&file)
        .map_err(|error| Failure::unusable("org register").because(error))?;
    files::write_new(&out, &bytes, false)?;
    let shown = [
        ("file", out.display().to_string()),
        ("chain", chain.to_hex()),
    ];
    if matches.get_flag("json") {
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

fn entry(matches: &ArgMatches) -> Result<OrganisationEntry, Failure> {
    let given = |id: &str| {
        matches
            .get_one::<String>(id)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let read = |name: &str| std::fs::read(name);
    let mut report = Report::default();
    let place = Place {
        file: "org register".into(),
        line: None,
    };
    let name = fields::name(&place, given("native"), given("latin"), &mut report);
    let mut identifiers = Vec::new();
    for (flag, column) in [
        ("uscc", "uscc"),
        ("lei", "lei"),
        ("other-identifier", "other_identifiers"),
    ] {
        identifiers.extend(fields::identifier(&place, column, given(flag), &mut report));
    }
    if identifiers.is_empty() && report.errors.is_empty() {
        report.error(&place, "identifier-missing", &[]);
    }
    identifiers.sort();
    let country = fields::country(&place, given("country"), &mut report);
    let extract = given("extract");
    let extract = fields::hash(
        &place,
        "extract",
        extract.strip_prefix('@').unwrap_or(extract),
        &read,
        &mut report,
    );
    let date = fields::date(&place, "extract_date", given("extract-date"), &mut report);
    let mut directions = Vec::new();
    for part in fields::parts(given("directions")) {
        match part.parse::<u32>() {
            Ok(number) => directions.push(number),
            Err(_) => report.error(
                &place,
                "direction-unknown",
                &[("found", part.to_owned()), ("near", String::new())],
            ),
        }
    }
    directions.sort_unstable();
    directions.dedup();
    let relations = fields::relations(
        &place,
        given("related"),
        given("evidence"),
        &read,
        &mut report,
    );
    let policy = fields::approval(&place, given("approval"), &mut report);
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
    for path in matches.get_many::<PathBuf>("card").into_iter().flatten() {
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
        .map(|(other, evidence)| GroupDeclaration { other, evidence })
        .collect();
    relations.sort();
    let entry = OrganisationEntry {
        number: 0,
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
pub fn introduce(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("file") else {
        return Err(Failure::unusable("FILE"));
    };
    let file = read(path)?;
    let desk = Desk::of(matches, None)?;
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
