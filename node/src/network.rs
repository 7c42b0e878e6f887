//! The one libp2p swarm: who may connect, gossip, requests. Transport of bounded frames between
//! known keys, nothing more.
//!
//! Rules
//! 1. A peer is its Ed25519 transport key. Only keys of the allow-list get past the connection's
//!    handshake; everyone else is denied before any stream exists. A peer taken off the list is
//!    disconnected at once (DESIGN 7, RULINGS A24).
//! 2. TCP, noise, yamux; gossipsub with two topics, three request protocols, identify, ping. Absent
//!    on purpose: DHT, mDNS, rendezvous, relay, autonat, QUIC, peer exchange, addresses learned
//!    from peers.
//! 3. Gossip promises nothing: a lagging shell or a full queue drops messages and counts them.
//!    Whatever must arrive has a pull path by request. Gossip is unsigned; records and votes carry
//!    their own signatures. A message's id is SHA-256(topic || data), so equal bytes are delivered
//!    once per [`REPEAT_AFTER`].
//! 4. A request gets exactly one answer: data, busy, limited, refused, or an error at the asker
//!    after the protocol's time.
//! 5. Every queue is bounded in entries and in bytes. Nothing is kept under a name that a peer
//!    chooses, except behind a cap.
//! 6. Rates are per peer. Over a rate means refused; going on means disconnected for
//!    [`Limits::cooling`].
//! 7. Bytes are opaque here. What may be served to whom (RULINGS A15) and whether a message is good
//!    is the shell's business; a message is forwarded only after the shell accepted it.
//! 8. No type of libp2p is visible outside this module.

use std::net::SocketAddr;
use std::time::Duration;

mod address;
mod codec;
mod counters;
mod gate;
mod gossip;
mod handle;
mod limits;
mod peers;
mod stream;
mod swarm;

#[cfg(test)]
mod tests;

pub use address::{
    AddressError, AllowedPeer, NodeAddress, PeerKey, Role, parse_address, parse_bootstrap,
    parse_peer_id, peer_id_text,
};
pub use counters::Counters;
pub use handle::{GossipTicket, NetworkEvents, NetworkHandle, Responder};
pub use limits::{Limits, MAX_ADDRESSES_PER_PEER, MAX_ALLOWED_PEERS, Rate, Rates};
pub use swarm::start;

/// After this time the same bytes may be gossiped again: long enough that nothing circulates, short
/// enough that a vote which consensus repeats is delivered again.
pub const REPEAT_AFTER: Duration = Duration::from_secs(8);

/// What is gossiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Batches of encoded records. Many at a time: a record alone costs 15 times more.
    Records,
    /// Votes, proposals, certificates.
    Consensus,
}

impl Topic {
    /// Both topics.
    pub const ALL: [Topic; 2] = [Topic::Records, Topic::Consensus];

    /// The longest message, in bytes.
    pub const fn max_bytes(self) -> usize {
        match self {
            Topic::Records => 256 * 1024,
            Topic::Consensus => 32 * 1024,
        }
    }

    /// The topic's name.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Records => "records",
            Topic::Consensus => "consensus",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// One block body by its hash.
    Body,
    /// Ranges of decided blocks for catch-up.
    Sync,
    /// Small questions, and direct pushes of what gossip may have lost.
    Ask,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Protocol; 3] = [Protocol::Body, Protocol::Sync, Protocol::Ask];

    /// The protocol's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Body => "/rollbook/body/1",
            Protocol::Sync => "/rollbook/sync/1",
            Protocol::Ask => "/rollbook/ask/1",
        }
    }

    /// The longest request, in bytes.
    pub const fn max_request(self) -> usize {
        match self {
            Protocol::Body | Protocol::Sync => 4 * 1024,
            Protocol::Ask => 64 * 1024,
        }
    }

    /// The longest response, in bytes. A body is at most 1 MiB (RULINGS A19); the rest is room for
    /// its system section.
    pub const fn max_response(self) -> usize {
        match self {
            Protocol::Body => 1_280 * 1024,
            Protocol::Sync => 4 * 1024 * 1024,
            Protocol::Ask => 64 * 1024,
        }
    }

    /// After this time an unanswered request is given up on both sides.
    pub const fn timeout(self) -> Duration {
        match self {
            Protocol::Body => Duration::from_secs(10),
            Protocol::Sync => Duration::from_secs(30),
            Protocol::Ask => Duration::from_secs(5),
        }
    }

    /// Unanswered requests from one peer at most; further ones are answered busy. Also the most we
    /// have under way to one peer.
    pub const fn max_unanswered(self) -> usize {
        match self {
            Protocol::Body => 8,
            Protocol::Sync => 2,
            Protocol::Ask => 16,
        }
    }

    /// Requests of our own under way at most, all peers together; bounds the memory of responses.
    pub const fn max_outgoing(self) -> usize {
        match self {
            Protocol::Body => 32,
            Protocol::Sync => 8,
            Protocol::Ask => 256,
        }
    }
}

/// What a node needs to start its network.
#[derive(Clone)]
pub struct NetworkConfig {
    /// Seed of the transport key (RULINGS A21).
    pub transport_seed: [u8; 32],
    /// The genesis hash G. Nodes of another chain are disconnected and reported.
    pub chain: rollbook_proof::crypto::Hash,
    /// Where to listen. Port 0 takes any free port.
    pub listen: Vec<SocketAddr>,
    /// Who may connect from the start. See [`NetworkHandle::set_allowed`].
    pub allowed: Vec<AllowedPeer>,
    /// Program and version, told to peers.
    pub agent: String,
    /// Limits; the defaults fit.
    pub limits: Limits,
}

/// What happened in the network. Whoever holds a [`NetworkEvents`] must keep taking them.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A gossiped message. It is forwarded only if the shell reports [`Verdict::Accept`] within a
    /// second.
    Gossip {
        /// The peer that handed it to us; not necessarily its author.
        from: PeerKey,
        /// Its topic.
        topic: Topic,
        /// The message.
        data: Vec<u8>,
        /// SHA-256(topic name with chain || data).
        id: [u8; 32],
        /// For [`NetworkHandle::report`].
        ticket: GossipTicket,
    },
    /// A request that wants an answer.
    Request {
        /// Who asks.
        peer: PeerKey,
        /// What that peer is to us.
        role: Role,
        /// Under which protocol.
        protocol: Protocol,
        /// The request.
        data: Vec<u8>,
        /// Takes the answer. Dropping it answers busy.
        responder: Responder,
    },
    /// The first connection with a peer is up.
    PeerConnected {
        /// The peer.
        peer: PeerKey,
        /// What it is to us.
        role: Role,
    },
    /// The last connection with a peer is gone.
    PeerDisconnected {
        /// The peer.
        peer: PeerKey,
    },
    /// A listening address was lost after start. The text says why and what to do.
    ListenFailed {
        /// Where we listened.
        address: String,
        /// Why it ended and what to do next.
        reason: String,
    },
    /// A peer runs another chain or another program; it was disconnected. Reported at most once a
    /// minute per peer.
    WrongChain {
        /// The peer.
        peer: PeerKey,
        /// What it says it is, at most 120 characters, printable.
        theirs: String,
    },
}

/// What the shell thinks of a gossiped message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Good: forward it.
    Accept,
    /// Of no use now (old, already known): do not forward, blame nobody.
    Ignore,
    /// Invalid whoever reads it: do not forward, count against the peer that sent it.
    Reject,
}

/// The shell's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The data, within [`Protocol::max_response`].
    Data(Vec<u8>),
    /// Try later or elsewhere.
    Busy,
    /// Not for this peer (RULINGS A15).
    Refused,
}

/// One allowed peer as the network sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its key.
    pub key: PeerKey,
    /// What it is to us.
    pub role: Role,
    /// Whether a connection is up.
    pub connected: bool,
    /// Where it is dialled.
    pub addresses: Vec<NodeAddress>,
    /// Dials that failed since the last connection.
    pub failed_dials: u32,
    /// Why the last dial failed or the last connection ended, in words.
    pub last_error: Option<String>,
    /// Whether it is cut off for exceeding its limits.
    pub cooling: bool,
}

/// The network did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program has the port.
    #[error(
        "cannot listen on {address}: the port is in use. Another node or program has it. Stop \
         that one, or set another `listen` port in this node's config and tell the other members"
    )]
    PortInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The operating system refuses.
    #[error(
        "cannot listen on {address}: {reason}. Check that the address belongs to this machine and \
         that ports below 1024 are allowed to this user"
    )]
    CannotListen {
        /// The address asked for.
        address: SocketAddr,
        /// The operating system's words.
        reason: String,
    },
    /// The allow-list was refused.
    #[error("the list of peers is wrong: {0}")]
    Allowed(#[from] AddressError),
    /// A library refused its settings: a fault of this program.
    #[error(
        "the network could not be set up: {0}. This is a fault in the program, please report it"
    )]
    Setup(String),
}

/// A message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Longer than [`Topic::max_bytes`].
    #[error("{len} bytes are more than the {max} a message of this topic may have")]
    TooLarge {
        /// Its length.
        len: usize,
        /// The cap.
        max: usize,
    },
    /// The swarm's queue is full: publish less, or later.
    #[error("the network's queue is full")]
    Busy,
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

/// A request brought no data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`Protocol::max_request`].
    #[error("{len} bytes are more than the {max} a request of this protocol may have")]
    TooLarge {
        /// Its length.
        len: usize,
        /// The cap.
        max: usize,
    },
    /// No connection with this peer; ask another one.
    #[error("not connected with {0}")]
    NotConnected(PeerKey),
    /// Too many requests of our own are under way.
    #[error("too many requests are under way; wait for answers")]
    TooManyUnderWay,
    /// The peer is busy.
    #[error("the peer is busy")]
    Busy,
    /// The peer says we are over its rates.
    #[error("the peer refused: too many requests")]
    Limited,
    /// The peer does not serve this to us.
    #[error("the peer does not serve this to us")]
    Refused,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection or stream broke, or the answer was oversized.
    #[error("the answer was lost: {0}")]
    Lost(String),
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}
