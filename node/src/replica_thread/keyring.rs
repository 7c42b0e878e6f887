//! The officers' keys as the ledger has them at the tip, for whoever asks whether a signature is worth
//! the replica's time: written by the replica's thread, read by the API without asking it (RULINGS A42).
//!
//! A record none of whose signers is here, or whose first signature does not verify, applies nowhere:
//! the first check of the rules refuses it. All keys of a person are here, also those that sign no more:
//! the rules say what is wrong with those.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rollbook_core::id::PersonId;
use rollbook_core::record::Record;
use rollbook_core::refusal::Refusal;
use rollbook_core::state::{Row, StateTables, decode_value, number};
use rollbook_proof::crypto::{PublicKey, Signature};

use super::memo::memo_key;

/// Keys by person, in order of registration. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<RwLock<BTreeMap<PersonId, Vec<PublicKey>>>>);

/// A signature that was found good: what the memo of the replica's thread keeps of it.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub(super) entry: [u8; 32],
    pub(super) signature: Signature,
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
        let keys = known.keys.iter().map(|key| key.key).collect();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(person, keys);
    }

    /// A key of a person, by its number.
    pub fn key(&self, person: PersonId, number: u32) -> Option<PublicKey> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&person)?.get(number as usize).copied()
    }

    /// Judges the first signature of a record: one verification at most.
    pub fn first_of(&self, record: &Record) -> Result<Seen, Refusal> {
        let Some(first) = record.signatures.first() else {
            return Err(Refusal::new(
                "A6.malformed",
                vec![("why", "no signature".to_owned())],
            ));
        };
        let officer = ("officer", first.officer.0.to_string());
        let key = {
            let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&first.officer)
                .map(|keys| keys.get(first.key as usize).copied())
        };
        let number = ("key", first.key.to_string());
        let key = match key {
            None => return Err(Refusal::new("A6.unknown-officer", vec![officer])),
            Some(None) => return Err(Refusal::new("A6.unknown-key", vec![officer, number])),
            Some(Some(key)) => key,
        };
        let message = record.payload.sign_bytes();
        if key.verify(&message, &first.signature).is_err() {
            return Err(Refusal::new("A6.bad-signature", vec![officer, number]));
        }
        Ok(Seen {
            entry: memo_key(&key, &message, &first.signature),
            signature: first.signature,
        })
    }
}
