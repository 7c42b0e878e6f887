//! Orders of courts and regulators on file (RULINGS R24).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::record::OfficialOrder;

/// An order on file (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct FiledOrder {
    /// The order.
    pub order: OfficialOrder,
    /// The record that filed it.
    pub record: Hash,
    /// Ledger time.
    pub filed_ms: LedgerTime,
}
