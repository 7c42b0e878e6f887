//! Invoices of dues (M26).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::Amount;
use crate::calendar::LocalDay;
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
}

crate::words!(InvoiceStatus, "state.invoice", {
    Open = "open",
    Paid = "paid",
    Cancelled = "cancelled",
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
}

/// An invoice of dues (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Invoice {
    /// Its number.
    pub number: InvoiceId,
    /// The membership.
    pub membership: MembershipId,
    /// Minor units of the charter's currency.
    pub amount: Amount,
    /// Confirmed so far.
    pub received: Amount,
    /// Entered, not confirmed.
    pub pending: Option<PendingReceipt>,
    /// Ledger time of issue.
    pub issued_ms: LedgerTime,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition of this build.
pub static ROWS: [Row<InvoiceStatus>; 3] = {
    use InvoiceStatus::*;
    [
        row!("M26", None => Open, "TRE", "admitted, not invoiced; the class has dues"),
        row!("M26", Some(Open) => Cancelled, "TRE", "nothing received or entered"),
        row!(
            "M27",
            Some(Open) => Paid,
            "TRE, then another OFF",
            "receipts confirmed up to its amount"
        ),
    ]
};

crate::object::object!(Invoice, crate::id::InvoiceId, "invoice");
crate::object::machine!(Invoice, "invoice", InvoiceStatus, status);
