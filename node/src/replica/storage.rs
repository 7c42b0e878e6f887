//! What the replica asks of the journal: bodies, decisions, the consensus log and the sign guard
//! (RULINGS A13).
//!
//! * Appends are buffered; [`Storage::sync`] makes everything appended so far durable. A sync that
//!   failed is never repeated: the replica stops.
//! * Signing is a capability: a [`SignToken`] is made by the journal alone, after the guard record
//!   of exactly those bytes is durable, and [`Keys`] signs nothing without one.
//!
//! [`super::journal_storage::JournalStorage`] is the implementation; the trait is here so that the
//! replica says in one place what it relies on.

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Certificate, ProposalFacts, Seal, Vote, VoteKind};
use rollbook_proof::crypto::{Hash, Keypair, PublicKey, Signature};
use rollbook_proof::number::{Height, OrganisationId};

use super::message::SignedStatement;
use crate::journal::{LostGuard, SignToken, Slot, Step, sign_with};

/// What a validator is about to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A proposal.
    Proposal(ProposalFacts),
    /// A prevote or precommit.
    Vote(Vote),
    /// A checkpoint: log size and root. The bytes that are signed carry a time beside.
    Checkpoint {
        /// Number of leaves.
        size: u64,
        /// RFC 6962 root.
        root: Hash,
        /// What is signed.
        message: Vec<u8>,
    },
}

impl Statement {
    /// The statement of a message.
    pub fn of(signed: &SignedStatement) -> Statement {
        match signed {
            SignedStatement::Vote(signed) => Statement::Vote(signed.vote.clone()),
            SignedStatement::Proposal(signed) => Statement::Proposal(signed.facts.clone()),
        }
    }

    /// The slot it fills; `None` for a checkpoint, which is guarded by its size.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Statement::Proposal(facts) => Some(Slot {
                height: facts.height,
                round: facts.round,
                step: Step::Proposal,
            }),
            Statement::Vote(vote) => {
                let step = if vote.kind == VoteKind::Prevote {
                    Step::Prevote
                } else {
                    Step::Precommit
                };
                Some(Slot {
                    height: vote.height,
                    round: vote.round,
                    step,
                })
            }
            Statement::Checkpoint { .. } => None,
        }
    }

    /// The bytes that are signed, domain tag included.
    pub fn bytes(&self, chain: &Hash) -> Vec<u8> {
        match self {
            Statement::Proposal(facts) => facts.sign_bytes(chain),
            Statement::Vote(vote) => vote.sign_bytes(chain),
            Statement::Checkpoint { message, .. } => message.clone(),
        }
    }
}

/// The disk failed. The replica stops; it never retries and never continues on what it cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// Why nothing may be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Another statement holds the slot, or the slot is below everything the guard still remembers.
    #[error("the sign guard refuses: {0}")]
    Refused(String),
    /// The guard record could not be made durable.
    #[error("the sign guard could not be written: {0}")]
    Fault(#[from] Fault),
}

/// A decided block as it is kept and as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Decided {
    /// Header.
    pub seal: Seal,
    /// A quorum of precommits for it.
    pub certificate: Certificate,
    /// Canonical body bytes.
    pub body: Vec<u8>,
}

/// The journal, and reads of what it holds (from the store where that is cheaper).
pub trait Storage {
    /// Appends a received or built body under its seal.
    fn append_body(&mut self, seal: &Seal, body: &[u8]) -> Result<(), Fault>;

    /// Appends one entry of the consensus log of `height`.
    fn append_wal(&mut self, height: Height, entry: &[u8]) -> Result<(), Fault>;

    /// Appends the decision on a block whose body was appended before.
    fn append_decision(&mut self, seal: &Seal, certificate: &Certificate) -> Result<(), Fault>;

    /// Appends the guard record of a statement, or refuses it. Recording the same statement again
    /// is no error.
    fn guard(&mut self, statement: &Statement) -> Result<(), GuardError>;

    /// One group commit of bodies and decisions alone: before the core hears of a body.
    fn sync_bodies(&mut self) -> Result<(), Fault>;

    /// One group commit: everything appended before is durable when this returns.
    fn sync(&mut self) -> Result<(), Fault>;

    /// Records the statement if it is not yet recorded, syncs if that record is not yet durable,
    /// and hands out the token.
    fn permit(&mut self, statement: &Statement) -> Result<SignToken, GuardError>;

    /// Whether the guard has a record of exactly this statement. Asked of heights after the tip.
    fn has_recorded(&self, statement: &Statement) -> bool;

    /// The highest slot ever recorded by the guard.
    fn high_water(&self) -> Option<Slot>;

    /// The own proposal recorded for a round of the height after the tip.
    fn proposed(&self, height: Height, round: u32) -> Option<ProposalFacts>;

    /// Nothing is signed below this height. 0 means that the guard is new: made beside an existing
    /// key, or on a new disk, and not yet raised by the answer of the peers (RULINGS A8). A guard
    /// made together with its key is raised to 1 at once.
    fn floor(&self) -> Height;

    /// What may have been signed before the disk was lost, if others have said it.
    fn lost_guard(&self) -> Option<&LostGuard>;

    /// Raises the floor, durably.
    fn raise(&mut self, height: Height) -> Result<(), Fault>;

    /// The consensus log of a height, in order, as the last life left it.
    fn wal(&self, height: Height) -> &[Vec<u8>];

    /// Bodies of a height on which no decision is recorded, as the last life left them.
    fn undecided(&self, height: Height) -> Vec<(Seal, Vec<u8>)>;

    /// How many undecided bodies of a height the journal holds, those without a seal included.
    fn stored(&self, height: Height) -> usize;

    /// A decided block.
    fn decided(&self, height: Height) -> Option<Decided>;
}

/// The keys of a validating node and the only functions that use them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Organisation number of the node.
    pub organisation: OrganisationId,
    consensus: Keypair,
    cosigner: Keypair,
    log: Keypair,
}

impl Keys {
    /// Keys of the node of `organisation`.
    pub fn new(
        organisation: OrganisationId,
        consensus: Keypair,
        cosigner: Keypair,
        log: Keypair,
    ) -> Self {
        Keys {
            organisation,
            consensus,
            cosigner,
            log,
        }
    }

    /// The public consensus key.
    pub fn consensus(&self) -> PublicKey {
        self.consensus.public()
    }

    /// The public cosigner key.
    pub fn cosigner(&self) -> PublicKey {
        self.cosigner.public()
    }

    /// The public log key.
    pub fn log(&self) -> PublicKey {
        self.log.public()
    }

    /// Cosigns a checkpoint and signs its log line; both rest on the one durable guard record.
    /// `None` as with [`Keys::sign`].
    pub fn sign_checkpoint(
        &self,
        token: SignToken,
        statement: &Statement,
        chain: &Hash,
        log_message: &[u8],
    ) -> Option<(Signature, Signature)> {
        let cosignature = self.sign(token, statement, chain)?;
        Some((cosignature, self.log.sign_tagged(log_message)))
    }

    /// Signs an answer to another validator with the log key: no statement of consensus, so the guard
    /// has no part in it.
    pub fn sign_answer(&self, message: &[u8]) -> Signature {
        self.log.sign_tagged(message)
    }

    /// Signs, with the consensus key, what this node kept of others' statements
    /// (`kept`): no statement of consensus, so the guard has no part in it.
    pub fn sign_kept(&self, message: &[u8]) -> Signature {
        self.consensus.sign_tagged(message)
    }

    /// Signs a vote, proposal or checkpoint whose guard record is durable. `None` if the token is
    /// for other bytes.
    pub fn sign(&self, token: SignToken, statement: &Statement, chain: &Hash) -> Option<Signature> {
        (token.bytes() == statement.bytes(chain)).then(|| sign_with(token, self.key_for(statement)))
    }

    fn key_for(&self, statement: &Statement) -> &Keypair {
        match statement {
            Statement::Checkpoint { .. } => &self.cosigner,
            Statement::Proposal(_) | Statement::Vote(_) => &self.consensus,
        }
    }

    /// Planted faults sign without asking the guard.
    #[cfg(feature = "planted")]
    pub(super) fn sign_unguarded(&self, statement: &Statement, chain: &Hash) -> Signature {
        self.key_for(statement).sign_tagged(&statement.bytes(chain))
    }
}
