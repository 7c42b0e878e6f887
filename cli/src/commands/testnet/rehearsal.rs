//! `rollbook testnet up --alliance FOLDER`: the secretary's own files on a stepped clock, before
//! anybody signs them.

use std::collections::BTreeMap;
use std::path::Path;

use rollbook_node::config::NodeSecrets;
use rollbook_proof::log::Clock;
use rollbook_sandbox::keys::node_key;
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_words::catalogue::t;

use super::RUN;
use crate::drafting::{cards, read_inputs, rehearsal, sample};
use crate::failure::Failure;
use crate::files;
use crate::input::problem::Report;
use crate::keystore::Keystore;
use crate::output::{print, say};

/// Where the sample keys of a rehearsal lie, in the testnet's folder.
const KEYSTORE: &str = "keystore";

/// Reads the files, makes keys and folders.
pub fn make(
    folder: &Path,
    dir: &Path,
    seed: Option<&str>,
    program: &Path,
) -> Result<Testnet, Failure> {
    let seed = seed.unwrap_or("rollbook");
    let (alliance, members) = (folder.join("alliance.toml"), folder.join("members.csv"));
    let next = |failure: Failure| failure.next(t("genesis.no-files-next", &[]));
    let (alliance_bytes, member_bytes) = (
        files::read(&alliance).map_err(next)?,
        files::read(&members).map_err(next)?,
    );
    let (alliance_name, members_name) = (
        alliance.display().to_string(),
        members.display().to_string(),
    );
    let read = |name: &str| std::fs::read(folder.join(name));
    let mut report = Report::default();
    let inputs = read_inputs(
        (&alliance_name, &alliance_bytes),
        (&members_name, &member_bytes),
        &read,
        &mut report,
    );
    let cards = match folder.join("cards") {
        cards if cards.is_dir() => cards::read_folder(&cards, &mut report),
        // A rehearsal may come before the first card.
        _ => cards::Cards::default(),
    };
    let inputs = inputs
        .filter(|_| report.errors.is_empty())
        .ok_or_else(|| sample::unusable(&report).next(t("testnet.no-files-next", &[])))?;
    let validators = inputs.alliance.validators.1.clone();
    let opened_ms = inputs.alliance.opened_ms;
    let count = u32::try_from(validators.len()).unwrap_or(u32::MAX);
    let members = u32::try_from(inputs.members.len()).unwrap_or(u32::MAX);
    let mut plan = Plan::new(seed, members.max(count), count, Clock::Sample)?;
    plan.opened_ms = opened_ms;
    let places: BTreeMap<_, _> = (1..)
        .zip(&validators)
        .map(|(node, organisation)| (*organisation, plan.place(node)))
        .collect();
    let founded = rehearsal::rehearse(inputs, &cards, seed, &places)?;
    let reader = founded.file.genesis.founders().find_map(|founder| {
        let officer = founder.officers.first()?;
        Some(officer.person.0)
    });
    plan.reader = reader;
    let mut nodes = Vec::new();
    for organisation in &validators {
        let secrets = NodeSecrets::make(|kind| {
            Ok::<_, Failure>(node_key(seed.as_bytes(), *organisation, kind))
        })?;
        nodes.push((*organisation, secrets));
    }
    let testnet = Testnet::create_for(dir, plan, &founded.file, &nodes, program, &RUN)?;
    let store = Keystore::at(Some(&dir.join(KEYSTORE)), None);
    for officer in founded.keys.officers.values() {
        store.add(&officer.secret, &officer.card, sample::PASSPHRASE)?;
    }
    Ok(testnet)
}

/// What it is, and how one acts on it.
pub fn tell(testnet: &Testnet) -> Result<(), Failure> {
    let (dir, store) = (&testnet.dir, testnet.dir.join(KEYSTORE));
    let entries = Keystore::at(Some(&store), None).list()?;
    print(t("testnet.rehearsal", &[]));
    say(t("keys.sample-warning", &[]));
    let Some(first) = entries
        .iter()
        .find(|entry| Some(entry.card.person) == testnet.plan.reader)
    else {
        return Ok(());
    };
    let facts = [
        ("persons", entries.len().to_string()),
        ("keystore", store.display().to_string()),
        ("passphrase", sample::PASSPHRASE.to_owned()),
        (
            "genesis",
            dir.join("genesis.rollbook").display().to_string(),
        ),
        ("node", format!("http://{}", testnet.api(1))),
        ("organisation", first.card.organisation.to_string()),
        ("person", first.card.person.to_string()),
    ];
    say(t("testnet.rehearsal-next", &facts));
    Ok(())
}
