//! Keys opened once, for many records.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Capacity, Record};
use rollbook_proof::crypto::Keypair;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::keystore::{Keystore, mismatch, passphrase};

/// Keys opened once, for many records.
#[derive(Default)]
pub struct Keys(BTreeMap<u32, Keypair>);

impl Keys {
    /// Adds the signature of a person in a role; asks for the passphrase the first time.
    pub fn sign(
        &mut self,
        record: &mut Record,
        person: u32,
        role: Role,
        keystore: &Keystore,
        passphrase_file: Option<&Path>,
    ) -> Result<(), Failure> {
        if record
            .signatures
            .iter()
            .any(|entry| entry.officer == PersonId(person))
        {
            return Err(Failure::refused(t(
                "act.signed-already",
                &[("person", person.to_string())],
            )));
        }
        let key = match self.0.entry(person) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(open) => {
                // The card first: who has no key here is not asked for a passphrase.
                keystore.card(person)?;
                let passphrase = passphrase::existing(passphrase_file, &person.to_string())?;
                let secret = keystore.open(person, &passphrase)?;
                let wrong = || mismatch(&keystore.secret_path(person), "keys.differs.key");
                open.insert(secret.key().ok_or_else(wrong)?)
            }
        };
        record.signatures.push(
            record
                .payload
                .sign(PersonId(person), Capacity::Own(role), 0, key),
        );
        record.signatures.sort_by_key(|entry| entry.officer);
        Ok(())
    }
}
