//! Groups of related companies, and who has no voice in whose matters (domain 1.2, M24; RULINGS R1,
//! R27).
//!
//! * A group is a connected component of the relations that both ends have declared, or the board has
//!   found, and that join voices. It is named by its smallest organisation number; an organisation without such relations
//!   is a group of one. One voice, one concentration limit per group.
//! * A relation that one end has declared binds that end alone: it has no voice in the other's
//!   matters. What others say of somebody does nothing.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{GroupId, Id};
use crate::object::relation::Edge;
use crate::state::StateTables;

/// The relations of an organisation with the other ends, past ones included.
pub fn relations(
    tables: &StateTables,
    organisation: OrganisationId,
) -> impl Iterator<Item = (OrganisationId, &Edge)> {
    let (first, last) = (
        (organisation, Id::MIN, 0),
        (organisation, Id::MAX, u32::MAX),
    );
    let upwards = tables
        .edges
        .range(first..=last)
        .map(|((_, other, _), edge)| (*other, edge));
    let downwards =
        tables
            .edges_back
            .range(first..=last)
            .filter_map(move |((_, other, number), _)| {
                let edge = tables.edges.get(&(*other, organisation, *number))?;
                Some((*other, edge))
            });
    upwards.chain(downwards)
}

/// Every organisation of `organisation`'s group, itself included, ascending.
pub fn members(tables: &StateTables, organisation: OrganisationId) -> BTreeSet<OrganisationId> {
    component(tables, organisation, Edge::joins)
}

/// Everything that `joins` ties to an organisation, itself included.
fn component(
    tables: &StateTables,
    organisation: OrganisationId,
    joins: impl Fn(&Edge) -> bool,
) -> BTreeSet<OrganisationId> {
    let mut found = BTreeSet::from([organisation]);
    let mut open = vec![organisation];
    while let Some(next) = open.pop() {
        for (other, edge) in relations(tables, next) {
            if joins(edge) && found.insert(other) {
                open.push(other);
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

/// Whether two organisations were one group at ledger time `at` (RULINGS R30).
pub fn were_related(
    tables: &StateTables,
    a: OrganisationId,
    b: OrganisationId,
    at: LedgerTime,
) -> bool {
    a == b || component(tables, a, |edge| edge.joined_at(at)).contains(&b)
}

/// Whoever has no voice in matters of `party`: its group, and the groups of those that have declared
/// or confirmed a relation with one of it. It reaches no further.
pub fn recused_from(tables: &StateTables, party: OrganisationId) -> BTreeSet<OrganisationId> {
    recused(tables, party, Edge::joins, Edge::declared_by)
}

/// The same by ties of a choice.
fn recused(
    tables: &StateTables,
    party: OrganisationId,
    joins: impl Fn(&Edge) -> bool + Copy,
    declared: impl Fn(&Edge, OrganisationId) -> bool,
) -> BTreeSet<OrganisationId> {
    let group = component(tables, party, joins);
    let mut found = group.clone();
    for member in group {
        for (other, edge) in relations(tables, member) {
            if declared(edge, other) && !found.contains(&other) {
                found.extend(component(tables, other, joins));
            }
        }
    }
    found
}

/// Every organisation that was of `organisation`'s group at ledger time `at`, itself included.
pub fn members_at(
    tables: &StateTables,
    organisation: OrganisationId,
    at: LedgerTime,
) -> BTreeSet<OrganisationId> {
    component(tables, organisation, |edge| edge.joined_at(at))
}

/// Every organisation that is of `organisation`'s group or has been since ledger time `since`, itself
/// included.
pub fn members_since(
    tables: &StateTables,
    organisation: OrganisationId,
    since: LedgerTime,
) -> BTreeSet<OrganisationId> {
    component(tables, organisation, |edge| edge.joined_since(since))
}

/// Whoever has no voice in a matter of `party` that opened at ledger time `since`: by what is in force, or
/// was at any time since (RULINGS R31).
pub fn recused_since(
    tables: &StateTables,
    party: OrganisationId,
    since: LedgerTime,
) -> BTreeSet<OrganisationId> {
    let declared = |edge: &Edge, end| edge.declared_since(end, since);
    recused(tables, party, |edge| edge.joined_since(since), declared)
}

/// Whether `organisation` had no voice in matters of `party` at ledger time `at` (RULINGS R30).
pub fn had_conflict(
    tables: &StateTables,
    organisation: OrganisationId,
    party: OrganisationId,
    at: LedgerTime,
) -> bool {
    let declared = |edge: &Edge, end| edge.declared_at(end, at);
    organisation == party
        || recused(tables, party, |edge| edge.joined_at(at), declared).contains(&organisation)
}

/// Whether `organisation` has no voice in matters of `party`.
pub fn has_conflict(
    tables: &StateTables,
    organisation: OrganisationId,
    party: OrganisationId,
) -> bool {
    organisation == party || recused_from(tables, party).contains(&organisation)
}

/// Whether one of the two says that they are tied, or they are one group.
pub fn tied(tables: &StateTables, a: OrganisationId, b: OrganisationId) -> bool {
    has_conflict(tables, a, b) || has_conflict(tables, b, a)
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
