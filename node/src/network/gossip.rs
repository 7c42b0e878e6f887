//! Gossip: its settings, and a meter in front of it.
//!
//! gossipsub hashes every message and acts on every control entry before the application hears of
//! it, and it tells nothing of duplicates. So the meter sits between connection and gossipsub: what
//! exceeds a peer's rate is dropped there, at the price of its decoding. Peer scoring is off: peers
//! are known companies, their offences are counted by key (strikes) and answered by cutting off;
//! scores could silently starve a slow but honest validator.

use std::collections::{BTreeMap, HashSet};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, gossipsub};
use rollbook_proof::crypto::{Hash, sha256_parts};

use super::limits::{Rates, TokenBucket};
use super::{REPEAT_AFTER, Topic};

type Filter = gossipsub::MaxCountSubscriptionFilter<gossipsub::WhitelistSubscriptionFilter>;
type Inner = gossipsub::Behaviour<gossipsub::IdentityTransform, Filter>;
/// What a connection delivers. The type has no public name; the alias gives it one.
type Frame = THandlerOutEvent<Inner>;

/// The name of a topic on one chain, so that two chains never mix even if keys were reused.
pub(super) fn topic(topic: Topic, chain: &Hash) -> gossipsub::IdentTopic {
    gossipsub::IdentTopic::new(format!("rollbook/{}/{}", topic.name(), chain.to_hex()))
}

/// SHA-256(topic || data): the same for whoever sends it.
pub(super) fn message_id(topic: &gossipsub::TopicHash, data: &[u8]) -> [u8; 32] {
    sha256_parts(&[topic.as_str().as_bytes(), data]).0
}

fn config(chain: &Hash) -> Result<gossipsub::Config, gossipsub::ConfigBuilderError> {
    // Room for the envelope of one message in its frame.
    const ENVELOPE: usize = 1024;
    // gossipsub 0.50.1 compares its limit with all that it has read so far: a whole frame and up to
    // 8 KiB of the next. Without this room the longest messages close the stream, now and then, and
    // are lost with all that follows.
    const READ_AHEAD: usize = 16 * 1024;
    let consensus = topic(Topic::Consensus, chain).hash();
    gossipsub::ConfigBuilder::default()
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| {
            gossipsub::MessageId::new(&message_id(&message.topic, &message.data))
        })
        .max_transmit_size(Topic::Records.max_bytes() + ENVELOPE + READ_AHEAD)
        .max_transmit_size_for_topic(Topic::Consensus.max_bytes() + ENVELOPE, consensus)
        .duplicate_cache_time(REPEAT_AFTER)
        // Everyone is connected with everyone: one hop from the publisher reaches all, the mesh
        // repairs what was lost, and "I have it" notices stop the copies of anything larger than a
        // vote.
        .flood_publish(true)
        .mesh_n(4)
        .mesh_n_low(3)
        .mesh_n_high(6)
        .mesh_outbound_min(1)
        .gossip_lazy(3)
        .idontwant_message_size_threshold(1_000)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(Duration::from_millis(500))
        // Unjudged and recent messages are kept 1.5 to 2 seconds: bounds memory to that much of the
        // granted rates.
        .history_length(4)
        .history_gossip(3)
        .gossip_retransimission(2)
        .iwant_followup_time(Duration::from_secs(2))
        // The redial loop connects; gossip never dials on its own.
        .check_explicit_peers_ticks(u64::MAX)
        .prune_peers(0)
        .prune_backoff(Duration::from_secs(10))
        .unsubscribe_backoff(Duration::from_secs(2))
        .max_publish_messages(256)
        .max_control_message_size(16 * 1024)
        .max_control_messages_sent(256)
        .max_ihave_messages_heartbeat(4)
        // One slow peer holds at most this many messages.
        .connection_handler_queue_len(192)
        .publish_queue_duration(Duration::from_secs(3))
        .forward_queue_duration(Duration::from_secs(1))
        .build()
}

/// What one peer has left.
#[derive(Debug)]
struct Meter {
    messages: TokenBucket,
    bytes: TokenBucket,
    strikes: usize,
}

/// gossipsub behind a meter per allowed peer.
pub(super) struct Metered {
    inner: Inner,
    /// Allowed peers only.
    meters: BTreeMap<PeerId, Meter>,
    dropped: u64,
    malformed: u64,
}

/// What the meter dropped since it was last asked.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) limited: u64,
    pub(super) malformed: u64,
    pub(super) strikes: Vec<(PeerId, usize)>,
}

impl Metered {
    pub(super) fn new(chain: &Hash) -> Result<Metered, String> {
        let topics: HashSet<_> = Topic::ALL.iter().map(|t| topic(*t, chain).hash()).collect();
        let filter = gossipsub::MaxCountSubscriptionFilter {
            max_subscribed_topics: topics.len(),
            max_subscriptions_per_request: 2 * topics.len(),
            filter: gossipsub::WhitelistSubscriptionFilter(topics),
        };
        let config = config(chain).map_err(|e| format!("gossip settings: {e}"))?;
        let mut inner = Inner::new_with_subscription_filter(
            gossipsub::MessageAuthenticity::Anonymous,
            config,
            filter,
        )
        .map_err(|e| format!("gossip: {e}"))?;
        for name in Topic::ALL {
            inner
                .subscribe(&topic(name, chain))
                .map_err(|e| format!("gossip topic {}: {e}", name.name()))?;
        }
        Ok(Metered {
            inner,
            meters: BTreeMap::new(),
            dropped: 0,
            malformed: 0,
        })
    }

    pub(super) fn gossip(&mut self) -> &mut Inner {
        &mut self.inner
    }

    /// Grants a peer its rates. Calling it again for the same rates changes nothing the peer can
    /// use.
    pub(super) fn grant(&mut self, peer: PeerId, rates: &Rates, now: Instant) {
        self.meters.insert(
            peer,
            Meter {
                messages: TokenBucket::new(rates.gossip_messages, now),
                bytes: TokenBucket::new(rates.gossip_bytes, now),
                strikes: 0,
            },
        );
    }

    pub(super) fn revoke(&mut self, peer: &PeerId) {
        self.meters.remove(peer);
    }

    pub(super) fn take_dropped(&mut self) -> Dropped {
        let strikes = self.meters.iter_mut().filter(|(_, m)| m.strikes > 0);
        Dropped {
            limited: std::mem::take(&mut self.dropped),
            malformed: std::mem::take(&mut self.malformed),
            strikes: strikes
                .map(|(id, m)| (*id, std::mem::take(&mut m.strikes)))
                .collect(),
        }
    }

    /// Cuts a frame down to what its sender may still send. False: nothing of it may pass.
    fn admit(&mut self, peer: &PeerId, frame: &mut Frame, now: Instant) -> bool {
        let Frame::Message {
            rpc,
            invalid_messages,
        } = frame
        else {
            return true;
        };
        let Some(meter) = self.meters.get_mut(peer) else {
            self.dropped += 1;
            return false;
        };
        if !invalid_messages.is_empty() {
            self.malformed += invalid_messages.len() as u64;
            meter.strikes = meter.strikes.saturating_add(invalid_messages.len());
            // gossipsub would log a line for each.
            invalid_messages.clear();
        }
        // What exceeds the rate is lost, and no offence: whoever passes on what others say is not to
        // blame for how much they say (RULINGS A40).
        if !meter.messages.take(rpc.control_msgs.len().max(1), now) {
            self.dropped += 1 + rpc.messages.len() as u64;
            return false;
        }
        let before = rpc.messages.len();
        rpc.messages.retain(|message| {
            meter.messages.take(1, now) && meter.bytes.take(message.data.len(), now)
        });
        self.dropped += (before - rpc.messages.len()) as u64;
        true
    }
}

impl NetworkBehaviour for Metered {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = gossipsub::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        mut frame: THandlerOutEvent<Self>,
    ) {
        if self.admit(&peer, &mut frame, Instant::now()) {
            self.inner
                .on_connection_handler_event(peer, connection, frame);
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
