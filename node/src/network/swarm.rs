//! The swarm and the task that drives it.
//!
//! One task owns everything and takes one thing at a time: a swarm event, a command, an answer of
//! the shell, a finished name look-up, or the tick (dials, ends of cooling, meters). It never waits
//! for the shell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::request_response::{OutboundRequestId, ProtocolSupport};
use libp2p::swarm::{ListenError, NetworkBehaviour, SwarmEvent};
use libp2p::{
    PeerId, Swarm, Transport, TransportError, gossipsub, identify, identity, noise, ping,
    request_response, swarm, tcp, yamux,
};
use libp2p_allow_block_list as allow_block_list;
use libp2p_connection_limits as connection_limits;
use tokio::sync::{mpsc, oneshot, watch};

use super::address::{multiaddr, peer_id, peer_key, shown, socket_address};
use super::codec::Opaque;
use super::counters::Live;
use super::gate::{Gate, TooMany};
use super::gossip::Metered;
use super::handle::{Budget, Command, GossipTicket, Lease, NetworkEvents, NetworkHandle};
use super::peers::{AllowList, Book, Peer, rates_of};
use super::stream::GuardedStream;
use super::{
    Limits, NetworkConfig, NetworkEvent, NodeAddress, Protocol, Role, StartError, Topic, Verdict,
    gossip,
};

mod dials;
mod requests;
use dials::look_up;
use requests::{Answered, Outgoing};

/// How often dials, cooling and meters are looked at.
const TICK: Duration = Duration::from_millis(250);
/// A peer of another chain is let go after this time, so that both sides learn the reason: who
/// closes at once leaves the other with "connection is closed" for as long as it keeps dialling.
const LET_GO: Duration = Duration::from_millis(1_000);
/// A peer of another chain is reported once in this time.
const TELL_WRONG_CHAIN: Duration = Duration::from_secs(60);
/// Room in the event queue that gossip and requests leave for news of peers.
const RESERVED_EVENTS: usize = 64;
/// What a message the shell rejects, or a frame of a wrong form, counts as.
const STRIKES_FOR_INVALID: usize = 20;

#[derive(NetworkBehaviour)]
struct Behaviour {
    // The order is the order of refusal: address, allow-list, counts.
    gate: Gate,
    allowed: allow_block_list::Behaviour<allow_block_list::AllowedPeers>,
    limits: connection_limits::Behaviour,
    gossip: Metered,
    body: request_response::Behaviour<Opaque>,
    sync: request_response::Behaviour<Opaque>,
    ask: request_response::Behaviour<Opaque>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Behaviour {
    fn new(
        keys: &identity::Keypair,
        config: &NetworkConfig,
        version: String,
    ) -> Result<Behaviour, String> {
        let limits = &config.limits;
        let requests = |protocol: Protocol| {
            let settings = request_response::Config::default()
                .with_request_timeout(protocol.timeout())
                // Theirs and ours on one connection.
                .with_max_concurrent_streams(2 * protocol.max_unanswered());
            request_response::Behaviour::with_codec(
                Opaque(protocol),
                [(protocol.name(), ProtocolSupport::Full)],
                settings,
            )
        };
        Ok(Behaviour {
            gate: Gate::new(limits, Instant::now()),
            allowed: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(
                connection_limits::ConnectionLimits::default()
                    .with_max_pending_incoming(Some(limits.pending_inbound))
                    .with_max_established(Some(limits.connections))
                    // See `renew`.
                    .with_max_established_per_peer(Some(1)),
            ),
            gossip: Metered::new(&config.chain)?,
            body: requests(Protocol::Body),
            sync: requests(Protocol::Sync),
            ask: requests(Protocol::Ask),
            identify: identify::Behaviour::new(
                identify::Config::new(version, keys.public())
                    .with_agent_version(shown(&config.agent))
                    .with_push_listen_addr_updates(false)
                    .with_hide_listen_addrs(true)
                    .with_cache_size(0),
            ),
            ping: ping::Behaviour::new(
                ping::Config::new()
                    .with_interval(Duration::from_secs(10))
                    .with_timeout(Duration::from_secs(10)),
            ),
        })
    }

    fn requests(&mut self, protocol: Protocol) -> &mut request_response::Behaviour<Opaque> {
        match protocol {
            Protocol::Body => &mut self.body,
            Protocol::Sync => &mut self.sync,
            Protocol::Ask => &mut self.ask,
        }
    }
}

/// Starts the network on the current tokio runtime.
///
/// Fails if an address cannot be listened on, with words for the operator. After that the network
/// lives until [`NetworkHandle::stop`] or until every handle is dropped.
pub async fn start(config: NetworkConfig) -> Result<(NetworkHandle, NetworkEvents), StartError> {
    let mut seed = config.transport_seed;
    let keys = identity::Keypair::ed25519_from_bytes(&mut seed)
        .map_err(|e| StartError::Setup(e.to_string()))?;
    let own_id = keys.public().to_peer_id();
    let own = peer_key(&own_id)
        .ok_or_else(|| StartError::Setup("the transport key has no peer id".into()))?;
    let list = AllowList::new(config.allowed.clone(), &own)?;

    let version = format!("rollbook/1/{}", config.chain.to_hex());
    let behaviour = Behaviour::new(&keys, &config, version.clone()).map_err(StartError::Setup)?;
    let noise = noise::Config::new(&keys).map_err(|e| StartError::Setup(e.to_string()))?;
    let mut yamux = yamux::Config::default();
    // Requests of three protocols both ways, gossip, ping, identify, and those being opened.
    yamux.set_max_num_streams(128);
    let rate = config.limits.connection_bytes;
    let transport =
        tcp::tokio::Transport::new(tcp::Config::default().nodelay(true).listen_backlog(128))
            .map(move |stream, _| GuardedStream::new(stream, rate))
            .upgrade(Version::V1)
            .authenticate(noise)
            .multiplex(yamux)
            .timeout(config.limits.handshake_timeout)
            .boxed();
    let settings = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(365 * 24 * 3600))
        .with_max_negotiating_inbound_streams(32)
        .with_per_connection_event_buffer_size(16);
    let mut swarm = Swarm::new(transport, behaviour, own_id, settings);

    let mut listeners = HashMap::new();
    for address in &config.listen {
        listeners.insert(listen(&mut swarm, *address)?, *address);
    }

    let limits = config.limits;
    let (commands, command_queue) = mpsc::channel(limits.command_queue.max(1));
    let (events, event_queue) = mpsc::channel(limits.event_queue.max(2 * RESERVED_EVENTS));
    let (listening_now, listening) = watch::channel(Vec::new());
    let live = Arc::new(Live::default());
    let mut node = Node {
        swarm,
        book: Book::new(own),
        topics: Topic::ALL
            .map(|t| (gossip::topic(t, &config.chain).hash(), t))
            .into(),
        version,
        limits,
        live: live.clone(),
        commands: command_queue,
        events,
        event_bytes: Budget::new(limits.event_bytes),
        news: BTreeMap::new(),
        announced: BTreeSet::new(),
        answers: FuturesUnordered::new(),
        outgoing: HashMap::new(),
        lookups: FuturesUnordered::new(),
        listeners,
        listening: listening_now,
    };
    node.set_allowed(list);
    // Real ports are known after the first events of the listeners; wait for them, so that callers
    // can tell others at once.
    let known = async {
        while node.listening.borrow().len() < config.listen.len() {
            let event = node.swarm.select_next_some().await;
            node.on_swarm(event);
        }
    };
    // A wildcard on a machine without an address of that family never reports one; that is no
    // reason to hang.
    let _ = tokio::time::timeout(Duration::from_secs(2), known).await;
    tokio::spawn(node.run());
    let budget = Budget::new(limits.command_bytes);
    Ok((
        NetworkHandle {
            commands,
            budget,
            live,
            listening,
            own,
        },
        NetworkEvents {
            events: event_queue,
        },
    ))
}

/// libp2p shares its port with any program of the same user that asks to (SO_REUSEPORT), so two
/// nodes with one config would both start and each get half of the connections. A plain bind before
/// it finds the other one.
fn listen(swarm: &mut Swarm<Behaviour>, address: SocketAddr) -> Result<ListenerId, StartError> {
    let refused = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse { address },
        _ => StartError::CannotListen {
            address,
            reason: error.to_string(),
        },
    };
    if address.port() != 0 {
        drop(std::net::TcpListener::bind(address).map_err(|e| refused(&e))?);
    }
    swarm
        .listen_on(multiaddr(address))
        .map_err(|error| match error {
            TransportError::Other(error) => refused(&error),
            other => StartError::CannotListen {
                address,
                reason: other.to_string(),
            },
        })
}

struct Node {
    swarm: Swarm<Behaviour>,
    book: Book,
    topics: HashMap<gossipsub::TopicHash, Topic>,
    version: String,
    limits: Limits,
    live: Arc<Live>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<(NetworkEvent, Option<Lease>)>,
    event_bytes: Arc<Budget>,
    /// Connects and disconnects that found no room in the queue: the latest state of each peer.
    news: BTreeMap<PeerId, bool>,
    /// Peers the shell believes connected.
    announced: BTreeSet<PeerId>,
    answers: FuturesUnordered<BoxFuture<'static, Answered>>,
    outgoing: HashMap<(Protocol, OutboundRequestId), Outgoing>,
    lookups: FuturesUnordered<BoxFuture<'static, (PeerId, Vec<SocketAddr>)>>,
    listeners: HashMap<ListenerId, SocketAddr>,
    listening: watch::Sender<Vec<SocketAddr>>,
}

impl Node {
    async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                command = self.commands.recv() => match command {
                    None => return,
                    Some(Command::Stop { done }) => return self.stop(done).await,
                    Some(command) => self.on_command(command),
                },
                Some(answered) = self.answers.next(), if !self.answers.is_empty() => {
                    self.on_answer(answered)
                }
                Some((peer, found)) = self.lookups.next(), if !self.lookups.is_empty() => {
                    self.dial(peer, found)
                }
                _ = tick.tick() => self.on_tick(Instant::now()),
            }
        }
    }

    /// Ends in order: peers see closed connections, not a vanished host.
    async fn stop(mut self, done: oneshot::Sender<()>) {
        for id in std::mem::take(&mut self.listeners).into_keys() {
            self.swarm.remove_listener(id);
        }
        let connected: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in connected {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some()
                || self.swarm.listeners().next().is_some()
            {
                self.swarm.select_next_some().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), closed).await;
        drop(self);
        let _ = done.send(());
    }

    fn on_tick(&mut self, now: Instant) {
        let dropped = self.swarm.behaviour_mut().gossip.take_dropped();
        self.live.gossip_dropped_limited.add(dropped.limited);
        self.live.gossip_malformed.add(dropped.malformed);
        for (peer, strikes) in dropped.strikes {
            self.strike(peer, strikes, now);
        }

        let mut dials = Vec::new();
        for (id, peer) in &mut self.book.peers {
            if peer.let_go_at.is_some_and(|at| at <= now) {
                peer.let_go_at = None;
                self.swarm.behaviour_mut().allowed.disallow_peer(*id);
            }
            if peer.cooling_until.is_some_and(|until| until <= now) {
                peer.cooling_until = None;
                self.swarm.behaviour_mut().allowed.allow_peer(*id);
            }
            if peer.wants_dial(now) {
                peer.dialing = true;
                dials.push((*id, peer.addresses.clone()));
            }
            if peer.is_deaf(now)
                && let Some((connection, _)) = peer.connection
            {
                peer.last_error =
                    Some("it did not subscribe to the alliance's topics; connecting anew".into());
                self.swarm.close_connection(connection);
            }
        }
        for (id, addresses) in dials {
            // One look-up per peer at a time: `dialing` is set until it ends.
            self.lookups
                .push(async move { (id, look_up(addresses).await) }.boxed());
        }
        self.tell_news();
    }

    fn set_allowed(&mut self, list: AllowList) {
        let now = Instant::now();
        let before: BTreeMap<PeerId, Role> = self
            .book
            .peers
            .iter()
            .map(|(id, peer)| (*id, peer.role))
            .collect();
        let change = self.book.replace(list, &self.limits, now);
        let behaviour = self.swarm.behaviour_mut();
        for id in &change.removed {
            behaviour.allowed.disallow_peer(*id);
            behaviour.gossip.revoke(id);
            behaviour.gossip.gossip().remove_explicit_peer(id);
        }
        for id in &change.added {
            behaviour.allowed.allow_peer(*id);
        }
        let mut known = BTreeSet::<IpAddr>::new();
        for (id, peer) in &self.book.peers {
            if before.get(id) != Some(&peer.role) {
                behaviour
                    .gossip
                    .grant(*id, &rates_of(peer.role, &self.limits), now);
            }
            // Explicit peers are marked only while connected: gossip would dial them without an
            // address.
            if peer.connection.is_some() && self.book.explicit(id) {
                behaviour.gossip.gossip().add_explicit_peer(id);
            } else {
                behaviour.gossip.gossip().remove_explicit_peer(id);
            }
            known.extend(peer.addresses.iter().filter_map(|address| match address {
                NodeAddress::Ip(at) => Some(at.ip()),
                NodeAddress::Name(..) => None,
            }));
        }
        behaviour.gate.set_known(known);
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish {
                topic,
                data,
                _lease,
            } => self.publish(topic, data),
            Command::Request {
                peer,
                protocol,
                data,
                reply,
                _lease,
            } => self.request(peer, protocol, data, reply),
            Command::Report { ticket, verdict } => self.report(ticket, verdict),
            Command::SetAllowed { list, done } => {
                self.set_allowed(list);
                let _ = done.send(());
            }
            Command::Peers { reply } => {
                let _ = reply.send(self.book.peers.values().map(Peer::info).collect());
            }
            // Taken by the loop.
            Command::Stop { done } => drop(done),
        }
    }

    fn publish(&mut self, topic: Topic, data: Vec<u8>) {
        let Some((hash, _)) = self.topics.iter().find(|(_, t)| **t == topic) else {
            return;
        };
        let counter = match self
            .swarm
            .behaviour_mut()
            .gossip
            .gossip()
            .publish(hash.clone(), data)
        {
            Ok(_) => &self.live.published,
            Err(gossipsub::PublishError::Duplicate) => &self.live.published_duplicate,
            Err(gossipsub::PublishError::NoPeersSubscribedToTopic) => {
                &self.live.published_to_nobody
            }
            Err(gossipsub::PublishError::AllQueuesFull(_)) => &self.live.published_queue_full,
            Err(error) => return tracing::error!(%error, topic = topic.name(), "not published"),
        };
        counter.one();
    }

    fn report(&mut self, ticket: GossipTicket, verdict: Verdict) {
        let Ok(from) = peer_id(&ticket.from) else {
            return;
        };
        let acceptance = match verdict {
            Verdict::Accept => gossipsub::MessageAcceptance::Accept,
            Verdict::Ignore => gossipsub::MessageAcceptance::Ignore,
            Verdict::Reject => gossipsub::MessageAcceptance::Reject,
        };
        self.judge(&gossipsub::MessageId::new(&ticket.id), &from, acceptance);
        if verdict == Verdict::Reject {
            self.live.gossip_rejected.one();
            self.strike(from, STRIKES_FOR_INVALID, Instant::now());
        }
    }

    fn judge(
        &mut self,
        id: &gossipsub::MessageId,
        from: &PeerId,
        acceptance: gossipsub::MessageAcceptance,
    ) {
        self.swarm
            .behaviour_mut()
            .gossip
            .gossip()
            .report_message_validation_result(id, from, acceptance);
    }

    /// Counts refusals against a peer; cuts it off when they are too many.
    fn strike(&mut self, id: PeerId, count: usize, now: Instant) {
        let Some(peer) = self.book.peers.get_mut(&id) else {
            return;
        };
        if peer.strike(count, now) {
            peer.cooling_until = Some(now + self.limits.cooling);
            peer.last_error = Some("cut off: it exceeded its limits again and again".into());
            tracing::warn!(peer = %peer.key, "peer cut off for exceeding its limits");
            self.live.peers_cut_off.one();
            // Denies new connections and closes the present ones.
            self.swarm.behaviour_mut().allowed.disallow_peer(id);
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event, now),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => {
                self.live.connections_opened.one();
                let Some(peer) = self.book.peers.get_mut(&peer_id) else {
                    // Taken off the list while the handshake ended.
                    self.swarm.close_connection(connection_id);
                    return;
                };
                peer.connected(connection_id, now);
                if self.book.explicit(&peer_id) {
                    self.swarm
                        .behaviour_mut()
                        .gossip
                        .gossip()
                        .add_explicit_peer(&peer_id);
                }
                self.tell(peer_id, true);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                num_established,
                cause,
                ..
            } => {
                self.live.connections_closed.one();
                if let Some(peer) = self.book.peers.get_mut(&peer_id) {
                    peer.disconnected(connection_id, cause.map(|c| c.to_string()), now);
                }
                if num_established == 0 {
                    self.swarm
                        .behaviour_mut()
                        .gossip
                        .gossip()
                        .remove_explicit_peer(&peer_id);
                    self.tell(peer_id, false);
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                self.on_dial_error(peer_id, &error)
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                self.on_refused(&error, peer_id)
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                if let Some(at) = socket_address(&address) {
                    self.listening.send_modify(|all| {
                        if !all.contains(&at) {
                            all.push(at);
                        }
                    });
                }
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                if let Some(at) = socket_address(&address) {
                    self.listening.send_modify(|all| all.retain(|a| *a != at));
                }
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } => {
                if let Some(address) = self.listeners.remove(&listener_id) {
                    let why = reason
                        .err()
                        .map_or_else(|| "it was closed".into(), |e| e.to_string());
                    let reason = format!(
                        "{why}. No peer can reach this node there; restart the node once the \
                         cause is removed"
                    );
                    let _ = self.events.try_send((
                        NetworkEvent::ListenFailed {
                            address: address.to_string(),
                            reason,
                        },
                        None,
                    ));
                }
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a connection could not be accepted")
            }
            _ => {}
        }
    }

    /// There is one connection with a peer, never two: gossipsub says hello on the first and takes
    /// the second for another way to the same listener. If the first is dead, or the peer has
    /// already refused it, the hello is lost for good. So a second connection is denied, but it
    /// also tells that the peer does not count on the first: that one is closed too, and the next
    /// dial starts clean. Two nodes that dial at once lose one round; `peers::YIELD` makes this
    /// rare.
    fn renew(&mut self, peer: PeerId) {
        if let Some((connection, _)) = self.book.peers.get(&peer).and_then(|peer| peer.connection) {
            self.swarm.close_connection(connection);
        }
    }

    fn on_refused(&mut self, error: &ListenError, peer: Option<PeerId>) {
        let counter = match error {
            ListenError::Denied { cause }
                if cause
                    .downcast_ref::<allow_block_list::NotAllowed>()
                    .is_some() =>
            {
                &self.live.refused_strangers
            }
            ListenError::Denied { cause }
                if cause.downcast_ref::<TooMany>().is_some()
                    || cause
                        .downcast_ref::<connection_limits::Exceeded>()
                        .is_some() =>
            {
                &self.live.refused_handshakes
            }
            _ => &self.live.failed_handshakes,
        };
        counter.one();
        tracing::debug!(%error, "inbound connection refused");
        if let (ListenError::Denied { cause }, Some(peer)) = (error, peer)
            && cause
                .downcast_ref::<connection_limits::Exceeded>()
                .is_some()
        {
            self.renew(peer);
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent, now: Instant) {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => {
                self.on_gossip(propagation_source, message_id, message);
            }
            BehaviourEvent::Gossip(gossipsub::Event::Subscribed { peer_id, topic }) => {
                if let (Some(peer), Some(topic)) =
                    (self.book.peers.get_mut(&peer_id), self.topics.get(&topic))
                {
                    peer.topics.insert(*topic);
                }
            }
            BehaviourEvent::Gossip(gossipsub::Event::Unsubscribed { peer_id, topic }) => {
                if let (Some(peer), Some(topic)) =
                    (self.book.peers.get_mut(&peer_id), self.topics.get(&topic))
                {
                    peer.topics.remove(topic);
                }
            }
            BehaviourEvent::Body(event) => self.on_request_event(Protocol::Body, event, now),
            BehaviourEvent::Sync(event) => self.on_request_event(Protocol::Sync, event, now),
            BehaviourEvent::Ask(event) => self.on_request_event(Protocol::Ask, event, now),
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })
                if info.protocol_version != self.version =>
            {
                self.on_wrong_chain(peer_id, &info.protocol_version, now);
            }
            // A connection that does not answer is dead, whatever TCP thinks.
            BehaviourEvent::Ping(ping::Event {
                connection,
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
                ..
            }) => {
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    fn on_wrong_chain(&mut self, id: PeerId, theirs: &str, now: Instant) {
        let Some(peer) = self
            .book
            .peers
            .get_mut(&id)
            .filter(|peer| peer.cooling_until.is_none())
        else {
            return;
        };
        let theirs = shown(theirs);
        peer.last_error = Some(format!("it runs another chain or program: {theirs}"));
        // Not an offence, but nothing to repeat every second either.
        peer.cooling_until = Some(now + self.limits.cooling.max(2 * LET_GO));
        peer.let_go_at = Some(now + LET_GO);
        let told = peer
            .wrong_chain_told
            .is_some_and(|at| now.saturating_duration_since(at) < TELL_WRONG_CHAIN);
        if !told
            && self
                .events
                .try_send((
                    NetworkEvent::WrongChain {
                        peer: peer.key,
                        theirs,
                    },
                    None,
                ))
                .is_ok()
        {
            peer.wrong_chain_told = Some(now);
        }
    }

    fn on_gossip(&mut self, from: PeerId, id: gossipsub::MessageId, message: gossipsub::Message) {
        let entitled = self
            .book
            .peers
            .get(&from)
            .filter(|peer| peer.role > Role::Bootstrap && peer.cooling_until.is_none());
        let ticket_id = <[u8; 32]>::try_from(id.0.as_slice()).ok();
        let (Some(peer), Some(topic), Some(ticket_id)) =
            (entitled, self.topics.get(&message.topic), ticket_id)
        else {
            self.live.gossip_dropped_limited.one();
            return self.judge(&id, &from, gossipsub::MessageAcceptance::Ignore);
        };
        let (key, bytes) = (peer.key, message.data.len());
        let event = NetworkEvent::Gossip {
            from: key,
            topic: *topic,
            data: message.data,
            id: ticket_id,
            ticket: GossipTicket {
                id: ticket_id,
                from: key,
            },
        };
        if self.offer(event, bytes) {
            self.live.gossip_received.one();
            self.live.gossip_bytes.add(bytes as u64);
        } else {
            self.live.gossip_dropped_lagging.one();
            self.judge(&id, &from, gossipsub::MessageAcceptance::Ignore);
        }
    }

    /// Gives the shell something with a payload, if there is room.
    fn offer(&mut self, event: NetworkEvent, bytes: usize) -> bool {
        if self.events.capacity() <= RESERVED_EVENTS {
            return false;
        }
        let Some(lease) = self.event_bytes.lease(bytes) else {
            return false;
        };
        self.events.try_send((event, Some(lease))).is_ok()
    }

    /// Tells the shell that a peer came or went; never lost, only joined with what came after.
    fn tell(&mut self, id: PeerId, connected: bool) {
        let count = self
            .book
            .peers
            .values()
            .filter(|peer| peer.connection.is_some())
            .count();
        self.live.peers_connected.set(count as u64);
        self.news.insert(id, connected);
        self.tell_news();
    }

    fn tell_news(&mut self) {
        while let Some((id, connected)) = self.news.pop_first() {
            if connected == self.announced.contains(&id) {
                continue;
            }
            let Some(peer) = peer_key(&id) else { continue };
            let event = match self.book.peers.get(&id) {
                Some(known) if connected => NetworkEvent::PeerConnected {
                    peer,
                    role: known.role,
                },
                None if connected => continue,
                _ => NetworkEvent::PeerDisconnected { peer },
            };
            if self.events.try_send((event, None)).is_err() {
                self.news.insert(id, connected);
                return;
            }
            if connected {
                self.announced.insert(id);
            } else {
                self.announced.remove(&id);
            }
        }
    }
}
