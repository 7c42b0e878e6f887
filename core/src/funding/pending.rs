//! Stand-ins for functions of other hands until they are merged. Nothing here may survive.

use super::call::Call;
use crate::apply::{Refusal, Tx};
use crate::record::DrawFor;

pub fn progress(_tx: &mut Tx, _call: u32) -> Result<(), Refusal> {
    Ok(())
}

pub fn require_eligible(_tx: &Tx, _call: &Call, _applicant: u32, _code: &'static str) -> Result<(), Refusal> {
    Ok(())
}

pub fn voters(_tx: &Tx, _motion: u32) -> Vec<u32> {
    Vec::new()
}

pub fn order_of(tx: &Tx, subject: DrawFor) -> Vec<u32> {
    let rounds = tx.t.draw_of.range((subject, 0)..=(subject, u32::MAX)).map(|(_, draw)| *draw);
    rounds.filter_map(|draw| tx.t.draws.get(&draw)).flat_map(|draw| draw.pool.clone()).collect()
}
