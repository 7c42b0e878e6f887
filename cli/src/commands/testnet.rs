//! `rollbook testnet`: several nodes on this machine, as real processes of this same program.

mod rehearsal;

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use rollbook_core::genesis::file::GenesisFile;
use rollbook_node::clock::Step;
use rollbook_proof::log;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_wire::problem::Problem;
use rollbook_words::catalogue::t;
use rollbook_words::dates::{length_ms, time};
use serde_json::json;

use super::node::print_status;
use crate::failure::{Failure, UNREACHABLE};
use crate::flags::Global;
use crate::output::{self, Form, busy, print, print_json, result, say};

/// How this program runs a node.
pub const RUN: [&str; 2] = ["node", "run"];

/// How long an export may take to begin and between its parts.
const PATIENCE: Duration = Duration::from_secs(120);

/// `testnet`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes and starts it.
    Up(Up),
    /// Asks every node.
    Status(Dir),
    /// Starts nodes.
    Start(Nodes),
    /// Stops nodes.
    Stop(Nodes),
    /// Kills nodes.
    Kill(Nodes),
    /// Stops it and deletes its folder.
    Down(Dir),
    /// Its history in one file.
    Export(Export),
    /// Its clock.
    #[command(subcommand)]
    Clock(Clock),
}

/// `testnet clock`.
#[derive(Debug, Subcommand)]
pub enum Clock {
    /// Steps it.
    Advance(Advance),
}

/// Which testnet.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Dir {
    /// Its folder.
    #[arg(long, value_name = "DIR", default_value = "testnet")]
    dir: PathBuf,
}

/// `testnet up`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Up {
    #[arg(long, value_name = "N")]
    nodes: Option<u32>,
    #[arg(long, value_name = "N")]
    members: Option<u32>,
    #[arg(
        long,
        value_name = None::<&'static str>,
        value_parser = ["sample", "wall"]
    )]
    clock: Option<String>,
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// The secretary's files to rehearse.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["nodes", "members", "clock"])]
    alliance: Option<PathBuf>,
    #[command(flatten)]
    dir: Dir,
}

/// Some nodes of a testnet; all if none is named.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Nodes {
    #[arg(value_name = "NODE", num_args = 1)]
    nodes: Vec<u32>,
    #[command(flatten)]
    dir: Dir,
}

/// `testnet export`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Export {
    #[arg(value_name = "FILE")]
    out: PathBuf,
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dir: Dir,
}

/// `testnet clock advance`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Advance {
    #[arg(value_name = "LENGTH")]
    by: Option<String>,
    #[arg(id = "to-ms", long = "to-ms", value_name = "MS", conflicts_with = "by")]
    to_ms: Option<u64>,
    #[command(flatten)]
    dir: Dir,
}

/// Runs the command.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Up(flags) => up(flags, global.json),
        Command::Status(dir) => status(dir, global.json),
        Command::Start(flags) => each(flags, "started", Testnet::start),
        Command::Stop(flags) => each(flags, "stopped", Testnet::stop),
        Command::Kill(flags) => each(flags, "killed", Testnet::kill),
        Command::Down(dir) => {
            let path = dir.path()?;
            dir.open()?.down()?;
            for_programs(json!({ "dir": path, "down": true }));
            Ok(0)
        }
        Command::Export(flags) => export(flags),
        Command::Clock(Clock::Advance(flags)) => advance(flags),
    }
}

impl Up {
    /// Refuses to start a testnet that is not the one asked for: what is not given is taken as it is.
    fn fits(&self, plan: &Plan, dir: &Path) -> Result<(), Failure> {
        let fits = self.nodes.is_none_or(|nodes| nodes == plan.nodes)
            && self.members.is_none_or(|members| members == plan.members)
            && self.clock.as_ref().is_none_or(|clock| *clock == plan.clock)
            && self.seed.as_ref().is_none_or(|seed| *seed == plan.seed);
        if fits {
            return Ok(());
        }
        let facts = [
            ("dir", dir.display().to_string()),
            ("nodes", plan.nodes.to_string()),
            ("members", plan.members.to_string()),
            ("clock", plan.clock.clone()),
            ("seed", plan.seed.clone()),
        ];
        Err(Failure::unusable(t("testnet.is-there", &facts))
            .because(t("testnet.is-other-why", &facts))
            .next(t("testnet.is-other-next", &facts)))
    }
}

impl Dir {
    fn path(&self) -> Result<PathBuf, Failure> {
        std::path::absolute(&self.dir)
            .map_err(|error| Failure::unusable(self.dir.display().to_string()).because(error))
    }

    fn open(&self) -> Result<Testnet, Failure> {
        Testnet::open(&self.path()?, &program()?, &RUN).map_err(Failure::from)
    }
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::unusable("rollbook").because(error))
}

fn up(flags: &Up, json: bool) -> Result<u8, Failure> {
    let dir = flags.dir.path()?;
    let program = program()?;
    let mut testnet = if dir.join("testnet.toml").exists() {
        if flags.alliance.is_some() {
            let facts = [("dir", dir.display().to_string())];
            return Err(Failure::unusable(t("testnet.is-there", &facts))
                .next(t("testnet.is-there-next", &facts)));
        }
        let testnet = Testnet::open(&dir, &program, &RUN)?;
        flags.fits(&testnet.plan, &dir)?;
        testnet
    } else if let Some(folder) = &flags.alliance {
        rehearsal::make(folder, &dir, flags.seed.as_deref(), &program)?
    } else {
        let nodes = flags.nodes.unwrap_or(4);
        let members = flags.members.unwrap_or(nodes);
        let seed = flags.seed.as_deref().unwrap_or("rollbook");
        let clock = match flags.clock.as_deref() {
            Some("wall") => log::Clock::Wall,
            _ => log::Clock::Sample,
        };
        let plan = Plan::new(seed, members, nodes, clock)?;
        Testnet::create(&dir, plan, &program, &RUN)?
    };
    let busy = busy("busy.testnet");
    testnet.start_all()?;
    testnet.founded()?;
    drop(busy);
    let nodes: Vec<(u32, String)> = testnet
        .nodes()
        .map(|node| (node, format!("http://{}", testnet.api(node))))
        .collect();
    if json {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(node, url)| json!({ "node": node, "url": url }))
            .collect();
        print_json(&json!({ "dir": dir, "items": nodes }));
    } else {
        for (node, url) in nodes {
            let facts = [("node", node.to_string()), ("url", url)];
            print(t("testnet.node", &facts));
        }
    }
    if flags.alliance.is_some() {
        rehearsal::tell(&testnet)?;
    }
    say(t("testnet.up-next", &[("dir", dir.display().to_string())]));
    Ok(0)
}

fn status(dir: &Dir, json: bool) -> Result<u8, Failure> {
    let testnet = dir.open()?;
    let all: Vec<_> = testnet
        .nodes()
        .map(|node| (node, testnet.status(node)))
        .collect();
    if json {
        print_json(&all);
    } else {
        if all
            .iter()
            .flat_map(|(_, status)| status)
            .any(|status| status.sample)
        {
            say(t("audit.sample", &[]));
        }
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

/// What is no news for people: they typed it.
fn for_programs(done: serde_json::Value) {
    if output::form() != Form::People {
        print_json(&done);
    }
}

fn each(
    flags: &Nodes,
    done: &str,
    act: fn(&mut Testnet, u32) -> Result<(), rollbook_node::failure::Failure>,
) -> Result<u8, Failure> {
    let mut testnet = flags.dir.open()?;
    let named = &flags.nodes;
    if let Some(node) = named.iter().find(|node| !testnet.nodes().contains(node)) {
        let last = testnet.nodes().end().to_string();
        let failure = Failure::unusable(t("testnet.no-node", &[("node", node.to_string())]));
        return Err(failure.next(t("testnet.no-node-next", &[("last", last)])));
    }
    let nodes: Vec<u32> = if named.is_empty() {
        testnet.nodes().collect()
    } else {
        named.clone()
    };
    for node in &nodes {
        act(&mut testnet, *node)?;
    }
    for_programs(json!({ done: nodes }));
    Ok(0)
}

/// The history from the first node that answers, read with the sample's own keys.
fn export(flags: &Export) -> Result<u8, Failure> {
    let path = &flags.out;
    let testnet = flags.dir.open()?;
    let genesis = std::fs::read(testnet.dir.join("genesis.rollbook")).ok();
    let genesis = genesis
        .and_then(|bytes| GenesisFile::decode(&bytes).ok())
        .map(|file| file.genesis.hash());
    super::export::save((path, flags.force), genesis, |file| {
        let mut told = Vec::new();
        // A node that has just come back may lack the newest blocks: the one that has most is asked first.
        let mut nodes: Vec<u32> = testnet.nodes().collect();
        nodes.sort_by_cached_key(|node| Reverse(testnet.status(*node).map(|told| told.receipted)));
        for node in nodes {
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
                    answer
                        .read()
                        .map_or_else(|_| String::new(), |problem: Problem| problem.detail)
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

fn advance(flags: &Advance) -> Result<u8, Failure> {
    let bad = |text: &str| {
        Failure::unusable(t("testnet.bad-step", &[("text", text.to_owned())]))
            .next(t("testnet.bad-step-next", &[]))
    };
    let step = match (&flags.by, flags.to_ms) {
        (Some(text), None) => Step::ByMs(length_ms(text).ok_or_else(|| bad(text))?),
        (None, Some(to)) => Step::ToMs(to),
        _ => return Err(bad("")),
    };
    let testnet = flags.dir.open()?;
    let now_ms = testnet.advance(step)?;
    if !testnet.follows(now_ms) {
        say(t("testnet.no-block", &[]));
    }
    let now = time(LedgerTime(now_ms));
    result(
        t("testnet.now", &[("time", now.clone())]),
        json!({ "now": now }),
    );
    Ok(0)
}
