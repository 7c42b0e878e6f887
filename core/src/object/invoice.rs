//! Invoices of dues (M26; RULINGS R41).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::charter::Class;
use crate::id::{InvoiceId, MembershipId, PersonId};
use crate::machine::Row;
use crate::record::BankReference;
use crate::row;

/// Where an invoice stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceStatus {
    /// Not fully received.
    Open,
    /// Received and confirmed in full.
    Paid,
    /// Cancelled before anything was received.
    Cancelled,
    /// R41: what was received is paid back, since the applicant never became a member.
    PaidBack,
}

crate::words!(InvoiceStatus, "state.invoice", {
    Open = "open",
    Paid = "paid",
    Cancelled = "cancelled",
    PaidBack = "paid-back",
});

/// What an invoice is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Charge {
    /// The first dues of an applicant that was admitted.
    First,
    /// The dues of a year.
    Year,
    /// The difference after a change of class.
    ClassChange,
}

crate::words!(Charge, "charge", {
    First = "first",
    Year = "year",
    ClassChange = "class-change",
});

/// A receipt that waits for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct PendingReceipt {
    /// Record that entered it.
    pub record: Hash,
    /// Minor units.
    pub amount: Amount,
    /// The bank's reference.
    pub reference: BankReference,
    /// Value date, days since 1970-01-01.
    pub value_date: LocalDay,
    /// Person who entered it.
    pub entered_by: PersonId,
    /// R41: it goes back to the payer.
    pub pays_back: bool,
    /// Ledger time up to which the clock of the dues stands still for it: who confirms is not to stop it
    /// for ever.
    pub until_ms: LedgerTime,
}

/// An invoice of dues (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Invoice {
    /// Its number.
    pub number: InvoiceId,
    /// The membership.
    pub membership: MembershipId,
    /// What it is for.
    pub charge: Charge,
    /// The calendar year.
    pub year: u32,
    /// The class whose dues it bills.
    pub class: Class,
    /// The first local day that it bills.
    pub from: LocalDay,
    /// Minor units of the charter's currency.
    pub amount: Amount,
    /// Of these what was paid before, as too much or as a difference of classes.
    pub credited: Amount,
    /// Confirmed so far.
    pub received: Amount,
    /// Entered, not confirmed.
    pub pending: Option<PendingReceipt>,
    /// The record that issued it; zero where a change of class did.
    pub record: Hash,
    /// Ledger time of issue.
    pub issued_ms: LedgerTime,
    /// Last ledger time to pay it in time.
    pub due_ms: LedgerTime,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Invoice {
    /// What is open on it.
    pub fn open(&self) -> Amount {
        self.amount
            .saturating_sub(self.credited)
            .saturating_sub(self.received)
    }
}

/// Every transition of this build.
pub static ROWS: [Row<InvoiceStatus>; 7] = {
    use InvoiceStatus::*;
    [
        row!(
            "M26",
            None => Open,
            "TRE",
            "admitted or a member, not invoiced for the year; the class has dues"
        ),
        row!("M26", Some(Open) => Cancelled, "TRE", "nothing received or entered"),
        row!(
            "M27",
            Some(Open) => Paid,
            "TRE, then another OFF",
            "receipts confirmed up to its amount"
        ),
        row!("R41", None => Open, "progress", "a change of class bills the difference"),
        row!("R41", Some(Open) => Paid, "progress", "what was paid before covers it"),
        row!(
            "R41",
            Some(Open) => PaidBack,
            "TRE, then another OFF",
            "never a member; all that was received"
        ),
        row!(
            "R41",
            Some(Paid) => PaidBack,
            "TRE, then another OFF",
            "never a member; all that was received"
        ),
    ]
};

crate::object::object!(Invoice, crate::id::InvoiceId, "invoice");
crate::object::machine!(Invoice, "invoice", InvoiceStatus, status);
