//! What the validators that kept their disks know of those that lost theirs (RULINGS A41).
//!
//! If more guards are lost than the chain may have faulty validators, no answer of peers ends the
//! doubt: no block comes, and two heights after the tip is never reached. Then each validator that
//! kept its disk says in one signed file what it holds of the next height, and those who lost theirs
//! sign again where nothing can contradict them.
//!
//! * Let M be the highest tip. Nobody who kept a disk has decided M+1, so nobody has left round 0 of
//!   M+2: that takes a quorum, and fewer than a quorum were lost. In M+1 nobody can have been further
//!   than one round above the highest round of which a disk tells, for the same reason.
//! * Whatever was decided at M+1 was precommitted by somebody who kept a disk, and so locked: the
//!   highest lock is taken over (`lost`). It cannot change meanwhile: who has said what it
//!   kept signs nothing at M+1 before it goes on by all files.
//! * Every validator of the height begins there in the same round, those who kept their disks too:
//!   the votes of the others alone may be too few to take them along.
//! * All of this holds if those who kept their disks speak the truth and all of them speak.
//!
//! Absent on purpose: any way to end the doubt by configuration.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use rollbook_proof::chain::{ValidatorKey, Vote, VoteKind, quorum};
use rollbook_proof::codec::{DecodeError, Wire, at_most, decode, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, Signature, tagged};
use rollbook_proof::number::{Height, OrganisationId};

use super::message::SignedStatement;
use super::storage::{Statement, Storage};
use super::wal::{Entry, Step};
use crate::journal::LostGuard;

/// Most validators that a file names: more have no seat.
const LOST_MAX: usize = 64;
/// A round above that is not believed: a height is over long before.
const ROUND_MAX: u32 = 10_000;

/// What one validator that kept its disk says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Kept {
    /// Genesis hash.
    pub chain: Hash,
    /// Whose disk was kept.
    pub validator: OrganisationId,
    /// The last height decided there.
    pub tip: Height,
    /// Its block.
    pub block: Hash,
    /// The validators that lost their disks, ascending.
    pub lost: Vec<OrganisationId>,
    /// The highest round of the next height of which anything is on the disk.
    pub round: Option<u32>,
    /// The block of the next height that this validator precommitted last, and in which round.
    pub lock: Option<(Hash, u32)>,
    /// The newest statement of each lost validator at the next height.
    pub newest: Vec<SignedStatement>,
}

impl Kept {
    /// The bytes under its signature: 'rollbook/kept/v1' 0x00 || this.
    pub fn sign_bytes(&self) -> Vec<u8> {
        tagged("rollbook/kept/v1", &[&encode(self)])
    }
}

/// [`Kept`] with the signature of the validator's consensus key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedKept {
    /// What it says.
    pub kept: Kept,
    /// By the consensus key.
    pub signature: Signature,
}

impl Wire for SignedKept {
    const MAX: usize = 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.kept.lost, "lost validators", Clone::clone)?;
        at_most(&self.kept.lost, LOST_MAX, "lost validators")?;
        at_most(&self.kept.newest, LOST_MAX, "statements")
    }
}

/// Reads from a stopped node's storage what it knows of the validators named. `chain`, tip and block
/// are those of its ledger.
pub fn read(
    storage: &impl Storage,
    chain: Hash,
    validator: OrganisationId,
    (tip, block): (Height, Hash),
    lost: &BTreeSet<OrganisationId>,
) -> Result<Kept, String> {
    let height = tip.next();
    let mut newest: BTreeMap<OrganisationId, SignedStatement> = BTreeMap::new();
    let (mut rounds, mut blocks) = (BTreeSet::new(), BTreeSet::new());
    let own = storage.high_water().filter(|slot| slot.height == height);
    rounds.extend(own.map(|slot| slot.round));
    for entry in storage.wal(height) {
        let entry: Entry =
            decode(entry).map_err(|error| format!("consensus log of height {height}: {error}"))?;
        let statement = match entry {
            Entry::Vote(signed) => {
                blocks.extend(signed.vote.block);
                SignedStatement::Vote(signed)
            }
            Entry::Proposal { proposal, .. } => {
                blocks.insert(proposal.facts.block);
                SignedStatement::Proposal(proposal)
            }
            Entry::Value { round, seal, .. } => {
                rounds.insert(round);
                blocks.insert(seal.id());
                continue;
            }
            Entry::Polka { round, block, .. } => {
                rounds.insert(round);
                blocks.insert(block);
                continue;
            }
            // The time of a round's precommits is over: the next one has begun.
            Entry::Timeout { step, round } => {
                rounds.insert(round.saturating_add(u32::from(step == Step::Precommit)));
                continue;
            }
        };
        let Some(slot) = Statement::of(&statement).slot() else {
            continue;
        };
        rounds.insert(slot.round);
        let author = author(&statement);
        if lost.contains(&author) {
            let known = newest.entry(author).or_insert_with(|| statement.clone());
            if Statement::of(known).slot() < Some(slot) {
                *known = statement;
            }
        }
    }
    let round = rounds.last().copied();
    // The own precommits, as the guard recorded them: the log may lack the last.
    let precommitted = |block: Hash, round: u32| {
        storage.has_recorded(&Statement::Vote(Vote {
            kind: VoteKind::Precommit,
            height,
            round,
            block: Some(block),
            validator,
        }))
    };
    let lock = (0..=round.unwrap_or(0).min(ROUND_MAX))
        .rev()
        .find_map(|round| {
            let block = blocks.iter().find(|block| precommitted(**block, round))?;
            Some((*block, round))
        });
    Ok(Kept {
        chain,
        validator,
        tip,
        block,
        lost: lost.iter().copied().collect(),
        round,
        lock,
        newest: newest.into_values().collect(),
    })
}

fn author(statement: &SignedStatement) -> OrganisationId {
    match statement {
        SignedStatement::Vote(signed) => signed.vote.validator,
        SignedStatement::Proposal(signed) => signed.facts.validator,
    }
}

/// Why files do not say where a node may sign again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Of another alliance.
    #[error("the file of organisation {0} is of another alliance")]
    OtherChain(OrganisationId),
    /// No validator of the next height.
    #[error("organisation {0} has no validator seat at height {1}")]
    NoValidator(OrganisationId, Height),
    /// The signature does not hold.
    #[error("the file of organisation {0} does not bear the signature of its consensus key")]
    BadSignature(OrganisationId),
    /// A statement in it does not hold.
    #[error("the file of organisation {0} holds a statement that nobody signed")]
    BadStatement(OrganisationId),
    /// Two files of one validator.
    #[error("there are two files of organisation {0}")]
    Twice(OrganisationId),
    /// It says itself that the signer lost the disk.
    #[error("organisation {0} is named among those that lost their disks")]
    FromLost(OrganisationId),
    /// The files do not name the same lost validators.
    #[error("the file of organisation {0} names other validators that lost their disks")]
    OtherLost(OrganisationId),
    /// The own organisation is neither among the lost nor among those that made a file.
    #[error("organisation {0} neither lost its disk nor made one of the files")]
    NotNamed(OrganisationId),
    /// Validators that neither lost their disks nor made a file.
    #[error("there is no file of organisation {0}, which did not lose its disk")]
    Missing(String),
    /// A quorum was lost.
    #[error(
        "{lost} of {seats} validators lost their disks: a quorum, so that a decision may be lost with them"
    )]
    Quorum {
        /// How many.
        lost: usize,
        /// Of how many.
        seats: usize,
    },
    /// The own tip is behind.
    #[error("this node ends at height {own}, the highest file at {highest}")]
    Behind {
        /// The own tip.
        own: Height,
        /// The highest tip in a file.
        highest: Height,
    },
    /// The own tip is ahead.
    #[error("this node is at height {own}, the highest file at {highest}: the chain went on")]
    Ahead {
        /// The own tip.
        own: Height,
        /// The highest tip in a file.
        highest: Height,
    },
    /// Another block at one height.
    #[error("the file of organisation {0} has another block at height {1}: a fork")]
    Fork(OrganisationId, Height),
    /// Two blocks with a quorum of prevotes in one round.
    #[error("two blocks are locked in round {0}: more validators lie than the chain bears")]
    TwoLocks(u32),
    /// A round that no height reaches.
    #[error("the file of organisation {0} names round {1}, which no height reaches")]
    Round(OrganisationId, u32),
}

/// Where a node is that is to go on.
pub struct Place<'a> {
    /// Genesis hash.
    pub chain: Hash,
    /// Whose node it is.
    pub me: OrganisationId,
    /// The own tip, and its block.
    pub tip: (Height, Hash),
    /// The validators of the next height.
    pub validators: &'a [ValidatorKey],
    /// Whether missing files and a lost quorum are accepted: then nothing proves that the node does
    /// not contradict what it signed before.
    pub without_proof: bool,
}

/// Where the validators sign again, by the files of those who kept their disks.
pub fn judge(place: &Place<'_>, files: &[SignedKept]) -> Result<LostGuard, Unfit> {
    let (own, block) = place.tip;
    let height = own.next();
    let key_of = |who: OrganisationId| {
        let seat = place.validators.iter().find(|seat| seat.validator == who);
        seat.map(|seat| seat.key)
            .ok_or(Unfit::NoValidator(who, height))
    };
    let mut from = BTreeSet::new();
    let lost: BTreeSet<OrganisationId> = files.first().map_or_else(BTreeSet::new, |file| {
        file.kept.lost.iter().copied().collect()
    });
    for SignedKept { kept, signature } in files {
        let who = kept.validator;
        if kept.chain != place.chain {
            return Err(Unfit::OtherChain(who));
        }
        if key_of(who)?.verify(&kept.sign_bytes(), signature).is_err() {
            return Err(Unfit::BadSignature(who));
        }
        if !from.insert(who) {
            return Err(Unfit::Twice(who));
        }
        if lost.contains(&who) {
            return Err(Unfit::FromLost(who));
        }
        if !kept.lost.iter().eq(&lost) {
            return Err(Unfit::OtherLost(who));
        }
        if kept.tip == own && kept.block != block {
            return Err(Unfit::Fork(who, own));
        }
        if let Some(round) = kept.round.filter(|round| *round > ROUND_MAX) {
            return Err(Unfit::Round(who, round));
        }
    }
    if !lost.contains(&place.me) && !from.contains(&place.me) {
        return Err(Unfit::NotNamed(place.me));
    }
    for who in &lost {
        key_of(*who)?;
    }
    if !place.without_proof {
        let missing: Vec<String> = place
            .validators
            .iter()
            .map(|seat| seat.validator)
            .filter(|who| !from.contains(who) && !lost.contains(who))
            .map(|who| who.to_string())
            .collect();
        if !missing.is_empty() {
            return Err(Unfit::Missing(missing.join(", ")));
        }
        let seats = place.validators.len();
        if lost.len() >= quorum(seats) {
            return Err(Unfit::Quorum {
                lost: lost.len(),
                seats,
            });
        }
    }
    let highest = files.iter().map(|file| file.kept.tip).max().unwrap_or(own);
    if highest > own {
        return Err(Unfit::Behind { own, highest });
    }
    if highest < own {
        return Err(Unfit::Ahead { own, highest });
    }
    let (mut round, mut lock): (Option<u32>, Option<(Hash, u32)>) = (None, None);
    for file in files.iter().filter(|file| file.kept.tip == own) {
        let kept = &file.kept;
        let who = kept.validator;
        round = round.max(kept.round);
        for statement in &kept.newest {
            let author = author(statement);
            let slot = Statement::of(statement).slot();
            let slot = slot.filter(|slot| slot.height == height && slot.round <= ROUND_MAX);
            let (Some(slot), true) = (slot, lost.contains(&author)) else {
                return Err(Unfit::BadStatement(who));
            };
            let key = key_of(author)?;
            let (bytes, signature) = match statement {
                SignedStatement::Vote(signed) => {
                    (signed.vote.sign_bytes(&place.chain), &signed.signature)
                }
                SignedStatement::Proposal(signed) => {
                    (signed.facts.sign_bytes(&place.chain), &signed.signature)
                }
            };
            if key.verify(&bytes, signature).is_err() {
                return Err(Unfit::BadStatement(who));
            }
            round = round.max(Some(slot.round));
        }
        if let Some(found) = kept.lock {
            match lock {
                Some((known, round)) if round == found.1 && known != found.0 => {
                    return Err(Unfit::TwoLocks(round));
                }
                Some((_, round)) if round >= found.1 => {}
                _ => lock = Some(found),
            }
        }
    }
    Ok(LostGuard {
        height,
        // Nothing is on any disk: the lost ones can have signed in round 0 alone.
        round: Some(round.map_or(1, |round| round + 2)),
        lock,
    })
}
