//! Relations between companies (domain 1.2).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

/// One relation in force or past.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Edge {
    /// SHA-256 of the evidence.
    pub evidence: Hash,
    /// In force from this ledger time.
    pub since_ms: LedgerTime,
    /// Not in force from this ledger time.
    pub until_ms: Option<LedgerTime>,
}
