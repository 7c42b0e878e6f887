//! Measures of a fund about an agreement (F24, F25): what stands in the ledger of one, and its transitions.
//!
//! A measure is announced to the grantee, who may observe on it; then the board decides. Payments may be held
//! until it has.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::id::{AgreementId, MeasureId, PersonId};
use crate::identity::Role;
use crate::machine::Row;
use crate::record::MeasureNotice;
use crate::row;

/// Where a measure stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureStatus {
    /// The grantee may observe.
    Announced,
    /// The days to observe are over; the board may decide.
    Heard,
    /// The agreement is suspended, or has ended, by it.
    InForce,
    /// The suspension is over.
    Ended,
    /// It came to nothing.
    Dropped,
}

crate::words!(MeasureStatus, "state.measure", {
    Announced = "announced",
    Heard = "heard",
    InForce = "in-force",
    Ended = "ended",
    Dropped = "dropped",
});

impl MeasureStatus {
    /// Whether it waits to be decided.
    pub fn is_pending(self) -> bool {
        match self {
            MeasureStatus::Announced | MeasureStatus::Heard => true,
            MeasureStatus::InForce | MeasureStatus::Ended | MeasureStatus::Dropped => false,
        }
    }
}

/// A measure (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Measure {
    /// Its number.
    pub number: MeasureId,
    /// The agreement, what is meant, the letter.
    pub notice: MeasureNotice,
    /// The record that announced it.
    pub record: Hash,
    /// Who announced it.
    pub announced_by: PersonId,
    /// Salted commitment to the newest observations.
    pub observations: Option<Hash>,
    /// The finance approver who holds the payments until it is decided.
    pub held_by: Option<PersonId>,
    /// Who has held them for it, now or before.
    pub holders: Vec<PersonId>,
    /// Who lets the agreement go on: the first of two.
    pub resumed_by: Option<(Role, PersonId)>,
    /// Where it stands.
    pub status: MeasureStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Measure {
    /// The agreement.
    pub fn agreement(&self) -> AgreementId {
        self.notice.agreement
    }
}

/// Every transition.
pub static ROWS: [Row<MeasureStatus>; 23] = {
    use MeasureStatus::*;
    [
        row!(
            "F24",
            None => Announced,
            "PO",
            "agreement in force; no other measure waits; PO unrelated; proof of dispatch"
        ),
        row!("F24", Some(Announced) => Announced, "GRT, FIN", "observations; or payments are held"),
        row!("F24", Some(Announced) => Heard, "CLK", "observation_days passed"),
        row!("F24", Some(Heard) => Heard, "FIN", "payments are held; != PO"),
        row!("F24", Some(Heard) => InForce, "BRD", "observations considered; reasons"),
        row!("F24", Some(Announced) => Dropped, "PO", "reasons"),
        row!("F24", Some(Heard) => Dropped, "PO", "reasons"),
        row!("F24", Some(InForce) => InForce, "PO, FIN", "first of two that let it go on"),
        row!("F24", Some(InForce) => Ended, "PO, FIN", "the other of the two"),
        row!(
            "F25",
            None => Announced,
            "PO",
            "agreement in force or suspended; no other measure waits; PO unrelated; proof of dispatch"
        ),
        row!("F25", Some(Announced) => Announced, "GRT, FIN", "observations; or payments are held"),
        row!("F25", Some(Announced) => Heard, "CLK", "observation_days passed"),
        row!("F25", Some(Heard) => Heard, "FIN", "payments are held; != PO"),
        row!("F25", Some(Heard) => InForce, "BRD", "observations considered; reasons"),
        row!("F25", Some(Announced) => Dropped, "PO", "reasons"),
        row!("F25", Some(Heard) => Dropped, "PO", "reasons"),
        row!("F25", Some(InForce) => Ended, "BRD", "a suspension ends with the agreement"),
        row!("R13", Some(Heard) => Dropped, "CLK", "nobody asked the board in time, or it has not decided"),
        row!("R13", Some(Announced) => Dropped, "CLK", "measure_days passed undecided"),
        row!("R13", Some(Heard) => Heard, "CLK", "measure_days passed while the board decides: the hold ends"),
        row!("R10", Some(Heard) => Dropped, "BRD", "the board did not pass it"),
        row!("F43", Some(Announced) => Dropped, "2 ASR", "the final report is accepted"),
        row!("F43", Some(Heard) => Dropped, "2 ASR", "the final report is accepted"),
    ]
};

crate::object::object!(Measure, MeasureId, "measure");
crate::object::machine!(Measure, "measure", MeasureStatus, status);
