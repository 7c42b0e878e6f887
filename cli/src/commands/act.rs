//! The act flow of every business verb: who acts, with which keys, what is signed, what is missing, what became of it.
//!
//! * The envelope of RULINGS A6: principal, the first signer's next sequence, 7 days of validity. The next sequence is what the
//!   node says is used, plus one; a wrong answer of a node costs a refusal, never a right.
//! * Which signatures an act needs, the ledger says: if it refuses for want of officers or a role, the record is written to a
//!   file for the others (`rollbook sign FILE`, `rollbook submit FILE`). Everybody signs identical bytes.
//! * What a node signed about a record is checked and kept, and a receipt is verified before it is called one (`receipts`).
//!   `--wait decided` is as told by the node, and says so.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use rollbook_core::codec::{decode, encode};
use rollbook_core::crypto::Hash;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, Payload, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::keystore::card::{parse_role, role_code};
use crate::keystore::{Keystore, passphrase};
use crate::messages::{refusal, t};
use crate::output::{print, print_json, say};
use crate::profile::{Profile, Profiles};
use crate::receipts::{self, Receipted};
use crate::verbs::{VERBS, Verb};

/// How long a signed record may wait to be recorded.
const VALID_MS: u64 = 7 * 86_400_000;
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
        let verbs = VERBS.iter().filter(|verb| verb.path.0 == noun).map(|verb| with_flow(verb.command(), true));
        let known = tree.get_subcommands().any(|sub| sub.get_name() == noun);
        tree = if known {
            tree.mut_subcommand(noun, |sub| sub.subcommands(verbs))
        } else {
            tree.subcommand(Command::new(noun).subcommand_required(true).arg_required_else_help(true).subcommands(verbs))
        };
    }
    let file = || Arg::new("file").required(true).value_name("FILE").value_parser(value_parser!(PathBuf));
    tree.subcommand(signing(Command::new("sign").arg(file()))).subcommand(with_flow(Command::new("submit").arg(file()), false))
}

fn signing(command: Command) -> Command {
    command
        .arg(Arg::new("signer").long("signer").value_name("PERSON:ROLE").action(ArgAction::Append))
        .arg(Arg::new("keystore").long("keystore").value_name("DIR").value_parser(value_parser!(PathBuf)))
        .arg(Arg::new("passphrase-file").long("passphrase-file").value_name("FILE").value_parser(value_parser!(PathBuf)))
}

fn with_flow(command: Command, acts: bool) -> Command {
    let command = command
        .arg(Arg::new("node").long("node").value_name("URL").action(ArgAction::Append))
        .arg(Arg::new("wait").long("wait").value_parser(["none", "decided", "receipt"]).default_value("receipt"))
        .arg(Arg::new("receipt-file").long("receipt-file").value_name("FILE").value_parser(value_parser!(PathBuf)));
    if !acts {
        return command;
    }
    signing(command)
        .arg(Arg::new("as").long("as").value_name("N").value_parser(value_parser!(u32)))
        .arg(Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue))
        .arg(Arg::new("pending").long("pending").value_name("FILE").value_parser(value_parser!(PathBuf)))
}

/// Runs a verb.
pub fn run(verb: &Verb, matches: &ArgMatches) -> Result<u8, Failure> {
    let body = verb.body(matches)?;
    let profile = Profiles::of(matches).chosen(matches)?.map(|(_, profile)| profile);
    let unknown = |key: &str| Failure::unusable(t(key, &[])).next(t("act.no-profile-next", &[]));
    let given = matches.get_one::<u32>("as").copied();
    let principal = given.or(profile.as_ref().and_then(|profile| profile.organisation));
    let principal = principal.ok_or_else(|| unknown("act.no-principal"))?;
    if matches.get_flag("dry-run") {
        return dry(&body, principal, matches);
    }
    let keystore = keystore(matches, profile.as_ref());
    let signers = signers(matches, profile.as_ref(), &keystore)?;
    let client = client(matches, profile.as_ref())?;
    let Some((first, _)) = signers.first().copied() else { return Err(unknown("act.no-signer")) };
    let chain = match profile.as_ref().and_then(Profile::genesis_hash) {
        Some(chain) => chain,
        None => return Err(unknown("act.no-genesis")),
    };
    let (sequence, now) = place(&client, first)?;
    let payload = Payload { chain, principal, officer: first, sequence, valid_until_ms: now.saturating_add(VALID_MS), body };
    let mut record = Record { payload, signatures: Vec::new() };
    for (person, role) in signers {
        sign(&mut record, person, role, &keystore, matches)?;
    }
    let file = matches.get_one::<PathBuf>("pending").cloned();
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{}.pending.json", record.id().short())));
    hand_in(&client, &record, matches, &file)
}

fn dry(body: &Body, principal: u32, matches: &ArgMatches) -> Result<u8, Failure> {
    let class = format!("{:?}", body.class());
    if matches.get_flag("json") {
        print_json(&serde_json::json!({ "rule": body.code(), "class": class, "principal": principal, "act": body }));
    } else {
        print_json(body);
        say(t("act.dry", &[("rule", body.code().to_owned()), ("class", class), ("principal", principal.to_string())]));
    }
    Ok(0)
}

fn keystore(matches: &ArgMatches, profile: Option<&Profile>) -> Keystore {
    let of_profile = profile.and_then(|profile| profile.keystore.as_deref());
    Keystore::at(matches.get_one::<PathBuf>("keystore"), of_profile)
}

fn client(matches: &ArgMatches, profile: Option<&Profile>) -> Result<Client, Failure> {
    let mut nodes: Vec<String> = matches.get_many::<String>("node").into_iter().flatten().cloned().collect();
    if nodes.is_empty() {
        nodes = profile.map(|profile| profile.nodes.clone()).unwrap_or_default();
    }
    if nodes.is_empty() {
        return Err(Failure::unusable(t("act.no-node", &[])).next(t("act.no-profile-next", &[])));
    }
    Ok(Client::new(nodes))
}

/// The signers with their roles: as given, else the profile's person.
fn signers(matches: &ArgMatches, profile: Option<&Profile>, keystore: &Keystore) -> Result<Vec<(u32, Role)>, Failure> {
    let mut given: Vec<String> = matches.get_many::<String>("signer").into_iter().flatten().cloned().collect();
    if given.is_empty() {
        given.extend(profile.and_then(|profile| profile.person).map(|person| person.to_string()));
    }
    given.iter().map(|text| signer(text, keystore)).collect()
}

fn signer(text: &str, keystore: &Keystore) -> Result<(u32, Role), Failure> {
    let bad = || Failure::unusable(t("act.bad-signer", &[("text", text.to_owned())]));
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
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn sign(record: &mut Record, person: u32, role: Role, keystore: &Keystore, matches: &ArgMatches) -> Result<(), Failure> {
    if record.signatures.iter().any(|entry| entry.officer == person) {
        return Err(Failure::refused(t("act.signed-already", &[("person", person.to_string())])));
    }
    let passphrase = passphrase::existing(matches, &person.to_string())?;
    let secret = keystore.open(person, &passphrase)?;
    let key = secret.key().ok_or_else(|| crate::keystore::mismatch(&keystore.secret_path(person), "keys.differs.key"))?;
    record.signatures.push(record.payload.sign(person, Capacity::Own(role), 0, &key));
    record.signatures.sort_by_key(|entry| entry.officer);
    Ok(())
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
    let text =
        serde_json::to_vec_pretty(&pending).map_err(|error| Failure::unusable(path.display().to_string()).because(error))?;
    std::fs::write(path, text).map_err(|error| crate::keystore::cannot_write(path, &error))
}

/// Reads a pending record.
pub(crate) fn read_pending(path: &Path) -> Result<Record, Failure> {
    let none = |why: String| Failure::unusable(t("act.no-pending", &[("file", path.display().to_string())])).because(why);
    let bytes = crate::keystore::read(path)?;
    let pending: Pending = serde_json::from_slice(&bytes).map_err(|error| none(error.to_string()))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(&pending.record).map_err(|error| none(error.to_string()))?;
    let record: Record = decode(&bytes).map_err(|error| none(error.to_string()))?;
    let act = serde_json::to_value(&record.payload.body).unwrap_or_default();
    // What a signer reads is what is signed.
    if record.id() != pending.id || act != pending.act || record.payload.chain != pending.chain {
        return Err(none("id".to_owned()));
    }
    Ok(record)
}

/// `sign FILE`.
pub fn sign_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else { return Err(Failure::unusable("FILE")) };
    let mut record = read_pending(file)?;
    let profile = Profiles::of(matches).chosen(matches)?.map(|(_, profile)| profile);
    if let Some(chain) = profile.as_ref().and_then(Profile::genesis_hash)
        && chain != record.payload.chain
    {
        let facts = [("file", file.display().to_string()), ("chain", record.payload.chain.to_hex())];
        return Err(Failure::refused(t("act.other-chain", &facts)));
    }
    let keystore = keystore(matches, profile.as_ref());
    let signers = signers(matches, profile.as_ref(), &keystore)?;
    if signers.is_empty() {
        return Err(Failure::unusable(t("act.no-signer", &[])).next(t("act.no-profile-next", &[])));
    }
    print_json(&record.payload.body);
    for (person, role) in signers {
        sign(&mut record, person, role, &keystore, matches)?;
        write_pending(file, &record)?;
        let count = record.signatures.len().to_string();
        say(t("act.signed", &[("person", person.to_string()), ("count", count), ("file", file.display().to_string())]));
    }
    Ok(0)
}

/// `submit FILE`.
pub fn submit_file(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(file) = matches.get_one::<PathBuf>("file") else { return Err(Failure::unusable("FILE")) };
    let record = read_pending(file)?;
    let profile = Profiles::of(matches).chosen(matches)?.map(|(_, profile)| profile);
    hand_in(&client(matches, profile.as_ref())?, &record, matches, file)
}

/// Submits, or leaves a pending file; then waits.
fn hand_in(client: &Client, record: &Record, matches: &ArgMatches, file: &Path) -> Result<u8, Failure> {
    let mut trust = receipts::trust_for(matches, record, client)?;
    let answer = receipts::submit(&mut trust, record)?;
    if let Some(code) = answer["code"].as_str() {
        let facts = facts_of(&answer);
        let borrowed: Vec<(&str, String)> = facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let sentence = refusal(code, &borrowed);
        if matches!(code, "A6.too-few-officers" | "A6.role-missing") {
            write_pending(file, record)?;
            let facts = [("why", sentence), ("file", file.display().to_string())];
            say(t("act.pending", &facts));
            say(format!("{}: {}", t("word.next", &[]), t("act.pending-next", &facts)));
            return Ok(crate::failure::NOT_YET);
        }
        return Err(Failure::by_rule(code, sentence));
    }
    let id = record.id();
    let wait = matches.get_one::<String>("wait").map_or("receipt", String::as_str);
    if wait == "none" {
        print(t("act.taken", &[("record", id.to_hex())]));
        return Ok(0);
    }
    let begun = Instant::now();
    // One node after the other, so that none can keep a record waiting.
    for node in client.nodes().iter().cycle() {
        let place = client.only(node).json(&format!("/v1/records/{id}"));
        if let Ok(place) = &place
            && (place["stands"] == "receipted" || place["stands"] == "decided" && wait == "decided")
        {
            let receipt = match wait {
                "receipt" => Some(receipts::receipt(&mut trust, record, matches, file)?),
                _ => None,
            };
            return Ok(told(record, place, receipt.as_ref(), matches.get_flag("json")));
        }
        if begun.elapsed() > PATIENCE {
            write_pending(file, record)?;
            let facts = [("record", id.to_hex()), ("file", file.display().to_string())];
            return Err(Failure::not_yet(t("act.not-yet", &facts)).next(t("act.not-yet-next", &facts)));
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
            Some(facts) => {
                facts.iter().filter_map(|fact| Some((fact[0].as_str()?.to_owned(), fact[1].as_str()?.to_owned()))).collect()
            }
            None => map.values().map(find_facts).find(|facts| !facts.is_empty()).unwrap_or_default(),
        },
        _ => Vec::new(),
    }
}

fn told(record: &Record, place: &Value, receipt: Option<&Receipted>, json: bool) -> u8 {
    if json {
        let mut place = place.clone();
        if let Some(receipt) = receipt {
            (place["height"], place["leaf"]) = (receipt.height.into(), receipt.leaf.into());
            place["receipt"] = serde_json::json!({ "file": receipt.file, "verified": receipt.grounds });
        }
        print_json(&place);
        return 0;
    }
    let rule = record.payload.body.code().to_owned();
    let act = serde_json::to_value(&record.payload.body).unwrap_or_default();
    let place = |name: &str, verified: Option<u64>| verified.map_or_else(|| place[name].to_string(), |number| number.to_string());
    let leaf = place("leaf", receipt.map(|receipt| receipt.leaf));
    let facts = [
        ("record", record.id().to_hex()),
        ("height", place("height", receipt.map(|receipt| receipt.height))),
        ("rule", rule),
        ("what", format!("{} leaf {leaf}", words(&act))),
    ];
    print(t("act.done", &facts));
    match receipt {
        None => say(t("act.decided", &[])),
        Some(receipt) => {
            say(t("act.receipted", &[("grounds", receipt.grounds.line()), ("file", receipt.file.display().to_string())]));
            return receipt.grounds.tell_age();
        }
    }
    0
}

/// Family and variant of an act: `Membership.Screen`.
pub(crate) fn words(act: &Value) -> String {
    let first = |value: &Value| match value {
        Value::Object(map) => map.iter().next().map(|(name, inner)| (name.clone(), inner.clone())),
        Value::String(name) => Some((name.clone(), Value::Null)),
        _ => None,
    };
    let Some((family, inner)) = first(act) else { return String::new() };
    first(&inner).map_or(family.clone(), |(variant, _)| format!("{family}.{variant}"))
}
