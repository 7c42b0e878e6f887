//! Who judges signatures while a record applies.

use rollbook_proof::crypto::{KeyError, PublicKey, Signature, VerifierCache};

/// Judges signatures. A node passes one that remembers what its threads verified; the rule is
/// always [`PublicKey::verify`].
pub trait Verify {
    /// Whether `signature` over `message` verifies under `key`.
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// Whether a key may be put on the ledger. One that remembers signatures remembers these
    /// answers as well: the torsion check costs more than a signature.
    fn check_registrable(&mut self, key: &PublicKey) -> Result<(), KeyError> {
        key.check_registrable()
    }
}

impl Verify for VerifierCache {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        VerifierCache::verify(self, key, message, signature).is_ok()
    }
}
