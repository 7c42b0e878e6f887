//! Signatures verified once per node: at admission, by all cores ([`Ahead`]); a block's execution
//! finds them here.
//!
//! The memo only ever holds results of the one verification rule, so an answer never depends on it.
//!
//! What many records bring at once is looked at in the order in which it costs (RULINGS A49): records that
//! cannot apply not at all, then the envelopes, and what is inside those alone whose envelope is wholly
//! good, so many a round. Nothing is verified twice, nor what was wrong lately.

use std::collections::HashSet;

use rayon::prelude::*;
use rollbook_core::record::{Body, Record, SignatureEntry};
use rollbook_core::state::StateTables;
use rollbook_core::tx::Verify;
use rollbook_proof::crypto::{KeyError, PublicKey, Signature, VerifierCache, sha256_parts};

use super::keyring::Seen;
use crate::replica::{Ahead, Offer};

/// Results kept in one generation of the memo: a full pool of records with three officers each.
const MEMO: usize = 60_000;
/// Signatures that were wrong lately, at most.
const WRONG: usize = 16_384;
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
    /// Key, signature and message of each that was wrong, hashed.
    wrong: HashSet<[u8; 32]>,
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

    fn add_wrong(&mut self, entry: [u8; 32]) {
        if self.wrong.len() >= WRONG {
            self.wrong.clear();
        }
        self.wrong.insert(entry);
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
        if self.memo.wrong.contains(&entry) {
            return false;
        }
        let good = self.cache.verify(key, message, signature).is_ok();
        if good {
            self.memo.add_signature(entry, signature);
        } else {
            self.memo.add_wrong(entry);
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

/// A signature that nobody has looked at: what it is remembered by, and what it is of.
type Open = ([u8; 32], PublicKey, Vec<u8>, Signature);

/// How many signatures one look ahead verified.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verified {
    /// Of envelopes.
    envelopes: usize,
    /// Inside acts.
    inner: usize,
}

impl MemoVerifier {
    /// [`Ahead::ahead`], with the keys that may sign now.
    fn look(
        &mut self,
        offer: &Offer,
        signs: impl Fn(&SignatureEntry) -> Option<PublicKey>,
        records: &[&Record],
    ) -> Verified {
        let able = |record: &&&Record| {
            let payload = &record.payload;
            payload.chain == offer.chain && payload.valid_until_ms >= offer.now
        };
        let (mut envelopes, mut whole) = (Vec::new(), Vec::new());
        for record in records.iter().filter(able) {
            // Acts on organisations and nodes may have signatures inside.
            let is_plain = !matches!(record.payload.body, Body::Organisation(_) | Body::Node(_));
            if is_plain && self.memo.knows(record) {
                continue;
            }
            let keys: Option<Vec<_>> = record.signatures.iter().map(&signs).collect();
            let Some(keys) = keys else { continue };
            let message = record.payload.sign_bytes();
            let entries = keys.into_iter().zip(&record.signatures);
            let entries: Vec<Open> = entries
                .map(|(key, entry)| {
                    let entry_key = memo_key(&key, &message, &entry.signature);
                    (entry_key, key, message.clone(), entry.signature)
                })
                .collect();
            whole.push((*record, entries.iter().map(|open| open.0).collect()));
            envelopes.extend(entries);
        }
        let envelopes = self.verify_all(envelopes);
        let mut inside = Vec::new();
        for (record, entries) in whole {
            let entries: Vec<[u8; 32]> = entries;
            if !entries.iter().all(|entry| self.memo.holds(entry)) {
                continue;
            }
            let payload = &record.payload;
            let inner = payload.body.signatures(&payload.chain, payload.principal);
            if inside.len().saturating_add(inner.len()) > offer.inner {
                continue;
            }
            inside.extend(inner.into_iter().map(|(key, message, signature)| {
                (
                    memo_key(&key, &message, &signature),
                    key,
                    message,
                    signature,
                )
            }));
        }
        Verified {
            envelopes,
            inner: self.verify_all(inside),
        }
    }

    /// Verifies with all cores what nobody has looked at, each once; how many there were.
    fn verify_all(&mut self, mut all: Vec<Open>) -> usize {
        let MemoVerifier { memo, cache } = self;
        let mut met = HashSet::new();
        all.retain(|(entry, ..)| {
            !memo.holds(entry) && !memo.wrong.contains(entry) && met.insert(*entry)
        });
        for (_, key, ..) in &all {
            cache.learn(key);
        }
        let cache = &*cache;
        let judged: Vec<bool> = all
            .par_iter()
            .map(|(_, key, message, signature)| {
                cache.verify_shared(key, message, signature).is_ok()
            })
            .collect();
        for ((entry, _, _, signature), good) in all.iter().zip(judged) {
            if good {
                memo.add_signature(*entry, signature);
            } else {
                memo.add_wrong(*entry);
            }
        }
        all.len()
    }
}

impl Ahead for MemoVerifier {
    /// Verifies the signatures of those records that are new with all cores and remembers the answers.
    fn ahead(&mut self, offer: &Offer, tables: &StateTables, records: &[&Record]) {
        if records.len() < 2 {
            return;
        }
        let signs = |entry: &SignatureEntry| {
            let person = tables.persons.get(&entry.officer)?;
            let person = Some(person).filter(|person| person.in_force(offer.now))?;
            let key = person.keys.get(entry.key as usize)?;
            key.in_force().then_some(key.key)
        };
        self.look(offer, signs, records);
    }
}

#[cfg(test)]
mod tests {
    use rollbook_core::id::PersonId;
    use rollbook_core::identity::Role;
    use rollbook_core::record::{Capacity, NodeAct, NodeKeys, Nonce, Payload};
    use rollbook_proof::codec::Text;
    use rollbook_proof::crypto::{Hash, Keypair};
    use rollbook_proof::number::{LedgerTime, OrganisationId};

    use super::*;

    fn key(of: &str) -> Keypair {
        Keypair::derive(b"memo", of)
    }

    /// A registration of a node, signed by officers 1 and 2; the second may be wrong.
    fn record(number: u64, second: &str) -> Record {
        let node = [0, 1, 2, 3].map(|kind| key(&format!("{number} {kind}")));
        let [a, b, c, d] = &node;
        let (chain, principal) = (Hash([7; 32]), OrganisationId(3));
        let (url, address) = (Text::new("https://x.example"), Text::new("x.example:1"));
        let (url, address) = (url.unwrap(), address.unwrap());
        let keys = NodeKeys::proved(Some(&chain), principal, [a, b, c, d], url, address);
        let payload = Payload {
            chain,
            principal,
            officer: PersonId(1),
            sequence: number,
            valid_until_ms: LedgerTime(1_000),
            nonce: Nonce([9; 16]),
            body: Body::Node(NodeAct::Register(keys)),
        };
        let sign = |officer, by: &str| {
            payload.sign(PersonId(officer), Capacity::Own(Role::Primary), 0, &key(by))
        };
        Record {
            signatures: vec![sign(1, "one"), sign(2, second)],
            payload,
        }
    }

    fn offer(now: u64) -> Offer {
        Offer {
            chain: Hash([7; 32]),
            now: LedgerTime(now),
            inner: 512,
        }
    }

    /// The keys in force: of officers 1 and 2.
    fn signs(entry: &SignatureEntry) -> Option<PublicKey> {
        match entry.officer.0 {
            1 => Some(key("one").public()),
            2 => Some(key("two").public()),
            _ => None,
        }
    }

    fn look(memo: &mut MemoVerifier, now: u64, records: &[Record]) -> (usize, usize) {
        let records: Vec<&Record> = records.iter().collect();
        let Verified { envelopes, inner } = memo.look(&offer(now), signs, &records);
        (envelopes, inner)
    }

    /// One good signature of anybody had everything inside a record verified, as often as it was sent, by
    /// the thread that reads votes: seconds of it for a small request.
    #[test]
    fn what_is_inside_is_for_those_whose_envelope_is_good() {
        let forged: Vec<Record> = (0..27).map(|_| record(1, "somebody")).collect();
        let mut memo = MemoVerifier::default();
        assert_eq!(look(&mut memo, 0, &forged), (2, 0), "one record, two of it");
        assert_eq!(
            look(&mut memo, 0, &forged),
            (0, 0),
            "what was wrong is known"
        );
        // Expired, of another chain, of a key that signs no more: not looked at.
        let good = vec![record(2, "two"); 2];
        assert_eq!(look(&mut memo, 1_001, &good), (0, 0));
        let mut other = good.clone();
        other[0].payload.chain = Hash::ZERO;
        other[1].signatures[1].officer = PersonId(9);
        assert_eq!(look(&mut memo, 0, &other), (0, 0));
        assert_eq!(look(&mut memo, 0, &good), (2, 4));
        assert_eq!(look(&mut memo, 0, &good), (0, 0));
    }

    #[test]
    fn a_round_verifies_so_much_inside_and_no_more() {
        let many: Vec<Record> = (0..130).map(|number| record(number, "two")).collect();
        let mut memo = MemoVerifier::default();
        assert_eq!(look(&mut memo, 0, &many), (260, 512));
    }

    /// What was wrong stays so, and what is good is good whatever was looked at before.
    #[test]
    fn answers_are_those_of_the_one_rule() {
        let (good, bad) = (record(1, "two"), record(1, "somebody"));
        let mut memo = MemoVerifier::default();
        look(&mut memo, 0, &[good.clone(), bad.clone()]);
        let message = good.payload.sign_bytes();
        let two = key("two").public();
        for _ in 0..2 {
            assert!(memo.verify(&two, &message, &good.signatures[1].signature));
            assert!(!memo.verify(&two, &message, &bad.signatures[1].signature));
        }
    }
}
