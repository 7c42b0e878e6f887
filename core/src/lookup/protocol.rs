//! Which rules a height is under (RULINGS A18).

use rollbook_proof::number::{Height, ProtocolVersion};

use crate::state::StateTables;

/// The newest version this build knows. Until v1.0.0 there is one (RULINGS A27).
#[cfg(not(feature = "planted"))]
pub const PROTOCOL: ProtocolVersion = ProtocolVersion(1);
/// The newest version this build knows: the one that never ships.
#[cfg(feature = "planted")]
pub const PROTOCOL: ProtocolVersion = crate::planted::VERSION;

/// The version that the block at `height` is under.
pub fn at(tables: &StateTables, height: Height) -> ProtocolVersion {
    tables
        .protocols
        .iter()
        .filter(|(_, facts)| facts.from_height <= height)
        .map(|(version, _)| *version)
        .max()
        .unwrap_or(ProtocolVersion(1))
}
