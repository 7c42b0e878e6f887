//! Recoveries of an organisation's keys (M23; RULINGS R23): what stands in the ledger of one, and its
//! transitions.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::id::{KeyRecoveryId, MotionId, PersonId};
use crate::machine::Row;
use crate::record::RecoveryPlan;
use crate::row;

/// Where a recovery stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryStatus {
    /// The secretariat has checked the letter; the board has to decide.
    Filed,
    /// The board agreed; an old key may still cancel it.
    Waiting,
    /// It has taken effect.
    Done,
    /// An old key cancelled it.
    Cancelled,
    /// The board did not agree.
    Declined,
    /// Nobody asked the board in time.
    Lapsed,
    /// It was not possible any more when its hours were over.
    Failed,
}

crate::words!(RecoveryStatus, "state.key-recovery", {
    Filed = "filed",
    Waiting = "waiting",
    Done = "done",
    Cancelled = "cancelled",
    Declined = "declined",
    Lapsed = "lapsed",
    Failed = "failed",
});

impl RecoveryStatus {
    /// Whether something is still to come.
    pub fn is_open(self) -> bool {
        match self {
            RecoveryStatus::Filed | RecoveryStatus::Waiting => true,
            RecoveryStatus::Done
            | RecoveryStatus::Cancelled
            | RecoveryStatus::Declined
            | RecoveryStatus::Lapsed
            | RecoveryStatus::Failed => false,
        }
    }
}

/// A recovery of keys (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct KeyRecovery {
    /// Its number.
    pub number: KeyRecoveryId,
    /// Whose keys, by which letter, and what changes.
    pub plan: RecoveryPlan,
    /// The record that filed it.
    pub record: Hash,
    /// Who checked the letter.
    pub checked_by: PersonId,
    /// The motion that decided.
    pub motion: Option<MotionId>,
    /// Whose old key cancelled it.
    pub cancelled_by: Option<PersonId>,
    /// The rule that stood against it when its hours were over.
    pub failure: Option<Text<64>>,
    /// Where it stands.
    pub status: RecoveryStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<RecoveryStatus>; 8] = {
    use RecoveryStatus::*;
    [
        row!("R23", None => Filed, "SEC", "letter checked; unrelated; possession of new keys proved"),
        row!("R23", Some(Filed) => Waiting, "BRD", "motion recover-keys; the organisation recused"),
        row!("R23", Some(Filed) => Declined, "BRD", "the motion failed"),
        row!("R23", Some(Filed) => Lapsed, "CLK", "60 days without a decision"),
        row!("R23", Some(Filed) => Cancelled, "officer", "with a key in force"),
        row!("R23", Some(Waiting) => Cancelled, "officer", "with a key in force"),
        row!("R23", Some(Waiting) => Done, "CLK", "recovery_hours passed; still possible"),
        row!("R23", Some(Waiting) => Failed, "CLK", "recovery_hours passed; not possible any more"),
    ]
};

crate::object::object!(KeyRecovery, KeyRecoveryId, "key-recovery");
crate::object::machine!(KeyRecovery, "key-recovery", RecoveryStatus, status);
