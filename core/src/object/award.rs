//! Awards: what stands in the ledger of one, and its transitions (domain 2.4).

use AwardState as S;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::charter::motions::BodyKind;
use crate::id::{AgreementId, ApplicationId, AwardId, CallId, CharterVersion, FundId, MotionId};
use crate::machine::Row;
use crate::record::{Instrument, Part};
use crate::row;

/// Where an award stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AwardState {
    /// Granted; nothing is signed yet.
    Standstill,
    /// The applicant may accept.
    Offered,
    /// Accepted; the agreement follows.
    Accepted,
    /// Not accepted in time.
    Lapsed,
    /// Taken back by the board.
    Revoked,
}

crate::words!(AwardState, "state.award", {
    Standstill = "standstill",
    Offered = "offered",
    Accepted = "accepted",
    Lapsed = "lapsed",
    Revoked = "revoked",
});

/// Transitions of an award (domain 2.4). Before the decision it is a motion.
pub const ROWS: [Row<AwardState>; 8] = [
    row!(
        "F11",
        None => S::Standstill,
        "IC, BRD, GA",
        "body by size and splitting test; <= ask, <= B; concentration; rank order or reasons; \
         eligible; recusals; B -> W"
    ),
    row!(
        "F41",
        None => S::Standstill,
        "IC, BRD, GA",
        "a reserve, after an award of the call fell away; as F11"
    ),
    row!("F12", Some(S::Standstill) => S::Offered, "CLK", "standstill over"),
    row!("F12", Some(S::Offered) => S::Accepted, "GRT", "within the offer; no open appeal"),
    row!("F12", Some(S::Offered) => S::Lapsed, "CLK", "offer over; W -> B or A"),
    row!("F12", Some(S::Standstill) => S::Revoked, "BRD", "reasons; W -> B or A"),
    row!("F12", Some(S::Offered) => S::Revoked, "BRD", "reasons; W -> B or A"),
    row!(
        "F12",
        Some(S::Accepted) => S::Revoked,
        "BRD",
        "reasons; no agreement in force; W -> B or A"
    ),
];

/// An award (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Award {
    /// Its number.
    pub number: AwardId,
    /// The fund.
    pub fund: FundId,
    /// The call.
    pub call: CallId,
    /// The application.
    pub application: ApplicationId,
    /// The applicant, the lead of a joint application.
    pub grantee: OrganisationId,
    /// Its partners with their parts (RULINGS R46).
    pub partners: Vec<Part>,
    /// What is granted.
    pub instrument: Instrument,
    /// Minor units, all parts together.
    pub amount: Amount,
    /// The motion that granted it.
    pub motion: MotionId,
    /// The body that decided.
    pub body: BodyKind,
    /// What the group had been awarded in the time of the splitting test, this award included.
    pub tested: Amount,
    /// Reasons for passing over a better rank.
    pub out_of_rank: Option<Hash>,
    /// Charter version of the call, by whose limits it was decided.
    pub charter: CharterVersion,
    /// Where it stands.
    pub state: AwardState,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Ledger time of the decision.
    pub decided_ms: LedgerTime,
    /// The newest agreement.
    pub agreement: Option<AgreementId>,
}

impl Award {
    /// Counts in the sums of the group: granted and neither lapsed nor revoked.
    pub fn counts(&self) -> bool {
        !matches!(self.state, S::Lapsed | S::Revoked)
    }
}

crate::object::object!(Award, crate::id::AwardId, "award");
crate::object::machine!(Award, "award", AwardState, state);
