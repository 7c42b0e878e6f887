//! Plans by which members pay their dues: what stands in the ledger of one, and its transitions (M28).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::Amount;
use crate::id::{InvoiceId, MembershipId, PersonId, PlanId};
use crate::machine::Row;
use crate::record::PlanPart;
use crate::row;

/// Where a plan stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum PlanStatus {
    /// The member offers it.
    Proposed,
    /// The treasurer has agreed; the secretary has to.
    Agreed,
    /// Accepted: the clock of the dues stands still.
    Running,
    /// Everything that it was about is paid.
    Kept,
    /// An instalment was not received in time.
    Missed,
    /// Another took its place, or there is nothing left to pay by it.
    Dropped,
}

crate::words!(PlanStatus, "state.plan", {
    Proposed = "proposed",
    Agreed = "agreed",
    Running = "running",
    Kept = "kept",
    Missed = "missed",
    Dropped = "dropped",
});

/// A plan (working; for members).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// Its number.
    pub number: PlanId,
    /// The membership.
    pub membership: MembershipId,
    /// The invoices that it pays, ascending.
    pub invoices: Vec<InvoiceId>,
    /// Its instalments.
    pub parts: Vec<PlanPart>,
    /// What was due when it was offered, in minor units: the sum of the instalments.
    pub total: Amount,
    /// How many instalments were due so far.
    pub passed: u32,
    /// The record that offered it.
    pub record: Hash,
    /// The treasurer who agreed.
    pub agreed_by: Option<PersonId>,
    /// Where it stands.
    pub status: PlanStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Plan {
    /// What is still open at most once the instalments up to this one are received.
    pub fn open_after(&self, parts: u32) -> Amount {
        let paid = self.parts.iter().take(parts as usize);
        paid.fold(self.total, |open, part| open.saturating_sub(part.amount))
    }

    /// Whether it waits for somebody or runs.
    pub fn is_open(&self) -> bool {
        match self.status {
            PlanStatus::Proposed | PlanStatus::Agreed | PlanStatus::Running => true,
            PlanStatus::Kept | PlanStatus::Missed | PlanStatus::Dropped => false,
        }
    }
}

/// Every transition.
pub static ROWS: [Row<PlanStatus>; 10] = {
    use PlanStatus::*;
    [
        row!("M28", None => Proposed, "MEM", "dues are unpaid; the instalments sum to what is due"),
        row!("M28", Some(Proposed) => Agreed, "TRE", "up to plan_days"),
        row!("M28", Some(Agreed) => Running, "SEC", "up to plan_days; another person"),
        row!("M28", Some(Proposed) => Running, "BRD", ""),
        row!("M28", Some(Agreed) => Running, "BRD", ""),
        row!("M28", Some(Running) => Kept, "progress", "everything that it was about is paid"),
        row!("M28", Some(Running) => Missed, "CLK", "an instalment was not received in time"),
        row!(
            "M28",
            Some(Proposed) => Dropped,
            "progress",
            "another is offered, everything is paid, or the membership ended"
        ),
        row!("M28", Some(Agreed) => Dropped, "progress", "the same"),
        row!("M28", Some(Running) => Dropped, "progress", "the membership ended"),
    ]
};

crate::object::object!(Plan, PlanId, "plan");
crate::object::machine!(Plan, "plan", PlanStatus, status);
