//! The thread that owns the replica, and its channel.
//!
//! * Everything reaches the replica as a [`Command`] through one bounded channel; gossip is dropped
//!   when it is full, answers wait for room. Several commands are taken at once so that signatures
//!   are verified by all cores.
//! * Effects go straight to the network's queue; nothing here waits but the journal's fsyncs and a
//!   store far behind.
//! * Peers are organisation numbers; keys come from the table of nodes. Bootstrap peers that are in
//!   no table get numbers above [`BOOTSTRAP`], for catch-up only.
//! * A stop of the replica and a panic in it are one thing: the process ends with the message.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::time::{Duration, Instant};

use rollbook_core::identity::Organisation;
use rollbook_core::ledger::Ledger;
use rollbook_core::pass::{Denied, SignedPass};
use rollbook_core::protocol::PROTOCOL;
use rollbook_core::record::Record;
use rollbook_core::validators::NodeStatus;
use rollbook_core::{next, pass, protocol};
use rollbook_proof::chain::{CheckpointSignature, HandoverCheckpoint, Seal};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, VerifierCache};
use tokio::sync::{oneshot, watch};

use super::Failure;
use super::chain::{AppHandles, Judged, NodeApp};
use super::clock::NodeClock;
use super::writer::{Job, StoredReceipt};
use crate::network::{
    AllowedPeer, Answer, NetworkEvent, NetworkHandle, NodeAddress, PeerKey, Protocol, Responder,
    Role, Topic, Verdict,
};
use crate::replica::journal_storage::JournalStorage;
use crate::replica::message::{Batch, Frame};
use crate::replica::{Clock, Effect, Input, NotTaken, Replica, Status, message};

/// Commands waiting for the replica.
const COMMANDS: usize = 8_192;
/// Commands taken at once.
const AT_ONCE: usize = 256;
/// First number of bootstrap peers that the ledger does not know.
pub const BOOTSTRAP: u32 = 0x8000_0000;
/// State questions that wait for a receipt at most.
const QUESTIONS: usize = 256;
/// Gossip that is the same in a later one of these may be sent again.
const REPEAT_S: u64 = 4;
/// Bytes of the trailer of gossip.
const TRAILER: usize = 4;

/// What came of a submission.
pub type Submitted = Result<Hash, NotTaken>;

/// A value of the state with its proof, and the seal it is proved under, which is receipted.
#[derive(Debug, Clone)]
pub struct ProvedState {
    /// The value; none: it was never written.
    pub value: Option<Vec<u8>>,
    /// ICS23 proof.
    pub proof: Vec<u8>,
    /// The seal.
    pub seal: Seal,
    /// The checkpoint that ends with this seal.
    pub receipt: StoredReceipt,
}

/// What reaches the replica's thread.
#[derive(Debug)]
pub enum Command {
    /// From the network.
    Network(NetworkEvent),
    /// The answer to a request of the replica.
    Response {
        /// Of the request.
        id: u64,
        /// The answer, or nothing.
        bytes: Option<Vec<u8>>,
    },
    /// A record handed in.
    Submit {
        /// The envelope.
        bytes: Vec<u8>,
        /// Takes what came of it.
        reply: oneshot::Sender<Submitted>,
    },
    /// A proved value, under the newest receipt.
    State {
        /// Path in the proved tables.
        path: Vec<u8>,
        /// Takes the answer; dropped when too many wait.
        reply: oneshot::Sender<Result<ProvedState, String>>,
    },
    /// Entries of a proved table at the tip.
    List {
        /// First part of the paths.
        table: String,
        /// Key of the last entry seen.
        after: Option<String>,
        /// Entries at most.
        limit: usize,
        /// Takes the height and the entries; nothing for an unknown table or key.
        reply: oneshot::Sender<(u64, Option<Vec<crate::api::lists::Item>>)>,
    },
    /// The next sequence of a person.
    Sequence {
        /// Person number.
        person: u32,
        /// Takes one above the highest used.
        reply: oneshot::Sender<u64>,
    },
    /// Whether a reader may see what is for members.
    Reader {
        /// The reader's pass.
        pass: SignedPass,
        /// Organisation number of this node.
        node: u32,
        /// Takes the answer.
        reply: oneshot::Sender<Result<(), Denied>>,
    },
    /// What a record would meet, without handing it in; with everybody who may sign for its
    /// principal.
    Judge {
        /// The envelope.
        bytes: Vec<u8>,
        /// Takes the judgement.
        reply: oneshot::Sender<Rehearsal>,
    },
    /// Where an object stands and what follows.
    Next {
        /// Which.
        about: About,
        /// Takes the answer; none: there is no such object.
        reply: oneshot::Sender<Option<next::Next>>,
    },
    /// Stop in order.
    Stop,
}

/// What is asked about.
#[derive(Debug)]
pub enum About {
    /// An object by its number.
    Object(next::Object, u32),
    /// The object of a record that is decided.
    Record(Box<Record>),
}

/// Answer to [`Command::Judge`].
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The judgement.
    pub judged: Judged,
    /// The principal, if there is one of that number.
    pub principal: Option<Organisation>,
    /// Who may sign for it now.
    pub signers: Vec<next::MaySign>,
    /// Where the object of the act stands now, if the act names one.
    pub now: Option<next::Next>,
}

/// What the node tells about itself at any time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Of the replica.
    pub status: Status,
    /// The newest seal.
    pub seal: Seal,
    /// Validators of the next height.
    pub validators: Vec<u32>,
    /// Nodes by organisation: transport key, address, whether it holds a seat.
    pub nodes: BTreeMap<u32, (PeerKey, String, bool)>,
    /// Where the ledger says each node stands, those that have gone included.
    pub standing: BTreeMap<u32, NodeStatus>,
    /// Founders whose record is not in the log yet.
    pub founders_missing: u32,
    /// Rule versions.
    pub protocol: ProtocolStatus,
    /// Records taken, refused, decided since the start.
    pub counts: Counts,
}

/// Rule versions as of the next block (RULINGS A18).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ProtocolStatus {
    /// In force.
    pub in_force: u32,
    /// The newest this build knows.
    pub known: u32,
    /// Newer versions that validators have announced: how many of them know it.
    pub support: BTreeMap<u32, usize>,
    /// Decided and not begun: version, first height, release.
    pub coming: Option<(u32, u64, String)>,
}

fn protocol_status(ledger: &Ledger) -> ProtocolStatus {
    let (tables, next) = (ledger.tables(), ledger.height() + 1);
    let in_force = protocol::at(tables, next);
    let coming = protocol::coming(tables, next);
    let support = (in_force + 1..=PROTOCOL.max(in_force + 1))
        .map(|v| (v, protocol::supporters(tables, v).len()));
    ProtocolStatus {
        in_force,
        known: PROTOCOL,
        support: support.filter(|(_, count)| *count > 0).collect(),
        coming: coming.map(|(version, facts)| {
            (
                version,
                facts.from_height,
                facts.release.as_str().to_owned(),
            )
        }),
    }
}

/// Totals since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submissions taken.
    pub admitted: u64,
    /// Submissions refused.
    pub refused: u64,
    /// Records decided.
    pub records: u64,
    /// Blocks decided.
    pub blocks: u64,
    /// Messages that the network's queue had no room for.
    pub unsent: u64,
}

/// The sending side of the channel.
#[derive(Debug, Clone)]
pub struct Commands(SyncSender<Command>);

impl Commands {
    /// Sends if there is room.
    pub fn try_send(&self, command: Command) -> bool {
        self.0.try_send(command).is_ok()
    }

    /// Sends, waiting for room.
    pub async fn send(&self, command: Command) -> bool {
        let mut command = command;
        loop {
            match self.0.try_send(command) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) => command = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The channel.
pub fn channel() -> (Commands, Receiver<Command>) {
    let (sender, receiver) = sync_channel(COMMANDS);
    (Commands(sender), receiver)
}

type NodeReplica = Replica<NodeApp, JournalStorage, VerifierCache>;

/// What the thread works with.
pub struct Host {
    /// The replica, not started.
    pub replica: NodeReplica,
    /// Shared handles of its app.
    pub app: AppHandles,
    /// The clock.
    pub clock: Arc<NodeClock>,
    /// The network.
    pub network: NetworkHandle,
    /// The runtime on which requests wait.
    pub runtime: tokio::runtime::Handle,
    /// Commands in.
    pub commands: Receiver<Command>,
    /// Where answers of peers come back to.
    pub own: Commands,
    /// The store's queue.
    pub jobs: SyncSender<Job>,
    /// Peers of the config.
    pub bootstrap: Vec<AllowedPeer>,
    /// Records of the genesis file, handed in until all founders are in the log.
    pub found: Vec<Record>,
    /// Snapshots out.
    pub snapshots: watch::Sender<Snapshot>,
}

/// Runs the replica until it is stopped. The store's queue is closed when this returns.
pub fn run(host: Host) -> Result<(), Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(move || Loop::new(host).run()));
    match outcome {
        Ok(result) => result,
        Err(panic) => {
            let why = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or(panic.downcast_ref::<&str>().copied());
            Err(Failure::new(
                "the node stopped on a fault of this program",
                why.unwrap_or("no further words"),
                "start it again; if it stops at the same height, keep the data folder and report the log",
            ))
        }
    }
}

/// The first snapshot, before the replica has started.
pub fn snapshot(replica: &NodeReplica, counts: Counts) -> Snapshot {
    let ledger = replica.app().ledger();
    let seats: Vec<u32> = ledger.validators().iter().map(|v| v.validator).collect();
    let nodes = ledger
        .tables()
        .nodes
        .iter()
        .filter(|(_, node)| node.status != NodeStatus::Gone);
    let nodes = nodes.map(|(organisation, node)| {
        let seat = seats.contains(organisation);
        (
            *organisation,
            (
                node.transport.into(),
                node.address.as_str().to_owned(),
                seat,
            ),
        )
    });
    Snapshot {
        status: replica.status(),
        seal: ledger.tip().seal.clone(),
        nodes: nodes.collect(),
        standing: ledger
            .tables()
            .nodes
            .iter()
            .map(|(organisation, node)| (*organisation, node.status))
            .collect(),
        validators: seats,
        protocol: protocol_status(ledger),
        founders_missing: ledger
            .tables()
            .chain
            .get(&0)
            .map_or(0, |facts| facts.founders_missing),
        counts,
    }
}

struct Question {
    path: Vec<u8>,
    reply: oneshot::Sender<Result<ProvedState, String>>,
}

struct Loop {
    host: Host,
    started: Instant,
    keys: BTreeMap<u32, PeerKey>,
    organisations: BTreeMap<PeerKey, u32>,
    connected: BTreeMap<PeerKey, Role>,
    responders: BTreeMap<u64, Responder>,
    next_request: u64,
    submissions: BTreeMap<u64, oneshot::Sender<Submitted>>,
    next_tag: u64,
    questions: VecDeque<Question>,
    receipt: Option<StoredReceipt>,
    unanswered: VecDeque<u64>,
    counts: Counts,
    stop: Option<Failure>,
}

impl Loop {
    fn new(host: Host) -> Loop {
        Loop {
            host,
            started: Instant::now(),
            keys: BTreeMap::new(),
            organisations: BTreeMap::new(),
            connected: BTreeMap::new(),
            responders: BTreeMap::new(),
            next_request: 0,
            submissions: BTreeMap::new(),
            next_tag: 0,
            questions: VecDeque::new(),
            receipt: None,
            unanswered: VecDeque::new(),
            counts: Counts::default(),
            stop: None,
        }
    }

    fn clock(&self) -> Clock {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Clock {
            elapsed_ms,
            wall_ms: self.host.clock.now_ms(),
        }
    }

    fn run(mut self) -> Result<(), Failure> {
        self.nodes_changed();
        self.step(Input::Tick);
        let found: Vec<Vec<u8>> = self.host.found.iter().map(encode).collect();
        for bytes in found {
            self.next_tag += 1;
            self.step(Input::Submit {
                tag: self.next_tag,
                bytes,
            });
        }
        loop {
            self.settle();
            if let Some(failure) = self.stop {
                return Err(failure);
            }
            let wait = match self.host.replica.wake_at() {
                Some(at) => Duration::from_millis(at.saturating_sub(self.clock().elapsed_ms)),
                None => Duration::from_secs(1),
            };
            // A sample clock may be stepped while the replica sleeps until a deadline of real time.
            let mut batch = match self
                .host
                .commands
                .recv_timeout(wait.min(Duration::from_millis(500)))
            {
                Ok(command) => vec![command],
                Err(RecvTimeoutError::Timeout) => {
                    self.step(Input::Tick);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            };
            while batch.len() < AT_ONCE {
                match self.host.commands.try_recv() {
                    Ok(command) => batch.push(command),
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.preverify(&batch);
            for command in batch {
                if matches!(command, Command::Stop) {
                    return self.finish();
                }
                self.command(command);
            }
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if let Some(failure) = self.stop {
            return Err(failure);
        }
        self.host
            .replica
            .storage_mut()
            .journal_mut()
            .note_clean_stop()?;
        Ok(())
    }

    /// Verifies the signatures of everything that came at once, by all cores.
    fn preverify(&mut self, batch: &[Command]) {
        let mut records = Vec::new();
        for command in batch {
            match command {
                Command::Submit { bytes, .. } => records.extend(decode::<Record>(bytes).ok()),
                Command::Network(NetworkEvent::Gossip {
                    topic: Topic::Records,
                    data,
                    ..
                }) => {
                    let length = data.len().saturating_sub(TRAILER);
                    let Some(Ok(batch)) = data.get(..length).map(decode::<Batch>) else {
                        continue;
                    };
                    records.extend(
                        batch
                            .records
                            .iter()
                            .filter_map(|bytes| decode::<Record>(bytes).ok()),
                    );
                }
                _ => {}
            }
        }
        self.host.replica.app_mut().preverify(&records);
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Network(event) => self.network(event),
            Command::Response { id, bytes } => self.step(Input::Response { id, bytes }),
            Command::Submit { bytes, reply } => {
                self.next_tag += 1;
                self.submissions.insert(self.next_tag, reply);
                self.step(Input::Submit {
                    tag: self.next_tag,
                    bytes,
                });
            }
            Command::State { path, reply } => {
                if self.questions.len() < QUESTIONS {
                    self.questions.push_back(Question { path, reply });
                }
            }
            Command::List {
                table,
                after,
                limit,
                reply,
            } => {
                let ledger = self.host.replica.app().ledger();
                let items =
                    crate::api::lists::page(ledger.tables(), &table, after.as_deref(), limit);
                let _ = reply.send((ledger.height(), items));
            }
            Command::Sequence { person, reply } => {
                let used = self
                    .host
                    .replica
                    .app()
                    .ledger()
                    .tables()
                    .lanes
                    .get(&person)
                    .map_or(0, |lane| lane.highest);
                let _ = reply.send(used.saturating_add(1));
            }
            Command::Reader { pass, node, reply } => {
                let ledger = self.host.replica.app().ledger();
                let (ledger_ms, real_ms) = (ledger.tip().seal.time_ms, super::clock::real_ms());
                let _ = reply.send(pass::admit(
                    ledger.tables(),
                    (ledger.chain(), node),
                    &pass,
                    ledger_ms,
                    real_ms,
                ));
            }
            Command::Judge { bytes, reply } => {
                let _ = reply.send(self.rehearse(&bytes));
            }
            Command::Next { about, reply } => {
                let tables = self.host.replica.app().ledger().tables();
                let object = match about {
                    About::Object(object, number) => Some((object, number)),
                    About::Record(record) => next::subject(
                        tables,
                        record.payload.principal,
                        &record.id(),
                        &record.payload.body,
                    ),
                };
                let _ = reply
                    .send(object.and_then(|(object, number)| next::of(tables, object, number)));
            }
            Command::Stop => {}
        }
    }

    fn rehearse(&mut self, bytes: &[u8]) -> Rehearsal {
        let now = self.host.clock.now_ms();
        let judged = self.host.replica.app_mut().judge(bytes, now);
        let tables = self.host.replica.app().ledger().tables();
        let Ok(record) = decode::<Record>(bytes) else {
            return Rehearsal {
                judged,
                principal: None,
                signers: Vec::new(),
                now: None,
            };
        };
        let principal = record.payload.principal;
        let object = next::subject(tables, principal, &record.id(), &record.payload.body);
        Rehearsal {
            judged,
            principal: tables.organisations.get(&principal).cloned(),
            signers: next::signers(tables, principal, now),
            now: object.and_then(|(object, number)| next::of(tables, object, number)),
        }
    }

    fn network(&mut self, event: NetworkEvent) {
        match event {
            NetworkEvent::Gossip {
                from,
                topic,
                mut data,
                ticket,
                ..
            } => {
                let Some(length) = data.len().checked_sub(TRAILER) else {
                    return self.host.network.report(ticket, Verdict::Reject);
                };
                data.truncate(length);
                let tip = self.host.replica.app().ledger().height();
                // Only shape and height are judged before a message is passed on: the rates of a
                // peer bound the rest, and what is signed is checked by whoever uses it.
                let verdict = match topic {
                    Topic::Records if decode::<Batch>(&data).is_ok() => Verdict::Accept,
                    Topic::Consensus => match decode::<Frame>(&data).map(|frame| frame.height()) {
                        Ok(Some(height)) if height <= tip || height > tip + 2 => Verdict::Ignore,
                        Ok(_) => Verdict::Accept,
                        Err(_) => Verdict::Reject,
                    },
                    Topic::Records => Verdict::Reject,
                };
                self.host.network.report(ticket, verdict);
                let Some(from) = self.organisations.get(&from).copied() else {
                    return;
                };
                if verdict != Verdict::Reject {
                    self.step(match topic {
                        Topic::Records => Input::Records { from, bytes: data },
                        Topic::Consensus => Input::Frame { from, bytes: data },
                    });
                }
            }
            NetworkEvent::Request {
                peer,
                data,
                responder,
                ..
            } => {
                let Some(from) = self.organisations.get(&peer).copied() else {
                    self.host.network.respond(responder, Answer::Refused);
                    return;
                };
                self.next_request += 1;
                let id = self.next_request;
                self.responders.insert(id, responder);
                self.step(Input::Request {
                    from,
                    id,
                    bytes: data,
                });
                // Exactly one answer each; a stopped replica gives none.
                self.responders.remove(&id);
            }
            NetworkEvent::PeerConnected { peer, role } => {
                self.connected.insert(peer, role);
                tracing::info!(%peer, organisation = self.organisations.get(&peer), ?role, "peer connected");
                self.peers();
            }
            NetworkEvent::PeerDisconnected { peer } => {
                self.connected.remove(&peer);
                tracing::info!(%peer, organisation = self.organisations.get(&peer), "peer disconnected");
                self.peers();
            }
            NetworkEvent::ListenFailed { address, reason } => {
                let next = "free the address or change `listen`, then start again";
                self.stop = Some(Failure::new(
                    format!("cannot listen on {address} any more"),
                    reason,
                    next,
                ));
            }
            NetworkEvent::WrongChain { peer, theirs } => {
                tracing::warn!(%peer, theirs, "a peer runs another chain or program; it was disconnected");
            }
        }
    }

    fn peers(&mut self) {
        let peers = self
            .connected
            .keys()
            .filter_map(|key| self.organisations.get(key).copied())
            .collect();
        self.step(Input::Peers(peers));
    }

    /// The table of nodes has changed: who is who, and who may connect.
    fn nodes_changed(&mut self) {
        if !self.host.app.take_nodes_changed() {
            return;
        }
        let ledger = self.host.replica.app().ledger();
        let mut current: Vec<u32> = ledger.validators().iter().map(|v| v.validator).collect();
        // Leaving validators serve until the block after the handover is decided (RULINGS A3): its
        // quorum may need them.
        if ledger.needs_handover_checkpoint() {
            current.extend(ledger.tip_policy().validators.iter().map(|v| v.org));
        }
        let mut allowed = self.host.bootstrap.clone();
        self.keys.clear();
        self.organisations.clear();
        for (number, peer) in (BOOTSTRAP..).zip(&self.host.bootstrap) {
            self.keys.insert(number, peer.key);
            self.organisations.insert(peer.key, number);
        }
        for (organisation, node) in ledger.tables().nodes.iter() {
            if node.status == NodeStatus::Gone && !current.contains(organisation) {
                continue;
            }
            let key = PeerKey::from(node.transport);
            if let Some(stranger) = self.organisations.insert(key, *organisation) {
                self.keys.remove(&stranger);
            }
            self.keys.insert(*organisation, key);
            let role = if current.contains(organisation) {
                Role::Validator
            } else {
                Role::Member
            };
            allowed.push(AllowedPeer {
                key,
                addresses: address_of(node.address.as_str()).into_iter().collect(),
                role,
            });
        }
        let network = self.host.network.clone();
        self.host.runtime.spawn(async move {
            if let Err(error) = network.set_allowed(allowed).await {
                tracing::error!(%error, "the list of peers was not taken");
            }
        });
        self.peers();
    }

    fn step(&mut self, input: Input) {
        let clock = self.clock();
        let effects = self.host.replica.step(clock, input);
        for effect in effects {
            self.effect(effect);
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Broadcast(bytes) => self.publish(Topic::Consensus, bytes),
            Effect::Gossip(bytes) => self.publish(Topic::Records, bytes),
            Effect::Request { id, to, bytes } => self.request(id, to, bytes),
            Effect::Respond { id, bytes, .. } => {
                if let Some(responder) = self.responders.remove(&id) {
                    self.host.network.respond(responder, Answer::Data(bytes));
                }
            }
            Effect::Admitted { tag, record } => {
                self.counts.admitted += 1;
                self.answer(tag, Ok(record));
            }
            Effect::Refused { tag, reason } => {
                self.counts.refused += 1;
                self.answer(tag, Err(reason));
            }
            Effect::Decided {
                height, records, ..
            } => {
                self.counts.blocks += 1;
                self.counts.records += records.len() as u64;
                tracing::debug!(height, records = records.len(), "decided");
            }
            Effect::Receipted(receipt) => {
                let cosignatures =
                    receipt
                        .cosignatures
                        .iter()
                        .map(|(validator, time_s, signature)| CheckpointSignature {
                            validator: *validator,
                            time_s: *time_s,
                            signature: *signature,
                        });
                let stored = StoredReceipt {
                    height: receipt.checkpoint.height,
                    checkpoint: HandoverCheckpoint {
                        size: receipt.checkpoint.size,
                        root: receipt.checkpoint.root,
                        cosignatures: cosignatures.collect(),
                    },
                    log: receipt.log,
                };
                if self
                    .receipt
                    .as_ref()
                    .is_none_or(|known| known.height <= stored.height)
                {
                    self.receipt = Some(stored.clone());
                }
                let _ = self.host.jobs.send(Job::Receipt(stored));
            }
            Effect::Stop(reason) => {
                let next = match self.host.replica.app().ledger().next_protocol() {
                    Err(unknown) => format!(
                        "install release {} of rollbook on this machine and start the node again; the data stays as it is, and the \
                         others go on without this node",
                        unknown.release
                    ),
                    Ok(_) => {
                        "read the next step named above; nothing that was acknowledged is lost, and the node may be started \
                              again"
                            .to_owned()
                    }
                };
                self.stop = Some(Failure::new("the node stopped", reason, next));
            }
        }
    }

    fn answer(&mut self, tag: u64, submitted: Submitted) {
        if let Some(reply) = self.submissions.remove(&tag) {
            let _ = reply.send(submitted);
        }
    }

    /// Gossips bytes with a trailer that changes every few seconds. gossipsub drops what it has
    /// seen and forgets it only when something new comes: on a chain where everybody only repeats
    /// (a vote that was lost, a cosignature somebody lacks), the same bytes would be dropped for
    /// ever. The trailer means nothing and is cut off on arrival.
    fn publish(&mut self, topic: Topic, mut bytes: Vec<u8>) {
        let turn = (super::clock::real_ms() / 1_000 / REPEAT_S) as u32;
        bytes.extend_from_slice(&turn.to_le_bytes());
        if let Err(error) = self.host.network.publish(topic, bytes) {
            self.counts.unsent += 1;
            tracing::debug!(%error, topic = topic.name(), "not published");
        }
    }

    fn request(&mut self, id: u64, to: u32, bytes: Vec<u8>) {
        let Some(peer) = self
            .keys
            .get(&to)
            .copied()
            .filter(|key| self.connected.contains_key(key))
        else {
            return self.unanswered.push_back(id);
        };
        let protocol = match decode::<message::Request>(&bytes) {
            Ok(message::Request::Blocks { .. }) => Protocol::Sync,
            Ok(message::Request::Body { .. }) => Protocol::Body,
            _ => Protocol::Ask,
        };
        let (network, own) = (self.host.network.clone(), self.host.own.clone());
        self.host.runtime.spawn(async move {
            let answer = network.request(peer, protocol, bytes, protocol.timeout()).await;
            if let Err(error) = &answer {
                tracing::debug!(%error, %peer, protocol = protocol.name(), "a request brought nothing");
            }
            own.send(Command::Response { id, bytes: answer.ok() }).await;
        });
    }

    /// After a round of commands: requests that could not be made, changed nodes, questions, the
    /// snapshot.
    fn settle(&mut self) {
        // Bounded: what fails at once is taken once a round, so that a replica that asks again
        // cannot spin here.
        for id in std::mem::take(&mut self.unanswered) {
            self.step(Input::Response { id, bytes: None });
        }
        self.nodes_changed();
        let status = self.host.replica.status();
        self.answer_questions();
        let known = self.host.snapshots.borrow();
        let same = known.status == status && known.counts == self.counts;
        let tip = known.status.tip;
        drop(known);
        if same {
            return;
        }
        if tip == status.tip {
            let counts = self.counts;
            self.host.snapshots.send_modify(|snapshot| {
                snapshot.status = status;
                snapshot.counts = counts;
            });
        } else {
            self.host
                .snapshots
                .send_replace(snapshot(&self.host.replica, self.counts));
        }
    }

    /// State is proved at the tip, so a question waits until the tip is receipted: at most a few
    /// blocks, since every checkpoint of a quiet moment is cosigned.
    fn answer_questions(&mut self) {
        let ledger = self.host.replica.app().ledger();
        let Some(receipt) = self
            .receipt
            .clone()
            .filter(|receipt| receipt.height == ledger.height())
        else {
            return;
        };
        while let Some(Question { path, reply }) = self.questions.pop_front() {
            let answer = ledger
                .state()
                .prove(&path)
                .map_err(|error| error.to_string());
            let _ = reply.send(answer.map(|(value, proof)| ProvedState {
                value,
                proof,
                seal: ledger.tip().seal.clone(),
                receipt: receipt.clone(),
            }));
        }
    }
}

/// An address as a node registers it: host and port.
pub fn address_of(text: &str) -> Option<NodeAddress> {
    if let Ok(at) = text.parse() {
        return Some(NodeAddress::Ip(at));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some(NodeAddress::Name(host.to_owned(), port.parse().ok()?)).filter(|_| !host.is_empty())
}
