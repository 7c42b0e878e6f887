//! C2SP `tlog-proof`: the receipt. One text that proves, offline, that a leaf is in the log and
//! that a quorum said so.
//!
//! * Strict reading: canonical base64, no leading zeros, at most 63 hashes. What is read renders to
//!   the same bytes again.
//! * Verification: the checkpoint by the policy, then the path from the leaf to the checkpoint's
//!   root. Exactly one log signature;
//!   the size comes from the signed checkpoint.
//! * The `extra` line is authenticated by nobody. It is kept when a proof is read and never written
//!   by this project.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::chain::{ReadClass, commitment};
use crate::crypto::Hash;
use crate::log::acceptance::{AcceptancePolicy, CheckpointRefusal, Signer};
use crate::log::checkpoint::{Checkpoint, CheckpointError, base64_hash, decimal, hash_base64};
use crate::log::note::{NOTE_MAX_BYTES, NoteError, SignedNote, VerifierKey};
use crate::log::tree::{
    NodeReader, PATH_MAX, TreeError, TreeRefusal, inclusion_proof, leaf_hash, verify_inclusion,
};

/// First line of a proof.
pub const PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Longest `extra`, in bytes before base64: other readers take lines of at most 64 KiB.
pub const EXTRA_MAX_BYTES: usize = 48 * 1024;
/// Longest proof read, in bytes.
pub const PROOF_MAX_BYTES: usize = NOTE_MAX_BYTES + 128 * 1024;

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes that nobody signed.
    pub extra: Option<Vec<u8>>,
    /// Index of the leaf.
    pub index: u64,
    /// Inclusion proof, from the leaf up.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub note: SignedNote,
}

/// Why a text is no proof. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFormatError {
    /// More than [`PROOF_MAX_BYTES`], or not UTF-8.
    #[error("the proof is too long or not UTF-8")]
    Text,
    /// The first line is another one.
    #[error("the proof does not begin with '{PROOF_HEADER}'")]
    Header,
    /// The `extra` line is empty, too long or not canonical base64.
    #[error("the extra line is not canonical base64 of 1 to 49152 bytes")]
    Extra,
    /// No `index` line, or a number with a sign or leading zeros.
    #[error("the index line is not 'index' and a number without leading zeros")]
    Index,
    /// A path line is no hash, or there are too many.
    #[error("the path is not at most 63 lines of base64 of 32 bytes, ended by an empty line")]
    Path,
    /// The rest is no signed note.
    #[error("the checkpoint in the proof: {0}")]
    Note(#[from] NoteError),
}

/// Why a proof could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The note is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The store lacks nodes, or the leaf is behind the checkpoint.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What a proof has proved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Whether the leaf stands in the log in clear, or as the commitment of what is for members.
    pub class: ReadClass,
    /// Index of the leaf.
    pub index: u64,
    /// Size of the checkpoint.
    pub size: u64,
    /// Root of the checkpoint.
    pub root: Hash,
    /// The log key that signed.
    pub log: VerifierKey,
    /// Who cosigned, and when by their own clocks, in the order of the policy.
    pub signers: Vec<Signer>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofRefusal {
    /// The policy does not accept the checkpoint.
    #[error("the checkpoint is not accepted: {0}")]
    Checkpoint(#[from] CheckpointRefusal),
    /// The leaf is not shown to be in the log.
    #[error("the leaf is not shown to be in the log: {0}")]
    Inclusion(#[from] TreeRefusal),
}

impl ProofRefusal {
    /// Language-free code.
    pub fn code(&self) -> &'static str {
        match self {
            ProofRefusal::Checkpoint(refusal) => match refusal {
                CheckpointRefusal::Checkpoint(_) => "checkpoint.format",
                CheckpointRefusal::Origin(_) => "checkpoint.origin",
                CheckpointRefusal::LogSignatures(_) => "checkpoint.log-signatures",
                CheckpointRefusal::BadSignature(_) => "checkpoint.bad-signature",
                CheckpointRefusal::Repeated(_) => "checkpoint.repeated",
                CheckpointRefusal::NoQuorum(_) => "checkpoint.no-quorum",
            },
            ProofRefusal::Inclusion(refusal) => match refusal {
                TreeRefusal::Range => "inclusion.range",
                TreeRefusal::Length => "inclusion.length",
                TreeRefusal::Root | TreeRefusal::OldRoot => "inclusion.root",
            },
        }
    }
}

impl TlogProof {
    /// Proves leaf `index` under a checkpoint note. The note is not verified here.
    pub fn make(
        reader: &impl NodeReader,
        index: u64,
        note: SignedNote,
    ) -> Result<Self, ProveError> {
        let checkpoint = Checkpoint::parse(&note.text)?;
        Ok(TlogProof {
            extra: None,
            index,
            path: inclusion_proof(reader, index, checkpoint.size)?,
            note,
        })
    }

    /// Reads a proof. Nothing is verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFormatError> {
        if bytes.len() > PROOF_MAX_BYTES {
            return Err(ProofFormatError::Text);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ProofFormatError::Text)?;
        let (header, mut rest) = text.split_once('\n').ok_or(ProofFormatError::Header)?;
        if header != PROOF_HEADER {
            return Err(ProofFormatError::Header);
        }
        let mut extra = None;
        if let Some(line) = rest.strip_prefix("extra ") {
            let (line, after) = line.split_once('\n').ok_or(ProofFormatError::Extra)?;
            let bytes = BASE64.decode(line).map_err(|_| ProofFormatError::Extra)?;
            if bytes.is_empty() || bytes.len() > EXTRA_MAX_BYTES {
                return Err(ProofFormatError::Extra);
            }
            (extra, rest) = (Some(bytes), after);
        }
        let (line, mut rest) = rest.split_once('\n').ok_or(ProofFormatError::Index)?;
        let index = line
            .strip_prefix("index ")
            .and_then(decimal)
            .ok_or(ProofFormatError::Index)?;
        let mut path = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(ProofFormatError::Path)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if path.len() == PATH_MAX {
                return Err(ProofFormatError::Path);
            }
            path.push(base64_hash(line).ok_or(ProofFormatError::Path)?);
        }
        Ok(TlogProof {
            extra,
            index,
            path,
            note: SignedNote::parse(rest.as_bytes())?,
        })
    }

    /// Writes the proof.
    pub fn render(&self) -> Result<String, NoteError> {
        let mut text = format!("{PROOF_HEADER}\n");
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", BASE64.encode(extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.path {
            text += &hash_base64(hash);
            text.push('\n');
        }
        text.push('\n');
        text += &self.note.render()?;
        Ok(text)
    }

    /// Verifies that `leaf`, in clear, is in the log by this policy: as it is, or as the commitment
    /// of what members alone may read.
    pub fn verify(&self, leaf: &[u8], policy: &AcceptancePolicy) -> Result<Verified, ProofRefusal> {
        let judged = policy.judge(&self.note)?;
        let Checkpoint { size, root, .. } = judged.checkpoint;
        let class = self.includes(leaf, size, &root)?;
        Ok(Verified {
            class,
            index: self.index,
            size,
            root,
            log: judged.log,
            signers: judged.signers,
        })
    }

    /// In which of its two forms `leaf` is under the root.
    fn includes(&self, leaf: &[u8], size: u64, root: &Hash) -> Result<ReadClass, TreeRefusal> {
        let as_it_is = |hash| verify_inclusion(&hash, self.index, size, &self.path, root);
        match as_it_is(leaf_hash(leaf)) {
            Ok(()) => Ok(ReadClass::Public),
            // The first refusal is told: it is the only one that a public leaf can have.
            Err(refusal) => as_it_is(leaf_hash(&commitment(leaf)))
                .map(|()| ReadClass::Members)
                .map_err(|_| refusal),
        }
    }
}
