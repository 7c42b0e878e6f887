//! Delegations from one officer to another (M33): what stands in the ledger of one, and its
//! transitions.

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{DelegationId, PersonId};
use crate::machine::Row;
use crate::record::DelegationGrant;
use crate::row;

/// Where a delegation stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DelegationStatus {
    /// The delegate may sign by it.
    Granted,
    /// Taken back.
    Revoked,
    /// Its time is over, or the giver or the delegate is no officer any more.
    Ended,
}

crate::words!(DelegationStatus, "state.delegation", {
    Granted = "granted",
    Revoked = "revoked",
    Ended = "ended",
});

/// A delegation (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Delegation {
    /// Its number, which a signature names.
    pub number: DelegationId,
    /// The organisation for which both sign.
    pub organisation: OrganisationId,
    /// Who gives what to whom, until when.
    pub grant: DelegationGrant,
    /// Ledger time at which it was given.
    pub from_ms: LedgerTime,
    /// Where it stands.
    pub status: DelegationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Delegation {
    /// Whether the person gave it or was given it.
    pub fn is_of(&self, person: PersonId) -> bool {
        self.grant.giver == person || self.grant.to == person
    }
}

/// Every transition.
pub static ROWS: [Row<DelegationStatus>; 8] = {
    use DelegationStatus::*;
    [
        row!(
            "M33",
            None => Granted,
            "MEM",
            "signed by the giver in the role itself; another officer; delegation_days at most; never \
             for people"
        ),
        row!("M33", Some(Granted) => Revoked, "MEM", "the giver, the delegate or a primary"),
        row!("M33", Some(Granted) => Ended, "CLK", "its time is over"),
        row!(
            "M32",
            Some(Granted) => Ended,
            "a rule of the ledger",
            "the giver or the delegate left, lost the role or the last key"
        ),
        row!("M20", Some(Granted) => Ended, "CLK", "the organisation is a member no longer"),
        row!("M21", Some(Granted) => Ended, "SEC", "the same"),
        row!("M13", Some(Granted) => Ended, "CLK", "the same"),
        row!("M16", Some(Granted) => Ended, "CLK", "the same"),
    ]
};

crate::object::object!(Delegation, DelegationId, "delegation");
crate::object::machine!(Delegation, "delegation", DelegationStatus, status);
