//! Acts on organisations, persons and keys.

use bincode::{Decode, Encode};
use rollbook_proof::codec::DecodeError;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature, tagged};
use rollbook_proof::number::OrganisationId;

use crate::identity::possession::UNPROVED;
use crate::identity::{ActClass, GroupDeclaration, OrganisationEntry};

/// Acts on organisations. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum OrganisationAct {
    /// A founding organisation accepts the genesis (RULINGS A2, M25).
    Found,
    /// An organisation that is not a member enters the ledger, introduced by the principal (RULINGS
    /// R16).
    Register(Registration),
    /// M24: an organisation declares a relation of its own (RULINGS R27).
    Relate(GroupDeclaration),
    /// R27: the other end confirms a relation that was declared.
    ConfirmRelation {
        /// The organisation that declared it.
        other: OrganisationId,
        /// The relation's number, counted per pair from 1.
        relation: u32,
    },
}

/// A registration that the company itself has signed (RULINGS R16). Numbers in the entry are 0 for
/// the organisation and 1, 2, .. for its officers; the ledger gives the real ones, so nobody waits
/// for anybody.
///
/// Every key of every officer proves possession for this chain and this entry ([`possession`]), so
/// nobody is registered as an officer of a company whose registration they have not signed.
///
/// [`possession`]: crate::identity::possession
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Registration {
    /// What the organisation tells of itself.
    pub entry: OrganisationEntry,
    /// By the first officer's first key over 'rollbook/registration/v1' 0x00 || chain || hash of
    /// the entry, in the company's name.
    pub signature: Signature,
}

impl Registration {
    /// A registration that nobody has signed yet; what stood for proofs in the entry is dropped.
    pub fn draft(entry: &OrganisationEntry) -> Registration {
        Registration {
            entry: entry.unproved(),
            signature: UNPROVED,
        }
    }

    /// A registration that each of these keys has signed.
    pub fn signed(chain: &Hash, entry: &OrganisationEntry, keys: &[&Keypair]) -> Registration {
        let mut registration = Registration::draft(entry);
        for key in keys {
            registration.sign(chain, key);
        }
        registration
    }

    /// The bytes under the registration's own signature, for an entry of this hash.
    pub fn sign_bytes(chain: &Hash, entry: &Hash) -> Vec<u8> {
        tagged("rollbook/registration/v1", &[&chain.0, &entry.0])
    }

    /// Makes what this key has to sign: its proof wherever the entry names it, and the
    /// registration's own signature if it is the first officer's first key. Says whether the entry
    /// names the key.
    pub fn sign(&mut self, chain: &Hash, key: &Keypair) -> bool {
        let possession = self.entry.possession(chain);
        let public = key.public();
        if self.first_key() == Some(public) {
            self.signature = key.sign_tagged(&Self::sign_bytes(chain, &possession.thing));
        }
        let mut named = false;
        for (known, proof) in self.entry.officers.iter_mut().flat_map(|o| &mut o.keys) {
            if *known == public {
                *proof = possession.prove(KeyKind::Officer, key);
                named = true;
            }
        }
        named
    }

    /// The key that signs in the company's name.
    pub fn first_key(&self) -> Option<PublicKey> {
        let officer = self.entry.officers.first()?;
        officer.keys.first().map(|(key, _)| *key)
    }

    /// Every signature in it with its key and the bytes under it, the registration's own first.
    pub fn signatures(&self, chain: &Hash) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let possession = self.entry.possession(chain);
        let mut all = Vec::new();
        if let Some(key) = self.first_key() {
            let message = Self::sign_bytes(chain, &possession.thing);
            all.push((key, message, self.signature));
        }
        for (key, proof) in self.entry.officers.iter().flat_map(|officer| &officer.keys) {
            all.push((*key, possession.message(KeyKind::Officer, key), *proof));
        }
        all
    }
}

impl OrganisationAct {
    pub(super) fn class(&self) -> ActClass {
        match self {
            OrganisationAct::Found
            | OrganisationAct::Register(_)
            | OrganisationAct::Relate(_)
            | OrganisationAct::ConfirmRelation { .. } => ActClass::General,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            OrganisationAct::Found => "M25",
            OrganisationAct::Register(_) => "R16",
            OrganisationAct::Relate(_) => "M24",
            OrganisationAct::ConfirmRelation { .. } => "R27",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            OrganisationAct::Register(registration) => registration.entry.check(),
            OrganisationAct::Found
            | OrganisationAct::Relate(_)
            | OrganisationAct::ConfirmRelation { .. } => Ok(()),
        }
    }
}
