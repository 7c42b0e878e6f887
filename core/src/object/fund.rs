//! Funds: what stands in the ledger of one, and its transitions (domain 2.2).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Unit;
use crate::id::{CharterVersion, FundId, MotionId, PersonId};
use crate::identity::{Name, Role};
use crate::machine::Row;
use crate::row;

/// Where a fund stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum FundStatus {
    /// The motion passed; acceptances are missing.
    Approved,
    /// Takes pledges, publishes calls.
    Open,
}

crate::words!(FundStatus, "state.fund", {
    Approved = "approved",
    Open = "open",
});

/// A fund (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Fund {
    /// Its number.
    pub number: FundId,
    /// Its names.
    pub name: Name,
    /// Organisation that holds the money.
    pub holder: OrganisationId,
    /// What it counts.
    pub unit: Unit,
    /// Salted commitment to the bank account.
    pub bank_account: Hash,
    /// Office of its officers.
    pub office: OrganisationId,
    /// Officers named: (role, person), ascending.
    pub officers: Vec<(Role, PersonId)>,
    /// Persons who accepted, ascending.
    pub accepted: Vec<PersonId>,
    /// Whether the holder accepted.
    pub holder_accepted: bool,
    /// Where it stands.
    pub status: FundStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// The motion that made it.
    pub motion: MotionId,
    /// Charter version it opened under.
    pub charter: CharterVersion,
}

/// The state machine.
pub const ROWS: [Row<FundStatus>; 2] = [
    row!(
        "F01",
        None => FundStatus::Approved,
        "BRD",
        "holder, unit, bank-account hash, officers named; nobody in two chain roles"
    ),
    row!(
        "F01",
        Some(FundStatus::Approved) => FundStatus::Open,
        "holder, officers",
        "every acceptance signed"
    ),
];

crate::object::object!(Fund, crate::id::FundId, "fund");
crate::object::machine!(Fund, "fund", FundStatus, status);
