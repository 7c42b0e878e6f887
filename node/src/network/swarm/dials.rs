//! Dialling peers: where a peer is looked for, and what is said when it is not found.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, TransportError};

use super::super::NodeAddress;
use super::super::address::{multiaddr, shown, socket_address};
use super::Node;

/// A name look-up is given up after this time.
const LOOKUP: Duration = Duration::from_secs(5);

impl Node {
    pub(super) fn dial(&mut self, id: PeerId, found: Vec<SocketAddr>) {
        let Some(peer) = self.book.peers.get_mut(&id) else {
            return;
        };
        if peer.connection.is_some() || peer.cooling_until.is_some() {
            peer.dialing = false;
            return;
        }
        if found.is_empty() {
            self.live.dials_failed.one();
            return peer.dial_failed(
                "no address of this peer could be looked up; check its name and the DNS".into(),
                Instant::now(),
            );
        }
        let options = DialOpts::peer_id(id)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(found.into_iter().map(multiaddr).collect())
            // From the listening port, two nodes dialling each other could open one TCP connection
            // on which both think they began; neither would then answer the handshake.
            .allocate_new_port()
            .build();
        self.live.dials.one();
        if let Err(error) = self.swarm.dial(options) {
            self.on_dial_error(Some(id), &error);
        }
    }

    pub(super) fn on_dial_error(&mut self, id: Option<PeerId>, error: &DialError) {
        self.live.dials_failed.one();
        if let Some(peer) = id.and_then(|id| self.book.peers.get_mut(&id)) {
            if matches!(
                error,
                DialError::DialPeerConditionFalse(_) | DialError::Denied { .. }
            ) {
                return peer.dial_crossed(Instant::now());
            }
            peer.dial_failed(dial_words(error), Instant::now());
        }
    }
}

/// Every address a peer may be dialled at now. Names that cannot be looked up are left out.
pub(super) async fn look_up(addresses: Vec<NodeAddress>) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for address in addresses {
        match address {
            NodeAddress::Ip(at) => found.push(at),
            NodeAddress::Name(name, port) => {
                if let Ok(Ok(all)) =
                    tokio::time::timeout(LOOKUP, tokio::net::lookup_host((name.as_str(), port)))
                        .await
                {
                    // A name server must not make us dial the world.
                    found.extend(all.take(4));
                }
            }
        }
    }
    found
}

fn dial_words(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, address } => {
            format!(
                "{} answers with another key, {obtained}; ask the member for its present peer id",
                at_words(address)
            )
        }
        DialError::LocalPeerId { .. } => {
            "it has this node's own key: two nodes run with one transport key, stop one".into()
        }
        DialError::Transport(all) => match all.first() {
            Some((address, error)) => format!("{}: {}", at_words(address), innermost(error)),
            None => "no address could be dialled".into(),
        },
        other => other.to_string(),
    }
}

fn at_words(address: &Multiaddr) -> String {
    socket_address(address).map_or_else(|| address.to_string(), |at| at.to_string())
}

pub(super) fn innermost(error: &TransportError<std::io::Error>) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    shown(&cause.to_string())
}
