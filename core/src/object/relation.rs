//! Relations between companies (domain 1.2; M24, RULINGS R27): what stands in the ledger of one, and
//! its transitions.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MotionId, RelationId};
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
    /// Both ends have, or the board says so; each has no voice in matters of the other.
    Confirmed,
    /// The same, and it would join the voices; but somebody of the group is auditor.
    Waiting,
    /// The same, and their voices are one.
    Joined,
    /// Others claim it; it does nothing.
    Claimed,
    /// A claim that was taken back, or that nobody took up.
    Dropped,
    /// Its end was shown; the voices are one for some days more.
    Ending,
    /// It is in force no longer.
    Ended,
    /// The board has found that it never was.
    Annulled,
}

crate::words!(RelationStatus, "state.relation", {
    Declared = "declared",
    Confirmed = "confirmed",
    Waiting = "waiting",
    Joined = "joined",
    Claimed = "claimed",
    Dropped = "dropped",
    Ending = "ending",
    Ended = "ended",
    Annulled = "annulled",
});

/// What an end of a relation answers to a claim or to the other's declaration.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Reply {
    /// Which end.
    pub by: OrganisationId,
    /// SHA-256 of what it says.
    pub document: Hash,
    /// Ledger time.
    pub at_ms: LedgerTime,
}

/// An end says that the relation is over; the secretariat looks at the evidence.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct EndRequest {
    /// Which end.
    pub by: OrganisationId,
    /// SHA-256 of the evidence.
    pub evidence: Hash,
    /// Ledger time.
    pub at_ms: LedgerTime,
}

/// A relation of a pair a < b, counted per pair from 1 (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Edge {
    /// Its number in the ledger.
    pub id: RelationId,
    /// The two, the smaller number first.
    pub ends: (OrganisationId, OrganisationId),
    /// Counted per pair from 1.
    pub number: u32,
    /// What ties the two.
    pub kind: RelationKind,
    /// SHA-256 of the evidence.
    pub evidence: Hash,
    /// Ledger time at which it was claimed: the notice to whoever has not said it (RULINGS R27).
    pub claimed_ms: LedgerTime,
    /// By whom: an end, the secretariat, another member.
    pub claimed_by: OrganisationId,
    /// Since when each end, in the order of `ends`, has said it: declared or confirmed.
    pub said_ms: (Option<LedgerTime>, Option<LedgerTime>),
    /// The newest answer of each end.
    pub replies: Vec<Reply>,
    /// The motion by which the board says that it exists, and since when it does.
    pub decided: Option<(MotionId, LedgerTime)>,
    /// The earlier day that the board has set: its first instant.
    pub earlier_ms: Option<LedgerTime>,
    /// The voices are one from this ledger time.
    pub effective_ms: Option<LedgerTime>,
    /// An end asks that it ends.
    pub end_asked: Option<EndRequest>,
    /// Not in force from this ledger time.
    pub ended_ms: Option<LedgerTime>,
    /// An appeal to the assembly against the board's decision, the newest.
    pub appeal: Option<MotionId>,
    /// The assembly has upheld one: the board does not decide it again.
    pub upheld: bool,
    /// Where it stands.
    pub status: RelationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Edge {
    /// A relation that begins at `now`.
    pub fn begun(
        ends: (OrganisationId, OrganisationId),
        kind: RelationKind,
        evidence: Hash,
        claimed_by: OrganisationId,
        now: LedgerTime,
        status: RelationStatus,
    ) -> Edge {
        Edge {
            id: RelationId(0),
            ends,
            number: 1,
            kind,
            evidence,
            claimed_ms: now,
            claimed_by,
            said_ms: (
                (ends.0 == claimed_by).then_some(now),
                (ends.1 == claimed_by).then_some(now),
            ),
            replies: Vec::new(),
            decided: None,
            earlier_ms: None,
            effective_ms: (status == RelationStatus::Joined).then_some(now),
            end_asked: None,
            ended_ms: None,
            appeal: None,
            upheld: false,
            status,
            since_ms: now,
        }
    }

    /// Whether it makes one group of the two.
    pub fn joins(&self) -> bool {
        matches!(self.status, RelationStatus::Joined | RelationStatus::Ending)
    }

    /// Whether it was in force at ledger time `at`, as far as its end goes.
    fn had_not_ended(&self, at: LedgerTime) -> bool {
        let undone = matches!(
            self.status,
            RelationStatus::Annulled | RelationStatus::Dropped | RelationStatus::Claimed
        );
        !undone && self.ended_ms.is_none_or(|ended| at < ended)
    }

    /// Whether it made one group of the two at ledger time `at`.
    pub fn joined_at(&self, at: LedgerTime) -> bool {
        self.had_not_ended(at) && self.effective_ms.is_some_and(|from| from <= at)
    }

    /// Whether it made one group of the two at ledger time `since` or at any time after it.
    pub fn joined_since(&self, since: LedgerTime) -> bool {
        self.had_not_ended(since) && self.effective_ms.is_some()
    }

    /// When this end said it, or the board for it.
    fn bound(&self, end: OrganisationId) -> Option<LedgerTime> {
        let said = match end {
            end if end == self.ends.0 => self.said_ms.0,
            end if end == self.ends.1 => self.said_ms.1,
            _ => return None,
        };
        let decided = self.decided.map(|(_, since)| since);
        match (said, decided) {
            (Some(said), Some(decided)) => Some(said.min(decided)),
            (said, decided) => said.or(decided),
        }
    }

    /// Whether this end had declared or confirmed it at ledger time `at`.
    pub fn declared_at(&self, end: OrganisationId, at: LedgerTime) -> bool {
        self.had_not_ended(at) && self.bound(end).is_some_and(|since| since <= at)
    }

    /// Whether this end has declared or confirmed it, and it had not ended at ledger time `since`.
    pub fn declared_since(&self, end: OrganisationId, since: LedgerTime) -> bool {
        self.had_not_ended(since) && self.bound(end).is_some()
    }

    /// Whether this end has declared or confirmed it, and it has not ended.
    pub fn declared_by(&self, end: OrganisationId) -> bool {
        self.is_in_force() && self.bound(end).is_some()
    }

    /// Whether this end has declared or confirmed it itself, whatever the board says.
    pub fn said_by(&self, end: OrganisationId) -> bool {
        let said = (end == self.ends.0 && self.said_ms.0.is_some())
            || (end == self.ends.1 && self.said_ms.1.is_some());
        said && self.is_in_force()
    }

    /// Whether somebody is bound by it now.
    pub fn is_in_force(&self) -> bool {
        match self.status {
            RelationStatus::Declared
            | RelationStatus::Confirmed
            | RelationStatus::Waiting
            | RelationStatus::Joined
            | RelationStatus::Ending => true,
            RelationStatus::Claimed
            | RelationStatus::Dropped
            | RelationStatus::Ended
            | RelationStatus::Annulled => false,
        }
    }

    /// Whether the organisation is one of the two.
    pub fn has_end(&self, organisation: OrganisationId) -> bool {
        self.ends.0 == organisation || self.ends.1 == organisation
    }

    /// The other of the two.
    pub fn other(&self, end: OrganisationId) -> OrganisationId {
        if self.ends.0 == end {
            self.ends.1
        } else {
            self.ends.0
        }
    }
}

/// Every transition of this build.
pub static ROWS: [Row<RelationStatus>; 32] = {
    use RelationStatus::*;
    [
        row!("M24", None => Declared, "one end", "no office; no open relation of the kind"),
        row!("M24", None => Confirmed, "genesis", "signed by every founder"),
        row!("M24", None => Joined, "genesis", "signed by every founder; a kind that joins voices"),
        row!("M24", None => Claimed, "SEC or MEM", "of two others; no open relation of the kind"),
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
        row!("R27", Some(Claimed) => Declared, "one end", "says it, too"),
        row!("R27", Some(Claimed) => Confirmed, "BRD", "notice and 15 days; a kind that is a conflict alone"),
        row!("R27", Some(Claimed) => Joined, "BRD", "notice and 15 days; a kind that joins voices"),
        row!("R27", Some(Claimed) => Waiting, "BRD", "the same, while somebody of the group is auditor"),
        row!(
            "R27",
            Some(Claimed) => Dropped,
            "whoever claimed it",
            "takes it back; or nobody took it up in 180 days"
        ),
        row!("R27", Some(Joined) => Joined, "BRD", "an earlier day, at most 365 days back"),
        row!("R27", Some(Ending) => Joined, "BRD", "found to be in force still"),
        row!(
            "R27",
            Some(Waiting) => Joined,
            "a rule of the ledger",
            "nobody of the group is auditor any more"
        ),
        row!("M24", Some(Joined) => Ending, "SEC", "evidence of the end checked; the officer unrelated"),
        row!("M24", Some(Declared) => Ended, "SEC", "the same"),
        row!("M24", Some(Confirmed) => Ended, "SEC", "the same"),
        row!("M24", Some(Waiting) => Ended, "SEC", "the same"),
        row!("M24", Some(Ending) => Ended, "CLK", "relation_end_days are over, and no motion on it is open"),
        row!("M24", Some(Declared) => Annulled, "BRD", "it never was"),
        row!("M24", Some(Confirmed) => Annulled, "BRD", "it never was"),
        row!("M24", Some(Waiting) => Annulled, "BRD", "it never was"),
        row!("M24", Some(Joined) => Annulled, "BRD", "it never was"),
        row!("M24", Some(Ending) => Annulled, "BRD", "it never was"),
        row!("M24", Some(Ended) => Annulled, "BRD", "it never was"),
        row!("M17", Some(Claimed) => Dropped, "GA", "the appeal was upheld before the board's decision took effect"),
        row!("M17", Some(Declared) => Declared, "GA", "the same; what its end declared stays"),
        row!("M17", Some(Joined) => Joined, "GA", "the same; no earlier day is set"),
        row!("M17", Some(Ending) => Ending, "GA", "the same; it ends"),
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
