//! People and keys that can end (M23, M31, M32, M33; RULINGS R7, R23).
//!
//! * Officers, roles and policy change by a record that the policy in force asks for, after the
//!   charter's hours; until then any officer may object (`change`). Name, address and identifiers
//!   change when the secretariat has confirmed them (`particulars`).
//! * An officer puts a new key in place of the one that signs. A key is revoked by its officer, or by
//!   the company; in an emergency by two of seat holders and secretary, until the board has ratified it
//!   or the hours are over (`keys`).
//! * Lost or departed officers come back by a letter that the secretariat has checked, a motion of the
//!   board, and hours in which an old key may cancel it (`recovery`).
//! * An officer delegates a role, in a scope, to an end (`delegation`).
//! * What stays: a company has two officers with a key each, and a policy that they can reach. Only an
//!   emergency does not ask; a recovery mends it.
//!
//! Persons keep their numbers whatever becomes of their keys, so whoever has acted in a chain has acted
//! in it (N12).

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::charter::motions::DecidingBody;
use crate::id::{PersonId, RelationId};
use crate::identity::Person;
use crate::lookup::groups;
use crate::record::OrganisationAct;
use crate::refusal::{Outcome, Refusal};
use crate::rules::affairs::{directions, observers};
use crate::rules::authority::Actor;
use crate::rules::motion::{self, Opening};
use crate::rules::{membership, posts, registration, relations};
use crate::tx::{DeadlineKind, Due, Tx, Verify};
use crate::{refuse, require};

mod change;
mod delegation;
mod keys;
mod particulars;
mod plan;
mod recovery;

pub use recovery::RECOVERY_LAPSE_DAYS;

/// Applies an act on organisations.
pub fn apply(
    tx: &mut Tx,
    actor: &Actor,
    act: &OrganisationAct,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    use OrganisationAct as A;
    match act {
        A::Found => membership::found(tx, actor),
        A::Register(entry) => registration::register(tx, actor, entry, verifier),
        A::Relate(relation) => relations::declare(tx, actor, relation),
        A::ConfirmRelation { other, relation } => relations::confirm(tx, actor, *other, *relation),
        A::ChangeOfficers(plan) => change::ask(tx, actor, plan, verifier),
        A::ObjectChange { change, reasons } => change::object(tx, actor, *change, *reasons),
        A::AskUpdate(plan) => particulars::ask(tx, actor, plan),
        A::ConfirmUpdate { change, extract } => particulars::confirm(tx, actor, *change, *extract),
        A::DeclineUpdate { change, reasons } => particulars::decline(tx, actor, *change, *reasons),
        A::RotateKey(rotation) => keys::rotate(tx, actor, rotation, verifier),
        A::RevokeOwnKey { key, reason } => {
            let person = own_officer(tx, actor)?;
            keys::revoke(tx, actor, (person, *key), *reason)
        }
        A::RevokeKey {
            person,
            key,
            reason,
        } => keys::revoke(tx, actor, (*person, *key), *reason),
        A::AskRevocation {
            person,
            key,
            evidence,
        } => keys::ask_revocation(tx, actor, (*person, *key), *evidence),
        A::AgreeRevocation { revocation } => keys::agree_revocation(tx, actor, *revocation),
        A::FileRecovery(plan) => recovery::file(tx, actor, plan, verifier),
        A::CancelRecovery { recovery } => recovery::cancel(tx, actor, *recovery),
        A::Delegate(grant) => delegation::grant(tx, actor, grant),
        A::RevokeDelegation { delegation } => delegation::revoke(tx, actor, *delegation),
        A::RevokeDelegations => delegation::revoke_all(tx, actor),
        A::RecordAbsence { post } => posts::absence(tx, actor, *post, true),
        A::EndAbsence { post } => posts::absence(tx, actor, *post, false),
        A::StandIn { post } => posts::stand_in(tx, actor, *post),
        A::JoinDirection { direction } => directions::join(tx, actor, *direction),
        A::LeaveDirection { direction } => directions::leave(tx, actor, *direction),
        A::GiveUpLead { direction } => directions::give_up(tx, actor, *direction),
        A::FileStatement(entry) => observers::state(tx, actor, entry),
        A::ClaimRelation(plan) => relations::claim(tx, actor, plan),
        A::ReplyRelation { relation, reply } => relations::reply(tx, actor, *relation, *reply),
        A::WithdrawClaim { relation } => relations::withdraw(tx, actor, *relation),
        A::AskRelationEnd { relation, evidence } => {
            relations::ask_end(tx, actor, *relation, *evidence)
        }
        A::ConfirmRelationEnd { relation, .. } => relations::confirm_end(tx, actor, *relation),
        A::DeclineRelationEnd { relation, .. } => relations::decline_end(tx, actor, *relation),
        A::AppealRelation { relation, reasons } => appeal_relation(tx, actor, *relation, *reasons),
    }
}

/// R27: an end of a relation appeals to the assembly against what the board has found; the end takes the
/// appeal back like any motion of its own.
fn appeal_relation(
    tx: &mut Tx,
    actor: &Actor,
    relation: RelationId,
    reasons: Hash,
) -> Result<Outcome, Refusal> {
    let effect = relations::appeal(tx, actor, relation)?;
    let group = groups::group_of(&tx.t, actor.number());
    let motion = motion::open(
        tx,
        Opening {
            effect,
            proposer: Some((actor.number(), group)),
            body: DecidingBody::Assembly,
            text: reasons,
            ballot_days: None,
        },
    )?;
    relations::note_appeal(tx, relation, motion)?;
    Ok(Outcome::Applied)
}

/// Acts out a deadline of this family.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: u32,
    due: Due,
) -> Result<(), Refusal> {
    use crate::id::Id as _;
    match kind {
        DeadlineKind::ChangeEffect => change::on_deadline(tx, crate::id::ChangeId::of(number), due),
        DeadlineKind::RevocationEnd => {
            keys::on_deadline(tx, crate::id::RevocationId::of(number), due)
        }
        DeadlineKind::RecoveryLapse | DeadlineKind::RecoveryEffect => {
            recovery::on_deadline(tx, kind, crate::id::KeyRecoveryId::of(number), due)
        }
        DeadlineKind::DelegationEnd => {
            delegation::on_deadline(tx, crate::id::DelegationId::of(number), due)
        }
        _ => Ok(()),
    }
}

/// The person, if they are an officer in force at home in this organisation.
fn officer(tx: &Tx, organisation: OrganisationId, number: PersonId) -> Result<Person, Refusal> {
    let person =
        tx.t.persons
            .get(&number)
            .filter(|person| person.home == organisation && person.in_force(tx.now));
    match person {
        Some(person) => Ok(person.clone()),
        None => refuse!(
            "M32.not-an-officer",
            person = number,
            organisation = organisation
        ),
    }
}

/// The officer who began the record, at home in its principal: what is an officer's own is not done
/// for an office in which they hold a post.
fn own_officer(tx: &Tx, actor: &Actor) -> Result<PersonId, Refusal> {
    let home = tx.t.persons.get(&actor.officer).map(|person| person.home);
    require!(
        home == Some(actor.number()),
        "M23.own-organisation",
        person = actor.officer,
        organisation = actor.number()
    );
    Ok(actor.officer)
}
