//! Working days of a year as filed: what stands in the ledger of a filing, and its transitions (M39).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{CalendarId, PersonId};
use crate::machine::Row;
use crate::record::CalendarYear;
use crate::row;

/// Where a filing stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarStatus {
    /// The secretary filed it; a seat holder has not agreed yet.
    Filed,
    /// It counts.
    InForce,
    /// Another one of the same year was filed, or counts now.
    Replaced,
}

crate::words!(CalendarStatus, "state.calendar", {
    Filed = "filed",
    InForce = "in-force",
    Replaced = "replaced",
});

/// A filing (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CalendarFiling {
    /// Its number.
    pub number: CalendarId,
    /// The year and its days.
    pub plan: CalendarYear,
    /// The record that filed it.
    pub record: Hash,
    /// Who signed that.
    pub filed_by: Vec<PersonId>,
    /// Who agreed: a person, for a seat holder or as the chair.
    pub agreed_by: Option<(PersonId, OrganisationId)>,
    /// Where it stands.
    pub status: CalendarStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<CalendarStatus>; 4] = {
    use CalendarStatus::*;
    [
        row!("M39", None => Filed, "SEC", "of this local year or the next"),
        row!(
            "M39",
            Some(Filed) => InForce,
            "seat holder",
            "or the chair; another person; days that are over stay as they were"
        ),
        row!("M39", Some(Filed) => Replaced, "SEC", "another one of the year is filed"),
        row!("M39", Some(InForce) => Replaced, "seat holder", "another one of the year counts"),
    ]
};

crate::object::object!(CalendarFiling, CalendarId, "calendar");
crate::object::machine!(CalendarFiling, "calendar", CalendarStatus, status);
