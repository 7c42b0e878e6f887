//! `rollbook genesis sign`: the officers of a founder sign the draft, offline, each where the own
//! key is.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rollbook_core::genesis::Genesis;
use rollbook_core::genesis::file::{found_payload, judge_founders};
use rollbook_core::id::PersonId;
use rollbook_core::identity::{OfficerEntry, OrganisationEntry, Role};
use rollbook_core::record::{Capacity, Record};
use rollbook_node::papers::merge;
use rollbook_proof::codec::{Wire, decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;

use super::{SIGNATURE_SUFFIX, founder, problem_reason, read_draft, show, typed, words};
use crate::commands::keys::{keystore_of, role_words};
use crate::drafting::build::shown;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Global, KeyFlags};
use crate::keystore::Keystore;
use crate::output::{print, print_json, say};

/// `genesis sign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sign {
    #[arg(value_name = "DRAFT")]
    draft: PathBuf,
    /// The organisation of the key that is here, if not given.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: Option<u32>,
    /// The person whose key is here, if not given.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    person: Vec<u32>,
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// Runs it.
pub fn run(global: &Global, flags: &Sign) -> Result<u8, Failure> {
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
    let store = keystore_of(global, &flags.keys)?;
    let (entry, persons) = who(&genesis, flags, &store)?;
    let number = entry.number;
    let out = flags.out.clone().unwrap_or_else(|| {
        // Drafts follow one another: a signature's file says for which one it is.
        let name = format!("found-{:04}-{}{SIGNATURE_SUFFIX}", number.0, hash.short());
        draft_path.with_file_name(name)
    });
    let mut record = begun(&genesis, number, &out)?;
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
            &[
                ("number", number.0.to_string()),
                ("name", shown(&entry.name)),
            ],
        ));
        say(t(
            "genesis.signing-rules",
            &[(
                "command",
                format!("rollbook genesis show {}", typed(draft_path)),
            )],
        ));
    }
    for person in persons {
        let officer = officer(entry, person)?;
        let signed = |record: &Record| {
            let mut signers = record.signatures.iter();
            signers.any(|entry| entry.officer == PersonId(person))
        };
        if record.as_ref().is_some_and(signed) {
            say(t("genesis.already", &[("person", person.to_string())]));
            continue;
        }
        add(&genesis, entry, officer, (&store, &flags.keys), &mut record)?;
    }
    let Some(record) = record else {
        return Err(Failure::unusable(t("genesis.nobody-signed", &[])));
    };
    // A colleague may have signed while the passphrase was typed.
    let _lock = files::lock(&out)?;
    let record = match begun(&genesis, number, &out)? {
        Some(now) if now.payload != record.payload => {
            let facts = [("file", out.display().to_string())];
            return Err(Failure::refused(t("genesis.changed-meanwhile", &facts))
                .next(t("genesis.changed-meanwhile-next", &facts)));
        }
        Some(now) => merge(now, record),
        None => record,
    };
    record
        .check()
        .map_err(|error| no_signature_file(&out).because(error))?;
    files::replace(&out, &encode(&record))?;
    let missing = judge_founders(&genesis, &opened, std::slice::from_ref(&record))
        .into_iter()
        .find(|problem| problem.organisation == number);
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
    let next = match missing {
        None => {
            print(t("genesis.complete-one", &[("name", shown(&entry.name))]));
            t("genesis.next-send", &[("file", out.display().to_string())])
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
            t("genesis.next-colleague", &facts)
        }
    };
    say(format!("\n{}: {next}", t("word.next", &[])));
    Ok(0)
}

/// Who signs for whom: as the flags say, and where they say nothing, the one whose key lies here.
fn who<'g>(
    genesis: &'g Genesis,
    flags: &Sign,
    store: &Keystore,
) -> Result<(&'g OrganisationEntry, Vec<u32>), Failure> {
    if let (Some(number), false) = (flags.organisation, flags.person.is_empty()) {
        return Ok((founder(genesis, number)?, flags.person.clone()));
    }
    if let Some(number) = flags.organisation {
        founder(genesis, number)?;
    }
    let wanted = |entry: &&OrganisationEntry| {
        flags
            .organisation
            .is_none_or(|number| entry.number == OrganisationId(number))
    };
    if let Some(first) = flags.person.first() {
        let found = genesis.founders().filter(wanted).find(|entry| {
            let mut officers = entry.officers.iter();
            officers.any(|officer| officer.person == PersonId(*first))
        });
        let facts = [("person", first.to_string())];
        let entry = found.ok_or_else(|| {
            Failure::refused(t("genesis.no-founders-officer", &facts))
                .next(t("genesis.no-founder-next", &[]))
        })?;
        return Ok((entry, flags.person.clone()));
    }
    let mut here = Vec::new();
    for kept in store.list()?.into_iter().filter(|kept| kept.has_secret) {
        for entry in genesis.founders().filter(wanted) {
            let is_this = |officer: &&OfficerEntry| {
                let mut keys = officer.keys.iter();
                officer.person == PersonId(kept.card.person)
                    && keys.any(|(key, _)| *key == kept.card.public_key)
            };
            if entry.officers.iter().any(|officer| is_this(&officer)) {
                here.push((entry, kept.card.person));
            }
        }
    }
    match here.as_slice() {
        [(entry, person)] => Ok((entry, vec![*person])),
        [] => Err(Failure::unusable(t(
            "genesis.no-key-here",
            &[("folder", store.folder().display().to_string())],
        ))
        .next(t("genesis.no-key-here-next", &[]))),
        several => {
            let persons: Vec<String> = several
                .iter()
                .map(|(entry, person)| format!("{person} ({})", shown(&entry.name)))
                .collect();
            let facts = [("persons", persons.join(&t("word.list", &[])))];
            Err(Failure::unusable(t("genesis.several-keys-here", &facts))
                .next(t("genesis.several-keys-here-next", &[])))
        }
    }
}

/// The signature file that a colleague began, if there is one.
fn begun(genesis: &Genesis, number: OrganisationId, out: &Path) -> Result<Option<Record>, Failure> {
    let bytes = match std::fs::read(out) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::cannot_read(out, &error)),
    };
    let record = decode::<Record>(&bytes).map_err(|error| no_signature_file(out).because(error))?;
    if record.payload != found_payload(genesis, number, record.payload.officer) {
        return Err(Failure::refused(t(
            "genesis.other-record",
            &[("file", out.display().to_string())],
        ))
        .next(t("genesis.other-record-next", &[])));
    }
    Ok(Some(record))
}

fn no_signature_file(path: &Path) -> Failure {
    let facts = [("file", path.display().to_string())];
    Failure::unusable(t("genesis.bad-signature-file", &facts)).next(t("file.exists-next", &[]))
}

fn officer(entry: &OrganisationEntry, person: u32) -> Result<&OfficerEntry, Failure> {
    let mut officers = entry.officers.iter();
    officers
        .find(|officer| officer.person == PersonId(person))
        .ok_or_else(|| {
            let officers: Vec<PersonId> = entry
                .officers
                .iter()
                .map(|officer| officer.person)
                .collect();
            let facts = [("person", person.to_string()), ("name", shown(&entry.name))];
            Failure::refused(t("genesis.no-officer", &facts)).next(t(
                "genesis.no-officer-next",
                &[("officers", words(&officers))],
            ))
        })
}

/// Opens the officer's key and adds the signature.
fn add(
    genesis: &Genesis,
    entry: &OrganisationEntry,
    officer: &OfficerEntry,
    (store, keys): (&Keystore, &KeyFlags),
    record: &mut Option<Record>,
) -> Result<(), Failure> {
    let person = officer.person;
    let facts = [("person", person.0.to_string())];
    let role = if officer.roles.contains(&Role::Primary) {
        Some(Role::Primary)
    } else {
        officer.roles.first().copied()
    };
    let Some(role) = role else {
        return Err(
            Failure::refused(t("genesis.no-role", &facts)).next(t("genesis.no-founder-next", &[]))
        );
    };
    let what = t(
        "passphrase.for-founding",
        &[
            ("person", person.0.to_string()),
            ("alliance", show::alliance_name(genesis)),
        ],
    );
    let secret = store.unlock(person.0, keys.passphrase_file.as_deref(), &what)?;
    let Some(key) = secret.key() else {
        return Err(Failure::unusable(t(
            "keys.damaged",
            &[("file", store.secret_path(person.0).display().to_string())],
        ))
        .next(t("keys.damaged-next", &[])));
    };
    let Some(key_number) = officer
        .keys
        .iter()
        .position(|(public, _)| *public == key.public())
    else {
        return Err(
            Failure::refused(t("genesis.other-key", &facts)).next(t("genesis.other-key-next", &[]))
        );
    };
    let current = record.get_or_insert_with(|| Record {
        payload: found_payload(genesis, entry.number, person),
        signatures: Vec::new(),
    });
    let signature = current
        .payload
        .sign(person, Capacity::Own(role), key_number as u32, &key);
    current.signatures.push(signature);
    current.signatures.sort_by_key(|entry| entry.officer);
    Ok(())
}
