//! State proofs: ICS23 commitment proofs of the state tree, checked against a state root.
//!
//! * The bytes are the protobuf message `cosmos.ics23.v1.CommitmentProof`, one existence or one
//!   non-existence proof, in its canonical encoding. Batch and compressed forms are refused.
//! * The shape of every step is checked against the tree's own before the ICS23 verifier sees it:
//!   that verifier is lenient in places and may panic on proofs of an impossible shape.

use ics23::commitment_proof::Proof;
use ics23::{
    CommitmentProof, ExistenceProof, HashOp, HostFunctionsProvider, InnerOp, InnerSpec, LeafOp,
    LengthOp, NonExistenceProof, ProofSpec,
};
use prost::Message;

use crate::crypto::{Hash, sha256};

/// The hash of a subtree without an entry, as jmt spells it.
pub const EMPTY_SUBTREE: Hash = Hash(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__");
/// What is hashed before a leaf's two hashes, as jmt spells it.
pub const LEAF_PREFIX: &[u8] = b"JMT::LeafNode";
/// What is hashed before a fork's two hashes, as jmt spells it.
pub const FORK_PREFIX: &[u8] = b"JMT::IntrnalNode";
/// Longest state proof read, in bytes.
pub const STATE_PROOF_MAX_BYTES: usize = 128 * 1024;
/// Largest encoded value of a proved table, in bytes.
pub const PROVED_VALUE_MAX: usize = 4_096;
/// Depth of the tree: one step for each bit of a key's hash.
const DEPTH_MAX: usize = 256;

/// The hash functions that the ICS23 verifier may call. Every hash operation of a proof is compared
/// with the tree's own, SHA-256, before that verifier runs, so the others are never reached; their
/// constants prove nothing.
struct Sha256Only;

impl HostFunctionsProvider for Sha256Only {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        sha256(message).0
    }
    fn sha2_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }
    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn keccak_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn ripemd160(_: &[u8]) -> [u8; 20] {
        [0; 20]
    }
    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }
    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn blake3(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}

/// Why a state proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateRefusal {
    /// Over [`STATE_PROOF_MAX_BYTES`], no protobuf, or not in canonical form.
    #[error("the state proof is not the canonical encoding of an ICS23 commitment proof")]
    Encoding,
    /// A proof of absence where existence was claimed, or the reverse, or another kind.
    #[error("the state proof is of another kind than the claim")]
    Kind,
    /// The steps are none of the state tree's.
    #[error("the steps of the state proof do not have the shape of the state tree")]
    Shape,
    /// The proof is about another key.
    #[error("the state proof is about another key")]
    Key,
    /// The proof is about another value.
    #[error("the state proof is about another value")]
    Value,
    /// The steps do not lead to the root, or the neighbours are not next to the key.
    #[error("the state proof does not lead to the state root")]
    Root,
}

impl StateRefusal {
    /// Language-free code.
    pub fn code(&self) -> &'static str {
        match self {
            StateRefusal::Encoding => "state.encoding",
            StateRefusal::Kind => "state.kind",
            StateRefusal::Shape => "state.shape",
            StateRefusal::Key => "state.key",
            StateRefusal::Value => "state.value",
            StateRefusal::Root => "state.root",
        }
    }
}

/// The ICS23 proof specification of the state tree, that of jmt 0.12 with SHA-256. Serialise it
/// beside a proof for stock verifiers.
pub fn state_spec() -> ProofSpec {
    let prefix_length = FORK_PREFIX.len() as i32;
    ProofSpec {
        leaf_spec: Some(LeafOp {
            hash: HashOp::Sha256.into(),
            prehash_key: HashOp::Sha256.into(),
            prehash_value: HashOp::Sha256.into(),
            length: LengthOp::NoPrefix.into(),
            prefix: LEAF_PREFIX.to_vec(),
        }),
        inner_spec: Some(InnerSpec {
            hash: HashOp::Sha256.into(),
            child_order: vec![0, 1],
            min_prefix_length: prefix_length,
            max_prefix_length: prefix_length,
            child_size: 32,
            empty_child: EMPTY_SUBTREE.0.to_vec(),
        }),
        min_depth: 0,
        max_depth: 64,
        prehash_key_before_comparison: true,
    }
}

/// The bytes of a state proof, as the tree makes it.
pub fn encode_state_proof(proof: &CommitmentProof) -> Vec<u8> {
    proof.encode_to_vec()
}

/// Checks that under `root` the `key` has this value, or none.
pub fn verify_state(
    root: &Hash,
    key: &[u8],
    value: Option<&[u8]>,
    proof: &[u8],
) -> Result<(), StateRefusal> {
    if proof.len() > STATE_PROOF_MAX_BYTES {
        return Err(StateRefusal::Encoding);
    }
    let message = CommitmentProof::decode(proof).map_err(|_| StateRefusal::Encoding)?;
    if message.encode_to_vec() != proof {
        return Err(StateRefusal::Encoding);
    }
    let spec = state_spec();
    let root = root.0.to_vec();
    let proved = match (&message.proof, value) {
        (Some(Proof::Exist(exist)), Some(value)) => {
            if exist.key != key {
                return Err(StateRefusal::Key);
            }
            if exist.value != value {
                return Err(StateRefusal::Value);
            }
            check_existence(exist)?;
            ics23::verify_membership::<Sha256Only>(&message, &spec, &root, key, value)
        }
        (Some(Proof::Nonexist(absent)), None) => {
            if absent.key != key {
                return Err(StateRefusal::Key);
            }
            check_absence(absent)?;
            ics23::verify_non_membership::<Sha256Only>(&message, &spec, &root, key)
        }
        _ => return Err(StateRefusal::Kind),
    };
    if proved {
        Ok(())
    } else {
        Err(StateRefusal::Root)
    }
}

/// The leaf step is the tree's and every inner step has the tree's prefix and one sibling.
fn check_existence(proof: &ExistenceProof) -> Result<(), StateRefusal> {
    let spec = state_spec();
    let (Some(inner), true) = (&spec.inner_spec, proof.leaf == spec.leaf_spec) else {
        return Err(StateRefusal::Shape);
    };
    let (prefix, child) = (inner.max_prefix_length as usize, inner.child_size as usize);
    let fits = |step: &InnerOp| {
        let lengths = (step.prefix.len(), step.suffix.len());
        step.hash == inner.hash && (lengths == (prefix, child) || lengths == (prefix + child, 0))
    };
    let filled = !proof.key.is_empty() && !proof.value.is_empty() && proof.path.len() <= DEPTH_MAX;
    if filled && proof.path.iter().all(fits) {
        Ok(())
    } else {
        Err(StateRefusal::Shape)
    }
}

/// One neighbour or two; of two, the paths part below the root and neither is the end of the other.
fn check_absence(proof: &NonExistenceProof) -> Result<(), StateRefusal> {
    match (&proof.left, &proof.right) {
        (None, None) => Err(StateRefusal::Shape),
        (Some(one), None) | (None, Some(one)) => check_existence(one),
        (Some(left), Some(right)) => {
            check_existence(left)?;
            check_existence(right)?;
            let shared = left
                .path
                .iter()
                .rev()
                .zip(right.path.iter().rev())
                .take_while(|(a, b)| a == b)
                .count();
            if shared < left.path.len().min(right.path.len()) {
                Ok(())
            } else {
                Err(StateRefusal::Shape)
            }
        }
    }
}
