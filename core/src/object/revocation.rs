//! Revocations of keys in an emergency (M23; RULINGS R7): what stands in the ledger of one, and its
//! transitions.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MotionId, PersonId, RevocationId};
use crate::machine::Row;
use crate::row;

/// Where a revocation stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// One asked; the key still signs until a second agrees.
    Asked,
    /// Two agreed: the key signs nothing until the board has ratified or the hours are over.
    InForce,
    /// The board ratified: the key is revoked for ever.
    Ratified,
    /// The board did not ratify in time: the key signs again.
    Ended,
    /// No second agreed in time.
    Lapsed,
}

crate::words!(RevocationStatus, "state.revocation", {
    Asked = "asked",
    InForce = "in-force",
    Ratified = "ratified",
    Ended = "ended",
    Lapsed = "lapsed",
});

impl RevocationStatus {
    /// Whether something is still to come.
    pub fn is_open(self) -> bool {
        match self {
            RevocationStatus::Asked | RevocationStatus::InForce => true,
            RevocationStatus::Ratified | RevocationStatus::Ended | RevocationStatus::Lapsed => {
                false
            }
        }
    }
}

/// Somebody who agreed to a revocation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Agreed {
    /// Who signed.
    pub person: PersonId,
    /// That person's home organisation.
    pub home: OrganisationId,
}

/// An emergency revocation (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Revocation {
    /// Its number.
    pub number: RevocationId,
    /// Whose key.
    pub person: PersonId,
    /// Which key.
    pub key: u32,
    /// SHA-256 of what speaks for it.
    pub evidence: Hash,
    /// Who asked.
    pub asked_by: Agreed,
    /// Who agreed.
    pub agreed_by: Option<Agreed>,
    /// The motion that ratified it.
    pub motion: Option<MotionId>,
    /// Where it stands.
    pub status: RevocationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<RevocationStatus>; 5] = {
    use RevocationStatus::*;
    [
        row!("M23", None => Asked, "seat holder, SEC", "the key is in force; once for a key"),
        row!("M23", Some(Asked) => InForce, "seat holder, SEC", "of another group than the first"),
        row!("M23", Some(Asked) => Lapsed, "CLK", "nobody agreed in emergency_hours"),
        row!("M23", Some(InForce) => Ratified, "BRD", "the holder's group recused"),
        row!("M23", Some(InForce) => Ended, "CLK", "not ratified in emergency_hours"),
    ]
};

crate::object::object!(Revocation, RevocationId, "revocation");
crate::object::machine!(Revocation, "revocation", RevocationStatus, status);
