//! The loop of the thread: commands to inputs, inputs through the replica, effects to the world.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_core::known;
use rollbook_core::record::Record;
use rollbook_core::view::open::Open;
use rollbook_core::view::validators;
use rollbook_proof::chain::{CheckpointSignature, HandoverCheckpoint, LogSignature};
use rollbook_proof::codec::encode;
use rollbook_proof::number::LedgerTime;
use tokio::sync::watch;

use super::app::{Aside, Delivery, NodeReplica};
use super::arrival::{Arrival, Gossip, Relayed, arrive, verdict_on, with_trailer};
use super::command::{Command, Commands, Queues, Reply, Submitted};
use super::keyring::Keyring;
use super::peers::Peers;
use super::questions;
use super::questions::StateQuestions;
use super::snapshot::{Counts, Snapshot, snapshot};
use super::told::Told;
use crate::clock::NodeClock;
use crate::failure::Failure;
use crate::network::{
    AllowedPeer, Answer, NetworkEvent, NetworkHandle, Protocol, Responder, Topic, Verdict,
};
use crate::replica::message::{Envelope, Request};
use crate::replica::{Clock, Effect, Input, NotTaken, Receipt};
use crate::store::view::StoredReceipt;
use crate::store::writer::Job;

/// Commands taken at once.
const AT_ONCE: usize = 256;

/// How often it is looked whether the journal still stands in its folder.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the thread works with.
pub struct Parts {
    /// The replica, not started.
    pub replica: NodeReplica,
    /// Where what leaves the ledger goes.
    pub delivery: Delivery,
    /// The officers' keys, for the API.
    pub keyring: Keyring,
    /// The clock.
    pub clock: Arc<NodeClock>,
    /// The network.
    pub network: NetworkHandle,
    /// The runtime on which requests wait.
    pub runtime: tokio::runtime::Handle,
    /// Commands in.
    pub commands: Queues,
    /// Where answers of peers come back to.
    pub own: Commands,
    /// Peers of the config.
    pub bootstrap: Vec<AllowedPeer>,
    /// Records of the genesis file, handed in until all founders are in the log.
    pub found: Vec<Record>,
    /// Snapshots out.
    pub snapshots: watch::Sender<Snapshot>,
    /// The newest receipt in the store: a node that finds nobody after its start answers by it.
    pub receipt: Option<StoredReceipt>,
}

/// Runs the replica until it is stopped. The store's queue is closed when this returns.
pub fn run(parts: Parts) -> Result<(), Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(move || Loop::new(parts).run()));
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
                "start it again; if it stops at the same height, keep the data folder and report \
                 the log",
            ))
        }
    }
}

struct Loop {
    parts: Parts,
    started: Instant,
    peers: Peers,
    responders: BTreeMap<u64, Responder>,
    next_request: u64,
    /// Who waits for the answer to a submission.
    submissions: BTreeMap<u64, Reply<Submitted>>,
    next_tag: u64,
    questions: StateQuestions,
    relayed: Relayed,
    unanswered: VecDeque<u64>,
    /// What becomes of the batch of records that was judged last.
    heard: Verdict,
    counts: Counts,
    /// The open objects, followed from block to block.
    open: Open,
    /// What the log has said.
    told: Told,
    /// When the journal was last looked for.
    looked: Instant,
    /// Connections of peers so far: what is published after one is new to gossipsub.
    came: u32,
    stop: Option<Failure>,
}

impl Loop {
    fn new(parts: Parts) -> Loop {
        let mut questions = StateQuestions::default();
        if let Some(receipt) = &parts.receipt {
            questions.receipted(receipt);
        }
        Loop {
            open: Open::of(parts.replica.app().ledger().tables()),
            parts,
            started: Instant::now(),
            peers: Peers::default(),
            responders: BTreeMap::new(),
            next_request: 0,
            submissions: BTreeMap::new(),
            next_tag: 0,
            questions,
            relayed: Relayed::default(),
            unanswered: VecDeque::new(),
            heard: Verdict::Ignore,
            counts: Counts::default(),
            told: Told::new(),
            looked: Instant::now(),
            came: 0,
            stop: None,
        }
    }

    fn clock(&self) -> Clock {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Clock {
            elapsed_ms,
            wall_ms: self.parts.clock.now_ms(),
        }
    }

    fn run(mut self) -> Result<(), Failure> {
        self.nodes_changed();
        self.step(Input::Tick);
        for record in std::mem::take(&mut self.parts.found) {
            self.next_tag += 1;
            self.step(Input::Submit {
                tag: self.next_tag,
                envelope: Envelope::of(record),
            });
        }
        loop {
            self.settle();
            if let Some(failure) = self.stop {
                return Err(failure);
            }
            let wait = match self.parts.replica.wake_at() {
                Some(at) => Duration::from_millis(at.saturating_sub(self.clock().elapsed_ms)),
                None => Duration::from_secs(1),
            };
            // A sample clock may be stepped while the replica sleeps until a deadline of real time.
            let wait = wait.min(Duration::from_millis(500));
            let Some(batch) = self.parts.commands.take(wait, AT_ONCE) else {
                return self.finish();
            };
            if batch.is_empty() {
                self.step(Input::Tick);
                continue;
            }
            let arrivals = arrive(batch);
            let verifier = self.parts.replica.app_mut().verifier_mut();
            for seen in arrivals.iter().filter_map(Arrival::seen) {
                verifier.remember(seen);
            }
            let records: Vec<&Record> = arrivals.iter().flat_map(Arrival::records).collect();
            let now = LedgerTime(self.parts.clock.now_ms());
            self.parts.replica.app_mut().verify_offered(&records, now);
            for arrival in arrivals {
                if matches!(arrival, Arrival::Plain(Command::Stop)) {
                    return self.finish();
                }
                self.arrival(arrival);
            }
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if let Some(failure) = self.stop {
            return Err(failure);
        }
        self.parts
            .replica
            .storage_mut()
            .journal_mut()
            .note_clean_stop()?;
        Ok(())
    }

    fn arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Gossip {
                from,
                ticket,
                message,
            } => {
                let mut verdict = message.verdict(self.parts.replica.app().ledger().height());
                if let (Gossip::Frame(frame), Verdict::Accept) = (&message, verdict) {
                    let worth = self.parts.replica.worth(frame);
                    verdict = self.relayed.verdict(worth, self.clock().elapsed_ms);
                }
                let from = self.peers.organisation(&from);
                match (message, from) {
                    (Gossip::Records(records), Some(_)) => {
                        self.heard = Verdict::Ignore;
                        self.step(Input::Records(records));
                        self.parts.network.report(ticket, self.heard);
                    }
                    (Gossip::Frame(frame), Some(from)) => {
                        self.parts.network.report(ticket, verdict);
                        if verdict != Verdict::Reject {
                            self.step(Input::Frame { from, frame });
                        }
                    }
                    (Gossip::Unreadable, _) | (_, None) => {
                        self.parts.network.report(ticket, verdict);
                    }
                }
            }
            Arrival::Request {
                peer,
                request,
                responder,
            } => {
                let Some(from) = self.peers.organisation(&peer) else {
                    self.parts.network.respond(responder, Answer::Refused);
                    return;
                };
                self.next_request += 1;
                let id = self.next_request;
                self.responders.insert(id, responder);
                self.step(Input::Request { from, id, request });
                // Exactly one answer each; a stopped replica gives none.
                self.responders.remove(&id);
            }
            Arrival::Response { id, response } => self.step(Input::Response { id, response }),
            Arrival::Submit {
                envelope, reply, ..
            } => {
                self.next_tag += 1;
                let tag = self.next_tag;
                self.submissions.insert(tag, reply);
                let envelope = *envelope;
                self.step(Input::Submit { tag, envelope });
            }
            Arrival::Plain(command) => self.command(command),
        }
    }

    fn command(&mut self, command: Command) {
        if command.is_given_up() {
            return;
        }
        let now_ms = self.parts.clock.now_ms();
        let app = self.parts.replica.app_mut();
        match command {
            Command::Network(event) => self.network(event),
            // Decoded before they come here.
            Command::Response { .. } | Command::Submit { .. } => {}
            Command::State { path, reply } => self.questions.ask(path, reply),
            Command::List {
                table,
                after,
                limit,
                reply,
            } => {
                let ledger = app.ledger();
                let items = questions::page(ledger.tables(), &table, after.as_deref(), limit);
                reply.send((ledger.height(), items));
            }
            Command::Sequence {
                place,
                reader,
                reply,
            } => {
                let told = questions::sequence(app.ledger(), place, reader);
                let waiting = self.parts.replica.highest_waiting(place.0, place.1);
                // What waits is no act yet: the public lane's numbers in the log are all that others
                // may count.
                let told = told.map(|mut told| {
                    if told.is_colleague {
                        told.next = told.next.max(waiting.saturating_add(1));
                    }
                    told
                });
                reply.send(told);
            }
            Command::Reader { pass, node, reply } => {
                reply.send(questions::reader(app.ledger(), node, &pass));
            }
            Command::Judge {
                record,
                class,
                reader,
                may_presume,
                reply,
            } => {
                let asks = questions::Asks {
                    class,
                    reader,
                    may_presume,
                };
                let mut rehearsal = questions::rehearse(app, &record, asks, now_ms);
                let number = record.payload.number();
                let id = record.id();
                let holder = self.parts.replica.with_number(&number);
                rehearsal.waits_with_number = holder.filter(|holder| *holder != id);
                reply.send(rehearsal);
            }
            Command::SignsFor {
                person,
                principals,
                reply,
            } => {
                let tables = app.ledger().tables();
                reply.send(questions::signs_for(tables, person, principals, now_ms));
            }
            Command::Next {
                about,
                class,
                reply,
            } => {
                reply.send(questions::next(app.ledger(), about, class));
            }
            Command::View {
                about: (object, number),
                class,
                reply,
            } => {
                reply.send(questions::view(app, object, number, class));
            }
            Command::Validators { changes, reply } => {
                let ledger = app.ledger();
                let next = ledger.height().next();
                reply.send(validators::of(ledger.tables(), next, &changes));
            }
            Command::Tasks {
                whose,
                class,
                reply,
            } => {
                reply.send(questions::tasks(app, &self.open, whose, class));
            }
            Command::Known {
                about: (about, number),
                class,
                reply,
            } => {
                let tables = app.ledger().tables();
                reply.send(known::of(tables, about, number, class));
            }
            Command::Unit { body, reply } => {
                reply.send(known::unit(app.ledger().tables(), &body));
            }
            Command::Stop => {}
        }
    }

    fn network(&mut self, event: NetworkEvent) {
        match event {
            // Decoded before they come here.
            NetworkEvent::Gossip { .. } | NetworkEvent::Request { .. } => {}
            NetworkEvent::PeerConnected { peer, role } => {
                self.peers.came(peer, role);
                self.came = self.came.wrapping_add(1);
                let organisation = self.peers.organisation(&peer);
                if let Some(untold) = self.told.peer(peer) {
                    tracing::info!(%peer, organisation, ?role, untold, "peer connected");
                }
                self.step(Input::Peers(self.peers.connected()));
            }
            NetworkEvent::PeerDisconnected { peer } => {
                self.peers.went(&peer);
                let organisation = self.peers.organisation(&peer);
                if let Some(untold) = self.told.peer(peer) {
                    tracing::info!(%peer, organisation, untold, "peer disconnected");
                }
                self.step(Input::Peers(self.peers.connected()));
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
                tracing::warn!(
                    %peer,
                    theirs,
                    "a peer runs another chain or program; it was disconnected"
                );
            }
        }
    }

    /// The table of nodes has changed: who is who, and who may connect.
    fn nodes_changed(&mut self) {
        if !self.parts.delivery.take_nodes_changed() {
            return;
        }
        let ledger = self.parts.replica.app().ledger();
        let allowed = self.peers.renew(ledger, &self.parts.bootstrap);
        let network = self.parts.network.clone();
        self.parts.runtime.spawn(async move {
            if let Err(error) = network.set_allowed(allowed).await {
                tracing::error!(%error, "the list of peers was not taken");
            }
        });
        self.step(Input::Peers(self.peers.connected()));
    }

    fn step(&mut self, input: Input) {
        let clock = self.clock();
        let effects = self.parts.replica.step(clock, input);
        let outbox = self.parts.replica.app_mut().take_outbox();
        for (committed, _) in &outbox.committed {
            let tables = self.parts.replica.app().ledger().tables();
            let rows = &committed.execution.changes.rows;
            self.open.follow(tables, rows);
            self.parts.keyring.follow(tables, rows);
        }
        if let Err(error) = self.parts.delivery.deliver(outbox) {
            return self.stopped(error.to_string());
        }
        for effect in effects {
            self.effect(effect);
        }
    }

    fn stopped(&mut self, reason: String) {
        let next = match self.parts.replica.app().ledger().next_protocol() {
            Err(unknown) => format!(
                "install release {} of rollbook on this machine and start the node again; the data \
                 stays as it is, and the others go on without this node",
                unknown.release
            ),
            Ok(_) => "read the next step named above; nothing that was acknowledged is lost, and \
                      the node may be started again"
                .to_owned(),
        };
        self.stop = Some(Failure::new("the node stopped", reason, next));
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Broadcast(bytes) => self.publish(Topic::Consensus, bytes),
            Effect::Gossip(bytes) => self.publish(Topic::Records, bytes),
            Effect::Request { id, to, request } => self.request(id, to, &request),
            Effect::Respond { id, bytes, .. } => {
                if let Some(responder) = self.responders.remove(&id) {
                    self.parts.network.respond(responder, Answer::Data(bytes));
                }
            }
            Effect::Admitted { tag, .. } => {
                self.counts.admitted += 1;
                self.answer(tag, Ok(()));
            }
            Effect::Refused { tag, reason } => {
                self.counts.refused += 1;
                self.answer(tag, Err(reason));
            }
            Effect::Heard {
                taken,
                forged,
                unjudged,
            } => self.heard = verdict_on(taken, forged, unjudged),
            Effect::Aside {
                record,
                number,
                reason,
                left,
            } => {
                let aside = reason.map(|refused| Aside {
                    number,
                    refused,
                    left,
                });
                self.parts.delivery.aside(&record, aside);
            }
            Effect::Decided {
                height, records, ..
            } => {
                self.counts.blocks += 1;
                self.counts.records += records.len() as u64;
                self.told.decided(height, records.len());
            }
            Effect::Receipted(receipt) => {
                let stored = stored(receipt);
                self.questions.receipted(&stored);
                let _ = self.parts.delivery.jobs().send(Job::Receipt(stored));
            }
            Effect::Stop(reason) => self.stopped(reason),
        }
    }

    fn answer(&mut self, tag: u64, taken: Result<(), NotTaken>) {
        if let Some(reply) = self.submissions.remove(&tag) {
            reply.send(taken);
        }
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        let bytes = with_trailer(bytes, self.came);
        if let Err(error) = self.parts.network.publish(topic, bytes) {
            self.counts.unsent += 1;
            tracing::debug!(%error, topic = topic.name(), "not published");
        }
    }

    fn request(&mut self, id: u64, to: u32, request: &Request) {
        let Some(peer) = self.peers.reachable(to) else {
            return self.unanswered.push_back(id);
        };
        let protocol = match request {
            Request::Blocks { .. } => Protocol::Sync,
            Request::Body { .. } => Protocol::Body,
            Request::Tip | Request::Newest { .. } | Request::Wake { .. } => Protocol::Ask,
        };
        let bytes = encode(request);
        let (network, own) = (self.parts.network.clone(), self.parts.own.clone());
        self.parts.runtime.spawn(async move {
            let answer = network
                .request(peer, protocol, bytes, protocol.timeout())
                .await;
            if let Err(error) = &answer {
                tracing::debug!(
                    %error,
                    %peer,
                    protocol = protocol.name(),
                    "a request brought nothing"
                );
            }
            own.send(Command::Response {
                id,
                bytes: answer.ok(),
            })
            .await;
        });
    }

    /// Stops if the journal was taken away: what is written goes nowhere.
    fn look_for_journal(&mut self) {
        if self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.looked = Instant::now();
        if !self.parts.replica.storage_mut().journal_mut().is_in_place() {
            self.stop.get_or_insert(Failure::new(
                "the journal was deleted or moved away under the running node",
                "what it signs is kept nowhere",
                "if it was moved, put it back and start the node; else start the node as it is: it comes \
                 back from its peers, and votes once they have proved what it may have signed",
            ));
        }
    }

    /// After a round of commands: requests that could not be made, changed nodes, questions, the
    /// snapshot.
    fn settle(&mut self) {
        // Bounded: what fails at once is taken once a round, so that a replica that asks again
        // cannot spin here.
        for id in std::mem::take(&mut self.unanswered) {
            self.step(Input::Response { id, response: None });
        }
        self.nodes_changed();
        self.look_for_journal();
        let status = self.parts.replica.status();
        self.told.end_minute(status.tip);
        self.told.clock(&status);
        self.questions.answer(self.parts.replica.app().ledger());
        let known = self.parts.snapshots.borrow();
        let same = known.status == status && known.counts == self.counts;
        let tip = known.status.tip;
        drop(known);
        if same {
            return;
        }
        if tip == status.tip {
            let counts = self.counts;
            let started = self.started;
            self.parts.snapshots.send_modify(|snapshot| {
                snapshot.started = started;
                snapshot.status = status;
                snapshot.counts = counts;
            });
        } else {
            self.parts.snapshots.send_replace(snapshot(
                &self.parts.replica,
                self.counts,
                self.started,
            ));
        }
    }
}

/// A receipt as the store keeps it.
fn stored(receipt: Receipt) -> StoredReceipt {
    let cosignatures = receipt
        .cosignatures
        .into_iter()
        .map(|(validator, time_s, signature)| CheckpointSignature {
            validator,
            time_s,
            signature,
        });
    StoredReceipt {
        height: receipt.checkpoint.height,
        checkpoint: HandoverCheckpoint {
            size: receipt.checkpoint.size,
            root: receipt.checkpoint.root,
            log: LogSignature {
                validator: receipt.log.0,
                signature: receipt.log.1,
            },
            cosignatures: cosignatures.collect(),
        },
    }
}
