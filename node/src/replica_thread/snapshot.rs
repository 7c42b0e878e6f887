//! What the node tells about itself at any time: written by the replica's thread, read by the API
//! without asking it.

use std::collections::BTreeMap;
use std::time::Instant;

use rollbook_core::ledger::Ledger;
use rollbook_core::lookup;
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::object::node::NodeStatus;
use rollbook_core::rules::network::protocol;
use rollbook_proof::chain::Seal;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::{OrganisationId, ProtocolVersion};
use rollbook_wire::status::{Behind, Protocol};

use super::app::NodeReplica;
use crate::network::PeerKey;
use crate::replica::Status;

/// What the node tells about itself at any time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Of the replica.
    pub status: Status,
    /// The newest seal.
    pub seal: Seal,
    /// Validators of the next height.
    pub validators: Vec<OrganisationId>,
    /// Nodes by organisation: transport key, address, whether it holds a seat.
    pub nodes: BTreeMap<OrganisationId, (PeerKey, String, bool)>,
    /// Where the ledger says each node stands, those that have gone included.
    pub standing: BTreeMap<OrganisationId, NodeStatus>,
    /// Founders whose record is not in the log yet.
    pub founders_missing: u32,
    /// Rule versions.
    pub protocol: Protocol,
    /// Records taken, refused, decided since the start.
    pub counts: Counts,
    /// Seats that stand behind at the next height.
    pub behind: Vec<Behind>,
    /// Where the elapsed clock of the status begins.
    pub started: Instant,
    /// Keys that the ledger has for this organisation's node: consensus, cosigner, log, transport.
    pub registered: Option<[PublicKey; 4]>,
    /// Those that its seat gets with a handover, in the same order (RULINGS A53).
    pub coming: Option<[PublicKey; 4]>,
}

fn protocol_status(ledger: &Ledger) -> Protocol {
    let (tables, next) = (ledger.tables(), ledger.height().next());
    let in_force = lookup::protocol::at(tables, next);
    let coming = protocol::coming(tables, next);
    let next = in_force.next();
    let support = (next.0..=PROTOCOL.max(next).0)
        .map(ProtocolVersion)
        .map(|v| (v, protocol::supporters(tables, v).len()));
    Protocol {
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

fn behind(ledger: &Ledger) -> Vec<Behind> {
    let late = ledger.behind().into_iter();
    late.map(|(organisation, missed)| {
        let (since, until) = missed.behind();
        Behind {
            missed: missed.turns,
            organisation,
            since,
            until,
        }
    })
    .collect()
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

/// The present snapshot of a replica, which need not have started; `started` is where its elapsed
/// clock begins.
pub fn snapshot(replica: &NodeReplica, counts: Counts, started: Instant) -> Snapshot {
    let ledger = replica.app().ledger();
    let own = ledger.tables().nodes.get(&replica.organisation());
    let seats: Vec<OrganisationId> = ledger.validators().iter().map(|v| v.validator).collect();
    let nodes = ledger
        .tables()
        .nodes
        .iter()
        .filter(|(_, node)| node.status != NodeStatus::Gone);
    let nodes = nodes.map(|(organisation, node)| {
        let seat = seats.contains(organisation);
        let (transport, address) = node.signing();
        (
            *organisation,
            (transport.into(), address.as_str().to_owned(), seat),
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
        behind: behind(ledger),
        validators: seats,
        protocol: protocol_status(ledger),
        founders_missing: ledger
            .tables()
            .chain
            .get(&0)
            .map_or(0, |facts| facts.founders_missing),
        counts,
        started,
        registered: own.map(|node| [node.consensus, node.cosigner, node.log, node.signing().0]),
        coming: own.and_then(|node| {
            let coming = node.coming?;
            Some([
                coming.consensus,
                coming.cosigner,
                coming.log,
                node.transport,
            ])
        }),
    }
}
