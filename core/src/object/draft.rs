//! Deposited charters: what stands in the ledger of one, and its transitions (RULINGS R37).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{CharterVersion, DraftId};
use crate::machine::Row;
use crate::row;

/// Where a deposited charter stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DraftStatus {
    /// Deposited: a motion may put it in force.
    Deposited,
    /// In force, or once in force.
    Adopted,
    /// No motion took it up in time, or another charter came into force before.
    Dropped,
}

crate::words!(DraftStatus, "state.draft", {
    Deposited = "deposited",
    Adopted = "adopted",
    Dropped = "dropped",
});

/// A deposited charter (working). The charter itself stands under its number in a table of its own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Draft {
    /// Its number.
    pub number: DraftId,
    /// SHA-256 of the encoded charter, by which motions name it.
    pub digest: Hash,
    /// The version that it replaces.
    pub replaces: CharterVersion,
    /// Who deposited it.
    pub organisation: OrganisationId,
    /// The record that holds it.
    pub record: Hash,
    /// Where it stands.
    pub status: DraftStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<DraftStatus>; 3] = {
    use DraftStatus::*;
    [
        row!(
            "R37",
            None => Deposited,
            "SEC or member with a vote",
            "replaces the charter in force; within every bound and above every floor"
        ),
        row!("R37", Some(Deposited) => Adopted, "GA", "a motion that names its digest passed"),
        row!(
            "R37",
            Some(Deposited) => Dropped,
            "CLK",
            "90 days without a motion that is under way"
        ),
    ]
};

crate::object::object!(Draft, DraftId, "draft");
crate::object::machine!(Draft, "draft", DraftStatus, status);
