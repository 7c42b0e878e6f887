//! Corrections of clerical fields: what stands in the ledger of one, and its transitions (M41; RULINGS
//! R20).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{CorrectionId, PersonId};
use crate::machine::Row;
use crate::record::CorrectionEntry;
use crate::row;

/// Where a correction stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CorrectionStatus {
    /// Whoever entered the field says it; the second person has not agreed yet.
    Filed,
    /// It stands beside the field.
    Confirmed,
    /// The second person did not agree.
    Declined,
}

crate::words!(CorrectionStatus, "state.correction", {
    Filed = "filed",
    Confirmed = "confirmed",
    Declined = "declined",
});

/// A correction (working). What it corrects stays as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Correction {
    /// Its number.
    pub number: CorrectionId,
    /// What stands where, and what should.
    pub entry: CorrectionEntry,
    /// The record that filed it.
    pub record: Hash,
    /// For whom, and by whom.
    pub filed_by: (OrganisationId, Vec<PersonId>),
    /// Who confirmed or declined it, for whom.
    pub judged_by: Option<(PersonId, OrganisationId)>,
    /// SHA-256 of the reasons for which it was declined.
    pub reasons: Option<Hash>,
    /// Where it stands.
    pub status: CorrectionStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<CorrectionStatus>; 3] = {
    use CorrectionStatus::*;
    [
        row!(
            "M41",
            None => Filed,
            "whoever entered it",
            "a clerical field; what it reads is what stands there; none open for the field"
        ),
        row!("M41", Some(Filed) => Confirmed, "confirmer", "another person than who filed it"),
        row!("M41", Some(Filed) => Declined, "confirmer", "the same; with reasons"),
    ]
};

crate::object::object!(Correction, CorrectionId, "correction");
crate::object::machine!(Correction, "correction", CorrectionStatus, status);
