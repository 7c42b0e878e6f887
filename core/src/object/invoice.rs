//! Invoices of dues (M26).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::id::{InvoiceId, MembershipId, PersonId};
use crate::record::BankReference;

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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
}

crate::object::object!(Invoice, crate::id::InvoiceId, "invoice");
