//! What a change of officers may do and how it is carried out, by M32 and by a recovery alike.

use std::collections::BTreeMap;

use rollbook_proof::crypto::{Hash, KeyKind, sha256};
use rollbook_proof::number::OrganisationId;

use super::{delegation, keys, officer};
use crate::id::PersonId;
use crate::identity::{
    EndReason, KEYS_MAX, OFFICERS_MAX, OFFICERS_MIN, Organisation, OrganisationKind, Role,
};
use crate::record::OfficersChange;
use crate::refusal::Refusal;
use crate::rules::posts;
use crate::rules::registration::{
    check_key, require_new, require_new_person, take_key, write_person,
};
use crate::tx::{Due, Tx, Verify};
use crate::{refuse, require};

/// By what a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// M32.
    Change,
    /// R23: new keys take the place of all others of the person.
    Recovery,
}

impl By {
    fn code(self) -> &'static str {
        match self {
            By::Change => "M32",
            By::Recovery => "R23",
        }
    }
}

/// Fewest officers with a key that an organisation of this kind keeps.
pub(super) fn fewest(kind: OrganisationKind) -> usize {
    match kind {
        OrganisationKind::Company => OFFICERS_MIN,
        OrganisationKind::Observer => 1,
        // Its posts have holders from elsewhere.
        OrganisationKind::Office => 0,
    }
}

/// Whether every new key is proved and may be registered; asked once, when the change is recorded.
pub(super) fn check_keys(
    tx: &Tx,
    organisation: OrganisationId,
    change: &OfficersChange,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    for (key, proof, possession) in change.new_keys(&tx.chain, organisation) {
        check_key(tx, (&key, &proof, KeyKind::Officer), &possession, verifier)?;
    }
    Ok(())
}

/// The officers who would be there, with their roles and whether they have a key.
fn after(
    tx: &Tx,
    organisation: &Organisation,
    change: &OfficersChange,
) -> Result<BTreeMap<PersonId, (Vec<Role>, bool)>, Refusal> {
    let home = organisation.number;
    let mut left = BTreeMap::new();
    for number in &organisation.officers {
        if let Ok(person) = officer(tx, home, *number) {
            left.insert(*number, (person.roles.clone(), person.has_key()));
        }
    }
    for number in &change.ended {
        officer(tx, home, *number)?;
        left.remove(number);
    }
    for (number, roles) in &change.roles {
        officer(tx, home, *number)?;
        if let Some((old, _)) = left.get_mut(number) {
            old.clone_from(roles);
        }
    }
    for new in &change.keys {
        let person = officer(tx, home, new.person)?;
        let more = change.keys.iter().filter(|key| key.person == new.person);
        require!(
            person.keys.len() + more.count() <= KEYS_MAX,
            "M23.too-many-keys",
            person = new.person,
            limit = KEYS_MAX
        );
        if let Some((_, has_key)) = left.get_mut(&new.person) {
            *has_key = true;
        }
    }
    for new in &change.added {
        // Numbers of those who come are given later; theirs here are above all of those who are.
        let place = PersonId(u32::MAX - new.person.0);
        left.insert(place, (new.roles.clone(), true));
    }
    Ok(left)
}

/// Whether the change is possible now: everybody in it is what it says, nobody's key or commitment is
/// used twice, two officers with a key are left, and the policy can be reached. Asked when it is
/// recorded and when it takes effect.
pub(super) fn possible(
    tx: &Tx,
    organisation: &Organisation,
    change: &OfficersChange,
) -> Result<(), Refusal> {
    let growth = tx.charter()?.growth;
    let most_keys = change.added.iter().map(|officer| officer.keys.len()).max();
    require!(
        change.added.len() <= growth.registration_officers as usize
            && most_keys.unwrap_or(0) <= growth.registration_keys as usize,
        "A50.change-too-large",
        officers = growth.registration_officers,
        keys = growth.registration_keys
    );
    let mut new: Vec<Hash> = Vec::new();
    for (key, ..) in change.new_keys(&tx.chain, organisation.number) {
        new.push(key.digest());
    }
    for officer in &change.added {
        require_new_person(tx, officer)?;
        new.extend(officer.reader.map(|reader| sha256(&reader.0.0)));
    }
    for digest in &new {
        require_new(tx, digest)?;
    }
    new.sort();
    require!(
        new.windows(2).all(|pair| pair.first() != pair.last()),
        "A21.key-twice"
    );
    let left = after(tx, organisation, change)?;
    require!(
        left.len() <= OFFICERS_MAX,
        "M32.too-many-officers",
        officers = left.len(),
        limit = OFFICERS_MAX
    );
    let needed = fewest(organisation.kind);
    let with_key = left.values().filter(|(_, has_key)| *has_key).count();
    require!(
        with_key >= needed,
        "M32.too-few-officers",
        officers = with_key,
        needed = needed
    );
    let policy = change.policy.as_ref().unwrap_or(&organisation.policy);
    let mut roles: BTreeMap<PersonId, Vec<Role>> = left
        .into_iter()
        .filter(|(_, (_, has_key))| *has_key)
        .map(|(person, (roles, _))| (person, roles))
        .collect();
    if organisation.kind == OrganisationKind::Office {
        for (_, post) in tx.t.posts.iter() {
            if post.office == organisation.number && post.status.in_force() {
                roles.entry(post.holder).or_default().push(post.role);
            }
        }
    }
    let roles: Vec<Vec<Role>> = roles.into_values().collect();
    let out = match organisation.kind {
        OrganisationKind::Company => policy.unreachable(&roles),
        OrganisationKind::Office | OrganisationKind::Observer => policy.out_of_reach(&roles),
    };
    if let Some((class, needed)) = out {
        refuse!("R30.policy-out-of-reach", class = class, needed = needed);
    }
    Ok(())
}

/// Carries a change out that is [`possible`] now.
pub(super) fn carry_out(
    tx: &mut Tx,
    number: OrganisationId,
    change: &OfficersChange,
    by: By,
    due: Due,
) -> Result<(), Refusal> {
    let mut organisation = tx.organisation(number)?.clone();
    for person in &change.ended {
        end_person(tx, *person, by, due)?;
    }
    organisation
        .officers
        .retain(|person| !change.ended.contains(person));
    for (person, roles) in &change.roles {
        let mut facts = officer(tx, number, *person)?;
        facts.roles.clone_from(roles);
        tx.t.persons().put(*person, facts);
    }
    if by == By::Recovery {
        let mut renewed: Vec<PersonId> = change.keys.iter().map(|key| key.person).collect();
        renewed.dedup();
        for person in renewed {
            keys::end_all(tx, person, by.code(), EndReason::Lost)?;
        }
    }
    for new in &change.keys {
        take_key(tx, &new.key, number)?;
        keys::add(tx, new.person, new.key, by.code())?;
    }
    for new in &change.added {
        let mut entry = new.clone();
        entry.person = tx.next_id::<PersonId>();
        write_person(tx, number, &entry, by.code())?;
        organisation.officers.push(entry.person);
    }
    organisation.officers.sort_unstable();
    if let Some(policy) = &change.policy {
        organisation.policy = policy.clone();
    }
    tx.put(organisation);
    delegation::end_without_ground(tx, number, Some(due))
}

/// A person leaves: no key signs any more, no post is held any more.
fn end_person(tx: &mut Tx, number: PersonId, by: By, due: Due) -> Result<(), Refusal> {
    keys::end_all(tx, number, by.code(), EndReason::Left)?;
    if let Some(mut person) = tx.t.persons.get(&number).cloned() {
        person.ended = Some((tx.now, EndReason::Left));
        person.roles.clear();
        tx.t.persons().put(number, person);
    }
    posts::end_all_of(tx, number, "M32", Some(due))
}
