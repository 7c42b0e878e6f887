//! Relations between companies (domain 1.2; M24, RULINGS R27): what stands in the ledger of one, and
//! its transitions.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::identity::RelationKind;
use crate::machine::Row;
use crate::row;

/// Where a relation stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum RelationStatus {
    /// One end has declared it: that end, with its group, has no voice in matters of the other.
    Declared,
    /// Both ends have; each has no voice in matters of the other.
    Confirmed,
    /// Both ends have, and it would join the voices; but somebody of the group is auditor.
    Waiting,
    /// Both ends have, and their voices are one.
    Joined,
}

crate::words!(RelationStatus, "state.relation", {
    Declared = "declared",
    Confirmed = "confirmed",
    Waiting = "waiting",
    Joined = "joined",
});

/// A relation of a pair a < b, counted per pair from 1 (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Edge {
    /// The two, the smaller number first.
    pub ends: (OrganisationId, OrganisationId),
    /// Counted per pair from 1.
    pub number: u32,
    /// What ties the two.
    pub kind: RelationKind,
    /// SHA-256 of the evidence.
    pub evidence: Hash,
    /// Ledger time at which it was claimed.
    pub claimed_ms: LedgerTime,
    /// By whom.
    pub claimed_by: OrganisationId,
    /// The other end, once it has confirmed.
    pub confirmed_by: Option<OrganisationId>,
    /// The voices are one from this ledger time.
    pub effective_ms: Option<LedgerTime>,
    /// Not in force from this ledger time.
    pub ended_ms: Option<LedgerTime>,
    /// Where it stands.
    pub status: RelationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Edge {
    /// Whether it makes one group of the two.
    pub fn joins(&self) -> bool {
        self.status == RelationStatus::Joined && self.ended_ms.is_none()
    }

    /// Whether it made one group of the two at ledger time `at`.
    pub fn joined_at(&self, at: LedgerTime) -> bool {
        self.joins() && self.effective_ms.is_some_and(|from| from <= at)
    }

    /// Whether this end had declared or confirmed it at ledger time `at`.
    pub fn declared_at(&self, end: OrganisationId, at: LedgerTime) -> bool {
        let since = if self.claimed_by == end {
            self.claimed_ms
        } else {
            self.since_ms
        };
        self.declared_by(end) && since <= at
    }

    /// Whether this end has declared or confirmed it, and it has not ended.
    pub fn declared_by(&self, end: OrganisationId) -> bool {
        self.ended_ms.is_none() && (self.claimed_by == end || self.confirmed_by == Some(end))
    }
}

/// Every transition of this build, in which no relation ends.
pub static ROWS: [Row<RelationStatus>; 9] = {
    use RelationStatus::*;
    [
        row!("M24", None => Declared, "one end", "no office; no open relation of the kind"),
        row!("M24", None => Confirmed, "genesis", "signed by every founder"),
        row!("M24", None => Joined, "genesis", "signed by every founder; a kind that joins voices"),
        row!("M21", None => Joined, "SEC", "a company was merged into the other"),
        row!("M21", None => Waiting, "SEC", "the same, while somebody of the group is auditor"),
        row!("R27", Some(Declared) => Confirmed, "other end", "a kind that is a conflict alone"),
        row!(
            "R27",
            Some(Declared) => Joined,
            "other end",
            "a kind that joins voices; nobody of the group is auditor"
        ),
        row!("R27", Some(Declared) => Waiting, "other end", "somebody of the group is auditor"),
        row!(
            "R27",
            Some(Waiting) => Joined,
            "a rule of the ledger",
            "nobody of the group is auditor any more"
        ),
    ]
};

crate::object::machine!(
    Edge,
    "relation",
    RelationStatus,
    status,
    (OrganisationId, OrganisationId, u32),
    |edge| (edge.ends.0, edge.ends.1, edge.number)
);
