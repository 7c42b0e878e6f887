//! Keys and salts of sample alliances, all derived from the alliance's seed, and who has which
//! number. Never for real ones: whoever knows the seed has every key.

use rollbook_proof::crypto::{KeyKind, Keypair, sha256_tagged};

/// The key of a person.
pub fn officer_key(seed: &[u8], person: u32) -> Keypair {
    Keypair::derive(seed, &format!("officer/{person}"))
}

/// A node's key of a kind.
pub fn node_key(seed: &[u8], organisation: u32, kind: KeyKind) -> Keypair {
    Keypair::derive(seed, &format!("node/{organisation}/{kind:?}"))
}

/// The salt behind a commitment; `label` says which, such as `person/7`.
pub fn salt(seed: &[u8], label: &str) -> [u8; 32] {
    sha256_tagged("rollbook/sample-salt/v1", &[seed, &[0], label.as_bytes()]).0
}

/// Person numbers of a member's two officers.
pub fn officers_of(member: u32) -> (u32, u32) {
    (2 * member - 1, 2 * member)
}
