//! Votes, proposals, commit certificates and evidence: consensus statements as bytes that can be
//! judged offline.
//!
//! A certificate is judged by the policy named in the seal it certifies (RULINGS A1), and it is
//! refused whole if any signature in it is bad, repeated or foreign (RULINGS A14): padding is not a
//! detail.

use bincode::{Decode, Encode};

use crate::codec::{DecodeError, Wire, at_most, encode, strictly_ascending};
use crate::crypto::{Hash, Keypair, PublicKey, Signature, SignatureError, sha256, tagged};
use crate::number::{Height, OrganisationId};

/// Most validators a policy may seat; bounds certificates.
pub const MAX_VALIDATORS: usize = 64;

/// Votes needed of `n` equal validators: n - floor((n-1)/3), which is 2f+1 for n = 3f+1.
pub fn quorum(n: usize) -> usize {
    n - n.saturating_sub(1) / 3
}

/// The step a vote belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum VoteKind {
    /// First step.
    Prevote,
    /// Second step: a quorum of these on one block decides it.
    Precommit,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub struct Vote {
    /// Step.
    pub kind: VoteKind,
    /// Height.
    pub height: Height,
    /// Round.
    pub round: u32,
    /// Block id, or none for a nil vote.
    pub block: Option<Hash>,
    /// Organisation number of the validator.
    pub validator: OrganisationId,
}

impl Vote {
    /// The bytes under a vote's signature: 'rollbook/vote/v1' 0x00 || chain || vote.
    pub fn sign_bytes(&self, chain: &Hash) -> Vec<u8> {
        tagged("rollbook/vote/v1", &[&chain.0, &encode(self)])
    }

    /// Signs the vote with the consensus key.
    pub fn sign(&self, chain: &Hash, key: &Keypair) -> Signature {
        key.sign_tagged(&self.sign_bytes(chain))
    }
}

/// What a proposer signs: everything about a proposal but the seal's content, which the block id
/// covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub struct ProposalFacts {
    /// Height.
    pub height: Height,
    /// Round.
    pub round: u32,
    /// Block id.
    pub block: Hash,
    /// Round of the polka that justifies proposing an old value again.
    pub valid_round: Option<u32>,
    /// Organisation number of the proposer.
    pub validator: OrganisationId,
}

impl ProposalFacts {
    /// The bytes under a proposal's signature: 'rollbook/proposal/v1' 0x00 || chain || facts.
    pub fn sign_bytes(&self, chain: &Hash) -> Vec<u8> {
        tagged("rollbook/proposal/v1", &[&chain.0, &encode(self)])
    }

    /// Signs the proposal with the consensus key.
    pub fn sign(&self, chain: &Hash, key: &Keypair) -> Signature {
        key.sign_tagged(&self.sign_bytes(chain))
    }
}

/// A vote with its signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SignedVote {
    /// The vote.
    pub vote: Vote,
    /// Over [`Vote::sign_bytes`].
    pub signature: Signature,
}

impl Wire for SignedVote {
    const MAX: usize = 256;
}

/// A proposal's signed facts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SignedProposal {
    /// The facts.
    pub facts: ProposalFacts,
    /// Over [`ProposalFacts::sign_bytes`].
    pub signature: Signature,
}

/// What a validator may say once: in a height and round one proposal, one prevote, one precommit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub struct Slot {
    /// Round.
    pub round: u32,
    /// The kind of vote; none for a proposal.
    pub vote: Option<VoteKind>,
}

/// Two signed statements of one validator that cannot both be honest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Evidence {
    /// Two votes of one height, round and step for different values.
    DoubleVote {
        /// The smaller by bytes.
        first: SignedVote,
        /// The greater by bytes.
        second: SignedVote,
    },
    /// Two proposals of one height and round for different values.
    DoubleProposal {
        /// The smaller by bytes.
        first: SignedProposal,
        /// The greater by bytes.
        second: SignedProposal,
    },
}

impl Evidence {
    /// Orders the two votes; `None` if they do not conflict.
    pub fn of_votes(a: SignedVote, b: SignedVote) -> Option<Evidence> {
        let (first, second) = if a < b { (a, b) } else { (b, a) };
        let evidence = Evidence::DoubleVote { first, second };
        evidence.check().is_ok().then_some(evidence)
    }

    /// Orders the two proposals; `None` if they do not conflict.
    pub fn of_proposals(a: SignedProposal, b: SignedProposal) -> Option<Evidence> {
        let (first, second) = if a < b { (a, b) } else { (b, a) };
        let evidence = Evidence::DoubleProposal { first, second };
        evidence.check().is_ok().then_some(evidence)
    }

    /// The evidence's leaf bytes: tag 4.
    pub fn leaf(&self) -> Vec<u8> {
        crate::chain::LeafTag::Evidence.prefix(&encode(self))
    }

    /// Organisation number of the accused.
    pub fn culprit(&self) -> OrganisationId {
        match self {
            Evidence::DoubleVote { first, .. } => first.vote.validator,
            Evidence::DoubleProposal { first, .. } => first.facts.validator,
        }
    }

    /// The height of the offence.
    pub fn height(&self) -> Height {
        match self {
            Evidence::DoubleVote { first, .. } => first.vote.height,
            Evidence::DoubleProposal { first, .. } => first.facts.height,
        }
    }

    /// Where the validator said two things.
    pub fn slot(&self) -> Slot {
        match self {
            Evidence::DoubleVote { first, .. } => Slot {
                round: first.vote.round,
                vote: Some(first.vote.kind),
            },
            Evidence::DoubleProposal { first, .. } => Slot {
                round: first.facts.round,
                vote: None,
            },
        }
    }

    /// Checks both signatures under the culprit's consensus key of that height.
    pub fn verify(&self, chain: &Hash, key: &PublicKey) -> Result<(), SignatureError> {
        match self {
            Evidence::DoubleVote { first, second } => {
                key.verify(&first.vote.sign_bytes(chain), &first.signature)?;
                key.verify(&second.vote.sign_bytes(chain), &second.signature)
            }
            Evidence::DoubleProposal { first, second } => {
                key.verify(&first.facts.sign_bytes(chain), &first.signature)?;
                key.verify(&second.facts.sign_bytes(chain), &second.signature)
            }
        }
    }
}

impl Wire for Evidence {
    const MAX: usize = 1_024;

    fn check(&self) -> Result<(), DecodeError> {
        let (ordered, conflict) = match self {
            Evidence::DoubleVote { first, second } => {
                let (a, b) = (&first.vote, &second.vote);
                let same_slot = a.kind == b.kind
                    && a.height == b.height
                    && a.round == b.round
                    && a.validator == b.validator;
                (first < second, same_slot && a.block != b.block)
            }
            Evidence::DoubleProposal { first, second } => {
                let (a, b) = (&first.facts, &second.facts);
                let same_slot =
                    a.height == b.height && a.round == b.round && a.validator == b.validator;
                (first < second, same_slot && a.block != b.block)
            }
        };
        if !ordered {
            return Err(DecodeError::rule(
                "the two statements of the evidence are not in ascending order",
            ));
        }
        if !conflict {
            return Err(DecodeError::rule(
                "the two statements of the evidence do not conflict",
            ));
        }
        Ok(())
    }
}

/// A validator as a certificate is judged: organisation number and consensus key, from the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValidatorKey {
    /// Organisation number.
    pub validator: OrganisationId,
    /// Consensus key.
    pub key: PublicKey,
}

/// A commit certificate: a quorum of precommits for one block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// Height of the block.
    pub height: Height,
    /// Round in which it was decided.
    pub round: u32,
    /// Block id.
    pub block: Hash,
    /// Precommit signatures, strictly ascending by validator.
    pub signatures: Vec<(OrganisationId, Signature)>,
}

/// Why a certificate does not certify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// It names another block.
    #[error("the certificate is for block {found} at height {height}, not {wanted}")]
    OtherBlock {
        /// Height in the certificate.
        height: Height,
        /// Block in the certificate.
        found: Hash,
        /// Block to be certified.
        wanted: Hash,
    },
    /// Signers repeated or out of order.
    #[error("the signatures of the certificate are not in strictly ascending order of validator")]
    NotCanonical,
    /// A signer is no validator of the policy.
    #[error("organisation {} is no validator under this policy", .0.0)]
    Foreign(OrganisationId),
    /// A signature does not verify.
    #[error("the precommit signature of organisation {} does not verify", .0.0)]
    BadSignature(OrganisationId),
    /// Fewer than a quorum.
    #[error("{signers} of {validators} validators signed, {needed} are needed")]
    NoQuorum {
        /// Valid signers.
        signers: usize,
        /// Validators of the policy.
        validators: usize,
        /// The quorum.
        needed: usize,
    },
}

impl Wire for Certificate {
    const MAX: usize = 8 + 4 + 32 + 8 + MAX_VALIDATORS * (4 + 4 + 64);

    fn check(&self) -> Result<(), DecodeError> {
        at_most(
            &self.signatures,
            MAX_VALIDATORS,
            "signatures in a certificate",
        )?;
        strictly_ascending(
            &self.signatures,
            "certificate signatures",
            |(validator, _)| *validator,
        )
    }
}

impl Certificate {
    /// SHA-256 of the canonical bytes, as the next seal names it.
    pub fn digest(&self) -> Hash {
        sha256(&encode(self))
    }

    /// Judges the certificate for block `block` at `height` under `validators` (ascending by
    /// number). Every signature must be of a validator and verify; then a quorum must have signed.
    pub fn verify(
        &self,
        chain: &Hash,
        height: Height,
        block: &Hash,
        validators: &[ValidatorKey],
    ) -> Result<(), CertificateError> {
        if self.block != *block || self.height != height {
            return Err(CertificateError::OtherBlock {
                height: self.height,
                found: self.block,
                wanted: *block,
            });
        }
        if self.check().is_err() {
            return Err(CertificateError::NotCanonical);
        }
        for (validator, signature) in &self.signatures {
            let known = validators
                .iter()
                .find(|v| v.validator == *validator)
                .ok_or(CertificateError::Foreign(*validator))?;
            let vote = Vote {
                kind: VoteKind::Precommit,
                height,
                round: self.round,
                block: Some(*block),
                validator: *validator,
            };
            known
                .key
                .verify(&vote.sign_bytes(chain), signature)
                .map_err(|_| CertificateError::BadSignature(*validator))?;
        }
        let needed = quorum(validators.len());
        if self.signatures.len() < needed {
            return Err(CertificateError::NoQuorum {
                signers: self.signatures.len(),
                validators: validators.len(),
                needed,
            });
        }
        Ok(())
    }
}
