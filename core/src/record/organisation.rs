//! Acts on organisations, persons and keys.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, encode};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, Signature, tagged};
use rollbook_proof::number::OrganisationId;

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

/// A self-signed registration (RULINGS R16). Numbers in the entry are 0 for the organisation and 1,
/// 2, .. for its officers; the ledger gives the real ones, so nobody waits for anybody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Registration {
    /// What the organisation tells of itself.
    pub entry: OrganisationEntry,
    /// By the first officer's first key over 'rollbook/registration/v1' 0x00 || chain || entry.
    pub signature: Signature,
}

impl Registration {
    /// The bytes under the registration's own signature.
    pub fn sign_bytes(chain: &Hash, entry: &OrganisationEntry) -> Vec<u8> {
        tagged("rollbook/registration/v1", &[&chain.0, &encode(entry)])
    }

    pub(super) fn signatures(&self, chain: &Hash) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let mut all = Vec::new();
        if let Some((key, _)) = self
            .entry
            .officers
            .first()
            .and_then(|officer| officer.keys.first())
        {
            all.push((*key, Self::sign_bytes(chain, &self.entry), self.signature));
        }
        for (key, possession) in self.entry.officers.iter().flat_map(|officer| &officer.keys) {
            all.push((
                *key,
                key.possession_message(self.entry.number.0, KeyKind::Officer),
                *possession,
            ));
        }
        all
    }

    /// Signs an entry with the first officer's first key.
    pub fn sign(chain: &Hash, entry: OrganisationEntry, key: &Keypair) -> Registration {
        let signature = key.sign_tagged(&Self::sign_bytes(chain, &entry));
        Registration { entry, signature }
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
