//! Who misses a turn is passed over (RULINGS A56).
//!
//! * The order of a height is fixed by the state after the height below, its own handover included,
//!   and stays in the state until the height's certificate has been counted: the next block carries
//!   it.
//! * That certificate names the round in which the height was decided. Whose turn came in an
//!   earlier round has one miss more; whose round decided has none.
//! * A seat that goes loses its misses; one that stays and gets new keys keeps them.
//! * Block 1 carries no certificate, so nothing is counted of genesis.
//!
//! Absent: clocks. Which rounds a height needed is known from the chain alone, so everybody counts
//! the same.

use rollbook_proof::chain::Certificate;

use crate::object::turn::{Missed, Turns};
use crate::rules::network::validators;
use crate::tx::Tx;

/// Counts the turns that passed at the height that `certificate` decides.
pub(crate) fn count(tx: &mut Tx, certificate: &Certificate) {
    let Some(turns) = tx.t.turns.get(&certificate.height).cloned() else {
        return;
    };
    // Of who has no seat any more, [`settle`] takes the row away in the same block.
    for seat in turns.passed(certificate.round) {
        let missed = Missed::once_more(tx.t.missed.get(seat).copied(), tx.height);
        tx.t.missed().put(*seat, missed);
    }
    if let Some(seat) = turns.of_round(certificate.round) {
        tx.t.missed().remove(seat);
    }
    tx.t.turns().remove(certificate.height);
}

/// Fixes the order of the next height. Asked at the end of what a block does before its records,
/// which change no seat.
pub(crate) fn settle(tx: &mut Tx) {
    let seats = validators::current(&tx.t);
    let gone: Vec<_> =
        tx.t.missed
            .iter()
            .map(|(seat, _)| *seat)
            .filter(|seat| !seats.contains(seat))
            .collect();
    for seat in gone {
        tx.t.missed().remove(seat);
    }
    let height = tx.height.next();
    let turns = Turns::of(&seats, height, |seat| tx.t.missed.get(&seat).copied());
    tx.t.turns().put(height, turns);
}
