//! Seats of the board (RULINGS R7, R28): numbered terms of members. Whose term ended goes on until a
//! successor has accepted.
//!
//! Absent: elections, resignation, and the cure of two seats that come into one group.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::event::EventBody;
use crate::id::SeatId;
use crate::object::seat::{Seat, SeatStatus};
use crate::refusal::Refusal;
use crate::tx::{DeadlineKind, Due, Tx};

/// A first seat, from now until the end of its term.
pub(crate) fn take(
    tx: &mut Tx,
    organisation: OrganisationId,
    until_ms: LedgerTime,
) -> Result<(), Refusal> {
    let number = tx.next_id::<SeatId>();
    let seat = Seat {
        number,
        organisation,
        from_ms: tx.now,
        until_ms,
        status: tx.begin::<Seat>(number, "M25", SeatStatus::Held)?,
        since_ms: tx.now,
    };
    tx.put(seat);
    tx.schedule(DeadlineKind::SeatTerm, number, until_ms);
    Ok(())
}

/// The term of a seat ends.
pub(crate) fn on_deadline(tx: &mut Tx, number: SeatId, due: Due) -> Result<(), Refusal> {
    let seat = tx.get::<Seat>(number)?;
    let organisation = seat.organisation;
    tx.advance(seat, "R28", SeatStatus::HeldOver)?;
    tx.emit(
        due,
        EventBody::SeatHeldOver {
            seat: number,
            organisation,
        },
    );
    Ok(())
}
