//! Changes of an agreement (F23): what stands in the ledger of one, and its transitions.
//!
//! The grantee asks for it and signs with that what the agreement says afterwards; whether the programme officer
//! may agree alone follows from what all changes together come to.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::id::{AgreementId, PersonId, VariationId};
use crate::machine::Row;
use crate::record::ChangeRequest;
use crate::row;

/// Where a change stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum VariationStatus {
    /// The grantee asks for it.
    Requested,
    /// The agreement says so.
    Effective,
    /// The fund did not agree.
    Refused,
    /// The grantee took it back.
    Withdrawn,
    /// Nobody decided it in time, or the agreement is over.
    Lapsed,
}

crate::words!(VariationStatus, "state.variation", {
    Requested = "requested",
    Effective = "effective",
    Refused = "refused",
    Withdrawn = "withdrawn",
    Lapsed = "lapsed",
});

/// A change of an agreement (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Variation {
    /// Its number.
    pub number: VariationId,
    /// The agreement and what it is to say.
    pub request: ChangeRequest,
    /// The record that asks for it.
    pub record: Hash,
    /// The programme officer who judged it.
    pub judged_by: Option<PersonId>,
    /// Why it was refused: published code.
    pub refused: Option<Text<40>>,
    /// Where it stands.
    pub status: VariationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Variation {
    /// The agreement.
    pub fn agreement(&self) -> AgreementId {
        self.request.agreement
    }
}

/// Every transition.
pub static ROWS: [Row<VariationStatus>; 6] = {
    use VariationStatus::*;
    [
        row!(
            "F23",
            None => Requested,
            "GRT primary + finance",
            "agreement in force; no other change waits; as many milestones; what is decided stays"
        ),
        row!(
            "F23",
            Some(Requested) => Effective,
            "PO, IC, BRD, GA",
            "minor: PO, cumulative test (N17); else the body of the award; B -> K or K -> B or A"
        ),
        row!("F23", Some(Requested) => Refused, "PO", "published code and reason"),
        row!("F23", Some(Requested) => Withdrawn, "GRT", "before it is decided"),
        row!("R36", Some(Requested) => Lapsed, "CLK", "measure_days passed undecided"),
        row!("F25", Some(Requested) => Lapsed, "BRD", "the agreement is over"),
    ]
};

crate::object::object!(Variation, VariationId, "variation");
crate::object::machine!(Variation, "variation", VariationStatus, status);
