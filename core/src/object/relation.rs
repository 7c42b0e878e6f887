//! Relations between companies (domain 1.2).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;

/// One relation in force or past.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Edge {
    /// SHA-256 of the evidence.
    pub evidence: Hash,
    /// In force from this ledger time.
    pub since_ms: u64,
    /// Not in force from this ledger time.
    pub until_ms: Option<u64>,
}
