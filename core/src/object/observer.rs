//! Observers and their statements: what stands in the ledger of one, and its transitions (M38; RULINGS
//! R49).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MotionId, StatementId};
use crate::machine::Row;
use crate::record::{ObserverReading, StatementEntry};
use crate::row;

/// Where an observer stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ObserverStatus {
    /// It observes.
    Admitted,
    /// It does so no longer.
    Ended,
}

crate::words!(ObserverStatus, "state.observer", {
    Admitted = "admitted",
    Ended = "ended",
});

/// An observer (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Observer {
    /// The body: an organisation's number.
    pub number: OrganisationId,
    /// What it reads.
    pub reading: ObserverReading,
    /// The motion that admitted it, or said last how it reads; none: the genesis.
    pub motion: Option<MotionId>,
    /// Where it stands.
    pub status: ObserverStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// A statement (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// Its number.
    pub number: StatementId,
    /// The observer.
    pub organisation: OrganisationId,
    /// What it states.
    pub entry: StatementEntry,
    /// The record that filed it.
    pub record: Hash,
    /// Ledger time.
    pub filed_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<ObserverStatus>; 4] = {
    use ObserverStatus::*;
    [
        row!(
            "M38",
            None => Admitted,
            "BRD",
            "registered as a body that observes; those of the genesis read as the public does"
        ),
        row!("M38", Some(Admitted) => Admitted, "BRD", "reads in another way from now on"),
        row!("M38", Some(Admitted) => Ended, "BRD", "no observer from now on"),
        row!("M38", Some(Ended) => Admitted, "BRD", "admitted again"),
    ]
};

crate::object::object!(Observer, OrganisationId, "observer");
crate::object::machine!(Observer, "observer", ObserverStatus, status);
crate::object::object!(Statement, StatementId, "statement");
