//! Signatures verified once per node: at admission, by all cores ([`Ahead`]); a block's execution
//! finds them here.
//!
//! The memo only ever holds results of the one verification rule, so an answer never depends on it.

use std::collections::HashSet;

use rayon::prelude::*;
use rollbook_core::audit::all_signatures_of;
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;
use rollbook_core::tx::Verify;
use rollbook_proof::crypto::{KeyError, PublicKey, Signature, VerifierCache, sha256_parts};

use super::keyring::Seen;
use crate::replica::Ahead;

/// Results kept in one generation of the memo: a full pool of records with three officers each.
const MEMO: usize = 60_000;
/// Bytes of a signature by which it is known again.
const MARK: usize = 16;

/// Verified signatures of some time.
#[derive(Debug, Default)]
struct Generation {
    /// Key, signature and message of each, hashed: the only thing an answer rests on.
    entries: HashSet<[u8; 32]>,
    /// The first bytes of each signature: whether it is worth asking for the entry. Whoever forges
    /// one loses the help of the other cores for the forged record.
    marks: HashSet<[u8; MARK]>,
}

/// Verified signatures, two generations.
#[derive(Debug, Default)]
struct Memo {
    young: Generation,
    old: Generation,
}

impl Memo {
    fn holds(&self, entry: &[u8; 32]) -> bool {
        self.young.entries.contains(entry) || self.old.entries.contains(entry)
    }

    /// Whether all signatures of a record look as if they had been verified.
    fn knows(&self, record: &Record) -> bool {
        record.signatures.iter().all(|entry| {
            let mark = mark(&entry.signature);
            self.young.marks.contains(&mark) || self.old.marks.contains(&mark)
        })
    }

    fn add(&mut self, entry: [u8; 32]) {
        if self.young.entries.len() >= MEMO {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entries.insert(entry);
    }

    fn add_signature(&mut self, entry: [u8; 32], signature: &Signature) {
        self.add(entry);
        self.young.marks.insert(mark(signature));
    }
}

fn mark(signature: &Signature) -> [u8; MARK] {
    let Signature::Ed25519(bytes) = signature;
    let mut mark = [0; MARK];
    mark.copy_from_slice(&bytes[..MARK]);
    mark
}

/// What a good signature is remembered by.
pub(super) fn memo_key(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let Signature::Ed25519(bytes) = signature;
    sha256_parts(&[key.bytes(), bytes, message]).0
}

/// The verifier of a node: the memo, else the one rule.
#[derive(Debug, Default)]
pub struct MemoVerifier {
    memo: Memo,
    cache: VerifierCache,
}

impl MemoVerifier {
    /// Remembers a signature that somebody else found good by the one rule.
    pub(super) fn remember(&mut self, seen: &Seen) {
        self.memo.add_signature(seen.entry, &seen.signature);
    }
}

impl Verify for MemoVerifier {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let entry = memo_key(key, message, signature);
        if self.memo.holds(&entry) {
            return true;
        }
        let good = self.cache.verify(key, message, signature).is_ok();
        if good {
            self.memo.add_signature(entry, signature);
        }
        good
    }

    fn check_registrable(&mut self, key: &PublicKey) -> Result<(), KeyError> {
        // Shorter than any entry of a signature, which holds a key and a signature before its
        // message.
        let entry = sha256_parts(&[key.bytes()]).0;
        if self.memo.holds(&entry) {
            return Ok(());
        }
        key.check_registrable()?;
        self.memo.add(entry);
        Ok(())
    }
}

impl Ahead for MemoVerifier {
    /// Verifies the signatures of those records that are new with all cores and remembers the good
    /// ones.
    fn ahead(&mut self, tables: &StateTables, records: &[&Record]) {
        if records.len() < 2 {
            return;
        }
        let MemoVerifier { memo, cache } = self;
        let new = records.iter().filter(|record| !memo.knows(record));
        let all = new.flat_map(|record| all_signatures_of(tables, record));
        let open: Vec<_> = all
            .map(|(key, message, signature)| {
                (
                    memo_key(&key, &message, &signature),
                    key,
                    message,
                    signature,
                )
            })
            .filter(|(entry, ..)| !memo.holds(entry))
            .collect();
        for (_, key, ..) in &open {
            cache.learn(key);
        }
        let cache = &*cache;
        let verify = |(_, key, message, signature): &&(_, _, Vec<u8>, _)| {
            cache.verify_shared(key, message, signature).is_ok()
        };
        let good: Vec<_> = open
            .par_iter()
            .filter(verify)
            .map(|(entry, _, _, signature)| (*entry, *signature))
            .collect();
        for (entry, signature) in good {
            memo.add_signature(entry, &signature);
        }
    }
}
