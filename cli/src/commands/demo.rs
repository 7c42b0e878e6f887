//! `rollbook demo`: four real node processes, the sample alliance, a story of months, an export,
//! its audit, a flipped byte.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, value_parser};
use rollbook_core::record::Record;
use rollbook_node::config::NodeSecrets;
use rollbook_proof::codec::encode;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::alliance::NodePlace;
use rollbook_sandbox::keys::node_key;
use rollbook_sandbox::story;
use rollbook_sandbox::story::network::Network;
use rollbook_sandbox::story::{Ending, Step};
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_words::amount::money;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;

use super::audit::audit;
use crate::drafting::sample;
use crate::failure::Failure;
use crate::flags::Global;
use crate::output::{print, print_json, say};

/// Founders that may run a validating node, in the order in which they are taken; one per group.
const VALIDATORS: [u32; 13] = [11, 14, 15, 16, 12, 17, 18, 20, 21, 1, 2, 3, 4];

/// `demo`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Demo {
    /// How many nodes run.
    #[arg(long, value_name = "N", default_value = "4",
        value_parser = value_parser!(u32).range(4..=13))]
    nodes: u32,
    /// The folder, which must be empty.
    #[arg(long, value_name = "DIR", default_value = "rollbook-demo")]
    dir: PathBuf,
    /// Of the sample keys.
    #[arg(long, value_name = "TEXT", default_value = "demo")]
    seed: String,
    /// Whether the nodes keep running.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo.
pub fn run(global: &Global, flags: &Demo) -> Result<u8, Failure> {
    let begun = Instant::now();
    let (dir, nodes, seed) = (&flags.dir, flags.nodes, flags.seed.as_str());
    let unusable = |error: std::io::Error| {
        Failure::unusable(t("demo.dir", &[("dir", dir.display().to_string())])).because(error)
    };
    let dir = std::path::absolute(dir).map_err(unusable)?;
    if dir.exists() && std::fs::read_dir(&dir).map_err(unusable)?.next().is_some() {
        return Err(
            Failure::unusable(t("demo.not-empty", &[("dir", dir.display().to_string())])).next(t(
                "demo.not-empty-next",
                &[("dir", dir.display().to_string())],
            )),
        );
    }
    let (keep, json) = (flags.keep, global.json);
    let (testnet, genesis) = set_up(&dir, nodes, seed)?;
    let hash = genesis.hash();
    say(t("audit.sample", &[]));
    say(t(
        "demo.up",
        &[("nodes", nodes.to_string()), ("genesis", hash.to_hex())],
    ));

    let teller = Box::new(|step: &Step<'_>, now: u64| say(line(step, now)));
    let stopped = |why: String| {
        Failure::refused(t("demo.stopped", &[]))
            .because(why)
            .next(t(
                "demo.stopped-next",
                &[("dir", dir.display().to_string())],
            ))
    };
    let mut network = match Network::new(testnet, &genesis, seed, teller) {
        Ok(network) => network,
        Err(why) => return Err(stopped(why)),
    };
    let played = story::play(&mut network)
        .map_err(|error| error.to_string())
        .and_then(|ending| network.settle_all().map(|place| (ending, place)));
    let (ending, (height, root)) = match played {
        Ok(played) => played,
        Err(why) => {
            stop(&mut network.testnet);
            return Err(stopped(why));
        }
    };
    say(t(
        "demo.agreed",
        &[
            ("nodes", nodes.to_string()),
            ("height", height.to_string()),
            ("root", root.clone()),
        ],
    ));
    let checked = examine(&network, &dir, hash);
    let apis: Vec<String> = network
        .testnet
        .nodes()
        .map(|node| format!("http://{}", network.testnet.api(node)))
        .collect();
    if !keep {
        stop(&mut network.testnet);
    }
    let (export, damaged) = checked?;
    let seconds = begun.elapsed().as_secs_f64();
    if json {
        let accounts: BTreeMap<_, _> = ending
            .accounts
            .iter()
            .map(|(account, amount)| (account.to_string(), amount))
            .collect();
        print_json(&serde_json::json!({
            "sample": true,
            "genesis": hash,
            "height": height,
            "state_root": root,
            "dir": dir,
            "export": export,
            "api": apis,
            "running": keep,
            "refusals": ending.refusals,
            "accounts": accounts,
            "damaged_leaf": damaged,
            "seconds": seconds,
        }));
    } else {
        summary(&Summary {
            dir: &dir,
            export: &export,
            genesis: hash.to_hex(),
            apis: &apis,
            ending: &ending,
            keep,
            seconds,
        });
    }
    Ok(0)
}

/// Ports, alliance, folders, processes.
fn set_up(
    dir: &Path,
    nodes: u32,
    seed: &str,
) -> Result<(Testnet, rollbook_core::genesis::Genesis), Failure> {
    let validators: Vec<u32> = VALIDATORS.into_iter().take(nodes as usize).collect();
    let mut plan = Plan::new(seed, 24, nodes, Clock::Sample)?;
    // The same ports as last time if they are free: then the same seed gives the same genesis hash.
    match usual_ports(&validators) {
        Some(ports) => plan.ports = ports,
        // Nodes find each other at the addresses in the genesis, so others make another one.
        None => say(t("demo.other-ports", &[])),
    }
    let places = places(&validators, &plan.ports);
    let alliance = sample::metaverse_at(seed, &places)?;
    let mut keys = Vec::new();
    for organisation in &validators {
        let secrets = NodeSecrets::make(|kind| {
            Ok::<_, Failure>(node_key(seed.as_bytes(), *organisation, kind))
        })?;
        keys.push((*organisation, secrets));
    }
    let program =
        std::env::current_exe().map_err(|error| Failure::unusable("rollbook").because(error))?;
    let mut testnet = Testnet::create_for(
        dir,
        plan,
        &alliance.file,
        &keys,
        &program,
        &super::testnet::RUN,
    )?;
    if let Err(failure) = testnet.start_all() {
        stop(&mut testnet);
        return Err(failure.into());
    }
    Ok((testnet, alliance.file.genesis))
}

/// Where the nodes of the validators are reached, given peer and API ports in their order.
fn places(validators: &[u32], ports: &[(u16, u16)]) -> BTreeMap<u32, NodePlace> {
    let places = ports
        .iter()
        .map(|(peer, api)| NodePlace::loopback(*api, *peer));
    validators.iter().copied().zip(places).collect()
}

fn usual_ports(validators: &[u32]) -> Option<Vec<(u16, u16)>> {
    let mut held = Vec::new();
    let mut ports = Vec::new();
    for organisation in validators {
        let pair = usual_pair(*organisation)?;
        held.push(TcpListener::bind(("127.0.0.1", pair.0)).ok()?);
        held.push(TcpListener::bind(("127.0.0.1", pair.1)).ok()?);
        ports.push(pair);
    }
    Some(ports)
}

/// The usual peer and API port of an organisation's node.
fn usual_pair(organisation: u32) -> Option<(u16, u16)> {
    let organisation = u16::try_from(organisation).ok()?;
    Some((18_000 + organisation, 17_000 + organisation))
}

fn stop(testnet: &mut Testnet) {
    for node in testnet.nodes() {
        if testnet.stop(node).is_err() {
            let _ = testnet.kill(node);
        }
    }
}

/// One line of the story.
fn line(step: &Step<'_>, now: u64) -> String {
    let day = time(LedgerTime(now));
    let day = day.get(..10).unwrap_or(&day);
    let sentence = t(&format!("story.{}", step.key), step.facts);
    let mark = if step.refused {
        format!("{}: ", t("demo.refused", &[]))
    } else {
        String::new()
    };
    format!(
        "{day}  {:>5}  {:<24} {mark}{sentence}",
        format!("#{}", step.height),
        step.rule
    )
}

/// Export, audit, and the audit of a copy in which one byte of a record is another. Returns the
/// export and the leaf that the audit named.
fn examine(
    network: &Network<'_>,
    dir: &Path,
    genesis: rollbook_proof::crypto::Hash,
) -> Result<(PathBuf, Option<u64>), Failure> {
    let export = dir.join("history.export");
    let written = |error: std::io::Error| {
        Failure::unusable(t("demo.dir", &[("dir", dir.display().to_string())])).because(error)
    };
    let node = *network.testnet.nodes().start();
    let answer = network
        .testnet
        .get_as_member(node, "/v1/export", std::time::Duration::from_secs(60))
        .map_err(written)?;
    std::fs::write(&export, &answer.body).map_err(written)?;
    let report = audit(&export, Some(genesis))?.report;
    if !report.is_sound() {
        let why = report
            .findings
            .first()
            .map(|finding| format!("{} {}", finding.code, finding.text))
            .unwrap_or_default();
        return Err(
            Failure::refused(t("demo.unsound", &[("file", export.display().to_string())]))
                .because(why),
        );
    }
    let facts = [
        ("file", export.display().to_string()),
        ("blocks", report.blocks.to_string()),
        ("records", report.records.to_string()),
        ("signatures", report.signatures.to_string()),
    ];
    say(t("demo.audited", &facts));

    // One bit of the newest record's payload.
    let mut bytes = answer.body;
    let Some(place) = network
        .newest
        .as_ref()
        .and_then(|record| find(&bytes, record))
    else {
        return Err(Failure::refused(t("demo.no-record", &[])));
    };
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    let copy = dir.join("damaged-copy.export");
    std::fs::write(&copy, &bytes).map_err(written)?;
    let report = audit(&copy, Some(genesis))?.report;
    let named = report
        .findings
        .iter()
        .find(|finding| finding.leaf.is_some());
    let Some(finding) = named else {
        return Err(Failure::refused(t("demo.not-noticed", &[])));
    };
    let facts = [
        ("file", copy.display().to_string()),
        ("offset", place.to_string()),
        ("code", finding.code.to_owned()),
        (
            "height",
            finding
                .height
                .map_or_else(String::new, |height| height.to_string()),
        ),
        (
            "leaf",
            finding
                .leaf
                .map_or_else(String::new, |leaf| leaf.to_string()),
        ),
        (
            "record",
            network
                .newest
                .as_ref()
                .map_or_else(String::new, |record| record.id().to_hex()),
        ),
    ];
    say(t("demo.damaged", &facts));
    Ok((export, finding.leaf))
}

/// Offset of a byte in the middle of a record's payload.
fn find(bytes: &[u8], record: &Record) -> Option<usize> {
    let wanted = encode(record);
    let start = bytes
        .windows(wanted.len())
        .rposition(|window| window == wanted)?;
    Some(start + encode(&record.payload).len() / 2)
}

struct Summary<'a> {
    dir: &'a Path,
    export: &'a Path,
    genesis: String,
    apis: &'a [String],
    ending: &'a Ending,
    keep: bool,
    seconds: f64,
}

fn summary(summary: &Summary<'_>) {
    let Summary {
        dir,
        export,
        genesis,
        apis,
        ending,
        keep,
        seconds,
    } = summary;
    print(t("audit.genesis", &[("hash", genesis.clone())]));
    print(t("demo.folder", &[("dir", dir.display().to_string())]));
    print(t("demo.export", &[("file", export.display().to_string())]));
    for api in *apis {
        print(t(
            if *keep {
                "demo.api"
            } else {
                "demo.api-stopped"
            },
            &[("url", api.clone())],
        ));
    }
    for (account, amount) in ending.accounts.iter().filter(|(_, amount)| *amount != 0) {
        print(format!(
            "  {:<20} {:>20}",
            account.to_string(),
            money(*amount, 2)
        ));
    }
    print(t(
        "demo.refusals",
        &[("count", ending.refusals.len().to_string())],
    ));
    say(t("demo.seconds", &[("seconds", format!("{seconds:.0}"))]));
    let facts = [
        ("file", export.display().to_string()),
        ("genesis", genesis.clone()),
        ("dir", dir.display().to_string()),
    ];
    say(t(
        if *keep {
            "demo.next-running"
        } else {
            "demo.next"
        },
        &facts,
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever runs the demo compares its genesis hash with the README's.
    #[test]
    fn kept_readme() {
        let validators = &VALIDATORS[..4];
        let ports: Vec<_> = validators.iter().filter_map(|v| usual_pair(*v)).collect();
        let alliance = sample::metaverse_at("demo", &places(validators, &ports))
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        let hash = alliance.file.genesis.hash().to_hex();
        let readme = include_str!("../../../README.md");
        let (_, told) = readme
            .split_once("4 nodes run; genesis ")
            .unwrap_or_else(|| panic!("the README's tour has lost its first line"));
        let readme = readme
            .replace(&told[..64], &hash)
            .replace(&told[..8], &hash[..8]);
        rollbook_tests::kept::hold("README.md", readme.as_bytes());
    }
}
