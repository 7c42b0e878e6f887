//! `rollbook pending [DIR]`: the in-tray. Which records in a folder wait for signatures, what they
//! would do, who signed, who may still sign, until when.
//!
//! The principal's policy and its officers' numbers come from the verified state; roles of persons
//! from the cards on this machine (the ledger keeps roles in a working table, which carries no
//! proofs), else as told by a node, and so marked. Without a node only the files speak, and that is
//! said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_client::fetch::{Target, fetch};
use rollbook_client::trust::{Grounds, Trust};
use rollbook_core::id::PersonId;
use rollbook_core::identity::{Organisation, OrganisationKind};
use rollbook_core::record::{Capacity, Record};
use rollbook_core::state::decode_value;
use rollbook_proof::file::Content;
use rollbook_proof::number::LedgerTime;
use rollbook_wire::judgement::Judgement;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::flags::{Global, Reading};
use crate::keystore::Keystore;
use crate::keystore::card::role_code;
use crate::objects::both_names;
use crate::output::{print, print_json, say};
use crate::profile::in_use;
use crate::shown::Shown;
use crate::{act, objects, trust};

/// `pending`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Pending {
    #[command(flatten)]
    reading: Reading,
    /// The folder.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Runs `pending`.
pub fn run(global: &Global, flags: &Pending) -> Result<u8, Failure> {
    let (dir, json) = (&flags.dir, global.json);
    let mut records = Vec::new();
    for file in files(dir)? {
        match crate::pending_file::read(&file) {
            Ok(record) => records.push((file, record)),
            Err(failure) => say(format!(
                "{}: {} {}",
                t("word.warning", &[]),
                failure.what,
                failure.why.unwrap_or_default()
            )),
        }
    }
    if records.is_empty() {
        if json {
            print_json(&json!([]));
        } else {
            print(t("pending.none", &[("dir", dir.display().to_string())]));
        }
        return Ok(0);
    }
    let profile = in_use(global)?;
    let keystore = Keystore::at(
        flags.reading.connection.keys.keystore.as_ref(),
        profile.as_ref().and_then(|p| p.keystore.as_deref()),
    );
    let mut known = Known::open(global, &flags.reading);
    let mut told = Vec::new();
    for (file, record) in &records {
        let item = known.describe(file, record, &keystore);
        if !json {
            show(&item, record);
        }
        told.push(item);
    }
    if json {
        print_json(&told);
    } else {
        match &known.grounds {
            Some(grounds) => say(format!(
                "{}  {}",
                t("pending.grounds", &[]),
                trust::line(grounds)
            )),
            None => say(t("pending.offline", &[("why", known.why.clone())])),
        }
    }
    Ok(match &known.grounds {
        Some(grounds) if !json => trust::tell_age(grounds),
        _ => 0,
    })
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = std::fs::read_dir(dir).map_err(|error| crate::files::cannot_read(dir, &error))?;
    let is_pending = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.ends_with(".pending.json"))
    };
    let mut files: Vec<PathBuf> = read
        .flatten()
        .map(|entry| entry.path())
        .filter(is_pending)
        .collect();
    files.sort();
    Ok(files)
}

/// What the verified state says, as far as nodes can be asked.
struct Known {
    trust: Option<Trust>,
    organisations: BTreeMap<u32, Organisation>,
    grounds: Option<Grounds>,
    why: String,
    now_ms: u64,
}

impl Known {
    fn open(global: &Global, flags: &Reading) -> Known {
        let real = rollbook_node::clock::real_ms();
        let mut known = Known {
            trust: None,
            organisations: BTreeMap::new(),
            grounds: None,
            why: String::new(),
            now_ms: real,
        };
        match trust::open(global, flags) {
            Ok(trust) => known.trust = Some(trust),
            Err(failure) => known.why = failure.what,
        }
        known
    }

    fn organisation(&mut self, number: u32) -> Option<Organisation> {
        if let Some(known) = self.organisations.get(&number) {
            return Some(known.clone());
        }
        let trust = self.trust.as_mut()?;
        let (fetched, grounds) =
            match fetch(trust, &Target::State(format!("organisation/{number}"))) {
                Ok(answer) => answer,
                Err(error) => {
                    self.why = Failure::from(error).what;
                    return None;
                }
            };
        if grounds.sample {
            self.now_ms = (grounds.attested_time_s + grounds.age_s) * 1_000;
        }
        self.grounds = Some(grounds);
        let Content::State {
            value: Some(bytes), ..
        } = &fetched.proved.content
        else {
            return None;
        };
        let organisation: Organisation = decode_value(bytes).ok()?;
        self.organisations.insert(number, organisation.clone());
        Some(organisation)
    }

    fn describe(&mut self, file: &Path, record: &Record, keystore: &Keystore) -> Value {
        let payload = &record.payload;
        let organisation = self.organisation(payload.principal.0);
        // A node knows the roles; its word is marked.
        let judged = self
            .trust
            .as_ref()
            .and_then(|trust| act::judge::rehearse(trust.client(), record).ok())
            .flatten();
        let role_of = |person: u32| -> Vec<String> {
            if !keystore.card_path(person).exists() {
                return Vec::new();
            }
            keystore
                .card(person)
                .map(|card| card.roles.iter().map(|role| role_code(*role)).collect())
                .unwrap_or_default()
        };
        let signed: Vec<Value> = record
            .signatures
            .iter()
            .map(|entry| {
                let role = match entry.capacity {
                    Capacity::Own(role) => role_code(role),
                    Capacity::Delegation(number) => format!("delegation {number}"),
                };
                json!({ "person": entry.officer, "role": role })
            })
            .collect();
        let class = payload.body.class();
        let needed = organisation
            .as_ref()
            .map(|organisation| payload.body.signatures_needed(&organisation.policy));
        let may: Vec<Value> = organisation
            .iter()
            .flat_map(|organisation| organisation.officers.iter().copied())
            .filter(|person| {
                !record
                    .signatures
                    .iter()
                    .any(|entry| entry.officer == *person)
            })
            .map(|person| {
                let (mut roles, mut told) = (role_of(person.0), false);
                if roles.is_empty() {
                    roles = judged
                        .as_ref()
                        .map(|judged| roles_told(judged, person.0))
                        .unwrap_or_default();
                    told = !roles.is_empty();
                }
                json!({
                    "person": person, "roles": roles, "as_told": told,
                    "key_here": keystore.secret_path(person.0).exists(),
                })
            })
            .collect();
        let name = organisation.as_ref().map(|organisation| {
            both_names(
                &organisation.name.native.to_string(),
                &organisation.name.latin.to_string(),
            )
        });
        let office = organisation
            .as_ref()
            .is_some_and(|organisation| organisation.kind == OrganisationKind::Office);
        let missing =
            needed.map(|needed| (needed as usize).saturating_sub(record.signatures.len()));
        json!({
            "file": file, "record": record.id(), "rule": payload.body.code(),
            "act": act::next::deed(record),
            "principal": payload.principal, "name": name, "office": office, "class": class,
            "signed": signed, "needed": needed,
            "missing": missing, "may_sign": may,
            "role_missing": judged.as_ref().and_then(act::judge::wanted_role),
            "valid_until_ms": payload.valid_until_ms,
            "expired": payload.valid_until_ms < LedgerTime(self.now_ms),
        })
    }
}

/// Roles of a person by a node's judgement of the record.
fn roles_told(judged: &Judgement, person: u32) -> Vec<String> {
    let entries = judged.signers.iter();
    entries
        .filter(|entry| entry.person == PersonId(person))
        .flat_map(|entry| act::judge::role_codes(&entry.roles))
        .collect()
}

fn show(item: &Value, record: &Record) {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let person = |entry: &Value, roles: String| {
        let number = entry["person"].to_string();
        if roles.is_empty() {
            number
        } else {
            format!("{number} ({roles})")
        }
    };
    let roles = |entry: &Value| {
        let roles: Vec<&str> = entry["roles"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let told = if entry["as_told"] == true {
            t("pending.as-told", &[])
        } else {
            String::new()
        };
        format!("{}{told}", roles.join(", "))
    };
    let list = |name: &str, of: &dyn Fn(&Value) -> String| {
        let words: Vec<String> = item[name]
            .as_array()
            .into_iter()
            .flatten()
            .map(of)
            .collect();
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(", ")
        }
    };
    let principal = item["principal"].as_u64().unwrap_or_default();
    print(t(
        "pending.head",
        &[
            ("file", text("file")),
            ("rule", text("rule")),
            ("act", text("act")),
            (
                "principal",
                format!(
                    "{} {}",
                    objects::short(&format!("organisation/{principal}")),
                    text("name")
                )
                .trim()
                .to_owned(),
            ),
        ],
    ));
    let line = |key: &str, facts: &[(&str, String)]| print(format!("  {}", t(key, facts)));
    for (label, text) in objects::rows("", &Shown::of(&record.payload.body), None) {
        print(format!("    {label}: {text}"));
    }
    line(
        "pending.signed",
        &[(
            "signed",
            list("signed", &|entry| {
                person(entry, entry["role"].as_str().unwrap_or_default().to_owned())
            }),
        )],
    );
    let may = list("may_sign", &|entry| person(entry, roles(entry)));
    let class = text("class");
    match (item["missing"].as_u64(), item["needed"].as_u64()) {
        (Some(0), _) => line(
            "pending.enough",
            &[("class", class), ("file", text("file"))],
        ),
        (Some(missing), Some(needed)) => {
            let facts = [
                ("missing", missing.to_string()),
                ("needed", needed.to_string()),
                ("class", class),
                ("may", may),
            ];
            line("pending.missing", &facts);
        }
        _ => line("pending.unknown", &[("class", class)]),
    }
    if let Some(role) = item["role_missing"].as_str() {
        line("pending.role", &[("role", role.to_owned())]);
    } else if item["office"] == true {
        line("pending.office", &[]);
    }
    let until = item["valid_until_ms"]
        .as_u64()
        .map(|ms| time(LedgerTime(ms)))
        .unwrap_or_default();
    line(
        if item["expired"] == true {
            "pending.expired"
        } else {
            "pending.until"
        },
        &[("until", until)],
    );
}
