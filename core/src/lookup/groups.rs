//! Groups of related companies (domain 1.2, M24; RULINGS R1).
//!
//! A group is a connected component of declared relations in force. It is named by its smallest
//! organisation number; an organisation without relations is a group of one. One voice, one
//! conflict, one concentration limit per group.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::number::OrganisationId;

use crate::id::{GroupId, Id};
use crate::state::StateTables;

/// Every organisation of `organisation`'s group, itself included, ascending.
pub fn members(tables: &StateTables, organisation: OrganisationId) -> BTreeSet<OrganisationId> {
    let mut found = BTreeSet::from([organisation]);
    let mut open = vec![organisation];
    while let Some(next) = open.pop() {
        for ((_, other), edge) in tables.edges.range((next, Id::MIN)..=(next, Id::MAX)) {
            if edge.until_ms.is_none() && found.insert(*other) {
                open.push(*other);
            }
        }
    }
    found
}

/// The group's name: its smallest organisation number.
pub fn group_of(tables: &StateTables, organisation: OrganisationId) -> GroupId {
    let members = members(tables, organisation);
    GroupId(members.first().copied().unwrap_or(organisation))
}

/// Whether two organisations are one group.
pub fn related(tables: &StateTables, a: OrganisationId, b: OrganisationId) -> bool {
    a == b || members(tables, a).contains(&b)
}

/// Whether a group has its one seat already: one of `holders` is related to `organisation`.
pub fn has_seat(
    tables: &StateTables,
    organisation: OrganisationId,
    mut holders: impl Iterator<Item = OrganisationId>,
) -> bool {
    holders.any(|holder| related(tables, holder, organisation))
}

/// The groups of many organisations at once: organisation to group.
pub fn partition(
    tables: &StateTables,
    organisations: impl IntoIterator<Item = OrganisationId>,
) -> BTreeMap<OrganisationId, GroupId> {
    let mut groups = BTreeMap::new();
    for organisation in organisations {
        if groups.contains_key(&organisation) {
            continue;
        }
        let component = members(tables, organisation);
        let name = GroupId(component.first().copied().unwrap_or(organisation));
        groups.extend(component.into_iter().map(|member| (member, name)));
    }
    groups
}
