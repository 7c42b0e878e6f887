//! Seats of the board and who holds them (RULINGS R7, R28).

use rollbook_proof::number::OrganisationId;

use crate::lookup::rights;
use crate::object::seat::{Seat, SeatStatus};
use crate::state::StateTables;

/// The organisations that hold a seat, in the order of the seats' numbers; held over included.
pub fn holders(tables: &StateTables) -> impl Iterator<Item = OrganisationId> + '_ {
    tables.seats.iter().map(|(_, seat)| seat.organisation)
}

/// Whether the organisation holds a seat now, its term or held over, and is a member.
pub fn holds(tables: &StateTables, organisation: OrganisationId) -> bool {
    holders(tables).any(|holder| holder == organisation) && rights::is_live(tables, organisation)
}

/// The seats whose term has ended, if they are more than half of the board: a held-over board
/// (RULINGS R28).
pub fn held_over(tables: &StateTables) -> Option<Vec<&Seat>> {
    let over: Vec<&Seat> = tables
        .seats
        .iter()
        .map(|(_, seat)| seat)
        .filter(|seat| seat.status == SeatStatus::HeldOver)
        .collect();
    (2 * over.len() > tables.seats.iter().count()).then_some(over)
}
