//! `rollbook testnet`: several nodes on this machine, as real processes of this same program.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use rollbook_core::log::Clock;
use rollbook_node::runtime::clock::Step;
use rollbook_node::runtime::testnet::{Plan, Testnet};

use super::node::print_status;
use crate::dates::instant_ms;
use crate::dates::length_ms;
use crate::failure::{Failure, UNREACHABLE};
use crate::messages::t;
use crate::output::{busy, print, print_json, say};

/// How this program runs a node.
pub const RUN: [&str; 2] = ["node", "run"];

/// How long an export may take to begin and between its parts.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the command.
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("up", matches)) => up(matches),
        Some(("status", matches)) => status(matches),
        Some(("start", matches)) => each(matches, Testnet::start),
        Some(("stop", matches)) => each(matches, Testnet::stop),
        Some(("kill", matches)) => each(matches, Testnet::kill),
        Some(("down", matches)) => testnet(matches)?.down().map(|()| 0).map_err(Failure::from),
        Some(("export", matches)) => export(matches),
        Some(("clock", matches)) => match matches.subcommand() {
            Some(("advance", matches)) => advance(matches),
            _ => Err(Failure::unusable("clock")),
        },
        _ => Err(Failure::unusable("testnet")),
    }
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::unusable("rollbook").because(error))
}

fn dir(matches: &ArgMatches) -> Result<PathBuf, Failure> {
    let dir = matches
        .get_one::<PathBuf>("dir")
        .cloned()
        .unwrap_or_else(|| "testnet".into());
    std::path::absolute(&dir)
        .map_err(|error| Failure::unusable(dir.display().to_string()).because(error))
}

fn testnet(matches: &ArgMatches) -> Result<Testnet, Failure> {
    Testnet::open(&dir(matches)?, &program()?, &RUN).map_err(Failure::from)
}

fn up(matches: &ArgMatches) -> Result<u8, Failure> {
    let dir = dir(matches)?;
    let program = program()?;
    let mut testnet = if dir.join("testnet.toml").exists() {
        Testnet::open(&dir, &program, &RUN)?
    } else {
        let nodes = matches.get_one::<u32>("nodes").copied().unwrap_or(4);
        let members = matches.get_one::<u32>("members").copied().unwrap_or(nodes);
        let wall = matches
            .get_one::<String>("clock")
            .is_some_and(|clock| clock == "wall");
        let seed = matches
            .get_one::<String>("seed")
            .map_or("rollbook", String::as_str);
        let clock = if wall { Clock::Wall } else { Clock::Sample };
        let plan = Plan::new(seed, members, nodes, clock)?;
        Testnet::create(&dir, plan, &program, &RUN)?
    };
    let busy = busy("busy.testnet");
    testnet.start_all()?;
    testnet.founded()?;
    drop(busy);
    for node in testnet.nodes() {
        print(t(
            "testnet.node",
            &[
                ("node", node.to_string()),
                ("url", format!("http://{}", testnet.api(node))),
            ],
        ));
    }
    say(t("testnet.up-next", &[("dir", dir.display().to_string())]));
    Ok(0)
}

fn status(matches: &ArgMatches) -> Result<u8, Failure> {
    let testnet = testnet(matches)?;
    let all: Vec<_> = testnet
        .nodes()
        .map(|node| (node, testnet.status(node)))
        .collect();
    if matches.get_flag("json") {
        print_json(&all);
    } else {
        for (node, status) in &all {
            match status {
                Some(status) => print_status(status),
                None => print(t("testnet.silent", &[("node", node.to_string())])),
            }
        }
    }
    Ok(if all.iter().any(|(_, status)| status.is_none()) {
        UNREACHABLE
    } else {
        0
    })
}

fn each(
    matches: &ArgMatches,
    act: fn(&mut Testnet, u32) -> Result<(), rollbook_node::runtime::Failure>,
) -> Result<u8, Failure> {
    let mut testnet = testnet(matches)?;
    let named: Vec<u32> = matches
        .get_many::<u32>("nodes")
        .into_iter()
        .flatten()
        .copied()
        .collect();
    if let Some(node) = named.iter().find(|node| !testnet.nodes().contains(node)) {
        let last = testnet.nodes().end().to_string();
        let failure = Failure::unusable(t("testnet.no-node", &[("node", node.to_string())]));
        return Err(failure.next(t("testnet.no-node-next", &[("last", last)])));
    }
    let nodes: Vec<u32> = if named.is_empty() {
        testnet.nodes().collect()
    } else {
        named
    };
    for node in nodes {
        act(&mut testnet, node)?;
    }
    Ok(0)
}

/// The history from the first node that answers, read with the sample's own keys.
fn export(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("out") else {
        return Err(Failure::unusable("FILE"));
    };
    let testnet = testnet(matches)?;
    super::export::save(path, |file| {
        let mut told = Vec::new();
        for node in testnet.nodes() {
            match testnet.get_as_member(node, "/v1/export", PATIENCE) {
                Ok(answer) if answer.status == 200 => {
                    let written = |error: std::io::Error| crate::files::cannot_write(path, &error);
                    return file
                        .write_all(&answer.body)
                        .map(|()| answer.body.len() as u64)
                        .map_err(written);
                }
                Ok(answer) => told.push(format!(
                    "{node}: {}",
                    answer.json()["detail"].as_str().unwrap_or_default()
                )),
                Err(error) => told.push(format!("{node}: {error}")),
            }
        }
        let next = t(
            "testnet.export-next",
            &[("dir", testnet.dir.display().to_string())],
        );
        Err(Failure::unreachable(t("client.unreachable", &[]))
            .because(told.join("; "))
            .next(next))
    })
}

fn advance(matches: &ArgMatches) -> Result<u8, Failure> {
    let bad = |text: &str| {
        Failure::unusable(t("testnet.bad-step", &[("text", text.to_owned())]))
            .next(t("testnet.bad-step-next", &[]))
    };
    let step = match (
        matches.get_one::<String>("by"),
        matches.get_one::<u64>("to-ms"),
    ) {
        (Some(text), None) => Step::ByMs(length_ms(text).ok_or_else(|| bad(text))?),
        (None, Some(to)) => Step::ToMs(*to),
        _ => return Err(bad("")),
    };
    let now = testnet(matches)?.advance(step)?;
    print(t("testnet.now", &[("time", instant_ms(now))]));
    Ok(0)
}
