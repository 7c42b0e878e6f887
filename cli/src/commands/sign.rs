//! `sign` and `submit`: records that wait for signatures, in files or at the company's own node
//! (RULINGS A65).
//!
//! * What is signed is shown in words first and asked for; `--yes` is a script's answer. What the
//!   ledger refuses whoever signs, a role that is not held and what is over are refused before.
//! * Several files are copies of one record, or of one registration: their signatures are merged
//!   into the first.
//! * A file is taken under a lock when the key is open, and what others added meanwhile stays.
//! * `--take-back` removes one's own signature.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_client::client::Client;
use rollbook_core::id::PersonId;
use rollbook_core::record::Record;
use rollbook_node::papers::merge;
use rollbook_proof::number::LedgerTime;
use rollbook_wire::judgement::Judgement;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;

use super::org;
use crate::act::desk::{client, fits, keystore, outputs_free, same_chain, signers, unknown};
use crate::act::screen::Screen;
use crate::act::signers::Signer;
use crate::act::submit::Waiting;
use crate::act::{judge, next, papers, signers as roles, submit};
use crate::consent;
use crate::failure::Failure;
use crate::flags::{Asking, Global, KeyFlags, Signing, Submitting};
use crate::keystore::Keystore;
use crate::keystore::opened::Keys;
use crate::login::Login;
use crate::output::{print, print_json, say};
use crate::profile::{Profile, in_use};
use crate::{pending_file, registration_file};

/// `sign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sign {
    /// Records that wait for signatures, or the id of one that waits at a node.
    #[arg(value_name = "FILE|ID", required = true)]
    file: Vec<PathBuf>,
    /// Takes the own signature out instead.
    #[arg(id = "take-back", long = "take-back")]
    take_back: bool,
    /// Whether it is signed though it will not count.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    signing: Signing,
}

/// `submit`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Submit {
    /// The record that was signed.
    #[arg(value_name = "FILE|ID")]
    file: PathBuf,
    /// Whether it is handed in though it will not count.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    submitting: Submitting,
}

/// Where a record waits.
enum Source {
    /// In a file.
    File(PathBuf),
    /// At a node.
    Node(String),
}

impl Source {
    /// How it is named on the command line.
    fn name(&self, record: &Record) -> String {
        match self {
            Source::File(file) => file.display().to_string(),
            Source::Node(_) => record.id().short(),
        }
    }
}

/// Nodes that may show what is for the profile's person; none: no node is known.
fn knowing(
    global: &Global,
    asking: &Asking,
    profile: Option<&Profile>,
    person: Option<u32>,
    (keystore, keys, passphrase_file): (&Keystore, &Keys, Option<&Path>),
) -> Option<Client> {
    let client = client(asking, profile).ok()?;
    let person = person.or(profile.and_then(|profile| profile.person));
    let chain = profile.and_then(Profile::genesis_hash);
    Some(match (person, chain) {
        (Some(person), Some(chain)) => {
            let file = passphrase_file.map(Path::to_path_buf);
            let login = Login::signer(global, chain, person, (keystore, file, keys));
            client.with_passes(std::sync::Arc::new(login))
        }
        _ => client,
    })
}

/// The record of a file or, where there is no such file, of the paper with this id.
fn found(target: &Path, client: Option<&Client>) -> Result<(Record, Source), Failure> {
    if !target.exists()
        && let Some(id) = target.to_str().filter(|text| papers::is_id(text))
    {
        let client = client.ok_or_else(|| unknown("act.no-node"))?;
        let facts = [("id", id.to_owned())];
        let found = papers::find(client, id)?.ok_or_else(|| {
            Failure::unusable(t("sign.no-paper", &facts)).next(t("sign.no-paper-next", &facts))
        })?;
        return Ok((found.record, Source::Node(found.node)));
    }
    let record = pending_file::read(target)?;
    Ok((record, Source::File(target.to_path_buf())))
}

/// The first person named with `--signer`.
fn first_named(signing: &Signing) -> Option<u32> {
    let text = signing.signer.first()?;
    text.split(':').next()?.parse().ok()
}

/// Runs `sign`.
pub fn sign(global: &Global, flags: &Sign) -> Result<u8, Failure> {
    let Some((target, copies)) = flags.file.split_first() else {
        return Err(unknown("act.no-signer"));
    };
    if target.exists() && registration_file::is_one(target)? {
        return org::sign(global, target, copies, &flags.signing);
    }
    let profile = in_use(global)?;
    let profile = profile.as_ref();
    let signing = &flags.signing;
    let (keystore, keys) = (keystore(&signing.keys, profile), Keys::default());
    let passphrase_file = signing.keys.passphrase_file.as_deref();
    let with = (&keystore, &keys, passphrase_file);
    let client = knowing(global, &flags.asking, profile, first_named(signing), with);
    let (mut record, source) = found(target, client.as_ref())?;
    of_this_chain(&record, profile, target)?;
    let merged = merged(&mut record, copies, &source, profile)?;
    let signers = signers(signing, profile, &keystore, record.payload.principal.0);
    if flags.take_back {
        return take_back(&record, &source, &signers?, client.as_ref(), &keystore);
    }
    if merged && signing.signer.is_empty() {
        // Copies are put together without a signature of one's own.
        return stands(global, &record, &source, client.as_ref(), &keystore);
    }
    let mut signers = signers?;
    if signers.is_empty() {
        return Err(unknown("act.no-signer"));
    }
    for (person, _) in &signers {
        not_signed(&record, *person)?;
    }
    keys.used_for(&next::deed(&record));
    // A node that is away keeps nobody from signing a file.
    let judged = client.as_ref().and_then(|client| {
        roles::rehearse(client, &record.payload, &record.signatures, &mut signers).transpose()
    });
    let judged = match judged.transpose() {
        Ok(judged) => judged,
        Err(failure) if failure.exit == crate::failure::UNREACHABLE => None,
        Err(failure) => return Err(failure),
    };
    if let Some(judged) = &judged {
        keys.known(&judged.signers);
    }
    not_over(&record, judged.as_ref(), profile)?;
    roles::must_hold(&record.payload, &signers, judged.as_ref(), &keystore)?;
    judge::not_in_vain(judged.as_ref(), flags.anyway)?;
    let unit = crate::act::unit_of(judged.as_ref());
    Screen {
        payload: &record.payload,
        signed: &record.signatures,
        signers: &signers,
        judged: judged.as_ref(),
        unit,
        profile,
    }
    .show();
    consent::ask(global, "consent.sign")?;
    let signers = roles::settled(&signers)?;
    // The keys first: while a passphrase is typed, others may sign the same file.
    for (person, _) in &signers {
        keys.open(*person, &keystore, passphrase_file)?;
    }
    let add = |record: &mut Record| -> Result<(), Failure> {
        for (person, role) in &signers {
            keys.sign(record, *person, *role, &keystore, passphrase_file)?;
        }
        fits(record)
    };
    match &source {
        Source::File(file) => {
            let _lock = locked(file)?;
            // What others added since it was shown stays.
            record = merge(pending_file::read(file)?, record);
            add(&mut record)?;
            pending_file::write(file, &record)?;
        }
        Source::Node(node) => {
            add(&mut record)?;
            let client = client.as_ref().ok_or_else(|| unknown("act.no-node"))?;
            let facts = [("node", node.clone()), ("record", record.id().short())];
            let left = papers::leave(&client.only(node), &record).ok_or_else(|| {
                Failure::unreachable(t("sign.not-left", &facts))
                    .next(t("sign.not-left-next", &facts))
            })?;
            record = left.record;
        }
    }
    for (person, _) in &signers {
        say(t(
            "act.signed",
            &[
                ("person", person.to_string()),
                ("count", record.signatures.len().to_string()),
                ("file", source.name(&record)),
            ],
        ));
    }
    stands(global, &record, &source, client.as_ref(), &keystore)
}

/// Merges copies into a record; whether there were some. Copies of another record are refused.
fn merged(
    record: &mut Record,
    copies: &[PathBuf],
    source: &Source,
    profile: Option<&Profile>,
) -> Result<bool, Failure> {
    for copy in copies {
        let other = pending_file::read(copy)?;
        of_this_chain(&other, profile, copy)?;
        if other.payload != record.payload {
            let facts = [
                ("file", copy.display().to_string()),
                ("first", source.name(record)),
            ];
            return Err(Failure::refused(t("sign.other-record", &facts))
                .next(t("sign.other-record-next", &facts)));
        }
        *record = merge(record.clone(), other);
    }
    if let (Source::File(file), false) = (source, copies.is_empty()) {
        let _lock = locked(file)?;
        *record = merge(pending_file::read(file)?, record.clone());
        pending_file::write(file, record)?;
        let facts = [
            ("file", file.display().to_string()),
            ("count", record.signatures.len().to_string()),
        ];
        say(t("sign.merged", &facts));
    }
    Ok(!copies.is_empty())
}

/// Refuses who has signed already.
fn not_signed(record: &Record, person: u32) -> Result<(), Failure> {
    let has = record
        .signatures
        .iter()
        .any(|entry| entry.officer == PersonId(person));
    if !has {
        return Ok(());
    }
    let facts = [("person", person.to_string())];
    Err(Failure::refused(t("act.signed-already", &facts)).next(t("sign.already-next", &facts)))
}

/// Refuses a record that is valid no more: by a node's clock, else by this machine's, which says
/// nothing of a sample chain.
fn not_over(
    record: &Record,
    judged: Option<&Judgement>,
    profile: Option<&Profile>,
) -> Result<(), Failure> {
    let until = record.payload.valid_until_ms;
    let over = match judged {
        Some(judged) => judged.rule.as_deref() == Some("A6.expired"),
        None => {
            let sample = profile.is_some_and(|profile| profile.sample);
            !sample && until < LedgerTime(rollbook_node::clock::real_ms())
        }
    };
    if !over {
        return Ok(());
    }
    let facts = [("until", time(until))];
    Err(Failure::refused(t("sign.over", &facts)).next(t("sign.over-next", &facts)))
}

/// Whether a person began a record: without that signature it is none.
fn begun_by(record: &Record, person: u32) -> bool {
    record.payload.officer == PersonId(person)
}

/// `--take-back`: the own signature goes; with that of the officer who began it, the record goes too.
fn take_back(
    record: &Record,
    source: &Source,
    signers: &[Signer],
    client: Option<&Client>,
    keystore: &Keystore,
) -> Result<u8, Failure> {
    let [(person, _)] = signers else {
        return Err(Failure::unusable(t("sign.one-back", &[])).next(t("sign.one-back-next", &[])));
    };
    let facts = [
        ("person", person.to_string()),
        ("file", source.name(record)),
    ];
    // One's own: the key is here.
    if !keystore.secret_path(*person).exists() {
        return Err(
            Failure::refused(t("sign.not-own", &facts)).next(t("sign.not-own-next", &facts))
        );
    }
    let none = || Failure::refused(t("sign.none-back", &facts));
    let signed = |record: &Record| {
        let mut entries = record.signatures.iter();
        entries.any(|entry| entry.officer == PersonId(*person))
    };
    match source {
        Source::File(file) => {
            let _lock = locked(file)?;
            let mut record = pending_file::read(file)?;
            if !signed(&record) {
                return Err(none());
            }
            record
                .signatures
                .retain(|entry| entry.officer != PersonId(*person));
            if begun_by(&record, *person) {
                std::fs::remove_file(file)
                    .map_err(|error| crate::files::cannot_write(file, &error))?;
                print(t("sign.file-gone", &facts));
                return Ok(0);
            }
            pending_file::write(file, &record)?;
        }
        Source::Node(node) => {
            let client = client.ok_or_else(|| unknown("act.no-node"))?;
            let found = papers::Found {
                node: node.clone(),
                record: record.clone(),
            };
            if !signed(record) || !papers::take_back(client, &found)? {
                return Err(none());
            }
            if begun_by(record, *person) {
                print(t("sign.file-gone", &facts));
                return Ok(0);
            }
        }
    }
    print(t("sign.taken-back", &facts));
    Ok(0)
}

/// Says what follows after a signature: who is missing, or that it can be handed in.
fn stands(
    global: &Global,
    record: &Record,
    source: &Source,
    client: Option<&Client>,
    keystore: &Keystore,
) -> Result<u8, Failure> {
    let judged = client.and_then(|client| judge::rehearse(client, record).ok().flatten());
    let facts = [
        ("file", source.name(record)),
        ("until", time(record.payload.valid_until_ms)),
    ];
    if global.json {
        let signed: Vec<PersonId> = record
            .signatures
            .iter()
            .map(|entry| entry.officer)
            .collect();
        print_json(&serde_json::json!({
            "record": record.id(), "file": source.name(record), "signed": signed,
            "valid_until_ms": record.payload.valid_until_ms,
            "complete": judged.as_ref().map(|judged| judged.admissible),
            "missing": judged.as_ref().filter(|judged| judge::wants_signatures(judged))
                .map(judge::missing),
        }));
        return Ok(0);
    }
    say(t("sign.until", &facts));
    match &judged {
        Some(judged) if judge::wants_signatures(judged) => {
            judge::say_missing(judged, keystore);
            say(format!(
                "{}: {}",
                t("word.next", &[]),
                t("act.pending-next", &facts)
            ));
        }
        Some(judged) if judged.admissible => say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("sign.complete-next", &facts)
        )),
        Some(judged) => say(judge::refused(judged).unwrap_or_default()),
        None => {}
    }
    Ok(0)
}

/// Runs `submit`. A registration is handed in by whoever introduces the company.
pub fn submit(global: &Global, flags: &Submit) -> Result<u8, Failure> {
    let target = &flags.file;
    if target.exists() && registration_file::is_one(target)? {
        return org::submit(target);
    }
    outputs_free(&flags.submitting, None)?;
    let profile = in_use(global)?;
    let profile = profile.as_ref();
    let (keystore, keys) = (keystore(&KeyFlags::default(), profile), Keys::default());
    let asking = &flags.submitting.asking;
    let reader = if target.exists() {
        None
    } else {
        knowing(global, asking, profile, None, (&keystore, &keys, None))
    };
    let (record, source) = found(target, reader.as_ref())?;
    of_this_chain(&record, profile, target)?;
    fits(&record)?;
    let plain = client(asking, profile)?;
    let judged = judge::rehearse(&plain, &record)?;
    // What has all its signatures the node refuses, signed, or knows already: handing it in again is
    // harmless.
    if judged.as_ref().is_some_and(judge::wants_signatures) {
        judge::not_in_vain(judged.as_ref(), flags.anyway)?;
    } else {
        judge::must_count(judged.as_ref(), flags.anyway)?;
    }
    Screen {
        payload: &record.payload,
        signed: &record.signatures,
        signers: &[],
        judged: judged.as_ref(),
        unit: crate::act::unit_of(judged.as_ref()),
        profile,
    }
    .show();
    let waiting = Waiting {
        client: reader.as_ref().unwrap_or(&plain),
        keystore: &keystore,
        file: match &source {
            Source::File(file) => Some(file.clone()),
            Source::Node(_) => None,
        },
        global,
    };
    match judged.filter(judge::wants_signatures) {
        Some(judged) => waiting.leave(&record, &judged),
        None => submit::hand_in(&waiting, &record, &flags.submitting, flags.anyway),
    }
}

/// Refuses a record of another alliance than the profile's.
fn of_this_chain(record: &Record, profile: Option<&Profile>, file: &Path) -> Result<(), Failure> {
    match profile.and_then(Profile::genesis_hash) {
        Some(own) => same_chain(record.payload.chain, own, file),
        None => Ok(()),
    }
}

/// A file under a lock until what is returned is dropped. A file that was replaced while the lock was
/// waited for is locked anew.
fn locked(path: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let failed = |error: std::io::Error| crate::files::cannot_read(path, &error);
    loop {
        let file = File::open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let (here, now) = (
            file.metadata().map_err(failed)?,
            std::fs::metadata(path).map_err(failed)?,
        );
        if (here.dev(), here.ino()) == (now.dev(), now.ino()) {
            return Ok(file);
        }
    }
}
