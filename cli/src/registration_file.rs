//! A registration of a company that is no member, as a file that goes from one of its officers to the
//! next and then to whoever introduces it (RULINGS R16).
//!
//! * The first call fixes what the company tells of itself. Every officer signs that, with the chain
//!   and all officers in it; a signature says that its maker holds the key and is in this company
//!   (RULINGS A21).
//! * What is changed afterwards makes the signatures wrong, and the file is refused.

use std::path::Path;

use rollbook_core::id::PersonId;
use rollbook_core::identity::OfficerEntry;
use rollbook_core::identity::possession::UNPROVED;
use rollbook_core::record::Registration;
use rollbook_proof::crypto::{Hash, Keypair, Signature};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;

const KIND: &str = "rollbook-registration";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    version: u32,
    /// Genesis hash of the alliance that it is for.
    chain: Hash,
    /// Zeros stand for the signatures of those who have not signed.
    registration: Registration,
}

/// A registration with the signatures so far. All that are there are right.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Genesis hash of the alliance that it is for.
    pub chain: Hash,
    /// The registration; [`UNPROVED`] stands for what is missing.
    pub registration: Registration,
}

impl Signed {
    /// Its officers.
    pub fn officers(&self) -> &[OfficerEntry] {
        &self.registration.entry.officers
    }

    /// Officers who have to sign still, ascending.
    pub fn missing(&self) -> Vec<PersonId> {
        let first = self.officers().first().map(|officer| officer.person);
        let waits = |officer: &&OfficerEntry| {
            officer.keys.iter().any(|(_, proof)| *proof == UNPROVED)
                || (first == Some(officer.person) && self.registration.signature == UNPROVED)
        };
        let waiting = self.officers().iter().filter(waits);
        waiting.map(|officer| officer.person).collect()
    }

    /// Officers who have signed, ascending.
    pub fn signed(&self) -> Vec<PersonId> {
        let missing = self.missing();
        let officers = self.officers().iter().map(|officer| officer.person);
        officers
            .filter(|person| !missing.contains(person))
            .collect()
    }

    /// Adds what an officer's key has to sign; false if it is no key of this officer.
    pub fn sign(&mut self, officer: PersonId, key: &Keypair) -> bool {
        let mut officers = self.officers().iter();
        let is_theirs = officers.any(|entry| {
            entry.person == officer && entry.keys.iter().any(|(known, _)| *known == key.public())
        });
        is_theirs && self.registration.sign(&self.chain, key)
    }

    /// Takes over the signatures of a copy that this one lacks; false if it is another registration.
    pub fn merge(&mut self, other: &Signed) -> bool {
        // Equal but for signatures: without them both are the same draft.
        let draft = |signed: &Signed| Registration::draft(&signed.registration.entry);
        if self.chain != other.chain || draft(self) != draft(other) {
            return false;
        }
        let take = |own: &mut Signature, theirs: &Signature| {
            if *own == UNPROVED {
                *own = *theirs;
            }
        };
        let (own, theirs) = (&mut self.registration, &other.registration);
        take(&mut own.signature, &theirs.signature);
        let officers = own.entry.officers.iter_mut().zip(&theirs.entry.officers);
        for (own, theirs) in officers {
            for (own, theirs) in own.keys.iter_mut().zip(&theirs.keys) {
                take(&mut own.1, &theirs.1);
            }
        }
        true
    }

    /// The file's bytes.
    pub fn render(&self) -> Result<Vec<u8>, Failure> {
        let file = File {
            kind: KIND.to_owned(),
            version: 1,
            chain: self.chain,
            registration: self.registration.clone(),
        };
        serde_json::to_vec_pretty(&file).map_err(|error| Failure::unusable(KIND).because(error))
    }

    /// The officers whose signatures are of another entry or chain than those of the file.
    fn spoilt(&self) -> Vec<PersonId> {
        let mut signatures = self.registration.signatures(&self.chain).into_iter();
        let mut is_spoilt = || {
            signatures.next().is_some_and(|(key, message, signature)| {
                signature != UNPROVED && key.verify(&message, &signature).is_err()
            })
        };
        // The company's own signature comes first, and is the first officer's.
        let mut company = is_spoilt();
        let mut spoilt = Vec::new();
        for officer in self.officers() {
            let mut any = std::mem::take(&mut company);
            for _ in &officer.keys {
                any |= is_spoilt();
            }
            if any {
                spoilt.push(officer.person);
            }
        }
        spoilt
    }
}

/// Officers by their numbers, for people.
pub fn numbers(persons: &[PersonId]) -> String {
    if persons.is_empty() {
        return "-".to_owned();
    }
    let numbers: Vec<String> = persons.iter().map(|person| person.0.to_string()).collect();
    numbers.join(&t("word.list", &[]))
}

/// Whether a file says that it is a registration. Anything else is left to whoever asks.
pub fn is_one(path: &Path) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let said = serde_json::from_slice::<Kind>(&files::read(path)?);
    Ok(said.is_ok_and(|said| said.kind == KIND))
}

/// Reads a registration; one that was changed after somebody signed it is refused.
pub fn read(path: &Path) -> Result<Signed, Failure> {
    let facts = [("file", path.display().to_string())];
    let none = |why: String| {
        Failure::unusable(t("org.no-registration", &facts))
            .because(why)
            .next(t("org.no-registration-next", &facts))
    };
    let file: File =
        serde_json::from_slice(&files::read(path)?).map_err(|error| none(error.to_string()))?;
    if file.kind != KIND || file.version != 1 {
        return Err(none(format!("{} {}", file.kind, file.version)));
    }
    let entry = &file.registration.entry;
    entry.check().map_err(|error| none(error.to_string()))?;
    let signed = Signed {
        chain: file.chain,
        registration: file.registration,
    };
    let spoilt = signed.spoilt();
    if !spoilt.is_empty() {
        let officers = [("officers", numbers(&spoilt))];
        return Err(Failure::refused(t("org.changed", &facts))
            .because(t("org.changed-why", &officers))
            .next(t("org.changed-next", &officers)));
    }
    Ok(signed)
}
