//! Changes of an organisation (M31, M32): what stands in the ledger of one, and its transitions.
//!
//! A change of officers or policy waits for its hours, in which any officer may object. One of name,
//! address or identifiers waits for the secretariat, which compares it with the register's extract.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{ChangeId, PersonId};
use crate::machine::Row;
use crate::record::{OfficersChange, Particulars};
use crate::row;

/// Where a change stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeStatus {
    /// Officers or policy: any officer may object.
    Waiting,
    /// Name, address or identifiers: the secretariat has to confirm.
    Asked,
    /// It has taken effect.
    InForce,
    /// An officer objected; it has no effect.
    Objected,
    /// It was not possible any more when its hours were over.
    Failed,
    /// The secretariat did not confirm.
    Declined,
    /// The organisation asked anew.
    Replaced,
}

crate::words!(ChangeStatus, "state.change", {
    Waiting = "waiting",
    Asked = "asked",
    InForce = "in-force",
    Objected = "objected",
    Failed = "failed",
    Declined = "declined",
    Replaced = "replaced",
});

impl ChangeStatus {
    /// Whether something is still to come.
    pub fn is_open(self) -> bool {
        match self {
            ChangeStatus::Waiting | ChangeStatus::Asked => true,
            ChangeStatus::InForce
            | ChangeStatus::Objected
            | ChangeStatus::Failed
            | ChangeStatus::Declined
            | ChangeStatus::Replaced => false,
        }
    }
}

/// What is to change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangePlan {
    /// M32: officers, roles, keys, the policy.
    Officers(Box<OfficersChange>),
    /// M31: name, address, identifiers.
    Particulars(Particulars),
}

/// A change of an organisation (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Its number.
    pub number: ChangeId,
    /// The organisation or office.
    pub organisation: OrganisationId,
    /// What is to change.
    pub plan: ChangePlan,
    /// The record that asks for it.
    pub record: Hash,
    /// Who signed that.
    pub signed_by: Vec<PersonId>,
    /// Who objected or declined, with SHA-256 of the reasons.
    pub against: Option<(PersonId, Hash)>,
    /// The rule that stood against it when its hours were over.
    pub failure: Option<Text<64>>,
    /// Where it stands.
    pub status: ChangeStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<ChangeStatus>; 8] = {
    use ChangeStatus::*;
    [
        row!(
            "M32",
            None => Waiting,
            "MEM",
            "signed as the policy in force asks; no other change waits; two officers with a key stay; \
             the policy can be reached"
        ),
        row!("M32", Some(Waiting) => InForce, "CLK", "change_hours passed; still possible"),
        row!("M32", Some(Waiting) => Failed, "CLK", "change_hours passed; not possible any more"),
        row!("M32", Some(Waiting) => Objected, "officer", "any officer in force, within change_hours"),
        row!("M31", None => Asked, "MEM", "identifiers valid and in nobody else's use"),
        row!("M31", Some(Asked) => InForce, "SEC", "the same extract; unrelated"),
        row!("M31", Some(Asked) => Declined, "SEC", "unrelated; reasons"),
        row!("M31", Some(Asked) => Replaced, "MEM", "the organisation asks anew"),
    ]
};

crate::object::object!(Change, ChangeId, "change");
crate::object::machine!(Change, "change", ChangeStatus, status);
