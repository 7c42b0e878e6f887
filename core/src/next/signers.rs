//! Who may sign for an organisation or office: its officers by their roles, and the holders of its
//! posts, with whoever acts in their place.

use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{DelegationId, Id as _, PersonId};
use crate::identity::Role;
use crate::lookup::posts::{able_deputy, holder_is_away, post_in_force, stand_in};
use crate::state::StateTables;

/// Somebody who may sign for a principal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MaySign {
    /// Person number.
    pub person: PersonId,
    /// Roles in which the person may sign for this principal.
    pub roles: Vec<Role>,
    /// Roles that were delegated to the person, with the delegation that a signature names (M33).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegated: Vec<(Role, DelegationId)>,
    /// The person's keys in force, with the numbers that a signature names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<(u32, PublicKey)>,
}

/// Everybody who may sign for an organisation or office now, ascending by person.
pub fn signers(tables: &StateTables, principal: OrganisationId, now: LedgerTime) -> Vec<MaySign> {
    let Some(organisation) = tables.organisations.get(&principal) else {
        return Vec::new();
    };
    let mut found: Vec<MaySign> = Vec::new();
    for number in &organisation.officers {
        let officer = tables.persons.get(number);
        if let Some(person) = officer.filter(|person| person.in_force(now)) {
            found.push(MaySign {
                person: *number,
                roles: person.roles.clone(),
                delegated: Vec::new(),
                keys: Vec::new(),
            });
        }
    }
    let mut in_post = |person: PersonId, role: Role| match found
        .iter_mut()
        .find(|entry| entry.person == person)
    {
        Some(entry) if entry.roles.contains(&role) => {}
        Some(entry) => entry.roles.push(role),
        None => found.push(MaySign {
            person,
            roles: vec![role],
            delegated: Vec::new(),
            keys: Vec::new(),
        }),
    };
    for (_, post) in tables
        .posts
        .iter()
        .filter(|(_, post)| post.office == principal)
    {
        if post_in_force(post, now) {
            in_post(post.holder, post.role);
        }
        // In place of a holder who cannot: the deputy, else two of seat holders together.
        if holder_is_away(tables, post, now) {
            match (able_deputy(tables, post, now), stand_in(tables, post, now)) {
                (Some(deputy), _) => in_post(deputy, post.role),
                (None, Some(pair)) => {
                    in_post(pair.first.0, post.role);
                    if let Some((second, _)) = pair.second {
                        in_post(second, post.role);
                    }
                }
                (None, None) => {}
            }
        }
    }
    let of = (principal, DelegationId::MIN)..=(principal, DelegationId::MAX);
    let open = tables.delegations_open.range(of);
    for delegation in open.filter_map(|((_, number), _)| tables.delegations.get(number)) {
        let grant = &delegation.grant;
        let entry = found.iter_mut().find(|entry| entry.person == grant.to);
        if let Some(entry) = entry {
            entry.delegated.push((grant.role, delegation.number));
        }
    }
    found.retain(|entry| !entry.roles.is_empty() || !entry.delegated.is_empty());
    found.sort_by_key(|entry| entry.person);
    for entry in &mut found {
        let keys = tables.persons.get(&entry.person);
        let keys = (0..).zip(keys.into_iter().flat_map(|person| &person.keys));
        entry.keys = keys
            .filter(|(_, key)| key.in_force())
            .map(|(number, key)| (number, key.key))
            .collect();
    }
    found
}
