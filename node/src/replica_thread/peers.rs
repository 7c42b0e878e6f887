//! Who is who among the peers: the replica knows organisations, the network knows keys.
//!
//! Keys and addresses come from the table of nodes. Bootstrap peers that are in no table get
//! numbers from [`BOOTSTRAP`] on, for catch-up only; the second node of a seat that moves gets one
//! from [`BESIDE`] on.

use std::collections::BTreeMap;

use rollbook_core::ledger::Ledger;
use rollbook_core::lookup::rights;
use rollbook_core::object::node::NodeStatus;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::OrganisationId;

use crate::network::{AllowedPeer, NodeAddress, PeerKey, Role};

/// First number of bootstrap peers that the ledger does not know.
pub const BOOTSTRAP: u32 = 0x8000_0000;
/// Of two nodes of one organisation, while its seat moves, the second has its number above this.
pub const BESIDE: u32 = 0xC000_0000;

/// The peers of a node.
#[derive(Debug, Default)]
pub(super) struct Peers {
    keys: BTreeMap<u32, PeerKey>,
    organisations: BTreeMap<PeerKey, u32>,
    connected: BTreeMap<PeerKey, Role>,
}

impl Peers {
    /// The number of the peer with this key: its organisation, or one of [`BOOTSTRAP`] on.
    pub(super) fn organisation(&self, key: &PeerKey) -> Option<u32> {
        self.organisations.get(key).copied()
    }

    /// The key of a peer, if it is connected.
    pub(super) fn reachable(&self, peer: u32) -> Option<PeerKey> {
        let key = self.keys.get(&peer)?;
        self.connected.contains_key(key).then_some(*key)
    }

    /// Organisations whose nodes are connected, in the order of their keys.
    pub(super) fn connected(&self) -> Vec<u32> {
        let keys = self.connected.keys();
        keys.filter_map(|key| self.organisation(key)).collect()
    }

    pub(super) fn came(&mut self, key: PeerKey, role: Role) {
        self.connected.insert(key, role);
    }

    pub(super) fn went(&mut self, key: &PeerKey) {
        self.connected.remove(key);
    }

    /// Reads who is who from the ledger, and returns who may connect.
    pub(super) fn renew(&mut self, ledger: &Ledger, bootstrap: &[AllowedPeer]) -> Vec<AllowedPeer> {
        let mut allowed = bootstrap.to_vec();
        self.keys.clear();
        self.organisations.clear();
        for (number, peer) in (BOOTSTRAP..).zip(bootstrap) {
            self.keys.insert(number, peer.key);
            self.organisations.insert(peer.key, number);
        }
        for Entitled {
            number,
            transport,
            address,
            role,
        } in entitled(ledger)
        {
            let key = PeerKey::from(transport);
            if let Some(stranger) = self.organisations.insert(key, number) {
                self.keys.remove(&stranger);
            }
            self.keys.insert(number, key);
            allowed.push(AllowedPeer {
                key,
                addresses: address_of(address.as_str()).into_iter().collect(),
                role,
            });
        }
        allowed
    }
}

/// A node that may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitled {
    /// Its organisation, or one from [`BESIDE`] on for the second node of one that moves.
    pub number: u32,
    /// Identifies it.
    pub transport: PublicKey,
    /// Where it is dialled.
    pub address: Text<100>,
    /// As what it may connect.
    pub role: Role,
}

/// The nodes that may connect: those of the validators of this epoch, of the epoch before until the
/// block after the handover is decided (RULINGS A3: its quorum may need them), and of live members.
/// With the end of a membership the gate closes (RULINGS A40).
///
/// Of a seat that moves (RULINGS A53) both nodes may: that whose keys sign, under the organisation's
/// number, and the other beside it. The one that was left is cut off when the block after the handover
/// is decided.
pub fn entitled(ledger: &Ledger) -> Vec<Entitled> {
    let mut seats: Vec<OrganisationId> = ledger.validators().iter().map(|v| v.validator).collect();
    if ledger.needs_handover_checkpoint() {
        seats.extend(ledger.tip_policy().validators.iter().map(|v| v.org));
    }
    let (tables, tip) = (ledger.tables(), ledger.height());
    let mut entitled = Vec::new();
    for (organisation, node) in tables.nodes.iter() {
        let member = node.status != NodeStatus::Gone && rights::is_live(tables, *organisation);
        let role = match (seats.contains(organisation), member) {
            (true, _) => Role::Validator,
            (false, true) => Role::Member,
            (false, false) => continue,
        };
        let own = Entitled {
            number: organisation.0,
            transport: node.transport,
            address: node.address.clone(),
            role,
        };
        let former = node.former.as_ref().map(|former| {
            let entry = Entitled {
                number: organisation.0,
                transport: former.transport,
                address: former.address.clone(),
                role,
            };
            (entry, former.until)
        });
        let beside = BESIDE.saturating_add(organisation.0);
        match former {
            // Its keys sign until the handover: the other one follows the chain.
            Some((signs, None)) => entitled.extend([
                signs,
                Entitled {
                    number: beside,
                    role: Role::Member,
                    ..own
                },
            ]),
            Some((left, Some(until))) if until == tip && role == Role::Validator => {
                entitled.extend([
                    own,
                    Entitled {
                        number: beside,
                        ..left
                    },
                ]);
            }
            _ => entitled.push(own),
        }
    }
    entitled
}

/// An address as a node registers it: host and port.
pub fn address_of(text: &str) -> Option<NodeAddress> {
    if let Ok(at) = text.parse() {
        return Some(NodeAddress::Ip(at));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some(NodeAddress::Name(host.to_owned(), port.parse().ok()?)).filter(|_| !host.is_empty())
}
