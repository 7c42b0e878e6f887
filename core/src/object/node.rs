//! Nodes of member companies (M40).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

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

/// Keys that a seat gets with a handover (RULINGS A53). Until then those of [`NodeFacts`] sign, and
/// after it never again.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ComingKeys {
    /// Will sign votes.
    pub consensus: PublicKey,
    /// Will sign cosignatures.
    pub cosigner: PublicKey,
    /// Will sign served checkpoints.
    pub log: PublicKey,
    /// Ledger time of the record that names them: who asked first is served first.
    pub since_ms: LedgerTime,
}

impl ComingKeys {
    /// Whether somebody else signs blocks and checkpoints than now, who may not be there yet.
    pub fn signs_anew(&self, node: &NodeFacts) -> bool {
        (self.consensus, self.cosigner) != (node.consensus, node.cosigner)
    }
}

/// The node that a seat had before it moved: it is let in while its keys sign, and until the block
/// after the handover is decided, whose checkpoint may need them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct FormerNode {
    /// Identified it to peers.
    pub transport: PublicKey,
    /// Where peers dial it.
    pub address: Text<100>,
    /// Height of the handover with which its keys were over; none until then.
    pub until: Option<Height>,
}

/// A node in state (working), one per organisation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
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
    /// First height that the keys of its seat vote at; none if it never had one.
    pub votes_from: Option<Height>,
    /// Last height that its seat voted at, once it has none any more.
    pub votes_until: Option<Height>,
    /// Keys that its seat gets with a handover.
    pub coming: Option<ComingKeys>,
    /// The node that it had before it moved.
    pub former: Option<FormerNode>,
}

impl NodeFacts {
    /// The transport key and the address of the node whose keys sign: while a seat moves, the one
    /// that it had before.
    pub fn signing(&self) -> (PublicKey, &Text<100>) {
        match &self.former {
            Some(former) if former.until.is_none() => (former.transport, &former.address),
            _ => (self.transport, &self.address),
        }
    }
}

/// Every transition of this build.
pub static ROWS: [Row<NodeStatus>; 15] = {
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
        row!("A17", Some(Registered) => Gone, "rule", "its company is no member any more"),
        row!("A17", Some(Candidate) => Gone, "rule", "its company is no member any more"),
        row!("A17", Some(Validator) => Leaving, "rule", "its company is no member any more"),
        row!(
            "R27",
            Some(Validator) => Leaving,
            "rule",
            "a company of its group has a seat since earlier"
        ),
        row!(
            "A53",
            Some(Validator) => Validator,
            "a handover",
            "new keys; at most f a handover; a quorum seen alive without it"
        ),
        row!("A53", Some(Leaving) => Leaving, "a handover", "as of a seat that stays"),
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
