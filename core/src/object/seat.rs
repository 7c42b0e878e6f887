//! Seats of the board: what stands in the ledger of one, and its transitions (M36; RULINGS R7, R28).

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MotionId, SeatId};
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
    /// An election chose the holder, who has not accepted yet. An offer is no seat.
    Offered,
    /// The sitting holder accepted another term, which begins when the one before ends.
    Accepted,
    /// Over.
    Ended,
    /// The member did not want it.
    Declined,
    /// The offer was not accepted in time.
    Lapsed,
}

crate::words!(SeatStatus, "state.seat", {
    Held = "held",
    HeldOver = "held-over",
    Offered = "offered",
    Accepted = "accepted",
    Ended = "ended",
    Declined = "declined",
    Lapsed = "lapsed",
});

impl SeatStatus {
    /// Whether its holder sits on the board.
    pub fn in_force(self) -> bool {
        match self {
            SeatStatus::Held | SeatStatus::HeldOver => true,
            SeatStatus::Offered
            | SeatStatus::Accepted
            | SeatStatus::Ended
            | SeatStatus::Declined
            | SeatStatus::Lapsed => false,
        }
    }

    /// Whether somebody may still come to sit there by it, who does not yet.
    pub fn is_coming(self) -> bool {
        match self {
            SeatStatus::Offered | SeatStatus::Accepted => true,
            SeatStatus::Held
            | SeatStatus::HeldOver
            | SeatStatus::Ended
            | SeatStatus::Declined
            | SeatStatus::Lapsed => false,
        }
    }
}

/// A seat of the board (working): one term of one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Seat {
    /// Its number.
    pub number: SeatId,
    /// The member that holds it.
    pub organisation: OrganisationId,
    /// The term begins at this ledger time; that of the offer until it is accepted.
    pub from_ms: LedgerTime,
    /// The term ends at this ledger time, inclusive.
    pub until_ms: LedgerTime,
    /// The seat that this one fills anew; none: one of the genesis, or one that nobody held before.
    pub succeeds: Option<SeatId>,
    /// The seat that filled this one anew.
    pub successor: Option<SeatId>,
    /// The election; none: the genesis.
    pub motion: Option<MotionId>,
    /// Where it stands.
    pub status: SeatStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<SeatStatus>; 35] = {
    use SeatStatus::*;
    [
        row!(
            "M25",
            None => Held,
            "genesis",
            "a founder, one seat per group; the term ends in 180 days or later"
        ),
        row!("M36", None => Offered, "CLK", "elected; may sit on the board now"),
        row!(
            "M36",
            Some(Offered) => Held,
            "MEM",
            "may sit on the board now; whoever held the seat before goes"
        ),
        row!(
            "R28",
            Some(Offered) => Accepted,
            "MEM",
            "holds it already, and may now; the new term begins when the old one ends"
        ),
        row!("M36", Some(Offered) => Declined, "MEM", ""),
        row!("R28", Some(Offered) => Lapsed, "CLK", "not accepted in offer_days"),
        row!("R28", Some(Accepted) => Held, "CLK", "the term before has ended"),
        row!("M36", Some(Accepted) => Ended, "MEM", "the holder resigned before"),
        row!(
            "R28",
            Some(Held) => HeldOver,
            "CLK",
            "the term ended, no successor has accepted"
        ),
        row!("R28", Some(Held) => Ended, "CLK", "the term ended, the holder's next one begins"),
        row!("M36", Some(Held) => Ended, "MEM", "resigned by the holder"),
        row!("M36", Some(HeldOver) => Ended, "MEM", "resigned by the holder"),
        row!("R28", Some(HeldOver) => Ended, "successor", "has accepted, or another member of the group a seat"),
        row!("R32", Some(Held) => Ended, "CLK", "the holder's class has no seat any more"),
        row!("R32", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("R32", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M21", Some(Offered) => Lapsed, "SEC", "the company is none any more"),
        row!("M21", Some(Accepted) => Ended, "SEC", "the same"),
        row!("M21", Some(Held) => Ended, "SEC", "the same"),
        row!("M21", Some(HeldOver) => Ended, "SEC", "the same"),
        row!("M24", Some(Held) => Ended, "CLK", "the group has an earlier seat, and seat_cure_days are over"),
        row!("M24", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M24", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M20", Some(Offered) => Lapsed, "CLK", "the company is a member no longer"),
        row!("M20", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M20", Some(Held) => Ended, "CLK", "the same"),
        row!("M20", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M13", Some(Offered) => Lapsed, "CLK", "the same"),
        row!("M13", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M13", Some(Held) => Ended, "CLK", "the same"),
        row!("M13", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M16", Some(Offered) => Lapsed, "CLK", "the same"),
        row!("M16", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M16", Some(Held) => Ended, "CLK", "the same"),
        row!("M16", Some(HeldOver) => Ended, "CLK", "the same"),
    ]
};

crate::object::object!(Seat, SeatId, "seat");
crate::object::machine!(Seat, "seat", SeatStatus, status);
