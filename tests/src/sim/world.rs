//! The event loop, the faults and the oracles.
//!
//! Oracles, checked at every effect: two nodes never decide different blocks at one height; no
//! honest key ever emits two conflicting signatures; what a node told to be decided is there after
//! every restart; no block is ahead of every honest clock; everybody's turn comes within n rounds, and
//! at most f stand behind; every receipt verifies; no honest node answers anything untrue; what others
//! can fill stays within its bounds; nobody honest is accused; after the faults end every record handed
//! in is decided and receipted everywhere, within the run. Stops are only allowed where a machine died
//! or its disk failed.

mod decided;
mod faults;
mod network;
mod oracles;
mod packet;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rollbook_node::disk::SimDisk;
use rollbook_node::replica::message::{Envelope, Frame};
use rollbook_node::replica::{
    Effect, Input, JournalStorage, Replica, ReplicaConfig, Status, Storage, Validator,
};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256, sha256_parts};
use rollbook_proof::number::Height;

use self::packet::{Packet, brief};
use super::chain::ChainApp;
use super::ledger::SimLedger;
use super::memo::SimVerify;
use super::plan::Plan;
use super::random::Random;

type Node<L> = Replica<L, JournalStorage, SimVerify>;

/// How much later a late proposal comes: later than anybody waits for it in the first rounds.
const LATE_MS: u64 = 3_000;
/// The shell gives a request so long.
const REQUEST_MS: u64 = 2_000;

/// What a run showed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Highest decided height.
    pub height: u64,
    /// Hash over every event.
    pub trace: Hash,
    /// The same hash after each event, if asked for.
    pub steps: Vec<Hash>,
    /// Marks: how often the run reached what it is meant to reach.
    pub marks: BTreeMap<&'static str, u64>,
    /// Highest round a block was decided in.
    pub round: u32,
    /// Times of the decided blocks.
    pub times: Vec<u64>,
    /// In which round each was decided, whose proposal it was, and when (milliseconds of the run).
    pub turns: Vec<(u32, u32, u64)>,
}

/// Why a run failed, beginning with its seed.
pub type Failure = String;

enum Event {
    Deliver {
        to: usize,
        life: u64,
        packet: Packet,
    },
    Wake {
        to: usize,
        life: u64,
    },
    RequestTimeout {
        from: usize,
        life: u64,
        id: u64,
    },
    Restart {
        node: usize,
    },
    Leave {
        node: usize,
    },
    Submit,
    /// A machine loses its disk.
    Lose {
        node: usize,
    },
    /// More machines lose their disks than the chain bears.
    Disaster {
        lost: Vec<usize>,
    },
    /// The operators of all nodes do what `node recover` is for.
    Recover,
    /// A clock is set.
    SetClock {
        node: usize,
        offset_ms: i64,
    },
    Weather,
    Crash,
    /// A clock is stepped.
    ClockStep,
    Gst,
}

struct Machine<L: SimLedger> {
    organisation: u32,
    /// It has the keys to which a seat moves.
    moved: bool,
    disk: SimDisk,
    replica: Option<Node<L>>,
    /// The ledger at some height the disk holds, to restart from.
    snapshot: Option<L>,
    life: u64,
    booted_at: u64,
    offset_ms: i64,
    wake: Option<u64>,
    /// Highest height it told to be decided.
    told: u64,
    /// Effects of the next steps after which it dies, and whether by power.
    doomed: Option<(u64, bool)>,
    receipted: u64,
    /// The disk is not what it was when it told what it had decided.
    wiped: bool,
    /// It has lost what it signed, and does not vote again yet.
    in_doubt: bool,
    /// A copy of the disk of some time ago, and the height that was decided then.
    old_disk: Option<(SimDisk, u64)>,
    /// Its disk fails: it may stop.
    disk_fails: bool,
    /// Whether the power goes when the disk halts, or only the process dies.
    halts_with_power: bool,
    /// The round in which it proposed last, and how many turns it had.
    turns_had: (Option<(Height, u32)>, u32),
}

/// What a bad node says instead of what it was about to: its keys, its ledger, the effect.
type Liar<L> = Box<dyn FnMut(&dyn Fn(KeyKind) -> Keypair, &L, Effect) -> Vec<Effect>>;

/// A simulated network.
pub struct World<L: SimLedger = ChainApp> {
    plan: Plan,
    random: Random,
    genesis: Rc<L::Genesis>,
    chain: Hash,
    opened_ms: u64,
    now: u64,
    sequence: u64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    payloads: BTreeMap<u64, Event>,
    machines: Vec<Machine<L>>,
    liars: BTreeMap<usize, Liar<L>>,
    /// Blocked directions.
    cut: BTreeSet<(usize, usize)>,
    asked: BTreeMap<(usize, u64, u64), ()>,
    config: ReplicaConfig,
    collect: bool,

    decided: BTreeMap<Height, Hash>,
    decided_records: BTreeSet<Hash>,
    /// (organisation, height, round, step) to what was signed.
    signed: BTreeMap<(u32, Height, u32, u8), Option<Hash>>,
    cosigned: BTreeMap<(u32, u64), Hash>,
    /// Lowest and highest height of votes, of each organisation, before and after it moved.
    voted: BTreeMap<(u32, bool), (Height, Height)>,
    handed_in: BTreeMap<Hash, u64>,
    next_record: u64,
    outcome: Outcome,
    failure: Option<Failure>,
    /// Disks lost so far.
    losses: u32,
    /// Blocks that a node found decided on its disk when it started and had not told.
    untold: BTreeMap<Height, Hash>,
    /// Who certified each height.
    seats: BTreeMap<Height, Vec<Validator>>,
    /// When each block was made, by its own word.
    times: BTreeMap<Height, u64>,
    /// The latest time of any honest clock so far.
    latest_wall: u64,
    /// The machine whose clock may be off by an hour.
    wrong: usize,
    /// The machine whose clock shows the latest time for which a proposal may be taken.
    greedy: Option<usize>,
    /// Whether the order in which a node works is compared with its ledger's.
    judges_turns: bool,
    /// Machines that lost their disks in a disaster and do not vote again yet.
    lost: Vec<usize>,
    /// Machines that lose their disks when one of them is the first to decide after this time.
    disaster: Option<(Vec<usize>, u64)>,
}

impl World<ChainApp> {
    /// The world of a plan, with the small ledger.
    pub fn new(plan: Plan) -> World<ChainApp> {
        World::with_ledger(plan)
    }
}

impl<L: SimLedger> World<L> {
    /// The world of a plan, with any ledger.
    pub fn with_ledger(plan: Plan) -> World<L> {
        let mut random = Random::new(plan.seed.wrapping_add(77));
        let genesis = L::genesis(&plan);
        let (chain, opened_ms) = L::facts(&genesis);
        let mut organisations: Vec<u32> = (1..=plan.nodes).collect();
        organisations.extend(plan.twins.iter().copied());
        let moved = organisations.len();
        organisations.extend(plan.moves.iter().copied());
        let wrong = random.below(u64::from(plan.validators)) as usize;
        let machines: Vec<Machine<L>> = organisations
            .iter()
            .enumerate()
            .map(|(index, organisation)| {
                let skew = random.between(0, 2 * plan.skew) as i64 - plan.skew as i64;
                let hour = if random.percent(50) {
                    3_600_000
                } else {
                    -3_600_000
                };
                Machine {
                    organisation: *organisation,
                    moved: index >= moved,
                    disk: SimDisk::default(),
                    replica: None,
                    snapshot: None,
                    life: 0,
                    booted_at: 0,
                    offset_ms: if plan.wrong_clock && index == wrong {
                        hour
                    } else {
                        skew
                    },
                    wake: None,
                    told: 0,
                    doomed: None,
                    receipted: 0,
                    wiped: false,
                    in_doubt: false,
                    old_disk: None,
                    disk_fails: false,
                    halts_with_power: true,
                    turns_had: (None, 0),
                }
            })
            .collect();
        for machine in &machines {
            // A node's guard is made with its key. A guard that is new beside an old key comes with
            // a lost disk.
            let opened =
                JournalStorage::open(Arc::new(machine.disk.clone()), Path::new("journal"), chain);
            let (mut storage, _) = opened.expect("an empty disk");
            if !plan.new_guards {
                storage.raise(Height(1)).expect("an empty disk");
            }
            storage
                .journal_mut()
                .note_clean_stop()
                .expect("an empty disk");
        }
        let config = Self::config();
        #[cfg(feature = "planted")]
        let config = ReplicaConfig {
            planted: plan.planted.clone(),
            ..config
        };
        World {
            random,
            genesis,
            chain,
            opened_ms,
            now: 0,
            sequence: 0,
            events: BinaryHeap::new(),
            payloads: BTreeMap::new(),
            machines,
            liars: BTreeMap::new(),
            cut: BTreeSet::new(),
            asked: BTreeMap::new(),
            config,
            collect: false,
            decided: BTreeMap::new(),
            decided_records: BTreeSet::new(),
            signed: BTreeMap::new(),
            cosigned: BTreeMap::new(),
            voted: BTreeMap::new(),
            handed_in: BTreeMap::new(),
            next_record: 0,
            outcome: Outcome::default(),
            failure: None,
            losses: 0,
            untold: BTreeMap::new(),
            seats: BTreeMap::new(),
            times: BTreeMap::new(),
            latest_wall: 0,
            wrong,
            greedy: None,
            judges_turns: true,
            lost: Vec::new(),
            disaster: None,
            plan,
        }
    }

    /// Uses the settings of production: for runs that measure idleness.
    #[must_use]
    pub fn with_config(mut self, config: ReplicaConfig) -> World<L> {
        self.config = config;
        self
    }

    /// Changes the settings of the run.
    #[must_use]
    pub fn adjusted(mut self, adjust: impl FnOnce(&mut ReplicaConfig)) -> World<L> {
        adjust(&mut self.config);
        self
    }

    /// A machine whose effects pass through `liar` first.
    #[must_use]
    pub fn with_liar(
        mut self,
        node: usize,
        liar: impl FnMut(&dyn Fn(KeyKind) -> Keypair, &L, Effect) -> Vec<Effect> + 'static,
    ) -> World<L> {
        self.liars.insert(node, Box::new(liar));
        self
    }

    /// A machine that loses its disk at this time, and starts again with its keys.
    #[must_use]
    pub fn with_loss(mut self, node: usize, at: u64) -> World<L> {
        self.at(at, Event::Lose { node });
        self
    }

    /// Machines that lose their disks all at once, and are recovered by what the others kept (RULINGS
    /// A41): at this time if it is even, else when one of them is the first to decide a block after it.
    #[must_use]
    pub fn with_disaster(mut self, lost: Vec<usize>, at: u64) -> World<L> {
        if at.is_multiple_of(2) {
            self.at(at, Event::Disaster { lost });
        } else {
            self.disaster = Some((lost, at));
        }
        self
    }

    /// A machine whose clock is so far ahead.
    #[must_use]
    pub fn with_offset(mut self, node: usize, offset_ms: i64) -> World<L> {
        self.machines[node].offset_ms = offset_ms;
        self
    }

    /// A machine whose clock is set at this time.
    #[must_use]
    pub fn with_set_clock(mut self, node: usize, at: u64, offset_ms: i64) -> World<L> {
        self.at(at, Event::SetClock { node, offset_ms });
        self
    }

    /// A machine whose clock shows the latest time for which a proposal may be taken: as far ahead of the
    /// others' as they allow, and after every other block as far ahead of that block.
    #[must_use]
    pub fn with_greedy_clock(mut self, node: usize) -> World<L> {
        self.greedy = Some(node);
        self
    }

    /// Nodes may work in an order that is not their ledger's.
    #[must_use]
    pub fn with_any_turns(mut self) -> World<L> {
        self.judges_turns = false;
        self
    }

    pub(super) fn config() -> ReplicaConfig {
        let mut config = ReplicaConfig::default();
        config.timeouts.propose = Duration::from_millis(800);
        config.timeouts.propose_delta = Duration::from_millis(200);
        config.timeouts.prevote = Duration::from_millis(300);
        config.timeouts.prevote_delta = Duration::from_millis(100);
        config.timeouts.precommit = Duration::from_millis(300);
        config.timeouts.precommit_delta = Duration::from_millis(100);
        config.timeouts.rebroadcast = Duration::from_millis(1_000);
        config.timeouts.max_timeout = Duration::from_millis(4_000);
        config.poll_ms = 1_000;
        config.poll_idle_ms = 3_000;
        config
    }

    /// Runs to the end, or to the first failure.
    pub fn run(mut self, collect: bool) -> Result<Outcome, Failure> {
        self.collect = collect;
        for node in 0..self.machines.len() {
            let after = self.random.between(0, 300);
            self.at(after, Event::Restart { node });
        }
        for node in self.away() {
            self.at(self.plan.away_between.0, Event::Leave { node });
        }
        if self.plan.records_every > 0 {
            self.at(self.plan.records_every, Event::Submit);
        }
        if self.plan.gst > 0 {
            self.at(500, Event::Weather);
            self.at(700, Event::Crash);
            if self.plan.steps {
                self.at(900, Event::ClockStep);
            }
            self.at(self.plan.gst, Event::Gst);
        }
        while let Some(Reverse((time, key))) = self.events.pop() {
            if time > self.plan.end || self.failure.is_some() {
                break;
            }
            self.now = time;
            let Some(event) = self.payloads.remove(&key) else {
                continue;
            };
            self.event(event);
        }
        if self.failure.is_none() {
            self.finish();
        }
        match self.failure {
            Some(failure) => Err(format!("seed {}: {failure}", self.plan.seed)),
            None => Ok(self.outcome),
        }
    }

    fn at(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((self.now + after, self.sequence)));
        self.payloads.insert(self.sequence, event);
    }

    fn mark(&mut self, mark: &'static str) {
        *self.outcome.marks.entry(mark).or_default() += 1;
    }

    fn fail(&mut self, why: String) {
        let now = self.now;
        self.failure.get_or_insert(format!("at {now} ms: {why}"));
    }

    fn note(&mut self, node: usize, bytes: &[u8], text: impl FnOnce() -> String) {
        let stamp = encode(&(self.now, node as u64));
        self.outcome.trace = sha256_parts(&[&self.outcome.trace.0, &stamp, &sha256(bytes).0]);
        if self.collect {
            self.outcome.steps.push(self.outcome.trace);
        }
        if self.plan.log {
            let machine = &self.machines[node];
            println!(
                "{:>8} node {node} (org {}) {}",
                self.now,
                machine.organisation,
                text()
            );
        }
    }

    fn calm(&self) -> bool {
        self.now >= self.plan.gst
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Deliver { to, life, packet } => {
                let machine = &self.machines[to];
                if machine.replica.is_some() && (life == 0 || machine.life == life) {
                    self.step(to, packet.arrive());
                }
            }
            Event::Wake { to, life } => {
                let machine = &self.machines[to];
                if machine.replica.is_some()
                    && machine.life == life
                    && machine.wake == Some(self.now)
                {
                    self.machines[to].wake = None;
                    self.step(to, Input::Tick);
                }
            }
            Event::RequestTimeout { from, life, id } => {
                if self.asked.remove(&(from, life, id)).is_some()
                    && self.machines[from].life == life
                {
                    self.step(from, Input::Response { id, response: None });
                }
            }
            Event::Restart { node } => match self.away_until(node) {
                Some(back) => self.at(back - self.now, Event::Restart { node }),
                None => self.restart(node),
            },
            Event::Leave { node } => self.die(node, false),
            Event::Submit => self.submit(),
            Event::Lose { node } => self.lose(node),
            Event::Disaster { lost } => self.disaster(lost),
            Event::Recover => self.recover(),
            Event::SetClock { node, offset_ms } => self.machines[node].offset_ms = offset_ms,
            Event::Weather => self.weather(),
            Event::Crash => self.crash_somebody(),
            Event::ClockStep => self.step_clock(),
            Event::Gst => {
                self.cut.clear();
                self.latest_wall();
                for node in 0..self.machines.len() {
                    self.machines[node].doomed = None;
                    self.heal_disk(node);
                    if self.machines[node].replica.is_none() {
                        self.restart(node);
                    } else {
                        self.machines[node].disk.halt_after(u64::MAX / 2);
                    }
                }
            }
        }
    }

    fn step(&mut self, node: usize, input: Input) {
        if self.failure.is_some() || self.machines[node].replica.is_none() {
            return;
        }
        let clock = self.clock(node);
        let Some(replica) = self.machines[node].replica.as_mut() else {
            return;
        };
        let effects = replica.step(clock, input);
        replica.app_mut().after_step();
        let doom = self.machines[node].doomed;
        let effects = match self.liars.get_mut(&node) {
            Some(liar) => {
                let organisation = self.machines[node].organisation;
                let key = |kind| L::keypair(&self.genesis, organisation, kind);
                let Some(replica) = &self.machines[node].replica else {
                    return;
                };
                let says = |effect| liar(&key, replica.app(), effect);
                effects.into_iter().flat_map(says).collect()
            }
            None => effects,
        };
        for (index, effect) in effects.into_iter().enumerate() {
            if let Some((after, power)) = doom
                && index as u64 >= after
            {
                return self.die(node, power);
            }
            if let Effect::Stop(reason) = &effect {
                if self.machines[node].disk.halted() {
                    return self.die(node, self.machines[node].halts_with_power);
                }
                if self.machines[node].disk_fails {
                    self.mark("stopped by its disk");
                    // The kernel may show what it failed to write: the machine is started again.
                    return self.die(node, true);
                }
                let reason = reason.clone();
                return self.fail(format!("node {node} stopped: {reason}"));
            }
            self.effect(node, effect);
        }
        if let Some((after, power)) = doom
            && after < 3
        {
            return self.die(node, power);
        }
        let Some(replica) = &self.machines[node].replica else {
            return;
        };
        let status: Status = replica.status();
        if status.out_of_bounds > 0 {
            self.mark("step with a proposal withheld");
        }
        if status.parked > 0 {
            self.mark("parked");
        }
        self.machines[node].in_doubt &= !status.votes;
        if status.clock_warning().is_some() {
            let right = self.machines[node].offset_ms == 0;
            self.mark(if right {
                "right clock told"
            } else {
                "own clock told"
            });
        }
        self.judge_buffers(node);
        if let Some((who, height)) = status.fork_alarm {
            self.fail(format!("node {node} sees a fork at {height} by {}", who.0));
        }
        let machine = &self.machines[node];
        let due = machine
            .replica
            .as_ref()
            .and_then(Replica::wake_at)
            .map(|at| (machine.booted_at + at).max(self.now + 1));
        if due != machine.wake
            && let Some(due) = due
        {
            let life = machine.life;
            self.machines[node].wake = Some(due);
            self.at(due - self.now, Event::Wake { to: node, life });
        }
    }

    fn effect(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Broadcast(bytes) => {
                self.inspect(node, &bytes);
                self.note(node, &bytes, || {
                    format!(
                        "broadcast {:?}",
                        decode::<Frame>(&bytes).map(|frame| brief(&frame))
                    )
                });
                let from = self.machines[node].organisation;
                let late = self.is_late(node, &bytes);
                for to in 0..self.machines.len() {
                    // A twin that heard its other half would fall silent; these are to be bad.
                    let twin =
                        self.machines[to].organisation == from && self.plan.twins.contains(&from);
                    let packet = Packet::Frame {
                        from,
                        bytes: bytes.clone(),
                    };
                    if to != node && !twin && late {
                        self.at(
                            LATE_MS,
                            Event::Deliver {
                                to,
                                life: 0,
                                packet,
                            },
                        );
                    } else if to != node && !twin {
                        self.send(node, to, 0, packet);
                    }
                }
            }
            Effect::Gossip(bytes) => {
                self.note(node, &bytes, || "gossip".into());
                for to in 0..self.machines.len() {
                    if to != node {
                        self.send(
                            node,
                            to,
                            0,
                            Packet::Records {
                                bytes: bytes.clone(),
                            },
                        );
                    }
                }
            }
            Effect::Request { id, to, request } => {
                let bytes = encode(&request);
                self.note(node, &bytes, || format!("asks {to}: {request:?}"));
                let life = self.machines[node].life;
                self.asked.insert((node, life, id), ());
                self.at(
                    REQUEST_MS,
                    Event::RequestTimeout {
                        from: node,
                        life,
                        id,
                    },
                );
                let there: Vec<usize> = (0..self.machines.len())
                    .filter(|machine| self.machines[*machine].organisation == to)
                    .collect();
                let Some(target) = self.random.pick(&there).copied() else {
                    return;
                };
                // The id on the wire tells the asker apart: node and life are the connection.
                let wire = (node as u64) << 56 | (life & 0xFFFF) << 40 | id;
                let from = self.machines[node].organisation;
                self.send(
                    node,
                    target,
                    0,
                    Packet::Request {
                        from,
                        id: wire,
                        bytes,
                    },
                );
            }
            Effect::Respond { id, bytes, .. } => {
                let asker = (id >> 56) as usize;
                self.judge_answer(node, asker, &bytes);
                let (to, life, id) = (asker, id >> 40 & 0xFFFF, id & 0xFF_FFFF_FFFF);
                let mut bytes = if self.plan.liar && node == 0 {
                    self.lie(bytes)
                } else {
                    bytes
                };
                self.corrupt(&mut bytes);
                self.note(node, &bytes, || format!("answers {to}"));
                self.answer(node, to, life, id, bytes);
            }
            Effect::Admitted { record, .. } => {
                self.note(node, &record.0, || format!("admitted {}", record.short()));
                if self.calm() {
                    self.handed_in.insert(record, self.now);
                }
            }
            // Nobody waits here for word of a record.
            Effect::Aside { .. } | Effect::Heard { .. } => {}
            Effect::Refused { reason, .. } => self.note(node, &[], || format!("refused: {reason}")),
            Effect::Decided {
                height,
                block,
                records,
            } => {
                self.note(node, &block.0, || {
                    format!("decided {height} {}", block.short())
                });
                if self.plan.twins.contains(&self.machines[node].organisation) {
                    return;
                }
                self.decided(node, height, block, records);
                let machine = &mut self.machines[node];
                machine.told = machine.told.max(height.0);
            }
            Effect::Receipted(receipt) => {
                self.judge_receipt(node, &receipt);
                self.note(node, &receipt.checkpoint.root.0, || {
                    format!("receipted {}", receipt.checkpoint.height)
                });
                let machine = &mut self.machines[node];
                machine.receipted = machine.receipted.max(receipt.checkpoint.height.0);
                self.mark("receipt");
            }
            Effect::Stop(_) => {}
        }
    }

    fn submit(&mut self) {
        // The last records need time to be decided.
        if self.now + 25_000 < self.plan.end {
            self.at(self.plan.records_every, Event::Submit);
        }
        self.next_record += 1;
        let number = self.next_record;
        let Some(bytes) = L::record(&self.genesis, &self.plan, number, &mut self.random) else {
            return;
        };
        let node = self.random.below(self.machines.len() as u64) as usize;
        if self.machines[node].replica.is_some() {
            self.step(
                node,
                Input::Submit {
                    tag: self.next_record,
                    envelope: Envelope::decode(bytes).expect("the suite's own record"),
                },
            );
        }
    }
}
