//! Calls for applications: what stands in the ledger of one, and its transitions (domain 2.3).

use CallStatus as C;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::CallPhase;
use crate::id::{CallId, CharterVersion, MotionId};
use crate::machine::Row;
use crate::record::CallTerms;
use crate::row;

/// Where a call stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// The motion passed; submissions are not open yet.
    Published,
    /// Takes applications.
    Open,
    /// Takes none; applications are opened and judged.
    ClosedForSubmissions,
    /// Reviewers are assigned.
    Reviewing,
    /// The ranking stands.
    Ranked,
    /// Every ranked application is awarded, reserved or not recommended.
    Decided,
    /// Over.
    Closed,
    /// Called off.
    Cancelled,
}

crate::words!(CallStatus, "state.call", {
    Published = "published",
    Open = "open",
    ClosedForSubmissions = "closed-for-submissions",
    Reviewing = "reviewing",
    Ranked = "ranked",
    Decided = "decided",
    Closed = "closed",
    Cancelled = "cancelled",
});

/// A call (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// Its number.
    pub number: CallId,
    /// The terms, frozen.
    pub terms: CallTerms,
    /// Their hash.
    pub terms_hash: Hash,
    /// Largest share of one group in the budget, in basis points.
    pub concentration_bp: u32,
    /// Where it stands.
    pub status: CallStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// When submissions closed, once they have.
    pub closed_ms: Option<LedgerTime>,
    /// Applications received.
    pub applications: u32,
    /// The motion that published it.
    pub motion: MotionId,
    /// Charter version it opened under.
    pub charter: CharterVersion,
}

impl Call {
    /// Where value returns to (RULINGS R3).
    pub fn phase(&self) -> CallPhase {
        match self.status {
            CallStatus::Decided => CallPhase::Decided,
            CallStatus::Closed | CallStatus::Cancelled => CallPhase::Closed,
            CallStatus::Published
            | CallStatus::Open
            | CallStatus::ClosedForSubmissions
            | CallStatus::Reviewing
            | CallStatus::Ranked => CallPhase::BeforeDecided,
        }
    }

    /// Whether it is neither decided nor over nor called off.
    pub fn is_undecided(&self) -> bool {
        match self.phase() {
            CallPhase::BeforeDecided => true,
            CallPhase::Decided | CallPhase::Closed => false,
        }
    }
}

/// The state machine.
pub const ROWS: [Row<CallStatus>; 13] = [
    row!(
        "F05",
        None => C::Published,
        "BRD",
        "fund open; budget <= A, earmark first; terms hashed; reviewers >= the charter's"
    ),
    row!("F37", Some(C::Published) => C::Open, "CLK", "opening day"),
    row!("F37", Some(C::Open) => C::ClosedForSubmissions, "CLK", "end of closing day"),
    row!(
        "F37",
        Some(C::ClosedForSubmissions) => C::Reviewing,
        "progress",
        "reviewers of the first application assigned"
    ),
    row!("F10", Some(C::ClosedForSubmissions) => C::Ranked, "anyone", "nothing is left to review"),
    row!(
        "F10",
        Some(C::Reviewing) => C::Ranked,
        "anyone",
        "all verdicts and appeals settled, all reviews final; recomputed exactly"
    ),
    row!(
        "F37",
        Some(C::Ranked) => C::Decided,
        "progress",
        "every ranked application awarded, reserved or not recommended"
    ),
    row!("F29", Some(C::Decided) => C::Closed, "PO", "no award waits for its agreement"),
    row!("F38", Some(C::Published) => C::Cancelled, "BRD", "nothing granted"),
    row!("F38", Some(C::Open) => C::Cancelled, "BRD", "nothing granted"),
    row!("F38", Some(C::ClosedForSubmissions) => C::Cancelled, "BRD", "nothing granted"),
    row!("F38", Some(C::Reviewing) => C::Cancelled, "BRD", "nothing granted"),
    row!("F38", Some(C::Ranked) => C::Cancelled, "BRD", "nothing granted"),
];

crate::object::object!(Call, crate::id::CallId, "call");
crate::object::machine!(Call, "call", CallStatus, status);
