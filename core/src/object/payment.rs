//! Payments: what stands in the ledger of one, and its transitions (domain 2.5).

use PaymentState as S;
use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::id::{AgreementId, FundId, PaymentId};
use crate::machine::Row;
use crate::object::deed::Deed;
use crate::object::milestone::Share;
use crate::record::{BankReference, Instruction, Tranche};
use crate::row;

/// Where a payment stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentState {
    /// By the grantee.
    Requested,
    /// By the programme officer; approvals may be under way.
    Certified,
    /// By as many finance approvers as its amount needs.
    Approved,
    /// Held by two seat holders, or because a tie taints a deed before the request.
    Held,
    /// Given to the bank.
    Released,
    /// Came back from the bank.
    Returned,
    /// Executed by the bank.
    Settled,
    /// The grantee let its days pass.
    Unacknowledged,
    /// The grantee has it.
    Acknowledged,
    /// The grantee denies it.
    Disputed,
    /// Refused on the way.
    Refused,
    /// Set off against a debt of the grantee, wholly or as far as it was paid.
    SetOff,
}

crate::words!(PaymentState, "state.payment", {
    Requested = "requested",
    Certified = "certified",
    Approved = "approved",
    Held = "held",
    Released = "released",
    Returned = "returned",
    Settled = "settled",
    Unacknowledged = "unacknowledged",
    Acknowledged = "acknowledged",
    Disputed = "disputed",
    Refused = "refused",
    SetOff = "set-off",
});

/// Transitions of a payment (domain 2.5).
pub const ROWS: [Row<PaymentState>; 65] = [
    row!(
        "F16",
        None => S::Requested,
        "GRT",
        "milestone accepted, or advance once, or holdback after final acceptance; amount as \
         computed"
    ),
    row!("F17", Some(S::Requested) => S::Certified, "PO", "cap, holdback, standing; duties"),
    row!("F17", Some(S::Requested) => S::Refused, "PO", "published code and reason; duties"),
    row!("F17", Some(S::Requested) => S::SetOff, "PO", "the same, of what is not set off"),
    row!(
        "F18",
        Some(S::Certified) => S::Certified,
        "FIN",
        "first of two above the tier; != certifier; duties"
    ),
    row!(
        "F18",
        Some(S::Certified) => S::Approved,
        "FIN",
        "last approval; != certifier, != other approver; duties; the delay starts"
    ),
    row!(
        "R35",
        Some(S::Requested) => S::Refused,
        "CLK",
        "an advance that was never released, when the milestones left no longer cover it"
    ),
    row!("R35", Some(S::Certified) => S::Refused, "CLK", "the same"),
    row!("R35", Some(S::Approved) => S::Refused, "CLK", "the same"),
    row!("R35", Some(S::Held) => S::Refused, "CLK", "the same"),
    row!("R35", Some(S::Requested) => S::SetOff, "CLK", "the same, of what is not set off"),
    row!("R35", Some(S::Certified) => S::SetOff, "CLK", "the same"),
    row!("R35", Some(S::Approved) => S::SetOff, "CLK", "the same"),
    row!("R35", Some(S::Held) => S::SetOff, "CLK", "the same"),
    row!("F18", Some(S::Certified) => S::Refused, "FIN", "published code and reason; duties"),
    row!("F18", Some(S::Approved) => S::Refused, "FIN", "published code and reason; duties"),
    row!("F18", Some(S::Certified) => S::SetOff, "FIN", "the same, of what is not set off"),
    row!("F18", Some(S::Approved) => S::SetOff, "FIN", "the same, of what is not set off"),
    row!(
        "F19",
        Some(S::Approved) => S::Approved,
        "seat holder",
        "within the delay; unrelated: first of two"
    ),
    row!(
        "F19",
        Some(S::Approved) => S::Held,
        "seat holder",
        "within the delay; unrelated; of another group than the first"
    ),
    row!("F19", Some(S::Held) => S::Approved, "BRD", "motion to lift"),
    row!("F19", Some(S::Held) => S::Requested, "BRD", "motion to lift; held there"),
    row!("F19", Some(S::Held) => S::Certified, "BRD", "motion to lift; held there"),
    row!("F19", Some(S::Held) => S::Returned, "BRD", "motion to lift; held there"),
    row!(
        "R30",
        Some(S::Requested) => S::Held,
        "CLK",
        "a tie taints a review, a vote or an assessment, until the board decides"
    ),
    row!("R30", Some(S::Certified) => S::Held, "CLK", "the same"),
    row!("R30", Some(S::Approved) => S::Held, "CLK", "the same"),
    row!("R30", Some(S::Returned) => S::Held, "CLK", "the same"),
    row!("R30", Some(S::Held) => S::Held, "CLK", "the same"),
    row!(
        "R30",
        Some(S::Certified) => S::Requested,
        "CLK",
        "a tie taints the certificate; approvals fall"
    ),
    row!("R30", Some(S::Approved) => S::Requested, "CLK", "the same; the delay starts anew"),
    row!("R30", Some(S::Returned) => S::Requested, "CLK", "the same"),
    row!("R30", Some(S::Held) => S::Requested, "CLK", "the same"),
    row!(
        "R30",
        Some(S::Certified) => S::Certified,
        "CLK",
        "a tie taints an approval; later ones fall"
    ),
    row!("R30", Some(S::Approved) => S::Certified, "CLK", "the same; the delay starts anew"),
    row!("R30", Some(S::Returned) => S::Certified, "CLK", "the same"),
    row!("R30", Some(S::Held) => S::Certified, "CLK", "the same"),
    row!("R30", Some(S::Returned) => S::Returned, "CLK", "a tie taints the former release"),
    row!("R30", Some(S::Approved) => S::Approved, "CLK", "a tie taints what a part was set off by"),
    row!("R13", Some(S::Held) => S::Approved, "CLK", "30 days undecided"),
    row!(
        "F20",
        Some(S::Approved) => S::Released,
        "TRE",
        "delay over; != approver; account in force, no cooling-off; new EndToEndId, UETR; \
         standing; cap; K -> T"
    ),
    row!(
        "F20",
        Some(S::Returned) => S::Released,
        "TRE",
        "as the first time, with a new EndToEndId and UETR; K -> T"
    ),
    row!(
        "F21",
        Some(S::Released) => S::Settled,
        "OFF",
        "!= releaser; bank reference unused; amount equal; T -> D"
    ),
    row!(
        "F21",
        Some(S::Released) => S::Returned,
        "OFF",
        "!= releaser; bank reference unused; amount equal; T -> K"
    ),
    row!("F22", Some(S::Settled) => S::Acknowledged, "GRT", "within 14 days; amount equal"),
    row!("F22", Some(S::Settled) => S::Disputed, "GRT", "within 14 days"),
    row!("F22", Some(S::Settled) => S::Unacknowledged, "CLK", "14 days passed"),
    row!("F22", Some(S::Unacknowledged) => S::Acknowledged, "GRT", "late; amount equal"),
    row!("R13", Some(S::Requested) => S::Requested, "CLK", "certify_days passed: shown as overdue"),
    row!(
        "R13",
        Some(S::Certified) => S::Certified,
        "CLK",
        "step_days passed without the last approval: shown as overdue"
    ),
    row!(
        "R13",
        Some(S::Approved) => S::Approved,
        "CLK",
        "step_days passed without a release: shown as overdue"
    ),
    row!(
        "R13",
        Some(S::Returned) => S::Returned,
        "CLK",
        "step_days passed without a new release: shown as overdue"
    ),
    row!(
        "R13",
        Some(S::Released) => S::Released,
        "CLK",
        "step_days passed without a confirmation: shown as overdue"
    ),
    row!(
        "F25",
        Some(S::Requested) => S::Refused,
        "BRD",
        "an advance of a terminated agreement, or more than is still owed"
    ),
    row!("F25", Some(S::Certified) => S::Refused, "BRD", "the same"),
    row!("F25", Some(S::Approved) => S::Refused, "BRD", "the same"),
    row!("F25", Some(S::Held) => S::Refused, "BRD", "the same"),
    row!("F25", Some(S::Returned) => S::Refused, "BRD", "the same"),
    row!("F25", Some(S::Requested) => S::SetOff, "BRD", "the same, of what is not set off"),
    row!("F25", Some(S::Certified) => S::SetOff, "BRD", "the same"),
    row!("F25", Some(S::Approved) => S::SetOff, "BRD", "the same"),
    row!("F25", Some(S::Held) => S::SetOff, "BRD", "the same"),
    row!("F25", Some(S::Returned) => S::SetOff, "BRD", "the same"),
    row!(
        "F45",
        Some(S::Approved) => S::Approved,
        "FIN, TRE",
        "a part is set off against a debt; K -> A, D -> D"
    ),
    row!("F45", Some(S::Approved) => S::SetOff, "FIN, TRE", "the same, the whole"),
];

/// Which step of a payment is awaited, for overdue events.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// Certification.
    Certify,
    /// Approval.
    Approve,
    /// Release.
    Release,
    /// Confirmation.
    Confirm,
}

impl PaymentState {
    /// Whether something may still become of it that is more than a word: its agreement is not closed before.
    /// What is settled may be disputed until its days are over.
    pub fn is_open(self) -> bool {
        self.is_under_way() || matches!(self, S::Settled | S::Disputed)
    }

    /// Whether it is on its way: neither with the grantee nor over.
    pub fn is_under_way(self) -> bool {
        match self {
            S::Requested | S::Certified | S::Approved | S::Held | S::Released | S::Returned => true,
            S::Settled
            | S::Unacknowledged
            | S::Acknowledged
            | S::Disputed
            | S::Refused
            | S::SetOff => false,
        }
    }
}

/// A payment (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Payment {
    /// Its number.
    pub number: PaymentId,
    /// The fund.
    pub fund: FundId,
    /// The agreement.
    pub agreement: AgreementId,
    /// What it pays.
    pub tranche: Tranche,
    /// How the accepted amount divides; net is the amount. Of an advance or holdback only net is
    /// set.
    pub share: Share,
    /// Minor units to be paid by the bank.
    pub amount: Amount,
    /// What was set off of it against debts of the grantee, in minor units.
    pub set_off: Amount,
    /// Where it stands.
    pub state: PaymentState,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Record of the request.
    pub requested: Hash,
    /// Record of the certificate.
    pub certified: Option<Hash>,
    /// Approvals given.
    pub approvals: u32,
    /// Approvals needed, fixed at the request.
    pub approvals_needed: u32,
    /// Ledger time of the last approval.
    pub approved_ms: Option<LedgerTime>,
    /// Who did what, in order; a repeated deed stands once.
    pub deeds: Vec<Deed>,
    /// Organisation that called for a hold, until a second one does.
    pub hold_called_by: Option<OrganisationId>,
    /// Where it stands again when its hold is lifted.
    pub held_in: Option<PaymentState>,
    /// The newest instruction.
    pub instruction: Option<Instruction>,
    /// Instructions given so far.
    pub attempts: u32,
    /// The bank's reference of the settlement.
    pub settlement: Option<BankReference>,
    /// Why it was refused, or its rest given up: published code.
    pub refused: Option<Text<40>>,
}

crate::object::object!(Payment, crate::id::PaymentId, "payment");
crate::object::machine!(Payment, "payment", PaymentState, state);
