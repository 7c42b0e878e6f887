//! The officers' keys as the ledger has them at the tip, for whoever asks whether a signature is worth
//! the replica's time: written by the replica's thread, read by the API without asking it (RULINGS A42).
//!
//! A record none of whose signers is here, or whose first signature does not verify, applies nowhere:
//! the first check of the rules refuses it. Neither does one that is signed first with a key that signs no
//! more: that is said here and verifies nothing, so an old key opens nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rollbook_core::id::PersonId;
use rollbook_core::record::Record;
use rollbook_core::refusal::Refusal;
use rollbook_core::state::{Row, StateTables, decode_value, number};
use rollbook_proof::crypto::{PublicKey, Signature};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::memo::memo_key;

/// An officer as far as its signatures go.
#[derive(Debug, Clone)]
struct Officer {
    home: OrganisationId,
    /// Without any authority from then on.
    ended: Option<LedgerTime>,
    /// In order of registration, and whether each may sign.
    keys: Vec<(PublicKey, bool)>,
}

/// Officers by number. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<RwLock<BTreeMap<PersonId, Officer>>>);

/// A signature that was found good: what the memo of the replica's thread keeps of it.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub(super) entry: [u8; 32],
    pub(super) signature: Signature,
    /// The organisation of whoever made it.
    pub home: OrganisationId,
}

impl Keyring {
    /// Of the tip.
    pub fn of(tables: &StateTables) -> Keyring {
        let keyring = Keyring::default();
        for (person, _) in tables.persons.iter() {
            keyring.renew(tables, *person);
        }
        keyring
    }

    /// Follows a block: `rows` are what it changed, `tables` the state after it.
    pub fn follow(&self, tables: &StateTables, rows: &[Row]) {
        for row in rows.iter().filter(|row| row.table == number::persons) {
            if let Ok(person) = decode_value::<u32>(&row.key) {
                self.renew(tables, PersonId(person));
            }
        }
    }

    fn renew(&self, tables: &StateTables, person: PersonId) {
        let Some(known) = tables.persons.get(&person) else {
            return;
        };
        let officer = Officer {
            home: known.home,
            ended: known.ended.map(|(ended, _)| ended),
            keys: known
                .keys
                .iter()
                .map(|key| (key.key, key.in_force()))
                .collect(),
        };
        self.put(person, officer);
    }

    fn put(&self, person: PersonId, officer: Officer) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(person, officer);
    }

    fn officer(&self, person: PersonId) -> Option<Officer> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&person).cloned()
    }

    /// A key of a person that may sign, by its number.
    pub fn key(&self, person: PersonId, number: u32) -> Option<PublicKey> {
        let officer = self.officer(person)?;
        let (key, in_force) = officer.keys.get(number as usize)?;
        in_force.then_some(*key)
    }

    /// Judges the first signature of a record at this ledger time: one verification at most, and none for
    /// who may not sign.
    pub fn first_of(&self, record: &Record, now: LedgerTime) -> Result<Seen, Refusal> {
        let Some(first) = record.signatures.first() else {
            return Err(Refusal::new(
                "A6.malformed",
                vec![("why", "no signature".to_owned())],
            ));
        };
        let officer = ("officer", first.officer.0.to_string());
        let number = ("key", first.key.to_string());
        let Some(known) = self.officer(first.officer) else {
            return Err(Refusal::new("A6.unknown-officer", vec![officer]));
        };
        if known.ended.is_some_and(|ended| ended <= now) {
            return Err(Refusal::new("N24.person-not-in-force", vec![officer]));
        }
        let key = match known.keys.get(first.key as usize) {
            None => return Err(Refusal::new("A6.unknown-key", vec![officer, number])),
            Some((_, false)) => {
                return Err(Refusal::new("N24.key-not-in-force", vec![officer, number]));
            }
            Some((key, true)) => *key,
        };
        let message = record.payload.sign_bytes();
        if key.verify(&message, &first.signature).is_err() {
            return Err(Refusal::new("A6.bad-signature", vec![officer, number]));
        }
        Ok(Seen {
            entry: memo_key(&key, &message, &first.signature),
            signature: first.signature,
            home: known.home,
        })
    }
}

#[cfg(test)]
mod tests {
    use rollbook_core::id::MotionId;
    use rollbook_core::identity::Role;
    use rollbook_core::record::{Body, Capacity, MotionAct, Nonce, Payload};
    use rollbook_proof::crypto::{Hash, Keypair};

    use super::*;

    /// A record that this person signs with this key.
    fn signed(person: u32, number: u32, key: &Keypair) -> Record {
        let payload = Payload {
            chain: Hash::ZERO,
            principal: OrganisationId(3),
            officer: PersonId(person),
            sequence: 1,
            valid_until_ms: LedgerTime(9),
            nonce: Nonce([9; 16]),
            body: Body::Motion(MotionAct::Withdraw {
                motion: MotionId(1),
            }),
        };
        let capacity = Capacity::Own(Role::Primary);
        Record {
            signatures: vec![payload.sign(PersonId(person), capacity, number, key)],
            payload,
        }
    }

    /// A key that was revoked still let whatever it signed before the thread that reads votes, for ever and
    /// for nothing.
    #[test]
    fn a_key_that_signs_no_more_opens_nothing() {
        let [old, new, gone] = ["old", "new", "gone"].map(|name| Keypair::derive(b"ring", name));
        let ring = Keyring::default();
        let officer = |ended, keys: Vec<(PublicKey, bool)>| Officer {
            home: OrganisationId(3),
            ended,
            keys,
        };
        ring.put(
            PersonId(1),
            officer(None, vec![(old.public(), false), (new.public(), true)]),
        );
        let ended = Some(LedgerTime(5));
        ring.put(PersonId(2), officer(ended, vec![(gone.public(), true)]));
        let judged = |person, number, key: &Keypair, now| {
            let seen = ring.first_of(&signed(person, number, key), LedgerTime(now));
            seen.map(|seen| seen.home).map_err(|refusal| refusal.code)
        };
        assert_eq!(judged(1, 1, &new, 0), Ok(OrganisationId(3)));
        assert_eq!(judged(1, 0, &old, 0), Err("N24.key-not-in-force"));
        assert_eq!(judged(1, 1, &old, 0), Err("A6.bad-signature"));
        assert_eq!(judged(2, 0, &gone, 4), Ok(OrganisationId(3)));
        assert_eq!(judged(2, 0, &gone, 5), Err("N24.person-not-in-force"));
        assert_eq!(judged(3, 0, &gone, 0), Err("A6.unknown-officer"));
        assert_eq!(judged(1, 7, &new, 0), Err("A6.unknown-key"));
        assert_eq!(ring.key(PersonId(1), 0), None, "nor a pass");
        assert_eq!(ring.key(PersonId(1), 1), Some(new.public()));
    }
}
