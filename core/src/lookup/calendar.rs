//! Which days the alliance works (M39; RULINGS R12).

use crate::calendar::{Calendar, DEFAULT_OFFSET_MINUTES};
use crate::state::StateTables;

/// The exceptions that count now, with the offset of the charter in force; Monday to Friday where
/// nothing was set.
pub fn now(tables: &StateTables) -> Calendar {
    let version = tables.chain.get(&0).map(|facts| facts.charter);
    let charter = version.and_then(|version| tables.parameters.get(&version));
    let offset_minutes = charter.map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes);
    Calendar {
        offset_minutes,
        ..tables.working_days.get(&0).cloned().unwrap_or_default()
    }
}
