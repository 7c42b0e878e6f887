//! Seats of the board: what stands in the ledger of one, and its transitions (RULINGS R7, R28).

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::SeatId;
use crate::machine::Row;
use crate::row;

/// Where a seat stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum SeatStatus {
    /// In its term.
    Held,
    /// The term ended; the holder goes on until a successor has accepted.
    HeldOver,
}

crate::words!(SeatStatus, "state.seat", {
    Held = "held",
    HeldOver = "held-over",
});

/// A seat of the board (working): one term of one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Seat {
    /// Its number.
    pub number: SeatId,
    /// The member that holds it.
    pub organisation: OrganisationId,
    /// The term begins at this ledger time.
    pub from_ms: LedgerTime,
    /// The term ends at this ledger time, inclusive.
    pub until_ms: LedgerTime,
    /// Where it stands.
    pub status: SeatStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition of this build, in which nobody is elected.
pub static ROWS: [Row<SeatStatus>; 2] = [
    row!(
        "M25",
        None => SeatStatus::Held,
        "genesis",
        "a founder, one seat per group; the term ends in 180 days or later"
    ),
    row!(
        "R28",
        Some(SeatStatus::Held) => SeatStatus::HeldOver,
        "CLK",
        "the term ended, no successor has accepted"
    ),
];

crate::object::object!(Seat, SeatId, "seat");
crate::object::machine!(Seat, "seat", SeatStatus, status);
