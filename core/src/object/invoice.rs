//! Invoices of dues (M26).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;

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

/// A receipt that waits for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct PendingReceipt {
    /// Record that entered it.
    pub record: Hash,
    /// Minor units.
    pub amount: u64,
    /// The bank's reference.
    pub reference: BankReference,
    /// Value date, days since 1970-01-01.
    pub value_date: i64,
    /// Person who entered it.
    pub entered_by: u32,
}

/// An invoice of dues (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Invoice {
    /// Its number.
    pub number: u32,
    /// The membership.
    pub membership: u32,
    /// Minor units of the charter's currency.
    pub amount: u64,
    /// Confirmed so far.
    pub received: u64,
    /// Entered, not confirmed.
    pub pending: Option<PendingReceipt>,
    /// Ledger time of issue.
    pub issued_ms: u64,
    /// Where it stands.
    pub status: InvoiceStatus,
}

crate::object::object!(Invoice, "invoice");
