//! `sign` and `submit`: records that wait for signatures, in files or at the company's own node
//! (RULINGS A65).
//!
//! * What is signed is shown in words first and asked for; `--yes` is a script's answer. What the
//!   ledger refuses whoever signs, a role that is not held and what is over are refused before.
//! * Several files are copies of one record, or of one registration: their signatures are merged
//!   into the first.
//! * A file is taken under a lock when the key is open, and what others added meanwhile stays.
//! * Signatures that the ledger does not take are left out where a node says so: that of an old key may
//!   be given again.
//! * `--take-back` removes one's own signature.
//! * `submit ID` also finds what was sent before and whose fate is not known, `submit --open` all of it
//!   (RULINGS A64).

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_client::client::Client;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::Record;
use rollbook_node::papers::merge;
use rollbook_proof::number::LedgerTime;
use rollbook_wire::judgement::Judgement;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;

use super::org;
use crate::act::desk::{
    client, fits, keystore, outputs_free, same_chain, signers, told_now, typed, unknown,
};
use crate::act::outbox::{Entry, Fate, Known, Outbox};
use crate::act::screen::Screen;
use crate::act::signers::Signer;
use crate::act::submit::{Ended, Wait, Waiting};
use crate::act::{judge, next, outbox, papers, signers as roles, submit};
use crate::consent;
use crate::failure::Failure;
use crate::flags::{Asking, Global, KeyFlags, Signing, Submitting};
use crate::keystore::Keystore;
use crate::keystore::opened::Keys;
use crate::login::Login;
use crate::output::{print, print_json, say};
use crate::profile::{Profile, in_use};
use crate::{files, pending_file, registration_file};

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
    #[arg(value_name = "FILE|ID", required_unless_present = "open")]
    file: Option<PathBuf>,
    /// Everything that was sent and whose fate is not known.
    #[arg(long, conflicts_with = "file")]
    open: bool,
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
    typed(signing.signer.first()?)
        .ok()
        .map(|(person, _)| person)
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
    not_recorded(&record, client.as_ref())?;
    if !flags.take_back {
        record = sound(record, client.as_ref(), &source)?;
    }
    let merged = merged(&mut record, copies, (&source, client.as_ref()), profile)?;
    let signers = signers(signing, profile, &keystore, record.payload.principal.0);
    if flags.take_back {
        return take_back(
            global,
            &record,
            &source,
            &signers?,
            (client.as_ref(), &keystore),
        );
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
            let _lock = files::locked(file)?;
            // What others added since it was shown stays.
            let now = sound(pending_file::read(file)?, client.as_ref(), &source)?;
            record = merge(now, record);
            add(&mut record)?;
            taken(&record, client.as_ref(), &signers)?;
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
    (source, client): (&Source, Option<&Client>),
    profile: Option<&Profile>,
) -> Result<bool, Failure> {
    for copy in copies {
        let of_copy = Source::File(copy.clone());
        let other = sound(pending_file::read(copy)?, client, &of_copy)?;
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
        let _lock = files::locked(file)?;
        let now = sound(pending_file::read(file)?, client, source)?;
        *record = merge(now, record.clone());
        pending_file::write(file, record)?;
        let facts = [
            ("file", file.display().to_string()),
            ("count", record.signatures.len().to_string()),
        ];
        say(t("sign.merged", &facts));
    }
    Ok(!copies.is_empty())
}

/// Refuses what is in the log already, as a node tells it.
fn not_recorded(record: &Record, client: Option<&Client>) -> Result<(), Failure> {
    let fate = client.map(|client| outbox::fate(client, &record.id()));
    let Some(Fate::Recorded(place)) = fate else {
        return Ok(());
    };
    let height = place.height.map_or(0, |height| height.0);
    let facts = [
        ("record", record.id().short()),
        ("height", height.to_string()),
    ];
    Err(Failure::refused(t("sign.recorded", &facts)).next(t("sign.recorded-next", &facts)))
}

/// Rules by which the ledger does not take one signature, which they name as `officer`.
const UNSOUND: [&str; 7] = [
    "A6.bad-signature",
    "A6.role-not-held",
    "A6.unknown-key",
    "A6.unknown-officer",
    "M33.unknown-delegation",
    "N24.key-not-in-force",
    "N24.person-not-in-force",
];

/// The first signature that the ledger does not take by a node's word, and why.
fn unsound(record: &Record, client: &Client) -> Option<(PersonId, Judgement)> {
    let judged = judge::rehearse(client, record).ok().flatten()?;
    let rule = judged.rule.as_deref()?;
    if !UNSOUND.contains(&rule) {
        return None;
    }
    let (_, officer) = judged.facts.iter().find(|(name, _)| name == "officer")?;
    Some((PersonId(officer.parse().ok()?), judged))
}

/// A record without the signatures that the ledger does not take by a node's word (RULINGS A65); as it
/// is, if no node is asked. Without that of the officer who began it there is no record.
fn sound(mut record: Record, client: Option<&Client>, source: &Source) -> Result<Record, Failure> {
    let Some(client) = client else {
        return Ok(record);
    };
    while let Some((person, judged)) = unsound(&record, client) {
        let facts = [
            ("person", person.0.to_string()),
            ("file", source.name(&record)),
            ("why", judge::refused(&judged).unwrap_or_default()),
        ];
        if begun_by(&record, person.0) {
            return Err(Failure::refused(t("sign.unsound-first", &facts))
                .next(t("sign.unsound-first-next", &facts)));
        }
        let before = record.signatures.len();
        record.signatures.retain(|entry| entry.officer != person);
        if record.signatures.len() == before {
            break;
        }
        say(t("sign.unsound", &facts));
    }
    Ok(record)
}

/// Refuses a signature just made that the ledger does not take by a node's word, before it is written.
fn taken(record: &Record, client: Option<&Client>, signers: &[(u32, Role)]) -> Result<(), Failure> {
    let unsound = client.and_then(|client| unsound(record, client));
    let of_signer =
        |(person, _): &(PersonId, Judgement)| signers.iter().any(|(signer, _)| *signer == person.0);
    let Some((person, judged)) = unsound.filter(of_signer) else {
        return Ok(());
    };
    let facts = [
        ("person", person.0.to_string()),
        ("why", judge::refused(&judged).unwrap_or_default()),
    ];
    Err(Failure::refused(t("sign.own-unsound", &facts)).next(t("sign.own-unsound-next", &facts)))
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
    global: &Global,
    record: &Record,
    source: &Source,
    signers: &[Signer],
    (client, keystore): (Option<&Client>, &Keystore),
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
            let _lock = files::locked(file)?;
            let mut record = pending_file::read(file)?;
            if !signed(&record) {
                return Err(none());
            }
            record
                .signatures
                .retain(|entry| entry.officer != PersonId(*person));
            if begun_by(&record, *person) {
                std::fs::remove_file(file).map_err(|error| files::cannot_write(file, &error))?;
                forget(global, &record);
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
                forget(global, record);
                print(t("sign.file-gone", &facts));
                return Ok(0);
            }
        }
    }
    print(t("sign.taken-back", &facts));
    Ok(0)
}

/// What is no record any more is none that waits: the act may be made again without a question.
fn forget(global: &Global, record: &Record) {
    if let Ok(outbox) = Outbox::of(global, &record.payload.chain) {
        outbox.forget(&record.id());
    }
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
    let profile = in_use(global)?;
    let profile = profile.as_ref();
    let target = match &flags.file {
        Some(target) => target,
        None => return submit_open(global, flags, profile),
    };
    if target.exists() && registration_file::is_one(target)? {
        return org::submit(target);
    }
    outputs_free(&flags.submitting, None)?;
    if let Some(entry) = sent_before(global, profile, target) {
        return submit_again(global, flags, profile, &entry);
    }
    // Of other records, before anybody acts again.
    outbox::tell_open(global);
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
    let waiting = Waiting {
        client: reader.as_ref().unwrap_or(&plain),
        keystore: &keystore,
        file: match &source {
            Source::File(file) => Some(file.clone()),
            Source::Node(_) => None,
        },
        global,
    };
    let how = (&flags.submitting, flags.anyway);
    let made = told_now(&plain, record.payload.officer);
    // What is in the log needs no more signatures and no judgement.
    if let Fate::Recorded(place) = outbox::fate(&plain, &record.id()) {
        let height = place.height.map_or(0, |height| height.0);
        let facts = [
            ("record", record.id().to_hex()),
            ("height", height.to_string()),
        ];
        if Wait::of(&flags.submitting) == Wait::None {
            let told = serde_json::json!({
                "record": record.id(), "stands": place.stands.word(), "height": place.height,
            });
            crate::output::result(t("submit.in-log", &facts), told);
            return Ok(0);
        }
        say(t("submit.recorded", &facts));
        return submit::ask_again(&waiting, &record, how, made);
    }
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
    match judged.filter(judge::wants_signatures) {
        Some(judged) => waiting.leave(&record, &judged),
        None => match submit::hand_in(&waiting, &record, how, (made, false))? {
            Ended::Done(code) => Ok(code),
            Ended::NumberTaken(failure) => Err(signed_anew(failure, &record)),
        },
    }
}

/// A number that is taken: the record is made anew, and these have to sign it again.
fn signed_anew(failure: Failure, record: &Record) -> Failure {
    let who: Vec<String> = record
        .signatures
        .iter()
        .map(|entry| entry.officer.0.to_string())
        .collect();
    let facts = [
        ("who", who.join(&t("word.list", &[]))),
        ("act", next::deed(record)),
    ];
    failure.next(t("submit.anew-next", &facts))
}

/// What was sent before under this id and is no paper that waits for signatures.
fn sent_before(global: &Global, profile: Option<&Profile>, target: &Path) -> Option<Entry> {
    let chain = profile.and_then(Profile::genesis_hash)?;
    let text = target.to_str().filter(|text| papers::is_id(text))?;
    if target.exists() {
        return None;
    }
    let found = Outbox::of(global, &chain).ok()?.find(text);
    found.filter(|entry| entry.known != Known::Paper)
}

/// `submit ID` of what was sent before: the same bytes again, which is harmless, and its fate.
fn submit_again(
    global: &Global,
    flags: &Submit,
    profile: Option<&Profile>,
    entry: &Entry,
) -> Result<u8, Failure> {
    let record = entry.record().ok_or_else(|| {
        let facts = [("record", entry.id.to_hex())];
        Failure::unusable(t("submit.damaged", &facts)).next(t("submit.damaged-next", &facts))
    })?;
    let client = client(&flags.submitting.asking, profile)?;
    let keystore = keystore(&KeyFlags::default(), profile);
    let waiting = Waiting {
        client: &client,
        keystore: &keystore,
        file: None,
        global,
    };
    let how = (&flags.submitting, flags.anyway);
    if matches!(outbox::fate(&client, &entry.id), Fate::Recorded(_)) {
        return submit::ask_again(&waiting, &record, how, entry.made());
    }
    match submit::hand_in(&waiting, &record, how, (entry.made(), true))? {
        Ended::Done(code) => Ok(code),
        Ended::NumberTaken(failure) => Err(signed_anew(failure, &record)),
    }
}

/// `submit --open`: one after the other. Each ends as `submit ID` does; the worst code counts.
fn submit_open(global: &Global, flags: &Submit, profile: Option<&Profile>) -> Result<u8, Failure> {
    let chain = profile.and_then(Profile::genesis_hash);
    let chain = chain.ok_or_else(|| unknown("act.no-genesis"))?;
    let open = Outbox::of(global, &chain)?.open();
    if open.is_empty() {
        crate::output::result(t("submit.none-open", &[]), serde_json::json!([]));
        return Ok(0);
    }
    let mut code = 0;
    for entry in open {
        code = code.max(match submit_again(global, flags, profile, &entry) {
            Ok(code) => code,
            Err(failure) => {
                crate::output::tell(&failure);
                failure.exit
            }
        });
    }
    Ok(code)
}

/// Refuses a record of another alliance than the profile's.
fn of_this_chain(record: &Record, profile: Option<&Profile>, file: &Path) -> Result<(), Failure> {
    match profile.and_then(Profile::genesis_hash) {
        Some(own) => same_chain(record.payload.chain, own, file),
        None => Ok(()),
    }
}
