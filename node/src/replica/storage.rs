//! What the replica asks of the journal: bodies, decisions, the consensus log and the sign guard (RULINGS A13).
//!
//! * Appends are buffered; [`Storage::sync`] makes everything appended so far durable. A sync that failed is never repeated:
//!   the replica stops.
//! * Signing is a capability: [`SignToken`] comes only from [`Storage::permit`], after the guard record of exactly that
//!   statement is durable, and [`Keys`] signs nothing without one.
//! * The guard refuses a second statement for a slot that differs from the first, and anything below what it has forgotten.

use bincode::{Decode, Encode};
use rollbook_core::codec::{Wire, encode};
use rollbook_core::crypto::{Hash, Keypair, PublicKey, Signature, sha256};
use rollbook_core::ledger::{Certificate, ProposalFacts, Seal, Vote, VoteKind};

/// What a validator is about to sign.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Statement {
    /// A proposal.
    Proposal(ProposalFacts),
    /// A prevote or precommit.
    Vote(Vote),
    /// A checkpoint: log size and root.
    Checkpoint {
        /// Number of leaves.
        size: u64,
        /// RFC 6962 root.
        root: Hash,
    },
}

impl Wire for Statement {
    const MAX: usize = 256;
}

/// One place for a signature in the consensus protocol, in the order in which an honest node fills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Slot {
    /// Height.
    pub height: u64,
    /// Round.
    pub round: u32,
    /// 0 proposal, 1 prevote, 2 precommit.
    pub step: u8,
}

impl Statement {
    /// The slot it fills; `None` for a checkpoint, which is guarded by its size.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Statement::Proposal(facts) => Some(Slot { height: facts.height, round: facts.round, step: 0 }),
            Statement::Vote(vote) => Some(Slot {
                height: vote.height,
                round: vote.round,
                step: match vote.kind {
                    VoteKind::Prevote => 1,
                    VoteKind::Precommit => 2,
                },
            }),
            Statement::Checkpoint { .. } => None,
        }
    }

    /// SHA-256 of the encoded statement: what a token is bound to.
    pub fn digest(&self) -> Hash {
        sha256(&encode(self))
    }
}

/// Proof that the guard record of one statement is durable.
#[derive(Debug, PartialEq, Eq)]
pub struct SignToken {
    statement: Hash,
}

impl SignToken {
    /// For implementations of [`Storage::permit`] alone: call it after the fsync that covers the guard record.
    pub fn after_sync(statement: &Statement) -> Self {
        SignToken { statement: statement.digest() }
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
    fn append_wal(&mut self, height: u64, entry: &[u8]) -> Result<(), Fault>;

    /// Appends the decision on a block whose body was appended before.
    fn append_decision(&mut self, seal: &Seal, certificate: &Certificate) -> Result<(), Fault>;

    /// Appends the guard record of a statement, or refuses it. Recording the same statement again is no error.
    fn guard(&mut self, statement: &Statement) -> Result<(), GuardError>;

    /// One group commit: everything appended before is durable when this returns.
    fn sync(&mut self) -> Result<(), Fault>;

    /// Records the statement if it is not yet recorded, syncs if that record is not yet durable, and hands out the token.
    fn permit(&mut self, statement: &Statement) -> Result<SignToken, GuardError>;

    /// The highest slot ever recorded by the guard.
    fn high_water(&self) -> Option<Slot>;

    /// The statement recorded for a slot, if the guard still remembers it.
    fn signed(&self, slot: Slot) -> Option<Statement>;

    /// False if guard, key or disk is new beside an existing key, or was restored (RULINGS A8). A guard made together with
    /// its key is trusted.
    fn trusted(&self) -> bool;

    /// The consensus log of a height, in order. At a height above the tip a torn tail has been cut.
    fn wal(&self, height: u64) -> Vec<Vec<u8>>;

    /// Bodies of a height on which no decision is recorded.
    fn undecided(&self, height: u64) -> Vec<(Seal, Vec<u8>)>;

    /// A decided block.
    fn decided(&self, height: u64) -> Option<Decided>;
}

/// The keys of a validating node and the only functions that use them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Organisation number of the node.
    pub organisation: u32,
    consensus: Keypair,
    cosigner: Keypair,
}

impl Keys {
    /// Keys of the node of `organisation`.
    pub fn new(organisation: u32, consensus: Keypair, cosigner: Keypair) -> Self {
        Keys { organisation, consensus, cosigner }
    }

    /// The public consensus key.
    pub fn consensus(&self) -> PublicKey {
        self.consensus.public()
    }

    /// The public cosigner key.
    pub fn cosigner(&self) -> PublicKey {
        self.cosigner.public()
    }

    /// Signs a vote, given that its guard record is durable. `None` if the token is for another statement.
    pub fn sign_vote(&self, token: SignToken, chain: &Hash, vote: &Vote) -> Option<Signature> {
        (token.statement == Statement::Vote(vote.clone()).digest()).then(|| vote.sign(chain, &self.consensus))
    }

    /// Signs a proposal, given that its guard record is durable.
    pub fn sign_proposal(&self, token: SignToken, chain: &Hash, facts: &ProposalFacts) -> Option<Signature> {
        (token.statement == Statement::Proposal(facts.clone()).digest()).then(|| facts.sign(chain, &self.consensus))
    }

    /// Signs a checkpoint cosignature, given that (size, root) is durable. `message` is what the ledger says is signed.
    pub fn sign_checkpoint(&self, token: SignToken, size: u64, root: Hash, message: &[u8]) -> Option<Signature> {
        (token.statement == Statement::Checkpoint { size, root }.digest()).then(|| self.cosigner.sign_tagged(message))
    }

    /// The canary of the simulator that signs without asking the guard.
    #[cfg(feature = "canary")]
    pub(super) fn unguarded(statement: &Statement) -> SignToken {
        SignToken::after_sync(statement)
    }
}

/// Verifies signatures; the simulator puts a memo of results behind it (RULINGS A23).
pub trait Verify {
    /// Same answer as [`PublicKey::verify`].
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;
}

impl Verify for rollbook_core::crypto::VerifierCache {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        rollbook_core::crypto::VerifierCache::verify(self, key, message, signature).is_ok()
    }
}
