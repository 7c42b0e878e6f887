//! The act flow of every business verb: who acts, with which keys, what is signed, what is missing,
//! what became of it.
//!
//! * The envelope of RULINGS A6: principal, the first signer's next sequence, 7 days of validity.
//!   The next sequence is what the node says is used, plus one; a wrong answer of a node costs a
//!   refusal, never a right.
//! * Which signatures an act needs, the ledger says: if it refuses for want of officers or a role,
//!   the record is written to a file for the others (`rollbook sign FILE`, `rollbook submit FILE`).
//!   Everybody signs identical bytes.
//! * Before it is handed in, a record is judged by a node (`/v1/records/dry-run`): signatures that
//!   are missing are listed by person and role, and what was sealed is on disk before anything
//!   leaves the machine.
//! * What a node signed about a record is checked and kept, and a receipt is verified before it is
//!   called one (`receipts`). `--wait decided` is as told by the node, and says so.
//!
//! `--dry-run` stops after the judgement; `--from FILE.csv` does many ([`batch`]); `--print FILE`
//! writes a page ([`page`]).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use rollbook_core::codec::{decode, encode};
use rollbook_core::crypto::Hash;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, Payload, RECORD_MAX_BYTES, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::{Client, asking};
use crate::failure::Failure;
use crate::keystore::card::{parse_role, role_code};
use crate::keystore::{Keystore, passphrase};
use crate::messages::{refusal, t};
use crate::output::{busy, print, print_json, say};
use crate::profile::{Profile, Profiles};
use crate::receipts;
use crate::verbs::opening::Reading;
use crate::verbs::{VERBS, Verb};

pub mod batch;
pub mod judge;
pub mod next;
pub mod node;
pub mod org;
pub mod page;

/// How long a signed record may wait to be recorded.
const VALID_MS: u64 = 7 * 86_400_000;
/// Roles by which somebody signs.
const KNOWN_ROLES: [Role; 12] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
    Role::Secretary,
    Role::Registrar,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::Auditor,
];
/// How long a decision or a receipt is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Adds every verb to the tree under its noun.
pub fn add_verbs(mut tree: Command) -> Command {
    let mut nouns: Vec<&str> = Vec::new();
    for verb in VERBS {
        if !nouns.contains(&verb.path.0) {
            nouns.push(verb.path.0);
        }
    }
    for noun in nouns {
        let verbs = VERBS
            .iter()
            .filter(|verb| verb.path.0 == noun)
            .map(|verb| with_flow(verb.command(), true));
        let verbs = verbs.chain(next::command(noun));
        let known = tree.get_subcommands().any(|sub| sub.get_name() == noun);
        tree = if known {
            tree.mut_subcommand(noun, |sub| sub.subcommands(verbs))
        } else {
            tree.subcommand(
                Command::new(noun)
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .subcommands(verbs),
            )
        };
    }
    tree = tree
        .subcommand(org::command())
        .mut_subcommand("node", |node| node.subcommand(node::command()));
    let file = || {
        Arg::new("file")
            .required(true)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
    };
    tree.subcommand(signing(Command::new("sign").arg(file())))
        .subcommand(with_flow(Command::new("submit").arg(file()), false))
}

fn signing(command: Command) -> Command {
    command
        .arg(
            Arg::new("signer")
                .long("signer")
                .value_name("PERSON:ROLE")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("keystore")
                .long("keystore")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("passphrase-file")
                .long("passphrase-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
}

fn with_flow(command: Command, acts: bool) -> Command {
    let command = asking(command)
        .arg(
            Arg::new("wait")
                .long("wait")
                .value_parser(["none", "decided", "receipt"])
                .default_value("receipt"),
        )
        .arg(
            Arg::new("receipt-file")
                .long("receipt-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("print")
                .long("print")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        );
    if !acts {
        return command;
    }
    signing(command)
        .arg(
            Arg::new("as")
                .long("as")
                .value_name("N")
                .value_parser(value_parser!(u32)),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("pending")
                .long("pending")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
}

/// Who acts, with what: from the flags, else the profile.
pub struct Desk<'a> {
    matches: &'a ArgMatches,
    profile: Option<Profile>,
    /// The organisation or office that acts.
    pub principal: u32,
    keystore: Keystore,
    signers: Vec<(u32, Role)>,
}

impl<'a> Desk<'a> {
    /// Reads flags and profile. Nothing is opened and nobody is asked yet.
    pub fn of(matches: &'a ArgMatches, usual: Option<u32>) -> Result<Desk<'a>, Failure> {
        let profile = Profiles::of(matches)
            .chosen(matches)?
            .map(|(_, profile)| profile);
        let given = matches.get_one::<u32>("as").copied().or(usual);
        let principal = given.or(profile.as_ref().and_then(|profile| profile.organisation));
        let principal = principal.ok_or_else(|| unknown("act.no-principal"))?;
        let keystore = keystore(matches, profile.as_ref());
        let dry = matches.get_flag("dry-run");
        let signers = match signers(matches, profile.as_ref(), &keystore) {
            Err(_) if dry => Vec::new(),
            signers => signers?,
        };
        Ok(Desk {
            matches,
            profile,
            principal,
            keystore,
            signers,
        })
    }

    /// Nodes to ask.
    pub fn client(&self) -> Result<Client, Failure> {
        client(self.matches, self.profile.as_ref())
    }

    /// The alliance's genesis hash.
    pub fn chain(&self) -> Result<Hash, Failure> {
        self.profile
            .as_ref()
            .and_then(Profile::genesis_hash)
            .ok_or_else(|| unknown("act.no-genesis"))
    }

    /// A fresh reading of arguments for this desk.
    pub fn reading(&self) -> Reading {
        let mut reading = Reading::of(
            self.principal,
            self.signers.first().map_or(0, |(person, _)| *person),
        );
        reading.opening = self
            .matches
            .try_get_one::<PathBuf>("opening")
            .ok()
            .flatten()
            .cloned();
        reading
    }

    /// The first signer's next free sequence and the ledger time, as told by a node.
    fn place(&self, client: &Client) -> Result<(u64, u64), Failure> {
        let (first, _) = self
            .signers
            .first()
            .ok_or_else(|| unknown("act.no-signer"))?;
        place(client, *first)
    }

    /// A record of `body`, signed by everybody given.
    fn record(
        &self,
        body: Body,
        sequence: u64,
        now: u64,
        keys: &mut Keys,
    ) -> Result<Record, Failure> {
        let (officer, _) = *self
            .signers
            .first()
            .ok_or_else(|| unknown("act.no-signer"))?;
        let valid_until_ms = now.saturating_add(VALID_MS);
        let payload = Payload {
            chain: self.chain()?,
            principal: self.principal,
            officer,
            sequence,
            valid_until_ms,
            body,
        };
        let mut record = Record {
            payload,
            signatures: Vec::new(),
        };
        for (person, role) in &self.signers {
            keys.sign(&mut record, *person, *role, &self.keystore, self.matches)?;
        }
        fits(&record)?;
        Ok(record)
    }
}

fn unknown(key: &str) -> Failure {
    Failure::unusable(t(key, &[])).next(t("act.no-profile-next", &[]))
}

/// Refuses a record that no node would take (RULINGS A19).
fn fits(record: &Record) -> Result<(), Failure> {
    let size = encode(record).len();
    if size <= RECORD_MAX_BYTES {
        return Ok(());
    }
    let facts = [
        ("size", size.to_string()),
        ("max", RECORD_MAX_BYTES.to_string()),
    ];
    Err(Failure::unusable(t("act.too-large", &facts)).next(t("act.too-large-next", &[])))
}

/// Keys opened once, for many records.
#[derive(Default)]
pub struct Keys(std::collections::BTreeMap<u32, rollbook_core::crypto::Keypair>);

impl Keys {
    fn sign(
        &mut self,
        record: &mut Record,
        person: u32,
        role: Role,
        keystore: &Keystore,
        matches: &ArgMatches,
    ) -> Result<(), Failure> {
        if record
            .signatures
            .iter()
            .any(|entry| entry.officer == person)
        {
            return Err(Failure::refused(t(
                "act.signed-already",
                &[("person", person.to_string())],
            )));
        }
        let key = match self.0.entry(person) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(open) => {
                // The card first: who has no key here is not asked for a passphrase.
                keystore.card(person)?;
                let passphrase = passphrase::existing(matches, &person.to_string())?;
                let secret = keystore.open(person, &passphrase)?;
                let wrong =
                    || crate::keystore::mismatch(&keystore.secret_path(person), "keys.differs.key");
                open.insert(secret.key().ok_or_else(wrong)?)
            }
        };
        record
            .signatures
            .push(record.payload.sign(person, Capacity::Own(role), 0, key));
        record.signatures.sort_by_key(|entry| entry.officer);
        Ok(())
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, matches: &ArgMatches) -> Result<u8, Failure> {
    let desk = Desk::of(matches, None)?;
    if let Some(file) = matches
        .get_one::<String>("from")
        .filter(|file| crate::verbs::is_table(file))
    {
        return batch::run(verb, &desk, file);
    }
    let mut reading = desk.reading();
    if verb.path == ("review", "draw") {
        // A commitment names the attempt of its draw; the node knows it, and a wrong answer costs a
        // refusal.
        let draw = matches
            .get_one::<String>("draw")
            .and_then(|draw| draw.parse::<u32>().ok());
        let told = draw
            .zip(desk.client().ok())
            .and_then(|(draw, client)| next::of(&client, "draw", draw).ok());
        reading.attempt = told.and_then(|next| u32::try_from(next["attempt"].as_u64()?).ok());
    }
    let body = verb.body(matches, &mut reading)?;
    perform(&desk, &verb.name(), body, &reading)
}

/// The whole way of one act: told, signed, judged, what was sealed kept, handed in.
pub fn perform(desk: &Desk, name: &str, body: Body, reading: &Reading) -> Result<u8, Failure> {
    let matches = desk.matches;
    for (file, hash) in &reading.documents {
        say(t(
            "act.document",
            &[("file", file.clone()), ("hash", hash.to_hex())],
        ));
    }
    if matches.get_flag("dry-run") {
        return judge::dry(desk, body);
    }
    let client = desk.client()?;
    // Before the passphrase is asked for: what cannot work anyway.
    desk.chain()?;
    let (sequence, now) = desk.place(&client)?;
    let record = desk.record(body, sequence, now, &mut Keys::default())?;
    let judged = judge::rehearse(&client, &record)?;
    let refused = judge::refused(&judged);
    let pending = judge::wants_signatures(&judged);
    if let Some(sentence) = refused
        .as_ref()
        .filter(|_| !pending && !reading.parts.is_empty())
    {
        // Not handed in: what it seals is not on disk, and it would be refused.
        let rule = judged["rule"].as_str().unwrap_or_default();
        return Err(Failure::by_rule(rule, sentence.clone()));
    }
    if let Some(file) = reading.keep(name)? {
        say(t("opening.kept", &[("file", file.display().to_string())]));
    }
    let file = matches.get_one::<PathBuf>("pending").cloned();
    let file =
        file.unwrap_or_else(|| PathBuf::from(format!("{}.pending.json", record.id().short())));
    if pending {
        return wait_for_others(&record, &judged, &file, &desk.keystore, matches);
    }
    hand_in(&client, &record, matches, &file)
}

/// Leaves a pending record and says who is missing.
fn wait_for_others(
    record: &Record,
    judged: &Value,
    file: &Path,
    keystore: &Keystore,
    matches: &ArgMatches,
) -> Result<u8, Failure> {
    write_pending(file, record)?;
    let shown = ("file", file.display().to_string());
    if matches.get_flag("json") {
        print_json(&serde_json::json!({
            "pending": file, "record": record.id(), "rule": judged["rule"], "class": judged["class"],
            "needed": judged["principal"]["needed"], "signed": judged["signed"], "missing": judge::missing(judged),
        }));
        return Ok(crate::failure::NOT_YET);
    }
    say(t(
        "act.pending",
        &[
            ("why", judge::refused(judged).unwrap_or_default()),
            shown.clone(),
        ],
    ));
    judge::say_missing(judged, keystore);
    say(format!(
        "{}: {}",
        t("word.next", &[]),
        t("act.pending-next", &[shown])
    ));
    Ok(crate::failure::NOT_YET)
}

fn keystore(matches: &ArgMatches, profile: Option<&Profile>) -> Keystore {
    let of_profile = profile.and_then(|profile| profile.keystore.as_deref());
    Keystore::at(matches.get_one::<PathBuf>("keystore"), of_profile)
}

fn client(matches: &ArgMatches, profile: Option<&Profile>) -> Result<Client, Failure> {
    Client::of(matches, profile, "act.no-profile-next")
}

/// The signers with their roles: as given, else the profile's person.
fn signers(
    matches: &ArgMatches,
    profile: Option<&Profile>,
    keystore: &Keystore,
) -> Result<Vec<(u32, Role)>, Failure> {
    let mut given: Vec<String> = matches
        .get_many::<String>("signer")
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if given.is_empty() {
        given.extend(
            profile
                .and_then(|profile| profile.person)
                .map(|person| person.to_string()),
        );
    }
    given.iter().map(|text| signer(text, keystore)).collect()
}

fn signer(text: &str, keystore: &Keystore) -> Result<(u32, Role), Failure> {
    let bad = || {
        let failure = Failure::unusable(t("act.bad-signer", &[("text", text.to_owned())]));
        let known: Vec<String> = KNOWN_ROLES.map(role_code).to_vec();
        failure
            .because(t("act.bad-signer-why", &[]))
            .next(t("act.bad-signer-next", &[("known", known.join(", "))]))
    };
    let (person, role) = match text.split_once(':') {
        Some((person, role)) => (person, Some(parse_role(role).ok_or_else(bad)?)),
        None => (text, None),
    };
    let person: u32 = person.parse().map_err(|_| bad())?;
    if let Some(role) = role {
        return Ok((person, role));
    }
    let roles = keystore.card(person)?.roles;
    match roles.as_slice() {
        [only] => Ok((person, *only)),
        // Who may bind the company signs as that unless something else is asked for.
        roles if roles.contains(&Role::Primary) => Ok((person, Role::Primary)),
        roles => {
            let roles: Vec<String> = roles.iter().map(|role| role_code(*role)).collect();
            let facts = [("person", person.to_string()), ("roles", roles.join(", "))];
            Err(Failure::unusable(t("act.no-role", &facts)).next(t("act.no-role-next", &facts)))
        }
    }
}

/// The next free sequence of a person, and the ledger time, as told by a node.
fn place(client: &Client, person: u32) -> Result<(u64, u64), Failure> {
    let answer = client.json(&format!("/v1/persons/{person}/sequence"))?;
    let unknown = || Failure::unreachable(t("act.no-frame", &[("person", person.to_string())]));
    let next = answer["next"].as_u64().ok_or_else(unknown)?;
    Ok((next, answer["now_ms"].as_u64().unwrap_or_else(real_ms)))
}

fn real_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A record that waits for more signatures, as a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    kind: String,
    version: u32,
    /// Genesis hash.
    chain: Hash,
    /// Record id.
    id: Hash,
    /// The rule, and the act in words, for those who are asked to sign. The bytes decide.
    rule: String,
    act: Value,
    /// Envelope with the signatures so far, base64.
    record: String,
}

fn write_pending(path: &Path, record: &Record) -> Result<(), Failure> {
    let pending = Pending {
        kind: "rollbook-pending-record".to_owned(),
        version: 1,
        chain: record.payload.chain,
        id: record.id(),
        rule: record.payload.body.code().to_owned(),
        act: serde_json::to_value(&record.payload.body).unwrap_or_default(),
        record: base64::engine::general_purpose::STANDARD.encode(encode(record)),
    };
    let text = serde_json::to_vec_pretty(&pending)
        .map_err(|error| Failure::unusable(path.display().to_string()).because(error))?;
    // A pending record may carry the only signatures of people who have gone home.
    crate::files::replace(path, &text)
}

/// Reads a pending record.
pub(crate) fn read_pending(path: &Path) -> Result<Record, Failure> {
    let none = |why: String| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("act.no-pending", &facts))
            .because(why)
            .next(t("act.no-pending-next", &facts))
    };
    let bytes = crate::files::read(path)?;
    let pending: Pending =
        serde_json::from_slice(&bytes).map_err(|error| none(error.to_string()))?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&pending.record)
        .map_err(|error| none(error.to_string()))?;
    let record: Record = decode(&bytes).map_err(|error| none(error.to_string()))?;
    let act = serde_json::to_value(&record.payload.body).unwrap_or_default();
    // What a signer reads is what is signed.
    if record.id() != pending.id || act != pending.act || record.payload.chain != pending.chain {
        return Err(none(t("act.pending-differs", &[])));
    }
    Ok(record)
}

/// `sign FILE`.
pub fn sign_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else {
        return Err(Failure::unusable("FILE"));
    };
    let mut record = read_pending(file)?;
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    of_this_chain(&record, profile.as_ref(), file)?;
    let keystore = keystore(matches, profile.as_ref());
    let signers = signers(matches, profile.as_ref(), &keystore)?;
    if signers.is_empty() {
        return Err(unknown("act.no-signer"));
    }
    print_json(&record.payload.body);
    let mut keys = Keys::default();
    for (person, role) in signers {
        keys.sign(&mut record, person, role, &keystore, matches)?;
        write_pending(file, &record)?;
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
    Ok(0)
}

/// `submit FILE`.
pub fn submit_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else {
        return Err(Failure::unusable("FILE"));
    };
    let record = read_pending(file)?;
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    of_this_chain(&record, profile.as_ref(), file)?;
    fits(&record)?;
    let client = client(matches, profile.as_ref())?;
    let judged = judge::rehearse(&client, &record)?;
    if judge::wants_signatures(&judged) {
        return wait_for_others(
            &record,
            &judged,
            file,
            &keystore(matches, profile.as_ref()),
            matches,
        );
    }
    hand_in(&client, &record, matches, file)
}

/// Refuses a record of another alliance than the profile's.
fn of_this_chain(record: &Record, profile: Option<&Profile>, file: &Path) -> Result<(), Failure> {
    match profile.and_then(Profile::genesis_hash) {
        Some(chain) if chain != record.payload.chain => {
            let chains = [
                ("chain", record.payload.chain.to_hex()),
                ("own", chain.to_hex()),
            ];
            let facts: Vec<_> = chains
                .into_iter()
                .chain([("file", file.display().to_string())])
                .collect();
            Err(Failure::refused(t("act.other-chain", &facts))
                .next(t("act.other-chain-next", &facts)))
        }
        _ => Ok(()),
    }
}

/// Submits, or leaves a pending file; then waits.
fn hand_in(
    client: &Client,
    record: &Record,
    matches: &ArgMatches,
    file: &Path,
) -> Result<u8, Failure> {
    let mut trust = receipts::trust_for(matches, record, client)?;
    let answer = receipts::submit(&mut trust, record)?;
    if let Some(code) = answer["code"].as_str() {
        let facts = facts_of(&answer);
        let borrowed: Vec<(&str, String)> = facts
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let sentence = refusal(code, &borrowed);
        if matches!(code, "A6.too-few-officers" | "A6.role-missing") {
            write_pending(file, record)?;
            let facts = [("why", sentence), ("file", file.display().to_string())];
            say(t("act.pending", &facts));
            say(format!(
                "{}: {}",
                t("word.next", &[]),
                t("act.pending-next", &facts)
            ));
            return Ok(crate::failure::NOT_YET);
        }
        return Err(Failure::by_rule(code, sentence));
    }
    let id = record.id();
    let wait = matches
        .get_one::<String>("wait")
        .map_or("receipt", String::as_str);
    if wait == "none" {
        print(t("act.taken", &[("record", id.to_hex())]));
        return Ok(0);
    }
    let begun = Instant::now();
    let busy = busy("busy.waiting");
    // One node after the other, so that none can keep a record waiting.
    for node in client.nodes().iter().cycle() {
        let place = client.only(node).json(&format!("/v1/records/{id}"));
        if let Ok(place) = &place
            && (place["stands"] == "receipted" || place["stands"] == "decided" && wait == "decided")
        {
            drop(busy);
            let receipt = match wait {
                "receipt" => Some(receipts::receipt(
                    &mut trust,
                    record,
                    &receipts::beside(matches, record, file),
                )?),
                _ => None,
            };
            return next::told(client, record, place, receipt.as_ref(), matches);
        }
        if begun.elapsed() > PATIENCE {
            write_pending(file, record)?;
            let facts = [
                ("record", id.to_hex()),
                ("file", file.display().to_string()),
            ];
            return Err(
                Failure::not_yet(t("act.not-yet", &facts)).next(t("act.not-yet-next", &facts))
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::unusable(t("act.no-node", &[])))
}

/// Facts of a refusal: those of the signed receipt, else the node's sentence.
fn facts_of(problem: &Value) -> Vec<(String, String)> {
    let signed = find_facts(&problem["receipt"]);
    if signed.is_empty() {
        let detail = problem["detail"].as_str().unwrap_or_default();
        return vec![("detail".to_owned(), detail.to_owned())];
    }
    signed
}

fn find_facts(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(map) => match map.get("facts").and_then(Value::as_array) {
            Some(facts) => facts
                .iter()
                .filter_map(|fact| {
                    Some((fact[0].as_str()?.to_owned(), fact[1].as_str()?.to_owned()))
                })
                .collect(),
            None => map
                .values()
                .map(find_facts)
                .find(|facts| !facts.is_empty())
                .unwrap_or_default(),
        },
        _ => Vec::new(),
    }
}
