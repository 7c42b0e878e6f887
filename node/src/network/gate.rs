//! The gate before the handshake: how many strangers may knock, from where and how often.
//!
//! A handshake costs a key exchange and a signature. The allow-list speaks only after it, so this
//! gate counts by source address before it. Its table is capped; when it is full of busy addresses,
//! unknown ones are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::address::socket_address;
use super::limits::{Limits, Rate, TokenBucket};

/// Source addresses remembered at most.
const MAX_SOURCES: usize = 1_024;

/// Refused before the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many connection attempts from this address or in all")]
pub(super) struct TooMany;

/// Counts inbound attempts.
#[derive(Debug)]
pub(super) struct Gate {
    per_source: Rate,
    strangers: TokenBucket,
    sources: BTreeMap<IpAddr, TokenBucket>,
    known: BTreeSet<IpAddr>,
}

impl Gate {
    pub(super) fn new(limits: &Limits, now: Instant) -> Gate {
        Gate {
            per_source: limits.handshakes_per_address,
            strangers: TokenBucket::new(limits.handshakes_from_strangers, now),
            sources: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// Addresses of allowed peers: strangers cannot use up their turn.
    pub(super) fn set_known(&mut self, known: BTreeSet<IpAddr>) {
        self.known = known;
    }

    fn admit(&mut self, source: Option<IpAddr>, now: Instant) -> Result<(), TooMany> {
        let source = source.ok_or(TooMany)?;
        if !self.sources.contains_key(&source) {
            if self.sources.len() >= MAX_SOURCES {
                self.sources.retain(|_, bucket| !bucket.is_full(now));
            }
            if self.sources.len() >= MAX_SOURCES && !self.known.contains(&source) {
                return Err(TooMany);
            }
        }
        let rate = self.per_source;
        let bucket = self
            .sources
            .entry(source)
            .or_insert_with(|| TokenBucket::new(rate, now));
        if !bucket.take(1, now) {
            return Err(TooMany);
        }
        if !self.known.contains(&source) && !self.strangers.take(1, now) {
            return Err(TooMany);
        }
        Ok(())
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let source = socket_address(remote).map(|at| at.ip());
        self.admit(source, Instant::now())
            .map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ip(n: u32) -> Option<IpAddr> {
        Some(IpAddr::from(n.to_be_bytes()))
    }

    #[test]
    fn one_address_cannot_knock_for_ever_and_strangers_share_a_rate() {
        let now = Instant::now();
        let limits = Limits {
            handshakes_per_address: Rate::new(1, 3),
            handshakes_from_strangers: Rate::new(1, 5),
            ..Limits::default()
        };
        let mut gate = Gate::new(&limits, now);
        gate.set_known([IpAddr::from(77u32.to_be_bytes())].into());
        assert_eq!(
            (0..10).filter(|_| gate.admit(ip(1), now).is_ok()).count(),
            3
        );
        assert_eq!(
            (2..20).filter(|n| gate.admit(ip(*n), now).is_ok()).count(),
            2
        );
        assert!(
            gate.admit(ip(77), now).is_ok(),
            "a member's address has its own turn"
        );
        assert!(gate.admit(ip(1), now + Duration::from_secs(2)).is_ok());
        assert!(gate.admit(None, now).is_err());
    }

    #[test]
    fn the_table_stays_within_its_cap() {
        let now = Instant::now();
        let limits = Limits {
            handshakes_from_strangers: Rate::new(1, 1_000_000),
            ..Limits::default()
        };
        let mut gate = Gate::new(&limits, now);
        for n in 0..5_000 {
            let _ = gate.admit(ip(n), now);
        }
        assert_eq!(gate.sources.len(), MAX_SOURCES);
        // Once the first addresses are quiet again, others get in.
        assert!(gate.admit(ip(9_999), now + Duration::from_secs(60)).is_ok());
        assert!(gate.sources.len() < 10);
    }
}
