//! The sign guard: a validator never signs two different statements for one step, through crash,
//! full disk or restart.
//!
//! Signing is a capability. A statement is first *prepared*: the guard judges it and its record is
//! buffered in the votes file. Only a sync that covers the record turns [`Prepared`] into a
//! [`SignToken`], and only a token can be signed ([`sign_with`]). Tokens cannot be made outside
//! this module, cannot be cloned, and carry the bytes that were recorded:
//!
//! ```compile_fail
//! use rollbook_node::journal::SignToken;
//! let token = SignToken { bytes: vec![] };
//! ```
//!
//! Rules: the same bytes may be signed again; other bytes at the same (height, round, step), and
//! anything below the highest step ever recorded, are refused. A checkpoint is refused if a larger
//! one, or another root of the same size, was recorded; the same (size, root) may be cosigned again
//! with a later time. An old file of this guard is not to be restored: a node whose guard is new
//! asks its peers first (RULINGS A8) and raises the guard. Where so many guards are lost that no
//! answer of peers ends the doubt, [`LostGuard`] says what can still be signed (RULINGS A41).

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use rollbook_proof::codec::Wire;
use rollbook_proof::crypto::{Hash, Keypair, Signature};
use rollbook_proof::number::Height;

use super::{Durable, End};

/// Longest statement that is signed, in bytes.
pub const MAX_STATEMENT: usize = 4 * 1024;

/// Decided heights below the tip whose statements stay in memory, so that they can be signed again.
const KEPT_HEIGHTS: u64 = 8;

/// The step of a round that a statement belongs to, in the order in which a validator takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Step {
    /// A proposal.
    Proposal,
    /// First vote.
    Prevote,
    /// Second vote.
    Precommit,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Proposal => "proposal",
            Step::Prevote => "prevote",
            Step::Precommit => "precommit",
        })
    }
}

/// One place for one statement. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Slot {
    /// Height.
    pub height: Height,
    /// Round.
    pub round: u32,
    /// Step.
    pub step: Step,
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of height {}, round {}",
            self.step, self.height, self.round
        )
    }
}

/// The highest statements ever recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct HighWater {
    /// Highest step.
    pub slot: Option<Slot>,
    /// Largest checkpoint: size and root.
    pub checkpoint: Option<(u64, Hash)>,
    /// Heights below this are not signed any more, whatever was recorded (RULINGS A8).
    pub floor: Height,
}

/// What is known of the statements that lost guards recorded, by the word of the validators that
/// kept their disks (RULINGS A41).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LostGuard {
    /// The first height that nobody who kept a disk decided.
    pub height: Height,
    /// The first round of that height in which a lost guard cannot have recorded anything. At the
    /// height after it that is round 1: nobody can have left round 0 there. `None` on a node that has
    /// said what it kept and waits for the word of the others: what it said stays true.
    pub round: Option<u32>,
    /// The block that may have been decided at the height, and the round of the prevotes that made
    /// it so.
    pub lock: Option<(Hash, u32)>,
}

impl LostGuard {
    /// The round in which a height begins, if the word of the others is here.
    pub fn first_round(&self, height: Height) -> u32 {
        match self.round {
            Some(round) if height == self.height => round,
            Some(_) => u32::from(height == self.height.next()),
            None => 0,
        }
    }

    /// Whether nothing is signed at this height yet.
    pub fn waits(&self, height: Height) -> bool {
        self.round.is_none() && height == self.height
    }

    /// Whether nothing new is signed there.
    pub fn bars(&self, slot: &Slot) -> bool {
        slot.height < self.height
            || self.waits(slot.height)
            || slot.round < self.first_round(slot.height)
    }
}

/// Why the guard refuses to let something be signed. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The statement is for another chain.
    #[error("the statement is for chain {wanted}, this guard is of chain {guarded}")]
    OtherChain {
        /// Chain of the statement.
        wanted: Hash,
        /// Chain of the guard.
        guarded: Hash,
    },
    /// Other bytes were recorded for this step.
    #[error("another {slot} was signed already")]
    Conflict {
        /// The step.
        slot: Slot,
    },
    /// A later step was recorded, so this one is over.
    #[error("the {slot} comes after {high}, which was signed already")]
    BelowHighWater {
        /// The step asked for.
        slot: Slot,
        /// The highest recorded.
        high: Slot,
    },
    /// The height is decided, or the guard was raised above it.
    #[error("nothing is signed at height {height} any more: the lowest height is {floor}")]
    BelowFloor {
        /// The height asked for.
        height: Height,
        /// The lowest height that may be signed.
        floor: Height,
    },
    /// The height before it is not decided here.
    #[error("height {height} cannot be signed while height {tip} is the last decided here")]
    AboveTip {
        /// The height asked for.
        height: Height,
        /// The last decided.
        tip: Height,
    },
    /// A guard that was lost may have recorded another statement for this step.
    #[error("another {slot} may have been signed before the disk was lost")]
    Lost {
        /// The step.
        slot: Slot,
    },
    /// A larger checkpoint, or another root of this size, was recorded.
    #[error(
        "the checkpoint of size {size} conflicts with one of size {recorded} that was signed \
         already"
    )]
    CheckpointConflict {
        /// Size asked for.
        size: u64,
        /// Size recorded.
        recorded: u64,
    },
    /// The statement is longer than [`MAX_STATEMENT`].
    #[error("a statement of {0} bytes is too long to be signed")]
    TooLong(usize),
}

/// The guard's answer.
#[derive(Debug)]
pub enum Verdict {
    /// New; its record is buffered. After a sync, [`Prepared::token`].
    Prepared(Prepared),
    /// The same bytes were recorded before and may be signed again, in the same way.
    AlreadySigned(Prepared),
    /// Not to be signed.
    Refused(Refused),
}

impl Verdict {
    /// The prepared statement, new or old; the refusal otherwise.
    pub fn prepared(self) -> Result<Prepared, Refused> {
        match self {
            Verdict::Prepared(prepared) | Verdict::AlreadySigned(prepared) => Ok(prepared),
            Verdict::Refused(refused) => Err(refused),
        }
    }
}

/// A statement with a record that is not known to be durable yet.
#[derive(Debug)]
#[must_use = "a prepared statement is signed after a sync"]
pub struct Prepared {
    session: [u8; 16],
    number: u64,
    bytes: Vec<u8>,
}

impl Prepared {
    /// The token, if `durable` is of this journal and covers the record; else the statement again.
    pub fn token(self, durable: &Durable) -> Result<SignToken, Prepared> {
        if durable.session == self.session && durable.votes >= self.number {
            Ok(SignToken { bytes: self.bytes })
        } else {
            Err(self)
        }
    }

    /// The bytes to be signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Leave to sign once the bytes inside. Exists only after their record is durable.
#[derive(Debug)]
#[must_use = "a token is for signing"]
pub struct SignToken {
    bytes: Vec<u8>,
}

impl SignToken {
    /// The bytes that will be signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Signs what the token allows, with the key given: the only way from a guarded statement to its
/// signature.
pub fn sign_with(token: SignToken, key: &Keypair) -> Signature {
    key.sign_tagged(&token.bytes)
}

/// Payload of a vote frame: the guard record itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct VoteRecord {
    pub(super) slot: Slot,
    /// What of the blocks files was durable before: shows blocks that lost their end.
    pub(super) blocks_end: End,
    pub(super) bytes: Vec<u8>,
}

impl Wire for VoteRecord {
    const MAX: usize = 8 + 4 + 4 + 16 + 8 + MAX_STATEMENT;
}

/// Payload of a checkpoint frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct CheckpointRecord {
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Wire for CheckpointRecord {
    const MAX: usize = 40;
}

/// What the guard decides about a statement, before anything is recorded.
pub(super) enum Judgement {
    /// To be recorded.
    New,
    /// Recorded with this number.
    Again(u64),
    /// Refused.
    Refused(Refused),
}

/// The guard in memory: exactly what its frames say.
#[derive(Debug, Default)]
pub(super) struct Guard {
    high: HighWater,
    /// What may have been signed before the disk was lost.
    pub(super) lost: Option<LostGuard>,
    signed: BTreeMap<Slot, (Vec<u8>, u64)>,
    checkpoint_number: u64,
}

impl Guard {
    pub(super) fn high(&self) -> HighWater {
        self.high
    }

    /// Takes over a high-water mark.
    pub(super) fn raise_to(&mut self, mark: &HighWater) {
        self.high.slot = self.high.slot.max(mark.slot);
        self.high.checkpoint = self.high.checkpoint.max(mark.checkpoint);
        self.high.floor = self.high.floor.max(mark.floor);
    }

    pub(super) fn has_recorded(&self, slot: &Slot, bytes: &[u8]) -> bool {
        self.signed
            .get(slot)
            .is_some_and(|(recorded, _)| recorded == bytes)
    }

    pub(super) fn judge(&self, slot: Slot, bytes: &[u8], tip: Height) -> Judgement {
        if bytes.len() > MAX_STATEMENT {
            return Judgement::Refused(Refused::TooLong(bytes.len()));
        }
        match self.signed.get(&slot) {
            Some((recorded, number)) if recorded == bytes => return Judgement::Again(*number),
            Some(_) => return Judgement::Refused(Refused::Conflict { slot }),
            None => {}
        }
        if self.lost.as_ref().is_some_and(|lost| lost.bars(&slot)) {
            return Judgement::Refused(Refused::Lost { slot });
        }
        let floor = self.high.floor.max(tip.next());
        if slot.height < floor {
            return Judgement::Refused(Refused::BelowFloor {
                height: slot.height,
                floor,
            });
        }
        if slot.height > tip.next() {
            return Judgement::Refused(Refused::AboveTip {
                height: slot.height,
                tip,
            });
        }
        match self.high.slot {
            // Equal without an entry: the bytes are in a file that is gone. Not known to be the
            // same, so refused.
            Some(high) if slot == high => Judgement::Refused(Refused::Conflict { slot }),
            Some(high) if slot < high => Judgement::Refused(Refused::BelowHighWater { slot, high }),
            _ => Judgement::New,
        }
    }

    pub(super) fn record(&mut self, slot: Slot, bytes: &[u8], number: u64) {
        self.high.slot = self.high.slot.max(Some(slot));
        self.signed.insert(slot, (bytes.to_vec(), number));
    }

    pub(super) fn judge_checkpoint(&self, size: u64, root: &Hash) -> Judgement {
        match self.high.checkpoint {
            Some((recorded, known)) if recorded == size && known == *root => {
                Judgement::Again(self.checkpoint_number)
            }
            Some((recorded, _)) if recorded >= size => {
                Judgement::Refused(Refused::CheckpointConflict { size, recorded })
            }
            _ => Judgement::New,
        }
    }

    pub(super) fn record_checkpoint(&mut self, size: u64, root: Hash, number: u64) {
        self.high.checkpoint = Some((size, root));
        self.checkpoint_number = number;
    }

    /// Forgets bytes of heights long decided; the high-water mark stays.
    pub(super) fn forget(&mut self, tip: Height) {
        let first = Slot {
            height: Height(tip.0.saturating_sub(KEPT_HEIGHTS)),
            round: 0,
            step: Step::Proposal,
        };
        self.signed = self.signed.split_off(&first);
    }

    pub(super) fn prepared(&self, session: [u8; 16], number: u64, bytes: &[u8]) -> Prepared {
        Prepared {
            session,
            number,
            bytes: bytes.to_vec(),
        }
    }
}
