//! The allow-list, and what is known of each peer on it: connections, dials, rates, strikes. Keyed
//! by allowed keys only, so a stranger leaves no trace here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use super::address::peer_id;
use super::limits::{Limits, MAX_ADDRESSES_PER_PEER, MAX_ALLOWED_PEERS, Rates, TokenBucket};
use super::{AddressError, AllowedPeer, NodeAddress, PeerInfo, PeerKey, Protocol, Role, Topic};

/// Between two nodes the smaller key dials at once and the greater one only after this time, so
/// that they seldom cross. A bootstrap peer may not know our address, so it is never waited for.
const YIELD: Duration = Duration::from_millis(1_500);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LAST_BACKOFF: Duration = Duration::from_secs(30);
/// A connection without subscriptions after this time is closed and made anew.
const SUBSCRIBED_AFTER: Duration = Duration::from_secs(10);
/// A connection that lasted this long was a good one: the backoff starts anew.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// A checked allow-list.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowList {
    pub(super) peers: BTreeMap<PeerId, AllowedPeer>,
    /// The role of this node itself, if the list names it.
    pub(super) own_role: Option<Role>,
}

impl AllowList {
    pub(super) fn new(peers: Vec<AllowedPeer>, own: &PeerKey) -> Result<AllowList, AddressError> {
        if peers.len() > MAX_ALLOWED_PEERS {
            return Err(AddressError::TooManyPeers(peers.len()));
        }
        let mut list = AllowList::default();
        for peer in peers {
            if peer.key == *own {
                list.own_role = list.own_role.max(Some(peer.role));
                continue;
            }
            if peer.addresses.len() > MAX_ADDRESSES_PER_PEER {
                return Err(AddressError::TooManyAddresses(peer.addresses.len()));
            }
            let id = peer_id(&peer.key)?;
            match list.peers.get_mut(&id) {
                None => {
                    list.peers.insert(id, peer);
                }
                // Listed by the ledger and by the config: the greater role, and every address up to
                // the cap.
                Some(known) => {
                    known.role = known.role.max(peer.role);
                    for address in peer.addresses {
                        if !known.addresses.contains(&address)
                            && known.addresses.len() < MAX_ADDRESSES_PER_PEER
                        {
                            known.addresses.push(address);
                        }
                    }
                }
            }
        }
        Ok(list)
    }
}

/// One allowed peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) key: PeerKey,
    pub(super) role: Role,
    pub(super) addresses: Vec<NodeAddress>,
    /// The one connection, and since when.
    pub(super) connection: Option<(ConnectionId, Instant)>,
    /// Topics it subscribed to on this connection.
    pub(super) topics: BTreeSet<Topic>,
    yields: bool,
    pub(super) dialing: bool,
    next_dial: Instant,
    failures: u32,
    pub(super) last_error: Option<String>,
    pub(super) cooling_until: Option<Instant>,
    pub(super) wrong_chain_told: Option<Instant>,
    /// When a peer of another chain is let go: not before it had time to read who we are.
    pub(super) let_go_at: Option<Instant>,
    rates: Rates,
    requests: TokenBucket,
    request_bytes: TokenBucket,
    served_bytes: TokenBucket,
    strikes: TokenBucket,
    /// Requests of this peer that the shell has not answered, by protocol.
    pub(super) unanswered: [usize; Protocol::ALL.len()],
    /// Our requests under way to this peer, by protocol.
    pub(super) outgoing: [usize; Protocol::ALL.len()],
}

impl Peer {
    fn new(allowed: AllowedPeer, own: &PeerKey, limits: &Limits, now: Instant) -> Peer {
        let rates = rates_of(allowed.role, limits);
        let yields = *own > allowed.key && allowed.role > Role::Bootstrap;
        Peer {
            key: allowed.key,
            role: allowed.role,
            addresses: allowed.addresses,
            connection: None,
            topics: BTreeSet::new(),
            yields,
            dialing: false,
            next_dial: if yields { now + YIELD } else { now },
            failures: 0,
            last_error: None,
            cooling_until: None,
            wrong_chain_told: None,
            let_go_at: None,
            rates,
            requests: TokenBucket::new(rates.requests, now),
            request_bytes: TokenBucket::new(rates.request_bytes, now),
            served_bytes: TokenBucket::new(rates.served_bytes, now),
            strikes: TokenBucket::new(rates.strikes, now),
            unanswered: [0; Protocol::ALL.len()],
            outgoing: [0; Protocol::ALL.len()],
        }
    }

    /// Whether a request of `bytes` is within the peer's rates. Charges for it.
    pub(super) fn admit_request(&mut self, bytes: usize, now: Instant) -> bool {
        self.served_bytes.has_any(now)
            && self.requests.take(1, now)
            && self.request_bytes.take(bytes, now)
    }

    /// Charges for an answer.
    pub(super) fn served(&mut self, bytes: usize, now: Instant) {
        self.served_bytes.spend(bytes, now);
    }

    /// Notes `count` refusals. True when the peer has had enough of them and must go.
    pub(super) fn strike(&mut self, count: usize, now: Instant) -> bool {
        self.cooling_until.is_none() && !self.strikes.take(count, now)
    }

    /// Whether it should be dialled now.
    pub(super) fn wants_dial(&self, now: Instant) -> bool {
        self.connection.is_none()
            && !self.dialing
            && !self.addresses.is_empty()
            && self.cooling_until.is_none()
            && self.next_dial <= now
    }

    pub(super) fn dial_failed(&mut self, reason: String, now: Instant) {
        self.dialing = false;
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(reason);
        self.next_dial = now + backoff(self.failures, &self.key);
    }

    /// A dial that crossed with the peer's own: let the agreed side try first.
    pub(super) fn dial_crossed(&mut self, now: Instant) {
        self.dialing = false;
        self.next_dial = now + FIRST_BACKOFF + if self.yields { YIELD } else { Duration::ZERO };
    }

    pub(super) fn connected(&mut self, connection: ConnectionId, now: Instant) {
        self.dialing = false;
        self.topics.clear();
        self.connection = Some((connection, now));
    }

    pub(super) fn disconnected(
        &mut self,
        connection: ConnectionId,
        reason: Option<String>,
        now: Instant,
    ) {
        let Some((_, since)) = self.connection.take_if(|(id, _)| *id == connection) else {
            return;
        };
        self.topics.clear();
        let good = now.saturating_duration_since(since) >= GOOD_AFTER;
        self.failures = if good {
            0
        } else {
            self.failures.saturating_add(1)
        };
        // Whoever cut it off has said why.
        if reason.is_some() && self.cooling_until.is_none() {
            self.last_error = reason;
        }
        self.next_dial = now
            + backoff(self.failures, &self.key)
            + if self.yields { YIELD } else { Duration::ZERO };
    }

    /// Whether the connection is old enough to have brought both subscriptions, and has not. Gossip
    /// over it does not work.
    pub(super) fn is_deaf(&self, now: Instant) -> bool {
        self.topics.len() < Topic::ALL.len()
            && self
                .connection
                .is_some_and(|(_, since)| now.saturating_duration_since(since) >= SUBSCRIBED_AFTER)
    }

    pub(super) fn info(&self) -> PeerInfo {
        PeerInfo {
            key: self.key,
            role: self.role,
            connected: self.connection.is_some(),
            addresses: self.addresses.clone(),
            failed_dials: self.failures,
            last_error: self.last_error.clone(),
            cooling: self.cooling_until.is_some(),
        }
    }
}

pub(super) fn rates_of(role: Role, limits: &Limits) -> Rates {
    match role {
        Role::Validator => limits.validator,
        Role::Member | Role::Bootstrap => limits.other,
    }
}

/// Doubles from half a second to half a minute, less up to a quarter that differs from peer to
/// peer, so that a node which comes back is not dialled by all at the same instant.
fn backoff(failures: u32, key: &PeerKey) -> Duration {
    let full = FIRST_BACKOFF
        .saturating_mul(1 << failures.saturating_sub(1).min(6))
        .min(LAST_BACKOFF);
    let spread = key.0.iter().fold(failures, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
    }) % 256;
    full - full * spread / 1024
}

/// All allowed peers.
#[derive(Debug)]
pub(super) struct Book {
    own: PeerKey,
    pub(super) peers: BTreeMap<PeerId, Peer>,
    pub(super) own_role: Option<Role>,
}

/// What a new allow-list changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) added: Vec<PeerId>,
    pub(super) removed: Vec<PeerId>,
}

impl Book {
    pub(super) fn new(own: PeerKey) -> Book {
        Book {
            own,
            peers: BTreeMap::new(),
            own_role: None,
        }
    }

    /// Takes a new list. Peers that stay keep their connections, rates and strikes.
    pub(super) fn replace(&mut self, list: AllowList, limits: &Limits, now: Instant) -> Change {
        let mut change = Change::default();
        self.own_role = list.own_role;
        self.peers.retain(|id, _| {
            let stays = list.peers.contains_key(id);
            if !stays {
                change.removed.push(*id);
            }
            stays
        });
        for (id, allowed) in list.peers {
            match self.peers.get_mut(&id) {
                None => {
                    self.peers
                        .insert(id, Peer::new(allowed, &self.own, limits, now));
                    change.added.push(id);
                }
                Some(peer) => {
                    if peer.addresses != allowed.addresses {
                        peer.addresses = allowed.addresses;
                        peer.next_dial = if peer.yields { now + YIELD } else { now };
                        peer.failures = 0;
                    }
                    peer.role = allowed.role;
                    let rates = rates_of(peer.role, limits);
                    if peer.rates != rates {
                        peer.rates = rates;
                        peer.requests = TokenBucket::new(rates.requests, now);
                        peer.request_bytes = TokenBucket::new(rates.request_bytes, now);
                        peer.served_bytes = TokenBucket::new(rates.served_bytes, now);
                        peer.strikes = TokenBucket::new(rates.strikes, now);
                    }
                }
            }
        }
        change
    }

    /// Whether gossip treats this peer as explicit: validators exchange everything directly and
    /// need no mesh among themselves. Both sides must think the same, hence the own role.
    pub(super) fn explicit(&self, id: &PeerId) -> bool {
        self.own_role == Some(Role::Validator)
            && self
                .peers
                .get(id)
                .is_some_and(|peer| peer.role == Role::Validator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> PeerKey {
        rollbook_proof::crypto::Keypair::from_seed(&[n; 32])
            .public()
            .into()
    }

    fn allowed(n: u8, role: Role, port: u16) -> AllowedPeer {
        AllowedPeer {
            key: key(n),
            addresses: vec![NodeAddress::Ip(([127, 0, 0, 1], port).into())],
            role,
        }
    }

    #[test]
    fn a_key_listed_twice_has_the_greater_role_and_both_addresses() {
        let own = key(1);
        let list = AllowList::new(
            vec![
                allowed(1, Role::Validator, 1),
                allowed(2, Role::Validator, 2),
                allowed(2, Role::Bootstrap, 3),
            ],
            &own,
        )
        .unwrap();
        assert_eq!(list.own_role, Some(Role::Validator));
        assert_eq!(list.peers.len(), 1);
        let peer = list.peers.values().next().unwrap();
        assert_eq!((peer.role, peer.addresses.len()), (Role::Validator, 2));
        assert!(matches!(
            AllowList::new(vec![allowed(2, Role::Member, 1); 300], &own),
            Err(AddressError::TooManyPeers(300))
        ));
    }

    #[test]
    fn replacing_the_list_says_who_came_and_who_went() {
        let (own, now, limits) = (key(1), Instant::now(), Limits::default());
        let mut book = Book::new(own);
        let list = |peers: &[u8]| {
            AllowList::new(
                peers
                    .iter()
                    .map(|n| allowed(*n, Role::Member, u16::from(*n)))
                    .collect(),
                &own,
            )
            .unwrap()
        };
        assert_eq!(book.replace(list(&[2, 3]), &limits, now).added.len(), 2);
        let change = book.replace(list(&[3, 4]), &limits, now);
        assert_eq!(change.added, vec![peer_id(&key(4)).unwrap()]);
        assert_eq!(change.removed, vec![peer_id(&key(2)).unwrap()]);
        assert!(!book.explicit(&peer_id(&key(3)).unwrap()));
    }

    #[test]
    fn backoff_grows_and_stays_within_half_a_minute() {
        let (now, limits) = (Instant::now(), Limits::default());
        let mut peer = Peer::new(allowed(2, Role::Member, 9), &key(2), &limits, now);
        assert!(peer.wants_dial(now));
        for n in 0..100u32 {
            peer.dial_failed("refused".into(), now);
            let wait = peer.next_dial.duration_since(now);
            assert!(
                wait >= Duration::from_millis(375) && wait <= LAST_BACKOFF,
                "{n}: {wait:?}"
            );
            assert!(!peer.wants_dial(now) && peer.wants_dial(now + LAST_BACKOFF));
        }
    }

    #[test]
    fn of_two_keys_exactly_one_dials_at_once() {
        let (now, limits) = (Instant::now(), Limits::default());
        let wants = |own: u8, other: u8, role| {
            Peer::new(allowed(other, role, 9), &key(own), &limits, now).wants_dial(now)
        };
        assert!(wants(1, 2, Role::Member) != wants(2, 1, Role::Member));
        assert!(wants(1, 2, Role::Bootstrap) && wants(2, 1, Role::Bootstrap));
        let mut greater = Peer::new(
            allowed(2, Role::Member, 9),
            &PeerKey([0xff; 32]),
            &limits,
            now,
        );
        assert!(!greater.wants_dial(now) && greater.wants_dial(now + YIELD));
        greater.dial_crossed(now);
        assert!(
            !greater.wants_dial(now + YIELD) && greater.wants_dial(now + YIELD + FIRST_BACKOFF)
        );
    }

    #[test]
    fn strikes_run_out() {
        let (now, limits) = (Instant::now(), Limits::default());
        let mut peer = Peer::new(allowed(2, Role::Member, 9), &key(2), &limits, now);
        for _ in 0..limits.other.strikes.burst {
            assert!(!peer.strike(1, now));
        }
        assert!(peer.strike(1, now));
    }
}
