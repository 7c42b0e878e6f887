//! `rollbook pending [DIR]`: the in-tray. Which records in a folder, and at the company's own node,
//! wait for signatures, and which registrations; what they would do, who signed, who may still sign, until when.
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
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_wire::judgement::Judgement;
use rollbook_wire::record::Place;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use serde_json::{Value, json};

use crate::act::papers::{Item, Waiting, waiting};
use crate::failure::Failure;
use crate::flags::{Global, Reading};
use crate::keystore::Keystore;
use crate::keystore::card::role_code;
use crate::objects::both_names;
use crate::output::{print, print_json, say};
use crate::profile::in_use;
use crate::registration_file::Signed;
use crate::shown::Shown;
use crate::{act, objects, registration_file, trust};

/// `pending`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Pending {
    #[command(flatten)]
    reading: Reading,
    /// The folder; else the profile's and the current one.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `pending`.
pub fn run(global: &Global, flags: &Pending) -> Result<u8, Failure> {
    let json = global.json;
    let profile = in_use(global)?;
    let keystore = Keystore::at(
        flags.reading.connection.keys.keystore.as_ref(),
        profile.as_ref().and_then(|p| p.keystore.as_deref()),
    );
    let mut known = Known::open(global, &flags.reading);
    let client = known.trust.as_ref().map(|trust| trust.client().clone());
    let Waiting {
        folders,
        records: items,
        registrations,
    } = waiting(global, flags.dir.as_deref(), client.as_ref())?;
    if items.is_empty() && registrations.is_empty() {
        let shown: Vec<String> = folders
            .iter()
            .map(|dir| dir.display().to_string())
            .collect();
        if json {
            print_json(&json!([]));
        } else {
            print(t("pending.none", &[("dir", shown.join(", "))]));
        }
        return Ok(0);
    }
    let mut told = Vec::new();
    for (file, signed) in &registrations {
        told.push(registration(file, signed, json));
    }
    for item in &items {
        let described = known.describe(item, &keystore);
        if !json {
            show(&described, &item.record);
        }
        told.push(described);
    }
    if json {
        print_json(&told);
    } else if !items.is_empty() {
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

/// A registration: who has signed it, and what follows.
fn registration(file: &Path, signed: &Signed, json: bool) -> Value {
    let entry = &signed.registration.entry;
    let (done, missing) = (signed.signed(), signed.missing());
    if !json {
        let facts = [
            ("file", file.display().to_string()),
            ("native", entry.name.native.to_string()),
            ("latin", entry.name.latin.to_string()),
            ("signed", registration_file::numbers(&done)),
            ("missing", registration_file::numbers(&missing)),
        ];
        print(t("pending.registration", &facts));
        let next = if missing.is_empty() {
            "pending.registration-done"
        } else {
            "pending.registration-next"
        };
        print(format!("  {}", t(next, &facts)));
    }
    json!({
        "file": file, "registration": entry.name, "chain": signed.chain,
        "signed": done, "missing": missing,
    })
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

    /// The block of a record that is in the log, as told by a node.
    fn recorded(&self, record: &Record) -> Option<Height> {
        let client = self.trust.as_ref()?.client();
        let place: Place = client.json(&format!("/v1/records/{}", record.id())).ok()?;
        place.height
    }

    fn describe(&mut self, item: &Item, keystore: &Keystore) -> Value {
        let record = &item.record;
        let payload = &record.payload;
        let recorded = self.recorded(record);
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
        // Where a node judges, its word says what is complete: a signature that it does not take is
        // none.
        let missing = match &judged {
            Some(judged) if judged.admissible => Some(0),
            Some(judged) if act::judge::wants_signatures(judged) => needed.map(|needed| {
                let counted = judged.facts.iter().find(|(name, _)| name == "signed");
                let counted = counted.and_then(|(_, signed)| signed.parse().ok());
                let counted: usize = counted.unwrap_or(record.signatures.len());
                (needed as usize).saturating_sub(counted).max(1)
            }),
            _ => needed.map(|needed| (needed as usize).saturating_sub(record.signatures.len())),
        };
        let elsewhere = self
            .trust
            .as_ref()
            .is_some_and(|trust| trust.chain().genesis() != payload.chain);
        let over = judged
            .as_ref()
            .is_some_and(|judged| judged.rule.as_deref() == Some("A6.expired"));
        let vain = judged
            .as_ref()
            .and_then(|judged| {
                let whoever_signs = act::judge::not_in_vain(Some(judged), false).err();
                whoever_signs.map(|failure| failure.what).or_else(|| {
                    let is_open = judged.admissible || act::judge::wants_signatures(judged);
                    (!is_open).then(|| act::judge::refused(judged)).flatten()
                })
            })
            .filter(|_| recorded.is_none() && !over && !elsewhere);
        json!({
            "file": item.target, "node": item.node, "record": record.id(),
            "recorded": recorded, "other_alliance": elsewhere.then_some(payload.chain), "vain": vain, "rule": payload.body.code(),
            "act": act::next::deed(record),
            "principal": payload.principal, "name": name, "office": office, "class": class,
            "signed": signed, "needed": needed,
            "missing": missing, "may_sign": may,
            "role_missing": judged.as_ref().and_then(act::judge::wanted_role),
            "valid_until_ms": payload.valid_until_ms,
            "expired": over || payload.valid_until_ms < LedgerTime(self.now_ms),
            "unit": judged.as_ref().and_then(|judged| judged.unit.clone()),
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
    if let Some(node) = item["node"].as_str() {
        let facts = [("record", text("record")), ("node", node.to_owned())];
        line("pending.at-node", &facts);
    }
    let until = item["valid_until_ms"]
        .as_u64()
        .map(|ms| time(LedgerTime(ms)))
        .unwrap_or_default();
    // What is done, over or in vain waits for nobody.
    if let Some(height) = item["recorded"].as_u64() {
        return line("pending.recorded", &[("height", height.to_string())]);
    }
    if let Some(chain) = item["other_alliance"].as_str() {
        return line("pending.elsewhere", &[("chain", chain.to_owned())]);
    }
    if item["expired"] == true {
        return line("pending.over", &[("until", until)]);
    }
    let unit: Option<(String, u32)> = serde_json::from_value(item["unit"].clone()).ok();
    let unit = objects::unit_coded(unit.as_ref());
    for (label, text) in objects::rows("", &Shown::of(&record.payload.body), unit.as_ref()) {
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
    if let Some(why) = item["vain"].as_str() {
        return line("pending.vain", &[("why", why.to_owned())]);
    }
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
    line("pending.until", &[("until", until)]);
}
