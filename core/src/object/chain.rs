//! Facts of the chain itself, in state.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::{Hash, PublicKey};
use rollbook_proof::number::{EpochId, Height, OrganisationId, ProtocolVersion};

use crate::charter::Charter;
use crate::id::CharterVersion;

/// A charter (proved): what names it. Its parameters stand in a working table, since they may be
/// longer than a proved value, and in a leaf (RULINGS A28).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CharterFacts {
    /// Counted from 1.
    pub version: CharterVersion,
    /// SHA-256 of the encoded parameters.
    pub digest: Hash,
    /// The rule version that it was made under.
    pub made_under: ProtocolVersion,
    /// The height from which it is in force.
    pub height: Height,
}

impl CharterFacts {
    /// The facts of these parameters, in force from `height`.
    pub fn of(charter: &Charter, height: Height) -> CharterFacts {
        CharterFacts {
            version: charter.version,
            digest: charter.digest(),
            made_under: charter.made_under,
            height,
        }
    }
}

/// One row: what the rules read about the chain.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ChainFacts {
    /// Version of the charter in force.
    pub charter: CharterVersion,
    /// Epoch of the next block.
    pub epoch: EpochId,
    /// Founding organisations whose `Found` record is not in the log yet.
    pub founders_missing: u32,
    /// Height of the last handover block; 0 before the first.
    pub handover_height: Height,
    /// Number of `Ready` records so far, for the order of seats.
    pub ready_count: u32,
}

/// A validator of an epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct EpochValidator {
    /// Organisation number.
    pub organisation: OrganisationId,
    /// Its consensus key in this epoch.
    pub consensus: PublicKey,
}

/// An epoch (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct EpochFacts {
    /// SHA-256 of the policy file.
    pub policy: Hash,
    /// First height certified under it.
    pub first_height: Height,
    /// The policy counts from checkpoints larger than this (RULINGS A3).
    pub valid_from_size: u64,
    /// Its validators, ascending by organisation.
    pub validators: Vec<EpochValidator>,
}
