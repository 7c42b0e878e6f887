//! Who works in a direction and leads it, and what was corrected in an object (M37, M41).

use rollbook_proof::number::LedgerTime;

use super::{Party, party};
use crate::id::{CorrectionId, DirectionId, Id as _, MotionId};
use crate::identity::Name;
use crate::lookup::directions;
use crate::object::correction::CorrectionStatus;
use crate::record::{Corrected, CorrectionEntry};
use crate::state::StateTables;

/// A direction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DirectionView {
    /// Its number.
    pub number: DirectionId,
    /// Its names.
    pub name: Name,
    /// The members that work in it, ascending.
    pub members: Vec<Party>,
    /// Who leads it, by which motion, since when.
    pub lead: Option<(Party, MotionId, LedgerTime)>,
}

/// What was corrected in an object, and what is to be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CorrectionLine {
    /// The correction.
    pub number: CorrectionId,
    /// What stands there, and what should.
    pub entry: CorrectionEntry,
    /// Where the correction stands.
    pub status: CorrectionStatus,
}

pub(super) fn direction(tables: &StateTables, number: DirectionId) -> Option<DirectionView> {
    let entry = tables.directions.get(&number)?;
    Some(DirectionView {
        number,
        name: entry.name.clone(),
        members: directions::members(tables, number)
            .map(|member| party(tables, member))
            .collect(),
        lead: directions::lead(tables, number)
            .map(|lead| (party(tables, lead.organisation), lead.motion, lead.since_ms)),
    })
}

pub(super) fn corrections(tables: &StateTables, subject: Corrected) -> Vec<CorrectionLine> {
    let of = (subject, CorrectionId::MIN)..=(subject, CorrectionId::MAX);
    let numbers = tables.corrections_of.range(of);
    let line = |number: &CorrectionId| {
        let known = tables.corrections.get(number)?;
        Some(CorrectionLine {
            number: *number,
            entry: known.entry.clone(),
            status: known.status,
        })
    };
    numbers
        .filter_map(|((_, number), _)| line(number))
        .collect()
}
