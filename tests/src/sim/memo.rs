//! Results of signature checks, kept for the whole process (RULINGS A23): a signature that four
//! nodes check is checked once.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use rollbook_core::tx::Verify;
use rollbook_proof::crypto::{Hash, PublicKey, Signature, sha256_parts};

static MEMO: LazyLock<Mutex<HashMap<Hash, bool>>> = LazyLock::new(Mutex::default);

/// Most results kept.
const CAPACITY: usize = 2_000_000;

/// Same answer as [`PublicKey::verify`].
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let Signature::Ed25519(bytes) = signature;
    // The message's hash first: no two triples share an input.
    let id = sha256_parts(&[key.bytes(), bytes, message]);
    let mut memo = MEMO.lock().expect("no panic while held");
    if let Some(known) = memo.get(&id) {
        return *known;
    }
    let valid = key.verify(message, signature).is_ok();
    if memo.len() >= CAPACITY {
        memo.clear();
    }
    memo.insert(id, valid);
    valid
}

/// The verifier of simulated nodes; without the memo where faults are planted.
#[derive(Debug, Clone, Copy)]
pub struct SimVerify {
    /// Use the memo.
    pub memo: bool,
}

impl Verify for SimVerify {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        if self.memo {
            verify(key, message, signature)
        } else {
            key.verify(message, signature).is_ok()
        }
    }
}
