//! Who works in a direction, and who leads it (M37).

use rollbook_proof::number::OrganisationId;

use crate::id::DirectionId;
use crate::lookup::rights;
use crate::object::direction::Lead;
use crate::state::StateTables;

/// Whether the organisation works in the direction.
pub fn works_in(
    tables: &StateTables,
    organisation: OrganisationId,
    direction: DirectionId,
) -> bool {
    tables
        .organisations
        .get(&organisation)
        .is_some_and(|entry| entry.directions.contains(&direction))
}

/// Who leads the direction now: a member that works in it. Whose membership has ended leads nothing.
pub fn lead(tables: &StateTables, direction: DirectionId) -> Option<&Lead> {
    let lead = tables.leads.get(&direction)?;
    let leads = rights::is_live(tables, lead.organisation)
        && works_in(tables, lead.organisation, direction);
    leads.then_some(lead)
}

/// The members that work in the direction, ascending.
pub fn members(
    tables: &StateTables,
    direction: DirectionId,
) -> impl Iterator<Item = OrganisationId> + '_ {
    tables
        .organisations
        .iter()
        .filter(move |(number, entry)| {
            entry.directions.contains(&direction) && rights::is_live(tables, **number)
        })
        .map(|(number, _)| *number)
}
