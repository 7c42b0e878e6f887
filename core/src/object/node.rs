//! Nodes of member companies (M40).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::PublicKey;

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
    /// Where it stands.
    pub status: NodeStatus,
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
