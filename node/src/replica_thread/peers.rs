//! Who is who among the peers: the replica knows organisations, the network knows keys.
//!
//! Keys and addresses come from the table of nodes. Bootstrap peers that are in no table get
//! numbers from [`BOOTSTRAP`] on, for catch-up only.

use std::collections::BTreeMap;

use rollbook_core::ledger::Ledger;
use rollbook_core::lookup::rights;
use rollbook_core::object::node::NodeStatus;
use rollbook_proof::number::OrganisationId;

use crate::network::{AllowedPeer, NodeAddress, PeerKey, Role};

/// First number of bootstrap peers that the ledger does not know.
pub const BOOTSTRAP: u32 = 0x8000_0000;

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
        for (organisation, role) in entitled(ledger) {
            let Some(node) = ledger.tables().nodes.get(&organisation) else {
                continue;
            };
            let key = PeerKey::from(node.transport);
            if let Some(stranger) = self.organisations.insert(key, organisation.0) {
                self.keys.remove(&stranger);
            }
            self.keys.insert(organisation.0, key);
            allowed.push(AllowedPeer {
                key,
                addresses: address_of(node.address.as_str()).into_iter().collect(),
                role,
            });
        }
        allowed
    }
}

/// Organisations whose nodes may connect, and as what: those of the validators of this epoch, of the
/// epoch before until the block after the handover is decided (RULINGS A3: its quorum may need them),
/// and of live members. With the end of a membership the gate closes (RULINGS A40).
pub fn entitled(ledger: &Ledger) -> Vec<(OrganisationId, Role)> {
    let mut seats: Vec<OrganisationId> = ledger.validators().iter().map(|v| v.validator).collect();
    if ledger.needs_handover_checkpoint() {
        seats.extend(ledger.tip_policy().validators.iter().map(|v| v.org));
    }
    let tables = ledger.tables();
    let nodes = tables.nodes.iter();
    nodes
        .filter_map(|(organisation, node)| {
            if seats.contains(organisation) {
                return Some((*organisation, Role::Validator));
            }
            let member = node.status != NodeStatus::Gone && rights::is_live(tables, *organisation);
            member.then_some((*organisation, Role::Member))
        })
        .collect()
}

/// An address as a node registers it: host and port.
pub fn address_of(text: &str) -> Option<NodeAddress> {
    if let Ok(at) = text.parse() {
        return Some(NodeAddress::Ip(at));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some(NodeAddress::Name(host.to_owned(), port.parse().ok()?)).filter(|_| !host.is_empty())
}
