//! Read passes: how a person logs in to read what is for members (RULINGS A15, R18).
//!
//! A pass is signed by the officer's registered key under a tag of its own: 'rollbook/read-pass/v1'
//! 0x00 || pass. It names the node it is for, so that no node can use it at another one, and ends
//! after a day at the latest. What it opens is decided anew by the state at each question: the key
//! must be in force, and its holder an officer of a member or the holder of a post (an auditor's
//! post included), or of an observer that the board lets read as members do (RULINGS R49). Other
//! observers and registered organisations that are no members read what is public.
//!
//! An observer's pass opens no ballots, conflicts, dues or proceedings. Whatever else is for members it
//! would open; as long as those are all that is, it opens a node that is closed to the public, and there
//! what is public elsewhere.
//!
//! Not part of history: nothing here is ever in the log. The end of a pass is real time, also on a
//! sample chain.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire, encode};
use rollbook_proof::crypto::{Hash, Keypair, PublicKey, Signature, tagged};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::PersonId;
use crate::lookup::posts::post_in_force;
use crate::lookup::rights;
use crate::object::observer::ObserverStatus;
use crate::record::ObserverReading;
use crate::state::StateTables;

/// Domain tag of read passes.
pub const PASS_TAG: &str = "rollbook/read-pass/v1";
/// Longest life of a pass, in milliseconds.
pub const PASS_MAX_MS: u64 = 24 * 3_600_000;

/// Who wants to read at which node, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Pass {
    /// Genesis hash.
    pub chain: Hash,
    /// Organisation number of the node it is for.
    pub node: OrganisationId,
    /// The reader.
    pub person: PersonId,
    /// Number of the reader's key, in order of registration.
    pub key: u32,
    /// Last moment, milliseconds since 1970, real time.
    pub until_ms: LedgerTime,
}

/// A pass with its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedPass {
    /// The pass.
    pub pass: Pass,
    /// By the reader's key.
    pub signature: Signature,
}

impl Wire for SignedPass {
    const MAX: usize = 512;

    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Why a pass opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Of another chain or for another node.
    #[error("the pass is for another node or alliance")]
    Elsewhere,
    /// Over, or longer than allowed.
    #[error("the pass has ended, or would last longer than a day")]
    Ended,
    /// The ledger has no such person or key, or the key is not in force.
    #[error("the ledger knows no such key in force for this person")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature of the pass does not verify")]
    BadSignature,
    /// Neither officer of a member, nor holder of a post, nor officer of an observer that reads so.
    #[error(
        "the reader is neither an officer of a member, nor the holder of a post, nor an officer of \
             an observer that reads as members do"
    )]
    NoMember,
}

impl Pass {
    fn message(&self) -> Vec<u8> {
        tagged(PASS_TAG, &[&encode(self)])
    }

    /// Signs it with the reader's officer key.
    pub fn sign(self, key: &Keypair) -> SignedPass {
        SignedPass {
            pass: self,
            signature: key.sign_tagged(&self.message()),
        }
    }
}

impl Wire for Pass {
    const MAX: usize = 256;

    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// What a pass opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything that is for members.
    Members,
    /// What is for members, without ballots, dues and proceedings.
    Observer,
}

/// Whether a pass is for `node`, holds now, and is signed by the reader's key, as far as that is known:
/// what needs no more of the state than this key.
pub fn look(
    signed: &SignedPass,
    (chain, node): (Hash, OrganisationId),
    key: Option<&PublicKey>,
    real_ms: LedgerTime,
) -> Result<(), Denied> {
    let pass = &signed.pass;
    if (pass.chain, pass.node) != (chain, node) {
        return Err(Denied::Elsewhere);
    }
    if pass.until_ms < real_ms || pass.until_ms > real_ms.plus_ms(PASS_MAX_MS) {
        return Err(Denied::Ended);
    }
    key.ok_or(Denied::UnknownKey)?
        .verify(&pass.message(), &signed.signature)
        .map_err(|_| Denied::BadSignature)
}

/// What a pass opens at `node` now, by the state at the tip. `ledger_ms` is the tip's time, `real_ms` the
/// node's own clock.
pub fn admit(
    tables: &StateTables,
    (chain, node): (Hash, OrganisationId),
    signed: &SignedPass,
    ledger_ms: LedgerTime,
    real_ms: LedgerTime,
) -> Result<Reach, Denied> {
    let pass = &signed.pass;
    let person = tables
        .persons
        .get(&pass.person)
        .filter(|person| person.in_force(ledger_ms));
    let key = person.and_then(|person| {
        let key = person.keys.get(pass.key as usize);
        key.filter(|key| key.in_force())
    });
    look(signed, (chain, node), key.map(|key| &key.key), real_ms)?;
    let person = person.ok_or(Denied::UnknownKey)?;
    let has_post = || {
        tables
            .posts
            .iter()
            .any(|(_, post)| post.holder == pass.person && post_in_force(post, ledger_ms))
    };
    if rights::is_live(tables, person.home) || has_post() {
        return Ok(Reach::Members);
    }
    let observes = tables.observers.get(&person.home).is_some_and(|observer| {
        observer.status == ObserverStatus::Admitted && observer.reading == ObserverReading::Members
    });
    if observes {
        Ok(Reach::Observer)
    } else {
        Err(Denied::NoMember)
    }
}
