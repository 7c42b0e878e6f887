//! Who may sign for an organisation or office: its officers by their roles, and the holders of its
//! posts.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::PersonId;
use crate::identity::Role;
use crate::lookup::posts::post_in_force;
use crate::state::StateTables;

/// Somebody who may sign for a principal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MaySign {
    /// Person number.
    pub person: PersonId,
    /// Roles in which the person may sign for this principal.
    pub roles: Vec<Role>,
}

/// Everybody who may sign for an organisation or office now, ascending by person.
pub fn signers(tables: &StateTables, principal: OrganisationId, now: LedgerTime) -> Vec<MaySign> {
    let Some(organisation) = tables.organisations.get(&principal) else {
        return Vec::new();
    };
    let mut found: Vec<MaySign> = Vec::new();
    for number in &organisation.officers {
        if let Some(person) = tables.persons.get(number) {
            found.push(MaySign {
                person: *number,
                roles: person.roles.clone(),
            });
        }
    }
    for (_, post) in tables
        .posts
        .iter()
        .filter(|(_, post)| post.office == principal && post_in_force(post, now))
    {
        match found.iter_mut().find(|entry| entry.person == post.holder) {
            Some(entry) if entry.roles.contains(&post.role) => {}
            Some(entry) => entry.roles.push(post.role),
            None => found.push(MaySign {
                person: post.holder,
                roles: vec![post.role],
            }),
        }
    }
    found.retain(|entry| !entry.roles.is_empty());
    found.sort_by_key(|entry| entry.person);
    found
}
