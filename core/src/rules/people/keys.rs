//! M23: keys are rotated and revoked; in an emergency by two of seat holders and secretary (RULINGS
//! R7).

use rollbook_proof::crypto::{Hash, KeyKind, PublicKey};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::plan::fewest;
use super::{delegation, officer, own_officer};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{MotionId, PersonId, RevocationId};
use crate::identity::{EndReason, KEYS_MAX, KeyState, OfficerKey, OrganisationKind, Role, Scope};
use crate::lookup::groups;
use crate::object::key::HeldKey;
use crate::object::revocation::{Agreed, Revocation, RevocationStatus};
use crate::record::{KeyRotation, RatifyRevocation};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::Effect;
use crate::rules::registration::claim_key;
use crate::rules::{posts, seats};
use crate::tx::{DeadlineKind, Due, Tx, Verify};
use crate::{refuse, require};

/// A key, with whose it is.
fn held(tx: &Tx, (person, number): (PersonId, u32)) -> Result<HeldKey, Refusal> {
    let key =
        tx.t.persons
            .get(&person)
            .and_then(|facts| facts.keys.get(number as usize));
    match key {
        Some(key) => Ok(HeldKey {
            person,
            number,
            key: key.clone(),
        }),
        None => refuse!("A6.unknown-key", officer = person, key = number),
    }
}

/// Moves a key and writes it. `reason` is why it ends, if it does.
fn go(
    tx: &mut Tx,
    mut held: HeldKey,
    code: &'static str,
    to: KeyState,
    reason: Option<EndReason>,
) -> Result<(), Refusal> {
    tx.go(&mut held, code, to)?;
    held.key.since_height = tx.height;
    held.key.ended = reason;
    let Some(mut facts) = tx.t.persons.get(&held.person).cloned() else {
        return Ok(());
    };
    if let Some(place) = facts.keys.get_mut(held.number as usize) {
        *place = held.key;
    }
    tx.t.persons().put(held.person, facts);
    Ok(())
}

/// Gives a person a further key.
pub(super) fn add(
    tx: &mut Tx,
    person: PersonId,
    key: PublicKey,
    code: &'static str,
) -> Result<(), Refusal> {
    let Some(mut facts) = tx.t.persons.get(&person).cloned() else {
        refuse!("A6.unknown-officer", officer = person)
    };
    let number = u32::try_from(facts.keys.len()).unwrap_or(u32::MAX);
    let key = OfficerKey::new(key, tx.height, tx.now);
    tx.begin::<HeldKey>((person, number), code, key.state)?;
    facts.keys.push(key);
    tx.t.persons().put(person, facts);
    Ok(())
}

/// Ends every key of a person that has not ended.
pub(super) fn end_all(
    tx: &mut Tx,
    person: PersonId,
    code: &'static str,
    reason: EndReason,
) -> Result<(), Refusal> {
    let count =
        tx.t.persons
            .get(&person)
            .map_or(0, |facts| facts.keys.len());
    for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        let held = held(tx, (person, number))?;
        if held.key.state != KeyState::Ended {
            go(tx, held, code, KeyState::Ended, Some(reason))?;
        }
    }
    Ok(())
}

/// What ends with the last key of a person: posts, and delegations of and to them.
fn after_end(tx: &mut Tx, person: PersonId, due: Option<Due>) -> Result<(), Refusal> {
    let Some(facts) = tx.t.persons.get(&person) else {
        return Ok(());
    };
    let home = facts.home;
    // A key that is revoked in an emergency may come back.
    if facts.keys.iter().all(|key| key.state == KeyState::Ended) {
        posts::end_all_of(tx, person, "M32", due)?;
    }
    delegation::end_without_ground(tx, home, due)
}

pub(super) fn rotate(
    tx: &mut Tx,
    actor: &Actor,
    rotation: &KeyRotation,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    let person = own_officer(tx, actor)?;
    let with = actor.signers.first().map(|signer| signer.key);
    require!(
        person == rotation.person && actor.signers.len() == 1 && with == Some(rotation.replaces),
        "M23.sign-with-the-old-key",
        person = rotation.person,
        key = rotation.replaces
    );
    let facts = officer(tx, actor.number(), person)?;
    require!(
        facts.keys.len() < KEYS_MAX,
        "M23.too-many-keys",
        person = person,
        limit = KEYS_MAX
    );
    let possession = rotation.possession(&tx.chain, actor.number());
    let new = (&rotation.key, &rotation.proof, KeyKind::Officer);
    claim_key(tx, new, &possession, actor.number(), verifier)?;
    let old = held(tx, (person, rotation.replaces))?;
    go(tx, old, "M23", KeyState::Ended, Some(EndReason::Rotated))?;
    add(tx, person, rotation.key, "M23")?;
    Ok(Outcome::Applied)
}

/// The officers of an organisation who would have a key without this one.
fn keyed_without(tx: &Tx, organisation: OrganisationId, without: (PersonId, u32)) -> usize {
    let officers = tx.t.organisations.get(&organisation);
    let officers = officers.into_iter().flat_map(|facts| &facts.officers);
    officers
        .filter(|person| {
            let facts =
                tx.t.persons
                    .get(person)
                    .filter(|facts| facts.in_force(tx.now));
            let keys = (0..).zip(facts.into_iter().flat_map(|facts| &facts.keys));
            keys.into_iter()
                .any(|(number, key)| key.in_force() && (**person, number) != without)
        })
        .count()
}

pub(super) fn revoke(
    tx: &mut Tx,
    actor: &Actor,
    (person, number): (PersonId, u32),
    reason: EndReason,
) -> Result<Outcome, Refusal> {
    officer(tx, actor.number(), person)?;
    let key = held(tx, (person, number))?;
    require!(
        key.key.state != KeyState::Ended,
        "M23.key-has-ended",
        person = person,
        key = number
    );
    let needed = fewest(actor.organisation.kind);
    let left = keyed_without(tx, actor.number(), (person, number));
    require!(
        left >= needed,
        "M23.last-keys",
        person = person,
        officers = left,
        needed = needed
    );
    go(tx, key, "M23", KeyState::Ended, Some(reason))?;
    after_end(tx, person, None)?;
    Ok(Outcome::Applied)
}

/// Who asks for, or agrees to, an emergency revocation: a seat holder's primary, or the secretary.
fn emergency(tx: &Tx, actor: &Actor) -> Result<Agreed, Refusal> {
    let signer = if actor.organisation.kind == OrganisationKind::Office {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?
    } else {
        seats::must_hold_one(tx, actor)?
    };
    Ok(Agreed {
        person: signer.person,
        home: signer.home,
    })
}

fn schedule(tx: &mut Tx, number: RevocationId) -> Result<(), Refusal> {
    let hours = tx.charter()?.people.emergency_hours;
    let due = tx.delay(Period::Hours(hours));
    tx.schedule(DeadlineKind::RevocationEnd, number, due);
    Ok(())
}

pub(super) fn ask_revocation(
    tx: &mut Tx,
    actor: &Actor,
    (person, key): (PersonId, u32),
    evidence: Hash,
) -> Result<Outcome, Refusal> {
    let asked_by = emergency(tx, actor)?;
    let target = held(tx, (person, key))?;
    require!(
        target.key.in_force(),
        "M23.key-not-in-force",
        person = person,
        key = key
    );
    let before = tx.t.revocation_of.get(&(person, key)).copied();
    let before = before.and_then(|number| tx.t.revocations.get(&number));
    if let Some(before) = before.filter(|before| before.status != RevocationStatus::Lapsed) {
        refuse!(
            "M23.revoked-before",
            revocation = before.number,
            state = before.status
        );
    }
    let number = tx.next_id::<RevocationId>();
    let revocation = Revocation {
        number,
        person,
        key,
        evidence,
        asked_by,
        agreed_by: None,
        motion: None,
        status: tx.begin::<Revocation>(number, "M23", RevocationStatus::Asked)?,
        since_ms: tx.now,
    };
    tx.put(revocation);
    tx.t.revocation_of().put((person, key), number);
    schedule(tx, number)?;
    Ok(Outcome::Applied)
}

pub(super) fn agree_revocation(
    tx: &mut Tx,
    actor: &Actor,
    number: RevocationId,
) -> Result<Outcome, Refusal> {
    let agreed = emergency(tx, actor)?;
    let mut revocation = tx.get::<Revocation>(number)?;
    require!(
        revocation.status == RevocationStatus::Asked,
        "M23.nothing-to-agree-to",
        revocation = number,
        state = revocation.status
    );
    let first = revocation.asked_by;
    require!(
        first.person != agreed.person && !groups::related(&tx.t, first.home, agreed.home),
        "M23.same-group",
        organisation = agreed.home,
        other = first.home
    );
    let target = held(tx, (revocation.person, revocation.key))?;
    require!(
        target.key.in_force(),
        "M23.key-not-in-force",
        person = revocation.person,
        key = revocation.key
    );
    go(tx, target, "R7", KeyState::Suspended, None)?;
    revocation.agreed_by = Some(agreed);
    tx.advance(revocation, "M23", RevocationStatus::InForce)?;
    schedule(tx, number)?;
    Ok(Outcome::Applied)
}

/// The hours are over: nobody agreed, or the board has not ratified and the key signs again.
pub(super) fn on_deadline(tx: &mut Tx, number: RevocationId, due: Due) -> Result<(), Refusal> {
    let revocation = tx.get::<Revocation>(number)?;
    let (person, key) = (revocation.person, revocation.key);
    let to = match revocation.status {
        RevocationStatus::Asked => RevocationStatus::Lapsed,
        RevocationStatus::InForce => RevocationStatus::Ended,
        RevocationStatus::Ratified | RevocationStatus::Ended | RevocationStatus::Lapsed => {
            return Ok(());
        }
    };
    if to == RevocationStatus::Ended {
        let target = held(tx, (person, key))?;
        if target.key.state == KeyState::Suspended {
            go(tx, target, "R7", KeyState::InForce, None)?;
        }
    }
    tx.advance(revocation, "M23", to)?;
    tx.emit(
        due,
        EventBody::RevocationMoved {
            revocation: number,
            person,
            key,
            status: to,
        },
    );
    Ok(())
}

impl Effect for RatifyRevocation {
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let revocation = tx.t.revocations.get(&self.revocation);
        let person = revocation.and_then(|entry| tx.t.persons.get(&entry.person));
        person.map(|person| person.home).into_iter().collect()
    }

    fn closes(&self, tx: &Tx) -> Option<LedgerTime> {
        tx.due(DeadlineKind::RevocationEnd, self.revocation)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let revocation = tx.get::<Revocation>(self.revocation)?;
        require!(
            revocation.status == RevocationStatus::InForce,
            "M23.nothing-to-ratify",
            revocation = self.revocation,
            state = revocation.status
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        self.possible(tx)?;
        let mut revocation = tx.get::<Revocation>(self.revocation)?;
        let (person, key) = (revocation.person, revocation.key);
        let target = held(tx, (person, key))?;
        // Its company may have revoked it for good meanwhile.
        if target.key.state == KeyState::Suspended {
            go(
                tx,
                target,
                "R7",
                KeyState::Ended,
                Some(EndReason::Compromised),
            )?;
            after_end(tx, person, Some(due))?;
        }
        revocation.motion = Some(motion);
        tx.cancel(DeadlineKind::RevocationEnd, self.revocation);
        tx.advance(revocation, "M23", RevocationStatus::Ratified)?;
        tx.emit(
            due,
            EventBody::RevocationMoved {
                revocation: self.revocation,
                person,
                key,
                status: RevocationStatus::Ratified,
            },
        );
        Ok(())
    }
}
