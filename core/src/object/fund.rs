//! Funds: what stands in the ledger of one, and its transitions (domain 2.2).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;

use crate::account::Unit;
use crate::identity::{Name, Role};
use crate::machine::Row;
use crate::row;

/// Where a fund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FundStatus {
    /// The motion passed; acceptances are missing.
    Approved,
    /// Takes pledges, publishes calls.
    Open,
}

/// A fund (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Fund {
    /// Its number.
    pub number: u32,
    /// Its names.
    pub name: Name,
    /// Organisation that holds the money.
    pub holder: u32,
    /// What it counts.
    pub unit: Unit,
    /// Salted commitment to the bank account.
    pub bank_account: Hash,
    /// Office of its officers.
    pub office: u32,
    /// Officers named: (role, person), ascending.
    pub officers: Vec<(Role, u32)>,
    /// Persons who accepted, ascending.
    pub accepted: Vec<u32>,
    /// Whether the holder accepted.
    pub holder_accepted: bool,
    /// Where it stands.
    pub status: FundStatus,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// The motion that made it.
    pub motion: u32,
    /// Charter version it opened under.
    pub charter: u32,
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

crate::object::object!(Fund, "fund");
crate::object::machine!(Fund, "fund", FundStatus, status);
