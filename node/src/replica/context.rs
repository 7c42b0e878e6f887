//! The types the consensus core is generic over, and nothing else that names its crates' traits.
//!
//! The core's votes and proposals are mirrors of `core::ledger::{Vote, ProposalFacts}`: signatures
//! are made and checked over the bytes of those, never over anything defined here. Absent on
//! purpose: vote extensions, proposal parts, private keys.

use std::fmt;

use arc_malachitebft_core_types as malachitebft_core_types;
use malachitebft_core_types as mc;
use mc::{NilOrVal, Round, VoteType};
use rollbook_core::object::turn::Turns;
use rollbook_proof::chain::{ProposalFacts, Seal, ValidatorKey, Vote, VoteKind};
use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::number;
use rollbook_proof::number::OrganisationId;

/// The consensus core's parameter: picks the types below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ctx;

/// A block height, as the core wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mc::Height for Height {
    const ZERO: Self = Height(0);
    const INITIAL: Self = Height(1);

    fn increment_by(&self, n: u64) -> Self {
        Height(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Height)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// A validator's address: its organisation number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub OrganisationId);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl mc::Address for Address {}

/// The consensus value: a seal with its block id, computed once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sealed {
    /// [`Seal::id`] of `seal`.
    pub id: Hash,
    /// The block's header.
    pub seal: Seal,
}

impl From<Seal> for Sealed {
    fn from(seal: Seal) -> Self {
        Sealed {
            id: seal.id(),
            seal,
        }
    }
}

impl mc::Value for Sealed {
    type Id = Hash;

    fn id(&self) -> Hash {
        self.id
    }
}

/// A vote as the core handles it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreVote {
    /// Prevote or precommit.
    pub kind: VoteType,
    /// Height.
    pub height: Height,
    /// Never nil.
    pub round: Round,
    /// Block id or nil.
    pub value: NilOrVal<Hash>,
    /// Voter.
    pub validator: Address,
}

impl CoreVote {
    /// The vote whose bytes are signed.
    pub fn statement(&self) -> Vote {
        Vote {
            kind: match self.kind {
                VoteType::Prevote => VoteKind::Prevote,
                VoteType::Precommit => VoteKind::Precommit,
            },
            height: number::Height(self.height.0),
            // The core never makes a vote of the nil round.
            round: self.round.as_u32().unwrap_or(u32::MAX),
            block: match self.value {
                NilOrVal::Nil => None,
                NilOrVal::Val(id) => Some(id),
            },
            validator: self.validator.0,
        }
    }

    /// The core's form of a vote.
    pub fn of(vote: &Vote) -> Self {
        CoreVote {
            kind: match vote.kind {
                VoteKind::Prevote => VoteType::Prevote,
                VoteKind::Precommit => VoteType::Precommit,
            },
            height: Height(vote.height.0),
            round: Round::new(vote.round),
            value: vote.block.map_or(NilOrVal::Nil, NilOrVal::Val),
            validator: Address(vote.validator),
        }
    }
}

impl mc::Vote<Ctx> for CoreVote {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &NilOrVal<Hash> {
        &self.value
    }
    fn take_value(self) -> NilOrVal<Hash> {
        self.value
    }
    fn vote_type(&self) -> VoteType {
        self.kind
    }
    fn validator_address(&self) -> &Address {
        &self.validator
    }
    fn extension(&self) -> Option<&mc::SignedExtension<Ctx>> {
        None
    }
    fn take_extension(&mut self) -> Option<mc::SignedExtension<Ctx>> {
        None
    }
    fn extend(self, _: mc::SignedExtension<Ctx>) -> Self {
        self
    }
}

/// A proposal as the core handles it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreProposal {
    /// Height.
    pub height: Height,
    /// Never nil.
    pub round: Round,
    /// The proposed seal.
    pub value: Sealed,
    /// Round of the polka that justifies an old value, or nil.
    pub pol_round: Round,
    /// Proposer.
    pub validator: Address,
}

impl CoreProposal {
    /// The facts whose bytes are signed.
    pub fn statement(&self) -> ProposalFacts {
        ProposalFacts {
            height: number::Height(self.height.0),
            round: self.round.as_u32().unwrap_or(u32::MAX),
            block: self.value.id,
            valid_round: self.pol_round.as_u32(),
            validator: self.validator.0,
        }
    }

    /// The core's form of a proposal; `None` if the facts are not about this seal.
    pub fn of(facts: &ProposalFacts, seal: Seal) -> Option<Self> {
        let value = Sealed::from(seal);
        (value.id == facts.block && value.seal.height == facts.height).then_some(CoreProposal {
            height: Height(facts.height.0),
            round: Round::new(facts.round),
            value,
            pol_round: Round::from(facts.valid_round),
            validator: Address(facts.validator),
        })
    }
}

impl mc::Proposal<Ctx> for CoreProposal {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &Sealed {
        &self.value
    }
    fn take_value(self) -> Sealed {
        self.value
    }
    fn pol_round(&self) -> Round {
        self.pol_round
    }
    fn validator_address(&self) -> &Address {
        &self.validator
    }
}

/// There are no proposal parts: bodies travel by request and response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPart;

impl mc::ProposalPart<Ctx> for NoPart {
    fn is_first(&self) -> bool {
        true
    }
    fn is_last(&self) -> bool {
        true
    }
}

/// A validator of the set: every seat has power 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    address: Address,
    key: PublicKey,
}

impl mc::Validator<Ctx> for Seat {
    fn address(&self) -> &Address {
        &self.address
    }
    fn public_key(&self) -> &PublicKey {
        &self.key
    }
    fn voting_power(&self) -> mc::VotingPower {
        1
    }
}

/// The validators of one height, ascending by organisation number, and the order of their turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    seats: Vec<Seat>,
    turns: Turns,
}

impl Seats {
    /// The set the core works with. The ledger gives them in ascending order and each once; made so
    /// again here, because the core finds them by their place.
    pub fn new(validators: &[ValidatorKey], turns: &Turns) -> Self {
        let mut seats: Vec<Seat> = validators
            .iter()
            .map(|v| Seat {
                address: Address(v.validator),
                key: v.key,
            })
            .collect();
        seats.sort_by_key(|seat| seat.address);
        seats.dedup_by_key(|seat| seat.address);
        let turns = turns.clone();
        Seats { seats, turns }
    }

    /// Whose turn a round is.
    fn turn(&self, round: u32) -> Option<&Seat> {
        let organisation = self.turns.of_round(round)?;
        self.seats
            .iter()
            .find(|seat| seat.address.0 == organisation)
    }
}

impl mc::ValidatorSet<Ctx> for Seats {
    fn count(&self) -> usize {
        self.seats.len()
    }
    fn total_voting_power(&self) -> mc::VotingPower {
        self.seats.len() as u64
    }
    fn get_by_address(&self, address: &Address) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.address == *address)
    }
    fn get_by_index(&self, index: usize) -> Option<&Seat> {
        self.seats.get(index)
    }
}

/// Ed25519 as `core::crypto` has it. The core crate never sees a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme;

impl mc::SigningScheme for Scheme {
    type DecodingError = String;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, String> {
        bytes
            .try_into()
            .map(Signature::Ed25519)
            .map_err(|_| format!("{} bytes are no Ed25519 signature", bytes.len()))
    }
    fn encode_signature(signature: &Signature) -> Vec<u8> {
        let Signature::Ed25519(bytes) = signature;
        bytes.to_vec()
    }
    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, String> {
        bytes
            .try_into()
            .map(PublicKey::Ed25519)
            .map_err(|_| format!("{} bytes are no Ed25519 key", bytes.len()))
    }
    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.bytes().to_vec()
    }
}

impl mc::Context for Ctx {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = CoreProposal;
    type Validator = Seat;
    type ValidatorSet = Seats;
    type Timeouts = mc::LinearTimeouts;
    type Value = Sealed;
    type Vote = CoreVote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a Seats, _: Height, round: Round) -> &'a Seat {
        // The replica never starts a height with an empty set, nor with turns of others.
        set.turn(round.as_u32().unwrap_or(0))
            .unwrap_or(&set.seats[0])
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Sealed,
        pol_round: Round,
        address: Address,
    ) -> CoreProposal {
        CoreProposal {
            height,
            round,
            value,
            pol_round,
            validator: address,
        }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Hash>,
        address: Address,
    ) -> CoreVote {
        CoreVote {
            kind: VoteType::Prevote,
            height,
            round,
            value,
            validator: address,
        }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Hash>,
        address: Address,
    ) -> CoreVote {
        CoreVote {
            kind: VoteType::Precommit,
            height,
            round,
            value,
            validator: address,
        }
    }
}
