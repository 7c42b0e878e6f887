//! Proofs that somebody holds a key (RULINGS A21): what the new key signs.
//!
//! * A proof counts for one chain, one owner, one kind of key, and one whole thing that brings the
//!   key: an organisation's entry, or a node's keys with its address. Taken elsewhere it proves
//!   nothing, so nobody can put a key that was proved once into a registration of their own.
//! * A thing is hashed with [`UNPROVED`] in place of each proof, so the proofs may be made in any
//!   order, each by whoever holds the key.
//! * In a genesis chain and thing are zero: there is no chain yet, and every founder signs the
//!   genesis as a whole (RULINGS A2). A proof for a genesis is none on any chain.

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature, sha256_tagged, tagged};

use super::OrganisationEntry;

/// What stands in place of a proof that nobody has made yet. It verifies for no key: its first half
/// is a point of small order.
pub const UNPROVED: Signature = Signature::Ed25519([0; 64]);

/// What a proof of possession is about, the key and its kind left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possession {
    /// Genesis hash; zero in a genesis.
    pub chain: Hash,
    /// Number of the organisation; 0 in a registration, where the ledger gives it later.
    pub owner: u32,
    /// Hash of what brings the key: of an [`OrganisationEntry`] or of a node's announced keys; zero
    /// in a genesis.
    pub thing: Hash,
}

impl Possession {
    /// For a key of a genesis, and for a card that goes to a genesis.
    pub fn founding(owner: u32) -> Possession {
        Possession {
            chain: Hash::ZERO,
            owner,
            thing: Hash::ZERO,
        }
    }

    /// The bytes that the new key signs.
    pub fn message(&self, kind: KeyKind, key: &PublicKey) -> Vec<u8> {
        let parts = encode(&(self.chain, self.owner, kind, *key, self.thing));
        tagged("rollbook/possession/v1", &[&parts])
    }

    /// Proves possession of a key.
    pub fn prove(&self, kind: KeyKind, key: &Keypair) -> Signature {
        key.sign_tagged(&self.message(kind, &key.public()))
    }

    /// Whether somebody who holds the key has made this proof.
    pub fn is_proved(&self, kind: KeyKind, (key, proof): &(PublicKey, Signature)) -> bool {
        key.verify(&self.message(kind, key), proof).is_ok()
    }
}

impl OrganisationEntry {
    /// The entry as nobody has signed it yet.
    pub fn unproved(&self) -> OrganisationEntry {
        let mut entry = self.clone();
        for officer in &mut entry.officers {
            for (_, proof) in &mut officer.keys {
                *proof = UNPROVED;
            }
        }
        entry
    }

    /// Hash of everything that the entry says, the proofs left out.
    pub fn digest(&self) -> Hash {
        sha256_tagged("rollbook/entry/v1", &[&encode(&self.unproved())])
    }

    /// What the keys of this entry prove when it is registered on a chain.
    pub fn possession(&self, chain: &Hash) -> Possession {
        Possession {
            chain: *chain,
            owner: self.number.0,
            thing: self.digest(),
        }
    }
}
