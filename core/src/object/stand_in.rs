//! Who stands in for a post that has neither a holder nor a deputy who can act (RULINGS R7): two
//! persons of seat holders, together, for some days, once.

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::PersonId;

/// The two who stand in (working). A row is never replaced: it happens once for a post.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct StandIn {
    /// Who came first, and the seat holder that sent them.
    pub first: (PersonId, OrganisationId),
    /// Who came second, of another group.
    pub second: Option<(PersonId, OrganisationId)>,
    /// They act until this ledger time, inclusive; that of the first alone gives no right.
    pub until_ms: LedgerTime,
}

impl StandIn {
    /// Whether both are there and their time is not over.
    pub fn in_force(&self, now: LedgerTime) -> bool {
        self.second.is_some() && now <= self.until_ms
    }

    /// Whether the person is one of the two.
    pub fn has(&self, person: PersonId) -> bool {
        self.first.0 == person || self.second.is_some_and(|(second, _)| second == person)
    }
}
