//! Nodes of member companies (M40).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::machine::Row;
use crate::row;

/// Where a node stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NodeStatus {
    /// Follows the chain, votes through records only.
    Registered,
    /// Ready for a seat.
    Candidate,
    /// Votes in consensus.
    Validator,
    /// Votes until the next handover that can let it go.
    Leaving,
    /// Gone; its keys are spent.
    Gone,
}

crate::words!(NodeStatus, "state.node", {
    Registered = "registered",
    Candidate = "candidate",
    Validator = "validator",
    Leaving = "leaving",
    Gone = "gone",
});

/// A node in state (working), one per organisation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct NodeFacts {
    /// Who runs it.
    pub organisation: OrganisationId,
    /// Where it stands.
    pub status: NodeStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Order of its `Ready` record; 0 before.
    pub ready: u32,
    /// Signs votes.
    pub consensus: PublicKey,
    /// Signs cosignatures.
    pub cosigner: PublicKey,
    /// Signs served checkpoints.
    pub log: PublicKey,
    /// Identifies it to peers.
    pub transport: PublicKey,
    /// Serves its log and API.
    pub url: Text<200>,
    /// Where peers dial it.
    pub address: Text<100>,
}

/// Every transition of this build.
pub static ROWS: [Row<NodeStatus>; 10] = {
    use NodeStatus::*;
    [
        row!("A17", None => Validator, "genesis", "a founder, one seat per group"),
        row!("M40", None => Registered, "node operator", "a member; keys never used, each proved"),
        row!("M40", Some(Gone) => Registered, "node operator", "as the first; with new keys"),
        row!("M40", Some(Registered) => Candidate, "node operator", "a member"),
        row!("M40", Some(Registered) => Gone, "node operator", "leaves before it has a seat"),
        row!("M40", Some(Candidate) => Gone, "node operator", "leaves before it has a seat"),
        row!("M40", Some(Validator) => Leaving, "node operator", ""),
        row!(
            "A17",
            Some(Candidate) => Validator,
            "a handover",
            "in the order of Ready; one seat per group; at most f a handover; enough seen alive"
        ),
        row!(
            "A17",
            Some(Leaving) => Gone,
            "a handover",
            "at most f a handover; four seats and a quorum seen alive are left"
        ),
        row!(
            "A17",
            Some(Validator) => Gone,
            "a handover",
            "its company is no member any more; else as one that leaves"
        ),
    ]
};

crate::object::machine!(
    NodeFacts,
    "node",
    NodeStatus,
    status,
    OrganisationId,
    |node| node.organisation
);
