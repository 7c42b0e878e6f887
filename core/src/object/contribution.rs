//! Contributions and their instalments: what stands in the ledger, and the transitions of an
//! instalment (domain 2.2).

use InstalmentStatus as I;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::{Amount, Pledge, Pot};
use crate::calendar::LocalDay;
use crate::id::{CharterVersion, ContributionId, FundId, InstalmentId, PersonId};
use crate::machine::Row;
use crate::record::BankReference;
use crate::row;

/// Where an instalment stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum InstalmentStatus {
    /// Signed, not called.
    Pledged,
    /// Called, nothing received.
    Called,
    /// Called, part received.
    PartlyReceived,
    /// Received in full, or the last part of it late.
    Received,
    /// Taken back before it was called.
    Cancelled,
    /// Not paid in time, wholly or in part.
    Defaulted,
    /// The defaulted rest was given up.
    WrittenOff,
}

crate::words!(InstalmentStatus, "state.instalment", {
    Pledged = "pledged",
    Called = "called",
    PartlyReceived = "partly-received",
    Received = "received",
    Cancelled = "cancelled",
    Defaulted = "defaulted",
    WrittenOff = "written-off",
});

/// A contribution: one pledge of one member to one fund.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Contribution {
    /// Its number.
    pub number: ContributionId,
    /// The fund.
    pub fund: FundId,
    /// The member.
    pub member: OrganisationId,
    /// Free or earmarked.
    pub pot: Pot,
    /// The memo ledger.
    pub pledge: Pledge,
    /// Its instalments, in order.
    pub instalments: Vec<InstalmentId>,
    /// The record that pledged.
    pub record: Hash,
    /// Ledger time of the pledge.
    pub signed_ms: LedgerTime,
    /// Charter version it was signed under.
    pub charter: CharterVersion,
}

/// One instalment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Instalment {
    /// Its number.
    pub number: InstalmentId,
    /// The contribution.
    pub contribution: ContributionId,
    /// Due by the end of this local day.
    pub due_day: LocalDay,
    /// Minor units.
    pub amount: Amount,
    /// Received so far, late receipts included.
    pub received: Amount,
    /// What is due and not defaulted yet, because receipts that were entered in time wait for their
    /// confirmation (RULINGS R35).
    pub delayed: Amount,
    /// Its default was delayed once; it is not delayed again.
    pub was_delayed: bool,
    /// Where it stands.
    pub status: InstalmentStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Instalment {
    /// What is not received yet.
    pub fn rest(&self) -> Amount {
        self.amount.saturating_sub(self.received)
    }
}

/// A receipt that the treasurer recorded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// The instalment.
    pub instalment: InstalmentId,
    /// Minor units.
    pub amount: Amount,
    /// The bank's reference.
    pub reference: BankReference,
    /// Value date.
    pub value_day: LocalDay,
    /// Person who recorded it.
    pub recorded_by: PersonId,
    /// Person who confirmed it.
    pub confirmed_by: Option<PersonId>,
    /// It delayed the default of its amount.
    pub in_time: bool,
}

/// A member's proposal to cancel instalments.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Cancellation {
    /// The contribution.
    pub contribution: ContributionId,
    /// The instalments.
    pub instalments: Vec<InstalmentId>,
    /// Whether the treasurer agreed.
    pub agreed: bool,
}

/// The state machine of an instalment. The memo ledger moves with it:
/// [`crate::account::PledgeMove::row`].
pub const ROWS: [Row<InstalmentStatus>; 17] = [
    row!(
        "F02",
        None => I::Pledged,
        "MEM",
        "signed by finance and primary; member live; fund open; due days ahead"
    ),
    row!("F34", Some(I::Pledged) => I::Called, "TRE", "not called before"),
    row!(
        "F34",
        Some(I::Pledged) => I::Cancelled,
        "MEM, then TRE",
        "not called; the treasurer's record names the member's"
    ),
    row!(
        "F03",
        Some(I::Called) => I::PartlyReceived,
        "TRE, confirmed OFF",
        "two persons; bank reference unused; amount <= open"
    ),
    row!("F03", Some(I::Called) => I::Received, "TRE, confirmed OFF", "the same, amount = open"),
    row!("F03", Some(I::PartlyReceived) => I::PartlyReceived, "TRE, confirmed OFF", "the same"),
    row!(
        "F03",
        Some(I::PartlyReceived) => I::Received,
        "TRE, confirmed OFF",
        "the same, amount = open"
    ),
    row!(
        "F03",
        Some(I::Defaulted) => I::Defaulted,
        "TRE, confirmed OFF",
        "a receipt that was entered in time; amount <= what is delayed"
    ),
    row!("F03", Some(I::Defaulted) => I::Received, "TRE, confirmed OFF", "the same, amount = rest"),
    row!(
        "R35",
        Some(I::Called) => I::Called,
        "CLK",
        "receipts entered in time wait for their confirmation: once, confirm days longer"
    ),
    row!("R35", Some(I::PartlyReceived) => I::PartlyReceived, "CLK", "the same"),
    row!("F04", Some(I::Defaulted) => I::Defaulted, "CLK", "the delayed part"),
    row!("F04", Some(I::Called) => I::Defaulted, "CLK", "end of due day and grace"),
    row!(
        "F04",
        Some(I::PartlyReceived) => I::Defaulted,
        "CLK",
        "end of due day and grace; the open part"
    ),
    row!(
        "F35",
        Some(I::Defaulted) => I::Defaulted,
        "TRE, confirmed OFF",
        "as F03; amount < defaulted rest"
    ),
    row!(
        "F35",
        Some(I::Defaulted) => I::Received,
        "TRE, confirmed OFF",
        "as F03; amount = defaulted rest"
    ),
    row!("F35", Some(I::Defaulted) => I::WrittenOff, "BRD write-off", "attempts to collect listed"),
];

crate::object::object!(Contribution, crate::id::ContributionId, "contribution");
crate::object::object!(Instalment, crate::id::InstalmentId, "instalment");
crate::object::machine!(Instalment, "instalment", InstalmentStatus, status);
