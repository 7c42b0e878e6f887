//! Seats of the board and who holds them (RULINGS R7, R28).

use rollbook_proof::number::OrganisationId;

use crate::lookup::rights;
use crate::object::seat::{Seat, SeatStatus};
use crate::state::StateTables;

/// The seats that are held now, in the order of their numbers; held over included.
pub fn in_force(tables: &StateTables) -> impl Iterator<Item = &Seat> {
    let seats = tables.seats.iter().map(|(_, seat)| seat);
    seats.filter(|seat| seat.status.in_force())
}

/// The organisations that hold a seat, in the order of the seats' numbers; held over included.
pub fn holders(tables: &StateTables) -> impl Iterator<Item = OrganisationId> + '_ {
    in_force(tables).map(|seat| seat.organisation)
}

/// Whether the organisation holds a seat now, its term or held over, and is a member.
pub fn holds(tables: &StateTables, organisation: OrganisationId) -> bool {
    holders(tables).any(|holder| holder == organisation) && rights::is_live(tables, organisation)
}

/// The seats whose term has ended, if they are more than half of the board: a held-over board
/// (RULINGS R28).
pub fn held_over(tables: &StateTables) -> Option<Vec<&Seat>> {
    let over: Vec<&Seat> = in_force(tables)
        .filter(|seat| seat.status == SeatStatus::HeldOver)
        .collect();
    (2 * over.len() > in_force(tables).count()).then_some(over)
}
