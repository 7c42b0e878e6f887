//! From the genesis hash to any leaf: the chain of epoch policies, receipts, seals.
//!
//! * Policy 0 is accepted because its SHA-256 is the genesis hash; it needs no proof.
//! * Policy k is accepted with a proof of its leaf under policy k-1 whose checkpoint is that of the
//!   handover block: size = valid-from-size(k) = leaf index + 2, the leaf before the seal (RULINGS
//!   A3). It names the same chain, the digest of policy k-1 and the number k, and it comes after
//!   every leaf of the handover before it.
//! * A size is judged by the only epoch with valid-from(k) < size <= valid-from(k+1). The last
//!   known epoch has no upper end: a receipt from a later, unknown epoch fails on its signatures.
//!
//! * A handover proof, and a checkpoint judged as a head, may lack the log line: a node that got
//!   its seat later has the cosignatures of the epoch before, which carry all the weight, but none
//!   of its log keys (RULINGS A21). Receipts have one.
//!
//! Absent on purpose: skipping epochs, trust in recent checkpoints, clocks. How old a receipt may
//! be is the caller's question; [`Receipt::attested_time_s`] answers it.

use crate::chain::{Certificate, CertificateError, LeafTag, Seal};
use crate::codec::{DecodeError, decode};
use crate::crypto::{Hash, sha256};
use crate::log::{
    AcceptancePolicy, Checkpoint, CheckpointRefusal, EpochPolicy, PolicyError, ProofFormatError,
    ProofRefusal, SignedNote, Signer, TlogProof, Verified,
};
use crate::number::EpochId;
use crate::verify::state::{StateRefusal, verify_state};

/// Why a policy does not continue the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochError {
    /// The SHA-256 of the first policy is not the genesis hash.
    #[error("the first policy has SHA-256 {found}, the genesis hash is {expected}")]
    Genesis {
        /// SHA-256 of the bytes.
        found: Hash,
        /// The genesis hash.
        expected: Hash,
    },
    /// The bytes are no policy.
    #[error("not an epoch policy: {0}")]
    Policy(#[from] PolicyError),
    /// Not the next epoch.
    #[error("the policy is of epoch {found}, the next is {expected}")]
    Order {
        /// In the policy.
        found: EpochId,
        /// The next one.
        expected: EpochId,
    },
    /// Another alliance.
    #[error("the policy is of chain '{0}'")]
    Chain(String),
    /// It follows another policy.
    #[error("the policy follows policy {found}, the one before is {expected}")]
    Previous {
        /// In the policy.
        found: Hash,
        /// SHA-256 of the policy before.
        expected: Hash,
    },
    /// It would begin before the handover before it has ended.
    #[error("the policy begins at size {found}, it cannot begin before {earliest}")]
    TooEarly {
        /// In the policy.
        found: u64,
        /// Earliest possible size.
        earliest: u64,
    },
    /// A later policy without its proof.
    #[error("the policy of epoch {0} comes without a proof under the policy before")]
    ProofMissing(EpochId),
    /// A proof for the first policy.
    #[error("the first policy rests on the genesis hash, not on a proof")]
    ProofSurplus,
    /// The proof cannot be read.
    #[error("the handover proof: {0}")]
    Format(#[from] ProofFormatError),
    /// The policy before does not accept the proof.
    #[error("the handover is not proved under the policy before: {0}")]
    Proof(#[from] ProofRefusal),
    /// The checkpoint is not that of the handover block, or the leaf is not the one before its
    /// seal.
    #[error(
        "the handover proof is of leaf {index} at size {size}, the policy begins at {valid_from}"
    )]
    Place {
        /// Index of the policy leaf.
        index: u64,
        /// Size of the checkpoint.
        size: u64,
        /// valid-from-size of the policy.
        valid_from: u64,
    },
}

impl EpochError {
    /// Language-free code.
    pub fn code(&self) -> &'static str {
        match self {
            EpochError::Genesis { .. } => "epoch.genesis",
            EpochError::Policy(_) => "epoch.policy",
            EpochError::Order { .. } => "epoch.order",
            EpochError::Chain(_) => "epoch.chain",
            EpochError::Previous { .. } => "epoch.previous",
            EpochError::TooEarly { .. } => "epoch.too-early",
            EpochError::ProofMissing(_) => "epoch.proof-missing",
            EpochError::ProofSurplus => "epoch.proof-surplus",
            EpochError::Format(_) => "epoch.proof-format",
            EpochError::Proof(refusal) => refusal.code(),
            EpochError::Place { .. } => "epoch.place",
        }
    }
}

/// A leaf that is proved to be in the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Receipt {
    /// The epoch that judged.
    pub epoch: EpochId,
    /// SHA-256 of its policy.
    pub policy: Hash,
    /// Index, size, root, signers.
    pub verified: Verified,
    /// The (f+1)-th newest cosignature time of the validators, seconds since 1970: at least one
    /// honest validator signed this checkpoint at that time or later (RULINGS A20).
    pub attested_time_s: u64,
}

/// A head of the log that a quorum stands for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// The epoch that judged.
    pub epoch: EpochId,
    /// Size and root.
    pub checkpoint: Checkpoint,
    /// Who cosigned, and when by their own clocks, in the order of the policy.
    pub signers: Vec<Signer>,
    /// As in [`Receipt::attested_time_s`].
    pub attested_time_s: u64,
}

/// A seal that is proved to be in the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SealReceipt {
    /// The seal.
    pub seal: Seal,
    /// Its receipt.
    pub receipt: Receipt,
}

/// A statement about the state that is proved: as of this seal the key had the claimed value, or
/// none.
pub type StateReceipt = SealReceipt;

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptRefusal {
    /// The chain has no policy yet.
    #[error("no policy is known")]
    NoPolicy,
    /// The proof cannot be read.
    #[error("the receipt: {0}")]
    Format(#[from] ProofFormatError),
    /// The policy of the size's epoch does not accept it.
    #[error("refused under the policy of epoch {epoch}{}: {refusal}", if *.last { ", the last one known" } else { "" })]
    Proof {
        /// The epoch that judged.
        epoch: EpochId,
        /// Whether a later epoch may exist that is not known here.
        last: bool,
        /// Why.
        refusal: ProofRefusal,
    },
    /// The leaf is no seal.
    #[error("the leaf is no seal: {0}")]
    Seal(#[from] DecodeError),
    /// The seal names another index than the one it is proved at.
    #[error("the seal belongs at leaf {named}, the receipt is of leaf {proved}")]
    SealIndex {
        /// By the seal.
        named: u64,
        /// By the proof.
        proved: u64,
    },
    /// The seal names a policy that is not the one of its place in the log.
    #[error("the seal names policy {0}, which is not that of its epoch")]
    SealPolicy(Hash),
    /// The state proof is refused.
    #[error(transparent)]
    State(#[from] StateRefusal),
}

impl ReceiptRefusal {
    /// Language-free code.
    pub fn code(&self) -> &'static str {
        match self {
            ReceiptRefusal::NoPolicy => "receipt.no-policy",
            ReceiptRefusal::Format(_) => "receipt.format",
            ReceiptRefusal::Proof { refusal, .. } => refusal.code(),
            ReceiptRefusal::Seal(_) => "seal.format",
            ReceiptRefusal::SealIndex { .. } => "seal.index",
            ReceiptRefusal::SealPolicy(_) => "seal.policy",
            ReceiptRefusal::State(refusal) => refusal.code(),
        }
    }
}

/// An accepted policy.
#[derive(Debug, Clone)]
struct Epoch {
    policy: EpochPolicy,
    digest: Hash,
    acceptance: AcceptancePolicy,
}

/// The epochs known so far, from genesis on.
#[derive(Debug, Clone)]
pub struct EpochChain {
    genesis: Hash,
    epochs: Vec<Epoch>,
}

impl EpochChain {
    /// Begins with the genesis hash, which the caller has from paper.
    pub fn new(genesis: Hash) -> Self {
        EpochChain {
            genesis,
            epochs: Vec::new(),
        }
    }

    /// The genesis hash.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The accepted policies, epoch 0 first.
    pub fn policies(&self) -> impl Iterator<Item = &EpochPolicy> {
        self.epochs.iter().map(|epoch| &epoch.policy)
    }

    /// Accepts the next policy: the first by the genesis hash, every later one by a `.tlog-proof`
    /// under the one before.
    pub fn push(
        &mut self,
        policy: &[u8],
        handover: Option<&[u8]>,
    ) -> Result<&EpochPolicy, EpochError> {
        let digest = sha256(policy);
        let parsed = match self.epochs.last() {
            None => self.first(policy, digest, handover)?,
            Some(before) => next(before, policy, handover)?,
        };
        let acceptance = parsed.acceptance()?;
        self.epochs.push(Epoch {
            policy: parsed,
            digest,
            acceptance,
        });
        // Just pushed; indexing by the last place cannot fail.
        let last = self.epochs.len() - 1;
        Ok(&self.epochs[last].policy)
    }

    fn first(
        &self,
        policy: &[u8],
        digest: Hash,
        handover: Option<&[u8]>,
    ) -> Result<EpochPolicy, EpochError> {
        if digest != self.genesis {
            return Err(EpochError::Genesis {
                found: digest,
                expected: self.genesis,
            });
        }
        if handover.is_some() {
            return Err(EpochError::ProofSurplus);
        }
        let parsed = EpochPolicy::parse(policy)?;
        if parsed.epoch != EpochId(0) {
            return Err(EpochError::Order {
                found: parsed.epoch,
                expected: EpochId(0),
            });
        }
        Ok(parsed)
    }

    /// The policy that judges checkpoints of `size`, and whether it is the last known one; `None`
    /// for size 0 or without policies.
    pub fn policy_at(&self, size: u64) -> Option<(&EpochPolicy, bool)> {
        let (at, epoch) = self.epoch_at(size)?;
        Some((&epoch.policy, at + 1 == self.epochs.len()))
    }

    fn epoch_at(&self, size: u64) -> Option<(usize, &Epoch)> {
        // Ascending by valid-from-size, so the last one below the size is the only one whose range
        // holds it.
        self.epochs
            .iter()
            .enumerate()
            .rev()
            .find(|(_, epoch)| epoch.policy.valid_from_size < size)
    }

    /// Checks a receipt: `leaf` is in the log, by the epoch of the receipt's size.
    pub fn verify_receipt(&self, leaf: &[u8], proof: &[u8]) -> Result<Receipt, ReceiptRefusal> {
        if self.epochs.is_empty() {
            return Err(ReceiptRefusal::NoPolicy);
        }
        let proof = TlogProof::parse(proof)?;
        let refuse = |epoch: EpochId, last, refusal: ProofRefusal| ReceiptRefusal::Proof {
            epoch,
            last,
            refusal,
        };
        // The size is only a hint until the signatures are checked by the policy that it leads to.
        let size = Checkpoint::parse(&proof.note.text)
            .map_err(|error| refuse(EpochId(0), false, ProofRefusal::Checkpoint(error.into())))?
            .size;
        let (at, epoch) = self.epoch_at(size).ok_or_else(|| {
            refuse(
                EpochId(0),
                false,
                ProofRefusal::Inclusion(crate::log::tree::TreeRefusal::Range),
            )
        })?;
        let last = at + 1 == self.epochs.len();
        let verified = proof
            .verify(leaf, &epoch.acceptance)
            .map_err(|refusal| refuse(epoch.policy.epoch, last, refusal))?;
        let attested_time_s = attested_time(&epoch.policy, &verified.signers);
        Ok(Receipt {
            epoch: epoch.policy.epoch,
            policy: epoch.digest,
            verified,
            attested_time_s,
        })
    }

    /// Checks a signed checkpoint by the epoch of its size. It proves a head, not a leaf.
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<Head, ReceiptRefusal> {
        if self.epochs.is_empty() {
            return Err(ReceiptRefusal::NoPolicy);
        }
        let refuse = |epoch: EpochId, last, refusal: CheckpointRefusal| ReceiptRefusal::Proof {
            epoch,
            last,
            refusal: refusal.into(),
        };
        let note = SignedNote::parse(note).map_err(ProofFormatError::from)?;
        let size = Checkpoint::parse(&note.text)
            .map_err(|error| refuse(EpochId(0), false, error.into()))?
            .size;
        let (at, epoch) = self.epoch_at(size).ok_or(ReceiptRefusal::NoPolicy)?;
        let last = at + 1 == self.epochs.len();
        let number = epoch.policy.epoch;
        let judged = epoch
            .acceptance
            .judge(&note)
            .map_err(|error| refuse(number, last, error))?;
        let attested_time_s = attested_time(&epoch.policy, &judged.signers);
        Ok(Head {
            epoch: number,
            checkpoint: judged.checkpoint,
            signers: judged.signers,
            attested_time_s,
        })
    }

    /// Checks a seal: its receipt, that it stands where it says, and that it names the policy of
    /// its epoch.
    pub fn verify_seal(&self, leaf: &[u8], proof: &[u8]) -> Result<SealReceipt, ReceiptRefusal> {
        let receipt = self.verify_receipt(leaf, proof)?;
        let seal: Seal = match LeafTag::split(leaf) {
            Some((LeafTag::Seal, bytes)) => decode(bytes)?,
            _ => return Err(DecodeError::rule("the leaf has another tag").into()),
        };
        let named = seal.first_leaf.saturating_add(u64::from(seal.leaf_count));
        let proved = receipt.verified.index;
        if named != proved {
            return Err(ReceiptRefusal::SealIndex { named, proved });
        }
        match self.epoch_at(proved + 1) {
            Some((_, epoch)) if epoch.digest == seal.policy => Ok(SealReceipt { seal, receipt }),
            _ => Err(ReceiptRefusal::SealPolicy(seal.policy)),
        }
    }

    /// Checks that as of a seal the `key` had this value, or none: seal receipt, then state proof
    /// under the seal's state root.
    pub fn verify_state(
        &self,
        seal_leaf: &[u8],
        seal_proof: &[u8],
        key: &[u8],
        value: Option<&[u8]>,
        state_proof: &[u8],
    ) -> Result<StateReceipt, ReceiptRefusal> {
        let receipt = self.verify_seal(seal_leaf, seal_proof)?;
        verify_state(&receipt.seal.state_root, key, value, state_proof)?;
        Ok(receipt)
    }

    /// Checks a commit certificate of a seal by the policy that the seal names (RULINGS A1). `None`
    /// if that policy is not known.
    pub fn verify_certificate(
        &self,
        seal: &Seal,
        certificate: &Certificate,
    ) -> Option<Result<(), CertificateError>> {
        let epoch = self
            .epochs
            .iter()
            .find(|epoch| epoch.digest == seal.policy)?;
        Some(certificate.verify(
            &self.genesis,
            seal.height,
            &seal.id(),
            &epoch.policy.validators(),
        ))
    }
}

/// A policy after the first: its own claims, then its proof, then the proof's place.
fn next(before: &Epoch, policy: &[u8], handover: Option<&[u8]>) -> Result<EpochPolicy, EpochError> {
    let parsed = EpochPolicy::parse(policy)?;
    let expected = before.policy.epoch.next();
    if parsed.epoch != expected {
        return Err(EpochError::Order {
            found: parsed.epoch,
            expected,
        });
    }
    if parsed.origin != before.policy.origin {
        return Err(EpochError::Chain(parsed.origin));
    }
    // `parse` demands a previous policy in every epoch but the first.
    let previous = parsed.previous.unwrap_or(Hash::ZERO);
    if previous != before.digest {
        return Err(EpochError::Previous {
            found: previous,
            expected: before.digest,
        });
    }
    // The policy leaf comes after the log of the epoch before had begun: after the seal of genesis
    // or of the last handover.
    let begun = match &before.policy.genesis {
        Some(genesis) => genesis.leaves.saturating_add(2),
        None => before.policy.valid_from_size,
    };
    let earliest = begun.saturating_add(2);
    if parsed.valid_from_size < earliest {
        return Err(EpochError::TooEarly {
            found: parsed.valid_from_size,
            earliest,
        });
    }
    let proof = TlogProof::parse(handover.ok_or(EpochError::ProofMissing(parsed.epoch))?)?;
    let size = proof.verify(policy, &before.acceptance)?.size;
    let (index, valid_from) = (proof.index, parsed.valid_from_size);
    if size != valid_from || index.checked_add(2) != Some(size) {
        return Err(EpochError::Place {
            index,
            size,
            valid_from,
        });
    }
    Ok(parsed)
}

/// The (f+1)-th newest time among the validators' cosignatures; 0 if there are fewer.
fn attested_time(policy: &EpochPolicy, signers: &[Signer]) -> u64 {
    let is_validator = |name: &str| {
        policy
            .validators
            .iter()
            .any(|validator| validator.name == name)
    };
    let mut times: Vec<u64> = signers
        .iter()
        .filter(|s| is_validator(&s.name))
        .map(|s| s.time_s)
        .collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get(policy.faults()).copied().unwrap_or(0)
}
