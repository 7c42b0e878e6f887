//! The deterministic heart of a node: inputs in, effects out.
//!
//! * [`Replica::step`] is the only entrance. It has no clock, socket, thread or file of its own:
//!   time comes with each input, the ledger, the journal and the verifier sit behind [`App`],
//!   [`Storage`] and [`Verify`]. The same inputs over the same storage give the same effects.
//! * Order of persistence: a body is durable before the core hears of it; a vote's guard record and
//!   everything logged before it are durable before the vote is signed; a decision is durable
//!   before it is committed or told to anybody (RULINGS A13).
//! * Fail-stop: after a disk fault or an error of the core the step has one effect,
//!   [`Effect::Stop`], and nothing else leaves. The core also asserts; the shell treats a panic of
//!   this module like a stop.
//! * One core object per height, made fresh: nothing of height h can leak into h+1.
//! * Blocks that were missed do not go through the core's sync input but through [`Replica`]'s own
//!   path (`catchup`): certificate under the policy of that height, parent, body hash,
//!   re-execution, each with the function the audit uses. The core's path would check less, log no
//!   certificate, and leave two ways to decide.
//! * Every map keyed by what a peer chose has a bound; nothing is kept before its signature was
//!   checked.
//!
//! Absent on purpose: receipts and refusals signed for clients (API), store and index updates
//! (shell, after [`Effect::Decided`]), transport.

use std::collections::{BTreeMap, VecDeque};

use arc_malachitebft_core_consensus as engine;
use arc_malachitebft_core_types as mc;
use rollbook_core::id::PersonId;
use rollbook_core::record::Number;
use rollbook_core::tx::Verify;
use rollbook_proof::chain::{Certificate, Evidence, ReadClass};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};

pub mod app;
mod bodies;
mod catchup;
mod config;
mod context;
mod cosign;
mod fresh;
mod height;
mod host;
pub mod journal_storage;
mod judging;
pub mod kept;
pub mod ledger_app;
mod lost;
pub mod mempool;
pub mod message;
mod recovery;
mod serve;
pub mod storage;
mod turns;
mod wal;

pub use app::{App, BlockCheckpoint, BlockVerdict, BuiltBlock, NewTip, Refused, Validator};
pub use config::ReplicaConfig;
pub use cosign::Receipt;
pub use journal_storage::JournalStorage;
pub use ledger_app::{Ahead, LedgerApp, Offer, Outbox};
pub use mempool::{PoolLimits, PoolRefusal};
pub use serve::Worth;
pub use storage::{Decided, Fault, GuardError, Keys, Statement, Storage};

use host::{Host, Todo};
use message::{Envelope, Frame, Request, Response};

/// A wall clock that runs ahead of the elapsed time by more than this was stepped.
const STEP_MS: u64 = 1_000;

/// A clock that is off by more than so many seconds is worth a word (RULINGS A43).
const CLOCK_S: u64 = 5;

/// The two clocks of a node, read by the shell at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds since some fixed instant, never going back: timers.
    pub elapsed_ms: u64,
    /// Milliseconds since 1970 as this node believes: times of proposals, deadlines. May jump.
    pub wall_ms: u64,
}

/// What happens to a replica, decoded where it arrived. Peers are organisation numbers: one node
/// each; the gate has authenticated them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Time has passed; the shell sends one at [`Replica::wake_at`] at the latest.
    Tick,
    /// The peers that can be asked, in a fixed order.
    Peers(Vec<u32>),
    /// A broadcast frame.
    Frame {
        /// Who passed it on.
        from: u32,
        /// What it says.
        frame: Frame,
    },
    /// Gossiped records.
    Records(Vec<Envelope>),
    /// A question; exactly one [`Effect::Respond`] with this id answers it.
    Request {
        /// Who asks.
        from: u32,
        /// To be given back.
        id: u64,
        /// What is asked.
        request: Request,
    },
    /// The answer to, or the failure of, an [`Effect::Request`]: exactly one for each.
    Response {
        /// Of the request.
        id: u64,
        /// The answer; `None` if it failed, timed out, or does not decode.
        response: Option<Response>,
    },
    /// A record handed in at this node.
    Submit {
        /// To be given back.
        tag: u64,
        /// The record.
        envelope: Envelope,
    },
}

/// What a replica wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a consensus frame to every node.
    Broadcast(Vec<u8>),
    /// Gossip a batch of records.
    Gossip(Vec<u8>),
    /// Ask a peer.
    Request {
        /// Of the request.
        id: u64,
        /// Whom.
        to: u32,
        /// What.
        request: Request,
    },
    /// Answer a peer.
    Respond {
        /// Whom.
        to: u32,
        /// The id of its request.
        id: u64,
        /// A [`message::Response`].
        bytes: Vec<u8>,
    },
    /// A record is in the pool: held in memory, not promised.
    Admitted {
        /// Of the submission.
        tag: u64,
        /// Record id.
        record: Hash,
    },
    /// A record was not taken.
    Refused {
        /// Of the submission.
        tag: u64,
        /// Why.
        reason: NotTaken,
    },
    /// What was in a batch of gossiped records; exactly one for each [`Input::Records`].
    Heard {
        /// Records that are new here and were taken.
        taken: usize,
        /// Records with a signature that the key named did not make: no mistake of who passes them on
        /// explains them (RULINGS A40).
        forged: usize,
        /// Records that were not taken, and of which nobody here knows whether another node would find
        /// them forged: refused before their signatures were looked at, or known under other ones.
        unjudged: usize,
    },
    /// A record of the pool does not apply to the newest tip: it has left, or it waits aside and is
    /// judged again; or it applies again.
    Aside {
        /// Record id.
        record: Hash,
        /// Its number.
        number: Number,
        /// Why it does not apply; none: it applies again.
        reason: Option<Refused>,
        /// Whether it has left the pool.
        left: bool,
    },
    /// A block is final, durable and committed.
    Decided {
        /// Its height.
        height: Height,
        /// Its id.
        block: Hash,
        /// Ids of its records.
        records: Vec<Hash>,
    },
    /// A checkpoint has a quorum of cosignatures: everything up to its height is receipted.
    Receipted(Receipt),
    /// The replica has stopped and takes no more input. Start again from the journal, or look at
    /// the disk.
    Stop(String),
}

/// Why a submitted record is not in the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The ledger's rules.
    #[error(transparent)]
    Rule(#[from] Refused),
    /// The pool's bounds, or it is known already.
    #[error(transparent)]
    Pool(#[from] PoolRefusal),
}

/// What a node tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Height of the tip.
    pub tip: Height,
    /// What it is doing.
    pub phase: Phase,
    /// Round of the height under way.
    pub round: Option<u32>,
    /// Whether it signs votes at the height after the tip.
    pub votes: bool,
    /// It votes only from this height on (RULINGS A8).
    pub votes_from: Height,
    /// A block is decided whose body is not here: `behind: body of H missing`.
    pub body_missing: Option<(Height, Hash)>,
    /// Blocks in a row whose time was out of this node's bounds; from 3 on its clock deserves a
    /// look.
    pub out_of_bounds: u32,
    /// How far the own clock was ahead of the last of them, in milliseconds; negative: behind.
    pub clock_off_ms: i64,
    /// How far the own clock is off those of all others who proposed last, in whole seconds; above zero
    /// it is ahead.
    pub clock_seen_s: i64,
    /// Statements the guard refused to sign since the start.
    pub guard_refusals: u64,
    /// Height of a statement under this node's key that its guard does not know: a second node has
    /// the keys, or this disk has forgotten something (RULINGS A41).
    pub foreign_statement: Option<Height>,
    /// A validator cosigned another root for a height this node holds: a fork, if anything is.
    /// Validator and height.
    pub fork_alarm: Option<(OrganisationId, Height)>,
    /// Records waiting.
    pub pool: usize,
    /// Those of them that did not apply when they were last judged.
    pub parked: usize,
    /// Whether a record that applies waits for a block.
    pub wanted: bool,
    /// Whose turn it is to propose at the height after the tip, in the round under way.
    pub turn: Option<OrganisationId>,
    /// When the tip was committed, and when work on the height after it began, on the elapsed clock.
    pub since: (u64, Option<u64>),
    /// Validators that have said that they vote again only from a height on.
    pub restored: BTreeMap<OrganisationId, Height>,
    /// Newest receipted height.
    pub receipted: Height,
}

impl Status {
    /// What is to be said about this machine's clock: after three blocks in a row that do not fit
    /// it (RULINGS A9), or if it is off the clocks of all others by more than five seconds.
    pub fn clock_warning(&self) -> Option<String> {
        let off_s = match (self.out_of_bounds, self.clock_seen_s) {
            (3.., _) => self.clock_off_ms / 1_000,
            (_, seen) if seen.unsigned_abs() > CLOCK_S => seen,
            _ => return None,
        };
        let (seconds, side) = (
            off_s.unsigned_abs(),
            if off_s > 0 { "ahead of" } else { "behind" },
        );
        Some(format!(
            "this machine's clock is {seconds} s {side} the times of the last blocks"
        ))
    }
}

/// Something in memory that others can fill, and the most that it ever holds (RULINGS A40).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// What it holds.
    pub of: &'static str,
    /// How many of them now.
    pub holds: usize,
    /// How many at most.
    pub most: usize,
}

/// What a replica is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for answers about its own newest signature.
    Asking,
    /// Idle: the next height is held back.
    Holding,
    /// A height is under way.
    Running,
    /// Stopped for good.
    Stopped,
}

/// Timers, all on the elapsed clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Of the core: step (0 propose, 1 prevote, 2 precommit, 3 rebroadcast) and round.
    Core(u8, u32),
    /// Look whether the next height is wanted.
    Idle,
    /// Ask somebody for a tip.
    Poll,
    /// Ask the peer whose frames were ahead.
    Hint,
    /// Ask for the own newest signature again.
    Ask,
    /// The peer that is asked for blocks takes its time.
    Fetch,
    /// Ask for missing bodies again.
    Bodies,
    /// Cosign the newest checkpoint.
    Cosign,
    /// Send the own cosignature again.
    CosignAgain,
    /// Send the own newest statements again: a peer has come.
    Again,
    /// Send collected records.
    Gossip,
    /// Offer records again.
    Offer,
    /// Judge records of the pool again.
    Pool,
}

/// The replica. See the module head.
pub struct Replica<A: App, S: Storage, V: Verify> {
    core: Option<engine::State<context::Ctx>>,
    host: Host<A, S, V>,
}

impl<A: App, S: Storage, V: Verify> Replica<A, S, V> {
    /// A replica on a ledger that stands at the newest decided block of `storage`. The first
    /// [`Replica::step`] starts it.
    pub fn new(config: ReplicaConfig, keys: Keys, app: A, storage: S, verify: V) -> Self {
        Replica {
            core: None,
            host: Host::new(config, keys, app, storage, verify),
        }
    }

    /// The ledger.
    pub fn app(&self) -> &A {
        &self.host.app
    }

    /// The ledger, to take from it what it keeps for the store. Nothing that changes its tip may be
    /// called on it.
    pub fn app_mut(&mut self) -> &mut A {
        &mut self.host.app
    }

    /// The journal, to close it in order.
    pub fn storage_mut(&mut self) -> &mut S {
        &mut self.host.storage
    }

    /// The journal.
    pub fn storage(&self) -> &S {
        &self.host.storage
    }

    /// The organisation whose keys it signs with.
    pub fn organisation(&self) -> OrganisationId {
        self.host.keys.organisation
    }

    /// When the next [`Input::Tick`] is due, on the elapsed clock.
    pub fn wake_at(&self) -> Option<u64> {
        self.host.timers.values().copied().min()
    }

    /// What the node tells about itself.
    pub fn status(&self) -> Status {
        let host = &self.host;
        Status {
            tip: host.tip.seal.height,
            phase: if host.stop.is_some() {
                Phase::Stopped
            } else if self.core.is_some() {
                Phase::Running
            } else if host.recovery.is_asking() {
                Phase::Asking
            } else {
                Phase::Holding
            },
            round: self.core.as_ref().and_then(|core| core.round().as_u32()),
            votes: host.may_vote(),
            votes_from: host.recovery.votes_from(),
            body_missing: host.bodies.missing().map(|block| (host.height(), block)),
            out_of_bounds: host.out_of_bounds,
            clock_off_ms: host.clock_off_ms,
            clock_seen_s: host.clock_seen_ms() / 1_000,
            guard_refusals: host.guard_refusals,
            foreign_statement: host.foreign_statement,
            fork_alarm: host.cosigning.fork_alarm,
            pool: host.pool.len(),
            parked: host.pool.parked(),
            wanted: host.pool_ready,
            turn: host.turn(
                self.core
                    .as_ref()
                    .and_then(|core| core.round().as_u32())
                    .unwrap_or(0),
            ),
            since: (host.committed_at, host.begun_at),
            restored: host.restored.clone(),
            receipted: host.cosigning.receipted,
        }
    }

    /// What others can fill, and how far it is filled.
    pub fn buffers(&self) -> Vec<Buffer> {
        let host = &self.host;
        let of = |of, (holds, most)| Buffer { of, holds, most };
        let pool = &host.config.pool;
        vec![
            of("records", (host.pool.len(), pool.records)),
            of("bytes of records", (host.pool.bytes(), pool.bytes)),
            of("frames of later heights", host.waiting_frames()),
            of("evidence", (host.evidence.len(), judging::EVIDENCE_KEPT)),
            of("bodies", host.bodies.filled().0),
            of("blocks talked about", host.bodies.filled().1),
            of("fresh proposals", host.fresh.filled()),
            of("questions", host.catchup.filled()),
            of("checkpoints", host.cosigning.filled()),
            of("early cosignatures", host.early_cosignatures()),
        ]
    }

    /// The record of the pool that holds a number.
    pub fn with_number(&self, number: &Number) -> Option<Hash> {
        self.host.pool.with_number(number)
    }

    /// The highest number of a person in a lane in the pool; 0 if there is none.
    pub fn highest_waiting(&self, person: PersonId, lane: ReadClass) -> u64 {
        self.host.pool.highest(person, lane)
    }

    /// The seats in the order in which they propose the height after the tip, as this node works with it.
    pub fn turns(&self) -> &[OrganisationId] {
        self.host.turns.seats()
    }

    /// The certificate of the tip; `None` at genesis.
    pub fn tip_certificate(&self) -> Option<&Certificate> {
        self.host.tip_certificate.as_ref()
    }

    /// Evidence of misbehaviour not yet in the ledger.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.host.evidence.values()
    }

    /// One step: everything `input` causes until nothing is left to do, and every timer that is
    /// due.
    pub fn step(&mut self, clock: Clock, input: Input) -> Vec<Effect> {
        if self.host.stop.is_some() {
            return Vec::new();
        }
        // A clock that goes back is a shell's fault; timers must not be hurt by it.
        let before = self.host.now;
        self.host.now = Clock {
            elapsed_ms: clock.elapsed_ms.max(before.elapsed_ms),
            wall_ms: clock.wall_ms,
        };
        // The clock of a sample chain was stepped (RULINGS A5): what the idle timer waited for, a
        // deadline or the hour without a block, may be due now.
        let passed = self.host.now.elapsed_ms - before.elapsed_ms;
        let stepped = clock
            .wall_ms
            .saturating_sub(before.wall_ms.saturating_add(passed));
        let back = before
            .wall_ms
            .saturating_add(passed)
            .saturating_sub(clock.wall_ms);
        if self.host.started && stepped.max(back) > STEP_MS {
            // What the others' clocks were off was measured on a clock that is no more.
            self.host.clocks.clear();
        }
        if self.host.started && stepped > STEP_MS {
            self.host.stepped_ms = self.host.stepped_ms.saturating_add(stepped);
            if self.host.timers.contains_key(&Timer::Idle) {
                self.host.set_timer(Timer::Idle, 0);
            }
        }
        if !self.host.started {
            self.host.started = true;
            self.boot();
        }
        self.input(input);
        self.drain();
        while let Some(timer) = self.host.due_timer() {
            self.timer(timer);
            self.drain();
        }
        match &self.host.stop {
            // What was to leave in this step may rest on what could not be written.
            Some(reason) => vec![Effect::Stop(reason.clone())],
            None => std::mem::take(&mut self.host.out),
        }
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Tick => {}
            Input::Peers(peers) => self.set_peers(peers),
            Input::Frame { from, frame } => self.frame(from, frame),
            Input::Records(records) => self.records(records),
            Input::Request { from, id, request } => self.serve(from, id, request),
            Input::Response { id, response } => self.response(id, response),
            Input::Submit { tag, envelope } => self.submit(tag, envelope),
        }
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Core(step, round) => {
                let round = mc::Round::new(round);
                let timeout = match step {
                    0 => mc::Timeout::propose(round),
                    1 => mc::Timeout::prevote(round),
                    2 => mc::Timeout::precommit(round),
                    _ => mc::Timeout::rebroadcast(round),
                };
                self.host
                    .todo
                    .push_back(Todo::Core(Box::new(engine::Input::TimeoutElapsed(timeout))));
            }
            Timer::Idle => self.look(),
            Timer::Poll => self.poll(),
            Timer::Hint => self.follow_hint(),
            Timer::Ask => self.ask(),
            Timer::Fetch => self.fetch_slow(),
            Timer::Bodies => self.fetch_bodies(),
            Timer::Cosign => self.cosign_newest(),
            Timer::CosignAgain => self.cosign_again(),
            Timer::Again => self.host.say_again(),
            Timer::Gossip => self.gossip(),
            Timer::Pool => self.host.pool_due(),
            Timer::Offer => {
                self.host.pool.offer_again(self.host.now.elapsed_ms);
                self.gossip();
            }
        }
    }

    /// Works off what the core and the rest have left to do, in order.
    fn drain(&mut self) {
        while self.host.stop.is_none() {
            let Some(todo) = self.host.todo.pop_front() else {
                return;
            };
            match todo {
                Todo::Core(input) => {
                    if !self.holds_back(&input) {
                        self.run_core(*input);
                    }
                }
                Todo::Propose { height, round } => self.propose(height, round),
                Todo::Commit { certificate } => self.commit_decided(certificate),
                Todo::Deliver(block) => self.deliver(block),
                Todo::Look => self.look(),
            }
        }
    }

    /// One input through the core; the host answers its effects.
    fn run_core(&mut self, input: engine::Input<context::Ctx>) {
        let Some(core) = &mut self.core else { return };
        let host = &mut self.host;
        let result: Result<(), engine::Error<context::Ctx>> = engine::process!(
            input: input,
            state: core,
            metrics: &(),
            with: effect => Ok::<_, std::convert::Infallible>(host.effect(effect))
        );
        if let Err(error) = result {
            self.host.stop(format!("consensus core: {error}"));
            return;
        }
        self.after_core();
    }
}

/// Queues and maps shared by the parts.
pub(crate) type Queue<T> = VecDeque<T>;
/// Timers by due time.
pub(crate) type Timers = BTreeMap<Timer, u64>;
