//! Who is to take the next step of a draw.

use rollbook_proof::number::OrganisationId;

use crate::object::draw;

/// Who has not taken the present step of a draw, and the seat holder among them if one was named for
/// the place.
pub(super) fn drawing(entry: &draw::Draw) -> (&'static str, Option<OrganisationId>) {
    let missing = |slot: &draw::Slot| match entry.status {
        draw::DrawStatus::Committing => slot.commitment.is_none(),
        draw::DrawStatus::Revealing => slot.secret.is_none(),
        draw::DrawStatus::Drawn => false,
    };
    // A place that passed to a seat holder is one of theirs, whichever it was.
    let open = |place: usize| entry.slots.get(place).filter(|slot| missing(slot));
    let of_post = |place| open(place).is_some_and(|slot| slot.seat.is_none());
    let passed = || {
        entry
            .slots
            .iter()
            .filter(|slot| missing(slot))
            .find_map(|slot| slot.seat)
    };
    let holder = open(2).is_some() || passed().is_some();
    let who = match (of_post(0), of_post(1), holder) {
        (true, true, true) => "PO, OFF, seat holder",
        (true, true, false) => "PO, OFF",
        (true, false, true) => "PO, seat holder",
        (false, true, true) => "OFF, seat holder",
        (true, false, false) => "PO",
        (false, true, false) => "OFF",
        (false, false, true) => "seat holder",
        (false, false, false) => "",
    };
    (who, passed())
}
