//! Records of sample alliances, signed with derived keys.
//!
//! * The first signer begins a record. Its sequences count up by one.
//! * Signatures stand in ascending order of persons, each in the person's own role and by its first
//!   key.
//!
//! Absent: deputies, powers of attorney, second keys, approval by other persons' machines.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, Nonce, Payload, Record};
use rollbook_proof::crypto::{Hash, Keypair};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::keys::officer_key;

/// How long a record is valid, in milliseconds.
pub const VALID_MS: u64 = 7 * MS_PER_DAY;

/// The record of a payload, signed by these persons in these roles; `key` has everybody's key.
pub fn signed<K: Borrow<Keypair>>(
    payload: Payload,
    signers: &[(u32, Role)],
    key: impl Fn(u32) -> K,
) -> Record {
    let mut signers = signers.to_vec();
    signers.sort_unstable();
    let signatures = signers
        .into_iter()
        .map(|(person, role)| {
            payload.sign(
                PersonId(person),
                Capacity::Own(role),
                0,
                key(person).borrow(),
            )
        })
        .collect();
    Record {
        payload,
        signatures,
    }
}

/// The nonce of a sample record: the same in every run, so that a sample history is, too.
pub fn sample_nonce(officer: u32, sequence: u64) -> Nonce {
    Nonce::derive(&[&officer.to_le_bytes(), &sequence.to_le_bytes()])
}

/// Everybody's keys and sequences on one chain.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Genesis hash.
    pub chain: Hash,
    /// Seed of the keys.
    pub seed: Vec<u8>,
    /// What everybody's sequence begins after.
    base: u64,
    /// The last sequence of whoever has begun a record here.
    used: BTreeMap<u32, u64>,
}

impl Signer {
    /// Of a chain on which nobody has signed, not even as a founder: sequences begin at 1.
    pub fn new(chain: Hash, seed: &[u8]) -> Signer {
        Signer {
            chain,
            seed: seed.to_vec(),
            base: 0,
            used: BTreeMap::new(),
        }
    }

    /// Of a chain whose founders have signed: sequences begin at 2, everybody's.
    pub fn founded(chain: Hash, seed: &[u8]) -> Signer {
        Signer {
            base: 1,
            ..Signer::new(chain, seed)
        }
    }

    /// The next sequence of a person, which counts as used from now on.
    pub fn sequence(&mut self, person: u32) -> u64 {
        let used = self.used.entry(person).or_insert(self.base);
        *used += 1;
        *used
    }

    /// What `officer` begins for `principal`, valid for [`VALID_MS`] from `now_ms` on.
    pub fn payload(&mut self, principal: u32, officer: u32, now_ms: u64, body: Body) -> Payload {
        let sequence = self.sequence(officer);
        Payload {
            chain: self.chain,
            principal: OrganisationId(principal),
            officer: PersonId(officer),
            sequence,
            valid_until_ms: LedgerTime(now_ms + VALID_MS),
            nonce: sample_nonce(officer, sequence),
            body,
        }
    }

    /// A record of `principal`, signed by these persons in these roles; the first begins it.
    pub fn record(
        &mut self,
        principal: u32,
        signers: &[(u32, Role)],
        now_ms: u64,
        body: Body,
    ) -> Record {
        let officer = signers.first().map_or(0, |(person, _)| *person);
        let payload = self.payload(principal, officer, now_ms, body);
        signed(payload, signers, |person| officer_key(&self.seed, person))
    }
}
