//! Messages between nodes, and their bounds. Every message decodes by `codec::decode`, once, where
//! it arrives; the replica takes the decoded form. Everything in one is unverified.

use bincode::{Decode, Encode};
use rollbook_core::block::BODY_MAX_BYTES;
use rollbook_core::record::Record;
use rollbook_proof::chain::{Certificate, Seal, SignedProposal, SignedVote, VoteKind};
use rollbook_proof::codec::{DecodeError, Wire, at_most, decode, encode};
use rollbook_proof::crypto::{Hash, Signature, sha256, tagged};
use rollbook_proof::number::{Height, OrganisationId};

use super::storage::Decided;

/// Most signatures in one message: bounds certificates of every kind.
const MAX_SIGNATURES: usize = 2 * 64;

/// One vote inside a round certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoundVote {
    /// Step.
    pub kind: VoteKind,
    /// Block id or nil.
    pub block: Option<Hash>,
    /// Voter.
    pub validator: OrganisationId,
    /// Over the vote.
    pub signature: Signature,
}

/// A checkpoint cosignature on its way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cosignature {
    /// Height of the block.
    pub height: Height,
    /// Log size.
    pub size: u64,
    /// Log root.
    pub root: Hash,
    /// Cosigner's organisation.
    pub validator: OrganisationId,
    /// Seconds since 1970 under the signature.
    pub time_s: u64,
    /// C2SP type 0x04.
    pub signature: Signature,
    /// C2SP type 0x01 on the same checkpoint, by the validator's log key: with it a node that signs
    /// no checkpoints can serve receipts, too (RULINGS A21).
    pub log: Signature,
}

/// What is broadcast among nodes. Short-lived, so the size of the largest kind is no matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Frame {
    /// A vote.
    Vote(SignedVote),
    /// A proposal with the seal its block id stands for. The body is fetched apart.
    Proposal {
        /// Signed facts.
        proposal: SignedProposal,
        /// The header.
        seal: Seal,
    },
    /// A quorum of prevotes for one block.
    Polka {
        /// Height.
        height: Height,
        /// Round.
        round: u32,
        /// Block id.
        block: Hash,
        /// Prevote signatures.
        signatures: Vec<(OrganisationId, Signature)>,
    },
    /// Votes that justify entering a round.
    Round {
        /// Height.
        height: Height,
        /// Round of the votes.
        round: u32,
        /// True: a quorum of precommits of `round`; false: f+1 votes of `round`.
        precommits: bool,
        /// The votes.
        votes: Vec<RoundVote>,
    },
    /// A checkpoint cosignature.
    Cosign(Cosignature),
}

impl Wire for Frame {
    const MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Frame::Polka { signatures, .. } => at_most(
                signatures,
                MAX_SIGNATURES,
                "signatures in a polka certificate",
            ),
            Frame::Round { votes, .. } => {
                at_most(votes, MAX_SIGNATURES, "votes in a round certificate")
            }
            _ => Ok(()),
        }
    }
}

impl Frame {
    /// The height a consensus frame is about; `None` for a cosignature.
    pub fn height(&self) -> Option<Height> {
        match self {
            Frame::Vote(signed) => Some(signed.vote.height),
            Frame::Proposal { proposal, .. } => Some(proposal.facts.height),
            Frame::Polka { height, .. } | Frame::Round { height, .. } => Some(*height),
            Frame::Cosign(_) => None,
        }
    }
}

/// A signed record with its canonical bytes and its id, each made of the others once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    id: Hash,
    record: Record,
    bytes: Vec<u8>,
}

impl Envelope {
    /// Decodes a record. Fails if the bytes are not the canonical encoding of one.
    pub fn decode(bytes: Vec<u8>) -> Result<Envelope, DecodeError> {
        let record: Record = decode(&bytes)?;
        let id = record.id();
        Ok(Envelope { id, record, bytes })
    }

    /// Encodes a record.
    pub fn of(record: Record) -> Envelope {
        let (id, bytes) = (record.id(), encode(&record));
        Envelope { id, record, bytes }
    }

    /// The record id.
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Records on their way to every pool: each a signed envelope in canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// The records.
    pub records: Vec<Vec<u8>>,
}

/// Records in a gossip batch at most.
pub const BATCH_RECORDS: usize = 500;
/// Bytes of records in a gossip batch at most.
pub const BATCH_BYTES: usize = 128 * 1024;

impl Batch {
    /// The records that decode. The others are dropped: whoever passes a batch on does not answer
    /// for what is in it.
    pub fn envelopes(self) -> Vec<Envelope> {
        let records = self.records.into_iter();
        records
            .filter_map(|bytes| Envelope::decode(bytes).ok())
            .collect()
    }
}

impl Wire for Batch {
    const MAX: usize = BATCH_BYTES + 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.records, BATCH_RECORDS, "records in a batch")
    }
}

/// What one node asks another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// The height of your tip?
    Tip,
    /// Decided blocks from this height on, as many as fit an answer.
    Blocks {
        /// First height wanted.
        from: Height,
    },
    /// The body of this block, decided or not.
    Body {
        /// Block id.
        block: Hash,
        /// Its height.
        height: Height,
    },
    /// The newest signature of this validator you hold, and the height you work on (RULINGS A8).
    Newest {
        /// Organisation number.
        validator: OrganisationId,
    },
    /// Begin the height after the tip: this node, which has a seat, votes again only from a height
    /// on (RULINGS A43). Answered like [`Request::Tip`].
    Wake {
        /// From which height it votes.
        votes_from: Height,
    },
}

impl Wire for Request {
    const MAX: usize = 64;
}

impl Request {
    /// The question in these bytes. Each gets exactly one answer, so what does not decode is taken
    /// for the question with the emptiest answer.
    pub fn read(bytes: &[u8]) -> Request {
        decode(bytes).unwrap_or(Request::Tip)
    }
}

/// Bytes of blocks in one answer, beyond which no further block is added.
pub const ANSWER_BYTES: usize = 1024 * 1024;
/// Blocks in one answer at most.
pub const ANSWER_BLOCKS: usize = 64;

/// A signed statement of consensus.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SignedStatement {
    /// A vote.
    Vote(SignedVote),
    /// A proposal.
    Proposal(SignedProposal),
}

/// The answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Response {
    /// Height of the tip, and the cosignatures of its checkpoint that are held: gossip promises
    /// nothing, and who signs no checkpoint has nothing to repeat that would show what it lacks.
    Tip {
        /// Height.
        height: Height,
        /// Cosignatures.
        cosignatures: Vec<Cosignature>,
    },
    /// Decided blocks at consecutive heights; empty if the first is not held.
    Blocks(Vec<Decided>),
    /// A body with its seal, if held.
    Body(Option<(Seal, Vec<u8>)>),
    /// The newest signature held, and the proof of the height worked on.
    Newest {
        /// Height of the tip plus one.
        height: Height,
        /// Certificate of the tip; absent at the genesis tip.
        proof: Option<Certificate>,
        /// The newest statement of the validator asked about.
        statement: Option<SignedStatement>,
        /// Over [`newest_bytes`], by the log key of who answers.
        signature: Option<Signature>,
    },
}

/// What a validator signs when it says which height it works on and what it holds of another one's
/// statements: chain, who asks, height, SHA-256 of the statement.
pub fn newest_bytes(
    chain: &Hash,
    asker: OrganisationId,
    height: Height,
    statement: &Option<SignedStatement>,
) -> Vec<u8> {
    let facts = encode(&(asker, height, sha256(&encode(statement))));
    tagged("rollbook/newest/v1", &[&chain.0, &facts])
}

impl Wire for Response {
    const MAX: usize = ANSWER_BYTES + BODY_MAX_BYTES + 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Response::Blocks(blocks) => {
                at_most(blocks, ANSWER_BLOCKS, "blocks in an answer")?;
                blocks
                    .iter()
                    .try_for_each(|block| block.certificate.check())
            }
            Response::Tip { cosignatures, .. } => {
                at_most(cosignatures, MAX_SIGNATURES, "cosignatures of a tip")
            }
            Response::Newest {
                proof: Some(certificate),
                ..
            } => certificate.check(),
            _ => Ok(()),
        }
    }
}
