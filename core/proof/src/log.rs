//! The one RFC 6962 SHA-256 log and the statements about it, in formats that strangers' software
//! reads: C2SP `signed-note`, `tlog-checkpoint`, `tlog-cosignature`, `tlog-policy`, `tlog-proof`,
//! `tlog-tiles` (texts of C2SP commit 5ba5ee83, July 2026).
//!
//! * [`tree`]: leaf and node hashes, the append-only frontier, inclusion and consistency proofs.
//! * [`note`]: signed notes, verifier keys, Ed25519 signature lines of types 0x01 (log) and 0x04
//!   (cosignature).
//! * [`checkpoint`]: origin, size, root; signing, cosigning, checking.
//! * [`policy`]: the epoch policy, a leaf of the log and the root of trust (RULINGS A2, A3);
//!   [`acceptance`]: any tlog-policy.
//! * [`proof`]: receipts. [`tiles`]: what a node serves as static files.
//!
//! Absent on purpose: extension lines of checkpoints, ML-DSA cosignatures, pruning.

pub mod acceptance;
pub mod checkpoint;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tiles;
pub mod tree;

pub use acceptance::{AcceptancePolicy, CheckpointRefusal, Judged, Signer};
pub use checkpoint::Checkpoint;
pub use note::{KeyType, NoteLine, SignedNote, VerifierKey};
pub use policy::{
    Clock, Continues, EpochPolicy, GenesisFacts, PolicyError, PolicyValidator, PolicyWitness,
};
pub use proof::{ProofFormatError, ProofRefusal, TlogProof, Verified};
pub use tree::{Frontier, MemoryNodes, NewNode, NodeReader, leaf_hash, node_hash};

/// Longest leaf, in bytes: what an entry bundle can hold.
pub const LEAF_MAX_BYTES: usize = 65_535;
