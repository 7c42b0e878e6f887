//! Which rules a height is under (RULINGS A18).

use crate::state::StateTables;

/// The newest version this build knows.
pub const PROTOCOL: u32 = 2;

/// The version that the block at `height` is under.
pub fn at(tables: &StateTables, height: u64) -> u32 {
    tables
        .protocols
        .iter()
        .filter(|(_, facts)| facts.from_height <= height)
        .map(|(version, _)| *version)
        .max()
        .unwrap_or(1)
}
