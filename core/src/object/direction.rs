//! Working directions of the alliance, and which member leads each (M37).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{DirectionId, MotionId};
use crate::identity::Name;

/// A working direction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Direction {
    /// Its number.
    pub number: DirectionId,
    /// Short code, such as `xr-terminals`.
    pub code: Text<32>,
    /// Its names.
    pub name: Name,
}

/// Which member leads a direction (working). The row is there while it does: it goes with the
/// membership, too.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Lead {
    /// The member.
    pub organisation: OrganisationId,
    /// The motion that named it.
    pub motion: MotionId,
    /// Ledger time since which it leads.
    pub since_ms: LedgerTime,
}
