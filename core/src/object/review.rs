//! Reviews: what stands in the ledger of one, and its transitions (domain 2.3).

use ReviewStatus as R;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::id::{ApplicationId, DrawId, PersonId, ReviewId};
use crate::machine::Row;
use crate::record::{ReviewDeclaration, Revision, Scores};
use crate::row;

/// Where a review stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewStatus {
    /// Drawn.
    Assigned,
    /// Declared to have no conflict.
    Clear,
    /// Declared a conflict.
    Recused,
    /// Did not want to.
    Declined,
    /// Scores committed.
    Sealed,
    /// Scores visible.
    Revealed,
    /// Counts.
    Final,
    /// Past a limit, or tainted by a tie; the next of the draw took over.
    Replaced,
    /// The application went away.
    Dropped,
}

crate::words!(ReviewStatus, "state.review", {
    Assigned = "assigned",
    Clear = "clear",
    Recused = "recused",
    Declined = "declined",
    Sealed = "sealed",
    Revealed = "revealed",
    Final = "final",
    Replaced = "replaced",
    Dropped = "dropped",
});

impl ReviewStatus {
    /// Something is still expected of the reviewer.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            ReviewStatus::Assigned
                | ReviewStatus::Clear
                | ReviewStatus::Sealed
                | ReviewStatus::Revealed
        )
    }

    /// It counts towards the number of reviews that an application needs.
    pub fn stands(self) -> bool {
        self.is_running() || self == ReviewStatus::Final
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Review {
    /// Its number.
    pub number: ReviewId,
    /// The application.
    pub application: ApplicationId,
    /// The reviewer.
    pub person: PersonId,
    /// The draw whose order named the reviewer.
    pub draw: DrawId,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// What was declared.
    pub declaration: Option<ReviewDeclaration>,
    /// The seal.
    pub seal: Option<Hash>,
    /// Scores as revealed.
    pub scores: Option<Scores>,
    /// Salted commitment to the written comment.
    pub comment: Option<Hash>,
    /// The change at the panel.
    pub revision: Option<Revision>,
}

impl Review {
    /// The scores that count: as changed at the panel, else as revealed.
    pub fn counted(&self) -> Option<&Scores> {
        self.revision
            .as_ref()
            .map(|revision| &revision.scores)
            .or(self.scores.as_ref())
    }

    /// The scores, if the review is final.
    pub fn final_scores(&self) -> Option<&Scores> {
        if self.status == ReviewStatus::Final {
            self.counted()
        } else {
            None
        }
    }
}

/// The state machine.
pub const ROWS: [Row<ReviewStatus>; 28] = [
    row!(
        "F08",
        None => R::Assigned,
        "CLK",
        "next of the draw; unrelated; a group without a review of this application"
    ),
    row!("F09", Some(R::Assigned) => R::Clear, "REV", "signed by the person drawn"),
    row!(
        "F09",
        Some(R::Assigned) => R::Recused,
        "REV",
        "signed by the person drawn; the next of the draw follows"
    ),
    row!(
        "F09",
        Some(R::Assigned) => R::Declined,
        "REV",
        "signed by the person drawn; the next of the draw follows"
    ),
    row!("F09", Some(R::Clear) => R::Recused, "REV", "a conflict seen before the seal"),
    row!("F09", Some(R::Clear) => R::Sealed, "REV", "declaration precedes seal"),
    row!(
        "F09",
        Some(R::Sealed) => R::Revealed,
        "REV",
        "all reviews of the application sealed; matches the seal; in range"
    ),
    row!(
        "F09",
        Some(R::Revealed) => R::Final,
        "REV, CLK",
        "confirmed or changed with a reason; by the clock at the limit"
    ),
    row!("R13", Some(R::Assigned) => R::Replaced, "CLK", "past the limit of the seal"),
    row!("R13", Some(R::Clear) => R::Replaced, "CLK", "past the limit of the seal"),
    row!("R13", Some(R::Sealed) => R::Replaced, "CLK", "past the limit of the reveal"),
    row!("R30", Some(R::Assigned) => R::Replaced, "CLK", "tainted by a tie"),
    row!("R30", Some(R::Clear) => R::Replaced, "CLK", "tainted by a tie"),
    row!("R30", Some(R::Sealed) => R::Replaced, "CLK", "tainted by a tie"),
    row!("R30", Some(R::Revealed) => R::Replaced, "CLK", "tainted by a tie"),
    row!("R30", Some(R::Final) => R::Replaced, "CLK", "tainted by a tie, before the ranking"),
    row!("F39", Some(R::Assigned) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Clear) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Sealed) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Revealed) => R::Dropped, "applicant", "application withdrawn"),
    row!("R33", Some(R::Assigned) => R::Dropped, "applicant, PO", "application void"),
    row!("R33", Some(R::Clear) => R::Dropped, "applicant, PO", "application void"),
    row!("R33", Some(R::Sealed) => R::Dropped, "applicant, PO", "application void"),
    row!("R33", Some(R::Revealed) => R::Dropped, "applicant, PO", "application void"),
    row!("F38", Some(R::Assigned) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Clear) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Sealed) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Revealed) => R::Dropped, "BRD", "call cancelled"),
];

crate::object::object!(Review, crate::id::ReviewId, "review");
crate::object::machine!(Review, "review", ReviewStatus, status);
