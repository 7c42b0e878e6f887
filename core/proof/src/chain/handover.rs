//! The checkpoint that links two epochs, as a block carries it.

use bincode::{Decode, Encode};

use crate::crypto::{Hash, Signature};
use crate::number::OrganisationId;

/// One validator's cosignature of a checkpoint, as it travels outside a note.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CheckpointSignature {
    /// Organisation number of the validator.
    pub validator: OrganisationId,
    /// Seconds since 1970 in the cosignature.
    pub time_s: u64,
    /// Type 0x04 signature.
    pub signature: Signature,
}

/// One validator's log line on a checkpoint, as it travels outside a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct LogSignature {
    /// Organisation number of the validator.
    pub validator: OrganisationId,
    /// Type 0x01 signature.
    pub signature: Signature,
}

/// The checkpoint that links two epochs (RULINGS A3): carried by the first block of the new epoch,
/// which is invalid without it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HandoverCheckpoint {
    /// Size of the log up to and including the handover block's seal.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The log line of a validator of the outgoing policy: verifiers of C2SP proofs want exactly one
    /// (RULINGS A57).
    pub log: LogSignature,
    /// At least a quorum under the outgoing policy, ascending by validator, all valid.
    pub cosignatures: Vec<CheckpointSignature>,
}
