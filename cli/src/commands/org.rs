//! `rollbook org register|introduce`: a company that is no member enters the register (RULINGS
//! R16).
//!
//! * `org register` fixes what the company tells of itself, with its officers' cards, and writes a
//!   file that every officer signs (`rollbook sign FILE`): keys that are at hand sign at once.
//! * An officer of a live member, or the secretariat, countersigns the complete file and hands it
//!   in: an introduction, no sponsorship, no conflict.
//! * The ledger gives the numbers; with them the officers number their keys (`rollbook keys
//!   assign`).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_core::id::{DirectionId, PersonId};
use rollbook_core::identity::{
    GroupDeclaration, OrganisationEntry, OrganisationKind, RelationKind,
};
use rollbook_core::record::{Body, OrganisationAct, Registration};
use rollbook_proof::crypto::Keypair;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;

use super::keys::{keystore_of, role_words};
use crate::act::desk::{Desk, same_chain, unknown};
use crate::act::perform;
use crate::drafting::fields;
use crate::failure::{Failure, NOT_YET};
use crate::flags::{Acting, Global, Signing};
use crate::input::problem::{Place, Report};
use crate::input::text::narrow;
use crate::keystore::Keystore;
use crate::keystore::card::{OfficerCard, key_text};
use crate::keystore::opened::Keys;
use crate::output::{print, print_json, say};
use crate::profile::{Profile, genesis, in_use};
use crate::registration_file::{Signed, numbers};
use crate::{consent, files, registration_file};

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
    #[arg(long)]
    observer: bool,
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    #[arg(long, value_name = "FILE", default_value = "registration.json")]
    out: PathBuf,
    #[command(flatten)]
    signing: Signing,
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
    let mut waiting = Signed {
        chain,
        registration: Registration::draft(&entry(flags)?),
    };
    let out = &flags.out;
    if out.exists() {
        // Before anybody is asked for a passphrase.
        return Err(files::cannot_write(out, &ErrorKind::AlreadyExists.into()));
    }
    show(&waiting, profile.as_ref());
    let store = keystore_of(global, &flags.signing.keys)?;
    let mut who = Signers::given(&waiting, &flags.signing)?;
    if who.is_empty() {
        who = Signers::here(&waiting, &store)?;
    }
    if !who.is_empty() {
        consent::ask(global, "consent.sign")?;
    }
    let keys = Keys::default();
    keys.used_for(&t("org.purpose", &[]));
    let passphrase_file = flags.signing.keys.passphrase_file.as_deref();
    for person in &who {
        add(
            &mut waiting,
            *person,
            &keys.open(person.0, &store, passphrase_file)?,
            &store,
        )?;
    }
    files::write_new(out, &waiting.render()?, false)?;
    stands(global, &waiting, out)
}

/// `sign FILE` of a registration: shows what is signed, then adds the signatures of those who are
/// named, else of every officer whose key is here.
pub fn sign(
    global: &Global,
    file: &Path,
    copies: &[PathBuf],
    signing: &Signing,
) -> Result<u8, Failure> {
    let mut waiting = registration_file::read(file)?;
    for copy in copies {
        if !waiting.merge(&registration_file::read(copy)?) {
            let facts = [
                ("file", copy.display().to_string()),
                ("first", file.display().to_string()),
            ];
            return Err(Failure::refused(t("sign.other-registration", &facts))
                .next(t("sign.other-registration-next", &facts)));
        }
    }
    if !copies.is_empty() {
        let _lock = files::locked(file)?;
        waiting.merge(&registration_file::read(file)?);
        files::replace(file, &waiting.render()?)?;
        if signing.signer.is_empty() {
            // Copies are put together without a signature of one's own.
            return stands(global, &waiting, file);
        }
    }
    let profile = in_use(global)?;
    if let Some(own) = profile.as_ref().and_then(Profile::genesis_hash) {
        same_chain(waiting.chain, own, file)?;
    }
    show(&waiting, profile.as_ref());
    let store = keystore_of(global, &signing.keys)?;
    let mut who = Signers::given(&waiting, signing)?;
    if who.is_empty() {
        who = Signers::here(&waiting, &store)?;
        if who.is_empty() {
            let facts = [
                ("folder", store.folder().display().to_string()),
                ("missing", numbers(&waiting.missing())),
            ];
            return Err(Failure::unusable(t("org.no-key-here", &facts))
                .next(t("org.no-key-here-next", &facts)));
        }
    }
    consent::ask(global, "consent.sign")?;
    let keys = Keys::default();
    keys.used_for(&t("org.purpose", &[]));
    let passphrase_file = signing.keys.passphrase_file.as_deref();
    // The keys first: while a passphrase is typed, others may sign the same file.
    let opened: Vec<_> = who
        .into_iter()
        .map(|person| Ok((person, keys.open(person.0, &store, passphrase_file)?)))
        .collect::<Result<_, Failure>>()?;
    let _lock = files::locked(file)?;
    // What others added since it was shown stays.
    let shown = waiting;
    waiting = registration_file::read(file)?;
    if !waiting.merge(&shown) {
        let facts = [("file", file.display().to_string())];
        return Err(Failure::refused(t("org.changed-meanwhile", &facts))
            .next(t("org.changed-meanwhile-next", &facts)));
    }
    for (person, key) in opened {
        if waiting.missing().contains(&person) {
            add(&mut waiting, person, &key, &store)?;
        }
    }
    // The file may carry the only signatures of people who have gone home.
    files::replace(file, &waiting.render()?)?;
    stands(global, &waiting, file)
}

/// `submit FILE` of a registration: says who hands it in.
pub fn submit(file: &Path) -> Result<u8, Failure> {
    complete(&registration_file::read(file)?, file)?;
    let facts = [("file", file.display().to_string())];
    Err(Failure::unusable(t("org.submit", &facts)).next(t("org.registered-next", &facts)))
}

/// Who signs a registration.
struct Signers;

impl Signers {
    /// Those named with `--signer`: officers of the registration who have not signed.
    fn given(waiting: &Signed, signing: &Signing) -> Result<Vec<PersonId>, Failure> {
        let officers: Vec<PersonId> = waiting.officers().iter().map(|o| o.person).collect();
        let missing = waiting.missing();
        let one = |text: &String| {
            let person = narrow(text).parse().ok().map(PersonId);
            let Some(person) = person.filter(|person| officers.contains(person)) else {
                let facts = [("given", text.clone()), ("officers", numbers(&officers))];
                return Err(Failure::unusable(t("org.no-such-officer", &facts))
                    .next(t("org.no-such-officer-next", &facts)));
            };
            if missing.contains(&person) {
                Ok(person)
            } else {
                Err(signed_already(waiting, &[person]))
            }
        };
        signing.signer.iter().map(one).collect()
    }

    /// Officers of the registration who have not signed and whose keys are in the keystore: made for
    /// a company without a number, under this officer's.
    fn here(waiting: &Signed, store: &Keystore) -> Result<Vec<PersonId>, Failure> {
        let mut here = Vec::new();
        for officer in waiting.officers() {
            let person = officer.person.0;
            if store.secret_path(person).exists() && store.card(person)?.organisation == 0 {
                here.push(officer.person);
            }
        }
        let missing = waiting.missing();
        let open: Vec<PersonId> = here
            .iter()
            .copied()
            .filter(|p| missing.contains(p))
            .collect();
        if open.is_empty() && !here.is_empty() {
            return Err(signed_already(waiting, &here));
        }
        Ok(open)
    }
}

fn signed_already(waiting: &Signed, persons: &[PersonId]) -> Failure {
    let facts = [
        ("person", numbers(persons)),
        ("missing", numbers(&waiting.missing())),
    ];
    let next = if waiting.missing().is_empty() {
        "org.complete-next"
    } else {
        "org.signed-already-next"
    };
    Failure::refused(t("act.signed-already", &facts)).next(t(next, &facts))
}

/// Adds an officer's signatures.
fn add(
    waiting: &mut Signed,
    person: PersonId,
    key: &Keypair,
    store: &Keystore,
) -> Result<(), Failure> {
    if waiting.sign(person, key) {
        say(t("org.signed", &[("person", person.0.to_string())]));
        return Ok(());
    }
    let facts = [
        ("person", person.0.to_string()),
        ("folder", store.folder().display().to_string()),
        ("key", key_text(&key.public())),
    ];
    Err(Failure::refused(t("org.other-key", &facts)).next(t("org.other-key-next", &facts)))
}

/// What an officer signs, before anything is signed: which organisation, which chain, which officers.
fn show(waiting: &Signed, profile: Option<&Profile>) {
    let entry = &waiting.registration.entry;
    let of_profile = profile.filter(|profile| profile.genesis_hash() == Some(waiting.chain));
    let facts = [
        ("native", entry.name.native.to_string()),
        ("latin", entry.name.latin.to_string()),
        ("identifiers", identifiers(entry)),
        ("chain", waiting.chain.to_hex()),
        (
            "alliance",
            of_profile.map_or_else(|| t("org.unknown-alliance", &[]), |p| p.alliance.clone()),
        ),
    ];
    say(t("org.shows", &facts));
    say(t("org.shows-chain", &facts));
    let missing = waiting.missing();
    for officer in waiting.officers() {
        let stands = if missing.contains(&officer.person) {
            "org.not-signed"
        } else {
            "org.has-signed"
        };
        let keys: Vec<String> = officer.keys.iter().map(|(key, _)| key_text(key)).collect();
        let facts = [
            ("person", officer.person.0.to_string()),
            ("roles", role_words(&officer.roles)),
            ("key", keys.join(&t("word.list", &[]))),
            ("stands", t(stands, &[])),
        ];
        say(t("org.shows-officer", &facts));
    }
}

/// Refuses a registration that waits for signatures.
fn complete(waiting: &Signed, file: &Path) -> Result<(), Failure> {
    if waiting.missing().is_empty() {
        return Ok(());
    }
    let facts = facts(waiting, file);
    Err(Failure::not_yet(t("org.waiting", &facts)).next(t("org.waiting-next", &facts)))
}

fn facts(waiting: &Signed, file: &Path) -> [(&'static str, String); 4] {
    [
        ("file", file.display().to_string()),
        ("chain", waiting.chain.to_hex()),
        ("signed", numbers(&waiting.signed())),
        ("missing", numbers(&waiting.missing())),
    ]
}

/// Says who is missing, or that nobody is.
fn stands(global: &Global, waiting: &Signed, file: &Path) -> Result<u8, Failure> {
    let missing = waiting.missing();
    let facts = facts(waiting, file);
    if global.json {
        print_json(&serde_json::json!({
            "file": file, "chain": waiting.chain, "entry": waiting.registration.entry,
            "signed": waiting.signed(), "missing": missing,
        }));
    } else if missing.is_empty() {
        print(t("org.registered", &facts));
    } else {
        print(t("org.waiting", &facts));
    }
    let next = if missing.is_empty() {
        "org.registered-next"
    } else {
        "org.waiting-next"
    };
    say(format!("{}: {}", t("word.next", &[]), t(next, &facts)));
    Ok(if missing.is_empty() { 0 } else { NOT_YET })
}

fn identifiers(entry: &OrganisationEntry) -> String {
    let identifiers: Vec<String> = entry.identifiers.iter().map(|id| id.org_id()).collect();
    identifiers.join(", ")
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
    if identifiers.is_empty() && !flags.observer && report.errors.is_empty() {
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
    for (i, card) in cards.iter().enumerate() {
        let mut before = cards.iter().take(i);
        if let Some(other) = before.find(|other| other.public_key == card.public_key) {
            let facts = [
                ("person", card.person.to_string()),
                ("other", other.person.to_string()),
            ];
            return Err(
                Failure::unusable(t("org.same-key", &facts)).next(t("org.same-key-next", &facts))
            );
        }
    }
    let numbered = cards
        .iter()
        .map(|card| card.person)
        .eq(1..=cards.len() as u32);
    let fewest = if flags.observer { 1 } else { 2 };
    if cards.len() < fewest || !numbered || cards.iter().any(|card| card.organisation != 0) {
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
        kind: if flags.observer {
            OrganisationKind::Observer
        } else {
            OrganisationKind::Company
        },
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

/// Runs `org introduce FILE`.
fn introduce(global: &Global, flags: &Introduce) -> Result<u8, Failure> {
    let path = &flags.file;
    let signed = registration_file::read(path)?;
    let desk = Desk::of(global, &flags.acting, None)?;
    same_chain(signed.chain, desk.chain()?, path)?;
    complete(&signed, path)?;
    let entry = &signed.registration.entry;
    let facts = [
        ("native", entry.name.native.to_string()),
        ("latin", entry.name.latin.to_string()),
        ("identifiers", identifiers(entry)),
        ("officers", entry.officers.len().to_string()),
    ];
    say(t("org.introduces", &facts));
    let reading = desk.reading();
    perform(
        &desk,
        "org introduce",
        Body::Organisation(OrganisationAct::Register(signed.registration)),
        &reading,
    )
}
