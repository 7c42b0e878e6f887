//! Keys opened once, for many records and for the pass that asks for a member's sequence.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::next::MaySign;
use rollbook_core::record::{Capacity, Record};
use rollbook_node::clock::real_ms;
use rollbook_proof::crypto::{Hash, Keypair};
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::keystore::{Keystore, mismatch};

/// The record that this process signed last, and when by this machine's clock, in seconds: a receipt
/// that covers it cannot be older, whatever that clock says.
static SIGNED: Mutex<Option<(Hash, u64)>> = Mutex::new(None);

/// When this process signed a record; none: it did not, or signed another one since.
pub fn signed_s(record: &Hash) -> Option<u64> {
    let signed = SIGNED.lock().unwrap_or_else(PoisonError::into_inner);
    signed
        .filter(|(last, _)| last == record)
        .map(|(_, at_s)| at_s)
}

/// By a delegation where the role is somebody else's (M33).
pub fn capacity(entry: &MaySign, role: Role) -> Capacity {
    let given = entry.delegated.iter().find(|(given, _)| *given == role);
    match given {
        Some((_, number)) if !entry.roles.contains(&role) => Capacity::Delegation(number.0),
        _ => Capacity::Own(role),
    }
}

/// Keys opened once. A clone shares them.
#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<Opened>>);

#[derive(Default)]
struct Opened {
    keys: BTreeMap<u32, Keypair>,
    /// What the prompt says that the passphrase is for, if it is for an act.
    purpose: Option<String>,
    /// Who may sign, with which keys and delegations, as the ledger tells it.
    may: Vec<MaySign>,
}

impl Keys {
    /// The prompt says from now on what the passphrase is for: the act in words.
    pub fn used_for(&self, purpose: &str) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.purpose = Some(purpose.to_owned());
    }

    /// Who may sign for the principal, as a node tells it: a key that came later has a number of its
    /// own, and a delegation is named in the signature.
    pub fn known(&self, may: &[MaySign]) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.may = may.to_vec();
    }

    /// In which capacity the person signs in the role, and the number of this key, if it was told.
    fn place(&self, person: u32, role: Role, key: &Keypair) -> (Capacity, Option<u32>) {
        let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = opened
            .may
            .iter()
            .find(|entry| entry.person == PersonId(person));
        let Some(entry) = entry else {
            return (Capacity::Own(role), None);
        };
        let public = key.public();
        let number = entry.keys.iter().find(|(_, known)| *known == public);
        (capacity(entry, role), number.map(|(number, _)| *number))
    }

    /// A person's key; asks for the passphrase the first time.
    pub fn open(
        &self,
        person: u32,
        keystore: &Keystore,
        passphrase_file: Option<&Path>,
    ) -> Result<Keypair, Failure> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = opened.keys.get(&person) {
            return Ok(key.clone());
        }
        let whose = match &opened.purpose {
            Some(purpose) => {
                let facts = [("person", person.to_string()), ("purpose", purpose.clone())];
                t("passphrase.to-sign", &facts)
            }
            None => t("passphrase.to-read", &[("person", person.to_string())]),
        };
        let secret = keystore.unlock(person, passphrase_file, &whose)?;
        let wrong = || mismatch(&keystore.secret_path(person), "keys.differs.key");
        let key = secret.key().ok_or_else(wrong)?;
        opened.keys.insert(person, key.clone());
        Ok(key)
    }

    /// Adds the signature of a person in a role; asks for the passphrase the first time.
    pub fn sign(
        &self,
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
        let key = self.open(person, keystore, passphrase_file)?;
        let (capacity, told) = self.place(person, role, &key);
        let kept = keystore.key_number(person);
        let number = told.unwrap_or(kept);
        if number != kept {
            keystore.keep_key_number(person, number)?;
        }
        record.signatures.push(
            record
                .payload
                .sign(PersonId(person), capacity, number, &key),
        );
        record.signatures.sort_by_key(|entry| entry.officer);
        let mut signed = SIGNED.lock().unwrap_or_else(PoisonError::into_inner);
        *signed = Some((record.id(), real_ms() / 1_000));
        Ok(())
    }
}
