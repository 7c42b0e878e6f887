//! What a record would come to if everybody had signed who has to: asked before the first signature,
//! so that nobody collects signatures for what the ledger refuses anyway (RULINGS A65).
//!
//! * Only the signatures of the envelope are taken for granted, those that are there and those that
//!   are added until the policy and the rule's roles are met. Roles, keys and everything inside the
//!   act are judged as always.
//! * A number for the record is taken for granted, too: the next one of its lane.
//! * What this says may rest on what only members may read (ballots, dues). Whoever asks it for
//!   others shows the answer only to those who could have learnt it by signing
//!   ([`may_learn`]).
//!
//! Absent on purpose: whether those who are missing would sign.

use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::number::LedgerTime;

use crate::id::PersonId;
use crate::ledger::Ledger;
use crate::next;
use crate::next::MaySign;
use crate::record::{Ballot, Body, Capacity, MotionAct, Record, SignatureEntry};
use crate::refusal::{Outcome, Refusal};
use crate::state::StateTables;
use crate::step::Step;
use crate::tx::Verify;
use crate::word::Fact as _;

/// A signature that nobody has made. It verifies under no key.
pub const UNSIGNED: Signature = Signature::Ed25519([0; 64]);
/// Most signatures that are added, one after the other.
const ADDED_MAX: usize = 8;

/// What a record would come to.
#[derive(Debug, Clone)]
pub struct Presumed {
    /// Its outcome, or the rule that it breaks.
    pub result: Result<Outcome, Refusal>,
    /// What it would move.
    pub steps: Vec<Step>,
    /// Who would have to sign besides those of the envelope: one way of perhaps several.
    pub with: Vec<PersonId>,
    /// The ballot of the same voice that stands, if the record is one.
    pub standing: Option<StandingBallot>,
}

/// A ballot that holds a voice and is replaced by a later one (RULINGS A47).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingBallot {
    /// Its record.
    pub record: Hash,
    /// The officer who began it.
    pub officer: PersonId,
    /// What it says; none for one that is no plain choice.
    pub choice: Option<crate::record::Choice>,
}

/// Whether a person, or somebody whose signature in the record verifies, may sign for the principal
/// now: who may sign could learn the answer by doing so.
pub fn may_learn(
    ledger: &Ledger,
    record: &Record,
    now: LedgerTime,
    reader: Option<PersonId>,
    verifier: &mut dyn Verify,
) -> bool {
    let tables = ledger.tables();
    let may_sign = next::signers(tables, record.payload.principal, now);
    let is_one = |person: PersonId| may_sign.iter().any(|entry| entry.person == person);
    if reader.is_some_and(is_one) {
        return true;
    }
    let message = record.payload.sign_bytes();
    record.signatures.iter().any(|entry| {
        let key = tables
            .persons
            .get(&entry.officer)
            .and_then(|person| person.keys.get(entry.key as usize))
            .filter(|key| key.in_force());
        is_one(entry.officer)
            && key.is_some_and(|key| verifier.verify(&key.key, &message, &entry.signature))
    })
}

/// What the record would come to in the next block at ledger time `now`. Nothing is kept.
pub fn presume(
    ledger: &mut Ledger,
    record: &Record,
    now: LedgerTime,
    verifier: &mut dyn Verify,
) -> Presumed {
    let mut record = record.clone();
    let tables = ledger.tables();
    let lane = (record.payload.officer, record.payload.body.read_class());
    let highest = tables.lanes.get(&lane).map_or(0, |lane| lane.highest);
    record.payload.sequence = highest.saturating_add(1);
    let may_sign = next::signers(tables, record.payload.principal, now);
    let standing = standing(tables, &record);
    let message = record.payload.sign_bytes();
    let mut with = Vec::new();
    loop {
        let mut granted = Granted {
            verifier,
            message: &message,
        };
        let refusal = match ledger.admit_decoded(record.clone(), now, &mut granted) {
            Ok(admitted) => {
                return Presumed {
                    result: Ok(admitted.outcome),
                    steps: admitted.steps,
                    with,
                    standing,
                };
            }
            Err(refusal) => refusal,
        };
        let added = if with.len() < ADDED_MAX {
            missing(&record, &refusal, &may_sign)
                .and_then(|(person, role)| signature(ledger.tables(), person, role))
        } else {
            None
        };
        let Some(added) = added else {
            return Presumed {
                result: Err(refusal),
                steps: Vec::new(),
                with,
                standing,
            };
        };
        with.push(added.officer);
        record.signatures.push(added);
        record.signatures.sort_by_key(|entry| entry.officer);
    }
}

/// Whose signature would meet what the refusal asks for, in which role.
fn missing(
    record: &Record,
    refusal: &Refusal,
    may_sign: &[MaySign],
) -> Option<(PersonId, crate::identity::Role)> {
    let class = record.payload.body.class();
    let wanted = refusal.facts.iter().find(|(name, _)| *name == "role");
    let wanted = wanted.map(|(_, role)| role.as_str());
    let open = may_sign.iter().filter(|entry| {
        !record
            .signatures
            .iter()
            .any(|signed| signed.officer == entry.person)
    });
    match refusal.code {
        "A6.role-missing" => open
            .flat_map(|entry| entry.roles.iter().map(|role| (entry.person, *role)))
            .find(|(_, role)| Some(role.fact().as_str()) == wanted),
        "A6.too-few-officers" => open
            .flat_map(|entry| entry.roles.iter().map(|role| (entry.person, *role)))
            .find(|(_, role)| class.counts(*role)),
        _ => None,
    }
}

/// The place of a signature that is not made yet, with a key that may sign now.
fn signature(
    tables: &StateTables,
    officer: PersonId,
    role: crate::identity::Role,
) -> Option<SignatureEntry> {
    let person = tables.persons.get(&officer)?;
    let key = (0..)
        .zip(&person.keys)
        .find(|(_, key)| key.in_force())
        .map(|(number, _)| number)?;
    Some(SignatureEntry {
        officer,
        capacity: Capacity::Own(role),
        key,
        signature: UNSIGNED,
    })
}

/// The ballot that holds the voice of the record's principal, if the record is a ballot of the
/// motion's present round.
fn standing(tables: &StateTables, record: &Record) -> Option<StandingBallot> {
    let Body::Motion(MotionAct::Vote(Ballot { motion, round, .. })) = &record.payload.body else {
        return None;
    };
    let principal = record.payload.principal;
    let group = tables.electorates.get(&(*motion, *round, principal))?;
    let cast = tables.ballots.get(&(*motion, *round, *group))?;
    (cast.organisation == principal).then_some(StandingBallot {
        record: cast.record,
        officer: cast.officer,
        choice: match &cast.vote {
            crate::record::BallotVote::Choice(choice) => Some(*choice),
            _ => None,
        },
    })
}

/// Takes signatures over one message for granted and judges all others.
struct Granted<'a> {
    verifier: &'a mut dyn Verify,
    message: &'a [u8],
}

impl Verify for Granted<'_> {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        message == self.message || self.verifier.verify(key, message, signature)
    }

    fn check_registrable(
        &mut self,
        key: &PublicKey,
    ) -> Result<(), rollbook_proof::crypto::KeyError> {
        self.verifier.check_registrable(key)
    }
}
