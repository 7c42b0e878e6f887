//! Several nodes on one machine: keys, genesis, configs and free ports made for you; real
//! processes, a pid file and a log each.
//!
//! Layout: `testnet.toml`, `genesis.rollbook`, and `node-N/` with `node.toml`, `keys/`, `data/`,
//! `node.log`, `node.pid`. The command and the suites use this same code.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rollbook_core::genesis::file::GenesisFile;
use rollbook_core::id::PersonId;
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::pass::Pass;
use rollbook_node::api::reader::header_of;
use rollbook_node::clock::{NodeClock, Step, real_ms};
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets};
use rollbook_node::failure::Failure;
use rollbook_node::files;
use rollbook_node::files::Access;
use rollbook_node::runtime::admin;
use rollbook_node::runtime::storage::FRESH;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_wire::admin::{ClockTime, Stopping};
use rollbook_wire::status::Status;
use serde::{Deserialize, Serialize};

use crate::alliance::{NodePlace, OPENED_MS, Sample};
use crate::http;
use crate::keys::{node_key, officer_key};

/// Most nodes of a testnet.
pub const NODES_MAX: u32 = 13;
/// How long a node may take to answer after its start, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the block may take that follows a step of the clock.
const FOLLOWS: Duration = Duration::from_secs(15);

/// What a testnet is made of; kept in `testnet.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Seed of every key.
    pub seed: String,
    /// Founding members.
    pub members: u32,
    /// Nodes, of members 1 to this.
    pub nodes: u32,
    /// How many of them, the first, hold a seat from genesis on; all if this is absent. The others
    /// have to register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validators: Option<u32>,
    /// Least blocks between two handovers, if not the charter preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover_blocks: Option<u64>,
    /// `wall` or `sample`.
    pub clock: String,
    /// Opening time.
    pub opened_ms: u64,
    /// The rule version it begins with.
    #[serde(default = "newest")]
    pub protocol: u32,
    /// The member's officer that reads for the testnet's own commands; person 1 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<u32>,
    /// Peer and API ports by node.
    pub ports: Vec<(u16, u16)>,
}

fn newest() -> u32 {
    PROTOCOL.0
}

impl Plan {
    /// A plan with free ports.
    pub fn new(seed: &str, members: u32, nodes: u32, clock: Clock) -> Result<Plan, Failure> {
        if nodes == 0 || nodes > NODES_MAX || members < nodes {
            let why = format!(
                "{nodes} nodes of {members} members were asked for, 1 to {NODES_MAX} are \
                 possible, one per member"
            );
            return Err(Failure::new("no testnet was made", why, "give --nodes 4"));
        }
        let ports = free_ports(2 * nodes as usize).map_err(|error| {
            Failure::new(
                "no free ports were found",
                error,
                "close programs that listen, then try again",
            )
        })?;
        let (clock, opened_ms) = match clock {
            // A minute ago, so that a node whose clock is a little behind still finds the genesis
            // in the past.
            Clock::Wall => ("wall", real_ms().saturating_sub(60_000)),
            Clock::Sample => ("sample", OPENED_MS),
        };
        let ports = ports
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        let (validators, handover_blocks) = (None, None);
        let (clock, protocol) = (clock.into(), PROTOCOL);
        Ok(Plan {
            seed: seed.into(),
            members,
            nodes,
            validators,
            handover_blocks,
            clock,
            opened_ms,
            protocol: protocol.0,
            reader: None,
            ports,
        })
    }

    /// Where a node's peers and clients find it.
    pub fn place(&self, node: u32) -> NodePlace {
        let (peer, api) = self
            .ports
            .get(node.saturating_sub(1) as usize)
            .copied()
            .unwrap_or_default();
        NodePlace::loopback(api, peer)
    }

    fn clock(&self) -> Clock {
        if self.clock == "sample" {
            Clock::Sample
        } else {
            Clock::Wall
        }
    }

    /// The alliance of the plan.
    pub fn alliance(&self) -> Sample {
        let validators = self.validators.unwrap_or(self.nodes).min(self.nodes);
        let mut sample = Sample {
            opened_ms: self.opened_ms,
            protocol: self.protocol,
            places: (1..=validators).map(|node| self.place(node)).collect(),
            ..Sample::new(self.seed.as_bytes(), self.members, self.clock())
        };
        if let Some(blocks) = self.handover_blocks {
            sample.charter.chain.handover_blocks = blocks;
        }
        sample
    }
}

/// Ports that are free now: each is held until all are found.
fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    let listeners = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<Result<Vec<_>, _>>()?;
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect()
}

/// A testnet on disk.
#[derive(Debug)]
pub struct Testnet {
    /// Its folder.
    pub dir: PathBuf,
    /// Its plan.
    pub plan: Plan,
    /// Program that runs a node, given a config.
    program: PathBuf,
    /// Arguments before the config.
    arguments: Vec<String>,
    /// Variables of a node's environment, from its next start on; for suites.
    pub environment: BTreeMap<u32, Vec<(String, String)>>,
    /// Nodes that run another program, such as an older release, from their next start on; for
    /// suites.
    pub programs: BTreeMap<u32, PathBuf>,
    children: BTreeMap<u32, Child>,
}

impl Testnet {
    /// Makes the folder with everything in it. `program arguments CONFIG` runs a node.
    pub fn create(
        dir: &Path,
        plan: Plan,
        program: &Path,
        arguments: &[&str],
    ) -> Result<Testnet, Failure> {
        let alliance = plan.alliance();
        let file = alliance.founded()?;
        let mut keys = Vec::new();
        for node in 1..=plan.nodes {
            keys.push((
                node,
                NodeSecrets::make(|kind| Ok::<_, Failure>(node_key(&alliance.seed, node, kind)))?,
            ));
        }
        Testnet::create_for(dir, plan, &file, &keys, program, arguments)
    }

    /// The same for an alliance made elsewhere: its genesis file, and in the order of the plan's
    /// ports the organisations that run the nodes, with their keys. Members and seed of the plan
    /// are then only words.
    pub fn create_for(
        dir: &Path,
        plan: Plan,
        file: &GenesisFile,
        nodes: &[(u32, NodeSecrets)],
        program: &Path,
        arguments: &[&str],
    ) -> Result<Testnet, Failure> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |error: std::io::Error| {
                Failure::file(
                    "the testnet was not made:",
                    &path,
                    error,
                    "check space and permissions",
                )
            }
        };
        if dir.join("testnet.toml").exists() {
            return Err(Failure::file(
                "no testnet was made:",
                dir,
                "there is one already",
                "use 'testnet start', or 'testnet down' first",
            ));
        }
        let next = "choose a folder that can be written, with --dir";
        std::fs::create_dir_all(dir)
            .map_err(|error| Failure::file("the testnet was not made:", dir, error, next))?;
        let genesis = dir.join("genesis.rollbook");
        files::replace(&genesis, &file.encode(), Access::Everybody)
            .map_err(|error| failed(&genesis)(error.into()))?;
        let distance = i64::try_from(plan.opened_ms).unwrap_or(i64::MAX)
            - i64::try_from(real_ms()).unwrap_or(0);
        for ((node, (peer, api)), (organisation, secrets)) in (1..).zip(&plan.ports).zip(nodes) {
            let folder = dir.join(format!("node-{node}"));
            let data = folder.join("data");
            files::make_private(&data).map_err(failed(&data))?;
            secrets.write(&folder.join("keys"))?;
            if plan.clock() == Clock::Sample {
                NodeClock::prepare(&data, distance).map_err(failed(&data))?;
            }
            files::replace(&data.join(FRESH), b"", Access::Everybody)
                .map_err(|error| failed(&data)(error.into()))?;
            let config = Config {
                organisation: OrganisationId(*organisation),
                genesis: "../genesis.rollbook".into(),
                genesis_hash: Some(file.genesis.hash().to_hex()),
                data: "data".into(),
                keys: "keys".into(),
                listen: SocketAddr::from(([127, 0, 0, 1], *peer)),
                api: SocketAddr::from(([127, 0, 0, 1], *api)),
                tls: None,
                insecure_listen: false,
                public_reading: true,
                proxies: Vec::new(),
                bootstrap: Vec::new(),
                log: "info".into(),
                log_format: Default::default(),
                propose_ms: 1_000,
            };
            let path = folder.join(CONFIG_NAME);
            files::replace(&path, config.render().as_bytes(), Access::Everybody)
                .map_err(|error| failed(&path)(error.into()))?;
        }
        let path = dir.join("testnet.toml");
        let text = toml::to_string_pretty(&plan).unwrap_or_default();
        files::replace(&path, text.as_bytes(), Access::Everybody)
            .map_err(|error| failed(&path)(error.into()))?;
        Testnet::open(dir, program, arguments)
    }

    /// An existing testnet.
    pub fn open(dir: &Path, program: &Path, arguments: &[&str]) -> Result<Testnet, Failure> {
        let path = dir.join("testnet.toml");
        let next = "make one with 'rollbook testnet up'";
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::file("there is no testnet:", &path, error, next))?;
        let plan: Plan = toml::from_str(&text)
            .map_err(|error| Failure::file("the testnet's plan is damaged:", &path, error, next))?;
        Ok(Testnet {
            dir: dir.to_path_buf(),
            plan,
            program: program.to_path_buf(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            environment: BTreeMap::new(),
            programs: BTreeMap::new(),
            children: BTreeMap::new(),
        })
    }

    /// Node numbers.
    pub fn nodes(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.plan.nodes
    }

    /// A node's folder.
    pub fn folder(&self, node: u32) -> PathBuf {
        self.dir.join(format!("node-{node}"))
    }

    /// A node's config file.
    pub fn config_path(&self, node: u32) -> PathBuf {
        self.folder(node).join(CONFIG_NAME)
    }

    /// A node's config.
    pub fn config(&self, node: u32) -> Result<Config, Failure> {
        Config::read(&self.config_path(node), true)
    }

    /// A node's HTTP address.
    pub fn api(&self, node: u32) -> SocketAddr {
        let port = self
            .plan
            .ports
            .get(node.saturating_sub(1) as usize)
            .map_or(0, |(_, api)| *api);
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// A node's log.
    pub fn log(&self, node: u32) -> String {
        std::fs::read_to_string(self.folder(node).join("node.log")).unwrap_or_default()
    }

    fn pid_file(&self, node: u32) -> PathBuf {
        self.folder(node).join("node.pid")
    }

    /// The process of a node, if it lives.
    pub fn pid(&self, node: u32) -> Option<u32> {
        let pid: u32 = std::fs::read_to_string(self.pid_file(node))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        // A pid may have been given to another program since: look whether it is one of ours, and
        // not a dead one.
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line)
            .contains(CONFIG_NAME)
            .then_some(pid)
    }

    /// Starts the process of a node without waiting for it.
    pub fn launch(&mut self, node: u32) -> Result<(), Failure> {
        // A process has no name yet in the moment it begins: the own child is asked first.
        let lives = self
            .children
            .get_mut(&node)
            .is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_none()));
        if lives || self.pid(node).is_some() {
            return Ok(());
        }
        let folder = self.folder(node);
        let log = folder.join("node.log");
        let failed = |error: std::io::Error| {
            Failure::file(
                "the node was not started:",
                &folder,
                error,
                "check the testnet's folder",
            )
        };
        let out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(failed)?;
        let err = out.try_clone().map_err(failed)?;
        let program = self.programs.get(&node).unwrap_or(&self.program);
        let mut command = Command::new(program);
        command
            .args(&self.arguments)
            .arg(self.config_path(node))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        command.envs(
            self.environment
                .get(&node)
                .into_iter()
                .flatten()
                .map(|(name, value)| (name, value)),
        );
        let child = command.spawn().map_err(|error| {
            Failure::file(
                "the node was not started:",
                program,
                error,
                "build it first: cargo build --release -p rollbook-node",
            )
        })?;
        std::fs::write(self.pid_file(node), format!("{}\n", child.id())).map_err(failed)?;
        self.children.insert(node, child);
        Ok(())
    }

    /// Starts a node and waits until it answers.
    pub fn start(&mut self, node: u32) -> Result<(), Failure> {
        self.launch(node)?;
        self.ready(node)
    }

    /// Starts all nodes and waits until they answer.
    pub fn start_all(&mut self) -> Result<(), Failure> {
        for node in self.nodes() {
            self.launch(node)?;
        }
        self.nodes().try_for_each(|node| self.ready(node))
    }

    /// Waits until every founder's record is in the log on all nodes that run: before that nothing
    /// else is accepted (A2).
    pub fn founded(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        let founded = |node| {
            self.status(node)
                .is_none_or(|status| status.founders_missing == 0)
        };
        while !self.nodes().all(founded) {
            if begun.elapsed() > PATIENCE {
                let why = "the founders' records are not in the log after a minute";
                return Err(Failure::new(
                    "the alliance is not founded",
                    why,
                    "rollbook testnet status; too few nodes may run",
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn ready(&mut self, node: u32) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if http::get(self.api(node), "/v1/health", Duration::from_secs(2))
                .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            let ended = self
                .children
                .get_mut(&node)
                .is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()));
            if ended {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = self.log(node);
        let tail: Vec<&str> = log.lines().rev().take(8).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        let next = format!("read {}", self.folder(node).join("node.log").display());
        Err(Failure::new(
            format!("node {node} does not answer"),
            tail.join("\n"),
            next,
        ))
    }

    fn gone(&mut self, node: u32) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            if let Some(child) = self.children.get_mut(&node)
                && child.try_wait().is_ok_and(|status| status.is_some())
            {
                self.children.remove(&node);
            }
            // A process loses its name before its locks: a child is gone once it is reaped.
            if !self.children.contains_key(&node) && self.pid(node).is_none() {
                let _ = std::fs::remove_file(self.pid_file(node));
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let next = format!("rollbook testnet kill {node}");
                return Err(Failure::new(
                    format!("node {node} does not stop"),
                    "its process still runs",
                    next,
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops a node in order.
    pub fn stop(&mut self, node: u32) -> Result<(), Failure> {
        if self.pid(node).is_none() {
            return Ok(());
        }
        admin::ask::<Stopping>(
            &self.config(node)?.admin_socket(),
            &admin::Request::Stop,
            Duration::from_secs(5),
        )?;
        self.gone(node)
    }

    /// Kills a node as a power cut would its process: SIGKILL.
    pub fn kill(&mut self, node: u32) -> Result<(), Failure> {
        let Some(pid) = self.pid(node) else {
            return Ok(());
        };
        let done = match self.children.get_mut(&node) {
            Some(child) => child.kill(),
            None => Command::new("kill")
                .arg("-KILL")
                .arg(pid.to_string())
                .status()
                .map(|_| ()),
        };
        done.map_err(|error| {
            Failure::new(
                format!("node {node} was not killed"),
                error,
                format!("kill process {pid} yourself"),
            )
        })?;
        self.gone(node)
    }

    /// A node's status, if it answers.
    pub fn status(&self, node: u32) -> Option<Status> {
        let answer = http::get(self.api(node), "/v1/status", Duration::from_secs(5)).ok()?;
        answer.read().ok().filter(|_| answer.status == 200)
    }

    /// The header with which an officer of a member reads what is for members at a node
    /// (RULINGS A15). For testnets whose officers' keys come from the plan's seed.
    pub fn pass(&self, node: u32) -> Result<String, Failure> {
        let config = self.config(node)?;
        let chain = config
            .genesis_hash
            .as_deref()
            .and_then(Hash::from_hex)
            .unwrap_or(Hash::ZERO);
        let person = self.plan.reader.unwrap_or(1);
        let pass = Pass {
            chain,
            node: config.organisation,
            person: PersonId(person),
            key: 0,
            until_ms: LedgerTime(real_ms().saturating_add(3_600_000)),
        };
        Ok(header_of(
            &pass.sign(&officer_key(self.plan.seed.as_bytes(), person)),
        ))
    }

    /// GET with that header.
    pub fn get_as_member(
        &self,
        node: u32,
        path: &str,
        timeout: Duration,
    ) -> std::io::Result<http::Answer> {
        let pass = self
            .pass(node)
            .map_err(|failure| std::io::Error::other(failure.to_string()))?;
        http::get_with(self.api(node), path, &[("Authorization", &pass)], timeout)
    }

    /// Steps the clock of every node that runs. A node that is down gets the step in its file.
    pub fn advance(&self, step: Step) -> Result<u64, Failure> {
        if self.plan.clock() == Clock::Wall {
            return Err(Failure::new(
                "no clock was stepped",
                "this testnet runs on real time",
                "make one with --clock sample",
            ));
        }
        // One length for all, so that clocks that agree go on agreeing.
        let by = match step {
            Step::ByMs(by) => by,
            Step::ToMs(to) => {
                let newest = self
                    .nodes()
                    .filter_map(|node| Some(self.status(node)?.now_ms))
                    .max();
                let now = newest.ok_or_else(|| {
                    Failure::new(
                        "no clock was stepped",
                        "no node answers",
                        "start the testnet",
                    )
                })?;
                to.checked_sub(now).ok_or_else(|| {
                    Failure::new(
                        "no clock was stepped",
                        format!("{to} is before {now}"),
                        "name a later instant: clocks only go forward",
                    )
                })?
            }
        };
        let mut now = 0;
        for node in self.nodes() {
            let config = self.config(node)?;
            if self.pid(node).is_some() {
                let request = admin::Request::Clock(Step::ByMs(by));
                let answer: ClockTime =
                    admin::ask(&config.admin_socket(), &request, Duration::from_secs(10))?;
                now = answer.now_ms.max(now);
            } else {
                let clock =
                    NodeClock::open(Clock::Sample, &config.data, LedgerTime(self.plan.opened_ms))?;
                now = clock.step(Step::ByMs(by))?.max(now);
            }
        }
        Ok(now)
    }

    /// Waits until the receipted ledger of every node that runs is less than a heartbeat behind
    /// this instant: a block follows a step of the clock, and until it is there a reader is told
    /// that what it sees is old. `false` if that block does not come, as with too few nodes.
    pub fn follows(&self, now_ms: u64) -> bool {
        let heartbeat_ms = rollbook_node::replica::ReplicaConfig::default().heartbeat_ms;
        let is_there = |status: &Status| {
            status.time_ms.0.saturating_add(heartbeat_ms) > now_ms
                && status.receipted == status.height
        };
        let begun = Instant::now();
        loop {
            let running: Vec<Status> = self.nodes().filter_map(|node| self.status(node)).collect();
            if !running.is_empty() && running.iter().all(is_there) {
                return true;
            }
            if begun.elapsed() > FOLLOWS {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops everything and deletes the folder.
    pub fn down(mut self) -> Result<(), Failure> {
        for node in self.nodes() {
            if self.stop(node).is_err() {
                self.kill(node)?;
            }
        }
        std::fs::remove_dir_all(&self.dir).map_err(|error| {
            Failure::file(
                "the folder was not deleted:",
                &self.dir,
                error,
                "delete it yourself",
            )
        })
    }

    /// Waits until all `nodes` stand at one block of at least `height` with one state root, all of
    /// it receipted. Returns height and state root; else what each said last.
    pub fn agree(
        &self,
        nodes: &[u32],
        height: u64,
        patience: Duration,
    ) -> Result<(Height, String), Failure> {
        let begun = Instant::now();
        loop {
            let all: Vec<Status> = nodes.iter().filter_map(|node| self.status(*node)).collect();
            let places: BTreeSet<(Height, String)> = all
                .iter()
                .map(|s| (s.height, s.state_root.clone()))
                .collect();
            let settled = all
                .iter()
                .all(|s| s.receipted == s.height && s.stored == s.height);
            if all.len() == nodes.len()
                && places.len() == 1
                && settled
                && let Some(place) = places.first().filter(|(at, _)| *at >= Height(height))
            {
                return Ok(place.clone());
            }
            if begun.elapsed() > patience {
                let told: Vec<String> = nodes
                    .iter()
                    .zip(nodes.iter().map(|node| self.status(*node)))
                    .map(|(node, s)| match s {
                        None => format!("node {node} does not answer"),
                        Some(s) => format!(
                            "node {node}: height {} receipted {} stored {} {} round {} votes {} \
                             root {}",
                            s.height,
                            s.receipted,
                            s.stored,
                            s.phase.word(),
                            s.round
                                .map_or_else(|| "null".to_owned(), |round| round.to_string()),
                            s.votes,
                            s.state_root
                        ),
                    })
                    .collect();
                let next = format!("read the logs in {}", self.dir.display());
                return Err(Failure::new(
                    format!("the nodes do not agree at {height} or above"),
                    told.join("\n"),
                    next,
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Testnet {
    /// Only reaps: processes that were started from a command line go on.
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            let _ = child.try_wait();
        }
    }
}
