//! `rollbook genesis draft|sign|check|assemble|show`: from a secretary's files to the one file that
//! nodes start from (RULINGS A2).
//!
//! No network: the draft goes out, one signature file per founding organisation comes back.

mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, value_parser};
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, format_instant};
use rollbook_core::genesis::file::{
    FounderProblem, GenesisFile, GenesisFileError, decode_draft, encode_draft, found_payload,
    judge_founders,
};
use rollbook_core::genesis::{Genesis, GenesisItem, Opened};
use rollbook_core::id::PersonId;
use rollbook_core::identity::{OrganisationEntry, Role};
use rollbook_core::record::{Capacity, Record, VALIDITY_MAX_MS};
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::{refusal, t};

use super::keys::{keystore_of, role_words};
use crate::drafting::build::shown;
use crate::failure::{Failure, REFUSED, UNUSABLE};
use crate::files;
use crate::flags::{Global, KeyFlags};
use crate::input::problem::Report;
use crate::keystore::passphrase;
use crate::output::{print, print_json, say};

/// How a founding record's file is named.
const SIGNATURE_SUFFIX: &str = ".record";
/// Founders listed after a draft; `genesis check` lists all.
const LISTED: usize = 40;

/// `genesis`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// From the secretary's files to a draft.
    Draft(Draft),
    /// An organisation signs it.
    Sign(Sign),
    /// What is missing.
    Check(Check),
    /// Draft and signatures in one file.
    Assemble(Assemble),
    /// A genesis as people read it.
    Show(show::Show),
}

/// `genesis draft`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Draft {
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    cards: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `genesis sign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sign {
    #[arg(value_name = "DRAFT")]
    draft: PathBuf,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..), required = true)]
    person: Vec<u32>,
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `genesis check`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Check {
    #[arg(value_name = "DRAFT")]
    draft: PathBuf,
    #[arg(value_name = "DIR")]
    signatures: PathBuf,
}

/// `genesis assemble`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Assemble {
    #[command(flatten)]
    signed: Check,
    #[arg(long, value_name = "FILE", default_value = "genesis.rollbook")]
    out: PathBuf,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Draft(flags) => draft(global, flags),
        Command::Sign(flags) => sign(global, flags),
        Command::Check(flags) => check(global, flags),
        Command::Assemble(flags) => assemble(global, flags),
        Command::Show(flags) => show::run(global, flags),
    }
}

fn draft(global: &Global, flags: &Draft) -> Result<u8, Failure> {
    let folder = &flags.folder;
    let in_folder =
        |given: &Option<PathBuf>, name: &str| given.clone().unwrap_or_else(|| folder.join(name));
    let alliance = folder.join("alliance.toml");
    let (members, cards, out) = (
        in_folder(&flags.members, "members.csv"),
        in_folder(&flags.cards, "cards"),
        in_folder(&flags.out, "genesis.draft"),
    );
    let (alliance_bytes, member_bytes) = (files::read(&alliance)?, files::read(&members)?);
    let read = |name: &str| std::fs::read(folder.join(name));
    let mut report = Report::default();
    let (alliance_name, members_name) = (
        alliance.display().to_string(),
        members.display().to_string(),
    );
    let drafted = crate::drafting::draft(
        (&alliance_name, &alliance_bytes),
        (&members_name, &member_bytes),
        &cards,
        &read,
        &mut report,
    );
    let json = global.json;
    let Some(genesis) = drafted else {
        if json {
            print_json(&serde_json::json!({
                "ok": false, "errors": report.errors, "warnings": report.warnings,
            }));
        } else {
            for problem in &report.errors {
                print(problem.to_string());
            }
            for problem in &report.warnings {
                print(format!("{}: {problem}", t("word.warning", &[])));
            }
            let files: std::collections::BTreeSet<&str> = report
                .errors
                .iter()
                .map(|problem| problem.file.as_str())
                .collect();
            say(t(
                "genesis.not-drafted",
                &[
                    ("count", report.errors.len().to_string()),
                    ("files", files.len().to_string()),
                ],
            ));
        }
        return Ok(UNUSABLE);
    };
    files::write_new(&out, &encode_draft(&genesis), false)?;
    if json {
        let founders: Vec<_> = genesis.founders().map(founder_json).collect();
        print_json(&serde_json::json!({
            "ok": true, "draft": out, "genesis": genesis.hash(), "founders": founders,
            "warnings": report.warnings,
            "valid_until_ms": genesis.opened_ms().plus_ms(VALIDITY_MAX_MS),
        }));
        return Ok(0);
    }
    for problem in &report.warnings {
        say(format!("{}: {problem}", t("word.warning", &[])));
    }
    print(t("genesis.drafted", &[("file", out.display().to_string())]));
    show::head(&genesis);
    say(format!("\n{}:", t("word.next", &[])));
    say(t("genesis.next-publish", &[]));
    let count = genesis.founders().count();
    say(t(
        "genesis.next-sign",
        &[("count", count.to_string()), ("until", deadline(&genesis))],
    ));
    for entry in genesis.founders().take(LISTED) {
        say(format!("  {}", what_to_sign(entry, &out)));
    }
    if count > LISTED {
        say(t(
            "genesis.and-more",
            &[("count", (count - LISTED).to_string())],
        ));
    }
    say(t(
        "genesis.next-check",
        &[("draft", out.display().to_string())],
    ));
    Ok(0)
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

/// One founder's line: who has to sign, and by which command.
fn what_to_sign(entry: &OrganisationEntry, draft: &Path) -> String {
    let primaries = primaries(entry);
    let (needed, first) = (
        needed(entry),
        primaries.first().copied().unwrap_or_default(),
    );
    let who = if needed > 1 {
        t(
            "genesis.who-more",
            &[
                ("primary", words(&primaries)),
                ("others", (needed - 1).to_string()),
            ],
        )
    } else {
        t("genesis.who", &[("primary", words(&primaries))])
    };
    let command = format!(
        "rollbook genesis sign {} --organisation {} --person {}",
        draft.display(),
        entry.number.0,
        first.0
    );
    format!(
        "{} {}: {who}\n      {command}",
        entry.number.0,
        shown(&entry.name)
    )
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

fn sign(global: &Global, flags: &Sign) -> Result<u8, Failure> {
    let draft_path = &flags.draft;
    let (genesis, opened) = read_draft(draft_path)?;
    let hash = genesis.hash();
    if let Some(text) = &flags.genesis
        && Hash::from_hex(text) != Some(hash)
    {
        return Err(Failure::refused(t(
            "genesis.other-hash",
            &[("expected", text.clone()), ("found", hash.to_hex())],
        ))
        .next(t("genesis.other-hash-next", &[])));
    }
    let number = flags.organisation;
    let entry = founder(&genesis, number)?;
    let out = flags.out.clone().unwrap_or_else(|| {
        draft_path.with_file_name(format!("found-{number:04}{SIGNATURE_SUFFIX}"))
    });
    let mut record = match std::fs::read(&out) {
        Ok(bytes) => {
            let record = decode::<Record>(&bytes).map_err(|error| {
                Failure::unusable(t(
                    "genesis.bad-signature-file",
                    &[("file", out.display().to_string())],
                ))
                .because(error)
            })?;
            if record.payload
                != found_payload(&genesis, OrganisationId(number), record.payload.officer)
            {
                return Err(Failure::refused(t(
                    "genesis.other-record",
                    &[("file", out.display().to_string())],
                ))
                .next(t("genesis.other-record-next", &[])));
            }
            Some(record)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(files::cannot_read(&out, &error)),
    };
    let store = keystore_of(global, &flags.keys)?;
    if !global.json {
        say(t(
            "genesis.signing",
            &[
                ("alliance", show::alliance_name(&genesis)),
                ("hash", hash.to_hex()),
            ],
        ));
        say(t(
            "genesis.signing-for",
            &[("number", number.to_string()), ("name", shown(&entry.name))],
        ));
    }
    for person in flags.person.iter().copied() {
        let Some(officer) = entry
            .officers
            .iter()
            .find(|officer| officer.person == PersonId(person))
        else {
            let officers: Vec<PersonId> = entry
                .officers
                .iter()
                .map(|officer| officer.person)
                .collect();
            let facts = [("person", person.to_string()), ("name", shown(&entry.name))];
            return Err(Failure::refused(t("genesis.no-officer", &facts)).next(t(
                "genesis.no-officer-next",
                &[("officers", words(&officers))],
            )));
        };
        let role = if officer.roles.contains(&Role::Primary) {
            Some(Role::Primary)
        } else {
            officer.roles.first().copied()
        };
        let Some(role) = role else {
            return Err(Failure::refused(t(
                "genesis.no-role",
                &[("person", person.to_string())],
            )));
        };
        if record.as_ref().is_some_and(|record| {
            record
                .signatures
                .iter()
                .any(|entry| entry.officer == PersonId(person))
        }) {
            say(t("genesis.already", &[("person", person.to_string())]));
            continue;
        }
        let whose = t("keys.whose-number", &[("person", person.to_string())]);
        // A missing key is said before a passphrase is asked for.
        store.card(person)?;
        let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &whose)?;
        let secret = store.open(person, &passphrase)?;
        let Some(key) = secret.key() else {
            return Err(Failure::unusable(t(
                "keys.damaged",
                &[("file", store.secret_path(person).display().to_string())],
            )));
        };
        let Some(key_number) = officer
            .keys
            .iter()
            .position(|(public, _)| *public == key.public())
        else {
            return Err(Failure::refused(t(
                "genesis.other-key",
                &[("person", person.to_string())],
            ))
            .next(t("genesis.other-key-next", &[])));
        };
        let current = record.get_or_insert_with(|| Record {
            payload: found_payload(&genesis, OrganisationId(number), PersonId(person)),
            signatures: Vec::new(),
        });
        let signature = current.payload.sign(
            PersonId(person),
            Capacity::Own(role),
            key_number as u32,
            &key,
        );
        current.signatures.push(signature);
        current.signatures.sort_by_key(|entry| entry.officer);
    }
    let Some(record) = record else {
        return Err(Failure::unusable(t("genesis.nobody-signed", &[])));
    };
    record.check().map_err(|error| {
        Failure::unusable(t(
            "genesis.bad-signature-file",
            &[("file", out.display().to_string())],
        ))
        .because(error)
    })?;
    crate::files::replace(&out, &encode(&record))?;
    let missing = judge_founders(&genesis, &opened, std::slice::from_ref(&record))
        .into_iter()
        .find(|problem| problem.organisation == OrganisationId(number));
    let signed: Vec<PersonId> = record
        .signatures
        .iter()
        .map(|entry| entry.officer)
        .collect();
    if global.json {
        let why = missing
            .as_ref()
            .and_then(|problem| problem.refusal.as_ref())
            .map(|refusal| refusal.code);
        print_json(&serde_json::json!({
            "file": out, "organisation": number, "record": record.id(), "genesis": hash,
            "signed": signed,
            "complete": missing.is_none(), "missing": why,
        }));
        return Ok(0);
    }
    let signers = signed
        .iter()
        .map(|person| person.0.to_string())
        .collect::<Vec<_>>()
        .join(&t("word.list", &[]));
    print(t(
        "genesis.signed",
        &[("file", out.display().to_string()), ("signers", signers)],
    ));
    match missing {
        None => {
            print(t("genesis.complete-one", &[("name", shown(&entry.name))]));
            say(format!(
                "\n{}: {}",
                t("word.next", &[]),
                t("genesis.next-send", &[("file", out.display().to_string())])
            ));
        }
        Some(problem) => {
            print(t(
                "genesis.more-needed",
                &[("why", problem_reason(&problem))],
            ));
            let rest: Vec<String> = entry
                .officers
                .iter()
                .filter(|officer| !signed.contains(&officer.person))
                .map(|officer| format!("{} ({})", officer.person.0, role_words(&officer.roles)))
                .collect();
            let facts = [
                ("officers", rest.join(&t("word.list", &[]))),
                ("file", out.display().to_string()),
            ];
            say(format!(
                "\n{}: {}",
                t("word.next", &[]),
                t("genesis.next-colleague", &facts)
            ));
        }
    }
    Ok(0)
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
    let files = std::fs::read_dir(folder).map_err(|error| files::cannot_read(folder, &error))?;
    let mut paths: Vec<PathBuf> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.ends_with(SIGNATURE_SUFFIX))
        })
        .collect();
    paths.sort();
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

/// Judges a folder of signatures; problems with the files they came from.
fn judge(
    genesis: &Genesis,
    opened: &Opened,
    signatures: &Signatures,
) -> (Vec<FounderProblem>, BTreeMap<OrganisationId, PathBuf>) {
    let records: Vec<Record> = signatures
        .records
        .iter()
        .map(|(_, record)| record.clone())
        .collect();
    let files = signatures
        .records
        .iter()
        .map(|(path, record)| (record.payload.principal, path.clone()))
        .collect();
    (judge_founders(genesis, opened, &records), files)
}

fn print_problems(
    genesis: &Genesis,
    signatures: &Signatures,
    problems: &[FounderProblem],
    files: &BTreeMap<OrganisationId, PathBuf>,
) {
    for (path, why) in &signatures.unreadable {
        print(t(
            "genesis.unreadable",
            &[("file", path.display().to_string()), ("why", why.clone())],
        ));
    }
    for problem in problems {
        let name = genesis
            .founders()
            .find(|entry| entry.number == problem.organisation)
            .map_or_else(|| t("genesis.not-named", &[]), |entry| shown(&entry.name));
        let file = match files.get(&problem.organisation) {
            Some(path) if problem.refusal.is_some() => format!("  [{}]", path.display()),
            _ => String::new(),
        };
        print(format!(
            "{} {name}: {}{file}",
            problem.organisation.0,
            problem_reason(problem)
        ));
    }
}

fn problems_json(
    signatures: &Signatures,
    problems: &[FounderProblem],
    files: &BTreeMap<OrganisationId, PathBuf>,
) -> serde_json::Value {
    let founders: Vec<_> = problems
        .iter()
        .map(|problem| {
            serde_json::json!({
                "organisation": problem.organisation,
                "name": problem.name,
                "missing": problem.refusal.is_none(),
                "code": problem.refusal.as_ref().map(|refusal| refusal.code),
                "file": files.get(&problem.organisation),
            })
        })
        .collect();
    let unreadable: Vec<_> = signatures
        .unreadable
        .iter()
        .map(|(path, why)| serde_json::json!({ "file": path, "why": why }))
        .collect();
    serde_json::json!({ "founders": founders, "unreadable": unreadable })
}

fn check(global: &Global, flags: &Check) -> Result<u8, Failure> {
    let (genesis, opened) = read_draft(&flags.draft)?;
    let signatures = read_signatures(&flags.signatures)?;
    let (problems, files) = judge(&genesis, &opened, &signatures);
    let total = genesis.founders().count();
    let founders_with_problems = problems
        .iter()
        .filter(|problem| !problem.name.is_empty())
        .count();
    let complete = problems.is_empty() && signatures.unreadable.is_empty();
    if global.json {
        let mut value = problems_json(&signatures, &problems, &files);
        value["complete"] = complete.into();
        value["genesis"] = genesis.hash().to_hex().into();
        value["signed"] = (total - founders_with_problems).into();
        value["total"] = total.into();
        print_json(&value);
    } else {
        print_problems(&genesis, &signatures, &problems, &files);
        let facts = [
            ("signed", (total - founders_with_problems).to_string()),
            ("total", total.to_string()),
            ("hash", genesis.hash().to_hex()),
        ];
        print(t("genesis.count-signed", &facts));
        if complete {
            say(format!(
                "{}: {}",
                t("word.next", &[]),
                t("genesis.next-assemble", &[])
            ));
        } else {
            say(t("genesis.until", &[("until", deadline(&genesis))]));
        }
    }
    Ok(if complete { 0 } else { REFUSED })
}

fn assemble(global: &Global, flags: &Assemble) -> Result<u8, Failure> {
    let (genesis, opened) = read_draft(&flags.signed.draft)?;
    let signatures = read_signatures(&flags.signed.signatures)?;
    let (problems, files) = judge(&genesis, &opened, &signatures);
    if !problems.is_empty() || !signatures.unreadable.is_empty() {
        if global.json {
            print_json(&problems_json(&signatures, &problems, &files));
        } else {
            print_problems(&genesis, &signatures, &problems, &files);
        }
        let count = problems.len() + signatures.unreadable.len();
        return Err(
            Failure::refused(t("genesis.not-assembled", &[("count", count.to_string())]))
                .next(t("genesis.not-assembled-next", &[])),
        );
    }
    // Two good files of one founder: the first stands.
    let mut by_founder: BTreeMap<u32, Record> = BTreeMap::new();
    for (_, record) in signatures.records {
        by_founder
            .entry(record.payload.principal.0)
            .or_insert(record);
    }
    let file =
        GenesisFile::assemble(genesis, by_founder.into_values().collect()).map_err(|error| {
            Failure::refused(t("genesis.not-assembled", &[("count", "1".to_owned())]))
                .because(error)
        })?;
    let out = &flags.out;
    files::write_new(out, &file.encode(), false)?;
    if global.json {
        print_json(&serde_json::json!({
            "file": out, "genesis": file.genesis.hash(), "founders": file.found.len(),
        }));
        return Ok(0);
    }
    print(t(
        "genesis.assembled",
        &[
            ("file", out.display().to_string()),
            ("count", file.found.len().to_string()),
        ],
    ));
    show::head(&file.genesis);
    say(format!(
        "\n{}: {}",
        t("word.next", &[]),
        t("genesis.next-start", &[("until", deadline(&file.genesis))])
    ));
    Ok(0)
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
